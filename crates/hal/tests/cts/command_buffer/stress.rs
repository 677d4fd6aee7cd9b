//! Many commands, many submissions.

use hal::{Execution, Semaphore};

use crate::cases;
use crate::frame::{Case, Fixture, Outcome};
use crate::work::{Recorder, at, pattern};

pub(crate) const CASES: &[Case] = cases![Bindings:
    rapid_fill_submit,
    rapid_copy_submit,
    large_fill_command_buffer,
];

/// Records one-shot commands and submits them at once, 200 times, and waits in the end.
fn submit_rapidly(fixture: &Fixture, record: impl Fn(&Recorder, u64) -> Outcome) -> Outcome {
    let done: Semaphore = fixture.semaphore()?;
    for round in 1..=200 {
        let execution: Execution = fixture.record_one_shot(|commands| record(commands, round))?;
        fixture
            .queue()
            .execute(&[], &at(&done, round), &[execution])?;
    }
    fixture.wait(&done, 200)
}

fn rapid_fill_submit(fixture: &Fixture) -> Outcome {
    let buffer = fixture.buffer(4096, 0)?;
    submit_rapidly(fixture, |commands, round| {
        commands.fill(&commands.whole(&buffer), &[round as u8])?;
        Ok(())
    })?;
    fixture.expect(&buffer, &[200; 4096])
}

fn rapid_copy_submit(fixture: &Fixture) -> Outcome {
    let contents = pattern(4096, 7);
    let buffers = [
        fixture.buffer_of(&contents)?,
        fixture.buffer(4096, 1)?,
        fixture.buffer(4096, 2)?,
    ];
    // Each reads what the one before has written.
    submit_rapidly(fixture, |commands, round| {
        let source = &buffers[(round as usize - 1) % 3];
        let target = &buffers[round as usize % 3];
        commands.copy(&commands.whole(source), &commands.whole(target))?;
        Ok(())
    })?;
    fixture.expect(&buffers[200 % 3], &contents)
}

fn large_fill_command_buffer(fixture: &Fixture) -> Outcome {
    let buffer = fixture.buffer(512 * 16, 0)?;
    let execution = fixture.record(|commands| {
        for index in 0..512_u64 {
            let target = commands.range(&buffer, 16 * index, 16);
            commands.fill(&target, &(index as u16).to_le_bytes())?;
        }
        Ok(())
    })?;
    fixture.submit(&execution)?;
    let expected: Vec<u8> = (0..512_u16)
        .flat_map(|index| index.to_le_bytes().repeat(8))
        .collect();
    fixture.expect(&buffer, &expected)
}
