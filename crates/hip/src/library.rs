//! Finding a vendor's library at run time and opening it.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::error::Error as _;
use std::ffi::{OsString, c_void};
use std::fmt;
use std::path::{Path, PathBuf};

/// A library was not found, or nothing found could be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadError {
    /// What was looked for, such as `HIP library`.
    pub wanted: &'static str,
    /// Everything tried, in order.
    pub attempts: Vec<LoadAttempt>,
}

/// One place that was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadAttempt {
    /// The file or folder, or the bare name the loader was asked for.
    pub path: PathBuf,
    /// Why it is not in use.
    pub reason: String,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no usable {}; tried", self.wanted)?;
        for attempt in &self.attempts {
            write!(f, "\n  {}: {}", attempt.path.display(), attempt.reason)?;
        }
        Ok(())
    }
}

impl std::error::Error for LoadError {}

/// How one vendor's library is looked for.
pub(crate) struct Search {
    /// What it is, for messages.
    pub(crate) wanted: &'static str,
    /// Its file names, in order of preference.
    pub(crate) names: &'static [&'static str],
    /// The environment variable that lists places, separated by `;`.
    pub(crate) variable: &'static str,
    /// Folders to look in after the loader's own search.
    pub(crate) folders: fn(&Machine<'_>) -> Vec<PathBuf>,
}

/// An open library. It stays loaded until the process ends.
pub(crate) struct Opened<S> {
    pub(crate) symbols: S,
    pub(crate) path: PathBuf,
}

/// The address of a symbol, if the library has it.
pub(crate) type Find<'a> = dyn Fn(&str) -> Option<*const c_void> + 'a;

impl Search {
    /// Opens the first candidate in which `load` finds all that it needs; it
    /// answers with what is missing otherwise.
    pub(crate) fn open<S>(
        &self,
        paths: &[String],
        load: impl Fn(&Find<'_>) -> Result<S, Vec<&'static str>>,
    ) -> Result<Opened<S>, LoadError> {
        let mut attempts = Vec::new();
        for candidate in self.candidates(paths, &Machine::this()) {
            let reason = match &candidate {
                Candidate::Nothing { reason, .. } => reason.clone(),
                Candidate::Load(path) => match open(path, &load) {
                    Ok(opened) => return Ok(opened),
                    Err(reason) => reason,
                },
            };
            let (Candidate::Nothing { path, .. } | Candidate::Load(path)) = candidate;
            attempts.push(LoadAttempt { path, reason });
        }
        Err(LoadError {
            wanted: self.wanted,
            attempts,
        })
    }

    fn candidates(&self, paths: &[String], machine: &Machine<'_>) -> Vec<Candidate> {
        if !paths.is_empty() {
            return self.asked_for(paths.iter().map(String::as_str), machine);
        }
        if let Some(list) = (machine.variable)(self.variable) {
            let list = list.to_string_lossy();
            let entries: Vec<_> = list.split(';').filter(|entry| !entry.is_empty()).collect();
            if !entries.is_empty() {
                return self.asked_for(entries.into_iter(), machine);
            }
        }
        let names = self.names.iter();
        let mut found: Vec<_> = names.map(|name| Candidate::Load(name.into())).collect();
        let mut seen = BTreeSet::new();
        for folder in (self.folders)(machine) {
            if seen.insert(folder.clone()) {
                found.extend(self.inside(&folder, machine));
            }
        }
        found
    }

    /// Candidates of places that the user named: each yields at least one.
    fn asked_for<'e>(
        &self,
        entries: impl Iterator<Item = &'e str>,
        machine: &Machine<'_>,
    ) -> Vec<Candidate> {
        let mut found = Vec::new();
        for entry in entries {
            if let Some(exact) = entry.strip_prefix("file:") {
                found.push(Candidate::Load(exact.into()));
                continue;
            }
            let path = PathBuf::from(entry);
            if (machine.is_file)(&path) {
                found.push(Candidate::Load(path));
                continue;
            }
            let before = found.len();
            found.extend(self.inside(&path, machine));
            if found.len() == before {
                let reason = match (machine.list)(&path) {
                    Some(_) => format!("a folder without {}", self.names.join(", ")),
                    None => "no such file or folder".to_owned(),
                };
                found.push(Candidate::Nothing { path, reason });
            }
        }
        found
    }

    /// The library's files in a folder.
    fn inside(&self, folder: &Path, machine: &Machine<'_>) -> Vec<Candidate> {
        let paths = self.names.iter().map(|name| folder.join(name));
        let files = paths.filter(|path| (machine.is_file)(path));
        files.map(Candidate::Load).collect()
    }
}

