//! Index mode of gfx9: registers that M0 selects, for moves.

use super::gfx9::{Line, fill, lanes, run_on};
use crate::isa::{Cdna, Generation, WaveSize};
use crate::program::Target;
use crate::program::testing::Bench;
use crate::simd::Backend;
use crate::wave::slot;

const TARGET: Target = Target {
    generation: Generation::Gfx9(Cdna::Cdna3),
    size: WaveSize::Wave64,
};

#[test]
fn index_mode_changes_the_registers_of_moves() {
    let lines: [Line; 13] = [
        ("s_set_gpr_idx_on s2, gpr_idx(SRC0)", &[0xbf11_0102]),
        ("v_mov_b32_e32 v10, v1", &[0x7e14_0301]),
        ("s_set_gpr_idx_off", &[0xbf9c_0000]),
        ("v_mov_b32_e32 v11, v1", &[0x7e16_0301]),
        ("s_set_gpr_idx_on s3, gpr_idx(DST)", &[0xbf11_0803]),
        ("v_mov_b32_e32 v20, v2", &[0x7e28_0302]),
        ("v_mov_b32_e32 v22, 5", &[0x7e2c_0285]),
        ("s_set_gpr_idx_mode gpr_idx(SRC0,DST)", &[0xbf9d_0009]),
        ("v_mov_b32_e32 v30, v2", &[0x7e3c_0302]),
        ("s_set_gpr_idx_idx s2", &[0xbe80_3202]),
        ("v_mov_b32_e32 v40, v2", &[0x7e50_0302]),
        ("s_set_gpr_idx_off", &[0xbf9c_0000]),
        ("v_mov_b32_e32 v12, v2", &[0x7e18_0302]),
    ];
    let (found, m0) = run_on(
        TARGET,
        &lines,
        |bench| {
            for register in 1..8 {
                fill(bench, register, |lane| 100 * register as u32 + lane);
            }
            bench.wave.scalars[2] = 0xffff_ff03;
            bench.wave.scalars[3] = 1;
            bench.wave.scalars[slot::M0 as usize] = 0xabcd_0700;
        },
        |wave| {
            let rows = [10, 11, 12, 21, 23, 31, 43].map(|row| lanes(wave, row));
            (rows, wave.scalar(slot::M0))
        },
    );
    let at = |lane: usize| found.map(|row| row[lane]);
    assert_eq!(at(7), [407, 107, 207, 207, 5, 307, 507]);
    assert_eq!(at(40), [440, 140, 240, 240, 5, 340, 540]);
    assert_eq!(m0, 0xabcd_9703);
}

#[test]
fn index_mode_is_for_moves_and_ends_before_branches() {
    const ON: u32 = 0xbf11_0102;
    let refused = |words: &[u32]| Bench::new(words, TARGET, Backend::Portable).err();
    for rest in [
        // v_add_f32_e32 v1, v2, v3
        &[0x0206_0702][..],
        // s_branch 0
        &[0xbf82_0000],
    ] {
        let words: Vec<u32> = [ON].iter().chain(rest).copied().collect();
        let why = refused(&words).expect("it is refused");
        assert!(
            why.contains("in index mode") || why.contains("across"),
            "{why}"
        );
    }
    // s_branch -3 goes to where the mode is on.
    let into = [ON, 0x7e14_0301, 0xbf9c_0000, 0xbf82_fffd];
    assert!(refused(&into).is_some_and(|why| why.contains("across")));
    // v_mov_b32_e32 v10, s4 has no vector register as source.
    assert!(refused(&[ON, 0x7e14_0204, 0xbf9c_0000]).is_none());
}
