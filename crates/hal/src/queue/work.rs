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

    /// Whether it is to run one kernel, and not as a graph.
    pub(super) fn is_single_dispatch(&self) -> bool {
        match self {
            Self::Execute {
                commands, replay, ..
            } => replay.is_plain() && commands.is_single_dispatch(),
            Self::Allocate(_) | Self::Deallocate(_) => false,
        }
    }

    /// What it means that its kernel could not be launched.
    pub(super) fn failed(&self, error: &hip::Error) -> Status {
        match self {
            Self::Execute { commands, .. } => commands.failed_dispatch(error.clone()),
            Self::Allocate(_) | Self::Deallocate(_) => error.clone().into(),
        }
    }

    /// Puts the work on the stream; with a tag, if it is a single dispatch,
    /// maybe not at once.
    pub(super) fn issue(&mut self, issue: &Issue<'_>, tag: Option<u64>) -> Result<()> {
        match self {
            Self::Execute {
                commands,
                bindings,
                replay,
            } => match tag {
                Some(tag) => commands.replay_later(issue, bindings, tag),
                None => replay.issue(issue, commands, bindings),
            },
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
