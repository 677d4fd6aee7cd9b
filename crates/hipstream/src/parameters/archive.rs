//! A file of parameters: its entries, and where their bytes are.

use std::collections::{BTreeMap, btree_map};
use std::fmt;
use std::path::{Component, Path, PathBuf};

pub use bytes::Bytes;
use serde::Serialize;

use super::error::{Malformed, ParameterError};
use super::{gguf, irpa, safetensors};
use crate::mapped;

/// A file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// IREE parameter archive, `.irpa`.
    Irpa,
    /// `.safetensors`.
    Safetensors,
    /// `.gguf`, versions 1 to 3.
    Gguf,
}

impl Format {
    /// What the contents of a file are, whatever its name.
    pub fn detect(file: &[u8]) -> Option<Self> {
        if file.starts_with(irpa::MAGIC) {
            Some(Self::Irpa)
        } else if file.starts_with(gguf::MAGIC) {
            Some(Self::Gguf)
        } else if safetensors::looks_like(file) {
            Some(Self::Safetensors)
        } else {
            None
        }
    }

    /// The usual file extension, such as `irpa`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Irpa => "irpa",
            Self::Safetensors => "safetensors",
            Self::Gguf => "gguf",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How files get into memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Mapped: contents are read from the file when they go to a device. The
    /// file must not be changed or cut short in the meantime.
    #[default]
    File,
    /// Read whole, at once.
    Preload,
}

impl std::str::FromStr for Mode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "file" => Ok(Self::File),
            "preload" => Ok(Self::Preload),
            _ => Err(format!(
                "a parameter mode is `file` or `preload`, not `{text}`"
            )),
        }
    }
}

/// A parameter as the table of a file has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The key.
    pub name: String,
    /// Type of the elements in the format's own words; `.irpa` has none.
    pub element_type: Option<String>,
    /// Shape, fastest dimension last; `.irpa` has none.
    pub shape: Option<Vec<u64>>,
    /// What it holds.
    #[serde(flatten)]
    pub contents: Contents,
}

impl Entry {
    /// Length in bytes.
    pub fn length(&self) -> u64 {
        match self.contents {
            Contents::Data { length, .. }
            | Contents::Splat { length, .. }
            | Contents::External { length, .. } => length,
        }
    }
}

/// What an entry holds. Offsets and lengths are in bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "storage", rename_all = "lowercase")]
pub enum Contents {
    /// A range of the file.
    Data {
        /// From the beginning of the file.
        offset: u64,
        /// How much.
        length: u64,
    },
    /// A pattern over and over, without storage.
    Splat {
        /// How much in all, a multiple of the pattern's length.
        length: u64,
        /// The pattern.
        pattern: Pattern,
    },
    /// A range of another file.
    External {
        /// Its path, relative to the folder of this one.
        file: String,
        /// From the beginning of that file.
        offset: u64,
        /// How much.
        length: u64,
    },
}

/// 1, 2, 4, 8 or 16 bytes that repeat.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Pattern {
    bytes: [u8; 16],
    length: u8,
}

impl Pattern {
    /// A pattern; none if it has another length.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let length = u8::try_from(bytes.len()).ok()?;
        if !matches!(length, 1 | 2 | 4 | 8 | 16) {
            return None;
        }
        let mut padded = [0; 16];
        padded[..bytes.len()].copy_from_slice(bytes);
        Some(Self {
            bytes: padded,
            length,
        })
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    /// The pattern of what begins `offset` bytes into its repetitions.
    pub(crate) fn rotated(mut self, offset: u64) -> Self {
        let length = usize::from(self.length);
        let shift = (offset % u64::from(self.length)) as usize;
        self.bytes[..length].rotate_left(shift);
        self
    }

    /// The shortest pattern that makes up the same bytes.
    pub(crate) fn shortest(&self) -> &[u8] {
        let mut bytes = self.bytes();
        while let (left, right) = bytes.split_at(bytes.len() / 2)
            && left == right
        {
            bytes = left;
        }
        bytes
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bytes()
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Serialize for Pattern {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Where the contents of a parameter come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Bytes, shared with the file that they are mapped from.
    Bytes(Bytes),
    /// A pattern over and over.
    Splat {
        /// How many bytes in all.
        length: u64,
        /// The pattern.
        pattern: Pattern,
    },
}

impl Origin {
    /// Length in bytes.
    pub fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Splat { length, .. } => *length,
        }
    }
}

