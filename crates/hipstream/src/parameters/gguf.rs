//! `.gguf`: key-values about the model, then a table of tensors, then contents.
//!
//! All little-endian: `GGUF`, u32 version, number of tensors, number of
//! key-values, the key-values, and for each tensor its name, u32 rank, its
//! dimensions (fastest first), u32 type and u64 offset. Contents begin at the
//! next multiple of the alignment. Counts, lengths and dimensions have 64
//! bits, in version 1 only 32.

use super::archive::{Contents, Entry};
use super::cursor::Cursor;
use super::error::Malformed;

/// How such files begin.
pub(super) const MAGIC: &[u8] = b"GGUF";

/// Where contents may begin if the file does not say.
const DEFAULT_ALIGNMENT: u32 = 32;

/// The key of another alignment.
const ALIGNMENT_KEY: &[u8] = b"general.alignment";

/// How deep arrays of arrays may go. Nobody nests them.
const MAX_ARRAY_DEPTH: u32 = 8;

/// The table of element types: number, name, elements of a block, bytes of a block.
const TYPES: &[(u32, &str, u64, u64)] = &[
    (0, "F32", 1, 4),
    (1, "F16", 1, 2),
    (2, "Q4_0", 32, 18),
    (3, "Q4_1", 32, 20),
    (6, "Q5_0", 32, 22),
    (7, "Q5_1", 32, 24),
    (8, "Q8_0", 32, 34),
    (9, "Q8_1", 32, 36),
    (10, "Q2_K", 256, 84),
    (11, "Q3_K", 256, 110),
    (12, "Q4_K", 256, 144),
    (13, "Q5_K", 256, 176),
    (14, "Q6_K", 256, 210),
    (15, "Q8_K", 256, 292),
    (16, "IQ2_XXS", 256, 66),
    (17, "IQ2_XS", 256, 74),
    (18, "IQ3_XXS", 256, 98),
    (19, "IQ1_S", 256, 50),
    (20, "IQ4_NL", 32, 18),
    (21, "IQ3_S", 256, 110),
    (22, "IQ2_S", 256, 82),
    (23, "IQ4_XS", 256, 136),
    (24, "I8", 1, 1),
    (25, "I16", 1, 2),
    (26, "I32", 1, 4),
    (27, "I64", 1, 8),
    (28, "F64", 1, 8),
    (29, "IQ1_M", 256, 56),
    (30, "BF16", 1, 2),
    (34, "TQ1_0", 256, 54),
    (35, "TQ2_0", 256, 66),
    (39, "MXFP4", 32, 17),
    (40, "NVFP4", 64, 36),
];

/// The entries of a file, in the order of its table. Shapes are row-major,
/// fastest dimension last; contents of quantised types are blocks.
pub(super) fn parse(file: &[u8]) -> Result<Vec<Entry>, Malformed> {
    let mut cursor = Cursor::new(file, 0);
    if cursor.take(4)? != MAGIC {
        return Err(Malformed::new("there is no header at 0"));
    }
    let version = cursor.u32()?;
    if !(1..=3).contains(&version) {
        let hint = match (1..=3).contains(&version.swap_bytes()) {
            true => "it is big-endian; convert it",
            false => "only 1 to 3 are known",
        };
        return Err(Malformed::new(format!("it has version {version}; {hint}")));
    }
    let mut reader = Reader {
        cursor,
        is_wide: version > 1,
    };
    let tensor_count = reader.count()?;
    let key_value_count = reader.count()?;
    let mut alignment = DEFAULT_ALIGNMENT;
    for _ in 0..key_value_count {
        if let Some(other) = reader.key_value()? {
            alignment = other;
        }
    }
    if !alignment.is_power_of_two() {
        return Err(Malformed::new(format!(
            "its alignment is {alignment}, which is no power of two"
        )));
    }
    // Not reserved: the count is the file's word, each tensor has bytes.
    let mut tensors = Vec::new();
    for _ in 0..tensor_count {
        tensors.push(reader.tensor()?);
    }
    let data_start = reader
        .cursor
        .position()
        .next_multiple_of(u64::from(alignment));
    for tensor in &mut tensors {
        place(tensor, data_start, file.len() as u64)?;
    }
    Ok(tensors)
}

