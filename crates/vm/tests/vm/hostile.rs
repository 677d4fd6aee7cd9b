//! Programs nobody wrote: whatever they are, they are refused or run within their limits. `cargo xtask fuzz` has the
//! same for longer.

use proptest::prelude::*;

use crate::mutations::flatbuffer;
use crate::{generate, host};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Every instruction in any order: the verifier accepts them, and running them is harmless.
    #[test]
    fn generated_programs_run_within_their_limits(
        bytes in proptest::collection::vec(any::<u8>(), 0..2000),
    ) {
        host::run(&generate::program(&bytes));
    }

    /// A few bytes of a module are changed: it is refused, or is harmless to list.
    #[test]
    fn changed_modules_are_refused_or_harmless(
        fixture in 0..FIXTURES.len(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut file = fixtures::read(FIXTURES[fixture]);
        let changed = flatbuffer(&file);
        for (at, byte) in changes {
            let at = changed.start + at.index(changed.len());
            file[at] = byte;
        }
        if let Ok(module) = vm::BytecodeModule::load(file.into()) {
            prop_assert!(!vm::disasm::module(&module).to_string().is_empty());
        }
    }
}

const FIXTURES: &[&str] = &["gfx1100/add_dynamic.vmfb", "old_gfx1100/reduce.vmfb"];
