//! Reading from files and writing to them, through a bounded amount of pinned
//! memory however long the range is.
//!
//! A transfer runs on the queue's thread for host functions once its waits are
//! reached.

use super::{HostCallFlags, Queue, Transfer};
use crate::flags::{BufferUsage, MemoryAccess};
use crate::{Buffer, BufferRef, BufferSource, Fence, File, Result, Status, Timepoint};

/// Up to this many bytes are taken at once and travel inside of a command.
const INLINE_BYTES: u64 = 64 * 1024;

/// Bytes of a file on disk that are read or written at a time.
const DISK_BYTES: usize = if cfg!(test) { 100_000 } else { 1 << 20 };

impl Queue {
    /// Reads a range of `file`, as long as `target`, once the waits are reached.
    ///
    /// `OUT_OF_RANGE` for a range that file or buffer have not got,
    /// `PERMISSION_DENIED` if either does not allow it. What goes wrong later
    /// fails the signals.
    pub fn read(
        &self,
        waits: &[Timepoint],
        signals: &[Timepoint],
        file: &File,
        file_offset: u64,
        target: &BufferRef,
    ) -> Result<()> {
        let usage = BufferUsage::TRANSFER_TARGET;
        let target = in_place(target, usage, MemoryAccess::WRITE)?;
        let length = target.byte_length();
        file.check(MemoryAccess::READ, file_offset, length)?;
        if length == 0 {
            return self.barrier(waits, signals);
        }
        if length <= INLINE_BYTES
            && let Some(bytes) = file.bytes()
        {
            let bytes = &bytes[file_offset as usize..][..length as usize];
            file.tell(length);
            return self.update(waits, signals, bytes, &BufferRef::whole(&target));
        }
        let (queue, file) = (self.clone(), file.clone());
        let transfer = move |signals: &Fence| {
            let mut bounce = Vec::new();
            Transfer::new(&queue)?.upload(&target, signals, |offset, staging, length| {
                fetch(&file, file_offset + offset, staging, length, &mut bounce)?;
                // Before the copy: who waits for the last one has been told all.
                file.tell(length);
                Ok(())
            })?;
            Err(Status::deferred("the copy of the last chunk signals"))
        };
        self.host_call(waits, signals, Box::new(transfer), HostCallFlags::empty())
    }

    /// Writes `source` to a range of `file`, as long as it is, once the waits
    /// are reached. Errors as for [`Queue::read`].
    pub fn write(
        &self,
        waits: &[Timepoint],
        signals: &[Timepoint],
        source: &BufferRef,
        file: &File,
        file_offset: u64,
    ) -> Result<()> {
        let usage = BufferUsage::TRANSFER_SOURCE;
        let source = in_place(source, usage, MemoryAccess::READ)?;
        file.check(MemoryAccess::WRITE, file_offset, source.byte_length())?;
        let (queue, file) = (self.clone(), file.clone());
        let transfer = move |_: &Fence| {
            let mut bounce = Vec::new();
            Transfer::new(&queue)?.download(&source, |offset, staging, length| {
                store(staging, &file, file_offset + offset, length, &mut bounce)
            })
        };
        self.host_call(waits, signals, Box::new(transfer), HostCallFlags::empty())
    }
}

/// The range of a buffer, which a file can only have to do with directly.
fn in_place(range: &BufferRef, usage: BufferUsage, access: MemoryAccess) -> Result<Buffer> {
    let BufferSource::Buffer(buffer) = &range.source else {
        return Err(Status::invalid_argument(
            "a binding slot means nothing outside of a command buffer",
        ));
    };
    buffer.validate_usage(usage)?;
    buffer.validate_access(access)?;
    buffer.subspan(range.offset, range.length)
}

