//! Half precision that cannot go through f32 as it is: bits in, bits out.

use super::convert::{to_i32, to_u32};
use super::float::frexp;
use super::lanes;
use crate::simd::{Simd, Simd64};

lanes! {
    /// Rounded once: through f32 it would be rounded twice.
    FmaF16(a, b, c) => {
        // The product is exact in f32.
        let product = a.f16_to_f32().mul_f32(b.f16_to_f32());
        add_to_odd(product, c.f16_to_f32()).f32_to_f16()
    };
    /// Rounded after the product, too.
    MadF16(a, b, c) => {
        let product = a.f16_to_f32().mul_f32(b.f16_to_f32()).f32_to_f16();
        add_to_odd(product.f16_to_f32(), c.f16_to_f32()).f32_to_f16()
    };
    /// `a` times two to the power of the 16-bit integer `b`.
    LdexpF16(a, b) => {
        // Beyond ±60 the result is zero or infinite; within, the product is
        // exact in f32.
        let n = signed_16(b).min_i32(S::splat(60)).max_i32(S::splat(60_u32.wrapping_neg()));
        let power = n.add(S::splat(127)).shl(S::splat(23));
        a.f16_to_f32().mul_f32(power).f32_to_f16()
    };
    FrexpMantF16(a) => {
        let [fraction, _] = frexp(a.f16_to_f32());
        let nan = a.and(S::splat(0x7fff)).gt_i32(S::splat(0x7c00));
        S::select(nan, a, fraction.f32_to_f16())
    };
    FrexpExpF16(a) => frexp(a.f16_to_f32())[1];
    CvtF16U16(a) => a.and(S::splat(0xffff)).i32_to_f32().f32_to_f16();
    CvtF16I16(a) => signed_16(a).i32_to_f32().f32_to_f16();
    CvtU16F16(a) => to_u32(a.f16_to_f32()).min_u32(S::splat(0xffff));
    CvtI16F16(a) => {
        let value = to_i32(a.f16_to_f32());
        value.max_i32(S::splat(0x8000_u32.wrapping_neg())).min_i32(S::splat(0x7fff)).and(S::splat(0xffff))
    };
    DivFixupF16(a, b, c) => div_fixup(a, b, c);
    /// Two f32 to f16, towards zero.
    CvtPkRtzF16F32(a, b) => toward_zero(a).or(toward_zero(b).shl(S::splat(16)));
    /// f16 products summed in f32.
    Dot2F32F16(a, b, c) => {
        let upper = S::splat(16);
        let low = a.f16_to_f32().mul_f32(b.f16_to_f32());
        let high = a.shr(upper).f16_to_f32().mul_f32(b.shr(upper).f16_to_f32());
        sum_of_three(low, high, c)
    };
    Dot2F32Bf16(a, b, c) => {
        let (upper, sixteen) = (S::splat(0xffff_0000), S::splat(16));
        let a = [a.shl(sixteen), a.and(upper)];
        let b = [b.shl(sixteen), b.and(upper)];
        dot_2(a, b, c)
    };
}

/// Sign-extends the low 16 bits.
#[inline(always)]
fn signed_16<S: Simd>(x: S) -> S {
    x.shl(S::splat(16)).sar(S::splat(16))
}

/// `a + b` in f32; if that is not exact, of its two neighbours the one with an
/// odd last bit, so that a rounding to fewer bits is the only one that counts.
#[inline(always)]
fn add_to_odd<S: Simd>(a: S, b: S) -> S {
    let zero = S::splat(0);
    let sum = a.add_f32(b);
    let b_part = sum.sub_f32(a);
    let error = a.sub_f32(sum.sub_f32(b_part)).add_f32(b.sub_f32(b_part));
    let odd = sum.and(S::splat(1)).eq_u32(S::splat(1));
    // With an infinity or NaN the error is NaN.
    let stays = odd.or(error.eq_f32(zero)).or(error.is_nan_f32());
    let towards_zero = zero.lt_f32(error).xor(zero.lt_f32(sum));
    let step = S::select(towards_zero, S::splat(u32::MAX), S::splat(1));
    S::select(stays, sum, sum.add(step))
}

/// The sum of two exact products and `c`, rounded to f64 and then to f32.
#[inline(always)]
fn sum_of_products<W: Simd64>(products: [W; 2], c: W) -> W {
    products[0].add_f64(products[1]).add_f64(c)
}

#[inline(always)]
fn sum_of_three<S: Simd>(low: S, high: S, c: S) -> S {
    let (low, high, c) = (low.to_f64(), high.to_f64(), c.to_f64());
    S::from_f64([
        sum_of_products([low[0], high[0]], c[0]),
        sum_of_products([low[1], high[1]], c[1]),
    ])
}

/// `a[0] * b[0] + a[1] * b[1] + c` of f32 of which the products are exact in f64.
#[inline(always)]
fn dot_2<S: Simd>(a: [S; 2], b: [S; 2], c: S) -> S {
    let (a_low, a_high) = (a[0].to_f64(), a[1].to_f64());
    let (b_low, b_high) = (b[0].to_f64(), b[1].to_f64());
    let c = c.to_f64();
    let first = [a_low[0].mul_f64(b_low[0]), a_high[0].mul_f64(b_high[0])];
    let second = [a_low[1].mul_f64(b_low[1]), a_high[1].mul_f64(b_high[1])];
    S::from_f64([sum_of_products(first, c[0]), sum_of_products(second, c[1])])
}

/// f32 to f16, cutting off what does not fit.
#[inline(always)]
fn toward_zero<S: Simd>(x: S) -> S {
    let nearest = x.f32_to_f16();
    let size = S::splat(0x7fff_ffff);
    // One step towards zero; from infinity that is the largest number. A mask is
    // minus one.
    let beyond = x.and(size).lt_f32(nearest.f16_to_f32().and(size));
    nearest.add(beyond)
}

/// Quotient `a` of `c / b` with special cases put right.
#[inline(always)]
fn div_fixup<S: Simd>(a: S, b: S, c: S) -> S {
    let (sign_bit, infinity, quiet) = (S::splat(0x8000), S::splat(0x7c00), S::splat(0x200));
    let zero = S::splat(0);
    let sizes = S::splat(0x7fff);
    let (d, n) = (b.and(sizes), c.and(sizes));
    let sign = b.xor(c).and(sign_bit);
    let (d_zero, n_zero) = (d.eq_u32(zero), n.eq_u32(zero));
    let (d_infinite, n_infinite) = (d.eq_u32(infinity), n.eq_u32(infinity));

    // What counts most comes last.
    let result = sign.or(a.and(sizes));
    let result = S::select(d_infinite.or(n_zero), sign, result);
    let result = S::select(d_zero.or(n_infinite), sign.or(infinity), result);
    let nothing = d_zero.and(n_zero).or(d_infinite.and(n_infinite));
    let result = S::select(nothing, S::splat(0xfe00), result);
    let result = S::select(d.gt_i32(infinity), b.or(quiet), result);
    S::select(n.gt_i32(infinity), c.or(quiet), result)
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
