//! Command buffers that find their own way, and graphs that change addresses.

use hip::{Api, Code, FaultPlan};

use super::*;
use crate::testing::device_over;
use crate::{DeviceParams, Semaphore, Timepoint};

/// A device whose calls are counted.
fn counted(mode: CommandBufferMode) -> (Device, FaultPlan) {
    let plan = FaultPlan::counting();
    let api = hip::faulty(hip::null(), &plan);
    (device(&api, mode).unwrap(), plan)
}

fn device(api: &Arc<dyn Api>, mode: CommandBufferMode) -> Result<Device> {
    let params = DeviceParams {
        command_buffer_mode: mode,
        ..DeviceParams::default()
    };
    device_over(api, params)
}

/// A fill, a copy and a dispatch on two slots.
fn commands(device: &Device, flags: CommandBufferFlags) -> Result<CommandBuffer> {
    let executable =
        device
            .create_executable_cache()
            .prepare_fixture(&crate::ExecutableParams::new(&fixtures::read(
                "gfx1100/scale_and_offset.fb",
            )))?;
    let any = (CommandCategories::ANY, QueueAffinity::ANY);
    let commands = device.create_command_buffer(flags, any.0, any.1, 2)?;
    commands.begin()?;
    commands.fill(&BufferRef::slot(0, 0, 32), &[7])?;
    commands.barrier()?;
    commands.copy(&BufferRef::slot(0, 0, 16), &BufferRef::slot(1, 0, 16))?;
    let slots = [BufferRef::slot(0, 0, 16), BufferRef::slot(1, 32, 16)];
    commands.dispatch(&executable, 0, [1; 3], &[1, 2], &slots)?;
    commands.end()?;
    Ok(commands)
}

fn tables(device: &Device, count: usize) -> Result<Vec<BindingTable>> {
    let allocate = || {
        let params = crate::BufferParams::device_local();
        device.allocator().allocate(&params, 64)
    };
    let table = || Ok([Binding::whole(&allocate()?), Binding::whole(&allocate()?)]);
    (0..count)
        .map(|_| table().map(|table| table.into_iter().collect()))
        .collect()
}

fn run(device: &Device, commands: &CommandBuffer, table: &BindingTable) -> Result<()> {
    let done = Semaphore::new(0)?;
    let execution = crate::Execution::with_bindings(commands, table);
    device.queues()[0].execute(&[], &[Timepoint::new(&done, 1)], &[execution])?;
    done.wait(1, crate::Timeout::Infinite)
}

#[test]
fn what_is_executed_again_is_tried_as_a_graph_and_then_goes_one_way() {
    let (device, plan) = counted(CommandBufferMode::Auto);
    let commands = commands(&device, CommandBufferFlags::empty()).unwrap();
    let table = &tables(&device, 1).unwrap()[0];
    let run = || run(&device, &commands, table).unwrap();
    // Once as it comes, and four times to take the time.
    (0..5).for_each(|_| run());
    assert_eq!(plan.calls_of("hipModuleLaunchKernel"), 5);
    assert_eq!(plan.calls_of("hipGraphInstantiate"), 0);
    // The same as a graph.
    (0..5).for_each(|_| run());
    assert_eq!(plan.calls_of("hipGraphInstantiate"), 1);
    assert_eq!(plan.calls_of("hipGraphLaunch"), 5);
    assert_eq!(plan.calls_of("hipEventElapsedTime"), 8);
    let launches = ["hipModuleLaunchKernel", "hipGraphLaunch"].map(|call| plan.calls_of(call));
    (0..5).for_each(|_| run());
    let after = ["hipModuleLaunchKernel", "hipGraphLaunch"].map(|call| plan.calls_of(call));
    let went = [after[0] - launches[0], after[1] - launches[1]];
    assert!(went == [5, 0] || went == [0, 5], "{went:?}");
    assert_eq!(plan.calls_of("hipEventElapsedTime"), 8);
    assert_eq!(plan.calls_of("hipGraphInstantiate"), 1);
}

#[test]
fn nothing_is_built_for_what_comes_once() {
    let (device, plan) = counted(CommandBufferMode::Auto);
    let again = commands(&device, CommandBufferFlags::empty()).unwrap();
    for table in &tables(&device, 20).unwrap() {
        run(&device, &again, table).unwrap();
        let once = commands(&device, CommandBufferFlags::ONE_SHOT).unwrap();
        run(&device, &once, table).unwrap();
    }
    assert_eq!(plan.calls_of("hipGraphCreate"), 0);
    assert_eq!(plan.calls_of("hipEventElapsedTime"), 0);
}

