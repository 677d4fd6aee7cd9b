//! Code pointers to instructions, instantiated for a back end.

#[cfg(target_arch = "x86_64")]
use super::Avx2;
use super::{Portable, Simd};
use crate::exec::Env;
use crate::program::Op;
use crate::wave::Wave;

/// What one op does. `next` is the index of the op behind it; the result is
/// the index of the op to run next, or [`crate::exec::STOP`].
pub(crate) trait Kernel {
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32;
}

/// A pointer to a [`Kernel`] compiled for one back end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Handler(unsafe fn(&mut Wave, &mut Env, &Op, u32) -> u32);

impl Handler {
    #[inline(always)]
    pub(crate) fn call(self, wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
        // SAFETY: handlers are made by `Backend::handler` only, for a back end
        // whose features this host has.
        unsafe { (self.0)(wave, env, op, next) }
    }
}

/// The SIMD instructions to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    /// Whatever the program was compiled for.
    Portable,
    /// AVX2, FMA, F16C and the bit manipulation sets. Only made by
    /// [`Backend::detect`].
    #[cfg(target_arch = "x86_64")]
    Avx2(Detected),
}

/// Proof that the host has the features. Nothing else can make one.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Detected(());

impl Backend {
    /// The best that this host has.
    pub(crate) fn detect() -> Backend {
        #[cfg(target_arch = "x86_64")]
        if Avx2::available() {
            return Backend::Avx2(Detected(()));
        }
        Backend::Portable
    }

    /// The code of `K` for this back end.
    pub(crate) fn handler<K: Kernel>(self) -> Handler {
        match self {
            Backend::Portable => Handler(K::run::<Portable>),
            #[cfg(target_arch = "x86_64")]
            Backend::Avx2(_) => Handler(run_avx2::<K>),
        }
    }
}

/// Everything inlined into this function is compiled with the features.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,f16c,bmi1,bmi2,lzcnt,popcnt")]
fn run_avx2<K: Kernel>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
    K::run::<Avx2>(wave, env, op, next)
}
