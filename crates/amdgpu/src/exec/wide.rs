//! Vector instructions with 64-bit operands, and those that give a carry or
//! other mask beside their result.

use std::marker::PhantomData;

use super::lane::{
    WideFn, div_fmas, div_fmas_wide, div_scale, div_scale_wide, finish, quad_masked_sad,
};
use super::vector::flush;
use super::{Env, each_lane, pair, read, write};
use crate::program::Op;
use crate::simd::{Kernel, Simd, Simd64, chunks, mask_bits};
use crate::wave::{Wave, expand, slot};

/// `F` on whole rows. `aux` holds modifiers: bits 0 to 2 negate sources, bits 3
/// to 5 take absolute values, bit 6 clamps an f64 result, bits 7 and 8 are its
/// output modifier.
pub(crate) struct Wide<F>(PhantomData<F>);

/// Chunk `chunk` of source `number`, one or two rows, with its modifiers.
#[inline(always)]
pub(super) fn source<S: Simd>(
    wave: &Wave,
    row: u16,
    wide: bool,
    chunk: usize,
    aux: u32,
    number: u32,
) -> [S::Wide; 2] {
    let low = S::from_array(wave.rows[row as usize].0[chunk]);
    let high = if wide {
        S::from_array(wave.rows[row as usize + 1].0[chunk])
    } else {
        S::splat(0)
    };
    if aux & 0x3f == 0 {
        return S::join(low, high);
    }
    if wide {
        S::join(low, with_sign(high, aux, number))
    } else {
        S::join(with_sign(low, aux, number), high)
    }
}

/// The dwords that have the signs of source `number`, with its modifiers.
#[inline(always)]
fn with_sign<S: Simd>(x: S, aux: u32, number: u32) -> S {
    let flip = S::splat((aux >> number & 1) << 31);
    let keep = S::splat(!((aux >> (number + 3) & 1) << 31));
    x.and(keep).xor(flip)
}

/// Writes two rows.
#[inline(always)]
pub(super) fn write_pair<S: Simd>(wave: &mut Wave, row: u16, values: [[S; 2]; 4]) {
    write(wave, row, chunks!(i => values[i][0]));
    write(wave, row + 1, chunks!(i => values[i][1]));
}

impl<F: WideFn> Kernel for Wide<F> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let values = chunks!(i => {
            let a = source::<S>(wave, op.a, F::WIDE[0], i, op.aux, 0);
            let b = if F::ARITY > 1 {
                source::<S>(wave, op.b, F::WIDE[1], i, op.aux, 1)
            } else {
                a
            };
            let c = if F::ARITY > 2 {
                source::<S>(wave, op.c, F::WIDE[2], i, op.aux, 2)
            } else {
                a
            };
            let mut value = [F::eval(a[0], b[0], c[0]), F::eval(a[1], b[1], c[1])];
            if F::RESULT && op.aux >> 6 != 0 {
                value = [
                    finish(value[0], op.aux, wave.mode),
                    finish(value[1], op.aux, wave.mode),
                ];
            }
            S::split(value)
        });
        if F::RESULT {
            write_pair(wave, op.d, values);
        } else {
            write(wave, op.d, chunks!(i => values[i][0]));
        }
        next
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

/// One half of a [`Mad64`]: result and mask of those that carry.
#[inline(always)]
fn mad_64<W: Simd64, const SIGNED: bool>(a: W, b: W, c: W, saturates: bool) -> [W; 2] {
    let (sum, carry, limit) = if SIGNED {
        let product = a.mul_i32(b);
        let sum = product.add(c);
        // Both have a sign that the sum has not.
        let carry = product.xor(sum).and(c.xor(sum)).sign_mask();
        (sum, carry, product.sign_mask().xor(W::splat(u64::MAX >> 1)))
    } else {
        let sum = a.mul_u32(b).add(c);
        (sum, c.gt_u64(sum), W::splat(u64::MAX))
    };
    let value = if saturates {
        W::select(carry, limit, sum)
    } else {
        sum
    };
    [value, carry]
}

impl<const SIGNED: bool> Kernel for Mad64<SIGNED> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let saturates = op.aux >> 6 & 1 != 0;
        let results = chunks!(i => {
            let a = source::<S>(wave, op.a, false, i, 0, 0);
            let b = source::<S>(wave, op.b, false, i, 0, 1);
            let c = source::<S>(wave, op.c, true, i, 0, 2);
            let first = mad_64::<_, SIGNED>(a[0], b[0], c[0], saturates);
            let second = mad_64::<_, SIGNED>(a[1], b[1], c[1], saturates);
            let [carry, _] = S::split([first[1], second[1]]);
            (S::split([first[0], second[0]]), carry)
        });
        let bits = mask_bits(chunks!(i => results[i].1)) & wave.exec;
        write_pair(wave, op.d, chunks!(i => results[i].0));
        wave.set_scalar(op.e, bits);
        next
    }
}

/// Scales an operand of an f32 division; slot `e` says where to scale back.
/// `aux` as for [`Wide`].
pub(crate) struct DivScaleF32;

