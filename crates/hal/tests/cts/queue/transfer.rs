//! Fills, updates and copies straight on a queue.

use hal::{Buffer, BufferRef, StatusCode, Timepoint};

use crate::cases;
use crate::frame::{Case, Fixture, Outcome};
use crate::work::{at, patched, pattern, refused};

pub(crate) const CASES: &[Case] = cases![Device:
    fill_entire_buffer_1_byte,
    fill_entire_buffer_2_byte,
    fill_entire_buffer_4_byte,
    fill_subrange,
    fill_large_buffer,
    fill_size_alignment_and_pattern_classes,
    update_entire_buffer,
    update_subrange,
    update_with_source_offset,
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
    refused_at_once,
    no_bytes,
];

/// Lengths and offsets (of the source, of the target) of transfers.
const LENGTHS: [usize; 13] = [4, 8, 16, 31, 32, 33, 64, 128, 256, 1024, 4096, 16384, 65536];
const OFFSETS: [(usize, usize); 4] = [(0, 0), (8, 8), (4, 4), (1, 2)];

fn fill(fixture: &Fixture, bytes: usize, offset: usize, length: usize, value: &[u8]) -> Outcome {
    let buffer = fixture.buffer(bytes, 0x11)?;
    let done = fixture.semaphore()?;
    let target = BufferRef::range(&buffer, offset as u64, length as u64);
    fixture.queue().fill(&[], &at(&done, 1), &target, value)?;
    fixture.wait(&done, 1)?;
    let filled = value.repeat(length / value.len());
    fixture.expect(&buffer, &patched(vec![0x11; bytes], offset, &filled))
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
    fill(fixture, 256, 64, 128, &[0xCC])
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
    let value = 0xAB23_CD45_u32.to_le_bytes();
    for (size, offset, length) in [
        (1, 3, 31),
        (1, 17, 32),
        (1, 31, 65536),
        (2, 2, 30),
        (2, 18, 34),
        (2, 14, 65536),
        (4, 4, 28),
        (4, 20, 36),
        (4, 12, 65536),
    ] {
        fill(
            fixture,
            offset + length + 16,
            offset,
            length,
            &value[..size],
        )?;
    }
    Ok(())
}

fn update(fixture: &Fixture, bytes: usize, offset: usize, source: &[u8]) -> Outcome {
    let buffer = fixture.buffer(bytes, 0x11)?;
    let done = fixture.semaphore()?;
    let target = BufferRef::range(&buffer, offset as u64, source.len() as u64);
    fixture
        .queue()
        .update(&[], &at(&done, 1), source, &target)?;
    fixture.wait(&done, 1)?;
    fixture.expect(&buffer, &patched(vec![0x11; bytes], offset, source))
}

fn update_entire_buffer(fixture: &Fixture) -> Outcome {
    update(fixture, 256, 0, &pattern(256, 1))
}

fn update_subrange(fixture: &Fixture) -> Outcome {
    update(fixture, 256, 100, &pattern(64, 2))
}

fn update_with_source_offset(fixture: &Fixture) -> Outcome {
    update(fixture, 64, 8, &pattern(64, 3)[16..48])
}

/// It comes in pieces, and none is missing.
fn update_larger_than_command_buffer_limit(fixture: &Fixture) -> Outcome {
    let source = pattern(2 * hal::MAX_UPDATE_BYTES + 37, 4);
    update(fixture, source.len() + 64, 5, &source)
}

fn update_captures_source_before_wait_resolves(fixture: &Fixture) -> Outcome {
    let buffer = fixture.buffer(1000, 0)?;
    let (gate, done) = (fixture.semaphore()?, fixture.semaphore()?);
    let mut source = pattern(1000, 5);
    let expected = source.clone();
    let target = BufferRef::whole(&buffer);
    fixture
        .queue()
        .update(&at(&gate, 1), &at(&done, 1), &source, &target)?;
    source.fill(0xEE);
    drop(source);
    gate.signal(1)?;
    fixture.wait(&done, 1)?;
    fixture.expect(&buffer, &expected)
}

fn update_size_and_alignment_classes(fixture: &Fixture) -> Outcome {
    for length in LENGTHS {
        for (from, to) in OFFSETS {
            let source = pattern(length + from, length as u8);
            update(fixture, length + 16, to, &source[from..])?;
        }
    }
    Ok(())
}

