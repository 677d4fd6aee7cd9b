//! Semaphores as the host sees them.

pub(crate) mod threads;

use std::time::{Duration, Instant};

use hal::{Semaphore, Status, StatusCode, Timeout, Timepoint, WaitMode, wait_timepoints};

use crate::cases;
use crate::commands::PATIENCE;
use crate::frame::{Case, Fixture, Outcome};

pub(crate) const CASES: &[Case] = cases![Device:
    no_op,
    normal_signaling,
    values_only_rise,
    failure,
    empty_wait,
    wait_already_signaled,
    wait_unsignaled,
    wait_all_but_not_all_signaled,
    wait_all_and_all_signaled,
    wait_any_already_signaled,
    wait_for_finite_time,
    fail_then_wait,
    failure_preserves_status_code,
    double_failure_preserves_first,
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

fn values_only_rise(fixture: &Fixture) -> Outcome {
    let semaphore = fixture.device.create_semaphore(5)?;
    for value in [0, 4, 5, Semaphore::MAX_VALUE + 1, u64::MAX] {
        let status = semaphore.signal(value).expect_err("signalled");
        assert_eq!(status.code(), StatusCode::OutOfRange, "{value}");
    }
    semaphore.signal(Semaphore::MAX_VALUE)?;
    assert_eq!(semaphore.query()?, Semaphore::MAX_VALUE);
    let status = fixture.device.create_semaphore(Semaphore::MAX_VALUE + 1);
    let status = status.expect_err("a semaphore beyond the highest value");
    assert_eq!(status.code(), StatusCode::OutOfRange);
    Ok(())
}

fn failure(fixture: &Fixture) -> Outcome {
    let semaphore = fixture.device.create_semaphore(2)?;
    semaphore.signal(3)?;
    semaphore.fail(Status::unknown("on purpose"));
    let status = semaphore.query().expect_err("a failed semaphore's value");
    assert_eq!(status.code(), StatusCode::Unknown);
    assert!(semaphore.payload() >= Semaphore::FAILURE_VALUE);
    let status = semaphore.signal(4).expect_err("signalled after failing");
    assert_eq!(status.code(), StatusCode::Unknown);
    Ok(())
}

fn empty_wait(_: &Fixture) -> Outcome {
    for mode in [WaitMode::Any, WaitMode::All] {
        wait_timepoints(&[], mode, Timeout::Immediate)?;
        wait_timepoints(&[], mode, Timeout::At(Instant::now()))?;
        wait_timepoints(&[], mode, Duration::from_millis(1))?;
        wait_timepoints(&[], mode, Timeout::Infinite)?;
    }
    Ok(())
}

fn wait_already_signaled(fixture: &Fixture) -> Outcome {
    let semaphore = fixture.device.create_semaphore(2)?;
    semaphore.wait(1, Timeout::Immediate)?;
    semaphore.wait(2, Timeout::Infinite)?;
    Ok(())
}

fn wait_unsignaled(fixture: &Fixture) -> Outcome {
    let semaphore = fixture.device.create_semaphore(2)?;
    let status = semaphore
        .wait(3, Timeout::Immediate)
        .expect_err("reached what nobody signalled");
    assert_eq!(status.code(), StatusCode::DeadlineExceeded);
    assert_eq!(semaphore.query()?, 2);
    Ok(())
}

fn wait_all_but_not_all_signaled(fixture: &Fixture) -> Outcome {
    let a = fixture.device.create_semaphore(0)?;
    let b = fixture.device.create_semaphore(1)?;
    let points = [Timepoint::new(&a, 1), Timepoint::new(&b, 1)];
    for timeout in [Timeout::Immediate, Timeout::after(Duration::from_millis(5))] {
        let status = wait_timepoints(&points, WaitMode::All, timeout)
            .expect_err("all were reached, but one was not");
        assert_eq!(status.code(), StatusCode::DeadlineExceeded);
    }
    Ok(())
}

fn wait_all_and_all_signaled(fixture: &Fixture) -> Outcome {
    let a = fixture.device.create_semaphore(1)?;
    let b = fixture.device.create_semaphore(0)?;
    b.signal(7)?;
    let points = [Timepoint::new(&a, 1), Timepoint::new(&b, 2)];
    wait_timepoints(&points, WaitMode::All, Timeout::Immediate)?;
    Ok(())
}

fn wait_any_already_signaled(fixture: &Fixture) -> Outcome {
    let a = fixture.device.create_semaphore(0)?;
    let b = fixture.device.create_semaphore(1)?;
    let points = [Timepoint::new(&a, 1), Timepoint::new(&b, 1)];
    wait_timepoints(&points, WaitMode::Any, Timeout::Immediate)?;
    Ok(())
}

fn wait_for_finite_time(fixture: &Fixture) -> Outcome {
    let semaphore = fixture.device.create_semaphore(0)?;
    let time = Duration::from_millis(20);
    let begin = Instant::now();
    let status = semaphore.wait(1, time).expect_err("reached");
    assert_eq!(status.code(), StatusCode::DeadlineExceeded);
    assert!(begin.elapsed() >= time, "gave up early");
    semaphore.signal(1)?;
    semaphore.wait(1, time)?;
    Ok(())
}

fn fail_then_wait(fixture: &Fixture) -> Outcome {
    let semaphore = fixture.device.create_semaphore(0)?;
    semaphore.fail(Status::cancelled("not needed any more"));
    let status = semaphore.wait(1, PATIENCE).expect_err("reached");
    assert_eq!(status.code(), StatusCode::Cancelled, "{status:#}");
    let status = semaphore.query().expect_err("a value");
    assert_eq!(status.code(), StatusCode::Cancelled);
    assert!(semaphore.payload() >= Semaphore::FAILURE_VALUE);
    Ok(())
}

fn failure_preserves_status_code(fixture: &Fixture) -> Outcome {
    let semaphore = fixture.device.create_semaphore(0)?;
    semaphore.fail(Status::data_loss("the block cannot be read"));
    let status = semaphore.wait(1, PATIENCE).expect_err("reached");
    assert_eq!(status.code(), StatusCode::DataLoss);
    assert!(format!("{status:#}").contains("the block cannot be read"));
    Ok(())
}

fn double_failure_preserves_first(fixture: &Fixture) -> Outcome {
    let semaphore = fixture.device.create_semaphore(0)?;
    semaphore.fail(Status::data_loss("first"));
    semaphore.fail(Status::cancelled("second"));
    let status = semaphore.query().expect_err("a value");
    assert_eq!(status.code(), StatusCode::DataLoss);
    Ok(())
}
