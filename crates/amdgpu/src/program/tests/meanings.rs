//! Known answers of instructions that compilers seldom emit or that manuals
//! get wrong, run as code.

use crate::exec::{self, Problem, aperture};
use crate::isa::{self, Generation, WaveSize};
use crate::memory::AllocationKind;
use crate::program::testing::Bench;
use crate::simd::{Backend, Row};
use crate::wave::{State, Wave, slot};

/// An instruction: LLVM's text and its encoding.
type Line = (&'static str, &'static [u32]);

/// The encodings, once it is certain that they are what the texts say.
fn words(lines: &[Line], size: WaveSize) -> Vec<u32> {
    for (text, words) in lines {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        assert_eq!(
            isa::decode(Generation::Gfx11, size, &bytes, 0)
                .expect(text)
                .to_string(),
            *text
        );
    }
    lines
        .iter()
        .flat_map(|(_, words)| *words)
        .copied()
        .collect()
}

/// Runs instructions on both back ends, which must agree on `look`.
fn run<T: PartialEq + std::fmt::Debug>(
    size: WaveSize,
    lines: &[Line],
    prepare: impl Fn(&mut Bench),
    look: impl Fn(&Wave) -> T,
) -> T {
    let words = words(lines, size);
    let [first, second] = [Backend::detect(), Backend::Portable].map(|backend| {
        let mut bench = Bench::new(&words, size, backend).expect("it lowers");
        prepare(&mut bench);
        look(&bench.run().expect("no fault"))
    });
    assert_eq!(first, second, "the back ends differ");
    first
}

/// The same for waves of 32.
fn run_32<T: PartialEq + std::fmt::Debug>(
    lines: &[Line],
    prepare: impl Fn(&mut Bench),
    look: impl Fn(&Wave) -> T,
) -> T {
    run(WaveSize::Wave32, lines, prepare, look)
}

fn lanes(wave: &Wave, row: usize) -> [u32; 32] {
    *wave.rows[row].lanes()
}

fn fill(bench: &mut Bench, row: usize, f: impl Fn(u32) -> u32) {
    let lanes = bench.wave.rows[row].lanes_mut();
    for (lane, value) in lanes.iter_mut().enumerate() {
        *value = f(lane as u32);
    }
}

/// Registers with one value in all lanes, two registers for a double.
fn set(bench: &mut Bench, row: usize, value: u32) {
    bench.wave.rows[row] = Row::splat(value);
}

fn set_f64(bench: &mut Bench, row: usize, value: f64) {
    let bits = value.to_bits();
    set(bench, row, bits as u32);
    set(bench, row + 1, (bits >> 32) as u32);
}

fn f64_at(wave: &Wave, row: usize) -> f64 {
    let [low, high] = [row, row + 1].map(|row| u64::from(lanes(wave, row)[0]));
    f64::from_bits(low | high << 32)
}

#[test]
fn dpp_compares_clear_masked_lanes_and_keep_those_without_source() {
    let vcc = run_32(
        &[(
            "v_cmp_lt_u32 vcc_lo, v1, v2 row_shr:1 row_mask:0x1 bank_mask:0xf",
            &[0x7c92_04fa, 0x1f01_1101],
        )],
        |bench| {
            fill(bench, 1, |lane| lane);
            set(bench, 2, 3);
            bench.wave.scalars[slot::VCC as usize] = 0xffff_0001;
        },
        |wave| wave.scalar(slot::VCC),
    );
    // Lane 0 has no source and keeps its one; lanes 1 to 3 see 0 to 2; lanes 16
    // and up are masked.
    assert_eq!(vcc, 0b1111);
}

#[test]
fn dpp_compares_write_exec() {
    let exec = run_32(
        &[(
            "v_cmpx_lt_u32 v1, v2 row_shr:1 row_mask:0xf bank_mask:0xf",
            &[0x7d92_04fa, 0xff01_1101],
        )],
        |bench| {
            fill(bench, 1, |lane| lane);
            set(bench, 2, 18);
            bench.set_exec(0x00ff_ffff);
        },
        |wave| wave.exec,
    );
    // Lanes 0 and 16 have no source and stay; lane 17 sees 16, lane 18 sees 17.
    assert_eq!(exec, 0x0007_ffff);
}

