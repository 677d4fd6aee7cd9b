//! Writing bytes that commands carry along.

use hal::StatusCode;

use crate::cases;
use crate::commands::{expect_bytes, varied};
use crate::frame::{Case, Fixture, Outcome};

pub(crate) const CASES: &[Case] = cases![Bindings:
    whole_buffer,
    larger_payload,
    with_offsets,
    subspan,
    most_at_once,
    too_much_at_once,
    source_is_taken_when_recorded,
];

fn whole_buffer(fixture: &Fixture) -> Outcome {
    let source: Vec<u8> = (0..16).collect();
    let buffer = fixture.buffer(&[0; 16])?;
    fixture.run(|commands, names| commands.update(&source, &names.whole(&buffer)))?;
    expect_bytes("target", &fixture.read(&buffer)?, &source)
}

fn larger_payload(fixture: &Fixture) -> Outcome {
    let source: Vec<u8> = (0..=255).map(|byte| byte ^ 0xA5).collect();
    let buffer = fixture.buffer(&[0; 256])?;
    fixture.run(|commands, names| commands.update(&source, &names.whole(&buffer)))?;
    expect_bytes("target", &fixture.read(&buffer)?, &source)
}

fn with_offsets(fixture: &Fixture) -> Outcome {
    let source: Vec<u8> = (0..16).collect();
    let buffer = fixture.buffer(&[0xEE; 16])?;
    fixture.run(|commands, names| commands.update(&source[4..12], &names.range(&buffer, 4, 8)))?;
    let mut expected = vec![0xEE; 16];
    expected[4..12].copy_from_slice(&source[4..12]);
    expect_bytes("target", &fixture.read(&buffer)?, &expected)
}

fn subspan(fixture: &Fixture) -> Outcome {
    let buffer = fixture.buffer(&[0xEE; 32])?;
    let view = buffer.subspan(8, 16)?;
    fixture.run(|commands, names| commands.update(&[1, 2, 3, 4], &names.range(&view, 4, 4)))?;
    let mut expected = vec![0xEE; 32];
    expected[12..16].copy_from_slice(&[1, 2, 3, 4]);
    expect_bytes("target", &fixture.read(&buffer)?, &expected)
}

fn most_at_once(fixture: &Fixture) -> Outcome {
    let source = varied(64 << 10, 5);
    let buffer = fixture.buffer(&vec![0; 64 << 10])?;
    let execution =
        fixture.record(|commands, names| commands.update(&source, &names.whole(&buffer)))?;
    for _ in 0..2 {
        fixture.execute(&execution)?;
        expect_bytes("target", &fixture.read(&buffer)?, &source)?;
        fixture.run(|commands, names| commands.fill(&names.whole(&buffer), &[0]))?;
    }
    Ok(())
}

fn too_much_at_once(fixture: &Fixture) -> Outcome {
    let source = vec![1; (64 << 10) + 1];
    let buffer = fixture.buffer(&vec![0; 128 << 10])?;
    let status = fixture
        .run(|commands, names| {
            let target = names.range(&buffer, 0, source.len() as u64);
            commands.update(&source, &target)
        })
        .expect_err("more than 64 KiB were recorded");
    assert_eq!(status.code(), StatusCode::InvalidArgument, "{status:#}");
    Ok(())
}

fn source_is_taken_when_recorded(fixture: &Fixture) -> Outcome {
    let buffer = fixture.buffer(&[0; 64])?;
    let mut source = vec![3; 64];
    let execution =
        fixture.record(|commands, names| commands.update(&source, &names.whole(&buffer)))?;
    source.fill(9);
    fixture.execute(&execution)?;
    assert_eq!(fixture.read(&buffer)?, [3; 64]);
    Ok(())
}
