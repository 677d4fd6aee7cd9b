//! Vector instructions with 64-bit operands, and those that give a carry or
//! other mask beside their result. Lane by lane.

use std::marker::PhantomData;

use super::lane::{div_fmas, div_scale, quad_masked_sad, quad_sad, trig_preop};
use super::{Env, each_lane, read, write};
use crate::program::Op;
use crate::simd::{Kernel, Simd, chunks, mask_bits};
use crate::wave::{Mode, Wave, expand, slot};

/// A function of up to three values of one or two dwords.
pub(crate) trait WideFn {
    /// Which sources are two dwords.
    const WIDE: [bool; 3];
    /// The result is two dwords.
    const RESULT: bool;

    fn eval(a: u64, b: u64, c: u64) -> u64;
}

/// `F` on each active lane. `aux` holds modifiers: bits 0 to 2 negate sources,
/// bits 3 to 5 take absolute values, bit 6 clamps an f64 result, bits 7 and 8
/// are its output modifier.
pub(crate) struct Wide<F>(PhantomData<F>);

/// A double with its modifiers applied.
#[inline(always)]
pub(super) fn modified(bits: u64, aux: u32, source: u32) -> u64 {
    let sign = 1_u64 << 63;
    let bits = if aux >> (3 + source) & 1 != 0 {
        bits & !sign
    } else {
        bits
    };
    if aux >> source & 1 != 0 {
        bits ^ sign
    } else {
        bits
    }
}

#[inline(always)]
pub(super) fn source(wave: &Wave, row: u16, wide: bool, lane: usize, aux: u32, number: u32) -> u64 {
    let low = wave.rows[row as usize].lanes()[lane];
    if !wide {
        let sign = 1_u32 << 31;
        let low = if aux >> (3 + number) & 1 != 0 {
            low & !sign
        } else {
            low
        };
        return u64::from(if aux >> number & 1 != 0 {
            low ^ sign
        } else {
            low
        });
    }
    let high = wave.rows[row as usize + 1].lanes()[lane];
    modified(u64::from(low) | u64::from(high) << 32, aux, number)
}

#[inline(always)]
pub(super) fn set_wide(wave: &mut Wave, row: u16, lane: usize, value: u64) {
    wave.rows[row as usize].lanes_mut()[lane] = value as u32;
    wave.rows[row as usize + 1].lanes_mut()[lane] = (value >> 32) as u32;
}

impl<F: WideFn> Kernel for Wide<F> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        each_lane(wave.exec, |lane| {
            let a = source(wave, op.a, F::WIDE[0], lane, op.aux, 0);
            let b = source(wave, op.b, F::WIDE[1], lane, op.aux, 1);
            let c = source(wave, op.c, F::WIDE[2], lane, op.aux, 2);
            let mut value = F::eval(a, b, c);
            if F::RESULT {
                if op.aux >> 6 != 0 {
                    value = finish(value, op.aux, wave.mode);
                }
                set_wide(wave, op.d, lane, value);
            } else {
                wave.rows[op.d as usize].lanes_mut()[lane] = value as u32;
            }
        });
        next
    }
}

