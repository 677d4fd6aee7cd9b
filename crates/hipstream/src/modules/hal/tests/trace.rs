//! The HIP calls that a program becomes, of each generation: what `__init`
//! and what a call costs. `HIPSTREAM_BLESS=1 cargo test -p hipstream --lib
//! trace` writes the files anew; look at what changed before keeping it.

use std::fmt::Write;
use std::path::Path;

use hal::{DeviceParams, Driver, DriverOptions, TraceSink};

use super::programs::{Program, try_floats};

/// Loads a program of two dispatches and calls it twice: the second call shows
/// what is left once everything is in place.
fn trace(target: &str) -> String {
    let sink = TraceSink::new();
    let api = hip::trace(hip::null(), sink.clone());
    let driver = Driver::with_api("null", api, DriverOptions::default()).unwrap();
    let device = driver
        .create_device_by_id(0, &DeviceParams::default())
        .unwrap();
    let mut text = String::new();
    let mut section = |name: &str| {
        write!(text, "# {name}\n{}", sink.text()).unwrap();
        sink.take();
    };
    section("device");
    let mut program = Program::load(&format!("{target}/add.vmfb"), &device).unwrap();
    // No watcher: whose calls would come in any order.
    program.patience = None;
    section("load");
    for call in ["first call", "second call"] {
        let values = [0.0; 1000];
        let args = (0..2).map(|_| try_floats(&device, &values)).collect();
        let args: Vec<_> = Result::unwrap(args);
        sink.take();
        let results = program.call("add", args).unwrap();
        section(call);
        drop(results);
        section("its results are dropped");
    }
    text
}

#[test]
fn hip_calls_of_a_program() {
    for target in ["gfx1100", "old_gfx1100"] {
        let actual = trace(target);
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("src/modules/hal/tests")
            .join(format!("trace.{target}.txt"));
        if std::env::var_os("HIPSTREAM_BLESS").is_some() {
            std::fs::write(&path, actual).unwrap();
            continue;
        }
        let expected = std::fs::read_to_string(&path).unwrap();
        assert_eq!(actual, expected, "{target}");
    }
}
