//! What gfx950 does with floats of four, six and eight bits that have a power of
//! two in common: conversions and matrix products.

use super::Env;
use super::lane::{BF6, BF8, FP4, FP6, FP8, SmallFloat, next_random};
use super::mfma::{CONSTANT, Shape, row};
use crate::program::Op;
use crate::simd::{Kernel, LANES, Row, Simd};
use crate::wave::{Wave, temp};

/// Two to the power that the exponent of a scale says; not a number if that is
/// the greatest.
fn scale_of(exponent: u32) -> f64 {
    match exponent & 0xff {
        255 => f64::NAN,
        exponent => 2_f64.powi(exponent as i32 - 127),
    }
}

/// What a conversion takes or makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    F32,
    F16,
    Bf16,
    Small(SmallFloat),
}

impl Format {
    fn of_name(name: &str) -> Option<Format> {
        Some(match name {
            "f32" => Format::F32,
            "f16" => Format::F16,
            "bf16" => Format::Bf16,
            "fp8" => Format::Small(FP8),
            "bf8" => Format::Small(BF8),
            "fp6" => Format::Small(FP6),
            "bf6" => Format::Small(BF6),
            "fp4" => Format::Small(FP4),
            _ => return None,
        })
    }

    fn bits(self) -> u32 {
        match self {
            Format::F32 => 32,
            Format::F16 | Format::Bf16 => 16,
            Format::Small(small) => small.bits,
        }
    }

    fn widen(self, code: u32) -> f32 {
        match self {
            Format::F32 => f32::from_bits(code),
            Format::F16 => half::f16::from_bits(code as u16).to_f32(),
            Format::Bf16 => half::bf16::from_bits(code as u16).to_f32(),
            Format::Small(small) => small.widen(code),
        }
    }

    fn narrow(self, value: f64, random: Option<u32>) -> u32 {
        match self {
            Format::F32 => (value as f32).to_bits(),
            Format::F16 => u32::from(half::f16::from_f64(value).to_bits()),
            Format::Bf16 => u32::from(half::bf16::from_f64(value).to_bits()),
            Format::Small(small) => small.narrow(value, random),
        }
    }
}

/// A conversion, by the name of its opcode behind `v_cvt_scalef32_`: such as
/// `sr_pk32_fp6_f16`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Conversion {
    to: Format,
    from: Format,
    /// Elements: 1, 2 or 32.
    count: usize,
    /// Rounds by a source of random bits.
    random: bool,
    /// The elements come from two sources in turn.
    two_sources: bool,
}

impl Conversion {
    pub(crate) fn of_name(name: &str) -> Option<Conversion> {
        let rest = name.strip_prefix("v_cvt_scalef32_")?;
        let (random, rest) = match rest.strip_prefix("sr_") {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let mut parts = rest.split('_');
        let mut first = parts.next()?;
        let count = match first {
            "pk" => 2,
            "pk32" | "2xpk16" => 32,
            _ => 1,
        };
        let apart = first == "2xpk16";
        if count > 1 {
            first = parts.next()?;
        }
        let (to, from) = (Format::of_name(first)?, Format::of_name(parts.next()?)?);
        Some(Conversion {
            to,
            from,
            count,
            random,
            two_sources: apart || count == 2 && from == Format::F32 && !random,
        })
    }

    /// Does it make small floats?
    fn narrows(self) -> bool {
        matches!(self.to, Format::Small(_))
    }
}

/// Conversion number `imm` of [`CONVERSIONS`]. `d` result rows, `a` and `b`
/// source rows, `c` the row with the scale; `aux`: source signs in bits 0 to 5,
/// `op_sel` from bit 8 on.
pub(crate) struct ConvertScaled;

/// Bits `first..first + width` of the rows from `start` of a lane.
fn field(wave: &Wave, start: u16, lane: usize, first: u32, width: u32) -> u32 {
    let word = |at: u32| u64::from(wave.rows[(u32::from(start) + at) as usize].lanes()[lane]);
    let at = first / 32;
    let mut bits = word(at);
    if first % 32 + width > 32 {
        bits |= word(at + 1) << 32;
    }
    (bits >> (first % 32)) as u32 & (u32::MAX >> (32 - width))
}

/// Writes such bits.
fn put(wave: &mut Wave, start: u16, lane: usize, [first, width]: [u32; 2], value: u32) {
    for bit in 0..width {
        let place = first + bit;
        let row = &mut wave.rows[(u32::from(start) + place / 32) as usize];
        let word = &mut row.lanes_mut()[lane];
        *word = *word & !(1 << (place % 32)) | (value >> bit & 1) << (place % 32);
    }
}

impl ConvertScaled {
    fn lane(wave: &mut Wave, op: &Op, conversion: Conversion, lane: usize) {
        let op_sel = op.aux >> 8 & 15;
        let scale = scale_of(wave.rows[op.c as usize].lanes()[lane] >> 23);
        let width = conversion.from.bits();
        // Where the elements begin in a register that holds several.
        let first = match (conversion.count, width) {
            (1, 8) | (2, 4) => 8 * (op_sel & 3),
            (1, 16) | (2, 8) => 16 * (op_sel & 1),
            _ => 0,
        };
        let mut random = if conversion.random {
            wave.rows[op.b as usize].lanes()[lane]
        } else {
            0
        };
        let mut results = [0; 32];
        for (number, result) in results[..conversion.count].iter_mut().enumerate() {
            let (start, place, source) = match (conversion.two_sources, number % 2) {
                (true, 1) => (op.b, number / 2, 1),
                (true, _) => (op.a, number / 2, 0),
                _ => (op.a, number, 0),
            };
            let code = field(wave, start, lane, first + width * place as u32, width);
            let mut value = f64::from(conversion.from.widen(code));
            if op.aux >> (3 + source) & 1 != 0 {
                value = value.abs();
            }
            if op.aux >> source & 1 != 0 {
                value = -value;
            }
            let value = if conversion.narrows() {
                value / scale
            } else {
                value * scale
            };
            let bits = conversion.random.then_some(random);
            *result = conversion.to.narrow(value, bits);
            random = next_random(random);
        }
        let width = conversion.to.bits();
        let first = match (conversion.count, width) {
            (1, 8) | (2, 4) => 8 * (op_sel >> 2),
            (1, 16) | (2, 8) => 16 * (op_sel >> 3),
            _ => 0,
        };
        for (number, &result) in results[..conversion.count].iter().enumerate() {
            let at = [first + width * number as u32, width];
            put(wave, op.d, lane, at, result);
        }
    }
}

impl Kernel for ConvertScaled {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let name = crate::isa::Opcode::ALL[op.imm as usize].name();
        let conversion = Conversion::of_name(name).expect("the opcode of a conversion");
        super::each_lane(wave.exec, |lane| Self::lane(wave, op, conversion, lane));
        next
    }
}

