//! VOP1, VOP2, VOPC, VOP3, VOP3P, VOPD.

use super::lanes::{SDWA, dpp_word, is_dpp, sub_dword};
use super::*;
use crate::isa::modifiers::OutputModifier;
use crate::isa::opcode::Flags;

/// The source number of a literal.
const LITERAL: u32 = 255;

/// VOP1, VOP2 and VOPC; the top bit of `word` is 0.
pub(super) fn short(reader: &mut Reader<'_>, word: u32) -> Result<Instruction, DecodeError> {
    let mut instruction = match bits(word, 25, 6) {
        0x3f => reader.opcode(Encoding::Vop1, bits(word, 9, 8))?,
        0x3e => reader.opcode(Encoding::Vopc, bits(word, 17, 8))?,
        number => reader.opcode(Encoding::Vop2, number)?,
    };
    let info = instruction.info();
    let encoding = instruction.encoding;
    let code = bits(word, 0, 9);
    if code == SDWA && reader.generation.is_gfx9() {
        return sub_dword(reader, instruction, word);
    }
    let dpp = if is_dpp(reader.generation, code) {
        Some(dpp_word(reader, &mut instruction, code)?)
    } else {
        None
    };
    short_sources(reader, &mut instruction, word, dpp)?;
    let number = bits(word, 17, 8);
    match info.dst.first() {
        _ if encoding == Encoding::Vopc => {
            instruction.dst[0] = compare_result(reader, info.flags);
        }
        None => reader.reserved(number, "vdst")?,
        Some(Type::S32) => {
            instruction.dst[0] = reader.uniform_result(number)?;
        }
        Some(&ty) => {
            let (operand, high) = short_register(reader, number, ty, "vdst")?;
            instruction.dst[0] = operand;
            instruction.modifiers.op_sel |= u8::from(high) << 3;
        }
    }
    if info.dst.len() == 2 {
        instruction.dst[1] = reader.mask(Special::VccLo);
    }
    Ok(reader.finish(instruction))
}

/// Where a compare writes when no operand says so. (On gfx9 those that write
/// EXEC write VCC too.)
pub(super) fn compare_result(reader: &Reader<'_>, flags: Flags) -> Operand {
    let to_exec = !reader.generation.is_gfx9() && flags.contains(Flags::WRITES_EXEC);
    reader.mask(if to_exec {
        Special::ExecLo
    } else {
        Special::VccLo
    })
}

/// A register in the short formats, where on gfx11 the top bit of the number
/// picks the half of a 16-bit operand.
fn short_register(
    reader: &Reader<'_>,
    number: u32,
    ty: Type,
    name: &'static str,
) -> Result<(Operand, bool), DecodeError> {
    if ty == Type::A32 {
        return Ok((reader.agprs(number, 1, name)?, false));
    }
    if ty.is_half() && !reader.generation.is_gfx9() {
        Ok((reader.vgpr(number & 0x7f, ty, name)?, number > 0x7f))
    } else {
        Ok((reader.vgpr(number, ty, name)?, false))
    }
}

/// The sources of VOP1, VOP2, VOPC: the general first one (or the register of
/// a DPP word), a literal where the opcode has one, a VGPR, and VCC.
fn short_sources(
    reader: &mut Reader<'_>,
    instruction: &mut Instruction,
    word: u32,
    dpp: Option<u32>,
) -> Result<(), DecodeError> {
    let info = instruction.info();
    let mut second_used = false;
    for (i, &ty) in info.src.iter().enumerate() {
        let (operand, high) = match (i, ty) {
            (0, _) => match (dpp, bits(word, 0, 9)) {
                (Some(register), _) => short_register(reader, register, ty, "src0")?,
                (None, code) if code >= 256 => short_register(reader, code - 256, ty, "src0")?,
                (None, code) => (reader.source(code, ty, "src0")?, false),
            },
            (_, Type::Mask) => (reader.mask(Special::VccLo), false),
            (_, Type::Literal32 | Type::Literal16) => (Operand::Literal(reader.literal()?), false),
            _ => {
                second_used = true;
                short_register(reader, bits(word, 9, 8), ty, "vsrc1")?
            }
        };
        instruction.src[i] = operand;
        instruction.modifiers.op_sel |= u8::from(high) << i;
    }
    if info.src.is_empty() && !reader.generation.is_gfx9() {
        reader.reserved(bits(word, 0, 9), "src0")?;
    }
    if !second_used && instruction.encoding != Encoding::Vop1 {
        reader.reserved(bits(word, 9, 8), "vsrc1")?;
    }
    Ok(())
}

