//! Whole modules of both compiler generations, through the library as programs use it.
#![expect(unsafe_code, reason = "loading the modules of this repository")]

use std::time::{Duration, Instant};

use bytes::Bytes;
use fixtures::{Case, Role};
use hal::{CommandBufferMode, Device, DeviceParams, ElementType, Observers, StatusCode};
use hipstream::array::Array;
use hipstream::device::{self, Options};
use hipstream::{Argument, Output, Progress, Session};
use profile::{Activity, Kind, Profiler, Work};

const GENERATIONS: [&str; 2] = ["gfx1100", "old_gfx1100"];

fn software(mode: CommandBufferMode) -> Device {
    let options = Options {
        params: DeviceParams {
            command_buffer_mode: mode,
            ..DeviceParams::default()
        },
        ..Options::default()
    };
    device::open("software", &options).unwrap().device
}

fn load_into(session: &mut Session, file: &str) -> hipstream::Result<()> {
    let bytes = Bytes::from(fixtures::read(file));
    // SAFETY: the fixtures are our own programs.
    unsafe { session.load(bytes) }
}

fn session_with(file: &str) -> Session {
    let device = software(CommandBufferMode::Stream);
    let mut session = Session::builder().device(&device).build().unwrap();
    load_into(&mut session, file).unwrap_or_else(|error| panic!("{file}: {error:?}"));
    session
}

fn i32_of(output: &Output) -> i32 {
    match output {
        Output::I32(value) => *value,
        other => panic!("{other:?}"),
    }
}

/// Calls a case's function as compiled for `target`, twice in one session.
fn run_case(case: &Case, target: &str, mode: CommandBufferMode) {
    let run = case.run(target);
    let Some(module) = &run.module else { return };
    let what = format!("{} for {target}, {mode}", case.name);
    let device = software(mode);
    let mut session = Session::builder().device(&device).build().unwrap();
    load_into(&mut session, module.to_str().unwrap()).unwrap_or_else(|e| panic!("{what}: {e:?}"));
    let inputs: Vec<Array> = case
        .buffers
        .iter()
        .filter(|buffer| buffer.role == Role::Input)
        .map(|buffer| {
            let element_type: ElementType = buffer.dtype.parse().unwrap();
            Array::new(element_type, buffer.shape.clone(), buffer.bytes()).unwrap()
        })
        .collect();
    let arguments: Vec<Argument<'_>> = inputs.iter().map(Argument::from).collect();
    let name = case.function.as_deref().expect("modules have functions");
    for _ in 0..2 {
        let outputs = session
            .call(name, &arguments)
            .unwrap_or_else(|error| panic!("{what}: {error:?}"));
        let expected: Vec<_> = case
            .buffers
            .iter()
            .filter(|buffer| buffer.role == Role::Output)
            .collect();
        assert_eq!(outputs.len(), expected.len(), "{what}");
        for (output, expected) in outputs.iter().zip(expected) {
            let array = output.tensor().expect("an array").to_array().unwrap();
            assert_eq!(array.shape(), expected.shape, "{what}");
            expected
                .check(array.bytes())
                .unwrap_or_else(|error| panic!("{what}: {error}"));
        }
    }
}

#[test]
fn modules_of_both_generations_give_the_expected_results_in_both_modes() {
    let mut count = 0;
    for case in fixtures::cases() {
        let runs = case.runs.iter().filter(|run| run.is_for_amd());
        for run in runs.filter(|run| run.module.is_some()) {
            // Half a gigaflop is for the benchmarks.
            if case.name == "matmul_512" {
                continue;
            }
            for mode in [CommandBufferMode::Stream, CommandBufferMode::Graph] {
                run_case(case, &run.target, mode);
                count += 1;
            }
        }
    }
    assert!(count >= 30, "only {count} runs");
}

#[test]
fn state_carries_over_from_call_to_call() {
    for generation in GENERATIONS {
        let mut session = session_with(&format!("{generation}/ledger.vmfb"));
        for (amount, balance) in [(5, 15), (0, 15), (7, 22)] {
            let outputs = session.call("deposit", &[amount.into()]).unwrap();
            assert_eq!(i32_of(&outputs[0]), balance, "{generation}");
        }
        let x = [1f32, 2.0, 3.0, 4.0];
        session.call("record", &[x.as_slice().into()]).unwrap();
        let outputs = session.call("record", &[x.as_slice().into()]).unwrap();
        let sums: Vec<f32> = outputs[0].to_vec().unwrap();
        assert_eq!(sums, [2.5, 5.5, 8.5, 11.5], "{generation}");
    }
}

