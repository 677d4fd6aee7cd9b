//! Finding and creating devices.

use hal::{DeviceParams, StatusCode};

use crate::cases;
use crate::frame::{Case, Fixture, Outcome};

pub(crate) const CASES: &[Case] = cases![Device:
    query_and_create_available_devices_by_id,
    query_and_create_available_devices_by_ordinal,
    query_and_create_available_devices_by_path,
    create_device_that_is_not_there,
    dump_device_info,
    query_device,
    impossible_parameters,
];

fn query_and_create_available_devices_by_id(fixture: &Fixture) -> Outcome {
    let params = DeviceParams::default();
    for info in fixture.driver.enumerate()? {
        let device = fixture.driver.create_device_by_id(info.id, &params)?;
        assert_eq!(device.name(), info.name);
        assert_eq!(device.arch(), info.arch);
    }
    fixture.driver.create_device_by_id(0, &params)?;
    Ok(())
}

fn query_and_create_available_devices_by_ordinal(fixture: &Fixture) -> Outcome {
    let params = DeviceParams::default();
    for (ordinal, info) in (0..).zip(fixture.driver.enumerate()?) {
        let device = fixture.driver.create_device_by_ordinal(ordinal, &params)?;
        assert_eq!(device.name(), info.name);
        let path = ordinal.to_string();
        fixture.driver.create_device_by_path(&path, &params)?;
    }
    Ok(())
}

fn query_and_create_available_devices_by_path(fixture: &Fixture) -> Outcome {
    let params = DeviceParams::default();
    fixture.driver.create_device_by_path("", &params)?;
    for info in fixture.driver.enumerate()? {
        assert!(info.path.starts_with("GPU-") && info.path.len() == 40);
        let device = fixture.driver.create_device_by_path(&info.path, &params)?;
        assert_eq!(device.name(), info.name);
    }
    Ok(())
}

fn create_device_that_is_not_there(fixture: &Fixture) -> Outcome {
    let params = DeviceParams::default();
    let by_path = |path: &str| {
        let created = fixture.driver.create_device_by_path(path, &params);
        created.expect_err(path).code()
    };
    let no_uuid = "GPU-fedcba98-7654-3210-fedc-ba9876543210";
    assert_eq!(by_path(no_uuid), StatusCode::NotFound);
    assert_eq!(by_path("1000"), StatusCode::NotFound);
    assert_eq!(by_path("GPU-123"), StatusCode::InvalidArgument);
    assert_eq!(by_path("somewhere/else"), StatusCode::Unimplemented);
    let by_id = fixture.driver.create_device_by_id(1001, &params);
    assert_eq!(by_id.expect_err("1001").code(), StatusCode::NotFound);
    Ok(())
}

fn dump_device_info(fixture: &Fixture) -> Outcome {
    let text = fixture.driver.dump_device_info(fixture.info.id)?;
    assert!(text.contains(&fixture.info.arch), "{text}");
    Ok(())
}

fn query_device(fixture: &Fixture) -> Outcome {
    let device = &fixture.device;
    for (name, format) in [("hip", "rocm-hsaco-fb"), ("cuda", "cuda-nvptx-fb")] {
        let is_it = i64::from(device.identifier() == name);
        let pattern = format!("{name}*");
        assert_eq!(device.query_i64("hal.device.id", &pattern)?, is_it);
        assert_eq!(device.query_i64("hal.executable.format", format)?, is_it);
    }
    assert_eq!(device.query_i64("hal.device.id", device.identifier())?, 1);
    assert_eq!(device.query_i64("hal.device.id", "other")?, 0);
    assert_eq!(device.query_i64("hal.executable.format", "FOO?")?, 0);
    assert!(device.query_i64("hal.device", "concurrency")? >= 1);
    let status = device.query_i64("no.such", "question").expect_err("answer");
    assert_eq!(status.code(), StatusCode::NotFound);
    Ok(())
}

fn impossible_parameters(fixture: &Fixture) -> Outcome {
    for (queue_count, arena_block_size) in [(0, 4096), (65, 4096), (1, 4095)] {
        let params = DeviceParams {
            queue_count,
            arena_block_size,
            ..DeviceParams::default()
        };
        let created = fixture.driver.create_device_by_id(0, &params);
        let status = created.expect_err("a device nobody can make");
        assert_eq!(status.code(), StatusCode::InvalidArgument);
    }
    Ok(())
}
