//! The instruction decoder: it makes progress, and what it decodes can be printed.
#![no_main]

use std::fmt::Write;

use amdgpu::isa::{WaveSize, decode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|code: &[u8]| {
    let mut text = String::new();
    for wave in [WaveSize::Wave32, WaveSize::Wave64] {
        let mut offset = 0;
        while let Ok(instruction) = decode(wave, code, offset) {
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
