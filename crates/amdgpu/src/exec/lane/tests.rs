//! Meanings on edge values, against plain arithmetic and known answers.

mod exhaustive;
mod one_lane;

use super::*;
use crate::simd::tests::{EDGES, pairs, same_f32};
use crate::simd::{Portable, Simd};

fn one<F: Lane>(a: u32) -> u32 {
    three::<F>(a, 0, 0)
}

fn two<F: Lane>(a: u32, b: u32) -> u32 {
    three::<F>(a, b, 0)
}

fn three<F: Lane>(a: u32, b: u32, c: u32) -> u32 {
    let [a, b, c] = [a, b, c].map(Portable::splat);
    F::eval(a, b, c).to_array()[0]
}

fn bits(x: f32) -> u32 {
    x.to_bits()
}

/// Distance in units in the last place.
fn ulps(a: f32, b: f32) -> u64 {
    if a == b || a.is_nan() && b.is_nan() {
        return 0;
    }
    let order = |x: f32| {
        let bits = i64::from(x.to_bits() as i32);
        if bits < 0 {
            i64::from(i32::MIN) - bits
        } else {
            bits
        }
    };
    order(a).abs_diff(order(b))
}

/// Pseudo-random dwords, the same every time.
fn noise() -> impl Iterator<Item = u32> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    std::iter::from_fn(move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        Some((state >> 32) as u32)
    })
}

#[cfg(target_arch = "x86_64")]
#[test]
fn back_ends_agree() {
    use crate::simd::Avx2;

    fn check<F: Lane>(name: &str) {
        for (a, b) in pairs() {
            for c in EDGES {
                let run = |a, b, c| F::eval(a, b, c);
                let wide = run(Avx2::from_array(a), Avx2::from_array(b), Avx2::splat(c)).to_array();
                let plain = F::eval(
                    Portable::from_array(a),
                    Portable::from_array(b),
                    Portable::splat(c),
                );
                let plain = plain.to_array();
                for i in 0..8 {
                    let (w, p) = (wide[i], plain[i]);
                    assert!(
                        same_f32(w, p),
                        "{name}({:#x}, {:#x}, {c:#x}): {w:#x} and {p:#x}",
                        a[i],
                        b[i]
                    );
                }
                if F::ARITY < 3 {
                    break;
                }
            }
        }
    }
    macro_rules! check_all {
        ($($function:ident)+) => { $(check::<$function>(stringify!($function));)+ };
    }
    if !Avx2::available() {
        return;
    }
    check_all! {
        AddF32 SubF32 SubrevF32 MulF32 MulDx9F32 FmaF32 FmaDx9F32 MinF32 MaxF32 Min3F32 Max3F32
        Med3F32 MaxMinF32 MinMaxF32 RoundEvenF32 FloorF32 CeilF32 TruncF32 FractF32 FractF16
        RcpF32 RsqF32 SqrtF32 LdexpF32 FrexpMantF32 FrexpExpF32 ClassF32 ClassF16 ExpF32 LogF32
        SinF32 CosF32 CvtF32I32 CvtF32U32 CvtI32F32 CvtU32F32 CvtNearestI32F32 CvtFloorI32F32
        CvtUbyte0 CvtUbyte3 CvtPkU8F32 CvtPkI16F32 CvtPkNormI16F32 CvtPkRtzF16F32
        MulHiI32 MulHiU32 MulU24 MulI24 MulHiI24 MadU24 BfeU32 BfeI32 Bfi Perm AlignBit Clz Cls
        Med3I32 Med3U32 Med3I16 LshlRev AshrRev AshrRev16 CvtPkI16I32 DivFixupF32
    }
}

#[test]
fn minimum_and_maximum() {
    let nan = bits(f32::NAN);
    for (a, b, least, greatest) in [
        (bits(1.0), bits(2.0), bits(1.0), bits(2.0)),
        (bits(-0.0), bits(0.0), bits(-0.0), bits(0.0)),
        (bits(0.0), bits(-0.0), bits(-0.0), bits(0.0)),
        (nan, bits(3.0), bits(3.0), bits(3.0)),
        (bits(3.0), nan, bits(3.0), bits(3.0)),
        (
            bits(f32::NEG_INFINITY),
            bits(1.0),
            bits(f32::NEG_INFINITY),
            bits(1.0),
        ),
    ] {
        assert_eq!(two::<MinF32>(a, b), least, "min({a:#x}, {b:#x})");
        assert_eq!(two::<MaxF32>(a, b), greatest, "max({a:#x}, {b:#x})");
    }
    assert!(f32::from_bits(two::<MinF32>(nan, nan)).is_nan());
    let [x, y, z] = [bits(1.0), bits(2.0), bits(3.0)];
    for order in [[x, y, z], [z, x, y], [y, z, x], [z, y, x]] {
        assert_eq!(three::<Med3F32>(order[0], order[1], order[2]), y);
    }
    assert_eq!(three::<Med3F32>(nan, z, y), y, "with a NaN, the minimum");
}

