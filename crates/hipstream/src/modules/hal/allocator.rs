//! `allocator.*`: memory at once, without a queue.

use hal::flags::{BufferUsage, MemoryAccess, MemoryType};
use hal::{Allocator, Buffer, BufferParams, Status};
use vm::{Call, Code, Error, Flow, Result, Value};

use super::{HalModule, to_error, types};

pub(super) fn allocate(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let allocator = call.object(&types::ALLOCATOR)?;
    let affinity = call.u64()?;
    let params = BufferParams {
        owner: allocator.owner(call.caller().unwrap_or("program")),
        ..buffer_params(call, affinity)?
    };
    let length = call.u64()?;
    let buffer = allocator
        .allocate(&params, length)
        .and_then(|buffer| of_length(buffer, length))
        .map_err(to_error)?;
    call.ret(types::BUFFER.wrap(buffer).into());
    Ok(Flow::Return)
}

/// The host's bytes as a buffer. Programs that only try get null and stream
/// the bytes into memory of the device, which kernels read much faster. One
/// that insists gets a copy, which for bytes that never change is as good.
pub(super) fn import(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let allocator = call.object(&types::ALLOCATOR)?;
    let is_attempt = call.i32()? != 0;
    let affinity = call.u64()?;
    let params = buffer_params(call, affinity)?;
    let source = call.object(&vm::types::BUFFER)?;
    let offset = call.u64()?;
    let length = match call.u64()? {
        hal::WHOLE_BUFFER => source.len().saturating_sub(offset),
        length => length,
    };
    let range = source.range(offset, length)?;
    let is_immutable = params.usage.contains(BufferUsage::SHARING_IMMUTABLE);
    if !source.is_writable() && !is_immutable {
        return Err(Error::new(
            Code::PERMISSION_DENIED,
            "read-only data of a module can only become a buffer that nobody writes",
        ));
    }
    if is_attempt {
        call.ret(Value::Ref(None));
        return Ok(Flow::Return);
    }
    if source.is_writable() {
        return Err(Error::new(
            Code::UNAVAILABLE,
            "memory of a program cannot be shared with a device in place",
        ));
    }
    let buffer = source
        .read(|bytes| import_copy(allocator, params, &bytes[range]))
        .map_err(to_error)?;
    call.ret(types::BUFFER.wrap(buffer).into());
    Ok(Flow::Return)
}

fn import_copy(allocator: &Allocator, params: BufferParams, bytes: &[u8]) -> hal::Result<Buffer> {
    if params.memory_type.contains(MemoryType::DEVICE_LOCAL) {
        return Err(Status::unavailable(
            "the host's memory cannot become memory of the device in place",
        ));
    }
    let params = BufferParams {
        usage: params.usage | BufferUsage::MAPPING,
        access: MemoryAccess::ALL,
        ..params
    };
    let buffer = of_length(
        allocator.allocate(&params, bytes.len() as u64)?,
        bytes.len() as u64,
    )?;
    buffer.map_write(0, bytes)?;
    Ok(buffer)
}

/// The first device offered will do: nothing is known against it.
pub(super) fn select(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let _memory_types = call.i32()?;
    let _usage = call.i32()?;
    let _flags = call.i64()?;
    if call.group()? == 0 {
        return Err(Error::new(
            Code::INVALID_ARGUMENT,
            "there is no device to select from",
        ));
    }
    let device = call.reference()?.cloned();
    let affinity = call.i64()?;
    call.ret(Value::Ref(device));
    call.ret(Value::I64(affinity));
    Ok(Flow::Return)
}

/// What the next two arguments, memory type and usage, ask for.
pub(super) fn buffer_params(call: &mut Call<'_>, affinity: u64) -> Result<BufferParams> {
    Ok(BufferParams {
        memory_type: MemoryType::from_bits_retain(call.u32()?),
        usage: BufferUsage::from_bits_retain(call.u32()?),
        access: MemoryAccess::empty(),
        queue_affinity: affinity,
        ..BufferParams::default()
    })
}

/// An allocation for nothing has some bytes; the buffer of a program has none.
pub(super) fn of_length(buffer: Buffer, length: u64) -> hal::Result<Buffer> {
    match buffer.byte_length() == length {
        true => Ok(buffer),
        false => buffer.subspan(0, length),
    }
}
