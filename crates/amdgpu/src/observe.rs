//! Watching kernels run: what they execute, what they touch, and what in them
//! is wrong although it happened to work.
//!
//! An [`Observer`] in a GPU's [`Config`](crate::Config) makes programs be
//! lowered with an op in front of each instruction that shows it, with the wave
//! about to execute it, to a [`Watcher`], one a worker. Without an observer
//! there are no such ops, and nothing is looked at.

mod access;
mod bindings;
mod finding;
mod memory;
mod races;
mod registers;
mod shadow;
mod site;
mod tally;
mod waits;

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::exec::Env;
use crate::isa::Opcode;
use crate::memory::Memory;
use crate::program::{Op, Program};
use crate::simd::{Kernel, Simd};
use crate::wave::Wave;
use access::Layout;
use finding::Findings;
use tally::Tally;

pub use bindings::BoundRange;
pub use finding::{Check, Finding, Party};
pub(crate) use shadow::Shadow;
pub(crate) use site::Site;
pub use tally::{Counts, InstructionCount, LaunchCounts, Traffic};

bitflags::bitflags! {
    /// Checks that an observer makes beside counting.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct Checks: u8 {
        /// Reads of memory that nothing has written, and accesses outside what
        /// a launch is bound to.
        const MEMORY = 1 << 0;
        /// Accesses to the same memory, by waves that nothing orders.
        const RACES = 1 << 1;
        /// Registers used before the load into them was waited for.
        const WAITS = 1 << 2;
    }
}

/// Watches every launch of the GPUs it is given to, and keeps what it saw.
/// Clones share it.
#[derive(Clone)]
pub struct Observer(Arc<Shared>);

struct Shared {
    checks: Checks,
    seen: Mutex<Observed>,
}

/// What an observer saw.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// The launches that ended without a fault, in the order of their ends.
    pub launches: Vec<LaunchCounts>,
    /// What they executed, by mnemonic.
    pub instructions: Vec<InstructionCount>,
    /// What the checks found: one a pair of instructions.
    pub findings: Vec<Finding>,
    /// Findings beyond the first thousand, which are not kept.
    pub more_findings: u64,
}

impl Checks {
    /// What a user calls them, and what they find.
    pub const NAMES: &[(&str, Checks)] = &[
        ("memory", Checks::MEMORY),
        ("races", Checks::RACES),
        ("waits", Checks::WAITS),
        ("all", Checks::all()),
    ];
}

/// A word is no name of a check.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no check `{0}`; there are: memory, races, waits, all")]
pub struct UnknownCheck(String);

impl FromStr for Checks {
    type Err = UnknownCheck;

    /// Names with commas between them.
    fn from_str(text: &str) -> Result<Checks, UnknownCheck> {
        text.split(',')
            .map(|word| {
                let mut names = Checks::NAMES.iter();
                let found = names.find(|(name, _)| *name == word.trim());
                found
                    .map(|(_, checks)| *checks)
                    .ok_or_else(|| UnknownCheck(word.to_owned()))
            })
            .try_fold(Checks::empty(), |all, checks| Ok(all | checks?))
    }
}

impl Observer {
    /// One that has seen nothing. It counts, and makes these checks.
    pub fn new(checks: Checks) -> Observer {
        Observer(Arc::new(Shared {
            checks,
            seen: Mutex::default(),
        }))
    }

    /// The checks that it makes.
    pub fn checks(&self) -> Checks {
        self.0.checks
    }

    /// What it has seen so far.
    pub fn observed(&self) -> Observed {
        self.seen().clone()
    }

    fn seen(&self) -> MutexGuard<'_, Observed> {
        self.0.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to watch a launch.
    pub(crate) fn watch(&self, launch: Subject) -> Watch {
        Watch {
            observer: self.clone(),
            began: Instant::now(),
            tally: Mutex::new(Tally::new(launch.program.sites().len())),
            findings: Mutex::default(),
            launch,
        }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Observer({:?})", self.0.checks)
    }
}

