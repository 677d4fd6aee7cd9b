//! Code objects: what compilers made, and every way in which one can be wrong.

use std::path::{Path, PathBuf};

use amdgpu::code_object::{
    Access, AddressSpace, CodeObject, CodeObjectError, DenormMode, Feature, RelocationKind,
    RoundMode, ValueKind,
};
use proptest::prelude::*;

fn fixture(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures")
        .join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The code objects in a file: the file itself, or those in a container or a module.
fn code_objects(file: &[u8]) -> Vec<&[u8]> {
    let starts = file
        .windows(20)
        .enumerate()
        .filter(|(_, window)| window.starts_with(b"\x7fELF\x02\x01") && window[18..] == [224, 0]);
    starts.map(|(start, _)| &file[start..]).collect()
}

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures")
        .join(folder);
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

#[test]
fn every_fixture_is_read() {
    let mut count = 0;
    for (folder, chip) in [
        ("gfx1100", "gfx1100"),
        ("old_gfx1100", "gfx1100"),
        ("gfx942", "gfx942"),
    ] {
        for path in files(folder) {
            let file = std::fs::read(&path).unwrap();
            for image in code_objects(&file) {
                let object = CodeObject::parse(image)
                    .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                object.expect_chip(chip).unwrap();
                assert!(!object.kernels().is_empty());
                for kernel in object.kernels() {
                    assert!(!kernel.code.is_empty());
                    assert_eq!(object.kernel(&kernel.name), Some(kernel));
                }
                count += 1;
            }
        }
    }
    assert!(count >= 70, "only {count} code objects");
}

#[test]
fn a_kernel_of_the_newer_compiler() {
    let object = CodeObject::parse(&fixture("gfx1100/abs.hsaco")).unwrap();
    assert_eq!(object.machine().name(), "gfx1100");
    assert_eq!(
        object.target(),
        Some("amdgpu11.00-amd-amdhsa-unknown-gfx1100")
    );
    assert_eq!(object.version(), 5);
    assert!(object.relocations().is_empty() && object.globals().is_empty());
    let [kernel] = object.kernels() else {
        panic!("{:?}", object.kernels());
    };
    assert_eq!(kernel.name, "abs");
    assert_eq!(kernel.kernarg_bytes(), 16);
    assert_eq!(kernel.metadata.wave_size, 32);
    assert_eq!(kernel.metadata.reqd_workgroup_size, Some([1, 1, 1]));
    assert_eq!(kernel.metadata.explicit_kernarg_bytes(), 16);
    let [input, output] = &kernel.metadata.args[..] else {
        panic!("{:?}", kernel.metadata.args);
    };
    assert_eq!(
        (input.offset, input.bytes, input.value_kind),
        (0, 8, ValueKind::GlobalBuffer)
    );
    assert_eq!(input.address_space, Some(AddressSpace::Global));
    assert_eq!(input.actual_access, Some(Access::ReadOnly));
    assert_eq!(output.offset, 8);

    let descriptor = &kernel.descriptor;
    assert!(descriptor.properties.wave32() && descriptor.properties.kernarg_segment_ptr());
    assert!(!descriptor.properties.dispatch_ptr() && !descriptor.properties.dynamic_stack());
    assert_eq!(descriptor.rsrc2.user_sgprs(), 15);
    assert_eq!(descriptor.rsrc2.workgroup_ids(), [true, false, false]);
    assert_eq!(descriptor.rsrc2.workitem_id_dimensions(), 1);
    assert_eq!(descriptor.rsrc1.round_32(), RoundMode::NearestEven);
    assert_eq!(descriptor.rsrc1.denorm_32(), DenormMode::Keep);
    assert_eq!(descriptor.rsrc1.denorm_16_64(), DenormMode::Keep);
    assert!(descriptor.rsrc1.ieee_mode() && descriptor.rsrc1.dx10_clamp());
    assert!(descriptor.allocated_vgprs(object.machine()) >= kernel.metadata.vgprs);
    assert_eq!(descriptor.kernarg_preload.dwords(), 0);
}

#[test]
fn a_kernel_for_another_chip() {
    let container = fixture("gfx942/abs.fb");
    let object = CodeObject::parse(code_objects(&container)[0]).unwrap();
    assert_eq!(object.machine().name(), "gfx942");
    assert_eq!(object.machine().xnack, Feature::Any);
    let kernel = object.kernel("abs").unwrap();
    assert_eq!(kernel.metadata.wave_size, 64);
    assert_eq!(kernel.descriptor.kernarg_preload.dwords(), 4);
    let error = object.expect_chip("gfx1100").unwrap_err();
    assert!(matches!(error, CodeObjectError::WrongChip { .. }));
    assert_eq!(
        error.to_string(),
        "the code object is for gfx942, the device is gfx1100; compile for gfx1100"
    );
}

#[test]
fn relocations_and_variables_are_placed() {
    let file = fixture("gfx1100/variables.hsaco");
    let object = CodeObject::parse(&file).unwrap();
    let names: Vec<_> = object
        .globals()
        .iter()
        .map(|global| (global.name.as_str(), global.bytes))
        .collect();
    assert_eq!(names, [("table", 16), ("first", 4), ("scratchpad", 4096)]);
    let kinds: Vec<_> = object
        .relocations()
        .iter()
        .map(|relocation| relocation.kind)
        .collect();
    assert_eq!(kinds, [RelocationKind::Relative64, RelocationKind::Abs64]);

    let base = 0x7f00_0000_0000;
    let mut memory = vec![0xaa; object.image_bytes() as usize + 7];
    object.place(&file, base, &mut memory).unwrap();
    assert_eq!(memory[object.image_bytes() as usize..], [0xaa; 7]);
    let table = object.global("table").unwrap().address as usize;
    let first = object.global("first").unwrap().address;
    let word = |at: usize| u64::from_le_bytes(memory[at..at + 8].try_into().unwrap());
    assert_eq!(word(table), base + first);
    let second = (word(table + 8) - base) as usize;
    assert_eq!(memory[first as usize..][..4], 40_u32.to_le_bytes());
    assert_eq!(memory[second..][..4], 2_u32.to_le_bytes());
    let scratchpad = object.global("scratchpad").unwrap().address as usize;
    assert!(memory[scratchpad..][..4096].iter().all(|&byte| byte == 0));
    let kernel = object.kernel("sum_table").unwrap();
    let entry = kernel.code.start as usize;
    let in_file = &object
        .segments()
        .iter()
        .find(|segment| segment.executable)
        .unwrap()
        .file;
    assert_eq!(memory[entry..][..84], file[in_file.start..][..84]);
    assert_eq!(kernel.code.end - kernel.code.start, 84);

    let short = object.place(&file, base, &mut [0; 100]).unwrap_err();
    assert!(short.to_string().contains("the file has 100"), "{short}");
    let cut = object.place(&file[..1700], base, &mut memory).unwrap_err();
    assert!(cut.to_string().contains("a segment"), "{cut}");
}

#[test]
fn hidden_arguments_are_told_from_explicit_ones() {
    let file = fixture("gfx1100/add_dynamic.fb");
    let object = CodeObject::parse(code_objects(&file)[0]).unwrap();
    let metadata = &object.kernels()[0].metadata;
    let explicit: Vec<_> = metadata
        .explicit_args()
        .map(|arg| (arg.offset, arg.bytes))
        .collect();
    assert_eq!(
        explicit,
        [(0, 8), (8, 8), (16, 8), (24, 4), (28, 4), (32, 4), (36, 4)]
    );
    assert_eq!(metadata.explicit_kernarg_bytes(), 40);
    assert_eq!(metadata.hidden_args().count(), metadata.args.len() - 7);
    assert!(ValueKind::HiddenBlockCountX.is_hidden() && !ValueKind::ByValue.is_hidden());
}

/// `file` with the bytes at `at` replaced.
fn patched(file: &[u8], at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut file = file.to_vec();
    file[at..at + bytes.len()].copy_from_slice(bytes);
    file
}

/// `file` with every occurrence of a text replaced by one of the same length.
fn renamed(file: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut file = file.to_vec();
    let places: Vec<usize> = (0..file.len() - from.len())
        .filter(|&at| file[at..].starts_with(from))
        .collect();
    assert!(
        !places.is_empty(),
        "\"{}\" is not there",
        from.escape_ascii()
    );
    for at in places {
        file[at..at + to.len()].copy_from_slice(to);
    }
    file
}

#[track_caller]
fn fails(file: &[u8], text: &str) {
    let error = CodeObject::parse(file).expect_err("it must not be accepted");
    assert!(
        error.to_string().contains(text),
        "{error} does not say {text:?}"
    );
}

#[test]
fn other_files_are_refused_by_name() {
    fails(b"", "found an empty file");
    fails(
        b"hello world",
        "found bytes 68 65 6c 6c 6f 20 77 6f, expected an AMD code object",
    );
    fails(&fixture("gfx1100/abs.fb"), "found an executable container");
    fails(
        &fixture("old_gfx1100/abs.fb"),
        "found an executable container",
    );
    fails(
        &fixture("gfx1100/add.vmfb"),
        "found a ZIP file (a .vmfb module?",
    );
    fails(
        b"__CLANG_OFFLOAD_BUNDLE__....",
        "found a clang offload bundle",
    );
    fails(
        b"\x7fELF",
        "truncated: the ELF header needs bytes 0..64, the file has 4",
    );
}

#[test]
fn other_headers_are_refused_by_name() {
    let good = fixture("gfx1100/abs.hsaco");
    fails(
        &patched(&good, 4, &[1]),
        "found a 32-bit ELF file, expected a 64-bit one",
    );
    fails(
        &patched(&good, 5, &[2]),
        "found a big-endian ELF file, expected a little-endian one",
    );
    fails(
        &patched(&good, 4, &[9, 9]),
        "found ELF class 9, data encoding 9",
    );
    fails(
        &patched(&good, 18, &[62, 0]),
        "found EM_X86_64, expected EM_AMDGPU (224)",
    );
    fails(
        &patched(&good, 18, &[190, 0]),
        "found EM_CUDA, expected EM_AMDGPU",
    );
    fails(
        &patched(&good, 18, &[0xff, 0xff]),
        "found ELF machine 65535, expected EM_AMDGPU",
    );
    fails(
        &patched(&good, 7, &[65]),
        "found ELF OS ABI 65, expected 64",
    );
    fails(
        &patched(&good, 8, &[1]),
        "found code object version 3, expected version 4, 5 or 6",
    );
    fails(&patched(&good, 8, &[200]), "found ELF ABI version 200");
    fails(
        &patched(&good, 16, &[1, 0]),
        "found a relocatable object file, expected a linked code object",
    );
    fails(&patched(&good, 16, &[2, 0]), "found ELF type 2, expected 3");
    fails(&patched(&good, 48, &[0xee]), "found machine number 0xee");
    fails(
        &patched(&good, 48, &[0x4c]),
        "the ELF flags say gfx942, the metadata target says",
    );
    fails(
        &renamed(&good, b"-gfx1100", b"-gfx1201"),
        "the ELF flags say gfx1100, the metadata target says",
    );
}

/// Offset of program header `index`.
fn program_header(file: &[u8], index: usize) -> usize {
    u64::from_le_bytes(file[32..40].try_into().unwrap()) as usize + 56 * index
}

#[test]
fn segments_that_lie_are_refused() {
    let good = fixture("gfx1100/abs.hsaco");
    // Headers 1 to 3 are the loadable ones.
    let (first, second) = (program_header(&good, 1), program_header(&good, 2));
    let word = |value: u64| value.to_le_bytes();
    fails(
        &patched(&good, first + 8, &word(1 << 40)),
        "truncated: a segment needs bytes 1099511627776..",
    );
    fails(
        &patched(&good, first + 32, &word(u64::MAX)),
        "truncated: a segment",
    );
    fails(
        &patched(&good, first + 40, &word(1)),
        "bytes in the file and 1 in memory",
    );
    fails(
        &patched(&good, first + 40, &word(1 << 40)),
        "the limit is 1073741824",
    );
    fails(
        &patched(&good, first + 16, &word(u64::MAX)),
        "the limit is 1073741824",
    );
    fails(&patched(&good, second + 16, &word(0x10)), "overlap");
    let mut nothing = good.clone();
    for index in 1..4 {
        nothing = patched(&nothing, program_header(&good, index), &[0; 4]);
    }
    fails(&nothing, "no loadable segment");
    fails(&patched(&good, 32, &word(u64::MAX)), "malformed ELF");
    fails(&patched(&good, 40, &word(1 << 40)), "malformed ELF");
}

#[test]
fn metadata_that_lies_is_refused() {
    let good = fixture("gfx1100/abs.hsaco");
    let with = |from: &[u8], to: &[u8]| renamed(&good, from, to);
    fails(
        &with(b"AMDGPU\0\0", b"NOBODY\0\0"),
        "no AMDGPU metadata note",
    );
    fails(
        &with(b"amdhsa.version\x92\x01\x02", b"amdhsa.version\x92\x09\x02"),
        "found metadata version 9.2",
    );
    fails(
        &with(b".wavefront_size\x20", b".wavefront_size\x40"),
        "the wave size: 32 in its descriptor, 64",
    );
    fails(
        &with(b".wavefront_size\x20", b".wavefront_size\x21"),
        "wavefront_size is 33, expected 32 or 64",
    );
    fails(
        &with(b".kernarg_segment_align\x08", b".kernarg_segment_align\x07"),
        "expected a power of two",
    );
    fails(
        &with(b".kernarg_segment_size\x10", b".kernarg_segment_size\x0c"),
        "argument 1 (GlobalBuffer) ends at byte 16",
    );
    fails(
        &with(b".kernarg_segment_size\x10", b".kernarg_segment_size\x20"),
        "the kernarg bytes: 16 in its descriptor, 32",
    );
    fails(
        &with(
            b".max_flat_workgroup_size\x01",
            b".max_flat_workgroup_size\x00",
        ),
        "max_flat_workgroup_size is 0",
    );
    fails(
        &with(
            b".reqd_workgroup_size\x93\x01\x01\x01",
            b".reqd_workgroup_size\x93\x01\x02\x01",
        ),
        "does not fit",
    );
    fails(
        &with(b"global_buffer", b"global_bufffr"),
        "unknown variant `global_bufffr`",
    );
    fails(
        &with(b".symbol\xa6abs.kd", b".symbol\xa6abz.kd"),
        "is not among the symbols",
    );
    fails(
        &with(b".symbol\xa6", b".sympol\xa6"),
        "missing field `.symbol`",
    );
}

#[test]
fn descriptors_that_lie_are_refused() {
    let good = fixture("gfx1100/abs.hsaco");
    let object = CodeObject::parse(&good).unwrap();
    let kernel = &object.kernels()[0];
    let segment = &object.segments()[0];
    let descriptor = segment.file.start + (kernel.descriptor_address - segment.address) as usize;
    let entry = |offset: i64| patched(&good, descriptor + 16, &offset.to_le_bytes());
    let offset = kernel.descriptor.entry_offset;
    fails(&entry(offset + 4), "is not aligned to 256 bytes");
    fails(
        &entry(offset + 0x10000),
        "is outside of every executable segment",
    );
    fails(
        &entry(-(kernel.descriptor_address as i64)),
        "its entry point 0x0 is outside of every executable segment",
    );
    fails(&entry(i64::MIN), "its entry point");
    fails(
        &patched(&good, descriptor, &1_u32.to_le_bytes()),
        "the LDS bytes: 1 in its descriptor, 0",
    );
    fails(
        &patched(&good, descriptor + 4, &64_u32.to_le_bytes()),
        "the scratch bytes: 64 in its descriptor, 0",
    );
}

#[test]
fn relocations_that_lie_are_refused() {
    let good = fixture("gfx1100/variables.hsaco");
    let relative = find(&good, &[13, 0, 0, 0, 0, 0, 0, 0]);
    fails(
        &patched(&good, relative, &[9]),
        "found R_AMDGPU_GOTPCREL32_HI, expected R_AMDGPU_RELATIVE64 or",
    );
    fails(
        &patched(&good, relative, &[0x77]),
        "found relocation type 119",
    );
    fails(
        &patched(&good, relative - 8, &u64::MAX.to_le_bytes()),
        "the place is outside of every segment",
    );
    fails(
        &patched(&good, relative + 8, &u64::MAX.to_le_bytes()),
        "is outside of the image",
    );
    let absolute = find(&good, &[3, 0, 0, 0, 4, 0, 0, 0]);
    fails(
        &patched(&good, absolute + 4, &[0xff, 0xff]),
        "there is no symbol 65535",
    );
    fails(&patched(&good, absolute + 4, &[0]), "there is no symbol 0");
    let container = fixture("unlinked/abs.fb");
    fails(
        code_objects(&container)[0],
        "the symbol \"__ocml_fabs_f32\" is not defined in this file: the compiler did not link",
    );
}

fn find(file: &[u8], bytes: &[u8]) -> usize {
    let places: Vec<usize> = (0..file.len() - bytes.len())
        .filter(|&at| file[at..].starts_with(bytes))
        .collect();
    assert_eq!(places.len(), 1, "{bytes:?} is at {places:?}");
    places[0]
}

#[test]
fn a_cut_file_is_an_error_wherever_it_is_cut() {
    for name in [
        "gfx1100/abs.hsaco",
        "old_gfx1100/abs.hsaco",
        "gfx1100/variables.hsaco",
    ] {
        let file = fixture(name);
        let whole = CodeObject::parse(&file).unwrap();
        for end in 0..file.len() {
            match CodeObject::parse(&file[..end]) {
                // Names of local symbols come last; nothing needs them.
                Ok(cut) => assert!(
                    cut == whole && end >= file.len() * 3 / 4,
                    "{name} cut at byte {end}"
                ),
                Err(error) => assert!(!error.to_string().is_empty()),
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_changed_file_never_panics(
        which in 0_usize..3,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
    ) {
        use std::sync::LazyLock;
        static FILES: LazyLock<[Vec<u8>; 3]> = LazyLock::new(|| {
            ["gfx1100/abs.hsaco", "gfx1100/variables.hsaco", "gfx1100/faults.hsaco"].map(fixture)
        });
        let mut file = FILES[which].clone();
        for (index, value) in changes {
            let at = index.index(file.len());
            file[at] = value;
        }
        if let Ok(object) = CodeObject::parse(&file) && object.image_bytes() < 1 << 20 {
            let mut memory = vec![0; object.image_bytes() as usize];
            object.place(&file, 0x1000, &mut memory).unwrap();
        }
    }

    #[test]
    fn noise_behind_an_elf_header_never_panics(noise in prop::collection::vec(any::<u8>(), 0..512)) {
        use std::sync::LazyLock;
        static HEADER: LazyLock<Vec<u8>> = LazyLock::new(|| fixture("gfx1100/abs.hsaco")[..64].to_vec());
        let mut file = HEADER.clone();
        file.extend(noise);
        prop_assert!(CodeObject::parse(&file).is_err());
    }
}