#[test]
fn dpp_row_masks_count_rows_of_the_whole_wave() {
    let [low, high] = run(
        WaveSize::Wave64,
        &[(
            "v_mov_b32_dpp v0, v1 row_mirror row_mask:0x8 bank_mask:0xf",
            &[0x7e00_02fa, 0x8f01_4001],
        )],
        |bench| {
            for half in 0..2 {
                fill(bench, 256 * half + 1, |lane| lane + 1 + 32 * half as u32);
            }
        },
        |wave| [lanes(wave, 0), lanes(wave, 256)],
    );
    assert_eq!(low, [0; 32]);
    let expected = std::array::from_fn(|lane| if lane < 16 { 0 } else { 80 - lane as u32 });
    assert_eq!(high, expected);
}

#[test]
fn registers_that_m0_selects() {
    let moves: &[Line] = &[
        ("v_movreld_b32_e32 v4, v1", &[0x7e08_8501]),
        ("v_movrels_b32_e32 v5, v1", &[0x7e0a_8701]),
    ];
    let prepare = |bench: &mut Bench| {
        set(bench, 1, 10);
        set(bench, 3, 30);
        bench.wave.scalars[slot::M0 as usize] = 2;
    };
    let seen = run_32(moves, prepare, |wave| {
        [4, 5, 6].map(|row| lanes(wave, row)[7])
    });
    assert_eq!(seen, [0, 30, 10]);
    let swap: &[Line] = &[("v_swaprel_b32 v4, v1", &[0x7e08_d101])];
    let prepare = |bench: &mut Bench| {
        set(bench, 3, 30);
        set(bench, 5, 50);
        bench.wave.scalars[slot::M0 as usize] = 1 << 16 | 2;
    };
    let seen = run_32(swap, prepare, |wave| [3, 5].map(|row| lanes(wave, row)[0]));
    assert_eq!(seen, [50, 30]);
    let scalar: &[Line] = &[
        ("s_movrels_b32 s4, s1", &[0xbe84_4001]),
        ("s_movreld_b64 s[8:9], s[2:3]", &[0xbe88_4302]),
    ];
    let prepare = |bench: &mut Bench| {
        bench.wave.scalars[..4].copy_from_slice(&[0, 11, 22, 33]);
        bench.wave.scalars[slot::M0 as usize] = 2;
    };
    let seen = run_32(scalar, prepare, |wave| {
        [4, 10, 11].map(|slot| wave.scalar(slot))
    });
    assert_eq!(seen, [33, 22, 33]);
}

#[test]
fn registers_beyond_the_last_are_faults() {
    let size = WaveSize::Wave32;
    for line in [
        ("v_movrels_b32_e32 v5, v1", &[0x7e0a_8701][..]),
        ("s_movrels_b32 s4, s1", &[0xbe84_4001]),
    ] {
        let words = words(&[line], size);
        let mut bench = Bench::new(&words, size, Backend::detect()).expect("it lowers");
        bench.wave.scalars[slot::M0 as usize] = 0xffff_fff0;
        assert!(
            matches!(bench.run(), Err(Problem::Unsupported(_))),
            "{}",
            line.0
        );
    }
}

#[test]
fn halves_change_places() {
    let seen = run_32(
        &[("v_swap_b16 v1.h, v2.l", &[0x7f02_cd02])],
        |bench| {
            set(bench, 1, 0x1111_2222);
            set(bench, 2, 0x3333_4444);
        },
        |wave| [1, 2].map(|row| lanes(wave, row)[31]),
    );
    assert_eq!(seen, [0x4444_2222, 0x3333_1111]);
}

#[test]
fn a_wave_of_32_has_no_halves_to_exchange() {
    let line: Line = ("v_permlane64_b32 v5, v1", &[0x7e0a_cf01]);
    let prepare = |bench: &mut Bench| {
        set(bench, 1, 1);
        set(bench, 5, 5);
    };
    assert_eq!(run_32(&[line], prepare, |wave| lanes(wave, 5)[0]), 5);
    let prepare = |bench: &mut Bench| {
        set(bench, 1, 1);
        set(bench, 256 + 1, 2);
    };
    let seen = run(WaveSize::Wave64, &[line], prepare, |wave| {
        [5, 256 + 5].map(|row| lanes(wave, row)[0])
    });
    assert_eq!(seen, [2, 1]);
}

