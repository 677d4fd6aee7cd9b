//! Order, failure and cost of submissions, on a provider that does nothing.

use std::sync::atomic::AtomicUsize;
use std::sync::mpsc;
use std::time::Duration;

use hip::{Api, Code, FaultPlan};

use super::*;
use crate::flags::{BufferUsage, MemoryAccess};
use crate::testing::{device_over, fail_every_call, null_device};
use crate::{
    Binding, Device, DeviceParams, Executable, ExecutableParams, MAX_UPDATE_BYTES, Semaphore,
    StatusCode, Timeout, WHOLE_BUFFER, WaitMode, wait_timepoints,
};

pub(super) const LONG: Duration = Duration::from_secs(20);

/// Memory that goes back to the driver when it is freed.
const LARGE: u64 = 2 << 20;

fn params(queue_count: usize, mode: CommandBufferMode) -> DeviceParams {
    DeviceParams {
        queue_count,
        command_buffer_mode: mode,
        ..DeviceParams::default()
    }
}

/// A device with `queue_count` queues whose HIP calls are counted.
pub(super) fn counted(queue_count: usize) -> (Device, FaultPlan) {
    let plan = FaultPlan::counting();
    let api = hip::faulty(hip::null(), &plan);
    let params = params(queue_count, CommandBufferMode::Stream);
    (device_over(&api, params).unwrap(), plan)
}

pub(super) fn semaphores<const N: usize>() -> [Semaphore; N] {
    std::array::from_fn(|_| Semaphore::new(0).unwrap())
}

pub(super) fn at(semaphore: &Semaphore, value: u64) -> [Timepoint; 1] {
    [Timepoint::new(semaphore, value)]
}

fn code<T>(result: Result<T>) -> StatusCode {
    match result {
        Ok(_) => panic!("it succeeded"),
        Err(status) => status.code(),
    }
}

fn buffer(device: &Device, bytes: u64) -> Buffer {
    device
        .allocator()
        .allocate(&BufferParams::device_local(), bytes)
        .unwrap()
}

pub(super) fn scale_and_offset(device: &Device) -> Result<Executable> {
    let data = fixtures::read("gfx1100/scale_and_offset.fb");
    device
        .create_executable_cache()
        .prepare_fixture(&ExecutableParams::new(&data))
}

fn one_fill(device: &Device, target: &Buffer) -> CommandBuffer {
    let commands = device
        .create_command_buffer(
            CommandBufferFlags::empty(),
            CommandCategories::ANY,
            QueueAffinity::ANY,
            0,
        )
        .unwrap();
    commands.begin().unwrap();
    commands.fill(&BufferRef::whole(target), &[7]).unwrap();
    commands.end().unwrap();
    commands
}

#[test]
fn affinity_takes_the_lowest_queue_allowed() {
    let select = |bits, count| QueueAffinity(bits).select(count);
    assert_eq!(select(0, 4).unwrap(), 0);
    assert_eq!(QueueAffinity::ANY.select(64).unwrap(), 0);
    assert_eq!(select(0b1100, 4).unwrap(), 2);
    assert_eq!(select(1 << 63, 64).unwrap(), 63);
    for (bits, count) in [(0b10000, 4), (1 << 63, 63), (0b10, 1)] {
        assert_eq!(code(select(bits, count)), StatusCode::InvalidArgument);
    }
    let (device, _) = counted(3);
    let queue = device.queue(QueueAffinity(0b110)).unwrap();
    assert_eq!(queue.ordinal(), 1);
    assert_eq!(
        code(device.queue(QueueAffinity(0b1000))),
        StatusCode::InvalidArgument
    );
}

#[test]
fn signalling_records_nothing_and_an_event_comes_every_few_submissions() {
    let (device, plan) = counted(1);
    let queue = &device.queues()[0];
    let [done] = semaphores();
    let target = buffer(&device, 16);
    let commands = one_fill(&device, &target);
    for value in 1..MARKER_INTERVAL {
        queue
            .execute(&[], &at(&done, value), &[Execution::new(&commands)])
            .unwrap();
    }
    assert_eq!(plan.calls_of("hipEventRecord"), 0);
    queue
        .execute(
            &[],
            &at(&done, MARKER_INTERVAL),
            &[Execution::new(&commands)],
        )
        .unwrap();
    assert_eq!(plan.calls_of("hipEventRecord"), 1);
    // It has passed, and so everything before it is known to be complete.
    assert_eq!(done.timeline().value(), MARKER_INTERVAL);
}

