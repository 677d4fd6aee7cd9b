//! Vector instructions whose lanes do not look at each other.
//!
//! An instruction with half-precision operands, clamps and the like is lowered
//! to several ops: one [`Take`] for each source that is not a whole dword as it
//! is, the function itself, and a [`Finish`] or [`Join`] for the result.

use std::marker::PhantomData;

use super::lane::Lane;
use super::rounded::{RoundedCvtF16F32, RoundedFn};
use super::{Env, read, write};
use crate::program::Op;
use crate::simd::{Kernel, Row, Simd, chunks};
use crate::wave::{Mode, Wave, expand};

/// `F` on whole dwords, without modifiers.
pub(crate) struct Plain<F>(PhantomData<F>);

/// `F` of this op and those behind it, `imm` in all, as if each were a [`Plain`]
/// on its own: most of the time of a lone op goes into getting there.
pub(crate) struct Run<F>(PhantomData<F>);

/// `F` on f32 sources with signs changed: `aux` bits 0 to 2 negate, bits 3 to 5
/// take absolute values first.
pub(crate) struct Signed<F>(PhantomData<F>);

/// Row `d` = scalar slot `a` in every lane.
pub(crate) struct Splat;

/// Row `d` = row `b` where the mask in slot `c` is set, else row `a`.
pub(crate) struct Select;

/// Row `d` = row `a` as a source is to be taken: shifted right, masked by
/// `imm`, with `aux` flipped; `e` holds the shift and the flags below.
pub(crate) struct Take;

/// Row `d` = row `a` as a result is to be given; `e` holds the shift and the
/// flags below, `imm` the bits of row `d` that stay.
pub(crate) struct Finish;

/// Row `d` = the low halves of the results in rows `a` and `b`, each finished
/// by the flags in `e`.
pub(crate) struct Join;

/// Row `d` = halves of row `a`: bits 0 and 1 of `e` say from which half the low
/// and the high one come, `aux` is flipped.
pub(crate) struct Arrange;

/// `e` bits of [`Take`], [`Finish`] and [`Join`]; the lowest five are the shift.
pub(crate) mod form {
    /// Source: a half float to widen. Result: an f32 to round to a half float.
    pub(crate) const HALF: u16 = 1 << 5;
    /// An f32 of which a denormal may be flushed.
    pub(crate) const FLUSH: u16 = 1 << 6;
    /// Clamp to 0..1.
    pub(crate) const CLAMP: u16 = 1 << 7;
    /// The result is a half float already (matters to a clamp).
    pub(crate) const IS_HALF: u16 = 1 << 8;
    /// Output modifier, two bits: times 2, times 4, divided by 2.
    pub(crate) const OMOD: u16 = 9;
    /// Source: a part whose sign is extended; `aux` has its sign bit.
    pub(crate) const SIGNED: u16 = 1 << 11;
    /// Source: cut to 16 bits after that.
    pub(crate) const NARROW: u16 = 1 << 12;
}

#[inline(always)]
fn eval<F: Lane, S: Simd>(a: [S; 4], b: [S; 4], c: [S; 4]) -> [S; 4] {
    [
        F::eval(a[0], b[0], c[0]),
        F::eval(a[1], b[1], c[1]),
        F::eval(a[2], b[2], c[2]),
        F::eval(a[3], b[3], c[3]),
    ]
}

impl<F: Lane> Kernel for Plain<F> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let result = of_rows::<F, S>(&wave.rows, op);
        write(wave, op.d, result);
        next
    }
}

impl<F: Lane> Kernel for Run<F> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
        let others = op.imm - 1;
        let end = next + others;
        let ops = &env.program.ops()[next as usize - 1..end as usize];
        wave.joined += u64::from(others);
        let rows = wave.rows.as_mut_slice();
        if wave.exec == u32::MAX {
            for op in ops {
                let result = of_rows::<F, S>(rows, op);
                rows[op.d as usize].set(result);
            }
        } else {
            for op in ops {
                let result = of_rows::<F, S>(rows, op);
                rows[op.d as usize].blend(result, &wave.mask);
            }
        }
        end
    }
}

