//! Stretches of ops that run as native code.

use super::{Env, STOP};
use crate::program::Op;
use crate::simd::{Kernel, Simd};
use crate::wave::Wave;

/// Ops of windows after which the next wave has its turn.
const SLICE: u64 = 1000;

/// Runs window `imm` as native code, or else its first op.
pub(crate) struct RunWindow;

impl Kernel for RunWindow {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
        let window = env.program.window(op.imm);
        let all_lanes = wave.exec == u32::MAX && (wave.halves == 1 || wave.other.0 == u32::MAX);
        if !(all_lanes && window.run::<S>(wave, &mut env.view, &mut env.room)) {
            let first = window.first();
            return first.run.call(wave, env, &first, next);
        }
        wave.joined += u64::from(window.end() - next);
        // As `Wait` does, once for all the waits in it.
        let waits = window.waits() && wave.patience != 0;
        wave.patience -= u32::from(waits);
        if waits || wave.joined >= SLICE {
            wave.pc = window.end();
            return STOP;
        }
        window.end()
    }
}