#[test]
fn counters_in_lds_are_shared_by_all_lanes() {
    let lines: &[Line] = &[
        ("ds_append v1 offset:8", &[0xd8f8_0008, 0x0100_0000]),
        ("ds_append v2 offset:8", &[0xd8f8_0008, 0x0200_0000]),
        ("ds_consume v3 offset:8", &[0xd8f4_0008, 0x0300_0000]),
    ];
    let prepare = |bench: &mut Bench| {
        bench.wave.scalars[slot::M0 as usize] = 64;
        bench.set_exec(0xff00_0000_0000_0f0f);
    };
    let look = |wave: &Wave| [1, 2, 3].map(|row| lanes(wave, row)[3]);
    assert_eq!(run_32(lines, prepare, look), [0, 8, 16]);
    assert_eq!(run(WaveSize::Wave64, lines, prepare, look), [0, 16, 32]);
    let upper = run(WaveSize::Wave64, lines, prepare, |wave| {
        [0, 24].map(|lane| lanes(wave, 256 + 2)[lane])
    });
    assert_eq!(upper, [0, 16], "only active lanes are written");
}

/// The old and the new value of the dwords at 0 and 4 of LDS, and row 5.
fn ds(line: Line, old: u64, operands: [u32; 3]) -> [u32; 3] {
    let load: Line = ("ds_load_b64 v[8:9], v4", &[0xd9d8_0000, 0x0800_0004]);
    let store: Line = ("ds_store_b64 v4, v[8:9]", &[0xd934_0000, 0x0000_0804]);
    run_32(
        &[store, line, load],
        |bench| {
            set(bench, 8, old as u32);
            set(bench, 9, (old >> 32) as u32);
            for (i, operand) in operands.into_iter().enumerate() {
                set(bench, 1 + i, operand);
            }
            bench.set_exec(1);
        },
        |wave| [8, 9, 5].map(|row| lanes(wave, row)[0]),
    )
}

#[test]
fn atomics_on_lds() {
    let mask: Line = (
        "ds_mskor_rtn_b32 v5, v1, v2, v3",
        &[0xd8b0_0000, 0x0503_0201],
    );
    assert_eq!(ds(mask, 0xff, [0, 0xf0, 0x50]), [0x5f, 0, 0xff]);
    let wrap: Line = (
        "ds_wrap_rtn_b32 v5, v1, v2, v3",
        &[0xd8d0_0000, 0x0503_0201],
    );
    assert_eq!(ds(wrap, 7, [0, 5, 100]), [2, 0, 7]);
    assert_eq!(ds(wrap, 3, [0, 5, 100]), [103, 0, 3]);
    let swap: Line = (
        "ds_cmpstore_rtn_f32 v5, v1, v2, v3",
        &[0xd8c4_0000, 0x0503_0201],
    );
    assert_eq!(
        ds(swap, 1 << 31, [0, 9, 0]),
        [9, 0, 1 << 31],
        "zeros are equal"
    );
    let nan = 0x7fc0_0000;
    assert_eq!(
        ds(swap, u64::from(nan), [0, 9, nan]),
        [nan, 0, nan],
        "NaNs are not"
    );
    let exchange: Line = (
        "ds_condxchg32_rtn_b64 v[5:6], v1, v[2:3]",
        &[0xd9f8_0000, 0x0500_0201],
    );
    let old = 0x2222_2222_1111_1111;
    let seen = ds(exchange, old, [0, 0x8000_0007, 9]);
    assert_eq!(seen, [7, 0x2222_2222, 0x1111_1111]);
    let both: Line = (
        "ds_storexchg_2addr_rtn_b32 v[5:6], v1, v2, v3 offset0:1",
        &[0xd8b8_0001, 0x0503_0201],
    );
    assert_eq!(ds(both, old, [0, 4, 3]), [3, 4, 0x2222_2222]);
}

#[test]
fn dwords_in_lds_by_lane() {
    let seen = run(
        WaveSize::Wave64,
        &[
            (
                "ds_store_addtid_b32 v2 offset:16",
                &[0xdac0_0010, 0x0000_0200],
            ),
            ("ds_load_b32 v5, v4 offset:272", &[0xd8d8_0110, 0x0500_0004]),
            (
                "ds_load_addtid_b32 v6 offset:12",
                &[0xdac4_000c, 0x0600_0000],
            ),
        ],
        |bench| {
            bench.wave.scalars[slot::M0 as usize] = 0x7_0100;
            fill(bench, 2, |lane| lane + 1);
            fill(bench, 256 + 2, |lane| lane + 33);
        },
        |wave| {
            [
                lanes(wave, 5)[0],
                lanes(wave, 6)[1],
                lanes(wave, 256 + 6)[0],
            ]
        },
    );
    assert_eq!(seen, [1, 1, 32]);
}

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

