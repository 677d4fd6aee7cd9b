//! Submissions that wait for one another, for the host, and the host for them.

use std::time::Duration;

use hal::{
    BufferRef, Execution, Semaphore, Status, StatusCode, Timeout, Timepoint, WaitMode,
    wait_timepoints,
};

use crate::cases;
use crate::frame::{Case, Fixture, Outcome, Stop};
use crate::work::{LONG, at, refused, slot, table};

pub(crate) const CASES: &[Case] = cases![Mode:
    submit_with_no_command_buffers,
    submit_and_signal,
    submit_with_wait,
    cross_queue_wait_before_signal,
    multi_queue_fan_out_different_values_before_signal,
    indirect_binding_table_retained_until_signal,
    submit_with_multiple_semaphores,
    wait_all_host_and_device_semaphores,
    wait_any_host_and_device_semaphores_and_device_signals,
    wait_any_host_and_device_semaphores_and_host_signals,
    intermediate_semaphore_between_device_batches,
    two_batches_waiting_on_1_former_batch_amongst_2,
    two_batches_waiting_on_different_semaphore_values,
    batch_waiting_on_another_and_host_signal,
    device_batch_signals_another_and_host,
    batch_waiting_on_smaller_value_after_signaled,
    batch_waiting_on_smaller_value_before_signaled,
    propagate_fail_signal,
    failure_runs_down_a_chain,
    failed_batch_does_nothing,
    reverse_order_of_a_long_chain,
    cycle_between_queues_is_broken_by_failure,
    signals_of_many_submissions_come_in_order,
    flush_and_wait_idle,
    between_devices,
];

/// Semaphores at 0.
fn semaphores<const N: usize>(fixture: &Fixture) -> Result<[Semaphore; N], Stop> {
    let made = (0..N)
        .map(|_| fixture.semaphore())
        .collect::<Result<Vec<_>, _>>()?;
    Ok(made.try_into().expect("as many as were made"))
}

/// Commands that do nothing.
fn nothing(fixture: &Fixture) -> Result<Execution, Stop> {
    fixture.record_one_shot(|_| Ok(()))
}

/// Submits commands that do nothing, to a queue.
fn submit(fixture: &Fixture, queue: usize, waits: &[Timepoint], signals: &[Timepoint]) -> Outcome {
    let queue = &fixture.device.queues()[queue];
    Ok(queue.execute(waits, signals, &[nothing(fixture)?])?)
}

/// The points of several lists.
fn join(points: &[[Timepoint; 1]]) -> Vec<Timepoint> {
    points.concat()
}

fn submit_with_no_command_buffers(fixture: &Fixture) -> Outcome {
    let done = fixture.semaphore()?;
    fixture.queue().execute(&[], &at(&done, 1), &[])?;
    fixture.wait(&done, 1)
}

fn submit_and_signal(fixture: &Fixture) -> Outcome {
    let done = fixture.device.create_semaphore(100)?;
    submit(fixture, 0, &[], &at(&done, 101))?;
    fixture.wait(&done, 101)?;
    assert_eq!(done.query()?, 101);
    Ok(())
}

fn submit_with_wait(fixture: &Fixture) -> Outcome {
    let gate = fixture.device.create_semaphore(100)?;
    let done = fixture.device.create_semaphore(100)?;
    submit(fixture, 0, &at(&gate, 101), &at(&done, 101))?;
    assert_eq!(done.query()?, 100);
    let waited = done.wait(101, Duration::from_millis(2));
    refused(waited, StatusCode::DeadlineExceeded);
    gate.signal(101)?;
    fixture.wait(&done, 101)
}

fn cross_queue_wait_before_signal(fixture: &Fixture) -> Outcome {
    let [first, second] = semaphores(fixture)?;
    submit(fixture, 1, &at(&first, 1), &at(&second, 1))?;
    assert_eq!(second.query()?, 0);
    submit(fixture, 0, &[], &at(&first, 1))?;
    fixture.wait(&second, 1)?;
    fixture.wait(&first, 1)
}

