//! Lowering of scalar instructions.

mod floats;

use super::Op;
use super::lower::{Lowerer, Refusal, branch_target};
use super::native::Step;
use crate::exec::families::*;
use crate::isa::{Flags, Instruction, Opcode, Operand, Type};
use crate::simd::Handler;
use crate::wave::slot;

/// Hardware register number of MODE.
const HW_MODE: u16 = 1;
/// The clock, and its upper dword on gfx12.
const HW_CYCLES: u16 = 29;
const HW_CYCLES_HIGH: u16 = 30;

pub(super) fn lower(l: &mut Lowerer, i: &Instruction, at: u32) -> Result<(), Refusal> {
    if dropped(i.op) {
        return Ok(());
    }
    if let Some(run) = computes(l, i.op) {
        let op = compute(l, i, run)?;
        let dwords = i.info().dst.first().map_or(0, |ty| ty.dwords(l.size));
        l.push_scalar_op(op, u16::from(dwords));
        return Ok(());
    }
    if let Some(run) = changes_exec(l, i.op) {
        let op = compute(l, i, run)?;
        l.push(op);
        return Ok(());
    }
    if let Some(run) = branches(l, i.op) {
        let target = branch_target(i, at as usize).ok_or("a branch without target")?;
        let op = l.op_of(run);
        l.push_branch(op, target as u32);
        return Ok(());
    }
    if floats::lower(l, i)? {
        return Ok(());
    }
    control(l, i, at)
}

/// Hints, waits and what only graphics and debuggers need: every access here
/// is complete before the next op, no branch of a debugger is taken.
fn dropped(op: Opcode) -> bool {
    use Opcode::*;
    matches!(
        op,
        SNop | SClause
            | SDelayAlu
            | SWaitcntDepctr
            | SWaitcntVscnt
            | SWaitcntVmcnt
            | SWaitcntExpcnt
            | SWaitcntLgkmcnt
            | SWaitIdle
            | SWaitStorecnt
            | SWaitSamplecnt
            | SWaitBvhcnt
            | SWaitExpcnt
            | SWaitEvent
            | SSetInstPrefetchDistance
            | SSetprio
            | SSetkill
            | SCbranchCdbgsys
            | SCbranchCdbguser
            | SCbranchCdbgsysOrUser
            | SCbranchCdbgsysAndUser
            | SIcacheInv
            | SSendmsg
            | SIncperflevel
            | SDecperflevel
            | STtracedata
            | STtracedataImm
            | SVersion
            | SCodeEnd
            | SWakeup
    )
}

fn branches(l: &Lowerer, op: Opcode) -> Option<Handler> {
    Some(match op {
        Opcode::SBranch => l.common_code::<Branch>(),
        Opcode::SCbranchScc0 => l.common_code::<BranchScc0>(),
        Opcode::SCbranchScc1 => l.common_code::<BranchScc1>(),
        Opcode::SCbranchVccz => l.common_code::<BranchVccz>(),
        Opcode::SCbranchVccnz => l.common_code::<BranchVccnz>(),
        Opcode::SCbranchExecz => l.common_code::<BranchExecz>(),
        Opcode::SCbranchExecnz => l.common_code::<BranchExecnz>(),
        _ => return None,
    })
}

