//! What a queue has under way, and how its completion is noticed.
//!
//! Markers are events recorded in the stream. One is recorded with a
//! submission that somebody sleeps for already, with every
//! [`MARKER_INTERVAL`]th submission otherwise, and when a waiter or another
//! queue asks for a point that has none. The interval bounds how much later
//! work a late marker also waits for, and how many finished submissions keep
//! their resources while nobody looks.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use hip::{Event, Failed};

use super::look::look_for;
use super::submission::Submission;
use super::{IssueState, Shared};
use crate::semaphore::{Agenda, lock};
use crate::{Result, Status};

/// Submissions between markers when nobody waits.
pub(super) const MARKER_INTERVAL: u64 = 16;

/// Stands for the number of a marker where no marker reported the error.
pub(super) const NO_MARKER: u64 = u64::MAX;

/// Finished events and submissions kept for the next ones.
const SPARES: usize = 32;

/// A point in the stream that can be waited for: everything up to submission
/// `number` has completed when the event has passed.
#[derive(Clone)]
pub(super) struct Marker {
    pub(super) number: u64,
    pub(super) event: Arc<Event>,
}

/// Submissions that are not known to be complete, oldest first.
#[derive(Default)]
pub(super) struct Flight {
    submissions: VecDeque<Submission>,
    markers: VecDeque<Marker>,
    /// Everything up to here has completed. Their submissions may still be
    /// here: `is_retiring` says that a thread is at it.
    known: u64,
    is_retiring: bool,
    /// The retiring thread has one in hand that it cannot signal yet.
    is_looking: bool,
    /// The watcher is to see this submission through.
    pub(super) wanted: u64,
    /// How long the last wait of a thread took.
    last_wait: Duration,
    /// The stream reported a fault that is being dealt with.
    pub(super) is_faulted: bool,
    pub(super) is_closed: bool,
    spare_events: Vec<Arc<Event>>,
    spare_submissions: Vec<Submission>,
}

impl Flight {
    /// The marker the watcher has to sleep for next.
    pub(super) fn next_watched(&self) -> Option<Marker> {
        match self.wanted > self.known && !self.is_faulted {
            true => self.markers.front().cloned(),
            false => None,
        }
    }

    /// Signals what has completed, in order, up to the first that needs a look
    /// at other queues: that takes time, and the retiring thread does it.
    ///
    /// Under the lock, so that whoever learns that work has completed finds
    /// its semaphores advanced, even while another thread is retiring.
    fn signal_known(&mut self, agenda: &mut Agenda) {
        let known = self.known;
        if self.is_looking {
            return;
        }
        let signalled = |submission: &Submission| submission.is_signalled;
        let first = self.submissions.partition_point(signalled);
        for submission in self.submissions.iter_mut().skip(first) {
            if submission.number > known || !submission.signal_if_settled(agenda) {
                break;
            }
        }
    }

    /// A dispatch that was put off could not be launched.
    pub(super) fn note_failed(&mut self, failed: &Failed) {
        let is_before = |submission: &Submission| submission.number < failed.tag;
        let at = self.submissions.partition_point(is_before);
        if let Some(submission) = self.submissions.get_mut(at)
            && submission.number == failed.tag
        {
            submission.note_failed(&failed.error);
        }
    }

    fn forget_markers(&mut self, upto: u64) {
        while let Some(marker) = self.markers.pop_front_if(|marker| marker.number <= upto) {
            self.keep_spare(marker.event);
        }
    }

    fn keep_spare(&mut self, event: Arc<Event>) {
        // An event that others still hold must not be recorded again; the last
        // of them brings it back.
        if Arc::strong_count(&event) == 1 && self.spare_events.len() < SPARES {
            self.spare_events.push(event);
        }
    }
}

impl Shared {
    /// A submission to fill in, used before if possible.
    pub(super) fn spare_submission(&self) -> Submission {
        lock(&self.flight)
            .spare_submissions
            .pop()
            .unwrap_or_default()
    }

    /// Takes back an event that another queue waited for.
    pub(super) fn recycle(&self, event: Arc<Event>) {
        lock(&self.flight).keep_spare(event);
    }

    pub(super) fn push_flight(&self, submission: Submission) {
        lock(&self.flight).submissions.push_back(submission);
    }

