//! Commands on buffers whose memory the queue allocates.

use hal::flags::MemoryAccess;
use hal::{Buffer, BufferParams, BufferRef, Timepoint};

use crate::cases;
use crate::commands::{PATIENCE, device_params, expect_bytes, varied};
use crate::frame::{Case, Fixture, Outcome};

pub(crate) const CASES: &[Case] = cases![Bindings:
    fill_transient_buffer,
    fill_transient_buffer_subrange,
    fill_transient_buffer_1_byte,
    copy_to_transient_buffer,
    copy_from_transient_buffer,
    fill_then_copy_in_single_command_buffer,
    update_transient_buffer,
    fill_transient_with_zero_access_flags,
    recorded_before_alloca_executes,
];

/// A buffer of the queue's, allocated by now.
fn transient(fixture: &Fixture, params: &BufferParams, bytes: u64) -> hal::Result<Buffer> {
    let semaphore = fixture.semaphore()?;
    let signals = [Timepoint::new(&semaphore, 1)];
    let buffer = fixture.queue().alloca(&[], &signals, params, bytes)?;
    semaphore.wait(1, PATIENCE)?;
    Ok(buffer)
}

/// Takes the memory back.
fn dealloca(fixture: &Fixture, buffer: &Buffer) -> Outcome {
    fixture.submit_and_wait(|queue, signals| queue.dealloca(&[], signals, buffer))?;
    Ok(())
}

fn fill_transient_buffer(fixture: &Fixture) -> Outcome {
    let buffer = transient(fixture, &device_params(), 1024)?;
    fixture.run(|commands, names| commands.fill(&names.whole(&buffer), &[0xAB]))?;
    assert_eq!(fixture.read(&buffer)?, [0xAB; 1024]);
    dealloca(fixture, &buffer)
}

fn fill_transient_buffer_subrange(fixture: &Fixture) -> Outcome {
    let buffer = transient(fixture, &device_params(), 256)?;
    fixture.run(|commands, names| commands.fill(&names.whole(&buffer), &[0]))?;
    fixture.run(|commands, names| commands.fill(&names.range(&buffer, 64, 128), &[0xCD]))?;
    let mut expected = vec![0; 256];
    expected[64..192].fill(0xCD);
    expect_bytes("transient", &fixture.read(&buffer)?, &expected)?;
    dealloca(fixture, &buffer)
}

fn fill_transient_buffer_1_byte(fixture: &Fixture) -> Outcome {
    let buffer = transient(fixture, &device_params(), 16)?;
    fixture.run(|commands, names| {
        commands.fill(&names.whole(&buffer), &[1])?;
        commands.barrier()?;
        commands.fill(&names.range(&buffer, 7, 1), &[2])
    })?;
    let mut expected = [1; 16];
    expected[7] = 2;
    assert_eq!(fixture.read(&buffer)?, expected);
    dealloca(fixture, &buffer)
}

fn copy_to_transient_buffer(fixture: &Fixture) -> Outcome {
    let contents = varied(512, 7);
    let source = fixture.buffer(&contents)?;
    let buffer = transient(fixture, &device_params(), 512)?;
    fixture.run(|commands, names| commands.copy(&names.whole(&source), &names.whole(&buffer)))?;
    expect_bytes("transient", &fixture.read(&buffer)?, &contents)?;
    dealloca(fixture, &buffer)
}

fn copy_from_transient_buffer(fixture: &Fixture) -> Outcome {
    let target = fixture.buffer(&[0; 512])?;
    let buffer = transient(fixture, &device_params(), 512)?;
    fixture.run(|commands, names| commands.fill(&names.whole(&buffer), &[0x42]))?;
    fixture.run(|commands, names| commands.copy(&names.whole(&buffer), &names.whole(&target)))?;
    dealloca(fixture, &buffer)?;
    assert_eq!(fixture.read(&target)?, [0x42; 512]);
    Ok(())
}

fn fill_then_copy_in_single_command_buffer(fixture: &Fixture) -> Outcome {
    let target = fixture.buffer(&[0; 512])?;
    let buffer = transient(fixture, &device_params(), 512)?;
    fixture.run(|commands, names| {
        let buffer = names.whole(&buffer);
        commands.fill(&buffer, &[0x24])?;
        commands.barrier()?;
        commands.copy(&buffer, &names.whole(&target))
    })?;
    dealloca(fixture, &buffer)?;
    assert_eq!(fixture.read(&target)?, [0x24; 512]);
    Ok(())
}

fn update_transient_buffer(fixture: &Fixture) -> Outcome {
    let contents = varied(300, 8);
    let buffer = transient(fixture, &device_params(), 300)?;
    fixture.run(|commands, names| commands.update(&contents, &names.range(&buffer, 0, 300)))?;
    expect_bytes("transient", &fixture.read(&buffer)?, &contents)?;
    dealloca(fixture, &buffer)
}

fn fill_transient_with_zero_access_flags(fixture: &Fixture) -> Outcome {
    let params = BufferParams {
        access: MemoryAccess::empty(),
        ..device_params()
    };
    let buffer = transient(fixture, &params, 64)?;
    assert_eq!(buffer.allowed_access(), MemoryAccess::ALL);
    fixture.run(|commands, names| commands.fill(&names.whole(&buffer), &[9]))?;
    assert_eq!(fixture.read(&buffer)?, [9; 64]);
    dealloca(fixture, &buffer)
}

/// The commands are recorded while the buffer has no memory, be it named by
/// itself or by the table.
fn recorded_before_alloca_executes(fixture: &Fixture) -> Outcome {
    let target = fixture.buffer(&[0; 64])?;
    let (gate, timeline) = (fixture.semaphore()?, fixture.semaphore()?);
    let at = |value| [Timepoint::new(&timeline, value)];
    let waits = [Timepoint::new(&gate, 1)];
    let queue = fixture.queue();
    let buffer = queue.alloca(&waits, &at(1), &device_params(), 64)?;
    buffer.device_ptr().expect_err("allocated before the wait");
    let execution = fixture.record(|commands, names| {
        let buffer = names.whole(&buffer);
        commands.fill(&buffer, &[0x77])?;
        commands.barrier()?;
        commands.copy(&buffer, &names.whole(&target))
    })?;
    queue.execute(&at(1), &at(2), &[execution])?;
    queue.dealloca(&at(2), &at(3), &buffer)?;
    gate.signal(1)?;
    timeline.wait(3, PATIENCE)?;
    assert_eq!(fixture.read(&target)?, [0x77; 64]);
    // What the wait was for is gone; new work finds the queue as it was.
    let again = transient(fixture, &device_params(), 64)?;
    fixture.submit_and_wait(|queue, signals| {
        queue.fill(&[], signals, &BufferRef::whole(&again), &[1])
    })?;
    assert_eq!(fixture.read(&again)?, [1; 64]);
    Ok(())
}
