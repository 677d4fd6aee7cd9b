//! Device memory: host memory in a registry of live allocations.
//!
//! A device address is the host address of the byte, as HIP's unified
//! addressing allows. Every access, by the host API or by a kernel, is checked
//! against the registry first, so a wild address is a report and never a crash.
//!
//! # Races
//!
//! The bytes of device memory are never behind a Rust reference: they are only
//! read and written through raw pointers in this module and its children.
//! Kernels on several workers, and the host API beside them, may touch the same
//! bytes at once, just as on a GPU; a program that does so without atomics gets
//! unspecified *bytes*, as it would there. Device atomics use host atomics.

mod block;
mod group;
mod lds;
mod table;
mod transfer;
mod view;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crate::observe::Shadow;
pub(crate) use block::Block;
pub(crate) use group::{Form, Group, Offsets, Places};
pub(crate) use lds::Lds;
pub(crate) use table::{Range, Table};
pub(crate) use view::{AccessError, Lanes, Reason, View};

/// The registry of live device allocations.
///
/// Shareable between threads. Allocation and release take a short lock; checks
/// of running kernels use a snapshot that keeps its memory alive.
#[derive(Debug)]
pub struct Memory {
    table: RwLock<Arc<Table>>,
    budget_bytes: u64,
    live_bytes: AtomicU64,
    peak_bytes: AtomicU64,
    /// What of device memory was written, if somebody wants to know.
    shadow: Option<Shadow>,
}

/// What an allocation is for; shown in reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AllocationKind {
    /// Device memory.
    Device,
    /// Host memory that the device reaches.
    Host,
    /// Memory both sides use without copies.
    Managed,
    /// Memory of the host program, registered.
    Registered,
    /// A segment of a loaded code object.
    Code,
    /// The arguments of a running kernel.
    Kernarg,
}

impl fmt::Display for AllocationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            AllocationKind::Device => "device",
            AllocationKind::Host => "host",
            AllocationKind::Managed => "managed",
            AllocationKind::Registered => "registered host",
            AllocationKind::Code => "code",
            AllocationKind::Kernarg => "kernel argument",
        })
    }
}

/// Where an allocation is and what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllocationInfo {
    /// Address of the first byte.
    pub base: u64,
    /// Size in bytes.
    pub bytes: u64,
    /// What it is for.
    pub kind: AllocationKind,
}

/// How much memory is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryUsage {
    /// Bytes allocated and not freed; registered host memory is not counted.
    pub live_bytes: u64,
    /// The most that `live_bytes` has been.
    pub peak_bytes: u64,
    /// Ranges in the registry, registered host memory and code included.
    pub allocations: usize,
}

/// The allocation closest to a bad access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nearest {
    /// The allocation.
    pub allocation: AllocationInfo,
    /// Where the access lies relative to it.
    pub relation: Relation,
}

/// Where an access lies relative to an allocation; all figures in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// Starts this far before the first byte.
    Before {
        /// From the access to the first byte.
        distance: u64,
    },
    /// Starts this far behind the last byte.
    After {
        /// From the end of the allocation to the access.
        distance: u64,
    },
    /// Starts inside.
    Inside {
        /// From the base to the access.
        offset: u64,
        /// How far the access reaches past the end; zero if it does not.
        overrun: u64,
    },
    /// Starts inside memory that has been freed.
    Freed {
        /// From the base to the access.
        offset: u64,
    },
}

impl Relation {
    /// Where `bytes` at `address` lie relative to a live allocation.
    pub(crate) fn of(allocation: AllocationInfo, address: u64, bytes: u64) -> Relation {
        let end = allocation.base + allocation.bytes;
        if address < allocation.base {
            Relation::Before {
                distance: allocation.base - address,
            }
        } else if address >= end {
            Relation::After {
                distance: address - end,
            }
        } else {
            let overrun = address.saturating_add(bytes).saturating_sub(end);
            Relation::Inside {
                offset: address - allocation.base,
                overrun,
            }
        }
    }

    pub(crate) fn distance(self) -> u64 {
        match self {
            Relation::Before { distance } | Relation::After { distance } => distance,
            Relation::Inside { .. } | Relation::Freed { .. } => 0,
        }
    }
}

