//! One execution of a command buffer: which way it goes, and what that shows.

use std::sync::Arc;

use hip::Issue;

use super::graph::{Built, Found};
use super::trial::{Sample, Way};
use super::{CommandBuffer, Recorded};
use crate::flags::CommandBufferFlags;
use crate::{BindingTable, CommandBufferMode, Result};

/// How a command buffer is executed this time; by default one by one.
#[derive(Default)]
pub(crate) struct Replay {
    graph: Option<Arc<Built>>,
    sample: Option<Box<Sample>>,
}

impl Replay {
    /// Decides, and builds what has to be built: before the stream is taken.
    pub(crate) fn prepare(commands: &CommandBuffer, table: &BindingTable) -> Result<Self> {
        let recorded = commands.recorded()?;
        if recorded.commands.is_empty() {
            return Ok(Self::default());
        }
        match commands.0.mode {
            CommandBufferMode::Stream => Ok(Self::default()),
            CommandBufferMode::Graph => Ok(Self {
                graph: Some(commands.graph(recorded, table)?),
                sample: None,
            }),
            CommandBufferMode::Auto => Ok(Self::choose(commands, recorded, table)),
        }
    }

    fn choose(commands: &CommandBuffer, recorded: &Recorded, table: &BindingTable) -> Self {
        let (device, trial) = (&commands.0.device, &recorded.trial);
        let is_one_shot = commands.0.flags.contains(CommandBufferFlags::ONE_SHOT);
        if is_one_shot || trial.is_over() {
            return Self::default();
        }
        // Addresses that are not there yet are there when the work is issued.
        let found = recorded.graphs.find(&recorded.commands, table.bindings());
        let Ok(found) = found else {
            return Self::default();
        };
        if let Found::New = found {
            return Self::default();
        }
        let (way, is_timed) = trial.next(&device.experience);
        let graph = match (way, found) {
            (Way::Stream, _) => None,
            (Way::Graph, Found::Graph(graph)) => Some(graph),
            (Way::Graph, _) if !recorded.graphs.can_change() => None,
            (Way::Graph, _) => match commands.graph(recorded, table) {
                // To launch it for the first time takes longer than again.
                Ok(graph) => {
                    return Self {
                        graph: Some(graph),
                        sample: None,
                    };
                }
                Err(_) => {
                    trial.give_up(&device.experience);
                    return Self::default();
                }
            },
        };
        let sample = match is_timed && (graph.is_some() == (way == Way::Graph)) {
            true => Sample::new(&device.context, way).ok().map(Box::new),
            false => None,
        };
        Self { graph, sample }
    }

    /// Whether the commands go one by one, and nobody watches how long that takes.
    pub(crate) fn is_plain(&self) -> bool {
        self.graph.is_none() && self.sample.is_none()
    }

    /// Puts the commands on the stream.
    pub(crate) fn issue(
        &mut self,
        issue: &Issue<'_>,
        commands: &CommandBuffer,
        table: &BindingTable,
    ) -> Result<()> {
        let graph = self.graph.as_deref();
        let work = || match graph {
            Some(graph) => graph.launch(issue),
            None => commands.replay(issue, table),
        };
        match &mut self.sample {
            Some(sample) => sample.take(issue, work),
            None => work(),
        }
    }

    /// The commands are complete: what is to be learned from that.
    pub(crate) fn observe(&self, commands: &CommandBuffer) {
        let Some(sample) = &self.sample else { return };
        let (Some(time), Ok(recorded)) = (sample.time(), commands.recorded()) else {
            return;
        };
        let experience = &commands.0.device.experience;
        if let Some(Way::Stream) = recorded.trial.learn(experience, sample.way, time) {
            // They were built to be tried.
            recorded.graphs.clear();
        }
    }
}