/// An opened file of parameters.
pub struct Archive {
    path: PathBuf,
    format: Format,
    entries: Vec<Entry>,
    file: Bytes,
    /// Files that entries name, by path: however they spell it, it is one.
    externals: BTreeMap<PathBuf, Bytes>,
}

impl Archive {
    /// Opens a file, and the files that its entries name. Every range of every
    /// entry has been checked then.
    ///
    /// # Errors
    ///
    /// [`ParameterError`], naming the file and what is wrong with it. Entries
    /// may name files in the archive's own folder and below only.
    pub fn open(path: &Path, mode: Mode) -> Result<Self, ParameterError> {
        let file = read(path, mode)?;
        let format = Format::detect(&file).ok_or_else(|| ParameterError::UnknownFormat {
            path: path.to_owned(),
        })?;
        let malformed = |Malformed(reason)| ParameterError::Malformed {
            path: path.to_owned(),
            format,
            reason,
        };
        let entries = parse(format, &file).map_err(malformed)?;
        let mut externals: BTreeMap<PathBuf, Bytes> = BTreeMap::new();
        for entry in &entries {
            let Contents::External {
                file: name,
                offset,
                length,
            } = &entry.contents
            else {
                continue;
            };
            let inside = inside(name).map_err(malformed)?;
            let available = match externals.entry(inside) {
                btree_map::Entry::Occupied(file) => file.get().len(),
                btree_map::Entry::Vacant(file) => {
                    // Beside the archive, so that opening it reads nothing
                    // that its owner did not put there.
                    let folder = path.parent().unwrap_or(Path::new(""));
                    let beside = folder.join(file.key());
                    file.insert(read(&beside, mode)?).len()
                }
            } as u64;
            if offset
                .checked_add(*length)
                .is_none_or(|end| end > available)
            {
                return Err(malformed(Malformed::new(format!(
                    "parameter `{}` is {length} bytes at {offset} of `{name}`, which has {available}",
                    entry.name
                ))));
            }
        }
        Ok(Self {
            path: path.to_owned(),
            format,
            entries,
            file,
            externals,
        })
    }

    /// The entries in the bytes of a file. Ranges in it are checked; files
    /// that entries name are not looked for.
    ///
    /// # Errors
    ///
    /// What is wrong, as text.
    pub fn parse(format: Format, file: &[u8]) -> Result<Vec<Entry>, String> {
        parse(format, file).map_err(|Malformed(reason)| reason)
    }

    /// The file, as it was named.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it is.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Its entries, in its own order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Where the contents of one of its entries come from.
    ///
    /// # Panics
    ///
    /// If the entry is another archive's.
    pub fn origin(&self, entry: &Entry) -> Origin {
        let (file, offset, length) = match &entry.contents {
            Contents::Splat { length, pattern } => {
                return Origin::Splat {
                    length: *length,
                    pattern: *pattern,
                };
            }
            Contents::Data { offset, length } => (&self.file, offset, length),
            Contents::External {
                file,
                offset,
                length,
            } => {
                let inside = inside(file).expect("checked when it was opened");
                (&self.externals[&inside], offset, length)
            }
        };
        // Checked when the file was opened, so it fits `usize`.
        let start = *offset as usize;
        Origin::Bytes(file.slice(start..start + *length as usize))
    }
}

impl fmt::Debug for Archive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Archive({}, {} entries)",
            self.path.display(),
            self.entries.len()
        )
    }
}

fn parse(format: Format, file: &[u8]) -> Result<Vec<Entry>, Malformed> {
    match format {
        Format::Irpa => irpa::parse(file),
        Format::Safetensors => safetensors::parse(file),
        Format::Gguf => gguf::parse(file),
    }
}

fn read(path: &Path, mode: Mode) -> Result<Bytes, ParameterError> {
    let bytes = match mode {
        Mode::File => mapped::map(path),
        Mode::Preload => std::fs::read(path).map(Bytes::from),
    };
    bytes.map_err(|source| ParameterError::File {
        path: path.to_owned(),
        source,
    })
}

