//! A provider that writes down every call of another provider.

mod names;
mod sink;

use std::fmt::Write as _;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{
    Api, BoundRange, Code, ContextHandle, DeviceAttribute, DeviceHandle, DevicePtr, EventFlags,
    EventHandle, FunctionAttribute, FunctionHandle, GraphExecHandle, GraphHandle, GraphNodeHandle,
    HostMallocFlags, LaunchConfig, MemPoolAttribute, MemPoolHandle, MemcpyKind, ModuleHandle,
    ProviderInfo, Result, StreamFlags, StreamHandle, Uuid,
};
use names::{Kernarg, Names, flag_list, host_flags, launch_shape};
pub use sink::TraceSink;

/// A provider that hands every call to `inner` and writes it to `sink` as one
/// line of text, such as
///
/// ```text
/// hipModuleLaunchKernel(f0 "add", grid 4x1x1, block 32x1x1, lds 0, s0, [p0+0x40, p1, 0x3])
/// ```
///
/// Handles and addresses have short names, numbered in order of appearance,
/// so that equal programs give equal traces:
/// `c` context, `s` stream, `e` event, `m` module, `f` function, `g` graph,
/// `n` graph node, `x` graph exec, `q` memory pool, `p` device memory,
/// `h` host memory. A line is written when its call returns; results follow
/// `=`. `hipCtxGetCurrent`, which precedes nearly every call, is left out.
pub fn trace(inner: Arc<dyn Api>, sink: TraceSink) -> Arc<dyn Api> {
    Arc::new(Trace {
        inner,
        sink,
        names: Mutex::new(Names::default()),
    })
}

struct Trace {
    inner: Arc<dyn Api>,
    sink: TraceSink,
    names: Mutex<Names>,
}

impl Trace {
    fn names(&self) -> MutexGuard<'_, Names> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a call whose result is worth nothing beyond having worked.
    fn unit(&self, line: String, result: Result<()>) -> Result<()> {
        self.value(line, result, |_| String::new())
    }

    /// Writes a call and what `show` makes of its result.
    fn value<T>(
        &self,
        mut line: String,
        result: Result<T>,
        show: impl FnOnce(&T) -> String,
    ) -> Result<T> {
        let shown = match &result {
            Ok(value) => show(value),
            Err(error) => error.code.to_string(),
        };
        if !shown.is_empty() {
            // Writing to a string cannot fail.
            let _ = write!(line, " = {shown}");
        }
        self.sink.push(line);
        result
    }
}

impl Api for Trace {
    fn provider(&self) -> &ProviderInfo {
        self.inner.provider()
    }

    fn init(&self) -> Result<()> {
        self.unit("hipInit(0)".into(), self.inner.init())
    }
    fn runtime_version(&self) -> Result<i32> {
        let result = self.inner.runtime_version();
        self.value("hipRuntimeGetVersion()".into(), result, i32::to_string)
    }
    fn take_last_error(&self) -> Code {
        let code = self.inner.take_last_error();
        self.sink.push(format!("hipGetLastError() = {code}"));
        code
    }

    fn device_count(&self) -> Result<u32> {
        let result = self.inner.device_count();
        self.value("hipGetDeviceCount()".into(), result, u32::to_string)
    }
    fn device(&self, ordinal: u32) -> Result<DeviceHandle> {
        let result = self.inner.device(ordinal);
        self.value(format!("hipDeviceGet({ordinal})"), result, |device| {
            format!("d{}", device.0)
        })
    }
    fn device_name(&self, device: DeviceHandle) -> Result<String> {
        let result = self.inner.device_name(device);
        self.value(format!("hipDeviceGetName(d{})", device.0), result, |name| {
            format!("{name:?}")
        })
    }
    fn device_uuid(&self, device: DeviceHandle) -> Result<Uuid> {
        let result = self.inner.device_uuid(device);
        self.value(
            format!("hipDeviceGetUuid(d{})", device.0),
            result,
            Uuid::to_string,
        )
    }
    fn device_arch(&self, device: DeviceHandle) -> Result<String> {
        let result = self.inner.device_arch(device);
        self.value(
            format!("hipGetDeviceProperties(d{})", device.0),
            result,
            |arch| format!("{arch:?}"),
        )
    }
    fn device_total_memory(&self, device: DeviceHandle) -> Result<u64> {
        let result = self.inner.device_total_memory(device);
        self.value(
            format!("hipDeviceTotalMem(d{})", device.0),
            result,
            u64::to_string,
        )
    }
    fn device_attribute(&self, attribute: DeviceAttribute, device: DeviceHandle) -> Result<i32> {
        let result = self.inner.device_attribute(attribute, device);
        let line = format!("hipDeviceGetAttribute({attribute:?}, d{})", device.0);
        self.value(line, result, i32::to_string)
    }
    fn device_can_access_peer(&self, device: DeviceHandle, peer: DeviceHandle) -> Result<bool> {
        let result = self.inner.device_can_access_peer(device, peer);
        let line = format!("hipDeviceCanAccessPeer(d{}, d{})", device.0, peer.0);
        self.value(line, result, bool::to_string)
    }
    fn enable_peer_access(&self, peer: DeviceHandle) -> Result<()> {
        let result = self.inner.enable_peer_access(peer);
        self.unit(format!("hipDeviceEnablePeerAccess(d{}, 0)", peer.0), result)
    }

