//! SMEM, DS, VBUFFER, VFLAT, VGLOBAL, VSCRATCH of gfx12.

use super::memory::{segment, signed};
use super::*;
use crate::isa::opcode::Flags;

/// The scalar register number that stands for "no register".
const NULL: u32 = 124;

/// The number of the first temporary of trap handlers.
const TRAP_TEMPORARIES: u32 = 108;

/// The number of M0; above it is EXEC.
const M0: u32 = 125;

/// The number of EXEC.
const EXEC: u32 = 126;

/// Scalar loads, prefetches and cache control.
pub(super) fn scalar(reader: &mut Reader<'_>, word: u32) -> Result<Instruction, DecodeError> {
    let mut instruction = reader.opcode(Encoding::Smem, bits(word, 13, 6))?;
    reader.words = 2;
    let high = reader.word(1)?;
    let info = instruction.info();
    let prefetches = info.flags.contains(Flags::PREFETCH);
    reader.reserved(bits(word, 20, 1), "nv")?;
    if info.src.is_empty() && !prefetches {
        return Ok(reader.finish(instruction));
    }
    let data = bits(word, 6, 7);
    match info.dst.first() {
        Some(_) if data >= M0 => return Err(reader.bad("sdata")),
        Some(Type::S96) if (TRAP_TEMPORARIES..NULL).contains(&data) => {
            return Err(reader.bad("sdata"));
        }
        Some(&ty) => instruction.dst[0] = reader.scalar_register(data, ty, "sdata")?,
        None => {
            reader.reserved(data >> 5, "sdata")?;
            instruction.src[2] = Operand::Imm(data as u16);
        }
    }
    if let Some(&base) = info.src.first() {
        instruction.src[0] = reader.scalar_register(bits(word, 0, 6) << 1, base, "sbase")?;
    }
    instruction.src[1] = reader.scalar_register(bits(high, 25, 7), Type::S32, "soffset")?;
    reader.reserved(bits(high, 24, 1), "scale_offset")?;
    let modifiers = &mut instruction.modifiers;
    modifiers.offset = signed(bits(high, 0, 24), 24);
    let policy = bits(word, 21, 4);
    if info.takes_cache_policy() {
        modifiers.scope = bits(word, 21, 2) as u8;
        modifiers.hint = bits(word, 23, 2) as u8;
    } else if !prefetches {
        reader.reserved(policy, "cache policy")?;
    }
    // Buffers begin at their first byte.
    if info.src.first() == Some(&Type::S128) && modifiers.offset < 0 {
        return Err(reader.bad("offset"));
    }
    Ok(reader.finish(instruction))
}

/// Untyped buffers.
pub(super) fn buffer(reader: &mut Reader<'_>, word: u32) -> Result<Instruction, DecodeError> {
    if bit(word, 21) {
        return reader.unsupported("MTBUF");
    }
    let mut instruction = reader.opcode(Encoding::Mubuf, bits(word, 14, 8))?;
    reader.words = 3;
    let [middle, high] = [reader.word(1)?, reader.word(2)?];
    let info = instruction.info();
    cache_policy(reader, &mut instruction, word, middle)?;
    reader.reserved(bits(high, 31, 1), "offset[23]")?;
    reader.reserved(bits(middle, 16, 2), "rsrc[8:7]")?;
    let modifiers = &mut instruction.modifiers;
    modifiers.offset = bits(high, 8, 23) as i32;
    modifiers.tfe = bit(word, 22);
    modifiers.offen = bit(middle, 30);
    modifiers.idxen = bit(middle, 31);
    let address = match (modifiers.offen, modifiers.idxen) {
        (false, false) => None,
        (true, true) => Some(Type::V64),
        _ => Some(Type::V32),
    };
    let (tfe, glc) = (modifiers.tfe, modifiers.glc);
    let returns = !info.flags.contains(Flags::ATOMIC) || glc;
    if tfe && info.flags.contains(Flags::ATOMIC) {
        return Err(reader.fail(DecodeErrorKind::ReservedField("tfe")));
    }
    instruction.src[0] = match address {
        None => Operand::Off,
        Some(ty) => reader.vgpr(bits(high, 0, 8), ty, "vaddr")?,
    };
    instruction.src[1] = reader.scalar_register(bits(middle, 9, 7), Type::S128, "srsrc")?;
    instruction.src[2] = reader.scalar_register(bits(word, 0, 7), Type::S32, "soffset")?;
    let data = bits(middle, 0, 8);
    let extra = u8::from(tfe);
    if let Some(&ty) = info.src.first() {
        instruction.src[3] = reader.vgprs(data, ty.dwords(reader.wave) + extra, "vdata")?;
    }
    if let Some(&ty) = info.dst.first().filter(|_| returns) {
        instruction.dst[0] = reader.vgprs(data, ty.dwords(reader.wave) + extra, "vdata")?;
    }
    Ok(reader.finish(instruction))
}

