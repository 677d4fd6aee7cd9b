//! Conversions between f32 and integers.

use super::lanes;
use crate::simd::Simd;

/// f32 to i32, towards zero, saturating; NaN is zero.
#[inline(always)]
pub(super) fn to_i32<S: Simd>(x: S) -> S {
    let raw = x.raw_f32_to_i32();
    // What is too large came out as the most negative number.
    let too_large = S::splat(2_147_483_648.0_f32.to_bits()).le_f32(x);
    let fixed = S::select(too_large, S::splat(i32::MAX as u32), raw);
    x.is_nan_f32().andnot(fixed)
}

/// f32 to u32, towards zero, saturating; NaN is zero.
#[inline(always)]
pub(super) fn to_u32<S: Simd>(x: S) -> S {
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
    CvtOffF32I4(a) => {
        let nibble = a.shl(S::splat(28)).sar(S::splat(28));
        nibble.i32_to_f32().mul_f32(S::splat_f32(1.0 / 16.0))
    };
    /// Replaces byte `b` of `c` by `a` as an unsigned byte.
    CvtPkU8F32(a, b, c) => {
        let value = bounded(to_i32(a.round_even_f32()), 0, 255);
        let shift = b.and(S::splat(3)).shl(S::splat(3));
        S::splat(0xff).shl(shift).andnot(c).or(value.shl(shift))
    };
    CvtPkI16F32(a, b) => {
        pack(bounded(to_i32(a), -0x8000, 0x7fff), bounded(to_i32(b), -0x8000, 0x7fff))
    };
    CvtPkU16F32(a, b) => pack(bounded(to_i32(a), 0, 0xffff), bounded(to_i32(b), 0, 0xffff));
    CvtPkNormI16F32(a, b) => pack(norm(a, -1.0, 32767.0), norm(b, -1.0, 32767.0));
    CvtPkNormU16F32(a, b) => pack(norm(a, 0.0, 65535.0), norm(b, 0.0, 65535.0));
}

#[inline(always)]
fn bounded<S: Simd>(x: S, least: i32, greatest: i32) -> S {
    x.max_i32(S::splat(least as u32))
        .min_i32(S::splat(greatest as u32))
}

/// The low halves of two dwords.
#[inline(always)]
fn pack<S: Simd>(low: S, high: S) -> S {
    low.and(S::splat(0xffff)).or(high.shl(S::splat(16)))
}

/// What lies between `least` and 1 as a multiple of the inverse of `scale`; NaN
/// is zero.
#[inline(always)]
fn norm<S: Simd>(x: S, least: f32, scale: f32) -> S {
    let inside = x
        .raw_max_f32(S::splat_f32(least))
        .raw_min_f32(S::splat_f32(1.0));
    let whole = inside.mul_f32(S::splat_f32(scale)).round_even_f32();
    x.is_nan_f32().andnot(whole.raw_f32_to_i32())
}
