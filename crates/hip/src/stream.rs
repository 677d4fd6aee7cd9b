//! Streams and events: order on the device.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::batch::{Batch, Pending};
use crate::context::Scope;
use crate::{
    Api, Code, Context, DevicePtr, Error, EventFlags, EventHandle, Failed, Function, GraphExec,
    LaunchConfig, MemcpyKind, Result, StreamFlags, StreamHandle,
};

/// An owned stream: work submitted to it runs in submission order.
pub struct Stream {
    /// Where launches can be put off.
    batch: Option<Batch>,
    context: Context,
    handle: StreamHandle,
}

impl Stream {
    /// A stream of its own, not ordered with the default stream.
    pub fn new(context: &Context) -> Result<Self> {
        let handle = context
            .enter()?
            .api()
            .stream_create(StreamFlags::NON_BLOCKING)?;
        let relaunches_graphs = context.device().provider().relaunches_graphs;
        Ok(Self {
            batch: relaunches_graphs.then(|| Batch::new(context, handle)),
            context: context.clone(),
            handle,
        })
    }

    /// The context of the stream.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Opens the stream for a run of submissions: the context is made current
    /// once for all of them and the caller's is restored at the end.
    pub fn issue(&self) -> Result<Issue<'_>> {
        Ok(Issue {
            scope: self.context.enter()?,
            api: self.context.api(),
            handle: self.handle,
            stream: self,
        })
    }

    /// Sleeps until all submitted work is done; fails with the error of work that failed.
    pub fn synchronize(&self) -> Result<()> {
        let scope = self.context.enter()?;
        self.flush();
        // SAFETY: the handle is owned by `self`.
        unsafe { scope.api().stream_synchronize(self.handle) }
    }

    /// Whether all submitted work is done; fails with the error of work that failed.
    pub fn query(&self) -> Result<bool> {
        let scope = self.context.enter()?;
        self.flush();
        // SAFETY: the handle is owned by `self`.
        unsafe { scope.api().stream_query(self.handle) }
    }

    /// Whether launches can be put off ([`Issue::launch_later`]).
    pub fn puts_off(&self) -> bool {
        self.batch.is_some()
    }

    /// Whether launches were put off that nothing makes until there are more,
    /// or something else is done with the stream.
    pub fn is_holding(&self) -> bool {
        self.batch.as_ref().is_some_and(Batch::is_filling)
    }

    /// Forgets what was put off and not made yet. Of an event that was to be
    /// recorded whoever asks is told that it is not ready, as an error.
    pub fn discard_held(&self) {
        if let Some(batch) = &self.batch {
            batch.discard();
        }
    }

    /// The launches that were put off and failed, since the last call.
    pub fn take_failed(&self) -> Vec<Failed> {
        self.batch
            .as_ref()
            .map_or_else(Vec::new, Batch::take_failed)
    }

    /// Makes what was put off. The context is current.
    #[inline]
    fn flush(&self) {
        if let Some(batch) = &self.batch {
            batch.flush();
        }
    }

    pub(crate) fn handle(&self) -> StreamHandle {
        self.handle
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stream({:#x})", self.handle.0)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        drop(self.batch.take());
        // SAFETY: owned, and destroyed only here.
        self.context
            .release(|api| unsafe { api.stream_destroy(self.handle) });
    }
}

/// A stream open for submissions. Each method is one HIP call, nothing more:
/// no check, no lock, no allocation on this side of the provider, unless
/// launches were put off: those come first.
pub struct Issue<'a> {
    // As it is needed for every call, not to be looked up each time.
    api: &'a dyn Api,
    handle: StreamHandle,
    stream: &'a Stream,
    #[expect(dead_code, reason = "keeps the context current")]
    scope: Scope<'a>,
}

