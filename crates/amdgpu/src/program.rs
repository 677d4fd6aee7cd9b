//! Kernels as programs of compact ops, lowered once.

mod lower;
mod memory_ops;
pub(crate) mod native;
mod scalar_ops;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod vector_ops;

use crate::code_object::CodeObject;
use crate::fault::Fault;
use crate::isa::{self, Generation, Instruction, WaveSize};
use crate::module::Kernel;
use crate::observe::Site;
use crate::simd::{Backend, Handler, Row};
use crate::wave::{Wave, slot, temp};

/// One op: code, and its operands as indices of rows or scalar slots.
///
/// 32 bytes, so that two share a cache line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Op {
    pub(crate) run: Handler,
    /// Result: row or scalar slot.
    pub(crate) d: u16,
    pub(crate) a: u16,
    pub(crate) b: u16,
    pub(crate) c: u16,
    /// Constant: branch target, offset, ….
    pub(crate) imm: u32,
    /// Second constant or flags.
    pub(crate) aux: u32,
    /// Second result: scalar slot; or flags.
    pub(crate) e: u16,
}

/// What code is decoded as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) generation: Generation,
    pub(crate) size: WaveSize,
}

impl Target {
    pub(crate) fn decode(self, code: &[u8], at: usize) -> Result<Instruction, isa::DecodeError> {
        isa::decode(self.generation, self.size, code, at)
    }
}

/// Waves of this size on gfx11.
impl From<WaveSize> for Target {
    fn from(size: WaveSize) -> Target {
        Target {
            generation: Generation::Gfx11,
            size,
        }
    }
}

/// An instruction of a kernel that cannot be executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported {
    /// Where it is in the code object's address space.
    pub code_object_offset: u64,
    /// Its text, or why it does not decode.
    pub instruction: String,
    /// Its encoding, in dwords.
    pub encoding: Vec<u32>,
    /// Why not.
    pub reason: String,
}

/// A lowered kernel.
#[derive(Debug)]
pub(crate) struct Program {
    ops: Vec<Op>,
    /// Code-object offset of the instruction that each op came from.
    origins: Vec<u32>,
    /// Stretches of ops that may run as native code.
    windows: Vec<native::Window>,
    /// Lane permutations: the lane each lane reads, 32 and above for none.
    shuffles: Vec<Row>,
    /// Instructions met that cannot be executed, outside the kernel's own code.
    unknown: Vec<String>,
    /// Offset of the first byte decoded, and an op index for each dword from
    /// there (`u32::MAX` where no instruction begins).
    first: u32,
    by_offset: Vec<u32>,
    /// Address of the code object's offset zero.
    base: u64,
    /// Vector registers allocated.
    vgprs: u16,
    /// Those of them that any instruction names come first: how many.
    named: u16,
    /// Whose code it is, and the lanes of a wave.
    target: Target,
    /// Values of the rows behind the temporaries.
    row_constants: Vec<u32>,
    /// Values of the scalar slots from [`slot::CONSTANTS`].
    scalar_constants: Vec<u32>,
    /// The bytes, for reports.
    code: Vec<u8>,
    /// The vector register that is the first accumulation register (gfx9).
    agprs: u16,
    has_barriers: bool,
    /// What watchers are shown, if the program is observed.
    sites: Vec<Site>,
}

impl Program {
    /// Lowers a kernel. `code` is the address and the bytes of the segment
    /// that its code is in. An `observed` program shows each instruction to
    /// the watcher of whoever runs it.
    ///
    /// # Errors
    /// An instruction that the kernel can reach cannot be decoded or executed.
    pub(crate) fn compile(
        kernel: &Kernel,
        object: &CodeObject,
        code: &(u64, Vec<u8>),
        backend: Backend,
        observed: bool,
    ) -> Result<Program, Fault> {
        lower::compile(kernel, object, code, backend, observed)
    }

    /// Every instruction that the kernel might reach and that cannot be
    /// executed; `code` as for [`Program::compile`].
    pub(crate) fn unsupported(kernel: &Kernel, code: &(u64, Vec<u8>)) -> Vec<Unsupported> {
        lower::unsupported(kernel, code)
    }

    #[inline(always)]
    pub(crate) fn ops(&self) -> &[Op] {
        &self.ops
    }

