//! A provider that makes a chosen call of another provider fail.

use std::collections::BTreeMap;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{
    Api, BoundRange, Code, ContextHandle, DeviceAttribute, DeviceHandle, DevicePtr, Error,
    EventFlags, EventHandle, FunctionAttribute, FunctionHandle, GraphExecHandle, GraphHandle,
    GraphNodeHandle, HostMallocFlags, LaunchConfig, MemPoolAttribute, MemPoolHandle, MemcpyKind,
    ModuleHandle, ProviderInfo, Result, StreamFlags, StreamHandle, Uuid,
};

/// A provider that hands every call to `inner` and fails those that `plan` picks.
///
/// A call that fails does not reach `inner`, but for teardown calls: those do
/// reach it, and their failure is reported afterwards, as HIP does when it
/// reports an earlier error from a destroying call.
pub fn faulty(inner: Arc<dyn Api>, plan: &FaultPlan) -> Arc<dyn Api> {
    Arc::new(Faulty {
        inner,
        plan: plan.clone(),
    })
}

/// Which call fails and how, and a count of what was called. Clones share one state.
#[derive(Clone, Debug, Default)]
pub struct FaultPlan(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    target: Option<Target>,
    calls: u64,
    teardown_calls: u64,
    by_name: BTreeMap<&'static str, u64>,
    live: i64,
    fired: Option<&'static str>,
}

#[derive(Debug)]
struct Target {
    what: What,
    index: u64,
    code: Code,
}

#[derive(Debug)]
enum What {
    Call,
    Teardown,
    Named(String),
}

/// What a call does to the number of live objects.
#[derive(Clone, Copy, PartialEq)]
enum Effect {
    None,
    Make,
    Teardown,
}

impl FaultPlan {
    /// Fails nothing and counts.
    pub fn counting() -> Self {
        Self::default()
    }

    /// Fails call `index` (from 0) of all but the teardown calls.
    pub fn fail_call(index: u64, code: Code) -> Self {
        Self::new(What::Call, index, code)
    }

    /// Fails teardown call `index` (from 0): destroy, free, unload, unregister, release.
    pub fn fail_teardown(index: u64, code: Code) -> Self {
        Self::new(What::Teardown, index, code)
    }

    /// Fails call `index` (from 0) of the C function `name`.
    pub fn fail_named(name: &str, index: u64, code: Code) -> Self {
        Self::new(What::Named(name.to_owned()), index, code)
    }

    fn new(what: What, index: u64, code: Code) -> Self {
        let plan = Self::default();
        plan.arm(what, index, code);
        plan
    }

    /// Fails call `index` of `name`, counted from now; replaces an earlier target.
    pub fn arm_named(&self, name: &str, index: u64, code: Code) {
        let called = self.calls_of(name);
        self.arm(What::Named(name.to_owned()), called + index, code);
    }

    fn arm(&self, what: What, index: u64, code: Code) {
        let mut state = self.state();
        state.target = Some(Target { what, index, code });
        state.fired = None;
    }

    /// Calls so far, without teardown calls.
    pub fn calls(&self) -> u64 {
        self.state().calls
    }

    /// Teardown calls so far.
    pub fn teardown_calls(&self) -> u64 {
        self.state().teardown_calls
    }

    /// Calls of the C function `name` so far.
    pub fn calls_of(&self, name: &str) -> u64 {
        self.state().by_name.get(name).copied().unwrap_or(0)
    }

    /// Objects made and not yet torn down: contexts, streams, events, memory,
    /// pools, modules, graphs, execs.
    pub fn live(&self) -> i64 {
        self.state().live
    }

