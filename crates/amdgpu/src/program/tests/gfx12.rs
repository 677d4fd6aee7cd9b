//! Known answers of what gfx12 alone has: floating point on scalar registers,
//! matrices spread over the wave, small floats, barriers of two sides.

use crate::isa::{Generation, WaveSize};
use crate::memory::{AllocationKind, Memory};
use crate::program::Target;
use crate::program::testing::{Bench, Line, fill, lanes, run, set};
use crate::wave::Wave;

const fn target(size: WaveSize) -> Target {
    Target {
        generation: Generation::Gfx12,
        size,
    }
}

const WAVE32: Target = target(WaveSize::Wave32);
const WAVE64: Target = target(WaveSize::Wave64);

fn scalars(line: Line, sources: &[(usize, u32)], results: &[(u16, u32)]) {
    let prepare = |bench: &mut Bench| {
        for &(register, value) in sources {
            bench.wave.scalars[register] = value;
        }
    };
    let numbers: Vec<u16> = results.iter().map(|&(number, _)| number).collect();
    let actual = run(WAVE32, &[line], prepare, |wave| {
        let read = |&number: &u16| wave.scalar(number);
        numbers.iter().map(read).collect::<Vec<u32>>()
    });
    let expected: Vec<u32> = results.iter().map(|&(_, value)| value).collect();
    assert_eq!(actual, expected, "{}", line.0);
}

#[test]
fn scalars_compute_in_floating_point() {
    let f = f32::to_bits;
    let nan = f32::NAN.to_bits();
    let two = [(0, f(1.5)), (1, f(-0.25)), (11, f(10.0))];
    let cases: [(Line, u16, u32); 6] = [
        (("s_add_f32 s10, s0, s1", &[0xa00a_0100]), 10, f(1.25)),
        (("s_fmac_f32 s11, s0, s1", &[0xa38b_0100]), 11, f(9.625)),
        (
            (
                "s_fmaak_f32 s12, s0, s1, 0x40400000",
                &[0xa28c_0100, 0x4040_0000],
            ),
            12,
            f(2.625),
        ),
        (
            (
                "s_fmamk_f32 s13, s0, 0x40400000, s1",
                &[0xa30d_0100, 0x4040_0000],
            ),
            13,
            f(4.25),
        ),
        // Towards zero: 1.5 and -0.25.
        (
            ("s_cvt_pk_rtz_f16_f32 s20, s0, s1", &[0xa414_0100]),
            20,
            0xb400_3e00,
        ),
        (
            ("v_s_exp_f32 s12, s0 clamp", &[0xd680_800c, 0x0000_0000]),
            12,
            f(1.0),
        ),
    ];
    for (line, result, expected) in cases {
        scalars(line, &two, &[(result, expected)]);
    }
    let number_and_nan = [(0, f(1.5)), (2, nan)];
    scalars(
        ("s_min_num_f32 s14, s0, s2", &[0xa10e_0200]),
        &number_and_nan,
        &[(14, f(1.5))],
    );
    scalars(
        ("s_minimum_f32 s15, s0, s2", &[0xa78f_0200]),
        &number_and_nan,
        &[(15, nan)],
    );
    scalars(
        ("s_cvt_i32_f32 s16, s3", &[0xbe90_6603]),
        &[(3, f(-3.9))],
        &[(16, -3_i32 as u32)],
    );
    scalars(
        ("s_cvt_f32_u32 s21, s5", &[0xbe95_6505]),
        &[(5, u32::MAX)],
        &[(21, f(4_294_967_296.0))],
    );
}

