//! Matrix multiply-accumulate of 16×16 tiles (`v_wmma_*`).
//!
//! Row *i* of A and column *j* of B lie in lanes *i* and *j* (and again every 16
//! lanes up), element *k* in the *k*-th part of the registers. With 32 lanes
//! register *r* of C and D holds row 2*r* in the lower 16 lanes and row 2*r* + 1
//! in the upper; with 64 lanes rows 4*r* to 4*r* + 3, 16 lanes each.
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

/// `aux` bits.
pub(crate) mod flags {
    /// A and B are signed integers.
    pub(crate) const SIGNED_A: u32 = 1;
    pub(crate) const SIGNED_B: u32 = 2;
    /// C is one constant row.
    pub(crate) const CONSTANT: u32 = 4;
    /// Halves of C and D lie in the upper halves of their registers.
    pub(crate) const UPPER: u32 = 8;
    /// Halves of C and D are brain floats.
    pub(crate) const BRAIN: u32 = 16;
    /// Integer results saturate.
    pub(crate) const CLAMP: u32 = 32;
    /// C is negated; its absolute value is taken first.
    pub(crate) const NEGATE_C: u32 = 64;
    pub(crate) const ABS_C: u32 = 128;
    /// Elements of A with even, with odd number are negated; then those of B.
    pub(crate) const NEGATE_A_EVEN: u32 = 256;
    pub(crate) const NEGATE_A_ODD: u32 = 512;
    pub(crate) const NEGATE_B_EVEN: u32 = 1024;
    pub(crate) const NEGATE_B_ODD: u32 = 2048;
    /// The wave has 64 lanes; the op is for its upper half.
    pub(crate) const WAVE64: u32 = 4096;
    pub(crate) const UPPER_LANES: u32 = 8192;
}

/// D = A·B + C with dwords in C and D; `aux` as in [`flags`].
pub(crate) struct Wmma<E>(PhantomData<E>);

/// The same with halves in C and D.
pub(crate) struct WmmaHalf<E>(PhantomData<E>);

/// Registers of C and D, and the row in the lower lanes of each.
struct Shape {
    registers: usize,
    first: usize,
    step: usize,
}

impl Shape {
    fn of(op: &Op) -> Shape {
        if op.aux & flags::WAVE64 == 0 {
            return Shape {
                registers: 8,
                first: 0,
                step: 2,
            };
        }
        Shape {
            registers: 4,
            first: if op.aux & flags::UPPER_LANES != 0 {
                2
            } else {
                0
            },
            step: 4,
        }
    }
}

/// `tile[k]` holds element *k* of the 16 rows (columns).
type Tile<S> = [[S; 2]; SIDE];

/// The elements of A or B; `flips` are the sign bits to change in those with
/// even and with odd number.
#[inline(always)]
fn tile<E: Element, S: Simd>(wave: &Wave, first: u16, signed: bool, flips: [u32; 2]) -> Tile<S> {
    let mut tile = [[S::splat(0); 2]; SIDE];
    for (k, pair) in tile.iter_mut().enumerate() {
        let row = &wave.rows[first as usize + k / E::PER_REGISTER];
        for (chunk, values) in pair.iter_mut().enumerate() {
            let registers = S::from_array(row.0[chunk]);
            let value = E::extract(registers, k % E::PER_REGISTER, signed);
            *values = value.xor(S::splat(flips[k % 2]));
        }
    }
    tile
}

/// The sign bit if the flag is set.
#[inline(always)]
fn flip(aux: u32, flag: u32) -> u32 {
    if aux & flag != 0 { 1 << 31 } else { 0 }
}

/// A and B of an op.
#[inline(always)]
fn tiles<E: Element, S: Simd>(wave: &Wave, op: &Op) -> [Tile<S>; 2] {
    let signed = [flags::SIGNED_A, flags::SIGNED_B].map(|flag| op.aux & flag != 0);
    let flips = |even, odd| [flip(op.aux, even), flip(op.aux, odd)];
    [
        tile::<E, S>(
            wave,
            op.a,
            signed[0],
            flips(flags::NEGATE_A_EVEN, flags::NEGATE_A_ODD),
        ),
        tile::<E, S>(
            wave,
            op.b,
            signed[1],
            flips(flags::NEGATE_B_EVEN, flags::NEGATE_B_ODD),
        ),
    ]
}

