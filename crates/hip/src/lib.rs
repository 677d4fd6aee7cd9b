//! HIP once, as one object-safe interface.
//!
//! [`Api`] is the HIP runtime as typed Rust; each *provider* implements it:
//! AMD's own library, NVIDIA's driver, the software GPU; `trace` and `profiled` watch another
//! one; for tests there are `null` and `faulty`. Nobody above this crate sees a provider: they hold the owning
//! handles ([`Context`], [`Stream`], [`Event`], [`Module`] …), which keep the
//! provider alive, call it correctly and release what they own.
//!
//! | concept | here | C |
//! |---|---|---|
//! | device code | [`Module`] | `hipModule_t` |
//! | kernel | [`Function`] | `hipFunction_t` |
//! | launch size | grid dim, in workgroups | `gridDim` |
//! | group size | block dim, in threads | `blockDim` |
//! | order | [`Stream`], [`Event`] | `hipStream_t`, `hipEvent_t` |
//! | batch | [`Graph`], [`GraphExec`] | `hipGraph_t`, `hipGraphExec_t` |

mod amd;
mod api;
mod attributes;
mod batch;
mod cache;
mod context;
mod error;
mod family;
mod faulty;
mod graph;
mod inspect;
mod library;
mod memory;
mod module;
mod null;
mod nvidia;
mod profiled;
mod providers;
mod software;
mod stream;
mod symbols;
mod trace;
mod types;

pub use amd::{AmdOptions, SYMBOLS, amd};
pub use amdgpu::{
    BoundRange, Check, Checks, Counts, Finding, InstructionCount, LaunchCounts, Observed, Observer,
    Party, Traffic,
    isa::{Class, Fidelity},
};
pub use api::Api;
pub use batch::Failed;
pub use cache::CodeCache;
pub use context::{Context, Device};
pub use error::{Code, Error, Result};
pub use family::DeviceFamily;
pub use faulty::{FaultPlan, faulty};
pub use graph::{Graph, GraphExec, GraphNode};
pub use inspect::{code_target, runs_on};
pub use library::{LoadAttempt, LoadError};
pub use memory::{
    DeviceMemory, HostMemory, HostRegion, HostRegistration, HostView, MemPool, PoolMemory,
};
pub use module::{BoundFunction, Function, Module};
pub use null::{NullOptions, null, null_with};
pub use nvidia::{CUDA_SYMBOLS, NvidiaOptions, nvidia};
pub use profiled::profiled;
pub use providers::{OpenError, OpenOptions, PROVIDERS, open};
pub use software::{Arch, SoftwareOptions, software};
pub use stream::{Event, Issue, Stream};
pub use symbols::{Need, SymbolRow};
pub use trace::{TraceSink, trace};
pub use types::{
    ContextHandle, DeviceAttribute, DeviceHandle, DevicePtr, Dim3, EventFlags, EventHandle,
    FunctionAttribute, FunctionHandle, GraphExecHandle, GraphHandle, GraphNodeHandle,
    HostMallocFlags, LaunchConfig, MemPoolAttribute, MemPoolHandle, MemcpyKind, ModuleHandle,
    ProviderInfo, StreamFlags, StreamHandle, Uuid,
};
