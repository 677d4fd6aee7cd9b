//! Dispatches straight on a queue.

use hal::flags::BufferUsage;
use hal::{Buffer, BufferParams, BufferRef, Command, Executable, StatusCode, WHOLE_BUFFER};

use crate::cases;
use crate::frame::{Case, Fixture, Outcome, Stop};
use crate::work::{LONG, at, patched, refused, words};

pub(crate) const CASES: &[Case] = cases![Device:
    with_constants_and_bindings,
    with_borrowed_resource_lifetimes,
    noop_signals_and_does_not_touch_buffers,
    deferred_noop,
    deferred_wait_before_signal,
    static_parameters,
    dynamic_parameters,
    whole_buffer_parameter_ref,
    refused_at_once,
];

/// Input and output of a kernel that scales and offsets, and the kernel.
struct Scale {
    executable: Executable,
    input: Buffer,
    output: Buffer,
}

impl Scale {
    fn new(fixture: &Fixture) -> Result<Self, Stop> {
        Ok(Self {
            executable: fixture.executable("scale_and_offset")?,
            input: fixture.buffer_of(&words([1, 2, 3, 4]))?,
            output: fixture.buffer_of(&words([99; 4]))?,
        })
    }

    fn bindings(&self) -> [BufferRef; 2] {
        [
            BufferRef::whole(&self.input),
            BufferRef::whole(&self.output),
        ]
    }
}

fn dispatch<'a>(
    executable: &'a Executable,
    workgroups: [u32; 3],
    constants: &'a [u32],
    bindings: &'a [BufferRef],
) -> Command<'a> {
    Command::Dispatch {
        executable,
        export: 0,
        config: workgroups.into(),
        constants,
        bindings,
    }
}

fn with_constants_and_bindings(fixture: &Fixture) -> Outcome {
    let scale = Scale::new(fixture)?;
    let done = fixture.semaphore()?;
    let bindings = scale.bindings();
    let command = dispatch(&scale.executable, [1, 1, 1], &[3, 10], &bindings);
    fixture.queue().run(&[], &at(&done, 1), &command)?;
    fixture.wait(&done, 1)?;
    fixture.expect(&scale.output, &words([13, 16, 19, 22]))
}

/// Everything is dropped while the dispatch still waits.
fn with_borrowed_resource_lifetimes(fixture: &Fixture) -> Outcome {
    let scale = Scale::new(fixture)?;
    let output = scale.output.clone();
    let (gate, done) = (fixture.semaphore()?, fixture.semaphore()?);
    {
        let bindings = scale.bindings();
        let command = dispatch(&scale.executable, [1, 1, 1], &[3, 10], &bindings);
        fixture
            .queue()
            .run(&at(&gate, 1), &at(&done, 1), &command)?;
    }
    drop(scale);
    let _other = Scale::new(fixture)?;
    gate.signal(1)?;
    fixture.wait(&done, 1)?;
    fixture.expect(&output, &words([13, 16, 19, 22]))
}

fn noop_signals_and_does_not_touch_buffers(fixture: &Fixture) -> Outcome {
    let scale = Scale::new(fixture)?;
    let bindings = scale.bindings();
    for workgroups in [[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]] {
        let done = fixture.semaphore()?;
        let command = dispatch(&scale.executable, workgroups, &[3, 10], &bindings);
        fixture.queue().run(&[], &at(&done, 1), &command)?;
        fixture.wait(&done, 1)?;
    }
    fixture.expect(&scale.output, &words([99; 4]))
}

fn deferred_noop(fixture: &Fixture) -> Outcome {
    let scale = Scale::new(fixture)?;
    let bindings = scale.bindings();
    let (gate, done) = (fixture.semaphore()?, fixture.semaphore()?);
    let command = dispatch(&scale.executable, [0, 1, 1], &[3, 10], &bindings);
    fixture
        .queue()
        .run(&at(&gate, 1), &at(&done, 1), &command)?;
    assert_eq!(done.query()?, 0);
    gate.signal(1)?;
    fixture.wait(&done, 1)?;
    fixture.expect(&scale.output, &words([99; 4]))
}

