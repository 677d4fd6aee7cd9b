//! Running ahead: an invocation goes on behind a wait that is not over yet, as long as nobody outside could tell.
//!
//! What it still owes is settled before anything leaves the invocation: results, failures, and what an instruction or a
//! native function changes that others could see. If a wait comes to nothing after all, the invocation fails with its
//! error, where it was to wait.

use std::collections::VecDeque;

use crate::{Error, NativeModule, Ref, Result};

use super::Frame;
use crate::op::Op;

/// Most waits that an invocation owes. Each keeps alive what it is for.
const MOST: usize = 256;

/// The waits that an invocation has gone on behind, oldest first.
#[derive(Default)]
pub(crate) struct Ahead {
    debts: VecDeque<Debt>,
    /// How many may stay owed; `None` if nothing is to be settled now.
    settling: Option<usize>,
    /// Was it looked at the debts already, and were they waited for?
    has_waited: bool,
    /// What ends the invocation, unless a debt fails: that came first.
    failure: Option<Error>,
}

struct Debt {
    native: usize,
    on: Ref,
    /// The frame that was to wait, and its number.
    frame: Frame,
    depth: usize,
}

impl Ahead {
    /// Whether anything is owed.
    pub(crate) fn is_owing(&self) -> bool {
        !self.debts.is_empty()
    }

    /// What was owed last.
    pub(super) fn last(&self) -> Option<&Ref> {
        self.debts.back().map(|debt| &debt.on)
    }

    /// The newest frame goes on behind a wait for `on`, which it called a native function for by instruction `ip`.
    pub(super) fn owe(&mut self, native: usize, on: Ref, ip: usize, frames: &[Frame]) {
        let Some(&frame) = frames.last() else { return };
        self.debts.push_back(Debt {
            native,
            on,
            frame: Frame { ip, ..frame },
            depth: frames.len(),
        });
        if self.debts.len() > MOST {
            self.settle(MOST / 2);
        }
    }

    /// Nothing goes on until no more than `kept` are owed.
    pub(super) fn settle(&mut self, kept: usize) {
        self.settling = Some(self.settling.map_or(kept, |other| other.min(kept)));
        self.has_waited = false;
    }

    /// The invocation is to end with this error, once all is settled.
    pub(super) fn fail(&mut self, error: Error) {
        self.failure = Some(error);
        self.settle(0);
    }

    /// Settles what is to be settled now, as far as that goes without waiting: what has to be waited for, if anything.
    ///
    /// # Errors
    /// The first debt that came to nothing, `frames` then being where it was owed; else what the invocation ends with.
    pub(super) fn go_on(
        &mut self,
        natives: &mut [Box<dyn NativeModule>],
        frames: &mut Vec<Frame>,
    ) -> Result<Option<Ref>> {
        let Some(kept) = self.settling else {
            return Ok(None);
        };
        natives.iter_mut().for_each(|native| native.catch_up());
        let has_waited = std::mem::replace(&mut self.has_waited, true);
        while self.debts.len() > kept
            && let Some(debt) = self.debts.front()
        {
            match natives[debt.native].is_settled(&debt.on, has_waited) {
                Ok(true) => drop(self.debts.pop_front()),
                Ok(false) => return Ok(Some(self.next_wait(natives, kept))),
                Err(error) => {
                    // Callers are where they were, if they have not gone.
                    if debt.depth <= frames.len() {
                        frames.truncate(debt.depth - 1);
                        frames.push(debt.frame);
                    }
                    return Err(error);
                }
            }
        }
        self.settling = None;
        self.failure.take().map_or(Ok(None), Err)
    }

    /// The newest of those to be settled is mostly the last to come true, and waiting for it is waiting for all.
    fn next_wait(&self, natives: &mut [Box<dyn NativeModule>], kept: usize) -> Ref {
        let newest = &self.debts[self.debts.len() - kept - 1];
        let debt = match natives[newest.native].is_settled(&newest.on, false) {
            Ok(false) => newest,
            _ => &self.debts[0],
        };
        debt.on.clone()
    }
}

/// Whether others could see what an instruction does: it changes what outlives the invocation, or may be shared with it.
pub(super) fn lets_out(op: Op) -> bool {
    use Op::*;
    matches!(
        op,
        GlobalStoreI32
            | GlobalStoreI64
            | GlobalStoreF32
            | GlobalStoreF64
            | GlobalStoreRef
            | GlobalStoreIndirectI32
            | GlobalStoreIndirectI64
            | GlobalStoreIndirectF32
            | GlobalStoreIndirectF64
            | GlobalStoreIndirectRef
            | ListReserve
            | ListResize
            | ListSetI32
            | ListSetI64
            | ListSetF32
            | ListSetF64
            | ListSetRef
            | BufferStoreI8
            | BufferStoreI16
            | BufferStoreI32
            | BufferStoreI64
            | BufferStoreF32
            | BufferStoreF64
            | BufferCopy
            | BufferFillI8
            | BufferFillI16
            | BufferFillI32
            | BufferFillI64
            | BufferFillF32
            | BufferFillF64
            | Trace
            | Print
    )
}
