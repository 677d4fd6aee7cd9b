//! Text of instructions, in LLVM's syntax.

mod cache;
mod immediate;
mod lanes;
mod operand;

use std::fmt::{self, Formatter, Write};

use self::operand::{constant_modified, modified, plain};
use super::opcode::{Cdna, Encoding, Flags, Generation};
use super::operand::{Operand, Special, Type, WaveSize};
use super::{Instruction, Modifiers, Opcode, OutputModifier};

impl fmt::Display for Instruction {
    /// Writes the text `llvm-mc --disassemble` prints. Branch targets are
    /// the raw offset; [`Instruction::branch_target`] resolves them.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.encoding {
            Encoding::Vopd => {
                component(f, self)?;
                if let Some(second) = &self.dual {
                    f.write_str(" :: ")?;
                    component(f, second)?;
                }
                Ok(())
            }
            Encoding::Vop1 | Encoding::Vop2 | Encoding::Vopc | Encoding::Vop3 | Encoding::Vop3p => {
                vector(f, self)
            }
            Encoding::Smem => scalar_memory(f, self),
            Encoding::Ds => lds(f, self),
            Encoding::Mubuf | Encoding::Mtbuf => buffer(f, self),
            Encoding::Flat | Encoding::Global | Encoding::Scratch => flat(f, self),
            Encoding::Sop1 | Encoding::Sop2 | Encoding::Sopc | Encoding::Sopk | Encoding::Sopp => {
                scalar(f, self)
            }
        }
    }
}

/// Puts a comma between operands, a blank before the first.
struct List<'a, 'b> {
    f: &'a mut Formatter<'b>,
    separator: &'static str,
}

impl<'a, 'b> List<'a, 'b> {
    fn new(f: &'a mut Formatter<'b>) -> List<'a, 'b> {
        List { f, separator: " " }
    }

    fn item(&mut self) -> Result<&mut Formatter<'b>, fmt::Error> {
        self.f.write_str(self.separator)?;
        self.separator = ", ";
        Ok(self.f)
    }

    fn operand(&mut self, operand: Operand, ty: Type) -> fmt::Result {
        plain(self.item()?, operand, ty, false)
    }
}

fn scalar(f: &mut Formatter<'_>, instruction: &Instruction) -> fmt::Result {
    let info = instruction.info();
    f.write_str(info.mnemonic)?;
    let mut list = List::new(f);
    for (&operand, &ty) in instruction.dst.iter().zip(info.dst) {
        list.operand(operand, ty)?;
    }
    for (&operand, &ty) in instruction.src.iter().zip(info.src) {
        match operand {
            Operand::Imm(value) if instruction.op == Opcode::SEndpgm => {
                if value != 0 {
                    write!(list.item()?, "{value}")?;
                }
            }
            Operand::Imm(value) if instruction.op == Opcode::SVersion => {
                immediate::version(list.item()?, value)?;
            }
            Operand::Imm(value) => {
                immediate::write(list.item()?, value, ty, instruction.generation)?;
            }
            // Literals of one source are shown whole.
            _ if ty == Type::F16 && instruction.encoding == Encoding::Sop1 => {
                list.operand(operand, Type::B32)?;
            }
            _ => list.operand(operand, ty)?,
        }
    }
    Ok(())
}

/// One half of a dual-issue pair.
fn component(f: &mut Formatter<'_>, instruction: &Instruction) -> fmt::Result {
    let info = instruction.info();
    let name = info.mnemonic.strip_prefix("v_").unwrap_or(info.mnemonic);
    write!(f, "v_dual_{name}")?;
    let mut list = List::new(f);
    for (&operand, &ty) in instruction.dst.iter().zip(info.dst) {
        list.operand(operand, ty)?;
    }
    for (&operand, &ty) in instruction.src.iter().zip(info.src) {
        if ty != Type::Mask {
            list.operand(operand, ty)?;
        }
    }
    Ok(())
}

