//! What is put off, when it is made, and what comes of failures.

use std::sync::Arc;

use hip::{Api, Code, FaultPlan};

use super::super::tests::{LONG, at, counted, scale_and_offset, semaphores};
use crate::flags::{CommandBufferFlags, CommandCategories};
use crate::testing::device_over;
use crate::{
    BufferRef, CommandBuffer, Device, DeviceParams, Execution, QueueAffinity, Result, Semaphore,
    StatusCode, Timeout,
};

const LAUNCH: &str = "hipModuleLaunchKernel";

/// Commands of dispatches, each over its own memory.
fn commands(device: &Device, dispatches: usize) -> Result<CommandBuffer> {
    let executable = scale_and_offset(device)?;
    let data = device
        .allocator()
        .allocate(&crate::BufferParams::device_local(), 64)?;
    let data = BufferRef::whole(&data);
    let (flags, any) = (CommandBufferFlags::empty(), CommandCategories::ANY);
    let commands = device.create_command_buffer(flags, any, QueueAffinity::ANY, 0)?;
    commands.begin()?;
    for _ in 0..dispatches {
        let bindings = [data.clone(), data.clone()];
        commands.dispatch(&executable, 0, [1, 1, 1], &[1, 2], &bindings)?;
    }
    commands.end()?;
    Ok(commands)
}

/// Submits for `values` of a semaphore.
fn ahead(
    device: &Device,
    commands: &CommandBuffer,
    done: &Semaphore,
    values: std::ops::RangeInclusive<u64>,
) -> Result<()> {
    let executions = [Execution::new(commands)];
    for value in values {
        device.queues()[0].execute_ahead(&[], &at(done, value), &executions)?;
    }
    Ok(())
}

#[test]
fn dispatches_are_put_off_once_the_device_has_something_to_do() {
    let (device, plan) = counted(1);
    let queue = &device.queues()[0];
    let commands = commands(&device, 1).unwrap();
    let [s] = semaphores();
    ahead(&device, &commands, &s, 1..=12).unwrap();
    assert_eq!(plan.calls_of(LAUNCH), 8);
    queue.catch_up();
    assert_eq!(plan.calls_of(LAUNCH), 12);
    ahead(&device, &commands, &s, 13..=14).unwrap();
    assert_eq!(plan.calls_of(LAUNCH), 12);
    // Who asks or waits makes them run, and so does a flush.
    assert_eq!(s.query().unwrap(), 14);
    assert_eq!(plan.calls_of(LAUNCH), 14);
    ahead(&device, &commands, &s, 15..=24).unwrap();
    assert_eq!(plan.calls_of(LAUNCH), 22, "eight are under way again");
    s.wait(24, Timeout::Infinite).unwrap();
    assert_eq!(plan.calls_of(LAUNCH), 24);
    ahead(&device, &commands, &s, 25..=34).unwrap();
    queue.flush();
    assert_eq!(plan.calls_of(LAUNCH), 34);
}

#[test]
fn what_must_not_wait_is_not_put_off() {
    let (device, plan) = counted(2);
    let queue = &device.queues()[0];
    let (one, two) = (commands(&device, 1).unwrap(), commands(&device, 2).unwrap());
    let [gate, s, t] = semaphores();
    ahead(&device, &one, &s, 1..=10).unwrap();
    assert_eq!(plan.calls_of(LAUNCH), 8);
    // Somebody who submits and goes.
    queue
        .execute(&[], &at(&s, 11), &[Execution::new(&one)])
        .unwrap();
    assert_eq!(plan.calls_of(LAUNCH), 11);
    // More than one dispatch.
    ahead(&device, &two, &s, 12..=12).unwrap();
    assert_eq!(plan.calls_of(LAUNCH), 13);
    // Parked until somebody else comes.
    queue
        .execute_ahead(&at(&gate, 1), &at(&t, 1), &[Execution::new(&one)])
        .unwrap();
    gate.signal(1).unwrap();
    assert_eq!(plan.calls_of(LAUNCH), 14);
    // Another queue waits for it.
    ahead(&device, &one, &s, 13..=14).unwrap();
    assert_eq!(plan.calls_of(LAUNCH), 14);
    device.queues()[1].barrier(&at(&s, 14), &at(&t, 2)).unwrap();
    assert_eq!(plan.calls_of(LAUNCH), 16);
    // The device goes.
    ahead(&device, &one, &s, 15..=16).unwrap();
    drop((one, two, device));
    assert_eq!(plan.calls_of(LAUNCH), 18);
    assert_eq!(s.query().unwrap(), 16);
    assert_eq!(plan.live(), 0);
}

