//! Queues: how work is ordered and finished.
//!
//! A queue is one in-order HIP stream and a count of submissions. A semaphore
//! that submission *n* will signal holds the promise (queue, *n*) and nothing
//! is recorded for it. Who waits pays: work of the same queue nothing, work
//! of another queue one event, the host one marker to sleep for.
//!
//! | file | what |
//! |---|---|
//! | `submission.rs` | a batch between its waits and its signals |
//! | `ahead.rs` | dispatches that are put off, to go together |
//! | `parking.rs` | work that waits for values nobody has promised |
//! | `flight.rs` | markers, retirement in order, recovery from faults |
//! | `look.rs` | how a thread waits before it sleeps |
//! | `watcher.rs` | the thread that sleeps in HIP for waiters |
//! | `calls.rs` | host functions |
//! | `files.rs` | reading from files and writing to them |
//! | `staging.rs` | bytes between host and buffers, through pinned memory |
//! | `work.rs` | what a submission does |
//!
//! Locks are held for short steps and for issuing, never for waiting. When
//! two are held, they were taken in the order issue, flight, semaphore.

mod ahead;
mod calls;
mod files;
mod flight;
mod look;
mod parking;
mod staging;
mod submission;
#[cfg(all(test, not(loom)))]
mod tests;
mod watcher;
mod work;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};

use bitflags::bitflags;
use hip::Stream;

pub use calls::HostFunction;

use crate::command_buffer::{RecordingDevice, Replay};
use crate::flags::{CommandBufferFlags, CommandCategories};
use crate::semaphore::{Agenda, Attention, Condvar, Mutex, check_value, lock};
use crate::{
    Allocator, BindingTable, Buffer, BufferParams, BufferRef, Command, CommandBuffer,
    CommandBufferMode, Fence, Result, Status, Timepoint,
};
use ahead::Pace;
use calls::{Call, Calls};
use flight::{Flight, MARKER_INTERVAL, NO_MARKER};
use parking::{Parked, Parking};
#[cfg(all(test, not(loom)))]
pub(crate) use staging::CHUNK_BYTES;
use staging::Staging;
pub(crate) use staging::Transfer;
use submission::Submission;
use work::Work;

/// Which queues may be used: a bit a queue. No bit, or all of them: any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct QueueAffinity(pub u64);

impl QueueAffinity {
    /// Any queue.
    pub const ANY: Self = Self(u64::MAX);

    /// The queue to use of `queue_count` (1 to 64): the lowest allowed.
    /// INVALID_ARGUMENT when none of the allowed exists.
    pub fn select(self, queue_count: usize) -> Result<usize> {
        let existing = u64::MAX >> (64 - queue_count.clamp(1, 64));
        let allowed = match self.0 {
            0 => existing,
            bits => bits & existing,
        };
        if allowed == 0 {
            return Err(Status::invalid_argument(format!(
                "queue affinity {:#x} allows none of the {queue_count} queues",
                self.0
            )));
        }
        Ok(allowed.trailing_zeros() as usize)
    }
}

bitflags! {
    /// How a host function is called.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct HostCallFlags: u64 {
        /// The signals do not wait for the call.
        const NON_BLOCKING = 1;
    }
}

/// A queue of a device. Methods return when the work is submitted, or parked
/// until its waits are promised; what goes wrong later fails the signals.
///
/// Nothing waits on the calling thread. Cloning gives another name for the
/// same queue, which ends with its device: work still parked then fails with
/// CANCELLED, work submitted is waited for.
#[derive(Clone)]
pub struct Queue {
    shared: Arc<Shared>,
    allocator: Allocator,
    device: Arc<RecordingDevice>,
}

/// A command buffer to execute, and what its slots stand for.
#[derive(Clone, Debug)]
pub struct Execution {
    /// The commands.
    pub commands: CommandBuffer,
    /// What the slots are bound to.
    pub bindings: BindingTable,
}

impl Execution {
    /// Commands that use no slots.
    pub fn new(commands: &CommandBuffer) -> Self {
        Self::with_bindings(commands, &BindingTable::empty())
    }

