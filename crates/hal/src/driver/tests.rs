//! Finding devices.

use hip::NullOptions;

use super::*;
use crate::StatusCode;
use crate::testing::fail_every_call;

fn driver(devices: u32, default_device: u32) -> Driver {
    let api = hip::null_with(NullOptions {
        devices,
        ..NullOptions::default()
    });
    let options = DriverOptions {
        default_device,
        ..DriverOptions::default()
    };
    Driver::with_api("test", api, options).unwrap()
}

fn path(ordinal: u32) -> String {
    format!("GPU-00000000-0000-0000-0000-{ordinal:012x}")
}

#[test]
fn uuids_are_parsed_whole() {
    let text = "00010203-0405-0607-0809-0a0b0c0d0e0f";
    let expected: [u8; 16] = std::array::from_fn(|index| index as u8);
    assert_eq!(parse_uuid(text), Some(expected));
    let plain = text.replace('-', "").to_uppercase();
    assert_eq!(parse_uuid(&plain), Some(expected));
    let longer = format!("{text}0");
    let no_hex = text.replace('f', "g");
    for bad in ["", "00", &text[1..], &longer, &no_hex] {
        assert_eq!(parse_uuid(bad), None, "{bad}");
    }
}

#[test]
fn devices_are_listed_with_ids_and_paths() {
    let infos = driver(2, 0).enumerate().unwrap();
    let expected: Vec<_> = (0..2)
        .map(|ordinal| DeviceInfo {
            id: u64::from(ordinal) + 1,
            path: path(ordinal),
            name: "null".to_owned(),
            arch: "gfx1100".to_owned(),
        })
        .collect();
    assert_eq!(infos, expected);
    assert!(infos.iter().all(|info| info.path.len() == 40));
    assert!(driver(0, 0).enumerate().unwrap().is_empty());
}

/// Ordinal of the device that a creation gave, or the code it failed with.
fn outcome(result: Result<Device>) -> std::result::Result<u32, StatusCode> {
    match result {
        Ok(device) => Ok(device.context().device().ordinal()),
        Err(status) => Err(status.code()),
    }
}

#[test]
fn devices_are_created_by_id() {
    let params = DeviceParams::default();
    let by_id = |driver: &Driver, id| outcome(driver.create_device_by_id(id, &params));
    assert_eq!(by_id(&driver(3, 0), 0), Ok(0));
    assert_eq!(by_id(&driver(3, 2), 0), Ok(2));
    assert_eq!(by_id(&driver(3, 2), 1), Ok(0));
    assert_eq!(by_id(&driver(3, 0), 3), Ok(2));
    assert_eq!(by_id(&driver(3, 0), 4), Err(StatusCode::NotFound));
    assert_eq!(by_id(&driver(3, 3), 0), Err(StatusCode::NotFound));
    assert_eq!(by_id(&driver(3, 0), u64::MAX), Err(StatusCode::NotFound));
    assert_eq!(by_id(&driver(0, 0), 0), Err(StatusCode::Unavailable));
    assert_eq!(by_id(&driver(0, 0), 1), Err(StatusCode::NotFound));
}

#[test]
fn devices_are_created_by_path() {
    let params = DeviceParams::default();
    let driver = driver(3, 1);
    let by_path = |path: &str| outcome(driver.create_device_by_path(path, &params));
    assert_eq!(by_path(""), Ok(1));
    assert_eq!(by_path(&path(2)), Ok(2));
    assert_eq!(by_path(&path(2).to_uppercase()), Ok(2));
    assert_eq!(by_path("0"), Ok(0));
    assert_eq!(by_path("2"), Ok(2));
    assert_eq!(by_path("3"), Err(StatusCode::NotFound));
    assert_eq!(by_path(&path(9)), Err(StatusCode::NotFound));
    assert_eq!(by_path("GPU-"), Err(StatusCode::InvalidArgument));
    assert_eq!(by_path("GPU-xyz"), Err(StatusCode::InvalidArgument));
    assert_eq!(by_path("-1"), Err(StatusCode::Unimplemented));
    assert_eq!(by_path("pci:0:1"), Err(StatusCode::Unimplemented));
}

#[test]
fn all_sixteen_bytes_of_a_uuid_count() {
    // The first half is the same for all devices of the provider.
    let params = DeviceParams::default();
    let driver = driver(1, 0);
    let other = "GPU-00000000-0000-0000-0000-000000000100";
    let result = driver.create_device_by_path(other, &params);
    assert_eq!(outcome(result), Err(StatusCode::NotFound));
}

#[test]
fn a_missing_ordinal_says_what_there_is() {
    let params = DeviceParams::default();
    let status = driver(3, 0)
        .create_device_by_ordinal(7, &params)
        .unwrap_err();
    assert_eq!(
        status.to_string(),
        "NOT_FOUND: there is no device 7: the driver `test` has devices 0 to 2"
    );
}

#[test]
fn info_is_printed() {
    let text = driver(1, 0).dump_device_info(1).unwrap();
    for line in [
        "- provider: null\n",
        "- architecture: gfx1100\n",
        "- most threads per workgroup: 1024 (1024 x 1024 x 1024)\n",
        "- group memory: 64 KiB\n",
        "- memory: 1048576 MiB\n",
        "- clock: 2482 MHz\n",
        "- memory pools: yes\n",
    ] {
        assert!(text.contains(line), "{line} is not in:\n{text}");
    }
    let status = driver(1, 0).dump_device_info(2).unwrap_err();
    assert_eq!(status.code(), StatusCode::NotFound);
}

#[test]
fn enumeration_survives_every_fault() {
    fail_every_call(|api| {
        let driver = Driver::with_api("test", api.clone(), DriverOptions::default())?;
        driver.enumerate()?;
        driver.dump_device_info(1)?;
        driver.create_device_by_path(&path(0), &DeviceParams::default())?;
        Ok(())
    });
}

#[test]
fn a_driver_that_cannot_be_opened_says_why() {
    let unavailable = |name: &str, options| {
        let status = Driver::open(name, options).unwrap_err();
        assert_eq!(status.code(), StatusCode::Unavailable);
        status.message().to_owned()
    };
    let message = unavailable("vulkan", DriverOptions::default());
    assert!(message.contains("`vulkan`"), "{message}");
    let options = DriverOptions::from_pairs([("hip_dylib_path", "/nonexistent/place")]).unwrap();
    let message = unavailable("hip", options);
    assert!(message.contains("/nonexistent/place"), "{message}");
}
