//! What most cases do: make buffers, record, submit, wait, read back.

use std::cell::RefCell;
use std::ops::Deref;
use std::time::Duration;

use hal::flags::{CommandBufferFlags, CommandCategories};
use hal::{
    Binding, BindingTable, Buffer, BufferParams, BufferRef, CommandBuffer, Execution, Queue,
    QueueAffinity, Semaphore, StatusCode, Timepoint, WHOLE_BUFFER,
};

use crate::frame::{Fixture, Outcome, Stop};

/// Longer than any work here takes, so that a hang is a failure.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// Most slots that a case uses.
const SLOTS: usize = 64;

/// A command buffer that names buffers the way its variant does.
pub(crate) struct Recorder {
    commands: CommandBuffer,
    is_indirect: bool,
    table: RefCell<Vec<Binding>>,
}

impl Recorder {
    /// A range of a buffer. The binding table, if there is one, has the whole
    /// buffer, and the command the offset.
    pub(crate) fn range(&self, buffer: &Buffer, offset: u64, length: u64) -> BufferRef {
        if !self.is_indirect {
            return BufferRef::range(buffer, offset, length);
        }
        let slot = self.slot(Binding::whole(buffer));
        BufferRef::slot(slot, offset, length)
    }

    /// A range of a buffer whose offset the binding table has, if there is one.
    pub(crate) fn view(&self, buffer: &Buffer, offset: u64, length: u64) -> BufferRef {
        if !self.is_indirect {
            return BufferRef::range(buffer, offset, length);
        }
        let slot = self.slot(Binding::range(buffer, offset, length));
        BufferRef::slot(slot, 0, length)
    }

    /// All of a buffer.
    pub(crate) fn whole(&self, buffer: &Buffer) -> BufferRef {
        self.range(buffer, 0, WHOLE_BUFFER)
    }

    fn slot(&self, binding: Binding) -> u32 {
        let mut table = self.table.borrow_mut();
        let is_same = |other: &Binding| {
            matches!((&other.buffer, &binding.buffer), (Some(a), Some(b)) if a.ptr_eq(b))
                && (other.offset, other.length) == (binding.offset, binding.length)
        };
        if let Some(slot) = table.iter().position(is_same) {
            return slot as u32;
        }
        table.push(binding);
        (table.len() - 1) as u32
    }
}

impl Deref for Recorder {
    type Target = CommandBuffer;

    fn deref(&self) -> &CommandBuffer {
        &self.commands
    }
}

/// Buffers.
impl Fixture {
    /// A buffer for the device with these contents.
    pub(crate) fn buffer_of(&self, contents: &[u8]) -> Result<Buffer, Stop> {
        let bytes = contents.len() as u64;
        let allocator = self.device.allocator();
        let buffer = allocator.allocate(&BufferParams::device_local(), bytes)?;
        self.upload(&buffer, contents)?;
        Ok(buffer)
    }

    /// A buffer for the device, each byte `value`.
    pub(crate) fn buffer(&self, bytes: usize, value: u8) -> Result<Buffer, Stop> {
        self.buffer_of(&vec![value; bytes])
    }

    /// A buffer that the host maps, each byte `value`.
    pub(crate) fn host_buffer(&self, bytes: usize, value: u8) -> Result<Buffer, Stop> {
        let allocator = self.device.allocator();
        let buffer = allocator.allocate(&BufferParams::host_visible(), bytes as u64)?;
        buffer.map_fill(0, WHOLE_BUFFER, &[value])?;
        Ok(buffer)
    }

    /// Writes the beginning of a buffer.
    pub(crate) fn upload(&self, buffer: &Buffer, contents: &[u8]) -> Outcome {
        let done = self.semaphore()?;
        let target = BufferRef::range(buffer, 0, contents.len() as u64);
        let signals = [Timepoint::new(&done, 1)];
        self.queue().update(&[], &signals, contents, &target)?;
        self.wait(&done, 1)
    }

    /// The contents of a buffer.
    pub(crate) fn contents(&self, buffer: &Buffer) -> Result<Vec<u8>, Stop> {
        let mut contents = vec![0; buffer.byte_length() as usize];
        let host = self.host_buffer(contents.len(), 0)?;
        let (source, target) = (BufferRef::whole(buffer), BufferRef::whole(&host));
        let done = self.semaphore()?;
        let signals = [Timepoint::new(&done, 1)];
        self.queue().copy(&[], &signals, &source, &target)?;
        self.wait(&done, 1)?;
        host.map_read(0, &mut contents)?;
        Ok(contents)
    }

    /// Reads a buffer back and compares.
    pub(crate) fn expect(&self, buffer: &Buffer, expected: &[u8]) -> Outcome {
        let contents = self.contents(buffer)?;
        if !self.computes() {
            return Ok(());
        }
        assert_eq!(contents.len(), expected.len(), "sizes");
        match contents.iter().zip(expected).position(|(a, b)| a != b) {
            None => Ok(()),
            Some(at) => {
                let range = at..contents.len().min(at + 16);
                Err(Stop::Failed(format!(
                    "from byte {at} on the buffer holds {:02x?}, not {:02x?}",
                    &contents[range.clone()],
                    &expected[range]
                )))
            }
        }
    }
}

