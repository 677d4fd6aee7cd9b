//! IREE parameter archives (`.irpa`): a chain of headers, each with a table of
//! entries, a segment of names and a segment of contents.
//!
//! Offsets in a header count from that header, so that archives can be strung
//! together. Structs are packed and little-endian:
//!
//! | struct | fields |
//! |---|---|
//! | header, 88 bytes | u32 magic, u16 major, u16 minor, u64 size of the header, u64 offset of the next header or 0, u64 flags, u64 number of entries, then ranges: entries, metadata, storage |
//! | range | u64 offset, u64 length |
//! | entry, 60 bytes, at multiples of 16 | u64 size with what follows, u32 type, u64 flags, range of the name and range of metadata (both in the metadata segment), u64 alignment |
//! | + type 1, splat | u64 length, 16 bytes of pattern, u8 length of the pattern |
//! | + type 2, data | range in the storage segment |
//! | + type 3, external | range of a path in the metadata segment, range in that file |

use std::ops::Range;

use super::archive::{Contents, Entry, Pattern};
use super::cursor::Cursor;
use super::error::Malformed;

/// How such files begin.
pub(super) const MAGIC: &[u8] = b"IRPA";

const HEADER_SIZE: u64 = 88;
const ENTRY_SIZE: u64 = 60;
const ENTRY_ALIGNMENT: u64 = 16;

/// The entries of a file, in the order of its tables.
pub(super) fn parse(file: &[u8]) -> Result<Vec<Entry>, Malformed> {
    let length = file.len() as u64;
    let mut reader = Reader {
        file,
        entries: Vec::new(),
        entries_left: length / ENTRY_SIZE,
        name_bytes_left: length,
    };
    let mut base = 0;
    loop {
        let next = reader.archive(base)?;
        if next == 0 {
            return Ok(reader.entries);
        }
        if next < HEADER_SIZE {
            return Err(Malformed::new(format!(
                "the header at {base} is followed by one {next} bytes on, inside of it"
            )));
        }
        base = base.checked_add(next).ok_or_else(|| {
            Malformed::new(format!(
                "the header behind that at {base} is beyond its end"
            ))
        })?;
    }
}

/// What is left bounds the work on a file whose tables overlap: honest files
/// use each byte for one entry or one name.
struct Reader<'a> {
    file: &'a [u8],
    entries: Vec<Entry>,
    entries_left: u64,
    name_bytes_left: u64,
}

/// The parts of one archive, as ranges of the file.
struct Segments {
    metadata: Range<u64>,
    storage: Range<u64>,
}