impl PartialEq for Observer {
    /// Whether they are one.
    fn eq(&self, other: &Observer) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Observer {}

/// What is launched.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    pub(crate) kernel: String,
    pub(crate) program: Arc<Program>,
    pub(crate) memory: Arc<Memory>,
    pub(crate) grid: [u32; 3],
    pub(crate) block: [u32; 3],
    pub(crate) waves_per_workgroup: u32,
    pub(crate) lds_bytes: u32,
    pub(crate) scratch_bytes: u32,
    /// What it is bound to, if that is known.
    pub(crate) bindings: Option<Vec<BoundRange>>,
}

/// A launch that is watched.
#[derive(Debug)]
pub(crate) struct Watch {
    observer: Observer,
    launch: Subject,
    began: Instant,
    tally: Mutex<Tally>,
    findings: Mutex<Findings>,
}

impl Watch {
    /// Must one thread run all workgroups? Checks compare them in the order in
    /// which they run.
    pub(crate) fn is_serial(&self) -> bool {
        !self.observer.checks().is_empty()
    }

    /// For one worker.
    pub(crate) fn watcher(&self) -> Box<Watcher> {
        let checks = self.observer.checks();
        let launch = &self.launch;
        let when = |check| checks.contains(check);
        Box::new(Watcher {
            program: launch.program.clone(),
            layout: Layout::of(&launch.program),
            tally: Tally::new(launch.program.sites().len()),
            findings: Findings::default(),
            memory: when(Checks::MEMORY).then(|| memory::Watcher::new(launch)),
            bindings: (launch.bindings.clone())
                .filter(|_| when(Checks::MEMORY))
                .map(bindings::Watcher::new),
            races: when(Checks::RACES).then(races::Watcher::default),
            waits: when(Checks::WAITS).then(waits::Watcher::default),
            workgroup: Workgroup::default(),
            epochs: Vec::new(),
            settled: 0,
        })
    }

    /// Takes what a worker's watcher saw.
    pub(crate) fn merge(&self, mut watcher: Watcher) {
        if let Some(races) = &mut watcher.races {
            races.finish(&mut watcher.findings);
        }
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        tally.add(&watcher.tally);
        drop(tally);
        let mut findings = self.findings.lock().unwrap_or_else(PoisonError::into_inner);
        findings.extend(watcher.findings);
    }

    /// The launch has ended; `whole` if without a fault.
    pub(crate) fn finish(self, whole: bool) {
        let elapsed = self.began.elapsed();
        let tally = self.tally.into_inner();
        let tally = tally.unwrap_or_else(PoisonError::into_inner);
        let findings = self.findings.into_inner();
        let findings = findings.unwrap_or_else(PoisonError::into_inner);
        let mut seen = self.observer.seen();
        let Observed {
            launches,
            instructions,
            findings: kept,
            more_findings,
        } = &mut *seen;
        if whole {
            launches.push(tally.counts(&self.launch, elapsed));
            tally.by_mnemonic(self.launch.program.sites(), instructions);
        }
        *more_findings += findings.report(&self.launch, kept);
    }
}

/// Where a watcher is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Workgroup {
    /// Its number in the grid.
    index: u64,
    position: [u32; 3],
}

/// What one worker sees of a launch.
#[derive(Debug)]
pub(crate) struct Watcher {
    program: Arc<Program>,
    layout: Layout,
    tally: Tally,
    findings: Findings,
    memory: Option<memory::Watcher>,
    bindings: Option<bindings::Watcher>,
    races: Option<races::Watcher>,
    waits: Option<waits::Watcher>,
    workgroup: Workgroup,
    /// Barriers that each wave of the workgroup has reached.
    epochs: Vec<u32>,
    /// Barriers that all of them have reached.
    settled: u32,
}

