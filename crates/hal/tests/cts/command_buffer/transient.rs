//! Commands on memory that queues allocate.

use hal::flags::MemoryAccess;
use hal::{Buffer, BufferParams, StatusCode};

use crate::cases;
use crate::frame::{Case, Fixture, Outcome, Stop};
use crate::work::{at, patched, pattern, refused};

pub(crate) const CASES: &[Case] = cases![Bindings:
    fill_transient_buffer,
    fill_transient_buffer_subrange,
    fill_transient_buffer_1_byte,
    copy_to_transient_buffer,
    copy_from_transient_buffer,
    fill_then_copy_in_single_command_buffer,
    update_transient_buffer,
    fill_transient_with_zero_access_flags,
    recorded_before_alloca_completes,
    resolved_after_alloca_completes,
    same_commands_before_and_after_another_allocation,
    submitted_after_dealloca,
];

/// A buffer that the queue has allocated.
fn transient(fixture: &Fixture, bytes: u64, access: MemoryAccess) -> Result<Buffer, Stop> {
    let params = BufferParams {
        access,
        ..BufferParams::device_local()
    };
    let done = fixture.semaphore()?;
    let buffer = fixture.queue().alloca(&[], &at(&done, 1), &params, bytes)?;
    fixture.wait(&done, 1)?;
    Ok(buffer.subspan(0, bytes)?)
}

fn release(fixture: &Fixture, buffer: &Buffer) -> Outcome {
    let done = fixture.semaphore()?;
    fixture.queue().dealloca(&[], &at(&done, 1), buffer)?;
    fixture.wait(&done, 1)
}

fn fill(fixture: &Fixture, offset: u64, length: u64, value: &[u8]) -> Outcome {
    let buffer = transient(fixture, 256, MemoryAccess::ALL)?;
    fixture.upload(&buffer, &[0; 256])?;
    fixture.execute(|commands| {
        commands.fill(&commands.range(&buffer, offset, length), value)?;
        Ok(())
    })?;
    let filled = value.repeat(length as usize / value.len());
    fixture.expect(&buffer, &patched(vec![0; 256], offset as usize, &filled))?;
    release(fixture, &buffer)
}

fn fill_transient_buffer(fixture: &Fixture) -> Outcome {
    fill(fixture, 0, 256, &0xDEAD_BEEF_u32.to_le_bytes())
}

fn fill_transient_buffer_subrange(fixture: &Fixture) -> Outcome {
    fill(fixture, 64, 100, &0xDEAD_BEEF_u32.to_le_bytes())
}

fn fill_transient_buffer_1_byte(fixture: &Fixture) -> Outcome {
    fill(fixture, 1, 201, &[0xAB])
}

fn copy_to_transient_buffer(fixture: &Fixture) -> Outcome {
    let contents = pattern(256, 1);
    let source = fixture.buffer_of(&contents)?;
    let buffer = transient(fixture, 256, MemoryAccess::ALL)?;
    fixture.execute(|commands| {
        commands.copy(&commands.whole(&source), &commands.whole(&buffer))?;
        Ok(())
    })?;
    fixture.expect(&buffer, &contents)?;
    release(fixture, &buffer)
}

fn copy_from_transient_buffer(fixture: &Fixture) -> Outcome {
    let contents = pattern(256, 2);
    let target = fixture.buffer(256, 0)?;
    let buffer = transient(fixture, 256, MemoryAccess::ALL)?;
    fixture.upload(&buffer, &contents)?;
    fixture.execute(|commands| {
        let source = commands.range(&buffer, 32, 128);
        commands.copy(&source, &commands.range(&target, 64, 128))?;
        Ok(())
    })?;
    fixture.expect(&target, &patched(vec![0; 256], 64, &contents[32..160]))?;
    release(fixture, &buffer)
}

fn fill_then_copy_in_single_command_buffer(fixture: &Fixture) -> Outcome {
    let target = fixture.buffer(256, 0)?;
    let buffer = transient(fixture, 256, MemoryAccess::ALL)?;
    fixture.execute(|commands| {
        commands.fill(&commands.whole(&buffer), &[0xCD])?;
        commands.barrier()?;
        commands.copy(&commands.whole(&buffer), &commands.whole(&target))?;
        Ok(())
    })?;
    fixture.expect(&target, &[0xCD; 256])?;
    release(fixture, &buffer)
}

fn update_transient_buffer(fixture: &Fixture) -> Outcome {
    let contents = pattern(256, 3);
    let buffer = transient(fixture, 256, MemoryAccess::ALL)?;
    fixture.execute(|commands| {
        commands.update(&contents, &commands.whole(&buffer))?;
        Ok(())
    })?;
    fixture.expect(&buffer, &contents)?;
    release(fixture, &buffer)
}

