//! The native module that generated programs call.

use std::sync::Arc;

use vm::{
    BytecodeModule, Call, Code, Context, Error, Flow, Invocation, Item, Kind, Limits, ModuleId,
    NativeExport, NativeModule, Poll, Ref, RefType, Result, Value,
};

use crate::asm::Asm;
use crate::generate::IMPORTS;

/// What it takes for a program to be over: so many polls of so many instructions.
const POLLS: usize = 5;
const BUDGET: u64 = 500;

/// Loads a generated program and calls each of its functions; a program that goes on for too long is left alone.
/// Panics if the verifier refuses it.
pub(crate) fn run(asm: &Asm) {
    let module = BytecodeModule::load(asm.file().into());
    let module = Arc::new(module.unwrap_or_else(|error| panic!("{error}\n{asm:#?}")));
    assert!(!vm::disasm::module(&module).to_string().is_empty());
    let mut context = Context::new(Limits {
        frames: 20,
        memory_bytes: 1 << 18,
    });
    context.register(Box::new(Host::default()));
    let id = context
        .link(Arc::clone(&module))
        .expect("the host has its imports");
    for (name, signature) in module.exports() {
        let args = signature.args().iter().map(|item| match item {
            Item::One(kind) => argument(*kind),
            Item::Group(_) => unreachable!("only imports have groups"),
        });
        call(&mut context, id, name, args.collect());
    }
    context.unlink(id).expect("nobody else uses it");
}

fn argument(kind: Kind) -> Value {
    match kind {
        Kind::I32 => Value::I32(3),
        Kind::I64 => Value::I64(5),
        Kind::F32 => Value::F32(1.5),
        Kind::F64 => Value::F64(-2.5),
        Kind::Ref => Value::Ref(None),
    }
}

fn call(context: &mut Context, id: ModuleId, name: &str, args: Vec<Value>) {
    let function = context.lookup(id, name).expect("it is exported");
    let kinds = context.signature(function).results().to_vec();
    let mut invocation = Invocation::new(context, function, args).expect("the arguments fit");
    for _ in 0..POLLS {
        match invocation.poll(context, Some(BUDGET)) {
            Ok(Poll::Done(values)) => {
                let found: Vec<_> = values.iter().map(Value::kind).collect();
                assert_eq!(found, kinds);
                return;
            }
            Ok(_) => {}
            Err(trap) => {
                assert!(!trap.frames().is_empty());
                assert_ne!(trap.error().code().0, 0);
                return;
            }
        }
    }
}

#[derive(Default)]
struct Host {
    kept: Option<Ref>,
    waits: bool,
}

impl NativeModule for Host {
    fn name(&self) -> &'static str {
        "host"
    }

    fn version(&self) -> u32 {
        1
    }

    fn types(&self) -> &'static [&'static RefType] {
        &[]
    }

    fn exports(&self) -> &[NativeExport] {
        const EXPORTS: &[NativeExport] = &[
            NativeExport {
                name: "sum",
                signature: IMPORTS[0].1,
            },
            NativeExport {
                name: "keep",
                signature: IMPORTS[1].1,
            },
            NativeExport {
                name: "wait",
                signature: IMPORTS[2].1,
            },
            NativeExport {
                name: "fail",
                signature: IMPORTS[3].1,
            },
        ];
        EXPORTS
    }

    fn call(&mut self, export: usize, call: &mut Call<'_>) -> Result<Flow> {
        match export {
            0 => {
                let mut sum = i64::from(call.i32()?);
                for _ in 0..call.group()? {
                    sum = sum.wrapping_add(i64::from(call.i32()?).wrapping_mul(call.i64()?));
                }
                call.ret(Value::I64(sum));
            }
            1 => {
                let given = call.reference()?.cloned();
                call.ret(Value::Ref(std::mem::replace(&mut self.kept, given)));
            }
            2 => {
                let on = call.reference()?.cloned();
                self.waits = !self.waits;
                match on {
                    Some(on) if self.waits => {
                        return Ok(Flow::Wait { on, deadline: None });
                    }
                    _ => call.ret(Value::I32(1)),
                }
            }
            _ => return Err(Error::new(Code::ABORTED, "as it was asked to")),
        }
        Ok(Flow::Return)
    }
}