impl Watcher {
    /// A workgroup begins.
    pub(crate) fn begin(&mut self, index: u64, position: [u32; 3]) {
        self.workgroup = Workgroup { index, position };
        self.epochs.clear();
        self.settled = 0;
        if let Some(memory) = &mut self.memory {
            memory.begin();
        }
        if let Some(races) = &mut self.races {
            races.begin(&mut self.findings);
        }
        if let Some(waits) = &mut self.waits {
            waits.begin();
        }
    }

    /// Barriers behind which a wave is; it is about to execute `site`.
    fn epoch(&mut self, wave: usize, site: &Site) -> u32 {
        if self.epochs.len() <= wave {
            self.epochs.resize(wave + 1, 0);
        }
        let epoch = &mut self.epochs[wave];
        // What it does next, it does once all waves are here.
        *epoch += u32::from(matches!(
            site.instruction.op,
            Opcode::SBarrier | Opcode::SBarrierWait
        ));
        *epoch
    }

    /// A wave is about to execute an instruction.
    fn see(&mut self, wave: &Wave, env: &mut Env, number: u32) {
        let program = self.program.clone();
        let site = &program.sites()[number as usize];
        let exec = access::exec(wave);
        self.tally.see(number, site, self.layout, wave, exec);
        let epoch = self.epoch(wave.number as usize, site);
        let here = Place {
            number,
            site,
            wave,
            workgroup: self.workgroup,
            epoch,
            layout: self.layout,
        };
        if let Some(waits) = &mut self.waits {
            waits.see(here, &mut self.findings);
        }
        if site.transfer.is_some() && epoch > self.settled {
            self.settled = epoch;
            if let Some(races) = &mut self.races {
                races.barrier(&mut self.findings);
            }
        }
        if site.transfer.is_some() && (self.memory.is_some() || self.races.is_some()) {
            access::each(site, self.layout, wave, |access| {
                if let Some(memory) = &mut self.memory {
                    memory.see(here, access, env, &mut self.findings);
                }
                if let Some(bindings) = &self.bindings {
                    bindings.see(here, access, env, &mut self.findings);
                }
                if let Some(races) = &mut self.races {
                    races.see(here, access, env, &mut self.findings);
                }
            });
        }
    }
}

/// An instruction about to be executed.
#[derive(Clone, Copy, Debug)]
struct Place<'a> {
    /// Of the site in the program.
    number: u32,
    site: &'a Site,
    wave: &'a Wave,
    workgroup: Workgroup,
    /// Barriers behind which the wave is.
    epoch: u32,
    layout: Layout,
}

impl Place<'_> {
    /// The one at fault, in these lanes.
    fn party(self, lanes: u64) -> finding::Culprit {
        finding::Culprit {
            site: self.number,
            workgroup: self.workgroup.position,
            wave: self.wave.number,
            lanes,
        }
    }
}

/// Shows the site `imm` to the watcher, and runs what is behind it. `aux` is
/// [`Show::ALONE`] if the instruction has no ops of its own.
pub(crate) struct Show;

impl Show {
    pub(crate) const ALONE: u32 = 1;
    /// `d`, which no other op has.
    const MARK: u16 = u16::MAX;

    /// Is it such an op?
    pub(crate) fn is(op: &Op) -> bool {
        op.d == Show::MARK
    }

    pub(crate) fn op(op: Op, site: u32) -> Op {
        Op {
            imm: site,
            d: Show::MARK,
            ..op
        }
    }
}

impl Kernel for Show {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
        let (mut shown, mut next) = (*op, next);
        loop {
            if let Some(mut watcher) = env.watcher.take() {
                watcher.see(wave, env, shown.imm);
                env.watcher = Some(watcher);
            }
            let Some(&behind) = env.program.ops().get(next as usize) else {
                return next;
            };
            next += 1;
            if shown.aux != Show::ALONE {
                // Not left to the loop outside: no other wave may run between
                // what was seen and what is done.
                return behind.run.call(wave, env, &behind, next);
            }
            if !Show::is(&behind) {
                return next - 1;
            }
            shown = behind;
        }
    }
}
