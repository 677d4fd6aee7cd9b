//! The executable cache: from the bytes of a program to loaded device code.

use std::fmt;

use crate::{Device, Executable, PipelineLayout, Result};

/// Prepares executables for a device. Cheap to clone.
#[derive(Clone)]
pub struct ExecutableCache {
    device: Device,
}

/// What to prepare.
#[derive(Clone, Copy, Debug)]
pub struct ExecutableParams<'a> {
    /// Format of the data: `rocm-hsaco-fb` or `HSACO`.
    pub format: &'a str,
    /// The data: a container of either generation, or a bare code object.
    pub data: &'a [u8],
    /// One layout per export, for programs of the older generation; they
    /// carry layouts apart from the code. Empty otherwise.
    pub pipeline_layouts: &'a [PipelineLayout],
}

impl ExecutableCache {
    /// Names of the formats that can be prepared.
    pub const FORMATS: [&'static str; 2] = ["rocm-hsaco-fb", "HSACO"];

    pub(crate) fn new(device: &Device) -> Self {
        Self {
            device: device.clone(),
        }
    }

    /// Whether executables of this format can be prepared.
    pub fn can_prepare_format(format: &str) -> bool {
        Self::FORMATS.contains(&format)
    }
}

impl fmt::Debug for ExecutableCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExecutableCache({:?})", self.device)
    }
}
