//! What a running wave sees of memory: checked loads, stores and atomics.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::table::{Range, Table};
use super::transfer;
use super::{AllocationInfo, AllocationKind, Block, Nearest, Relation};
use crate::simd::{LANES, Row, Simd};

/// Ranges remembered from recent checks.
const RECENT: usize = 4;

/// Memory as one launch sees it: the allocations live when it began, and its
/// own arguments. Cheap to clone; each worker has one.
#[derive(Clone, Debug)]
pub(crate) struct View {
    table: Arc<Table>,
    kernarg: Arc<Block>,
    kernarg_bytes: u64,
    recent: [Window; RECENT],
    oldest: usize,
}

#[derive(Clone, Copy, Debug, Default)]
struct Window {
    start: u64,
    end: u64,
    writable: bool,
}

/// Which lanes access memory, and where: lane *i* at `base + offsets[i]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lanes<'a> {
    pub(crate) base: u64,
    pub(crate) offsets: &'a Row,
    /// One bit a lane.
    pub(crate) active: u32,
    /// The same as a row of masks.
    pub(crate) mask: &'a Row,
}

/// Lanes with at least one active, and the span of their offsets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spanned<'a> {
    pub(super) at: Lanes<'a>,
    pub(super) span: (u32, u32),
}

impl<'a> Lanes<'a> {
    /// Measures the active lanes; `None` if there are none.
    #[inline(always)]
    pub(crate) fn measure<S: Simd>(self) -> Option<Spanned<'a>> {
        (self.active != 0).then(|| Spanned {
            at: self,
            span: transfer::span::<S>(self),
        })
    }
}

impl Spanned<'_> {
    /// Greatest offset of an active lane.
    #[inline(always)]
    pub(crate) fn greatest(&self) -> u32 {
        self.span.1
    }
}

/// A refused access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AccessError {
    pub(crate) address: u64,
    pub(crate) bytes: u32,
    pub(crate) write: bool,
    pub(crate) lane: Option<u32>,
    pub(crate) reason: Reason,
}

/// Why an access was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    OutOfBounds,
    ReadOnly,
    Misaligned,
    Lds,
    Scratch,
}

impl View {
    /// A view of `table`, and of a read-only block of `kernarg_bytes` that
    /// `fill` writes, given its address. `None` if the host has no memory left.
    pub(crate) fn new(
        table: Arc<Table>,
        kernarg_bytes: usize,
        fill: impl FnOnce(u64, &mut [u8]),
    ) -> Option<View> {
        let block = Block::new(kernarg_bytes as u64)?;
        // SAFETY: the block is new, zeroed, that long, and not shared yet.
        let bytes = unsafe {
            std::slice::from_raw_parts_mut(block.address() as usize as *mut u8, kernarg_bytes)
        };
        fill(block.address(), bytes);
        Some(View {
            table,
            kernarg: Arc::new(block),
            kernarg_bytes: kernarg_bytes as u64,
            recent: [Window::default(); RECENT],
            oldest: 0,
        })
    }

    /// Address of the kernel arguments.
    pub(crate) fn kernarg_address(&self) -> u64 {
        self.kernarg.address()
    }

    /// What is close to a refused access.
    pub(crate) fn nearest(&self, address: u64, bytes: u32) -> Option<Nearest> {
        let base = self.kernarg.address();
        let near = base.saturating_sub(256)..base + self.kernarg_bytes + 256;
        if near.contains(&address) {
            let kind = AllocationKind::Kernarg;
            let allocation = AllocationInfo {
                base,
                bytes: self.kernarg_bytes,
                kind,
            };
            return Some(Nearest {
                allocation,
                relation: Relation::of(allocation, address, u64::from(bytes)),
            });
        }
        self.table
            .nearest(address, address.saturating_add(u64::from(bytes)))
    }

    /// Reads dwords for scalar registers.
    pub(crate) fn load_scalar(&mut self, address: u64, out: &mut [u32]) -> Result<(), AccessError> {
        let bytes = 4 * out.len() as u32;
        self.check(address, bytes, false, None)?;
        // SAFETY: just checked; `out` is ours.
        unsafe {
            std::ptr::copy_nonoverlapping(
                address as usize as *const u8,
                out.as_mut_ptr().cast(),
                bytes as usize,
            );
        }
        Ok(())
    }

    /// Loads one dword a lane into each of `N` (1 to 4) rows: consecutive dwords
    /// of a lane go to consecutive rows.
    #[inline(always)]
    pub(crate) fn load_span<S: Simd, const N: usize>(
        &mut self,
        Spanned { at, span }: Spanned<'_>,
        rows: &mut [Row],
    ) -> Result<(), AccessError> {
        let rows: &mut [Row; N] = (&mut rows[..N]).try_into().expect("N rows");
        if self.covers(at.base, span, 4 * N as u32, false) {
            // SAFETY: the whole span of the active lanes was found live, and
            // the view keeps it so; one lane is active.
            unsafe { transfer::load::<S, N>(at, span, rows) }
            return Ok(());
        }
        self.load_lanes::<N>(at, rows)
    }

