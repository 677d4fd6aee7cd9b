//! Bytes to instructions.

mod lanes;
mod matrix;
mod memory;
mod memory_gfx12;
mod memory_gfx9;
mod scalar;
mod vector;

use super::error::{DecodeError, DecodeErrorKind};
use super::opcode::{Cdna, Encoding, Generation, UNUSED, index, rows_of};
use super::operand::{InlineFloat, Operand, Special, Type, WaveSize};
use super::table::{self, Opcode};
use super::{Instruction, Modifiers};

/// Decodes the instruction at byte `offset` of `code`, for a generation and
/// waves of the given size (64 on gfx9).
///
/// # Errors
///
/// A [`DecodeError`] naming format, opcode number and words when the bytes
/// are not an instruction, or end within one.
pub fn decode(
    generation: Generation,
    wave: WaveSize,
    code: &[u8],
    offset: usize,
) -> Result<Instruction, DecodeError> {
    let mut reader = Reader {
        generation,
        rows: &ROWS[generation.index()],
        wave,
        code,
        offset,
        format: None,
        number: None,
        words: 1,
        literal: false,
    };
    let word = reader.word(0)?;
    if word >> 31 == 0 {
        return vector::short(&mut reader, word);
    }
    if word >> 30 == 0b10 {
        return scalar::decode(&mut reader, word);
    }
    match generation {
        Generation::Gfx9(_) => gfx9(&mut reader, word),
        Generation::Gfx11 => gfx11(&mut reader, word),
        Generation::Gfx12 => gfx12(&mut reader, word),
    }
}

/// The formats of gfx11 that begin with two ones.
fn gfx11(reader: &mut Reader<'_>, word: u32) -> Result<Instruction, DecodeError> {
    match word >> 26 {
        0x32 => vector::dual(reader, word),
        0x33 => match word >> 24 {
            0xcc => vector::packed(reader, word),
            0xcd => reader.unsupported("VINTERP"),
            0xce => reader.unsupported("LDSDIR"),
            _ => Err(reader.fail(DecodeErrorKind::UnknownFormat)),
        },
        0x35 => vector::long(reader, word),
        0x36 => memory::lds(reader, word),
        0x37 => memory::flat(reader, word),
        0x38 => memory::buffer(reader, word),
        0x3a => reader.unsupported("MTBUF"),
        0x3c => reader.unsupported("MIMG"),
        0x3d => memory::scalar(reader, word),
        0x3e => reader.unsupported("EXP"),
        _ => Err(reader.fail(DecodeErrorKind::UnknownFormat)),
    }
}

/// The formats of gfx12 that begin with two ones.
fn gfx12(reader: &mut Reader<'_>, word: u32) -> Result<Instruction, DecodeError> {
    match word >> 26 {
        0x31 => memory_gfx12::buffer(reader, word),
        0x32 => vector::dual(reader, word),
        0x33 => match word >> 24 {
            0xcc => vector::packed(reader, word),
            0xcd => reader.unsupported("VINTERP"),
            0xce => reader.unsupported("VDSDIR"),
            _ => Err(reader.fail(DecodeErrorKind::UnknownFormat)),
        },
        0x34 => reader.unsupported("VIMAGE"),
        0x35 => vector::long(reader, word),
        0x36 => memory::lds(reader, word),
        0x39 => reader.unsupported("VSAMPLE"),
        0x3b => memory_gfx12::flat(reader, word),
        0x3d => memory_gfx12::scalar(reader, word),
        0x3e => reader.unsupported("EXP"),
        _ => Err(reader.fail(DecodeErrorKind::UnknownFormat)),
    }
}

/// The formats of gfx9 that begin with two ones.
fn gfx9(reader: &mut Reader<'_>, word: u32) -> Result<Instruction, DecodeError> {
    match word >> 26 {
        0x30 => memory_gfx9::scalar(reader, word),
        0x34 if word >> 23 == 0x1a7 => matrix::packed(reader, word),
        0x34 => vector::long(reader, word),
        0x36 => memory_gfx9::lds(reader, word),
        0x37 => memory_gfx9::flat(reader, word),
        0x38 => memory_gfx9::buffer(reader, word),
        0x3a => memory_gfx9::typed_buffer(reader, word),
        0x3c if reader.generation == Generation::Gfx9(Cdna::Cdna2) => reader.unsupported("MIMG"),
        _ => Err(reader.fail(DecodeErrorKind::UnknownFormat)),
    }
}

/// The source number of the dword of LDS that M0 points to.
const LDS_DIRECT: u32 = 254;

