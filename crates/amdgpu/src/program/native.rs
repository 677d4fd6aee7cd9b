//! Native code for stretches of vector ops.
//!
//! A [`Window`] is a stretch of ops that only compute on rows and load from
//! buffers. While all lanes are active it runs as a whole: addresses are
//! computed, all its loads are made and checked, and then machine code passes
//! over the rows, eight lanes at a time, with values in registers. Until the
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
use crate::exec::load_group;
use crate::memory::{Form, Group, GroupLoad, View};
use crate::simd::{Row, Simd};
use crate::wave::Wave;
use code::Layout;
use machine::Machine;
use plan::{Origin, Plan};

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
    reached: AtomicU32,
    missed: AtomicU32,
    /// Code for places as they lay, and for any places.
    code: [OnceLock<Option<Code>>; 2],
}

/// Native code of a window.
#[derive(Debug)]
struct Code {
    early: Option<Machine>,
    groups: Vec<(Place, Group)>,
    main: Machine,
}

/// Where the offsets of a group of loads are.
#[derive(Clone, Copy, Debug)]
enum Place {
    Row(u16),
    Temporary(u16),
    Scalar(u16),
}

impl Window {
    /// The window of the ops `at`: `range` of `steps`.
    pub(super) fn new(
        ops: &[Op],
        at: Range<usize>,
        steps: &Arc<[Step]>,
        range: Range<usize>,
    ) -> Window {
        Window {
            first: ops[at.start],
            end: at.end as u32,
            steps: steps.clone(),
            waits: steps[range.clone()].contains(&Step::Wait),
            range,
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
    pub(super) fn is_native(&self) -> bool {
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
    pub(crate) fn run<S: Simd>(
        &self,
        wave: &mut Wave,
        view: &mut View,
        temps: &mut Vec<Row>,
    ) -> bool {
        let general = usize::from(self.missed.load(Ordering::Relaxed) >= MISSES);
        let Some(code) = self.code[general].get() else {
            self.warm_up(general, wave, temps);
            return false;
        };
        let Some(code) = code else {
            return false;
        };
        if temps.len() < code.main.temps() {
            temps.resize(code.main.temps(), Row::ZERO);
        }
        if let Some(early) = &code.early {
            early.call(&mut wave.rows, &wave.scalars, temps);
        }
        for (place, group) in &code.groups {
            let offsets = place.offsets(wave, temps);
            if !load_group::<S>(wave, view, &offsets, group, temps) {
                self.missed.fetch_add(1, Ordering::Relaxed);
                return false;
            }
        }
        code.main.call(&mut wave.rows, &wave.scalars, temps);
        true
    }

    /// Counts, and makes code when it is time.
    #[cold]
    #[inline(never)]
    fn warm_up(&self, general: usize, wave: &mut Wave, temps: &mut Vec<Row>) {
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
            let plan = Plan::new(&self.steps[range], &self.steps[end..]);
            let made = Code::new(&plan, general != 0, wave, temps).ok();
            drop(self.code[general].set(made));
        }
    }
}

impl Code {
    /// Code for any places, or for places as they lie in this wave.
    fn new(
        plan: &Plan,
        general: bool,
        wave: &mut Wave,
        temps: &mut Vec<Row>,
    ) -> std::io::Result<Code> {
        let mut layout = Layout::default();
        let early = Machine::early(plan, &mut layout)?;
        temps.resize(temps.len().max(layout.rows.into()), Row::ZERO);
        if let Some(early) = &early {
            early.call(&mut wave.rows, &wave.scalars, temps);
        }
        let mut forms = Vec::new();
        let mut groups: Vec<(usize, Place, Group)> = Vec::new();
        for load in &plan.loads {
            let place = match plan.values[load.address] {
                Origin::Row(row) => Place::Row(row),
                Origin::Splat(slot) => Place::Scalar(slot),
                Origin::Node | Origin::Loaded { .. } => {
                    Place::Temporary(layout.early[&load.address])
                }
            };
            let form = if general {
                Form::Full
            } else {
                Form::of(&place.offsets(wave, temps))
            };
            forms.push(form);
            let row = layout.rows;
            layout.loads.push(row);
            layout.rows += if form == Form::Full { load.dwords } else { 1 };
            let one = GroupLoad {
                constant: load.constant,
                dwords: load.dwords,
                row,
            };
            let same = |(address, _, group): &&mut (usize, Place, Group)| {
                *address == load.address
                    && (group.resource, group.offset, group.aux)
                        == (load.resource, load.offset, load.aux)
            };
            match groups.iter_mut().find(same) {
                Some((_, _, group)) => group.add(one),
                None => groups.push((
                    load.address,
                    place,
                    Group::new([load.resource, load.offset], load.aux, form, one),
                )),
            }
        }
        let main = Machine::main(plan, &mut layout, &forms)?;
        let groups = groups
            .into_iter()
            .map(|(_, place, group)| (place, group))
            .collect();
        Ok(Code {
            early,
            groups,
            main,
        })
    }
}

impl Place {
    #[inline(always)]
    fn offsets(self, wave: &Wave, temps: &[Row]) -> Row {
        match self {
            Place::Row(row) => wave.rows[row as usize],
            Place::Temporary(row) => temps[row as usize],
            Place::Scalar(slot) => Row::splat(wave.scalar(slot)),
        }
    }
}
