//! NVIDIA's CUDA driver, found and opened at run time: HIP's calls as calls
//! of the driver. `docs/hip-on-cuda.md` says for each what it becomes.

mod abi;
mod device;
mod error;
mod graph;
mod library;
mod memory;
mod module;
mod stream;
mod symbols;

use std::collections::HashMap;
use std::ffi::{CStr, c_char, c_int};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use crate::cache::Cache;
use crate::library::Opened;
use crate::{
    Api, Code, ContextHandle, DeviceAttribute, DeviceFamily, DeviceHandle, DevicePtr, Error,
    EventFlags, EventHandle, FunctionAttribute, FunctionHandle, GraphExecHandle, GraphHandle,
    GraphNodeHandle, HostMallocFlags, LaunchConfig, LoadError, MemPoolAttribute, MemPoolHandle,
    MemcpyKind, ModuleHandle, ProviderInfo, Result, StreamFlags, StreamHandle, Uuid,
};
pub use library::NvidiaOptions;
pub use symbols::CUDA_SYMBOLS;
use symbols::Symbols;

/// Opens NVIDIA's library. It stays loaded until the process ends. That there
/// is no device is no error: the provider then reports none.
pub fn nvidia(options: &NvidiaOptions) -> std::result::Result<Arc<dyn Api>, LoadError> {
    let Opened { symbols, path } = library::open(options)?;
    Ok(Arc::new(Nvidia {
        symbols,
        library: path.display().to_string(),
        info: ProviderInfo {
            name: "nvidia",
            library: Some(path),
            family: DeviceFamily::CUDA,
            checks_memory: false,
            relaunches_graphs: true,
            launches_take_long: true,
            checks_bindings: false,
        },
        has_no_device: AtomicBool::new(false),
        primaries: Mutex::new(Vec::new()),
        cache: Cache::open(&options.code_cache),
        kernels: Mutex::new(HashMap::new()),
    }))
}

struct Nvidia {
    symbols: Symbols,
    library: String,
    info: ProviderInfo,
    /// `cuInit` said so; the driver then answers nothing else.
    has_no_device: AtomicBool,
    /// What we hold of each device, by ordinal.
    primaries: Mutex<Vec<device::Primary>>,
    cache: Option<Cache>,
    /// What our function handles lead to, by module.
    kernels: Mutex<HashMap<ModuleHandle, module::Kernels>>,
}

/// Calls one function of the table and turns its code into a result.
macro_rules! call {
    ($nv:ident.$symbol:ident($($arg:expr),* $(,)?)) => {{
        let (function, name) = $nv.symbols.$symbol.get(&$nv.library)?;
        // SAFETY: the table gives the function its C type, the contract of
        // `Api` makes the handles good, and pointers are to live locals.
        $nv.check(name, unsafe { function($($arg),*) })
    }};
}
use call;

impl Nvidia {
    fn check(&self, name: &'static str, code: c_int) -> Result<()> {
        if code == 0 {
            return Ok(());
        }
        Err(self.error(name, code))
    }

    /// Says in the driver's own words what HIP's code does not.
    #[cold]
    fn error(&self, name: &'static str, number: c_int) -> Error {
        let (code, row) = error::translate(number);
        let text = match row {
            None if code.name().is_some() => return Error::new(code, name),
            None => self.describe(number),
            Some(row) if row.hint.is_empty() => self.describe(number).or(Some(row.name.to_owned())),
            Some(row) => Some(format!("{} ({number}): {}", row.name, row.hint)),
        };
        match text {
            Some(text) => Error::with_detail(code, name, text),
            None => Error::new(code, name),
        }
    }

    fn describe(&self, number: c_int) -> Option<String> {
        let (name, _) = self.symbols.error_name.get(&self.library).ok()?;
        let (text, _) = self.symbols.error_string.get(&self.library).ok()?;
        let mut texts: [*const c_char; 2] = [std::ptr::null(); 2];
        // SAFETY: both take any number and give static text or leave null.
        unsafe {
            name(number, &mut texts[0]);
            text(number, &mut texts[1]);
        }
        let texts = texts.into_iter().filter(|text| !text.is_null());
        // SAFETY: not null, ended by a zero, never freed.
        let texts = texts.map(|text| unsafe { CStr::from_ptr(text) }.to_string_lossy());
        let texts = texts.collect::<Vec<_>>().join(": ");
        (!texts.is_empty()).then_some(texts)
    }