#[test]
fn rounding_follows_the_mode() {
    let add: Line = ("v_add_f32_e32 v5, v1, v2", &[0x060a_0501]);
    let [one, tiny] = [1.0_f32, 1e-10].map(f32::to_bits);
    let sum = |mode: Line, a: u32, b: u32| {
        let prepare = move |bench: &mut Bench| {
            set(bench, 1, a);
            set(bench, 2, b);
        };
        run_32(&[mode, add], prepare, |wave| lanes(wave, 5)[0])
    };
    let up: Line = ("s_round_mode 0x1", &[0xbf91_0001]);
    let down: Line = ("s_round_mode 0x2", &[0xbf91_0002]);
    let zero: Line = ("s_round_mode 0xf", &[0xbf91_000f]);
    let halves_up: Line = ("s_round_mode 0x4", &[0xbf91_0004]);
    let minus = 1 << 31;
    assert_eq!(sum(up, one, tiny), one + 1);
    assert_eq!(sum(down, one, tiny), one);
    assert_eq!(sum(down, one | minus, tiny | minus), (one | minus) + 1);
    assert_eq!(sum(zero, one | minus, tiny | minus), one | minus);
    assert_eq!(sum(halves_up, one, tiny), one, "f32 has its own mode");
    let convert: Line = ("v_cvt_f16_f32_e32 v5.l, v1", &[0x7e0a_1501]);
    let prepare = |bench: &mut Bench| set(bench, 1, 1.0001_f32.to_bits());
    let look = |wave: &Wave| lanes(wave, 5)[0];
    assert_eq!(run_32(&[halves_up, convert], prepare, look), 0x3c01);
    assert_eq!(run_32(&[up, convert], prepare, look), 0x3c00);
    let fma: Line = (
        "v_fma_f64 v[6:7], v[0:1], v[2:3], v[4:5]",
        &[0xd614_0006, 0x0412_0500],
    );
    let prepare = |bench: &mut Bench| {
        set_f64(bench, 0, 1e-30);
        set_f64(bench, 2, 1.0);
        set_f64(bench, 4, 1.0);
    };
    let result = run_32(&[halves_up, fma], prepare, |wave| f64_at(wave, 6).to_bits());
    assert_eq!(result, 1.0_f64.next_up().to_bits());
}

#[test]
fn denormal_halves_follow_the_mode() {
    let flush: Line = ("s_denorm_mode 3", &[0xbf92_0003]);
    let add: Line = ("v_add_f16_e32 v5.l, v1.l, v2.l", &[0x640a_0501]);
    let most: Line = ("v_max_f16_e32 v5.l, v1.l, v2.l", &[0x720a_0501]);
    let prepare = |bench: &mut Bench| {
        set(bench, 1, 0x0003);
        set(bench, 2, 0x0001);
        set(bench, 5, 0xabcd_0000);
    };
    let look = |wave: &Wave| lanes(wave, 5)[0];
    assert_eq!(run_32(&[add], prepare, look), 0xabcd_0004);
    assert_eq!(run_32(&[most], prepare, look), 0xabcd_0003);
    assert_eq!(run_32(&[flush, add], prepare, look), 0xabcd_0000);
    assert_eq!(run_32(&[flush, most], prepare, look), 0xabcd_0000);
}

#[test]
fn output_modifiers_need_flushed_denormals_and_no_ieee() {
    let flush: Line = (
        "s_setreg_imm32_b32 hwreg(HW_REG_MODE, 4, 2), 0",
        &[0xb980_0901, 0],
    );
    let double: Line = (
        "v_add_f32_e64 v5, v1, v2 mul:2",
        &[0xd503_0005, 0x0802_0501],
    );
    let prepare = |ieee: u32| {
        move |bench: &mut Bench| {
            set(bench, 1, 3.0_f32.to_bits());
            set(bench, 2, 1.0_f32.to_bits());
            bench.wave.mode.0 |= ieee << 9;
        }
    };
    let look = |wave: &Wave| f32::from_bits(lanes(wave, 5)[0]);
    assert_eq!(run_32(&[flush, double], prepare(0), look), 8.0);
    assert_eq!(run_32(&[flush, double], prepare(1), look), 4.0);
    assert_eq!(run_32(&[double], prepare(0), look), 4.0);
}

