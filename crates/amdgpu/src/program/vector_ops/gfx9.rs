//! Lowering of what only gfx9 has: pairs of f32, small floats, matrices.

use super::super::Op;
use super::super::lower::{Lowerer, Refusal};
use super::parts::push_finished;
use super::{Halves, Source, finish_flags, modifier_bits, sources_of, take_all};
use crate::exec::families::*;
use crate::exec::lane::*;
use crate::exec::{mfma, scaled};
use crate::isa::{Instruction, Opcode, Operand, Selection, Type};
use crate::simd::Handler;
use crate::wave::temp;

/// Lowers an instruction of these; false if it is none.
pub(super) fn lower(l: &mut Lowerer, i: &Instruction) -> Result<bool, Refusal> {
    use Opcode::*;
    match i.op {
        VMovB64 => move_pair(l, i)?,
        VPkFmaF32 => pair::<FmaF32>(l, i)?,
        VPkMulF32 => pair::<MulF32>(l, i)?,
        VPkAddF32 => pair::<AddF32>(l, i)?,
        VPkMovB32 => pair::<Move>(l, i)?,
        VCvtPkF32Fp8 if l.has_ocp_floats() => widen_pair::<CvtF32Fp8Ocp>(l, i)?,
        VCvtPkF32Bf8 if l.has_ocp_floats() => widen_pair::<CvtF32Bf8Ocp>(l, i)?,
        VCvtPkFp8F32 if l.has_ocp_floats() => narrow::<CvtPkFp8OcpF32>(l, i, 0xffff)?,
        VCvtPkBf8F32 if l.has_ocp_floats() => narrow::<CvtPkBf8OcpF32>(l, i, 0xffff)?,
        VCvtSrFp8F32 if l.has_ocp_floats() => narrow::<CvtSrFp8OcpF32>(l, i, 0xff)?,
        VCvtSrBf8F32 if l.has_ocp_floats() => narrow::<CvtSrBf8OcpF32>(l, i, 0xff)?,
        VCvtSrF16F32 => narrow::<CvtSrF16F32>(l, i, 0xffff)?,
        VCvtSrBf16F32 => narrow::<CvtSrBf16F32>(l, i, 0xffff)?,
        VAshrPkI8I32 => narrow::<AshrPkI8>(l, i, 0xffff)?,
        VAshrPkU8I32 => narrow::<AshrPkU8>(l, i, 0xffff)?,
        VCvtPkF16F32 | VCvtPkBf16F32 if i.modifiers.clamp => {
            return Err("a clamp of packed results is not implemented".to_owned());
        }
        VCvtPkF16F32 => narrow::<CvtPkF16F32>(l, i, u32::MAX)?,
        VCvtPkBf16F32 => narrow::<CvtPkBf16F32>(l, i, u32::MAX)?,
        VBitop3B32 | VBitop3B16 => table(l, i)?,
        VPermlane16SwapB32 => swap_rows(l, i, l.common_code::<PermlaneSwap<false>>())?,
        VPermlane32SwapB32 => swap_rows(l, i, l.common_code::<PermlaneSwap<true>>())?,
        VCvtPkF32Fp8 => widen_pair::<CvtF32Fp8>(l, i)?,
        VCvtPkF32Bf8 => widen_pair::<CvtF32Bf8>(l, i)?,
        VCvtPkFp8F32 => narrow::<CvtPkFp8F32>(l, i, 0xffff)?,
        VCvtPkBf8F32 => narrow::<CvtPkBf8F32>(l, i, 0xffff)?,
        VCvtSrFp8F32 => narrow::<CvtSrFp8F32>(l, i, 0xff)?,
        VCvtSrBf8F32 => narrow::<CvtSrBf8F32>(l, i, 0xff)?,
        VDot4I32I8 | VDot4cI32I8 => dot(l, i, l.code::<DotSigned<8>>())?,
        VDot8I32I4 | VDot8cI32I4 => dot(l, i, l.code::<DotSigned<4>>())?,
        _ if i.op.name().starts_with("v_cvt_scalef32_") => convert_scaled(l, i)?,
        _ => match mfma::of(i.op, l.backend(), l.has_ocp_floats()) {
            Some((shape, run)) => matrix(l, i, shape, run)?,
            None => return Ok(false),
        },
    }
    Ok(true)
}

/// A function of three bits, for each bit of the sources.
fn table(l: &mut Lowerer, i: &Instruction) -> Result<(), Refusal> {
    let mut op = l.op::<TruthTable>();
    let taken = sources_of(l, i, Halves::Raw);
    [op.a, op.b, op.c] = take_all(l, i, &taken)?;
    op.imm = u32::from(i.modifiers.truth_table);
    let result = l.result(i.dst[0])?;
    let finish = finish_flags(l, i, Halves::Raw);
    push_finished(l, op, result, finish);
    Ok(())
}

