//! Vector compares: one bit a lane, in a scalar register or in EXEC.

use std::marker::PhantomData;

use super::{Env, read};
use crate::program::Op;
use crate::simd::{Kernel, Simd, Simd64, chunks, mask_bits};
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

/// A predicate of two 64-bit values (or one and a dword), as a mask.
pub(crate) trait CompareWideFn {
    /// The second source is a dword.
    const NARROW_B: bool = false;

    fn test<W: Simd64>(a: W, b: W) -> W;
}

/// Compares 64-bit values. `aux` holds source modifiers: bits 0 and 1 negate,
/// bits 3 and 4 take absolute values.
pub(crate) struct CompareWide<T, const EXEC: bool>(PhantomData<T>);

impl<T: CompareWideFn, const EXEC: bool> Kernel for CompareWide<T, EXEC> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let masks = chunks!(i => {
            let a = super::wide::source::<S>(wave, op.a, true, i, op.aux, 0);
            let b = super::wide::source::<S>(wave, op.b, !T::NARROW_B, i, op.aux, 1);
            let [mask, _] = S::split([T::test(a[0], b[0]), T::test(a[1], b[1])]);
            mask
        });
        let bits = mask_bits(masks) & wave.exec;
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
    ($($name:ident($a:ident, $b:ident) => $body:expr;)+) => {$(
        pub(crate) struct $name;

        impl CompareWideFn for $name {
            #[inline(always)]
            fn test<W: Simd64>($a: W, $b: W) -> W {
                $body
            }
        }
    )+};
}

wide_tests! {
    LtU64(a, b) => b.gt_u64(a);
    EqB64(a, b) => a.eq_u64(b);
    LeU64(a, b) => a.gt_u64(b).not();
    GtU64(a, b) => a.gt_u64(b);
    NeB64(a, b) => a.eq_u64(b).not();
    GeU64(a, b) => b.gt_u64(a).not();
    LtI64(a, b) => b.gt_i64(a);
    LeI64(a, b) => a.gt_i64(b).not();
    GtI64(a, b) => a.gt_i64(b);
    GeI64(a, b) => b.gt_i64(a).not();
    LtF64(a, b) => a.lt_f64(b);
    EqF64(a, b) => a.eq_f64(b);
    LeF64(a, b) => a.le_f64(b);
    GtF64(a, b) => b.lt_f64(a);
    LgF64(a, b) => a.lt_f64(b).or(b.lt_f64(a));
    GeF64(a, b) => b.le_f64(a);
    OrderedF64(a, b) => a.unordered_f64(b).not();
    UnorderedF64(a, b) => a.unordered_f64(b);
    NgeF64(a, b) => b.le_f64(a).not();
    NlgF64(a, b) => a.lt_f64(b).or(b.lt_f64(a)).not();
    NgtF64(a, b) => b.lt_f64(a).not();
    NleF64(a, b) => a.le_f64(b).not();
    NeqF64(a, b) => a.eq_f64(b).not();
    NltF64(a, b) => a.lt_f64(b).not();
}

/// Is the double of one of the classes in the second source?
pub(crate) struct ClassOfF64;

impl CompareWideFn for ClassOfF64 {
    const NARROW_B: bool = true;

    #[inline(always)]
    fn test<W: Simd64>(a: W, b: W) -> W {
        super::lane::is_of_class_f64(a, b)
    }
}