    /// The C function that was made to fail, once it has been.
    pub fn fired(&self) -> Option<&'static str> {
        self.state().fired
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one call and says whether it is the one to fail.
    fn enter(&self, name: &'static str, effect: Effect) -> Result<()> {
        let mut state = self.state();
        let counter = if effect == Effect::Teardown {
            &mut state.teardown_calls
        } else {
            &mut state.calls
        };
        let nth = *counter;
        *counter += 1;
        let nth_named = {
            let named = state.by_name.entry(name).or_default();
            *named += 1;
            *named - 1
        };
        let Some(target) = &state.target else {
            return Ok(());
        };
        let hit = match &target.what {
            What::Call => effect != Effect::Teardown && nth == target.index,
            What::Teardown => effect == Effect::Teardown && nth == target.index,
            What::Named(wanted) => wanted == name && nth_named == target.index,
        };
        if !hit {
            return Ok(());
        }
        let code = target.code;
        state.fired = Some(name);
        Err(Error::with_detail(code, name, "injected fault"))
    }

    fn run<T>(
        &self,
        name: &'static str,
        effect: Effect,
        call: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let verdict = self.enter(name, effect);
        if verdict.is_err() && effect != Effect::Teardown {
            return verdict.and_then(|()| call());
        }
        let value = call()?;
        match effect {
            Effect::None => {}
            Effect::Make => self.state().live += 1,
            Effect::Teardown => self.state().live -= 1,
        }
        verdict.map(|()| value)
    }
}

struct Faulty {
    inner: Arc<dyn Api>,
    plan: FaultPlan,
}

/// A row a method: what it does to the count of live objects, its signature,
/// its C name.
macro_rules! forward {
    ($($effect:ident $method:ident($($arg:ident: $type:ty),*) -> $ret:ty, $name:literal;)*) => {$(
        fn $method(&self, $($arg: $type),*) -> Result<$ret> {
            self.plan.run($name, Effect::$effect, || self.inner.$method($($arg),*))
        }
    )*};
}

macro_rules! forward_unsafe {
    ($($effect:ident $method:ident($($arg:ident: $type:ty),*) -> $ret:ty, $name:literal;)*) => {$(
        unsafe fn $method(&self, $($arg: $type),*) -> Result<$ret> {
            // SAFETY: the caller keeps the contract, which is the same for `inner`.
            self.plan.run($name, Effect::$effect, || unsafe { self.inner.$method($($arg),*) })
        }
    )*};
}

impl Api for Faulty {
    fn provider(&self) -> &ProviderInfo {
        self.inner.provider()
    }

    fn take_last_error(&self) -> Code {
        self.inner.take_last_error()
    }

    forward! {
        None init() -> (), "hipInit";
        None runtime_version() -> i32, "hipRuntimeGetVersion";
        None device_count() -> u32, "hipGetDeviceCount";
        None device(ordinal: u32) -> DeviceHandle, "hipDeviceGet";
        None device_name(device: DeviceHandle) -> String, "hipDeviceGetName";
        None device_uuid(device: DeviceHandle) -> Uuid, "hipDeviceGetUuid";
        None device_arch(device: DeviceHandle) -> String, "hipGetDeviceProperties";
        None device_total_memory(device: DeviceHandle) -> u64, "hipDeviceTotalMem";
        None device_attribute(attribute: DeviceAttribute, device: DeviceHandle) -> i32,
            "hipDeviceGetAttribute";
        None device_can_access_peer(device: DeviceHandle, peer: DeviceHandle) -> bool,
            "hipDeviceCanAccessPeer";
        None enable_peer_access(peer: DeviceHandle) -> (), "hipDeviceEnablePeerAccess";
        Make primary_context_retain(device: DeviceHandle) -> ContextHandle,
            "hipDevicePrimaryCtxRetain";
        None context_current() -> ContextHandle, "hipCtxGetCurrent";
        Make stream_create(flags: StreamFlags) -> StreamHandle, "hipStreamCreateWithFlags";
        Make event_create(flags: EventFlags) -> EventHandle, "hipEventCreateWithFlags";
        Make malloc(bytes: u64) -> DevicePtr, "hipMalloc";
        Make malloc_managed(bytes: u64) -> DevicePtr, "hipMallocManaged";
        Make host_malloc(bytes: u64, flags: HostMallocFlags) -> NonNull<u8>, "hipHostMalloc";
        Make mem_pool_create(device: DeviceHandle) -> MemPoolHandle, "hipMemPoolCreate";
        None memcpy_htod(dst: DevicePtr, src: &[u8]) -> (), "hipMemcpy";
        None memcpy_dtoh(dst: &mut [u8], src: DevicePtr) -> (), "hipMemcpy";
        Make graph_create() -> GraphHandle, "hipGraphCreate";
    }

