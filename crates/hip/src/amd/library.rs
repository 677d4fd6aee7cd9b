//! Finding AMD's library and opening it.

use std::collections::BTreeSet;
use std::error::Error as _;
use std::ffi::{OsString, c_void};
use std::fmt;
use std::path::{Path, PathBuf};

use crate::symbols::Symbols;

/// Where to look for AMD's library.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AmdOptions {
    /// Files and folders to look in, and nowhere else if there are any: a
    /// folder, a file, or `file:` followed by the exact name for the loader.
    /// If empty: `IREE_HIP_DYLIB_PATH` (entries as here, separated by `;`),
    /// and without it the loader's own search, the ROCm folders (`ROCM_PATH`,
    /// `HIP_PATH`, `/opt/rocm*`) and where pip puts ROCm's wheels.
    pub paths: Vec<String>,
}

/// AMD's library was not found, or nothing found could be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadError {
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
        f.write_str("no usable HIP library; tried")?;
        for attempt in &self.attempts {
            write!(f, "\n  {}: {}", attempt.path.display(), attempt.reason)?;
        }
        Ok(())
    }
}

impl std::error::Error for LoadError {}

/// Names of the library, the unversioned one first: it is what the machine's
/// owner chose. AMD's pip packages have only a versioned one.
#[cfg(not(windows))]
const NAMES: &[&str] = &[
    "libamdhip64.so",
    "libamdhip64.so.7",
    "libamdhip64.so.6",
    "libamdhip64.so.5",
];
#[cfg(windows)]
const NAMES: &[&str] = &["amdhip64_7.dll", "amdhip64_6.dll", "amdhip64.dll"];

/// Folder of the library inside a ROCm installation.
const LIBRARY_FOLDER: &str = if cfg!(windows) { "bin" } else { "lib" };

/// An open library.
pub(super) struct Opened {
    pub(super) symbols: Symbols,
    pub(super) path: PathBuf,
}

/// Opens the first candidate that has the symbols we cannot do without.
pub(super) fn open(options: &AmdOptions) -> Result<Opened, LoadError> {
    let mut attempts = Vec::new();
    for candidate in candidates(options, &Machine::this()) {
        let reason = match &candidate {
            Candidate::Nothing { reason, .. } => reason.clone(),
            Candidate::Load(path) => match load(path) {
                Ok(opened) => return Ok(opened),
                Err(reason) => reason,
            },
        };
        let (Candidate::Nothing { path, .. } | Candidate::Load(path)) = candidate;
        attempts.push(LoadAttempt { path, reason });
    }
    Err(LoadError { attempts })
}

