//! `hipstream run`: functions of compiled modules.

use std::io::Write;

use clap::Args;
use hal::Device;

use super::calls::{Call, Calls};
use super::io::{self, Expected, Interface, Tolerances, Value};
use super::load::LoadArgs;
use super::profile::{ProfileArgs, Recorder};
use super::report::{DEVICE_ERROR, DIFFERS, Failure, Plain, USAGE};
use super::select::DeviceArgs;
use crate::Session;
use crate::array::Reader;

pub(super) const EXAMPLES: &str = "\
Inputs and expected outputs:
  7, 2.5, -1e3, 0x10   scalars                 2x3xf32=1,2,3,4,5,6  shape, element type, values
  4xf32=0.5            every element           4xf32                zeros
  4xf32=rand:1         random, by a seed       f32=3.5              rank 0
  @a.npy, +a.npy       an array of a file, the next one; *a.npy all that are left
  4xbf16=@a.bin        a raw little-endian file; 4xbf16=+a.bin goes on in it
  &4xf32=1             a buffer without a shape; (null) nothing

Examples:
  hipstream run --module=model.vmfb --function=main --input=@x.npy --output=@y.npy
  hipstream run --module=add.vmfb --input=4xf32=1,2,3,4 --input=4xf32=10 \\
      --expected_output=4xf32=11,12,13,14
  hipstream run --module=model.vmfb --parameters=model=weights.safetensors \\
      --function=prefill --input=@ids.npy --output= --function=decode --input=7
  iree-compile … -o - | hipstream run --module=- --device=hip://0";

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    load: LoadArgs,
    #[command(flatten)]
    calls: Calls,
    #[command(flatten)]
    tolerances: Tolerances,
    /// Most elements of an array that are printed.
    #[arg(
        long = "output_max_element_count",
        value_name = "COUNT",
        default_value_t = 1024
    )]
    output_max_element_count: usize,
    /// Print how much memory was used to stderr at the end.
    #[arg(long = "print_statistics", value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true", action = clap::ArgAction::Set)]
    print_statistics: bool,
    #[command(flatten)]
    profile: ProfileArgs,
    #[command(flatten)]
    device: DeviceArgs,
}

pub(super) fn run(
    args: &RunArgs,
    stdout: &mut dyn Write,
    stderr: &mut dyn Write,
) -> Result<(), Failure> {
    let recorder = args.profile.recorder()?;
    let profiler = recorder.as_ref().map(Recorder::profiler);
    let mut program = args.load.read()?;
    program.watch(profiler);
    let what = args.load.names();
    let work = |devices: &[Device], stderr: &mut dyn Write| {
        let result = program
            .session(devices, Vec::new())
            .and_then(|mut session| {
                let mut is_equal = true;
                for call in &args.calls.0 {
                    is_equal &= make(&mut session, call, args, devices, stdout, stderr)?;
                }
                Ok(is_equal)
            });
        if args.print_statistics {
            for device in devices {
                print_statistics(device, stderr)?;
            }
        }
        result
    };
    let result = args.device.with_profiler(&what, profiler, stderr, work);
    // Of a run that failed as well: that is where one would look.
    if let Some(recorder) = recorder {
        recorder.write(&what, stderr)?;
    }
    let is_equal = result?;
    match is_equal {
        true => Ok(()),
        false => Err(Failure::new(DIFFERS, "outputs are not what was expected")),
    }
}

/// Makes one call. Whether its results are what was expected.
fn make(
    session: &mut Session,
    call: &Call,
    args: &RunArgs,
    devices: &[Device],
    stdout: &mut dyn Write,
    stderr: &mut dyn Write,
) -> Result<bool, Failure> {
    let function = interface(session, call.function.as_deref())?;
    let limit = args.output_max_element_count;
    let mut reader = Reader::default();
    let inputs = io::parse(&function, &call.inputs, &mut reader)?;
    let left = reader.left()?;
    if left > 0 {
        writeln!(
            stderr,
            "note: {left} bytes of the last input file were not used"
        )?;
    }
    let expected = Expected::parse(&function, &call.expected, &mut reader)?;
    if !call.outputs.is_empty() {
        io::check_count(
            &function,
            "output",
            function.results.len(),
            call.outputs.len(),
        )?;
    }
    writeln!(stdout, "EXEC @{}", Plain(&function.name))?;
    stdout.flush()?;
    let results = execute(session, &function.name, &inputs, &devices[0])?;
    match &expected {
        Some(expected) => {
            // Printed they are only where they differ.
            if !call.outputs.is_empty() {
                io::write(&results, &call.outputs, limit, stdout)?;
            }
            let is_equal = expected.compare(&results, &args.tolerances, limit, stdout)?;
            if is_equal {
                writeln!(
                    stdout,
                    "[SUCCESS] all function outputs matched their expected values."
                )?;
            }
            Ok(is_equal)
        }
        None => {
            io::write(&results, &call.outputs, limit, stdout)?;
            Ok(true)
        }
    }
}

fn execute(
    session: &mut Session,
    name: &str,
    inputs: &[Value],
    device: &Device,
) -> Result<Vec<Value>, Failure> {
    let mut call = || {
        let arguments = inputs
            .iter()
            .map(|input| io::argument(input, device))
            .collect::<crate::Result<Vec<_>>>()?;
        session.call(name, &arguments)
    };
    let outputs = call().map_err(|error| Failure::calling(&error))?;
    outputs
        .iter()
        .map(|output| io::value(output, device))
        .collect::<crate::Result<_>>()
        .map_err(|error| Failure::from_error(&error, DEVICE_ERROR))
}

/// The function that is called `name`, or the only one of the main module.
pub(super) fn interface(session: &Session, name: Option<&str>) -> Result<Interface, Failure> {
    if let Some(name) = name {
        return session
            .function(name)
            .and_then(|function| Interface::new(&function))
            .map_err(|error| Failure::calling(&error));
    }
    let candidates: Vec<_> = session
        .main_functions()
        .filter(|function| !is_internal(function.name()))
        .collect();
    match candidates.as_slice() {
        [function] => Interface::new(function).map_err(|error| Failure::calling(&error)),
        [] => Err(Failure::new(
            USAGE,
            "the main module has no function to call",
        )),
        several => {
            let names: Vec<_> = several.iter().map(|function| function.name()).collect();
            Err(Failure::new(
                USAGE,
                "more than one exported function present; --function= must be specified explicitly",
            )
            .help(format!("there are: {}", names.join(", "))))
        }
    }
}

/// Whether an export is for the machinery around a program and not for users.
pub(super) fn is_internal(name: &str) -> bool {
    name.starts_with("__") || name.contains('$')
}

fn print_statistics(device: &Device, stderr: &mut dyn Write) -> Result<(), Failure> {
    let statistics = device
        .allocator()
        .statistics()
        .map_err(|status| Failure::from_status("statistics", &status, DEVICE_ERROR))?;
    for (kind, peak, allocated, freed) in [
        (
            "host",
            statistics.host_bytes_peak,
            statistics.host_bytes_allocated,
            statistics.host_bytes_freed,
        ),
        (
            "device",
            statistics.device_bytes_peak,
            statistics.device_bytes_allocated,
            statistics.device_bytes_freed,
        ),
    ] {
        writeln!(
            stderr,
            "statistics: {} memory: {peak} bytes at most, {allocated} allocated, {freed} freed, {} in use",
            kind,
            allocated.saturating_sub(freed)
        )?;
    }
    Ok(())
}
