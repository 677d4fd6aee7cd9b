//! Matrix multiply-accumulate of gfx9 (`v_mfma_*`, `v_smfmac_*`), for waves of 64.
//!
//! An instruction multiplies `blocks` pairs of matrices A (`rows` by `depth`)
//! and B (`depth` by `rows`). A lane holds consecutive elements of one row of A
//! and one column of B: lane = row + rows · (block + blocks · group), where
//! group counts runs of `depth / groups` elements along the depth. C and D hold
//! four rows a lane at a time (one of doubles): lane = column + rows · part,
//! and in registers first the row in a run of four, then runs, then blocks.
//!
//! Products are summed in order of depth by fused multiply-adds. The hardware's
//! order and rounding are not public: results are close, not bit for bit
//! (integers are exact). EXEC does not matter.

use std::marker::PhantomData;

use super::Env;
use super::lane::{bf8_fnuz_to_f32, fp8_fnuz_to_f32};
use super::matrix::{Bf16, Element, F16, Integer};
use super::matrix_gfx12::{Bf8, Fp8};
use crate::isa::Opcode;
use crate::program::Op;
use crate::simd::{Backend, Handler, Kernel, LANES, Row, Simd};
use crate::wave::Wave;

/// `aux` bit: C is a constant (of doubles, two rows).
pub(crate) const CONSTANT: u32 = 1 << 31;

/// The modifiers of an instruction, in `aux`.
pub(crate) fn modifiers(broadcast_size: u8, broadcast_block: u8, lane_pattern: u8) -> u32 {
    u32::from(broadcast_size) | u32::from(broadcast_block) << 4 | u32::from(lane_pattern) << 8
}

/// Lanes of the wave.
const WAVE: usize = 2 * LANES;
/// Most elements of A or B that a lane holds.
const MOST_ELEMENTS: usize = 32;
/// Most registers of C and D.
const MOST_REGISTERS: usize = 32;

/// What an instruction multiplies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Rows of A, columns of B: 4, 16 or 32.
    rows: usize,
    /// Columns of A, rows of B.
    depth: usize,
    blocks: usize,
    /// Half of A's elements are zero and left out: two of four are given, with
    /// their places in the third source.
    pub(crate) sparse: bool,
}

