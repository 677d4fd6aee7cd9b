//! A provider that tells a profiler what another provider does.

mod clock;
mod graphs;
mod levels;

use std::ptr::NonNull;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use fnv::FnvHashMap;
use profile::{Activity, Detail, Name, Profiler, Work};

use crate::{
    Api, BoundRange, Code, ContextHandle, DeviceAttribute, DeviceHandle, DevicePtr, EventFlags,
    EventHandle, FunctionAttribute, FunctionHandle, GraphExecHandle, GraphHandle, GraphNodeHandle,
    HostMallocFlags, LaunchConfig, MemPoolAttribute, MemPoolHandle, MemcpyKind, ModuleHandle,
    ProviderInfo, Result, StreamFlags, StreamHandle, Uuid,
};
use clock::{Clock, Command};
use graphs::Graphs;
use levels::{Levels, Place};

/// A provider that hands every call to `inner` and tells `profiler` what took
/// how long: calls that do something on the host, everything that a stream
/// does, and how much memory is in use.
///
/// Around each command of a stream an event is recorded, so that the device
/// says when it ran: that costs the host time, and keeps a device from
/// overlapping a command with the next. A graph is one command. What the
/// events cost goes to [`Activity::Profiling`]. A command that the device
/// gives no times for is missing, and nothing else is.
pub fn profiled(inner: Arc<dyn Api>, profiler: Profiler) -> Arc<dyn Api> {
    // Of what is put off and launched as one, nobody would see the parts.
    let info = ProviderInfo {
        relaunches_graphs: false,
        ..inner.provider().clone()
    };
    Arc::new(Profiled {
        info,
        inner,
        profiler,
        device: OnceLock::new(),
        clocks: Mutex::default(),
        kernels: Mutex::default(),
        graphs: Mutex::default(),
        levels: Mutex::default(),
    })
}

struct Profiled {
    info: ProviderInfo,
    inner: Arc<dyn Api>,
    profiler: Profiler,
    /// What the first device in use is called.
    device: OnceLock<String>,
    clocks: Mutex<FnvHashMap<StreamHandle, Clock>>,
    kernels: Mutex<FnvHashMap<FunctionHandle, Arc<str>>>,
    graphs: Mutex<Graphs>,
    levels: Mutex<Levels>,
}

impl Profiled {
    /// Submits a command to a stream, between two events.
    fn submit(
        &self,
        stream: StreamHandle,
        call: &'static str,
        command: Command,
        submit: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        let begun = {
            let _cost = self.profiler.span(Activity::Profiling, "event");
            let asked_ns = self.profiler.now_ns();
            let mut clocks = lock(&self.clocks);
            clocks.get_mut(&stream).and_then(|clock| {
                let events = clock.begin(&*self.inner, stream)?;
                Some((events, asked_ns))
            })
        };
        let (result, origin) = {
            let span = self.profiler.span(Activity::Driver, call);
            let span = span.with(command.detail);
            let origin = span.origin();
            (submit(), origin)
        };
        if let Some((events, asked_ns)) = begun {
            let _cost = self.profiler.span(Activity::Profiling, "event");
            let mut clocks = lock(&self.clocks);
            if let Some(clock) = clocks.get_mut(&stream) {
                match &result {
                    Ok(()) => clock.end(&*self.inner, stream, events, asked_ns, command, origin),
                    Err(_) => clock.recycle(events),
                }
            }
        }
        result
    }

    /// Reads the times of what has completed, on every stream.
    fn collect(&self) {
        let _cost = self.profiler.span(Activity::Profiling, "times");
        for clock in lock(&self.clocks).values_mut() {
            clock.collect(&*self.inner, &self.profiler);
        }
    }

