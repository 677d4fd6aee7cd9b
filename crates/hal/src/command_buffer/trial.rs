//! Whether graphs pay: a command buffer that is executed again and again is
//! timed both ways, and then goes the faster one.
//!
//! The time is that of the host to submit it or that of the device to get
//! through it, whichever is longer: the one that keeps the other waiting.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use hip::{Context, Event, Issue};

use crate::Result;
use crate::semaphore::{Mutex, lock};

/// Times of each way, of which the best counts.
const SAMPLES: u32 = 4;

/// Command buffers of about the same length that are tried at once, and how
/// many of those must agree for the others to do as they do.
const TRIED_AT_ONCE: u32 = 2;
const VOTES: u32 = 4;

/// Below this there is nothing to save: launching a graph is one call of the
/// driver too.
pub(super) const FEWEST_NODES: usize = 2;

/// What a device has learned about graphs, by their length: the index is the
/// number of bits in the number of nodes.
#[derive(Default)]
pub(crate) struct Experience([Votes; 32]);

#[derive(Default)]
struct Votes {
    for_graphs: AtomicU32,
    for_streams: AtomicU32,
    being_tried: AtomicU32,
}

impl Experience {
    fn votes(&self, nodes: usize) -> &Votes {
        let bits = usize::BITS - nodes.leading_zeros();
        &self.0[(bits as usize).min(self.0.len() - 1)]
    }
}

impl Votes {
    /// The way that everybody took who tried both, if they were enough.
    fn verdict(&self) -> Option<Way> {
        let graphs = self.for_graphs.load(Ordering::Relaxed);
        let streams = self.for_streams.load(Ordering::Relaxed);
        match (graphs, streams) {
            (VOTES.., 0) => Some(Way::Graph),
            (0, VOTES..) => Some(Way::Stream),
            _ => None,
        }
    }

    fn vote(&self, way: Way) {
        let votes = match way {
            Way::Graph => &self.for_graphs,
            Way::Stream => &self.for_streams,
        };
        votes.fetch_add(1, Ordering::Relaxed);
    }

    /// A place among those that are tried.
    fn enter(&self) -> bool {
        let entered =
            self.being_tried
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |tried| {
                    (tried < TRIED_AT_ONCE).then_some(tried + 1)
                });
        entered.is_ok()
    }

    fn leave(&self) {
        self.being_tried.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How commands get to the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Stream,
    Graph,
}

/// What one command buffer has found out.
pub(super) struct Trial {
    nodes: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    decided: Option<Way>,
    is_entered: bool,
    stream: Times,
    graph: Times,
}

#[derive(Default)]
struct Times {
    count: u32,
    best: Option<Duration>,
}

impl Times {
    fn add(&mut self, time: Duration) {
        self.count += 1;
        self.best = Some(self.best.map_or(time, |best| best.min(time)));
    }
}

impl Trial {
    /// Of a command buffer with so many nodes.
    pub(super) fn new(nodes: usize) -> Self {
        let decided = (nodes < FEWEST_NODES).then_some(Way::Stream);
        Self {
            nodes,
            state: Mutex::new(State {
                decided,
                ..State::default()
            }),
        }
    }

    /// Which way it goes when it is executed with a table that it was executed
    /// with before, and whether it is to be timed.
    pub(super) fn next(&self, experience: &Experience) -> (Way, bool) {
        let mut state = lock(&self.state);
        if let Some(way) = state.decided {
            return (way, false);
        }
        let votes = experience.votes(self.nodes);
        if !state.is_entered {
            if let Some(way) = votes.verdict() {
                state.decided = Some(way);
                return (way, false);
            }
            if !votes.enter() {
                return (Way::Stream, false);
            }
            state.is_entered = true;
        }
        match state.stream.count < SAMPLES {
            true => (Way::Stream, true),
            false => (Way::Graph, true),
        }
    }

    /// Whether it goes by the stream whatever comes.
    pub(super) fn is_over(&self) -> bool {
        lock(&self.state).decided == Some(Way::Stream)
    }

    /// It took so long. The way that it takes from now on, if that is clear now.
    pub(super) fn learn(&self, experience: &Experience, way: Way, time: Duration) -> Option<Way> {
        let mut state = lock(&self.state);
        match way {
            Way::Stream => state.stream.add(time),
            Way::Graph => state.graph.add(time),
        }
        if state.decided.is_some() || state.graph.count < SAMPLES {
            return None;
        }
        let is_faster = state.graph.best <= state.stream.best;
        let way = if is_faster { Way::Graph } else { Way::Stream };
        state.decided = Some(way);
        self.end(&mut state, experience);
        experience.votes(self.nodes).vote(way);
        Some(way)
    }

