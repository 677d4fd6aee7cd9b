//! `hipstream devices`.

use std::io::Write;

use clap::Args;
use hal::{DeviceInfo, Driver, Status};
use serde::Serialize;

use super::report::Failure;
use super::select::LibraryArgs;
use crate::device;

#[derive(Debug, Args)]
pub(super) struct DevicesArgs {
    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    library: LibraryArgs,
}

/// What is printed with `--json`. Fields are added, never changed, within a
/// schema version.
#[derive(Serialize)]
struct Report {
    schema_version: u32,
    drivers: Vec<DriverReport>,
}

#[derive(Serialize)]
struct DriverReport {
    name: &'static str,
    description: &'static str,
    library: Option<String>,
    /// Why there are no devices; null when there are.
    error: Option<String>,
    devices: Vec<DeviceReport>,
}

#[derive(Serialize)]
struct DeviceReport {
    /// What to give to `--device`.
    uri: String,
    path: String,
    name: String,
    arch: String,
}

pub(super) fn run(args: &DevicesArgs, stdout: &mut dyn Write) -> Result<(), Failure> {
    let report = Report {
        schema_version: 1,
        drivers: Driver::KNOWN
            .iter()
            .map(|&(name, description)| describe(name, description, args))
            .collect(),
    };
    if args.json {
        serde_json::to_writer_pretty(&mut *stdout, &report).map_err(std::io::Error::from)?;
        writeln!(stdout)?;
        return Ok(());
    }
    for driver in &report.drivers {
        print(driver, stdout)?;
    }
    Ok(())
}

fn describe(name: &'static str, description: &'static str, args: &DevicesArgs) -> DriverReport {
    let mut report = DriverReport {
        name,
        description,
        library: None,
        error: None,
        devices: Vec::new(),
    };
    let found = device::driver(name, &args.library.options()).and_then(|driver| {
        report.library = driver
            .provider()
            .library
            .as_ref()
            .map(|library| library.display().to_string());
        driver.enumerate()
    });
    match found {
        Ok(devices) if devices.is_empty() => {
            report.error = Some("the library is there, but it reports no device".to_owned());
        }
        Ok(devices) => {
            report.devices = devices
                .into_iter()
                .map(|device| device_report(name, device))
                .collect();
        }
        Err(status) => report.error = Some(Status::message(&status).to_owned()),
    }
    report
}

fn device_report(driver: &str, device: DeviceInfo) -> DeviceReport {
    DeviceReport {
        uri: format!("{driver}://{}", device.id - 1),
        path: device.path,
        name: device.name,
        arch: device.arch,
    }
}

fn print(driver: &DriverReport, stdout: &mut dyn Write) -> std::io::Result<()> {
    writeln!(stdout, "{}: {}", driver.name, driver.description)?;
    if let Some(library) = &driver.library {
        writeln!(stdout, "  library  {library}")?;
    }
    for device in &driver.devices {
        writeln!(
            stdout,
            "  device   {}  {}  {}  {}",
            device.uri, device.arch, device.name, device.path
        )?;
    }
    if let Some(error) = &driver.error {
        writeln!(stdout, "  none     {}", error.replace('\n', "\n         "))?;
    }
    Ok(())
}