/// Bits `low..low + width` of `word`.
fn bits(word: u32, low: u32, width: u32) -> u32 {
    word >> low & ((1 << width) - 1)
}

/// One bit of `word`.
fn bit(word: u32, position: u32) -> bool {
    word >> position & 1 != 0
}

/// Opcode numbers to rows of the table, for each format.
struct Rows {
    sop1: [u16; 256],
    sop2: [u16; 128],
    sopc: [u16; 128],
    sopk: [u16; 32],
    sopp: [u16; 128],
    smem: [u16; 256],
    vop1: [u16; 256],
    vop2: [u16; 64],
    vopc: [u16; 256],
    vop3: [u16; 1024],
    vop3p: [u16; 128],
    vopd: [u16; 32],
    ds: [u16; 256],
    mubuf: [u16; 256],
    mtbuf: [u16; 16],
    flat: [u16; 128],
    global: [u16; 128],
    scratch: [u16; 128],
}

/// Of each generation, by its index.
static ROWS: [Rows; Generation::ALL.len()] = {
    let [a, b, c, d, e] = Generation::ALL;
    [
        Rows::of(a),
        Rows::of(b),
        Rows::of(c),
        Rows::of(d),
        Rows::of(e),
    ]
};

impl Rows {
    const fn of(generation: Generation) -> Rows {
        let column = &rows_of(&table::ROWS, generation);
        Rows {
            sop1: index(column, Encoding::Sop1),
            sop2: index(column, Encoding::Sop2),
            sopc: index(column, Encoding::Sopc),
            sopk: index(column, Encoding::Sopk),
            sopp: index(column, Encoding::Sopp),
            smem: index(column, Encoding::Smem),
            vop1: index(column, Encoding::Vop1),
            vop2: index(column, Encoding::Vop2),
            vopc: index(column, Encoding::Vopc),
            vop3: index(column, Encoding::Vop3),
            vop3p: index(column, Encoding::Vop3p),
            vopd: index(column, Encoding::Vopd),
            ds: index(column, Encoding::Ds),
            mubuf: index(column, Encoding::Mubuf),
            mtbuf: index(column, Encoding::Mtbuf),
            flat: index(column, Encoding::Flat),
            global: index(column, Encoding::Global),
            scratch: index(column, Encoding::Scratch),
        }
    }

    fn format(&self, encoding: Encoding) -> &[u16] {
        match encoding {
            Encoding::Sop1 => &self.sop1,
            Encoding::Sop2 => &self.sop2,
            Encoding::Sopc => &self.sopc,
            Encoding::Sopk => &self.sopk,
            Encoding::Sopp => &self.sopp,
            Encoding::Smem => &self.smem,
            Encoding::Vop1 => &self.vop1,
            Encoding::Vop2 => &self.vop2,
            Encoding::Vopc => &self.vopc,
            Encoding::Vop3 => &self.vop3,
            Encoding::Vop3p => &self.vop3p,
            Encoding::Vopd => &self.vopd,
            Encoding::Ds => &self.ds,
            Encoding::Mubuf => &self.mubuf,
            Encoding::Mtbuf => &self.mtbuf,
            Encoding::Flat => &self.flat,
            Encoding::Global => &self.global,
            Encoding::Scratch => &self.scratch,
        }
    }
}

/// The bytes of one instruction, and what is known about them so far.
struct Reader<'a> {
    generation: Generation,
    rows: &'static Rows,
    wave: WaveSize,
    code: &'a [u8],
    offset: usize,
    format: Option<&'static str>,
    number: Option<u16>,
    /// Dwords of the instruction before a literal.
    words: usize,
    /// A literal follows.
    literal: bool,
}

