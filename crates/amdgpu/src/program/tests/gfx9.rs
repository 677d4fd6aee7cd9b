//! Known answers of what only gfx9 has: parts of dwords, permutations across
//! rows, pairs of f32, accumulation registers and matrices.

use crate::isa::{Cdna, Generation, WaveSize};
use crate::program::Target;
use crate::program::testing::Bench;
use crate::simd::Backend;
use crate::wave::{Wave, slot};

/// An instruction: LLVM's text and its encoding.
pub(super) type Line = (&'static str, &'static [u32]);

const TARGET: Target = Target {
    generation: Generation::Gfx9(Cdna::Cdna3),
    size: WaveSize::Wave64,
};
/// Registers of a half of the wave: vector and accumulation registers.
pub(super) const REGISTERS: usize = 512;
/// The first accumulation register.
const ACCUMULATION: usize = 256;

/// A register of all 64 lanes.
pub(super) fn lanes(wave: &Wave, register: usize) -> [u32; 64] {
    std::array::from_fn(|lane| wave.rows[register + lane / 32 * REGISTERS].lanes()[lane % 32])
}

pub(super) fn fill(bench: &mut Bench, register: usize, f: impl Fn(u32) -> u32) {
    for lane in 0..64 {
        let row = &mut bench.wave.rows[register + lane / 32 * REGISTERS];
        row.lanes_mut()[lane % 32] = f(lane as u32);
    }
}

/// Runs instructions on both back ends, which must agree on `look`.
fn run<T: PartialEq + std::fmt::Debug>(
    lines: &[Line],
    prepare: impl Fn(&mut Bench),
    look: impl Fn(&Wave) -> T,
) -> T {
    run_on(TARGET, lines, prepare, look)
}

/// The same of another chip's.
pub(super) fn run_on<T: PartialEq + std::fmt::Debug>(
    target: Target,
    lines: &[Line],
    prepare: impl Fn(&mut Bench),
    look: impl Fn(&Wave) -> T,
) -> T {
    let mut words = Vec::new();
    for (text, encoding) in lines {
        let bytes: Vec<u8> = encoding
            .iter()
            .flat_map(|word| word.to_le_bytes())
            .collect();
        assert_eq!(target.decode(&bytes, 0).expect(text).to_string(), *text);
        words.extend_from_slice(encoding);
    }
    let [first, second] = [Backend::detect(), Backend::Portable].map(|backend| {
        let mut bench = Bench::new(&words, target, backend).expect("it lowers");
        prepare(&mut bench);
        look(&bench.run().expect("no fault"))
    });
    assert_eq!(first, second, "the back ends differ");
    first
}

pub(super) fn f16(value: f32) -> u32 {
    u32::from(half::f16::from_f32(value).to_bits())
}

#[test]
fn parts_of_dwords_are_taken_and_put() {
    let lines: [Line; 3] = [
        (
            "v_add_u32_sdwa v2, sext(v0), v1 dst_sel:WORD_1 dst_unused:UNUSED_PRESERVE src0_sel:BYTE_1 src1_sel:WORD_1",
            &[0x6804_02f9, 0x0509_1500],
        ),
        (
            "v_add_f16_sdwa v3, v0, -v1 dst_sel:WORD_1 dst_unused:UNUSED_PAD src0_sel:WORD_1 src1_sel:WORD_0",
            &[0x3e06_02f9, 0x1405_0500],
        ),
        (
            "v_mov_b32_sdwa v4, v0 dst_sel:BYTE_1 dst_unused:UNUSED_SEXT src0_sel:BYTE_3",
            &[0x7e08_02f9, 0x0003_0900],
        ),
    ];
    let found = run(
        &lines,
        |bench| {
            // Byte 1 is -2, the upper half 2.5, byte 3 so 0x41; the lower half 1.5.
            fill(bench, 0, |_| f16(2.5) << 16 | 0xfe00);
            fill(bench, 1, |_| 0x1234 << 16 | f16(1.5));
            fill(bench, 2, |_| 0xdead_beef);
            fill(bench, 3, |_| u32::MAX);
        },
        |wave| [2, 3, 4].map(|register| lanes(wave, register)[40]),
    );
    assert_eq!(found, [0x1232_beef, f16(1.0) << 16, 0x4100]);
}

