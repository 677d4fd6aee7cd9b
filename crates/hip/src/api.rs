//! The interface itself.

use std::ptr::NonNull;

use crate::{
    BoundRange, Code, ContextHandle, DeviceAttribute, DeviceHandle, DevicePtr, Error, EventFlags,
    EventHandle, FunctionAttribute, FunctionHandle, GraphExecHandle, GraphHandle, GraphNodeHandle,
    HostMallocFlags, LaunchConfig, MemPoolAttribute, MemPoolHandle, MemcpyKind, ModuleHandle,
    ProviderInfo, Result, StreamFlags, StreamHandle, Uuid,
};

/// The HIP runtime: one method a function, with typed results.
///
/// Implementations are thread-safe, as HIP is. Methods that act on "the
/// current context" say so; the owning handles of this crate set it for them.
/// A function that the provider lacks answers `hipErrorNotSupported` with a
/// detail that names the missing symbol; nothing else is affected.
///
/// # Safety
///
/// One contract for every `unsafe` method: each handle passed was returned by
/// the *same* provider, is of the kind its type says, and has not been
/// destroyed; a destroying method is called once per handle; and memory that
/// a call was given by host pointer is valid for its stated length while the
/// call runs (asynchronous calls take device addresses only, which are
/// checked by the device). Methods with demands of their own list them.
#[expect(
    clippy::missing_safety_doc,
    reason = "the contract is the same for every method and stands on the trait"
)]
pub trait Api: Send + Sync {
    /// Who answers.
    fn provider(&self) -> &ProviderInfo;

    /// `hipInit(0)`. Harmless when repeated.
    fn init(&self) -> Result<()>;
    /// `hipRuntimeGetVersion`.
    fn runtime_version(&self) -> Result<i32>;
    /// `hipGetLastError`: takes and clears the calling thread's sticky error.
    fn take_last_error(&self) -> Code;

    /// `hipGetDeviceCount`. No device is a count of 0, not an error.
    fn device_count(&self) -> Result<u32>;
    /// `hipDeviceGet`.
    fn device(&self, ordinal: u32) -> Result<DeviceHandle>;
    /// `hipDeviceGetName`.
    fn device_name(&self, device: DeviceHandle) -> Result<String>;
    /// `hipDeviceGetUuid`.
    fn device_uuid(&self, device: DeviceHandle) -> Result<Uuid>;
    /// The target architecture, such as `gfx1100` or `gfx942:sramecc+:xnack-`,
    /// from `hipGetDeviceProperties` in whichever layout the library has.
    fn device_arch(&self, device: DeviceHandle) -> Result<String>;
    /// `hipDeviceTotalMem`, in bytes.
    fn device_total_memory(&self, device: DeviceHandle) -> Result<u64>;
    /// `hipDeviceGetAttribute`.
    fn device_attribute(&self, attribute: DeviceAttribute, device: DeviceHandle) -> Result<i32>;
    /// `hipDeviceCanAccessPeer`.
    fn device_can_access_peer(&self, device: DeviceHandle, peer: DeviceHandle) -> Result<bool>;
    /// `hipDeviceEnablePeerAccess` from the current context's device.
    fn enable_peer_access(&self, peer: DeviceHandle) -> Result<()>;

    /// `hipDevicePrimaryCtxRetain`.
    fn primary_context_retain(&self, device: DeviceHandle) -> Result<ContextHandle>;
    /// `hipDevicePrimaryCtxRelease`.
    unsafe fn primary_context_release(&self, device: DeviceHandle) -> Result<()>;
    /// `hipCtxGetCurrent`: the calling thread's current context; null when none is.
    fn context_current(&self) -> Result<ContextHandle>;
    /// `hipCtxSetCurrent` on the calling thread; null leaves none (or, where
    /// the library knows devices only, the one that is current).
    ///
    /// There is no push and pop: AMD's `hipCtxPopCurrent` does not restore
    /// the device that was current before the push.
    unsafe fn context_set_current(&self, context: ContextHandle) -> Result<()>;

