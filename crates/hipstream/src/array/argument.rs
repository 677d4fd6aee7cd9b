//! What functions take and give.

use std::fmt;

use super::{Array, element};

/// A value that a function takes or gives.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Argument {
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

impl Argument {
    /// How the stock tools print it as a result, with at most `limit` elements
    /// of an array.
    pub fn display(&self, limit: usize) -> impl fmt::Display + '_ {
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

    /// What it is, in a word: `i32`, `2x3xf32`, `(null)`.
    pub fn type_text(&self) -> String {
        match self {
            Self::I32(_) => "i32".to_owned(),
            Self::I64(_) => "i64".to_owned(),
            Self::F32(_) => "f32".to_owned(),
            Self::F64(_) => "f64".to_owned(),
            Self::Array(array) => array.type_text(),
            Self::Storage(array) => format!("&{}", array.type_text()),
            Self::Null => "(null)".to_owned(),
            Self::Other(name) => name.clone(),
        }
    }
}

/// C's `%g`, as the stock tools print scalars: lower case, unlike elements.
fn scalar(value: f64) -> String {
    element::general(value).to_ascii_lowercase()
}

impl From<Array> for Argument {
    fn from(array: Array) -> Self {
        Self::Array(array)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_print_as_the_stock_tools_print_them() {
        let array: Array = "2xf32=1 nan".parse().expect("well formed");
        for (value, text) in [
            (Argument::I32(-7), "i32=-7"),
            (Argument::I64(7), "i64=7"),
            (Argument::F32(1e10), "f32=1e+10"),
            (Argument::F32(f32::NAN), "f32=nan"),
            (Argument::F64(-f64::INFINITY), "f64=-inf"),
            (Argument::F64(0.1), "f64=0.1"),
            (Argument::Null, "(null)"),
            (
                Argument::Array(array.clone()),
                "hal.buffer_view\n2xf32=1 NAN",
            ),
            (Argument::Storage(array), "hal.buffer\n(no printer)"),
            (
                Argument::Other("vm.list".to_owned()),
                "vm.list\n(no printer)",
            ),
        ] {
            assert_eq!(value.display(1024).to_string(), text);
        }
    }
}