/// Turns an offset from the beginning of the contents into one in the file.
fn place(tensor: &mut Entry, data_start: u64, file_length: u64) -> Result<(), Malformed> {
    let Contents::Data { offset, length } = &mut tensor.contents else {
        return Ok(());
    };
    let start = data_start.checked_add(*offset);
    let end = start.and_then(|start| start.checked_add(*length));
    match (start, end) {
        // The contents of tensors without elements may be missing altogether.
        (Some(start), Some(end)) if end <= file_length || *length == 0 => {
            *offset = start.min(file_length);
            Ok(())
        }
        _ => Err(Malformed::new(format!(
            "tensor `{}` ({length} bytes at {offset} behind {data_start}) is beyond its end at {file_length}",
            tensor.name
        ))),
    }
}

struct Reader<'a> {
    cursor: Cursor<'a>,
    is_wide: bool,
}

impl<'a> Reader<'a> {
    fn count(&mut self) -> Result<u64, Malformed> {
        match self.is_wide {
            true => self.cursor.u64(),
            false => self.cursor.u32().map(u64::from),
        }
    }

    fn string(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.count()?;
        self.cursor.take(length)
    }

    /// Skips a key-value; gives the alignment if it is that.
    fn key_value(&mut self) -> Result<Option<u32>, Malformed> {
        let key = self.string()?;
        let kind = self.cursor.u32()?;
        if key == ALIGNMENT_KEY && kind == U32 {
            return self.cursor.u32().map(Some);
        }
        self.skip(kind, 1, 0)?;
        Ok(None)
    }

    /// Skips `count` values of one type. The work is bounded by the file: each
    /// value that is looked at has bytes of its own.
    fn skip(&mut self, kind: u32, count: u64, depth: u32) -> Result<(), Malformed> {
        match kind {
            STRING => {
                for _ in 0..count {
                    self.string()?;
                }
            }
            ARRAY => {
                if depth == MAX_ARRAY_DEPTH {
                    return Err(Malformed::new("its key-values nest arrays too deeply"));
                }
                for _ in 0..count {
                    let kind = self.cursor.u32()?;
                    let count = self.count()?;
                    self.skip(kind, count, depth + 1)?;
                }
            }
            _ => {
                let bytes = scalar_bytes(kind)
                    .ok_or_else(|| Malformed::new(format!("it has a value of type {kind}")))?;
                let length = count.saturating_mul(bytes);
                self.cursor.take(length)?;
            }
        }
        Ok(())
    }

    /// An entry whose offset counts from the beginning of the contents.
    fn tensor(&mut self) -> Result<Entry, Malformed> {
        let at = self.cursor.position();
        let name = std::str::from_utf8(self.string()?)
            .map_err(|_| {
                Malformed::new(format!("the tensor at {at} has a name that is not UTF-8"))
            })?
            .to_owned();
        let rank = self.cursor.u32()?;
        let mut shape = Vec::new();
        for _ in 0..rank {
            shape.push(self.count()?);
        }
        shape.reverse();
        let kind = self.cursor.u32()?;
        let offset = self.cursor.u64()?;
        let &(_, element_type, block_elements, block_bytes) =
            TYPES.iter().find(|row| row.0 == kind).ok_or_else(|| {
                Malformed::new(format!(
                    "tensor `{name}` is of type {kind}, which is not known"
                ))
            })?;
        let elements = shape.iter().try_fold(1, |n: u64, &dim| n.checked_mul(dim));
        let length = elements
            .filter(|n| n.is_multiple_of(block_elements))
            .and_then(|n| (n / block_elements).checked_mul(block_bytes))
            .ok_or_else(|| {
                Malformed::new(format!(
                    "tensor `{name}` has the shape {shape:?}, which blocks of {block_elements} {element_type} do not fill"
                ))
            })?;
        Ok(Entry {
            name,
            element_type: Some(element_type.to_owned()),
            shape: Some(shape),
            contents: Contents::Data { offset, length },
        })
    }
}

const U32: u32 = 4;
const STRING: u32 = 8;
const ARRAY: u32 = 9;

