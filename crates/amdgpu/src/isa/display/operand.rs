//! Text of operands.

use std::fmt::{self, Formatter, Write};

use crate::isa::operand::{InlineFloat, Operand, Special, Type};

/// Writes an operand; `high` picks the half of a 16-bit register.
pub(super) fn plain(f: &mut Formatter<'_>, operand: Operand, ty: Type, high: bool) -> fmt::Result {
    match operand {
        Operand::None => Ok(()),
        Operand::Off => f.write_str("off"),
        Operand::Vgpr { index, dwords } => {
            registers(f, "v", index, dwords)?;
            match (ty.is_half(), high) {
                (false, _) => Ok(()),
                (true, false) => f.write_str(".l"),
                (true, true) => f.write_str(".h"),
            }
        }
        Operand::Sgpr { index, dwords } => registers(f, "s", index, dwords),
        Operand::Special { reg, dwords } => special(f, reg, dwords),
        Operand::Int(value) => write!(f, "{value}"),
        Operand::Float(float) => inline_float(f, float, ty),
        Operand::Literal(bits) => literal(f, bits, ty),
        Operand::Imm(value) => write!(f, "{value}"),
    }
}

/// Writes a register source with its modifiers.
pub(super) fn modified(
    f: &mut Formatter<'_>,
    operand: Operand,
    ty: Type,
    high: bool,
    neg: bool,
    abs: bool,
) -> fmt::Result {
    f.write_str(if neg { "-" } else { "" })?;
    f.write_str(if abs { "|" } else { "" })?;
    plain(f, operand, ty, high)?;
    f.write_str(if abs { "|" } else { "" })
}

/// Writes a constant source with its modifiers: a bare minus would change
/// the constant itself.
pub(super) fn constant_modified(
    f: &mut Formatter<'_>,
    operand: Operand,
    ty: Type,
    neg: bool,
    abs: bool,
) -> fmt::Result {
    if neg && !abs {
        f.write_str("neg(")?;
        plain(f, operand, ty, false)?;
        return f.write_char(')');
    }
    modified(f, operand, ty, false, neg, abs)
}

fn registers(f: &mut Formatter<'_>, file: &str, index: u8, dwords: u8) -> fmt::Result {
    if dwords == 1 {
        write!(f, "{file}{index}")
    } else {
        write!(
            f,
            "{file}[{index}:{}]",
            u16::from(index) + u16::from(dwords) - 1
        )
    }
}

fn special(f: &mut Formatter<'_>, reg: Special, dwords: u8) -> fmt::Result {
    let pair = dwords == 2;
    f.write_str(match reg {
        Special::VccLo if pair => "vcc",
        Special::VccLo => "vcc_lo",
        Special::VccHi => "vcc_hi",
        Special::Ttmp(index) => return registers(f, "ttmp", index, dwords),
        Special::Null => "null",
        Special::M0 => "m0",
        Special::ExecLo if pair => "exec",
        Special::ExecLo => "exec_lo",
        Special::ExecHi => "exec_hi",
        Special::FlatScratchBaseLo => "src_flat_scratch_base_lo",
        Special::FlatScratchBaseHi => "src_flat_scratch_base_hi",
        Special::SharedBase => "src_shared_base",
        Special::SharedLimit => "src_shared_limit",
        Special::PrivateBase => "src_private_base",
        Special::PrivateLimit => "src_private_limit",
        Special::PopsExitingWaveId => "src_pops_exiting_wave_id",
        Special::Vccz => "src_vccz",
        Special::Execz => "src_execz",
        Special::Scc => "src_scc",
        Special::LdsDirect => "src_lds_direct",
    })
}

fn inline_float(f: &mut Formatter<'_>, float: InlineFloat, ty: Type) -> fmt::Result {
    if ty == Type::B16 {
        return write!(f, "{:#x}", float.f16_bits());
    }
    f.write_str(match float {
        InlineFloat::Half => "0.5",
        InlineFloat::MinusHalf => "-0.5",
        InlineFloat::One => "1.0",
        InlineFloat::MinusOne => "-1.0",
        InlineFloat::Two => "2.0",
        InlineFloat::MinusTwo => "-2.0",
        InlineFloat::Four => "4.0",
        InlineFloat::MinusFour => "-4.0",
        InlineFloat::InvTwoPi if matches!(ty, Type::F64 | Type::B64) => "0.15915494309189532",
        InlineFloat::InvTwoPi => "0.15915494",
    })
}

/// True if an inline constant has this value in 32 bits.
pub(super) fn is_inline32(bits: u32) -> bool {
    (-16..=64).contains(&(bits as i32)) || inline_floats().any(|float| float.f32_bits() == bits)
}

fn is_inline16(bits: u16) -> bool {
    (-16..=64).contains(&(bits as i16)) || inline_floats().any(|float| float.f16_bits() == bits)
}

/// The inline floats.
pub(super) fn inline_floats() -> impl Iterator<Item = InlineFloat> {
    [
        InlineFloat::Half,
        InlineFloat::MinusHalf,
        InlineFloat::One,
        InlineFloat::MinusOne,
        InlineFloat::Two,
        InlineFloat::MinusTwo,
        InlineFloat::Four,
        InlineFloat::MinusFour,
        InlineFloat::InvTwoPi,
    ]
    .into_iter()
}

/// Writes a literal; `lit()` marks one that an inline constant could replace.
fn literal(f: &mut Formatter<'_>, bits: u32, ty: Type) -> fmt::Result {
    let (value, inline) = match ty {
        Type::F16 | Type::Bf16 | Type::B16 => (bits & 0xffff, is_inline16(bits as u16)),
        Type::Literal32 | Type::Literal16 => (bits, false),
        _ => (bits, is_inline32(bits)),
    };
    if inline {
        write!(f, "lit({value:#x})")
    } else {
        write!(f, "{value:#x}")
    }
}