/// Shape and names of the elements of a matrix opcode, from its name, such as
/// `v_mfma_f32_32x32x4_2b_f16`.
fn parse(op: Opcode) -> Option<(Shape, [&'static str; 2])> {
    let name = op.name();
    let sparse = name.starts_with("v_smfmac_");
    let rest = name
        .strip_prefix("v_mfma_")
        .or_else(|| name.strip_prefix("v_smfmac_"))?;
    let mut parts = rest.split('_').skip(1);
    let mut sizes = parts.next()?.split('x');
    let rows = sizes.next()?.parse().ok()?;
    let depth = sizes.nth(1)?.parse().ok()?;
    let mut first = parts.next()?;
    let mut blocks = 1;
    if let Some(Ok(count)) = first.strip_suffix('b').map(str::parse) {
        blocks = count;
        first = parts.next()?;
    }
    let second = parts.next().unwrap_or(first);
    let shape = Shape {
        rows,
        depth,
        blocks,
        sparse,
    };
    Some((shape, [first, second]))
}

/// Shape and code of a matrix opcode, with the floats of a byte that the chip
/// has: of the Open Compute Project or others.
pub(crate) fn of(op: Opcode, backend: Backend, ocp: bool) -> Option<(Shape, Handler)> {
    let (shape, elements) = parse(op)?;
    let handler = match elements {
        ["fp8", "fp8"] if ocp => backend.handler::<Mfma<Fp8, Fp8>>(),
        ["fp8", "bf8"] if ocp => backend.handler::<Mfma<Fp8, Bf8>>(),
        ["bf8", "fp8"] if ocp => backend.handler::<Mfma<Bf8, Fp8>>(),
        ["bf8", "bf8"] if ocp => backend.handler::<Mfma<Bf8, Bf8>>(),
        ["f8f6f4", _] => Backend::Portable.handler::<super::scaled::MfmaScaled>(),
        ["f32", _] => backend.handler::<Mfma<F32, F32>>(),
        ["xf32", _] => backend.handler::<Mfma<Xf32, Xf32>>(),
        ["f16", _] => backend.handler::<Mfma<F16, F16>>(),
        ["bf16", _] => backend.handler::<Mfma<Bf16, Bf16>>(),
        ["i8", _] => backend.handler::<Mfma<Integer<8>, Integer<8>>>(),
        ["fp8", "fp8"] => backend.handler::<Mfma<Fp8Fnuz, Fp8Fnuz>>(),
        ["fp8", "bf8"] => backend.handler::<Mfma<Fp8Fnuz, Bf8Fnuz>>(),
        ["bf8", "fp8"] => backend.handler::<Mfma<Bf8Fnuz, Fp8Fnuz>>(),
        ["bf8", "bf8"] => backend.handler::<Mfma<Bf8Fnuz, Bf8Fnuz>>(),
        ["f64", _] => Backend::Portable.handler::<MfmaDouble>(),
        _ => return None,
    };
    Some((shape, handler))
}

impl Shape {
    /// As an op carries it, in `e`.
    pub(crate) fn pack(self) -> u16 {
        let powers = [self.rows, self.depth, self.blocks].map(|n| n.trailing_zeros() as u16);
        powers[0] | powers[1] << 4 | powers[2] << 8 | u16::from(self.sparse) << 12
    }

    pub(super) fn unpack(bits: u16) -> Shape {
        let power = |shift: u16| 1 << (bits >> shift & 15);
        Shape {
            rows: power(0),
            depth: power(4),
            blocks: power(8),
            sparse: bits >> 12 & 1 != 0,
        }
    }

    /// Runs of elements along the depth, each in lanes of its own.
    fn groups(self) -> usize {
        WAVE / (self.rows * self.blocks)
    }

    /// Rows of A, columns of B.
    pub(super) fn rows(self) -> usize {
        self.rows
    }

    /// Registers of C and D.
    pub(super) fn registers(self) -> usize {
        self.rows * self.rows * self.blocks / WAVE
    }

    /// Row, block and first place along the depth of what a lane holds of A or B.
    fn held(self, lane: usize, elements: usize) -> (usize, usize, usize) {
        let (row, part) = (lane % self.rows, lane / self.rows);
        (row, part % self.blocks, part / self.blocks * elements)
    }

    /// Row, column and block that a register of C and D holds in a lane.
    pub(super) fn place(self, register: usize, lane: usize) -> (usize, usize, usize) {
        let (column, part) = (lane % self.rows, lane / self.rows);
        match self.rows {
            4 => (register, column, part),
            16 => (4 * part + register % 4, column, register / 4),
            _ => {
                let run = register / 4 % 4;
                (8 * run + 4 * part + register % 4, column, register / 16)
            }
        }
    }
}

/// f32.
struct F32;
/// f32 of which ten bits of the fraction count.
struct Xf32;
/// A byte as gfx942 has it: four bits of exponent and three of fraction.
struct Fp8Fnuz;
/// The same with five bits of exponent and two of fraction.
struct Bf8Fnuz;

macro_rules! floats {
    ($($name:ident[$per:literal] |$registers:ident, $part:ident| $value:expr;)+) => {$(
        impl Element for $name {
            const PER_REGISTER: usize = $per;

            #[inline(always)]
            fn extract<S: Simd>($registers: S, $part: usize, _: bool) -> S {
                $value
            }

            #[inline(always)]
            fn multiply_add<S: Simd>(a: S, b: S, sum: S) -> S {
                a.fma_f32(b, sum)
            }
        }
    )+};
}

floats! {
    F32[1] |registers, _part| registers;
    Xf32[1] |registers, _part| registers.and(S::splat(!0x1fff));
    Fp8Fnuz[4] |registers, part| fp8_fnuz_to_f32(registers.shr(S::splat(8 * part as u32)));
    Bf8Fnuz[4] |registers, part| bf8_fnuz_to_f32(registers.shr(S::splat(8 * part as u32)));
}

/// D = A·B + C. `d`, `a`, `b`, `c`: rows of the lower half; `imm`: distance to
/// those of the upper half; `e`: the shape; `aux`: the modifiers.
pub(crate) struct Mfma<A, B>(PhantomData<(A, B)>);

/// The same of doubles.
pub(crate) struct MfmaDouble;

/// Elements of A or B: by block, then place along the depth, then row or column.
type Elements = [u32; WAVE * MOST_ELEMENTS];

/// The row of a half of the wave.
#[inline(always)]
pub(super) fn row(wave: &Wave, first: u16, register: usize, half: usize, distance: u32) -> &Row {
    &wave.rows[first as usize + register + half * distance as usize]
}

/// Which lane's elements a lane uses: patterns of `blgp`.
fn pattern(lane: usize, number: u32) -> usize {
    match number {
        1 => lane % 32,
        2 => 32 + lane % 32,
        3 => (lane + 16) % WAVE,
        4.. => 16 * (number as usize - 4) + lane % 16,
        _ => lane,
    }
}

/// Takes `count` elements of each lane out of the registers from `first`.
#[inline(always)]
fn gather<E: Element, S: Simd>(
    wave: &Wave,
    op: &Op,
    first: u16,
    count: usize,
    mut put: impl FnMut(usize, usize, u32),
) {
    for element in 0..count {
        let (register, part) = (element / E::PER_REGISTER, element % E::PER_REGISTER);
        for half in 0..2 {
            let registers = row(wave, first, register, half, op.imm);
            for (chunk, lanes) in registers.0.iter().enumerate() {
                let values = E::extract(S::from_array(*lanes), part, true).to_array();
                for (lane, value) in values.into_iter().enumerate() {
                    put(half * LANES + chunk * 8 + lane, element, value);
                }
            }
        }
    }
}

impl<A: Element, B: Element> Mfma<A, B> {
    /// A, with the blocks that the modifiers broadcast and zeros where a sparse
    /// matrix has none.
    #[inline(always)]
    fn first<S: Simd>(wave: &Wave, op: &Op, shape: Shape) -> Elements {
        let mut elements = [0; WAVE * MOST_ELEMENTS];
        let count = shape.depth / shape.groups();
        let index = |block: usize, k: usize, i: usize| (block * shape.depth + k) * shape.rows + i;
        let (size, block) = (op.aux & 7, (op.aux >> 4 & 15) as usize);
        if shape.sparse {
            let given = count / 2;
            let set = if size == 0 { 2 * given * block } else { 0 };
            gather::<A, S>(wave, op, op.a, given, |lane, element, value| {
                let (i, _, k) = shape.held(lane, count);
                let places = row(wave, op.c, 0, lane / LANES, op.imm).lanes()[lane % LANES];
                let place = places >> ((set + 2 * element) & 31) & 3;
                let k = k + element / 2 * 4 + place as usize;
                elements[index(0, k, i)] = value;
            });
            return elements;
        }
        gather::<A, S>(wave, op, op.a, count, |lane, element, value| {
            let (i, own, k) = shape.held(lane, count);
            elements[index(own, k + element, i)] = value;
        });
        if size == 0 || shape.blocks == 1 {
            return elements;
        }
        let group = (1 << size).min(shape.blocks);
        let source = elements;
        let length = shape.depth * shape.rows;
        for own in 0..shape.blocks {
            let from = own / group * group + block % group;
            elements[own * length..][..length].copy_from_slice(&source[from * length..][..length]);
        }
        elements
    }

    /// B, with the lanes that the modifiers move.
    #[inline(always)]
    fn second<S: Simd>(wave: &Wave, op: &Op, shape: Shape) -> Elements {
        let mut held = [[0; MOST_ELEMENTS]; WAVE];
        let count = shape.depth / shape.groups();
        gather::<B, S>(wave, op, op.b, count, |lane, element, value| {
            held[lane][element] = value;
        });
        let mut elements = [0; WAVE * MOST_ELEMENTS];
        for lane in 0..WAVE {
            let (j, block, k) = shape.held(lane, count);
            let values = &held[pattern(lane, op.aux >> 8 & 7)];
            for (element, &value) in values[..count].iter().enumerate() {
                elements[(block * shape.depth + k + element) * shape.rows + j] = value;
            }
        }
        elements
    }

    /// Eight lanes of a register of D from those of C.
    #[inline(always)]
    fn eight<S: Simd>(
        shape: Shape,
        [a, b]: [&Elements; 2],
        register: usize,
        lane: usize,
        sums: [u32; 8],
    ) -> [u32; 8] {
        let mut sum = S::from_array(sums);
        let at = |block: usize, k: usize| (block * shape.depth + k) * shape.rows;
        let (i, j, block) = shape.place(register, lane);
        if shape.rows >= 8 {
            for k in 0..shape.depth {
                let factor = S::splat(a[at(block, k) + i]);
                let columns = &b[at(block, k) + j..][..8];
                let columns = columns.try_into().expect("eight columns");
                sum = A::multiply_add(factor, S::from_array(columns), sum);
            }
            return sum.to_array();
        }
        for k in 0..shape.depth {
            let places: [_; 8] = std::array::from_fn(|n| shape.place(register, lane + n));
            let factors = places.map(|(i, _, block)| a[at(block, k) + i]);
            let columns = places.map(|(_, j, block)| b[at(block, k) + j]);
            sum = A::multiply_add(S::from_array(factors), S::from_array(columns), sum);
        }
        sum.to_array()
    }
}

impl<A: Element, B: Element> Kernel for Mfma<A, B> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let shape = Shape::unpack(op.e);
        let a = Self::first::<S>(wave, op, shape);
        let b = Self::second::<S>(wave, op, shape);
        let registers = shape.registers();
        let mut results = [Row::ZERO; 2 * MOST_REGISTERS];
        // A sparse product is added to the destination.
        let addend = if shape.sparse { op.d } else { op.c };
        for (number, result) in results[..2 * registers].iter_mut().enumerate() {
            let (register, half) = (number / 2, number % 2);
            let c = if op.aux & CONSTANT != 0 {
                &wave.rows[op.c as usize]
            } else {
                row(wave, addend, register, half, op.imm)
            };
            for (chunk, sums) in c.0.iter().enumerate() {
                let lane = half * LANES + 8 * chunk;
                result.0[chunk] = Self::eight::<S>(shape, [&a, &b], register, lane, *sums);
            }
        }
        for (number, result) in results[..2 * registers].iter().enumerate() {
            let (register, half) = (number / 2, number % 2);
            wave.rows[op.d as usize + register + half * op.imm as usize] = *result;
        }
        next
    }
}

