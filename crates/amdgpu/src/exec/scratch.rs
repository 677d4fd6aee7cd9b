//! Private memory of each lane.
//!
//! Row *i* of [`Wave::scratch`] is dword *i* of every lane (in waves of 64 two
//! rows are, one of each half), so an access at one offset for all lanes is a
//! copy of rows. Operands: `d` data rows, `a`
//! offset row, `b` slot of a scalar offset, `imm` signed constant, `aux`
//! [`VECTOR`].

use std::marker::PhantomData;

use super::buffer::Small;
use super::global::try_each_lane;
use super::{Env, write};
use crate::memory::{AccessError, Reason};
use crate::program::Op;
use crate::simd::{Kernel, Simd};
use crate::wave::Wave;

/// `aux` bit: each lane has an offset of its own, in row `a`.
pub(crate) const VECTOR: u32 = 1;

/// Loads `N` dwords a lane.
pub(crate) struct ScratchLoad<const N: usize>;
/// Stores `N` dwords a lane.
pub(crate) struct ScratchStore<const N: usize>;
/// Loads one or two bytes a lane.
pub(crate) struct ScratchLoadSmall<M>(PhantomData<M>);
/// Stores `B` bytes a lane, from the upper half of the register if `HIGH`.
pub(crate) struct ScratchStoreSmall<const B: usize, const HIGH: bool>;

fn refuse(lane: usize, offset: u32, bytes: u32, write: bool) -> AccessError {
    let address = u64::from(offset);
    AccessError {
        address,
        bytes,
        write,
        lane: Some(lane as u32),
        reason: Reason::Scratch,
    }
}

/// Bytes of scratch of each lane.
pub(crate) fn bytes_per_lane(wave: &Wave) -> u64 {
    4 * (wave.scratch.len() / wave.halves as usize) as u64
}

/// Row of the dword at an offset, for the half that has its turn.
#[inline(always)]
fn row_of(wave: &Wave, offset: u32) -> usize {
    offset as usize / 4 * wave.halves as usize + wave.half as usize
}

/// Reads up to four bytes of a lane.
pub(super) fn load(wave: &Wave, lane: usize, offset: u32, bytes: u32) -> Result<u32, AccessError> {
    if u64::from(offset) + u64::from(bytes) > bytes_per_lane(wave) {
        return Err(refuse(lane, offset, bytes, false));
    }
    let byte = |at: u32| wave.scratch[row_of(wave, at)].lanes()[lane] >> (8 * (at % 4)) & 0xff;
    if bytes == 4 && offset.is_multiple_of(4) {
        return Ok(wave.scratch[row_of(wave, offset)].lanes()[lane]);
    }
    Ok((0..bytes).fold(0, |value, i| value | byte(offset + i) << (8 * i)))
}

/// Writes the low `bytes` of `value` for a lane.
pub(super) fn store(
    wave: &mut Wave,
    lane: usize,
    offset: u32,
    bytes: u32,
    value: u32,
) -> Result<(), AccessError> {
    if u64::from(offset) + u64::from(bytes) > bytes_per_lane(wave) {
        return Err(refuse(lane, offset, bytes, true));
    }
    for i in 0..bytes {
        let at = offset + i;
        let shift = 8 * (at % 4);
        let row = row_of(wave, at);
        let cell = &mut wave.scratch[row].lanes_mut()[lane];
        *cell = *cell & !(0xff << shift) | (value >> (8 * i) & 0xff) << shift;
    }
    Ok(())
}

/// Offset of a lane.
#[inline(always)]
fn offset(wave: &Wave, op: &Op, lane: usize) -> u32 {
    let own = if op.aux & VECTOR != 0 {
        wave.rows[op.a as usize].lanes()[lane]
    } else {
        0
    };
    own.wrapping_add(wave.scalar(op.b)).wrapping_add(op.imm)
}

/// First row of an aligned access of `rows` dwords at one offset.
#[inline(always)]
fn common_row(wave: &Wave, op: &Op, rows: usize) -> Option<usize> {
    if op.aux & VECTOR != 0 {
        return None;
    }
    let offset = offset(wave, op, 0);
    let end = u64::from(offset) + 4 * rows as u64;
    (offset.is_multiple_of(4) && end <= bytes_per_lane(wave)).then(|| row_of(wave, offset))
}

impl<const N: usize> Kernel for ScratchLoad<N> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
        if let Some(row) = common_row(wave, op, N) {
            for i in 0..N {
                let values = wave.scratch[row + i * wave.halves as usize].get::<S>();
                write(wave, op.d + i as u16, values);
            }
            return next;
        }
        let result = try_each_lane(wave.exec, |lane| {
            let first = offset(wave, op, lane);
            let mut dwords = [0; N];
            for (i, dword) in dwords.iter_mut().enumerate() {
                *dword = load(wave, lane, first.wrapping_add(4 * i as u32), 4)?;
            }
            for (i, dword) in dwords.into_iter().enumerate() {
                wave.rows[op.d as usize + i].lanes_mut()[lane] = dword;
            }
            Ok(())
        });
        env.settle(wave, next, result)
    }
}

impl<const N: usize> Kernel for ScratchStore<N> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
        if let Some(row) = common_row(wave, op, N) {
            for i in 0..N {
                let values = wave.rows[op.d as usize + i].get::<S>();
                wave.scratch[row + i * wave.halves as usize].blend(values, &wave.mask);
            }
            return next;
        }
        let result = try_each_lane(wave.exec, |lane| {
            let first = offset(wave, op, lane);
            for i in 0..N {
                let value = wave.rows[op.d as usize + i].lanes()[lane];
                store(wave, lane, first.wrapping_add(4 * i as u32), 4, value)?;
            }
            Ok(())
        });
        env.settle(wave, next, result)
    }
}

impl<M: Small> Kernel for ScratchLoadSmall<M> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
        let result = try_each_lane(wave.exec, |lane| {
            let raw = load(wave, lane, offset(wave, op, lane), M::BYTES as u32)?;
            let value = &mut wave.rows[op.d as usize].lanes_mut()[lane];
            *value = M::insert(raw, *value);
            Ok(())
        });
        env.settle(wave, next, result)
    }
}

impl<const B: usize, const HIGH: bool> Kernel for ScratchStoreSmall<B, HIGH> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
        let result = try_each_lane(wave.exec, |lane| {
            let value = wave.rows[op.d as usize].lanes()[lane] >> if HIGH { 16 } else { 0 };
            let at = offset(wave, op, lane);
            store(wave, lane, at, B as u32, value)
        });
        env.settle(wave, next, result)
    }
}
