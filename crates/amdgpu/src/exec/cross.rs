//! Vector instructions whose lanes look at each other, and those that move
//! between vector and scalar registers.

use super::{Env, each_lane, splat};
use crate::program::Op;
use crate::simd::{Kernel, LANES, Row, Simd};
use crate::wave::{Wave, temp};

/// Scalar slot `d` = row `a` of the first active lane.
pub(crate) struct ReadFirstLane;

impl Kernel for ReadFirstLane {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let lane = if wave.exec == 0 {
            0
        } else {
            wave.exec.trailing_zeros()
        };
        let value = wave.rows[op.a as usize].lanes()[lane as usize];
        wave.set_scalar::<S>(op.d, value);
        next
    }
}

/// Scalar slot `d` = row `a` of the lane that scalar slot `b` names.
pub(crate) struct ReadLane;

impl Kernel for ReadLane {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let lane = wave.scalar(op.b) as usize % LANES;
        let value = wave.rows[op.a as usize].lanes()[lane];
        wave.set_scalar::<S>(op.d, value);
        next
    }
}

/// Row `d` of the lane that scalar slot `b` names = scalar slot `a`.
pub(crate) struct WriteLane;

impl Kernel for WriteLane {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let lane = wave.scalar(op.b) as usize % LANES;
        wave.rows[op.d as usize].lanes_mut()[lane] = wave.scalar(op.a);
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
        splat::<S>(wave, op);
        let table = env.program.shuffle(op.imm);
        let source = wave.rows[op.a as usize];
        let exec = wave.exec;
        let mut result = Row::ZERO;
        let mut writes = op.aux;
        for (lane, (value, &from)) in result.lanes_mut().iter_mut().zip(table).enumerate() {
            let from = from as usize;
            let readable = from < LANES && (op.e & 1 != 0 || exec >> from & 1 != 0);
            if readable {
                *value = source.lanes()[from];
            } else if op.e & 2 == 0 {
                writes &= !(1 << lane);
            }
        }
        wave.rows[(wave.temps + temp::DPP) as usize] = result;
        wave.saved_exec = exec;
        wave.set_exec::<S>(exec & writes);
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

/// Lanes below this one that are set in `a`, plus `b`. Of the upper 32 lanes
/// (`HIGH`) a wave32 has none.
pub(crate) struct MaskCount<const HIGH: bool>;

impl<const HIGH: bool> Kernel for MaskCount<HIGH> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        splat::<S>(wave, op);
        let mask = wave.rows[op.a as usize];
        let base = wave.rows[op.b as usize];
        let exec = wave.exec;
        let result = wave.rows[op.d as usize].lanes_mut();
        each_lane(exec, |lane| {
            let below = if HIGH { 0 } else { (1_u32 << lane) - 1 };
            let count = (mask.lanes()[lane] & below).count_ones();
            result[lane] = base.lanes()[lane].wrapping_add(count);
        });
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

/// Row `d` = row `b` of the lane at byte address row `a` + `imm`.
pub(crate) struct BackwardPermute;

impl Kernel for BackwardPermute {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let address = wave.rows[op.a as usize];
        let source = wave.rows[op.b as usize];
        let exec = wave.exec;
        let result = wave.rows[op.d as usize].lanes_mut();
        each_lane(exec, |lane| {
            let from = address.lanes()[lane].wrapping_add(op.imm) as usize / 4 % LANES;
            result[lane] = if exec >> from & 1 != 0 {
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
