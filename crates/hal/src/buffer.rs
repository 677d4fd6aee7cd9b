//! Buffers: ranges of device-visible memory, and their mapping into the host.

#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use hip::{DeviceMemory, DevicePtr, HostMemory, HostRegistration, HostView};

use crate::allocator::BufferParams;
use crate::flags::{BufferUsage, MappingMode, MemoryAccess, MemoryType};
use crate::ledger::Entry;
use crate::pool::PoolAllocation;
use crate::{Result, Status};

/// As a length: all bytes from the offset to the end.
pub const WHOLE_BUFFER: u64 = u64::MAX;

/// A range of an [`Allocation`]. Cloning is cheap and keeps the allocation alive.
///
/// Offsets and lengths are in bytes; offsets are relative to this view.
#[derive(Clone)]
pub struct Buffer {
    allocation: Arc<Allocation>,
    byte_offset: u64,
    byte_length: u64,
}

impl Buffer {
    /// All `byte_length` requested bytes of a new allocation.
    pub(crate) fn new(allocation: Allocation, byte_length: u64) -> Result<Self> {
        let mapped = BufferUsage::MAPPING_SCOPED | BufferUsage::MAPPING_PERSISTENT;
        if allocation.allowed_usage.intersects(mapped) && allocation.host().is_none() {
            return Err(Status::invalid_argument(
                "a buffer with mapping usage needs memory that the host can reach",
            ));
        }
        Ok(Self {
            allocation: Arc::new(allocation),
            byte_offset: 0,
            byte_length,
        })
    }

    /// The memory this is a range of.
    pub fn allocation(&self) -> &Arc<Allocation> {
        &self.allocation
    }

    /// Device address of the *allocation*; add [`Buffer::byte_offset`] for this view.
    ///
    /// Fails with `FAILED_PRECONDITION` while a queue has not allocated the
    /// memory yet and after a queue has freed it.
    pub fn device_ptr(&self) -> Result<DevicePtr> {
        self.allocation.device_ptr()
    }

    /// Where this view begins in its allocation.
    pub fn byte_offset(&self) -> u64 {
        self.byte_offset
    }

    /// How long this view is.
    pub fn byte_length(&self) -> u64 {
        self.byte_length
    }

    /// Where the memory lives and who can reach it.
    pub fn memory_type(&self) -> MemoryType {
        self.allocation.memory_type
    }

    /// What may be done to the contents.
    pub fn allowed_access(&self) -> MemoryAccess {
        self.allocation.allowed_access
    }

    /// What the buffer may be used for.
    pub fn allowed_usage(&self) -> BufferUsage {
        self.allocation.allowed_usage
    }

    /// A view of part of this view. `OUT_OF_RANGE` if it does not fit.
    pub fn subspan(&self, offset: u64, length: u64) -> Result<Self> {
        let range = self.range(offset, length)?;
        Ok(Self {
            allocation: self.allocation.clone(),
            byte_offset: self.byte_offset + range.start,
            byte_length: range.end - range.start,
        })
    }

    /// Whether both are the same range of the same allocation.
    pub fn ptr_eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.allocation, &other.allocation)
            && self.byte_offset == other.byte_offset
            && self.byte_length == other.byte_length
    }

    /// The range `offset..offset + length` of this view, with
    /// [`WHOLE_BUFFER`] resolved. `OUT_OF_RANGE` if it does not fit.
    pub fn range(&self, offset: u64, length: u64) -> Result<Range<u64>> {
        let end = match length {
            WHOLE_BUFFER => Some(self.byte_length),
            _ => offset.checked_add(length),
        };
        match end {
            Some(end) if offset <= end && end <= self.byte_length => Ok(offset..end),
            _ => Err(Status::out_of_range(format!(
                "offset {offset} and length {} do not fit a buffer of {} bytes",
                DisplayLength(length),
                self.byte_length
            ))),
        }
    }

    /// Whether a range of this view and a range of `other` share memory.
    /// Ranges that do not fit share nothing.
    pub fn overlaps(
        &self,
        offset: u64,
        length: u64,
        other: &Self,
        other_offset: u64,
        other_length: u64,
    ) -> bool {
        let (Ok(a), Ok(b)) = (
            self.range(offset, length),
            other.range(other_offset, other_length),
        ) else {
            return false;
        };
        // Imported memory can have several allocations for the same bytes, so
        // addresses decide where there are any.
        let (base_a, base_b) = match (self.device_ptr(), other.device_ptr()) {
            (Ok(a), Ok(b)) => (a.0, b.0),
            _ if Arc::ptr_eq(&self.allocation, &other.allocation) => (0, 0),
            _ => return false,
        };
        let (start_a, start_b) = (base_a + self.byte_offset, base_b + other.byte_offset);
        start_a + a.start < start_b + b.end && start_b + b.start < start_a + a.end
    }

    /// `PERMISSION_DENIED` unless the memory type has all bits of `required`.
    pub fn validate_memory_type(&self, required: MemoryType) -> Result<()> {
        if self.memory_type().contains(required) {
            return Ok(());
        }
        Err(denied("memory type", self.memory_type(), required))
    }

    /// `PERMISSION_DENIED` unless every access in `required` is allowed;
    /// `INVALID_ARGUMENT` if `required` neither reads nor writes.
    pub fn validate_access(&self, required: MemoryAccess) -> Result<()> {
        if required.contains(MemoryAccess::ANY) {
            return Ok(());
        }
        if !required.intersects(MemoryAccess::READ | MemoryAccess::WRITE) {
            return Err(Status::invalid_argument(
                "a memory access must read, write or both",
            ));
        }
        if self.allowed_access().contains(required) {
            return Ok(());
        }
        Err(denied("access", self.allowed_access(), required))
    }

    /// `PERMISSION_DENIED` unless the usage has all bits of `required`.
    pub fn validate_usage(&self, required: BufferUsage) -> Result<()> {
        if self.allowed_usage().contains(required) {
            return Ok(());
        }
        Err(denied("usage", self.allowed_usage(), required))
    }
}