fn multi_queue_fan_out_different_values_before_signal(fixture: &Fixture) -> Outcome {
    let [source, a, b] = semaphores(fixture)?;
    let [first, second] = [fixture.buffer(64, 0)?, fixture.buffer(64, 0)?];
    for (queue, value, done, buffer) in [(0, 1, &a, &first), (1, 2, &b, &second)] {
        let target = BufferRef::whole(buffer);
        fixture.device.queues()[queue].fill(
            &at(&source, value),
            &at(done, 1),
            &target,
            &[value as u8],
        )?;
    }
    submit(fixture, 1, &[], &at(&source, 1))?;
    fixture.wait(&a, 1)?;
    assert_eq!(b.query()?, 0);
    submit(fixture, 0, &[], &at(&source, 2))?;
    fixture.wait(&b, 1)?;
    fixture.expect(&first, &[1; 64])?;
    fixture.expect(&second, &[2; 64])
}

fn indirect_binding_table_retained_until_signal(fixture: &Fixture) -> Outcome {
    let commands = fixture.record_slots(|commands| {
        commands.copy(&BufferRef::slot(0, 0, 64), &BufferRef::slot(1, 0, 64))
    })?;
    let [gate, done] = semaphores(fixture)?;
    let output = fixture.buffer(64, 0)?;
    {
        let source = fixture.buffer(64, 0x6B)?;
        let execution = Execution::with_bindings(&commands, &table(&[&source, &output]));
        let queue = fixture.queue();
        queue.execute(&at(&gate, 1), &at(&done, 1), &[execution])?;
    }
    drop(commands);
    let _other = fixture.buffer(64, 0)?;
    gate.signal(1)?;
    fixture.wait(&done, 1)?;
    fixture.expect(&output, &[0x6B; 64])
}

fn submit_with_multiple_semaphores(fixture: &Fixture) -> Outcome {
    let [wait_a, wait_b, a, b] = semaphores(fixture)?;
    let waits = join(&[at(&wait_a, 1), at(&wait_b, 1)]);
    let signals = join(&[at(&a, 1), at(&b, 2)]);
    submit(fixture, 0, &waits, &signals)?;
    wait_a.signal(1)?;
    assert_eq!((a.query()?, b.query()?), (0, 0));
    wait_b.signal(1)?;
    wait_timepoints(&signals, WaitMode::All, LONG)?;
    assert_eq!((a.query()?, b.query()?), (1, 2));
    Ok(())
}

fn wait_all_host_and_device_semaphores(fixture: &Fixture) -> Outcome {
    let [host, gate, device] = semaphores(fixture)?;
    submit(fixture, 0, &at(&gate, 1), &at(&device, 1))?;
    let both = join(&[at(&host, 1), at(&device, 1)]);
    let waited = wait_timepoints(&both, WaitMode::All, Timeout::Immediate);
    refused(waited, StatusCode::DeadlineExceeded);
    host.signal(1)?;
    gate.signal(1)?;
    wait_timepoints(&both, WaitMode::All, LONG)?;
    Ok(())
}

fn wait_any_host_and_device_semaphores_and_device_signals(fixture: &Fixture) -> Outcome {
    let [host, gate, device] = semaphores(fixture)?;
    submit(fixture, 0, &at(&gate, 1), &at(&device, 1))?;
    gate.signal(1)?;
    let both = join(&[at(&host, 1), at(&device, 1)]);
    wait_timepoints(&both, WaitMode::Any, LONG)?;
    assert_eq!((host.query()?, device.query()?), (0, 1));
    Ok(())
}

fn wait_any_host_and_device_semaphores_and_host_signals(fixture: &Fixture) -> Outcome {
    let [host, gate, device] = semaphores(fixture)?;
    submit(fixture, 0, &at(&gate, 1), &at(&device, 1))?;
    host.signal(1)?;
    let both = join(&[at(&host, 1), at(&device, 1)]);
    wait_timepoints(&both, WaitMode::Any, LONG)?;
    assert_eq!((host.query()?, device.query()?), (1, 0));
    gate.signal(1)?;
    fixture.wait(&device, 1)
}

fn intermediate_semaphore_between_device_batches(fixture: &Fixture) -> Outcome {
    let [between, done] = semaphores(fixture)?;
    submit(fixture, 0, &[], &at(&between, 1))?;
    submit(fixture, 0, &at(&between, 1), &at(&done, 1))?;
    fixture.wait(&done, 1)?;
    // What the second waited for is known to be reached, too.
    assert_eq!(between.query()?, 1);
    Ok(())
}

