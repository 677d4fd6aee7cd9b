//! Executables: loaded device code and what its exports take.

use std::fmt;
use std::sync::Arc;

use hip::{Function, Module};

use crate::{PipelineLayout, Result, Status};

/// Loaded device code. Cheap to clone; buffers of its globals and commands
/// that dispatch its exports keep it loaded.
#[derive(Clone)]
pub struct Executable(Arc<Inner>);

/// What an [`Executable`] holds; named so that command buffers can retain it.
pub struct Inner {
    exports: Vec<Export>,
    modules: Vec<Module>,
}

impl Executable {
    pub(crate) fn from_parts(modules: Vec<Module>, exports: Vec<Export>) -> Self {
        Self(Arc::new(Inner { exports, modules }))
    }

    /// How many exports there are.
    pub fn export_count(&self) -> usize {
        self.0.exports.len()
    }

    /// Every export, by ordinal.
    pub fn exports(&self) -> &[Export] {
        &self.0.exports
    }

    /// The export with this ordinal. `OUT_OF_RANGE` for a negative one or one
    /// that is too large.
    pub fn export(&self, ordinal: i32) -> Result<&Export> {
        usize::try_from(ordinal)
            .ok()
            .and_then(|ordinal| self.0.exports.get(ordinal))
            .ok_or_else(|| {
                Status::out_of_range(format!(
                    "there is no export {ordinal}: the executable has {}",
                    self.0.exports.len()
                ))
            })
    }

    /// The ordinal of the export called `name`. `NOT_FOUND` if there is none.
    pub fn lookup_export(&self, name: &str) -> Result<i32> {
        self.0
            .exports
            .iter()
            .position(|export| export.name == name)
            .map(|ordinal| ordinal as i32)
            .ok_or_else(|| {
                let names: Vec<_> = self.0.exports.iter().map(Export::name).collect();
                Status::not_found(format!(
                    "there is no export `{name}`; there are: {}",
                    names.join(", ")
                ))
            })
    }

    /// What keeps the code loaded.
    pub(crate) fn inner(&self) -> &Arc<Inner> {
        &self.0
    }

    pub(crate) fn modules(&self) -> &[Module] {
        &self.0.modules
    }

    /// Whether both are the same executable object.
    pub fn ptr_eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for Executable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.0.exports).finish()
    }
}

/// A kernel that can be dispatched, and what it takes.
///
/// Its arguments are the device addresses of all bindings, 8 bytes each, then
/// the constants, 4 bytes each.
#[derive(Clone, Debug)]
pub struct Export {
    pub(crate) name: String,
    pub(crate) function: Function,
    pub(crate) workgroup_size: [u32; 3],
    pub(crate) dynamic_lds_bytes: u32,
    pub(crate) constant_count: u32,
    pub(crate) binding_flags: Vec<u64>,
    pub(crate) layout: Option<PipelineLayout>,
    pub(crate) source: Option<SourceLocation>,
}

impl Export {
    /// Name of the kernel.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The kernel.
    pub(crate) fn function(&self) -> &Function {
        &self.function
    }

    /// Threads of a workgroup in x, y, z.
    pub fn workgroup_size(&self) -> [u32; 3] {
        self.workgroup_size
    }

    /// Group memory in bytes that a dispatch adds to what the kernel declares.
    pub fn dynamic_lds_bytes(&self) -> u32 {
        self.dynamic_lds_bytes
    }

    /// 32-bit constants.
    pub fn constant_count(&self) -> u32 {
        self.constant_count
    }

    /// Bindings.
    pub fn binding_count(&self) -> u32 {
        self.binding_flags.len() as u32
    }

    /// What the program says about each binding: 1 read-only, 2 indirect.
    pub fn binding_flags(&self) -> &[u64] {
        &self.binding_flags
    }

    /// The layout it was prepared with, if it is of the older generation.
    pub fn layout(&self) -> Option<&PipelineLayout> {
        self.layout.as_ref()
    }

    /// Where it comes from, if the executable says.
    pub fn source(&self) -> Option<&SourceLocation> {
        self.source.as_ref()
    }

    /// The figures, as a program asks for them.
    pub fn info(&self) -> ExportInfo<'_> {
        ExportInfo {
            name: &self.name,
            workgroup_size: self.workgroup_size,
            constant_count: self.constant_count,
            binding_count: self.binding_count(),
        }
    }
}

/// What a program can ask about an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExportInfo<'a> {
    /// Name of the kernel.
    pub name: &'a str,
    /// Threads of a workgroup in x, y, z.
    pub workgroup_size: [u32; 3],
    /// 32-bit constants.
    pub constant_count: u32,
    /// Bindings.
    pub binding_count: u32,
}

/// A place in a source file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceLocation {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
}