/// Declares functions of doubles and 64-bit integers: which sources are wide,
/// whether the result is.
macro_rules! wide {
    ($($(#[$doc:meta])* $name:ident [$a_wide:literal $b_wide:literal $c_wide:literal => $wide:literal]
       |$a:ident, $b:ident, $c:ident| $body:expr;)+) => {$(
        $(#[$doc])*
        pub(crate) struct $name;

        impl WideFn for $name {
            const WIDE: [bool; 3] = [$a_wide == 2, $b_wide == 2, $c_wide == 2];
            const RESULT: bool = $wide == 2;

            #[inline(always)]
            fn eval($a: u64, $b: u64, $c: u64) -> u64 {
                $body
            }
        }
    )+};
}

fn f(bits: u64) -> f64 {
    f64::from_bits(bits)
}

fn f32_of(bits: u64) -> f32 {
    f32::from_bits(bits as u32)
}

wide! {
    LshlAddU64 [2 1 2 => 2] |a, b, c| (a << (b & 7)).wrapping_add(c);
    AddF64 [2 2 1 => 2] |a, b, _c| (f(a) + f(b)).to_bits();
    MulF64 [2 2 1 => 2] |a, b, _c| (f(a) * f(b)).to_bits();
    FmaF64 [2 2 2 => 2] |a, b, c| f(a).mul_add(f(b), f(c)).to_bits();
    MinF64 [2 2 1 => 2] |a, b, _c| min_f64(a, b);
    MaxF64 [2 2 1 => 2] |a, b, _c| min_f64(a ^ 1 << 63, b ^ 1 << 63) ^ 1 << 63;
    MinimumF64 [2 2 1 => 2] |a, b, _c| minimum_f64(a, b);
    MaximumF64 [2 2 1 => 2] |a, b, _c| minimum_f64(a ^ 1 << 63, b ^ 1 << 63) ^ 1 << 63;
    LdexpF64 [2 1 1 => 2] |a, b, _c| ldexp_f64(a, b as u32 as i32);
    DivFixupF64 [2 2 2 => 2] |a, b, c| div_fixup_f64(a, b, c);
    RcpF64 [2 1 1 => 2] |a, _b, _c| (1.0 / f(a)).to_bits();
    RsqF64 [2 1 1 => 2] |a, _b, _c| (1.0 / f(a).sqrt()).to_bits();
    SqrtF64 [2 1 1 => 2] |a, _b, _c| f(a).sqrt().to_bits();
    TruncF64 [2 1 1 => 2] |a, _b, _c| f(a).trunc().to_bits();
    CeilF64 [2 1 1 => 2] |a, _b, _c| f(a).ceil().to_bits();
    FloorF64 [2 1 1 => 2] |a, _b, _c| f(a).floor().to_bits();
    RoundEvenF64 [2 1 1 => 2] |a, _b, _c| f(a).round_ties_even().to_bits();
    FractF64 [2 1 1 => 2] |a, _b, _c| {
        let fraction = f(a) - f(a).floor();
        if fraction >= 1.0 { 0x3fef_ffff_ffff_ffff } else { fraction.to_bits() }
    };
    FrexpMantF64 [2 1 1 => 2] |a, _b, _c| frexp_f64(a).0;
    FrexpExpF64 [2 1 1 => 1] |a, _b, _c| u64::from(frexp_f64(a).1 as u32);
    CvtF64F32 [1 1 1 => 2] |a, _b, _c| f64::from(f32_of(a)).to_bits();
    CvtF32F64 [2 1 1 => 1] |a, _b, _c| u64::from((f(a) as f32).to_bits());
    CvtF64I32 [1 1 1 => 2] |a, _b, _c| f64::from(a as u32 as i32).to_bits();
    CvtF64U32 [1 1 1 => 2] |a, _b, _c| f64::from(a as u32).to_bits();
    CvtI32F64 [2 1 1 => 1] |a, _b, _c| u64::from(f(a) as i32 as u32);
    CvtU32F64 [2 1 1 => 1] |a, _b, _c| u64::from(f(a) as u32);

    LshlRevB64 [1 2 1 => 2] |a, b, _c| b << (a & 63);
    LshrRevB64 [1 2 1 => 2] |a, b, _c| b >> (a & 63);
    /// `c` in parts of 16 bits.
    QsadPkU16U8 [2 1 2 => 2] |a, b, c| quad_sad(a, b, c, false);
    MqsadPkU16U8 [2 1 2 => 2] |a, b, c| quad_sad(a, b, c, true);
    TrigPreopF64 [2 1 1 => 2] |a, b, _c| trig_preop(a, b as u32);

    AshrRevI64 [1 2 1 => 2] |a, b, _c| (b as i64 >> (a & 63)) as u64;
}

/// A double with output modifier and clamp.
pub(super) fn finish(bits: u64, aux: u32, mode: Mode) -> u64 {
    let mut x = f(bits);
    let omod = aux >> 7 & 3;
    if omod != 0 && mode.obeys_omod(false) {
        x *= [1.0, 2.0, 4.0, 0.5][omod as usize];
    }
    if aux >> 6 & 1 == 0 {
        x.to_bits()
    } else if x.is_nan() {
        if mode.dx10_clamp() { 0 } else { x.to_bits() }
    } else {
        // Also turns -0 into +0.
        x.clamp(0.0, 1.0).abs().to_bits()
    }
}

/// The least; a NaN if there is one.
fn minimum_f64(a: u64, b: u64) -> u64 {
    match f(a).is_nan() || f(b).is_nan() {
        true => (f(a) + f(b)).to_bits(),
        false => min_f64(a, b),
    }
}

fn min_f64(a: u64, b: u64) -> u64 {
    let (x, y) = (f(a), f(b));
    let first = y.is_nan() || x < y || (x == y && x.is_sign_negative());
    if first && !x.is_nan() { a } else { b }
}

/// `x * 2^n`, rounded once.
pub(super) fn ldexp_f64(x: u64, n: i32) -> u64 {
    let value = f(x);
    if value == 0.0 || !value.is_finite() {
        return x;
    }
    let (mantissa, exponent) = frexp_f64(x);
    let exponent = exponent + n.clamp(-5000, 5000);
    let power = |n: i32| f64::from_bits(((1023 + n) as u64) << 52);
    let mantissa = f(mantissa);
    if exponent > 1024 {
        (mantissa * f64::INFINITY).to_bits()
    } else if exponent > 0 {
        (mantissa * power(exponent - 1) * 2.0).to_bits()
    } else if exponent > -1100 {
        // The first product is exact; only the last can be denormal.
        (mantissa * power(exponent + 200) * power(-200)).to_bits()
    } else {
        (mantissa * 0.0).to_bits()
    }
}

fn frexp_f64(x: u64) -> (u64, i32) {
    let value = f(x);
    if value == 0.0 || !value.is_finite() {
        return (x, 0);
    }
    let normal = value.abs() >= f64::MIN_POSITIVE;
    // 2^54 makes any denormal normal.
    let (bits, bias) = if normal {
        (x, 0)
    } else {
        ((value * 18_014_398_509_481_984.0).to_bits(), 54)
    };
    let exponent = (bits >> 52 & 0x7ff) as i32 - 1022 - bias;
    (bits & !(0x7ff << 52) | 1022 << 52, exponent)
}

fn div_fixup_f64(quotient: u64, denominator: u64, numerator: u64) -> u64 {
    let sign_bit = 1_u64 << 63;
    let (n, d) = (f(numerator), f(denominator));
    let sign = (denominator ^ numerator) & sign_bit;
    let infinity = f64::INFINITY.to_bits();
    let exponent = |x: u64| (x >> 52 & 0x7ff) as i32;
    if n.is_nan() {
        numerator | 1 << 51
    } else if d.is_nan() {
        denominator | 1 << 51
    } else if n == 0.0 && d == 0.0 || n.is_infinite() && d.is_infinite() {
        0xfff8_0000_0000_0000
    } else if d == 0.0 || n.is_infinite() {
        sign | infinity
    } else if d.is_infinite() || n == 0.0 || exponent(numerator) - exponent(denominator) < -1075 {
        sign
    } else if f(quotient).is_nan() {
        sign | infinity
    } else {
        sign | quotient & !sign_bit
    }
}

/// `a + b` or their difference with carry: result in row `d`, carry-out in
/// scalar slot `e`. `KIND`: 0 add, 1 `a - b`, 2 `b - a`. With `CARRY_IN`, slot
/// `c` is the carry-in. Bit 6 of `aux` saturates.
pub(crate) struct Carry<const KIND: u8, const CARRY_IN: bool>;

impl<const KIND: u8, const CARRY_IN: bool> Kernel for Carry<KIND, CARRY_IN> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let (mut a, mut b) = (read::<S>(wave, op.a), read::<S>(wave, op.b));
        if KIND == 2 {
            (a, b) = (b, a);
        }
        let carry_in = if CARRY_IN {
            expand::<S>(wave.scalar(op.c))
        } else {
            [S::splat(0); 4]
        };
        let mut result = [S::splat(0); 4];
        let mut carry = [S::splat(0); 4];
        for i in 0..4 {
            // A mask is minus one.
            if KIND == 0 {
                let sum = a[i].add(b[i]);
                let total = sum.sub(carry_in[i]);
                carry[i] = a[i].gt_u32(sum).or(sum.gt_u32(total));
                result[i] = total;
            } else {
                let difference = a[i].sub(b[i]);
                let total = difference.add(carry_in[i]);
                carry[i] = b[i].gt_u32(a[i]).or(total.gt_u32(difference));
                result[i] = total;
            }
        }
        if op.aux >> 6 & 1 != 0 {
            result = if KIND == 0 {
                chunks!(i => result[i].or(carry[i]))
            } else {
                chunks!(i => carry[i].andnot(result[i]))
            };
        }
        let bits = mask_bits(carry) & wave.exec;
        write(wave, op.d, result);
        wave.set_scalar(op.e, bits);
        next
    }
}

