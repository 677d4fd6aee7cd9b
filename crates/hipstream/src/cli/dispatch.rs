//! `hipstream dispatch`: one kernel, through a recorded command buffer.

use std::io::Write;

use hal::flags::{CommandBufferFlags, CommandCategories};
use hal::{
    Buffer, BufferParams, BufferRef, CommandBuffer, CommandBufferMode, Device, DeviceParams,
    DispatchConfig, Executable, ExecutableParams, Execution, QueueAffinity, Status, Timeout,
    Timepoint, TraceSink,
};

use super::program::{Program, Selection};
use super::report::{DEVICE_ERROR, DIFFERS, Failure, USAGE};
use super::{DispatchArgs, select};
use crate::array::Array;

pub(super) fn run(
    args: &DispatchArgs,
    stdout: &mut dyn Write,
    stderr: &mut dyn Write,
) -> Result<(), Failure> {
    check_indices(args)?;
    let program = Program::open(&args.file)?;
    let selection = program.select(args.executable.as_deref(), args.export.as_deref())?;
    let arguments = Arguments::new(args, &selection)?;
    let params = DeviceParams {
        command_buffer_mode: mode(args)?,
        ..DeviceParams::default()
    };
    let trace = args.trace_hip.then(TraceSink::new);
    let result =
        select::open(&args.device, &args.library, &params, trace.as_ref()).and_then(|chosen| {
            writeln!(
                stderr,
                "running {} on {}",
                selection.export().name,
                chosen.description
            )?;
            let job = Job::new(&chosen.device, args, &selection, &arguments)?;
            if args.print_commands {
                for line in job.commands.listing() {
                    writeln!(stderr, "command: {line}")?;
                }
            }
            job.run(&chosen.device, args)
        });
    // Also, and above all, when something failed.
    for line in trace.iter().flat_map(TraceSink::lines) {
        writeln!(stderr, "hip: {line}")?;
    }
    let outputs = result?;
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

fn mode(args: &DispatchArgs) -> Result<CommandBufferMode, Failure> {
    match args.hip_use_streams {
        Some(true) => Ok(CommandBufferMode::Stream),
        Some(false) => Ok(CommandBufferMode::Graph),
        None => args.command_buffer_mode.parse().map_err(|_| {
            Failure::new(
                USAGE,
                format!(
                    "`{}` is not a command buffer mode",
                    args.command_buffer_mode
                ),
            )
            .help("there are: stream, graph")
        }),
    }
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