/// The suffix that tells the forms of a vector instruction apart.
fn suffix(instruction: &Instruction) -> &'static str {
    let info = instruction.info();
    let long = matches!(instruction.encoding, Encoding::Vop3 | Encoding::Vop3p);
    if instruction.generation.is_gfx9() && info.flags.contains(Flags::NO_SUFFIX) {
        return "";
    }
    if instruction.modifiers.sdwa.is_some() {
        return "_sdwa";
    }
    match (instruction.modifiers.dpp.is_some(), long) {
        (true, true) => "_e64_dpp",
        (true, false) if instruction.encoding == Encoding::Vopc => "",
        (true, false) => "_dpp",
        _ if info.flags.intersects(Flags::NO_E64 | Flags::NO_SUFFIX) || !info.has_e32() => "",
        (false, true) => "_e64",
        (false, false) => "_e32",
    }
}

fn vector(f: &mut Formatter<'_>, instruction: &Instruction) -> fmt::Result {
    let info = instruction.info();
    let modifiers = &instruction.modifiers;
    let gfx12 = instruction.generation == Generation::Gfx12;
    let two_bytes = matches!(instruction.op, Opcode::VCvtPkF32Fp8 | Opcode::VCvtPkF32Bf8);
    match (&instruction.dual, info.mnemonic.strip_prefix("v_mfma_")) {
        (Some(_), Some(rest)) => write!(f, "v_mfma_scale_{rest}")?,
        _ => f.write_str(info.mnemonic)?,
    }
    f.write_str(suffix(instruction))?;
    let mut list = List::new(f);
    for (i, (&operand, &ty)) in instruction.dst.iter().zip(info.dst).enumerate() {
        if info.flags.contains(Flags::WRITES_EXEC) && !instruction.generation.is_gfx9() {
            continue;
        }
        let ty = shown_type(instruction, operand, ty);
        plain(
            list.item()?,
            operand,
            ty,
            i == 0 && modifiers.op_sel & 8 != 0,
        )?;
    }
    for (i, (&operand, &ty)) in instruction.src.iter().zip(info.src).enumerate() {
        let bit = |mask: u8| mask >> i & 1 != 0;
        let packed = instruction.encoding == Encoding::Vop3p && info.src[0] != Type::MixF32;
        let (neg, abs) = if packed {
            (false, false)
        } else {
            (bit(modifiers.neg), bit(modifiers.abs))
        };
        let ty = match ty {
            // Its exponent is an integer, but reads like a float; so do two bytes.
            _ if instruction.op == Opcode::VLdexpF16 || gfx12 && two_bytes => {
                shown_type(instruction, operand, Type::F16)
            }
            Type::AccF32
            | Type::AccB32
            | Type::AccF16
            | Type::AccBf16
            | Type::PkAccF16
            | Type::PkAccBf16
                if instruction.wave == WaveSize::Wave64 || gfx12 =>
            {
                Type::F32
            }
            _ => shown_type(instruction, operand, ty),
        };
        if let Some(sdwa) = &modifiers.sdwa
            && sdwa.sext >> i & 1 != 0
        {
            list.item()?.write_str("sext(")?;
            plain(list.f, operand, ty, false)?;
            list.f.write_char(')')?;
            continue;
        }
        let high = bit(modifiers.op_sel) && instruction.encoding != Encoding::Vop3p;
        match operand {
            Operand::Int(_) | Operand::Float(_) | Operand::Literal(_) => {
                constant_modified(list.item()?, operand, ty, neg, abs)?;
            }
            _ => modified(list.item()?, operand, ty, high, neg, abs)?,
        }
    }
    if info.src.is_empty() {
        return lanes::dpp(f, modifiers.dpp, instruction.generation);
    }
    match instruction.encoding {
        Encoding::Vop3p if info.dst.first().is_some_and(|ty| ty.is_accumulator()) => {
            matrix_modifiers(f, instruction)?;
        }
        Encoding::Vop3 => long_modifiers(f, instruction)?,
        Encoding::Vop3p => packed_modifiers(f, instruction)?,
        _ => {}
    }
    lanes::sub_dword(f, instruction)?;
    lanes::dpp(f, modifiers.dpp, instruction.generation)
}

