//! Whole modules: what the compilers made, and what is wrong with one.

use crate::support::{Value, fixture, fixtures_with, flatbuffer, text};
use proptest::prelude::*;
use vmfb::ErrorKind;
use vmfb::module::debug::DebugInfo;
use vmfb::module::{
    BYTECODE_VERSIONS, Dependency, Export, Features, Function, Import, MAX_GLOBAL_BYTES,
    MAX_GLOBAL_REFS, Module, Rodata,
};

type Fields = Vec<(u16, Value)>;

#[test]
fn every_module_is_read() {
    let files = fixtures_with(&["vmfb"]);
    assert!(files.len() >= 20, "only {} files", files.len());
    for (path, bytes) in files {
        assert!(Module::detect(&bytes));
        let module =
            Module::parse(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for import in &module.imports {
            let (owner, _) = import.name.split_once('.').unwrap();
            let mut dependencies = module.dependencies.iter();
            assert!(dependencies.any(|dependency| dependency.name == owner));
        }
    }
}

#[test]
fn a_module_of_each_generation_has_these_parts() {
    let bytes = fixture("gfx1100/add.vmfb");
    let module = Module::parse(&bytes).unwrap();
    assert_eq!(module.bytecode_version, BYTECODE_VERSIONS[1]);
    assert_eq!(module.requirements, Features::YIELD | Features::UNWIND);
    assert_eq!(module.dependencies.len(), 1);
    assert_eq!(module.dependencies[0].name, "hal");
    assert_eq!(module.dependencies[0].minimum_version, 7);
    assert!(!module.dependencies[0].is_optional);
    let main = module.export("add").unwrap();
    assert_eq!(main.calling_convention, "0rr_r");
    let (key, value) = &main.attrs[0];
    assert_eq!(key, "iree.abi.declaration");
    assert!(value.contains("func @add("), "{value}");
    assert!(module.types.contains(&"vm.buffer".to_owned()));

    let bytes = fixture("old_gfx1100/add.vmfb");
    let module = Module::parse(&bytes).unwrap();
    assert_eq!(module.bytecode_version, BYTECODE_VERSIONS[0]);
    assert_eq!(module.requirements, Features::empty());
    assert_eq!(module.dependencies[0].minimum_version, 2);
    assert_eq!(module.export("add").unwrap().calling_convention, "0rr_r");
}

#[test]
fn instructions_lead_to_their_source() {
    let bytes = fixture("old_gfx1100/layernorm.vmfb");
    let module = Module::parse(&bytes).unwrap();
    let debug = DebugInfo::parse(&bytes, &module).unwrap().unwrap();
    assert_eq!(debug.function_name(0), Some("layernorm"));
    assert_eq!(debug.function_name(1), Some("__init"));
    assert_eq!(debug.function_name(2), None);
    // Two call sites in one: where the first is, what it was called from, where the second is.
    let last = module.functions[0].bytecode.len() as u32 - 1;
    let places: Vec<String> = debug
        .locations(0, last)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        places,
        [
            "src/layernorm.mlir:28:13",
            "src/layernorm.mlir:6:1",
            "src/layernorm.mlir:12:11",
        ]
    );
    assert_eq!(
        debug.locations(0, 0),
        [],
        "the block marker comes from nowhere"
    );
    assert_eq!(debug.locations(7, 0), []);

    // Compilers of release 3.13 describe only the last function, which is `__init`.
    let bytes = fixture("gfx1100/softmax.vmfb");
    let module = Module::parse(&bytes).unwrap();
    let debug = DebugInfo::parse(&bytes, &module).unwrap().unwrap();
    assert_eq!(debug.function_name(2), Some("__init"));
    assert_eq!(debug.function_name(0), None);
    let places = debug.locations(2, 1464);
    assert_eq!(places[0].file, "src/softmax.mlir");
    assert_eq!((places[0].line, places[0].column), (4, 13));
}

/// A function descriptor: offset, length, feature bits, then blocks, 32-bit registers, reference registers.
fn descriptor(words: [i32; 3], halves: [i16; 3]) -> Vec<u8> {
    let words = words.into_iter().flat_map(i32::to_le_bytes);
    let halves = [0, halves[0], halves[1], halves[2]]
        .into_iter()
        .flat_map(i16::to_le_bytes);
    words.chain(halves).collect()
}

