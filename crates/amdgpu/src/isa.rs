//! Instructions of the GPU: types, opcode table, decoder and text.
//!
//! [`decode`] turns bytes into an [`Instruction`]; its `Display` is the text
//! LLVM prints for the same bytes.

mod decode;
mod display;
mod error;
mod gfx11;
mod modifiers;
mod opcode;
mod operand;

pub use decode::decode;
pub use error::{DecodeError, DecodeErrorKind};
pub use gfx11::Opcode;
pub use modifiers::{Dpp, DppControl, Modifiers, OutputModifier};
pub use opcode::{Encoding, Flags, OpcodeInfo};
pub use operand::{InlineFloat, Operand, Special, Type, WaveSize};

/// One decoded instruction.
///
/// Operands that the text shows are explicit here, whatever the encoding: the
/// VCC of `v_cndmask_b32_e32` is `src[2]`, the VCC or EXEC that a compare
/// writes is `dst[0]`, a carry-out is `dst[1]`. What remains implicit is in
/// [`OpcodeInfo::flags`].
///
/// | instruction | `dst` | `src` |
/// |---|---|---|
/// | scalar, vector | result, carry-out | sources in the order of the text |
/// | `s_load_*`, `s_buffer_load_*` | data | base, register offset |
/// | LDS (`ds_*`) | data | address, data 0, data 1 |
/// | flat, global, scratch | loaded or returned data | address, scalar base, –, data |
/// | buffer | loaded or returned data | address, resource, scalar offset, data |
///
/// A dual-issue pair is the first component, with the second in `dual`; both
/// read their sources before either writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// What it does.
    pub op: Opcode,
    /// How it was encoded.
    pub encoding: Encoding,
    /// Size in bytes, literal and DPP word included.
    pub size_bytes: u8,
    /// Wave size it was decoded for.
    pub wave: WaveSize,
    /// Destinations.
    pub dst: [Operand; 2],
    /// Sources.
    pub src: [Operand; 4],
    /// Everything else.
    pub modifiers: Modifiers,
    /// Second component of a dual-issue pair.
    pub dual: Option<Box<Instruction>>,
}

impl Instruction {
    /// Where a direct branch at byte `offset` goes: a byte offset in the same
    /// code. `None` if the instruction has no branch operand.
    pub fn branch_target(&self, offset: u64) -> Option<u64> {
        let types = self.op.info().src;
        let position = types.iter().position(|&ty| ty == Type::Branch)?;
        let Operand::Imm(words) = self.src[position] else {
            return None;
        };
        let next = offset.wrapping_add(u64::from(self.size_bytes));
        Some(next.wrapping_add_signed(i64::from(words as i16) * 4))
    }
}

impl Opcode {
    /// The row of the table.
    pub fn info(self) -> &'static OpcodeInfo {
        &gfx11::TABLE[self as usize]
    }

    /// The mnemonic without encoding suffix.
    pub fn mnemonic(self) -> &'static str {
        self.info().mnemonic
    }

    /// What it does beside its explicit operands.
    pub fn flags(self) -> Flags {
        self.info().flags
    }
}