/// VOP3, with or without scalar destination.
pub(super) fn long(reader: &mut Reader<'_>, word: u32) -> Result<Instruction, DecodeError> {
    let mut instruction = reader.opcode(Encoding::Vop3, bits(word, 16, 10))?;
    let info = instruction.info();
    reader.words = 2;
    let high = reader.word(1)?;
    long_sources(reader, &mut instruction, high)?;
    long_modifiers(reader, &mut instruction, word, high)?;
    let number = bits(word, 0, 8);
    instruction.dst[0] = match info.dst.first() {
        None => {
            reader.reserved(number, "vdst")?;
            Operand::None
        }
        Some(Type::Mask)
            if info.flags.contains(Flags::WRITES_EXEC) && !reader.generation.is_gfx9() =>
        {
            compare_result(reader, info.flags)
        }
        Some(Type::S32) => {
            // Scalars that the vector unit computes may go to M0, but not to EXEC.
            match (info.src[0].is_float(), number) {
                (true, 126..) => return Err(reader.bad("vdst")),
                (true, _) => reader.scalar_register(number, Type::S32, "vdst")?,
                (false, _) => reader.uniform_result(number)?,
            }
        }
        Some(&ty @ Type::Mask) => {
            reader.reserved(bits(number, 7, 1), "vdst[7]")?;
            reader.scalar_register(number, ty, "vdst")?
        }
        Some(&ty) => reader.vgpr(number, ty, "vdst")?,
    };
    if let Some(&ty) = info.dst.get(1) {
        instruction.dst[1] = reader.scalar_register(bits(word, 8, 7), ty, "sdst")?;
    }
    Ok(reader.finish(instruction))
}

/// The sources of VOP3 and VOP3P; unused fields are ignored.
pub(super) fn long_sources(
    reader: &mut Reader<'_>,
    instruction: &mut Instruction,
    high: u32,
) -> Result<(), DecodeError> {
    const NAMES: [&str; 3] = ["src0", "src1", "src2"];
    let info = instruction.info();
    let first = bits(high, 0, 9);
    let long_dpp = !reader.generation.is_gfx9() && is_dpp(reader.generation, first);
    let dpp = if long_dpp && !info.src.is_empty() {
        Some(dpp_word(reader, instruction, first)?)
    } else {
        None
    };
    for (i, &ty) in info.src.iter().enumerate() {
        let code = match dpp {
            Some(register) if i == 0 => register + 256,
            _ => bits(high, 9 * i as u32, 9),
        };
        if code == LITERAL && reader.generation.is_gfx9() {
            return Err(reader.bad("literal"));
        }
        // The one pair of floats that may not come from scalar registers.
        if code < 256 && i == 0 && instruction.op == Opcode::VCvtScalef32SrPkFp4F32 {
            return Err(reader.bad(NAMES[i]));
        }
        let operand = reader.source(code, ty, NAMES[i])?;
        if dpp.is_some() && matches!(operand, Operand::Literal(_)) {
            return Err(reader.bad("literal beside DPP"));
        }
        if dpp.is_some() && code < 256 && !takes_scalar_beside_dpp(instruction, i) {
            return Err(reader.bad("scalar source beside DPP"));
        }
        instruction.src[i] = operand;
    }
    Ok(())
}

/// May source `number` of an instruction with DPP be a scalar or a constant?
/// Those of gfx12 may be more than those of gfx11, where the second may not.
fn takes_scalar_beside_dpp(instruction: &Instruction, number: usize) -> bool {
    let info = instruction.info();
    match (instruction.generation, instruction.encoding) {
        (Generation::Gfx12, Encoding::Vop3) => true,
        (Generation::Gfx12, _) if info.src[0] == Type::PkB32 => false,
        (Generation::Gfx12, _) if info.src[0] != Type::MixF32 => true,
        _ => number != 1,
    }
}

