//! Launches that are put off until more have come.
//!
//! A provider may take less time to give all kernel nodes of a graph other
//! arguments and to launch it than to launch one kernel after the other
//! ([`ProviderInfo::relaunches_graphs`](crate::ProviderInfo)). There, launches
//! that nobody waits for yet are held, and [`FULL`] of them become one launch
//! of a chain of kernel nodes, the same chain every time. Whatever else is done
//! with the stream comes behind them, as it would have without.
//!
//! Where a launch keeps its caller for long, another thread makes those that
//! are enough, and records the events behind them: the helper. It makes only
//! what anybody else may make who cannot wait for it ([`Batch::flush`]).

mod chain;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::stream::EventInner;
use crate::{Api, Code, Context, Error, Function, LaunchConfig, StreamHandle};
use chain::Maker;

/// Launches that become one.
const FULL: usize = 16;

/// What the helper is left with at the most; who comes with more, makes some.
const BACKLOG: usize = 4;

/// When the helper has had nothing to do for so long, it lets go of what was
/// made. Until then whoever puts off more does, which has it at hand.
const IDLE: Duration = Duration::from_millis(10);

/// The launches of a stream that were put off. It must not outlive the stream.
pub(crate) struct Batch {
    shared: Arc<Shared>,
    helper: OnceLock<Option<Helper>>,
}

/// What was put off, and how it is made.
pub(crate) struct Shared {
    context: Context,
    stream: StreamHandle,
    /// Something was put off that is not made.
    is_holding: AtomicBool,
    /// Something was put off that is not enough yet.
    is_filling: AtomicBool,
    has_failed: AtomicBool,
    /// Whoever holds it makes what is ready, in order.
    maker: Mutex<Maker>,
    /// Locked after the maker.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Launches of which there are not enough yet.
    filling: Launches,
    /// What is to be made, in order.
    ready: VecDeque<Work>,
    /// Made, to be filled again.
    made: Vec<Launches>,
    failed: Vec<Failed>,
}

enum Work {
    Launch(Launches),
    Record(Arc<EventInner>),
}

/// Launches in order, with their arguments.
#[derive(Default)]
struct Launches {
    held: Vec<Held>,
    /// The arguments, one after the other.
    kernargs: Vec<u8>,
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

/// The thread that makes what is ready.
struct Helper {
    is_ended: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Batch {
    pub(crate) fn new(context: &Context, stream: StreamHandle) -> Self {
        Self {
            shared: Arc::new(Shared {
                context: context.clone(),
                stream,
                is_holding: AtomicBool::new(false),
                is_filling: AtomicBool::new(false),
                has_failed: AtomicBool::new(false),
                maker: Mutex::default(),
                state: Mutex::default(),
            }),
            helper: OnceLock::new(),
        }
    }

    /// Holds a launch; if there are enough now, they are made, or will be.
    pub(crate) fn put_off(
        &self,
        function: &Function,
        config: &LaunchConfig,
        kernarg: &[u8],
        tag: u64,
    ) {
        let mut state = lock(&self.shared.state);
        state.filling.push(function, config, kernarg, tag);
        let is_full = state.filling.held.len() == FULL;
        if is_full {
            state.hand_over();
        }
        self.shared.is_holding.store(true, Ordering::Release);
        self.shared.is_filling.store(!is_full, Ordering::Release);
        let backlog = state.ready.len();
        drop(state);
        if is_full {
            self.see_to(backlog);
        }
    }

    /// Records an event behind what was put off, if a helper makes that: then
    /// it is true, and the event knows that it is to be recorded.
    pub(crate) fn record_later(&self, event: &Arc<EventInner>) -> bool {
        let has_helper = matches!(self.helper.get(), Some(Some(_)));
        if !(has_helper && self.is_holding()) || self.is_filling() {
            return false;
        }
        let mut state = lock(&self.shared.state);
        event.put_off(Arc::downgrade(&self.shared));
        state.ready.push_back(Work::Record(event.clone()));
        self.shared.is_holding.store(true, Ordering::Release);
        let backlog = state.ready.len();
        drop(state);
        self.see_to(backlog);
        true
    }

    /// Makes all that was put off. The context is current.
    #[inline]
    pub(crate) fn flush(&self) {
        if self.is_holding() {
            self.shared.make_all();
        }
    }

    #[inline]
    fn is_holding(&self) -> bool {
        self.shared.is_holding.load(Ordering::Acquire)
    }

    /// Whether launches are held that nobody makes until more have come.
    #[inline]
    pub(crate) fn is_filling(&self) -> bool {
        self.shared.is_filling.load(Ordering::Acquire)
    }

    /// Forgets what was put off and is not made.
    pub(crate) fn discard(&self) {
        let _maker = lock(&self.shared.maker);
        let state = &mut *lock(&self.shared.state);
        state.filling.clear();
        for work in state.ready.drain(..) {
            if let Work::Record(event) = work {
                event.give_up(Error::new(Code::NOT_READY, "hipEventRecord"));
            }
        }
        self.shared.is_filling.store(false, Ordering::Release);
        self.shared.is_holding.store(false, Ordering::Release);
    }

    pub(crate) fn take_failed(&self) -> Vec<Failed> {
        let has_failed = &self.shared.has_failed;
        if !has_failed.load(Ordering::Acquire) {
            return Vec::new();
        }
        has_failed.store(false, Ordering::Release);
        std::mem::take(&mut lock(&self.shared.state).failed)
    }

    /// Has what is ready made, `backlog` steps of it: by the helper, unless it
    /// has enough to do or there is none.
    fn see_to(&self, backlog: usize) {
        match self.helper() {
            Some(helper) if backlog <= BACKLOG => helper.thread.thread().unpark(),
            _ => self.shared.make_ready(),
        }
    }

    /// The helper: of a chain that was launched before, where launches take long.
    fn helper(&self) -> Option<&Helper> {
        let is_wanted = || {
            let provider = self.shared.context.device().provider();
            provider.launches_take_long && lock(&self.shared.maker).has_chain()
        };
        if self.helper.get().is_none() && is_wanted() {
            self.helper.get_or_init(|| Helper::start(&self.shared));
        }
        self.helper.get()?.as_ref()
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        if let Some(Some(helper)) = self.helper.take() {
            helper.is_ended.store(true, Ordering::Release);
            helper.thread.thread().unpark();
            // It ends between two calls; a panic of its own has been printed.
            let _ = helper.thread.join();
        }
        self.discard();
    }
}

impl Helper {
    /// `None` if there is no thread, or no core, to be had.
    fn start(shared: &Arc<Shared>) -> Option<Self> {
        if thread::available_parallelism().is_ok_and(|cores| cores.get() == 1) {
            return None;
        }
        let is_ended = Arc::new(AtomicBool::new(false));
        let (shared, ended) = (shared.clone(), is_ended.clone());
        let work = move || {
            // Without the context, launches and records fail and say so.
            let _scope = shared.context.enter_for_release();
            while !ended.load(Ordering::Acquire) {
                if shared.make(false) {
                    thread::park_timeout(IDLE);
                } else {
                    shared.let_go();
                    thread::park();
                }
            }
        };
        let thread = thread::Builder::new().name("hip launches".to_owned());
        Some(Self {
            is_ended,
            thread: thread.spawn(work).ok()?,
        })
    }
}

impl Shared {
    /// Makes what is ready, and no more.
    pub(crate) fn make_ready(&self) {
        let _scope = self.context.enter_for_release();
        self.make(false);
        self.let_go();
    }

