//! Stream-ordered memory: pools whose blocks are allocated and freed by queues.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hip::{Context, DevicePtr, Issue, MemPool, MemPoolAttribute, PoolMemory, Stream};

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
            pool.memory.trim_to(pool.minimum_capacity)?;
        }
        Ok(())
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
    memory: MemPool,
    stream: Arc<Stream>,
    minimum_capacity: u64,
    allocated: AtomicU64,
    freed: AtomicU64,
}

impl Pool {
    fn new(context: &Context, stream: &Arc<Stream>, params: PoolParams) -> Result<Self> {
        Ok(Self {
            memory: MemPool::new(context, params.release_threshold)?,
            stream: stream.clone(),
            minimum_capacity: params.minimum_capacity,
            allocated: AtomicU64::new(0),
            freed: AtomicU64::new(0),
        })
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
        match self.pool.memory.allocate(issue, self.byte_size) {
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
            State::Live(memory) => match memory.free(issue) {
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
        // stream will do, and nobody has to wait for the device. Memory that
        // could not be freed like that is when it drops.
        if let Ok(issue) = self.pool.stream.issue() {
            let _kept = memory.free(&issue);
        }
    }
}
