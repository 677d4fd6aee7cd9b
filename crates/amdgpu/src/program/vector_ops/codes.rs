//! Which code an opcode has: a table of meanings, by kind of operand.

use super::super::lower::{Joint, Lowerer};
use super::super::native::Function;
use crate::exec::families::*;
use crate::exec::lane::*;
use crate::isa::Opcode;
use crate::simd::Handler;

/// How half-precision sources and results are passed to a function of lanes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Halves {
    /// As f32.
    Widened,
    /// As bits.
    Raw,
}

/// The code of a lane function.
pub(super) struct Code {
    /// On whole dwords.
    pub(super) plain: Handler,
    /// On f32 with signs changed.
    pub(super) signed: Option<Handler>,
    pub(super) halves: Halves,
}

/// The lane function of an opcode.
pub(super) fn lane_function(l: &Lowerer, op: Opcode, clamp: bool) -> Option<Code> {
    if l.has_ocp_floats()
        && let Some(code) = ocp_function(l, op)
    {
        return Some(code);
    }
    // A clamp of other integers changes nothing.
    let saturating = clamp.then(|| saturating(l, op)).flatten();
    let unusual = l.unusual.then(|| rounded_function(l, op)).flatten();
    saturating
        .or(unusual)
        .or_else(|| float_function(l, op))
        .or_else(|| integer_function(l, op))
        .or_else(|| other_float_function(l, op))
        .or_else(|| half_function(l, op))
        .or_else(|| packed_function(l, op))
        .or_else(|| seldom_function(l, op))
}

macro_rules! code_table {
    ($l:ident, $op:ident, $make:ident: $($opcode:ident => $meaning:ty,)+) => {
        match $op {
            $(Opcode::$opcode => $make::<$meaning>($l),)+
            _ => return None,
        }
    };
}

/// Whole dwords only.
fn whole<F: Lane>(l: &Lowerer) -> Code {
    Code {
        plain: l.code::<Plain<F>>(),
        signed: None,
        halves: Halves::Raw,
    }
}

/// f32, or f16 through f32.
fn float<F: Lane>(l: &Lowerer) -> Code {
    let signed = Some(l.code::<Signed<F>>());
    Code {
        plain: l.code::<Plain<F>>(),
        signed,
        halves: Halves::Widened,
    }
}

/// f16 through f32; f32 without signs.
fn widened<F: Lane>(l: &Lowerer) -> Code {
    Code {
        plain: l.code::<Plain<F>>(),
        signed: None,
        halves: Halves::Widened,
    }
}

/// Of whole dwords, and not worth code for every back end.
fn seldom<F: Lane>(l: &Lowerer) -> Code {
    Code {
        plain: l.common_code::<Plain<F>>(),
        signed: None,
        halves: Halves::Raw,
    }
}

/// Of bits, by the rounding and denormal modes.
fn rounded<F: RoundedFn>(l: &Lowerer) -> Code {
    Code {
        plain: l.common_code::<Rounded<F>>(),
        signed: None,
        halves: Halves::Raw,
    }
}

/// Functions whose results depend on the MODE register.
fn rounded_function(l: &Lowerer, op: Opcode) -> Option<Code> {
    Some(code_table! { l, op, rounded:
        VAddF32 => RoundedAddF32,
        VSubF32 => RoundedSubF32,
        VSubrevF32 => RoundedSubrevF32,
        VMulF32 => RoundedMulF32,
        VFmaF32 => RoundedFmaF32,
        VFmacF32 => RoundedFmaF32,
        VFmaakF32 => RoundedFmaF32,
        VFmamkF32 => RoundedFmaF32,
        VFmaMixF32 => RoundedFmaF32,
        VFmaMixloF16 => RoundedFmaF32,
        VFmaMixhiF16 => RoundedFmaF32,
        VCvtF32I32 => RoundedCvtF32I32,
        VCvtF32U32 => RoundedCvtF32U32,
        VCvtF16F32 => RoundedCvtF16F32,
        VCvtF16I16 => RoundedCvtF16I16,
        VCvtF16U16 => RoundedCvtF16U16,
        VAddF16 => RoundedAddF16,
        VSubF16 => RoundedSubF16,
        VSubrevF16 => RoundedSubrevF16,
        VMulF16 => RoundedMulF16,
        VFmaF16 => RoundedFmaF16,
        VFmacF16 => RoundedFmaF16,
        VFmaakF16 => RoundedFmaF16,
        VFmamkF16 => RoundedFmaF16,
        VPkAddF16 => RoundedAddF16,
        VPkMulF16 => RoundedMulF16,
        VPkFmaF16 => RoundedFmaF16,
        VPkFmacF16 => RoundedFmaF16,
    })
}