impl Reader<'_> {
    /// Reads the archive whose header is at `base`; gives the distance to the next header, or 0.
    fn archive(&mut self, base: u64) -> Result<u64, Malformed> {
        let mut header = Cursor::new(self.file, base);
        if header.take(4)? != MAGIC {
            return Err(Malformed::new(format!("there is no header at {base}")));
        }
        let version = (header.u16()?, header.u16()?);
        if version != (0, 0) {
            return Err(Malformed::new(format!(
                "it has version {}.{}; only 0.0 is known",
                version.0, version.1
            )));
        }
        let size = header.u64()?;
        if size != HEADER_SIZE {
            return Err(Malformed::new(format!(
                "the header at {base} says that it has {size} bytes, not {HEADER_SIZE}"
            )));
        }
        let next = header.u64()?;
        let _flags = header.u64()?;
        let count = header.u64()?;
        let table = self.segment(base, &mut header, "entry table")?;
        let segments = Segments {
            metadata: self.segment(base, &mut header, "metadata segment")?,
            storage: self.segment(base, &mut header, "storage segment")?,
        };
        self.entries_left = self.entries_left.checked_sub(count).ok_or_else(|| {
            Malformed::new(format!(
                "the header at {base} has {count} entries, more than there is room for"
            ))
        })?;
        let mut at = table.start;
        for _ in 0..count {
            at = self.entry(at, table.end, &segments)?;
        }
        Ok(next)
    }

    fn segment(
        &self,
        base: u64,
        header: &mut Cursor<'_>,
        what: &str,
    ) -> Result<Range<u64>, Malformed> {
        let (offset, length) = (header.u64()?, header.u64()?);
        let whole = base..self.file.len() as u64;
        // A segment without bytes may say that it is anywhere.
        if length == 0 {
            return Ok(whole.start..whole.start);
        }
        within(&whole, offset, length).ok_or_else(|| {
            Malformed::new(format!(
                "the {what} of the header at {base} ({length} bytes at {offset}) is not inside of it"
            ))
        })
    }

    /// Reads the entry at `at`; gives where the next one is.
    fn entry(&mut self, at: u64, table_end: u64, segments: &Segments) -> Result<u64, Malformed> {
        let mut cursor = Cursor::new(self.file, at);
        let size = cursor.u64()?;
        let end = at.checked_add(size).filter(|end| *end <= table_end);
        let Some(end) = end.filter(|_| size >= ENTRY_SIZE) else {
            return Err(Malformed::new(format!(
                "the entry at {at} has {size} bytes; the table has {} left",
                table_end.saturating_sub(at)
            )));
        };
        let kind = cursor.u32()?;
        let _flags = cursor.u64()?;
        let name = (cursor.u64()?, cursor.u64()?);
        let _metadata = (cursor.u64()?, cursor.u64()?);
        let _alignment = cursor.u64()?;
        // What follows must be the entry's own, not its neighbour's.
        let has = |more: u64| match size >= ENTRY_SIZE + more {
            true => Ok(()),
            false => Err(Malformed::new(format!(
                "the entry at {at} has {size} bytes; one of type {kind} needs {}",
                ENTRY_SIZE + more
            ))),
        };
        let contents = match kind {
            0 => None,
            1 => {
                has(25)?;
                Some(splat(&mut cursor)?)
            }
            2 => {
                has(16)?;
                let (offset, length) = (cursor.u64()?, cursor.u64()?);
                Some(data(&segments.storage, offset, length)?)
            }
            3 => {
                has(32)?;
                let path = (cursor.u64()?, cursor.u64()?);
                Some(Contents::External {
                    file: self.text(&segments.metadata, path)?,
                    offset: cursor.u64()?,
                    length: cursor.u64()?,
                })
            }
            _ => {
                return Err(Malformed::new(format!(
                    "the entry at {at} is of type {kind}; only 0 to 3 are known"
                )));
            }
        };
        if let Some(contents) = contents {
            let name = self.text(&segments.metadata, name)?;
            self.entries.push(Entry {
                name,
                element_type: None,
                shape: None,
                contents,
            });
        }
        // The last entry need not be padded.
        Ok(end.checked_next_multiple_of(ENTRY_ALIGNMENT).unwrap_or(end))
    }

    fn text(
        &mut self,
        metadata: &Range<u64>,
        (offset, length): (u64, u64),
    ) -> Result<String, Malformed> {
        if length == 0 {
            return Ok(String::new());
        }
        let range = within(metadata, offset, length).ok_or_else(|| {
            Malformed::new(format!(
                "a name ({length} bytes at {offset}) is not inside the metadata segment of {} bytes",
                metadata.end - metadata.start
            ))
        })?;
        self.name_bytes_left = self
            .name_bytes_left
            .checked_sub(length)
            .ok_or_else(|| Malformed::new("its names overlap"))?;
        let bytes = Cursor::new(self.file, range.start).take(length)?;
        let text = std::str::from_utf8(bytes)
            .map_err(|_| Malformed::new(format!("the name at {} is not UTF-8", range.start)))?;
        Ok(text.to_owned())
    }
}

fn splat(cursor: &mut Cursor<'_>) -> Result<Contents, Malformed> {
    let at = cursor.position();
    let length = cursor.u64()?;
    let bytes: [u8; 16] = cursor.array()?;
    let pattern = bytes
        .get(..usize::from(cursor.u8()?))
        .and_then(Pattern::new)
        .filter(|pattern| length.is_multiple_of(pattern.bytes().len() as u64));
    match pattern {
        Some(pattern) => Ok(Contents::Splat { length, pattern }),
        None => Err(Malformed::new(format!(
            "the pattern at {at} does not make up {length} bytes: it has 1, 2, 4, 8 or 16 bytes, and fits evenly"
        ))),
    }
}

fn data(storage: &Range<u64>, offset: u64, length: u64) -> Result<Contents, Malformed> {
    let range = match length {
        0 => Some(storage.start..storage.start),
        _ => within(storage, offset, length),
    };
    let range = range.ok_or_else(|| {
        Malformed::new(format!(
            "contents ({length} bytes at {offset}) are not inside the storage segment of {} bytes",
            storage.end - storage.start
        ))
    })?;
    Ok(Contents::Data {
        offset: range.start,
        length,
    })
}

