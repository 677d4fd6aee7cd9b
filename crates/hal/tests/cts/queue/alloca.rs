//! Memory that queues allocate and free.

use hal::flags::{BufferUsage, MemoryAccess, MemoryType};
use hal::{Buffer, BufferKind, BufferParams, BufferRef, Status, StatusCode, Timepoint};

use crate::cases;
use crate::commands::{PATIENCE, device_params};
use crate::frame::{Case, Fixture, Outcome};

pub(crate) const CASES: &[Case] = cases![Mode:
    basic_alloca,
    alloca_with_wait_semaphores,
    alloca_dealloca_cycle,
    buffer_metadata,
    dealloca_releases_memory,
    failed_dealloca_wait_does_not_dealloca,
    failed_alloca_wait_fails_the_buffer,
    chained_alloca_dealloca,
    repeated_chained_alloca_dealloca,
    memory_of_another_kind_is_not_deallocated,
    host_visible_alloca,
    zero_access_flags_canonicalized,
    more_than_there_is,
];

fn basic_alloca(fixture: &Fixture) -> Outcome {
    let timeline = fixture.semaphore()?;
    let signals = [Timepoint::new(&timeline, 1)];
    let buffer = fixture
        .queue()
        .alloca(&[], &signals, &device_params(), 1024)?;
    timeline.wait(1, PATIENCE)?;
    assert!(buffer.byte_length() >= 1024);
    buffer.device_ptr()?;
    Ok(())
}

fn alloca_with_wait_semaphores(fixture: &Fixture) -> Outcome {
    let (gate, done) = (fixture.semaphore()?, fixture.semaphore()?);
    let waits = [Timepoint::new(&gate, 1)];
    let signals = [Timepoint::new(&done, 1)];
    let queue = fixture.queue();
    // Returns although the wait is not reached.
    let buffer = queue.alloca(&waits, &signals, &device_params(), 64)?;
    assert_eq!(done.query()?, 0);
    gate.signal(1)?;
    done.wait(1, PATIENCE)?;
    fixture.submit_and_wait(|queue, signals| {
        queue.fill(&[], signals, &BufferRef::whole(&buffer), &[5])
    })?;
    assert_eq!(fixture.read(&buffer)?, [5; 64]);
    Ok(())
}

/// Allocates, fills and reads; the memory is the queue's.
fn allocated(fixture: &Fixture, value: u8) -> hal::Result<Buffer> {
    let done = fixture.semaphore()?;
    let at = |value| [Timepoint::new(&done, value)];
    let queue = fixture.queue();
    let buffer = queue.alloca(&[], &at(1), &device_params(), 256)?;
    queue.fill(&at(1), &at(2), &BufferRef::whole(&buffer), &[value])?;
    done.wait(2, PATIENCE)?;
    assert_eq!(fixture.read(&buffer)?, [value; 256]);
    Ok(buffer)
}

fn alloca_dealloca_cycle(fixture: &Fixture) -> Outcome {
    for round in 1..=8 {
        let buffer = allocated(fixture, round)?;
        fixture.submit_and_wait(|queue, signals| queue.dealloca(&[], signals, &buffer))?;
    }
    let statistics = fixture.device.allocator().pool_statistics()?;
    if let Some([local, _]) = statistics {
        assert_eq!(local.bytes_allocated, local.bytes_freed);
    }
    Ok(())
}

fn buffer_metadata(fixture: &Fixture) -> Outcome {
    let buffer = allocated(fixture, 1)?;
    assert!(buffer.memory_type().contains(MemoryType::DEVICE_LOCAL));
    assert!(buffer.allowed_usage().contains(BufferUsage::DEFAULT));
    assert!(buffer.allowed_access().contains(MemoryAccess::ALL));
    if fixture.device.limits().memory_pools {
        assert_eq!(buffer.allocation().kind(), BufferKind::Async);
    }
    Ok(())
}

fn dealloca_releases_memory(fixture: &Fixture) -> Outcome {
    let buffer = allocated(fixture, 2)?;
    fixture.submit_and_wait(|queue, signals| queue.dealloca(&[], signals, &buffer))?;
    let status = buffer.device_ptr().expect_err("deallocated");
    assert_eq!(status.code(), StatusCode::FailedPrecondition);
    let used = fixture.submit_and_wait(|queue, signals| {
        queue.fill(&[], signals, &BufferRef::whole(&buffer), &[1])
    });
    let status = used.expect_err("deallocated memory was filled");
    let codes = [StatusCode::FailedPrecondition, StatusCode::InvalidArgument];
    assert!(codes.contains(&status.code()), "{status:#}");
    let again = fixture.submit_and_wait(|queue, signals| queue.dealloca(&[], signals, &buffer));
    again.expect_err("deallocated twice");
    Ok(())
}

