//! Modules as text: one of each compiler generation, whole. `HIPSTREAM_BLESS=1 cargo test -p vm` writes the files
//! anew; `cargo xtask vm --against` holds the form against the stock tool's.

use std::path::Path;

use vm::{BytecodeModule, disasm};

#[test]
fn modules_are_listed() {
    for (fixture, golden) in [
        ("gfx1100/add_dynamic.vmfb", "add_dynamic.txt"),
        ("old_gfx1100/reduce.vmfb", "old_reduce.txt"),
    ] {
        let file = fixtures::read(fixture);
        let module = BytecodeModule::load(file.into()).unwrap();
        let text = disasm::module(&module).to_string();
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/vm/listing")
            .join(golden);
        if std::env::var_os("HIPSTREAM_BLESS").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let expected = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            text == expected,
            "{} is not what is listed; HIPSTREAM_BLESS=1 writes it anew",
            path.display()
        );
    }
}