    /// Commands and their binding table.
    pub fn with_bindings(commands: &CommandBuffer, bindings: &BindingTable) -> Self {
        Self {
            commands: commands.clone(),
            bindings: bindings.clone(),
        }
    }
}

/// What a queue, its threads and the promises it has made have in common.
pub(crate) struct Shared {
    ordinal: usize,
    stream: Arc<Stream>,
    issue: Mutex<IssueState>,
    flight: Mutex<Flight>,
    /// Everything up to here is known to be off the stream.
    completed: AtomicU64,
    watched: Condvar,
    parking: Mutex<Parking>,
    calls: Mutex<Calls>,
    called: Condvar,
    /// Pinned memory of transfers that nobody uses now.
    staging: Mutex<Staging>,
    threads: Mutex<Threads>,
    /// The device has no other queue.
    is_alone: bool,
}

/// Guards the order in which work gets onto the stream.
#[derive(Default)]
struct IssueState {
    submitted: u64,
    last_marker: u64,
    pace: Pace,
    /// How far into other queues' work this stream has waited already.
    waited: Vec<(Weak<Shared>, u64)>,
    /// Set while a fault is dealt with, and for good if the stream was lost.
    fault: Option<Status>,
    is_lost: bool,
    /// Came while a fault was dealt with.
    held: Vec<Submission>,
    is_closed: bool,
}

#[derive(Default)]
struct Threads {
    watcher: Option<JoinHandle<()>>,
    caller: Option<JoinHandle<()>>,
    is_closed: bool,
}

/// A submission of a queue: what a semaphore is promised by.
#[derive(Clone)]
pub(crate) struct QueuePoint {
    queue: Arc<Shared>,
    number: u64,
}

impl QueuePoint {
    /// Looks at the submission for a waiter, as far as `attention` says. What
    /// goes wrong on the device fails the semaphores; an error returned means
    /// that nobody will look.
    pub(crate) fn attend(&self, attention: Attention, agenda: &mut Agenda) -> Result<()> {
        match attention {
            Attention::Stay => self.queue.synchronize(self.number, agenda),
            Attention::Watch => return self.queue.watch(self.number, agenda),
            // The marker itself is let go at once: only one that nobody holds
            // is used again.
            Attention::Poll => match self.queue.marker_at(self.number).map(|it| it.is_some()) {
                Ok(true) => self.queue.poll(agenda),
                Ok(false) => {}
                Err(error) => self.queue.recover(error.into(), NO_MARKER, agenda),
            },
        }
        Ok(())
    }
}

impl Queue {
    /// A queue on `stream`; all work on it must come through the queue.
    /// `is_alone` says that the device has no other.
    pub(crate) fn new(
        ordinal: usize,
        stream: Arc<Stream>,
        allocator: &Allocator,
        device: &Arc<RecordingDevice>,
        is_alone: bool,
    ) -> Self {
        Self {
            allocator: allocator.clone(),
            device: device.clone(),
            shared: Arc::new(Shared {
                ordinal,
                stream,
                issue: Mutex::default(),
                flight: Mutex::default(),
                completed: AtomicU64::new(0),
                watched: Condvar::new(),
                parking: Mutex::default(),
                calls: Mutex::default(),
                called: Condvar::new(),
                staging: Mutex::default(),
                threads: Mutex::default(),
                is_alone,
            }),
        }
    }

    /// Position among the device's queues, from 0.
    pub fn ordinal(&self) -> usize {
        self.shared.ordinal
    }

    /// Signals once the waits are reached, and nothing else.
    pub fn barrier(&self, waits: &[Timepoint], signals: &[Timepoint]) -> Result<()> {
        let submission = self.begin(waits, signals)?;
        self.submit(submission);
        Ok(())
    }

    /// Executes command buffers, one after the other.
    ///
    /// Errors of the call itself, before anything is submitted: a command
    /// buffer of another device or a nested one, or a binding that does not
    /// fit (as recording would say); FAILED_PRECONDITION for one that was not
    /// recorded to the end, or is one-shot and was submitted before.
    pub fn execute(
        &self,
        waits: &[Timepoint],
        signals: &[Timepoint],
        executions: &[Execution],
    ) -> Result<()> {
        let submission = self.begin_execution(waits, signals, executions)?;
        self.submit(submission);
        Ok(())
    }

