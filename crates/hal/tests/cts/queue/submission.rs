//! Submissions and the semaphores between them.

use hal::{
    Buffer, BufferRef, Execution, Queue, Status, StatusCode, Timepoint, WaitMode, wait_timepoints,
};

use crate::cases;
use crate::commands::PATIENCE;
use crate::frame::{Case, Fixture, Outcome};

pub(crate) const CASES: &[Case] = cases![Mode:
    submit_with_no_command_buffers,
    submit_and_signal,
    submit_with_wait,
    cross_queue_wait_before_signal,
    multi_queue_fan_out_different_values_before_signal,
    submit_with_multiple_semaphores,
    wait_all_host_and_device_semaphores,
    wait_any_host_and_device_semaphores_and_device_signals,
    wait_any_host_and_device_semaphores_and_host_signals,
    intermediate_semaphore_between_device_batches,
    two_batches_waiting_on_one_former_batch_amongst_two,
    two_batches_waiting_on_different_semaphore_values,
    batch_waiting_on_another_and_host_signal,
    device_batch_signal_another_and_host,
    batch_waiting_on_smaller_value_after_signaled,
    batch_waiting_on_smaller_value_before_signaled,
    propagate_fail_signal,
    failure_stops_at_what_does_not_depend,
    submissions_from_many_threads,
    command_buffer_of_another_device,
    device_dropped_with_work_in_flight,
];

/// The two queues of the device.
fn queues(fixture: &Fixture) -> (&Queue, &Queue) {
    match fixture.device.queues() {
        [first, second] => (first, second),
        queues => panic!("the fixture has two queues, not {}", queues.len()),
    }
}

/// An execution that fills a buffer with a number.
fn filling(fixture: &Fixture, buffer: &Buffer, value: u32) -> hal::Result<Execution> {
    fixture.record(|commands, names| commands.fill(&names.whole(buffer), &value.to_le_bytes()))
}

fn value(fixture: &Fixture, buffer: &Buffer) -> hal::Result<u32> {
    Ok(fixture.read_of::<u32>(buffer)?[0])
}

fn submit_with_no_command_buffers(fixture: &Fixture) -> Outcome {
    let semaphore = fixture.device.create_semaphore(0)?;
    let signals = [Timepoint::new(&semaphore, 1)];
    fixture.queue().execute(&[], &signals, &[])?;
    semaphore.wait(1, PATIENCE)?;
    Ok(())
}

fn submit_and_signal(fixture: &Fixture) -> Outcome {
    let buffer = fixture.buffer_of(&[0_u32; 4])?;
    let semaphore = fixture.device.create_semaphore(100)?;
    let execution = filling(fixture, &buffer, 7)?;
    let signals = [Timepoint::new(&semaphore, 101)];
    fixture.queue().execute(&[], &signals, &[execution])?;
    semaphore.wait(101, PATIENCE)?;
    assert_eq!(value(fixture, &buffer)?, 7);
    Ok(())
}

fn submit_with_wait(fixture: &Fixture) -> Outcome {
    let buffer = fixture.buffer_of(&[0_u32; 4])?;
    let gate = fixture.device.create_semaphore(100)?;
    let done = fixture.semaphore()?;
    let execution = filling(fixture, &buffer, 7)?;
    let waits = [Timepoint::new(&gate, 101)];
    let signals = [Timepoint::new(&done, 1)];
    fixture.queue().execute(&waits, &signals, &[execution])?;
    assert_eq!(done.query()?, 0);
    assert_eq!(value(fixture, &buffer)?, 0);
    gate.signal(101)?;
    done.wait(1, PATIENCE)?;
    assert_eq!(value(fixture, &buffer)?, 7);
    Ok(())
}

fn cross_queue_wait_before_signal(fixture: &Fixture) -> Outcome {
    let (first, second) = queues(fixture);
    let buffer = fixture.buffer_of(&[0_u32; 4])?;
    let copy = fixture.buffer_of(&[0_u32; 4])?;
    let (gate, middle, done) = (
        fixture.semaphore()?,
        fixture.semaphore()?,
        fixture.semaphore()?,
    );
    // The waiter is there before anybody has promised what it waits for.
    second.copy(
        &[Timepoint::new(&middle, 1)],
        &[Timepoint::new(&done, 1)],
        &BufferRef::whole(&buffer),
        &BufferRef::whole(&copy),
    )?;
    first.execute(
        &[Timepoint::new(&gate, 1)],
        &[Timepoint::new(&middle, 1)],
        &[filling(fixture, &buffer, 9)?],
    )?;
    assert_eq!(done.query()?, 0);
    gate.signal(1)?;
    done.wait(1, PATIENCE)?;
    assert_eq!(value(fixture, &copy)?, 9);
    Ok(())
}

