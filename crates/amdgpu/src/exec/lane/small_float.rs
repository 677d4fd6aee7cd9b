//! Floats of one byte, as gfx942 has them: one zero, one NaN (the pattern of
//! minus zero), no infinities, and an exponent bias one higher than usual.

use super::{each_1, each_2, lanes};

/// Layout of a float of one byte.
#[derive(Clone, Copy)]
struct Format {
    fraction_bits: u32,
    bias: i32,
}

/// Four bits of exponent, three of fraction.
const FP8: Format = Format {
    fraction_bits: 3,
    bias: 8,
};
/// Five bits of exponent, two of fraction.
const BF8: Format = Format {
    fraction_bits: 2,
    bias: 16,
};
const NAN: u8 = 0x80;

impl Format {
    /// Exact.
    fn widen(self, bits: u8) -> f32 {
        if bits == NAN {
            return f32::NAN;
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
        if !value.is_finite() {
            return NAN;
        }
        let bits = value.to_bits();
        let sign = (bits >> 24 & 0x80) as u8;
        let exponent = (bits >> 23 & 0xff) as i32 - 127;
        if bits & 0x7fff_ffff == 0 {
            return 0;
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
            0 => 0,
            0x80.. => NAN,
            _ => sign | encoded as u8,
        }
    }
}

pub(crate) fn fp8_to_f32(bits: u8) -> f32 {
    FP8.widen(bits)
}

pub(crate) fn bf8_to_f32(bits: u8) -> f32 {
    BF8.widen(bits)
}

fn narrow_pair(format: Format, a: u32, b: u32) -> u32 {
    let [a, b] = [a, b].map(|x| u32::from(format.narrow(f32::from_bits(x), None)));
    a | b << 8
}

lanes! {
    CvtF32Fp8(a) => each_1(a, |x| fp8_to_f32(x as u8).to_bits());
    CvtF32Bf8(a) => each_1(a, |x| bf8_to_f32(x as u8).to_bits());
    CvtPkFp8F32(a, b) => each_2(a, b, |a, b| narrow_pair(FP8, a, b));
    CvtPkBf8F32(a, b) => each_2(a, b, |a, b| narrow_pair(BF8, a, b));
    /// Rounded by the bits of the second source.
    CvtSrFp8F32(a, b) => each_2(a, b, |a, b| u32::from(FP8.narrow(f32::from_bits(a), Some(b))));
    CvtSrBf8F32(a, b) => each_2(a, b, |a, b| u32::from(BF8.narrow(f32::from_bits(a), Some(b))));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_survives_widening_and_narrowing() {
        for format in [FP8, BF8] {
            for bits in 0..=255 {
                assert_eq!(format.narrow(format.widen(bits), None), bits, "{bits:#x}");
            }
        }
    }

    #[test]
    fn known_values() {
        assert_eq!(fp8_to_f32(0x40), 1.0);
        assert_eq!(fp8_to_f32(0x7f), 240.0);
        assert_eq!(fp8_to_f32(0x01), 2_f32.powi(-10));
        assert_eq!(bf8_to_f32(0x40), 1.0);
        assert_eq!(bf8_to_f32(0x7f), 57344.0);
        assert!(bf8_to_f32(0x80).is_nan());
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
