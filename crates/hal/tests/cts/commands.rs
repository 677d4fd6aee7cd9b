//! What cases about work have in common: buffers with contents, recording in
//! either way to name buffers, submitting and waiting.

use std::time::Duration;

use hal::flags::{BufferUsage, CommandBufferFlags, CommandCategories};
use hal::{
    Binding, BindingTable, Buffer, BufferParams, BufferRef, CommandBuffer, Execution, Queue,
    QueueAffinity, Semaphore, Timepoint, WHOLE_BUFFER,
};

use crate::frame::{Fixture, Outcome};

/// What no wait of a case should ever take; one that hangs fails instead.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Slots of a command buffer that is recorded with a binding table.
const SLOTS: usize = 16;

/// Device-local memory for everything that commands can do with it.
pub(crate) fn device_params() -> BufferParams {
    BufferParams {
        usage: BufferUsage::DEFAULT | BufferUsage::DISPATCH_INDIRECT_PARAMS,
        ..BufferParams::device_local()
    }
}

impl Fixture {
    /// The queue that work goes to.
    pub(crate) fn queue(&self) -> &Queue {
        &self.device.queues()[0]
    }

    /// Submits with a semaphore of its own, and waits.
    pub(crate) fn submit_and_wait(
        &self,
        submit: impl FnOnce(&Queue, &[Timepoint]) -> hal::Result<()>,
    ) -> hal::Result<()> {
        let semaphore = self.device.create_semaphore(0)?;
        submit(self.queue(), &[Timepoint::new(&semaphore, 1)])?;
        semaphore.wait(1, PATIENCE)
    }

    /// A device-local buffer with these contents.
    pub(crate) fn buffer(&self, contents: &[u8]) -> hal::Result<Buffer> {
        let bytes = contents.len() as u64;
        let buffer = self.device.allocator().allocate(&device_params(), bytes)?;
        self.submit_and_wait(|queue, signals| {
            queue.update(&[], signals, contents, &BufferRef::whole(&buffer))
        })?;
        Ok(buffer)
    }

    /// A device-local buffer of these numbers.
    pub(crate) fn buffer_of<T: Element>(&self, values: &[T]) -> hal::Result<Buffer> {
        self.buffer(&to_bytes(values))
    }

    /// What a buffer holds.
    pub(crate) fn read(&self, buffer: &Buffer) -> hal::Result<Vec<u8>> {
        let bytes = buffer.byte_length();
        let params = BufferParams::host_visible();
        let staging = self.device.allocator().allocate(&params, bytes)?;
        self.submit_and_wait(|queue, signals| {
            let target = BufferRef::range(&staging, 0, bytes);
            queue.copy(&[], signals, &BufferRef::whole(buffer), &target)
        })?;
        let mut contents = vec![0; bytes as usize];
        staging.map_read(0, &mut contents)?;
        Ok(contents)
    }

    /// The numbers that a buffer holds.
    pub(crate) fn read_of<T: Element>(&self, buffer: &Buffer) -> hal::Result<Vec<T>> {
        Ok(from_bytes(&self.read(buffer)?))
    }

    /// A command buffer for anything, not begun.
    pub(crate) fn command_buffer(&self, flags: CommandBufferFlags) -> hal::Result<CommandBuffer> {
        let slots = if self.indirect { SLOTS } else { 0 };
        let any = (CommandCategories::ANY, QueueAffinity::ANY);
        self.device
            .create_command_buffer(flags, any.0, any.1, slots)
    }

    /// Records a command buffer that can be executed many times.
    pub(crate) fn record(
        &self,
        record: impl FnOnce(&CommandBuffer, &mut Names) -> hal::Result<()>,
    ) -> hal::Result<Execution> {
        let commands = self.command_buffer(CommandBufferFlags::empty())?;
        let mut names = Names {
            indirect: self.indirect,
            table: Vec::new(),
        };
        commands.begin()?;
        record(&commands, &mut names)?;
        commands.end()?;
        Ok(Execution {
            commands,
            bindings: BindingTable::new(names.table),
        })
    }

    /// Executes, once, and waits.
    pub(crate) fn execute(&self, execution: &Execution) -> hal::Result<()> {
        self.submit_and_wait(|queue, signals| {
            queue.execute(&[], signals, std::slice::from_ref(execution))
        })
    }

    /// Records, executes once and waits.
    pub(crate) fn run(
        &self,
        record: impl FnOnce(&CommandBuffer, &mut Names) -> hal::Result<()>,
    ) -> hal::Result<()> {
        self.execute(&self.record(record)?)
    }

    /// A semaphore at 0.
    pub(crate) fn semaphore(&self) -> hal::Result<Semaphore> {
        self.device.create_semaphore(0)
    }
}

/// How commands name buffers: by themselves, or by slots of a table that is
/// filled on the way.
pub(crate) struct Names {
    indirect: bool,
    table: Vec<Binding>,
}

impl Names {
    /// A name for all of a buffer.
    pub(crate) fn whole(&mut self, buffer: &Buffer) -> BufferRef {
        self.range(buffer, 0, WHOLE_BUFFER)
    }

    /// A name for a range of a buffer. In a table it is the range that is
    /// bound, and the command takes all of the slot.
    pub(crate) fn range(&mut self, buffer: &Buffer, offset: u64, length: u64) -> BufferRef {
        if !self.indirect {
            return BufferRef::range(buffer, offset, length);
        }
        let slot = self.table.len() as u32;
        self.table.push(Binding::range(buffer, offset, length));
        BufferRef::slot(slot, 0, WHOLE_BUFFER)
    }
}

/// A number as it lies in memory.
pub(crate) trait Element: Copy {
    /// Its bytes, little-endian.
    fn bytes(self) -> [u8; 4];
    /// The number of these bytes.
    fn of_bytes(bytes: [u8; 4]) -> Self;
}

impl Element for u32 {
    fn bytes(self) -> [u8; 4] {
        self.to_le_bytes()
    }
    fn of_bytes(bytes: [u8; 4]) -> Self {
        Self::from_le_bytes(bytes)
    }
}

impl Element for f32 {
    fn bytes(self) -> [u8; 4] {
        self.to_le_bytes()
    }
    fn of_bytes(bytes: [u8; 4]) -> Self {
        Self::from_le_bytes(bytes)
    }
}

/// Numbers as they lie in memory.
pub(crate) fn to_bytes<T: Element>(values: &[T]) -> Vec<u8> {
    values.iter().flat_map(|value| value.bytes()).collect()
}

/// Numbers from how they lie in memory.
pub(crate) fn from_bytes<T: Element>(bytes: &[u8]) -> Vec<T> {
    let (words, rest) = bytes.as_chunks();
    assert!(rest.is_empty(), "{} bytes are no whole words", bytes.len());
    words.iter().map(|&word| T::of_bytes(word)).collect()
}

/// Bytes that differ from their neighbours and are the same every time.
pub(crate) fn varied(bytes: usize, seed: u32) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    (0..bytes)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .collect()
}

/// Fails with the first byte that differs.
pub(crate) fn expect_bytes(what: &str, actual: &[u8], expected: &[u8]) -> Outcome {
    assert_eq!(actual.len(), expected.len(), "{what}: length");
    match actual.iter().zip(expected).position(|(a, b)| a != b) {
        None => Ok(()),
        Some(at) => panic!(
            "{what}: byte {at} is {:#04x}, not {:#04x}",
            actual[at], expected[at]
        ),
    }
}
