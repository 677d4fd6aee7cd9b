//! Lowering of floating point on scalar registers (gfx12).

use super::super::lower::{Lowerer, Refusal};
use crate::exec::families::{scalar_flags as flags, *};
use crate::exec::lane::*;
use crate::isa::{Instruction, Opcode};
use crate::simd::Handler;
use crate::wave::slot;

/// Lowers an instruction of these; false if it is none.
pub(super) fn lower(l: &mut Lowerer, i: &Instruction) -> Result<bool, Refusal> {
    let found = rounded(l, i.op)
        .or_else(|| function(l, i.op))
        .or_else(|| compare(l, i.op));
    let Some((run, aux)) = found else {
        return Ok(false);
    };
    let mut slots = [slot::NULL; 3];
    let types = i.info().src;
    for (place, (&ty, &operand)) in slots.iter_mut().zip(types.iter().zip(&i.src)) {
        *place = l.source_slot(operand, ty)?;
    }
    let mut op = l.op_of(run);
    op.d = l.result_slot(i.dst[0])?;
    if matches!(i.op, Opcode::SFmacF32 | Opcode::SFmacF16) {
        slots[2] = op.d;
    }
    [op.a, op.b, op.c] = slots;
    op.aux = aux;
    l.push(op);
    Ok(true)
}

/// What is rounded as MODE says.
fn rounded(l: &Lowerer, op: Opcode) -> Option<(Handler, u32)> {
    use Opcode::*;
    let run = match op {
        SAddF32 => l.common_code::<ScalarRounded<RoundedAddF32>>(),
        SSubF32 => l.common_code::<ScalarRounded<RoundedSubF32>>(),
        SMulF32 => l.common_code::<ScalarRounded<RoundedMulF32>>(),
        SFmacF32 | SFmaakF32 | SFmamkF32 => l.common_code::<ScalarRounded<RoundedFmaF32>>(),
        SCvtF32I32 => l.common_code::<ScalarRounded<RoundedCvtF32I32>>(),
        SCvtF32U32 => l.common_code::<ScalarRounded<RoundedCvtF32U32>>(),
        SCvtF16F32 => l.common_code::<ScalarRounded<RoundedCvtF16F32>>(),
        SAddF16 => l.common_code::<ScalarRounded<RoundedAddF16>>(),
        SSubF16 => l.common_code::<ScalarRounded<RoundedSubF16>>(),
        SMulF16 => l.common_code::<ScalarRounded<RoundedMulF16>>(),
        SFmacF16 => l.common_code::<ScalarRounded<RoundedFmaF16>>(),
        _ => return None,
    };
    let halves = matches!(op, SAddF16 | SSubF16 | SMulF16 | SFmacF16);
    Some((run, if halves { flags::HALVES } else { flags::FLOATS }))
}

fn function(l: &Lowerer, op: Opcode) -> Option<(Handler, u32)> {
    use Opcode::*;
    let single = flags::FLOATS | flags::TO_FLOAT;
    let half = flags::HALVES | flags::TO_HALF;
    macro_rules! table {
        ($($opcode:ident => $meaning:ty, $flags:expr;)+) => {
            match op {
                $($opcode => (l.common_code::<ScalarLane<$meaning>>(), $flags),)+
                _ => return None,
            }
        };
    }
    Some(table! {
        SCeilF32 => CeilF32, single;
        SFloorF32 => FloorF32, single;
        STruncF32 => TruncF32, single;
        SRndneF32 => RoundEvenF32, single;
        SMinNumF32 => MinF32, single;
        SMaxNumF32 => MaxF32, single;
        SMinimumF32 => MinimumF32, single;
        SMaximumF32 => MaximumF32, single;
        SCeilF16 => CeilF32, half;
        SFloorF16 => FloorF32, half;
        STruncF16 => TruncF32, half;
        SRndneF16 => RoundEvenF32, half;
        SMinNumF16 => MinF32, half;
        SMaxNumF16 => MaxF32, half;
        SMinimumF16 => MinimumF32, half;
        SMaximumF16 => MaximumF32, half;
        SCvtI32F32 => CvtI32F32, flags::FLOATS;
        SCvtU32F32 => CvtU32F32, flags::FLOATS;
        SCvtPkRtzF16F32 => CvtPkRtzF16F32, flags::FLOATS;
        SCvtF32F16 => Move, flags::HALVES | flags::TO_FLOAT;
        SCvtHiF32F16 => Move, flags::UPPER | flags::TO_FLOAT;
    })
}

fn compare(l: &Lowerer, op: Opcode) -> Option<(Handler, u32)> {
    let (condition, ty) = op.name().strip_prefix("s_cmp_")?.split_once('_')?;
    let aux = match ty {
        "f32" => flags::FLOATS,
        "f16" => flags::HALVES,
        _ => return None,
    };
    let run = match condition {
        "lt" => l.common_code::<ScalarCompare<LtF>>(),
        "eq" => l.common_code::<ScalarCompare<EqF>>(),
        "le" => l.common_code::<ScalarCompare<LeF>>(),
        "gt" => l.common_code::<ScalarCompare<GtF>>(),
        "lg" => l.common_code::<ScalarCompare<LgF>>(),
        "ge" => l.common_code::<ScalarCompare<GeF>>(),
        "o" => l.common_code::<ScalarCompare<OrderedF>>(),
        "u" => l.common_code::<ScalarCompare<UnorderedF>>(),
        "nge" => l.common_code::<ScalarCompare<NgeF>>(),
        "nlg" => l.common_code::<ScalarCompare<NlgF>>(),
        "ngt" => l.common_code::<ScalarCompare<NgtF>>(),
        "nle" => l.common_code::<ScalarCompare<NleF>>(),
        "neq" => l.common_code::<ScalarCompare<NeqF>>(),
        "nlt" => l.common_code::<ScalarCompare<NltF>>(),
        _ => return None,
    };
    Some((run, aux))
}
