//! Vector instructions whose lanes look at each other, and those that move
//! between vector and scalar registers.

use super::{Env, each_lane};
use crate::program::Op;
use crate::simd::{Kernel, LANES, Row, Simd};
use crate::wave::{Wave, slot, temp};

/// Scalar slot `d` = row `a` of the first active lane. `imm` is the distance to
/// the row of the upper half.
pub(crate) struct ReadFirstLane;

impl Kernel for ReadFirstLane {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let (exec, upper) = match (wave.exec, wave.other.0) {
            (0, 0) => (1, 0),
            (0, high) => (high, op.imm),
            (low, _) => (low, 0),
        };
        let row = op.a as usize + upper as usize;
        let value = wave.rows[row].lanes()[exec.trailing_zeros() as usize];
        wave.set_scalar(op.d, value);
        next
    }
}

/// Row and lane of a lane of the whole wave.
#[inline(always)]
fn locate(wave: &Wave, row: u16, lane: u32, distance: u32) -> (usize, usize) {
    let upper = wave.halves == 2 && lane & 32 != 0;
    let row = row as usize + if upper { distance as usize } else { 0 };
    (row, lane as usize % LANES)
}

/// Scalar slot `d` = row `a` of the lane that scalar slot `b` names; `imm` as
/// for [`ReadFirstLane`].
pub(crate) struct ReadLane;

impl Kernel for ReadLane {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let (row, lane) = locate(wave, op.a, wave.scalar(op.b), op.imm);
        let value = wave.rows[row].lanes()[lane];
        wave.set_scalar(op.d, value);
        next
    }
}

/// Row `d` of the lane that scalar slot `b` names = scalar slot `a`; `imm` as
/// for [`ReadFirstLane`].
pub(crate) struct WriteLane;

impl Kernel for WriteLane {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let (row, lane) = locate(wave, op.d, wave.scalar(op.b), op.imm);
        wave.rows[row].lanes_mut()[lane] = wave.scalar(op.a);
        next
    }
}

/// Exchanges the halves of a wave of 64: row `d` = row `a` of the other half,
/// `imm` rows away, in active lanes. In a wave of 32 it does nothing.
pub(crate) struct Permlane64;

impl Kernel for Permlane64 {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        if wave.halves == 1 {
            return next;
        }
        let low = wave.rows[op.a as usize];
        let high = wave.rows[op.a as usize + op.imm as usize];
        super::write(wave, op.d, high.get::<S>());
        let mask = &wave.other.1;
        wave.rows[op.d as usize + op.imm as usize].blend(low.get::<S>(), mask);
        next
    }
}

/// Swaps rows of 16 lanes: the odd ones of register `d` and the even ones of `a`,
/// or (`WIDE`) the upper two and the lower two. `imm` is the distance to the
/// registers of the upper half of the wave; `aux` as of [`Permlane16`].
pub(crate) struct PermlaneSwap<const WIDE: bool>;

impl<const WIDE: bool> Kernel for PermlaneSwap<WIDE> {
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let distance = if WIDE { 32 } else { 16 };
        let mut exec = u64::from(wave.exec) | u64::from(wave.other.0) << 32;
        if wave.half == 1 {
            exec = exec.rotate_left(32);
        }
        let place =
            |first: u16, lane: usize| (first as usize + lane / 32 * op.imm as usize, lane % 32);
        for lower in (0..64).filter(|lane| lane & distance == 0) {
            let upper = lower + distance;
            let (d, a) = (place(op.d, upper), place(op.a, lower));
            let [old_d, old_a] = [d, a].map(|(row, lane)| wave.rows[row].lanes()[lane]);
            let active = |lane: usize| exec >> lane & 1 != 0;
            for ((row, column), own, other, value) in
                [(d, upper, lower, old_a), (a, lower, upper, old_d)]
            {
                let value = match (active(other) || op.aux & 1 != 0, op.aux & 2 != 0) {
                    (true, _) => value,
                    (false, true) => 0,
                    (false, false) => continue,
                };
                if active(own) {
                    wave.rows[row].lanes_mut()[column] = value;
                }
            }
        }
        next
    }
}