#[test]
fn a_wait_of_the_same_queue_costs_nothing() {
    let (device, plan) = counted(1);
    let queue = &device.queues()[0];
    let [s] = semaphores();
    queue.barrier(&[], &at(&s, 1)).unwrap();
    queue.barrier(&at(&s, 1), &at(&s, 2)).unwrap();
    assert_eq!(plan.calls_of("hipEventRecord"), 0);
    assert_eq!(plan.calls_of("hipStreamWaitEvent"), 0);
    s.wait(2, LONG).unwrap();
}

#[test]
fn a_wait_of_another_queue_records_one_event_for_all_who_come() {
    let (device, plan) = counted(3);
    let [first, second, third] = [0, 1, 2].map(|ordinal| device.queues()[ordinal].clone());
    let [s, t, u] = semaphores();
    first.barrier(&[], &at(&s, 1)).unwrap();
    second.barrier(&at(&s, 1), &at(&t, 1)).unwrap();
    third.barrier(&at(&s, 1), &at(&u, 1)).unwrap();
    assert_eq!(plan.calls_of("hipEventRecord"), 1);
    assert_eq!(plan.calls_of("hipStreamWaitEvent"), 2);
    t.wait(1, LONG).unwrap();
    u.wait(1, LONG).unwrap();
}

#[test]
fn a_host_wait_records_one_marker_and_learns_of_all_before_it() {
    let (device, plan) = counted(1);
    let queue = &device.queues()[0];
    let [s, t] = semaphores();
    queue.barrier(&[], &at(&s, 1)).unwrap();
    queue.barrier(&[], &at(&t, 5)).unwrap();
    t.wait(5, Timeout::Infinite).unwrap();
    assert_eq!(plan.calls_of("hipEventRecord"), 1);
    // It had passed when it was looked at: nobody had to sleep.
    assert_eq!(plan.calls_of("hipEventQuery"), 1);
    assert_eq!(plan.calls_of("hipEventSynchronize"), 0);
    s.wait(1, Timeout::Immediate).unwrap();
    assert_eq!(s.query().unwrap(), 1);
    assert_eq!(plan.calls_of("hipEventRecord"), 1);
}

#[test]
fn asking_a_semaphore_looks_at_the_device() {
    let (device, _) = counted(1);
    let queue = &device.queues()[0];
    let [s] = semaphores();
    queue.barrier(&[], &at(&s, 1)).unwrap();
    queue.barrier(&[], &at(&s, 2)).unwrap();
    assert_eq!(s.query().unwrap(), 2);
    queue.barrier(&[], &at(&s, 3)).unwrap();
    s.wait(3, Timeout::Immediate).unwrap();
}

#[test]
fn a_sleeper_is_woken_by_work_submitted_later() {
    let (device, _) = counted(2);
    let [s, t] = semaphores();
    let points = [Timepoint::new(&s, 1), Timepoint::new(&t, 1)];
    thread::scope(|scope| {
        let one = scope.spawn(|| s.wait(1, Timeout::Infinite));
        let timed = scope.spawn(|| s.wait(1, LONG));
        let any = scope.spawn(|| wait_timepoints(&points, WaitMode::Any, LONG));
        let all = scope.spawn(|| wait_timepoints(&points, WaitMode::All, LONG));
        thread::sleep(Duration::from_millis(10));
        device.queues()[0].barrier(&[], &at(&s, 1)).unwrap();
        device.queues()[1].barrier(&at(&s, 1), &at(&t, 1)).unwrap();
        for waiter in [one, timed, any, all] {
            waiter.join().unwrap().unwrap();
        }
    });
}

#[test]
fn device_and_host_semaphores_are_waited_for_together() {
    let (device, _) = counted(1);
    let [host, work, never] = semaphores();
    let queue = &device.queues()[0];
    queue.barrier(&[], &at(&work, 1)).unwrap();
    let points = |semaphores: &[&Semaphore]| -> Vec<Timepoint> {
        semaphores.iter().map(|s| Timepoint::new(s, 1)).collect()
    };
    wait_timepoints(&points(&[&never, &work]), WaitMode::Any, LONG).unwrap();
    let both = points(&[&host, &work]);
    assert_eq!(
        code(wait_timepoints(
            &both,
            WaitMode::All,
            Duration::from_millis(5)
        )),
        StatusCode::DeadlineExceeded
    );
    host.signal(1).unwrap();
    wait_timepoints(&both, WaitMode::All, LONG).unwrap();
}

