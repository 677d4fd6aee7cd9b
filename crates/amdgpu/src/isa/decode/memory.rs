//! SMEM, DS, MUBUF, FLAT, GLOBAL, SCRATCH of gfx11.

use super::*;
use crate::isa::opcode::Flags;

/// The scalar register number that stands for "no register".
const NULL: u32 = 124;

/// The number of M0; above it is EXEC.
const M0: u32 = 125;

/// Registers from this number on are halves of EXEC.
const EXEC: u32 = 126;

/// Sign-extends the low `width` bits.
pub(super) fn signed(value: u32, width: u32) -> i32 {
    (value << (32 - width)) as i32 >> (32 - width)
}

/// Scalar loads and cache control.
pub(super) fn scalar(reader: &mut Reader<'_>, word: u32) -> Result<Instruction, DecodeError> {
    let mut instruction = reader.opcode(Encoding::Smem, bits(word, 18, 8))?;
    reader.words = 2;
    let high = reader.word(1)?;
    let info = instruction.info();
    let Some(&base) = info.src.first() else {
        reader.reserved(bits(word, 13, 2), "cache policy")?;
        return Ok(reader.finish(instruction));
    };
    match info.dst.first() {
        Some(&ty) => {
            let data = bits(word, 6, 7);
            if data >= M0 {
                return Err(reader.bad("sdata"));
            }
            instruction.dst[0] = reader.scalar_register(data, ty, "sdata")?;
        }
        None => {
            reader.reserved(bits(word, 13, 2), "cache policy")?;
            instruction.src[2] = Operand::Imm(bits(word, 6, 7) as u16);
        }
    }
    instruction.src[0] = reader.scalar_register(bits(word, 0, 6) << 1, base, "sbase")?;
    instruction.src[1] = reader.scalar_register(bits(high, 25, 7), Type::S32, "soffset")?;
    let modifiers = &mut instruction.modifiers;
    modifiers.dlc = bit(word, 13);
    modifiers.glc = bit(word, 14);
    modifiers.offset = signed(bits(high, 0, 21), 21);
    Ok(reader.finish(instruction))
}

/// Local data share.
pub(super) fn lds(reader: &mut Reader<'_>, word: u32) -> Result<Instruction, DecodeError> {
    let mut instruction = reader.opcode(Encoding::Ds, bits(word, 18, 8))?;
    reader.words = 2;
    let high = reader.word(1)?;
    let info = instruction.info();
    let modifiers = &mut instruction.modifiers;
    if info.flags.contains(Flags::TWO_ADDRESSES) {
        modifiers.offset = bits(word, 0, 8) as i32;
        modifiers.offset1 = bits(word, 8, 8) as u8;
    } else {
        modifiers.offset = bits(word, 0, 16) as i32;
    }
    modifiers.gds = bit(word, 17);
    if info.dst.is_empty() && info.src.is_empty() && !info.flags.contains(Flags::NEEDS_GDS) {
        reader.reserved(bits(word, 0, 16), "offset")?;
    }
    let without = info.flags.contains(Flags::NO_GDS) || reader.generation == Generation::Gfx12;
    if modifiers.gds && without {
        return Err(reader.fail(DecodeErrorKind::ReservedField("gds")));
    }
    if !modifiers.gds && info.flags.contains(Flags::NEEDS_GDS) {
        return Err(reader.bad("gds"));
    }
    match info.dst.first() {
        Some(&ty) => instruction.dst[0] = reader.vgpr(bits(high, 24, 8), ty, "vdst")?,
        None => reader.reserved(bits(high, 24, 8), "vdst")?,
    }
    let address = usize::from(!info.flags.contains(Flags::NO_ADDRESS));
    let data = info.src.len() - address.min(info.src.len());
    let fields = [
        (bits(high, 0, 8), "addr", address > 0),
        (bits(high, 8, 8), "data0", data > 0),
        (bits(high, 16, 8), "data1", data > 1),
    ];
    let mut types = info.src.iter();
    for (slot, (number, name, used)) in fields.into_iter().enumerate() {
        match types.as_slice().first() {
            Some(&ty) if used => {
                instruction.src[slot] = reader.vgpr(number, ty, name)?;
                types.next();
            }
            _ => reader.reserved(number, name)?,
        }
    }
    Ok(reader.finish(instruction))
}

