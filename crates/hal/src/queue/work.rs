//! What a submission does between its waits and its signals.

use hip::Issue;

use crate::command_buffer::Replay;
use crate::{BindingTable, Buffer, CommandBuffer, Result, Status};

/// One piece of work.
pub(super) enum Work {
    /// Executes a command buffer.
    Execute {
        commands: CommandBuffer,
        bindings: BindingTable,
        /// How, once that is decided.
        replay: Replay,
    },
    /// Gives a reserved buffer its memory.
    Allocate(Buffer),
    /// Takes the memory of a buffer back.
    Deallocate(Buffer),
}

impl Work {
    /// What can be done before the stream is taken.
    pub(super) fn prepare(&mut self) -> Result<()> {
        if let Self::Execute {
            commands,
            bindings,
            replay,
        } = self
        {
            *replay = Replay::prepare(commands, bindings)?;
        }
        Ok(())
    }

    /// Puts the work on the stream.
    pub(super) fn issue(&mut self, issue: &Issue<'_>) -> Result<()> {
        match self {
            Self::Execute {
                commands,
                bindings,
                replay,
            } => replay.issue(issue, commands, bindings),
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

    /// The work is done.
    pub(super) fn observe(&self) {
        if let Self::Execute {
            commands, replay, ..
        } = self
        {
            replay.observe(commands);
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
