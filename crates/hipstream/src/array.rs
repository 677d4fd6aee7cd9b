//! Arrays as users give and read them: text forms, `.npy` files, comparison.
//!
//! The text form is that of the stock IREE tools: `2x3xf32=1,2,3,4,5,6`,
//! `4xi32=7` (every element), `2x2xf32` (zeros), `f32=2.5` (rank 0),
//! `@file.npy`, `2x3xbf16=@file.bin`.

mod compare;
mod element;
mod npy;
mod text;

use std::fmt;

pub use compare::Tolerance;
pub use hal::ElementType;

/// A dense row-major array in host memory.
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
    /// [`ArrayError::Syntax`] naming both lengths when they differ.
    pub fn new(
        element_type: ElementType,
        shape: Vec<u64>,
        bytes: Vec<u8>,
    ) -> Result<Self, ArrayError> {
        let expected = byte_length(element_type, &shape);
        if expected != Some(bytes.len() as u64) {
            return Err(ArrayError::Syntax {
                text: text::type_text(element_type, &shape),
                reason: match expected {
                    Some(expected) => {
                        format!("has {expected} bytes, but {} were given", bytes.len())
                    }
                    None => "is too large".to_owned(),
                },
            });
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
        let bytes = byte_length(element_type, &shape)
            .filter(|&bytes| bytes <= isize::MAX as u64)
            .ok_or_else(|| ArrayError::Syntax {
                text: text::type_text(element_type, &shape),
                reason: "is too large".to_owned(),
            })?;
        let mut zeros = Vec::new();
        zeros
            .try_reserve_exact(bytes as usize)
            .map_err(|_| ArrayError::Syntax {
                text: text::type_text(element_type, &shape),
                reason: format!("needs {bytes} bytes, more than the host has"),
            })?;
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

    /// The bytes of each element.
    fn elements(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.bytes.chunks_exact(element::size(self.element_type))
    }
}

impl fmt::Debug for Array {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Bytes of an array; `None` when they cannot be counted in 64 bits.
fn byte_length(element_type: ElementType, shape: &[u64]) -> Option<u64> {
    if shape.contains(&0) {
        return Some(0);
    }
    shape
        .iter()
        .try_fold(element::size(element_type) as u64, |bytes, &size| {
            bytes.checked_mul(size)
        })
}
