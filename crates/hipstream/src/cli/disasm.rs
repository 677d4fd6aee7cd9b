//! `hipstream disasm`.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use vm::{BytecodeModule, disasm};
use vmfb::module::debug::DebugInfo;

use super::file;
use super::report::{Failure, USAGE};

pub(super) const EXAMPLES: &str = "\
Examples:
  hipstream disasm model.vmfb
  hipstream disasm model.vmfb --function=main";

#[derive(Debug, Args)]
pub(super) struct DisasmArgs {
    /// A `.vmfb` module; `-` reads standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Only this function: the name it is exported by, its name in the debug information, or its number.
    #[arg(long, value_name = "NAME|NUMBER")]
    function: Option<String>,
}

pub(super) fn run(args: &DisasmArgs, stdout: &mut dyn Write) -> Result<(), Failure> {
    let module = file::module(&args.file, file::read(&args.file)?)?;
    match &args.function {
        None => write!(stdout, "{}", disasm::module(&module))?,
        Some(name) => {
            let function = find(&module, name).ok_or_else(|| {
                let names: Vec<_> = module.exports().map(|(name, _)| name).collect();
                Failure::new(
                    USAGE,
                    format!("{}: there is no function `{name}`", args.file.display()),
                )
                .help(format!(
                    "exported are: {}; by number there are {}",
                    names.join(", "),
                    module.module().functions.len()
                ))
            })?;
            write!(stdout, "{}", disasm::function(&module, function))?;
        }
    }
    Ok(())
}

fn find(module: &BytecodeModule, name: &str) -> Option<u32> {
    let count = module.module().functions.len() as u32;
    let by_debug_name = || {
        let debug = DebugInfo::parse(module.file(), module.module()).ok()??;
        (0..count).find(|&function| debug.function_name(function) == Some(name))
    };
    module
        .export(name)
        .or_else(by_debug_name)
        .or_else(|| name.parse().ok().filter(|&number| number < count))
}