    /// As [`Queue::execute`], by somebody who goes on to submit more before
    /// waiting. A single dispatch may then be put off, to go to the device
    /// together with others: until there are enough, until anybody waits or
    /// asks for what it signals, until other work comes, or until
    /// [`Queue::catch_up`], which is to be called before anything else is done.
    pub fn execute_ahead(
        &self,
        waits: &[Timepoint],
        signals: &[Timepoint],
        executions: &[Execution],
    ) -> Result<()> {
        let mut submission = self.begin_execution(waits, signals, executions)?;
        submission.is_ahead = true;
        self.submit(submission);
        Ok(())
    }

    fn begin_execution(
        &self,
        waits: &[Timepoint],
        signals: &[Timepoint],
        executions: &[Execution],
    ) -> Result<Submission> {
        check_points(waits, signals)?;
        for Execution { commands, bindings } in executions {
            commands.check_submission(&self.device.context, bindings.bindings())?;
        }
        let mut submission = self.begin(waits, signals)?;
        let work = executions.iter().map(|execution| Work::Execute {
            commands: execution.commands.clone(),
            bindings: execution.bindings.clone(),
            replay: Replay::default(),
        });
        submission.work.extend(work);
        Ok(submission)
    }

    /// Repeats a pattern of 1, 2 or 4 bytes over a range.
    pub fn fill(
        &self,
        waits: &[Timepoint],
        signals: &[Timepoint],
        target: &BufferRef,
        pattern: &[u8],
    ) -> Result<()> {
        self.run_once(waits, signals, |commands| commands.fill(target, pattern))
    }

    /// Writes any number of bytes, which are taken now.
    pub fn update(
        &self,
        waits: &[Timepoint],
        signals: &[Timepoint],
        source: &[u8],
        target: &BufferRef,
    ) -> Result<()> {
        self.run_once(waits, signals, |commands| commands.write(source, target))
    }

    /// Copies a range to another of the same length that does not overlap it.
    pub fn copy(
        &self,
        waits: &[Timepoint],
        signals: &[Timepoint],
        source: &BufferRef,
        target: &BufferRef,
    ) -> Result<()> {
        self.run_once(waits, signals, |commands| commands.copy(source, target))
    }

    /// Runs one command, such as a dispatch.
    pub fn run(
        &self,
        waits: &[Timepoint],
        signals: &[Timepoint],
        command: &Command<'_>,
    ) -> Result<()> {
        self.run_once(waits, signals, |commands| commands.record(command))
    }

    /// Executes commands that `record` records for this one time. They go one
    /// by one: nothing is gained by building a graph to launch it once.
    pub fn run_once(
        &self,
        waits: &[Timepoint],
        signals: &[Timepoint],
        record: impl FnOnce(&CommandBuffer) -> Result<()>,
    ) -> Result<()> {
        let commands = CommandBuffer::new(
            &self.device,
            CommandBufferMode::Stream,
            CommandBufferFlags::ONE_SHOT,
            CommandCategories::ANY,
            QueueAffinity::ANY,
            0,
        )?;
        commands.begin()?;
        record(&commands)?;
        commands.end()?;
        self.execute(waits, signals, &[Execution::new(&commands)])
    }

    /// A buffer of at least `byte_size` bytes that gets its memory, in the
    /// order of the queue, once the waits are reached. It can be recorded and
    /// submitted at once; its address is known when the signals are promised.
    ///
    /// If the waits are reached already and nothing but this queue will use the
    /// memory, the signals are reached when this returns: nobody has to wait for
    /// what the device does meanwhile.
    pub fn alloca(
        &self,
        waits: &[Timepoint],
        signals: &[Timepoint],
        params: &BufferParams,
        byte_size: u64,
    ) -> Result<Buffer> {
        let mut submission = self.begin(waits, signals)?;
        let buffer = self.allocator.reserve(params, byte_size)?;
        submission.work.push(Work::Allocate(buffer.clone()));
        self.submit(submission);
        Ok(buffer)
    }

