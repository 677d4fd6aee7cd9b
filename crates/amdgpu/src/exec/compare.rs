//! Vector compares: one bit a lane, in a scalar register or in EXEC.

use std::marker::PhantomData;

use super::lane::classify;
use super::{Env, each_lane, pair, read};
use crate::program::Op;
use crate::simd::{Kernel, Simd, mask_bits};
use crate::wave::Wave;

/// A predicate of two dwords, as a mask.
pub(crate) trait Test {
    fn test<S: Simd>(a: S, b: S) -> S;
}

/// Compares dwords; writes EXEC (`EXEC`) or scalar slot `d`.
pub(crate) struct Compare<T, const EXEC: bool>(PhantomData<T>);

impl<T: Test, const EXEC: bool> Kernel for Compare<T, EXEC> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let (a, b) = (read::<S>(wave, op.a), read::<S>(wave, op.b));
        let masks = [
            T::test(a[0], b[0]),
            T::test(a[1], b[1]),
            T::test(a[2], b[2]),
            T::test(a[3], b[3]),
        ];
        let bits = mask_bits(masks) & wave.exec;
        if EXEC {
            wave.set_exec::<S>(bits);
        } else {
            wave.set_scalar(op.d, bits);
        }
        next
    }
}

/// Declares predicates.
macro_rules! tests {
    ($($name:ident($a:ident, $b:ident) => $body:expr;)+) => {$(
        pub(crate) struct $name;

        impl Test for $name {
            #[inline(always)]
            fn test<S: Simd>($a: S, $b: S) -> S {
                $body
            }
        }
    )+};
}

tests! {
    FalseF(a, _b) => a.xor(a);
    LtF(a, b) => a.lt_f32(b);
    EqF(a, b) => a.eq_f32(b);
    LeF(a, b) => a.le_f32(b);
    GtF(a, b) => b.lt_f32(a);
    LgF(a, b) => a.lt_f32(b).or(b.lt_f32(a));
    GeF(a, b) => b.le_f32(a);
    OrderedF(a, b) => a.unordered_f32(b).not();
    UnorderedF(a, b) => a.unordered_f32(b);
    NgeF(a, b) => b.le_f32(a).not();
    NlgF(a, b) => a.lt_f32(b).or(b.lt_f32(a)).not();
    NgtF(a, b) => b.lt_f32(a).not();
    NleF(a, b) => a.le_f32(b).not();
    NeqF(a, b) => a.eq_f32(b).not();
    NltF(a, b) => a.lt_f32(b).not();
    TrueF(a, _b) => a.eq_u32(a);

    LtI32(a, b) => b.gt_i32(a);
    EqB32(a, b) => a.eq_u32(b);
    LeI32(a, b) => a.gt_i32(b).not();
    GtI32(a, b) => a.gt_i32(b);
    NeB32(a, b) => a.eq_u32(b).not();
    GeI32(a, b) => b.gt_i32(a).not();
    LtU32(a, b) => b.gt_u32(a);
    LeU32(a, b) => a.gt_u32(b).not();
    GtU32(a, b) => a.gt_u32(b);
    GeU32(a, b) => b.gt_u32(a).not();

    // Halves come zero-extended; as the upper half they keep their order.
    LtI16(a, b) => up(b).gt_i32(up(a));
    LeI16(a, b) => up(a).gt_i32(up(b)).not();
    GtI16(a, b) => up(a).gt_i32(up(b));
    GeI16(a, b) => up(b).gt_i32(up(a)).not();

    ClassOfF32(a, b) => <super::lane::ClassF32 as super::lane::Lane>::eval(a, b, b);
    ClassOfF16(a, b) => <super::lane::ClassF16 as super::lane::Lane>::eval(a, b, b);
}

#[inline(always)]
fn up<S: Simd>(x: S) -> S {
    x.shl(S::splat(16))
}

/// A predicate of two 64-bit values (or one and a dword).
pub(crate) trait CompareWideFn {
    /// The second source is a dword.
    const NARROW_B: bool = false;

    fn test(a: u64, b: u64) -> bool;
}

