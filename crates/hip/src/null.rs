//! The provider that does nothing, successfully.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::collections::BTreeMap;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{
    Api, Code, ContextHandle, DeviceAttribute, DeviceFamily, DeviceHandle, DevicePtr, Error,
    EventFlags, EventHandle, FunctionAttribute, FunctionHandle, GraphExecHandle, GraphHandle,
    GraphNodeHandle, HostMallocFlags, LaunchConfig, MemPoolAttribute, MemPoolHandle, MemcpyKind,
    ModuleHandle, ProviderInfo, Result, StreamFlags, StreamHandle, Uuid, attributes,
};

/// A provider with one device, `null`, on which every call succeeds at once
/// and no work is done.
///
/// Submitting (launches, copies, fills, events, graphs) costs nothing: no
/// allocation and no lock, so that the cost of submission above it can be
/// measured. Host and managed memory is real and zeroed; device memory is an
/// address without bytes behind it, which reads as zeros and whose bounds are
/// checked by the synchronous copies.
pub fn null() -> Arc<dyn Api> {
    null_with(NullOptions::default())
}

/// As [`null`], with other devices.
pub fn null_with(options: NullOptions) -> Arc<dyn Api> {
    Arc::new(Null {
        options,
        info: ProviderInfo {
            name: "null",
            library: None,
            family: DeviceFamily::HIP,
            checks_memory: false,
            relaunches_graphs: true,
            launches_take_long: false,
            checks_bindings: false,
        },
        next_handle: AtomicUsize::new(FIRST_HANDLE),
        next_address: AtomicU64::new(FIRST_ADDRESS),
        allocations: Mutex::new(BTreeMap::new()),
    })
}

/// What devices [`null_with`] has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NullOptions {
    /// How many. The UUID of a device is its ordinal in the last byte.
    pub devices: u32,
    /// Attributes that differ from a gfx1100's, on every device.
    pub attributes: Vec<(DeviceAttribute, i32)>,
}

impl Default for NullOptions {
    fn default() -> Self {
        Self {
            devices: 1,
            attributes: Vec::new(),
        }
    }
}

const CONTEXT: ContextHandle = ContextHandle(1);
const FIRST_HANDLE: usize = 2;
/// Away from what Linux gives to processes as a rule, and from what a pair of
/// small 32-bit constants looks like. Never dereferenced.
const FIRST_ADDRESS: u64 = 0x1000_0000_0000;
const ALIGNMENT: u64 = 256;
const TOTAL_MEMORY: u64 = 1 << 40;

struct Null {
    info: ProviderInfo,
    options: NullOptions,
    next_handle: AtomicUsize,
    next_address: AtomicU64,
    allocations: Mutex<BTreeMap<u64, Allocation>>,
}

struct Allocation {
    bytes: u64,
    /// How to free the bytes, if there are any.
    real: Option<Layout>,
}

impl Null {
    fn handle(&self) -> usize {
        self.next_handle.fetch_add(1, Ordering::Relaxed)
    }

    fn allocations(&self) -> MutexGuard<'_, BTreeMap<u64, Allocation>> {
        self.allocations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn allocate_address(&self, bytes: u64, call: &'static str) -> Result<DevicePtr> {
        let span = bytes
            .max(1)
            .checked_next_multiple_of(ALIGNMENT)
            .filter(|span| *span <= TOTAL_MEMORY)
            .ok_or_else(|| Error::new(Code::OUT_OF_MEMORY, call))?;
        let address = self.next_address.fetch_add(span, Ordering::Relaxed);
        self.allocations()
            .insert(address, Allocation { bytes, real: None });
        Ok(DevicePtr(address))
    }

    fn allocate_real(&self, bytes: u64, call: &'static str) -> Result<NonNull<u8>> {
        let out_of_memory = || Error::new(Code::OUT_OF_MEMORY, call);
        let layout = usize::try_from(bytes.max(1))
            .ok()
            .and_then(|bytes| Layout::from_size_align(bytes, ALIGNMENT as usize).ok())
            .ok_or_else(out_of_memory)?;
        // SAFETY: the layout is not empty.
        let ptr = NonNull::new(unsafe { alloc_zeroed(layout) }).ok_or_else(out_of_memory)?;
        let real = Some(layout);
        self.allocations().insert(
            ptr.as_ptr().expose_provenance() as u64,
            Allocation { bytes, real },
        );
        Ok(ptr)
    }

    fn free_address(&self, address: u64, call: &'static str) -> Result<()> {
        let Some(allocation) = self.allocations().remove(&address) else {
            return Err(Error::new(Code::INVALID_VALUE, call));
        };
        allocation.release(address);
        Ok(())
    }