    fn primary_context_retain(&self, device: DeviceHandle) -> Result<ContextHandle> {
        let result = self.inner.primary_context_retain(device);
        let line = format!("hipDevicePrimaryCtxRetain(d{})", device.0);
        self.value(line, result, |context| self.names().context(*context))
    }
    unsafe fn primary_context_release(&self, device: DeviceHandle) -> Result<()> {
        // SAFETY: the caller keeps the contract, which is the same for `inner`.
        let result = unsafe { self.inner.primary_context_release(device) };
        self.unit(format!("hipDevicePrimaryCtxRelease(d{})", device.0), result)
    }
    fn context_current(&self) -> Result<ContextHandle> {
        self.inner.context_current()
    }
    unsafe fn context_set_current(&self, context: ContextHandle) -> Result<()> {
        // SAFETY: as above.
        let result = unsafe { self.inner.context_set_current(context) };
        let line = format!("hipCtxSetCurrent({})", self.names().context(context));
        self.unit(line, result)
    }

    fn stream_create(&self, flags: StreamFlags) -> Result<StreamHandle> {
        let result = self.inner.stream_create(flags);
        let line = format!(
            "hipStreamCreateWithFlags({})",
            flag_list(flags.0, &[(1, "NonBlocking")])
        );
        self.value(line, result, |stream| self.names().stream(*stream))
    }
    unsafe fn stream_destroy(&self, stream: StreamHandle) -> Result<()> {
        let line = format!("hipStreamDestroy({})", self.names().remove_stream(stream));
        // SAFETY: as above.
        self.unit(line, unsafe { self.inner.stream_destroy(stream) })
    }
    unsafe fn stream_synchronize(&self, stream: StreamHandle) -> Result<()> {
        // SAFETY: as above.
        let result = unsafe { self.inner.stream_synchronize(stream) };
        let line = format!("hipStreamSynchronize({})", self.names().stream(stream));
        self.unit(line, result)
    }
    unsafe fn stream_query(&self, stream: StreamHandle) -> Result<bool> {
        // SAFETY: as above.
        let result = unsafe { self.inner.stream_query(stream) };
        let line = format!("hipStreamQuery({})", self.names().stream(stream));
        self.value(line, result, bool::to_string)
    }
    unsafe fn stream_wait_event(&self, stream: StreamHandle, event: EventHandle) -> Result<()> {
        // SAFETY: as above.
        let result = unsafe { self.inner.stream_wait_event(stream, event) };
        let mut names = self.names();
        let line = format!(
            "hipStreamWaitEvent({}, {})",
            names.stream(stream),
            names.event(event)
        );
        self.unit(line, result)
    }
    unsafe fn launch_host_function(
        &self,
        stream: StreamHandle,
        function: Box<dyn FnOnce() + Send>,
    ) -> Result<()> {
        // SAFETY: as above.
        let result = unsafe { self.inner.launch_host_function(stream, function) };
        let line = format!("hipLaunchHostFunc({})", self.names().stream(stream));
        self.unit(line, result)
    }