/// The product of two tiles added to registers of dwords.
#[inline(always)]
fn multiply<E: Element, S: Simd>(wave: &Wave, op: &Op, sums: &mut [Row; 8]) {
    let [a, b] = tiles::<E, S>(wave, op);
    let mut factors = [[0; SIDE]; SIDE];
    for (factors, pair) in factors.iter_mut().zip(a) {
        factors[..8].copy_from_slice(&pair[0].to_array());
        factors[8..].copy_from_slice(&pair[1].to_array());
    }
    let shape = Shape::of(op);
    for (register, sum) in sums.iter_mut().take(shape.registers).enumerate() {
        for side in 0..2 {
            let row = shape.first + shape.step * register + side;
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

/// The same of integers, where results that do not fit become the nearest that
/// do.
#[cold]
fn multiply_saturating<E: Element, S: Simd>(wave: &Wave, op: &Op, sums: &mut [Row; 8]) {
    let [a, b] = tiles::<E, S>(wave, op).map(|tile| tile.map(|pair| pair.map(S::to_array)));
    let element =
        |tile: &[[[u32; 8]; 2]; SIDE], k: usize, i: usize| i64::from(tile[k][i / 8][i % 8] as i32);
    let shape = Shape::of(op);
    for (register, sum) in sums.iter_mut().take(shape.registers).enumerate() {
        for (lane, value) in sum.lanes_mut().iter_mut().enumerate() {
            let (row, column) = (shape.first + shape.step * register + lane / 16, lane % 16);
            let products = (0..SIDE).map(|k| element(&a, k, row) * element(&b, k, column));
            let total = i64::from(*value as i32) + products.sum::<i64>();
            *value = total.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as u32;
        }
    }
}

#[inline(always)]
fn accumulators(wave: &Wave, op: &Op) -> [Row; 8] {
    let registers = Shape::of(op).registers;
    let constant = op.aux & flags::CONSTANT != 0;
    std::array::from_fn(|i| {
        let step = if constant || i >= registers { 0 } else { i };
        wave.rows[op.c as usize + step]
    })
}

/// C with the sign changes that `aux` asks for.
#[inline(always)]
pub(super) fn sign_changes<S: Simd>(x: S, aux: u32) -> S {
    let keep = S::splat(!flip(aux, flags::ABS_C));
    x.and(keep).xor(S::splat(flip(aux, flags::NEGATE_C)))
}

impl<E: Element> Kernel for Wmma<E> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let mut sums = accumulators(wave, op);
        if op.aux & (flags::ABS_C | flags::NEGATE_C) != 0 {
            for chunk in sums.iter_mut().flat_map(|sum| &mut sum.0) {
                *chunk = sign_changes(S::from_array(*chunk), op.aux).to_array();
            }
        }
        if op.aux & flags::CLAMP != 0 {
            multiply_saturating::<E, S>(wave, op, &mut sums);
        } else {
            multiply::<E, S>(wave, op, &mut sums);
        }
        let registers = Shape::of(op).registers;
        wave.rows[op.d as usize..][..registers].copy_from_slice(&sums[..registers]);
        next
    }
}

impl<E: Element> Kernel for WmmaHalf<E> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let shift = if op.aux & flags::UPPER != 0 { 16 } else { 0 };
        let brain = op.aux & flags::BRAIN != 0;
        let mut sums = accumulators(wave, op);
        let constant = op.aux & flags::CONSTANT != 0;
        for chunk in sums.iter_mut().flat_map(|sum| &mut sum.0) {
            let from = if constant { 0 } else { shift };
            let half = S::from_array(*chunk)
                .shr(S::splat(from))
                .and(S::splat(0xffff));
            let wide = if brain {
                half.shl(S::splat(16))
            } else {
                half.f16_to_f32()
            };
            *chunk = sign_changes(wide, op.aux).to_array();
        }
        multiply::<E, S>(wave, op, &mut sums);
        for (register, sum) in sums.iter().take(Shape::of(op).registers).enumerate() {
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
pub(super) fn round_to_brain<S: Simd>(x: S) -> S {
    let sixteen = S::splat(16);
    let odd = x.shr(sixteen).and(S::splat(1));
    let rounded = x.add(odd).add(S::splat(0x7fff)).shr(sixteen);
    let quiet = x.shr(sixteen).or(S::splat(0x40));
    S::select(x.is_nan_f32(), quiet, rounded)
}
