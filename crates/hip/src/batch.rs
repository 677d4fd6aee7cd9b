//! Launches that are put off until more have come.
//!
//! A provider may take less time to give all kernel nodes of a graph other
//! arguments and to launch it than to launch one kernel after the other
//! ([`ProviderInfo::relaunches_graphs`](crate::ProviderInfo)). There, launches
//! that nobody waits for yet are held, and [`FULL`] of them become one launch
//! of a chain of kernel nodes, the same chain every time. Whatever else is done
//! with the stream comes behind them, as it would have without.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::{
    Api, Context, Error, Function, Graph, GraphExec, GraphNode, LaunchConfig, Result, StreamHandle,
};

/// Launches that become one.
const FULL: usize = 16;

/// So many times were there enough of them before a chain is built, which takes
/// as long as it saves in three or four launches.
const WARM: u32 = 4;

/// The launches of a stream that were put off.
#[derive(Default)]
pub(crate) struct Batch {
    is_holding: AtomicBool,
    has_failed: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    held: Vec<Held>,
    /// The arguments of those held, one after the other.
    kernargs: Vec<u8>,
    /// How often there were enough for a chain.
    filled: u32,
    chain: Option<Chain>,
    failed: Vec<Failed>,
}

struct Held {
    function: Function,
    config: LaunchConfig,
    kernarg_bytes: usize,
    tag: u64,
}

/// A launch that was put off and could not be made then.
#[derive(Clone, Debug)]
pub struct Failed {
    /// What the launch was given to be known by.
    pub tag: u64,
    /// Why.
    pub error: Error,
}

/// Kernel nodes that run one after the other.
struct Chain {
    exec: GraphExec,
    nodes: Vec<GraphNode>,
}

impl Batch {
    /// Holds a launch, and makes all that are held if there are enough now.
    pub(crate) fn put_off(
        &self,
        (context, stream): (&Context, StreamHandle),
        (function, config, kernarg): (&Function, &LaunchConfig, &[u8]),
        tag: u64,
    ) {
        let state = &mut *self.lock();
        state.held.push(Held {
            function: function.clone(),
            config: *config,
            kernarg_bytes: kernarg.len(),
            tag,
        });
        state.kernargs.extend_from_slice(kernarg);
        self.is_holding.store(true, Ordering::Release);
        if state.held.len() == FULL {
            self.launch_all(state, context, stream);
        }
    }

    /// Makes the launches that are held. The context is current.
    #[inline]
    pub(crate) fn flush(&self, context: &Context, stream: StreamHandle) {
        if self.is_holding() {
            self.launch_all(&mut self.lock(), context, stream);
        }
    }

    #[inline]
    pub(crate) fn is_holding(&self) -> bool {
        self.is_holding.load(Ordering::Acquire)
    }

    /// Forgets the launches that are held.
    pub(crate) fn discard(&self) {
        let state = &mut *self.lock();
        self.clear(state);
    }

    pub(crate) fn take_failed(&self) -> Vec<Failed> {
        if !self.has_failed.swap(false, Ordering::Acquire) {
            return Vec::new();
        }
        std::mem::take(&mut self.lock().failed)
    }

    #[cold]
    #[inline(never)]
    fn launch_all(&self, state: &mut State, context: &Context, stream: StreamHandle) {
        if !(state.held.len() == FULL && state.launch_chain(context, stream)) {
            state.launch_each(context.api(), stream);
        }
        if !state.failed.is_empty() {
            self.has_failed.store(true, Ordering::Release);
        }
        self.clear(state);
    }

    fn clear(&self, state: &mut State) {
        state.held.clear();
        state.kernargs.clear();
        self.is_holding.store(false, Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Makes all launches as one, if that can be: otherwise nothing was launched.
    fn launch_chain(&mut self, context: &Context, stream: StreamHandle) -> bool {
        self.filled = self.filled.saturating_add(1);
        if self.filled < WARM {
            return false;
        }
        let launched = match &mut self.chain {
            Some(chain) => chain.change(launches(&self.held, &self.kernargs)),
            // It is tried once. Where there are no graphs, there are launches.
            None if self.filled == WARM => {
                Chain::new(context, launches(&self.held, &self.kernargs))
                    .map(|chain| self.chain = Some(chain))
            }
            None => return false,
        };
        let Some(chain) = &self.chain else {
            return false;
        };
        // SAFETY: exec and stream are live, and of this context's provider.
        let launch = || unsafe { context.api().graph_launch(chain.exec.handle(), stream) };
        launched.and_then(|()| launch()).is_ok()
    }

    /// Makes the launches one by one.
    fn launch_each(&mut self, api: &dyn Api, stream: StreamHandle) {
        for (held, kernarg) in launches(&self.held, &self.kernargs) {
            // SAFETY: both handles are owned by live objects of this provider.
            let result =
                unsafe { api.launch_kernel(held.function.handle(), &held.config, stream, kernarg) };
            if let Err(error) = result {
                self.failed.push(Failed {
                    tag: held.tag,
                    error,
                });
            }
        }
    }
}

/// The launches that are held, with their arguments.
fn launches<'a>(
    held: &'a [Held],
    mut kernargs: &'a [u8],
) -> impl Iterator<Item = (&'a Held, &'a [u8])> {
    held.iter().map(move |held| {
        let (kernarg, rest) = kernargs.split_at(held.kernarg_bytes);
        kernargs = rest;
        (held, kernarg)
    })
}

impl Chain {
    fn new<'a>(
        context: &Context,
        launches: impl Iterator<Item = (&'a Held, &'a [u8])>,
    ) -> Result<Self> {
        let mut graph = Graph::new(context)?;
        let mut nodes: Vec<GraphNode> = Vec::with_capacity(FULL);
        for (held, kernarg) in launches {
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
    fn change<'a>(&mut self, launches: impl Iterator<Item = (&'a Held, &'a [u8])>) -> Result<()> {
        let Self { exec, nodes } = self;
        exec.forget_modules();
        nodes
            .iter()
            .zip(launches)
            .try_for_each(|(node, (held, kernarg))| {
                exec.set_kernel_in_context(*node, &held.function, &held.config, kernarg)
            })
    }
}
