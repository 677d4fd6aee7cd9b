//! What a code object says about itself, without a device and without loading it.

use amdgpu::code_object::CodeObject;

use crate::{Code, Error, Result};

/// The target that a code object was compiled for, with the features that
/// were pinned, such as `gfx1100` or `gfx942:xnack+`.
///
/// `hipErrorInvalidImage`, with the reason, if the bytes are no code object.
pub fn code_target(image: &[u8]) -> Result<String> {
    match CodeObject::parse(image) {
        Ok(object) => Ok(object.machine().to_string()),
        Err(error) => Err(Error::with_detail(
            Code::INVALID_IMAGE,
            "reading a code object",
            error.to_string(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_is_in_the_header() {
        let folder = format!("{}/../../fixtures", env!("CARGO_MANIFEST_DIR"));
        for file in ["gfx1100/abs.hsaco", "old_gfx1100/abs.hsaco"] {
            let image = std::fs::read(format!("{folder}/{file}")).unwrap();
            assert_eq!(code_target(&image).unwrap(), "gfx1100", "{file}");
        }
    }

    #[test]
    fn other_bytes_are_no_code_object() {
        for bytes in [&b""[..], b"\x7fELF", &[0; 4096]] {
            let error = code_target(bytes).unwrap_err();
            assert_eq!(error.code, Code::INVALID_IMAGE);
            assert!(error.detail.is_some());
        }
    }
}