/// `a * b + c` in 64 bits, carry-out in scalar slot `e`. Bit 6 of `aux`
/// saturates.
pub(crate) struct Mad64<const SIGNED: bool>;

impl<const SIGNED: bool> Kernel for Mad64<SIGNED> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let saturates = op.aux >> 6 & 1 != 0;
        let mut bits = 0;
        each_lane(wave.exec, |lane| {
            let a = source(wave, op.a, false, lane, 0, 0);
            let b = source(wave, op.b, false, lane, 0, 1);
            let c = source(wave, op.c, true, lane, 0, 2);
            let (value, carry) = if SIGNED {
                let product = i64::from(a as u32 as i32) * i64::from(b as u32 as i32);
                let (value, carry) = product.overflowing_add(c as i64);
                let value = if saturates {
                    product.saturating_add(c as i64)
                } else {
                    value
                };
                (value as u64, carry)
            } else {
                let (value, carry) = (a * b).overflowing_add(c);
                (if saturates && carry { u64::MAX } else { value }, carry)
            };
            set_wide(wave, op.d, lane, value);
            bits |= u32::from(carry) << lane;
        });
        wave.set_scalar(op.e, bits);
        next
    }
}

/// Scales an operand of an f32 division; slot `e` says where to scale back.
pub(crate) struct DivScaleF32;