/// Rows of 16 lanes swapped between two registers.
fn swap_rows(l: &mut Lowerer, i: &Instruction, run: Handler) -> Result<(), Refusal> {
    let mut op = l.op_of(run);
    (op.d, op.a) = (l.vgpr(i.dst[0])?, l.vgpr(i.src[0])?);
    (op.imm, op.aux) = (u32::from(l.vgprs), u32::from(i.modifiers.op_sel & 3));
    l.push(op);
    Ok(())
}

/// Between floats and small floats that have a scale in common.
fn convert_scaled(l: &mut Lowerer, i: &Instruction) -> Result<(), Refusal> {
    let mut op = l.common_op::<ConvertScaled>();
    let types = i.info().src;
    op.a = l.source(0, i.src[0], types[0])?;
    // The last source is the scale.
    let last = types.len() - 1;
    op.c = l.source(last, i.src[last], types[last])?;
    op.b = if last == 2 {
        l.source(1, i.src[1], types[1])?
    } else {
        op.a
    };
    op.d = l.result(i.dst[0])?;
    op.imm = i.op as u32;
    op.aux = modifier_bits(i) & 0x3f | u32::from(i.modifiers.op_sel) << 8;
    l.push(op);
    Ok(())
}

fn refuse_dpp(i: &Instruction) -> Result<(), Refusal> {
    match i.modifiers.dpp {
        Some(_) => Err("a permutation of pairs is not implemented".to_owned()),
        None => Ok(()),
    }
}

fn move_pair(l: &mut Lowerer, i: &Instruction) -> Result<(), Refusal> {
    refuse_dpp(i)?;
    let mut op = l.op::<Plain<Move>>();
    let source = l.source(0, i.src[0], Type::B64)?;
    let result = l.result(i.dst[0])?;
    (op.a, op.d) = (source, result);
    l.push(op);
    (op.a, op.d) = (source + 1, result + 1);
    l.push(op);
    Ok(())
}

/// A function of each of two f32. `op_sel` says which of a source goes into
/// the lower result, `op_sel_hi` which into the upper. Moves take the lower
/// result from the first source and the upper from the second.
fn pair<F: Lane>(l: &mut Lowerer, i: &Instruction) -> Result<(), Refusal> {
    let m = &i.modifiers;
    let moves = i.op == Opcode::VPkMovB32;
    let result = l.result(i.dst[0])?;
    let mut halves = Vec::new();
    let mut rows = [0; 3];
    for (number, &ty) in i.info().src.iter().enumerate() {
        rows[number] = l.source(number, i.src[number], ty)?;
    }
    for high in [false, true] {
        let mut op = l.op::<Signed<F>>();
        if moves {
            op.run = l.code::<Plain<F>>();
        }
        let (select, negate) = if high && !moves {
            (m.op_sel_hi, m.neg_hi)
        } else {
            (m.op_sel, m.neg)
        };
        let mut taken = [0; 3];
        for (number, row) in taken.iter_mut().enumerate() {
            // An inline constant is the same in both places.
            let constant = i.src[number].constant(Type::B32).is_some();
            let upper = select >> number & 1 != 0 && !constant;
            *row = rows[number] + u16::from(upper);
        }
        if moves && high {
            taken[0] = taken[1];
        }
        [op.a, op.b, op.c] = taken;
        op.aux = if moves { 0 } else { u32::from(negate & 7) };
        op.d = result + u16::from(high);
        halves.push(op);
    }
    let read = |op: &Op, row: u16| [op.a, op.b, op.c][..i.info().src.len()].contains(&row);
    let clobbers = read(&halves[1], result) && !moves || moves && halves[1].a == result;
    if clobbers || m.clamp || l.flush {
        for (number, mut op) in halves.into_iter().enumerate() {
            op.d = l.temp(temp::RESULT + number as u16);
            l.push(op);
        }
        for number in 0..2 {
            let mut op = l.op::<Finish>();
            op.a = l.temp(temp::RESULT + number);
            op.d = result + number;
            op.e = 0;
            if m.clamp && !moves {
                op.e |= form::CLAMP;
            }
            if l.flush && !moves {
                op.e |= form::FLUSH;
            }
            l.push(op);
        }
    } else {
        for op in halves {
            l.push(op);
        }
    }
    Ok(())
}

