//! Running ahead of waits: nothing gets out before they are over.

use std::sync::{Arc, Mutex};

use vm::op::Op;
use vm::{
    Buffer, Call, Charge, Code, Context, Error, Flow, Invocation, ModuleId, NativeExport,
    NativeModule, Poll, Ref, RefType, Result, Trap, Value, types,
};

use crate::asm::{A, Asm, Fun, i, import, list, m, r, remap, to};
use crate::support::{call, limits, load, show};

/// What the waits come to, and what was done so far.
#[derive(Default)]
struct State {
    is_over: bool,
    failure: Option<Error>,
    done: Vec<&'static str>,
    /// How much of that was done when it was last to catch up.
    caught_up: usize,
    taken: Vec<Charge>,
}

#[derive(Clone, Default)]
struct Host(Arc<Mutex<State>>);

const HOST: &[NativeExport] = &[
    NativeExport {
        name: "await",
        signature: "0r_i",
    },
    NativeExport {
        name: "submit",
        signature: "0v_v",
    },
    NativeExport {
        name: "show",
        signature: "0v_v",
    },
    NativeExport {
        name: "fail",
        signature: "0v_v",
    },
    NativeExport {
        name: "take",
        signature: "0I_v",
    },
];

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
        HOST
    }

    fn call(&mut self, export: usize, call: &mut Call<'_>) -> Result<Flow> {
        let mut state = self.0.lock().unwrap();
        match HOST[export].name {
            "await" => {
                let on = call.reference()?.cloned().unwrap();
                if !state.is_over && !call.may_run_ahead() {
                    let deadline = None;
                    return Ok(Flow::Wait { on, deadline });
                }
                call.ret(Value::I32(0));
                return Ok(match state.is_over {
                    true => Flow::Return,
                    false => Flow::Ahead { on },
                });
            }
            "submit" => state.done.push(match call.owed() {
                Some(_) => "submit behind a wait",
                None => "submit",
            }),
            "show" => state.done.push("show"),
            "take" => {
                assert_eq!(call.caller(), Some("module"));
                let bytes = call.u64()?;
                state.taken.push(call.charge(bytes)?);
            }
            _ => return Err(Error::new(Code::UNAVAILABLE, "not today")),
        }
        Ok(Flow::Return)
    }

    fn runs_ahead(&self, export: usize) -> bool {
        HOST[export].name != "show"
    }

    fn catch_up(&mut self) {
        let mut state = self.0.lock().unwrap();
        state.caught_up = state.done.len();
    }

    fn is_settled(&mut self, _: &Ref, _: bool) -> Result<bool> {
        let state = self.0.lock().unwrap();
        state.failure.clone().map_or(Ok(state.is_over), Err)
    }
}

const IMPORTS: [(&str, &str, u32); 4] = [
    ("host.await", "0r_i", 0),
    ("host.submit", "0v_v", 0),
    ("host.show", "0v_v", 0),
    ("host.fail", "0v_v", 0),
];

/// `main` takes a reference to wait for, and waits first; `get` reads the global.
fn program(rest: impl FnOnce(Fun) -> Fun) -> Asm {
    let main = Fun::new("0r_i").block();
    let main = main.op(Op::Call, &[import(0), list(&[r(0)]), list(&[i(0)])]);
    let get = Fun::new("0v_i")
        .block()
        .op(Op::GlobalLoadI32, &[A::Imm32(0), i(0)]);
    let mut asm = Asm::main(17, rest(main)).export("get", get.ret(&[i(0)]));
    asm.imports = IMPORTS.to_vec();
    asm.globals = (4, 0);
    asm.types = vec!["i32"];
    asm
}

fn native(f: Fun, number: u32) -> Fun {
    f.op(Op::Call, &[import(number), list(&[]), list(&[])])
}

struct Run {
    host: Host,
    context: Context,
    id: ModuleId,
    invocation: Invocation,
    buffer: Ref,
}

