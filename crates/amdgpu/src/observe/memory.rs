//! Reads of memory that nothing has written.
//!
//! A dword of which a part was written counts as written: compilers read it
//! whole and use that part.

use std::sync::Arc;

use super::access::{Access, MOST_LANES, Space};
use super::finding::{About, Check, Findings};
use super::shadow::Bits;
use super::site::Verb;
use super::{Place, Subject};
use crate::exec::Env;
use crate::memory::Memory;

#[derive(Debug)]
pub(super) struct Watcher {
    memory: Arc<Memory>,
    lds_bytes: u64,
    scratch_bytes: u64,
    lds: Bits,
    /// Of each wave, each lane's scratch behind that of the one before.
    scratch: Vec<Bits>,
}

impl Watcher {
    pub(super) fn new(launch: &Subject) -> Watcher {
        Watcher {
            memory: launch.memory.clone(),
            lds_bytes: launch.lds_bytes.into(),
            scratch_bytes: launch.scratch_bytes.into(),
            lds: Bits::default(),
            scratch: Vec::new(),
        }
    }

    /// A workgroup begins, with nothing in its LDS and scratch.
    pub(super) fn begin(&mut self) {
        self.lds = Bits::new(self.lds_bytes);
        self.scratch.clear();
    }

    pub(super) fn see(
        &mut self,
        place: Place<'_>,
        access: &Access<'_>,
        env: &Env,
        findings: &mut Findings,
    ) {
        let wave = place.wave.number as usize;
        if access.space == Space::Scratch && self.scratch.len() <= wave {
            let bits = Bits::new(self.scratch_bytes * MOST_LANES as u64);
            self.scratch.resize(wave + 1, bits);
        }
        if access.verb != Verb::Store {
            let mut lanes = 0_u64;
            let mut first = None;
            for (lane, address) in access.each() {
                if let Some(at) = self.unwritten(access, wave, lane, address) {
                    lanes |= 1 << lane;
                    first.get_or_insert(at);
                }
            }
            if let Some(at) = first {
                findings.add(Check::NeverWritten, place.party(lanes), None, || {
                    About::Memory(at, describe(access.space, at, env))
                });
            }
        }
        if access.verb != Verb::Load {
            let bytes = u64::from(access.bytes);
            for (lane, address) in access.each() {
                match access.space {
                    Space::Global => {
                        if let Some(shadow) = self.memory.shadow() {
                            shadow.wrote(address, bytes);
                        }
                    }
                    Space::Lds => self.lds.set(address, bytes, true),
                    Space::Scratch if address + bytes <= self.scratch_bytes => {
                        let start = lane as u64 * self.scratch_bytes;
                        self.scratch[wave].set(start + address, bytes, true);
                    }
                    Space::Scratch => {}
                }
            }
        }
    }

    /// The first dword (or less) that a lane reads and nothing has written.
    fn unwritten(
        &self,
        access: &Access<'_>,
        wave: usize,
        lane: usize,
        address: u64,
    ) -> Option<u64> {
        let element = access.bytes.min(4);
        let mut places = (0..access.bytes)
            .step_by(element as usize)
            .map(|offset| address + u64::from(offset));
        let bytes = u64::from(element);
        places.find(|&at| match access.space {
            Space::Global => {
                let shadow = self.memory.shadow();
                shadow.is_some_and(|shadow| shadow.is_unwritten(at, bytes))
            }
            Space::Lds => self.lds.is_unwritten(at, bytes),
            Space::Scratch => {
                let start = lane as u64 * self.scratch_bytes;
                at + bytes <= self.scratch_bytes
                    && self.scratch[wave].is_unwritten(start + at, bytes)
            }
        })
    }
}

/// A place in memory, in words.
pub(super) fn describe(space: Space, address: u64, env: &Env) -> String {
    match space {
        Space::Global => match env.view.nearest(address, 1) {
            Some(nearest) => format!("{address:#x}, {nearest}"),
            None => format!("{address:#x}"),
        },
        Space::Lds => format!("LDS offset {address:#x}"),
        Space::Scratch => format!("scratch offset {address:#x}"),
    }
}