#[test]
fn conversions_saturate() {
    for x in EDGES.into_iter().chain(noise().take(20_000)) {
        let value = f32::from_bits(x);
        assert_eq!(one::<CvtI32F32>(x), value as i32 as u32, "{value}");
        assert_eq!(one::<CvtU32F32>(x), value as u32, "{value}");
        assert_eq!(one::<CvtF32I32>(x), bits(x as i32 as f32), "{x}");
        assert_eq!(one::<CvtF32U32>(x), bits(x as f32), "{x}");
        assert_eq!(one::<CvtUbyte2>(x), bits((x >> 16 & 0xff) as f32));
    }
}

#[test]
fn integers() {
    for a in EDGES {
        for b in EDGES {
            assert_eq!(two::<LshlRev>(a, b), b << (a & 31), "counts wrap");
            assert_eq!(two::<AshrRev>(a, b), (b as i32 >> (a & 31)) as u32);
            let product = i64::from(a as i32) * i64::from(b as i32);
            assert_eq!(two::<MulHiI32>(a, b), (product >> 32) as u32);
            let low = |x: u32| i64::from((x << 8) as i32 >> 8);
            assert_eq!(two::<MulHiI24>(a, b), ((low(a) * low(b)) >> 32) as u32);
            assert_eq!(two::<Bcnt>(a, b), a.count_ones().wrapping_add(b));
            assert_eq!(three::<BfeU32>(a, 4, 8), a >> 4 & 0xff);
            assert_eq!(three::<BfeI32>(a, 0, 0), 0);
            assert_eq!(three::<BfeI32>(a, 24, 31), (a as i32 >> 24) as u32);
        }
        assert_eq!(
            one::<Clz>(a),
            if a == 0 { u32::MAX } else { a.leading_zeros() }
        );
        assert_eq!(
            one::<Ctz>(a),
            if a == 0 { u32::MAX } else { a.trailing_zeros() }
        );
    }
    assert_eq!(one::<Cls>(0), u32::MAX);
    assert_eq!(one::<Cls>(u32::MAX), u32::MAX);
    assert_eq!(one::<Cls>(0x00ff_ffff), 8);
    assert_eq!(one::<Cls>(0xff00_0000), 8);
    assert_eq!(
        three::<Perm>(0x0403_0201, 0x8877_6655, 0x0c07_0400),
        0x0004_0155
    );
    assert_eq!(three::<Perm>(0x8000_0000, 0, 0x0d0b_0a09), 0xffff_0000);
    assert_eq!(three::<AlignBit>(0x1234_5678, 0x9abc_def0, 36), 0x89ab_cdef);
}

#[test]
fn bit_fields_of_full_words() {
    assert_eq!(three::<AlignByte>(0x1122_3344, 0x5566_7788, 1), 0x4455_6677);
    assert_eq!(two::<CvtPkI16I32>(40_000, -40_000_i32 as u32), 0x8000_7fff);
    assert_eq!(two::<AddI16Clamp>(0x7fff, 1) & 0xffff, 0x7fff);
    assert_eq!(two::<SubU16Clamp>(1, 2) & 0xffff, 0);
    assert_eq!(two::<AddU32Clamp>(u32::MAX, 1), u32::MAX);
}

