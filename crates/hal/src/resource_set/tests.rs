//! What a resource set keeps alive.

use super::*;
use crate::testing::null_device;
use crate::{Device, DeviceParams};

fn count<T>(resource: &Arc<T>) -> usize {
    Arc::strong_count(resource) - 1
}

fn resources(count: usize) -> Vec<Arc<u32>> {
    (0..count as u32).map(Arc::new).collect()
}

fn small_device() -> Device {
    let params = DeviceParams {
        arena_block_size: DeviceParams::MIN_ARENA_BLOCK_SIZE,
        ..DeviceParams::default()
    };
    crate::testing::device_over(&hip::null(), params).unwrap()
}

#[test]
fn an_empty_set_takes_no_block() {
    let device = null_device();
    let set = ResourceSet::new(device.block_pool());
    assert!(set.is_empty());
    assert_eq!(device.block_pool().usage().used, 0);
}

#[test]
fn what_is_inserted_is_kept_and_let_go() {
    let device = null_device();
    for number in [1, 5] {
        let resources = resources(number);
        let mut set = ResourceSet::new(device.block_pool());
        set.extend(&resources);
        assert_eq!(set.len(), number);
        assert!(resources.iter().all(|resource| count(resource) == 1));
        drop(set);
        assert!(resources.iter().all(|resource| count(resource) == 0));
    }
    assert_eq!(device.block_pool().usage().used, 0);
}

#[test]
fn growth_spans_chunks_and_returns_them_all() {
    let device = small_device();
    let pool = device.block_pool();
    let per_chunk = pool.chunk_capacity();
    assert_eq!(per_chunk, 256);
    let resources = resources(3 * per_chunk + 1);
    let mut set = ResourceSet::new(pool);
    set.extend(&resources);
    assert_eq!(pool.usage().used, 4);
    assert!(resources.iter().all(|resource| count(resource) == 1));
    drop(set);
    assert!(resources.iter().all(|resource| count(resource) == 0));
    let usage = pool.usage();
    assert_eq!((usage.used, usage.free), (0, 4));
    // The next set records into the same chunks.
    let mut set = ResourceSet::new(pool);
    set.extend(&resources);
    assert_eq!(pool.usage().free, 0);
}

#[test]
fn a_recent_resource_is_not_referenced_again() {
    let device = null_device();
    let resources = resources(RECENT + 1);
    let mut set = ResourceSet::new(device.block_pool());
    set.extend(&resources[..RECENT]);
    for resource in resources[..RECENT].iter().rev() {
        set.insert(resource);
    }
    assert_eq!(set.len(), RECENT);
    // Used most recently, so it stays when another comes in.
    set.insert(&resources[0]);
    set.insert(&resources[RECENT]);
    set.insert(&resources[0]);
    assert_eq!(count(&resources[0]), 1);
    // The least recent one made way for it and is referenced a second time.
    set.insert(&resources[RECENT - 1]);
    assert_eq!(count(&resources[RECENT - 1]), 2);
    set.clear();
    assert!(resources.iter().all(|resource| count(resource) == 0));
}

#[test]
fn a_cleared_set_does_not_take_old_addresses_for_known() {
    let device = null_device();
    let resource = Arc::new(1u32);
    let mut set = ResourceSet::new(device.block_pool());
    set.insert(&resource);
    set.clear();
    assert!(set.is_empty());
    set.insert(&resource);
    assert_eq!(count(&resource), 1);
}

#[test]
fn a_block_larger_than_can_be_counted_is_capped() {
    let params = DeviceParams {
        arena_block_size: 64 << 20,
        ..DeviceParams::default()
    };
    let device = crate::testing::device_over(&hip::null(), params).unwrap();
    assert_eq!(device.block_pool().chunk_capacity(), 65_535);
}

#[test]
fn releasing_may_use_the_pool_again() {
    // A resource that owns a set of the same pool must not find it locked.
    let device = null_device();
    let mut inner = ResourceSet::new(device.block_pool());
    inner.insert(&Arc::new(1u32));
    let inner = Arc::new(std::sync::Mutex::new(inner));
    let mut outer = ResourceSet::new(device.block_pool());
    outer.insert(&inner);
    drop(inner);
    drop(outer);
    assert_eq!(device.block_pool().usage().used, 0);
}
