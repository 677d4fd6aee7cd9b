//! The built-in software GPU, as HIP.

mod device;
mod graph;
mod handles;
mod memory;
mod module;
mod stream;
mod work;

use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use amdgpu::{AllocationKind, BoundRange, Checks, Gpu};
pub use amdgpu::{Arch, Config as SoftwareOptions};

use crate::{
    Api, Code, ContextHandle, DeviceAttribute, DeviceFamily, DeviceHandle, DevicePtr, Error,
    EventFlags, EventHandle, FunctionAttribute, FunctionHandle, GraphExecHandle, GraphHandle,
    GraphNodeHandle, HostMallocFlags, LaunchConfig, MemPoolAttribute, MemPoolHandle, MemcpyKind,
    ModuleHandle, ProviderInfo, Result, StreamFlags, StreamHandle, Uuid, attributes,
};
use device::CONTEXT;
use graph::Node;
use handles::Slots;
use stream::{Command, Event, Stream};
use work::Work;

/// A provider with one device, a software GPU that executes the machine code
/// of a real one.
///
/// Streams are worked off by threads of their own. When work of a stream
/// fails, what was submitted behind it is skipped until `stream_synchronize`
/// has reported the error, whose detail is the GPU's own report; work of other
/// streams goes on unless it waits for the failed work. A stale or made-up
/// handle is answered with `hipErrorInvalidHandle`.
pub fn software(options: SoftwareOptions) -> Arc<dyn Api> {
    let observer = options.observer.as_ref();
    let checks_bindings = observer.is_some_and(|by| by.checks().contains(Checks::MEMORY));
    let gpu = Arc::new(Gpu::new(options));
    Arc::new(Software {
        info: ProviderInfo {
            name: "software",
            library: None,
            family: DeviceFamily::HIP,
            checks_memory: true,
            // What a launch is bound to is said as it is made, not later.
            relaunches_graphs: !checks_bindings,
            // As with a driver: what a graph has to run is copied by who launches it.
            launches_take_long: true,
            checks_bindings,
        },
        default_stream: Stream::new(0, StreamFlags::DEFAULT, gpu.clone()),
        next_stream: AtomicU64::new(1),
        streams: Slots::new(1, "stream"),
        events: Slots::new(2, "event"),
        modules: Slots::new(3, "module"),
        functions: Slots::new(4, "function"),
        graphs: Slots::new(5, "graph"),
        nodes: Slots::new(6, "graph node"),
        execs: Slots::new(7, "graph exec"),
        pools: memory::Pools::new(gpu.clone()),
        gpu,
    })
}

struct Software {
    info: ProviderInfo,
    gpu: Arc<Gpu>,
    default_stream: Arc<Stream>,
    next_stream: AtomicU64,
    streams: Slots<Arc<Stream>>,
    events: Slots<Arc<Event>>,
    modules: Slots<Arc<module::Loaded>>,
    functions: Slots<module::Function>,
    graphs: Slots<Arc<graph::Graph>>,
    nodes: Slots<graph::NodePlace>,
    execs: Slots<Arc<graph::Exec>>,
    pools: memory::Pools,
}

impl Software {
    /// The stream of a handle, ready to be submitted to.
    fn stream(&self, handle: StreamHandle, call: &'static str) -> Result<Arc<Stream>> {
        if handle == StreamHandle::default() {
            for other in self.streams.all() {
                if other.is_blocking() {
                    self.default_stream.follow(other.record()?)?;
                }
            }
            return Ok(self.default_stream.clone());
        }
        let stream = self.streams.get(handle.0, call)?;
        if stream.is_blocking() {
            stream.follow(self.default_stream.record()?)?;
        }
        Ok(stream)
    }

    /// The stream of a handle, to be looked at only.
    fn existing(&self, handle: StreamHandle, call: &'static str) -> Result<Arc<Stream>> {
        if handle == StreamHandle::default() {
            return Ok(self.default_stream.clone());
        }
        self.streams.get(handle.0, call)
    }

    fn event(&self, handle: EventHandle, call: &'static str) -> Result<Arc<Event>> {
        self.events.get(handle.0, call)
    }

