//! Setting devices up, and what programs ask them.

use hip::{DeviceAttribute, FaultPlan, NullOptions};

use super::*;
use crate::testing::{counted_device, device_over, fail_every_call, null_device, null_device_with};
use crate::{BufferParams, StatusCode};

#[test]
fn patterns_match_as_globs() {
    for (pattern, expected) in [
        ("hip", true),
        ("*", true),
        ("h*", true),
        ("*p", true),
        ("h?p", true),
        ("**h*i*p**", true),
        ("???", true),
        ("", false),
        ("hi", false),
        ("hipp", false),
        ("??", false),
        ("????", false),
        ("vulkan", false),
        ("*x*", false),
    ] {
        assert_eq!(matches_pattern(pattern, "hip"), expected, "{pattern}");
    }
    assert!(matches_pattern("a*bc", "abxbc"));
}

#[test]
fn queries_answer_what_programs_ask() {
    let device = null_device();
    for (category, key, expected) in [
        ("hal.device.id", "hip", Some(1)),
        ("hal.device.id", "hip*", Some(1)),
        ("hal.device.id", "amdgpu", Some(1)),
        ("hal.device.id", "vulkan", Some(0)),
        ("hal.executable.format", "rocm-hsaco-fb", Some(1)),
        ("hal.executable.format", "HSACO", Some(1)),
        ("hal.executable.format", "hip-hsaco-fb", Some(0)),
        ("hal.executable.format", "FOO?", Some(0)),
        ("hal.executable.format", "gfx1100", Some(1)),
        ("hal.executable.format", "gfx1100:xnack+", Some(0)),
        ("hal.executable.format", "gfx942", Some(0)),
        ("hal.executable.format", "", Some(0)),
        ("hal.device", "concurrency", Some(1)),
        ("hal.device", "colour", None),
        ("hal.gpu", "concurrency", None),
        ("", "", None),
    ] {
        match (device.query_i64(category, key), expected) {
            (Ok(value), Some(expected)) => assert_eq!(value, expected, "{category} {key}"),
            (Err(status), None) => assert_eq!(status.code(), StatusCode::NotFound),
            (result, _) => panic!("{category} {key}: {result:?}"),
        }
    }
}

#[test]
fn pinned_features_are_the_devices_own() {
    let arch = "gfx90a:sramecc+:xnack-";
    for (wanted, expected) in [
        ("gfx90a", true),
        ("gfx90a:xnack-", true),
        ("gfx90a:xnack-:sramecc+", true),
        ("gfx90a:xnack+", false),
        ("gfx90a:", false),
        ("gfx90", false),
        ("gfx942", false),
        ("sramecc+", false),
        ("", false),
    ] {
        assert_eq!(is_satisfied_by(wanted, arch), expected, "{wanted}");
    }
}

#[test]
fn limits_are_the_devices_own() {
    let limits = *null_device().limits();
    assert_eq!(limits.max_block_dims, [1024; 3]);
    assert_eq!(limits.max_threads_per_block, 1024);
    assert_eq!(limits.max_grid_dims, [i32::MAX as u32, 65_536, 65_536]);
    assert_eq!(limits.max_shared_memory_per_block, 65_536);
    assert!(limits.concurrent_managed_access && limits.memory_pools);
    let device = null_device_with(DeviceAttribute::MaxSharedMemoryPerBlock, 1024);
    assert_eq!(device.limits().max_shared_memory_per_block, 1024);
}

#[test]
fn a_limit_that_makes_no_sense_is_an_error() {
    let api = hip::null_with(NullOptions {
        attributes: vec![(DeviceAttribute::MaxGridDimY, -1)],
        ..NullOptions::default()
    });
    let status = device_over(&api, DeviceParams::default()).unwrap_err();
    assert_eq!(status.code(), StatusCode::Internal);
    assert!(status.message().contains("MaxGridDimY"), "{status}");
}

#[test]
fn impossible_parameters_reach_no_device() {
    let plan = FaultPlan::counting();
    let api = hip::faulty(hip::null(), &plan);
    let devices = hip::Device::enumerate(&api).unwrap();
    let before = plan.calls();
    let params = DeviceParams {
        queue_count: 0,
        ..DeviceParams::default()
    };
    let status = Device::new(&devices[0], params).unwrap_err();
    assert_eq!(status.code(), StatusCode::InvalidArgument);
    assert_eq!(plan.calls(), before);
}