impl Issue<'_> {
    /// Launches a kernel. `kernarg` is the explicit kernel argument segment; it is copied.
    pub fn launch(&self, function: &Function, config: &LaunchConfig, kernarg: &[u8]) -> Result<()> {
        self.flush();
        // SAFETY: both handles are owned by live objects of this provider.
        unsafe {
            self.api
                .launch_kernel(function.handle(), config, self.handle, kernarg)
        }
    }

    /// Launches a kernel like [`Issue::launch`], but not necessarily now: where
    /// that is cheaper, once there are some such launches, or anything else is
    /// done with the stream. If it fails then, it is known by `tag`
    /// ([`Stream::take_failed`]).
    pub fn launch_later(
        &self,
        function: &Function,
        config: &LaunchConfig,
        kernarg: &[u8],
        tag: u64,
    ) -> Result<()> {
        let Some(batch) = &self.stream.batch else {
            return self.launch(function, config, kernarg);
        };
        batch.put_off(function, config, kernarg, tag);
        Ok(())
    }

    /// Makes what was put off, now.
    #[inline]
    pub fn flush(&self) {
        self.stream.flush();
    }

    /// Copies `bytes` between two addresses that the device can reach.
    pub fn copy(&self, dst: DevicePtr, src: DevicePtr, bytes: u64, kind: MemcpyKind) -> Result<()> {
        self.flush();
        // SAFETY: the stream is live; addresses are checked by the device.
        unsafe { self.api.memcpy_async(dst, src, bytes, kind, self.handle) }
    }

    /// Fills `count` bytes.
    pub fn fill_u8(&self, dst: DevicePtr, value: u8, count: u64) -> Result<()> {
        self.flush();
        // SAFETY: the stream is live; addresses are checked by the device.
        unsafe { self.api.memset_d8_async(dst, value, count, self.handle) }
    }

    /// Fills `count` elements of 2 bytes.
    pub fn fill_u16(&self, dst: DevicePtr, value: u16, count: u64) -> Result<()> {
        self.flush();
        // SAFETY: the stream is live; addresses are checked by the device.
        unsafe { self.api.memset_d16_async(dst, value, count, self.handle) }
    }

    /// Fills `count` elements of 4 bytes.
    pub fn fill_u32(&self, dst: DevicePtr, value: u32, count: u64) -> Result<()> {
        self.flush();
        // SAFETY: the stream is live; addresses are checked by the device.
        unsafe { self.api.memset_d32_async(dst, value, count, self.handle) }
    }

    /// Prefetches managed memory to the stream's device.
    pub fn prefetch(&self, ptr: DevicePtr, bytes: u64) -> Result<()> {
        let device = self.stream.context.device().handle();
        self.flush();
        // SAFETY: the stream is live; addresses are checked by the device.
        unsafe { self.api.mem_prefetch_async(ptr, bytes, device, self.handle) }
    }

    /// Launches an instantiated graph.
    pub fn launch_graph(&self, exec: &GraphExec) -> Result<()> {
        self.flush();
        // SAFETY: both handles are owned by live objects of this provider.
        unsafe { self.api.graph_launch(exec.handle(), self.handle) }
    }

    /// Records `event` after everything submitted so far.
    pub fn record(&self, event: &Event) -> Result<()> {
        self.flush();
        event.0.record(self.api, self.handle)
    }

    /// Records `event` like [`Issue::record`], but not necessarily now: if all
    /// launches put off so far are about to be made by another thread, that
    /// records it too. The event has not passed until then; whoever waits for
    /// it has it recorded, and is told if that failed.
    pub fn record_later(&self, event: &Event) -> Result<()> {
        match &self.stream.batch {
            Some(batch) if batch.record_later(&event.0) => Ok(()),
            _ => self.record(event),
        }
    }

    /// Makes later work of this stream wait for the event's last recorded
    /// point. An event that was never recorded is waited for by nobody, nor is
    /// one whose record was forgotten ([`Stream::discard_held`]).
    pub fn wait(&self, event: &Event) -> Result<()> {
        match event.0.settle() {
            Err(error) if error.code != Code::NOT_READY => return Err(error),
            _ => self.flush(),
        }
        // SAFETY: both handles are owned by live objects of this provider.
        unsafe { self.api.stream_wait_event(self.handle, event.handle()) }
    }

    /// Calls `function` on a thread of the provider once earlier work is done;
    /// it must not call HIP. It is dropped uncalled if earlier work failed.
    pub fn host_function(&self, function: Box<dyn FnOnce() + Send>) -> Result<()> {
        self.flush();
        // SAFETY: the stream is live; the function owns what it captures.
        unsafe { self.api.launch_host_function(self.handle, function) }
    }

    /// Whether it is this stream that is open.
    pub fn is_of(&self, stream: &Stream) -> bool {
        std::ptr::eq(self.stream, stream)
    }

    pub(crate) fn stream(&self) -> &Stream {
        self.stream
    }

    pub(crate) fn api(&self) -> &dyn crate::Api {
        self.api
    }
}

/// An owned event: a point in a stream's work.
pub struct Event(Arc<EventInner>);