impl Kernel for DivScaleF32 {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let mut bits = 0;
        each_lane(wave.exec, |lane| {
            let flush = |x: u32| {
                if wave.mode.flush_f32_sources() && x & 0x7f80_0000 == 0 {
                    x & 1 << 31
                } else {
                    x
                }
            };
            let [x, denominator, numerator] = [(op.a, 0), (op.b, 1), (op.c, 2)]
                .map(|(row, number)| flush(source(wave, row, false, lane, op.aux, number) as u32));
            let (value, back) = div_scale(x, denominator, numerator);
            wave.rows[op.d as usize].lanes_mut()[lane] = value;
            bits |= u32::from(back) << lane;
        });
        wave.set_scalar(op.e, bits);
        next
    }
}

/// Fused multiply-add, scaled back where VCC says so.
pub(crate) struct DivFmasF32;

impl Kernel for DivFmasF32 {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let vcc = wave.scalar(slot::VCC + wave.half);
        if vcc & wave.exec == 0 && op.aux == 0 {
            let (a, b, c) = (
                read::<S>(wave, op.a),
                read::<S>(wave, op.b),
                read::<S>(wave, op.c),
            );
            write(wave, op.d, chunks!(i => a[i].fma_f32(b[i], c[i])));
            return next;
        }
        each_lane(wave.exec, |lane| {
            let [a, b, c] = [(op.a, 0), (op.b, 1), (op.c, 2)]
                .map(|(row, number)| source(wave, row, false, lane, op.aux, number) as u32);
            let value = div_fmas(a, b, c, vcc >> lane & 1 != 0);
            wave.rows[op.d as usize].lanes_mut()[lane] = value;
        });
        next
    }
}

/// Scales an operand of an f64 division, as [`DivScaleF32`].
pub(crate) struct DivScaleF64;

