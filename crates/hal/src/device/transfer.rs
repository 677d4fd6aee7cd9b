//! Copies between the host's own memory and buffers, whatever kind of memory they have.

use crate::flags::{BufferUsage, MemoryType};
use crate::queue::Transfer;
use crate::{Buffer, BufferRef, Device, QueueAffinity, Result, Timepoint};

/// Up to this many bytes travel inside of a command.
const INLINE_BYTES: usize = 64 * 1024;

/// Up to this many bytes the host reads where they are, however slow that is.
const FEW_BYTES: usize = 256;

impl Device {
    /// Copies `bytes` to `target` from `offset` on, in the order of the
    /// device's first queue. The bytes are taken now, which for many takes as
    /// long as copying all but the last of them; the copy is complete once the
    /// point returned is reached.
    ///
    /// `OUT_OF_RANGE` if they do not fit, otherwise as [`crate::Queue::copy`].
    pub fn write(&self, target: &Buffer, offset: u64, bytes: &[u8]) -> Result<Timepoint> {
        let done = Timepoint::new(&self.create_semaphore(0)?, 1);
        let signals = std::slice::from_ref(&done);
        let queue = self.queue(QueueAffinity::ANY)?;
        let target = target.subspan(offset, bytes.len() as u64)?;
        if bytes.len() <= INLINE_BYTES {
            queue.update(&[], signals, bytes, &BufferRef::whole(&target))?;
            return Ok(done);
        }
        Transfer::new(queue)?.upload(&target, signals, |offset, staging, length| {
            staging.map_write(0, &bytes[offset as usize..][..length as usize])
        })?;
        Ok(done)
    }

    /// Copies `bytes.len()` bytes of `source` from `offset` on to the host.
    ///
    /// Waits for the device unless the host reaches the memory itself, and not
    /// too slowly; what else is to be written there before, the caller has
    /// waited for.
    pub fn read(&self, source: &Buffer, offset: u64, bytes: &mut [u8]) -> Result<()> {
        let source = source.subspan(offset, bytes.len() as u64)?;
        let is_mapped = source.memory_type().contains(MemoryType::HOST_VISIBLE)
            && source.allowed_usage().contains(BufferUsage::MAPPING_SCOPED);
        // Write-combined memory is read word by word across the bus.
        let is_slow = source.memory_type().contains(MemoryType::HOST_LOCAL)
            && !source.memory_type().contains(MemoryType::HOST_CACHED);
        let is_copied = source
            .allowed_usage()
            .contains(BufferUsage::TRANSFER_SOURCE)
            && bytes.len() > FEW_BYTES;
        if is_mapped && !(is_slow && is_copied) {
            return source.map_read(0, bytes);
        }
        let queue = self.queue(QueueAffinity::ANY)?;
        Transfer::new(queue)?.download(&source, |offset, staging, length| {
            staging.map_read(0, &mut bytes[offset as usize..][..length as usize])
        })
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::queue::CHUNK_BYTES;
    use crate::{BufferParams, DeviceParams, Driver, DriverOptions, StatusCode, Timeout};

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
            for bytes in [0, 4, INLINE_BYTES + 4, 3 * CHUNK_BYTES as usize + 12] {
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
