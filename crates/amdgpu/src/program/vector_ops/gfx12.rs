//! Lowering of what only gfx12 has: scalars computed by the vector unit, small
//! floats, matrices whose factors are spread over the wave.

use super::super::lower::{Lowerer, Refusal};
use super::{Halves, Source, matrix_bits, sources_of, take_all, take_one};
use crate::exec::families::*;
use crate::exec::lane::*;
use crate::isa::{Instruction, Opcode, Type};
use crate::simd::Handler;
use crate::wave::temp;

/// Lowers an instruction of these; false if it is none.
pub(super) fn lower(l: &mut Lowerer, i: &Instruction) -> Result<bool, Refusal> {
    use Opcode::*;
    if let Some(run) = scalar_function(l, i.op) {
        scalar(l, i, run)?;
        return Ok(true);
    }
    if let Some(run) = matrix_function(l, i.op) {
        matrix(l, i, run)?;
        return Ok(true);
    }
    match i.op {
        VCvtF32Fp8 => widen::<CvtF32Fp8Ocp>(l, i)?,
        VCvtF32Bf8 => widen::<CvtF32Bf8Ocp>(l, i)?,
        VCvtPkF32Fp8 => widen_pair::<CvtF32Fp8Ocp>(l, i)?,
        VCvtPkF32Bf8 => widen_pair::<CvtF32Bf8Ocp>(l, i)?,
        VCvtPkFp8F32 => narrow::<CvtPkFp8OcpF32>(l, i, 0xffff)?,
        VCvtPkBf8F32 => narrow::<CvtPkBf8OcpF32>(l, i, 0xffff)?,
        VCvtSrFp8F32 => narrow::<CvtSrFp8OcpF32>(l, i, 0xff)?,
        VCvtSrBf8F32 => narrow::<CvtSrBf8OcpF32>(l, i, 0xff)?,
        _ => return Ok(false),
    }
    Ok(true)
}

fn scalar_function(l: &Lowerer, op: Opcode) -> Option<Handler> {
    use Opcode::*;
    Some(match op {
        VSExpF32 | VSExpF16 => l.common_code::<ScalarLane<ExpF32>>(),
        VSLogF32 | VSLogF16 => l.common_code::<ScalarLane<LogF32>>(),
        VSRcpF32 | VSRcpF16 => l.common_code::<ScalarLane<RcpF32>>(),
        VSRsqF32 | VSRsqF16 => l.common_code::<ScalarLane<RsqF32>>(),
        VSSqrtF32 | VSSqrtF16 => l.common_code::<ScalarLane<SqrtF32>>(),
        _ => return None,
    })
}

fn scalar(l: &mut Lowerer, i: &Instruction, run: Handler) -> Result<(), Refusal> {
    use scalar_flags as flags;
    let m = &i.modifiers;
    let ty = i.info().src[0];
    let mut op = l.op_of(run);
    op.a = l.source_slot(i.src[0], ty)?;
    op.b = op.a;
    op.d = l.result_slot(i.dst[0])?;
    op.aux = match ty {
        Type::UniformF16 => flags::HALVES | flags::TO_HALF,
        _ => flags::FLOATS | flags::TO_FLOAT,
    };
    let asked = [
        (m.neg & 1 != 0, flags::NEGATE),
        (m.abs & 1 != 0, flags::ABSOLUTE),
        (m.clamp, flags::CLAMP),
    ];
    let set = asked.iter().filter(|(set, _)| *set);
    op.aux |= set.fold(0, |bits, (_, flag)| bits | flag);
    op.aux |= (m.omod as u32) << flags::OMOD;
    l.push(op);
    Ok(())
}