fn load(path: &Path) -> Result<Opened, String> {
    // SAFETY: opening runs the library's initialisers. Whoever put it in a
    // place where we look vouches for it, as with every shared library.
    let library = unsafe { libloading::Library::new(path) }.map_err(|error| chain(&error))?;
    let find = |name: &str| {
        // SAFETY: only the address is taken here; the caller gives it its type.
        let symbol = unsafe { library.get::<*const c_void>(name.as_bytes()) }.ok()?;
        // SAFETY: as above.
        Some(unsafe { symbol.into_raw() }.as_raw_ptr().cast_const())
    };
    // SAFETY: `find` looks names up in the HIP library.
    let symbols = unsafe { Symbols::load(find) }
        .map_err(|missing| format!("it lacks {}", missing.join(", ")))?;
    let path = find("hipInit")
        .and_then(|address| mapped_file(address.addr()))
        .unwrap_or_else(|| path.to_owned());
    // HIP keeps threads and exit handlers of its own, which unloading would
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
struct Machine<'a> {
    variable: &'a dyn Fn(&str) -> Option<OsString>,
    is_file: &'a dyn Fn(&Path) -> bool,
    /// Entries of a folder in any order; nothing if there is no such folder.
    list: &'a dyn Fn(&Path) -> Option<Vec<PathBuf>>,
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
    fn list_versions(&self, folder: &Path, prefix: &str) -> Vec<PathBuf> {
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

fn candidates(options: &AmdOptions, machine: &Machine<'_>) -> Vec<Candidate> {
    if !options.paths.is_empty() {
        return asked_for(options.paths.iter().map(String::as_str), machine);
    }
    if let Some(list) = (machine.variable)("IREE_HIP_DYLIB_PATH") {
        let list = list.to_string_lossy();
        let entries: Vec<_> = list.split(';').filter(|entry| !entry.is_empty()).collect();
        if !entries.is_empty() {
            return asked_for(entries.into_iter(), machine);
        }
    }
    let mut found: Vec<_> = NAMES
        .iter()
        .map(|name| Candidate::Load(name.into()))
        .collect();
    let mut seen = BTreeSet::new();
    for folder in usual_folders(machine) {
        if !seen.insert(folder.clone()) {
            continue;
        }
        let names = NAMES.iter().map(|name| folder.join(name));
        found.extend(
            names
                .filter(|path| (machine.is_file)(path))
                .map(Candidate::Load),
        );
    }
    found
}

/// Candidates of places that the user named: each yields at least one.
fn asked_for<'e>(entries: impl Iterator<Item = &'e str>, machine: &Machine<'_>) -> Vec<Candidate> {
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
        let names = NAMES.iter().map(|name| path.join(name));
        found.extend(
            names
                .filter(|path| (machine.is_file)(path))
                .map(Candidate::Load),
        );
        if found.len() == before {
            let reason = match (machine.list)(&path) {
                Some(_) => format!("a folder without {}", NAMES.join(", ")),
                None => "no such file or folder".to_owned(),
            };
            found.push(Candidate::Nothing { path, reason });
        }
    }
    found
}

/// Folders where ROCm puts the library, the most particular first.
fn usual_folders(machine: &Machine<'_>) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for variable in ["ROCM_PATH", "HIP_PATH"] {
        if let Some(root) = (machine.variable)(variable) {
            folders.push(Path::new(&root).join(LIBRARY_FOLDER));
        }
    }
    for site in site_packages(machine) {
        folders.push(site.join("_rocm_sdk_core").join(LIBRARY_FOLDER));
    }
    folders.push(Path::new("/opt/rocm").join(LIBRARY_FOLDER));
    for root in machine.list_versions(Path::new("/opt"), "rocm-") {
        folders.push(root.join(LIBRARY_FOLDER));
    }
    folders
}

/// Where pip installs packages, as far as can be told without running Python.
fn site_packages(machine: &Machine<'_>) -> Vec<PathBuf> {
    let mut sites = Vec::new();
    let mut prefixes = Vec::new();
    for variable in ["VIRTUAL_ENV", "CONDA_PREFIX"] {
        prefixes.extend((machine.variable)(variable).map(PathBuf::from));
    }
    if let Some(paths) = (machine.variable)("PYTHONPATH") {
        sites.extend(std::env::split_paths(&paths));
    }
    if let Some(paths) = (machine.variable)("PATH") {
        let pythons = std::env::split_paths(&paths)
            .filter(|folder| (machine.is_file)(&folder.join("python3")));
        prefixes.extend(pythons.filter_map(|folder| Some(folder.parent()?.to_owned())));
    }
    if let Some(home) = (machine.variable)("HOME") {
        prefixes.push(Path::new(&home).join(".local"));
    }
    prefixes.push("/usr/local".into());
    for prefix in prefixes {
        for python in machine.list_versions(&prefix.join("lib"), "python3") {
            sites.push(python.join("site-packages"));
            sites.push(python.join("dist-packages"));
        }
    }
    sites
}

#[cfg(test)]
#[cfg(not(windows))]
mod tests {
    use super::*;

    struct Made {
        variables: Vec<(&'static str, &'static str)>,
        files: Vec<&'static str>,
    }

