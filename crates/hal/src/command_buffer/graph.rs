//! Commands as the nodes of a HIP graph, and the graphs of a command buffer.

use std::sync::Arc;

use hip::{Context, DevicePtr, Function, Graph, GraphExec, GraphNode, LaunchConfig, MemcpyKind};

use super::deferred::{Deferred, Pattern, Sink};
use crate::semaphore::{Mutex, lock};
use crate::{Binding, Result};

/// Builds a graph. Nodes between two barriers do not depend on each other;
/// each depends on what the last barrier joined.
struct GraphSink {
    graph: Graph,
    /// What everything to come waits for.
    barrier: Option<GraphNode>,
    /// Nodes since then.
    nodes: Vec<GraphNode>,
}

impl GraphSink {
    fn add(
        &mut self,
        add: impl FnOnce(&mut Graph, &[GraphNode]) -> hip::Result<GraphNode>,
    ) -> hip::Result<()> {
        let node = add(&mut self.graph, self.barrier.as_slice())?;
        self.nodes.push(node);
        Ok(())
    }
}

impl Sink for GraphSink {
    fn barrier(&mut self) -> Result<()> {
        match *self.nodes.as_slice() {
            // What came before the last barrier is still to be waited for.
            [] => return Ok(()),
            [node] => self.barrier = Some(node),
            _ => self.barrier = Some(self.graph.add_empty(&self.nodes)?),
        }
        self.nodes.clear();
        Ok(())
    }

    fn fill(&mut self, target: DevicePtr, pattern: Pattern, count: u64) -> Result<()> {
        let size = pattern.size() as u32;
        Ok(self.add(|graph, after| graph.add_memset(after, target, pattern.splat(), size, count))?)
    }

    fn copy(
        &mut self,
        target: DevicePtr,
        source: DevicePtr,
        bytes: u64,
        kind: MemcpyKind,
    ) -> Result<()> {
        Ok(self.add(|graph, after| graph.add_memcpy(after, target, source, bytes, kind))?)
    }

    fn dispatch(
        &mut self,
        function: &Function,
        config: &LaunchConfig,
        kernarg: &[u8],
    ) -> hip::Result<()> {
        self.add(|graph, after| graph.add_kernel(after, function, config, kernarg))
    }
}

/// Builds and instantiates the graph of recorded commands for a table.
fn build(context: &Context, commands: &Deferred, table: &[Binding]) -> Result<GraphExec> {
    let mut sink = GraphSink {
        graph: Graph::new(context)?,
        barrier: None,
        nodes: Vec::new(),
    };
    commands.apply(&mut sink, table)?;
    Ok(sink.graph.instantiate()?)
}

/// The graphs kept per command buffer; the one not used for longest goes.
const GRAPHS: usize = 4;

/// The graphs of one command buffer, one for each set of addresses that it
/// was executed with, most recently used first.
#[derive(Default)]
pub(super) struct GraphCache(Mutex<Vec<(Vec<u64>, Arc<GraphExec>)>>);

impl GraphCache {
    /// The graph for these bindings, built if it is not there. Two threads
    /// that want the same new graph at once may both build it; one is kept.
    pub(super) fn get(
        &self,
        context: &Context,
        commands: &Deferred,
        table: &[Binding],
    ) -> Result<Arc<GraphExec>> {
        let key = key(commands, table)?;
        if let Some(exec) = self.find(&key) {
            return Ok(exec);
        }
        let exec = Arc::new(build(context, commands, table)?);
        // The one that goes is destroyed after the lock is released.
        let evicted = {
            let mut graphs = lock(&self.0);
            if let Some((_, exec)) = graphs.iter().find(|(other, _)| *other == key) {
                return Ok(exec.clone());
            }
            graphs.insert(0, (key, exec.clone()));
            let kept = graphs.len().min(GRAPHS);
            graphs.split_off(kept)
        };
        drop(evicted);
        Ok(exec)
    }

    fn find(&self, key: &[u64]) -> Option<Arc<GraphExec>> {
        let mut graphs = lock(&self.0);
        let at = graphs.iter().position(|(other, _)| other == key)?;
        graphs[..=at].rotate_right(1);
        Some(graphs[0].1.clone())
    }
}

/// What a graph is built for: address and length of every binding, address of
/// every buffer allocated by queues. Empty if nothing depends on them.
fn key(commands: &Deferred, table: &[Binding]) -> Result<Vec<u64>> {
    if commands.is_static() {
        return Ok(Vec::new());
    }
    let mut key = Vec::with_capacity(2 * table.len() + commands.late.len());
    for binding in table {
        key.push(binding.address()?.0);
        key.push(binding.resolved_length()?);
    }
    for buffer in &commands.late {
        key.push(buffer.device_ptr()?.0);
    }
    Ok(key)
}
