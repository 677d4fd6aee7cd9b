//! Memory.

use std::ptr::NonNull;

use super::{Nvidia, abi, call, size};
use crate::{Code, DeviceHandle, Error, HostMallocFlags, MemPoolHandle, Result};

pub(super) fn host_malloc(nv: &Nvidia, bytes: u64, flags: HostMallocFlags) -> Result<NonNull<u8>> {
    let mut ptr = std::ptr::null_mut();
    call!(nv.host_malloc(&mut ptr, size(bytes), flags.0))?;
    NonNull::new(ptr).ok_or_else(|| Error::new(Code::OUT_OF_MEMORY, "cuMemHostAlloc"))
}

pub(super) fn pool_create(nv: &Nvidia, device: DeviceHandle) -> Result<MemPoolHandle> {
    let properties = abi::MemPoolProps {
        allocation_type: abi::ALLOCATION_TYPE_PINNED,
        handle_types: abi::HANDLE_TYPE_NONE,
        location_type: abi::LOCATION_TYPE_DEVICE,
        location_id: device.0,
        security_attributes: 0,
        max_bytes: 0,
        reserved: [0; 56],
    };
    let mut pool = MemPoolHandle::default();
    call!(nv.mem_pool_create(&mut pool, &properties))?;
    Ok(pool)
}