    fn event_create(&self, flags: EventFlags) -> Result<EventHandle> {
        let result = self.inner.event_create(flags);
        let line = format!(
            "hipEventCreateWithFlags({})",
            flag_list(flags.0, &[(1, "BlockingSync"), (2, "DisableTiming")])
        );
        self.value(line, result, |event| self.names().event(*event))
    }
    unsafe fn event_destroy(&self, event: EventHandle) -> Result<()> {
        let line = format!("hipEventDestroy({})", self.names().remove_event(event));
        // SAFETY: as above.
        self.unit(line, unsafe { self.inner.event_destroy(event) })
    }
    unsafe fn event_record(&self, event: EventHandle, stream: StreamHandle) -> Result<()> {
        // SAFETY: as above.
        let result = unsafe { self.inner.event_record(event, stream) };
        let mut names = self.names();
        let line = format!(
            "hipEventRecord({}, {})",
            names.event(event),
            names.stream(stream)
        );
        self.unit(line, result)
    }
    unsafe fn event_query(&self, event: EventHandle) -> Result<bool> {
        // SAFETY: as above.
        let result = unsafe { self.inner.event_query(event) };
        let line = format!("hipEventQuery({})", self.names().event(event));
        self.value(line, result, bool::to_string)
    }
    unsafe fn event_synchronize(&self, event: EventHandle) -> Result<()> {
        // SAFETY: as above.
        let result = unsafe { self.inner.event_synchronize(event) };
        let line = format!("hipEventSynchronize({})", self.names().event(event));
        self.unit(line, result)
    }
    unsafe fn event_elapsed_ms(&self, start: EventHandle, stop: EventHandle) -> Result<f32> {
        // SAFETY: as above.
        let result = unsafe { self.inner.event_elapsed_ms(start, stop) };
        let mut names = self.names();
        let line = format!(
            "hipEventElapsedTime({}, {})",
            names.event(start),
            names.event(stop)
        );
        self.value(line, result, |ms| format!("{ms} ms"))
    }

    fn malloc(&self, bytes: u64) -> Result<DevicePtr> {
        let result = self.inner.malloc(bytes);
        let line = format!("hipMalloc({bytes})");
        self.value(line, result, |ptr| self.names().device_memory(*ptr, bytes))
    }
    fn malloc_managed(&self, bytes: u64) -> Result<DevicePtr> {
        let result = self.inner.malloc_managed(bytes);
        let line = format!("hipMallocManaged({bytes}, Global)");
        self.value(line, result, |ptr| self.names().device_memory(*ptr, bytes))
    }
    unsafe fn free(&self, ptr: DevicePtr) -> Result<()> {
        let line = format!("hipFree({})", self.names().remove_memory(ptr.0));
        // SAFETY: as above.
        self.unit(line, unsafe { self.inner.free(ptr) })
    }
    fn host_malloc(&self, bytes: u64, flags: HostMallocFlags) -> Result<NonNull<u8>> {
        let result = self.inner.host_malloc(bytes, flags);
        let line = format!("hipHostMalloc({bytes}, {})", host_flags(flags));
        self.value(line, result, |ptr| self.names().host_memory(*ptr, bytes))
    }
    unsafe fn host_free(&self, ptr: NonNull<u8>) -> Result<()> {
        let address = ptr.addr().get() as u64;
        let line = format!("hipHostFree({})", self.names().remove_memory(address));
        // SAFETY: as above.
        self.unit(line, unsafe { self.inner.host_free(ptr) })
    }
    unsafe fn host_register(
        &self,
        ptr: NonNull<u8>,
        bytes: u64,
        flags: HostMallocFlags,
    ) -> Result<()> {
        // SAFETY: as above.
        let result = unsafe { self.inner.host_register(ptr, bytes, flags) };
        let line = format!("hipHostRegister({bytes}, {})", host_flags(flags));
        self.value(line, result, |()| self.names().host_memory(ptr, bytes))
    }
    unsafe fn host_unregister(&self, ptr: NonNull<u8>) -> Result<()> {
        let address = ptr.addr().get() as u64;
        let line = format!("hipHostUnregister({})", self.names().remove_memory(address));
        // SAFETY: as above.
        self.unit(line, unsafe { self.inner.host_unregister(ptr) })
    }
    unsafe fn host_device_pointer(&self, ptr: NonNull<u8>) -> Result<DevicePtr> {
        // SAFETY: as above.
        let result = unsafe { self.inner.host_device_pointer(ptr) };
        let host = self.names().address(ptr.addr().get() as u64);
        let line = format!("hipHostGetDevicePointer({host})");
        self.value(line, result, |device| {
            self.names().alias(ptr, *device);
            self.names().address(device.0)
        })
    }
    unsafe fn mem_prefetch_async(
        &self,
        ptr: DevicePtr,
        bytes: u64,
        device: DeviceHandle,
        stream: StreamHandle,
    ) -> Result<()> {
        // SAFETY: as above.
        let result = unsafe { self.inner.mem_prefetch_async(ptr, bytes, device, stream) };
        let mut names = self.names();
        let line = format!(
            "hipMemPrefetchAsync({}, {bytes}, d{}, {})",
            names.address(ptr.0),
            device.0,
            names.stream(stream)
        );
        self.unit(line, result)
    }

