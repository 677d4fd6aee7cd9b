//! Lowering of vector instructions.

mod codes;
mod dpp;
mod gfx12;
mod gfx9;
mod parts;

use super::Op;
use super::lower::{Lowerer, Refusal};
use super::native::Step;
use crate::exec::families::*;
use crate::exec::lane::*;
use crate::isa::{Encoding, Flags, Generation, Instruction, Opcode, Operand, Type, WaveSize};
use crate::simd::Handler;
use crate::wave::{slot, temp};
use codes::{
    Code, Halves, joint, lane_function, matrix_function, native_function, predicate, wide_function,
};
use parts::{Finishing, push_finished};

/// How one source is taken.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Source {
    shift: u16,
    mask: u32,
    flip: u32,
    flags: u16,
}

impl Source {
    /// A whole dword as it is.
    const WHOLE: Source = Source {
        shift: 0,
        mask: u32::MAX,
        flip: 0,
        flags: 0,
    };
}

/// Flag of a source whose halves are put in another order, by [`Arrange`]:
/// its `shift` then holds where they come from.
const ARRANGED: u16 = 1 << 15;

/// Is it lowered once, even for waves of 64?
pub(super) fn is_for_whole_wave(i: &Instruction) -> bool {
    use Opcode::*;
    let permutes = matches!(i.op, DsPermuteB32 | DsBpermuteB32);
    let to_scalar = i.info().dst.first() == Some(&Type::S32);
    let matrix = i.op.name().starts_with("v_wmma_") && i.generation == Generation::Gfx12;
    to_scalar
        || matrix
        || matches!(
            i.op,
            VWritelaneB32
                | VPermlane64B32
                | VPermlane16SwapB32
                | VPermlane32SwapB32
                | DsAppend
                | DsConsume
        )
        || permutes && i.generation.is_gfx9()
        || i.info().dst.first().is_some_and(|ty| ty.is_accumulator())
}

pub(super) fn lower(l: &mut Lowerer, i: &Instruction) -> Result<(), Refusal> {
    if matches!(i.op, Opcode::VNop | Opcode::VPipeflush | Opcode::VClrexcp) {
        return Ok(());
    }
    if let Some(second) = i.dual.as_ref().filter(|_| i.encoding == Encoding::Vopd) {
        return dual(l, i, second);
    }
    if let Some(operands) = l.index_mode
        && let Some(moves) = indexed(i, operands)?
    {
        return move_relative(l, i, moves, false);
    }
    match &i.modifiers.dpp {
        Some(control) => dpp::lower(l, i, control),
        None => single(l, i),
    }
}

/// Both halves read their sources before either writes.
fn dual(l: &mut Lowerer, first: &Instruction, second: &Instruction) -> Result<(), Refusal> {
    let reads = |i: &Instruction, row: Operand| {
        let accumulates = i.info().flags.contains(crate::isa::Flags::READS_DST) && i.dst[0] == row;
        accumulates || i.src.contains(&row)
    };
    if !reads(second, first.dst[0]) {
        single(l, first)?;
        return single(l, second);
    }
    if !reads(first, second.dst[0]) {
        single(l, second)?;
        return single(l, first);
    }
    l.with_temporary(|l| single(l, first))?;
    single(l, second)?;
    let mut op = l.op::<Plain<Move>>();
    op.a = l.temp(temp::DUAL);
    op.d = l.vgpr(first.dst[0])?;
    l.push(op);
    Ok(())
}

fn single(l: &mut Lowerer, i: &Instruction) -> Result<(), Refusal> {
    if i.encoding == Encoding::Vopc || i.op.name().starts_with("v_cmp") {
        return compare(l, i);
    }
    if l.is_gfx12() && gfx12::lower(l, i)? {
        return Ok(());
    }
    if let Some(code) = lane_function(l, i.op, i.modifiers.clamp) {
        return lane(l, i, &code);
    }
    if let Some(run) = matrix_function(l, i.op) {
        return matrix(l, i, run);
    }
    if let Some(run) = wide_function(l, i.op) {
        return wide(l, i, run);
    }
    if l.is_gfx9() && gfx9::lower(l, i)? {
        return Ok(());
    }
    special(l, i)
}