#[test]
fn scalars_compute_in_half_precision() {
    // 2.5 below, -1.5 above; garbage above a half changes nothing.
    let halves = [(4, 0xbe00_4100), (6, 0x7fff_3c00)];
    let cases: [(Line, u16, u32); 5] = [
        (
            ("s_cvt_hi_f32_f16 s17, s4", &[0xbe91_6a04]),
            17,
            (-1.5_f32).to_bits(),
        ),
        (("s_floor_f16 s18, s4", &[0xbe92_6c04]), 18, 0x4000),
        (("s_add_f16 s19, s4, 1.0", &[0xa493_f204]), 19, 0x4300),
        (("s_max_num_f16 s22, s4, s6", &[0xa616_0604]), 22, 0x4100),
        (
            ("v_s_sqrt_f16 s11, |s4|", &[0xd689_010b, 0x0000_0004]),
            11,
            0x3e53,
        ),
    ];
    for (line, result, expected) in cases {
        scalars(line, &halves, &[(result, expected)]);
    }
}

#[test]
fn scalar_compares_of_floats_set_scc() {
    let less: Line = ("s_cmp_lt_f32 s0, s1", &[0xbf41_0100]);
    let not_greater: Line = ("s_cmp_nge_f16 s4, s6", &[0xbf59_0604]);
    let scc = |line, sources: [(usize, u32); 2]| {
        let prepare = |bench: &mut Bench| {
            for (register, value) in sources {
                bench.wave.scalars[register] = value;
            }
        };
        run(WAVE32, &[line], prepare, |wave| wave.scc)
    };
    let (one, two, nan) = (1_f32.to_bits(), 2_f32.to_bits(), f32::NAN.to_bits());
    assert!(scc(less, [(0, one), (1, two)]));
    assert!(!scc(less, [(0, two), (1, one)]) && !scc(less, [(0, nan), (1, one)]));
    assert!(scc(not_greater, [(4, 0x3c00), (6, 0x4000)]));
    assert!(scc(not_greater, [(4, 0x7e00), (6, 0x4000)]));
    assert!(!scc(not_greater, [(4, 0x4000), (6, 0x4000)]));
}

#[test]
fn scalars_of_64_bits() {
    let (a, b) = (0xffff_fffe_1234_5678_u64, 0x1_0000_0003_u64);
    let sources = [
        (8, a as u32),
        (9, (a >> 32) as u32),
        (6, b as u32),
        (7, (b >> 32) as u32),
    ];
    let cases: [(Line, u16, u64); 3] = [
        (
            ("s_mul_u64 s[24:25], s[8:9], s[6:7]", &[0xaa98_0608]),
            24,
            a.wrapping_mul(b),
        ),
        (
            ("s_add_nc_u64 s[26:27], s[8:9], s[6:7]", &[0xa99a_0608]),
            26,
            a.wrapping_add(b),
        ),
        (
            ("s_sub_nc_u64 s[28:29], s[8:9], s[6:7]", &[0xaa1c_0608]),
            28,
            a.wrapping_sub(b),
        ),
    ];
    for (line, result, expected) in cases {
        let words = [
            (result, expected as u32),
            (result + 1, (expected >> 32) as u32),
        ];
        scalars(line, &sources, &words);
    }
}

#[test]
fn scalars_of_the_vector_unit_need_no_active_lane() {
    let line: Line = ("v_s_rcp_f32 s10, -s0", &[0xd684_000a, 0x2000_0000]);
    for target in [WAVE32, WAVE64] {
        let prepare = |bench: &mut Bench| {
            bench.wave.scalars[0] = 4_f32.to_bits();
            bench.set_exec(0);
        };
        let result = run(target, &[line], prepare, |wave| wave.scalar(10));
        assert_eq!(result, (-0.25_f32).to_bits());
    }
}

/// A matrix product: which elements there are, and how they are encoded.
struct Product {
    line: Line,
    size: WaveSize,
    depth: usize,
    /// Bits of an element of A and B, and of C and D.
    bits: [usize; 2],
    /// Values of elements by number, from which encodings are made.
    values: [fn(usize) -> i64; 2],
    encode: [fn(i64) -> u32; 3],
}

impl Product {
    fn a(&self, i: usize, k: usize) -> i64 {
        self.values[0](i * 5 + k * 3)
    }

    fn b(&self, k: usize, j: usize) -> i64 {
        self.values[1](k * 7 + j)
    }

