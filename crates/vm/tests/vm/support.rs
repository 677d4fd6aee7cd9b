//! Loading, linking and running what the assembler made.

use std::sync::Arc;

use vm::{BytecodeModule, Context, Error, Invocation, Limits, ModuleId, Poll, Result, Trap, Value};

use crate::asm::Asm;

pub(crate) fn load(asm: &Asm) -> Result<BytecodeModule> {
    BytecodeModule::load(asm.file().into())
}

/// A context with this module alone.
pub(crate) fn linked(asm: &Asm) -> (Context, ModuleId) {
    let mut context = Context::new(limits());
    let module = load(asm).unwrap_or_else(|error| panic!("{error}"));
    let id = context.link(Arc::new(module)).unwrap();
    (context, id)
}

pub(crate) fn limits() -> Limits {
    Limits {
        frames: 100,
        memory_bytes: 1 << 20,
    }
}

/// Calls `main` of a module until it is done.
pub(crate) fn run(asm: &Asm, args: Vec<Value>) -> Result<Vec<Value>, Trap> {
    let (mut context, id) = linked(asm);
    call(&mut context, id, "main", args)
}

pub(crate) fn call(
    context: &mut Context,
    module: ModuleId,
    export: &str,
    args: Vec<Value>,
) -> Result<Vec<Value>, Trap> {
    let function = context.lookup(module, export).expect("it is exported");
    let mut invocation = Invocation::new(context, function, args).unwrap();
    loop {
        match invocation.poll(context, Some(1_000_000))? {
            Poll::Done(values) => return Ok(values),
            Poll::Yielded => {}
            Poll::Waiting { .. } => panic!("nothing to wait for"),
        }
    }
}

/// The failure of `main`.
pub(crate) fn failure(asm: &Asm, args: Vec<Value>) -> Error {
    run(asm, args).unwrap_err().into_error()
}

/// Values as text, to compare.
pub(crate) fn show(values: &[Value]) -> String {
    let texts: Vec<_> = values
        .iter()
        .map(|value| match value {
            Value::I32(value) => format!("{value}"),
            Value::I64(value) => format!("{value}L"),
            Value::F32(value) => format!("{value:?}f"),
            Value::F64(value) => format!("{value:?}"),
            Value::Ref(None) => "null".to_owned(),
            Value::Ref(Some(reference)) => reference.kind().name().to_owned(),
        })
        .collect();
    texts.join(" ")
}
