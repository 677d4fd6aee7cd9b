//! What a submission does between its waits and its signals.

use std::sync::Arc;

use hip::{GraphExec, Issue};

use crate::{BindingTable, Buffer, CommandBuffer, Result, Status};

/// One piece of work.
pub(super) enum Work {
    /// Executes a command buffer.
    Execute {
        commands: CommandBuffer,
        bindings: BindingTable,
        /// Launched in place of the commands, in graph mode.
        graph: Option<Arc<GraphExec>>,
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
            graph,
        } = self
        {
            *graph = commands.graph(bindings)?;
        }
        Ok(())
    }

    /// Puts the work on the stream.
    pub(super) fn issue(&mut self, issue: &Issue<'_>) -> Result<()> {
        match self {
            Self::Execute {
                commands,
                bindings,
                graph,
            } => match graph {
                Some(graph) => Ok(issue.launch_graph(graph)?),
                None => commands.replay(issue, bindings),
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

    /// The work will not be done.
    pub(super) fn abandon(&self, status: &Status) {
        if let Self::Allocate(buffer) = self
            && let Some(memory) = buffer.allocation().pool()
        {
            memory.fail(status.clone());
        }
    }
}