    fn copied(&self, dst: DevicePtr, src: DevicePtr) -> &'static str {
        let levels = lock(&self.levels);
        match (levels.place(src), levels.place(dst)) {
            (Place::Host, Place::Device) => "copy to device",
            (Place::Device, Place::Host) => "copy to host",
            (Place::Device, Place::Device) => "copy on device",
            (Place::Host, Place::Host) => "copy on host",
        }
    }

    fn fill(
        &self,
        call: &'static str,
        stream: StreamHandle,
        bytes: u64,
        submit: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        let command = Command {
            work: Work::Fill,
            name: Name::Static("fill"),
            detail: Detail::Bytes(bytes),
        };
        self.submit(stream, call, command, submit)
    }

    /// Notes memory that a call has allocated.
    fn allocated(
        &self,
        call: &'static str,
        place: Place,
        bytes: u64,
        allocate: impl FnOnce() -> Result<DevicePtr>,
    ) -> Result<DevicePtr> {
        let address = {
            let span = self.profiler.span(Activity::Memory, call);
            let _span = span.with(Detail::Bytes(bytes));
            allocate()?
        };
        let device = self.device.get().map_or("device", String::as_str);
        lock(&self.levels).add(&self.profiler, device, place, address, bytes);
        Ok(address)
    }

    /// Notes that memory is freed: before the call, as another thread may get
    /// its address right after.
    fn freed(
        &self,
        call: &'static str,
        address: u64,
        free: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        let removed = lock(&self.levels).remove(&self.profiler, address);
        let result = {
            let span = self.profiler.span(Activity::Memory, call);
            let _span = span.with(Detail::Bytes(removed.map_or(0, |memory| memory.bytes)));
            free()
        };
        if let (Err(_), Some(memory)) = (&result, removed) {
            let address = DevicePtr(address);
            let device = self.device.get().map_or("device", String::as_str);
            lock(&self.levels).add(&self.profiler, device, memory.place, address, memory.bytes);
        }
        result
    }
}

/// Rows of methods that are handed on and leave no trace.
macro_rules! forward {
    ($($method:ident($($arg:ident: $type:ty),*) -> $ret:ty;)*) => {$(
        fn $method(&self, $($arg: $type),*) -> Result<$ret> {
            self.inner.$method($($arg),*)
        }
    )*};
}

macro_rules! forward_unsafe {
    ($($method:ident($($arg:ident: $type:ty),*) -> $ret:ty;)*) => {$(
        unsafe fn $method(&self, $($arg: $type),*) -> Result<$ret> {
            // SAFETY: the caller keeps the contract, which is the same for `inner`.
            unsafe { self.inner.$method($($arg),*) }
        }
    )*};
}

/// Rows of methods that are a span of the host.
macro_rules! span {
    ($($activity:ident $method:ident($($arg:ident: $type:ty),*) -> $ret:ty, $name:literal;)*) => {$(
        fn $method(&self, $($arg: $type),*) -> Result<$ret> {
            let _span = self.profiler.span(Activity::$activity, $name);
            self.inner.$method($($arg),*)
        }
    )*};
}

macro_rules! span_unsafe {
    ($($activity:ident $method:ident($($arg:ident: $type:ty),*) -> $ret:ty, $name:literal;)*) => {$(
        unsafe fn $method(&self, $($arg: $type),*) -> Result<$ret> {
            let _span = self.profiler.span(Activity::$activity, $name);
            // SAFETY: the caller keeps the contract, which is the same for `inner`.
            unsafe { self.inner.$method($($arg),*) }
        }
    )*};
}

impl Api for Profiled {
    fn provider(&self) -> &ProviderInfo {
        &self.info
    }

    fn take_last_error(&self) -> Code {
        self.inner.take_last_error()
    }

    forward! {
        init() -> ();
        runtime_version() -> i32;
        device_count() -> u32;
        device(ordinal: u32) -> DeviceHandle;
        device_name(device: DeviceHandle) -> String;
        device_uuid(device: DeviceHandle) -> Uuid;
        device_arch(device: DeviceHandle) -> String;
        device_total_memory(device: DeviceHandle) -> u64;
        device_attribute(attribute: DeviceAttribute, device: DeviceHandle) -> i32;
        device_can_access_peer(device: DeviceHandle, peer: DeviceHandle) -> bool;
        enable_peer_access(peer: DeviceHandle) -> ();
        context_current() -> ContextHandle;
        event_create(flags: EventFlags) -> EventHandle;
        mem_pool_create(device: DeviceHandle) -> MemPoolHandle;
    }

