//! Exponential, logarithm, sine and cosine.
//!
//! The hardware's tables are not public. These are within one unit in the last
//! place of the exact value, which is what the hardware promises, and the same
//! on every host: only additions, multiplications and fused ones.

use super::{each_1, lanes};
use crate::simd::Simd;

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
    LogF32(a) => each_1(a, |x| log2(f32::from_bits(x)).to_bits());
    /// Sine of `a` turns.
    SinF32(a) => each_1(a, |x| sine_of_turns(f32::from_bits(x), 0.0).to_bits());
    /// Cosine of `a` turns.
    CosF32(a) => each_1(a, |x| sine_of_turns(f32::from_bits(x), 0.25).to_bits());
}

/// log2(x) by log2((1 + s) / (1 - s)) = 2 / ln 2 * (s + s^3 / 3 + …).
pub(crate) fn log2(x: f32) -> f32 {
    if x.is_nan() || x < 0.0 {
        return f32::NAN;
    }
    if x == 0.0 {
        return f32::NEG_INFINITY;
    }
    if x.is_infinite() {
        return x;
    }
    let bits = f64::from(x).to_bits();
    // Move the fraction into [sqrt(1/2), sqrt(2)).
    let shifted = bits.wrapping_sub(0x3fe6_a09e_667f_3bcd);
    let exponent = (shifted as i64 >> 52) as i32;
    let fraction = f64::from_bits(bits.wrapping_sub((i64::from(exponent) << 52) as u64));
    let s = (fraction - 1.0) / (fraction + 1.0);
    let square = s * s;
    let mut sum = 0.0;
    for k in (0..8).rev() {
        sum = sum * square + 1.0 / f64::from(2 * k + 1);
    }
    (f64::from(exponent) + s * sum * (2.0 * std::f64::consts::LOG2_E)) as f32
}

/// sin(2π (x + lead)), for a lead of 0 or a quarter.
pub(crate) fn sine_of_turns(x: f32, lead: f64) -> f32 {
    if !x.is_finite() {
        return f32::NAN;
    }
    if lead == 0.0 && x == 0.0 {
        return x;
    }
    // Exact: x has 24 bits, and the difference to a whole number of turns fewer.
    let turns = f64::from(x);
    let turns = turns - turns.round_ties_even() + lead;
    // To [-1/4, 1/4], where sine is monotonic.
    let turns = turns - turns.round_ties_even();
    let turns = if turns > 0.25 {
        0.5 - turns
    } else if turns < -0.25 {
        -0.5 - turns
    } else {
        turns
    };
    let angle = turns * std::f64::consts::TAU;
    let square = angle * angle;
    let mut sum = 0.0;
    for k in (0..9).rev() {
        // 1 - x²/(2·3) (1 - x²/(4·5) (1 - …))
        let divisor = f64::from((2 * k + 2) * (2 * k + 3));
        sum = 1.0 - square / divisor * if k == 8 { 1.0 } else { sum };
    }
    (angle * sum) as f32
}
