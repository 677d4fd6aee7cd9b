//! Graphs.

use std::ffi::c_int;

use super::{Amd, abi, call, device, module, size};
use crate::{
    ContextHandle, DevicePtr, Error, FunctionHandle, GraphExecHandle, GraphHandle, GraphNodeHandle,
    LaunchConfig, MemcpyKind, Result,
};

/// A copy between two addresses.
pub(super) struct Copy {
    pub(super) dst: DevicePtr,
    pub(super) src: DevicePtr,
    pub(super) bytes: u64,
    pub(super) kind: MemcpyKind,
}

/// Calls `then` with the C form of a kernel node; HIP copies the arguments.
pub(super) fn with_kernel_params(
    function: FunctionHandle,
    config: &LaunchConfig,
    kernarg: &[u8],
    then: impl FnOnce(&abi::KernelNodeParams) -> Result<()>,
) -> Result<()> {
    let mut bytes = kernarg.len();
    let mut extra = module::launch_parameters(kernarg, &mut bytes);
    then(&abi::KernelNodeParams {
        block: config.block,
        extra: extra.as_mut_ptr(),
        function,
        grid: config.grid,
        kernel_params: std::ptr::null_mut(),
        shared_memory_bytes: config.shared_memory_bytes,
    })
}

pub(super) fn memset_params(
    dst: DevicePtr,
    value: u32,
    element_bytes: u32,
    count: u64,
) -> abi::MemsetParams {
    let mask = match element_bytes {
        1 => 0xff,
        2 => 0xffff,
        _ => u32::MAX,
    };
    abi::MemsetParams {
        dst,
        element_bytes,
        height: 1,
        pitch: 0,
        // HIP looks at the element's own bits and refuses others.
        value: value & mask,
        width: size(count),
    }
}

pub(super) fn add_memcpy(
    amd: &Amd,
    graph: GraphHandle,
    after: &[GraphNodeHandle],
    copy: &Copy,
    context: ContextHandle,
) -> Result<GraphNodeHandle> {
    let mut node = GraphNodeHandle::default();
    let (nodes, count) = (after.as_ptr(), after.len());
    if has_driver_copies(amd) {
        let context = device::library_context(amd, context);
        let params = memcpy_params(amd.major(), copy);
        call!(amd.graph_add_memcpy(&mut node, graph, nodes, count, &params, context))?;
    } else {
        let kind = copy.kind as c_int;
        call!(amd.graph_add_memcpy_1d(
            &mut node,
            graph,
            nodes,
            count,
            copy.dst,
            copy.src,
            size(copy.bytes),
            kind,
        ))?;
    }
    Ok(node)
}

/// Whether copies are added with `hipDrvGraphAddMemcpyNode`. HIP 5 lays its
/// parameter struct out with 32-bit fields, so there it is left alone.
fn has_driver_copies(amd: &Amd) -> bool {
    amd.symbols.graph_add_memcpy.is_present() && amd.major() >= 6
}

/// Changes a copy node with the function that belongs to the one it was added with.
pub(super) fn set_memcpy(
    amd: &Amd,
    exec: GraphExecHandle,
    node: GraphNodeHandle,
    copy: &Copy,
    context: ContextHandle,
) -> Result<()> {
    if has_driver_copies(amd) {
        let context = device::library_context(amd, context);
        let params = memcpy_params(amd.major(), copy);
        call!(amd.graph_exec_set_memcpy(exec, node, &params, context))
    } else {
        let (bytes, kind) = (size(copy.bytes), copy.kind as c_int);
        call!(amd.graph_exec_set_memcpy_1d(exec, node, copy.dst, copy.src, bytes, kind))
    }
}

/// One row of one plane.
fn memcpy_params(major: i32, copy: &Copy) -> abi::Memcpy3D {
    let bytes = size(copy.bytes);
    let side = |ptr: DevicePtr, on_host: bool| abi::Memcpy3DSide {
        x_bytes: 0,
        y: 0,
        z: 0,
        level: 0,
        memory_type: if on_host {
            abi::memory_type_host(major)
        } else {
            abi::memory_type_device(major)
        },
        host: if on_host { ptr.0 } else { 0 },
        device: if on_host { DevicePtr::NULL } else { ptr },
        array: 0,
        pitch: bytes,
        height: 1,
    };
    let (from_host, to_host) = match copy.kind {
        MemcpyKind::HostToHost => (true, true),
        MemcpyKind::HostToDevice => (true, false),
        MemcpyKind::DeviceToHost => (false, true),
        MemcpyKind::DeviceToDevice | MemcpyKind::Default => (false, false),
    };
    abi::Memcpy3D {
        src: side(copy.src, from_host),
        dst: side(copy.dst, to_host),
        width_bytes: bytes,
        height: 1,
        depth: 1,
    }
}

pub(super) fn instantiate(amd: &Amd, graph: GraphHandle) -> Result<GraphExecHandle> {
    let mut exec = GraphExecHandle::default();
    let mut node = GraphNodeHandle::default();
    let mut log = [0u8; 1024];
    let (text, bytes) = (log.as_mut_ptr().cast(), log.len() - 1);
    let result = call!(amd.graph_instantiate(&mut exec, graph, &mut node, text, bytes));
    result.map_err(|error| {
        let length = log.iter().position(|byte| *byte == 0).unwrap_or(log.len());
        match String::from_utf8_lossy(&log[..length]).trim() {
            "" => error,
            text => Error::with_detail(error.code, error.call, text),
        }
    })?;
    Ok(exec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fill_keeps_the_bits_of_its_element() {
        let value =
            |element_bytes| memset_params(DevicePtr(8), 0xabab_abab, element_bytes, 3).value;
        assert_eq!([value(1), value(2), value(4)], [0xab, 0xabab, 0xabab_abab]);
    }

    #[test]
    fn memory_types_are_those_of_the_library() {
        let copy = Copy {
            dst: DevicePtr(1),
            src: DevicePtr(2),
            bytes: 3,
            kind: MemcpyKind::HostToDevice,
        };
        let old = memcpy_params(5, &copy);
        assert_eq!((old.src.memory_type, old.dst.memory_type), (0, 1));
        let new = memcpy_params(6, &copy);
        assert_eq!((new.src.memory_type, new.dst.memory_type), (1, 2));
        assert_eq!((new.src.host, new.src.device), (2, DevicePtr::NULL));
        assert_eq!((new.dst.host, new.dst.device), (0, DevicePtr(1)));
        assert_eq!((new.width_bytes, new.height, new.depth), (3, 1, 1));
    }
}
