//! Lowering of vector instructions whose first source is permuted (DPP).

use super::super::lower::{Lowerer, Refusal};
use crate::exec::families::*;
use crate::isa::{Dpp, DppControl, Flags, Instruction};
use crate::simd::LANES;
use crate::wave::{slot, temp};

/// The instruction on the permuted source, between two ops that narrow EXEC
/// and widen it again.
pub(super) fn lower(l: &mut Lowerer, i: &Instruction, control: &Dpp) -> Result<(), Refusal> {
    let (table, lanes, flags) = match *control {
        Dpp::Row {
            control,
            row_mask,
            bank_mask,
            bound_control,
            fetch_inactive,
        } => {
            let row = |lane: usize| lane / 16 + if l.is_upper_half() { 2 } else { 0 };
            let lanes = (0..LANES).filter(|&lane| {
                row_mask >> row(lane) & 1 != 0 && bank_mask >> (lane / 4 % 4) & 1 != 0
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
    if i.info().src[0].dwords(l.size) > 1 {
        return Err("a permutation of pairs is not implemented".to_owned());
    }
    let mut op = match across_table(control, l.is_upper_half()) {
        Some(table) => {
            let mut op = l.op::<DppAcross>();
            op.imm = l.shuffle(table);
            let own = l.vgpr(i.src[0])?;
            let saved = l.temp(temp::ACROSS);
            op.b = if l.is_upper_half() {
                saved
            } else {
                own + l.vgprs
            };
            op.d = saved;
            op.a = own;
            op
        }
        None => {
            let mut op = l.op::<DppBegin>();
            let ty = i.info().src[0];
            op.a = l.source(0, i.src[0], ty)?;
            op.imm = l.shuffle(table);
            op
        }
    };
    op.aux = lanes;
    op.e = flags;
    l.push(op);
    compute(l, i)
}

/// The instruction itself, and what ends it. The result of a compare is zero
/// for lanes that are masked, but stays for those without a source.
fn compute(l: &mut Lowerer, i: &Instruction) -> Result<(), Refusal> {
    if i.info().flags.contains(Flags::WRITES_EXEC) {
        l.with_dpp(|l| super::single(l, i))?;
        let op = l.op::<DppEndExec>();
        l.push(op);
        return Ok(());
    }
    if !i.op.name().starts_with("v_cmp") {
        l.with_dpp(|l| super::single(l, i))?;
        let op = l.op::<DppEnd>();
        l.push(op);
        return Ok(());
    }
    let result = l.result_mask(i.dst[0])?;
    let mut op = l.common_op::<Scalar<SMov32>>();
    (op.d, op.a) = (slot::STAGED, result);
    l.push(op);
    l.with_dpp(|l| super::single(l, i))?;
    let mut op = l.common_op::<DppKeep>();
    (op.d, op.a) = (result, slot::STAGED);
    l.push(op);
    let op = l.op::<DppEnd>();
    l.push(op);
    Ok(())
}

/// The lane of a wave of 64 that each lane of a half reads, 64 for none, of
/// permutations across rows.
fn across_table(control: &Dpp, upper: bool) -> Option<[u8; 32]> {
    use DppControl::*;
    let Dpp::Row { control, .. } = control else {
        return None;
    };
    if !matches!(
        control,
        WaveShl | WaveRol | WaveShr | WaveRor | RowBcast15 | RowBcast31
    ) {
        return None;
    }
    Some(std::array::from_fn(|lane| {
        let lane = lane as u8 + if upper { 32 } else { 0 };
        match control {
            WaveShl => lane + 1,
            WaveRol => (lane + 1) % 64,
            WaveShr => lane.checked_sub(1).unwrap_or(64),
            WaveRor => (lane + 63) % 64,
            RowBcast15 => (lane & !15).checked_sub(1).unwrap_or(64),
            _ if upper => 31,
            _ => 64,
        }
    }))
}

/// The lane of the half that each lane reads; 32 for none.
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
            // Those of `across_table`.
            _ => -1,
        };
        if (0..16).contains(&from) {
            row as u8 + from as u8
        } else {
            32
        }
    })
}
