//! Every interleaving of the semaphore core's threads. A lost wake-up shows as
//! a deadlock, which loom reports.
//!
//! ```text
//! RUSTFLAGS="--cfg loom" CARGO_TARGET_DIR=target/loom cargo test -p hal --lib --release semaphore::loom
//! ```

use std::sync::Arc;

use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

use super::agenda::Agenda;
use super::timeline::{Look, Timeline};
use super::wait::{Attention, Timeout, WaitMode, wait_many};
use crate::{Result, Status, StatusCode};

type Core = Timeline<u32>;

fn core() -> Arc<Core> {
    Arc::new(Core::new(0).unwrap())
}

fn signal(core: &Core, value: u64) {
    let mut agenda = Agenda::new();
    core.signal(value, &mut agenda).unwrap();
    agenda.run();
}

fn fail(core: &Core, status: Status) {
    let mut agenda = Agenda::new();
    core.fail(status, &mut agenda);
    agenda.run();
}

fn wait(wants: &[(&Core, u64)], mode: WaitMode) -> Result<()> {
    wait_many(wants, mode, Timeout::Infinite, |_, _| Ok(()))
}

#[test]
fn a_signal_is_never_lost_on_a_waiter() {
    loom::model(|| {
        let core = core();
        let signaller = {
            let core = core.clone();
            thread::spawn(move || signal(&core, 2))
        };
        wait(&[(&core, 1)], WaitMode::All).unwrap();
        assert_eq!(core.query().unwrap(), 2);
        signaller.join().unwrap();
    });
}

#[test]
fn two_waiters_of_one_value_both_wake() {
    // Three threads switched at will take a minute; three switches find what
    // one waiter taking the other's wake-up would look like.
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| {
        let core = core();
        let waiter = {
            let core = core.clone();
            thread::spawn(move || wait(&[(&core, 1)], WaitMode::All).unwrap())
        };
        let signaller = {
            let core = core.clone();
            thread::spawn(move || signal(&core, 1))
        };
        wait(&[(&core, 1)], WaitMode::All).unwrap();
        waiter.join().unwrap();
        signaller.join().unwrap();
    });
}

#[test]
fn a_failure_wakes_a_waiter_with_its_cause() {
    loom::model(|| {
        let core = core();
        let failer = {
            let core = core.clone();
            thread::spawn(move || fail(&core, Status::data_loss("gone")))
        };
        let status = wait(&[(&core, 1)], WaitMode::All).unwrap_err();
        assert_eq!(status.code(), StatusCode::DataLoss);
        failer.join().unwrap();
    });
}

#[test]
fn signal_and_failure_race_to_one_end() {
    loom::model(|| {
        let core = core();
        let signaller = {
            let core = core.clone();
            thread::spawn(move || {
                let mut agenda = Agenda::new();
                let signalled = core.signal(1, &mut agenda);
                agenda.run();
                signalled
            })
        };
        let failer = {
            let core = core.clone();
            thread::spawn(move || fail(&core, Status::cancelled("stop")))
        };
        // Which comes first is open; that the wait ends is not.
        let waited = wait(&[(&core, 1)], WaitMode::All);
        let signalled = signaller.join().unwrap();
        failer.join().unwrap();
        if signalled.is_err() {
            assert_eq!(waited.unwrap_err().code(), StatusCode::Cancelled);
        }
        assert_eq!(core.query().unwrap_err().code(), StatusCode::Cancelled);
    });
}

#[test]
fn waiting_for_all_outlasts_the_first() {
    loom::model(|| {
        let (first, second) = (core(), core());
        let signallers = [&first, &second].map(|core| {
            let core = core.clone();
            thread::spawn(move || signal(&core, 1))
        });
        wait(&[(&first, 1), (&second, 1)], WaitMode::All).unwrap();
        assert_eq!((first.value(), second.value()), (1, 1));
        for signaller in signallers {
            signaller.join().unwrap();
        }
    });
}

#[test]
fn waiting_for_any_ends_with_one() {
    loom::model(|| {
        let (first, second) = (core(), core());
        let signaller = {
            let second = second.clone();
            thread::spawn(move || signal(&second, 1))
        };
        wait(&[(&first, 1), (&second, 1)], WaitMode::Any).unwrap();
        assert_eq!((first.value(), second.value()), (0, 1));
        signaller.join().unwrap();
    });
}

#[test]
fn a_promise_is_attended_by_its_queue_or_by_its_waiter() {
    loom::model(|| {
        let core = core();
        let queue = {
            let core = core.clone();
            thread::spawn(move || {
                let mut agenda = Agenda::new();
                // A queue watches its work only when it is told that somebody waits.
                if core.promise(1, 7, &mut agenda) {
                    core.advance(1, &mut agenda);
                }
                agenda.run();
            })
        };
        let attend = |point: &u32, attention| {
            assert_eq!((*point, attention), (7, Attention::Stay));
            let mut agenda = Agenda::new();
            core.advance(1, &mut agenda);
            agenda.run();
            Ok(())
        };
        wait_many(&[(&core, 1)], WaitMode::All, Timeout::Infinite, attend).unwrap();
        queue.join().unwrap();
    });
}

#[test]
fn work_parked_on_a_promise_runs_once() {
    loom::model(|| {
        let core = core();
        let runs = Arc::new(AtomicUsize::new(0));
        let promiser = {
            let core = core.clone();
            thread::spawn(move || {
                let mut agenda = Agenda::new();
                core.promise(3, 1, &mut agenda);
                agenda.run();
                signal(&core, 4);
            })
        };
        let mut agenda = Agenda::new();
        let task = {
            let (core, runs) = (core.clone(), runs.clone());
            Box::new(move |_: &mut Agenda| {
                assert!(!matches!(core.look(2), Look::Pending | Look::Failed(_)));
                runs.fetch_add(1, Ordering::Relaxed);
            })
        };
        core.when_promised(2, task, &mut agenda);
        agenda.run();
        promiser.join().unwrap();
        assert_eq!(runs.load(Ordering::Relaxed), 1);
    });
}
