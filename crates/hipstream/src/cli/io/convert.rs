//! Values to arguments of a session, and its outputs to values.

use hal::{Buffer, BufferParams, BufferView, Device, Encoding, Timeout};

use super::Value;
use crate::array::Array;
use crate::{Argument, Error, Output, Result, Tensor};

/// The value as an argument; bytes without a shape are copied to the device.
pub(in crate::cli) fn argument<'a>(value: &'a Value, device: &Device) -> Result<Argument<'a>> {
    Ok(match value {
        Value::I32(value) => Argument::I32(*value),
        Value::I64(value) => Argument::I64(*value),
        Value::F32(value) => Argument::F32(*value),
        Value::F64(value) => Argument::F64(*value),
        Value::Array(array) => array.into(),
        Value::Storage(array) => Argument::Buffer(upload(array, device)?),
        // Inputs are never of another kind.
        Value::Null | Value::Other(_) => Argument::Null,
    })
}

/// The value as an argument that stays on the device.
pub(in crate::cli) fn resident(value: &Value, device: &Device) -> Result<Argument<'static>> {
    Ok(match value {
        Value::I32(value) => Argument::I32(*value),
        Value::I64(value) => Argument::I64(*value),
        Value::F32(value) => Argument::F32(*value),
        Value::F64(value) => Argument::F64(*value),
        Value::Array(array) => {
            let (shape, element_type) = (array.shape(), array.element_type());
            let buffer = upload(array, device)?;
            let view = BufferView::new(buffer, shape, element_type, Encoding::DENSE_ROW_MAJOR)?;
            Argument::Tensor(Tensor::new(device, view))
        }
        Value::Storage(array) => Argument::Buffer(upload(array, device)?),
        // Inputs are never of another kind.
        Value::Null | Value::Other(_) => Argument::Null,
    })
}

/// The output in host memory.
pub(in crate::cli) fn value(output: &Output, device: &Device) -> Result<Value> {
    Ok(match output {
        Output::I32(value) => Value::I32(*value),
        Output::I64(value) => Value::I64(*value),
        Output::F32(value) => Value::F32(*value),
        Output::F64(value) => Value::F64(*value),
        Output::Tensor(tensor) => Value::Array(tensor.to_array()?),
        Output::Buffer(buffer) => Value::Storage(download(buffer, device)?),
        Output::Object(object) => Value::Other(object.kind().name().to_owned()),
        Output::Null => Value::Null,
    })
}

fn upload(array: &Array, device: &Device) -> Result<Buffer> {
    let bytes = array.bytes();
    let buffer = device
        .allocator()
        .allocate(&BufferParams::device_local(), bytes.len() as u64)?
        .subspan(0, bytes.len() as u64)?;
    let copied = device.write(&buffer, 0, bytes)?;
    copied.semaphore.wait(copied.value, Timeout::Infinite)?;
    Ok(buffer)
}

fn download(buffer: &Buffer, device: &Device) -> Result<Array> {
    let length = buffer.byte_length();
    let zeros = Array::zeros(hal::ElementType::INT_8, vec![length]).map_err(exhausted)?;
    let mut bytes = zeros.bytes().to_vec();
    device.read(buffer, 0, &mut bytes)?;
    zeros.with_bytes(bytes).map_err(exhausted)
}

fn exhausted(error: crate::array::ArrayError) -> Error {
    Error::new(hal::StatusCode::ResourceExhausted, error.to_string())
}
