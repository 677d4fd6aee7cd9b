//! Whole modules: what the compilers made, and what is wrong with one.

use crate::support::{fixture, fixtures_with};
use vmfb::module::debug::DebugInfo;
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
        let is_host_only = path.ends_with("scalars.vmfb");
        assert_eq!(
            module.export("__init").is_none(),
            is_host_only,
            "{}",
            path.display()
        );
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

#[test]
fn instructions_lead_to_their_source() {
    let bytes = fixture("old_gfx1100/layernorm.vmfb");
    let module = Module::parse(&bytes).unwrap();
    let debug = DebugInfo::parse(&bytes, &module).unwrap().unwrap();
    assert_eq!(debug.function_name(0), Some("layernorm"));
    assert_eq!(debug.function_name(1), Some("__init"));
    assert_eq!(debug.function_name(2), None);
    // Two call sites in one: where the first is, what it was called from, where the second is.
    let last = module.functions[0].bytecode.len() as u32 - 1;
    let places: Vec<String> = debug
        .locations(0, last)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        places,
        [
            "src/layernorm.mlir:28:13",
            "src/layernorm.mlir:6:1",
            "src/layernorm.mlir:12:11",
        ]
    );
    assert_eq!(
        debug.locations(0, 0),
        [],
        "the block marker comes from nowhere"
    );
    assert_eq!(debug.locations(7, 0), []);

    // Compilers of release 3.13 describe only the last function, which is `__init`.
    let bytes = fixture("gfx1100/softmax.vmfb");
    let module = Module::parse(&bytes).unwrap();
    let debug = DebugInfo::parse(&bytes, &module).unwrap().unwrap();
    assert_eq!(debug.function_name(2), Some("__init"));
    assert_eq!(debug.function_name(0), None);
    let places = debug.locations(2, 1464);
    assert_eq!(places[0].file, "src/softmax.mlir");
    assert_eq!((places[0].line, places[0].column), (4, 13));
}