#[test]
fn fractions_and_exponents() {
    for x in EDGES.into_iter().chain(noise().take(20_000)) {
        let value = f32::from_bits(x);
        let (mantissa, exponent) = (one::<FrexpMantF32>(x), one::<FrexpExpF32>(x));
        if value != 0.0 && value.is_finite() {
            let m = f32::from_bits(mantissa);
            assert!((0.5..1.0).contains(&m.abs()), "{value}: {m}");
            assert_eq!(two::<LdexpF32>(mantissa, exponent), x, "{value}");
        } else {
            assert_eq!((mantissa, exponent), (x, 0));
        }
    }
    assert_eq!(two::<LdexpF32>(bits(1.0), 200), bits(f32::INFINITY));
    assert_eq!(
        two::<LdexpF32>(bits(1.5), -149_i32 as u32),
        2,
        "ties to even"
    );
    assert_eq!(two::<LdexpF32>(1, i32::MAX as u32), bits(f32::INFINITY));
    assert_eq!(two::<LdexpF32>(bits(-1.0), i32::MIN as u32), bits(-0.0));
    assert_eq!(one::<FractF32>(bits(-1e-10)), 0x3f7f_ffff, "below one");
    assert_eq!(one::<FractF32>(bits(2.75)), bits(0.75));
}

#[test]
fn classes() {
    for (x, class) in [
        (0x7f80_0001, 0),
        (0x7fc0_0000, 1),
        (0xff80_0000, 2),
        (bits(-1.0), 3),
        (0x8000_0001, 4),
        (0x8000_0000, 5),
        (0, 6),
        (1, 7),
        (bits(1.0), 8),
        (0x7f80_0000, 9),
    ] {
        assert_eq!(two::<ClassF32>(x, 1 << class), u32::MAX, "{x:#x}");
        assert_eq!(two::<ClassF32>(x, !(1 << class)), 0, "{x:#x}");
    }
    for (x, class) in [
        (0x7c01, 0),
        (0x7e00, 1),
        (0xfc00, 2),
        (0xbc00, 3),
        (0x8001, 4),
        (0x7c00, 9),
    ] {
        assert_eq!(two::<ClassF16>(x, 1 << class), u32::MAX, "{x:#x}");
    }
}

/// Largest error against double precision, in units in the last place.
fn worst(inputs: impl Iterator<Item = f32>, f: fn(u32) -> u32, exact: fn(f64) -> f64) -> u64 {
    inputs
        .map(|x| ulps(f32::from_bits(f(bits(x))), exact(f64::from(x)) as f32))
        .max()
        .unwrap_or(0)
}

#[test]
fn transcendental_functions_are_within_one_ulp() {
    let spread = |low: f32, high: f32| {
        noise()
            .take(100_000)
            .map(move |n| low + (high - low) * (n as f32 / u32::MAX as f32))
    };
    assert!(worst(spread(-126.0, 128.0), one::<ExpF32>, f64::exp2) <= 1);
    assert!(worst(spread(-150.0, -126.0), one::<ExpF32>, f64::exp2) <= 1);
    let any = || {
        noise()
            .take(100_000)
            .map(|n| f32::from_bits(n & 0x7fff_ffff))
    };
    let finite = || any().filter(|x| x.is_finite());
    assert!(worst(finite(), one::<LogF32>, f64::log2) <= 1);
    assert!(worst(spread(0.9, 1.1), one::<LogF32>, f64::log2) <= 1);
    assert!(worst(finite(), one::<RcpF32>, |x| 1.0 / x) <= 1);
    assert!(worst(finite(), one::<RsqF32>, |x| 1.0 / x.sqrt()) <= 1);
    assert!(worst(finite(), one::<SqrtF32>, f64::sqrt) == 0);
    use std::f64::consts::TAU;
    assert!(worst(spread(-0.24, 0.24), one::<SinF32>, |x| (x * TAU).sin()) <= 1);
    assert!(worst(spread(-0.24, 0.24), one::<CosF32>, |x| (x * TAU).cos()) <= 1);
}

#[test]
fn transcendental_functions_at_edges() {
    let inf = f32::INFINITY;
    assert_eq!(one::<ExpF32>(bits(-inf)), 0);
    assert_eq!(one::<ExpF32>(bits(inf)), bits(inf));
    assert_eq!(one::<ExpF32>(bits(128.0)), bits(inf));
    assert_eq!(one::<ExpF32>(bits(-149.0)), 1);
    assert_eq!(one::<ExpF32>(bits(-200.0)), 0);
    for n in -126..128 {
        assert_eq!(one::<ExpF32>(bits(n as f32)), bits(2_f32.powi(n)), "2^{n}");
        assert_eq!(
            one::<LogF32>(bits(2_f32.powi(n))),
            bits(n as f32),
            "log2 of 2^{n}"
        );
    }
    assert_eq!(one::<LogF32>(0), bits(-inf));
    assert_eq!(one::<LogF32>(1), bits(-149.0));
    assert!(f32::from_bits(one::<LogF32>(bits(-1.0))).is_nan());
    assert_eq!(one::<RcpF32>(0x8000_0000), bits(-inf));
    assert_eq!(one::<SinF32>(bits(-0.0)), bits(-0.0));
    assert_eq!(one::<SinF32>(bits(0.25)), bits(1.0));
    assert_eq!(one::<SinF32>(bits(1000.75)), bits(-1.0));
    assert_eq!(one::<CosF32>(bits(0.5)), bits(-1.0));
    assert!(f32::from_bits(one::<CosF32>(bits(inf))).is_nan());
}

