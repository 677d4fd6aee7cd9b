//! Floats of eight, six and four bits.
//!
//! Those of a byte on gfx942 ("FNUZ") have one zero, one NaN (the pattern of minus
//! zero), no infinities, and an exponent bias one higher than usual. Later chips
//! have those of the Open Compute Project: with five bits of exponent everything
//! is as in IEEE formats, with four the greatest pattern is NaN and there are no
//! infinities; with fewer all are finite.

use super::{each_2, each_3, lanes};
use crate::simd::Simd;

/// Layout of a small float.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SmallFloat {
    /// Bits in all.
    pub(crate) bits: u32,
    fraction_bits: u32,
    bias: i32,
    /// The first pattern, without sign, that is no finite number.
    too_great: u32,
    /// What too great a number becomes, and an infinite one.
    overflow: u32,
    nan: u32,
    /// Zero and NaN have a sign.
    signed: bool,
}

/// Four bits of exponent, three of fraction.
pub(crate) const FP8_FNUZ: SmallFloat = SmallFloat {
    bits: 8,
    fraction_bits: 3,
    bias: 8,
    too_great: 0x80,
    overflow: 0x80,
    nan: 0x80,
    signed: false,
};
/// Five bits of exponent, two of fraction.
pub(crate) const BF8_FNUZ: SmallFloat = SmallFloat {
    fraction_bits: 2,
    bias: 16,
    ..FP8_FNUZ
};

/// Four bits of exponent, three of fraction; no infinities.
pub(crate) const FP8: SmallFloat = SmallFloat {
    bits: 8,
    fraction_bits: 3,
    bias: 7,
    too_great: 0x7f,
    overflow: 0x7f,
    nan: 0x7f,
    signed: true,
};
/// Five bits of exponent, two of fraction.
pub(crate) const BF8: SmallFloat = SmallFloat {
    fraction_bits: 2,
    bias: 15,
    too_great: 0x7c,
    overflow: 0x7c,
    ..FP8
};
/// Two bits of exponent, three of fraction; only finite numbers.
pub(crate) const FP6: SmallFloat = SmallFloat {
    bits: 6,
    fraction_bits: 3,
    bias: 1,
    too_great: 0x20,
    overflow: 0x1f,
    nan: 0x1f,
    signed: true,
};
/// Three bits of exponent, two of fraction; only finite numbers.
pub(crate) const BF6: SmallFloat = SmallFloat {
    fraction_bits: 2,
    bias: 3,
    ..FP6
};
/// Two bits of exponent, one of fraction; only finite numbers.
pub(crate) const FP4: SmallFloat = SmallFloat {
    bits: 4,
    fraction_bits: 1,
    bias: 1,
    too_great: 8,
    overflow: 7,
    nan: 7,
    signed: true,
};

impl SmallFloat {
    fn sign(self) -> u32 {
        1 << (self.bits - 1)
    }

    /// The number of a pattern, in the lowest bits of `code`. Exact.
    pub(crate) fn widen(self, code: u32) -> f32 {
        let code = code & (2 * self.sign() - 1);
        let magnitude = code & (self.sign() - 1);
        let value = if code == self.nan && !self.signed {
            f32::NAN
        } else if magnitude < self.too_great {
            let field = magnitude >> self.fraction_bits;
            let fraction = magnitude & ((1 << self.fraction_bits) - 1);
            let implied = u32::from(field != 0) << self.fraction_bits;
            let power = field.max(1) as i32 - self.bias - self.fraction_bits as i32;
            (fraction | implied) as f32 * 2_f32.powi(power)
        } else if magnitude == self.overflow && self.overflow != self.nan {
            f32::INFINITY
        } else {
            f32::NAN
        };
        if code & self.sign() != 0 {
            -value
        } else {
            value
        }
    }

    /// Rounds to nearest even, or where there are `random` bits, up if the rest
    /// and they carry. Where there is no NaN, that becomes the greatest.
    pub(crate) fn narrow(self, value: f64, random: Option<u32>) -> u32 {
        let sign = if value.is_sign_negative() {
            self.sign()
        } else {
            0
        };
        let own_sign = if self.signed { sign } else { 0 };
        if value.is_nan() {
            return own_sign | self.nan;
        }
        let magnitude = value.abs();
        if magnitude.is_infinite() {
            return own_sign | self.overflow;
        }
        let exponent = (magnitude.to_bits() >> 52) as i32 - 1023;
        // The exponent field it would have, at least that of denormals, and far
        // less than what fits no more.
        let field = (exponent + self.bias).clamp(1, 64);
        let units = magnitude * 2_f64.powi(self.bias + self.fraction_bits as i32 - field);
        let kept = match random {
            Some(random) => {
                let below = units.floor();
                let carry = units - below >= 1.0 - f64::from(random) * 2_f64.powi(-32);
                below + f64::from(u8::from(carry))
            }
            None => units.round_ties_even(),
        };
        let implied = 1_u32 << self.fraction_bits;
        let code = (field as u32 - 1) * implied + kept.min(1e6) as u32;
        match code {
            0 => own_sign,
            _ if code >= self.too_great => own_sign | self.overflow,
            _ => sign | code,
        }
    }
}

