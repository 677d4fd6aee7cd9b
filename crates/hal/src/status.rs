//! Status codes, and the error that everything in this crate returns.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use hip::Code;

/// Result of anything that can fail here.
pub type Result<T> = std::result::Result<T, Status>;

macro_rules! status_codes {
    ($($(#[$doc:meta])* $variant:ident $constructor:ident = $number:literal $name:literal,)*) => {
        /// What kind of failure a [`Status`] is. Branch on this.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u32)]
        pub enum StatusCode {
            $($(#[$doc])* $variant = $number,)*
        }

        impl StatusCode {
            /// Every code, in ascending order of number.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Upper-case name, such as `INVALID_ARGUMENT`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }

        impl Status {
            $(
                #[doc = concat!("A failure with the code `", $name, "`.")]
                #[must_use]
                #[cold]
                pub fn $constructor(message: impl Into<String>) -> Self {
                    Self::new(StatusCode::$variant, message)
                }
            )*
        }
    };
}

status_codes! {
    /// Somebody asked for it to stop.
    Cancelled cancelled = 1 "CANCELLED",
    /// A failure that fits no other code.
    Unknown unknown = 2 "UNKNOWN",
    /// An argument is wrong, whatever the state of the system.
    InvalidArgument invalid_argument = 3 "INVALID_ARGUMENT",
    /// The time allowed ran out.
    DeadlineExceeded deadline_exceeded = 4 "DEADLINE_EXCEEDED",
    /// What was named does not exist.
    NotFound not_found = 5 "NOT_FOUND",
    /// What was to be made exists.
    AlreadyExists already_exists = 6 "ALREADY_EXISTS",
    /// The object does not allow this use of it.
    PermissionDenied permission_denied = 7 "PERMISSION_DENIED",
    /// Out of memory or of another resource.
    ResourceExhausted resource_exhausted = 8 "RESOURCE_EXHAUSTED",
    /// The system is not in the state that this needs.
    FailedPrecondition failed_precondition = 9 "FAILED_PRECONDITION",
    /// Given up because of something that happened elsewhere.
    Aborted aborted = 10 "ABORTED",
    /// An index or a range outside what there is.
    OutOfRange out_of_range = 11 "OUT_OF_RANGE",
    /// Not built, or not supported by this device.
    Unimplemented unimplemented = 12 "UNIMPLEMENTED",
    /// Something that must hold does not.
    Internal internal = 13 "INTERNAL",
    /// Not there now: a library, a device, a result.
    Unavailable unavailable = 14 "UNAVAILABLE",
    /// Data was lost or corrupted beyond recovery.
    DataLoss data_loss = 15 "DATA_LOSS",
    /// The caller is not known.
    Unauthenticated unauthenticated = 16 "UNAUTHENTICATED",
    /// Will be done later.
    Deferred deferred = 17 "DEFERRED",
    /// Made for another version or another device.
    Incompatible incompatible = 18 "INCOMPATIBLE",
}

impl StatusCode {
    /// The number, 1 to 18. 0 is success, which is no status.
    pub const fn number(self) -> u32 {
        self as u32
    }

    /// The code with this number.
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.get((number as usize).checked_sub(1)?).copied()
    }
}

impl fmt::Display for StatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A failure: its code, what happened, and what caused it.
///
/// Cheap to clone: one failure may be reported by every semaphore that
/// depended on the work. `{}` prints code and message, `{:#}` the causes too.
#[derive(Clone)]
pub struct Status(Arc<Inner>);

struct Inner {
    code: StatusCode,
    message: String,
    cause: Option<Arc<dyn Error + Send + Sync>>,
}

// Making one is cold: what leads there is kept out of the way of what works.
impl Status {
    /// A failure without a cause.
    #[must_use]
    #[cold]
    pub fn new(code: StatusCode, message: impl Into<String>) -> Self {
        Self(Arc::new(Inner {
            code,
            message: message.into(),
            cause: None,
        }))
    }

    /// A failure that `cause` brought about.
    #[must_use]
    #[cold]
    pub fn with_cause(
        code: StatusCode,
        message: impl Into<String>,
        cause: impl Error + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Inner {
            code,
            message: message.into(),
            cause: Some(Arc::new(cause)),
        }))
    }

    /// The same failure seen from further out: same code, `message` in front,
    /// this status as its cause.
    #[must_use]
    pub fn context(self, message: impl Into<String>) -> Self {
        Self::with_cause(self.code(), message, self)
    }

    /// What kind of failure.
    pub fn code(&self) -> StatusCode {
        self.0.code
    }

    /// What happened, without the code and the causes.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Whether both are the same failure, not merely alike.
    pub fn ptr_eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code, self.0.message)?;
        if f.alternate() {
            let mut cause = self.source();
            while let Some(error) = cause {
                // A status inside the chain prints its own code; the code of
                // the chain stands in front already.
                match error.downcast_ref::<Status>() {
                    Some(status) => write!(f, ": {}", status.message())?,
                    None => write!(f, ": {error}")?,
                }
                cause = error.source();
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:#}")
    }
}

impl Error for Status {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&**self.0.cause.as_ref()?)
    }
}