    fn c(i: usize, j: usize) -> i64 {
        (i as i64 - 5) * 2 + j as i64
    }

    /// Elements in one lane of a matrix with 16 rows of `depth`.
    fn in_lane(&self, depth: usize) -> usize {
        16 * depth / self.size.lanes() as usize
    }

    /// Puts a matrix into registers from `row` on: lane *l* holds consecutive
    /// elements of row (column) *l* % 16.
    fn put(
        &self,
        bench: &mut Bench,
        row: usize,
        bits: usize,
        element: impl Fn(usize, usize) -> u32,
    ) {
        let depth = if bits == self.bits[1] && row == 8 {
            16
        } else {
            self.depth
        };
        let in_lane = self.in_lane(depth);
        for half in 0..usize::from(bench.wave.halves) {
            for register in 0..(in_lane * bits).div_ceil(32) {
                let at = row + register + half * bench.vgprs();
                fill(bench, at, |lane| {
                    let lane = lane as usize;
                    let group = 2 * half + lane / 16;
                    (0..32 / bits).fold(0, |word, part| {
                        let number = register * (32 / bits) + part;
                        if number >= in_lane {
                            return word;
                        }
                        let value = element(lane % 16, group * in_lane + number);
                        let mask = u32::MAX >> (32 - bits);
                        word | (value & mask) << (bits * part)
                    })
                });
            }
        }
    }

    fn check(&self) {
        let [small, large] = self.bits;
        let prepare = |bench: &mut Bench| {
            self.put(bench, 0, small, |i, k| self.encode[0](self.a(i, k)));
            self.put(bench, 4, small, |j, k| self.encode[1](self.b(k, j)));
            self.put(bench, 8, large, |j, i| self.encode[2](Product::c(i, j)));
        };
        let in_lane = self.in_lane(16);
        let matrix = run(target(self.size), &[self.line], prepare, |wave: &Wave| {
            let halves = usize::from(wave.halves);
            let distance = usize::from(wave.temps) / halves;
            let mut all = [[0; 16]; 16];
            for (i, row) in all.iter_mut().enumerate() {
                for (j, value) in row.iter_mut().enumerate() {
                    let (group, number) = (i / in_lane, i % in_lane);
                    let (register, part) = (number * large / 32, number % (32 / large));
                    let at = 16 + register + group / 2 * distance;
                    let word = lanes(wave, at)[16 * (group % 2) + j];
                    *value = word >> (large * part) & u32::MAX >> (32 - large);
                }
            }
            all
        });
        for (i, row) in matrix.into_iter().enumerate() {
            for (j, actual) in row.into_iter().enumerate() {
                let products = (0..self.depth).map(|k| self.a(i, k) * self.b(k, j));
                let exact = products.sum::<i64>() + Product::c(i, j);
                let mask = u32::MAX >> (32 - large);
                let expected = self.encode[2](exact) & mask;
                assert_eq!(actual, expected, "{}: {i}, {j}", self.line.0);
            }
        }
    }
}

fn half(value: i64) -> u32 {
    u32::from(half::f16::from_f32(value as f32).to_bits())
}

fn brain(value: i64) -> u32 {
    (value as f32).to_bits() >> 16
}

fn single(value: i64) -> u32 {
    (value as f32).to_bits()
}

fn integer(value: i64) -> u32 {
    value as u32
}

/// A small float, of 0 to ±8: its bits are the upper ones of an f32's.
fn small(value: i64, fraction_bits: u32, bias: i32) -> u32 {
    if value == 0 {
        return 0;
    }
    let exponent = value.unsigned_abs().ilog2();
    let fraction = (value.unsigned_abs() << fraction_bits >> exponent) as u32;
    let field = (exponent as i32 + bias) as u32;
    let sign = if value < 0 { 0x80 } else { 0 };
    sign | field << fraction_bits | fraction & ((1 << fraction_bits) - 1)
}

fn fp8(value: i64) -> u32 {
    small(value, 3, 7)
}

fn bf8(value: i64) -> u32 {
    small(value, 2, 15)
}

