//! SMEM, DS, MUBUF, MTBUF, FLAT, GLOBAL, SCRATCH of gfx9.

use super::memory::{segment, signed};
use super::*;
use crate::isa::opcode::Flags;

/// The scalar base that stands for "none".
const NO_BASE: u32 = 0x7f;

/// The number of EXEC.
const EXEC: u32 = 0x7e;

/// Scalar loads, stores, atomics and cache control.
pub(super) fn scalar(reader: &mut Reader<'_>, word: u32) -> Result<Instruction, DecodeError> {
    let mut instruction = reader.opcode(Encoding::Smem, bits(word, 18, 8))?;
    reader.words = 2;
    let high = reader.word(1)?;
    let info = instruction.info();
    let returns = bit(word, 16);
    let (data, base) = (bits(word, 6, 7), bits(word, 0, 6) << 1);
    let Some(&base_type) = info.src.first() else {
        reader.reserved(bits(word, 17, 1), "imm")?;
        if let Some(&ty) = info.dst.first() {
            instruction.dst[0] = scalar_data(reader, data, ty)?;
        }
        return Ok(reader.finish(instruction));
    };
    instruction.src[0] = reader.scalar_register(base, base_type, "sbase")?;
    let (immediate, with_register) = (bit(word, 17), bit(word, 14));
    instruction.src[1] = match (immediate, with_register) {
        (true, false) => Operand::None,
        (_, true) => reader.scalar_register(bits(high, 25, 7), Type::S32, "soffset")?,
        (false, false) => reader.scalar_register(bits(high, 0, 7), Type::S32, "soffset")?,
    };
    if immediate {
        instruction.modifiers.offset = signed(bits(high, 0, 21), 21);
    } else {
        instruction.src[3] = Operand::Off;
    }
    match info.src.get(1) {
        Some(&ty) => instruction.src[2] = scalar_data(reader, data, ty)?,
        None if info.flags.contains(Flags::PREFETCH) => {
            instruction.src[2] = Operand::Imm(data as u16);
        }
        None => {}
    }
    if let Some(&ty) = info.dst.first() {
        let atomic = info.flags.contains(Flags::ATOMIC);
        if !atomic || returns {
            instruction.dst[0] = scalar_data(reader, data, ty)?;
        }
    }
    instruction.modifiers.glc = returns && info.takes_cache_policy();
    Ok(reader.finish(instruction))
}

fn scalar_data(reader: &Reader<'_>, code: u32, ty: Type) -> Result<Operand, DecodeError> {
    // M0 and EXEC cannot be loaded.
    if code >= 124 {
        return Err(reader.bad("sdata"));
    }
    reader.scalar_register(code, ty, "sdata")
}

/// A vector or accumulation register with data.
fn data(
    reader: &Reader<'_>,
    index: u32,
    ty: Type,
    accumulation: bool,
    name: &'static str,
) -> Result<Operand, DecodeError> {
    let dwords = ty.dwords(reader.wave);
    if accumulation {
        reader.agprs(index, dwords, name)
    } else {
        reader.vgprs(index, dwords, name)
    }
}

/// Local data share.
pub(super) fn lds(reader: &mut Reader<'_>, word: u32) -> Result<Instruction, DecodeError> {
    let mut instruction = reader.opcode(Encoding::Ds, bits(word, 17, 8))?;
    reader.words = 2;
    let high = reader.word(1)?;
    let info = instruction.info();
    let accumulation = bit(word, 25);
    let modifiers = &mut instruction.modifiers;
    if info.flags.contains(Flags::TWO_ADDRESSES) {
        modifiers.offset = bits(word, 0, 8) as i32;
        modifiers.offset1 = bits(word, 8, 8) as u8;
    } else {
        modifiers.offset = bits(word, 0, 16) as i32;
    }
    // There is no global data share but for synchronisation.
    let global = info.flags.contains(Flags::NEEDS_GDS);
    modifiers.gds = bit(word, 16);
    if modifiers.gds != global {
        return Err(reader.bad("gds"));
    }
    let address = usize::from(!info.flags.contains(Flags::NO_ADDRESS) && !global);
    let values = info.src.len() - address.min(info.src.len());
    if info.dst.is_empty() && info.src.is_empty() {
        if !global {
            reader.reserved(bits(word, 0, 17), "offset")?;
        }
        reader.reserved(u32::from(accumulation), "acc")?;
    }
    match info.dst.first() {
        Some(&ty) => {
            instruction.dst[0] = data(reader, bits(high, 24, 8), ty, accumulation, "vdst")?;
        }
        None => reader.reserved(bits(high, 24, 8), "vdst")?,
    }
    // Data for the global share stands in the place of the address.
    let fields = [
        (
            bits(high, 0, 8),
            "addr",
            address > 0 || global && values > 0,
        ),
        (bits(high, 8, 8), "data0", values > 0 && !global),
        (bits(high, 16, 8), "data1", values > 1),
    ];
    let mut types = info.src.iter();
    for (slot, (number, name, used)) in fields.into_iter().enumerate() {
        match types.as_slice().first() {
            Some(&ty) if used => {
                let accumulation = accumulation && (slot > 0 || global);
                instruction.src[slot] = data(reader, number, ty, accumulation, name)?;
                types.next();
            }
            _ => reader.reserved(number, name)?,
        }
    }
    Ok(reader.finish(instruction))
}

