//! AMD's own HIP library, found and opened at run time.

pub(crate) mod abi;
mod device;
mod graph;
mod library;
mod memory;
mod module;
mod stream;
mod symbols;

use std::collections::HashMap;
use std::ffi::{CStr, c_int};
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, OnceLock};

use crate::library::Opened;
use crate::{
    Api, Code, ContextHandle, DeviceAttribute, DeviceFamily, DeviceHandle, DevicePtr, Error,
    EventFlags, EventHandle, FunctionAttribute, FunctionHandle, GraphExecHandle, GraphHandle,
    GraphNodeHandle, HostMallocFlags, LaunchConfig, LoadError, MemPoolAttribute, MemPoolHandle,
    MemcpyKind, ModuleHandle, ProviderInfo, Result, StreamFlags, StreamHandle, Uuid,
};
pub use library::AmdOptions;
pub use symbols::SYMBOLS;
use symbols::Symbols;

/// Opens AMD's library. It stays loaded until the process ends. That there is
/// no device is no error: the provider then reports none.
pub fn amd(options: &AmdOptions) -> std::result::Result<Arc<dyn Api>, LoadError> {
    let Opened { symbols, path } = library::open(options)?;
    Ok(Arc::new(Amd {
        symbols,
        library: path.display().to_string(),
        info: ProviderInfo {
            name: "amd",
            library: Some(path),
            family: DeviceFamily::HIP,
            checks_memory: false,
            relaunches_graphs: false,
            launches_take_long: true,
            checks_bindings: false,
        },
        major: OnceLock::new(),
        contexts: Mutex::new(Vec::new()),
        images: Mutex::new(HashMap::new()),
    }))
}

struct Amd {
    symbols: Symbols,
    library: String,
    info: ProviderInfo,
    major: OnceLock<i32>,
    /// `hipCtx_t` by device ordinal, null where none was retained. Our own
    /// context handle is the ordinal plus one.
    contexts: Mutex<Vec<ContextHandle>>,
    /// Images of the loaded modules: HIP may read them until the unload.
    images: Mutex<HashMap<ModuleHandle, Box<[u64]>>>,
}

/// Calls one function of the table and turns its code into a result.
macro_rules! call {
    ($amd:ident.$symbol:ident($($arg:expr),* $(,)?)) => {{
        let (function, name) = $amd.symbols.$symbol.get(&$amd.library)?;
        // SAFETY: the table gives the function its C type, the contract of
        // `Api` makes the handles good, and pointers are to live locals.
        $amd.check(name, unsafe { function($($arg),*) })
    }};
}
use call;

impl Amd {
    fn check(&self, name: &'static str, code: c_int) -> Result<()> {
        if code == Code::SUCCESS.number() {
            return Ok(());
        }
        Err(self.error(name, Code::from_number(code)))
    }

    #[cold]
    fn error(&self, name: &'static str, code: Code) -> Error {
        // What we have no name for, the library may.
        match code.name() {
            Some(_) => Error::new(code, name),
            None => match self.describe(code) {
                Some(text) => Error::with_detail(code, name, text),
                None => Error::new(code, name),
            },
        }
    }

    fn describe(&self, code: Code) -> Option<String> {
        let (name, _) = self.symbols.error_name.get(&self.library).ok()?;
        let (text, _) = self.symbols.error_string.get(&self.library).ok()?;
        // SAFETY: both take any number and return static text or null.
        let texts = unsafe { [name(code.number()), text(code.number())] };
        let texts = texts.into_iter().filter(|text| !text.is_null());
        // SAFETY: not null, ended by a zero, never freed.
        let texts = texts.map(|text| unsafe { CStr::from_ptr(text) }.to_string_lossy());
        let texts = texts.collect::<Vec<_>>().join(": ");
        (!texts.is_empty()).then_some(texts)
    }

