//! One submission: what it waits for, does and signals, from the call that
//! made it until its completion was observed.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use hip::Issue;

use super::flight::Marker;
use super::work::Work;
use super::{QueuePoint, Shared};
use crate::semaphore::{Agenda, Look};
use crate::{Result, Status, Timepoint};

/// A batch of work between its waits and its signals. The same value is
/// parked, issued, in flight and retired; then it is emptied and used again.
#[derive(Default)]
pub(super) struct Submission {
    /// Position in the stream, from 1; 0 before it is issued.
    pub(super) number: u64,
    pub(super) waits: Vec<Timepoint>,
    pub(super) signals: Vec<Timepoint>,
    pub(super) work: Vec<Work>,
    /// Whoever submitted it goes on to submit more, and sees to what is put off.
    pub(super) is_ahead: bool,
    /// Why it could not be launched after all.
    failure: Option<Status>,
    foreign: Vec<Foreign>,
    /// It has completed and signalled; what is left is to let go of what it holds.
    pub(super) is_signalled: bool,
}

/// Work of another queue that must have completed first.
struct Foreign {
    point: QueuePoint,
    /// What this stream waits for; `None` if that work had completed already.
    marker: Option<Marker>,
}

/// Whether a submission can be issued.
pub(super) enum Readiness {
    Ready,
    /// The waits with these indices stand in the way, and how each is to be waited for.
    Waiting(Vec<(usize, Until)>),
    Failed(Status),
}

/// What a wait needs before the work can be issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// Somebody has submitted work that will reach it.
    Promised,
    /// It is reached: the promise is of a provider whose events mean nothing here.
    Reached,
}

impl Submission {
    /// Sorts the waits: those reached are forgotten; those promised by other
    /// queues are noted; the rest hold the submission up.
    pub(super) fn resolve(&mut self, queue: &Arc<Shared>) -> Readiness {
        self.foreign.clear();
        let mut waiting = Vec::new();
        let mut failed = None;
        let mut index = 0;
        self.waits.retain(|wait| {
            match wait.semaphore.timeline().look(wait.value) {
                Look::Reached => return false,
                Look::Failed(status) => {
                    failed.get_or_insert(status);
                }
                Look::Pending => waiting.push((index, Until::Promised)),
                Look::Promised(point) if Arc::ptr_eq(&point.queue, queue) => {}
                Look::Promised(point) if point.queue.shares_provider(queue) => {
                    self.foreign.push(Foreign {
                        point,
                        marker: None,
                    });
                }
                Look::Promised(_) => waiting.push((index, Until::Reached)),
            }
            index += 1;
            true
        });
        match failed {
            Some(status) => Readiness::Failed(status),
            None if waiting.is_empty() => Readiness::Ready,
            None => Readiness::Waiting(waiting),
        }
    }

    /// What can be done before the stream is taken: markers of other queues
    /// recorded, graphs built.
    pub(super) fn prepare(&mut self) -> Result<()> {
        for foreign in &mut self.foreign {
            foreign.marker = foreign.point.queue.marker_at(foreign.point.number)?;
        }
        self.work.iter_mut().try_for_each(Work::prepare)
    }

    /// Issues the work, behind what it waits for. `waited` says how far into
    /// each other queue the stream has waited before: that need not be again.
    /// A single dispatch with a `tag` may be put off.
    pub(super) fn issue(
        &mut self,
        issue: &Issue<'_>,
        waited: &mut Vec<(Weak<Shared>, u64)>,
        tag: Option<u64>,
    ) -> Result<()> {
        for foreign in &self.foreign {
            let Some(marker) = &foreign.marker else {
                continue;
            };
            let queue = &foreign.point.queue;
            let known = waited
                .iter_mut()
                .find(|(other, _)| std::ptr::eq(other.as_ptr(), Arc::as_ptr(queue)));
            match known {
                Some((_, number)) if *number >= foreign.point.number => {}
                Some((_, number)) => {
                    issue.wait(&marker.event)?;
                    *number = marker.number;
                }
                None => {
                    issue.wait(&marker.event)?;
                    // Held weakly, a queue that has gone keeps its address to itself.
                    waited.retain(|(other, _)| other.strong_count() > 0);
                    waited.push((Arc::downgrade(queue), marker.number));
                }
            }
        }
        self.work
            .iter_mut()
            .try_for_each(|work| work.issue(issue, tag))
    }