    /// The real bytes at an address: `None` inside memory that has none.
    fn find(&self, ptr: DevicePtr, bytes: usize, call: &'static str) -> Result<Option<*mut u8>> {
        let allocations = self.allocations();
        let found = allocations.range(..=ptr.0).next_back();
        match found {
            Some((base, allocation)) if ptr.0 - base + bytes as u64 <= allocation.bytes => {
                let real = allocation.real.is_some();
                Ok(real.then(|| std::ptr::with_exposed_provenance_mut(ptr.0 as usize)))
            }
            _ => Err(Error::with_detail(
                Code::INVALID_VALUE,
                call,
                format!("{bytes} bytes at {ptr:?} are not in one allocation"),
            )),
        }
    }
}

impl Allocation {
    fn release(&self, address: u64) {
        if let Some(layout) = self.real {
            let ptr = std::ptr::with_exposed_provenance_mut(address as usize);
            // SAFETY: allocated with this layout, and no longer registered.
            unsafe { dealloc(ptr, layout) };
        }
    }
}

impl Drop for Null {
    fn drop(&mut self) {
        for (address, allocation) in std::mem::take(&mut *self.allocations()) {
            allocation.release(address);
        }
    }
}

impl Api for Null {
    fn provider(&self) -> &ProviderInfo {
        &self.info
    }

    fn init(&self) -> Result<()> {
        Ok(())
    }
    fn runtime_version(&self) -> Result<i32> {
        Ok(0)
    }
    fn take_last_error(&self) -> Code {
        Code::SUCCESS
    }

    fn device_count(&self) -> Result<u32> {
        Ok(self.options.devices)
    }
    fn device(&self, ordinal: u32) -> Result<DeviceHandle> {
        if ordinal < self.options.devices {
            Ok(DeviceHandle(ordinal as i32))
        } else {
            Err(Error::new(Code::INVALID_DEVICE, "hipDeviceGet"))
        }
    }
    fn device_name(&self, _: DeviceHandle) -> Result<String> {
        Ok("null".to_owned())
    }
    fn device_uuid(&self, device: DeviceHandle) -> Result<Uuid> {
        let mut bytes = [0; 16];
        bytes[15] = device.0 as u8;
        Ok(Uuid(bytes))
    }
    fn device_arch(&self, _: DeviceHandle) -> Result<String> {
        Ok("gfx1100".to_owned())
    }
    fn device_total_memory(&self, _: DeviceHandle) -> Result<u64> {
        Ok(TOTAL_MEMORY)
    }
    fn device_attribute(&self, attribute: DeviceAttribute, _: DeviceHandle) -> Result<i32> {
        let chosen = self.options.attributes.iter();
        let chosen = chosen.rev().find(|row| row.0 == attribute);
        Ok(chosen.map_or_else(|| attributes::gfx1100(attribute), |row| row.1))
    }
    fn device_can_access_peer(&self, _: DeviceHandle, _: DeviceHandle) -> Result<bool> {
        Ok(false)
    }
    fn enable_peer_access(&self, _: DeviceHandle) -> Result<()> {
        Err(Error::new(
            Code::PEER_ACCESS_UNSUPPORTED,
            "hipDeviceEnablePeerAccess",
        ))
    }

    fn primary_context_retain(&self, _: DeviceHandle) -> Result<ContextHandle> {
        Ok(CONTEXT)
    }
    unsafe fn primary_context_release(&self, _: DeviceHandle) -> Result<()> {
        Ok(())
    }
    fn context_current(&self) -> Result<ContextHandle> {
        Ok(CONTEXT)
    }
    unsafe fn context_set_current(&self, _: ContextHandle) -> Result<()> {
        Ok(())
    }

    fn stream_create(&self, _: StreamFlags) -> Result<StreamHandle> {
        Ok(StreamHandle(self.handle()))
    }
    unsafe fn stream_destroy(&self, _: StreamHandle) -> Result<()> {
        Ok(())
    }
    unsafe fn stream_synchronize(&self, _: StreamHandle) -> Result<()> {
        Ok(())
    }
    unsafe fn stream_query(&self, _: StreamHandle) -> Result<bool> {
        Ok(true)
    }
    unsafe fn stream_wait_event(&self, _: StreamHandle, _: EventHandle) -> Result<()> {
        Ok(())
    }
    unsafe fn launch_host_function(
        &self,
        _: StreamHandle,
        function: Box<dyn FnOnce() + Send>,
    ) -> Result<()> {
        // Earlier work is always done.
        function();
        Ok(())
    }

