//! Blocks and arenas.

use super::*;
use crate::testing::{counted_device, device_over, fail_every_call, null_device};
use crate::{Device, DeviceParams, StatusCode};

const BLOCK: u64 = 4096;

fn device() -> Device {
    let params = DeviceParams {
        arena_block_size: BLOCK,
        ..DeviceParams::default()
    };
    device_over(&hip::null(), params).unwrap()
}

fn usage(device: &Device) -> (u64, u64) {
    let usage = device.block_pool().usage();
    (usage.used, usage.free)
}

#[test]
fn blocks_are_used_again_newest_first() {
    let device = device();
    let pool = device.block_pool();
    assert_eq!(pool.block_bytes(), BLOCK);
    let a = pool.acquire_staging().unwrap();
    let b = pool.acquire_staging().unwrap();
    let newest = b.device_ptr();
    assert_eq!(usage(&device), (2, 0));
    pool.release_staging(&mut vec![a, b]);
    assert_eq!(usage(&device), (0, 2));
    let again = pool.acquire_staging().unwrap();
    assert_eq!(again.device_ptr(), newest);
    pool.release_staging(&mut vec![again]);
    pool.trim();
    assert_eq!(usage(&device), (0, 0));
}

#[test]
fn an_empty_arena_takes_no_block() {
    let device = device();
    drop(Arena::new(device.block_pool()));
    assert_eq!(usage(&device), (0, 0));
}

#[test]
fn allocations_follow_each_other_at_multiples_of_16() {
    let device = device();
    let mut arena = Arena::new(device.block_pool());
    let base = arena.allocate(1).unwrap().device_ptr();
    assert!(base.0.is_multiple_of(16));
    assert_eq!(arena.allocate(16).unwrap().device_ptr(), base.offset(16));
    assert_eq!(arena.allocate(17).unwrap().device_ptr(), base.offset(32));
    assert_eq!(arena.allocate(1).unwrap().device_ptr(), base.offset(64));
    assert_eq!(arena.used_bytes(), 80);
    assert_eq!(usage(&device), (1, 0));
}

#[test]
fn nothing_takes_nothing() {
    let device = device();
    let mut arena = Arena::new(device.block_pool());
    let slice = arena.allocate(0).unwrap();
    assert!(slice.is_empty());
    arena.write(&slice, 0, &[]).unwrap();
    assert_eq!(arena.used_bytes(), 0);
}

#[test]
fn an_exact_fit_fills_the_block() {
    let device = device();
    let mut arena = Arena::new(device.block_pool());
    arena.allocate(BLOCK - 16).unwrap();
    arena.allocate(16).unwrap();
    assert_eq!(usage(&device).0, 1);
    arena.allocate(1).unwrap();
    assert_eq!(usage(&device).0, 2);
}

#[test]
fn rounding_does_not_run_past_the_block() {
    let device = device();
    let mut arena = Arena::new(device.block_pool());
    // 15 bytes less than the block round up to all of it.
    arena.allocate(BLOCK - 15).unwrap();
    assert_eq!(arena.used_bytes(), BLOCK);
    let slice = arena.allocate(1).unwrap();
    assert_eq!(usage(&device).0, 2);
    arena.write(&slice, 0, &[1]).unwrap();
}

#[test]
fn what_rounds_up_past_a_block_is_oversize() {
    let params = DeviceParams {
        arena_block_size: 4100,
        ..DeviceParams::default()
    };
    let device = device_over(&hip::null(), params).unwrap();
    let mut arena = Arena::new(device.block_pool());
    let slice = arena.allocate(4100).unwrap();
    assert!(slice.oversize);
    arena.write(&slice, 4099, &[1]).unwrap();
    assert_eq!(usage(&device), (0, 0));
}

#[test]
fn the_tail_of_a_block_is_left_when_the_next_does_not_fit() {
    let device = device();
    let mut arena = Arena::new(device.block_pool());
    let first = arena.allocate(BLOCK / 2).unwrap();
    let second = arena.allocate(BLOCK / 2 + 1).unwrap();
    assert_eq!((first.block, second.block), (0, 1));
    assert_eq!(second.offset, 0);
    for _ in 0..10 {
        arena.allocate(BLOCK).unwrap();
    }
    assert_eq!(usage(&device), (12, 0));
    drop(arena);
    assert_eq!(usage(&device), (0, 12));
}

#[test]
fn oversize_memory_is_freed_and_not_pooled() {
    let (device, plan) = counted_device();
    let live = plan.live();
    let mut arena = Arena::new(device.block_pool());
    let block = device.block_pool().block_bytes();
    let slice = arena.allocate(block + 1).unwrap();
    assert!(slice.device_ptr().0.is_multiple_of(16));
    // The current block stays current.
    let small = arena.allocate(16).unwrap();
    arena.allocate(10 * block).unwrap();
    let next = arena.allocate(16).unwrap();
    assert_eq!(next.device_ptr(), small.device_ptr().offset(16));
    arena.write(&slice, block, &[1]).unwrap();
    arena.reset();
    assert_eq!(plan.live(), live + 1, "one block, in the pool");
    assert_eq!(device.block_pool().usage().free, 1);
}

