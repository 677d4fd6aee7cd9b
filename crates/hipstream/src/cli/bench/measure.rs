//! Timing calls.

use std::time::{Duration, Instant};

use profile::{Activity, Profiler, Totals};
use serde::{Serialize, Serializer};

use super::Function;
use super::memory::{Growth, Memory};
use super::statistics::Statistics;
use crate::Session;
use crate::cli::report::Failure;

/// How many calls are made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    /// Before the timed ones.
    pub(super) warmup: usize,
    /// Timed, at least.
    pub(super) repetitions: usize,
    /// How long timing goes on, at least.
    pub(super) min_time: Duration,
    /// Watched, after the timed ones.
    pub(super) profiled: usize,
}

/// What calls of a function took.
pub(super) struct Measured {
    pub(super) name: String,
    pub(super) inputs: Vec<String>,
    pub(super) calls: u64,
    /// Of all timed calls together.
    pub(super) total: Duration,
    pub(super) host: Statistics,
    pub(super) memory: Growth,
}

/// Times calls, from the arguments on the device until the results are there
/// and are dropped again.
pub(super) fn time(
    session: &mut Session,
    function: &Function,
    plan: &Plan,
) -> Result<Measured, Failure> {
    for _ in 0..plan.warmup {
        call(session, function)?;
    }
    // Room for them is made, and touched, before memory is looked at.
    let mut times = vec![u64::MAX; plan.repetitions];
    times.clear();
    let before = Memory::now(session)?;
    let begun = Instant::now();
    let mut total = Duration::ZERO;
    while times.len() < plan.repetitions || begun.elapsed() < plan.min_time {
        let time = call(session, function)?;
        total += time;
        times.push(time.as_nanos() as u64);
    }
    let memory = before.growth_to(Memory::now(session)?);
    Ok(Measured {
        name: function.name.clone(),
        inputs: function.inputs.clone(),
        calls: times.len() as u64,
        total,
        host: Statistics::of(&mut times),
        memory,
    })
}

/// What a call spends its time on.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Split {
    /// How many calls were watched.
    pub(super) calls: usize,
    /// All of the host's activities but what watching costs.
    pub(super) total_ns: f64,
    /// By activity of the host, as [`Activity::ALL`] has them.
    #[serde(serialize_with = "by_word")]
    pub(super) host_ns: Vec<(Activity, f64)>,
    /// How long queues were busy, all together.
    pub(super) device_ns: f64,
    /// Pieces of work for them.
    pub(super) device_commands: f64,
    /// Of the device, call by call; none if it has no times.
    #[serde(skip)]
    pub(super) device_statistics: Option<Statistics>,
}

fn by_word<S: Serializer>(host: &[(Activity, f64)], to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(host.iter().map(|(activity, ns)| (activity.word(), ns)))
}

/// Calls a function while `profiler` watches. The split is the mean of the
/// middle half of the calls, by their time: it adds up, and what disturbed
/// some calls is not in it.
pub(super) fn split(
    session: &mut Session,
    function: &Function,
    plan: &Plan,
    profiler: &Profiler,
) -> Result<Split, Failure> {
    for _ in 0..plan.warmup {
        call(session, function)?;
    }
    settle(session);
    let mut calls = Vec::with_capacity(plan.profiled);
    for _ in 0..plan.profiled {
        let before = profiler.totals();
        call(session, function)?;
        settle(session);
        calls.push(profiler.totals() - before);
    }
    let mut device: Vec<_> = calls.iter().map(|call| call.device_ns).collect();
    let device_statistics = Statistics::of(&mut device);
    calls.sort_by_key(Totals::call_ns);
    let quarter = calls.len() / 4;
    let middle = &calls[quarter..calls.len() - quarter];
    let mean = |value: &dyn Fn(&Totals) -> u64| {
        middle.iter().map(value).sum::<u64>() as f64 / middle.len() as f64
    };
    Ok(Split {
        calls: calls.len(),
        host_ns: Activity::ALL
            .iter()
            .map(|&activity| (activity, mean(&|call| call.host_ns(activity))))
            .collect(),
        total_ns: mean(&Totals::call_ns),
        device_ns: mean(&|call| call.device_ns),
        device_commands: mean(&|call| call.device_work),
        device_statistics: (device_statistics.max > 0.0).then_some(device_statistics),
    })
}

fn call(session: &mut Session, function: &Function) -> Result<Duration, Failure> {
    let begun = Instant::now();
    let results = session.call(&function.name, &function.arguments);
    drop(results.map_err(|error| Failure::calling(&error))?);
    Ok(begun.elapsed())
}

/// Waits for work that no result depends on.
fn settle(session: &Session) {
    for device in session.devices() {
        device.queues().iter().for_each(hal::Queue::wait_idle);
    }
}
