//! Developer commands: run `cargo xtask` to list them.
#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line program talks on its terminal"
)]

use std::process::ExitCode;

mod check;
mod fixtures;
mod fuzz;
mod isa;
mod vm;

/// A command: its name, what it does, and the function behind it.
type Command = (
    &'static str,
    &'static str,
    fn(&[String]) -> Result<(), String>,
);

const COMMANDS: &[Command] = &[
    (
        "check",
        "formatting, lints, tests, documentation and licences: what a change must pass",
        check::run,
    ),
    (
        "fixtures",
        "compile the programs of fixtures/ again and compute their results",
        fixtures::run,
    ),
    (
        "fuzz",
        "run the fuzz targets for some seconds each",
        fuzz::run,
    ),
    (
        "isa",
        "hold the decoder and its text against LLVM's, and arithmetic against the host's; list what a folder's kernels need and is missing",
        isa::check,
    ),
    (
        "vm",
        "load, verify and disassemble modules; hold the text against iree-dump-module",
        vm::run,
    ),
];

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let Some(name) = args.next() else {
        return usage();
    };
    let Some((_, _, run)) = COMMANDS.iter().find(|command| command.0 == name) else {
        return usage();
    };
    match run(&args.collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    println!("Usage: cargo xtask COMMAND [ARGUMENTS]\n");
    for (name, what, _) in COMMANDS {
        println!("  {name:<10} {what}");
    }
    ExitCode::from(2)
}
