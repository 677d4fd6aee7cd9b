//! Global and flat loads and stores.
//!
//! Operands: `d` data rows, `a` address row (an offset with [`SCALAR_BASE`],
//! otherwise two rows of 64-bit addresses), `b` slots of the scalar base,
//! `imm` signed constant offset, `aux` flags.

use std::marker::PhantomData;

use super::buffer::{Small, lds_place};
use super::{Env, each_lane};
use crate::memory::{AccessError, Lanes};
use crate::program::Op;
use crate::simd::{Kernel, Simd, chunks, mask_bits};
use crate::wave::Wave;

/// `aux` bit: base address in scalar slots.
pub(crate) const SCALAR_BASE: u32 = 1;
/// `aux` bit: addresses may lie in the LDS or scratch apertures.
pub(crate) const FLAT: u32 = 2;

/// High dword of flat addresses of private memory. Not canonical on the host.
pub(crate) const PRIVATE_APERTURE: u32 = 0x0001_0000;
/// High dword of flat addresses of LDS.
pub(crate) const SHARED_APERTURE: u32 = 0x0002_0000;

/// Loads `N` dwords a lane.
pub(crate) struct GlobalLoad<const N: usize>;
/// Stores `N` dwords a lane.
pub(crate) struct GlobalStore<const N: usize>;
/// Loads one or two bytes a lane.
pub(crate) struct GlobalLoadSmall<M>(PhantomData<M>);
/// Loads `N` dwords a lane into LDS, from M0 on lane by lane.
pub(crate) struct GlobalToLds<const N: usize>;
/// Loads one or two bytes a lane into a dword of LDS.
pub(crate) struct GlobalToLdsSmall<M>(PhantomData<M>);
/// Stores `B` bytes a lane, from the upper half of the register if `HIGH`.
pub(crate) struct GlobalStoreSmall<const B: usize, const HIGH: bool>;

/// The base that all active lanes share, if their offsets from it are row `a`.
#[inline(always)]
fn common_base<S: Simd>(wave: &Wave, op: &Op) -> Option<u64> {
    let constant = i64::from(op.imm as i32);
    if op.aux & SCALAR_BASE != 0 {
        return Some(wave.scalar_64(op.b).wrapping_add_signed(constant));
    }
    let high = &wave.rows[op.a as usize + 1];
    let first = high.lanes()[wave.exec.trailing_zeros() as usize % 32];
    if op.aux & FLAT != 0 && (first == SHARED_APERTURE || first == PRIVATE_APERTURE) {
        return None;
    }
    let high = high.get::<S>();
    let first_high = S::splat(first);
    let same = chunks!(c => high[c].eq_u32(first_high));
    (mask_bits(same) & wave.exec == wave.exec)
        .then(|| (u64::from(first) << 32).wrapping_add_signed(constant))
}

/// Address of a lane.
#[inline(always)]
pub(super) fn address(wave: &Wave, op: &Op, lane: usize) -> u64 {
    let low = u64::from(wave.rows[op.a as usize].lanes()[lane]);
    let base = if op.aux & SCALAR_BASE != 0 {
        wave.scalar_64(op.b).wrapping_add(low)
    } else {
        low | u64::from(wave.rows[op.a as usize + 1].lanes()[lane]) << 32
    };
    base.wrapping_add_signed(i64::from(op.imm as i32))
}

/// Reads up to four bytes of a lane, wherever its address leads.
fn load_any(
    wave: &Wave,
    env: &mut Env,
    aux: u32,
    address: u64,
    bytes: u32,
    lane: usize,
) -> Result<u32, AccessError> {
    if aux & FLAT != 0 {
        let offset = address as u32;
        match (address >> 32) as u32 {
            SHARED_APERTURE => return env.lds.load_bytes(offset, bytes, lane as u32),
            PRIVATE_APERTURE => return super::scratch::load(wave, lane, offset, bytes),
            _ => {}
        }
    }
    env.view.load_bytes(address, bytes, lane as u32)
}

fn store_any(
    wave: &mut Wave,
    env: &mut Env,
    aux: u32,
    address: u64,
    bytes: u32,
    lane: usize,
    value: u32,
) -> Result<(), AccessError> {
    if aux & FLAT != 0 {
        let offset = address as u32;
        match (address >> 32) as u32 {
            SHARED_APERTURE => return env.lds.store_bytes(offset, bytes, lane as u32, value),
            PRIVATE_APERTURE => return super::scratch::store(wave, lane, offset, bytes, value),
            _ => {}
        }
    }
    env.view.store_bytes(address, bytes, lane as u32, value)
}