    /// Code-object offset of the instruction that op `index` came from.
    pub(crate) fn origin(&self, index: u32) -> u32 {
        self.origins
            .get(index as usize)
            .copied()
            .unwrap_or(self.first)
    }

    /// The op of the instruction at a device address.
    pub(crate) fn op_at(&self, address: u64) -> Option<u32> {
        let offset = address
            .checked_sub(self.base)?
            .checked_sub(u64::from(self.first))?;
        if offset % 4 != 0 {
            return None;
        }
        let index = *self.by_offset.get(usize::try_from(offset / 4).ok()?)?;
        (index != u32::MAX).then_some(index)
    }

    /// Device address of a code-object offset.
    pub(crate) fn address(&self, offset: u32) -> u64 {
        self.base + u64::from(offset)
    }

    /// Index of the op at the kernel's entry.
    pub(crate) fn entry(&self, offset: u64) -> u32 {
        self.op_at(self.base + offset).unwrap_or(0)
    }

    /// A stretch of ops that may run as native code.
    #[inline(always)]
    pub(crate) fn window(&self, index: u32) -> &native::Window {
        &self.windows[index as usize]
    }

    /// A lane permutation.
    #[inline(always)]
    pub(crate) fn shuffle(&self, index: u32) -> &Row {
        &self.shuffles[index as usize]
    }

    /// Text of the instruction that could not be lowered.
    pub(crate) fn unknown(&self, index: u32) -> &str {
        self.unknown.get(index as usize).map_or("", String::as_str)
    }

    /// Halves of 32 lanes in a wave.
    pub(crate) fn halves(&self) -> u16 {
        (self.target.size.lanes() / 32) as u16
    }

    /// Vector registers allocated: the distance from a row to that of the
    /// upper half.
    pub(crate) fn vgprs(&self) -> u16 {
        self.vgprs
    }

    /// Whether waves of a workgroup wait for each other anywhere.
    pub(crate) fn has_barriers(&self) -> bool {
        self.has_barriers
    }

    /// The row of the first accumulation register.
    pub(crate) fn agprs(&self) -> u16 {
        self.agprs
    }

    /// The instructions that an observed program shows, by number.
    pub(crate) fn sites(&self) -> &[Site] {
        &self.sites
    }

    /// Gives a wave its registers, all zero, and the program's constants. What
    /// no instruction names stays as it is.
    pub(crate) fn outfit(&self, wave: &mut Wave) {
        wave.halves = self.halves();
        wave.temps = self.vgprs * wave.halves;
        let registers = usize::from(wave.temps + temp::COUNT);
        wave.rows.resize(registers, Row::ZERO);
        wave.rows
            .extend(self.row_constants.iter().map(|&value| Row::splat(value)));
        wave.scalars.resize(slot::CONSTANTS.into(), 0);
        wave.scalars.extend_from_slice(&self.scalar_constants);
        self.clear(wave);
    }

    /// Zeroes the registers of a wave that `outfit` prepared.
    pub(crate) fn clear(&self, wave: &mut Wave) {
        for half in 0..self.halves() {
            let first = usize::from(half * self.vgprs);
            wave.rows[first..][..usize::from(self.named)].fill(Row::ZERO);
        }
        wave.scalars[..usize::from(slot::CONSTANTS)].fill(0);
    }

    /// Text and encoding of the instruction at a code-object offset.
    pub(crate) fn describe(&self, offset: u32) -> (String, Vec<u32>) {
        let at = offset.wrapping_sub(self.first) as usize;
        describe(&self.code, at, self.target)
    }
}

/// Text and encoding of the instruction at `at` in `code`.
fn describe(code: &[u8], at: usize, target: Target) -> (String, Vec<u32>) {
    let decoded = target.decode(code, at);
    let size = decoded
        .as_ref()
        .map_or(4, |instruction| instruction.size_bytes as usize);
    let end = (at + size).min(code.len());
    let dwords = code.get(at..end).unwrap_or_default().chunks_exact(4);
    let encoding = dwords
        .map(|bytes| u32::from_le_bytes(bytes.try_into().expect("4 bytes")))
        .collect();
    let text = match decoded {
        Ok(instruction) => instruction.to_string(),
        Err(error) => error.to_string(),
    };
    (text, encoding)
}