/// The type that decides on an operand's text: the registers of gfx9 have no halves.
fn shown_type(instruction: &Instruction, operand: Operand, ty: Type) -> Type {
    let register = matches!(operand, Operand::Vgpr { .. });
    if instruction.generation.is_gfx9() && register {
        Type::B32
    } else {
        ty
    }
}

fn matrix_modifiers(f: &mut Formatter<'_>, instruction: &Instruction) -> fmt::Result {
    if let Some(scales) = &instruction.dual {
        for operand in &scales.src[..2] {
            f.write_str(", ")?;
            plain(f, *operand, Type::B32, false)?;
        }
        if scales.modifiers.op_sel != 0 {
            mask(f, "op_sel", scales.modifiers.op_sel, 3)?;
        }
        mask(f, "op_sel_hi", scales.modifiers.op_sel_hi, 3)?;
    }
    let modifiers = &instruction.modifiers;
    for (name, value) in [
        ("cbsz", modifiers.broadcast_size),
        ("abid", modifiers.broadcast_block),
    ] {
        if value != 0 {
            write!(f, " {name}:{value}")?;
        }
    }
    let double = matches!(instruction.info().dst[0], Type::Acc64 | Type::Acc256)
        && instruction.generation != Generation::Gfx9(Cdna::Cdna2);
    match modifiers.lane_pattern {
        0 => Ok(()),
        negated if double => mask(f, "neg", negated, 3),
        pattern => write!(f, " blgp:{pattern}"),
    }
}

/// Writes ` name:[1,0,…]`, lowest bit first.
fn mask(f: &mut Formatter<'_>, name: &str, mask: u8, count: usize) -> fmt::Result {
    write!(f, " {name}:[")?;
    for i in 0..count {
        if i > 0 {
            f.write_char(',')?;
        }
        write!(f, "{}", mask >> i & 1)?;
    }
    f.write_char(']')
}

fn result_modifiers(f: &mut Formatter<'_>, modifiers: &Modifiers) -> fmt::Result {
    if modifiers.clamp {
        f.write_str(" clamp")?;
    }
    f.write_str(match modifiers.omod {
        OutputModifier::None => "",
        OutputModifier::Mul2 => " mul:2",
        OutputModifier::Mul4 => " mul:4",
        OutputModifier::Div2 => " div:2",
    })
}

fn long_modifiers(f: &mut Formatter<'_>, instruction: &Instruction) -> fmt::Result {
    let info = instruction.info();
    let op_sel = instruction.modifiers.op_sel;
    let gfx12 = instruction.generation == Generation::Gfx12;
    if info.flags.contains(Flags::TRUTH_TABLE) {
        match instruction.modifiers.truth_table {
            0 => {}
            table @ 1..=9 => write!(f, " bitop3:{table}")?,
            table => write!(f, " bitop3:{table:#x}")?,
        }
    }
    if info.flags.contains(Flags::WRITES_SRC) && instruction.generation.is_gfx9() {
        f.write_str(if op_sel & 2 != 0 { " bound_ctrl:1" } else { "" })?;
        return f.write_str(if op_sel & 1 != 0 { " fi:1" } else { "" });
    }
    if op_sel != 0 {
        if gfx12 && instruction.op.widens_part() {
            // The bits are in the wrong order.
            write!(f, " byte_sel:{}", op_sel >> 1 | (op_sel & 1) << 1)?;
        } else if gfx12 && instruction.op.puts_byte() {
            write!(f, " byte_sel:{}", op_sel >> 2)?;
        } else if info.flags.intersects(Flags::OP_SEL | Flags::WRITES_EXEC) {
            mask(f, "op_sel", op_sel, 2)?;
        } else if !info.flags.contains(Flags::NO_OP_SEL) {
            // An accumulator is the third source, though the text has it once.
            let third = match instruction.generation {
                Generation::Gfx9(_) => instruction.op.puts_byte(),
                Generation::Gfx11 | Generation::Gfx12 => info.flags.contains(Flags::READS_DST),
            };
            let sources = info.src.len() + usize::from(third);
            let destination = op_sel >> 3 << sources;
            let packed = op_sel & 7 | destination;
            let bits = if info.dst == [Type::Mask] && instruction.modifiers.dpp.is_some() {
                sources
            } else {
                sources + 1
            };
            mask(f, "op_sel", packed, bits)?;
        }
    }
    result_modifiers(f, &instruction.modifiers)
}

