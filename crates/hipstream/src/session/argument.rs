//! What functions are called with.

use std::borrow::Cow;

use bytemuck::Pod;
use hal::{
    Buffer, BufferParams, BufferView, Device, ElementType, Encoding, QueueAffinity, StatusCode,
    Timepoint,
};
use half::{bf16, f16};
use vm::{Kind, Ref, Value};

use super::Tensor;
use crate::array::Array;
use crate::modules::hal::types;
use crate::{Error, Result};

/// A Rust type that stands for an element type.
pub trait Element: Pod {
    /// Which one.
    const ELEMENT_TYPE: ElementType;
}

macro_rules! elements {
    ($($rust:ty = $name:ident,)*) => {
        $(
            impl Element for $rust {
                const ELEMENT_TYPE: ElementType = ElementType::$name;
            }
        )*
    };
}

elements! {
    i8 = INT_8,
    i16 = INT_16,
    i32 = INT_32,
    i64 = INT_64,
    u8 = UINT_8,
    u16 = UINT_16,
    u32 = UINT_32,
    u64 = UINT_64,
    f16 = FLOAT_16,
    bf16 = BFLOAT_16,
    f32 = FLOAT_32,
    f64 = FLOAT_64,
}

/// An argument of a function.
#[derive(Clone, Debug)]
pub enum Argument<'a> {
    /// A 32-bit integer, or a narrower one.
    I32(i32),
    /// A 64-bit integer.
    I64(i64),
    /// A 32-bit float.
    F32(f32),
    /// A 64-bit float.
    F64(f64),
    /// A dense row-major array in host memory, copied to the device for the call.
    Array {
        /// What an element is.
        element_type: ElementType,
        /// Sizes, outermost first.
        shape: Cow<'a, [u64]>,
        /// The elements, little-endian.
        bytes: Cow<'a, [u8]>,
    },
    /// An array on the device, such as a result of another call.
    Tensor(Tensor),
    /// Device memory without a shape.
    Buffer(Buffer),
    /// An object of any other type.
    Object(Ref),
    /// No object.
    Null,
}

impl<'a> Argument<'a> {
    /// An array of `shape` over `data`, which is not copied until the call.
    ///
    /// # Errors
    ///
    /// `INVALID_ARGUMENT` if the shape has another number of elements.
    pub fn array<T: Element>(data: &'a [T], shape: &[u64]) -> Result<Self> {
        let argument = Self::Array {
            element_type: T::ELEMENT_TYPE,
            shape: Cow::Owned(shape.to_vec()),
            bytes: Cow::Borrowed(bytemuck::cast_slice(data)),
        };
        argument.check_size()?;
        Ok(argument)
    }

    /// In words, for messages: `4x4xf32`, `i32=7`.
    pub fn describe(&self) -> String {
        match self {
            Self::I32(value) => format!("i32={value}"),
            Self::I64(value) => format!("i64={value}"),
            Self::F32(value) => format!("f32={value}"),
            Self::F64(value) => format!("f64={value}"),
            Self::Array {
                element_type,
                shape,
                ..
            } => type_text(*element_type, shape),
            Self::Tensor(tensor) => type_text(tensor.element_type(), tensor.shape()),
            Self::Buffer(buffer) => format!("a buffer of {} bytes", buffer.byte_length()),
            Self::Object(reference) => format!("a {}", reference.kind().name()),
            Self::Null => "null".to_owned(),
        }
    }

