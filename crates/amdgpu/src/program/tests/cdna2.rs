//! Known answers of what gfx90a alone has: its matrix shapes, multiply-adds that
//! round twice, loads to LDS by a bit, private memory through a buffer.

use super::gfx9::{Layout, Line, f32_bits, fill, from_f32, from_i32, lanes, run_on};
use crate::exec;
use crate::isa::{Cdna, Generation, WaveSize};
use crate::memory::{AllocationKind, Memory};
use crate::program::Target;
use crate::program::scalar_ops::waits_for_loads;
use crate::program::testing::Bench;
use crate::simd::Backend;
use crate::wave::{Wave, slot};

const TARGET: Target = Target {
    generation: Generation::Gfx9(Cdna::Cdna2),
    size: WaveSize::Wave64,
};

fn multiply(line: Line, prepare: impl Fn(&mut Bench), check: impl Fn(&Wave)) {
    run_on(TARGET, &[line], prepare, check);
}

fn brain(value: i32) -> u64 {
    f32_bits(value) >> 16
}

fn byte(value: i32) -> u64 {
    u64::from(value as u8)
}

/// Row and column of a result of 32 rows.
fn of_32(i: usize, j: usize, block: usize) -> (usize, usize) {
    (j + 32 * (i / 4 % 2), i % 4 + i / 8 * 4 + 16 * block)
}

#[test]
fn products_of_pairs_of_brain_floats() {
    let layout = Layout {
        rows: 16,
        depth: 8,
        blocks: 1,
        factor: |i, k, _| (i + 16 * (k / 2), k % 2),
        result: |i, j, _| (j + 16 * (i / 4), i % 4),
    };
    multiply(
        (
            "v_mfma_f32_16x16x8bf16 v[8:11], v0, v2, v[8:11]",
            &[0xd3ed_0008, 0x0422_0500],
        ),
        |bench| layout.put(bench, [0, 2], 16, brain),
        |wave| layout.check(wave, 8, from_f32, 0),
    );
    let layout = Layout {
        rows: 32,
        depth: 4,
        blocks: 1,
        factor: |i, k, _| (i + 32 * (k / 2), k % 2),
        result: of_32,
    };
    multiply(
        (
            "v_mfma_f32_32x32x4bf16 v[8:23], v0, v2, v[8:23]",
            &[0xd3ec_0008, 0x0422_0500],
        ),
        |bench| layout.put(bench, [0, 2], 16, brain),
        |wave| layout.check(wave, 8, from_f32, 0),
    );
    let two = Layout {
        depth: 2,
        blocks: 2,
        factor: |i, k, block| (i + 32 * block, k),
        ..layout
    };
    multiply(
        (
            "v_mfma_f32_32x32x2bf16 v[8:39], v0, v2, 1.0",
            &[0xd3e8_0008, 0x03ca_0500],
        ),
        |bench| two.put(bench, [0, 2], 16, brain),
        |wave| two.check(wave, 8, from_f32, 1),
    );
    let four = Layout {
        rows: 16,
        depth: 2,
        blocks: 4,
        factor: |i, k, block| (i + 16 * block, k),
        result: |i, j, block| (j + 16 * (i / 4), i % 4 + 4 * block),
    };
    multiply(
        (
            "v_mfma_f32_16x16x2bf16 v[8:23], v0, v2, 0",
            &[0xd3e9_0008, 0x0202_0500],
        ),
        |bench| four.put(bench, [0, 2], 16, brain),
        |wave| four.check(wave, 8, from_f32, 0),
    );
    let many = Layout {
        rows: 4,
        depth: 2,
        blocks: 16,
        factor: |i, k, block| (i + 4 * block, k),
        result: |i, j, block| (j + 4 * block, i),
    };
    multiply(
        (
            "v_mfma_f32_4x4x2bf16 v[8:11], v0, v2, 0",
            &[0xd3eb_0008, 0x0202_0500],
        ),
        |bench| many.put(bench, [0, 2], 16, brain),
        |wave| many.check(wave, 8, from_f32, 0),
    );
}

