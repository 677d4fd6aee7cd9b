//! How often what was executed, and how much it moved.

use std::time::Duration;

use super::Subject;
use super::access::{self, Layout, Space};
use super::site::{Path, Site, Verb};
use crate::isa::{Class, Fidelity};
use crate::wave::Wave;

/// What one launch did.
#[derive(Clone, Debug, PartialEq)]
pub struct LaunchCounts {
    /// Name of the kernel.
    pub kernel: String,
    /// Workgroups in x, y and z.
    pub grid: [u32; 3],
    /// Work-items of a workgroup in x, y and z.
    pub block: [u32; 3],
    /// How long it ran, observation included.
    pub elapsed: Duration,
    /// What it executed and moved.
    pub counts: Counts,
}

/// Figures of one launch or of several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Workgroups run.
    pub workgroups: u64,
    /// Waves run.
    pub waves: u64,
    /// Wave instructions, by the number of their [`Class`].
    pub instructions: [u64; Class::ALL.len()],
    /// Lanes that were active, summed over vector instructions.
    pub active_lanes: u64,
    /// Lanes that there were, summed over vector instructions.
    pub lanes: u64,
    /// Device memory.
    pub global: Traffic,
    /// Memory shared by a workgroup.
    pub lds: Traffic,
    /// Private memory.
    pub scratch: Traffic,
}

/// Bytes that instructions asked for, whatever caches would have made of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// By loads.
    pub loaded: u64,
    /// By stores.
    pub stored: u64,
    /// By atomics.
    pub atomic: u64,
}

/// How often an operation was executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstructionCount {
    /// Its mnemonic, without suffix of the encoding.
    pub mnemonic: &'static str,
    /// What kind of work it is.
    pub class: Class,
    /// How close its result is to hardware's.
    pub fidelity: Fidelity,
    /// Wave instructions; each half of a dual-issue pair counts.
    pub executed: u64,
}

impl Counts {
    /// Instructions of all classes.
    pub fn all_instructions(&self) -> u64 {
        self.instructions.iter().sum()
    }

    /// The mean share of lanes that were active in vector instructions; `None`
    /// if there were none.
    pub fn share_of_lanes(&self) -> Option<f64> {
        (self.lanes != 0).then(|| self.active_lanes as f64 / self.lanes as f64)
    }

    /// Adds the figures of another launch.
    pub fn add(&mut self, other: &Counts) {
        self.workgroups += other.workgroups;
        self.waves += other.waves;
        for (sum, more) in self.instructions.iter_mut().zip(other.instructions) {
            *sum += more;
        }
        self.active_lanes += other.active_lanes;
        self.lanes += other.lanes;
        self.global.add(other.global);
        self.lds.add(other.lds);
        self.scratch.add(other.scratch);
    }
}

impl Traffic {
    fn add(&mut self, other: Traffic) {
        self.loaded += other.loaded;
        self.stored += other.stored;
        self.atomic += other.atomic;
    }

    fn of(&mut self, verb: Verb) -> &mut u64 {
        match verb {
            Verb::Load => &mut self.loaded,
            Verb::Store => &mut self.stored,
            Verb::Atomic => &mut self.atomic,
        }
    }
}

/// Counts by site, and what cannot be had from those.
#[derive(Debug)]
pub(super) struct Tally {
    sites: Vec<SiteTally>,
    /// Lanes of flat instructions whose addresses were of LDS and scratch.
    flat_lds: Traffic,
    flat_scratch: Traffic,
}

#[derive(Clone, Copy, Debug, Default)]
struct SiteTally {
    executed: u64,
    active_lanes: u64,
}

impl Tally {
    pub(super) fn new(sites: usize) -> Tally {
        Tally {
            sites: vec![SiteTally::default(); sites],
            flat_lds: Traffic::default(),
            flat_scratch: Traffic::default(),
        }
    }

