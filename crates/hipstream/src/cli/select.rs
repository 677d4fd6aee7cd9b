//! Which device runs the work: never a silent choice.

use hal::{Device, DeviceParams, Driver, DriverOptions, Status, StatusCode, TraceSink};

use super::LibraryArgs;
use super::report::{DEVICE_ERROR, Failure, NO_DEVICE, USAGE};

/// The device, and how it came to be chosen, in one line.
pub(super) struct Chosen {
    pub(super) device: Device,
    pub(super) line: String,
}

/// Opens what `spec` names: `auto`, or a driver and perhaps `://` and a path.
pub(super) fn open(
    spec: &str,
    library: &LibraryArgs,
    params: &DeviceParams,
    trace: Option<&TraceSink>,
) -> Result<Chosen, Failure> {
    if spec != "auto" {
        let (name, path) = spec.split_once("://").unwrap_or((spec, ""));
        if !Driver::KNOWN.iter().any(|row| row.0 == name) {
            let known: Vec<_> = Driver::KNOWN.iter().map(|row| row.0).collect();
            return Err(Failure::new(USAGE, format!("there is no device `{spec}`"))
                .help(format!("there are: auto, {}", known.join(", "))));
        }
        return open_driver(name, path, library, params, trace);
    }
    // Having no HIP device is what the software GPU is for; any other trouble
    // with one is the user's to know, not ours to step around.
    match open_driver("hip", "", library, params, trace) {
        Err(failure) if failure.is_missing_device() => {
            let mut chosen = open_driver("software", "", library, params, trace)?;
            chosen
                .line
                .push_str("; no HIP device was found (see `hipstream devices`)");
            Ok(chosen)
        }
        result => result,
    }
}

/// A driver by name, with where to look for its library.
pub(super) fn driver(
    name: &str,
    library: &LibraryArgs,
    trace: Option<&TraceSink>,
) -> Result<Driver, Status> {
    let options = DriverOptions {
        library_paths: library.hip_dylib_path.clone(),
        ..DriverOptions::default()
    };
    match trace {
        Some(sink) => Driver::open_traced(name, options, sink.clone()),
        None => Driver::open(name, options),
    }
}

fn open_driver(
    name: &str,
    path: &str,
    library: &LibraryArgs,
    params: &DeviceParams,
    trace: Option<&TraceSink>,
) -> Result<Chosen, Failure> {
    let driver = driver(name, library, trace).map_err(|status| {
        Failure::from_status(&format!("opening `{name}`"), &status, NO_DEVICE)
            .help("`hipstream devices` lists what was found; --device=software needs nothing")
    })?;
    let device = driver
        .create_device_by_path(path, params)
        .map_err(|status| {
            let exit = match status.code() {
                StatusCode::Unavailable | StatusCode::NotFound => NO_DEVICE,
                StatusCode::InvalidArgument | StatusCode::Unimplemented => USAGE,
                _ => DEVICE_ERROR,
            };
            let target = if path.is_empty() {
                name.to_owned()
            } else {
                format!("{name}://{path}")
            };
            Failure::from_status(&format!("opening `{target}`"), &status, exit)
                .help("`hipstream devices` lists what there is")
        })?;
    let library = match &driver.provider().library {
        Some(library) => format!(", {}", library.display()),
        None => String::new(),
    };
    let line = format!("{name}: {}, {}{library}", device.name(), device.arch());
    Ok(Chosen { device, line })
}
