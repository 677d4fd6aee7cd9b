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
    let Some(&result) = info.dst.first() else {
        return scales(reader, instruction, word, high);
    };
    match result {
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

/// The instruction that scales a matrix product, and that product if it follows.
fn scales(
    reader: &mut Reader<'_>,
    mut instruction: Instruction,
    word: u32,
    high: u32,
) -> Result<Instruction, DecodeError> {
    /// The bit of the product that says that scales are in front of it.
    const SCALED: u32 = 1 << 11;
    let scaled = |word: &u32| {
        let number = bits(*word, 16, 7) as usize;
        let row = usize::from(reader.rows.vop3p[number]);
        let info = Opcode::ALL
            .get(row)
            .and_then(|op| op.info(reader.generation));
        word >> 23 == 0x1a7
            && bits(*word, 11, 4) == 1
            && info.is_some_and(|info| info.flags.contains(Flags::SCALED))
    };
    let product = reader.try_word(2).filter(scaled);
    instruction.modifiers.op_sel = bits(word, 11, 2) as u8;
    instruction.modifiers.op_sel_hi = bits(high, 27, 2) as u8;
    let Some(product) = product else {
        reader.reserved(bits(word, 0, 8), "vdst")?;
        reader.reserved(bits(word, 8, 3) | bits(word, 13, 1), "modifiers")?;
        reader.reserved(bits(word, 15, 1) | bits(high, 29, 3), "modifiers")?;
        long_sources(reader, &mut instruction, high)?;
        return Ok(reader.finish(instruction));
    };
    for (i, name) in ["scale_src0", "scale_src1"].into_iter().enumerate() {
        let Some(index) = bits(high, 9 * i as u32, 9).checked_sub(256) else {
            return Err(reader.bad(name));
        };
        instruction.src[i] = reader.vgprs(index, 1, name)?;
    }
    let offset = reader.offset + 8;
    let mut behind = Reader { offset, ..*reader };
    let mut product = packed(&mut behind, product & !SCALED)?;
    product.size_bytes += 8;
    product.dual = Some(Box::new(instruction));
    Ok(product)
}

/// Dwords of the elements that a modifier names for half of a row: of eight,
/// six or four bits each.
fn scaled_dwords(format: u32) -> u8 {
    match format {
        2 | 3 => 6,
        4 => 4,
        _ => 8,
    }
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
    let scaled = info.flags.contains(Flags::SCALED);
    let formats = [bits(word, 8, 3), bits(high, 29, 3)];
    if scaled {
        reader.reserved(bits(word, 11, 4), "abid")?;
    }
    let register = |index: u32, ty: Type, accumulation: bool, name: &'static str| {
        let dwords = match name {
            "src0" if scaled => scaled_dwords(formats[0]),
            "src1" if scaled => scaled_dwords(formats[1]),
            _ => ty.dwords(reader.wave),
        };
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