#[test]
fn what_cannot_be_a_graph_goes_by_the_stream() {
    let (device, plan) = counted(CommandBufferMode::Auto);
    let commands = commands(&device, CommandBufferFlags::empty()).unwrap();
    let table = &tables(&device, 1).unwrap()[0];
    plan.arm_named("hipGraphAddKernelNode", 0, Code::NOT_SUPPORTED);
    for _ in 0..20 {
        run(&device, &commands, table).unwrap();
    }
    assert_eq!(plan.calls_of("hipGraphCreate"), 1, "it is not tried again");
    assert_eq!(plan.calls_of("hipModuleLaunchKernel"), 20);
}

#[test]
fn graphs_beyond_those_that_are_kept_get_other_addresses() {
    let (device, plan) = counted(CommandBufferMode::Graph);
    let commands = commands(&device, CommandBufferFlags::empty()).unwrap();
    let tables = tables(&device, 6).unwrap();
    let patches = || {
        [
            "hipGraphExecKernelNodeSetParams",
            "hipGraphExecMemsetNodeSetParams",
            "hipDrvGraphExecMemcpyNodeSetParams",
        ]
        .map(|call| plan.calls_of(call))
    };
    for table in &tables[..4] {
        run(&device, &commands, table).unwrap();
    }
    assert_eq!(patches(), [0; 3]);
    for table in &tables[4..] {
        run(&device, &commands, table).unwrap();
    }
    assert_eq!(patches(), [2; 3]);
    assert_eq!(plan.calls_of("hipGraphInstantiate"), 4);
    // The tables used last are there, and the first is not.
    for table in &tables[2..] {
        run(&device, &commands, table).unwrap();
    }
    assert_eq!(patches(), [2; 3]);
    run(&device, &commands, &tables[0]).unwrap();
    assert_eq!(patches(), [3; 3]);
    // One that cannot be changed is built anew.
    plan.arm_named("hipGraphExecMemsetNodeSetParams", 0, Code::NOT_SUPPORTED);
    run(&device, &commands, &tables[1]).unwrap();
    assert_eq!(plan.calls_of("hipGraphInstantiate"), 5);
}

#[test]
fn a_graph_that_is_in_use_is_not_changed() {
    let (device, plan) = counted(CommandBufferMode::Graph);
    let commands = commands(&device, CommandBufferFlags::empty()).unwrap();
    let queue = &device.queues()[0];
    for table in &tables(&device, 6).unwrap() {
        let execution = crate::Execution::with_bindings(&commands, table);
        queue.execute(&[], &[], &[execution]).unwrap();
    }
    // Nobody has looked whether any of them is over.
    assert_eq!(plan.calls_of("hipGraphInstantiate"), 6);
    assert_eq!(plan.calls_of("hipGraphExecMemsetNodeSetParams"), 0);
}

/// Every call fails once: that fails the execution or is made up for, nothing
/// leaks, and the next time goes well.
#[test]
fn any_call_may_fail_on_the_way() {
    let scenario = |api: &Arc<dyn Api>| {
        let device = device(api, CommandBufferMode::Auto)?;
        let commands = commands(&device, CommandBufferFlags::empty())?;
        let tables = tables(&device, 2)?;
        for _ in 0..12 {
            for table in &tables {
                run(&device, &commands, table)?;
            }
        }
        Ok(())
    };
    let counting = FaultPlan::counting();
    let outcome: Result<()> = scenario(&hip::faulty(hip::null(), &counting));
    outcome.unwrap();
    for index in 0..counting.calls() {
        let plan = FaultPlan::fail_call(index, Code::LAUNCH_OUT_OF_RESOURCES);
        let api = hip::faulty(hip::null(), &plan);
        let outcome = scenario(&api);
        let Some(call) = plan.fired() else {
            outcome.unwrap();
            continue;
        };
        if let Err(status) = outcome {
            assert!(format!("{status:#}").contains(call), "{call}: {status:#}");
        }
        assert_eq!(plan.live(), 0, "leaked when call {index}, {call}, failed");
        scenario(&api).unwrap_or_else(|status| panic!("after {call} failed: {status:#}"));
    }
}
