//! Graphs: work built once, launched many times.

use std::fmt;

use crate::{
    Context, DevicePtr, Event, Function, GraphExecHandle, GraphHandle, GraphNodeHandle,
    LaunchConfig, MemcpyKind, Result,
};

/// A graph under construction.
pub struct Graph {
    context: Context,
    handle: GraphHandle,
}

/// A node of a graph; means something only to the graph that returned it and
/// to the execs made of that graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct GraphNode(GraphNodeHandle);

impl Graph {
    /// An empty graph.
    pub fn new(context: &Context) -> Result<Self> {
        let handle = context.enter()?.api().graph_create()?;
        Ok(Self {
            context: context.clone(),
            handle,
        })
    }

    /// Adds a node that does nothing but join its dependencies.
    pub fn add_empty(&mut self, dependencies: &[GraphNode]) -> Result<GraphNode> {
        // SAFETY: the graph is owned by `self`, its nodes are its own.
        let node = unsafe {
            self.context
                .api()
                .graph_add_empty(self.handle, handles(dependencies))?
        };
        Ok(GraphNode(node))
    }

    /// Adds a kernel launch. `kernarg` is copied.
    pub fn add_kernel(
        &mut self,
        dependencies: &[GraphNode],
        function: &Function,
        config: &LaunchConfig,
        kernarg: &[u8],
    ) -> Result<GraphNode> {
        // SAFETY: graph and function are live, the nodes are the graph's own.
        let node = unsafe {
            self.context.api().graph_add_kernel(
                self.handle,
                handles(dependencies),
                function.handle(),
                config,
                kernarg,
            )?
        };
        Ok(GraphNode(node))
    }

    /// Adds a fill of `count` elements of `element_bytes` (1, 2 or 4) with
    /// `value`, the element splatted to 32 bits.
    pub fn add_memset(
        &mut self,
        dependencies: &[GraphNode],
        dst: DevicePtr,
        value: u32,
        element_bytes: u32,
        count: u64,
    ) -> Result<GraphNode> {
        // SAFETY: the graph is owned by `self`, its nodes are its own.
        let node = unsafe {
            self.context.api().graph_add_memset(
                self.handle,
                handles(dependencies),
                dst,
                value,
                element_bytes,
                count,
            )?
        };
        Ok(GraphNode(node))
    }

    /// Adds a copy between two addresses that the device can reach.
    pub fn add_memcpy(
        &mut self,
        dependencies: &[GraphNode],
        dst: DevicePtr,
        src: DevicePtr,
        bytes: u64,
        kind: MemcpyKind,
    ) -> Result<GraphNode> {
        // SAFETY: graph and context are live, the nodes are the graph's own.
        let node = unsafe {
            self.context.api().graph_add_memcpy(
                self.handle,
                handles(dependencies),
                dst,
                src,
                bytes,
                kind,
                self.context.handle(),
            )?
        };
        Ok(GraphNode(node))
    }

    /// Adds the recording of an event.
    pub fn add_event_record(
        &mut self,
        dependencies: &[GraphNode],
        event: &Event,
    ) -> Result<GraphNode> {
        // SAFETY: graph and event are live, the nodes are the graph's own.
        let node = unsafe {
            self.context.api().graph_add_event_record(
                self.handle,
                handles(dependencies),
                event.handle(),
            )?
        };
        Ok(GraphNode(node))
    }

    /// Makes the graph launchable.
    pub fn instantiate(self) -> Result<GraphExec> {
        let scope = self.context.enter()?;
        // SAFETY: the graph is owned by `self`.
        let handle = unsafe { scope.api().graph_instantiate(self.handle)? };
        Ok(GraphExec {
            context: self.context.clone(),
            handle,
        })
    }
}

/// Nodes as the handles they are.
fn handles(nodes: &[GraphNode]) -> &[GraphNodeHandle] {
    // SAFETY: `GraphNode` is a transparent wrapper of `GraphNodeHandle`.
    unsafe { std::slice::from_raw_parts(nodes.as_ptr().cast(), nodes.len()) }
}

impl fmt::Debug for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Graph({:#x})", self.handle.0)
    }
}

impl Drop for Graph {
    fn drop(&mut self) {
        // SAFETY: owned, and destroyed only here.
        self.context
            .release(|api| unsafe { api.graph_destroy(self.handle) });
    }
}

/// An instantiated graph.
pub struct GraphExec {
    context: Context,
    handle: GraphExecHandle,
}

impl GraphExec {
    /// Gives a kernel node new arguments for the launches to come.
    pub fn set_kernel(
        &mut self,
        node: GraphNode,
        function: &Function,
        config: &LaunchConfig,
        kernarg: &[u8],
    ) -> Result<()> {
        let scope = self.context.enter()?;
        // SAFETY: exec and function are live.
        unsafe {
            scope.api().graph_exec_set_kernel(
                self.handle,
                node.0,
                function.handle(),
                config,
                kernarg,
            )
        }
    }

    pub(crate) fn handle(&self) -> GraphExecHandle {
        self.handle
    }
}

impl fmt::Debug for GraphExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GraphExec({:#x})", self.handle.0)
    }
}

impl Drop for GraphExec {
    fn drop(&mut self) {
        // SAFETY: owned, and destroyed only here.
        self.context
            .release(|api| unsafe { api.graph_exec_destroy(self.handle) });
    }
}