fn copy(fixture: &Fixture, from: usize, to: usize, length: usize) -> Outcome {
    let contents = pattern(length + 16, length as u8);
    let source = fixture.buffer_of(&contents)?;
    let target = fixture.buffer(length + 16, 0x11)?;
    let done = fixture.semaphore()?;
    let from_range = BufferRef::range(&source, from as u64, length as u64);
    let to_range = BufferRef::range(&target, to as u64, length as u64);
    fixture
        .queue()
        .copy(&[], &at(&done, 1), &from_range, &to_range)?;
    fixture.wait(&done, 1)?;
    let copied = &contents[from..from + length];
    fixture.expect(&target, &patched(vec![0x11; length + 16], to, copied))
}

fn copy_entire_buffer(fixture: &Fixture) -> Outcome {
    let contents = pattern(512, 6);
    let source = fixture.buffer_of(&contents)?;
    let target = fixture.buffer(512, 0)?;
    let done = fixture.semaphore()?;
    let (from, to) = (BufferRef::whole(&source), BufferRef::whole(&target));
    fixture.queue().copy(&[], &at(&done, 1), &from, &to)?;
    fixture.wait(&done, 1)?;
    fixture.expect(&target, &contents)
}

fn copy_with_offsets(fixture: &Fixture) -> Outcome {
    copy(fixture, 3, 11, 100)
}

fn copy_large_buffer(fixture: &Fixture) -> Outcome {
    copy(fixture, 0, 0, 1 << 20)
}

fn copy_size_and_alignment_classes(fixture: &Fixture) -> Outcome {
    for length in LENGTHS {
        for (from, to) in OFFSETS {
            copy(fixture, from, to, length)?;
        }
    }
    Ok(())
}

/// 64 bursts of 64 copies, each burst waited for.
fn burst_copy_submit(fixture: &Fixture) -> Outcome {
    let contents = pattern(4096, 7);
    let source = fixture.buffer_of(&contents)?;
    let target = fixture.buffer(4096, 0)?;
    let done = fixture.semaphore()?;
    let mut value = 0;
    for _ in 0..64 {
        for _ in 0..64 {
            value += 1;
            let (from, to) = (BufferRef::whole(&source), BufferRef::whole(&target));
            fixture.queue().copy(&[], &at(&done, value), &from, &to)?;
        }
        fixture.wait(&done, value)?;
    }
    fixture.expect(&target, &contents)
}

fn chained_fill_then_copy(fixture: &Fixture) -> Outcome {
    let (first, second) = (fixture.buffer(256, 0)?, fixture.buffer(256, 0)?);
    let steps = fixture.semaphore()?;
    let [from, to] = [&first, &second].map(BufferRef::whole);
    let queue = fixture.queue();
    queue.fill(&[], &at(&steps, 1), &from, &[0x77])?;
    queue.copy(&at(&steps, 1), &at(&steps, 2), &from, &to)?;
    fixture.wait(&steps, 2)?;
    fixture.expect(&second, &[0x77; 256])
}

fn chained_update_then_copy(fixture: &Fixture) -> Outcome {
    let (first, second) = (fixture.buffer(256, 0)?, fixture.buffer(256, 0)?);
    let steps = fixture.semaphore()?;
    let [from, to] = [&first, &second].map(BufferRef::whole);
    let contents = pattern(256, 8);
    // On different queues: only the semaphore orders them.
    fixture
        .queue()
        .update(&[], &at(&steps, 1), &contents, &from)?;
    fixture
        .other_queue()
        .copy(&at(&steps, 1), &at(&steps, 2), &from, &to)?;
    fixture.wait(&steps, 2)?;
    fixture.expect(&second, &contents)
}