/// The sequence that the compiler emits for `n / d`.
fn divide(n: f32, d: f32) -> f32 {
    let splat = |x: f32| Portable::splat_f32(x);
    let first = |x: Portable| f32::from_bits(x.to_array()[0]);
    let [scaled_d, _] = div_scale(splat(d), splat(d), splat(n));
    let [scaled_n, back] = div_scale(splat(n), splat(d), splat(n));
    let (den, num) = (first(scaled_d), first(scaled_n));
    let rcp = 1.0 / den;
    let error = (-den).mul_add(rcp, 1.0);
    let rcp = error.mul_add(rcp, rcp);
    let quotient = num * rcp;
    let rest = (-den).mul_add(quotient, num);
    let quotient = rest.mul_add(rcp, quotient);
    let rest = (-den).mul_add(quotient, num);
    let quotient = if back.to_array()[0] != 0 {
        first(div_fmas(splat(rest), splat(rcp), splat(quotient)))
    } else {
        rest.mul_add(rcp, quotient)
    };
    f32::from_bits(three::<DivFixupF32>(bits(quotient), bits(d), bits(n)))
}

#[test]
fn division_is_rounded_correctly() {
    let edges = EDGES.into_iter().flat_map(|n| EDGES.map(|d| (n, d)));
    let mut random = noise();
    let random = std::iter::from_fn(move || random.next().zip(random.next())).take(300_000);
    for (n, d) in edges.chain(random) {
        let (n, d) = (f32::from_bits(n), f32::from_bits(d));
        let (got, expected) = (divide(n, d), n / d);
        assert!(
            same_f32(bits(got), bits(expected)),
            "{n:e} / {d:e} = {got:e}, not {expected:e}"
        );
    }
}

#[test]
fn division_where_exponents_are_extreme() {
    // Quotients near overflow and underflow, denormal operands and results.
    for n_exponent in (0..=254).step_by(3).chain([1, 2, 22, 23, 24, 253, 254]) {
        for d_exponent in (0..=254).step_by(3).chain([1, 2, 252, 253, 254]) {
            for fraction in [0, 1, 0x40_0000, 0x7f_ffff] {
                let n = f32::from_bits(n_exponent << 23 | fraction);
                let d = f32::from_bits(d_exponent << 23 | (fraction ^ 0x2a_aaaa));
                let (got, expected) = (divide(n, d), n / d);
                assert!(
                    same_f32(bits(got), bits(expected)),
                    "{n:e} / {d:e} = {got:e}, not {expected:e}"
                );
            }
        }
    }
}

#[test]
fn half_floats_are_rounded_once() {
    use half_float::{from_f64, to_f64};
    for x in 0..=0xffff_u32 {
        let value = to_f64(x);
        if value.is_finite() {
            assert_eq!(from_f64(value), x);
        }
    }
    // Just above a tie between two halves: f32 would round this to the tie.
    let tie = 1.0 + 0.5_f64.powi(11);
    assert_eq!(from_f64(tie), 0x3c00);
    assert_eq!(from_f64(tie + 0.5_f64.powi(40)), 0x3c01);
    assert_eq!(from_f64(65_520.0), 0x7c00);
    assert_eq!(from_f64(65_519.999), 0x7bff);
    assert_eq!(three::<FmaF16>(0x3c01, 0x3c01, 0x8000), 0x3c02);
    assert_eq!(
        two::<CvtPkRtzF16F32>(bits(65_535.0), bits(-1.000_9)),
        0xbc00 << 16 | 0x7bff
    );
    assert_eq!(three::<DivFixupF16>(0x3c00, 0x8000, 0x3c00), 0xfc00);
}
