//! Failures of operations and of native functions.

use std::fmt;
use std::sync::Arc;

/// Result of anything here that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of failure an [`Error`] is: a number that programs see.
///
/// 0 is success and never the code of an error. The numbers are those of the
/// module format (`fail`, `hal.fence.query` and others carry them).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Code(pub u32);

macro_rules! codes {
    ($($constant:ident = $number:literal,)*) => {
        impl Code {
            $(
                #[doc = concat!("`", stringify!($constant), "`")]
                pub const $constant: Self = Self($number);
            )*

            /// Upper-case name, such as `INVALID_ARGUMENT`.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some(stringify!($constant)),)*
                    _ => None,
                }
            }
        }
    };
}

codes! {
    CANCELLED = 1,
    UNKNOWN = 2,
    INVALID_ARGUMENT = 3,
    DEADLINE_EXCEEDED = 4,
    NOT_FOUND = 5,
    ALREADY_EXISTS = 6,
    PERMISSION_DENIED = 7,
    RESOURCE_EXHAUSTED = 8,
    FAILED_PRECONDITION = 9,
    ABORTED = 10,
    OUT_OF_RANGE = 11,
    UNIMPLEMENTED = 12,
    INTERNAL = 13,
    UNAVAILABLE = 14,
    DATA_LOSS = 15,
    UNAUTHENTICATED = 16,
    DEFERRED = 17,
    INCOMPATIBLE = 18,
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "code {}", self.0),
        }
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A failure: its code, what happened, and what caused it. Cheap to clone.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

struct Inner {
    code: Code,
    message: String,
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

// Making one is cold: what leads there is kept out of the way of what works.
impl Error {
    /// A failure without a cause.
    #[must_use]
    #[cold]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self(Arc::new(Inner {
            code,
            message: message.into(),
            cause: None,
        }))
    }

    /// A failure that `cause` brought about; the cause keeps its own text and type.
    #[must_use]
    #[cold]
    pub fn with_cause(
        code: Code,
        message: impl Into<String>,
        cause: impl std::error::Error + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Inner {
            code,
            message: message.into(),
            cause: Some(Box::new(cause)),
        }))
    }

    /// What kind of failure.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// What happened, without the code and the causes.
    pub fn message(&self) -> &str {
        &self.0.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code, self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&**self.0.cause.as_ref()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_what_and_keep_their_cause() {
        let inner = Error::new(Code::OUT_OF_RANGE, "byte 9 of 8");
        let outer = Error::with_cause(inner.code(), "reading the table", inner);
        assert_eq!(outer.to_string(), "OUT_OF_RANGE: reading the table");
        let cause = std::error::Error::source(&outer).unwrap();
        assert_eq!(cause.to_string(), "OUT_OF_RANGE: byte 9 of 8");
        assert_eq!(Code(99).to_string(), "code 99");
        assert_eq!(Code(18), Code::INCOMPATIBLE);
    }
}
