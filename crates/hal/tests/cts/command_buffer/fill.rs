//! Filling buffers with patterns.

use crate::cases;
use crate::frame::{Case, Fixture, Outcome};
use crate::work::patched;

/// Cases that fill once, `name: pattern, buffer size, offset, length` in bytes.
macro_rules! fills {
    ($($name:ident: $pattern:expr, $size:literal, $offset:literal, $length:literal;)*) => {
        pub(crate) const CASES: &[Case] = cases![Bindings:
            $($name,)*
            size_alignment_and_pattern_classes,
            through_a_view,
            whole_binding,
            no_bytes,
        ];

        $(fn $name(fixture: &Fixture) -> Outcome {
            fill(fixture, &$pattern, $size, $offset, $length)
        })*
    };
}

const ONE: [u8; 1] = [0x07];
const TWO: [u8; 2] = 0xAB23_u16.to_le_bytes();
const FOUR: [u8; 4] = 0xAB23_CD45_u32.to_le_bytes();

fills! {
    fill_1_byte_pattern_1_in_1: ONE, 1, 0, 1;
    fill_1_byte_pattern_5_in_5: ONE, 5, 0, 5;
    fill_1_byte_pattern_1_in_16: ONE, 16, 0, 1;
    fill_1_byte_pattern_3_in_16: ONE, 16, 0, 3;
    fill_1_byte_pattern_8_in_16: ONE, 16, 0, 8;
    fill_1_byte_pattern_8_in_16_at_2: ONE, 16, 2, 8;
    fill_2_byte_pattern_2_in_2: TWO, 2, 0, 2;
    fill_2_byte_pattern_8_in_16: TWO, 16, 0, 8;
    fill_2_byte_pattern_10_in_16: TWO, 16, 0, 10;
    fill_2_byte_pattern_8_in_16_at_2: TWO, 16, 2, 8;
    fill_4_byte_pattern_4_in_4: FOUR, 4, 0, 4;
    fill_4_byte_pattern_4_in_20_at_16: FOUR, 20, 16, 4;
    fill_4_byte_pattern_8_in_16: FOUR, 16, 0, 8;
    fill_4_byte_pattern_8_in_16_at_8: FOUR, 16, 8, 8;
}

fn fill(fixture: &Fixture, pattern: &[u8], bytes: usize, offset: usize, length: usize) -> Outcome {
    let buffer = fixture.buffer(bytes, 0)?;
    fixture.execute(|commands| {
        let target = commands.range(&buffer, offset as u64, length as u64);
        commands.fill(&target, pattern)?;
        Ok(())
    })?;
    let filled = pattern.repeat(length / pattern.len());
    fixture.expect(&buffer, &patched(vec![0; bytes], offset, &filled))
}

fn size_alignment_and_pattern_classes(fixture: &Fixture) -> Outcome {
    type Ranges<'a> = &'a [(usize, usize)];
    let classes: [(&[u8], Ranges<'_>); 3] = [
        (
            &ONE,
            &[
                (0, 4),
                (3, 31),
                (17, 32),
                (1, 33),
                (16, 64),
                (7, 1024),
                (31, 65536),
            ],
        ),
        (
            &TWO,
            &[(0, 4), (2, 30), (6, 32), (18, 34), (4, 1024), (14, 65536)],
        ),
        (
            &FOUR,
            &[(0, 4), (4, 28), (8, 32), (20, 36), (4, 1024), (12, 65536)],
        ),
    ];
    for (pattern, ranges) in classes {
        for &(offset, length) in ranges {
            fill(fixture, pattern, offset + length + 16, offset, length)?;
        }
    }
    Ok(())
}

fn through_a_view(fixture: &Fixture) -> Outcome {
    let buffer = fixture.buffer(64, 0)?;
    let view = buffer.subspan(16, 32)?;
    fixture.execute(|commands| {
        commands.fill(&commands.view(&view, 4, 8), &FOUR)?;
        commands.fill(&commands.range(&view, 16, 8), &TWO)?;
        Ok(())
    })?;
    let expected = patched(vec![0; 64], 20, &FOUR.repeat(2));
    fixture.expect(&buffer, &patched(expected, 32, &TWO.repeat(4)))
}

fn whole_binding(fixture: &Fixture) -> Outcome {
    let buffer = fixture.buffer(64, 0)?;
    fixture.execute(|commands| {
        // As far as the buffer, or its binding, goes.
        commands.fill(&commands.range(&buffer, 16, hal::WHOLE_BUFFER), &FOUR)?;
        Ok(())
    })?;
    fixture.expect(&buffer, &patched(vec![0; 64], 16, &FOUR.repeat(12)))
}

fn no_bytes(fixture: &Fixture) -> Outcome {
    fill(fixture, &ONE, 16, 8, 0)?;
    fill(fixture, &FOUR, 16, 16, 0)
}
