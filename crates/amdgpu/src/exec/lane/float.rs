//! Single precision. Half precision comes here widened, where that is exact.

use super::super::vector::flush;
use super::{each_1, each_2, lanes};
use crate::simd::Simd;

/// IEEE minimum: of a number and a NaN the number, and -0 is below +0.
#[inline(always)]
fn min<S: Simd>(a: S, b: S) -> S {
    // Both orders agree but for zeros, where one sign bit is enough.
    let least = a.raw_min_f32(b).or(b.raw_min_f32(a));
    let least = S::select(a.is_nan_f32(), b, least);
    S::select(b.is_nan_f32(), a, least)
}

/// IEEE maximum.
#[inline(always)]
fn max<S: Simd>(a: S, b: S) -> S {
    let greatest = a.raw_max_f32(b).and(b.raw_max_f32(a));
    let greatest = S::select(a.is_nan_f32(), b, greatest);
    S::select(b.is_nan_f32(), a, greatest)
}

/// The least; a NaN if there is one, and -0 is below +0.
#[inline(always)]
fn minimum<S: Simd>(a: S, b: S) -> S {
    S::select(a.unordered_f32(b), a.add_f32(b), min(a, b))
}

/// The greatest; a NaN if there is one.
#[inline(always)]
fn maximum<S: Simd>(a: S, b: S) -> S {
    S::select(a.unordered_f32(b), a.add_f32(b), max(a, b))
}

/// A product in which zero times anything is zero.
#[inline(always)]
fn mul_dx9<S: Simd>(a: S, b: S) -> S {
    let zero = S::splat(0);
    let either = a.eq_f32(zero).or(b.eq_f32(zero));
    either.andnot(a.mul_f32(b))
}

/// A product and a sum, each rounded and without denormals.
#[inline(always)]
fn mad<S: Simd>(a: S, b: S, c: S, multiply: impl Fn(S, S) -> S) -> S {
    let product = flush(multiply(flush(a), flush(b)));
    flush(product.add_f32(flush(c)))
}

#[inline(always)]
fn one<S: Simd>() -> S {
    S::splat(1.0_f32.to_bits())
}

lanes! {
    AddF32(a, b) => a.add_f32(b);
    SubF32(a, b) => a.sub_f32(b);
    SubrevF32(a, b) => b.sub_f32(a);
    MulF32(a, b) => a.mul_f32(b);
    MulDx9F32(a, b) => mul_dx9(a, b);
    FmaF32(a, b, c) => a.fma_f32(b, c);
    /// Rounded after the product, too; denormals count as zero, whatever MODE says.
    MadF32(a, b, c) => mad(a, b, c, S::mul_f32);
    MadDx9F32(a, b, c) => mad(a, b, c, mul_dx9);
    FmaDx9F32(a, b, c) => {
        let zero = S::splat(0);
        let either = a.eq_f32(zero).or(b.eq_f32(zero));
        S::select(either, c, a.fma_f32(b, c))
    };
    MinF32(a, b) => min(a, b);
    MaxF32(a, b) => max(a, b);
    Min3F32(a, b, c) => min(min(a, b), c);
    Max3F32(a, b, c) => max(max(a, b), c);
    /// The middle one; with a NaN, the minimum.
    Med3F32(a, b, c) => {
        let middle = max(min(a, b), min(max(a, b), c));
        let nan = a.is_nan_f32().or(b.is_nan_f32()).or(c.is_nan_f32());
        S::select(nan, min(min(a, b), c), middle)
    };
    MaxMinF32(a, b, c) => min(max(a, b), c);
    MinMaxF32(a, b, c) => max(min(a, b), c);

    MinimumF32(a, b) => minimum(a, b);
    MaximumF32(a, b) => maximum(a, b);
    Minimum3F32(a, b, c) => minimum(minimum(a, b), c);
    Maximum3F32(a, b, c) => maximum(maximum(a, b), c);
    MinimumMaximumF32(a, b, c) => maximum(minimum(a, b), c);
    MaximumMinimumF32(a, b, c) => minimum(maximum(a, b), c);

    RoundEvenF32(a) => a.round_even_f32();
    FloorF32(a) => a.floor_f32();
    CeilF32(a) => a.ceil_f32();
    TruncF32(a) => a.trunc_f32();
    /// `a - floor(a)`, below one.
    FractF32(a) => {
        let fraction = a.sub_f32(a.floor_f32());
        let below_one = S::splat(0x3f7f_ffff);
        S::select(one::<S>().le_f32(fraction), below_one, fraction)
    };
    /// The same of an f16, widened: below one in f16.
    FractF16(a) => {
        let fraction = a.sub_f32(a.floor_f32());
        let below_one = S::splat(0x3f7f_e000);
        S::select(below_one.lt_f32(fraction), below_one, fraction)
    };
    RcpF32(a) => one::<S>().div_f32(a);
    RsqF32(a) => one::<S>().div_f32(a.sqrt_f32());
    SqrtF32(a) => a.sqrt_f32();
    /// `a` times two to the power of the integer `b`.
    LdexpF32(a, b) => each_2(a, b, ldexp);
    FrexpMantF32(a) => each_1(a, frexp_mantissa);
    FrexpExpF32(a) => each_1(a, frexp_exponent);
    /// All ones where `a` is of one of the classes in `b`.
    ClassF32(a, b) => each_2(a, b, |x, classes| all_ones(classes >> class(x) & 1 != 0));
    ClassF16(a, b) => each_2(a, b, |x, classes| all_ones(classes >> class_16(x) & 1 != 0));
}

