//! The rules of the house that a compiler does not check.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Which workspace crates each crate may depend on. Calls go down this list only.
const MAY_DEPEND_ON: &[(&str, &[&str])] = &[
    ("vmfb", &[]),
    ("vm", &["vmfb"]),
    ("amdgpu", &[]),
    ("profile", &[]),
    ("hip", &["amdgpu", "profile"]),
    ("hal", &["hip", "profile", "vmfb"]),
    ("hipstream", &["hal", "profile", "vm", "vmfb"]),
    ("fixtures", &[]),
];

/// Crates that contain no `unsafe` at all.
const FORBID_UNSAFE: &[&str] = &[
    "crates/fixtures/src/lib.rs",
    "crates/profile/src/lib.rs",
    "crates/vm/src/lib.rs",
    "crates/vmfb/src/lib.rs",
    "xtask/src/main.rs",
];

/// The only places of these crates where `unsafe` may stand.
const UNSAFE_ONLY_IN: &[(&str, &[&str])] = &[
    (
        "crates/amdgpu/src",
        &[
            "memory.rs",
            "memory/",
            "program/native/machine.rs",
            "simd.rs",
            "simd/",
        ],
    ),
    ("crates/hal/src", &["executable_cache.rs"]),
    (
        "crates/hipstream/src",
        &[
            "cli/dispatch.rs",
            "cli/load.rs",
            "mapped.rs",
            "modules/hal.rs",
            "modules/hal/executable.rs",
            "session.rs",
        ],
    ),
];

/// A line count past which a file wants rooms, unless it says that it is a table.
const LONG_FILE: usize = 900;

#[test]
fn crates_depend_downwards() {
    let names: Vec<_> = MAY_DEPEND_ON.iter().map(|row| row.0).collect();
    for (name, allowed) in MAY_DEPEND_ON {
        let manifest = read(&root().join("crates").join(name).join("Cargo.toml"));
        let dependencies = manifest
            .split("[dependencies]")
            .nth(1)
            .unwrap_or_default()
            .split("\n[")
            .next()
            .unwrap_or_default();
        for other in &names {
            let named = dependencies
                .lines()
                .any(|line| line.split(['.', ' ', '=']).next() == Some(*other));
            assert!(
                !named || allowed.contains(other),
                "{name} must not depend on {other}"
            );
        }
    }
}

#[test]
fn unsafe_stands_where_it_may() {
    for file in FORBID_UNSAFE {
        assert!(
            read(&root().join(file)).contains("#![forbid(unsafe_code)]"),
            "{file} must forbid unsafe code"
        );
    }
    for (folder, places) in UNSAFE_ONLY_IN {
        let folder = root().join(folder);
        for (path, text) in sources(&folder) {
            let inside = path.strip_prefix(&folder).expect("listed from the folder");
            let inside = inside.to_str().expect("UTF-8 file names");
            if places.iter().any(|place| inside.starts_with(place)) {
                continue;
            }
            for (number, line) in code_lines(&text) {
                assert!(
                    !line.contains("unsafe {") && !line.contains("unsafe fn"),
                    "{}:{number}: unsafe code belongs in {places:?}",
                    path.display()
                );
            }
        }
    }
}

/// A function compiled on its own has not the processor features of those that
/// call it, and each of its vector operations then becomes a call.
#[test]
fn functions_of_vectors_are_inlined() {
    let folder = root().join("crates/amdgpu/src");
    for (path, text) in sources(&folder) {
        let is_test = |part: &std::ffi::OsStr| part == "tests" || part == "tests.rs";
        if path.iter().any(is_test) {
            continue;
        }
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let Some((_, name)) = line.split_once("fn ") else {
                continue;
            };
            if line.trim_start().starts_with("//") || !name.contains('<') {
                continue;
            }
            // From its generics to its body, or to the end of a declaration.
            let mut signature = String::new();
            for part in &lines[at..] {
                signature.push_str(part);
                if part.ends_with(['{', ';']) {
                    break;
                }
            }
            let generic = signature.contains(": Simd");
            if !generic || signature.ends_with(';') {
                continue;
            }
            let attributes = lines[..at].iter().rev();
            let mut attributes = attributes
                .map(|line| line.trim_start())
                .take_while(|line| line.starts_with("#[") || line.starts_with("///"));
            assert!(
                attributes.any(|line| matches!(line, "#[inline(always)]" | "#[cold]")),
                "{}:{}: must be inlined always, for the features of its caller",
                path.display(),
                at + 1
            );
        }
    }
}

#[test]
fn hal_names_no_vendor() {
    for (path, text) in sources(&root().join("crates/hal/src")) {
        if path.ends_with("tests.rs") {
            continue;
        }
        for (number, line) in code_lines(&text) {
            let words = line.to_ascii_lowercase();
            let vendor = words
                .split(|c: char| !c.is_ascii_alphanumeric())
                .find(|word| {
                    matches!(*word, "amd" | "nvidia" | "cuda" | "libamdhip64" | "libcuda")
                });
            assert!(
                vendor.is_none(),
                "{}:{number}: names a vendor: {line}",
                path.display()
            );
        }
    }
}

#[test]
fn files_have_their_shape() {
    for (path, text) in all_sources() {
        let name = path.display();
        assert!(
            path.file_name().is_some_and(|file| file != "mod.rs"),
            "{name}: modules are foo.rs + foo/, never mod.rs"
        );
        assert!(
            text.starts_with("//!") || path.ends_with("tests.rs"),
            "{name}: begin with what the file is for (//!)"
        );
        let lines = text.lines().count();
        let is_table = text.lines().take(40).any(|line| line.contains("table"));
        assert!(
            lines <= LONG_FILE || is_table,
            "{name}: {lines} lines; split it by concept"
        );
    }
}

#[test]
fn changes_are_told_and_the_map_names_every_crate() {
    let map = read(&root().join("ARCHITECTURE.md"));
    for (name, _) in MAY_DEPEND_ON {
        assert!(
            map.contains(&format!("`crates/{name}`")),
            "ARCHITECTURE.md does not place crates/{name}"
        );
    }
    assert!(read(&root().join("CHANGELOG.md")).contains("## [Unreleased]"));
}

#[test]
fn readme_commands_are_the_ones_ci_runs() {
    let readme = read(&root().join("README.md"));
    let ci = read(&root().join(".ci/run"));
    let mut tests = ci.lines().filter(|line| line.starts_with("cargo test"));
    let line = tests.next().expect(".ci/run tests");
    let command = line.split(" 2>&1").next().unwrap_or(line);
    assert!(
        readme.lines().any(|line| line == command),
        "README.md does not give the test command of .ci/run: {command}"
    );
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask lies in the workspace")
        .to_path_buf()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn all_sources() -> BTreeMap<PathBuf, String> {
    let mut files = sources(&root().join("crates"));
    files.extend(sources(&root().join("xtask")));
    files
}

fn sources(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
            let path = entry.expect("a readable folder").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = read(&path);
                files.insert(path, text);
            }
        }
    }
    files
}

/// Numbered lines outside comments.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}
