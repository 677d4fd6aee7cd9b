//! Devices, and the context every owning handle lives in.

use std::fmt;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::{
    Api, Code, ContextHandle, DeviceAttribute, DeviceHandle, Error, ProviderInfo, Result, Uuid,
};

/// One device of a provider.
#[derive(Clone)]
pub struct Device {
    api: Arc<dyn Api>,
    ordinal: u32,
    handle: DeviceHandle,
}

impl Device {
    /// Every device of the provider, by ordinal. Empty when there is none.
    pub fn enumerate(api: &Arc<dyn Api>) -> Result<Vec<Self>> {
        api.init()?;
        (0..api.device_count()?)
            .map(|ordinal| {
                Ok(Self {
                    api: api.clone(),
                    ordinal,
                    handle: api.device(ordinal)?,
                })
            })
            .collect()
    }

    /// Position in the provider's list, from 0.
    pub fn ordinal(&self) -> u32 {
        self.ordinal
    }

    /// Marketing name.
    pub fn name(&self) -> Result<String> {
        self.api.device_name(self.handle)
    }

    /// The 16 bytes that name this device.
    pub fn uuid(&self) -> Result<Uuid> {
        self.api.device_uuid(self.handle)
    }

    /// Target architecture, such as `gfx1100`, with its feature suffixes if any.
    pub fn arch(&self) -> Result<String> {
        self.api.device_arch(self.handle)
    }

    /// Memory of the device in bytes.
    pub fn total_memory(&self) -> Result<u64> {
        self.api.device_total_memory(self.handle)
    }

    /// One attribute.
    pub fn attribute(&self, attribute: DeviceAttribute) -> Result<i32> {
        self.api.device_attribute(attribute, self.handle)
    }

    /// Version of the library behind the provider, as `hipRuntimeGetVersion` numbers it.
    pub fn runtime_version(&self) -> Result<i32> {
        self.api.runtime_version()
    }

    /// Who provides the device.
    pub fn provider(&self) -> &ProviderInfo {
        self.api.provider()
    }

    pub(crate) fn handle(&self) -> DeviceHandle {
        self.handle
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Device({}:{})", self.api.provider().name, self.ordinal)
    }
}

/// A device's primary context, retained. Everything made on the device holds
/// a clone, so the context outlives it all.
///
/// Releasing a handle cannot fail where it happens (in `Drop`): the error is
/// kept here and the next fallible call on anything of this context returns it.
#[derive(Clone)]
pub struct Context(Arc<Inner>);

struct Inner {
    device: Device,
    handle: ContextHandle,
    has_deferred: AtomicBool,
    deferred: Mutex<Option<Error>>,
}

impl Context {
    /// Retains the primary context of `device`.
    pub fn new(device: &Device) -> Result<Self> {
        let handle = device.api.primary_context_retain(device.handle)?;
        Ok(Self(Arc::new(Inner {
            device: device.clone(),
            handle,
            has_deferred: AtomicBool::new(false),
            deferred: Mutex::new(None),
        })))
    }

    /// The device.
    pub fn device(&self) -> &Device {
        &self.0.device
    }

    /// Lets this context's device reach the memory of `peer`. Asking again is
    /// fine; `hipErrorPeerAccessUnsupported` if the two cannot.
    pub fn enable_peer_access(&self, peer: &Device) -> Result<()> {
        let scope = self.enter()?;
        let device = self.0.device.handle;
        if !scope.api().device_can_access_peer(device, peer.handle)? {
            return Err(Error::new(
                Code::PEER_ACCESS_UNSUPPORTED,
                "hipDeviceEnablePeerAccess",
            ));
        }
        match scope.api().enable_peer_access(peer.handle) {
            Err(error) if error.code == Code::PEER_ACCESS_ALREADY_ENABLED => Ok(()),
            result => result,
        }
    }

    /// Takes the error that a release reported since the last call, if any.
    pub fn take_deferred_error(&self) -> Option<Error> {
        if !self.0.has_deferred.swap(false, Ordering::Acquire) {
            return None;
        }
        self.0
            .deferred
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    pub(crate) fn api(&self) -> &dyn Api {
        &*self.0.device.api
    }

    pub(crate) fn handle(&self) -> ContextHandle {
        self.0.handle
    }

    /// Makes the context current on this thread until the scope is dropped,
    /// then restores what was current before. Reports a deferred error first.
    pub(crate) fn enter(&self) -> Result<Scope<'_>> {
        if let Some(error) = self.take_deferred_error() {
            return Err(error);
        }
        self.enter_for_release()
    }

    /// As [`Context::enter`], leaving a deferred error where it is.
    pub(crate) fn enter_for_release(&self) -> Result<Scope<'_>> {
        let previous = self.api().context_current()?;
        let switched = previous != self.0.handle;
        if switched {
            // SAFETY: the handle is this context's own and live until `Inner` drops.
            unsafe { self.api().context_set_current(self.0.handle)? };
        }
        Ok(Scope {
            context: self,
            previous: switched.then_some(previous),
            this_thread: PhantomData,
        })
    }

    /// Runs a release with the context current and keeps its error for later.
    /// The release runs even when the context cannot be made current: what it
    /// frees would be lost otherwise.
    pub(crate) fn release(&self, release: impl FnOnce(&dyn Api) -> Result<()>) {
        let scope = self.enter_for_release();
        if let Err(error) = release(self.api()) {
            self.defer(error);
        }
        if let Err(error) = scope {
            self.defer(error);
        }
    }

    fn defer(&self, error: Error) {
        let mut deferred = self
            .0
            .deferred
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // The first failure is the cause; what follows it is usually its echo.
        deferred.get_or_insert(error);
        self.0.has_deferred.store(true, Ordering::Release);
    }
}

impl PartialEq for Context {
    /// The same retained context, not merely the same device.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Context({:?})", self.0.device)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // SAFETY: retained once in `Context::new`, released once here.
        let released = unsafe {
            self.device
                .api
                .primary_context_release(self.device.handle())
        };
        // Nobody is left to ask: an unreported release error ends here.
        drop(released);
    }
}

/// The time during which a context is current on this thread.
pub(crate) struct Scope<'a> {
    context: &'a Context,
    previous: Option<ContextHandle>,
    /// What is current belongs to the thread, so the scope may not leave it.
    this_thread: PhantomData<*const ()>,
}

impl<'a> Scope<'a> {
    pub(crate) fn api(&self) -> &'a dyn Api {
        self.context.api()
    }
}

impl Drop for Scope<'_> {
    fn drop(&mut self) {
        let Some(previous) = self.previous.take() else {
            return;
        };
        // SAFETY: it was current when the scope began, and whoever made it
        // current keeps it alive for as long as it is.
        if let Err(error) = unsafe { self.context.api().context_set_current(previous) } {
            self.context.defer(error);
        }
    }
}
