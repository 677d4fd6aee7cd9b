//! Command buffers as objects.

use hal::flags::{CommandBufferFlags, CommandCategories};
use hal::{Execution, QueueAffinity, StatusCode};

use crate::cases;
use crate::frame::{Case, Fixture, Outcome};
use crate::work::{at, refused};

pub(crate) const CASES: &[Case] = cases![Bindings:
    create,
    begin_end,
    submit_empty,
    begin_twice,
    end_without_begin,
    record_outside_begin_and_end,
    submit_unfinished,
    submit_one_shot_twice,
    submit_to_another_device,
    debug_groups,
    flags_that_exclude_each_other,
];

fn create(fixture: &Fixture) -> Outcome {
    let slots = if fixture.indirect { 16 } else { 0 };
    let flags = CommandBufferFlags::ONE_SHOT;
    let categories = CommandCategories::DISPATCH;
    let commands =
        fixture
            .device
            .create_command_buffer(flags, categories, QueueAffinity(1), slots)?;
    assert_eq!(commands.flags(), flags);
    assert_eq!(commands.categories(), categories);
    assert_eq!(commands.affinity(), QueueAffinity(1));
    assert_eq!(commands.binding_capacity(), slots);
    // A queue that is not there.
    let other = QueueAffinity(1 << 40);
    let created = fixture
        .device
        .create_command_buffer(flags, categories, other, slots);
    refused(created, StatusCode::InvalidArgument);
    Ok(())
}

fn begin_end(fixture: &Fixture) -> Outcome {
    fixture.record(|_| Ok(()))?;
    Ok(())
}

fn submit_empty(fixture: &Fixture) -> Outcome {
    let execution = fixture.record(|_| Ok(()))?;
    fixture.submit(&execution)?;
    fixture.submit(&execution)
}

fn begin_twice(fixture: &Fixture) -> Outcome {
    let commands = fixture.command_buffer(CommandBufferFlags::empty(), 0)?;
    commands.begin()?;
    refused(commands.begin(), StatusCode::FailedPrecondition);
    commands.end()?;
    refused(commands.begin(), StatusCode::FailedPrecondition);
    Ok(())
}

fn end_without_begin(fixture: &Fixture) -> Outcome {
    let commands = fixture.command_buffer(CommandBufferFlags::empty(), 0)?;
    refused(commands.end(), StatusCode::FailedPrecondition);
    commands.begin()?;
    commands.end()?;
    refused(commands.end(), StatusCode::FailedPrecondition);
    Ok(())
}

fn record_outside_begin_and_end(fixture: &Fixture) -> Outcome {
    let commands = fixture.command_buffer(CommandBufferFlags::empty(), 0)?;
    refused(commands.barrier(), StatusCode::FailedPrecondition);
    commands.begin()?;
    commands.barrier()?;
    commands.end()?;
    refused(commands.barrier(), StatusCode::FailedPrecondition);
    Ok(())
}

fn submit_unfinished(fixture: &Fixture) -> Outcome {
    let commands = fixture.command_buffer(CommandBufferFlags::empty(), 0)?;
    let execution = [Execution::new(&commands)];
    let submit = || fixture.queue().execute(&[], &[], &execution);
    refused(submit(), StatusCode::FailedPrecondition);
    commands.begin()?;
    refused(submit(), StatusCode::FailedPrecondition);
    commands.end()?;
    fixture.submit(&execution[0])
}

fn submit_one_shot_twice(fixture: &Fixture) -> Outcome {
    let commands = fixture.command_buffer(CommandBufferFlags::ONE_SHOT, 0)?;
    commands.begin()?;
    commands.end()?;
    let execution = Execution::new(&commands);
    fixture.submit(&execution)?;
    let again = fixture.queue().execute(&[], &[], &[execution]);
    refused(again, StatusCode::FailedPrecondition);
    Ok(())
}

fn submit_to_another_device(fixture: &Fixture) -> Outcome {
    let params = fixture.device.params();
    let other = fixture
        .driver
        .create_device_by_id(fixture.info.id, params)?;
    let execution = fixture.record(|_| Ok(()))?;
    let done = other.create_semaphore(0)?;
    let submitted = other.queues()[0].execute(&[], &at(&done, 1), &[execution]);
    refused(submitted, StatusCode::InvalidArgument);
    assert_eq!(done.query()?, 0);
    Ok(())
}

fn debug_groups(fixture: &Fixture) -> Outcome {
    let begin = hal::Command::BeginDebugGroup { label: "outer" };
    let end = hal::Command::EndDebugGroup;
    fixture.execute(|commands| {
        commands.record(&begin)?;
        commands.record(&begin)?;
        refused(commands.end(), StatusCode::FailedPrecondition);
        commands.record(&end)?;
        commands.record(&end)?;
        Ok(())
    })?;
    let commands = fixture.command_buffer(CommandBufferFlags::empty(), 0)?;
    commands.begin()?;
    commands.record(&end)?;
    refused(commands.end(), StatusCode::FailedPrecondition);
    Ok(())
}

fn flags_that_exclude_each_other(fixture: &Fixture) -> Outcome {
    let inline = CommandBufferFlags::ALLOW_INLINE_EXECUTION;
    let one_shot = CommandBufferFlags::ONE_SHOT;
    let nested = CommandBufferFlags::NESTED;
    for (flags, slots) in [
        (inline, 0),
        (inline | one_shot | nested, 0),
        (inline | one_shot, 1),
    ] {
        let created = fixture.device.create_command_buffer(
            flags,
            CommandCategories::ANY,
            QueueAffinity::ANY,
            slots,
        );
        refused(created, StatusCode::InvalidArgument);
    }
    fixture.command_buffer(inline | one_shot, 0)?;
    Ok(())
}