/// The code for several of these ops in a row, and a number that says which may
/// be joined.
pub(super) fn joint(l: &Lowerer, op: Opcode) -> Option<Joint> {
    let (kind, run) = match op {
        Opcode::VAddF32 => (0, l.code::<Run<AddF32>>()),
        Opcode::VMulF32 => (1, l.code::<Run<MulF32>>()),
        Opcode::VFmaF32 | Opcode::VFmacF32 => (2, l.code::<Run<FmaF32>>()),
        _ => return None,
    };
    Some(Joint { kind, run })
}

/// The function that native code has for an opcode without modifiers.
pub(super) fn native_function(op: Opcode) -> Option<Function> {
    use Opcode::*;
    Some(match op {
        VMovB32 | VAccvgprReadB32 | VAccvgprWriteB32 | VAccvgprMovB32 => Function::Move,
        VAddF32 => Function::AddF32,
        VSubF32 => Function::SubF32,
        VSubrevF32 => Function::SubrevF32,
        VMulF32 => Function::MulF32,
        VFmaF32 | VFmacF32 | VFmaakF32 | VFmamkF32 => Function::FmaF32,
        VAddNcU32 | VAddNcI32 => Function::AddU32,
        VSubNcU32 | VSubNcI32 => Function::SubU32,
        VSubrevNcU32 => Function::SubrevU32,
        VAdd3U32 => Function::Add3U32,
        VMulLoU32 => Function::MulLoU32,
        VAndB32 => Function::And,
        VOrB32 => Function::Or,
        VXorB32 => Function::Xor,
        VOr3B32 => Function::Or3,
        VAndOrB32 => Function::AndOr,
        VLshlrevB32 => Function::LshlRev,
        VLshrrevB32 => Function::LshrRev,
        VAshrrevI32 => Function::AshrRev,
        VLshlAddU32 => Function::LshlAdd,
        VLshlOrB32 => Function::LshlOr,
        VMinU32 => Function::MinU32,
        VMaxU32 => Function::MaxU32,
        VMinI32 => Function::MinI32,
        VMaxI32 => Function::MaxI32,
        _ => return None,
    })
}

fn seldom_function(l: &Lowerer, op: Opcode) -> Option<Code> {
    Some(code_table! { l, op, seldom:
        VSadHiU8 => SadHiU8,
        VMsadU8 => MsadU8,
        VLerpU8 => LerpU8,
        VMullitF32 => MullitF32,
        VCubeidF32 => CubeidF32,
        VCubescF32 => CubescF32,
        VCubetcF32 => CubetcF32,
        VCubemaF32 => CubemaF32,
        VCvtNormI16F16 => CvtNormI16F16,
        VCvtNormU16F16 => CvtNormU16F16,
        VCvtPkNormI16F16 => CvtPkNormI16F16,
        VCvtPkNormU16F16 => CvtPkNormU16F16,
        VDot4F32Fp8Fp8 => Dot4F32Fp8Fp8,
        VDot4F32Fp8Bf8 => Dot4F32Fp8Bf8,
        VDot4F32Bf8Fp8 => Dot4F32Bf8Fp8,
        VDot4F32Bf8Bf8 => Dot4F32Bf8Bf8,
        VDot2F16F16 => Dot2F16F16,
        VDot2Bf16Bf16 => Dot2Bf16Bf16,
    })
}