/// Opens a file, or what the loader finds by a bare name.
fn open<S>(
    path: &Path,
    load: &impl Fn(&Find<'_>) -> Result<S, Vec<&'static str>>,
) -> Result<Opened<S>, String> {
    // SAFETY: opening runs the library's initialisers. Whoever put it in a
    // place where we look vouches for it, as with every shared library.
    let library = unsafe { libloading::Library::new(path) }.map_err(|error| chain(&error))?;
    let first = Cell::new(None);
    let find = |name: &str| {
        // SAFETY: only the address is taken here; the caller gives it its type.
        let symbol = unsafe { library.get::<*const c_void>(name.as_bytes()) }.ok()?;
        // SAFETY: as above.
        let address = unsafe { symbol.into_raw() }.as_raw_ptr().cast_const();
        first.set(first.get().or(Some(address.addr())));
        Some(address)
    };
    let symbols = load(&find).map_err(|missing| format!("it lacks {}", missing.join(", ")))?;
    let mapped = first.get().and_then(mapped_file);
    let path = mapped.unwrap_or_else(|| path.to_owned());
    // It may keep threads and exit handlers of its own, which unloading would
    // pull the code from under. It stays until the process ends.
    std::mem::forget(library);
    Ok(Opened { symbols, path })
}

/// An error's own text and those of its causes, where the loader's words are.
fn chain(error: &libloading::Error) -> String {
    let mut texts = vec![error.to_string()];
    let mut source = error.source();
    while let Some(cause) = source {
        texts.push(cause.to_string());
        source = cause.source();
    }
    texts.join(": ")
}

/// The file whose mapping holds an address, which tells what a bare name was resolved to.
fn mapped_file(address: usize) -> Option<PathBuf> {
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    maps.lines().find_map(|line| {
        let (range, rest) = line.split_once(' ')?;
        let (start, end) = range.split_once('-')?;
        let start = usize::from_str_radix(start, 16).ok()?;
        let end = usize::from_str_radix(end, 16).ok()?;
        let path = rest.find('/').map(|at| &rest[at..])?;
        (start..end).contains(&address).then(|| PathBuf::from(path))
    })
}

/// What the search depends on, so that tests can make one up.
pub(crate) struct Machine<'a> {
    pub(crate) variable: &'a dyn Fn(&str) -> Option<OsString>,
    pub(crate) is_file: &'a dyn Fn(&Path) -> bool,
    /// Entries of a folder in any order; nothing if there is no such folder.
    pub(crate) list: &'a dyn Fn(&Path) -> Option<Vec<PathBuf>>,
}

impl Machine<'static> {
    fn this() -> Self {
        Self {
            variable: &|name| std::env::var_os(name).filter(|value| !value.is_empty()),
            is_file: &|path| path.is_file(),
            list: &|path| {
                let entries = std::fs::read_dir(path).ok()?;
                Some(
                    entries
                        .filter_map(|entry| Some(entry.ok()?.path()))
                        .collect(),
                )
            },
        }
    }
}

impl Machine<'_> {
    /// Entries of `folder` whose name starts with `prefix`, the highest version first.
    pub(crate) fn list_versions(&self, folder: &Path, prefix: &str) -> Vec<PathBuf> {
        let mut found: Vec<PathBuf> = (self.list)(folder)
            .unwrap_or_default()
            .into_iter()
            .filter(|path| {
                let name = path.file_name().and_then(|name| name.to_str());
                name.is_some_and(|name| name.starts_with(prefix))
            })
            .collect();
        found.sort_by_cached_key(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let numbers = name.split(|c: char| !c.is_ascii_digit());
            std::cmp::Reverse(
                numbers
                    .filter_map(|number| number.parse::<u64>().ok())
                    .collect::<Vec<_>>(),
            )
        });
        found
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Candidate {
    /// Open this.
    Load(PathBuf),
    /// A place that was asked for and holds nothing to open.
    Nothing { path: PathBuf, reason: String },
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A machine that is made up: environment variables and files.
    pub(crate) struct Made {
        pub(crate) variables: Vec<(&'static str, &'static str)>,
        pub(crate) files: Vec<&'static str>,
    }

    impl Made {
        /// What is tried there, or why a place holds nothing to try.
        pub(crate) fn candidates(&self, search: &Search, paths: &[&str]) -> Vec<String> {
            let files: Vec<PathBuf> = self.files.iter().map(PathBuf::from).collect();
            let machine = Machine {
                variable: &|name| {
                    let found = self.variables.iter().find(|(key, _)| *key == name)?;
                    Some(found.1.into())
                },
                is_file: &|path| files.iter().any(|file| file == path),
                list: &|folder| {
                    let inside = files
                        .iter()
                        .filter_map(|file| file.strip_prefix(folder).ok());
                    let names: BTreeSet<PathBuf> = inside
                        .filter_map(|rest| Some(folder.join(rest.components().next()?)))
                        .collect();
                    (!names.is_empty()).then(|| names.into_iter().collect())
                },
            };
            let paths: Vec<_> = paths.iter().map(|path| (*path).to_owned()).collect();
            let candidates = search.candidates(&paths, &machine);
            candidates
                .into_iter()
                .map(|candidate| match candidate {
                    Candidate::Load(path) => path.display().to_string(),
                    Candidate::Nothing { path, reason } => {
                        format!("{}: {reason}", path.display())
                    }
                })
                .collect()
        }
    }
}