impl Reader<'_> {
    fn try_word(&self, position: usize) -> Option<u32> {
        let start = self.offset.checked_add(position * 4)?;
        let bytes = self.code.get(start..start.checked_add(4)?)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    }

    /// Dword number `position` of the instruction.
    fn word(&self, position: usize) -> Result<u32, DecodeError> {
        self.try_word(position)
            .ok_or_else(|| self.fail(DecodeErrorKind::Truncated))
    }

    fn fail(&self, kind: DecodeErrorKind) -> DecodeError {
        DecodeError {
            kind,
            offset: self.offset,
            format: self.format,
            number: self.number,
            words: [self.try_word(0), self.try_word(1), self.try_word(2)],
        }
    }

    fn bad(&self, operand: &'static str) -> DecodeError {
        self.fail(DecodeErrorKind::BadOperand(operand))
    }

    fn unsupported<T>(&mut self, format: &'static str) -> Result<T, DecodeError> {
        self.format = Some(format);
        Err(self.fail(DecodeErrorKind::UnsupportedFormat))
    }

    /// Fails unless the field is zero.
    fn reserved(&self, value: u32, field: &'static str) -> Result<(), DecodeError> {
        if value == 0 {
            Ok(())
        } else {
            Err(self.fail(DecodeErrorKind::ReservedField(field)))
        }
    }

    /// Looks an opcode number up, remembers it for errors, and begins the
    /// instruction, without operands yet.
    fn opcode(&mut self, encoding: Encoding, number: u32) -> Result<Instruction, DecodeError> {
        self.format = Some(encoding.name());
        self.number = Some(number as u16);
        match self.rows.format(encoding).get(number as usize) {
            Some(&row) if row != UNUSED => Ok(Instruction {
                op: Opcode::ALL[usize::from(row)],
                generation: self.generation,
                encoding,
                size_bytes: 0,
                wave: self.wave,
                dst: [Operand::None; 2],
                src: [Operand::None; 4],
                modifiers: Modifiers::default(),
                dual: None,
            }),
            _ => Err(self.fail(DecodeErrorKind::UnknownOpcode)),
        }
    }

    /// The literal that follows the instruction.
    fn literal(&mut self) -> Result<u32, DecodeError> {
        let literal = self.word(self.words)?;
        self.literal = true;
        Ok(literal)
    }

    /// Sets the size, when all operands are known.
    fn finish(&self, mut instruction: Instruction) -> Instruction {
        instruction.size_bytes = (self.words + usize::from(self.literal)) as u8 * 4;
        instruction
    }

    /// A value in vector registers from `index`.
    fn vgpr(&self, index: u32, ty: Type, name: &'static str) -> Result<Operand, DecodeError> {
        self.vgprs(index, ty.dwords(self.wave), name)
    }

    fn vgprs(&self, index: u32, dwords: u8, name: &'static str) -> Result<Operand, DecodeError> {
        if index + u32::from(dwords) > 256 || !self.is_aligned(index, dwords) {
            return Err(self.bad(name));
        }
        Ok(Operand::Vgpr {
            index: index as u8,
            dwords,
        })
    }

    /// A value in accumulation registers from `index`.
    fn agprs(&self, index: u32, dwords: u8, name: &'static str) -> Result<Operand, DecodeError> {
        match self.vgprs(index, dwords, name)? {
            Operand::Vgpr { index, dwords } => Ok(Operand::Agpr { index, dwords }),
            other => Ok(other),
        }
    }

    /// Tuples of vector registers begin at even numbers on gfx9.
    fn is_aligned(&self, index: u32, dwords: u8) -> bool {
        !self.generation.is_gfx9() || dwords == 1 || index.is_multiple_of(2)
    }

    /// A scalar register, numbered 0 to 127. Tuples start at a multiple of
    /// their width or of four; the hardware ignores the low bits.
    fn scalar_register(
        &self,
        code: u32,
        ty: Type,
        name: &'static str,
    ) -> Result<Operand, DecodeError> {
        let dwords = ty.dwords(self.wave);
        let align = u32::from(dwords.next_power_of_two()).min(4) - 1;
        let special = |reg| Operand::Special { reg, dwords };
        let registers = self.scalar_registers();
        let operand = match code {
            _ if code < registers => {
                let index = code & !align;
                if index + u32::from(dwords) > 106 {
                    return Err(self.bad(name));
                }
                Operand::Sgpr {
                    index: index as u8,
                    dwords,
                }
            }
            102 if dwords <= 2 => special(Special::FlatScratchLo),
            103 if dwords == 1 => special(Special::FlatScratchHi),
            104 if dwords <= 2 => special(Special::XnackMaskLo),
            105 if dwords == 1 => special(Special::XnackMaskHi),
            106 if dwords <= 2 => special(Special::VccLo),
            107 if dwords == 1 => special(Special::VccHi),
            108..=123 => {
                let index = (code - 108) & !align;
                if index + u32::from(dwords) > 16 {
                    return Err(self.bad(name));
                }
                special(Special::Ttmp(index as u8))
            }
            _ if code == self.m0() && dwords == 1 => special(Special::M0),
            124 if !self.generation.is_gfx9() => special(Special::Null),
            126 if dwords <= 2 => special(Special::ExecLo),
            127 if dwords == 1 => special(Special::ExecHi),
            _ => return Err(self.bad(name)),
        };
        Ok(operand)
    }

    /// How many numbers are scalar registers of the register file.
    fn scalar_registers(&self) -> u32 {
        match self.generation {
            Generation::Gfx9(_) => 102,
            Generation::Gfx11 | Generation::Gfx12 => 106,
        }
    }

    /// The number of M0.
    fn m0(&self) -> u32 {
        match self.generation {
            Generation::Gfx9(_) => 124,
            Generation::Gfx11 | Generation::Gfx12 => 125,
        }
    }

    /// A scalar source, numbered 0 to 255: register, constant or literal.
    fn scalar_source(
        &mut self,
        code: u32,
        ty: Type,
        name: &'static str,
    ) -> Result<Operand, DecodeError> {
        let dwords = ty.dwords(self.wave);
        let special = |reg| Ok(Operand::Special { reg, dwords });
        match code {
            0..=127 => self.scalar_register(code, ty, name),
            128..=192 => Ok(Operand::Int((code - 128) as i8)),
            193..=208 => Ok(Operand::Int((192 - code as i32) as i8)),
            230 if !self.generation.is_gfx9() => special(Special::FlatScratchBaseLo),
            231 if !self.generation.is_gfx9() && dwords == 1 => special(Special::FlatScratchBaseHi),
            235 => special(Special::SharedBase),
            236 => special(Special::SharedLimit),
            237 => special(Special::PrivateBase),
            238 => special(Special::PrivateLimit),
            239 => special(Special::PopsExitingWaveId),
            240 => Ok(Operand::Float(InlineFloat::Half)),
            241 => Ok(Operand::Float(InlineFloat::MinusHalf)),
            242 => Ok(Operand::Float(InlineFloat::One)),
            243 => Ok(Operand::Float(InlineFloat::MinusOne)),
            244 => Ok(Operand::Float(InlineFloat::Two)),
            245 => Ok(Operand::Float(InlineFloat::MinusTwo)),
            246 => Ok(Operand::Float(InlineFloat::Four)),
            247 => Ok(Operand::Float(InlineFloat::MinusFour)),
            248 => Ok(Operand::Float(InlineFloat::InvTwoPi)),
            251 => special(Special::Vccz),
            252 => special(Special::Execz),
            253 => special(Special::Scc),
            255 => Ok(Operand::Literal(self.literal()?)),
            _ => Err(self.bad(name)),
        }
    }

    /// A source of a vector instruction, numbered 0 to 511.
    fn source(&mut self, code: u32, ty: Type, name: &'static str) -> Result<Operand, DecodeError> {
        let register_only = matches!(
            ty,
            Type::V16
                | Type::V32
                | Type::V64
                | Type::V96
                | Type::V128
                | Type::V192
                | Type::V256
                | Type::V512
                | Type::V1024
                | Type::Mat64
                | Type::Mat128
                | Type::Mat256
        );
        let accumulator = matches!(
            ty,
            Type::AccF32
                | Type::AccB32
                | Type::AccF16
                | Type::AccBf16
                | Type::PkAccF16
                | Type::PkAccBf16
        );
        match (code.checked_sub(256), ty) {
            (Some(_), Type::Mask | Type::Uniform | Type::UniformF16 | Type::UniformF32) => {
                Err(self.bad(name))
            }
            (Some(index), Type::A32) => self.agprs(index, 1, name),
            (Some(index), _) => self.vgpr(index, ty, name),
            (None, Type::A32) => Err(self.bad(name)),
            (None, _) if register_only => Err(self.bad(name)),
            (None, Type::Mask) if matches!(code, 128..=208 | 240..=248 | 255) => {
                Err(self.bad(name))
            }
            (None, _) if accumulator && !matches!(code, 124 | 128..=208 | 240..=248) => {
                Err(self.bad(name))
            }
            (None, Type::Uniform) => self.scalar_source(code, ty, name),
            (None, _) if code == LDS_DIRECT && self.generation.is_gfx9() => {
                match ty.dwords(self.wave) {
                    1 => Ok(Operand::Special {
                        reg: Special::LdsDirect,
                        dwords: 1,
                    }),
                    _ => Err(self.bad(name)),
                }
            }
            (None, _) => self.scalar_source(code, ty, name),
        }
    }

    /// The scalar register that a vector instruction writes: any but M0.
    fn uniform_result(&self, code: u32) -> Result<Operand, DecodeError> {
        if code == self.m0() {
            return Err(self.bad("vdst"));
        }
        self.scalar_register(code, Type::S32, "vdst")
    }

    /// The lane mask in VCC, or EXEC.
    fn mask(&self, reg: Special) -> Operand {
        Operand::Special {
            reg,
            dwords: self.wave.mask_dwords(),
        }
    }
}
