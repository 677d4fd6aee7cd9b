//! Executing a command buffer again.

use hal::{Binding, BindingTable, BufferRef, Execution, StatusCode, Timepoint};

use crate::cases;
use crate::commands::{PATIENCE, device_params};
use crate::frame::{Case, Fixture, Outcome, Stop};

pub(crate) const CASES: &[Case] = cases![Bindings:
    resubmit,
    resubmit_with_different_bindings,
    large_workgroup_count,
    mixed_direct_and_indirect_bindings,
    deferred_execution_retains_bindings,
    alloca_execute_dealloca_cycle,
    pipelined_alloca_execute_dealloca,
    multiple_dispatches,
    many_in_one_submission,
    table_is_checked,
];

fn ids(count: u32) -> Vec<u32> {
    (0..count).collect()
}

fn only_indirect(fixture: &Fixture) -> Outcome {
    match fixture.indirect {
        true => Ok(()),
        false => Err(Stop::Skipped("it is about binding tables".to_owned())),
    }
}

fn resubmit(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("scale_and_offset")?;
    let buffer = fixture.buffer_of(&[1_u32; 4])?;
    let execution = fixture.record(|commands, names| {
        let buffer = names.whole(&buffer);
        let bindings = [buffer.clone(), buffer];
        commands.dispatch(&executable, 0, [1, 1, 1], &[2, 0], &bindings)
    })?;
    for power in 1..=10 {
        fixture.execute(&execution)?;
        assert_eq!(fixture.read_of::<u32>(&buffer)?, [1 << power; 4]);
    }
    Ok(())
}

fn resubmit_with_different_bindings(fixture: &Fixture) -> Outcome {
    only_indirect(fixture)?;
    let executable = fixture.executable("write_workgroup_ids")?;
    let outputs = [(); 3]
        .map(|()| fixture.buffer_of(&[99_u32; 64]))
        .into_iter()
        .collect::<hal::Result<Vec<_>>>()?;
    let execution = fixture.record(|commands, names| {
        let bindings = [names.whole(&outputs[0])];
        commands.dispatch(&executable, 0, [64, 1, 1], &[], &bindings)
    })?;
    for output in &outputs {
        let table = BindingTable::new(vec![Binding::whole(output)]);
        fixture.execute(&Execution::with_bindings(&execution.commands, &table))?;
        assert_eq!(fixture.read_of::<u32>(output)?, ids(64));
    }
    Ok(())
}

fn large_workgroup_count(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("write_workgroup_ids")?;
    let output = fixture.buffer_of(&[0_u32; 1024])?;
    let execution = fixture.record(|commands, names| {
        let bindings = [names.whole(&output)];
        commands.dispatch(&executable, 0, [1024, 1, 1], &[], &bindings)
    })?;
    for _ in 0..2 {
        fixture.execute(&execution)?;
        assert_eq!(fixture.read_of::<u32>(&output)?, ids(1024));
    }
    Ok(())
}

fn mixed_direct_and_indirect_bindings(fixture: &Fixture) -> Outcome {
    only_indirect(fixture)?;
    let executable = fixture.executable("scale_and_offset")?;
    let input = fixture.buffer_of(&[1_u32, 2, 3, 4])?;
    let output = fixture.buffer_of(&[0_u32; 4])?;
    fixture.run(|commands, names| {
        let bindings = [BufferRef::whole(&input), names.whole(&output)];
        commands.dispatch(&executable, 0, [1, 1, 1], &[3, 10], &bindings)
    })?;
    assert_eq!(fixture.read_of::<u32>(&output)?, [13, 16, 19, 22]);
    Ok(())
}

fn deferred_execution_retains_bindings(fixture: &Fixture) -> Outcome {
    let output = fixture.buffer_of(&[99_u32; 64])?;
    let (gate, done) = (fixture.semaphore()?, fixture.semaphore()?);
    {
        let executable = fixture.executable("write_workgroup_ids")?;
        let scratch = fixture.buffer_of(&[0_u32; 64])?;
        let execution = fixture.record(|commands, names| {
            let scratch = names.whole(&scratch);
            commands.dispatch(
                &executable,
                0,
                [64, 1, 1],
                &[],
                std::slice::from_ref(&scratch),
            )?;
            commands.barrier()?;
            commands.copy(&scratch, &names.whole(&output))
        })?;
        let waits = [Timepoint::new(&gate, 1)];
        let signals = [Timepoint::new(&done, 1)];
        fixture.queue().execute(&waits, &signals, &[execution])?;
    }
    // Nothing but the submission holds the scratch buffer and the code now.
    fixture.device.trim()?;
    gate.signal(1)?;
    done.wait(1, PATIENCE)?;
    assert_eq!(fixture.read_of::<u32>(&output)?, ids(64));
    Ok(())
}

fn alloca_execute_dealloca_cycle(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("write_workgroup_ids")?;
    let output = fixture.buffer_of(&[0_u32; 128])?;
    let timeline = fixture.semaphore()?;
    let at = |value| [Timepoint::new(&timeline, value)];
    for round in 0..3 {
        let base = 3 * round;
        let queue = fixture.queue();
        let scratch = queue.alloca(&at(base), &at(base + 1), &device_params(), 512)?;
        let execution = fixture.record(|commands, names| {
            let scratch = names.whole(&scratch);
            commands.dispatch(
                &executable,
                0,
                [128, 1, 1],
                &[],
                std::slice::from_ref(&scratch),
            )?;
            commands.barrier()?;
            commands.copy(&scratch, &names.whole(&output))
        })?;
        queue.execute(&at(base + 1), &at(base + 2), &[execution])?;
        queue.dealloca(&at(base + 2), &at(base + 3), &scratch)?;
        timeline.wait(base + 3, PATIENCE)?;
        assert_eq!(fixture.read_of::<u32>(&output)?, ids(128));
        let status = scratch.device_ptr().expect_err("deallocated");
        assert_eq!(status.code(), StatusCode::FailedPrecondition);
    }
    Ok(())
}

