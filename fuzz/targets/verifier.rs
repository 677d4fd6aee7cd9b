//! Modules: what the verifier accepts can be listed, every instruction of it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vm::{BytecodeModule, disasm};

fuzz_target!(|file: &[u8]| {
    if let Ok(module) = BytecodeModule::load(file.to_vec().into()) {
        assert!(!disasm::module(&module).to_string().is_empty());
    }
});