#[test]
fn each_queue_has_a_stream() {
    let plan = FaultPlan::counting();
    let api = hip::faulty(hip::null(), &plan);
    let params = DeviceParams {
        queue_count: 3,
        ..DeviceParams::default()
    };
    let device = device_over(&api, params).unwrap();
    assert_eq!(plan.calls_of("hipStreamCreateWithFlags"), 3);
    drop(device);
    assert_eq!(plan.calls_of("hipStreamDestroy"), 3);
    assert_eq!(plan.live(), 0);
}

#[test]
fn pools_are_made_only_where_they_are_wanted_and_possible() {
    let count = |attributes: Vec<(DeviceAttribute, i32)>, async_allocations| {
        let plan = FaultPlan::counting();
        let inner = hip::null_with(NullOptions {
            attributes,
            ..NullOptions::default()
        });
        let params = DeviceParams {
            async_allocations,
            ..DeviceParams::default()
        };
        let device = device_over(&hip::faulty(inner, &plan), params).unwrap();
        // What works without pools must not depend on them.
        device.trim().unwrap();
        device.allocator().statistics().unwrap();
        plan.calls_of("hipMemPoolCreate")
    };
    assert_eq!(count(vec![], true), 2);
    assert_eq!(count(vec![], false), 0);
    let none = vec![(DeviceAttribute::MemoryPoolsSupported, 0)];
    assert_eq!(count(none, true), 0);
}

#[test]
fn the_second_pool_failing_destroys_the_first() {
    let plan = FaultPlan::fail_named("hipMemPoolCreate", 1, hip::Code::OUT_OF_MEMORY);
    let api = hip::faulty(hip::null(), &plan);
    let status = device_over(&api, DeviceParams::default()).unwrap_err();
    assert_eq!(status.code(), StatusCode::ResourceExhausted);
    assert_eq!(plan.calls_of("hipMemPoolDestroy"), 1);
    assert_eq!(plan.live(), 0);
}

#[test]
fn trim_reaches_both_pools_and_the_blocks() {
    let (device, plan) = counted_device();
    drop(device.block_pool().acquire_staging());
    let mut blocks = vec![device.block_pool().acquire_staging().unwrap()];
    device.block_pool().release_staging(&mut blocks);
    assert_eq!(device.block_pool().usage().free, 1);
    device.trim().unwrap();
    assert_eq!(device.block_pool().usage().free, 0);
    assert_eq!(plan.calls_of("hipMemPoolTrimTo"), 2);
}

#[test]
fn each_pool_has_its_own_parameters() {
    let sink = hip::TraceSink::new();
    let api = hip::trace(hip::null(), sink.clone());
    let pool = |minimum_capacity, release_threshold| crate::PoolParams {
        minimum_capacity,
        release_threshold,
    };
    let params = DeviceParams {
        device_local_pool: pool(111, 222),
        other_pool: pool(333, 444),
        ..DeviceParams::default()
    };
    let device = device_over(&api, params).unwrap();
    device.trim().unwrap();
    let numbers = |call: &str| -> Vec<String> {
        let lines = sink.lines();
        let lines = lines.iter().filter(|line| line.starts_with(call));
        lines
            .map(|line| {
                let arguments = line.trim_end_matches(')');
                arguments.rsplit(", ").next().unwrap().to_owned()
            })
            .collect()
    };
    assert_eq!(numbers("hipMemPoolSetAttribute("), ["222", "444"]);
    assert_eq!(numbers("hipMemPoolTrimTo("), ["111", "333"]);
}

#[test]
fn creation_survives_every_fault() {
    fail_every_call(|api| device_over(api, DeviceParams::default()).map(drop));
}

#[test]
fn a_buffer_may_outlive_its_device() {
    let (device, plan) = counted_device();
    let params = BufferParams::host_visible();
    let buffer = device.allocator().allocate(&params, 16).unwrap();
    drop(device);
    buffer.map_write(0, &[7; 16]).unwrap();
    assert!(plan.live() > 0);
    drop(buffer);
    assert_eq!(plan.live(), 0);
}
