//! Streams: in-order queues, each with a thread that works it off.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle, ThreadId};
use std::time::Instant;

use amdgpu::Gpu;

use super::graph::Node;
use super::work::Work;
use crate::{Code, Error, EventFlags, Result, StreamFlags};

/// A stream. Its thread starts with the first submission and ends when the
/// stream is closed, after all submitted work.
///
/// When work fails, what was submitted behind it is skipped until
/// [`Stream::synchronize`] has reported the error.
pub(super) struct Stream {
    number: u64,
    flags: StreamFlags,
    gpu: Arc<Gpu>,
    queue: Mutex<Queue>,
    /// Something was submitted, or the stream closes.
    submitted: Condvar,
    /// Something was completed while somebody waits for that.
    completed: Condvar,
}

#[derive(Default)]
struct Queue {
    commands: VecDeque<Command>,
    submitted: u64,
    completed: u64,
    waiters: u32,
    error: Option<Error>,
    worker_sleeps: bool,
    closing: bool,
    worker: Option<JoinHandle<()>>,
    worker_id: Option<ThreadId>,
}

/// What a stream can be told to do.
pub(super) enum Command {
    /// Something for the GPU.
    Work(Work),
    /// Nodes of a graph, in an order that respects their dependencies, and
    /// the points of its event records in the order of their nodes.
    Graph(Arc<Vec<Node>>, Vec<Arc<Point>>),
    /// Says that everything before is done.
    Record(Arc<Point>),
    /// Waits for a point of another stream, and fails if that failed.
    Wait(Arc<Point>),
    /// Waits for a point of another stream, whose failure is its own affair.
    Follow(Arc<Point>),
    /// Calls the host; dropped uncalled after a failure.
    HostFunction(Box<dyn FnOnce() + Send>),
    /// Frees memory of the device; done even after a failure.
    Free(u64),
    /// Says of so many bytes at an address that nothing has written them; done
    /// even after a failure.
    Discard(u64, u64),
}

impl Stream {
    pub(super) fn new(number: u64, flags: StreamFlags, gpu: Arc<Gpu>) -> Arc<Self> {
        Arc::new(Self {
            number,
            flags,
            gpu,
            queue: Mutex::default(),
            submitted: Condvar::new(),
            completed: Condvar::new(),
        })
    }

    /// Tells streams apart for good, unlike their handles.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Whether the stream is ordered with the default stream.
    pub(super) fn is_blocking(&self) -> bool {
        !self.flags.contains(StreamFlags::NON_BLOCKING)
    }

    pub(super) fn submit(self: &Arc<Self>, command: Command) -> Result<()> {
        let mut queue = self.queue();
        if queue.worker.is_none() {
            self.start_worker(&mut queue)?;
        }
        queue.commands.push_back(command);
        queue.submitted += 1;
        let wake = std::mem::take(&mut queue.worker_sleeps);
        drop(queue);
        if wake {
            self.submitted.notify_one();
        }
        Ok(())
    }

    /// A point behind everything submitted so far.
    pub(super) fn record(self: &Arc<Self>) -> Result<Arc<Point>> {
        let idle = {
            let queue = self.queue();
            queue.completed == queue.submitted && queue.error.is_none()
        };
        match idle {
            true => {
                let point = Arc::new(Point::new(self.number));
                point.complete(None);
                Ok(point)
            }
            false => self.record_timed(),
        }
    }

    /// The same, passed by the stream's own thread: its time is that at which
    /// the stream got there.
    pub(super) fn record_timed(self: &Arc<Self>) -> Result<Arc<Point>> {
        let point = Arc::new(Point::new(self.number));
        self.submit(Command::Record(point.clone()))?;
        Ok(point)
    }

    /// Makes later work wait for a point, if there is anything to wait for.
    pub(super) fn wait(self: &Arc<Self>, point: Arc<Point>) -> Result<()> {
        if point.stream == self.number || matches!(point.poll(), Some(None)) {
            return Ok(());
        }
        self.submit(Command::Wait(point))
    }

    /// Makes later work come after a point, whether or not that is passed well.
    pub(super) fn follow(self: &Arc<Self>, point: Arc<Point>) -> Result<()> {
        if point.stream == self.number || point.is_passed() {
            return Ok(());
        }
        self.submit(Command::Follow(point))
    }

    /// Sleeps until everything submitted so far is done, and takes the error
    /// that the stream was left with.
    pub(super) fn synchronize(&self) -> Result<()> {
        let mut queue = self.wait_for_submitted();
        queue.error.take().map_or(Ok(()), Err)
    }

    /// Sleeps until everything submitted so far is done.
    pub(super) fn drain(&self) {
        drop(self.wait_for_submitted());
    }