    /// Turns a code that means "no" into `false`, and forgets it: from HIP 7
    /// on it would stay for other users of the library on this thread to find.
    fn answer(&self, result: Result<()>, no: Code) -> Result<bool> {
        match result {
            Ok(()) => Ok(true),
            Err(error) if error.code == no => {
                self.forget(no);
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Clears the thread's last error if it is this one.
    fn forget(&self, code: Code) {
        let is_last = match self.symbols.peek_last_error.get(&self.library) {
            // SAFETY: it takes nothing.
            Ok((peek, _)) => code.number() == unsafe { peek() },
            Err(_) => true,
        };
        if is_last {
            self.take_last_error();
        }
    }

    /// Major version of the library; 0 if it does not say.
    fn major(&self) -> i32 {
        *self
            .major
            .get_or_init(|| self.runtime_version().unwrap_or(0) / 10_000_000)
    }
}

fn size(bytes: u64) -> usize {
    // Lossless: HIP exists on 64-bit machines only.
    bytes as usize
}

impl Api for Amd {
    fn provider(&self) -> &ProviderInfo {
        &self.info
    }

    fn init(&self) -> Result<()> {
        device::any(self, call!(self.init(0)))?;
        Ok(())
    }
    fn runtime_version(&self) -> Result<i32> {
        let mut version = 0;
        call!(self.runtime_version(&mut version))?;
        Ok(version)
    }
    fn take_last_error(&self) -> Code {
        match self.symbols.get_last_error.get(&self.library) {
            // SAFETY: it takes nothing.
            Ok((take, _)) => Code::from_number(unsafe { take() }),
            Err(error) => error.code,
        }
    }

    fn device_count(&self) -> Result<u32> {
        let mut count = 0;
        let any = self.answer(call!(self.device_count(&mut count)), Code::NO_DEVICE)?;
        Ok(if any {
            count.try_into().unwrap_or(0)
        } else {
            0
        })
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
        let mut value = 0;
        call!(self.device_attribute(&mut value, attribute as c_int, device.0))?;
        Ok(value)
    }
    fn device_can_access_peer(&self, device: DeviceHandle, peer: DeviceHandle) -> Result<bool> {
        let mut can = 0;
        call!(self.can_access_peer(&mut can, device.0, peer.0))?;
        Ok(can != 0)
    }
    fn enable_peer_access(&self, peer: DeviceHandle) -> Result<()> {
        let result = call!(self.enable_peer_access(peer.0, 0));
        self.answer(result, Code::PEER_ACCESS_ALREADY_ENABLED)?;
        Ok(())
    }

    fn primary_context_retain(&self, device: DeviceHandle) -> Result<ContextHandle> {
        device::retain_context(self, device)
    }
    unsafe fn primary_context_release(&self, device: DeviceHandle) -> Result<()> {
        if self.symbols.primary_context_release.is_present() {
            call!(self.primary_context_release(device.0))?;
        }
        Ok(())
    }
    fn context_current(&self) -> Result<ContextHandle> {
        let mut ordinal = 0;
        call!(self.get_device(&mut ordinal))?;
        Ok(device::context_of(ordinal))
    }
    unsafe fn context_set_current(&self, context: ContextHandle) -> Result<()> {
        match device::ordinal_of(context) {
            Some(ordinal) => call!(self.set_device(ordinal)),
            // HIP always has a current device.
            None => Ok(()),
        }
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
        stream::event_create(self, flags)
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
        let dst = std::ptr::with_exposed_provenance_mut(size(dst.0));
        let kind = MemcpyKind::HostToDevice as c_int;
        call!(self.memcpy(dst, src.as_ptr().cast(), src.len(), kind))
    }
    fn memcpy_dtoh(&self, dst: &mut [u8], src: DevicePtr) -> Result<()> {
        let src = std::ptr::with_exposed_provenance(size(src.0));
        let kind = MemcpyKind::DeviceToHost as c_int;
        call!(self.memcpy(dst.as_mut_ptr().cast(), src, dst.len(), kind))
    }
    unsafe fn memcpy_async(
        &self,
        dst: DevicePtr,
        src: DevicePtr,
        bytes: u64,
        kind: MemcpyKind,
        stream: StreamHandle,
    ) -> Result<()> {
        call!(self.memcpy_async(dst, src, size(bytes), kind as c_int, stream))
    }
    unsafe fn memset_d8_async(
        &self,
        dst: DevicePtr,
        value: u8,
        count: u64,
        stream: StreamHandle,
    ) -> Result<()> {
        memory::fill_u8(self, dst, value, count, stream)
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
        call!(self.memset_d32_async(dst, value.cast_signed(), size(count), stream))
    }

    unsafe fn module_load(&self, image: &[u8]) -> Result<ModuleHandle> {
        module::load(self, image)
    }
    unsafe fn module_unload(&self, module: ModuleHandle) -> Result<()> {
        module::unload(self, module)
    }
    unsafe fn module_function(&self, module: ModuleHandle, name: &str) -> Result<FunctionHandle> {
        let c_name = module::c_name(name, "hipModuleGetFunction")?;
        let mut function = FunctionHandle::default();
        call!(self.module_function(&mut function, module, c_name.as_ptr()))
            .map_err(|error| module::name_in_error(error, name))?;
        Ok(function)
    }
    unsafe fn module_global(&self, module: ModuleHandle, name: &str) -> Result<(DevicePtr, u64)> {
        let c_name = module::c_name(name, "hipModuleGetGlobal")?;
        let (mut ptr, mut bytes) = (DevicePtr::NULL, 0);
        call!(self.module_global(&mut ptr, &mut bytes, module, c_name.as_ptr()))
            .map_err(|error| module::name_in_error(error, name))?;
        Ok((ptr, bytes as u64))
    }
    unsafe fn function_attribute(
        &self,
        function: FunctionHandle,
        attribute: FunctionAttribute,
    ) -> Result<i32> {
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
        let mut bytes = kernarg.len();
        let mut extra = module::launch_parameters(kernarg, &mut bytes);
        call!(self.launch_kernel(
            function,
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
        call!(self.graph_add_memset(&mut node, graph, after.as_ptr(), after.len(), &params))?;
        Ok(node)
    }
    unsafe fn graph_add_memcpy(
        &self,
        graph: GraphHandle,
        after: &[GraphNodeHandle],
        dst: DevicePtr,
        src: DevicePtr,
        bytes: u64,
        kind: MemcpyKind,
        context: ContextHandle,
    ) -> Result<GraphNodeHandle> {
        graph::add_memcpy(
            self,
            graph,
            after,
            &graph::Copy {
                dst,
                src,
                bytes,
                kind,
            },
            context,
        )
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
        call!(self.graph_exec_set_memset(exec, node, &params))
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
        graph::set_memcpy(
            self,
            exec,
            node,
            &graph::Copy {
                dst,
                src,
                bytes,
                kind,
            },
            context,
        )
    }
    unsafe fn graph_launch(&self, exec: GraphExecHandle, stream: StreamHandle) -> Result<()> {
        call!(self.graph_launch(exec, stream))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::{Context, Device};

    /// Says why a test that needs something of the machine did not run.
    pub(crate) fn skip(reason: &str) {
        use std::io::Write as _;
        // The report of a skip must not be able to fail the test.
        drop(writeln!(std::io::stderr(), "skipped: {reason}"));
    }

    fn installed() -> Option<Arc<dyn Api>> {
        match amd(&AmdOptions::default()) {
            Ok(api) => Some(api),
            Err(error) => {
                skip(&error.to_string());
                None
            }
        }
    }

    #[test]
    fn the_installed_library_loads_and_counts_its_devices() {
        let Some(api) = installed() else { return };
        let info = api.provider();
        assert_eq!(info.name, "amd");
        let library = info.library.as_deref().expect("a file");
        assert!(library.is_absolute(), "{library:?}");
        let devices = Device::enumerate(&api).expect("no device is not an error");
        assert_eq!(
            devices.len(),
            api.device_count().expect("counts again") as usize
        );
        for device in &devices {
            assert!(device.arch().expect("has one").starts_with("gfx"));
            let context = Context::new(device).expect("retains");
            assert_eq!(context.device().ordinal(), device.ordinal());
        }
        if devices.is_empty() {
            api.device(0).expect_err("no device");
        } else {
            assert_eq!(api.take_last_error(), Code::SUCCESS);
        }
    }

    #[test]
    fn a_call_the_library_lacks_says_so() {
        let Some(api) = installed() else { return };
        // Debian's HIP 5.2 has no such function, but its fallback.
        let error = api
            .device_arch(DeviceHandle(12345))
            .expect_err("no such device");
        assert_ne!(error.code, Code::SUCCESS);
        assert!(error.call.starts_with("hipGetDeviceProperties"), "{error}");
    }

    #[test]
    fn unlisted_codes_get_the_librarys_words() {
        let Some(api) = installed() else { return };
        drop(api);
        let Opened { symbols, path } =
            library::open(&AmdOptions::default()).expect("opened before");
        let amd = Amd {
            symbols,
            library: path.display().to_string(),
            info: ProviderInfo {
                name: "amd",
                library: Some(path),
                family: DeviceFamily::HIP,
                checks_memory: false,
                relaunches_graphs: false,
                launches_take_long: true,
                checks_bindings: false,
            },
            major: OnceLock::new(),
            contexts: Mutex::new(Vec::new()),
            images: Mutex::new(HashMap::new()),
        };
        let error = amd.check("hipX", 54321).expect_err("a failure");
        assert_eq!(error.code.number(), 54321);
        assert!(error.detail.is_some(), "{error}");
        assert_eq!(amd.check("hipX", 1).expect_err("a failure").detail, None);
        assert!(amd.major() >= 5);
    }
}
