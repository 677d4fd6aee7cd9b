//! What must stay alive until the work has completed.

use std::any::Any;

use hip::DevicePtr;

use crate::flags::CommandBufferFlags;
use crate::{Arena, BlockPool, Buffer, Executable, ResourceSet, Result};

/// Keeps what recorded commands use: the memory under buffers, device code,
/// and the bytes that updates carry along. A submission keeps the command
/// buffer, and so all of this, until its completion was observed.
pub(crate) struct Resources {
    /// `None` when the caller keeps everything alive.
    retained: Option<ResourceSet>,
    staging: Arena,
    /// What the caller wants kept beside.
    others: Vec<Box<dyn Any + Send + Sync>>,
}

impl Resources {
    pub(super) fn new(pool: &BlockPool, flags: CommandBufferFlags) -> Self {
        let is_retained = !flags.contains(CommandBufferFlags::UNRETAINED);
        Self {
            retained: is_retained.then(|| ResourceSet::new(pool)),
            staging: Arena::new(pool),
            others: Vec::new(),
        }
    }

    pub(super) fn keep(&mut self, value: Box<dyn Any + Send + Sync>) {
        self.others.push(value);
    }

    pub(super) fn keep_buffer(&mut self, buffer: &Buffer) {
        if let Some(retained) = &mut self.retained {
            retained.insert(buffer.allocation());
        }
    }

    pub(super) fn keep_executable(&mut self, executable: &Executable) {
        if let Some(retained) = &mut self.retained {
            retained.insert(executable.inner());
        }
    }

    /// Copies bytes to pinned memory that the device can read.
    pub(super) fn stage(&mut self, bytes: &[u8]) -> Result<DevicePtr> {
        Ok(self.staging.stage(bytes)?.device_ptr())
    }
}
