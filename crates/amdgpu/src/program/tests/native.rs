//! Stretches of ops that run as native code, in a loop that makes them do so,
//! against the portable back end, which has none.

use crate::isa::WaveSize;
use crate::memory::{AllocationKind, Memory};
use crate::observe::Show;
use crate::program::native::Window;
use crate::program::testing::{Bench, Line, backends, fill, lanes, words};
use crate::program::{Op, lower};
use crate::simd::Backend;

/// Loads and sums, until s4 has counted to s5.
const LOOP: &[Line] = &[
    (
        "buffer_load_b128 v[4:7], v1, s[8:11], 0 offen",
        &[0xe05c_0000, 0x8042_0401],
    ),
    (
        "buffer_load_b128 v[8:11], v2, s[8:11], 0 offen offset:16",
        &[0xe05c_0010, 0x8042_0802],
    ),
    (
        "buffer_load_b32 v12, v3, s[8:11], 0 offen",
        &[0xe050_0000, 0x8042_0c03],
    ),
    ("v_add_nc_u32_e32 v20, v20, v4", &[0x4a28_0914]),
    ("v_xor_b32_e32 v21, v21, v9", &[0x3a2a_1315]),
    ("v_add_nc_u32_e32 v22, v22, v12", &[0x4a2c_1916]),
    ("v_lshlrev_b32_e32 v23, 3, v20", &[0x302e_2883]),
    ("v_or_b32_e32 v24, v23, v21", &[0x3830_2b17]),
    ("v_sub_nc_u32_e32 v25, v24, v22", &[0x4c32_2d18]),
    ("v_add_nc_u32_e32 v26, v26, v25", &[0x4a34_331a]),
    ("v_xor_b32_e32 v27, v27, v26", &[0x3a36_351b]),
    ("s_add_i32 s4, s4, 1", &[0x8104_8104]),
    ("s_cmp_lt_u32 s4, s5", &[0xbf0a_0504]),
    ("s_cbranch_scc1 65519", &[0xbfa2_ffef]),
];

/// The same with scalars among it, of which all but one can be computed first.
fn mixed() -> Vec<Line> {
    let mut lines = vec![
        ("s_lshl_b32 s6, s4, 3", &[0x8406_8304][..]),
        ("v_add_nc_u32_e32 v28, s6, v28", &[0x4a38_3806]),
    ];
    lines.extend(&LOOP[..3]);
    lines.push(LOOP[11]);
    lines.extend(&LOOP[3..11]);
    lines.extend([
        ("s_mov_b32 s6, 7", &[0xbe86_0087][..]),
        ("v_xor_b32_e32 v29, s6, v29", &[0x3a3a_3a06]),
        LOOP[12],
        ("s_cbranch_scc1 65515", &[0xbfa2_ffeb]),
    ]);
    lines
}

/// All rows behind a loop, and for which of its windows native code was made.
fn run(
    lines: &[Line],
    backend: Backend,
    exec: u64,
    offsets: [fn(u32) -> u32; 3],
) -> (Vec<[u32; 32]>, Vec<bool>) {
    let memory = Memory::new(1 << 20);
    let address = memory.alloc(4096, AllocationKind::Device).expect("memory");
    let bytes: Vec<u8> = (0..4096_u32).map(|i| ((i * 167) >> 3) as u8).collect();
    memory.write(address, &bytes).expect("it is live");
    let code = words(lines, WaveSize::Wave32);
    let mut bench = Bench::new(&code, WaveSize::Wave32, backend).expect("it lowers");
    bench.see(&memory);
    let resource = [address as u32, (address >> 32) as u32, 1024, 3 << 28];
    bench.wave.scalars[8..12].copy_from_slice(&resource);
    bench.wave.scalars[5] = 60;
    bench.set_exec(exec);
    for (row, offset) in (1..).zip(offsets) {
        fill(&mut bench, row, offset);
    }
    let program = bench.env.program.clone();
    let wave = bench.run().expect("no fault");
    let native = program.windows.iter().map(Window::is_native).collect();
    ((0..32).map(|row| lanes(&wave, row)).collect(), native)
}

#[test]
fn loops_give_the_same_bits_as_native_code() {
    let all = u64::MAX;
    type Offsets = [fn(u32) -> u32; 3];
    let uniform: Offsets = [|lane| lane / 8 * 64, |lane| lane % 8 * 32, |_| 128];
    let scattered: Offsets = [
        |lane| lane * 28 % 512,
        |lane| (lane * 52 + 7) % 900,
        |lane| 4 * lane,
    ];
    // Some lanes are out of the buffer's range and load zero.
    let outside: Offsets = [|lane| lane * 64, |lane| lane * 32, |lane| lane];
    for (exec, offsets, native) in [
        (all, uniform, true),
        (all, scattered, true),
        (all, outside, true),
        (0x00ff_fffe, uniform, false),
    ] {
        for lines in [LOOP, &mixed()] {
            let (slow, _) = run(lines, Backend::Portable, exec, offsets);
            for &backend in &backends()[1..] {
                let (fast, was_native) = run(lines, backend, exec, offsets);
                assert_eq!(fast, slow);
                assert_eq!(was_native, [native], "native code is for all lanes");
            }
        }
    }
}

/// A watcher is shown every instruction, so each must be run by itself.
#[test]
fn observed_programs_have_no_native_code_and_no_joined_ops() {
    let add: Line = ("v_add_f32_e32 v5, v1, v2", &[0x060a_0501]);
    let lines = [&[add, add], LOOP].concat();
    let words = words(&lines, WaveSize::Wave32);
    for backend in [Backend::detect(), Backend::Portable] {
        let lower = |observed| {
            let target = WaveSize::Wave32.into();
            lower::assemble(&words, target, backend, observed).expect("it lowers")
        };
        // The same code has both when nobody watches.
        let plain = lower(false);
        assert_eq!(plain.ops()[0].imm, 2, "the first op runs both");
        assert_eq!(
            plain.windows.len(),
            usize::from(backend != Backend::Portable)
        );

        let observed = lower(true);
        assert!(observed.windows.is_empty());
        let instructions = lines.len() + 1;
        assert_eq!(observed.sites().len(), instructions);
        let (shows, ops): (Vec<Op>, Vec<Op>) = observed.ops().iter().partition(|op| Show::is(op));
        let shown: Vec<_> = shows.iter().map(|op| op.imm as usize).collect();
        assert_eq!(shown, (0..instructions).collect::<Vec<_>>());
        assert_eq!([ops[0].imm, ops[1].imm], [0, 0], "each runs itself alone");
    }
}
