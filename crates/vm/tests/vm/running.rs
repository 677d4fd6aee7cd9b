//! Control flow: branches, calls, yielding, failing, waiting, limits.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use vm::op::Op;
use vm::{
    Buffer, Call, Code, Context, Flow, Invocation, Limits, NativeExport, NativeModule, Poll,
    RefType, Result, Value, types,
};

use crate::asm::{A, Asm, Fun, i, import, list, m, r, remap, text, to};
use crate::stand_in::StandIn;
use crate::support::{call, failure, limits, linked, load, run, show};

const VERSIONS: [u16; 2] = [15, 17];

/// Counts to its argument in steps of one, and gives the sum of what it counted.
fn counting() -> Fun {
    Fun::new("0i_iI")
        .block()
        .i32(1, 1)
        .op(Op::Br, &[to(1), remap(&[])])
        .block()
        .op(Op::ExtI32I64S, &[i(2), i(6)])
        .op(Op::AddI64, &[i(4), i(6), i(4)])
        .op(Op::AddI32, &[i(2), i(1), i(2)])
        .op(Op::CmpLtI32S, &[i(2), i(0), i(3)])
        .op(
            Op::CondBr,
            &[
                i(3),
                to(1),
                remap(&[]),
                to(2),
                remap(&[(i(4), i(8)), (i(5), i(9))]),
            ],
        )
        .block()
        .ret(&[i(2), i(8)])
}

#[test]
fn loops_run_and_budgets_interrupt_them() {
    for version in VERSIONS {
        let asm = Asm::main(version, counting());
        assert_eq!(
            show(&run(&asm, vec![Value::I32(1000)]).unwrap()),
            "1000 499500L"
        );
        let (mut context, id) = linked(&asm);
        let main = context.lookup(id, "main").unwrap();
        let mut invocation = Invocation::new(&context, main, vec![Value::I32(1000)]).unwrap();
        let mut polls = 0;
        let values = loop {
            polls += 1;
            match invocation.poll(&mut context, Some(50)).unwrap() {
                Poll::Done(values) => break values,
                Poll::Yielded => {}
                Poll::Waiting { .. } => unreachable!(),
            }
        };
        assert_eq!(show(&values), "1000 499500L");
        assert!((90..=110).contains(&polls), "{polls}");
        let trap = invocation.poll(&mut context, None).unwrap_err();
        assert_eq!(trap.error().code(), Code::FAILED_PRECONDITION);
    }
}

#[test]
fn an_endless_loop_ends_with_its_budget() {
    let f = Fun::new("0v_v").block().op(Op::Br, &[to(0), remap(&[])]);
    let (mut context, id) = linked(&Asm::main(17, f));
    let main = context.lookup(id, "main").unwrap();
    let mut invocation = Invocation::new(&context, main, Vec::new()).unwrap();
    let poll = invocation.poll(&mut context, Some(10_000)).unwrap();
    assert!(matches!(poll, Poll::Yielded));
}

#[test]
fn copies_of_a_branch_are_made_one_after_the_other() {
    for version in VERSIONS {
        let f = Fun::new("0iir_iir")
            .block()
            .op(
                Op::Br,
                &[
                    to(1),
                    remap(&[(i(0), i(1)), (i(1), i(2)), (m(0), r(1)), (r(0), r(2))]),
                ],
            )
            .block()
            .op(Op::CmpNzRef, &[r(2), i(3)])
            .ret(&[i(2), i(3), m(1)]);
        let buffer = types::BUFFER.wrap(Buffer::zeroed(1).unwrap());
        let args = vec![Value::I32(7), Value::I32(8), buffer.into()];
        let values = run(&Asm::main(version, f), args).unwrap();
        assert_eq!(show(&values), "7 0 vm.buffer");
    }
}

