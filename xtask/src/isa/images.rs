//! Finds AMD GPU code in files of any kind: bare images, or images inside containers.

use std::path::Path;

use amdgpu::isa::WaveSize;

/// The bytes of an executable section.
pub(super) struct Code {
    pub(super) wave: WaveSize,
    pub(super) bytes: Vec<u8>,
}

const EM_AMDGPU: u64 = 224;
const SHF_EXECINSTR: u64 = 4;
/// Bit of the kernel properties that says wave32.
const WAVE32: u64 = 1 << 10;

/// The code sections of every image in a file for the chip with this machine
/// number (low byte of `e_flags`).
pub(super) fn code(path: &Path, machine: u64) -> Result<Vec<Code>, String> {
    let file = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut found = Vec::new();
    let mut start = 0;
    while let Some(position) = find(&file[start..], b"\x7fELF\x02\x01") {
        start += position;
        if let Some(code) = image_code(&file[start..], machine) {
            found.extend(code);
        }
        start += 4;
    }
    Ok(found)
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

/// A little-endian number of `width` bytes.
fn number(bytes: &[u8], at: u64, width: usize) -> Option<u64> {
    let start = usize::try_from(at).ok()?;
    let field = bytes.get(start..start.checked_add(width)?)?;
    Some(
        field
            .iter()
            .rev()
            .fold(0, |value, &byte| value << 8 | u64::from(byte)),
    )
}

fn image_code(image: &[u8], machine: u64) -> Option<Vec<Code>> {
    if number(image, 18, 2)? != EM_AMDGPU || number(image, 48, 4)? & 0xff != machine {
        return None;
    }
    let table = number(image, 40, 8)?;
    let entry = number(image, 58, 2)?;
    let count = number(image, 60, 2)?;
    let mut code = Vec::new();
    let mut wave = WaveSize::Wave32;
    for section in (0..count).map(|i| table + i * entry) {
        let flags = number(image, section + 8, 8)?;
        let offset = usize::try_from(number(image, section + 24, 8)?).ok()?;
        let size = usize::try_from(number(image, section + 32, 8)?).ok()?;
        let kind = number(image, section + 4, 4)?;
        if kind != 1 {
            continue;
        }
        let bytes = image.get(offset..offset.checked_add(size)?)?;
        if flags & SHF_EXECINSTR != 0 {
            code.push(bytes.to_vec());
        } else if flags == 2 && size >= 64 && size % 64 == 0 {
            // Read-only data of this shape begins with a kernel descriptor.
            if number(bytes, 0x38, 2)? & WAVE32 == 0 {
                wave = WaveSize::Wave64;
            }
        }
    }
    Some(code.into_iter().map(|bytes| Code { wave, bytes }).collect())
}