fn lane(l: &mut Lowerer, i: &Instruction, code: &Code) -> Result<(), Refusal> {
    let result = l.result(i.dst[0])?;
    if matches!(i.info().dst[0], Type::PkF16 | Type::PkB16) {
        if i.modifiers.sdwa.is_some() {
            return Err("parts of packed halves are not implemented".to_owned());
        }
        return packed_halves(l, i, code, result);
    }
    let taken = sources_of(l, i, code.halves);
    let finish = finish_flags(l, i, code.halves);
    let modified = taken.iter().any(|source| *source != Source::WHOLE);
    let mut op = l.op_of(code.plain);
    op.d = result;
    if let (Some(signed), None) = (code.signed, finish)
        && taken
            .iter()
            .all(|source| source.shift == 0 && source.flags == 0)
    {
        if modified {
            op.run = signed;
            op.aux = sign_bits(i);
        }
        [op.a, op.b, op.c] = sources(l, i)?;
        let joint = if modified || l.unusual {
            None
        } else {
            know(l, i, &op);
            joint(l, i.op)
        };
        l.push_joined(op, joint);
        return Ok(());
    }
    [op.a, op.b, op.c] = take_all(l, i, &taken)?;
    if !modified && finish.is_none() && !i.modifiers.clamp && !l.unusual {
        know(l, i, &op);
    }
    push_finished(l, op, result, finish);
    Ok(())
}

/// Says what an op without modifiers does, if there is native code for that.
fn know(l: &mut Lowerer, i: &Instruction, op: &Op) {
    if let Some(function) = native_function(i.op) {
        l.know(Step::Lane {
            function,
            d: op.d,
            sources: [op.a, op.b, op.c],
        });
    }
}

/// Does the instruction add to its destination?
fn accumulates(op: Opcode) -> bool {
    use Opcode::*;
    matches!(
        op,
        VFmacF32
            | VFmacF16
            | VFmacDx9ZeroF32
            | VPkFmacF16
            | VDot2accF32F16
            | VDot2accF32Bf16
            | VFmacF64
            | VMacF16
            | VMacF32
            | VDot2cI32I16
            | VDot4cI32I8
            | VDot8cI32I4
    )
}

/// Operand and type of a source; an accumulator is the last one.
fn operand(i: &Instruction, number: usize) -> Option<(Operand, Type)> {
    let info = i.info();
    match info.src.get(number) {
        Some(&ty) => Some((i.src[number], ty)),
        None if number == 2 && accumulates(i.op) => Some((i.dst[0], info.dst[0])),
        None => None,
    }
}

/// Rows of the sources as they are.
fn sources(l: &mut Lowerer, i: &Instruction) -> Result<[u16; 3], Refusal> {
    let mut rows = [0; 3];
    for (number, row) in rows.iter_mut().enumerate() {
        if let Some((operand, ty)) = operand(i, number) {
            *row = l.source(number, operand, ty)?;
        }
    }
    Ok(rows)
}

/// Rows of the sources, with an op in front for each that is not whole.
fn take_all(l: &mut Lowerer, i: &Instruction, taken: &[Source; 3]) -> Result<[u16; 3], Refusal> {
    let mut rows = [0; 3];
    for (number, row) in rows.iter_mut().enumerate() {
        let Some((operand, ty)) = operand(i, number) else {
            continue;
        };
        let source = taken[number];
        if source == Source::WHOLE {
            *row = l.source(number, operand, ty)?;
            continue;
        }
        *row = take_one(l, i, number, source)?;
    }
    Ok(rows)
}

/// Adds the op that takes a source; gives the row it leaves it in.
fn take_one(
    l: &mut Lowerer,
    i: &Instruction,
    number: usize,
    source: Source,
) -> Result<u16, Refusal> {
    let (operand, ty) = operand(i, number).ok_or("a source is missing")?;
    if source.flags & ARRANGED != 0 {
        let mut op = l.op::<Arrange>();
        op.a = l.source(number, operand, ty)?;
        op.d = l.temp(temp::TAKEN + number as u16);
        (op.aux, op.e) = (source.flip, source.shift);
        l.push(op);
        return Ok(op.d);
    }
    // A constant that is taken as a half is one.
    let ty = if ty == Type::MixF32 && source.flags & form::HALF != 0 {
        Type::F16
    } else {
        ty
    };
    let mut op = l.op::<Take>();
    op.a = l.source(number, operand, ty)?;
    op.d = l.temp(temp::TAKEN + number as u16);
    op.imm = source.mask;
    op.aux = source.flip;
    op.e = source.shift | source.flags;
    l.push(op);
    Ok(op.d)
}

