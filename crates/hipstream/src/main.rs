//! The `hipstream` command line.
#![deny(unsafe_code)]

use std::io::Write;
use std::process::ExitCode;

use hipstream::cli::{Cli, exit_code};

fn main() -> ExitCode {
    let cli = match Cli::from_args(std::env::args_os()) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    let mut stdout = std::io::stdout().lock();
    let mut stderr = std::io::stderr();
    let result = cli.run(&mut stdout, &mut stderr);
    if let Err(failure) = &result
        && !failure.is_silent()
    {
        // With stderr gone there is nobody left to tell.
        let _gone = writeln!(stderr, "{failure}");
    }
    ExitCode::from(exit_code(&result))
}
