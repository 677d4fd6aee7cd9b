//! Matrix multiply-accumulate as gfx12 lays it out (`v_wmma_*`).
//!
//! A lane holds consecutive elements *k* of its row of A (column of B): lanes
//! 0 to 15 the first of them, the next 16 lanes the next, and so on. C and D are
//! laid out alike: lanes 0 to 15 hold the first rows of their columns, the next
//! 16 lanes the next. Halves lie two in a register. A wave of 64 holds half as
//! many in each lane.
//!
//! As in [`matrix`](super::matrix), products are summed in order of *k*.

use std::marker::PhantomData;

use super::Env;
use super::lane::{bf8_to_f32, fp8_to_f32};
use super::matrix::{Element, flags, round_to_brain, sign_changes};
use crate::program::Op;
use crate::simd::{Kernel, Row, Simd};
use crate::wave::Wave;

/// Length of a side of D.
const SIDE: usize = 16;

/// Most registers of one lane that hold D.
const REGISTERS: usize = 8;

/// Bytes that are floats, four bits of exponent.
pub(crate) struct Fp8;
/// The same with five bits of exponent.
pub(crate) struct Bf8;

impl Element for Fp8 {
    const PER_REGISTER: usize = 4;

    #[inline(always)]
    fn extract<S: Simd>(registers: S, part: usize, _: bool) -> S {
        fp8_to_f32(registers.shr(S::splat(8 * part as u32)))
    }

    #[inline(always)]
    fn multiply_add<S: Simd>(a: S, b: S, sum: S) -> S {
        a.fma_f32(b, sum)
    }
}

impl Element for Bf8 {
    const PER_REGISTER: usize = 4;

    #[inline(always)]
    fn extract<S: Simd>(registers: S, part: usize, _: bool) -> S {
        bf8_to_f32(registers.shr(S::splat(8 * part as u32)))
    }

    #[inline(always)]
    fn multiply_add<S: Simd>(a: S, b: S, sum: S) -> S {
        a.fma_f32(b, sum)
    }
}

/// What C and D are made of.
pub(crate) trait Accumulator {
    /// Elements in one register.
    const PER_REGISTER: usize;

    fn widen<S: Simd>(register: S, part: usize) -> S;
    fn narrow<S: Simd>(value: S) -> S;
}

/// A dword each.
pub(crate) struct Dwords;
/// Half floats.
pub(crate) struct PackedHalves;
/// Brain floats.
pub(crate) struct Brains;

impl Accumulator for Dwords {
    const PER_REGISTER: usize = 1;

    #[inline(always)]
    fn widen<S: Simd>(register: S, _: usize) -> S {
        register
    }

    #[inline(always)]
    fn narrow<S: Simd>(value: S) -> S {
        value
    }
}

impl Accumulator for PackedHalves {
    const PER_REGISTER: usize = 2;

    #[inline(always)]
    fn widen<S: Simd>(register: S, part: usize) -> S {
        register
            .shr(S::splat(16 * part as u32))
            .and(S::splat(0xffff))
            .f16_to_f32()
    }

    #[inline(always)]
    fn narrow<S: Simd>(value: S) -> S {
        value.f32_to_f16()
    }
}

impl Accumulator for Brains {
    const PER_REGISTER: usize = 2;

    #[inline(always)]
    fn widen<S: Simd>(register: S, part: usize) -> S {
        register.shr(S::splat(16 * part as u32)).shl(S::splat(16))
    }

    #[inline(always)]
    fn narrow<S: Simd>(value: S) -> S {
        round_to_brain(value)
    }
}

/// D = A·B + C of `K` elements a row, for the whole wave; rows `a`, `b`, `c`
/// and `d` are those of its lower half, the upper half's lie `imm` rows behind.
/// `aux` as in [`flags`].
pub(crate) struct WmmaGfx12<A, B, C, const K: usize>(PhantomData<(A, B, C)>);

/// `tile[k]` holds element *k* of the 16 rows (columns).
type Tile<S, const K: usize> = [[S; 2]; K];

