//! Arithmetic as the MODE register has it: every rounding, and denormals kept
//! or flushed. Kernels that never leave the default mode do without.

use std::marker::PhantomData;

use super::lane::soft::{F16, F32, F64};
use super::lane::{AddF64, CvtF32F64, CvtF64F32, FmaF64, MulF64, WideFn, finish};
use super::wide::{source, write_pair};
use super::{Env, each_lane, write};
use crate::program::Op;
use crate::simd::{Kernel, Row, Simd, Simd64, chunks};
use crate::wave::{Mode, Wave};

/// A function of one to three dwords and the mode.
pub(crate) trait RoundedFn {
    fn eval(a: u32, b: u32, c: u32, mode: Mode) -> u32;
}

/// `F` on whole dwords.
pub(crate) struct Rounded<F>(PhantomData<F>);

impl<F: RoundedFn> Kernel for Rounded<F> {
    #[inline(always)]
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
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let values = chunks!(i => {
            let a = source::<S>(wave, op.a, F::WIDE[0], i, op.aux, 0);
            let b = source::<S>(wave, op.b, F::WIDE[1], i, op.aux, 1);
            let c = source::<S>(wave, op.c, F::WIDE[2], i, op.aux, 2);
            let mut value = [
                each::<F, _>(a[0], b[0], c[0], wave.mode),
                each::<F, _>(a[1], b[1], c[1], wave.mode),
            ];
            if F::RESULT {
                value = [
                    finish(value[0], op.aux, wave.mode),
                    finish(value[1], op.aux, wave.mode),
                ];
            }
            S::split(value)
        });
        if F::RESULT {
            write_pair(wave, op.d, values);
        } else {
            write(wave, op.d, chunks!(i => values[i][0]));
        }
        next
    }
}

/// `F`, lane by lane.
#[inline(always)]
fn each<F: RoundedWideFn, W: Simd64>(a: W, b: W, c: W, mode: Mode) -> W {
    let (mut a, b, c) = (a.to_array(), b.to_array(), c.to_array());
    for i in 0..4 {
        a[i] = <F as RoundedWideFn>::eval(a[i], b[i], c[i], mode);
    }
    W::from_array(a)
}

impl RoundedWideFn for AddF64 {
    fn eval(a: u64, b: u64, _: u64, mode: Mode) -> u64 {
        F64.add(a, b, F64.rules(mode))
    }
}

impl RoundedWideFn for MulF64 {
    fn eval(a: u64, b: u64, _: u64, mode: Mode) -> u64 {
        F64.mul(a, b, F64.rules(mode))
    }
}

impl RoundedWideFn for FmaF64 {
    fn eval(a: u64, b: u64, c: u64, mode: Mode) -> u64 {
        F64.fma(a, b, c, F64.rules(mode))
    }
}

/// The result is rounded as an f32's.
impl RoundedWideFn for CvtF32F64 {
    fn eval(a: u64, _: u64, _: u64, mode: Mode) -> u64 {
        let flush = mode.flush_f16_f64_sources();
        F32.convert(F64, a, F32.rules(mode), flush)
    }
}

impl RoundedWideFn for CvtF64F32 {
    fn eval(a: u64, _: u64, _: u64, mode: Mode) -> u64 {
        let flush = mode.flush_f32_sources();
        F64.convert(F32, a, F64.rules(mode), flush)
    }
}
