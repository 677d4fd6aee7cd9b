//! Sessions by command line: modules, their parameters, what they may use.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use bytes::Bytes;
use clap::{Args, ValueEnum};
use hal::Device;
use profile::Profiler;
use vm::{Limits, NativeModule};

use super::file;
use super::progress::parameter_bar;
use super::report::{BAD_FILE, Failure};
use crate::Session;
use crate::parameters::{Mode, Set, Source};

/// What is loaded.
#[derive(Clone, Debug, Args)]
pub(super) struct LoadArgs {
    /// A `.vmfb` module; `-` reads standard input (repeatable: later ones may call earlier ones, the last is the main one).
    #[arg(long, value_name = "FILE", required = true)]
    module: Vec<PathBuf>,
    /// How module files get into memory.
    #[arg(long = "module_mode", value_enum, value_name = "MODE", default_value_t = ModuleMode::Mmap)]
    module_mode: ModuleMode,
    /// A parameter file (.irpa, .safetensors, .gguf), perhaps for one scope (repeatable).
    #[arg(long, value_name = "[SCOPE=]FILE")]
    parameters: Vec<Source>,
    /// How parameter files get into memory: `file` reads what goes to the device, `preload` all at once.
    #[arg(long = "parameter_mode", value_name = "MODE", default_value = "file")]
    parameter_mode: Mode,
    /// Most host memory that the program may use for itself, such as 512M or 8G.
    #[arg(long = "max_memory", value_name = "BYTES", default_value = "4G")]
    max_memory: Size,
    /// Print every instruction of the program to stderr before it runs.
    #[arg(long = "trace_execution", value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true", action = clap::ArgAction::Set)]
    trace_execution: bool,
}

/// How module files get into memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ModuleMode {
    /// Mapped: read as it is used.
    Mmap,
    /// Read whole, at once.
    Preload,
}

/// The modules and parameters of a program: read once, for any number of sessions.
pub(super) struct Program {
    modules: Vec<(PathBuf, Bytes)>,
    parameters: Arc<Set>,
    limits: Limits,
    trace_execution: bool,
    /// Learns what sessions do.
    profiler: Option<Profiler>,
}

impl LoadArgs {
    /// The names of the module files.
    pub(super) fn names(&self) -> String {
        let names: Vec<_> = self
            .module
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        names.join(" and ")
    }

    pub(super) fn read(&self) -> Result<Program, Failure> {
        let modules = self
            .module
            .iter()
            .map(|path| Ok((path.clone(), self.module(path)?)))
            .collect::<Result<_, Failure>>()?;
        let parameters = Set::open(&self.parameters, self.parameter_mode)
            .map_err(|error| Failure::new(BAD_FILE, error.to_string()))?;
        Ok(Program {
            modules,
            parameters: Arc::new(parameters),
            limits: Limits {
                memory_bytes: self.max_memory.0,
                ..Limits::default()
            },
            trace_execution: self.trace_execution,
            profiler: None,
        })
    }

    fn module(&self, path: &Path) -> Result<Bytes, Failure> {
        let bytes = file::read(path)?;
        Ok(match self.module_mode {
            ModuleMode::Mmap => bytes,
            ModuleMode::Preload => Bytes::copy_from_slice(&bytes),
        })
    }
}

impl Program {
    /// Has a profiler learn what sessions do from now on.
    pub(super) fn watch(&mut self, profiler: Option<&Profiler>) {
        self.profiler = profiler.cloned();
    }

    /// A session in which nothing was called yet, with these modules of Rust
    /// functions besides those of every session.
    pub(super) fn session(
        &self,
        devices: &[Device],
        natives: Vec<Box<dyn NativeModule>>,
    ) -> Result<Session, Failure> {
        let mut builder = Session::builder()
            .limits(self.limits)
            .parameters(Arc::clone(&self.parameters))
            .parameter_progress(parameter_bar())
            .tensor_trace(std::io::stderr());
        for device in devices {
            builder = builder.device(device);
        }
        if let Some(profiler) = &self.profiler {
            builder = builder.profiler(profiler);
        }
        for native in natives {
            builder = builder.native(native);
        }
        let mut session = builder.build().map_err(|error| Failure::calling(&error))?;
        if self.trace_execution {
            session.set_trace(Some(Box::new(|line| {
                // A trace that nobody can read is no reason to stop.
                let _gone = writeln!(std::io::stderr(), "{line}");
            })));
        }
        for (path, bytes) in &self.modules {
            load(&mut session, bytes).map_err(|error| Failure::loading(path, &error))?;
        }
        Ok(session)
    }
}

fn load(session: &mut Session, bytes: &Bytes) -> crate::Result<()> {
    #[expect(
        unsafe_code,
        reason = "running a file's device code is what the user asked for"
    )]
    // SAFETY: the user named the file and asked for it to be run.
    unsafe {
        session.load(bytes.clone())
    }
}

/// A number of bytes, with a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Size(u64);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let units = [("K", 10), ("M", 20), ("G", 30), ("T", 40)];
        let (digits, shift) = units
            .iter()
            .find_map(|(unit, shift)| Some((text.strip_suffix(unit)?, *shift)))
            .unwrap_or((text, 0));
        digits
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(1 << shift))
            .map(Self)
            .ok_or_else(|| format!("`{text}` is not a size; write 512M or 8G"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        for (text, size) in [("0", 0), ("1000", 1000), ("3K", 3072), ("4G", 4 << 30)] {
            assert_eq!(text.parse(), Ok(Size(size)), "{text}");
        }
        for text in ["", "G", "-1", "1.5G", "99999999T"] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }
}
