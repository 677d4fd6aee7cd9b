//! Worker threads, started when first needed, shared by all launches.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use super::Job;
use super::workgroup::Worker;

/// Threads that run workgroups beside the launching one.
pub(crate) struct Pool {
    /// Threads that work on one launch, the launching one included.
    workers: usize,
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    /// There is a task, or the pool closes.
    wake: Condvar,
    /// Workers whose registers and LDS can be used again.
    idle: Mutex<Vec<Worker>>,
}

#[derive(Default)]
struct Queue {
    tasks: VecDeque<Arc<Task>>,
    closed: bool,
}

/// A launch that threads may join.
struct Task {
    job: Job,
    /// Threads at work on it.
    active: AtomicUsize,
    done: Mutex<()>,
    left: Condvar,
}

/// Whoever can be called when a launch turns out to be long.
pub(super) struct Help<'a> {
    /// Ops until then.
    left: u64,
    call: Option<&'a mut dyn FnMut()>,
}

impl<'a> Help<'a> {
    /// Ops that a thread runs in about the time that it takes to wake another.
    const WORTH_IT: u64 = 4000;

    fn of(call: &'a mut dyn FnMut()) -> Help<'a> {
        Help {
            left: Self::WORTH_IT,
            call: Some(call),
        }
    }

    fn none() -> Help<'a> {
        Help {
            left: u64::MAX,
            call: None,
        }
    }

    /// So much more has been done, in ops.
    #[inline]
    pub(super) fn note(&mut self, ops: u64) {
        self.left = self.left.saturating_sub(ops);
        if self.left == 0
            && let Some(call) = self.call.take()
        {
            call();
        }
    }
}

impl Pool {
    pub(crate) fn new(workers: usize) -> Pool {
        Pool {
            workers,
            shared: Arc::default(),
            threads: Mutex::default(),
        }
    }

    pub(crate) fn workers(&self) -> usize {
        self.workers
    }

    /// Runs all workgroups on this thread.
    pub(crate) fn run_alone(&self, job: &Job) {
        self.shared.work(job, &mut Help::none());
    }

    /// Runs the workgroups on this thread and, once it is clear that this takes
    /// a while, on those of the pool that are free: to wake one takes longer
    /// than a short launch.
    pub(crate) fn run_together(&self, job: Job) -> Job {
        let helpers = (self.workers as u64 - 1).min(job.workgroups - 1) as usize;
        let task = Arc::new(Task {
            job,
            active: AtomicUsize::new(0),
            done: Mutex::new(()),
            left: Condvar::new(),
        });
        let mut called = false;
        let mut call = || {
            called = true;
            self.call(&task, helpers);
        };
        self.shared.work(&task.job, &mut Help::of(&mut call));
        if called {
            self.part(&task);
        }
        let mut task = task;
        loop {
            // A helper may still hold its reference for an instant after it
            // has said that it is done.
            match Arc::try_unwrap(task) {
                Ok(task) => return task.job,
                Err(shared) => task = shared,
            }
            thread::yield_now();
        }
    }

    /// Lets threads join.
    fn call(&self, task: &Arc<Task>, helpers: usize) {
        self.start();
        {
            let mut queue = lock(&self.shared.queue);
            queue.tasks.extend((0..helpers).map(|_| task.clone()));
        }
        if helpers == 1 {
            self.shared.wake.notify_one();
        } else {
            self.shared.wake.notify_all();
        }
    }

    /// Waits for those who have joined.
    fn part(&self, task: &Arc<Task>) {
        // Nobody joins from here on.
        lock(&self.shared.queue)
            .tasks
            .retain(|other| !Arc::ptr_eq(other, task));
        let mut guard = lock(&task.done);
        while task.active.load(Ordering::Acquire) != 0 {
            guard = task
                .left
                .wait(guard)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn start(&self) {
        let mut threads = lock(&self.threads);
        while threads.len() + 1 < self.workers {
            let shared = self.shared.clone();
            let name = format!("amdgpu-{}", threads.len() + 1);
            let Ok(thread) = thread::Builder::new()
                .name(name)
                .spawn(move || shared.serve())
            else {
                // Fewer threads are slower, nothing else.
                return;
            };
            threads.push(thread);
        }
    }
}

impl Shared {
    fn serve(&self) {
        let mut queue = lock(&self.queue);
        loop {
            if let Some(task) = queue.tasks.pop_front() {
                // Under the lock, so that the launch sees either the task in
                // the queue or the thread at work.
                task.active.fetch_add(1, Ordering::Relaxed);
                drop(queue);
                self.work(&task.job, &mut Help::none());
                let guard = lock(&task.done);
                task.active.fetch_sub(1, Ordering::Release);
                task.left.notify_one();
                drop(guard);
                drop(task);
                queue = lock(&self.queue);
            } else if queue.closed {
                return;
            } else {
                queue = self
                    .wake
                    .wait(queue)
                    .unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    fn work(&self, job: &Job, help: &mut Help<'_>) {
        let mut worker = lock(&self.idle).pop().unwrap_or_default();
        worker.run(job, help);
        lock(&self.idle).push(worker);
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        lock(&self.shared.queue).closed = true;
        self.shared.wake.notify_all();
        for thread in lock(&self.threads).drain(..) {
            // A worker's panic has been reported where it happened.
            drop(thread.join());
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("workers", &self.workers)
            .finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::Help;

    #[test]
    fn help_is_called_once_and_only_for_long_launches() {
        let mut calls = 0;
        let mut call = || calls += 1;
        let mut help = Help::of(&mut call);
        help.note(Help::WORTH_IT - 1);
        assert!(help.call.is_some(), "a short launch stays on its thread");
        help.note(1);
        help.note(Help::WORTH_IT);
        assert_eq!(calls, 1);
        Help::none().note(u64::MAX);
    }
}