#[inline(always)]
fn all_ones(yes: bool) -> u32 {
    0_u32.wrapping_sub(u32::from(yes))
}

/// `x * 2^n`, rounded once.
pub(crate) fn ldexp(x: u32, n: u32) -> u32 {
    let x = f32::from_bits(x);
    if x.is_nan() || x.is_infinite() {
        return x.to_bits();
    }
    // Beyond ±300 the result is zero or infinite whatever `x` is; within, the
    // product is exact in double precision.
    let n = (n as i32).clamp(-300, 300);
    let power = f64::from_bits(((1023 + n) as u64) << 52);
    ((f64::from(x) * power) as f32).to_bits()
}

/// The fraction in ±[0.5, 1); zeros, infinities and NaNs as they are.
pub(crate) fn frexp_mantissa(x: u32) -> u32 {
    let magnitude = x & 0x7fff_ffff;
    if magnitude == 0 || magnitude >= 0x7f80_0000 {
        return x;
    }
    let shift = (magnitude & 0x7fff_ffff).leading_zeros().saturating_sub(8);
    (x & 0x8000_0000) | 0x3f00_0000 | (magnitude << shift & 0x7f_ffff)
}

/// The exponent that goes with [`frexp_mantissa`]; zero for zeros, infinities
/// and NaNs.
pub(crate) fn frexp_exponent(x: u32) -> u32 {
    let magnitude = x & 0x7fff_ffff;
    if magnitude == 0 || magnitude >= 0x7f80_0000 {
        return 0;
    }
    let exponent = (magnitude >> 23) as i32;
    if exponent != 0 {
        return (exponent - 126) as u32;
    }
    (8 - magnitude.leading_zeros() as i32 - 125) as u32
}

/// Number of the class of an f32: signalling NaN, quiet NaN, -infinity,
/// -normal, -denormal, -0, +0, +denormal, +normal, +infinity.
pub(crate) fn class(x: u32) -> u32 {
    let fraction = x & 0x7f_ffff;
    classify(
        x >> 31 != 0,
        x >> 23 & 0xff,
        0xff,
        fraction,
        fraction >> 22 != 0,
    )
}

/// The same of an f16.
pub(crate) fn class_16(x: u32) -> u32 {
    let fraction = x & 0x3ff;
    classify(
        x >> 15 & 1 != 0,
        x >> 10 & 0x1f,
        0x1f,
        fraction,
        fraction >> 9 != 0,
    )
}

pub(crate) fn classify(negative: bool, exponent: u32, top: u32, fraction: u32, quiet: bool) -> u32 {
    let kind = match (exponent, fraction) {
        (e, 0) if e == top => 3,
        (e, _) if e == top => return u32::from(quiet),
        (0, 0) => 0,
        (0, _) => 1,
        _ => 2,
    };
    if negative { 5 - kind } else { 6 + kind }
}