#[test]
fn sign_of_a_byte_is_spread() {
    let line: Line = (
        "v_mov_b32_sdwa v4, v0 dst_sel:BYTE_1 dst_unused:UNUSED_SEXT src0_sel:BYTE_3",
        &[0x7e08_02f9, 0x0003_0900],
    );
    let found = run(
        &[line],
        |bench| fill(bench, 0, |_| 0x8000_0000),
        |wave| lanes(wave, 4)[0],
    );
    assert_eq!(found, 0xffff_8000);
}

#[test]
fn halves_clear_what_is_above_them_unless_they_are_picked() {
    let lines: [Line; 3] = [
        ("v_add_f16_e32 v2, v0, v1", &[0x3e04_0300]),
        (
            "v_fma_f16 v3, v0, v1, v0 op_sel:[0,1,0,1]",
            &[0xd206_5003, 0x0402_0300],
        ),
        (
            "v_mad_legacy_u16 v5, v0, v1, v2",
            &[0xd1eb_0005, 0x040a_0300],
        ),
    ];
    let found = run(
        &lines,
        |bench| {
            fill(bench, 0, |_| 0x7777 << 16 | f16(2.0));
            fill(bench, 1, |_| f16(3.0) << 16 | f16(1.0));
            for register in [2, 3, 5] {
                fill(bench, register, |_| 0xaaaa_bbbb);
            }
        },
        |wave| [2, 3, 5].map(|register| lanes(wave, register)[63]),
    );
    let product = f16(2.0).wrapping_mul(f16(1.0)).wrapping_add(f16(3.0));
    assert_eq!(found, [f16(3.0), f16(8.0) << 16 | 0xbbbb, product & 0xffff]);
}

#[test]
fn a_compare_to_exec_writes_its_mask_too() {
    let line: Line = ("v_cmpx_lt_u32_e32 vcc, v0, v1", &[0x7db2_0300]);
    let found = run(
        &[line],
        |bench| {
            fill(bench, 0, |lane| lane);
            fill(bench, 1, |_| 40);
        },
        |wave| {
            let mask = |at: u16| [0, 1].map(|half| wave.scalars[(at + half) as usize]);
            [mask(slot::VCC), mask(slot::EXEC)]
        },
    );
    assert_eq!(found, [[u32::MAX, 0xff]; 2]);
}

#[test]
fn a_compare_of_parts_writes_its_scalars() {
    let line: Line = (
        "v_cmp_eq_u32_sdwa s[8:9], v0, v1 src0_sel:BYTE_0 src1_sel:DWORD",
        &[0x7d94_02f9, 0x0600_8800],
    );
    let found = run(
        &[line],
        |bench| {
            fill(bench, 0, |lane| 0xff00 | lane & 15);
            fill(bench, 1, |_| 3);
        },
        |wave| [wave.scalars[8], wave.scalars[9]],
    );
    assert_eq!(found, [0x0008_0008; 2]);
}

#[test]
fn a_sum_of_the_wave_by_permutations() {
    let lines: [Line; 6] = [
        (
            "v_add_u32_dpp v0, v0, v0 row_shr:1 row_mask:0xf bank_mask:0xf",
            &[0x6800_00fa, 0xff01_1100],
        ),
        (
            "v_add_u32_dpp v0, v0, v0 row_shr:2 row_mask:0xf bank_mask:0xf",
            &[0x6800_00fa, 0xff01_1200],
        ),
        (
            "v_add_u32_dpp v0, v0, v0 row_shr:4 row_mask:0xf bank_mask:0xe",
            &[0x6800_00fa, 0xfe01_1400],
        ),
        (
            "v_add_u32_dpp v0, v0, v0 row_shr:8 row_mask:0xf bank_mask:0xc",
            &[0x6800_00fa, 0xfc01_1800],
        ),
        (
            "v_add_u32_dpp v0, v0, v0 row_bcast:15 row_mask:0xa bank_mask:0xf",
            &[0x6800_00fa, 0xaf01_4200],
        ),
        (
            "v_add_u32_dpp v0, v0, v0 row_bcast:31 row_mask:0xc bank_mask:0xf",
            &[0x6800_00fa, 0xcf01_4300],
        ),
    ];
    let sums = run(
        &lines,
        |bench| fill(bench, 0, |lane| lane + 1),
        |wave| lanes(wave, 0),
    );
    // Each lane has the sum of all up to it.
    for (lane, sum) in (1..).zip(sums) {
        assert_eq!(sum, lane * (lane + 1) / 2);
    }
}

