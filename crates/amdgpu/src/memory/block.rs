//! One piece of host memory that serves as device memory.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ptr::NonNull;

/// Unused bytes kept behind (and, by alignment, before) every allocation, so
/// that a small overrun meets no neighbour.
pub(crate) const GUARD_BYTES: u64 = 256;

/// Alignment of every device allocation.
pub(crate) const ALIGNMENT: u64 = 256;

/// Large blocks start on a page.
const PAGE_BYTES: u64 = 4096;

/// Host memory behind one or more table ranges.
///
/// Tables and running launches share it by `Arc`: memory that the program
/// frees while a kernel is still running is returned to the host only when
/// that kernel has ended.
#[derive(Debug)]
pub(crate) struct Block {
    start: NonNull<u8>,
    /// `None` for memory that belongs to someone else (registered).
    layout: Option<Layout>,
}

// SAFETY: a block is an address and a size; the bytes behind it are only ever
// touched through raw pointers by `super`, which documents the race rules.
unsafe impl Send for Block {}
// SAFETY: as above; no `&self` method reads or writes the bytes.
unsafe impl Sync for Block {}

impl Block {
    /// Zeroed memory with a guard behind it, or `None` if the host has no more.
    pub(crate) fn new(bytes: u64) -> Option<Block> {
        let align = if bytes >= PAGE_BYTES {
            PAGE_BYTES
        } else {
            ALIGNMENT
        };
        let padded = bytes.checked_add(2 * GUARD_BYTES)?;
        let layout = Layout::from_size_align(usize::try_from(padded).ok()?, align as usize).ok()?;
        // SAFETY: the layout is never of size zero: the guard is in it.
        let start = NonNull::new(unsafe { alloc_zeroed(layout) })?;
        Some(Block {
            start,
            layout: Some(layout),
        })
    }

    /// Memory of someone else.
    pub(crate) fn foreign(address: u64) -> Option<Block> {
        Some(Block {
            start: NonNull::new(address as usize as *mut u8)?,
            layout: None,
        })
    }

    /// Device address of the first byte.
    pub(crate) fn address(&self) -> u64 {
        self.start.as_ptr() as usize as u64
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        if let Some(layout) = self.layout {
            // SAFETY: `start` came from `alloc_zeroed` with this layout.
            unsafe { dealloc(self.start.as_ptr(), layout) }
        }
    }
}
