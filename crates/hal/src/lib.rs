//! Devices, buffers, executables and command buffers over HIP.
//!
//! A [`Driver`] finds devices, a [`Device`] makes everything else: memory
//! through its [`Allocator`], device code through an [`ExecutableCache`], and
//! work through command buffers that its queues run. Nothing here knows which
//! provider of HIP is underneath, and every failure is a [`Status`].

#![deny(unsafe_code)]

pub mod flags;

mod allocator;
mod arena;
mod binding_table;
mod block_pool;
mod buffer;
mod buffer_view;
mod channel;
mod command;
mod command_buffer;
mod device;
mod driver;
mod event;
mod executable;
mod executable_cache;
mod fence;
mod file;
mod layout;
mod ledger;
mod params;
mod pool;
mod queue;
mod resource_set;
mod semaphore;
mod status;
#[cfg(test)]
mod testing;

pub use allocator::{
    Allocator, AllocatorStatistics, BufferParams, ExportedBuffer, ExternalBuffer,
    ExternalBufferKind, MemoryHeap,
};
pub use arena::{Arena, ArenaSlice};
pub use binding_table::{Binding, BindingTable};
pub use block_pool::{BlockPool, BlockUsage};
pub use buffer::{Allocation, Buffer, BufferKind, DeviceRegion, Mapping, WHOLE_BUFFER};
pub use buffer_view::{BufferView, ElementType, Encoding};
pub use channel::{Channel, CollectiveElement, CollectiveKind, CollectiveOp, CollectiveReduction};
pub use command::{
    Advice, BufferBarrier, BufferRef, BufferSource, Command, DispatchConfig, MAX_UPDATE_BYTES,
    MemoryBarrier,
};
pub use command_buffer::{CommandBuffer, MAX_BINDING_SLOTS};
pub use device::{Device, DeviceLimits};
pub use driver::{DRIVER_OPTIONS, DeviceInfo, Driver, DriverOptions, Observers};
pub use event::Event;
pub use executable::{
    Executable, Export, ExportInfo, ExportParameter, ExportParameterKind, SourceLocation,
};
pub use executable_cache::{ExecutableCache, ExecutableParams};
pub use fence::Fence;
pub use file::{File, ReadObserver};
pub use hip::CodeCache;
pub use layout::{
    DescriptorBinding, DescriptorSetLayout, MAX_BINDINGS_PER_SET, MAX_DESCRIPTOR_SETS,
    MAX_PUSH_CONSTANTS, PipelineLayout,
};
pub use ledger::{MemoryReport, MemoryUsage, Owner};
pub use params::{CommandBufferMode, DeviceParams, PoolParams};
pub use pool::PoolStatistics;
pub use queue::{Execution, HostCallFlags, HostFunction, Queue, QueueAffinity};
pub use resource_set::ResourceSet;
pub use semaphore::{Semaphore, Timeout, Timepoint, WaitMode, wait_timepoints};
pub use status::{Result, Status, StatusCode};

pub use hip::{
    Check, Checks, Class, Counts, DevicePtr, Fidelity, Finding, HostRegion, InstructionCount,
    LaunchCounts, Observed, Observer, Party, ProviderInfo, TraceSink, Traffic,
};