/// Signs of the sources: bits 0 to 2 negate, 3 to 5 take absolute values.
fn sign_bits(i: &Instruction) -> u32 {
    let float = |number: &usize| i.info().src.get(*number).is_some_and(|ty| ty.is_float());
    let floats = (0..3)
        .filter(float)
        .fold(0, |bits, number| bits | 1_u8 << number);
    u32::from(i.modifiers.neg & floats) | u32::from(i.modifiers.abs & floats) << 3
}

/// How the sources of an instruction that is not packed are taken.
fn sources_of(l: &Lowerer, i: &Instruction, halves: Halves) -> [Source; 3] {
    let m = &i.modifiers;
    std::array::from_fn(|number| {
        let Some((_, ty)) = operand(i, number) else {
            return Source::WHOLE;
        };
        let implicit = number >= i.info().src.len();
        if let Some(sdwa) = &m.sdwa
            && !implicit
            && number < sdwa.src.len()
        {
            return parts::source(l, i, sdwa, number, halves);
        }
        let bit = |mask: u8| mask >> number & 1 != 0;
        // An accumulator lies where the result goes.
        let upper = if implicit {
            m.op_sel >> 3 & 1 != 0
        } else {
            bit(m.op_sel)
        };
        let mixed_half = ty == Type::MixF32 && bit(m.op_sel_hi);
        if matches!(ty, Type::PkF16 | Type::PkBf16 | Type::PkB16) {
            return arranged(i, number);
        }
        let mut source = Source::WHOLE;
        let mut sign = 1 << 31;
        if ty.is_half() || mixed_half {
            source.shift = if upper { 16 } else { 0 };
            source.mask = 0xffff;
            sign = 0x8000;
            if mixed_half || (ty == Type::F16 && halves == Halves::Widened) {
                source.flags |= form::HALF;
            }
        } else if l.flush && matches!(ty, Type::F32 | Type::MixF32) {
            source.flags |= form::FLUSH;
        }
        if ty.is_float() && !implicit {
            if bit(m.abs) {
                source.mask &= !sign;
            }
            if bit(m.neg) {
                source.flip = sign;
            }
        }
        source
    })
}

/// How two halves that are taken together are put in order.
fn arranged(i: &Instruction, number: usize) -> Source {
    let m = &i.modifiers;
    let packed = i.encoding == Encoding::Vop3p;
    let bit = |mask: u8| u16::from(mask >> number & 1);
    let order = if packed {
        bit(m.op_sel) | bit(m.op_sel_hi) << 1
    } else {
        2
    };
    let high = if packed { m.neg_hi } else { m.neg };
    let flip = if i.info().src[number].is_float() {
        u32::from(bit(m.neg)) << 15 | u32::from(bit(high)) << 31
    } else {
        0
    };
    if (order, flip) == (2, 0) {
        return Source::WHOLE;
    }
    Source {
        shift: order,
        flip,
        flags: ARRANGED,
        ..Source::WHOLE
    }
}

/// How a result is finished, if it needs that.
fn finish_flags(l: &Lowerer, i: &Instruction, halves: Halves) -> Option<Finishing> {
    let m = &i.modifiers;
    let ty = i.info().dst[0];
    let mix = parts::is_mix(i.op);
    let mut flags = (m.omod as u16) << form::OMOD;
    if mix || ty == Type::F16 && halves == Halves::Widened {
        flags |= form::HALF;
    } else if ty == Type::F16 {
        // Its bits are rounded already.
        flags |= form::IS_HALF;
    } else if ty == Type::F32 && l.flush {
        flags |= form::FLUSH;
    }
    let float = mix || matches!(ty, Type::F16 | Type::F32);
    if m.clamp && float {
        flags |= form::CLAMP;
    }
    if l.is_gfx9() && !mix {
        return parts::finishing_gfx9(i, if float { flags } else { 0 });
    }
    let whole = Finishing {
        flags,
        part: None,
        shift: 0,
        keep: 0,
    };
    if mix || ty.is_half() {
        let upper = i.op == Opcode::VFmaMixhiF16 || !mix && m.op_sel >> 3 & 1 != 0;
        let shift = if upper { 16 } else { 0 };
        return Some(Finishing {
            shift,
            keep: !(0xffff << shift),
            ..whole
        });
    }
    (float && flags != 0).then_some(whole)
}

