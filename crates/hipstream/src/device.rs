//! Which device runs the work: never a silent choice.

use hal::{Device, DeviceParams, Driver, DriverOptions, Observers, Status, StatusCode};

use crate::{Error, Result};

/// How devices are looked for and set up.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Names of drivers, each with a folder, or `file:` and a path, to look
    /// for its library in instead of the usual places.
    pub library_paths: Vec<(String, String)>,
    /// How the device is set up.
    pub params: DeviceParams,
    /// Who watches what the driver does.
    pub observers: Observers,
}

/// A device, and how it came to be chosen.
#[derive(Debug)]
pub struct Opened {
    /// The device.
    pub device: Device,
    /// Driver, device, chip, library and, for `auto`, why: one line.
    pub description: String,
}

/// Opens the device that `spec` names.
///
/// | spec | device |
/// |---|---|
/// | `auto` | HIP's first device; the software GPU if there is none, and the description says so |
/// | `hip` | HIP's default device |
/// | `hip://1`, `hip://GPU-…` | HIP's device with this ordinal or UUID |
/// | `cuda`, `cuda://1`, `cuda://GPU-…` | the same of NVIDIA's driver |
/// | `software` | the built-in software AMD GPU, which needs nothing |
/// | `software://gfx942` | the same as another chip: gfx90a, gfx942, gfx950, gfx1100, gfx1200 or gfx1201 |
///
/// # Errors
///
/// `INVALID_ARGUMENT` for other words; `UNAVAILABLE` or `NOT_FOUND` if the
/// library or the device is not there, with every place that was searched;
/// otherwise what the driver says. Nothing else is tried then.
pub fn open(spec: &str, options: &Options) -> Result<Opened> {
    if spec != "auto" {
        let (name, path) = spec.split_once("://").unwrap_or((spec, ""));
        if !Driver::KNOWN.iter().any(|row| row.0 == name) {
            let known: Vec<_> = Driver::KNOWN.iter().map(|row| row.0).collect();
            return Err(Error::new(
                StatusCode::InvalidArgument,
                format!("there is no device `{spec}`"),
            )
            .with_help(format!("there are: auto, {}", known.join(", "))));
        }
        return open_driver(name, path, options);
    }
    // Having no HIP device is what the software GPU is for; any other trouble
    // with one is the user's to know, not ours to step around.
    match open_driver("hip", "", options) {
        Err(error) if is_missing(error.code()) => {
            let mut opened = open_driver("software", "", options)?;
            opened
                .description
                .push_str("; no HIP device was found (see `hipstream devices`)");
            Ok(opened)
        }
        result => result,
    }
}

/// A driver by name, with where to look for its library.
///
/// # Errors
///
/// `UNAVAILABLE`, with every place that was searched.
pub fn driver(name: &str, options: &Options) -> Result<Driver, Status> {
    driver_for(name, None, options)
}

/// The same, as a certain chip if the driver can choose.
fn driver_for(name: &str, chip: Option<String>, options: &Options) -> Result<Driver, Status> {
    let driver_options = DriverOptions {
        chip,
        library_paths: options
            .library_paths
            .iter()
            .filter(|(driver, _)| driver == name)
            .map(|(_, path)| path.clone())
            .collect(),
        ..DriverOptions::default()
    };
    Driver::open_observed(name, driver_options, &options.observers)
}

/// Whether this says that there is no device, rather than one that makes trouble.
fn is_missing(code: StatusCode) -> bool {
    matches!(code, StatusCode::Unavailable | StatusCode::NotFound)
}

fn open_driver(name: &str, path: &str, options: &Options) -> Result<Opened> {
    let target = match path {
        "" => name.to_owned(),
        path => format!("{name}://{path}"),
    };
    // The software GPU has a chip in the place of a path.
    let (chip, path) = match path.starts_with("gfx") && name == "software" {
        true => (Some(path.to_owned()), ""),
        false => (None, path),
    };
    let driver = driver_for(name, chip, options).map_err(|status| {
        Error::from(status)
            .context(format!("opening `{name}`"))
            .with_help("`hipstream devices` lists what was found; --device=software needs nothing")
    })?;
    let device = driver
        .create_device_by_path(path, &options.params)
        .map_err(|status| {
            Error::from(status)
                .context(format!("opening `{target}`"))
                .with_help("`hipstream devices` lists what there is")
        })?;
    let library = match &driver.provider().library {
        Some(library) => format!(", {}", library.display()),
        None => String::new(),
    };
    let description = format!("{name}: {}, {}{library}", device.name(), device.arch());
    Ok(Opened {
        device,
        description,
    })
}
