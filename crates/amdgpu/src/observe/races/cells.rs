//! What happened to each cell of a memory, and what that means for the next
//! access.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::{Atomics, Event};
use crate::observe::finding::{About, Check, Culprit, Findings};
use crate::observe::site::Verb;

/// Bytes of a page of cells.
const PAGE: u64 = 4096;

/// The shadow of one memory, page by page.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pages: HashMap<u64, Page>,
    events: Vec<Event>,
    /// The last event of each site.
    last: HashMap<u32, u32>,
    /// Cells that were written with different values.
    disputes: HashMap<u64, Dispute>,
}

/// A cell for each dword, or, once a part of one was accessed, each byte.
#[derive(Debug)]
struct Page {
    bytes_per_cell: u64,
    cells: Vec<Cell>,
}

/// The latest accesses.
#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    reads: Latest,
    writes: Latest,
}

/// By the wave that came last, by another of its workgroup, and by another
/// workgroup.
type Latest = [Access; 3];

/// An access, and what it wrote.
#[derive(Clone, Copy, Debug, Default)]
struct Access {
    mark: Mark,
    value: u32,
}

/// An event by number, from 1; the lowest bit says that the access did not
/// change the bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mark(u32);

/// What each wave has written last to a cell.
#[derive(Debug)]
struct Dispute {
    /// Events and values.
    last: Vec<(u32, u32)>,
    /// The cell, in words.
    what: String,
}

/// An access to one cell.
#[derive(Clone, Copy)]
pub(super) struct Visit<'a> {
    pub(super) address: u64,
    pub(super) mark: Mark,
    pub(super) verb: Verb,
    /// What is stored.
    pub(super) value: u32,
    pub(super) event: &'a Event,
}

/// What an access is to those before it.
pub(super) enum Verdict {
    Fine,
    Race(Check, Culprit),
    /// Others have written other values, by these events. It depends on what
    /// they write next.
    Disputed(Vec<(u32, u32)>),
}

impl Mark {
    pub(super) fn new(event: u32, is_silent: bool) -> Mark {
        Mark((event + 1) << 1 | u32::from(is_silent))
    }

    fn event(self) -> Option<u32> {
        (self.0 >> 1).checked_sub(1)
    }

    fn is_silent(self) -> bool {
        self.0 & 1 != 0
    }

    fn not_silent(self) -> Mark {
        Mark(self.0 & !1)
    }
}

impl Dispute {
    /// A wave writes.
    fn add(&mut self, event: u32, value: u32, events: &[Event]) {
        let by = &events[event as usize];
        let mut waves = self.last.iter_mut();
        match waves.find(|(known, _)| events[*known as usize].is_by(by)) {
            Some(known) if known.0 <= event => *known = (event, value),
            Some(_) => {}
            None => self.last.push((event, value)),
        }
    }
}

impl Memory {
    /// The number of an event: that of the last of its site if it was by the
    /// same wave since the same barrier and atomic.
    pub(super) fn number(&mut self, event: Event) -> u32 {
        let next = self.events.len() as u32;
        match self.last.entry(event.culprit.site) {
            Entry::Occupied(mut last) => {
                let known = &self.events[*last.get() as usize];
                if known.is_by(&event) && known.epoch == event.epoch && known.time == event.time {
                    return *last.get();
                }
                last.insert(next);
            }
            Entry::Vacant(last) => {
                last.insert(next);
            }
        }
        self.events.push(event);
        next
    }

    /// Bytes of the cell at an address of which `left` bytes are accessed.
    pub(super) fn cell_bytes(&mut self, address: u64, left: u64) -> u64 {
        let page = self.pages.entry(address / PAGE).or_insert_with(|| Page {
            bytes_per_cell: 4,
            cells: vec![Cell::default(); PAGE as usize / 4],
        });
        if page.bytes_per_cell == 4 && (left < 4 || !address.is_multiple_of(4)) {
            page.split();
        }
        page.bytes_per_cell
    }

    /// Adds an access to a cell.
    pub(super) fn visit(&mut self, visit: Visit<'_>, atomics: &Atomics) -> Verdict {
        let Some(page) = self.pages.get_mut(&(visit.address / PAGE)) else {
            return Verdict::Fine;
        };
        let cell = &mut page.cells[(visit.address % PAGE / page.bytes_per_cell) as usize];
        let verdict = cell.judge(&visit, &self.events, atomics);
        if visit.verb != Verb::Store {
            keep(&mut cell.reads, &visit, &self.events);
        }
        if visit.verb != Verb::Load {
            keep(&mut cell.writes, &visit, &self.events);
        }
        verdict
    }

    /// Waves have written different values.
    pub(super) fn dispute(
        &mut self,
        address: u64,
        others: Vec<(u32, u32)>,
        what: impl FnOnce() -> String,
    ) {
        let dispute = self.disputes.entry(address).or_insert_with(|| Dispute {
            last: Vec::new(),
            what: what(),
        });
        for (event, value) in others {
            dispute.add(event, value, &self.events);
        }
    }

