//! When a stream did what, on the clock of the host.
//!
//! A device only says how long it was from one event to another. So the first
//! event of a stream is recorded when there is nothing to wait for, and the
//! time at which the host sees it pass is that event's; every later time is
//! that of the event before it and what lies between. The two clocks drift,
//! and the host is late to see: a time before the command was submitted, or
//! after it was seen to have ended, moves the clock.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use profile::{Detail, Name, Origin, Profiler, TrackId, Work};

use crate::{Api, EventFlags, EventHandle, StreamHandle};

/// Commands of a stream whose times are still to be read; more are not timed.
const MOST_PENDING: usize = 1 << 14;

/// How long an idle stream may take to pass an event. One that takes longer
/// is not idle, and cannot be timed.
const LONGEST_START: Duration = Duration::from_secs(1);

/// How often the first event of a stream is recorded at most, and when a look
/// at it is good enough.
const ATTEMPTS: usize = 16;
const EXACT_NS: u64 = 20_000;

/// What a stream is told to do.
pub(super) struct Command {
    pub(super) work: Work,
    pub(super) name: Name,
    pub(super) detail: Detail,
}

/// The times of a stream.
pub(super) struct Clock {
    track: TrackId,
    /// The event that times are counted from, and its own.
    last: EventHandle,
    last_ns: f64,
    pending: VecDeque<Pending>,
    spare: Vec<EventHandle>,
}

/// Before and after a command.
#[derive(Clone, Copy)]
pub(super) struct Events {
    start: EventHandle,
    stop: EventHandle,
}

struct Pending {
    events: Events,
    asked_ns: u64,
    command: Command,
    origin: Origin,
}

impl Clock {
    /// The clock of a stream that is idle, in its context; `None` if the
    /// provider has no times.
    pub(super) fn new(
        api: &dyn Api,
        stream: StreamHandle,
        profiler: &Profiler,
        device: &str,
        queue: &str,
    ) -> Option<Self> {
        let first = create(api)?;
        let Some(first_ns) = passed_at(api, first, stream, profiler) else {
            destroy(api, first);
            return None;
        };
        Some(Self {
            last: first,
            last_ns: first_ns,
            track: profiler.add_track(device, queue),
            pending: VecDeque::new(),
            spare: Vec::new(),
        })
    }

    /// Says that a command comes next. `None` if it will not be timed.
    pub(super) fn begin(&mut self, api: &dyn Api, stream: StreamHandle) -> Option<Events> {
        if self.pending.len() >= MOST_PENDING {
            return None;
        }
        let start = self.event(api)?;
        let Some(stop) = self.event(api) else {
            self.spare.push(start);
            return None;
        };
        let events = Events { start, stop };
        if !record(api, start, stream) {
            self.recycle(events);
            return None;
        }
        Some(events)
    }

    /// Says that the command was submitted.
    pub(super) fn end(
        &mut self,
        api: &dyn Api,
        stream: StreamHandle,
        events: Events,
        asked_ns: u64,
        command: Command,
        origin: Origin,
    ) {
        if !record(api, events.stop, stream) {
            return self.recycle(events);
        }
        self.pending.push_back(Pending {
            events,
            asked_ns,
            command,
            origin,
        });
    }

    /// Takes back the events of a command that will not be timed.
    pub(super) fn recycle(&mut self, events: Events) {
        self.spare.extend([events.start, events.stop]);
    }

    /// Reads the times of commands that have completed, in order.
    pub(super) fn collect(&mut self, api: &dyn Api, profiler: &Profiler) {
        while let Some(pending) = self.pending.front() {
            let events = pending.events;
            // SAFETY: our own events, not destroyed.
            let times = match unsafe { api.event_query(events.stop) } {
                Ok(false) => return,
                Ok(true) => self.times(api, events),
                Err(_) => None,
            };
            let Some(pending) = self.pending.pop_front() else {
                return;
            };
            let Some((after_ns, duration_ns)) = times else {
                // It failed: it has no times.
                self.recycle(events);
                continue;
            };
            let start = self.last_ns + after_ns;
            let (earliest, latest) = (pending.asked_ns as f64, profiler.now_ns() as f64);
            let start = start.min(latest - duration_ns);
            let start = start.max(earliest).max(self.last_ns);
            let end = start + duration_ns;
            self.spare.extend([self.last, events.start]);
            (self.last, self.last_ns) = (events.stop, end);
            // An idle stream passes the first event before the command is there.
            let start = start.max(pending.origin.at_ns as f64).min(end);
            let Command { work, name, detail } = pending.command;
            let span = (start.round() as u64, end.round() as u64);
            profiler.work(self.track, span, work, name, detail, pending.origin);
        }
    }

    /// Destroys the events, those of commands still under way included.
    pub(super) fn destroy(self, api: &dyn Api) {
        let pending = self
            .pending
            .iter()
            .flat_map(|it| [it.events.start, it.events.stop]);
        for event in pending.chain(self.spare).chain([self.last]) {
            destroy(api, event);
        }
    }

    /// Nanoseconds from the last event to the start of a command, and from there to its end.
    fn times(&self, api: &dyn Api, events: Events) -> Option<(f64, f64)> {
        let between = |from, to| {
            // SAFETY: our own events, recorded with times, not destroyed.
            let ms = unsafe { api.event_elapsed_ms(from, to) }.ok()?;
            Some(f64::from(ms.max(0.0)) * 1e6)
        };
        Some((
            between(self.last, events.start)?,
            between(events.start, events.stop)?,
        ))
    }

    fn event(&mut self, api: &dyn Api) -> Option<EventHandle> {
        self.spare.pop().or_else(|| create(api))
    }
}

fn create(api: &dyn Api) -> Option<EventHandle> {
    api.event_create(EventFlags::DEFAULT).ok()
}

fn destroy(api: &dyn Api, event: EventHandle) {
    // SAFETY: our own event, destroyed once. What it fails with concerns nobody.
    drop(unsafe { api.event_destroy(event) });
}

fn record(api: &dyn Api, event: EventHandle, stream: StreamHandle) -> bool {
    // SAFETY: our own event; the caller submits to the stream, so it lives.
    unsafe { api.event_record(event, stream) }.is_ok()
}

/// When an event passes that is recorded now, as exactly as a few attempts can
/// tell: a thread that is interrupted between two looks cannot.
fn passed_at(
    api: &dyn Api,
    event: EventHandle,
    stream: StreamHandle,
    profiler: &Profiler,
) -> Option<f64> {
    let mut passed_ns = 0.0;
    for _ in 0..ATTEMPTS {
        let before = profiler.now_ns();
        if !record(api, event, stream) || !see(api, event) {
            return None;
        }
        let after = profiler.now_ns();
        passed_ns = (before + after) as f64 / 2.0;
        if after - before <= EXACT_NS {
            break;
        }
    }
    Some(passed_ns)
}

/// Waits for an event without sleeping: whoever sleeps sees it late.
fn see(api: &dyn Api, event: EventHandle) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < LONGEST_START {
        // SAFETY: our own event.
        match unsafe { api.event_query(event) } {
            Ok(true) => return true,
            Ok(false) => std::hint::spin_loop(),
            Err(_) => return false,
        }
    }
    false
}
