//! The `io_parameters` module: weights that a program names, from files to
//! buffers of the device.
//!
//! | function | what |
//! |---|---|
//! | `load` | a new buffer for each span of a parameter |
//! | `gather` | spans of parameters into one buffer |
//! | `scatter` | a buffer into parameters: refused, files are only read |
//!
//! All return at once: contents are there when the signal fence says so, and
//! what goes wrong on the way fails it. Bytes go from the mapped file to the
//! device through a bounded amount of pinned memory, whatever there is to load.

mod request;
#[cfg(test)]
mod tests;
mod upload;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hal::flags::{BufferUsage, MemoryType};
use hal::{BufferParams, BufferRef};
use vm::{Call, Code, Error, Flow, List, NativeExport, NativeModule, RefType, Result};

use super::hal::{settle, text, to_error, types};
use crate::parameters::{Progress, ProgressObserver, Set};
use request::Requests;
use upload::Upload;

/// The module, as one context sees it.
pub struct IoParametersModule {
    parameters: Arc<Set>,
    progress: Option<Arc<Meter>>,
}

/// Adds up what is to be read and what has been.
struct Meter {
    observer: ProgressObserver,
    total: AtomicU64,
    done: AtomicU64,
}

impl Meter {
    fn expect(&self, bytes: u64) {
        self.total.fetch_add(bytes, Ordering::Relaxed);
    }

    fn tell(&self, bytes: u64) {
        let done = self.done.fetch_add(bytes, Ordering::Relaxed) + bytes;
        (self.observer)(Progress {
            done,
            total: self.total.load(Ordering::Relaxed),
        });
    }
}

impl IoParametersModule {
    /// A module that finds parameters in `parameters`.
    pub fn new(parameters: Arc<Set>) -> Self {
        Self {
            parameters,
            progress: None,
        }
    }

    /// Tells `observer` how loading gets on, on the threads that load.
    #[must_use]
    pub fn with_progress(mut self, observer: ProgressObserver) -> Self {
        self.progress = Some(Arc::new(Meter {
            observer,
            total: AtomicU64::new(0),
            done: AtomicU64::new(0),
        }));
        self
    }

    fn load(&self, call: &mut Call<'_>) -> Result<Flow> {
        let list = settle(call, |target, call| {
            let scope = text(call)?;
            let affinity = call.u64()?;
            let memory_type = MemoryType::from_bits_retain(call.u32()?);
            // Files are copied into the buffers, whatever they are for then.
            let usage = BufferUsage::from_bits_retain(call.u32()?) | BufferUsage::TRANSFER_TARGET;
            let params = BufferParams {
                usage,
                memory_type,
                queue_affinity: affinity,
                owner: target.device.allocator().owner("parameters"),
                ..BufferParams::default()
            };
            let requests = Requests::read(call)?;
            let mut upload = Upload::new(target, self.progress.as_ref());
            let list = List::default();
            for request in requests.resolve(&self.parameters, &scope) {
                let request = request?;
                let length = request.length;
                let buffer = target
                    .device
                    .allocator()
                    .allocate(&params, length)
                    // An empty allocation has some bytes all the same.
                    .and_then(|buffer| buffer.subspan(0, length))
                    .map_err(|status| {
                        to_error(status.context(format!("loading parameter `{}`", request.key)))
                    })?;
                // Where in the buffer means nothing for one that is made to fit.
                upload.add(&request, BufferRef::range(&buffer, 0, length));
                list.push_ref(types::BUFFER.wrap(buffer));
            }
            upload.submit()?;
            Ok(list)
        })?;
        call.ret(vm::types::LIST.wrap(list).into());
        Ok(Flow::Return)
    }

    fn gather(&self, call: &mut Call<'_>) -> Result<Flow> {
        settle(call, |target, call| {
            let scope = text(call)?;
            let buffer = call.object(&types::BUFFER)?;
            let requests = Requests::read(call)?;
            let mut upload = Upload::new(target, self.progress.as_ref());
            for request in requests.resolve(&self.parameters, &scope) {
                let request = request?;
                let (offset, length) = (request.buffer_offset, request.length);
                buffer.range(offset, length).map_err(|status| {
                    to_error(status.context(format!("gathering parameter `{}`", request.key)))
                })?;
                upload.add(&request, BufferRef::range(buffer, offset, length));
            }
            upload.submit()
        })?;
        Ok(Flow::Return)
    }

    fn scatter(&self, call: &mut Call<'_>) -> Result<Flow> {
        settle(call, |target, call| {
            let _source = call.object(&types::BUFFER)?;
            let scope = text(call)?;
            let requests = Requests::read(call)?;
            let mut requests = requests.resolve(&self.parameters, &scope);
            let Some(request) = requests.next().transpose()? else {
                return Upload::new(target, None).submit();
            };
            Err(Error::new(
                Code::PERMISSION_DENIED,
                format!(
                    "parameter `{}` cannot be written: {} is opened for reading only",
                    request.key,
                    request.archive.path().display()
                ),
            ))
        })?;
        Ok(Flow::Return)
    }
}

pub(super) const EXPORTS: &[NativeExport] = &[
    NativeExport {
        name: "load",
        signature: "0rIrrrIiirrr_r",
    },
    NativeExport {
        name: "gather",
        signature: "0rIrrrrrrr_v",
    },
    NativeExport {
        name: "scatter",
        signature: "0rIrrrrrrr_v",
    },
];

impl NativeModule for IoParametersModule {
    fn name(&self) -> &'static str {
        "io_parameters"
    }

    fn version(&self) -> u32 {
        0
    }

    fn types(&self) -> &'static [&'static RefType] {
        &[]
    }

    fn exports(&self) -> &[NativeExport] {
        EXPORTS
    }

    fn call(&mut self, export: usize, call: &mut Call<'_>) -> Result<Flow> {
        match export {
            0 => self.load(call),
            1 => self.gather(call),
            2 => self.scatter(call),
            _ => Err(Error::new(
                Code::INTERNAL,
                format!("`io_parameters` has no function number {export}"),
            )),
        }
    }
}

impl fmt::Debug for IoParametersModule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IoParametersModule")
            .field("parameters", &self.parameters)
            .finish_non_exhaustive()
    }
}