    fn event_create(&self, _: EventFlags) -> Result<EventHandle> {
        Ok(EventHandle(self.handle()))
    }
    unsafe fn event_destroy(&self, _: EventHandle) -> Result<()> {
        Ok(())
    }
    unsafe fn event_record(&self, _: EventHandle, _: StreamHandle) -> Result<()> {
        Ok(())
    }
    unsafe fn event_query(&self, _: EventHandle) -> Result<bool> {
        Ok(true)
    }
    unsafe fn event_synchronize(&self, _: EventHandle) -> Result<()> {
        Ok(())
    }
    unsafe fn event_elapsed_ms(&self, _: EventHandle, _: EventHandle) -> Result<f32> {
        Ok(0.0)
    }

    fn malloc(&self, bytes: u64) -> Result<DevicePtr> {
        self.allocate_address(bytes, "hipMalloc")
    }
    fn malloc_managed(&self, bytes: u64) -> Result<DevicePtr> {
        let ptr = self.allocate_real(bytes, "hipMallocManaged")?;
        Ok(DevicePtr(ptr.addr().get() as u64))
    }
    unsafe fn free(&self, ptr: DevicePtr) -> Result<()> {
        self.free_address(ptr.0, "hipFree")
    }
    fn host_malloc(&self, bytes: u64, _: HostMallocFlags) -> Result<NonNull<u8>> {
        self.allocate_real(bytes, "hipHostMalloc")
    }
    unsafe fn host_free(&self, ptr: NonNull<u8>) -> Result<()> {
        self.free_address(ptr.addr().get() as u64, "hipHostFree")
    }
    unsafe fn host_register(&self, _: NonNull<u8>, _: u64, _: HostMallocFlags) -> Result<()> {
        Ok(())
    }
    unsafe fn host_unregister(&self, _: NonNull<u8>) -> Result<()> {
        Ok(())
    }
    unsafe fn host_device_pointer(&self, ptr: NonNull<u8>) -> Result<DevicePtr> {
        Ok(DevicePtr(ptr.addr().get() as u64))
    }
    unsafe fn mem_prefetch_async(
        &self,
        _: DevicePtr,
        _: u64,
        _: DeviceHandle,
        _: StreamHandle,
    ) -> Result<()> {
        Ok(())
    }

    unsafe fn malloc_async(&self, bytes: u64, _: StreamHandle) -> Result<DevicePtr> {
        self.allocate_address(bytes, "hipMallocAsync")
    }
    unsafe fn malloc_from_pool_async(
        &self,
        bytes: u64,
        _: MemPoolHandle,
        _: StreamHandle,
    ) -> Result<DevicePtr> {
        self.allocate_address(bytes, "hipMallocFromPoolAsync")
    }
    unsafe fn free_async(&self, ptr: DevicePtr, _: StreamHandle) -> Result<()> {
        self.free_address(ptr.0, "hipFreeAsync")
    }
    fn mem_pool_create(&self, _: DeviceHandle) -> Result<MemPoolHandle> {
        Ok(MemPoolHandle(self.handle()))
    }
    unsafe fn mem_pool_destroy(&self, _: MemPoolHandle) -> Result<()> {
        Ok(())
    }
    unsafe fn mem_pool_attribute(&self, _: MemPoolHandle, _: MemPoolAttribute) -> Result<u64> {
        Ok(0)
    }
    unsafe fn mem_pool_set_attribute(
        &self,
        _: MemPoolHandle,
        _: MemPoolAttribute,
        _: u64,
    ) -> Result<()> {
        Ok(())
    }
    unsafe fn mem_pool_trim_to(&self, _: MemPoolHandle, _: u64) -> Result<()> {
        Ok(())
    }

    fn memcpy_htod(&self, dst: DevicePtr, src: &[u8]) -> Result<()> {
        if let Some(real) = self.find(dst, src.len(), "hipMemcpy")? {
            // SAFETY: in bounds of live memory that no slice points into.
            unsafe { std::ptr::copy_nonoverlapping(src.as_ptr(), real, src.len()) };
        }
        Ok(())
    }
    fn memcpy_dtoh(&self, dst: &mut [u8], src: DevicePtr) -> Result<()> {
        match self.find(src, dst.len(), "hipMemcpy")? {
            // SAFETY: in bounds of live memory that no slice points into.
            Some(real) => unsafe {
                std::ptr::copy_nonoverlapping(real, dst.as_mut_ptr(), dst.len());
            },
            None => dst.fill(0),
        }
        Ok(())
    }
    unsafe fn memcpy_async(
        &self,
        _: DevicePtr,
        _: DevicePtr,
        _: u64,
        _: MemcpyKind,
        _: StreamHandle,
    ) -> Result<()> {
        Ok(())
    }
    unsafe fn memset_d8_async(&self, _: DevicePtr, _: u8, _: u64, _: StreamHandle) -> Result<()> {
        Ok(())
    }
    unsafe fn memset_d16_async(&self, _: DevicePtr, _: u16, _: u64, _: StreamHandle) -> Result<()> {
        Ok(())
    }
    unsafe fn memset_d32_async(&self, _: DevicePtr, _: u32, _: u64, _: StreamHandle) -> Result<()> {
        Ok(())
    }

