//! Memory: what kinds there are, and how buffers get theirs.

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use hip::{
    Context, DeviceMemory, DevicePtr, HostMallocFlags, HostMemory, HostRegion, HostRegistration,
    Stream,
};

use crate::buffer::{Allocation, DeviceRegion, Memory};
use crate::flags::{BufferCompatibility, BufferUsage, MemoryAccess, MemoryType};
use crate::ledger::{Entry, Ledger, MemoryReport, Owner, Source};
use crate::pool::{PoolStatistics, Pools};
use crate::{Buffer, BufferKind, Result, Status};

/// Allocates, imports and exports buffers of one device. Cheap to clone.
#[derive(Clone)]
pub struct Allocator(Arc<Inner>);

struct Inner {
    context: Context,
    stream: Arc<Stream>,
    concurrent_managed_access: bool,
    heaps: Vec<MemoryHeap>,
    pools: Option<Pools>,
    ledger: Arc<Ledger>,
}

impl Allocator {
    /// `stream` carries prefetches; `pools` is `None` when the device has none
    /// or the caller wants none. `ledger` counts what they hand out too.
    pub(crate) fn new(
        context: &Context,
        stream: &Arc<Stream>,
        concurrent_managed_access: bool,
        pools: Option<Pools>,
        ledger: &Arc<Ledger>,
    ) -> Self {
        Self(Arc::new(Inner {
            context: context.clone(),
            stream: stream.clone(),
            concurrent_managed_access,
            heaps: heaps(concurrent_managed_access),
            pools,
            ledger: ledger.clone(),
        }))
    }

    /// The kinds of memory, fastest for the device first.
    pub fn memory_heaps(&self) -> &[MemoryHeap] {
        &self.0.heaps
    }

    /// What can be done with a buffer of these parameters, and the parameters
    /// and size in bytes that it would really get.
    pub fn query_compatibility(
        &self,
        params: &BufferParams,
        byte_size: u64,
    ) -> (BufferCompatibility, BufferParams, u64) {
        let mut resolved = params.canonical();
        let mut compatibility = BufferCompatibility::ALLOCATABLE;
        resolve_memory_type(
            &mut resolved,
            &mut compatibility,
            self.0.concurrent_managed_access,
        );
        if resolved.memory_type.contains(MemoryType::DEVICE_VISIBLE) {
            compatibility |= BufferCompatibility::IMPORTABLE;
            if resolved.usage.intersects(BufferUsage::TRANSFER) {
                compatibility |= BufferCompatibility::QUEUE_TRANSFER;
            }
            if resolved.usage.intersects(DISPATCH_USAGES) {
                compatibility |= BufferCompatibility::QUEUE_DISPATCH;
            }
        }
        if resolved.memory_type.contains(MemoryType::DEVICE_LOCAL)
            && !resolved.memory_type.contains(MemoryType::HOST_VISIBLE)
        {
            compatibility |= BufferCompatibility::EXPORTABLE;
        }
        // Empty buffers are legal, empty allocations are not.
        let byte_size = if byte_size == 0 {
            EMPTY_BYTE_SIZE
        } else {
            byte_size
        };
        (compatibility, resolved, byte_size)
    }

    /// Allocates a buffer of at least `byte_size` bytes, contents undefined.
    pub fn allocate(&self, params: &BufferParams, byte_size: u64) -> Result<Buffer> {
        let (compatibility, mut params, byte_size) = self.query_compatibility(params, byte_size);
        require(compatibility, BufferCompatibility::ALLOCATABLE, &params)?;
        let memory = self
            .allocate_memory(&mut params, byte_size)
            .or_else(|error| self.make_room(error, &mut params, byte_size))
            .map_err(|error| {
                let what = format!(
                    "allocating {byte_size} bytes of {:?} memory",
                    params.memory_type
                );
                not_allocated(error, what, &self.0.ledger)
            })?;
        let source = match &memory {
            Memory::Host(_) => Source::Host,
            _ if params.memory_type.contains(MemoryType::HOST_VISIBLE) => Source::Managed,
            _ => Source::Device,
        };
        let entry = Entry::new(&self.0.ledger, source, params.owner, byte_size);
        let allocation = Allocation::new(memory, byte_size, &params, Some(entry));
        Buffer::new(allocation, byte_size)
    }