#[test]
fn lanes_move_across_the_halves() {
    let lines: [Line; 3] = [
        (
            "v_mov_b32_dpp v1, v0 wave_shr:1 row_mask:0xf bank_mask:0xf",
            &[0x7e02_02fa, 0xff01_3800],
        ),
        (
            "v_mov_b32_dpp v2, v0 wave_rol:1 row_mask:0xf bank_mask:0xf",
            &[0x7e04_02fa, 0xff01_3400],
        ),
        (
            "v_mov_b32_dpp v3, v0 row_newbcast:5 row_mask:0xf bank_mask:0xf",
            &[0x7e06_02fa, 0xff01_5500],
        ),
    ];
    let [right, left, first] = run(
        &lines,
        |bench| {
            fill(bench, 0, |lane| lane);
            fill(bench, 1, |_| 99);
        },
        |wave| [1, 2, 3].map(|register| lanes(wave, register)),
    );
    for lane in 0..64_u32 {
        let at = lane as usize;
        // The first lane has no source and stays.
        assert_eq!(right[at], if lane == 0 { 99 } else { lane - 1 });
        assert_eq!(left[at], (lane + 1) % 64);
        assert_eq!(first[at], lane / 16 * 16 + 5);
    }
}

#[test]
fn permutations_through_lds_reach_all_lanes() {
    let lines: [Line; 2] = [
        ("ds_bpermute_b32 v2, v0, v1", &[0xd87e_0000, 0x0200_0100]),
        ("ds_permute_b32 v3, v0, v1", &[0xd87c_0000, 0x0300_0100]),
    ];
    let [pulled, pushed] = run(
        &lines,
        |bench| {
            fill(bench, 0, |lane| 4 * (lane * 5 % 64));
            fill(bench, 1, |lane| 1000 + lane);
        },
        |wave| [2, 3].map(|register| lanes(wave, register)),
    );
    for lane in 0..64_u32 {
        let other = lane * 5 % 64;
        assert_eq!(pulled[lane as usize], 1000 + other);
        assert_eq!(pushed[other as usize], 1000 + lane);
    }
}

#[test]
fn pairs_of_floats_pick_their_halves() {
    let lines: [Line; 3] = [
        (
            "v_pk_fma_f32 v[4:5], v[0:1], v[2:3], v[0:1] op_sel:[0,1,0] op_sel_hi:[1,0,1] neg_lo:[0,0,1]",
            &[0xd3b0_5004, 0x8c02_0500],
        ),
        (
            "v_pk_mov_b32 v[6:7], v[0:1], v[2:3] op_sel:[1,0]",
            &[0xd3b3_4806, 0x1802_0500],
        ),
        // It overwrites what its second half reads.
        (
            "v_pk_mul_f32 v[0:1], v[0:1], v[2:3] op_sel:[1,0] op_sel_hi:[0,1]",
            &[0xd3b1_4800, 0x1002_0500],
        ),
    ];
    let found = run(
        &lines,
        |bench| {
            for (register, value) in [2.0_f32, 3.0, 5.0, 7.0].into_iter().enumerate() {
                fill(bench, register, |_| value.to_bits());
            }
        },
        |wave| [4, 5, 6, 7, 0, 1].map(|register| f32::from_bits(lanes(wave, register)[33])),
    );
    assert_eq!(found, [12.0, 18.0, 3.0, 5.0, 15.0, 14.0]);
}

#[test]
fn pairs_of_dwords_move_and_add() {
    let lines: [Line; 2] = [
        ("v_mov_b64_e32 v[8:9], s[4:5]", &[0x7e10_7004]),
        (
            "v_lshl_add_u64 v[10:11], v[8:9], 4, v[0:1]",
            &[0xd208_000a, 0x0401_0908],
        ),
    ];
    let found = run(
        &lines,
        |bench| {
            bench.wave.scalars[4] = 0xf000_0001;
            bench.wave.scalars[5] = 0x12;
            fill(bench, 0, |lane| lane);
        },
        |wave| [10, 11].map(|register| lanes(wave, register)[50]),
    );
    assert_eq!(found, [0x0000_0010 + 50, 0x12f]);
}

