//! The executable cache: from the bytes of a program to loaded device code.

use std::fmt;

use hip::Module;

use crate::{Device, Executable, PipelineLayout, Result, executable};

/// Prepares executables for a device. Cheap to clone.
#[derive(Clone)]
pub struct ExecutableCache {
    device: Device,
}

/// What to prepare.
#[derive(Clone, Copy, Debug)]
pub struct ExecutableParams<'a> {
    /// Format of the data, one that [`ExecutableCache::can_prepare_format`];
    /// `None` leaves it to the data.
    pub format: Option<&'a str>,
    /// The data: a container of either generation, or a bare code object.
    pub data: &'a [u8],
    /// One layout per export, for programs of the older generation; they
    /// carry layouts apart from the code. Empty otherwise.
    pub pipeline_layouts: &'a [PipelineLayout],
}

impl<'a> ExecutableParams<'a> {
    /// Data that says itself what it is, without layouts.
    pub fn new(data: &'a [u8]) -> Self {
        Self {
            format: None,
            data,
            pipeline_layouts: &[],
        }
    }
}

impl ExecutableCache {
    pub(crate) fn new(device: &Device) -> Self {
        Self {
            device: device.clone(),
        }
    }

    /// Names of the formats that can be prepared. Each stands for all forms of
    /// container, which are told apart by what they begin with. The name of
    /// the device's own chip may be one more.
    pub fn formats(&self) -> &'static [&'static str] {
        self.device.family().formats
    }

    /// Whether executables of this format can be prepared.
    pub fn can_prepare_format(&self, format: &str) -> bool {
        self.device.takes_format(format)
    }

    /// Loads device code and looks up its exports.
    ///
    /// - `UNIMPLEMENTED`: the format is unknown.
    /// - `INVALID_ARGUMENT`, `OUT_OF_RANGE`: the data is malformed or cut
    ///   short, layouts do not fit it, or a kernel needs more than the device
    ///   has; the kernel is named.
    /// - `INCOMPATIBLE`: the data is of an unknown version, or the code is
    ///   for another chip; both chips are named.
    /// - `NOT_FOUND`: a kernel is missing.
    ///
    /// # Safety
    ///
    /// The code will run on the device and can do whatever the device lets
    /// it. Whoever loads it vouches for it.
    #[expect(unsafe_code, reason = "device code is as trusted as a shared library")]
    pub unsafe fn prepare(&self, params: &ExecutableParams<'_>) -> Result<Executable> {
        executable::load(&self.device, params, &|image| {
            // SAFETY: the caller vouches for the code.
            unsafe { Module::load(self.device.context(), image) }
        })
    }

    /// [`ExecutableCache::prepare`] for the code that this repository has.
    #[cfg(test)]
    #[expect(unsafe_code, reason = "the fixtures touch only what they are given")]
    pub(crate) fn prepare_fixture(&self, params: &ExecutableParams<'_>) -> Result<Executable> {
        // SAFETY: as the reason above says.
        unsafe { self.prepare(params) }
    }
}

impl fmt::Debug for ExecutableCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExecutableCache({:?})", self.device)
    }
}
