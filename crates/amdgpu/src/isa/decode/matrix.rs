//! VOP3P of gfx9: packed instructions, accumulation registers, matrices.

use super::vector::{long_sources, packed_modifiers};
use super::*;
use crate::isa::opcode::Flags;

/// Which fields name accumulation registers.
#[derive(Clone, Copy)]
struct Accumulation {
    first: bool,
    second: bool,
    result: bool,
}

/// Decodes an instruction of the format.
pub(super) fn packed(reader: &mut Reader<'_>, word: u32) -> Result<Instruction, DecodeError> {
    let mut instruction = reader.opcode(Encoding::Vop3p, bits(word, 16, 7))?;
    reader.words = 2;
    let high = reader.word(1)?;
    let info = instruction.info();
    match info.dst[0] {
        Type::A32 => write_accumulator(reader, &mut instruction, word, high)?,
        _ if info.src[0] == Type::A32 => read_accumulator(reader, &mut instruction, word, high)?,
        ty if ty.is_accumulator() => matrix(reader, &mut instruction, word, high)?,
        _ => {
            long_sources(reader, &mut instruction, high)?;
            packed_modifiers(reader, &mut instruction, word, high)?;
        }
    }
    Ok(reader.finish(instruction))
}

/// The modifier fields of moves, all zero.
fn no_modifiers(reader: &Reader<'_>, word: u32, high: u32) -> Result<(), DecodeError> {
    reader.reserved(bits(word, 8, 6), "modifiers")?;
    reader.reserved(bits(high, 29, 3), "neg")
}

fn write_accumulator(
    reader: &mut Reader<'_>,
    instruction: &mut Instruction,
    word: u32,
    high: u32,
) -> Result<(), DecodeError> {
    no_modifiers(reader, word, high)?;
    instruction.dst[0] = reader.agprs(bits(word, 0, 8), 1, "vdst")?;
    instruction.src[0] = match bits(high, 0, 9) {
        255 => return Err(reader.bad("literal")),
        code => reader.source(code, Type::B32, "src0")?,
    };
    Ok(())
}

fn read_accumulator(
    reader: &Reader<'_>,
    instruction: &mut Instruction,
    word: u32,
    high: u32,
) -> Result<(), DecodeError> {
    no_modifiers(reader, word, high)?;
    instruction.dst[0] = reader.vgprs(bits(word, 0, 8), 1, "vdst")?;
    let Some(index) = bits(high, 0, 9).checked_sub(256) else {
        return Err(reader.bad("src0"));
    };
    instruction.src[0] = reader.agprs(index, 1, "src0")?;
    Ok(())
}

/// Matrix products. The third source of sparse ones is the index; their
/// accumulator is the destination.
fn matrix(
    reader: &mut Reader<'_>,
    instruction: &mut Instruction,
    word: u32,
    high: u32,
) -> Result<(), DecodeError> {
    let info = instruction.info();
    let in_agprs = Accumulation {
        first: bit(high, 27),
        second: bit(high, 28),
        result: bit(word, 15),
    };
    let register = |index: u32, ty: Type, accumulation: bool, name: &'static str| {
        let dwords = ty.dwords(reader.wave);
        if accumulation {
            reader.agprs(index, dwords, name)
        } else {
            reader.vgprs(index, dwords, name)
        }
    };
    let fields = [bits(high, 0, 9), bits(high, 9, 9), bits(high, 18, 9)];
    for (i, name) in ["src0", "src1"].into_iter().enumerate() {
        let Some(index) = fields[i].checked_sub(256) else {
            return Err(reader.bad(name));
        };
        let accumulation = [in_agprs.first, in_agprs.second][i];
        instruction.src[i] = register(index, info.src[i], accumulation, name)?;
    }
    instruction.dst[0] = register(bits(word, 0, 8), info.dst[0], in_agprs.result, "vdst")?;
    let sparse = info.flags.contains(Flags::READS_DST);
    instruction.src[2] = match fields[2].checked_sub(256) {
        Some(index) => {
            let accumulation = in_agprs.result && !sparse;
            register(index, info.src[2], accumulation, "src2")?
        }
        // What fits a pair may also come from the apertures and flags.
        None if !sparse
            && info.src[2] == Type::Acc64
            && matches!(fields[2], 235..=239 | 251..=253) =>
        {
            reader.scalar_source(fields[2], info.src[2], "src2")?
        }
        None if sparse || !matches!(fields[2], 128..=208 | 240..=248) => {
            return Err(reader.bad("src2"));
        }
        None => reader.scalar_source(fields[2], info.src[2], "src2")?,
    };
    let modifiers = &mut instruction.modifiers;
    modifiers.broadcast_size = bits(word, 8, 3) as u8;
    modifiers.broadcast_block = bits(word, 11, 4) as u8;
    let pattern = bits(high, 29, 3);
    if sparse {
        reader.reserved(pattern, "blgp")?;
    }
    modifiers.lane_pattern = pattern as u8;
    Ok(())
}