/// Two small floats of a source to a pair of f32.
fn widen_pair<F: Lane>(l: &mut Lowerer, i: &Instruction) -> Result<(), Refusal> {
    refuse_dpp(i)?;
    if i.modifiers.clamp {
        return Err("a clamp of converted pairs is not implemented".to_owned());
    }
    let first = match i.modifiers.sdwa.map(|sdwa| sdwa.src[0]) {
        Some(Selection::Word(number)) => 16 * u16::from(number),
        Some(Selection::Byte(number)) => 8 * u16::from(number),
        Some(Selection::Dword) | None => 0,
    };
    for number in 0..2 {
        let mut op = l.op::<Take>();
        op.a = l.source(0, i.src[0], Type::B32)?;
        op.d = l.temp(temp::TAKEN + number);
        (op.imm, op.e) = (0xff, (first + 8 * number) & 31);
        l.push(op);
    }
    let result = l.result(i.dst[0])?;
    for number in 0..2 {
        let mut op = l.op::<Plain<F>>();
        op.a = l.temp(temp::TAKEN + number);
        op.d = result + number;
        l.push(op);
    }
    Ok(())
}

/// f32 to small floats in a part of the result that `op_sel` picks.
fn narrow<F: Lane>(l: &mut Lowerer, i: &Instruction, mask: u32) -> Result<(), Refusal> {
    let m = &i.modifiers;
    let result = l.result(i.dst[0])?;
    let mut op = l.op::<Plain<F>>();
    let mut taken = sources_of(l, i, Halves::Raw);
    if mask == 0xff {
        // The second source is bits to round with.
        taken[1] = Source::WHOLE;
    }
    [op.a, op.b, op.c] = take_all(l, i, &taken)?;
    let shift = match (mask, m.op_sel >> 2) {
        (0xff, place) => 8 * u16::from(place & 3),
        (_, place) => 8 * u16::from(place & 2),
    };
    op.d = l.temp(temp::RESULT);
    l.push(op);
    let mut op = l.op::<Finish>();
    (op.a, op.d) = (l.temp(temp::RESULT), result);
    (op.e, op.imm) = (shift, !(mask << shift));
    l.push(op);
    Ok(())
}

/// A dot product of signed bytes or nibbles, plus a third source or the
/// destination.
fn dot(l: &mut Lowerer, i: &Instruction, run: Handler) -> Result<(), Refusal> {
    const BOTH_SIGNED: u32 = 3;
    let mut op = l.op_of(run);
    let taken = [Source::WHOLE; 3];
    [op.a, op.b, op.c] = take_all(l, i, &taken)?;
    op.aux = modifier_bits(i) & !0x3f | BOTH_SIGNED;
    let result = l.result(i.dst[0])?;
    let finish = finish_flags(l, i, Halves::Raw);
    push_finished(l, op, result, finish);
    Ok(())
}

fn matrix(
    l: &mut Lowerer,
    i: &Instruction,
    shape: mfma::Shape,
    run: Handler,
) -> Result<(), Refusal> {
    let m = &i.modifiers;
    let mut op = l.op_of(run);
    op.d = l.vgpr(i.dst[0])?;
    op.a = l.vgpr(i.src[0])?;
    op.b = l.vgpr(i.src[1])?;
    op.aux = mfma::modifiers(m.broadcast_size, m.broadcast_block, m.lane_pattern);
    let accumulator = i.info().src[2];
    op.c = match (shape.sparse, i.src[2].constant(accumulator)) {
        (true, _) => l.vgpr(i.src[2])?,
        (false, Some(value)) => {
            op.aux |= mfma::CONSTANT;
            l.constant_row(value)
        }
        (false, None) => match i.src[2] {
            operand @ (Operand::Vgpr { .. } | Operand::Agpr { .. }) => l.vgpr(operand)?,
            _ => return Err("an aperture as accumulator is not implemented".to_owned()),
        },
    };
    op.imm = u32::from(l.vgprs);
    op.e = shape.pack();
    if let Some(scales) = &i.dual {
        op.aux |= scaled::SCALES;
        take_scales(l, scales)?;
    }
    l.push(op);
    Ok(())
}

/// The scales of both factors, of both halves of the wave.
fn take_scales(l: &mut Lowerer, scales: &Instruction) -> Result<(), Refusal> {
    let m = &scales.modifiers;
    for factor in 0..2_u16 {
        let bit = |mask: u8| u32::from(mask >> factor & 1);
        let row = l.vgpr(scales.src[factor as usize])?;
        for half in 0..2 {
            let mut op = l.common_op::<TakeScale>();
            op.a = row + half * l.vgprs;
            op.d = l.temp(temp::TAKEN + 2 * factor + half);
            op.imm = 8 * (bit(m.op_sel) | bit(m.op_sel_hi) << 1);
            l.push(op);
        }
    }
    Ok(())
}