    unsafe fn malloc_async(&self, bytes: u64, stream: StreamHandle) -> Result<DevicePtr> {
        // SAFETY: as above.
        let result = unsafe { self.inner.malloc_async(bytes, stream) };
        let line = format!("hipMallocAsync({bytes}, {})", self.names().stream(stream));
        self.value(line, result, |ptr| self.names().device_memory(*ptr, bytes))
    }
    unsafe fn malloc_from_pool_async(
        &self,
        bytes: u64,
        pool: MemPoolHandle,
        stream: StreamHandle,
    ) -> Result<DevicePtr> {
        // SAFETY: as above.
        let result = unsafe { self.inner.malloc_from_pool_async(bytes, pool, stream) };
        let line = {
            let mut names = self.names();
            let (pool, stream) = (names.pool(pool), names.stream(stream));
            format!("hipMallocFromPoolAsync({bytes}, {pool}, {stream})")
        };
        self.value(line, result, |ptr| self.names().device_memory(*ptr, bytes))
    }
    unsafe fn free_async(&self, ptr: DevicePtr, stream: StreamHandle) -> Result<()> {
        // SAFETY: as above.
        let result = unsafe { self.inner.free_async(ptr, stream) };
        let line = {
            let mut names = self.names();
            // Memory whose free failed is still there to be freed again.
            let memory = match &result {
                Ok(()) => names.remove_memory(ptr.0),
                Err(_) => names.address(ptr.0),
            };
            format!("hipFreeAsync({memory}, {})", names.stream(stream))
        };
        self.unit(line, result)
    }
    fn mem_pool_create(&self, device: DeviceHandle) -> Result<MemPoolHandle> {
        let result = self.inner.mem_pool_create(device);
        let line = format!("hipMemPoolCreate(d{})", device.0);
        self.value(line, result, |pool| self.names().pool(*pool))
    }
    unsafe fn mem_pool_destroy(&self, pool: MemPoolHandle) -> Result<()> {
        let line = format!("hipMemPoolDestroy({})", self.names().remove_pool(pool));
        // SAFETY: as above.
        self.unit(line, unsafe { self.inner.mem_pool_destroy(pool) })
    }
    unsafe fn mem_pool_attribute(
        &self,
        pool: MemPoolHandle,
        attribute: MemPoolAttribute,
    ) -> Result<u64> {
        // SAFETY: as above.
        let result = unsafe { self.inner.mem_pool_attribute(pool, attribute) };
        let pool = self.names().pool(pool);
        let line = format!("hipMemPoolGetAttribute({pool}, {attribute:?})");
        self.value(line, result, u64::to_string)
    }
    unsafe fn mem_pool_set_attribute(
        &self,
        pool: MemPoolHandle,
        attribute: MemPoolAttribute,
        value: u64,
    ) -> Result<()> {
        // SAFETY: as above.
        let result = unsafe { self.inner.mem_pool_set_attribute(pool, attribute, value) };
        let pool = self.names().pool(pool);
        let line = format!("hipMemPoolSetAttribute({pool}, {attribute:?}, {value})");
        self.unit(line, result)
    }
    unsafe fn mem_pool_trim_to(&self, pool: MemPoolHandle, bytes: u64) -> Result<()> {
        // SAFETY: as above.
        let result = unsafe { self.inner.mem_pool_trim_to(pool, bytes) };
        let line = format!("hipMemPoolTrimTo({}, {bytes})", self.names().pool(pool));
        self.unit(line, result)
    }