/// The modifiers of VOP3. Bits without meaning for an opcode must be zero,
/// but for those the hardware ignores.
fn long_modifiers(
    reader: &Reader<'_>,
    instruction: &mut Instruction,
    word: u32,
    high: u32,
) -> Result<(), DecodeError> {
    let info = instruction.info();
    let flags = info.flags;
    let mut float = 0;
    let mut half = false;
    // Which op_sel bits may be set, and which of them mean something.
    let mut used = 0;
    let mut selectable = 0;
    for (i, ty) in info.src.iter().enumerate() {
        let modified = ty.is_float() || flags.contains(Flags::FLOAT_MODS) && ty.is_half();
        float |= u8::from(modified) << i;
        half |= ty.is_half();
        used |= u8::from(*ty != Type::Mask) << i;
        let whole = matches!(ty, Type::PkF16 | Type::PkBf16) && !flags.contains(Flags::HALF_SEL);
        selectable |= u8::from(!whole) << i;
    }
    if !matches!(info.dst, [Type::Mask | Type::S32]) {
        used |= 8;
        selectable |= 8;
    }
    if flags.contains(Flags::OP_SEL) {
        selectable = 3;
        used |= 3;
    }
    let gfx12 = reader.generation == Generation::Gfx12;
    let picks_byte = gfx12 && instruction.op.widens_part();
    if picks_byte {
        used = 3;
    }
    let has_scalar_result = info.dst.len() == 2;
    half |= info.dst.iter().any(|ty| ty.is_half());
    let mut all = (1 << info.src.len()) - 1;
    let into_byte = instruction.op.puts_byte();
    if into_byte {
        (all, used, selectable) = if gfx12 { (3, 12, 12) } else { (7, 15, 15) };
    }
    let allowed = if flags.contains(Flags::DEAD_MODS) {
        all
    } else {
        float
    };
    let modifiers = &mut instruction.modifiers;
    if flags.contains(Flags::TRUTH_TABLE) {
        let table = bits(high, 29, 3) | bits(word, 8, 3) << 3 | bits(high, 27, 2) << 6;
        modifiers.truth_table = table as u8;
        if flags.contains(Flags::HALF_SEL) {
            modifiers.op_sel = bits(word, 11, 4) as u8;
        } else {
            reader.reserved(bits(word, 11, 4), "op_sel")?;
        }
        return reader.reserved(bits(word, 15, 1), "clamp");
    }
    let neg = bits(high, 29, 3) as u8;
    reader.reserved(u32::from(neg & !allowed), "neg")?;
    modifiers.neg = neg & float;
    if !has_scalar_result {
        let abs = bits(word, 8, 3) as u8;
        reader.reserved(u32::from(abs & !allowed), "abs")?;
        modifiers.abs = abs & float;
        let op_sel = bits(word, 11, 4) as u8;
        let selects = match reader.generation {
            Generation::Gfx9(_) => flags.intersects(Flags::HALF_SEL | Flags::OP_SEL),
            Generation::Gfx11 | Generation::Gfx12 => {
                half || into_byte || flags.contains(Flags::OP_SEL)
            }
        };
        if selects {
            reader.reserved(u32::from(op_sel & !used), "op_sel")?;
            modifiers.op_sel = op_sel & selectable;
        }
    }
    if instruction.op == Opcode::VCvtPkBf16F32 {
        reader.reserved(bits(word, 13, 1), "op_sel")?;
    }
    modifiers.clamp = bit(word, 15);
    if modifiers.clamp && !flags.contains(Flags::CLAMP) {
        return Err(reader.fail(DecodeErrorKind::ReservedField("clamp")));
    }
    let omod = bits(high, 27, 2);
    if !flags.contains(Flags::OMOD) {
        reader.reserved(omod, "omod")?;
    }
    modifiers.omod = OutputModifier::from_bits(omod);
    Ok(())
}

/// VOP3P.
pub(super) fn packed(reader: &mut Reader<'_>, word: u32) -> Result<Instruction, DecodeError> {
    reader.reserved(bits(word, 23, 1), "op[7]")?;
    let mut instruction = reader.opcode(Encoding::Vop3p, bits(word, 16, 7))?;
    reader.words = 2;
    let high = reader.word(1)?;
    long_sources(reader, &mut instruction, high)?;
    packed_modifiers(reader, &mut instruction, word, high)?;
    if reader.generation == Generation::Gfx12 {
        matrix_modifiers(reader, &mut instruction, word, high)?;
    }
    Ok(reader.finish(instruction))
}