/// Untyped buffers.
pub(super) fn buffer(reader: &mut Reader<'_>, word: u32) -> Result<Instruction, DecodeError> {
    let mut instruction = reader.opcode(Encoding::Mubuf, bits(word, 18, 8))?;
    reader.words = 2;
    let high = reader.word(1)?;
    let info = instruction.info();
    if info.dst.is_empty() && info.src.is_empty() {
        reader.reserved(bits(word, 13, 2), "cache policy")?;
        reader.reserved(bits(high, 21, 3), "tfe, offen, idxen")?;
        return Ok(reader.finish(instruction));
    }
    let modifiers = &mut instruction.modifiers;
    modifiers.offset = bits(word, 0, 12) as i32;
    modifiers.slc = bit(word, 12);
    modifiers.dlc = bit(word, 13);
    modifiers.glc = bit(word, 14);
    modifiers.tfe = bit(high, 21);
    modifiers.offen = bit(high, 22);
    modifiers.idxen = bit(high, 23);
    let address = match (modifiers.offen, modifiers.idxen) {
        (false, false) => None,
        (true, true) => Some(Type::V64),
        _ => Some(Type::V32),
    };
    let returns = !info.flags.contains(Flags::ATOMIC) || modifiers.glc;
    let tfe = modifiers.tfe;
    instruction.src[0] = match address {
        None => Operand::Off,
        Some(ty) => reader.vgpr(bits(high, 0, 8), ty, "vaddr")?,
    };
    instruction.src[1] = reader.scalar_register(bits(high, 16, 5) << 2, Type::S128, "srsrc")?;
    instruction.src[2] = reader.scalar_source(bits(high, 24, 8), Type::B32, "soffset")?;
    let data = bits(high, 8, 8);
    if tfe && info.flags.contains(Flags::ATOMIC) {
        return Err(reader.fail(DecodeErrorKind::ReservedField("tfe")));
    }
    let extra = u8::from(tfe);
    if let Some(&ty) = info.src.first() {
        instruction.src[3] = reader.vgprs(data, ty.dwords(reader.wave) + extra, "vdata")?;
    }
    if let Some(&ty) = info.dst.first().filter(|_| returns) {
        instruction.dst[0] = reader.vgprs(data, ty.dwords(reader.wave) + extra, "vdata")?;
    }
    Ok(reader.finish(instruction))
}

/// The format that the segment field of flat, global and scratch
/// instructions picks.
pub(super) fn segment(number: u32) -> Option<Encoding> {
    match number {
        0 => Some(Encoding::Flat),
        1 => Some(Encoding::Scratch),
        2 => Some(Encoding::Global),
        _ => None,
    }
}

/// Flat, global and scratch addresses.
pub(super) fn flat(reader: &mut Reader<'_>, word: u32) -> Result<Instruction, DecodeError> {
    let number = bits(word, 18, 7);
    let encoding =
        segment(bits(word, 16, 2)).ok_or_else(|| reader.fail(DecodeErrorKind::UnknownFormat))?;
    let mut instruction = reader.opcode(encoding, number)?;
    reader.words = 2;
    let high = reader.word(1)?;
    let info = instruction.info();
    let modifiers = &mut instruction.modifiers;
    modifiers.offset = match encoding {
        Encoding::Flat => bits(word, 0, 13) as i32,
        _ => signed(bits(word, 0, 13), 13),
    };
    modifiers.dlc = bit(word, 13);
    modifiers.glc = bit(word, 14);
    modifiers.slc = bit(word, 15);
    let returns = !info.flags.contains(Flags::ATOMIC) || modifiers.glc;
    flat_address(reader, &mut instruction, high)?;
    if let Some(&ty) = info.src.first() {
        instruction.src[3] = reader.vgpr(bits(high, 8, 8), ty, "data")?;
    }
    if let Some(&ty) = info.dst.first().filter(|_| returns) {
        instruction.dst[0] = reader.vgpr(bits(high, 24, 8), ty, "vdst")?;
    }
    Ok(reader.finish(instruction))
}

/// The address operands: a VGPR (pair) and a scalar base, each optional by format.
fn flat_address(
    reader: &mut Reader<'_>,
    instruction: &mut Instruction,
    high: u32,
) -> Result<(), DecodeError> {
    let vector = bits(high, 0, 8);
    let base = bits(high, 16, 7);
    let has_base = base != NULL;
    let enabled = bit(high, 23);
    let (address, base_type) = match instruction.encoding {
        _ if instruction.info().flags.contains(Flags::NO_ADDRESS) => (None, Type::S64),
        Encoding::Scratch => (enabled.then_some(Type::V32), Type::S32),
        _ if has_base => (Some(Type::V32), Type::S64),
        _ => (Some(Type::V64), Type::S64),
    };
    instruction.src[0] = match address {
        Some(ty) => reader.vgpr(vector, ty, "addr")?,
        None => Operand::Off,
    };
    if base > EXEC || base == EXEC && instruction.encoding != Encoding::Scratch {
        return Err(reader.bad("saddr"));
    }
    instruction.src[1] = if has_base {
        reader.scalar_register(base, base_type, "saddr")?
    } else {
        Operand::Off
    };
    if instruction.encoding == Encoding::Flat {
        instruction.src[1] = Operand::None;
        reader.reserved(u32::from(has_base), "saddr")?;
    }
    if instruction.encoding != Encoding::Scratch {
        reader.reserved(u32::from(enabled), "sve")?;
    }
    Ok(())
}
