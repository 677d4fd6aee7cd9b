//! Semaphores between threads.

use std::thread;
use std::time::Duration;

use hal::{Semaphore, Status, StatusCode, Timepoint, WaitMode, wait_timepoints};

use crate::cases;
use crate::commands::PATIENCE;
use crate::frame::{Case, Fixture, Outcome};

pub(crate) const CASES: &[Case] = cases![Device:
    wait_later_signaled_beyond,
    wait_any_later_signaled,
    ping_pong,
    wait_on_the_same_value_multiple_times,
    simultaneous_multi_wait_all,
    wait_then_fail,
    multi_wait_then_fail,
    device_multi_wait_then_fail,
];

/// Time for another thread to fall asleep in a wait. What is tested holds
/// without it too; with it the wait is a real one.
fn let_them_sleep() {
    thread::sleep(Duration::from_millis(10));
}

/// Runs `wait` on another thread and `act` here; the result of `wait`.
fn meanwhile(wait: impl FnOnce() -> hal::Result<()> + Send, act: impl FnOnce()) -> hal::Result<()> {
    thread::scope(|scope| {
        let waiter = scope.spawn(wait);
        let_them_sleep();
        act();
        waiter.join().expect("the waiter does not panic")
    })
}

fn wait_later_signaled_beyond(fixture: &Fixture) -> Outcome {
    let semaphore = fixture.semaphore()?;
    meanwhile(
        || semaphore.wait(1, PATIENCE),
        || semaphore.signal(2).expect("2 is above 0"),
    )?;
    Ok(())
}

fn wait_any_later_signaled(fixture: &Fixture) -> Outcome {
    let (a, b) = (fixture.semaphore()?, fixture.semaphore()?);
    let points = [Timepoint::new(&a, 1), Timepoint::new(&b, 1)];
    meanwhile(
        || wait_timepoints(&points, WaitMode::Any, PATIENCE),
        || b.signal(1).expect("1 is above 0"),
    )?;
    assert_eq!(a.query()?, 0);
    Ok(())
}

fn ping_pong(fixture: &Fixture) -> Outcome {
    const ROUNDS: u64 = 200;
    let (ping, pong) = (fixture.semaphore()?, fixture.semaphore()?);
    thread::scope(|scope| {
        let other = scope.spawn(|| -> hal::Result<()> {
            for round in 1..=ROUNDS {
                ping.wait(round, PATIENCE)?;
                pong.signal(round)?;
            }
            Ok(())
        });
        for round in 1..=ROUNDS {
            ping.signal(round)?;
            pong.wait(round, PATIENCE)?;
        }
        other.join().expect("the other side does not panic")
    })?;
    assert_eq!((ping.query()?, pong.query()?), (ROUNDS, ROUNDS));
    Ok(())
}

fn wait_on_the_same_value_multiple_times(fixture: &Fixture) -> Outcome {
    let semaphore = fixture.semaphore()?;
    thread::scope(|scope| {
        let waiters: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| semaphore.wait(1, PATIENCE)))
            .collect();
        let_them_sleep();
        semaphore.signal(1)?;
        let mut results = waiters.into_iter().map(|waiter| waiter.join());
        results.try_for_each(|result| result.expect("no panic"))
    })?;
    Ok(())
}

fn simultaneous_multi_wait_all(fixture: &Fixture) -> Outcome {
    let semaphores: Vec<Semaphore> = (0..4)
        .map(|_| fixture.semaphore())
        .collect::<hal::Result<_>>()?;
    let points: Vec<_> = semaphores
        .iter()
        .map(|semaphore| Timepoint::new(semaphore, 1))
        .collect();
    thread::scope(|scope| {
        let waiters: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| wait_timepoints(&points, WaitMode::All, PATIENCE)))
            .collect();
        for semaphore in &semaphores {
            let_them_sleep();
            semaphore.signal(1)?;
        }
        let mut results = waiters.into_iter().map(|waiter| waiter.join());
        results.try_for_each(|result| result.expect("no panic"))
    })?;
    Ok(())
}

fn wait_then_fail(fixture: &Fixture) -> Outcome {
    let semaphore = fixture.semaphore()?;
    let result = meanwhile(
        || semaphore.wait(1, PATIENCE),
        || semaphore.fail(Status::data_loss("gone")),
    );
    let status = result.expect_err("reached");
    assert_eq!(status.code(), StatusCode::DataLoss);
    Ok(())
}

fn multi_wait_then_fail(fixture: &Fixture) -> Outcome {
    for mode in [WaitMode::All, WaitMode::Any] {
        let (a, b) = (fixture.semaphore()?, fixture.semaphore()?);
        let points = [Timepoint::new(&a, 1), Timepoint::new(&b, 1)];
        let result = meanwhile(
            || wait_timepoints(&points, mode, PATIENCE),
            || b.fail(Status::cancelled("gone")),
        );
        let status = result.expect_err("reached");
        assert_eq!(status.code(), StatusCode::Cancelled, "{mode:?}");
    }
    Ok(())
}

fn device_multi_wait_then_fail(fixture: &Fixture) -> Outcome {
    let (gate, done, other) = (
        fixture.semaphore()?,
        fixture.semaphore()?,
        fixture.semaphore()?,
    );
    let signals = [Timepoint::new(&done, 1)];
    fixture
        .queue()
        .barrier(&[Timepoint::new(&gate, 1)], &signals)?;
    let points = [Timepoint::new(&done, 1), Timepoint::new(&other, 1)];
    let result = meanwhile(
        || wait_timepoints(&points, WaitMode::All, PATIENCE),
        || gate.fail(Status::data_loss("never comes")),
    );
    let status = result.expect_err("reached");
    assert_eq!(status.code(), StatusCode::DataLoss);
    Ok(())
}
