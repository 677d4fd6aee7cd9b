//! Fills, updates and copies without a command buffer of the caller's.

use hal::{BufferRef, Timepoint};

use crate::cases;
use crate::commands::{PATIENCE, expect_bytes, varied};
use crate::frame::{Case, Fixture, Outcome};

pub(crate) const CASES: &[Case] = cases![Mode:
    fill_entire_buffer_1_byte,
    fill_entire_buffer_2_byte,
    fill_entire_buffer_4_byte,
    fill_subrange,
    fill_large_buffer,
    fill_size_alignment_and_pattern_classes,
    update_entire_buffer,
    update_subrange,
    update_larger_than_command_buffer_limit,
    update_captures_source_before_wait_resolves,
    update_size_and_alignment_classes,
    copy_entire_buffer,
    copy_with_offsets,
    copy_large_buffer,
    copy_size_and_alignment_classes,
    burst_copy_submit,
    chained_fill_then_copy,
    chained_update_then_copy,
    chained_fill_copy_fill,
    barrier_signals,
    barrier_preserves_ordering,
];

/// Fills a range of zeros and compares all bytes.
fn fill(fixture: &Fixture, size: usize, offset: usize, length: usize, pattern: &[u8]) -> Outcome {
    let buffer = fixture.buffer(&vec![0; size])?;
    fixture.submit_and_wait(|queue, signals| {
        let target = BufferRef::range(&buffer, offset as u64, length as u64);
        queue.fill(&[], signals, &target, pattern)
    })?;
    let mut expected = vec![0; size];
    let repeated = pattern.iter().cycle();
    for (byte, value) in expected[offset..offset + length].iter_mut().zip(repeated) {
        *byte = *value;
    }
    let what = format!("{length} of {size} bytes at {offset}");
    expect_bytes(&what, &fixture.read(&buffer)?, &expected)
}

fn fill_entire_buffer_1_byte(fixture: &Fixture) -> Outcome {
    fill(fixture, 256, 0, 256, &[0xAB])
}

fn fill_entire_buffer_2_byte(fixture: &Fixture) -> Outcome {
    fill(fixture, 256, 0, 256, &0xBEEF_u16.to_le_bytes())
}

fn fill_entire_buffer_4_byte(fixture: &Fixture) -> Outcome {
    fill(fixture, 256, 0, 256, &0xDEAD_CAFE_u32.to_le_bytes())
}

fn fill_subrange(fixture: &Fixture) -> Outcome {
    fill(fixture, 256, 64, 128, &[0xCD])
}

fn fill_large_buffer(fixture: &Fixture) -> Outcome {
    fill(
        fixture,
        256 << 10,
        0,
        256 << 10,
        &0x1234_5678_u32.to_le_bytes(),
    )
}

fn fill_size_alignment_and_pattern_classes(fixture: &Fixture) -> Outcome {
    const K64: usize = 64 << 10;
    let one: &[_] = &[
        (0, 4),
        (3, 31),
        (17, 32),
        (1, 33),
        (16, 64),
        (7, 1024),
        (31, K64),
    ];
    let two: &[_] = &[(0, 4), (2, 30), (6, 32), (18, 34), (4, 1024), (14, K64)];
    let four: &[_] = &[(0, 4), (4, 28), (8, 32), (20, 36), (4, 1024), (12, K64)];
    let patterns = [(&[0x5A][..], one), (&[1, 2], two), (&[1, 2, 3, 4], four)];
    for (pattern, ranges) in patterns {
        for &(offset, length) in ranges {
            fill(fixture, offset + length + 16, offset, length, pattern)?;
        }
    }
    Ok(())
}

