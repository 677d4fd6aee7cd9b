//! Modules: finding the executables in them.

use crate::support::{Value, fixture, fixtures_with, flatbuffer, text};
use proptest::prelude::*;
use vmfb::ErrorKind;
use vmfb::archive::Archive;
use vmfb::executable::{Executable, Format};

#[test]
fn every_module_gives_its_executables() {
    let files = fixtures_with(&["vmfb"]);
    assert!(files.len() >= 20, "only {} files", files.len());
    let mut executables = 0;
    for (path, bytes) in files {
        assert!(Archive::detect(&bytes));
        let archive =
            Archive::parse(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let folder = path.parent().unwrap().file_name().unwrap();
        let (version, format) = match folder.to_str().unwrap() {
            "old_gfx1100" => ((15, 0), Format::Rocm),
            "old_sm_80" => ((15, 0), Format::Cuda),
            "sm_80" => ((17, 0), Format::Cda1),
            "amdgpu_gfx1100" | "amdgpu_gfx942" => ((17, 0), Format::Amd1),
            _ => ((17, 0), Format::Hip1),
        };
        assert_eq!(archive.bytecode_version, version, "{}", path.display());
        // Programs that need no device have none.
        for entry in &archive.executables {
            assert_eq!(entry.format, format);
            Executable::parse(&bytes[entry.range.clone()]).unwrap();
            executables += 1;
        }
    }
    assert!(executables >= 40, "only {executables} executables");
}

#[test]
fn the_executables_are_the_extracted_ones() {
    for (module, names) in [
        ("gfx1100/casts", &["gfx1100/casts"][..]),
        ("gfx1100/matmul_4", &["gfx1100/matmul_4"]),
        ("amdgpu_gfx1100/layernorm", &["amdgpu_gfx1100/layernorm"]),
        (
            "old_gfx1100/casts",
            &[
                "old_gfx1100/f32_to_f16",
                "old_gfx1100/f16_to_f32",
                "old_gfx1100/i8_to_f32",
                "old_gfx1100/f32_to_i32",
            ],
        ),
        (
            "old_gfx1100/layernorm",
            &["old_gfx1100/layernorm_0", "old_gfx1100/layernorm_1"],
        ),
    ] {
        let bytes = fixture(&format!("{module}.vmfb"));
        let archive = Archive::parse(&bytes).unwrap();
        let mut found: Vec<&[u8]> = archive
            .executables
            .iter()
            .map(|entry| &bytes[entry.range.clone()])
            .collect();
        let files: Vec<Vec<u8>> = names
            .iter()
            .map(|name| fixture(&format!("{name}.fb")))
            .collect();
        let mut expected: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
        found.sort();
        expected.sort();
        assert!(found == expected, "{module}: {:?}", archive.executables);
    }
}

#[test]
fn executables_behind_the_flatbuffer_have_the_names_of_their_zip_entries() {
    let bytes = fixture("gfx1100/casts.vmfb");
    let archive = Archive::parse(&bytes).unwrap();
    assert_eq!(archive.executables[0].name, "casts_linked_rocm_hsaco_fb.fb");

    let bytes = fixture("old_gfx1100/layernorm.vmfb");
    let names: Vec<_> = Archive::parse(&bytes)
        .unwrap()
        .executables
        .iter()
        .map(|entry| entry.name.clone())
        .collect();
    assert!(
        names.contains(&"layernorm_dispatch_1_rocm_hsaco_fb.bin".to_owned()),
        "{names:?}"
    );
    assert!(
        names.iter().any(|name| name.starts_with("segment_")),
        "the small one is in the flatbuffer: {names:?}"
    );
}

/// A module without ZIP headers, as `--iree-vm-emit-polyglot-zip=false` makes it: the flatbuffer, then `external`.
fn bare(segments: Vec<Vec<(u16, Value)>>, external: &[u8]) -> Vec<u8> {
    let root = [
        (0, text("module")),
        (9, Value::Tables(segments)),
        (13, Value::U32(17 << 16 | 3)),
    ];
    let buffer = flatbuffer(b"IREE", &root);
    let mut bytes = u32::try_from(buffer.len()).unwrap().to_le_bytes().to_vec();
    bytes.extend(buffer);
    bytes.resize(bytes.len().next_multiple_of(64), 0);
    bytes.extend(external);
    bytes
}

fn external(offset: u64, length: u64) -> Vec<(u16, Value)> {
    vec![(3, Value::U64(offset)), (4, Value::U64(length))]
}

#[test]
fn a_module_without_zip_headers_is_read() {
    let executable = fixture("old_gfx1100/abs.fb");
    let segments = vec![
        vec![(2, Value::Bytes(b"plain data".to_vec()))],
        vec![(2, Value::Bytes(executable.clone()))],
        external(16, executable.len() as u64),
        vec![(2, Value::Bytes(b"CDA1 for another vendor".to_vec()))],
        vec![(2, Value::Bytes(b"\x7fELF for a CPU".to_vec()))],
    ];
    let mut data = vec![0; 16];
    data.extend(&executable);
    let bytes = bare(segments, &data);
    let archive = Archive::parse(&bytes).unwrap();
    assert_eq!(archive.bytecode_version, (17, 3));
    let found: Vec<_> = archive
        .executables
        .iter()
        .map(|entry| (entry.segment, entry.format, entry.name.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            (1, Format::Rocm, "segment_1"),
            (2, Format::Rocm, "segment_2"),
            (3, Format::Cda1, "segment_3"),
        ]
    );
    for entry in &archive.executables[..2] {
        assert!(bytes[entry.range.clone()] == executable[..]);
    }
}

#[track_caller]
fn fails(bytes: &[u8], kind: ErrorKind, part: &str) {
    let error = Archive::parse(bytes).expect_err("it must not be accepted");
    assert_eq!(error.kind(), kind, "{error}");
    assert!(
        error.to_string().contains(part),
        "{error:?} does not say {part:?}"
    );
}

#[test]
fn what_is_no_module_is_refused() {
    use ErrorKind::{Malformed, Truncated};
    fails(b"", Truncated, "0 bytes are too few");
    fails(b"PK\x03\x04", Truncated, "ZIP header");
    fails(&[b'x'; 40], Malformed, "expected \"IREE\"");
    fails(
        &fixture("gfx1100/abs.fb"),
        Malformed,
        "this is an executable (HIP1 container), not a module",
    );
    fails(
        &fixture("old_gfx1100/abs.fb"),
        Malformed,
        "this is an executable (ROCM container), not a module",
    );
    fails(
        &fixture("gfx1100/abs.hsaco"),
        Malformed,
        "this is an executable (bare code object), not a module",
    );

    let good = bare(vec![], &[]);
    assert!(Archive::parse(&good).unwrap().executables.is_empty());
    let mut long = good.clone();
    long[..4].copy_from_slice(&u32::MAX.to_le_bytes());
    fails(&long, Truncated, "announces 4294967295 bytes");
    let mut unnamed = 0_u32.to_le_bytes().to_vec();
    let buffer = flatbuffer(b"IREE", &[]);
    unnamed[..4].copy_from_slice(&u32::try_from(buffer.len()).unwrap().to_le_bytes());
    unnamed.extend(buffer);
    fails(
        &unnamed,
        Malformed,
        "BytecodeModuleDef.name: it is missing or empty",
    );
}

#[test]
fn data_outside_of_the_file_are_refused() {
    for (offset, length) in [
        (0, 65),
        (60, 5),
        (u64::MAX, 1),
        (1, u64::MAX),
        (u64::MAX, u64::MAX),
    ] {
        let bytes = bare(vec![external(offset, length)], &[0; 64]);
        fails(&bytes, ErrorKind::Truncated, "data segment 0");
    }
    let bytes = bare(vec![external(0, 64)], &[0; 64]);
    assert!(Archive::parse(&bytes).is_ok());
}

#[test]
fn executables_in_the_same_bytes_are_refused() {
    let executable = fixture("old_gfx1100/abs.fb");
    let length = executable.len() as u64;
    let twice = bare(vec![external(0, length), external(0, length)], &executable);
    assert!(Archive::parse(&twice).is_err_and(|error| error.to_string().contains("overlap")));
    let once = bare(
        vec![external(0, length), external(4, length - 4)],
        &executable,
    );
    assert_eq!(Archive::parse(&once).unwrap().executables.len(), 1);
}

#[test]
fn a_cut_module_is_an_error_or_complete() {
    for name in ["gfx1100/matmul_4.vmfb", "old_gfx1100/matmul_4.vmfb"] {
        let bytes = fixture(name);
        let whole = Archive::parse(&bytes).unwrap();
        for end in 0..bytes.len() {
            // Behind the last segment comes only the directory of the ZIP file, which is not read.
            if let Ok(archive) = Archive::parse(&bytes[..end]) {
                assert_eq!(archive, whole, "{name} cut at byte {end}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_changed_module_never_panics(
        which in 0_usize..2,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
    ) {
        use std::sync::LazyLock;
        static FILES: LazyLock<[Vec<u8>; 2]> =
            LazyLock::new(|| ["gfx1100/casts.vmfb", "old_gfx1100/layernorm.vmfb"].map(fixture));
        let mut bytes = FILES[which].clone();
        for (index, value) in changes {
            let at = index.index(bytes.len());
            bytes[at] = value;
        }
        if let Ok(archive) = Archive::parse(&bytes) {
            for entry in archive.executables {
                let _ = Executable::parse(&bytes[entry.range]);
            }
        }
    }
}