fn packed_modifiers(f: &mut Formatter<'_>, instruction: &Instruction) -> fmt::Result {
    let info = instruction.info();
    let modifiers = &instruction.modifiers;
    let count = info.src.len();
    let all = ((1 << count) - 1) as u8;
    let mixed = info.src[0] == Type::MixF32;
    if !info.flags.contains(Flags::NO_OP_SEL) {
        if modifiers.op_sel != 0 {
            mask(f, "op_sel", modifiers.op_sel, count)?;
        }
        if modifiers.op_sel_hi != if mixed { 0 } else { all } {
            mask(f, "op_sel_hi", modifiers.op_sel_hi, count)?;
        }
    }
    let sparse = info.flags.contains(Flags::NO_OP_SEL | Flags::READS_DST);
    if sparse && modifiers.op_sel != 0 {
        write!(f, " index_key:{}", modifiers.op_sel)?;
    }
    if !mixed {
        if modifiers.neg != 0 {
            mask(f, "neg_lo", modifiers.neg, count)?;
        }
        if modifiers.neg_hi != 0 {
            mask(f, "neg_hi", modifiers.neg_hi, count)?;
        }
    }
    result_modifiers(f, modifiers)
}

fn scalar_memory(f: &mut Formatter<'_>, instruction: &Instruction) -> fmt::Result {
    let info = instruction.info();
    if instruction.generation.is_gfx9() {
        return scalar_memory_gfx9(f, instruction);
    }
    if instruction.generation == Generation::Gfx12 && info.flags.contains(Flags::PREFETCH) {
        return prefetch(f, instruction);
    }
    f.write_str(info.mnemonic)?;
    let Some(&base) = info.src.first() else {
        return Ok(());
    };
    let mut list = List::new(f);
    match info.dst.first() {
        Some(&ty) => list.operand(instruction.dst[0], ty)?,
        None => {
            if let Operand::Imm(value) = instruction.src[2] {
                immediate::write(list.item()?, value, Type::Dec16, instruction.generation)?;
            }
        }
    }
    list.operand(instruction.src[0], base)?;
    let offset = instruction.modifiers.offset;
    let null = matches!(
        instruction.src[1],
        Operand::Special {
            reg: Special::Null,
            ..
        }
    );
    let signed = Hex(offset);
    let gfx12 = instruction.generation == Generation::Gfx12;
    if null && (offset != 0 || gfx12) {
        write!(list.item()?, "{signed}")?;
    } else {
        list.operand(instruction.src[1], Type::S32)?;
        if offset != 0 || gfx12 {
            write!(f, " offset:{signed}")?;
        }
    }
    cache::write(f, instruction)
}

/// A prefetch of gfx12: from a base or from the program counter, and how much.
fn prefetch(f: &mut Formatter<'_>, instruction: &Instruction) -> fmt::Result {
    f.write_str(instruction.info().mnemonic)?;
    let [base, register, length, _] = instruction.src;
    let mut list = List::new(f);
    if base != Operand::None {
        list.operand(base, Type::S64)?;
    }
    write!(list.item()?, "{}", Hex(instruction.modifiers.offset))?;
    list.operand(register, Type::S32)?;
    list.operand(length, Type::Dec16)
}

fn scalar_memory_gfx9(f: &mut Formatter<'_>, instruction: &Instruction) -> fmt::Result {
    f.write_str(instruction.info().mnemonic)?;
    let [base, register, data, no_immediate] = instruction.src;
    let mut list = List::new(f);
    match if data == Operand::None {
        instruction.dst[0]
    } else {
        data
    } {
        Operand::None => {}
        Operand::Imm(value) => {
            immediate::write(list.item()?, value, Type::Dec16, instruction.generation)?;
        }
        operand => list.operand(operand, Type::S32)?,
    }
    if base == Operand::None {
        return Ok(());
    }
    list.operand(base, Type::S64)?;
    let offset = Hex(instruction.modifiers.offset);
    match (register, no_immediate) {
        (Operand::None, _) => write!(list.item()?, "{offset}")?,
        (_, Operand::Off) => list.operand(register, Type::S32)?,
        _ => {
            list.operand(register, Type::S32)?;
            write!(f, " offset:{offset}")?;
        }
    }
    f.write_str(if instruction.modifiers.glc {
        " glc"
    } else {
        ""
    })
}

