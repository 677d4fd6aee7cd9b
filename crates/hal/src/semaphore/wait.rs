//! Waiting of the host for one or many semaphores.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::parker::Parker;
use super::timeline::{Look, Timeline};
use crate::{Result, Status};

/// How long a wait may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timeout {
    /// Look, and do not wait.
    Immediate,
    /// Until this moment.
    At(Instant),
    /// As long as it takes.
    Infinite,
}

impl Timeout {
    /// So long from now.
    pub fn after(duration: Duration) -> Self {
        match Instant::now().checked_add(duration) {
            _ if duration.is_zero() => Self::Immediate,
            Some(deadline) => Self::At(deadline),
            // Further away than the clock can tell.
            None => Self::Infinite,
        }
    }
}

impl From<Duration> for Timeout {
    fn from(duration: Duration) -> Self {
        Self::after(duration)
    }
}

/// Whether a wait for several values ends with the first or the last of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitMode {
    /// Every value is reached.
    All,
    /// One value is reached.
    Any,
}

/// What a waiter asks of a promised submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attention {
    /// See whether it has completed, without waiting.
    Poll,
    /// See to it that its completion is noticed, without waiting.
    Watch,
    /// Wait for it on this thread, which has nothing else to wait for.
    Stay,
}

/// Waits for `wants`. `attend` is called without any lock held for promised
/// submissions, so that somebody looks at them.
///
/// Nothing to wait for is success. A failed semaphore ends the wait with its
/// failure, unless `Any` is satisfied by another. Time out: DEADLINE_EXCEEDED.
pub(crate) fn wait_many<P: Clone>(
    wants: &[(&Timeline<P>, u64)],
    mode: WaitMode,
    timeout: Timeout,
    mut attend: impl FnMut(&P, Attention) -> Result<()>,
) -> Result<()> {
    if let Some(result) = settled(wants, mode) {
        return result;
    }
    let deadline = match timeout {
        Timeout::Immediate => {
            for (timeline, value) in wants {
                if let Look::Promised(point) = timeline.look(*value) {
                    attend(&point, Attention::Poll)?;
                }
            }
            return settled(wants, mode).unwrap_or_else(|| Err(too_late(wants)));
        }
        Timeout::At(deadline) => Some(deadline),
        Timeout::Infinite => None,
    };
    let attention = match (wants.len(), deadline) {
        (1, None) => Attention::Stay,
        _ => Attention::Watch,
    };
    let parker = Arc::new(Parker::default());
    let result = sleep(wants, mode, deadline, &parker, |point| {
        attend(point, attention)
    });
    for (timeline, _) in wants {
        timeline.delist_thread(&parker);
    }
    result
}

fn sleep<P: Clone>(
    wants: &[(&Timeline<P>, u64)],
    mode: WaitMode,
    deadline: Option<Instant>,
    parker: &Arc<Parker>,
    mut attend: impl FnMut(&P) -> Result<()>,
) -> Result<()> {
    for (timeline, value) in wants {
        if let Look::Promised(point) = timeline.enlist_thread(*value, parker) {
            attend(&point)?;
        }
    }
    loop {
        if let Some(result) = settled(wants, mode) {
            return result;
        }
        if !parker.park(deadline) {
            return settled(wants, mode).unwrap_or_else(|| Err(too_late(wants)));
        }
    }
}

/// The end of the wait, if it is there.
fn settled<P: Clone>(wants: &[(&Timeline<P>, u64)], mode: WaitMode) -> Option<Result<()>> {
    let mut reached = 0;
    let mut failure = None;
    for (timeline, value) in wants {
        match timeline.look(*value) {
            Look::Reached => reached += 1,
            Look::Failed(status) => {
                failure.get_or_insert(status);
            }
            Look::Promised(_) | Look::Pending => {}
        }
    }
    let enough = match mode {
        WaitMode::All => wants.len(),
        WaitMode::Any => wants.len().min(1),
    };
    if reached >= enough {
        return Some(Ok(()));
    }
    failure.map(Err)
}

fn too_late<P: Clone>(wants: &[(&Timeline<P>, u64)]) -> Status {
    let mut message = String::from("the time to wait ran out:");
    for (index, (timeline, value)) in wants.iter().enumerate() {
        let separator = if index == 0 { "" } else { "," };
        message += &format!(
            "{separator} a semaphore at {} for {value}",
            timeline.value()
        );
    }
    Status::deadline_exceeded(message)
}