fn failed_dealloca_wait_does_not_dealloca(fixture: &Fixture) -> Outcome {
    let buffer = allocated(fixture, 3)?;
    let (gate, done) = (fixture.semaphore()?, fixture.semaphore()?);
    let waits = [Timepoint::new(&gate, 1)];
    let signals = [Timepoint::new(&done, 1)];
    fixture.queue().dealloca(&waits, &signals, &buffer)?;
    gate.fail(Status::cancelled("on purpose"));
    let status = done.wait(1, PATIENCE).expect_err("deallocated");
    assert_eq!(status.code(), StatusCode::Cancelled);
    assert_eq!(fixture.read(&buffer)?, [3; 256]);
    Ok(())
}

fn failed_alloca_wait_fails_the_buffer(fixture: &Fixture) -> Outcome {
    let (gate, done) = (fixture.semaphore()?, fixture.semaphore()?);
    let waits = [Timepoint::new(&gate, 1)];
    let signals = [Timepoint::new(&done, 1)];
    let buffer = fixture
        .queue()
        .alloca(&waits, &signals, &device_params(), 64)?;
    gate.fail(Status::data_loss("on purpose"));
    let status = done.wait(1, PATIENCE).expect_err("allocated");
    assert_eq!(status.code(), StatusCode::DataLoss);
    if fixture.device.limits().memory_pools {
        let status = buffer.device_ptr().expect_err("an address");
        assert_eq!(status.code(), StatusCode::DataLoss);
    }
    Ok(())
}

fn chained_alloca_dealloca(fixture: &Fixture) -> Outcome {
    let timeline = fixture.semaphore()?;
    let at = |value| [Timepoint::new(&timeline, value)];
    let queue = fixture.queue();
    let a = queue.alloca(&[], &at(1), &device_params(), 4096)?;
    queue.fill(&at(1), &at(2), &BufferRef::whole(&a), &[1])?;
    queue.dealloca(&at(2), &at(3), &a)?;
    let b = queue.alloca(&at(3), &at(4), &device_params(), 4096)?;
    queue.fill(&at(4), &at(5), &BufferRef::whole(&b), &[2])?;
    timeline.wait(5, PATIENCE)?;
    assert_eq!(fixture.read(&b)?, [2; 4096]);
    Ok(())
}

fn repeated_chained_alloca_dealloca(fixture: &Fixture) -> Outcome {
    let timeline = fixture.semaphore()?;
    let at = |value| [Timepoint::new(&timeline, value)];
    let output = fixture.buffer(&[0; 32])?;
    let queue = fixture.queue();
    for round in 0..32 {
        let base = 4 * round;
        let buffer = queue.alloca(&at(base), &at(base + 1), &device_params(), 1)?;
        let value = [round as u8 + 1];
        let scratch = BufferRef::range(&buffer, 0, 1);
        queue.fill(&at(base + 1), &at(base + 2), &scratch, &value)?;
        let target = BufferRef::range(&output, round, 1);
        queue.copy(&at(base + 2), &at(base + 3), &scratch, &target)?;
        queue.dealloca(&at(base + 3), &at(base + 4), &buffer)?;
    }
    timeline.wait(128, PATIENCE)?;
    let expected: Vec<u8> = (1..=32).collect();
    assert_eq!(fixture.read(&output)?, expected);
    Ok(())
}

fn memory_of_another_kind_is_not_deallocated(fixture: &Fixture) -> Outcome {
    let buffer = fixture.buffer(&[6; 64])?;
    fixture.submit_and_wait(|queue, signals| queue.dealloca(&[], signals, &buffer))?;
    assert_eq!(fixture.read(&buffer)?, [6; 64]);
    Ok(())
}

fn host_visible_alloca(fixture: &Fixture) -> Outcome {
    let done = fixture.semaphore()?;
    let signals = [Timepoint::new(&done, 1)];
    let params = BufferParams::host_visible();
    let buffer = fixture.queue().alloca(&[], &signals, &params, 64)?;
    done.wait(1, PATIENCE)?;
    fixture.submit_and_wait(|queue, signals| {
        queue.fill(&[], signals, &BufferRef::whole(&buffer), &[8])
    })?;
    let mut bytes = [0; 64];
    buffer.map_read(0, &mut bytes)?;
    assert_eq!(bytes, [8; 64]);
    Ok(())
}

fn zero_access_flags_canonicalized(fixture: &Fixture) -> Outcome {
    let params = BufferParams {
        access: MemoryAccess::empty(),
        ..device_params()
    };
    let done = fixture.semaphore()?;
    let signals = [Timepoint::new(&done, 1)];
    let buffer = fixture.queue().alloca(&[], &signals, &params, 64)?;
    assert_eq!(buffer.allowed_access(), MemoryAccess::ALL);
    done.wait(1, PATIENCE)?;
    Ok(())
}

fn more_than_there_is(fixture: &Fixture) -> Outcome {
    let done = fixture.semaphore()?;
    let signals = [Timepoint::new(&done, 1)];
    let result = fixture
        .queue()
        .alloca(&[], &signals, &device_params(), 1 << 46)
        .and_then(|_| done.wait(1, PATIENCE));
    let status = result.expect_err("64 TiB were allocated");
    assert_eq!(status.code(), StatusCode::ResourceExhausted, "{status:#}");
    // The queue goes on.
    allocated(fixture, 4)?;
    Ok(())
}