fn is_gfx90a(reader: &Reader<'_>) -> bool {
    reader.generation == Generation::Gfx9(Cdna::Cdna2)
}

/// Refuses the second coherence bit of gfx90a where there is none.
fn no_scc(reader: &Reader<'_>, flags: Flags, modifiers: &Modifiers) -> Result<(), DecodeError> {
    let set = modifiers.sc1 && flags.contains(Flags::NO_SCC) && is_gfx90a(reader);
    reader.reserved(u32::from(set), "scc")
}

/// The VGPRs that hold the address of a buffer access.
fn buffer_address(
    reader: &Reader<'_>,
    high: u32,
    modifiers: &Modifiers,
) -> Result<Operand, DecodeError> {
    let ty = match (modifiers.offen, modifiers.idxen) {
        (false, false) => return Ok(Operand::Off),
        (true, true) => Type::V64,
        _ => Type::V32,
    };
    reader.vgpr(bits(high, 0, 8), ty, "vaddr")
}

/// Untyped buffers.
pub(super) fn buffer(reader: &mut Reader<'_>, word: u32) -> Result<Instruction, DecodeError> {
    let mut instruction = reader.opcode(Encoding::Mubuf, bits(word, 18, 7))?;
    reader.words = 2;
    let high = reader.word(1)?;
    let info = instruction.info();
    let accumulation = bit(high, 23);
    let modifiers = &mut instruction.modifiers;
    modifiers.glc = bit(word, 14);
    modifiers.sc1 = bit(word, 15);
    no_scc(reader, info.flags, modifiers)?;
    if info.dst.is_empty() && info.src.is_empty() && !info.flags.contains(Flags::LDS_FORM) {
        reader.reserved(bits(word, 12, 2), "offen, idxen")?;
        reader.reserved(bits(word, 16, 1), "lds")?;
        reader.reserved(u32::from(accumulation), "acc")?;
        if is_gfx90a(reader) {
            // What is left of these is a single instruction: the bits are ignored
            // or, where the flags say so, refused.
            reader.reserved(
                u32::from(modifiers.glc && info.flags.contains(Flags::NO_SCC)),
                "glc",
            )?;
            (modifiers.glc, modifiers.sc1) = (false, false);
        }
        return Ok(reader.finish(instruction));
    }
    modifiers.offset = bits(word, 0, 12) as i32;
    modifiers.offen = bit(word, 12);
    modifiers.idxen = bit(word, 13);
    modifiers.lds = bit(word, 16);
    modifiers.slc = bit(word, 17);
    let from_lds = instruction.op == Opcode::BufferStoreLdsDword;
    if modifiers.lds && !info.flags.contains(Flags::LDS_FORM) || from_lds && !modifiers.lds {
        return Err(reader.bad("lds"));
    }
    if from_lds {
        reader.reserved(bits(word, 12, 2), "offen, idxen")?;
    }
    buffer_operands(reader, &mut instruction, high, accumulation)?;
    Ok(reader.finish(instruction))
}

/// Typed buffers.
pub(super) fn typed_buffer(reader: &mut Reader<'_>, word: u32) -> Result<Instruction, DecodeError> {
    let mut instruction = reader.opcode(Encoding::Mtbuf, bits(word, 15, 4))?;
    reader.words = 2;
    let high = reader.word(1)?;
    let modifiers = &mut instruction.modifiers;
    modifiers.offset = bits(word, 0, 12) as i32;
    modifiers.offen = bit(word, 12);
    modifiers.idxen = bit(word, 13);
    modifiers.glc = bit(word, 14);
    modifiers.format = bits(word, 19, 7) as u8;
    modifiers.sc1 = bit(high, 21);
    modifiers.slc = bit(high, 22);
    buffer_operands(reader, &mut instruction, high, bit(high, 23))?;
    Ok(reader.finish(instruction))
}