/// Scope and temporal hint. That of an atomic says whether it returns the old
/// value.
fn cache_policy(
    reader: &Reader<'_>,
    instruction: &mut Instruction,
    word: u32,
    middle: u32,
) -> Result<(), DecodeError> {
    const RETURN: u8 = 1;
    reader.reserved(bits(word, 7, 1), "nv")?;
    let atomic = instruction.info().flags.contains(Flags::ATOMIC);
    let modifiers = &mut instruction.modifiers;
    modifiers.scope = bits(middle, 18, 2) as u8;
    modifiers.hint = bits(middle, 20, 3) as u8;
    modifiers.glc = atomic && modifiers.hint & RETURN != 0;
    Ok(())
}

/// Flat, global and scratch addresses.
pub(super) fn flat(reader: &mut Reader<'_>, word: u32) -> Result<Instruction, DecodeError> {
    let encoding =
        segment(bits(word, 24, 2)).ok_or_else(|| reader.fail(DecodeErrorKind::UnknownFormat))?;
    let mut instruction = reader.opcode(encoding, bits(word, 14, 8))?;
    reader.words = 3;
    let [middle, high] = [reader.word(1)?, reader.word(2)?];
    let info = instruction.info();
    cache_policy(reader, &mut instruction, word, middle)?;
    reader.reserved(bits(middle, 16, 1), "scale_offset")?;
    instruction.modifiers.offset = signed(bits(high, 8, 24), 24);
    if info.dst.is_empty() && info.src.is_empty() {
        reader.reserved(bits(word, 0, 7) ^ NULL, "saddr")?;
        reader.reserved(bits(middle, 0, 8) | bits(middle, 23, 8), "vdst, vsrc")?;
        reader.reserved(high | bits(middle, 17, 1), "vaddr, offset, sve")?;
        return Ok(reader.finish(instruction));
    }
    let returns = !info.flags.contains(Flags::ATOMIC) || instruction.modifiers.glc;
    flat_address(reader, &mut instruction, [word, middle, high])?;
    if let Some(&ty) = info.src.first() {
        instruction.src[3] = reader.vgpr(bits(middle, 23, 8), ty, "vsrc")?;
    }
    if let Some(&ty) = info.dst.first().filter(|_| returns) {
        instruction.dst[0] = reader.vgpr(bits(middle, 0, 8), ty, "vdst")?;
    }
    Ok(reader.finish(instruction))
}

/// The address operands: a VGPR (pair) and a scalar base, each optional by format.
fn flat_address(
    reader: &Reader<'_>,
    instruction: &mut Instruction,
    [word, middle, high]: [u32; 3],
) -> Result<(), DecodeError> {
    let (vector, base) = (bits(high, 0, 8), bits(word, 0, 7));
    let has_base = base != NULL;
    let enabled = bit(middle, 17);
    let (address, base_type) = match instruction.encoding {
        _ if instruction.info().flags.contains(Flags::NO_ADDRESS) => (None, Type::S64),
        Encoding::Scratch => (enabled.then_some(Type::V32), Type::S32),
        _ if has_base => (Some(Type::V32), Type::S64),
        _ => (Some(Type::V64), Type::S64),
    };
    instruction.src[0] = match address {
        Some(ty) => reader.vgpr(vector, ty, "vaddr")?,
        None => Operand::Off,
    };
    if base > EXEC || base == EXEC && instruction.encoding != Encoding::Scratch {
        return Err(reader.bad("saddr"));
    }
    instruction.src[1] = match instruction.encoding {
        Encoding::Flat => {
            reader.reserved(u32::from(has_base), "saddr")?;
            Operand::None
        }
        _ if has_base => reader.scalar_register(base, base_type, "saddr")?,
        _ => Operand::Off,
    };
    if instruction.encoding != Encoding::Scratch {
        reader.reserved(u32::from(enabled), "sve")?;
    }
    Ok(())
}
