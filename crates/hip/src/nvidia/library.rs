//! Finding NVIDIA's library and opening it.

use std::path::PathBuf;

use super::symbols::Symbols;
use crate::library::{Machine, Opened, Search};
use crate::{CodeCache, LoadError};

/// Where to look for NVIDIA's library, and where to keep what it compiles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NvidiaOptions {
    /// Files and folders to look in, and nowhere else if there are any: a
    /// folder, a file, or `file:` followed by the exact name for the loader.
    /// If empty: `HIPSTREAM_CUDA_DYLIB_PATH` (entries as here, separated by
    /// `;`), and without it the loader's own search and the folders where
    /// containers, WSL and NixOS have the driver.
    pub paths: Vec<String>,
    /// Where compiled PTX is kept.
    pub code_cache: CodeCache,
}

/// Names of the library. The one without a version belongs to the toolkit's
/// stub as often as to the driver.
#[cfg(not(windows))]
const NAMES: &[&str] = &["libcuda.so.1", "libcuda.so"];
#[cfg(windows)]
const NAMES: &[&str] = &["nvcuda.dll"];

const SEARCH: Search = Search {
    wanted: "CUDA driver library",
    names: NAMES,
    variable: "HIPSTREAM_CUDA_DYLIB_PATH",
    folders: usual_folders,
};

/// Opens the first candidate that has the symbols we cannot do without.
pub(super) fn open(options: &NvidiaOptions) -> Result<Opened<Symbols>, LoadError> {
    SEARCH.open(&options.paths, |find| {
        // SAFETY: `find` looks names up in the CUDA driver library.
        unsafe { Symbols::load(find) }
    })
}

/// Folders of the driver that loaders are not always told of.
fn usual_folders(_: &Machine<'_>) -> Vec<PathBuf> {
    [
        "/usr/local/nvidia/lib64",
        "/usr/local/nvidia/lib",
        "/usr/lib/wsl/lib",
        "/run/opengl-driver/lib",
        "/usr/lib64/nvidia",
        "/usr/lib/x86_64-linux-gnu/nvidia/current",
    ]
    .map(PathBuf::from)
    .to_vec()
}

#[cfg(test)]
#[cfg(not(windows))]
mod tests {
    use super::*;
    use crate::library::tests::Made;

    #[test]
    fn containers_and_wsl_follow_the_loaders_own_search() {
        let machine = Made {
            variables: vec![],
            files: vec![
                "/usr/lib/wsl/lib/libcuda.so.1",
                "/usr/lib/wsl/lib/libcuda.so",
                "/usr/local/nvidia/lib64/libcuda.so.1",
                "/usr/local/cuda/lib64/stubs/libcuda.so",
            ],
        };
        assert_eq!(
            machine.candidates(&SEARCH, &[]),
            [
                "libcuda.so.1",
                "libcuda.so",
                "/usr/local/nvidia/lib64/libcuda.so.1",
                "/usr/lib/wsl/lib/libcuda.so.1",
                "/usr/lib/wsl/lib/libcuda.so",
            ]
        );
    }

    #[test]
    fn places_that_were_asked_for_are_the_only_ones() {
        let machine = Made {
            variables: vec![("HIPSTREAM_CUDA_DYLIB_PATH", "/mine;file:libcuda.so.535")],
            files: vec!["/mine/libcuda.so.1", "/yours/libcuda.so"],
        };
        assert_eq!(
            machine.candidates(&SEARCH, &[]),
            ["/mine/libcuda.so.1", "libcuda.so.535"]
        );
        assert_eq!(
            machine.candidates(&SEARCH, &["/yours", "/nowhere"]),
            ["/yours/libcuda.so", "/nowhere: no such file or folder"]
        );
    }

    #[test]
    fn the_error_tells_what_is_missing_where() {
        let options = NvidiaOptions {
            paths: vec!["/nowhere".to_owned(), "file:libm.so.6".to_owned()],
            ..NvidiaOptions::default()
        };
        let error = open(&options).err().expect("nothing usable");
        let text = error.to_string();
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("no usable CUDA driver library; tried"));
        assert_eq!(lines.next(), Some("  /nowhere: no such file or folder"));
        let last = lines.next().expect("a line a place");
        assert!(last.starts_with("  libm.so.6: it lacks cuInit, "), "{last}");
    }
}