    /// Makes all that was put off. The context is current.
    #[cold]
    fn make_all(&self) {
        self.make(true);
        self.let_go();
    }

    /// Makes what is ready, in order; then what is filling, if it is to be
    /// `all`. The context is current. Whether there was anything.
    fn make(&self, all: bool) -> bool {
        let maker = &mut *lock(&self.maker);
        let api = self.context.api();
        let mut has_made = false;
        while let Some(work) = self.next(all) {
            has_made = true;
            match work {
                Work::Launch(launches) => self.launch(maker, api, launches),
                Work::Record(event) => {
                    if let Err(error) = event.record(api, self.stream) {
                        event.give_up(error);
                    }
                }
            }
        }
        has_made
    }

    /// What is to be made next; if nothing, all was made before.
    fn next(&self, all: bool) -> Option<Work> {
        let state = &mut *lock(&self.state);
        if all && state.ready.is_empty() && !state.filling.held.is_empty() {
            state.hand_over();
            self.is_filling.store(false, Ordering::Release);
        }
        let next = state.ready.pop_front();
        if next.is_none() && state.filling.held.is_empty() {
            self.is_holding.store(false, Ordering::Release);
        }
        next
    }

    fn launch(&self, maker: &mut Maker, api: &dyn Api, launches: Launches) {
        let is_launched =
            launches.held.len() == FULL && maker.launch(&self.context, self.stream, &launches);
        let failed = match is_launched {
            true => Vec::new(),
            false => launches.launch_each(api, self.stream),
        };
        let state = &mut *lock(&self.state);
        if !failed.is_empty() {
            state.failed.extend(failed);
            self.has_failed.store(true, Ordering::Release);
        }
        state.made.push(launches);
    }

    /// Keeps nothing alive any more for the sake of what was made.
    fn let_go(&self) {
        let mut made = std::mem::take(&mut lock(&self.state).made);
        made.iter_mut().for_each(Launches::clear);
        lock(&self.state).made.append(&mut made);
    }
}

impl State {
    /// What is filling is ready.
    fn hand_over(&mut self) {
        let mut empty = self.made.pop().unwrap_or_default();
        empty.clear();
        let full = std::mem::replace(&mut self.filling, empty);
        self.ready.push_back(Work::Launch(full));
    }
}

impl Launches {
    fn push(&mut self, function: &Function, config: &LaunchConfig, kernarg: &[u8], tag: u64) {
        self.held.push(Held {
            function: function.clone(),
            config: *config,
            kernarg_bytes: kernarg.len(),
            tag,
        });
        self.kernargs.extend_from_slice(kernarg);
    }

    fn clear(&mut self) {
        self.held.clear();
        self.kernargs.clear();
    }

    /// Each with its arguments.
    fn iter(&self) -> impl Iterator<Item = (&Held, &[u8])> {
        let mut kernargs = &self.kernargs[..];
        self.held.iter().map(move |held| {
            let (kernarg, rest) = kernargs.split_at(held.kernarg_bytes);
            kernargs = rest;
            (held, kernarg)
        })
    }

    /// Makes the launches one by one.
    fn launch_each(&self, api: &dyn Api, stream: StreamHandle) -> Vec<Failed> {
        let mut failed = Vec::new();
        for (held, kernarg) in self.iter() {
            // SAFETY: both handles are owned by live objects of this provider.
            let result =
                unsafe { api.launch_kernel(held.function.handle(), &held.config, stream, kernarg) };
            if let Err(error) = result {
                failed.push(Failed {
                    tag: held.tag,
                    error,
                });
            }
        }
        failed
    }
}

/// What an event is to be recorded behind, if that is still to come.
pub(crate) type Pending = Weak<Shared>;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
