//! The one device.

use super::Software;
use crate::{Code, DeviceHandle, Error, Result, Uuid};

/// The primary context, the only one.
pub(super) const CONTEXT: crate::ContextHandle = crate::ContextHandle(1);

pub(super) fn check(device: DeviceHandle, call: &'static str) -> Result<()> {
    match device.0 {
        0 => Ok(()),
        _ => Err(Error::new(Code::INVALID_DEVICE, call)),
    }
}

pub(super) fn name() -> String {
    "Software AMD GPU".to_owned()
}

/// The same for every software device of an architecture, on every machine.
pub(super) fn uuid(provider: &Software) -> Uuid {
    let mut bytes = *b"software\0\0\0\0\0\0\0\0";
    let arch = provider.gpu.arch().to_string();
    for (byte, letter) in bytes[8..].iter_mut().zip(arch.bytes()) {
        *byte = letter;
    }
    Uuid(bytes)
}