/// Both halves of a packed instruction, one after the other.
fn packed_halves(
    l: &mut Lowerer,
    i: &Instruction,
    code: &Code,
    result: u16,
) -> Result<(), Refusal> {
    for high in [false, true] {
        let taken = half_sources(i, code.halves, high);
        let mut op = l.op_of(code.plain);
        [op.a, op.b, op.c] = take_all(l, i, &taken)?;
        op.d = l.temp(temp::RESULT + u16::from(high));
        l.push(op);
    }
    let mut op = l.op::<Join>();
    op.d = result;
    (op.a, op.b) = (l.temp(temp::RESULT), l.temp(temp::RESULT + 1));
    if i.info().dst[0] == Type::PkF16 {
        op.e = if code.halves == Halves::Widened {
            form::HALF
        } else {
            form::IS_HALF
        };
        if i.modifiers.clamp {
            op.e |= form::CLAMP;
        }
    }
    l.push(op);
    Ok(())
}

/// How the sources of one half of a packed instruction are taken.
fn half_sources(i: &Instruction, halves: Halves, high: bool) -> [Source; 3] {
    let m = &i.modifiers;
    std::array::from_fn(|number| {
        let Some((_, ty)) = operand(i, number) else {
            return Source::WHOLE;
        };
        // An accumulator's halves are taken as they lie.
        let implicit = number >= i.info().src.len();
        let select = if high { m.op_sel_hi } else { m.op_sel };
        let upper = if implicit {
            high
        } else {
            select >> number & 1 != 0
        };
        let negate = if high { m.neg_hi } else { m.neg };
        let mut source = Source {
            mask: 0xffff,
            ..Source::WHOLE
        };
        source.shift = if upper { 16 } else { 0 };
        if ty == Type::PkF16 && halves == Halves::Widened {
            source.flags = form::HALF;
        }
        if ty.is_float() && !implicit && negate >> number & 1 != 0 {
            source.flip = 0x8000;
        }
        source
    })
}

fn matrix(l: &mut Lowerer, i: &Instruction, run: Handler) -> Result<(), Refusal> {
    use matrix_flags as flags;
    let m = &i.modifiers;
    let half = matches!(
        i.op,
        Opcode::VWmmaF1616x16x16F16 | Opcode::VWmmaBf1616x16x16Bf16
    );
    let mut op = l.op_of(run);
    op.d = l.vgpr(i.dst[0])?;
    op.a = l.vgpr(i.src[0])?;
    op.b = l.vgpr(i.src[1])?;
    let ty = i.info().src[2];
    op.c = match i.src[2].constant(ty) {
        Some(value) => l.constant_row(value),
        None => l.vgpr(i.src[2])?,
    };
    let bit = |mask: u8, number: u32| mask >> number & 1 != 0;
    let asked = [
        (half && bit(m.op_sel, 2), flags::UPPER),
        (i.op == Opcode::VWmmaBf1616x16x16Bf16, flags::BRAIN),
        (l.size == WaveSize::Wave64, flags::WAVE64),
        (l.is_upper_half(), flags::UPPER_LANES),
    ];
    let set = asked.iter().filter(|(set, _)| *set);
    op.aux = set.fold(matrix_bits(i), |bits, (_, flag)| bits | flag);
    l.push(op);
    Ok(())
}