    /// Whether there is nothing to wait for once it is issued: all waits were
    /// reached, and all it does is to hand out memory that every later use finds
    /// in order. Memory of a pool is in order for its own stream only.
    pub(super) fn is_done_when_issued(&self, is_alone: bool) -> bool {
        let hands_out = |work: &Work| match work {
            Work::Allocate(buffer) => is_alone || buffer.allocation().pool().is_none(),
            _ => false,
        };
        self.waits.is_empty() && !self.work.is_empty() && self.work.iter().all(hands_out)
    }

    /// Whether all that it does is to run one kernel, not as a graph.
    pub(super) fn is_single_dispatch(&self) -> bool {
        matches!(&self.work[..], [work] if work.is_single_dispatch())
    }

    /// Its dispatch was put off and could not be launched.
    pub(super) fn note_failed(&mut self, error: &hip::Error) {
        self.failure = self.work.first().map(|work| work.failed(error));
    }

    /// It has completed: signals, unless that needs a look at other queues
    /// first or something it waited for has failed. Whether it has signalled.
    pub(super) fn signal_if_settled(&mut self, agenda: &mut Agenda) -> bool {
        let may_signal = !self.is_signalled && self.failure.is_none();
        if may_signal && !self.has_unseen() && self.failed_wait().is_none() {
            self.signal(agenda);
        }
        self.is_signalled
    }

    /// It has completed: signals if it has not yet, or fails if something it
    /// waited for failed after all; and lets go of what it holds.
    pub(super) fn complete(&mut self, agenda: &mut Agenda) {
        if !self.is_signalled {
            let failure = self.failure.take();
            if let Some(status) = failure.or_else(|| self.late_failure(agenda)) {
                return self.fail(&status, agenda);
            }
            self.signal(agenda);
        }
        self.work.iter().for_each(Work::observe);
        self.reset();
    }

    fn signal(&mut self, agenda: &mut Agenda) {
        for signal in &self.signals {
            signal.semaphore.timeline().advance(signal.value, agenda);
        }
        self.is_signalled = true;
    }

    /// Fails what it would have signalled, and lets go of what it holds.
    pub(super) fn fail(&mut self, status: &Status, agenda: &mut Agenda) {
        self.abandon(status);
        for signal in self.signals.drain(..) {
            signal.semaphore.timeline().fail(status.clone(), agenda);
        }
        self.reset();
    }

    /// Work that was not done will not be.
    pub(super) fn abandon(&self, status: &Status) {
        for work in &self.work {
            work.abandon(status);
        }
    }

    /// The failure of a wait that was only promised when the work was issued.
    /// The stream may have run the work all the same, on wrong contents.
    fn late_failure(&self, agenda: &mut Agenda) -> Option<Status> {
        let mut unseen = None;
        for foreign in &self.foreign {
            let queue = &foreign.point.queue;
            if queue.completed.load(Ordering::Acquire) >= foreign.point.number {
                continue;
            }
            // Its own queue has not looked yet, or has only just failed.
            if let Some(Err(error)) = foreign.marker.as_ref().map(|marker| marker.event.query()) {
                let status = Status::from(error);
                queue.recover(status.clone(), foreign.point.number, agenda);
                unseen.get_or_insert(status);
            }
        }
        self.failed_wait().or(unseen)
    }

    /// Whether it waited for work that its own queue does not know to be complete.
    fn has_unseen(&self) -> bool {
        self.foreign.iter().any(|foreign| {
            let point = &foreign.point;
            point.queue.completed.load(Ordering::Acquire) < point.number
        })
    }

    fn failed_wait(&self) -> Option<Status> {
        self.waits
            .iter()
            .find_map(|wait| wait.semaphore.timeline().failure_before(wait.value))
    }

    fn reset(&mut self) {
        self.number = 0;
        self.is_signalled = false;
        self.is_ahead = false;
        self.failure = None;
        self.waits.clear();
        self.signals.clear();
        self.work.clear();
        for foreign in self.foreign.drain(..) {
            if let Some(marker) = foreign.marker {
                foreign.point.queue.recycle(marker.event);
            }
        }
    }
}