    #[cold]
    fn load_lanes<const N: usize>(
        &mut self,
        at: Lanes<'_>,
        rows: &mut [Row; N],
    ) -> Result<(), AccessError> {
        self.each_lane(at, 4 * N as u32, false, |lane, address| {
            // SAFETY: `each_lane` checked the lane's bytes.
            let dwords = unsafe { (address as usize as *const [u32; N]).read_unaligned() };
            for (row, dword) in rows.iter_mut().zip(dwords) {
                row.lanes_mut()[lane] = dword;
            }
        })
    }

    /// Stores one dword a lane of each of `N` rows, as [`View::load_span`].
    #[inline(always)]
    pub(crate) fn store_span<S: Simd, const N: usize>(
        &mut self,
        Spanned { at, span }: Spanned<'_>,
        rows: &[Row],
    ) -> Result<(), AccessError> {
        let rows: &[Row; N] = rows[..N].try_into().expect("N rows");
        if self.covers(at.base, span, 4 * N as u32, true) {
            // SAFETY: as in `load_span`; the range is writable.
            unsafe { transfer::store::<S, N>(at, rows) }
            return Ok(());
        }
        self.store_lanes::<N>(at, rows)
    }

    #[cold]
    fn store_lanes<const N: usize>(
        &mut self,
        at: Lanes<'_>,
        rows: &[Row; N],
    ) -> Result<(), AccessError> {
        self.each_lane(at, 4 * N as u32, true, |lane, address| {
            let dwords: [u32; N] = std::array::from_fn(|j| rows[j].lanes()[lane]);
            // SAFETY: `each_lane` checked the lane's bytes.
            unsafe { (address as usize as *mut [u32; N]).write_unaligned(dwords) }
        })
    }

    /// Reads a dword for one lane.
    #[inline(always)]
    pub(crate) fn load_dword(&mut self, address: u64, lane: u32) -> Result<u32, AccessError> {
        self.check(address, 4, false, Some(lane))?;
        // SAFETY: just checked.
        Ok(unsafe { (address as usize as *const u32).read_unaligned() })
    }

    /// Writes a dword for one lane.
    #[inline(always)]
    pub(crate) fn store_dword(
        &mut self,
        address: u64,
        lane: u32,
        value: u32,
    ) -> Result<(), AccessError> {
        self.check(address, 4, true, Some(lane))?;
        // SAFETY: just checked.
        unsafe { (address as usize as *mut u32).write_unaligned(value) };
        Ok(())
    }

    /// Reads 1, 2 or 4 bytes for one lane, zero-extended.
    #[inline(always)]
    pub(crate) fn load_bytes(
        &mut self,
        address: u64,
        bytes: u32,
        lane: u32,
    ) -> Result<u32, AccessError> {
        self.check(address, bytes, false, Some(lane))?;
        let at = address as usize;
        // SAFETY: just checked.
        Ok(unsafe {
            match bytes {
                1 => u32::from((at as *const u8).read()),
                2 => u32::from((at as *const u16).read_unaligned()),
                _ => {
                    debug_assert_eq!(bytes, 4);
                    (at as *const u32).read_unaligned()
                }
            }
        })
    }

    /// Writes the low 1, 2 or 4 bytes of `value` for one lane.
    #[inline(always)]
    pub(crate) fn store_bytes(
        &mut self,
        address: u64,
        bytes: u32,
        lane: u32,
        value: u32,
    ) -> Result<(), AccessError> {
        self.check(address, bytes, true, Some(lane))?;
        let at = address as usize;
        // SAFETY: just checked.
        unsafe {
            match bytes {
                1 => (at as *mut u8).write(value as u8),
                2 => (at as *mut u16).write_unaligned(value as u16),
                _ => {
                    debug_assert_eq!(bytes, 4);
                    (at as *mut u32).write_unaligned(value);
                }
            }
        }
        Ok(())
    }

    /// Replaces the dword at `address` by `update` of it, atomically; returns
    /// the old value.
    pub(crate) fn atomic_32(
        &mut self,
        address: u64,
        lane: u32,
        update: impl Fn(u32) -> u32,
    ) -> Result<u32, AccessError> {
        self.check_atomic(address, 4, lane)?;
        // SAFETY: checked to be live, writable and aligned; plain accesses to
        // the same bytes are the guest program's race (see the parent).
        let cell = unsafe { AtomicU32::from_ptr(address as usize as *mut u32) };
        let mut old = cell.load(Ordering::Relaxed);
        while let Err(now) =
            cell.compare_exchange_weak(old, update(old), Ordering::AcqRel, Ordering::Relaxed)
        {
            old = now;
        }
        Ok(old)
    }

