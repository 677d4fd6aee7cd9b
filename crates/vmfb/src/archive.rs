//! Which executables a `.vmfb` module holds.
//!
//! A module is a size-prefixed flatbuffer with the identifier `IREE`, followed by data that the flatbuffer points to.
//! By default the compiler wraps it so that the file is also a ZIP archive: a local file header in front, entries
//! stored uncompressed. Executables are read-only data segments: inside of the flatbuffer when small, behind it
//! otherwise. This finds them without reading the program.

mod zip;

use std::ops::Range;

use crate::executable::Format;
use crate::flatbuffer::{Field, Table};
use crate::{Error, Result};

const NAME: Field = Field(0, "name");
const RODATA_SEGMENTS: Field = Field(9, "rodata_segments");
const BYTECODE_VERSION: Field = Field(13, "bytecode_version");

const EMBEDDED_DATA: Field = Field(2, "embedded_data");
const EXTERNAL_DATA_OFFSET: Field = Field(3, "external_data_offset");
const EXTERNAL_DATA_LENGTH: Field = Field(4, "external_data_length");

/// Data behind the flatbuffer begins at a multiple of this many bytes from the start of the file.
const RODATA_ALIGNMENT: u64 = 64;

/// The executables of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive<'a> {
    /// Name of the module, usually `module`.
    pub module_name: &'a str,
    /// Version of its bytecode: major, minor.
    pub bytecode_version: (u32, u32),
    /// Its executables, by their place among the data segments.
    pub executables: Vec<Entry>,
}

/// An executable in a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name: of the ZIP entry where there is one, otherwise `segment_N`.
    pub name: String,
    /// Number of its data segment.
    pub segment: usize,
    /// The form of its container, or none for one that is not for an AMD GPU.
    pub format: Option<Format>,
    /// Its bytes in the file.
    pub range: Range<usize>,
}

impl<'a> Archive<'a> {
    /// Whether these bytes begin like a module.
    pub fn detect(file: &[u8]) -> bool {
        zip::is_archive(file) || file.get(8..12) == Some(b"IREE")
    }

    /// Reads the data segments of a module.
    ///
    /// # Errors
    /// When the file is not a module, is cut short, or contradicts itself.
    pub fn parse(file: &'a [u8]) -> Result<Archive<'a>> {
        let module = find_module(file)?;
        let root = Table::root(&file[module.clone()], b"IREE", "BytecodeModuleDef")?;
        let module_name = root.string(NAME)?.unwrap_or_default();
        if module_name.is_empty() {
            return Err(root.malformed(NAME, "it is missing or empty"));
        }
        let version = root.u32(BYTECODE_VERSION)?;
        let names = zip::entries(file);
        let external = align_up(module.end as u64, RODATA_ALIGNMENT);
        let mut executables = Vec::new();
        for (segment, table) in root
            .offsets(RODATA_SEGMENTS)?
            .tables("RodataSegmentDef")
            .enumerate()
        {
            let range = table
                .and_then(|table| segment_range(table, file, module.start, external))
                .map_err(|error| error.inside(&format!("data segment {segment}")))?;
            let contents = &file[range.clone()];
            let format = Format::detect(contents)
                .filter(|format| *format != Format::CodeObject || is_amd_elf(contents));
            if format.is_none() && !contents.starts_with(b"CDA1") {
                continue;
            }
            let name = names
                .iter()
                .find(|(_, start)| *start == range.start)
                .map_or_else(
                    || format!("segment_{segment}"),
                    |(name, _)| (*name).to_owned(),
                );
            executables.push(Entry {
                name,
                segment,
                format,
                range,
            });
        }
        Ok(Archive {
            module_name,
            bytecode_version: (version >> 16, version & 0xffff),
            executables,
        })
    }
}

/// Where the flatbuffer is, without its size prefix.
fn find_module(file: &[u8]) -> Result<Range<usize>> {
    const PLACE: &str = "module";
    let prefix = zip::module_offset(file)?;
    let header: Option<&[u8; 12]> = file.get(prefix..).and_then(|rest| rest.first_chunk());
    let Some(header) = header else {
        return Err(Error::truncated(
            PLACE,
            format!("{} bytes are too few to be one", file.len()),
        ));
    };
    if &header[8..] != b"IREE" {
        let hint = match Format::detect(file) {
            Some(format) => format!("this is an executable ({format}), not a module"),
            None => format!(
                "found the identifier \"{}\", expected \"IREE\"",
                header[8..].escape_ascii()
            ),
        };
        return Err(Error::malformed(PLACE, hint));
    }
    let bytes = u32::from_le_bytes([header[0], header[1], header[2], header[3]]) as usize;
    let start = prefix + 4;
    if bytes > file.len() - start {
        return Err(Error::truncated(
            PLACE,
            format!(
                "it announces {bytes} bytes at byte {start}, the file has {}",
                file.len()
            ),
        ));
    }
    Ok(start..start + bytes)
}

fn segment_range(
    segment: Table<'_>,
    file: &[u8],
    module: usize,
    external: u64,
) -> Result<Range<usize>> {
    if let Some(embedded) = segment.byte_range(EMBEDDED_DATA)? {
        return Ok(module + embedded.start..module + embedded.end);
    }
    let offset = segment.u64(EXTERNAL_DATA_OFFSET)?;
    let length = segment.u64(EXTERNAL_DATA_LENGTH)?;
    let start = external.checked_add(offset);
    let end = start.and_then(|start| start.checked_add(length));
    match (start, end) {
        (Some(start), Some(end)) if end <= file.len() as u64 => Ok(start as usize..end as usize),
        _ => Err(Error::truncated(
            segment.place(EXTERNAL_DATA_OFFSET),
            format!(
                "{length} bytes at {offset} behind byte {external} reach past the end of {} bytes",
                file.len()
            ),
        )),
    }
}

fn is_amd_elf(contents: &[u8]) -> bool {
    contents.get(18..20) == Some(&[224, 0])
}

fn align_up(value: u64, alignment: u64) -> u64 {
    value.div_ceil(alignment) * alignment
}