#[test]
fn sessions_share_a_device_but_no_state() {
    let device = software(CommandBufferMode::Stream);
    let mut sessions: Vec<_> = (0..2)
        .map(|_| {
            let mut session = Session::builder().device(&device).build().unwrap();
            load_into(&mut session, "gfx1100/ledger.vmfb").unwrap();
            session
        })
        .collect();
    for _ in 0..2 {
        sessions[0].call("deposit", &[1.into()]).unwrap();
    }
    let outputs = sessions[1].call("deposit", &[1.into()]).unwrap();
    assert_eq!(i32_of(&outputs[0]), 11);
}

#[test]
fn a_failing_call_tells_why_and_leaves_the_session_usable() {
    for generation in GENERATIONS {
        let mut session = session_with(&format!("{generation}/ledger.vmfb"));
        let error = session.call("deposit", &[(-1).into()]).unwrap_err();
        assert_eq!(error.code(), StatusCode::FailedPrecondition, "{error:?}");
        assert!(
            error.to_string().contains("a deposit must not be negative"),
            "{error}"
        );
        assert!(
            error.stack().iter().any(|frame| frame.contains("deposit")),
            "{error:?}"
        );
        let outputs = session.call("deposit", &[1.into()]).unwrap();
        assert_eq!(i32_of(&outputs[0]), 11, "{generation}");
    }
}

#[test]
fn a_fault_in_a_kernel_names_it_and_leaves_the_session_usable() {
    for generation in GENERATIONS {
        let mut session = session_with(&format!("{generation}/mishaps.vmfb"));
        let table: Vec<f32> = (0..16u8).map(f32::from).collect();
        let take = |session: &mut Session, indices: [i32; 4]| {
            session.call(
                "take",
                &[table.as_slice().into(), indices.as_slice().into()],
            )
        };
        let error = take(&mut session, [0, 1, 1 << 28, 3]).unwrap_err();
        let text = format!("{error:?}");
        assert!(text.contains("take_dispatch_0"), "{text}");
        assert!(text.contains("lane"), "{text}");
        let outputs = take(&mut session, [3, 0, 15, 1]).unwrap();
        assert_eq!(
            outputs[0].to_vec::<f32>().unwrap(),
            [3.0, 0.0, 15.0, 1.0],
            "{generation}"
        );
    }
}

#[test]
fn memory_that_is_not_there_is_an_error_and_leaves_the_session_usable() {
    for generation in GENERATIONS {
        let mut session = session_with(&format!("{generation}/mishaps.vmfb"));
        let error = session.call("ones", &[(1i64 << 50).into()]).unwrap_err();
        assert_eq!(error.code(), StatusCode::ResourceExhausted, "{error:?}");
        let outputs = session.call("ones", &[3i64.into()]).unwrap();
        assert_eq!(
            outputs[0].to_vec::<f32>().unwrap(),
            [1.0; 3],
            "{generation}"
        );
        let outputs = session.call("ones", &[0i64.into()]).unwrap();
        assert!(outputs[0].to_vec::<f32>().unwrap().is_empty());
    }
}

