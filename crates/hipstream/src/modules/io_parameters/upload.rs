//! From where parameters are to where they go.

use std::sync::Arc;

use bytes::Bytes;
use hal::flags::{CommandBufferFlags, CommandCategories};
use hal::{BufferRef, BufferSource, CommandBuffer, Execution, File, Timepoint};
use vm::Result;

use super::Meter;
use super::request::Request;
use crate::modules::hal::{Target, record_repeated, to_error};
use crate::parameters::{Origin, Pattern};

/// How many parts are waited for together.
const MOST_JOINED: usize = 32;

/// What a call has to move, submitted at its end: nothing moves if the call
/// finds anything wrong.
pub(super) struct Upload<'a> {
    target: &'a Target<'a>,
    meter: Option<&'a Arc<Meter>>,
    reads: Vec<(Bytes, BufferRef)>,
    splats: Vec<(Pattern, BufferRef)>,
}

impl<'a> Upload<'a> {
    pub(super) fn new(target: &'a Target<'a>, meter: Option<&'a Arc<Meter>>) -> Self {
        Self {
            target,
            meter,
            reads: Vec::new(),
            splats: Vec::new(),
        }
    }

    /// Adds a span; `to` has its length.
    pub(super) fn add(&mut self, request: &Request<'_>, to: BufferRef) {
        match &request.origin {
            _ if request.length == 0 => {}
            Origin::Bytes(bytes) => {
                // Checked against the parameter, which is in memory.
                let start = request.offset as usize;
                let bytes = bytes.slice(start..start + request.length as usize);
                self.reads.push((bytes, to));
            }
            Origin::Splat { pattern, .. } => {
                let pattern = pattern.rotated(request.offset);
                self.splats.push((pattern, to));
            }
        }
    }

    /// Submits all of it: behind the waits, the signals behind all.
    pub(super) fn submit(self) -> Result<()> {
        self.enqueue().map_err(to_error)
    }

    fn enqueue(self) -> hal::Result<()> {
        let queue = self.target.device.queue(self.target.affinity)?;
        let (waits, signals) = (&*self.target.waits, self.target.signals);
        let observer = self.meter.map(|meter| {
            let length = |(bytes, _): &(Bytes, BufferRef)| bytes.len() as u64;
            meter.expect(self.reads.iter().map(length).sum());
            let meter = meter.clone();
            Arc::new(move |bytes| meter.tell(bytes)) as hal::ReadObserver
        });
        let mut parts = Vec::new();
        if !self.splats.is_empty() {
            let execution = Execution::new(&self.record_splats()?);
            queue.execute(waits, &self.part(&mut parts)?, &[execution])?;
        }
        for (bytes, to) in &self.reads {
            let file = match &observer {
                Some(observer) => File::observed(bytes.clone(), observer.clone()),
                None => File::from_bytes(bytes.clone()),
            };
            queue.read(waits, &self.part(&mut parts)?, &file, 0, to)?;
        }
        // Work that waits looks at all its waits whenever one of them goes:
        // many are joined few at a time.
        while parts.len() > MOST_JOINED {
            let mut joined = Vec::new();
            for some in parts.chunks(MOST_JOINED) {
                queue.barrier(some, &self.part(&mut joined)?)?;
            }
            parts = joined;
        }
        // Waits that fail fail the parts too; without parts they stand for themselves.
        let waits = if parts.is_empty() { waits } else { &parts };
        queue.barrier(waits, signals)
    }

    /// A point for a part of the work to signal.
    fn part(&self, parts: &mut Vec<Timepoint>) -> hal::Result<[Timepoint; 1]> {
        let point = Timepoint::new(&self.target.device.create_semaphore(0)?, 1);
        parts.push(point.clone());
        Ok([point])
    }

    fn record_splats(&self) -> hal::Result<CommandBuffer> {
        let commands = self.target.device.create_command_buffer(
            CommandBufferFlags::ONE_SHOT,
            CommandCategories::TRANSFER,
            self.target.affinity,
            0,
        )?;
        commands.begin()?;
        for (pattern, to) in &self.splats {
            let bytes = pattern.shortest();
            let size = bytes.len() as u64;
            let is_aligned = address(to).is_multiple_of(size) && to.length.is_multiple_of(size);
            match is_aligned && size <= 4 {
                true => commands.fill(to, bytes)?,
                false => record_repeated(&commands, to, bytes)?,
            }
        }
        commands.end()?;
        Ok(commands)
    }
}

/// Where a range begins, from the start of its allocation, which is aligned to
/// more than any pattern has.
fn address(range: &BufferRef) -> u64 {
    match &range.source {
        BufferSource::Buffer(buffer) => buffer.byte_offset() + range.offset,
        BufferSource::Slot(_) => range.offset,
    }
}
