//! Programs of both generations whose expectations hold, or do not.

use std::sync::Arc;

use hal::{DeviceParams, Driver, DriverOptions};
use vm::{BytecodeModule, Context, Invocation, Limits, Poll, Value};

use super::*;
use crate::modules::hal::HalModule;

/// Calls a function of the program `checks`: what did not hold.
fn failures_of(target: &str, function: &str) -> Vec<String> {
    let device = Driver::open("software", DriverOptions::default())
        .and_then(|driver| driver.create_device_by_id(0, &DeviceParams::default()))
        .unwrap();
    let failures = Failures::new();
    let file = fixtures::read(format!("{target}/checks.vmfb"));
    let mut context = Context::new(Limits::default());
    context.register(Box::new(HalModule::for_fixtures(vec![device])));
    context.register(Box::new(CheckModule::new(&failures)));
    let module = Arc::new(BytecodeModule::load(file.into()).unwrap());
    let module = context.link(module).unwrap();
    let call = context.lookup(module, function).unwrap();
    for function in context.initializer(module).into_iter().chain([call]) {
        let mut invocation = Invocation::new(&context, function, Vec::new()).unwrap();
        loop {
            match invocation.poll(&mut context, None).unwrap() {
                Poll::Done(results) => break assert!(results.is_empty()),
                Poll::Yielded => {}
                Poll::Waiting { on, .. } => {
                    let fence = types::FENCE.of(&on).unwrap();
                    fence.wait(hal::Timeout::Infinite).unwrap();
                }
            }
        }
    }
    failures.take()
}

#[test]
fn what_holds_is_not_told() {
    for target in ["gfx1100", "old_gfx1100"] {
        assert_eq!(failures_of(target, "hold"), [""; 0], "{target}");
    }
}

#[test]
fn all_that_does_not_hold_is_told_with_both_sides() {
    let sides = "\n  expected: 2xf32=1 2.5\n  actual:   2xf32=1 2";
    let element = "element at index 1 (2) does not match the expected (2.5)";
    for (target, within) in [
        ("gfx1100", "within 0.00009999999747378752 + 0 * |expected|"),
        ("old_gfx1100", "within 0.0001 + 0 * |expected|"),
    ] {
        assert_eq!(
            failures_of(target, "do_not_hold"),
            [
                "expect_true: expected a value other than 0, but have 0".to_owned(),
                "expect_false: expected 0, but have 2".to_owned(),
                "expect_all_true: expected no element to be 0, but the one at index 1 is\n  actual:   3xi8=1 0 1".to_owned(),
                format!("expect_eq: {element}{sides}"),
                format!("expect_almost_eq: {element} {within}{sides}"),
            ],
            "{target}"
        );
    }
}

/// Calls `export` with arrays in the host's memory.
fn check(signature: &str, name: &str, arrays: &[&str], rest: &[Value]) -> Result<Vec<String>> {
    let device = Driver::open("software", DriverOptions::default())
        .and_then(|driver| driver.create_device_by_id(0, &DeviceParams::default()))
        .unwrap();
    let failures = Failures::new();
    let mut module = CheckModule::new(&failures);
    let export = module.exports().iter();
    let export = export
        .clone()
        .position(|export| (export.name, export.signature) == (name, signature))
        .unwrap();
    let mut args: Vec<Value> = vec![types::DEVICE.wrap(device.clone()).into()];
    for text in arrays {
        let array: Array = text.parse().unwrap();
        let params = hal::BufferParams::host_visible();
        let bytes = array.bytes();
        let allocator = device.allocator();
        let buffer = allocator.allocate(&params, bytes.len() as u64).unwrap();
        buffer.map_write(0, bytes).unwrap();
        let encoding = hal::Encoding::DENSE_ROW_MAJOR;
        let view = hal::BufferView::new(buffer, array.shape(), array.element_type(), encoding);
        args.push(types::BUFFER_VIEW.wrap(view.unwrap()).into());
    }
    args.extend_from_slice(rest);
    let mut results = Vec::new();
    module.call(export, &mut Call::new(&args, &[], &mut results, None))?;
    assert!(results.is_empty());
    Ok(failures.take())
}

#[test]
fn equal_is_equal_in_type_shape_and_bits() {
    let eq = |a: &str, b: &str| check("0rrr_v", "expect_eq", &[a, b], &[]).unwrap();
    assert_eq!(eq("2xf32=1 nan", "2xf32=1 nan"), [""; 0]);
    assert!(eq("2xf32=1 2", "2xi32=1 2")[0].contains("metadata is 2xf32"));
    assert!(eq("2xf32=1 2", "1x2xf32=1 2")[0].contains("matches 1x2xf32"));
    assert!(eq("f32=0", "f32=-0")[0].contains("not the same bits"));
}

#[test]
fn almost_equal_allows_what_it_says() {
    let almost = |a: &str, b: &str, atol, rtol| {
        let tolerances = [Value::F32(atol), Value::F32(rtol)];
        check("0rrrff_v", "expect_almost_eq", &[a, b], &tolerances).unwrap()
    };
    assert_eq!(almost("2xf16=100 nan", "2xf16=101 nan", 0.5, 0.01), [""; 0]);
    assert_eq!(almost("f32=100", "f32=101", 0.5, 0.001).len(), 1);
    assert_eq!(almost("i32=100", "i32=101", 5.0, 0.5).len(), 1, "exactly");
}

#[test]
fn zero_of_either_sign_is_not_true() {
    let all_true = |a: &str| check("0rr_v", "expect_all_true", &[a], &[]).unwrap();
    assert_eq!(all_true("3xf32=1 -1 nan"), [""; 0]);
    assert_eq!(all_true("2xi32=256 -1"), [""; 0]);
    assert!(all_true("3xf32=1 2 -0")[0].contains("index 2"));
    assert_eq!(all_true("0xi8"), [""; 0]);
}