    /// A value was stored, perhaps to a cell in dispute.
    pub(super) fn wrote(&mut self, address: u64, event: u32, value: u32) {
        if let Some(dispute) = self.disputes.get_mut(&address) {
            dispute.add(event, value, &self.events);
        }
    }

    /// Something orders the waves of a workgroup, or (`all`) all of a launch:
    /// disputes between them end.
    pub(super) fn settle(&mut self, all: bool, findings: &mut Findings) {
        let events = &self.events;
        self.disputes.retain(|&address, dispute| {
            let event = |of: &(u32, u32)| &events[of.0 as usize];
            let ends = |a, b| all || event(a).workgroup == event(b).workgroup;
            let last = &dispute.last;
            let pairs = || {
                let others = |i: usize| last[..i].iter();
                last.iter()
                    .enumerate()
                    .flat_map(move |(i, a)| others(i).map(move |b| (a, b)))
            };
            if let Some((a, b)) = pairs().find(|(a, b)| a.1 != b.1 && ends(a, b)) {
                let (earlier, later) = if a.0 < b.0 { (a, b) } else { (b, a) };
                let [culprit, other] = [later, earlier].map(|of| event(of).culprit);
                findings.add(Check::WriteRace, culprit, Some(other), || {
                    About::Memory(address, dispute.what.clone())
                });
                return false;
            }
            pairs().any(|(a, b)| !ends(a, b))
        });
    }
}

impl Page {
    /// Gives each byte a cell of its own.
    fn split(&mut self) {
        let byte = |access: Access, byte: usize| Access {
            value: access.value >> (8 * byte) & 0xff,
            ..access
        };
        let bytes = |cell: &Cell| {
            let cell = *cell;
            (0..4).map(move |number| Cell {
                reads: cell.reads,
                writes: cell.writes.map(|access| byte(access, number)),
            })
        };
        self.bytes_per_cell = 1;
        self.cells = self.cells.iter().flat_map(bytes).collect();
    }
}

impl Cell {
    /// What the wave of an event has written here since the last barrier.
    fn own(&self, event: &Event, events: &[Event]) -> Option<u32> {
        let own = self.writes.iter().find(|access| {
            let written = access.mark.event().map(|number| &events[number as usize]);
            written.is_some_and(|other| {
                other.is_by(event) && other.epoch == event.epoch && !other.is_atomic
            })
        });
        own.map(|access| access.value)
    }

    fn judge(&self, visit: &Visit<'_>, events: &[Event], atomics: &Atomics) -> Verdict {
        let unordered = |latest: &Latest, harmful: &dyn Fn(&Access, &Event) -> bool| {
            let mut found = latest.iter().filter_map(|access| {
                let other = &events[access.mark.event()? as usize];
                let races = harmful(access, other) && !atomics.order(other, visit.event);
                races.then_some(other.culprit)
            });
            found.next()
        };
        // Who reads does not mind a write that changed nothing, nor one of what it
        // has just written itself; nor does such a write mind who reads.
        let read = match visit.verb {
            Verb::Load => {
                let own = self.own(visit.event, events);
                unordered(&self.writes, &|access, _| {
                    !access.mark.is_silent() && own != Some(access.value)
                })
            }
            _ if visit.mark.is_silent() => None,
            _ => unordered(&self.reads, &|_, _| true),
        };
        if let Some(other) = read {
            return Verdict::Race(Check::ReadRace, other);
        }
        // Nobody knows what an atomic will have made of it.
        let written = match visit.verb {
            Verb::Load => None,
            Verb::Store => unordered(&self.writes, &|_, other| other.is_atomic),
            Verb::Atomic => unordered(&self.writes, &|_, _| true),
        };
        if let Some(other) = written {
            return Verdict::Race(Check::WriteRace, other);
        }
        if visit.verb != Verb::Store {
            return Verdict::Fine;
        }
        let others: Vec<_> = self
            .writes
            .iter()
            .filter(|access| access.value != visit.value)
            .filter_map(|access| Some((access.mark.event()?, access.value)))
            .filter(|&(other, _)| !atomics.order(&events[other as usize], visit.event))
            .collect();
        if others.is_empty() {
            Verdict::Fine
        } else {
            Verdict::Disputed(others)
        }
    }
}

/// Puts an access where it belongs among the latest.
fn keep(latest: &mut Latest, visit: &Visit<'_>, events: &[Event]) {
    let [last, neighbour, stranger] = latest;
    let mut access = Access {
        mark: visit.mark,
        value: visit.value,
    };
    if let Some(known) = last.mark.event().map(|known| &events[known as usize]) {
        if !known.is_by(visit.event) {
            if known.workgroup == visit.event.workgroup {
                *neighbour = *last;
            } else {
                (*stranger, *neighbour) = (*last, Access::default());
            }
        } else if known.epoch == visit.event.epoch && !last.mark.is_silent() {
            // It has changed the bytes since the last barrier, whatever it does now.
            access.mark = access.mark.not_silent();
        }
    }
    *last = access;
}
