//! Device attributes of chips that we answer for ourselves.

use amdgpu::Arch;

use crate::DeviceAttribute;

/// What HIP reports for a chip, clocks in kHz, sizes in bytes.
pub(crate) fn of(arch: Arch, attribute: DeviceAttribute) -> i32 {
    let own = match arch {
        Arch::Gfx90a => gfx90a(attribute),
        Arch::Gfx942 => gfx942(attribute),
        Arch::Gfx950 => gfx950(attribute),
        Arch::Gfx1200 => gfx1200(attribute),
        Arch::Gfx1201 => gfx1201(attribute),
        _ => None,
    };
    own.unwrap_or_else(|| gfx1100(attribute))
}

/// What half of an Instinct MI250X has that a Radeon RX 7900 XTX has not.
fn gfx90a(attribute: DeviceAttribute) -> Option<i32> {
    Some(match attribute {
        DeviceAttribute::ClockRate => 1_700_000,
        DeviceAttribute::L2CacheSize => 8 << 20,
        DeviceAttribute::ComputeCapabilityMajor => 9,
        DeviceAttribute::ComputeCapabilityMinor => 0,
        DeviceAttribute::MemoryClockRate => 1_600_000,
        DeviceAttribute::MultiprocessorCount => 110,
        DeviceAttribute::WarpSize => 64,
        _ => return None,
    })
}

/// What an Instinct MI355X has that a Radeon RX 7900 XTX has not.
fn gfx950(attribute: DeviceAttribute) -> Option<i32> {
    Some(match attribute {
        DeviceAttribute::ClockRate => 2_400_000,
        DeviceAttribute::L2CacheSize => 4 << 20,
        DeviceAttribute::ComputeCapabilityMajor => 9,
        DeviceAttribute::ComputeCapabilityMinor => 5,
        DeviceAttribute::MaxSharedMemoryPerBlock => 160 << 10,
        DeviceAttribute::MemoryClockRate => 2_000_000,
        DeviceAttribute::MultiprocessorCount => 256,
        DeviceAttribute::WarpSize => 64,
        _ => return None,
    })
}

/// What an Instinct MI300X has that a Radeon RX 7900 XTX has not.
fn gfx942(attribute: DeviceAttribute) -> Option<i32> {
    Some(match attribute {
        DeviceAttribute::ClockRate => 2_100_000,
        DeviceAttribute::L2CacheSize => 4 << 20,
        DeviceAttribute::ComputeCapabilityMajor => 9,
        DeviceAttribute::ComputeCapabilityMinor => 4,
        DeviceAttribute::MemoryClockRate => 1_300_000,
        DeviceAttribute::MultiprocessorCount => 304,
        DeviceAttribute::WarpSize => 64,
        _ => return None,
    })
}

/// What a Radeon RX 9060 XT has that a Radeon RX 7900 XTX has not.
fn gfx1200(attribute: DeviceAttribute) -> Option<i32> {
    Some(match attribute {
        DeviceAttribute::ClockRate => 3_130_000,
        DeviceAttribute::L2CacheSize => 4 << 20,
        DeviceAttribute::ComputeCapabilityMajor => 12,
        DeviceAttribute::ComputeCapabilityMinor => 0,
        DeviceAttribute::MemoryClockRate => 1_258_000,
        DeviceAttribute::MultiprocessorCount => 16,
        _ => return None,
    })
}

/// The same of a Radeon RX 9070 XT.
fn gfx1201(attribute: DeviceAttribute) -> Option<i32> {
    Some(match attribute {
        DeviceAttribute::ClockRate => 2_970_000,
        DeviceAttribute::L2CacheSize => 8 << 20,
        DeviceAttribute::MultiprocessorCount => 32,
        _ => return gfx1200(attribute),
    })
}

/// What a Radeon RX 7900 XTX has.
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
