//! Registers that are used before the load into them has arrived.
//!
//! Loads arrive some time after they were issued; counters say how many are
//! still under way, and waits let a wave go on when there are few enough. What
//! a wait is sure to have brought follows from the order in which loads
//! arrive: vector memory and LDS in the order of issue, scalar loads and
//! messages in any order, so that only a wait for all of them is sure.

use super::Place;
use super::finding::{About, Check, Culprit, Findings};
use super::registers;
use super::site::{Path, Site, Verb};
use crate::isa::{Class, Encoding, Generation, Instruction, Opcode, Operand};

/// The counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counter {
    /// Vector memory.
    Vector,
    /// LDS; scalar memory and messages too before gfx12.
    Scalar,
    /// Stores, where they have one of their own.
    Store,
    /// Scalar memory and messages, on gfx12.
    Constant,
}

const COUNTERS: usize = 4;

#[derive(Debug, Default)]
pub(super) struct Watcher(Vec<State>);

/// What is under way for one wave.
#[derive(Clone, Debug)]
struct State {
    counters: [Flight; COUNTERS],
    /// What is on its way to each register.
    pending: Vec<Option<Pending>>,
}

/// Accesses counted by one counter, by number from 1.
#[derive(Clone, Copy, Debug, Default)]
struct Flight {
    issued: u64,
    /// All up to this one have arrived.
    arrived: u64,
    /// The last one that does not keep the order.
    unordered: u64,
}

#[derive(Clone, Copy, Debug)]
struct Pending {
    counter: Counter,
    number: u64,
    is_ordered: bool,
    culprit: Culprit,
}

impl Default for State {
    fn default() -> State {
        State {
            counters: [Flight::default(); COUNTERS],
            pending: vec![None; registers::COUNT],
        }
    }
}

impl Flight {
    /// At most `left` are under way.
    fn wait(&mut self, left: u64) {
        let is_ordered = self.unordered <= self.arrived;
        if left == 0 || is_ordered {
            self.arrived = self.arrived.max(self.issued.saturating_sub(left));
        }
    }
}

impl Watcher {
    pub(super) fn begin(&mut self) {
        self.0.clear();
    }

    pub(super) fn see(&mut self, place: Place<'_>, findings: &mut Findings) {
        let wave = place.wave.number as usize;
        if self.0.len() <= wave {
            self.0.resize_with(wave + 1, State::default);
        }
        let state = &mut self.0[wave];
        let site = place.site;
        for (counter, left) in waits(&site.instruction) {
            state.counters[counter as usize].wait(left);
        }
        let issue = Issue::of(place);
        let mut check = |register: u16, overwrites: bool| {
            let pending = &mut state.pending[register as usize];
            let Some(under_way) = *pending else {
                return;
            };
            if state.counters[under_way.counter as usize].arrived >= under_way.number {
                *pending = None;
                return;
            }
            // Loads that keep the order overwrite each other in that order.
            if issue
                .as_ref()
                .is_some_and(|issue| issue.follows(&under_way))
            {
                return;
            }
            let kind = if overwrites {
                *pending = None;
                Check::OverwrittenLoad
            } else {
                Check::MissingWait
            };
            let exec = super::access::exec(place.wave);
            let culprit = place.party(if site.class.is_vector() { exec } else { 0 });
            findings.add(kind, culprit, Some(under_way.culprit), || {
                About::Register(register)
            });
        };
        for register in site.reads.iter() {
            let is_kept = site.writes.iter().any(|written| written == register);
            // A load that keeps half of its register has no need to wait for it.
            if !(is_kept && issue.as_ref().is_some_and(|issue| issue.keeps_half(site))) {
                check(register, false);
            }
        }
        for register in site.writes.iter() {
            check(register, true);
        }
        let Some(issue) = issue else {
            return;
        };
        for counter in issue.counters() {
            let flight = &mut state.counters[counter as usize];
            flight.issued += 1;
            if !issue.is_ordered(counter) {
                flight.unordered = flight.issued;
            }
        }
        for register in site.writes.iter() {
            state.pending[register as usize] = Some(Pending {
                counter: issue.data,
                number: state.counters[issue.data as usize].issued,
                is_ordered: issue.is_ordered(issue.data),
                culprit: place.party(super::access::exec(place.wave)),
            });
        }
    }
}