/// The byte of row `a` from bit `imm` on in every lane, active or not.
pub(crate) struct TakeScale;

impl Kernel for TakeScale {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let mut row = wave.rows[op.a as usize];
        for lane in row.lanes_mut() {
            *lane = *lane >> op.imm & 0xff;
        }
        wave.rows[op.d as usize] = row;
        next
    }
}

/// `aux` bit: the scales are in the rows from [`temp::TAKEN`] on, those of A
/// and then those of B, each of the lower and of the upper half.
pub(crate) const SCALES: u32 = 1 << 30;

/// D = A·B + C of small floats whose formats the modifiers name. A lane holds 32
/// elements of a row of A or a column of B, and their scale. Operands as of
/// [`super::mfma::Mfma`]. Sums are made in double precision and rounded once.
pub(crate) struct MfmaScaled;

/// Elements that a lane holds.
const BLOCK: usize = 32;

/// The small floats that a modifier names.
fn elements_of(format: u32) -> SmallFloat {
    match format {
        1 => BF8,
        2 => FP6,
        3 => BF6,
        4 => FP4,
        _ => FP8,
    }
}

/// What each lane holds of a factor, scaled.
fn factor(wave: &Wave, op: &Op, first: u16, format: u32, scales: usize) -> Vec<[f64; BLOCK]> {
    let format = elements_of(format);
    let held = |lane: usize| {
        let (half, lane) = (lane / LANES, lane % LANES);
        let start = first + half as u16 * op.imm as u16;
        let scale = if op.aux & SCALES == 0 {
            1.0
        } else {
            let row = wave.temps as usize + temp::TAKEN as usize + scales + half;
            scale_of(wave.rows[row].lanes()[lane])
        };
        std::array::from_fn(|element| {
            let at = element as u32 * format.bits;
            f64::from(format.widen(field(wave, start, lane, at, format.bits))) * scale
        })
    };
    (0..2 * LANES).map(held).collect()
}

impl Kernel for MfmaScaled {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let shape = Shape::unpack(op.e);
        let a = factor(wave, op, op.a, op.aux & 7, 0);
        let b = factor(wave, op, op.b, op.aux >> 8 & 7, 2);
        let mut results = vec![Row::ZERO; 2 * shape.registers()];
        for (number, result) in results.iter_mut().enumerate() {
            let (register, half) = (number / 2, number % 2);
            let c = if op.aux & CONSTANT != 0 {
                wave.rows[op.c as usize]
            } else {
                *row(wave, op.c, register, half, op.imm)
            };
            for (lane, value) in result.lanes_mut().iter_mut().enumerate() {
                let (i, j, _) = shape.place(register, half * LANES + lane);
                let mut sum = f64::from(f32::from_bits(c.lanes()[lane]));
                for (a, b) in a[i..]
                    .iter()
                    .step_by(shape.rows())
                    .zip(b[j..].iter().step_by(shape.rows()))
                {
                    sum += a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
                }
                *value = (sum as f32).to_bits();
            }
        }
        for (number, result) in results.iter().enumerate() {
            let (register, half) = (number / 2, number % 2);
            wave.rows[op.d as usize + register + half * op.imm as usize] = *result;
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_is_converted() {
        let of = |name| Conversion::of_name(name).expect(name);
        let pair = of("v_cvt_scalef32_pk_fp8_f32");
        assert!(pair.two_sources && pair.count == 2 && !pair.random);
        let many = of("v_cvt_scalef32_2xpk16_bf6_f32");
        assert!(many.two_sources && many.count == 32 && many.to == Format::Small(BF6));
        let random = of("v_cvt_scalef32_sr_pk_fp4_f32");
        assert!(!random.two_sources && random.random && random.count == 2);
        let one = of("v_cvt_scalef32_f16_bf8");
        assert!(one.to == Format::F16 && one.from == Format::Small(BF8) && one.count == 1);
        let names = crate::isa::Opcode::ALL.iter().map(|op| op.name());
        let all = names.filter(|name| name.starts_with("v_cvt_scalef32_"));
        assert_eq!(all.filter_map(Conversion::of_name).count(), 49);
    }
}
