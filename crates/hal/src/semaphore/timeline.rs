//! The core of a semaphore: a value that only rises, promises to raise it,
//! and who wants to know.
//!
//! Nothing here calls HIP or sleeps; every method takes the one lock for a few
//! instructions. `P` is a promise of a queue: which submission will raise the
//! value. The loom tests use a number for it.

use std::sync::Arc;

use smallvec::SmallVec;

use super::agenda::{Agenda, Task};
use super::parker::Parker;
use super::sync::{Mutex, lock};
use crate::{Result, Status};

/// The highest value a semaphore can be signalled to.
pub(crate) const MAX_VALUE: u64 = (1 << 31) - 2;

/// What [`Timeline::value`] reads once the semaphore has failed.
pub(crate) const FAILURE_VALUE: u64 = MAX_VALUE + 1;

/// How a semaphore stands towards one value.
#[derive(Clone, Debug)]
pub(crate) enum Look<P> {
    /// The value was reached.
    Reached,
    /// It never will be.
    Failed(Status),
    /// Not yet, and this will do it.
    Promised(P),
    /// Nobody has promised it.
    Pending,
}

pub(crate) struct Timeline<P> {
    state: Mutex<State<P>>,
}

struct State<P> {
    value: u64,
    /// The first failure; `value` stays what was reached before it.
    failure: Option<Status>,
    /// By rising value, all above `value`.
    promises: SmallVec<[(u64, P); 1]>,
    listeners: Vec<Listener>,
}

/// Somebody to tell, once, about a value or a failure.
enum Listener {
    /// A thread that sleeps until the value is reached.
    Thread { value: u64, parker: Arc<Parker> },
    /// Work that can be done once the value is reached.
    Reached { value: u64, task: Task },
    /// Work that can be submitted once the value is promised.
    Promised { value: u64, task: Task },
    /// Work that is parked for another reason, and must not stay so if the
    /// promise of the value is broken.
    Settled { value: u64, task: Task },
}

impl<P: Clone> Timeline<P> {
    pub(crate) fn new(initial: u64) -> Result<Self> {
        check_value(initial)?;
        Ok(Self {
            state: Mutex::new(State {
                value: initial,
                failure: None,
                promises: SmallVec::new(),
                listeners: Vec::new(),
            }),
        })
    }

    /// The value reached, [`FAILURE_VALUE`] after a failure.
    pub(crate) fn value(&self) -> u64 {
        let state = lock(&self.state);
        match state.failure {
            None => state.value,
            Some(_) => FAILURE_VALUE,
        }
    }

    /// The value reached, or why it rises no more.
    pub(crate) fn query(&self) -> Result<u64> {
        let state = lock(&self.state);
        match &state.failure {
            None => Ok(state.value),
            Some(status) => Err(status.clone()),
        }
    }

    /// The lowest promise not yet kept.
    pub(crate) fn first_promise(&self) -> Option<(u64, P)> {
        lock(&self.state).promises.first().cloned()
    }

    /// How it stands towards `value`. A failure hides what was reached before it.
    pub(crate) fn look(&self, value: u64) -> Look<P> {
        lock(&self.state).look(value)
    }

    /// The failure that kept `value` from being reached, if that happened.
    pub(crate) fn failure_before(&self, value: u64) -> Option<Status> {
        let state = lock(&self.state);
        match state.value < value {
            true => state.failure.clone(),
            false => None,
        }
    }

    /// Raises the value, as the host does: `value` must be above the present one.
    pub(crate) fn signal(&self, value: u64, agenda: &mut Agenda) -> Result<()> {
        check_value(value)?;
        let mut state = lock(&self.state);
        if let Some(status) = &state.failure {
            return Err(status.clone());
        }
        if value <= state.value {
            return Err(Status::out_of_range(format!(
                "a semaphore at {} cannot be signalled to {value}: values only rise",
                state.value
            )));
        }
        state.advance(value, agenda);
        Ok(())
    }

    /// Raises the value to at least `value`, as completed work does. A
    /// semaphore that has failed or is ahead already stays as it is.
    pub(crate) fn advance(&self, value: u64, agenda: &mut Agenda) {
        let mut state = lock(&self.state);
        if state.failure.is_none() && value > state.value {
            state.advance(value, agenda);
        }
    }

    /// Notes that `point` will raise the value to `value`. True when a thread
    /// is asleep waiting for that.
    pub(crate) fn promise(&self, value: u64, point: P, agenda: &mut Agenda) -> bool {
        let mut state = lock(&self.state);
        if state.failure.is_some() || value <= state.value {
            return false;
        }
        let at = state.promises.partition_point(|(other, _)| *other <= value);
        state.promises.insert(at, (value, point));
        let mut is_awaited = false;
        state.tell(agenda, |listener| match listener {
            Listener::Promised { value: wanted, .. } => *wanted <= value,
            Listener::Thread { value: wanted, .. } | Listener::Reached { value: wanted, .. } => {
                is_awaited |= *wanted <= value;
                false
            }
            Listener::Settled { .. } => false,
        });
        is_awaited
    }