    fn memcpy_htod(&self, dst: DevicePtr, src: &[u8]) -> Result<()> {
        let result = self.inner.memcpy_htod(dst, src);
        let dst = self.names().address(dst.0);
        let line = format!("hipMemcpy({dst}, host, {}, HostToDevice)", src.len());
        self.unit(line, result)
    }
    fn memcpy_dtoh(&self, dst: &mut [u8], src: DevicePtr) -> Result<()> {
        let result = self.inner.memcpy_dtoh(dst, src);
        let src = self.names().address(src.0);
        let line = format!("hipMemcpy(host, {src}, {}, DeviceToHost)", dst.len());
        self.unit(line, result)
    }
    unsafe fn memcpy_async(
        &self,
        dst: DevicePtr,
        src: DevicePtr,
        bytes: u64,
        kind: MemcpyKind,
        stream: StreamHandle,
    ) -> Result<()> {
        // SAFETY: as above.
        let result = unsafe { self.inner.memcpy_async(dst, src, bytes, kind, stream) };
        let mut names = self.names();
        let line = format!(
            "hipMemcpyAsync({}, {}, {bytes}, {kind:?}, {})",
            names.address(dst.0),
            names.address(src.0),
            names.stream(stream)
        );
        self.unit(line, result)
    }
    unsafe fn memset_d8_async(
        &self,
        dst: DevicePtr,
        value: u8,
        count: u64,
        stream: StreamHandle,
    ) -> Result<()> {
        // SAFETY: as above.
        let result = unsafe { self.inner.memset_d8_async(dst, value, count, stream) };
        let line = self.names().fill("D8", dst, value.into(), count, stream);
        self.unit(line, result)
    }
    unsafe fn memset_d16_async(
        &self,
        dst: DevicePtr,
        value: u16,
        count: u64,
        stream: StreamHandle,
    ) -> Result<()> {
        // SAFETY: as above.
        let result = unsafe { self.inner.memset_d16_async(dst, value, count, stream) };
        let line = self.names().fill("D16", dst, value.into(), count, stream);
        self.unit(line, result)
    }
    unsafe fn memset_d32_async(
        &self,
        dst: DevicePtr,
        value: u32,
        count: u64,
        stream: StreamHandle,
    ) -> Result<()> {
        // SAFETY: as above.
        let result = unsafe { self.inner.memset_d32_async(dst, value, count, stream) };
        let line = self.names().fill("D32", dst, value, count, stream);
        self.unit(line, result)
    }

