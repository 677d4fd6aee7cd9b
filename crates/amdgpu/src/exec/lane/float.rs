//! Single precision. Half precision comes here widened, where that is exact.

use super::super::vector::flush;
use super::division::{all, is_between};
use super::lanes;
use crate::simd::{Simd, Simd64};

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
    LdexpF32(a, b) => ldexp(a, b);
    FrexpMantF32(a) => frexp(a)[0];
    FrexpExpF32(a) => frexp(a)[1];
    /// All ones where `a` is of one of the classes in `b`.
    ClassF32(a, b) => is_of_class(a, b, &F32_FORMAT);
    ClassF16(a, b) => is_of_class(a.and(S::splat(0xffff)), b, &F16_FORMAT);
}

/// `x * 2^n`, rounded once.
#[inline(always)]
fn ldexp<S: Simd>(x: S, n: S) -> S {
    let exponent = x.shr(S::splat(23)).and(S::splat(0xff));
    let normal = is_between(exponent, 0, 255).and(is_between(exponent.add(n), 0, 255));
    if all(normal) {
        return x.add(n.shl(S::splat(23)));
    }
    // Beyond ±300 the result is zero or infinite whatever `x` is; within, the
    // product is exact in double precision.
    let n = n
        .min_i32(S::splat(300))
        .max_i32(S::splat(300_u32.wrapping_neg()));
    let powers = S::join(S::splat(0), n.add(S::splat(1023)).shl(S::splat(20)));
    let values = x.to_f64();
    let product = [values[0].mul_f64(powers[0]), values[1].mul_f64(powers[1])];
    S::select(x.is_nan_f32(), x, S::from_f64(product))
}

/// Fraction in ±[0.5, 1) and exponent; zeros, infinities and NaNs as they are,
/// with exponent zero.
#[inline(always)]
pub(super) fn frexp<S: Simd>(x: S) -> [S; 2] {
    /// Makes any denormal normal.
    const UP: f32 = 4_294_967_296.0;
    const UP_POWER: u32 = 32;
    let size = x.and(S::splat(0x7fff_ffff));
    let denormal = S::splat(1 << 23).gt_i32(size);
    let bits = S::select(denormal, x.mul_f32(S::splat_f32(UP)), x);
    let field = bits.shr(S::splat(23)).and(S::splat(0xff));
    let bias = S::splat(126).add(denormal.and(S::splat(UP_POWER)));
    let fraction = bits.and(S::splat(0x807f_ffff)).or(S::splat(0x3f00_0000));
    let special = size
        .eq_u32(S::splat(0))
        .or(size.gt_i32(S::splat(0x7f7f_ffff)));
    [
        S::select(special, x, fraction),
        special.andnot(field.sub(bias)),
    ]
}

/// Where the parts of a float are: the sign bit, the least normal number, and
/// infinity.
struct FloatFormat {
    sign: u32,
    normal: u32,
    infinity: u32,
}

const F32_FORMAT: FloatFormat = FloatFormat {
    sign: 1 << 31,
    normal: 0x80_0000,
    infinity: 0x7f80_0000,
};

const F16_FORMAT: FloatFormat = FloatFormat {
    sign: 1 << 15,
    normal: 0x400,
    infinity: 0x7c00,
};

/// All ones where the float is of one of the classes whose bits are set:
/// signalling NaN, quiet NaN, -infinity, -normal, -denormal, -0, +0, +denormal,
/// +normal, +infinity.
#[inline(always)]
fn is_of_class<S: Simd>(x: S, classes: S, format: &FloatFormat) -> S {
    let number = |value: u32| S::splat(value);
    let size = x.and(number(format.sign - 1));
    // Zero, denormal, normal or infinity: 0 to 3. A mask is minus one.
    let kind = number(0)
        .sub(size.gt_i32(number(0)))
        .sub(size.gt_i32(number(format.normal - 1)))
        .sub(size.gt_i32(number(format.infinity - 1)));
    let negative = x.and(number(format.sign)).eq_u32(number(format.sign));
    let class = S::select(negative, number(5).sub(kind), number(6).add(kind));
    let nan = size.gt_i32(number(format.infinity));
    let quiet = size.gt_i32(number(format.infinity | format.normal >> 1).sub(number(1)));
    let class = S::select(nan, quiet.and(number(1)), class);
    number(0).sub(classes.shr(class).and(number(1)))
}

/// The same of a double.
#[inline(always)]
pub(crate) fn is_of_class_f64<W: Simd64>(x: W, classes: W) -> W {
    let [zero, one] = [W::splat(0), W::splat(1)];
    let infinity = W::splat(0x7ff << 52);
    let size = x.and(W::splat(u64::MAX >> 1));
    let kind = zero
        .sub(size.gt_i64(zero))
        .sub(size.gt_i64(W::splat((1 << 52) - 1)))
        .sub(size.gt_i64(infinity.sub(one)));
    let class = W::select(x.sign_mask(), W::splat(5).sub(kind), W::splat(6).add(kind));
    let quiet = size.gt_i64(W::splat((0xfff << 51) - 1));
    let class = W::select(size.gt_i64(infinity), quiet.and(one), class);
    zero.sub(classes.shr(class).and(one))
}