fn multi_queue_fan_out_different_values_before_signal(fixture: &Fixture) -> Outcome {
    let (first, second) = queues(fixture);
    let gate = fixture.semaphore()?;
    let (a, b) = (fixture.semaphore()?, fixture.semaphore()?);
    let (at_a, at_b) = ([Timepoint::new(&a, 1)], [Timepoint::new(&b, 1)]);
    first.barrier(&[Timepoint::new(&gate, 1)], &at_a)?;
    second.barrier(&[Timepoint::new(&gate, 2)], &at_b)?;
    gate.signal(1)?;
    a.wait(1, PATIENCE)?;
    assert_eq!(b.query()?, 0);
    gate.signal(2)?;
    b.wait(1, PATIENCE)?;
    Ok(())
}

fn submit_with_multiple_semaphores(fixture: &Fixture) -> Outcome {
    let (a, b) = (fixture.semaphore()?, fixture.semaphore()?);
    let (c, d) = (fixture.semaphore()?, fixture.semaphore()?);
    let waits = [Timepoint::new(&a, 1), Timepoint::new(&b, 1)];
    let signals = [Timepoint::new(&c, 1), Timepoint::new(&d, 5)];
    fixture.queue().barrier(&waits, &signals)?;
    a.signal(1)?;
    assert_eq!((c.query()?, d.query()?), (0, 0));
    b.signal(1)?;
    wait_timepoints(&signals, WaitMode::All, PATIENCE)?;
    assert_eq!((c.query()?, d.query()?), (1, 5));
    Ok(())
}

fn wait_all_host_and_device_semaphores(fixture: &Fixture) -> Outcome {
    let (host, device) = (fixture.semaphore()?, fixture.semaphore()?);
    fixture
        .queue()
        .barrier(&[], &[Timepoint::new(&device, 1)])?;
    host.signal(1)?;
    let points = [Timepoint::new(&host, 1), Timepoint::new(&device, 1)];
    wait_timepoints(&points, WaitMode::All, PATIENCE)?;
    Ok(())
}

fn wait_any_host_and_device_semaphores_and_device_signals(fixture: &Fixture) -> Outcome {
    let (host, device) = (fixture.semaphore()?, fixture.semaphore()?);
    fixture
        .queue()
        .barrier(&[], &[Timepoint::new(&device, 1)])?;
    let points = [Timepoint::new(&host, 1), Timepoint::new(&device, 1)];
    wait_timepoints(&points, WaitMode::Any, PATIENCE)?;
    assert_eq!((host.query()?, device.query()?), (0, 1));
    Ok(())
}

fn wait_any_host_and_device_semaphores_and_host_signals(fixture: &Fixture) -> Outcome {
    let (host, device) = (fixture.semaphore()?, fixture.semaphore()?);
    let gate = fixture.semaphore()?;
    let signals = [Timepoint::new(&device, 1)];
    fixture
        .queue()
        .barrier(&[Timepoint::new(&gate, 1)], &signals)?;
    host.signal(1)?;
    let points = [Timepoint::new(&host, 1), Timepoint::new(&device, 1)];
    wait_timepoints(&points, WaitMode::Any, PATIENCE)?;
    assert_eq!((host.query()?, device.query()?), (1, 0));
    gate.signal(1)?;
    wait_timepoints(&points, WaitMode::All, PATIENCE)?;
    Ok(())
}

fn intermediate_semaphore_between_device_batches(fixture: &Fixture) -> Outcome {
    let buffer = fixture.buffer_of(&[0_u32; 4])?;
    let copy = fixture.buffer_of(&[0_u32; 4])?;
    let (middle, done) = (fixture.semaphore()?, fixture.semaphore()?);
    let (at_middle, at_done) = ([Timepoint::new(&middle, 1)], [Timepoint::new(&done, 1)]);
    let (first, second) = queues(fixture);
    first.execute(&[], &at_middle, &[filling(fixture, &buffer, 3)?])?;
    let copying = fixture
        .record(|commands, names| commands.copy(&names.whole(&buffer), &names.whole(&copy)))?;
    second.execute(&at_middle, &at_done, &[copying])?;
    done.wait(1, PATIENCE)?;
    assert_eq!(value(fixture, &copy)?, 3);
    Ok(())
}

