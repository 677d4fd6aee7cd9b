//! Devices and checks that the unit tests of this crate share.

use std::sync::Arc;

use hip::{Api, Code, DeviceAttribute, FaultPlan, NullOptions};

use crate::{Device, DeviceParams, Result, StatusCode};

/// A device of the provider that does nothing.
pub(crate) fn null_device() -> Device {
    device_over(&hip::null(), DeviceParams::default()).unwrap()
}

/// Such a device with one attribute of another value.
pub(crate) fn null_device_with(attribute: DeviceAttribute, value: i32) -> Device {
    let api = hip::null_with(NullOptions {
        attributes: vec![(attribute, value)],
        ..NullOptions::default()
    });
    device_over(&api, DeviceParams::default()).unwrap()
}

/// The first device of `api`.
pub(crate) fn device_over(api: &Arc<dyn Api>, params: DeviceParams) -> Result<Device> {
    let devices = hip::Device::enumerate(api)?;
    Device::new(&devices[0], params)
}

/// A device whose provider counts calls and live objects in the plan.
pub(crate) fn counted_device() -> (Device, FaultPlan) {
    let plan = FaultPlan::counting();
    let api = hip::faulty(hip::null(), &plan);
    (device_over(&api, DeviceParams::default()).unwrap(), plan)
}

/// Calls that are made when something is dropped too, when there may be nobody
/// left to hear that they failed.
const QUIET_CALLS: [&str; 4] = [
    "hipFreeAsync",
    "hipCtxGetCurrent",
    "hipCtxSetCurrent",
    "hipStreamSynchronize",
];

/// Runs `scenario` once for every HIP call it makes, with that call failing:
/// the failure must come out with its call's name, nothing may be leaked, and
/// the same scenario must then succeed on the same provider. The scenario must
/// drop all it makes.
pub(crate) fn fail_every_call(scenario: impl Fn(&Arc<dyn Api>) -> Result<()>) {
    let counting = FaultPlan::counting();
    scenario(&hip::faulty(hip::null(), &counting)).unwrap();
    assert_eq!(counting.live(), 0, "leaked without any fault");
    assert!(counting.calls() > 0);
    for index in 0..counting.calls() {
        let plan = FaultPlan::fail_call(index, Code::LAUNCH_OUT_OF_RESOURCES);
        let api = hip::faulty(hip::null(), &plan);
        let result = scenario(&api);
        let Some(call) = plan.fired() else {
            // With threads in play a run may make fewer calls than another.
            result.expect("nothing failed");
            continue;
        };
        match result {
            Err(status) => {
                assert_eq!(status.code(), StatusCode::ResourceExhausted, "{status:#}");
                let text = format!("{status:#}");
                assert!(text.contains(call), "{call} is not in: {text}");
            }
            Ok(()) => assert!(
                QUIET_CALLS.contains(&call),
                "nobody noticed that {call} failed"
            ),
        }
        assert_eq!(plan.live(), 0, "leaked when call {index}, {call}, failed");
        scenario(&api).unwrap_or_else(|status| panic!("after {call} failed: {status:#}"));
        assert_eq!(plan.live(), 0);
    }
    for index in 0..counting.teardown_calls() {
        let plan = FaultPlan::fail_teardown(index, Code::LAUNCH_FAILURE);
        let api = hip::faulty(hip::null(), &plan);
        // A release reports to whoever calls next, if anybody does.
        let result = scenario(&api);
        let Some(call) = plan.fired() else {
            result.expect("nothing failed");
            continue;
        };
        if let Err(status) = result {
            assert!(format!("{status:#}").contains(call), "{status:#}");
        }
        assert_eq!(
            plan.live(),
            0,
            "leaked when teardown {index}, {call}, failed"
        );
        scenario(&api).unwrap_or_else(|status| panic!("after {call} failed: {status:#}"));
    }
}