    span! {
        Driver memcpy_htod(dst: DevicePtr, src: &[u8]) -> (), "hipMemcpy";
        Driver memcpy_dtoh(dst: &mut [u8], src: DevicePtr) -> (), "hipMemcpy";
    }

    forward_unsafe! {
        primary_context_release(device: DeviceHandle) -> ();
        context_set_current(context: ContextHandle) -> ();
        stream_query(stream: StreamHandle) -> bool;
        event_destroy(event: EventHandle) -> ();
        event_elapsed_ms(start: EventHandle, stop: EventHandle) -> f32;
        host_device_pointer(ptr: NonNull<u8>) -> DevicePtr;
        mem_pool_attribute(pool: MemPoolHandle, attribute: MemPoolAttribute) -> u64;
        mem_pool_set_attribute(pool: MemPoolHandle, attribute: MemPoolAttribute, value: u64) -> ();
        module_global(module: ModuleHandle, name: &str) -> (DevicePtr, u64);
        function_attribute(function: FunctionHandle, attribute: FunctionAttribute) -> i32;
        function_set_attribute(
            function: FunctionHandle,
            attribute: FunctionAttribute,
            value: i32
        ) -> ();
        graph_exec_set_kernel(
            exec: GraphExecHandle,
            node: GraphNodeHandle,
            function: FunctionHandle,
            config: &LaunchConfig,
            kernarg: &[u8]
        ) -> ();
        graph_exec_set_memset(
            exec: GraphExecHandle,
            node: GraphNodeHandle,
            dst: DevicePtr,
            value: u32,
            element_bytes: u32,
            count: u64
        ) -> ();
        graph_exec_set_memcpy(
            exec: GraphExecHandle,
            node: GraphNodeHandle,
            dst: DevicePtr,
            src: DevicePtr,
            bytes: u64,
            kind: MemcpyKind,
            context: ContextHandle
        ) -> ();
    }

    span_unsafe! {
        Driver launch_host_function(stream: StreamHandle, function: Box<dyn FnOnce() + Send>) -> (),
            "hipLaunchHostFunc";
        Driver event_record(event: EventHandle, stream: StreamHandle) -> (), "hipEventRecord";
        Memory host_register(ptr: NonNull<u8>, bytes: u64, flags: HostMallocFlags) -> (),
            "hipHostRegister";
        Memory host_unregister(ptr: NonNull<u8>) -> (), "hipHostUnregister";
        Memory mem_pool_destroy(pool: MemPoolHandle) -> (), "hipMemPoolDestroy";
        Memory mem_pool_trim_to(pool: MemPoolHandle, bytes: u64) -> (), "hipMemPoolTrimTo";
        Loading module_load(image: &[u8]) -> ModuleHandle, "hipModuleLoadDataEx";
        Loading module_unload(module: ModuleHandle) -> (), "hipModuleUnload";
    }

    fn primary_context_retain(&self, device: DeviceHandle) -> Result<ContextHandle> {
        self.device
            .get_or_init(|| match self.inner.device_name(device) {
                Ok(name) => format!("{name}, device {}", device.0),
                Err(_) => format!("device {}", device.0),
            });
        self.inner.primary_context_retain(device)
    }