/// Address, resource, offset and data of a buffer access.
fn buffer_operands(
    reader: &mut Reader<'_>,
    instruction: &mut Instruction,
    high: u32,
    accumulation: bool,
) -> Result<(), DecodeError> {
    let info = instruction.info();
    let modifiers = instruction.modifiers;
    let returns = !info.flags.contains(Flags::ATOMIC) || modifiers.glc;
    instruction.src[0] = buffer_address(reader, high, &modifiers)?;
    instruction.src[1] = reader.scalar_register(bits(high, 16, 5) << 2, Type::S128, "srsrc")?;
    instruction.src[2] = match bits(high, 24, 8) {
        255 => return Err(reader.bad("soffset")),
        code => reader.scalar_source(code, Type::B32, "soffset")?,
    };
    if modifiers.lds {
        return reader.reserved(u32::from(accumulation), "acc");
    }
    let register = bits(high, 8, 8);
    if let Some(&ty) = info.src.first() {
        instruction.src[3] = data(reader, register, ty, accumulation, "vdata")?;
    }
    if let Some(&ty) = info.dst.first().filter(|_| returns) {
        instruction.dst[0] = data(reader, register, ty, accumulation, "vdata")?;
    }
    Ok(())
}

/// Flat, global and scratch addresses.
pub(super) fn flat(reader: &mut Reader<'_>, word: u32) -> Result<Instruction, DecodeError> {
    let encoding =
        segment(bits(word, 14, 2)).ok_or_else(|| reader.fail(DecodeErrorKind::UnknownFormat))?;
    let mut instruction = reader.opcode(encoding, bits(word, 18, 7))?;
    reader.words = 2;
    let high = reader.word(1)?;
    let info = instruction.info();
    let accumulation = bit(high, 23);
    let modifiers = &mut instruction.modifiers;
    modifiers.offset = match encoding {
        Encoding::Flat => bits(word, 0, 13) as i32,
        _ => signed(bits(word, 0, 13), 13),
    };
    modifiers.glc = bit(word, 16);
    modifiers.slc = bit(word, 17);
    modifiers.sc1 = bit(word, 25);
    no_scc(reader, info.flags, modifiers)?;
    if is_gfx90a(reader) {
        modifiers.lds = bit(word, 13);
        if modifiers.lds && !info.flags.contains(Flags::LDS_FORM) {
            return Err(reader.bad("lds"));
        }
    }
    let to_lds = modifiers.lds;
    let returns = !info.flags.contains(Flags::ATOMIC) || modifiers.glc;
    flat_address(reader, &mut instruction, word, high)?;
    if info.dst.is_empty() && info.src.is_empty() || to_lds {
        reader.reserved(u32::from(accumulation), "acc")?;
    }
    if to_lds {
        return Ok(reader.finish(instruction));
    }
    if let Some(&ty) = info.src.first() {
        instruction.src[3] = data(reader, bits(high, 8, 8), ty, accumulation, "data")?;
    }
    if let Some(&ty) = info.dst.first().filter(|_| returns) {
        let excluded = info.flags.contains(Flags::NO_ACC_RETURN)
            || info.flags.contains(Flags::NO_SC1_ACC_RETURN) && instruction.modifiers.sc1;
        if excluded && !is_gfx90a(reader) {
            reader.reserved(u32::from(accumulation), "acc")?;
        }
        instruction.dst[0] = data(reader, bits(high, 24, 8), ty, accumulation, "vdst")?;
    }
    Ok(reader.finish(instruction))
}

/// The address operands: a VGPR (pair) and a scalar base, each optional by format.
fn flat_address(
    reader: &Reader<'_>,
    instruction: &mut Instruction,
    word: u32,
    high: u32,
) -> Result<(), DecodeError> {
    let (vector, base) = (bits(high, 0, 8), bits(high, 16, 7));
    let enabled = bit(word, 13);
    let has_base = base != NO_BASE;
    let info = instruction.info();
    let moves_registers = !info.dst.is_empty() || !info.src.is_empty();
    // gfx90a has an address or a base, and no bit that says which.
    let either = is_gfx90a(reader);
    let address = match instruction.encoding {
        Encoding::Scratch if either => (!has_base).then_some(Type::V32),
        Encoding::Scratch => enabled.then_some(Type::V32),
        Encoding::Global if has_base => Some(Type::V32),
        _ => Some(Type::V64),
    };
    if instruction.encoding != Encoding::Scratch && !either {
        reader.reserved(u32::from(enabled), "sve")?;
    }
    instruction.src[0] = match address {
        Some(ty) => reader.vgpr(vector, ty, "addr")?,
        None => Operand::Off,
    };
    instruction.src[1] = match instruction.encoding {
        Encoding::Flat => {
            reader.reserved(base, "saddr")?;
            Operand::None
        }
        _ if !has_base => Operand::Off,
        Encoding::Global if base == EXEC && moves_registers => return Err(reader.bad("saddr")),
        Encoding::Scratch => reader.scalar_register(base, Type::S32, "saddr")?,
        _ => reader.scalar_register(base, Type::S64, "saddr")?,
    };
    Ok(())
}
