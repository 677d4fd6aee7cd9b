//! Floating-point arithmetic in integers, for what the host's cannot do:
//! rounding other than to nearest even, and denormals that are flushed.
//!
//! Every operation is a fused multiply-add or a conversion of an exact value,
//! rounded once.

use crate::wave::{Mode, Round};

#[cfg(test)]
mod tests;

/// A binary format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Format {
    exponent_bits: u32,
    fraction_bits: u32,
}

/// Half precision.
pub(crate) const F16: Format = Format {
    exponent_bits: 5,
    fraction_bits: 10,
};
/// Single precision.
pub(crate) const F32: Format = Format {
    exponent_bits: 8,
    fraction_bits: 23,
};
/// Double precision.
pub(crate) const F64: Format = Format {
    exponent_bits: 11,
    fraction_bits: 52,
};

/// How to round to a format and what to do with its denormals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rules {
    pub(crate) round: Round,
    /// Denormal sources are zero.
    pub(crate) flush_sources: bool,
    /// Denormal results become zero.
    pub(crate) flush_results: bool,
}

/// A number taken apart.
enum Parts {
    Nan,
    Infinite,
    /// `significand * 2^exponent`.
    Finite {
        significand: u64,
        exponent: i32,
    },
}

impl Format {
    fn sign_bit(self) -> u64 {
        1 << (self.exponent_bits + self.fraction_bits)
    }

    fn infinity(self) -> u64 {
        ((1 << self.exponent_bits) - 1) << self.fraction_bits
    }

    fn quiet_bit(self) -> u64 {
        1 << (self.fraction_bits - 1)
    }

    fn quiet_nan(self) -> u64 {
        self.infinity() | self.quiet_bit()
    }

    /// Exponent of the last bit of a denormal.
    fn least_exponent(self) -> i32 {
        2 - (1 << (self.exponent_bits - 1)) - self.fraction_bits as i32
    }

    /// The rules that a mode has for this format.
    pub(crate) fn rules(self, mode: Mode) -> Rules {
        if self == F32 {
            Rules {
                round: mode.round_f32(),
                flush_sources: mode.flush_f32_sources(),
                flush_results: mode.flush_f32_results(),
            }
        } else {
            Rules {
                round: mode.round_f16_f64(),
                flush_sources: mode.flush_f16_f64_sources(),
                flush_results: mode.flush_f16_f64_results(),
            }
        }
    }

    fn take_apart(self, bits: u64, flush: bool) -> Parts {
        let exponent = (bits & self.infinity()) >> self.fraction_bits;
        let fraction = bits & ((1 << self.fraction_bits) - 1);
        if exponent == self.infinity() >> self.fraction_bits {
            return if fraction == 0 {
                Parts::Infinite
            } else {
                Parts::Nan
            };
        }
        if exponent == 0 {
            return Parts::Finite {
                significand: if flush { 0 } else { fraction },
                exponent: self.least_exponent(),
            };
        }
        Parts::Finite {
            significand: fraction | 1 << self.fraction_bits,
            exponent: self.least_exponent() + exponent as i32 - 1,
        }
    }

    fn is_negative(self, bits: u64) -> bool {
        bits & self.sign_bit() != 0
    }

    /// ±`significand * 2^exponent`, rounded. Bits below the last one of
    /// `significand` may have been jammed into it.
    fn round(self, negative: bool, significand: u128, exponent: i32, rules: Rules) -> u64 {
        let sign = if negative { self.sign_bit() } else { 0 };
        if significand == 0 {
            return sign;
        }
        let top = exponent + 127 - significand.leading_zeros() as i32;
        let unit = (top - self.fraction_bits as i32).max(self.least_exponent());
        let shift = unit - exponent;
        let (mut kept, rest) = match shift {
            ..=0 => (significand << -shift, 0),
            1..=127 => (significand >> shift, significand << (128 - shift)),
            _ => (0, 1),
        };
        let half = 1 << 127;
        let up = match rules.round {
            Round::Nearest => rest > half || rest == half && kept & 1 == 1,
            Round::Up => !negative && rest != 0,
            Round::Down => negative && rest != 0,
            Round::Zero => false,
        };
        kept += u128::from(up);
        // A normal number's leading one adds to the exponent's field.
        let above = (unit - self.least_exponent()) as u64;
        let bits = if above < 1 << self.exponent_bits {
            (above << self.fraction_bits) + kept as u64
        } else {
            self.infinity()
        };
        if bits >= self.infinity() {
            let to_infinity = match rules.round {
                Round::Nearest => true,
                Round::Up => !negative,
                Round::Down => negative,
                Round::Zero => false,
            };
            return sign | (self.infinity() - u64::from(!to_infinity));
        }
        if rules.flush_results && bits >> self.fraction_bits == 0 {
            return sign;
        }
        sign | bits
    }

    /// The first NaN among these, quiet.
    fn nan_of(self, sources: &[u64], rules: Rules) -> Option<u64> {
        let nan = |bits: &&u64| matches!(self.take_apart(**bits, rules.flush_sources), Parts::Nan);
        sources.iter().find(nan).map(|bits| bits | self.quiet_bit())
    }

