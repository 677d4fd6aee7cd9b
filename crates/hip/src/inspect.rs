//! What device code says about itself, without a device and without loading it.

use amdgpu::code_object::CodeObject;

use crate::{Code, Error, Result};

/// The target that device code was compiled for: of a code object with the
/// features that were pinned, such as `gfx1100` or `gfx942:xnack+`; of PTX the
/// virtual architecture, such as `sm_80`.
///
/// `hipErrorInvalidImage`, with the reason, if the bytes are neither.
pub fn code_target(image: &[u8]) -> Result<String> {
    if let Some(target) = ptx_target(image) {
        return Ok(target.to_owned());
    }
    match CodeObject::parse(image) {
        Ok(object) => Ok(object.machine().to_string()),
        Err(error) => Err(Error::with_detail(
            Code::INVALID_IMAGE,
            "reading a code object",
            error.to_string(),
        )),
    }
}

/// Whether code for `target` runs on a chip called `arch`, features aside:
/// machine code on its own chip only, PTX on any chip that is not older.
pub fn runs_on(target: &str, arch: &str) -> bool {
    let chip = |name: &str| name.split(':').next().unwrap_or(name).to_owned();
    let (target, arch) = (chip(target), chip(arch));
    let number = |name: &str| name.strip_prefix("sm_")?.parse::<u32>().ok();
    match (number(&target), number(&arch)) {
        (Some(target), Some(arch)) => target <= arch,
        // A virtual architecture with a letter is for one chip or one family of them.
        (None, Some(arch)) => {
            let base = target.trim_end_matches(|c: char| c.is_ascii_lowercase());
            match target.strip_prefix(base) {
                Some("f") => number(base).is_some_and(|n| n / 10 == arch / 10 && n <= arch),
                _ => number(base) == Some(arch),
            }
        }
        _ => target == arch,
    }
}

/// The first word of the `.target` directive, if the image is PTX: text whose
/// first directive is `.version`.
pub(crate) fn ptx_target(image: &[u8]) -> Option<&str> {
    let head = &image[..image.len().min(HEAD_BYTES)];
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&head[..error.valid_up_to()]).ok()?,
    };
    let mut lines = text.lines().map(str::trim);
    let mut lines = lines.by_ref().filter(|line| {
        // Comments stand on lines of their own before the directives.
        !line.is_empty() && !line.starts_with("//")
    });
    lines.next()?.strip_prefix(".version")?;
    let target = lines.next()?.strip_prefix(".target")?.trim();
    Some(target.split([',', ' ']).next().unwrap_or(target))
}

/// Whether the image is PTX, the text that NVIDIA's driver compiles.
pub(crate) fn is_ptx(image: &[u8]) -> bool {
    ptx_target(image).is_some()
}

/// Bytes within which the directives at the top of PTX stand.
const HEAD_BYTES: usize = 4096;

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
    fn ptx_names_its_target() {
        let text =
            b"//\n// Generated\n//\n\n.version 7.6\n.target sm_90a, debug\n.address_size 64\n";
        assert_eq!(code_target(text).unwrap(), "sm_90a");
        assert_eq!(
            code_target(&[text, &[0, 255][..]].concat()).unwrap(),
            "sm_90a"
        );
        for other in [&b".target sm_80\n"[..], b".version 7.6\n", b"words"] {
            code_target(other).unwrap_err();
        }
    }

    #[test]
    fn code_runs_on_its_chip_and_ptx_on_later_ones() {
        for (target, arch, runs) in [
            ("gfx942:xnack+", "gfx942:sramecc+:xnack-", true),
            ("gfx1100", "gfx1101", false),
            ("sm_80", "sm_90", true),
            ("sm_80", "sm_80", true),
            ("sm_90", "sm_80", false),
            ("sm_100", "sm_90", false),
            ("sm_90a", "sm_90", true),
            ("sm_90a", "sm_100", false),
            ("sm_100f", "sm_103", true),
            ("sm_100f", "sm_120", false),
            ("gfx1100", "sm_90", false),
            ("sm_80", "gfx1100", false),
        ] {
            assert_eq!(runs_on(target, arch), runs, "{target} on {arch}");
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