/// Permutes row `a` within rows of 16 lanes (`OTHER`: from the other row), by
/// the nibbles of scalar slots `b` and `c`. `aux` bit 0: read inactive lanes;
/// bit 1: lanes that may not be read give zero, else the destination stays.
pub(crate) struct Permlane16<const OTHER: bool>;

impl<const OTHER: bool> Kernel for Permlane16<OTHER> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let select = u64::from(wave.scalar(op.b)) | u64::from(wave.scalar(op.c)) << 32;
        let source = wave.rows[op.a as usize];
        let exec = wave.exec;
        let result = wave.rows[op.d as usize].lanes_mut();
        each_lane(exec, |lane| {
            let nibble = (select >> (4 * (lane % 16)) & 15) as usize;
            let row = if OTHER { lane & 16 ^ 16 } else { lane & 16 };
            let from = row + nibble;
            if op.aux & 1 != 0 || exec >> from & 1 != 0 {
                result[lane] = source.lanes()[from];
            } else if op.aux & 2 != 0 {
                result[lane] = 0;
            }
        });
        next
    }
}

/// Begins a DPP instruction: puts the permuted row `a` where the op behind it
/// reads it, and takes lanes that must not be written out of EXEC. `imm` is the
/// index of the permutation, `aux` the lanes it may write; bit 0 of `e`: read
/// inactive lanes; bit 1: what may not be read is zero.
pub(crate) struct DppBegin;

impl Kernel for DppBegin {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
        let table = env.program.shuffle(op.imm);
        let source = wave.rows[op.a as usize];
        let exec = wave.exec;
        let mut result = Row::ZERO;
        let mut without = 0;
        for (lane, (value, &from)) in result.lanes_mut().iter_mut().zip(table).enumerate() {
            let from = from as usize;
            let readable = from < LANES && (op.e & 1 != 0 || exec >> from & 1 != 0);
            if readable {
                *value = source.lanes()[from];
            } else if op.e & 2 == 0 {
                without |= 1 << lane;
            }
        }
        begin_dpp::<S>(wave, op, result, without);
        next
    }
}

/// Narrows EXEC to the lanes that a DPP instruction writes: those without a
/// source stay, others that are masked are zero in the result of a compare.
#[inline(always)]
fn begin_dpp<S: Simd>(wave: &mut Wave, op: &Op, result: Row, without: u32) {
    let exec = wave.exec;
    wave.rows[(wave.temps + temp::DPP) as usize] = result;
    wave.saved_exec = exec;
    wave.kept_lanes = exec & op.aux & without;
    wave.set_exec::<S>(exec & op.aux & !without);
}

/// Keeps in scalar slot `d` what slot `a` says of lanes of a DPP compare that
/// have no source.
pub(crate) struct DppKeep;

impl Kernel for DppKeep {
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let kept = wave.scalar(op.a) & wave.kept_lanes;
        wave.set_scalar(op.d, wave.scalar(op.d) | kept);
        next
    }
}

/// Ends a DPP compare that writes EXEC: lanes that have no source stay.
pub(crate) struct DppEndExec;

impl Kernel for DppEndExec {
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, _: &Op, next: u32) -> u32 {
        wave.set_exec::<S>(wave.exec | wave.kept_lanes);
        next
    }
}

/// Ends a DPP instruction: EXEC as it was.
pub(crate) struct DppEnd;

impl Kernel for DppEnd {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, _: &Op, next: u32) -> u32 {
        wave.set_exec::<S>(wave.saved_exec);
        next
    }
}

/// Lanes below this one that are set in `a`, plus `b`. `a` is about the lower
/// 32 lanes or (`HIGH`) the upper ones.
pub(crate) struct MaskCount<const HIGH: bool>;

impl<const HIGH: bool> Kernel for MaskCount<HIGH> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let mask = wave.rows[op.a as usize];
        let base = wave.rows[op.b as usize];
        let (exec, half) = (wave.exec, wave.half);
        let result = wave.rows[op.d as usize].lanes_mut();
        each_lane(exec, |lane| {
            let below = match (HIGH, half) {
                (false, 0) | (true, 1) => (1_u32 << lane) - 1,
                (false, _) => u32::MAX,
                (true, _) => 0,
            };
            let count = (mask.lanes()[lane] & below).count_ones();
            result[lane] = base.lanes()[lane].wrapping_add(count);
        });
        next
    }
}