#[test]
fn tables_of_branches_choose_and_have_a_default() {
    let f = Fun::new("0i_i")
        .block()
        .i32(1, 10)
        .i32(2, 20)
        .i32(3, 30)
        .op(
            Op::BrTable,
            &[
                i(0),
                to(1),
                remap(&[(i(3), i(4))]),
                A::Word(2),
                to(1),
                remap(&[(i(1), i(4))]),
                to(1),
                remap(&[(i(2), i(4))]),
            ],
        )
        .block()
        .ret(&[i(4)]);
    for version in VERSIONS {
        let asm = Asm::main(version, f.clone());
        for (index, expected) in [
            (0, "10"),
            (1, "20"),
            (2, "30"),
            (-1, "30"),
            (i32::MIN, "30"),
        ] {
            let values = run(&asm, vec![Value::I32(index)]).unwrap();
            assert_eq!(show(&values), expected, "{index}");
        }
    }
}

/// The signature says how wide arguments are and where they go.
#[test]
fn calls_place_wide_values_in_even_pairs() {
    for version in VERSIONS {
        // Old bytecode has the f32 of both functions in the gap that a pair left.
        let (f32_of_callee, f64_of_callee, f32_of_main) = match version {
            15 => (3, 6, 3),
            _ => (6, 8, 8),
        };
        let callee = Fun::new("0IiIfFr_rFfIiI").block().ret(&[
            m(0),
            i(f64_of_callee),
            i(f32_of_callee),
            i(4),
            i(2),
            i(0),
        ]);
        let main = Fun::new("0FiIrIf_IiIfFr")
            .block()
            .op(
                Op::Call,
                &[
                    A::Imm32(1),
                    list(&[i(4), i(2), i(6), i(f32_of_main), i(0), m(0)]),
                    list(&[r(3), i(14), i(1), i(12), i(9), i(10)]),
                ],
            )
            .op(Op::CmpNzRef, &[r(0), i(0)])
            .op(Op::CondBr, &[i(0), to(1), remap(&[]), to(2), remap(&[])])
            .block()
            .op(Op::Fail, &[i(0), text("the moved reference is still here")])
            .block()
            .ret(&[i(10), i(9), i(12), i(1), i(14), r(3)]);
        let asm = Asm::main(version, main).function(callee);
        let buffer = types::BUFFER.wrap(Buffer::zeroed(1).unwrap());
        let args = vec![
            Value::F64(0.25),
            Value::I32(-3),
            Value::I64(20_000_000_000),
            buffer.into(),
            Value::I64(-1),
            Value::F32(1.5),
        ];
        let values = run(&asm, args).unwrap();
        assert_eq!(show(&values), "20000000000L -3 -1L 1.5f 0.25 vm.buffer");
    }
}

#[test]
fn recursion_has_a_limit_and_the_context_stays_usable() {
    let f = Fun::new("0i_i")
        .block()
        .op(Op::CondBr, &[i(0), to(1), remap(&[]), to(2), remap(&[])])
        .block()
        .i32(1, 1)
        .op(Op::SubI32, &[i(0), i(1), i(0)])
        .op(Op::Call, &[A::Imm32(0), list(&[i(0)]), list(&[i(2)])])
        .op(Op::AddI32, &[i(2), i(1), i(2)])
        .ret(&[i(2)])
        .block()
        .ret(&[i(0)]);
    let (mut context, id) = linked(&Asm::main(15, f));
    let used = context.memory_used();
    let deep = call(&mut context, id, "main", vec![Value::I32(1000)]).unwrap_err();
    assert_eq!(deep.error().code(), Code::RESOURCE_EXHAUSTED);
    assert_eq!(deep.frames().len(), 64);
    assert_eq!(context.memory_used(), used);
    let values = call(&mut context, id, "main", vec![Value::I32(99)]).unwrap();
    assert_eq!(show(&values), "99");
}

#[test]
fn stacks_count_as_memory() {
    let mut f = Fun::new("0v_v")
        .block()
        .op(Op::Call, &[A::Imm32(0), list(&[]), list(&[])])
        .ret(&[]);
    f.registers = (0x7fff, 0x3fff);
    let (mut context, id) = linked(&Asm::main(17, f));
    let trap = call(&mut context, id, "main", Vec::new()).unwrap_err();
    assert_eq!(trap.error().code(), Code::RESOURCE_EXHAUSTED);
    assert!(trap.frames().len() < 3);
}