#[test]
fn a_launch_that_fails_fails_its_own_signals_and_names_the_kernel() {
    let (device, plan) = counted(1);
    let queue = &device.queues()[0];
    let commands = commands(&device, 1).unwrap();
    let [s, failing, behind, other] = semaphores();
    ahead(&device, &commands, &s, 1..=9).unwrap();
    let executions = [Execution::new(&commands)];
    // The last of those before is put off too.
    plan.arm_named(LAUNCH, 1, Code::LAUNCH_OUT_OF_RESOURCES);
    let submit = |wait: &[_], signal: &[_]| queue.execute_ahead(wait, signal, &executions);
    submit(&[], &at(&failing, 1)).unwrap();
    submit(&at(&failing, 1), &at(&behind, 1)).unwrap();
    submit(&[], &at(&other, 1)).unwrap();
    assert_eq!(plan.fired(), None);
    let status = failing.wait(1, LONG).unwrap_err();
    assert_eq!(plan.fired(), Some(LAUNCH));
    assert_eq!(status.code(), StatusCode::ResourceExhausted);
    assert!(status.message().contains("`scale_and_offset`"), "{status}");
    assert!(behind.wait(1, LONG).unwrap_err().ptr_eq(&status));
    s.wait(9, LONG).unwrap();
    other.wait(1, LONG).unwrap();
    // The queue goes on.
    ahead(&device, &commands, &s, 10..=30).unwrap();
    s.wait(30, LONG).unwrap();
}

#[test]
fn a_fault_takes_what_was_put_off_with_it() {
    let (device, plan) = counted(1);
    let commands = commands(&device, 1).unwrap();
    let [s, t] = semaphores();
    ahead(&device, &commands, &s, 1..=8).unwrap();
    device.queues()[0].barrier(&[], &at(&t, 1)).unwrap();
    // A marker that stands for the first nine.
    let fence = crate::Fence::at(&t, 1);
    plan.arm_named("hipEventQuery", 1, Code::ILLEGAL_ADDRESS);
    fence.query().unwrap();
    ahead(&device, &commands, &s, 9..=18).unwrap();
    let launched = plan.calls_of(LAUNCH);
    assert!(launched < 18);
    let cause = s.wait(18, Timeout::Infinite).unwrap_err();
    assert!(
        cause.message().contains("hipErrorIllegalAddress"),
        "{cause}"
    );
    let [u] = semaphores();
    ahead(&device, &commands, &u, 1..=20).unwrap();
    u.wait(20, LONG).unwrap();
}

/// Whatever fails, everybody hears how it ended and nothing is left behind.
#[test]
fn any_call_may_fail() {
    let scenario = |api: &Arc<dyn Api>| -> Result<()> {
        let device = device_over(api, DeviceParams::default())?;
        let commands = commands(&device, 1)?;
        let [s] = semaphores();
        ahead(&device, &commands, &s, 1..=100)?;
        s.wait(100, LONG)
    };
    let counting = FaultPlan::counting();
    scenario(&hip::faulty(hip::null(), &counting)).unwrap();
    assert!(counting.calls_of("hipGraphLaunch") > 1, "there are batches");
    for index in 0..counting.calls() {
        let plan = FaultPlan::fail_call(index, Code::LAUNCH_OUT_OF_RESOURCES);
        let result = scenario(&hip::faulty(hip::null(), &plan));
        let call = plan.fired().expect("it makes as many calls");
        if let Err(status) = result {
            assert!(format!("{status:#}").contains(call), "{call}: {status:#}");
        } else {
            // Where there is no graph, kernels are launched one by one.
            assert!(!call.contains("Launch") || call.contains("Graph"), "{call}");
        }
        assert_eq!(plan.live(), 0, "leaked when call {index}, {call}, failed");
    }
}

/// The same where another thread makes the launches, so that calls come in no
/// certain order.
#[test]
fn any_call_of_the_helper_may_fail() {
    let scenario = |api: &Arc<dyn Api>| -> Result<()> {
        let device = device_over(api, DeviceParams::default())?;
        let commands = commands(&device, 1)?;
        let [s] = semaphores();
        ahead(&device, &commands, &s, 1..=200)?;
        s.wait(200, LONG)?;
        ahead(&device, &commands, &s, 201..=230)?;
        s.wait(230, LONG)
    };
    let software = || hip::software(hip::SoftwareOptions::default());
    let counting = FaultPlan::counting();
    scenario(&hip::faulty(software(), &counting)).unwrap();
    for name in ["hipEventRecord", "hipGraphLaunch", LAUNCH, "hipEventQuery"] {
        let calls = counting.calls_of(name);
        assert!(calls > 1, "{name}");
        for index in 0..calls.min(40) {
            let plan = FaultPlan::fail_named(name, index, Code::LAUNCH_OUT_OF_RESOURCES);
            let result = scenario(&hip::faulty(software(), &plan));
            match (result, plan.fired()) {
                (Err(status), Some(_)) => {
                    assert!(format!("{status:#}").contains(name), "{name}: {status:#}");
                }
                (Err(status), None) => panic!("nothing failed, and yet: {status:#}"),
                // Kernels are launched one by one instead; or there were
                // fewer calls this time.
                (Ok(()), fired) => {
                    let is_replaced = fired.is_none() || name == "hipGraphLaunch";
                    assert!(is_replaced, "{name} {index} failed and nobody heard of it");
                }
            }
            assert_eq!(plan.live(), 0, "leaked when {name} {index} failed");
        }
    }
}
