//! The CUDA driver functions that a library is asked for: one table, a row a
//! symbol.
//!
//! A name of the driver keeps its arguments for ever; what changed got a new
//! name with `_v2`, and C programs reach that by a macro, which a look-up does
//! not see. `cuMemAlloc` without it is for 32-bit addresses. Each row names the
//! form that is called, and the oldest that will do, so that old drivers do.

use std::ffi::{c_char, c_int, c_uint, c_void};

use super::abi::{KernelNodeParams, MemPoolProps, Memcpy3D, MemsetParams};
use crate::symbols::{Need, Symbol, SymbolRow, missing_required, symbols};
use crate::{
    ContextHandle, DevicePtr, EventHandle, FunctionHandle, GraphExecHandle, GraphHandle,
    GraphNodeHandle, MemPoolHandle, ModuleHandle, StreamHandle,
};

/// `CUhostFn`.
pub(super) type HostFunction = unsafe extern "C" fn(*mut c_void);
/// `CUstreamCallback`.
pub(super) type StreamCallback = unsafe extern "C" fn(StreamHandle, c_int, *mut c_void);
/// `CUlinkState`.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(super) struct LinkState(pub(super) usize);

symbols! {
    /// Every function of CUDA's driver interface that we call.
    CUDA_SYMBOLS;

    required init ["cuInit"] (c_uint);
    required driver_version ["cuDriverGetVersion"] (*mut c_int);
    optional error_name ["cuGetErrorName"] (c_int, *mut *const c_char);
    optional error_string ["cuGetErrorString"] (c_int, *mut *const c_char);

    required device_count ["cuDeviceGetCount"] (*mut c_int);
    required device ["cuDeviceGet"] (*mut c_int, c_int);
    required device_name ["cuDeviceGetName"] (*mut c_char, c_int, c_int);
    // The second one tells the slices of a partitioned GPU apart.
    required device_uuid ["cuDeviceGetUuid_v2", "cuDeviceGetUuid"] (*mut [u8; 16], c_int);
    required device_total_memory ["cuDeviceTotalMem_v2"] (*mut usize, c_int);
    required device_attribute ["cuDeviceGetAttribute"] (*mut c_int, c_int, c_int);
    optional can_access_peer ["cuDeviceCanAccessPeer"] (*mut c_int, c_int, c_int);
    optional enable_peer_access ["cuCtxEnablePeerAccess"] (ContextHandle, c_uint);

    required primary_context_retain ["cuDevicePrimaryCtxRetain"] (*mut ContextHandle, c_int);
    required primary_context_release
        ["cuDevicePrimaryCtxRelease_v2", "cuDevicePrimaryCtxRelease"] (c_int);
    required context_current ["cuCtxGetCurrent"] (*mut ContextHandle);
    required context_set_current ["cuCtxSetCurrent"] (ContextHandle);
    required context_device ["cuCtxGetDevice"] (*mut c_int);

    required stream_create ["cuStreamCreate"] (*mut StreamHandle, c_uint);
    required stream_destroy ["cuStreamDestroy_v2"] (StreamHandle);
    required stream_synchronize ["cuStreamSynchronize"] (StreamHandle);
    required stream_query ["cuStreamQuery"] (StreamHandle);
    required stream_wait_event ["cuStreamWaitEvent"] (StreamHandle, EventHandle, c_uint);
    // It tells of failed work; cuLaunchHostFunc is silent then, and what the
    // function holds would be lost.
    required stream_add_callback
        ["cuStreamAddCallback"] (StreamHandle, StreamCallback, *mut c_void, c_uint);
    fallback("cuStreamAddCallback") launch_host_function
        ["cuLaunchHostFunc"] (StreamHandle, HostFunction, *mut c_void);

    required event_create ["cuEventCreate"] (*mut EventHandle, c_uint);
    required event_destroy ["cuEventDestroy_v2"] (EventHandle);
    required event_record ["cuEventRecord"] (EventHandle, StreamHandle);
    required event_query ["cuEventQuery"] (EventHandle);
    required event_synchronize ["cuEventSynchronize"] (EventHandle);
    optional event_elapsed_time
        ["cuEventElapsedTime_v2", "cuEventElapsedTime"] (*mut f32, EventHandle, EventHandle);

    required malloc ["cuMemAlloc_v2"] (*mut DevicePtr, usize);
    optional malloc_managed ["cuMemAllocManaged"] (*mut DevicePtr, usize, c_uint);
    required free ["cuMemFree_v2"] (DevicePtr);
    required host_malloc ["cuMemHostAlloc"] (*mut *mut u8, usize, c_uint);
    required host_free ["cuMemFreeHost"] (*mut u8);
    optional host_register ["cuMemHostRegister_v2"] (*mut u8, usize, c_uint);
    optional host_unregister ["cuMemHostUnregister"] (*mut u8);
    required host_device_pointer
        ["cuMemHostGetDevicePointer_v2"] (*mut DevicePtr, *mut u8, c_uint);
    optional mem_prefetch_async ["cuMemPrefetchAsync"] (DevicePtr, usize, c_int, StreamHandle);

    optional malloc_async ["cuMemAllocAsync"] (*mut DevicePtr, usize, StreamHandle);
    optional malloc_from_pool_async
        ["cuMemAllocFromPoolAsync"] (*mut DevicePtr, usize, MemPoolHandle, StreamHandle);
    optional free_async ["cuMemFreeAsync"] (DevicePtr, StreamHandle);
    optional mem_pool_create ["cuMemPoolCreate"] (*mut MemPoolHandle, *const MemPoolProps);
    optional mem_pool_destroy ["cuMemPoolDestroy"] (MemPoolHandle);
    optional mem_pool_attribute ["cuMemPoolGetAttribute"] (MemPoolHandle, c_int, *mut u64);
    optional mem_pool_set_attribute ["cuMemPoolSetAttribute"] (MemPoolHandle, c_int, *mut u64);
    optional mem_pool_trim_to ["cuMemPoolTrimTo"] (MemPoolHandle, usize);

    required memcpy_htod ["cuMemcpyHtoD_v2"] (DevicePtr, *const c_void, usize);
    required memcpy_dtoh ["cuMemcpyDtoH_v2"] (*mut c_void, DevicePtr, usize);
    required memcpy_async ["cuMemcpyAsync"] (DevicePtr, DevicePtr, usize, StreamHandle);
    required memset_d8_async ["cuMemsetD8Async"] (DevicePtr, u8, usize, StreamHandle);
    required memset_d16_async ["cuMemsetD16Async"] (DevicePtr, u16, usize, StreamHandle);
    required memset_d32_async ["cuMemsetD32Async"] (DevicePtr, c_uint, usize, StreamHandle);

    required module_load ["cuModuleLoadDataEx"]
        (*mut ModuleHandle, *const c_void, c_uint, *mut c_int, *mut *mut c_void);
    required module_unload ["cuModuleUnload"] (ModuleHandle);
    required module_function
        ["cuModuleGetFunction"] (*mut FunctionHandle, ModuleHandle, *const c_char);
    optional module_global
        ["cuModuleGetGlobal_v2"] (*mut DevicePtr, *mut usize, ModuleHandle, *const c_char);
    // Without them PTX goes to cuModuleLoadDataEx, and nothing is kept.
    optional link_create
        ["cuLinkCreate_v2"] (c_uint, *mut c_int, *mut *mut c_void, *mut LinkState);
    optional link_add_data ["cuLinkAddData_v2"] (
        LinkState, c_int, *const c_void, usize, *const c_char, c_uint, *mut c_int,
        *mut *mut c_void
    );
    optional link_complete ["cuLinkComplete"] (LinkState, *mut *const u8, *mut usize);
    optional link_destroy ["cuLinkDestroy"] (LinkState);
    required function_attribute ["cuFuncGetAttribute"] (*mut c_int, c_int, FunctionHandle);
    optional function_set_attribute ["cuFuncSetAttribute"] (FunctionHandle, c_int, c_int);
    // Without it (before CUDA 12.4) a kernel must be given exactly what it takes.
    optional function_parameter
        ["cuFuncGetParamInfo"] (FunctionHandle, usize, *mut usize, *mut usize);
    required launch_kernel ["cuLaunchKernel"] (
        FunctionHandle, c_uint, c_uint, c_uint, c_uint, c_uint, c_uint, c_uint,
        StreamHandle, *mut *mut c_void, *mut *mut c_void
    );

    optional graph_create ["cuGraphCreate"] (*mut GraphHandle, c_uint);
    optional graph_destroy ["cuGraphDestroy"] (GraphHandle);
    optional graph_add_empty ["cuGraphAddEmptyNode"]
        (*mut GraphNodeHandle, GraphHandle, *const GraphNodeHandle, usize);
    optional graph_add_kernel ["cuGraphAddKernelNode"] (
        *mut GraphNodeHandle, GraphHandle, *const GraphNodeHandle, usize, *const KernelNodeParams
    );
    optional graph_add_memset ["cuGraphAddMemsetNode"] (
        *mut GraphNodeHandle, GraphHandle, *const GraphNodeHandle, usize, *const MemsetParams,
        ContextHandle
    );
    optional graph_add_memcpy ["cuGraphAddMemcpyNode"] (
        *mut GraphNodeHandle, GraphHandle, *const GraphNodeHandle, usize, *const Memcpy3D,
        ContextHandle
    );
    optional graph_add_event_record ["cuGraphAddEventRecordNode"] (
        *mut GraphNodeHandle, GraphHandle, *const GraphNodeHandle, usize, EventHandle
    );
    optional graph_instantiate
        ["cuGraphInstantiateWithFlags"] (*mut GraphExecHandle, GraphHandle, u64);
    fallback("cuGraphInstantiateWithFlags") graph_instantiate_v2 ["cuGraphInstantiate_v2"]
        (*mut GraphExecHandle, GraphHandle, *mut GraphNodeHandle, *mut c_char, usize);
    optional graph_exec_destroy ["cuGraphExecDestroy"] (GraphExecHandle);
    optional graph_exec_set_kernel ["cuGraphExecKernelNodeSetParams"]
        (GraphExecHandle, GraphNodeHandle, *const KernelNodeParams);
    optional graph_exec_set_memset ["cuGraphExecMemsetNodeSetParams"]
        (GraphExecHandle, GraphNodeHandle, *const MemsetParams, ContextHandle);
    optional graph_exec_set_memcpy ["cuGraphExecMemcpyNodeSetParams"]
        (GraphExecHandle, GraphNodeHandle, *const Memcpy3D, ContextHandle);
    optional graph_launch ["cuGraphLaunch"] (GraphExecHandle, StreamHandle);

    => unused {
        "cuMemcpyHtoDAsync_v2": "cuMemcpyAsync does it: an address tells where it is";
        "cuMemcpyDtoHAsync_v2": "as above";
        "cuMemcpyDtoDAsync_v2": "as above";
        "cuMemAllocHost_v2": "cuMemHostAlloc takes flags too";
        "cuMemGetInfo_v2": "nothing asks for it";
        "cuCtxPushCurrent_v2": "the context that was current is restored by setting it";
        "cuCtxPopCurrent_v2": "as above";
        "cuCtxCreate_v2": "the primary context is the one that others on the device use";
        "cuStreamBeginCapture_v2": "graphs are built node by node";
        "cuGraphExecUpdate": "nodes are changed one by one";
        "cuGetProcAddress_v2": "names are looked up with their version";
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_name_stands_twice_and_fallbacks_name_rows() {
        let names: Vec<_> = CUDA_SYMBOLS.iter().flat_map(|row| row.names).collect();
        let unique: BTreeSet<_> = names.iter().collect();
        assert_eq!(unique.len(), names.len());
        for row in CUDA_SYMBOLS {
            if let Need::FallbackFor(of) = row.need {
                assert!(names.contains(&&of), "{of}");
            }
        }
    }

    /// Names whose form without `_v2` takes 32-bit addresses or sizes, or
    /// another context: by that name they must never be looked up.
    #[test]
    fn names_that_changed_are_looked_up_by_their_new_form() {
        for old in [
            "cuMemAlloc",
            "cuMemFree",
            "cuMemAllocHost",
            "cuMemHostRegister",
            "cuMemHostGetDevicePointer",
            "cuMemcpyHtoD",
            "cuMemcpyDtoH",
            "cuMemcpyHtoDAsync",
            "cuMemcpyDtoHAsync",
            "cuMemcpyDtoDAsync",
            "cuDeviceTotalMem",
            "cuEventDestroy",
            "cuStreamDestroy",
            "cuModuleGetGlobal",
            "cuMemGetInfo",
            "cuLinkCreate",
            "cuLinkAddData",
            "cuGraphInstantiate",
            "cuCtxPushCurrent",
            "cuCtxPopCurrent",
        ] {
            let mut names = CUDA_SYMBOLS.iter().flat_map(|row| row.names);
            assert!(names.all(|name| *name != old), "{old}");
        }
    }
}