impl From<hip::Error> for Status {
    /// The message is the call's own text, with whatever detail the provider gave.
    fn from(error: hip::Error) -> Self {
        Self::new(code_of(error.code), error.to_string())
    }
}

/// The status code of a failed HIP call.
fn code_of(code: Code) -> StatusCode {
    match code {
        Code::INVALID_VALUE => StatusCode::InvalidArgument,
        Code::OUT_OF_MEMORY | Code::LAUNCH_OUT_OF_RESOURCES => StatusCode::ResourceExhausted,
        Code::INVALID_CONFIGURATION
        | Code::INVALID_PITCH_VALUE
        | Code::INVALID_SYMBOL
        | Code::INVALID_DEVICE_POINTER
        | Code::INVALID_MEMCPY_DIRECTION
        | Code::INSUFFICIENT_DRIVER
        | Code::MISSING_CONFIGURATION
        | Code::PRIOR_LAUNCH_FAILURE
        | Code::NO_DEVICE
        | Code::INVALID_DEVICE
        | Code::INVALID_IMAGE
        | Code::INVALID_CONTEXT
        | Code::CONTEXT_ALREADY_CURRENT
        | Code::INVALID_SOURCE
        | Code::SHARED_OBJECT_INIT_FAILED
        | Code::INVALID_HANDLE => StatusCode::FailedPrecondition,
        Code::ALREADY_MAPPED
        | Code::ALREADY_ACQUIRED
        | Code::CONTEXT_ALREADY_IN_USE
        | Code::PEER_ACCESS_ALREADY_ENABLED
        | Code::HOST_MEMORY_ALREADY_REGISTERED => StatusCode::AlreadyExists,
        Code::SHARED_OBJECT_SYMBOL_NOT_FOUND | Code::NOT_FOUND => StatusCode::NotFound,
        Code::ECC_NOT_CORRECTABLE => StatusCode::DataLoss,
        Code::LAUNCH_TIME_OUT => StatusCode::DeadlineExceeded,
        Code::NOT_READY | Code::NOT_SUPPORTED => StatusCode::Unavailable,
        Code::NOT_INITIALIZED
        | Code::DEINITIALIZED
        | Code::INVALID_DEVICE_FUNCTION
        | Code::MAP_FAILED
        | Code::UNMAP_FAILED
        | Code::ARRAY_IS_MAPPED
        | Code::NO_BINARY_FOR_GPU
        | Code::NOT_MAPPED
        | Code::NOT_MAPPED_AS_ARRAY
        | Code::NOT_MAPPED_AS_POINTER
        | Code::UNSUPPORTED_LIMIT
        | Code::PEER_ACCESS_UNSUPPORTED
        | Code::INVALID_KERNEL_FILE
        | Code::INVALID_GRAPHICS_CONTEXT
        | Code::OPERATING_SYSTEM
        | Code::ILLEGAL_STATE
        | Code::ILLEGAL_ADDRESS
        | Code::PEER_ACCESS_NOT_ENABLED
        | Code::SET_ON_ACTIVE_PROCESS
        | Code::CONTEXT_IS_DESTROYED
        | Code::ASSERT
        | Code::HOST_MEMORY_NOT_REGISTERED
        | Code::LAUNCH_FAILURE
        | Code::COOPERATIVE_LAUNCH_TOO_LARGE
        | Code::STREAM_CAPTURE_UNSUPPORTED
        | Code::STREAM_CAPTURE_INVALIDATED
        | Code::STREAM_CAPTURE_MERGE
        | Code::STREAM_CAPTURE_UNMATCHED
        | Code::STREAM_CAPTURE_UNJOINED
        | Code::STREAM_CAPTURE_ISOLATION
        | Code::STREAM_CAPTURE_IMPLICIT
        | Code::STREAM_CAPTURE_WRONG_THREAD
        | Code::CAPTURED_EVENT
        | Code::GRAPH_EXEC_UPDATE_FAILURE
        | Code::RUNTIME_MEMORY
        | Code::RUNTIME_OTHER => StatusCode::Internal,
        _ => StatusCode::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_the_documented_ones() {
        let names = [
            "CANCELLED",
            "UNKNOWN",
            "INVALID_ARGUMENT",
            "DEADLINE_EXCEEDED",
            "NOT_FOUND",
            "ALREADY_EXISTS",
            "PERMISSION_DENIED",
            "RESOURCE_EXHAUSTED",
            "FAILED_PRECONDITION",
            "ABORTED",
            "OUT_OF_RANGE",
            "UNIMPLEMENTED",
            "INTERNAL",
            "UNAVAILABLE",
            "DATA_LOSS",
            "UNAUTHENTICATED",
            "DEFERRED",
            "INCOMPATIBLE",
        ];
        assert_eq!(StatusCode::ALL.len(), names.len());
        for (index, name) in names.iter().enumerate() {
            let number = index as u32 + 1;
            let code = StatusCode::from_number(number).unwrap();
            assert_eq!((code.number(), code.name()), (number, *name));
        }
        assert_eq!(StatusCode::from_number(0), None);
        assert_eq!(StatusCode::from_number(19), None);
    }

    /// Number of the HIP code and the status it must become, independent of
    /// the constants that the mapping itself is written with.
    #[rustfmt::skip]
    const ROWS: &[(StatusCode, &[i32])] = &[
        (StatusCode::InvalidArgument, &[1]),
        (StatusCode::ResourceExhausted, &[2, 701]),
        (StatusCode::FailedPrecondition, &[9, 12, 13, 17, 21, 35, 52, 53, 100, 101, 200, 201, 202, 300, 303, 400]),
        (StatusCode::AlreadyExists, &[208, 210, 216, 704, 712]),
        (StatusCode::NotFound, &[302, 500]),
        (StatusCode::DataLoss, &[214]),
        (StatusCode::DeadlineExceeded, &[702]),
        (StatusCode::Unavailable, &[600, 801]),
        (StatusCode::Unknown, &[5, 6, 7, 8, 301, 999, 123_456, -1]),
        (StatusCode::Internal, &[
            3, 4, 98, 205, 206, 207, 209, 211, 212, 213, 215, 217, 218, 219, 304, 401, 700, 705, 708, 709,
            710, 713, 719, 720, 900, 901, 902, 903, 904, 905, 906, 907, 908, 910, 1052, 1053,
        ]),
    ];

    #[test]
    fn every_hip_code_becomes_its_status() {
        let mut seen = std::collections::BTreeSet::new();
        for (status, numbers) in ROWS {
            for &number in *numbers {
                let error = hip::Error::new(Code::from_number(number), "hipCall");
                assert_eq!(Status::from(error).code(), *status, "HIP code {number}");
                assert!(seen.insert(number), "HIP code {number} stands twice");
            }
        }
        for number in 1..=1100 {
            if Code::from_number(number).name().is_some() {
                assert!(seen.contains(&number), "HIP code {number} has no row");
            }
        }
    }

    #[test]
    fn a_hip_error_keeps_its_text() {
        let error =
            hip::Error::with_detail(Code::ILLEGAL_ADDRESS, "hipStreamSynchronize", "lane 3");
        let status = Status::from(error);
        assert_eq!(
            status.to_string(),
            "INTERNAL: hipStreamSynchronize failed with hipErrorIllegalAddress (700): lane 3"
        );
    }

    #[test]
    fn context_keeps_the_code_and_the_chain() {
        let inner = Status::not_found("no kernel `f`");
        let outer = inner.clone().context("preparing `m.hsaco`");
        assert_eq!(outer.code(), StatusCode::NotFound);
        assert_eq!(outer.to_string(), "NOT_FOUND: preparing `m.hsaco`");
        assert_eq!(
            format!("{outer:#}"),
            "NOT_FOUND: preparing `m.hsaco`: no kernel `f`"
        );
        let cause = outer.source().unwrap().downcast_ref::<Status>().unwrap();
        assert!(cause.ptr_eq(&inner));
    }
}
