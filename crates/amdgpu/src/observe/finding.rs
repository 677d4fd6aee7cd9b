//! What checks find, as values.

use std::collections::HashMap;
use std::fmt;

use super::Subject;
use super::registers;

/// Findings that are kept.
const MOST: usize = 1000;

/// Something wrong with a kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// What is wrong.
    pub check: Check,
    /// Name of the kernel.
    pub kernel: String,
    /// The instruction that was about to be executed when it showed.
    pub party: Party,
    /// The instruction that it does not agree with, if there are two.
    pub other: Option<Party>,
    /// The first byte, if it is about memory: a device address, or an offset
    /// in LDS or scratch.
    pub address: Option<u64>,
    /// What that is of, or which register it is about.
    pub subject: String,
    /// How often the same two instructions were found so.
    pub count: u64,
}

/// An instruction, and who executed it when it was found first.
#[derive(Clone, Debug, PartialEq)]
pub struct Party {
    /// Offset of the instruction in the code object's address space.
    pub code_object_offset: u64,
    /// Its text.
    pub instruction: String,
    /// Position of the workgroup in the grid.
    pub workgroup: [u32; 3],
    /// Number of the wave in its workgroup.
    pub wave: u32,
    /// Lanes, one bit each.
    pub lanes: u64,
}

/// Kinds of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Check {
    /// Memory is read that nothing has written.
    NeverWritten,
    /// Memory is accessed that the launch is not bound to.
    OutsideBindings,
    /// A binding is written that was declared to be only read.
    ReadOnlyBinding,
    /// One wave reads what another writes, and nothing orders them.
    ReadRace,
    /// Two waves write different values, and nothing orders them.
    WriteRace,
    /// A register is read before the load into it was waited for.
    MissingWait,
    /// A register is overwritten before the load into it was waited for, so
    /// that the load may arrive later.
    OverwrittenLoad,
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Check::NeverWritten => "read of memory that nothing has written",
            Check::OutsideBindings => "access outside the bindings of the launch",
            Check::ReadOnlyBinding => "write to a binding that is declared read-only",
            Check::ReadRace => "data race: a read and a write that nothing orders",
            Check::WriteRace => "data race: two writes of different values that nothing orders",
            Check::MissingWait => "use of a register before its load was waited for",
            Check::OverwrittenLoad => "write to a register before the load into it was waited for",
        })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "kernel `{}`: {}: {}",
            self.kernel, self.check, self.subject
        )?;
        write!(f, "; {}", self.party)?;
        if let Some(other) = &self.other {
            let verb = match self.check {
                Check::MissingWait | Check::OverwrittenLoad => "loaded by",
                _ => "against",
            };
            write!(f, "; {verb} {other}")?;
        }
        if self.count > 1 {
            write!(f, "; {} times", self.count)?;
        }
        Ok(())
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [x, y, z] = self.workgroup;
        write!(
            f,
            "pc {:#x} `{}` of workgroup ({x}, {y}, {z}), wave {}",
            self.code_object_offset, self.instruction, self.wave
        )?;
        let lanes: Vec<u32> = (0..64).filter(|lane| self.lanes >> lane & 1 != 0).collect();
        match lanes[..] {
            [] => Ok(()),
            [one] => write!(f, ", lane {one}"),
            [first, .., last] if (last - first) as usize + 1 == lanes.len() => {
                write!(f, ", lanes {first} to {last}")
            }
            _ => write!(f, ", lanes {:#x}", self.lanes),
        }
    }
}

/// A [`Party`] as watchers know it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Culprit {
    pub(super) site: u32,
    pub(super) workgroup: [u32; 3],
    pub(super) wave: u32,
    pub(super) lanes: u64,
}

/// What a finding is about.
#[derive(Clone, Debug)]
pub(super) enum About {
    Register(u16),
    /// A place in memory: where, and what lies there.
    Memory(u64, String),
}

/// Findings of a launch, one a pair of instructions.
#[derive(Debug, Default)]
pub(super) struct Findings(HashMap<(Check, u32, Option<u32>), Found>);

#[derive(Debug)]
struct Found {
    culprit: Culprit,
    other: Option<Culprit>,
    about: About,
    count: u64,
}

impl Findings {
    /// Adds one; what it is about is only worked out for the first of a pair.
    pub(super) fn add(
        &mut self,
        check: Check,
        culprit: Culprit,
        other: Option<Culprit>,
        about: impl FnOnce() -> About,
    ) {
        let key = (check, culprit.site, other.map(|other| other.site));
        let found = self.0.entry(key).or_insert_with(|| Found {
            culprit,
            other,
            about: about(),
            count: 0,
        });
        found.count += 1;
    }

    pub(super) fn extend(&mut self, others: Findings) {
        for (key, other) in others.0 {
            match self.0.get_mut(&key) {
                Some(found) => found.count += other.count,
                None => drop(self.0.insert(key, other)),
            }
        }
    }

    /// Adds them to those of earlier launches, in the order of the code; how
    /// many were not kept.
    pub(super) fn report(self, launch: &Subject, kept: &mut Vec<Finding>) -> u64 {
        let mut all: Vec<_> = self.0.into_iter().collect();
        all.sort_by_key(|(key, _)| (key.1, key.0, key.2));
        let party = |culprit: Culprit| {
            let site = &launch.program.sites()[culprit.site as usize];
            Party {
                code_object_offset: u64::from(site.offset),
                instruction: site.instruction.to_string(),
                workgroup: culprit.workgroup,
                wave: culprit.wave,
                lanes: culprit.lanes,
            }
        };
        let mut more = 0;
        for ((check, ..), found) in all {
            let (address, subject) = match found.about {
                About::Register(number) => (None, registers::name(number)),
                About::Memory(address, what) => (Some(address), what),
            };
            let finding = Finding {
                check,
                kernel: launch.kernel.clone(),
                party: party(found.culprit),
                other: found.other.map(party),
                address,
                subject,
                count: found.count,
            };
            let is_same = |other: &&mut Finding| {
                let offsets = |finding: &Finding| {
                    let other = finding.other.as_ref();
                    (
                        finding.party.code_object_offset,
                        other.map(|other| other.code_object_offset),
                    )
                };
                other.check == check
                    && other.kernel == finding.kernel
                    && offsets(other) == offsets(&finding)
            };
            if let Some(known) = kept.iter_mut().find(is_same) {
                known.count += finding.count;
            } else if kept.len() < MOST {
                kept.push(finding);
            } else {
                more += 1;
            }
        }
        more
    }
}
