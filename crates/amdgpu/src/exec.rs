//! What instructions do.
//!
//! Each file here holds one family. An instruction is a `simd::Kernel`: code
//! that is generic over the vector type and reads its operands from an [`Op`].
//! The meaning of most is a pure function of one lane or one scalar, in
//! `lane/` and `scalar.rs`; the loop over lanes is written once per family.

mod atomics;
mod buffer;
mod compare;
mod control;
mod cross;
mod global;
pub(crate) mod lane;
mod lds;
mod matrix;
mod matrix_gfx12;
pub(crate) mod mfma;
mod rounded;
mod scalar;
mod scalar_float;
pub(crate) mod scaled;
mod scratch;
mod vector;
mod wide;
mod window;

use std::sync::Arc;
use std::time::Instant;

use crate::memory::{AccessError, Lds, View};
use crate::observe::Watcher;
use crate::program::Program;
use crate::program::native::Room;
use crate::simd::{Row, Simd};
use crate::wave::{State, Wave};

pub(crate) use atomics::atomic_function;
pub(crate) use buffer::{Resource, locate_group, private_offset};
pub(crate) use control::Barrier;
pub(crate) use global::{PRIVATE_APERTURE, SHARED_APERTURE};
pub(crate) use scratch::bytes_per_lane;

/// Flags and kinds of memory accesses, for the lowering.
pub(crate) mod access {
    pub(crate) use super::atomics::RETURN;
    pub(crate) use super::buffer::{
        GFX9, HighB16, HighI8, HighU8, I8, I16, IDXEN, LowB16, LowI8, LowU8, OFFEN, U8, U16,
    };
    pub(crate) use super::global::{FLAT, SCALAR_BASE};
    pub(crate) use super::scratch::VECTOR;
}

/// Handlers by family, for the lowering.
pub(crate) mod families {
    pub(crate) use super::atomics::{DsAtomic, DsCount, DsExchange2, GlobalAtomic};
    pub(crate) use super::buffer::{
        BufferLoad, BufferLoadSmall, BufferStore, BufferStoreSmall, BufferToLds, BufferToLdsSmall,
    };
    pub(crate) use super::compare::*;
    pub(crate) use super::control::*;
    pub(crate) use super::cross::*;
    pub(crate) use super::global::{
        GlobalLoad, GlobalLoadSmall, GlobalStore, GlobalStoreSmall, GlobalToLds, GlobalToLdsSmall,
    };
    pub(crate) use super::lds::*;
    pub(crate) use super::matrix::{Bf16, F16, Integer, Wmma, WmmaHalf, flags as matrix_flags};
    pub(crate) use super::matrix_gfx12::{Bf8, Brains, Dwords, Fp8, PackedHalves, WmmaGfx12};
    pub(crate) use super::rounded::*;
    pub(crate) use super::scalar::*;
    pub(crate) use super::scalar_float::{
        ScalarCompare, ScalarLane, ScalarRounded, flags as scalar_flags,
    };
    pub(crate) use super::scaled::{ConvertScaled, TakeScale};
    pub(crate) use super::scratch::{
        ScratchLoad, ScratchLoadSmall, ScratchStore, ScratchStoreSmall,
    };
    pub(crate) use super::vector::*;
    pub(crate) use super::wide::*;
    pub(crate) use super::window::RunWindow;
}

/// High dwords of flat addresses that are not global memory.
pub(crate) mod aperture {
    pub(crate) use super::global::{PRIVATE_APERTURE as PRIVATE, SHARED_APERTURE as SHARED};
}

/// The buffer resource by which gfx90a reaches private memory.
pub(crate) use buffer::PRIVATE_RESOURCE;

/// The index that no program has: the wave stops.
pub(crate) const STOP: u32 = u32::MAX;

/// What a wave needs beside its own state.
#[derive(Debug)]
pub(crate) struct Env {
    pub(crate) view: View,
    pub(crate) lds: Lds,
    pub(crate) program: Arc<Program>,
    /// The barrier of the workgroup whose two sides are apart.
    pub(crate) barrier: Barrier,
    /// What native code uses beside the wave.
    pub(crate) room: Room,
    /// When the launch began.
    pub(crate) began: Instant,
    /// What went wrong, if the wave failed.
    pub(crate) problem: Option<Problem>,
    /// Whom an observed program shows what it does.
    pub(crate) watcher: Option<Box<Watcher>>,
}

/// Why a wave failed, without the facts that the worker knows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Problem {
    Access(AccessError),
    Trap(u32),
    /// The wave waits for a debugger.
    Halt,
    WildBranch(u64),
    Unsupported(String),
    /// The instruction could not be lowered; index into the program's list.
    Unknown(u32),
}

impl Env {
    /// Stops the wave with a problem at the op before `next`.
    #[cold]
    #[inline(never)]
    pub(crate) fn fail(&mut self, wave: &mut Wave, next: u32, problem: Problem) -> u32 {
        self.problem = Some(problem);
        wave.state = State::Failed;
        wave.pc = next.wrapping_sub(1);
        STOP
    }

    /// `next`, or the stop of a wave whose access was refused.
    #[inline(always)]
    pub(crate) fn settle(
        &mut self,
        wave: &mut Wave,
        next: u32,
        result: Result<(), AccessError>,
    ) -> u32 {
        match result {
            Ok(()) => next,
            Err(error) => self.fail(wave, next, Problem::Access(error)),
        }
    }
}

/// Runs a ready wave of the program in `env` until it stops for a reason in its `state`, or has
/// executed `budget` ops (or a few more, that were joined); returns how many it
/// executed.
pub(crate) fn run(program: &Program, wave: &mut Wave, env: &mut Env, budget: u64) -> u64 {
    let ops = program.ops();
    let mut pc = wave.pc;
    let mut left = budget;
    while let Some(op) = ops.get(pc as usize) {
        if left == 0 {
            wave.pc = pc;
            return budget + std::mem::take(&mut wave.joined);
        }
        left -= 1;
        pc = op.run.call(wave, env, op, pc + 1);
    }
    if pc != STOP {
        // Ran off the end of the code.
        env.fail(
            wave,
            pc,
            Problem::WildBranch(u64::from(program.origin(pc.wrapping_sub(1)))),
        );
    }
    budget - left + std::mem::take(&mut wave.joined)
}

/// Writes a result row: all lanes or those that EXEC names.
#[inline(always)]
pub(crate) fn write<S: Simd>(wave: &mut Wave, row: u16, values: [S; 4]) {
    if wave.exec == u32::MAX {
        wave.rows[row as usize].set(values);
    } else {
        let mask = &wave.mask;
        wave.rows[row as usize].blend(values, mask);
    }
}

/// Reads a row.
#[inline(always)]
pub(crate) fn read<S: Simd>(wave: &Wave, row: u16) -> [S; 4] {
    wave.rows[row as usize].get()
}

/// Applies `f` to the number of each active lane.
#[inline(always)]
pub(crate) fn each_lane(exec: u32, mut f: impl FnMut(usize)) {
    let mut left = exec;
    while left != 0 {
        let lane = left.trailing_zeros() as usize;
        left &= left - 1;
        f(lane);
    }
}

/// Reads two rows as 64 bits a lane.
#[inline(always)]
pub(crate) fn pair(low: &Row, high: &Row, lane: usize) -> u64 {
    u64::from(low.lanes()[lane]) | u64::from(high.lanes()[lane]) << 32
}
