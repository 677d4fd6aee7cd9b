//! Memory that queues allocate and free.

use std::thread;
use std::time::{Duration, Instant};

use hal::flags::{BufferUsage, MemoryAccess, MemoryType};
use hal::{
    AllocatorStatistics, Buffer, BufferParams, BufferRef, DeviceParams, Status, StatusCode, Timeout,
};

use crate::cases;
use crate::frame::{Case, Fixture, Outcome};
use crate::work::{LONG, at, pattern, refused};

pub(crate) const CASES: &[Case] = cases![Device:
    basic_alloca,
    alloca_with_wait_semaphores,
    alloca_dealloca_cycle,
    buffer_metadata,
    dealloca_releases_memory,
    failed_alloca_wait_fails_the_buffer,
    failed_dealloca_wait_does_not_dealloca,
    chained_alloca_dealloca,
    repeated_chained_alloca_dealloca,
    dealloca_on_another_queue,
    memory_of_another_queue,
    dropped_without_dealloca,
    zero_access_flags_canonicalized,
    zero_bytes,
    host_visible_memory,
    without_pools,
    statistics_add_up,
    memory_of_no_pool_is_not_deallocated,
    more_than_there_is,
];

const BYTES: u64 = 1024;

fn device_local() -> BufferParams {
    BufferParams::device_local()
}

fn basic_alloca(fixture: &Fixture) -> Outcome {
    let steps = fixture.semaphore()?;
    let buffer = fixture
        .queue()
        .alloca(&[], &at(&steps, 1), &device_local(), BYTES)?;
    fixture.wait(&steps, 1)?;
    buffer.device_ptr()?;
    assert!(buffer.byte_length() >= BYTES);
    let contents = pattern(BYTES as usize, 1);
    let view = buffer.subspan(0, BYTES)?;
    fixture.upload(&view, &contents)?;
    fixture.expect(&view, &contents)?;
    fixture.queue().dealloca(&[], &at(&steps, 2), &buffer)?;
    fixture.wait(&steps, 2)
}

/// The call does not wait, and neither do others behind it.
fn alloca_with_wait_semaphores(fixture: &Fixture) -> Outcome {
    let (gate, steps) = (fixture.semaphore()?, fixture.semaphore()?);
    let queue = fixture.queue();
    let buffer = queue.alloca(&at(&gate, 1), &at(&steps, 1), &device_local(), BYTES)?;
    queue.dealloca(&at(&steps, 1), &at(&steps, 2), &buffer)?;
    assert_eq!(steps.query()?, 0);
    refused(buffer.device_ptr(), StatusCode::FailedPrecondition);
    let waited = steps.wait(1, Timeout::Immediate);
    refused(waited, StatusCode::DeadlineExceeded);
    let other = fixture.semaphore()?;
    queue.barrier(&[], &at(&other, 1))?;
    fixture.wait(&other, 1)?;
    gate.signal(1)?;
    fixture.wait(&steps, 2)
}

fn alloca_dealloca_cycle(fixture: &Fixture) -> Outcome {
    let steps = fixture.semaphore()?;
    for round in 0..16 {
        let step = 2 * round;
        let buffer = fixture
            .queue()
            .alloca(&[], &at(&steps, step + 1), &device_local(), BYTES)?;
        fixture.wait(&steps, step + 1)?;
        let signals = at(&steps, step + 2);
        fixture.queue().dealloca(&[], &signals, &buffer)?;
        fixture.wait(&steps, step + 2)?;
    }
    Ok(())
}

fn buffer_metadata(fixture: &Fixture) -> Outcome {
    let params = BufferParams {
        usage: BufferUsage::TRANSFER | BufferUsage::DISPATCH_STORAGE,
        access: MemoryAccess::READ | MemoryAccess::WRITE,
        ..device_local()
    };
    let steps = fixture.semaphore()?;
    let buffer = fixture
        .queue()
        .alloca(&[], &at(&steps, 1), &params, BYTES)?;
    assert!(buffer.memory_type().contains(MemoryType::DEVICE_LOCAL));
    assert!(buffer.allowed_usage().contains(params.usage));
    assert_eq!(buffer.allowed_access(), params.access);
    assert_eq!(buffer.byte_offset(), 0);
    assert!(buffer.byte_length() >= BYTES);
    fixture.wait(&steps, 1)
}

