//! Work that runs for as long as the case wants it to: a kernel that waits
//! for the host to raise a flag.

use std::time::Duration;

use hal::flags::CommandBufferFlags;
use hal::{
    Buffer, BufferRef, DispatchConfig, ExecutableParams, Execution, Semaphore, StatusCode,
    WaitMode, wait_timepoints,
};

use crate::cases;
use crate::frame::{Case, Fixture, Outcome, Stop};
use crate::work::{LONG, at, refused, words};

pub(crate) const CASES: &[Case] = cases![Mode:
    not_signalled_before_it_is_done,
    waits_have_deadlines,
    other_queue_overtakes,
    what_depends_on_it_waits,
    resources_stay_until_it_is_done,
    freed_memory_is_not_reused_before_it_is_done,
    host_signals_overtake,
];

/// A kernel that runs until its flag is raised.
struct Running {
    flag: Buffer,
    answer: Buffer,
    done: Semaphore,
}

impl Running {
    /// Starts it on the first queue; nothing but the submission keeps what it uses.
    fn start(fixture: &Fixture) -> Result<Self, Stop> {
        fixture.require_computing()?;
        let image = fixture.code("faults")?;
        let executable = fixture.prepare(&ExecutableParams::new(&image))?;
        let flag = fixture.host_buffer(16, 0)?;
        let answer = fixture.host_buffer(16, 0)?;
        let done = fixture.semaphore()?;
        let commands = fixture.command_buffer(CommandBufferFlags::ONE_SHOT, 0)?;
        commands.begin()?;
        let config = DispatchConfig {
            workgroup_size: [1, 1, 1],
            ..[1, 1, 1].into()
        };
        let export = executable.lookup_export("wait_for_flag")?;
        let bindings = [&flag, &answer].map(BufferRef::whole);
        commands.dispatch(&executable, export, config, &[], &bindings)?;
        commands.end()?;
        let executions = [Execution::new(&commands)];
        fixture.queue().execute(&[], &at(&done, 1), &executions)?;
        Ok(Self { flag, answer, done })
    }

    /// Lets it end.
    fn release(&self) -> Outcome {
        Ok(self.flag.map_write(0, &words([1]))?)
    }

    /// Lets it end and sees that it has run.
    fn finish(&self, fixture: &Fixture) -> Outcome {
        assert_eq!(self.done.query()?, 0, "it ended by itself");
        self.release()?;
        fixture.wait(&self.done, 1)?;
        let mut answer = [0; 4];
        self.answer.map_read(0, &mut answer)?;
        assert_ne!(answer, [0; 4], "it did not run");
        Ok(())
    }
}

/// Were the case to fail in between, the device would wait for the kernel.
impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.release();
    }
}

fn not_signalled_before_it_is_done(fixture: &Fixture) -> Outcome {
    let running = Running::start(fixture)?;
    fixture.queue().flush();
    for _ in 0..10 {
        assert_eq!(running.done.query()?, 0);
    }
    running.finish(fixture)
}

fn waits_have_deadlines(fixture: &Fixture) -> Outcome {
    let running = Running::start(fixture)?;
    let never = fixture.semaphore()?;
    let short = Duration::from_millis(3);
    refused(running.done.wait(1, short), StatusCode::DeadlineExceeded);
    let points = [at(&running.done, 1), at(&never, 1)].concat();
    for mode in [WaitMode::All, WaitMode::Any] {
        let waited = wait_timepoints(&points, mode, short);
        refused(waited, StatusCode::DeadlineExceeded);
    }
    running.finish(fixture)
}

fn other_queue_overtakes(fixture: &Fixture) -> Outcome {
    let running = Running::start(fixture)?;
    let buffer = fixture
        .device
        .allocator()
        .allocate(&hal::BufferParams::host_visible(), 64)?;
    let done = fixture.semaphore()?;
    let target = BufferRef::whole(&buffer);
    fixture
        .other_queue()
        .fill(&[], &at(&done, 1), &target, &[6])?;
    fixture.wait(&done, 1)?;
    let mut contents = [0; 64];
    buffer.map_read(0, &mut contents)?;
    assert_eq!(contents, [6; 64]);
    fixture.other_queue().wait_idle();
    running.finish(fixture)
}

