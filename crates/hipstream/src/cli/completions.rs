//! `hipstream completions`.

use std::io::Write;

use clap::Args;
use clap_complete::Shell;

use super::report::Failure;

pub(super) const EXAMPLES: &str = "\
Examples:
  hipstream completions bash > ~/.local/share/bash-completion/completions/hipstream
  hipstream completions zsh > ~/.zfunc/_hipstream
  hipstream completions fish > ~/.config/fish/completions/hipstream.fish";

#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// The shell.
    shell: Shell,
}

pub(super) fn run(args: &CompletionsArgs, stdout: &mut dyn Write) -> Result<(), Failure> {
    // The generator panics where a pipe is closed: it writes to memory first.
    let mut script = Vec::new();
    clap_complete::generate(
        args.shell,
        &mut super::definition(),
        "hipstream",
        &mut script,
    );
    Ok(stdout.write_all(&script)?)
}
