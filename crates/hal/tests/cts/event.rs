//! Events. Commands on them are refused when they are recorded: a later
//! version will run them, and these cases with it.

use hal::flags::ExecutionStage;
use hal::{Command, StatusCode};

use crate::cases;
use crate::frame::{Case, Fixture, Outcome};

pub(crate) const CASES: &[Case] = cases![Mode:
    create,
    refused_when_recorded,
];

fn create(fixture: &Fixture) -> Outcome {
    let (a, b) = (
        fixture.device.create_event()?,
        fixture.device.create_event()?,
    );
    assert!(a.ptr_eq(&a.clone()) && !a.ptr_eq(&b));
    Ok(())
}

fn refused_when_recorded(fixture: &Fixture) -> Outcome {
    let event = fixture.device.create_event()?;
    let source = ExecutionStage::COMMAND_RETIRE;
    for command in [
        Command::SignalEvent {
            event: &event,
            source,
        },
        Command::ResetEvent {
            event: &event,
            source,
        },
        Command::WaitEvents {
            events: std::slice::from_ref(&event),
            source,
            target: ExecutionStage::COMMAND_ISSUE,
            memory: &[],
            buffers: &[],
        },
    ] {
        let result = fixture.run(|commands, _| commands.record(&command));
        let status = result.expect_err("a command on an event was recorded");
        assert_eq!(status.code(), StatusCode::Unimplemented, "{status:#}");
    }
    Ok(())
}
