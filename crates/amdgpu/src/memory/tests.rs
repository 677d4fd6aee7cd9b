use super::*;

fn memory() -> Memory {
    Memory::new(1 << 20)
}

#[test]
fn allocations_are_aligned_zeroed_and_apart() {
    let memory = memory();
    let addresses: Vec<u64> = [0, 1, 255, 4096, 100_000]
        .iter()
        .map(|&bytes| {
            memory
                .alloc(bytes, AllocationKind::Device)
                .expect("there is memory")
        })
        .collect();
    for (i, &address) in addresses.iter().enumerate() {
        assert_eq!(address % 256, 0);
        assert!(
            addresses[..i]
                .iter()
                .all(|&other| other.abs_diff(address) >= 256)
        );
    }
    let mut bytes = vec![1; 100_000];
    memory.read(addresses[4], &mut bytes).expect("it is live");
    assert!(bytes.iter().all(|&byte| byte == 0));
    assert_eq!(
        memory.allocation(addresses[3] + 4095).map(|info| info.base),
        Some(addresses[3])
    );
    assert_eq!(memory.allocation(addresses[3] + 4096), None);
}

#[test]
fn the_budget_is_kept() {
    let memory = memory();
    let first = memory
        .alloc(1 << 19, AllocationKind::Device)
        .expect("there is memory");
    let error = memory
        .alloc((1 << 19) + 1, AllocationKind::Device)
        .expect_err("too much");
    assert_eq!((error.live_bytes, error.budget_bytes), (1 << 19, 1 << 20));
    assert!(memory.alloc(u64::MAX, AllocationKind::Device).is_err());
    memory.free(first).expect("it is live");
    let all = memory
        .alloc(1 << 20, AllocationKind::Host)
        .expect("all of it is free");
    let usage = memory.usage();
    assert_eq!(
        (usage.live_bytes, usage.peak_bytes, usage.allocations),
        (1 << 20, 1 << 20, 1)
    );
    memory.free(all).expect("it is live");
    assert_eq!(memory.usage().live_bytes, 0);
}

#[test]
fn host_accesses_are_checked() {
    let memory = memory();
    let address = memory
        .alloc(100, AllocationKind::Device)
        .expect("there is memory");
    memory.write(address + 90, &[7; 10]).expect("in bounds");
    let fault = memory
        .write(address + 91, &[7; 10])
        .expect_err("one byte too far");
    let relation = fault.nearest.expect("there is an allocation").relation;
    assert_eq!(
        relation,
        Relation::Inside {
            offset: 91,
            overrun: 1
        }
    );
    assert!(
        memory.read(u64::MAX - 3, &mut [0; 8]).is_err(),
        "it wraps around"
    );
    assert!(memory.copy(address, address + 1, 100).is_err());
    assert!(memory.fill(address, &[1, 2, 3, 4], 26).is_err());
    assert!(memory.fill(address, &[1, 2], u64::MAX).is_err());
    memory.read(0, &mut []).expect("nothing is read");
    memory.free(address).expect("it is live");
    let fault = memory.read(address, &mut [0; 4]).expect_err("it is gone");
    assert!(fault.to_string().contains("FREED"), "{fault}");
}

#[test]
fn fills_and_copies() {
    let memory = memory();
    let address = memory
        .alloc(64, AllocationKind::Device)
        .expect("there is memory");
    memory.fill(address, &[1, 2, 3, 4], 11).expect("in bounds");
    memory.fill(address + 44, &[9], 4).expect("in bounds");
    let mut bytes = [0; 50];
    memory.read(address, &mut bytes).expect("in bounds");
    let expected: Vec<u8> = (0..44)
        .map(|i| i % 4 + 1)
        .chain([9, 9, 9, 9, 0, 0])
        .collect();
    assert_eq!(bytes[..], expected);
    memory
        .copy(address + 2, address, 10)
        .expect("ranges may overlap");
    memory.read(address, &mut bytes).expect("in bounds");
    assert_eq!(bytes[..14], [1, 2, 1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 1, 2]);
}

