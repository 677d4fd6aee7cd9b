//! `devices.*` and `device.*`: which devices there are and what they say of themselves.

use hal::StatusCode;
use vm::{Call, Flow, Result, Value};

use super::{HalModule, text, to_error, types};

pub(super) fn count(module: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    call.ret(Value::I32(module.devices.len() as i32));
    Ok(Flow::Return)
}

/// The device with an index; null if there is none.
pub(super) fn get(module: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let index = usize::try_from(call.i32()?).ok();
    let device = index.and_then(|index| module.devices.get(index));
    call.ret(Value::Ref(device.cloned()));
    Ok(Flow::Return)
}

pub(super) fn allocator(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let allocator = call.object(&types::DEVICE)?.allocator().clone();
    call.ret(types::ALLOCATOR.wrap(allocator).into());
    Ok(Flow::Return)
}

/// Whether the device knows the question, and its answer.
pub(super) fn query_i64(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let device = call.object(&types::DEVICE)?;
    let (category, key) = (text(call)?, text(call)?);
    let (is_known, value) = match device.query_i64(&category, &key) {
        Ok(value) => (1, value),
        Err(status) if status.code() == StatusCode::NotFound => (0, 0),
        Err(status) => return Err(to_error(status)),
    };
    call.ret(Value::I32(is_known));
    call.ret(Value::I64(value));
    Ok(Flow::Return)
}