    /// A buffer for a queue to allocate. Its memory comes from a stream-ordered
    /// pool when the queue gets there. Memory that the host must see, or any
    /// on a device without pools, is allocated right here.
    pub(crate) fn reserve(&self, params: &BufferParams, byte_size: u64) -> Result<Buffer> {
        let (compatibility, resolved, pool_size) = self.query_compatibility(params, byte_size);
        match &self.0.pools {
            Some(pools) if !resolved.memory_type.contains(MemoryType::HOST_VISIBLE) => {
                require(compatibility, BufferCompatibility::ALLOCATABLE, &resolved)?;
                pools.reserve(&resolved, pool_size)
            }
            _ => self.allocate(params, byte_size),
        }
    }

    /// Makes a buffer of memory that exists. Whatever happens, memory of the
    /// caller is unregistered and given back exactly once.
    pub fn import(&self, params: &BufferParams, external: ExternalBuffer) -> Result<Buffer> {
        let (compatibility, mut resolved, byte_size) =
            self.query_compatibility(params, external.byte_size());
        require(compatibility, BufferCompatibility::IMPORTABLE, &resolved)?;
        if external.byte_size() == 0 {
            return Err(Status::invalid_argument("no bytes to import"));
        }
        let memory = match external {
            ExternalBuffer::HostAllocation(region) => {
                if params.memory_type.contains(MemoryType::DEVICE_LOCAL) {
                    return Err(Status::invalid_argument(
                        "memory of the host cannot become device-local",
                    ));
                }
                resolved.memory_type |= MemoryType::HOST_LOCAL | MemoryType::DEVICE_VISIBLE;
                let registration =
                    HostRegistration::new(&self.0.context, region).map_err(|error| {
                        Status::from(error)
                            .context(format!("registering {byte_size} bytes of host memory"))
                    })?;
                Memory::Registered(registration)
            }
            ExternalBuffer::DeviceAllocation(region) => {
                if region.device_ptr() == DevicePtr::NULL {
                    return Err(Status::invalid_argument("the null address is no memory"));
                }
                Memory::External(region)
            }
            ExternalBuffer::OpaqueFd { .. } | ExternalBuffer::OpaqueWin32 { .. } => {
                return Err(Status::unimplemented(
                    "memory cannot be imported by an operating system handle",
                ));
            }
        };
        Buffer::new(
            Allocation::new(memory, byte_size, &resolved, None),
            byte_size,
        )
    }

    /// Gives the whole allocation under `buffer` a name that others understand.
    ///
    /// Only device memory can be exported, and only as a device address
    /// (`UNAVAILABLE` otherwise).
    pub fn export(
        &self,
        buffer: &Buffer,
        kind: ExternalBufferKind,
        flags: u32,
    ) -> Result<ExportedBuffer> {
        let allocation = buffer.allocation();
        match (kind, allocation.kind()) {
            (
                ExternalBufferKind::DeviceAllocation,
                BufferKind::Device | BufferKind::Async | BufferKind::External,
            ) => Ok(ExportedBuffer {
                kind,
                flags,
                ptr: allocation.device_ptr()?,
                byte_size: allocation.byte_size(),
                buffer: buffer.clone(),
            }),
            (kind, memory) => Err(Status::unavailable(format!(
                "{memory:?} memory cannot be exported as {kind:?}"
            ))),
        }
    }

    /// Returns memory that nobody uses to the system.
    pub fn trim(&self) -> Result<()> {
        match &self.0.pools {
            Some(pools) => pools.trim(),
            None => Ok(()),
        }
    }

    /// Bytes allocated since it was made, pools included: cheap to ask.
    pub fn bytes_allocated(&self) -> u64 {
        self.0.ledger.allocated()
    }

    /// What memory allocated for `name` is put down to, by
    /// [`BufferParams::owner`]: the module of a program, or part of one.
    pub fn owner(&self, name: &str) -> Owner {
        self.0.ledger.owner(name)
    }