    /// `a * b + c`.
    pub(crate) fn fma(self, a: u64, b: u64, c: u64, rules: Rules) -> u64 {
        if let Some(nan) = self.nan_of(&[a, b, c], rules) {
            return nan;
        }
        let part = |bits| self.take_apart(bits, rules.flush_sources);
        let negative = self.is_negative(a) != self.is_negative(b);
        let infinity =
            |negative: bool| self.infinity() | if negative { self.sign_bit() } else { 0 };
        let addend_negative = self.is_negative(c);
        let product = match (part(a), part(b)) {
            (
                Parts::Finite {
                    significand: x,
                    exponent: m,
                },
                Parts::Finite {
                    significand: y,
                    exponent: n,
                },
            ) => Some((u128::from(x) * u128::from(y), m + n)),
            (Parts::Finite { significand: 0, .. }, _)
            | (_, Parts::Finite { significand: 0, .. }) => {
                return self.quiet_nan();
            }
            _ => None,
        };
        match (product, part(c)) {
            (None, Parts::Infinite) if negative != addend_negative => self.quiet_nan(),
            (None, _) => infinity(negative),
            (_, Parts::Infinite) => infinity(addend_negative),
            (
                Some(product),
                Parts::Finite {
                    significand,
                    exponent,
                },
            ) => {
                let addend = (u128::from(significand), exponent);
                let (negative, sum, exponent) =
                    add(negative, product, addend_negative, addend, rules.round);
                self.round(negative, sum, exponent, rules)
            }
            (Some(_), Parts::Nan) => unreachable!("NaNs were dealt with"),
        }
    }

    /// `a + b`.
    pub(crate) fn add(self, a: u64, b: u64, rules: Rules) -> u64 {
        self.fma(a, self.one(), b, rules)
    }

    /// `a * b`.
    pub(crate) fn mul(self, a: u64, b: u64, rules: Rules) -> u64 {
        self.fma(a, b, (a ^ b) & self.sign_bit(), rules)
    }

    /// With the sign changed.
    pub(crate) fn negate(self, a: u64) -> u64 {
        a ^ self.sign_bit()
    }

    fn one(self) -> u64 {
        (self.infinity() >> 1) & self.infinity()
    }

    /// A number of another format.
    pub(crate) fn convert(self, from: Format, bits: u64, rules: Rules, flush_source: bool) -> u64 {
        let negative = from.is_negative(bits);
        let sign = if negative { self.sign_bit() } else { 0 };
        match from.take_apart(bits, flush_source) {
            Parts::Nan => {
                let fraction = bits & ((1 << from.fraction_bits) - 1);
                let moved = if from.fraction_bits > self.fraction_bits {
                    fraction >> (from.fraction_bits - self.fraction_bits)
                } else {
                    fraction << (self.fraction_bits - from.fraction_bits)
                };
                sign | self.quiet_nan() | moved
            }
            Parts::Infinite => sign | self.infinity(),
            Parts::Finite {
                significand,
                exponent,
            } => self.round(negative, u128::from(significand), exponent, rules),
        }
    }

    /// A whole number.
    pub(crate) fn of_integer(self, value: i64, rules: Rules) -> u64 {
        self.round(value < 0, u128::from(value.unsigned_abs()), 0, rules)
    }
}

/// The sum of two signed numbers; bits that do not fit are jammed into the last.
fn add(
    negative_a: bool,
    (a, exponent_a): (u128, i32),
    negative_b: bool,
    (b, exponent_b): (u128, i32),
    round: Round,
) -> (bool, u128, i32) {
    if a == 0 && b == 0 {
        let negative = if negative_a == negative_b {
            negative_a
        } else {
            round == Round::Down
        };
        return (negative, 0, 0);
    }
    // Leading ones at bit 125: one bit for the carry. Products have 106 bits
    // at most, so nothing is lost unless the exponents lie far apart.
    let normal = |x: u128, exponent: i32| {
        let shift = x.leading_zeros().saturating_sub(2);
        if x == 0 {
            (0, i32::MIN / 2)
        } else {
            (x << shift, exponent - shift as i32)
        }
    };
    let (a, exponent_a) = normal(a, exponent_a);
    let (b, exponent_b) = normal(b, exponent_b);
    let exponent = exponent_a.max(exponent_b);
    let jam = |x: u128, shift: i32| match shift {
        0 => x,
        1..=127 => x >> shift | u128::from(x << (128 - shift) != 0),
        _ => u128::from(x != 0),
    };
    let a = jam(a, exponent - exponent_a);
    let b = jam(b, exponent - exponent_b);
    if negative_a == negative_b {
        (negative_a, a + b, exponent)
    } else if a > b {
        (negative_a, a - b, exponent)
    } else if b > a {
        (negative_b, b - a, exponent)
    } else {
        (round == Round::Down, 0, 0)
    }
}