/// On the same queue and on the other, by order and by semaphore.
fn what_depends_on_it_waits(fixture: &Fixture) -> Outcome {
    let (first, second) = (fixture.buffer(64, 1)?, fixture.buffer(64, 1)?);
    let running = Running::start(fixture)?;
    let (here, there) = (fixture.semaphore()?, fixture.semaphore()?);
    let (queue, other) = (fixture.queue(), fixture.other_queue());
    let targets = [&first, &second].map(BufferRef::whole);
    queue.fill(&[], &at(&here, 1), &targets[0], &[2])?;
    other.fill(&at(&running.done, 1), &at(&there, 1), &targets[1], &[3])?;
    let short = Duration::from_millis(3);
    refused(here.wait(1, short), StatusCode::DeadlineExceeded);
    refused(there.wait(1, short), StatusCode::DeadlineExceeded);
    running.finish(fixture)?;
    fixture.wait(&here, 1)?;
    fixture.wait(&there, 1)?;
    fixture.expect(&first, &[2; 64])?;
    fixture.expect(&second, &[3; 64])
}

/// Commands, their update's bytes, and buffers that nobody else keeps.
fn resources_stay_until_it_is_done(fixture: &Fixture) -> Outcome {
    let output = fixture.buffer(4096, 0)?;
    let source = fixture.buffer(2048, 0x21)?;
    let running = Running::start(fixture)?;
    let done = fixture.semaphore()?;
    let execution = fixture.record_one_shot(|commands| {
        commands.update(&[0x43; 2048], &commands.range(&output, 0, 2048))?;
        let target = commands.range(&output, 2048, 2048);
        commands.copy(&commands.whole(&source), &target)?;
        Ok(())
    })?;
    fixture.queue().execute(&[], &at(&done, 1), &[execution])?;
    drop(source);
    // What would be handed out again, were it free.
    let allocator = fixture.device.allocator();
    let others = (0..8)
        .map(|_| allocator.allocate(&hal::BufferParams::device_local(), 2048))
        .collect::<hal::Result<Vec<_>>>()?;
    let cleared = fixture.semaphore()?;
    for (other, value) in others.iter().zip(1..) {
        let target = BufferRef::whole(other);
        fixture
            .other_queue()
            .fill(&[], &at(&cleared, value), &target, &[0xEE])?;
    }
    fixture.wait(&cleared, 8)?;
    running.finish(fixture)?;
    fixture.wait(&done, 1)?;
    let mut expected = vec![0x43; 4096];
    expected[2048..].fill(0x21);
    fixture.expect(&output, &expected)
}

/// A queue frees in its own order: another queue may not get that memory sooner.
fn freed_memory_is_not_reused_before_it_is_done(fixture: &Fixture) -> Outcome {
    let output = fixture.buffer(4096, 0)?;
    let params = hal::BufferParams::device_local();
    let steps = fixture.semaphore()?;
    let (queue, other) = (fixture.queue(), fixture.other_queue());
    let first = queue.alloca(&[], &at(&steps, 1), &params, 4096)?;
    let range = BufferRef::range(&first, 0, 4096);
    queue.fill(&at(&steps, 1), &at(&steps, 2), &range, &[0x19])?;
    fixture.wait(&steps, 2)?;
    let running = Running::start(fixture)?;
    let target = BufferRef::whole(&output);
    queue.copy(&[], &at(&steps, 3), &range, &target)?;
    queue.dealloca(&[], &at(&steps, 4), &first)?;
    let taken = fixture.semaphore()?;
    for value in 0..4 {
        let step = 2 * value;
        let second = other.alloca(&[], &at(&taken, step + 1), &params, 4096)?;
        let range = BufferRef::range(&second, 0, 4096);
        let waits = at(&taken, step + 1);
        other.fill(&waits, &at(&taken, step + 2), &range, &[0xEE])?;
    }
    assert!(steps.query()? < 3);
    running.finish(fixture)?;
    fixture.wait(&taken, 8)?;
    fixture.wait(&steps, 4)?;
    fixture.expect(&output, &[0x19; 4096])
}

fn host_signals_overtake(fixture: &Fixture) -> Outcome {
    let running = Running::start(fixture)?;
    let (gate, parked, any) = (
        fixture.semaphore()?,
        fixture.semaphore()?,
        fixture.semaphore()?,
    );
    let waits = [at(&running.done, 1), at(&gate, 1)].concat();
    fixture.queue().barrier(&waits, &at(&parked, 1))?;
    any.signal(1)?;
    let points = [at(&running.done, 1), at(&any, 1)].concat();
    wait_timepoints(&points, WaitMode::Any, LONG)?;
    gate.signal(1)?;
    assert_eq!(parked.query()?, 0);
    running.finish(fixture)?;
    fixture.wait(&parked, 1)
}