#[test]
fn carries_saturate() {
    let add: Line = (
        "v_add_co_u32 v5, s4, v1, v2 clamp",
        &[0xd700_8405, 0x0002_0501],
    );
    let subtract: Line = (
        "v_subrev_co_ci_u32_e64 v5, s4, v1, v2, s6 clamp",
        &[0xd522_8405, 0x001a_0501],
    );
    let go = |line: Line, a: u32, b: u32| {
        let prepare = move |bench: &mut Bench| {
            set(bench, 1, a);
            set(bench, 2, b);
            bench.wave.scalars[6] = 1;
        };
        run_32(&[line], prepare, |wave| {
            (lanes(wave, 5)[0], wave.scalar(4) & 1)
        })
    };
    assert_eq!(go(add, u32::MAX, 2), (u32::MAX, 1));
    assert_eq!(go(add, 3, 2), (5, 0));
    assert_eq!(go(subtract, 7, 7), (0, 1));
    assert_eq!(go(subtract, 7, 9), (1, 0));
    let product: Line = (
        "v_mad_u64_u32 v[6:7], s4, v1, v2, v[4:5] clamp",
        &[0xd6fe_8406, 0x0412_0501],
    );
    let prepare = |bench: &mut Bench| (1..6).for_each(|row| set(bench, row, u32::MAX));
    let seen = run_32(&[product], prepare, |wave| {
        [6, 7].map(|row| lanes(wave, row)[0])
    });
    assert_eq!(seen, [u32::MAX; 2]);
}

#[test]
fn division_of_or_by_zero_is_marked() {
    let scale: Line = (
        "v_div_scale_f32 v5, vcc_lo, v1, v1, v2",
        &[0xd6fc_6a05, 0x040a_0301],
    );
    let flush: Line = (
        "s_setreg_imm32_b32 hwreg(HW_REG_MODE, 4, 2), 0",
        &[0xb980_0901, 0],
    );
    let go = |lines: &[Line], denominator: u32, numerator: f32| {
        let prepare = move |bench: &mut Bench| {
            set(bench, 1, denominator);
            set(bench, 2, numerator.to_bits());
        };
        run_32(lines, prepare, |wave| {
            (lanes(wave, 5)[0], wave.scalar(slot::VCC) & 1)
        })
    };
    assert_eq!(go(&[scale], 0, 1.0), (0x7fc0_0000, 1));
    assert_eq!(go(&[scale], 1.0_f32.to_bits(), 0.0), (0x7fc0_0000, 1));
    assert_eq!(
        go(&[flush, scale], 1, 1.0),
        (0x7fc0_0000, 1),
        "a flushed denormal"
    );
    assert_eq!(go(&[scale], 4.0_f32.to_bits(), 1.0), (4.0_f32.to_bits(), 0));
}

#[test]
fn dot_products_pick_their_halves() {
    let pack = |low: f32, high: f32| {
        let bits = |x| u32::from(half::f16::from_f32(x).to_bits());
        bits(low) | bits(high) << 16
    };
    let crossed: Line = (
        "v_dot2_f32_f16 v5, v1, v2, v3 op_sel:[1,0,0] op_sel_hi:[0,1,1] neg_lo:[0,1,0]",
        &[0xcc13_4805, 0x540e_0501],
    );
    let prepare = |bench: &mut Bench| {
        set(bench, 1, pack(2.0, 3.0));
        set(bench, 2, pack(5.0, 7.0));
        set(bench, 3, 100.0_f32.to_bits());
    };
    let seen = run_32(&[crossed], prepare, |wave| {
        f32::from_bits(lanes(wave, 5)[0])
    });
    assert_eq!(seen, 100.0 - 3.0 * 5.0 + 2.0 * 7.0);
    let short: Line = (
        "v_dot2_f16_f16 v5.l, v1, v2, v3.l",
        &[0xd666_0005, 0x040e_0501],
    );
    let prepare = |bench: &mut Bench| {
        set(bench, 1, pack(2.0, 3.0));
        set(bench, 2, pack(5.0, 7.0));
        set(bench, 3, pack(1.0, 0.0));
    };
    let seen = run_32(&[short], prepare, |wave| lanes(wave, 5)[0]);
    assert_eq!(seen, pack(32.0, 0.0));
}

