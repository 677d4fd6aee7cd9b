//! Code objects: what parses can be placed in memory, and its kernels are inside of it.
#![no_main]

use amdgpu::code_object::CodeObject;
use libfuzzer_sys::fuzz_target;

/// Larger images only cost time.
const MAX_IMAGE_BYTES: u64 = 1 << 20;

fuzz_target!(|file: &[u8]| {
    let Ok(object) = CodeObject::parse(file) else {
        return;
    };
    for kernel in object.kernels() {
        assert!(kernel.code.start < kernel.code.end && kernel.code.end <= object.image_bytes());
        assert!(kernel.metadata.explicit_kernarg_bytes() <= kernel.kernarg_bytes());
        let _ = kernel.descriptor.allocated_vgprs(object.machine());
    }
    for global in object.globals() {
        assert!(global.address + global.bytes <= object.image_bytes());
    }
    if object.image_bytes() <= MAX_IMAGE_BYTES {
        let mut memory = vec![0; object.image_bytes() as usize];
        object
            .place(file, 0x7000_0000_0000, &mut memory)
            .expect("what parses can be placed");
    }
});