    /// Records a marker behind everything submitted so far.
    pub(super) fn record_marker(
        &self,
        state: &mut IssueState,
        issue: &hip::Issue<'_>,
    ) -> hip::Result<Marker> {
        let spare = lock(&self.flight).spare_events.pop();
        let event = match spare {
            Some(event) => event,
            None => Arc::new(Event::new(self.stream.context())?),
        };
        issue.record_later(&event)?;
        let marker = Marker {
            number: state.submitted,
            event,
        };
        state.last_marker = state.submitted;
        lock(&self.flight).markers.push_back(marker.clone());
        Ok(marker)
    }

    /// A marker at or after submission `number`, recorded now if there is
    /// none; `None` when the submission is known to be complete or was failed.
    pub(super) fn marker_at(&self, number: u64) -> hip::Result<Option<Marker>> {
        if let Some(found) = self.existing_marker(number) {
            return Ok(found);
        }
        let mut state = lock(&self.issue);
        if state.fault.is_some() {
            return Ok(None);
        }
        // Somebody may have recorded one since, and work may have finished.
        if let Some(found) = self.existing_marker(number) {
            return Ok(found);
        }
        let issue = self.stream.issue()?;
        self.record_marker(&mut state, &issue).map(Some)
    }

    fn existing_marker(&self, number: u64) -> Option<Option<Marker>> {
        let flight = lock(&self.flight);
        if flight.known >= number || flight.is_faulted {
            return Some(None);
        }
        let at = flight
            .markers
            .partition_point(|marker| marker.number < number);
        flight.markers.get(at).cloned().map(Some)
    }

    /// Takes note of markers that have passed, without waiting.
    pub(super) fn poll(self: &Arc<Self>, agenda: &mut Agenda) {
        loop {
            let marker = {
                let flight = lock(&self.flight);
                match flight.markers.front() {
                    Some(marker) if !flight.is_faulted => marker.clone(),
                    _ => return,
                }
            };
            let number = marker.number;
            let passed = marker.event.query();
            drop(marker);
            match passed {
                Ok(true) => self.retire(number, agenda),
                Ok(false) => return,
                Err(error) => return self.give_up(error, number, agenda),
            }
        }
    }

    /// Waits on this thread until submission `number` has completed.
    pub(super) fn synchronize(self: &Arc<Self>, number: u64, agenda: &mut Agenda) {
        match self.marker_at(number) {
            Ok(None) => {}
            Ok(Some(marker)) => {
                let upto = marker.number;
                let (start, last_wait) = (Instant::now(), lock(&self.flight).last_wait);
                match look_for(&marker.event, last_wait) {
                    Ok(true) => {
                        // Only an event that nobody holds is recorded again.
                        drop(marker);
                        self.retire(upto, agenda);
                    }
                    Ok(false) => self.see_through(marker, agenda),
                    Err(error) => self.give_up(error, upto, agenda),
                }
                lock(&self.flight).last_wait = start.elapsed();
            }
            Err(error) => self.recover(error.into(), NO_MARKER, agenda),
        }
    }

    /// Sleeps in HIP until the marker has passed.
    pub(super) fn see_through(self: &Arc<Self>, marker: Marker, agenda: &mut Agenda) {
        let number = marker.number;
        let passed = marker.event.synchronize();
        // Only an event that nobody holds is recorded again.
        drop(marker);
        match passed {
            Ok(()) => self.retire(number, agenda),
            Err(error) => self.give_up(error, number, agenda),
        }
    }

    /// A marker reports an error.
    fn give_up(self: &Arc<Self>, error: hip::Error, number: u64, agenda: &mut Agenda) {
        // It was to be recorded when somebody else began to deal with a fault.
        if error.code != hip::Code::NOT_READY {
            self.recover(error.into(), number, agenda);
        }
    }

    /// Has the watcher see submission `number` through.
    pub(super) fn watch(self: &Arc<Self>, number: u64, agenda: &mut Agenda) -> Result<()> {
        // The marker itself is let go at once, as in `see_through`.
        match self.marker_at(number).map(|marker| marker.is_some()) {
            Ok(false) => Ok(()),
            Ok(true) => self.wake_watcher(number),
            Err(error) => {
                self.recover(error.into(), NO_MARKER, agenda);
                Ok(())
            }
        }
    }

