use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::*;
use crate::{Fence, StatusCode};

const LONG: Duration = Duration::from_secs(20);

fn code(result: Result<()>) -> StatusCode {
    result.unwrap_err().code()
}

#[test]
fn starts_where_it_is_told() {
    assert_eq!(Semaphore::new(123).unwrap().query().unwrap(), 123);
    assert!(Semaphore::new(Semaphore::MAX_VALUE).is_ok());
    let status = Semaphore::new(Semaphore::FAILURE_VALUE).unwrap_err();
    assert_eq!(status.code(), StatusCode::OutOfRange);
}

#[test]
fn only_rises_and_only_to_the_highest() {
    let semaphore = Semaphore::new(2).unwrap();
    semaphore.signal(3).unwrap();
    semaphore.signal(40).unwrap();
    assert_eq!(code(semaphore.signal(40)), StatusCode::OutOfRange);
    assert_eq!(code(semaphore.signal(39)), StatusCode::OutOfRange);
    assert_eq!(semaphore.query().unwrap(), 40);
    assert_eq!(
        code(semaphore.signal((1 << 31) - 1)),
        StatusCode::OutOfRange
    );
    semaphore.signal((1 << 31) - 2).unwrap();
    assert_eq!(semaphore.query().unwrap(), (1 << 31) - 2);
}

#[test]
fn a_wait_for_an_impossible_value_is_refused() {
    let semaphore = Semaphore::new(0).unwrap();
    assert_eq!(
        code(semaphore.wait(1 << 31, Timeout::Infinite)),
        StatusCode::OutOfRange
    );
}

#[test]
fn the_first_failure_is_kept_as_it_was() {
    let semaphore = Semaphore::new(0).unwrap();
    let first = Status::data_loss("the first");
    semaphore.fail(first.clone());
    semaphore.fail(Status::unknown("the second"));
    assert!(semaphore.query().unwrap_err().ptr_eq(&first));
    assert_eq!(semaphore.payload(), Semaphore::FAILURE_VALUE);
    assert!(semaphore.wait(1, LONG).unwrap_err().ptr_eq(&first));
    assert!(semaphore.signal(5).unwrap_err().ptr_eq(&first));
}

#[test]
fn nothing_to_wait_for_is_success() {
    for mode in [WaitMode::All, WaitMode::Any] {
        wait_timepoints(&[], mode, Timeout::Immediate).unwrap();
        wait_timepoints(&[], mode, LONG).unwrap();
        wait_timepoints(&[], mode, Timeout::Infinite).unwrap();
    }
}

#[test]
fn an_unsignalled_wait_runs_out_of_time() {
    let semaphore = Semaphore::new(1).unwrap();
    let status = semaphore.wait(2, Timeout::Immediate).unwrap_err();
    assert_eq!(status.code(), StatusCode::DeadlineExceeded);
    assert_eq!(
        status.message(),
        "the time to wait ran out: a semaphore at 1 for 2"
    );
    let start = Instant::now();
    assert_eq!(
        code(semaphore.wait(2, Duration::from_millis(20))),
        StatusCode::DeadlineExceeded
    );
    assert!(start.elapsed() >= Duration::from_millis(20));
    // A wait that ran out leaves nobody behind to be told.
    semaphore.signal(2).unwrap();
    semaphore.wait(2, Timeout::Immediate).unwrap();
}

#[test]
fn all_needs_all_and_any_needs_one() {
    let (first, second) = (Semaphore::new(0).unwrap(), Semaphore::new(0).unwrap());
    let points = [Timepoint::new(&first, 1), Timepoint::new(&second, 1)];
    let wait = |mode| wait_timepoints(&points, mode, Timeout::Immediate);
    assert_eq!(code(wait(WaitMode::Any)), StatusCode::DeadlineExceeded);
    second.signal(1).unwrap();
    assert_eq!(code(wait(WaitMode::All)), StatusCode::DeadlineExceeded);
    wait(WaitMode::Any).unwrap();
    first.signal(2).unwrap();
    wait(WaitMode::All).unwrap();
}

#[test]
fn one_failure_ends_a_wait_for_all_but_not_a_satisfied_any() {
    let (first, second) = (Semaphore::new(0).unwrap(), Semaphore::new(0).unwrap());
    let points = [Timepoint::new(&first, 1), Timepoint::new(&second, 1)];
    first.fail(Status::permission_denied("no"));
    for mode in [WaitMode::All, WaitMode::Any] {
        assert_eq!(
            code(wait_timepoints(&points, mode, LONG)),
            StatusCode::PermissionDenied
        );
    }
    second.signal(1).unwrap();
    wait_timepoints(&points, WaitMode::Any, LONG).unwrap();
    assert_eq!(
        code(wait_timepoints(&points, WaitMode::All, LONG)),
        StatusCode::PermissionDenied
    );
}