/// Reading and writing from the host.
impl Buffer {
    /// Maps a range for the host.
    ///
    /// The memory must be `HOST_VISIBLE`, its usage must include the mapping
    /// `mode`, and `access` must be allowed (`PERMISSION_DENIED`). With
    /// `DISCARD` the contents are undefined until written; debug builds fill
    /// them with `0xCD` so that a wrong discard shows.
    pub fn map_range(
        &self,
        mode: MappingMode,
        access: MemoryAccess,
        offset: u64,
        length: u64,
    ) -> Result<Mapping> {
        let usage = match mode {
            MappingMode::SCOPED => BufferUsage::MAPPING_SCOPED,
            MappingMode::PERSISTENT => BufferUsage::MAPPING_PERSISTENT,
            _ => {
                return Err(Status::invalid_argument(format!(
                    "a mapping is either scoped or persistent, not {mode:?}"
                )));
            }
        };
        let range = self.host_range(usage, access, offset, length)?;
        let mapping = Mapping {
            buffer: self.subspan(range.start, range.end - range.start)?,
            access,
        };
        if cfg!(debug_assertions) && access.contains(MemoryAccess::DISCARD) {
            let bytes = host_length(mapping.len())?;
            self.host()?
                .fill(self.byte_offset + range.start, bytes, &[0xCD])?;
        }
        Ok(mapping)
    }

    /// Copies `dst.len()` bytes from `offset` to the host.
    pub fn map_read(&self, offset: u64, dst: &mut [u8]) -> Result<()> {
        let range = self.scoped_range(MemoryAccess::READ, offset, dst.len() as u64)?;
        Ok(self.host()?.read(self.byte_offset + range.start, dst)?)
    }

    /// Copies `src` to `offset`.
    pub fn map_write(&self, offset: u64, src: &[u8]) -> Result<()> {
        let range = self.scoped_range(MemoryAccess::WRITE, offset, src.len() as u64)?;
        Ok(self.host()?.write(self.byte_offset + range.start, src)?)
    }

    /// Fills a range with a pattern of 1, 2 or 4 bytes; offset and length must
    /// be multiples of its size (`INVALID_ARGUMENT`).
    pub fn map_fill(&self, offset: u64, length: u64, pattern: &[u8]) -> Result<()> {
        if !matches!(pattern.len(), 1 | 2 | 4) {
            return Err(Status::invalid_argument(format!(
                "a fill pattern has 1, 2 or 4 bytes, not {}",
                pattern.len()
            )));
        }
        let range = self.scoped_range(MemoryAccess::WRITE, offset, length)?;
        let length = range.end - range.start;
        let size = pattern.len() as u64;
        if !offset.is_multiple_of(size) || !length.is_multiple_of(size) {
            return Err(Status::invalid_argument(format!(
                "offset {offset} and length {length} of a fill must be multiples of its pattern's {size} bytes"
            )));
        }
        Ok(self.host()?.fill(
            self.byte_offset + range.start,
            host_length(length)?,
            pattern,
        )?)
    }

    /// Fills a range with zeros.
    pub fn map_zero(&self, offset: u64, length: u64) -> Result<()> {
        self.map_fill(offset, length, &[0])
    }

