//! Timeline semaphores: a value that only rises, and what orders work by it.

mod agenda;
#[cfg(all(test, loom))]
mod loom;
mod parker;
mod sync;
#[cfg(all(test, not(loom)))]
mod tests;
mod timeline;
mod wait;

use std::fmt;
use std::sync::Arc;

pub(crate) use agenda::Agenda;
pub(crate) use sync::{Condvar, Mutex, lock};
pub(crate) use timeline::{Look, check_value};
pub(crate) use wait::Attention;
pub use wait::{Timeout, WaitMode};

use crate::queue::QueuePoint;
use crate::{Result, Status};
use timeline::Timeline;

/// A 64-bit value that only rises, from any side: the host signals it, queues
/// signal it when work completes, and both can wait for values nobody has
/// promised yet. A semaphore that failed stays failed, with its first cause.
///
/// Cloning gives another name for the same semaphore.
#[derive(Clone)]
pub struct Semaphore(Arc<Timeline<QueuePoint>>);

impl Semaphore {
    /// The highest value a semaphore can reach.
    pub const MAX_VALUE: u64 = timeline::MAX_VALUE;

    /// What [`Semaphore::payload`] reads after a failure.
    pub const FAILURE_VALUE: u64 = timeline::FAILURE_VALUE;

    /// A semaphore at `initial`; above [`Semaphore::MAX_VALUE`] is OUT_OF_RANGE.
    pub fn new(initial: u64) -> Result<Self> {
        Ok(Self(Arc::new(Timeline::new(initial)?)))
    }

    /// The value reached, or the failure. Looks at the device when work that
    /// is not known to be complete has promised more.
    pub fn query(&self) -> Result<u64> {
        self.poll();
        self.0.query()
    }

    /// As [`Semaphore::query`], with [`Semaphore::FAILURE_VALUE`] for a failure.
    pub fn payload(&self) -> u64 {
        self.poll();
        self.0.value()
    }

    /// Raises the value from the host, and submits the work that this makes
    /// possible. Not above the present value, or above the highest:
    /// OUT_OF_RANGE. A failed semaphore returns its failure.
    pub fn signal(&self, value: u64) -> Result<()> {
        let mut agenda = Agenda::new();
        let result = self.0.signal(value, &mut agenda);
        agenda.run();
        result
    }

    /// Fails it for good, and with it all work that waits for it. Only the
    /// first failure counts.
    pub fn fail(&self, status: Status) {
        let mut agenda = Agenda::new();
        self.0.fail(status, &mut agenda);
        agenda.run();
    }

    /// Sleeps until `value` is reached. Fails with the semaphore's failure, or
    /// with DEADLINE_EXCEEDED.
    pub fn wait(&self, value: u64, timeout: impl Into<Timeout>) -> Result<()> {
        wait(&[(&*self.0, value)], WaitMode::All, timeout.into())
    }

    /// Whether both are names of one semaphore.
    pub fn ptr_eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// What tells it from every other semaphore for as long as it lives.
    pub(crate) fn address(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    /// The core, for queues.
    pub(crate) fn timeline(&self) -> &Timeline<QueuePoint> {
        &self.0
    }

    /// Brings the value up to what the device has completed.
    fn poll(&self) {
        let mut seen = 0;
        while let Some((value, point)) = self.0.first_promise() {
            if value <= seen {
                break;
            }
            seen = value;
            let mut agenda = Agenda::new();
            // What goes wrong here fails the semaphore, which is then read.
            let polled = point.attend(Attention::Poll, &mut agenda);
            agenda.run();
            if polled.is_err() {
                break;
            }
        }
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.query() {
            Ok(value) => write!(f, "Semaphore({value})"),
            Err(status) => write!(f, "Semaphore({status})"),
        }
    }
}

/// A semaphore and a value of it: a point in time.
#[derive(Clone, Debug)]
pub struct Timepoint {
    /// Whose value.
    pub semaphore: Semaphore,
    /// The value that is waited for or signalled.
    pub value: u64,
}

impl Timepoint {
    /// The point at which `semaphore` reaches `value`.
    pub fn new(semaphore: &Semaphore, value: u64) -> Self {
        Self {
            semaphore: semaphore.clone(),
            value,
        }
    }
}

/// Sleeps until all of the points, or any of them, are reached. Nothing to
/// wait for is success. Fails with the failure of a semaphore, or with
/// DEADLINE_EXCEEDED.
pub fn wait_timepoints(
    points: &[Timepoint],
    mode: WaitMode,
    timeout: impl Into<Timeout>,
) -> Result<()> {
    let wants: Vec<_> = points
        .iter()
        .map(|point| (point.semaphore.timeline(), point.value))
        .collect();
    wait(&wants, mode, timeout.into())
}

fn wait(wants: &[(&Timeline<QueuePoint>, u64)], mode: WaitMode, timeout: Timeout) -> Result<()> {
    for (_, value) in wants {
        check_value(*value)?;
    }
    wait::wait_many(wants, mode, timeout, |point, attention| {
        let mut agenda = Agenda::new();
        let result = point.attend(attention, &mut agenda);
        agenda.run();
        result
    })
}
