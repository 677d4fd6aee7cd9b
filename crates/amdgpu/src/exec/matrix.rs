//! Matrix multiply-accumulate of 16×16 tiles (`v_wmma_*`), for waves of 32.
//!
//! Row *i* of A and column *j* of B lie in lanes *i* and *j* (and again 16
//! lanes up), element *k* in the *k*-th part of the registers. Register *r* of
//! C and D holds row 2*r* in the lower 16 lanes and row 2*r* + 1 in the upper.
//!
//! Products are summed in order of *k* by fused multiply-adds. The hardware's
//! order and rounding are not public: results are close, not bit for bit.

use std::marker::PhantomData;

use super::Env;
use crate::program::Op;
use crate::simd::{Kernel, Row, Simd};
use crate::wave::Wave;

/// Length of a side of a tile.
const SIDE: usize = 16;

/// Elements of A and B, and how they are multiplied and added.
pub(crate) trait Element {
    /// Elements in one register.
    const PER_REGISTER: usize;

    /// Element `part` of each register; `signed` matters to integers.
    fn extract<S: Simd>(registers: S, part: usize, signed: bool) -> S;

    fn multiply_add<S: Simd>(a: S, b: S, sum: S) -> S;
}

/// Half floats.
pub(crate) struct F16;
/// Brain floats.
pub(crate) struct Bf16;
/// Bytes (`BITS` 8) or nibbles (4), signed or not.
pub(crate) struct Integer<const BITS: usize>;

impl Element for F16 {
    const PER_REGISTER: usize = 2;

    #[inline(always)]
    fn extract<S: Simd>(registers: S, part: usize, _: bool) -> S {
        registers
            .shr(S::splat(16 * part as u32))
            .and(S::splat(0xffff))
            .f16_to_f32()
    }

    #[inline(always)]
    fn multiply_add<S: Simd>(a: S, b: S, sum: S) -> S {
        a.fma_f32(b, sum)
    }
}

impl Element for Bf16 {
    const PER_REGISTER: usize = 2;

    #[inline(always)]
    fn extract<S: Simd>(registers: S, part: usize, _: bool) -> S {
        registers.shr(S::splat(16 * part as u32)).shl(S::splat(16))
    }

    #[inline(always)]
    fn multiply_add<S: Simd>(a: S, b: S, sum: S) -> S {
        a.fma_f32(b, sum)
    }
}

impl<const BITS: usize> Element for Integer<BITS> {
    const PER_REGISTER: usize = 32 / BITS;

    #[inline(always)]
    fn extract<S: Simd>(registers: S, part: usize, signed: bool) -> S {
        let up = registers.shl(S::splat((32 - BITS - BITS * part) as u32));
        let down = S::splat((32 - BITS) as u32);
        if signed { up.sar(down) } else { up.shr(down) }
    }

    #[inline(always)]
    fn multiply_add<S: Simd>(a: S, b: S, sum: S) -> S {
        a.mul_lo(b).add(sum)
    }
}

/// D = A·B + C with dwords in C and D. `aux` bits 0 and 1: A, B are signed;
/// bit 2: C is one constant row.
pub(crate) struct Wmma<E>(PhantomData<E>);

/// The same with halves in C and D: in the upper halves of the registers if
/// `aux` bit 3 is set, brain floats if bit 4 is.
pub(crate) struct WmmaHalf<E>(PhantomData<E>);

/// `tile[k]` holds element *k* of the 16 rows (columns).
type Tile<S> = [[S; 2]; SIDE];

#[inline(always)]
fn tile<E: Element, S: Simd>(wave: &Wave, first: u16, signed: bool) -> Tile<S> {
    let mut tile = [[S::splat(0); 2]; SIDE];
    for (k, pair) in tile.iter_mut().enumerate() {
        let row = &wave.rows[first as usize + k / E::PER_REGISTER];
        for (chunk, values) in pair.iter_mut().enumerate() {
            let registers = S::from_array(row.0[chunk]);
            *values = E::extract(registers, k % E::PER_REGISTER, signed);
        }
    }
    tile
}

/// The product of two tiles added to eight registers of dwords.
#[inline(always)]
fn multiply<E: Element, S: Simd>(wave: &Wave, op: &Op, sums: &mut [Row; 8]) {
    let a = tile::<E, S>(wave, op.a, op.aux & 1 != 0);
    let mut factors = [[0; SIDE]; SIDE];
    for (factors, pair) in factors.iter_mut().zip(a) {
        factors[..8].copy_from_slice(&pair[0].to_array());
        factors[8..].copy_from_slice(&pair[1].to_array());
    }
    let b = tile::<E, S>(wave, op.b, op.aux & 2 != 0);
    for (register, sum) in sums.iter_mut().enumerate() {
        for side in 0..2 {
            let row = 2 * register + side;
            let mut low = S::from_array(sum.0[2 * side]);
            let mut high = S::from_array(sum.0[2 * side + 1]);
            for k in 0..SIDE {
                let factor = S::splat(factors[k][row]);
                low = E::multiply_add(factor, b[k][0], low);
                high = E::multiply_add(factor, b[k][1], high);
            }
            sum.0[2 * side] = low.to_array();
            sum.0[2 * side + 1] = high.to_array();
        }
    }
}

#[inline(always)]
fn accumulators(wave: &Wave, op: &Op) -> [Row; 8] {
    let step = usize::from(op.aux & 4 == 0);
    std::array::from_fn(|i| wave.rows[op.c as usize + step * i])
}

impl<E: Element> Kernel for Wmma<E> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let mut sums = accumulators(wave, op);
        multiply::<E, S>(wave, op, &mut sums);
        wave.rows[op.d as usize..][..8].copy_from_slice(&sums);
        next
    }
}

impl<E: Element> Kernel for WmmaHalf<E> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let shift = if op.aux & 8 != 0 { 16 } else { 0 };
        let brain = op.aux & 16 != 0;
        let mut sums = accumulators(wave, op);
        let constant = op.aux & 4 != 0;
        for sum in &mut sums {
            for chunk in &mut sum.0 {
                let from = if constant { 0 } else { shift };
                let half = S::from_array(*chunk)
                    .shr(S::splat(from))
                    .and(S::splat(0xffff));
                let wide = if brain {
                    half.shl(S::splat(16))
                } else {
                    half.f16_to_f32()
                };
                *chunk = wide.to_array();
            }
        }
        multiply::<E, S>(wave, op, &mut sums);
        for (register, sum) in sums.iter().enumerate() {
            let d = &mut wave.rows[op.d as usize + register];
            for (old, new) in d.0.iter_mut().zip(&sum.0) {
                let new = S::from_array(*new);
                let half = if brain {
                    round_to_brain(new)
                } else {
                    new.f32_to_f16()
                };
                let keep = S::splat(!(0xffff << shift));
                let kept = S::from_array(*old).and(keep);
                *old = kept.or(half.shl(S::splat(shift))).to_array();
            }
        }
        next
    }
}

/// f32 to a brain float in the low half, to nearest even; NaN stays NaN.
#[inline(always)]
fn round_to_brain<S: Simd>(x: S) -> S {
    let sixteen = S::splat(16);
    let odd = x.shr(sixteen).and(S::splat(1));
    let rounded = x.add(odd).add(S::splat(0x7fff)).shr(sixteen);
    let quiet = x.shr(sixteen).or(S::splat(0x40));
    S::select(x.is_nan_f32(), quiet, rounded)
}
