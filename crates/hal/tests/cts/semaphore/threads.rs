//! Semaphores that one thread waits for and another signals.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use hal::{Semaphore, Status, StatusCode, Timeout, Timepoint, WaitMode, wait_timepoints};

use crate::cases;
use crate::frame::{Case, Fixture, Outcome};
use crate::work::{LONG, at, refused};

pub(crate) const CASES: &[Case] = cases![Device:
    wait_later_signaled_beyond,
    wait_all_later_signaled,
    wait_any_later_signaled,
    ping_pong,
    wait_on_the_same_value_multiple_times,
    wait_for_finite_time,
    simultaneous_multi_wait_all,
    wait_then_fail,
    multi_wait_then_fail,
    device_multi_wait_then_fail,
    many_threads_submit,
    released_while_work_waits,
];

/// Long enough that the other thread is waiting; if it is not, the case is
/// easier and still right.
const SHORT: Duration = Duration::from_millis(5);

/// Runs `wait` on another thread, and `act` here while it waits.
fn while_waiting<T: Send>(wait: impl FnOnce() -> T + Send, act: impl FnOnce()) -> T {
    let start = Barrier::new(2);
    thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            start.wait();
            wait()
        });
        start.wait();
        thread::sleep(SHORT);
        act();
        waiter.join().expect("the waiter does not panic")
    })
}

fn wait_later_signaled_beyond(fixture: &Fixture) -> Outcome {
    let semaphore = fixture.semaphore()?;
    while_waiting(
        || semaphore.wait(1, LONG),
        || semaphore.signal(2).expect("it rises"),
    )?;
    assert_eq!(semaphore.query()?, 2);
    Ok(())
}

fn wait_all_later_signaled(fixture: &Fixture) -> Outcome {
    let semaphores = [fixture.semaphore()?, fixture.semaphore()?];
    let points = [
        Timepoint::new(&semaphores[0], 1),
        Timepoint::new(&semaphores[1], 1),
    ];
    while_waiting(
        || wait_timepoints(&points, WaitMode::All, LONG),
        || {
            semaphores[1].signal(1).expect("it rises");
            semaphores[0].signal(5).expect("it rises");
        },
    )?;
    assert_eq!(semaphores[0].query()?, 5);
    Ok(())
}

fn wait_any_later_signaled(fixture: &Fixture) -> Outcome {
    let semaphores = [fixture.semaphore()?, fixture.semaphore()?];
    let points = [
        Timepoint::new(&semaphores[0], 1),
        Timepoint::new(&semaphores[1], 1),
    ];
    while_waiting(
        || wait_timepoints(&points, WaitMode::Any, LONG),
        || semaphores[1].signal(1).expect("it rises"),
    )?;
    assert_eq!(semaphores[0].query()?, 0);
    Ok(())
}

fn ping_pong(fixture: &Fixture) -> Outcome {
    let (there, back) = (fixture.semaphore()?, fixture.semaphore()?);
    thread::scope(|scope| {
        let other = scope.spawn(|| -> hal::Result<()> {
            for round in 1..=100 {
                there.wait(round, LONG)?;
                back.signal(round)?;
            }
            Ok(())
        });
        for round in 1..=100 {
            there.signal(round)?;
            back.wait(round, LONG)?;
        }
        other.join().expect("the other side does not panic")
    })?;
    Ok(())
}

fn wait_on_the_same_value_multiple_times(fixture: &Fixture) -> Outcome {
    let semaphore = fixture.semaphore()?;
    thread::scope(|scope| {
        let waiters: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| semaphore.wait(1, LONG)))
            .collect();
        thread::sleep(SHORT);
        semaphore.signal(1)?;
        waiters
            .into_iter()
            .try_for_each(|waiter| waiter.join().expect("no waiter panics"))
    })?;
    semaphore.wait(1, Timeout::Immediate)?;
    Ok(())
}

fn wait_for_finite_time(fixture: &Fixture) -> Outcome {
    let semaphore = fixture.semaphore()?;
    let begin = Instant::now();
    let waited = semaphore.wait(1, Duration::from_millis(20));
    refused(waited, StatusCode::DeadlineExceeded);
    assert!(begin.elapsed() >= Duration::from_millis(20), "too early");
    let waited = semaphore.wait(1, Timeout::At(begin));
    refused(waited, StatusCode::DeadlineExceeded);
    while_waiting(
        || semaphore.wait(1, LONG),
        || semaphore.signal(1).expect("it rises"),
    )?;
    Ok(())
}