    /// Submission `upto` has completed, and so has everything before it:
    /// signals what they promised and lets go of what they held, in order.
    ///
    /// One thread at a time lets go of resources; one that comes while another
    /// is at it signals and goes. Waiters are woken before that: freeing memory
    /// may wait for the device, and the device for what a waiter does next.
    pub(super) fn retire(&self, upto: u64, agenda: &mut Agenda) {
        self.note_failed();
        self.completed.fetch_max(upto, Ordering::AcqRel);
        let mut flight = lock(&self.flight);
        flight.known = flight.known.max(upto);
        flight.forget_markers(upto);
        flight.signal_known(agenda);
        if flight.is_retiring {
            return;
        }
        flight.is_retiring = true;
        loop {
            flight.signal_known(agenda);
            let known = flight.known;
            let Some(mut submission) = flight
                .submissions
                .pop_front_if(|submission| submission.number <= known)
            else {
                break;
            };
            flight.is_looking = !submission.is_signalled;
            drop(flight);
            agenda.wake_all();
            submission.complete(agenda);
            agenda.wake_all();
            flight = lock(&self.flight);
            flight.is_looking = false;
            if flight.spare_submissions.len() < SPARES {
                flight.spare_submissions.push(submission);
            }
        }
        flight.is_retiring = false;
    }

    /// Deals with an error that the stream reported: everything not known to
    /// be complete fails with it. Markers before submission `number`, which
    /// reported it, may still say what is complete ([`NO_MARKER`]: all of
    /// them). Afterwards the queue goes on if the stream does.
    ///
    /// Submissions that come meanwhile are held back, because a stream may
    /// skip what is queued behind a fault until the fault was reported.
    pub(super) fn recover(self: &Arc<Self>, mut cause: Status, number: u64, agenda: &mut Agenda) {
        {
            let mut state = lock(&self.issue);
            if state.fault.is_some() {
                return;
            }
            state.fault = Some(cause.clone());
            self.stream.discard_held();
        }
        lock(&self.flight).is_faulted = true;
        self.retire_passed(number, agenda);
        // The stream stands still after this, or is beyond help.
        let is_usable = match self.stream.synchronize() {
            Ok(()) => true,
            Err(error) => {
                let reported = Status::from(error);
                // Of two reports of one fault the longer explains it.
                if reported.code() == cause.code()
                    && reported.message().len() > cause.message().len()
                {
                    cause = reported;
                }
                self.stream.synchronize().is_ok()
            }
        };
        let last = lock(&self.issue).submitted;
        let failed: Vec<_> = {
            let mut flight = lock(&self.flight);
            let known = flight.known;
            let first = flight
                .submissions
                .partition_point(|submission| submission.number <= known);
            flight.forget_markers(last);
            flight.submissions.drain(first..).collect()
        };
        for mut submission in failed {
            submission.fail(&cause, agenda);
        }
        agenda.wake_all();
        self.reopen(is_usable, last, cause, agenda);
    }

    /// Retires what passed before the marker that reported the fault. That one
    /// itself may well claim, the second time, to have passed.
    fn retire_passed(&self, before: u64, agenda: &mut Agenda) {
        loop {
            let front = lock(&self.flight).markers.front().cloned();
            match front {
                Some(marker)
                    if marker.number < before && matches!(marker.event.query(), Ok(true)) =>
                {
                    self.retire(marker.number, agenda);
                }
                _ => return,
            }
        }
    }

    fn reopen(self: &Arc<Self>, is_usable: bool, last: u64, cause: Status, agenda: &mut Agenda) {
        self.completed.fetch_max(last, Ordering::AcqRel);
        {
            let mut flight = lock(&self.flight);
            flight.known = flight.known.max(last);
            flight.is_faulted = false;
        }
        // Only now may new work come: whoever waits for it must find the
        // flight in order.
        let held = {
            let mut state = lock(&self.issue);
            state.is_lost = !is_usable;
            state.fault = match is_usable {
                true => None,
                false => Some(cause.context("the queue was lost to an earlier fault")),
            };
            std::mem::take(&mut state.held)
        };
        for submission in held {
            let shared = self.clone();
            agenda.push(Box::new(move |agenda| shared.enqueue(submission, agenda)));
        }
    }
}
