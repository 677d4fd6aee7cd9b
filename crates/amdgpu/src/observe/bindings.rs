//! Accesses to device memory that a launch is not bound to, though it is
//! allocated.
//!
//! The code object, the kernel arguments and what is not global memory belong to
//! a launch without being bound. What is not allocated is a fault, and told as
//! one.

use super::Place;
use super::access::{Access, Space};
use super::finding::{About, Check, Findings};
use super::site::{Path, Verb};
use crate::exec::Env;
use crate::memory::{AllocationInfo, AllocationKind, Relation};

/// Memory that a launch is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BoundRange {
    /// The first byte.
    pub address: u64,
    /// How many bytes; none where a binding is left open.
    pub bytes: u64,
    /// Whether it is declared to be only read.
    pub is_read_only: bool,
}

#[derive(Debug)]
pub(super) struct Watcher {
    /// By number of the binding.
    bindings: Vec<BoundRange>,
}

impl Watcher {
    pub(super) fn new(bindings: Vec<BoundRange>) -> Watcher {
        Watcher { bindings }
    }

    pub(super) fn see(
        &self,
        place: Place<'_>,
        access: &Access<'_>,
        env: &Env,
        findings: &mut Findings,
    ) {
        if access.space != Space::Global {
            return;
        }
        let mut report = |check, find: &dyn Fn(u64) -> Option<u64>| {
            let mut lanes = 0_u64;
            let mut first = None;
            for (lane, address) in access.each() {
                if let Some(at) = find(address) {
                    lanes |= 1 << lane;
                    first.get_or_insert(at);
                }
            }
            if let Some(at) = first {
                findings.add(check, place.party(lanes), None, || {
                    About::Memory(at, self.describe(at, element(access), env))
                });
            }
        };
        report(Check::OutsideBindings, &|address| {
            self.outside(access, address, env)
        });
        if access.verb != Verb::Load {
            report(Check::ReadOnlyBinding, &|address| {
                self.read_only(access, address)
            });
        }
    }

    /// The first dword (or less) of a lane that no binding has, but other
    /// memory of the device does.
    fn outside(&self, access: &Access<'_>, address: u64, env: &Env) -> Option<u64> {
        let bytes = element(access);
        let mut places = elements(access, address);
        places.find(|&at| {
            let is_bound = match access.transfer.path {
                // Compilers load scalars by whole dwords, and three dwords as
                // four, if memory that begins there has them for sure.
                Path::Scalar | Path::ScalarBuffer => {
                    let is_four = access.bytes == 16 && address.is_multiple_of(16);
                    let whole = if is_four { 16 } else { 4 };
                    let start = at - at % whole;
                    (self.bindings.iter()).any(|bound| bound.overlaps(start, whole))
                }
                _ => self.bindings.iter().any(|bound| bound.holds(at, bytes)),
            };
            !is_bound && is_others(at, bytes, env)
        })
    }

    /// The first dword (or less) that a lane writes into what is only to be
    /// read, under any of its bindings.
    fn read_only(&self, access: &Access<'_>, address: u64) -> Option<u64> {
        let bytes = element(access);
        elements(access, address).find(|&at| {
            let holders = self.bindings.iter().filter(|bound| bound.holds(at, bytes));
            let mut holders = holders.peekable();
            holders.peek().is_some() && holders.all(|bound| bound.is_read_only)
        })
    }

    /// A place and the binding that is nearest to it, in words.
    fn describe(&self, address: u64, bytes: u64, env: &Env) -> String {
        let near = (self.bindings.iter().enumerate())
            .filter(|(_, bound)| bound.bytes > 0)
            .map(|(number, bound)| (bound.relation(address, bytes), number, bound))
            .min_by_key(|(relation, ..)| relation.distance());
        let mut text = match near {
            Some((relation, number, bound)) => format!(
                "{address:#x}, {relation} binding {number} ({} bytes at {:#x})",
                bound.bytes, bound.address
            ),
            None => format!("{address:#x}, with nothing bound"),
        };
        if let Some(allocation) = env.view.nearest(address, bytes as u32) {
            text += &format!(", {allocation}");
        }
        text
    }
}

impl BoundRange {
    fn holds(self, address: u64, bytes: u64) -> bool {
        let end = address.saturating_add(bytes);
        self.address <= address && end <= self.address.saturating_add(self.bytes)
    }

    fn overlaps(self, address: u64, bytes: u64) -> bool {
        let end = address.saturating_add(bytes);
        self.address < end && address < self.address.saturating_add(self.bytes)
    }

    fn relation(self, address: u64, bytes: u64) -> Relation {
        let bound = AllocationInfo {
            base: self.address,
            bytes: self.bytes,
            kind: AllocationKind::Device,
        };
        Relation::of(bound, address, bytes)
    }
}

/// Bytes that are looked at together.
fn element(access: &Access<'_>) -> u64 {
    u64::from(access.bytes.min(4))
}

fn elements(access: &Access<'_>, address: u64) -> impl Iterator<Item = u64> {
    (0..u64::from(access.bytes))
        .step_by(element(access) as usize)
        .map(move |offset| address.saturating_add(offset))
}

/// Is this allocated, for something else than the launch itself?
fn is_others(address: u64, bytes: u64, env: &Env) -> bool {
    env.view
        .nearest(address, bytes as u32)
        .is_some_and(|nearest| {
            let is_inside = matches!(nearest.relation, Relation::Inside { overrun: 0, .. });
            let kind = nearest.allocation.kind;
            is_inside && !matches!(kind, AllocationKind::Code | AllocationKind::Kernarg)
        })
}
