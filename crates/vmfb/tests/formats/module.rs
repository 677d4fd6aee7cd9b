//! Whole modules: what the compilers made, and what is wrong with one.

use crate::support::{fixture, fixtures_with};
use vmfb::module::{BYTECODE_VERSIONS, Features, Module};

#[test]
fn every_module_is_read() {
    let files = fixtures_with(&["vmfb"]);
    assert!(files.len() >= 20, "only {} files", files.len());
    for (path, bytes) in files {
        assert!(Module::detect(&bytes));
        let module =
            Module::parse(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(module.name, "module");
        assert!(module.export("__init").is_some(), "{}", path.display());
        assert!(
            module
                .imports
                .iter()
                .all(|import| import.name.starts_with("hal."))
        );
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