/// What waits does not hold up what comes later.
fn deferred_wait_before_signal(fixture: &Fixture) -> Outcome {
    let (first, second) = (Scale::new(fixture)?, Scale::new(fixture)?);
    let (gate, late, early) = (
        fixture.semaphore()?,
        fixture.semaphore()?,
        fixture.semaphore()?,
    );
    let bindings = [first.bindings(), second.bindings()];
    let queue = fixture.queue();
    let waiting = dispatch(&first.executable, [1, 1, 1], &[1, 1], &bindings[0]);
    queue.run(&at(&gate, 1), &at(&late, 1), &waiting)?;
    let ready = dispatch(&second.executable, [1, 1, 1], &[1, 2], &bindings[1]);
    queue.run(&[], &at(&early, 1), &ready)?;
    fixture.wait(&early, 1)?;
    fixture.expect(&second.output, &words([3, 4, 5, 6]))?;
    assert_eq!(late.query()?, 0);
    fixture.expect(&first.output, &words([99; 4]))?;
    gate.signal(1)?;
    fixture.wait(&late, 1)?;
    fixture.expect(&first.output, &words([2, 3, 4, 5]))
}

/// A dispatch of four workgroups whose counts stand in memory.
fn indirect(fixture: &Fixture, length: u64, is_dynamic: bool) -> Outcome {
    let executable = fixture.executable("write_workgroup_ids")?;
    let params = BufferParams {
        usage: BufferUsage::DEFAULT | BufferUsage::DISPATCH_INDIRECT_PARAMS,
        ..BufferParams::device_local()
    };
    let counts = fixture.device.allocator().allocate(&params, 16)?;
    let output = fixture.buffer(128, 0xFF)?;
    let steps = fixture.semaphore()?;
    let mut waits = Vec::new();
    if is_dynamic {
        let source = words([4, 1, 1]);
        let target = BufferRef::range(&counts, 0, 12);
        fixture
            .queue()
            .update(&[], &at(&steps, 1), &source, &target)?;
        waits.extend(at(&steps, 1));
    } else {
        fixture.upload(&counts, &words([4, 1, 1]))?;
    }
    let command = Command::DispatchIndirect {
        executable: &executable,
        export: 0,
        workgroups: &BufferRef::range(&counts, 0, length),
        constants: &[],
        bindings: &[BufferRef::whole(&output)],
    };
    fixture.queue().run(&waits, &at(&steps, 2), &command)?;
    fixture.wait(&steps, 2)?;
    fixture.expect(&output, &patched(vec![0xFF; 128], 0, &words(0..4)))
}

fn static_parameters(fixture: &Fixture) -> Outcome {
    indirect(fixture, 12, false)
}

fn dynamic_parameters(fixture: &Fixture) -> Outcome {
    indirect(fixture, 12, true)
}

fn whole_buffer_parameter_ref(fixture: &Fixture) -> Outcome {
    indirect(fixture, WHOLE_BUFFER, false)
}

/// A wrong dispatch is told so by the call, and signals nothing.
fn refused_at_once(fixture: &Fixture) -> Outcome {
    let scale = Scale::new(fixture)?;
    let bindings = scale.bindings();
    let done = fixture.semaphore()?;
    let queue = fixture.queue();
    let short = dispatch(&scale.executable, [1, 1, 1], &[3], &bindings);
    let submitted = queue.run(&[], &at(&done, 1), &short);
    refused(submitted, StatusCode::InvalidArgument);
    let far = Command::Dispatch {
        executable: &scale.executable,
        export: 9,
        config: [1, 1, 1].into(),
        constants: &[],
        bindings: &[],
    };
    let submitted = queue.run(&[], &at(&done, 1), &far);
    refused(submitted, StatusCode::OutOfRange);
    assert_eq!(done.query()?, 0);
    queue.barrier(&[], &at(&done, 1))?;
    Ok(done.wait(1, LONG)?)
}
