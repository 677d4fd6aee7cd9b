//! The block of kernel arguments: explicit ones, hidden ones, and behind them
//! the dispatch packet for kernels that ask for it.

use crate::code_object::ValueKind;
use crate::exec::aperture;
use crate::gpu::Launch;
use crate::module::Kernel;

/// Size of an AQL dispatch packet.
const PACKET_BYTES: usize = 64;

/// Offset of the packet in the block.
pub(crate) fn packet_offset(kernel: &Kernel) -> usize {
    (kernel.kernarg_bytes() as usize).next_multiple_of(PACKET_BYTES)
}

/// Size of the block.
pub(crate) fn bytes(kernel: &Kernel) -> usize {
    packet_offset(kernel) + PACKET_BYTES
}

/// Writes a zeroed block that lies at `address`.
pub(crate) fn fill(block: &mut [u8], address: u64, launch: &Launch<'_>) {
    let kernel = launch.kernel;
    let arguments = &mut block[..kernel.kernarg_bytes() as usize];
    let explicit = launch.kernarg.len().min(arguments.len());
    arguments[..explicit].copy_from_slice(&launch.kernarg[..explicit]);
    for arg in kernel.code().metadata.hidden_args() {
        let value = hidden(arg.value_kind, launch).to_le_bytes();
        let size = (arg.bytes as usize).min(value.len());
        let start = arg.offset as usize;
        if let Some(place) = arguments.get_mut(start..start + size) {
            place.copy_from_slice(&value[..size]);
        }
    }
    packet(&mut block[packet_offset(kernel)..], address, launch);
}

/// The arguments that a wave has in scalar registers from the start.
pub(crate) fn preloaded(block: &[u8], kernel: &Kernel) -> Vec<u32> {
    let dword = |at: usize| {
        let bytes = block.get(4 * at..)?.first_chunk()?;
        Some(u32::from_le_bytes(*bytes))
    };
    kernel
        .preloaded()
        .map(|at| dword(at).unwrap_or(0))
        .collect()
}

/// Value of a hidden argument; zero for those that name services there are not.
fn hidden(kind: ValueKind, launch: &Launch<'_>) -> u64 {
    let [grid, block] = [launch.grid, launch.block].map(|size| size.map(u64::from));
    match kind {
        ValueKind::HiddenBlockCountX => grid[0],
        ValueKind::HiddenBlockCountY => grid[1],
        ValueKind::HiddenBlockCountZ => grid[2],
        ValueKind::HiddenGroupSizeX => block[0],
        ValueKind::HiddenGroupSizeY => block[1],
        ValueKind::HiddenGroupSizeZ => block[2],
        ValueKind::HiddenGridDims => dimensions(launch),
        ValueKind::HiddenDynamicLdsSize => u64::from(launch.dynamic_lds_bytes),
        ValueKind::HiddenPrivateBase => u64::from(aperture::PRIVATE),
        ValueKind::HiddenSharedBase => u64::from(aperture::SHARED),
        _ => 0,
    }
}

fn dimensions(launch: &Launch<'_>) -> u64 {
    let items = |axis: usize| u64::from(launch.grid[axis]) * u64::from(launch.block[axis]);
    (1..3)
        .rev()
        .find(|&axis| items(axis) > 1)
        .map_or(1, |axis| axis as u64 + 1)
}

fn packet(bytes: &mut [u8], address: u64, launch: &Launch<'_>) {
    let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
    let kernel = launch.kernel;
    // Type: kernel dispatch.
    put(0, &2_u16.to_le_bytes());
    put(2, &(dimensions(launch) as u16).to_le_bytes());
    for axis in 0..3 {
        put(4 + 2 * axis, &(launch.block[axis] as u16).to_le_bytes());
        let items = launch.grid[axis] * launch.block[axis];
        put(12 + 4 * axis, &items.to_le_bytes());
    }
    put(24, &kernel.scratch_bytes().to_le_bytes());
    put(
        28,
        &(kernel.lds_bytes() + launch.dynamic_lds_bytes).to_le_bytes(),
    );
    put(
        32,
        &(kernel.base() + kernel.code().descriptor_address).to_le_bytes(),
    );
    put(40, &address.to_le_bytes());
}