    unsafe fn module_load(&self, image: &[u8]) -> Result<ModuleHandle> {
        // SAFETY: as above.
        let result = unsafe { self.inner.module_load(image) };
        let line = format!("hipModuleLoadDataEx({} bytes)", image.len());
        self.value(line, result, |module| self.names().module(*module))
    }
    unsafe fn module_unload(&self, module: ModuleHandle) -> Result<()> {
        let line = format!("hipModuleUnload({})", self.names().remove_module(module));
        // SAFETY: as above.
        self.unit(line, unsafe { self.inner.module_unload(module) })
    }
    unsafe fn module_function(&self, module: ModuleHandle, name: &str) -> Result<FunctionHandle> {
        // SAFETY: as above.
        let result = unsafe { self.inner.module_function(module, name) };
        let line = format!(
            "hipModuleGetFunction({}, {name:?})",
            self.names().module(module)
        );
        self.value(line, result, |function| {
            self.names().name_function(module, *function, name)
        })
    }
    unsafe fn module_global(&self, module: ModuleHandle, name: &str) -> Result<(DevicePtr, u64)> {
        // SAFETY: as above.
        let result = unsafe { self.inner.module_global(module, name) };
        let module = self.names().module(module);
        let line = format!("hipModuleGetGlobal({module}, {name:?})");
        self.value(line, result, |(ptr, bytes)| {
            format!("{}, {bytes}", self.names().device_memory(*ptr, *bytes))
        })
    }
    unsafe fn function_attribute(
        &self,
        function: FunctionHandle,
        attribute: FunctionAttribute,
    ) -> Result<i32> {
        // SAFETY: as above.
        let result = unsafe { self.inner.function_attribute(function, attribute) };
        let function = self.names().function(function);
        let line = format!("hipFuncGetAttribute({attribute:?}, {function})");
        self.value(line, result, i32::to_string)
    }
    unsafe fn function_set_attribute(
        &self,
        function: FunctionHandle,
        attribute: FunctionAttribute,
        value: i32,
    ) -> Result<()> {
        // SAFETY: as above.
        let result = unsafe {
            self.inner
                .function_set_attribute(function, attribute, value)
        };
        let function = self.names().function(function);
        let line = format!("hipFuncSetAttribute({function}, {attribute:?}, {value})");
        self.unit(line, result)
    }
    // No calls of HIP: a bound function goes by its own name.
    unsafe fn function_bind(
        &self,
        function: FunctionHandle,
        bindings: &[BoundRange],
    ) -> Result<FunctionHandle> {
        // SAFETY: as above.
        let bound = unsafe { self.inner.function_bind(function, bindings) }?;
        self.names().bind_function(function, bound);
        Ok(bound)
    }
    unsafe fn function_unbind(&self, function: FunctionHandle) -> Result<()> {
        self.names().unbind_function(function);
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
        // SAFETY: as above.
        let result = unsafe { self.inner.launch_kernel(function, config, stream, kernarg) };
        let line = {
            let mut names = self.names();
            let function = names.function(function);
            let stream = names.stream(stream);
            format!(
                "hipModuleLaunchKernel({function}, {}, {stream}, {})",
                launch_shape(config),
                Kernarg(&names, kernarg)
            )
        };
        self.unit(line, result)
    }

