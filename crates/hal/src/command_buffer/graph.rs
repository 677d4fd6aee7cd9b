//! Commands as the nodes of a HIP graph, and the graphs of a command buffer.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::slice;
use std::sync::Arc;

use hip::{
    Context, DevicePtr, Function, Graph, GraphExec, GraphNode, Issue, LaunchConfig, MemcpyKind,
};

use super::deferred::{Deferred, Pattern, Run, Sink};
use crate::semaphore::{Mutex, lock};
use crate::{Binding, Result};

/// Builds a graph. Nodes between two barriers do not depend on each other;
/// each depends on what the last barrier joined.
struct GraphSink {
    graph: Graph,
    /// What everything to come waits for.
    barrier: Option<GraphNode>,
    /// Every node that does something, in the order of the commands, and how
    /// many of them came before the last barrier.
    nodes: Vec<GraphNode>,
    joined: usize,
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
        match self.nodes[self.joined..] {
            // What came before the last barrier is still to be waited for.
            [] => return Ok(()),
            [node] => self.barrier = Some(node),
            ref nodes => self.barrier = Some(self.graph.add_empty(nodes)?),
        }
        self.joined = self.nodes.len();
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

/// Gives the nodes of a graph other addresses: the same commands again, each
/// to the node it became.
struct PatchSink<'a> {
    exec: &'a mut GraphExec,
    nodes: slice::Iter<'a, GraphNode>,
}

impl PatchSink<'_> {
    fn next(&mut self) -> GraphNode {
        *self
            .nodes
            .next()
            .expect("the same commands make the same nodes")
    }
}

impl Sink for PatchSink<'_> {
    fn barrier(&mut self) -> Result<()> {
        Ok(())
    }

    fn fill(&mut self, target: DevicePtr, pattern: Pattern, count: u64) -> Result<()> {
        let (node, size) = (self.next(), pattern.size() as u32);
        let value = pattern.splat();
        Ok(self.exec.set_memset(node, target, value, size, count)?)
    }

    fn copy(
        &mut self,
        target: DevicePtr,
        source: DevicePtr,
        bytes: u64,
        kind: MemcpyKind,
    ) -> Result<()> {
        let node = self.next();
        Ok(self.exec.set_memcpy(node, target, source, bytes, kind)?)
    }

    fn dispatch(
        &mut self,
        function: &Function,
        config: &LaunchConfig,
        kernarg: &[u8],
    ) -> hip::Result<()> {
        let node = self.next();
        self.exec.set_kernel(node, function, config, kernarg)
    }

    fn dispatch_run(&mut self, run: &Run<'_>) -> Result<()> {
        // Their arguments are final.
        run.dispatches.iter().for_each(|_| {
            self.next();
        });
        Ok(())
    }
}

/// A graph of a command buffer.
pub(crate) struct Built {
    exec: GraphExec,
    nodes: Vec<GraphNode>,
}

impl Built {
    /// Builds and instantiates the graph of recorded commands for a table.
    fn new(context: &Context, commands: &Deferred, table: &[Binding]) -> Result<Self> {
        let mut sink = GraphSink {
            graph: Graph::new(context)?,
            barrier: None,
            nodes: Vec::new(),
            joined: 0,
        };
        commands.apply(&mut sink, table)?;
        Ok(Self {
            exec: sink.graph.instantiate()?,
            nodes: sink.nodes,
        })
    }

    /// Makes it the graph of the same commands for another table.
    fn patch(&mut self, commands: &Deferred, table: &[Binding]) -> Result<()> {
        let mut sink = PatchSink {
            exec: &mut self.exec,
            nodes: self.nodes.iter(),
        };
        commands.apply(&mut sink, table)
    }

    pub(super) fn launch(&self, issue: &Issue<'_>) -> Result<()> {
        Ok(issue.launch_graph(&self.exec)?)
    }
}

/// The graphs kept per command buffer; the one not used for longest goes.
const GRAPHS: usize = 4;

/// So often must graphs be launched for one of them to be replaced: to change
/// or to build one costs about as much as launches save.
const LAUNCHES_PER_CHANGE: u32 = 8;

/// The tables remembered per command buffer that had no graph when it was
/// executed with them.
const SEEN: usize = 16;

/// The graphs of one command buffer, one for each set of addresses that it
/// was executed with.
#[derive(Default)]
pub(super) struct GraphCache(Mutex<Graphs>);