#[test]
fn work_waits_for_the_host_without_holding_up_later_work() {
    let (device, plan) = counted(1);
    let queue = &device.queues()[0];
    let [gate, late, early] = semaphores();
    let target = buffer(&device, 16);
    let commands = one_fill(&device, &target);
    queue
        .execute(&at(&gate, 101), &at(&late, 1), &[Execution::new(&commands)])
        .unwrap();
    queue
        .execute(&[], &at(&early, 1), &[Execution::new(&commands)])
        .unwrap();
    early.wait(1, LONG).unwrap();
    assert_eq!(plan.calls_of("hipMemsetD8Async"), 1);
    assert_eq!(
        code(late.wait(1, Timeout::Immediate)),
        StatusCode::DeadlineExceeded
    );
    gate.signal(100).unwrap();
    assert_eq!(plan.calls_of("hipMemsetD8Async"), 1);
    gate.signal(200).unwrap();
    late.wait(1, LONG).unwrap();
    assert_eq!(plan.calls_of("hipMemsetD8Async"), 2);
}

#[test]
fn work_waits_for_a_queue_that_has_not_promised_yet() {
    let (device, _) = counted(2);
    let [s, t, u] = semaphores();
    let [first, second] = [0, 1].map(|ordinal| device.queues()[ordinal].clone());
    // Submitted in the wrong order, through two queues and back.
    first.barrier(&at(&t, 1), &at(&u, 1)).unwrap();
    second.barrier(&at(&s, 1), &at(&t, 1)).unwrap();
    assert_eq!(u.query().unwrap(), 0);
    first.barrier(&[], &at(&s, 1)).unwrap();
    u.wait(1, LONG).unwrap();
}

#[test]
fn two_batches_wait_for_different_values_of_one_signal() {
    let (device, _) = counted(3);
    let [s, t, u] = semaphores();
    device.queues()[1].barrier(&at(&s, 1), &at(&t, 1)).unwrap();
    device.queues()[2].barrier(&at(&s, 2), &at(&u, 1)).unwrap();
    device.queues()[0].barrier(&[], &at(&s, 3)).unwrap();
    let points = [Timepoint::new(&t, 1), Timepoint::new(&u, 1)];
    wait_timepoints(&points, WaitMode::All, LONG).unwrap();
    // A wait for less than was signalled is reached.
    device.queues()[1].barrier(&at(&s, 2), &at(&t, 2)).unwrap();
    t.wait(2, LONG).unwrap();
}

#[test]
fn work_waits_for_host_and_device_together() {
    let (device, _) = counted(2);
    let [host, work, done] = semaphores();
    let waits = [Timepoint::new(&host, 1), Timepoint::new(&work, 1)];
    let signals = [Timepoint::new(&done, 1), Timepoint::new(&work, 2)];
    device.queues()[0].barrier(&waits, &signals).unwrap();
    device.queues()[1].barrier(&[], &at(&work, 1)).unwrap();
    assert_eq!(done.query().unwrap(), 0);
    host.signal(1).unwrap();
    wait_timepoints(&signals, WaitMode::All, LONG).unwrap();
}

#[test]
fn a_value_that_was_passed_cannot_be_signalled() {
    let device = null_device();
    let queue = &device.queues()[0];
    let s = Semaphore::new(5).unwrap();
    assert_eq!(code(queue.barrier(&[], &at(&s, 5))), StatusCode::OutOfRange);
    assert_eq!(
        code(queue.barrier(&[], &at(&s, 1 << 31))),
        StatusCode::OutOfRange
    );
    assert_eq!(
        code(queue.barrier(&at(&s, 1 << 31), &[])),
        StatusCode::OutOfRange
    );
}

#[test]
fn a_failed_wait_fails_the_signals_with_the_same_status() {
    let (device, plan) = counted(2);
    let [s, t, u, v] = semaphores();
    let target = buffer(&device, 16);
    let commands = one_fill(&device, &target);
    let execution = [Execution::new(&commands)];
    let queue = &device.queues()[0];
    // Parked before the failure, chained through another queue, and after it.
    queue.execute(&at(&s, 1), &at(&t, 1), &execution).unwrap();
    device.queues()[1].barrier(&at(&t, 1), &at(&u, 1)).unwrap();
    let cause = Status::cancelled("the input never came");
    s.fail(cause.clone());
    queue.execute(&at(&s, 1), &at(&v, 1), &execution).unwrap();
    for failed in [&t, &u, &v] {
        assert!(failed.wait(1, LONG).unwrap_err().ptr_eq(&cause));
    }
    assert_eq!(plan.calls_of("hipMemsetD8Async"), 0);
    // A batch with nothing to signal is let go of as well.
    queue.execute(&at(&s, 1), &[], &execution).unwrap();
}

#[test]
fn parked_work_fails_as_soon_as_any_of_its_waits_does() {
    let (device, plan) = counted(1);
    let queue = &device.queues()[0];
    let [work, never, done] = semaphores();
    queue.barrier(&[], &at(&work, 1)).unwrap();
    let waits = [Timepoint::new(&work, 1), Timepoint::new(&never, 1)];
    queue.barrier(&waits, &at(&done, 1)).unwrap();
    plan.arm_named("hipEventQuery", 0, Code::ILLEGAL_ADDRESS);
    let cause = work.wait(1, Timeout::Infinite).unwrap_err();
    assert!(done.wait(1, Timeout::Immediate).unwrap_err().ptr_eq(&cause));
}

