//! What a code object says about itself, without a device and without loading it.

use amdgpu::code_object::{CodeObject, KernelCode, ValueKind};

use crate::{Code, Error, Result};

/// What a code object says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeInfo {
    /// The target it was compiled for, with the features that were pinned,
    /// such as `gfx1100` or `gfx942:xnack+`.
    pub arch: String,
    /// Its kernels.
    pub kernels: Vec<KernelInfo>,
}

/// What a code object says about a kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelInfo {
    /// Name to look it up by.
    pub name: String,
    /// Threads of a block in x, y, z, if only one size is right.
    pub required_block: Option<[u32; 3]>,
    /// Most threads of a block.
    pub max_threads_per_block: u32,
    /// LDS in bytes that it declares itself.
    pub shared_memory_bytes: u32,
    /// Pointers that its arguments begin with, 8 bytes each without gaps.
    pub leading_pointers: u32,
    /// Bytes of all arguments that the caller passes.
    pub argument_bytes: u32,
}

/// Reads the header and the metadata of a code object.
///
/// `hipErrorInvalidImage`, with the reason, if it is none.
pub fn inspect(image: &[u8]) -> Result<CodeInfo> {
    let object = CodeObject::parse(image).map_err(|error| {
        Error::with_detail(
            Code::INVALID_IMAGE,
            "reading a code object",
            error.to_string(),
        )
    })?;
    Ok(CodeInfo {
        arch: object.machine().to_string(),
        kernels: object.kernels().iter().map(kernel_info).collect(),
    })
}

fn kernel_info(kernel: &KernelCode) -> KernelInfo {
    let metadata = &kernel.metadata;
    let leading_pointers = metadata
        .explicit_args()
        .zip(0..)
        .take_while(|(arg, index)| {
            arg.value_kind == ValueKind::GlobalBuffer && arg.offset == 8 * index
        })
        .count();
    KernelInfo {
        name: kernel.name.clone(),
        required_block: metadata.reqd_workgroup_size,
        max_threads_per_block: metadata.max_flat_workgroup_size,
        shared_memory_bytes: metadata.group_segment_fixed_bytes,
        leading_pointers: leading_pointers as u32,
        argument_bytes: metadata.explicit_kernarg_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixture(name: &str) -> Vec<u8> {
        let path = format!("{}/../../fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
        std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    #[test]
    fn kernels_say_what_they_take() {
        for (folder, required) in [("gfx1100", Some([4, 4, 1])), ("old_gfx1100", None)] {
            let info = inspect(&fixture(&format!("{folder}/matmul_4.hsaco"))).unwrap();
            assert_eq!(info.arch, "gfx1100");
            let [kernel] = &info.kernels[..] else {
                panic!("{info:?}");
            };
            assert_eq!((kernel.leading_pointers, kernel.argument_bytes), (3, 24));
            assert_eq!(kernel.required_block, required);
            assert!(kernel.max_threads_per_block > 0);
        }
    }

    #[test]
    fn pointers_count_only_in_front() {
        let info = inspect(&fixture("gfx1100/faults.hsaco")).unwrap();
        let kernel = |name: &str| {
            let found = info.kernels.iter().find(|kernel| kernel.name == name);
            let found = found.unwrap();
            (found.leading_pointers, found.argument_bytes)
        };
        assert_eq!(kernel("store_at"), (1, 16));
        assert_eq!(kernel("lds_store_at"), (0, 4));
    }

    #[test]
    fn other_bytes_are_no_code_object() {
        for bytes in [&b""[..], b"\x7fELF", &[0; 4096]] {
            let error = inspect(bytes).unwrap_err();
            assert_eq!(error.code, Code::INVALID_IMAGE);
            assert!(error.detail.is_some());
        }
    }
}