#[test]
fn failures_carry_code_and_message_and_say_where() {
    for version in VERSIONS {
        let inner = Fun::new("0i_v")
            .block()
            .op(Op::Fail, &[i(0), text("went wrong")])
            .block()
            .ret(&[]);
        let main = Fun::new("0i_v")
            .block()
            .op(Op::Call, &[A::Imm32(1), list(&[i(0)]), list(&[])])
            .ret(&[]);
        let asm = Asm::main(version, main).function(inner);
        let trap = run(&asm, vec![Value::I32(9)]).unwrap_err();
        assert_eq!(
            trap.to_string(),
            "FAILED_PRECONDITION: went wrong (in module@1+00000001)"
        );
        assert_eq!(
            trap.stack().to_string(),
            "  at module@1+00000001\n  at module.main+00000001\n"
        );
        assert_eq!(trap.frames()[1].function.as_deref(), Some("main"));
        // Status 0 is no failure: the next block runs.
        assert_eq!(show(&run(&asm, vec![Value::I32(0)]).unwrap()), "");
    }
}

#[test]
fn a_failure_that_is_none_must_have_something_to_go_on_with() {
    let f = Fun::new("0v_v").block().op(Op::Fail, &[i(0), text("")]);
    assert_eq!(
        failure(&Asm::main(17, f), Vec::new()).code(),
        Code::INTERNAL
    );
}

