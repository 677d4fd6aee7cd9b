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

/// Extensions of a host's instruction set; each has those before it, too.
///
/// Results are the same with all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Extensions {
    /// None beyond what the program was compiled for.
    Portable,
    /// AVX2, FMA, F16C and the bit manipulation sets: rows of lanes in vectors,
    /// and native code.
    Avx2,
    /// AVX-512 F, BW, DQ and VL: native code for 16 lanes at a time.
    Avx512,
}

impl Extensions {
    /// All of them, the least first.
    pub const ALL: [Extensions; 3] = [Extensions::Portable, Extensions::Avx2, Extensions::Avx512];
}

/// The instructions to use, which the host has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    Portable,
    /// The variants with extensions are made by [`Backend::at_most`] only.
    #[cfg(target_arch = "x86_64")]
    Avx2(Detected),
    #[cfg(target_arch = "x86_64")]
    Avx512(Detected),
}

/// Proof that the host has the features. Nothing else can make one.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Detected(());

impl Backend {
    /// The best that this host has.
    #[cfg(test)]
    pub(crate) fn detect() -> Backend {
        Backend::at_most(Extensions::Avx512)
    }

    /// The best that this host has, without extensions beyond these.
    pub(crate) fn at_most(extensions: Extensions) -> Backend {
        #[cfg(target_arch = "x86_64")]
        if extensions >= Extensions::Avx2 && Avx2::available() {
            return match extensions {
                Extensions::Avx512 if has_avx512() => Backend::Avx512(Detected(())),
                _ => Backend::Avx2(Detected(())),
            };
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = extensions;
        Backend::Portable
    }

    /// What it needs.
    pub(crate) fn extensions(self) -> Extensions {
        match self {
            Backend::Portable => Extensions::Portable,
            #[cfg(target_arch = "x86_64")]
            Backend::Avx2(_) => Extensions::Avx2,
            #[cfg(target_arch = "x86_64")]
            Backend::Avx512(_) => Extensions::Avx512,
        }
    }

    /// The code of `K` for this back end. Rows are passed over in vectors of
    /// eight lanes at the most: only native code is wider.
    pub(crate) fn handler<K: Kernel>(self) -> Handler {
        match self {
            Backend::Portable => Handler(K::run::<Portable>),
            #[cfg(target_arch = "x86_64")]
            Backend::Avx2(_) | Backend::Avx512(_) => Handler(run_avx2::<K>),
        }
    }
}

/// Does this host have what is used of AVX-512?
#[cfg(target_arch = "x86_64")]
fn has_avx512() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
}

/// Everything inlined into this function is compiled with the features.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,f16c,bmi1,bmi2,lzcnt,popcnt")]
fn run_avx2<K: Kernel>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
    K::run::<Avx2>(wave, env, op, next)
}