#[test]
fn wrong_arguments_are_named() {
    let mut session = session_with("gfx1100/ledger.vmfb");
    let x = [1f32; 4];
    let cases: [(&str, Vec<Argument<'_>>, &str); 6] = [
        ("deposit", vec![], "takes 1 arguments, 0 were given"),
        (
            "deposit",
            vec![1.5f32.into()],
            "f32=1.5 was given, the function takes one i32",
        ),
        (
            "record",
            vec![7.into()],
            "i32=7 was given, the function takes an array",
        ),
        ("record", vec![x[..3].into()], "expected 4 but have 3"),
        (
            "record",
            vec![[1i32; 4].as_slice().into()],
            "element type mismatch",
        ),
        (
            "withdraw",
            vec![],
            "there is no function `withdraw`; there are `deposit`, `record`",
        ),
    ];
    for (name, arguments, part) in cases {
        let error = session.call(name, &arguments).unwrap_err();
        let text = format!("{error:?}");
        assert!(text.contains(part), "{name}: {text}");
        let wanted = match name {
            "withdraw" => StatusCode::NotFound,
            _ => StatusCode::InvalidArgument,
        };
        assert_eq!(error.code(), wanted, "{text}");
    }
    assert!(Argument::array(&x, &[2, 3]).is_err());
    session
        .call("record", &[Argument::array(&x, &[4]).unwrap()])
        .unwrap();
}

#[test]
fn scalars_of_every_width_travel_both_ways() {
    for generation in GENERATIONS {
        let mut session = session_with(&format!("{generation}/scalars.vmfb"));
        let arguments = [(-3).into(), 20_000_000_000i64.into(), 5f32.into(), 4.into()];
        let outputs = session.call("mix", &arguments).unwrap();
        let [
            Output::I64(sum),
            Output::F32(product),
            Output::I32(difference),
        ] = outputs[..]
        else {
            panic!("{outputs:?}");
        };
        assert_eq!((sum, product, difference), (19_999_999_997, 2.5, -7));
    }
}

#[test]
fn asynchronous_functions_are_waited_for() {
    for generation in GENERATIONS {
        let mut session = session_with(&format!("{generation}/ledger_async.vmfb"));
        assert!(session.function("record").unwrap().is_async());
        let x = [1f32, 2.0, 3.0, 4.0];
        for times in 1..4u8 {
            let outputs = session.call("record", &[x.as_slice().into()]).unwrap();
            let n = f32::from(times);
            let wanted = [0.5 + n, 1.5 + 2.0 * n, 2.5 + 3.0 * n, 3.5 + 4.0 * n];
            assert_eq!(outputs[0].to_vec::<f32>().unwrap(), wanted, "{generation}");
        }
        let outputs = session.call("deposit", &[5.into()]).unwrap();
        assert_eq!(i32_of(&outputs[0]), 15);
    }
}

#[test]
fn calls_under_way_do_not_block_each_other() {
    for generation in GENERATIONS {
        let mut session = session_with(&format!("{generation}/ledger_async.vmfb"));
        let x = [1f32; 4];
        let mut tasks: Vec<_> = (0..3)
            .map(|_| session.start("record", &[x.as_slice().into()]).unwrap())
            .collect();
        let give_up = Instant::now() + Duration::from_secs(60);
        let mut first = Vec::new();
        while !tasks.is_empty() {
            assert!(Instant::now() < give_up, "{generation}: nobody gets on");
            tasks.retain_mut(|task| match session.poll(task).unwrap() {
                Progress::Done(outputs) => {
                    first.push(outputs[0].to_vec::<f32>().unwrap()[0]);
                    false
                }
                Progress::Waiting { .. } => true,
            });
        }
        first.sort_by(f32::total_cmp);
        match generation {
            // It does not stop between loading and storing what it adds to:
            // each call sees the sum of another time.
            "gfx1100" => assert_eq!(first, [1.5, 2.5, 3.5]),
            // It waits for memory in between, and the others go on meanwhile.
            _ => assert!(first.iter().all(|sum| [1.5, 2.5, 3.5].contains(sum))),
        }
    }
}

#[test]
fn a_call_that_is_dropped_midway_does_no_harm() {
    let mut session = session_with("gfx1100/ledger_async.vmfb");
    let x = [1f32; 4];
    let mut task = session.start("record", &[x.as_slice().into()]).unwrap();
    let _wherever_it_got = session.poll(&mut task).unwrap();
    drop(task);
    session.call("record", &[x.as_slice().into()]).unwrap();
}

#[test]
fn results_of_one_call_are_arguments_of_the_next() {
    let mut session = session_with("gfx1100/ledger.vmfb");
    let x = [1f32; 4];
    let outputs = session.call("record", &[x.as_slice().into()]).unwrap();
    let once = outputs[0].tensor().unwrap();
    assert_eq!(once.to_vec::<f32>().unwrap(), [1.5, 2.5, 3.5, 4.5]);
    let outputs = session.call("record", &[once.into()]).unwrap();
    assert_eq!(outputs[0].to_vec::<f32>().unwrap(), [3.0, 5.0, 7.0, 9.0]);
    let error = once.to_vec::<i32>().unwrap_err();
    assert_eq!(error.code(), StatusCode::InvalidArgument);
}

#[test]
fn several_modules_live_in_one_session() {
    let mut session = session_with("gfx1100/ledger.vmfb");
    load_into(&mut session, "old_gfx1100/scalars.vmfb").unwrap();
    let names: Vec<_> = session
        .functions()
        .map(|info| info.name().to_owned())
        .collect();
    for name in ["deposit", "record", "mix"] {
        assert!(names.iter().any(|other| other == name), "{names:?}");
    }
    session.call("deposit", &[1.into()]).unwrap();
    let arguments = [1.into(), 2i64.into(), 1f32.into(), 1.into()];
    session.call("mix", &arguments).unwrap();
}

#[test]
fn modules_for_another_chip_are_refused_with_both_names() {
    let mut session = session_with("gfx1100/ledger.vmfb");
    let error = load_into(&mut session, "amdgpu_gfx942/add.vmfb").unwrap_err();
    assert_eq!(error.code(), StatusCode::Incompatible, "{error:?}");
    let text = format!("{error:?}");
    for part in ["gfx942", "gfx1100", "--iree-rocm-target=gfx1100"] {
        assert!(text.contains(part), "{text}");
    }
    // The session is as it was.
    session.call("deposit", &[1.into()]).unwrap();
}

#[test]
fn files_that_are_no_modules_are_refused() {
    let device = software(CommandBufferMode::Stream);
    let mut session = Session::builder().device(&device).build().unwrap();
    let whole = fixtures::read("gfx1100/ledger.vmfb");
    for bytes in [&b""[..], b"hello", &whole[..whole.len() / 2]] {
        // SAFETY: no part of it is loaded.
        let error = unsafe { session.load(Bytes::copy_from_slice(bytes)) }.unwrap_err();
        assert!(
            matches!(
                error.code(),
                StatusCode::InvalidArgument | StatusCode::OutOfRange
            ),
            "{error:?}"
        );
    }
    // SAFETY: there is no such file.
    let error = unsafe { session.load_file("/nonexistent/model.vmfb") }.unwrap_err();
    assert_eq!(error.code(), StatusCode::NotFound);
    assert!(
        error.to_string().contains("/nonexistent/model.vmfb"),
        "{error}"
    );
}

#[test]
fn a_profiler_learns_what_a_call_spends_its_time_on() {
    // The later compiler records once, while the module is loaded.
    for (file, is_recorded) in [("gfx1100/add.vmfb", false), ("old_gfx1100/add.vmfb", true)] {
        let profiler = Profiler::default();
        let options = Options {
            observers: Observers {
                profiler: Some(profiler.clone()),
                ..Observers::default()
            },
            ..Options::default()
        };
        let device = device::open("software", &options).unwrap().device;
        let builder = Session::builder().device(&device).profiler(&profiler);
        let mut session = builder.build().unwrap();
        load_into(&mut session, file).unwrap();
        assert_eq!(profiler.totals().call_ns(), 0, "loading is no call");
        let ones = [1f32; 1000];
        let arguments = [ones.as_slice().into(), ones.as_slice().into()];
        session.call("add", &arguments).unwrap();
        for queue in device.queues() {
            queue.wait_idle();
        }
        let totals = profiler.totals();
        for activity in [
            Activity::Call,
            Activity::Arguments,
            Activity::Program,
            Activity::Submission,
            Activity::Driver,
            Activity::Memory,
            Activity::Waiting,
            Activity::Library,
        ] {
            assert!(totals.host_ns(activity) > 0, "{activity:?}");
        }
        assert_eq!(totals.host_ns(Activity::Recording) > 0, is_recorded);
        // Two arguments and the kernel.
        assert_eq!(totals.device_work, 3);
        let profile = profiler.profile();
        let of = |kind: &dyn Fn(Kind) -> bool| {
            let events = profile.events.iter().filter(|event| kind(event.kind));
            events.cloned().collect::<Vec<_>>()
        };
        let calls = of(&|kind| kind == Kind::Host(Activity::Call));
        assert_eq!(calls.len(), 1);
        assert_eq!(&*calls[0].name, "add");
        let spent = totals.call_ns() + totals.host_ns(Activity::Profiling);
        assert_eq!(calls[0].duration_ns, spent);
        let dispatches = of(&|kind| matches!(kind, Kind::Device(Work::Dispatch, _)));
        assert_eq!(dispatches.len(), 1);
        assert!(dispatches[0].name.starts_with("add_dispatch_0_"));
    }
}
