//! Devices and contexts.

use std::ffi::{CStr, c_char};
use std::sync::PoisonError;

use super::{Nvidia, abi, call};
use crate::{Code, ContextHandle, DeviceAttribute, DeviceHandle, Result};

/// What we hold of a device.
#[derive(Clone, Default)]
pub(super) struct Primary {
    /// How often its primary context was retained.
    retained: u32,
    /// Devices whose memory it was let reach; their contexts are held for it.
    peers: Vec<DeviceHandle>,
}

pub(super) fn name(nv: &Nvidia, device: DeviceHandle) -> Result<String> {
    let mut buffer = [0u8; 256];
    let bytes = buffer.len() as i32 - 1;
    call!(nv.device_name(buffer.as_mut_ptr().cast::<c_char>(), bytes, device.0))?;
    Ok(match CStr::from_bytes_until_nul(&buffer) {
        Ok(text) => text.to_string_lossy().into_owned(),
        Err(_) => String::from_utf8_lossy(&buffer).into_owned(),
    })
}

/// `sm_` and the compute capability: what the compiler calls the chip.
pub(super) fn arch(nv: &Nvidia, device: DeviceHandle) -> Result<String> {
    let major = attribute(nv, DeviceAttribute::ComputeCapabilityMajor, device)?;
    let minor = attribute(nv, DeviceAttribute::ComputeCapabilityMinor, device)?;
    Ok(format!("sm_{major}{minor}"))
}

pub(super) fn attribute(
    nv: &Nvidia,
    attribute: DeviceAttribute,
    device: DeviceHandle,
) -> Result<i32> {
    let mut value = 0;
    call!(nv.device_attribute(&mut value, abi::device_attribute(attribute), device.0))?;
    Ok(value)
}

/// The device of the current context.
pub(super) fn current(nv: &Nvidia) -> Result<DeviceHandle> {
    let mut device = 0;
    call!(nv.context_device(&mut device))?;
    Ok(DeviceHandle(device))
}

pub(super) fn retain_context(nv: &Nvidia, device: DeviceHandle) -> Result<ContextHandle> {
    let mut context = ContextHandle::default();
    call!(nv.primary_context_retain(&mut context, device.0))?;
    with_primary(nv, device, |primary| primary.retained += 1);
    Ok(context)
}

pub(super) fn release_context(nv: &Nvidia, device: DeviceHandle) -> Result<()> {
    let peers = with_primary(nv, device, |primary| {
        primary.retained = primary.retained.saturating_sub(1);
        if primary.retained == 0 {
            std::mem::take(&mut primary.peers)
        } else {
            Vec::new()
        }
    });
    let mut result = call!(nv.primary_context_release(device.0));
    for peer in peers {
        result = result.and(call!(nv.primary_context_release(peer.0)));
    }
    result
}

/// HIP names the peer by its device, CUDA by a context, which must not go away
/// before the current one does.
pub(super) fn enable_peer_access(nv: &Nvidia, peer: DeviceHandle) -> Result<()> {
    let device = current(nv)?;
    let mut context = ContextHandle::default();
    call!(nv.primary_context_retain(&mut context, peer.0))?;
    let enabled = call!(nv.enable_peer_access(context, 0));
    if enabled.is_ok() {
        with_primary(nv, device, |primary| primary.peers.push(peer));
        return Ok(());
    }
    call!(nv.primary_context_release(peer.0))?;
    nv.answer(enabled, Code::PEER_ACCESS_ALREADY_ENABLED)?;
    Ok(())
}

fn with_primary<T>(nv: &Nvidia, device: DeviceHandle, then: impl FnOnce(&mut Primary) -> T) -> T {
    let mut primaries = nv.primaries.lock().unwrap_or_else(PoisonError::into_inner);
    // The driver knows the device, so its number is a small one.
    let ordinal = usize::try_from(device.0).unwrap_or_default();
    if primaries.len() <= ordinal {
        primaries.resize(ordinal + 1, Primary::default());
    }
    then(&mut primaries[ordinal])
}
