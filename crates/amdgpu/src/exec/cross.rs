//! Vector instructions whose lanes look at each other, and those that move
//! between vector and scalar registers.

use super::{Env, each_lane, read, write};
use crate::program::Op;
use crate::simd::{Kernel, LANES, Row, Simd, chunks, mask_bits, permute_row};
use crate::wave::{LANE_BITS, Wave, slot, temp};

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
        write(wave, op.d, high.get::<S>());
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
    #[inline(always)]
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
        let selects = [wave.scalar(op.b), wave.scalar(op.c)];
        let shifts = S::from_array([0, 4, 8, 12, 16, 20, 24, 28]);
        let nibbles = chunks!(i => S::splat(selects[i & 1]).shr(shifts));
        permute_16::<S, OTHER>(wave, op, nibbles);
        next
    }
}

/// Permutes within rows of 16 lanes, by the low nibbles of each lane.
#[inline(always)]
fn permute_16<S: Simd, const OTHER: bool>(wave: &mut Wave, op: &Op, nibbles: [S; 4]) {
    let first = if OTHER { [16, 0] } else { [0, 16] };
    let from = chunks!(i => nibbles[i].and(S::splat(15)).or(S::splat(first[i / 2])));
    let (values, readable) = gather(wave, op.a, from, op.aux & 1 != 0);
    let old = read::<S>(wave, op.d);
    let otherwise = if op.aux & 2 != 0 {
        [S::splat(0); 4]
    } else {
        old
    };
    write(
        wave,
        op.d,
        chunks!(i => S::select(readable[i], values[i], otherwise[i])),
    );
}

/// A row as lanes see it that each read another one, and where they may: all, or
/// only active ones.
#[inline(always)]
fn gather<S: Simd>(wave: &Wave, row: u16, from: [S; 4], all: bool) -> ([S; 4], [S; 4]) {
    let values = permute_row(read(wave, row), from);
    let readable = if all || wave.exec == u32::MAX {
        [S::splat(u32::MAX); 4]
    } else {
        permute_row(wave.mask.get(), from)
    };
    (values, readable)
}

/// The same of a wave of 64, of which `rows` are the halves of the register:
/// bit 5 says in which half a lane is.
#[inline(always)]
fn gather_64<S: Simd>(wave: &Wave, rows: [&Row; 2], from: [S; 4]) -> ([S; 4], [S; 4]) {
    let masks = if wave.half == 0 {
        [&wave.mask, &wave.other.1]
    } else {
        [&wave.other.1, &wave.mask]
    };
    let bit = S::splat(32);
    let upper = chunks!(i => from[i].and(bit).eq_u32(bit));
    let [low, high] = [
        permute_row(rows[0].get(), from),
        permute_row(rows[1].get(), from),
    ];
    let [low_mask, high_mask] = [
        permute_row(masks[0].get(), from),
        permute_row(masks[1].get(), from),
    ];
    (
        chunks!(i => S::select(upper[i], high[i], low[i])),
        chunks!(i => S::select(upper[i], high_mask[i], low_mask[i])),
    )
}

/// Begins a DPP instruction: puts the permuted row `a` where the op behind it
/// reads it, and takes lanes that must not be written out of EXEC. `imm` is the
/// index of the permutation, `aux` the lanes it may write; bit 0 of `e`: read
/// inactive lanes; bit 1: what may not be read is zero.
pub(crate) struct DppBegin;

impl Kernel for DppBegin {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
        let from = env.program.shuffle(op.imm).get::<S>();
        let (values, readable) = gather(wave, op.a, from, op.e & 1 != 0);
        let last = S::splat(LANES as u32 - 1);
        let readable = chunks!(i => from[i].gt_i32(last).andnot(readable[i]));
        begin_dpp(wave, op, values, readable);
        next
    }
}

/// Narrows EXEC to the lanes that a DPP instruction writes: those without a
/// source stay, others that are masked are zero in the result of a compare.
#[inline(always)]
fn begin_dpp<S: Simd>(wave: &mut Wave, op: &Op, values: [S; 4], readable: [S; 4]) {
    let without = if op.e & 2 == 0 {
        !mask_bits(readable)
    } else {
        0
    };
    let exec = wave.exec;
    wave.rows[(wave.temps + temp::DPP) as usize].set(chunks!(i => values[i].and(readable[i])));
    wave.saved_exec = exec;
    wave.kept_lanes = exec & op.aux & without;
    wave.set_exec::<S>(exec & op.aux & !without);
}

/// Keeps in scalar slot `d` what slot `a` says of lanes of a DPP compare that
/// have no source.
pub(crate) struct DppKeep;

impl Kernel for DppKeep {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let kept = wave.scalar(op.a) & wave.kept_lanes;
        wave.set_scalar(op.d, wave.scalar(op.d) | kept);
        next
    }
}

/// Ends a DPP compare that writes EXEC: lanes that have no source stay.
pub(crate) struct DppEndExec;

impl Kernel for DppEndExec {
    #[inline(always)]
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
        let (mask, base) = (read::<S>(wave, op.a), read::<S>(wave, op.b));
        let one = S::splat(1);
        let own = LANE_BITS.get::<S>();
        let below = match (HIGH, wave.half) {
            (false, 0) | (true, 1) => chunks!(i => own[i].sub(one)),
            (false, _) => [S::splat(u32::MAX); 4],
            (true, _) => [S::splat(0); 4],
        };
        write(
            wave,
            op.d,
            chunks!(i => base[i].add(count_ones(mask[i].and(below[i])))),
        );
        next
    }
}

