//! Blocks of memory that command buffers record into, used over and over.

use std::any::Any;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use hip::{Context, HostMallocFlags, HostMemory};

use crate::{Result, Status};

/// A device's free blocks. Cheap to clone, usable from any thread.
///
/// Two kinds of block have the same size in bytes. *Staging* blocks are pinned
/// memory that the device copies from: an [`Arena`](crate::Arena) places what
/// commands carry along in them. *Chunks* hold references: a
/// [`ResourceSet`](crate::ResourceSet) keeps alive with them what commands
/// use. Commands themselves are Rust values and live in a vector, not in
/// untyped memory.
///
/// Freed blocks go on a last-in-first-out list and the newest, still warm in
/// the caches, is handed out first. The list grows until [`BlockPool::trim`].
#[derive(Clone)]
pub struct BlockPool(Arc<Inner>);

struct Inner {
    context: Context,
    block_bytes: u64,
    staging: FreeList<HostMemory>,
    chunks: FreeList<Chunk>,
}

/// References to anything, up to a fixed count.
pub(crate) type Chunk = Vec<Arc<dyn Any + Send + Sync>>;

impl BlockPool {
    /// An empty pool of blocks with `block_bytes` bytes each, all of them usable.
    pub(crate) fn new(context: &Context, block_bytes: u64) -> Self {
        Self(Arc::new(Inner {
            context: context.clone(),
            block_bytes,
            staging: FreeList::default(),
            chunks: FreeList::default(),
        }))
    }

    /// Size of a block in bytes.
    pub fn block_bytes(&self) -> u64 {
        self.0.block_bytes
    }

    /// Releases all free blocks.
    pub fn trim(&self) {
        self.0.staging.clear();
        self.0.chunks.clear();
    }

    /// How many blocks are handed out, and how many are free.
    pub fn usage(&self) -> BlockUsage {
        let staging = self.0.staging.usage();
        let chunks = self.0.chunks.usage();
        BlockUsage {
            used: staging.used + chunks.used,
            free: staging.free + chunks.free,
        }
    }

    /// The same of the blocks that are pinned memory.
    pub(crate) fn staging_usage(&self) -> BlockUsage {
        self.0.staging.usage()
    }

    /// A staging block with undefined contents.
    pub(crate) fn acquire_staging(&self) -> Result<HostMemory> {
        self.0
            .staging
            .acquire(|| self.allocate_staging(self.0.block_bytes))
    }

    /// Pinned memory of any size, which does not come back to the pool.
    pub(crate) fn allocate_staging(&self, bytes: u64) -> Result<HostMemory> {
        HostMemory::new(&self.0.context, bytes, HostMallocFlags::DEFAULT).map_err(|error| {
            Status::from(error).context(format!("allocating {bytes} bytes to stage commands in"))
        })
    }

    /// Takes back staging blocks.
    pub(crate) fn release_staging(&self, blocks: &mut Vec<HostMemory>) {
        self.0.staging.release(blocks);
    }

    /// How many references a chunk holds.
    pub(crate) fn chunk_capacity(&self) -> usize {
        // Chunks of more than 65535 references would only waste memory.
        let reference = size_of::<Arc<dyn Any + Send + Sync>>() as u64;
        (self.0.block_bytes / reference).min(u64::from(u16::MAX)) as usize
    }

    /// An empty chunk.
    pub(crate) fn acquire_chunk(&self) -> Chunk {
        let capacity = self.chunk_capacity();
        let chunk: Result<Chunk> = self.0.chunks.acquire(|| Ok(Vec::with_capacity(capacity)));
        chunk.unwrap_or_else(|_| unreachable!("making a chunk does not fail"))
    }

    /// Takes back chunks, dropping the references they hold.
    pub(crate) fn release_chunks(&self, chunks: &mut Vec<Chunk>) {
        // Before the list is locked: dropping a reference can run anything.
        chunks.iter_mut().for_each(Vec::clear);
        self.0.chunks.release(chunks);
    }
}

impl fmt::Debug for BlockPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let BlockUsage { used, free } = self.usage();
        write!(
            f,
            "BlockPool({} bytes each, {used} used, {free} free)",
            self.0.block_bytes
        )
    }
}

/// How many blocks of a pool are where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockUsage {
    /// Handed out.
    pub used: u64,
    /// On the free list.
    pub free: u64,
}

struct FreeList<T> {
    free: Mutex<Vec<T>>,
    used: AtomicU64,
}

impl<T> Default for FreeList<T> {
    fn default() -> Self {
        Self {
            free: Mutex::default(),
            used: AtomicU64::new(0),
        }
    }
}

impl<T> FreeList<T> {
    fn acquire(&self, make: impl FnOnce() -> Result<T>) -> Result<T> {
        let recycled = self.lock(Vec::pop);
        let block = match recycled {
            Some(block) => block,
            None => make()?,
        };
        self.used.fetch_add(1, Ordering::Relaxed);
        Ok(block)
    }

    /// Takes all of `blocks` back at once.
    fn release(&self, blocks: &mut Vec<T>) {
        self.used.fetch_sub(blocks.len() as u64, Ordering::Relaxed);
        self.lock(|free| free.append(blocks));
    }

    fn clear(&self) {
        // Freed after the lock is open again: freeing can take long.
        let freed = self.lock(std::mem::take);
        drop(freed);
    }

    fn usage(&self) -> BlockUsage {
        BlockUsage {
            used: self.used.load(Ordering::Relaxed),
            free: self.lock(|free| free.len()) as u64,
        }
    }

    fn lock<R>(&self, f: impl FnOnce(&mut Vec<T>) -> R) -> R {
        f(&mut self.free.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