/// An access that is counted.
#[derive(Clone, Copy, Debug)]
struct Issue {
    /// The counter that says when its data is there.
    data: Counter,
    /// Another one that counts it too.
    other: Option<Counter>,
    /// It may arrive before those issued earlier.
    is_scalar: bool,
}

impl Issue {
    fn of(place: Place<'_>) -> Option<Issue> {
        let instruction = &place.site.instruction;
        let one = |data, is_scalar| Issue {
            data,
            other: None,
            is_scalar,
        };
        let scalar = match instruction.generation {
            Generation::Gfx12 => Counter::Constant,
            Generation::Gfx9(_) | Generation::Gfx11 => Counter::Scalar,
        };
        match instruction.encoding {
            Encoding::Smem if place.site.class == Class::Other => return None,
            Encoding::Smem => return Some(one(scalar, true)),
            Encoding::Ds if instruction.op == Opcode::DsNop => return None,
            Encoding::Ds => return Some(one(Counter::Scalar, false)),
            Encoding::Sop1 | Encoding::Sopp => {
                let is_message = matches!(
                    instruction.op,
                    Opcode::SSendmsg | Opcode::SSendmsgRtnB32 | Opcode::SSendmsgRtnB64
                );
                return is_message.then(|| one(scalar, true));
            }
            _ => {}
        }
        let transfer = place.site.transfer.as_ref()?;
        let returns = instruction.dst[0] != Operand::None;
        let vector = match instruction.generation {
            Generation::Gfx9(_) => Counter::Vector,
            _ if returns || transfer.verb == Verb::Load => Counter::Vector,
            Generation::Gfx11 | Generation::Gfx12 => Counter::Store,
        };
        if transfer.path != Path::Flat {
            return Some(one(vector, false));
        }
        let mut is_lds = false;
        super::access::each(place.site, place.layout, place.wave, |access| {
            is_lds |= access.space == super::access::Space::Lds;
        });
        let (data, other) = if is_lds {
            (Counter::Scalar, vector)
        } else {
            (vector, Counter::Scalar)
        };
        Some(Issue {
            data,
            other: Some(other),
            is_scalar: false,
        })
    }

    fn counters(&self) -> impl Iterator<Item = Counter> {
        [Some(self.data), self.other].into_iter().flatten()
    }

    /// Does it arrive behind those that the counter counted before?
    fn is_ordered(&self, counter: Counter) -> bool {
        let is_flat = self.other.is_some();
        !self.is_scalar && (!is_flat || counter != Counter::Scalar)
    }

    /// Is it sure to arrive behind what is under way?
    fn follows(&self, earlier: &Pending) -> bool {
        earlier.counter == self.data && earlier.is_ordered && self.is_ordered(self.data)
    }

    fn keeps_half(&self, site: &Site) -> bool {
        let verb = site.transfer.as_ref().map(|transfer| transfer.verb);
        verb == Some(Verb::Load)
    }
}

/// What an instruction waits for: until at most so many are under way.
fn waits(instruction: &Instruction) -> Vec<(Counter, u64)> {
    let immediate = instruction.src.iter().find_map(|operand| match operand {
        Operand::Imm(value) => Some(u64::from(*value)),
        _ => None,
    });
    let Some(value) = immediate else {
        return Vec::new();
    };
    let both = |upper| vec![(upper, value >> 8 & 0x3f), (Counter::Scalar, value & 0x3f)];
    match instruction.op {
        Opcode::SWaitcnt => match instruction.generation {
            Generation::Gfx9(_) => vec![
                (Counter::Vector, value & 0xf | value >> 14 << 4),
                (Counter::Scalar, value >> 8 & 0xf),
            ],
            Generation::Gfx11 | Generation::Gfx12 => vec![
                (Counter::Vector, value >> 10),
                (Counter::Scalar, value >> 4 & 0x3f),
            ],
        },
        Opcode::SWaitcntVscnt | Opcode::SWaitStorecnt => vec![(Counter::Store, value)],
        Opcode::SWaitcntVmcnt | Opcode::SWaitLoadcnt => vec![(Counter::Vector, value)],
        Opcode::SWaitcntLgkmcnt | Opcode::SWaitDscnt => vec![(Counter::Scalar, value)],
        Opcode::SWaitKmcnt => vec![(Counter::Constant, value)],
        Opcode::SWaitLoadcntDscnt => both(Counter::Vector),
        Opcode::SWaitStorecntDscnt => both(Counter::Store),
        _ => Vec::new(),
    }
}