    /// Sleeps until all work submitted to the device so far is done.
    fn drain(&self) {
        self.default_stream.drain();
        for stream in self.streams.all() {
            stream.drain();
        }
    }

    /// What the synchronous copies wait for.
    fn drain_default_stream(&self) {
        self.default_stream.drain();
        for stream in self.streams.all() {
            if stream.is_blocking() {
                stream.drain();
            }
        }
    }

    fn submit(&self, stream: StreamHandle, work: Work, call: &'static str) -> Result<()> {
        self.stream(stream, call)?.submit(Command::Work(work))
    }

    fn launch(
        &self,
        function: FunctionHandle,
        config: &LaunchConfig,
        kernarg: &[u8],
        call: &'static str,
    ) -> Result<Work> {
        let function = self.functions.get(function.0, call)?;
        Work::launch(&self.gpu, function, config, kernarg, call)
    }

    fn add_node(
        &self,
        graph: GraphHandle,
        after: &[GraphNodeHandle],
        node: Node,
        call: &'static str,
    ) -> Result<GraphNodeHandle> {
        graph::add(self, graph, after, node, call)
    }
}

impl Drop for Software {
    fn drop(&mut self) {
        for stream in self.streams.all() {
            stream.close();
        }
        self.default_stream.close();
    }
}

impl Api for Software {
    fn provider(&self) -> &ProviderInfo {
        &self.info
    }

    fn init(&self) -> Result<()> {
        Ok(())
    }
    fn runtime_version(&self) -> Result<i32> {
        // The version of HIP whose interface this is: 6.1.0.
        Ok(60_100_000)
    }
    fn take_last_error(&self) -> Code {
        Code::SUCCESS
    }

    fn device_count(&self) -> Result<u32> {
        Ok(1)
    }
    fn device(&self, ordinal: u32) -> Result<DeviceHandle> {
        match ordinal {
            0 => Ok(DeviceHandle(0)),
            _ => Err(Error::new(Code::INVALID_DEVICE, "hipDeviceGet")),
        }
    }
    fn device_name(&self, device: DeviceHandle) -> Result<String> {
        device::check(device, "hipDeviceGetName")?;
        Ok(device::name())
    }
    fn device_uuid(&self, device: DeviceHandle) -> Result<Uuid> {
        device::check(device, "hipDeviceGetUuid")?;
        Ok(device::uuid(self))
    }
    fn device_arch(&self, device: DeviceHandle) -> Result<String> {
        device::check(device, "hipGetDeviceProperties")?;
        Ok(self.gpu.arch().target().to_owned())
    }
    fn device_total_memory(&self, device: DeviceHandle) -> Result<u64> {
        device::check(device, "hipDeviceTotalMem")?;
        Ok(self.gpu.memory().budget_bytes())
    }
    fn device_attribute(&self, attribute: DeviceAttribute, device: DeviceHandle) -> Result<i32> {
        device::check(device, "hipDeviceGetAttribute")?;
        Ok(attributes::of(self.gpu.arch(), attribute))
    }
    fn device_can_access_peer(&self, device: DeviceHandle, peer: DeviceHandle) -> Result<bool> {
        device::check(device, "hipDeviceCanAccessPeer")?;
        device::check(peer, "hipDeviceCanAccessPeer")?;
        Ok(false)
    }
    fn enable_peer_access(&self, peer: DeviceHandle) -> Result<()> {
        // The only device is no peer of its own.
        let call = "hipDeviceEnablePeerAccess";
        device::check(peer, call)?;
        Err(Error::new(Code::INVALID_DEVICE, call))
    }

    fn primary_context_retain(&self, device: DeviceHandle) -> Result<ContextHandle> {
        device::check(device, "hipDevicePrimaryCtxRetain")?;
        Ok(CONTEXT)
    }
    unsafe fn primary_context_release(&self, device: DeviceHandle) -> Result<()> {
        device::check(device, "hipDevicePrimaryCtxRelease")
    }
    fn context_current(&self) -> Result<ContextHandle> {
        Ok(CONTEXT)
    }
    unsafe fn context_set_current(&self, context: ContextHandle) -> Result<()> {
        if context == CONTEXT || context == ContextHandle::default() {
            return Ok(());
        }
        Err(Error::new(Code::INVALID_CONTEXT, "hipCtxSetCurrent"))
    }

