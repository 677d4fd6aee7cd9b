//! Order within a command buffer.

use hal::flags::{AccessScope, ExecutionStage};
use hal::{BufferBarrier, Command, MemoryBarrier, StatusCode};

use crate::cases;
use crate::frame::{Case, Fixture, Outcome};
use crate::work::{pattern, refused};

pub(crate) const CASES: &[Case] = cases![Bindings:
    orders_commands,
    with_nothing_before_it,
    twice_in_a_row,
    after_one_command,
    after_many_commands,
    with_memory_and_buffers,
    only_barriers,
    host_stages_are_refused,
    flags_are_refused,
];

fn orders_commands(fixture: &Fixture) -> Outcome {
    let [first, second, third] = [0, 1, 2].map(|value| fixture.buffer(4096, value));
    let (first, second, third) = (first?, second?, third?);
    fixture.execute(|commands| {
        commands.fill(&commands.whole(&first), &[7])?;
        commands.barrier()?;
        commands.copy(&commands.whole(&first), &commands.whole(&second))?;
        commands.barrier()?;
        commands.copy(&commands.whole(&second), &commands.whole(&third))?;
        commands.barrier()?;
        commands.fill(&commands.whole(&first), &[9])?;
        Ok(())
    })?;
    fixture.expect(&first, &[9; 4096])?;
    fixture.expect(&second, &[7; 4096])?;
    fixture.expect(&third, &[7; 4096])
}

fn with_nothing_before_it(fixture: &Fixture) -> Outcome {
    let buffer = fixture.buffer(64, 0)?;
    fixture.execute(|commands| {
        commands.barrier()?;
        commands.fill(&commands.whole(&buffer), &[1])?;
        commands.barrier()?;
        Ok(())
    })?;
    fixture.expect(&buffer, &[1; 64])
}

/// The second barrier must not lose the order that the first one made.
fn twice_in_a_row(fixture: &Fixture) -> Outcome {
    let (first, second) = (fixture.buffer(4096, 0)?, fixture.buffer(4096, 1)?);
    let execution = fixture.record(|commands| {
        commands.fill(&commands.whole(&first), &[5])?;
        commands.fill(&commands.whole(&second), &[6])?;
        for _ in 0..3 {
            commands.barrier()?;
        }
        commands.copy(&commands.whole(&first), &commands.whole(&second))?;
        Ok(())
    })?;
    for _ in 0..4 {
        fixture.submit(&execution)?;
        fixture.expect(&second, &[5; 4096])?;
    }
    Ok(())
}

fn after_one_command(fixture: &Fixture) -> Outcome {
    // Each overwrites the one before: the last one must stand.
    let buffer = fixture.buffer(256, 0)?;
    fixture.execute(|commands| {
        for value in 1..=50 {
            commands.fill(&commands.whole(&buffer), &[value])?;
            commands.barrier()?;
        }
        Ok(())
    })?;
    fixture.expect(&buffer, &[50; 256])
}

/// More commands between two barriers than any fixed table would hold.
fn after_many_commands(fixture: &Fixture) -> Outcome {
    let (source, target) = (fixture.buffer(1024, 0)?, fixture.buffer(1024, 0)?);
    let execution = fixture.record(|commands| {
        for index in 0..256_u64 {
            let part = commands.range(&source, 4 * index, 4);
            commands.fill(&part, &[index as u8])?;
        }
        commands.barrier()?;
        commands.copy(&commands.whole(&source), &commands.whole(&target))?;
        Ok(())
    })?;
    let expected: Vec<u8> = (0..=255).flat_map(|byte: u8| [byte; 4]).collect();
    for _ in 0..3 {
        fixture.submit(&execution)?;
        fixture.expect(&target, &expected)?;
        fixture.upload(&source, &[0; 1024])?;
        fixture.upload(&target, &[0; 1024])?;
    }
    Ok(())
}

fn with_memory_and_buffers(fixture: &Fixture) -> Outcome {
    let (source, target) = (fixture.buffer(64, 1)?, fixture.buffer(64, 0)?);
    let contents = pattern(64, 1);
    fixture.execute(|commands| {
        commands.update(&contents, &commands.whole(&source))?;
        commands.record(&Command::ExecutionBarrier {
            source: ExecutionStage::TRANSFER,
            target: ExecutionStage::TRANSFER,
            flags: 0,
            memory: &[MemoryBarrier {
                source: AccessScope::TRANSFER_WRITE,
                target: AccessScope::TRANSFER_READ,
            }],
            buffers: &[BufferBarrier {
                source: AccessScope::TRANSFER_WRITE,
                target: AccessScope::TRANSFER_READ,
                buffer: &commands.whole(&source),
            }],
        })?;
        commands.copy(&commands.whole(&source), &commands.whole(&target))?;
        Ok(())
    })?;
    fixture.expect(&target, &contents)
}

fn only_barriers(fixture: &Fixture) -> Outcome {
    let execution = fixture.record(|commands| {
        commands.barrier()?;
        commands.barrier()?;
        Ok(())
    })?;
    fixture.submit(&execution)?;
    fixture.submit(&execution)
}

fn barrier(source: ExecutionStage, target: ExecutionStage, flags: u64) -> Command<'static> {
    Command::ExecutionBarrier {
        source,
        target,
        flags,
        memory: &[],
        buffers: &[],
    }
}

/// While recording, not when the commands run.
fn host_stages_are_refused(fixture: &Fixture) -> Outcome {
    let buffer = fixture.buffer(16, 0)?;
    fixture.execute(|commands| {
        commands.fill(&commands.whole(&buffer), &[1])?;
        let (host, other) = (ExecutionStage::HOST, ExecutionStage::DISPATCH);
        for (source, target) in [(host, other), (other, host), (host | other, other)] {
            let recorded = commands.record(&barrier(source, target, 0));
            refused(recorded, StatusCode::Unimplemented);
        }
        Ok(())
    })?;
    fixture.expect(&buffer, &[1; 16])
}

fn flags_are_refused(fixture: &Fixture) -> Outcome {
    fixture.execute(|commands| {
        let stage = ExecutionStage::TRANSFER;
        let recorded = commands.record(&barrier(stage, stage, 1));
        refused(recorded, StatusCode::Unimplemented);
        Ok(())
    })
}