/// `F` of the rows that an op names.
#[inline(always)]
fn of_rows<F: Lane, S: Simd>(rows: &[Row], op: &Op) -> [S; 4] {
    let a = rows[op.a as usize].get::<S>();
    let b = if F::ARITY > 1 {
        rows[op.b as usize].get()
    } else {
        a
    };
    let c = if F::ARITY > 2 {
        rows[op.c as usize].get()
    } else {
        a
    };
    eval::<F, S>(a, b, c)
}

impl<F: Lane> Kernel for Signed<F> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let a = with_sign::<S>(wave, op.a, op.aux, 0);
        let b = if F::ARITY > 1 {
            with_sign(wave, op.b, op.aux, 1)
        } else {
            a
        };
        let c = if F::ARITY > 2 {
            with_sign(wave, op.c, op.aux, 2)
        } else {
            a
        };
        write(wave, op.d, eval::<F, S>(a, b, c));
        next
    }
}

impl Kernel for Splat {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let value = S::splat(wave.scalar(op.a));
        wave.rows[op.d as usize].set([value; 4]);
        next
    }
}

impl Kernel for Select {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let mask = expand::<S>(wave.scalar(op.c));
        let (no, yes) = (read::<S>(wave, op.a), read::<S>(wave, op.b));
        write(wave, op.d, chunks!(i => S::select(mask[i], yes[i], no[i])));
        next
    }
}

impl Kernel for Take {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let shift = S::splat(u32::from(op.e & 31));
        let (mask, flip) = (S::splat(op.imm), S::splat(op.aux));
        let x = read::<S>(wave, op.a);
        let mut x = chunks!(i => x[i].shr(shift).and(mask).xor(flip));
        if op.e & form::SIGNED != 0 {
            x = chunks!(i => x[i].sub(flip));
        }
        if op.e & form::NARROW != 0 {
            x = chunks!(i => x[i].and(S::splat(0xffff)));
        }
        if op.e & form::HALF != 0 {
            if wave.mode.flush_f16_f64_sources() {
                x = chunks!(i => flush_half(x[i]));
            }
            x = chunks!(i => x[i].f16_to_f32());
        }
        if op.e & form::FLUSH != 0 && wave.mode.flush_f32_sources() {
            x = chunks!(i => flush(x[i]));
        }
        write(wave, op.d, x);
        next
    }
}

impl Kernel for Arrange {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let (half, sixteen, flip) = (S::splat(0xffff), S::splat(16), S::splat(op.aux));
        let x = read::<S>(wave, op.a);
        let result = chunks!(i => {
            let [low, high] = [x[i].and(half), x[i].shr(sixteen)];
            let first = if op.e & 1 != 0 { high } else { low };
            let second = if op.e & 2 != 0 { high } else { low };
            first.or(second.shl(sixteen)).xor(flip)
        });
        write(wave, op.d, result);
        next
    }
}

impl Kernel for Finish {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let x = finish(read::<S>(wave, op.a), op.e, wave.mode);
        let keep = S::splat(op.imm);
        let shift = S::splat(u32::from(op.e & 31));
        let old = read::<S>(wave, op.d);
        write(
            wave,
            op.d,
            chunks!(i => keep.andnot(x[i].shl(shift)).or(old[i].and(keep))),
        );
        next
    }
}

impl Kernel for Join {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let low = finish(read::<S>(wave, op.a), op.e, wave.mode);
        let high = finish(read::<S>(wave, op.b), op.e, wave.mode);
        let (half, sixteen) = (S::splat(0xffff), S::splat(16));
        write(
            wave,
            op.d,
            chunks!(i => low[i].and(half).or(high[i].shl(sixteen))),
        );
        next
    }
}

