//! 8-bit floats: one table of formats, and numbers to bytes and back.

use hal::ElementType;

/// What the bits of a format mean: sign (where there is one), exponent,
/// mantissa, from the top.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Format {
    /// Upper 8 bits of the element type.
    class: u32,
    mantissa_bits: u32,
    bias: i32,
    /// Magnitude bits of the largest number; rounding past it overflows.
    largest: u8,
    /// Magnitude bits of infinity, where there is one.
    infinity: Option<u8>,
    /// What stands for "not a number".
    nan: u8,
    /// Whether the top bit is a sign.
    is_signed: bool,
    /// Whether an exponent of zero means a denormal number (or zero).
    has_denormals: bool,
}

const IEEE_E5M2: Format = Format {
    class: 0x24,
    mantissa_bits: 2,
    bias: 15,
    largest: 0x7B,
    infinity: Some(0x7C),
    nan: 0x7E,
    is_signed: true,
    has_denormals: true,
};

const FINITE_E4M3: Format = Format {
    class: 0x25,
    mantissa_bits: 3,
    bias: 7,
    largest: 0x7E,
    infinity: None,
    nan: 0x7F,
    ..IEEE_E5M2
};

const FORMATS: &[Format] = &[
    IEEE_E5M2,
    FINITE_E4M3,
    // FNUZ: "not a number" stands where the negative zero would.
    Format {
        class: 0x26,
        bias: 16,
        largest: 0x7F,
        infinity: None,
        nan: 0x80,
        ..IEEE_E5M2
    },
    Format {
        class: 0x27,
        bias: 8,
        largest: 0x7F,
        nan: 0x80,
        ..FINITE_E4M3
    },
    // A power of two: no sign, no mantissa, no zero.
    Format {
        class: 0x28,
        mantissa_bits: 0,
        bias: 127,
        largest: 0xFE,
        nan: 0xFF,
        is_signed: false,
        has_denormals: false,
        ..FINITE_E4M3
    },
];

impl Format {
    /// The format of an element type, if it is an 8-bit float.
    pub(super) fn of(element_type: ElementType) -> Option<Self> {
        FORMATS
            .iter()
            .find(|format| format.class == element_type.class() && element_type.bit_count() == 8)
            .copied()
    }

    /// The number that a byte stands for, exactly.
    pub(super) fn decode(self, byte: u8) -> f64 {
        let magnitude = if self.is_signed { byte & 0x7F } else { byte };
        let sign = if self.is_signed && byte & 0x80 != 0 {
            -1.0
        } else {
            1.0
        };
        if byte == 0x80 && self.nan == 0x80 {
            return f64::NAN;
        }
        if magnitude == self.nan || self.infinity.is_some_and(|infinity| magnitude > infinity) {
            return f64::NAN.copysign(sign);
        }
        if self.infinity == Some(magnitude) {
            return f64::INFINITY.copysign(sign);
        }
        self.magnitude(magnitude.into()) * sign
    }

    /// The byte nearest to a number, ties to even; `None` for what has no
    /// nearest: negative numbers in a format without a sign.
    pub(super) fn encode(self, value: f64) -> Option<u8> {
        if value.is_nan() {
            return Some(self.nan);
        }
        let is_negative = value.is_sign_negative();
        if is_negative && !self.is_signed {
            return None;
        }
        let wanted = value.abs();
        let largest = u32::from(self.largest);
        // Magnitudes grow with their bits: the last one not above `wanted`.
        let below = (0..=largest)
            .rev()
            .find(|&bits| self.magnitude(bits) <= wanted)
            .unwrap_or(0);
        let (low, high) = (self.magnitude(below), self.magnitude(below + 1));
        let middle = low + (high - low) / 2.0;
        let rounds_up = wanted > middle || (wanted == middle && below % 2 == 1);
        let bits = below + u32::from(rounds_up);
        let magnitude = match bits > largest {
            false => bits as u8,
            true => match self.infinity {
                Some(infinity) => infinity,
                None => return Some(self.nan),
            },
        };
        // Formats that have "not a number" for the negative zero have no such zero.
        let sign = if is_negative && !(magnitude == 0 && self.nan == 0x80) {
            0x80
        } else {
            0
        };
        Some(magnitude | sign)
    }