/// Commands, submissions, waits.
impl Fixture {
    /// The queue that most cases use.
    pub(crate) fn queue(&self) -> &Queue {
        &self.device.queues()[0]
    }

    /// Another queue.
    pub(crate) fn other_queue(&self) -> &Queue {
        &self.device.queues()[1]
    }

    /// A semaphore at 0.
    pub(crate) fn semaphore(&self) -> Result<Semaphore, Stop> {
        Ok(self.device.create_semaphore(0)?)
    }

    /// Waits for a value that will come.
    pub(crate) fn wait(&self, semaphore: &Semaphore, value: u64) -> Outcome {
        Ok(semaphore.wait(value, LONG)?)
    }

    /// A command buffer with slots for any command.
    pub(crate) fn command_buffer(
        &self,
        flags: CommandBufferFlags,
        slots: usize,
    ) -> Result<CommandBuffer, Stop> {
        let (categories, affinity) = (CommandCategories::ANY, QueueAffinity::ANY);
        let device = &self.device;
        Ok(device.create_command_buffer(flags, categories, affinity, slots)?)
    }

    /// Records commands that can be submitted any number of times.
    pub(crate) fn record(
        &self,
        record: impl FnOnce(&Recorder) -> Outcome,
    ) -> Result<Execution, Stop> {
        self.record_with(CommandBufferFlags::empty(), record)
    }

    /// Records commands that can be submitted once.
    pub(crate) fn record_one_shot(
        &self,
        record: impl FnOnce(&Recorder) -> Outcome,
    ) -> Result<Execution, Stop> {
        self.record_with(CommandBufferFlags::ONE_SHOT, record)
    }

    /// Records, submits and waits.
    pub(crate) fn execute(&self, record: impl FnOnce(&Recorder) -> Outcome) -> Outcome {
        self.submit(&self.record_one_shot(record)?)
    }

    /// Records for a binding table that is still to come.
    pub(crate) fn record_slots(
        &self,
        record: impl FnOnce(&CommandBuffer) -> hal::Result<()>,
    ) -> Result<CommandBuffer, Stop> {
        let commands = self.command_buffer(CommandBufferFlags::empty(), SLOTS)?;
        commands.begin()?;
        record(&commands)?;
        commands.end()?;
        Ok(commands)
    }

    fn record_with(
        &self,
        flags: CommandBufferFlags,
        record: impl FnOnce(&Recorder) -> Outcome,
    ) -> Result<Execution, Stop> {
        let slots = if self.indirect { SLOTS } else { 0 };
        let recorder = Recorder {
            commands: self.command_buffer(flags, slots)?,
            is_indirect: self.indirect,
            table: RefCell::default(),
        };
        recorder.begin()?;
        record(&recorder)?;
        recorder.end()?;
        let table = BindingTable::new(recorder.table.into_inner());
        Ok(Execution::with_bindings(&recorder.commands, &table))
    }

    /// Submits commands and waits for them.
    pub(crate) fn submit(&self, execution: &Execution) -> Outcome {
        let done = self.semaphore()?;
        let signals = [Timepoint::new(&done, 1)];
        let executions = std::slice::from_ref(execution);
        self.queue().execute(&[], &signals, executions)?;
        self.wait(&done, 1)
    }

    /// Submits commands with these buffers, whole, in the slots, and waits.
    pub(crate) fn submit_with(&self, commands: &CommandBuffer, buffers: &[&Buffer]) -> Outcome {
        self.submit(&Execution::with_bindings(commands, &table(buffers)))
    }
}

/// These buffers, whole, by slot.
pub(crate) fn table(buffers: &[&Buffer]) -> BindingTable {
    buffers
        .iter()
        .map(|buffer| Binding::whole(buffer))
        .collect()
}

/// All of what slot `slot` is bound to.
pub(crate) fn slot(slot: u32) -> BufferRef {
    BufferRef::slot(slot, 0, WHOLE_BUFFER)
}

/// A point of a semaphore, as a list.
pub(crate) fn at(semaphore: &Semaphore, value: u64) -> [Timepoint; 1] {
    [Timepoint::new(semaphore, value)]
}

/// Asserts that something was refused, and how.
#[track_caller]
pub(crate) fn refused<T>(result: hal::Result<T>, code: StatusCode) {
    match result {
        Ok(_) => panic!("it was accepted, not refused with {code}"),
        Err(status) => assert_eq!(status.code(), code, "{status:#}"),
    }
}

/// Numbers as the bytes they are in memory.
pub(crate) fn floats(values: &[f32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

/// Numbers as the bytes they are in memory.
pub(crate) fn words(values: impl IntoIterator<Item = u32>) -> Vec<u8> {
    values.into_iter().flat_map(u32::to_le_bytes).collect()
}

/// Bytes that differ from their neighbours, and from those of another seed.
pub(crate) fn pattern(bytes: usize, seed: u8) -> Vec<u8> {
    (0..bytes)
        .map(|index| (index as u8).wrapping_mul(31) ^ (index >> 8) as u8 ^ seed)
        .collect()
}

/// `background` with a range replaced.
pub(crate) fn patched(mut background: Vec<u8>, at: usize, patch: &[u8]) -> Vec<u8> {
    background[at..at + patch.len()].copy_from_slice(patch);
    background
}