impl Kernel for DivScaleF64 {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let mut bits = 0;
        each_lane(wave.exec, |lane| {
            let [x, denominator, numerator] = [(op.a, 0), (op.b, 1), (op.c, 2)]
                .map(|(row, number)| source(wave, row, true, lane, op.aux, number));
            let (value, back) = div_scale_f64(x, denominator, numerator);
            set_wide(wave, op.d, lane, value);
            bits |= u32::from(back) << lane;
        });
        wave.set_scalar(op.e, bits);
        next
    }
}

fn div_scale_f64(x: u64, denominator: u64, numerator: u64) -> (u64, bool) {
    let exponent = |x: u64| (x >> 52 & 0x7ff) as i32;
    let scale_of_denominator = |n| if x == denominator { ldexp_f64(x, n) } else { x };
    if f(denominator) == 0.0 || f(numerator) == 0.0 {
        return (0x7ff8_0000_0000_0000, true);
    }
    let (d, n) = (exponent(denominator), exponent(numerator));
    let huge_denominator = d >= 2045;
    let tiny_quotient = n - d <= -1022;
    if n - d >= 768 {
        (scale_of_denominator(128), true)
    } else if d == 0 {
        (ldexp_f64(x, 128), false)
    } else if huge_denominator && tiny_quotient {
        (scale_of_denominator(-128), true)
    } else if huge_denominator {
        (ldexp_f64(x, -128), false)
    } else if tiny_quotient {
        (if x == numerator { ldexp_f64(x, 128) } else { x }, true)
    } else if n <= 53 {
        (ldexp_f64(x, 128), false)
    } else {
        (x, false)
    }
}

/// Fused multiply-add of doubles, scaled back where VCC says so. A result that
/// is denormal after scaling back is rounded twice.
pub(crate) struct DivFmasF64;

impl Kernel for DivFmasF64 {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let vcc = wave.scalar(slot::VCC + wave.half);
        each_lane(wave.exec, |lane| {
            let [a, b, c] = [(op.a, 0), (op.b, 1), (op.c, 2)]
                .map(|(row, number)| source(wave, row, true, lane, op.aux, number));
            let sum = f(a).mul_add(f(b), f(c)).to_bits();
            let value = if vcc >> lane & 1 == 0 {
                sum
            } else {
                ldexp_f64(sum, if (c >> 52 & 0x7ff) > 1023 { 128 } else { -128 })
            };
            set_wide(wave, op.d, lane, value);
        });
        next
    }
}

/// Signed four-by-four bytes (`STEP` 8) or eight-by-eight nibbles (`STEP` 4)
/// dot product plus `c`. `aux` bits 0 and 1: the sources are signed; bit 6: saturate.
pub(crate) struct DotSigned<const STEP: u32>;

impl<const STEP: u32> Kernel for DotSigned<STEP> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        each_lane(wave.exec, |lane| {
            let [a, b, c] = [op.a, op.b, op.c].map(|row| wave.rows[row as usize].lanes()[lane]);
            let part = |x: u32, i: u32, signed: bool| {
                let up = x << (32 - STEP - i);
                if signed {
                    i64::from(up as i32 >> (32 - STEP))
                } else {
                    i64::from(up >> (32 - STEP))
                }
            };
            let mut sum = i64::from(c as i32);
            let mut i = 0;
            while i < 32 {
                sum += part(a, i, op.aux & 1 != 0) * part(b, i, op.aux & 2 != 0);
                i += STEP;
            }
            let value = if op.aux >> 6 & 1 != 0 {
                sum.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as u32
            } else {
                sum as u32
            };
            wave.rows[op.d as usize].lanes_mut()[lane] = value;
        });
        next
    }
}

/// Four masked sums of absolute differences plus the four rows from `c`, into
/// four rows.
pub(crate) struct MqsadU32U8;

impl Kernel for MqsadU32U8 {
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        each_lane(wave.exec, |lane| {
            let a = source(wave, op.a, true, lane, 0, 0);
            let b = source(wave, op.b, false, lane, 0, 1) as u32;
            let c = std::array::from_fn(|i| wave.rows[op.c as usize + i].lanes()[lane]);
            for (i, sum) in quad_masked_sad(a, b, c).into_iter().enumerate() {
                wave.rows[op.d as usize + i].lanes_mut()[lane] = sum;
            }
        });
        next
    }
}