#[test]
fn an_error_while_issuing_fails_the_signals_and_names_the_kernel() {
    let (device, plan) = counted(1);
    let queue = &device.queues()[0];
    let executable = scale_and_offset(&device).unwrap();
    let data = BufferRef::whole(&buffer(&device, 64));
    let [s, t, u] = semaphores();
    let bindings = [data.clone(), data];
    let dispatch = Command::Dispatch {
        executable: &executable,
        export: 0,
        config: [1; 3].into(),
        constants: &[1, 2],
        bindings: &bindings,
    };
    plan.arm_named("hipModuleLaunchKernel", 0, Code::LAUNCH_OUT_OF_RESOURCES);
    queue.run(&[], &at(&s, 1), &dispatch).unwrap();
    queue.run(&at(&s, 1), &at(&t, 1), &dispatch).unwrap();
    let status = s.wait(1, LONG).unwrap_err();
    assert_eq!(status.code(), StatusCode::ResourceExhausted);
    assert!(status.message().contains("`scale_and_offset`"), "{status}");
    assert!(t.wait(1, LONG).unwrap_err().ptr_eq(&status));
    // The queue goes on.
    queue.run(&[], &at(&u, 1), &dispatch).unwrap();
    u.wait(1, LONG).unwrap();
}

#[test]
fn a_fault_fails_everything_not_known_to_be_complete_with_its_cause() {
    for waits_alone in [true, false] {
        let (device, plan) = counted(2);
        let queue = &device.queues()[0];
        let [s, t, u, v, w] = semaphores();
        queue.barrier(&[], &at(&s, 1)).unwrap();
        s.wait(1, LONG).unwrap();
        queue.barrier(&[], &at(&s, 2)).unwrap();
        queue.barrier(&at(&s, 2), &at(&t, 1)).unwrap();
        device.queues()[1].barrier(&at(&t, 1), &at(&u, 1)).unwrap();
        let look = match waits_alone {
            true => "hipEventQuery",
            false => "hipEventSynchronize",
        };
        plan.arm_named(look, 0, Code::ILLEGAL_ADDRESS);
        let waited = match waits_alone {
            true => t.wait(1, Timeout::Infinite),
            false => t.wait(1, LONG),
        };
        let cause = waited.unwrap_err();
        assert_eq!(cause.code(), StatusCode::Internal);
        assert!(
            cause.message().contains("hipErrorIllegalAddress"),
            "{cause}"
        );
        assert!(s.query().unwrap_err().ptr_eq(&cause));
        assert!(u.wait(1, LONG).unwrap_err().ptr_eq(&cause));
        queue.barrier(&at(&u, 1), &at(&v, 1)).unwrap();
        assert!(v.query().unwrap_err().ptr_eq(&cause));
        // The stream synchronised without an error, so the queue is usable.
        queue.barrier(&[], &at(&w, 1)).unwrap();
        w.wait(1, LONG).unwrap();
    }
}

#[test]
fn host_functions_are_called_once_their_waits_are_reached() {
    let (device, _) = counted(1);
    let queue = &device.queues()[0];
    let [gate, work, done] = semaphores();
    let (tell, told) = mpsc::channel();
    let waits = [Timepoint::new(&gate, 1), Timepoint::new(&work, 1)];
    let call: HostFunction = Box::new(move |signals| {
        assert_eq!(signals[0].value, 3);
        tell.send(thread::current().id()).unwrap();
        Ok(())
    });
    queue
        .host_call(&waits, &at(&done, 3), call, HostCallFlags::empty())
        .unwrap();
    queue.barrier(&[], &at(&work, 1)).unwrap();
    assert!(told.recv_timeout(Duration::from_millis(5)).is_err());
    gate.signal(1).unwrap();
    done.wait(3, LONG).unwrap();
    assert_ne!(told.recv().unwrap(), thread::current().id());
    // Work waits for the call.
    let [next] = semaphores();
    queue.barrier(&at(&done, 3), &at(&next, 1)).unwrap();
    next.wait(1, LONG).unwrap();
}

