//! Lowering of vector instructions.

mod codes;

use super::Op;
use super::lower::{Lowerer, Refusal};
use crate::exec::families::*;
use crate::exec::lane::*;
use crate::isa::{
    Dpp, DppControl, Encoding, Instruction, Opcode, Operand, OutputModifier, Type, WaveSize,
};
use crate::simd::{Handler, LANES};
use crate::wave::{slot, temp};
use codes::{Code, Halves, lane_function, matrix_function, predicate, wide_function};

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

/// Is it lowered once, even for waves of 64?
pub(super) fn is_for_whole_wave(op: Opcode) -> bool {
    use Opcode::*;
    matches!(
        op,
        VReadfirstlaneB32 | VReadlaneB32 | VWritelaneB32 | VPermlane64B32
    )
}

pub(super) fn lower(l: &mut Lowerer, i: &Instruction) -> Result<(), Refusal> {
    if matches!(i.op, Opcode::VNop | Opcode::VPipeflush) {
        return Ok(());
    }
    if let Some(second) = &i.dual {
        return dual(l, i, second);
    }
    match &i.modifiers.dpp {
        Some(dpp) => permuted(l, i, dpp),
        None => single(l, i),
    }
}

/// Both halves read their sources before either writes.
fn dual(l: &mut Lowerer, first: &Instruction, second: &Instruction) -> Result<(), Refusal> {
    let reads = |i: &Instruction, row: Operand| {
        let accumulates = i.op.flags().contains(crate::isa::Flags::READS_DST) && i.dst[0] == row;
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

/// The first source goes through a permutation of lanes.
fn permuted(l: &mut Lowerer, i: &Instruction, dpp: &Dpp) -> Result<(), Refusal> {
    if i.op.flags().contains(crate::isa::Flags::WRITES_EXEC) {
        return Err("a compare that writes EXEC with DPP is not implemented".to_owned());
    }
    let (table, lanes, flags) = match *dpp {
        Dpp::Row {
            control,
            row_mask,
            bank_mask,
            bound_control,
            fetch_inactive,
        } => {
            let lanes = (0..LANES).filter(|lane| {
                row_mask >> (lane / 16) & 1 != 0 && bank_mask >> (lane / 4 % 4) & 1 != 0
            });
            let lanes = lanes.fold(0_u32, |bits, lane| bits | 1 << lane);
            let flags = u16::from(fetch_inactive) | u16::from(bound_control) << 1;
            (row_table(control), lanes, flags)
        }
        Dpp::Lanes8 {
            lanes,
            fetch_inactive,
        } => {
            let table = std::array::from_fn(|lane| (lane & !7) as u8 + lanes[lane % 8]);
            // Lanes that may not be read are zero in this form.
            (table, u32::MAX, u16::from(fetch_inactive) | 2)
        }
    };
    let mut op = l.op::<DppBegin>();
    let ty = i.op.info().src[0];
    op.a = l.source(&mut op, 0, i.src[0], ty)?;
    op.imm = l.shuffle(table);
    op.aux = lanes;
    op.e = flags;
    l.push(op);
    l.with_dpp(|l| single(l, i))?;
    let op = l.op::<DppEnd>();
    l.push(op);
    Ok(())
}

/// The lane that each lane reads; 32 for none.
fn row_table(control: DppControl) -> [u8; 32] {
    std::array::from_fn(|lane| {
        let (row, at) = (lane & 16, lane as i32 & 15);
        let from = match control {
            DppControl::QuadPerm(lanes) => (at & !3) + i32::from(lanes[at as usize & 3]),
            DppControl::RowShl(n) => at + i32::from(n),
            DppControl::RowShr(n) => at - i32::from(n),
            DppControl::RowRor(n) => (at - i32::from(n)) & 15,
            DppControl::RowMirror => 15 - at,
            DppControl::RowHalfMirror => (at & 8) | (7 - (at & 7)),
            DppControl::RowShare(n) => i32::from(n),
            DppControl::RowXmask(n) => at ^ i32::from(n),
        };
        if (0..16).contains(&from) {
            row as u8 + from as u8
        } else {
            32
        }
    })
}

fn single(l: &mut Lowerer, i: &Instruction) -> Result<(), Refusal> {
    if i.encoding == Encoding::Vopc || i.op.mnemonic().starts_with("v_cmp") {
        return compare(l, i);
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
    special(l, i)
}

fn lane(l: &mut Lowerer, i: &Instruction, code: &Code) -> Result<(), Refusal> {
    let result = l.result(i.dst[0])?;
    if matches!(i.op.info().dst[0], Type::PkF16 | Type::PkB16) {
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
        [op.a, op.b, op.c] = sources(l, i, &mut op)?;
        l.push(op);
        return Ok(());
    }
    [op.a, op.b, op.c] = take_all(l, i, &mut op, &taken)?;
    match finish {
        None => l.push(op),
        Some((flags, keep)) => {
            op.d = l.temp(temp::RESULT);
            l.push(op);
            let mut op = l.op::<Finish>();
            (op.d, op.a, op.e, op.imm) = (result, l.temp(temp::RESULT), flags, keep);
            l.push(op);
        }
    }
    Ok(())
}

/// Does the instruction add to its destination?
fn accumulates(op: Opcode) -> bool {
    use Opcode::*;
    matches!(
        op,
        VFmacF32 | VFmacF16 | VFmacDx9ZeroF32 | VPkFmacF16 | VDot2accF32F16 | VDot2accF32Bf16
    )
}

/// Operand and type of a source; an accumulator is the last one.
fn operand(i: &Instruction, number: usize) -> Option<(Operand, Type)> {
    let info = i.op.info();
    match info.src.get(number) {
        Some(&ty) => Some((i.src[number], ty)),
        None if number == 2 && accumulates(i.op) => Some((i.dst[0], info.dst[0])),
        None => None,
    }
}

/// Rows of the sources as they are.
fn sources(l: &mut Lowerer, i: &Instruction, op: &mut Op) -> Result<[u16; 3], Refusal> {
    let mut rows = [0; 3];
    for (number, row) in rows.iter_mut().enumerate() {
        if let Some((operand, ty)) = operand(i, number) {
            *row = l.source(op, number, operand, ty)?;
        }
    }
    Ok(rows)
}

/// Rows of the sources, with an op in front for each that is not whole.
fn take_all(
    l: &mut Lowerer,
    i: &Instruction,
    op: &mut Op,
    taken: &[Source; 3],
) -> Result<[u16; 3], Refusal> {
    let mut rows = [0; 3];
    for (number, row) in rows.iter_mut().enumerate() {
        let Some((operand, ty)) = operand(i, number) else {
            continue;
        };
        let source = taken[number];
        if source == Source::WHOLE {
            *row = l.source(op, number, operand, ty)?;
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
    let mut op = l.op::<Take>();
    op.a = l.source(&mut op, number, operand, ty)?;
    op.d = l.temp(temp::TAKEN + number as u16);
    op.imm = source.mask;
    op.aux = source.flip;
    op.e = source.shift | source.flags;
    l.push(op);
    Ok(op.d)
}

/// Signs of the sources: bits 0 to 2 negate, 3 to 5 take absolute values.
fn sign_bits(i: &Instruction) -> u32 {
    let float = |number: &usize| i.op.info().src.get(*number).is_some_and(|ty| ty.is_float());
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
        let implicit = number >= i.op.info().src.len();
        let bit = |mask: u8| mask >> number & 1 != 0;
        // An accumulator lies where the result goes.
        let upper = if implicit {
            m.op_sel >> 3 & 1 != 0
        } else {
            bit(m.op_sel)
        };
        let mixed_half = ty == Type::MixF32 && bit(m.op_sel_hi);
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

/// Flags and kept bits for the op that finishes a result, if it needs one.
fn finish_flags(l: &Lowerer, i: &Instruction, halves: Halves) -> Option<(u16, u32)> {
    let m = &i.modifiers;
    let ty = i.op.info().dst[0];
    let mix = matches!(i.op, Opcode::VFmaMixloF16 | Opcode::VFmaMixhiF16);
    let mut flags = (m.omod as u16) << form::OMOD;
    if mix || ty == Type::F16 && halves == Halves::Widened {
        flags |= form::HALF;
    } else if ty == Type::F16 {
        flags |= form::IS_HALF;
    } else if ty == Type::F32 && l.flush {
        flags |= form::FLUSH;
    }
    let float = mix || matches!(ty, Type::F16 | Type::F32);
    if m.clamp && float {
        flags |= form::CLAMP;
    }
    if mix || ty.is_half() {
        let upper = i.op == Opcode::VFmaMixhiF16 || !mix && m.op_sel >> 3 & 1 != 0;
        let shift = if upper { 16 } else { 0 };
        return Some((flags | shift, !(0xffff << shift)));
    }
    (float && flags != 0).then_some((flags, 0))
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
        [op.a, op.b, op.c] = take_all(l, i, &mut op, &taken)?;
        op.d = l.temp(temp::RESULT + u16::from(high));
        l.push(op);
    }
    let mut op = l.op::<Join>();
    op.d = result;
    (op.a, op.b) = (l.temp(temp::RESULT), l.temp(temp::RESULT + 1));
    let float = i.op.info().dst[0] == Type::PkF16;
    if float {
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
        let implicit = number >= i.op.info().src.len();
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
    let m = &i.modifiers;
    if l.size == WaveSize::Wave64 {
        return Err("matrix instructions are implemented for waves of 32 only".to_owned());
    }
    let integer = matches!(
        i.op,
        Opcode::VWmmaI3216x16x16Iu8 | Opcode::VWmmaI3216x16x16Iu4
    );
    let half = matches!(
        i.op,
        Opcode::VWmmaF1616x16x16F16 | Opcode::VWmmaBf1616x16x16Bf16
    );
    if m.clamp || m.abs != 0 || (!integer && (m.neg != 0 || m.neg_hi != 0)) {
        return Err("modifiers of matrix instructions are not implemented".to_owned());
    }
    let mut op = l.op_of(run);
    op.d = l.vgpr(i.dst[0])?;
    op.a = l.vgpr(i.src[0])?;
    op.b = l.vgpr(i.src[1])?;
    op.aux = if integer { u32::from(m.neg & 3) } else { 0 };
    let ty = i.op.info().src[2];
    if let Some(value) = i.src[2].constant(ty) {
        op.c = l.constant_row(value);
        op.aux |= 4;
    } else {
        op.c = l.vgpr(i.src[2])?;
    }
    if half && m.op_sel >> 2 & 1 != 0 {
        op.aux |= 8;
    }
    if i.op == Opcode::VWmmaBf1616x16x16Bf16 {
        op.aux |= 16;
    }
    l.push(op);
    Ok(())
}

/// Modifiers of 64-bit functions and of the division helpers, in `aux`.
fn modifier_bits(i: &Instruction, clamps: bool) -> Result<u32, Refusal> {
    let m = &i.modifiers;
    if m.omod != OutputModifier::None {
        return Err("an output modifier is not implemented here".to_owned());
    }
    if m.clamp && !clamps {
        return Err("a clamp is not implemented here".to_owned());
    }
    Ok(u32::from(m.neg & 7) | u32::from(m.abs & 7) << 3 | u32::from(m.clamp) << 6)
}

fn wide(l: &mut Lowerer, i: &Instruction, run: Handler) -> Result<(), Refusal> {
    let mut op = l.op_of(run);
    [op.a, op.b, op.c] = sources(l, i, &mut op)?;
    op.d = l.result(i.dst[0])?;
    op.aux = modifier_bits(i, i.op.info().dst[0] == Type::F64)?;
    l.push(op);
    Ok(())
}

fn special(l: &mut Lowerer, i: &Instruction) -> Result<(), Refusal> {
    use Opcode::*;
    match i.op {
        VCndmaskB32 | VCndmaskB16 => return select(l, i),
        VReadfirstlaneB32 | VReadlaneB32 | VWritelaneB32 | VPermlane64B32 | VPermlane16B32
        | VPermlanex16B32 => {
            return cross_lane(l, i);
        }
        VSwapB32 => {
            let mut op = l.common_op::<Swap>();
            op.d = l.vgpr(i.dst[0])?;
            op.a = l.vgpr(i.src[0])?;
            l.push(op);
            return Ok(());
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
        VMbcntLoU32B32 => l.common_code::<MaskCount<false>>(),
        VMbcntHiU32B32 => l.common_code::<MaskCount<true>>(),
        VDot4I32Iu8 => l.common_code::<DotSigned<8>>(),
        VDot8I32Iu4 => l.common_code::<DotSigned<4>>(),
        _ => return Err("not implemented".to_owned()),
    };
    let mut op = l.op_of(run);
    let types = i.op.info().src;
    let mut rows = [0; 3];
    for (number, &ty) in types.iter().enumerate() {
        rows[number] = if ty == Type::Mask {
            l.source_mask(i.src[number])?
        } else {
            l.source(&mut op, number, i.src[number], ty)?
        };
    }
    [op.a, op.b, op.c] = rows;
    op.d = l.result(i.dst[0])?;
    op.e = l.result_mask(i.dst[1])?;
    let dot = matches!(i.op, VDot4I32Iu8 | VDot8I32Iu4);
    op.aux = modifier_bits(i, dot)?;
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
    let types = i.op.info().src;
    let result = l.result(i.dst[0])?;
    let mut rows = [0; 2];
    for (number, row) in rows.iter_mut().enumerate() {
        if taken[number] == Source::WHOLE {
            *row = l.source(&mut op, number, i.src[number], types[number])?;
        } else {
            *row = take_one(l, i, number, taken[number])?;
        }
    }
    [op.a, op.b] = rows;
    op.c = mask;
    op.d = result;
    if !i.op.info().dst[0].is_half() {
        l.push(op);
        return Ok(());
    }
    op.d = l.temp(temp::RESULT);
    l.push(op);
    let shift = if i.modifiers.op_sel >> 3 & 1 != 0 {
        16
    } else {
        0
    };
    let mut op = l.op::<Finish>();
    (op.d, op.a, op.e, op.imm) = (result, l.temp(temp::RESULT), shift, !(0xffff << shift));
    l.push(op);
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
        _ => {
            let run = if i.op == VPermlane16B32 {
                l.common_code::<Permlane16<false>>()
            } else {
                l.common_code::<Permlane16<true>>()
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
    let mut parts = i.op.mnemonic().split('_').skip(1);
    let exec = parts.next() == Some("cmpx");
    let (condition, ty) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
    let codes = predicate(l, condition, ty).ok_or("not implemented")?;
    if i.modifiers.clamp {
        return Err("a compare that signals is not implemented".to_owned());
    }
    let types = i.op.info().src;
    let mut op = l.op_of(codes[usize::from(exec)]);
    if matches!(types[0], Type::F64 | Type::B64) {
        [op.a, op.b, _] = sources(l, i, &mut op)?;
        op.aux = modifier_bits(i, false)?;
    } else {
        let halves = if condition == "class" {
            Halves::Raw
        } else {
            Halves::Widened
        };
        let taken = sources_of(l, i, halves);
        [op.a, op.b, _] = take_all(l, i, &mut op, &taken)?;
    }
    op.d = if exec {
        slot::SINK
    } else {
        l.result_mask(i.dst[0])?
    };
    l.push(op);
    Ok(())
}
