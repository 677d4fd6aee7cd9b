//! `hipstream dispatch`: one kernel, through a recorded command buffer.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use hal::flags::{CommandBufferFlags, CommandCategories};
use hal::{
    Buffer, BufferParams, BufferRef, CommandBuffer, Device, DispatchConfig, Executable,
    ExecutableParams, Execution, QueueAffinity, Status, Timeout, Timepoint,
};

use super::program::{Program, Selection};
use super::report::{DEVICE_ERROR, DIFFERS, Failure, USAGE};
use super::select::DeviceArgs;
use super::{output, parse_array};
use crate::array::{Array, ArrayError, Tolerance};

pub(super) const EXAMPLES: &str = "\
Bindings:
  4x4xf32=1,2,3,…  shape, element type, values     4x4xf32=0.5  every element
  4x4xf32          zeros                           @a.npy       a NumPy file
  4x4xbf16=@a.bin  a raw little-endian file

Examples:
  hipstream dispatch kernel.hsaco --export=add --workgroups=1,1,1 \\
      --binding=64xf32=1 --binding=64xf32=2 --binding=64xf32
  hipstream dispatch model.vmfb --export=main_dispatch_0 --workgroups=8,1,1 \\
      --binding=@x.npy --binding=512xf32 --output=1=@y.npy --device=hip";

#[derive(Debug, Args)]
pub(super) struct DispatchArgs {
    /// The file that holds the kernel.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Which executable of a module: its name or its number from 0. Needed when there are several.
    #[arg(long, value_name = "NAME|INDEX")]
    executable: Option<String>,
    /// Which kernel: its name or its ordinal from 0. Needed when there are several.
    #[arg(long, value_name = "NAME|ORDINAL")]
    export: Option<String>,
    /// Workgroups in x, y and z.
    #[arg(long, value_name = "X,Y,Z", value_parser = parse_dims, alias = "workgroup_count")]
    workgroups: Dims,
    /// Threads of a workgroup, where the file does not say (bare code objects may not).
    #[arg(long = "workgroup_size", value_name = "X,Y,Z", value_parser = parse_dims)]
    workgroup_size: Option<Dims>,
    /// Dynamic LDS in bytes, for bare code objects that want it.
    #[arg(long = "dynamic_lds", value_name = "BYTES", default_value_t = 0)]
    dynamic_lds: u32,
    /// A 32-bit constant: an integer, or `f32=2.5`; 64-bit ones take two (repeatable, in order).
    #[arg(long, value_name = "VALUE", value_parser = parse_constant, allow_hyphen_values = true)]
    constant: Vec<Words>,
    /// The contents of a binding: SHAPExTYPE=VALUES, SHAPExTYPE or @FILE.npy (repeatable, in order).
    #[arg(long, value_name = "ARRAY", value_parser = parse_array)]
    binding: Vec<Array>,
    /// Print binding INDEX after the run, or write it to a .npy file (repeatable; default: print all that may be written).
    #[arg(long, value_name = "INDEX[=@FILE.npy]", value_parser = output::parse)]
    output: Vec<output::Output>,
    /// What binding INDEX must hold after the run; exit code 1 if it does not (repeatable).
    #[arg(long = "expected_output", value_name = "INDEX=ARRAY", value_parser = output::parse_expected)]
    expected_output: Vec<output::Expected>,
    /// How far floats may be off: |actual - expected| <= ABS + REL × |expected|.
    #[arg(long, value_name = "ABS[,REL]", default_value = "1e-4,1e-4", value_parser = output::parse_tolerance)]
    tolerance: Tolerance,
    /// Print the recorded commands to stderr.
    #[arg(long = "print_commands")]
    print_commands: bool,
    #[command(flatten)]
    device: DeviceArgs,
}

/// Three sizes, as `X,Y,Z`; those left out are 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Dims([u32; 3]);

/// The 32-bit words of one `--constant`, low word first.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Words(Vec<u32>);

fn parse_dims(text: &str) -> Result<Dims, String> {
    let mut dims = [1; 3];
    for (index, part) in text.split([',', 'x']).enumerate() {
        let slot = dims
            .get_mut(index)
            .ok_or_else(|| "give at most three sizes: X,Y,Z".to_owned())?;
        *slot = part
            .trim()
            .parse()
            .map_err(|_| format!("`{part}` is not a size; give X,Y,Z"))?;
    }
    Ok(Dims(dims))
}

fn parse_constant(text: &str) -> Result<Words, String> {
    let array: Array = if text.contains('=') {
        text.parse()
    } else {
        format!("i32={text}").parse()
    }
    .map_err(|error: ArrayError| error.to_string())?;
    if !array.bytes().len().is_multiple_of(4) {
        return Err(format!(
            "`{text}` has {} bytes; constants are 32-bit words",
            array.bytes().len()
        ));
    }
    Ok(Words(
        array
            .bytes()
            .chunks_exact(4)
            .map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]))
            .collect(),
    ))
}