#[test]
fn how_a_host_function_ends_is_how_its_signals_end() {
    let device = null_device();
    let queue = &device.queues()[0];
    let call = |waits: &[Timepoint], signals: &Semaphore, function: HostFunction, flags| {
        queue
            .host_call(waits, &at(signals, 1), function, flags)
            .unwrap();
    };
    let none = HostCallFlags::empty();
    let [gate, failed, later, skipped, unblocked] = semaphores();
    let refuse: HostFunction = Box::new(|_| Err(Status::permission_denied("no")));
    call(&[], &failed, refuse, none);
    assert_eq!(code(failed.wait(1, LONG)), StatusCode::PermissionDenied);

    let (give, given) = mpsc::channel();
    let defer: HostFunction = Box::new(move |signals| {
        give.send(signals.clone()).unwrap();
        Err(Status::deferred("later"))
    });
    call(&[], &later, defer, none);
    let signals = given.recv_timeout(LONG).unwrap();
    assert_eq!(later.query().unwrap(), 0);
    signals.signal().unwrap();
    later.wait(1, LONG).unwrap();

    let called = Arc::new(AtomicUsize::new(0));
    let count = called.clone();
    let never: HostFunction = Box::new(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        Ok(())
    });
    call(&at(&gate, 1), &skipped, never, none);
    gate.fail(Status::data_loss("gone"));
    assert_eq!(code(skipped.wait(1, LONG)), StatusCode::DataLoss);
    assert_eq!(called.load(Ordering::Relaxed), 0);

    let (release, released) = mpsc::channel::<()>();
    let blocked: HostFunction = Box::new(move |_| {
        let _ = released.recv_timeout(LONG);
        Ok(())
    });
    call(&[], &unblocked, blocked, HostCallFlags::NON_BLOCKING);
    unblocked.wait(1, LONG).unwrap();
    release.send(()).unwrap();
}

#[test]
fn memory_comes_and_goes_in_the_order_of_the_queue() {
    let (device, plan) = counted(1);
    let queue = &device.queues()[0];
    let [gate, allocated, filled, freed, used] = semaphores();
    let params = BufferParams::device_local();
    let buffer = queue
        .alloca(&at(&gate, 1), &at(&allocated, 1), &params, LARGE)
        .unwrap();
    // No address yet, and yet it can be recorded and submitted.
    assert_eq!(code(buffer.device_ptr()), StatusCode::FailedPrecondition);
    let commands = one_fill(&device, &buffer);
    let execution = [Execution::new(&commands)];
    queue
        .execute(&at(&allocated, 1), &at(&filled, 1), &execution)
        .unwrap();
    queue
        .dealloca(&at(&filled, 1), &at(&freed, 1), &buffer)
        .unwrap();
    assert_eq!(plan.calls_of("hipMallocFromPoolAsync"), 0);
    gate.signal(1).unwrap();
    freed.wait(1, LONG).unwrap();
    assert_eq!(plan.calls_of("hipMallocFromPoolAsync"), 1);
    assert_eq!(plan.calls_of("hipMemsetD8Async"), 1);
    assert_eq!(plan.calls_of("hipFreeAsync"), 1);
    // Using it now is a mistake that its signals tell.
    queue.execute(&[], &at(&used, 1), &execution).unwrap();
    assert_eq!(code(used.wait(1, LONG)), StatusCode::FailedPrecondition);
}

#[test]
fn markers_are_used_again_however_their_work_is_waited_for() {
    let (device, plan) = counted(1);
    let queue = &device.queues()[0];
    let [s] = semaphores();
    for value in 1..=30 {
        queue.barrier(&[], &at(&s, value)).unwrap();
        match value % 3 {
            0 => s.wait(value, Timeout::Infinite).unwrap(),
            1 => s.wait(value, LONG).unwrap(),
            _ => assert_eq!(s.query().unwrap(), value),
        }
    }
    assert!(plan.calls_of("hipEventCreateWithFlags") <= 2);
}

#[test]
fn small_memory_is_handed_out_again_without_asking_the_driver() {
    let (device, plan) = counted(1);
    let queue = &device.queues()[0];
    let params = BufferParams::device_local();
    let [s] = semaphores();
    let mut addresses = Vec::new();
    for round in 0..3 {
        let buffer = queue
            .alloca(&[], &at(&s, 3 * round + 1), &params, 64)
            .unwrap();
        addresses.push(buffer.device_ptr().unwrap());
        queue
            .fill(
                &[],
                &at(&s, 3 * round + 2),
                &BufferRef::whole(&buffer),
                &[1],
            )
            .unwrap();
        // By the queue, while it is in use, or by dropping it.
        match round {
            0 => queue.dealloca(&[], &at(&s, 3), &buffer).unwrap(),
            _ => s.wait(3 * round + 2, Timeout::Infinite).unwrap(),
        }
    }
    assert_eq!(addresses, [addresses[0]; 3]);
    assert_eq!(plan.calls_of("hipMallocFromPoolAsync"), 1);
    assert_eq!(plan.calls_of("hipFreeAsync"), 0);
    // Another size is other memory, and other memory that is not there is
    // made of what is kept.
    plan.arm_named("hipMallocFromPoolAsync", 0, Code::OUT_OF_MEMORY);
    let other = queue.alloca(&[], &at(&s, 10), &params, 128).unwrap();
    other.device_ptr().unwrap();
    assert_eq!(plan.calls_of("hipFreeAsync"), 1);
    drop(other);
    queue.wait_idle();
    assert_eq!(plan.calls_of("hipFreeAsync"), 1);
    device.trim().unwrap();
    assert_eq!(plan.calls_of("hipFreeAsync"), 2);
    drop(device);
    assert_eq!(plan.live(), 0);
}