/// Row `d` = four times the number of each lane, plus (`imm`) the low half of M0.
pub(crate) struct LaneAddresses;

impl Kernel for LaneAddresses {
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let base = if op.imm != 0 {
            wave.scalar(slot::M0) & 0xffff
        } else {
            0
        };
        let first = LANES as u32 * u32::from(wave.half);
        let row = &mut wave.rows[op.d as usize];
        for (lane, address) in row.lanes_mut().iter_mut().enumerate() {
            *address = base + 4 * (first + lane as u32);
        }
        next
    }
}

/// Exchanges rows `d` and `a`.
pub(crate) struct Swap;

impl Kernel for Swap {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let (first, second) = (wave.rows[op.d as usize], wave.rows[op.a as usize]);
        super::write(wave, op.d, second.get::<S>());
        super::write(wave, op.a, first.get::<S>());
        next
    }
}

/// Row `d` = row `a`, their numbers changed by M0 as `imm` says
/// ([`super::scalar::relative_to_m0`]); `aux` exchanges them. `e` is the first
/// row of the half, `b` the number of rows that it has.
pub(crate) struct MoveRelative;

impl Kernel for MoveRelative {
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
        use super::scalar::{relative, relative_to_m0};
        let [a, d] = relative(wave.scalar(slot::M0), op);
        let end = u32::from(op.e) + u32::from(op.b);
        let moved = if op.imm & !relative_to_m0::BYTE == relative_to_m0::RESULT {
            d
        } else {
            a.max(d)
        };
        if moved >= end {
            let number = moved - u32::from(op.e);
            let text = format!("v{number}, reached through M0, does not exist");
            return env.fail(wave, next, super::Problem::Unsupported(text));
        }
        let values = wave.rows[a as usize];
        if op.aux != 0 {
            let old = wave.rows[d as usize];
            super::write(wave, a as u16, old.get::<S>());
        }
        super::write(wave, d as u16, values.get::<S>());
        next
    }
}

/// Row `d` = row `a`, each lane reading the lane that table `imm` names; lanes
/// that are inactive or out of range read as zero.
pub(crate) struct Swizzle;

impl Kernel for Swizzle {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
        let table = env.program.shuffle(op.imm);
        let source = wave.rows[op.a as usize];
        let exec = wave.exec;
        let result = wave.rows[op.d as usize].lanes_mut();
        each_lane(exec, |lane| {
            let from = table[lane] as usize;
            let readable = from < LANES && exec >> from & 1 != 0;
            result[lane] = if readable { source.lanes()[from] } else { 0 };
        });
        next
    }
}

/// Permutes row `a` as [`Permlane16`] does, by the low nibbles of row `b`.
pub(crate) struct Permlane16Var<const OTHER: bool>;

impl<const OTHER: bool> Kernel for Permlane16Var<OTHER> {
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let [source, select] = [op.a, op.b].map(|row| wave.rows[row as usize]);
        let exec = wave.exec;
        let result = wave.rows[op.d as usize].lanes_mut();
        each_lane(exec, |lane| {
            let row = if OTHER { lane & 16 ^ 16 } else { lane & 16 };
            let from = row + (select.lanes()[lane] & 15) as usize;
            if op.aux & 1 != 0 || exec >> from & 1 != 0 {
                result[lane] = source.lanes()[from];
            } else if op.aux & 2 != 0 {
                result[lane] = 0;
            }
        });
        next
    }
}

/// Row `d` = row `b` of the lane at byte address row `a` + `imm`; lanes that are
/// inactive read as zero but with `INACTIVE`.
pub(crate) struct BackwardPermute<const INACTIVE: bool>;

impl<const INACTIVE: bool> Kernel for BackwardPermute<INACTIVE> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let address = wave.rows[op.a as usize];
        let source = wave.rows[op.b as usize];
        let exec = wave.exec;
        let result = wave.rows[op.d as usize].lanes_mut();
        each_lane(exec, |lane| {
            let from = address.lanes()[lane].wrapping_add(op.imm) as usize / 4 % LANES;
            result[lane] = if INACTIVE || exec >> from & 1 != 0 {
                source.lanes()[from]
            } else {
                0
            };
        });
        next
    }
}

