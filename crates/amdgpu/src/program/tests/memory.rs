//! Known answers of memory instructions: LDS, buffers, private memory.

use crate::exec::aperture;
use crate::isa::WaveSize;
use crate::memory::{AllocationKind, Memory};
use crate::program::testing::{Bench, Line, fill, lanes, run, run_32, set, words};
use crate::simd::Backend;
use crate::wave::{Wave, slot};

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
        let memory = Memory::new(1 << 20);
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
        let memory = Memory::new(1 << 20);
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