/// Instructions that compute a result from one or two sources.
fn computes(l: &Lowerer, op: Opcode) -> Option<Handler> {
    macro_rules! table {
        ($($opcode:ident => $meaning:ty,)+) => {
            match op {
                $(Opcode::$opcode => l.common_code::<$meaning>(),)+
                _ => return None,
            }
        };
    }
    Some(table! {
        SMovB32 => Scalar<SMov32>,
        SMovB64 => Scalar<SMov64>,
        SMovkI32 => Scalar<SMov32>,
        SCmovB32 => Scalar<SCmov32>,
        SCmovB64 => Scalar<SCmov64>,
        SCmovkI32 => Scalar<SCmov32>,
        SBrevB32 => Scalar<SBrev32>,
        SBrevB64 => Scalar<SBrev64>,
        SFf0I32B32 => Scalar<SFf0_32>,
        SFf0I32B64 => Scalar<SFf0_64>,
        SCtzI32B32 => Scalar<SCtz32>,
        SCtzI32B64 => Scalar<SCtz64>,
        SClzI32U32 => Scalar<SClz32>,
        SClzI32U64 => Scalar<SClz64>,
        SClsI32 => Scalar<SCls32>,
        SClsI32I64 => Scalar<SCls64>,
        SSextI32I8 => Scalar<SSext8>,
        SSextI32I16 => Scalar<SSext16>,
        SBitset0B32 => Scalar<SBitset0_32>,
        SBitset1B32 => Scalar<SBitset1_32>,
        SBitset0B64 => Scalar<SBitset0_64>,
        SBitset1B64 => Scalar<SBitset1_64>,
        SBitreplicateB64B32 => Scalar<SBitreplicate>,
        SAbsI32 => Scalar<SAbs>,
        SBcnt0I32B32 => Scalar<SBcnt0_32>,
        SBcnt0I32B64 => Scalar<SBcnt0_64>,
        SBcnt1I32B32 => Scalar<SBcnt1_32>,
        SBcnt1I32B64 => Scalar<SBcnt1_64>,
        SQuadmaskB32 => Scalar<SQuadmask32>,
        SQuadmaskB64 => Scalar<SQuadmask64>,
        SWqmB32 => Scalar<SWqm32>,
        SWqmB64 => Scalar<SWqm64>,
        SNotB32 => Scalar<SNot32>,
        SNotB64 => Scalar<SNot64>,

        SAddU32 => Scalar<SAddU32>,
        SSubU32 => Scalar<SSubU32>,
        SAddI32 => Scalar<SAddI32>,
        SSubI32 => Scalar<SSubI32>,
        SAddcU32 => Scalar<SAddcU32>,
        SSubbU32 => Scalar<SSubbU32>,
        SAbsdiffI32 => Scalar<SAbsdiff>,
        SLshlB32 => Scalar<SLshl32>,
        SLshlB64 => Scalar<SLshl64>,
        SLshrB32 => Scalar<SLshr32>,
        SLshrB64 => Scalar<SLshr64>,
        SAshrI32 => Scalar<SAshr32>,
        SAshrI64 => Scalar<SAshr64>,
        SLshl1AddU32 => Scalar<SLshl1Add>,
        SLshl2AddU32 => Scalar<SLshl2Add>,
        SLshl3AddU32 => Scalar<SLshl3Add>,
        SLshl4AddU32 => Scalar<SLshl4Add>,
        SMinI32 => Scalar<SMinI32>,
        SMinU32 => Scalar<SMinU32>,
        SMaxI32 => Scalar<SMaxI32>,
        SMaxU32 => Scalar<SMaxU32>,
        SAndB32 => Scalar<SAnd32>,
        SAndB64 => Scalar<SAnd64>,
        SOrB32 => Scalar<SOr32>,
        SOrB64 => Scalar<SOr64>,
        SXorB32 => Scalar<SXor32>,
        SXorB64 => Scalar<SXor64>,
        SNandB32 => Scalar<SNand32>,
        SNandB64 => Scalar<SNand64>,
        SNorB32 => Scalar<SNor32>,
        SNorB64 => Scalar<SNor64>,
        SXnorB32 => Scalar<SXnor32>,
        SXnorB64 => Scalar<SXnor64>,
        SAndNot1B32 => Scalar<SAndNot32>,
        SAndNot1B64 => Scalar<SAndNot64>,
        SOrNot1B32 => Scalar<SOrNot32>,
        SOrNot1B64 => Scalar<SOrNot64>,
        SBfeU32 => Scalar<SBfeU32>,
        SBfeI32 => Scalar<SBfeI32>,
        SBfeU64 => Scalar<SBfeU64>,
        SBfeI64 => Scalar<SBfeI64>,
        SBfmB32 => Scalar<SBfm32>,
        SBfmB64 => Scalar<SBfm64>,
        SMulI32 => Scalar<SMul32>,
        SMulkI32 => Scalar<SMul32>,
        SAddNcU64 => Scalar<SAddU64>,
        SSubNcU64 => Scalar<SSubU64>,
        SMulU64 => Scalar<SMul64>,
        SMulHiU32 => Scalar<SMulHiU32>,
        SMulHiI32 => Scalar<SMulHiI32>,
        SCselectB32 => Scalar<SCselect32>,
        SCselectB64 => Scalar<SCselect64>,
        SPackLlB32B16 => Scalar<SPackLl>,
        SPackLhB32B16 => Scalar<SPackLh>,
        SPackHhB32B16 => Scalar<SPackHh>,
        SPackHlB32B16 => Scalar<SPackHl>,
        SAddkI32 => Scalar<SAddI32>,

        SCmpEqI32 => Scalar<SCmpEq32>,
        SCmpLgI32 => Scalar<SCmpNe32>,
        SCmpGtI32 => Scalar<SCmpGtI32>,
        SCmpGeI32 => Scalar<SCmpGeI32>,
        SCmpLtI32 => Scalar<SCmpLtI32>,
        SCmpLeI32 => Scalar<SCmpLeI32>,
        SCmpEqU32 => Scalar<SCmpEq32>,
        SCmpLgU32 => Scalar<SCmpNe32>,
        SCmpGtU32 => Scalar<SCmpGtU32>,
        SCmpGeU32 => Scalar<SCmpGeU32>,
        SCmpLtU32 => Scalar<SCmpLtU32>,
        SCmpLeU32 => Scalar<SCmpLeU32>,
        SCmpEqU64 => Scalar<SCmpEq64>,
        SCmpLgU64 => Scalar<SCmpNe64>,
        SBitcmp0B32 => Scalar<SBitcmp0_32>,
        SBitcmp1B32 => Scalar<SBitcmp1_32>,
        SBitcmp0B64 => Scalar<SBitcmp0_64>,
        SBitcmp1B64 => Scalar<SBitcmp1_64>,
        SCmpkEqI32 => Scalar<SCmpEq32>,
        SCmpkLgI32 => Scalar<SCmpNe32>,
        SCmpkGtI32 => Scalar<SCmpGtI32>,
        SCmpkGeI32 => Scalar<SCmpGeI32>,
        SCmpkLtI32 => Scalar<SCmpLtI32>,
        SCmpkLeI32 => Scalar<SCmpLeI32>,
        SCmpkEqU32 => Scalar<SCmpEq32>,
        SCmpkLgU32 => Scalar<SCmpNe32>,
        SCmpkGtU32 => Scalar<SCmpGtU32>,
        SCmpkGeU32 => Scalar<SCmpGeU32>,
        SCmpkLtU32 => Scalar<SCmpLtU32>,
        SCmpkLeU32 => Scalar<SCmpLeU32>,
    })
}

