//! Floats of both widths.
//!
//! What stands in the host's own math library is taken from there; what does not, from the `libm` crate.

use std::cmp::Ordering;

use crate::Result;
use crate::op::Op;
use crate::program::Inst;

use super::Machine;

/// An integer power, by squaring.
macro_rules! power {
    ($float:ident, $base:expr, $exponent:expr) => {{
        let exponent: i64 = $exponent;
        let mut rest = exponent.unsigned_abs();
        let (mut square, mut product): ($float, $float) = ($base, 1.0);
        while rest > 0 {
            if rest % 2 == 1 {
                product *= square;
            }
            square *= square;
            rest /= 2;
        }
        match exponent < 0 {
            true => 1.0 / product,
            false => product,
        }
    }};
}

impl Machine<'_> {
    fn f32(&self, register: u16) -> f32 {
        f32::from_bits(self.w32(register))
    }

    fn f64(&self, register: u16) -> f64 {
        f64::from_bits(self.w64(register))
    }

    fn set_f32(&mut self, register: u16, value: f32) {
        self.set32(register, value.to_bits());
    }

    fn set_f64(&mut self, register: u16, value: f64) {
        self.set64(register, value.to_bits());
    }

    /// Instructions on floats.
    #[inline(always)]
    pub(super) fn float(&mut self, inst: &Inst) -> Result<()> {
        let [a, b, c, d, ..] = inst.r;

        macro_rules! unary {
            (f32, $f:expr) => {{
                let result: f32 = $f(self.f32(a));
                self.set_f32(b, result);
            }};
            (f64, $f:expr) => {{
                let result: f64 = $f(self.f64(a));
                self.set_f64(b, result);
            }};
        }
        macro_rules! binary {
            (f32, $f:expr) => {{
                let result: f32 = $f(self.f32(a), self.f32(b));
                self.set_f32(c, result);
            }};
            (f64, $f:expr) => {{
                let result: f64 = $f(self.f64(a), self.f64(b));
                self.set_f64(c, result);
            }};
        }
        macro_rules! compare {
            (f32, $f:expr) => {{
                let result: bool = $f(self.f32(a), self.f32(b));
                self.set32(c, result.into());
            }};
            (f64, $f:expr) => {{
                let result: bool = $f(self.f64(a), self.f64(b));
                self.set32(c, result.into());
            }};
        }

        // Also true if either is NaN.
        macro_rules! unordered {
            (f32, $f:expr) => {
                compare!(f32, |a: f32, b: f32| a.partial_cmp(&b).is_none_or($f))
            };
            (f64, $f:expr) => {
                compare!(f64, |a: f64, b: f64| a.partial_cmp(&b).is_none_or($f))
            };
        }

        match inst.op {
            Op::ConstF32Zero => self.set32(a, 0),
            Op::ConstF32 => self.set32(a, inst.imm[0]),
            Op::ConstF64Zero => self.set64(a, 0),
            Op::ConstF64 => {
                self.set64(a, u64::from(inst.imm[1]) << 32 | u64::from(inst.imm[0]));
            }

            Op::AddF32 => binary!(f32, |a, b| a + b),
            Op::SubF32 => binary!(f32, |a, b| a - b),
            Op::MulF32 => binary!(f32, |a, b| a * b),
            Op::DivF32 => binary!(f32, |a, b| a / b),
            Op::RemF32 => binary!(f32, libm::remainderf),
            // Rounded twice: the stock interpreter is built for machines without a fused instruction.
            Op::FmaF32 => self.set_f32(d, self.f32(a) * self.f32(b) + self.f32(c)),
            Op::AbsF32 => unary!(f32, f32::abs),
            Op::NegF32 => unary!(f32, |a: f32| -a),
            Op::CeilF32 => unary!(f32, f32::ceil),
            Op::FloorF32 => unary!(f32, f32::floor),
            Op::RoundF32 => unary!(f32, f32::round),
            Op::RoundF32Even => unary!(f32, f32::round_ties_even),
            Op::MinF32 => binary!(f32, |a, b| if b < a { b } else { a }),
            Op::MaxF32 => binary!(f32, |a, b| if a < b { b } else { a }),
            Op::AtanF32 => unary!(f32, f32::atan),
            Op::Atan2F32 => binary!(f32, f32::atan2),
            Op::CosF32 => unary!(f32, f32::cos),
            Op::SinF32 => unary!(f32, f32::sin),
            Op::ExpF32 => unary!(f32, f32::exp),
            Op::Exp2F32 => unary!(f32, f32::exp2),
            Op::Expm1F32 => unary!(f32, f32::exp_m1),
            Op::LogF32 => unary!(f32, f32::ln),
            Op::Log10F32 => unary!(f32, f32::log10),
            Op::Log1pF32 => unary!(f32, f32::ln_1p),
            Op::Log2F32 => unary!(f32, f32::log2),
            Op::PowF32 => binary!(f32, f32::powf),
            Op::RsqrtF32 => unary!(f32, |a: f32| 1.0 / a.sqrt()),
            Op::SqrtF32 => unary!(f32, f32::sqrt),
            Op::TanhF32 => unary!(f32, f32::tanh),
            Op::ErfF32 => unary!(f32, libm::erff),
            Op::FpowiF32 => self.set_f32(c, power!(f32, self.f32(a), self.w64(b).cast_signed())),

            Op::AddF64 => binary!(f64, |a, b| a + b),
            Op::SubF64 => binary!(f64, |a, b| a - b),
            Op::MulF64 => binary!(f64, |a, b| a * b),
            Op::DivF64 => binary!(f64, |a, b| a / b),
            Op::RemF64 => binary!(f64, libm::remainder),
            Op::FmaF64 => self.set_f64(d, self.f64(a) * self.f64(b) + self.f64(c)),
            Op::AbsF64 => unary!(f64, f64::abs),
            Op::NegF64 => unary!(f64, |a: f64| -a),
            Op::CeilF64 => unary!(f64, f64::ceil),
            Op::FloorF64 => unary!(f64, f64::floor),
            Op::RoundF64 => unary!(f64, f64::round),
            Op::RoundF64Even => unary!(f64, f64::round_ties_even),
            Op::MinF64 => binary!(f64, |a, b| if b < a { b } else { a }),
            Op::MaxF64 => binary!(f64, |a, b| if a < b { b } else { a }),
            Op::AtanF64 => unary!(f64, f64::atan),
            Op::Atan2F64 => binary!(f64, f64::atan2),
            Op::CosF64 => unary!(f64, f64::cos),
            Op::SinF64 => unary!(f64, f64::sin),
            Op::ExpF64 => unary!(f64, f64::exp),
            Op::Exp2F64 => unary!(f64, f64::exp2),
            Op::Expm1F64 => unary!(f64, f64::exp_m1),
            Op::LogF64 => unary!(f64, f64::ln),
            Op::Log10F64 => unary!(f64, f64::log10),
            Op::Log1pF64 => unary!(f64, f64::ln_1p),
            Op::Log2F64 => unary!(f64, f64::log2),
            Op::PowF64 => binary!(f64, f64::powf),
            Op::RsqrtF64 => unary!(f64, |a: f64| 1.0 / a.sqrt()),
            Op::SqrtF64 => unary!(f64, f64::sqrt),
            Op::TanhF64 => unary!(f64, f64::tanh),
            Op::ErfF64 => unary!(f64, libm::erf),
            Op::FpowiF64 => self.set_f64(c, power!(f64, self.f64(a), self.w64(b).cast_signed())),

            Op::CastSi32F32 => self.set_f32(b, self.w32(a) as i32 as f32),
            Op::CastUi32F32 => self.set_f32(b, self.w32(a) as f32),
            Op::CastSi64F32 => self.set_f32(b, self.w64(a) as i64 as f32),
            Op::CastUi64F32 => self.set_f32(b, self.w64(a) as f32),
            Op::CastF32Si32 | Op::CastF32Ui32 => {
                self.set32(b, signed(self.f32(a).into()) as u32);
            }
            Op::CastF32Si64 => self.set64(b, signed(self.f32(a).into()) as u64),
            Op::CastF32Ui64 => self.set64(b, unsigned(self.f32(a).into())),
            Op::CastSi32F64 => self.set_f64(b, (self.w32(a) as i32).into()),
            Op::CastUi32F64 => self.set_f64(b, self.w32(a).into()),
            Op::CastSi64F64 => self.set_f64(b, self.w64(a) as i64 as f64),
            Op::CastUi64F64 => self.set_f64(b, self.w64(a) as f64),
            Op::CastF64Si32 | Op::CastF64Ui32 => self.set32(b, signed(self.f64(a)) as u32),
            Op::CastF64Si64 => self.set64(b, signed(self.f64(a)) as u64),
            Op::CastF64Ui64 => self.set64(b, unsigned(self.f64(a))),
            Op::TruncF64F32 => self.set_f32(b, self.f64(a) as f32),
            Op::ExtF32F64 => self.set_f64(b, self.f32(a).into()),
            Op::BitcastI32F32 | Op::BitcastF32I32 => self.set32(b, self.w32(a)),
            Op::BitcastI64F64 | Op::BitcastF64I64 => self.set64(b, self.w64(a)),

            Op::CmpEqF32O => compare!(f32, |a, b| a == b),
            Op::CmpEqF32U => unordered!(f32, Ordering::is_eq),
            Op::CmpNeF32O | Op::CmpNeF32U => compare!(f32, |a, b| a != b),
            Op::CmpLtF32O => compare!(f32, |a, b| a < b),
            Op::CmpLtF32U => compare!(f32, |a: f32, b: f32| !matches!(
                a.partial_cmp(&b),
                Some(std::cmp::Ordering::Equal | std::cmp::Ordering::Greater)
            )),
            Op::CmpLteF32O => compare!(f32, |a, b| a <= b),
            Op::CmpLteF32U => unordered!(f32, Ordering::is_le),
            Op::CmpNanF32 => self.set32(b, self.f32(a).is_nan().into()),
            Op::CmpEqF64O => compare!(f64, |a, b| a == b),
            Op::CmpEqF64U => unordered!(f64, Ordering::is_eq),
            Op::CmpNeF64O | Op::CmpNeF64U => compare!(f64, |a, b| a != b),
            Op::CmpLtF64O => compare!(f64, |a, b| a < b),
            Op::CmpLtF64U => compare!(f64, |a: f64, b: f64| !matches!(
                a.partial_cmp(&b),
                Some(std::cmp::Ordering::Equal | std::cmp::Ordering::Greater)
            )),
            Op::CmpLteF64O => compare!(f64, |a, b| a <= b),
            Op::CmpLteF64U => unordered!(f64, Ordering::is_le),
            Op::CmpNanF64 => self.set32(b, self.f64(a).is_nan().into()),
            _ => return self.lists_and_buffers(inst),
        }
        Ok(())
    }
}

/// As the stock interpreter on x86-64: rounded half away from zero to 64 bits, of which a narrower result takes the
/// lower ones; what does not fit, and NaN, is the smallest number.
fn signed(value: f64) -> i64 {
    let rounded = value.round();
    match rounded >= -(2.0_f64.powi(63)) && rounded < 2.0_f64.powi(63) {
        true => rounded as i64,
        false => i64::MIN,
    }
}

/// As [`signed`]; numbers from 2⁶³ to 2⁶⁴ are themselves.
fn unsigned(value: f64) -> u64 {
    let rounded = value.round();
    match rounded >= 2.0_f64.powi(63) && rounded < 2.0_f64.powi(64) {
        true => rounded as u64,
        false => signed(value) as u64,
    }
}