#[test]
fn segments_of_two_over_pi() {
    let line: Line = (
        "v_trig_preop_f64 v[6:7], v[0:1], v2",
        &[0xd72f_0006, 0x0002_0500],
    );
    let segment = |x: f64, number: u32| {
        let prepare = move |bench: &mut Bench| {
            set_f64(bench, 0, x);
            set(bench, 2, number);
        };
        f64::from_bits(run_32(&[line], prepare, |wave| f64_at(wave, 6).to_bits()))
    };
    let [a, b] = [0, 1].map(|number| segment(1.0, number));
    assert!(a < std::f64::consts::FRAC_2_PI);
    assert_eq!(a + b, std::f64::consts::FRAC_2_PI);
    // 53 bits each: the first is cut off, not rounded.
    assert_eq!(a.to_bits(), 0x3fe4_5f30_6dc9_c882);
    assert!(b < a * 0.5_f64.powi(52) && b > 0.0);
    // 2^60 needs the bits from the sixth of the fraction on.
    let shifted = segment(2.0_f64.powi(60), 0);
    assert!(shifted < 0.5_f64.powi(6) && shifted > 0.0);
}

#[test]
fn sums_of_absolute_differences() {
    let prepare = |bench: &mut Bench| {
        set(bench, 0, 0x0403_0201);
        set(bench, 1, 0x0807_0605);
        set(bench, 2, 0x0100_0302);
        (4..8).for_each(|row| set(bench, row, 10));
    };
    let masked: Line = (
        "v_mqsad_u32_u8 v[8:11], v[0:1], v2, v[4:7]",
        &[0xd63d_0008, 0x0412_0500],
    );
    let look = |wave: &Wave| [8, 9, 10, 11].map(|row| lanes(wave, row)[0]);
    // Bytes 2, 3 and 1 (not the zero) against bytes that begin at 0 to 3.
    assert_eq!(run_32(&[masked], prepare, look), [15, 14, 17, 20]);
    let quad: Line = (
        "v_qsad_pk_u16_u8 v[8:9], v[0:1], v2, v[4:5]",
        &[0xd63a_0008, 0x0412_0500],
    );
    let look = |wave: &Wave| [8, 9].map(|row| lanes(wave, row)[0]);
    // The third byte counts too; the upper parts of `c` are zero.
    assert_eq!(
        run_32(&[quad], prepare, look),
        [8 << 16 | 18, 16 << 16 | 22]
    );
}

#[test]
fn doubles_are_clamped() {
    let add: Line = (
        "v_add_f64 v[6:7], v[0:1], v[2:3] clamp",
        &[0xd727_8006, 0x0002_0500],
    );
    let convert: Line = (
        "v_cvt_f32_f64_e64 v5, v[0:1] clamp",
        &[0xd58f_8005, 0x0000_0100],
    );
    let go = |x: f64| {
        let prepare = move |bench: &mut Bench| {
            set_f64(bench, 0, x);
            set_f64(bench, 2, 0.0);
        };
        run_32(&[add, convert], prepare, |wave| {
            (f64_at(wave, 6), f32::from_bits(lanes(wave, 5)[0]))
        })
    };
    assert_eq!(go(2.5), (1.0, 1.0));
    assert_eq!(go(-1.0), (0.0, 0.0));
    assert_eq!(go(0.25), (0.25, 0.25));
}

#[test]
fn flat_atomics_reach_private_memory() {
    let lines: &[Line] = &[
        ("flat_store_b32 v[0:1], v2", &[0xdc68_0000, 0x007c_0200]),
        (
            "flat_atomic_add_u32 v5, v[0:1], v2 glc",
            &[0xdcd4_4000, 0x057c_0200],
        ),
        ("flat_load_b32 v6, v[0:1]", &[0xdc50_0000, 0x067c_0000]),
    ];
    let prepare = |bench: &mut Bench| {
        set(bench, 0, 16);
        set(bench, 1, aperture::PRIVATE);
        fill(bench, 2, |lane| lane);
    };
    let seen = run_32(lines, prepare, |wave| [5, 6].map(|row| lanes(wave, row)[9]));
    assert_eq!(seen, [9, 18]);
}