/// How many bits are set.
#[inline(always)]
fn count_ones<S: Simd>(x: S) -> S {
    let pairs = x.sub(x.shr(S::splat(1)).and(S::splat(0x5555_5555)));
    let low = S::splat(0x3333_3333);
    let nibbles = pairs.and(low).add(pairs.shr(S::splat(2)).and(low));
    let bytes = nibbles
        .add(nibbles.shr(S::splat(4)))
        .and(S::splat(0x0f0f_0f0f));
    bytes.mul_lo(S::splat(0x0101_0101)).shr(S::splat(24))
}

/// Row `d` = four times the number of each lane, plus (`imm`) the low half of M0.
pub(crate) struct LaneAddresses;

impl Kernel for LaneAddresses {
    #[inline(always)]
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
        write(wave, op.d, second.get::<S>());
        write(wave, op.a, first.get::<S>());
        next
    }
}

/// Row `d` = row `a`, their numbers changed by M0 as `imm` says
/// ([`super::scalar::relative_to_m0`]); `aux` exchanges them. `e` is the first
/// row of the half, `b` the number of rows that it has.
pub(crate) struct MoveRelative;

impl Kernel for MoveRelative {
    #[inline(always)]
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
            write(wave, a as u16, old.get::<S>());
        }
        write(wave, d as u16, values.get::<S>());
        next
    }
}

/// Row `d` = row `a`, each lane reading the lane that table `imm` names; lanes
/// that are inactive or out of range read as zero.
pub(crate) struct Swizzle;

impl Kernel for Swizzle {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
        let from = env.program.shuffle(op.imm).get::<S>();
        let (values, readable) = gather(wave, op.a, from, false);
        let last = S::splat(LANES as u32 - 1);
        let readable = chunks!(i => from[i].gt_i32(last).andnot(readable[i]));
        write(wave, op.d, chunks!(i => values[i].and(readable[i])));
        next
    }
}

/// Permutes row `a` as [`Permlane16`] does, by the low nibbles of row `b`.
pub(crate) struct Permlane16Var<const OTHER: bool>;

impl<const OTHER: bool> Kernel for Permlane16Var<OTHER> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let nibbles = read::<S>(wave, op.b);
        permute_16::<S, OTHER>(wave, op, nibbles);
        next
    }
}

/// Row `d` = row `b` of the lane at byte address row `a` + `imm`; lanes that are
/// inactive read as zero but with `INACTIVE`.
pub(crate) struct BackwardPermute<const INACTIVE: bool>;

impl<const INACTIVE: bool> Kernel for BackwardPermute<INACTIVE> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let addresses = read::<S>(wave, op.a);
        let from = chunks!(i => lane_at(addresses[i], op.imm));
        let (values, readable) = gather(wave, op.b, from, INACTIVE);
        write(wave, op.d, chunks!(i => values[i].and(readable[i])));
        next
    }
}

/// The lane at a byte address plus a constant, below the bits that count.
#[inline(always)]
fn lane_at<S: Simd>(address: S, constant: u32) -> S {
    address.add(S::splat(constant)).shr(S::splat(2))
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
        write(wave, op.d, sent.get::<S>());
        next
    }
}

/// EXEC of the half at hand = scalar slot `a`.
pub(crate) struct ExecFrom;

impl Kernel for ExecFrom {
    #[inline(always)]
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
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
        let from = env.program.shuffle(op.imm).get::<S>();
        let [own, other] = [op.a, op.b].map(|row| wave.rows[row as usize]);
        let rows = if wave.half == 0 {
            [&own, &other]
        } else {
            [&other, &own]
        };
        let (values, readable) = gather_64(wave, rows, from);
        let last = S::splat(2 * LANES as u32 - 1);
        let readable = chunks!(i => from[i].gt_i32(last).andnot(readable[i]));
        wave.rows[op.d as usize] = own;
        begin_dpp(wave, op, values, readable);
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

impl Kernel for BackwardPermute64 {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let addresses = both(wave, op.a, op.e);
        let [low, high] = both(wave, op.b, op.e);
        let masks = [wave.mask, wave.other.1];
        for half in 0..2 {
            let addresses = addresses[half].get::<S>();
            let from = chunks!(i => lane_at(addresses[i], op.imm));
            let (values, readable) = gather_64(wave, [&low, &high], from);
            let values = chunks!(i => values[i].and(readable[i]));
            wave.rows[(op.d + half as u16 * op.e) as usize].blend(values, &masks[half]);
        }
        next
    }
}

impl Kernel for ForwardPermute64 {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let addresses = both(wave, op.a, op.e);
        let sources = both(wave, op.b, op.e);
        let active = [wave.exec, wave.other.0];
        let mut sent = [Row::ZERO; 2];
        for (half, addresses) in addresses.iter().enumerate() {
            each_lane(active[half], |lane| {
                let to = addresses.lanes()[lane].wrapping_add(op.imm) as usize / 4;
                let (to, place) = (to / LANES % 2, to % LANES);
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