    /// Who has how much memory, and what the pools keep.
    pub fn memory_report(&self) -> MemoryReport {
        let mut report = self.0.ledger.report();
        for pool in &mut report.pools {
            if let Some(pools) = &self.0.pools {
                pool.kept_bytes = pools.kept_bytes(&pool.name, pool.live_bytes);
            }
        }
        report
    }

    /// What was allocated and freed so far, pools included.
    pub fn statistics(&self) -> Result<AllocatorStatistics> {
        let ledger = &self.0.ledger;
        let host = ledger.figures(Source::Host);
        let device = [
            Source::Device,
            Source::Managed,
            Source::DevicePool,
            Source::OtherPool,
        ];
        let mut statistics = AllocatorStatistics {
            host_bytes_allocated: host.allocated,
            host_bytes_freed: host.allocated - host.live,
            host_bytes_peak: host.peak,
            ..AllocatorStatistics::default()
        };
        for figures in device.map(|source| ledger.figures(source)) {
            statistics.device_bytes_allocated += figures.allocated;
            statistics.device_bytes_freed += figures.allocated - figures.live;
            statistics.device_bytes_peak += figures.peak;
        }
        Ok(statistics)
    }

    /// Figures of the stream-ordered pools alone, device-local first; `None`
    /// without pools.
    pub fn pool_statistics(&self) -> Result<Option<[PoolStatistics; 2]>> {
        let pool = |source| PoolStatistics::new(self.0.ledger.figures(source));
        let pools = [Source::DevicePool, Source::OtherPool];
        Ok(self.0.pools.as_ref().map(|_| pools.map(pool)))
    }

    /// Tries again if the pools keep memory that they do not need.
    fn make_room(
        &self,
        error: hip::Error,
        params: &mut BufferParams,
        bytes: u64,
    ) -> hip::Result<Memory> {
        let is_full = error.code == hip::Code::OUT_OF_MEMORY;
        if !is_full || self.0.pools.is_none() || self.trim().is_err() {
            return Err(error);
        }
        self.allocate_memory(params, bytes)
    }

    fn allocate_memory(&self, params: &mut BufferParams, bytes: u64) -> hip::Result<Memory> {
        let context = &self.0.context;
        let managed = MemoryType::DEVICE_LOCAL | MemoryType::HOST_VISIBLE;
        if params.memory_type.contains(managed) {
            let memory = DeviceMemory::managed(context, bytes)?;
            self.0
                .stream
                .issue()?
                .prefetch(memory.device_ptr(), bytes)?;
            return Ok(Memory::Device(memory));
        }
        if params.memory_type.contains(MemoryType::DEVICE_LOCAL) {
            return Ok(Memory::Device(DeviceMemory::new(context, bytes)?));
        }
        params.memory_type |= MemoryType::HOST_LOCAL | MemoryType::DEVICE_VISIBLE;
        let flags = if params.memory_type.contains(MemoryType::HOST_CACHED) {
            HostMallocFlags::DEFAULT
        } else {
            HostMallocFlags::WRITE_COMBINED
        };
        Ok(Memory::Host(HostMemory::new(context, bytes, flags)?))
    }
}

/// Why there is no memory; if it ran out, with who has it.
pub(crate) fn not_allocated(error: hip::Error, what: String, ledger: &Ledger) -> Status {
    let is_full = error.code == hip::Code::OUT_OF_MEMORY;
    let what = match is_full {
        true => format!("{what} ({})", ledger.report()),
        false => what,
    };
    Status::from(error).context(what)
}

impl fmt::Debug for Allocator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Allocator({:?})", self.0.context)
    }
}

/// What a request for nothing gets, in bytes.
const EMPTY_BYTE_SIZE: u64 = 4;

/// Every usage by dispatches.
const DISPATCH_USAGES: BufferUsage = BufferUsage::DISPATCH_INDIRECT_PARAMS
    .union(BufferUsage::DISPATCH_UNIFORM_READ)
    .union(BufferUsage::DISPATCH_STORAGE)
    .union(BufferUsage::DISPATCH_IMAGE_READ)
    .union(BufferUsage::DISPATCH_IMAGE_WRITE);

/// Every usage that asks for mapping.
const MAPPING_USAGES: BufferUsage =
    BufferUsage::MAPPING_SCOPED.union(BufferUsage::MAPPING_PERSISTENT);

