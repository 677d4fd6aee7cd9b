//! The file that holds the kernel, and which kernel of it is meant.

use std::path::Path;

use vmfb::archive::Archive;
use vmfb::executable::{BindingFlags, Executable, Export};
use vmfb::kernels::{self, DispatchLayout};
use vmfb::{Error, ErrorKind};

use super::report::{BAD_FILE, Failure, INCOMPATIBLE, USAGE};

/// A file, read, and the executables in it.
pub(super) struct Program {
    path: String,
    bytes: Vec<u8>,
    executables: Vec<Part>,
}

/// One executable of a file.
struct Part {
    name: String,
    range: std::ops::Range<usize>,
}

/// The kernel that is meant.
pub(super) struct Selection<'a> {
    /// The executable, as it stands in the file.
    pub(super) data: &'a [u8],
    /// The executable, read.
    pub(super) executable: Executable<'a>,
    /// The kernel's place among the exports.
    pub(super) ordinal: usize,
}

impl Program {
    /// Reads a bare code object, an executable container or a module.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let bytes = std::fs::read(path)
            .map_err(|error| Failure::new(BAD_FILE, format!("{}: {error}", path.display())))?;
        let path = path.display().to_string();
        let executables = if Archive::detect(&bytes) {
            Archive::parse(&bytes)
                .map_err(|error| failure(&path, &error))?
                .executables
                .into_iter()
                .map(|entry| Part {
                    name: entry.name,
                    range: entry.range,
                })
                .collect()
        } else {
            vec![Part {
                name: path.clone(),
                range: 0..bytes.len(),
            }]
        };
        if executables.is_empty() {
            return Err(Failure::new(
                INCOMPATIBLE,
                format!("{path}: the module has no executable for a GPU"),
            )
            .help("compile it with --iree-hal-target-device=hip and --iree-rocm-target=gfx1100, or =cuda and --iree-cuda-target=sm_80 (of early 2024: --iree-hal-target-backends=rocm and --iree-rocm-target-chip=gfx1100)"));
        }
        Ok(Self {
            path,
            bytes,
            executables,
        })
    }

    /// The kernel that `executable` and `export` name, each by its name or
    /// its number; what is not named must be the only one.
    pub(super) fn select(
        &self,
        executable: Option<&str>,
        export: Option<&str>,
    ) -> Result<Selection<'_>, Failure> {
        let parts: Vec<&Part> = match executable {
            None => self.executables.iter().collect(),
            Some(name) => vec![self.part(name)?],
        };
        let mut candidates = Vec::new();
        let mut names = Vec::new();
        for part in parts {
            let data = &self.bytes[part.range.clone()];
            let parsed = Executable::parse(data).map_err(|error| failure(&self.path, &error))?;
            for (ordinal, candidate) in parsed.exports.iter().enumerate() {
                names.push(format!("{} ({})", candidate.name, part.name));
                let is_named = match export {
                    None => true,
                    Some(name) => candidate.name == name || name.parse() == Ok(ordinal),
                };
                if is_named {
                    candidates.push(Selection {
                        data,
                        executable: parsed.clone(),
                        ordinal,
                    });
                }
            }
        }
        let count = candidates.len();
        match (candidates.pop(), count) {
            (Some(selection), 1) => Ok(selection),
            (found, _) => {
                let what = match (found, export) {
                    (None, Some(name)) => format!("there is no kernel `{name}`"),
                    (None, None) => "there is no kernel".to_owned(),
                    (Some(_), _) => format!("{count} kernels could be meant"),
                };
                Err(
                    Failure::new(USAGE, format!("{}: {what}", self.path)).help(format!(
                        "choose with --export (and --executable); there are: {}",
                        names.join(", ")
                    )),
                )
            }
        }
    }

    fn part(&self, name: &str) -> Result<&Part, Failure> {
        self.executables
            .iter()
            .enumerate()
            .find(|(index, part)| {
                part.name == name
                    || part.name.strip_suffix(".fb") == Some(name)
                    || name.parse() == Ok(*index)
            })
            .map(|(_, part)| part)
            .ok_or_else(|| {
                let names: Vec<_> = self
                    .executables
                    .iter()
                    .map(|part| part.name.as_str())
                    .collect();
                Failure::new(
                    USAGE,
                    format!("{}: there is no executable `{name}`", self.path),
                )
                .help(format!("there are: {}", names.join(", ")))
            })
    }
}

impl<'a> Selection<'a> {
    /// The kernel.
    pub(super) fn export(&self) -> &Export<'a> {
        &self.executable.exports[self.ordinal]
    }

    /// Bindings and constants of the kernel, where the file tells.
    pub(super) fn layout(&self) -> Option<DispatchLayout> {
        let export = self.export();
        if let (Some(constants), Some(bindings)) = (export.constant_count, &export.bindings) {
            return Some(DispatchLayout {
                constants,
                bindings: bindings
                    .iter()
                    .map(|flags| flags.contains(BindingFlags::READ_ONLY))
                    .collect(),
            });
        }
        // The container leaves it to the program; the code object's own metadata knows.
        kernels::parse(self.executable.image_of(export))
            .ok()?
            .iter()
            .find(|kernel| kernel.name == export.name)?
            .dispatch_layout()
    }
}

fn failure(path: &str, error: &Error) -> Failure {
    let exit = match error.kind() {
        ErrorKind::Incompatible => INCOMPATIBLE,
        _ => BAD_FILE,
    };
    Failure::new(exit, format!("{path}: {error}"))
}
