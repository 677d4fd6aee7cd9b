//! A program on a provider whose calls fail, one at a time.

use std::sync::Arc;

use hal::{DeviceParams, Driver, DriverOptions};
use hip::{Api, Code, FaultPlan};
use vm::{Error, Result};

use super::programs::{Program, try_floats};
use crate::modules::hal::to_error;

/// Calls that are made when something is dropped too, when there may be nobody
/// left to hear that they failed.
const QUIET_CALLS: [&str; 4] = [
    "hipFreeAsync",
    "hipCtxGetCurrent",
    "hipCtxSetCurrent",
    "hipStreamSynchronize",
];

/// Loads a program and calls it, on a device of its own; all is dropped at the end.
fn scenario(api: &Arc<dyn Api>, target: &str) -> Result<()> {
    let device = Driver::with_api("faulty", api.clone(), DriverOptions::default())
        .and_then(|driver| driver.create_device_by_id(0, &DeviceParams::default()))
        .map_err(to_error)?;
    let mut program = Program::load(&format!("{target}/add.vmfb"), &device)?;
    let values = vec![0.0; 1000];
    let args = (0..2)
        .map(|_| try_floats(&device, &values))
        .collect::<hal::Result<_>>()
        .map_err(to_error)?;
    program.call("add", args)?;
    Ok(())
}

/// Everything that an error says, down to its first cause.
fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}

fn fail_every_call(target: &str) {
    let counting = FaultPlan::counting();
    scenario(&hip::faulty(hip::null(), &counting), target).unwrap();
    assert_eq!(counting.live(), 0, "leaked without any fault");
    for index in 0..counting.calls() {
        let plan = FaultPlan::fail_call(index, Code::LAUNCH_OUT_OF_RESOURCES);
        let api = hip::faulty(hip::null(), &plan);
        let result = scenario(&api, target);
        let Some(call) = plan.fired() else {
            // With threads in play a run may make fewer calls than another.
            result.expect("nothing failed");
            continue;
        };
        match result {
            Err(error) => {
                let text = chain(&error);
                assert_eq!(error.code(), vm::Code::RESOURCE_EXHAUSTED, "{text}");
                assert!(text.contains(call), "{call} is not in: {text}");
            }
            Ok(()) => assert!(
                QUIET_CALLS.contains(&call),
                "nobody noticed that {call} failed"
            ),
        }
        assert_eq!(plan.live(), 0, "leaked when call {index}, {call}, failed");
        scenario(&api, target).unwrap_or_else(|error| panic!("after {call} failed: {error}"));
        assert_eq!(plan.live(), 0);
    }
}

#[test]
fn any_call_may_fail_while_a_program_of_version_7_runs() {
    fail_every_call("gfx1100");
}

#[test]
fn any_call_may_fail_while_a_program_of_version_2_runs() {
    fail_every_call("old_gfx1100");
}