fn attr(key: &str, value: &str) -> Fields {
    vec![(0, text(key)), (1, text(value))]
}

fn signature(convention: &str) -> Fields {
    vec![(0, text(convention))]
}

/// A module with two functions and a bit of everything, but for these fields of its root.
fn written(changes: &[(u16, Option<Value>)]) -> Vec<u8> {
    let with_attr = vec![
        (0, text("0rI_r")),
        (
            1,
            Value::Tables(vec![attr("key", "value"), vec![(0, text("bare"))]]),
        ),
    ];
    let import = vec![
        (0, text("hal.devices.get")),
        (1, Value::Table(with_attr.clone())),
        (2, Value::U32(2)),
    ];
    let mut root: Fields = vec![
        (0, text("model")),
        (1, Value::U32(3)),
        (2, Value::U32(12)),
        (3, Value::Tables(vec![attr("of", "module")])),
        (
            4,
            Value::Tables(vec![
                vec![(0, text("i32"))],
                vec![(0, text("!vm.list<!vm.ref<?>>"))],
                vec![(0, text("!hal.buffer"))],
            ]),
        ),
        (
            5,
            Value::Tables(vec![
                vec![(0, text("hal")), (1, Value::U32(7)), (2, Value::U32(1))],
                vec![(0, text("check")), (2, Value::U32(2))],
            ]),
        ),
        (6, Value::Tables(vec![import])),
        (
            7,
            Value::Tables(vec![vec![(0, text("main")), (1, Value::I32(1))]]),
        ),
        (8, Value::Tables(vec![signature("0v_v"), with_attr])),
        (9, Value::Tables(vec![vec![(2, Value::Bytes(vec![7; 5]))]])),
        (
            11,
            Value::Table(vec![(0, Value::I32(12)), (1, Value::I32(4))]),
        ),
        (
            12,
            Value::Structs(vec![
                descriptor([0, 6, 0], [1, 2, 3]),
                descriptor([8, 24, 13], [5, 0x7fff, 0x3fff]),
            ]),
        ),
        (13, Value::U32(17 << 16)),
        (14, Value::Bytes((0..32).collect())),
    ];
    for (id, value) in changes {
        root.retain(|field| field.0 != *id);
        root.extend(value.clone().map(|value| (*id, value)));
    }
    let buffer = flatbuffer(b"IREE", &root);
    let mut bytes = u32::try_from(buffer.len()).unwrap().to_le_bytes().to_vec();
    bytes.extend(buffer);
    bytes
}

#[test]
fn a_written_module_is_read() {
    let bytes = written(&[]);
    let module = Module::parse(&bytes).unwrap();
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let attrs = vec![pair("key", "value"), pair("bare", "")];
    assert_eq!((module.name.as_str(), module.version), ("model", 3));
    assert_eq!(module.requirements, Features::YIELD | Features::UNWIND);
    assert_eq!(module.attrs, [pair("of", "module")]);
    assert_eq!(module.types, ["i32", "vm.list", "hal.buffer"]);
    assert_eq!(
        module.dependencies,
        [
            Dependency {
                name: "hal".into(),
                minimum_version: 7,
                is_optional: false,
            },
            Dependency {
                name: "check".into(),
                minimum_version: 0,
                is_optional: true,
            },
        ]
    );
    assert_eq!(
        module.imports,
        [Import {
            name: "hal.devices.get".into(),
            calling_convention: "0rI_r".into(),
            is_optional: true,
            attrs: attrs.clone(),
        }]
    );
    assert_eq!(
        module.exports,
        [Export {
            name: "main".into(),
            function: 1,
        }]
    );
    let [first, second] = &module.functions[..] else {
        panic!("{:?}", module.functions);
    };
    assert_eq!(bytes[first.bytecode.clone()], [0, 1, 2, 3, 4, 5]);
    assert_eq!(bytes[second.bytecode.clone()], (8..32).collect::<Vec<u8>>());
    assert_eq!(
        *second,
        Function {
            bytecode: second.bytecode.clone(),
            requirements: Features::EXT_F32 | Features::YIELD | Features::UNWIND,
            block_count: 5,
            i32_registers: 0x7fff,
            ref_registers: 0x3fff,
            calling_convention: "0rI_r".into(),
            attrs,
        }
    );
    assert_eq!(module.export("main"), Some(second));
    assert_eq!(module.export("other"), None);
    let [
        Rodata {
            range,
            is_embedded: true,
            name: None,
        },
    ] = &module.rodata[..]
    else {
        panic!("{:?}", module.rodata);
    };
    assert_eq!(bytes[range.clone()], [7; 5]);
    assert_eq!((module.global_bytes, module.global_refs), (12, 4));
    assert_eq!(module.bytecode_version, (17, 0));
    assert_eq!(DebugInfo::parse(&bytes, &module).unwrap().map(|_| ()), None);
}

