//! HIP error codes and the error every call returns.

use std::fmt;
use std::sync::Arc;

/// Result of a HIP call.
pub type Result<T> = std::result::Result<T, Error>;

/// A HIP call that failed: which one, with what code, and what the provider
/// knows beyond the code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The code the call returned. Branch on this.
    pub code: Code,
    /// The C name of the HIP function, such as `hipModuleLoadData`.
    pub call: &'static str,
    /// What the provider adds: a fault report of the software GPU, a loader's
    /// log, or why a symbol is missing.
    pub detail: Option<Arc<str>>,
}

impl Error {
    /// An error with nothing to say beyond its code.
    pub fn new(code: Code, call: &'static str) -> Self {
        Self {
            code,
            call,
            detail: None,
        }
    }

    /// An error with an explanation.
    pub fn with_detail(code: Code, call: &'static str, detail: impl Into<Arc<str>>) -> Self {
        Self {
            code,
            call,
            detail: Some(detail.into()),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} failed with {} ({})",
            self.call,
            self.code,
            self.code.number()
        )?;
        if let Some(detail) = &self.detail {
            write!(f, ": {detail}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

/// A `hipError_t`, by number. Codes without a constant here are carried as they came.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(transparent)]
pub struct Code(i32);

impl Code {
    /// The code with this number.
    pub const fn from_number(number: i32) -> Self {
        Self(number)
    }

    /// The number, as in `hip_runtime_api.h`.
    pub const fn number(self) -> i32 {
        self.0
    }

    /// The C name without its `hipError` prefix, such as `OutOfMemory`; `None` for an unlisted number.
    pub fn name(self) -> Option<&'static str> {
        NAMES
            .binary_search_by_key(&self.0, |row| row.0)
            .ok()
            .map(|index| NAMES[index].1)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some("Success") => f.write_str("hipSuccess"),
            Some(name) => write!(f, "hipError{name}"),
            None => f.write_str("an unlisted HIP error"),
        }
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}({})", self.0)
    }
}

macro_rules! codes {
    ($($number:literal $constant:ident $name:literal,)*) => {
        impl Code {
            $(
                #[doc = concat!("`hipError", $name, "`, ", $number, ".")]
                pub const $constant: Code = Code($number);
            )*
        }
        /// Number and name of every listed code, in ascending order of number.
        pub(crate) const NAMES: &[(i32, &str)] = &[$(($number, $name),)*];
    };
}

