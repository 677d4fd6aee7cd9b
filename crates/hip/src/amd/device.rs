//! Devices and contexts.

use std::ffi::{CStr, c_char};
use std::sync::PoisonError;

use super::{Amd, abi, call};
use crate::{Code, ContextHandle, DeviceHandle, Error, Result};

/// Whether there is a device, from a call that fails without one but not for
/// any other device's sake: HIP 5 then says `InvalidDevice`, later ones `NoDevice`.
pub(super) fn any(amd: &Amd, result: Result<()>) -> Result<bool> {
    match result {
        Err(error) if error.code == Code::INVALID_DEVICE => {
            amd.answer(Err(error), Code::INVALID_DEVICE)
        }
        result => amd.answer(result, Code::NO_DEVICE),
    }
}

pub(super) fn name(amd: &Amd, device: DeviceHandle) -> Result<String> {
    let mut buffer = [0u8; 256];
    let bytes = buffer.len() as i32 - 1;
    call!(amd.device_name(buffer.as_mut_ptr().cast::<c_char>(), bytes, device.0))?;
    Ok(text(&buffer))
}

/// The architecture's name, at its place in the layout of the function found:
/// symbol and layout must match, whatever the library's version.
pub(super) fn arch(amd: &Amd, device: DeviceHandle) -> Result<String> {
    let mut properties = Box::new([0u64; abi::DEVICE_PROPERTIES_BYTES / 8]);
    let ptr = properties.as_mut_ptr().cast();
    let offset = if amd.symbols.properties_r0600.is_present() {
        call!(amd.properties_r0600(ptr, device.0))?;
        abi::GCN_ARCH_NAME_R0600
    } else {
        call!(amd.properties_r0000(ptr, device.0))?;
        abi::GCN_ARCH_NAME_R0000
    };
    let bytes: Vec<u8> = properties
        .iter()
        .flat_map(|word| word.to_ne_bytes())
        .collect();
    let arch = text(&bytes[offset..offset + abi::GCN_ARCH_NAME_BYTES]);
    if arch.starts_with("gfx") {
        return Ok(arch);
    }
    Err(Error::with_detail(
        Code::NOT_SUPPORTED,
        "hipGetDeviceProperties",
        format!("{} gave {arch:?} for the architecture's name", amd.library),
    ))
}

/// The text up to the first zero.
fn text(bytes: &[u8]) -> String {
    match CStr::from_bytes_until_nul(bytes) {
        Ok(text) => text.to_string_lossy().into_owned(),
        Err(_) => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// Our handle of a device's primary context.
pub(super) fn context_of(ordinal: i32) -> ContextHandle {
    ContextHandle((ordinal as usize).wrapping_add(1))
}

/// The device of one of our context handles; `None` for null.
pub(super) fn ordinal_of(context: ContextHandle) -> Option<i32> {
    Some(context.0.checked_sub(1)? as i32)
}

pub(super) fn retain_context(amd: &Amd, device: DeviceHandle) -> Result<ContextHandle> {
    let ordinal = usize::try_from(device.0)
        .map_err(|_| Error::new(Code::INVALID_DEVICE, "hipDevicePrimaryCtxRetain"))?;
    let mut context = ContextHandle::default();
    if amd.symbols.primary_context_retain.is_present() {
        call!(amd.primary_context_retain(&mut context, device.0))?;
    }
    let mut contexts = amd.contexts.lock().unwrap_or_else(PoisonError::into_inner);
    if contexts.len() <= ordinal {
        contexts.resize(ordinal + 1, ContextHandle::default());
    }
    contexts[ordinal] = context;
    Ok(context_of(device.0))
}

/// The library's own `hipCtx_t` behind one of our context handles.
pub(super) fn library_context(amd: &Amd, context: ContextHandle) -> ContextHandle {
    let contexts = amd.contexts.lock().unwrap_or_else(PoisonError::into_inner);
    let index = context.0.wrapping_sub(1);
    contexts.get(index).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn context_handles_are_ordinals_plus_one() {
        assert_eq!(ordinal_of(context_of(0)), Some(0));
        assert_eq!(ordinal_of(context_of(7)), Some(7));
        assert_eq!(ordinal_of(ContextHandle::default()), None);
    }

    #[test]
    fn text_ends_at_the_first_zero() {
        assert_eq!(text(b"gfx1100\0junk"), "gfx1100");
        assert_eq!(text(b"full"), "full");
    }
}