#[test]
fn a_compare_and_store_takes_the_compared_value_first() {
    let line: Line = (
        "ds_cmpst_rtn_b32 v3, v0, v1, v2",
        &[0xd860_0000, 0x0302_0100],
    );
    let read: Line = ("ds_read_b32 v4, v0", &[0xd86c_0000, 0x0400_0000]);
    let found = run(
        &[line, read],
        |bench| {
            fill(bench, 0, |lane| 4 * lane);
            // Memory is zero: lane 0 compares with zero and stores.
            fill(bench, 1, |lane| lane);
            fill(bench, 2, |_| 77);
        },
        |wave| [3, 4].map(|register| lanes(wave, register)[..2].to_vec()),
    );
    assert_eq!(found, [vec![0, 0], vec![77, 0]]);
}

#[test]
fn dot_products_of_signed_parts() {
    let lines: [Line; 2] = [
        ("v_dot4_i32_i8 v3, v0, v1, v2", &[0xd3a8_4003, 0x1c0a_0300]),
        ("v_dot2_i32_i16 v4, v0, v1, v2", &[0xd3a6_4004, 0x1c0a_0300]),
    ];
    let found = run(
        &lines,
        |bench| {
            fill(bench, 0, |_| u32::from_le_bytes([2, 0xff, 3, 0]));
            fill(bench, 1, |_| u32::from_le_bytes([10, 4, 0xfe, 9]));
            fill(bench, 2, |_| 100);
        },
        |wave| [3, 4].map(|register| lanes(wave, register)[1]),
    );
    let [a, b] = [[0xff02_u16, 3], [0x040a, 0x09fe]];
    let wide = |x: u16| i32::from(x as i16);
    let second = wide(a[0]) * wide(b[0]) + wide(a[1]) * wide(b[1]) + 100;
    assert_eq!(found, [20 - 4 - 6 + 100, second as u32]);
}

#[test]
fn floats_of_a_byte_convert() {
    let lines: [Line; 3] = [
        (
            "v_cvt_pk_fp8_f32 v2, v0, v1 op_sel:[0,0,1]",
            &[0xd2a2_4002, 0x0002_0300],
        ),
        (
            "v_cvt_f32_fp8_sdwa v3, v2 src0_sel:BYTE_3",
            &[0x7e06_a8f9, 0x0003_0602],
        ),
        (
            "v_cvt_pk_f32_fp8_sdwa v[4:5], v2 src0_sel:WORD_1",
            &[0x7e08_acf9, 0x0005_0602],
        ),
    ];
    let found = run(
        &lines,
        |bench| {
            fill(bench, 0, |_| 1.0_f32.to_bits());
            fill(bench, 1, |_| (-240.0_f32).to_bits());
            fill(bench, 2, |_| 0x5555);
        },
        |wave| {
            let value = |register| f32::from_bits(lanes(wave, register)[60]);
            (lanes(wave, 2)[60], [3, 4, 5].map(value))
        },
    );
    assert_eq!(found, (0xff40_5555, [-240.0, 1.0, -240.0]));
}

#[test]
fn accumulation_registers_are_registers_of_their_own() {
    let lines: [Line; 2] = [
        ("v_accvgpr_write_b32 a3, v0", &[0xd3d9_4003, 0x1800_0100]),
        ("v_accvgpr_read_b32 v1, a3", &[0xd3d8_4001, 0x1800_0103]),
    ];
    let found = run(
        &lines,
        |bench| {
            fill(bench, 0, |lane| lane + 7);
            fill(bench, 3, |_| 1);
        },
        |wave| [1, 3, ACCUMULATION + 3].map(|register| lanes(wave, register)[45]),
    );
    assert_eq!(found, [52, 1, 52]);
}

/// Small numbers without pattern, as they are and halved.
fn small(seed: usize, row: usize, k: usize) -> i32 {
    ((seed + 7 * row + 13 * k + row * k) % 9) as i32 - 4
}

/// Where elements of a matrix product lie: lane and number in the lane of
/// element (row, k) of A (and column and k of B), of block `b`; then lane and
/// register of element (row, column) of D.
pub(super) struct Layout {
    pub(super) rows: usize,
    pub(super) depth: usize,
    pub(super) blocks: usize,
    pub(super) factor: fn(usize, usize, usize) -> (usize, usize),
    pub(super) result: fn(usize, usize, usize) -> (usize, usize),
}

