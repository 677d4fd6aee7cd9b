//! Modules: whatever the bytes are, all that is found in them is inside of them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vmfb::archive::Archive;
use vmfb::executable::Executable;
use vmfb::module::debug::DebugInfo;
use vmfb::module::{BYTECODE_VERSIONS, MAX_GLOBAL_BYTES, MAX_GLOBAL_REFS, Module};

fuzz_target!(|file: &[u8]| {
    if let Ok(module) = Module::parse(file) {
        check(file, &module);
    }
    if let Ok(archive) = Archive::parse(file) {
        for entry in archive.executables {
            let _ = Executable::parse(&file[entry.range]);
        }
    }
});

fn check(file: &[u8], module: &Module) {
    assert!(BYTECODE_VERSIONS.contains(&module.bytecode_version));
    assert!(module.global_bytes <= MAX_GLOBAL_BYTES && module.global_refs <= MAX_GLOBAL_REFS);
    let mut instructions = 0;
    for function in &module.functions {
        let bytes = file[function.bytecode.clone()].len();
        assert!((1..=bytes).contains(&function.block_count.into()));
        instructions += bytes;
    }
    assert!(instructions <= file.len());
    for segment in &module.rodata {
        let _ = &file[segment.range.clone()];
    }
    for export in &module.exports {
        assert!((export.function as usize) < module.functions.len());
        let _ = module.export(&export.name);
    }
    if let Ok(Some(debug)) = DebugInfo::parse(file, module) {
        for number in 0..(module.functions.len() as u32).min(16) {
            let _ = debug.function_name(number);
            for offset in [0, 1, 64, u32::MAX] {
                let _ = debug.locations(number, offset);
            }
        }
    }
}