#[test]
fn a_module_of_nothing_is_read() {
    let nothing: Vec<_> = (1..15)
        .filter(|id| *id != 13)
        .map(|id| (id, None))
        .collect();
    let module = Module::parse(&written(&nothing)).unwrap();
    assert!(module.functions.is_empty() && module.rodata.is_empty());
    assert_eq!((module.global_bytes, module.global_refs), (0, 0));
}

#[track_caller]
fn fails(bytes: &[u8], kind: ErrorKind, part: &str) {
    let error = Module::parse(bytes).expect_err("it must not be accepted");
    assert_eq!(error.kind(), kind, "{error}");
    assert!(
        error.to_string().contains(part),
        "{error:?} does not say {part:?}"
    );
}

#[track_caller]
fn fails_with(id: u16, value: Value, kind: ErrorKind, part: &str) {
    fails(&written(&[(id, Some(value))]), kind, part);
}

#[test]
fn other_versions_are_refused_with_what_to_do() {
    use ErrorKind::Incompatible;
    for (version, text) in [
        (16 << 16, "16.0"),
        (17 << 16 | 1, "17.1"),
        (18 << 16, "18.0"),
        (0, "0.0"),
    ] {
        for part in [
            &format!("found bytecode {text}, expected 17.0 (iree-compile 3.13) or 15.0"),
            "compile the module again",
        ] {
            fails_with(13, Value::U32(version), Incompatible, part);
        }
    }
    fails(&written(&[(13, None)]), Incompatible, "found bytecode 0.0");
    let old = written(&[(13, Some(Value::U32(15 << 16)))]);
    assert_eq!(Module::parse(&old).unwrap().bytecode_version, (15, 0));
    fails_with(
        2,
        Value::U32(16),
        Incompatible,
        "BytecodeModuleDef.requirements: found unknown feature bits 0x10",
    );
}

#[test]
fn names_are_required() {
    use ErrorKind::Malformed;
    let empty = |id: u16| Value::Tables(vec![vec![(id, text(""))]]);
    let missing = || Value::Tables(vec![vec![]]);
    fails_with(
        0,
        text(""),
        Malformed,
        "BytecodeModuleDef.name: it is missing or empty",
    );
    fails(
        &written(&[(0, None)]),
        Malformed,
        "BytecodeModuleDef.name: it is missing or empty",
    );
    fails_with(0, Value::Text(vec![0xff]), Malformed, "not UTF-8");
    for (id, place) in [
        (3, "attrs[0]: AttrDef.key"),
        (4, "types[0]: TypeDef.full_name"),
        (5, "dependencies[0]: ModuleDependencyDef.name"),
        (6, "imported_functions[0]: ImportFunctionDef.full_name"),
        (7, "exported_functions[0]: ExportFunctionDef.local_name"),
    ] {
        let problem = format!("{place}: it is missing or empty");
        fails_with(id, empty(0), Malformed, &problem);
        fails_with(id, missing(), Malformed, &problem);
    }
    for name in ["!", "<i32>", "!<"] {
        let types = Value::Tables(vec![vec![(0, text(name))]]);
        fails_with(4, types, Malformed, "names no type");
    }
    let unsigned = Value::Tables(vec![vec![(0, text("a.b"))]]);
    fails_with(
        6,
        unsigned,
        Malformed,
        "the signature of \"a.b\" is missing",
    );
    let no_convention = vec![(0, text("a.b")), (1, Value::Table(vec![]))];
    fails_with(
        6,
        Value::Tables(vec![no_convention]),
        Malformed,
        "FunctionSignatureDef.calling_convention: it is missing",
    );
    let signatures = Value::Tables(vec![signature("0v_v"), vec![]]);
    fails_with(
        8,
        signatures,
        Malformed,
        "function 1: FunctionSignatureDef.calling_convention: it is missing",
    );
}

