//! SOP1, SOP2, SOPC, SOPK, SOPP.

use super::*;

/// Decodes a scalar instruction; the two top bits of `word` are 10.
pub(super) fn decode(reader: &mut Reader<'_>, word: u32) -> Result<Instruction, DecodeError> {
    match word >> 23 {
        0x17d => sop1(reader, word),
        0x17e => {
            let instruction = reader.opcode(Encoding::Sopc, bits(word, 16, 7))?;
            two_sources(reader, instruction, word)
        }
        0x17f => {
            let mut instruction = reader.opcode(Encoding::Sopp, bits(word, 16, 7))?;
            if instruction.info().src.is_empty() {
                reader.reserved(bits(word, 0, 16), "simm16")?;
            } else {
                instruction.src[0] = Operand::Imm(word as u16);
            }
            Ok(reader.finish(instruction))
        }
        prefix if prefix >> 5 == 0xb => sopk(reader, word),
        _ => {
            let instruction = reader.opcode(Encoding::Sop2, bits(word, 23, 7))?;
            let mut instruction = two_sources(reader, instruction, word)?;
            if let Some(&ty) = instruction.info().dst.first() {
                instruction.dst[0] = reader.scalar_register(bits(word, 16, 7), ty, "sdst")?;
            }
            Ok(instruction)
        }
    }
}

fn sop1(reader: &mut Reader<'_>, word: u32) -> Result<Instruction, DecodeError> {
    let mut instruction = reader.opcode(Encoding::Sop1, bits(word, 8, 8))?;
    let info = instruction.info();
    if let Some(&ty) = info.dst.first() {
        instruction.dst[0] = reader.scalar_register(bits(word, 16, 7), ty, "sdst")?;
    }
    let code = bits(word, 0, 8);
    instruction.src[0] = match info.src.first() {
        None => Operand::None,
        Some(Type::Message) => Operand::Imm(code as u16),
        Some(&ty @ (Type::S32 | Type::S64)) => match reader.scalar_source(code, ty, "ssrc0")? {
            Operand::Int(_) | Operand::Float(_) | Operand::Literal(_) => {
                return Err(reader.bad("ssrc0"));
            }
            register => register,
        },
        Some(&ty) => reader.scalar_source(code, ty, "ssrc0")?,
    };
    Ok(reader.finish(instruction))
}

fn two_sources(
    reader: &mut Reader<'_>,
    mut instruction: Instruction,
    word: u32,
) -> Result<Instruction, DecodeError> {
    let types = instruction.info().src;
    instruction.src[0] = reader.scalar_source(bits(word, 0, 8), types[0], "ssrc0")?;
    let second = bits(word, 8, 8);
    for (operand, &ty) in instruction.src.iter_mut().zip(types).skip(1) {
        *operand = match ty {
            Type::GprIdx => Operand::Imm(second as u16),
            Type::Literal32 => Operand::Literal(reader.literal()?),
            ty => reader.scalar_source(second, ty, "ssrc1")?,
        };
    }
    Ok(reader.finish(instruction))
}

fn sopk(reader: &mut Reader<'_>, word: u32) -> Result<Instruction, DecodeError> {
    let mut instruction = reader.opcode(Encoding::Sopk, bits(word, 23, 5))?;
    let info = instruction.info();
    let register = bits(word, 16, 7);
    if let Some(&ty) = info.dst.first() {
        instruction.dst[0] = reader.scalar_register(register, ty, "sdst")?;
    }
    for (operand, &ty) in instruction.src.iter_mut().zip(info.src) {
        *operand = match ty {
            Type::S32 | Type::S64 => reader.scalar_register(register, ty, "sdst")?,
            Type::Imm32 => Operand::Literal(reader.literal()?),
            _ => Operand::Imm(word as u16),
        };
    }
    Ok(reader.finish(instruction))
}