fn dealloca_releases_memory(fixture: &Fixture) -> Outcome {
    let steps = fixture.semaphore()?;
    let queue = fixture.queue();
    let buffer = queue.alloca(&[], &at(&steps, 1), &device_local(), BYTES)?;
    queue.dealloca(&at(&steps, 1), &at(&steps, 2), &buffer)?;
    fixture.wait(&steps, 2)?;
    refused(buffer.device_ptr(), StatusCode::FailedPrecondition);
    let done = fixture.semaphore()?;
    let target = BufferRef::whole(&buffer);
    let result = queue
        .fill(&[], &at(&done, 1), &target, &[1])
        .and_then(|()| done.wait(1, LONG));
    refused(result, StatusCode::FailedPrecondition);
    // Once is enough.
    let again = fixture.semaphore()?;
    let result = queue
        .dealloca(&[], &at(&again, 1), &buffer)
        .and_then(|()| again.wait(1, LONG));
    refused(result, StatusCode::FailedPrecondition);
    // The queue goes on.
    queue.barrier(&[], &at(&steps, 3))?;
    fixture.wait(&steps, 3)
}

fn failed_alloca_wait_fails_the_buffer(fixture: &Fixture) -> Outcome {
    let (gate, steps) = (fixture.semaphore()?, fixture.semaphore()?);
    let queue = fixture.queue();
    let buffer = queue.alloca(&at(&gate, 1), &at(&steps, 1), &device_local(), BYTES)?;
    gate.fail(Status::data_loss("lost"));
    refused(steps.wait(1, LONG), StatusCode::DataLoss);
    assert!(buffer.device_ptr().is_err(), "it has memory");
    let done = fixture.semaphore()?;
    let target = BufferRef::whole(&buffer);
    let result = queue
        .fill(&[], &at(&done, 1), &target, &[1])
        .and_then(|()| done.wait(1, LONG));
    assert!(result.is_err(), "a buffer without memory was filled");
    Ok(())
}

fn failed_dealloca_wait_does_not_dealloca(fixture: &Fixture) -> Outcome {
    let (gate, steps) = (fixture.semaphore()?, fixture.semaphore()?);
    let queue = fixture.queue();
    let buffer = queue.alloca(&[], &at(&steps, 1), &device_local(), BYTES)?;
    fixture.wait(&steps, 1)?;
    let freed = fixture.semaphore()?;
    queue.dealloca(&at(&gate, 1), &at(&freed, 1), &buffer)?;
    gate.fail(Status::cancelled("not now"));
    refused(freed.wait(1, LONG), StatusCode::Cancelled);
    let view = buffer.subspan(0, BYTES)?;
    let contents = pattern(BYTES as usize, 2);
    fixture.upload(&view, &contents)?;
    fixture.expect(&view, &contents)?;
    queue.dealloca(&[], &at(&steps, 2), &buffer)?;
    fixture.wait(&steps, 2)
}

fn chain(fixture: &Fixture, rounds: u64) -> Outcome {
    let steps = fixture.semaphore()?;
    let queue = fixture.queue();
    let output = fixture.buffer(BYTES as usize, 0)?;
    let mut last = Vec::new();
    for round in 0..rounds {
        let step = 4 * round;
        let buffer = queue.alloca(&last, &at(&steps, step + 1), &device_local(), BYTES)?;
        let range = BufferRef::range(&buffer, 0, BYTES);
        let value = [round as u8 + 1];
        queue.fill(&at(&steps, step + 1), &at(&steps, step + 2), &range, &value)?;
        let target = BufferRef::whole(&output);
        queue.copy(
            &at(&steps, step + 2),
            &at(&steps, step + 3),
            &range,
            &target,
        )?;
        queue.dealloca(&at(&steps, step + 3), &at(&steps, step + 4), &buffer)?;
        last = at(&steps, step + 4).to_vec();
    }
    fixture.wait(&steps, 4 * rounds)?;
    fixture.expect(&output, &[rounds as u8; BYTES as usize])
}