/// A row with the sign changes of source `number`.
#[inline(always)]
fn with_sign<S: Simd>(wave: &Wave, row: u16, aux: u32, number: u32) -> [S; 4] {
    let flip = S::splat((aux >> number & 1) << 31);
    let keep = S::splat(!((aux >> (number + 3) & 1) << 31));
    let x = read::<S>(wave, row);
    chunks!(i => x[i].and(keep).xor(flip))
}

/// A result with output modifier, clamp, flush and rounding to half.
#[inline(always)]
fn finish<S: Simd>(mut x: [S; 4], flags: u16, mode: Mode) -> [S; 4] {
    let clamps = flags & form::CLAMP != 0;
    let omod_asked = flags >> form::OMOD & 3 != 0;
    let was_half = flags & form::IS_HALF != 0 && (clamps || omod_asked);
    if was_half {
        x = chunks!(i => x[i].f16_to_f32());
    }
    let omod = flags >> form::OMOD & 3;
    let is_f32 = flags & (form::HALF | form::IS_HALF) == 0;
    if omod != 0 && mode.obeys_omod(is_f32) {
        let factor = S::splat([1.0_f32, 2.0, 4.0, 0.5][omod as usize].to_bits());
        x = chunks!(i => x[i].mul_f32(factor));
    }
    if clamps {
        x = chunks!(i => clamp(x[i], mode.dx10_clamp()));
    }
    if flags & form::FLUSH != 0 && mode.flush_f32_results() {
        x = chunks!(i => flush(x[i]));
    }
    if was_half || flags & form::HALF != 0 {
        x = if mode.halves_are_plain() {
            chunks!(i => x[i].f32_to_f16())
        } else {
            chunks!(i => to_half(x[i], mode))
        };
    }
    x
}

/// f32 to f16 by the mode.
#[cold]
fn to_half<S: Simd>(x: S, mode: Mode) -> S {
    let round = |x| <RoundedCvtF16F32 as RoundedFn>::eval(x, 0, 0, mode);
    S::from_array(x.to_array().map(round))
}

/// Denormal f16 to zero of the same sign.
#[inline(always)]
fn flush_half<S: Simd>(x: S) -> S {
    let tiny = x.and(S::splat(0x7c00)).eq_u32(S::splat(0));
    S::select(tiny, x.and(S::splat(0x8000)), x)
}

/// To 0..1; NaN to zero, or as it is.
#[inline(always)]
fn clamp<S: Simd>(x: S, nan_to_zero: bool) -> S {
    let one = S::splat(1.0_f32.to_bits());
    let clamped = x.raw_max_f32(S::splat(0)).raw_min_f32(one);
    if nan_to_zero {
        clamped
    } else {
        S::select(x.is_nan_f32(), x, clamped)
    }
}

/// Denormal f32 to zero of the same sign.
#[inline(always)]
pub(super) fn flush<S: Simd>(x: S) -> S {
    let tiny = x.and(S::splat(0x7f80_0000)).eq_u32(S::splat(0));
    S::select(tiny, x.and(S::splat(1 << 31)), x)
}

/// A function of three bits for each bit of rows `a`, `b` and `c`; `imm` has its
/// results, by `4 a + 2 b + c`.
pub(crate) struct TruthTable;

impl Kernel for TruthTable {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let [a, b, c] = [op.a, op.b, op.c].map(|row| wave.rows[row as usize].get::<S>());
        let ones = S::splat(u32::MAX);
        let result = chunks!(i => {
            let pick = |bit: u32, x: S| if bit != 0 { x } else { x.xor(ones) };
            let mut sum = S::splat(0);
            for term in (0..8).filter(|term| op.imm >> term & 1 != 0) {
                let factors = [pick(term & 4, a[i]), pick(term & 2, b[i]), pick(term & 1, c[i])];
                sum = sum.or(factors[0].and(factors[1]).and(factors[2]));
            }
            sum
        });
        write(wave, op.d, result);
        next
    }
}