#[test]
fn wrong_functions_are_refused() {
    use ErrorKind::{Incompatible, Malformed, Truncated};
    let one = Value::Tables(vec![signature("0v_v")]);
    fails_with(8, one, Malformed, "there are 1 for 2 function descriptors");
    fails(
        &written(&[(8, None)]),
        Malformed,
        "there are 0 for 2 function descriptors",
    );
    fails(
        &written(&[(12, None)]),
        Malformed,
        "there are 2 for 0 function descriptors",
    );
    for ordinal in [-1, 2, i32::MAX, i32::MIN] {
        let exports = Value::Tables(vec![vec![(0, text("main")), (1, Value::I32(ordinal))]]);
        fails_with(
            7,
            exports,
            Malformed,
            &format!("\"main\" is function {ordinal}, there are 2"),
        );
    }
    for (words, halves, kind, part) in [
        (
            [-1, 6, 0],
            [1, 0, 0],
            Malformed,
            "bytecode_offset: it is -1",
        ),
        ([0, 0, 0], [1, 0, 0], Malformed, "bytecode_length: it is 0"),
        (
            [0, -6, 0],
            [1, 0, 0],
            Malformed,
            "bytecode_length: it is -6",
        ),
        (
            [0, 33, 0],
            [1, 0, 0],
            Truncated,
            "33 bytes of instructions at 0, there are 32",
        ),
        (
            [33, 1, 0],
            [1, 0, 0],
            Truncated,
            "1 bytes of instructions at 33",
        ),
        (
            [i32::MAX, i32::MAX, 0],
            [1, 0, 0],
            Truncated,
            "there are 32",
        ),
        (
            [0, 6, 32],
            [1, 0, 0],
            Incompatible,
            "FunctionDescriptor.requirements: found unknown feature bits 0x20",
        ),
        (
            [0, 6, 0],
            [0, 0, 0],
            Malformed,
            "block_count: 0 blocks in 6 bytes",
        ),
        ([0, 6, 0], [-1, 0, 0], Malformed, "block_count: -1 blocks"),
        (
            [0, 6, 0],
            [7, 0, 0],
            Malformed,
            "block_count: 7 blocks in 6 bytes",
        ),
        (
            [0, 6, 0],
            [1, -1, 0],
            Malformed,
            "i32_register_count: it is -1, expected 0 to 32767",
        ),
        (
            [0, 6, 0],
            [1, 0, -1],
            Malformed,
            "ref_register_count: it is -1, expected 0 to 16383",
        ),
        (
            [0, 6, 0],
            [1, 0, 0x4000],
            Malformed,
            "ref_register_count: it is 16384",
        ),
        (
            [26, 6, 0],
            [1, 0, 0],
            Malformed,
            "the instructions of functions 1 and 0 overlap",
        ),
        (
            [8, 24, 0],
            [1, 0, 0],
            Malformed,
            "the instructions of functions 0 and 1 overlap",
        ),
    ] {
        let rows = vec![descriptor(words, halves), descriptor([8, 24, 0], [1, 0, 0])];
        fails_with(12, Value::Structs(rows), kind, part);
    }
    fails(
        &written(&[(14, None)]),
        Truncated,
        "function 0: FunctionDescriptor.bytecode_offset: 6 bytes",
    );
}