    fn stream_create(&self, flags: StreamFlags) -> Result<StreamHandle> {
        let stream = self.inner.stream_create(flags)?;
        let device = self.device.get().map_or("device", String::as_str);
        let queue = format!("queue {}", lock(&self.clocks).len());
        // It waits for the device, if only for a moment.
        let clock = Clock::new(&*self.inner, stream, &self.profiler, device, &queue);
        if let Some(clock) = clock {
            lock(&self.clocks).insert(stream, clock);
        }
        Ok(stream)
    }
    unsafe fn stream_destroy(&self, stream: StreamHandle) -> Result<()> {
        let clock = lock(&self.clocks).remove(&stream);
        if let Some(mut clock) = clock {
            clock.collect(&*self.inner, &self.profiler);
            clock.destroy(&*self.inner);
        }
        // SAFETY: the caller keeps the contract, which is the same for `inner`.
        unsafe { self.inner.stream_destroy(stream) }
    }
    unsafe fn stream_synchronize(&self, stream: StreamHandle) -> Result<()> {
        let result = {
            let _span = self
                .profiler
                .span(Activity::Waiting, "hipStreamSynchronize");
            // SAFETY: as above.
            unsafe { self.inner.stream_synchronize(stream) }
        };
        self.collect();
        result
    }
    unsafe fn stream_wait_event(&self, stream: StreamHandle, event: EventHandle) -> Result<()> {
        let command = Command {
            work: Work::Wait,
            name: Name::Static("wait for another queue"),
            detail: Detail::None,
        };
        self.submit(stream, "hipStreamWaitEvent", command, || {
            // SAFETY: as above.
            unsafe { self.inner.stream_wait_event(stream, event) }
        })
    }

    unsafe fn event_query(&self, event: EventHandle) -> Result<bool> {
        // SAFETY: as above.
        let passed = unsafe { self.inner.event_query(event) }?;
        if passed {
            self.collect();
        }
        Ok(passed)
    }
    unsafe fn event_synchronize(&self, event: EventHandle) -> Result<()> {
        let result = {
            let _span = self.profiler.span(Activity::Waiting, "hipEventSynchronize");
            // SAFETY: as above.
            unsafe { self.inner.event_synchronize(event) }
        };
        self.collect();
        result
    }

    fn malloc(&self, bytes: u64) -> Result<DevicePtr> {
        self.allocated("hipMalloc", Place::Device, bytes, || {
            self.inner.malloc(bytes)
        })
    }
    fn malloc_managed(&self, bytes: u64) -> Result<DevicePtr> {
        self.allocated("hipMallocManaged", Place::Device, bytes, || {
            self.inner.malloc_managed(bytes)
        })
    }
    unsafe fn free(&self, ptr: DevicePtr) -> Result<()> {
        // SAFETY: as above.
        self.freed("hipFree", ptr.0, || unsafe { self.inner.free(ptr) })
    }
    fn host_malloc(&self, bytes: u64, flags: HostMallocFlags) -> Result<NonNull<u8>> {
        let mut memory = None;
        self.allocated("hipHostMalloc", Place::Host, bytes, || {
            let ptr = self.inner.host_malloc(bytes, flags)?;
            memory = Some(ptr);
            Ok(DevicePtr(ptr.addr().get() as u64))
        })?;
        Ok(memory.expect("allocated, or the error was returned"))
    }
    unsafe fn host_free(&self, ptr: NonNull<u8>) -> Result<()> {
        self.freed("hipHostFree", ptr.addr().get() as u64, || {
            // SAFETY: as above.
            unsafe { self.inner.host_free(ptr) }
        })
    }
    unsafe fn mem_prefetch_async(
        &self,
        ptr: DevicePtr,
        bytes: u64,
        device: DeviceHandle,
        stream: StreamHandle,
    ) -> Result<()> {
        let command = Command {
            work: Work::Copy,
            name: Name::Static("prefetch"),
            detail: Detail::Bytes(bytes),
        };
        self.submit(stream, "hipMemPrefetchAsync", command, || {
            // SAFETY: as above.
            unsafe { self.inner.mem_prefetch_async(ptr, bytes, device, stream) }
        })
    }