impl Layout {
    fn product(&self, block: usize, i: usize, j: usize) -> i32 {
        (0..self.depth)
            .map(|k| small(block, i, k) * small(block + 5, j, k))
            .sum()
    }

    /// Puts A and B into registers `a` and `b`, `bits` wide each.
    pub(super) fn put(
        &self,
        bench: &mut Bench,
        [a, b]: [usize; 2],
        bits: usize,
        encode: fn(i32) -> u64,
    ) {
        for (first, seed) in [(a, 0), (b, 5)] {
            for block in 0..self.blocks {
                for i in 0..self.rows {
                    for k in 0..self.depth {
                        let (lane, number) = (self.factor)(i, k, block);
                        let value = encode(small(block + seed, i, k));
                        for word in 0..bits.div_ceil(32) {
                            let at = number * bits + 32 * word;
                            let row = first + at / 32 + lane / 32 * REGISTERS;
                            let slot = &mut bench.wave.rows[row].lanes_mut()[lane % 32];
                            *slot |= ((value >> (32 * word)) as u32) << (at % 32);
                        }
                    }
                }
            }
        }
    }

    /// Holds D, from register `first` on, against the product plus `addend`.
    pub(super) fn check(
        &self,
        wave: &Wave,
        first: usize,
        decode: fn([u32; 2]) -> i32,
        addend: i32,
    ) {
        for block in 0..self.blocks {
            for i in 0..self.rows {
                for j in 0..self.rows {
                    let (lane, register) = (self.result)(i, j, block);
                    let words = [0, 1].map(|n| lanes(wave, first + register + n)[lane]);
                    let expected = self.product(block, i, j) + addend;
                    assert_eq!(decode(words), expected, "block {block}, {i}, {j}");
                }
            }
        }
    }
}

pub(super) fn f32_bits(value: i32) -> u64 {
    u64::from((value as f32).to_bits())
}

pub(super) fn from_f32([low, _]: [u32; 2]) -> i32 {
    f32::from_bits(low) as i32
}

pub(super) fn from_i32([low, _]: [u32; 2]) -> i32 {
    low as i32
}

/// Runs one matrix instruction.
fn multiply(line: Line, prepare: impl Fn(&mut Bench), check: impl Fn(&Wave)) {
    run(&[line], prepare, check);
}

#[test]
fn products_of_16_rows() {
    let layout = Layout {
        rows: 16,
        depth: 4,
        blocks: 1,
        factor: |i, k, _| (i + 16 * k, 0),
        result: |i, j, _| (j + 16 * (i / 4), i % 4),
    };
    multiply(
        (
            "v_mfma_f32_16x16x4_f32 a[0:3], v0, v1, a[4:7]",
            &[0xd3c5_8000, 0x0412_0300],
        ),
        |bench| {
            layout.put(bench, [0, 1], 32, f32_bits);
            for register in 4..8 {
                fill(bench, ACCUMULATION + register, |_| 10.0_f32.to_bits());
            }
            // EXEC does not matter.
            bench.set_exec(0);
        },
        |wave| layout.check(wave, ACCUMULATION, from_f32, 10),
    );
    let halves = Layout {
        depth: 16,
        factor: |i, k, _| (i + 16 * (k / 4), k % 4),
        ..layout
    };
    multiply(
        (
            "v_mfma_f32_16x16x16_f16 v[8:11], v[0:1], v[2:3], v[8:11]",
            &[0xd3cd_0008, 0x0422_0500],
        ),
        |bench| halves.put(bench, [0, 2], 16, |value| u64::from(f16(value as f32))),
        |wave| halves.check(wave, 8, from_f32, 0),
    );
    let bytes = Layout {
        depth: 32,
        factor: |i, k, _| (i + 16 * (k / 8), k % 8),
        ..halves
    };
    multiply(
        (
            "v_mfma_i32_16x16x32_i8 v[8:11], v[0:1], v[2:3], v[8:11]",
            &[0xd3d7_0008, 0x0422_0500],
        ),
        |bench| bytes.put(bench, [0, 2], 8, |value| u64::from(value as u8)),
        |wave| bytes.check(wave, 8, from_i32, 0),
    );
}