    /// The value that a function whose calling convention has `kind` here
    /// takes. A copy to the device that this starts goes to `copies`.
    pub(super) fn to_value(
        &self,
        kind: Kind,
        device: &Device,
        copies: &mut Vec<Timepoint>,
    ) -> Result<Value> {
        let reference = |reference: Ref| Ok(Value::from(reference));
        match (kind, self) {
            (Kind::I32, Self::I32(value)) => Ok(Value::I32(*value)),
            (Kind::I64, Self::I64(value)) => Ok(Value::I64(*value)),
            (Kind::I64, Self::I32(value)) => Ok(Value::I64((*value).into())),
            (Kind::F32, Self::F32(value)) => Ok(Value::F32(*value)),
            (Kind::F64, Self::F64(value)) => Ok(Value::F64(*value)),
            (Kind::F64, Self::F32(value)) => Ok(Value::F64((*value).into())),
            (
                Kind::Ref,
                Self::Array {
                    element_type,
                    shape,
                    bytes,
                },
            ) => {
                self.check_size()?;
                let params = BufferParams::device_local();
                // From the queue's pool: of other memory, allocating and
                // freeing waits for all work of the device.
                let queue = device.queue(QueueAffinity::ANY)?;
                let buffer = queue.alloca(&[], &[], &params, bytes.len() as u64)?;
                copies.push(device.write(&buffer, 0, bytes)?);
                let encoding = Encoding::DENSE_ROW_MAJOR;
                let view = BufferView::new(buffer, shape, *element_type, encoding)?;
                reference(types::BUFFER_VIEW.wrap(view))
            }
            (Kind::Ref, Self::Tensor(tensor)) => {
                reference(types::BUFFER_VIEW.wrap(tensor.view().clone()))
            }
            (Kind::Ref, Self::Buffer(buffer)) => reference(types::BUFFER.wrap(buffer.clone())),
            (Kind::Ref, Self::Object(object)) => reference(object.clone()),
            (Kind::Ref, Self::Null) => Ok(Value::Ref(None)),
            _ => {
                let wanted = match kind {
                    Kind::Ref => "an array or another object".to_owned(),
                    scalar => format!("one {scalar}"),
                };
                Err(Error::new(
                    StatusCode::InvalidArgument,
                    format!("{} was given, the function takes {wanted}", self.describe()),
                ))
            }
        }
    }

    fn check_size(&self) -> Result<()> {
        let Self::Array {
            element_type,
            shape,
            bytes,
        } = self
        else {
            return Ok(());
        };
        let wanted = element_type.dense_byte_length(shape)?;
        if wanted == bytes.len() as u64 {
            return Ok(());
        }
        Err(Error::new(
            StatusCode::InvalidArgument,
            format!(
                "{} has {wanted} bytes, but {} were given",
                self.describe(),
                bytes.len()
            ),
        ))
    }
}

/// `2x3xf32`.
fn type_text(element_type: ElementType, shape: &[u64]) -> String {
    let dims: String = shape.iter().map(|size| format!("{size}x")).collect();
    format!("{dims}{element_type}")
}

impl From<i32> for Argument<'_> {
    fn from(value: i32) -> Self {
        Self::I32(value)
    }
}

impl From<i64> for Argument<'_> {
    fn from(value: i64) -> Self {
        Self::I64(value)
    }
}

impl From<f32> for Argument<'_> {
    fn from(value: f32) -> Self {
        Self::F32(value)
    }
}

impl From<f64> for Argument<'_> {
    fn from(value: f64) -> Self {
        Self::F64(value)
    }
}

/// A slice is an array of rank 1.
impl<'a, T: Element> From<&'a [T]> for Argument<'a> {
    fn from(data: &'a [T]) -> Self {
        Self::Array {
            element_type: T::ELEMENT_TYPE,
            shape: Cow::Owned(vec![data.len() as u64]),
            bytes: Cow::Borrowed(bytemuck::cast_slice(data)),
        }
    }
}

impl<'a> From<&'a Array> for Argument<'a> {
    fn from(array: &'a Array) -> Self {
        Self::Array {
            element_type: array.element_type(),
            shape: Cow::Borrowed(array.shape()),
            bytes: Cow::Borrowed(array.bytes()),
        }
    }
}

impl From<Tensor> for Argument<'_> {
    fn from(tensor: Tensor) -> Self {
        Self::Tensor(tensor)
    }
}

impl From<&Tensor> for Argument<'_> {
    fn from(tensor: &Tensor) -> Self {
        Self::Tensor(tensor.clone())
    }
}