impl fmt::Display for Relation {
    /// What the name of the allocation completes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Relation::Before { distance } => write!(f, "{distance} bytes before"),
            Relation::After { distance } => write!(f, "{distance} bytes past the end of"),
            Relation::Inside { offset, overrun: 0 } | Relation::Freed { offset } => {
                write!(f, "at offset {offset} of")
            }
            Relation::Inside { offset, overrun } => write!(
                f,
                "at offset {offset}, reaching {overrun} bytes past the end, of"
            ),
        }
    }
}

impl Nearest {
    /// Does the access lie in memory that has been freed?
    pub(crate) fn is_freed(&self) -> bool {
        matches!(self.relation, Relation::Freed { .. })
    }
}

impl fmt::Display for Nearest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AllocationInfo { base, bytes, kind } = self.allocation;
        let article = if self.is_freed() { "a FREED" } else { "the" };
        write!(
            f,
            "{} {article} {kind} allocation of {bytes} bytes at {base:#x}",
            self.relation
        )
    }
}

/// There is not enough device memory.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "out of device memory: {requested_bytes} bytes requested, {live_bytes} of {budget_bytes} bytes in use"
)]
pub struct OutOfMemory {
    /// What was asked for.
    pub requested_bytes: u64,
    /// What is in use.
    pub live_bytes: u64,
    /// What there is.
    pub budget_bytes: u64,
}

/// A range cannot be freed, registered or unregistered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MemoryError {
    /// No allocation starts at the address.
    #[error("{address:#x} is not the start of a live allocation{}", describe(.nearest))]
    NotAnAllocation {
        /// The address given.
        address: u64,
        /// What is close to it.
        nearest: Option<Nearest>,
    },
    /// The range is empty, wraps around, or overlaps a live allocation.
    #[error("{bytes} bytes at {address:#x} cannot be registered: {reason}")]
    BadRange {
        /// First byte.
        address: u64,
        /// Size.
        bytes: u64,
        /// What is wrong.
        reason: &'static str,
    },
}

/// A host access to device memory missed the live allocations.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{bytes} bytes at {address:#x} are not device memory{}", describe(.nearest))]
pub struct MemoryFault {
    /// First byte.
    pub address: u64,
    /// Size.
    pub bytes: u64,
    /// What is close to it.
    pub nearest: Option<Nearest>,
}

fn describe(nearest: &Option<Nearest>) -> String {
    match nearest {
        Some(nearest) => format!(": {nearest}"),
        None => ": there are no allocations".to_owned(),
    }
}

impl Memory {
    /// An empty registry that hands out up to `budget_bytes`.
    pub fn new(budget_bytes: u64) -> Memory {
        Memory {
            table: RwLock::new(Arc::new(Table::default())),
            budget_bytes,
            live_bytes: AtomicU64::new(0),
            peak_bytes: AtomicU64::new(0),
            shadow: None,
        }
    }

    /// The same, which keeps in mind what of its device memory was written.
    pub(crate) fn shadowed(budget_bytes: u64) -> Memory {
        Memory {
            shadow: Some(Shadow::default()),
            ..Memory::new(budget_bytes)
        }
    }

    /// What of device memory was written, if that is kept in mind.
    pub(crate) fn shadow(&self) -> Option<&Shadow> {
        self.shadow.as_ref()
    }

    /// Does an observer keep in mind what is written? Then there is sense in
    /// [`Memory::discard`].
    pub fn is_observed(&self) -> bool {
        self.shadow.is_some()
    }

    /// Says that what is in `bytes` at `address` means nothing any more: an
    /// observer takes it as never written, until it is again.
    pub fn discard(&self, address: u64, bytes: u64) {
        if let Some(shadow) = &self.shadow {
            shadow.discarded(address, bytes);
        }
    }

