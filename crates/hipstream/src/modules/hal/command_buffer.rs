//! `command_buffer.*`: recording commands, in the forms of both versions.
//!
//! Version 7 gives each dispatch its constants and bindings, and a buffer may
//! be null: then a slot of the binding table stands for it. Version 2 pushes
//! constants and bindings, which stay for the dispatches to come, and knows
//! buffers only.

mod dispatch;
mod fill;

use hal::flags::{CommandBufferFlags, CommandCategories, ExecutionStage};
use hal::{BufferRef, CollectiveOp, Command, CommandBuffer, QueueAffinity};
use vm::{Call, Flow, Result};

pub(super) use dispatch::{
    dispatch, dispatch_indirect, dispatch_indirect_v2, dispatch_v2, push_constants,
    push_descriptor_set,
};
pub(in crate::modules) use fill::record_repeated;
pub(super) use fill::{Pattern, fill_buffer, fill_buffer_v2, record_fill};

use super::{HalModule, queue, text, to_error, types};

/// What only the owner of the process may ask for. A program that did could
/// make the device use memory that is not its own, or that was freed.
const UNCHECKED: CommandBufferFlags =
    CommandBufferFlags::UNRETAINED.union(CommandBufferFlags::UNVALIDATED);

/// A range of a buffer, or of what a slot is bound to if the buffer is null.
fn buffer_ref(buffer: Option<&hal::Buffer>, slot: u32, offset: u64, length: u64) -> BufferRef {
    match buffer {
        Some(buffer) => BufferRef::range(buffer, offset, length),
        None => BufferRef::slot(slot, offset, length),
    }
}

fn record(commands: &CommandBuffer, command: &Command<'_>) -> Result<Flow> {
    commands.record(command).map_err(to_error)?;
    Ok(Flow::Return)
}

pub(super) fn create(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let device = call.object(&types::DEVICE)?;
    let (mode, categories) = (call.u32()?, call.u32()?);
    let affinity = QueueAffinity(call.u64()?);
    finish_create(call, device, mode, categories, affinity)
}

pub(super) fn create_v2(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let device = call.object(&types::DEVICE)?;
    let (mode, categories) = (call.u32()?, call.u32()?);
    finish_create(call, device, mode, categories, QueueAffinity::ANY)
}

fn finish_create(
    call: &mut Call<'_>,
    device: &hal::Device,
    mode: u32,
    categories: u32,
    affinity: QueueAffinity,
) -> Result<Flow> {
    let capacity = call.u32()? as usize;
    let commands = device
        .create_command_buffer(
            // What is not known asks for profiles, and changes nothing else.
            CommandBufferFlags::from_bits_truncate(mode).difference(UNCHECKED),
            CommandCategories::from_bits_truncate(categories),
            affinity,
            capacity,
        )
        .and_then(|commands| commands.begin().map(|()| commands))
        .map_err(to_error)?;
    call.ret(types::COMMAND_BUFFER.wrap(commands).into());
    Ok(Flow::Return)
}

pub(super) fn finalize(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let commands = call.object(&types::COMMAND_BUFFER)?;
    commands.end().map_err(to_error)?;
    Ok(Flow::Return)
}

pub(super) fn execution_barrier(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let commands = call.object(&types::COMMAND_BUFFER)?;
    let (source, target) = (call.u32()?, call.u32()?);
    let flags = call.u64()?;
    record_barrier(commands, source, target, flags)
}

pub(super) fn execution_barrier_v2(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let commands = call.object(&types::COMMAND_BUFFER)?;
    let (source, target) = (call.u32()?, call.u32()?);
    let flags = call.u32()?;
    record_barrier(commands, source, target, flags.into())
}

fn record_barrier(commands: &CommandBuffer, source: u32, target: u32, flags: u64) -> Result<Flow> {
    record(
        commands,
        &Command::ExecutionBarrier {
            source: ExecutionStage::from_bits_retain(source),
            target: ExecutionStage::from_bits_retain(target),
            flags,
            memory: &[],
            buffers: &[],
        },
    )
}

pub(super) fn begin_debug_group(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let commands = call.object(&types::COMMAND_BUFFER)?;
    let label = text(call)?;
    record(commands, &Command::BeginDebugGroup { label: &label })
}

pub(super) fn end_debug_group(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let commands = call.object(&types::COMMAND_BUFFER)?;
    record(commands, &Command::EndDebugGroup)
}