#[test]
fn only_whole_allocations_are_freed() {
    let memory = memory();
    let address = memory
        .alloc(512, AllocationKind::Device)
        .expect("there is memory");
    assert!(memory.free(address + 256).is_err());
    assert!(memory.free(0).is_err());
    memory.free(address).expect("it is live");
    let error = memory.free(address).expect_err("it is gone");
    assert!(error.to_string().contains("FREED"), "{error}");
}

#[test]
fn host_memory_is_registered() {
    let memory = memory();
    let mut host = vec![0_u64; 128];
    let address = host.as_mut_ptr() as usize as u64;
    // SAFETY: `host` lives to the end of the test and is not touched meanwhile.
    unsafe { memory.register(address, 1024, AllocationKind::Registered) }.expect("it is free");
    assert_eq!(
        memory.usage().live_bytes,
        0,
        "the memory is the program's own"
    );
    // SAFETY: refused.
    let again = unsafe { memory.register(address + 8, 8, AllocationKind::Registered) };
    assert!(matches!(again, Err(MemoryError::BadRange { .. })));
    assert!(memory.free(address).is_err(), "it was not allocated here");
    memory
        .write(address + 1016, &5_u64.to_le_bytes())
        .expect("in bounds");
    memory.unregister(address).expect("it is registered");
    assert!(memory.unregister(address).is_err());
    assert_eq!(host[127], 5);
    // SAFETY: refused.
    let bad = unsafe { memory.register(u64::MAX, 2, AllocationKind::Registered) };
    assert!(bad.is_err());
}

#[test]
fn a_snapshot_keeps_freed_memory() {
    let memory = memory();
    let address = memory
        .alloc(8192, AllocationKind::Device)
        .expect("there is memory");
    let table = memory.snapshot();
    memory.free(address).expect("it is live");
    assert!(
        table.find(address, address + 8192).is_some(),
        "a launch in flight still has it"
    );
    assert!(memory.snapshot().find(address, address + 1).is_none());
}

#[test]
fn small_loads_from_lds_read_where_each_lane_points() {
    use crate::simd::{Portable, Row};

    let mut lds = Lds::default();
    lds.reset(256);
    for at in 0..256 {
        lds.store_bytes(at, 1, 0, at * 7 + 3).expect("it is inside");
    }
    let halves = |at: u32| u32::from_le_bytes([(at * 7 + 3) as u8, (at * 7 + 10) as u8, 0, 0]);
    // Behind each other; so for each eight lanes; anyhow.
    let places: [fn(u32) -> u32; 3] = [|i| 2 * i, |i| 100 - i / 8 * 32 + 2 * i, |i| i * 52 % 201];
    for place in places {
        for active in [u32::MAX, 0x00ff_f0f1, 0] {
            let offsets = Row(std::array::from_fn(|c| {
                std::array::from_fn(|i| place(8 * c as u32 + i as u32))
            }));
            let mask = Row::from_mask(active);
            let at = Lanes {
                base: 5,
                offsets: &offsets,
                active,
                mask: &mask,
            };
            let mut row = Row::splat(!0);
            lds.load_small::<Portable, 2>(at, &mut row)
                .expect("it is inside");
            for (lane, &value) in row.lanes().iter().enumerate() {
                let lane = lane as u32;
                let is_active = active >> lane & 1 != 0;
                let wanted = if is_active {
                    halves(place(lane) + 5)
                } else {
                    !0
                };
                assert_eq!(value, wanted, "lane {lane} of {active:x}");
            }
            let mut row = Row::ZERO;
            let outside = Lanes { base: 250, ..at };
            let refused = lds.load_small::<Portable, 2>(outside, &mut row).is_err();
            assert_eq!(refused, active != 0);
        }
    }
}
