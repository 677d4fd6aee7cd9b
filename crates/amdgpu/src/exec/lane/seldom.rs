//! Functions that compilers seldom use, lane by lane: sums of absolute
//! differences, cube maps, normalised conversions, short dot products.

use super::half_float::{from_f64, to_f64};
use super::{each_1, each_2, each_3, lanes};
use crate::exec::matrix::round_to_brain;
use crate::simd::{Portable, Simd};

lanes! {
    /// Sum of absolute differences of bytes in the upper half, plus `c`.
    SadHiU8(a, b, c) => each_3(a, b, c, |a, b, c| {
        (sad(a, b, false) << 16).wrapping_add(c)
    });
    /// Without those where `b` is zero.
    MsadU8(a, b, c) => each_3(a, b, c, |a, b, c| sad(a, b, true).wrapping_add(c));
    /// Averages of bytes; the low bit of each byte of `c` rounds up.
    LerpU8(a, b, c) => each_3(a, b, c, |a, b, c| {
        (0..4).fold(0, |result, i| {
            let byte = |x: u32| x >> (8 * i) & 0xff;
            result | (byte(a) + byte(b) + (byte(c) & 1)) >> 1 << (8 * i)
        })
    });
    /// `a * b`, unless lighting says that there is none.
    MullitF32(a, b, c) => each_3(a, b, c, |a, b, c| {
        let [a, b, c] = [a, b, c].map(f32::from_bits);
        let dark = b.is_nan() || c.is_nan() || b <= f32::MIN || c <= 0.0;
        (if dark { f32::MIN } else { a * b }).to_bits()
    });
    /// Number of the face of a cube that a direction goes through.
    CubeidF32(a, b, c) => each_3(a, b, c, |a, b, c| {
        let (axis, negative) = face([a, b, c]);
        ((2 * axis + usize::from(negative)) as f32).to_bits()
    });
    /// Its horizontal coordinate there.
    CubescF32(a, b, c) => each_3(a, b, c, |a, b, c| match face([a, b, c]) {
        (0, false) => c ^ SIGN,
        (0, true) => c,
        (2, true) => a ^ SIGN,
        _ => a,
    });
    /// Its vertical coordinate there.
    CubetcF32(a, b, c) => each_3(a, b, c, |a, b, c| match face([a, b, c]) {
        (1, false) => c,
        (1, true) => c ^ SIGN,
        _ => b ^ SIGN,
    });
    /// Twice its coordinate across.
    CubemaF32(a, b, c) => each_3(a, b, c, |a, b, c| {
        let (axis, _) = face([a, b, c]);
        (2.0 * f32::from_bits([a, b, c][axis])).to_bits()
    });

    Dot2I32I16(a, b, c) => each_3(a, b, c, |a, b, c| {
        let product = |shift: u32| {
            i32::from((a >> shift) as i16).wrapping_mul(i32::from((b >> shift) as i16)) as u32
        };
        product(0).wrapping_add(product(16)).wrapping_add(c)
    });
    Dot2U32U16(a, b, c) => each_3(a, b, c, |a, b, c| {
        let product = |shift: u32| (a >> shift & 0xffff).wrapping_mul(b >> shift & 0xffff);
        product(0).wrapping_add(product(16)).wrapping_add(c)
    });

    CvtNormI16F16(a) => each_1(a, signed_norm);
    CvtNormU16F16(a) => each_1(a, unsigned_norm);
    CvtPkNormI16F16(a, b) => each_2(a, b, |a, b| signed_norm(a) | signed_norm(b) << 16);
    CvtPkNormU16F16(a, b) => each_2(a, b, |a, b| unsigned_norm(a) | unsigned_norm(b) << 16);

    /// f16 products and an f16, rounded once.
    Dot2F16F16(a, b, c) => each_3(a, b, c, |a, b, c| {
        let product = |shift: u32| to_f64(a >> shift & 0xffff) * to_f64(b >> shift & 0xffff);
        from_f64(product(0) + product(16) + to_f64(c & 0xffff))
    });
    /// The same of brain floats, through f32.
    Dot2Bf16Bf16(a, b, c) => each_3(a, b, c, |a, b, c| {
        let widen = |x: u32| f64::from(f32::from_bits(x << 16));
        let product = |shift: u32| widen(a >> shift & 0xffff) * widen(b >> shift & 0xffff);
        let sum = (product(0) + product(16) + widen(c & 0xffff)) as f32;
        round_to_brain(Portable::splat(sum.to_bits())).to_array()[0] & 0xffff
    });
}

const SIGN: u32 = 1 << 31;

fn sad(a: u32, b: u32, masked: bool) -> u32 {
    a.to_le_bytes()
        .into_iter()
        .zip(b.to_le_bytes())
        .filter(|&(_, b)| !masked || b != 0)
        .map(|(a, b)| u32::from(a.abs_diff(b)))
        .sum()
}

/// Axis (0 to 2) with the greatest coordinate, the last of those that are
/// equal, and whether the coordinate is negative.
fn face(direction: [u32; 3]) -> (usize, bool) {
    let [x, y, z] = direction.map(f32::from_bits);
    let axis = if z.abs() >= x.abs() && z.abs() >= y.abs() {
        2
    } else if y.abs() >= x.abs() {
        1
    } else {
        0
    };
    (axis, [x, y, z][axis] < 0.0)
}

/// An f16 of -1..1 as a signed fraction of 16 bits.
fn signed_norm(x: u32) -> u32 {
    let scaled = to_f64(x & 0xffff).clamp(-1.0, 1.0) * 32767.0;
    u32::from(scaled.round_ties_even() as i16 as u16)
}

/// An f16 of 0..1 as an unsigned fraction of 16 bits.
fn unsigned_norm(x: u32) -> u32 {
    let scaled = to_f64(x & 0xffff).clamp(0.0, 1.0) * 65535.0;
    u32::from(scaled.round_ties_even() as u16)
}

/// Four sums of absolute differences of the four bytes `b` and those of `a` that
/// begin at bytes 0 to 3, added to the 16-bit parts of `c`.
pub(crate) fn quad_sad(a: u64, b: u64, c: u64, masked: bool) -> u64 {
    (0..4).fold(0, |result, i| {
        let sum = u64::from(sad((a >> (8 * i)) as u32, b as u32, masked));
        result | (((c >> (16 * i)) + sum) & 0xffff) << (16 * i)
    })
}

/// The same without bytes of `b` that are zero, added to 32-bit parts of `c`.
pub(crate) fn quad_masked_sad(a: u64, b: u32, c: [u32; 4]) -> [u32; 4] {
    std::array::from_fn(|i| sad((a >> (8 * i)) as u32, b, true).wrapping_add(c[i]))
}
