//! What functions take and give, as plain data.

use std::borrow::Cow;
use std::fmt;

use hal::ElementType;

use crate::array::{Array, general};

/// A value that a function takes or gives.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::cli) enum Value {
    /// A 32-bit integer; narrower ones travel as this.
    I32(i32),
    /// A 64-bit integer.
    I64(i64),
    /// A 32-bit float.
    F32(f32),
    /// A 64-bit float.
    F64(f64),
    /// A tensor.
    Array(Array),
    /// Bytes without a shape: as an argument those of an array, as a result
    /// an array of `i8`.
    Storage(Array),
    /// Nothing.
    Null,
    /// A result of another kind, by the name of its type, such as `vm.list`.
    Other(String),
}

impl Value {
    /// How the stock tools print it as a result, with at most `limit` elements
    /// of an array.
    pub(in crate::cli) fn display(&self, limit: usize) -> impl fmt::Display + '_ {
        fmt::from_fn(move |f| match self {
            Self::I32(value) => write!(f, "i32={value}"),
            Self::I64(value) => write!(f, "i64={value}"),
            Self::F32(value) => write!(f, "f32={}", scalar((*value).into())),
            Self::F64(value) => write!(f, "f64={}", scalar(*value)),
            Self::Array(array) => write!(f, "hal.buffer_view\n{}", array.display(limit)),
            Self::Storage(_) => f.write_str("hal.buffer\n(no printer)"),
            Self::Null => f.write_str("(null)"),
            Self::Other(name) => write!(f, "{name}\n(no printer)"),
        })
    }

    /// What kind of value it is, as the stock tools call it.
    pub(in crate::cli) fn kind_text(&self) -> &str {
        match self {
            Self::I32(_) => "i32",
            Self::I64(_) => "i64",
            Self::F32(_) => "f32",
            Self::F64(_) => "f64",
            Self::Array(_) => "hal.buffer_view",
            Self::Storage(_) => "hal.buffer",
            Self::Null => "empty",
            Self::Other(name) => name,
        }
    }

    /// It as an array of rank 0, for files; a buffer as the bytes it has.
    pub(in crate::cli) fn to_array(&self) -> Option<Cow<'_, Array>> {
        let scalar = |element_type, bytes: &[u8]| {
            let array = Array::new(element_type, Vec::new(), bytes.to_vec());
            array.ok().map(Cow::Owned)
        };
        match self {
            Self::I32(value) => scalar(ElementType::INT_32, &value.to_le_bytes()),
            Self::I64(value) => scalar(ElementType::INT_64, &value.to_le_bytes()),
            Self::F32(value) => scalar(ElementType::FLOAT_32, &value.to_le_bytes()),
            Self::F64(value) => scalar(ElementType::FLOAT_64, &value.to_le_bytes()),
            Self::Array(array) | Self::Storage(array) => Some(Cow::Borrowed(array)),
            Self::Null | Self::Other(_) => None,
        }
    }
}

/// C's `%g`, as the stock tools print scalars: lower case, unlike elements.
fn scalar(value: f64) -> String {
    general(value).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_print_as_the_stock_tools_print_them() {
        let array: Array = "2xf32=1 nan".parse().expect("well formed");
        for (value, text) in [
            (Value::I32(-7), "i32=-7"),
            (Value::I64(7), "i64=7"),
            (Value::F32(1e10), "f32=1e+10"),
            (Value::F32(f32::NAN), "f32=nan"),
            (Value::F64(-f64::INFINITY), "f64=-inf"),
            (Value::F64(0.1), "f64=0.1"),
            (Value::Null, "(null)"),
            (Value::Array(array.clone()), "hal.buffer_view\n2xf32=1 NAN"),
            (Value::Storage(array), "hal.buffer\n(no printer)"),
            (Value::Other("vm.list".to_owned()), "vm.list\n(no printer)"),
        ] {
            assert_eq!(value.display(1024).to_string(), text);
        }
    }
}
