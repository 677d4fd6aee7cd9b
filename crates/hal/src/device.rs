//! Devices: one HIP device with its queues, memory and limits.

#[cfg(test)]
mod tests;
mod transfer;

use std::fmt;
use std::sync::Arc;

use hip::{Context, DeviceAttribute, DeviceFamily, Stream};

use crate::command_buffer::{Experience, RecordingDevice};
use crate::flags::{CommandBufferFlags, CommandCategories};
use crate::ledger::{Ledger, MemoryReport, MemoryUsage};
use crate::pool::Pools;
use crate::{
    Allocator, BlockPool, Channel, CommandBuffer, DeviceParams, Event, ExecutableCache, Queue,
    QueueAffinity, Result, Semaphore, Status,
};

/// A device in use. Cheap to clone; everything made with it keeps what it
/// needs of it alive.
#[derive(Clone)]
pub struct Device(Arc<Inner>);

// Fields drop in this order: what uses the context goes first.
struct Inner {
    queues: Vec<Queue>,
    allocator: Allocator,
    recording: Arc<RecordingDevice>,
    block_pool: BlockPool,
    context: Context,
    params: DeviceParams,
    limits: DeviceLimits,
    name: String,
    arch: String,
}

impl Device {
    /// Sets up `device`: `INVALID_ARGUMENT` for impossible parameters, the
    /// provider's error if it cannot be had. Nothing is left behind then.
    pub(crate) fn new(device: &hip::Device, params: DeviceParams) -> Result<Self> {
        params.validate()?;
        let limits = DeviceLimits::query(device)?;
        let name = device.name()?;
        let arch = device.arch()?;
        let context = Context::new(device)?;
        let streams = (0..params.queue_count)
            .map(|_| Ok(Arc::new(Stream::new(&context)?)))
            .collect::<Result<Vec<_>>>()?;
        let block_pool = BlockPool::new(&context, params.arena_block_size);
        let ledger = Ledger::new();
        let pools = (params.async_allocations && limits.memory_pools)
            .then(|| Pools::new(&context, &streams[0], &params, &ledger))
            .transpose()?;
        let allocator = Allocator::new(
            &context,
            &streams[0],
            limits.concurrent_managed_access,
            pools,
            &ledger,
        );
        let recording = Arc::new(RecordingDevice {
            context: context.clone(),
            block_pool: block_pool.clone(),
            limits,
            experience: Experience::default(),
            checks_bindings: context.device().provider().checks_bindings,
        });
        let queues = streams
            .into_iter()
            .enumerate()
            .map(|(ordinal, stream)| {
                let is_alone = params.queue_count == 1;
                Queue::new(ordinal, stream, &allocator, &recording, is_alone)
            })
            .collect();
        Ok(Self(Arc::new(Inner {
            queues,
            allocator,
            recording,
            block_pool,
            context,
            params,
            limits,
            name,
            arch,
        })))
    }

