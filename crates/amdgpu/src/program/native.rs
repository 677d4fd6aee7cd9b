//! Native code for stretches of vector ops.
//!
//! A [`Window`] is a stretch of ops that only compute on rows and load from
//! buffers. While all lanes are active it runs as a whole: addresses are
//! computed, all places that it loads from are checked, and then machine code passes
//! over the rows, 8 or 16 lanes at a time, with values in registers. Until the
//! loads are made nothing is written that anything else can see: whatever is out
//! of the ordinary (inactive lanes, a place out of range) is left to the ops,
//! which stay as they are.
//!
//! Code is made when a window has been reached a few times, for places that lie
//! as they lay then; when they often lie otherwise, once more for any places.

mod code;
#[expect(unsafe_code, reason = "executes code made at run time")]
mod machine;
mod plan;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use super::Op;
use crate::memory::View;
use crate::simd::{Backend, Simd};
use crate::wave::Wave;
use machine::Code;
use plan::Plan;

pub(crate) use machine::Room;
pub(super) use plan::{Function, Step, windows};

/// How often a window is reached before there is code for it.
const WARM: u32 = 24;
/// How often places may lie otherwise than they did.
const MISSES: u32 = 64;

/// A stretch of ops that may run as native code.
#[derive(Debug)]
pub(crate) struct Window {
    /// The first op, whose place in the program one has that comes here.
    first: Op,
    /// Index of the op behind the last.
    end: u32,
    /// What the ops do that follow each other here, and which of them it has.
    steps: Arc<[Step]>,
    range: Range<usize>,
    waits: bool,
    backend: Backend,
    reached: AtomicU32,
    missed: AtomicU32,
    /// Code for places as they lay, and for any places.
    code: [OnceLock<Option<Code>>; 2],
}

impl Window {
    /// The window of the ops `at`: `range` of `steps`.
    pub(super) fn new(
        ops: &[Op],
        at: Range<usize>,
        steps: &Arc<[Step]>,
        range: Range<usize>,
        backend: Backend,
    ) -> Window {
        Window {
            first: ops[at.start],
            end: at.end as u32,
            steps: steps.clone(),
            waits: steps[range.clone()].contains(&Step::Wait),
            range,
            backend,
            reached: AtomicU32::new(0),
            missed: AtomicU32::new(0),
            code: [const { OnceLock::new() }; 2],
        }
    }

    /// The op that began the window before.
    #[inline(always)]
    pub(crate) fn first(&self) -> Op {
        self.first
    }

    /// Index of the op behind the last.
    #[inline(always)]
    pub(crate) fn end(&self) -> u32 {
        self.end
    }

    /// Is there native code for it?
    #[cfg(test)]
    pub(in crate::program) fn is_native(&self) -> bool {
        self.code
            .iter()
            .any(|code| matches!(code.get(), Some(Some(_))))
    }

    /// Does it wait for loads anywhere?
    #[inline(always)]
    pub(crate) fn waits(&self) -> bool {
        self.waits
    }

    /// Runs it as native code, all lanes being active. If that cannot be,
    /// nothing has happened.
    #[inline(always)]
    pub(crate) fn run<S: Simd>(&self, wave: &mut Wave, view: &mut View, room: &mut Room) -> bool {
        let general = usize::from(self.missed.load(Ordering::Relaxed) >= MISSES);
        let Some(code) = self.code[general].get() else {
            self.warm_up(general, wave, room);
            return false;
        };
        let Some(code) = code else {
            return false;
        };
        let runs = code.run::<S>(wave, view, room);
        if !runs {
            self.missed.fetch_add(1, Ordering::Relaxed);
        }
        runs
    }

    /// Counts, and makes code when it is time.
    #[cold]
    #[inline(never)]
    fn warm_up(&self, general: usize, wave: &mut Wave, room: &mut Room) {
        // One thread makes the code; the others go on without.
        let number = self.reached.fetch_add(1, Ordering::Relaxed);
        let is_time = if general == 0 {
            number == WARM
        } else {
            number.is_multiple_of(WARM)
        };
        if is_time {
            // No code at all if there is no memory for it.
            let (range, end) = (self.range.clone(), self.range.end);
            // In any places, a constant may be what makes an address small.
            let any = general != 0;
            let constant = |row| wave.constant(row).filter(|_| !any);
            let plan = Plan::new(&self.steps[range], &self.steps[end..], constant);
            let made = Code::new(&plan, any, self.backend, wave, room).ok();
            drop(self.code[general].set(made));
        }
    }
}
