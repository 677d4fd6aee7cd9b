//! Executable containers: what the compiler makes for a device to load.
//!
//! Three forms go by the same compiler format name, `rocm-hsaco-fb`, and are told apart by their first bytes:
//!
//! | form | begins with | says about an export |
//! |---|---|---|
//! | [`Format::Hip1`] | `HIP1` | everything: counts of constants and bindings, workgroup size, source |
//! | [`Format::Rocm`] | `ROCM` at byte 4 | workgroup size and dynamic LDS; the counts come from the caller's pipeline layout |
//! | [`Format::CodeObject`] | an ELF file | what its own metadata says, see [`crate::kernels`] |

mod bare;
mod hip1;
mod rocm;

use std::fmt;

use crate::{Error, Result};

/// The most 32-bit constants a dispatch can carry.
pub const MAX_CONSTANTS: u32 = 64;

/// The most bindings a dispatch can carry.
pub const MAX_BINDINGS: usize = 16;

/// The most exports we read from one executable.
pub const MAX_EXPORTS: usize = 65536;

/// An executable: code objects, and the entry points a program may dispatch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executable<'a> {
    /// The form of its container.
    pub format: Format,
    /// Its entry points, by ordinal. At least one.
    pub exports: Vec<Export<'a>>,
    /// Its code objects: ELF files, not empty, aligned to nothing.
    pub images: Vec<&'a [u8]>,
    /// Sources the compiler embedded.
    pub source_files: Vec<SourceFile<'a>>,
}

/// The form of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Of compilers from 2025 on: a header and a flatbuffer, both with the identifier `HIP1`.
    Hip1,
    /// Of compilers of early 2024: a flatbuffer with the identifier `ROCM`.
    Rocm,
    /// No container: a bare code object.
    CodeObject,
}

/// An entry point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export<'a> {
    /// Name of the kernel in its code object.
    pub name: &'a str,
    /// Which of [`Executable::images`] holds it.
    pub image: usize,
    /// Threads of a workgroup in x, y, z, none of them 0. Absent when a bare code object does not fix it.
    pub workgroup_size: Option<[u32; 3]>,
    /// Bytes of group memory that a dispatch adds to what the kernel declares.
    pub dynamic_lds_bytes: u32,
    /// 32-bit constants it takes, at most [`MAX_CONSTANTS`]. Absent when the container does not say.
    pub constant_count: Option<u32>,
    /// Its bindings, at most [`MAX_BINDINGS`]. Absent when the container does not say.
    pub bindings: Option<Vec<BindingFlags>>,
    /// Where its source is.
    pub source: Option<SourceLocation<'a>>,
}

/// What the program promises about a binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct BindingFlags(pub u64);

/// A line of a source file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceLocation<'a> {
    /// The file.
    pub file: &'a str,
    /// The line, from 1.
    pub line: u32,
}

/// A source file that the compiler embedded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceFile<'a> {
    /// Its path.
    pub path: &'a str,
    /// Its contents.
    pub content: &'a [u8],
}

impl Format {
    /// Which form these bytes begin like.
    pub fn detect(bytes: &[u8]) -> Option<Format> {
        if bytes.starts_with(hip1::MAGIC) {
            Some(Format::Hip1)
        } else if bytes.starts_with(b"\x7fELF") {
            Some(Format::CodeObject)
        } else if bytes.get(4..8) == Some(rocm::IDENTIFIER) {
            Some(Format::Rocm)
        } else {
            None
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Format::Hip1 => "HIP1 container",
            Format::Rocm => "ROCM container",
            Format::CodeObject => "bare code object",
        })
    }
}

impl<'a> Executable<'a> {
    /// Reads and checks an executable of any of the three forms.
    ///
    /// # Errors
    /// - `Malformed`: the bytes are something else, or contradict themselves;
    /// - `Truncated`: they end too early;
    /// - `Incompatible`: a container version or a feature this library does not know;
    /// - `LimitExceeded`: more constants or bindings than a dispatch can carry.
    pub fn parse(bytes: &'a [u8]) -> Result<Executable<'a>> {
        match Format::detect(bytes) {
            Some(Format::Hip1) => hip1::parse(bytes),
            Some(Format::Rocm) => rocm::parse(bytes),
            Some(Format::CodeObject) => bare::parse(bytes),
            None => Err(not_an_executable(bytes)),
        }
    }

    /// The ordinal of the export with this name.
    pub fn lookup(&self, name: &str) -> Option<usize> {
        self.exports.iter().position(|export| export.name == name)
    }

    /// The code object that holds an export.
    pub fn image_of(&self, export: &Export<'a>) -> &'a [u8] {
        self.images[export.image]
    }
}

impl BindingFlags {
    /// The binding is never written.
    pub const READ_ONLY: BindingFlags = BindingFlags(1);
    /// The binding comes from a binding table.
    pub const INDIRECT: BindingFlags = BindingFlags(2);

    /// Whether all these flags are set.
    pub fn contains(self, flags: BindingFlags) -> bool {
        self.0 & flags.0 == flags.0
    }
}

fn not_an_executable(bytes: &[u8]) -> Error {
    const PLACE: &str = "executable";
    if bytes.len() < 8 {
        return Error::truncated(
            PLACE,
            format!("{} bytes are too few to be one", bytes.len()),
        );
    }
    let problem = if bytes.starts_with(b"PK\x03\x04") || bytes.get(8..12) == Some(b"IREE") {
        "this is a whole module (.vmfb); take one of the executables in it".to_owned()
    } else if bytes.starts_with(b"CDA1") {
        "this is for CUDA; compile with --iree-hal-target-device=hip".to_owned()
    } else {
        format!(
            "it begins with \"{}\", expected \"HIP1\", \"ROCM\" at byte 4, or an ELF file",
            bytes[..8].escape_ascii()
        )
    };
    Error::malformed(PLACE, problem)
}
