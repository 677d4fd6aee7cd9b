//! Stream-ordered memory: pools whose blocks are allocated and freed by queues.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hip::{Code, Context, DevicePtr, Issue, MemPool, MemPoolAttribute, PoolMemory, Stream};

use crate::allocator::{BufferParams, not_allocated};
use crate::buffer::{Allocation, Memory};
use crate::flags::MemoryType;
use crate::ledger::{Entry, Figures, Ledger, Owner, Source};
use crate::params::PoolParams;
use crate::{Buffer, DeviceParams, Result, Status};

/// The two pools of a device: one for device-local memory, one for the rest.
///
/// Memory of either is device memory, so a pooled buffer is never mapped.
pub(crate) struct Pools {
    device_local: Arc<Pool>,
    other: Arc<Pool>,
}

impl Pools {
    /// Creates both pools; if the second fails the first is destroyed.
    /// Memory that is dropped is freed in the order of `stream`.
    pub(crate) fn new(
        context: &Context,
        stream: &Arc<Stream>,
        params: &DeviceParams,
        ledger: &Arc<Ledger>,
    ) -> Result<Self> {
        let pool = |params, source| Pool::new(context, stream, params, source, ledger);
        let device_local = pool(params.device_local_pool, Source::DevicePool)
            .map_err(|status| status.context("creating the device-local memory pool"))?;
        let other = pool(params.other_pool, Source::OtherPool)
            .map_err(|status| status.context("creating the memory pool for other memory"))?;
        Ok(Self {
            device_local: Arc::new(device_local),
            other: Arc::new(other),
        })
    }

    /// A buffer without memory: `params` are resolved, `byte_size` is at least 1.
    /// [`Pools::commit`] gives it memory.
    pub(crate) fn reserve(&self, params: &BufferParams, byte_size: u64) -> Result<Buffer> {
        let pool = if params.memory_type.contains(MemoryType::DEVICE_LOCAL) {
            &self.device_local
        } else {
            &self.other
        };
        let memory = PoolAllocation {
            address: AtomicU64::new(0),
            state: Mutex::new(State::Reserved),
            pool: pool.clone(),
            byte_size,
            owner: params.owner,
        };
        let allocation = Allocation::new(Memory::Pool(memory), byte_size, params, None);
        Buffer::new(allocation, byte_size)
    }

    /// Returns free memory to the system, down to each pool's minimum capacity.
    pub(crate) fn trim(&self) -> Result<()> {
        for pool in [&self.device_local, &self.other] {
            pool.release_kept(&pool.stream.issue()?);
            pool.memory.trim_to(pool.minimum_capacity)?;
        }
        Ok(())
    }

    /// What the pool of a name keeps beside so many bytes that are in use; 0
    /// if there is no such pool.
    pub(crate) fn kept_bytes(&self, name: &str, live: u64) -> u64 {
        let mut pools = [&self.device_local, &self.other].into_iter();
        let pool = pools.find(|pool| pool.source.name() == name);
        pool.map_or(0, |pool| pool.kept_beside(live))
    }
}

impl fmt::Debug for Pools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Pools({:?}, {:?})",
            self.device_local.memory, self.other.memory
        )
    }
}

/// What a pool has handed out so far, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolStatistics {
    /// Allocated since the pool was made.
    pub bytes_allocated: u64,
    /// Freed since the pool was made.
    pub bytes_freed: u64,
    /// Most ever in use at one time.
    pub bytes_peak: u64,
}

impl PoolStatistics {
    pub(crate) fn new(figures: Figures) -> Self {
        Self {
            bytes_allocated: figures.allocated,
            bytes_freed: figures.allocated - figures.live,
            bytes_peak: figures.peak,
        }
    }
}

struct Pool {
    /// What later work of `stream` gets without asking the driver. Before
    /// `memory`: blocks are freed before their pool is destroyed.
    kept: Mutex<Kept>,
    /// Most that is kept, and the largest block.
    kept_bytes: u64,
    memory: MemPool,
    stream: Arc<Stream>,
    minimum_capacity: u64,
    source: Source,
    ledger: Arc<Ledger>,
}