/// Updates a range of 0xEE and compares all bytes.
fn update(fixture: &Fixture, size: usize, offset: usize, source: &[u8]) -> Outcome {
    let buffer = fixture.device.allocator();
    let buffer = buffer.allocate(&crate::commands::device_params(), size as u64)?;
    fixture.submit_and_wait(|queue, signals| {
        queue.fill(&[], signals, &BufferRef::whole(&buffer), &[0xEE])
    })?;
    fixture.submit_and_wait(|queue, signals| {
        let target = BufferRef::range(&buffer, offset as u64, source.len() as u64);
        queue.update(&[], signals, source, &target)
    })?;
    let mut expected = vec![0xEE; size];
    expected[offset..offset + source.len()].copy_from_slice(source);
    let what = format!("{} of {size} bytes at {offset}", source.len());
    expect_bytes(&what, &fixture.read(&buffer)?, &expected)
}

fn update_entire_buffer(fixture: &Fixture) -> Outcome {
    update(fixture, 256, 0, &varied(256, 10))
}

fn update_subrange(fixture: &Fixture) -> Outcome {
    update(fixture, 256, 100, &varied(50, 11)[5..])
}

fn update_larger_than_command_buffer_limit(fixture: &Fixture) -> Outcome {
    let length = 2 * (64 << 10) + 37;
    update(fixture, length + 20, 11, &varied(length, 12))
}

fn update_captures_source_before_wait_resolves(fixture: &Fixture) -> Outcome {
    let buffer = fixture.buffer(&[0; 256])?;
    let (gate, done) = (fixture.semaphore()?, fixture.semaphore()?);
    let mut source = varied(256, 13);
    fixture.queue().update(
        &[Timepoint::new(&gate, 1)],
        &[Timepoint::new(&done, 1)],
        &source,
        &BufferRef::whole(&buffer),
    )?;
    source.fill(0);
    gate.signal(1)?;
    done.wait(1, PATIENCE)?;
    expect_bytes("target", &fixture.read(&buffer)?, &varied(256, 13))
}

fn update_size_and_alignment_classes(fixture: &Fixture) -> Outcome {
    for length in [1, 3, 4, 15, 16, 17, 31, 64, 1000, 4096, 65_535] {
        for offset in [0, 1, 4, 8] {
            update(fixture, length + 16, offset, &varied(length, length as u32))?;
        }
    }
    Ok(())
}

/// Copies into a range of 0xEE and compares all bytes.
fn copy(fixture: &Fixture, from: usize, to: usize, length: usize) -> Outcome {
    let contents = varied(from + length + 16, length as u32);
    let source = fixture.buffer(&contents)?;
    let target = fixture.buffer(&vec![0xEE; to + length + 16])?;
    fixture.submit_and_wait(|queue, signals| {
        let source = BufferRef::range(&source, from as u64, length as u64);
        let target = BufferRef::range(&target, to as u64, length as u64);
        queue.copy(&[], signals, &source, &target)
    })?;
    let mut expected = vec![0xEE; to + length + 16];
    expected[to..to + length].copy_from_slice(&contents[from..from + length]);
    let what = format!("{length} bytes from {from} to {to}");
    expect_bytes(&what, &fixture.read(&target)?, &expected)
}

fn copy_entire_buffer(fixture: &Fixture) -> Outcome {
    let contents = varied(256, 14);
    let source = fixture.buffer(&contents)?;
    let target = fixture.buffer(&[0; 256])?;
    fixture.submit_and_wait(|queue, signals| {
        queue.copy(
            &[],
            signals,
            &BufferRef::whole(&source),
            &BufferRef::whole(&target),
        )
    })?;
    expect_bytes("target", &fixture.read(&target)?, &contents)
}

fn copy_with_offsets(fixture: &Fixture) -> Outcome {
    copy(fixture, 32, 64, 128)
}

fn copy_large_buffer(fixture: &Fixture) -> Outcome {
    copy(fixture, 0, 0, 1 << 20)
}

fn copy_size_and_alignment_classes(fixture: &Fixture) -> Outcome {
    for length in [
        1,
        4,
        8,
        16,
        31,
        32,
        33,
        64,
        128,
        256,
        1024,
        4096,
        16 << 10,
        64 << 10,
    ] {
        for (from, to) in [(0, 0), (8, 8), (4, 4), (1, 2)] {
            copy(fixture, from, to, length)?;
        }
    }
    Ok(())
}

