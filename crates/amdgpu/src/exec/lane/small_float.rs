//! Floats of one byte.
//!
//! Those of gfx942 have one zero, one NaN (the pattern of minus zero), no
//! infinities, and an exponent bias one higher than usual. Later chips have
//! those of the Open Compute Project: with five bits of exponent everything is
//! as in IEEE formats, with four the greatest pattern is NaN and there are no
//! infinities.

use super::{each_1, each_2, each_3, lanes};
use crate::simd::Simd;

/// Layout of a float of one byte.
#[derive(Clone, Copy)]
struct Format {
    fraction_bits: u32,
    bias: i32,
    /// The greatest number's pattern is one less than this.
    too_great: u64,
    /// What too great a number becomes, and an infinite one.
    overflow: u8,
    nan: u8,
    /// Zero and NaN have a sign.
    signed: bool,
}

/// Four bits of exponent, three of fraction.
const FP8: Format = Format {
    fraction_bits: 3,
    bias: 8,
    too_great: 0x80,
    overflow: NAN,
    nan: NAN,
    signed: false,
};
/// Five bits of exponent, two of fraction.
const BF8: Format = Format {
    fraction_bits: 2,
    bias: 16,
    ..FP8
};
const NAN: u8 = 0x80;

/// The first of the Open Compute Project.
const FP8_OCP: Format = Format {
    fraction_bits: 3,
    bias: 7,
    too_great: 0x7f,
    overflow: 0x7f,
    nan: 0x7f,
    signed: true,
};
/// The second.
const BF8_OCP: Format = Format {
    fraction_bits: 2,
    bias: 15,
    too_great: 0x7c,
    overflow: 0x7c,
    nan: 0x7f,
    signed: true,
};

impl Format {
    /// Exact.
    fn widen(self, bits: u8) -> f32 {
        let magnitude = bits & 0x7f;
        match (self.signed, u64::from(magnitude)) {
            (false, _) if bits == self.nan => return f32::NAN,
            (true, _) if magnitude == self.overflow && self.overflow != self.nan => {
                return f32::INFINITY.copysign(if bits & 0x80 != 0 { -1.0 } else { 1.0 });
            }
            (true, pattern) if pattern >= self.too_great => return f32::NAN,
            _ => {}
        }
        let exponent = i32::from((bits & 0x7f) >> self.fraction_bits);
        let fraction = i32::from(bits & ((1 << self.fraction_bits) - 1));
        let (significand, exponent) = match exponent {
            0 => (fraction, 1),
            _ => (fraction | 1 << self.fraction_bits, exponent),
        };
        let power = exponent - self.bias - self.fraction_bits as i32;
        let value = significand as f32 * 2_f32.powi(power);
        if bits & 0x80 != 0 { -value } else { value }
    }

    /// Rounds to nearest even, or where there are `random` bits, up if the
    /// rest and they carry. What is too great, infinite or NaN gives NaN.
    fn narrow(self, value: f32, random: Option<u32>) -> u8 {
        let bits = value.to_bits();
        let sign = (bits >> 24 & 0x80) as u8;
        let own_sign = if self.signed { sign } else { 0 };
        if value.is_nan() {
            return own_sign | self.nan;
        }
        if value.is_infinite() {
            return own_sign | self.overflow;
        }
        let exponent = (bits >> 23 & 0xff) as i32 - 127;
        if bits & 0x7fff_ffff == 0 {
            return own_sign;
        }
        let significand = u64::from(bits & 0x7f_ffff) | if exponent > -127 { 1 << 23 } else { 0 };
        // The exponent field that the value would have, at least that of denormals.
        let field = (exponent + self.bias).max(1);
        let dropped = 23 - self.fraction_bits as i32 + (field - exponent - self.bias);
        let kept = if dropped >= 40 {
            0
        } else {
            let wide = significand << 24;
            let dropped = dropped as u32 + 24;
            let unit = 1_u64 << dropped;
            let rest = wide & (unit - 1);
            let truncated = wide >> dropped;
            let up = match random {
                Some(random) => {
                    let threshold = u64::from(random) << 32 >> (64 - dropped.min(63));
                    rest + threshold >= unit
                }
                None => rest > unit / 2 || rest == unit / 2 && truncated & 1 != 0,
            };
            truncated + u64::from(up)
        };
        let implied = 1 << self.fraction_bits;
        let encoded = (field as u64 - 1) * implied + kept;
        match encoded {
            0 => own_sign,
            _ if encoded >= self.too_great => own_sign | self.overflow,
            _ => sign | encoded as u8,
        }
    }
}