/// The bits of a matrix product that its modifiers and addend ask for.
fn matrix_bits(i: &Instruction) -> u32 {
    use matrix_flags as flags;
    let m = &i.modifiers;
    let info = i.info();
    let integer = info.flags.contains(Flags::SIGNED_MODS);
    let bit = |mask: u8, number: u32| mask >> number & 1 != 0;
    let asked = [
        (integer && bit(m.neg, 0), flags::SIGNED_A),
        (integer && bit(m.neg, 1), flags::SIGNED_B),
        (i.src[2].constant(info.src[2]).is_some(), flags::CONSTANT),
        (m.clamp, flags::CLAMP),
        (!integer && bit(m.neg, 0), flags::NEGATE_A_EVEN),
        (!integer && bit(m.neg_hi, 0), flags::NEGATE_A_ODD),
        (!integer && bit(m.neg, 1), flags::NEGATE_B_EVEN),
        (!integer && bit(m.neg_hi, 1), flags::NEGATE_B_ODD),
        (!integer && bit(m.neg, 2), flags::NEGATE_C),
        (!integer && bit(m.neg_hi, 2), flags::ABS_C),
    ];
    let set = asked.iter().filter(|(set, _)| *set);
    set.fold(0, |bits, (_, flag)| bits | flag)
}

/// Modifiers of 64-bit functions and of the division helpers, in `aux`.
fn modifier_bits(i: &Instruction) -> u32 {
    let m = &i.modifiers;
    let signs = u32::from(m.neg & 7) | u32::from(m.abs & 7) << 3;
    signs | u32::from(m.clamp) << 6 | (m.omod as u32) << 7
}

fn wide(l: &mut Lowerer, i: &Instruction, run: Handler) -> Result<(), Refusal> {
    let mut op = l.op_of(run);
    [op.a, op.b, op.c] = sources(l, i)?;
    op.aux = modifier_bits(i);
    let result = l.result(i.dst[0])?;
    let finish = (i.info().dst[0] == Type::F32)
        .then(|| finish_flags(l, i, Halves::Raw))
        .flatten();
    push_finished(l, op, result, finish);
    Ok(())
}

fn special(l: &mut Lowerer, i: &Instruction) -> Result<(), Refusal> {
    use Opcode::*;
    match i.op {
        VCndmaskB32 | VCndmaskB16 => return select(l, i),
        VReadfirstlaneB32 | VReadlaneB32 | VWritelaneB32 | VPermlane64B32 | VPermlane16B32
        | VPermlanex16B32 | VPermlane16VarB32 | VPermlanex16VarB32 => {
            return cross_lane(l, i);
        }
        VSwapB32 => {
            let mut op = l.common_op::<Swap>();
            op.d = l.vgpr(i.dst[0])?;
            op.a = l.vgpr(i.src[0])?;
            l.push(op);
            return Ok(());
        }
        VSwapB16 => return swap_halves(l, i),
        VMovreldB32 | VMovrelsB32 | VMovrelsdB32 | VMovrelsd2B32 | VSwaprelB32 => {
            return relative(l, i);
        }
        _ => {}
    }
    let run = match i.op {
        VAddCoU32 => l.code::<Carry<0, false>>(),
        VSubCoU32 => l.code::<Carry<1, false>>(),
        VSubrevCoU32 => l.code::<Carry<2, false>>(),
        VAddCoCiU32 => l.code::<Carry<0, true>>(),
        VSubCoCiU32 => l.code::<Carry<1, true>>(),
        VSubrevCoCiU32 => l.code::<Carry<2, true>>(),
        VMadU64U32 => l.code::<Mad64<false>>(),
        VMadI64I32 => l.code::<Mad64<true>>(),
        VDivScaleF32 => l.code::<DivScaleF32>(),
        VDivScaleF64 => l.code::<DivScaleF64>(),
        VDivFmasF32 => l.code::<DivFmasF32>(),
        VDivFmasF64 => l.code::<DivFmasF64>(),
        VMbcntLoU32B32 => l.code::<MaskCount<false>>(),
        VMbcntHiU32B32 => l.code::<MaskCount<true>>(),
        VDot4I32Iu8 => l.code::<DotSigned<8>>(),
        VDot8I32Iu4 => l.code::<DotSigned<4>>(),
        VMqsadU32U8 => l.common_code::<MqsadU32U8>(),
        _ => return Err("not implemented".to_owned()),
    };
    let mut op = l.op_of(run);
    let types = i.info().src;
    let mut rows = [0; 3];
    let taken = match i.modifiers.sdwa {
        Some(_) => sources_of(l, i, Halves::Raw),
        None => [Source::WHOLE; 3],
    };
    for (number, &ty) in types.iter().enumerate() {
        rows[number] = if ty == Type::Mask {
            l.source_mask(i.src[number])?
        } else if taken[number] != Source::WHOLE {
            take_one(l, i, number, taken[number])?
        } else {
            l.source(number, i.src[number], ty)?
        };
    }
    [op.a, op.b, op.c] = rows;
    op.e = l.result_mask(i.dst[1])?;
    op.aux = modifier_bits(i);
    let result = l.result(i.dst[0])?;
    let finish = (matches!(i.op, VDivScaleF32 | VDivFmasF32) || i.modifiers.sdwa.is_some())
        .then(|| finish_flags(l, i, Halves::Raw))
        .flatten();
    push_finished(l, op, result, finish);
    Ok(())
}

