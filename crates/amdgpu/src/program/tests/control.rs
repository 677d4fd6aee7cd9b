//! Known answers of what moves between lanes and registers, and of control.

use crate::exec::{self, Problem};
use crate::isa::WaveSize;
use crate::program::testing::{Bench, Line, fill, lanes, run, run_32, set, words};
use crate::simd::Backend;
use crate::wave::{State, Wave, slot};

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
    let program = env.program.clone();
    exec::run(&program, wave, env, 100);
    assert_eq!((wave.state, wave.patience), (State::Ready, 0));
    exec::run(&program, wave, env, 100);
    assert_eq!(wave.state, State::Done);
}

#[test]
fn a_program_knows_whether_its_waves_wait_for_each_other() {
    let size = WaveSize::Wave32;
    let has_barriers = |lines: &[Line]| {
        let bench = Bench::new(&words(lines, size), size, Backend::Portable).expect("it lowers");
        bench.env.program.has_barriers()
    };
    let nop: Line = ("s_nop 0", &[0xbf80_0000]);
    assert!(!has_barriers(&[nop]));
    assert!(has_barriers(&[nop, ("s_barrier", &[0xbfbd_0000])]));
}

#[test]
fn ops_that_are_joined_are_also_reached_one_by_one() {
    let add: Line = ("v_add_f32_e32 v5, v1, v5", &[0x060a_0b01]);
    let fused: Line = ("v_fmac_f32_e32 v5, v1, v2", &[0x560a_0501]);
    let skip: Line = ("s_branch 1", &[0xbfa0_0001]);
    let prepare = |bench: &mut Bench| {
        set(bench, 1, 1.0_f32.to_bits());
        set(bench, 2, 8.0_f32.to_bits());
        bench.set_exec(0xffff);
    };
    let look = |wave: &Wave| [3, 20].map(|lane| f32::from_bits(lanes(wave, 5)[lane]));
    let lines = [add, add, add, fused, fused, add];
    assert_eq!(run_32(&lines, prepare, look), [20.0, 0.0]);
    let lines = [skip, add, add, add, fused, fused, add];
    assert_eq!(run_32(&lines, prepare, look), [19.0, 0.0]);
}
