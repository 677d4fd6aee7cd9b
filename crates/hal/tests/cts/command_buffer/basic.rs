//! Command buffers themselves.

use hal::flags::{CommandBufferFlags, CommandCategories};
use hal::{Execution, QueueAffinity, StatusCode};

use crate::cases;
use crate::frame::{Case, Fixture, Outcome};

pub(crate) const CASES: &[Case] = cases![Bindings:
    create,
    begin_end,
    submit_empty,
    one_shot_is_submitted_once,
    record_outside_of_recording,
    submit_what_was_not_ended,
    category_is_kept,
    debug_groups,
];

fn create(fixture: &Fixture) -> Outcome {
    let commands = fixture.device.create_command_buffer(
        CommandBufferFlags::ONE_SHOT,
        CommandCategories::DISPATCH,
        QueueAffinity::ANY,
        0,
    )?;
    assert_eq!(commands.flags(), CommandBufferFlags::ONE_SHOT);
    assert_eq!(commands.categories(), CommandCategories::DISPATCH);
    Ok(())
}

fn begin_end(fixture: &Fixture) -> Outcome {
    let commands = fixture.command_buffer(CommandBufferFlags::ONE_SHOT)?;
    commands.begin()?;
    commands.end()?;
    let status = commands.begin().expect_err("recorded again");
    assert_eq!(status.code(), StatusCode::FailedPrecondition);
    Ok(())
}

fn submit_empty(fixture: &Fixture) -> Outcome {
    let execution = fixture.record(|_, _| Ok(()))?;
    fixture.execute(&execution)?;
    fixture.execute(&execution)?;
    Ok(())
}

fn one_shot_is_submitted_once(fixture: &Fixture) -> Outcome {
    let commands = fixture.command_buffer(CommandBufferFlags::ONE_SHOT)?;
    commands.begin()?;
    commands.end()?;
    let execution = Execution::new(&commands);
    fixture.execute(&execution)?;
    let status = fixture.execute(&execution).expect_err("executed again");
    assert_eq!(status.code(), StatusCode::FailedPrecondition);
    Ok(())
}

fn record_outside_of_recording(fixture: &Fixture) -> Outcome {
    let commands = fixture.command_buffer(CommandBufferFlags::empty())?;
    let early = commands.barrier().expect_err("recorded before begin");
    assert_eq!(early.code(), StatusCode::FailedPrecondition);
    let early = commands.end().expect_err("ended before begin");
    assert_eq!(early.code(), StatusCode::FailedPrecondition);
    commands.begin()?;
    let twice = commands.begin().expect_err("begun twice");
    assert_eq!(twice.code(), StatusCode::FailedPrecondition);
    commands.barrier()?;
    commands.end()?;
    let late = commands.barrier().expect_err("recorded after end");
    assert_eq!(late.code(), StatusCode::FailedPrecondition);
    Ok(())
}

fn submit_what_was_not_ended(fixture: &Fixture) -> Outcome {
    let commands = fixture.command_buffer(CommandBufferFlags::empty())?;
    let execution = Execution::new(&commands);
    let new = fixture.execute(&execution).expect_err("executed unbegun");
    assert_eq!(new.code(), StatusCode::FailedPrecondition);
    commands.begin()?;
    let open = fixture.execute(&execution).expect_err("executed unended");
    assert_eq!(open.code(), StatusCode::FailedPrecondition);
    commands.end()?;
    fixture.execute(&execution)?;
    Ok(())
}

fn category_is_kept(fixture: &Fixture) -> Outcome {
    let buffer = fixture.buffer(&[0; 16])?;
    let commands = fixture.device.create_command_buffer(
        CommandBufferFlags::empty(),
        CommandCategories::DISPATCH,
        QueueAffinity::ANY,
        0,
    )?;
    commands.begin()?;
    let target = hal::BufferRef::whole(&buffer);
    let status = commands.fill(&target, &[1]).expect_err("a transfer");
    assert_eq!(status.code(), StatusCode::FailedPrecondition);
    commands.end()?;
    fixture.execute(&Execution::new(&commands))?;
    assert_eq!(fixture.read(&buffer)?, [0; 16]);
    Ok(())
}

fn debug_groups(fixture: &Fixture) -> Outcome {
    let buffer = fixture.buffer(&[0; 16])?;
    fixture.run(|commands, names| {
        commands.record(&hal::Command::BeginDebugGroup { label: "outer" })?;
        commands.record(&hal::Command::BeginDebugGroup { label: "inner" })?;
        commands.fill(&names.whole(&buffer), &[7])?;
        commands.record(&hal::Command::EndDebugGroup)?;
        let open = commands.end().expect_err("ended inside of a group");
        assert_eq!(open.code(), StatusCode::FailedPrecondition);
        commands.record(&hal::Command::EndDebugGroup)
    })?;
    assert_eq!(fixture.read(&buffer)?, [7; 16]);
    Ok(())
}