/// The lowest byte of each lane, a float of the Open Compute Project.
#[inline(always)]
pub(crate) fn fp8_to_f32<S: Simd>(x: S) -> S {
    // Put where an f32 has its exponent, the value is too small by 2^120.
    const SCALE: u32 = (127 + 120) << 23;
    let magnitude = x.and(S::splat(0x7f));
    let value = magnitude.shl(S::splat(20)).mul_f32(S::splat(SCALE));
    let nan = magnitude.eq_u32(S::splat(0x7f));
    let value = S::select(nan, S::splat(f32::NAN.to_bits()), value);
    value.or(x.and(S::splat(0x80)).shl(S::splat(24)))
}

/// The same with five bits of exponent: the upper half of a half float.
#[inline(always)]
pub(crate) fn bf8_to_f32<S: Simd>(x: S) -> S {
    x.and(S::splat(0xff)).shl(S::splat(8)).f16_to_f32()
}

/// The lowest byte of each lane, a float of gfx942 with four bits of exponent.
#[inline(always)]
pub(crate) fn fp8_fnuz_to_f32<S: Simd>(x: S) -> S {
    fnuz_to_f32(x, 20, 127 - 8)
}

/// The same with five bits of exponent.
#[inline(always)]
pub(crate) fn bf8_fnuz_to_f32<S: Simd>(x: S) -> S {
    fnuz_to_f32(x, 21, 127 - 16)
}

/// Puts a byte where an f32 has its exponent, which is too small by `power` then.
#[inline(always)]
fn fnuz_to_f32<S: Simd>(x: S, shift: u32, power: u32) -> S {
    let sign = x.and(S::splat(0x80));
    let magnitude = x.and(S::splat(0x7f));
    let scale = S::splat((127 + power) << 23);
    let value = magnitude.shl(S::splat(shift)).mul_f32(scale);
    // What would be minus zero.
    let nan = x.and(S::splat(0xff)).eq_u32(S::splat(0x80));
    let value = S::select(nan, S::splat(f32::NAN.to_bits()), value);
    value.or(sign.shl(S::splat(24)))
}

/// Products of small floats, summed exactly and rounded once.
fn dot_4(a: u32, b: u32, c: u32, formats: [SmallFloat; 2]) -> u32 {
    let element =
        |bits: u32, place: u32, format: SmallFloat| f64::from(format.widen(bits >> (8 * place)));
    let products = (0..4).map(|i| element(a, i, formats[0]) * element(b, i, formats[1]));
    let sum = products.sum::<f64>() + f64::from(f32::from_bits(c));
    (sum as f32).to_bits()
}

fn narrow(format: SmallFloat, bits: u32, random: Option<u32>) -> u32 {
    format.narrow(f64::from(f32::from_bits(bits)), random)
}

fn narrow_pair(format: SmallFloat, a: u32, b: u32) -> u32 {
    let [a, b] = [a, b].map(|x| narrow(format, x, None));
    a | b << 8
}