    /// As [`View::atomic_32`] for eight bytes.
    pub(crate) fn atomic_64(
        &mut self,
        address: u64,
        lane: u32,
        update: impl Fn(u64) -> u64,
    ) -> Result<u64, AccessError> {
        self.check_atomic(address, 8, lane)?;
        // SAFETY: as in `atomic_32`.
        let cell = unsafe { AtomicU64::from_ptr(address as usize as *mut u64) };
        let mut old = cell.load(Ordering::Relaxed);
        while let Err(now) =
            cell.compare_exchange_weak(old, update(old), Ordering::AcqRel, Ordering::Relaxed)
        {
            old = now;
        }
        Ok(old)
    }

    fn check_atomic(&mut self, address: u64, bytes: u32, lane: u32) -> Result<(), AccessError> {
        self.check(address, bytes, true, Some(lane))?;
        if address.is_multiple_of(u64::from(bytes)) {
            return Ok(());
        }
        let reason = Reason::Misaligned;
        Err(AccessError {
            address,
            bytes,
            write: true,
            lane: Some(lane),
            reason,
        })
    }

    /// Calls `access` with the number and address of each active lane, each
    /// checked before the first call of `access` on it.
    #[inline(always)]
    fn each_lane(
        &mut self,
        at: Lanes<'_>,
        bytes: u32,
        write: bool,
        mut access: impl FnMut(usize, u64),
    ) -> Result<(), AccessError> {
        let offsets = at.offsets.lanes();
        let mut left = at.active;
        while left != 0 {
            let lane = left.trailing_zeros() as usize % LANES;
            left &= left - 1;
            let address = at.base.wrapping_add(u64::from(offsets[lane]));
            self.check(address, bytes, write, Some(lane as u32))?;
            access(lane, address);
        }
        Ok(())
    }

    /// Can all bytes be accessed from the least offset behind `base` to `bytes`
    /// behind the greatest?
    #[inline(always)]
    pub(super) fn covers(
        &mut self,
        base: u64,
        (least, greatest): (u32, u32),
        bytes: u32,
        write: bool,
    ) -> bool {
        let start = base.wrapping_add(u64::from(least));
        let end = base
            .wrapping_add(u64::from(greatest))
            .wrapping_add(u64::from(bytes));
        start < end && self.allows(start, end, write)
    }

    #[inline(always)]
    fn allows(&mut self, start: u64, end: u64, write: bool) -> bool {
        let fits = |window: &Window| {
            start >= window.start && end <= window.end && (window.writable || !write)
        };
        self.recent.iter().any(fits) || self.find(start, end, write)
    }

    #[inline(never)]
    fn find(&mut self, start: u64, end: u64, write: bool) -> bool {
        let window = if let Some(index) = self.table.find(start, end) {
            let Range {
                start,
                end,
                writable,
                ..
            } = self.table.ranges()[index];
            Window {
                start,
                end,
                writable,
            }
        } else {
            let first = self.kernarg.address();
            Window {
                start: first,
                end: first + self.kernarg_bytes,
                writable: false,
            }
        };
        if start < window.start || end > window.end {
            return false;
        }
        self.recent[self.oldest] = window;
        self.oldest = (self.oldest + 1) % RECENT;
        window.writable || !write
    }

    #[inline(always)]
    fn check(
        &mut self,
        address: u64,
        bytes: u32,
        write: bool,
        lane: Option<u32>,
    ) -> Result<(), AccessError> {
        let end = address.wrapping_add(u64::from(bytes));
        if address < end && self.allows(address, end, write) {
            return Ok(());
        }
        Err(self.refuse(address, bytes, write, lane))
    }

    #[cold]
    fn refuse(&mut self, address: u64, bytes: u32, write: bool, lane: Option<u32>) -> AccessError {
        let end = address.saturating_add(u64::from(bytes));
        let readable = address < end && self.allows(address, end, false);
        let reason = if readable {
            Reason::ReadOnly
        } else {
            Reason::OutOfBounds
        };
        AccessError {
            address,
            bytes,
            write,
            lane,
            reason,
        }
    }
}

#[inline(always)]
pub(super) fn widen<const B: usize>(bytes: [u8; B]) -> u32 {
    let mut wide = [0; 4];
    wide[..B].copy_from_slice(&bytes);
    u32::from_le_bytes(wide)
}

#[inline(always)]
pub(super) fn narrow<const B: usize>(value: u32) -> [u8; B] {
    value.to_le_bytes()[..B].try_into().expect("B is 1 to 4")
}
