//! The instruction decoder: it makes progress, and what it decodes can be printed.
#![no_main]

use std::fmt::Write;

use amdgpu::isa::{Cdna, Generation, WaveSize, decode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|code: &[u8]| {
    let mut text = String::new();
    for (generation, wave) in [
        (Generation::Gfx11, WaveSize::Wave32),
        (Generation::Gfx11, WaveSize::Wave64),
        (Generation::Gfx12, WaveSize::Wave32),
        (Generation::Gfx12, WaveSize::Wave64),
        (Generation::Gfx9(Cdna::Cdna2), WaveSize::Wave64),
        (Generation::Gfx9(Cdna::Cdna3), WaveSize::Wave64),
        (Generation::Gfx9(Cdna::Cdna4), WaveSize::Wave64),
    ] {
        let mut offset = 0;
        while let Ok(instruction) = decode(generation, wave, code, offset) {
            let bytes = usize::from(instruction.size_bytes);
            assert!(bytes >= 4 && bytes.is_multiple_of(4) && bytes <= code.len() - offset);
            text.clear();
            write!(text, "{instruction}").expect("writing to a string");
            assert!(!text.is_empty());
            let _ = instruction.branch_target(offset as u64);
            offset += bytes;
        }
    }
});
