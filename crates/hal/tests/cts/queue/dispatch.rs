//! Dispatches without a command buffer of the caller's.

use hal::{BufferRef, Command, Timepoint};

use crate::cases;
use crate::commands::PATIENCE;
use crate::frame::{Case, Fixture, Outcome};

pub(crate) const CASES: &[Case] = cases![Mode:
    dispatch_with_constants_and_bindings,
    dispatch_keeps_its_resources,
    noop_dispatch_signals_and_does_not_touch_buffers,
    deferred_noop_dispatch,
    deferred_wait_before_signal_dispatch,
];

fn dispatch_with_constants_and_bindings(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("scale_and_offset")?;
    let input = fixture.buffer_of(&[1_u32, 2, 3, 4])?;
    let output = fixture.buffer_of(&[0_u32; 4])?;
    fixture.submit_and_wait(|queue, signals| {
        let command = Command::Dispatch {
            executable: &executable,
            export: 0,
            config: [1, 1, 1].into(),
            constants: &[3, 10],
            bindings: &[BufferRef::whole(&input), BufferRef::whole(&output)],
        };
        queue.run(&[], signals, &command)
    })?;
    assert_eq!(fixture.read_of::<u32>(&output)?, [13, 16, 19, 22]);
    Ok(())
}

fn dispatch_keeps_its_resources(fixture: &Fixture) -> Outcome {
    let output = fixture.buffer_of(&[0_u32; 4])?;
    let (gate, done) = (fixture.semaphore()?, fixture.semaphore()?);
    {
        let executable = fixture.executable("scale_and_offset")?;
        let input = fixture.buffer_of(&[1_u32, 2, 3, 4])?;
        let command = Command::Dispatch {
            executable: &executable,
            export: 0,
            config: [1, 1, 1].into(),
            constants: &[3, 10],
            bindings: &[BufferRef::whole(&input), BufferRef::whole(&output)],
        };
        let waits = [Timepoint::new(&gate, 1)];
        let signals = [Timepoint::new(&done, 1)];
        fixture.queue().run(&waits, &signals, &command)?;
    }
    gate.signal(1)?;
    done.wait(1, PATIENCE)?;
    assert_eq!(fixture.read_of::<u32>(&output)?, [13, 16, 19, 22]);
    Ok(())
}

fn noop(fixture: &Fixture, is_deferred: bool) -> Outcome {
    let executable = fixture.executable("write_workgroup_ids")?;
    let output = fixture.buffer_of(&[99_u32; 4])?;
    let (gate, done) = (fixture.semaphore()?, fixture.semaphore()?);
    let command = Command::Dispatch {
        executable: &executable,
        export: 0,
        config: [0, 1, 1].into(),
        constants: &[],
        bindings: &[BufferRef::whole(&output)],
    };
    let wait = [Timepoint::new(&gate, 1)];
    let waits = if is_deferred { &wait[..] } else { &[] };
    let signals = [Timepoint::new(&done, 1)];
    fixture.queue().run(waits, &signals, &command)?;
    if is_deferred {
        assert_eq!(done.query()?, 0);
        gate.signal(1)?;
    }
    done.wait(1, PATIENCE)?;
    assert_eq!(fixture.read_of::<u32>(&output)?, [99; 4]);
    Ok(())
}

fn noop_dispatch_signals_and_does_not_touch_buffers(fixture: &Fixture) -> Outcome {
    noop(fixture, false)
}

fn deferred_noop_dispatch(fixture: &Fixture) -> Outcome {
    noop(fixture, true)
}

fn deferred_wait_before_signal_dispatch(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("write_workgroup_ids")?;
    let (late, early) = (
        fixture.buffer_of(&[99_u32; 4])?,
        fixture.buffer_of(&[99_u32; 4])?,
    );
    let (gate, late_done) = (fixture.semaphore()?, fixture.semaphore()?);
    let dispatch = |output| Command::Dispatch {
        executable: &executable,
        export: 0,
        config: [4, 1, 1].into(),
        constants: &[],
        bindings: output,
    };
    let waits = [Timepoint::new(&gate, 1)];
    let signals = [Timepoint::new(&late_done, 1)];
    let late_ref = [BufferRef::whole(&late)];
    fixture
        .queue()
        .run(&waits, &signals, &dispatch(&late_ref))?;
    // What was submitted later does not wait for what waits.
    let early_ref = [BufferRef::whole(&early)];
    fixture.submit_and_wait(|queue, signals| queue.run(&[], signals, &dispatch(&early_ref)))?;
    assert_eq!(fixture.read_of::<u32>(&early)?, [0, 1, 2, 3]);
    assert_eq!(fixture.read_of::<u32>(&late)?, [99; 4]);
    gate.signal(1)?;
    late_done.wait(1, PATIENCE)?;
    assert_eq!(fixture.read_of::<u32>(&late)?, [0, 1, 2, 3]);
    Ok(())
}
