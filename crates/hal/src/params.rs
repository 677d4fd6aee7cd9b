//! Parameters of a device, and the checks they have to pass.

use crate::{Result, Status};

/// How a device is set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceParams {
    /// Queues, each an in-order stream of its own; 1 to 64.
    pub queue_count: usize,
    /// Size in bytes of the blocks that command buffers record into; at least 4096.
    pub arena_block_size: u64,
    /// How recorded commands reach the device.
    pub command_buffer_mode: CommandBufferMode,
    /// Whether queues allocate from stream-ordered pools. Without them, or on
    /// a device that has none, they allocate and free at once.
    pub async_allocations: bool,
    /// The pool for device-local memory.
    pub device_local_pool: PoolParams,
    /// The pool for all other memory.
    pub other_pool: PoolParams,
}

impl DeviceParams {
    /// Smallest block that command buffers can record into, in bytes.
    pub const MIN_ARENA_BLOCK_SIZE: u64 = 4096;
    /// Most queues a device can have: an affinity is a set of 64 bits.
    pub const MAX_QUEUE_COUNT: usize = 64;

    /// `INVALID_ARGUMENT` for values no device can be made with.
    pub fn validate(&self) -> Result<()> {
        if !(1..=Self::MAX_QUEUE_COUNT).contains(&self.queue_count) {
            return Err(Status::invalid_argument(format!(
                "a device has 1 to {} queues, not {}",
                Self::MAX_QUEUE_COUNT,
                self.queue_count
            )));
        }
        if self.arena_block_size < Self::MIN_ARENA_BLOCK_SIZE {
            return Err(Status::invalid_argument(format!(
                "arena blocks have at least {} bytes, not {}",
                Self::MIN_ARENA_BLOCK_SIZE,
                self.arena_block_size
            )));
        }
        Ok(())
    }
}

impl Default for DeviceParams {
    fn default() -> Self {
        Self {
            queue_count: 1,
            arena_block_size: 32 * 1024,
            command_buffer_mode: CommandBufferMode::Stream,
            async_allocations: true,
            device_local_pool: PoolParams::default(),
            other_pool: PoolParams::default(),
        }
    }
}

/// How a memory pool grows and shrinks, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolParams {
    /// Free memory that trimming leaves in the pool.
    pub minimum_capacity: u64,
    /// Free memory that the pool keeps by itself: to give it back and get it
    /// again takes longer than many a program runs.
    pub release_threshold: u64,
}

impl Default for PoolParams {
    /// All that is freed is kept until it is trimmed.
    fn default() -> Self {
        Self {
            minimum_capacity: 0,
            release_threshold: u64::MAX,
        }
    }
}

/// How recorded commands reach the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum CommandBufferMode {
    /// As a graph that is built once and launched as a whole.
    Graph = 0,
    /// One by one, in order, on the queue's stream.
    Stream = 1,
    /// One by one at first. What is executed again with the same buffers is
    /// tried as a graph too, and goes the way that was faster.
    Auto = 2,
}

impl CommandBufferMode {
    /// `graph`, `stream` or `auto`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Graph => "graph",
            Self::Stream => "stream",
            Self::Auto => "auto",
        }
    }
}

impl std::fmt::Display for CommandBufferMode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for CommandBufferMode {
    type Err = Status;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "graph" => Ok(Self::Graph),
            "stream" => Ok(Self::Stream),
            "auto" => Ok(Self::Auto),
            _ => Err(Status::invalid_argument(format!(
                "a command buffer mode is `stream`, `graph` or `auto`, not `{text}`"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StatusCode;

    #[test]
    fn defaults_pass() {
        let params = DeviceParams::default();
        params.validate().unwrap();
        assert_eq!(params.queue_count, 1);
        assert_eq!(params.arena_block_size, 32_768);
        assert_eq!(params.command_buffer_mode, CommandBufferMode::Stream);
        assert!(params.async_allocations);
        assert_eq!(params.device_local_pool, params.other_pool);
    }

    #[test]
    fn impossible_values_are_refused() {
        for (queue_count, arena_block_size, good) in [
            (1, 4096, true),
            (64, 4096, true),
            (0, 4096, false),
            (65, 4096, false),
            (1, 4095, false),
            (1, 0, false),
        ] {
            let params = DeviceParams {
                queue_count,
                arena_block_size,
                ..DeviceParams::default()
            };
            match params.validate() {
                Ok(()) => assert!(good, "{params:?}"),
                Err(status) => {
                    assert!(!good, "{params:?}");
                    assert_eq!(status.code(), StatusCode::InvalidArgument);
                }
            }
        }
    }

    #[test]
    fn modes_parse_as_they_print() {
        for mode in [
            CommandBufferMode::Graph,
            CommandBufferMode::Stream,
            CommandBufferMode::Auto,
        ] {
            assert_eq!(mode.to_string().parse::<CommandBufferMode>().unwrap(), mode);
        }
        let error = "vulkan".parse::<CommandBufferMode>().unwrap_err();
        assert_eq!(error.code(), StatusCode::InvalidArgument);
    }
}
