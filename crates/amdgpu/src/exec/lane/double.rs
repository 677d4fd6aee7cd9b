//! What one lane computes of 64-bit operands: doubles and 64-bit integers.

use super::{quad_sad, trig_preop};
use crate::simd::Simd64;
use crate::wave::Mode;

/// A function of up to three values of one or two dwords. Those of one dword
/// have zeros above.
pub(crate) trait WideFn {
    /// How many sources it has; it ignores the others.
    const ARITY: usize;
    /// Which sources are two dwords.
    const WIDE: [bool; 3];
    /// The result is two dwords.
    const RESULT: bool;

    fn eval<W: Simd64>(a: W, b: W, c: W) -> W;
}

/// Declares functions: dwords of each source and of the result, and their
/// meanings.
macro_rules! wide {
    ($($(#[$doc:meta])* $name:ident [$($dwords:literal)+ => $result:literal]
       |$($arg:ident),+| $body:expr;)+) => {$(
        $(#[$doc])*
        pub(crate) struct $name;

        impl WideFn for $name {
            const ARITY: usize = [$($dwords),+].len();
            const WIDE: [bool; 3] = {
                let dwords = [$($dwords),+];
                let mut wide = [false; 3];
                let mut i = 0;
                while i < dwords.len() {
                    wide[i] = dwords[i] == 2;
                    i += 1;
                }
                wide
            };
            const RESULT: bool = $result == 2;

            #[inline(always)]
            fn eval<W: Simd64>(a: W, b: W, c: W) -> W {
                let [$($arg,)+ ..] = [a, b, c];
                $body
            }
        }
    )+};
}

const SIGN: u64 = 1 << 63;
const INFINITY: u64 = 0x7ff << 52;

wide! {
    LshlAddU64 [2 1 2 => 2] |a, b, c| a.shl(b.and(W::splat(7))).add(c);
    AddF64 [2 2 => 2] |a, b| a.add_f64(b);
    MulF64 [2 2 => 2] |a, b| a.mul_f64(b);
    FmaF64 [2 2 2 => 2] |a, b, c| a.fma_f64(b, c);
    MinF64 [2 2 => 2] |a, b| min(a, b);
    MaxF64 [2 2 => 2] |a, b| negated(min(negated(a), negated(b)));
    MinimumF64 [2 2 => 2] |a, b| minimum(a, b);
    MaximumF64 [2 2 => 2] |a, b| negated(minimum(negated(a), negated(b)));
    LdexpF64 [2 1 => 2] |a, b| ldexp(a, signed_dword(b));
    DivFixupF64 [2 2 2 => 2] |a, b, c| div_fixup(a, b, c);
    RcpF64 [2 => 2] |a| W::splat_f64(1.0).div_f64(a);
    RsqF64 [2 => 2] |a| W::splat_f64(1.0).div_f64(a.sqrt_f64());
    SqrtF64 [2 => 2] |a| a.sqrt_f64();
    TruncF64 [2 => 2] |a| a.trunc_f64();
    CeilF64 [2 => 2] |a| a.ceil_f64();
    FloorF64 [2 => 2] |a| a.floor_f64();
    RoundEvenF64 [2 => 2] |a| a.round_even_f64();
    /// `a - floor(a)`, below one.
    FractF64 [2 => 2] |a| {
        let fraction = a.sub_f64(a.floor_f64());
        let one = W::splat_f64(1.0);
        W::select(one.le_f64(fraction), one.sub(W::splat(1)), fraction)
    };
    FrexpMantF64 [2 => 2] |a| frexp(a).0;
    FrexpExpF64 [2 => 1] |a| frexp(a).1;
    CvtF64F32 [1 => 2] |a| a.f32_to_f64();
    CvtF32F64 [2 => 1] |a| a.f64_to_f32();
    CvtF64I32 [1 => 2] |a| signed_dword(a).small_i64_to_f64();
    CvtF64U32 [1 => 2] |a| a.small_i64_to_f64();
    CvtI32F64 [2 => 1] |a| to_integer(a, i32::MIN.into(), i32::MAX.into());
    CvtU32F64 [2 => 1] |a| to_integer(a, 0.0, u32::MAX.into());

    LshlRevB64 [1 2 => 2] |a, b| b.shl(a.and(W::splat(63)));
    LshrRevB64 [1 2 => 2] |a, b| b.shr(a.and(W::splat(63)));
    AshrRevI64 [1 2 => 2] |a, b| b.sar(a.and(W::splat(63)));
    /// `c` in parts of 16 bits.
    QsadPkU16U8 [2 1 2 => 2] |a, b, c| each(a, b, c, |a, b, c| quad_sad(a, b, c, false));
    MqsadPkU16U8 [2 1 2 => 2] |a, b, c| each(a, b, c, |a, b, c| quad_sad(a, b, c, true));
    TrigPreopF64 [2 1 => 2] |a, b| each(a, b, b, |a, b, _| trig_preop(a, b as u32));
}

/// A function of 64 bits, lane by lane.
#[inline(always)]
fn each<W: Simd64>(a: W, b: W, c: W, f: impl Fn(u64, u64, u64) -> u64) -> W {
    let (mut a, b, c) = (a.to_array(), b.to_array(), c.to_array());
    for i in 0..4 {
        a[i] = f(a[i], b[i], c[i]);
    }
    W::from_array(a)
}

#[inline(always)]
fn negated<W: Simd64>(x: W) -> W {
    x.xor(W::splat(SIGN))
}

#[inline(always)]
fn magnitude<W: Simd64>(x: W) -> W {
    W::splat(SIGN).andnot(x)
}

/// Sign-extends the low dwords.
#[inline(always)]
fn signed_dword<W: Simd64>(x: W) -> W {
    x.shl(W::splat(32)).sar(W::splat(32))
}

/// The exponent field.
#[inline(always)]
fn exponent<W: Simd64>(x: W) -> W {
    x.shr(W::splat(52)).and(W::splat(0x7ff))
}

/// Towards zero, saturating between whole numbers of at most 32 bits; NaN is
/// zero.
#[inline(always)]
fn to_integer<W: Simd64>(x: W, least: f64, greatest: f64) -> W {
    let (least, greatest) = (W::splat_f64(least), W::splat_f64(greatest));
    let bounded = W::select(x.lt_f64(least), least, x);
    let bounded = W::select(greatest.lt_f64(bounded), greatest, bounded);
    x.is_nan_f64()
        .andnot(bounded.trunc_f64().small_f64_to_i64())
}

/// IEEE minimum: of a number and a NaN the number, and -0 is below +0.
#[inline(always)]
fn min<W: Simd64>(a: W, b: W) -> W {
    let first = b
        .is_nan_f64()
        .or(a.lt_f64(b))
        .or(a.eq_f64(b).and(a.sign_mask()));
    W::select(a.is_nan_f64().andnot(first), a, b)
}

/// The least; a NaN if there is one.
#[inline(always)]
fn minimum<W: Simd64>(a: W, b: W) -> W {
    W::select(a.unordered_f64(b), a.add_f64(b), min(a, b))
}

/// A result with output modifier and clamp: bits 7 and 8, and bit 6 of `aux`.
#[inline(always)]
pub(crate) fn finish<W: Simd64>(mut x: W, aux: u32, mode: Mode) -> W {
    let omod = aux >> 7 & 3;
    if omod != 0 && mode.obeys_omod(false) {
        x = x.mul_f64(W::splat_f64([1.0, 2.0, 4.0, 0.5][omod as usize]));
    }
    if aux >> 6 & 1 == 0 {
        return x;
    }
    let (zero, one) = (W::splat(0), W::splat_f64(1.0));
    // Also turns -0 and NaN into +0.
    let clamped = zero.lt_f64(x).and(x);
    let clamped = W::select(one.lt_f64(x), one, clamped);
    if mode.dx10_clamp() {
        clamped
    } else {
        W::select(x.is_nan_f64(), x, clamped)
    }
}

/// Fraction in ±[0.5, 1) and exponent; zeros, infinities and NaNs as they are,
/// with exponent zero.
#[inline(always)]
fn frexp<W: Simd64>(x: W) -> (W, W) {
    /// Makes any denormal normal.
    const UP: f64 = 18_014_398_509_481_984.0;
    const UP_POWER: u64 = 54;
    let size = magnitude(x);
    let denormal = W::splat(1 << 52).gt_i64(size);
    let bits = W::select(denormal, x.mul_f64(W::splat_f64(UP)), x);
    let bias = W::splat(1022).add(denormal.and(W::splat(UP_POWER)));
    let fraction = W::splat(0x7ff << 52).andnot(bits).or(W::splat(1022 << 52));
    let special = size
        .eq_u64(W::splat(0))
        .or(size.gt_i64(W::splat(INFINITY - 1)));
    (
        W::select(special, x, fraction),
        special.andnot(exponent(bits).sub(bias)),
    )
}

/// `x * 2^n`, rounded once.
#[inline(always)]
fn ldexp<W: Simd64>(x: W, n: W) -> W {
    let at_most = |value: W, bound: i64| {
        let bound = W::splat(bound as u64);
        W::select(value.gt_i64(bound), bound, value)
    };
    let at_least = |value: W, bound: i64| {
        let bound = W::splat(bound as u64);
        W::select(bound.gt_i64(value), bound, value)
    };
    let power = |n: W| n.add(W::splat(1023)).shl(W::splat(52));
    let (fraction, exponent) = frexp(x);
    // Beyond these bounds the result is zero or infinite.
    let total = at_least(at_most(exponent.add(n), 1025), -1100);
    // The first product is exact; only the last can be denormal.
    let small = W::splat(1).gt_i64(total);
    let first = W::select(small, total.add(W::splat(200)), total.sub(W::splat(1)));
    let second = W::select(
        small,
        power(W::splat(200_u64.wrapping_neg())),
        power(W::splat(1)),
    );
    let result = fraction.mul_f64(power(first)).mul_f64(second);
    let size = magnitude(x);
    let special = size
        .eq_u64(W::splat(0))
        .or(size.gt_i64(W::splat(INFINITY - 1)));
    W::select(special, x, result)
}

/// `x * 2^n` of one double.
pub(crate) fn ldexp_f64(x: u64, n: i32) -> u64 {
    use crate::simd::{Portable, Simd};
    type One = <Portable as Simd>::Wide;
    let [result, ..] = ldexp(One::splat(x), One::splat(i64::from(n) as u64)).to_array();
    result
}

/// The quotient with the right sign, or what the operands call for.
#[inline(always)]
fn div_fixup<W: Simd64>(quotient: W, denominator: W, numerator: W) -> W {
    let sign_bit = W::splat(SIGN);
    let (zero, infinity) = (W::splat(0), W::splat(INFINITY));
    let (n, d) = (magnitude(numerator), magnitude(denominator));
    let sign = denominator.xor(numerator).and(sign_bit);
    let (n_zero, d_zero) = (n.eq_u64(zero), d.eq_u64(zero));
    let (n_infinite, d_infinite) = (n.eq_u64(infinity), d.eq_u64(infinity));
    let distance = exponent(n).sub(exponent(d));
    let tiny = W::splat(1075_u64.wrapping_neg()).gt_i64(distance);
    let quiet = W::splat(1 << 51);

    // What counts most comes last.
    let result = sign.or(sign_bit.andnot(quotient));
    let result = W::select(quotient.is_nan_f64(), sign.or(infinity), result);
    let result = W::select(d_infinite.or(n_zero).or(tiny), sign, result);
    let result = W::select(d_zero.or(n_infinite), sign.or(infinity), result);
    let nothing = d_zero.and(n_zero).or(d_infinite.and(n_infinite));
    let result = W::select(nothing, W::splat(0xfff8 << 48), result);
    let result = W::select(denominator.is_nan_f64(), denominator.or(quiet), result);
    W::select(numerator.is_nan_f64(), numerator.or(quiet), result)
}

/// `x` times a power of two, rounded once; a NaN as it is.
#[inline(always)]
fn scaled<W: Simd64>(x: W, factor: f64) -> W {
    W::select(x.is_nan_f64(), x, x.mul_f64(W::splat_f64(factor)))
}

/// 2^128 and its inverse.
const UP: f64 = f64::from_bits((1023 + 128) << 52);
const DOWN: f64 = f64::from_bits((1023 - 128) << 52);

/// `x`, which is the denominator or the numerator, scaled for the division of
/// `numerator` by `denominator`; and whether the result must be scaled back.
#[inline(always)]
pub(crate) fn div_scale_wide<W: Simd64>(x: W, denominator: W, numerator: W) -> [W; 2] {
    let (d, n) = (exponent(denominator), exponent(numerator));
    let distance = n.sub(d);
    let far = distance.gt_i64(W::splat(767));
    let denormal = d.eq_u64(W::splat(0));
    // 1 / denominator would be denormal from here on.
    let huge = d.gt_i64(W::splat(2044));
    let tiny = W::splat(1021_u64.wrapping_neg()).gt_i64(distance);
    let small = W::splat(54).gt_i64(n);
    let zero = magnitude(denominator)
        .eq_u64(W::splat(0))
        .or(magnitude(numerator).eq_u64(W::splat(0)));
    let is_denominator = x.eq_u64(denominator);
    let is_numerator = x.eq_u64(numerator);
    let (up, down) = (scaled(x, UP), scaled(x, DOWN));

    // What counts most comes last.
    let value = W::select(small, up, x);
    let value = W::select(tiny, W::select(is_numerator, up, x), value);
    let value = W::select(huge, down, value);
    let both = huge.and(tiny);
    let value = W::select(both, W::select(is_denominator, down, x), value);
    let value = W::select(denormal, up, value);
    let value = W::select(far, W::select(is_denominator, up, x), value);
    let back = denormal.andnot(tiny).or(far).or(zero);
    [W::select(zero, W::splat(0x7ff8 << 48), value), back]
}

/// `a * b + c`, scaled back where `back` says so. A result that is denormal
/// after scaling back is rounded twice.
#[inline(always)]
pub(crate) fn div_fmas_wide<W: Simd64>(a: W, b: W, c: W, back: W) -> W {
    let sum = a.fma_f64(b, c);
    let great = exponent(c).gt_i64(W::splat(1023));
    let scaled_back = W::select(great, scaled(sum, UP), scaled(sum, DOWN));
    W::select(back, scaled_back, sum)
}