    fn stream_create(&self, flags: StreamFlags) -> Result<StreamHandle> {
        let number = self.next_stream.fetch_add(1, Ordering::Relaxed);
        let stream = Stream::new(number, flags, self.gpu.clone());
        Ok(StreamHandle(self.streams.insert(stream)))
    }
    unsafe fn stream_destroy(&self, stream: StreamHandle) -> Result<()> {
        self.streams.remove(stream.0, "hipStreamDestroy")?.close();
        Ok(())
    }
    unsafe fn stream_synchronize(&self, stream: StreamHandle) -> Result<()> {
        let result = self.existing(stream, "hipStreamSynchronize")?.synchronize();
        self.pools.release_free(1);
        result
    }
    unsafe fn stream_query(&self, stream: StreamHandle) -> Result<bool> {
        self.existing(stream, "hipStreamQuery")?.query()
    }
    unsafe fn stream_wait_event(&self, stream: StreamHandle, event: EventHandle) -> Result<()> {
        let call = "hipStreamWaitEvent";
        let stream = self.stream(stream, call)?;
        match self.event(event, call)?.last() {
            Some(point) => stream.wait(point),
            None => Ok(()),
        }
    }
    unsafe fn launch_host_function(
        &self,
        stream: StreamHandle,
        function: Box<dyn FnOnce() + Send>,
    ) -> Result<()> {
        let stream = self.stream(stream, "hipLaunchHostFunc")?;
        stream.submit(Command::HostFunction(function))
    }

    fn event_create(&self, flags: EventFlags) -> Result<EventHandle> {
        Ok(EventHandle(self.events.insert(Event::new(flags).into())))
    }
    unsafe fn event_destroy(&self, event: EventHandle) -> Result<()> {
        self.events.remove(event.0, "hipEventDestroy")?;
        Ok(())
    }
    unsafe fn event_record(&self, event: EventHandle, stream: StreamHandle) -> Result<()> {
        let call = "hipEventRecord";
        let event = self.event(event, call)?;
        let stream = self.stream(stream, call)?;
        event.set(match event.is_timed() {
            true => stream.record_timed()?,
            false => stream.record()?,
        });
        Ok(())
    }
    unsafe fn event_query(&self, event: EventHandle) -> Result<bool> {
        self.event(event, "hipEventQuery")?.query()
    }
    unsafe fn event_synchronize(&self, event: EventHandle) -> Result<()> {
        let result = self.event(event, "hipEventSynchronize")?.synchronize();
        self.pools.release_free(1);
        result
    }
    unsafe fn event_elapsed_ms(&self, start: EventHandle, stop: EventHandle) -> Result<f32> {
        let call = "hipEventElapsedTime";
        self.event(start, call)?
            .elapsed_ms(&*self.event(stop, call)?)
    }