/// Conversions of floats of a byte, where those are of the Open Compute Project.
fn ocp_function(l: &Lowerer, op: Opcode) -> Option<Code> {
    Some(code_table! { l, op, seldom:
        VCvtF32Fp8 => CvtF32Fp8Ocp,
        VCvtF32Bf8 => CvtF32Bf8Ocp,
    })
}

/// f32 that is often used with signs changed.
fn float_function(l: &Lowerer, op: Opcode) -> Option<Code> {
    Some(code_table! { l, op, float:
        VAddF32 => AddF32,
        VSubF32 => SubF32,
        VSubrevF32 => SubrevF32,
        VMulF32 => MulF32,
        VFmaF32 => FmaF32,
        VFmacF32 => FmaF32,
        VMinF32 => MinF32,
        VMaxF32 => MaxF32,
        VMin3F32 => Min3F32,
        VMax3F32 => Max3F32,
        VMed3F32 => Med3F32,
        VMinimumF32 => MinimumF32,
        VMaximumF32 => MaximumF32,
        VMinimum3F32 => Minimum3F32,
        VMaximum3F32 => Maximum3F32,
        VMinimummaximumF32 => MinimumMaximumF32,
        VMaximumminimumF32 => MaximumMinimumF32,
        VMaxminF32 => MaxMinF32,
        VMinmaxF32 => MinMaxF32,
        VRcpF32 => RcpF32,
        VExpF32 => ExpF32,
        VLdexpF32 => LdexpF32,
        VDivFixupF32 => DivFixupF32,
        VCvtI32F32 => CvtI32F32,
        VCvtU32F32 => CvtU32F32,
    })
}

/// Other f32, and f16 through f32.
fn other_float_function(l: &Lowerer, op: Opcode) -> Option<Code> {
    Some(code_table! { l, op, widened:
        VMulDx9ZeroF32 => MulDx9F32,
        VFmaakF32 => FmaF32,
        VFmamkF32 => FmaF32,
        VMadF32 => MadF32,
        VMacF32 => MadF32,
        VMadakF32 => MadF32,
        VMadmkF32 => MadF32,
        VMadLegacyF32 => MadDx9F32,
        VFmaDx9ZeroF32 => FmaDx9F32,
        VFmacDx9ZeroF32 => FmaDx9F32,
        VFmaMixF32 => FmaF32,
        VFmaMixloF16 => FmaF32,
        VFmaMixhiF16 => FmaF32,
        VRndneF32 => RoundEvenF32,
        VFloorF32 => FloorF32,
        VCeilF32 => CeilF32,
        VTruncF32 => TruncF32,
        VFractF32 => FractF32,
        VRcpIflagF32 => RcpF32,
        VRsqF32 => RsqF32,
        VSqrtF32 => SqrtF32,
        VLogF32 => LogF32,
        VSinF32 => SinF32,
        VCosF32 => CosF32,
        VFrexpMantF32 => FrexpMantF32,
        VFrexpExpI32F32 => FrexpExpF32,
        VCvtF32I32 => CvtF32I32,
        VCvtF32U32 => CvtF32U32,
        VCvtNearestI32F32 => CvtNearestI32F32,
        VCvtFloorI32F32 => CvtFloorI32F32,
        VCvtF32Ubyte0 => CvtUbyte0,
        VCvtF32Ubyte1 => CvtUbyte1,
        VCvtF32Ubyte2 => CvtUbyte2,
        VCvtF32Ubyte3 => CvtUbyte3,
        VCvtOffF32I4 => CvtOffF32I4,
        VCvtPkU8F32 => CvtPkU8F32,
        VCvtPkI16F32 => CvtPkI16F32,
        VCvtPkU16F32 => CvtPkU16F32,
        VCvtPkNormI16F32 => CvtPkNormI16F32,
        VCvtPkNormU16F32 => CvtPkNormU16F32,
        VCvtPkRtzF16F32 => CvtPkRtzF16F32,
        VCvtF16F32 => Move,
        VCvtF32F16 => Move,
        VAddF16 => AddF32,
        VSubF16 => SubF32,
        VSubrevF16 => SubrevF32,
        VMulF16 => MulF32,
        VMaxF16 => MaxF32,
        VMinF16 => MinF32,
        VMax3F16 => Max3F32,
        VMin3F16 => Min3F32,
        VMed3F16 => Med3F32,
        VMinimumF16 => MinimumF32,
        VMaximumF16 => MaximumF32,
        VMinimum3F16 => Minimum3F32,
        VMaximum3F16 => Maximum3F32,
        VMinimummaximumF16 => MinimumMaximumF32,
        VMaximumminimumF16 => MaximumMinimumF32,
        VMaxminF16 => MaxMinF32,
        VMinmaxF16 => MinMaxF32,
        VRndneF16 => RoundEvenF32,
        VFloorF16 => FloorF32,
        VCeilF16 => CeilF32,
        VTruncF16 => TruncF32,
        VFractF16 => FractF16,
        VRcpF16 => RcpF32,
        VRsqF16 => RsqF32,
        VSqrtF16 => SqrtF32,
        VExpLegacyF32 => ExpF32,
        VLogLegacyF32 => LogF32,
        VExpF16 => ExpF32,
        VLogF16 => LogF32,
        VSinF16 => SinF32,
        VCosF16 => CosF32,
    })
}