lanes! {
    CvtF32Fp8(a) => fp8_fnuz_to_f32(a);
    CvtF32Bf8(a) => bf8_fnuz_to_f32(a);
    CvtPkFp8F32(a, b) => each_2(a, b, |a, b| narrow_pair(FP8_FNUZ, a, b));
    CvtPkBf8F32(a, b) => each_2(a, b, |a, b| narrow_pair(BF8_FNUZ, a, b));
    /// Rounded by the bits of the second source.
    CvtSrFp8F32(a, b) => each_2(a, b, |a, b| narrow(FP8_FNUZ, a, Some(b)));
    CvtSrBf8F32(a, b) => each_2(a, b, |a, b| narrow(BF8_FNUZ, a, Some(b)));

    CvtF32Fp8Ocp(a) => fp8_to_f32(a);
    CvtF32Bf8Ocp(a) => bf8_to_f32(a);
    CvtPkFp8OcpF32(a, b) => each_2(a, b, |a, b| narrow_pair(FP8, a, b));
    CvtPkBf8OcpF32(a, b) => each_2(a, b, |a, b| narrow_pair(BF8, a, b));
    CvtSrFp8OcpF32(a, b) => each_2(a, b, |a, b| narrow(FP8, a, Some(b)));
    CvtSrBf8OcpF32(a, b) => each_2(a, b, |a, b| narrow(BF8, a, Some(b)));
    Dot4F32Fp8Fp8(a, b, c) => each_3(a, b, c, |a, b, c| dot_4(a, b, c, [FP8, FP8]));
    Dot4F32Fp8Bf8(a, b, c) => each_3(a, b, c, |a, b, c| dot_4(a, b, c, [FP8, BF8]));
    Dot4F32Bf8Fp8(a, b, c) => each_3(a, b, c, |a, b, c| dot_4(a, b, c, [BF8, FP8]));
    Dot4F32Bf8Bf8(a, b, c) => each_3(a, b, c, |a, b, c| dot_4(a, b, c, [BF8, BF8]));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_survives_widening_and_narrowing() {
        for format in [FP8_FNUZ, BF8_FNUZ, FP8, BF8, FP6, BF6, FP4] {
            for code in 0..1 << format.bits {
                let value = format.widen(code);
                let back = format.narrow(f64::from(value), None);
                assert!(
                    back == code || value.is_nan() && format.widen(back).is_nan(),
                    "{format:?} {code:#x}"
                );
            }
        }
    }

    #[test]
    fn vectors_widen_as_the_formats_say() {
        use crate::simd::{Portable, Simd};
        for bits in 0..=255 {
            let x = Portable::splat(bits);
            let value = |x: Portable| f32::from_bits(x.to_array()[0]);
            let pairs = [
                (value(fp8_to_f32(x)), FP8.widen(bits)),
                (value(bf8_to_f32(x)), BF8.widen(bits)),
                (value(fp8_fnuz_to_f32(x)), FP8_FNUZ.widen(bits)),
                (value(bf8_fnuz_to_f32(x)), BF8_FNUZ.widen(bits)),
            ];
            for (actual, expected) in pairs {
                let same = actual.to_bits() == expected.to_bits();
                assert!(same || actual.is_nan() && expected.is_nan(), "{bits:#x}");
            }
        }
    }

    #[test]
    fn known_values_of_the_open_compute_project() {
        assert_eq!(FP8.widen(0x7e), 448.0);
        assert_eq!(FP8.widen(0x01), 2_f32.powi(-9));
        assert!(FP8.widen(0x7f).is_nan() && FP8.widen(0xff).is_nan());
        assert_eq!(BF8.widen(0x7b), 57344.0);
        assert_eq!(BF8.widen(0xfc), f32::NEG_INFINITY);
        assert!(BF8.widen(0x7d).is_nan());
        assert_eq!(FP8.narrow(463.9, None), 0x7e);
        assert_eq!(FP8.narrow(464.1, None), 0x7f);
        assert_eq!(BF8.narrow(61439.0, None), 0x7b);
        assert_eq!(BF8.narrow(61440.0, None), 0x7c);
        assert_eq!(BF8.narrow(-1e9, None), 0xfc);
        assert_eq!(BF8.narrow(f64::NEG_INFINITY, None), 0xfc);
        assert_eq!(FP8.narrow(-0.0, None), 0x80);
        assert_eq!(FP6.widen(1), 0.125);
        assert_eq!(FP6.widen(0x1f), 7.5);
        assert_eq!(BF6.widen(1), 0.0625);
        assert_eq!(BF6.widen(0x1f), 28.0);
        assert_eq!(FP4.widen(7), 6.0);
        // What is too great becomes the greatest; ties go to even.
        assert_eq!(FP4.narrow(100.0, None), 7);
        assert_eq!(FP4.narrow(2.5, None), FP4.narrow(2.0, None));
        assert_eq!(FP4.narrow(0.25, None), 0);
    }

    #[test]
    fn known_values_of_gfx942() {
        assert_eq!(FP8_FNUZ.widen(0x40), 1.0);
        assert_eq!(FP8_FNUZ.widen(0x7f), 240.0);
        assert_eq!(FP8_FNUZ.widen(0x01), 2_f32.powi(-10));
        assert_eq!(BF8_FNUZ.widen(0x40), 1.0);
        assert_eq!(BF8_FNUZ.widen(0x7f), 57344.0);
        assert!(BF8_FNUZ.widen(0x80).is_nan());
        for value in [241.0, 247.9] {
            assert_eq!(FP8_FNUZ.narrow(value, None), 0x7f);
        }
        for value in [248.0, f64::INFINITY, f64::NAN] {
            assert_eq!(FP8_FNUZ.narrow(value, None), 0x80);
        }
        // Ties go to even, also between denormals; half of the least is zero.
        assert_eq!(FP8_FNUZ.narrow(1.0625, None), 0x40);
        assert_eq!(FP8_FNUZ.narrow(1.1875, None), 0x42);
        assert_eq!(FP8_FNUZ.narrow(-(2_f64.powi(-11)), None), 0);
        assert_eq!(FP8_FNUZ.narrow(2_f64.powi(-11) * 1.5, None), 1);
    }

    #[test]
    fn random_bits_round_in_proportion() {
        // A quarter of the way from 1.0 to 1.125, and from 2 to 3.
        let up = |format: SmallFloat, value: f64, code: u32| {
            let codes = (0..1024_u32).map(|n| format.narrow(value, Some(n << 22)));
            codes.filter(|found| *found == code).count()
        };
        assert_eq!(up(FP8_FNUZ, 1.0 + 0.125 / 4.0, 0x41), 256);
        assert_eq!(up(FP4, 2.25, 5), 256);
        assert_eq!(FP8_FNUZ.narrow(1.0, Some(u32::MAX)), 0x40);
        assert_eq!(FP4.narrow(2.0, Some(u32::MAX)), 4);
    }
}