    /// Copies `length` bytes of `source` to `offset`; the ranges must not
    /// overlap (`INVALID_ARGUMENT`). [`WHOLE_BUFFER`] is what `source` has
    /// from its offset on.
    pub fn map_copy(
        &self,
        offset: u64,
        source: &Self,
        source_offset: u64,
        length: u64,
    ) -> Result<()> {
        let from = source.scoped_range(MemoryAccess::READ, source_offset, length)?;
        let length = from.end - from.start;
        let to = self.scoped_range(MemoryAccess::WRITE, offset, length)?;
        if self.overlaps(offset, length, source, source_offset, length) {
            return Err(Status::invalid_argument(
                "source and target of a copy overlap",
            ));
        }
        Ok(self.host()?.copy_from(
            self.byte_offset + to.start,
            &source.host()?,
            source.byte_offset + from.start,
            host_length(length)?,
        )?)
    }

    fn scoped_range(&self, access: MemoryAccess, offset: u64, length: u64) -> Result<Range<u64>> {
        self.host_range(BufferUsage::MAPPING_SCOPED, access, offset, length)
    }

    fn host_range(
        &self,
        usage: BufferUsage,
        access: MemoryAccess,
        offset: u64,
        length: u64,
    ) -> Result<Range<u64>> {
        self.validate_memory_type(MemoryType::HOST_VISIBLE)?;
        self.validate_access(access)?;
        self.validate_usage(usage)?;
        self.range(offset, length)
    }

    fn host(&self) -> Result<HostView<'_>> {
        self.allocation
            .host()
            .ok_or_else(|| Status::internal("host-visible memory without a host address"))
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Buffer({}..{} of {:?})",
            self.byte_offset,
            self.byte_offset + self.byte_length,
            self.allocation
        )
    }
}

/// A range of a buffer that the host reads and writes, by copying: the device
/// may be at work on the same bytes, so they are never lent as a slice.
pub struct Mapping {
    buffer: Buffer,
    access: MemoryAccess,
}

impl Mapping {
    /// Length of the mapped range.
    pub fn len(&self) -> u64 {
        self.buffer.byte_length
    }

    /// Whether the mapped range has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Copies out `dst.len()` bytes from `offset` of the mapped range.
    /// `PERMISSION_DENIED` if it was not mapped for reading.
    pub fn read(&self, offset: u64, dst: &mut [u8]) -> Result<()> {
        self.check(MemoryAccess::READ)?;
        let range = self.buffer.range(offset, dst.len() as u64)?;
        let host = self.buffer.host()?;
        Ok(host.read(self.buffer.byte_offset + range.start, dst)?)
    }

    /// Copies in `src` at `offset` of the mapped range. `PERMISSION_DENIED`
    /// if it was not mapped for writing.
    pub fn write(&self, offset: u64, src: &[u8]) -> Result<()> {
        self.check(MemoryAccess::WRITE)?;
        let range = self.buffer.range(offset, src.len() as u64)?;
        let host = self.buffer.host()?;
        Ok(host.write(self.buffer.byte_offset + range.start, src)?)
    }

    /// Makes writes of the host visible to the device. The memory is coherent,
    /// so only the range is checked.
    pub fn flush_range(&self, offset: u64, length: u64) -> Result<()> {
        self.buffer.range(offset, length).map(drop)
    }

    /// Makes writes of the device visible to the host. The memory is coherent,
    /// so only the range is checked.
    pub fn invalidate_range(&self, offset: u64, length: u64) -> Result<()> {
        self.buffer.range(offset, length).map(drop)
    }

    fn check(&self, required: MemoryAccess) -> Result<()> {
        if self.access.intersects(required | MemoryAccess::ANY) {
            return Ok(());
        }
        Err(denied("mapping", self.access, required))
    }
}

impl fmt::Debug for Mapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mapping({:?}, {:?})", self.buffer, self.access)
    }
}

/// Memory that buffers are ranges of: what it is, where, and what may be done to it.
pub struct Allocation {
    memory: Memory,
    byte_size: u64,
    memory_type: MemoryType,
    allowed_access: MemoryAccess,
    allowed_usage: BufferUsage,
    /// Who may say that the memory is not needed any more.
    owners: AtomicU32,
    // Counts the memory as freed; after `memory`, which drops first.
    _entry: Option<Entry>,
}

impl Allocation {
    /// Wraps memory with the resolved parameters it was made for.
    pub(crate) fn new(
        memory: Memory,
        byte_size: u64,
        params: &BufferParams,
        entry: Option<Entry>,
    ) -> Self {
        Self {
            memory,
            byte_size,
            memory_type: params.memory_type,
            allowed_access: params.access,
            allowed_usage: params.usage,
            owners: AtomicU32::new(1),
            _entry: entry,
        }
    }

    /// How many bytes were allocated, at least what was asked for.
    pub fn byte_size(&self) -> u64 {
        self.byte_size
    }

    /// What kind of memory it is.
    pub fn kind(&self) -> BufferKind {
        match &self.memory {
            Memory::Device(_) => BufferKind::Device,
            Memory::Host(_) => BufferKind::Host,
            Memory::Registered(_) => BufferKind::HostRegistered,
            Memory::Pool(_) => BufferKind::Async,
            Memory::External(_) => BufferKind::External,
        }
    }