    /// `hipStreamCreateWithFlags` in the current context.
    fn stream_create(&self, flags: StreamFlags) -> Result<StreamHandle>;
    /// `hipStreamDestroy`. Work already submitted still runs.
    unsafe fn stream_destroy(&self, stream: StreamHandle) -> Result<()>;
    /// `hipStreamSynchronize`. Returns the error of any work that failed.
    unsafe fn stream_synchronize(&self, stream: StreamHandle) -> Result<()>;
    /// `hipStreamQuery`: whether all submitted work has finished.
    unsafe fn stream_query(&self, stream: StreamHandle) -> Result<bool>;
    /// `hipStreamWaitEvent(flags = 0)`.
    unsafe fn stream_wait_event(&self, stream: StreamHandle, event: EventHandle) -> Result<()>;
    /// `hipLaunchHostFunc` (or `hipStreamAddCallback` where it is missing).
    /// `function` runs on a thread of the provider and must not call HIP. It
    /// is dropped uncalled if work before it failed.
    unsafe fn launch_host_function(
        &self,
        stream: StreamHandle,
        function: Box<dyn FnOnce() + Send>,
    ) -> Result<()>;

    /// `hipEventCreateWithFlags` in the current context.
    fn event_create(&self, flags: EventFlags) -> Result<EventHandle>;
    /// `hipEventDestroy`.
    unsafe fn event_destroy(&self, event: EventHandle) -> Result<()>;
    /// `hipEventRecord`.
    unsafe fn event_record(&self, event: EventHandle, stream: StreamHandle) -> Result<()>;
    /// `hipEventQuery`: whether the last recorded point has been passed; true
    /// for an event never recorded. Fails if work before the point failed.
    unsafe fn event_query(&self, event: EventHandle) -> Result<bool>;
    /// `hipEventSynchronize`. Fails if work before the point failed.
    unsafe fn event_synchronize(&self, event: EventHandle) -> Result<()>;
    /// `hipEventElapsedTime`, in milliseconds.
    unsafe fn event_elapsed_ms(&self, start: EventHandle, stop: EventHandle) -> Result<f32>;

    /// `hipMalloc`, `bytes` > 0.
    fn malloc(&self, bytes: u64) -> Result<DevicePtr>;
    /// `hipMallocManaged(hipMemAttachGlobal)`: the address is valid on host and device.
    fn malloc_managed(&self, bytes: u64) -> Result<DevicePtr>;
    /// `hipFree`. Waits for the device.
    unsafe fn free(&self, ptr: DevicePtr) -> Result<()>;
    /// `hipHostMalloc`: page-locked host memory, uninitialised.
    fn host_malloc(&self, bytes: u64, flags: HostMallocFlags) -> Result<NonNull<u8>>;
    /// `hipHostFree`.
    unsafe fn host_free(&self, ptr: NonNull<u8>) -> Result<()>;
    /// `hipHostRegister`. The memory must stay mapped until it is unregistered.
    unsafe fn host_register(
        &self,
        ptr: NonNull<u8>,
        bytes: u64,
        flags: HostMallocFlags,
    ) -> Result<()>;
    /// `hipHostUnregister`.
    unsafe fn host_unregister(&self, ptr: NonNull<u8>) -> Result<()>;
    /// `hipHostGetDevicePointer` of mapped or registered host memory.
    unsafe fn host_device_pointer(&self, ptr: NonNull<u8>) -> Result<DevicePtr>;
    /// `hipMemPrefetchAsync` of managed memory to a device.
    unsafe fn mem_prefetch_async(
        &self,
        ptr: DevicePtr,
        bytes: u64,
        device: DeviceHandle,
        stream: StreamHandle,
    ) -> Result<()>;

    /// `hipMallocAsync`.
    unsafe fn malloc_async(&self, bytes: u64, stream: StreamHandle) -> Result<DevicePtr>;
    /// `hipMallocFromPoolAsync`.
    unsafe fn malloc_from_pool_async(
        &self,
        bytes: u64,
        pool: MemPoolHandle,
        stream: StreamHandle,
    ) -> Result<DevicePtr>;
    /// `hipFreeAsync`.
    unsafe fn free_async(&self, ptr: DevicePtr, stream: StreamHandle) -> Result<()>;
    /// `hipMemPoolCreate` of pinned memory on `device`.
    fn mem_pool_create(&self, device: DeviceHandle) -> Result<MemPoolHandle>;
    /// `hipMemPoolDestroy`.
    unsafe fn mem_pool_destroy(&self, pool: MemPoolHandle) -> Result<()>;
    /// `hipMemPoolGetAttribute`.
    unsafe fn mem_pool_attribute(
        &self,
        pool: MemPoolHandle,
        attribute: MemPoolAttribute,
    ) -> Result<u64>;
    /// `hipMemPoolSetAttribute`.
    unsafe fn mem_pool_set_attribute(
        &self,
        pool: MemPoolHandle,
        attribute: MemPoolAttribute,
        value: u64,
    ) -> Result<()>;
    /// `hipMemPoolTrimTo`: keep at least `bytes` reserved.
    unsafe fn mem_pool_trim_to(&self, pool: MemPoolHandle, bytes: u64) -> Result<()>;