#[test]
fn yielding_comes_back_to_the_owner() {
    for version in VERSIONS {
        let f = Fun::new("0i_i")
            .block()
            .op(Op::Yield, &[to(1), remap(&[(i(0), i(1))])])
            .block()
            .ret(&[i(1)]);
        let (mut context, id) = linked(&Asm::main(version, f));
        let main = context.lookup(id, "main").unwrap();
        let mut invocation = Invocation::new(&context, main, vec![Value::I32(5)]).unwrap();
        let poll = invocation.poll(&mut context, None).unwrap();
        assert!(matches!(poll, Poll::Yielded));
        match invocation.poll(&mut context, None).unwrap() {
            Poll::Done(values) => assert_eq!(show(&values), "5"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn debugging_instructions_branch_and_drop_what_is_moved() {
    for version in VERSIONS {
        let f = Fun::new("0irr_iir")
            .block()
            .op(Op::Trace, &[text("event"), list(&[i(0), m(0)])])
            .op(Op::Print, &[text("text"), list(&[r(1)])])
            .op(Op::Break, &[to(1), remap(&[(i(0), i(1))])])
            .block()
            .op(Op::CondBreak, &[i(2), to(2), remap(&[(i(1), i(2))])])
            .block()
            .op(Op::CmpNzRef, &[r(0), i(3)])
            .ret(&[i(2), i(3), r(1)]);
        let buffer = || types::BUFFER.wrap(Buffer::zeroed(1).unwrap()).into();
        let args = vec![Value::I32(4), buffer(), buffer()];
        let values = run(&Asm::main(version, f), args).unwrap();
        assert_eq!(show(&values), "4 0 vm.buffer");
    }
}

/// A native module whose functions are called from bytecode.
#[derive(Default)]
struct Host {
    calls: Arc<AtomicUsize>,
    seen: Arc<Mutex<Vec<String>>>,
    /// How often `wait` waits before it returns.
    waits: usize,
}

const HOST: &[NativeExport] = &[
    NativeExport {
        name: "sum",
        signature: "0iCiID_I",
    },
    NativeExport {
        name: "wait",
        signature: "0rI_i",
    },
    NativeExport {
        name: "mix",
        signature: "0iIfFr_rFfIi",
    },
    NativeExport {
        name: "lie",
        signature: "0v_i",
    },
    NativeExport {
        name: "fail",
        signature: "0r_v",
    },
];

impl NativeModule for Host {
    fn name(&self) -> &'static str {
        "host"
    }

    fn version(&self) -> u32 {
        3
    }

    fn types(&self) -> &'static [&'static RefType] {
        &[]
    }

    fn exports(&self) -> &[NativeExport] {
        HOST
    }

    fn call(&mut self, export: usize, call: &mut Call<'_>) -> Result<Flow> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        match HOST[export].name {
            "sum" => {
                let mut sum = i64::from(call.i32()?);
                for _ in 0..call.group()? {
                    sum += i64::from(call.i32()?) * call.i64()?;
                }
                call.ret(Value::I64(sum));
            }
            "wait" => {
                let reference = call.reference()?.cloned();
                let timeout = call.u64()?;
                let deadline = match call.deadline() {
                    Some(deadline) => deadline,
                    None => Some(Instant::now() + Duration::from_secs(timeout)),
                };
                let seen = format!("{:?} {}", reference.is_some(), call.deadline().is_some());
                self.seen.lock().unwrap().push(seen);
                if self.waits > 0 {
                    self.waits -= 1;
                    return Ok(Flow::Wait {
                        on: reference.unwrap(),
                        deadline,
                    });
                }
                call.ret(Value::I32(77));
            }
            "mix" => {
                let (a, b, c, d) = (call.i32()?, call.i64()?, call.f32()?, call.f64()?);
                let reference = call.reference()?.cloned();
                call.ret(Value::Ref(reference));
                call.ret(Value::F64(d));
                call.ret(Value::F32(c));
                call.ret(Value::I64(b));
                call.ret(Value::I32(a));
            }
            "lie" => call.ret(Value::I64(1)),
            _ => return Err(vm::Error::new(Code::UNAVAILABLE, "not today")),
        }
        Ok(Flow::Return)
    }
}

fn with_host(asm: &Asm, host: Host) -> (Context, vm::ModuleId) {
    let mut context = Context::new(limits());
    context.register(Box::new(host));
    let id = context.link(Arc::new(load(asm).unwrap())).unwrap();
    (context, id)
}

#[test]
fn native_functions_get_groups_and_all_kinds() {
    for version in VERSIONS {
        let sum = Fun::new("0iiI_I")
            .block()
            .op(
                Op::CallVariadic,
                &[
                    import(0),
                    A::List(vec![0xffff, 2]),
                    list(&[i(0), i(1), i(2), i(0), i(2)]),
                    list(&[i(4)]),
                ],
            )
            .ret(&[i(4)]);
        // Where the f32 and the f64 are: old bytecode fills the gap before the i64.
        let (narrow, wide) = match version {
            15 => (1, 4),
            _ => (4, 6),
        };
        let mix = Fun::new("0iIfFr_rFfIi")
            .block()
            .op(
                Op::Call,
                &[
                    import(1),
                    list(&[i(0), i(2), i(narrow), i(wide), m(0)]),
                    list(&[r(1), i(8), i(10), i(12), i(11)]),
                ],
            )
            .ret(&[r(1), i(8), i(10), i(12), i(11)]);
        let mut asm = Asm::main(version, sum).export("mix", mix);
        asm.imports = vec![("host.sum", "0iCiID_I", 1), ("host.mix", "0iIfFr_rFfIi", 1)];
        let (mut context, id) = with_host(&asm, Host::default());
        let args = vec![Value::I32(3), Value::I32(-5), Value::I64(1 << 40)];
        let values = call(&mut context, id, "main", args).unwrap();
        assert_eq!(show(&values), format!("{}L", 3 - 2 * (1_i64 << 40)));
        let buffer = types::BUFFER.wrap(Buffer::zeroed(1).unwrap());
        let args = vec![
            Value::I32(1),
            Value::I64(-2),
            Value::F32(0.5),
            Value::F64(-0.25),
            buffer.into(),
        ];
        let values = call(&mut context, id, "mix", args).unwrap();
        assert_eq!(show(&values), "vm.buffer -0.25 0.5f -2L 1");
    }
}

/// The reference was moved into the call, so only the call has it while it waits.
#[test]
fn waiting_calls_are_made_again_with_the_same_arguments() {
    let function = |version| {
        let f = Fun::new("0rI_ii").block();
        let f = match version {
            15 => f
                .op(Op::Call, &[import(0), list(&[m(0), i(0)]), list(&[i(2)])])
                .op(Op::Br, &[to(1), remap(&[])]),
            _ => f.op(
                Op::CallYieldable,
                &[import(0), list(&[m(0), i(0)]), to(1), list(&[i(2)])],
            ),
        };
        f.block().op(Op::CmpNzRef, &[r(0), i(3)]).ret(&[i(2), i(3)])
    };
    for version in VERSIONS {
        let mut asm = Asm::main(version, function(version));
        asm.imports = vec![("host.wait", "0rI_i", 1)];
        let host = Host {
            waits: 2,
            ..Host::default()
        };
        let (calls, seen) = (Arc::clone(&host.calls), Arc::clone(&host.seen));
        let (mut context, id) = with_host(&asm, host);
        let main = context.lookup(id, "main").unwrap();
        let buffer = types::BUFFER.wrap(Buffer::zeroed(1).unwrap());
        let args = vec![buffer.clone().into(), Value::I64(60)];
        let mut invocation = Invocation::new(&context, main, args).unwrap();
        let mut deadlines = Vec::new();
        let values = loop {
            match invocation.poll(&mut context, None).unwrap() {
                Poll::Done(values) => break values,
                Poll::Waiting { on, deadline } => {
                    assert!(on.ptr_eq(&buffer));
                    deadlines.push(deadline);
                }
                Poll::Yielded => unreachable!(),
            }
        };
        assert_eq!(show(&values), "77 0");
        assert_eq!(calls.load(Ordering::Relaxed), 3);
        assert_eq!(
            *seen.lock().unwrap(),
            ["true false", "true true", "true true"]
        );
        assert!(deadlines[0].is_some() && deadlines[0] == deadlines[1]);
    }
}

#[test]
fn dropping_an_invocation_drops_its_references() {
    let f = Fun::new("0rI_i")
        .block()
        .op(Op::Call, &[import(0), list(&[r(0), i(0)]), list(&[i(2)])])
        .ret(&[i(2)]);
    let mut asm = Asm::main(17, f);
    asm.imports = vec![("host.wait", "0rI_i", 1)];
    let host = Host {
        waits: 1,
        ..Host::default()
    };
    let (mut context, id) = with_host(&asm, host);
    let main = context.lookup(id, "main").unwrap();
    static MARK: vm::Type<Arc<()>> = vm::Type::new("test.mark");
    let mark = Arc::new(());
    let args = vec![MARK.wrap(Arc::clone(&mark)).into(), Value::I64(1)];
    let mut invocation = Invocation::new(&context, main, args).unwrap();
    let poll = invocation.poll(&mut context, None).unwrap();
    assert!(matches!(poll, Poll::Waiting { .. }));
    drop(poll);
    assert_eq!(Arc::strong_count(&mark), 2);
    drop(invocation);
    assert_eq!(Arc::strong_count(&mark), 1);
}

#[test]
fn failures_of_native_functions_are_traps_and_their_arguments_are_dropped() {
    for (name, cconv, code) in [
        ("host.fail", "0r_v", Code::UNAVAILABLE),
        ("host.lie", "0v_i", Code::INTERNAL),
    ] {
        let (args, results) = match name {
            "host.fail" => (list(&[m(0)]), list(&[])),
            _ => (list(&[]), list(&[i(0)])),
        };
        let f = Fun::new("0r_v")
            .block()
            .op(Op::Call, &[import(0), args, results])
            .ret(&[]);
        let mut asm = Asm::main(17, f);
        asm.imports = vec![(name, cconv, 1)];
        let (mut context, id) = with_host(&asm, Host::default());
        let buffer = types::BUFFER.wrap(Buffer::zeroed(1).unwrap());
        let trap = call(&mut context, id, "main", vec![buffer.into()]).unwrap_err();
        assert_eq!(trap.error().code(), code, "{trap}");
        assert_eq!(trap.frames()[0].pc, 1);
        assert_eq!(context.memory_used(), 0);
    }
}

#[test]
fn arguments_are_checked_before_anything_runs() {
    let f = Fun::new("0if_v").block().ret(&[]);
    let (context, id) = linked(&Asm::main(17, f));
    let main = context.lookup(id, "main").unwrap();
    assert_eq!(context.signature(main).text(), "0if_v");
    let error = Invocation::new(&context, main, vec![Value::I32(1)]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "INVALID_ARGUMENT: 1 arguments for a function of 2 (0if_v)"
    );
    let args = vec![Value::I32(1), Value::I64(1)];
    let error = Invocation::new(&context, main, args).unwrap_err();
    assert_eq!(
        error.to_string(),
        "INVALID_ARGUMENT: argument 1: i64 where f32 is needed"
    );
}

#[test]
fn an_invocation_stays_with_its_context() {
    let asm = Asm::main(17, Fun::new("0v_v").block().ret(&[]));
    let (context, id) = linked(&asm);
    let (mut other, _) = linked(&asm);
    let main = context.lookup(id, "main").unwrap();
    let mut invocation = Invocation::new(&context, main, Vec::new()).unwrap();
    let trap = invocation.poll(&mut other, None).unwrap_err();
    assert_eq!(
        trap.to_string(),
        "FAILED_PRECONDITION: the invocation belongs to another context"
    );
}

#[test]
fn several_invocations_are_under_way_at_once() {
    let (mut context, id) = linked(&Asm::main(17, counting()));
    let main = context.lookup(id, "main").unwrap();
    let mut invocations: Vec<_> = (1..=4)
        .map(|n| Invocation::new(&context, main, vec![Value::I32(n * 100)]).unwrap())
        .collect();
    let mut done = Vec::new();
    while done.len() < 4 {
        invocations.retain_mut(|invocation| {
            match invocation.poll(&mut context, Some(20)).unwrap() {
                Poll::Done(values) => {
                    done.push(show(&values));
                    false
                }
                _ => true,
            }
        });
    }
    assert_eq!(
        done,
        ["100 4950L", "200 19900L", "300 44850L", "400 79800L"]
    );
}

/// Whoever owns them may move them to another thread.
#[test]
fn contexts_and_invocations_can_be_sent() {
    fn sent<T: Send>() {}
    fn shared<T: Send + Sync>() {}
    sent::<Context>();
    sent::<Invocation>();
    shared::<vm::BytecodeModule>();
    shared::<vm::Trap>();
}

#[test]
fn limits_have_sane_defaults() {
    let Limits {
        frames,
        memory_bytes,
    } = Limits::default();
    assert!(frames >= 256 && memory_bytes >= 1 << 30);
}

#[test]
fn each_instruction_can_be_watched() {
    let (mut context, id) = linked(&Asm::main(17, counting()));
    let lines = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&lines);
    context.set_trace(Some(Box::new(move |line| {
        log.lock().unwrap().push(line.to_owned());
    })));
    call(&mut context, id, "main", vec![Value::I32(2)]).unwrap();
    context.set_trace(None);
    call(&mut context, id, "main", vec![Value::I32(2)]).unwrap();
    let lines = lines.lock().unwrap();
    assert_eq!(lines.len(), 2 + 2 * 5 + 1);
    assert!(
        lines[0].starts_with("[module.main+00000001]    "),
        "{}",
        lines[0]
    );
    assert!(lines[2].contains("vm.ext.i32.i64.s"), "{}", lines[2]);
}

#[test]
fn failures_name_their_place_in_the_source() {
    let file = fixtures::read("old_gfx1100/add.vmfb");
    let module = Arc::new(vm::BytecodeModule::load(file.into()).unwrap());
    let mut context = Context::new(limits());
    for mut stand_in in StandIn::of(&module) {
        stand_in.fails = true;
        context.register(Box::new(stand_in));
    }
    let id = context.link(module).unwrap();
    let trap = call(&mut context, id, "add", vec![Value::Ref(None); 2]).unwrap_err();
    let frame = &trap.frames()[0];
    assert_eq!(frame.function.as_deref(), Some("add"));
    let location = frame.location.as_deref().unwrap();
    assert!(location.contains("add.mlir:"), "{location}");
    assert!(
        trap.to_string().ends_with(&format!(", {location})")),
        "{trap}"
    );
}