impl MfmaDouble {
    /// Row, column and block that a pair of registers holds in a lane.
    fn place(shape: Shape, pair: usize, lane: usize) -> (usize, usize, usize) {
        match shape.rows {
            4 => (lane / 16, lane % 4, lane / 4 % 4),
            _ => (lane / 16 + 4 * pair, lane % 16, 0),
        }
    }
}

impl Kernel for MfmaDouble {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let shape = Shape::unpack(op.e);
        let double = |first: u16, pair: usize, lane: usize| {
            let word =
                |register| row(wave, first, register, lane / LANES, op.imm).lanes()[lane % LANES];
            f64::from_bits(u64::from(word(2 * pair)) | u64::from(word(2 * pair + 1)) << 32)
        };
        let negated = |source: u32, value: f64| {
            if op.aux >> (8 + source) & 1 != 0 {
                -value
            } else {
                value
            }
        };
        let constant = |number: usize| u64::from(wave.rows[op.c as usize + number].lanes()[0]);
        let pairs = shape.registers();
        let mut results = [[0.0; WAVE]; 4];
        for (pair, result) in results[..pairs].iter_mut().enumerate() {
            for (lane, sum) in result.iter_mut().enumerate() {
                let (i, j, block) = MfmaDouble::place(shape, pair, lane);
                let c = if op.aux & CONSTANT != 0 {
                    f64::from_bits(constant(0) | constant(1) << 32)
                } else {
                    double(op.c, pair, lane)
                };
                *sum = negated(2, c);
                for k in 0..shape.depth {
                    let at = |row: usize| row + shape.rows * (block + shape.blocks * k);
                    let a = negated(0, double(op.a, 0, at(i)));
                    let b = negated(1, double(op.b, 0, at(j)));
                    *sum = a.mul_add(b, *sum);
                }
            }
        }
        for (pair, result) in results[..pairs].iter().enumerate() {
            for (lane, value) in result.iter().enumerate() {
                let first = op.d as usize + 2 * pair + lane / LANES * op.imm as usize;
                let bits = value.to_bits();
                wave.rows[first].lanes_mut()[lane % LANES] = bits as u32;
                wave.rows[first + 1].lanes_mut()[lane % LANES] = (bits >> 32) as u32;
            }
        }
        next
    }
}