/// Decides where the memory really lives.
fn resolve_memory_type(
    params: &mut BufferParams,
    compatibility: &mut BufferCompatibility,
    concurrent_managed_access: bool,
) {
    let requested = params.memory_type;
    let mapped = params.usage.intersects(MAPPING_USAGES);
    let memory_type = &mut params.memory_type;
    memory_type.remove(MemoryType::OPTIMAL);
    if memory_type.is_empty() {
        *memory_type = if mapped {
            MemoryType::HOST_LOCAL | MemoryType::DEVICE_VISIBLE
        } else {
            MemoryType::DEVICE_LOCAL
        };
    }
    if memory_type.contains(MemoryType::DEVICE_LOCAL) && mapped {
        let optional = params.usage.contains(BufferUsage::MAPPING_OPTIONAL);
        if optional && !requested.contains(MemoryType::HOST_VISIBLE) {
            // Managed memory costs the device much more than the mapping is worth.
            params.usage.remove(MAPPING_USAGES);
        } else {
            *memory_type |= MemoryType::HOST_VISIBLE;
        }
    }
    if memory_type.contains(MemoryType::DEVICE_LOCAL | MemoryType::HOST_VISIBLE) {
        *compatibility |= BufferCompatibility::LOW_PERFORMANCE;
        if concurrent_managed_access {
            *memory_type |= MemoryType::HOST_COHERENT;
        } else {
            memory_type.remove(MemoryType::DEVICE_LOCAL | MemoryType::HOST_VISIBLE);
            *memory_type |= MemoryType::HOST_LOCAL | MemoryType::DEVICE_VISIBLE;
        }
    } else if mapped && !memory_type.contains(MemoryType::DEVICE_LOCAL) {
        *memory_type |= MemoryType::HOST_LOCAL | MemoryType::DEVICE_VISIBLE;
    }
}

fn require(
    actual: BufferCompatibility,
    wanted: BufferCompatibility,
    params: &BufferParams,
) -> Result<()> {
    if actual.contains(wanted) {
        return Ok(());
    }
    Err(Status::invalid_argument(format!(
        "a buffer of memory type {:?} and usage {:?} must be {wanted:?}, but is {actual:?}",
        params.memory_type, params.usage
    )))
}

/// What a buffer is wanted for. Empty fields mean "the usual".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BufferParams {
    /// What it is used for; empty is [`BufferUsage::DEFAULT`].
    pub usage: BufferUsage,
    /// What may be done to it; empty is [`MemoryAccess::ALL`].
    pub access: MemoryAccess,
    /// Where it lives; empty or `OPTIMAL` leaves it to the allocator.
    pub memory_type: MemoryType,
    /// The queues that use it, one bit each; 0 is all.
    pub queue_affinity: u64,
    /// Whom it is for.
    pub owner: Owner,
}

impl BufferParams {
    /// Device-local memory for transfers and dispatches.
    pub fn device_local() -> Self {
        Self {
            memory_type: MemoryType::DEVICE_LOCAL,
            ..Self::default()
        }
    }

    /// Memory of the host that the device reads and writes too, mapped as needed.
    pub fn host_visible() -> Self {
        Self {
            usage: BufferUsage::DEFAULT | BufferUsage::MAPPING,
            memory_type: MemoryType::HOST_LOCAL | MemoryType::DEVICE_VISIBLE,
            ..Self::default()
        }
    }

    /// The same with the empty fields filled in.
    #[must_use]
    pub fn canonical(mut self) -> Self {
        if self.usage.is_empty() {
            self.usage = BufferUsage::DEFAULT;
        }
        if self.access.is_empty() {
            self.access = MemoryAccess::ALL;
        }
        if self.queue_affinity == 0 {
            self.queue_affinity = u64::MAX;
        }
        self
    }
}

impl Default for BufferParams {
    fn default() -> Self {
        Self {
            usage: BufferUsage::empty(),
            access: MemoryAccess::empty(),
            memory_type: MemoryType::empty(),
            queue_affinity: 0,
            owner: Owner::default(),
        }
    }
}

