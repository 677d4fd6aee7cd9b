//! `buffer.*`: ranges of memory, looked at and touched from the host.

use hal::flags::{BufferUsage, MemoryType};
use vm::{Call, Code, Error, Flow, Result, Value};

use super::{HalModule, lossy, to_error, types};

pub(super) fn allocation_preserve(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    call.object(&types::BUFFER)?.allocation().preserve();
    Ok(Flow::Return)
}

pub(super) fn allocation_discard(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let was_last = call.object(&types::BUFFER)?.allocation().discard();
    call.ret(Value::I32(was_last.into()));
    Ok(Flow::Return)
}

pub(super) fn allocation_is_terminal(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let is_terminal = call.object(&types::BUFFER)?.allocation().has_one_owner();
    call.ret(Value::I32(is_terminal.into()));
    Ok(Flow::Return)
}

pub(super) fn assert(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let buffer = call.object(&types::BUFFER)?;
    let name = call.optional(&vm::types::BUFFER)?;
    let _allocator = call.object(&types::ALLOCATOR)?;
    let least = call.u64()?;
    let memory_type = MemoryType::from_bits_retain(call.u32()?);
    let usage = BufferUsage::from_bits_retain(call.u32()?);
    let name = || name.map_or_else(String::new, lossy);
    buffer
        .validate_memory_type(memory_type)
        .and_then(|()| buffer.validate_usage(usage))
        .map_err(|status| to_error(status.context(format!("{} cannot be used", name()))))?;
    if buffer.byte_length() < least {
        return Err(Error::new(
            Code::INVALID_ARGUMENT,
            format!(
                "{} is too short; expected at least {least} bytes but have {}",
                name(),
                buffer.byte_length()
            ),
        ));
    }
    Ok(Flow::Return)
}

pub(super) fn length(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let length = call.object(&types::BUFFER)?.byte_length();
    call.ret(Value::I64(length.cast_signed()));
    Ok(Flow::Return)
}

pub(super) fn subspan(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let buffer = call.object(&types::BUFFER)?;
    let (offset, length) = (call.u64()?, call.u64()?);
    let part = buffer.subspan(offset, length).map_err(to_error)?;
    call.ret(types::BUFFER.wrap(part).into());
    Ok(Flow::Return)
}

/// One to four bytes, as a number without sign. Waits for the device if only
/// that can reach them.
pub(super) fn load(module: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let buffer = call.object(&types::BUFFER)?;
    let offset = call.u64()?;
    let length = value_length(call)?;
    let mut bytes = [0; 4];
    module
        .any_device()?
        .read(buffer, offset, &mut bytes[..length])
        .map_err(to_error)?;
    call.ret(Value::I32(i32::from_le_bytes(bytes)));
    Ok(Flow::Return)
}

/// The low bytes of a number, one to four. Waits for the device if only that
/// can reach the place.
pub(super) fn store(module: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let value = call.i32()?;
    let buffer = call.object(&types::BUFFER)?;
    let offset = call.u64()?;
    let length = value_length(call)?;
    let bytes = &value.to_le_bytes()[..length];
    let is_mapped = buffer.memory_type().contains(MemoryType::HOST_VISIBLE)
        && buffer.allowed_usage().contains(BufferUsage::MAPPING_SCOPED);
    let stored = match is_mapped {
        true => buffer.map_write(offset, bytes),
        false => module
            .any_device()?
            .write(buffer, offset, bytes)
            .and_then(|done| done.semaphore.wait(done.value, hal::Timeout::Infinite)),
    };
    stored.map_err(to_error)?;
    Ok(Flow::Return)
}

fn value_length(call: &mut Call<'_>) -> Result<usize> {
    match call.i32()? {
        length @ 1..=4 => Ok(length as usize),
        length => Err(Error::new(
            Code::INVALID_ARGUMENT,
            format!("a number in a buffer has 1 to 4 bytes, not {length}"),
        )),
    }
}
