//! Half precision that cannot go through f32: bits in, bits out.

use super::{each_1, each_2, each_3, lanes};

lanes! {
    /// Rounded once: through f32 it would be rounded twice.
    FmaF16(a, b, c) => each_3(a, b, c, fma);
    /// Rounded after the product, too.
    MadF16(a, b, c) => each_3(a, b, c, |a, b, c| {
        from_f64(to_f64(from_f64(to_f64(a) * to_f64(b))) + to_f64(c))
    });
    LdexpF16(a, b) => each_2(a, b, |x, n| {
        let n = i32::from(n as u16 as i16).clamp(-60, 60);
        let power = f64::from_bits(((1023 + n) as u64) << 52);
        from_f64(to_f64(x) * power)
    });
    FrexpMantF16(a) => each_1(a, |x| {
        let magnitude = x & 0x7fff;
        if magnitude == 0 || magnitude >= 0x7c00 {
            return x;
        }
        let shift = magnitude.leading_zeros().saturating_sub(21);
        (x & 0x8000) | 0x3800 | (magnitude << shift & 0x3ff)
    });
    FrexpExpF16(a) => each_1(a, |x| {
        let magnitude = x & 0x7fff;
        if magnitude == 0 || magnitude >= 0x7c00 {
            return 0;
        }
        match magnitude >> 10 {
            0 => (21 - magnitude.leading_zeros() as i32 - 13) as u32,
            exponent => (exponent as i32 - 14) as u32,
        }
    });
    CvtF16U16(a) => each_1(a, |x| from_f64(f64::from(x as u16)));
    CvtF16I16(a) => each_1(a, |x| from_f64(f64::from(x as u16 as i16)));
    CvtU16F16(a) => each_1(a, |x| u32::from(to_f64(x) as u16));
    CvtI16F16(a) => each_1(a, |x| u32::from(to_f64(x) as i16 as u16));
    DivFixupF16(a, b, c) => each_3(a, b, c, div_fixup);
    /// Two f32 to f16, towards zero.
    CvtPkRtzF16F32(a, b) => each_2(a, b, |x, y| toward_zero(x) | toward_zero(y) << 16);
    /// f16 products summed in f32.
    Dot2F32F16(a, b, c) => each_3(a, b, c, |a, b, c| {
        let product = |shift: u32| to_f64(a >> shift & 0xffff) * to_f64(b >> shift & 0xffff);
        ((product(0) + product(16) + f64::from(f32::from_bits(c))) as f32).to_bits()
    });
    Dot2F32Bf16(a, b, c) => each_3(a, b, c, |a, b, c| {
        let widen = |x: u32| f64::from(f32::from_bits(x << 16));
        let product = |shift: u32| widen(a >> shift & 0xffff) * widen(b >> shift & 0xffff);
        ((product(0) + product(16) + f64::from(f32::from_bits(c))) as f32).to_bits()
    });
}

/// Value of an f16.
pub(crate) fn to_f64(bits: u32) -> f64 {
    f64::from(half::f16::from_bits(bits as u16).to_f32())
}

/// f64 to f16, to nearest even, rounded once.
pub(crate) fn from_f64(value: f64) -> u32 {
    // Rounding to odd in single precision first keeps the second rounding honest.
    let nearest = value as f32;
    let odd = if f64::from(nearest) == value || !nearest.is_finite() || nearest == 0.0 {
        nearest
    } else {
        let bits = nearest.to_bits();
        let toward_zero = if f64::from(nearest).abs() > value.abs() {
            bits - 1
        } else {
            bits
        };
        f32::from_bits(toward_zero | 1)
    };
    u32::from(half::f16::from_f32(odd).to_bits())
}

fn fma(a: u32, b: u32, c: u32) -> u32 {
    // The product is exact in f64. The sum is exact too, or else so far from
    // any tie of two halves that a second rounding changes nothing.
    from_f64(to_f64(a) * to_f64(b) + to_f64(c))
}

/// f32 to f16, cutting off what does not fit.
fn toward_zero(x: u32) -> u32 {
    let value = f32::from_bits(x);
    let nearest = half::f16::from_f32(value);
    if !value.is_finite() || f64::from(nearest.to_f32()).abs() <= f64::from(value).abs() {
        return u32::from(nearest.to_bits());
    }
    // One step towards zero; from infinity that is the largest number.
    u32::from(nearest.to_bits() - 1)
}

/// Quotient `a` of `c / b` with special cases put right.
fn div_fixup(a: u32, b: u32, c: u32) -> u32 {
    let nan = |x: u32| x & 0x7fff > 0x7c00;
    let zero = |x: u32| x & 0x7fff == 0;
    let infinite = |x: u32| x & 0x7fff == 0x7c00;
    let sign = (b ^ c) & 0x8000;
    if nan(c) {
        c | 0x200
    } else if nan(b) {
        b | 0x200
    } else if zero(b) && zero(c) || infinite(b) && infinite(c) {
        0xfe00
    } else if zero(b) || infinite(c) {
        sign | 0x7c00
    } else if infinite(b) || zero(c) {
        sign
    } else {
        sign | a & 0x7fff
    }
}
