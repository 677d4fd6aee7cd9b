//! Accesses of two waves to the same memory that nothing orders.
//!
//! Waves of a workgroup are ordered by its barriers, workgroups by nothing.
//! Compilers let several waves compute the same, so that a write which leaves
//! the bytes as they are is no harm to who reads them, nor is one of the value
//! that the reader has just written itself; and writes do no harm to
//! each other if, when something orders the waves again, the last values that
//! each has written are the same. Atomics do not race with each other; and what
//! lies before an atomic of one party is taken to be ordered with what lies
//! behind a later one of the other, wherever they were.

mod cells;

use std::collections::HashMap;

use super::Place;
use super::access::{Access, Space};
use super::finding::{About, Culprit, Findings};
use super::memory::describe;
use super::site::Verb;
use crate::exec::Env;
use cells::{Mark, Memory, Verdict, Visit};

#[derive(Debug, Default)]
pub(super) struct Watcher {
    global: Memory,
    lds: Memory,
    atomics: Atomics,
}

/// One execution of an instruction that accesses memory, or several between
/// two barriers.
#[derive(Clone, Copy, Debug)]
struct Event {
    culprit: Culprit,
    workgroup: u64,
    epoch: u32,
    is_atomic: bool,
    /// How many atomics had been executed when it happened.
    time: u64,
}

impl Event {
    fn is_by(&self, other: &Event) -> bool {
        self.workgroup == other.workgroup && self.culprit.wave == other.culprit.wave
    }
}

/// Who may be ordered by atomics: a workgroup, seen by others, or a wave of
/// one, seen by its neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Agent {
    Workgroup(u64),
    Wave(u64, u32),
}

/// When who executed atomics, in order.
#[derive(Debug, Default)]
struct Atomics {
    now: u64,
    times: HashMap<Agent, Vec<u64>>,
}

impl Atomics {
    fn executed(&mut self, workgroup: u64, wave: u32) {
        self.now += 1;
        for agent in [Agent::Workgroup(workgroup), Agent::Wave(workgroup, wave)] {
            self.times.entry(agent).or_default().push(self.now);
        }
    }

    /// Does anything order two accesses, the second of which happens now?
    fn order(&self, first: &Event, second: &Event) -> bool {
        if first.is_by(second) || first.is_atomic && second.is_atomic {
            return true;
        }
        let is_same = first.workgroup == second.workgroup;
        if is_same && first.epoch < second.epoch {
            return true;
        }
        let times = |event: &Event| {
            let agent = match is_same {
                true => Agent::Wave(event.workgroup, event.culprit.wave),
                false => Agent::Workgroup(event.workgroup),
            };
            self.times.get(&agent).map_or(&[][..], Vec::as_slice)
        };
        // An atomic is behind itself.
        let since = first.time + u64::from(!first.is_atomic);
        let released = times(first);
        let released = released.get(released.partition_point(|&time| time < since));
        let acquired = times(second).last();
        released
            .zip(acquired)
            .is_some_and(|(released, acquired)| released < acquired)
    }
}

impl Watcher {
    /// A workgroup begins: its LDS is its own.
    pub(super) fn begin(&mut self, findings: &mut Findings) {
        self.barrier(findings);
        self.lds = Memory::default();
        self.atomics
            .times
            .retain(|agent, _| matches!(agent, Agent::Workgroup(_)));
    }

    /// The waves of a workgroup have waited for each other.
    pub(super) fn barrier(&mut self, findings: &mut Findings) {
        self.lds.settle(false, findings);
        self.global.settle(false, findings);
    }

    /// The launch has ended.
    pub(super) fn finish(&mut self, findings: &mut Findings) {
        self.lds.settle(true, findings);
        self.global.settle(true, findings);
    }

    pub(super) fn see(
        &mut self,
        place: Place<'_>,
        access: &Access<'_>,
        env: &mut Env,
        findings: &mut Findings,
    ) {
        let workgroup = place.workgroup;
        let memory = match access.space {
            Space::Scratch => return,
            Space::Lds => &mut self.lds,
            Space::Global => &mut self.global,
        };
        let is_atomic = access.verb == Verb::Atomic || access.transfer.is_coherent;
        if is_atomic {
            self.atomics.executed(workgroup.index, place.wave.number);
        }
        let event = Event {
            culprit: place.party(access.lanes),
            workgroup: workgroup.index,
            epoch: place.epoch,
            is_atomic,
            time: self.atomics.now,
        };
        let number = memory.number(event);
        for (lane, address) in access.each() {
            let stored = access.stored(place.layout, place.wave, lane);
            let mut offset = 0;
            while offset < u64::from(access.bytes) {
                let at = address.wrapping_add(offset);
                let step = memory.cell_bytes(at, u64::from(access.bytes) - offset);
                let stored = stored.map(|bytes| {
                    let mut value = [0; 4];
                    let new = &bytes[offset as usize..(offset + step) as usize];
                    value[..new.len()].copy_from_slice(new);
                    u32::from_le_bytes(value)
                });
                let held = stored.and_then(|_| held(access.space, at, step, env));
                let visit = Visit {
                    address: at,
                    mark: Mark::new(number, stored.is_some() && stored == held),
                    verb: access.verb,
                    // What nobody knows is equal to nothing else.
                    value: stored.unwrap_or(number),
                    event: &event,
                };
                let about = || describe(access.space, at, env);
                match memory.visit(visit, &self.atomics) {
                    Verdict::Fine => {}
                    Verdict::Race(check, other) => {
                        let culprit = place.party(1 << lane);
                        findings.add(check, culprit, Some(other), || About::Memory(at, about()));
                    }
                    Verdict::Disputed(others) => memory.dispute(at, others, about),
                }
                if let Some(value) = stored {
                    memory.wrote(at, number, value);
                }
                offset += step;
            }
        }
    }
}

/// What memory holds before the access.
fn held(space: Space, address: u64, bytes: u64, env: &mut Env) -> Option<u32> {
    let value = match space {
        Space::Lds => env.lds.load_bytes(address as u32, bytes as u32, 0),
        _ => env.view.load_bytes(address, bytes as u32, 0),
    };
    value.ok()
}
