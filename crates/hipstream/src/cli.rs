//! The command line: what can be asked for. Each command has a file.

use std::ffi::OsString;
use std::io::Write;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

mod bench;
mod calls;
mod check;
mod completions;
mod devices;
mod disasm;
mod dispatch;
mod file;
mod flags;
mod inspect;
mod io;
mod load;
mod man;
mod observe;
mod output;
mod profile;
mod program;
pub mod progress;
mod report;
mod run;
mod select;

pub use report::{Failure, exit_code};

use crate::array::{Array, ArrayError};

/// Run compiled GPU programs on an AMD GPU, or on the built-in software AMD GPU.
#[derive(Debug, Parser)]
#[command(name = "hipstream", version, propagate_version = true)]
#[command(after_help = flags::HELP)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

impl Cli {
    /// Reads a command line, the program's name first. Flags are spelled with
    /// underscores or dashes alike, and `--flagfile=FILE` stands for the lines
    /// of a file.
    ///
    /// # Errors
    ///
    /// What to print and how to exit; also when help was asked for.
    pub fn from_args(args: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let mut command = definition();
        let args = flags::expand(args)
            .map_err(|reason| command.error(clap::error::ErrorKind::Io, reason))?;
        let matches = command.try_get_matches_from_mut(args)?;
        Self::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
    }

    /// Does what was asked: data goes to `stdout`, all else to `stderr`.
    ///
    /// # Errors
    ///
    /// A [`Failure`], which knows its exit code and what to do about it.
    pub fn run(&self, stdout: &mut dyn Write, stderr: &mut dyn Write) -> Result<(), Failure> {
        match &self.command {
            Command::Run(args) => run::run(args, stdout, stderr),
            Command::Bench(args) => bench::run(args, stdout, stderr),
            Command::Check(args) => check::run(args, stdout, stderr),
            Command::Devices(args) => devices::run(args, stdout),
            Command::Dispatch(args) => dispatch::run(args, stdout, stderr),
            Command::Inspect(args) => inspect::run(args, stdout),
            Command::Disasm(args) => disasm::run(args, stdout),
            Command::Completions(args) => completions::run(args, stdout),
            Command::Man(args) => man::run(args, stdout),
        }
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run functions of compiled modules.
    ///
    /// Modules are `.vmfb` files as the stock `iree-compile` makes them, of
    /// release 3.13 and of early 2024. Results are printed, written to files,
    /// or compared. Exit codes: 0 all went well, 1 outputs differ, 2 usage, 3
    /// a file, 4 no device, 5 made for another chip or version, 6 the program
    /// or the device failed, 7 out of memory.
    #[command(after_help = run::EXAMPLES)]
    Run(Box<run::RunArgs>),
    /// Time functions of compiled modules, and say where the time goes.
    ///
    /// Each function is called a few times to get warm and is then timed, call
    /// by call, from the arguments on the device to the results there. In
    /// more calls, on a device that is watched, the time of a call is split.
    /// Without `--function`, every function that takes no inputs is timed.
    #[command(after_help = bench::EXAMPLES)]
    Bench(Box<bench::BenchArgs>),
    /// Run modules that test themselves, as those that import `check.*` do.
    ///
    /// Each function that takes nothing is a test and runs in a context of
    /// its own.
    #[command(after_help = check::EXAMPLES)]
    Check(Box<check::CheckArgs>),
    /// List devices: what is there, where each library was found or why not.
    #[command(after_help = "Example:\n  hipstream devices --json")]
    Devices(devices::DevicesArgs),
    /// Run one kernel of a code object, an executable container or a module.
    ///
    /// FILE is a bare AMD code object (`.hsaco`), an executable container of
    /// either compiler generation, or a `.vmfb` module with such executables
    /// inside. The kernel runs through a recorded command buffer: bindings are
    /// copied to the device, the kernel is dispatched, and bindings it may
    /// write are copied back and printed.
    #[command(after_help = dispatch::EXAMPLES)]
    Dispatch(Box<dispatch::DispatchArgs>),
    /// Say what a file has: functions, imports, device code, parameters.
    #[command(after_help = inspect::EXAMPLES)]
    Inspect(inspect::InspectArgs),
    /// Print the program of a module, verified, as text.
    #[command(after_help = disasm::EXAMPLES)]
    Disasm(disasm::DisasmArgs),
    /// Print a completion script for a shell.
    #[command(after_help = completions::EXAMPLES)]
    Completions(completions::CompletionsArgs),
    /// Print the manual page of a command, or write all of them to a folder.
    #[command(after_help = man::EXAMPLES)]
    Man(man::ManArgs),
}

/// The whole command line, with both spellings of every flag.
fn definition() -> clap::Command {
    flags::spell_both_ways(Cli::command())
}

fn parse_array(text: &str) -> Result<Array, String> {
    text.parse().map_err(|error: ArrayError| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        definition().debug_assert();
    }

    #[test]
    fn every_command_has_an_example() {
        for command in definition().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string);
            let name = command.get_name();
            let example = format!("hipstream {name}");
            assert!(help.is_some_and(|help| help.contains(&example)), "{name}");
        }
    }
}
