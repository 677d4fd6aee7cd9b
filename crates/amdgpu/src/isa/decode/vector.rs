//! VOP1, VOP2, VOPC, VOP3, VOP3P, VOPD and their DPP forms.

use super::*;
use crate::isa::modifiers::{Dpp, DppControl, OutputModifier};
use crate::isa::opcode::{Flags, OpcodeInfo};

static VOP1: Rows<256> = Rows::of(Encoding::Vop1);
static VOP2: Rows<64> = Rows::of(Encoding::Vop2);
static VOPC: Rows<256> = Rows::of(Encoding::Vopc);
static VOP3: Rows<1024> = Rows::of(Encoding::Vop3);
static VOP3P: Rows<128> = Rows::of(Encoding::Vop3p);
static VOPD: Rows<32> = Rows::of(Encoding::Vopd);

/// Source numbers that announce a DPP word instead of a register.
const DPP8: u32 = 0xe9;
const DPP8_FETCH_INACTIVE: u32 = 0xea;
const DPP16: u32 = 0xfa;

fn is_dpp(code: u32) -> bool {
    matches!(code, DPP8 | DPP8_FETCH_INACTIVE | DPP16)
}

/// VOP1, VOP2 and VOPC; the top bit of `word` is 0.
pub(super) fn short(reader: &mut Reader<'_>, word: u32) -> Result<Instruction, DecodeError> {
    let (op, encoding) = match bits(word, 25, 6) {
        0x3f => (
            reader.opcode(Encoding::Vop1, &VOP1, bits(word, 9, 8))?,
            Encoding::Vop1,
        ),
        0x3e => (
            reader.opcode(Encoding::Vopc, &VOPC, bits(word, 17, 8))?,
            Encoding::Vopc,
        ),
        number => (
            reader.opcode(Encoding::Vop2, &VOP2, number)?,
            Encoding::Vop2,
        ),
    };
    let info = op.info();
    let mut instruction = reader.instruction(op, encoding);
    let code = bits(word, 0, 9);
    let dpp = if is_dpp(code) {
        Some(dpp_word(reader, &mut instruction, code)?)
    } else {
        None
    };
    short_sources(reader, &mut instruction, word, dpp)?;
    let number = bits(word, 17, 8);
    match info.dst.first() {
        _ if encoding == Encoding::Vopc => {
            instruction.dst[0] = compare_result(reader, info);
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

/// Where a compare writes when no operand says so.
fn compare_result(reader: &Reader<'_>, info: &OpcodeInfo) -> Operand {
    reader.mask(if info.flags.contains(Flags::WRITES_EXEC) {
        Special::ExecLo
    } else {
        Special::VccLo
    })
}

/// A register in the short formats, where the top bit of the number picks the
/// half of a 16-bit operand.
fn short_register(
    reader: &Reader<'_>,
    number: u32,
    ty: Type,
    name: &'static str,
) -> Result<(Operand, bool), DecodeError> {
    if ty.is_half() {
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
    let info = instruction.op.info();
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
    if info.src.is_empty() {
        reader.reserved(bits(word, 0, 9), "src0")?;
    }
    if !second_used && instruction.encoding != Encoding::Vop1 {
        reader.reserved(bits(word, 9, 8), "vsrc1")?;
    }
    Ok(())
}

/// Reads the DPP word that follows the instruction so far, and returns the
/// register it names.
fn dpp_word(
    reader: &mut Reader<'_>,
    instruction: &mut Instruction,
    code: u32,
) -> Result<u32, DecodeError> {
    let info = instruction.op.info();
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
    let control = dpp_control(bits(word, 8, 9)).ok_or_else(|| reader.bad("dpp_ctrl"))?;
    instruction.modifiers.dpp = Some(Dpp::Row {
        control,
        row_mask: bits(word, 28, 4) as u8,
        bank_mask: bits(word, 24, 4) as u8,
        bound_control: bit(word, 19),
        fetch_inactive: bit(word, 18),
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

fn dpp_control(code: u32) -> Option<DppControl> {
    let amount = (code & 0xf) as u8;
    Some(match (code >> 4, amount) {
        (0..=0xf, _) => DppControl::QuadPerm(std::array::from_fn(|i| (code >> (2 * i) & 3) as u8)),
        (0x10, 1..) => DppControl::RowShl(amount),
        (0x11, 1..) => DppControl::RowShr(amount),
        (0x12, 1..) => DppControl::RowRor(amount),
        (0x14, 0) => DppControl::RowMirror,
        (0x14, 1) => DppControl::RowHalfMirror,
        (0x15, _) => DppControl::RowShare(amount),
        (0x16, _) => DppControl::RowXmask(amount),
        _ => return None,
    })
}

/// VOP3, with or without scalar destination.
pub(super) fn long(reader: &mut Reader<'_>, word: u32) -> Result<Instruction, DecodeError> {
    let op = reader.opcode(Encoding::Vop3, &VOP3, bits(word, 16, 10))?;
    let info = op.info();
    reader.words = 2;
    let high = reader.word(1)?;
    let mut instruction = reader.instruction(op, Encoding::Vop3);
    long_sources(reader, &mut instruction, high)?;
    long_modifiers(reader, &mut instruction, word, high)?;
    let number = bits(word, 0, 8);
    instruction.dst[0] = match info.dst.first() {
        None => {
            reader.reserved(number, "vdst")?;
            Operand::None
        }
        Some(Type::Mask) if info.flags.contains(Flags::WRITES_EXEC) => compare_result(reader, info),
        Some(Type::S32) => reader.uniform_result(number)?,
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
fn long_sources(
    reader: &mut Reader<'_>,
    instruction: &mut Instruction,
    high: u32,
) -> Result<(), DecodeError> {
    const NAMES: [&str; 3] = ["src0", "src1", "src2"];
    let info = instruction.op.info();
    let first = bits(high, 0, 9);
    let dpp = if is_dpp(first) && !info.src.is_empty() {
        Some(dpp_word(reader, instruction, first)?)
    } else {
        None
    };
    for (i, &ty) in info.src.iter().enumerate() {
        let code = match dpp {
            Some(register) if i == 0 => register + 256,
            _ => bits(high, 9 * i as u32, 9),
        };
        let operand = reader.source(code, ty, NAMES[i])?;
        if dpp.is_some() && matches!(operand, Operand::Literal(_)) {
            return Err(reader.bad("literal beside DPP"));
        }
        if dpp.is_some() && i == 1 && code < 256 {
            return Err(reader.bad("scalar src1 beside DPP"));
        }
        instruction.src[i] = operand;
    }
    Ok(())
}

/// The modifiers of VOP3. Bits without meaning for an opcode must be zero,
/// but for those the hardware ignores.
fn long_modifiers(
    reader: &Reader<'_>,
    instruction: &mut Instruction,
    word: u32,
    high: u32,
) -> Result<(), DecodeError> {
    let info = instruction.op.info();
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
        selectable |= u8::from(!matches!(ty, Type::PkF16 | Type::PkBf16)) << i;
    }
    if !matches!(info.dst, [Type::Mask | Type::S32]) {
        used |= 8;
        selectable |= 8;
    }
    if flags.contains(Flags::OP_SEL) {
        selectable = 3;
    }
    let has_scalar_result = info.dst.len() == 2;
    half |= info.dst.iter().any(|ty| ty.is_half());
    let all = (1 << info.src.len()) - 1;
    let allowed = if flags.contains(Flags::DEAD_MODS) {
        all
    } else {
        float
    };
    let modifiers = &mut instruction.modifiers;
    let neg = bits(high, 29, 3) as u8;
    reader.reserved(u32::from(neg & !allowed), "neg")?;
    modifiers.neg = neg & float;
    if !has_scalar_result {
        let abs = bits(word, 8, 3) as u8;
        reader.reserved(u32::from(abs & !allowed), "abs")?;
        modifiers.abs = abs & float;
        let op_sel = bits(word, 11, 4) as u8;
        if half || flags.contains(Flags::OP_SEL) {
            reader.reserved(u32::from(op_sel & !used), "op_sel")?;
            modifiers.op_sel = op_sel & selectable;
        }
    }
    modifiers.clamp = bit(word, 15);
    if modifiers.clamp && !flags.contains(Flags::CLAMP) {
        return Err(reader.fail(DecodeErrorKind::ReservedField("clamp")));
    }
    let omod = bits(high, 27, 2);
    if !flags.contains(Flags::OMOD) {
        reader.reserved(omod, "omod")?;
    }
    modifiers.omod = match omod {
        0 => OutputModifier::None,
        1 => OutputModifier::Mul2,
        2 => OutputModifier::Mul4,
        _ => OutputModifier::Div2,
    };
    Ok(())
}

/// VOP3P.
pub(super) fn packed(reader: &mut Reader<'_>, word: u32) -> Result<Instruction, DecodeError> {
    reader.reserved(bits(word, 23, 1), "op[7]")?;
    let op = reader.opcode(Encoding::Vop3p, &VOP3P, bits(word, 16, 7))?;
    let info = op.info();
    let flags = info.flags;
    reader.words = 2;
    let high = reader.word(1)?;
    let mut instruction = reader.instruction(op, Encoding::Vop3p);
    long_sources(reader, &mut instruction, high)?;
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
    if flags.contains(Flags::NO_OP_SEL) {
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
    Ok(reader.finish(instruction))
}

/// VOPD: two instructions with at most one literal between them.
pub(super) fn dual(reader: &mut Reader<'_>, word: u32) -> Result<Instruction, DecodeError> {
    reader.words = 2;
    if reader.wave == WaveSize::Wave64 {
        reader.format = Some(Encoding::Vopd.name());
        return Err(reader.fail(DecodeErrorKind::UnknownFormat));
    }
    let x = reader.opcode(Encoding::Vopd, &VOPD, bits(word, 22, 4))?;
    let y = reader.opcode(Encoding::Vopd, &VOPD, bits(word, 17, 5))?;
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
    op: Opcode,
    word: u32,
    dst: u32,
) -> Result<Instruction, DecodeError> {
    let info = op.info();
    let mut instruction = reader.instruction(op, Encoding::Vopd);
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