/// Exchanges halves of two registers.
fn swap_halves(l: &mut Lowerer, i: &Instruction) -> Result<(), Refusal> {
    let shift = |bit: u8| {
        if i.modifiers.op_sel >> bit & 1 != 0 {
            16
        } else {
            0
        }
    };
    let [source, result] = [(i.src[0], shift(0)), (i.dst[0], shift(3))];
    for (number, (operand, shift)) in [source, result].into_iter().enumerate() {
        let mut op = l.op::<Take>();
        op.a = l.vgpr(operand)?;
        op.d = l.temp(temp::TAKEN + number as u16);
        (op.imm, op.e) = (0xffff, shift);
        l.push(op);
    }
    for (number, (operand, shift)) in [result, source].into_iter().enumerate() {
        let mut op = l.op::<Finish>();
        op.d = l.vgpr(operand)?;
        op.a = l.temp(temp::TAKEN + number as u16);
        (op.e, op.imm) = (shift, !(0xffff << shift));
        l.push(op);
    }
    Ok(())
}

/// Moves between registers whose numbers M0 changes.
fn relative(l: &mut Lowerer, i: &Instruction) -> Result<(), Refusal> {
    use relative_to_m0 as by;
    let (imm, swaps) = match i.op {
        Opcode::VMovreldB32 => (by::RESULT, false),
        Opcode::VMovrelsB32 => (by::SOURCE, false),
        Opcode::VMovrelsdB32 => (by::BOTH, false),
        other => (by::EACH, other == Opcode::VSwaprelB32),
    };
    if imm != by::RESULT && i.modifiers.dpp.is_some() {
        return Err("a permutation of a register that M0 selects is not implemented".to_owned());
    }
    move_relative(l, i, imm, swaps)
}

/// What index mode, for the operands of these bits, makes of an instruction, if
/// any of them is a vector register: a move relative to M0. Compilers have no
/// other instructions there.
fn indexed(i: &Instruction, operands: u16) -> Result<Option<u32>, Refusal> {
    use relative_to_m0 as by;
    const RESULT: u16 = 8;
    let is_vector =
        |operand: &Operand| matches!(operand, Operand::Vgpr { .. } | Operand::Agpr { .. });
    let source = (0..3).any(|number| operands >> number & 1 != 0 && is_vector(&i.src[number]));
    let result = operands & RESULT != 0 && i.dst.iter().any(is_vector);
    let moves = match (source, result) {
        (false, false) => return Ok(None),
        (true, false) => by::SOURCE,
        (false, true) => by::RESULT,
        (true, true) => by::BOTH,
    };
    let is_plain = i.modifiers.dpp.is_none() && i.modifiers.sdwa.is_none();
    if i.op == Opcode::VMovB32 && is_plain {
        return Ok(Some(moves | by::BYTE));
    }
    Err("only moves are implemented in index mode".to_owned())
}

fn move_relative(l: &mut Lowerer, i: &Instruction, imm: u32, swaps: bool) -> Result<(), Refusal> {
    l.name_all();
    let mut op = l.common_op::<MoveRelative>();
    op.a = l.source(0, i.src[0], Type::B32)?;
    op.d = l.vgpr(i.dst[0])?;
    (op.imm, op.aux) = (imm, u32::from(swaps));
    (op.e, op.b) = l.rows_of_half();
    l.push(op);
    Ok(())
}