fn integer_function(l: &Lowerer, op: Opcode) -> Option<Code> {
    Some(code_table! { l, op, whole:
        VMovB32 => Move,
        VPrngB32 => Prng,
        VCvtF32Bf16 => CvtF32Bf16,
        VAccvgprReadB32 => Move,
        VAccvgprWriteB32 => Move,
        VAccvgprMovB32 => Move,
        VCvtF32Fp8 => CvtF32Fp8,
        VCvtF32Bf8 => CvtF32Bf8,
        VDot2I32I16 => Dot2I32I16,
        VDot2cI32I16 => Dot2I32I16,
        VDot2U32U16 => Dot2U32U16,
        VNotB32 => Not,
        VAndB32 => And,
        VOrB32 => Or,
        VXorB32 => Xor,
        VXnorB32 => Xnor,
        VOr3B32 => Or3,
        VXor3B32 => Xor3,
        VAndOrB32 => AndOr,
        VBfiB32 => Bfi,
        VAddNcU32 => AddU32,
        VSubNcU32 => SubU32,
        VSubrevNcU32 => SubrevU32,
        VAddNcI32 => AddU32,
        VSubNcI32 => SubU32,
        VAdd3U32 => Add3U32,
        VAddLshlU32 => AddLshlU32,
        VLshlAddU32 => LshlAddU32,
        VLshlOrB32 => LshlOrB32,
        VXadU32 => XadU32,
        VMulLoU32 => MulLoU32,
        VMulHiU32 => MulHiU32,
        VMulHiI32 => MulHiI32,
        VMulU32U24 => MulU24,
        VMulI32I24 => MulI24,
        VMulHiU32U24 => MulHiU24,
        VMulHiI32I24 => MulHiI24,
        VMadU32U24 => MadU24,
        VMadI32I24 => MadI24,
        VMinI32 => MinI32,
        VMaxI32 => MaxI32,
        VMinU32 => MinU32,
        VMaxU32 => MaxU32,
        VMin3I32 => Min3I32,
        VMax3I32 => Max3I32,
        VMin3U32 => Min3U32,
        VMax3U32 => Max3U32,
        VMed3I32 => Med3I32,
        VMed3U32 => Med3U32,
        VMaxminI32 => MaxMinI32,
        VMinmaxI32 => MinMaxI32,
        VMaxminU32 => MaxMinU32,
        VMinmaxU32 => MinMaxU32,
        VLshlrevB32 => LshlRev,
        VLshrrevB32 => LshrRev,
        VAshrrevI32 => AshrRev,
        VBfeU32 => BfeU32,
        VBfeI32 => BfeI32,
        VBfmB32 => BfmB32,
        VPermB32 => Perm,
        VBfrevB32 => Bfrev,
        VClzI32U32 => Clz,
        VCtzI32B32 => Ctz,
        VClsI32 => Cls,
        VBcntU32B32 => Bcnt,
        VSadU8 => SadU8,
        VSadU16 => SadU16,
        VSadU32 => SadU32,
        VCvtPkU16U32 => CvtPkU16U32,
        VCvtPkI16I32 => CvtPkI16I32,
        VDot4U32U8 => Dot4U32U8,
        VDot8U32U4 => Dot8U32U4,
        VDot2F32F16 => Dot2F32F16,
        VDot2F32Bf16 => Dot2F32Bf16,
        VDot2accF32F16 => Dot2F32F16,
        VDot2accF32Bf16 => Dot2F32Bf16,
    })
}