#[test]
fn globals_have_limits() {
    use ErrorKind::{LimitExceeded, Malformed};
    let state =
        |bytes: i32, refs: i32| Value::Table(vec![(0, Value::I32(bytes)), (1, Value::I32(refs))]);
    fails_with(
        11,
        state(-1, 0),
        Malformed,
        "global_bytes_capacity: it is -1",
    );
    fails_with(
        11,
        state(0, i32::MIN),
        Malformed,
        "global_ref_count: it is -2147483648",
    );
    fails_with(
        11,
        state(i32::MAX, 0),
        LimitExceeded,
        "global_bytes_capacity: it is 2147483647, the limit is",
    );
    fails_with(
        11,
        state(0, i32::MAX),
        LimitExceeded,
        "global_ref_count: it is 2147483647, the limit is",
    );
    let most = state(MAX_GLOBAL_BYTES as i32, MAX_GLOBAL_REFS as i32);
    let module = Module::parse(&written(&[(11, Some(most))])).unwrap();
    assert_eq!(
        (module.global_bytes, module.global_refs),
        (MAX_GLOBAL_BYTES, MAX_GLOBAL_REFS)
    );
}

#[test]
fn wrong_data_segments_are_refused() {
    use ErrorKind::{Incompatible, Truncated};
    let segment = |fields: Fields| Value::Tables(vec![fields]);
    fails_with(
        9,
        segment(vec![(3, Value::U64(0)), (4, Value::U64(1))]),
        Truncated,
        "data segment 0: RodataSegmentDef.external_data_offset: 1 bytes at 0 behind byte",
    );
    fails_with(
        9,
        segment(vec![(0, Value::U32(1)), (2, Value::Bytes(vec![1]))]),
        Incompatible,
        "data segment 0: RodataSegmentDef.compression_type: found 1, expected 0",
    );
}

/// Thousands of tables can be one table with one long name: what is copied must not be a million times the file.
#[test]
fn what_unfolds_to_many_times_the_file_is_refused() {
    let bytes = written(&[(
        4,
        Some(Value::Tables(vec![
            vec![(0, text(&"t".repeat(100_000)))];
            2
        ])),
    )]);
    assert!(Module::parse(&bytes).is_ok());
    let mut buffer = bytes[4..].to_vec();
    let at = |buffer: &[u8], at: usize| {
        u32::from_le_bytes(buffer[at..at + 4].try_into().unwrap()) as usize
    };
    // The vector of types, made anew behind the rest with every element leading to the first table.
    let root = at(&buffer, 0);
    let vtable = root - at(&buffer, root);
    let field = root
        + usize::from(u16::from_le_bytes([
            buffer[vtable + 12],
            buffer[vtable + 13],
        ]));
    let types = field + at(&buffer, field);
    let shared = types + 4 + at(&buffer, types + 4);
    // Distances lead forward only, so the table moves behind the vector too.
    let count = 5_000_usize;
    let vector = buffer.len().next_multiple_of(4);
    buffer.resize(vector, 0);
    buffer.extend(u32::try_from(count).unwrap().to_le_bytes());
    let table = vector + 4 + 4 * count + 8;
    for index in 0..count {
        let distance = table - (vector + 4 + 4 * index);
        buffer.extend(u32::try_from(distance).unwrap().to_le_bytes());
    }
    buffer.extend([6, 0, 8, 0, 4, 0, 0, 0]);
    buffer.extend(8_i32.to_le_bytes());
    buffer.extend(4_u32.to_le_bytes());
    let name = buffer[shared + 4..].to_vec();
    let name = &name[at(&name, 0)..][..4 + 100_000 + 1];
    buffer.extend(name);
    buffer[field..field + 4].copy_from_slice(&u32::try_from(vector - field).unwrap().to_le_bytes());
    let mut bomb = u32::try_from(buffer.len()).unwrap().to_le_bytes().to_vec();
    bomb.extend(&buffer);
    fails(&bomb, ErrorKind::LimitExceeded, "unfold to more than");
}

#[test]
fn a_cut_module_is_an_error_or_complete() {
    for name in ["amdgpu_gfx1100/add.vmfb", "old_gfx1100/add.vmfb"] {
        let bytes = fixture(name);
        let whole = Module::parse(&bytes).unwrap();
        for end in 0..bytes.len() {
            // Behind the last segment comes only the directory of the ZIP file, which is not read.
            if let Ok(module) = Module::parse(&bytes[..end]) {
                assert_eq!(module, whole, "{name} cut at byte {end}");
            }
        }
    }
}