/// Compilers fold constants into offsets that are negative without them.
#[test]
fn offsets_are_added_in_32_bits() {
    let lines: &[Line] = &[
        (
            "buffer_load_b128 v[4:7], v1, s[4:7], 0 offen offset:400",
            &[0xe05c_0190, 0x8041_0401],
        ),
        (
            "buffer_load_b32 v8, v1, s[4:7], 0 offen offset:404",
            &[0xe050_0194, 0x8041_0801],
        ),
        (
            "buffer_load_u16 v9, v1, s[4:7], 0 offen offset:408",
            &[0xe048_0198, 0x8041_0901],
        ),
        (
            "buffer_store_b64 v[10:11], v1, s[4:7], 0 offen offset:396",
            &[0xe06c_018c, 0x8041_0a01],
        ),
    ];
    let size = WaveSize::Wave32;
    for backend in [Backend::detect(), Backend::Portable] {
        let words = words(lines, size);
        let mut bench = Bench::new(&words, size, backend).expect("it lowers");
        let memory = crate::memory::Memory::new(1 << 20);
        let address = memory.alloc(4096, AllocationKind::Device).expect("memory");
        let contents: Vec<u8> = (0..1024_u32).flat_map(u32::to_le_bytes).collect();
        memory.write(address, &contents).expect("allocated");
        bench.see(&memory);
        let resource = [address as u32, (address >> 32) as u32, 1024, 3 << 28];
        bench.wave.scalars[4..8].copy_from_slice(&resource);
        // The first lane is at -396, the last one 16 bytes a lane further on.
        fill(&mut bench, 1, |lane| (16 * lane).wrapping_sub(396));
        fill(&mut bench, 10, |lane| 1000 + lane);
        let wave = bench.run().expect("no fault");
        for (row, first) in [(4, 1), (5, 2), (6, 3), (7, 4), (8, 2), (9, 3)] {
            let expected = std::array::from_fn(|lane| first + 4 * lane as u32);
            assert_eq!(lanes(&wave, row), expected, "v{row}");
        }
        let mut bytes = [0; 20];
        memory.read(address, &mut bytes).expect("allocated");
        let dwords = bytes
            .as_chunks()
            .0
            .iter()
            .map(|&bytes| u32::from_le_bytes(bytes));
        assert_eq!(dwords.collect::<Vec<_>>(), [1000, 0, 2, 3, 1001]);
    }
    let lines: &[Line] = &[
        ("ds_store_b32 v1, v2 offset:64", &[0xd834_0040, 0x0000_0201]),
        (
            "ds_load_b64 v[4:5], v1 offset:60",
            &[0xd9d8_003c, 0x0400_0001],
        ),
        ("ds_load_u8 v6, v1 offset:64", &[0xd8e8_0040, 0x0600_0001]),
        (
            "ds_add_rtn_u32 v7, v1, v2 offset:64",
            &[0xd880_0040, 0x0700_0201],
        ),
    ];
    let prepare = |bench: &mut Bench| {
        fill(bench, 1, |lane| (8 * lane).wrapping_sub(56));
        fill(bench, 2, |lane| 0x100 + lane);
    };
    let seen = run_32(lines, prepare, |wave| {
        [4, 5, 6, 7].map(|row| lanes(wave, row)[3])
    });
    assert_eq!(seen, [0, 0x103, 3, 0x103]);
}

#[test]
fn constants_of_mixed_precision_are_halves_where_halves_are_taken() {
    let lines: &[Line] = &[
        (
            "v_fma_mix_f32 v5, v1, 1.0, v2 op_sel_hi:[1,1,0]",
            &[0xcc20_0005, 0x1c09_e501],
        ),
        ("v_fma_mix_f32 v6, v2, 1.0, v2", &[0xcc20_0006, 0x0409_e502]),
        (
            "v_fma_mix_f32 v7, v1, v1, neg(1.0) op_sel_hi:[1,1,1]",
            &[0xcc20_4007, 0x9bca_0301],
        ),
    ];
    let prepare = |bench: &mut Bench| {
        // 3 as a half, 10 as a whole number.
        set(bench, 1, 0x4200);
        set(bench, 2, 10.0_f32.to_bits());
    };
    let seen = run_32(lines, prepare, |wave| {
        [5, 6, 7].map(|row| f32::from_bits(lanes(wave, row)[0]))
    });
    assert_eq!(seen, [13.0, 20.0, 8.0]);
}