    /// Fails it for good. The first failure is kept; later ones change nothing.
    pub(crate) fn fail(&self, status: Status, agenda: &mut Agenda) {
        let mut state = lock(&self.state);
        if state.failure.is_some() {
            return;
        }
        state.failure = Some(status);
        state.promises.clear();
        state.tell(agenda, |_| true);
    }

    /// Has `parker` notified when `value` is reached or the semaphore fails,
    /// unless that is so already. Looking and enlisting are one step: nothing
    /// is missed between them.
    pub(crate) fn enlist_thread(&self, value: u64, parker: &Arc<Parker>) -> Look<P> {
        let mut state = lock(&self.state);
        let look = state.look(value);
        if matches!(look, Look::Promised(_) | Look::Pending) {
            state.listeners.push(Listener::Thread {
                value,
                parker: parker.clone(),
            });
        }
        look
    }

    /// Forgets what `parker` was enlisted for here.
    pub(crate) fn delist_thread(&self, parker: &Arc<Parker>) {
        lock(&self.state).listeners.retain(
            |listener| !matches!(listener, Listener::Thread { parker: other, .. } if Arc::ptr_eq(parker, other)),
        );
    }

    /// Has `task` run when `value` is promised, reached or never will be; at
    /// once, through the agenda, if that is so already.
    pub(crate) fn when_promised(&self, value: u64, task: Task, agenda: &mut Agenda) {
        let mut state = lock(&self.state);
        match state.look(value) {
            Look::Pending => state.listeners.push(Listener::Promised { value, task }),
            _ => agenda.push(task),
        }
    }

    /// Has `task` run when `value` is reached or never will be, without making
    /// anybody look at the device for that.
    pub(crate) fn when_settled(&self, value: u64, task: Task, agenda: &mut Agenda) {
        let mut state = lock(&self.state);
        match state.look(value) {
            Look::Reached | Look::Failed(_) => agenda.push(task),
            _ => state.listeners.push(Listener::Settled { value, task }),
        }
    }

    /// Has `task` run when `value` is reached or never will be; at once,
    /// through the agenda, if that is so already. The promise returned, if
    /// any, must be watched for the task to run.
    pub(crate) fn when_reached(&self, value: u64, task: Task, agenda: &mut Agenda) -> Option<P> {
        let mut state = lock(&self.state);
        let look = state.look(value);
        match look {
            Look::Reached | Look::Failed(_) => agenda.push(task),
            Look::Promised(_) | Look::Pending => {
                state.listeners.push(Listener::Reached { value, task });
            }
        }
        match look {
            Look::Promised(point) => Some(point),
            _ => None,
        }
    }
}

impl<P: Clone> State<P> {
    fn look(&self, value: u64) -> Look<P> {
        if let Some(status) = &self.failure {
            return Look::Failed(status.clone());
        }
        if self.value >= value {
            return Look::Reached;
        }
        let at = self.promises.partition_point(|(other, _)| *other < value);
        match self.promises.get(at) {
            Some((_, point)) => Look::Promised(point.clone()),
            None => Look::Pending,
        }
    }

    fn advance(&mut self, value: u64, agenda: &mut Agenda) {
        self.value = value;
        let kept = self.promises.partition_point(|(other, _)| *other <= value);
        self.promises.drain(..kept);
        self.tell(agenda, |listener| match listener {
            Listener::Thread { value: wanted, .. }
            | Listener::Reached { value: wanted, .. }
            | Listener::Promised { value: wanted, .. }
            | Listener::Settled { value: wanted, .. } => *wanted <= value,
        });
    }

    /// Takes the listeners for whom `is_due` holds off the list and puts what
    /// they want on the agenda.
    fn tell(&mut self, agenda: &mut Agenda, mut is_due: impl FnMut(&Listener) -> bool) {
        for listener in self.listeners.extract_if(.., |listener| is_due(listener)) {
            match listener {
                Listener::Thread { parker, .. } => agenda.wake(parker),
                Listener::Reached { task, .. }
                | Listener::Promised { task, .. }
                | Listener::Settled { task, .. } => agenda.push(task),
            }
        }
    }
}

/// Whether a semaphore can ever stand at `value`.
pub(crate) fn check_value(value: u64) -> Result<()> {
    if value > MAX_VALUE {
        return Err(Status::out_of_range(format!(
            "semaphore value {value} is above the highest, {MAX_VALUE}"
        )));
    }
    Ok(())
}
