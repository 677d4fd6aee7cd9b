//! What is to be done once all locks are released: waiters to wake, and work
//! that has become possible.

use std::collections::VecDeque;
use std::sync::Arc;

use super::parker::Parker;

/// Work that a change of a semaphore made possible. It may add to the agenda.
pub(crate) type Task = Box<dyn FnOnce(&mut Agenda) + Send>;

/// Collects the consequences of changing semaphores. They are carried out by
/// [`Agenda::run`], by whoever made the change, without any lock held and
/// without recursion: a chain of batches each waiting for the one before
/// takes one turn of a loop per batch, not one stack frame.
#[derive(Default)]
#[must_use = "waiters sleep on until the agenda is run"]
pub(crate) struct Agenda {
    wakes: Vec<Arc<Parker>>,
    tasks: VecDeque<Task>,
}

impl Agenda {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn wake(&mut self, parker: Arc<Parker>) {
        self.wakes.push(parker);
    }

    pub(crate) fn push(&mut self, task: Task) {
        self.tasks.push_back(task);
    }

    /// Wakes everybody now, without running any task.
    pub(crate) fn wake_all(&mut self) {
        for parker in self.wakes.drain(..) {
            parker.notify();
        }
    }

    /// Wakes everybody first, then runs the tasks and what they add.
    pub(crate) fn run(mut self) {
        loop {
            self.wake_all();
            let Some(task) = self.tasks.pop_front() else {
                break;
            };
            task(&mut self);
        }
    }
}
