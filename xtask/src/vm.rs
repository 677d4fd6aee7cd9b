//! `cargo xtask vm`: loads, verifies and disassembles every module of some folders, and holds the text against
//! `iree-dump-module`.
//!
//! Compilers emit neither `cast.ui64.f32`, which that tool does not know, nor `switch.ref`, of which it leaves out the
//! type: modules with these would differ.

use std::path::{Path, PathBuf};
use std::process::Command;

use ::vm::op::OPS;
use ::vm::{BytecodeModule, disasm};

const USAGE: &str = "usage: cargo xtask vm [--against IREE_DUMP_MODULE] FOLDER...
       cargo xtask vm --table

Loads, verifies and disassembles every .vmfb below the folders. With --against, holds offset, name and operands of each
instruction against what this iree-dump-module (of release 3.13) writes; it reads modules of its own version only.
With --table, lists the instructions: opcode, first version, name and operands.";

/// How many differences are shown.
const SHOWN: usize = 20;

/// Runs the command.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let mut folders = Vec::new();
    let mut dump = None;
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        if argument == "--against" {
            dump = Some(PathBuf::from(arguments.next().ok_or(USAGE)?));
        } else if argument == "--table" {
            return list_table();
        } else {
            folders.push(PathBuf::from(argument));
        }
    }
    if folders.is_empty() {
        return Err(USAGE.to_owned());
    }
    let mut files = Vec::new();
    for folder in &folders {
        find(folder, &mut files)?;
    }
    files.sort();
    let mut tally = Tally::default();
    for path in &files {
        match load(path) {
            Ok(module) => tally.check(path, &module, dump.as_deref()),
            Err(message) => {
                println!("{}: {message}", path.display());
                tally.refused += 1;
            }
        }
    }
    println!(
        "{} modules, {} refused, {} instructions",
        files.len(),
        tally.refused,
        tally.instructions
    );
    if dump.is_some() {
        println!(
            "{} instructions of {} modules compared, {} differ, {} call a function that only the debug database names",
            tally.compared, tally.dumped, tally.different, tally.other_names
        );
    }
    match tally.refused + tally.different {
        0 => Ok(()),
        _ => Err("modules are refused, or their text differs".to_owned()),
    }
}

fn list_table() -> Result<(), String> {
    for op in OPS {
        let row = op.row();
        let prefix = row.set.prefix();
        let prefix = prefix.map_or("  ".to_owned(), |byte| format!("{byte:02X}"));
        println!(
            "{prefix} {:02X}  {}  {:<28} {:?}",
            row.opcode, row.since, row.mnemonic, row.operands
        );
    }
    Ok(())
}

#[derive(Default)]
struct Tally {
    refused: usize,
    instructions: usize,
    dumped: usize,
    compared: usize,
    different: usize,
    other_names: usize,
}

impl Tally {
    fn check(&mut self, path: &Path, module: &BytecodeModule, dump: Option<&Path>) {
        let text = disasm::module(module).to_string();
        let ours = instructions(&text);
        self.instructions += ours.len();
        let Some(dump) = dump else {
            return;
        };
        if module.module().bytecode_version.0 != 17 {
            return;
        }
        let text = match dumped(dump, path) {
            Ok(text) => text,
            Err(message) => {
                println!("{message}");
                self.different += 1;
                return;
            }
        };
        let theirs = instructions(&text);
        self.dumped += 1;
        if ours.len() != theirs.len() {
            println!(
                "{}: {} instructions, expected {}",
                path.display(),
                ours.len(),
                theirs.len()
            );
            self.different += 1;
            return;
        }
        for (ours, theirs) in ours.iter().zip(&theirs) {
            self.compared += 1;
            if ours == theirs {
                continue;
            }
            if same_but_for_a_name(module, ours, theirs) {
                self.other_names += 1;
                continue;
            }
            self.different += 1;
            if self.different <= SHOWN {
                println!("{}:\n  ours   {ours}\n  theirs {theirs}", path.display());
            }
        }
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

fn load(path: &Path) -> Result<BytecodeModule, String> {
    let file = std::fs::read(path).map_err(|error| error.to_string())?;
    BytecodeModule::load(file.into()).map_err(|error| error.to_string())
}

fn dumped(dump: &Path, path: &Path) -> Result<String, String> {
    let output = Command::new(dump)
        .args(["--output=disassembly", "--bytecode_offsets"])
        .arg(path)
        .output()
        .map_err(|error| format!("{}: {error}", dump.display()))?;
    if !output.status.success() {
        return Err(format!(
            "{} {}: {}",
            dump.display(),
            path.display(),
            String::from_utf8_lossy(&output.stderr)
        ));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The lines that have an offset, without comments.
fn instructions(text: &str) -> Vec<&str> {
    text.lines()
        .filter(|line| line.get(9..10) == Some("]") && line.starts_with("[0"))
        .map(|line| match line.split_once("  // ") {
            Some((line, _)) if !line.contains('"') => line,
            _ => line,
        })
        .collect()
}

/// The stock tool names internal functions by the debug database, we by their number unless they are exported.
fn same_but_for_a_name(module: &BytecodeModule, ours: &str, theirs: &str) -> bool {
    let internal = format!("@{}:", module.name());
    let named = format!("@{}.", module.name());
    let (Some((before, name)), Some((before_too, name_too))) =
        (ours.split_once(&internal), theirs.split_once(&named))
    else {
        return false;
    };
    before == before_too
        && name.split_once('(').map(|parts| parts.1)
            == name_too.split_once('(').map(|parts| parts.1)
}
