//! Finding AMD's library and opening it.

use std::path::{Path, PathBuf};

use super::symbols::Symbols;
use crate::LoadError;
use crate::library::{Machine, Opened, Search};

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

const SEARCH: Search = Search {
    wanted: "HIP library",
    names: NAMES,
    variable: "IREE_HIP_DYLIB_PATH",
    folders: usual_folders,
};

/// Opens the first candidate that has the symbols we cannot do without.
pub(super) fn open(options: &AmdOptions) -> Result<Opened<Symbols>, LoadError> {
    SEARCH.open(&options.paths, |find| {
        // SAFETY: `find` looks names up in the HIP library.
        unsafe { Symbols::load(find) }
    })
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
    use crate::library::tests::Made;

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
            machine.candidates(&SEARCH, &["/a", "/b/mine.so", "file:libx.so", "/c", "/d"]),
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
            machine.candidates(&SEARCH, &[]),
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
            machine.candidates(&SEARCH, &[]),
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
