//! Work that waits for values nobody has promised yet. No thread waits for
//! it: whoever signals, promises or fails the missing value submits it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Shared;
use super::calls::Call;
use super::submission::{Readiness, Submission, Until};
use crate::semaphore::{Agenda, Attention, lock};
use crate::{Status, Timepoint};

/// The parked work of a queue, by the order in which it came. One that is
/// ready does not wait for one that came before it.
#[derive(Default)]
pub(super) struct Parking {
    next_ticket: u64,
    parked: BTreeMap<u64, Parked>,
    is_closed: bool,
}

pub(super) enum Parked {
    Submission(Submission),
    Call(Call),
}

impl Parked {
    fn resolve(&mut self, queue: &Arc<Shared>) -> Readiness {
        match self {
            Self::Submission(submission) => submission.resolve(queue),
            Self::Call(call) => call.resolve(),
        }
    }

    fn waits(&self) -> &[Timepoint] {
        match self {
            Self::Submission(submission) => &submission.waits,
            Self::Call(call) => &call.waits,
        }
    }

    fn fail(self, status: &Status, agenda: &mut Agenda) {
        match self {
            Self::Submission(mut submission) => submission.fail(status, agenda),
            Self::Call(call) => call.fail(status, agenda),
        }
    }
}

impl Shared {
    /// Submits the work if its waits allow, fails it if they failed, parks it otherwise.
    pub(super) fn arrive(self: &Arc<Self>, mut work: Parked, agenda: &mut Agenda) {
        match work.resolve(self) {
            Readiness::Ready => self.depart(work, agenda),
            Readiness::Failed(status) => work.fail(&status, agenda),
            Readiness::Waiting(waiting) => self.park(work, &waiting, agenda),
        }
    }

    fn depart(self: &Arc<Self>, work: Parked, agenda: &mut Agenda) {
        match work {
            Parked::Submission(submission) => self.enqueue(submission, agenda),
            Parked::Call(call) => self.enqueue_call(call, agenda),
        }
    }

    fn park(self: &Arc<Self>, mut work: Parked, waiting: &[(usize, Until)], agenda: &mut Agenda) {
        // Whoever submitted it may be gone when it is issued.
        if let Parked::Submission(submission) = &mut work {
            submission.is_ahead = false;
        }
        let mut waits: Vec<_> = work
            .waits()
            .iter()
            .map(|wait| (wait.clone(), None))
            .collect();
        for &(index, until) in waiting {
            waits[index].1 = Some(until);
        }
        let ticket = {
            let mut parking = lock(&self.parking);
            if parking.is_closed {
                drop(parking);
                return work.fail(&closed(), agenda);
            }
            let ticket = parking.next_ticket;
            parking.next_ticket += 1;
            parking.parked.insert(ticket, work);
            ticket
        };
        // A task holds the queue weakly: parked work belongs to the queue, and
        // a semaphore that is never signalled must not keep the queue alive.
        for (wait, until) in waits {
            let queue = Arc::downgrade(self);
            let task = Box::new(move |agenda: &mut Agenda| {
                if let Some(queue) = queue.upgrade() {
                    queue.look_again(ticket, agenda);
                }
            });
            let timeline = wait.semaphore.timeline();
            match until {
                // Promised already. It holds nothing up, and may yet fail.
                None => timeline.when_settled(wait.value, task, agenda),
                Some(Until::Promised) => timeline.when_promised(wait.value, task, agenda),
                Some(Until::Reached) => {
                    if let Some(point) = timeline.when_reached(wait.value, task, agenda) {
                        // A watcher that cannot start fails the work it was to watch.
                        if let Err(status) = point.attend(Attention::Watch, agenda) {
                            timeline.fail(status, agenda);
                        }
                    }
                }
            }
        }
    }

    /// One of the obstacles of a parked work has gone.
    fn look_again(self: &Arc<Self>, ticket: u64, agenda: &mut Agenda) {
        let mut parking = lock(&self.parking);
        // Gone already if another obstacle was the last, or failed.
        let Some(work) = parking.parked.get_mut(&ticket) else {
            return;
        };
        // Resolved under the lock, so that of two obstacles that go at once
        // the later look sees both gone.
        let readiness = work.resolve(self);
        if let Readiness::Waiting(waiting) = &readiness
            && waiting.iter().all(|(_, until)| *until == Until::Promised)
        {
            return;
        }
        let work = parking.parked.remove(&ticket);
        drop(parking);
        match (work, readiness) {
            (Some(work), Readiness::Ready) => self.depart(work, agenda),
            (Some(work), Readiness::Failed(status)) => work.fail(&status, agenda),
            // What was promised must now be reached: wait for that instead.
            (Some(work), Readiness::Waiting(waiting)) => self.park(work, &waiting, agenda),
            (None, _) => {}
        }
    }

    /// Fails everything parked and takes no more.
    pub(super) fn close_parking(&self, agenda: &mut Agenda) {
        let parked = {
            let mut parking = lock(&self.parking);
            parking.is_closed = true;
            std::mem::take(&mut parking.parked)
        };
        for work in parked.into_values() {
            work.fail(&closed(), agenda);
        }
    }
}

pub(super) fn closed() -> Status {
    Status::cancelled("the device was released before the work could be submitted")
}