    fn malloc(&self, bytes: u64) -> Result<DevicePtr> {
        memory::alloc(self, bytes, AllocationKind::Device, "hipMalloc")
    }
    fn malloc_managed(&self, bytes: u64) -> Result<DevicePtr> {
        memory::alloc(self, bytes, AllocationKind::Managed, "hipMallocManaged")
    }
    unsafe fn free(&self, ptr: DevicePtr) -> Result<()> {
        memory::free(self, ptr.0, "hipFree")
    }
    fn host_malloc(&self, bytes: u64, _: HostMallocFlags) -> Result<NonNull<u8>> {
        let ptr = memory::alloc(self, bytes, AllocationKind::Host, "hipHostMalloc")?;
        let ptr = std::ptr::with_exposed_provenance_mut(ptr.0 as usize);
        NonNull::new(ptr).ok_or_else(|| Error::new(Code::OUT_OF_MEMORY, "hipHostMalloc"))
    }
    unsafe fn host_free(&self, ptr: NonNull<u8>) -> Result<()> {
        memory::free(self, ptr.addr().get() as u64, "hipHostFree")
    }
    unsafe fn host_register(&self, ptr: NonNull<u8>, bytes: u64, _: HostMallocFlags) -> Result<()> {
        let address = ptr.as_ptr().expose_provenance() as u64;
        let memory = self.gpu.memory();
        let registered = |address| memory.allocation(address).is_some();
        // SAFETY: the caller keeps the memory mapped until it is unregistered.
        let result = unsafe { memory.register(address, bytes, AllocationKind::Registered) };
        result.map_err(|error| {
            let code = if registered(address) || registered(address + bytes.saturating_sub(1)) {
                Code::HOST_MEMORY_ALREADY_REGISTERED
            } else {
                Code::INVALID_VALUE
            };
            Error::with_detail(code, "hipHostRegister", error.to_string())
        })
    }
    unsafe fn host_unregister(&self, ptr: NonNull<u8>) -> Result<()> {
        memory::host_unregister(self, ptr)
    }
    unsafe fn host_device_pointer(&self, ptr: NonNull<u8>) -> Result<DevicePtr> {
        let address = ptr.addr().get() as u64;
        match self.gpu.memory().allocation(address) {
            Some(_) => Ok(DevicePtr(address)),
            None => Err(Error::with_detail(
                Code::INVALID_VALUE,
                "hipHostGetDevicePointer",
                format!("{address:#x} is not memory of the device's"),
            )),
        }
    }
    unsafe fn mem_prefetch_async(
        &self,
        ptr: DevicePtr,
        _: u64,
        device: DeviceHandle,
        stream: StreamHandle,
    ) -> Result<()> {
        let call = "hipMemPrefetchAsync";
        device::check(device, call)?;
        self.existing(stream, call)?;
        // Host and device memory are one: there is nothing to move.
        match self.gpu.memory().allocation(ptr.0) {
            Some(_) => Ok(()),
            None => Err(Error::new(Code::INVALID_VALUE, call)),
        }
    }

    unsafe fn malloc_async(&self, bytes: u64, stream: StreamHandle) -> Result<DevicePtr> {
        let call = "hipMallocAsync";
        memory::pool_alloc(self, None, bytes, &*self.stream(stream, call)?, call)
    }
    unsafe fn malloc_from_pool_async(
        &self,
        bytes: u64,
        pool: MemPoolHandle,
        stream: StreamHandle,
    ) -> Result<DevicePtr> {
        let call = "hipMallocFromPoolAsync";
        memory::pool_alloc(self, Some(pool), bytes, &*self.stream(stream, call)?, call)
    }
    unsafe fn free_async(&self, ptr: DevicePtr, stream: StreamHandle) -> Result<()> {
        memory::free_async(self, ptr.0, &self.stream(stream, "hipFreeAsync")?)
    }
    fn mem_pool_create(&self, device: DeviceHandle) -> Result<MemPoolHandle> {
        device::check(device, "hipMemPoolCreate")?;
        Ok(self.pools.create())
    }
    unsafe fn mem_pool_destroy(&self, pool: MemPoolHandle) -> Result<()> {
        self.pools.destroy(pool)
    }
    unsafe fn mem_pool_attribute(
        &self,
        pool: MemPoolHandle,
        attribute: MemPoolAttribute,
    ) -> Result<u64> {
        let pool = self.pools.get(Some(pool), "hipMemPoolGetAttribute")?;
        Ok(pool.attribute(attribute))
    }
    unsafe fn mem_pool_set_attribute(
        &self,
        pool: MemPoolHandle,
        attribute: MemPoolAttribute,
        value: u64,
    ) -> Result<()> {
        let pool = self.pools.get(Some(pool), "hipMemPoolSetAttribute")?;
        pool.set_attribute(attribute, value)
    }
    unsafe fn mem_pool_trim_to(&self, pool: MemPoolHandle, bytes: u64) -> Result<()> {
        let pool = self.pools.get(Some(pool), "hipMemPoolTrimTo")?;
        pool.trim_to(&self.gpu, bytes);
        Ok(())
    }

