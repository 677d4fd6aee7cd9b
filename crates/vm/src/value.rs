//! Values: what passes between functions and stands in lists.

use std::fmt;

use crate::{Code, Error, Ref, Result};

/// A value.
#[derive(Clone, Debug)]
pub enum Value {
    /// A 32-bit integer; narrower ones travel as this.
    I32(i32),
    /// A 64-bit integer.
    I64(i64),
    /// A 32-bit float.
    F32(f32),
    /// A 64-bit float.
    F64(f64),
    /// A reference, or null.
    Ref(Option<Ref>),
}

/// What kind a [`Value`] is, by its letter in a calling convention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `i`
    I32,
    /// `I`
    I64,
    /// `f`
    F32,
    /// `F`
    F64,
    /// `r`
    Ref,
}

impl Value {
    /// What kind it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::I32(_) => Kind::I32,
            Self::I64(_) => Kind::I64,
            Self::F32(_) => Kind::F32,
            Self::F64(_) => Kind::F64,
            Self::Ref(_) => Kind::Ref,
        }
    }

    /// As a value of another kind, the way lists convert: integers are cut or sign-extended, floats are rounded,
    /// integers and floats become each other's zero. `FAILED_PRECONDITION` between references and other values.
    pub fn convert(self, kind: Kind) -> Result<Self> {
        Ok(match (kind, self) {
            (Kind::I32, Self::I64(value)) => Self::I32(value as i32),
            (Kind::I64, Self::I32(value)) => Self::I64(value.into()),
            (Kind::F32, Self::F64(value)) => Self::F32(value as f32),
            (Kind::F64, Self::F32(value)) => Self::F64(value.into()),
            (kind, value) if value.kind() == kind => value,
            (kind, value) if kind != Kind::Ref && value.kind() != Kind::Ref => kind.zero(),
            (kind, value) => {
                return Err(Error::new(
                    Code::FAILED_PRECONDITION,
                    format!("{} where {kind} is needed", value.kind()),
                ));
            }
        })
    }
}

impl Kind {
    /// The kind with this letter.
    pub const fn from_letter(letter: u8) -> Option<Self> {
        match letter {
            b'i' => Some(Self::I32),
            b'I' => Some(Self::I64),
            b'f' => Some(Self::F32),
            b'F' => Some(Self::F64),
            b'r' => Some(Self::Ref),
            _ => None,
        }
    }

    /// Zero, or null.
    pub const fn zero(self) -> Value {
        match self {
            Self::I32 => Value::I32(0),
            Self::I64 => Value::I64(0),
            Self::F32 => Value::F32(0.0),
            Self::F64 => Value::F64(0.0),
            Self::Ref => Value::Ref(None),
        }
    }

    /// Its letter.
    pub const fn letter(self) -> char {
        match self {
            Self::I32 => 'i',
            Self::I64 => 'I',
            Self::F32 => 'f',
            Self::F64 => 'F',
            Self::Ref => 'r',
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::I32 => "i32",
            Self::I64 => "i64",
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::Ref => "ref",
        })
    }
}

impl From<Ref> for Value {
    fn from(reference: Ref) -> Self {
        Self::Ref(Some(reference))
    }
}