    /// `hipMemcpy` to the device; returns when the bytes have been taken.
    fn memcpy_htod(&self, dst: DevicePtr, src: &[u8]) -> Result<()>;
    /// `hipMemcpy` from the device, after all earlier work on the default stream.
    fn memcpy_dtoh(&self, dst: &mut [u8], src: DevicePtr) -> Result<()>;
    /// `hipMemcpyAsync` between two addresses that the device can reach.
    unsafe fn memcpy_async(
        &self,
        dst: DevicePtr,
        src: DevicePtr,
        bytes: u64,
        kind: MemcpyKind,
        stream: StreamHandle,
    ) -> Result<()>;
    /// `hipMemsetD8Async`; `count` is in elements.
    unsafe fn memset_d8_async(
        &self,
        dst: DevicePtr,
        value: u8,
        count: u64,
        stream: StreamHandle,
    ) -> Result<()>;
    /// `hipMemsetD16Async`; `count` is in elements, `dst` a multiple of 2.
    unsafe fn memset_d16_async(
        &self,
        dst: DevicePtr,
        value: u16,
        count: u64,
        stream: StreamHandle,
    ) -> Result<()>;
    /// `hipMemsetD32Async`; `count` is in elements, `dst` a multiple of 4.
    unsafe fn memset_d32_async(
        &self,
        dst: DevicePtr,
        value: u32,
        count: u64,
        stream: StreamHandle,
    ) -> Result<()>;

    /// `hipModuleLoadDataEx` with an error log. The image is copied.
    ///
    /// # Safety
    ///
    /// The image is device code that will run: the caller vouches for it.
    unsafe fn module_load(&self, image: &[u8]) -> Result<ModuleHandle>;
    /// `hipModuleUnload`.
    unsafe fn module_unload(&self, module: ModuleHandle) -> Result<()>;
    /// `hipModuleGetFunction`.
    unsafe fn module_function(&self, module: ModuleHandle, name: &str) -> Result<FunctionHandle>;
    /// `hipModuleGetGlobal`: address and size in bytes.
    unsafe fn module_global(&self, module: ModuleHandle, name: &str) -> Result<(DevicePtr, u64)>;
    /// `hipFuncGetAttribute`.
    unsafe fn function_attribute(
        &self,
        function: FunctionHandle,
        attribute: FunctionAttribute,
    ) -> Result<i32>;
    /// `hipFuncSetAttribute`.
    unsafe fn function_set_attribute(
        &self,
        function: FunctionHandle,
        attribute: FunctionAttribute,
        value: i32,
    ) -> Result<()>;
    /// Not of HIP, and only of providers that check bindings
    /// ([`ProviderInfo::checks_bindings`]): another handle of `function`, whose
    /// launches are bound to `bindings`, by number. Launches and graph nodes
    /// made with it keep them when it is unbound.
    unsafe fn function_bind(
        &self,
        function: FunctionHandle,
        bindings: &[BoundRange],
    ) -> Result<FunctionHandle> {
        let _ = (function, bindings);
        let detail = "this provider does not check what launches access";
        Err(Error::with_detail(
            Code::NOT_SUPPORTED,
            "function_bind",
            detail,
        ))
    }
    /// Gives back a handle of [`Api::function_bind`].
    unsafe fn function_unbind(&self, function: FunctionHandle) -> Result<()> {
        let _ = function;
        let detail = "this provider does not check what launches access";
        Err(Error::with_detail(
            Code::NOT_SUPPORTED,
            "function_unbind",
            detail,
        ))
    }
    /// `hipModuleLaunchKernel`. `kernarg` is the explicit kernel argument
    /// segment, laid out as the code object's metadata says; it is copied.
    unsafe fn launch_kernel(
        &self,
        function: FunctionHandle,
        config: &LaunchConfig,
        stream: StreamHandle,
        kernarg: &[u8],
    ) -> Result<()>;

