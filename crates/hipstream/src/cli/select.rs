//! Which device runs the work, by command line.

use std::io::Write;

use clap::Args;
use hal::{CommandBufferMode, Device, DeviceParams, Observers, TraceSink};
use profile::Profiler;

use super::observe::ObserveArgs;
use super::report::{Failure, USAGE};
use crate::device::{self, Opened, Options};

/// Where the drivers' libraries are looked for.
#[derive(Clone, Debug, Args)]
pub(super) struct LibraryArgs {
    /// A folder, or `file:` and a path, to look for HIP's library in (repeatable; tried in order).
    #[arg(long = "hip_dylib_path", value_name = "PATH")]
    hip_dylib_path: Vec<String>,
    /// The same for the library of NVIDIA's driver.
    #[arg(long = "cuda_dylib_path", value_name = "PATH")]
    cuda_dylib_path: Vec<String>,
}

impl LibraryArgs {
    /// How devices are looked for.
    pub(super) fn options(&self) -> Options {
        let hip = self.hip_dylib_path.iter().map(|path| ("hip", path));
        let cuda = self.cuda_dylib_path.iter().map(|path| ("cuda", path));
        Options {
            library_paths: hip
                .chain(cuda)
                .map(|(driver, path)| (driver.to_owned(), path.clone()))
                .collect(),
            ..Options::default()
        }
    }
}

/// Where the work runs.
#[derive(Clone, Debug, Args)]
pub(super) struct DeviceArgs {
    /// Where to run: `software`, `software://CHIP` (gfx90a, gfx942, gfx950, gfx1100, gfx1200, gfx1201), `hip`, `hip://ORDINAL`, `hip://GPU-UUID`, the same with `cuda`, or `auto` (HIP's first device if there is one, else software). Repeated for programs that use several.
    #[arg(long, env = "HIPSTREAM_DEVICE", default_value = "auto")]
    device: Vec<String>,
    /// How recorded commands reach the device.
    #[arg(
        long = "command_buffer_mode",
        value_name = "stream|graph|auto",
        default_value = "stream"
    )]
    command_buffer_mode: String,
    /// The stock driver's name for the same choice: true is stream, false is graph.
    #[arg(long = "hip_use_streams", alias = "cuda_use_streams", value_name = "BOOL", conflicts_with = "command_buffer_mode", num_args = 0..=1, default_missing_value = "true")]
    hip_use_streams: Option<bool>,
    /// Print every HIP call made to stderr.
    #[arg(long = "trace_hip")]
    trace_hip: bool,
    #[command(flatten)]
    observe: ObserveArgs,
    #[command(flatten)]
    library: LibraryArgs,
}

impl DeviceArgs {
    /// Opens the devices for `work`, says on stderr where `what` runs, and
    /// prints afterwards, above all when something failed, the trace and what
    /// was seen of the kernels.
    pub(super) fn with<R>(
        &self,
        what: &str,
        stderr: &mut dyn Write,
        work: impl FnOnce(&[Device], &mut dyn Write) -> Result<R, Failure>,
    ) -> Result<R, Failure> {
        self.with_profiler(what, None, stderr, work)
    }

    /// The same; a profiler learns what the devices do.
    pub(super) fn with_profiler<R>(
        &self,
        what: &str,
        profiler: Option<&Profiler>,
        stderr: &mut dyn Write,
        work: impl FnOnce(&[Device], &mut dyn Write) -> Result<R, Failure>,
    ) -> Result<R, Failure> {
        let trace = self.trace_hip.then(TraceSink::new);
        let observer = self.observe.observer();
        let options = Options {
            params: DeviceParams {
                command_buffer_mode: self.mode()?,
                ..DeviceParams::default()
            },
            observers: Observers {
                trace: trace.clone(),
                profiler: profiler.cloned(),
                kernels: observer.clone(),
            },
            ..self.library.options()
        };
        let result = self.open(&options).and_then(|opened| {
            let names: Vec<_> = opened.iter().map(|one| one.description.as_str()).collect();
            writeln!(stderr, "running {what} on {}", names.join(" and "))?;
            let devices: Vec<_> = opened.into_iter().map(|one| one.device).collect();
            work(&devices, stderr)
        });
        for line in trace.iter().flat_map(TraceSink::lines) {
            writeln!(stderr, "hip: {line}")?;
        }
        match (result, observer) {
            (Ok(done), Some(observer)) => {
                self.observe.tell(&observer, stderr)?;
                Ok(done)
            }
            (Err(failure), Some(observer)) => {
                // What failed comes first among what is wrong.
                let _found = self.observe.tell(&observer, stderr);
                Err(failure)
            }
            (result, None) => result,
        }
    }

    fn open(&self, options: &Options) -> Result<Vec<Opened>, Failure> {
        self.device
            .iter()
            .map(|spec| device::open(spec, options).map_err(|error| Failure::opening(&error)))
            .collect()
    }

    fn mode(&self) -> Result<CommandBufferMode, Failure> {
        match self.hip_use_streams {
            Some(true) => Ok(CommandBufferMode::Stream),
            Some(false) => Ok(CommandBufferMode::Graph),
            None => self.command_buffer_mode.parse().map_err(|_| {
                Failure::new(
                    USAGE,
                    format!(
                        "`{}` is not a command buffer mode",
                        self.command_buffer_mode
                    ),
                )
                .help("there are: stream, graph, auto")
            }),
        }
    }
}
