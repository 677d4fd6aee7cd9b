//! Lowering of vector instructions.

use super::Op;
use super::lower::{Lowerer, Refusal};
use crate::exec::families::*;
use crate::exec::lane::*;
use crate::isa::{
    Dpp, DppControl, Encoding, Instruction, Opcode, Operand, OutputModifier, Type, WaveSize,
};
use crate::simd::{Handler, LANES};
use crate::wave::{slot, temp};

/// How half-precision sources and results are passed to a function of lanes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Halves {
    /// As f32.
    Widened,
    /// As bits.
    Raw,
}

/// The code of a lane function.
struct Code {
    /// On whole dwords.
    plain: Handler,
    /// On f32 with signs changed.
    signed: Option<Handler>,
    halves: Halves,
}

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

/// The lane function of an opcode.
fn lane_function(l: &Lowerer, op: Opcode, clamp: bool) -> Option<Code> {
    if clamp {
        if let Some(code) = saturating(l, op) {
            return Some(code);
        }
        if !takes_float_clamp(op) {
            return None;
        }
    }
    float_function(l, op)
        .or_else(|| integer_function(l, op))
        .or_else(|| other_float_function(l, op))
        .or_else(|| half_function(l, op))
        .or_else(|| packed_function(l, op))
}

/// Is a clamp of this opcode one of its float result?
fn takes_float_clamp(op: Opcode) -> bool {
    let float = |ty: &Type| matches!(ty, Type::F16 | Type::F32 | Type::PkF16);
    op.info().dst.first().is_some_and(float)
        || matches!(op, Opcode::VFmaMixloF16 | Opcode::VFmaMixhiF16)
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
        VExpF16 => ExpF32,
        VLogF16 => LogF32,
        VSinF16 => SinF32,
        VCosF16 => CosF32,
    })
}

fn integer_function(l: &Lowerer, op: Opcode) -> Option<Code> {
    Some(code_table! { l, op, whole:
        VMovB32 => Move,
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
            VPkMaxF16 => MaxF32,
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
    whole_dwords().or_else(halves).or_else(packed_halves)
}

fn wide_function(l: &Lowerer, op: Opcode) -> Option<Handler> {
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
        VMulF64 => MulF64,
        VFmaF64 => FmaF64,
        VMinF64 => MinF64,
        VMaxF64 => MaxF64,
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
    })
}

fn matrix_function(l: &Lowerer, op: Opcode) -> Option<Handler> {
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
fn predicate(l: &Lowerer, condition: &str, ty: &str) -> Option<[Handler; 2]> {
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
        ("f", "i32" | "u32" | "i16" | "u16") => forms_of::<FalseF>(l),
        ("t", "i32" | "u32" | "i16" | "u16") => forms_of::<TrueF>(l),
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