fn chained_alloca_dealloca(fixture: &Fixture) -> Outcome {
    chain(fixture, 2)
}

fn repeated_chained_alloca_dealloca(fixture: &Fixture) -> Outcome {
    chain(fixture, 32)
}

fn dealloca_on_another_queue(fixture: &Fixture) -> Outcome {
    let steps = fixture.semaphore()?;
    let (queue, other) = (fixture.queue(), fixture.other_queue());
    let buffer = queue.alloca(&[], &at(&steps, 1), &device_local(), BYTES)?;
    let target = BufferRef::range(&buffer, 0, BYTES);
    queue.fill(&at(&steps, 1), &at(&steps, 2), &target, &[1])?;
    other.dealloca(&at(&steps, 2), &at(&steps, 3), &buffer)?;
    fixture.wait(&steps, 3)?;
    refused(buffer.device_ptr(), StatusCode::FailedPrecondition);
    Ok(())
}

/// Allocated by one queue, used by the other, in the order of semaphores.
fn memory_of_another_queue(fixture: &Fixture) -> Outcome {
    let steps = fixture.semaphore()?;
    let output = fixture.buffer(BYTES as usize, 0)?;
    let (queue, other) = (fixture.queue(), fixture.other_queue());
    let buffer = queue.alloca(&[], &at(&steps, 1), &device_local(), BYTES)?;
    let range = BufferRef::range(&buffer, 0, BYTES);
    other.fill(&at(&steps, 1), &at(&steps, 2), &range, &[0x31])?;
    let target = BufferRef::whole(&output);
    queue.copy(&at(&steps, 2), &at(&steps, 3), &range, &target)?;
    queue.dealloca(&at(&steps, 3), &at(&steps, 4), &buffer)?;
    fixture.wait(&steps, 4)?;
    fixture.expect(&output, &[0x31; BYTES as usize])
}