fn two_batches_waiting_on_one_former_batch_amongst_two(fixture: &Fixture) -> Outcome {
    let (first, second) = queues(fixture);
    let (a, b) = (fixture.semaphore()?, fixture.semaphore()?);
    let (c, d) = (fixture.semaphore()?, fixture.semaphore()?);
    let gate = fixture.semaphore()?;
    let at = |semaphore| [Timepoint::new(semaphore, 1)];
    first.barrier(&[], &at(&a))?;
    first.barrier(&at(&gate), &at(&b))?;
    // Both wait for the first batch only; the second never keeps them.
    first.barrier(&at(&a), &at(&c))?;
    second.barrier(&at(&a), &at(&d))?;
    c.wait(1, PATIENCE)?;
    d.wait(1, PATIENCE)?;
    assert_eq!(b.query()?, 0);
    gate.signal(1)?;
    b.wait(1, PATIENCE)?;
    Ok(())
}

fn two_batches_waiting_on_different_semaphore_values(fixture: &Fixture) -> Outcome {
    let (first, second) = queues(fixture);
    let timeline = fixture.semaphore()?;
    let (a, b) = (fixture.semaphore()?, fixture.semaphore()?);
    first.barrier(&[Timepoint::new(&timeline, 1)], &[Timepoint::new(&a, 1)])?;
    second.barrier(&[Timepoint::new(&timeline, 2)], &[Timepoint::new(&b, 1)])?;
    first.barrier(&[], &[Timepoint::new(&timeline, 3)])?;
    a.wait(1, PATIENCE)?;
    b.wait(1, PATIENCE)?;
    assert_eq!(timeline.query()?, 3);
    Ok(())
}

fn batch_waiting_on_another_and_host_signal(fixture: &Fixture) -> Outcome {
    let (first, second) = queues(fixture);
    let (host, middle, done) = (
        fixture.semaphore()?,
        fixture.semaphore()?,
        fixture.semaphore()?,
    );
    first.barrier(&[], &[Timepoint::new(&middle, 1)])?;
    let waits = [Timepoint::new(&middle, 1), Timepoint::new(&host, 1)];
    second.barrier(&waits, &[Timepoint::new(&done, 1)])?;
    middle.wait(1, PATIENCE)?;
    assert_eq!(done.query()?, 0);
    host.signal(1)?;
    done.wait(1, PATIENCE)?;
    Ok(())
}

fn device_batch_signal_another_and_host(fixture: &Fixture) -> Outcome {
    let (first, second) = queues(fixture);
    let (middle, done) = (fixture.semaphore()?, fixture.semaphore()?);
    second.barrier(&[Timepoint::new(&middle, 1)], &[Timepoint::new(&done, 1)])?;
    std::thread::scope(|scope| {
        let host = scope.spawn(|| middle.wait(1, PATIENCE));
        first.barrier(&[], &[Timepoint::new(&middle, 1)])?;
        done.wait(1, PATIENCE)?;
        host.join().expect("the waiter does not panic")
    })?;
    Ok(())
}

fn batch_waiting_on_smaller_value_after_signaled(fixture: &Fixture) -> Outcome {
    let (timeline, done) = (fixture.semaphore()?, fixture.semaphore()?);
    let (first, second) = queues(fixture);
    first.barrier(&[], &[Timepoint::new(&timeline, 10)])?;
    timeline.wait(10, PATIENCE)?;
    second.barrier(&[Timepoint::new(&timeline, 5)], &[Timepoint::new(&done, 1)])?;
    done.wait(1, PATIENCE)?;
    Ok(())
}

fn batch_waiting_on_smaller_value_before_signaled(fixture: &Fixture) -> Outcome {
    let (timeline, done) = (fixture.semaphore()?, fixture.semaphore()?);
    let (first, second) = queues(fixture);
    second.barrier(&[Timepoint::new(&timeline, 5)], &[Timepoint::new(&done, 1)])?;
    first.barrier(&[], &[Timepoint::new(&timeline, 10)])?;
    done.wait(1, PATIENCE)?;
    assert_eq!(timeline.query()?, 10);
    Ok(())
}

