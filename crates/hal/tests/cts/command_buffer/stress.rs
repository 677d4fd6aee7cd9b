//! Many commands and many submissions.

use hal::{Timepoint, flags::CommandBufferFlags};

use crate::cases;
use crate::commands::{PATIENCE, expect_bytes, varied};
use crate::frame::{Case, Fixture, Outcome};

pub(crate) const CASES: &[Case] = cases![Bindings:
    rapid_fill_submit,
    rapid_copy_submit,
    large_fill_command_buffer,
];

fn rapid_fill_submit(fixture: &Fixture) -> Outcome {
    let buffer = fixture.buffer(&[0; 4096])?;
    let timeline = fixture.semaphore()?;
    for round in 0..200_u64 {
        let execution = fixture.record(|commands, names| {
            commands.fill(&names.whole(&buffer), &(round as u32).to_le_bytes())
        })?;
        let signals = [Timepoint::new(&timeline, round + 1)];
        fixture.queue().execute(&[], &signals, &[execution])?;
    }
    timeline.wait(200, PATIENCE)?;
    assert_eq!(fixture.read_of::<u32>(&buffer)?, [199; 1024]);
    Ok(())
}

fn rapid_copy_submit(fixture: &Fixture) -> Outcome {
    let contents = varied(4096, 6);
    let source = fixture.buffer(&contents)?;
    let target = fixture.buffer(&[0; 4096])?;
    let timeline = fixture.semaphore()?;
    for round in 0..200 {
        let commands = fixture.command_buffer(CommandBufferFlags::ONE_SHOT)?;
        commands.begin()?;
        let (from, to) = (
            hal::BufferRef::whole(&source),
            hal::BufferRef::whole(&target),
        );
        commands.copy(&from, &to)?;
        commands.end()?;
        let signals = [Timepoint::new(&timeline, round + 1)];
        let execution = hal::Execution::new(&commands);
        fixture.queue().execute(&[], &signals, &[execution])?;
    }
    timeline.wait(200, PATIENCE)?;
    expect_bytes("target", &fixture.read(&target)?, &contents)
}

fn large_fill_command_buffer(fixture: &Fixture) -> Outcome {
    let buffer = fixture.buffer(&[0; 4096])?;
    fixture.run(|commands, names| {
        let target = names.whole(&buffer);
        for round in 0..512_u32 {
            commands.fill(&target, &round.to_le_bytes())?;
            commands.barrier()?;
        }
        Ok(())
    })?;
    assert_eq!(fixture.read_of::<u32>(&buffer)?, [511; 1024]);
    Ok(())
}