    /// Allocates `bytes` of zeroed memory, aligned to 256 bytes at least, and
    /// returns its address.
    ///
    /// # Errors
    /// The budget or the host has no more.
    pub fn alloc(&self, bytes: u64, kind: AllocationKind) -> Result<u64, OutOfMemory> {
        let refuse = |live_bytes| OutOfMemory {
            requested_bytes: bytes,
            live_bytes,
            budget_bytes: self.budget_bytes,
        };
        let live = self
            .live_bytes
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |live| {
                live.checked_add(bytes)
                    .filter(|&sum| sum <= self.budget_bytes)
            })
            .map_err(refuse)?;
        let Some(block) = Block::new(bytes) else {
            self.live_bytes.fetch_sub(bytes, Ordering::Relaxed);
            return Err(refuse(live));
        };
        self.peak_bytes.fetch_max(live + bytes, Ordering::Relaxed);
        let start = block.address();
        let range = Range {
            start,
            end: start + bytes,
            kind,
            writable: true,
            block: Arc::new(block),
        };
        let fresh = self.change(|table| table.insert(range));
        assert!(
            fresh,
            "the host allocator returned memory that is in use at {start:#x}"
        );
        if let (Some(shadow), AllocationKind::Device) = (&self.shadow, kind) {
            shadow.track(start, bytes);
        }
        Ok(start)
    }

    /// Frees what [`Memory::alloc`] returned. Launches that are still running
    /// keep the host memory, not the right to access it, until they end.
    ///
    /// # Errors
    /// No allocation starts at `address`, or it was not made by `alloc`.
    pub fn free(&self, address: u64) -> Result<(), MemoryError> {
        self.remove(address, |kind| kind != AllocationKind::Registered)
            .map(|range| {
                if let Some(shadow) = &self.shadow {
                    shadow.untrack(range.start);
                }
                self.live_bytes
                    .fetch_sub(range.end - range.start, Ordering::Relaxed);
            })
    }

    /// Makes `bytes` of the host program's own memory at `address` accessible.
    ///
    /// # Errors
    /// The range is empty, wraps around, or overlaps a live allocation.
    ///
    /// # Safety
    /// The range must stay valid for reads and writes until it is unregistered
    /// and every launch and copy begun before that has ended. While the device
    /// uses it, the host must not hold references to it.
    pub unsafe fn register(
        &self,
        address: u64,
        bytes: u64,
        kind: AllocationKind,
    ) -> Result<(), MemoryError> {
        let refuse = |reason| MemoryError::BadRange {
            address,
            bytes,
            reason,
        };
        let end = address
            .checked_add(bytes)
            .ok_or(refuse("it wraps around"))?;
        let block = Block::foreign(address).ok_or(refuse("it starts at null"))?;
        if bytes == 0 {
            return Err(refuse("it is empty"));
        }
        let kind = match kind {
            AllocationKind::Device | AllocationKind::Code | AllocationKind::Kernarg => {
                return Err(refuse("host memory cannot be registered as this kind"));
            }
            AllocationKind::Host | AllocationKind::Managed | AllocationKind::Registered => {
                AllocationKind::Registered
            }
        };
        let range = Range {
            start: address,
            end,
            kind,
            writable: true,
            block: Arc::new(block),
        };
        if self.change(|table| table.insert(range)) {
            Ok(())
        } else {
            Err(refuse("it overlaps a live allocation"))
        }
    }

    /// Takes back what [`Memory::register`] gave.
    ///
    /// # Errors
    /// No registered range starts at `address`.
    pub fn unregister(&self, address: u64) -> Result<(), MemoryError> {
        self.remove(address, |kind| kind == AllocationKind::Registered)
            .map(drop)
    }

    /// Reads `dst.len()` bytes at `address`.
    ///
    /// # Errors
    /// The range is not inside one live allocation.
    pub fn read(&self, address: u64, dst: &mut [u8]) -> Result<(), MemoryFault> {
        let _table = self.checked(address, dst.len() as u64)?;
        // SAFETY: the range was just found live and the table in hand keeps it
        // so; `dst` is ours alone, and host memory that is registered is not
        // borrowed by the contract of `register`.
        unsafe {
            std::ptr::copy_nonoverlapping(
                address as usize as *const u8,
                dst.as_mut_ptr(),
                dst.len(),
            );
        }
        Ok(())
    }

    /// Writes `src` at `address`.
    ///
    /// # Errors
    /// The range is not inside one live allocation.
    pub fn write(&self, address: u64, src: &[u8]) -> Result<(), MemoryFault> {
        let _table = self.checked(address, src.len() as u64)?;
        // SAFETY: as in `read`, the other way.
        unsafe {
            std::ptr::copy_nonoverlapping(src.as_ptr(), address as usize as *mut u8, src.len());
        }
        self.wrote(address, src.len() as u64);
        Ok(())
    }

    /// Writes `count` copies of `pattern` at `address`.
    ///
    /// # Errors
    /// The range is not inside one live allocation.
    pub fn fill(&self, address: u64, pattern: &[u8], count: u64) -> Result<(), MemoryFault> {
        let bytes = (pattern.len() as u64).saturating_mul(count);
        let _table = self.checked(address, bytes)?;
        self.wrote(address, bytes);
        let dst = address as usize as *mut u8;
        if let [byte] = *pattern {
            // SAFETY: the range was just found live and the table keeps it so.
            unsafe { std::ptr::write_bytes(dst, byte, bytes as usize) };
            return Ok(());
        }
        let mut done = 0_usize;
        let total = bytes as usize;
        while done < total {
            // Doubling: what has been written is the source of the rest.
            let step = if done == 0 {
                pattern.len()
            } else {
                done.min(total - done)
            };
            let src = if done == 0 {
                pattern.as_ptr()
            } else {
                dst.cast_const()
            };
            // SAFETY: `done + step <= total`, all inside the live range; the
            // source is the pattern or the part already written, before `dst + done`.
            unsafe { std::ptr::copy_nonoverlapping(src, dst.add(done), step) };
            done += step;
        }
        Ok(())
    }

    /// Copies `bytes` from `src` to `dst`; the ranges may overlap.
    ///
    /// # Errors
    /// A range is not inside one live allocation.
    pub fn copy(&self, dst: u64, src: u64, bytes: u64) -> Result<(), MemoryFault> {
        let _src_table = self.checked(src, bytes)?;
        let _dst_table = self.checked(dst, bytes)?;
        // SAFETY: both ranges were found live and the tables keep them so.
        unsafe {
            std::ptr::copy(
                src as usize as *const u8,
                dst as usize as *mut u8,
                bytes as usize,
            );
        }
        if let Some(shadow) = &self.shadow {
            shadow.copied(dst, src, bytes);
        }
        Ok(())
    }

    fn wrote(&self, address: u64, bytes: u64) {
        if let Some(shadow) = &self.shadow {
            shadow.wrote(address, bytes);
        }
    }

    /// The live allocation that holds `address`.
    pub fn allocation(&self, address: u64) -> Option<AllocationInfo> {
        self.snapshot().at(address)
    }

    /// How much memory is in use.
    pub fn usage(&self) -> MemoryUsage {
        MemoryUsage {
            live_bytes: self.live_bytes.load(Ordering::Relaxed),
            peak_bytes: self.peak_bytes.load(Ordering::Relaxed),
            allocations: self.snapshot().ranges().len(),
        }
    }

    /// The most that can be allocated, in bytes.
    pub fn budget_bytes(&self) -> u64 {
        self.budget_bytes
    }

    /// The live ranges of this moment.
    pub(crate) fn snapshot(&self) -> Arc<Table> {
        self.table
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Adds ranges that share one block (the segments of a code object).
    pub(crate) fn adopt(&self, ranges: Vec<Range>) {
        for range in ranges {
            let start = range.start;
            let fresh = self.change(|table| table.insert(range));
            assert!(fresh, "a new block overlaps a live range at {start:#x}");
        }
    }

    /// Removes ranges that `adopt` added.
    pub(crate) fn disown(&self, starts: &[u64]) {
        for &start in starts {
            self.change(|table| table.starting_at(start).map(|index| table.remove(index)));
        }
    }

    fn remove(
        &self,
        address: u64,
        accepts: impl Fn(AllocationKind) -> bool,
    ) -> Result<Range, MemoryError> {
        self.change(|table| {
            let index = table
                .starting_at(address)
                .filter(|&index| {
                    let kind = table.ranges()[index].kind;
                    kind != AllocationKind::Code && accepts(kind)
                })
                .ok_or_else(|| MemoryError::NotAnAllocation {
                    address,
                    nearest: table.nearest(address, address),
                })?;
            Ok(table.remove(index))
        })
    }

    fn change<T>(&self, edit: impl FnOnce(&mut Table) -> T) -> T {
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        edit(Arc::make_mut(&mut table))
    }

    /// A table that holds the range live for as long as it is held itself.
    fn checked(&self, address: u64, bytes: u64) -> Result<Arc<Table>, MemoryFault> {
        let table = self.snapshot();
        let end = address.saturating_add(bytes);
        if bytes == 0 || table.find(address, end).is_some() {
            return Ok(table);
        }
        Err(MemoryFault {
            address,
            bytes,
            nearest: table.nearest(address, end),
        })
    }
}