fn half_function(l: &Lowerer, op: Opcode) -> Option<Code> {
    Some(code_table! { l, op, whole:
        VMovB16 => Move,
        VNotB16 => Not,
        VAndB16 => And,
        VOrB16 => Or,
        VXorB16 => Xor,
        VAddNcU16 => AddU32,
        VSubNcU16 => SubU32,
        VSubrevU16 => SubrevU32,
        VMadLegacyU16 => Mad16,
        VMadLegacyI16 => Mad16,
        VMadF16 => MadF16,
        VMadLegacyF16 => MadF16,
        VMacF16 => MadF16,
        VMadakF16 => MadF16,
        VMadmkF16 => MadF16,
        VFmaLegacyF16 => FmaF16,
        VDivFixupLegacyF16 => DivFixupF16,
        VAddNcI16 => AddU32,
        VSubNcI16 => SubU32,
        VMulLoU16 => MulLoU32,
        VMadU16 => Mad16,
        VMadI16 => Mad16,
        VMinU16 => MinU32,
        VMaxU16 => MaxU32,
        VMinI16 => MinI16,
        VMaxI16 => MaxI16,
        VMin3U16 => Min3U32,
        VMax3U16 => Max3U32,
        VMed3U16 => Med3U32,
        VMin3I16 => Min3I16,
        VMax3I16 => Max3I16,
        VMed3I16 => Med3I16,
        VLshlrevB16 => LshlRev16,
        VLshrrevB16 => LshrRev16,
        VAshrrevI16 => AshrRev16,
        VCvtI32I16 => SignExtend16,
        VCvtU32U16 => Move,
        VMadU32U16 => MadU32U16,
        VMadI32I16 => MadI32I16,
        VAlignbitB32 => AlignBit,
        VAlignbyteB32 => AlignByte,
        VPackB32F16 => PackB32,
        VSatPkU8I16 => SatPkU8I16,
        VFmaF16 => FmaF16,
        VFmacF16 => FmaF16,
        VFmaakF16 => FmaF16,
        VFmamkF16 => FmaF16,
        VLdexpF16 => LdexpF16,
        VFrexpMantF16 => FrexpMantF16,
        VFrexpExpI16F16 => FrexpExpF16,
        VCvtF16U16 => CvtF16U16,
        VCvtF16I16 => CvtF16I16,
        VCvtU16F16 => CvtU16F16,
        VCvtI16F16 => CvtI16F16,
        VDivFixupF16 => DivFixupF16,
    })
}

