//! Known answers of matrix instructions.

use crate::isa::WaveSize;
use crate::program::testing::{Bench, Line, fill, lanes, run, run_32, set};
use crate::wave::Wave;

const WMMA: Line = (
    "v_wmma_f32_16x16x16_f16 v[32:39], v[0:7], v[8:15], v[16:23]",
    &[0xcc40_4020, 0x1c42_1100],
);

/// Tiles of small halves: A in rows 0 to 7, B in 8 to 15, C in 16 to 23, as far
/// as a half of a wave sees them.
fn tiles(bench: &mut Bench) {
    let half = |x: u32| u32::from(half::f16::from_f32(x as f32 - 8.0).to_bits());
    let registers = if bench.wave.halves == 2 { 4 } else { 8 };
    for upper in 0..bench.wave.halves as usize {
        for k in 0..8 {
            let pair = |row: u32, seed: u32| {
                let element = |k: u32| half((row * 7 + k * 3 + seed) % 17);
                element(2 * k as u32) | element(2 * k as u32 + 1) << 16
            };
            fill(bench, 256 * upper + k, |lane| pair(lane % 16, 1));
            fill(bench, 256 * upper + 8 + k, |lane| pair(lane % 16, 5));
        }
        for register in 0..registers {
            fill(bench, 256 * upper + 16 + register, |lane| {
                let rows_a_register = 16 / registers as u32;
                let row = rows_a_register * register as u32 + 2 * upper as u32 + lane / 16;
                (row as f32 * 100.0 + (lane % 16) as f32).to_bits()
            });
        }
    }
}

/// Row and column of D in a matrix.
fn matrix(wave: &Wave) -> Vec<u32> {
    let registers = if wave.halves == 2 { 4 } else { 8 };
    let mut all = vec![0; 256];
    for upper in 0..wave.halves as usize {
        for register in 0..registers {
            let values = lanes(wave, 256 * upper + 32 + register);
            for (lane, value) in values.into_iter().enumerate() {
                let row = 16 / registers * register + 2 * upper + lane / 16;
                all[16 * row + lane % 16] = value;
            }
        }
    }
    all
}

#[test]
fn matrices_are_the_same_with_64_lanes() {
    let narrow = run_32(&[WMMA], tiles, matrix);
    let line: Line = (
        "v_wmma_f32_16x16x16_f16 v[32:35], v[0:7], v[8:15], v[16:19]",
        WMMA.1,
    );
    let wide = run(WaveSize::Wave64, &[line], tiles, matrix);
    assert_eq!(narrow, wide);
    let element = |row: u32, k: u32, seed: u32| ((row * 7 + k * 3 + seed) % 17) as f32 - 8.0;
    for row in 0..16 {
        for column in 0..16 {
            let products = (0..16).map(|k| element(row, k, 1) * element(column, k, 5));
            let expected = row as f32 * 100.0 + column as f32 + products.sum::<f32>();
            assert_eq!(
                f32::from_bits(narrow[(16 * row + column) as usize]),
                expected
            );
        }
    }
}

#[test]
fn signs_of_matrices() {
    let plain = run_32(&[WMMA], tiles, matrix);
    let negated: Line = (
        "v_wmma_f32_16x16x16_f16 v[32:39], v[0:7], v[8:15], v[16:23] neg_lo:[1,0,1] neg_hi:[1,0,0]",
        &[0xcc40_4120, 0xbc42_1100],
    );
    let opposite = run_32(&[negated], tiles, matrix);
    for (a, b) in plain.iter().zip(&opposite) {
        assert_eq!(f32::from_bits(*a), -f32::from_bits(*b));
    }
    let absolute: Line = (
        "v_wmma_f32_16x16x16_f16 v[32:39], v[0:7], v[8:15], v[16:23] neg_lo:[0,1,0] neg_hi:[0,1,1]",
        &[0xcc40_4620, 0x5c42_1100],
    );
    let negative_c = |bench: &mut Bench| {
        tiles(bench);
        for row in 16..24 {
            for value in bench.wave.rows[row].lanes_mut() {
                *value |= 1 << 31;
            }
        }
    };
    let difference = run_32(&[absolute], negative_c, matrix);
    for (i, (a, b)) in plain.iter().zip(&difference).enumerate() {
        let c = (i / 16 * 100 + i % 16) as f32;
        assert_eq!(f32::from_bits(*b), 2.0 * c - f32::from_bits(*a));
    }
}

#[test]
fn sums_of_integer_matrices_saturate() {
    let line: Line = (
        "v_wmma_i32_16x16x16_iu8 v[32:39], v[0:3], v[8:11], v[16:23] neg_lo:[1,1,0] clamp",
        &[0xcc44_c020, 0x7c42_1100],
    );
    let prepare = |b: u32, c: u32| {
        move |bench: &mut Bench| {
            (0..4).for_each(|row| set(bench, row, 0x7f7f_7f7f));
            (8..12).for_each(|row| set(bench, row, b));
            (16..24).for_each(|row| set(bench, row, c));
        }
    };
    let all = |b, c| run_32(&[line], prepare(b, c), |wave| lanes(wave, 39)[9]);
    assert_eq!(all(0x7f7f_7f7f, i32::MAX as u32 - 10), i32::MAX as u32);
    assert_eq!(all(0x8181_8181, i32::MIN as u32 + 10), i32::MIN as u32);
    assert_eq!(all(0x0101_0101, 1), 16 * 127 + 1);
}
