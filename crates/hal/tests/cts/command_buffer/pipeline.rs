//! Commands that use what the ones before have made.

use hal::{BufferParams, Execution};

use crate::cases;
use crate::frame::{Case, Fixture, Outcome};
use crate::work::{at, slot, table, words};

pub(crate) const CASES: &[Case] = cases![Kernels:
    update_then_dispatch,
    chained_dispatches,
    fill_dispatch_dispatch,
    transient_input,
    reusable_with_different_inputs,
];

fn update_then_dispatch(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("scale_and_offset")?;
    let (input, output) = (fixture.buffer(16, 0)?, fixture.buffer(16, 0)?);
    fixture.execute(|commands| {
        let bindings = [commands.whole(&input), commands.whole(&output)];
        commands.update(&words([1, 2, 3, 4]), &bindings[0])?;
        commands.barrier()?;
        commands.dispatch(&executable, 0, [1, 1, 1], &[2, 5], &bindings)?;
        Ok(())
    })?;
    fixture.expect(&output, &words([7, 9, 11, 13]))
}

fn chained_dispatches(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("scale_and_offset")?;
    let input = fixture.buffer_of(&words([1, 2, 3, 4]))?;
    let (between, output) = (fixture.buffer(16, 0)?, fixture.buffer(16, 0)?);
    let execution = fixture.record(|commands| {
        let [input, between, output] =
            [&input, &between, &output].map(|buffer| commands.whole(buffer));
        let first = [input, between.clone()];
        commands.dispatch(&executable, 0, [1, 1, 1], &[1, 5], &first)?;
        commands.barrier()?;
        let second = [between, output];
        commands.dispatch(&executable, 0, [1, 1, 1], &[2, 0], &second)?;
        Ok(())
    })?;
    for _ in 0..3 {
        fixture.submit(&execution)?;
        fixture.expect(&output, &words([12, 14, 16, 18]))?;
        fixture.upload(&output, &[0; 16])?;
        fixture.upload(&between, &[0; 16])?;
    }
    Ok(())
}

fn fill_dispatch_dispatch(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("scale_and_offset")?;
    let input = fixture.buffer_of(&words([1, 2, 3, 4]))?;
    let (between, output) = (fixture.buffer(16, 0)?, fixture.buffer(32, 0)?);
    fixture.execute(|commands| {
        let [input, between, output] =
            [&input, &between, &output].map(|buffer| commands.range(buffer, 0, 16));
        commands.fill(&between, &[0xFF])?;
        commands.fill(&output, &[0xFF])?;
        commands.barrier()?;
        let first = [input, between.clone()];
        commands.dispatch(&executable, 0, [1, 1, 1], &[10, 2], &first)?;
        commands.barrier()?;
        let second = [between, output];
        commands.dispatch(&executable, 0, [1, 1, 1], &[3, 1], &second)?;
        Ok(())
    })?;
    fixture.expect(&output, &words([37, 67, 97, 127, 0, 0, 0, 0]))
}

/// The input is memory that the queue allocates.
fn transient_input(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("scale_and_offset")?;
    let output = fixture.buffer(16, 0)?;
    let steps = fixture.semaphore()?;
    let queue = fixture.queue();
    let input = queue.alloca(&[], &at(&steps, 1), &BufferParams::device_local(), 16)?;
    let execution = fixture.record_one_shot(|commands| {
        let bindings = [commands.range(&input, 0, 16), commands.whole(&output)];
        commands.update(&words([1, 2, 3, 4]), &bindings[0])?;
        commands.barrier()?;
        commands.dispatch(&executable, 0, [1, 1, 1], &[20, 1], &bindings)?;
        Ok(())
    })?;
    queue.execute(&at(&steps, 1), &at(&steps, 2), &[execution])?;
    queue.dealloca(&at(&steps, 2), &at(&steps, 3), &input)?;
    fixture.wait(&steps, 3)?;
    fixture.expect(&output, &words([21, 41, 61, 81]))
}

/// One command buffer, its input by a slot whatever else is direct.
fn reusable_with_different_inputs(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("scale_and_offset")?;
    let (between, output) = (fixture.buffer(16, 0)?, fixture.buffer(16, 0)?);
    let commands = fixture.record_slots(|commands| {
        let first = [slot(0), slot(1)];
        commands.dispatch(&executable, 0, [1, 1, 1], &[2, 1], &first)?;
        commands.barrier()?;
        let second = [slot(1), slot(2)];
        commands.dispatch(&executable, 0, [1, 1, 1], &[10, 0], &second)
    })?;
    for base in [0, 100, 7] {
        let input = fixture.buffer_of(&words(base..base + 4))?;
        let buffers = table(&[&input, &between, &output]);
        fixture.submit(&Execution::with_bindings(&commands, &buffers))?;
        let expected = words((base..base + 4).map(|x| 20 * x + 10));
        fixture.expect(&output, &expected)?;
    }
    Ok(())
}
