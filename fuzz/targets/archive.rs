//! Modules: whatever the bytes are, the executables found in them are inside of them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vmfb::archive::Archive;
use vmfb::executable::Executable;

fuzz_target!(|file: &[u8]| {
    let Ok(archive) = Archive::parse(file) else {
        return;
    };
    for entry in archive.executables {
        let _ = Executable::parse(&file[entry.range]);
    }
});