    unsafe fn malloc_async(&self, bytes: u64, stream: StreamHandle) -> Result<DevicePtr> {
        self.allocated("hipMallocAsync", Place::Device, bytes, || {
            // SAFETY: as above.
            unsafe { self.inner.malloc_async(bytes, stream) }
        })
    }
    unsafe fn malloc_from_pool_async(
        &self,
        bytes: u64,
        pool: MemPoolHandle,
        stream: StreamHandle,
    ) -> Result<DevicePtr> {
        self.allocated("hipMallocFromPoolAsync", Place::Device, bytes, || {
            // SAFETY: as above.
            unsafe { self.inner.malloc_from_pool_async(bytes, pool, stream) }
        })
    }
    unsafe fn free_async(&self, ptr: DevicePtr, stream: StreamHandle) -> Result<()> {
        // SAFETY: as above.
        let free = || unsafe { self.inner.free_async(ptr, stream) };
        self.freed("hipFreeAsync", ptr.0, free)
    }

    unsafe fn memcpy_async(
        &self,
        dst: DevicePtr,
        src: DevicePtr,
        bytes: u64,
        kind: MemcpyKind,
        stream: StreamHandle,
    ) -> Result<()> {
        let command = Command {
            work: Work::Copy,
            name: Name::Static(self.copied(dst, src)),
            detail: Detail::Bytes(bytes),
        };
        self.submit(stream, "hipMemcpyAsync", command, || {
            // SAFETY: as above.
            unsafe { self.inner.memcpy_async(dst, src, bytes, kind, stream) }
        })
    }
    unsafe fn memset_d8_async(
        &self,
        dst: DevicePtr,
        value: u8,
        count: u64,
        stream: StreamHandle,
    ) -> Result<()> {
        self.fill("hipMemsetD8Async", stream, count, || {
            // SAFETY: as above.
            unsafe { self.inner.memset_d8_async(dst, value, count, stream) }
        })
    }
    unsafe fn memset_d16_async(
        &self,
        dst: DevicePtr,
        value: u16,
        count: u64,
        stream: StreamHandle,
    ) -> Result<()> {
        self.fill("hipMemsetD16Async", stream, count.saturating_mul(2), || {
            // SAFETY: as above.
            unsafe { self.inner.memset_d16_async(dst, value, count, stream) }
        })
    }
    unsafe fn memset_d32_async(
        &self,
        dst: DevicePtr,
        value: u32,
        count: u64,
        stream: StreamHandle,
    ) -> Result<()> {
        self.fill("hipMemsetD32Async", stream, count.saturating_mul(4), || {
            // SAFETY: as above.
            unsafe { self.inner.memset_d32_async(dst, value, count, stream) }
        })
    }

    unsafe fn module_function(&self, module: ModuleHandle, name: &str) -> Result<FunctionHandle> {
        // SAFETY: as above.
        let function = unsafe { self.inner.module_function(module, name) }?;
        // A handle that is used again is one of another kernel now.
        lock(&self.kernels).insert(function, name.into());
        Ok(function)
    }
    unsafe fn function_bind(
        &self,
        function: FunctionHandle,
        bindings: &[BoundRange],
    ) -> Result<FunctionHandle> {
        // SAFETY: as above.
        let bound = unsafe { self.inner.function_bind(function, bindings) }?;
        let mut kernels = lock(&self.kernels);
        if let Some(name) = kernels.get(&function).cloned() {
            kernels.insert(bound, name);
        }
        Ok(bound)
    }
    unsafe fn function_unbind(&self, function: FunctionHandle) -> Result<()> {
        lock(&self.kernels).remove(&function);
        // SAFETY: as above.
        unsafe { self.inner.function_unbind(function) }
    }
    unsafe fn launch_kernel(
        &self,
        function: FunctionHandle,
        config: &LaunchConfig,
        stream: StreamHandle,
        kernarg: &[u8],
    ) -> Result<()> {
        let name = lock(&self.kernels).get(&function).map(Name::from);
        let (grid, block) = (config.grid, config.block);
        let command = Command {
            work: Work::Dispatch,
            name: name.unwrap_or(Name::Static("kernel")),
            detail: Detail::Launch {
                grid: [grid.x, grid.y, grid.z],
                block: [block.x, block.y, block.z],
            },
        };
        self.submit(stream, "hipModuleLaunchKernel", command, || {
            // SAFETY: as above.
            unsafe { self.inner.launch_kernel(function, config, stream, kernarg) }
        })
    }

