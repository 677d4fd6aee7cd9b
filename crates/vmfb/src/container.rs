//! The outer layout of a `.vmfb` module: where its flatbuffer and its data segments are in the file.
//!
//! A module is a size-prefixed flatbuffer with the identifier `IREE`, followed by data that the flatbuffer points to.
//! By default the compiler wraps it so that the file is also a ZIP archive: a local file header in front, entries
//! stored uncompressed. A data segment is inside of the flatbuffer when small, behind it otherwise.

use std::collections::HashMap;
use std::ops::Range;

use crate::executable::Format;
use crate::flatbuffer::{Field, Table};
use crate::{Error, Result, zip};

const NAME: Field = Field(0, "name");
const RODATA_SEGMENTS: Field = Field(9, "rodata_segments");
const BYTECODE_VERSION: Field = Field(13, "bytecode_version");

mod rodata_segment {
    use super::Field;
    pub(super) const COMPRESSION_TYPE: Field = Field(0, "compression_type");
    pub(super) const EMBEDDED_DATA: Field = Field(2, "embedded_data");
    pub(super) const EXTERNAL_DATA_OFFSET: Field = Field(3, "external_data_offset");
    pub(super) const EXTERNAL_DATA_LENGTH: Field = Field(4, "external_data_length");
}

/// Data behind the flatbuffer begins at a multiple of this many bytes from the start of the file.
const RODATA_ALIGNMENT: u64 = 64;

/// The outer layout of a module.
pub(crate) struct Container<'a> {
    file: &'a [u8],
    /// Where the flatbuffer is in the file, without its size prefix.
    pub(crate) flatbuffer: Range<usize>,
    /// The table everything else hangs on.
    pub(crate) root: Table<'a>,
    /// Name of the module, not empty.
    pub(crate) name: &'a str,
    /// Version of its bytecode: major, minor.
    pub(crate) bytecode_version: (u16, u16),
}

/// A data segment.
pub(crate) struct Segment<'a> {
    /// Its bytes in the file.
    pub(crate) range: Range<usize>,
    /// Whether they are inside of the flatbuffer.
    pub(crate) is_embedded: bool,
    /// The name of its ZIP entry.
    pub(crate) entry: Option<&'a str>,
}

impl<'a> Container<'a> {
    /// Whether these bytes begin like a module.
    pub(crate) fn detect(file: &[u8]) -> bool {
        zip::is_archive(file) || file.get(8..12) == Some(b"IREE")
    }

    /// Finds the flatbuffer and reads what identifies the module.
    pub(crate) fn open(file: &'a [u8]) -> Result<Container<'a>> {
        let flatbuffer = find_flatbuffer(file)?;
        let root = Table::root(&file[flatbuffer.clone()], b"IREE", "BytecodeModuleDef")?;
        let name = root.required_string(NAME)?;
        let version = root.u32(BYTECODE_VERSION)?;
        Ok(Container {
            file,
            flatbuffer,
            root,
            name,
            bytecode_version: ((version >> 16) as u16, version as u16),
        })
    }

    /// The data segments, in the order of their numbers.
    pub(crate) fn segments(&self) -> Result<impl Iterator<Item = Result<Segment<'a>>>> {
        let mut names: HashMap<usize, &'a str> = zip::entries(self.file)
            .into_iter()
            .map(|(name, start)| (start, name))
            .collect();
        let (file, flatbuffer) = (self.file, self.flatbuffer.clone());
        let segments = self.root.offsets(RODATA_SEGMENTS)?;
        Ok(segments
            .tables("RodataSegmentDef")
            .enumerate()
            .map(move |(number, table)| {
                let (range, is_embedded) = table
                    .and_then(|table| locate(table, file, &flatbuffer))
                    .map_err(|error| error.inside(&format!("data segment {number}")))?;
                // Each name goes to one segment, however many share its bytes.
                let entry = (!is_embedded).then(|| names.remove(&range.start)).flatten();
                Ok(Segment {
                    range,
                    is_embedded,
                    entry,
                })
            }))
    }
}

/// Where the flatbuffer is, without its size prefix.
fn find_flatbuffer(file: &[u8]) -> Result<Range<usize>> {
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

/// The bytes of a segment in the file, and whether they are inside of the flatbuffer.
fn locate(
    segment: Table<'_>,
    file: &[u8],
    flatbuffer: &Range<usize>,
) -> Result<(Range<usize>, bool)> {
    use rodata_segment::{
        COMPRESSION_TYPE, EMBEDDED_DATA, EXTERNAL_DATA_LENGTH, EXTERNAL_DATA_OFFSET,
    };
    let compression = segment.u8(COMPRESSION_TYPE)?;
    if compression != 0 {
        return Err(Error::incompatible(
            segment.place(COMPRESSION_TYPE),
            format!("found {compression}, expected 0; no known compiler compresses data segments"),
        ));
    }
    if let Some(embedded) = segment.byte_range(EMBEDDED_DATA)? {
        let start = flatbuffer.start;
        return Ok((start + embedded.start..start + embedded.end, true));
    }
    let base = (flatbuffer.end as u64).next_multiple_of(RODATA_ALIGNMENT);
    let offset = segment.u64(EXTERNAL_DATA_OFFSET)?;
    let length = segment.u64(EXTERNAL_DATA_LENGTH)?;
    let start = base.checked_add(offset);
    let end = start.and_then(|start| start.checked_add(length));
    match (start, end) {
        (Some(start), Some(end)) if end <= file.len() as u64 => {
            Ok((start as usize..end as usize, false))
        }
        _ => Err(Error::truncated(
            segment.place(EXTERNAL_DATA_OFFSET),
            format!(
                "{length} bytes at {offset} behind byte {base} reach past the end of {} bytes",
                file.len()
            ),
        )),
    }
}
