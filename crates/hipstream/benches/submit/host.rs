//! What a submission costs above HIP: the provider that does nothing.

use std::time::Instant;

use bytes::Bytes;
use hal::{DeviceParams, Driver, DriverOptions, TraceSink};
use hipstream::Session;

use super::{modules, say};

const RUNS: usize = 15;

/// Nanoseconds and driver calls of the programs, or why there are none.
pub(crate) fn report() {
    say("\nhost time above the driver, on the provider that does nothing:");
    for program in modules::PROGRAMS {
        let module = modules::folder().and_then(|folder| program.module(&folder, "gfx1100"));
        let file = module.and_then(|path| {
            std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))
        });
        match file {
            Ok(file) => report_one(program, file.into()),
            Err(reason) => return say(&format!("not measured: {reason}")),
        }
    }
}

fn report_one(program: &modules::Program, file: Bytes) {
    let elements = program.shape.iter().product::<u64>();
    // What is large is about the device, and nothing else.
    if elements > 1024 {
        return;
    }
    let zeros: &'static [f32] = vec![0.0; elements as usize].leak();
    let argument = || hipstream::Argument::array(zeros, program.shape).expect("it has that shape");
    let host = [argument(), argument()];
    let sink = TraceSink::new();
    let mut traced = session(hip::trace(hip::null(), sink.clone()), file.clone());
    let mut session = session(hip::null(), file);
    let mut best = f64::INFINITY;
    for _ in 0..RUNS {
        let start = Instant::now();
        session
            .call(program.function, &host)
            .expect("nothing can fail");
        best = best.min(start.elapsed().as_nanos() as f64);
    }
    for _ in 0..3 {
        sink.take();
        traced
            .call(program.function, &host)
            .expect("nothing can fail");
    }
    let calls = sink.take().len();
    say(&format!(
        "{:<34}{:>10.0} ns a dispatch, {calls} driver calls a call",
        program.title(),
        best / program.dispatches as f64,
    ));
}

fn session(api: std::sync::Arc<dyn hip::Api>, file: Bytes) -> Session {
    let device = Driver::with_api("null", api, DriverOptions::default())
        .and_then(|driver| driver.create_device_by_ordinal(0, &DeviceParams::default()))
        .expect("it has a device");
    let mut session = Session::builder()
        .device(&device)
        .build()
        .expect("it has a device");
    // SAFETY: the provider runs nothing.
    unsafe { session.load(file) }.expect("a module of the benchmark");
    session
}
