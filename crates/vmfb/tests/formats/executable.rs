//! Executable containers: what the compilers made, and every way in which one can be wrong.

use crate::support::{Value, fixture, fixtures_with, flatbuffer, text};
use proptest::prelude::*;
use vmfb::archive::Archive;
use vmfb::executable::{BindingFlags, Executable, Format, SourceLocation};
use vmfb::{ErrorKind, kernels};

type Fields = Vec<(u16, Value)>;

#[test]
fn every_fixture_is_read() {
    let files = fixtures_with(&["fb", "hsaco", "ptx"]);
    assert!(files.len() >= 40, "only {} files", files.len());
    for (path, bytes) in files {
        let executable =
            Executable::parse(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for export in &executable.exports {
            let kernels = kernels::parse(executable.image_of(export)).unwrap();
            let kernel = kernels.iter().find(|kernel| kernel.name == export.name);
            let kernel =
                kernel.unwrap_or_else(|| panic!("{}: no kernel {}", path.display(), export.name));
            if let (Some(required), Some(given)) =
                (kernel.required_workgroup_size, export.workgroup_size)
            {
                assert_eq!(required, given, "{}", path.display());
            }
        }
    }
}

#[test]
fn a_hip1_container_tells_everything() {
    let bytes = fixture("gfx1100/scale_and_offset.fb");
    let executable = Executable::parse(&bytes).unwrap();
    assert_eq!(executable.format, Format::Hip1);
    assert_eq!(executable.images.len(), 1);
    let [export] = &executable.exports[..] else {
        panic!("{:?}", executable.exports);
    };
    assert_eq!(export.name, "scale_and_offset");
    assert_eq!(export.workgroup_size, Some([1, 1, 1]));
    assert_eq!(export.constant_count, Some(2));
    let bindings = export.bindings.as_deref().unwrap();
    assert_eq!(bindings.len(), 2);
    assert!(bindings[0].contains(BindingFlags::READ_ONLY));
    assert!(!bindings[1].contains(BindingFlags::READ_ONLY));
    assert_eq!(export.dynamic_lds_bytes, 0);

    let bytes = fixture("gfx1100/casts.fb");
    let executable = Executable::parse(&bytes).unwrap();
    assert_eq!(executable.exports.len(), 4);
    assert_eq!(
        executable.lookup("i8_to_f32_dispatch_0_elementwise_256_i8xf32"),
        Some(2)
    );
    assert_eq!(executable.lookup("nothing"), None);
}

#[test]
fn the_containers_of_both_amd_targets_tell_the_same() {
    for name in ["add", "add_dynamic", "softmax", "layernorm"] {
        let hip = fixture(&format!("gfx1100/{name}.fb"));
        let amdgpu = fixture(&format!("amdgpu_gfx1100/{name}.fb"));
        let hip = Executable::parse(&hip).unwrap();
        let amdgpu = Executable::parse(&amdgpu).unwrap();
        assert_eq!(amdgpu.format, Format::Amd1);
        assert_eq!(amdgpu.exports, hip.exports, "{name}");
        assert!(amdgpu.images == hip.images, "{name}");
    }
}

#[test]
fn a_rocm_container_tells_sizes_but_not_counts() {
    let bytes = fixture("old_gfx1100/negate_and_double.fb");
    let executable = Executable::parse(&bytes).unwrap();
    assert_eq!(executable.format, Format::Rocm);
    let names: Vec<_> = executable
        .exports
        .iter()
        .map(|export| export.name)
        .collect();
    assert_eq!(names, ["negate", "double_it"]);
    assert_eq!(executable.exports[0].constant_count, None);
    assert_eq!(executable.exports[0].bindings, None);

    let bytes = fixture("old_gfx1100/matmul_4.fb");
    let executable = Executable::parse(&bytes).unwrap();
    assert_eq!(executable.exports[0].workgroup_size, Some([4, 4, 1]));
    assert_eq!(executable.exports[0].dynamic_lds_bytes, 256);
}

#[test]
fn bare_ptx_tells_what_its_text_says() {
    for target in ["sm_80", "old_sm_80"] {
        let bytes = fixture(&format!("{target}/abs.ptx"));
        let executable = Executable::parse(&bytes).unwrap();
        assert_eq!(executable.format, Format::Ptx);
        assert!(executable.format.is_bare() && !executable.format.is_amd());
        assert_eq!(executable.images, [&bytes[..]]);
        assert_eq!(executable.target(), Some("sm_80"));
        let export = &executable.exports[0];
        assert_eq!((export.name, export.constant_count), ("abs", Some(0)));
        assert_eq!(export.bindings, Some(vec![BindingFlags(0); 2]));
        let container = fixture(&format!("{target}/abs.fb"));
        let container = Executable::parse(&container).unwrap();
        assert_eq!(container.images, executable.images);
    }
}

#[test]
fn a_bare_code_object_tells_what_its_metadata_says() {
    let bytes = fixture("gfx1100/abs.hsaco");
    let executable = Executable::parse(&bytes).unwrap();
    assert_eq!(executable.format, Format::CodeObject);
    assert_eq!(executable.images, [&bytes[..]]);
    let export = &executable.exports[0];
    assert_eq!(
        (export.name, export.workgroup_size),
        ("abs", Some([1, 1, 1]))
    );
    assert_eq!(export.constant_count, Some(0));
    let read_only = BindingFlags::READ_ONLY;
    assert_eq!(export.bindings, Some(vec![read_only, BindingFlags(0)]));

    let bytes = fixture("old_gfx1100/abs.hsaco");
    let export = Executable::parse(&bytes).unwrap().exports[0].clone();
    assert_eq!(
        export.workgroup_size, None,
        "compilers of 2024 do not record it"
    );

    let bytes = fixture("gfx1100/faults.hsaco");
    let executable = Executable::parse(&bytes).unwrap();
    let export = &executable.exports[executable.lookup("store_at").unwrap()];
    assert_eq!(
        (
            export.bindings.as_ref().map(Vec::len),
            export.constant_count
        ),
        (Some(1), Some(2)),
        "a 64-bit value is passed as two constants"
    );
}

#[test]
fn images_are_the_same_in_and_out_of_a_container() {
    for target in ["gfx1100", "old_gfx1100"] {
        for name in ["abs", "matmul_4"] {
            let container = fixture(&format!("{target}/{name}.fb"));
            let bare = fixture(&format!("{target}/{name}.hsaco"));
            assert_eq!(Executable::parse(&container).unwrap().images, [&bare[..]]);
        }
    }
}

fn export(changes: &[(u16, Option<Value>)]) -> Fields {
    let mut fields: Fields = vec![
        (1, text("kernel")),
        (2, Value::Dims([64, 2, 1])),
        (4, Value::U32(3)),
        (5, Value::U64s(vec![3, 2])),
    ];
    for (id, value) in changes {
        fields.retain(|field| field.0 != *id);
        fields.extend(value.clone().map(|value| (*id, value)));
    }
    fields
}

fn module() -> Fields {
    vec![(0, Value::Text(b"\x7fELF\0\xff".to_vec()))]
}

fn hip1(root: &[(u16, Value)]) -> Vec<u8> {
    linked(b"HIP1", root)
}

/// A container with a header.
fn linked(magic: &[u8; 4], root: &[(u16, Value)]) -> Vec<u8> {
    let content = flatbuffer(magic, root);
    let mut bytes = [magic.as_slice(), &[0; 4]].concat();
    bytes.extend((content.len() as u64).to_le_bytes());
    bytes.resize(64, 0);
    bytes.extend(content);
    bytes
}

fn hip1_with(changes: &[(u16, Option<Value>)]) -> Vec<u8> {
    hip1(&[
        (0, Value::Tables(vec![export(changes)])),
        (1, Value::Tables(vec![module()])),
    ])
}

#[track_caller]
fn fails(bytes: &[u8], kind: ErrorKind, part: &str) {
    let error = Executable::parse(bytes).expect_err("it must not be accepted");
    assert_eq!(error.kind(), kind, "{error}");
    assert!(
        error.to_string().contains(part),
        "{error:?} does not say {part:?}"
    );
}

#[test]
fn a_written_hip1_container_is_read() {
    let location = vec![(0, text("model.mlir")), (1, Value::I32(17))];
    let debug = vec![(0, text("nice name")), (1, Value::Table(location))];
    let bytes = hip1(&[
        (
            0,
            Value::Tables(vec![
                export(&[]),
                export(&[(0, Some(Value::U32(1))), (6, Some(Value::Table(debug)))]),
            ]),
        ),
        (1, Value::Tables(vec![module(), module()])),
        (
            2,
            Value::Tables(vec![vec![
                (0, text("model.mlir")),
                (1, Value::Bytes(vec![1, 2, 3])),
            ]]),
        ),
    ]);
    let executable = Executable::parse(&bytes).unwrap();
    assert_eq!(executable.images, [b"\x7fELF\0\xff", b"\x7fELF\0\xff"]);
    let [first, second] = &executable.exports[..] else {
        panic!("{:?}", executable.exports);
    };
    assert_eq!((first.image, second.image), (0, 1));
    assert_eq!(first.workgroup_size, Some([64, 2, 1]));
    assert_eq!(first.constant_count, Some(3));
    let both = BindingFlags(3);
    assert!(both.contains(BindingFlags::INDIRECT));
    assert_eq!(first.bindings, Some(vec![both, BindingFlags::INDIRECT]));
    assert_eq!(first.source, None);
    assert_eq!(
        second.source,
        Some(SourceLocation {
            file: "model.mlir",
            line: 17
        })
    );
    assert_eq!(executable.source_files[0].path, "model.mlir");
    assert_eq!(executable.source_files[0].content, [1, 2, 3]);
}

#[test]
fn a_wrong_header_is_refused() {
    use ErrorKind::{Incompatible, Malformed, Truncated};
    let good = hip1_with(&[]);
    assert!(Executable::parse(&good).is_ok());
    fails(b"", Truncated, "0 bytes are too few");
    fails(b"HIP1\0\0\0\0", Truncated, "it has 64 bytes, there are 8");
    fails(b"PK\x03\x04 and so on", Malformed, "whole module");
    fails(b"\0\0\0\0\0\0\0\0IREE", Malformed, "whole module");
    fails(b"CDA1\0\0\0\0", Truncated, "CDA1 header");
    fails(b"nonsense", Malformed, "begins with \"nonsense\"");
    fails(b"\x7fELF\x02\x01\x01\0", Malformed, "code object");

    let mut version = good.clone();
    version[4] = 7;
    fails(
        &version,
        Incompatible,
        "found container version 7, expected 0",
    );
    let mut long = good.clone();
    long[8..16].copy_from_slice(&u64::MAX.to_le_bytes());
    fails(&long, Truncated, "announces 18446744073709551615 bytes");
    let mut short = good.clone();
    short[8..16].copy_from_slice(&8_u64.to_le_bytes());
    fails(&short, Malformed, "leads outside");
    let mut identifier = good.clone();
    identifier[68..72].copy_from_slice(b"ABCD");
    fails(
        &identifier,
        Malformed,
        "found the flatbuffer identifier \"ABCD\", expected \"HIP1\"",
    );

    let mut padded = good;
    padded.extend([0xaa; 100]);
    assert!(
        Executable::parse(&padded).is_ok(),
        "padding behind the content is allowed"
    );
}

#[test]
fn bombs_are_refused() {
    let long = "k".repeat(4097);
    fails(
        &hip1_with(&[(1, Some(text(&long)))]),
        ErrorKind::LimitExceeded,
        "ExportDef.kernel_name: a name of 4097 bytes, the limit is 4096",
    );
    fails(
        &rocm_with(&[(0, Some(Value::Texts(vec!["one".into(), long])))]),
        ErrorKind::LimitExceeded,
        "a name of 4097 bytes",
    );

    // Two modules in the bytes of one.
    let image = || vec![(0, Value::Text(vec![1; 1000]))];
    let good = hip1(&[
        (0, Value::Tables(vec![export(&[])])),
        (1, Value::Tables(vec![image(), image()])),
    ]);
    assert!(Executable::parse(&good).is_ok());
    let mut bytes = good;
    let word = |bytes: &[u8], at: usize| {
        u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize
    };
    let root = 64 + word(&bytes, 64);
    let modules = root + 8 + word(&bytes, root + 8);
    let [first, second] = [4, 8].map(|at| modules + at + word(&bytes, modules + at));
    let image = second + 4 + word(&bytes, second + 4);
    let distance = u32::try_from(image - (first + 4)).unwrap();
    bytes[first + 4..first + 8].copy_from_slice(&distance.to_le_bytes());
    // The first image now is the second; a longer one has both of them past the container.
    let length = u32::try_from(bytes.len() - image - 5).unwrap();
    bytes[image..image + 4].copy_from_slice(&length.to_le_bytes());
    assert!(Executable::parse(&bytes).is_ok(), "1000 twice fits");
    let mut padded = bytes;
    padded[8..16].copy_from_slice(&10_000_u64.to_le_bytes());
    padded.resize(64 + 10_000, 0);
    let length = u32::try_from(padded.len() - image - 5).unwrap();
    padded[image..image + 4].copy_from_slice(&length.to_le_bytes());
    fails(
        &padded,
        ErrorKind::Malformed,
        "ExecutableDef.modules: their images overlap",
    );
}

#[test]
fn a_wrong_export_is_refused() {
    use ErrorKind::{Incompatible, LimitExceeded, Malformed};
    let with = |id: u16, value: Value| hip1_with(&[(id, Some(value))]);
    fails(
        &with(0, Value::U32(1)),
        Malformed,
        "it names module 1, there are 1",
    );
    fails(
        &with(1, text("")),
        Malformed,
        "export 0: ExportDef.kernel_name: it is missing or empty",
    );
    fails(
        &hip1_with(&[(1, None)]),
        Malformed,
        "ExportDef.kernel_name: it is missing",
    );
    fails(
        &with(1, Value::Text(vec![0xff, 0xfe])),
        Malformed,
        "not UTF-8",
    );
    fails(
        &hip1_with(&[(2, None)]),
        Malformed,
        "the workgroup size of \"kernel\" is [0, 0, 0]",
    );
    fails(&with(2, Value::Dims([64, 0, 1])), Malformed, "[64, 0, 1]");
    fails(
        &with(3, Value::U32(1024)),
        Incompatible,
        "1024 bytes of dynamic group memory",
    );
    fails(
        &with(4, Value::U32(65)),
        LimitExceeded,
        "65 constants, the limit is 64",
    );
    fails(
        &with(5, Value::U64s(vec![0; 17])),
        LimitExceeded,
        "17 bindings, the limit is 16",
    );

    assert!(Executable::parse(&with(4, Value::U32(64))).is_ok());
    assert!(Executable::parse(&with(5, Value::U64s(vec![0; 16]))).is_ok());
    let nothing = hip1_with(&[(4, None), (5, None)]);
    let export = &Executable::parse(&nothing).unwrap().exports[0];
    assert_eq!(
        (export.constant_count, export.bindings.as_deref()),
        (Some(0), Some(&[][..]))
    );
}

#[test]
fn missing_parts_of_a_hip1_container_are_named() {
    use ErrorKind::Malformed;
    let exports = (0, Value::Tables(vec![export(&[])]));
    let modules = (1, Value::Tables(vec![module()]));
    fails(
        &hip1(std::slice::from_ref(&exports)),
        Malformed,
        "ExecutableDef.modules: there are none",
    );
    fails(
        &hip1(std::slice::from_ref(&modules)),
        Malformed,
        "ExecutableDef.exports: there are none",
    );
    fails(
        &hip1(&[(0, Value::Tables(vec![])), modules]),
        Malformed,
        "ExecutableDef.exports: there are none",
    );
    let no_image = (1, Value::Tables(vec![vec![]]));
    fails(
        &hip1(&[exports.clone(), no_image]),
        Malformed,
        "module 0: ModuleDef.hsaco_image: it is missing or empty",
    );
    let empty_image = (1, Value::Tables(vec![vec![(0, text(""))]]));
    fails(
        &hip1(&[exports, empty_image]),
        Malformed,
        "ModuleDef.hsaco_image: it is missing or empty",
    );
}

fn amd1(exports: Vec<Fields>, modules: Vec<Fields>) -> Vec<u8> {
    linked(
        b"AMD1",
        &[
            (0, text("gfx1100")),
            (1, Value::Tables(exports)),
            (2, Value::Tables(modules)),
        ],
    )
}

fn amd1_export(symbol: &str) -> Fields {
    let location = vec![(0, text("model.mlir")), (1, Value::I32(8))];
    let debug = vec![(0, text("kernel")), (1, Value::Table(location))];
    vec![
        (0, text(symbol)),
        (1, Value::Dims([32, 1, 1])),
        (2, Value::U32(4)),
        (3, Value::U64s(vec![3, 2])),
        (4, Value::Table(debug)),
    ]
}

#[test]
fn a_written_amd1_container_is_read() {
    let plain = vec![(0, text("b.c$d.kd")), (1, Value::Dims([64, 2, 1]))];
    let bytes = amd1(vec![amd1_export("kernel.kd"), plain], vec![module()]);
    let executable = Executable::parse(&bytes).unwrap();
    assert_eq!(executable.format, Format::Amd1);
    assert!(executable.format.is_amd());
    let [first, second] = &executable.exports[..] else {
        panic!("{:?}", executable.exports);
    };
    assert_eq!((first.name, first.lookup_name), ("kernel", "kernel"));
    assert_eq!(first.workgroup_size, Some([32, 1, 1]));
    assert_eq!(first.constant_count, Some(4));
    assert_eq!(first.bindings, Some(vec![BindingFlags(3), BindingFlags(2)]));
    assert_eq!(first.dynamic_lds_bytes, 0);
    assert_eq!(
        first.source,
        Some(SourceLocation {
            file: "model.mlir",
            line: 8
        })
    );
    assert_eq!((second.name, second.constant_count), ("b.c$d", Some(0)));
    assert_eq!(executable.lookup("b.c$d"), Some(1));
}

#[test]
fn a_wrong_amd1_container_is_refused() {
    use ErrorKind::{Incompatible, LimitExceeded, Malformed};
    let with = |export: Fields| amd1(vec![export], vec![module()]);
    fails(
        &with(amd1_export("kernel")),
        Malformed,
        "export 0: ExportDef.symbol_name: found \"kernel\", expected a name that ends in \".kd\"",
    );
    fails(
        &with(amd1_export(".kd")),
        Malformed,
        "ExportDef.symbol_name: found \".kd\"",
    );
    fails(
        &with(vec![(0, text("kernel.kd"))]),
        Malformed,
        "ExportDef.workgroup_size: the workgroup size of \"kernel\" is [0, 0, 0]",
    );
    let mut many = amd1_export("kernel.kd");
    many.retain(|field| field.0 != 2);
    many.push((2, Value::U32(65)));
    fails(&with(many), LimitExceeded, "65 constants");
    fails(
        &amd1(vec![amd1_export("kernel.kd")], vec![module(), module()]),
        Incompatible,
        "ExecutableDef.modules: there are 2, expected 1",
    );
    fails(
        &amd1(vec![amd1_export("kernel.kd")], vec![]),
        Malformed,
        "ExecutableDef.modules: there are none",
    );
    fails(
        &amd1(vec![], vec![module()]),
        Malformed,
        "ExecutableDef.exports: there are none",
    );
}

const PTX: &str = "//\n// Generated\n//\n\n.version 7.6\n.target sm_80, debug\n.address_size 64\n";

#[test]
fn containers_for_cuda_are_read() {
    let named = |name: Option<Value>| {
        let with = export(&[(3, Some(Value::U32(136))), (7, name)]);
        linked(
            b"CDA1",
            &[
                (0, Value::Tables(vec![with])),
                (1, Value::Tables(vec![vec![(0, text(PTX))]])),
            ],
        )
    };
    let bytes = named(Some(text("ker-nel.v1")));
    let executable = Executable::parse(&bytes).unwrap();
    assert_eq!(executable.format, Format::Cda1);
    assert!(!executable.format.is_amd());
    assert_eq!(executable.images, [PTX.as_bytes()]);
    assert_eq!(executable.target(), Some("sm_80"));
    let export = &executable.exports[0];
    assert_eq!((export.name, export.lookup_name), ("kernel", "ker-nel.v1"));
    assert_eq!(export.dynamic_lds_bytes, 136);
    assert_eq!(executable.lookup("ker-nel.v1"), Some(0));
    assert_eq!(executable.lookup("kernel"), None);
    for absent in [None, Some(text(""))] {
        let bytes = named(absent);
        let executable = Executable::parse(&bytes).unwrap();
        assert_eq!(executable.exports[0].lookup_name, "kernel");
    }

    let old = flatbuffer(
        b"CUDA",
        &[
            (0, Value::Texts(vec!["one".into(), "two".into()])),
            (1, Value::DimsList(vec![[64, 1, 1], [8, 8, 1]])),
            (2, Value::U32s(vec![0, 38400])),
            (3, text(PTX)),
        ],
    );
    let executable = Executable::parse(&old).unwrap();
    assert_eq!(executable.format, Format::Cuda);
    assert!(!executable.format.is_amd());
    assert_eq!(executable.target(), Some("sm_80"));
    assert_eq!(executable.exports[1].dynamic_lds_bytes, 38400);
    assert_eq!(executable.exports[1].constant_count, None);
    fails(
        &flatbuffer(
            b"CUDA",
            &[
                (0, Value::Texts(vec!["one".into()])),
                (1, Value::DimsList(vec![[64, 1, 1]])),
                (2, Value::U32s(vec![0])),
            ],
        ),
        ErrorKind::Malformed,
        "ptx_image: it is missing",
    );
}

#[test]
fn code_says_what_it_is_for() {
    for (name, target) in [
        ("gfx1100/abs.fb", "gfx1100"),
        ("gfx1100/abs.hsaco", "gfx1100"),
        ("old_gfx1100/abs.fb", "gfx1100"),
        ("gfx942/abs.fb", "gfx942"),
        ("amdgpu_gfx1100/add.fb", "gfx1100"),
    ] {
        let bytes = fixture(name);
        let executable = Executable::parse(&bytes).unwrap();
        assert_eq!(executable.target(), Some(target), "{name}");
        assert_eq!(kernels::target(executable.images[0]), Ok(Some(target)));
    }
    let bytes = fixture("amdgpu_gfx942/add.vmfb");
    let archive = Archive::parse(&bytes).unwrap();
    let executable = &bytes[archive.executables[0].range.clone()];
    assert_eq!(
        Executable::parse(executable).unwrap().target(),
        Some("gfx942:sramecc+:xnack-")
    );
    // The code of the written container is none.
    assert_eq!(Executable::parse(&hip1_with(&[])).unwrap().target(), None);
}

fn rocm_with(changes: &[(u16, Option<Value>)]) -> Vec<u8> {
    let mut root: Fields = vec![
        (0, Value::Texts(vec!["one".into(), "two".into()])),
        (1, Value::DimsList(vec![[64, 1, 1], [8, 8, 1]])),
        (2, Value::U32s(vec![0, 38400])),
        (3, Value::Text(b"\x7fELF\0".to_vec())),
    ];
    for (id, value) in changes {
        root.retain(|field| field.0 != *id);
        root.extend(value.clone().map(|value| (*id, value)));
    }
    flatbuffer(b"ROCM", &root)
}

#[test]
fn a_written_rocm_container_is_read() {
    let location = vec![(0, text("model.mlir")), (1, Value::I32(3))];
    let bytes = rocm_with(&[(4, Some(Value::Tables(vec![location, vec![]])))]);
    let executable = Executable::parse(&bytes).unwrap();
    let [one, two] = &executable.exports[..] else {
        panic!("{:?}", executable.exports);
    };
    assert_eq!((one.name, two.name), ("one", "two"));
    assert_eq!(two.workgroup_size, Some([8, 8, 1]));
    assert_eq!((one.dynamic_lds_bytes, two.dynamic_lds_bytes), (0, 38400));
    assert_eq!(
        one.source,
        Some(SourceLocation {
            file: "model.mlir",
            line: 3
        })
    );
    assert_eq!(two.source, None);
}

#[test]
fn a_wrong_rocm_container_is_refused() {
    use ErrorKind::Malformed;
    let with = |id: u16, value: Value| rocm_with(&[(id, Some(value))]);
    fails(
        &rocm_with(&[(0, None)]),
        Malformed,
        "entry_points: there are none",
    );
    fails(
        &with(0, Value::Texts(vec![])),
        Malformed,
        "entry_points: there are none",
    );
    fails(
        &with(0, Value::Texts(vec!["one".into(), String::new()])),
        Malformed,
        "the name of entry point 1 is empty",
    );
    fails(
        &rocm_with(&[(1, None)]),
        Malformed,
        "block_sizes: it is missing",
    );
    fails(
        &with(1, Value::DimsList(vec![[64, 1, 1]])),
        Malformed,
        "it has 1 elements for 2 entry points",
    );
    fails(
        &with(1, Value::DimsList(vec![[64, 1, 1], [1, 1, 0]])),
        Malformed,
        "the workgroup size of \"two\" is [1, 1, 0]",
    );
    fails(
        &rocm_with(&[(2, None)]),
        Malformed,
        "shared_memory_sizes: it is missing",
    );
    fails(
        &with(2, Value::U32s(vec![0; 3])),
        Malformed,
        "it has 3 elements for 2 entry points",
    );
    fails(
        &rocm_with(&[(3, None)]),
        Malformed,
        "hsaco_image: it is missing or empty",
    );
    fails(
        &with(3, text("")),
        Malformed,
        "hsaco_image: it is missing or empty",
    );
}

#[test]
fn a_lying_flatbuffer_is_refused() {
    let good = rocm_with(&[]);
    let root = u32::from_le_bytes(good[..4].try_into().unwrap()) as usize;
    let patched = |at: usize, word: u32| {
        let mut bytes = good.clone();
        bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
        bytes
    };
    use ErrorKind::{Malformed, Truncated};
    fails(
        &patched(0, 0),
        Malformed,
        "the offset 0 at byte 0 leads outside",
    );
    fails(&patched(0, u32::MAX), Malformed, "leads outside");
    fails(
        &patched(root, 0x7fff_ffff),
        Malformed,
        "vtable outside of the buffer",
    );
    fails(
        &patched(root, 0x8000_0000),
        Malformed,
        "vtable outside of the buffer",
    );
    fails(&patched(root, 0), Malformed, "a vtable of");
    let names =
        root + 4 + u32::from_le_bytes(good[root + 4..root + 8].try_into().unwrap()) as usize;
    fails(
        &patched(names, u32::MAX),
        Truncated,
        "4294967295 elements of 4 bytes",
    );
    fails(&patched(names + 4, 0xffff_fff0), Malformed, "leads outside");
}

#[test]
fn a_cut_file_is_an_error_wherever_it_is_cut() {
    for name in [
        "gfx1100/abs.fb",
        "old_gfx1100/negate_and_double.fb",
        "gfx1100/casts.fb",
        "amdgpu_gfx1100/softmax.fb",
    ] {
        let bytes = fixture(name);
        // The last bytes may be padding that nobody reads.
        for end in 0..bytes.len() - 8 {
            assert!(
                Executable::parse(&bytes[..end]).is_err(),
                "{name} cut at byte {end}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_changed_file_never_panics(
        which in 0_usize..5,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        near_start in any::<bool>(),
    ) {
        use std::sync::LazyLock;
        static FILES: LazyLock<[Vec<u8>; 5]> = LazyLock::new(|| {
            ["gfx1100/casts.fb", "old_gfx1100/negate_and_double.fb", "gfx1100/faults.hsaco", "old_gfx1100/abs.fb", "amdgpu_gfx1100/layernorm.fb"]
                .map(fixture)
        });
        let mut bytes = FILES[which].clone();
        let range = if near_start { bytes.len().min(512) } else { bytes.len() };
        for (index, value) in changes {
            bytes[index.index(range)] = value;
        }
        if let Ok(executable) = Executable::parse(&bytes) {
            for export in &executable.exports {
                let _ = kernels::parse(executable.image_of(export));
            }
        }
    }
}