/// The range at `offset` from the beginning of `outer`, if it is inside.
fn within(outer: &Range<u64>, offset: u64, length: u64) -> Option<Range<u64>> {
    let start = outer.start.checked_add(offset)?;
    let end = start.checked_add(length)?;
    (end <= outer.end).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::testing::IrpaWriter;

    fn pattern(bytes: &[u8]) -> Pattern {
        Pattern::new(bytes).expect("a length that there is")
    }

    /// A file with every type of entry.
    fn sample() -> IrpaWriter {
        IrpaWriter::new()
            .data("w", b"0123456789")
            .skipped("gone")
            .splat("s", 24, pattern(b"abcdefgh"))
            .data("", b"")
            .external("x", "more/data.bin", 3, 4)
    }

    fn contents<'a>(file: &'a [u8], entry: &Entry) -> &'a [u8] {
        match entry.contents {
            Contents::Data { offset, length } => &file[offset as usize..(offset + length) as usize],
            _ => panic!("{entry:?}"),
        }
    }

    fn refusal(file: &[u8]) -> String {
        parse(file).expect_err("a damaged file").0
    }

    #[test]
    fn every_type_of_entry_is_read() {
        let file = sample().finish();
        let entries = parse(&file).expect("sound");
        let names: Vec<_> = entries.iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!(names, ["w", "s", "", "x"]);
        assert_eq!(contents(&file, &entries[0]), b"0123456789");
        let splat = Contents::Splat {
            length: 24,
            pattern: pattern(b"abcdefgh"),
        };
        assert_eq!(entries[1].contents, splat);
        assert_eq!(contents(&file, &entries[2]), b"");
        let external = Contents::External {
            file: "more/data.bin".to_owned(),
            offset: 3,
            length: 4,
        };
        assert_eq!(entries[3].contents, external);
    }

    #[test]
    fn chained_headers_count_from_themselves() {
        let second = IrpaWriter::new().data("b", b"second").finish();
        let first = IrpaWriter::new().data("a", b"first");
        let next = (first.finish().len() as u64).next_multiple_of(16);
        let mut file = first.link(next);
        file.resize(next as usize, 0);
        file.extend(second);
        let entries = parse(&file).expect("sound");
        let found: Vec<_> = entries
            .iter()
            .map(|entry| (entry.name.as_str(), contents(&file, entry)))
            .collect();
        assert_eq!(found, [("a", &b"first"[..]), ("b", &b"second"[..])]);
        let message = refusal(&first.link(next));
        assert!(message.contains("beyond its end"), "{message}");
        let message = refusal(&first.link(16));
        assert!(message.contains("inside of it"), "{message}");
    }

    #[test]
    fn damage_is_named() {
        let file = sample().finish();
        let with = |at: usize, bytes: &[u8]| {
            let mut file = file.clone();
            file[at..at + bytes.len()].copy_from_slice(bytes);
            refusal(&file)
        };
        let huge = u64::MAX.to_le_bytes();
        for (at, bytes, message) in [
            (0, &b"IRPB"[..], "there is no header at 0"),
            (4, &[1], "it has version 1.0; only 0.0 is known"),
            (
                8,
                &[87],
                "the header at 0 says that it has 87 bytes, not 88",
            ),
            (
                16,
                &huge,
                "4 bytes at 18446744073709551615 are beyond its end",
            ),
            (32, &huge, "entries, more than there is room for"),
            (40, &huge, "the entry table of the header at 0"),
            (56, &huge, "the metadata segment of the header at 0"),
            (80, &huge, "the storage segment of the header at 0"),
            (96, &[59], "the entry at 96 has 59 bytes; the table has"),
            (96, &huge, "the entry at 96 has 18446744073709551615 bytes"),
            (96, &[75], "one of type 2 needs 76"),
            (104, &[9], "the entry at 96 is of type 9"),
            (116, &[200], "a name (1 bytes at 200) is not inside"),
            (156, &[200], "contents (10 bytes at 200) are not inside"),
            (156, &huge, "are not inside the storage segment of 64 bytes"),
        ] {
            let found = with(at, bytes);
            assert!(found.contains(message), "at {at}: {found}");
        }
        for length in 0..file.len() {
            refusal(&file[..length]);
        }
    }

    #[test]
    fn tables_that_overlap_cost_no_more_than_the_file() {
        // Every entry has the same name of 4000 bytes: more than the file.
        let name = "n".repeat(4000);
        let mut writer = IrpaWriter::new().data(&name, b"");
        for _ in 0..9 {
            writer = writer.data("", b"");
        }
        let mut file = writer.finish();
        for entry in 1..10 {
            // Offset and length of the name.
            let at = 96 + entry * 80 + 20;
            file[at..at + 8].copy_from_slice(&0_u64.to_le_bytes());
            file[at + 8..at + 16].copy_from_slice(&4000_u64.to_le_bytes());
        }
        assert_eq!(refusal(&file), "its names overlap");
    }

    #[test]
    fn patterns_must_fill_their_length() {
        for (length, size) in [(24, 16), (3, 2), (8, 3), (8, 0), (32, 32)] {
            let mut file = IrpaWriter::new()
                .splat("s", length, pattern(&[1; 16]))
                .finish();
            file[96 + 84] = size;
            let message = refusal(&file);
            assert!(
                message.contains("does not make up"),
                "{length} {size}: {message}"
            );
        }
    }
}