#[test]
fn products_of_four_bytes_a_lane_and_of_four_brain_floats() {
    let layout = Layout {
        rows: 16,
        depth: 16,
        blocks: 1,
        factor: |i, k, _| (i + 16 * (k / 4), k % 4),
        result: |i, j, _| (j + 16 * (i / 4), i % 4),
    };
    multiply(
        (
            "v_mfma_i32_16x16x16i8 v[8:11], v0, v2, v[8:11]",
            &[0xd3d5_0008, 0x0422_0500],
        ),
        |bench| layout.put(bench, [0, 2], 8, byte),
        |wave| layout.check(wave, 8, from_i32, 0),
    );
    multiply(
        (
            "v_mfma_f32_16x16x16bf16_1k v[8:11], v[0:1], v[2:3], v[8:11]",
            &[0xd3e7_0008, 0x0422_0500],
        ),
        |bench| layout.put(bench, [0, 2], 16, brain),
        |wave| layout.check(wave, 8, from_f32, 0),
    );
    let wide = Layout {
        rows: 32,
        depth: 8,
        factor: |i, k, _| (i + 32 * (k / 4), k % 4),
        result: of_32,
        ..layout
    };
    multiply(
        (
            "v_mfma_i32_32x32x8i8 v[8:23], v0, v2, v[8:23]",
            &[0xd3d4_0008, 0x0422_0500],
        ),
        |bench| wide.put(bench, [0, 2], 8, byte),
        |wave| wide.check(wave, 8, from_i32, 0),
    );
}

#[test]
fn multiply_adds_round_twice_and_have_no_denormals() {
    let lines: [Line; 3] = [
        ("v_mad_f32 v3, v0, v1, v2", &[0xd1c1_0003, 0x040a_0300]),
        (
            "v_mad_legacy_f32 v4, v0, v1, v5",
            &[0xd1c0_0004, 0x0416_0300],
        ),
        ("v_mac_f32_e32 v2, v0, v1", &[0x2c04_0300]),
    ];
    let found = |a: f32, b: f32, c: f32| {
        run_on(
            TARGET,
            &lines,
            |bench| {
                for (register, value) in [(0, a), (1, b), (2, c), (5, 1.0)] {
                    fill(bench, register, |_| value.to_bits());
                }
            },
            |wave| [3, 4, 2].map(|register| lanes(wave, register)[40]),
        )
        .map(f32::from_bits)
    };
    let a = 1.0 + 2_f32.powi(-13);
    // Rounded once, the square less one is another.
    let twice = a * a - 1.0;
    assert_ne!(twice, a.mul_add(a, -1.0));
    assert_eq!(found(a, a, -1.0), [twice, a * a + 1.0, twice]);
    let least = f32::from_bits(1);
    assert_eq!(found(least, 1.0, 0.0), [0.0, 1.0, 0.0]);
    assert_eq!(found(1.0, 0.0, least), [0.0, 1.0, 0.0]);
    let [plain, legacy, _] = found(f32::INFINITY, 0.0, 0.0);
    assert!(plain.is_nan());
    assert_eq!(legacy, 1.0);
}

