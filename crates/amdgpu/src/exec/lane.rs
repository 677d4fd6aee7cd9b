//! What one lane of a vector instruction computes: pure functions, written
//! over the vector type so that eight lanes cost little more than one.

mod cdna4;
mod convert;
mod division;
mod double;
mod float;
mod half_float;
mod integer;
mod seldom;
mod small_float;
pub(crate) mod soft;
mod transcendental;
mod trig_preop;

#[cfg(test)]
mod tests;

use crate::simd::Simd;

pub(crate) use cdna4::*;
pub(crate) use convert::*;
pub(crate) use division::*;
pub(crate) use double::*;
pub(crate) use float::*;
pub(crate) use half_float::*;
pub(crate) use integer::*;
pub(crate) use seldom::*;
pub(crate) use small_float::*;
pub(crate) use transcendental::*;
pub(crate) use trig_preop::trig_preop;

/// A function of one to three dwords.
pub(crate) trait Lane {
    /// How many sources it has; it ignores the others.
    const ARITY: usize;

    fn eval<S: Simd>(a: S, b: S, c: S) -> S;
}

/// Declares functions of lanes: name, sources, result.
macro_rules! lanes {
    ($($(#[$doc:meta])* $name:ident($($arg:ident),+) => $body:expr;)+) => {$(
        $(#[$doc])*
        pub(crate) struct $name;

        impl $crate::exec::lane::Lane for $name {
            const ARITY: usize = [$(stringify!($arg)),+].len();

            #[inline(always)]
            fn eval<S: $crate::simd::Simd>(a: S, b: S, c: S) -> S {
                let [$($arg,)+ ..] = $crate::exec::lane::pad([a, b, c]);
                $body
            }
        }
    )+};
}
pub(crate) use lanes;

/// Lets `lanes!` bind one, two or three names to the sources.
#[inline(always)]
pub(crate) fn pad<S: Simd>(sources: [S; 3]) -> [S; 3] {
    sources
}

/// A function of one dword, lane by lane.
#[inline(always)]
pub(crate) fn each_1<S: Simd>(a: S, f: impl Fn(u32) -> u32) -> S {
    S::from_array(a.to_array().map(f))
}

/// A function of two dwords, lane by lane.
#[inline(always)]
pub(crate) fn each_2<S: Simd>(a: S, b: S, f: impl Fn(u32, u32) -> u32) -> S {
    let (mut a, b) = (a.to_array(), b.to_array());
    for (x, y) in a.iter_mut().zip(b) {
        *x = f(*x, y);
    }
    S::from_array(a)
}

/// A function of three dwords, lane by lane.
#[inline(always)]
pub(crate) fn each_3<S: Simd>(a: S, b: S, c: S, f: impl Fn(u32, u32, u32) -> u32) -> S {
    let (mut a, b, c) = (a.to_array(), b.to_array(), c.to_array());
    for i in 0..8 {
        a[i] = f(a[i], b[i], c[i]);
    }
    S::from_array(a)
}
