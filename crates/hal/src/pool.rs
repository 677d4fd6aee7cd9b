//! Stream-ordered memory: pools whose blocks are allocated and freed by queues.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hip::{Code, Context, DevicePtr, Issue, MemPool, MemPoolAttribute, PoolMemory, Stream};

use crate::allocator::BufferParams;
use crate::buffer::{Allocation, Memory};
use crate::flags::MemoryType;
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
    ) -> Result<Self> {
        let device_local = Pool::new(context, stream, params.device_local_pool)
            .map_err(|status| status.context("creating the device-local memory pool"))?;
        let other = Pool::new(context, stream, params.other_pool)
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

    /// Bytes allocated since the pools were made.
    pub(crate) fn bytes_allocated(&self) -> u64 {
        let load = |pool: &Pool| pool.allocated.load(Ordering::Acquire);
        load(&self.device_local) + load(&self.other)
    }

    /// Figures of the device-local pool and of the other one.
    pub(crate) fn statistics(&self) -> Result<[PoolStatistics; 2]> {
        Ok([self.device_local.statistics()?, self.other.statistics()?])
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

struct Pool {
    /// What later work of `stream` gets without asking the driver. Before
    /// `memory`: blocks are freed before their pool is destroyed.
    kept: Mutex<Kept>,
    /// Most that is kept, and the largest block.
    kept_bytes: u64,
    memory: MemPool,
    stream: Arc<Stream>,
    minimum_capacity: u64,
    allocated: AtomicU64,
    freed: AtomicU64,
}

impl Pool {
    fn new(context: &Context, stream: &Arc<Stream>, params: PoolParams) -> Result<Self> {
        // Where accesses are checked, memory that is used after it was freed
        // must not be there any more.
        let is_checked = context.device().provider().checks_memory;
        Ok(Self {
            kept: Mutex::default(),
            kept_bytes: if is_checked { 0 } else { KEPT_BYTES },
            memory: MemPool::new(context, params.release_threshold)?,
            stream: stream.clone(),
            minimum_capacity: params.minimum_capacity,
            allocated: AtomicU64::new(0),
            freed: AtomicU64::new(0),
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

    fn statistics(&self) -> Result<PoolStatistics> {
        Ok(PoolStatistics {
            // Freed first: a free in between may not make it exceed what was allocated.
            bytes_freed: self.freed.load(Ordering::Acquire),
            bytes_allocated: self.allocated.load(Ordering::Acquire),
            bytes_peak: self.memory.attribute(MemPoolAttribute::UsedMemHigh)?,
        })
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
}

enum State {
    Reserved,
    Live(PoolMemory),
    Freed,
    Failed(Status),
}

impl State {
    /// The address, or why there is none.
    fn device_ptr(&self) -> Result<DevicePtr> {
        match self {
            Self::Live(memory) => Ok(memory.device_ptr()),
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
                self.pool
                    .allocated
                    .fetch_add(self.byte_size, Ordering::AcqRel);
                *state = State::Live(memory);
                Ok(())
            }
            Err(error) => {
                let status = Status::from(error).context(format!(
                    "allocating {} bytes from a memory pool",
                    self.byte_size
                ));
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
            State::Live(memory) => match self.pool.free(issue, memory) {
                Ok(()) => {
                    self.address.store(0, Ordering::Release);
                    self.pool.freed.fetch_add(self.byte_size, Ordering::AcqRel);
                    Ok(())
                }
                Err((memory, error)) => {
                    *state = State::Live(memory);
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
        let State::Live(memory) = std::mem::replace(state, State::Freed) else {
            return;
        };
        self.pool.freed.fetch_add(self.byte_size, Ordering::AcqRel);
        // Whatever used it has completed: work keeps what it uses. So any
        // stream will do.
        self.pool.give_back(memory);
    }
}