#[test]
fn dropped_memory_goes_back_to_its_pool_without_waiting_for_the_device() {
    let (device, plan) = counted(1);
    let queue = &device.queues()[0];
    let params = BufferParams::device_local();
    let [s] = semaphores();
    let buffer = queue.alloca(&[], &at(&s, 1), &params, LARGE).unwrap();
    queue
        .fill(&[], &at(&s, 2), &BufferRef::whole(&buffer), &[1])
        .unwrap();
    drop(buffer);
    assert_eq!(plan.calls_of("hipFreeAsync"), 0, "it is in use");
    s.wait(2, Timeout::Infinite).unwrap();
    assert_eq!(plan.calls_of("hipFreeAsync"), 1);
    assert_eq!(plan.calls_of("hipFree"), 0);
    // If that fails it is freed on the spot.
    let buffer = queue.alloca(&[], &at(&s, 3), &params, LARGE).unwrap();
    queue.wait_idle();
    plan.arm_named("hipFreeAsync", 0, Code::INVALID_VALUE);
    drop(buffer);
    assert_eq!(plan.calls_of("hipFree"), 1);
    drop(device);
    assert_eq!(plan.live(), 0);
}

#[test]
fn memory_alone_needs_no_waiting_where_no_other_queue_can_use_it() {
    for queues in [1, 2] {
        let (device, plan) = counted(queues);
        let queue = &device.queues()[0];
        let [s, t, u, v] = semaphores();
        let params = BufferParams::device_local();
        let query = |s: &Semaphore, value| Fence::at(s, value).peek();
        queue.alloca(&[], &at(&s, 1), &params, 64).unwrap();
        assert_eq!(query(&s, 1).unwrap(), queues == 1);
        // The host's memory is there for everybody at once.
        queue
            .alloca(&[], &at(&t, 1), &BufferParams::host_visible(), 64)
            .unwrap();
        assert!(query(&t, 1).unwrap());
        // Waits that are only promised are waited for.
        queue.barrier(&[], &at(&u, 1)).unwrap();
        queue.alloca(&at(&u, 1), &at(&v, 1), &params, 64).unwrap();
        assert!(!query(&v, 1).unwrap());
        assert_eq!(plan.calls_of("hipEventRecord"), 0);
        v.wait(1, LONG).unwrap();
        // What was reached stays so, whatever happens to the device later.
        if queues == 1 {
            plan.arm_named("hipEventQuery", 0, Code::ILLEGAL_ADDRESS);
            queue.barrier(&[], &at(&u, 2)).unwrap();
            u.wait(2, Timeout::Infinite).unwrap_err();
            assert_eq!(s.query().unwrap(), 1);
        }
    }
}

#[test]
fn a_failed_wait_allocates_nothing_and_frees_nothing() {
    let (device, plan) = counted(1);
    let queue = &device.queues()[0];
    let [broken, s, t, u, v] = semaphores();
    let params = BufferParams::device_local();
    let kept = queue.alloca(&[], &at(&s, 1), &params, 64).unwrap();
    broken.fail(Status::unavailable("broken"));
    queue.dealloca(&at(&broken, 1), &at(&t, 1), &kept).unwrap();
    assert_eq!(code(t.wait(1, LONG)), StatusCode::Unavailable);
    let never = queue
        .alloca(&at(&broken, 1), &at(&u, 1), &params, 64)
        .unwrap();
    assert_eq!(code(never.device_ptr()), StatusCode::Unavailable);
    assert_eq!(plan.calls_of("hipMallocFromPoolAsync"), 1);
    assert_eq!(plan.calls_of("hipFreeAsync"), 0);
    let commands = one_fill(&device, &kept);
    queue
        .execute(&at(&s, 1), &at(&v, 1), &[Execution::new(&commands)])
        .unwrap();
    v.wait(1, LONG).unwrap();
}