/// A kind of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryHeap {
    /// Where it lives and who can reach it.
    pub memory_type: MemoryType,
    /// What buffers in it can be used for.
    pub allowed_usage: BufferUsage,
    /// Largest allocation in bytes; `u64::MAX` when only memory limits it.
    pub max_allocation_size: u64,
    /// Every allocation begins at a multiple of this many bytes.
    pub min_alignment: u64,
}

fn heaps(concurrent_managed_access: bool) -> Vec<MemoryHeap> {
    let device_usage = BufferUsage::TRANSFER | DISPATCH_USAGES;
    let mapped_usage = device_usage
        | MAPPING_USAGES
        | BufferUsage::MAPPING_OPTIONAL
        | BufferUsage::MAPPING_ACCESS_RANDOM
        | BufferUsage::MAPPING_ACCESS_SEQUENTIAL_WRITE;
    let heap = |memory_type, allowed_usage| MemoryHeap {
        memory_type,
        allowed_usage,
        max_allocation_size: u64::MAX,
        min_alignment: 64,
    };
    let upload = MemoryType::DEVICE_VISIBLE | MemoryType::HOST_LOCAL;
    let mut heaps = vec![heap(MemoryType::DEVICE_LOCAL, device_usage)];
    if concurrent_managed_access {
        heaps.push(heap(
            MemoryType::DEVICE_LOCAL | MemoryType::HOST_VISIBLE | MemoryType::HOST_COHERENT,
            mapped_usage,
        ));
    }
    heaps.push(heap(upload, mapped_usage));
    heaps.push(heap(upload | MemoryType::HOST_CACHED, mapped_usage));
    heaps
}

/// Memory that exists, to be made a buffer.
pub enum ExternalBuffer {
    /// Memory of the host.
    HostAllocation(HostRegion),
    /// Memory of the device.
    DeviceAllocation(DeviceRegion),
    /// A file descriptor of the operating system.
    OpaqueFd {
        /// The descriptor.
        fd: i32,
        /// Length in bytes.
        byte_size: u64,
    },
    /// A handle of Windows.
    OpaqueWin32 {
        /// The handle.
        handle: usize,
        /// Length in bytes.
        byte_size: u64,
    },
}

impl ExternalBuffer {
    fn byte_size(&self) -> u64 {
        match self {
            Self::HostAllocation(region) => region.len(),
            Self::DeviceAllocation(region) => region.len(),
            Self::OpaqueFd { byte_size, .. } | Self::OpaqueWin32 { byte_size, .. } => *byte_size,
        }
    }
}

impl fmt::Debug for ExternalBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Self::HostAllocation(_) => ExternalBufferKind::HostAllocation,
            Self::DeviceAllocation(_) => ExternalBufferKind::DeviceAllocation,
            Self::OpaqueFd { .. } => ExternalBufferKind::OpaqueFd,
            Self::OpaqueWin32 { .. } => ExternalBufferKind::OpaqueWin32,
        };
        write!(f, "{kind:?}({} bytes)", self.byte_size())
    }
}

/// How memory is named to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExternalBufferKind {
    /// By a host address.
    HostAllocation,
    /// By a device address.
    DeviceAllocation,
    /// By a file descriptor.
    OpaqueFd,
    /// By a handle of Windows.
    OpaqueWin32,
}

/// An exported buffer: valid as long as this lives.
#[derive(Clone, Debug)]
pub struct ExportedBuffer {
    /// How the memory is named.
    pub kind: ExternalBufferKind,
    /// The flags that were asked for.
    pub flags: u32,
    /// Device address of the first byte of the allocation.
    pub ptr: DevicePtr,
    /// Length of the allocation in bytes.
    pub byte_size: u64,
    /// The buffer, which keeps the memory.
    pub buffer: Buffer,
}

/// Bytes allocated and freed since the allocator was made, and the most in use
/// at one time. With pools, the peak is the sum of everybody's own peak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AllocatorStatistics {
    /// Host memory allocated.
    pub host_bytes_allocated: u64,
    /// Host memory freed.
    pub host_bytes_freed: u64,
    /// Most host memory in use.
    pub host_bytes_peak: u64,
    /// Device memory allocated.
    pub device_bytes_allocated: u64,
    /// Device memory freed.
    pub device_bytes_freed: u64,
    /// Most device memory in use.
    pub device_bytes_peak: u64,
}