/// The path of a file that an archive names, from the archive's folder:
/// one path for every way to spell it, and none that leads out.
fn inside(name: &str) -> Result<PathBuf, Malformed> {
    let inside = Path::new(name);
    let is_plain = !name.is_empty()
        && inside
            .components()
            .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if !is_plain {
        return Err(Malformed::new(format!(
            "it refers to `{}`; only files in the archive's own folder and below may be named, without `..`",
            name.escape_debug()
        )));
    }
    let names = inside
        .components()
        .filter(|part| *part != Component::CurDir);
    Ok(names.collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::parameters::testing::{self, Folder, IrpaWriter};

    #[test]
    fn files_are_known_by_their_contents() {
        let folder = Folder::new("formats");
        let sound = testing::safetensors(&[("w", "U8", &[3], b"abc")]);
        for (file, format) in [
            (IrpaWriter::new().data("w", b"abc").finish(), Format::Irpa),
            (
                testing::gguf(3, 32, &[("w", &[3], 24, b"abc")]),
                Format::Gguf,
            ),
            (sound, Format::Safetensors),
        ] {
            let path = folder.file("anything", &file);
            for mode in [Mode::File, Mode::Preload] {
                let archive = Archive::open(&path, mode).expect("sound");
                assert_eq!(archive.format(), format);
                let origin = archive.origin(&archive.entries()[0]);
                assert_eq!(origin, Origin::Bytes("abc".into()));
                assert_eq!(origin.length(), 3);
            }
        }
        let path = folder.file("text", b"no parameters at all");
        let error = Archive::open(&path, Mode::File).unwrap_err().to_string();
        assert!(error.contains("is no parameter archive"), "{error}");
        let error = Archive::open(folder.path(), Mode::File).unwrap_err();
        assert!(matches!(error, ParameterError::File { .. }), "{error}");
        assert_eq!("preload".parse(), Ok(Mode::Preload));
        assert!("mmap".parse::<Mode>().is_err());
    }

    #[test]
    fn files_that_others_wrote_hold_what_they_should() {
        let f32s = |values: &[f32]| {
            Bytes::from(
                values
                    .iter()
                    .flat_map(|v| v.to_le_bytes())
                    .collect::<Vec<_>>(),
            )
        };
        let origin = |file: &str, key: &str| {
            let path = fixtures::path("parameters").join(file);
            let archive = Archive::open(&path, Mode::File).expect(file);
            let entry = archive.entries().iter().find(|entry| entry.name == key);
            let entry = entry.unwrap_or_else(|| panic!("{file} has no {key}"));
            let kind = entry.element_type.clone().zip(entry.shape.clone());
            (archive.origin(entry), kind)
        };
        let bytes = |file: &str, key: &str| match origin(file, key) {
            (Origin::Bytes(bytes), _) => bytes,
            other => panic!("{file}, {key}: {other:?}"),
        };
        for file in [
            "model.safetensors",
            "model.gguf",
            "model.irpa",
            "blocks.irpa",
        ] {
            assert_eq!(bytes(file, "w"), f32s(&[1.0, 2.0, 3.0, 4.0]), "{file}");
            assert_eq!(bytes(file, "m"), f32s(&[0.5, -0.5, 8.0, 16.0]), "{file}");
        }
        // Blocks of 32 with a scale each, as the tool that knows all types copied them.
        let blocks = bytes("model.gguf", "blocks");
        assert_eq!(blocks.len(), 68);
        assert_eq!(blocks, bytes("blocks.irpa", "blocks"));
        let (_, kind) = origin("model.gguf", "m");
        assert_eq!(kind, Some(("F32".to_owned(), vec![2, 2])));
        let (_, kind) = origin("model.safetensors", "half");
        assert_eq!(kind, Some(("F16".to_owned(), vec![3])));
        let splat = |length, pattern: &[u8]| Origin::Splat {
            length,
            pattern: Pattern::new(pattern).expect("a length that there is"),
        };
        let (shift, _) = origin("splats.irpa", "shift");
        assert_eq!(shift, splat(16, &100_f32.to_le_bytes()));
        let (wide, _) = origin("splats.irpa", "wide");
        assert_eq!(wide, splat(48, &4_294_967_298_u64.to_le_bytes()));
        assert_eq!(bytes("splats.irpa", "ones"), [1, 1, 1][..]);
        assert_eq!(bytes("splats.irpa", "none"), [][..]);
    }

    #[test]
    fn contents_may_lie_beside_the_archive_and_nowhere_else() {
        let folder = Folder::new("external");
        std::fs::create_dir_all(folder.path().join("sub")).expect("writable");
        folder.file("sub/data.bin", b"0123456789");
        let open = |file: &str, offset, length| {
            let archive = IrpaWriter::new()
                .external("x", file, offset, length)
                .finish();
            Archive::open(&folder.file("a.irpa", &archive), Mode::File)
        };
        let archive = open("sub/data.bin", 2, 3).expect("inside");
        let origin = archive.origin(&archive.entries()[0]);
        assert_eq!(origin, Origin::Bytes("234".into()));
        open("./sub/data.bin", 10, 0).expect("nothing, at the end");
        for (file, offset, length, message) in [
            ("sub/data.bin", 8, 3, "which has 10"),
            ("sub/data.bin", u64::MAX, 1, "which has 10"),
            (
                "/etc/hostname",
                0,
                1,
                "only files in the archive's own folder",
            ),
            (
                "../data.bin",
                0,
                1,
                "only files in the archive's own folder",
            ),
            ("sub/../../data.bin", 0, 1, "without `..`"),
            ("", 0, 1, "only files in the archive's own folder"),
            ("sub/none.bin", 0, 1, "sub/none.bin"),
        ] {
            let error = open(file, offset, length).unwrap_err().to_string();
            assert!(error.contains(message), "{file}: {error}");
        }
    }

    #[test]
    fn a_file_is_read_once_however_it_is_spelled() {
        let folder = Folder::new("spellings");
        std::fs::create_dir_all(folder.path().join("sub")).expect("writable");
        folder.file("sub/data.bin", b"0123456789");
        let spellings = ["sub/data.bin", "./sub/data.bin", "sub//./data.bin"];
        let archive = spellings.iter().fold(IrpaWriter::new(), |file, name| {
            file.external(name, name, 0, 10)
        });
        let path = folder.file("a.irpa", &archive.finish());
        let archive = Archive::open(&path, Mode::Preload).expect("sound");
        let places: Vec<_> = archive
            .entries()
            .iter()
            .map(|entry| match archive.origin(entry) {
                Origin::Bytes(bytes) => bytes.as_ptr(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(places, [places[0]; 3]);
    }

    /// A sound file of each format.
    fn samples() -> [(Format, Vec<u8>); 3] {
        let irpa = IrpaWriter::new()
            .data("w", &[1; 40])
            .splat("s", 64, Pattern::new(&[1, 2]).expect("2 bytes"))
            .external("x", "other.bin", 1, 2)
            .skipped("gone");
        let gguf: &[testing::GgufTensor<'_>] =
            &[("a", &[2, 32], 2, &[0; 36]), ("b", &[2], 0, &[0; 8])];
        let safe: &[testing::SafeTensor<'_>] =
            &[("a", "F32", &[2], &[0; 8]), ("b", "I8", &[3], &[1; 3])];
        [
            (Format::Irpa, irpa.finish()),
            (Format::Gguf, testing::gguf(3, 32, gguf)),
            (Format::Safetensors, testing::safetensors(safe)),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]

        /// Whatever the bytes are, there is an answer, and what it says is inside of the file.
        #[test]
        fn ranges_are_inside_of_the_file(
            format in 0_usize..3,
            edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
            wide in prop::option::of((any::<prop::sample::Index>(), any::<u64>())),
            cut in prop::option::of(any::<prop::sample::Index>()),
        ) {
            let (format, mut file) = samples()[format].clone();
            for (at, value) in edits {
                let at = at.index(file.len());
                file[at] = value;
            }
            if let Some((at, value)) = wide {
                let at = at.index(file.len() - 8);
                file[at..at + 8].copy_from_slice(&value.to_le_bytes());
            }
            if let Some(length) = cut {
                file.truncate(length.index(file.len()));
            }
            for entry in Archive::parse(format, &file).unwrap_or_default() {
                if let Contents::Data { offset, length } = entry.contents {
                    let end = offset.checked_add(length);
                    prop_assert!(end.is_some_and(|end| end <= file.len() as u64));
                }
            }
        }
    }
}
