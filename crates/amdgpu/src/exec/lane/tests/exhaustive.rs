//! Every value of 8-bit and 16-bit sources, on every back end, against plain
//! arithmetic.

use super::super::half_float::{from_f64, to_f64};
use super::super::*;
#[cfg(target_arch = "x86_64")]
use crate::simd::Avx2;
use crate::simd::{Portable, Simd};

/// `F` on eight lanes, by every back end.
pub(super) fn eight<F: Lane>(a: [u32; 8], b: [u32; 8], c: [u32; 8]) -> [u32; 8] {
    fn on<F: Lane, S: Simd>(sources: [[u32; 8]; 3]) -> [u32; 8] {
        let [a, b, c] = sources.map(S::from_array);
        F::eval(a, b, c).to_array()
    }
    let plain = on::<F, Portable>([a, b, c]);
    #[cfg(target_arch = "x86_64")]
    if Avx2::available() {
        let wide = on::<F, Avx2>([a, b, c]);
        let same = |(x, y): (u32, u32)| {
            let nan = |x: u32| f32::from_bits(x).is_nan();
            x == y || nan(x) && nan(y)
        };
        assert!(
            plain.into_iter().zip(wide).all(same),
            "{a:x?} {b:x?}: {plain:x?} {wide:x?}"
        );
    }
    plain
}

/// Checks `F(a, b, c)` for every 16-bit `a` and these `b` and `c`.
fn for_all<F: Lane>(pairs: &[(u32, u32)], expected: impl Fn(u32, u32, u32) -> u32, mask: u32) {
    let name = std::any::type_name::<F>();
    for &(b, c) in pairs {
        for first in (0..0x1_0000_u32).step_by(8) {
            let a = std::array::from_fn(|i| first + i as u32);
            let got = eight::<F>(a, [b; 8], [c; 8]);
            for (a, got) in a.into_iter().zip(got) {
                let expected = expected(a, b, c);
                assert_eq!(
                    got & mask,
                    expected & mask,
                    "{name}({a:#x}, {b:#x}, {c:#x})"
                );
            }
        }
    }
}

const HALF: u32 = 0xffff;

/// Integers at which 16-bit arithmetic changes its ways.
const CORNERS: [(u32, u32); 10] = [
    (0, 0),
    (1, 0xffff),
    (2, 0x7fff),
    (0x7f, 0x80),
    (0x100, 1),
    (0x7fff, 0x8000),
    (0x8000, 0x7fff),
    (0x8001, 0x8000),
    (0xfffe, 3),
    (0xffff, 0xffff),
];

fn signed(x: u32) -> i32 {
    i32::from(x as u16 as i16)
}

fn clamp_i16(x: i32) -> u32 {
    x.clamp(-0x8000, 0x7fff) as u32
}

#[test]
fn integers_of_16_bits() {
    for_all::<AddU16Clamp>(&CORNERS, |a, b, _| (a + b).min(0xffff), HALF);
    for_all::<SubU16Clamp>(&CORNERS, |a, b, _| a.saturating_sub(b), HALF);
    for_all::<AddI16Clamp>(&CORNERS, |a, b, _| clamp_i16(signed(a) + signed(b)), HALF);
    for_all::<SubI16Clamp>(&CORNERS, |a, b, _| clamp_i16(signed(a) - signed(b)), HALF);
    for_all::<MadU16Clamp>(
        &CORNERS,
        |a, b, c| (u64::from(a) * u64::from(b) + u64::from(c)).min(0xffff) as u32,
        HALF,
    );
    for_all::<MadI16Clamp>(
        &CORNERS,
        |a, b, c| {
            clamp_i16(
                signed(a)
                    .saturating_mul(signed(b))
                    .saturating_add(signed(c)),
            )
        },
        HALF,
    );
    for_all::<Mad16>(&CORNERS, |a, b, c| a.wrapping_mul(b).wrapping_add(c), HALF);
    for_all::<MinI16>(&CORNERS, |a, b, _| signed(a).min(signed(b)) as u32, HALF);
    for_all::<MaxI16>(&CORNERS, |a, b, _| signed(a).max(signed(b)) as u32, HALF);
    let middle = |mut all: [i32; 3]| {
        all.sort_unstable();
        all[1] as u32
    };
    for_all::<Med3I16>(&CORNERS, |a, b, c| middle([a, b, c].map(signed)), HALF);
    for_all::<Min3I16>(
        &CORNERS,
        |a, b, c| signed(a).min(signed(b)).min(signed(c)) as u32,
        HALF,
    );
    // Shift counts come first.
    for_all::<LshlRev16>(&CORNERS, |a, b, _| b << (a & 15), HALF);
    for_all::<LshrRev16>(&CORNERS, |a, b, _| b >> (a & 15), HALF);
    for_all::<AshrRev16>(&CORNERS, |a, b, _| (signed(b) >> (a & 15)) as u32, HALF);
    for_all::<SignExtend16>(&[(0, 0)], |a, _, _| signed(a) as u32, u32::MAX);
    for_all::<MadI32I16>(
        &CORNERS,
        |a, b, c| (signed(a) * signed(b)).wrapping_add(c as i32) as u32,
        u32::MAX,
    );
    for_all::<CvtF16U16>(&[(0, 0)], |a, _, _| from_f64(f64::from(a)), HALF);
    for_all::<CvtF16I16>(&[(0, 0)], |a, _, _| from_f64(f64::from(signed(a))), HALF);
    for_all::<SatPkU8I16>(&[(0, 0)], |a, _, _| signed(a).clamp(0, 255) as u32, HALF);
}