/// Bytes of a value that is neither a string nor an array.
fn scalar_bytes(kind: u32) -> Option<u64> {
    match kind {
        // u8, i8, bool
        0 | 1 | 7 => Some(1),
        // u16, i16
        2 | 3 => Some(2),
        // u32, i32, f32
        U32..=6 => Some(4),
        // u64, i64, f64
        10..=12 => Some(8),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::testing::gguf;

    fn refusal(file: &[u8]) -> String {
        parse(file).expect_err("a damaged file").0
    }

    #[test]
    fn all_versions_and_alignments_are_read() {
        for (version, alignment) in [(1, 32), (2, 32), (3, 8), (3, 256)] {
            let file = gguf(
                version,
                alignment,
                &[
                    ("token_embd", &[2, 3], 0, &[1; 24]),
                    ("scalar", &[], 26, &[2; 4]),
                    ("q", &[3, 64], 2, &[3; 108]),
                    ("none", &[0, 4], 1, &[]),
                ],
            );
            let entries = parse(&file).expect("sound");
            let found: Vec<_> = entries
                .iter()
                .map(|entry| {
                    let Contents::Data { offset, length } = entry.contents else {
                        panic!("{entry:?}");
                    };
                    assert!(length == 0 || offset.is_multiple_of(u64::from(alignment)));
                    let contents = &file[offset as usize..(offset + length) as usize];
                    let shape = entry.shape.as_deref().expect("all have shapes");
                    let element_type = entry.element_type.as_deref().expect("and types");
                    (entry.name.as_str(), shape, element_type, contents)
                })
                .collect();
            let expected: [(&str, &[u64], &str, &[u8]); 4] = [
                ("token_embd", &[2, 3], "F32", &[1; 24]),
                ("scalar", &[], "I32", &[2; 4]),
                ("q", &[3, 64], "Q4_0", &[3; 108]),
                ("none", &[0, 4], "F16", &[]),
            ];
            assert_eq!(found, expected, "version {version}");
        }
    }

    #[test]
    fn sizes_follow_from_blocks() {
        for &(kind, name, elements, bytes) in TYPES {
            let contents = vec![0; 3 * bytes as usize];
            let file = gguf(3, 32, &[("t", &[3, elements], kind, &contents)]);
            let entries = parse(&file).expect(name);
            assert_eq!(entries[0].length(), 3 * bytes, "{name}");
            assert_eq!(
                file.len() as u64 - 3 * bytes,
                match entries[0].contents {
                    Contents::Data { offset, .. } => offset,
                    _ => panic!("{name}"),
                }
            );
        }
        let ordered = TYPES.windows(2).all(|pair| pair[0].0 < pair[1].0);
        assert!(ordered, "each type once, by number");
    }

    #[test]
    fn damage_is_named() {
        let sound = gguf(3, 32, &[("t", &[32], 0, &[0; 128])]);
        let mut big_endian = sound.clone();
        big_endian[4..8].reverse();
        assert!(refusal(&big_endian).contains("it is big-endian"));
        let mut version = sound.clone();
        version[4] = 4;
        assert!(refusal(&version).contains("it has version 4"));
        let mut tensors = sound.clone();
        tensors[15] = 0x80;
        assert!(refusal(&tensors).contains("beyond its end"));
        for (message, file) in [
            ("no power of two", gguf(3, 24, &[])),
            ("which is not known", gguf(3, 32, &[("t", &[4], 4, &[])])),
            ("do not fill", gguf(3, 32, &[("t", &[33], 2, &[0; 40])])),
            ("do not fill", gguf(3, 32, &[("t", &[1 << 62, 8], 0, &[])])),
            (
                "is beyond its end",
                gguf(3, 32, &[("t", &[64], 0, &[0; 128])]),
            ),
        ] {
            let found = refusal(&file);
            assert!(found.contains(message), "{found}");
        }
        for length in 0..sound.len() {
            refusal(&sound[..length]);
        }
    }

    #[test]
    fn arrays_nest_only_so_far() {
        let mut file = b"GGUF\x03\0\0\0".to_vec();
        file.extend([0_u64, 1, 1].map(u64::to_le_bytes).concat());
        file.push(b'k');
        file.extend(ARRAY.to_le_bytes());
        for _ in 0..100_000 {
            file.extend(ARRAY.to_le_bytes());
            file.extend(1_u64.to_le_bytes());
        }
        assert_eq!(refusal(&file), "its key-values nest arrays too deeply");
    }
}
