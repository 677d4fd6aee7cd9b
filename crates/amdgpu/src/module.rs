//! Loaded code objects and their kernels.

use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::arch::Arch;
use crate::code_object::{CodeObject, CodeObjectError, KernelCode};
use crate::fault::Fault;
use crate::isa::Generation;
use crate::memory::{AllocationKind, Block, Memory, Range};
use crate::program::{Program, Unsupported};
use crate::simd::Backend;

/// A loaded code object. Clones share it; it is unloaded with the last clone
/// (kernels count).
#[derive(Clone)]
pub struct Module(Arc<Loaded>);

/// One kernel of a loaded module.
#[derive(Clone)]
pub struct Kernel {
    module: Arc<Loaded>,
    index: usize,
}

/// A code object cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It is for another chip.
    #[error("the code object is for {found}, this is a software {expected}")]
    WrongArch {
        /// The chip it is for.
        found: String,
        /// The chip that is simulated.
        expected: Arch,
    },
    /// It is not a code object, or a damaged one.
    #[error("not a loadable code object: {0}")]
    InvalidImage(#[source] CodeObjectError),
    /// There is no memory for it.
    #[error("out of memory: {bytes} bytes for the code object")]
    OutOfMemory {
        /// What it needs.
        bytes: u64,
    },
}

struct Loaded {
    code: CodeObject,
    /// Address of the image in device memory.
    base: u64,
    arch: Arch,
    memory: Arc<Memory>,
    /// Decoded programs, one a kernel, made at their first launch.
    programs: Vec<OnceLock<Result<Arc<Program>, Fault>>>,
}

impl Module {
    pub(crate) fn load(
        arch: Arch,
        memory: &Arc<Memory>,
        image: &[u8],
    ) -> Result<Module, LoadError> {
        let code = CodeObject::parse(image).map_err(LoadError::InvalidImage)?;
        if code.machine().name() != arch.name() {
            let found = code.machine().to_string();
            return Err(LoadError::WrongArch {
                found,
                expected: arch,
            });
        }
        let bytes = code.image_bytes();
        let block = Arc::new(Block::new(bytes).ok_or(LoadError::OutOfMemory { bytes })?);
        let base = block.address();
        let ranges = code
            .segments()
            .iter()
            .filter(|segment| segment.bytes != 0)
            .map(|segment| Range {
                start: base + segment.address,
                end: base + segment.address + segment.bytes,
                kind: AllocationKind::Code,
                writable: segment.writable,
                block: block.clone(),
            })
            .collect();
        memory.adopt(ranges);
        let programs = code.kernels().iter().map(|_| OnceLock::new()).collect();
        // From here on, dropping `loaded` takes the ranges back.
        let loaded = Loaded {
            code,
            base,
            arch,
            memory: memory.clone(),
            programs,
        };
        let mut placed = vec![0; bytes as usize];
        loaded
            .code
            .place(image, base, &mut placed)
            .map_err(LoadError::InvalidImage)?;
        for segment in loaded.code.segments() {
            let start = segment.address as usize;
            let part = &placed[start..start + segment.bytes as usize];
            memory
                .write(base + segment.address, part)
                .expect("the segment was registered just now");
        }
        Ok(Module(Arc::new(loaded)))
    }

    /// The kernel of that name.
    pub fn kernel(&self, name: &str) -> Option<Kernel> {
        let index = self
            .0
            .code
            .kernels()
            .iter()
            .position(|kernel| kernel.name == name)?;
        Some(Kernel {
            module: self.0.clone(),
            index,
        })
    }

    /// The kernels, in the order of the code object's metadata.
    pub fn kernels(&self) -> impl Iterator<Item = Kernel> {
        (0..self.0.code.kernels().len()).map(|index| Kernel {
            module: self.0.clone(),
            index,
        })
    }

    /// Device address and size in bytes of a device variable.
    pub fn global(&self, name: &str) -> Option<(u64, u64)> {
        let global = self.0.code.global(name)?;
        Some((self.0.base + global.address, global.bytes))
    }
}

impl Drop for Loaded {
    fn drop(&mut self) {
        let segments = self
            .code
            .segments()
            .iter()
            .filter(|segment| segment.bytes != 0);
        let starts: Vec<u64> = segments
            .map(|segment| self.base + segment.address)
            .collect();
        self.memory.disown(&starts);
    }
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Module")
            .field("base", &format_args!("{:#x}", self.0.base))
            .field("kernels", &self.0.code.kernels().len())
            .finish()
    }
}