/// All pairs of bytes stand in `a`: the low one and the high one are the sources.
#[test]
fn bytes() {
    let pairs = [(0, 0), (0x0102_0304, 10), (0xff00_80ff, u32::MAX)];
    let bytes = |x: u32| x.to_le_bytes().map(i64::from);
    let sad = |a: u32, b: u32| -> u32 {
        let differences = bytes(a).into_iter().zip(bytes(b));
        differences
            .map(|(x, y)| (x - y).unsigned_abs() as u32)
            .sum()
    };
    for_all::<SadU8>(&pairs, |a, b, c| sad(a, b).wrapping_add(c), u32::MAX);
    for_all::<SadHiU8>(
        &pairs,
        |a, b, c| (sad(a, b) << 16).wrapping_add(c),
        u32::MAX,
    );
    for_all::<LerpU8>(
        &pairs,
        |a, b, c| {
            let average = |i: usize| (bytes(a)[i] + bytes(b)[i] + (bytes(c)[i] & 1)) / 2;
            (0..4).fold(0, |result, i| result | (average(i) as u32) << (8 * i))
        },
        u32::MAX,
    );
    for_all::<MsadU8>(
        &pairs,
        |a, b, c| {
            let all = bytes(a).into_iter().zip(bytes(b)).filter(|(_, y)| *y != 0);
            let sum: u32 = all.map(|(x, y)| (x - y).unsigned_abs() as u32).sum();
            sum.wrapping_add(c)
        },
        u32::MAX,
    );
    for_all::<Dot4U32U8>(
        &pairs,
        |a, b, c| {
            let products = bytes(a)
                .into_iter()
                .zip(bytes(b))
                .map(|(x, y)| (x * y) as u32);
            products.fold(c, u32::wrapping_add)
        },
        u32::MAX,
    );
    for_all::<Dot8U32U4>(
        &pairs,
        |a, b, c| {
            let part = |x: u32, i: u32| x >> (4 * i) & 15;
            (0..8).fold(c, |sum, i| sum.wrapping_add(part(a, i) * part(b, i)))
        },
        u32::MAX,
    );
}

/// `F` on an f16 widened to f32, its result as f16: how such instructions run.
fn through_f32<F: Lane>(x: u32) -> u32 {
    let wide = Portable::splat(x).f16_to_f32();
    F::eval(wide, wide, wide).f32_to_f16().to_array()[0]
}

fn same_half(a: u32, b: u32) -> bool {
    let nan = |x: u32| x & 0x7fff > 0x7c00;
    a == b || nan(a) && nan(b)
}

#[test]
fn functions_of_half_floats() {
    fn check<F: Lane>(exact: fn(f64) -> f64) {
        for x in 0..=0xffff {
            let (got, expected) = (through_f32::<F>(x), from_f64(exact(to_f64(x))));
            let name = std::any::type_name::<F>();
            assert!(
                same_half(got, expected),
                "{name}({x:#x}): {got:#x}, not {expected:#x}"
            );
        }
    }
    check::<Move>(|x| x);
    check::<FloorF32>(f64::floor);
    check::<CeilF32>(f64::ceil);
    check::<TruncF32>(f64::trunc);
    check::<RoundEvenF32>(f64::round_ties_even);
    check::<SqrtF32>(f64::sqrt);
    check::<RcpF32>(|x| 1.0 / x);
    check::<FractF16>(|x| {
        let below_one = to_f64(0x3bff);
        (x - x.floor()).min(if x.is_finite() { below_one } else { f64::NAN })
    });
}

