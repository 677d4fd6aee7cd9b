//! `hipstream man`.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use clap_mangen::Man;

use super::report::{BAD_FILE, Failure, USAGE};

pub(super) const EXAMPLES: &str = "\
Examples:
  hipstream man dispatch | man -l -
  hipstream man --out ~/.local/share/man/man1";

#[derive(Debug, Args)]
pub(super) struct ManArgs {
    /// The command whose page is printed; without one, the page of the program.
    command: Option<String>,
    /// Write the pages of all commands to this folder instead.
    #[arg(long, value_name = "FOLDER", conflicts_with = "command")]
    out: Option<PathBuf>,
}

pub(super) fn run(args: &ManArgs, stdout: &mut dyn Write) -> Result<(), Failure> {
    let mut program = super::definition();
    if let Some(folder) = &args.out {
        return std::fs::create_dir_all(folder)
            .and_then(|()| clap_mangen::generate_to(program, folder))
            .map_err(|io| Failure::new(BAD_FILE, format!("{}: {io}", folder.display())));
    }
    // Fills in what commands have from the program: version, full name.
    program.build();
    let page = match &args.command {
        None => Man::new(program),
        Some(name) => {
            let Some(command) = program.find_subcommand(name) else {
                let names: Vec<_> = program
                    .get_subcommands()
                    .map(clap::Command::get_name)
                    .collect();
                return Err(Failure::new(USAGE, format!("there is no command `{name}`"))
                    .help(format!("there are: {}", names.join(", "))));
            };
            Man::new(command.clone())
        }
    };
    Ok(page.render(&mut &mut *stdout)?)
}
