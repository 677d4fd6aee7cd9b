//! Launches that are put off, where another thread makes them: the software
//! provider says that they take long.

use std::path::Path;
use std::sync::Arc;

use hip::{
    Api, Code, Context, Device, DeviceMemory, Dim3, Event, FaultPlan, Function, LaunchConfig,
    Module, Result, SoftwareOptions, Stream,
};

/// Launches that become one, and how often before they do.
const FULL: usize = 16;
const ROUNDS: usize = 12;

const ONE: LaunchConfig = LaunchConfig {
    grid: Dim3 { x: 1, y: 1, z: 1 },
    block: Dim3 { x: 1, y: 1, z: 1 },
    shared_memory_bytes: 0,
};

fn software() -> Arc<dyn Api> {
    hip::software(SoftwareOptions {
        workers: Some(1),
        memory_bytes: 64 << 20,
        ..SoftwareOptions::default()
    })
}

/// Two floats that many kernels hand on, each behind the one before.
struct Relay {
    stream: Stream,
    kernel: Function,
    places: Vec<DeviceMemory>,
}

impl Relay {
    fn new(api: &Arc<dyn Api>) -> Result<Self> {
        let context = Context::new(&Device::enumerate(api)?[0])?;
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/gfx1100/abs.hsaco");
        let file = std::fs::read(file).expect("the fixture is there");
        // SAFETY: our own fixture, run by the software GPU, which checks every access.
        let module = unsafe { Module::load(&context, &file)? };
        let place = |_| {
            let memory = DeviceMemory::new(&context, 8)?;
            memory.write(0, &[0; 8]).map(|()| memory)
        };
        let places: Vec<_> = (0..=FULL * ROUNDS).map(place).collect::<Result<_>>()?;
        places[0].write(
            0,
            &[(-2.5_f32).to_le_bytes(), 1.25_f32.to_le_bytes()].concat(),
        )?;
        Ok(Self {
            stream: Stream::new(&context)?,
            kernel: module.function("abs")?,
            places,
        })
    }

    /// The kernels of one round, put off.
    fn put_off(&self, round: usize) -> Result<()> {
        let issue = self.stream.issue()?;
        for at in round * FULL..(round + 1) * FULL {
            let [from, to] = [at, at + 1].map(|at| self.places[at].device_ptr().0.to_le_bytes());
            issue.launch_later(&self.kernel, &ONE, &[from, to].concat(), at as u64)?;
        }
        Ok(())
    }

    /// Puts off all rounds, each with an event behind it.
    fn put_off_all(&self) -> Result<Vec<Event>> {
        let round = |round| {
            self.put_off(round)?;
            let event = Event::new(self.stream.context())?;
            self.stream.issue()?.record_later(&event).map(|()| event)
        };
        (0..ROUNDS).map(round).collect()
    }

    fn at(&self, place: usize) -> Result<[f32; 2]> {
        let mut bytes = [0; 8];
        self.places[place].read(0, &mut bytes)?;
        let float = |at: usize| f32::from_le_bytes(bytes[at..at + 4].try_into().expect("four"));
        Ok([float(0), float(4)])
    }
}

#[test]
fn events_come_behind_what_was_put_off_before_them() -> Result<()> {
    let plan = FaultPlan::counting();
    let relay = Relay::new(&hip::faulty(software(), &plan))?;
    let events = relay.put_off_all()?;
    for (round, event) in events.iter().enumerate() {
        event.synchronize()?;
        assert_eq!(relay.at((round + 1) * FULL)?, [2.5, 1.25], "round {round}");
    }
    // The fourth time there are enough they go as one, and ever after.
    assert_eq!(plan.calls_of("hipModuleLaunchKernel"), 3 * FULL as u64);
    assert_eq!(plan.calls_of("hipGraphLaunch"), ROUNDS as u64 - 3);
    assert_eq!(plan.calls_of("hipEventRecord"), ROUNDS as u64);
    drop((relay, events));
    assert_eq!(plan.live(), 0);
    Ok(())
}

#[test]
fn other_streams_wait_for_events_still_to_be_recorded() -> Result<()> {
    let relay = Relay::new(&software())?;
    let events = relay.put_off_all()?;
    let other = Stream::new(relay.stream.context())?;
    let copy = DeviceMemory::new(relay.stream.context(), 8)?;
    let issue = other.issue()?;
    issue.wait(&events[ROUNDS - 1])?;
    let last = relay.places[FULL * ROUNDS].device_ptr();
    issue.copy(copy.device_ptr(), last, 8, hip::MemcpyKind::DeviceToDevice)?;
    drop(issue);
    other.synchronize()?;
    let mut bytes = [0; 8];
    copy.read(0, &mut bytes)?;
    assert_eq!(bytes[..4], 2.5_f32.to_le_bytes());
    Ok(())
}

/// Events polled while another thread records them are either still to pass
/// or stand for all before them.
#[test]
fn polling_never_sees_an_event_pass_early() -> Result<()> {
    for _ in 0..20 {
        let relay = Relay::new(&software())?;
        for round in 0..ROUNDS {
            relay.put_off(round)?;
            let event = Event::new(relay.stream.context())?;
            relay.stream.issue()?.record_later(&event)?;
            while !event.query()? {
                std::thread::yield_now();
            }
            assert_eq!(relay.at((round + 1) * FULL)?, [2.5, 1.25], "round {round}");
        }
    }
    Ok(())
}

#[test]
fn a_stream_that_goes_leaves_nobody_waiting() -> Result<()> {
    for rounds in 1..=ROUNDS {
        let plan = FaultPlan::counting();
        let relay = Relay::new(&hip::faulty(software(), &plan))?;
        let mut events = Vec::new();
        for round in 0..rounds {
            relay.put_off(round)?;
            let event = Event::new(relay.stream.context())?;
            relay.stream.issue()?.record_later(&event)?;
            events.push(event);
        }
        drop(relay);
        for event in &events {
            // Recorded and run, or given up with the stream.
            if let Err(error) = event.synchronize() {
                assert_eq!(error.code, Code::NOT_READY, "{error}");
            }
        }
        drop(events);
        assert_eq!(plan.live(), 0, "after {rounds} rounds");
    }
    Ok(())
}
