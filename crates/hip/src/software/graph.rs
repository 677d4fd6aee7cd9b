//! Graphs: nodes by order of dependency, and snapshots of them to launch.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Software;
use super::stream::{Command, Event, Point, Stream};
use super::work::Work;
use crate::{Code, Error, GraphExecHandle, GraphHandle, GraphNodeHandle, Result};

/// What a node does.
#[derive(Clone)]
pub(super) enum Node {
    /// Nothing; it joins its dependencies.
    Empty,
    Work(Work),
    Record(Arc<Event>),
}

/// A graph under construction. A node can only depend on nodes that were
/// there before it, so the order of addition respects all dependencies.
pub(super) struct Graph(Mutex<Parts>);

struct Parts {
    nodes: Vec<Node>,
    handles: Vec<GraphNodeHandle>,
}

/// Which node of which graph a handle names.
#[derive(Clone)]
pub(super) struct NodePlace {
    graph: GraphHandle,
    index: usize,
}

/// A graph made launchable.
pub(super) struct Exec {
    graph: GraphHandle,
    state: Mutex<ExecState>,
}

struct ExecState {
    /// Shared with the launches under way, which keep what they were launched with.
    nodes: Arc<Vec<Node>>,
    /// Where the last launch ends.
    last: Option<Arc<Point>>,
}

impl Graph {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Parts {
            nodes: Vec::new(),
            handles: Vec::new(),
        }))
    }

    fn parts(&self) -> MutexGuard<'_, Parts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Exec {
    fn state(&self) -> MutexGuard<'_, ExecState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn destroy(provider: &Software, graph: GraphHandle) -> Result<()> {
    let call = "hipGraphDestroy";
    let removed = provider.graphs.remove(graph.0, call)?;
    let handles = std::mem::take(&mut removed.parts().handles);
    for node in handles {
        provider.nodes.remove(node.0, call)?;
    }
    Ok(())
}

pub(super) fn add(
    provider: &Software,
    graph: GraphHandle,
    dependencies: &[GraphNodeHandle],
    node: Node,
    call: &'static str,
) -> Result<GraphNodeHandle> {
    let target = provider.graphs.get(graph.0, call)?;
    for dependency in dependencies {
        place_in(provider, graph, *dependency, call)?;
    }
    let mut parts = target.parts();
    let index = parts.nodes.len();
    parts.nodes.push(node);
    let handle = GraphNodeHandle(provider.nodes.insert(NodePlace { graph, index }));
    parts.handles.push(handle);
    Ok(handle)
}

fn place_in(
    provider: &Software,
    graph: GraphHandle,
    node: GraphNodeHandle,
    call: &'static str,
) -> Result<usize> {
    let place = provider.nodes.get(node.0, call)?;
    if place.graph == graph {
        return Ok(place.index);
    }
    let detail = "the node belongs to another graph";
    Err(Error::with_detail(Code::INVALID_VALUE, call, detail))
}

pub(super) fn instantiate(provider: &Software, graph: GraphHandle) -> Result<GraphExecHandle> {
    let source = provider.graphs.get(graph.0, "hipGraphInstantiate")?;
    let nodes = Arc::new(source.parts().nodes.clone());
    let exec = Exec {
        graph,
        state: Mutex::new(ExecState { nodes, last: None }),
    };
    Ok(GraphExecHandle(provider.execs.insert(exec.into())))
}

/// Replaces the work of a node for the launches to come. `make` gets the old
/// work and gives the new, or nothing if the node is of another kind.
pub(super) fn set_work(
    provider: &Software,
    exec: GraphExecHandle,
    node: GraphNodeHandle,
    call: &'static str,
    make: impl FnOnce(&Work) -> Option<Result<Work>>,
) -> Result<()> {
    let exec = provider.execs.get(exec.0, call)?;
    let index = place_in(provider, exec.graph, node, call)?;
    let mut state = exec.state();
    let made = match state.nodes.get(index) {
        Some(Node::Work(work)) => make(work),
        _ => None,
    };
    let Some(made) = made else {
        let detail = "the exec has no node of this kind there";
        return Err(Error::with_detail(Code::INVALID_VALUE, call, detail));
    };
    Arc::make_mut(&mut state.nodes)[index] = Node::Work(made?);
    Ok(())
}

/// Launches behind the exec's earlier launch, whichever stream that is in.
pub(super) fn launch(
    provider: &Software,
    exec: GraphExecHandle,
    stream: &Arc<Stream>,
) -> Result<()> {
    let exec = provider.execs.get(exec.0, "hipGraphLaunch")?;
    // Held over the submissions, so that launches from two threads do not
    // both wait for the same earlier one.
    let mut state = exec.state();
    if let Some(last) = &state.last {
        stream.follow(last.clone())?;
    }
    let nodes = state.nodes.clone();
    let events: Vec<Arc<Event>> = nodes
        .iter()
        .filter_map(|node| match node {
            Node::Record(event) => Some(event.clone()),
            Node::Empty | Node::Work(_) => None,
        })
        .collect();
    let point = |_: &Arc<Event>| Arc::new(Point::new(stream.number()));
    let points: Vec<Arc<Point>> = events.iter().map(point).collect();
    stream.submit(Command::Graph(nodes, points.clone()))?;
    for (event, point) in events.iter().zip(points) {
        event.set(point);
    }
    state.last = Some(stream.record()?);
    Ok(())
}