impl Pool {
    fn new(
        context: &Context,
        stream: &Arc<Stream>,
        params: PoolParams,
        source: Source,
        ledger: &Arc<Ledger>,
    ) -> Result<Self> {
        // Where accesses are checked, memory that is used after it was freed
        // must not be there any more.
        let is_checked = context.device().provider().checks_memory;
        Ok(Self {
            kept: Mutex::default(),
            kept_bytes: if is_checked { 0 } else { KEPT_BYTES },
            memory: MemPool::new(context, params.release_threshold)?,
            stream: stream.clone(),
            minimum_capacity: params.minimum_capacity,
            source,
            ledger: ledger.clone(),
        })
    }

    /// Memory in the order of the issuing stream.
    fn allocate(&self, issue: &Issue<'_>, bytes: u64) -> hip::Result<PoolMemory> {
        let is_own = issue.is_of(&self.stream);
        if is_own && let Some(block) = self.kept().take(bytes) {
            return Ok(block);
        }
        match self.memory.allocate(issue, bytes) {
            Err(error) if error.code == Code::OUT_OF_MEMORY && is_own => {
                // What is kept comes first, then nothing is left to do.
                match self.release_kept(issue) {
                    true => self.memory.allocate(issue, bytes),
                    false => Err(error),
                }
            }
            result => result,
        }
    }

    /// Takes memory back in the order of the issuing stream; what the driver
    /// does not take is handed back.
    fn free(
        &self,
        issue: &Issue<'_>,
        memory: PoolMemory,
    ) -> std::result::Result<(), (PoolMemory, hip::Error)> {
        if !issue.is_of(&self.stream) || !self.has_room_for(&memory) {
            return memory.free(issue);
        }
        let oldest = self.kept().put(memory, self.kept_bytes);
        if let Some(oldest) = oldest {
            // What could not be freed in order is freed when it drops.
            let _dropped = oldest.free(issue);
        }
        Ok(())
    }

    /// Takes memory back that no work uses any more.
    fn give_back(&self, memory: PoolMemory) {
        let freed = match self.has_room_for(&memory) {
            true => self.kept().put(memory, self.kept_bytes),
            false => Some(memory),
        };
        // Nobody has to wait for the device. Memory that could not be freed
        // like that is when it drops.
        if let Some(memory) = freed
            && let Ok(issue) = self.stream.issue()
        {
            let _dropped = memory.free(&issue);
        }
    }

    /// Gives what is kept back to the driver; whether there was any.
    fn release_kept(&self, issue: &Issue<'_>) -> bool {
        let blocks = self.kept().empty();
        let any = !blocks.is_empty();
        for block in blocks {
            // What could not be freed in order is freed when it drops.
            let _dropped = block.free(issue);
        }
        any
    }

    fn has_room_for(&self, block: &PoolMemory) -> bool {
        block.len() <= KEPT_BLOCK_BYTES.min(self.kept_bytes)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Free memory beside what is in use: ours, and the driver's.
    fn kept_beside(&self, live: u64) -> u64 {
        let own = self.kept().bytes;
        let reserved = self.memory.attribute(MemPoolAttribute::ReservedMemCurrent);
        own.max(reserved.unwrap_or(0).saturating_sub(live))
    }
}

/// Most that a pool keeps besides what the driver does, and the largest block.
const KEPT_BYTES: u64 = 32 << 20;
const KEPT_BLOCK_BYTES: u64 = 1 << 20;
const KEPT_BLOCKS: usize = 64;

/// Blocks freed in the order of one stream, oldest first. Whatever comes later
/// on that stream may have them at once. Small ones only: what is large is
/// worked on for longer than it takes to ask the driver.
#[derive(Default)]
struct Kept {
    blocks: VecDeque<PoolMemory>,
    bytes: u64,
}

impl Kept {
    /// The newest block of exactly this size.
    fn take(&mut self, bytes: u64) -> Option<PoolMemory> {
        let at = self.blocks.iter().rposition(|block| block.len() == bytes)?;
        self.bytes -= bytes;
        self.blocks.remove(at)
    }