fn simultaneous_multi_wait_all(fixture: &Fixture) -> Outcome {
    let semaphores = (0..4)
        .map(|_| fixture.device.create_semaphore(0))
        .collect::<Result<Vec<Semaphore>, _>>()?;
    thread::scope(|scope| {
        let waiters: Vec<_> = (0..4)
            .map(|first| {
                let semaphores = &semaphores;
                scope.spawn(move || {
                    // Each in another order.
                    let points: Vec<_> = (0..4)
                        .map(|index| Timepoint::new(&semaphores[(first + index) % 4], 1))
                        .collect();
                    wait_timepoints(&points, WaitMode::All, LONG)
                })
            })
            .collect();
        for semaphore in &semaphores {
            thread::yield_now();
            semaphore.signal(1)?;
        }
        waiters
            .into_iter()
            .try_for_each(|waiter| waiter.join().expect("no waiter panics"))
    })?;
    Ok(())
}

fn wait_then_fail(fixture: &Fixture) -> Outcome {
    let semaphore = fixture.semaphore()?;
    let waited = while_waiting(
        || semaphore.wait(1, Timeout::Infinite),
        || semaphore.fail(Status::aborted("not today")),
    );
    refused(waited, StatusCode::Aborted);
    Ok(())
}

fn multi_wait_then_fail(fixture: &Fixture) -> Outcome {
    let semaphores = [fixture.semaphore()?, fixture.semaphore()?];
    let points = [
        Timepoint::new(&semaphores[0], 1),
        Timepoint::new(&semaphores[1], 1),
    ];
    let waited = while_waiting(
        || wait_timepoints(&points, WaitMode::All, Timeout::Infinite),
        || semaphores[1].fail(Status::permission_denied("no")),
    );
    refused(waited, StatusCode::PermissionDenied);
    assert_eq!(semaphores[0].query()?, 0);
    Ok(())
}

/// A queue waits for both, the host for the queue.
fn device_multi_wait_then_fail(fixture: &Fixture) -> Outcome {
    let semaphores = [fixture.semaphore()?, fixture.semaphore()?];
    let waits = [
        Timepoint::new(&semaphores[0], 1),
        Timepoint::new(&semaphores[1], 1),
    ];
    let done = fixture.semaphore()?;
    fixture.queue().barrier(&waits, &at(&done, 1))?;
    let waited = while_waiting(
        || done.wait(1, Timeout::Infinite),
        || semaphores[1].fail(Status::data_loss("gone")),
    );
    refused(waited, StatusCode::DataLoss);
    assert_eq!(semaphores[0].query()?, 0);
    Ok(())
}

fn many_threads_submit(fixture: &Fixture) -> Outcome {
    let buffer = fixture.buffer(4 * 25 * 16, 0)?;
    thread::scope(|scope| {
        let threads: Vec<_> = (0..4_u64)
            .map(|thread| {
                let (device, buffer) = (&fixture.device, &buffer);
                scope.spawn(move || -> hal::Result<()> {
                    let done = device.create_semaphore(0)?;
                    let queue = &device.queues()[thread as usize % 2];
                    for round in 0..25 {
                        let offset = 16 * (25 * thread + round);
                        let target = hal::BufferRef::range(buffer, offset, 16);
                        let value = [(offset / 16) as u8];
                        queue.fill(&[], &at(&done, round + 1), &target, &value)?;
                        if round % 8 == 0 {
                            done.wait(round + 1, LONG)?;
                        }
                    }
                    done.wait(25, LONG)
                })
            })
            .collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().expect("no thread panics"))
    })?;
    let expected: Vec<u8> = (0..100).flat_map(|value| [value; 16]).collect();
    fixture.expect(&buffer, &expected)
}

/// Work that can never run any more says so; work that is under way ends.
fn released_while_work_waits(fixture: &Fixture) -> Outcome {
    let params = fixture.device.params();
    let device = fixture
        .driver
        .create_device_by_id(fixture.info.id, params)?;
    let never = device.create_semaphore(0)?;
    let (parked, done) = (device.create_semaphore(0)?, device.create_semaphore(0)?);
    let local = hal::BufferParams::device_local();
    let buffer = device.allocator().allocate(&local, 1 << 20)?;
    let target = hal::BufferRef::whole(&buffer);
    let queue = &device.queues()[0];
    queue.fill(&at(&never, 1), &at(&parked, 1), &target, &[1])?;
    queue.fill(&[], &at(&done, 1), &target, &[2])?;
    let waited = while_waiting(|| parked.wait(1, LONG), || drop(device));
    refused(waited, StatusCode::Cancelled);
    Ok(done.wait(1, LONG)?)
}