fn matrix_function(l: &Lowerer, op: Opcode) -> Option<Handler> {
    use Opcode::*;
    Some(match op {
        VWmmaF3216x16x16F16 => l.code::<WmmaGfx12<F16, F16, Dwords, 16>>(),
        VWmmaF3216x16x16Bf16 => l.code::<WmmaGfx12<Bf16, Bf16, Dwords, 16>>(),
        VWmmaF1616x16x16F16 => l.code::<WmmaGfx12<F16, F16, PackedHalves, 16>>(),
        VWmmaBf1616x16x16Bf16 => l.code::<WmmaGfx12<Bf16, Bf16, Brains, 16>>(),
        VWmmaI3216x16x16Iu8 => l.code::<WmmaGfx12<Integer<8>, Integer<8>, Dwords, 16>>(),
        VWmmaI3216x16x16Iu4 => l.code::<WmmaGfx12<Integer<4>, Integer<4>, Dwords, 16>>(),
        VWmmaI3216x16x32Iu4 => l.code::<WmmaGfx12<Integer<4>, Integer<4>, Dwords, 32>>(),
        VWmmaF3216x16x16Fp8Fp8 => l.code::<WmmaGfx12<Fp8, Fp8, Dwords, 16>>(),
        VWmmaF3216x16x16Fp8Bf8 => l.code::<WmmaGfx12<Fp8, Bf8, Dwords, 16>>(),
        VWmmaF3216x16x16Bf8Fp8 => l.code::<WmmaGfx12<Bf8, Fp8, Dwords, 16>>(),
        VWmmaF3216x16x16Bf8Bf8 => l.code::<WmmaGfx12<Bf8, Bf8, Dwords, 16>>(),
        _ => return None,
    })
}

fn matrix(l: &mut Lowerer, i: &Instruction, run: Handler) -> Result<(), Refusal> {
    let mut op = l.op_of(run);
    op.d = l.vgpr(i.dst[0])?;
    op.a = l.vgpr(i.src[0])?;
    op.b = l.vgpr(i.src[1])?;
    op.c = match i.src[2].constant(i.info().src[2]) {
        Some(value) => l.constant_row(value),
        None => l.vgpr(i.src[2])?,
    };
    op.aux = matrix_bits(i);
    op.imm = u32::from(l.vgprs);
    l.push(op);
    Ok(())
}

/// One byte of the source, which `op_sel` picks (its bits are in the wrong
/// order), to f32.
fn widen<F: Lane>(l: &mut Lowerer, i: &Instruction) -> Result<(), Refusal> {
    let picked = u16::from(i.modifiers.op_sel);
    let byte = picked >> 1 & 1 | (picked & 1) << 1;
    let mut op = l.op::<Plain<F>>();
    op.a = take_one(l, i, 0, byte_of_source(8 * byte))?;
    op.d = l.result(i.dst[0])?;
    l.push(op);
    Ok(())
}

fn byte_of_source(shift: u16) -> Source {
    Source {
        shift,
        mask: 0xff,
        ..Source::WHOLE
    }
}

/// Two bytes of the source to a pair of f32.
fn widen_pair<F: Lane>(l: &mut Lowerer, i: &Instruction) -> Result<(), Refusal> {
    let first = 16 * u16::from(i.modifiers.op_sel & 1);
    let result = l.result(i.dst[0])?;
    // The second byte is kept: the first result may lie over the source.
    let taken = take_one(l, i, 0, byte_of_source(first + 8))?;
    let mut op = l.op::<Plain<Move>>();
    (op.a, op.d) = (taken, l.temp(temp::RESULT));
    l.push(op);
    let mut op = l.op::<Plain<F>>();
    (op.a, op.d) = (take_one(l, i, 0, byte_of_source(first))?, result);
    l.push(op);
    (op.a, op.d) = (l.temp(temp::RESULT), result + 1);
    l.push(op);
    Ok(())
}

/// f32 to small floats in a part of the result that `op_sel` picks.
fn narrow<F: Lane>(l: &mut Lowerer, i: &Instruction, mask: u32) -> Result<(), Refusal> {
    let result = l.result(i.dst[0])?;
    let mut taken = sources_of(l, i, Halves::Raw);
    if mask == 0xff {
        // The second source is bits to round with.
        taken[1] = Source::WHOLE;
    }
    let mut op = l.op::<Plain<F>>();
    [op.a, op.b, op.c] = take_all(l, i, &taken)?;
    op.d = l.temp(temp::RESULT);
    l.push(op);
    let place = u16::from(i.modifiers.op_sel >> 2);
    let shift = 8 * if mask == 0xff { place & 3 } else { place & 2 };
    let mut op = l.op::<Finish>();
    (op.a, op.d) = (l.temp(temp::RESULT), result);
    (op.e, op.imm) = (shift, !(mask << shift));
    l.push(op);
    Ok(())
}