/// The lowest byte of each lane, a float as gfx942 has it.
pub(crate) fn fp8_fnuz_to_f32(bits: u8) -> f32 {
    FP8.widen(bits)
}

/// The same with five bits of exponent.
pub(crate) fn bf8_fnuz_to_f32(bits: u8) -> f32 {
    BF8.widen(bits)
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

/// Products of small floats, summed exactly and rounded once.
fn dot_4(a: u32, b: u32, c: u32, formats: [Format; 2]) -> u32 {
    let element = |bits: u32, place: u32, format: Format| {
        f64::from(format.widen((bits >> (8 * place)) as u8))
    };
    let products = (0..4).map(|i| element(a, i, formats[0]) * element(b, i, formats[1]));
    let sum = products.sum::<f64>() + f64::from(f32::from_bits(c));
    (sum as f32).to_bits()
}

fn narrow_pair(format: Format, a: u32, b: u32) -> u32 {
    let [a, b] = [a, b].map(|x| u32::from(format.narrow(f32::from_bits(x), None)));
    a | b << 8
}

lanes! {
    CvtF32Fp8(a) => each_1(a, |x| fp8_fnuz_to_f32(x as u8).to_bits());
    CvtF32Bf8(a) => each_1(a, |x| bf8_fnuz_to_f32(x as u8).to_bits());
    CvtPkFp8F32(a, b) => each_2(a, b, |a, b| narrow_pair(FP8, a, b));
    CvtPkBf8F32(a, b) => each_2(a, b, |a, b| narrow_pair(BF8, a, b));
    /// Rounded by the bits of the second source.
    CvtSrFp8F32(a, b) => each_2(a, b, |a, b| u32::from(FP8.narrow(f32::from_bits(a), Some(b))));
    CvtSrBf8F32(a, b) => each_2(a, b, |a, b| u32::from(BF8.narrow(f32::from_bits(a), Some(b))));

    CvtF32Fp8Ocp(a) => fp8_to_f32(a);
    CvtF32Bf8Ocp(a) => bf8_to_f32(a);
    CvtPkFp8OcpF32(a, b) => each_2(a, b, |a, b| narrow_pair(FP8_OCP, a, b));
    CvtPkBf8OcpF32(a, b) => each_2(a, b, |a, b| narrow_pair(BF8_OCP, a, b));
    CvtSrFp8OcpF32(a, b) => each_2(a, b, |a, b| u32::from(FP8_OCP.narrow(f32::from_bits(a), Some(b))));
    CvtSrBf8OcpF32(a, b) => each_2(a, b, |a, b| u32::from(BF8_OCP.narrow(f32::from_bits(a), Some(b))));
    Dot4F32Fp8Fp8(a, b, c) => each_3(a, b, c, |a, b, c| dot_4(a, b, c, [FP8_OCP, FP8_OCP]));
    Dot4F32Fp8Bf8(a, b, c) => each_3(a, b, c, |a, b, c| dot_4(a, b, c, [FP8_OCP, BF8_OCP]));
    Dot4F32Bf8Fp8(a, b, c) => each_3(a, b, c, |a, b, c| dot_4(a, b, c, [BF8_OCP, FP8_OCP]));
    Dot4F32Bf8Bf8(a, b, c) => each_3(a, b, c, |a, b, c| dot_4(a, b, c, [BF8_OCP, BF8_OCP]));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_survives_widening_and_narrowing() {
        for format in [FP8, BF8, FP8_OCP, BF8_OCP] {
            for bits in 0..=255 {
                let value = format.widen(bits);
                let back = format.narrow(value, None);
                assert!(
                    back == bits || value.is_nan() && format.widen(back).is_nan(),
                    "{bits:#x}"
                );
            }
        }
    }

    #[test]
    fn vectors_widen_as_the_formats_say() {
        use crate::simd::{Portable, Simd};
        for bits in 0..=255_u8 {
            let x = Portable::splat(u32::from(bits));
            let value = |x: Portable| f32::from_bits(x.to_array()[0]);
            let pairs = [
                (value(fp8_to_f32(x)), FP8_OCP.widen(bits)),
                (value(bf8_to_f32(x)), BF8_OCP.widen(bits)),
            ];
            for (actual, expected) in pairs {
                let same = actual.to_bits() == expected.to_bits();
                assert!(same || actual.is_nan() && expected.is_nan(), "{bits:#x}");
            }
        }
    }

    #[test]
    fn known_values_of_the_open_compute_project() {
        assert_eq!(FP8_OCP.widen(0x7e), 448.0);
        assert_eq!(FP8_OCP.widen(0x01), 2_f32.powi(-9));
        assert!(FP8_OCP.widen(0x7f).is_nan() && FP8_OCP.widen(0xff).is_nan());
        assert_eq!(BF8_OCP.widen(0x7b), 57344.0);
        assert_eq!(BF8_OCP.widen(0xfc), f32::NEG_INFINITY);
        assert!(BF8_OCP.widen(0x7d).is_nan());
        assert_eq!(FP8_OCP.narrow(463.9, None), 0x7e);
        assert_eq!(FP8_OCP.narrow(464.1, None), 0x7f);
        assert_eq!(BF8_OCP.narrow(61439.0, None), 0x7b);
        assert_eq!(BF8_OCP.narrow(61440.0, None), 0x7c);
        assert_eq!(BF8_OCP.narrow(f32::NEG_INFINITY, None), 0xfc);
        assert_eq!(FP8_OCP.narrow(-0.0, None), 0x80);
    }

    #[test]
    fn known_values() {
        assert_eq!(fp8_fnuz_to_f32(0x40), 1.0);
        assert_eq!(fp8_fnuz_to_f32(0x7f), 240.0);
        assert_eq!(fp8_fnuz_to_f32(0x01), 2_f32.powi(-10));
        assert_eq!(bf8_fnuz_to_f32(0x40), 1.0);
        assert_eq!(bf8_fnuz_to_f32(0x7f), 57344.0);
        assert!(bf8_fnuz_to_f32(0x80).is_nan());
        for value in [241.0, 247.9] {
            assert_eq!(FP8.narrow(value, None), 0x7f);
        }
        for value in [248.0, f32::INFINITY, f32::NAN] {
            assert_eq!(FP8.narrow(value, None), NAN);
        }
        // Ties go to even, also between denormals; half of the least is zero.
        assert_eq!(FP8.narrow(1.0625, None), 0x40);
        assert_eq!(FP8.narrow(1.1875, None), 0x42);
        assert_eq!(FP8.narrow(-(2_f32.powi(-11)), None), 0);
        assert_eq!(FP8.narrow(2_f32.powi(-11) * 1.5, None), 1);
    }

    #[test]
    fn random_bits_round_in_proportion() {
        // A quarter of the way from 1.0 to 1.125.
        let value = 1.0 + 0.125 / 4.0;
        let up = (0..1024_u32).filter(|n| FP8.narrow(value, Some(n << 22)) == 0x41);
        assert_eq!(up.count(), 256);
        assert_eq!(FP8.narrow(1.0, Some(u32::MAX)), 0x40);
    }
}
