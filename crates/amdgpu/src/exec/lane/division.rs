//! The pieces of a correctly rounded f32 division.
//!
//! The compiler divides `n / d` by scaling both away from trouble
//! (`v_div_scale`), iterating, scaling back (`v_div_fmas`), and putting special
//! cases right (`v_div_fixup`). The published pseudocode mixes encoded and
//! unbiased exponents; here all exponents are encoded ones, and the scale back
//! is chosen by the addend, as the hardware does.

use super::{each_3, lanes};

lanes! {
    /// Quotient `a` of `c / b`, with special cases put right.
    DivFixupF32(a, b, c) => each_3(a, b, c, div_fixup);
}

const SIGN: u32 = 1 << 31;
const INFINITY: u32 = 0x7f80_0000;
/// Exponents this far apart have quotients near the largest number.
const FAR: i32 = 96;

fn exponent(x: u32) -> i32 {
    (x >> 23 & 0xff) as i32
}

fn is_nan(x: u32) -> bool {
    x & !SIGN > INFINITY
}

fn scaled(x: u32, power: i32) -> u32 {
    super::float::ldexp(x, power as u32)
}

/// `x`, which is the denominator or the numerator, scaled for the division of
/// `numerator` by `denominator`; and whether the result must be scaled back.
pub(crate) fn div_scale(x: u32, denominator: u32, numerator: u32) -> (u32, bool) {
    let scale_of_denominator = |power| {
        if x == denominator {
            scaled(x, power)
        } else {
            x
        }
    };
    if denominator & !SIGN == 0 || numerator & !SIGN == 0 {
        return (0x7fc0_0000, true);
    }
    let (d, n) = (exponent(denominator), exponent(numerator));
    // 1 / denominator would be denormal from here on.
    let huge_denominator = d >= 253;
    let tiny_quotient = n - d <= -126;
    if n - d >= FAR {
        (scale_of_denominator(64), true)
    } else if d == 0 {
        (scaled(x, 64), false)
    } else if huge_denominator && tiny_quotient {
        (scale_of_denominator(-64), true)
    } else if huge_denominator {
        (scaled(x, -64), false)
    } else if tiny_quotient {
        (if x == numerator { scaled(x, 64) } else { x }, true)
    } else if n <= 23 {
        (scaled(x, 64), false)
    } else {
        (x, false)
    }
}

/// `a * b + c`, scaled back if the division had been scaled; rounded once.
pub(crate) fn div_fmas(a: u32, b: u32, c: u32, scale_back: bool) -> u32 {
    let [x, y, z] = [a, b, c].map(f32::from_bits);
    if !scale_back {
        return x.mul_add(y, z).to_bits();
    }
    let power = if exponent(c) > 127 { 64 } else { -64 };
    let factor = f64::from_bits(((1023 + power) as u64) << 52);
    // The product is exact; the sum is rounded to odd, so that the rounding to
    // f32 behind it is the only one that counts.
    let product = f64::from(x) * f64::from(y);
    let sum = add_to_odd(product, f64::from(z));
    ((sum * factor) as f32).to_bits()
}

/// `a + b`; if that is not exact, of its two neighbours the one with an odd
/// last bit.
fn add_to_odd(a: f64, b: f64) -> f64 {
    let sum = a + b;
    if !sum.is_finite() {
        return sum;
    }
    let b_part = sum - a;
    let error = (a - (sum - b_part)) + (b - b_part);
    if error == 0.0 || sum.to_bits() & 1 == 1 {
        return sum;
    }
    let away = (error > 0.0) == (sum > 0.0);
    f64::from_bits(if away {
        sum.to_bits() + 1
    } else {
        sum.to_bits() - 1
    })
}

/// The quotient with the right sign, or what the operands call for.
pub(crate) fn div_fixup(quotient: u32, denominator: u32, numerator: u32) -> u32 {
    let sign = (denominator ^ numerator) & SIGN;
    let zero = |x: u32| x & !SIGN == 0;
    let infinite = |x: u32| x & !SIGN == INFINITY;
    if is_nan(numerator) {
        numerator | 0x40_0000
    } else if is_nan(denominator) {
        denominator | 0x40_0000
    } else if zero(denominator) && zero(numerator) || infinite(denominator) && infinite(numerator) {
        0xffc0_0000
    } else if zero(denominator) || infinite(numerator) {
        sign | INFINITY
    } else if infinite(denominator)
        || zero(numerator)
        || exponent(numerator) - exponent(denominator) < -150
    {
        sign
    } else if is_nan(quotient) {
        sign | INFINITY
    } else {
        sign | quotient & !SIGN
    }
}