    fn memcpy_htod(&self, dst: DevicePtr, src: &[u8]) -> Result<()> {
        self.drain_default_stream();
        let written = self.gpu.memory().write(dst.0, src);
        written.map_err(|fault| {
            Error::with_detail(Code::INVALID_VALUE, "hipMemcpy", fault.to_string())
        })
    }
    fn memcpy_dtoh(&self, dst: &mut [u8], src: DevicePtr) -> Result<()> {
        self.drain_default_stream();
        let read = self.gpu.memory().read(src.0, dst);
        read.map_err(|fault| {
            Error::with_detail(Code::INVALID_VALUE, "hipMemcpy", fault.to_string())
        })
    }
    unsafe fn memcpy_async(
        &self,
        dst: DevicePtr,
        src: DevicePtr,
        bytes: u64,
        _: MemcpyKind,
        stream: StreamHandle,
    ) -> Result<()> {
        self.submit(stream, Work::Copy { dst, src, bytes }, "hipMemcpyAsync")
    }
    unsafe fn memset_d8_async(
        &self,
        dst: DevicePtr,
        value: u8,
        count: u64,
        stream: StreamHandle,
    ) -> Result<()> {
        let call = "hipMemsetD8Async";
        let work = Work::fill(dst, value.into(), 1, count, call)?;
        self.submit(stream, work, call)
    }
    unsafe fn memset_d16_async(
        &self,
        dst: DevicePtr,
        value: u16,
        count: u64,
        stream: StreamHandle,
    ) -> Result<()> {
        let call = "hipMemsetD16Async";
        let work = Work::fill(dst, value.into(), 2, count, call)?;
        self.submit(stream, work, call)
    }
    unsafe fn memset_d32_async(
        &self,
        dst: DevicePtr,
        value: u32,
        count: u64,
        stream: StreamHandle,
    ) -> Result<()> {
        let call = "hipMemsetD32Async";
        let work = Work::fill(dst, value, 4, count, call)?;
        self.submit(stream, work, call)
    }

    unsafe fn module_load(&self, image: &[u8]) -> Result<ModuleHandle> {
        module::load(self, image)
    }
    unsafe fn module_unload(&self, module: ModuleHandle) -> Result<()> {
        module::unload(self, module)
    }
    unsafe fn module_function(&self, module: ModuleHandle, name: &str) -> Result<FunctionHandle> {
        module::function(self, module, name)
    }
    unsafe fn module_global(&self, module: ModuleHandle, name: &str) -> Result<(DevicePtr, u64)> {
        let (address, bytes) = module::global(self, module, name)?;
        Ok((DevicePtr(address), bytes))
    }
    unsafe fn function_attribute(
        &self,
        function: FunctionHandle,
        attribute: FunctionAttribute,
    ) -> Result<i32> {
        module::attribute(self, function, attribute)
    }
    unsafe fn function_set_attribute(
        &self,
        function: FunctionHandle,
        _: FunctionAttribute,
        _: i32,
    ) -> Result<()> {
        // As on AMD, LDS needs no opting in to.
        self.functions.get(function.0, "hipFuncSetAttribute")?;
        Ok(())
    }
    unsafe fn function_bind(
        &self,
        function: FunctionHandle,
        bindings: &[BoundRange],
    ) -> Result<FunctionHandle> {
        module::bind(self, function, bindings)
    }
    unsafe fn function_unbind(&self, function: FunctionHandle) -> Result<()> {
        self.functions.remove(function.0, "function_unbind")?;
        Ok(())
    }
    unsafe fn launch_kernel(
        &self,
        function: FunctionHandle,
        config: &LaunchConfig,
        stream: StreamHandle,
        kernarg: &[u8],
    ) -> Result<()> {
        let call = "hipModuleLaunchKernel";
        let work = self.launch(function, config, kernarg, call)?;
        self.submit(stream, work, call)
    }

