//! Conversions between f32 and integers.

use super::{each_1, each_2, each_3, lanes};
use crate::simd::Simd;

/// f32 to i32, towards zero, saturating; NaN is zero.
#[inline(always)]
fn to_i32<S: Simd>(x: S) -> S {
    let raw = x.raw_f32_to_i32();
    // What is too large came out as the most negative number.
    let too_large = S::splat(2_147_483_648.0_f32.to_bits()).le_f32(x);
    let fixed = S::select(too_large, S::splat(i32::MAX as u32), raw);
    x.is_nan_f32().andnot(fixed)
}

/// f32 to u32, towards zero, saturating; NaN is zero.
#[inline(always)]
fn to_u32<S: Simd>(x: S) -> S {
    // Also turns NaN and -0 into +0.
    let x = x.raw_max_f32(S::splat(0));
    let half = S::splat(2_147_483_648.0_f32.to_bits());
    let upper = half.le_f32(x);
    let low = x.sub_f32(upper.and(half)).raw_f32_to_i32();
    let value = low.xor(upper.and(S::splat(1 << 31)));
    let too_large = S::splat(4_294_967_296.0_f32.to_bits()).le_f32(x);
    value.or(too_large)
}

/// u32 to f32, rounded once.
#[inline(always)]
fn from_u32<S: Simd>(x: S) -> S {
    // Both halves convert exactly; their sum is the only rounding.
    let high = x.shr(S::splat(16)).i32_to_f32();
    let low = x.and(S::splat(0xffff)).i32_to_f32();
    high.fma_f32(S::splat(65536.0_f32.to_bits()), low)
}

#[inline(always)]
fn byte<S: Simd>(x: S, number: u32) -> S {
    x.shr(S::splat(8 * number)).and(S::splat(0xff)).i32_to_f32()
}

lanes! {
    CvtF32I32(a) => a.i32_to_f32();
    CvtF32U32(a) => from_u32(a);
    CvtI32F32(a) => to_i32(a);
    CvtU32F32(a) => to_u32(a);
    /// Rounds half up.
    CvtNearestI32F32(a) => to_i32(a.add_f32(S::splat(0.5_f32.to_bits())).floor_f32());
    CvtFloorI32F32(a) => to_i32(a.floor_f32());
    CvtUbyte0(a) => byte(a, 0);
    CvtUbyte1(a) => byte(a, 1);
    CvtUbyte2(a) => byte(a, 2);
    CvtUbyte3(a) => byte(a, 3);
    /// A signed nibble in sixteenths.
    CvtOffF32I4(a) => each_1(a, |x| (((x as i32) << 28 >> 28) as f32 / 16.0).to_bits());
    /// Replaces byte `b` of `c` by `a` as an unsigned byte.
    CvtPkU8F32(a, b, c) => each_3(a, b, c, |a, b, c| {
        let value = f32::from_bits(a).round_ties_even() as u8;
        let shift = 8 * (b & 3);
        c & !(0xff << shift) | u32::from(value) << shift
    });
    CvtPkI16F32(a, b) => each_2(a, b, |a, b| {
        let half = |x: u32| u32::from(f32::from_bits(x) as i16 as u16);
        half(a) | half(b) << 16
    });
    CvtPkU16F32(a, b) => each_2(a, b, |a, b| {
        let half = |x: u32| u32::from(f32::from_bits(x) as u16);
        half(a) | half(b) << 16
    });
    CvtPkNormI16F32(a, b) => each_2(a, b, |a, b| {
        let half = |x: u32| {
            let scaled = f32::from_bits(x).clamp(-1.0, 1.0) * 32767.0;
            u32::from(scaled.round_ties_even() as i16 as u16)
        };
        half(a) | half(b) << 16
    });
    CvtPkNormU16F32(a, b) => each_2(a, b, |a, b| {
        let half = |x: u32| {
            let scaled = f32::from_bits(x).clamp(0.0, 1.0) * 65535.0;
            u32::from(scaled.round_ties_even() as u16)
        };
        half(a) | half(b) << 16
    });
}