#[test]
fn loads_go_to_lds_lane_by_lane() {
    let memory = Memory::new(1 << 20);
    let data: Vec<u8> = (0..=255).collect();
    let address = memory
        .alloc(256 + 64, AllocationKind::Device)
        .expect("room");
    memory.write(address, &data).expect("it fits");
    let lines: [(Line, u32); 3] = [
        (
            (
                "buffer_load_dword v0, s[4:7], s8 offen offset:4 lds",
                &[0xe051_1004, 0x0801_0000],
            ),
            4,
        ),
        (
            (
                "buffer_load_ubyte v0, s[4:7], 0 offen lds",
                &[0xe041_1000, 0x8001_0000],
            ),
            0,
        ),
        (
            (
                "global_load_dword v[2:3], off offset:8 lds",
                &[0xdc50_a008, 0x007f_0002],
            ),
            8,
        ),
    ];
    for ((text, words), constant) in lines {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        assert_eq!(TARGET.decode(&bytes, 0).expect(text).to_string(), text);
        let mut bench = Bench::new(words, TARGET, Backend::Portable).expect(text);
        bench.see(&memory);
        bench.wave.scalars[slot::M0 as usize] = 0x100;
        for (register, word) in [address as u32, (address >> 32) as u32, 256, 0x2_7000]
            .into_iter()
            .enumerate()
        {
            bench.wave.scalars[4 + register] = word;
        }
        fill(&mut bench, 0, |lane| 3 * lane);
        fill(&mut bench, 2, |lane| {
            (address as u32).wrapping_add(3 * lane)
        });
        fill(&mut bench, 3, |_| (address >> 32) as u32);
        bench.set_exec(!2);
        let program = bench.env.program.clone();
        exec::run(&program, &mut bench.wave, &mut bench.env, 100);
        assert!(bench.env.problem.is_none(), "{text}");
        for lane in [0, 1, 2, 40] {
            let place = 0x100 + constant + 4 * lane;
            let found = bench.env.lds.load_bytes(place, 4, 0).expect("in LDS");
            let at = (3 * lane + constant) as usize;
            let wide: [u8; 4] = data[at..at + 4].try_into().expect("4 bytes");
            let expected = match lane {
                1 => 0,
                _ if text.contains("ubyte") => u32::from(data[at]),
                _ => u32::from_le_bytes(wide),
            };
            assert_eq!(found, expected, "{text}, lane {lane}");
        }
    }
}

#[test]
fn private_memory_is_reached_through_a_buffer_too() {
    let lines: [Line; 5] = [
        (
            "buffer_store_dword v0, off, s[0:3], s32 offset:8",
            &[0xe070_0008, 0x2000_0000],
        ),
        (
            "buffer_store_byte v1, off, s[0:3], s32 offset:9",
            &[0xe060_0009, 0x2000_0100],
        ),
        (
            "buffer_load_dwordx2 v[2:3], off, s[0:3], s32 offset:4",
            &[0xe054_0004, 0x2000_0200],
        ),
        (
            "scratch_load_dword v4, off, s9",
            &[0xdc50_4000, 0x0409_0000],
        ),
        (
            "buffer_load_dword v5, v6, s[0:3], 0 offen",
            &[0xe050_1000, 0x8000_0506],
        ),
    ];
    let found = run_on(
        TARGET,
        &lines,
        |bench| {
            let [low, high] = exec::PRIVATE_RESOURCE;
            for (register, word) in [low, low >> 32, high, high >> 32].into_iter().enumerate() {
                bench.wave.scalars[register] = word as u32;
            }
            // A frame of 16 bytes a lane, as the stack pointer counts.
            bench.wave.scalars[32] = 16 * 64;
            bench.wave.scalars[9] = 16 + 8;
            fill(bench, 0, |lane| 0x1111_0000 + lane);
            fill(bench, 1, |_| 0xab);
            fill(bench, 6, |_| 16 + 8);
        },
        |wave| [2, 3, 4, 5].map(|register| lanes(wave, register)[37]),
    );
    let stored = 0x1111_ab00 + 37;
    assert_eq!(found, [0, stored, stored, stored]);
}

#[test]
fn waits_are_told_from_other_counters() {
    // vmcnt(0), lgkmcnt(0), expcnt(0), nothing, by LLVM's assembler.
    for (counters, gfx9, waits) in [
        (0x0f70, true, true),
        (0xc07f, true, true),
        (0xcf0f, true, false),
        (0xcf7f, true, false),
        (0x03f7, false, true),
        (0xfc07, false, true),
        (0xfff0, false, false),
    ] {
        assert_eq!(waits_for_loads(counters, gfx9), waits, "{counters:#x}");
    }
}
