//! Pinned memory for what commands carry along, given out front to back.

#[cfg(test)]
mod tests;

use std::fmt;

use hip::{DevicePtr, HostMemory};

use crate::{BlockPool, Result, Status};

/// Every allocation of an arena begins at a multiple of this many bytes.
const ALIGNMENT: u64 = 16;

/// Allocates by moving a mark through blocks of a [`BlockPool`]; frees
/// everything at once, when it is reset or dropped. For one thread at a time.
///
/// What does not fit the rest of the current block goes to a new block, and
/// the rest is wasted. What does not fit any block gets memory of its own,
/// which is freed, not pooled.
pub struct Arena {
    pool: BlockPool,
    blocks: Vec<HostMemory>,
    oversize: Vec<HostMemory>,
    /// First free byte of the last block.
    mark: u64,
    used_bytes: u64,
}

impl Arena {
    /// An empty arena; takes its first block when it needs one.
    pub fn new(pool: &BlockPool) -> Self {
        Self {
            pool: pool.clone(),
            blocks: Vec::new(),
            oversize: Vec::new(),
            mark: 0,
            used_bytes: 0,
        }
    }

    /// Copies `bytes` into the arena.
    pub fn stage(&mut self, bytes: &[u8]) -> Result<ArenaSlice> {
        let slice = self.allocate(bytes.len() as u64)?;
        self.write(&slice, 0, bytes)?;
        Ok(slice)
    }

    /// Reserves `bytes` bytes, aligned to 16, with undefined contents.
    pub fn allocate(&mut self, bytes: u64) -> Result<ArenaSlice> {
        self.allocate_aligned(bytes, ALIGNMENT)
    }

    /// Reserves `bytes` bytes at a multiple of `alignment`, a power of two.
    pub fn allocate_aligned(&mut self, bytes: u64, alignment: u64) -> Result<ArenaSlice> {
        if !alignment.is_power_of_two() {
            return Err(Status::invalid_argument(format!(
                "an alignment is a power of two, not {alignment}"
            )));
        }
        let alignment = alignment.max(ALIGNMENT);
        let too_large = || Status::resource_exhausted(format!("{bytes} bytes are too many"));
        // The rounded size decides: an exact fit must not run past the block.
        let rounded = bytes
            .checked_next_multiple_of(ALIGNMENT)
            .ok_or_else(too_large)?;
        if let Some(slice) = self.allocate_in_block(bytes, rounded, alignment) {
            return Ok(slice);
        }
        // A new block may begin anywhere; leave room to move up.
        let worst = rounded
            .checked_add(alignment - ALIGNMENT)
            .ok_or_else(too_large)?;
        if worst > self.pool.block_bytes() {
            return self.allocate_oversize(bytes, worst, alignment);
        }
        self.blocks.push(self.pool.acquire_staging()?);
        self.mark = 0;
        self.allocate_in_block(bytes, rounded, alignment)
            .ok_or_else(|| Status::internal("a fresh block has no room"))
    }

    /// Copies `bytes` into `slice` from its `offset` on.
    pub fn write(&self, slice: &ArenaSlice, offset: u64, bytes: &[u8]) -> Result<()> {
        let end = offset.checked_add(bytes.len() as u64);
        if end.is_none_or(|end| end > slice.bytes) {
            return Err(Status::out_of_range(format!(
                "{} bytes at {offset} of {}",
                bytes.len(),
                slice.bytes
            )));
        }
        let list = if slice.oversize {
            &self.oversize
        } else {
            &self.blocks
        };
        let memory = list.get(slice.block).ok_or_else(|| {
            Status::failed_precondition("the arena was reset since the slice was made")
        })?;
        Ok(memory.host().write(slice.offset + offset, bytes)?)
    }

    /// Bytes given out, rounded up, since the arena was new or reset.
    pub fn used_bytes(&self) -> u64 {
        self.used_bytes
    }

    /// Frees everything: blocks go back to the pool, the rest to the system.
    pub fn reset(&mut self) {
        self.oversize.clear();
        if !self.blocks.is_empty() {
            self.pool.release_staging(&mut self.blocks);
        }
        self.mark = 0;
        self.used_bytes = 0;
    }

    fn allocate_in_block(
        &mut self,
        bytes: u64,
        rounded: u64,
        alignment: u64,
    ) -> Option<ArenaSlice> {
        let block = self.blocks.last()?;
        let base = block.device_ptr();
        let offset = aligned_offset(base, self.mark, alignment)?;
        let end = offset.checked_add(rounded)?;
        if end > self.pool.block_bytes() {
            return None;
        }
        self.mark = end;
        self.used_bytes += rounded;
        Some(ArenaSlice {
            device_ptr: base.offset(offset),
            bytes,
            block: self.blocks.len() - 1,
            offset,
            oversize: false,
        })
    }

    fn allocate_oversize(&mut self, bytes: u64, worst: u64, alignment: u64) -> Result<ArenaSlice> {
        let memory = self.pool.allocate_staging(worst)?;
        let base = memory.device_ptr();
        let offset = aligned_offset(base, 0, alignment)
            .ok_or_else(|| Status::internal("memory at the end of the address space"))?;
        self.oversize.push(memory);
        self.used_bytes += worst;
        Ok(ArenaSlice {
            device_ptr: base.offset(offset),
            bytes,
            block: self.oversize.len() - 1,
            offset,
            oversize: true,
        })
    }
}

impl fmt::Debug for Arena {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Arena({} bytes in {} blocks and {} oversize)",
            self.used_bytes,
            self.blocks.len(),
            self.oversize.len()
        )
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        self.reset();
    }
}

/// Bytes of an arena. Only good until the arena is reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArenaSlice {
    device_ptr: DevicePtr,
    bytes: u64,
    block: usize,
    offset: u64,
    oversize: bool,
}

impl ArenaSlice {
    /// Where the device finds the first byte.
    pub fn device_ptr(&self) -> DevicePtr {
        self.device_ptr
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

/// Offset of the first byte at or after `mark` whose device address is aligned.
fn aligned_offset(base: DevicePtr, mark: u64, alignment: u64) -> Option<u64> {
    let address = base.0.checked_add(mark)?;
    Some(address.checked_next_multiple_of(alignment)? - base.0)
}
