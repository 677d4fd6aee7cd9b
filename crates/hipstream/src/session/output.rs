//! What functions give back.

use hal::{Buffer, BufferView, Device, ElementType, StatusCode};
use vm::{Ref, Value};

use super::Element;
use crate::array::Array;
use crate::modules::hal::types;
use crate::{Error, Result};

/// A result of a function.
#[derive(Clone, Debug)]
pub enum Output {
    /// A 32-bit integer, or a narrower one.
    I32(i32),
    /// A 64-bit integer.
    I64(i64),
    /// A 32-bit float.
    F32(f32),
    /// A 64-bit float.
    F64(f64),
    /// An array on the device.
    Tensor(Tensor),
    /// Device memory without a shape.
    Buffer(Buffer),
    /// An object of any other type.
    Object(Ref),
    /// No object.
    Null,
}

impl Output {
    pub(super) fn from_value(value: Value, device: &Device) -> Self {
        match value {
            Value::I32(value) => Self::I32(value),
            Value::I64(value) => Self::I64(value),
            Value::F32(value) => Self::F32(value),
            Value::F64(value) => Self::F64(value),
            Value::Ref(None) => Self::Null,
            Value::Ref(Some(reference)) => {
                if let Some(view) = types::BUFFER_VIEW.of(&reference) {
                    Self::Tensor(Tensor::new(device, view.clone()))
                } else if let Some(buffer) = types::BUFFER.of(&reference) {
                    Self::Buffer(buffer.clone())
                } else {
                    Self::Object(reference)
                }
            }
        }
    }

    /// The array, if it is one.
    pub fn tensor(&self) -> Option<&Tensor> {
        match self {
            Self::Tensor(tensor) => Some(tensor),
            _ => None,
        }
    }

    /// The elements of an array; see [`Tensor::to_vec`].
    ///
    /// # Errors
    ///
    /// `INVALID_ARGUMENT` if the result is no array.
    pub fn to_vec<T: Element>(&self) -> Result<Vec<T>> {
        match self {
            Self::Tensor(tensor) => tensor.to_vec(),
            other => Err(Error::new(
                StatusCode::InvalidArgument,
                format!("the result is no array but {other:?}"),
            )),
        }
    }
}

/// An array on a device. Cheap to clone; the memory goes with the last clone.
#[derive(Clone, Debug)]
pub struct Tensor {
    device: Device,
    view: BufferView,
}

impl Tensor {
    /// An array in memory of `device`.
    pub fn new(device: &Device, view: BufferView) -> Self {
        Self {
            device: device.clone(),
            view,
        }
    }

    /// Sizes, outermost first; empty for rank 0.
    pub fn shape(&self) -> &[u64] {
        self.view.shape()
    }

    /// What an element is.
    pub fn element_type(&self) -> ElementType {
        self.view.element_type()
    }

    /// The memory with its shape.
    pub fn view(&self) -> &BufferView {
        &self.view
    }

    /// Bytes of the elements.
    ///
    /// # Errors
    ///
    /// `OUT_OF_RANGE` if they cannot be counted in 64 bits.
    pub fn byte_length(&self) -> Result<u64> {
        Ok(self.element_type().dense_byte_length(self.shape())?)
    }

    /// Copies the elements out.
    ///
    /// # Errors
    ///
    /// `INVALID_ARGUMENT` if `elements` are of another type or number;
    /// otherwise what the device says.
    pub fn read<T: Element>(&self, elements: &mut [T]) -> Result<()> {
        self.check::<T>(elements.len() as u64)?;
        let bytes = bytemuck::cast_slice_mut(elements);
        Ok(self.device.read(self.view.buffer(), 0, bytes)?)
    }

