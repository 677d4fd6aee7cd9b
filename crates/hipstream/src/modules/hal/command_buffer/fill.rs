//! Fills, with patterns of up to 8 bytes. Devices know up to 4.

use hal::{BufferRef, BufferSource, CommandBuffer, MAX_UPDATE_BYTES, Status, WHOLE_BUFFER};
use vm::{Call, Code, Error, Flow, Result};

use super::buffer_ref;
use crate::modules::hal::{HalModule, to_error, types};

/// What is repeated.
pub(in crate::modules::hal) struct Pattern {
    bytes: [u8; 8],
    length: usize,
}

impl Pattern {
    /// The next two arguments: a number, and how many of its low bytes.
    pub(in crate::modules::hal) fn read(call: &mut Call<'_>) -> Result<Self> {
        let value = call.u64()?;
        Self::new(value, call.i32()?)
    }

    fn new(value: u64, length: i32) -> Result<Self> {
        let length = match length {
            1 | 2 | 4 | 8 => length as usize,
            _ => {
                return Err(Error::new(
                    Code::INVALID_ARGUMENT,
                    format!("a fill pattern has 1, 2, 4 or 8 bytes, not {length}"),
                ));
            }
        };
        Ok(Self {
            bytes: value.to_le_bytes(),
            length,
        })
    }

    /// The pattern as devices know it, if they do.
    pub(in crate::modules::hal) fn native(&self) -> Option<&[u8]> {
        let (low, high) = self.bytes.split_at(4);
        match self.length {
            8 if low == high => Some(low),
            8 => None,
            length => Some(&self.bytes[..length]),
        }
    }
}

pub(in crate::modules::hal) fn fill_buffer(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let commands = call.object(&types::COMMAND_BUFFER)?;
    let buffer = call.optional(&types::BUFFER)?;
    let (offset, length) = (call.u64()?, call.u64()?);
    let slot = call.u32()?;
    let pattern = Pattern::read(call)?;
    let target = buffer_ref(buffer, slot, offset, length);
    record_fill(commands, &target, &pattern).map_err(to_error)?;
    Ok(Flow::Return)
}

pub(in crate::modules::hal) fn fill_buffer_v2(
    _: &mut HalModule,
    call: &mut Call<'_>,
) -> Result<Flow> {
    let commands = call.object(&types::COMMAND_BUFFER)?;
    let buffer = call.object(&types::BUFFER)?;
    let (offset, length) = (call.u64()?, call.u64()?);
    let value = call.u32()?;
    let pattern = Pattern::new(value.into(), call.i32()?)?;
    let target = BufferRef::range(buffer, offset, length);
    record_fill(commands, &target, &pattern).map_err(to_error)?;
    Ok(Flow::Return)
}

/// Records a fill, with a pattern that devices know or without.
pub(in crate::modules::hal) fn record_fill(
    commands: &CommandBuffer,
    target: &BufferRef,
    pattern: &Pattern,
) -> hal::Result<()> {
    if let Some(bytes) = pattern.native() {
        return commands.fill(target, bytes);
    }
    let length = match (target.length, &target.source) {
        (WHOLE_BUFFER, BufferSource::Buffer(buffer)) => {
            let range = buffer.range(target.offset, WHOLE_BUFFER)?;
            range.end - range.start
        }
        (WHOLE_BUFFER, BufferSource::Slot(_)) => {
            return Err(Status::unimplemented(
                "a pattern of 8 bytes fills what a slot is bound to only if the length is given",
            ));
        }
        (length, _) => length,
    };
    if !target.offset.is_multiple_of(8) || !length.is_multiple_of(8) {
        return Err(Status::invalid_argument(format!(
            "offset {} and length {length} of a fill must be multiples of its pattern's 8 bytes",
            target.offset
        )));
    }
    let target = BufferRef {
        length,
        ..target.clone()
    };
    record_repeated(commands, &target, &pattern.bytes)
}

/// Records what no fill does: a pattern of a length that divides 64 KiB, at any
/// place, cut at the end of the range. It is written once as far as an update
/// goes, and copied, twice as much each time.
pub(in crate::modules) fn record_repeated(
    commands: &CommandBuffer,
    target: &BufferRef,
    pattern: &[u8],
) -> hal::Result<()> {
    let length = target.length;
    let part = |offset: u64, length: u64| BufferRef {
        source: target.source.clone(),
        offset: target.offset.saturating_add(offset),
        length,
    };
    let mut filled = length.min(MAX_UPDATE_BYTES as u64);
    let mut first = pattern.repeat((filled as usize).div_ceil(pattern.len()));
    first.truncate(filled as usize);
    commands.update(&first, &part(0, filled))?;
    while filled < length {
        let more = filled.min(length - filled);
        commands.barrier()?;
        commands.copy(&part(0, more), &part(filled, more))?;
        filled += more;
    }
    Ok(())
}
