//! What a submission does between its waits and its signals.

use hip::Issue;

use crate::{Buffer, Result, Status};

/// One piece of work.
pub(super) enum Work {
    /// Gives a reserved buffer its memory.
    Allocate(Buffer),
    /// Takes the memory of a buffer back.
    Deallocate(Buffer),
}

impl Work {
    /// What can be done before the stream is taken.
    pub(super) fn prepare(&mut self) -> Result<()> {
        Ok(())
    }

    /// Puts the work on the stream.
    pub(super) fn issue(&mut self, issue: &Issue<'_>) -> Result<()> {
        match self {
            Self::Allocate(buffer) => match buffer.allocation().pool() {
                Some(memory) => memory.commit(issue),
                None => Ok(()),
            },
            Self::Deallocate(buffer) => match buffer.allocation().pool() {
                Some(memory) => memory.free(issue),
                None => Ok(()),
            },
        }
    }

    /// The work will not be done.
    pub(super) fn abandon(&self, status: &Status) {
        if let Self::Allocate(buffer) = self
            && let Some(memory) = buffer.allocation().pool()
        {
            memory.fail(status.clone());
        }
    }
}
