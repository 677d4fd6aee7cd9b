//! The `hipstream` command line.
#![deny(unsafe_code)]

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use hipstream::cli::{Cli, exit_code};

fn main() -> ExitCode {
    let mut stdout = std::io::stdout().lock();
    let mut stderr = std::io::stderr();
    let result = Cli::parse().run(&mut stdout, &mut stderr);
    if let Err(failure) = &result {
        // With stderr gone there is nobody left to tell.
        let _gone = writeln!(stderr, "{failure}");
    }
    ExitCode::from(exit_code(&result))
}
