//! Device attributes of chips that we answer for ourselves.

use crate::DeviceAttribute;

/// What HIP reports for a gfx1100 (Radeon RX 7900 XTX), clocks in kHz, sizes in bytes.
pub(crate) fn gfx1100(attribute: DeviceAttribute) -> i32 {
    match attribute {
        DeviceAttribute::ClockRate => 2_482_000,
        DeviceAttribute::ConcurrentManagedAccess => 1,
        DeviceAttribute::Integrated => 0,
        DeviceAttribute::L2CacheSize => 6 << 20,
        DeviceAttribute::ComputeCapabilityMajor => 11,
        DeviceAttribute::ComputeCapabilityMinor => 0,
        DeviceAttribute::ManagedMemory => 1,
        DeviceAttribute::MaxBlockDimX
        | DeviceAttribute::MaxBlockDimY
        | DeviceAttribute::MaxBlockDimZ
        | DeviceAttribute::MaxThreadsPerBlock => 1024,
        DeviceAttribute::MaxGridDimX => i32::MAX,
        DeviceAttribute::MaxGridDimY | DeviceAttribute::MaxGridDimZ => 65_536,
        DeviceAttribute::MemoryClockRate => 1_249_000,
        DeviceAttribute::MultiprocessorCount => 48,
        DeviceAttribute::MaxRegistersPerBlock | DeviceAttribute::MaxSharedMemoryPerBlock => 65_536,
        DeviceAttribute::TotalConstantMemory => i32::MAX,
        DeviceAttribute::WarpSize => 32,
        DeviceAttribute::MemoryPoolsSupported => 1,
    }
}