fn around_zero(number: usize) -> i64 {
    number as i64 % 7 - 3
}

fn nibble(number: usize) -> i64 {
    number as i64 % 16
}

fn signed_nibble(number: usize) -> i64 {
    number as i64 % 16 - 8
}

fn byte(number: usize) -> i64 {
    number as i64 * 37 % 256
}

fn signed_byte(number: usize) -> i64 {
    number as i64 * 29 % 256 - 128
}

#[test]
fn matrices_of_floats_are_spread_over_the_wave() {
    use WaveSize::{Wave32, Wave64};
    let half_line = &[0xcc40_4010, 0x1c22_0900];
    let floats = [
        (
            "v_wmma_f32_16x16x16_f16 v[16:23], v[0:3], v[4:7], v[8:15]",
            half_line,
            Wave32,
        ),
        (
            "v_wmma_f32_16x16x16_f16 v[16:19], v[0:1], v[4:5], v[8:11]",
            half_line,
            Wave64,
        ),
    ];
    for (text, words, size) in floats {
        let product = Product {
            line: (text, words),
            size,
            depth: 16,
            bits: [16, 32],
            values: [around_zero, around_zero],
            encode: [half, half, single],
        };
        product.check();
    }
    let of = |line, bits, encode| Product {
        line,
        size: Wave32,
        depth: 16,
        bits,
        values: [around_zero, around_zero],
        encode,
    };
    of(
        (
            "v_wmma_f32_16x16x16_bf16 v[16:23], v[0:3], v[4:7], v[8:15]",
            &[0xcc41_4010, 0x1c22_0900],
        ),
        [16, 32],
        [brain, brain, single],
    )
    .check();
    of(
        (
            "v_wmma_f16_16x16x16_f16 v[16:19], v[0:3], v[4:7], v[8:11]",
            &[0xcc42_4010, 0x1c22_0900],
        ),
        [16, 16],
        [half, half, half],
    )
    .check();
    of(
        (
            "v_wmma_bf16_16x16x16_bf16 v[16:19], v[0:3], v[4:7], v[8:11]",
            &[0xcc43_4010, 0x1c22_0900],
        ),
        [16, 16],
        [brain, brain, brain],
    )
    .check();
    of(
        (
            "v_wmma_f32_16x16x16_fp8_bf8 v[16:23], v[0:1], v[4:5], v[8:15]",
            &[0xcc47_4010, 0x1c22_0900],
        ),
        [8, 32],
        [fp8, bf8, single],
    )
    .check();
    of(
        (
            "v_wmma_f32_16x16x16_bf8_fp8 v[16:23], v[0:1], v[4:5], v[8:15]",
            &[0xcc48_4010, 0x1c22_0900],
        ),
        [8, 32],
        [bf8, fp8, single],
    )
    .check();
    let packed = Product {
        size: Wave64,
        ..of(
            (
                "v_wmma_f16_16x16x16_f16 v[16:17], v[0:1], v[4:5], v[8:9]",
                &[0xcc42_4010, 0x1c22_0900],
            ),
            [16, 16],
            [half, half, half],
        )
    };
    packed.check();
}

