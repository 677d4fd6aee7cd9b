//! Launches put off, and events recorded behind them, with nobody but the test
//! to make them.

use std::sync::Arc;

use super::*;
use crate::{Device, Event, FaultPlan, Module, Result, Stream};

const LAUNCH: &str = "hipModuleLaunchKernel";
const RECORD: &str = "hipEventRecord";

struct Scene {
    plan: FaultPlan,
    context: Context,
    function: Function,
    stream: Stream,
}

impl Scene {
    fn new() -> Result<Self> {
        let plan = FaultPlan::counting();
        let api = crate::faulty(crate::null(), &plan);
        let context = Context::new(&Device::enumerate(&api)?[0])?;
        // SAFETY: the provider runs nothing.
        let module = unsafe { Module::load(&context, b"anything")? };
        Ok(Self {
            plan,
            function: module.function("any")?,
            stream: Stream::new(&context)?,
            context,
        })
    }

    fn batch(&self) -> Batch {
        Batch::new(&self.context, self.stream.handle())
    }

    fn put_off(&self, batch: &Batch, tags: std::ops::Range<u64>) {
        let one = crate::Dim3 { x: 1, y: 1, z: 1 };
        let config = LaunchConfig {
            grid: one,
            block: one,
            shared_memory_bytes: 0,
        };
        for tag in tags {
            batch.put_off(&self.function, &config, &tag.to_le_bytes(), tag);
        }
    }

    /// An event to be recorded by whoever makes what is ready.
    fn later(&self, batch: &Batch) -> Result<Event> {
        let event = Event::new(&self.context)?;
        let inner = event.retain();
        inner.put_off(Arc::downgrade(&batch.shared));
        let state = &mut *lock(&batch.shared.state);
        state.ready.push_back(Work::Record(inner));
        batch.shared.is_holding.store(true, Ordering::Release);
        Ok(event)
    }
}

#[test]
fn an_event_has_not_passed_before_it_is_recorded() -> Result<()> {
    let scene = Scene::new()?;
    let batch = scene.batch();
    let event = scene.later(&batch)?;
    // A fresh event has passed, as far as the driver knows.
    assert!(Event::new(&scene.context)?.query()?);
    assert!(!event.query()?);
    assert_eq!(scene.plan.calls_of(RECORD), 0);
    event.synchronize()?;
    assert_eq!(scene.plan.calls_of(RECORD), 1);
    assert!(event.query()?);
    Ok(())
}

#[test]
fn who_waits_for_an_event_leaves_later_launches_held() -> Result<()> {
    let scene = Scene::new()?;
    let batch = scene.batch();
    scene.put_off(&batch, 0..FULL as u64);
    let event = scene.later(&batch)?;
    scene.put_off(&batch, 100..103);
    let other = Stream::new(&scene.context)?;
    other.issue()?.wait(&event)?;
    assert_eq!(scene.plan.calls_of(RECORD), 1);
    assert_eq!(scene.plan.calls_of(LAUNCH), FULL as u64);
    assert!(batch.is_filling() && batch.is_holding());
    batch.flush();
    assert_eq!(scene.plan.calls_of(LAUNCH), FULL as u64 + 3);
    assert!(!batch.is_filling() && !batch.is_holding());
    Ok(())
}

#[test]
fn an_event_whose_record_is_forgotten_says_so_and_can_be_recorded_again() -> Result<()> {
    let scene = Scene::new()?;
    let batch = scene.batch();
    let event = scene.later(&batch)?;
    scene.put_off(&batch, 0..3);
    batch.discard();
    assert!(!batch.is_filling() && !batch.is_holding());
    for result in [event.query().map(drop), event.synchronize()] {
        assert_eq!(result.expect_err("it never will").code, Code::NOT_READY);
    }
    let issue = scene.stream.issue()?;
    issue.wait(&event)?;
    issue.record(&event)?;
    assert!(event.query()?);
    batch.flush();
    assert_eq!(scene.plan.calls_of(LAUNCH), 0);
    Ok(())
}

#[test]
fn a_record_that_fails_is_told_to_whoever_asks() -> Result<()> {
    let scene = Scene::new()?;
    let batch = scene.batch();
    let event = scene.later(&batch)?;
    scene.plan.arm_named(RECORD, 0, Code::ILLEGAL_ADDRESS);
    batch.flush();
    let other = Stream::new(&scene.context)?;
    let waited = other.issue()?.wait(&event);
    for result in [event.query().map(drop), event.synchronize(), waited] {
        let error = result.expect_err("it could not be recorded");
        assert_eq!((error.code, error.call), (Code::ILLEGAL_ADDRESS, RECORD));
    }
    Ok(())
}

#[test]
fn an_event_outlives_the_batch_that_was_to_record_it() -> Result<()> {
    let scene = Scene::new()?;
    let batch = scene.batch();
    let event = scene.later(&batch)?;
    drop(batch);
    let gone = event.synchronize().expect_err("nobody records it any more");
    assert_eq!(gone.code, Code::NOT_READY);
    Ok(())
}
