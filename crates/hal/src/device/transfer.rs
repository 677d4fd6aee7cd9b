//! Copies between the host's own memory and buffers, whatever kind of memory they have.

use crate::flags::{BufferUsage, MemoryType};
use crate::{Buffer, BufferParams, BufferRef, Device, QueueAffinity, Result, Timeout, Timepoint};

/// Up to this many bytes travel inside of a command.
const INLINE_BYTES: usize = 64 * 1024;

/// Most bytes of host memory that a transfer holds at a time.
const STAGING_BYTES: usize = 32 << 20;

impl Device {
    /// Copies `bytes` to `target` from `offset` on, in the order of the
    /// device's first queue. The bytes are taken now; the copy is complete
    /// once the point returned is reached.
    ///
    /// `OUT_OF_RANGE` if they do not fit, otherwise as [`crate::Queue::copy`].
    pub fn write(&self, target: &Buffer, offset: u64, bytes: &[u8]) -> Result<Timepoint> {
        let done = Timepoint::new(&self.create_semaphore(0)?, 1);
        let signals = std::slice::from_ref(&done);
        let queue = self.queue(QueueAffinity::ANY)?;
        let range = target.range(offset, bytes.len() as u64)?;
        if bytes.len() <= INLINE_BYTES {
            let target = BufferRef::range(target, offset, bytes.len() as u64);
            queue.update(&[], signals, bytes, &target)?;
            return Ok(done);
        }
        let mut at = range.start;
        let chunks = bytes.chunks(STAGING_BYTES);
        let last = chunks.len() - 1;
        for (index, chunk) in chunks.enumerate() {
            let length = chunk.len() as u64;
            let staging = self
                .allocator()
                .allocate(&BufferParams::host_visible(), length)?;
            staging.map_write(0, chunk)?;
            let (source, target) = (
                BufferRef::whole(&staging),
                BufferRef::range(target, at, length),
            );
            if index == last {
                queue.copy(&[], signals, &source, &target)?;
            } else {
                // One chunk of host memory at a time.
                let step = self.create_semaphore(0)?;
                queue.copy(&[], &[Timepoint::new(&step, 1)], &source, &target)?;
                step.wait(1, Timeout::Infinite)?;
            }
            at += length;
        }
        Ok(done)
    }

    /// Copies `bytes.len()` bytes of `source` from `offset` on to the host.
    ///
    /// Waits for the device unless the host can reach the memory itself; what
    /// else is to be written there before, the caller has waited for.
    pub fn read(&self, source: &Buffer, offset: u64, bytes: &mut [u8]) -> Result<()> {
        source.range(offset, bytes.len() as u64)?;
        if source.memory_type().contains(MemoryType::HOST_VISIBLE)
            && source.allowed_usage().contains(BufferUsage::MAPPING_SCOPED)
        {
            return source.map_read(offset, bytes);
        }
        if bytes.is_empty() {
            return Ok(());
        }
        let staging = self.allocator().allocate(
            &BufferParams::host_visible(),
            bytes.len().min(STAGING_BYTES) as u64,
        )?;
        let queue = self.queue(QueueAffinity::ANY)?;
        let mut at = offset;
        for chunk in bytes.chunks_mut(STAGING_BYTES) {
            let length = chunk.len() as u64;
            let done = self.create_semaphore(0)?;
            queue.copy(
                &[],
                &[Timepoint::new(&done, 1)],
                &BufferRef::range(source, at, length),
                &BufferRef::range(&staging, 0, length),
            )?;
            done.wait(1, Timeout::Infinite)?;
            staging.map_read(0, chunk)?;
            at += length;
        }
        Ok(())
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::{DeviceParams, Driver, DriverOptions, StatusCode};

    fn software() -> Device {
        Driver::open("software", DriverOptions::default())
            .and_then(|driver| driver.create_device_by_id(0, &DeviceParams::default()))
            .unwrap()
    }

    #[test]
    fn what_was_written_is_read() {
        let device = software();
        let host = BufferParams::host_visible();
        for params in [BufferParams::device_local(), host] {
            // Inline, staged, and in several chunks, each with an odd offset.
            for bytes in [0, 4, INLINE_BYTES + 4, STAGING_BYTES + 12] {
                let data: Vec<u8> = (0..bytes).map(|i| ((i * 7) >> 3) as u8).collect();
                let buffer = device
                    .allocator()
                    .allocate(&params, bytes as u64 + 8)
                    .unwrap();
                let done = device.write(&buffer, 4, &data).unwrap();
                done.semaphore.wait(done.value, Timeout::Infinite).unwrap();
                let mut read = vec![0; bytes];
                device.read(&buffer, 4, &mut read).unwrap();
                assert!(read == data, "{bytes} bytes in {:?}", buffer.memory_type());
            }
        }
    }

    #[test]
    fn ranges_must_fit() {
        let device = software();
        let buffer = device
            .allocator()
            .allocate(&BufferParams::device_local(), 16)
            .unwrap();
        let write = device.write(&buffer, 12, &[0; 8]).unwrap_err();
        let read = device.read(&buffer, 12, &mut [0; 8]).unwrap_err();
        assert_eq!(write.code(), StatusCode::OutOfRange);
        assert_eq!(read.code(), StatusCode::OutOfRange);
    }
}