/// Advice is not followed: there is nothing here that could be done better for it.
pub(super) fn advise_buffer(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    call.object(&types::COMMAND_BUFFER)?;
    call.optional(&types::BUFFER)?;
    Ok(Flow::Return)
}

/// `flush_buffer` and `invalidate_buffer`: all memory is coherent, and fences
/// order what the host sees, so there is nothing to record.
pub(super) fn make_visible(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    call.object(&types::COMMAND_BUFFER)?;
    let _slot = call.i32()?;
    call.optional(&types::BUFFER)?;
    Ok(Flow::Return)
}

pub(super) fn update_buffer(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let commands = call.object(&types::COMMAND_BUFFER)?;
    let (source, source_offset) = (call.object(&vm::types::BUFFER)?, call.u64()?);
    let (buffer, offset) = (call.optional(&types::BUFFER)?, call.u64()?);
    let length = call.u64()?;
    let slot = call.u32()?;
    let range = source.range(source_offset, length)?;
    let target = buffer_ref(buffer, slot, offset, length);
    commands.keep(call.charge(length)?).map_err(to_error)?;
    let updated = source.read(|bytes| commands.write(&bytes[range], &target));
    updated.map_err(to_error)?;
    Ok(Flow::Return)
}

pub(super) fn copy_buffer(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let commands = call.object(&types::COMMAND_BUFFER)?;
    let (from_slot, to_slot) = (call.u32()?, call.u32()?);
    let (from, from_offset) = (call.optional(&types::BUFFER)?, call.u64()?);
    let (to, to_offset) = (call.optional(&types::BUFFER)?, call.u64()?);
    let length = call.u64()?;
    record(
        commands,
        &Command::Copy {
            source: &buffer_ref(from, from_slot, from_offset, length),
            target: &buffer_ref(to, to_slot, to_offset, length),
        },
    )
}

pub(super) fn copy_buffer_v2(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let commands = call.object(&types::COMMAND_BUFFER)?;
    let (from, from_offset) = (call.object(&types::BUFFER)?, call.u64()?);
    let (to, to_offset) = (call.object(&types::BUFFER)?, call.u64()?);
    let length = call.u64()?;
    record(
        commands,
        &Command::Copy {
            source: &BufferRef::range(from, from_offset, length),
            target: &BufferRef::range(to, to_offset, length),
        },
    )
}

pub(super) fn collective(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let commands = call.object(&types::COMMAND_BUFFER)?;
    let channel = call.object(&types::CHANNEL)?;
    let op = CollectiveOp::from_packed(call.u32()?).map_err(to_error)?;
    let param = call.u32()?;
    let (send_slot, receive_slot) = (call.u32()?, call.u32()?);
    let (send, receive) = (
        call.optional(&types::BUFFER)?,
        call.optional(&types::BUFFER)?,
    );
    let send = buffer_ref(send, send_slot, call.u64()?, call.u64()?);
    let receive = buffer_ref(receive, receive_slot, call.u64()?, call.u64()?);
    let command = Command::Collective {
        channel,
        op,
        param,
        send: op.kind.sends().then_some(&send),
        receive: op.kind.receives().then_some(&receive),
        element_count: call.u64()?,
    };
    record(commands, &command)
}

pub(super) fn collective_v2(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let commands = call.object(&types::COMMAND_BUFFER)?;
    let channel = call.object(&types::CHANNEL)?;
    let op = CollectiveOp::from_packed(call.u32()?).map_err(to_error)?;
    let param = call.u32()?;
    let mut side = || -> Result<Option<BufferRef>> {
        let buffer = call.optional(&types::BUFFER)?;
        let (offset, length) = (call.u64()?, call.u64()?);
        Ok(buffer.map(|buffer| BufferRef::range(buffer, offset, length)))
    };
    let (send, receive) = (side()?, side()?);
    let command = Command::Collective {
        channel,
        op,
        param,
        send: send.as_ref(),
        receive: receive.as_ref(),
        element_count: call.u64()?,
    };
    record(commands, &command)
}

pub(super) fn execute_commands(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let commands = call.object(&types::COMMAND_BUFFER)?;
    let nested = call.object(&types::COMMAND_BUFFER)?;
    let bindings = queue::binding_table(call)?;
    record(
        commands,
        &Command::ExecuteCommands {
            commands: nested,
            bindings: &bindings,
        },
    )
}