pub(super) fn run(
    args: &DispatchArgs,
    stdout: &mut dyn Write,
    stderr: &mut dyn Write,
) -> Result<(), Failure> {
    check_indices(args)?;
    let program = Program::open(&args.file)?;
    let selection = program.select(args.executable.as_deref(), args.export.as_deref())?;
    let arguments = Arguments::new(args, &selection)?;
    let outputs = args
        .device
        .with(selection.export().name, stderr, |devices, stderr| {
            let [device] = devices else {
                return Err(Failure::new(USAGE, "a kernel runs on one device"));
            };
            let job = Job::new(device, args, &selection, &arguments)?;
            if args.print_commands {
                for line in job.commands.listing() {
                    writeln!(stderr, "command: {line}")?;
                }
            }
            job.run(device, args)
        })?;
    print(args, &arguments, &outputs, stdout)?;
    compare(args, &outputs)
}

/// What the kernel is called with.
struct Arguments {
    constants: Vec<u32>,
    /// Whether each binding is only read, as far as is known.
    read_only: Vec<bool>,
}

impl Arguments {
    /// Checks what was given against what the kernel takes.
    fn new(args: &DispatchArgs, selection: &Selection<'_>) -> Result<Self, Failure> {
        let constants: Vec<u32> = args
            .constant
            .iter()
            .flat_map(|words| words.0.iter().copied())
            .collect();
        let given = args.binding.len();
        if selection.export().workgroup_size.is_none() && args.workgroup_size.is_none() {
            return Err(Failure::new(
                USAGE,
                format!(
                    "the file does not say how large a workgroup of `{}` is",
                    selection.export().name
                ),
            )
            .help("say it with --workgroup_size=X,Y,Z"));
        }
        let Some(layout) = selection.layout() else {
            return Ok(Self {
                constants,
                read_only: vec![false; given],
            });
        };
        if layout.bindings.len() != given || layout.constants as usize != constants.len() {
            return Err(Failure::new(
                USAGE,
                format!(
                    "kernel `{}` takes {} bindings and {} constants; {given} and {} were given",
                    selection.export().name,
                    layout.bindings.len(),
                    layout.constants,
                    constants.len()
                ),
            )
            .help("repeat --binding=SHAPExTYPE=VALUES and --constant=VALUE, in order"));
        }
        Ok(Self {
            constants,
            read_only: layout.bindings,
        })
    }
}

/// A recorded dispatch, with the memory around it.
struct Job {
    commands: CommandBuffer,
    /// Where each binding comes from and goes to; `None` for an empty one.
    staging: Vec<Option<Buffer>>,
}

impl Job {
    fn new(
        device: &Device,
        args: &DispatchArgs,
        selection: &Selection<'_>,
        arguments: &Arguments,
    ) -> Result<Self, Failure> {
        let executable = load(device, selection, args)?;
        let failed = |what: &'static str| {
            move |status: Status| Failure::from_status(what, &status, DEVICE_ERROR)
        };
        let mut staging = Vec::new();
        let mut bound = Vec::new();
        for array in &args.binding {
            let allocator = device.allocator();
            let bytes = array.bytes();
            let host = match bytes.is_empty() {
                true => None,
                false => Some(
                    allocator
                        .allocate(&BufferParams::host_visible(), bytes.len() as u64)
                        .and_then(|buffer| buffer.map_write(0, bytes).map(|()| buffer))
                        .map_err(failed("allocating host memory"))?,
                ),
            };
            staging.push(host);
            bound.push(
                allocator
                    .allocate(&BufferParams::device_local(), bytes.len() as u64)
                    .map_err(failed("allocating device memory"))?,
            );
        }
        let commands = device
            .create_command_buffer(
                CommandBufferFlags::ONE_SHOT,
                CommandCategories::TRANSFER | CommandCategories::DISPATCH,
                QueueAffinity::ANY,
                0,
            )
            .and_then(|commands| {
                // By name: of a bare code object only kernels that can be
                // dispatched count among the exports.
                let ordinal = executable.lookup_export(selection.export().name)?;
                record(
                    &commands,
                    args,
                    &executable,
                    ordinal,
                    arguments,
                    &staging,
                    &bound,
                )?;
                Ok(commands)
            })
            .map_err(|status| Failure::from_status("recording", &status, USAGE))?;
        Ok(Self { commands, staging })
    }

    /// Submits, waits, and reads every binding back.
    fn run(&self, device: &Device, args: &DispatchArgs) -> Result<Vec<Array>, Failure> {
        let run = || {
            let done = device.create_semaphore(0)?;
            device.queue(QueueAffinity::ANY)?.execute(
                &[],
                &[Timepoint::new(&done, 1)],
                &[Execution::new(&self.commands)],
            )?;
            done.wait(1, Timeout::Infinite)?;
            self.staging
                .iter()
                .zip(&args.binding)
                .map(|(staging, array)| {
                    let mut bytes = vec![0; array.bytes().len()];
                    if let Some(staging) = staging {
                        staging.map_read(0, &mut bytes)?;
                    }
                    Ok(bytes)
                })
                .collect::<Result<Vec<_>, Status>>()
        };
        let contents =
            run().map_err(|status| Failure::from_status("running", &status, DEVICE_ERROR))?;
        args.binding
            .iter()
            .zip(contents)
            .map(|(array, bytes)| Ok(array.with_bytes(bytes)?))
            .collect()
    }
}

