//! Filling buffers with patterns.

use hal::StatusCode;

use crate::cases;
use crate::commands::expect_bytes;
use crate::frame::{Case, Fixture, Outcome};

pub(crate) const CASES: &[Case] = cases![Bindings:
    pattern1_size1_offset0_length1,
    pattern1_size5_offset0_length5,
    pattern1_size16_offset0_length1,
    pattern1_size16_offset0_length3,
    pattern1_size16_offset0_length8,
    pattern1_size16_offset2_length8,
    pattern2_size2_offset0_length2,
    pattern2_size16_offset0_length8,
    pattern2_size16_offset0_length10,
    pattern2_size16_offset2_length8,
    pattern4_size4_offset0_length4,
    pattern4_size20_offset16_length4,
    pattern4_size16_offset0_length8,
    pattern4_size16_offset8_length8,
    size_alignment_and_pattern_classes,
    impossible_patterns,
    out_of_range,
];

/// Fills a range of zeros and compares all bytes.
fn fill(fixture: &Fixture, size: usize, offset: usize, length: usize, pattern: &[u8]) -> Outcome {
    let buffer = fixture.buffer(&vec![0; size])?;
    fixture.run(|commands, names| {
        let target = names.range(&buffer, offset as u64, length as u64);
        commands.fill(&target, pattern)
    })?;
    let mut expected = vec![0; size];
    let repeated = pattern.iter().cycle();
    for (byte, value) in expected[offset..offset + length].iter_mut().zip(repeated) {
        *byte = *value;
    }
    let what = format!("{length} of {size} bytes at {offset} with {pattern:x?}");
    expect_bytes(&what, &fixture.read(&buffer)?, &expected)
}

const ONE: &[u8] = &[0x07];
const TWO: &[u8] = &0xAB23_u16.to_le_bytes();
const FOUR: &[u8] = &0xAB23_CD45_u32.to_le_bytes();

fn pattern1_size1_offset0_length1(fixture: &Fixture) -> Outcome {
    fill(fixture, 1, 0, 1, ONE)
}

fn pattern1_size5_offset0_length5(fixture: &Fixture) -> Outcome {
    fill(fixture, 5, 0, 5, ONE)
}

fn pattern1_size16_offset0_length1(fixture: &Fixture) -> Outcome {
    fill(fixture, 16, 0, 1, ONE)
}

fn pattern1_size16_offset0_length3(fixture: &Fixture) -> Outcome {
    fill(fixture, 16, 0, 3, ONE)
}

fn pattern1_size16_offset0_length8(fixture: &Fixture) -> Outcome {
    fill(fixture, 16, 0, 8, ONE)
}

fn pattern1_size16_offset2_length8(fixture: &Fixture) -> Outcome {
    fill(fixture, 16, 2, 8, ONE)
}

fn pattern2_size2_offset0_length2(fixture: &Fixture) -> Outcome {
    fill(fixture, 2, 0, 2, TWO)
}

fn pattern2_size16_offset0_length8(fixture: &Fixture) -> Outcome {
    fill(fixture, 16, 0, 8, TWO)
}

fn pattern2_size16_offset0_length10(fixture: &Fixture) -> Outcome {
    fill(fixture, 16, 0, 10, TWO)
}

fn pattern2_size16_offset2_length8(fixture: &Fixture) -> Outcome {
    fill(fixture, 16, 2, 8, TWO)
}

fn pattern4_size4_offset0_length4(fixture: &Fixture) -> Outcome {
    fill(fixture, 4, 0, 4, FOUR)
}

fn pattern4_size20_offset16_length4(fixture: &Fixture) -> Outcome {
    fill(fixture, 20, 16, 4, FOUR)
}

fn pattern4_size16_offset0_length8(fixture: &Fixture) -> Outcome {
    fill(fixture, 16, 0, 8, FOUR)
}

fn pattern4_size16_offset8_length8(fixture: &Fixture) -> Outcome {
    fill(fixture, 16, 8, 8, FOUR)
}

fn size_alignment_and_pattern_classes(fixture: &Fixture) -> Outcome {
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
    for (pattern, ranges) in [(ONE, one), (TWO, two), (FOUR, four)] {
        for &(offset, length) in ranges {
            fill(fixture, offset + length + 16, offset, length, pattern)?;
        }
    }
    Ok(())
}

fn impossible_patterns(fixture: &Fixture) -> Outcome {
    let buffer = fixture.buffer(&[5; 16])?;
    for (offset, length, pattern) in [
        (0, 15, &[1; 3][..]),
        (0, 16, &[]),
        (0, 16, &[1; 8]),
        (1, 4, &[1; 2]),
        (2, 8, &[1; 4]),
        (0, 6, &[1; 4]),
    ] {
        let status = fixture
            .run(|commands, names| commands.fill(&names.range(&buffer, offset, length), pattern))
            .expect_err("an impossible fill");
        assert_eq!(status.code(), StatusCode::InvalidArgument, "{status:#}");
    }
    assert_eq!(fixture.read(&buffer)?, [5; 16]);
    Ok(())
}

fn out_of_range(fixture: &Fixture) -> Outcome {
    let buffer = fixture.buffer(&[5; 32])?.subspan(0, 16)?;
    for (offset, length) in [(0, 17), (16, 1), (17, 1), (u64::MAX - 1, 4)] {
        let status = fixture
            .run(|commands, names| commands.fill(&names.range(&buffer, offset, length), &[1]))
            .expect_err("a fill past the end");
        assert_eq!(status.code(), StatusCode::OutOfRange, "{status:#}");
    }
    Ok(())
}
