//! The device: loads code objects and runs kernels.

use std::sync::Arc;
use std::thread;

use crate::arch::Arch;
use crate::dispatch::{self, Pool};
use crate::fault::Fault;
use crate::memory::Memory;
use crate::module::{Kernel, LoadError, Module};
use crate::observe::{BoundRange, Checks, Observer};
use crate::simd::{Backend, Extensions};

/// How a software GPU is made.
#[derive(Clone, Debug)]
pub struct Config {
    /// The chip.
    pub arch: Arch,
    /// Host threads that run workgroups; `None` for one a processor.
    pub workers: Option<usize>,
    /// Device memory in bytes.
    pub memory_bytes: u64,
    /// Wave instructions that one workgroup may execute before its launch is
    /// stopped as an endless loop.
    pub instruction_budget: u64,
    /// Who watches every launch; then it takes longer.
    pub observer: Option<Observer>,
    /// Extensions of the host's instruction set that may be used, if it has
    /// them. Results are the same.
    pub extensions: Extensions,
}

impl Default for Config {
    /// A gfx1100 with 16 GiB, of which the host lends what is used.
    fn default() -> Config {
        Config {
            arch: Arch::Gfx1100,
            workers: None,
            memory_bytes: 16 << 30,
            instruction_budget: 4_000_000_000,
            observer: None,
            extensions: Extensions::Avx512,
        }
    }
}

/// A software GPU. Share it by reference or `Arc`; launches from several
/// threads run side by side.
#[derive(Debug)]
pub struct Gpu {
    arch: Arch,
    memory: Arc<Memory>,
    backend: Backend,
    instruction_budget: u64,
    observer: Option<Observer>,
    pool: Pool,
}

/// One launch of a kernel.
#[derive(Clone, Copy, Debug)]
pub struct Launch<'a> {
    /// What to run.
    pub kernel: &'a Kernel,
    /// Workgroups in x, y and z.
    pub grid: [u32; 3],
    /// Work-items of a workgroup in x, y and z.
    pub block: [u32; 3],
    /// Bytes of LDS beside what the kernel declares.
    pub dynamic_lds_bytes: u32,
    /// The explicit kernel arguments; hidden ones are filled in.
    pub kernarg: &'a [u8],
    /// The memory that it is meant to access, if that is known: an observer
    /// that checks memory reports other accesses.
    pub bindings: Option<&'a [BoundRange]>,
}

/// What a launch did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Workgroups run.
    pub workgroups: u64,
    /// Waves run.
    pub waves: u64,
    /// Wave instructions executed, waits for memory among them; hints are not
    /// counted.
    pub instructions: u64,
}

impl Gpu {
    /// Makes a device with nothing loaded.
    pub fn new(config: Config) -> Gpu {
        let processors = || thread::available_parallelism().map_or(1, usize::from);
        let workers = config.workers.unwrap_or_else(processors).max(1);
        let is_shadowed = |observer: &Observer| observer.checks().contains(Checks::MEMORY);
        let memory = match config.observer.as_ref().is_some_and(is_shadowed) {
            true => Memory::shadowed(config.memory_bytes),
            false => Memory::new(config.memory_bytes),
        };
        Gpu {
            arch: config.arch,
            memory: Arc::new(memory),
            backend: Backend::at_most(config.extensions),
            instruction_budget: config.instruction_budget,
            observer: config.observer,
            pool: Pool::new(workers),
        }
    }

    /// The chip.
    pub fn arch(&self) -> Arch {
        self.arch
    }

    /// The extensions of the host's instruction set that it uses.
    pub fn extensions(&self) -> Extensions {
        self.backend.extensions()
    }

    /// Device memory.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Loads a code object: places its segments, applies its relocations.
    ///
    /// # Errors
    /// It is no code object, a damaged one, or one for another chip; or there
    /// is no memory.
    pub fn load(&self, image: &[u8]) -> Result<Module, LoadError> {
        Module::load(self.arch, &self.memory, image)
    }

    /// Runs a kernel and returns when it has ended.
    ///
    /// Large grids are spread over the worker threads; the calling thread is
    /// one of them. After a fault the device is as usable as before; what the
    /// failed launch had written stays.
    ///
    /// # Errors
    /// The launch does not fit the kernel or the chip, or the kernel failed.
    pub fn run(&self, launch: &Launch<'_>) -> Result<Report, Fault> {
        dispatch::run(
            self.arch,
            &self.memory,
            self.backend,
            self.instruction_budget,
            self.observer.as_ref(),
            &self.pool,
            launch,
        )
    }
}