fn packed_function(l: &Lowerer, op: Opcode) -> Option<Code> {
    let floats = || {
        Some(code_table! { l, op, widened:
            VPkAddF16 => AddF32,
            VPkMulF16 => MulF32,
            VPkMinF16 => MinF32,
            VPkMinimum3F16 => Minimum3F32,
            VPkMaximum3F16 => Maximum3F32,
            VPkMaxF16 => MaxF32,
            VPkMinimumF16 => MinimumF32,
            VPkMaximumF16 => MaximumF32,
        })
    };
    let integers = || {
        Some(code_table! { l, op, whole:
            VPkFmaF16 => FmaF16,
            VPkFmacF16 => FmaF16,
            VPkMadI16 => Mad16,
            VPkMadU16 => Mad16,
            VPkMulLoU16 => MulLoU32,
            VPkAddI16 => AddU32,
            VPkSubI16 => SubU32,
            VPkAddU16 => AddU32,
            VPkSubU16 => SubU32,
            VPkLshlrevB16 => LshlRev16,
            VPkLshrrevB16 => LshrRev16,
            VPkAshrrevI16 => AshrRev16,
            VPkMaxI16 => MaxI16,
            VPkMinI16 => MinI16,
            VPkMaxU16 => MaxU32,
            VPkMinU16 => MinU32,
        })
    };
    floats().or_else(integers)
}

/// Integer functions whose clamp saturates.
fn saturating(l: &Lowerer, op: Opcode) -> Option<Code> {
    let whole_dwords = || {
        Some(code_table! { l, op, whole:
            VAddNcU32 => AddU32Clamp,
            VSubNcU32 => SubU32Clamp,
            VSubrevNcU32 => SubrevU32Clamp,
            VAddNcI32 => AddI32Clamp,
            VSubNcI32 => SubI32Clamp,
        })
    };
    let halves = || {
        Some(code_table! { l, op, whole:
            VAddNcU16 => AddU16Clamp,
            VSubNcU16 => SubU16Clamp,
            VAddNcI16 => AddI16Clamp,
            VSubNcI16 => SubI16Clamp,
        })
    };
    let packed_halves = || {
        Some(code_table! { l, op, whole:
            VPkAddU16 => AddU16Clamp,
            VPkSubU16 => SubU16Clamp,
            VPkAddI16 => AddI16Clamp,
            VPkSubI16 => SubI16Clamp,
        })
    };
    // The clamp is in the function.
    whole_dwords()
        .or_else(halves)
        .or_else(packed_halves)
        .or_else(|| saturating_products(l, op))
}

/// Products and sums whose clamp saturates.
fn saturating_products(l: &Lowerer, op: Opcode) -> Option<Code> {
    Some(code_table! { l, op, seldom:
        VMulU32U24 => MulU24Clamp,
        VMulI32I24 => MulI24Clamp,
        VMadU32U24 => MadU24Clamp,
        VMadI32I24 => MadI24Clamp,
        VMadU32U16 => MadU32U16Clamp,
        VMadI32I16 => MadI32I16Clamp,
        VMadU16 => MadU16Clamp,
        VMadI16 => MadI16Clamp,
        VPkMadU16 => MadU16Clamp,
        VPkMadI16 => MadI16Clamp,
        VSadU8 => SadU8Clamp,
        VSadU16 => SadU16Clamp,
        VSadU32 => SadU32Clamp,
        VDot4U32U8 => Dot4U32U8Clamp,
        VDot8U32U4 => Dot8U32U4Clamp,
    })
}

/// Functions of doubles whose results depend on the MODE register.
fn rounded_wide_function(l: &Lowerer, op: Opcode) -> Option<Handler> {
    Some(match op {
        Opcode::VAddF64 => l.common_code::<RoundedWide<AddF64>>(),
        Opcode::VMulF64 => l.common_code::<RoundedWide<MulF64>>(),
        Opcode::VFmaF64 => l.common_code::<RoundedWide<FmaF64>>(),
        Opcode::VCvtF32F64 => l.common_code::<RoundedWide<CvtF32F64>>(),
        Opcode::VCvtF64F32 => l.common_code::<RoundedWide<CvtF64F32>>(),
        _ => return None,
    })
}