    /// `hipGraphCreate(flags = 0)`.
    fn graph_create(&self) -> Result<GraphHandle>;
    /// `hipGraphDestroy`.
    unsafe fn graph_destroy(&self, graph: GraphHandle) -> Result<()>;
    /// `hipGraphAddEmptyNode`.
    unsafe fn graph_add_empty(
        &self,
        graph: GraphHandle,
        dependencies: &[GraphNodeHandle],
    ) -> Result<GraphNodeHandle>;
    /// `hipGraphAddKernelNode`. `kernarg` is copied.
    unsafe fn graph_add_kernel(
        &self,
        graph: GraphHandle,
        dependencies: &[GraphNodeHandle],
        function: FunctionHandle,
        config: &LaunchConfig,
        kernarg: &[u8],
    ) -> Result<GraphNodeHandle>;
    /// `hipGraphAddMemsetNode`: `count` elements of `element_bytes` (1, 2 or
    /// 4), `value` splatted to 32 bits.
    unsafe fn graph_add_memset(
        &self,
        graph: GraphHandle,
        dependencies: &[GraphNodeHandle],
        dst: DevicePtr,
        value: u32,
        element_bytes: u32,
        count: u64,
    ) -> Result<GraphNodeHandle>;
    /// `hipDrvGraphAddMemcpyNode` (or `hipGraphAddMemcpyNode1D` where it is
    /// missing) in the given context, between two addresses that the device
    /// can reach.
    #[expect(clippy::too_many_arguments, reason = "the C function's own parameters")]
    unsafe fn graph_add_memcpy(
        &self,
        graph: GraphHandle,
        dependencies: &[GraphNodeHandle],
        dst: DevicePtr,
        src: DevicePtr,
        bytes: u64,
        kind: MemcpyKind,
        context: ContextHandle,
    ) -> Result<GraphNodeHandle>;
    /// `hipGraphAddEventRecordNode`.
    unsafe fn graph_add_event_record(
        &self,
        graph: GraphHandle,
        dependencies: &[GraphNodeHandle],
        event: EventHandle,
    ) -> Result<GraphNodeHandle>;
    /// `hipGraphInstantiate`.
    unsafe fn graph_instantiate(&self, graph: GraphHandle) -> Result<GraphExecHandle>;
    /// `hipGraphExecDestroy`. A launch under way finishes first.
    unsafe fn graph_exec_destroy(&self, exec: GraphExecHandle) -> Result<()>;
    /// `hipGraphExecKernelNodeSetParams`: new arguments for one kernel node,
    /// for the launches to come. The graph it was made from must still exist.
    unsafe fn graph_exec_set_kernel(
        &self,
        exec: GraphExecHandle,
        node: GraphNodeHandle,
        function: FunctionHandle,
        config: &LaunchConfig,
        kernarg: &[u8],
    ) -> Result<()>;
    /// `hipGraphExecMemsetNodeSetParams`: another fill for one memset node.
    unsafe fn graph_exec_set_memset(
        &self,
        exec: GraphExecHandle,
        node: GraphNodeHandle,
        dst: DevicePtr,
        value: u32,
        element_bytes: u32,
        count: u64,
    ) -> Result<()>;
    /// `hipDrvGraphExecMemcpyNodeSetParams` (or, for nodes added by
    /// `hipGraphAddMemcpyNode1D`, the 1D form): another copy for one node.
    #[expect(clippy::too_many_arguments, reason = "the C function's own parameters")]
    unsafe fn graph_exec_set_memcpy(
        &self,
        exec: GraphExecHandle,
        node: GraphNodeHandle,
        dst: DevicePtr,
        src: DevicePtr,
        bytes: u64,
        kind: MemcpyKind,
        context: ContextHandle,
    ) -> Result<()>;
    /// `hipGraphLaunch`.
    unsafe fn graph_launch(&self, exec: GraphExecHandle, stream: StreamHandle) -> Result<()>;
}