    fn graph_create(&self) -> Result<GraphHandle> {
        let graph = graph::Graph::new();
        Ok(GraphHandle(self.graphs.insert(graph.into())))
    }
    unsafe fn graph_destroy(&self, graph: GraphHandle) -> Result<()> {
        graph::destroy(self, graph)
    }
    unsafe fn graph_add_empty(
        &self,
        graph: GraphHandle,
        after: &[GraphNodeHandle],
    ) -> Result<GraphNodeHandle> {
        self.add_node(graph, after, Node::Empty, "hipGraphAddEmptyNode")
    }
    unsafe fn graph_add_kernel(
        &self,
        graph: GraphHandle,
        after: &[GraphNodeHandle],
        function: FunctionHandle,
        config: &LaunchConfig,
        kernarg: &[u8],
    ) -> Result<GraphNodeHandle> {
        let call = "hipGraphAddKernelNode";
        let work = self.launch(function, config, kernarg, call)?;
        self.add_node(graph, after, Node::Work(work), call)
    }
    unsafe fn graph_add_memset(
        &self,
        graph: GraphHandle,
        after: &[GraphNodeHandle],
        dst: DevicePtr,
        value: u32,
        element_bytes: u32,
        count: u64,
    ) -> Result<GraphNodeHandle> {
        let call = "hipGraphAddMemsetNode";
        let work = Work::fill(dst, value, element_bytes, count, call)?;
        self.add_node(graph, after, Node::Work(work), call)
    }
    unsafe fn graph_add_memcpy(
        &self,
        graph: GraphHandle,
        after: &[GraphNodeHandle],
        dst: DevicePtr,
        src: DevicePtr,
        bytes: u64,
        _: MemcpyKind,
        _: ContextHandle,
    ) -> Result<GraphNodeHandle> {
        let work = Work::Copy { dst, src, bytes };
        self.add_node(graph, after, Node::Work(work), "hipDrvGraphAddMemcpyNode")
    }
    unsafe fn graph_add_event_record(
        &self,
        graph: GraphHandle,
        after: &[GraphNodeHandle],
        event: EventHandle,
    ) -> Result<GraphNodeHandle> {
        let call = "hipGraphAddEventRecordNode";
        let event = self.event(event, call)?;
        self.add_node(graph, after, Node::Record(event), call)
    }
    unsafe fn graph_instantiate(&self, graph: GraphHandle) -> Result<GraphExecHandle> {
        graph::instantiate(self, graph)
    }
    unsafe fn graph_exec_destroy(&self, exec: GraphExecHandle) -> Result<()> {
        // A launch under way has its own share of the nodes.
        self.execs.remove(exec.0, "hipGraphExecDestroy")?;
        Ok(())
    }
    unsafe fn graph_exec_set_kernel(
        &self,
        exec: GraphExecHandle,
        node: GraphNodeHandle,
        function: FunctionHandle,
        config: &LaunchConfig,
        kernarg: &[u8],
    ) -> Result<()> {
        let call = "hipGraphExecKernelNodeSetParams";
        graph::set_work(self, exec, node, call, |old| {
            matches!(old, Work::Launch { .. }).then(|| self.launch(function, config, kernarg, call))
        })
    }
    unsafe fn graph_exec_set_memset(
        &self,
        exec: GraphExecHandle,
        node: GraphNodeHandle,
        dst: DevicePtr,
        value: u32,
        element_bytes: u32,
        count: u64,
    ) -> Result<()> {
        let call = "hipGraphExecMemsetNodeSetParams";
        graph::set_work(self, exec, node, call, |old| {
            matches!(old, Work::Fill { .. })
                .then(|| Work::fill(dst, value, element_bytes, count, call))
        })
    }
    unsafe fn graph_exec_set_memcpy(
        &self,
        exec: GraphExecHandle,
        node: GraphNodeHandle,
        dst: DevicePtr,
        src: DevicePtr,
        bytes: u64,
        _: MemcpyKind,
        _: ContextHandle,
    ) -> Result<()> {
        let call = "hipDrvGraphExecMemcpyNodeSetParams";
        graph::set_work(self, exec, node, call, |old| {
            matches!(old, Work::Copy { .. }).then(|| Ok(Work::Copy { dst, src, bytes }))
        })
    }
    unsafe fn graph_launch(&self, exec: GraphExecHandle, stream: StreamHandle) -> Result<()> {
        graph::launch(self, exec, &self.stream(stream, "hipGraphLaunch")?)
    }
}
