//! Graphs.

use super::{Nvidia, abi, call, module, size};
use crate::{
    DevicePtr, Error, FunctionHandle, GraphExecHandle, GraphHandle, GraphNodeHandle, LaunchConfig,
    Result,
};

/// Calls `then` with the C form of a kernel node; the driver copies the arguments.
pub(super) fn with_kernel_params(
    function: FunctionHandle,
    config: &LaunchConfig,
    kernarg: &[u8],
    then: impl FnOnce(&abi::KernelNodeParams) -> Result<()>,
) -> Result<()> {
    let kernel = module::kernel(function);
    let mut bytes = kernarg.len().min(kernel.argument_bytes);
    let mut extra = module::launch_parameters(kernarg, &mut bytes);
    let LaunchConfig { grid, block, .. } = config;
    then(&abi::KernelNodeParams {
        function: kernel.function,
        grid: [grid.x, grid.y, grid.z],
        block: [block.x, block.y, block.z],
        shared_memory_bytes: config.shared_memory_bytes,
        kernel_params: std::ptr::null_mut(),
        extra: extra.as_mut_ptr(),
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
        pitch: 0,
        // The driver looks at the element's own bits and refuses others.
        value: value & mask,
        element_bytes,
        width: size(count),
        height: 1,
    }
}

/// One row of one plane. Whether an address is the host's or the device's is
/// told by the address, whatever kind of copy it was said to be.
pub(super) fn memcpy_params(dst: DevicePtr, src: DevicePtr, bytes: u64) -> abi::Memcpy3D {
    let bytes = size(bytes);
    let side = |device: DevicePtr| abi::Memcpy3DSide {
        x_bytes: 0,
        y: 0,
        z: 0,
        level: 0,
        memory_type: abi::MEMORY_TYPE_UNIFIED,
        host: 0,
        device,
        array: 0,
        reserved: 0,
        pitch: bytes,
        height: 1,
    };
    abi::Memcpy3D {
        src: side(src),
        dst: side(dst),
        width_bytes: bytes,
        height: 1,
        depth: 1,
    }
}

pub(super) fn instantiate(nv: &Nvidia, graph: GraphHandle) -> Result<GraphExecHandle> {
    let mut exec = GraphExecHandle::default();
    if nv.symbols.graph_instantiate.is_present() || !nv.symbols.graph_instantiate_v2.is_present() {
        call!(nv.graph_instantiate(&mut exec, graph, 0))?;
        return Ok(exec);
    }
    let mut node = GraphNodeHandle::default();
    let mut log = [0u8; 1024];
    let (text, bytes) = (log.as_mut_ptr().cast(), log.len() - 1);
    let result = call!(nv.graph_instantiate_v2(&mut exec, graph, &mut node, text, bytes));
    result.map_err(|error| match module::log_text(&log).as_str() {
        "" => error,
        text => Error::with_detail(error.code, error.call, text),
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
}