/// A buffer that is forgotten gives its memory back, and not before its work is done.
fn dropped_without_dealloca(fixture: &Fixture) -> Outcome {
    let allocator = fixture.device.allocator();
    let before = allocator.statistics()?;
    let steps = fixture.semaphore()?;
    let output = fixture.buffer(BYTES as usize, 0)?;
    let queue = fixture.queue();
    for round in 0..8 {
        let step = 3 * round;
        let buffer: Buffer = queue.alloca(&[], &at(&steps, step + 1), &device_local(), BYTES)?;
        let range = BufferRef::range(&buffer, 0, BYTES);
        queue.fill(&at(&steps, step + 1), &at(&steps, step + 2), &range, &[7])?;
        let target = BufferRef::whole(&output);
        queue.copy(
            &at(&steps, step + 2),
            &at(&steps, step + 3),
            &range,
            &target,
        )?;
    }
    fixture.wait(&steps, 24)?;
    fixture.expect(&output, &[7; BYTES as usize])?;
    queue.wait_idle();
    drop(output);
    let live = |statistics: &AllocatorStatistics| {
        statistics.device_bytes_allocated - statistics.device_bytes_freed
    };
    // Another thread may be about to let go of it.
    let begin = Instant::now();
    while live(&allocator.statistics()?) != live(&before) {
        assert!(begin.elapsed() < LONG, "memory was leaked");
        thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

fn zero_access_flags_canonicalized(fixture: &Fixture) -> Outcome {
    let params = BufferParams {
        access: MemoryAccess::empty(),
        ..device_local()
    };
    let steps = fixture.semaphore()?;
    let buffer = fixture
        .queue()
        .alloca(&[], &at(&steps, 1), &params, BYTES)?;
    assert_eq!(buffer.allowed_access(), MemoryAccess::ALL);
    fixture.wait(&steps, 1)
}

fn zero_bytes(fixture: &Fixture) -> Outcome {
    let steps = fixture.semaphore()?;
    let buffer = fixture
        .queue()
        .alloca(&[], &at(&steps, 1), &device_local(), 0)?;
    fixture
        .queue()
        .dealloca(&at(&steps, 1), &at(&steps, 2), &buffer)?;
    fixture.wait(&steps, 2)
}

fn host_visible_memory(fixture: &Fixture) -> Outcome {
    let steps = fixture.semaphore()?;
    let queue = fixture.queue();
    let params = BufferParams::host_visible();
    let buffer = queue.alloca(&[], &at(&steps, 1), &params, BYTES)?;
    let target = BufferRef::range(&buffer, 0, BYTES);
    queue.fill(&at(&steps, 1), &at(&steps, 2), &target, &[0x66])?;
    fixture.wait(&steps, 2)?;
    let mut contents = vec![0; BYTES as usize];
    buffer.map_read(0, &mut contents)?;
    if fixture.computes() {
        assert_eq!(contents, [0x66; BYTES as usize]);
    }
    queue.dealloca(&[], &at(&steps, 3), &buffer)?;
    fixture.wait(&steps, 3)
}

/// A device told to use no pools allocates all the same.
fn without_pools(fixture: &Fixture) -> Outcome {
    let params = DeviceParams {
        async_allocations: false,
        ..fixture.device.params().clone()
    };
    let device = fixture
        .driver
        .create_device_by_id(fixture.info.id, &params)?;
    let fixture = Fixture {
        driver: fixture.driver.clone(),
        info: fixture.info.clone(),
        device,
        indirect: fixture.indirect,
        generation: fixture.generation,
    };
    assert!(fixture.device.allocator().pool_statistics()?.is_none());
    fixture.device.trim()?;
    chain(&fixture, 3)?;
    alloca_with_wait_semaphores_without_pools(&fixture)
}

fn alloca_with_wait_semaphores_without_pools(fixture: &Fixture) -> Outcome {
    let (gate, steps) = (fixture.semaphore()?, fixture.semaphore()?);
    let queue = fixture.queue();
    let buffer = queue.alloca(&at(&gate, 1), &at(&steps, 1), &device_local(), BYTES)?;
    queue.dealloca(&at(&steps, 1), &at(&steps, 2), &buffer)?;
    assert_eq!(steps.query()?, 0);
    gate.signal(1)?;
    fixture.wait(&steps, 2)
}

fn statistics_add_up(fixture: &Fixture) -> Outcome {
    let allocator = fixture.device.allocator();
    let before = allocator.statistics()?;
    let kept = allocator.allocate(&device_local(), BYTES)?;
    let steps = fixture.semaphore()?;
    let queue = fixture.queue();
    let buffer = queue.alloca(&[], &at(&steps, 1), &device_local(), 2 * BYTES)?;
    fixture.wait(&steps, 1)?;
    let during = allocator.statistics()?;
    assert_eq!(
        during.device_bytes_allocated - before.device_bytes_allocated,
        3 * BYTES,
        "what pools gave and what they did not"
    );
    assert_eq!(during.device_bytes_freed, before.device_bytes_freed);
    queue.dealloca(&[], &at(&steps, 2), &buffer)?;
    fixture.wait(&steps, 2)?;
    drop(kept);
    let after = allocator.statistics()?;
    assert_eq!(
        after.device_bytes_freed - before.device_bytes_freed,
        3 * BYTES
    );
    Ok(())
}

fn memory_of_no_pool_is_not_deallocated(fixture: &Fixture) -> Outcome {
    let buffer = fixture.buffer(64, 6)?;
    let done = fixture.semaphore()?;
    fixture.queue().dealloca(&[], &at(&done, 1), &buffer)?;
    fixture.wait(&done, 1)?;
    fixture.expect(&buffer, &[6; 64])
}

fn more_than_there_is(fixture: &Fixture) -> Outcome {
    let (queue, done) = (fixture.queue(), fixture.semaphore()?);
    let result = queue
        .alloca(&[], &at(&done, 1), &device_local(), 1 << 46)
        .and_then(|_| done.wait(1, LONG));
    refused(result, StatusCode::ResourceExhausted);
    // The queue goes on.
    chain(fixture, 1)
}