pub(crate) struct EventInner {
    context: Context,
    handle: EventHandle,
    /// The last record was put off, and is still to be made or has failed.
    is_unsettled: AtomicBool,
    recording: Mutex<Recording>,
}

/// How the last record of an event went.
enum Recording {
    Made,
    PutOff(Pending),
    Failed(Error),
}

impl EventInner {
    /// Records the event.
    pub(crate) fn record(&self, api: &dyn Api, stream: StreamHandle) -> Result<()> {
        // SAFETY: both handles are owned by live objects of this provider.
        unsafe { api.event_record(self.handle, stream)? };
        if self.is_unsettled.load(Ordering::Acquire) {
            self.set(Recording::Made);
        }
        Ok(())
    }

    /// It is to be recorded by whoever makes what `pending` has.
    pub(crate) fn put_off(&self, pending: Pending) {
        self.set(Recording::PutOff(pending));
    }

    /// It was put off, and will not be recorded. Whoever asks is told why.
    pub(crate) fn give_up(&self, error: Error) {
        self.set(Recording::Failed(error));
    }

    fn set(&self, new: Recording) {
        let mut recording = self.recording();
        let is_made = matches!(new, Recording::Made);
        *recording = new;
        self.is_unsettled.store(!is_made, Ordering::Release);
    }

    /// Whether it is recorded; fails if that failed.
    fn is_recorded(&self) -> Result<bool> {
        if !self.is_unsettled.load(Ordering::Acquire) {
            return Ok(true);
        }
        match &*self.recording() {
            Recording::Made => Ok(true),
            Recording::PutOff(_) => Ok(false),
            Recording::Failed(error) => Err(error.clone()),
        }
    }

    /// Has it recorded, if that was put off; fails if it failed.
    fn settle(&self) -> Result<()> {
        if self.is_recorded()? {
            return Ok(());
        }
        let pending = match &*self.recording() {
            Recording::PutOff(pending) => pending.upgrade(),
            _ => None,
        };
        if let Some(pending) = pending {
            pending.make_ready();
        }
        self.is_recorded().map(drop)
    }

    fn recording(&self) -> MutexGuard<'_, Recording> {
        self.recording
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Event {
    /// An event for ordering and sleeping waits, without timestamps.
    pub fn new(context: &Context) -> Result<Self> {
        Self::with_flags(
            context,
            EventFlags::DISABLE_TIMING | EventFlags::BLOCKING_SYNC,
        )
    }

    /// An event that takes timestamps.
    pub fn with_timing(context: &Context) -> Result<Self> {
        Self::with_flags(context, EventFlags::BLOCKING_SYNC)
    }

    fn with_flags(context: &Context, flags: EventFlags) -> Result<Self> {
        let handle = context.enter()?.api().event_create(flags)?;
        Ok(Self(Arc::new(EventInner {
            context: context.clone(),
            handle,
            is_unsettled: AtomicBool::new(false),
            recording: Mutex::new(Recording::Made),
        })))
    }

    /// Whether the last recorded point was passed; fails if work before it failed.
    pub fn query(&self) -> Result<bool> {
        if !self.0.is_recorded()? {
            return Ok(false);
        }
        // SAFETY: the handle is owned by `self`.
        unsafe { self.0.context.enter()?.api().event_query(self.0.handle) }
    }

    /// Sleeps until the last recorded point is passed; fails if work before it failed.
    pub fn synchronize(&self) -> Result<()> {
        self.0.settle()?;
        // SAFETY: the handle is owned by `self`.
        unsafe {
            self.0
                .context
                .enter()?
                .api()
                .event_synchronize(self.0.handle)
        }
    }

    /// Milliseconds between two timed events that were both passed.
    pub fn elapsed_ms_since(&self, start: &Event) -> Result<f32> {
        let scope = self.0.context.enter()?;
        // SAFETY: both handles are owned by live objects of this provider.
        unsafe { scope.api().event_elapsed_ms(start.0.handle, self.0.handle) }
    }

    pub(crate) fn handle(&self) -> EventHandle {
        self.0.handle
    }

    /// A share of the event that keeps it from being destroyed.
    pub(crate) fn retain(&self) -> Arc<EventInner> {
        self.0.clone()
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Event({:#x})", self.0.handle.0)
    }
}

impl Drop for EventInner {
    fn drop(&mut self) {
        // SAFETY: owned, and destroyed only here.
        self.context
            .release(|api| unsafe { api.event_destroy(self.handle) });
    }
}
