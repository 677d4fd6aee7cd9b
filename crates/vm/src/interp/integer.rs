//! Integers: constants, arithmetic, comparisons, conversions, selection.

use crate::op::Op;
use crate::program::Inst;
use crate::{Code, Error, Result};

use super::Machine;

impl Machine<'_> {
    #[inline(always)]
    pub(super) fn w32(&self, register: u16) -> u32 {
        self.values[usize::from(register)]
    }

    #[inline(always)]
    pub(super) fn w64(&self, register: u16) -> u64 {
        // The upper one first: the lower is then known to be there.
        let high = u64::from(self.values[usize::from(register) + 1]);
        high << 32 | u64::from(self.values[usize::from(register)])
    }

    #[inline(always)]
    pub(super) fn set32(&mut self, register: u16, bits: u32) {
        self.values[usize::from(register)] = bits;
    }

    #[inline(always)]
    pub(super) fn set64(&mut self, register: u16, bits: u64) {
        self.values[usize::from(register) + 1] = (bits >> 32) as u32;
        self.values[usize::from(register)] = bits as u32;
    }

    /// The register that an index selects from a list, or none if it is outside.
    pub(super) fn switched(&self, index: u16, list: u32) -> Option<u16> {
        let slots = self.body.list(list);
        Some(slots.get(self.w32(index) as usize)?.register)
    }

    /// Instructions on integers.
    #[inline(always)]
    pub(super) fn integer(&mut self, inst: &Inst) -> Result<()> {
        let [a, b, c, d, ..] = inst.r;

        macro_rules! unary32 {
            ($f:expr) => {{
                let result: u32 = $f(self.w32(a));
                self.set32(b, result);
            }};
        }
        macro_rules! binary32 {
            ($f:expr) => {{
                let result: u32 = $f(self.w32(a), self.w32(b));
                self.set32(c, result);
            }};
        }
        macro_rules! unary64 {
            ($f:expr) => {{
                let result: u64 = $f(self.w64(a));
                self.set64(b, result);
            }};
        }
        macro_rules! binary64 {
            ($f:expr) => {{
                let result: u64 = $f(self.w64(a), self.w64(b));
                self.set64(c, result);
            }};
        }
        macro_rules! shift64 {
            ($f:expr) => {{
                let result: u64 = $f(self.w64(a), self.w32(b));
                self.set64(c, result);
            }};
        }
        macro_rules! compare64 {
            ($f:expr) => {{
                let result: bool = $f(&self.w64(a), &self.w64(b));
                self.set32(c, result.into());
            }};
        }

        match inst.op {
            Op::ConstI32Zero => self.set32(a, 0),
            Op::ConstI32 => self.set32(a, inst.imm[0]),
            Op::ConstI64Zero => self.set64(a, 0),
            Op::ConstI64 => {
                self.set64(a, u64::from(inst.imm[1]) << 32 | u64::from(inst.imm[0]));
            }

            Op::AddI32 => binary32!(u32::wrapping_add),
            Op::SubI32 => binary32!(u32::wrapping_sub),
            Op::MulI32 => binary32!(u32::wrapping_mul),
            Op::DivI32S => {
                let divisor = nonzero(self.w32(b).into())? as i32;
                let quotient = (self.w32(a) as i32).wrapping_div(divisor);
                self.set32(c, quotient as u32);
            }
            Op::DivI32U => {
                let divisor = nonzero(self.w32(b).into())? as u32;
                self.set32(c, self.w32(a) / divisor);
            }
            Op::RemI32S => {
                let divisor = nonzero(self.w32(b).into())? as i32;
                let remainder = (self.w32(a) as i32).wrapping_rem(divisor);
                self.set32(c, remainder as u32);
            }
            Op::RemI32U => {
                let divisor = nonzero(self.w32(b).into())? as u32;
                self.set32(c, self.w32(a) % divisor);
            }
            Op::FmaI32 => {
                let product = self.w32(a).wrapping_mul(self.w32(b));
                self.set32(d, product.wrapping_add(self.w32(c)));
            }
            Op::AbsI32 => unary32!(|a| (a as i32).unsigned_abs()),
            Op::MinI32S => binary32!(|a, b| (a as i32).min(b as i32) as u32),
            Op::MinI32U => binary32!(u32::min),
            Op::MaxI32S => binary32!(|a, b| (a as i32).max(b as i32) as u32),
            Op::MaxI32U => binary32!(u32::max),
            Op::NotI32 => unary32!(|a: u32| !a),
            Op::AndI32 => binary32!(|a, b| a & b),
            Op::OrI32 => binary32!(|a, b| a | b),
            Op::XorI32 => binary32!(|a, b| a ^ b),
            Op::CtlzI32 => unary32!(u32::leading_zeros),
            Op::ShlI32 => binary32!(u32::wrapping_shl),
            Op::ShrI32S => binary32!(|a, b| (a as i32).wrapping_shr(b) as u32),
            Op::ShrI32U => binary32!(u32::wrapping_shr),

            Op::AddI64 => binary64!(u64::wrapping_add),
            Op::SubI64 => binary64!(u64::wrapping_sub),
            Op::MulI64 => binary64!(u64::wrapping_mul),
            Op::DivI64S => {
                let divisor = nonzero(self.w64(b))? as i64;
                let quotient = (self.w64(a) as i64).wrapping_div(divisor);
                self.set64(c, quotient as u64);
            }
            Op::DivI64U => {
                let divisor = nonzero(self.w64(b))?;
                self.set64(c, self.w64(a) / divisor);
            }
            Op::RemI64S => {
                let divisor = nonzero(self.w64(b))? as i64;
                let remainder = (self.w64(a) as i64).wrapping_rem(divisor);
                self.set64(c, remainder as u64);
            }
            Op::RemI64U => {
                let divisor = nonzero(self.w64(b))?;
                self.set64(c, self.w64(a) % divisor);
            }
            Op::FmaI64 => {
                let product = self.w64(a).wrapping_mul(self.w64(b));
                self.set64(d, product.wrapping_add(self.w64(c)));
            }
            Op::AbsI64 => unary64!(|a| (a as i64).unsigned_abs()),
            Op::MinI64S => binary64!(|a, b| (a as i64).min(b as i64) as u64),
            Op::MinI64U => binary64!(u64::min),
            Op::MaxI64S => binary64!(|a, b| (a as i64).max(b as i64) as u64),
            Op::MaxI64U => binary64!(u64::max),
            Op::NotI64 => unary64!(|a: u64| !a),
            Op::AndI64 => binary64!(|a, b| a & b),
            Op::OrI64 => binary64!(|a, b| a | b),
            Op::XorI64 => binary64!(|a, b| a ^ b),
            Op::CtlzI64 => unary64!(|a: u64| a.leading_zeros().into()),
            Op::ShlI64 => shift64!(u64::wrapping_shl),
            Op::ShrI64S => shift64!(|a, n| (a as i64).wrapping_shr(n) as u64),
            Op::ShrI64U => shift64!(u64::wrapping_shr),

            Op::TruncI32I8 | Op::ExtI8I32U => unary32!(|a| a & 0xff),
            Op::TruncI32I16 | Op::ExtI16I32U => unary32!(|a| a & 0xffff),
            Op::ExtI8I32S => unary32!(|a| i32::from(a as i8) as u32),
            Op::ExtI16I32S => unary32!(|a| i32::from(a as i16) as u32),
            Op::TruncI64I32 => self.set32(b, self.w64(a) as u32),
            Op::ExtI32I64S => self.set64(b, i64::from(self.w32(a) as i32) as u64),
            Op::ExtI32I64U => self.set64(b, self.w32(a).into()),

            Op::CmpEqI32 => binary32!(|a, b| u32::from(a == b)),
            Op::CmpNeI32 => binary32!(|a, b| u32::from(a != b)),
            Op::CmpLtI32S => binary32!(|a, b| u32::from((a as i32) < b as i32)),
            Op::CmpLtI32U => binary32!(|a, b| u32::from(a < b)),
            Op::CmpNzI32 => unary32!(|a| u32::from(a != 0)),
            Op::CmpEqI64 => compare64!(u64::eq),
            Op::CmpNeI64 => compare64!(u64::ne),
            Op::CmpLtI64S => compare64!(|a: &u64, b: &u64| (*a as i64) < *b as i64),
            Op::CmpLtI64U => compare64!(u64::lt),
            Op::CmpNzI64 => self.set32(b, (self.w64(a) != 0).into()),

            Op::SelectI32 | Op::SelectF32 => {
                let chosen = if self.w32(a) != 0 { b } else { c };
                self.set32(d, self.w32(chosen));
            }
            Op::SelectI64 | Op::SelectF64 => {
                let chosen = if self.w32(a) != 0 { b } else { c };
                self.set64(d, self.w64(chosen));
            }
            Op::SwitchI32 | Op::SwitchF32 => {
                let chosen = self.switched(a, inst.imm[0]).unwrap_or(b);
                self.set32(c, self.w32(chosen));
            }
            Op::SwitchI64 | Op::SwitchF64 => {
                let chosen = self.switched(a, inst.imm[0]).unwrap_or(b);
                self.set64(c, self.w64(chosen));
            }
            _ => return self.memory(inst),
        }
        Ok(())
    }
}

/// The format leaves division by zero open; it is an error here.
fn nonzero(divisor: u64) -> Result<u64> {
    match divisor {
        0 => Err(Error::new(Code::INVALID_ARGUMENT, "division by zero")),
        divisor => Ok(divisor),
    }
}