/// No access asked for is every access.
fn fill_transient_with_zero_access_flags(fixture: &Fixture) -> Outcome {
    let buffer = transient(fixture, 64, MemoryAccess::empty())?;
    fixture.execute(|commands| {
        commands.fill(&commands.whole(&buffer), &[0x5C])?;
        Ok(())
    })?;
    fixture.expect(&buffer, &[0x5C; 64])?;
    release(fixture, &buffer)
}

/// The address is not known while the commands are recorded.
fn recorded_before_alloca_completes(fixture: &Fixture) -> Outcome {
    let (gate, steps) = (fixture.semaphore()?, fixture.semaphore()?);
    let queue = fixture.queue();
    let params = BufferParams::device_local();
    let buffer = queue.alloca(&at(&gate, 1), &at(&steps, 1), &params, 64)?;
    assert!(buffer.device_ptr().is_err(), "allocated before its wait");
    let target = fixture.buffer(64, 0)?;
    let execution = fixture.record_one_shot(|commands| {
        commands.fill(&commands.range(&buffer, 0, 64), &[0x3D])?;
        commands.barrier()?;
        let source = commands.range(&buffer, 0, 64);
        commands.copy(&source, &commands.whole(&target))?;
        Ok(())
    })?;
    queue.execute(&at(&steps, 1), &at(&steps, 2), &[execution])?;
    queue.dealloca(&at(&steps, 2), &at(&steps, 3), &buffer)?;
    assert_eq!(steps.query()?, 0);
    gate.signal(1)?;
    fixture.wait(&steps, 3)?;
    fixture.expect(&target, &[0x3D; 64])
}

fn resolved_after_alloca_completes(fixture: &Fixture) -> Outcome {
    let target = fixture.buffer(64, 0)?;
    let executable = fixture.executable("write_workgroup_ids")?;
    let (gate, steps) = (fixture.semaphore()?, fixture.semaphore()?);
    let queue = fixture.queue();
    let params = BufferParams::device_local();
    let buffer = queue.alloca(&at(&gate, 1), &at(&steps, 1), &params, 64)?;
    let execution = fixture.record_one_shot(|commands| {
        let ids = commands.range(&buffer, 0, 64);
        commands.dispatch(&executable, 0, [16, 1, 1], &[], std::slice::from_ref(&ids))?;
        commands.barrier()?;
        commands.copy(&ids, &commands.whole(&target))?;
        Ok(())
    })?;
    gate.signal(1)?;
    fixture.wait(&steps, 1)?;
    queue.execute(&[], &at(&steps, 2), &[execution])?;
    fixture.wait(&steps, 2)?;
    fixture.expect(&target, &crate::work::words(0..16))?;
    release(fixture, &buffer)
}

/// Reusable commands on memory that is another one each time they run.
fn same_commands_before_and_after_another_allocation(fixture: &Fixture) -> Outcome {
    let buffer = transient(fixture, 64, MemoryAccess::ALL)?;
    let target = fixture.buffer(64, 0)?;
    let execution = fixture.record(|commands| {
        commands.fill(&commands.whole(&buffer), &[0x71])?;
        commands.barrier()?;
        commands.copy(&commands.whole(&buffer), &commands.whole(&target))?;
        Ok(())
    })?;
    for _ in 0..3 {
        fixture.submit(&execution)?;
        fixture.expect(&target, &[0x71; 64])?;
        fixture.upload(&target, &[0; 64])?;
        let other = transient(fixture, 64, MemoryAccess::ALL)?;
        release(fixture, &other)?;
    }
    release(fixture, &buffer)
}

fn submitted_after_dealloca(fixture: &Fixture) -> Outcome {
    let buffer = transient(fixture, 64, MemoryAccess::ALL)?;
    let execution = fixture.record(|commands| {
        commands.fill(&commands.whole(&buffer), &[1])?;
        Ok(())
    })?;
    fixture.submit(&execution)?;
    release(fixture, &buffer)?;
    let done = fixture.semaphore()?;
    let submitted = fixture.queue().execute(&[], &at(&done, 1), &[execution]);
    // Refused at once, or when the queue comes to it.
    let result = submitted.and_then(|()| done.wait(1, crate::work::LONG));
    refused(result, StatusCode::FailedPrecondition);
    // The queue goes on.
    let other = fixture.buffer(64, 5)?;
    fixture.expect(&other, &[5; 64])
}