    /// A copy of the elements.
    ///
    /// # Errors
    ///
    /// `INVALID_ARGUMENT` if they are of another type, `OUT_OF_RANGE` if the
    /// memory behind them has not that many, `RESOURCE_EXHAUSTED` if the host
    /// has no memory for them; otherwise what the device says.
    pub fn to_vec<T: Element>(&self) -> Result<Vec<T>> {
        let count = self.view.element_count();
        self.check::<T>(count)?;
        self.check_memory(count.saturating_mul(size_of::<T>() as u64))?;
        let mut elements = zeros(count)?;
        self.read(&mut elements)?;
        Ok(elements)
    }

    /// A copy in host memory, of any element type.
    ///
    /// # Errors
    ///
    /// `OUT_OF_RANGE` if the memory behind it is too small for its shape,
    /// `RESOURCE_EXHAUSTED` if the host has no memory for it; otherwise what
    /// the device says.
    pub fn to_array(&self) -> Result<Array> {
        let length = self.byte_length()?;
        self.check_memory(length)?;
        let mut bytes: Vec<u8> = zeros(length)?;
        self.device.read(self.view.buffer(), 0, &mut bytes)?;
        Array::new(self.element_type(), self.shape().to_vec(), bytes)
            .map_err(|error| Error::new(StatusCode::Unimplemented, error.to_string()))
    }

    fn check<T: Element>(&self, count: u64) -> Result<()> {
        if T::ELEMENT_TYPE.accepts(self.element_type())
            && T::ELEMENT_TYPE.bit_count() == self.element_type().bit_count()
            && count == self.view.element_count()
        {
            return Ok(());
        }
        Err(Error::new(
            StatusCode::InvalidArgument,
            format!(
                "{count} elements of type {} are to be read, the array has {} of type {}",
                T::ELEMENT_TYPE,
                self.view.element_count(),
                self.element_type()
            ),
        ))
    }

    /// Whether the memory is there: a program may give any shape to an array
    /// whose encoding it keeps to itself.
    fn check_memory(&self, bytes: u64) -> Result<()> {
        self.view.buffer().range(0, bytes)?;
        Ok(())
    }
}

fn zeros<T: bytemuck::Zeroable + Clone>(count: u64) -> Result<Vec<T>> {
    let mut elements = Vec::new();
    usize::try_from(count)
        .ok()
        .and_then(|count| elements.try_reserve_exact(count).ok())
        .ok_or_else(|| {
            Error::new(
                StatusCode::ResourceExhausted,
                format!("the host has no memory for {count} elements"),
            )
        })?;
    elements.resize(count as usize, T::zeroed());
    Ok(elements)
}

#[cfg(test)]
mod tests {
    use hal::{BufferParams, DeviceParams, Driver, DriverOptions, Encoding};

    use super::*;

    #[test]
    fn shapes_that_their_memory_cannot_have_are_refused_before_room_is_made() {
        let device = Driver::open("software", DriverOptions::default())
            .and_then(|driver| driver.create_device_by_id(0, &DeviceParams::default()))
            .unwrap();
        let tensor = |shape: &[u64], element_type| {
            let params = BufferParams::device_local();
            let buffer = device.allocator().allocate(&params, 64).unwrap();
            let view = BufferView::new(buffer, shape, element_type, Encoding::OPAQUE).unwrap();
            Tensor::new(&device, view)
        };
        let whole = tensor(&[16], ElementType::FLOAT_32);
        assert_eq!(whole.to_vec::<f32>().unwrap().len(), 16);
        assert_eq!(whole.to_array().unwrap().bytes().len(), 64);
        let huge = tensor(&[1 << 45], ElementType::FLOAT_32);
        let codes = [
            huge.to_vec::<f32>().unwrap_err().code(),
            huge.to_array().unwrap_err().code(),
        ];
        assert_eq!(codes, [StatusCode::OutOfRange; 2]);
        // Opaque elements of no size pass for anything, but are not read as that.
        let sizeless = tensor(&[1 << 45], ElementType(0));
        let error = sizeless.to_vec::<f32>().unwrap_err();
        assert_eq!(error.code(), StatusCode::InvalidArgument);
    }
}
