//! Semaphores as the host sees them.

pub(crate) mod threads;

use std::time::Duration;

use hal::{Fence, Semaphore, Status, StatusCode, Timeout, Timepoint, WaitMode, wait_timepoints};

use crate::cases;
use crate::frame::{Case, Fixture, Outcome};
use crate::work::refused;

pub(crate) const CASES: &[Case] = cases![Device:
    no_op,
    normal_signaling,
    failure,
    empty_wait,
    wait_already_signaled,
    wait_unsignaled,
    wait_all_but_not_all_signaled,
    wait_all_and_all_signaled,
    wait_any_already_signaled,
    wait_any_beside_a_failure,
    fail_then_wait,
    failure_preserves_status_code,
    double_failure_preserves_first,
    signal_after_failure,
    values_only_rise,
    values_have_a_limit,
    fences,
];

fn no_op(fixture: &Fixture) -> Outcome {
    let semaphore = fixture.device.create_semaphore(123)?;
    assert_eq!(semaphore.query()?, 123);
    Ok(())
}

fn normal_signaling(fixture: &Fixture) -> Outcome {
    let semaphore = fixture.device.create_semaphore(2)?;
    assert_eq!(semaphore.query()?, 2);
    semaphore.signal(3)?;
    assert_eq!(semaphore.query()?, 3);
    semaphore.signal(40)?;
    assert_eq!(semaphore.query()?, 40);
    Ok(())
}

/// Asserts that a semaphore has failed with this code, whoever asks.
fn assert_failed(semaphore: &Semaphore, code: StatusCode) {
    refused(semaphore.query(), code);
    assert!(semaphore.payload() >= Semaphore::FAILURE_VALUE);
    for timeout in [Timeout::Immediate, Timeout::Infinite] {
        refused(semaphore.wait(1, timeout), code);
        let points = [Timepoint::new(semaphore, 1)];
        for mode in [WaitMode::All, WaitMode::Any] {
            refused(wait_timepoints(&points, mode, timeout), code);
        }
    }
}

fn failure(fixture: &Fixture) -> Outcome {
    let semaphore = fixture.device.create_semaphore(2)?;
    semaphore.fail(Status::unknown("something went wrong"));
    let status = semaphore.query().expect_err("it failed");
    assert_eq!(status.code(), StatusCode::Unknown);
    assert_eq!(status.message(), "something went wrong");
    assert!(semaphore.payload() >= Semaphore::FAILURE_VALUE);
    Ok(())
}

fn empty_wait(_: &Fixture) -> Outcome {
    for mode in [WaitMode::Any, WaitMode::All] {
        let timeouts = [
            Timeout::Immediate,
            Timeout::Infinite,
            Timeout::after(Duration::from_millis(10)),
        ];
        for timeout in timeouts {
            wait_timepoints(&[], mode, timeout)?;
        }
    }
    Fence::new().wait(Timeout::Infinite)?;
    Ok(())
}

fn wait_already_signaled(fixture: &Fixture) -> Outcome {
    let semaphore = fixture.device.create_semaphore(2)?;
    for value in [0, 1, 2] {
        semaphore.wait(value, Timeout::Immediate)?;
        semaphore.wait(value, Timeout::Infinite)?;
    }
    Ok(())
}

fn wait_unsignaled(fixture: &Fixture) -> Outcome {
    let semaphore = fixture.device.create_semaphore(2)?;
    for timeout in [Timeout::Immediate, Duration::from_millis(2).into()] {
        refused(semaphore.wait(3, timeout), StatusCode::DeadlineExceeded);
    }
    // Being late is no failure of the semaphore.
    assert_eq!(semaphore.query()?, 2);
    Ok(())
}

/// Points of two semaphores at 0 and 1.
fn points(fixture: &Fixture, first: u64, second: u64) -> hal::Result<[Timepoint; 2]> {
    let device = &fixture.device;
    Ok([
        Timepoint::new(&device.create_semaphore(0)?, first),
        Timepoint::new(&device.create_semaphore(1)?, second),
    ])
}

fn wait_all_but_not_all_signaled(fixture: &Fixture) -> Outcome {
    let points = points(fixture, 1, 1)?;
    for timeout in [Timeout::Immediate, Duration::from_millis(2).into()] {
        let waited = wait_timepoints(&points, WaitMode::All, timeout);
        refused(waited, StatusCode::DeadlineExceeded);
    }
    Ok(())
}

