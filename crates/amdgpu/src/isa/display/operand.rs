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
        Operand::Agpr { index, dwords } => registers(f, "a", index, dwords),
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
    let bracketed = matches!(operand, Operand::Literal(bits) if is_inline(bits, ty));
    if neg && !abs && !bracketed {
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
        Special::FlatScratchLo if pair => "flat_scratch",
        Special::FlatScratchLo => "flat_scratch_lo",
        Special::FlatScratchHi => "flat_scratch_hi",
        Special::XnackMaskLo if pair => "xnack_mask",
        Special::XnackMaskLo => "xnack_mask_lo",
        Special::XnackMaskHi => "xnack_mask_hi",
        Special::LdsDirect => "src_lds_direct",
        Special::SharedBase => "src_shared_base",
        Special::SharedLimit => "src_shared_limit",
        Special::PrivateBase => "src_private_base",
        Special::PrivateLimit => "src_private_limit",
        Special::PopsExitingWaveId => "src_pops_exiting_wave_id",
        Special::Vccz => "src_vccz",
        Special::Execz => "src_execz",
        Special::Scc => "src_scc",
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
        InlineFloat::InvTwoPi
            if matches!(
                ty,
                Type::F64
                    | Type::B64
                    | Type::Acc64
                    | Type::Acc256
                    | Type::AccF32
                    | Type::AccB32
                    | Type::AccF16
                    | Type::AccBf16
                    | Type::PkAccF16
                    | Type::PkAccBf16
            ) =>
        {
            "0.15915494309189532"
        }
        InlineFloat::InvTwoPi => "0.15915494",
    })
}

const INLINE_FLOATS: [InlineFloat; 9] = [
    InlineFloat::Half,
    InlineFloat::MinusHalf,
    InlineFloat::One,
    InlineFloat::MinusOne,
    InlineFloat::Two,
    InlineFloat::MinusTwo,
    InlineFloat::Four,
    InlineFloat::MinusFour,
    InlineFloat::InvTwoPi,
];

/// The inline constant that could stand for a literal, if there is one.
fn is_inline(bits: u32, ty: Type) -> bool {
    let integer = (-16..=64).contains(&(bits as i32));
    let float = |pattern: fn(InlineFloat) -> u32, bits: u32| {
        INLINE_FLOATS
            .into_iter()
            .any(|float| pattern(float) == bits)
    };
    let half = |float: InlineFloat| u32::from(float.f16_bits());
    let brain = |float: InlineFloat| float.f32_bits() >> 16;
    match ty {
        Type::F16 | Type::UniformF16 | Type::MixF32 => {
            (-16..=64).contains(&(bits as i16)) || float(half, bits & 0xffff)
        }
        Type::Bf16 => (-16..=64).contains(&(bits as i16)) || float(brain, bits & 0xffff),
        Type::B64 => bits <= 64,
        Type::PkF16 => integer || float(half, bits),
        Type::SplatF16 => integer || (bits & 0xffff == bits >> 16 && float(half, bits & 0xffff)),
        Type::PkBf16 => integer || float(brain, bits),
        Type::F64 | Type::Literal32 | Type::Literal16 => false,
        _ => integer || float(InlineFloat::f32_bits, bits),
    }
}

/// Writes a literal; `lit()` marks one that an inline constant could replace.
fn literal(f: &mut Formatter<'_>, bits: u32, ty: Type) -> fmt::Result {
    match ty {
        Type::F64 => {
            let value = u64::from(bits) << 32;
            match INLINE_FLOATS.iter().find(|float| float.f64_bits() == value) {
                Some(&float) => inline_float(f, float, ty),
                None if bits == 0 => f.write_char('0'),
                None => write!(f, "{bits:#x}"),
            }
        }
        Type::Imm32 => match INLINE_FLOATS.iter().find(|float| float.f32_bits() == bits) {
            Some(&float) => inline_float(f, float, ty),
            None if is_inline(bits, ty) => write!(f, "{}", bits as i32),
            None => write!(f, "{bits:#x}"),
        },
        _ if is_inline(bits, ty) => write!(f, "lit({bits:#x})"),
        Type::F16 | Type::UniformF16 | Type::B16 | Type::MixF32 => {
            write!(f, "{:#x}", bits & 0xffff)
        }
        _ => write!(f, "{bits:#x}"),
    }
}