    fn graph_create(&self) -> Result<GraphHandle> {
        let result = self.inner.graph_create();
        self.value("hipGraphCreate(0)".into(), result, |graph| {
            self.names().graph(*graph)
        })
    }
    unsafe fn graph_destroy(&self, graph: GraphHandle) -> Result<()> {
        let line = format!("hipGraphDestroy({})", self.names().remove_graph(graph));
        // SAFETY: as above.
        self.unit(line, unsafe { self.inner.graph_destroy(graph) })
    }
    unsafe fn graph_add_empty(
        &self,
        graph: GraphHandle,
        dependencies: &[GraphNodeHandle],
    ) -> Result<GraphNodeHandle> {
        // SAFETY: as above.
        let result = unsafe { self.inner.graph_add_empty(graph, dependencies) };
        let line = {
            let mut names = self.names();
            let at = names.node_place(graph, dependencies);
            format!("hipGraphAddEmptyNode({at})")
        };
        self.value(line, result, |node| self.names().add_node(graph, *node))
    }
    unsafe fn graph_add_kernel(
        &self,
        graph: GraphHandle,
        dependencies: &[GraphNodeHandle],
        function: FunctionHandle,
        config: &LaunchConfig,
        kernarg: &[u8],
    ) -> Result<GraphNodeHandle> {
        // SAFETY: as above.
        let result = unsafe {
            self.inner
                .graph_add_kernel(graph, dependencies, function, config, kernarg)
        };
        let line = {
            let mut names = self.names();
            let at = names.node_place(graph, dependencies);
            let function = names.function(function);
            format!(
                "hipGraphAddKernelNode({at}, {function}, {}, {})",
                launch_shape(config),
                Kernarg(&names, kernarg)
            )
        };
        self.value(line, result, |node| self.names().add_node(graph, *node))
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
        // SAFETY: as above.
        let result = unsafe {
            self.inner
                .graph_add_memset(graph, dependencies, dst, value, element_bytes, count)
        };
        let line = {
            let mut names = self.names();
            let at = names.node_place(graph, dependencies);
            let dst = names.address(dst.0);
            format!("hipGraphAddMemsetNode({at}, {dst}, {value:#x}, {element_bytes} x {count})")
        };
        self.value(line, result, |node| self.names().add_node(graph, *node))
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
        // SAFETY: as above.
        let result = unsafe {
            self.inner
                .graph_add_memcpy(graph, dependencies, dst, src, bytes, kind, context)
        };
        let line = {
            let mut names = self.names();
            let at = names.node_place(graph, dependencies);
            let (dst, src) = (names.address(dst.0), names.address(src.0));
            let context = names.context(context);
            format!("hipDrvGraphAddMemcpyNode({at}, {dst}, {src}, {bytes}, {kind:?}, {context})")
        };
        self.value(line, result, |node| self.names().add_node(graph, *node))
    }
    unsafe fn graph_add_event_record(
        &self,
        graph: GraphHandle,
        dependencies: &[GraphNodeHandle],
        event: EventHandle,
    ) -> Result<GraphNodeHandle> {
        // SAFETY: as above.
        let result = unsafe {
            self.inner
                .graph_add_event_record(graph, dependencies, event)
        };
        let line = {
            let mut names = self.names();
            let at = names.node_place(graph, dependencies);
            format!("hipGraphAddEventRecordNode({at}, {})", names.event(event))
        };
        self.value(line, result, |node| self.names().add_node(graph, *node))
    }
    unsafe fn graph_instantiate(&self, graph: GraphHandle) -> Result<GraphExecHandle> {
        // SAFETY: as above.
        let result = unsafe { self.inner.graph_instantiate(graph) };
        let line = format!("hipGraphInstantiate({})", self.names().graph(graph));
        self.value(line, result, |exec| self.names().exec(*exec))
    }
    unsafe fn graph_exec_destroy(&self, exec: GraphExecHandle) -> Result<()> {
        let line = format!("hipGraphExecDestroy({})", self.names().remove_exec(exec));
        // SAFETY: as above.
        self.unit(line, unsafe { self.inner.graph_exec_destroy(exec) })
    }
    unsafe fn graph_exec_set_kernel(
        &self,
        exec: GraphExecHandle,
        node: GraphNodeHandle,
        function: FunctionHandle,
        config: &LaunchConfig,
        kernarg: &[u8],
    ) -> Result<()> {
        // SAFETY: as above.
        let result = unsafe {
            self.inner
                .graph_exec_set_kernel(exec, node, function, config, kernarg)
        };
        let line = {
            let mut names = self.names();
            let (exec, node) = (names.exec(exec), names.node(node));
            let function = names.function(function);
            format!(
                "hipGraphExecKernelNodeSetParams({exec}, {node}, {function}, {}, {})",
                launch_shape(config),
                Kernarg(&names, kernarg)
            )
        };
        self.unit(line, result)
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
        // SAFETY: as above.
        let result = unsafe {
            self.inner
                .graph_exec_set_memset(exec, node, dst, value, element_bytes, count)
        };
        let line = {
            let mut names = self.names();
            let (exec, node) = (names.exec(exec), names.node(node));
            let dst = names.address(dst.0);
            format!(
                "hipGraphExecMemsetNodeSetParams({exec}, {node}, {dst}, {value:#x}, \
                 {element_bytes} x {count})"
            )
        };
        self.unit(line, result)
    }
    unsafe fn graph_exec_set_memcpy(
        &self,
        exec: GraphExecHandle,
        node: GraphNodeHandle,
        dst: DevicePtr,
        src: DevicePtr,
        bytes: u64,
        kind: MemcpyKind,
        context: ContextHandle,
    ) -> Result<()> {
        // SAFETY: as above.
        let result = unsafe {
            self.inner
                .graph_exec_set_memcpy(exec, node, dst, src, bytes, kind, context)
        };
        let line = {
            let mut names = self.names();
            let (exec, node) = (names.exec(exec), names.node(node));
            let (dst, src) = (names.address(dst.0), names.address(src.0));
            let context = names.context(context);
            format!(
                "hipDrvGraphExecMemcpyNodeSetParams({exec}, {node}, {dst}, {src}, {bytes}, \
                 {kind:?}, {context})"
            )
        };
        self.unit(line, result)
    }
    unsafe fn graph_launch(&self, exec: GraphExecHandle, stream: StreamHandle) -> Result<()> {
        // SAFETY: as above.
        let result = unsafe { self.inner.graph_launch(exec, stream) };
        let mut names = self.names();
        let line = format!(
            "hipGraphLaunch({}, {})",
            names.exec(exec),
            names.stream(stream)
        );
        self.unit(line, result)
    }
}