/// Instructions that change EXEC by a function of it.
fn changes_exec(l: &Lowerer, op: Opcode) -> Option<Handler> {
    macro_rules! table {
        ($($opcode:ident => $meaning:ty,)+) => {
            match op {
                $(Opcode::$opcode => l.code::<$meaning>(),)+
                _ => return None,
            }
        };
    }
    Some(table! {
        SAndSaveexecB32 => SaveExec<ExecAnd, false>,
        SOrSaveexecB32 => SaveExec<ExecOr, false>,
        SXorSaveexecB32 => SaveExec<ExecXor, false>,
        SNandSaveexecB32 => SaveExec<ExecNand, false>,
        SNorSaveexecB32 => SaveExec<ExecNor, false>,
        SXnorSaveexecB32 => SaveExec<ExecXnor, false>,
        SAndNot0SaveexecB32 => SaveExec<ExecAndNot0, false>,
        SOrNot0SaveexecB32 => SaveExec<ExecOrNot0, false>,
        SAndNot1SaveexecB32 => SaveExec<ExecAndNot1, false>,
        SOrNot1SaveexecB32 => SaveExec<ExecOrNot1, false>,
        SAndNot0WrexecB32 => SaveExec<ExecAndNot0, true>,
        SAndNot1WrexecB32 => SaveExec<ExecAndNot1, true>,
        SAndSaveexecB64 => SaveExec64<ExecAnd, false>,
        SOrSaveexecB64 => SaveExec64<ExecOr, false>,
        SXorSaveexecB64 => SaveExec64<ExecXor, false>,
        SNandSaveexecB64 => SaveExec64<ExecNand, false>,
        SNorSaveexecB64 => SaveExec64<ExecNor, false>,
        SXnorSaveexecB64 => SaveExec64<ExecXnor, false>,
        SAndNot0SaveexecB64 => SaveExec64<ExecAndNot0, false>,
        SOrNot0SaveexecB64 => SaveExec64<ExecOrNot0, false>,
        SAndNot1SaveexecB64 => SaveExec64<ExecAndNot1, false>,
        SOrNot1SaveexecB64 => SaveExec64<ExecOrNot1, false>,
        SAndNot0WrexecB64 => SaveExec64<ExecAndNot0, true>,
        SAndNot1WrexecB64 => SaveExec64<ExecAndNot1, true>,
    })
}