#[test]
fn locations_that_stand_for_themselves_end() {
    let file = |line: i32| {
        vec![
            (0, text("model.mlir")),
            (1, Value::I32(line)),
            (2, Value::I32(9)),
        ]
    };
    let locations = vec![
        // A fused one with itself in it, a call site of two names, and what is out of range.
        vec![(1, Value::U32s(vec![0, 1, 5, 1000, u32::MAX, 0]))],
        vec![(0, Value::I32(2)), (1, Value::I32(3))],
        vec![(0, text("callee")), (1, Value::I32(4))],
        vec![(0, text("caller")), (1, Value::I32(3))],
        file(1),
        file(-5),
    ];
    let entries = [(1, 0), (9, 1), (17, 4)]
        .map(|(offset, location): (i32, i32)| {
            [offset.to_le_bytes(), location.to_le_bytes()].concat()
        })
        .to_vec();
    let map = |name: &str| vec![(0, text(name)), (1, Value::Structs(entries.clone()))];
    let database = |maps: Vec<Fields>| {
        Value::Table(vec![
            (0, Value::Bytes(vec![3, 1, 4, 4, 2, 2])),
            (1, Value::Tables(locations.clone())),
            (2, Value::Tables(maps)),
        ])
    };
    let bytes = written(&[(15, Some(database(vec![map("main"), map("other")])))]);
    let module = Module::parse(&bytes).unwrap();
    let debug = DebugInfo::parse(&bytes, &module).unwrap().unwrap();
    let places = |function, offset| {
        let places = debug.locations(function, offset);
        places.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    for function in [0, 1] {
        assert_eq!(places(function, 0), [""; 0]);
        assert_eq!(places(function, 9), ["model.mlir:1:9"]);
        assert_eq!(places(function, 16), ["model.mlir:1:9"]);
        assert_eq!(places(function, u32::MAX), ["model.mlir:1:9"]);
        assert!(places(function, 1).len() <= 2);
    }
    assert_eq!(debug.function_name(1), Some("other"));

    // Fewer maps than functions: names decide.
    let bytes = written(&[(15, Some(database(vec![map("main")])))]);
    let debug = DebugInfo::parse(&bytes, &module).unwrap().unwrap();
    assert_eq!(debug.function_name(0), None);
    assert_eq!(debug.function_name(1), Some("main"));
}

/// What a module says must be inside of its file, whatever the file is.
fn check(bytes: &[u8]) {
    let Ok(module) = Module::parse(bytes) else {
        return;
    };
    for function in &module.functions {
        assert!(!bytes[function.bytecode.clone()].is_empty());
    }
    for segment in &module.rodata {
        assert!(bytes.get(segment.range.clone()).is_some());
    }
    for export in &module.exports {
        assert!((export.function as usize) < module.functions.len());
    }
    if let Ok(Some(debug)) = DebugInfo::parse(bytes, &module) {
        for number in 0..module.functions.len() as u32 {
            let _ = debug.function_name(number);
            for offset in [0, 1, 100, u32::MAX] {
                let _ = debug.locations(number, offset);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_changed_module_never_panics(
        which in 0_usize..3,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        word in prop::option::of((any::<prop::sample::Index>(), prop::sample::select(vec![0_u32, 1, 4, 0x7fff_ffff, u32::MAX]))),
    ) {
        use std::sync::LazyLock;
        static FILES: LazyLock<[Vec<u8>; 3]> = LazyLock::new(|| {
            ["gfx1100/casts.vmfb", "old_gfx1100/layernorm.vmfb", "amdgpu_gfx1100/add.vmfb"].map(fixture)
        });
        let mut bytes = FILES[which].clone();
        for (index, value) in changes {
            let at = index.index(bytes.len());
            bytes[at] = value;
        }
        if let Some((index, word)) = word {
            let at = index.index(bytes.len() / 4 - 1) * 4;
            bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
        }
        check(&bytes);
    }
}
