//! Executable containers: what the compiler makes for a device to load.
//!
//! Forms are told apart by their first bytes; the compiler's name for a format does not tell them apart.
//!
//! | form | begins with | made for target | says about an export |
//! |---|---|---|---|
//! | [`Format::Hip1`] | `HIP1` | `hip`, release 3.13 | everything: counts of constants and bindings, workgroup size, source |
//! | [`Format::Amd1`] | `AMD1` | `amdgpu`, release 3.13 | the same |
//! | [`Format::Rocm`] | `ROCM` at byte 4 | `rocm`, early 2024 | workgroup size and dynamic LDS; the counts come from the caller's pipeline layout |
//! | [`Format::CodeObject`] | an ELF file | either, on request | what its own metadata says, see [`crate::kernels`] |
//! | [`Format::Cda1`] | `CDA1` | `cuda`, release 3.13 | as `HIP1`, and dynamic shared memory |
//! | [`Format::Cuda`] | `CUDA` at byte 4 | `cuda`, early 2024 | as `ROCM` |
//! | [`Format::Ptx`] | PTX text | `cuda`, on request | what it says of its kernels, see [`crate::kernels`] |

mod bare;
mod linked;
mod parallel;

use std::fmt;

use crate::{Error, Result, kernels};

/// The most 32-bit constants a dispatch can carry.
pub const MAX_CONSTANTS: u32 = 64;

/// The most bindings a dispatch can carry.
pub const MAX_BINDINGS: usize = 16;

/// The most exports we read from one executable.
pub const MAX_EXPORTS: usize = 65536;

/// An executable: device code, and the entry points a program may dispatch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executable<'a> {
    /// The form of its container.
    pub format: Format,
    /// Its entry points, by ordinal. At least one.
    pub exports: Vec<Export<'a>>,
    /// Its code, not empty, aligned to nothing: code objects (ELF files) for AMD GPUs, PTX text without a terminator for
    /// NVIDIA GPUs.
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
    /// Of compilers from 2025 on, for the target `amdgpu`: a header and a flatbuffer, both with the identifier `AMD1`.
    Amd1,
    /// Of compilers from 2025 on, for NVIDIA GPUs: a header and a flatbuffer, both with the identifier `CDA1`.
    Cda1,
    /// Of compilers of early 2024, for NVIDIA GPUs: a flatbuffer with the identifier `CUDA`.
    Cuda,
    /// No container: bare PTX.
    Ptx,
}

/// An entry point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export<'a> {
    /// Name of the kernel in its code.
    pub name: &'a str,
    /// Name a program looks it up by, nearly always that of the kernel: it may have characters that the code's own
    /// names cannot.
    pub lookup_name: &'a str,
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
        if bytes.starts_with(b"\x7fELF") {
            return Some(Format::CodeObject);
        }
        if kernels::is_ptx(bytes) {
            return Some(Format::Ptx);
        }
        let linked = linked::Schema::detect(bytes).map(linked::Schema::format);
        linked.or_else(|| parallel::Schema::detect(bytes).map(parallel::Schema::format))
    }

    /// Whether it holds code for AMD GPUs; the others are for NVIDIA GPUs.
    pub fn is_amd(self) -> bool {
        !matches!(self, Format::Cda1 | Format::Cuda | Format::Ptx)
    }

    /// Whether it is code without a container, which may hold kernels of any kind.
    pub fn is_bare(self) -> bool {
        matches!(self, Format::CodeObject | Format::Ptx)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Format::Hip1 => "HIP1 container",
            Format::Rocm => "ROCM container",
            Format::CodeObject => "bare code object",
            Format::Amd1 => "AMD1 container",
            Format::Cda1 => "CDA1 container for CUDA",
            Format::Cuda => "CUDA container",
            Format::Ptx => "bare PTX",
        })
    }
}

impl<'a> Executable<'a> {
    /// Reads and checks an executable of any form.
    ///
    /// # Errors
    /// - `Malformed`: the bytes are something else, or contradict themselves;
    /// - `Truncated`: they end too early;
    /// - `Incompatible`: a container version or a feature this library does not know;
    /// - `LimitExceeded`: more constants or bindings than a dispatch can carry.
    pub fn parse(bytes: &'a [u8]) -> Result<Executable<'a>> {
        if let Some(schema) = linked::Schema::detect(bytes) {
            schema.parse(bytes)
        } else if let Some(schema) = parallel::Schema::detect(bytes) {
            schema.parse(bytes)
        } else if let Some(format) = Format::detect(bytes) {
            bare::parse(bytes, format)
        } else {
            Err(not_an_executable(bytes))
        }
    }

    /// The ordinal of the export that a program looks up by this name.
    pub fn lookup(&self, name: &str) -> Option<usize> {
        let mut exports = self.exports.iter();
        exports.position(|export| export.lookup_name == name)
    }

    /// What its code is for, as the code itself says: `gfx1100`, `gfx942:sramecc+:xnack-`, `sm_80`. None when it does
    /// not say, or cannot be read.
    pub fn target(&self) -> Option<&'a str> {
        let image = *self.images.first()?;
        kernels::target(image).ok().flatten()
    }

    /// The code that holds an export.
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
    } else {
        format!(
            "it begins with \"{}\", expected \"HIP1\", \"AMD1\", \"CDA1\", \"ROCM\" or \"CUDA\" at byte 4, an ELF file or PTX",
            bytes[..8].escape_ascii()
        )
    };
    Error::malformed(PLACE, problem)
}