    fn graph_create(&self) -> Result<GraphHandle> {
        let graph = self.inner.graph_create()?;
        lock(&self.graphs).create(graph);
        Ok(graph)
    }
    unsafe fn graph_destroy(&self, graph: GraphHandle) -> Result<()> {
        lock(&self.graphs).destroy(graph);
        // SAFETY: as above.
        unsafe { self.inner.graph_destroy(graph) }
    }
    unsafe fn graph_add_empty(
        &self,
        graph: GraphHandle,
        dependencies: &[GraphNodeHandle],
    ) -> Result<GraphNodeHandle> {
        // SAFETY: as above.
        unsafe { self.inner.graph_add_empty(graph, dependencies) }
    }
    unsafe fn graph_add_kernel(
        &self,
        graph: GraphHandle,
        dependencies: &[GraphNodeHandle],
        function: FunctionHandle,
        config: &LaunchConfig,
        kernarg: &[u8],
    ) -> Result<GraphNodeHandle> {
        let name = lock(&self.kernels).get(&function).cloned();
        lock(&self.graphs).add(graph, name.as_deref().unwrap_or("kernel"));
        // SAFETY: as above.
        unsafe {
            self.inner
                .graph_add_kernel(graph, dependencies, function, config, kernarg)
        }
    }
    unsafe fn graph_add_memset(
        &self,
        graph: GraphHandle,
        dependencies: &[GraphNodeHandle],
        dst: DevicePtr,
        value: u32,
        element_bytes: u32,
        count: u64,
    ) -> Result<GraphNodeHandle> {
        lock(&self.graphs).add(graph, "fill");
        // SAFETY: as above.
        unsafe {
            self.inner
                .graph_add_memset(graph, dependencies, dst, value, element_bytes, count)
        }
    }
    unsafe fn graph_add_memcpy(
        &self,
        graph: GraphHandle,
        dependencies: &[GraphNodeHandle],
        dst: DevicePtr,
        src: DevicePtr,
        bytes: u64,
        kind: MemcpyKind,
        context: ContextHandle,
    ) -> Result<GraphNodeHandle> {
        lock(&self.graphs).add(graph, self.copied(dst, src));
        // SAFETY: as above.
        unsafe {
            self.inner
                .graph_add_memcpy(graph, dependencies, dst, src, bytes, kind, context)
        }
    }
    unsafe fn graph_add_event_record(
        &self,
        graph: GraphHandle,
        dependencies: &[GraphNodeHandle],
        event: EventHandle,
    ) -> Result<GraphNodeHandle> {
        // SAFETY: as above.
        unsafe {
            self.inner
                .graph_add_event_record(graph, dependencies, event)
        }
    }
    unsafe fn graph_instantiate(&self, graph: GraphHandle) -> Result<GraphExecHandle> {
        let exec = {
            let _span = self.profiler.span(Activity::Driver, "hipGraphInstantiate");
            // SAFETY: as above.
            unsafe { self.inner.graph_instantiate(graph) }?
        };
        lock(&self.graphs).instantiate(graph, exec);
        Ok(exec)
    }
    unsafe fn graph_exec_destroy(&self, exec: GraphExecHandle) -> Result<()> {
        lock(&self.graphs).destroy_exec(exec);
        // SAFETY: as above.
        unsafe { self.inner.graph_exec_destroy(exec) }
    }
    unsafe fn graph_launch(&self, exec: GraphExecHandle, stream: StreamHandle) -> Result<()> {
        let (name, nodes) = lock(&self.graphs).launched(exec);
        let command = Command {
            work: Work::Graph,
            name,
            detail: Detail::Nodes(nodes),
        };
        self.submit(stream, "hipGraphLaunch", command, || {
            // SAFETY: as above.
            unsafe { self.inner.graph_launch(exec, stream) }
        })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
