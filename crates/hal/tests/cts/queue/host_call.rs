//! Host functions in the order of a queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

use hal::{HostCallFlags, Status, StatusCode, Timepoint};

use crate::cases;
use crate::commands::PATIENCE;
use crate::frame::{Case, Fixture, Outcome};

pub(crate) const CASES: &[Case] = cases![Device:
    enqueue_before_signal,
    no_wait_semaphores,
    non_blocking_flag,
    async_callback,
    callback_returns_error,
    callback_returns_error_after_wait,
];

fn enqueue_before_signal(fixture: &Fixture) -> Outcome {
    let (gate, done) = (fixture.semaphore()?, fixture.semaphore()?);
    let called = Arc::new(AtomicBool::new(false));
    let function = {
        let called = called.clone();
        move |_: &hal::Fence| {
            called.store(true, Ordering::Release);
            Ok(())
        }
    };
    fixture.queue().host_call(
        &[Timepoint::new(&gate, 1)],
        &[Timepoint::new(&done, 1)],
        Box::new(function),
        HostCallFlags::empty(),
    )?;
    assert!(!called.load(Ordering::Acquire), "called before the wait");
    gate.signal(1)?;
    done.wait(1, PATIENCE)?;
    assert!(called.load(Ordering::Acquire));
    Ok(())
}

fn no_wait_semaphores(fixture: &Fixture) -> Outcome {
    let (sender, receiver) = mpsc::channel();
    let function = move |_: &hal::Fence| {
        sender
            .send(7)
            .map_err(|_| Status::internal("nobody listens"))
    };
    fixture.submit_and_wait(|queue, signals| {
        queue.host_call(&[], signals, Box::new(function), HostCallFlags::empty())
    })?;
    assert_eq!(receiver.try_recv(), Ok(7));
    Ok(())
}

fn non_blocking_flag(fixture: &Fixture) -> Outcome {
    let (release, held) = mpsc::channel::<()>();
    let (sender, finished) = mpsc::channel();
    let function = move |_: &hal::Fence| {
        let result = held.recv_timeout(PATIENCE);
        sender.send(result.is_ok()).ok();
        Ok(())
    };
    // The signals come while the call is still going on.
    fixture.submit_and_wait(|queue, signals| {
        let flags = HostCallFlags::NON_BLOCKING;
        queue.host_call(&[], signals, Box::new(function), flags)
    })?;
    release.send(()).expect("the call waits for this");
    assert_eq!(finished.recv_timeout(PATIENCE), Ok(true));
    Ok(())
}

fn async_callback(fixture: &Fixture) -> Outcome {
    let done = fixture.semaphore()?;
    let (sender, receiver) = mpsc::channel();
    let function = move |fence: &hal::Fence| {
        sender.send(fence.clone()).ok();
        Err(Status::deferred("signalled later"))
    };
    fixture.queue().host_call(
        &[],
        &[Timepoint::new(&done, 1)],
        Box::new(function),
        HostCallFlags::empty(),
    )?;
    let fence = receiver.recv_timeout(PATIENCE).expect("the call is made");
    assert_eq!(done.query()?, 0);
    fence.signal()?;
    done.wait(1, PATIENCE)?;
    Ok(())
}

/// A call that is not allowed what it wants.
fn denied(_: &hal::Fence) -> hal::Result<()> {
    Err(Status::permission_denied("not you"))
}

fn callback_returns_error(fixture: &Fixture) -> Outcome {
    let result = fixture.submit_and_wait(|queue, signals| {
        queue.host_call(&[], signals, Box::new(denied), HostCallFlags::empty())
    });
    let status = result.expect_err("signalled");
    assert_eq!(status.code(), StatusCode::PermissionDenied);
    fixture.submit_and_wait(|queue, signals| queue.barrier(&[], signals))?;
    Ok(())
}

fn callback_returns_error_after_wait(fixture: &Fixture) -> Outcome {
    let (gate, done) = (fixture.semaphore()?, fixture.semaphore()?);
    fixture.queue().host_call(
        &[Timepoint::new(&gate, 1)],
        &[Timepoint::new(&done, 1)],
        Box::new(denied),
        HostCallFlags::empty(),
    )?;
    assert_eq!(done.query()?, 0);
    gate.signal(1)?;
    let status = done.wait(1, PATIENCE).expect_err("signalled");
    assert_eq!(status.code(), StatusCode::PermissionDenied);
    Ok(())
}