    /// Turns a code that means "no" into `false`.
    fn answer(&self, result: Result<()>, no: Code) -> Result<bool> {
        match result {
            Ok(()) => Ok(true),
            Err(error) if error.code == no => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn size(bytes: u64) -> usize {
    // Lossless: the driver is called on 64-bit machines only.
    bytes as usize
}

impl Api for Nvidia {
    fn provider(&self) -> &ProviderInfo {
        &self.info
    }

    fn init(&self) -> Result<()> {
        let any = self.answer(call!(self.init(0)), Code::NO_DEVICE)?;
        self.has_no_device.store(!any, Ordering::Relaxed);
        Ok(())
    }
    fn runtime_version(&self) -> Result<i32> {
        let mut version = 0;
        call!(self.driver_version(&mut version))?;
        Ok(version)
    }
    fn take_last_error(&self) -> Code {
        // The driver keeps none: what went wrong is told by the call alone.
        Code::SUCCESS
    }

    fn device_count(&self) -> Result<u32> {
        if self.has_no_device.load(Ordering::Relaxed) {
            return Ok(0);
        }
        let mut count: c_int = 0;
        call!(self.device_count(&mut count))?;
        Ok(count.try_into().unwrap_or(0))
    }
    fn device(&self, ordinal: u32) -> Result<DeviceHandle> {
        let mut device = 0;
        let ordinal = c_int::try_from(ordinal).unwrap_or(c_int::MAX);
        call!(self.device(&mut device, ordinal))?;
        Ok(DeviceHandle(device))
    }
    fn device_name(&self, device: DeviceHandle) -> Result<String> {
        device::name(self, device)
    }
    fn device_uuid(&self, device: DeviceHandle) -> Result<Uuid> {
        let mut bytes = [0; 16];
        call!(self.device_uuid(&mut bytes, device.0))?;
        Ok(Uuid(bytes))
    }
    fn device_arch(&self, device: DeviceHandle) -> Result<String> {
        device::arch(self, device)
    }
    fn device_total_memory(&self, device: DeviceHandle) -> Result<u64> {
        let mut bytes = 0;
        call!(self.device_total_memory(&mut bytes, device.0))?;
        Ok(bytes as u64)
    }
    fn device_attribute(&self, attribute: DeviceAttribute, device: DeviceHandle) -> Result<i32> {
        device::attribute(self, attribute, device)
    }
    fn device_can_access_peer(&self, device: DeviceHandle, peer: DeviceHandle) -> Result<bool> {
        let mut can = 0;
        call!(self.can_access_peer(&mut can, device.0, peer.0))?;
        Ok(can != 0)
    }
    fn enable_peer_access(&self, peer: DeviceHandle) -> Result<()> {
        device::enable_peer_access(self, peer)
    }

    fn primary_context_retain(&self, device: DeviceHandle) -> Result<ContextHandle> {
        device::retain_context(self, device)
    }
    unsafe fn primary_context_release(&self, device: DeviceHandle) -> Result<()> {
        device::release_context(self, device)
    }
    fn context_current(&self) -> Result<ContextHandle> {
        let mut context = ContextHandle::default();
        call!(self.context_current(&mut context))?;
        Ok(context)
    }
    unsafe fn context_set_current(&self, context: ContextHandle) -> Result<()> {
        call!(self.context_set_current(context))
    }

    fn stream_create(&self, flags: StreamFlags) -> Result<StreamHandle> {
        let mut stream = StreamHandle::default();
        call!(self.stream_create(&mut stream, flags.0))?;
        Ok(stream)
    }
    unsafe fn stream_destroy(&self, stream: StreamHandle) -> Result<()> {
        call!(self.stream_destroy(stream))
    }
    unsafe fn stream_synchronize(&self, stream: StreamHandle) -> Result<()> {
        call!(self.stream_synchronize(stream))
    }
    unsafe fn stream_query(&self, stream: StreamHandle) -> Result<bool> {
        self.answer(call!(self.stream_query(stream)), Code::NOT_READY)
    }
    unsafe fn stream_wait_event(&self, stream: StreamHandle, event: EventHandle) -> Result<()> {
        call!(self.stream_wait_event(stream, event, 0))
    }
    unsafe fn launch_host_function(
        &self,
        stream: StreamHandle,
        function: Box<dyn FnOnce() + Send>,
    ) -> Result<()> {
        stream::launch_host_function(self, stream, function)
    }

    fn event_create(&self, flags: EventFlags) -> Result<EventHandle> {
        let mut event = EventHandle::default();
        call!(self.event_create(&mut event, flags.0))?;
        Ok(event)
    }
    unsafe fn event_destroy(&self, event: EventHandle) -> Result<()> {
        call!(self.event_destroy(event))
    }
    unsafe fn event_record(&self, event: EventHandle, stream: StreamHandle) -> Result<()> {
        call!(self.event_record(event, stream))
    }
    unsafe fn event_query(&self, event: EventHandle) -> Result<bool> {
        self.answer(call!(self.event_query(event)), Code::NOT_READY)
    }
    unsafe fn event_synchronize(&self, event: EventHandle) -> Result<()> {
        call!(self.event_synchronize(event))
    }
    unsafe fn event_elapsed_ms(&self, start: EventHandle, stop: EventHandle) -> Result<f32> {
        let mut ms = 0.0;
        call!(self.event_elapsed_time(&mut ms, start, stop))?;
        Ok(ms)
    }

    fn malloc(&self, bytes: u64) -> Result<DevicePtr> {
        let mut ptr = DevicePtr::NULL;
        call!(self.malloc(&mut ptr, size(bytes)))?;
        Ok(ptr)
    }
    fn malloc_managed(&self, bytes: u64) -> Result<DevicePtr> {
        let mut ptr = DevicePtr::NULL;
        call!(self.malloc_managed(&mut ptr, size(bytes), abi::MEM_ATTACH_GLOBAL))?;
        Ok(ptr)
    }
    unsafe fn free(&self, ptr: DevicePtr) -> Result<()> {
        call!(self.free(ptr))
    }
    fn host_malloc(&self, bytes: u64, flags: HostMallocFlags) -> Result<NonNull<u8>> {
        memory::host_malloc(self, bytes, flags)
    }
    unsafe fn host_free(&self, ptr: NonNull<u8>) -> Result<()> {
        call!(self.host_free(ptr.as_ptr()))
    }
    unsafe fn host_register(
        &self,
        ptr: NonNull<u8>,
        bytes: u64,
        flags: HostMallocFlags,
    ) -> Result<()> {
        call!(self.host_register(ptr.as_ptr(), size(bytes), flags.0))
    }
    unsafe fn host_unregister(&self, ptr: NonNull<u8>) -> Result<()> {
        call!(self.host_unregister(ptr.as_ptr()))
    }
    unsafe fn host_device_pointer(&self, ptr: NonNull<u8>) -> Result<DevicePtr> {
        let mut device = DevicePtr::NULL;
        call!(self.host_device_pointer(&mut device, ptr.as_ptr(), 0))?;
        Ok(device)
    }
    unsafe fn mem_prefetch_async(
        &self,
        ptr: DevicePtr,
        bytes: u64,
        device: DeviceHandle,
        stream: StreamHandle,
    ) -> Result<()> {
        call!(self.mem_prefetch_async(ptr, size(bytes), device.0, stream))
    }

    unsafe fn malloc_async(&self, bytes: u64, stream: StreamHandle) -> Result<DevicePtr> {
        let mut ptr = DevicePtr::NULL;
        call!(self.malloc_async(&mut ptr, size(bytes), stream))?;
        Ok(ptr)
    }
    unsafe fn malloc_from_pool_async(
        &self,
        bytes: u64,
        pool: MemPoolHandle,
        stream: StreamHandle,
    ) -> Result<DevicePtr> {
        let mut ptr = DevicePtr::NULL;
        call!(self.malloc_from_pool_async(&mut ptr, size(bytes), pool, stream))?;
        Ok(ptr)
    }
    unsafe fn free_async(&self, ptr: DevicePtr, stream: StreamHandle) -> Result<()> {
        call!(self.free_async(ptr, stream))
    }
    fn mem_pool_create(&self, device: DeviceHandle) -> Result<MemPoolHandle> {
        memory::pool_create(self, device)
    }
    unsafe fn mem_pool_destroy(&self, pool: MemPoolHandle) -> Result<()> {
        call!(self.mem_pool_destroy(pool))
    }
    unsafe fn mem_pool_attribute(
        &self,
        pool: MemPoolHandle,
        attribute: MemPoolAttribute,
    ) -> Result<u64> {
        let mut value = 0;
        call!(self.mem_pool_attribute(pool, attribute as c_int, &mut value))?;
        Ok(value)
    }
    unsafe fn mem_pool_set_attribute(
        &self,
        pool: MemPoolHandle,
        attribute: MemPoolAttribute,
        mut value: u64,
    ) -> Result<()> {
        call!(self.mem_pool_set_attribute(pool, attribute as c_int, &mut value))
    }
    unsafe fn mem_pool_trim_to(&self, pool: MemPoolHandle, bytes: u64) -> Result<()> {
        call!(self.mem_pool_trim_to(pool, size(bytes)))
    }

    fn memcpy_htod(&self, dst: DevicePtr, src: &[u8]) -> Result<()> {
        call!(self.memcpy_htod(dst, src.as_ptr().cast(), src.len()))
    }
    fn memcpy_dtoh(&self, dst: &mut [u8], src: DevicePtr) -> Result<()> {
        call!(self.memcpy_dtoh(dst.as_mut_ptr().cast(), src, dst.len()))
    }
    unsafe fn memcpy_async(
        &self,
        dst: DevicePtr,
        src: DevicePtr,
        bytes: u64,
        _kind: MemcpyKind,
        stream: StreamHandle,
    ) -> Result<()> {
        call!(self.memcpy_async(dst, src, size(bytes), stream))
    }
    unsafe fn memset_d8_async(
        &self,
        dst: DevicePtr,
        value: u8,
        count: u64,
        stream: StreamHandle,
    ) -> Result<()> {
        call!(self.memset_d8_async(dst, value, size(count), stream))
    }
    unsafe fn memset_d16_async(
        &self,
        dst: DevicePtr,
        value: u16,
        count: u64,
        stream: StreamHandle,
    ) -> Result<()> {
        call!(self.memset_d16_async(dst, value, size(count), stream))
    }
    unsafe fn memset_d32_async(
        &self,
        dst: DevicePtr,
        value: u32,
        count: u64,
        stream: StreamHandle,
    ) -> Result<()> {
        call!(self.memset_d32_async(dst, value, size(count), stream))
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
        module::global(self, module, name)
    }
    unsafe fn function_attribute(
        &self,
        function: FunctionHandle,
        attribute: FunctionAttribute,
    ) -> Result<i32> {
        let function = module::kernel(function).function;
        let mut value = 0;
        call!(self.function_attribute(&mut value, attribute as c_int, function))?;
        Ok(value)
    }
    unsafe fn function_set_attribute(
        &self,
        function: FunctionHandle,
        attribute: FunctionAttribute,
        value: i32,
    ) -> Result<()> {
        let function = module::kernel(function).function;
        call!(self.function_set_attribute(function, attribute as c_int, value))
    }
    unsafe fn launch_kernel(
        &self,
        function: FunctionHandle,
        config: &LaunchConfig,
        stream: StreamHandle,
        kernarg: &[u8],
    ) -> Result<()> {
        let LaunchConfig { grid, block, .. } = config;
        let kernel = module::kernel(function);
        let mut bytes = kernarg.len().min(kernel.argument_bytes);
        let mut extra = module::launch_parameters(kernarg, &mut bytes);
        call!(self.launch_kernel(
            kernel.function,
            grid.x,
            grid.y,
            grid.z,
            block.x,
            block.y,
            block.z,
            config.shared_memory_bytes,
            stream,
            std::ptr::null_mut(),
            extra.as_mut_ptr(),
        ))
    }

    fn graph_create(&self) -> Result<GraphHandle> {
        let mut graph = GraphHandle::default();
        call!(self.graph_create(&mut graph, 0))?;
        Ok(graph)
    }
    unsafe fn graph_destroy(&self, graph: GraphHandle) -> Result<()> {
        call!(self.graph_destroy(graph))
    }
    unsafe fn graph_add_empty(
        &self,
        graph: GraphHandle,
        after: &[GraphNodeHandle],
    ) -> Result<GraphNodeHandle> {
        let mut node = GraphNodeHandle::default();
        call!(self.graph_add_empty(&mut node, graph, after.as_ptr(), after.len()))?;
        Ok(node)
    }
    unsafe fn graph_add_kernel(
        &self,
        graph: GraphHandle,
        after: &[GraphNodeHandle],
        function: FunctionHandle,
        config: &LaunchConfig,
        kernarg: &[u8],
    ) -> Result<GraphNodeHandle> {
        let mut node = GraphNodeHandle::default();
        graph::with_kernel_params(function, config, kernarg, |params| {
            call!(self.graph_add_kernel(&mut node, graph, after.as_ptr(), after.len(), params))
        })?;
        Ok(node)
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
        let params = graph::memset_params(dst, value, element_bytes, count);
        let mut node = GraphNodeHandle::default();
        let (nodes, count) = (after.as_ptr(), after.len());
        let context = self.context_current()?;
        call!(self.graph_add_memset(&mut node, graph, nodes, count, &params, context))?;
        Ok(node)
    }
    unsafe fn graph_add_memcpy(
        &self,
        graph: GraphHandle,
        after: &[GraphNodeHandle],
        dst: DevicePtr,
        src: DevicePtr,
        bytes: u64,
        _kind: MemcpyKind,
        context: ContextHandle,
    ) -> Result<GraphNodeHandle> {
        let params = graph::memcpy_params(dst, src, bytes);
        let mut node = GraphNodeHandle::default();
        let (nodes, count) = (after.as_ptr(), after.len());
        call!(self.graph_add_memcpy(&mut node, graph, nodes, count, &params, context))?;
        Ok(node)
    }
    unsafe fn graph_add_event_record(
        &self,
        graph: GraphHandle,
        after: &[GraphNodeHandle],
        event: EventHandle,
    ) -> Result<GraphNodeHandle> {
        let mut node = GraphNodeHandle::default();
        call!(self.graph_add_event_record(&mut node, graph, after.as_ptr(), after.len(), event))?;
        Ok(node)
    }
    unsafe fn graph_instantiate(&self, graph: GraphHandle) -> Result<GraphExecHandle> {
        graph::instantiate(self, graph)
    }
    unsafe fn graph_exec_destroy(&self, exec: GraphExecHandle) -> Result<()> {
        call!(self.graph_exec_destroy(exec))
    }
    unsafe fn graph_exec_set_kernel(
        &self,
        exec: GraphExecHandle,
        node: GraphNodeHandle,
        function: FunctionHandle,
        config: &LaunchConfig,
        kernarg: &[u8],
    ) -> Result<()> {
        graph::with_kernel_params(function, config, kernarg, |params| {
            call!(self.graph_exec_set_kernel(exec, node, params))
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
        let params = graph::memset_params(dst, value, element_bytes, count);
        let context = self.context_current()?;
        call!(self.graph_exec_set_memset(exec, node, &params, context))
    }
    unsafe fn graph_exec_set_memcpy(
        &self,
        exec: GraphExecHandle,
        node: GraphNodeHandle,
        dst: DevicePtr,
        src: DevicePtr,
        bytes: u64,
        _kind: MemcpyKind,
        context: ContextHandle,
    ) -> Result<()> {
        let params = graph::memcpy_params(dst, src, bytes);
        call!(self.graph_exec_set_memcpy(exec, node, &params, context))
    }
    unsafe fn graph_launch(&self, exec: GraphExecHandle, stream: StreamHandle) -> Result<()> {
        call!(self.graph_launch(exec, stream))
    }
}
