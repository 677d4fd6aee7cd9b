//! Instructions as text.

use crate::BytecodeModule;
use crate::op::Op;

/// Gives a trace hook the instruction at `pc` of a function.
pub(crate) fn trace(
    module: &BytecodeModule,
    (function, pc, op): (u32, u32, Op),
    hook: &mut dyn FnMut(&str),
) {
    let place = match module.function_name(function) {
        Some(name) => format!(".{name}"),
        None => format!("@{function}"),
    };
    hook(&format!(
        "[{}{place}+{pc:08X}]    vm.{}",
        module.name(),
        op.mnemonic()
    ));
}
