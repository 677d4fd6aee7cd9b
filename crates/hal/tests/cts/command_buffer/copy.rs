//! Copying between buffers.

use hal::BufferParams;

use crate::cases;
use crate::frame::{Case, Fixture, Outcome};
use crate::work::{patched, pattern};

pub(crate) const CASES: &[Case] = cases![Bindings:
    whole_buffer,
    sub_buffer,
    size_and_alignment_classes,
    between_views,
    within_a_buffer,
    between_kinds_of_memory,
    no_bytes,
];

fn whole_buffer(fixture: &Fixture) -> Outcome {
    let source = fixture.host_buffer(1024, 0x54)?;
    let target = fixture.buffer(1024, 0)?;
    fixture.execute(|commands| {
        commands.copy(&commands.whole(&source), &commands.whole(&target))?;
        Ok(())
    })?;
    fixture.expect(&target, &[0x54; 1024])
}

fn sub_buffer(fixture: &Fixture) -> Outcome {
    let source = fixture.host_buffer(1024, 0x88)?;
    let target = fixture.buffer(1024, 0xFF)?;
    fixture.execute(|commands| {
        commands.fill(&commands.range(&target, 0, 8), &[0])?;
        let from = commands.range(&source, 4, 508);
        commands.copy(&from, &commands.range(&target, 8, 508))?;
        commands.fill(&commands.range(&target, 516, 508), &[0])?;
        Ok(())
    })?;
    fixture.expect(&target, &patched(vec![0; 1024], 8, &[0x88; 508]))
}

fn size_and_alignment_classes(fixture: &Fixture) -> Outcome {
    let lengths = [4, 8, 16, 31, 32, 33, 64, 128, 256, 1024, 4096, 16384, 65536];
    for length in lengths {
        for (from, to) in [(0, 0), (8, 8), (4, 4), (1, 2)] {
            copy_one(fixture, from, to, length)?;
        }
    }
    copy_one(fixture, 0, 0, 1 << 20)
}

fn copy_one(fixture: &Fixture, from: usize, to: usize, length: usize) -> Outcome {
    let bytes = length + 16;
    let contents = pattern(bytes, length as u8);
    let source = fixture.buffer_of(&contents)?;
    let target = fixture.buffer(bytes, 0xCC)?;
    fixture.execute(|commands| {
        let source = commands.range(&source, from as u64, length as u64);
        let target = commands.range(&target, to as u64, length as u64);
        commands.copy(&source, &target)?;
        Ok(())
    })?;
    let copied = &contents[from..from + length];
    fixture.expect(&target, &patched(vec![0xCC; bytes], to, copied))
}

fn between_views(fixture: &Fixture) -> Outcome {
    let contents = pattern(256, 1);
    let source = fixture.buffer_of(&contents)?.subspan(64, 128)?;
    let target = fixture.buffer(256, 0)?;
    let view = target.subspan(32, 64)?;
    fixture.execute(|commands| {
        // Offsets of views, bindings and commands add up.
        commands.copy(
            &commands.view(&source, 16, 48),
            &commands.range(&view, 8, 48),
        )?;
        Ok(())
    })?;
    fixture.expect(&target, &patched(vec![0; 256], 40, &contents[80..128]))
}

fn within_a_buffer(fixture: &Fixture) -> Outcome {
    let contents = pattern(256, 2);
    let buffer = fixture.buffer_of(&contents)?;
    fixture.execute(|commands| {
        // They touch, and do not overlap.
        let source = commands.range(&buffer, 0, 128);
        commands.copy(&source, &commands.range(&buffer, 128, 128))?;
        Ok(())
    })?;
    fixture.expect(&buffer, &contents[..128].repeat(2))
}

fn between_kinds_of_memory(fixture: &Fixture) -> Outcome {
    let heaps = fixture.device.allocator().memory_heaps();
    for from in heaps {
        for to in heaps {
            let allocate = |heap: &hal::MemoryHeap| {
                let params = BufferParams {
                    memory_type: heap.memory_type,
                    ..BufferParams::default()
                };
                fixture.device.allocator().allocate(&params, 512)
            };
            let (source, target) = (allocate(from)?, allocate(to)?);
            let contents = pattern(512, 3);
            fixture.upload(&source, &contents)?;
            fixture.execute(|commands| {
                commands.copy(&commands.whole(&source), &commands.whole(&target))?;
                Ok(())
            })?;
            fixture.expect(&target, &contents)?;
        }
    }
    Ok(())
}

fn no_bytes(fixture: &Fixture) -> Outcome {
    let source = fixture.buffer(64, 1)?;
    let target = fixture.buffer(64, 2)?;
    fixture.execute(|commands| {
        let source = commands.range(&source, 64, 0);
        commands.copy(&source, &commands.range(&target, 3, 0))?;
        Ok(())
    })?;
    fixture.expect(&target, &[2; 64])
}
