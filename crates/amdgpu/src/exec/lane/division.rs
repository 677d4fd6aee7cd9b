//! The pieces of a correctly rounded f32 division.
//!
//! The compiler divides `n / d` by scaling both away from trouble
//! (`v_div_scale`), iterating, scaling back (`v_div_fmas`), and putting special
//! cases right (`v_div_fixup`). The published pseudocode mixes encoded and
//! unbiased exponents; here all exponents are encoded ones, and the scale back
//! is chosen by the addend, as the hardware does.

use super::lanes;
use crate::simd::{Simd, Simd64};

lanes! {
    /// Quotient `a` of `c / b`, with special cases put right.
    DivFixupF32(a, b, c) => div_fixup(a, b, c);
}

const SIGN: u32 = 1 << 31;
const INFINITY: u32 = 0x7f80_0000;
/// 2^64 and its inverse.
const UP: f32 = f32::from_bits((127 + 64) << 23);
const DOWN: f32 = f32::from_bits((127 - 64) << 23);

#[inline(always)]
fn exponent<S: Simd>(x: S) -> S {
    x.shr(S::splat(23)).and(S::splat(0xff))
}

#[inline(always)]
fn magnitude<S: Simd>(x: S) -> S {
    S::splat(SIGN).andnot(x)
}

/// All ones where `x` lies between two numbers.
#[inline(always)]
pub(super) fn is_between<S: Simd>(x: S, below: i32, above: i32) -> S {
    x.gt_i32(S::splat(below as u32))
        .and(S::splat(above as u32).gt_i32(x))
}

/// Do all lanes hold true?
#[inline(always)]
pub(super) fn all<S: Simd>(mask: S) -> bool {
    mask.top_bits() == 0xff
}

/// `x` times a power of two, rounded once; a NaN as it is.
#[inline(always)]
fn scaled<S: Simd>(x: S, factor: f32) -> S {
    S::select(x.is_nan_f32(), x, x.mul_f32(S::splat_f32(factor)))
}

/// `x`, which is the denominator or the numerator, scaled for the division of
/// `numerator` by `denominator`; and whether the result must be scaled back.
#[inline(always)]
pub(crate) fn div_scale<S: Simd>(x: S, denominator: S, numerator: S) -> [S; 2] {
    let (d, n) = (exponent(denominator), exponent(numerator));
    let distance = n.sub(d);
    let ordinary = is_between(d, 0, 253)
        .and(is_between(distance, -126, 96))
        .and(n.gt_i32(S::splat(23)));
    if all(ordinary) {
        return [x, S::splat(0)];
    }
    let far = distance.gt_i32(S::splat(95));
    let denormal = d.eq_u32(S::splat(0));
    // 1 / denominator would be denormal from here on.
    let huge = d.gt_i32(S::splat(252));
    let tiny = S::splat(125_u32.wrapping_neg()).gt_i32(distance);
    let small = S::splat(24).gt_i32(n);
    let zero = magnitude(denominator)
        .eq_u32(S::splat(0))
        .or(magnitude(numerator).eq_u32(S::splat(0)));
    let (is_denominator, is_numerator) = (x.eq_u32(denominator), x.eq_u32(numerator));
    let (up, down) = (scaled(x, UP), scaled(x, DOWN));

    // What counts most comes last.
    let value = S::select(small, up, x);
    let value = S::select(tiny, S::select(is_numerator, up, x), value);
    let value = S::select(huge, down, value);
    let both = huge.and(tiny);
    let value = S::select(both, S::select(is_denominator, down, x), value);
    let value = S::select(denormal, up, value);
    let value = S::select(far, S::select(is_denominator, up, x), value);
    let back = denormal.andnot(tiny).or(far).or(zero);
    [S::select(zero, S::splat(0x7fc0_0000), value), back]
}

/// `a * b + c`, scaled back; rounded once.
#[inline(always)]
pub(crate) fn div_fmas<S: Simd>(a: S, b: S, c: S) -> S {
    let great = exponent(c).gt_i32(S::splat(127));
    let factor = S::select(great, S::splat_f32(UP), S::splat_f32(DOWN)).to_f64();
    let (a, b, c) = (a.to_f64(), b.to_f64(), c.to_f64());
    // The product is exact; the sum is rounded to odd, so that the rounding to
    // f32 behind it is the only one that counts.
    let first = add_to_odd(a[0].mul_f64(b[0]), c[0]).mul_f64(factor[0]);
    let second = add_to_odd(a[1].mul_f64(b[1]), c[1]).mul_f64(factor[1]);
    S::from_f64([first, second])
}

/// `a + b`; if that is not exact, of its two neighbours the one with an odd
/// last bit.
#[inline(always)]
fn add_to_odd<W: Simd64>(a: W, b: W) -> W {
    let zero = W::splat(0);
    let sum = a.add_f64(b);
    let b_part = sum.sub_f64(a);
    let error = a.sub_f64(sum.sub_f64(b_part)).add_f64(b.sub_f64(b_part));
    let odd = sum.and(W::splat(1)).eq_u64(W::splat(1));
    // With an infinity or NaN the error is NaN.
    let stays = odd.or(error.eq_f64(zero)).or(error.is_nan_f64());
    let towards_zero = zero.lt_f64(error).xor(zero.lt_f64(sum));
    let step = W::select(towards_zero, W::splat(u64::MAX), W::splat(1));
    W::select(stays, sum, sum.add(step))
}

/// The quotient with the right sign, or what the operands call for.
#[inline(always)]
fn div_fixup<S: Simd>(quotient: S, denominator: S, numerator: S) -> S {
    let sign_bit = S::splat(SIGN);
    let (zero, infinity) = (S::splat(0), S::splat(INFINITY));
    let (n, d) = (magnitude(numerator), magnitude(denominator));
    let sign = denominator.xor(numerator).and(sign_bit);
    let (n_zero, d_zero) = (n.eq_u32(zero), d.eq_u32(zero));
    let (n_infinite, d_infinite) = (n.eq_u32(infinity), d.eq_u32(infinity));
    let (n_exponent, d_exponent) = (exponent(n), exponent(d));
    let distance = n_exponent.sub(d_exponent);
    let tiny = S::splat(150_u32.wrapping_neg()).gt_i32(distance);
    let quiet = S::splat(0x40_0000);

    let result = sign.or(sign_bit.andnot(quotient));
    let ordinary = is_between(n_exponent, 0, 255)
        .and(is_between(d_exponent, 0, 255))
        .and(quotient.eq_f32(quotient));
    if all(tiny.andnot(ordinary)) {
        return result;
    }
    // What counts most comes last.
    let result = S::select(quotient.is_nan_f32(), sign.or(infinity), result);
    let result = S::select(d_infinite.or(n_zero).or(tiny), sign, result);
    let result = S::select(d_zero.or(n_infinite), sign.or(infinity), result);
    let nothing = d_zero.and(n_zero).or(d_infinite.and(n_infinite));
    let result = S::select(nothing, S::splat(0xffc0_0000), result);
    let result = S::select(denominator.is_nan_f32(), denominator.or(quiet), result);
    S::select(numerator.is_nan_f32(), numerator.or(quiet), result)
}
