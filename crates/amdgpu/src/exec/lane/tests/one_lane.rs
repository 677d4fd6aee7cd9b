//! Vectors against plain code for one lane, cascades of cases and all.

use super::super::half_float::{from_f64, to_f64};
use super::super::*;
use super::exhaustive::eight;
use super::noise;
#[cfg(target_arch = "x86_64")]
use crate::simd::Avx2;
use crate::simd::tests::EDGES;
use crate::simd::{Portable, Simd, Simd64};

const SIGN: u32 = 1 << 31;
const INFINITY: u32 = 0x7f80_0000;
const FAR: i32 = 96;

fn exponent(x: u32) -> i32 {
    (x >> 23 & 0xff) as i32
}

fn is_nan(x: u32) -> bool {
    x & !SIGN > INFINITY
}

fn scaled(x: u32, power: i32) -> u32 {
    ldexp(x, power as u32)
}

/// `x`, which is the denominator or the numerator, scaled for the division of
/// `numerator` by `denominator`; and whether the result must be scaled back.
fn div_scale(x: u32, denominator: u32, numerator: u32) -> (u32, bool) {
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
fn div_fmas(a: u32, b: u32, c: u32, scale_back: bool) -> u32 {
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
fn div_fixup(quotient: u32, denominator: u32, numerator: u32) -> u32 {
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

/// `x * 2^n`, rounded once.
fn ldexp(x: u32, n: u32) -> u32 {
    let x = f32::from_bits(x);
    if x.is_nan() || x.is_infinite() {
        return x.to_bits();
    }
    // Beyond ±300 the result is zero or infinite whatever `x` is; within, the
    // product is exact in double precision.
    let n = (n as i32).clamp(-300, 300);
    let power = f64::from_bits(((1023 + n) as u64) << 52);
    ((f64::from(x) * power) as f32).to_bits()
}

/// The fraction in ±[0.5, 1); zeros, infinities and NaNs as they are.
fn frexp_mantissa(x: u32) -> u32 {
    let magnitude = x & 0x7fff_ffff;
    if magnitude == 0 || magnitude >= 0x7f80_0000 {
        return x;
    }
    let shift = (magnitude & 0x7fff_ffff).leading_zeros().saturating_sub(8);
    (x & 0x8000_0000) | 0x3f00_0000 | (magnitude << shift & 0x7f_ffff)
}

/// The exponent that goes with [`frexp_mantissa`]; zero for zeros, infinities
/// and NaNs.
fn frexp_exponent(x: u32) -> u32 {
    let magnitude = x & 0x7fff_ffff;
    if magnitude == 0 || magnitude >= 0x7f80_0000 {
        return 0;
    }
    let exponent = (magnitude >> 23) as i32;
    if exponent != 0 {
        return (exponent - 126) as u32;
    }
    (8 - magnitude.leading_zeros() as i32 - 125) as u32
}

/// Number of the class of an f32: signalling NaN, quiet NaN, -infinity,
/// -normal, -denormal, -0, +0, +denormal, +normal, +infinity.
fn class(x: u32) -> u32 {
    let fraction = x & 0x7f_ffff;
    classify(
        x >> 31 != 0,
        x >> 23 & 0xff,
        0xff,
        fraction,
        fraction >> 22 != 0,
    )
}

/// The same of an f16.
fn class_16(x: u32) -> u32 {
    let fraction = x & 0x3ff;
    classify(
        x >> 15 & 1 != 0,
        x >> 10 & 0x1f,
        0x1f,
        fraction,
        fraction >> 9 != 0,
    )
}

fn classify(negative: bool, exponent: u32, top: u32, fraction: u32, quiet: bool) -> u32 {
    let kind = match (exponent, fraction) {
        (e, 0) if e == top => 3,
        (e, _) if e == top => return u32::from(quiet),
        (0, 0) => 0,
        (0, _) => 1,
        _ => 2,
    };
    if negative { 5 - kind } else { 6 + kind }
}

/// Each result byte is a byte of `a:b` (`b` the low half), a sign or a
/// constant, as the byte of `c` says.
fn perm(a: u32, b: u32, c: u32) -> u32 {
    let data = u64::from(a) << 32 | u64::from(b);
    let byte = |select: u8| match select {
        0..=7 => (data >> (8 * select)) as u8,
        8..=11 => {
            let sign_bit = [15, 31, 47, 63][(select - 8) as usize];
            if data >> sign_bit & 1 != 0 { 0xff } else { 0 }
        }
        12 => 0,
        _ => 0xff,
    };
    u32::from_le_bytes(c.to_le_bytes().map(byte))
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
fn div_fixup_16(a: u32, b: u32, c: u32) -> u32 {
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

fn f(bits: u64) -> f64 {
    f64::from_bits(bits)
}

/// The least; a NaN if there is one.
fn minimum_f64(a: u64, b: u64) -> u64 {
    match f(a).is_nan() || f(b).is_nan() {
        true => (f(a) + f(b)).to_bits(),
        false => min_f64(a, b),
    }
}

fn min_f64(a: u64, b: u64) -> u64 {
    let (x, y) = (f(a), f(b));
    let first = y.is_nan() || x < y || (x == y && x.is_sign_negative());
    if first && !x.is_nan() { a } else { b }
}

/// `x * 2^n`, rounded once.
fn ldexp_64(x: u64, n: i32) -> u64 {
    let value = f(x);
    if value == 0.0 || !value.is_finite() {
        return x;
    }
    let (mantissa, exponent) = frexp_f64(x);
    let exponent = exponent + n.clamp(-5000, 5000);
    let power = |n: i32| f64::from_bits(((1023 + n) as u64) << 52);
    let mantissa = f(mantissa);
    if exponent > 1024 {
        (mantissa * f64::INFINITY).to_bits()
    } else if exponent > 0 {
        (mantissa * power(exponent - 1) * 2.0).to_bits()
    } else if exponent > -1100 {
        // The first product is exact; only the last can be denormal.
        (mantissa * power(exponent + 200) * power(-200)).to_bits()
    } else {
        (mantissa * 0.0).to_bits()
    }
}

fn frexp_f64(x: u64) -> (u64, i32) {
    let value = f(x);
    if value == 0.0 || !value.is_finite() {
        return (x, 0);
    }
    let normal = value.abs() >= f64::MIN_POSITIVE;
    // 2^54 makes any denormal normal.
    let (bits, bias) = if normal {
        (x, 0)
    } else {
        ((value * 18_014_398_509_481_984.0).to_bits(), 54)
    };
    let exponent = (bits >> 52 & 0x7ff) as i32 - 1022 - bias;
    (bits & !(0x7ff << 52) | 1022 << 52, exponent)
}

fn div_fixup_f64(quotient: u64, denominator: u64, numerator: u64) -> u64 {
    let sign_bit = 1_u64 << 63;
    let (n, d) = (f(numerator), f(denominator));
    let sign = (denominator ^ numerator) & sign_bit;
    let infinity = f64::INFINITY.to_bits();
    let exponent = |x: u64| (x >> 52 & 0x7ff) as i32;
    if n.is_nan() {
        numerator | 1 << 51
    } else if d.is_nan() {
        denominator | 1 << 51
    } else if n == 0.0 && d == 0.0 || n.is_infinite() && d.is_infinite() {
        0xfff8_0000_0000_0000
    } else if d == 0.0 || n.is_infinite() {
        sign | infinity
    } else if d.is_infinite() || n == 0.0 || exponent(numerator) - exponent(denominator) < -1075 {
        sign
    } else if f(quotient).is_nan() {
        sign | infinity
    } else {
        sign | quotient & !sign_bit
    }
}

fn div_scale_f64(x: u64, denominator: u64, numerator: u64) -> (u64, bool) {
    let exponent = |x: u64| (x >> 52 & 0x7ff) as i32;
    let scale_of_denominator = |n| if x == denominator { ldexp_64(x, n) } else { x };
    if f(denominator) == 0.0 || f(numerator) == 0.0 {
        return (0x7ff8_0000_0000_0000, true);
    }
    let (d, n) = (exponent(denominator), exponent(numerator));
    let huge_denominator = d >= 2045;
    let tiny_quotient = n - d <= -1022;
    if n - d >= 768 {
        (scale_of_denominator(128), true)
    } else if d == 0 {
        (ldexp_64(x, 128), false)
    } else if huge_denominator && tiny_quotient {
        (scale_of_denominator(-128), true)
    } else if huge_denominator {
        (ldexp_64(x, -128), false)
    } else if tiny_quotient {
        (if x == numerator { ldexp_64(x, 128) } else { x }, true)
    } else if n <= 53 {
        (ldexp_64(x, 128), false)
    } else {
        (x, false)
    }
}

/// Every triple of edges, and random ones.
fn triples() -> impl Iterator<Item = [u32; 3]> {
    let edges = EDGES
        .into_iter()
        .flat_map(|a| EDGES.map(|b| (a, b)))
        .flat_map(|(a, b)| EDGES.map(|c| [a, b, c]));
    let mut random = noise();
    let random = std::iter::from_fn(move || Some([random.next()?, random.next()?, random.next()?]));
    edges.chain(random.take(80_000))
}

/// Compares a function with one of a lane, on every back end. `nan` says which
/// results are NaN, of which any will do.
fn check<F: Lane>(nan: impl Fn(u32) -> bool, lane: impl Fn(u32, u32, u32) -> u32) {
    let all: Vec<[u32; 3]> = triples().collect();
    for eight_of_them in all.chunks_exact(8) {
        let [a, b, c] = [0, 1, 2].map(|i| std::array::from_fn(|lane| eight_of_them[lane][i]));
        for (i, got) in eight::<F>(a, b, c).into_iter().enumerate() {
            let (a, b, c) = (a[i], b[i], c[i]);
            let expected = lane(a, b, c);
            assert!(
                got == expected || nan(got) && nan(expected),
                "{}({a:#x}, {b:#x}, {c:#x}): {got:#x}, not {expected:#x}",
                std::any::type_name::<F>()
            );
        }
    }
}

fn nan_32(x: u32) -> bool {
    f32::from_bits(x).is_nan()
}

fn nan_16(x: u32) -> bool {
    x & 0x7fff > 0x7c00
}

fn never(_: u32) -> bool {
    false
}

lanes! {
    ScaledOperand(a, b, c) => super::super::div_scale(a, b, c)[0];
    ScaleBack(a, b, c) => super::super::div_scale(a, b, c)[1];
    ScaledBack(a, b, c) => super::super::div_fmas(a, b, c);
}

fn mask(yes: bool) -> u32 {
    0_u32.wrapping_sub(u32::from(yes))
}

#[test]
fn division_of_f32() {
    check::<ScaledOperand>(never, |a, b, c| div_scale(a, b, c).0);
    check::<ScaleBack>(never, |a, b, c| mask(div_scale(a, b, c).1));
    // The operands that are scaled are one of the others.
    for n in EDGES.into_iter().chain(noise().take(2000)) {
        for d in EDGES {
            for x in [n, d] {
                let expected = div_scale(x, d, n);
                let run = |back: bool| {
                    let [value, mask] = super::super::div_scale(
                        Portable::splat(x),
                        Portable::splat(d),
                        Portable::splat(n),
                    );
                    if back { mask } else { value }.to_array()[0]
                };
                assert_eq!(
                    (run(false), run(true) != 0),
                    expected,
                    "{x:#x} {d:#x} {n:#x}"
                );
            }
        }
    }
    check::<ScaledBack>(nan_32, |a, b, c| div_fmas(a, b, c, true));
    check::<DivFixupF32>(never, div_fixup);
}

#[test]
fn powers_fractions_and_classes_of_f32() {
    check::<LdexpF32>(nan_32, |a, b, _| ldexp(a, b));
    check::<FrexpMantF32>(nan_32, |a, _, _| frexp_mantissa(a));
    check::<FrexpExpF32>(never, |a, _, _| frexp_exponent(a));
    check::<ClassF32>(never, |a, b, _| mask(b >> class(a) & 1 != 0));
    check::<ClassF16>(never, |a, b, _| mask(b >> class_16(a) & 1 != 0));
}

#[test]
fn halves() {
    check::<FmaF16>(nan_16, |a, b, c| {
        from_f64(to_f64(a) * to_f64(b) + to_f64(c))
    });
    check::<MadF16>(nan_16, |a, b, c| {
        from_f64(to_f64(from_f64(to_f64(a) * to_f64(b))) + to_f64(c))
    });
    check::<LdexpF16>(nan_16, |a, b, _| {
        let n = i32::from(b as u16 as i16).clamp(-60, 60);
        from_f64(to_f64(a) * f64::from_bits(((1023 + n) as u64) << 52))
    });
    check::<DivFixupF16>(nan_16, |a, b, c| {
        div_fixup_16(a & 0xffff, b & 0xffff, c & 0xffff)
    });
    check::<CvtPkRtzF16F32>(
        |x| nan_16(x) || nan_16(x >> 16),
        |a, b, _| toward_zero(a) | toward_zero(b) << 16,
    );
    check::<Dot2F32F16>(nan_32, |a, b, c| {
        let product = |shift: u32| to_f64(a >> shift & 0xffff) * to_f64(b >> shift & 0xffff);
        ((product(0) + product(16) + f64::from(f32::from_bits(c))) as f32).to_bits()
    });
    check::<Dot2F32Bf16>(nan_32, |a, b, c| {
        let widen = |x: u32| f64::from(f32::from_bits(x << 16));
        let product = |shift: u32| widen(a >> shift & 0xffff) * widen(b >> shift & 0xffff);
        ((product(0) + product(16) + f64::from(f32::from_bits(c))) as f32).to_bits()
    });
}

#[test]
fn bits_and_bytes() {
    check::<Perm>(never, perm);
    // Selectors of edges are seldom small.
    check::<SelectFew>(never, |a, b, c| perm(a, b, c & 0x0f0f_0f0f));
    check::<BfeI32>(never, bfe_i32);
    check::<AlignBit>(never, |a, b, c| {
        ((u64::from(a) << 32 | u64::from(b)) >> (c & 31)) as u32
    });
    check::<AlignByte>(never, |a, b, c| {
        ((u64::from(a) << 32 | u64::from(b)) >> (8 * (c & 3))) as u32
    });
    check::<AddU32Clamp>(never, |a, b, _| a.saturating_add(b));
    check::<SubU32Clamp>(never, |a, b, _| a.saturating_sub(b));
    check::<AddI32Clamp>(never, |a, b, _| (a as i32).saturating_add(b as i32) as u32);
    check::<SubI32Clamp>(never, |a, b, _| (a as i32).saturating_sub(b as i32) as u32);
    let bytes = |x: u32| x.to_le_bytes().into_iter().map(u32::from);
    let sad = |a: u32, b: u32| {
        bytes(a)
            .zip(bytes(b))
            .map(|(x, y)| x.abs_diff(y))
            .sum::<u32>()
    };
    check::<SadU8>(never, |a, b, c| sad(a, b).wrapping_add(c));
    check::<SadU8Clamp>(never, |a, b, c| sad(a, b).saturating_add(c));
    check::<SadU16>(never, |a, b, c| {
        let low = (a & 0xffff).abs_diff(b & 0xffff);
        low.wrapping_add((a >> 16).abs_diff(b >> 16))
            .wrapping_add(c)
    });
    check::<SadU32Clamp>(never, |a, b, c| a.abs_diff(b).saturating_add(c));
    let dot = |a: u32, b: u32| bytes(a).zip(bytes(b)).map(|(x, y)| x * y).sum::<u32>();
    check::<Dot4U32U8>(never, |a, b, c| dot(a, b).wrapping_add(c));
    check::<Dot4U32U8Clamp>(never, |a, b, c| dot(a, b).saturating_add(c));
    let nibbles = |a: u32, b: u32| -> u32 {
        (0..8)
            .map(|i| (a >> (4 * i) & 15) * (b >> (4 * i) & 15))
            .sum()
    };
    check::<Dot8U32U4>(never, |a, b, c| nibbles(a, b).wrapping_add(c));
    check::<Dot8U32U4Clamp>(never, |a, b, c| nibbles(a, b).saturating_add(c));
}

lanes! {
    SelectFew(a, b, c) => Perm::eval(a, b, c.and(S::splat(0x0f0f_0f0f)));
}

#[test]
fn conversions() {
    let value = f32::from_bits;
    check::<CvtOffF32I4>(never, |a, _, _| {
        (((a as i32) << 28 >> 28) as f32 / 16.0).to_bits()
    });
    check::<CvtPkU8F32>(never, |a, b, c| {
        let byte = value(a).round_ties_even() as u8;
        let shift = 8 * (b & 3);
        c & !(0xff << shift) | u32::from(byte) << shift
    });
    check::<CvtPkI16F32>(never, |a, b, _| {
        let half = |x: u32| u32::from(value(x) as i16 as u16);
        half(a) | half(b) << 16
    });
    check::<CvtPkU16F32>(never, |a, b, _| {
        let half = |x: u32| u32::from(value(x) as u16);
        half(a) | half(b) << 16
    });
    check::<CvtPkNormI16F32>(never, |a, b, _| {
        let half = |x: u32| {
            let scaled = value(x).clamp(-1.0, 1.0) * 32767.0;
            u32::from(scaled.round_ties_even() as i16 as u16)
        };
        half(a) | half(b) << 16
    });
    check::<CvtPkNormU16F32>(never, |a, b, _| {
        let half = |x: u32| {
            let scaled = value(x).clamp(0.0, 1.0) * 65535.0;
            u32::from(scaled.round_ties_even() as u16)
        };
        half(a) | half(b) << 16
    });
}

/// Values at which doubles change their ways.
fn doubles() -> Vec<u64> {
    let edges = [
        0,
        1,
        (1 << 52) - 1,
        1 << 52,
        f64::INFINITY.to_bits(),
        f64::NAN.to_bits(),
        0x7ff0_0000_0000_0001,
        f64::MAX.to_bits(),
        1.0_f64.to_bits(),
        0.5_f64.to_bits(),
        1.5_f64.to_bits(),
        2_147_483_647.5_f64.to_bits(),
        2_147_483_648.0_f64.to_bits(),
        4_294_967_295.5_f64.to_bits(),
        4_294_967_296.0_f64.to_bits(),
        1e300_f64.to_bits(),
        1e-300_f64.to_bits(),
        0x3ff8_0000_0000_0001,
        0x3690_0000_0000_0000,
        0x47ef_ffff_f000_0000,
    ];
    let mut words = noise();
    let random =
        std::iter::from_fn(move || Some(u64::from(words.next()?) << 32 | u64::from(words.next()?)));
    let signed = edges.into_iter().flat_map(|x| [x, x | 1 << 63]);
    signed.chain(random.take(24)).collect()
}

/// Compares a function of 64 bits with one of a lane, on every back end.
fn check_wide<F: WideFn>(lane: impl Fn(u64, u64, u64) -> u64) {
    fn on<F: WideFn, S: Simd>(sources: [[u64; 8]; 3]) -> [u64; 8] {
        let [a, b, c] = sources.map(|x| {
            let dwords = |shift: u32| S::from_array(x.map(|x| (x >> shift) as u32));
            S::join(dwords(0), dwords(32))
        });
        let values = [F::eval(a[0], b[0], c[0]), F::eval(a[1], b[1], c[1])];
        let [low, high] = S::split(values).map(S::to_array);
        std::array::from_fn(|i| u64::from(low[i]) | u64::from(high[i]) << 32)
    }
    // Narrow sources have nothing above; of narrow results that does not count.
    let cut = |x: u64, number: usize| if F::WIDE[number] { x } else { x & 0xffff_ffff };
    let all = doubles();
    let pairs = all.iter().flat_map(|&a| all.iter().map(move |&b| (a, b)));
    let sources: Vec<[u64; 3]> = pairs
        .enumerate()
        .flat_map(|(i, (a, b))| [a, b, all[i * 7 % all.len()]].map(|c| [a, b, c]))
        .map(|[a, b, c]| [cut(a, 0), cut(b, 1), cut(c, 2)])
        .collect();
    for eight in sources.chunks_exact(8) {
        let columns = [0, 1, 2].map(|i| std::array::from_fn(|lane| eight[lane][i]));
        let mut results = vec![on::<F, Portable>(columns)];
        #[cfg(target_arch = "x86_64")]
        if Avx2::available() {
            results.push(on::<F, Avx2>(columns));
        }
        for (i, [a, b, c]) in eight.iter().enumerate() {
            let expected = lane(*a, *b, *c);
            for result in &results {
                let (got, expected) = match F::RESULT {
                    true => (result[i], expected),
                    false => (result[i] & 0xffff_ffff, expected & 0xffff_ffff),
                };
                let nan = |x: u64| match F::RESULT {
                    true => f(x).is_nan(),
                    false => f32::from_bits(x as u32).is_nan(),
                };
                assert!(
                    got == expected || nan(got) && nan(expected),
                    "{}({a:#x}, {b:#x}, {c:#x}): {got:#x}, not {expected:#x}",
                    std::any::type_name::<F>()
                );
            }
        }
    }
}

/// Declares functions of 64 bits for tests.
macro_rules! wide_cases {
    ($($name:ident |$a:ident, $b:ident, $c:ident| $body:expr;)+) => {$(
        struct $name;

        impl WideFn for $name {
            const ARITY: usize = 3;
            const WIDE: [bool; 3] = [true; 3];
            const RESULT: bool = true;

            #[inline(always)]
            fn eval<W: Simd64>($a: W, $b: W, $c: W) -> W {
                $body
            }
        }
    )+};
}

wide_cases! {
    ScaledDouble |a, b, c| div_scale_wide(a, b, c)[0];
    ScaleDoubleBack |a, b, c| div_scale_wide(a, b, c)[1];
    FmasOfDoubles |a, b, c| div_fmas_wide(a, b, c, W::splat(u64::MAX));
    ClassOfDouble |a, b, _c| is_of_class_f64(a, b);
    ShiftSigned |a, b, _c| a.sar(b.and(W::splat(63)));
}

#[test]
fn doubles_and_64_bit_integers() {
    let wide_mask = |yes: bool| 0_u64.wrapping_sub(u64::from(yes));
    check_wide::<MinF64>(|a, b, _| min_f64(a, b));
    check_wide::<MaxF64>(|a, b, _| min_f64(a ^ 1 << 63, b ^ 1 << 63) ^ 1 << 63);
    check_wide::<MinimumF64>(|a, b, _| minimum_f64(a, b));
    check_wide::<LdexpF64>(|a, b, _| ldexp_64(a, b as u32 as i32));
    check_wide::<DivFixupF64>(div_fixup_f64);
    check_wide::<FractF64>(|a, _, _| {
        let fraction = f(a) - f(a).floor();
        if fraction >= 1.0 {
            0x3fef_ffff_ffff_ffff
        } else {
            fraction.to_bits()
        }
    });
    check_wide::<FmaF64>(|a, b, c| f(a).mul_add(f(b), f(c)).to_bits());
    check_wide::<RsqF64>(|a, _, _| (1.0 / f(a).sqrt()).to_bits());
    check_wide::<RoundEvenF64>(|a, _, _| f(a).round_ties_even().to_bits());
    check_wide::<TruncF64>(|a, _, _| f(a).trunc().to_bits());
    check_wide::<CeilF64>(|a, _, _| f(a).ceil().to_bits());
    check_wide::<FrexpMantF64>(|a, _, _| frexp_f64(a).0);
    check_wide::<FrexpExpF64>(|a, _, _| u64::from(frexp_f64(a).1 as u32));
    check_wide::<CvtF64F32>(|a, _, _| f64::from(f32::from_bits(a as u32)).to_bits());
    check_wide::<CvtF32F64>(|a, _, _| u64::from((f(a) as f32).to_bits()));
    check_wide::<CvtF64I32>(|a, _, _| f64::from(a as u32 as i32).to_bits());
    check_wide::<CvtF64U32>(|a, _, _| f64::from(a as u32).to_bits());
    check_wide::<CvtI32F64>(|a, _, _| u64::from(f(a) as i32 as u32));
    check_wide::<CvtU32F64>(|a, _, _| u64::from(f(a) as u32));
    check_wide::<LshlAddU64>(|a, b, c| (a << (b & 7)).wrapping_add(c));
    check_wide::<AshrRevI64>(|a, b, _| (b as i64 >> (a & 63)) as u64);
    check_wide::<ScaledDouble>(|a, b, c| div_scale_f64(a, b, c).0);
    check_wide::<ScaleDoubleBack>(|a, b, c| wide_mask(div_scale_f64(a, b, c).1));
    check_wide::<FmasOfDoubles>(|a, b, c| {
        let sum = f(a).mul_add(f(b), f(c)).to_bits();
        ldexp_64(sum, if (c >> 52 & 0x7ff) > 1023 { 128 } else { -128 })
    });
    check_wide::<ClassOfDouble>(|a, b, _| {
        let fraction = a & ((1 << 52) - 1);
        let exponent = (a >> 52 & 0x7ff) as u32;
        let (some, quiet) = (u32::from(fraction != 0), fraction >> 51 != 0);
        wide_mask(b >> classify(a >> 63 != 0, exponent, 0x7ff, some, quiet) & 1 != 0)
    });
    check_wide::<ShiftSigned>(|a, b, _| (a as i64 >> (b & 63)) as u64);
}
