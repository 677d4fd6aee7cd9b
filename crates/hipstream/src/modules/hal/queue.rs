//! `device.queue.*`: work in the order of fences, and the files that queues read.

use bytes::Bytes;
use hal::flags::{CommandBufferFlags, CommandCategories, MemoryAccess};
use hal::{
    Binding, BindingTable, BufferParams, BufferRef, Device, Execution, File, Queue, QueueAffinity,
    Timepoint,
};
use vm::{Call, Code, Error, Flow, Result};

use super::allocator::{buffer_params, of_length};
use super::command_buffer::{Pattern, record_fill};
use super::{HalModule, to_error, types};

/// What every function here begins with: where the work goes, what it waits
/// for and what it signals.
struct Target<'a> {
    device: &'a Device,
    affinity: QueueAffinity,
    queue: &'a Queue,
    waits: &'a [Timepoint],
    signals: &'a [Timepoint],
}

impl<'a> Target<'a> {
    fn read(call: &mut Call<'a>) -> Result<Self> {
        let (device, affinity, queue) = queue(call)?;
        Ok(Self {
            device,
            affinity,
            queue,
            waits: points(call)?,
            signals: points(call)?,
        })
    }
}

/// The next two arguments, a device and an affinity, and the queue they select.
fn queue<'a>(call: &mut Call<'a>) -> Result<(&'a Device, QueueAffinity, &'a Queue)> {
    let device = call.object(&types::DEVICE)?;
    let affinity = QueueAffinity(call.u64()?);
    let queue = device.queue(affinity).map_err(to_error)?;
    Ok((device, affinity, queue))
}

/// The points of the next argument, a fence; null has none.
fn points<'a>(call: &mut Call<'a>) -> Result<&'a [Timepoint]> {
    Ok(call.optional(&types::FENCE)?.map_or(&[], |fence| fence))
}

/// How a call that submits work ends.
fn submitted(result: hal::Result<()>) -> Result<Flow> {
    result.map_err(to_error)?;
    Ok(Flow::Return)
}

pub(super) fn alloca(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let target = Target::read(call)?;
    check_pool(call.i64()?)?;
    finish_alloca(call, &target)
}

pub(super) fn alloca_v2(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let target = Target::read(call)?;
    check_pool(call.i32()?.into())?;
    finish_alloca(call, &target)
}

fn check_pool(pool: i64) -> Result<()> {
    match pool {
        0 => Ok(()),
        _ => Err(Error::new(
            Code::UNIMPLEMENTED,
            format!("the only memory pool of a program is 0; this is {pool:#x}"),
        )),
    }
}

fn finish_alloca(call: &mut Call<'_>, target: &Target<'_>) -> Result<Flow> {
    let params: BufferParams = buffer_params(call, target.affinity.0)?;
    let length = call.u64()?;
    let buffer = target
        .queue
        .alloca(target.waits, target.signals, &params, length)
        .and_then(|buffer| of_length(buffer, length))
        .map_err(to_error)?;
    call.ret(types::BUFFER.wrap(buffer).into());
    Ok(Flow::Return)
}

pub(super) fn dealloca(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let target = Target::read(call)?;
    let buffer = call.object(&types::BUFFER)?;
    submitted(target.queue.dealloca(target.waits, target.signals, buffer))
}

pub(super) fn barrier(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let target = Target::read(call)?;
    submitted(target.queue.barrier(target.waits, target.signals))
}

pub(super) fn flush(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let (_, _, queue) = queue(call)?;
    queue.flush();
    Ok(Flow::Return)
}

pub(super) fn copy(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let target = Target::read(call)?;
    let (from, from_offset) = (call.object(&types::BUFFER)?, call.u64()?);
    let (to, to_offset) = (call.object(&types::BUFFER)?, call.u64()?);
    let length = call.u64()?;
    submitted(target.queue.copy(
        target.waits,
        target.signals,
        &BufferRef::range(from, from_offset, length),
        &BufferRef::range(to, to_offset, length),
    ))
}

