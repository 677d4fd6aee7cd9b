//! Many launches as one: a chain of kernel nodes, launched with other kernels
//! every time.

use super::{FULL, Held, Launches};
use crate::{Context, Graph, GraphExec, GraphNode, Result, StreamHandle};

/// So many times were there enough launches before a chain is built, which takes
/// as long as it saves in three or four launches.
const WARM: u32 = 4;

/// Makes one launch of [`FULL`].
#[derive(Default)]
pub(super) struct Maker {
    /// How often there were enough for a chain.
    filled: u32,
    chain: Option<Chain>,
}

/// Kernel nodes that run one after the other.
struct Chain {
    exec: GraphExec,
    nodes: Vec<GraphNode>,
}

impl Maker {
    pub(super) fn has_chain(&self) -> bool {
        self.chain.is_some()
    }

    /// Makes all launches as one, if that can be: otherwise nothing was launched.
    pub(super) fn launch(
        &mut self,
        context: &Context,
        stream: StreamHandle,
        launches: &Launches,
    ) -> bool {
        self.filled = self.filled.saturating_add(1);
        if self.filled < WARM {
            return false;
        }
        let changed = match &mut self.chain {
            Some(chain) => chain.change(launches),
            // It is tried once. Where there are no graphs, there are launches.
            None if self.filled == WARM => {
                Chain::new(context, launches).map(|chain| self.chain = Some(chain))
            }
            None => return false,
        };
        let Some(chain) = &self.chain else {
            return false;
        };
        // SAFETY: exec and stream are live, and of this context's provider.
        let launch = || unsafe { context.api().graph_launch(chain.exec.handle(), stream) };
        changed.and_then(|()| launch()).is_ok()
    }
}

impl Chain {
    fn new(context: &Context, launches: &Launches) -> Result<Self> {
        let mut graph = Graph::new(context)?;
        let mut nodes: Vec<GraphNode> = Vec::with_capacity(FULL);
        for (held, kernarg) in launches.iter() {
            let after = nodes.last().copied();
            let node = graph.add_kernel(after.as_slice(), &held.function, &held.config, kernarg)?;
            nodes.push(node);
        }
        Ok(Self {
            exec: graph.instantiate()?,
            nodes,
        })
    }

    /// Gives the nodes other kernels. A launch under way keeps those it has.
    fn change(&mut self, launches: &Launches) -> Result<()> {
        let Self { exec, nodes } = self;
        exec.forget_modules();
        let change = |(node, (held, kernarg)): (&GraphNode, (&Held, &[u8]))| {
            exec.set_kernel_in_context(*node, &held.function, &held.config, kernarg)
        };
        nodes.iter().zip(launches.iter()).try_for_each(change)
    }
}