/// What gfx12 says of matrices and of dot products of small floats: which
/// operands are negated (their absolute value is taken), or signed, and which
/// set of indices a sparse matrix has.
fn matrix_modifiers(
    reader: &Reader<'_>,
    instruction: &mut Instruction,
    word: u32,
    high: u32,
) -> Result<(), DecodeError> {
    let info = instruction.info();
    let name = info.mnemonic;
    let sparse = name.starts_with("v_swmmac_");
    let small = name.ends_with("fp8") || name.ends_with("bf8");
    if !(sparse || name.starts_with("v_wmma_") || small) {
        return Ok(());
    }
    let (neg, neg_hi) = if info.flags.contains(Flags::SIGNED_MODS) {
        (3, 0)
    } else {
        let factors = if small { 0 } else { 3 };
        let allowed = factors | if sparse { 0 } else { 4 };
        (allowed, allowed)
    };
    reader.reserved(bits(high, 29, 3) & !neg, "neg_lo")?;
    reader.reserved(bits(word, 8, 3) & !neg_hi, "neg_hi")?;
    reader.reserved(!bits(high, 27, 2) & 3 | !bits(word, 14, 1) & 1, "op_sel_hi")?;
    // Halves of the indices; quarters with 64 lanes, which have less of them.
    let sets = match (instruction.op, reader.wave) {
        _ if !sparse => 0,
        (Opcode::VSwmmacI3216x16x32Iu4, _) => 1,
        (Opcode::VSwmmacI3216x16x64Iu4, WaveSize::Wave32) => 0,
        (Opcode::VSwmmacI3216x16x64Iu4, _) | (_, WaveSize::Wave32) => 1,
        (_, WaveSize::Wave64) => 3,
    };
    let op_sel = bits(word, 11, 3);
    reader.reserved(op_sel & !sets, "op_sel")?;
    instruction.modifiers.op_sel = op_sel as u8;
    Ok(())
}

/// Destination and modifiers of VOP3P.
pub(super) fn packed_modifiers(
    reader: &Reader<'_>,
    instruction: &mut Instruction,
    word: u32,
    high: u32,
) -> Result<(), DecodeError> {
    let info = instruction.info();
    let flags = info.flags;
    instruction.dst[0] = reader.vgpr(bits(word, 0, 8), info.dst[0], "vdst")?;
    let used = ((1 << info.src.len()) - 1) as u8;
    let modifiers = &mut instruction.modifiers;
    let neg = bits(high, 29, 3) as u8;
    let neg_hi = bits(word, 8, 3) as u8;
    if info.src[0] == Type::MixF32 {
        modifiers.neg = neg;
        modifiers.abs = neg_hi;
    } else {
        reader.reserved(u32::from((neg | neg_hi) & !used), "neg")?;
        modifiers.neg = neg;
        modifiers.neg_hi = neg_hi;
    }
    let op_sel = bits(word, 11, 3) as u8;
    let sparse = flags.contains(Flags::NO_OP_SEL | Flags::READS_DST);
    if flags.contains(Flags::NO_OP_SEL) && !sparse {
        reader.reserved(u32::from(op_sel), "op_sel")?;
    } else {
        reader.reserved(u32::from(op_sel & !used), "op_sel")?;
        modifiers.op_sel = op_sel;
        modifiers.op_sel_hi = (bits(high, 27, 2) | bits(word, 14, 1) << 2) as u8 & used;
    }
    modifiers.clamp = bit(word, 15);
    if modifiers.clamp && !flags.contains(Flags::CLAMP) {
        return Err(reader.fail(DecodeErrorKind::ReservedField("clamp")));
    }
    Ok(())
}

/// VOPD: two instructions with at most one literal between them.
pub(super) fn dual(reader: &mut Reader<'_>, word: u32) -> Result<Instruction, DecodeError> {
    reader.words = 2;
    if reader.wave == WaveSize::Wave64 {
        reader.format = Some(Encoding::Vopd.name());
        return Err(reader.fail(DecodeErrorKind::UnknownFormat));
    }
    let x = reader.opcode(Encoding::Vopd, bits(word, 22, 4))?;
    let y = reader.opcode(Encoding::Vopd, bits(word, 17, 5))?;
    let high = reader.word(1)?;
    let x_dst = bits(high, 24, 8);
    let y_dst = bits(high, 17, 7) << 1 | (!x_dst & 1);
    let mut first = component(reader, x, word, x_dst)?;
    let second = component(reader, y, high, y_dst)?;
    first.dual = Some(Box::new(second));
    let size = reader.finish(first);
    Ok(size)
}

/// One half of a VOPD pair; `word` holds its two source fields.
fn component(
    reader: &mut Reader<'_>,
    mut instruction: Instruction,
    word: u32,
    dst: u32,
) -> Result<Instruction, DecodeError> {
    let info = instruction.info();
    instruction.dst[0] = reader.vgpr(dst, info.dst[0], "vdst")?;
    if info.src.len() == 1 {
        reader.reserved(bits(word, 9, 8), "vsrc1")?;
    }
    for (i, &ty) in info.src.iter().enumerate() {
        instruction.src[i] = match (i, ty) {
            (0, _) => reader.source(bits(word, 0, 9), ty, "src0")?,
            (_, Type::Mask) => reader.mask(Special::VccLo),
            (_, Type::Literal32) => Operand::Literal(reader.literal()?),
            _ => reader.vgpr(bits(word, 9, 8), ty, "vsrc1")?,
        };
    }
    Ok(instruction)
}