    /// What programs call this kind of device.
    pub fn identifier(&self) -> &'static str {
        self.family().device_ids[0]
    }

    /// What kind of device it is, to programs.
    pub(crate) fn family(&self) -> &'static DeviceFamily {
        self.0.context.device().provider().family
    }

    /// Whether executables of this format can be prepared.
    pub(crate) fn takes_format(&self, format: &str) -> bool {
        let family = self.family();
        family.formats.contains(&format)
            || family.has_chip_formats && is_satisfied_by(format, self.arch())
    }

    /// Marketing name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Target architecture, such as `gfx1100`, with its feature suffixes if any.
    pub fn arch(&self) -> &str {
        &self.0.arch
    }

    /// The parameters it was made with.
    pub fn params(&self) -> &DeviceParams {
        &self.0.params
    }

    /// What it can do, read once when it was made.
    pub fn limits(&self) -> &DeviceLimits {
        &self.0.limits
    }

    /// Makes buffers.
    pub fn allocator(&self) -> &Allocator {
        &self.0.allocator
    }

    /// Blocks for recording commands.
    pub fn block_pool(&self) -> &BlockPool {
        &self.0.block_pool
    }

    /// Every queue, by ordinal.
    pub fn queues(&self) -> &[Queue] {
        &self.0.queues
    }

    /// The queue that `affinity` selects. `INVALID_ARGUMENT` if it allows none
    /// of those there are.
    pub fn queue(&self, affinity: QueueAffinity) -> Result<&Queue> {
        Ok(&self.0.queues[affinity.select(self.0.queues.len())?])
    }

    /// A semaphore at `initial`; `OUT_OF_RANGE` above [`Semaphore::MAX_VALUE`].
    pub fn create_semaphore(&self, initial: u64) -> Result<Semaphore> {
        Semaphore::new(initial)
    }

    /// A command buffer to record into, for queues that `affinity` selects,
    /// with `binding_capacity` binding slots. `INVALID_ARGUMENT` for flags
    /// that exclude each other, or if there are no such queues;
    /// `RESOURCE_EXHAUSTED` for more slots than [`crate::MAX_BINDING_SLOTS`].
    pub fn create_command_buffer(
        &self,
        flags: CommandBufferFlags,
        categories: CommandCategories,
        affinity: QueueAffinity,
        binding_capacity: usize,
    ) -> Result<CommandBuffer> {
        self.queue(affinity)?;
        CommandBuffer::new(
            &self.0.recording,
            self.0.params.command_buffer_mode,
            flags,
            categories,
            affinity,
            binding_capacity,
        )
    }

    /// An event.
    pub fn create_event(&self) -> Result<Event> {
        Ok(Event::new())
    }

    /// A channel as participant `rank` of `count`. `INVALID_ARGUMENT` unless
    /// `affinity` is any queue or exactly one, or if there is no such rank.
    pub fn create_channel(
        &self,
        affinity: QueueAffinity,
        rank: u32,
        count: u32,
    ) -> Result<Channel> {
        if !matches!(affinity.0.count_ones(), 1 | 64) {
            return Err(Status::invalid_argument(format!(
                "a channel is for one queue or for any, not for {:#x}",
                affinity.0
            )));
        }
        self.queue(affinity)?;
        Channel::new(rank, count)
    }

    /// Makes executables.
    pub fn create_executable_cache(&self) -> ExecutableCache {
        ExecutableCache::new(self)
    }

    /// Returns memory that nobody uses to the system.
    pub fn trim(&self) -> Result<()> {
        self.0.block_pool.trim();
        self.queues().iter().for_each(Queue::trim);
        self.0.allocator.trim()
    }

    /// Who has how much memory, what pools keep, and what commands are staged
    /// in.
    pub fn memory_report(&self) -> MemoryReport {
        let mut report = self.allocator().memory_report();
        let blocks = self.0.block_pool.staging_usage();
        let block_bytes = self.0.block_pool.block_bytes();
        if blocks.used + blocks.free > 0 {
            report.pools.push(MemoryUsage {
                name: "staging of commands".to_owned(),
                live_bytes: blocks.used * block_bytes,
                peak_bytes: (blocks.used + blocks.free) * block_bytes,
                kept_bytes: blocks.free * block_bytes,
                allocations: blocks.used,
            });
        }
        report
    }

    /// Answers a program's question about the device.
    ///
    /// | category | key | answer |
    /// |---|---|---|
    /// | `hal.device.id` | a pattern with `*` and `?` | 1 if it fits a name of such devices, else 0 |
    /// | `hal.executable.format` | a format | 1 if executables of it can be prepared, else 0 |
    /// | `hal.device` | `concurrency` | physical devices behind this one |
    ///
    /// `NOT_FOUND` for any other question.
    pub fn query_i64(&self, category: &str, key: &str) -> Result<i64> {
        match (category, key) {
            ("hal.device.id", pattern) => {
                let mut ids = self.family().device_ids.iter();
                Ok(ids.any(|id| matches_pattern(pattern, id)).into())
            }
            ("hal.executable.format", format) => Ok(self.takes_format(format).into()),
            ("hal.device", "concurrency") => Ok(1),
            _ => Err(Status::not_found(format!(
                "the device does not know `{category}` :: `{key}`"
            ))),
        }
    }

    pub(crate) fn context(&self) -> &Context {
        &self.0.context
    }

    /// Whether both are the same device object.
    pub fn ptr_eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        for queue in &self.queues {
            queue.shut_down();
        }
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Device({:?})", self.0.context.device())
    }
}

/// What a device can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceLimits {
    /// Most threads of a workgroup in x, y, z.
    pub max_block_dims: [u32; 3],
    /// Most threads of a workgroup.
    pub max_threads_per_block: u32,
    /// Most workgroups of a dispatch in x, y, z. In threads, each dimension
    /// must be less than 2³² too.
    pub max_grid_dims: [u32; 3],
    /// Most bytes of group memory that a workgroup can use.
    pub max_shared_memory_per_block: u32,
    /// Lanes of a wave.
    pub warp_size: u32,
    /// Compute units.
    pub multiprocessor_count: u32,
    /// Whether host and device can use managed memory at the same time.
    pub concurrent_managed_access: bool,
    /// Whether there are stream-ordered memory pools.
    pub memory_pools: bool,
}

impl DeviceLimits {
    fn query(device: &hip::Device) -> Result<Self> {
        use DeviceAttribute as A;
        let number = |attribute| -> Result<u32> {
            let value = device.attribute(attribute)?;
            u32::try_from(value)
                .map_err(|_| Status::internal(format!("the device says {attribute:?} is {value}")))
        };
        let dims = |x, y, z| -> Result<[u32; 3]> { Ok([number(x)?, number(y)?, number(z)?]) };
        Ok(Self {
            max_block_dims: dims(A::MaxBlockDimX, A::MaxBlockDimY, A::MaxBlockDimZ)?,
            max_threads_per_block: number(A::MaxThreadsPerBlock)?,
            max_grid_dims: dims(A::MaxGridDimX, A::MaxGridDimY, A::MaxGridDimZ)?,
            max_shared_memory_per_block: number(A::MaxSharedMemoryPerBlock)?,
            warp_size: number(A::WarpSize)?,
            multiprocessor_count: number(A::MultiprocessorCount)?,
            concurrent_managed_access: number(A::ConcurrentManagedAccess)? != 0,
            memory_pools: number(A::MemoryPoolsSupported)? != 0,
        })
    }
}

/// Whether a chip with features is what a program wants: the same chip, with
/// every feature that the program pins (`chip:one+:two-`).
fn is_satisfied_by(wanted: &str, arch: &str) -> bool {
    let mut own = arch.split(':');
    let mut pinned = wanted.split(':');
    own.next() == pinned.next() && pinned.all(|feature| own.clone().any(|own| own == feature))
}

/// Whether `text` fits `pattern`, in which `*` stands for any characters and
/// `?` for one.
fn matches_pattern(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    // Where to go on when a match fails: behind the last star, one character later.
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                retry = Some((p + 1, t));
                p += 1;
            }
            Some(&c) if c == b'?' || c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match &mut retry {
                Some((star, from)) => {
                    *from += 1;
                    (p, t) = (*star, *from);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == b'*')
}
