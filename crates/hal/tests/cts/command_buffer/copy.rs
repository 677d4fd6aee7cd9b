//! Copying between buffers.

use hal::{BufferParams, StatusCode};

use crate::cases;
use crate::commands::{expect_bytes, varied};
use crate::frame::{Case, Fixture, Outcome};

pub(crate) const CASES: &[Case] = cases![Bindings:
    copy_whole_buffer,
    copy_sub_buffer,
    copy_within_a_buffer,
    copy_buffer_overlap,
    copy_nothing,
    copy_to_host,
    copy_size_and_alignment_classes,
    copy_megabyte,
];

fn copy_whole_buffer(fixture: &Fixture) -> Outcome {
    let params = BufferParams::host_visible();
    let source = fixture.device.allocator().allocate(&params, 1024)?;
    source.map_fill(0, 1024, &[0x54])?;
    let target = fixture.buffer(&[0; 1024])?;
    fixture.run(|commands, names| commands.copy(&names.whole(&source), &names.whole(&target)))?;
    assert_eq!(fixture.read(&target)?, [0x54; 1024]);
    Ok(())
}

fn copy_sub_buffer(fixture: &Fixture) -> Outcome {
    let source = fixture.buffer(&[0x88; 512])?;
    let target = fixture.buffer(&[0xFF; 1024])?;
    // Three disjoint ranges need no barrier between them.
    fixture.run(|commands, names| {
        commands.fill(&names.range(&target, 0, 8), &[0])?;
        commands.copy(&names.range(&source, 4, 508), &names.range(&target, 8, 508))?;
        commands.fill(&names.range(&target, 516, 508), &[0])
    })?;
    let mut expected = vec![0; 1024];
    expected[8..516].fill(0x88);
    expect_bytes("target", &fixture.read(&target)?, &expected)
}

fn copy_within_a_buffer(fixture: &Fixture) -> Outcome {
    let contents = varied(256, 1);
    let buffer = fixture.buffer(&contents)?;
    fixture.run(|commands, names| {
        commands.copy(&names.range(&buffer, 0, 64), &names.range(&buffer, 64, 64))
    })?;
    let mut expected = contents;
    expected.copy_within(0..64, 64);
    expect_bytes("buffer", &fixture.read(&buffer)?, &expected)
}

fn copy_buffer_overlap(fixture: &Fixture) -> Outcome {
    let buffer = fixture.buffer(&varied(256, 2))?;
    // With a table the ranges are known when it is submitted.
    let status = fixture
        .run(|commands, names| {
            commands.copy(&names.range(&buffer, 0, 65), &names.range(&buffer, 64, 65))
        })
        .expect_err("overlapping ranges were copied");
    assert_eq!(status.code(), StatusCode::InvalidArgument, "{status:#}");
    expect_bytes("buffer", &fixture.read(&buffer)?, &varied(256, 2))
}

fn copy_nothing(fixture: &Fixture) -> Outcome {
    let source = fixture.buffer(&[1; 16])?;
    let target = fixture.buffer(&[2; 16])?;
    fixture.run(|commands, names| {
        commands.copy(&names.range(&source, 0, 0), &names.range(&target, 16, 0))
    })?;
    assert_eq!(fixture.read(&target)?, [2; 16]);
    Ok(())
}

fn copy_to_host(fixture: &Fixture) -> Outcome {
    let contents = varied(4096, 3);
    let source = fixture.buffer(&contents)?;
    for params in [
        BufferParams::host_visible(),
        BufferParams {
            memory_type: hal::flags::MemoryType::DEVICE_LOCAL
                | hal::flags::MemoryType::HOST_VISIBLE,
            ..BufferParams::host_visible()
        },
    ] {
        let target = fixture.device.allocator().allocate(&params, 4096)?;
        target.map_zero(0, 4096)?;
        fixture
            .run(|commands, names| commands.copy(&names.whole(&source), &names.whole(&target)))?;
        let mut bytes = vec![0; 4096];
        target.map_read(0, &mut bytes)?;
        expect_bytes("target", &bytes, &contents)?;
    }
    Ok(())
}

fn copy_size_and_alignment_classes(fixture: &Fixture) -> Outcome {
    const SPARE: usize = 16;
    for length in [
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
        4 << 10,
        16 << 10,
        64 << 10,
    ] {
        for (from, to) in [(0, 0), (8, 8), (4, 4), (1, 2)] {
            let contents = varied(length + SPARE, length as u32);
            let source = fixture.buffer(&contents)?;
            let target = fixture.buffer(&vec![0xEE; length + SPARE])?;
            fixture.run(|commands, names| {
                commands.copy(
                    &names.range(&source, from as u64, length as u64),
                    &names.range(&target, to as u64, length as u64),
                )
            })?;
            let mut expected = vec![0xEE; length + SPARE];
            expected[to..to + length].copy_from_slice(&contents[from..from + length]);
            let what = format!("{length} bytes from {from} to {to}");
            expect_bytes(&what, &fixture.read(&target)?, &expected)?;
        }
    }
    Ok(())
}

fn copy_megabyte(fixture: &Fixture) -> Outcome {
    let contents = varied(1 << 20, 4);
    let source = fixture.buffer(&contents)?;
    let target = fixture.buffer(&vec![0; 1 << 20])?;
    fixture.run(|commands, names| commands.copy(&names.whole(&source), &names.whole(&target)))?;
    expect_bytes("target", &fixture.read(&target)?, &contents)
}
