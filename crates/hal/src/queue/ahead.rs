//! Dispatches of callers that run ahead: put off, to go together.
//!
//! What a program submits before it waits for anything need not be launched one
//! by one: where the provider can do that for less, the stream holds single
//! dispatches and launches many at once ([`Stream::puts_off`](hip::Stream)). In
//! all else they are submissions like others, in flight and in order. A marker
//! comes behind what is held, as everything does, so whoever waits or looks
//! sees to it that it runs.

#[cfg(all(test, not(loom)))]
mod tests;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::flight::{MARKER_INTERVAL, NO_MARKER};
use super::submission::Submission;
use super::{IssueState, Shared};
use crate::semaphore::{Agenda, lock};

/// So many submissions are to be under way before one is put off: the device
/// has something to do meanwhile.
const UNDER_WAY: u64 = 8;

/// Submissions that come further apart are not put off: to launch them takes
/// less than that, and the device would wait.
const APART: Duration = match cfg!(test) {
    false => Duration::from_micros(20),
    // What tests do must not depend on how fast they are.
    true => Duration::from_secs(600),
};

/// When the last submission of somebody who runs ahead came.
#[derive(Default)]
pub(super) struct Pace(Option<Instant>);

impl Pace {
    /// Another one comes: whether that is soon after the last.
    fn is_quick(&mut self) -> bool {
        let now = Instant::now();
        let last = self.0.replace(now);
        last.is_some_and(|last| now - last < APART)
    }
}

impl Shared {
    /// Whether the dispatch of a submission may be put off.
    pub(super) fn may_put_off(&self, state: &mut IssueState, submission: &Submission) -> bool {
        submission.is_ahead
            && self.stream.puts_off()
            && state.pace.is_quick()
            && submission.number - self.completed.load(Ordering::Acquire) > UNDER_WAY
            && submission.is_single_dispatch()
    }

    /// Whether so many submissions want a marker. One would end what is being
    /// put off, so that it waits a while for that to end by itself.
    pub(super) fn is_marker_due(&self, unmarked: u64) -> bool {
        unmarked >= 4 * MARKER_INTERVAL || unmarked >= MARKER_INTERVAL && !self.stream.is_holding()
    }

    /// Begins what was put off.
    pub(super) fn catch_up(self: &Arc<Self>, agenda: &mut Agenda) {
        let begun = {
            let _state = lock(&self.issue);
            match self.stream.is_holding() {
                true => self.stream.issue().map(|issue| issue.flush()),
                false => Ok(()),
            }
        };
        if let Err(error) = begun {
            self.recover(error.into(), NO_MARKER, agenda);
        }
    }

    /// Submissions whose dispatch was put off and could not be launched are to
    /// fail when it is their turn: before that of what a marker stands for.
    pub(super) fn note_failed(&self) {
        for failed in self.stream.take_failed() {
            lock(&self.flight).note_failed(&failed);
        }
    }
}
