//! What device code says about its kernels and their arguments.
//!
//! Bare code objects carry no container, and containers of 2024 leave out the argument counts. The metadata note of
//! the code object tells them, or the text of PTX: pointers are bindings, and values after them are constants, one for
//! every 4 bytes.

mod ptx;

use object::LittleEndian;
use object::elf;
use object::read::elf::{FileHeader, ProgramHeader};
use serde::Deserialize;

use crate::{Error, Result};

const PLACE: &str = "code object";

/// Maps nest three deep; anything deeper is not metadata.
const MAX_DEPTH: usize = 16;

/// A kernel and its arguments.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Kernel<'a> {
    /// Its name.
    #[serde(rename = ".name", borrow)]
    pub name: &'a str,
    /// Its arguments, in the order of the metadata.
    #[serde(rename = ".args", default)]
    pub args: Vec<KernelArg>,
    /// Bytes of the argument block, hidden arguments included.
    #[serde(rename = ".kernarg_segment_size")]
    pub kernarg_bytes: u32,
    /// Bytes of group memory it declares.
    #[serde(rename = ".group_segment_fixed_size")]
    pub lds_bytes: u32,
    /// The only workgroup size it works with, if the compiler fixed one.
    #[serde(rename = ".reqd_workgroup_size", default)]
    pub required_workgroup_size: Option<[u32; 3]>,
    /// The most threads a workgroup may have.
    #[serde(rename = ".max_flat_workgroup_size")]
    pub max_workgroup_threads: u32,
}

/// An argument of a kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct KernelArg {
    /// Place in the argument block, in bytes.
    #[serde(rename = ".offset")]
    pub offset: u32,
    /// Size in the argument block, in bytes.
    #[serde(rename = ".size")]
    pub bytes: u32,
    /// What it is.
    #[serde(rename = ".value_kind")]
    pub kind: ArgKind,
    /// What the compiler saw the kernel do with the memory.
    #[serde(rename = ".actual_access", default)]
    pub access: Access,
}

/// What an argument is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArgKind {
    /// A pointer to device memory.
    GlobalBuffer,
    /// A value.
    ByValue,
    /// Anything else: hidden arguments, images, group memory.
    #[serde(other)]
    Other,
}

/// What a kernel does with memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// It only reads.
    ReadOnly,
    /// It only writes.
    WriteOnly,
    /// It may do both.
    #[default]
    #[serde(other)]
    Any,
}

/// The arguments of a kernel as a dispatch passes them: bindings at 8 bytes each, then constants at 4 bytes each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DispatchLayout {
    /// For each binding whether the kernel only reads it.
    pub bindings: Vec<bool>,
    /// 32-bit constants.
    pub constants: u32,
}

impl Kernel<'_> {
    /// The bindings and constants, unless the arguments are laid out in another way (a kernel that was not made for
    /// dispatches).
    pub fn dispatch_layout(&self) -> Option<DispatchLayout> {
        let mut bindings = Vec::new();
        let mut constants = 0;
        for arg in self.args.iter().filter(|arg| arg.kind != ArgKind::Other) {
            let expected = u32::try_from(bindings.len() * 8).ok()? + constants * 4;
            match (arg.kind, arg.bytes) {
                _ if arg.offset != expected => return None,
                (ArgKind::GlobalBuffer, 8) if constants == 0 => {
                    bindings.push(arg.access == Access::ReadOnly)
                }
                (ArgKind::ByValue, bytes) if bytes % 4 == 0 => constants += bytes / 4,
                _ => return None,
            }
        }
        Some(DispatchLayout {
            bindings,
            constants,
        })
    }
}

pub(crate) use ptx::is_ptx;

/// The kernels that the metadata of a code object lists, or that PTX defines.
///
/// # Errors
/// When the bytes are neither an AMD code object with metadata nor PTX.
pub fn parse(image: &[u8]) -> Result<Vec<Kernel<'_>>> {
    #[derive(Deserialize)]
    struct Metadata<'a> {
        #[serde(rename = "amdhsa.kernels", borrow, default)]
        kernels: Vec<Kernel<'a>>,
    }
    if is_ptx(image) {
        return ptx::parse(image);
    }
    metadata::<Metadata<'_>>(image).map(|metadata| metadata.kernels)
}

/// The chip that code is for. Of a code object also the features it pins, by its metadata: `gfx1100`,
/// `gfx942:sramecc+:xnack-`; PTX names the oldest chip it runs on: `sm_80`.
///
/// # Errors
/// When the bytes are neither an AMD code object with metadata nor PTX.
pub fn target(image: &[u8]) -> Result<Option<&str>> {
    #[derive(Deserialize)]
    struct Metadata<'a> {
        #[serde(rename = "amdhsa.target", borrow, default)]
        target: &'a str,
    }
    if is_ptx(image) {
        return Ok(ptx::target(image));
    }
    let target = metadata::<Metadata<'_>>(image)?.target;
    // Compilers disagree about the triple in front. Generic targets have dashes of their own (`gfx9-4-generic`), and so
    // may features.
    Ok(target.rfind("-gfx").map(|dash| &target[dash + 1..]))
}

fn metadata<'a, T: Deserialize<'a>>(image: &'a [u8]) -> Result<T> {
    let mut deserializer = rmp_serde::Deserializer::from_read_ref(find_metadata(image)?);
    deserializer.set_max_depth(MAX_DEPTH);
    T::deserialize(&mut deserializer)
        .map_err(|error| Error::malformed(PLACE, format!("its metadata note: {error}")))
}

fn find_metadata(image: &[u8]) -> Result<&[u8]> {
    const NT_AMDGPU_METADATA: u32 = 32;
    let malformed = |error: object::read::Error| Error::malformed(PLACE, error.to_string());
    let header = elf::FileHeader64::<LittleEndian>::parse(image).map_err(malformed)?;
    let machine = header.e_machine(LittleEndian);
    if machine != elf::EM_AMDGPU {
        return Err(Error::malformed(
            PLACE,
            format!(
                "an ELF file for machine {}, expected {} (AMD GPU)",
                machine.0,
                elf::EM_AMDGPU.0
            ),
        ));
    }
    for segment in header
        .program_headers(LittleEndian, image)
        .map_err(malformed)?
    {
        let Some(mut notes) = segment.notes(LittleEndian, image).map_err(malformed)? else {
            continue;
        };
        while let Some(note) = notes.next().map_err(malformed)? {
            if note.name() == b"AMDGPU" && note.n_type(LittleEndian).0 == NT_AMDGPU_METADATA {
                return Ok(note.desc());
            }
        }
    }
    Err(Error::malformed(PLACE, "it has no AMDGPU metadata note"))
}