#[test]
fn swizzled_buffers() {
    let store: Line = (
        "buffer_store_b32 v2, v1, s[4:7], 0 idxen offset:4",
        &[0xe068_0004, 0x8081_0201],
    );
    let load: Line = (
        "buffer_load_b64 v[6:7], v1, s[4:7], 0 idxen",
        &[0xe054_0000, 0x8081_0601],
    );
    let size = WaveSize::Wave32;
    for backend in [Backend::detect(), Backend::Portable] {
        let words = words(&[store, load], size);
        let mut bench = Bench::new(&words, size, backend).expect("it lowers");
        let memory = crate::memory::Memory::new(1 << 20);
        let address = memory.alloc(4096, AllocationKind::Device).expect("memory");
        bench.see(&memory);
        // Records of 8 bytes, elements of 4, groups of 8 records; offsets in range.
        let stride = 8 << 16;
        let resource = [
            address as u32,
            (address >> 32) as u32 | stride | 1 << 30,
            64,
            0,
        ];
        bench.wave.scalars[4..8].copy_from_slice(&resource);
        fill(&mut bench, 1, |lane| lane);
        fill(&mut bench, 2, |lane| lane + 100);
        let wave = bench.run().expect("no fault");
        assert_eq!(
            lanes(&wave, 7),
            std::array::from_fn(|lane| lane as u32 + 100)
        );
        assert_eq!(lanes(&wave, 6), [0; 32]);
        let mut bytes = [0; 256];
        memory.read(address, &mut bytes).expect("allocated");
        let dword = |i: usize| u32::from_le_bytes(bytes[4 * i..4 * i + 4].try_into().expect("4"));
        for record in 0..32 {
            // The second elements of 8 records lie behind the first ones.
            assert_eq!(dword(record / 8 * 16 + 8 + record % 8), record as u32 + 100);
        }
    }
}

#[test]
fn residency_reports_say_that_all_is_there() {
    let line: Line = (
        "buffer_load_b32 v[5:6], v1, s[4:7], 0 offen tfe",
        &[0xe050_0000, 0x8061_0501],
    );
    let seen = run_32(
        &[line],
        |bench| {
            set(bench, 5, 7);
            set(bench, 6, 7);
        },
        |wave| [5, 6].map(|row| lanes(wave, row)[0]),
    );
    // The resource is empty, so the load gives zero.
    assert_eq!(seen, [0, 0]);
}

#[test]
fn masks_of_quads() {
    let seen = run_32(
        &[
            ("s_wqm_b64 s[4:5], s[2:3]", &[0xbe84_1d02]),
            ("s_quadmask_b64 s[6:7], s[2:3]", &[0xbe86_1b02]),
        ],
        |bench| bench.wave.scalars[2..4].copy_from_slice(&[0x0010_0001, 0x8000_0000]),
        |wave| ([4, 5, 6, 7].map(|slot| wave.scalar(slot)), wave.scc),
    );
    assert_eq!(seen, ([0x00f0_000f, 0xf000_0000, 0x8021, 0], true));
}

#[test]
fn messages_are_answered_and_halts_are_faults() {
    let size = WaveSize::Wave32;
    let lines: &[Line] = &[
        (
            "s_sendmsg_rtn_b64 s[4:5], sendmsg(MSG_RTN_GET_REALTIME)",
            &[0xbe84_4d83],
        ),
        (
            "s_sendmsg_rtn_b32 s6, sendmsg(MSG_RTN_GET_DOORBELL)",
            &[0xbe86_4c80],
        ),
    ];
    let mut bench = Bench::new(&words(lines, size), size, Backend::Portable).expect("it lowers");
    bench.wave.scalars[6] = 9;
    std::thread::sleep(std::time::Duration::from_millis(1));
    let wave = bench.run().expect("no fault");
    assert!(wave.scalar_64(4) >= 100_000, "ticks of 10 ns");
    assert_eq!(wave.scalar(6), 0);
    let halt = words(&[("s_sethalt 1", &[0xbf82_0001])], size);
    let bench = Bench::new(&halt, size, Backend::Portable).expect("it lowers");
    assert_eq!(bench.run().err(), Some(Problem::Halt));
}

#[test]
fn patient_waves_let_others_run_while_they_wait_for_loads() {
    let size = WaveSize::Wave32;
    let lines: &[Line] = &[
        ("s_waitcnt vmcnt(0)", &[0xbf89_03f7]),
        ("s_waitcnt expcnt(0)", &[0xbf89_fff0]),
        ("s_waitcnt lgkmcnt(0)", &[0xbf89_fc07]),
    ];
    let mut bench = Bench::new(&words(lines, size), size, Backend::Portable).expect("it lowers");
    bench.wave.patience = 1;
    let Bench { wave, env } = &mut bench;
    exec::run(wave, env, 100);
    assert_eq!((wave.state, wave.patience), (State::Ready, 0));
    exec::run(wave, env, 100);
    assert_eq!(wave.state, State::Done);
}
