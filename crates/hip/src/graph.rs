//! Graphs: work built once, launched many times.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::stream::EventInner;
use crate::{
    Code, Context, DevicePtr, Error, Event, Function, GraphExecHandle, GraphHandle,
    GraphNodeHandle, LaunchConfig, MemcpyKind, Module, Result,
};

/// A graph under construction. It keeps the modules and events its nodes use.
pub struct Graph {
    context: Context,
    handle: GraphHandle,
    id: u64,
    modules: Vec<Module>,
    events: Vec<Arc<EventInner>>,
    /// Reused between calls, so that adding a node does not allocate.
    dependencies: Vec<GraphNodeHandle>,
}

/// A node of a graph; it means something only to the graph that returned it
/// and to the exec made of that graph: others answer `hipErrorInvalidValue`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GraphNode {
    handle: GraphNodeHandle,
    graph: u64,
}

/// Tells graphs apart for good, unlike their handles, which are reused.
static NEXT_ID: AtomicU64 = AtomicU64::new(0);

impl Graph {
    /// An empty graph.
    pub fn new(context: &Context) -> Result<Self> {
        let handle = context.enter()?.api().graph_create()?;
        Ok(Self {
            context: context.clone(),
            handle,
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            modules: Vec::new(),
            events: Vec::new(),
            dependencies: Vec::new(),
        })
    }

    /// Adds a node that does nothing but join its dependencies.
    pub fn add_empty(&mut self, dependencies: &[GraphNode]) -> Result<GraphNode> {
        self.depend_on(dependencies)?;
        let scope = self.context.enter()?;
        // SAFETY: the graph is owned by `self`, the nodes are its own.
        let node = unsafe {
            scope
                .api()
                .graph_add_empty(self.handle, &self.dependencies)?
        };
        Ok(self.node(node))
    }

    /// Adds a kernel launch. `kernarg` is copied.
    pub fn add_kernel(
        &mut self,
        dependencies: &[GraphNode],
        function: &Function,
        config: &LaunchConfig,
        kernarg: &[u8],
    ) -> Result<GraphNode> {
        self.depend_on(dependencies)?;
        retain_module(&mut self.modules, function);
        let scope = self.context.enter()?;
        // SAFETY: graph and function are live, the nodes are the graph's own.
        let node = unsafe {
            scope.api().graph_add_kernel(
                self.handle,
                &self.dependencies,
                function.handle(),
                config,
                kernarg,
            )?
        };
        Ok(self.node(node))
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
        self.depend_on(dependencies)?;
        let scope = self.context.enter()?;
        // SAFETY: the graph is owned by `self`, the nodes are its own.
        let node = unsafe {
            scope.api().graph_add_memset(
                self.handle,
                &self.dependencies,
                dst,
                value,
                element_bytes,
                count,
            )?
        };
        Ok(self.node(node))
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
        self.depend_on(dependencies)?;
        let scope = self.context.enter()?;
        // SAFETY: graph and context are live, the nodes are the graph's own.
        let node = unsafe {
            scope.api().graph_add_memcpy(
                self.handle,
                &self.dependencies,
                dst,
                src,
                bytes,
                kind,
                self.context.handle(),
            )?
        };
        Ok(self.node(node))
    }

    /// Adds the recording of an event.
    pub fn add_event_record(
        &mut self,
        dependencies: &[GraphNode],
        event: &Event,
    ) -> Result<GraphNode> {
        self.depend_on(dependencies)?;
        self.events.push(event.retain());
        let scope = self.context.enter()?;
        // SAFETY: graph and event are live, the nodes are the graph's own.
        let node = unsafe {
            scope
                .api()
                .graph_add_event_record(self.handle, &self.dependencies, event.handle())?
        };
        Ok(self.node(node))
    }

