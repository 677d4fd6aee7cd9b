//! LDS loads and stores.
//!
//! Operands: `d` result rows, `a` address row, `b` and `c` data rows, `imm`
//! and `aux` byte offsets.

use std::marker::PhantomData;

use super::Env;
use super::buffer::Small;
use crate::memory::Lanes;
use crate::program::Op;
use crate::simd::{Kernel, Row, Simd};
use crate::wave::Wave;

/// Loads `N` dwords a lane.
pub(crate) struct DsLoad<const N: usize>;
/// Stores `N` dwords a lane.
pub(crate) struct DsStore<const N: usize>;
/// Loads `N` dwords a lane from each of two places.
pub(crate) struct DsLoad2<const N: usize>;
/// Stores `N` dwords a lane in each of two places.
pub(crate) struct DsStore2<const N: usize>;
/// Loads `N` dwords of elements of `BITS` bits a lane, and transposes them among
/// 16 lanes: together these read rows of 16 elements, and each gets a column.
pub(crate) struct DsLoadTransposed<const N: usize, const BITS: usize>;
/// Loads one or two bytes a lane.
pub(crate) struct DsLoadSmall<M>(PhantomData<M>);
/// Stores `B` bytes a lane, from the upper half of the register if `HIGH`.
pub(crate) struct DsStoreSmall<const B: usize, const HIGH: bool>;

impl<const N: usize> Kernel for DsLoad<N> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
        let offsets = wave.rows[op.a as usize];
        let base = u64::from(op.imm);
        let at = Lanes {
            base,
            offsets: &offsets,
            active: wave.exec,
            mask: &wave.mask,
        };
        let result = env.lds.load::<S, N>(at, &mut wave.rows[op.d as usize..]);
        env.settle(wave, next, result)
    }
}

impl<const N: usize> Kernel for DsStore<N> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
        let base = u64::from(op.imm);
        let offsets = &wave.rows[op.a as usize];
        let at = Lanes {
            base,
            offsets,
            active: wave.exec,
            mask: &wave.mask,
        };
        let result = env.lds.store::<S, N>(at, &wave.rows[op.b as usize..]);
        env.settle(wave, next, result)
    }
}

impl<const N: usize, const BITS: usize> Kernel for DsLoadTransposed<N, BITS> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
        const GROUP: usize = 16;
        let mut loaded = [[0_u32; N]; 32];
        let exec = wave.exec;
        let offsets = wave.rows[op.a as usize];
        let result = super::global::try_each_lane(exec, |lane| {
            for (i, dword) in loaded[lane].iter_mut().enumerate() {
                let at = offsets.lanes()[lane].wrapping_add(op.imm + 4 * i as u32);
                *dword = env.lds.load_bytes(at, 4, lane as u32)?;
            }
            Ok(())
        });
        // Elements that a lane loads, and lanes that a row of 16 takes.
        let elements = 32 * N / BITS;
        let lanes = GROUP / elements;
        super::each_lane(exec, |lane| {
            let (group, own) = (lane / GROUP * GROUP, lane % GROUP);
            let mut column = [0_u32; N];
            for k in 0..elements {
                let source = &loaded[group + lanes * k + own / elements];
                for bit in 0..BITS {
                    let from = own % elements * BITS + bit;
                    let to = k * BITS + bit;
                    column[to / 32] |= (source[from / 32] >> (from % 32) & 1) << (to % 32);
                }
            }
            for (i, dword) in column.into_iter().enumerate() {
                wave.rows[op.d as usize + i].lanes_mut()[lane] = dword;
            }
        });
        env.settle(wave, next, result)
    }
}

impl<const N: usize> Kernel for DsLoad2<N> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
        let offsets = wave.rows[op.a as usize];
        let first = u64::from(op.imm);
        let at = Lanes {
            base: first,
            offsets: &offsets,
            active: wave.exec,
            mask: &wave.mask,
        };
        let d = op.d as usize;
        let mut result = env.lds.load::<S, N>(at, &mut wave.rows[d..]);
        if result.is_ok() {
            let second = Lanes {
                base: u64::from(op.aux),
                mask: &wave.mask,
                ..at
            };
            result = env.lds.load::<S, N>(second, &mut wave.rows[d + N..]);
        }
        env.settle(wave, next, result)
    }
}

impl<const N: usize> Kernel for DsStore2<N> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
        let offsets = &wave.rows[op.a as usize];
        let first = u64::from(op.imm);
        let at = Lanes {
            base: first,
            offsets,
            active: wave.exec,
            mask: &wave.mask,
        };
        let mut result = env.lds.store::<S, N>(at, &wave.rows[op.b as usize..]);
        if result.is_ok() {
            let second = Lanes {
                base: u64::from(op.aux),
                ..at
            };
            result = env.lds.store::<S, N>(second, &wave.rows[op.c as usize..]);
        }
        env.settle(wave, next, result)
    }
}

impl<M: Small> Kernel for DsLoadSmall<M> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
        let offsets = &wave.rows[op.a as usize];
        let base = u64::from(op.imm);
        let at = Lanes {
            base,
            offsets,
            active: wave.exec,
            mask: &wave.mask,
        };
        let mut raw = Row::ZERO;
        let result = if M::BYTES == 1 {
            env.lds.load_small::<S, 1>(at, &mut raw)
        } else {
            env.lds.load_small::<S, 2>(at, &mut raw)
        };
        let mut merged = wave.rows[op.d as usize];
        for (value, &raw) in merged.lanes_mut().iter_mut().zip(raw.lanes()) {
            *value = M::insert(raw, *value);
        }
        super::write(wave, op.d, merged.get::<S>());
        env.settle(wave, next, result)
    }
}

impl<const B: usize, const HIGH: bool> Kernel for DsStoreSmall<B, HIGH> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
        let mut values = wave.rows[op.b as usize];
        if HIGH {
            for value in values.lanes_mut() {
                *value >>= 16;
            }
        }
        let offsets = &wave.rows[op.a as usize];
        let base = u64::from(op.imm);
        let at = Lanes {
            base,
            offsets,
            active: wave.exec,
            mask: &wave.mask,
        };
        let result = env.lds.store_small::<S, B>(at, &values);
        env.settle(wave, next, result)
    }
}