    fn wait_for_submitted(&self) -> MutexGuard<'_, Queue> {
        let mut queue = self.queue();
        let target = queue.submitted;
        // Work cannot wait for itself: a host function of this very stream
        // that drops what it holds may come here.
        if queue.worker_id == Some(thread::current().id()) {
            return queue;
        }
        queue.waiters += 1;
        while queue.completed < target {
            queue = self
                .completed
                .wait(queue)
                .unwrap_or_else(PoisonError::into_inner);
        }
        queue.waiters -= 1;
        queue
    }

    /// Whether everything submitted so far is done; the error stays.
    pub(super) fn query(&self) -> Result<bool> {
        let queue = self.queue();
        match &queue.error {
            Some(error) => Err(error.clone()),
            None => Ok(queue.completed == queue.submitted),
        }
    }

    /// Ends the stream once its work is done.
    pub(super) fn close(&self) {
        let worker = {
            let mut queue = self.queue();
            queue.closing = true;
            queue.worker.take()
        };
        self.submitted.notify_one();
        if let Some(worker) = worker
            && worker.thread().id() != thread::current().id()
        {
            // The worker catches panics of what it runs, and so has none.
            drop(worker.join());
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start_worker(self: &Arc<Self>, queue: &mut Queue) -> Result<()> {
        if queue.closing {
            return Err(Error::new(Code::INVALID_HANDLE, "hipStreamDestroy"));
        }
        let stream = self.clone();
        let worker = thread::Builder::new()
            // Linux shows 15 characters.
            .name(format!("hip stream {}", self.number % 10_000))
            .spawn(move || stream.work_off())
            .map_err(|error| {
                let detail = format!("no thread for the stream: {error}");
                Error::with_detail(Code::OPERATING_SYSTEM, "hipStreamCreateWithFlags", detail)
            })?;
        queue.worker_id = Some(worker.thread().id());
        queue.worker = Some(worker);
        Ok(())
    }

    fn work_off(&self) {
        let mut queue = self.queue();
        loop {
            let Some(command) = queue.commands.pop_front() else {
                if queue.closing {
                    return;
                }
                queue.worker_sleeps = true;
                queue = self
                    .submitted
                    .wait(queue)
                    .unwrap_or_else(PoisonError::into_inner);
                queue.worker_sleeps = false;
                continue;
            };
            let earlier = queue.error.clone();
            drop(queue);
            let failed = match earlier {
                Some(error) => {
                    command.skip(&self.gpu, &error);
                    None
                }
                None => command.run(&self.gpu).err(),
            };
            queue = self.queue();
            if let Some(error) = failed {
                queue.error.get_or_insert(error);
            }
            queue.completed += 1;
            if queue.waiters > 0 {
                self.completed.notify_all();
            }
        }
    }
}

impl Command {
    fn run(self, gpu: &Gpu) -> Result<()> {
        let guarded = catch_unwind(AssertUnwindSafe(|| self.run_unguarded(gpu)));
        guarded.unwrap_or_else(|panic| {
            let text = panic
                .downcast_ref::<&str>()
                .map(|text| (*text).to_owned())
                .or_else(|| panic.downcast_ref::<String>().cloned())
                .unwrap_or_default();
            let detail = format!("panicked while working off a stream: {text}");
            Err(Error::with_detail(
                Code::UNKNOWN,
                "hipStreamSynchronize",
                detail,
            ))
        })
    }

    fn run_unguarded(self, gpu: &Gpu) -> Result<()> {
        match self {
            Self::Work(work) => work.run(gpu),
            Self::Graph(nodes, points) => {
                let result = run_nodes(&nodes, &points, gpu);
                for point in points {
                    point.complete(result.clone().err());
                }
                result
            }
            Self::Record(point) => {
                point.complete(None);
                Ok(())
            }
            Self::Wait(point) => point.wait(),
            Self::Follow(point) => {
                drop(point.wait());
                Ok(())
            }
            Self::HostFunction(function) => {
                function();
                Ok(())
            }
            Self::Free(address) => free(gpu, address),
            Self::Discard(address, bytes) => {
                gpu.memory().discard(address, bytes);
                Ok(())
            }
        }
    }

    /// What remains to be done for a command that must not run.
    fn skip(self, gpu: &Gpu, cause: &Error) {
        match self {
            Self::Record(point) => point.complete(Some(cause.clone())),
            Self::Graph(_, points) => {
                for point in points {
                    point.complete(Some(cause.clone()));
                }
            }
            // The stream has an error already, and the memory is gone either way.
            Self::Free(address) => drop(free(gpu, address)),
            Self::Discard(address, bytes) => gpu.memory().discard(address, bytes),
            Self::HostFunction(function) => {
                // What it captured may panic as it is dropped; the stream goes on.
                drop(catch_unwind(AssertUnwindSafe(|| drop(function))));
            }
            Self::Work(_) | Self::Wait(_) | Self::Follow(_) => {}
        }
    }
}

fn free(gpu: &Gpu, address: u64) -> Result<()> {
    gpu.memory()
        .free(address)
        .map_err(|error| Error::with_detail(Code::INVALID_VALUE, "hipFreeAsync", error.to_string()))
}

/// Runs nodes one by one: a launch uses all workers already.
fn run_nodes(nodes: &[Node], points: &[Arc<Point>], gpu: &Gpu) -> Result<()> {
    let mut points = points.iter();
    for node in nodes {
        match node {
            Node::Empty => {}
            Node::Work(work) => work.run(gpu)?,
            Node::Record(_) => {
                let point = points.next().expect("a point for each record");
                point.complete(None);
            }
        }
    }
    Ok(())
}

/// A point in a stream's work, passed once.
pub(super) struct Point {
    stream: u64,
    passed: AtomicBool,
    outcome: Mutex<Option<Outcome>>,
    changed: Condvar,
}

#[derive(Clone)]
struct Outcome {
    error: Option<Error>,
    at: Instant,
}

impl Point {
    pub(super) fn new(stream: u64) -> Self {
        Self {
            stream,
            passed: AtomicBool::new(false),
            outcome: Mutex::new(None),
            changed: Condvar::new(),
        }
    }

    /// A point that is behind us already.
    pub(super) fn passed() -> Arc<Self> {
        // No stream has this number: all may take it for passed.
        let point = Self::new(u64::MAX);
        point.complete(None);
        Arc::new(point)
    }

    /// Number of the stream it is in.
    pub(super) fn stream(&self) -> u64 {
        self.stream
    }

    /// Marks the point as passed; only the first call counts.
    pub(super) fn complete(&self, error: Option<Error>) {
        let at = Instant::now();
        self.outcome().get_or_insert(Outcome { error, at });
        self.passed.store(true, Ordering::Release);
        self.changed.notify_all();
    }

    /// Whether the point has been passed, successfully or not.
    pub(super) fn is_passed(&self) -> bool {
        self.passed.load(Ordering::Acquire)
    }

    /// `None` before the point is passed, then the error of the work before it.
    pub(super) fn poll(&self) -> Option<Option<Error>> {
        if !self.is_passed() {
            return None;
        }
        Some(self.outcome().as_ref()?.error.clone())
    }

    /// Sleeps until the point is passed.
    pub(super) fn wait(&self) -> Result<()> {
        let mut outcome = self.outcome();
        loop {
            if let Some(outcome) = &*outcome {
                return outcome.error.clone().map_or(Ok(()), Err);
            }
            outcome = self
                .changed
                .wait(outcome)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn outcome(&self) -> MutexGuard<'_, Option<Outcome>> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An event: the point it was last recorded at, if any.
pub(super) struct Event {
    flags: EventFlags,
    last: Mutex<Option<Arc<Point>>>,
}

impl Event {
    pub(super) fn new(flags: EventFlags) -> Self {
        Self {
            flags,
            last: Mutex::new(None),
        }
    }

    pub(super) fn is_timed(&self) -> bool {
        !self.flags.contains(EventFlags::DISABLE_TIMING)
    }

    pub(super) fn last(&self) -> Option<Arc<Point>> {
        self.last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) fn set(&self, point: Arc<Point>) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(point);
    }

    pub(super) fn query(&self) -> Result<bool> {
        match self.last().map(|point| point.poll()) {
            // Never recorded counts as passed.
            None | Some(Some(None)) => Ok(true),
            Some(None) => Ok(false),
            Some(Some(Some(error))) => Err(error),
        }
    }

    pub(super) fn synchronize(&self) -> Result<()> {
        self.last().map_or(Ok(()), |point| point.wait())
    }

    /// Milliseconds from this event to `stop`.
    pub(super) fn elapsed_ms(&self, stop: &Self) -> Result<f32> {
        let call = "hipEventElapsedTime";
        let time = |event: &Self| {
            let point = event.last().filter(|_| event.is_timed());
            let point = point.ok_or_else(|| Error::new(Code::INVALID_HANDLE, call))?;
            let outcome = point.outcome().clone();
            match outcome {
                None => Err(Error::new(Code::NOT_READY, call)),
                Some(Outcome {
                    error: Some(error), ..
                }) => Err(error),
                Some(Outcome { at, .. }) => Ok(at),
            }
        };
        let (start, stop) = (time(self)?, time(stop)?);
        let ms = match stop.checked_duration_since(start) {
            Some(after) => after.as_secs_f64() * 1e3,
            None => start.duration_since(stop).as_secs_f64() * -1e3,
        };
        Ok(ms as f32)
    }
}
