//! Known answers of what gfx950 alone has: deeper matrices, small floats with
//! scales, transposed reads of LDS, functions of three bits, swapped rows.

use super::gfx9::{Layout, Line, f16, fill, from_f32, from_i32, lanes, run_on};
use crate::isa::{Cdna, Generation, WaveSize};
use crate::program::Target;
use crate::program::testing::Bench;
use crate::wave::Wave;

const TARGET: Target = Target {
    generation: Generation::Gfx9(Cdna::Cdna4),
    size: WaveSize::Wave64,
};

fn multiply(line: Line, prepare: impl Fn(&mut Bench), check: impl Fn(&Wave)) {
    run_on(TARGET, &[line], prepare, check);
}

#[test]
fn products_of_eight_halves_and_of_16_bytes_a_lane() {
    let halves = Layout {
        rows: 16,
        depth: 32,
        blocks: 1,
        factor: |i, k, _| (i + 16 * (k / 8), k % 8),
        result: |i, j, _| (j + 16 * (i / 4), i % 4),
    };
    multiply(
        (
            "v_mfma_f32_16x16x32_f16 v[8:11], v[0:3], v[4:7], v[8:11]",
            &[0xd3d4_0008, 0x0422_0900],
        ),
        |bench| halves.put(bench, [0, 4], 16, |value| u64::from(f16(value as f32))),
        |wave| halves.check(wave, 8, from_f32, 0),
    );
    let bytes = Layout {
        rows: 32,
        depth: 32,
        blocks: 1,
        factor: |i, k, _| (i + 32 * (k / 16), k % 16),
        result: |i, j, _| (j + 32 * (i / 4 % 2), i % 4 + i / 8 * 4),
    };
    multiply(
        (
            "v_mfma_i32_32x32x32_i8 v[8:23], v[0:3], v[4:7], 1",
            &[0xd3b8_0008, 0x0206_0900],
        ),
        |bench| bytes.put(bench, [0, 4], 8, |value| u64::from(value as u8)),
        |wave| bytes.check(wave, 8, from_i32, 1),
    );
}

#[test]
fn products_of_four_bits_with_and_without_scales() {
    let layout = Layout {
        rows: 16,
        depth: 128,
        blocks: 1,
        factor: |i, k, _| (i + 16 * (k / 32), k % 32),
        result: |i, j, _| (j + 16 * (i / 4), i % 4),
    };
    let encode = |value: i32| {
        let code = [0, 2, 4, 5, 6][value.unsigned_abs() as usize];
        code | if value < 0 { 8 } else { 0 }
    };
    multiply(
        (
            "v_mfma_f32_16x16x128_f8f6f4 v[20:23], v[0:3], v[8:11], 0 cbsz:4 blgp:4",
            &[0xd3ad_0414, 0x8202_1100],
        ),
        |bench| layout.put(bench, [0, 8], 4, encode),
        |wave| layout.check(wave, 20, from_f32, 0),
    );
    multiply(
        (
            "v_mfma_scale_f32_16x16x128_f8f6f4 v[24:27], v[0:3], v[8:11], 0, v30, v31 op_sel:[1,0,0] op_sel_hi:[0,1,0] cbsz:4 blgp:4",
            &[0xd3ac_0800, 0x1002_3f1e, 0xd3ad_0c18, 0x8202_1100],
        ),
        |bench| {
            layout.put(bench, [0, 8], 4, encode);
            // Twice and four times, in bytes 1 and 2.
            fill(bench, 30, |_| 0x0000_8000);
            fill(bench, 31, |_| 0x0081_0000);
        },
        |wave| {
            let eighth = |[low, _]: [u32; 2]| (f32::from_bits(low) / 8.0) as i32;
            layout.check(wave, 24, eighth, 0);
        },
    );
}

