//! `device.queue.*`: work in the order of fences, and the files that queues read.

use std::ops::Deref;

use hal::flags::MemoryAccess;
use hal::{
    Binding, BindingTable, BufferParams, BufferRef, Device, Execution, Fence, File, Queue,
    QueueAffinity, Timepoint,
};
use smallvec::SmallVec;
use vm::{Call, Code, Error, Flow, Result};

use super::allocator::{buffer_params, of_length};
use super::command_buffer::{Pattern, record_fill};
use super::{HalModule, to_error, to_status, types};

/// What every call that submits work begins with: where the work goes, what
/// it waits for and what it signals.
pub(in crate::modules) struct Target<'a> {
    pub(in crate::modules) device: &'a Device,
    pub(in crate::modules) affinity: QueueAffinity,
    pub(in crate::modules) waits: Waits<'a>,
    /// The program has gone on behind a wait, and goes on from here.
    is_ahead: bool,
    pub(in crate::modules) signals: &'a [Timepoint],
}

impl<'a> Target<'a> {
    /// The next four arguments: device, affinity, two fences.
    fn read(call: &mut Call<'a>) -> Result<Self> {
        Ok(Self {
            device: call.object(&types::DEVICE)?,
            affinity: QueueAffinity(call.u64()?),
            waits: Waits::read(call)?,
            is_ahead: call.owed().is_some(),
            signals: points(call)?,
        })
    }

    pub(in crate::modules) fn queue(&self) -> Result<&'a Queue> {
        self.device.queue(self.affinity).map_err(to_error)
    }

    fn execute(&self, queue: &Queue, executions: &[Execution]) -> hal::Result<()> {
        match self.is_ahead {
            true => queue.execute_ahead(&self.waits, self.signals, executions),
            false => queue.execute(&self.waits, self.signals, executions),
        }
    }
}

/// What work waits for.
pub(in crate::modules) enum Waits<'a> {
    Given(&'a [Timepoint]),
    Joined(SmallVec<[Timepoint; 4]>),
}

impl<'a> Waits<'a> {
    /// The next argument, and what the caller has gone on behind.
    fn read(call: &mut Call<'a>) -> Result<Self> {
        let waits = points(call)?;
        let owed = call.owed().and_then(|owed| types::FENCE.of(owed));
        Ok(match (waits, owed) {
            (waits, None) => Self::Given(waits),
            ([], Some(owed)) => Self::Given(owed),
            (waits, Some(owed)) => Self::Joined(waits.iter().chain(&**owed).cloned().collect()),
        })
    }
}

impl Deref for Waits<'_> {
    type Target = [Timepoint];

    fn deref(&self) -> &[Timepoint] {
        match self {
            Self::Given(waits) => waits,
            Self::Joined(waits) => waits,
        }
    }
}

/// The points of the next argument, a fence; null has none.
fn points<'a>(call: &mut Call<'a>) -> Result<&'a [Timepoint]> {
    Ok(call.optional(&types::FENCE)?.map_or(&[], |fence| fence))
}

/// Reads the target of a call and does the rest of it: if that fails, so do
/// the signals, and nobody waits for what will not happen.
pub(in crate::modules) fn settle<'a, T>(
    call: &mut Call<'a>,
    rest: impl FnOnce(&Target<'a>, &mut Call<'a>) -> Result<T>,
) -> Result<T> {
    let target = Target::read(call)?;
    rest(&target, call).inspect_err(|error| {
        let signals: Fence = target.signals.iter().cloned().collect();
        signals.fail(&to_status(error));
    })
}

/// A call that submits work and returns nothing.
fn submit<'a>(
    call: &mut Call<'a>,
    work: impl FnOnce(&Target<'a>, &Queue, &mut Call<'a>) -> Result<hal::Result<()>>,
) -> Result<Flow> {
    settle(call, |target, call| {
        work(target, target.queue()?, call)?.map_err(to_error)
    })?;
    Ok(Flow::Return)
}

pub(super) fn alloca(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    allocate(call, |call| call.i64())
}

pub(super) fn alloca_v2(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    allocate(call, |call| Ok(call.i32()?.into()))
}

fn allocate(
    call: &mut Call<'_>,
    read_pool: impl FnOnce(&mut Call<'_>) -> Result<i64>,
) -> Result<Flow> {
    let buffer = settle(call, |target, call| {
        check_pool(read_pool(call)?)?;
        let allocator = target.device.allocator();
        let params = BufferParams {
            owner: allocator.owner(call.caller().unwrap_or("program")),
            ..buffer_params(call, target.affinity.0)?
        };
        let length = call.u64()?;
        target
            .queue()?
            .alloca(&target.waits, target.signals, &params, length)
            .and_then(|buffer| of_length(buffer, length))
            .map_err(to_error)
    })?;
    call.ret(types::BUFFER.wrap(buffer).into());
    Ok(Flow::Return)
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

pub(super) fn dealloca(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    submit(call, |target, queue, call| {
        let buffer = call.object(&types::BUFFER)?;
        Ok(queue.dealloca(&target.waits, target.signals, buffer))
    })
}

pub(super) fn barrier(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    submit(call, |target, queue, _| {
        Ok(queue.barrier(&target.waits, target.signals))
    })
}

pub(super) fn flush(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    queue(call)?.flush();
    Ok(Flow::Return)
}

/// The queue that the next two arguments, a device and an affinity, select.
fn queue<'a>(call: &mut Call<'a>) -> Result<&'a Queue> {
    let device = call.object(&types::DEVICE)?;
    let affinity = QueueAffinity(call.u64()?);
    device.queue(affinity).map_err(to_error)
}