impl Run {
    fn new(asm: &Asm) -> Self {
        let host = Host::default();
        let mut context = Context::new(limits());
        context.register(Box::new(host.clone()));
        let id = context.link(Arc::new(load(asm).unwrap())).unwrap();
        let buffer = types::BUFFER.wrap(Buffer::zeroed(4).unwrap());
        let main = context.lookup(id, "main").unwrap();
        let args = vec![Value::Ref(Some(buffer.clone()))];
        let invocation = Invocation::new(&context, main, args).unwrap();
        Self {
            host,
            context,
            id,
            invocation,
            buffer,
        }
    }

    fn poll(&mut self) -> Result<Poll, Trap> {
        self.invocation.poll(&mut self.context, None)
    }

    fn must_wait(&mut self) {
        let poll = self.poll().unwrap();
        assert!(matches!(poll, Poll::Waiting { .. }), "{poll:?}");
    }

    fn finish(&mut self) -> String {
        self.host.0.lock().unwrap().is_over = true;
        match self.poll().unwrap() {
            Poll::Done(values) => show(&values),
            other => panic!("{other:?}"),
        }
    }

    fn fail(&mut self) -> Trap {
        self.host.0.lock().unwrap().failure = Some(Error::new(Code::DATA_LOSS, "it broke"));
        self.poll().unwrap_err()
    }

    fn done(&self) -> Vec<&'static str> {
        self.host.0.lock().unwrap().done.clone()
    }

    /// What another invocation sees of the global, and the host of the buffer.
    fn seen(&mut self) -> (String, u8) {
        let get = self.context.lookup(self.id, "get").unwrap();
        let mut other = Invocation::new(&self.context, get, vec![]).unwrap();
        let Poll::Done(values) = other.poll(&mut self.context, None).unwrap() else {
            panic!("it only reads");
        };
        let buffer = types::BUFFER.of(&self.buffer).unwrap();
        (show(&values), buffer.read(|bytes| bytes[0]))
    }
}

#[test]
fn work_is_submitted_behind_a_wait_and_results_come_after_it() {
    let mut run = Run::new(&program(|f| native(native(f, 1), 1).i32(1, 5).ret(&[i(1)])));
    run.must_wait();
    assert_eq!(run.done(), ["submit behind a wait"; 2]);
    run.must_wait();
    assert_eq!(run.finish(), "5");
    assert_eq!(run.done().len(), 2, "nothing is done twice");
}

#[test]
fn modules_catch_up_before_the_invocation_stands_still() {
    let caught_up = |run: &Run| run.host.0.lock().unwrap().caught_up;
    let mut run = Run::new(&program(|f| native(native(f, 1), 1).i32(1, 5).ret(&[i(1)])));
    run.must_wait();
    assert_eq!(caught_up(&run), 2, "it waits for what it owes");
    let yields = |f| native(f, 1).op(Op::Yield, &[to(1), remap(&[])]).block();
    let mut run = Run::new(&program(|f| native(yields(f), 1).i32(1, 5).ret(&[i(1)])));
    assert!(matches!(run.poll().unwrap(), Poll::Yielded));
    assert_eq!(caught_up(&run), 1, "it gives way");
    run.must_wait();
    assert_eq!(caught_up(&run), 2);
    assert_eq!(run.finish(), "5");
}

#[test]
fn nothing_that_others_could_see_happens_before_the_wait_is_over() {
    type Rest = fn(Fun) -> Fun;
    let rests: [(&str, Rest); 4] = [
        ("a global", |f| {
            f.i32(1, 9).op(Op::GlobalStoreI32, &[A::Imm32(0), i(1)])
        }),
        ("a buffer", |f| {
            let f = f.i32(1, 9).i64(2, 0);
            f.op(Op::BufferStoreI8, &[r(0), i(2), i(1)])
        }),
        ("a list", |f| {
            let f = f.i32(1, 1).op(Op::ListAlloc, &[A::Imm32(0), i(1), r(1)]);
            f.op(Op::ListResize, &[r(1), i(1)])
        }),
        ("a function", |f| native(f, 2)),
    ];
    for (what, rest) in rests {
        let mut run = Run::new(&program(|f| rest(native(f, 1)).i32(1, 5).ret(&[i(1)])));
        run.must_wait();
        assert_eq!(run.done(), ["submit behind a wait"], "{what}");
        assert_eq!(run.seen(), ("0".to_owned(), 0), "{what}");
        assert_eq!(run.finish(), "5", "{what}");
        let mut broken = Run::new(&program(|f| rest(native(f, 1)).i32(1, 5).ret(&[i(1)])));
        broken.must_wait();
        assert_eq!(broken.fail().error().code(), Code::DATA_LOSS, "{what}");
        assert_eq!(broken.done(), ["submit behind a wait"], "{what}");
        assert_eq!(broken.seen(), ("0".to_owned(), 0), "{what}");
    }
}