fn chained_fill_copy_fill(fixture: &Fixture) -> Outcome {
    let (first, second) = (fixture.buffer(256, 0)?, fixture.buffer(256, 0)?);
    let steps = fixture.semaphore()?;
    let [from, to] = [&first, &second].map(BufferRef::whole);
    let (queue, other) = (fixture.queue(), fixture.other_queue());
    queue.fill(&[], &at(&steps, 1), &from, &[0x11])?;
    other.copy(&at(&steps, 1), &at(&steps, 2), &from, &to)?;
    queue.fill(&at(&steps, 2), &at(&steps, 3), &from, &[0x22])?;
    fixture.wait(&steps, 3)?;
    fixture.expect(&first, &[0x22; 256])?;
    fixture.expect(&second, &[0x11; 256])
}

fn barrier_signals(fixture: &Fixture) -> Outcome {
    let done = fixture.semaphore()?;
    fixture.queue().barrier(&[], &at(&done, 5))?;
    fixture.wait(&done, 5)?;
    assert_eq!(done.query()?, 5);
    Ok(())
}

fn barrier_preserves_ordering(fixture: &Fixture) -> Outcome {
    let buffers: [Buffer; 2] = [fixture.buffer(256, 0)?, fixture.buffer(256, 0)?];
    let output = fixture.buffer(512, 0)?;
    let parts = [output.subspan(0, 256)?, output.subspan(256, 256)?];
    let (filled, joined, done) = (
        [fixture.semaphore()?, fixture.semaphore()?],
        fixture.semaphore()?,
        fixture.semaphore()?,
    );
    let queues = fixture.device.queues();
    // A join, recorded before what it joins, and what comes after it first.
    for (index, (buffer, part)) in buffers.iter().zip(&parts).enumerate() {
        let [from, to] = [buffer, part].map(BufferRef::whole);
        let signals = at(&done, index as u64 + 1);
        queues[1 - index].copy(&at(&joined, 1), &signals, &from, &to)?;
    }
    let waits: Vec<Timepoint> = filled.iter().flat_map(|filled| at(filled, 1)).collect();
    fixture.queue().barrier(&waits, &at(&joined, 1))?;
    for (index, buffer) in buffers.iter().enumerate() {
        let target = BufferRef::whole(buffer);
        let value = [index as u8 + 1];
        queues[index].fill(&[], &at(&filled[index], 1), &target, &value)?;
    }
    fixture.wait(&done, 2)?;
    for queue in queues {
        queue.wait_idle();
    }
    fixture.expect(&output, &patched(vec![1; 512], 256, &[2; 256]))
}

fn refused_at_once(fixture: &Fixture) -> Outcome {
    let buffer = fixture.buffer(64, 1)?;
    let done = fixture.semaphore()?;
    let queue = fixture.queue();
    let signals = at(&done, 1);
    let range = |offset, length| BufferRef::range(&buffer, offset, length);
    let fill = queue.fill(&[], &signals, &range(0, 64), &[1, 2, 3]);
    refused(fill, StatusCode::InvalidArgument);
    let fill = queue.fill(&[], &signals, &range(60, 8), &[1]);
    refused(fill, StatusCode::OutOfRange);
    let update = queue.update(&[], &signals, &[1; 65], &range(0, hal::WHOLE_BUFFER));
    refused(update, StatusCode::OutOfRange);
    let update = queue.update(&[], &signals, &[1; 8], &range(0, 4));
    refused(update, StatusCode::InvalidArgument);
    let copy = queue.copy(&[], &signals, &range(0, 32), &range(16, 32));
    refused(copy, StatusCode::InvalidArgument);
    let slot = BufferRef::slot(0, 0, 16);
    let fill = queue.fill(&[], &signals, &slot, &[1]);
    refused(fill, StatusCode::OutOfRange);
    assert_eq!(done.query()?, 0);
    fixture.expect(&buffer, &[1; 64])
}

fn no_bytes(fixture: &Fixture) -> Outcome {
    let buffer = fixture.buffer(64, 1)?;
    let done = fixture.semaphore()?;
    let queue = fixture.queue();
    let nothing = BufferRef::range(&buffer, 16, 0);
    queue.fill(&[], &at(&done, 1), &nothing, &[2])?;
    queue.update(&at(&done, 1), &at(&done, 2), &[], &nothing)?;
    let end = BufferRef::range(&buffer, 64, 0);
    queue.copy(&at(&done, 2), &at(&done, 3), &nothing, &end)?;
    fixture.wait(&done, 3)?;
    fixture.expect(&buffer, &[1; 64])
}
