//! Instructions of the GPU: types, opcode table, decoder and text.
//!
//! [`decode`] turns bytes into an [`Instruction`]; its `Display` is the text
//! LLVM prints for the same bytes.

mod class;
mod decode;
mod display;
mod error;
mod modifiers;
mod opcode;
mod operand;
mod table;

pub use class::{Class, Fidelity};
pub use decode::decode;
pub use error::{DecodeError, DecodeErrorKind};
pub use modifiers::{Dpp, DppControl, Modifiers, OutputModifier, Sdwa, Selection, Unused};
pub use opcode::{Cdna, Column, Encoding, Flags, Generation, OpcodeInfo};
pub use operand::{InlineFloat, Operand, Special, Type, WaveSize};
pub use table::Opcode;

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
/// | scalar memory | loaded or returned data | base, register offset, data, `Off` if gfx9 encodes no immediate |
/// | LDS (`ds_*`) | data | address, data 0, data 1 |
/// | flat, global, scratch | loaded or returned data | address, scalar base, –, data |
/// | buffer | loaded or returned data | address, resource, scalar offset, data |
///
/// On gfx9 a compare that writes EXEC also writes `dst[0]`.
///
/// A dual-issue pair is the first component, with the second in `dual`; both
/// read their sources before either writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// What it does.
    pub op: Opcode,
    /// Whose encoding it was decoded from.
    pub generation: Generation,
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
    /// Second component of a dual-issue pair; of a matrix product, the
    /// instruction with its scales.
    pub dual: Option<Box<Instruction>>,
}

impl Instruction {
    /// What the table says of the instruction in its generation.
    pub fn info(&self) -> &'static OpcodeInfo {
        self.op
            .info(self.generation)
            .expect("an instruction of a generation that has it")
    }

    /// Where a direct branch at byte `offset` goes: a byte offset in the same
    /// code. `None` if the instruction has no branch operand.
    pub fn branch_target(&self, offset: u64) -> Option<u64> {
        let types = self.info().src;
        let position = types.iter().position(|&ty| ty == Type::Branch)?;
        let Operand::Imm(words) = self.src[position] else {
            return None;
        };
        let next = offset.wrapping_add(u64::from(self.size_bytes));
        Some(next.wrapping_add_signed(i64::from(words as i16) * 4))
    }
}

/// The table as each generation has it.
static INFO: [[Option<&OpcodeInfo>; Opcode::ALL.len()]; Generation::ALL.len()] = {
    let mut all = [[None; Opcode::ALL.len()]; Generation::ALL.len()];
    let mut at = 0;
    while at < all.len() {
        let generation = Generation::ALL[at];
        all[generation.index()] = opcode::rows_of(&table::ROWS, generation);
        at += 1;
    }
    all
};

impl Opcode {
    /// The column of the table, if the generation has the operation.
    pub fn info(self, generation: Generation) -> Option<&'static OpcodeInfo> {
        INFO[generation.index()][self as usize]
    }

    /// True if it has two sources and puts a byte into the destination, which
    /// counts as third source then.
    fn puts_byte(self) -> bool {
        matches!(
            self,
            Opcode::VCvtSrFp8F32
                | Opcode::VCvtSrBf8F32
                | Opcode::VCvtScalef32PkFp4F16
                | Opcode::VCvtScalef32PkFp4Bf16
        )
    }

    /// True if it converts one byte of the source.
    fn widens_part(self) -> bool {
        matches!(self, Opcode::VCvtF32Fp8 | Opcode::VCvtF32Bf8)
    }

    /// The name of the operation: its mnemonic, without encoding suffix, in
    /// the newest generation that has it.
    pub fn name(self) -> &'static str {
        table::NAMES[self as usize]
    }
}