/// Hexadecimal with a sign.
struct Hex(i32);

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        write!(f, "{sign}{:#x}", self.0.unsigned_abs())
    }
}

fn lds(f: &mut Formatter<'_>, instruction: &Instruction) -> fmt::Result {
    let info = instruction.info();
    let modifiers = &instruction.modifiers;
    f.write_str(info.mnemonic)?;
    let mut list = List::new(f);
    for &operand in instruction.dst.iter().chain(&instruction.src) {
        if operand != Operand::None {
            list.operand(operand, Type::V32)?;
        }
    }
    if info.flags.contains(Flags::TWO_ADDRESSES) {
        if modifiers.offset != 0 {
            write!(f, " offset0:{}", modifiers.offset)?;
        }
        if modifiers.offset1 != 0 {
            write!(f, " offset1:{}", modifiers.offset1)?;
        }
    } else if modifiers.offset != 0 {
        if instruction.op == Opcode::DsSwizzleB32 {
            f.write_str(" offset:")?;
            immediate::swizzle(f, modifiers.offset as u16)?;
        } else {
            write!(f, " offset:{}", modifiers.offset)?;
        }
    }
    f.write_str(if modifiers.gds { " gds" } else { "" })
}

fn buffer(f: &mut Formatter<'_>, instruction: &Instruction) -> fmt::Result {
    let info = instruction.info();
    let modifiers = &instruction.modifiers;
    f.write_str(info.mnemonic)?;
    if info.dst.is_empty() && info.src.is_empty() && !modifiers.lds {
        return cache::write(f, instruction);
    }
    let [address, resource, offset, data] = instruction.src;
    let data = if data == Operand::None {
        instruction.dst[0]
    } else {
        data
    };
    let mut list = List::new(f);
    if data != Operand::None {
        list.operand(data, Type::V32)?;
    }
    let from_lds = instruction.op == Opcode::BufferStoreLdsDword;
    if !from_lds {
        list.operand(address, Type::V32)?;
    }
    list.operand(resource, Type::S128)?;
    list.operand(offset, Type::B32)?;
    if instruction.encoding == Encoding::Mtbuf {
        immediate::format(f, modifiers.format)?;
    }
    f.write_str(if modifiers.idxen { " idxen" } else { "" })?;
    f.write_str(if modifiers.offen { " offen" } else { "" })?;
    if modifiers.offset != 0 {
        write!(f, " offset:{}", modifiers.offset)?;
    }
    f.write_str(if from_lds { " lds" } else { "" })?;
    cache::write(f, instruction)?;
    f.write_str(if modifiers.lds && !from_lds {
        " lds"
    } else {
        ""
    })?;
    f.write_str(if modifiers.tfe { " tfe" } else { "" })
}

fn flat(f: &mut Formatter<'_>, instruction: &Instruction) -> fmt::Result {
    let info = instruction.info();
    let modifiers = &instruction.modifiers;
    f.write_str(info.mnemonic)?;
    let [address, base, _, data] = instruction.src;
    if info.dst.is_empty() && info.src.is_empty() && address == Operand::None {
        return cache::write(f, instruction);
    }
    let mut list = List::new(f);
    if instruction.dst[0] != Operand::None {
        list.operand(instruction.dst[0], Type::V32)?;
    }
    if !info.flags.contains(Flags::NO_ADDRESS) {
        list.operand(address, Type::V32)?;
    }
    if data != Operand::None {
        list.operand(data, Type::V32)?;
    }
    if base != Operand::None {
        list.operand(base, Type::S32)?;
    }
    if modifiers.offset != 0 {
        write!(f, " offset:{}", modifiers.offset)?;
    }
    cache::write(f, instruction)?;
    f.write_str(if modifiers.lds { " lds" } else { "" })
}