#[test]
fn products_of_32_rows() {
    fn result(i: usize, j: usize, block: usize) -> (usize, usize) {
        (j + 32 * (i / 4 % 2), i % 4 + i / 8 * 4 + 16 * block)
    }
    let layout = Layout {
        rows: 32,
        depth: 2,
        blocks: 1,
        factor: |i, k, _| (i + 32 * k, 0),
        result,
    };
    multiply(
        (
            "v_mfma_f32_32x32x2_f32 v[4:19], v0, v1, v[4:19]",
            &[0xd3c4_0004, 0x0412_0300],
        ),
        |bench| layout.put(bench, [0, 1], 32, f32_bits),
        |wave| layout.check(wave, 4, from_f32, 0),
    );
    let two = Layout {
        depth: 1,
        blocks: 2,
        factor: |i, _, block| (i + 32 * block, 0),
        ..layout
    };
    multiply(
        (
            "v_mfma_f32_32x32x1_2b_f32 v[4:35], v0, v1, 1.0",
            &[0xd3c0_0004, 0x03ca_0300],
        ),
        |bench| two.put(bench, [0, 1], 32, f32_bits),
        |wave| two.check(wave, 4, from_f32, 1),
    );
    let brain = Layout {
        depth: 8,
        blocks: 1,
        factor: |i, k, _| (i + 32 * (k / 4), k % 4),
        ..two
    };
    multiply(
        (
            "v_mfma_f32_32x32x8_bf16 v[8:23], v[0:1], v[2:3], v[8:23]",
            &[0xd3e0_0008, 0x0422_0500],
        ),
        |bench| brain.put(bench, [0, 2], 16, |value| f32_bits(value) >> 16),
        |wave| brain.check(wave, 8, from_f32, 0),
    );
}

#[test]
fn products_of_many_blocks() {
    let layout = Layout {
        rows: 4,
        depth: 1,
        blocks: 16,
        factor: |i, _, block| (i + 4 * block, 0),
        result: |i, j, block| (j + 4 * block, i),
    };
    multiply(
        (
            "v_mfma_f32_4x4x1_16b_f32 v[4:7], v0, v1, 0",
            &[0xd3c2_0004, 0x0202_0300],
        ),
        |bench| layout.put(bench, [0, 1], 32, f32_bits),
        |wave| layout.check(wave, 4, from_f32, 0),
    );
    let bytes = Layout {
        depth: 4,
        factor: |i, k, block| (i + 4 * block, k),
        ..layout
    };
    multiply(
        (
            "v_mfma_i32_4x4x4_16b_i8 v[4:7], v0, v1, 0",
            &[0xd3d2_0004, 0x0202_0300],
        ),
        |bench| bytes.put(bench, [0, 1], 8, |value| u64::from(value as u8)),
        |wave| bytes.check(wave, 4, from_i32, 0),
    );
}

#[test]
fn blocks_are_broadcast_and_lanes_rotated() {
    let line: Line = (
        "v_mfma_f32_4x4x1_16b_f32 v[4:7], v0, v1, 0 cbsz:2 abid:1 blgp:3",
        &[0xd3c2_0a04, 0x6202_0300],
    );
    let rows = run(
        &[line],
        |bench| {
            fill(bench, 0, |lane| (lane as f32).to_bits());
            fill(bench, 1, |lane| (100.0 + lane as f32).to_bits());
        },
        |wave| [4, 5, 6, 7].map(|register| lanes(wave, register).map(f32::from_bits)),
    );
    for block in 0..16 {
        for (i, row) in rows.iter().enumerate() {
            for j in 0..4 {
                // Of each four blocks of A the one with number 1.
                let a = (block / 4 * 4 + 1) * 4 + i;
                let b = (block * 4 + j + 16) % 64;
                assert_eq!(row[block * 4 + j], (a * (100 + b)) as f32);
            }
        }
    }
}

