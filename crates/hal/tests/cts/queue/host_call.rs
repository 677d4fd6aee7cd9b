//! Host functions in the order of a queue.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use hal::{BufferRef, Fence, HostCallFlags, Status, StatusCode};

use crate::cases;
use crate::frame::{Case, Fixture, Outcome};
use crate::work::{LONG, at, refused};

pub(crate) const CASES: &[Case] = cases![Device:
    enqueue_before_signal,
    no_wait_semaphores,
    non_blocking_flag,
    async_callback,
    callback_returns_error,
    callback_returns_error_after_wait,
    failed_wait_is_no_call,
    between_work_of_the_device,
    calls_that_submit,
];

/// A count, and a function that raises it.
fn counter() -> (Arc<AtomicU64>, hal::HostFunction) {
    let calls = Arc::new(AtomicU64::new(0));
    let raise = calls.clone();
    let function = Box::new(move |_: &Fence| {
        raise.fetch_add(1, Ordering::AcqRel);
        Ok(())
    });
    (calls, function)
}

fn enqueue_before_signal(fixture: &Fixture) -> Outcome {
    let (gate, done) = (fixture.semaphore()?, fixture.semaphore()?);
    let (calls, function) = counter();
    let flags = HostCallFlags::empty();
    let queue = fixture.queue();
    queue.host_call(&at(&gate, 1), &at(&done, 1), function, flags)?;
    // Were it called now, this would give it the time.
    thread::yield_now();
    assert_eq!(calls.load(Ordering::Acquire), 0);
    assert_eq!(done.query()?, 0);
    gate.signal(1)?;
    fixture.wait(&done, 1)?;
    assert_eq!(calls.load(Ordering::Acquire), 1);
    Ok(())
}

fn no_wait_semaphores(fixture: &Fixture) -> Outcome {
    let done = fixture.semaphore()?;
    let (calls, function) = counter();
    let flags = HostCallFlags::empty();
    fixture
        .queue()
        .host_call(&[], &at(&done, 1), function, flags)?;
    fixture.wait(&done, 1)?;
    assert_eq!(calls.load(Ordering::Acquire), 1);
    Ok(())
}

/// The signals do not wait for the call to end.
fn non_blocking_flag(fixture: &Fixture) -> Outcome {
    let done = fixture.semaphore()?;
    let (release, released) = mpsc::channel();
    let (report, reported) = mpsc::channel();
    let function = Box::new(move |_: &Fence| {
        let _ = released.recv_timeout(LONG);
        let _ = report.send(());
        Err(Status::unknown("nobody hears this"))
    });
    let flags = HostCallFlags::NON_BLOCKING;
    fixture
        .queue()
        .host_call(&[], &at(&done, 1), function, flags)?;
    fixture.wait(&done, 1)?;
    release.send(()).expect("the call waits for it");
    reported.recv_timeout(LONG).expect("it was called");
    assert_eq!(done.query()?, 1);
    Ok(())
}

/// The function returns at once and signals later.
fn async_callback(fixture: &Fixture) -> Outcome {
    let done = fixture.semaphore()?;
    let (hand_over, handed_over) = mpsc::channel();
    let function = Box::new(move |fence: &Fence| {
        hand_over.send(fence.clone()).expect("somebody listens");
        Err(Status::deferred("later"))
    });
    let flags = HostCallFlags::empty();
    fixture
        .queue()
        .host_call(&[], &at(&done, 1), function, flags)?;
    let fence = handed_over.recv_timeout(LONG).expect("it was called");
    assert_eq!(done.query()?, 0);
    fence.signal()?;
    fixture.wait(&done, 1)
}

fn fails(fixture: &Fixture, has_wait: bool) -> Outcome {
    let (gate, done) = (fixture.semaphore()?, fixture.semaphore()?);
    let waits = if has_wait {
        at(&gate, 1).to_vec()
    } else {
        vec![]
    };
    let function = Box::new(|_: &Fence| Err(Status::permission_denied("not you")));
    let flags = HostCallFlags::empty();
    fixture
        .queue()
        .host_call(&waits, &at(&done, 1), function, flags)?;
    // What depends on it fails alike.
    let behind = fixture.semaphore()?;
    fixture.queue().barrier(&at(&done, 1), &at(&behind, 1))?;
    gate.signal(1)?;
    for semaphore in [&done, &behind] {
        let status = semaphore.wait(1, LONG).expect_err("it fails");
        assert_eq!(status.code(), StatusCode::PermissionDenied);
        assert_eq!(status.message(), "not you");
    }
    Ok(())
}

fn callback_returns_error(fixture: &Fixture) -> Outcome {
    fails(fixture, false)
}

fn callback_returns_error_after_wait(fixture: &Fixture) -> Outcome {
    fails(fixture, true)
}

fn failed_wait_is_no_call(fixture: &Fixture) -> Outcome {
    let (gate, done) = (fixture.semaphore()?, fixture.semaphore()?);
    let (calls, function) = counter();
    let flags = HostCallFlags::empty();
    fixture
        .queue()
        .host_call(&at(&gate, 1), &at(&done, 1), function, flags)?;
    gate.fail(Status::cancelled("never mind"));
    refused(done.wait(1, LONG), StatusCode::Cancelled);
    assert_eq!(calls.load(Ordering::Acquire), 0);
    Ok(())
}

/// It sees what the device has written, and the device what it writes.
fn between_work_of_the_device(fixture: &Fixture) -> Outcome {
    let steps = fixture.semaphore()?;
    let shared = fixture.host_buffer(64, 0)?;
    let output = fixture.buffer(64, 0)?;
    let queue = fixture.queue();
    queue.fill(&[], &at(&steps, 1), &BufferRef::whole(&shared), &[1])?;
    let seen = Arc::new(Mutex::new(vec![0; 64]));
    let function = {
        let (shared, seen) = (shared.clone(), seen.clone());
        Box::new(move |_: &Fence| {
            shared.map_read(0, &mut seen.lock().expect("nobody panics"))?;
            shared.map_write(32, &[2; 32])
        })
    };
    let flags = HostCallFlags::empty();
    queue.host_call(&at(&steps, 1), &at(&steps, 2), function, flags)?;
    let (source, target) = (BufferRef::whole(&shared), BufferRef::whole(&output));
    queue.copy(&at(&steps, 2), &at(&steps, 3), &source, &target)?;
    fixture.wait(&steps, 3)?;
    if fixture.computes() {
        assert_eq!(*seen.lock().expect("nobody panics"), [1; 64]);
    }
    let mut expected = vec![1; 64];
    expected[32..].fill(2);
    fixture.expect(&output, &expected)
}

/// A host function may itself submit, to the queue that calls it too.
fn calls_that_submit(fixture: &Fixture) -> Outcome {
    let (done, later) = (fixture.semaphore()?, fixture.semaphore()?);
    let output = fixture.buffer(16, 0)?;
    let function = {
        let (queue, later, output) = (fixture.queue().clone(), later.clone(), output.clone());
        Box::new(move |_: &Fence| {
            let target = BufferRef::whole(&output);
            queue.fill(&[], &at(&later, 1), &target, &[8])?;
            later.wait(1, LONG)
        })
    };
    let flags = HostCallFlags::empty();
    fixture
        .queue()
        .host_call(&[], &at(&done, 1), function, flags)?;
    fixture.wait(&done, 1)?;
    assert_eq!(later.query()?, 1);
    fixture.expect(&output, &[8; 16])
}