pub(super) fn wide_function(l: &Lowerer, op: Opcode) -> Option<Handler> {
    if let Some(code) = l.unusual.then(|| rounded_wide_function(l, op)).flatten() {
        return Some(code);
    }
    macro_rules! table {
        ($($opcode:ident => $meaning:ty,)+) => {
            match op {
                $(Opcode::$opcode => l.code::<Wide<$meaning>>(),)+
                _ => return None,
            }
        };
    }
    Some(table! {
        VAddF64 => AddF64,
        VFmacF64 => FmaF64,
        VLshlAddU64 => LshlAddU64,
        VMulF64 => MulF64,
        VFmaF64 => FmaF64,
        VMinF64 => MinF64,
        VMaxF64 => MaxF64,
        VMinimumF64 => MinimumF64,
        VMaximumF64 => MaximumF64,
        VLdexpF64 => LdexpF64,
        VDivFixupF64 => DivFixupF64,
        VRcpF64 => RcpF64,
        VRsqF64 => RsqF64,
        VSqrtF64 => SqrtF64,
        VTruncF64 => TruncF64,
        VCeilF64 => CeilF64,
        VFloorF64 => FloorF64,
        VRndneF64 => RoundEvenF64,
        VFractF64 => FractF64,
        VFrexpMantF64 => FrexpMantF64,
        VFrexpExpI32F64 => FrexpExpF64,
        VCvtF64F32 => CvtF64F32,
        VCvtF32F64 => CvtF32F64,
        VCvtF64I32 => CvtF64I32,
        VCvtF64U32 => CvtF64U32,
        VCvtI32F64 => CvtI32F64,
        VCvtU32F64 => CvtU32F64,
        VLshlrevB64 => LshlRevB64,
        VLshrrevB64 => LshrRevB64,
        VAshrrevI64 => AshrRevI64,
        VTrigPreopF64 => TrigPreopF64,
        VQsadPkU16U8 => QsadPkU16U8,
        VMqsadPkU16U8 => MqsadPkU16U8,
    })
}

pub(super) fn matrix_function(l: &Lowerer, op: Opcode) -> Option<Handler> {
    Some(match op {
        Opcode::VWmmaF3216x16x16F16 => l.code::<Wmma<F16>>(),
        Opcode::VWmmaF3216x16x16Bf16 => l.code::<Wmma<Bf16>>(),
        Opcode::VWmmaF1616x16x16F16 => l.code::<WmmaHalf<F16>>(),
        Opcode::VWmmaBf1616x16x16Bf16 => l.code::<WmmaHalf<Bf16>>(),
        Opcode::VWmmaI3216x16x16Iu8 => l.code::<Wmma<Integer<8>>>(),
        Opcode::VWmmaI3216x16x16Iu4 => l.code::<Wmma<Integer<4>>>(),
        _ => return None,
    })
}

/// Handlers of one predicate: into a mask, into EXEC.
fn forms_of<T: Test>(l: &Lowerer) -> [Handler; 2] {
    [l.code::<Compare<T, false>>(), l.code::<Compare<T, true>>()]
}

fn wide_forms_of<T: CompareWideFn>(l: &Lowerer) -> [Handler; 2] {
    [
        l.code::<CompareWide<T, false>>(),
        l.code::<CompareWide<T, true>>(),
    ]
}

