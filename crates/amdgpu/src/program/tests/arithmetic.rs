//! Known answers of arithmetic that the MODE register or modifiers change, or
//! that compilers seldom emit.

use crate::program::testing::{Bench, Line, f64_at, lanes, run_32, set, set_f64};
use crate::wave::{Wave, slot};

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
fn packed_integers_are_not_taken_for_floats() {
    let lines: &[Line] = &[
        ("v_pk_sub_i16 v15, v13, v14", &[0xcc03_400f, 0x1802_1d0d]),
        ("v_pk_max_i16 v16, v13, v14", &[0xcc07_4010, 0x1802_1d0d]),
        (
            "v_pk_mad_u16 v1, v15, v14, v13",
            &[0xcc09_4001, 0x1c36_1d0f],
        ),
        ("v_pk_mul_lo_u16 v13, v14, v13", &[0xcc01_400d, 0x1802_1b0e]),
    ];
    let prepare = |bench: &mut Bench| {
        set(bench, 13, 0x7fff_9159);
        set(bench, 14, 0xfffe_e75d);
    };
    let seen = run_32(lines, prepare, |wave| {
        [15, 16, 1, 13].map(|row| lanes(wave, row)[0])
    });
    let halves = |f: fn(u16, u16, u16) -> u16| {
        let part = |shift: u32| {
            let take = |x: u32| (x >> shift) as u16;
            let (a, b) = (take(0x7fff_9159), take(0xfffe_e75d));
            u32::from(f(a, b, a.wrapping_sub(b))) << shift
        };
        part(0) | part(16)
    };
    assert_eq!(
        seen,
        [
            halves(|_, _, difference| difference),
            halves(|a, b, _| (a as i16).max(b as i16) as u16),
            halves(|a, b, difference| difference.wrapping_mul(b).wrapping_add(a)),
            halves(|a, b, _| a.wrapping_mul(b)),
        ]
    );
}