/// Calls `access` on each active lane until one fails.
pub(super) fn try_each_lane(
    exec: u32,
    mut access: impl FnMut(usize) -> Result<(), AccessError>,
) -> Result<(), AccessError> {
    let mut result = Ok(());
    each_lane(exec, |lane| {
        if result.is_ok() {
            result = access(lane);
        }
    });
    result
}

impl<const N: usize> Kernel for GlobalLoad<N> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
        if wave.exec == 0 {
            return next;
        }
        let offsets = wave.rows[op.a as usize];
        let together = common_base::<S>(wave, op).and_then(|base| {
            let at = Lanes {
                base,
                offsets: &offsets,
                active: wave.exec,
                mask: &wave.mask,
            };
            at.measure::<S>()
        });
        let result = if let Some(spanned) = together {
            env.view
                .load_span::<S, N>(spanned, &mut wave.rows[op.d as usize..])
        } else {
            try_each_lane(wave.exec, |lane| {
                let first = address(wave, op, lane);
                // All before any is written: the address rows may be among the results.
                let mut dwords = [0; N];
                for (i, dword) in dwords.iter_mut().enumerate() {
                    let at = first.wrapping_add(4 * i as u64);
                    *dword = load_any(wave, env, op.aux, at, 4, lane)?;
                }
                for (i, dword) in dwords.into_iter().enumerate() {
                    wave.rows[op.d as usize + i].lanes_mut()[lane] = dword;
                }
                Ok(())
            })
        };
        env.settle(wave, next, result)
    }
}

impl<const N: usize> Kernel for GlobalStore<N> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
        if wave.exec == 0 {
            return next;
        }
        let together = common_base::<S>(wave, op).and_then(|base| {
            let offsets = &wave.rows[op.a as usize];
            Lanes {
                base,
                offsets,
                active: wave.exec,
                mask: &wave.mask,
            }
            .measure::<S>()
        });
        let result = if let Some(spanned) = together {
            env.view
                .store_span::<S, N>(spanned, &wave.rows[op.d as usize..])
        } else {
            try_each_lane(wave.exec, |lane| {
                let first = address(wave, op, lane);
                for i in 0..N {
                    let value = wave.rows[op.d as usize + i].lanes()[lane];
                    let at = first.wrapping_add(4 * i as u64);
                    store_any(wave, env, op.aux, at, 4, lane, value)?;
                }
                Ok(())
            })
        };
        env.settle(wave, next, result)
    }
}

impl<M: Small> Kernel for GlobalLoadSmall<M> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
        let result = try_each_lane(wave.exec, |lane| {
            let at = address(wave, op, lane);
            let raw = load_any(wave, env, op.aux, at, M::BYTES as u32, lane)?;
            let value = &mut wave.rows[op.d as usize].lanes_mut()[lane];
            *value = M::insert(raw, *value);
            Ok(())
        });
        env.settle(wave, next, result)
    }
}

impl<const N: usize> Kernel for GlobalToLds<N> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
        let result = try_each_lane(wave.exec, |lane| {
            let from = address(wave, op, lane);
            let to = lds_place(wave, op, lane, N);
            for i in 0..N as u32 {
                let at = from.wrapping_add(u64::from(4 * i));
                let value = env.view.load_bytes(at, 4, lane as u32)?;
                env.lds
                    .store_bytes(to.wrapping_add(4 * i), 4, lane as u32, value)?;
            }
            Ok(())
        });
        env.settle(wave, next, result)
    }
}

impl<M: Small> Kernel for GlobalToLdsSmall<M> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
        let result = try_each_lane(wave.exec, |lane| {
            let from = address(wave, op, lane);
            let raw = env.view.load_bytes(from, M::BYTES as u32, lane as u32)?;
            let to = lds_place(wave, op, lane, 1);
            env.lds.store_bytes(to, 4, lane as u32, M::insert(raw, 0))
        });
        env.settle(wave, next, result)
    }
}

impl<const B: usize, const HIGH: bool> Kernel for GlobalStoreSmall<B, HIGH> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
        let result = try_each_lane(wave.exec, |lane| {
            let value = wave.rows[op.d as usize].lanes()[lane] >> if HIGH { 16 } else { 0 };
            let at = address(wave, op, lane);
            store_any(wave, env, op.aux, at, B as u32, lane, value)
        });
        env.settle(wave, next, result)
    }
}