    unsafe fn module_load(&self, _: &[u8]) -> Result<ModuleHandle> {
        Ok(ModuleHandle(self.handle()))
    }
    unsafe fn module_unload(&self, _: ModuleHandle) -> Result<()> {
        Ok(())
    }
    unsafe fn module_function(&self, _: ModuleHandle, _: &str) -> Result<FunctionHandle> {
        Ok(FunctionHandle(self.handle()))
    }
    unsafe fn module_global(&self, _: ModuleHandle, _: &str) -> Result<(DevicePtr, u64)> {
        Err(Error::new(Code::NOT_FOUND, "hipModuleGetGlobal"))
    }
    unsafe fn function_attribute(
        &self,
        _: FunctionHandle,
        attribute: FunctionAttribute,
    ) -> Result<i32> {
        Ok(match attribute {
            FunctionAttribute::MaxThreadsPerBlock => {
                attributes::gfx1100(DeviceAttribute::MaxThreadsPerBlock)
            }
            FunctionAttribute::SharedSizeBytes => 0,
            FunctionAttribute::MaxDynamicSharedSizeBytes => {
                attributes::gfx1100(DeviceAttribute::MaxSharedMemoryPerBlock)
            }
        })
    }
    unsafe fn function_set_attribute(
        &self,
        _: FunctionHandle,
        _: FunctionAttribute,
        _: i32,
    ) -> Result<()> {
        Ok(())
    }
    unsafe fn launch_kernel(
        &self,
        _: FunctionHandle,
        _: &LaunchConfig,
        _: StreamHandle,
        _: &[u8],
    ) -> Result<()> {
        Ok(())
    }

    fn graph_create(&self) -> Result<GraphHandle> {
        Ok(GraphHandle(self.handle()))
    }
    unsafe fn graph_destroy(&self, _: GraphHandle) -> Result<()> {
        Ok(())
    }
    unsafe fn graph_add_empty(
        &self,
        _: GraphHandle,
        _: &[GraphNodeHandle],
    ) -> Result<GraphNodeHandle> {
        Ok(GraphNodeHandle(self.handle()))
    }
    unsafe fn graph_add_kernel(
        &self,
        _: GraphHandle,
        _: &[GraphNodeHandle],
        _: FunctionHandle,
        _: &LaunchConfig,
        _: &[u8],
    ) -> Result<GraphNodeHandle> {
        Ok(GraphNodeHandle(self.handle()))
    }
    unsafe fn graph_add_memset(
        &self,
        _: GraphHandle,
        _: &[GraphNodeHandle],
        _: DevicePtr,
        _: u32,
        _: u32,
        _: u64,
    ) -> Result<GraphNodeHandle> {
        Ok(GraphNodeHandle(self.handle()))
    }
    unsafe fn graph_add_memcpy(
        &self,
        _: GraphHandle,
        _: &[GraphNodeHandle],
        _: DevicePtr,
        _: DevicePtr,
        _: u64,
        _: MemcpyKind,
        _: ContextHandle,
    ) -> Result<GraphNodeHandle> {
        Ok(GraphNodeHandle(self.handle()))
    }
    unsafe fn graph_add_event_record(
        &self,
        _: GraphHandle,
        _: &[GraphNodeHandle],
        _: EventHandle,
    ) -> Result<GraphNodeHandle> {
        Ok(GraphNodeHandle(self.handle()))
    }
    unsafe fn graph_instantiate(&self, _: GraphHandle) -> Result<GraphExecHandle> {
        Ok(GraphExecHandle(self.handle()))
    }
    unsafe fn graph_exec_destroy(&self, _: GraphExecHandle) -> Result<()> {
        Ok(())
    }
    unsafe fn graph_exec_set_kernel(
        &self,
        _: GraphExecHandle,
        _: GraphNodeHandle,
        _: FunctionHandle,
        _: &LaunchConfig,
        _: &[u8],
    ) -> Result<()> {
        Ok(())
    }
    unsafe fn graph_exec_set_memset(
        &self,
        _: GraphExecHandle,
        _: GraphNodeHandle,
        _: DevicePtr,
        _: u32,
        _: u32,
        _: u64,
    ) -> Result<()> {
        Ok(())
    }
    unsafe fn graph_exec_set_memcpy(
        &self,
        _: GraphExecHandle,
        _: GraphNodeHandle,
        _: DevicePtr,
        _: DevicePtr,
        _: u64,
        _: MemcpyKind,
        _: ContextHandle,
    ) -> Result<()> {
        Ok(())
    }
    unsafe fn graph_launch(&self, _: GraphExecHandle, _: StreamHandle) -> Result<()> {
        Ok(())
    }
}
