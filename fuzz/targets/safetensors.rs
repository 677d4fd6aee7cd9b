//! Parameter archives, `.safetensors`: whatever the bytes are, the contents of entries are inside of them.
#![no_main]

use hipstream::parameters::{Archive, Contents, Format};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| {
    for entry in Archive::parse(Format::Safetensors, file).unwrap_or_default() {
        if let Contents::Data { offset, length } = entry.contents {
            let end = offset.checked_add(length);
            assert!(end.is_some_and(|end| end <= file.len() as u64));
        }
    }
});
