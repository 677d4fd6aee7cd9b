//! Calls of host functions, in the order of semaphores.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError};
use std::thread;

use super::parking::closed;
use super::submission::{Readiness, Until};
use super::{HostCallFlags, Shared};
use crate::semaphore::{Agenda, Look, lock};
use crate::{Fence, Result, Status, StatusCode, Timepoint};

/// A function to call once its waits are reached. It gets the fence it was
/// submitted to signal. `Ok` signals the fence, an error fails it with that
/// error, and an error with the code DEFERRED leaves it to the function to
/// see to the fence later.
pub type HostFunction = Box<dyn FnOnce(&Fence) -> Result<()> + Send>;

/// A call between its waits and its signals.
pub(super) struct Call {
    pub(super) waits: Vec<Timepoint>,
    pub(super) signals: Fence,
    pub(super) function: HostFunction,
    pub(super) flags: HostCallFlags,
}

/// Calls whose waits are reached.
#[derive(Default)]
pub(super) struct Calls {
    ready: VecDeque<Call>,
    is_closed: bool,
}

impl Call {
    /// The host sees what was reached, not what was promised.
    pub(super) fn resolve(&self) -> Readiness {
        let mut waiting = Vec::new();
        for (index, wait) in self.waits.iter().enumerate() {
            match wait.semaphore.timeline().look(wait.value) {
                Look::Reached => {}
                Look::Failed(status) => return Readiness::Failed(status),
                Look::Promised(_) | Look::Pending => waiting.push((index, Until::Reached)),
            }
        }
        match waiting.is_empty() {
            true => Readiness::Ready,
            false => Readiness::Waiting(waiting),
        }
    }

    pub(super) fn fail(self, status: &Status, agenda: &mut Agenda) {
        for signal in self.signals.iter() {
            signal.semaphore.timeline().fail(status.clone(), agenda);
        }
    }

    fn run(self) {
        if self.flags.contains(HostCallFlags::NON_BLOCKING) {
            settle(&self.signals, Ok(()));
            // Nobody is left to be told how the call ends.
            let _ = (self.function)(&self.signals);
            return;
        }
        let result = (self.function)(&self.signals);
        settle(&self.signals, result);
    }
}

fn settle(signals: &Fence, result: Result<()>) {
    match result.and_then(|()| signals.signal()) {
        Ok(()) => {}
        Err(status) if status.code() == StatusCode::Deferred => {}
        Err(status) => signals.fail(&status),
    }
}

impl Shared {
    /// Hands a call whose waits are reached to the queue's thread for calls,
    /// starting it with the first.
    pub(super) fn enqueue_call(self: &Arc<Self>, call: Call, agenda: &mut Agenda) {
        let started = self.start_caller();
        let refused = {
            let mut calls = lock(&self.calls);
            match (&started, calls.is_closed) {
                (Ok(()), false) => {
                    calls.ready.push_back(call);
                    None
                }
                (Err(status), _) => Some((call, status.clone())),
                (_, true) => Some((call, closed())),
            }
        };
        match refused {
            None => self.called.notify_one(),
            Some((call, status)) => call.fail(&status, agenda),
        }
    }

    fn start_caller(self: &Arc<Self>) -> Result<()> {
        let mut threads = lock(&self.threads);
        if threads.caller.is_none() && !threads.is_closed {
            let shared = self.clone();
            let thread = thread::Builder::new()
                .name(format!("hip-calls-{}", self.ordinal))
                .spawn(move || shared.run_calls())
                .map_err(|error| {
                    Status::resource_exhausted(format!("starting a thread for host calls: {error}"))
                })?;
            threads.caller = Some(thread);
        }
        Ok(())
    }

    fn run_calls(self: Arc<Self>) {
        loop {
            let call = {
                let mut calls = lock(&self.calls);
                loop {
                    if calls.is_closed {
                        return;
                    }
                    if let Some(call) = calls.ready.pop_front() {
                        break call;
                    }
                    calls = self
                        .called
                        .wait(calls)
                        .unwrap_or_else(PoisonError::into_inner);
                }
            };
            call.run();
        }
    }

    /// Fails the calls not begun and takes no more.
    pub(super) fn close_calls(&self, agenda: &mut Agenda) {
        let ready = {
            let mut calls = lock(&self.calls);
            calls.is_closed = true;
            std::mem::take(&mut calls.ready)
        };
        self.called.notify_one();
        for call in ready {
            call.fail(&closed(), agenda);
        }
    }
}
