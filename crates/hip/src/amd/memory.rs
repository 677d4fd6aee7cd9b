//! Memory.

use std::ptr::NonNull;

use super::{Amd, abi, call, size};
use crate::{
    Code, DeviceHandle, DevicePtr, Error, HostMallocFlags, MemPoolHandle, Result, StreamHandle,
};

pub(super) fn host_malloc(amd: &Amd, bytes: u64, flags: HostMallocFlags) -> Result<NonNull<u8>> {
    let mut ptr = std::ptr::null_mut();
    call!(amd.host_malloc(&mut ptr, size(bytes), flags.0))?;
    NonNull::new(ptr).ok_or_else(|| Error::new(Code::OUT_OF_MEMORY, "hipHostMalloc"))
}

pub(super) fn pool_create(amd: &Amd, device: DeviceHandle) -> Result<MemPoolHandle> {
    let properties = abi::MemPoolProps {
        allocation_type: abi::ALLOCATION_TYPE_PINNED,
        handle_types: abi::HANDLE_TYPE_NONE,
        location_type: abi::LOCATION_TYPE_DEVICE,
        location_id: device.0,
        security_attributes: 0,
        reserved: [0; 64],
    };
    let mut pool = MemPoolHandle::default();
    call!(amd.mem_pool_create(&mut pool, &properties))?;
    Ok(pool)
}

pub(super) fn fill_u8(
    amd: &Amd,
    dst: DevicePtr,
    value: u8,
    count: u64,
    stream: StreamHandle,
) -> Result<()> {
    if amd.symbols.memset_d8_async.is_present() {
        call!(amd.memset_d8_async(dst, value, size(count), stream))
    } else {
        call!(amd.memset_async(dst, value.into(), size(count), stream))
    }
}