    /// Takes the memory of a buffer back, in the order of the queue, once the
    /// waits are reached; using it afterwards is FAILED_PRECONDITION. If a
    /// wait fails the buffer keeps its memory. Memory that is not of a pool
    /// goes when the buffer does.
    pub fn dealloca(
        &self,
        waits: &[Timepoint],
        signals: &[Timepoint],
        buffer: &Buffer,
    ) -> Result<()> {
        let mut submission = self.begin(waits, signals)?;
        submission.work.push(Work::Deallocate(buffer.clone()));
        self.submit(submission);
        Ok(())
    }

    /// Calls `function` on a thread of the queue once the waits are reached.
    pub fn host_call(
        &self,
        waits: &[Timepoint],
        signals: &[Timepoint],
        function: HostFunction,
        flags: HostCallFlags,
    ) -> Result<()> {
        check_points(waits, signals)?;
        let call = Call {
            waits: waits.to_vec(),
            signals: signals.iter().cloned().collect::<Fence>(),
            function,
            flags,
        };
        let mut agenda = Agenda::new();
        self.shared.arrive(Parked::Call(call), &mut agenda);
        agenda.run();
        Ok(())
    }

    /// Makes sure that everything submitted so far runs without anybody
    /// waiting for it, looks for completed work and lets go of what it held.
    pub fn flush(&self) {
        let mut agenda = Agenda::new();
        self.shared.catch_up(&mut agenda);
        self.shared.poll(&mut agenda);
        agenda.run();
    }

    /// Begins what was put off by [`Queue::execute_ahead`].
    pub fn catch_up(&self) {
        if self.shared.stream.is_holding() {
            let mut agenda = Agenda::new();
            self.shared.catch_up(&mut agenda);
            agenda.run();
        }
    }

    /// Sleeps until everything submitted so far has completed; parked work is
    /// not waited for. How each submission ended, its signals tell.
    pub fn wait_idle(&self) {
        let submitted = lock(&self.shared.issue).submitted;
        let mut agenda = Agenda::new();
        self.shared.synchronize(submitted, &mut agenda);
        agenda.run();
    }

    /// Lets go of memory that only the next transfer would use.
    pub(crate) fn trim(&self) {
        // Copies under way keep what they read and write.
        let idle = std::mem::take(&mut *lock(&self.shared.staging));
        drop(idle);
    }

    /// Ends the queue: parked work fails, submitted work is waited for, the
    /// threads are gone.
    pub(crate) fn shut_down(&self) {
        let shared = &self.shared;
        let mut agenda = Agenda::new();
        shared.close_parking(&mut agenda);
        shared.close_calls(&mut agenda);
        agenda.run();
        let submitted = {
            let mut issue = lock(&shared.issue);
            issue.is_closed = true;
            issue.submitted
        };
        let mut agenda = Agenda::new();
        match shared.stream.synchronize() {
            Ok(()) => shared.retire(submitted, &mut agenda),
            // Which work the error is of, the stream does not say.
            Err(error) => shared.recover(error.into(), 0, &mut agenda),
        }
        agenda.run();
        lock(&shared.flight).is_closed = true;
        shared.watched.notify_all();
        let threads = {
            let mut threads = lock(&shared.threads);
            threads.is_closed = true;
            [threads.watcher.take(), threads.caller.take()]
        };
        for thread in threads.into_iter().flatten() {
            // The last name of a device may be dropped by a function that the
            // queue itself calls.
            if thread.thread().id() != thread::current().id() {
                let _ = thread.join();
            }
        }
        self.trim();
    }

    fn begin(&self, waits: &[Timepoint], signals: &[Timepoint]) -> Result<Submission> {
        check_points(waits, signals)?;
        let mut submission = self.shared.spare_submission();
        submission.waits.extend_from_slice(waits);
        submission.signals.extend_from_slice(signals);
        Ok(submission)
    }

    fn submit(&self, submission: Submission) {
        let mut agenda = Agenda::new();
        self.shared
            .arrive(Parked::Submission(submission), &mut agenda);
        agenda.run();
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Queue({}: {} submitted, {} complete)",
            self.shared.ordinal,
            lock(&self.shared.issue).submitted,
            self.shared.completed.load(Ordering::Acquire)
        )
    }
}