#[inline(always)]
fn tile<E: Element, S: Simd, const K: usize>(
    wave: &Wave,
    first: u16,
    distance: usize,
    signed: bool,
    flips: [u32; 2],
) -> Tile<S, K> {
    let mut tile = [[S::splat(0); 2]; K];
    let halves = usize::from(wave.halves);
    let in_lane = K / (2 * halves);
    for (k, pair) in tile.iter_mut().enumerate() {
        let (group, element) = (k / in_lane, k % in_lane);
        let register = first as usize + group / 2 * distance + element / E::PER_REGISTER;
        let row = &wave.rows[register];
        for (chunk, values) in pair.iter_mut().enumerate() {
            let registers = S::from_array(row.0[2 * (group % 2) + chunk]);
            let value = E::extract(registers, element % E::PER_REGISTER, signed);
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

impl<A: Element, B: Element, C: Accumulator, const K: usize> WmmaGfx12<A, B, C, K> {
    #[inline(always)]
    fn tiles<S: Simd>(wave: &Wave, op: &Op) -> (Tile<S, K>, Tile<S, K>) {
        let signed = |flag| op.aux & flag != 0;
        let flips = |even, odd| [flip(op.aux, even), flip(op.aux, odd)];
        let a_flips = flips(flags::NEGATE_A_EVEN, flags::NEGATE_A_ODD);
        let b_flips = flips(flags::NEGATE_B_EVEN, flags::NEGATE_B_ODD);
        let distance = op.imm as usize;
        (
            tile::<A, S, K>(wave, op.a, distance, signed(flags::SIGNED_A), a_flips),
            tile::<B, S, K>(wave, op.b, distance, signed(flags::SIGNED_B), b_flips),
        )
    }

    /// C: a row of dwords for each row of a lane, the lanes of one half.
    #[inline(always)]
    fn addends<S: Simd>(wave: &Wave, op: &Op, half: usize, count: usize) -> [Row; REGISTERS] {
        let constant = op.aux & flags::CONSTANT != 0;
        let mut sums = [Row::ZERO; REGISTERS];
        for (element, sum) in sums.iter_mut().take(count).enumerate() {
            let (register, part) = (element / C::PER_REGISTER, element % C::PER_REGISTER);
            let place = match constant {
                true => 0,
                false => half * op.imm as usize + register,
            };
            let row = &wave.rows[op.c as usize + place];
            for (to, from) in sum.0.iter_mut().zip(&row.0) {
                let value = C::widen(S::from_array(*from), part);
                *to = sign_changes(value, op.aux).to_array();
            }
        }
        sums
    }

    #[inline(always)]
    fn saturate<S: Simd>(
        (a, b): &(Tile<S, K>, Tile<S, K>),
        first: usize,
        step: usize,
        sums: &mut [Row],
    ) {
        let value = |tile: &Tile<S, K>, k: usize, i: usize| {
            i64::from(tile[k][i / 8].to_array()[i % 8] as i32)
        };
        for (element, sum) in sums.iter_mut().enumerate() {
            for (lane, total) in sum.lanes_mut().iter_mut().enumerate() {
                let (row, column) = (first + step * (lane / 16) + element, lane % 16);
                let products = (0..K).map(|k| value(a, k, row) * value(b, k, column));
                let exact = i64::from(*total as i32) + products.sum::<i64>();
                *total = exact.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as u32;
            }
        }
    }

    #[inline(always)]
    fn multiply<S: Simd>(
        (a, b): &(Tile<S, K>, Tile<S, K>),
        first: usize,
        step: usize,
        sums: &mut [Row],
    ) {
        let mut factors = [[0; SIDE]; K];
        for (factors, pair) in factors.iter_mut().zip(a) {
            factors[..8].copy_from_slice(&pair[0].to_array());
            factors[8..].copy_from_slice(&pair[1].to_array());
        }
        for (element, sum) in sums.iter_mut().enumerate() {
            for side in 0..2 {
                let row = first + step * side + element;
                let mut low = S::from_array(sum.0[2 * side]);
                let mut high = S::from_array(sum.0[2 * side + 1]);
                for k in 0..K {
                    let factor = S::splat(factors[k][row]);
                    low = A::multiply_add(factor, b[k][0], low);
                    high = A::multiply_add(factor, b[k][1], high);
                }
                sum.0[2 * side] = low.to_array();
                sum.0[2 * side + 1] = high.to_array();
            }
        }
    }
}

impl<A: Element, B: Element, C: Accumulator, const K: usize> Kernel for WmmaGfx12<A, B, C, K> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let tiles = Self::tiles::<S>(wave, op);
        let halves = usize::from(wave.halves);
        // Rows of D in one lane, and from one half of the wave to the next.
        let count = REGISTERS / halves;
        for half in 0..halves {
            let mut sums = Self::addends::<S>(wave, op, half, count);
            let first = half * 2 * count;
            if op.aux & flags::CLAMP != 0 {
                Self::saturate(&tiles, first, count, &mut sums[..count]);
            } else {
                Self::multiply(&tiles, first, count, &mut sums[..count]);
            }
            let results = sums[..count].chunks_exact(C::PER_REGISTER);
            for (register, elements) in results.enumerate() {
                let place = op.d as usize + half * op.imm as usize + register;
                for (chunk, to) in wave.rows[place].0.iter_mut().enumerate() {
                    let mut packed = S::splat(0);
                    for (part, element) in elements.iter().enumerate() {
                        let value = C::narrow(S::from_array(element.0[chunk]));
                        packed = packed.or(value.shl(S::splat(16 * part as u32)));
                    }
                    *to = packed.to_array();
                }
            }
        }
        next
    }
}
