//! A whole `.vmfb` module, checked into plain structs.
//!
//! [`Module::parse`] makes every check the format allows without looking at the instructions: what it returns is inside
//! of the file, consistent with itself and no larger than a small multiple of the bytes it came from. Bytecode and data
//! stay where they are in the file and are named by ranges, so that a memory-mapped file is used in place.
//!
//! Two bytecode versions are read: 15.0, of compilers of early 2024, and 17.0, of release 3.13. Their containers differ
//! only in the feature bits they know.

pub mod debug;
mod parse;

use std::ops::Range;

use crate::Result;
use crate::container::Container;

/// The bytecode versions that are read: major, minor.
pub const BYTECODE_VERSIONS: [(u16, u16); 2] = [(15, 0), (17, 0)];

/// The most bytes of value globals a module may ask for. Each takes at most 8, and programs have a handful.
pub const MAX_GLOBAL_BYTES: u32 = 16 << 20;

/// The most globals that hold references a module may ask for.
pub const MAX_GLOBAL_REFS: u32 = 1 << 20;

/// The most 32-bit registers of a function: 15 bits of an operand number them.
pub const MAX_I32_REGISTERS: u16 = 0x7fff;

/// The most reference registers of a function: 14 bits of an operand number them.
pub const MAX_REF_REGISTERS: u16 = 0x3fff;

/// A module. Ranges are bytes of the file it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    /// Its name, usually `module`; not empty.
    pub name: String,
    /// Its version, usually 0.
    pub version: u32,
    /// What the runtime must know to run it.
    pub requirements: Features,
    /// Its attributes: key, value.
    pub attrs: Vec<(String, String)>,
    /// The types its instructions name by number, without a leading `!` and without parameters: `i32`, `vm.buffer`,
    /// `vm.list`.
    pub types: Vec<String>,
    /// The modules it needs.
    pub dependencies: Vec<Dependency>,
    /// The functions it calls, by import number.
    pub imports: Vec<Import>,
    /// The functions it offers.
    pub exports: Vec<Export>,
    /// Its own functions, by function number.
    pub functions: Vec<Function>,
    /// Its read-only data segments, by number.
    pub rodata: Vec<Rodata>,
    /// Bytes of its value globals, at most [`MAX_GLOBAL_BYTES`].
    pub global_bytes: u32,
    /// Number of its globals that hold references, at most [`MAX_GLOBAL_REFS`].
    pub global_refs: u32,
    /// Version of its bytecode, one of [`BYTECODE_VERSIONS`].
    pub bytecode_version: (u16, u16),
}

bitflags::bitflags! {
    /// What a module or function needs the runtime to know.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub struct Features: u32 {
        /// Instructions on 32-bit floats.
        const EXT_F32 = 1;
        /// Instructions on 64-bit floats.
        const EXT_F64 = 2;
        /// A function may suspend.
        const YIELD = 4;
        /// A function can fail while it holds references.
        const UNWIND = 8;
    }
}

/// A module that must be there, at least in this version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// Its name, for example `hal`; not empty.
    pub name: String,
    /// The oldest version that will do.
    pub minimum_version: u32,
    /// Whether it may be absent.
    pub is_optional: bool,
}

/// A function of another module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// Its name with that of its module, for example `hal.devices.count`; not empty.
    pub name: String,
    /// Its arguments and results, for example `0rI_r`; not empty.
    pub calling_convention: String,
    /// Whether it may be absent.
    pub is_optional: bool,
    /// Its attributes: key, value.
    pub attrs: Vec<(String, String)>,
}

/// A function under the name it can be called by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// The name, not empty.
    pub name: String,
    /// Its place among [`Module::functions`].
    pub function: u32,
}

/// A function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Its instructions in the file, not empty. No two functions share any.
    pub bytecode: Range<usize>,
    /// What it needs the runtime to know.
    pub requirements: Features,
    /// Number of its basic blocks, at least 1 and at most the bytes of its instructions.
    pub block_count: u16,
    /// 32-bit registers it uses, at most [`MAX_I32_REGISTERS`].
    pub i32_registers: u16,
    /// Reference registers it uses, at most [`MAX_REF_REGISTERS`].
    pub ref_registers: u16,
    /// Its arguments and results, for example `0rr_r`; not empty.
    pub calling_convention: String,
    /// Its attributes: key, value. `iree.abi.declaration` says how the author declared it.
    pub attrs: Vec<(String, String)>,
}

/// A read-only data segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rodata {
    /// Its bytes in the file, aligned to nothing.
    pub range: Range<usize>,
    /// Whether it is inside of the flatbuffer.
    pub is_embedded: bool,
    /// The name of its ZIP entry, where it has one.
    pub name: Option<String>,
}

impl Module {
    /// Whether these bytes begin like a module.
    pub fn detect(file: &[u8]) -> bool {
        Container::detect(file)
    }

    /// Reads and checks a module.
    ///
    /// # Errors
    /// - `Malformed`: the file is something else, or contradicts itself;
    /// - `Truncated`: it ends too early;
    /// - `Incompatible`: a bytecode version or a feature that is not read;
    /// - `LimitExceeded`: it asks for more than a sane program does.
    pub fn parse(file: &[u8]) -> Result<Module> {
        parse::parse(file)
    }

    /// The function that is exported under this name.
    pub fn export(&self, name: &str) -> Option<&Function> {
        let export = self.exports.iter().find(|export| export.name == name)?;
        self.functions.get(export.function as usize)
    }
}