    impl Made {
        fn candidates(&self, paths: &[&str]) -> Vec<String> {
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
            let options = AmdOptions {
                paths: paths.iter().map(|path| (*path).to_owned()).collect(),
            };
            candidates(&options, &machine)
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

    #[test]
    fn paths_that_were_asked_for_are_the_only_ones() {
        let machine = Made {
            variables: vec![("IREE_HIP_DYLIB_PATH", "/elsewhere")],
            files: vec![
                "/a/libamdhip64.so.6",
                "/a/libamdhip64.so.5",
                "/b/mine.so",
                "/c/other.so",
            ],
        };
        assert_eq!(
            machine.candidates(&["/a", "/b/mine.so", "file:libx.so", "/c", "/d"]),
            [
                "/a/libamdhip64.so.6",
                "/a/libamdhip64.so.5",
                "/b/mine.so",
                "libx.so",
                "/c: a folder without libamdhip64.so, libamdhip64.so.7, libamdhip64.so.6, \
                 libamdhip64.so.5",
                "/d: no such file or folder",
            ]
        );
    }

    #[test]
    fn the_environment_names_paths_separated_by_semicolons() {
        let machine = Made {
            variables: vec![("IREE_HIP_DYLIB_PATH", "/a;;file:/b/libamdhip64.so")],
            files: vec!["/a/libamdhip64.so"],
        };
        assert_eq!(
            machine.candidates(&[]),
            ["/a/libamdhip64.so", "/b/libamdhip64.so"]
        );
    }

    #[test]
    fn rocm_and_pip_places_follow_the_loaders_own_search() {
        let machine = Made {
            variables: vec![
                ("ROCM_PATH", "/rocm"),
                ("VIRTUAL_ENV", "/venv"),
                ("PATH", "/bin:/conda/bin"),
            ],
            files: vec![
                "/rocm/lib/libamdhip64.so",
                "/venv/lib/python3.11/site-packages/_rocm_sdk_core/lib/libamdhip64.so.7",
                "/conda/bin/python3",
                "/conda/lib/python3.9/site-packages/_rocm_sdk_core/lib/libamdhip64.so.7",
                "/conda/lib/python3.12/site-packages/_rocm_sdk_core/lib/libamdhip64.so.7",
                "/opt/rocm-6.4.1/lib/libamdhip64.so.6",
                "/opt/rocm-7.0.0/lib/libamdhip64.so.7",
                "/opt/rocm-10.0.0/lib/libamdhip64.so.7",
            ],
        };
        assert_eq!(
            machine.candidates(&[]),
            [
                "libamdhip64.so",
                "libamdhip64.so.7",
                "libamdhip64.so.6",
                "libamdhip64.so.5",
                "/rocm/lib/libamdhip64.so",
                "/venv/lib/python3.11/site-packages/_rocm_sdk_core/lib/libamdhip64.so.7",
                "/conda/lib/python3.12/site-packages/_rocm_sdk_core/lib/libamdhip64.so.7",
                "/conda/lib/python3.9/site-packages/_rocm_sdk_core/lib/libamdhip64.so.7",
                "/opt/rocm-10.0.0/lib/libamdhip64.so.7",
                "/opt/rocm-7.0.0/lib/libamdhip64.so.7",
                "/opt/rocm-6.4.1/lib/libamdhip64.so.6",
            ]
        );
    }

    #[test]
    fn each_attempt_has_its_own_reason() {
        let folder = std::env::temp_dir().join(format!("hip-load-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder of our own");
        let text = folder.join("libamdhip64.so");
        std::fs::write(&text, "not a library").expect("a file of our own");
        let options = AmdOptions {
            paths: vec![
                folder.display().to_string(),
                "/nowhere".to_owned(),
                "file:libhip-none.so".to_owned(),
                "file:libm.so.6".to_owned(),
            ],
        };
        let error = open(&options).err().expect("nothing usable");
        std::fs::remove_dir_all(&folder).expect("our own folder");
        let reasons: Vec<&str> = error
            .attempts
            .iter()
            .map(|attempt| attempt.reason.as_str())
            .collect();
        assert_eq!(error.attempts[0].path, text);
        assert!(
            reasons[0].contains("file too short") || reasons[0].contains("ELF"),
            "{error}"
        );
        assert_eq!(reasons[1], "no such file or folder");
        assert!(
            reasons[2].contains("cannot open shared object file"),
            "{error}"
        );
        assert!(reasons[3].starts_with("it lacks hipInit, "), "{error}");
        assert_eq!(error.to_string().lines().count(), 5);
    }
}