#[test]
fn submitted_work_keeps_what_it_uses_until_it_is_complete() {
    let (device, _) = counted(1);
    let queue = &device.queues()[0];
    let [gate, done] = semaphores();
    let target = buffer(&device, 64);
    let memory = Arc::downgrade(target.allocation());
    let commands = device
        .create_command_buffer(
            CommandBufferFlags::ONE_SHOT,
            CommandCategories::ANY,
            QueueAffinity::ANY,
            1,
        )
        .unwrap();
    commands.begin().unwrap();
    commands
        .fill(&BufferRef::slot(0, 0, 64), &[1, 2, 3, 4])
        .unwrap();
    commands.end().unwrap();
    let table = BindingTable::new(vec![Binding::whole(&target)]);
    let execution = Execution::with_bindings(&commands, &table);
    queue
        .execute(&at(&gate, 1), &at(&done, 1), &[execution])
        .unwrap();
    drop((commands, table, target));
    assert!(memory.upgrade().is_some());
    gate.signal(1).unwrap();
    // On this thread: with a watcher, waiters are woken before memory goes.
    done.wait(1, Timeout::Infinite).unwrap();
    assert!(memory.upgrade().is_none());
}

#[test]
fn a_released_device_fails_what_is_parked_and_finishes_what_is_submitted() {
    let (device, plan) = counted(2);
    let [gate, parked, submitted, called] = semaphores();
    let queue = device.queues()[0].clone();
    let target = buffer(&device, 64);
    queue
        .execute(
            &at(&gate, 1),
            &at(&parked, 1),
            &[Execution::new(&one_fill(&device, &target))],
        )
        .unwrap();
    queue
        .host_call(
            &at(&gate, 1),
            &at(&called, 1),
            Box::new(|_| Ok(())),
            HostCallFlags::empty(),
        )
        .unwrap();
    queue.barrier(&[], &at(&submitted, 1)).unwrap();
    drop(device);
    assert_eq!(code(parked.query()), StatusCode::Cancelled);
    assert_eq!(code(called.query()), StatusCode::Cancelled);
    assert_eq!(submitted.query().unwrap(), 1);
    // The queue's name is left, and says what has become of it.
    let [late, later] = semaphores();
    queue.barrier(&[], &at(&late, 1)).unwrap();
    queue.barrier(&at(&gate, 1), &at(&later, 1)).unwrap();
    assert_eq!(code(late.query()), StatusCode::Cancelled);
    assert_eq!(code(later.query()), StatusCode::Cancelled);
    drop((queue, target));
    assert_eq!(plan.live(), 0);
    // Nothing is left for the signal to submit.
    gate.signal(1).unwrap();
}

#[test]
fn large_updates_are_split() {
    let (device, plan) = counted(1);
    let queue = &device.queues()[0];
    let [done] = semaphores();
    let bytes = vec![5; 2 * MAX_UPDATE_BYTES + 37];
    let target = buffer(&device, bytes.len() as u64 + 3);
    let range = BufferRef::range(&target, 3, WHOLE_BUFFER);
    queue.update(&[], &at(&done, 1), &bytes, &range).unwrap();
    done.wait(1, LONG).unwrap();
    // Blocks of 32 KiB each, which come back to their pool.
    assert_eq!(plan.calls_of("hipMemcpyAsync"), 5);
    let wrong = BufferRef::range(&target, 0, 4);
    assert_eq!(
        code(queue.update(&[], &[], &bytes, &wrong)),
        StatusCode::InvalidArgument
    );
}

#[test]
fn mistakes_in_queue_transfers_are_told_at_once() {
    let device = null_device();
    let queue = &device.queues()[0];
    let target = BufferRef::whole(&buffer(&device, 16));
    let [s] = semaphores();
    assert_eq!(
        code(queue.fill(&[], &at(&s, 1), &target, &[0; 3])),
        StatusCode::InvalidArgument
    );
    let read_only = BufferParams {
        access: MemoryAccess::READ,
        usage: BufferUsage::TRANSFER,
        ..BufferParams::device_local()
    };
    let read_only = device.allocator().allocate(&read_only, 16).unwrap();
    assert_eq!(
        code(queue.copy(&[], &[], &target, &BufferRef::whole(&read_only))),
        StatusCode::PermissionDenied
    );
    // Nothing was submitted, nothing is signalled.
    queue.wait_idle();
    assert_eq!(s.query().unwrap(), 0);
}

