//! Arrays as users give and read them: text forms, `.npy` files, comparison.
//!
//! The text form is that of the stock IREE tools:
//!
//! | text | array |
//! |---|---|
//! | `2x3xf32=1,2,3,4,5,6` | these values; brackets and spaces separate as well |
//! | `4xi32=7` | this value in every element |
//! | `2x2xf32` | zeros |
//! | `f32=2.5` | rank 0 |
//! | `4xf32=rand:SEED` | random values, the same for the same seed: floats from -1 to 1, integers from -128 to 127 (unsigned from 0 to 255), booleans |
//! | `2x3xbf16=@file.bin` | a raw little-endian file; `=+file.bin` goes on where the last one stopped |
//! | `@file.npy` | a NumPy file; `+file.npy` the next array of it, `*file.npy` all that are left |
//!
//! Elements of type `i1`, complex and opaque ones are hexadecimal bytes, as the
//! stock tools want them (`4xi1=01 00 01 00`); `i1` and `i4` may be numbers as
//! well, where that cannot mean anything else (`4xi1=1 0 1 0`).

mod compare;
mod element;
mod float8;
mod npy;
mod reader;
mod text;

use std::borrow::Cow;
use std::fmt;

pub use compare::Tolerance;
pub(crate) use element::{Number, float, general, integer};
pub use hal::ElementType;
pub use reader::Reader;

/// Most dimensions of an array.
const MAX_RANK: usize = 128;

/// A dense row-major array in host memory. Elements shorter than a byte are
/// packed, the first in the lowest bits.
#[derive(Clone, PartialEq)]
pub struct Array {
    element_type: ElementType,
    shape: Vec<u64>,
    bytes: Vec<u8>,
}

/// What is wrong with an array that a user named.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArrayError {
    /// The text does not follow the form.
    #[error("`{text}`: {reason}")]
    Syntax {
        /// What was given.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A file could not be read or written, or is not what its name says.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: String,
        /// What went wrong.
        reason: String,
    },
}

impl Array {
    /// An array over `bytes`, whose length must be that of the shape.
    ///
    /// # Errors
    ///
    /// [`ArrayError::Syntax`] naming both lengths when they differ, for more
    /// than 128 dimensions, and for element types that do not lie in whole
    /// bytes or several to a byte.
    pub fn new(
        element_type: ElementType,
        shape: Vec<u64>,
        bytes: Vec<u8>,
    ) -> Result<Self, ArrayError> {
        let expected = byte_length(element_type, &shape)?;
        if expected != bytes.len() as u64 {
            return Err(wrong(
                element_type,
                &shape,
                format!("has {expected} bytes, but {} were given", bytes.len()),
            ));
        }
        Ok(Self {
            element_type,
            shape,
            bytes,
        })
    }

    /// An array of zeros.
    ///
    /// # Errors
    ///
    /// [`ArrayError::Syntax`] when the shape is larger than memory can be.
    pub fn zeros(element_type: ElementType, shape: Vec<u64>) -> Result<Self, ArrayError> {
        let bytes = byte_length(element_type, &shape)?;
        let mut zeros = room(element_type, &shape)?;
        zeros.resize(bytes as usize, 0);
        Self::new(element_type, shape, zeros)
    }

    /// Type of the elements.
    pub fn element_type(&self) -> ElementType {
        self.element_type
    }

    /// Sizes, outermost first; empty for rank 0.
    pub fn shape(&self) -> &[u64] {
        &self.shape
    }

    /// The elements, little endian, row-major.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The array with other contents of the same length.
    ///
    /// # Errors
    ///
    /// As [`Array::new`].
    pub fn with_bytes(&self, bytes: Vec<u8>) -> Result<Self, ArrayError> {
        Self::new(self.element_type, self.shape.clone(), bytes)
    }

    /// How many elements there are.
    pub fn element_count(&self) -> usize {
        // As many as fit the bytes: they were counted when the array was made.
        element_count(&self.shape) as usize
    }

    /// The bytes of an element, a short one in a byte of its own.
    pub(crate) fn element(&self, index: usize) -> Cow<'_, [u8]> {
        match element::per_byte(self.element_type) {
            1 => {
                let size = element::size(self.element_type);
                Cow::Borrowed(&self.bytes[index * size..][..size])
            }
            _ => Cow::Owned(vec![element::unpack(self.element_type, &self.bytes, index)]),
        }
    }

    /// An element as a number, if it is one.
    pub(crate) fn number(&self, index: usize) -> Option<Number> {
        element::number(self.element_type, &self.element(index))
    }

    /// The array as another type of the same size.
    fn reinterpreted(mut self, element_type: ElementType) -> Self {
        debug_assert_eq!(self.element_type.bit_count(), element_type.bit_count());
        self.element_type = element_type;
        self
    }
}

impl fmt::Debug for Array {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// How many elements an array has that can be in memory.
fn element_count(shape: &[u64]) -> u64 {
    match shape.contains(&0) {
        true => 0,
        // Sub-byte elements can be more than bytes can be counted.
        false => shape.iter().copied().fold(1, u64::saturating_mul),
    }
}

/// An empty vector with room for the bytes of an array.
fn room(element_type: ElementType, shape: &[u64]) -> Result<Vec<u8>, ArrayError> {
    let bytes = byte_length(element_type, shape)?;
    let mut room = Vec::new();
    room.try_reserve_exact(bytes as usize).map_err(|_| {
        let reason = format!("needs {bytes} bytes, more than the host has");
        wrong(element_type, shape, reason)
    })?;
    Ok(room)
}

/// Bytes of an array, if there can be such an array in memory.
fn byte_length(element_type: ElementType, shape: &[u64]) -> Result<u64, ArrayError> {
    if let Some(reason) = element::unsupported(element_type) {
        return Err(wrong(element_type, shape, reason));
    }
    if shape.len() > MAX_RANK {
        return Err(ArrayError::Syntax {
            text: format!("{} dimensions", shape.len()),
            reason: format!("an array has at most {MAX_RANK}"),
        });
    }
    element_type
        .dense_byte_length(shape)
        .ok()
        .filter(|&bytes| bytes <= isize::MAX as u64)
        .ok_or_else(|| wrong(element_type, shape, "is too large".to_owned()))
}

fn wrong(element_type: ElementType, shape: &[u64], reason: String) -> ArrayError {
    ArrayError::Syntax {
        text: text::type_text(element_type, shape),
        reason,
    }
}
