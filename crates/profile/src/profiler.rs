//! Recording.

use std::cell::Cell;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Instant;

use crate::{Activity, Detail, Event, Kind, Name, Profile, Totals, Track, TrackId, Work};

/// Events kept: some 25 MB.
const CAPACITY: usize = 1 << 18;

/// What the threads of this process are called together.
const HOST: &str = "host";

/// Records what happens, from any thread. Clones are names of one recorder.
///
/// It keeps the newest events, up to a fixed number; sums are of all.
#[derive(Clone)]
pub struct Profiler(Arc<Inner>);

struct Inner {
    epoch: Instant,
    capacity: usize,
    log: Mutex<Log>,
}

#[derive(Default)]
struct Log {
    tracks: Vec<Track>,
    threads: Vec<(ThreadId, TrackId)>,
    events: VecDeque<Event>,
    dropped: u64,
    totals: Totals,
}

/// What a thread knows of the span it is in.
#[derive(Clone, Copy, Default)]
struct Nest {
    /// How long the spans within it took so far.
    inner_ns: u64,
    is_in_call: bool,
}

thread_local! {
    static NEST: Cell<Nest> = const { Cell::new(Nest { inner_ns: 0, is_in_call: false }) };
}

/// Where on a thread something came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The thread.
    pub track: TrackId,
    /// When, in nanoseconds since the profiler was made.
    pub at_ns: u64,
}

impl Default for Profiler {
    fn default() -> Self {
        Self::with_capacity(CAPACITY)
    }
}

impl Profiler {
    /// One that keeps this many events.
    pub fn with_capacity(capacity: usize) -> Self {
        Self(Arc::new(Inner {
            epoch: Instant::now(),
            capacity: capacity.max(1),
            log: Mutex::default(),
        }))
    }

    /// Nanoseconds since the profiler was made.
    pub fn now_ns(&self) -> u64 {
        self.since_epoch(Instant::now())
    }

    /// Begins a span of this thread, which ends when it is dropped, there.
    ///
    /// Of [`Activity::Profiling`] the time counts, so that it is not taken for
    /// the time of something else; as an event it would only be in the way.
    pub fn span(&self, activity: Activity, name: impl Into<Name>) -> Span<'_> {
        let outer = NEST.get();
        NEST.set(Nest {
            inner_ns: 0,
            is_in_call: outer.is_in_call || activity == Activity::Call,
        });
        Span {
            profiler: self,
            activity,
            name: name.into(),
            detail: Detail::None,
            outer,
            start: Instant::now(),
        }
    }

    /// A new track for a queue or for a kind of memory.
    pub fn add_track(&self, group: &str, name: &str) -> TrackId {
        self.log().add_track(group, name)
    }

    /// Work of a queue, which `origin` submitted.
    pub fn work(
        &self,
        track: TrackId,
        (start_ns, end_ns): (u64, u64),
        work: Work,
        name: Name,
        detail: Detail,
        origin: Origin,
    ) {
        let duration_ns = end_ns.saturating_sub(start_ns);
        let mut log = self.log();
        if work != Work::Wait {
            log.totals.device_ns += duration_ns;
            log.totals.device_work += 1;
        }
        let event = Event {
            track,
            start_ns,
            duration_ns,
            kind: Kind::Device(work, origin),
            name,
            detail,
        };
        log.push(event, self.0.capacity);
    }

    /// So much memory of a kind is in use from now on.
    pub fn level(&self, track: TrackId, bytes: u64) {
        let event = Event {
            track,
            start_ns: self.now_ns(),
            duration_ns: 0,
            kind: Kind::Level,
            name: Name::Static("bytes in use"),
            detail: Detail::Bytes(bytes),
        };
        self.log().push(event, self.0.capacity);
    }

    /// The sums so far.
    pub fn totals(&self) -> Totals {
        self.log().totals
    }

    /// What was recorded so far.
    pub fn profile(&self) -> Profile {
        let log = self.log();
        Profile {
            tracks: log.tracks.clone(),
            events: log.events.iter().cloned().collect(),
            dropped: log.dropped,
            totals: log.totals,
        }
    }

    fn since_epoch(&self, time: Instant) -> u64 {
        time.saturating_duration_since(self.0.epoch).as_nanos() as u64
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.0.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Profiler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Profiler({} events)", self.log().events.len())
    }
}

impl Log {
    fn add_track(&mut self, group: &str, name: &str) -> TrackId {
        // Nobody has that many threads and queues; if, the last track is theirs.
        let id = TrackId(self.tracks.len().min(usize::from(u16::MAX)) as u16);
        if self.tracks.len() <= id.index() {
            self.tracks.push(Track {
                group: group.to_owned(),
                name: name.to_owned(),
            });
        }
        id
    }

    /// The track of the thread that asks.
    fn thread(&mut self) -> TrackId {
        let thread = thread::current();
        let known = self.threads.iter().find(|(id, _)| *id == thread.id());
        if let Some((_, track)) = known {
            return *track;
        }
        let track = self.add_track(HOST, thread.name().unwrap_or("thread"));
        self.threads.push((thread.id(), track));
        track
    }

    fn push(&mut self, event: Event, capacity: usize) {
        // The oldest goes: a span is recorded when it ends, so what is kept of
        // a span is never without those around it.
        if self.events.len() >= capacity {
            self.events.pop_front();
            self.dropped += 1;
        }
        self.events.push_back(event);
    }
}