fn compute(l: &mut Lowerer, i: &Instruction, run: Handler) -> Result<Op, Refusal> {
    use Opcode::*;
    let types = i.info().src;
    let mut slots = [slot::NULL; 2];
    for (place, (&ty, &operand)) in slots.iter_mut().zip(types.iter().zip(&i.src)) {
        *place = match operand {
            // 16-bit constants are signed but for unsigned compares.
            Operand::Imm(value) => {
                let wide = if is_unsigned_compare(i.op) {
                    u32::from(value)
                } else {
                    i32::from(value as i16) as u32
                };
                l.constant_slot(u64::from(wide))
            }
            _ => l.source_slot(operand, ty)?,
        };
    }
    let d = l.result_slot(i.dst[0])?;
    let old = if d == slot::SINK { slot::NULL } else { d };
    let mut op = l.op_of(run);
    op.d = d;
    (op.a, op.b) = match i.op {
        // The destination is a source too.
        SAddkI32 | SMulkI32 => (old, slots[0]),
        SCmovB32 | SCmovB64 | SCmovkI32 | SBitset0B32 | SBitset1B32 | SBitset0B64 | SBitset1B64 => {
            (slots[0], old)
        }
        _ => (slots[0], slots[1]),
    };
    Ok(op)
}

fn is_unsigned_compare(op: Opcode) -> bool {
    use Opcode::*;
    matches!(
        op,
        SCmpkEqU32 | SCmpkLgU32 | SCmpkGtU32 | SCmpkGeU32 | SCmpkLtU32 | SCmpkLeU32
    )
}

fn control(l: &mut Lowerer, i: &Instruction, at: u32) -> Result<(), Refusal> {
    let next = l.code_object_offset(at + u32::from(i.size_bytes));
    let imm = i.src.iter().find_map(|operand| match operand {
        Operand::Imm(value) => Some(*value),
        _ => None,
    });
    let is_barrier = |op| {
        use Opcode::{SBarrier, SBarrierSignal, SBarrierSignalIsfirst, SBarrierWait};
        matches!(
            op,
            SBarrier | SBarrierSignal | SBarrierSignalIsfirst | SBarrierWait
        )
    };
    l.has_barriers |= is_barrier(i.op);
    let op = match i.op {
        Opcode::SEndpgm | Opcode::SEndpgmSaved | Opcode::SEndpgmOrderedPsDone => {
            l.common_op::<End>()
        }
        Opcode::SBarrier => l.common_op::<BarrierBoth>(),
        Opcode::SBarrierSignal | Opcode::SBarrierSignalIsfirst | Opcode::SBarrierWait => {
            return barrier(l, i);
        }
        Opcode::SSethalt if imm == Some(0) => return Ok(()),
        Opcode::SSethalt | Opcode::SSendmsghalt => l.common_op::<Halt>(),
        Opcode::SSendmsgRtnB32 | Opcode::SSendmsgRtnB64 => {
            return message(l, i, imm.unwrap_or(0));
        }
        Opcode::SMovrelsB32
        | Opcode::SMovrelsB64
        | Opcode::SMovreldB32
        | Opcode::SMovreldB64
        | Opcode::SMovrelsd2B32 => return relative(l, i),
        Opcode::SSetGprIdxOn
        | Opcode::SSetGprIdxOff
        | Opcode::SSetGprIdxMode
        | Opcode::SSetGprIdxIdx => return index_mode(l, i, imm.unwrap_or(0) & 15),
        Opcode::SSleep | Opcode::SSleepVar => l.common_op::<Sleep>(),
        Opcode::SWaitcnt if !waits_for_loads(imm.unwrap_or(0), l.is_gfx9()) => return Ok(()),
        Opcode::SWaitcnt
        | Opcode::SWaitLoadcnt
        | Opcode::SWaitDscnt
        | Opcode::SWaitKmcnt
        | Opcode::SWaitLoadcntDscnt
        | Opcode::SWaitStorecntDscnt => {
            l.know(Step::Wait);
            l.common_op::<Wait>()
        }
        Opcode::STrap => Op {
            imm: u32::from(imm.unwrap_or(0)),
            ..l.common_op::<Trap>()
        },
        Opcode::SGetpcB64 => Op {
            d: l.result_slot(i.dst[0])?,
            imm: next,
            ..l.common_op::<GetPc>()
        },
        Opcode::SSetpcB64 => Op {
            a: l.source_slot(i.src[0], Type::B64)?,
            ..l.common_op::<SetPc<false>>()
        },
        Opcode::SSwappcB64 => Op {
            a: l.source_slot(i.src[0], Type::B64)?,
            d: l.result_slot(i.dst[0])?,
            imm: next,
            ..l.common_op::<SetPc<true>>()
        },
        Opcode::SCallB64 => {
            let target = branch_target(i, at as usize).ok_or("a call without target")?;
            let op = Op {
                d: l.result_slot(i.dst[0])?,
                aux: next,
                ..l.common_op::<Call>()
            };
            l.push_branch(op, target as u32);
            return Ok(());
        }
        Opcode::SDenormMode | Opcode::SRoundMode => {
            let (aux, value) = mode_change(i);
            Op {
                imm: value.unwrap_or(0),
                aux,
                ..l.common_op::<SetMode<false>>()
            }
        }
        Opcode::SGetregB32 | Opcode::SSetregB32 | Opcode::SSetregImm32B32 => {
            return hardware_register(l, i, imm.unwrap_or(0));
        }
        _ => return Err("not implemented".to_owned()),
    };
    l.push(op);
    Ok(())
}