/// Fill, update, copy, dispatch, barriers, memory of the queue, two queues,
/// two semaphores, both forms of executing.
fn mixed(api: &Arc<dyn Api>, mode: CommandBufferMode) -> Result<()> {
    let device = device_over(api, params(2, mode))?;
    let executable = scale_and_offset(&device)?;
    let allocate = |bytes| {
        device
            .allocator()
            .allocate(&BufferParams::device_local(), bytes)
    };
    let (input, output) = (allocate(64)?, allocate(64)?);
    let commands = device.create_command_buffer(
        CommandBufferFlags::empty(),
        CommandCategories::ANY,
        QueueAffinity::ANY,
        1,
    )?;
    commands.begin()?;
    commands.fill(&BufferRef::whole(&input), &[0; 4])?;
    commands.fill(&BufferRef::whole(&output), &[1; 2])?;
    commands.barrier()?;
    commands.update(&[1; 16], &BufferRef::range(&input, 0, 16))?;
    commands.barrier()?;
    let bindings = [BufferRef::range(&input, 0, 16), BufferRef::slot(0, 0, 16)];
    commands.dispatch(&executable, 0, [1; 3], &[3, 10], &bindings)?;
    commands.barrier()?;
    commands.copy(
        &BufferRef::slot(0, 0, 16),
        &BufferRef::range(&output, 16, 16),
    )?;
    commands.end()?;
    let s = device.create_semaphore(0)?;
    let t = device.create_semaphore(0)?;
    let (first, second) = (&device.queues()[0], &device.queues()[1]);
    let scratch = first.alloca(&[], &at(&s, 1), &BufferParams::device_local(), 64)?;
    let table = BindingTable::new(vec![Binding::whole(&scratch)]);
    let execution = Execution::with_bindings(&commands, &table);
    first.execute(&at(&s, 1), &at(&s, 2), &[execution.clone(), execution])?;
    second.copy(
        &at(&s, 2),
        &at(&t, 1),
        &BufferRef::whole(&output),
        &BufferRef::whole(&input),
    )?;
    first.dealloca(&at(&t, 1), &at(&s, 3), &scratch)?;
    s.wait(3, LONG)?;
    t.wait(1, Timeout::Infinite)
}

#[test]
fn any_call_may_fail_in_stream_mode() {
    fail_every_call(|api| mixed(api, CommandBufferMode::Stream));
}

#[test]
fn any_call_may_fail_in_graph_mode() {
    fail_every_call(|api| mixed(api, CommandBufferMode::Graph));
}

#[test]
fn many_threads_submit_to_many_queues() {
    const THREADS: usize = 4;
    const ROUNDS: u64 = 200;
    let (device, plan) = counted(3);
    let target = buffer(&device, 64);
    let commands = one_fill(&device, &target);
    // A ring: each thread's work waits for the one before it, and the first
    // for the last of the round before.
    let ring: [Semaphore; THREADS] = semaphores();
    thread::scope(|scope| {
        for index in 0..THREADS {
            let (device, ring, commands) = (&device, &ring, &commands);
            scope.spawn(move || {
                for round in 1..=ROUNDS {
                    let before = (index + THREADS - 1) % THREADS;
                    let wait = at(&ring[before], if index == 0 { round - 1 } else { round });
                    let queue = &device.queues()[(index + round as usize) % 3];
                    queue
                        .execute(&wait, &at(&ring[index], round), &[Execution::new(commands)])
                        .unwrap();
                    if round % 16 == 0 {
                        ring[index].wait(round, LONG).unwrap();
                    }
                }
            });
        }
    });
    ring[THREADS - 1].wait(ROUNDS, LONG).unwrap();
    assert_eq!(plan.calls_of("hipMemsetD8Async"), THREADS as u64 * ROUNDS);
    drop((commands, target, device));
    assert_eq!(plan.live(), 0);
}

#[test]
fn host_and_device_play_ping_pong() {
    let (device, _) = counted(2);
    let [ping, pong] = semaphores();
    for round in 1..=300 {
        let queue = &device.queues()[round as usize % 2];
        queue.barrier(&at(&ping, round), &at(&pong, round)).unwrap();
    }
    for round in 1..=300 {
        ping.signal(round).unwrap();
        pong.wait(round, LONG).unwrap();
    }
}

#[test]
fn what_is_kept_with_commands_goes_when_their_work_is_complete() {
    let (device, _) = counted(1);
    let queue = &device.queues()[0];
    let target = buffer(&device, 16);
    let [done] = semaphores();
    let kept = Arc::new(());
    let count = || Arc::strong_count(&kept);
    queue
        .run_once(&[], &at(&done, 1), |commands| {
            commands.keep(kept.clone())?;
            commands.write(&[5; 16], &BufferRef::whole(&target))
        })
        .unwrap();
    assert_eq!(count(), 2, "it is not known to be complete");
    done.wait(1, Timeout::Infinite).unwrap();
    assert_eq!(count(), 1);
    let commands = one_fill(&device, &target);
    assert_eq!(code(commands.keep(())), StatusCode::FailedPrecondition);
}