fn wait_all_and_all_signaled(fixture: &Fixture) -> Outcome {
    let points = points(fixture, 1, 1)?;
    points[0].semaphore.signal(1)?;
    for timeout in [Timeout::Immediate, Timeout::Infinite] {
        wait_timepoints(&points, WaitMode::All, timeout)?;
    }
    Ok(())
}

fn wait_any_already_signaled(fixture: &Fixture) -> Outcome {
    let points = points(fixture, 1, 1)?;
    for timeout in [Timeout::Immediate, Timeout::Infinite] {
        wait_timepoints(&points, WaitMode::Any, timeout)?;
    }
    Ok(())
}

fn wait_any_beside_a_failure(fixture: &Fixture) -> Outcome {
    let points = points(fixture, 1, 1)?;
    points[0].semaphore.fail(Status::data_loss("lost"));
    wait_timepoints(&points, WaitMode::Any, Timeout::Infinite)?;
    let all = wait_timepoints(&points, WaitMode::All, Timeout::Infinite);
    refused(all, StatusCode::DataLoss);
    Ok(())
}

fn fail_then_wait(fixture: &Fixture) -> Outcome {
    let semaphore = fixture.semaphore()?;
    semaphore.fail(Status::cancelled("given up"));
    assert_failed(&semaphore, StatusCode::Cancelled);
    Ok(())
}

fn failure_preserves_status_code(fixture: &Fixture) -> Outcome {
    for &code in StatusCode::ALL {
        let semaphore = fixture.semaphore()?;
        semaphore.fail(Status::new(code, "lost"));
        assert_failed(&semaphore, code);
    }
    Ok(())
}

fn double_failure_preserves_first(fixture: &Fixture) -> Outcome {
    let semaphore = fixture.semaphore()?;
    semaphore.fail(Status::data_loss("first"));
    semaphore.fail(Status::cancelled("second"));
    assert_failed(&semaphore, StatusCode::DataLoss);
    assert_eq!(semaphore.query().expect_err("it failed").message(), "first");
    Ok(())
}

fn signal_after_failure(fixture: &Fixture) -> Outcome {
    let semaphore = fixture.semaphore()?;
    semaphore.fail(Status::data_loss("lost"));
    refused(semaphore.signal(1), StatusCode::DataLoss);
    assert_failed(&semaphore, StatusCode::DataLoss);
    Ok(())
}

fn values_only_rise(fixture: &Fixture) -> Outcome {
    let semaphore = fixture.device.create_semaphore(5)?;
    for value in [0, 4, 5] {
        refused(semaphore.signal(value), StatusCode::OutOfRange);
        let signals = [Timepoint::new(&semaphore, value)];
        let submitted = fixture.queue().barrier(&[], &signals);
        refused(submitted, StatusCode::OutOfRange);
    }
    assert_eq!(semaphore.query()?, 5);
    Ok(())
}

fn values_have_a_limit(fixture: &Fixture) -> Outcome {
    let most = Semaphore::MAX_VALUE;
    let semaphore = fixture.semaphore()?;
    for value in [most + 1, u64::MAX] {
        refused(semaphore.signal(value), StatusCode::OutOfRange);
        refused(
            semaphore.wait(value, Timeout::Immediate),
            StatusCode::OutOfRange,
        );
        let created = fixture.device.create_semaphore(value);
        refused(created, StatusCode::OutOfRange);
        let points = [Timepoint::new(&semaphore, value)];
        let waited = fixture.queue().barrier(&points, &[]);
        refused(waited, StatusCode::OutOfRange);
        let signalled = fixture.queue().barrier(&[], &points);
        refused(signalled, StatusCode::OutOfRange);
    }
    semaphore.signal(most)?;
    assert_eq!(semaphore.query()?, most);
    fixture.device.create_semaphore(most)?;
    Ok(())
}

fn fences(fixture: &Fixture) -> Outcome {
    let [first, second] = [fixture.semaphore()?, fixture.semaphore()?];
    let mut fence = Fence::at(&first, 1);
    fence.insert(&second, 2);
    fence.insert(&first, 3);
    let fence = Fence::join([&fence, &Fence::at(&second, 1)]);
    assert_eq!(fence.len(), 2);
    assert!(!fence.query()?);
    refused(fence.wait(Timeout::Immediate), StatusCode::DeadlineExceeded);
    fence.signal()?;
    assert_eq!((first.query()?, second.query()?), (3, 2));
    assert!(fence.query()?);
    fence.wait(Timeout::Immediate)?;
    fence.fail(&Status::aborted("too late"));
    refused(fence.query(), StatusCode::Aborted);
    Ok(())
}