/// One side of a barrier: the workgroup's, for no compiler makes others on these
/// chips.
fn barrier(l: &mut Lowerer, i: &Instruction) -> Result<(), Refusal> {
    const WORKGROUP: [Operand; 2] = [Operand::Int(-1), Operand::Imm(0xffff)];
    if !WORKGROUP.contains(&i.src[0]) {
        return Err("only the barrier of the workgroup is implemented".to_owned());
    }
    let op = match i.op {
        Opcode::SBarrierSignal => l.common_op::<BarrierSignal<false>>(),
        Opcode::SBarrierSignalIsfirst => l.common_op::<BarrierSignal<true>>(),
        _ => l.common_op::<BarrierWait>(),
    };
    l.push(op);
    Ok(())
}

/// Does `s_waitcnt` with this constant wait for loads, of vectors or of scalars
/// and LDS? A counter of all ones does not.
pub(super) fn waits_for_loads(counters: u16, gfx9: bool) -> bool {
    let (vector, scalar) = if gfx9 {
        (counters & 15 | counters >> 14 << 4, counters >> 8 & 15)
    } else {
        (counters >> 10, counters >> 4 & 63)
    };
    let most = if gfx9 { 15 } else { 63 };
    vector != 63 || scalar != most
}

/// A message that is answered: the clock, or zero, there being no doorbell, no
/// trap handler and no wave to save.
fn message(l: &mut Lowerer, i: &Instruction, number: u16) -> Result<(), Refusal> {
    const REAL_TIME: u16 = 0x83;
    let d = l.result_slot(i.dst[0])?;
    let wide = i.op == Opcode::SSendmsgRtnB64;
    let op = match (number, wide) {
        (REAL_TIME, true) => l.common_op::<Clock>(),
        (_, true) => l.common_op::<Scalar<SMov64>>(),
        (_, false) => l.common_op::<Scalar<SMov32>>(),
    };
    let a = l.constant_slot(0);
    l.push(Op { d, a, ..op });
    Ok(())
}

/// Index mode is followed along the code, where no branch comes or goes.
pub(super) fn leave_index_mode(
    l: &mut Lowerer,
    instruction: &Instruction,
    at: u32,
) -> Result<(), Refusal> {
    let flags = instruction.info().flags;
    let branches = flags.contains(Flags::BRANCH) || l.targets.contains(&(at as usize));
    if branches && l.index_mode.take().is_some() {
        return Err("index mode across branches is not implemented".to_owned());
    }
    if flags.contains(Flags::END) {
        l.index_mode = None;
    }
    Ok(())
}

/// Index mode of gfx9: for which operands the numbers of vector registers are
/// changed by the lowest byte of M0. Which these are is known from here on.
fn index_mode(l: &mut Lowerer, i: &Instruction, operands: u16) -> Result<(), Refusal> {
    const INDEX: u32 = 0xff;
    const OPERANDS: u32 = 0xf000;
    let mut op = l.common_op::<SetIndex>();
    op.a = l.constant_slot(0);
    match i.op {
        Opcode::SSetGprIdxOff => {
            l.index_mode = None;
            return Ok(());
        }
        Opcode::SSetGprIdxIdx => op.aux = INDEX,
        Opcode::SSetGprIdxMode => {
            op.aux = OPERANDS;
            l.index_mode = l.index_mode.and(Some(operands));
        }
        _ => {
            op.aux = INDEX | OPERANDS;
            l.index_mode = Some(operands);
        }
    }
    if op.aux & INDEX != 0 {
        op.a = l.source_slot(i.src[0], Type::B32)?;
    }
    op.imm = u32::from(operands) << 12;
    l.push(op);
    Ok(())
}