impl Kernel for DivScaleF32 {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let flushes = wave.mode.flush_f32_sources();
        let rows = [read::<S>(wave, op.a), read(wave, op.b), read(wave, op.c)];
        let results = chunks!(i => {
            let mut x = with_sign(rows[0][i], op.aux, 0);
            let mut denominator = with_sign(rows[1][i], op.aux, 1);
            let mut numerator = with_sign(rows[2][i], op.aux, 2);
            if flushes {
                x = flush(x);
                denominator = flush(denominator);
                numerator = flush(numerator);
            }
            div_scale(x, denominator, numerator)
        });
        let bits = mask_bits(chunks!(i => results[i][1])) & wave.exec;
        write(wave, op.d, chunks!(i => results[i][0]));
        wave.set_scalar(op.e, bits);
        next
    }
}

/// Fused multiply-add, scaled back where VCC says so. `aux` as for [`Wide`].
pub(crate) struct DivFmasF32;

impl Kernel for DivFmasF32 {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let vcc = wave.scalar(slot::VCC + wave.half);
        let rows = [read::<S>(wave, op.a), read(wave, op.b), read(wave, op.c)];
        let a = chunks!(i => with_sign(rows[0][i], op.aux, 0));
        let b = chunks!(i => with_sign(rows[1][i], op.aux, 1));
        let c = chunks!(i => with_sign(rows[2][i], op.aux, 2));
        let mut result = chunks!(i => a[i].fma_f32(b[i], c[i]));
        if vcc & wave.exec != 0 {
            let back = expand::<S>(vcc);
            result = chunks!(i => {
                S::select(back[i], div_fmas(a[i], b[i], c[i]), result[i])
            });
        }
        write(wave, op.d, result);
        next
    }
}

/// Scales an operand of an f64 division, as [`DivScaleF32`].
pub(crate) struct DivScaleF64;

impl Kernel for DivScaleF64 {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let results = chunks!(i => {
            let x = source::<S>(wave, op.a, true, i, op.aux, 0);
            let denominator = source::<S>(wave, op.b, true, i, op.aux, 1);
            let numerator = source::<S>(wave, op.c, true, i, op.aux, 2);
            let first = div_scale_wide(x[0], denominator[0], numerator[0]);
            let second = div_scale_wide(x[1], denominator[1], numerator[1]);
            let [back, _] = S::split([first[1], second[1]]);
            (S::split([first[0], second[0]]), back)
        });
        let bits = mask_bits(chunks!(i => results[i].1)) & wave.exec;
        write_pair(wave, op.d, chunks!(i => results[i].0));
        wave.set_scalar(op.e, bits);
        next
    }
}

/// Fused multiply-add of doubles, scaled back where VCC says so.
pub(crate) struct DivFmasF64;

impl Kernel for DivFmasF64 {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let back = expand::<S>(wave.scalar(slot::VCC + wave.half));
        let values = chunks!(i => {
            let a = source::<S>(wave, op.a, true, i, op.aux, 0);
            let b = source::<S>(wave, op.b, true, i, op.aux, 1);
            let c = source::<S>(wave, op.c, true, i, op.aux, 2);
            let back = S::join(back[i], back[i]);
            S::split([
                div_fmas_wide(a[0], b[0], c[0], back[0]),
                div_fmas_wide(a[1], b[1], c[1], back[1]),
            ])
        });
        write_pair(wave, op.d, values);
        next
    }
}

/// Signed four-by-four bytes (`STEP` 8) or eight-by-eight nibbles (`STEP` 4)
/// dot product plus `c`. `aux` bits 0 and 1: the sources are signed; bit 6: saturate.
pub(crate) struct DotSigned<const STEP: u32>;

/// Part of each dword from bit `at`, sign-extended if `signed`.
#[inline(always)]
fn part<S: Simd, const STEP: u32>(x: S, at: u32, signed: bool) -> S {
    let up = x.shl(S::splat(32 - STEP - at));
    let down = S::splat(32 - STEP);
    if signed { up.sar(down) } else { up.shr(down) }
}

impl<const STEP: u32> Kernel for DotSigned<STEP> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let rows = [read::<S>(wave, op.a), read(wave, op.b), read(wave, op.c)];
        let [a_signed, b_signed] = [op.aux & 1 != 0, op.aux & 2 != 0];
        let saturates = op.aux >> 6 & 1 != 0;
        let result = chunks!(i => {
            let (a, b, c) = (rows[0][i], rows[1][i], rows[2][i]);
            let mut products = S::splat(0);
            let mut at = 0;
            while at < 32 {
                let (x, y) = (part::<S, STEP>(a, at, a_signed), part::<S, STEP>(b, at, b_signed));
                products = products.add(x.mul_lo(y));
                at += STEP;
            }
            let sum = products.add(c);
            if saturates {
                // Both have a sign that the sum has not.
                let overflows = products.xor(sum).and(c.xor(sum)).sar(S::splat(31));
                let limit = c.sar(S::splat(31)).xor(S::splat(i32::MAX as u32));
                S::select(overflows, limit, sum)
            } else {
                sum
            }
        });
        write(wave, op.d, result);
        next
    }
}

/// Four masked sums of absolute differences plus the four rows from `c`, into
/// four rows.
pub(crate) struct MqsadU32U8;

impl Kernel for MqsadU32U8 {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        each_lane(wave.exec, |lane| {
            let row = |index: u16| &wave.rows[index as usize];
            let a = pair(row(op.a), row(op.a + 1), lane);
            let b = row(op.b).lanes()[lane];
            let c = std::array::from_fn(|i| row(op.c + i as u16).lanes()[lane]);
            for (i, sum) in quad_masked_sad(a, b, c).into_iter().enumerate() {
                wave.rows[op.d as usize + i].lanes_mut()[lane] = sum;
            }
        });
        next
    }
}
