//! Executable containers and the metadata of the code objects in them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vmfb::executable::{Executable, MAX_BINDINGS, MAX_CONSTANTS};
use vmfb::kernels;

fuzz_target!(|file: &[u8]| {
    let Ok(executable) = Executable::parse(file) else {
        return;
    };
    for export in &executable.exports {
        assert!(!executable.image_of(export).is_empty());
        assert!(
            export
                .constant_count
                .is_none_or(|count| count <= MAX_CONSTANTS)
        );
        assert!(
            export
                .bindings
                .as_ref()
                .is_none_or(|bindings| bindings.len() <= MAX_BINDINGS)
        );
        assert!(
            export.workgroup_size.is_none_or(|size| !size.contains(&0))
                || executable.images[0] == file
        );
    }
    for image in &executable.images {
        for kernel in kernels::parse(image).unwrap_or_default() {
            let _ = kernel.dispatch_layout();
        }
    }
});