fn propagate_fail_signal(fixture: &Fixture) -> Outcome {
    let buffer = fixture.buffer_of(&[1_u32; 4])?;
    let (gate, middle, done) = (
        fixture.semaphore()?,
        fixture.semaphore()?,
        fixture.semaphore()?,
    );
    let (first, second) = queues(fixture);
    let at = |semaphore| [Timepoint::new(semaphore, 1)];
    first.execute(&at(&gate), &at(&middle), &[filling(fixture, &buffer, 2)?])?;
    second.barrier(&at(&middle), &at(&done))?;
    gate.fail(Status::cancelled("on purpose"));
    for semaphore in [&middle, &done] {
        let status = semaphore.wait(1, PATIENCE).expect_err("signalled");
        assert_eq!(status.code(), StatusCode::Cancelled, "{status:#}");
        assert!(format!("{status:#}").contains("on purpose"), "{status:#}");
    }
    assert_eq!(value(fixture, &buffer)?, 1);
    Ok(())
}

fn failure_stops_at_what_does_not_depend(fixture: &Fixture) -> Outcome {
    let buffer = fixture.buffer_of(&[1_u32; 4])?;
    let (gate, failed, done) = (
        fixture.semaphore()?,
        fixture.semaphore()?,
        fixture.semaphore()?,
    );
    let queue = fixture.queue();
    let waits = [Timepoint::new(&gate, 1)];
    queue.barrier(&waits, &[Timepoint::new(&failed, 1)])?;
    gate.fail(Status::aborted("on purpose"));
    failed.wait(1, PATIENCE).expect_err("signalled");
    let signals = [Timepoint::new(&done, 1)];
    queue.execute(&[], &signals, &[filling(fixture, &buffer, 2)?])?;
    done.wait(1, PATIENCE)?;
    assert_eq!(value(fixture, &buffer)?, 2);
    Ok(())
}

fn submissions_from_many_threads(fixture: &Fixture) -> Outcome {
    const THREADS: usize = 4;
    const ROUNDS: u64 = 50;
    let executable = fixture.executable("scale_and_offset")?;
    let buffers = (0..THREADS)
        .map(|_| fixture.buffer_of(&[0_u32; 4]))
        .collect::<hal::Result<Vec<_>>>()?;
    std::thread::scope(|scope| {
        let threads: Vec<_> = buffers
            .iter()
            .map(|buffer| {
                let executable = &executable;
                scope.spawn(move || -> hal::Result<()> {
                    let execution = fixture.record(|commands, names| {
                        let buffer = names.whole(buffer);
                        let bindings = [buffer.clone(), buffer];
                        commands.dispatch(executable, 0, [1, 1, 1], &[1, 1], &bindings)
                    })?;
                    let timeline = fixture.semaphore()?;
                    let (first, second) = queues(fixture);
                    for round in 0..ROUNDS {
                        let queue = if round % 3 == 0 { second } else { first };
                        let waits = [Timepoint::new(&timeline, round)];
                        let signals = [Timepoint::new(&timeline, round + 1)];
                        queue.execute(&waits, &signals, std::slice::from_ref(&execution))?;
                    }
                    timeline.wait(ROUNDS, PATIENCE)
                })
            })
            .collect();
        let mut results = threads.into_iter().map(|thread| thread.join());
        results.try_for_each(|result| result.expect("no thread panics"))
    })?;
    for buffer in &buffers {
        assert_eq!(fixture.read_of::<u32>(buffer)?, [ROUNDS as u32; 4]);
    }
    Ok(())
}

fn command_buffer_of_another_device(fixture: &Fixture) -> Outcome {
    let params = fixture.device.params();
    let other = fixture
        .driver
        .create_device_by_id(fixture.info.id, params)?;
    let execution = fixture.record(|_, _| Ok(()))?;
    let result = other.queues()[0].execute(&[], &[], &[execution]);
    let status = result.expect_err("executed");
    assert_eq!(status.code(), StatusCode::InvalidArgument);
    Ok(())
}

fn device_dropped_with_work_in_flight(fixture: &Fixture) -> Outcome {
    let params = fixture.device.params();
    let device = fixture
        .driver
        .create_device_by_id(fixture.info.id, params)?;
    let buffer = device
        .allocator()
        .allocate(&crate::commands::device_params(), 1 << 20)?;
    let (gate, parked) = (device.create_semaphore(0)?, device.create_semaphore(0)?);
    let done = device.create_semaphore(0)?;
    let target = BufferRef::whole(&buffer);
    let waits = [Timepoint::new(&gate, 1)];
    let queue = &device.queues()[0];
    queue.fill(&waits, &[Timepoint::new(&parked, 1)], &target, &[1])?;
    queue.fill(&[], &[Timepoint::new(&done, 1)], &target, &[2])?;
    drop(device);
    done.wait(1, PATIENCE)?;
    let status = parked.wait(1, PATIENCE).expect_err("the device is gone");
    assert_eq!(status.code(), StatusCode::Cancelled, "{status:#}");
    Ok(())
}