#[test]
fn a_sleeping_waiter_wakes_for_a_later_signal_beyond_its_value() {
    let semaphore = Semaphore::new(0).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            semaphore.wait(1, Timeout::Infinite).unwrap();
            assert_eq!(semaphore.query().unwrap(), 2);
        });
        thread::sleep(Duration::from_millis(10));
        semaphore.signal(2).unwrap();
    });
}

#[test]
fn a_sleeping_multi_wait_wakes_with_the_failure() {
    for mode in [WaitMode::All, WaitMode::Any] {
        let (first, second) = (Semaphore::new(0).unwrap(), Semaphore::new(0).unwrap());
        let points = [Timepoint::new(&first, 1), Timepoint::new(&second, 1)];
        thread::scope(|scope| {
            let waiter = scope.spawn(|| wait_timepoints(&points, mode, LONG));
            thread::sleep(Duration::from_millis(10));
            second.fail(Status::aborted("halt"));
            assert_eq!(code(waiter.join().unwrap()), StatusCode::Aborted);
        });
    }
}

#[test]
fn two_threads_play_ping_pong() {
    let (ping, pong) = (Semaphore::new(0).unwrap(), Semaphore::new(0).unwrap());
    thread::scope(|scope| {
        scope.spawn(|| {
            for round in 1..=500 {
                ping.wait(round, Timeout::Infinite).unwrap();
                pong.signal(round).unwrap();
            }
        });
        for round in 1..=500 {
            ping.signal(round).unwrap();
            pong.wait(round, LONG).unwrap();
        }
    });
}

#[test]
fn many_threads_wait_for_many_semaphores() {
    let semaphores: Vec<_> = (0..4).map(|_| Semaphore::new(0).unwrap()).collect();
    let points: Vec<_> = semaphores.iter().map(|s| Timepoint::new(s, 3)).collect();
    let woken = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                wait_timepoints(&points, WaitMode::All, LONG).unwrap();
                woken.fetch_add(1, Ordering::Relaxed);
            });
        }
        for value in 1..=3 {
            for semaphore in &semaphores {
                semaphore.signal(value).unwrap();
            }
        }
    });
    assert_eq!(woken.load(Ordering::Relaxed), 4);
}

#[test]
fn a_fence_keeps_the_highest_value_of_each_semaphore() {
    let (first, second) = (Semaphore::new(0).unwrap(), Semaphore::new(0).unwrap());
    let mut fence = Fence::at(&first, 2);
    fence.insert(&second, 1);
    let joined = Fence::join([&fence, &Fence::at(&first, 1), &Fence::new()]);
    let values: Vec<_> = joined.iter().map(|point| point.value).collect();
    assert_eq!(values, [2, 1]);
    assert!(!joined.query().unwrap());
    joined.signal().unwrap();
    assert!(joined.query().unwrap());
    joined.wait(Timeout::Immediate).unwrap();
    assert_eq!(code(joined.signal()), StatusCode::OutOfRange);
    joined.fail(&Status::unknown("late"));
    assert_eq!(joined.query().unwrap_err().code(), StatusCode::Unknown);
}

#[test]
fn many_fences_are_joined_in_little_time() {
    let semaphores: Vec<_> = (0..100_000).map(|_| Semaphore::new(0).unwrap()).collect();
    let fences = |value| semaphores.iter().map(move |one| Fence::at(one, value));
    let all: Vec<_> = fences(1).chain(fences(3)).chain(fences(2)).collect();
    let start = Instant::now();
    let joined = Fence::join(&all);
    // Comparing each with each would take minutes.
    assert!(start.elapsed() < LONG, "{:?}", start.elapsed());
    assert_eq!(joined.len(), semaphores.len());
    for (point, semaphore) in joined.iter().zip(&semaphores) {
        assert!(point.semaphore.ptr_eq(semaphore));
        assert_eq!(point.value, 3);
    }
}

#[test]
fn an_empty_fence_is_reached_and_can_be_failed() {
    let fence = Fence::new();
    assert!(fence.query().unwrap());
    fence.wait(Timeout::Immediate).unwrap();
    fence.signal().unwrap();
    fence.fail(&Status::unknown("nobody"));
}

#[test]
fn a_chain_of_tasks_takes_no_stack() {
    // Each task makes the next one possible; recursion would overflow here.
    let semaphore = Semaphore::new(0).unwrap();
    let last = Arc::new(AtomicUsize::new(0));
    let mut agenda = Agenda::new();
    for step in 1..10_000_u64 {
        let (semaphore, last) = (semaphore.clone(), last.clone());
        let own = semaphore.clone();
        semaphore.timeline().when_promised(
            step,
            Box::new(move |agenda| {
                last.store(step as usize, Ordering::Relaxed);
                own.timeline().signal(step + 1, agenda).unwrap();
            }),
            &mut agenda,
        );
    }
    agenda.run();
    semaphore.signal(1).unwrap();
    assert_eq!(last.load(Ordering::Relaxed), 9_999);
}