/// Values that no semaphore can reach, or has passed already.
fn check_points(waits: &[Timepoint], signals: &[Timepoint]) -> Result<()> {
    for wait in waits {
        check_value(wait.value)?;
    }
    for signal in signals {
        check_value(signal.value)?;
        if let Ok(value) = signal.semaphore.timeline().query()
            && signal.value <= value
        {
            return Err(Status::out_of_range(format!(
                "work cannot signal {} to a semaphore at {value}: values only rise",
                signal.value
            )));
        }
    }
    Ok(())
}

impl Shared {
    /// Whether events of `other` mean something to this queue's stream.
    fn shares_provider(&self, other: &Self) -> bool {
        let provider = |queue: &Self| -> *const hip::ProviderInfo {
            queue.stream.context().device().provider()
        };
        std::ptr::eq(provider(self), provider(other))
    }

    /// Issues work whose waits are all promised, and promises its signals.
    fn enqueue(self: &Arc<Self>, mut submission: Submission, agenda: &mut Agenda) {
        if let Err(status) = submission.prepare() {
            return submission.fail(&status, agenda);
        }
        let (is_awaited, number, outcome) = {
            let mut state = lock(&self.issue);
            if let Some(status) = self.refusal(&state) {
                drop(state);
                return submission.fail(&status, agenda);
            }
            if state.fault.is_some() {
                submission.is_ahead = false;
                state.held.push(submission);
                return;
            }
            self.issue(&mut state, submission, agenda)
        };
        if let Err(status) = outcome {
            self.recover(status, NO_MARKER, agenda);
        } else if is_awaited && let Err(status) = self.wake_watcher(number) {
            // Without a watcher nobody would notice: the work is given up.
            self.recover(status, NO_MARKER, agenda);
        } else if number.is_multiple_of(MARKER_INTERVAL) {
            self.poll(agenda);
        }
    }

    fn refusal(&self, state: &IssueState) -> Option<Status> {
        match (&state.fault, state.is_lost, state.is_closed) {
            (Some(status), true, _) => Some(status.clone()),
            (_, _, true) => Some(parking::closed()),
            _ => None,
        }
    }

    /// Puts the work on the stream: whether somebody sleeps for it already,
    /// its number, and whether its marker could be recorded.
    fn issue(
        self: &Arc<Self>,
        state: &mut IssueState,
        mut submission: Submission,
        agenda: &mut Agenda,
    ) -> (bool, u64, Result<()>) {
        state.submitted += 1;
        let number = state.submitted;
        submission.number = number;
        let issue = self.stream.issue();
        let tag = self.may_put_off(state, &submission).then_some(number);
        let issued = match &issue {
            Ok(issue) => submission.issue(issue, &mut state.waited, tag),
            Err(error) => Err(error.clone().into()),
        };
        let mut signals = std::mem::take(&mut submission.signals);
        let mut is_awaited = false;
        match &issued {
            // Its signals are kept, so nothing that happens later fails them.
            Ok(()) if submission.is_done_when_issued(self.is_alone) => {
                for signal in signals.drain(..) {
                    signal.semaphore.timeline().advance(signal.value, agenda);
                }
            }
            Ok(()) => {
                for signal in &signals {
                    let point = QueuePoint {
                        queue: self.clone(),
                        number,
                    };
                    let timeline = signal.semaphore.timeline();
                    is_awaited |= timeline.promise(signal.value, point, agenda);
                }
            }
            // Part of the work may be on the stream: what it uses stays until
            // that has run, but its signals fail now.
            Err(status) => {
                submission.abandon(status);
                for signal in signals.drain(..) {
                    signal.semaphore.timeline().fail(status.clone(), agenda);
                }
            }
        }
        submission.signals = signals;
        self.push_flight(submission);
        let is_due = self.is_marker_due(number - state.last_marker);
        let marked = match issue {
            Ok(issue) if is_awaited || is_due => self.record_marker(state, &issue).map(drop),
            _ => Ok(()),
        };
        (is_awaited, number, marked.map_err(Status::from))
    }
}

#[cfg(test)]
const _: () = assert!(MARKER_INTERVAL > 1);
