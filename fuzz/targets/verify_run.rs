//! Programs made of any instructions: the verifier accepts them, and running them stays within its limits.
#![no_main]

#[path = "../../crates/vm/tests/vm/asm.rs"]
#[expect(dead_code, reason = "most of it is for tests written by hand")]
mod asm;
#[path = "../../crates/vm/tests/vm/generate.rs"]
mod generate;
#[path = "../../crates/vm/tests/vm/host.rs"]
mod host;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| host::run(&generate::program(bytes)));