// Numbers as in hip_runtime_api.h of HIP 6.1 (the same since HIP 5).
codes! {
    0 SUCCESS "Success",
    1 INVALID_VALUE "InvalidValue",
    2 OUT_OF_MEMORY "OutOfMemory",
    3 NOT_INITIALIZED "NotInitialized",
    4 DEINITIALIZED "Deinitialized",
    5 PROFILER_DISABLED "ProfilerDisabled",
    6 PROFILER_NOT_INITIALIZED "ProfilerNotInitialized",
    7 PROFILER_ALREADY_STARTED "ProfilerAlreadyStarted",
    8 PROFILER_ALREADY_STOPPED "ProfilerAlreadyStopped",
    9 INVALID_CONFIGURATION "InvalidConfiguration",
    12 INVALID_PITCH_VALUE "InvalidPitchValue",
    13 INVALID_SYMBOL "InvalidSymbol",
    17 INVALID_DEVICE_POINTER "InvalidDevicePointer",
    21 INVALID_MEMCPY_DIRECTION "InvalidMemcpyDirection",
    35 INSUFFICIENT_DRIVER "InsufficientDriver",
    52 MISSING_CONFIGURATION "MissingConfiguration",
    53 PRIOR_LAUNCH_FAILURE "PriorLaunchFailure",
    98 INVALID_DEVICE_FUNCTION "InvalidDeviceFunction",
    100 NO_DEVICE "NoDevice",
    101 INVALID_DEVICE "InvalidDevice",
    200 INVALID_IMAGE "InvalidImage",
    201 INVALID_CONTEXT "InvalidContext",
    202 CONTEXT_ALREADY_CURRENT "ContextAlreadyCurrent",
    205 MAP_FAILED "MapFailed",
    206 UNMAP_FAILED "UnmapFailed",
    207 ARRAY_IS_MAPPED "ArrayIsMapped",
    208 ALREADY_MAPPED "AlreadyMapped",
    209 NO_BINARY_FOR_GPU "NoBinaryForGpu",
    210 ALREADY_ACQUIRED "AlreadyAcquired",
    211 NOT_MAPPED "NotMapped",
    212 NOT_MAPPED_AS_ARRAY "NotMappedAsArray",
    213 NOT_MAPPED_AS_POINTER "NotMappedAsPointer",
    214 ECC_NOT_CORRECTABLE "ECCNotCorrectable",
    215 UNSUPPORTED_LIMIT "UnsupportedLimit",
    216 CONTEXT_ALREADY_IN_USE "ContextAlreadyInUse",
    217 PEER_ACCESS_UNSUPPORTED "PeerAccessUnsupported",
    218 INVALID_KERNEL_FILE "InvalidKernelFile",
    219 INVALID_GRAPHICS_CONTEXT "InvalidGraphicsContext",
    300 INVALID_SOURCE "InvalidSource",
    301 FILE_NOT_FOUND "FileNotFound",
    302 SHARED_OBJECT_SYMBOL_NOT_FOUND "SharedObjectSymbolNotFound",
    303 SHARED_OBJECT_INIT_FAILED "SharedObjectInitFailed",
    304 OPERATING_SYSTEM "OperatingSystem",
    400 INVALID_HANDLE "InvalidHandle",
    401 ILLEGAL_STATE "IllegalState",
    500 NOT_FOUND "NotFound",
    600 NOT_READY "NotReady",
    700 ILLEGAL_ADDRESS "IllegalAddress",
    701 LAUNCH_OUT_OF_RESOURCES "LaunchOutOfResources",
    702 LAUNCH_TIME_OUT "LaunchTimeOut",
    704 PEER_ACCESS_ALREADY_ENABLED "PeerAccessAlreadyEnabled",
    705 PEER_ACCESS_NOT_ENABLED "PeerAccessNotEnabled",
    708 SET_ON_ACTIVE_PROCESS "SetOnActiveProcess",
    709 CONTEXT_IS_DESTROYED "ContextIsDestroyed",
    710 ASSERT "Assert",
    712 HOST_MEMORY_ALREADY_REGISTERED "HostMemoryAlreadyRegistered",
    713 HOST_MEMORY_NOT_REGISTERED "HostMemoryNotRegistered",
    719 LAUNCH_FAILURE "LaunchFailure",
    720 COOPERATIVE_LAUNCH_TOO_LARGE "CooperativeLaunchTooLarge",
    801 NOT_SUPPORTED "NotSupported",
    900 STREAM_CAPTURE_UNSUPPORTED "StreamCaptureUnsupported",
    901 STREAM_CAPTURE_INVALIDATED "StreamCaptureInvalidated",
    902 STREAM_CAPTURE_MERGE "StreamCaptureMerge",
    903 STREAM_CAPTURE_UNMATCHED "StreamCaptureUnmatched",
    904 STREAM_CAPTURE_UNJOINED "StreamCaptureUnjoined",
    905 STREAM_CAPTURE_ISOLATION "StreamCaptureIsolation",
    906 STREAM_CAPTURE_IMPLICIT "StreamCaptureImplicit",
    907 CAPTURED_EVENT "CapturedEvent",
    908 STREAM_CAPTURE_WRONG_THREAD "StreamCaptureWrongThread",
    910 GRAPH_EXEC_UPDATE_FAILURE "GraphExecUpdateFailure",
    999 UNKNOWN "Unknown",
    1052 RUNTIME_MEMORY "RuntimeMemory",
    1053 RUNTIME_OTHER "RuntimeOther",
}
