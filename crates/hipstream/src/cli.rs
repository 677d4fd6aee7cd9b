//! The command line: what can be asked for.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

mod devices;
mod dispatch;
mod output;
mod program;
mod report;
mod select;

pub use report::{Failure, exit_code};

use crate::array::Array;

/// Run compiled GPU programs on an AMD GPU, or on the built-in software AMD GPU.
#[derive(Debug, Parser)]
#[command(name = "hipstream", version, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

impl Cli {
    /// Does what was asked: data goes to `stdout`, all else to `stderr`.
    ///
    /// # Errors
    ///
    /// A [`Failure`], which knows its exit code and what to do about it.
    pub fn run(
        &self,
        stdout: &mut dyn std::io::Write,
        stderr: &mut dyn std::io::Write,
    ) -> Result<(), Failure> {
        match &self.command {
            Command::Devices(args) => devices::run(args, stdout),
            Command::Dispatch(args) => dispatch::run(args, stdout, stderr),
        }
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List devices: what is there, where each library was found or why not.
    #[command(after_help = "Example:\n  hipstream devices --json")]
    Devices(DevicesArgs),
    /// Run one kernel of a code object, an executable container or a module.
    ///
    /// FILE is a bare AMD code object (`.hsaco`), an executable container of
    /// either compiler generation, or a `.vmfb` module with such executables
    /// inside. The kernel runs through a recorded command buffer: bindings are
    /// copied to the device, the kernel is dispatched, and bindings it may
    /// write are copied back and printed.
    #[command(after_help = DISPATCH_EXAMPLES)]
    Dispatch(Box<DispatchArgs>),
}

const DISPATCH_EXAMPLES: &str = "\
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
struct DevicesArgs {
    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    library: LibraryArgs,
}

/// Where HIP's library is looked for.
#[derive(Clone, Debug, Args)]
struct LibraryArgs {
    /// A folder, or `file:` and a path, to look for HIP's library in (repeatable; tried in order).
    #[arg(long = "hip_dylib_path", alias = "hip-dylib-path", value_name = "PATH")]
    hip_dylib_path: Vec<String>,
}

#[derive(Debug, Args)]
struct DispatchArgs {
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
    #[arg(long = "workgroup_size", alias = "workgroup-size", value_name = "X,Y,Z", value_parser = parse_dims)]
    workgroup_size: Option<Dims>,
    /// Dynamic LDS in bytes, for bare code objects that want it.
    #[arg(
        long = "dynamic_lds",
        alias = "dynamic-lds",
        value_name = "BYTES",
        default_value_t = 0
    )]
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
    #[arg(long = "expected_output", alias = "expected-output", value_name = "INDEX=ARRAY", value_parser = output::parse_expected)]
    expected_output: Vec<output::Expected>,
    /// How far floats may be off: |actual - expected| <= ABS + REL × |expected|.
    #[arg(long, value_name = "ABS[,REL]", default_value = "1e-4,1e-4", value_parser = output::parse_tolerance)]
    tolerance: crate::array::Tolerance,
    /// Where to run: `software`, `hip`, `hip://ORDINAL`, `hip://GPU-UUID`, or `auto` (HIP's first device if there is one, else software).
    #[arg(long, env = "HIPSTREAM_DEVICE", default_value = "auto")]
    device: String,
    /// How recorded commands reach the device.
    #[arg(
        long = "command_buffer_mode",
        alias = "command-buffer-mode",
        value_name = "stream|graph",
        default_value = "stream"
    )]
    command_buffer_mode: String,
    /// The stock driver's name for the same choice: true is stream, false is graph.
    #[arg(long = "hip_use_streams", alias = "hip-use-streams", value_name = "BOOL", conflicts_with = "command_buffer_mode", num_args = 0..=1, default_missing_value = "true")]
    hip_use_streams: Option<bool>,
    /// Print the recorded commands to stderr.
    #[arg(long = "print-commands", alias = "print_commands")]
    print_commands: bool,
    /// Print every HIP call made to stderr.
    #[arg(long = "trace-hip", alias = "trace_hip")]
    trace_hip: bool,
    #[command(flatten)]
    library: LibraryArgs,
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
    .map_err(|error: crate::array::ArrayError| error.to_string())?;
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

fn parse_array(text: &str) -> Result<Array, String> {
    text.parse()
        .map_err(|error: crate::array::ArrayError| error.to_string())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

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