#[test]
fn a_wait_that_failed_is_the_failure_where_it_stands() {
    let mut run = Run::new(&program(|f| native(f, 1).i32(1, 5).ret(&[i(1)])));
    run.must_wait();
    let trap = run.fail();
    assert_eq!(trap.error().message(), "it broke");
    // The first instruction behind the block's own.
    assert_eq!(trap.frames().len(), 1);
    assert_eq!(trap.frames()[0].pc, 1);
}

#[test]
fn of_two_failures_the_first_counts() {
    let failing = || Run::new(&program(|f| native(f, 3).i32(1, 5).ret(&[i(1)])));
    let mut run = failing();
    run.must_wait();
    assert_eq!(run.fail().error().code(), Code::DATA_LOSS);
    let mut run = failing();
    run.must_wait();
    run.host.0.lock().unwrap().is_over = true;
    let trap = run.poll().unwrap_err();
    assert_eq!(trap.error().code(), Code::UNAVAILABLE);
    assert!(trap.frames()[0].pc > 1);
}

/// Each wait that is owed takes memory, so they are not without end.
#[test]
fn nobody_runs_ahead_without_end() {
    let mut run = Run::new(&program(|f| {
        let f = f.i32(1, 1).i32(2, 0).op(Op::Br, &[to(1), remap(&[])]);
        let f = f.block();
        let f = f.op(Op::Call, &[import(0), list(&[r(0)]), list(&[i(0)])]);
        let f = native(f, 1)
            .op(Op::AddI32, &[i(2), i(1), i(2)])
            .i32(3, 1000);
        let f = f.op(Op::CmpLtI32S, &[i(2), i(3), i(4)]);
        let branch = [i(4), to(1), remap(&[]), to(2), remap(&[])];
        f.op(Op::CondBr, &branch).block().ret(&[i(2)])
    }));
    run.must_wait();
    let submitted = run.done().len();
    assert!((100..500).contains(&submitted), "{submitted}");
    assert_eq!(run.finish(), "1000");
}

#[test]
fn who_traces_sees_each_wait_where_it_stands() {
    let mut run = Run::new(&program(|f| native(f, 1).i32(1, 5).ret(&[i(1)])));
    run.context.set_trace(Some(Box::new(|_| {})));
    run.must_wait();
    assert!(run.done().is_empty());
    assert_eq!(run.finish(), "5");
    assert_eq!(run.done(), ["submit"]);
}

#[test]
fn moved_references_are_moved_once() {
    let mut run = Run::new(&program(|f| {
        let f = f.op(Op::AssignRef, &[m(0), r(1)]);
        f.op(Op::CmpNzRef, &[r(1), i(1)]).ret(&[i(1)])
    }));
    run.must_wait();
    assert_eq!(run.finish(), "1");
}

/// The limit of these programs is 1 MiB.
#[test]
fn what_functions_take_for_a_program_counts_against_it() {
    let take = Fun::new("0I_v")
        .block()
        .op(Op::Call, &[import(0), list(&[i(0)]), list(&[])])
        .ret(&[]);
    let mut asm = Asm::main(17, take);
    asm.imports = vec![("host.take", "0I_v", 0)];
    let host = Host::default();
    let mut context = Context::new(limits());
    context.register(Box::new(host.clone()));
    let id = context.link(Arc::new(load(&asm).unwrap())).unwrap();
    let mut take = |bytes| call(&mut context, id, "main", vec![Value::I64(bytes)]);
    take(1 << 19).unwrap();
    let trap = take(1 << 19).unwrap_err();
    assert_eq!(trap.error().code(), Code::RESOURCE_EXHAUSTED);
    host.0.lock().unwrap().taken.clear();
    take(1 << 19).unwrap();
}
