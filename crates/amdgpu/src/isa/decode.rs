//! Bytes to instructions.

mod memory;
mod scalar;
mod vector;

use super::error::{DecodeError, DecodeErrorKind};
use super::gfx11::{Opcode, TABLE};
use super::opcode::{Encoding, UNUSED, index};
use super::operand::{InlineFloat, Operand, Special, Type, WaveSize};
use super::{Instruction, Modifiers};

/// Decodes the instruction at byte `offset` of `code`, for gfx11 and waves of
/// the given size.
///
/// # Errors
///
/// A [`DecodeError`] naming format, opcode number and words when the bytes
/// are not an instruction, or end within one.
pub fn decode(wave: WaveSize, code: &[u8], offset: usize) -> Result<Instruction, DecodeError> {
    let mut reader = Reader {
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
    match word >> 26 {
        0x32 => vector::dual(&mut reader, word),
        0x33 => match word >> 24 {
            0xcc => vector::packed(&mut reader, word),
            0xcd => reader.unsupported("VINTERP"),
            0xce => reader.unsupported("LDSDIR"),
            _ => Err(reader.fail(DecodeErrorKind::UnknownFormat)),
        },
        0x35 => vector::long(&mut reader, word),
        0x36 => memory::lds(&mut reader, word),
        0x37 => memory::flat(&mut reader, word),
        0x38 => memory::buffer(&mut reader, word),
        0x3a => reader.unsupported("MTBUF"),
        0x3c => reader.unsupported("MIMG"),
        0x3d => memory::scalar(&mut reader, word),
        0x3e => reader.unsupported("EXP"),
        _ => Err(reader.fail(DecodeErrorKind::UnknownFormat)),
    }
}

/// Bits `low..low + width` of `word`.
fn bits(word: u32, low: u32, width: u32) -> u32 {
    word >> low & ((1 << width) - 1)
}

/// One bit of `word`.
fn bit(word: u32, position: u32) -> bool {
    word >> position & 1 != 0
}

/// Opcode numbers to rows of the table, per format.
struct Rows<const N: usize>([u16; N]);

impl<const N: usize> Rows<N> {
    const fn of(encoding: Encoding) -> Rows<N> {
        Rows(index(TABLE, encoding))
    }
}

/// The bytes of one instruction, and what is known about them so far.
struct Reader<'a> {
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

    /// Looks an opcode number up and remembers it for errors.
    fn opcode<const N: usize>(
        &mut self,
        encoding: Encoding,
        rows: &Rows<N>,
        number: u32,
    ) -> Result<Opcode, DecodeError> {
        self.format = Some(encoding.name());
        self.number = Some(number as u16);
        match rows.0.get(number as usize) {
            Some(&row) if row != UNUSED => Ok(Opcode::ALL[usize::from(row)]),
            _ => Err(self.fail(DecodeErrorKind::UnknownOpcode)),
        }
    }

    /// The literal that follows the instruction.
    fn literal(&mut self) -> Result<u32, DecodeError> {
        let literal = self.word(self.words)?;
        self.literal = true;
        Ok(literal)
    }

    /// An instruction without operands yet.
    fn instruction(&self, op: Opcode, encoding: Encoding) -> Instruction {
        Instruction {
            op,
            encoding,
            size_bytes: 0,
            wave: self.wave,
            dst: [Operand::None; 2],
            src: [Operand::None; 4],
            modifiers: Modifiers::default(),
            dual: None,
        }
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
        if index + u32::from(dwords) > 256 {
            return Err(self.bad(name));
        }
        Ok(Operand::Vgpr {
            index: index as u8,
            dwords,
        })
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
        let align = u32::from(dwords).min(4) - 1;
        let special = |reg| Operand::Special { reg, dwords };
        let operand = match code {
            0..=105 => {
                let index = code & !align;
                if index + u32::from(dwords) > 106 {
                    return Err(self.bad(name));
                }
                Operand::Sgpr {
                    index: index as u8,
                    dwords,
                }
            }
            106 if dwords <= 2 => special(Special::VccLo),
            107 if dwords == 1 => special(Special::VccHi),
            108..=123 => {
                let index = (code - 108) & !align;
                if index + u32::from(dwords) > 16 {
                    return Err(self.bad(name));
                }
                special(Special::Ttmp(index as u8))
            }
            124 => special(Special::Null),
            125 if dwords == 1 => special(Special::M0),
            126 if dwords <= 2 => special(Special::ExecLo),
            127 if dwords == 1 => special(Special::ExecHi),
            _ => return Err(self.bad(name)),
        };
        Ok(operand)
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
            230 => special(Special::FlatScratchBaseLo),
            231 if dwords == 1 => special(Special::FlatScratchBaseHi),
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
            Type::V16 | Type::V32 | Type::V64 | Type::V96 | Type::V128 | Type::V256
        );
        let accumulator = matches!(
            ty,
            Type::AccF32 | Type::AccB32 | Type::AccF16 | Type::AccBf16
        );
        match (code.checked_sub(256), ty) {
            (Some(_), Type::Mask | Type::Uniform) => Err(self.bad(name)),
            (Some(index), _) => self.vgpr(index, ty, name),
            (None, _) if register_only => Err(self.bad(name)),
            (None, Type::Mask) if matches!(code, 128..=208 | 240..=248 | 255) => {
                Err(self.bad(name))
            }
            (None, _) if accumulator && !matches!(code, 124 | 128..=208 | 240..=248) => {
                Err(self.bad(name))
            }
            (None, _) => self.scalar_source(code, ty, name),
        }
    }

    /// The scalar register that a vector instruction writes: any but M0.
    fn uniform_result(&self, code: u32) -> Result<Operand, DecodeError> {
        const M0: u32 = 125;
        if code == M0 {
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
