//! Arithmetic as the MODE register has it: every rounding, and denormals kept
//! or flushed. Kernels that never leave the default mode do without.

use std::marker::PhantomData;

use super::lane::soft::{F16, F32, F64};
use super::wide::{WideFn, set_wide, source};
use super::{Env, each_lane, write};
use crate::program::Op;
use crate::simd::{Kernel, Row, Simd};
use crate::wave::{Mode, Wave};

/// A function of one to three dwords and the mode.
pub(crate) trait RoundedFn {
    fn eval(a: u32, b: u32, c: u32, mode: Mode) -> u32;
}

/// `F` on whole dwords.
pub(crate) struct Rounded<F>(PhantomData<F>);

impl<F: RoundedFn> Kernel for Rounded<F> {
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let [a, b, c] = [op.a, op.b, op.c].map(|row| wave.rows[row as usize]);
        let mut result = Row::ZERO;
        each_lane(wave.exec, |lane| {
            let [a, b, c] = [&a, &b, &c].map(|row| row.lanes()[lane]);
            result.lanes_mut()[lane] = F::eval(a, b, c, wave.mode);
        });
        write(wave, op.d, result.get::<S>());
        next
    }
}

/// Declares functions in one format: its parameters are the sources, wide
/// enough for any format, and the rules.
macro_rules! rounded {
    ($($name:ident in $format:ident |$a:ident, $b:ident, $c:ident, $rules:ident| $body:expr;)+) => {$(
        pub(crate) struct $name;

        impl RoundedFn for $name {
            fn eval(a: u32, b: u32, c: u32, mode: Mode) -> u32 {
                let [$a, $b, $c] = [a, b, c].map(u64::from);
                let $rules = $format.rules(mode);
                $body as u32
            }
        }
    )+};
}

rounded! {
    RoundedAddF32 in F32 |a, b, _c, rules| F32.add(a, b, rules);
    RoundedSubF32 in F32 |a, b, _c, rules| F32.add(a, F32.negate(b), rules);
    RoundedSubrevF32 in F32 |a, b, _c, rules| F32.add(b, F32.negate(a), rules);
    RoundedMulF32 in F32 |a, b, _c, rules| F32.mul(a, b, rules);
    RoundedFmaF32 in F32 |a, b, c, rules| F32.fma(a, b, c, rules);
    RoundedCvtF32I32 in F32 |a, _b, _c, rules| F32.of_integer(i64::from(a as i32), rules);
    RoundedCvtF32U32 in F32 |a, _b, _c, rules| F32.of_integer(a as i64, rules);

    RoundedAddF16 in F16 |a, b, _c, rules| F16.add(a, b, rules);
    RoundedSubF16 in F16 |a, b, _c, rules| F16.add(a, F16.negate(b), rules);
    RoundedSubrevF16 in F16 |a, b, _c, rules| F16.add(b, F16.negate(a), rules);
    RoundedMulF16 in F16 |a, b, _c, rules| F16.mul(a, b, rules);
    RoundedFmaF16 in F16 |a, b, c, rules| F16.fma(a, b, c, rules);
    RoundedCvtF16I16 in F16 |a, _b, _c, rules| F16.of_integer(i64::from(a as i16), rules);
    RoundedCvtF16U16 in F16 |a, _b, _c, rules| F16.of_integer(i64::from(a as u16), rules);
}

/// f32 to f16; the source's denormals are those of f32.
pub(crate) struct RoundedCvtF16F32;

impl RoundedFn for RoundedCvtF16F32 {
    fn eval(a: u32, _: u32, _: u32, mode: Mode) -> u32 {
        let flush = mode.flush_f32_sources();
        F16.convert(F32, u64::from(a), F16.rules(mode), flush) as u32
    }
}

/// A function of doubles and the mode.
pub(crate) trait RoundedWideFn: WideFn {
    fn eval(a: u64, b: u64, c: u64, mode: Mode) -> u64;
}

/// `F` on each active lane, with operands as for [`super::wide::Wide`].
pub(crate) struct RoundedWide<F>(PhantomData<F>);

impl<F: RoundedWideFn> Kernel for RoundedWide<F> {
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        each_lane(wave.exec, |lane| {
            let a = source(wave, op.a, F::WIDE[0], lane, op.aux, 0);
            let b = source(wave, op.b, F::WIDE[1], lane, op.aux, 1);
            let c = source(wave, op.c, F::WIDE[2], lane, op.aux, 2);
            let value = <F as RoundedWideFn>::eval(a, b, c, wave.mode);
            if F::RESULT {
                let value = super::wide::finish(value, op.aux, wave.mode);
                set_wide(wave, op.d, lane, value);
            } else {
                wave.rows[op.d as usize].lanes_mut()[lane] = value as u32;
            }
        });
        next
    }
}

impl RoundedWideFn for super::wide::AddF64 {
    fn eval(a: u64, b: u64, _: u64, mode: Mode) -> u64 {
        F64.add(a, b, F64.rules(mode))
    }
}

impl RoundedWideFn for super::wide::MulF64 {
    fn eval(a: u64, b: u64, _: u64, mode: Mode) -> u64 {
        F64.mul(a, b, F64.rules(mode))
    }
}

impl RoundedWideFn for super::wide::FmaF64 {
    fn eval(a: u64, b: u64, c: u64, mode: Mode) -> u64 {
        F64.fma(a, b, c, F64.rules(mode))
    }
}

/// The result is rounded as an f32's.
impl RoundedWideFn for super::wide::CvtF32F64 {
    fn eval(a: u64, _: u64, _: u64, mode: Mode) -> u64 {
        let flush = mode.flush_f16_f64_sources();
        F32.convert(F64, a, F32.rules(mode), flush)
    }
}

impl RoundedWideFn for super::wide::CvtF64F32 {
    fn eval(a: u64, _: u64, _: u64, mode: Mode) -> u64 {
        let flush = mode.flush_f32_sources();
        F64.convert(F32, a, F64.rules(mode), flush)
    }
}