    /// It cannot be a graph.
    pub(super) fn give_up(&self, experience: &Experience) {
        let mut state = lock(&self.state);
        state.decided = Some(Way::Stream);
        self.end(&mut state, experience);
    }

    /// The command buffer goes, wherever its trial is.
    pub(super) fn abandon(&self, experience: &Experience) {
        self.end(&mut lock(&self.state), experience);
    }

    fn end(&self, state: &mut State, experience: &Experience) {
        if std::mem::take(&mut state.is_entered) {
            experience.votes(self.nodes).leave();
        }
    }
}

/// The time that one execution takes.
pub(super) struct Sample {
    pub(super) way: Way,
    start: Event,
    stop: Event,
    host: Option<Duration>,
}

impl Sample {
    pub(super) fn new(context: &Context, way: Way) -> hip::Result<Self> {
        Ok(Self {
            way,
            start: Event::with_timing(context)?,
            stop: Event::with_timing(context)?,
            host: None,
        })
    }

    /// Times what `work` issues.
    pub(super) fn take(
        &mut self,
        issue: &Issue<'_>,
        work: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        let is_begun = issue.record(&self.start).is_ok();
        let start = Instant::now();
        work()?;
        let host = start.elapsed();
        // Without both events there is no time, and nothing else is missing.
        if is_begun && issue.record(&self.stop).is_ok() {
            self.host = Some(host);
        }
        Ok(())
    }

    /// How long it took, now that it is complete.
    pub(super) fn time(&self) -> Option<Duration> {
        let host = self.host?;
        let ms = self.stop.elapsed_ms_since(&self.start).ok()?;
        let device = Duration::try_from_secs_f32(ms / 1e3).ok()?;
        Some(host.max(device))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_micros(10);
    const LONG: Duration = Duration::from_micros(30);

    /// Takes a trial to its end, each way taking so long.
    fn try_out(experience: &Experience, nodes: usize, stream: Duration, graph: Duration) -> Trial {
        let trial = Trial::new(nodes);
        for (way, best) in [(Way::Stream, stream), (Way::Graph, graph)] {
            for round in 0..SAMPLES {
                assert_eq!(trial.next(experience), (way, true));
                // Whatever disturbs one of them does not count.
                let time = if round == 1 { best } else { best * 10 };
                trial.learn(experience, way, time);
            }
        }
        trial
    }

    #[test]
    fn the_faster_way_is_taken_from_then_on() {
        let experience = Experience::default();
        let graph = try_out(&experience, 100, LONG, SHORT);
        assert_eq!(graph.next(&experience), (Way::Graph, false));
        assert!(!graph.is_over());
        let stream = try_out(&experience, 100, SHORT, LONG);
        assert_eq!(stream.next(&experience), (Way::Stream, false));
        assert!(stream.is_over());
    }

    #[test]
    fn one_node_is_never_a_graph() {
        let trial = Trial::new(1);
        assert!(trial.is_over());
    }

    #[test]
    fn what_enough_have_found_holds_for_others_of_about_that_length() {
        let experience = Experience::default();
        for _ in 0..VOTES {
            assert_eq!(
                Trial::new(70).next(&experience),
                (Way::Stream, true),
                "it is tried as long as too few agree"
            );
            try_out(&experience, 64, LONG, SHORT);
            experience.votes(70).leave();
        }
        assert_eq!(Trial::new(127).next(&experience), (Way::Graph, false));
        assert_eq!(Trial::new(128).next(&experience), (Way::Stream, true));
        // Where they do not agree everybody finds out.
        try_out(&experience, 20, LONG, SHORT);
        for _ in 0..VOTES {
            try_out(&experience, 20, SHORT, LONG);
        }
        assert!(Trial::new(20).next(&experience).1);
    }

    #[test]
    fn few_are_tried_at_once() {
        let experience = Experience::default();
        let trials = [(); 3].map(|()| Trial::new(50));
        assert!(trials[0].next(&experience).1);
        assert!(trials[1].next(&experience).1);
        assert_eq!(trials[2].next(&experience), (Way::Stream, false));
        trials[0].give_up(&experience);
        assert!(trials[0].is_over());
        assert!(trials[2].next(&experience).1);
        trials[1].abandon(&experience);
        assert!(Trial::new(50).next(&experience).1);
    }
}
