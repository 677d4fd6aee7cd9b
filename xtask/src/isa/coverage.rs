//! Which instructions of real kernels the software GPU cannot execute.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use amdgpu::{Arch, Config, Gpu, LoadError};
use vmfb::archive::Archive;
use vmfb::executable::Executable;

use super::say;

/// Decodes and lowers every kernel of every file in the folders and below.
///
/// # Errors
///
/// What cannot be executed, or why a file cannot be read.
pub(super) fn check(folders: &[String]) -> Result<(), String> {
    if folders.is_empty() {
        return Err("isa --coverage needs a folder of .vmfb, .fb or .hsaco files".to_owned());
    }
    let mut files = Vec::new();
    for folder in folders {
        collect(Path::new(folder), &mut files)?;
    }
    files.sort();
    let mut census = Census::default();
    for file in &files {
        census
            .add_file(file)
            .map_err(|error| format!("{}: {error}", file.display()))?;
    }
    census.report(files.len())
}

/// The files of a folder and below that may hold kernels.
fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let message = |error: std::io::Error| format!("{}: {error}", path.display());
    for entry in std::fs::read_dir(path).map_err(message)? {
        let path = entry.map_err(message)?.path();
        let known = path
            .extension()
            .is_some_and(|end| ["vmfb", "fb", "hsaco"].iter().any(|known| end == *known));
        if path.is_dir() || known {
            collect(&path, files)?;
        }
    }
    Ok(())
}

/// What was met.
#[derive(Default)]
struct Census {
    images: usize,
    kernels: usize,
    kernels_short: usize,
    /// Images for chips that are not simulated, by chip.
    foreign: BTreeMap<String, usize>,
    /// By mnemonic and reason.
    missing: BTreeMap<(String, String), Missing>,
}

/// Instructions that cannot be executed for the same reason.
#[derive(Default)]
struct Missing {
    instructions: usize,
    kernels: usize,
    example: String,
}

impl Census {
    fn add_file(&mut self, path: &Path) -> Result<(), String> {
        let file = std::fs::read(path).map_err(|error| error.to_string())?;
        if !Archive::detect(&file) {
            return self.add_executable(&file, path);
        }
        let archive = Archive::parse(&file).map_err(|error| error.to_string())?;
        for entry in &archive.executables {
            if entry.format.is_amd() {
                self.add_executable(&file[entry.range.clone()], path)?;
            }
        }
        Ok(())
    }

    fn add_executable(&mut self, bytes: &[u8], path: &Path) -> Result<(), String> {
        let executable = Executable::parse(bytes).map_err(|error| error.to_string())?;
        for image in &executable.images {
            self.add_image(image, path)?;
        }
        Ok(())
    }

    fn add_image(&mut self, image: &[u8], path: &Path) -> Result<(), String> {
        let mut foreign = String::new();
        for &arch in Arch::ALL {
            let gpu = Gpu::new(Config {
                arch,
                workers: Some(1),
                ..Config::default()
            });
            match gpu.load(image) {
                Ok(module) => {
                    self.images += 1;
                    for kernel in module.kernels() {
                        self.add_kernel(&kernel, path);
                    }
                    return Ok(());
                }
                Err(LoadError::WrongArch { found, .. }) => foreign = found,
                Err(error) => return Err(error.to_string()),
            }
        }
        *self.foreign.entry(foreign).or_default() += 1;
        Ok(())
    }

    fn add_kernel(&mut self, kernel: &amdgpu::Kernel, path: &Path) {
        self.kernels += 1;
        let mut counts: BTreeMap<(String, String), (usize, String)> = BTreeMap::new();
        for missing in kernel.unsupported() {
            let text = &missing.instruction;
            let mnemonic = text.split(' ').next().unwrap_or_default().to_owned();
            let (count, _) = counts.entry((mnemonic, missing.reason)).or_insert_with(|| {
                let place = path.display();
                let (name, offset) = (kernel.name(), missing.code_object_offset);
                (0, format!("{text} at {offset:#x} of {name} in {place}"))
            });
            *count += 1;
        }
        self.kernels_short += usize::from(!counts.is_empty());
        for (key, (count, example)) in counts {
            let missing = self.missing.entry(key).or_default();
            missing.instructions += count;
            missing.kernels += 1;
            if missing.example.is_empty() {
                missing.example = example;
            }
        }
    }

    fn report(&self, files: usize) -> Result<(), String> {
        say(&format!(
            "{files} files, {} code objects, {} kernels, {} of them with an instruction that cannot be executed",
            self.images, self.kernels, self.kernels_short
        ))?;
        for (chip, count) in &self.foreign {
            say(&format!("{count} code objects are for {chip}: left out"))?;
        }
        if self.kernels == 0 {
            return Err("no kernel for a software GPU in these files".to_owned());
        }
        let mut rows: Vec<_> = self.missing.iter().collect();
        rows.sort_by_key(|(_, missing)| std::cmp::Reverse(missing.kernels));
        let mut text = String::new();
        for ((mnemonic, reason), missing) in rows {
            let _ = write!(
                text,
                "\n{mnemonic}: {reason}: {} in {} kernels, such as {}",
                missing.instructions, missing.kernels, missing.example
            );
        }
        if text.is_empty() {
            Ok(())
        } else {
            Err(format!("the software GPU cannot execute{text}"))
        }
    }
}