#[derive(Default)]
struct Graphs {
    /// Most recently used first.
    kept: Vec<Kept>,
    /// Hashes of keys, the oldest first.
    seen: VecDeque<u64>,
    /// The key that is looked for; kept for its room.
    key: Vec<u64>,
    /// Launches since a graph was last replaced.
    launches: u32,
}

struct Kept {
    key: Vec<u64>,
    graph: Arc<Built>,
}

/// What a command buffer has for a table.
pub(super) enum Found {
    Graph(Arc<Built>),
    /// No graph, but it was executed with the table before.
    Seen,
    New,
}

impl GraphCache {
    /// What there is for these bindings, which are remembered from now on.
    pub(super) fn find(&self, commands: &Deferred, table: &[Binding]) -> Result<Found> {
        let graphs = &mut *lock(&self.0);
        write_key(&mut graphs.key, commands, table)?;
        if let Some(graph) = graphs.find() {
            graphs.launches += 1;
            return Ok(Found::Graph(graph));
        }
        let mut hasher = DefaultHasher::new();
        graphs.key.hash(&mut hasher);
        let hash = hasher.finish();
        if graphs.seen.contains(&hash) {
            return Ok(Found::Seen);
        }
        if graphs.seen.len() == SEEN {
            graphs.seen.pop_front();
        }
        graphs.seen.push_back(hash);
        Ok(Found::New)
    }

    /// Whether another graph is worth its cost: there is room for it, or those
    /// that are there have paid for it.
    pub(super) fn can_change(&self) -> bool {
        let graphs = &mut *lock(&self.0);
        let can = graphs.kept.len() < GRAPHS || graphs.launches >= LAUNCHES_PER_CHANGE;
        if can {
            graphs.launches = 0;
        }
        can
    }

    /// The graph for these bindings. If it is not there, one that is not used
    /// now gets their addresses, if as many as are kept were built already;
    /// otherwise it is built. Two threads that want the same new graph at once
    /// may both build it; one is kept.
    pub(super) fn get(
        &self,
        context: &Context,
        commands: &Deferred,
        table: &[Binding],
    ) -> Result<Arc<Built>> {
        let (key, spare) = {
            let graphs = &mut *lock(&self.0);
            write_key(&mut graphs.key, commands, table)?;
            if let Some(graph) = graphs.find() {
                return Ok(graph);
            }
            (graphs.key.clone(), graphs.take_spare())
        };
        let graph = match spare.map(|mut spare| spare.patch(commands, table).map(|()| spare)) {
            Some(Ok(patched)) => patched,
            // What cannot be changed is built anew.
            None | Some(Err(_)) => Built::new(context, commands, table)?,
        };
        let graph = Arc::new(graph);
        // The one that goes is destroyed after the lock is released.
        let evicted = {
            let graphs = &mut *lock(&self.0);
            if let Some(other) = graphs.kept.iter().find(|other| other.key == key) {
                return Ok(other.graph.clone());
            }
            let kept = Kept {
                key,
                graph: graph.clone(),
            };
            graphs.kept.insert(0, kept);
            graphs.kept.split_off(graphs.kept.len().min(GRAPHS))
        };
        drop(evicted);
        Ok(graph)
    }

    /// Lets go of all graphs, once they were launched for the last time.
    pub(super) fn clear(&self) {
        let graphs = std::mem::take(&mut lock(&self.0).kept);
        drop(graphs);
    }
}

impl Graphs {
    /// The graph for the key that was written.
    fn find(&mut self) -> Option<Arc<Built>> {
        let at = self.kept.iter().position(|kept| kept.key == self.key)?;
        self.kept[..=at].rotate_right(1);
        Some(self.kept[0].graph.clone())
    }

    /// The graph not used for longest, if there are as many as are kept and no
    /// submission has it.
    fn take_spare(&mut self) -> Option<Built> {
        if self.kept.len() < GRAPHS {
            return None;
        }
        let last = self.kept.pop()?;
        match Arc::try_unwrap(last.graph) {
            Ok(graph) => Some(graph),
            Err(graph) => {
                self.kept.push(Kept { graph, ..last });
                None
            }
        }
    }
}

/// What a graph is built for: address and length of every binding, address of
/// every buffer allocated by queues. Empty if nothing depends on them.
fn write_key(key: &mut Vec<u64>, commands: &Deferred, table: &[Binding]) -> Result<()> {
    key.clear();
    if commands.is_static() {
        return Ok(());
    }
    for binding in table {
        key.push(binding.address()?.0);
        key.push(binding.resolved_length()?);
    }
    for buffer in &commands.late {
        key.push(buffer.device_ptr()?.0);
    }
    Ok(())
}