#[test]
fn transcendental_functions_of_half_floats_are_within_one_ulp() {
    use std::f64::consts::TAU;
    fn check<F: Lane>(exact: fn(f64) -> f64, domain: fn(f64) -> bool) {
        let order = |x: u32| {
            if x & 0x8000 != 0 {
                0x8000 - x as i32
            } else {
                x as i32
            }
        };
        for x in (0..=0xffff).filter(|&x| domain(to_f64(x))) {
            let (got, expected) = (through_f32::<F>(x), from_f64(exact(to_f64(x))));
            let close = order(got).abs_diff(order(expected)) <= 1;
            let name = std::any::type_name::<F>();
            assert!(close, "{name}({x:#x}): {got:#x}, not {expected:#x}");
        }
    }
    let finite = |x: f64| x.is_finite();
    check::<ExpF32>(f64::exp2, finite);
    check::<LogF32>(f64::log2, |x| x > 0.0 && x.is_finite());
    check::<RsqF32>(|x| 1.0 / x.sqrt(), |x| x > 0.0 && x.is_finite());
    check::<SinF32>(|x| (x * TAU).sin(), |x| x.abs() < 0.24);
    check::<CosF32>(|x| (x * TAU).cos(), |x| x.abs() < 0.24);
}

#[test]
fn parts_and_classes_of_half_floats() {
    let whole = |x: f64| x;
    for_all::<CvtU16F16>(
        &[(0, 0)],
        |a, _, _| u32::from(whole(to_f64(a)) as u16),
        HALF,
    );
    for_all::<CvtI16F16>(&[(0, 0)], |a, _, _| to_f64(a) as i16 as u32, HALF);
    for_all::<CvtNormI16F16>(
        &[(0, 0)],
        |a, _, _| (to_f64(a).clamp(-1.0, 1.0) * 32767.0).round_ties_even() as i16 as u32,
        HALF,
    );
    for_all::<CvtNormU16F16>(
        &[(0, 0)],
        |a, _, _| u32::from((to_f64(a).clamp(0.0, 1.0) * 65535.0).round_ties_even() as u16),
        HALF,
    );
    for first in (0..0x1_0000_u32).step_by(8) {
        let x: [u32; 8] = std::array::from_fn(|i| first + i as u32);
        let mantissa = eight::<FrexpMantF16>(x, x, x);
        let exponent = eight::<FrexpExpF16>(x, x, x);
        let whole = eight::<LdexpF16>(mantissa, exponent, x);
        for i in 0..8 {
            let (value, m) = (to_f64(x[i]), to_f64(mantissa[i]));
            if value != 0.0 && value.is_finite() {
                assert!((0.5..1.0).contains(&m.abs()), "{value}: {m}");
            }
            assert!(same_half(whole[i], x[i]), "{value}");
            let classes = (0..10).filter(|class| eight::<ClassF16>(x, [1 << class; 8], x)[i] != 0);
            assert_eq!(classes.count(), 1, "{:#x} is of one class", x[i]);
        }
    }
}

#[test]
fn half_floats_in_vectors_are_those_of_the_half_crate() {
    for x in 0..=0xffff_u32 {
        let wide = Portable::splat(x).f16_to_f32().to_array()[0];
        let expected = half::f16::from_bits(x as u16).to_f32();
        assert!(wide == expected.to_bits() || expected.is_nan() && f32::from_bits(wide).is_nan());
    }
    // Every f32 near a tie between two halves.
    for x in 0..0x7c00_u32 {
        let [a, b] = [x, x + 1].map(|x| half::f16::from_bits(x as u16).to_f64());
        let middle = ((a + b.min(65536.0)) / 2.0) as f32;
        for value in [middle.next_down(), middle, middle.next_up()] {
            let got = Portable::splat(value.to_bits()).f32_to_f16().to_array()[0];
            assert_eq!(got, from_f64(f64::from(value)), "{value:e}");
        }
    }
}