    /// Keeps a block; the oldest goes if there are too many then.
    fn put(&mut self, block: PoolMemory, most_bytes: u64) -> Option<PoolMemory> {
        self.bytes += block.len();
        self.blocks.push_back(block);
        if self.bytes <= most_bytes && self.blocks.len() <= KEPT_BLOCKS {
            return None;
        }
        let oldest = self.blocks.pop_front()?;
        self.bytes -= oldest.len();
        Some(oldest)
    }

    fn empty(&mut self) -> VecDeque<PoolMemory> {
        self.bytes = 0;
        std::mem::take(&mut self.blocks)
    }
}

/// Memory of a pool, from the time it is promised to the time it is freed.
pub(crate) struct PoolAllocation {
    /// The device address, 0 while there is none.
    address: AtomicU64,
    state: Mutex<State>,
    // After `state`: memory is freed before its pool can be destroyed.
    pool: Arc<Pool>,
    byte_size: u64,
    owner: Owner,
}

enum State {
    Reserved,
    Live(PoolMemory, Entry),
    Freed,
    Failed(Status),
}

impl State {
    /// The address, or why there is none.
    fn device_ptr(&self) -> Result<DevicePtr> {
        match self {
            Self::Live(memory, _) => Ok(memory.device_ptr()),
            Self::Reserved => Err(Status::failed_precondition(
                "the buffer has no memory yet: its allocation waits in a queue",
            )),
            Self::Freed => Err(Status::failed_precondition(
                "the buffer was deallocated by a queue",
            )),
            Self::Failed(status) => Err(status.clone()),
        }
    }
}

impl PoolAllocation {
    pub(crate) fn device_ptr(&self) -> Result<DevicePtr> {
        match self.address.load(Ordering::Acquire) {
            0 => self.state().device_ptr(),
            address => Ok(DevicePtr(address)),
        }
    }

    /// Allocates the memory in the order of the issuing stream.
    /// `FAILED_PRECONDITION` unless it is the first time.
    pub(crate) fn commit(&self, issue: &Issue<'_>) -> Result<()> {
        let mut state = self.state();
        if !matches!(*state, State::Reserved) {
            return Err(Status::failed_precondition(
                "the buffer was allocated before",
            ));
        }
        match self.pool.allocate(issue, self.byte_size) {
            Ok(memory) => {
                self.address.store(memory.device_ptr().0, Ordering::Release);
                let Pool { ledger, source, .. } = &*self.pool;
                let entry = Entry::new(ledger, *source, self.owner, self.byte_size);
                *state = State::Live(memory, entry);
                Ok(())
            }
            Err(error) => {
                let what = format!("allocating {} bytes from a memory pool", self.byte_size);
                let status = not_allocated(error, what, &self.pool.ledger);
                *state = State::Failed(status.clone());
                Err(status)
            }
        }
    }

    /// Gives up on memory that was never allocated: whoever asks for its
    /// address learns why.
    pub(crate) fn fail(&self, status: Status) {
        let mut state = self.state();
        if matches!(*state, State::Reserved) {
            *state = State::Failed(status);
        }
    }

    /// Frees the memory in the order of the issuing stream. If that fails it
    /// is still ours and is freed when the buffer drops.
    pub(crate) fn free(&self, issue: &Issue<'_>) -> Result<()> {
        let mut state = self.state();
        match std::mem::replace(&mut *state, State::Freed) {
            State::Live(memory, entry) => match self.pool.free(issue, memory) {
                Ok(()) => {
                    self.address.store(0, Ordering::Release);
                    Ok(())
                }
                Err((memory, error)) => {
                    *state = State::Live(memory, entry);
                    Err(error.into())
                }
            },
            other => {
                *state = other;
                state.device_ptr().map(drop)
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for PoolAllocation {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        let State::Live(memory, _entry) = std::mem::replace(state, State::Freed) else {
            return;
        };
        // Whatever used it has completed: work keeps what it uses. So any
        // stream will do.
        self.pool.give_back(memory);
    }
}
