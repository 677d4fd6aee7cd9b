//! The HIP functions that a library is asked for: one table, a row a symbol.

use std::ffi::{c_char, c_int, c_uint, c_void};

use super::abi::{KernelNodeParams, MemPoolProps, Memcpy3D, MemsetParams};
use crate::symbols::{Need, Symbol, SymbolRow, missing_required, symbols};
use crate::{
    ContextHandle, DevicePtr, EventHandle, FunctionHandle, GraphExecHandle, GraphHandle,
    GraphNodeHandle, MemPoolHandle, ModuleHandle, StreamHandle,
};

/// `hipHostFn_t`.
pub(crate) type HostFunction = unsafe extern "C" fn(*mut c_void);
/// `hipStreamCallback_t`.
pub(crate) type StreamCallback = unsafe extern "C" fn(StreamHandle, c_int, *mut c_void);

symbols! {
    /// Every HIP function that the origin driver or its successors use or that we do.
    SYMBOLS;
    required init ["hipInit"] (c_uint);
    optional runtime_version ["hipRuntimeGetVersion"] (*mut c_int);
    required get_last_error ["hipGetLastError"] ();
    optional peek_last_error ["hipPeekAtLastError"] ();
    optional error_name ["hipGetErrorName"] (c_int) -> *const c_char;
    optional error_string ["hipGetErrorString"] (c_int) -> *const c_char;

    required device_count ["hipGetDeviceCount"] (*mut c_int);
    required device ["hipDeviceGet"] (*mut c_int, c_int);
    optional device_name ["hipDeviceGetName"] (*mut c_char, c_int, c_int);
    optional device_uuid ["hipDeviceGetUuid"] (*mut [u8; 16], c_int);
    optional device_total_memory ["hipDeviceTotalMem"] (*mut usize, c_int);
    required device_attribute ["hipDeviceGetAttribute"] (*mut c_int, c_int, c_int);
    optional properties_r0600 ["hipGetDevicePropertiesR0600"] (*mut c_void, c_int);
    // The unversioned name keeps the old layout for ever: C programs reach the
    // new one by a macro, which a look-up by name does not see.
    fallback("hipGetDevicePropertiesR0600") properties_r0000
        ["hipGetDevicePropertiesR0000", "hipGetDeviceProperties"] (*mut c_void, c_int);
    optional can_access_peer ["hipDeviceCanAccessPeer"] (*mut c_int, c_int, c_int);
    optional enable_peer_access ["hipDeviceEnablePeerAccess"] (c_int, c_uint);

    optional primary_context_retain ["hipDevicePrimaryCtxRetain"] (*mut ContextHandle, c_int);
    optional primary_context_release ["hipDevicePrimaryCtxRelease"] (c_int);
    required get_device ["hipGetDevice"] (*mut c_int);
    required set_device ["hipSetDevice"] (c_int);

    required stream_create ["hipStreamCreateWithFlags"] (*mut StreamHandle, c_uint);
    required stream_destroy ["hipStreamDestroy"] (StreamHandle);
    required stream_synchronize ["hipStreamSynchronize"] (StreamHandle);
    optional stream_query ["hipStreamQuery"] (StreamHandle);
    required stream_wait_event ["hipStreamWaitEvent"] (StreamHandle, EventHandle, c_uint);
    optional launch_host_function ["hipLaunchHostFunc"] (StreamHandle, HostFunction, *mut c_void);
    fallback("hipLaunchHostFunc") stream_add_callback
        ["hipStreamAddCallback"] (StreamHandle, StreamCallback, *mut c_void, c_uint);

    required event_create_with_flags ["hipEventCreateWithFlags"] (*mut EventHandle, c_uint);
    fallback("hipEventCreateWithFlags") event_create ["hipEventCreate"] (*mut EventHandle);
    required event_destroy ["hipEventDestroy"] (EventHandle);
    required event_record ["hipEventRecord"] (EventHandle, StreamHandle);
    required event_query ["hipEventQuery"] (EventHandle);
    required event_synchronize ["hipEventSynchronize"] (EventHandle);
    optional event_elapsed_time ["hipEventElapsedTime"] (*mut f32, EventHandle, EventHandle);

    required malloc ["hipMalloc"] (*mut DevicePtr, usize);
    optional malloc_managed ["hipMallocManaged"] (*mut DevicePtr, usize, c_uint);
    required free ["hipFree"] (DevicePtr);
    required host_malloc ["hipHostMalloc"] (*mut *mut u8, usize, c_uint);
    required host_free ["hipHostFree"] (*mut u8);
    optional host_register ["hipHostRegister"] (*mut u8, usize, c_uint);
    optional host_unregister ["hipHostUnregister"] (*mut u8);
    required host_device_pointer ["hipHostGetDevicePointer"] (*mut DevicePtr, *mut u8, c_uint);
    optional mem_prefetch_async ["hipMemPrefetchAsync"] (DevicePtr, usize, c_int, StreamHandle);

    optional malloc_async ["hipMallocAsync"] (*mut DevicePtr, usize, StreamHandle);
    optional malloc_from_pool_async
        ["hipMallocFromPoolAsync"] (*mut DevicePtr, usize, MemPoolHandle, StreamHandle);
    optional free_async ["hipFreeAsync"] (DevicePtr, StreamHandle);
    optional mem_pool_create ["hipMemPoolCreate"] (*mut MemPoolHandle, *const MemPoolProps);
    optional mem_pool_destroy ["hipMemPoolDestroy"] (MemPoolHandle);
    optional mem_pool_attribute ["hipMemPoolGetAttribute"] (MemPoolHandle, c_int, *mut u64);
    optional mem_pool_set_attribute ["hipMemPoolSetAttribute"] (MemPoolHandle, c_int, *mut u64);
    optional mem_pool_trim_to ["hipMemPoolTrimTo"] (MemPoolHandle, usize);

    required memcpy ["hipMemcpy"] (*mut c_void, *const c_void, usize, c_int);
    required memcpy_async ["hipMemcpyAsync"] (DevicePtr, DevicePtr, usize, c_int, StreamHandle);
    required memset_d8_async ["hipMemsetD8Async"] (DevicePtr, u8, usize, StreamHandle);
    fallback("hipMemsetD8Async") memset_async
        ["hipMemsetAsync"] (DevicePtr, c_int, usize, StreamHandle);
    required memset_d16_async ["hipMemsetD16Async"] (DevicePtr, u16, usize, StreamHandle);
    required memset_d32_async ["hipMemsetD32Async"] (DevicePtr, c_int, usize, StreamHandle);

    required module_load_data_ex ["hipModuleLoadDataEx"]
        (*mut ModuleHandle, *const c_void, c_uint, *mut c_int, *mut *mut c_void);
    fallback("hipModuleLoadDataEx") module_load_data
        ["hipModuleLoadData"] (*mut ModuleHandle, *const c_void);
    required module_unload ["hipModuleUnload"] (ModuleHandle);
    required module_function
        ["hipModuleGetFunction"] (*mut FunctionHandle, ModuleHandle, *const c_char);
    optional module_global
        ["hipModuleGetGlobal"] (*mut DevicePtr, *mut usize, ModuleHandle, *const c_char);
    optional function_attribute ["hipFuncGetAttribute"] (*mut c_int, c_int, FunctionHandle);
    optional function_set_attribute ["hipFuncSetAttribute"] (FunctionHandle, c_int, c_int);
    required launch_kernel ["hipModuleLaunchKernel"] (
        FunctionHandle, c_uint, c_uint, c_uint, c_uint, c_uint, c_uint, c_uint,
        StreamHandle, *mut *mut c_void, *mut *mut c_void
    );

    optional graph_create ["hipGraphCreate"] (*mut GraphHandle, c_uint);
    optional graph_destroy ["hipGraphDestroy"] (GraphHandle);
    optional graph_add_empty ["hipGraphAddEmptyNode"]
        (*mut GraphNodeHandle, GraphHandle, *const GraphNodeHandle, usize);
    optional graph_add_kernel ["hipGraphAddKernelNode"] (
        *mut GraphNodeHandle, GraphHandle, *const GraphNodeHandle, usize, *const KernelNodeParams
    );
    optional graph_add_memset ["hipGraphAddMemsetNode"] (
        *mut GraphNodeHandle, GraphHandle, *const GraphNodeHandle, usize, *const MemsetParams
    );
    optional graph_add_memcpy ["hipDrvGraphAddMemcpyNode"] (
        *mut GraphNodeHandle, GraphHandle, *const GraphNodeHandle, usize, *const Memcpy3D,
        ContextHandle
    );
    fallback("hipDrvGraphAddMemcpyNode") graph_add_memcpy_1d ["hipGraphAddMemcpyNode1D"] (
        *mut GraphNodeHandle, GraphHandle, *const GraphNodeHandle, usize, DevicePtr, DevicePtr,
        usize, c_int
    );
    optional graph_add_event_record ["hipGraphAddEventRecordNode"] (
        *mut GraphNodeHandle, GraphHandle, *const GraphNodeHandle, usize, EventHandle
    );
    optional graph_instantiate ["hipGraphInstantiate"]
        (*mut GraphExecHandle, GraphHandle, *mut GraphNodeHandle, *mut c_char, usize);
    optional graph_exec_destroy ["hipGraphExecDestroy"] (GraphExecHandle);
    optional graph_exec_set_kernel ["hipGraphExecKernelNodeSetParams"]
        (GraphExecHandle, GraphNodeHandle, *const KernelNodeParams);
    optional graph_exec_set_memset ["hipGraphExecMemsetNodeSetParams"]
        (GraphExecHandle, GraphNodeHandle, *const MemsetParams);
    optional graph_exec_set_memcpy ["hipDrvGraphExecMemcpyNodeSetParams"]
        (GraphExecHandle, GraphNodeHandle, *const Memcpy3D, ContextHandle);
    // Not a fallback for the one above: it is for nodes that were added as 1D.
    optional graph_exec_set_memcpy_1d ["hipGraphExecMemcpyNodeSetParams1D"]
        (GraphExecHandle, GraphNodeHandle, DevicePtr, DevicePtr, usize, c_int);
    optional graph_launch ["hipGraphLaunch"] (GraphExecHandle, StreamHandle);

    => unused {
        "hipCtxGetCurrent": "hipGetDevice tells the same";
        "hipCtxSetCurrent": "it also changes the context stack; hipSetDevice does not";
        "hipCtxPushCurrent": "its counterpart does not restore the device";
        "hipCtxPopCurrent": "it does not restore the device";
        "hipLaunchKernel": "it takes a host stub that the compiler registers, not a module's function";
        "hipMemcpyHtoDAsync": "hipMemcpyAsync does it";
        "hipMemset": "fills are asynchronous";
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::Code;

    fn all_names() -> Vec<&'static str> {
        SYMBOLS
            .iter()
            .flat_map(|row| row.names.iter().copied())
            .collect()
    }

    #[test]
    fn no_name_stands_twice() {
        let names = all_names();
        let unique: BTreeSet<_> = names.iter().collect();
        assert_eq!(unique.len(), names.len());
    }

    #[test]
    fn the_functions_of_the_origin_and_its_successors_are_there() {
        let names: BTreeSet<_> = all_names().into_iter().collect();
        let origin = "hipCtxSetCurrent hipDeviceGet hipDeviceGetAttribute hipDeviceGetName \
            hipDeviceGetUuid hipDevicePrimaryCtxRelease hipDevicePrimaryCtxRetain \
            hipDrvGraphAddMemcpyNode hipEventCreate hipEventDestroy hipEventElapsedTime \
            hipEventQuery hipEventRecord hipEventSynchronize hipFree hipFreeAsync \
            hipFuncSetAttribute hipGetDeviceCount hipGetDeviceProperties hipGetErrorName \
            hipGetErrorString hipGraphAddEmptyNode hipGraphAddKernelNode hipGraphAddMemsetNode \
            hipGraphCreate hipGraphDestroy hipGraphExecDestroy hipGraphInstantiate hipGraphLaunch \
            hipHostFree hipHostGetDevicePointer hipHostMalloc hipHostRegister hipHostUnregister \
            hipInit hipLaunchKernel hipMalloc hipMallocFromPoolAsync hipMallocManaged hipMemcpy \
            hipMemcpyAsync hipMemcpyHtoDAsync hipMemPoolCreate hipMemPoolDestroy \
            hipMemPoolGetAttribute hipMemPoolSetAttribute hipMemPoolTrimTo hipMemPrefetchAsync \
            hipMemset hipMemsetAsync hipMemsetD8Async hipMemsetD16Async hipMemsetD32Async \
            hipModuleGetFunction hipModuleLaunchKernel hipModuleLoadData hipModuleLoadDataEx \
            hipModuleUnload hipStreamCreateWithFlags hipStreamDestroy hipStreamSynchronize \
            hipStreamWaitEvent";
        assert_eq!(origin.split_whitespace().count(), 62);
        let successors = "hipCtxGetCurrent hipCtxPushCurrent hipCtxPopCurrent \
            hipDeviceCanAccessPeer hipDeviceEnablePeerAccess hipEventCreateWithFlags \
            hipFuncGetAttribute hipGetLastError hipGraphAddEventRecordNode hipLaunchHostFunc \
            hipMallocAsync hipModuleGetGlobal hipSetDevice";
        for name in origin
            .split_whitespace()
            .chain(successors.split_whitespace())
        {
            assert!(names.contains(name), "{name}");
        }
    }

    #[test]
    fn fallbacks_name_rows_that_are_there() {
        let names: BTreeSet<_> = all_names().into_iter().collect();
        for row in SYMBOLS {
            if let Need::FallbackFor(of) = row.need {
                assert!(names.contains(of), "{of}");
            }
        }
    }

    #[test]
    fn a_fallback_stands_in_for_a_required_symbol() {
        let without = |absent: &[&str]| {
            let some = std::ptr::NonNull::<c_void>::dangling()
                .as_ptr()
                .cast_const();
            // SAFETY: nothing found is called.
            unsafe { Symbols::load(|name| (!absent.contains(&name)).then_some(some)) }.err()
        };
        assert_eq!(without(&[]), None);
        assert_eq!(without(&["hipEventCreateWithFlags"]), None);
        assert_eq!(
            without(&[
                "hipEventCreateWithFlags",
                "hipEventCreate",
                "hipGraphCreate",
                "hipInit"
            ]),
            Some(vec!["hipInit", "hipEventCreateWithFlags"])
        );
    }

    #[test]
    fn a_missing_optional_symbol_is_named_with_the_library() {
        let some = std::ptr::NonNull::<c_void>::dangling()
            .as_ptr()
            .cast_const();
        let present = |name: &str| (!name.contains("DeviceProperties")).then_some(some);
        // SAFETY: nothing found is called.
        let symbols = unsafe { Symbols::load(present) }.expect("properties are optional");
        let error = symbols
            .properties_r0000
            .get("libx.so")
            .expect_err("missing");
        assert_eq!(error.code, Code::NOT_SUPPORTED);
        assert_eq!(
            error.detail.as_deref(),
            Some("libx.so has no hipGetDevicePropertiesR0000 nor hipGetDeviceProperties")
        );
    }
}
