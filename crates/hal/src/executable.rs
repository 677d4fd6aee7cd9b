//! Executables: loaded device code and what its exports take.

mod load;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use hip::{Code, Function, Module};
use vmfb::executable::BindingFlags;

pub(crate) use load::load;

use crate::buffer::{Allocation, Memory};
use crate::{Buffer, BufferParams, DeviceRegion, PipelineLayout, Result, Status};

/// Longest name of a global in bytes.
const MAX_GLOBAL_NAME: usize = 4096;

/// Loaded device code. Cheap to clone; buffers of its globals and commands
/// that dispatch its exports keep it loaded.
#[derive(Clone)]
pub struct Executable(Arc<Inner>);

/// What an [`Executable`] holds; command buffers retain it.
pub(crate) struct Inner {
    exports: Vec<Export>,
    modules: Vec<Module>,
}

impl Executable {
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

    /// The device variable called `name`, as a buffer that keeps the code loaded.
    ///
    /// `NOT_FOUND` if there is none, `INVALID_ARGUMENT` for a name of more
    /// than 4096 bytes.
    pub fn lookup_global(&self, name: &str) -> Result<Buffer> {
        if name.len() > MAX_GLOBAL_NAME {
            return Err(Status::invalid_argument(format!(
                "a global's name of {} bytes is longer than {MAX_GLOBAL_NAME}",
                name.len()
            )));
        }
        for module in &self.0.modules {
            match module.global(name) {
                Ok((ptr, bytes)) => return self.global_buffer(ptr, bytes),
                Err(error) if error.code == Code::NOT_FOUND => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Status::not_found(format!("there is no global `{name}`")))
    }

    fn global_buffer(&self, ptr: hip::DevicePtr, bytes: u64) -> Result<Buffer> {
        let executable = self.clone();
        let region = DeviceRegion::new(ptr, bytes).on_release(move || drop(executable));
        let params = BufferParams::device_local().canonical();
        let allocation = Allocation::new(Memory::External(region), bytes, &params, None);
        Buffer::new(allocation, bytes)
    }

    /// What keeps the code loaded.
    pub(crate) fn inner(&self) -> &Arc<Inner> {
        &self.0
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
    /// Name that programs look it up by, nearly always that of the kernel.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The kernel.
    pub(crate) fn function(&self) -> &Function {
        &self.function
    }

    /// Threads of a workgroup in x, y, z; all 0 if a bare code object leaves
    /// it to the dispatch.
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

    /// Whether the program says that a binding is only read.
    pub(crate) fn is_read_only(&self, binding: usize) -> bool {
        let flags = self.binding_flags.get(binding).copied();
        flags.is_some_and(|flags| flags & BindingFlags::READ_ONLY.0 != 0)
    }

    /// The layout it was prepared with, if it is of the older generation.
    pub fn layout(&self) -> Option<&PipelineLayout> {
        self.layout.as_ref()
    }

    /// Where it comes from, if the executable says.
    pub fn source(&self) -> Option<&SourceLocation> {
        self.source.as_ref()
    }

    /// Every parameter, in the order of the arguments.
    pub fn parameters(&self) -> Vec<ExportParameter> {
        let bindings = self.binding_flags.iter().map(|&flags| ExportParameter {
            kind: ExportParameterKind::Binding,
            flags,
            byte_offset: 0,
            byte_size: 8,
        });
        let constants = (0..self.constant_count).map(|_| ExportParameter {
            kind: ExportParameterKind::Constant,
            flags: 0,
            byte_offset: 0,
            byte_size: 4,
        });
        let mut byte_offset = 0;
        bindings
            .chain(constants)
            .map(|mut parameter| {
                parameter.byte_offset = byte_offset;
                byte_offset += parameter.byte_size;
                parameter
            })
            .collect()
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

/// A parameter of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExportParameter {
    /// What it is.
    pub kind: ExportParameterKind,
    /// What the program says about it: for a binding 1 read-only, 2 indirect.
    pub flags: u64,
    /// Where it stands among the arguments, in bytes.
    pub byte_offset: u32,
    /// Its size in bytes.
    pub byte_size: u32,
}

/// What a parameter of an export is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExportParameterKind {
    /// A 32-bit constant.
    Constant,
    /// The device address of a buffer.
    Binding,
}

/// A place in a source file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceLocation {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
}
