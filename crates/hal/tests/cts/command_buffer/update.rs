//! Writing bytes that commands carry along.

use hal::{MAX_UPDATE_BYTES, StatusCode};

use crate::cases;
use crate::frame::{Case, Fixture, Outcome};
use crate::work::{patched, pattern, refused};

pub(crate) const CASES: &[Case] = cases![Bindings:
    whole_buffer,
    larger_payload,
    with_offsets,
    subspan,
    source_is_taken_when_recorded,
    as_large_as_updates_get,
    too_large,
    many,
];

fn whole_buffer(fixture: &Fixture) -> Outcome {
    let contents = pattern(16, 1);
    let buffer = fixture.buffer(16, 0)?;
    fixture.execute(|commands| {
        commands.update(&contents, &commands.whole(&buffer))?;
        Ok(())
    })?;
    fixture.expect(&buffer, &contents)
}

fn larger_payload(fixture: &Fixture) -> Outcome {
    let contents: Vec<u8> = (0..=255).map(|byte: u8| byte ^ 0xA5).collect();
    let buffer = fixture.buffer(256, 0)?;
    fixture.execute(|commands| {
        commands.update(&contents, &commands.range(&buffer, 0, 256))?;
        Ok(())
    })?;
    fixture.expect(&buffer, &contents)
}

fn with_offsets(fixture: &Fixture) -> Outcome {
    let contents = pattern(16, 2);
    let buffer = fixture.buffer(16, 0)?;
    fixture.execute(|commands| {
        commands.update(&contents[4..12], &commands.range(&buffer, 4, 8))?;
        Ok(())
    })?;
    fixture.expect(&buffer, &patched(vec![0; 16], 4, &contents[4..12]))
}

fn subspan(fixture: &Fixture) -> Outcome {
    let buffer = fixture.buffer(16, 0)?;
    let view = buffer.subspan(4, 8)?;
    fixture.execute(|commands| {
        commands.update(&[1, 2, 3], &commands.view(&view, 2, 3))?;
        Ok(())
    })?;
    fixture.expect(&buffer, &patched(vec![0; 16], 6, &[1, 2, 3]))
}

fn source_is_taken_when_recorded(fixture: &Fixture) -> Outcome {
    let buffer = fixture.buffer(1000, 0)?;
    let mut contents = pattern(1000, 3);
    let expected = contents.clone();
    let execution = fixture.record(|commands| {
        commands.update(&contents, &commands.whole(&buffer))?;
        contents.fill(0xEE);
        Ok(())
    })?;
    drop(contents);
    for _ in 0..3 {
        fixture.submit(&execution)?;
        fixture.expect(&buffer, &expected)?;
        fixture.upload(&buffer, &[0; 1000])?;
    }
    Ok(())
}

fn as_large_as_updates_get(fixture: &Fixture) -> Outcome {
    let contents = pattern(MAX_UPDATE_BYTES, 4);
    let buffer = fixture.buffer(MAX_UPDATE_BYTES, 0)?;
    fixture.execute(|commands| {
        commands.update(&contents, &commands.whole(&buffer))?;
        Ok(())
    })?;
    fixture.expect(&buffer, &contents)
}

fn too_large(fixture: &Fixture) -> Outcome {
    let buffer = fixture.buffer(2 * MAX_UPDATE_BYTES, 0)?;
    fixture.execute(|commands| {
        let target = commands.whole(&buffer);
        let contents = pattern(MAX_UPDATE_BYTES + 1, 5);
        refused(
            commands.update(&contents, &target),
            StatusCode::InvalidArgument,
        );
        Ok(())
    })?;
    fixture.expect(&buffer, &vec![0; 2 * MAX_UPDATE_BYTES])
}

fn many(fixture: &Fixture) -> Outcome {
    // More than one block of the arena holds.
    let contents = pattern(100_000, 6);
    let buffer = fixture.buffer(contents.len(), 0)?;
    let execution = fixture.record(|commands| {
        for (index, part) in contents.chunks(1000).enumerate() {
            let target = commands.range(&buffer, 1000 * index as u64, 1000);
            commands.update(part, &target)?;
        }
        Ok(())
    })?;
    fixture.submit(&execution)?;
    fixture.expect(&buffer, &contents)
}