    /// Makes the graph launchable.
    pub fn instantiate(self) -> Result<GraphExec> {
        let scope = self.context.enter()?;
        // SAFETY: the graph is owned by `self`.
        let handle = unsafe { scope.api().graph_instantiate(self.handle)? };
        drop(scope);
        Ok(GraphExec {
            graph: self,
            handle,
        })
    }

    fn depend_on(&mut self, nodes: &[GraphNode]) -> Result<()> {
        self.dependencies.clear();
        for node in nodes {
            self.dependencies.push(self.own(*node)?);
        }
        Ok(())
    }

    fn own(&self, node: GraphNode) -> Result<GraphNodeHandle> {
        if node.graph == self.id {
            return Ok(node.handle);
        }
        Err(Error::with_detail(
            Code::INVALID_VALUE,
            "graph node",
            "the node belongs to another graph",
        ))
    }

    fn node(&self, handle: GraphNodeHandle) -> GraphNode {
        GraphNode {
            handle,
            graph: self.id,
        }
    }
}

fn retain_module(modules: &mut Vec<Module>, function: &Function) {
    // Kernels of one graph mostly come from one module, the last one used.
    if !modules.iter().rev().any(|held| held == function.module()) {
        modules.push(function.module().clone());
    }
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

/// An instantiated graph. It keeps the graph, whose nodes name what can be
/// changed, and with it the modules and events in use.
pub struct GraphExec {
    graph: Graph,
    handle: GraphExecHandle,
}

impl GraphExec {
    /// Keeps no modules any more but those of the nodes that are changed from
    /// now on: for one whose kernel nodes are all about to be.
    pub(crate) fn forget_modules(&mut self) {
        self.graph.modules.clear();
    }

    /// Gives a kernel node new arguments for the launches to come.
    pub fn set_kernel(
        &mut self,
        node: GraphNode,
        function: &Function,
        config: &LaunchConfig,
        kernarg: &[u8],
    ) -> Result<()> {
        let context = self.graph.context.clone();
        let _scope = context.enter()?;
        self.set_kernel_in_context(node, function, config, kernarg)
    }

    /// [`GraphExec::set_kernel`] where the context is current.
    pub(crate) fn set_kernel_in_context(
        &mut self,
        node: GraphNode,
        function: &Function,
        config: &LaunchConfig,
        kernarg: &[u8],
    ) -> Result<()> {
        let node = self.graph.own(node)?;
        retain_module(&mut self.graph.modules, function);
        // SAFETY: exec and function are live, the node is of the exec's graph.
        unsafe {
            self.graph.context.api().graph_exec_set_kernel(
                self.handle,
                node,
                function.handle(),
                config,
                kernarg,
            )
        }
    }

    /// Gives a memset node another fill for the launches to come.
    pub fn set_memset(
        &mut self,
        node: GraphNode,
        dst: DevicePtr,
        value: u32,
        element_bytes: u32,
        count: u64,
    ) -> Result<()> {
        let node = self.graph.own(node)?;
        let scope = self.graph.context.enter()?;
        // SAFETY: the exec is live, the node is of its graph.
        unsafe {
            scope
                .api()
                .graph_exec_set_memset(self.handle, node, dst, value, element_bytes, count)
        }
    }

    /// Gives a memcpy node another copy for the launches to come.
    pub fn set_memcpy(
        &mut self,
        node: GraphNode,
        dst: DevicePtr,
        src: DevicePtr,
        bytes: u64,
        kind: MemcpyKind,
    ) -> Result<()> {
        let node = self.graph.own(node)?;
        let context = &self.graph.context;
        let scope = context.enter()?;
        // SAFETY: exec and context are live, the node is of the exec's graph.
        unsafe {
            scope.api().graph_exec_set_memcpy(
                self.handle,
                node,
                dst,
                src,
                bytes,
                kind,
                context.handle(),
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
        // SAFETY: owned, and destroyed only here; the graph goes after it.
        self.graph
            .context
            .release(|api| unsafe { api.graph_exec_destroy(self.handle) });
    }
}