pub(super) fn copy(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    submit(call, |target, queue, call| {
        let (from, from_offset) = (call.object(&types::BUFFER)?, call.u64()?);
        let (to, to_offset) = (call.object(&types::BUFFER)?, call.u64()?);
        let length = call.u64()?;
        Ok(queue.copy(
            &target.waits,
            target.signals,
            &BufferRef::range(from, from_offset, length),
            &BufferRef::range(to, to_offset, length),
        ))
    })
}

pub(super) fn fill(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    submit(call, |target, queue, call| {
        let buffer = call.object(&types::BUFFER)?;
        let (offset, length) = (call.u64()?, call.u64()?);
        let pattern = Pattern::read(call)?;
        let range = BufferRef::range(buffer, offset, length);
        Ok(queue.run_once(&target.waits, target.signals, |commands| {
            record_fill(commands, &range, &pattern)
        }))
    })
}

pub(super) fn update(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    submit(call, |target, queue, call| {
        let (source, source_offset) = (call.object(&vm::types::BUFFER)?, call.u64()?);
        let (buffer, offset) = (call.object(&types::BUFFER)?, call.u64()?);
        let length = call.u64()?;
        let bytes = source.range(source_offset, length)?;
        let range = BufferRef::range(buffer, offset, length);
        let (waits, signals) = (&*target.waits, target.signals);
        let charge = call.charge(length)?;
        Ok(source.read(|source| {
            queue.run_once(waits, signals, |commands| {
                commands.keep(charge)?;
                commands.write(&source[bytes], &range)
            })
        }))
    })
}

pub(super) fn execute(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    submit(call, |target, queue, call| {
        let (waits, signals) = (&*target.waits, target.signals);
        // Without commands there is still something to signal.
        Ok(match call.optional(&types::COMMAND_BUFFER)? {
            Some(commands) => target.execute(queue, &[Execution::new(commands)]),
            None => queue.barrier(waits, signals),
        })
    })
}

/// Several command buffers, one after the other.
pub(super) fn execute_v2(module: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let executions = &mut module.scratch.executions;
    let result = submit(call, |target, queue, call| {
        for _ in 0..call.group()? {
            let commands = call.object(&types::COMMAND_BUFFER)?;
            executions.push(Execution::new(commands));
        }
        Ok(target.execute(queue, executions))
    });
    // Only their room is kept, however it ended.
    executions.clear();
    result
}

pub(super) fn execute_indirect(module: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let scratch = &mut module.scratch.table;
    let result = submit(call, |target, queue, call| {
        let commands = call.object(&types::COMMAND_BUFFER)?;
        let _flags = call.i64()?;
        read_bindings(call, scratch)?;
        let table = scratch.drain(..).collect();
        let execution = Execution::with_bindings(commands, &table);
        Ok(target.execute(queue, &[execution]))
    });
    scratch.clear();
    result
}

/// The next group, buffers with offset and length; a null one leaves its slot free.
fn read_bindings(call: &mut Call<'_>, bindings: &mut Vec<Binding>) -> Result<()> {
    for _ in 0..call.group()? {
        bindings.push(Binding {
            buffer: call.optional(&types::BUFFER)?.cloned(),
            offset: call.u64()?,
            length: call.u64()?,
        });
    }
    Ok(())
}

/// The same as a table.
pub(super) fn binding_table(call: &mut Call<'_>) -> Result<BindingTable> {
    let mut bindings = Vec::new();
    read_bindings(call, &mut bindings)?;
    Ok(BindingTable::new(bindings))
}

pub(super) fn read(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    submit(call, |target, queue, call| {
        let (file, file_offset) = (call.object(&types::FILE)?, call.u64()?);
        let (buffer, offset) = (call.object(&types::BUFFER)?, call.u64()?);
        let range = BufferRef::range(buffer, offset, call.u64()?);
        Ok(queue.read(&target.waits, target.signals, file, file_offset, &range))
    })
}

pub(super) fn write(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    submit(call, |target, queue, call| {
        let (buffer, offset) = (call.object(&types::BUFFER)?, call.u64()?);
        let (file, file_offset) = (call.object(&types::FILE)?, call.u64()?);
        let range = BufferRef::range(buffer, offset, call.u64()?);
        Ok(queue.write(&target.waits, target.signals, &range, file, file_offset))
    })
}

/// `ex.file.from_memory`: data of the module as a file. Data that the program
/// can still write would have to be copied, all of them, and are refused.
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
    let Some(bytes) = source.shared() else {
        return Err(Error::new(
            Code::PERMISSION_DENIED,
            "memory that the program can write cannot be a file; only its constant data can",
        ));
    };
    let file = File::from_bytes(bytes.slice(range));
    call.ret(types::FILE.wrap(file).into());
    Ok(Flow::Return)
}
