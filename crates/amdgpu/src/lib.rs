//! A software AMD GPU that executes real gfx machine code in the process.
//!
//! [`Gpu::load`] takes a code object, [`Gpu::run`] runs one of its kernels on
//! memory from [`Gpu::memory`]. Whatever a kernel does wrong comes back as a
//! [`Fault`] that says where and what; the process and other launches live on.
//!
//! Inside, bytes become structs ([`code_object`], [`isa`]), a kernel is lowered
//! once to a program of compact ops (`program`), and waves of 32 lanes run them
//! with vector registers as rows of lanes (`wave`, `exec`, `simd`), a workgroup
//! at a time on each worker thread (`dispatch`).

#![deny(unsafe_code)]

pub mod code_object;
pub mod isa;

mod arch;
mod dispatch;
mod exec;
mod fault;
mod gpu;
#[expect(unsafe_code, reason = "device memory is raw host memory")]
mod memory;
mod module;
mod observe;
mod program;
mod simd;
mod wave;

pub use arch::{Arch, UnknownArch};
pub use fault::{Access, Fault, FaultKind, FaultRecord};
pub use gpu::{Config, Gpu, Launch, Report};
pub use memory::{
    AllocationInfo, AllocationKind, Memory, MemoryError, MemoryFault, MemoryUsage, Nearest,
    OutOfMemory, Relation,
};
pub use module::{Kernel, LoadError, Module};
pub use observe::{
    BoundRange, Check, Checks, Counts, Finding, InstructionCount, LaunchCounts, Observed, Observer,
    Party, Traffic, UnknownCheck,
};
pub use program::Unsupported;
pub use simd::Extensions;
