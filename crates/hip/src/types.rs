//! The plain types of the interface: handles, addresses, flags, attributes.

use std::fmt;
use std::path::PathBuf;

use crate::DeviceFamily;

macro_rules! handle {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        ///
        /// An opaque value of the provider, as wide as a pointer; 0 is null.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        #[repr(transparent)]
        pub struct $name(pub usize);
    )*};
}

handle! {
    /// `hipCtx_t`.
    ContextHandle;
    /// `hipStream_t`; null is the default stream.
    StreamHandle;
    /// `hipEvent_t`.
    EventHandle;
    /// `hipModule_t`.
    ModuleHandle;
    /// `hipFunction_t`.
    FunctionHandle;
    /// `hipGraph_t`.
    GraphHandle;
    /// `hipGraphNode_t`.
    GraphNodeHandle;
    /// `hipGraphExec_t`.
    GraphExecHandle;
    /// `hipMemPool_t`.
    MemPoolHandle;
}

/// `hipDevice_t`: the device as `hipDeviceGet` numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct DeviceHandle(pub i32);

/// An address in a device's address space. It is a number, not a reference:
/// the device's own memory protection (or the software GPU's registry of
/// allocations) decides whether an access through it is good.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(transparent)]
pub struct DevicePtr(pub u64);

impl DevicePtr {
    /// The null address.
    pub const NULL: Self = Self(0);

    /// This address plus `bytes`.
    #[must_use]
    pub const fn offset(self, bytes: u64) -> Self {
        Self(self.0.wrapping_add(bytes))
    }
}

impl fmt::Debug for DevicePtr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

/// `dim3`: sizes in x, y, z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct Dim3 {
    /// Size in x.
    pub x: u32,
    /// Size in y.
    pub y: u32,
    /// Size in z.
    pub z: u32,
}

impl From<[u32; 3]> for Dim3 {
    fn from([x, y, z]: [u32; 3]) -> Self {
        Self { x, y, z }
    }
}

/// How a kernel is launched: everything but its arguments and its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaunchConfig {
    /// Workgroups in x, y, z.
    pub grid: Dim3,
    /// Threads of one workgroup in x, y, z.
    pub block: Dim3,
    /// Dynamic LDS per workgroup, in bytes, on top of what the kernel declares.
    pub shared_memory_bytes: u32,
}

/// `hipUUID`: 16 bytes that name a device.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Uuid(pub [u8; 16]);

impl fmt::Display for Uuid {
    /// Lower-case hex in groups of 8-4-4-4-12 digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Who answers the calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderInfo {
    /// `amd`, `software`, `null`, …
    pub name: &'static str,
    /// The library the symbols come from; `None` when there is none.
    pub library: Option<PathBuf>,
    /// What kind of devices it has.
    pub family: &'static DeviceFamily,
    /// Whether every access of device code is checked against the memory that
    /// is allocated: what is freed should then really be freed.
    pub checks_memory: bool,
    /// Whether it pays to make one graph of launches that come one by one: to
    /// give all its nodes other arguments and to launch it costs much less than
    /// launching them, and a launch under way keeps the arguments it has.
    pub relaunches_graphs: bool,
    /// Whether a launch keeps its caller for as long as it takes to wake a
    /// thread, so that another thread had better make those that are put off.
    pub launches_take_long: bool,
    /// Whether it wants to know what launches are bound to, to check that they
    /// access nothing else: then it has [`Api::function_bind`](crate::Api::function_bind).
    pub checks_bindings: bool,
}

macro_rules! c_enum {
    ($($(#[$doc:meta])* $name:ident { $($variant:ident = $value:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(i32)]
        #[expect(missing_docs, reason = "the variants carry the C names, which HIP's manual documents")]
        pub enum $name {
            $($variant = $value,)*
        }

        impl $name {
            /// Every variant, for tests that compare with the C headers.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];
        }
    )*};
}

c_enum! {
    /// `hipDeviceAttribute_t`, the ones in use. Numbers of HIP 5.2 and later.
    DeviceAttribute {
        ClockRate = 5,
        ConcurrentManagedAccess = 9,
        Integrated = 16,
        L2CacheSize = 19,
        ComputeCapabilityMajor = 23,
        ManagedMemory = 24,
        MaxBlockDimX = 26,
        MaxBlockDimY = 27,
        MaxBlockDimZ = 28,
        MaxGridDimX = 29,
        MaxGridDimY = 30,
        MaxGridDimZ = 31,
        MaxThreadsPerBlock = 56,
        MemoryClockRate = 60,
        ComputeCapabilityMinor = 61,
        MultiprocessorCount = 63,
        MaxRegistersPerBlock = 71,
        MaxSharedMemoryPerBlock = 74,
        TotalConstantMemory = 83,
        WarpSize = 87,
        MemoryPoolsSupported = 88,
    }
    /// `hipFunction_attribute`, the ones in use.
    FunctionAttribute {
        MaxThreadsPerBlock = 0,
        SharedSizeBytes = 1,
        MaxDynamicSharedSizeBytes = 8,
    }
    /// `hipMemcpyKind`.
    MemcpyKind {
        HostToHost = 0,
        HostToDevice = 1,
        DeviceToHost = 2,
        DeviceToDevice = 3,
        Default = 4,
    }
    /// `hipMemPoolAttr`, the ones in use; all are 64-bit byte counts.
    MemPoolAttribute {
        ReleaseThreshold = 4,
        ReservedMemCurrent = 5,
        ReservedMemHigh = 6,
        UsedMemCurrent = 7,
        UsedMemHigh = 8,
    }
}

macro_rules! c_flags {
    ($($(#[$doc:meta])* $name:ident { $($(#[$flag_doc:meta])* $flag:ident = $value:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        #[repr(transparent)]
        pub struct $name(pub u32);

        impl $name {
            $($(#[$flag_doc])* pub const $flag: Self = Self($value);)*

            /// Whether all bits of `other` are set.
            pub const fn contains(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }
        }

        impl std::ops::BitOr for $name {
            type Output = Self;
            fn bitor(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }
        }
    )*};
}

c_flags! {
    /// Flags of `hipStreamCreateWithFlags`.
    StreamFlags {
        /// Ordered with the default stream.
        DEFAULT = 0,
        /// Not ordered with the default stream.
        NON_BLOCKING = 1,
    }
    /// Flags of `hipEventCreateWithFlags`.
    EventFlags {
        /// Timing, and waits that may spin.
        DEFAULT = 0,
        /// `hipEventSynchronize` sleeps.
        BLOCKING_SYNC = 1,
        /// No timestamps.
        DISABLE_TIMING = 2,
    }
    /// Flags of `hipHostMalloc` and `hipHostRegister`.
    HostMallocFlags {
        /// Plain pinned memory.
        DEFAULT = 0,
        /// Pinned for every context.
        PORTABLE = 1,
        /// The device can access it.
        MAPPED = 2,
        /// Write-combined: quick to write from the host, slow to read (not for registration).
        WRITE_COMBINED = 4,
    }
}
