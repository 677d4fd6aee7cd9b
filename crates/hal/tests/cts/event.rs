//! Events between commands.

use hal::flags::ExecutionStage;
use hal::{Command, Event, StatusCode};

use crate::cases;
use crate::frame::{Case, Fixture, Outcome};
use crate::work::{at, refused};

pub(crate) const CASES: &[Case] = cases![Mode:
    create,
    signal_and_reset,
    submit_with_chained_command_buffers,
    refused_while_recording,
];

fn create(fixture: &Fixture) -> Outcome {
    let (first, second) = (
        fixture.device.create_event()?,
        fixture.device.create_event()?,
    );
    assert!(first.ptr_eq(&first.clone()));
    assert!(!first.ptr_eq(&second));
    Ok(())
}

const STAGE: ExecutionStage = ExecutionStage::COMMAND_PROCESS;

fn signal(event: &Event) -> Command<'_> {
    Command::SignalEvent {
        event,
        source: STAGE,
    }
}

fn reset(event: &Event) -> Command<'_> {
    Command::ResetEvent {
        event,
        source: STAGE,
    }
}

fn wait(events: &[Event]) -> Command<'_> {
    Command::WaitEvents {
        events,
        source: STAGE,
        target: STAGE,
        memory: &[],
        buffers: &[],
    }
}

fn signal_and_reset(fixture: &Fixture) -> Outcome {
    let event = fixture.device.create_event()?;
    fixture.execute(|commands| {
        commands.record(&signal(&event))?;
        commands.record(&reset(&event))?;
        Ok(())
    })
}

fn submit_with_chained_command_buffers(fixture: &Fixture) -> Outcome {
    let event = fixture.device.create_event()?;
    let buffer = fixture.buffer(16, 0)?;
    let first = fixture.record_one_shot(|commands| {
        commands.fill(&commands.whole(&buffer), &[1])?;
        commands.record(&signal(&event))?;
        Ok(())
    })?;
    let second = fixture.record_one_shot(|commands| {
        commands.record(&wait(std::slice::from_ref(&event)))?;
        commands.fill(&commands.whole(&buffer), &[2])?;
        Ok(())
    })?;
    let done = fixture.semaphore()?;
    fixture
        .queue()
        .execute(&[], &at(&done, 1), &[first, second])?;
    fixture.wait(&done, 1)?;
    fixture.expect(&buffer, &[2; 16])
}

/// What is not there is said at once, with a reason.
fn refused_while_recording(fixture: &Fixture) -> Outcome {
    let event = fixture.device.create_event()?;
    let events = [event.clone()];
    fixture.execute(|commands| {
        for command in [signal(&event), reset(&event), wait(&events)] {
            refused(commands.record(&command), StatusCode::Unimplemented);
        }
        Ok(())
    })
}