#[test]
fn matrices_of_integers_are_spread_over_the_wave() {
    let of = |line, size, depth, bits, values| {
        let product = Product {
            line,
            size,
            depth,
            bits: [bits, 32],
            values,
            encode: [integer; 3],
        };
        product.check();
    };
    use WaveSize::{Wave32, Wave64};
    of(
        (
            "v_wmma_i32_16x16x16_iu8 v[16:23], v[0:1], v[4:5], v[8:15] neg_lo:[1,0,0]",
            &[0xcc44_4010, 0x3c22_0900],
        ),
        Wave32,
        16,
        8,
        [signed_byte, byte],
    );
    of(
        (
            "v_wmma_i32_16x16x16_iu8 v[16:19], v0, v4, v[8:11] neg_lo:[1,0,0]",
            &[0xcc44_4010, 0x3c22_0900],
        ),
        Wave64,
        16,
        8,
        [signed_byte, byte],
    );
    of(
        (
            "v_wmma_i32_16x16x16_iu4 v[16:23], v0, v4, v[8:15] neg_lo:[1,1,0]",
            &[0xcc45_4010, 0x7c22_0900],
        ),
        Wave32,
        16,
        4,
        [signed_nibble, signed_nibble],
    );
    of(
        (
            "v_wmma_i32_16x16x32_iu4 v[16:23], v[0:1], v[4:5], v[8:15] neg_lo:[0,1,0]",
            &[0xcc4a_4010, 0x5c22_0900],
        ),
        Wave32,
        32,
        4,
        [nibble, signed_nibble],
    );
    of(
        (
            "v_wmma_i32_16x16x32_iu4 v[16:19], v0, v4, v[8:11] neg_lo:[0,1,0]",
            &[0xcc4a_4010, 0x5c22_0900],
        ),
        Wave64,
        32,
        4,
        [nibble, signed_nibble],
    );
}

#[test]
fn constants_and_clamps_of_matrices() {
    // All elements of A and B are one: each of D is 16 more than C's.
    let line: Line = (
        "v_wmma_f16_16x16x16_f16 v[16:19], v[0:3], v[4:7], 1.0",
        &[0xcc42_4010, 0x1bca_0900],
    );
    let ones = |bench: &mut Bench| (0..8).for_each(|row| set(bench, row, 0x3c00_3c00));
    let results = run(WAVE32, &[line], ones, |wave| {
        [16, 19].map(|row| lanes(wave, row))
    });
    assert_eq!(results, [[half(17) * 0x1_0001; 32]; 2]);

    let line: Line = (
        "v_wmma_i32_16x16x16_iu8 v[16:23], v[0:1], v[4:5], v[8:15] clamp",
        &[0xcc44_c010, 0x1c22_0900],
    );
    let great = |bench: &mut Bench| {
        [0, 1, 4, 5]
            .into_iter()
            .for_each(|row| set(bench, row, u32::MAX));
        (8..16).for_each(|row| set(bench, row, i32::MAX as u32 - 5));
    };
    let result = run(WAVE32, &[line], great, |wave| lanes(wave, 20));
    assert_eq!(result, [i32::MAX as u32; 32]);
}

#[test]
fn small_floats_convert() {
    let f = f32::to_bits;
    // Bytes 1.5, -2 (four bits of exponent), then 3, -0.5 (five bits).
    let bytes = |bench: &mut Bench| {
        set(bench, 0, 0xb842_c03c);
        set(bench, 2, f(-448.0));
        set(bench, 3, f(1.125));
        set(bench, 6, 0x1234_5678);
        set(bench, 7, 0x1234_5678);
        set(bench, 8, 0);
    };
    let cases: [(Line, usize, u32); 5] = [
        (
            ("v_cvt_f32_fp8_e64 v1, v0 byte_sel:1", &[0xd5ec_1001, 0x100]),
            1,
            f(-2.0),
        ),
        (
            ("v_cvt_f32_bf8_e64 v2, v0 byte_sel:2", &[0xd5ed_0802, 0x100]),
            2,
            f(3.0),
        ),
        // Both bytes of the upper half, as if they had four bits of exponent.
        (
            (
                "v_cvt_pk_f32_fp8_e64 v[4:5], v0.h op_sel:[1,0]",
                &[0xd5ee_0804, 0x100],
            ),
            5,
            f(-1.0),
        ),
        (
            (
                "v_cvt_pk_fp8_f32 v6.h, v2, v3 op_sel:[0,0,1]",
                &[0xd769_4006, 0x0002_0702],
            ),
            6,
            0x39fe_5678,
        ),
        // Cut off: there are no bits to round with.
        (
            (
                "v_cvt_sr_bf8_f32 v7, v2, v8 byte_sel:3",
                &[0xd76c_6007, 0x0002_1102],
            ),
            7,
            0xdf34_5678,
        ),
    ];
    for (line, row, expected) in cases {
        let result = run(WAVE32, &[line], bytes, |wave| lanes(wave, row));
        assert_eq!(result, [expected; 32], "{}", line.0);
    }
    let line: Line = (
        "v_dot4_f32_fp8_bf8 v9, v0, v10, v11",
        &[0xcc24_4009, 0x1c2e_1500],
    );
    let prepare = |bench: &mut Bench| {
        set(bench, 0, 0x3838_c03c);
        set(bench, 10, 0x3c40_3c40);
        set(bench, 11, f(10.0));
    };
    // 1.5 · 2 - 2 · 1 + 1 · 2 + 1 · 1 + 10
    let result = run(WAVE32, &[line], prepare, |wave| lanes(wave, 9));
    assert_eq!(result, [f(14.0); 32]);
}