    /// Device address of the first byte. Fails with `FAILED_PRECONDITION`
    /// while there is none: see [`Buffer::device_ptr`].
    pub fn device_ptr(&self) -> Result<DevicePtr> {
        match &self.memory {
            Memory::Device(memory) => Ok(memory.device_ptr()),
            Memory::Host(memory) => Ok(memory.device_ptr()),
            Memory::Registered(memory) => Ok(memory.device_ptr()),
            Memory::Pool(memory) => memory.device_ptr(),
            Memory::External(memory) => Ok(memory.ptr),
        }
    }

    /// Adds an owner. A program counts them to know who deallocates; the
    /// memory itself stays for as long as any buffer of it does.
    pub fn preserve(&self) {
        // Nobody counts to 2^32: that would take as many calls that never end.
        self.owners.fetch_add(1, Ordering::AcqRel);
    }

    /// Takes an owner off: whether that was the last. Never again afterwards.
    pub fn discard(&self) -> bool {
        let less = |owners: u32| owners.checked_sub(1);
        self.owners
            .try_update(Ordering::AcqRel, Ordering::Acquire, less)
            == Ok(1)
    }

    /// Whether there is exactly one owner.
    pub fn has_one_owner(&self) -> bool {
        self.owners.load(Ordering::Acquire) == 1
    }

    /// The stream-ordered memory, if it is such.
    pub(crate) fn pool(&self) -> Option<&PoolAllocation> {
        match &self.memory {
            Memory::Pool(memory) => Some(memory),
            _ => None,
        }
    }

    fn host(&self) -> Option<HostView<'_>> {
        match &self.memory {
            Memory::Device(memory) => memory.host(),
            Memory::Host(memory) => Some(memory.host()),
            Memory::Registered(memory) => Some(memory.host()),
            Memory::Pool(_) | Memory::External(_) => None,
        }
    }
}

impl fmt::Debug for Allocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}[{} bytes", self.kind(), self.byte_size)?;
        if let Ok(ptr) = self.device_ptr() {
            write!(f, " at {ptr:?}")?;
        }
        f.write_str("]")
    }
}

/// What kind of memory an [`Allocation`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum BufferKind {
    /// The device's own, or managed.
    Device = 0,
    /// Page-locked memory of the host.
    Host = 1,
    /// The caller's host memory, registered.
    HostRegistered = 2,
    /// From a stream-ordered pool.
    Async = 3,
    /// Somebody else's device memory.
    External = 4,
}

/// The memory itself; dropping it frees it as its kind demands.
pub(crate) enum Memory {
    Device(DeviceMemory),
    Host(HostMemory),
    Registered(HostRegistration),
    Pool(PoolAllocation),
    External(DeviceRegion),
}

/// Device memory of the caller's, lent to us with a way to give it back. The
/// device checks accesses to it as any others.
pub struct DeviceRegion {
    ptr: DevicePtr,
    bytes: u64,
    release: Option<Box<dyn FnOnce() + Send + Sync>>,
}

impl DeviceRegion {
    /// Takes `bytes` bytes at `ptr`, which stay valid while this lives.
    pub fn new(ptr: DevicePtr, bytes: u64) -> Self {
        Self {
            ptr,
            bytes,
            release: None,
        }
    }

    /// Calls `release` exactly once, when the memory is no longer used.
    #[must_use]
    pub fn on_release(mut self, release: impl FnOnce() + Send + Sync + 'static) -> Self {
        self.release = Some(Box::new(release));
        self
    }

    /// Address of the first byte.
    pub fn device_ptr(&self) -> DevicePtr {
        self.ptr
    }

    /// Length in bytes.
    pub fn len(&self) -> u64 {
        self.bytes
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }
}

impl fmt::Debug for DeviceRegion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceRegion({:?}, {} bytes)", self.ptr, self.bytes)
    }
}

impl Drop for DeviceRegion {
    fn drop(&mut self) {
        if let Some(release) = self.release.take() {
            release();
        }
    }
}

struct DisplayLength(u64);

impl fmt::Display for DisplayLength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            WHOLE_BUFFER => f.write_str("\"to the end\""),
            length => write!(f, "{length}"),
        }
    }
}

fn denied<T: fmt::Debug>(what: &str, allowed: T, required: T) -> Status {
    Status::permission_denied(format!(
        "the buffer's {what} is {allowed:?}, this needs {required:?}"
    ))
}

/// A length of mapped memory, which is always within the host's address space.
fn host_length(length: u64) -> Result<usize> {
    usize::try_from(length)
        .map_err(|_| Status::out_of_range(format!("{length} bytes exceed the address space")))
}
