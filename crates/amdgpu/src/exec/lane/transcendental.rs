//! Exponential, logarithm, sine and cosine.
//!
//! The hardware's tables are not public. These are within one unit in the last
//! place of the exact value, which is what the hardware promises, and the same
//! on every host: only additions, multiplications and fused ones.

use super::lanes;
use crate::simd::{Simd, Simd64};

/// ln(2)^k / k! for k = 7 down to 1.
const EXP2: [f32; 7] = [
    1.525_273_4e-5,
    1.540_353e-4,
    1.333_355_8e-3,
    9.618_129e-3,
    5.550_411e-2,
    2.402_265e-1,
    6.931_472e-1,
];

/// 2^x.
#[inline(always)]
fn exp2<S: Simd>(x: S) -> S {
    let f = |value: f32| S::splat(value.to_bits());
    // Far out everything is zero or infinity; NaN becomes the lower bound here.
    let bounded = x.raw_max_f32(f(-160.0)).raw_min_f32(f(130.0));
    let whole = bounded.round_even_f32();
    let rest = bounded.sub_f32(whole);
    let mut sum = f(EXP2[0]);
    for &coefficient in &EXP2[1..] {
        sum = sum.fma_f32(rest, f(coefficient));
    }
    let power = sum.fma_f32(rest, f(1.0));
    // Two factors, since 2^whole alone may be no normal number.
    let n = whole.raw_f32_to_i32();
    let first = n.sar(S::splat(1));
    let second = n.sub(first);
    let scale = |n: S| n.add(S::splat(127)).shl(S::splat(23));
    let result = power.mul_f32(scale(first)).mul_f32(scale(second));
    S::select(x.is_nan_f32(), x, result)
}

lanes! {
    ExpF32(a) => exp2(a);
    LogF32(a) => {
        let [first, second] = a.to_f64();
        S::from_f64([log2(first), log2(second)])
    };
    /// Sine of `a` turns.
    SinF32(a) => {
        let [first, second] = a.to_f64();
        let sine = S::from_f64([sine_of_turns(first, 0.0), sine_of_turns(second, 0.0)]);
        // A zero keeps its sign.
        S::select(a.eq_f32(S::splat(0)), a, sine)
    };
    /// Cosine of `a` turns.
    CosF32(a) => {
        let [first, second] = a.to_f64();
        S::from_f64([sine_of_turns(first, 0.25), sine_of_turns(second, 0.25)])
    };
}

/// log2(x), of an f32 as f64, by log2((1 + s) / (1 - s)) = 2 / ln 2 * (s +
/// s^3 / 3 + …).
#[inline(always)]
fn log2<W: Simd64>(x: W) -> W {
    let (zero, infinity) = (W::splat(0), W::splat_f64(f64::INFINITY));
    // Move the fraction into [sqrt(1/2), sqrt(2)).
    let shifted = x.sub(W::splat(0x3fe6_a09e_667f_3bcd));
    let exponent = shifted.sar(W::splat(52));
    let fraction = x.sub(exponent.shl(W::splat(52)));
    let one = W::splat_f64(1.0);
    let s = fraction.sub_f64(one).div_f64(fraction.add_f64(one));
    let square = s.mul_f64(s);
    let mut sum = W::splat_f64(1.0 / 15.0);
    for divisor in [13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0] {
        sum = sum.mul_f64(square).add_f64(W::splat_f64(1.0 / divisor));
    }
    let of_fraction = s
        .mul_f64(sum)
        .mul_f64(W::splat_f64(2.0 * std::f64::consts::LOG2_E));
    let result = exponent.small_i64_to_f64().add_f64(of_fraction);
    let result = W::select(x.eq_f64(infinity), x, result);
    let result = W::select(x.eq_f64(zero), W::splat_f64(f64::NEG_INFINITY), result);
    let none = x.is_nan_f64().or(x.lt_f64(zero));
    W::select(none, W::splat_f64(f64::NAN), result)
}

/// (-1)^k / (2 k + 1)! for k = 8 down to 0.
const SINE: [f64; 9] = [
    1.0 / 355_687_428_096_000.0,
    -1.0 / 1_307_674_368_000.0,
    1.0 / 6_227_020_800.0,
    -1.0 / 39_916_800.0,
    1.0 / 362_880.0,
    -1.0 / 5_040.0,
    1.0 / 120.0,
    -1.0 / 6.0,
    1.0,
];

/// sin(2π (x + lead)), of an f32 as f64, for a lead of 0 or a quarter.
#[inline(always)]
fn sine_of_turns<W: Simd64>(x: W, lead: f64) -> W {
    // Exact: x has 24 bits, and the difference to a whole number of turns fewer.
    let turns = x.sub_f64(x.round_even_f64()).add_f64(W::splat_f64(lead));
    // To [-1/4, 1/4], where sine is monotonic.
    let turns = turns.sub_f64(turns.round_even_f64());
    let (half, quarter) = (W::splat_f64(0.5), W::splat_f64(0.25));
    let sign = turns.and(W::splat(1 << 63));
    let size = turns.xor(sign);
    let size = W::select(quarter.lt_f64(size), half.sub_f64(size), size);
    let angle = size.or(sign).mul_f64(W::splat_f64(std::f64::consts::TAU));
    let square = angle.mul_f64(angle);
    let mut sum = W::splat_f64(SINE[0]);
    for &coefficient in &SINE[1..] {
        sum = sum.mul_f64(square).add_f64(W::splat_f64(coefficient));
    }
    // An infinity has no whole number of turns: it became NaN.
    angle.mul_f64(sum)
}