#[test]
fn minima_give_a_nan_if_there_is_one() {
    let f = f32::to_bits;
    let nan = f32::NAN.to_bits();
    let cases: [(Line, usize, [u32; 3], u32); 6] = [
        (
            ("v_minimum_f32 v4, v0, v1", &[0xd765_0004, 0x0002_0300]),
            4,
            [f(0.0), f(-0.0), 0],
            f(-0.0),
        ),
        (
            ("v_minimum_f32 v4, v0, v1", &[0xd765_0004, 0x0002_0300]),
            4,
            [nan, f(-1.0), 0],
            nan,
        ),
        (
            ("v_maximum3_f32 v5, v0, v1, v2", &[0xd62e_0005, 0x040a_0300]),
            5,
            [f(1.0), f(3.0), f(2.0)],
            f(3.0),
        ),
        (
            ("v_maximum3_f32 v5, v0, v1, v2", &[0xd62e_0005, 0x040a_0300]),
            5,
            [f(1.0), nan, f(2.0)],
            nan,
        ),
        (
            (
                "v_minimummaximum_f16 v6.l, v0.l, v1.l, v2.l",
                &[0xd66e_0006, 0x040a_0300],
            ),
            6,
            [0x3c00, 0x4000, 0x4200],
            0x4200,
        ),
        (
            ("v_pk_maximum_f16 v7, v0, v1", &[0xcc1e_4007, 0x1802_0300]),
            7,
            [0x7e00_3c00, 0x3c00_4000, 0],
            0x7e00_4000,
        ),
    ];
    for (line, row, sources, expected) in cases {
        let prepare = |bench: &mut Bench| {
            for (row, value) in sources.into_iter().enumerate() {
                set(bench, row, value);
            }
        };
        let result = run(WAVE32, &[line], prepare, |wave| lanes(wave, row));
        assert_eq!(result, [expected; 32], "{}", line.0);
    }
}

#[test]
fn lanes_pick_lanes_of_their_row_by_registers() {
    let prepare = |bench: &mut Bench| {
        fill(bench, 0, |lane| 100 + lane);
        fill(bench, 1, |lane| 15 - lane % 16 + 32);
        bench.set_exec(0x0fff_ffff);
    };
    let own: Line = (
        "v_permlane16_var_b32 v2, v0, v1",
        &[0xd70f_0002, 0x0002_0300],
    );
    let other: Line = (
        "v_permlanex16_var_b32 v3, v0, v1 op_sel:[1,0]",
        &[0xd710_0803, 0x0002_0300],
    );
    let [own, other] = run(WAVE32, &[own, other], prepare, |wave| {
        [2, 3].map(|row| lanes(wave, row))
    });
    for lane in 0..32_usize {
        let mirrored = (lane & 16 | (15 - lane % 16)) as u32;
        let (active, readable) = (lane < 28, mirrored < 28);
        let expected = if active && readable {
            100 + mirrored
        } else {
            0
        };
        assert_eq!(own[lane], expected, "{lane}");
        let expected = if active { 100 + (mirrored ^ 16) } else { 0 };
        assert_eq!(other[lane], expected, "{lane}");
    }
}

