//! As much of ZIP as module files use: entries stored one after the other, sizes in ZIP64 fields.

use crate::{Error, Result};

const LOCAL_HEADER: &[u8; 4] = b"PK\x03\x04";
const LOCAL_HEADER_BYTES: usize = 30;
const ZIP64_FIELD: u16 = 1;

/// Entries are aligned to 64 bytes at most.
const MAX_GAP_BYTES: usize = 128;

/// Entries beyond this many go without their names.
const MAX_ENTRIES: usize = 4096;

pub(crate) fn is_archive(file: &[u8]) -> bool {
    file.starts_with(LOCAL_HEADER)
}

/// Where the module begins: behind the first local header, or at the start of a file that is no archive.
pub(crate) fn module_offset(file: &[u8]) -> Result<usize> {
    if !is_archive(file) {
        return Ok(0);
    }
    local_header(file, 0)
        .map(|header| header.data)
        .ok_or_else(|| {
            Error::truncated(
                "ZIP header",
                format!("it reaches past the end of {} bytes", file.len()),
            )
        })
}

/// Names of the entries and where their data begin. Names are a convenience: reading stops at the first header that
/// is not as expected.
pub(crate) fn entries(file: &[u8]) -> Vec<(&str, usize)> {
    let mut entries = Vec::new();
    let mut at = 0;
    while entries.len() < MAX_ENTRIES {
        let Some(header) = local_header(file, at) else {
            break;
        };
        if let Ok(name) = std::str::from_utf8(header.name) {
            entries.push((name, header.data));
        }
        let Some(next) = header
            .bytes
            .and_then(|bytes| next_header(file, header.data, bytes))
        else {
            break;
        };
        at = next;
    }
    entries
}

/// The header behind an entry. Padding may come before it, and the entry of the module is 4 bytes longer than it says:
/// its size leaves out the size prefix.
fn next_header(file: &[u8], data: usize, bytes: u64) -> Option<usize> {
    let end = data.checked_add(usize::try_from(bytes).ok()?)?;
    let gap = file.get(end..)?;
    let gap = &gap[..gap.len().min(MAX_GAP_BYTES)];
    let skip = gap
        .windows(LOCAL_HEADER.len())
        .position(|window| window == LOCAL_HEADER)?;
    Some(end + skip)
}

struct LocalHeader<'a> {
    name: &'a [u8],
    data: usize,
    bytes: Option<u64>,
}

fn local_header(file: &[u8], at: usize) -> Option<LocalHeader<'_>> {
    let header: &[u8; LOCAL_HEADER_BYTES] = file.get(at..)?.first_chunk()?;
    if !header.starts_with(LOCAL_HEADER) {
        return None;
    }
    let half = |at: usize| usize::from(u16::from_le_bytes([header[at], header[at + 1]]));
    let name_start = at + LOCAL_HEADER_BYTES;
    let extra_start = name_start + half(26);
    let data = extra_start + half(28);
    let name = file.get(name_start..extra_start)?;
    let extra = file.get(extra_start..data)?;
    let short = u32::from_le_bytes([header[18], header[19], header[20], header[21]]);
    let bytes = if short == u32::MAX {
        zip64_size(extra)
    } else {
        Some(u64::from(short))
    };
    Some(LocalHeader { name, data, bytes })
}

/// The size of the data in the ZIP64 extra field. Stored data have two equal sizes; the first serves.
fn zip64_size(mut extra: &[u8]) -> Option<u64> {
    while let Some((&[a, b, c, d], rest)) = extra.split_first_chunk() {
        let bytes = usize::from(u16::from_le_bytes([c, d]));
        let field = rest.get(..bytes)?;
        if u16::from_le_bytes([a, b]) == ZIP64_FIELD {
            return field.first_chunk().map(|size| u64::from_le_bytes(*size));
        }
        extra = &rest[bytes..];
    }
    None
}