#[test]
fn products_of_doubles() {
    let from_f64 =
        |[low, high]: [u32; 2]| f64::from_bits(u64::from(low) | u64::from(high) << 32) as i32;
    let layout = Layout {
        rows: 16,
        depth: 4,
        blocks: 1,
        factor: |i, k, _| (i + 16 * k, 0),
        result: |i, j, _| (j + 16 * (i % 4), 2 * (i / 4)),
    };
    multiply(
        (
            "v_mfma_f64_16x16x4_f64 v[8:15], v[0:1], v[2:3], v[8:15] neg:[1,0,0]",
            &[0xd3ee_0008, 0x2422_0500],
        ),
        // The first factors are negated twice.
        |bench| {
            layout.put(bench, [0, 2], 64, |value| f64::from(value).to_bits());
            for half in 0..2 {
                for value in bench.wave.rows[1 + half * REGISTERS].lanes_mut() {
                    *value ^= 1 << 31;
                }
            }
        },
        |wave| layout.check(wave, 8, from_f64, 0),
    );
    let four = Layout {
        rows: 4,
        blocks: 4,
        factor: |i, k, block| (i + 4 * block + 16 * k, 0),
        result: |i, j, block| (j + 4 * block + 16 * i, 0),
        ..layout
    };
    multiply(
        (
            "v_mfma_f64_4x4x4_4b_f64 v[8:9], v[0:1], v[2:3], 1.0",
            &[0xd3ef_0008, 0x03ca_0500],
        ),
        |bench| four.put(bench, [0, 2], 64, |value| f64::from(value).to_bits()),
        |wave| four.check(wave, 8, from_f64, 1),
    );
}

#[test]
fn products_of_bytes_with_exponents_and_of_cut_floats() {
    let layout = Layout {
        rows: 16,
        depth: 32,
        blocks: 1,
        factor: |i, k, _| (i + 16 * (k / 8), k % 8),
        result: |i, j, _| (j + 16 * (i / 4), i % 4),
    };
    // The same pattern means the same small number in neither format: write
    // the sources apart.
    fn fp8(value: i32) -> u64 {
        byte(value, 3, 8)
    }
    fn bf8(value: i32) -> u64 {
        byte(value, 2, 16)
    }
    /// An integer of at most two significant bits.
    fn byte(value: i32, fraction_bits: u32, bias: u32) -> u64 {
        if value == 0 {
            return 0;
        }
        let size = value.unsigned_abs();
        let exponent = 31 - size.leading_zeros();
        let fraction = (size << fraction_bits >> exponent) & ((1 << fraction_bits) - 1);
        let sign = if value < 0 { 0x80 } else { 0 };
        u64::from(sign | (exponent + bias) << fraction_bits | fraction)
    }
    multiply(
        (
            "v_mfma_f32_16x16x32_fp8_bf8 v[8:11], v[0:1], v[2:3], 0",
            &[0xd3f2_0008, 0x0202_0500],
        ),
        |bench| {
            layout.put(bench, [0, 100], 8, fp8);
            layout.put(bench, [102, 2], 8, bf8);
        },
        |wave| layout.check(wave, 8, from_f32, 0),
    );
    let cut = Layout {
        depth: 8,
        factor: |i, k, _| (i + 16 * (k / 2), k % 2),
        ..layout
    };
    multiply(
        (
            "v_mfma_f32_16x16x8_xf32 v[8:11], v[0:1], v[2:3], 0",
            &[0xd3be_0008, 0x0202_0500],
        ),
        // The lower bits of the fraction do not count.
        |bench| cut.put(bench, [0, 2], 32, |value| f32_bits(value) | 0x1fff),
        |wave| cut.check(wave, 8, from_f32, 0),
    );
}

#[test]
fn sparse_products_have_the_places_of_their_elements() {
    let line: Line = (
        "v_smfmac_f32_16x16x32_f16 v[12:15], v[0:1], v[4:7], v2",
        &[0xd3e2_000c, 0x040a_0900],
    );
    // Of each four elements of a row of A, those with numbers 1 and 3 are 1, 2.
    let found = run(
        &[line],
        |bench| {
            for register in 0..2 {
                fill(bench, register, |_| f16(1.0) | f16(2.0) << 16);
            }
            fill(bench, 2, |_| 0b1101_1101);
            for register in 4..8_u32 {
                // Element k of each column of B is k.
                fill(bench, register as usize, move |lane| {
                    let k = (lane / 16 * 8 + 2 * (register - 4)) as f32;
                    f16(k) | f16(k + 1.0) << 16
                });
            }
            fill(bench, 13, |_| 5.0_f32.to_bits());
        },
        |wave| [12, 13].map(|register| f32::from_bits(lanes(wave, register)[37])),
    );
    let sum: usize = (0..8)
        .map(|group| 4 * group + 1 + 2 * (4 * group + 3))
        .sum();
    assert_eq!(found, [sum as f32, sum as f32 + 5.0]);
}