#[test]
fn permutations_may_read_inactive_lanes() {
    let line: Line = ("ds_bpermute_fi_b32 v4, v1, v0", &[0xdb34_0000, 0x0400_0001]);
    let prepare = |bench: &mut Bench| {
        fill(bench, 0, |lane| 100 + lane);
        fill(bench, 1, |lane| 4 * (lane + 1));
        bench.set_exec(1);
    };
    let result = run(WAVE32, &[line], prepare, |wave| lanes(wave, 4));
    assert_eq!(result[..2], [101, 0]);
}

#[test]
fn differences_that_stay_above_zero() {
    let conditional: Line = (
        "ds_cond_sub_rtn_u32 v3, v0, v1 offset:4",
        &[0xdaa0_0004, 0x0300_0100],
    );
    let clamped: Line = ("ds_sub_clamp_u32 v0, v2", &[0xda64_0000, 0x0000_0200]);
    let load: Line = ("ds_load_b64 v[6:7], v0", &[0xd9d8_0000, 0x0600_0000]);
    let store: Line = ("ds_store_b64 v0, v[4:5]", &[0xd934_0000, 0x0000_0400]);
    let prepare = |bench: &mut Bench| {
        bench.set_exec(1);
        for (row, value) in [(0, 16), (1, 7), (2, 50), (4, 40), (5, 10)] {
            set(bench, row, value);
        }
    };
    let lines = [store, conditional, conditional, clamped, load];
    let results = run(WAVE32, &lines, prepare, |wave| {
        [3, 6, 7].map(|row| lanes(wave, row)[0])
    });
    // 10 less 7 once; 40 less 50 is zero.
    assert_eq!(results, [3, 0, 3]);
}

#[test]
fn scalar_loads_of_all_widths() {
    let memory = Memory::new(1 << 20);
    let bytes: Vec<u8> = (0..32).map(|i| 0x81 + i).collect();
    let address = memory.alloc(32, AllocationKind::Device).expect("room");
    memory.write(address, &bytes).expect("in range");
    let lines: [Line; 5] = [
        ("s_load_u8 s10, s[0:1], 0x3", &[0xf401_2280, 0xf800_0003]),
        ("s_load_i16 s11, s[0:1], 0x2", &[0xf401_42c0, 0xf800_0002]),
        (
            "s_load_b96 s[12:14], s[0:1], 0x4",
            &[0xf400_a300, 0xf800_0004],
        ),
        (
            "s_buffer_load_u16 s15, s[4:7], 0x2",
            &[0xf403_63c2, 0xf800_0002],
        ),
        // Past the end of the buffer.
        (
            "s_buffer_load_i8 s16, s[4:7], 0x20",
            &[0xf403_0402, 0xf800_0020],
        ),
    ];
    let prepare = |bench: &mut Bench| {
        bench.see(&memory);
        let words = [address as u32, (address >> 32) as u32];
        bench.wave.scalars[..2].copy_from_slice(&words);
        bench.wave.scalars[4..6].copy_from_slice(&words);
        bench.wave.scalars[6] = 32;
        bench.wave.scalars[16] = 7;
    };
    let loaded = run(WAVE32, &lines, prepare, |wave| {
        std::array::from_fn::<u32, 7, _>(|i| wave.scalar(10 + i as u16))
    });
    let expected = [
        0x84,
        0xffff_8483,
        0x8887_8685,
        0x8c8b_8a89,
        0x908f_8e8d,
        0x8483,
        0,
    ];
    assert_eq!(loaded, expected);
}

#[test]
fn a_lone_wave_passes_its_barrier() {
    let lines: [Line; 2] = [
        ("s_barrier_signal_isfirst -1", &[0xbe80_4fc1]),
        ("s_barrier_wait 0xffff", &[0xbf94_ffff]),
    ];
    assert!(run(WAVE32, &lines, |_| (), |wave| wave.scc));
}

#[test]
fn barriers_other_than_the_workgroups_are_refused() {
    let named = Bench::new(&[0xbe80_4e83], WAVE32, crate::simd::Backend::Portable);
    assert!(named.is_err_and(|why| why.contains("barrier")));
}
