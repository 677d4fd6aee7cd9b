//! Floating point on scalar registers (gfx12). The meanings are those of the
//! vector instructions, of one lane.

use std::marker::PhantomData;

use super::Env;
use super::compare::Test;
use super::lane::Lane;
use super::rounded::RoundedFn;
use crate::program::Op;
use crate::simd::{Kernel, Portable, Simd};
use crate::wave::{Mode, Wave};

/// Slot `d` = `F` of slots `a`, `b` and `c`, by the rounding and denormal modes;
/// `aux` says if they are [`HALVES`](flags::HALVES).
pub(crate) struct ScalarRounded<F>(PhantomData<F>);

/// Slot `d` = `F` of slots `a` and `b`; `aux` as in [`flags`].
pub(crate) struct ScalarLane<F>(PhantomData<F>);

/// SCC = what slots `a` and `b` are to each other; `aux` as in [`flags`].
pub(crate) struct ScalarCompare<T>(PhantomData<T>);

/// `aux` bits; from bit [`OMOD`](flags::OMOD) on the output modifier.
pub(crate) mod flags {
    /// The sources are f32, or (`HALVES`) f16, or (`UPPER`) f16 in upper halves.
    pub(crate) const FLOATS: u32 = 1;
    pub(crate) const HALVES: u32 = 2;
    pub(crate) const UPPER: u32 = 4;
    /// The result is f32, or (`TO_HALF`) f16.
    pub(crate) const TO_FLOAT: u32 = 8;
    pub(crate) const TO_HALF: u32 = 16;
    /// The first source is negated, after its absolute value is taken.
    pub(crate) const NEGATE: u32 = 32;
    pub(crate) const ABSOLUTE: u32 = 64;
    pub(crate) const CLAMP: u32 = 128;
    pub(crate) const OMOD: u32 = 8;
}

impl<F: RoundedFn> Kernel for ScalarRounded<F> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let mask = if op.aux & flags::HALVES != 0 {
            0xffff
        } else {
            u32::MAX
        };
        let [a, b, c] = [op.a, op.b, op.c].map(|slot| wave.scalar(slot) & mask);
        let value = F::eval(a, b, c, wave.mode);
        wave.set_scalar(op.d, value);
        next
    }
}

/// A source as the meanings take it: halves widened.
fn source(bits: u32, aux: u32, mode: Mode) -> u32 {
    if aux & (flags::HALVES | flags::UPPER) != 0 {
        let shift = if aux & flags::UPPER != 0 { 16 } else { 0 };
        let half = half::f16::from_bits((bits >> shift) as u16);
        return half.to_f32().to_bits();
    }
    if aux & flags::FLOATS != 0 && mode.flush_f32_sources() {
        return flush(bits);
    }
    bits
}

/// Denormals to zero of the same sign.
fn flush(bits: u32) -> u32 {
    if bits & 0x7f80_0000 == 0 {
        bits & 1 << 31
    } else {
        bits
    }
}

/// A result as it is given.
fn result(bits: u32, aux: u32, mode: Mode) -> u32 {
    let half = aux & flags::TO_HALF != 0;
    if aux & (flags::TO_FLOAT | flags::TO_HALF) == 0 {
        return bits;
    }
    let mut value = f32::from_bits(bits);
    if mode.obeys_omod(!half) {
        value *= [1.0, 2.0, 4.0, 0.5][(aux >> flags::OMOD & 3) as usize];
    }
    if aux & flags::CLAMP != 0 {
        value = match (value.is_nan(), mode.dx10_clamp()) {
            (true, true) => 0.0,
            (true, false) => value,
            // Also turns -0 into +0.
            (false, _) => value.clamp(0.0, 1.0).abs(),
        };
    }
    if half {
        return u32::from(half::f16::from_f32(value).to_bits());
    }
    if mode.flush_f32_results() {
        return flush(value.to_bits());
    }
    value.to_bits()
}

impl<F: Lane> Kernel for ScalarLane<F> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let [mut a, b] = [op.a, op.b].map(|slot| source(wave.scalar(slot), op.aux, wave.mode));
        if op.aux & flags::ABSOLUTE != 0 {
            a &= !(1 << 31);
        }
        if op.aux & flags::NEGATE != 0 {
            a ^= 1 << 31;
        }
        let [a, b] = [a, b].map(Portable::splat);
        let value = F::eval(a, b, b).to_array()[0];
        wave.set_scalar(op.d, result(value, op.aux, wave.mode));
        next
    }
}

impl<T: Test> Kernel for ScalarCompare<T> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let sources = [op.a, op.b].map(|slot| source(wave.scalar(slot), op.aux, wave.mode));
        let [a, b] = sources.map(Portable::splat);
        wave.scc = T::test(a, b).to_array()[0] != 0;
        next
    }
}