/// Handlers of a compare by condition and type, the parts of its name.
pub(super) fn predicate(l: &Lowerer, condition: &str, ty: &str) -> Option<[Handler; 2]> {
    Some(match (condition, ty) {
        ("f", "f32" | "f16") => forms_of::<FalseF>(l),
        ("lt", "f32" | "f16") => forms_of::<LtF>(l),
        ("eq", "f32" | "f16") => forms_of::<EqF>(l),
        ("le", "f32" | "f16") => forms_of::<LeF>(l),
        ("gt", "f32" | "f16") => forms_of::<GtF>(l),
        ("lg", "f32" | "f16") => forms_of::<LgF>(l),
        ("ge", "f32" | "f16") => forms_of::<GeF>(l),
        ("o", "f32" | "f16") => forms_of::<OrderedF>(l),
        ("u", "f32" | "f16") => forms_of::<UnorderedF>(l),
        ("nge", "f32" | "f16") => forms_of::<NgeF>(l),
        ("nlg", "f32" | "f16") => forms_of::<NlgF>(l),
        ("ngt", "f32" | "f16") => forms_of::<NgtF>(l),
        ("nle", "f32" | "f16") => forms_of::<NleF>(l),
        ("neq", "f32" | "f16") => forms_of::<NeqF>(l),
        ("nlt", "f32" | "f16") => forms_of::<NltF>(l),
        ("t" | "tru", "f32" | "f16") => forms_of::<TrueF>(l),
        ("class", "f32") => forms_of::<ClassOfF32>(l),
        ("class", "f16") => forms_of::<ClassOfF16>(l),
        ("f", "i32" | "u32" | "i16" | "u16" | "i64" | "u64" | "f64") => forms_of::<FalseF>(l),
        ("t" | "tru", "i32" | "u32" | "i16" | "u16" | "i64" | "u64" | "f64") => {
            forms_of::<TrueF>(l)
        }
        ("eq", "i32" | "u32" | "i16" | "u16") => forms_of::<EqB32>(l),
        ("ne", "i32" | "u32" | "i16" | "u16") => forms_of::<NeB32>(l),
        ("lt", "i32") => forms_of::<LtI32>(l),
        ("le", "i32") => forms_of::<LeI32>(l),
        ("gt", "i32") => forms_of::<GtI32>(l),
        ("ge", "i32") => forms_of::<GeI32>(l),
        ("lt", "u32" | "u16") => forms_of::<LtU32>(l),
        ("le", "u32" | "u16") => forms_of::<LeU32>(l),
        ("gt", "u32" | "u16") => forms_of::<GtU32>(l),
        ("ge", "u32" | "u16") => forms_of::<GeU32>(l),
        ("lt", "i16") => forms_of::<LtI16>(l),
        ("le", "i16") => forms_of::<LeI16>(l),
        ("gt", "i16") => forms_of::<GtI16>(l),
        ("ge", "i16") => forms_of::<GeI16>(l),
        ("eq", "i64" | "u64") => wide_forms_of::<EqB64>(l),
        ("ne", "i64" | "u64") => wide_forms_of::<NeB64>(l),
        ("lt", "i64") => wide_forms_of::<LtI64>(l),
        ("le", "i64") => wide_forms_of::<LeI64>(l),
        ("gt", "i64") => wide_forms_of::<GtI64>(l),
        ("ge", "i64") => wide_forms_of::<GeI64>(l),
        ("lt", "u64") => wide_forms_of::<LtU64>(l),
        ("le", "u64") => wide_forms_of::<LeU64>(l),
        ("gt", "u64") => wide_forms_of::<GtU64>(l),
        ("ge", "u64") => wide_forms_of::<GeU64>(l),
        ("lt", "f64") => wide_forms_of::<LtF64>(l),
        ("eq", "f64") => wide_forms_of::<EqF64>(l),
        ("le", "f64") => wide_forms_of::<LeF64>(l),
        ("gt", "f64") => wide_forms_of::<GtF64>(l),
        ("lg", "f64") => wide_forms_of::<LgF64>(l),
        ("ge", "f64") => wide_forms_of::<GeF64>(l),
        ("o", "f64") => wide_forms_of::<OrderedF64>(l),
        ("u", "f64") => wide_forms_of::<UnorderedF64>(l),
        ("nge", "f64") => wide_forms_of::<NgeF64>(l),
        ("nlg", "f64") => wide_forms_of::<NlgF64>(l),
        ("ngt", "f64") => wide_forms_of::<NgtF64>(l),
        ("nle", "f64") => wide_forms_of::<NleF64>(l),
        ("neq", "f64") => wide_forms_of::<NeqF64>(l),
        ("nlt", "f64") => wide_forms_of::<NltF64>(l),
        ("class", "f64") => wide_forms_of::<ClassOfF64>(l),
        _ => return None,
    })
}