/// From a file to pinned memory.
fn fetch(
    file: &File,
    offset: u64,
    staging: &Buffer,
    length: u64,
    bounce: &mut Vec<u8>,
) -> Result<()> {
    if let Some(bytes) = file.bytes() {
        return staging.map_write(0, &bytes[offset as usize..][..length as usize]);
    }
    bounce.resize(DISK_BYTES.min(length as usize), 0);
    let mut done = 0;
    while done < length {
        let part = bounce.len().min((length - done) as usize);
        file.read_at(offset + done, &mut bounce[..part])?;
        staging.map_write(done, &bounce[..part])?;
        done += part as u64;
    }
    Ok(())
}

/// From pinned memory to a file.
fn store(
    staging: &Buffer,
    file: &File,
    offset: u64,
    length: u64,
    bounce: &mut Vec<u8>,
) -> Result<()> {
    bounce.resize(DISK_BYTES.min(length as usize), 0);
    let mut done = 0;
    while done < length {
        let part = bounce.len().min((length - done) as usize);
        staging.map_read(done, &mut bounce[..part])?;
        file.write_at(offset + done, &bounce[..part])?;
        done += part as u64;
    }
    Ok(())
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::time::Duration;

    use super::super::staging::{CHUNK_BYTES, DEPTH};
    use super::*;
    use crate::semaphore::lock;
    use crate::testing::fail_every_call;
    use crate::{BufferParams, Device, DeviceParams, Driver, DriverOptions, Semaphore, StatusCode};

    const LONG: Duration = Duration::from_secs(60);

    fn software() -> Device {
        Driver::open("software", DriverOptions::default())
            .and_then(|driver| driver.create_device_by_id(0, &DeviceParams::default()))
            .unwrap()
    }

    fn pattern(length: u64) -> Vec<u8> {
        (0..length).map(|i| ((i * 7) >> 3) as u8).collect()
    }

    fn buffer(device: &Device, bytes: u64) -> Buffer {
        let params = BufferParams::device_local();
        device.allocator().allocate(&params, bytes).unwrap()
    }

    fn read_back(device: &Device, buffer: &Buffer, offset: u64, length: u64) -> Vec<u8> {
        let mut bytes = vec![0; length as usize];
        device.read(buffer, offset, &mut bytes).unwrap();
        bytes
    }

    fn temporary() -> std::fs::File {
        use std::sync::atomic::{AtomicU32, Ordering};
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "hal-file-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        let mut options = std::fs::OpenOptions::new();
        let file = options.read(true).write(true).create_new(true).open(&path);
        std::fs::remove_file(path).unwrap();
        file.unwrap()
    }

    fn at(semaphore: &Semaphore, value: u64) -> [Timepoint; 1] {
        [Timepoint::new(semaphore, value)]
    }

    #[test]
    fn observers_are_told_of_every_piece() {
        use std::sync::{Arc, Mutex};
        let device = software();
        let queue = &device.queues()[0];
        for (length, pieces) in [
            (0, vec![]),
            (4, vec![4]),
            (2 * CHUNK_BYTES + 4, vec![CHUNK_BYTES, CHUNK_BYTES, 4]),
        ] {
            let told = Arc::new(Mutex::new(Vec::new()));
            let observer = {
                let told = told.clone();
                Arc::new(move |bytes| told.lock().unwrap().push(bytes))
            };
            let file = File::observed(pattern(length).into(), observer);
            let target = buffer(&device, length + 4);
            let done = Semaphore::new(0).unwrap();
            let range = BufferRef::range(&target, 0, length);
            queue.read(&[], &at(&done, 1), &file, 0, &range).unwrap();
            done.wait(1, LONG).unwrap();
            assert_eq!(*told.lock().unwrap(), pieces);
        }
    }

    #[test]
    fn files_in_memory_and_on_disk_are_read_in_any_length() {
        let device = software();
        let queue = &device.queues()[0];
        let longest = DEPTH as u64 * CHUNK_BYTES + CHUNK_BYTES + 12;
        let contents = pattern(longest + 4);
        let mut on_disk = temporary();
        std::io::Write::write_all(&mut on_disk, &contents).unwrap();
        let on_disk = File::from_disk(on_disk, MemoryAccess::READ).unwrap();
        for file in [File::from_bytes(contents.clone().into()), on_disk] {
            assert_eq!(file.len(), longest + 4);
            for length in [0, 4, INLINE_BYTES + 4, CHUNK_BYTES, longest] {
                let target = buffer(&device, length + 4);
                let (gate, done) = (Semaphore::new(0).unwrap(), Semaphore::new(0).unwrap());
                let range = BufferRef::range(&target, 4, length);
                queue
                    .read(&at(&gate, 1), &at(&done, 1), &file, 4, &range)
                    .unwrap();
                assert_eq!(done.query().unwrap(), 0);
                gate.signal(1).unwrap();
                done.wait(1, LONG).unwrap();
                let expected = &contents[4..][..length as usize];
                assert!(read_back(&device, &target, 4, length) == expected);
            }
        }
        // A transfer puts its memory back after it has signalled; the next call
        // on the same thread comes later.
        let after = Semaphore::new(0).unwrap();
        let nothing = Box::new(|_: &Fence| Ok(()));
        queue
            .host_call(&[], &at(&after, 1), nothing, HostCallFlags::empty())
            .unwrap();
        after.wait(1, LONG).unwrap();
        let kept: Vec<_> = lock(&queue.shared.staging)
            .iter()
            .map(|slot| slot.buffer.byte_length())
            .collect();
        assert_eq!(kept, [CHUNK_BYTES; DEPTH], "as much for any length");
        device.trim().unwrap();
        assert!(lock(&queue.shared.staging).is_empty());
    }

    #[test]
    fn buffers_are_written_to_files_on_disk() {
        let device = software();
        let queue = &device.queues()[0];
        for length in [0, 12, 3 * CHUNK_BYTES + 4] {
            let contents = pattern(length);
            let source = buffer(&device, length);
            let written = device.write(&source, 0, &contents).unwrap();
            let disk = temporary();
            disk.set_len(length + 8).unwrap();
            let access = MemoryAccess::READ | MemoryAccess::WRITE;
            let file = File::from_disk(disk, access).unwrap();
            let done = Semaphore::new(0).unwrap();
            let range = BufferRef::range(&source, 0, length);
            queue
                .write(&[written], &at(&done, 1), &range, &file, 8)
                .unwrap();
            done.wait(1, LONG).unwrap();
            let mut found = vec![1; length as usize + 8];
            file.read_at(0, &mut found).unwrap();
            assert_eq!(found[..8], [0; 8]);
            assert!(found[8..] == contents);
        }
    }

    #[test]
    fn what_does_not_fit_or_is_not_allowed_is_told_at_once() {
        let device = software();
        let queue = &device.queues()[0];
        let target = buffer(&device, 16);
        let file = File::from_bytes(vec![0; 16].into());
        let whole = BufferRef::whole(&target);
        let s = Semaphore::new(0).unwrap();
        let signals = at(&s, 1);
        let read = |offset, range: &BufferRef| {
            let result = queue.read(&[], &signals, &file, offset, range);
            result.unwrap_err().code()
        };
        assert_eq!(read(1, &whole), StatusCode::OutOfRange);
        assert_eq!(read(u64::MAX, &whole), StatusCode::OutOfRange);
        let beyond = BufferRef::range(&target, 8, 16);
        assert_eq!(read(0, &beyond), StatusCode::OutOfRange);
        let slot = BufferRef::slot(0, 0, 4);
        assert_eq!(read(0, &slot), StatusCode::InvalidArgument);
        let status = queue.write(&[], &signals, &whole, &file, 0).unwrap_err();
        assert_eq!(status.code(), StatusCode::PermissionDenied);
        let read_only = BufferParams {
            access: MemoryAccess::READ,
            ..BufferParams::device_local()
        };
        let read_only = device.allocator().allocate(&read_only, 16).unwrap();
        assert_eq!(
            read(0, &BufferRef::whole(&read_only)),
            StatusCode::PermissionDenied
        );
        queue.wait_idle();
        assert_eq!(s.query().unwrap(), 0);
    }

    #[test]
    fn failures_on_the_way_fail_the_signals() {
        let device = software();
        let queue = &device.queues()[0];
        let disk = temporary();
        disk.set_len(3 * CHUNK_BYTES).unwrap();
        let cut = disk.try_clone().unwrap();
        let file = File::from_disk(disk, MemoryAccess::READ).unwrap();
        cut.set_len(2 * CHUNK_BYTES).unwrap();
        let target = buffer(&device, 3 * CHUNK_BYTES);
        let whole = BufferRef::whole(&target);
        let (done, gate) = (Semaphore::new(0).unwrap(), Semaphore::new(0).unwrap());
        queue.read(&[], &at(&done, 1), &file, 0, &whole).unwrap();
        let status = done.wait(1, LONG).unwrap_err();
        assert_eq!(status.code(), StatusCode::OutOfRange, "{status:#}");
        // A wait that fails, and a file that cannot be written.
        let never = Semaphore::new(0).unwrap();
        queue
            .read(&at(&gate, 1), &at(&never, 1), &file, 0, &whole)
            .unwrap();
        gate.fail(Status::data_loss("gone"));
        assert_eq!(
            never.wait(1, LONG).unwrap_err().code(),
            StatusCode::DataLoss
        );
        let again = Semaphore::new(0).unwrap();
        let start = BufferRef::range(&target, 0, CHUNK_BYTES);
        queue.read(&[], &at(&again, 1), &file, 0, &start).unwrap();
        again.wait(1, LONG).unwrap();
    }

    #[test]
    fn a_refused_copy_does_not_hold_up_later_transfers() {
        let device = software();
        let queue = device.queues()[0].clone();
        let length = 2 * CHUNK_BYTES;
        let contents = pattern(length);
        let file = File::from_bytes(contents.clone().into());
        let target = buffer(&device, length);
        let whole = BufferRef::whole(&target);
        let (gate, taken) = (Semaphore::new(0).unwrap(), Semaphore::new(0).unwrap());
        // Both are accepted; the last copy of the second cannot signal what the first has.
        for _ in 0..2 {
            queue
                .read(&at(&gate, 1), &at(&taken, 1), &file, 0, &whole)
                .unwrap();
        }
        let done = Semaphore::new(0).unwrap();
        queue
            .read(&at(&gate, 1), &at(&done, 1), &file, 0, &whole)
            .unwrap();
        gate.signal(1).unwrap();
        done.wait(1, LONG).unwrap();
        assert!(read_back(&device, &target, 0, length) == contents);
        let (sender, dropped) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            drop((queue, target, whole, device));
            sender.send(()).unwrap();
        });
        dropped.recv_timeout(LONG).expect("the device goes");
    }

    #[test]
    fn any_call_may_fail_while_a_file_is_read_or_written() {
        let contents = bytes::Bytes::from(pattern(CHUNK_BYTES + 4));
        fail_every_call(|api| {
            let device = crate::testing::device_over(api, DeviceParams::default())?;
            let params = BufferParams::device_local();
            let length = contents.len() as u64;
            let target = device.allocator().allocate(&params, length)?;
            let queue = &device.queues()[0];
            let file = File::from_bytes(contents.clone());
            let done = Semaphore::new(0)?;
            let whole = BufferRef::whole(&target);
            queue.read(&[], &at(&done, 1), &file, 0, &whole)?;
            done.wait(1, LONG)?;
            let disk = temporary();
            disk.set_len(length).unwrap();
            let access = MemoryAccess::READ | MemoryAccess::WRITE;
            let file = File::from_disk(disk, access)?;
            queue.write(&at(&done, 1), &at(&done, 2), &whole, &file, 0)?;
            done.wait(2, LONG)
        });
    }
}