/// Bindings in, the kernel, what it may have written out.
fn record(
    commands: &CommandBuffer,
    args: &DispatchArgs,
    executable: &Executable,
    export: i32,
    arguments: &Arguments,
    staging: &[Option<Buffer>],
    bound: &[Buffer],
) -> Result<(), Status> {
    let pairs = || {
        staging
            .iter()
            .zip(bound)
            .filter_map(|(staging, bound)| Some((staging.as_ref()?, bound)))
    };
    // An allocation may be larger than what was asked for.
    let range = |buffer: &Buffer, length: u64| BufferRef::range(buffer, 0, length);
    match args.print_commands {
        true => commands.begin_listed()?,
        false => commands.begin()?,
    }
    for (staging, bound) in pairs() {
        let length = staging.byte_length();
        commands.copy(&range(staging, length), &range(bound, length))?;
    }
    commands.barrier()?;
    let config = DispatchConfig {
        workgroup_count: args.workgroups.0,
        workgroup_size: args.workgroup_size.map_or([0; 3], |dims| dims.0),
        dynamic_lds_bytes: args.dynamic_lds,
    };
    let bindings: Vec<_> = bound.iter().map(BufferRef::whole).collect();
    commands.dispatch(executable, export, config, &arguments.constants, &bindings)?;
    commands.barrier()?;
    for ((staging, bound), read_only) in pairs().zip(&arguments.read_only) {
        if !read_only {
            let length = staging.byte_length();
            commands.copy(&range(bound, length), &range(staging, length))?;
        }
    }
    commands.end()
}

fn load(
    device: &Device,
    selection: &Selection<'_>,
    args: &DispatchArgs,
) -> Result<Executable, Failure> {
    let cache = device.create_executable_cache();
    #[expect(
        unsafe_code,
        reason = "running a file's device code is what the user asked for"
    )]
    // SAFETY: the user named the file and asked for it to be run.
    let executable = unsafe { cache.prepare(&ExecutableParams::new(selection.data)) };
    executable.map_err(|status| {
        Failure::from_status(
            &format!("loading {}", args.file.display()),
            &status,
            super::report::BAD_FILE,
        )
    })
}

/// Outputs and expectations must name bindings that exist.
fn check_indices(args: &DispatchArgs) -> Result<(), Failure> {
    let outputs = args.output.iter().map(|output| output.index);
    let expected = args.expected_output.iter().map(|expected| expected.index);
    match outputs
        .chain(expected)
        .find(|&index| index >= args.binding.len())
    {
        None => Ok(()),
        Some(index) => Err(Failure::new(
            USAGE,
            format!(
                "there is no binding {index}: {} were given, numbered from 0",
                args.binding.len()
            ),
        )),
    }
}

fn print(
    args: &DispatchArgs,
    arguments: &Arguments,
    outputs: &[Array],
    stdout: &mut dyn Write,
) -> Result<(), Failure> {
    let mut line = |index: usize| writeln!(stdout, "binding[{index}]: {}", outputs[index]);
    if args.output.is_empty() {
        for (index, read_only) in arguments.read_only.iter().enumerate() {
            if !read_only {
                line(index)?;
            }
        }
        return Ok(());
    }
    for output in &args.output {
        match &output.file {
            Some(path) => outputs[output.index].save_npy(path)?,
            None => line(output.index)?,
        }
    }
    Ok(())
}

fn compare(args: &DispatchArgs, outputs: &[Array]) -> Result<(), Failure> {
    let differences: Vec<_> = args
        .expected_output
        .iter()
        .filter_map(|expected| {
            let index = expected.index;
            let difference = outputs[index].difference(&expected.array, args.tolerance)?;
            Some(format!("binding[{index}]: {difference}"))
        })
        .collect();
    match differences.is_empty() {
        true => Ok(()),
        false => Err(Failure::new(DIFFERS, differences.join("; "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dims_and_constants() {
        assert_eq!(parse_dims("4,5,6"), Ok(Dims([4, 5, 6])));
        assert_eq!(parse_dims("4"), Ok(Dims([4, 1, 1])));
        assert!(parse_dims("1,2,3,4").is_err());
        assert!(parse_dims("a").is_err());
        assert_eq!(parse_constant("-1"), Ok(Words(vec![u32::MAX])));
        assert_eq!(parse_constant("f32=1"), Ok(Words(vec![0x3F80_0000])));
        assert_eq!(parse_constant("i64=4294967297"), Ok(Words(vec![1, 1])));
        assert!(parse_constant("i16=1").is_err());
    }
}
