//! Fences: null, joined, awaited, failed.

use std::time::{Duration, Instant};

use hal::{Fence, Semaphore, Status, Timepoint};
use vm::{Code, Flow, Ref, Value};

use super::fixture::{ANY, Fixture, NULL, fence_of, i, l, r};
use crate::modules::hal::types;

const AWAIT: &str = "fence.await 0iICrD_i";
const AWAIT_V2: &str = "fence.await 0iCrD_i";
const FOREVER: Value = Value::I32(-1);

pub(super) fn life(f: &mut Fixture) {
    let device = f.device();
    let query = "fence.query 0r_i";
    for (row, flags) in [("fence.create 0rI_r", l(0)), ("fence.create 0ri_r", i(0))] {
        let fence = f.one(row, &[r(&device), flags]);
        assert_eq!(f.number(query, &[r(&fence)]), 17, "pending");
        f.none("fence.signal 0r_v", &[r(&fence)]);
        assert_eq!(f.number(query, &[r(&fence)]), 0);
        let (code, _) = f.fail("fence.signal 0r_v", &[r(&fence)]);
        assert_eq!(code, Code::OUT_OF_RANGE, "once");
    }
    let fence = f.fence();
    let (code, _) = f.fail("fence.fail 0ri_v", &[r(&fence), i(0)]);
    assert_eq!(code, Code::INVALID_ARGUMENT);
    f.none("fence.fail 0ri_v", &[r(&fence), i(15)]);
    assert_eq!(f.number(query, &[r(&fence)]), 15);
    // Null is a fence without points.
    assert_eq!(f.number(query, &[NULL]), 0);
    f.none("fence.signal 0r_v", &[NULL]);
    f.none("fence.fail 0ri_v", &[NULL, i(15)]);
    let buffer = f.mapped(&[0]);
    let (code, why) = f.fail(query, &[r(&buffer)]);
    assert_eq!(code, Code::INVALID_ARGUMENT);
    assert_eq!(why, "a hal.buffer where a hal.fence is needed");
}

pub(super) fn joins(f: &mut Fixture) {
    let empty = types::FENCE.wrap(Fence::new());
    let (first, second) = (f.fence(), f.fence());
    for (row, flags) in [
        ("fence.join 0ICrD_r", Some(l(0))),
        ("fence.join 0CrD_r", None),
    ] {
        let mut join = |fences: &[Value]| -> Option<Ref> {
            let args: Vec<_> = flags.iter().chain(fences).cloned().collect();
            match &f.groups(&[fences.len() as u16]).call(row, &args).unwrap()[..] {
                [Value::Ref(joined)] => joined.clone(),
                other => panic!("{other:?}"),
            }
        };
        assert!(join(&[]).is_none());
        assert!(join(&[NULL, r(&empty), NULL]).is_none());
        assert!(join(&[NULL, r(&first), NULL]).unwrap().ptr_eq(&first));
        let both = join(&[r(&first), NULL, r(&second), r(&first)]).unwrap();
        assert_eq!(types::FENCE.of(&both).unwrap().len(), 2);
    }
    let buffer = f.mapped(&[0]);
    let (code, _) = f.groups(&[1]).fail("fence.join 0CrD_r", &[r(&buffer)]);
    assert_eq!(code, Code::INVALID_ARGUMENT);
}

pub(super) fn awaits(f: &mut Fixture) {
    let none = [FOREVER, l(0), NULL, NULL];
    assert_eq!(f.groups(&[2]).number(AWAIT, &none), 0);
    assert_eq!(f.groups(&[0]).number(AWAIT_V2, &[FOREVER]), 0);
    let (s, t) = (Semaphore::new(0).unwrap(), Semaphore::new(0).unwrap());
    let (first, second) = (fence_of(&s), fence_of(&t));
    // A look, without waiting.
    assert_eq!(f.groups(&[1]).number(AWAIT_V2, &[i(0), r(&first)]), 4);
    let both = [FOREVER, l(0), r(&first), NULL, r(&second)];
    let (flow, _) = f.groups(&[3]).attempt(AWAIT, &both, None).unwrap();
    let Flow::Wait { on, deadline: None } = flow else {
        panic!("{flow:?}");
    };
    assert_eq!(types::FENCE.of(&on).unwrap().len(), 2, "both in one sleep");
    s.signal(1).unwrap();
    let (flow, _) = f.groups(&[3]).attempt(AWAIT, &both, Some(None)).unwrap();
    let Flow::Wait { on, deadline: None } = flow else {
        panic!("{flow:?}");
    };
    assert!(on.ptr_eq(&second), "what is left");
    t.signal(1).unwrap();
    assert_eq!(f.groups(&[3]).number(AWAIT, &both), 0);
}

pub(super) fn timeouts(f: &mut Fixture) {
    let never = f.fence();
    let args = [i(20), l(0), r(&never)];
    let before = Instant::now();
    let (flow, _) = f.groups(&[1]).attempt(AWAIT, &args, None).unwrap();
    let Flow::Wait {
        deadline: Some(deadline),
        ..
    } = flow
    else {
        panic!("{flow:?}");
    };
    assert!(deadline >= before + Duration::from_millis(20));
    // Early again: the deadline stays what it was.
    let again = f
        .groups(&[1])
        .attempt(AWAIT, &args, Some(Some(deadline)))
        .unwrap();
    let Flow::Wait {
        deadline: Some(kept),
        ..
    } = again.0
    else {
        panic!("{again:?}");
    };
    assert_eq!(kept, deadline);
    assert_eq!(f.groups(&[1]).number(AWAIT, &args), 4);
    assert!(Instant::now() >= deadline);
}

pub(super) fn failures(f: &mut Fixture) {
    let semaphore = Semaphore::new(0).unwrap();
    let (fence, other) = (fence_of(&semaphore), f.fence());
    let status = Status::data_loss("bad block");
    semaphore.fail(status.clone());
    // Also before anything else is waited for, and without any time.
    for timeout in [FOREVER, i(0)] {
        let args = [timeout, l(0), r(&other), r(&fence)];
        let error = f.groups(&[2]).call(AWAIT, &args).unwrap_err();
        assert_eq!(
            (error.code(), error.message()),
            (Code::DATA_LOSS, "bad block")
        );
        let cause = std::error::Error::source(&error).unwrap();
        assert!(cause.downcast_ref::<Status>().unwrap().ptr_eq(&status));
    }
}

/// Work of a device is waited for, with the device looked at only when that
/// is needed.
pub(super) fn work_is_awaited(f: &mut Fixture) {
    let device = f.device();
    let done = f.fence();
    f.none(
        "device.queue.barrier 0rIrrI_v",
        &[r(&device), ANY, NULL, r(&done), l(0)],
    );
    let args = [FOREVER, l(0), r(&done)];
    assert_eq!(f.groups(&[1]).number(AWAIT, &args), 0);
    // Waiting in parts works too, without anybody else looking.
    let done = f.fence();
    f.none(
        "device.queue.barrier 0rIrrI_v",
        &[r(&device), ANY, NULL, r(&done), l(0)],
    );
    let until = Instant::now() + Duration::from_secs(60);
    while f.groups(&[1]).number(AWAIT_V2, &[i(0), r(&done)]) == 4 {
        assert!(Instant::now() < until);
    }
    let point: &Timepoint = &types::FENCE.of(&done).unwrap()[0];
    assert_eq!(point.semaphore.query().unwrap(), 1);
}
