//! A place for one thread to sleep.

use std::time::Instant;

use super::sync::{Condvar, Mutex, lock};

/// One thread sleeps here until somebody says that there is something to look
/// at. A notification that comes before the thread sleeps is not lost.
#[derive(Default)]
pub(crate) struct Parker {
    notified: Mutex<bool>,
    wake: Condvar,
}

impl Parker {
    pub(crate) fn notify(&self) {
        *lock(&self.notified) = true;
        self.wake.notify_one();
    }

    /// Sleeps until notified, and takes the notification. False when
    /// `deadline` passed first.
    pub(crate) fn park(&self, deadline: Option<Instant>) -> bool {
        let mut notified = lock(&self.notified);
        while !*notified {
            notified = match deadline {
                None => self
                    .wake
                    .wait(notified)
                    .unwrap_or_else(std::sync::PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return false;
                    }
                    self.wake
                        .wait_timeout(notified, left)
                        .unwrap_or_else(std::sync::PoisonError::into_inner)
                        .0
                }
            };
        }
        *notified = false;
        true
    }
}