#[test]
fn larger_alignments_hold_in_blocks_and_outside() {
    let device = device();
    let mut arena = Arena::new(device.block_pool());
    for alignment in [1, 2, 16, 64, 256, 1024] {
        for bytes in [
            1,
            100,
            BLOCK - 1000,
            BLOCK - 16,
            BLOCK,
            BLOCK + 1,
            3 * BLOCK,
        ] {
            let slice = arena.allocate_aligned(bytes, alignment).unwrap();
            assert!(
                slice.device_ptr().0.is_multiple_of(alignment.max(16)),
                "{bytes} at {alignment}"
            );
            arena.write(&slice, bytes - 1, &[1]).unwrap();
        }
    }
    for alignment in [0, 3, 48] {
        let status = arena.allocate_aligned(1, alignment).unwrap_err();
        assert_eq!(status.code(), StatusCode::InvalidArgument);
    }
}

#[test]
fn impossible_sizes_are_an_error() {
    let device = null_device();
    let mut arena = Arena::new(device.block_pool());
    for bytes in [u64::MAX, u64::MAX - 15, u64::MAX / 2] {
        let status = arena.allocate(bytes).unwrap_err();
        assert_eq!(status.code(), StatusCode::ResourceExhausted, "{status:#}");
    }
    arena.allocate(1).unwrap();
}

#[test]
fn writes_stay_in_their_slice() {
    let device = device();
    let mut arena = Arena::new(device.block_pool());
    let slice = arena.stage(&[1, 2, 3]).unwrap();
    assert_eq!(slice.len(), 3);
    for (offset, bytes) in [(0, 4), (3, 1), (u64::MAX, 1)] {
        let status = arena.write(&slice, offset, &vec![0; bytes]).unwrap_err();
        assert_eq!(status.code(), StatusCode::OutOfRange);
    }
    let mut read = [0; 3];
    arena.blocks[0]
        .host()
        .read(slice.offset, &mut read)
        .unwrap();
    assert_eq!(read, [1, 2, 3]);
}

#[test]
fn reset_starts_over_with_the_same_block() {
    let device = device();
    let mut arena = Arena::new(device.block_pool());
    let first = arena.allocate(100).unwrap();
    arena.reset();
    let status = arena.write(&first, 0, &[1]).unwrap_err();
    assert_eq!(status.code(), StatusCode::FailedPrecondition);
    assert_eq!(arena.used_bytes(), 0);
    assert_eq!(
        arena.allocate(100).unwrap().device_ptr(),
        first.device_ptr()
    );
}

#[test]
fn staging_survives_every_fault() {
    fail_every_call(|api| {
        let device = device_over(api, DeviceParams::default())?;
        let mut arena = Arena::new(device.block_pool());
        arena.stage(&[1; 64])?;
        arena.stage(&[2; 100_000])?;
        Ok(())
    });
}

#[test]
fn threads_share_a_pool() {
    let device = device();
    std::thread::scope(|scope| {
        for seed in 0..4_u64 {
            let pool = device.block_pool();
            scope.spawn(move || {
                for round in 0..100 {
                    let mut arena = Arena::new(pool);
                    for index in 0..5 {
                        let bytes = (seed + round * index) % 3000 + 1;
                        let slice = arena.allocate(bytes).unwrap();
                        arena.write(&slice, bytes - 1, &[1]).unwrap();
                    }
                }
            });
        }
    });
    let (used, free) = usage(&device);
    assert_eq!(used, 0);
    assert!((1..=20).contains(&free), "{free} blocks");
}

proptest::proptest! {
    #[test]
    fn slices_are_aligned_and_apart(
        requests in proptest::collection::vec((0..6000_u64, 0..10_u32), 1..50),
    ) {
        let device = device();
        let mut arena = Arena::new(device.block_pool());
        let mut taken: Vec<(u64, u64)> = Vec::new();
        for (bytes, alignment) in requests {
            let alignment = 1 << alignment;
            let slice = arena.allocate_aligned(bytes, alignment).unwrap();
            let start = slice.device_ptr().0;
            proptest::prop_assert!(start.is_multiple_of(alignment.max(16)));
            let (memory, size) = if slice.oversize {
                let memory = &arena.oversize[slice.block];
                (memory, memory.host().len())
            } else {
                (&arena.blocks[slice.block], BLOCK)
            };
            proptest::prop_assert!(slice.offset + bytes <= size);
            proptest::prop_assert_eq!(memory.device_ptr().offset(slice.offset), slice.device_ptr());
            let apart = |other: &(u64, u64)| start + bytes <= other.0 || other.1 <= start;
            proptest::prop_assert!(bytes == 0 || taken.iter().all(apart));
            if bytes > 0 {
                taken.push((start, start + bytes));
            }
        }
    }
}