/// Row `b` of each lane goes to the lane at byte address row `a` + `imm`; lanes
/// that none goes to get zero.
pub(crate) struct ForwardPermute;

impl Kernel for ForwardPermute {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let address = wave.rows[op.a as usize];
        let source = wave.rows[op.b as usize];
        let mut sent = Row::ZERO;
        each_lane(wave.exec, |lane| {
            let to = address.lanes()[lane].wrapping_add(op.imm) as usize / 4 % LANES;
            sent.lanes_mut()[to] = source.lanes()[lane];
        });
        super::write(wave, op.d, sent.get::<S>());
        next
    }
}

/// EXEC of the half at hand = scalar slot `a`.
pub(crate) struct ExecFrom;

impl Kernel for ExecFrom {
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        wave.set_exec::<S>(wave.scalar(op.a));
        next
    }
}

/// As [`DppBegin`], of lanes that read any lane of a wave of 64: `b` is the row
/// of the other half, and the table numbers lanes from 0 to 63. Before the lower
/// half changes row `a`, it goes to row `d` for the upper half to read.
pub(crate) struct DppAcross;

impl Kernel for DppAcross {
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
        let table = env.program.shuffle(op.imm);
        let own = (wave.rows[op.a as usize], wave.exec);
        let other = (wave.rows[op.b as usize], wave.other.0);
        let halves = if wave.half == 0 {
            [&own, &other]
        } else {
            [&other, &own]
        };
        let mut result = Row::ZERO;
        let mut without = 0;
        for (lane, (value, &from)) in result.lanes_mut().iter_mut().zip(table).enumerate() {
            let (half, place) = (from as usize / LANES, from as usize % LANES);
            match halves.get(half) {
                Some((row, exec)) if exec >> place & 1 != 0 => *value = row.lanes()[place],
                _ if op.e & 2 == 0 => without |= 1 << lane,
                _ => {}
            }
        }
        wave.rows[op.d as usize] = own.0;
        begin_dpp::<S>(wave, op, result, without);
        next
    }
}

/// Row `d` = row `b` of the lane of a wave of 64 at byte address row `a` +
/// `imm`; `e` is the distance to the rows of the upper half.
pub(crate) struct BackwardPermute64;

/// Row `b` of each lane of a wave of 64 goes to the lane at byte address row
/// `a` + `imm`; lanes that none goes to get zero. `e` as for
/// [`BackwardPermute64`].
pub(crate) struct ForwardPermute64;

/// Rows of both halves.
fn both(wave: &Wave, first: u16, distance: u16) -> [Row; 2] {
    [0, distance].map(|distance| wave.rows[(first + distance) as usize])
}

/// Half and lane in it at a byte address.
#[inline(always)]
fn lane_at(address: u32) -> (usize, usize) {
    let lane = address as usize / 4;
    (lane / LANES % 2, lane % LANES)
}

impl Kernel for BackwardPermute64 {
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let addresses = both(wave, op.a, op.e);
        let sources = both(wave, op.b, op.e);
        let active = [wave.exec, wave.other.0];
        for (half, addresses) in addresses.iter().enumerate() {
            let result = wave.rows[(op.d + half as u16 * op.e) as usize].lanes_mut();
            each_lane(active[half], |lane| {
                let (from, place) = lane_at(addresses.lanes()[lane].wrapping_add(op.imm));
                let readable = active[from] >> place & 1 != 0;
                result[lane] = if readable {
                    sources[from].lanes()[place]
                } else {
                    0
                };
            });
        }
        next
    }
}

impl Kernel for ForwardPermute64 {
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let addresses = both(wave, op.a, op.e);
        let sources = both(wave, op.b, op.e);
        let active = [wave.exec, wave.other.0];
        let mut sent = [Row::ZERO; 2];
        for (half, addresses) in addresses.iter().enumerate() {
            each_lane(active[half], |lane| {
                let (to, place) = lane_at(addresses.lanes()[lane].wrapping_add(op.imm));
                sent[to].lanes_mut()[place] = sources[half].lanes()[lane];
            });
        }
        for (half, sent) in sent.iter().enumerate() {
            let result = wave.rows[(op.d + half as u16 * op.e) as usize].lanes_mut();
            each_lane(active[half], |lane| result[lane] = sent.lanes()[lane]);
        }
        next
    }
}
