//! The `hal` module: devices, memory, commands and fences, as compiled
//! programs of both generations import them.
//!
//! Version 7 of the module has 60 functions, version 2 had 51. Where the two
//! give the same name another calling convention, both stand in the table;
//! imports are resolved by name and calling convention. Semantics are those of
//! the `hal` crate; here arguments are unpacked, and nothing more than needed
//! is allocated for that.

mod allocator;
mod buffer;
mod buffer_view;
mod channel;
mod command_buffer;
mod device;
mod executable;
mod fence;
mod queue;
mod status;
mod table;
#[cfg(test)]
mod tests;
pub mod types;

use std::fmt;
use std::io::Write;

use hal::{Binding, BufferRef, Device, Execution};
use vm::{Call, Code, Error, Flow, NativeExport, NativeModule, Ref, RefType, Result};

pub(super) use command_buffer::record_repeated;
pub(super) use queue::{Target, settle};
pub use status::{to_error, to_status};

/// Text of a program is copied; names and labels are shorter than this by far.
const MAX_TEXT_BYTES: usize = 64 << 10;

/// The module, as one context sees it.
pub struct HalModule {
    devices: Vec<Ref>,
    trace: Option<Box<dyn Write + Send>>,
    scratch: Scratch,
    /// What the devices had allocated when a program began to run ahead.
    ahead_since: u64,
}

/// Lists that are filled for one call and emptied after it: kept for their room.
#[derive(Default)]
struct Scratch {
    shape: Vec<u64>,
    constants: Vec<u32>,
    bindings: Vec<BufferRef>,
    executions: Vec<Execution>,
    table: Vec<Binding>,
}

impl HalModule {
    /// Its functions, without one at hand.
    pub(crate) const EXPORTS: &[NativeExport] = table::EXPORTS;

    /// A module that lets programs use these devices, in this order.
    ///
    /// # Safety
    ///
    /// Programs linked with the module load device code, which runs on the
    /// devices and can do whatever they let it. Whoever makes the module
    /// vouches for every program that it will be linked with.
    #[expect(
        unsafe_code,
        reason = "device code is as trusted as a shared library, and only the caller knows which it will be"
    )]
    pub unsafe fn new(devices: Vec<Device>) -> Self {
        let devices = devices.into_iter().map(|device| types::DEVICE.wrap(device));
        Self {
            devices: devices.collect(),
            trace: None,
            scratch: Scratch::default(),
            ahead_since: 0,
        }
    }

    /// A module for the programs that this repository has.
    #[cfg(test)]
    #[expect(unsafe_code, reason = "the fixtures touch only what they are given")]
    pub(crate) fn for_fixtures(devices: Vec<Device>) -> Self {
        // SAFETY: as the reason above says.
        unsafe { Self::new(devices) }
    }

    /// Writes what programs trace (`buffer_view.trace`) to `sink`, as text.
    #[must_use]
    pub fn with_trace(mut self, sink: Box<dyn Write + Send>) -> Self {
        self.trace = Some(sink);
        self
    }

    /// A device to move bytes with; `UNAVAILABLE` if there is none.
    fn any_device(&self) -> Result<&Device> {
        self.devices
            .iter()
            .find_map(|device| types::DEVICE.of(device))
            .ok_or_else(|| Error::new(Code::UNAVAILABLE, "the module was made without devices"))
    }
}

impl NativeModule for HalModule {
    fn name(&self) -> &'static str {
        "hal"
    }

    fn version(&self) -> u32 {
        7
    }

    fn types(&self) -> &'static [&'static RefType] {
        types::ALL
    }

    fn exports(&self) -> &[NativeExport] {
        table::EXPORTS
    }

    fn call(&mut self, export: usize, call: &mut Call<'_>) -> Result<Flow> {
        let function = table::FUNCTIONS.get(export).ok_or_else(|| {
            Error::new(
                Code::INTERNAL,
                format!("`hal` has no function number {export}"),
            )
        })?;
        function(self, call)
    }

    fn runs_ahead(&self, export: usize) -> bool {
        table::AHEAD.get(export).is_some_and(|ahead| *ahead)
    }

    fn catch_up(&mut self) {
        let devices = self.devices.iter().filter_map(|it| types::DEVICE.of(it));
        devices
            .flat_map(hal::Device::queues)
            .for_each(hal::Queue::catch_up);
    }

    fn is_settled(&mut self, on: &Ref, has_waited: bool) -> Result<bool> {
        Self::is_reached(on, has_waited)
    }
}

impl fmt::Debug for HalModule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HalModule")
            .field("devices", &self.devices)
            .finish_non_exhaustive()
    }
}

/// The next argument, text in a buffer; null is empty. `INVALID_ARGUMENT` for
/// more than [`MAX_TEXT_BYTES`].
pub(super) fn text(call: &mut Call<'_>) -> Result<String> {
    let Some(buffer) = call.optional(&vm::types::BUFFER)? else {
        return Ok(String::new());
    };
    if buffer.len() > MAX_TEXT_BYTES as u64 {
        return Err(Error::new(
            Code::INVALID_ARGUMENT,
            format!(
                "{} bytes are no name or label; the longest has {MAX_TEXT_BYTES}",
                buffer.len()
            ),
        ));
    }
    Ok(lossy(buffer))
}

/// The text in a buffer, up to [`MAX_TEXT_BYTES`] of it, for messages; what is
/// no UTF-8 is replaced.
fn lossy(buffer: &vm::Buffer) -> String {
    buffer.read(|bytes| {
        let bytes = &bytes[..bytes.len().min(MAX_TEXT_BYTES)];
        String::from_utf8_lossy(bytes).into_owned()
    })
}