    /// The number that magnitude bits stand for, as if none were special.
    fn magnitude(self, bits: u32) -> f64 {
        let exponent = (bits >> self.mantissa_bits) as i32;
        let mantissa = f64::from(bits & ((1 << self.mantissa_bits) - 1));
        let scale = f64::from(1 << self.mantissa_bits);
        if exponent == 0 && self.has_denormals {
            mantissa / scale * 2f64.powi(1 - self.bias)
        } else {
            (1.0 + mantissa / scale) * 2f64.powi(exponent - self.bias)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(name: &str) -> Format {
        Format::of(name.parse().expect("an element type")).expect("an 8-bit float")
    }

    const NAMES: [&str; 5] = [
        "f8E5M2",
        "f8E4M3FN",
        "f8E5M2FNUZ",
        "f8E4M3FNUZ",
        "f8E8M0FNU",
    ];

    #[test]
    fn every_byte_comes_back_as_it_was() {
        for name in NAMES {
            let format = format(name);
            for byte in 0..=u8::MAX {
                let value = format.decode(byte);
                let back = format.encode(value).expect("has a nearest");
                match value.is_nan() {
                    true => assert_eq!(back, format.nan, "{name} {byte:02X}"),
                    false => assert_eq!(back, byte, "{name} {byte:02X} {value}"),
                }
            }
        }
    }

    #[test]
    fn formats_have_their_known_numbers() {
        for (name, byte, value) in [
            ("f8E5M2", 0x3C, 1.0),
            ("f8E5M2", 0x7B, 57344.0),
            ("f8E5M2", 0x7C, f64::INFINITY),
            ("f8E5M2", 0x01, 1.0 / 65536.0),
            ("f8E4M3FN", 0x38, 1.0),
            ("f8E4M3FN", 0x7E, 448.0),
            ("f8E4M3FN", 0xFE, -448.0),
            ("f8E4M3FN", 0x01, 1.0 / 512.0),
            ("f8E5M2FNUZ", 0x40, 1.0),
            ("f8E5M2FNUZ", 0x7F, 57344.0),
            ("f8E4M3FNUZ", 0x40, 1.0),
            ("f8E4M3FNUZ", 0x7F, 240.0),
            ("f8E8M0FNU", 127, 1.0),
            ("f8E8M0FNU", 0, 1.0 / 2f64.powi(127)),
        ] {
            assert_eq!(format(name).decode(byte), value, "{name} {byte:02X}");
        }
        for (name, byte) in [
            ("f8E5M2", 0x7D),
            ("f8E5M2", 0xFF),
            ("f8E4M3FN", 0x7F),
            ("f8E4M3FN", 0xFF),
            ("f8E5M2FNUZ", 0x80),
            ("f8E4M3FNUZ", 0x80),
            ("f8E8M0FNU", 0xFF),
        ] {
            assert!(format(name).decode(byte).is_nan(), "{name} {byte:02X}");
        }
    }

    #[test]
    fn numbers_round_to_the_nearest_and_overflow_as_the_format_says() {
        for (name, value, decoded) in [
            ("f8E4M3FN", 464.0, Some(448.0)),
            ("f8E4M3FN", 465.0, None),
            ("f8E4M3FN", 0.0009765625, Some(0.0)),
            ("f8E4M3FN", 0.001, Some(1.0 / 512.0)),
            ("f8E4M3FN", 0.3, Some(0.3125)),
            ("f8E5M2", 61439.0, Some(57344.0)),
            ("f8E5M2", 1e9, Some(f64::INFINITY)),
            ("f8E5M2FNUZ", -1e9, None),
            ("f8E4M3FNUZ", -0.0, Some(0.0)),
            ("f8E8M0FNU", 3.5, Some(4.0)),
            ("f8E8M0FNU", 0.0, Some(1.0 / 2f64.powi(127))),
        ] {
            let format = format(name);
            let back = format.decode(format.encode(value).expect("has a nearest"));
            match decoded {
                Some(decoded) => assert_eq!(back, decoded, "{name} {value}"),
                None => assert!(back.is_nan(), "{name} {value} {back}"),
            }
        }
        assert_eq!(format("f8E8M0FNU").encode(-1.0), None);
    }
}
