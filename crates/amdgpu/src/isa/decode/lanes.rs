//! The words that follow a short vector instruction: permutation of lanes
//! (DPP) and sub-dword addressing (SDWA).

use super::vector::compare_result;
use super::*;
use crate::isa::modifiers::{Dpp, DppControl, OutputModifier, Sdwa, Selection, Unused};
use crate::isa::opcode::Flags;

/// Source numbers that announce a DPP word instead of a register.
const DPP8: u32 = 0xe9;
const DPP8_FETCH_INACTIVE: u32 = 0xea;
const DPP16: u32 = 0xfa;
/// The source number that announces an SDWA word.
pub(super) const SDWA: u32 = 0xf9;

pub(super) fn is_dpp(generation: Generation, code: u32) -> bool {
    code == DPP16 || !generation.is_gfx9() && matches!(code, DPP8 | DPP8_FETCH_INACTIVE)
}

/// Reads the DPP word that follows the instruction so far, and returns the
/// register it names.
pub(super) fn dpp_word(
    reader: &mut Reader<'_>,
    instruction: &mut Instruction,
    code: u32,
) -> Result<u32, DecodeError> {
    let info = instruction.info();
    if !info.has_dpp(instruction.encoding) {
        return Err(reader.bad("src0"));
    }
    let word = reader.word(reader.words)?;
    reader.words += 1;
    if code != DPP16 {
        let mut lanes = [0; 8];
        for (i, lane) in lanes.iter_mut().enumerate() {
            *lane = bits(word, 8 + 3 * i as u32, 3) as u8;
        }
        instruction.modifiers.dpp = Some(Dpp::Lanes8 {
            lanes,
            fetch_inactive: code == DPP8_FETCH_INACTIVE,
        });
        return Ok(bits(word, 0, 8));
    }
    let control = match reader.generation {
        Generation::Gfx9(_) => control_gfx9(bits(word, 8, 9)),
        Generation::Gfx11 | Generation::Gfx12 => control_gfx11(bits(word, 8, 9)),
    };
    let control = control.ok_or_else(|| reader.bad("dpp_ctrl"))?;
    if info.has_wide_operand() && !matches!(control, DppControl::RowShare(_)) {
        return Err(reader.bad("dpp_ctrl"));
    }
    instruction.modifiers.dpp = Some(Dpp::Row {
        control,
        row_mask: bits(word, 28, 4) as u8,
        bank_mask: bits(word, 24, 4) as u8,
        bound_control: bit(word, 19),
        fetch_inactive: bit(word, 18) && !reader.generation.is_gfx9(),
    });
    if instruction.encoding != Encoding::Vop3 && instruction.encoding != Encoding::Vop3p {
        for i in 0..2 {
            let float = info.src.get(i).is_some_and(|ty| ty.is_float());
            let neg = bits(word, 20 + 2 * i as u32, 1);
            let abs = bits(word, 21 + 2 * i as u32, 1);
            if float {
                instruction.modifiers.neg |= (neg as u8) << i;
                instruction.modifiers.abs |= (abs as u8) << i;
            } else if i >= info.src.len() || !info.flags.contains(Flags::DEAD_MODS) {
                reader.reserved(neg | abs, "src_mod")?;
            }
        }
    }
    Ok(bits(word, 0, 8))
}

/// The controls that both generations have.
fn control(code: u32) -> Option<DppControl> {
    let amount = (code & 0xf) as u8;
    Some(match (code >> 4, amount) {
        (0..=0xf, _) => DppControl::QuadPerm(std::array::from_fn(|i| (code >> (2 * i) & 3) as u8)),
        (0x10, 1..) => DppControl::RowShl(amount),
        (0x11, 1..) => DppControl::RowShr(amount),
        (0x12, 1..) => DppControl::RowRor(amount),
        (0x14, 0) => DppControl::RowMirror,
        (0x14, 1) => DppControl::RowHalfMirror,
        (0x15, _) => DppControl::RowShare(amount),
        _ => return None,
    })
}

fn control_gfx11(code: u32) -> Option<DppControl> {
    match code >> 4 {
        0x16 => Some(DppControl::RowXmask((code & 0xf) as u8)),
        _ => control(code),
    }
}

fn control_gfx9(code: u32) -> Option<DppControl> {
    match code {
        0x130 => Some(DppControl::WaveShl),
        0x134 => Some(DppControl::WaveRol),
        0x138 => Some(DppControl::WaveShr),
        0x13c => Some(DppControl::WaveRor),
        0x142 => Some(DppControl::RowBcast15),
        0x143 => Some(DppControl::RowBcast31),
        _ => control(code),
    }
}