/// A span of a thread that has begun.
pub struct Span<'a> {
    profiler: &'a Profiler,
    activity: Activity,
    name: Name,
    detail: Detail,
    outer: Nest,
    start: Instant,
}

impl Span<'_> {
    /// More about it.
    #[must_use]
    pub fn with(mut self, detail: Detail) -> Self {
        self.detail = detail;
        self
    }

    /// Where it began, for work that is submitted in it.
    pub fn origin(&self) -> Origin {
        Origin {
            track: self.profiler.log().thread(),
            at_ns: self.profiler.since_epoch(self.start),
        }
    }
}

impl Drop for Span<'_> {
    fn drop(&mut self) {
        let duration_ns = self.start.elapsed().as_nanos() as u64;
        let nest = NEST.replace(Nest {
            inner_ns: self.outer.inner_ns + duration_ns,
            ..self.outer
        });
        let mut log = self.profiler.log();
        if nest.is_in_call {
            log.totals.host_ns[self.activity as usize] += duration_ns.saturating_sub(nest.inner_ns);
        }
        if self.activity == Activity::Profiling {
            return;
        }
        let event = Event {
            track: log.thread(),
            start_ns: self.profiler.since_epoch(self.start),
            duration_ns,
            kind: Kind::Host(self.activity),
            name: std::mem::replace(&mut self.name, Name::Static("")),
            detail: self.detail,
        };
        log.push(event, self.profiler.0.capacity);
    }
}

impl fmt::Debug for Span<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Span({}: {})", self.activity.word(), self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So long that clocks see it.
    fn spend(ns: u64) {
        let start = Instant::now();
        while start.elapsed().as_nanos() < ns.into() {
            std::hint::spin_loop();
        }
    }

    #[test]
    fn sums_are_of_calls_and_add_up_to_their_time() {
        let profiler = Profiler::default();
        drop(profiler.span(Activity::Memory, "before any call"));
        {
            let _call = profiler.span(Activity::Call, "main");
            spend(20_000);
            {
                let _program = profiler.span(Activity::Program, "main");
                spend(10_000);
                for _ in 0..3 {
                    let _recording = profiler.span(Activity::Recording, "dispatch");
                    spend(5_000);
                }
                let _profiling = profiler.span(Activity::Profiling, "events");
                spend(1_000);
            }
        }
        let totals = profiler.totals();
        assert_eq!(totals.host_ns(Activity::Memory), 0);
        for (activity, least) in [
            (Activity::Call, 20_000),
            (Activity::Program, 10_000),
            (Activity::Recording, 15_000),
            (Activity::Profiling, 1_000),
        ] {
            assert!(totals.host_ns(activity) >= least, "{activity:?}");
        }
        let profile = profiler.profile();
        let call = &profile.events[profile.events.len() - 1];
        assert_eq!(&*call.name, "main");
        assert_eq!(
            totals.call_ns() + totals.host_ns(Activity::Profiling),
            call.duration_ns
        );
        assert_eq!((totals - totals).call_ns(), 0);
    }

    #[test]
    fn the_newest_events_stay_and_the_sums_are_of_all() {
        let profiler = Profiler::with_capacity(3);
        let queue = profiler.add_track("device", "queue 0");
        let origin = profiler.span(Activity::Driver, "launch").origin();
        for number in 0..5u64 {
            let (start, end) = (number * 10, number * 10 + 4);
            let name = Name::from(format!("k{number}"));
            profiler.work(
                queue,
                (start, end),
                Work::Dispatch,
                name,
                Detail::None,
                origin,
            );
        }
        let profile = profiler.profile();
        let names: Vec<_> = profile.events.iter().map(|event| &*event.name).collect();
        assert_eq!(names, ["k2", "k3", "k4"]);
        assert_eq!(profile.dropped, 3);
        assert_eq!(profile.totals.device_ns, 20);
        assert_eq!(profile.totals.device_work, 5);
        assert_eq!(profile.tracks[queue.index()].name, "queue 0");
    }

    #[test]
    fn each_thread_has_a_track() {
        let profiler = Profiler::default();
        let spans = || {
            drop(profiler.span(Activity::Waiting, "a"));
            drop(profiler.span(Activity::Waiting, "b"));
        };
        spans();
        thread::scope(|scope| {
            let other = thread::Builder::new().name("other".to_owned());
            other.spawn_scoped(scope, spans).expect("a thread");
        });
        let profile = profiler.profile();
        assert_eq!(profile.tracks.len(), 2);
        assert_eq!(profile.tracks[1].name, "other");
        assert_eq!(profile.tracks[1].group, HOST);
        let tracks: Vec<_> = profile.events.iter().map(|e| e.track.index()).collect();
        assert_eq!(tracks, [0, 0, 1, 1]);
    }

    #[test]
    fn waiting_of_a_queue_is_no_work() {
        let profiler = Profiler::default();
        let queue = profiler.add_track("device", "queue 0");
        let origin = profiler.span(Activity::Driver, "wait").origin();
        let name = || Name::Static("wait");
        profiler.work(queue, (0, 9), Work::Wait, name(), Detail::None, origin);
        assert_eq!(profiler.totals().device_ns, 0);
        assert_eq!(profiler.profile().events.len(), 2);
    }
}