fn select(l: &mut Lowerer, i: &Instruction) -> Result<(), Refusal> {
    let unflushed = |source: Source| Source {
        flags: source.flags & !form::FLUSH,
        ..source
    };
    let taken = sources_of(l, i, Halves::Raw).map(unflushed);
    let mut op = l.op::<Select>();
    let mask = l.source_mask(i.src[2])?;
    let types = i.info().src;
    let result = l.result(i.dst[0])?;
    let mut rows = [0; 2];
    for (number, row) in rows.iter_mut().enumerate() {
        if taken[number] == Source::WHOLE {
            *row = l.source(number, i.src[number], types[number])?;
        } else {
            *row = take_one(l, i, number, taken[number])?;
        }
    }
    [op.a, op.b] = rows;
    op.c = mask;
    let finish = finish_flags(l, i, Halves::Raw);
    push_finished(l, op, result, finish);
    Ok(())
}

fn cross_lane(l: &mut Lowerer, i: &Instruction) -> Result<(), Refusal> {
    use Opcode::*;
    let distance = u32::from(l.vgprs);
    let uniform = |l: &mut Lowerer, number: usize| l.source_slot(i.src[number], Type::B32);
    let op = match i.op {
        VReadfirstlaneB32 => Op {
            a: l.vgpr(i.src[0])?,
            d: l.result_slot(i.dst[0])?,
            imm: distance,
            ..l.common_op::<ReadFirstLane>()
        },
        VReadlaneB32 => Op {
            a: l.vgpr(i.src[0])?,
            b: uniform(l, 1)?,
            d: l.result_slot(i.dst[0])?,
            imm: distance,
            ..l.common_op::<ReadLane>()
        },
        VPermlane64B32 => Op {
            a: l.vgpr(i.src[0])?,
            d: l.vgpr(i.dst[0])?,
            imm: distance,
            ..l.common_op::<Permlane64>()
        },
        VWritelaneB32 => Op {
            a: uniform(l, 0)?,
            b: uniform(l, 1)?,
            d: l.vgpr(i.dst[0])?,
            imm: distance,
            ..l.common_op::<WriteLane>()
        },
        VPermlane16VarB32 | VPermlanex16VarB32 => {
            let run = if i.op == VPermlane16VarB32 {
                l.code::<Permlane16Var<false>>()
            } else {
                l.code::<Permlane16Var<true>>()
            };
            Op {
                a: l.vgpr(i.src[0])?,
                b: l.vgpr(i.src[1])?,
                d: l.vgpr(i.dst[0])?,
                aux: u32::from(i.modifiers.op_sel & 3),
                ..l.op_of(run)
            }
        }
        _ => {
            let run = if i.op == VPermlane16B32 {
                l.code::<Permlane16<false>>()
            } else {
                l.code::<Permlane16<true>>()
            };
            Op {
                a: l.vgpr(i.src[0])?,
                b: uniform(l, 1)?,
                c: uniform(l, 2)?,
                d: l.vgpr(i.dst[0])?,
                // Bit 0 reads inactive lanes, bit 1 is the bound control.
                aux: u32::from(i.modifiers.op_sel & 3),
                ..l.op_of(run)
            }
        }
    };
    l.push(op);
    Ok(())
}

fn compare(l: &mut Lowerer, i: &Instruction) -> Result<(), Refusal> {
    let mut parts = i.op.name().split('_').skip(1);
    let exec = parts.next() == Some("cmpx");
    let (condition, ty) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
    // A clamp asks for exceptions on quiet NaNs; there are no exceptions.
    let codes = predicate(l, condition, ty).ok_or("not implemented")?;
    let types = i.info().src;
    let mut op = l.op_of(codes[usize::from(exec)]);
    if matches!(types[0], Type::F64 | Type::B64) {
        [op.a, op.b, _] = sources(l, i)?;
        op.aux = modifier_bits(i);
    } else {
        let halves = if condition == "class" {
            Halves::Raw
        } else {
            Halves::Widened
        };
        let taken = sources_of(l, i, halves);
        [op.a, op.b, _] = take_all(l, i, &taken)?;
    }
    op.d = if exec {
        slot::SINK
    } else {
        l.result_mask(i.dst[0])?
    };
    if !(exec && l.is_gfx9()) {
        l.push(op);
        return Ok(());
    }
    // A mask and EXEC.
    op.run = codes[0];
    op.d = l.result_mask(i.dst[0])?;
    l.push(op);
    let mut to_exec = l.op::<ExecFrom>();
    to_exec.a = op.d;
    l.push(to_exec);
    Ok(())
}