fn two_batches_waiting_on_1_former_batch_amongst_2(fixture: &Fixture) -> Outcome {
    let [first, second, third, fourth, gate] = semaphores(fixture)?;
    submit(fixture, 0, &[], &at(&first, 1))?;
    submit(fixture, 0, &at(&gate, 1), &at(&second, 1))?;
    submit(fixture, 0, &at(&first, 1), &at(&third, 1))?;
    submit(fixture, 1, &at(&first, 1), &at(&fourth, 1))?;
    let both = join(&[at(&third, 1), at(&fourth, 1)]);
    wait_timepoints(&both, WaitMode::All, LONG)?;
    assert_eq!(second.query()?, 0);
    gate.signal(1)?;
    fixture.wait(&second, 1)
}

/// One signal beyond the values that two batches wait for.
fn two_batches_waiting_on_different_semaphore_values(fixture: &Fixture) -> Outcome {
    for queue in 0..2 {
        let [source, gate, a, b] = semaphores(fixture)?;
        submit(fixture, 0, &at(&gate, 1), &at(&source, 3))?;
        submit(fixture, queue, &at(&source, 1), &at(&a, 1))?;
        submit(fixture, queue, &at(&source, 2), &at(&b, 1))?;
        assert_eq!((a.query()?, b.query()?), (0, 0));
        gate.signal(1)?;
        let both = join(&[at(&a, 1), at(&b, 1)]);
        wait_timepoints(&both, WaitMode::All, LONG)?;
        fixture.wait(&source, 3)?;
    }
    Ok(())
}

fn batch_waiting_on_another_and_host_signal(fixture: &Fixture) -> Outcome {
    let [first, host, done] = semaphores(fixture)?;
    submit(fixture, 0, &[], &at(&first, 1))?;
    let waits = join(&[at(&first, 1), at(&host, 1)]);
    submit(fixture, 1, &waits, &at(&done, 1))?;
    fixture.wait(&first, 1)?;
    let waited = done.wait(1, Duration::from_millis(2));
    refused(waited, StatusCode::DeadlineExceeded);
    host.signal(1)?;
    fixture.wait(&done, 1)
}

fn device_batch_signals_another_and_host(fixture: &Fixture) -> Outcome {
    let [host, device, done] = semaphores(fixture)?;
    submit(fixture, 1, &at(&device, 1), &at(&done, 1))?;
    let signals = join(&[at(&host, 1), at(&device, 1)]);
    submit(fixture, 0, &[], &signals)?;
    fixture.wait(&host, 1)?;
    fixture.wait(&done, 1)
}

fn batch_waiting_on_smaller_value_after_signaled(fixture: &Fixture) -> Outcome {
    for queue in 0..2 {
        let [source, done] = semaphores(fixture)?;
        submit(fixture, 0, &[], &at(&source, 2))?;
        fixture.wait(&source, 2)?;
        submit(fixture, queue, &at(&source, 1), &at(&done, 1))?;
        fixture.wait(&done, 1)?;
    }
    Ok(())
}

fn batch_waiting_on_smaller_value_before_signaled(fixture: &Fixture) -> Outcome {
    for queue in 0..2 {
        let [source, done] = semaphores(fixture)?;
        submit(fixture, queue, &at(&source, 1), &at(&done, 1))?;
        submit(fixture, 0, &[], &at(&source, 2))?;
        fixture.wait(&done, 1)?;
        fixture.wait(&source, 2)?;
    }
    Ok(())
}

fn propagate_fail_signal(fixture: &Fixture) -> Outcome {
    // Before and after the batch is submitted.
    for is_early in [true, false] {
        let [source, done] = semaphores(fixture)?;
        let fail = || source.fail(Status::cancelled("called off"));
        if is_early {
            fail();
        }
        submit(fixture, 0, &at(&source, 1), &at(&done, 1))?;
        if !is_early {
            fail();
        }
        let status = done.wait(1, LONG).expect_err("it fails");
        assert_eq!(status.code(), StatusCode::Cancelled);
        assert_eq!(status.message(), "called off");
        assert!(done.payload() >= Semaphore::FAILURE_VALUE);
    }
    Ok(())
}

fn failure_runs_down_a_chain(fixture: &Fixture) -> Outcome {
    let chain: [Semaphore; 8] = semaphores(fixture)?;
    for (index, pair) in chain.windows(2).enumerate().rev() {
        submit(fixture, index % 2, &at(&pair[0], 1), &at(&pair[1], 1))?;
    }
    chain[0].fail(Status::data_loss("the first cause"));
    for semaphore in &chain[1..] {
        let status = semaphore.wait(1, LONG).expect_err("it fails");
        assert_eq!(status.code(), StatusCode::DataLoss);
        assert_eq!(status.message(), "the first cause");
    }
    // The queues are not to blame.
    let done = fixture.semaphore()?;
    submit(fixture, 0, &[], &at(&done, 1))?;
    fixture.wait(&done, 1)
}