#[test]
fn lds_is_read_transposed() {
    let lines: [Line; 3] = [
        ("ds_write_b64 v0, v[2:3]", &[0xd89a_0000, 0x0000_0200]),
        ("ds_read_b64_tr_b16 v[4:5], v0", &[0xd9c6_0000, 0x0400_0000]),
        ("ds_read_b64_tr_b8 v[6:7], v0", &[0xd9c4_0000, 0x0600_0000]),
    ];
    let found = run_on(
        TARGET,
        &lines,
        |bench| {
            fill(bench, 0, |lane| 8 * lane);
            fill(bench, 2, |lane| (4 * lane) | ((4 * lane + 1) << 16));
            fill(bench, 3, |lane| (4 * lane + 2) | ((4 * lane + 3) << 16));
        },
        |wave| {
            let both = |first: usize, lane: usize| [0, 1].map(|n| lanes(wave, first + n)[lane]);
            [both(4, 21), both(6, 20)]
        },
    );
    // Four lanes hold a row of 16 halves, two one of 16 bytes.
    assert_eq!(found[0], [69 | 85 << 16, 101 | 117 << 16]);
    let bytes = |first: u8| u32::from_le_bytes([first, first + 8, first + 16, first + 24]);
    assert_eq!(found[1], [bytes(66), bytes(98)]);
}

#[test]
fn bits_by_table_and_rows_swapped() {
    let lines: [Line; 3] = [
        (
            "v_bitop3_b32 v4, v0, v1, v2 bitop3:0xca",
            &[0xd234_0104, 0x5c0a_0300],
        ),
        ("v_permlane32_swap_b32_e32 v0, v1", &[0x7e00_b501]),
        ("v_permlane16_swap_b32_e32 v2, v3", &[0x7e04_b303]),
    ];
    let found = run_on(
        TARGET,
        &lines,
        |bench| {
            for register in 0..4 {
                fill(bench, register, |lane| 100 * register as u32 + lane);
            }
        },
        |wave| [0, 1, 2, 3, 4].map(|register| lanes(wave, register)),
    );
    let [a, b, c] = [7, 107, 207_u32];
    assert_eq!(found[4][7], a & b | !a & c);
    assert_eq!([found[0][8], found[0][40]], [8, 108]);
    assert_eq!([found[1][8], found[1][40]], [40, 140]);
    assert_eq!([found[2][4], found[2][20], found[2][52]], [204, 304, 336]);
    assert_eq!([found[3][4], found[3][20], found[3][36]], [220, 320, 252]);
}

#[test]
fn floats_are_scaled_and_packed() {
    let lines: [Line; 6] = [
        (
            "v_cvt_scalef32_pk_fp4_f32 v4, v0, v1, v2 op_sel:[0,0,1,0]",
            &[0xd23d_2004, 0x040a_0300],
        ),
        (
            "v_cvt_scalef32_pk_f32_fp4 v[6:7], v4, v2 op_sel:[1,0,0]",
            &[0xd23f_0806, 0x0002_0504],
        ),
        ("v_cvt_pk_bf16_f32 v5, v0, v1", &[0xd268_0005, 0x0002_0300]),
        ("v_minimum3_f32 v8, v0, v1, v9", &[0xd2a8_0008, 0x0426_0300]),
        (
            "v_cvt_scalef32_2xpk16_fp6_f32 v[40:45], v[16:31], v[46:61], v32",
            &[0xd252_0028, 0x0482_5d10],
        ),
        (
            "v_cvt_scalef32_pk32_f32_fp6 v[64:95], v[40:45], v32",
            &[0xd256_0040, 0x0002_4128],
        ),
    ];
    let found = run_on(
        TARGET,
        &lines,
        |bench| {
            let values = [(0, 3.0), (1, -1.0), (2, 2.0), (9, f32::NAN), (32, 4.0)];
            for (register, value) in values {
                fill(bench, register, |_| f32::to_bits(value));
            }
            fill(bench, 4, |_| 0x1122_3344);
            for number in 0..16 {
                fill(bench, 16 + number, |_| (number as f32).to_bits());
                fill(bench, 46 + number, |_| (-(number as f32)).to_bits());
            }
        },
        |wave| [4, 6, 7, 5, 8, 64, 70, 71].map(|register| lanes(wave, register)[33]),
    );
    assert_eq!(found[0], 0x1122_9344);
    assert_eq!(found[1..3], [3.0_f32, -1.0].map(f32::to_bits));
    assert_eq!(found[3], 0xbf80_4040);
    assert!(f32::from_bits(found[4]).is_nan());
    assert_eq!(found[5..], [0.0_f32, 3.0, -3.0].map(f32::to_bits));
}