/// Moves between registers whose numbers M0 changes.
fn relative(l: &mut Lowerer, i: &Instruction) -> Result<(), Refusal> {
    use relative_to_m0 as by;
    let op = match i.op {
        Opcode::SMovrelsB64 | Opcode::SMovreldB64 => l.common_op::<ScalarMoveRelative<true>>(),
        _ => l.common_op::<ScalarMoveRelative<false>>(),
    };
    let imm = match i.op {
        Opcode::SMovrelsB32 | Opcode::SMovrelsB64 => by::SOURCE,
        Opcode::SMovreldB32 | Opcode::SMovreldB64 => by::RESULT,
        _ => by::EACH,
    };
    let a = l.source_slot(i.src[0], i.info().src[0])?;
    let d = l.result_slot(i.dst[0])?;
    l.push(Op { a, d, imm, ..op });
    Ok(())
}

/// Number, first bit and size of a hardware register field, and its mask.
fn field_of(field: u16) -> (u16, u32, u32, u32) {
    let (number, first, size) = (field & 63, u32::from(field >> 6 & 31), field >> 11);
    let size = u32::from(size) + 1;
    let ones = if size >= 32 {
        u32::MAX
    } else {
        (1 << size) - 1
    };
    (number, first, size, ones << first)
}

/// Which bits of MODE an instruction writes, and what if that is known.
pub(super) fn mode_change(i: &Instruction) -> (u32, Option<u32>) {
    let imm = i.src.iter().find_map(|operand| match operand {
        Operand::Imm(value) => Some(*value),
        _ => None,
    });
    let imm = imm.unwrap_or(0);
    let (number, first, _, mask) = field_of(imm);
    match i.op {
        Opcode::SDenormMode => (0xf0, Some(u32::from(imm) << 4)),
        Opcode::SRoundMode => (0xf, Some(u32::from(imm))),
        Opcode::SSetregB32 if number == HW_MODE => (mask, None),
        Opcode::SSetregImm32B32 if number == HW_MODE => {
            let value = i.src[1].constant(Type::B32);
            (mask, value.map(|value| (value as u32) << first))
        }
        _ => (0, None),
    }
}

/// Reads or writes a hardware register.
fn hardware_register(l: &mut Lowerer, i: &Instruction, field: u16) -> Result<(), Refusal> {
    let (number, first, size, mask) = field_of(field);
    let op = match (i.op, number) {
        (Opcode::SGetregB32, HW_MODE) => Op {
            d: l.result_slot(i.dst[0])?,
            imm: size,
            aux: first,
            ..l.common_op::<GetMode>()
        },
        (Opcode::SGetregB32, HW_CYCLES) => Op {
            d: l.result_slot(i.dst[0])?,
            ..l.common_op::<ClockWord<false>>()
        },
        (Opcode::SGetregB32, HW_CYCLES_HIGH) if l.is_gfx12() => Op {
            d: l.result_slot(i.dst[0])?,
            ..l.common_op::<ClockWord<true>>()
        },
        // Status, trap state and identities: always zero here.
        (Opcode::SGetregB32, _) => Op {
            d: l.result_slot(i.dst[0])?,
            a: slot::NULL,
            ..l.common_op::<Scalar<SMov32>>()
        },
        (Opcode::SSetregImm32B32, HW_MODE) => {
            let value = i.src[1].constant(Type::B32).ok_or("no constant")? as u32;
            Op {
                imm: value << first,
                aux: mask,
                ..l.common_op::<SetMode<false>>()
            }
        }
        (Opcode::SSetregB32, HW_MODE) => Op {
            a: l.source_slot(i.src[1], Type::S32)?,
            imm: first,
            aux: mask,
            ..l.common_op::<SetMode<true>>()
        },
        _ => return Err(format!("hardware register {number} cannot be written")),
    };
    l.push(op);
    Ok(())
}
