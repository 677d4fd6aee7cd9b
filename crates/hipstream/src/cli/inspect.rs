//! `hipstream inspect`: what a file has, without running anything.

mod executable;
mod module;
mod wanted;

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use vmfb::executable::Format;
use vmfb::module::Module;

use super::file;
use super::report::{BAD_FILE, Failure, Plain};
use crate::parameters::{self, Archive, Listing, Mode};

pub(super) const EXAMPLES: &str = "\
Examples:
  hipstream inspect model.vmfb
  hipstream inspect kernel.hsaco
  hipstream inspect weights.safetensors
  hipstream inspect model.vmfb --json | jq '.module.functions[].name'";

#[derive(Debug, Args)]
pub(super) struct InspectArgs {
    /// A `.vmfb` module, an executable container, a code object, or a parameter file (.irpa, .safetensors, .gguf).
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
}

/// What is printed with `--json`. Fields are added, never changed, within a
/// schema version.
#[derive(Serialize)]
struct Report<'a> {
    schema_version: u32,
    file: String,
    bytes: u64,
    #[serde(flatten)]
    contents: Contents<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Contents<'a> {
    Module(Box<module::ModuleReport<'a>>),
    Executable(executable::ExecutableReport<'a>),
    Parameters(Listing<'a>),
}

pub(super) fn run(args: &InspectArgs, stdout: &mut dyn Write) -> Result<(), Failure> {
    let path = &args.file;
    let bytes = file::read(path)?;
    let print = |contents: Contents<'_>, stdout: &mut dyn Write| {
        let report = Report {
            schema_version: 1,
            file: path.display().to_string(),
            bytes: bytes.len() as u64,
            contents,
        };
        match args.json {
            true => json(&report, stdout),
            false => text(&report, stdout),
        }
    };
    if Module::detect(&bytes) {
        let module = file::module(path, bytes.clone())?;
        let report = module::ModuleReport::new(&module);
        return print(Contents::Module(Box::new(report)), stdout);
    }
    if Format::detect(&bytes).is_some() {
        let report = executable::ExecutableReport::new(&bytes)
            .map_err(|error| file::unreadable(path, &error))?;
        return print(Contents::Executable(report), stdout);
    }
    if parameters::Format::detect(&bytes).is_some() {
        let archive = Archive::open(path, Mode::default())
            .map_err(|error| Failure::new(BAD_FILE, error.to_string()))?;
        return print(Contents::Parameters(archive.listing()), stdout);
    }
    Err(unknown(path))
}

fn unknown(path: &Path) -> Failure {
    Failure::new(
        BAD_FILE,
        format!("{}: this is no file that hipstream reads", path.display()),
    )
    .help("there are: .vmfb modules, executable containers, AMD code objects, and parameters in .irpa, .safetensors and .gguf files")
}

fn json(report: &Report<'_>, stdout: &mut dyn Write) -> Result<(), Failure> {
    serde_json::to_writer_pretty(&mut *stdout, report).map_err(std::io::Error::from)?;
    Ok(writeln!(stdout)?)
}

fn text(report: &Report<'_>, stdout: &mut dyn Write) -> Result<(), Failure> {
    let mut text = Vec::new();
    match &report.contents {
        Contents::Module(module) => {
            write!(text, "{}: ", report.file)?;
            module.print(report.bytes, &mut text)?;
        }
        Contents::Executable(executable) => {
            write!(text, "{}: ", report.file)?;
            executable.print("", &mut text)?;
        }
        Contents::Parameters(listing) => write!(text, "{listing}")?,
    }
    Ok(write!(
        stdout,
        "{}",
        Plain(&String::from_utf8_lossy(&text))
    )?)
}