    pub(super) fn see(&mut self, number: u32, site: &Site, layout: Layout, wave: &Wave, exec: u64) {
        let tally = &mut self.sites[number as usize];
        tally.executed += 1;
        tally.active_lanes += u64::from(exec.count_ones());
        let flat = |transfer: &super::site::Transfer| transfer.path == Path::Flat;
        if site.transfer.as_ref().is_some_and(flat) {
            access::each(site, layout, wave, |access| {
                let bytes = u64::from(access.bytes * access.lanes.count_ones());
                match access.space {
                    Space::Global => {}
                    Space::Lds => *self.flat_lds.of(access.verb) += bytes,
                    Space::Scratch => *self.flat_scratch.of(access.verb) += bytes,
                }
            });
        }
    }

    pub(super) fn add(&mut self, other: &Tally) {
        for (sum, more) in self.sites.iter_mut().zip(&other.sites) {
            sum.executed += more.executed;
            sum.active_lanes += more.active_lanes;
        }
        self.flat_lds.add(other.flat_lds);
        self.flat_scratch.add(other.flat_scratch);
    }

    pub(super) fn counts(&self, launch: &Subject, elapsed: Duration) -> LaunchCounts {
        let workgroups = launch.grid.iter().map(|&n| u64::from(n)).product();
        let mut counts = Counts {
            workgroups,
            waves: workgroups * u64::from(launch.waves_per_workgroup),
            lds: self.flat_lds,
            scratch: self.flat_scratch,
            ..Counts::default()
        };
        let mut flat = Traffic::default();
        for (site, tally) in launch.program.sites().iter().zip(&self.sites) {
            counts.instructions[site.class as usize] += tally.executed;
            if site.class.is_vector() {
                counts.active_lanes += tally.active_lanes;
                counts.lanes += tally.executed * u64::from(site.instruction.wave.lanes());
            }
            if let Some(transfer) = &site.transfer {
                let times = if transfer.is_uniform() {
                    tally.executed
                } else {
                    tally.active_lanes
                };
                let places = transfer.offsets.len() as u64;
                let bytes = times * u64::from(transfer.bytes) * places;
                let traffic = match transfer.path {
                    Path::Lds | Path::LdsCounter => &mut counts.lds,
                    Path::Scratch => &mut counts.scratch,
                    Path::Flat => &mut flat,
                    _ => &mut counts.global,
                };
                *traffic.of(transfer.verb) += bytes;
            }
        }
        // What of flat accesses did not go elsewhere.
        for verb in [Verb::Load, Verb::Store, Verb::Atomic] {
            let (mut lds, mut scratch) = (self.flat_lds, self.flat_scratch);
            *counts.global.of(verb) += *flat.of(verb) - *lds.of(verb) - *scratch.of(verb);
        }
        LaunchCounts {
            kernel: launch.kernel.clone(),
            grid: launch.grid,
            block: launch.block,
            elapsed,
            counts,
        }
    }

    /// Adds what was executed to `counts`, which are sorted by class and name.
    pub(super) fn by_mnemonic(&self, sites: &[Site], counts: &mut Vec<InstructionCount>) {
        for (site, tally) in sites.iter().zip(&self.sites) {
            if tally.executed == 0 {
                continue;
            }
            let halves = [Some(&site.instruction), site.instruction.dual.as_deref()];
            for instruction in halves.into_iter().flatten() {
                let mnemonic = instruction.info().mnemonic;
                let class = instruction.class();
                let place = counts.binary_search_by_key(&(class, mnemonic), |count| {
                    (count.class, count.mnemonic)
                });
                match place {
                    Ok(place) => counts[place].executed += tally.executed,
                    Err(place) => counts.insert(
                        place,
                        InstructionCount {
                            mnemonic,
                            class,
                            fidelity: instruction.op.fidelity(),
                            executed: tally.executed,
                        },
                    ),
                }
            }
        }
    }
}