    forward_unsafe! {
        Teardown primary_context_release(device: DeviceHandle) -> (), "hipDevicePrimaryCtxRelease";
        None context_set_current(context: ContextHandle) -> (), "hipCtxSetCurrent";

        Teardown stream_destroy(stream: StreamHandle) -> (), "hipStreamDestroy";
        None stream_synchronize(stream: StreamHandle) -> (), "hipStreamSynchronize";
        None stream_query(stream: StreamHandle) -> bool, "hipStreamQuery";
        None stream_wait_event(stream: StreamHandle, event: EventHandle) -> (),
            "hipStreamWaitEvent";
        None launch_host_function(stream: StreamHandle, function: Box<dyn FnOnce() + Send>) -> (),
            "hipLaunchHostFunc";

        Teardown event_destroy(event: EventHandle) -> (), "hipEventDestroy";
        None event_record(event: EventHandle, stream: StreamHandle) -> (), "hipEventRecord";
        None event_query(event: EventHandle) -> bool, "hipEventQuery";
        None event_synchronize(event: EventHandle) -> (), "hipEventSynchronize";
        None event_elapsed_ms(start: EventHandle, stop: EventHandle) -> f32, "hipEventElapsedTime";

        Teardown free(ptr: DevicePtr) -> (), "hipFree";
        Teardown host_free(ptr: NonNull<u8>) -> (), "hipHostFree";
        Make host_register(ptr: NonNull<u8>, bytes: u64, flags: HostMallocFlags) -> (),
            "hipHostRegister";
        Teardown host_unregister(ptr: NonNull<u8>) -> (), "hipHostUnregister";
        None host_device_pointer(ptr: NonNull<u8>) -> DevicePtr, "hipHostGetDevicePointer";
        None mem_prefetch_async(
            ptr: DevicePtr,
            bytes: u64,
            device: DeviceHandle,
            stream: StreamHandle
        ) -> (), "hipMemPrefetchAsync";

        Make malloc_async(bytes: u64, stream: StreamHandle) -> DevicePtr, "hipMallocAsync";
        Make malloc_from_pool_async(bytes: u64, pool: MemPoolHandle, stream: StreamHandle)
            -> DevicePtr, "hipMallocFromPoolAsync";
        Teardown mem_pool_destroy(pool: MemPoolHandle) -> (), "hipMemPoolDestroy";
        None mem_pool_attribute(pool: MemPoolHandle, attribute: MemPoolAttribute) -> u64,
            "hipMemPoolGetAttribute";
        None mem_pool_set_attribute(pool: MemPoolHandle, attribute: MemPoolAttribute, value: u64)
            -> (), "hipMemPoolSetAttribute";
        None mem_pool_trim_to(pool: MemPoolHandle, bytes: u64) -> (), "hipMemPoolTrimTo";

        None memcpy_async(
            dst: DevicePtr,
            src: DevicePtr,
            bytes: u64,
            kind: MemcpyKind,
            stream: StreamHandle
        ) -> (), "hipMemcpyAsync";
        None memset_d8_async(dst: DevicePtr, value: u8, count: u64, stream: StreamHandle) -> (),
            "hipMemsetD8Async";
        None memset_d16_async(dst: DevicePtr, value: u16, count: u64, stream: StreamHandle) -> (),
            "hipMemsetD16Async";
        None memset_d32_async(dst: DevicePtr, value: u32, count: u64, stream: StreamHandle) -> (),
            "hipMemsetD32Async";

        Make module_load(image: &[u8]) -> ModuleHandle, "hipModuleLoadDataEx";
        Teardown module_unload(module: ModuleHandle) -> (), "hipModuleUnload";
        None module_function(module: ModuleHandle, name: &str) -> FunctionHandle,
            "hipModuleGetFunction";
        None module_global(module: ModuleHandle, name: &str) -> (DevicePtr, u64),
            "hipModuleGetGlobal";
        None function_attribute(function: FunctionHandle, attribute: FunctionAttribute) -> i32,
            "hipFuncGetAttribute";
        None function_set_attribute(
            function: FunctionHandle,
            attribute: FunctionAttribute,
            value: i32
        ) -> (), "hipFuncSetAttribute";
        Make function_bind(function: FunctionHandle, bindings: &[BoundRange]) -> FunctionHandle,
            "function_bind";
        Teardown function_unbind(function: FunctionHandle) -> (), "function_unbind";
        None launch_kernel(
            function: FunctionHandle,
            config: &LaunchConfig,
            stream: StreamHandle,
            kernarg: &[u8]
        ) -> (), "hipModuleLaunchKernel";

        Teardown graph_destroy(graph: GraphHandle) -> (), "hipGraphDestroy";
        None graph_add_empty(graph: GraphHandle, dependencies: &[GraphNodeHandle])
            -> GraphNodeHandle, "hipGraphAddEmptyNode";
        None graph_add_kernel(
            graph: GraphHandle,
            dependencies: &[GraphNodeHandle],
            function: FunctionHandle,
            config: &LaunchConfig,
            kernarg: &[u8]
        ) -> GraphNodeHandle, "hipGraphAddKernelNode";
        None graph_add_memset(
            graph: GraphHandle,
            dependencies: &[GraphNodeHandle],
            dst: DevicePtr,
            value: u32,
            element_bytes: u32,
            count: u64
        ) -> GraphNodeHandle, "hipGraphAddMemsetNode";
        None graph_add_memcpy(
            graph: GraphHandle,
            dependencies: &[GraphNodeHandle],
            dst: DevicePtr,
            src: DevicePtr,
            bytes: u64,
            kind: MemcpyKind,
            context: ContextHandle
        ) -> GraphNodeHandle, "hipDrvGraphAddMemcpyNode";
        None graph_add_event_record(
            graph: GraphHandle,
            dependencies: &[GraphNodeHandle],
            event: EventHandle
        ) -> GraphNodeHandle, "hipGraphAddEventRecordNode";
        Make graph_instantiate(graph: GraphHandle) -> GraphExecHandle, "hipGraphInstantiate";
        Teardown graph_exec_destroy(exec: GraphExecHandle) -> (), "hipGraphExecDestroy";
        None graph_exec_set_kernel(
            exec: GraphExecHandle,
            node: GraphNodeHandle,
            function: FunctionHandle,
            config: &LaunchConfig,
            kernarg: &[u8]
        ) -> (), "hipGraphExecKernelNodeSetParams";
        None graph_exec_set_memset(
            exec: GraphExecHandle,
            node: GraphNodeHandle,
            dst: DevicePtr,
            value: u32,
            element_bytes: u32,
            count: u64
        ) -> (), "hipGraphExecMemsetNodeSetParams";
        None graph_exec_set_memcpy(
            exec: GraphExecHandle,
            node: GraphNodeHandle,
            dst: DevicePtr,
            src: DevicePtr,
            bytes: u64,
            kind: MemcpyKind,
            context: ContextHandle
        ) -> (), "hipDrvGraphExecMemcpyNodeSetParams";
        None graph_launch(exec: GraphExecHandle, stream: StreamHandle) -> (), "hipGraphLaunch";
    }

    unsafe fn free_async(&self, ptr: DevicePtr, stream: StreamHandle) -> Result<()> {
        // It can fail before it frees, and then the caller frees otherwise: so
        // it counts as a call and yet ends a life.
        let freed = self.plan.run("hipFreeAsync", Effect::None, || {
            // SAFETY: the caller keeps the contract, which is the same for `inner`.
            unsafe { self.inner.free_async(ptr, stream) }
        });
        if freed.is_ok() {
            self.plan.state().live -= 1;
        }
        freed
    }
}
