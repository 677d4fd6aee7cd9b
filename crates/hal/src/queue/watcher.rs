//! The thread that sleeps in HIP for the waiters of a queue.

use std::sync::{Arc, PoisonError};
use std::thread;

use super::Shared;
use crate::semaphore::{Agenda, lock};
use crate::{Result, Status};

impl Shared {
    /// Has the watcher see everything up to submission `number` through,
    /// starting it if this is the first time that somebody asks.
    pub(super) fn wake_watcher(self: &Arc<Self>, number: u64) -> Result<()> {
        {
            let mut flight = lock(&self.flight);
            flight.wanted = flight.wanted.max(number);
        }
        self.watched.notify_one();
        let mut threads = lock(&self.threads);
        if threads.watcher.is_none() && !threads.is_closed {
            let shared = self.clone();
            let thread = thread::Builder::new()
                .name(format!("hip-watch-{}", self.ordinal))
                .spawn(move || shared.watch_flight())
                .map_err(|error| {
                    Status::resource_exhausted(format!("starting a queue's watcher: {error}"))
                })?;
            threads.watcher = Some(thread);
        }
        Ok(())
    }

    /// Sleeps for one marker after the other, as long as somebody wants them.
    fn watch_flight(self: Arc<Self>) {
        loop {
            let marker = {
                let mut flight = lock(&self.flight);
                loop {
                    if flight.is_closed {
                        return;
                    }
                    if let Some(marker) = flight.next_watched() {
                        break marker;
                    }
                    flight = self
                        .watched
                        .wait(flight)
                        .unwrap_or_else(PoisonError::into_inner);
                }
            };
            let mut agenda = Agenda::new();
            self.see_through(marker, &mut agenda);
            agenda.run();
        }
    }
}
