//! Bytes on their way between the host and buffers, chunk by chunk through
//! pinned memory: one chunk moves on the host's side while the device copies
//! the one before.

use super::Queue;
use crate::flags::MemoryType;
use crate::semaphore::lock;
use crate::{Buffer, BufferParams, BufferRef, Result, Semaphore, Timeout, Timepoint};

/// Bytes that move at a time; tests have smaller steps to make many of them.
pub(crate) const CHUNK_BYTES: u64 = if cfg!(test) { 256 << 10 } else { 8 << 20 };

/// Room for a chunk has at least so many bytes, and is made larger as needed.
const LEAST_BYTES: u64 = 64 << 10;

/// Chunks that a transfer has under way.
pub(super) const DEPTH: usize = 2;

/// Pinned memory for chunks, kept from transfer to transfer.
pub(super) type Staging = Vec<Slot>;

/// Room for a chunk.
pub(super) struct Slot {
    pub(super) buffer: Buffer,
    /// When the device is done with what is in it.
    free: Option<Timepoint>,
}

/// A transfer, on a thread that may wait.
pub(crate) struct Transfer<'a> {
    queue: &'a Queue,
    slots: Staging,
    /// Counts the chunks that the device has copied.
    steps: Semaphore,
    issued: u64,
}

impl<'a> Transfer<'a> {
    pub(crate) fn new(queue: &'a Queue) -> Result<Self> {
        Ok(Self {
            slots: std::mem::take(&mut *lock(&queue.shared.staging)),
            queue,
            steps: Semaphore::new(0)?,
            issued: 0,
        })
    }

    /// Fills `target`: `fetch` puts each chunk, by offset and length, into
    /// pinned memory. The copy of the last one signals; nobody waits for it.
    pub(crate) fn upload(
        &mut self,
        target: &Buffer,
        signals: &[Timepoint],
        mut fetch: impl FnMut(u64, &Buffer, u64) -> Result<()>,
    ) -> Result<()> {
        for chunk in chunks(target.byte_length()) {
            let slot = self.slot(chunk)?;
            let staging = self.slots[slot].buffer.clone();
            fetch(chunk.offset, &staging, chunk.length)?;
            let source = BufferRef::range(&staging, 0, chunk.length);
            let target = BufferRef::range(target, chunk.offset, chunk.length);
            let signals = if chunk.is_last { signals } else { &[] };
            self.copy(slot, signals, &source, &target)?;
        }
        Ok(())
    }

    /// Reads `source`: `store` takes each chunk, by offset and length, out of
    /// pinned memory.
    pub(crate) fn download(
        &mut self,
        source: &Buffer,
        mut store: impl FnMut(u64, &Buffer, u64) -> Result<()>,
    ) -> Result<()> {
        let mut before = None;
        for chunk in chunks(source.byte_length()) {
            let slot = self.slot(chunk)?;
            let target = BufferRef::range(&self.slots[slot].buffer, 0, chunk.length);
            let source = BufferRef::range(source, chunk.offset, chunk.length);
            self.copy(slot, &[], &source, &target)?;
            if let Some((slot, chunk)) = before.replace((slot, chunk)) {
                self.store(slot, chunk, &mut store)?;
            }
        }
        match before {
            Some((slot, chunk)) => self.store(slot, chunk, &mut store),
            None => Ok(()),
        }
    }

    fn store(
        &mut self,
        slot: usize,
        chunk: Chunk,
        store: &mut impl FnMut(u64, &Buffer, u64) -> Result<()>,
    ) -> Result<()> {
        self.wait(slot)?;
        store(chunk.offset, &self.slots[slot].buffer, chunk.length)
    }

    /// Room for a chunk that the device does not use any more.
    fn slot(&mut self, chunk: Chunk) -> Result<usize> {
        let slot = (chunk.index % DEPTH as u64) as usize;
        if slot < self.slots.len() {
            // A copy that failed is done with it too. If it was of this
            // transfer the next one says so; if not, it is none of ours.
            let _ = self.wait(slot);
        }
        let has_room = |slot: &Slot| slot.buffer.byte_length() >= chunk.length;
        if self.slots.get(slot).is_some_and(has_room) {
            return Ok(slot);
        }
        let params = BufferParams {
            // Also read by the host, which write-combined memory makes slow.
            memory_type: MemoryType::HOST_LOCAL
                | MemoryType::HOST_CACHED
                | MemoryType::DEVICE_VISIBLE,
            owner: self.queue.allocator.owner("transfers"),
            ..BufferParams::host_visible()
        };
        let bytes = chunk.length.next_power_of_two();
        let bytes = bytes.clamp(LEAST_BYTES, CHUNK_BYTES);
        let buffer = self.queue.allocator.allocate(&params, bytes)?;
        let made = Slot { buffer, free: None };
        match self.slots.get_mut(slot) {
            Some(smaller) => *smaller = made,
            None => self.slots.push(made),
        }
        Ok(slot)
    }

    fn wait(&mut self, slot: usize) -> Result<()> {
        match self.slots[slot].free.take() {
            Some(point) => point.semaphore.wait(point.value, Timeout::Infinite),
            None => Ok(()),
        }
    }

    /// Copies between a slot and a buffer, behind the chunks before: if one of
    /// those failed, so does this.
    fn copy(
        &mut self,
        slot: usize,
        signals: &[Timepoint],
        source: &BufferRef,
        target: &BufferRef,
    ) -> Result<()> {
        let before = Timepoint::new(&self.steps, self.issued);
        let step = Timepoint::new(&self.steps, self.issued + 1);
        let signals: Vec<_> = signals.iter().cloned().chain([step.clone()]).collect();
        self.queue.copy(&[before], &signals, source, target)?;
        // Only now: nobody would ever signal the step of a copy that is refused.
        self.issued += 1;
        self.slots[slot].free = Some(step);
        Ok(())
    }
}

impl Drop for Transfer<'_> {
    fn drop(&mut self) {
        *lock(&self.queue.shared.staging) = std::mem::take(&mut self.slots);
    }
}

#[derive(Clone, Copy)]
struct Chunk {
    index: u64,
    offset: u64,
    length: u64,
    is_last: bool,
}

fn chunks(length: u64) -> impl Iterator<Item = Chunk> {
    (0..length.div_ceil(CHUNK_BYTES)).map(move |index| {
        let offset = index * CHUNK_BYTES;
        Chunk {
            index,
            offset,
            length: CHUNK_BYTES.min(length - offset),
            is_last: length - offset <= CHUNK_BYTES,
        }
    })
}