pub(super) fn fill(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let target = Target::read(call)?;
    let buffer = call.object(&types::BUFFER)?;
    let (offset, length) = (call.u64()?, call.u64()?);
    let pattern = Pattern::read(call)?;
    let range = BufferRef::range(buffer, offset, length);
    let (waits, signals) = (target.waits, target.signals);
    if let Some(bytes) = pattern.native() {
        return submitted(target.queue.fill(waits, signals, &range, bytes));
    }
    let record = || {
        let commands = target.device.create_command_buffer(
            CommandBufferFlags::ONE_SHOT,
            CommandCategories::TRANSFER,
            target.affinity,
            0,
        )?;
        commands.begin()?;
        record_fill(&commands, &range, &pattern)?;
        commands.end()?;
        let execution = Execution::new(&commands);
        target.queue.execute(waits, signals, &[execution])
    };
    submitted(record())
}

pub(super) fn update(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let target = Target::read(call)?;
    let (source, source_offset) = (call.object(&vm::types::BUFFER)?, call.u64()?);
    let (buffer, offset) = (call.object(&types::BUFFER)?, call.u64()?);
    let length = call.u64()?;
    let bytes = source.range(source_offset, length)?;
    let range = BufferRef::range(buffer, offset, length);
    submitted(source.read(|source| {
        target
            .queue
            .update(target.waits, target.signals, &source[bytes], &range)
    }))
}

pub(super) fn execute(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let target = Target::read(call)?;
    // Without commands there is still something to signal.
    submitted(match call.optional(&types::COMMAND_BUFFER)? {
        Some(commands) => {
            let execution = Execution::new(commands);
            target
                .queue
                .execute(target.waits, target.signals, &[execution])
        }
        None => target.queue.barrier(target.waits, target.signals),
    })
}

/// Several command buffers, one after the other.
pub(super) fn execute_v2(module: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let target = Target::read(call)?;
    let executions = &mut module.scratch.executions;
    executions.clear();
    for _ in 0..call.group()? {
        let commands = call.object(&types::COMMAND_BUFFER)?;
        executions.push(Execution::new(commands));
    }
    let result = target
        .queue
        .execute(target.waits, target.signals, executions);
    executions.clear();
    submitted(result)
}

pub(super) fn execute_indirect(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let target = Target::read(call)?;
    let commands = call.object(&types::COMMAND_BUFFER)?;
    let _flags = call.i64()?;
    let table = binding_table(call)?;
    let execution = Execution::with_bindings(commands, &table);
    submitted(
        target
            .queue
            .execute(target.waits, target.signals, &[execution]),
    )
}

/// The next group, buffers with offset and length; a null one leaves its slot free.
pub(super) fn binding_table(call: &mut Call<'_>) -> Result<BindingTable> {
    (0..call.group()?)
        .map(|_| {
            Ok(Binding {
                buffer: call.optional(&types::BUFFER)?.cloned(),
                offset: call.u64()?,
                length: call.u64()?,
            })
        })
        .collect()
}

pub(super) fn read(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let target = Target::read(call)?;
    let (file, file_offset) = (call.object(&types::FILE)?, call.u64()?);
    let (buffer, offset) = (call.object(&types::BUFFER)?, call.u64()?);
    let range = BufferRef::range(buffer, offset, call.u64()?);
    submitted(
        target
            .queue
            .read(target.waits, target.signals, file, file_offset, &range),
    )
}

pub(super) fn write(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let target = Target::read(call)?;
    let (buffer, offset) = (call.object(&types::BUFFER)?, call.u64()?);
    let (file, file_offset) = (call.object(&types::FILE)?, call.u64()?);
    let range = BufferRef::range(buffer, offset, call.u64()?);
    submitted(
        target
            .queue
            .write(target.waits, target.signals, &range, file, file_offset),
    )
}

/// `ex.file.from_memory`: data of the module as a file. Data that the program
/// can still write are taken as they are now.
pub(super) fn file_from_memory(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    queue(call)?;
    let access = MemoryAccess::from_bits_retain(call.u32()?);
    let source = call.object(&vm::types::BUFFER)?;
    let offset = call.u64()?;
    let length = match call.u64()? {
        hal::WHOLE_BUFFER => source.len().saturating_sub(offset),
        length => length,
    };
    let range = source.range(offset, length)?;
    if access != MemoryAccess::READ {
        return Err(Error::new(
            Code::PERMISSION_DENIED,
            format!("a file over data of a program can only be read, not {access:?}"),
        ));
    }
    let bytes = match source.shared() {
        Some(bytes) => bytes.slice(range),
        None => source.read(|bytes| Bytes::copy_from_slice(&bytes[range])),
    };
    call.ret(types::FILE.wrap(File::from_bytes(bytes)).into());
    Ok(Flow::Return)
}