fn failed_batch_does_nothing(fixture: &Fixture) -> Outcome {
    let [source, done] = semaphores(fixture)?;
    let buffer = fixture.buffer(64, 1)?;
    let execution = fixture.record_one_shot(|commands| {
        commands.fill(&commands.whole(&buffer), &[2])?;
        Ok(())
    })?;
    fixture
        .queue()
        .execute(&at(&source, 1), &at(&done, 1), &[execution])?;
    source.fail(Status::aborted("stop"));
    refused(done.wait(1, LONG), StatusCode::Aborted);
    fixture.expect(&buffer, &[1; 64])
}

/// Every submission waits for one that is submitted later.
fn reverse_order_of_a_long_chain(fixture: &Fixture) -> Outcome {
    let steps = (0..=40)
        .map(|_| fixture.semaphore())
        .collect::<Result<Vec<_>, _>>()?;
    let buffer = fixture.buffer(16, 0xFF)?;
    for index in (0..40).rev() {
        let commands = fixture.record_slots(|commands| commands.fill(&slot(0), &[index as u8]))?;
        let execution = Execution::with_bindings(&commands, &table(&[&buffer]));
        let (waits, signals) = (at(&steps[index], 1), at(&steps[index + 1], 1));
        fixture.device.queues()[index % 2].execute(&waits, &signals, &[execution])?;
    }
    assert_eq!(steps[40].query()?, 0);
    steps[0].signal(1)?;
    fixture.wait(&steps[40], 1)?;
    fixture.expect(&buffer, &[39; 16])
}

fn cycle_between_queues_is_broken_by_failure(fixture: &Fixture) -> Outcome {
    let [a, b] = semaphores(fixture)?;
    submit(fixture, 0, &at(&a, 1), &at(&b, 1))?;
    submit(fixture, 1, &at(&b, 1), &at(&a, 1))?;
    let waited = a.wait(1, Duration::from_millis(2));
    refused(waited, StatusCode::DeadlineExceeded);
    a.fail(Status::aborted("nobody else will"));
    refused(b.wait(1, LONG), StatusCode::Aborted);
    Ok(())
}

fn signals_of_many_submissions_come_in_order(fixture: &Fixture) -> Outcome {
    let done = fixture.semaphore()?;
    for value in 1..=200 {
        submit(fixture, 0, &[], &at(&done, value))?;
    }
    let mut last = 0;
    while last < 200 {
        let value = done.query()?;
        assert!(value >= last, "{value} after {last}");
        last = value;
        fixture.wait(&done, (last + 17).min(200))?;
    }
    Ok(())
}

fn flush_and_wait_idle(fixture: &Fixture) -> Outcome {
    let [gate, done, parked] = semaphores(fixture)?;
    let queue = fixture.queue();
    queue.wait_idle();
    submit(fixture, 0, &[], &at(&done, 1))?;
    submit(fixture, 0, &at(&gate, 1), &at(&parked, 1))?;
    queue.flush();
    queue.wait_idle();
    assert_eq!(done.query()?, 1);
    // What waits is not waited for.
    assert_eq!(parked.query()?, 0);
    gate.signal(1)?;
    queue.wait_idle();
    assert_eq!(parked.query()?, 1);
    Ok(())
}

/// Semaphores order work of several devices, too.
fn between_devices(fixture: &Fixture) -> Outcome {
    let params = fixture.device.params();
    let other = fixture
        .driver
        .create_device_by_id(fixture.info.id, params)?;
    let steps = fixture.semaphore()?;
    let [here, there] = [fixture.queue(), &other.queues()[0]];
    // Half of them before what they wait for, half after.
    for step in [1, 3, 5, 4, 2, 0] {
        let queue = if step % 2 == 0 { here } else { there };
        let waits = if step == 0 {
            vec![]
        } else {
            at(&steps, step).to_vec()
        };
        queue.barrier(&waits, &at(&steps, step + 1))?;
    }
    fixture.wait(&steps, 6)?;
    assert_eq!(steps.query()?, 6);
    Ok(())
}