fn pipelined_alloca_execute_dealloca(fixture: &Fixture) -> Outcome {
    const ROUNDS: u64 = 32;
    let executable = fixture.executable("write_workgroup_ids")?;
    let outputs = (0..ROUNDS)
        .map(|_| fixture.buffer_of(&[99_u32; 16]))
        .collect::<hal::Result<Vec<_>>>()?;
    let timeline = fixture.semaphore()?;
    let at = |value| [Timepoint::new(&timeline, value)];
    for (round, output) in (0..).zip(&outputs) {
        let base = 3 * round;
        let queue = fixture.queue();
        let scratch = queue.alloca(&at(base), &at(base + 1), &device_params(), 64)?;
        let execution = fixture.record(|commands, names| {
            let scratch = names.whole(&scratch);
            commands.dispatch(
                &executable,
                0,
                [16, 1, 1],
                &[],
                std::slice::from_ref(&scratch),
            )?;
            commands.barrier()?;
            commands.copy(&scratch, &names.whole(output))
        })?;
        queue.execute(&at(base + 1), &at(base + 2), &[execution])?;
        queue.dealloca(&at(base + 2), &at(base + 3), &scratch)?;
    }
    timeline.wait(3 * ROUNDS, PATIENCE)?;
    for output in &outputs {
        assert_eq!(fixture.read_of::<u32>(output)?, ids(16));
    }
    Ok(())
}

fn multiple_dispatches(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("scale_and_offset")?;
    let input = fixture.buffer_of(&[1_u32, 2, 3, 4])?;
    let outputs = (0..8)
        .map(|_| fixture.buffer_of(&[0_u32; 4]))
        .collect::<hal::Result<Vec<_>>>()?;
    let execution = fixture.record(|commands, names| {
        let input = names.whole(&input);
        for (offset, output) in (0..).zip(&outputs) {
            let bindings = [input.clone(), names.whole(output)];
            commands.dispatch(&executable, 0, [1, 1, 1], &[1, offset], &bindings)?;
        }
        Ok(())
    })?;
    for _ in 0..5 {
        fixture.execute(&execution)?;
        for (offset, output) in (0..).zip(&outputs) {
            let expected = [1, 2, 3, 4].map(|value: u32| value + offset);
            assert_eq!(fixture.read_of::<u32>(output)?, expected);
            fixture.run(|commands, names| commands.fill(&names.whole(output), &[0]))?;
        }
    }
    Ok(())
}

fn many_in_one_submission(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("scale_and_offset")?;
    let buffer = fixture.buffer_of(&[0_u32; 4])?;
    let execution = fixture.record(|commands, names| {
        let buffer = names.whole(&buffer);
        let bindings = [buffer.clone(), buffer];
        commands.dispatch(&executable, 0, [1, 1, 1], &[1, 1], &bindings)
    })?;
    // One after the other, in the order they are given.
    let executions = vec![execution; 20];
    fixture.submit_and_wait(|queue, signals| queue.execute(&[], signals, &executions))?;
    assert_eq!(fixture.read_of::<u32>(&buffer)?, [20; 4]);
    Ok(())
}

fn table_is_checked(fixture: &Fixture) -> Outcome {
    only_indirect(fixture)?;
    let executable = fixture.executable("write_workgroup_ids")?;
    let output = fixture.buffer_of(&[99_u32; 64])?;
    let commands = fixture.command_buffer(hal::flags::CommandBufferFlags::empty())?;
    commands.begin()?;
    let bindings = [BufferRef::slot(1, 16, 64)];
    commands.dispatch(&executable, 0, [16, 1, 1], &[], &bindings)?;
    let beyond = [BufferRef::slot(16, 0, 64)];
    let status = commands
        .dispatch(&executable, 0, [16, 1, 1], &[], &beyond)
        .expect_err("a slot beyond the capacity");
    assert_eq!(status.code(), StatusCode::OutOfRange);
    commands.end()?;
    let execute = |bindings: Vec<Binding>| {
        let table = BindingTable::new(bindings);
        fixture.execute(&Execution::with_bindings(&commands, &table))
    };
    let whole = || Binding::whole(&output);
    for (bindings, code) in [
        (vec![], StatusCode::InvalidArgument),
        (vec![whole()], StatusCode::OutOfRange),
        (
            vec![whole(), Binding::range(&output, 0, 79)],
            StatusCode::OutOfRange,
        ),
        (
            vec![whole(), Binding::range(&output, 4, 128)],
            StatusCode::InvalidArgument,
        ),
    ] {
        let status = execute(bindings).expect_err("a table that does not fit");
        assert_eq!(status.code(), code, "{status:#}");
    }
    execute(vec![whole(), whole()])?;
    let mut expected = vec![99; 64];
    expected[4..20].copy_from_slice(&ids(16));
    assert_eq!(fixture.read_of::<u32>(&output)?, expected);
    Ok(())
}
