//! Work of a caller that does not wait: dispatches may be put off, and nobody
//! can tell.

use hal::{Buffer, BufferParams, BufferRef, CommandBuffer, Execution};

use crate::cases;
use crate::frame::{Case, Fixture, Outcome, Stop};
use crate::work::{at, slot, table, words};

pub(crate) const CASES: &[Case] = cases![Mode:
    one_after_the_other,
    before_other_work,
    before_another_queue,
    while_memory_comes_and_goes,
    a_query_is_enough,
];

const SCALE: u32 = 3;
const OFFSET: u32 = 5;

/// After so many steps from 1.
fn expected(steps: u64) -> Vec<u8> {
    let step = |value: u32, _| value.wrapping_mul(SCALE).wrapping_add(OFFSET);
    words([(0..steps).fold(1, step); 4])
}

/// One dispatch that scales and offsets, for any two buffers.
struct Step(CommandBuffer);

impl Step {
    fn new(fixture: &Fixture) -> Result<Self, Stop> {
        let executable = fixture.executable("scale_and_offset")?;
        let constants = [SCALE, OFFSET];
        let commands = fixture.record_slots(|commands| {
            let bindings = [slot(0), slot(1)];
            commands.dispatch(&executable, 0, [1, 1, 1], &constants, &bindings)
        })?;
        Ok(Self(commands))
    }

    fn of(&self, from: &Buffer, to: &Buffer) -> [Execution; 1] {
        [Execution::with_bindings(&self.0, &table(&[from, to]))]
    }
}

fn pair(fixture: &Fixture) -> Result<[Buffer; 2], Stop> {
    let first = fixture.buffer_of(&words([1; 4]))?;
    Ok([first, fixture.buffer(16, 0)?])
}

fn one_after_the_other(fixture: &Fixture) -> Outcome {
    let (step, queue, done) = (Step::new(fixture)?, fixture.queue(), fixture.semaphore()?);
    let mut buffers = pair(fixture)?;
    for number in 1..=200 {
        let execution = step.of(&buffers[0], &buffers[1]);
        let waits = at(&done, number - 1);
        queue.execute_ahead(&waits, &at(&done, number), &execution)?;
        buffers.swap(0, 1);
        // Now and then somebody waits, and what was put off is not enough
        // for a batch.
        if number % 67 == 0 {
            fixture.wait(&done, number)?;
            fixture.expect(&buffers[0], &expected(number))?;
        }
    }
    fixture.wait(&done, 200)?;
    fixture.expect(&buffers[0], &expected(200))
}

fn before_other_work(fixture: &Fixture) -> Outcome {
    let (step, queue, done) = (Step::new(fixture)?, fixture.queue(), fixture.semaphore()?);
    let mut buffers = pair(fixture)?;
    let copy = fixture.buffer(16, 0)?;
    for number in 1..=90 {
        let execution = step.of(&buffers[0], &buffers[1]);
        queue.execute_ahead(&[], &at(&done, number), &execution)?;
        buffers.swap(0, 1);
    }
    let whole = |buffer: &Buffer| BufferRef::whole(buffer);
    queue.copy(&[], &at(&done, 91), &whole(&buffers[0]), &whole(&copy))?;
    queue.fill(&[], &at(&done, 92), &whole(&buffers[0]), &[7])?;
    fixture.wait(&done, 92)?;
    fixture.expect(&copy, &expected(90))?;
    fixture.expect(&buffers[0], &[7; 16])
}

fn before_another_queue(fixture: &Fixture) -> Outcome {
    let (step, queue) = (Step::new(fixture)?, fixture.queue());
    let (done, copied) = (fixture.semaphore()?, fixture.semaphore()?);
    let mut buffers = pair(fixture)?;
    let copy = fixture.buffer(16, 0)?;
    for number in 1..=30 {
        let execution = step.of(&buffers[0], &buffers[1]);
        queue.execute_ahead(&[], &at(&done, number), &execution)?;
        buffers.swap(0, 1);
    }
    fixture.other_queue().copy(
        &at(&done, 30),
        &at(&copied, 1),
        &BufferRef::whole(&buffers[0]),
        &BufferRef::whole(&copy),
    )?;
    fixture.wait(&copied, 1)?;
    fixture.expect(&copy, &expected(30))
}

/// What is freed by the driver must not be freed before a dispatch uses it.
fn while_memory_comes_and_goes(fixture: &Fixture) -> Outcome {
    let (step, queue, done) = (Step::new(fixture)?, fixture.queue(), fixture.semaphore()?);
    let [data, _] = pair(fixture)?;
    let params = BufferParams::device_local();
    let mut value = 0;
    let mut next = || {
        value += 1;
        at(&done, value)
    };
    for round in 0..60_u64 {
        // Kept for the next one, or given back.
        let bytes = if round % 5 == 4 { 2 << 20 } else { 16 };
        let between = queue.alloca(&[], &next(), &params, bytes)?;
        queue.execute_ahead(&[], &next(), &step.of(&data, &between))?;
        queue.execute_ahead(&[], &next(), &step.of(&between, &data))?;
        queue.dealloca(&[], &next(), &between)?;
    }
    fixture.wait(&done, 4 * 60)?;
    fixture.expect(&data, &expected(120))
}

fn a_query_is_enough(fixture: &Fixture) -> Outcome {
    let (step, queue, done) = (Step::new(fixture)?, fixture.queue(), fixture.semaphore()?);
    let mut buffers = pair(fixture)?;
    for number in 1..=30 {
        let execution = step.of(&buffers[0], &buffers[1]);
        queue.execute_ahead(&[], &at(&done, number), &execution)?;
        buffers.swap(0, 1);
    }
    while done.query()? < 30 {
        std::thread::yield_now();
    }
    fixture.expect(&buffers[0], &expected(30))
}