/// Compares 64-bit values. `aux` holds source modifiers: bits 0 and 1 negate,
/// bits 3 and 4 take absolute values.
pub(crate) struct CompareWide<T, const EXEC: bool>(PhantomData<T>);

impl<T: CompareWideFn, const EXEC: bool> Kernel for CompareWide<T, EXEC> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let mut bits = 0;
        let row = |index: u16| &wave.rows[index as usize];
        each_lane(wave.exec, |lane| {
            let a = super::wide::modified(pair(row(op.a), row(op.a + 1), lane), op.aux, 0);
            let b = if T::NARROW_B {
                u64::from(row(op.b).lanes()[lane])
            } else {
                super::wide::modified(pair(row(op.b), row(op.b + 1), lane), op.aux, 1)
            };
            bits |= u32::from(T::test(a, b)) << lane;
        });
        if EXEC {
            wave.set_exec::<S>(bits);
        } else {
            wave.set_scalar(op.d, bits);
        }
        next
    }
}

/// Declares 64-bit predicates.
macro_rules! wide_tests {
    ($($name:ident: $ty:ty = |$a:ident, $b:ident| $body:expr;)+) => {$(
        pub(crate) struct $name;

        impl CompareWideFn for $name {
            #[inline(always)]
            fn test(a: u64, b: u64) -> bool {
                let ($a, $b) = (<$ty as FromBits>::from_bits(a), <$ty as FromBits>::from_bits(b));
                $body
            }
        }
    )+};
}

trait FromBits {
    fn from_bits(bits: u64) -> Self;
}

impl FromBits for u64 {
    fn from_bits(bits: u64) -> u64 {
        bits
    }
}

impl FromBits for i64 {
    fn from_bits(bits: u64) -> i64 {
        bits as i64
    }
}

impl FromBits for f64 {
    fn from_bits(bits: u64) -> f64 {
        f64::from_bits(bits)
    }
}

wide_tests! {
    LtU64: u64 = |a, b| a < b;
    EqB64: u64 = |a, b| a == b;
    LeU64: u64 = |a, b| a <= b;
    GtU64: u64 = |a, b| a > b;
    NeB64: u64 = |a, b| a != b;
    GeU64: u64 = |a, b| a >= b;
    LtI64: i64 = |a, b| a < b;
    LeI64: i64 = |a, b| a <= b;
    GtI64: i64 = |a, b| a > b;
    GeI64: i64 = |a, b| a >= b;
    LtF64: f64 = |a, b| a < b;
    EqF64: f64 = |a, b| a == b;
    LeF64: f64 = |a, b| a <= b;
    GtF64: f64 = |a, b| a > b;
    LgF64: f64 = |a, b| a != b && !a.is_nan() && !b.is_nan();
    GeF64: f64 = |a, b| a >= b;
    OrderedF64: f64 = |a, b| !a.is_nan() && !b.is_nan();
    UnorderedF64: f64 = |a, b| a.is_nan() || b.is_nan();
    NgeF64: f64 = |a, b| !matches!(a.partial_cmp(&b), Some(std::cmp::Ordering::Greater | std::cmp::Ordering::Equal));
    NlgF64: f64 = |a, b| a == b || a.is_nan() || b.is_nan();
    NgtF64: f64 = |a, b| a.partial_cmp(&b) != Some(std::cmp::Ordering::Greater);
    NleF64: f64 = |a, b| !matches!(a.partial_cmp(&b), Some(std::cmp::Ordering::Less | std::cmp::Ordering::Equal));
    NeqF64: f64 = |a, b| a != b;
    NltF64: f64 = |a, b| a.partial_cmp(&b) != Some(std::cmp::Ordering::Less);
}

/// Is the double of one of the classes in the second source?
pub(crate) struct ClassOfF64;

impl CompareWideFn for ClassOfF64 {
    const NARROW_B: bool = true;

    fn test(a: u64, b: u64) -> bool {
        let fraction = a & ((1 << 52) - 1);
        // Only zero or not, and the top bit, matter of the fraction.
        let class = classify(
            a >> 63 != 0,
            (a >> 52 & 0x7ff) as u32,
            0x7ff,
            u32::from(fraction != 0),
            fraction >> 51 != 0,
        );
        b >> class & 1 != 0
    }
}
