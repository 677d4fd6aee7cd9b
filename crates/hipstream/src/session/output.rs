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
        if !T::ELEMENT_TYPE.accepts(self.element_type())
            || elements.len() as u64 != self.view.element_count()
        {
            return Err(Error::new(
                StatusCode::InvalidArgument,
                format!(
                    "{} elements of type {} are to be read, the array has {} of type {}",
                    elements.len(),
                    T::ELEMENT_TYPE,
                    self.view.element_count(),
                    self.element_type()
                ),
            ));
        }
        let bytes = bytemuck::cast_slice_mut(elements);
        Ok(self.device.read(self.view.buffer(), 0, bytes)?)
    }

    /// A copy of the elements.
    ///
    /// # Errors
    ///
    /// As [`Tensor::read`]; `RESOURCE_EXHAUSTED` if the host has no memory for them.
    pub fn to_vec<T: Element>(&self) -> Result<Vec<T>> {
        let mut elements = zeros(self.view.element_count())?;
        self.read(&mut elements)?;
        Ok(elements)
    }

    /// A copy in host memory, of any element type.
    ///
    /// # Errors
    ///
    /// `RESOURCE_EXHAUSTED` if the host has no memory for it; otherwise what
    /// the device says.
    pub fn to_array(&self) -> Result<Array> {
        let mut bytes: Vec<u8> = zeros(self.byte_length()?)?;
        self.device.read(self.view.buffer(), 0, &mut bytes)?;
        Array::new(self.element_type(), self.shape().to_vec(), bytes)
            .map_err(|error| Error::new(StatusCode::Unimplemented, error.to_string()))
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