fn burst_copy_submit(fixture: &Fixture) -> Outcome {
    const BYTES: u64 = 4096;
    const COPIES: u64 = 64;
    let contents = varied((COPIES * BYTES) as usize, 15);
    let source = fixture.buffer(&contents)?;
    let target = fixture.buffer(&vec![0; (COPIES * BYTES) as usize])?;
    let timeline = fixture.semaphore()?;
    for burst in 0..64 {
        for copy in 0..COPIES {
            let source = BufferRef::range(&source, copy * BYTES, BYTES);
            let target = BufferRef::range(&target, copy * BYTES, BYTES);
            let signals = [Timepoint::new(&timeline, burst * COPIES + copy + 1)];
            fixture.queue().copy(&[], &signals, &source, &target)?;
        }
    }
    timeline.wait(64 * COPIES, PATIENCE)?;
    expect_bytes("target", &fixture.read(&target)?, &contents)
}

fn chained_fill_then_copy(fixture: &Fixture) -> Outcome {
    let (source, target) = (fixture.buffer(&[0; 256])?, fixture.buffer(&[0; 256])?);
    let timeline = fixture.semaphore()?;
    let at = |value| [Timepoint::new(&timeline, value)];
    let (from, to) = (BufferRef::whole(&source), BufferRef::whole(&target));
    fixture.queue().fill(&[], &at(1), &from, &[0x3C])?;
    fixture.queue().copy(&at(1), &at(2), &from, &to)?;
    timeline.wait(2, PATIENCE)?;
    assert_eq!(fixture.read(&target)?, [0x3C; 256]);
    Ok(())
}

fn chained_update_then_copy(fixture: &Fixture) -> Outcome {
    let (source, target) = (fixture.buffer(&[0; 256])?, fixture.buffer(&[0; 256])?);
    let timeline = fixture.semaphore()?;
    let at = |value| [Timepoint::new(&timeline, value)];
    let (from, to) = (BufferRef::whole(&source), BufferRef::whole(&target));
    let contents = varied(256, 16);
    fixture.queue().update(&[], &at(1), &contents, &from)?;
    fixture.queue().copy(&at(1), &at(2), &from, &to)?;
    timeline.wait(2, PATIENCE)?;
    expect_bytes("target", &fixture.read(&target)?, &contents)
}

fn chained_fill_copy_fill(fixture: &Fixture) -> Outcome {
    let (source, target) = (fixture.buffer(&[0; 256])?, fixture.buffer(&[0; 256])?);
    let timeline = fixture.semaphore()?;
    let at = |value| [Timepoint::new(&timeline, value)];
    let (from, to) = (BufferRef::whole(&source), BufferRef::whole(&target));
    let queue = fixture.queue();
    queue.fill(&[], &at(1), &from, &[0x11])?;
    queue.copy(&at(1), &at(2), &from, &to)?;
    queue.fill(&at(2), &at(3), &from, &[0x22])?;
    timeline.wait(3, PATIENCE)?;
    assert_eq!(fixture.read(&target)?, [0x11; 256]);
    assert_eq!(fixture.read(&source)?, [0x22; 256]);
    Ok(())
}

fn barrier_signals(fixture: &Fixture) -> Outcome {
    fixture.submit_and_wait(|queue, signals| queue.barrier(&[], signals))?;
    Ok(())
}

/// The barrier stands between two queues.
fn barrier_preserves_ordering(fixture: &Fixture) -> Outcome {
    let buffer = fixture.buffer(&vec![0; 1 << 20])?;
    let timeline = fixture.semaphore()?;
    let at = |value| [Timepoint::new(&timeline, value)];
    let [first, second] = fixture.device.queues() else {
        panic!("the fixture has two queues");
    };
    let target = BufferRef::whole(&buffer);
    first.fill(&[], &at(1), &target, &[1])?;
    second.barrier(&at(1), &at(2))?;
    first.fill(&at(2), &at(3), &target, &[2])?;
    timeline.wait(3, PATIENCE)?;
    assert_eq!(fixture.read(&buffer)?, vec![2; 1 << 20]);
    Ok(())
}