/// Finishes VOP1, VOP2 or VOPC with the SDWA word that follows.
pub(super) fn sub_dword(
    reader: &mut Reader<'_>,
    mut instruction: Instruction,
    word: u32,
) -> Result<Instruction, DecodeError> {
    let info = instruction.info();
    if !info.has_sdwa(instruction.encoding) {
        return Err(reader.bad("src0"));
    }
    let high = reader.word(1)?;
    reader.words = 2;
    let mut sdwa = Sdwa {
        dst: Selection::Dword,
        unused: Unused::Pad,
        src: [Selection::Dword; 2],
        sext: 0,
    };
    let codes = [
        bits(high, 0, 8) | (!bits(high, 23, 1) & 1) << 8,
        bits(word, 9, 8) | (!bits(high, 31, 1) & 1) << 8,
    ];
    let compare = instruction.encoding == Encoding::Vopc;
    if instruction.encoding == Encoding::Vop1 {
        reader.reserved(bits(high, 24, 6) | bits(high, 31, 1), "src1")?;
    }
    for (i, &ty) in info.src.iter().enumerate() {
        if ty == Type::Mask {
            instruction.src[i] = reader.mask(Special::VccLo);
            continue;
        }
        let name = ["src0", "src1"][i];
        instruction.src[i] = sub_dword_source(reader, codes[i], ty, name)?;
        let field = bits(high, 16 + 8 * i as u32, 8);
        sdwa.src[i] = selection(field & 7).ok_or_else(|| reader.bad("src_sel"))?;
        let (sext, mods) = (bit(field, 3), bits(field, 4, 2));
        if ty == Type::PkF16 {
            // The packed multiply-add ignores them.
            reader.reserved(u32::from(sext), "sext")?;
        } else if ty.is_float() {
            reader.reserved(u32::from(sext), "sext")?;
            instruction.modifiers.neg |= (mods as u8 & 1) << i;
            instruction.modifiers.abs |= (mods as u8 >> 1) << i;
        } else {
            reader.reserved(mods, "src_mod")?;
            sdwa.sext |= u8::from(sext) << i;
        }
    }
    if compare {
        instruction.dst[0] = if bit(high, 15) {
            reader.scalar_register(bits(high, 8, 7), Type::Mask, "sdst")?
        } else {
            compare_result(reader, info.flags)
        };
    } else {
        sub_dword_result(reader, &mut instruction, &mut sdwa, word, high)?;
    }
    instruction.modifiers.sdwa = Some(sdwa);
    Ok(reader.finish(instruction))
}

/// A source: code 0 to 255 a scalar register or constant, above a VGPR.
fn sub_dword_source(
    reader: &mut Reader<'_>,
    code: u32,
    ty: Type,
    name: &'static str,
) -> Result<Operand, DecodeError> {
    match code {
        256.. => reader.vgprs(code - 256, 1, name),
        255 => Err(reader.bad("literal")),
        _ => reader.source(code, ty, name),
    }
}

/// The result of VOP1 and VOP2, and its modifiers.
fn sub_dword_result(
    reader: &Reader<'_>,
    instruction: &mut Instruction,
    sdwa: &mut Sdwa,
    word: u32,
    high: u32,
) -> Result<(), DecodeError> {
    let info = instruction.info();
    let Some(&ty) = info.dst.first() else {
        reader.reserved(bits(word, 17, 8), "vdst")?;
        return reader.reserved(bits(high, 13, 11), "modifiers");
    };
    instruction.dst[0] = reader.vgpr(bits(word, 17, 8), ty, "vdst")?;
    if info.dst.len() == 2 {
        instruction.dst[1] = reader.mask(Special::VccLo);
    }
    sdwa.dst = selection(bits(high, 8, 3)).ok_or_else(|| reader.bad("dst_sel"))?;
    sdwa.unused = match bits(high, 11, 2) {
        _ if info.flags.contains(Flags::WHOLE_DST) => Unused::Pad,
        0 => Unused::Pad,
        1 => Unused::Sext,
        2 => Unused::Preserve,
        _ => return Err(reader.bad("dst_unused")),
    };
    if info.flags.contains(Flags::WHOLE_DST) && sdwa.dst != Selection::Dword {
        return Err(reader.bad("dst_sel"));
    }
    instruction.modifiers.clamp = bit(high, 13);
    let omod = bits(high, 14, 2);
    if !ty.is_float() {
        reader.reserved(omod, "omod")?;
    }
    instruction.modifiers.omod = OutputModifier::from_bits(omod);
    Ok(())
}

fn selection(code: u32) -> Option<Selection> {
    match code {
        0..=3 => Some(Selection::Byte(code as u8)),
        4 | 5 => Some(Selection::Word(code as u8 - 4)),
        6 => Some(Selection::Dword),
        _ => None,
    }
}