impl Kernel {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.code().name
    }

    /// Bytes of LDS each workgroup needs, without what a launch adds.
    pub fn lds_bytes(&self) -> u32 {
        self.code().descriptor.group_segment_fixed_bytes
    }

    /// Bytes of scratch (private memory) each work-item needs.
    pub fn scratch_bytes(&self) -> u32 {
        self.code().descriptor.private_segment_fixed_bytes
    }

    /// Bytes of kernel arguments, hidden ones included.
    pub fn kernarg_bytes(&self) -> u32 {
        self.code().kernarg_bytes()
    }

    /// Bytes of kernel arguments that a launch must give.
    pub fn explicit_kernarg_bytes(&self) -> u32 {
        self.code().metadata.explicit_kernarg_bytes()
    }

    /// Most work-items in one workgroup.
    pub fn max_workgroup_size(&self) -> u32 {
        self.code().metadata.max_flat_workgroup_size
    }

    /// The workgroup size that the kernel was compiled for, if it insists.
    pub fn required_workgroup_size(&self) -> Option<[u32; 3]> {
        self.code().metadata.reqd_workgroup_size
    }

    /// Vector registers of each work-item.
    pub fn vgprs(&self) -> u32 {
        self.code().metadata.vgprs
    }

    /// Scalar registers of each wave.
    pub fn sgprs(&self) -> u32 {
        self.code().metadata.sgprs
    }

    /// Lanes of a wave: 32 or 64.
    pub fn wave_size(&self) -> u32 {
        self.code().metadata.wave_size
    }

    /// The instructions of the kernel, and of what it may call, that cannot be
    /// executed. A launch is refused if the kernel reaches one directly, and
    /// fails if it does through a call.
    pub fn unsupported(&self) -> Vec<Unsupported> {
        Program::unsupported(self, &self.executable_bytes())
    }

    pub(crate) fn code(&self) -> &KernelCode {
        &self.module.code.kernels()[self.index]
    }

    /// Vector registers that the hardware would allocate.
    pub(crate) fn allocated_vgprs(&self) -> u32 {
        self.code()
            .descriptor
            .allocated_vgprs(self.module.code.machine())
    }

    /// Whose instructions it is made of.
    pub(crate) fn generation(&self) -> Generation {
        self.module.arch.generation()
    }

    /// The vector register that is the first accumulation register, on chips
    /// that have those.
    pub(crate) fn first_agpr(&self) -> u32 {
        self.code().descriptor.rsrc3.gfx90a_accum_offset()
    }

    /// Dwords of the kernel arguments that are in scalar registers from the
    /// start.
    pub(crate) fn preloaded(&self) -> std::ops::Range<usize> {
        let preload = self.code().descriptor.kernarg_preload;
        let first = preload.offset_dwords() as usize;
        match self.generation() {
            Generation::Gfx9(_) => first..first + preload.dwords() as usize,
            Generation::Gfx11 | Generation::Gfx12 => 0..0,
        }
    }

    /// Offset of the first instruction. Kernels with arguments in registers
    /// have 256 bytes in front, for firmware that does not put them there.
    pub(crate) fn entry(&self) -> u64 {
        const LOADS: u64 = 256;
        let code = &self.code().code;
        if self.preloaded().is_empty() || code.end - code.start < LOADS + 4 {
            code.start
        } else {
            code.start + LOADS
        }
    }

    /// Address at which the code object's address zero is.
    pub(crate) fn base(&self) -> u64 {
        self.module.base
    }

    /// True if the kernel lives in `memory`.
    pub(crate) fn lives_in(&self, memory: &Arc<Memory>) -> bool {
        Arc::ptr_eq(&self.module.memory, memory)
    }

    /// The decoded program, made at the first call: it is `observed` if its GPU is.
    pub(crate) fn program(&self, backend: Backend, observed: bool) -> Result<Arc<Program>, Fault> {
        self.module.programs[self.index]
            .get_or_init(|| {
                let code = self.executable_bytes();
                Program::compile(self, &self.module.code, &code, backend, observed).map(Arc::new)
            })
            .clone()
    }

    /// Address and bytes of the segment that holds the kernel's code.
    fn executable_bytes(&self) -> (u64, Vec<u8>) {
        let entry = self.code().code.start;
        let segments = self.module.code.segments();
        let segment = segments
            .iter()
            .find(|segment| (segment.address..segment.address + segment.bytes).contains(&entry))
            .expect("the parser checked that the code lies in a segment");
        let mut bytes = vec![0; segment.bytes as usize];
        self.module
            .memory
            .read(self.module.base + segment.address, &mut bytes)
            .expect("the module's own segments are registered");
        (segment.address, bytes)
    }
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kernel")
            .field("name", &self.name())
            .finish_non_exhaustive()
    }
}
