//! Memory, and pools of it.

use std::collections::HashMap;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use amdgpu::{AllocationKind, Gpu};

use super::Software;
use super::stream::{Command, Point, Stream};
use crate::{Code, DevicePtr, Error, MemPoolAttribute, MemPoolHandle, Result};

pub(super) fn alloc(
    provider: &Software,
    bytes: u64,
    kind: AllocationKind,
    call: &'static str,
) -> Result<DevicePtr> {
    if bytes == 0 {
        return Err(Error::with_detail(
            Code::INVALID_VALUE,
            call,
            "zero bytes asked for",
        ));
    }
    if let Ok(address) = provider.gpu.memory().alloc(bytes, kind) {
        return Ok(DevicePtr(address));
    }
    // What pools hold for later may be enough, some of it after pending work.
    provider.drain();
    provider.pools.release_free(0);
    match provider.gpu.memory().alloc(bytes, kind) {
        Ok(address) => Ok(DevicePtr(address)),
        Err(error) => Err(Error::with_detail(
            Code::OUT_OF_MEMORY,
            call,
            error.to_string(),
        )),
    }
}

/// Frees at once, after all work of the device; memory of a pool returns to it.
pub(super) fn free(provider: &Software, address: u64, call: &'static str) -> Result<()> {
    provider.drain();
    if let Some((pool, block)) = provider.pools.take(address) {
        provider.gpu.memory().discard(block.address, block.bytes);
        pool.give_back(&provider.gpu, block, Point::passed());
        return Ok(());
    }
    provider
        .gpu
        .memory()
        .free(address)
        .map_err(|error| Error::with_detail(Code::INVALID_VALUE, call, error.to_string()))
}

/// Frees behind the stream's work; memory of a pool returns to it.
pub(super) fn free_async(provider: &Software, address: u64, stream: &Arc<Stream>) -> Result<()> {
    let call = "hipFreeAsync";
    let Some((pool, block)) = provider.pools.take(address) else {
        let known = provider.gpu.memory().allocation(address);
        if known.is_none_or(|allocation| allocation.base != address) {
            let detail = format!("{address:#x} is not the start of a live allocation");
            return Err(Error::with_detail(Code::INVALID_VALUE, call, detail));
        }
        return stream.submit(Command::Free(address));
    };
    // What is in it means nothing from here on, to whoever gets it next.
    let discarded = match provider.gpu.memory().is_observed() {
        true => stream.submit(Command::Discard(block.address, block.bytes)),
        false => Ok(()),
    };
    match discarded.and_then(|()| stream.record()) {
        Ok(point) => {
            pool.give_back(&provider.gpu, block, point);
            Ok(())
        }
        Err(error) => {
            provider.pools.put(pool, block);
            Err(error)
        }
    }
}

/// Unregisters host memory once nothing can be using it any more.
pub(super) fn host_unregister(provider: &Software, ptr: NonNull<u8>) -> Result<()> {
    let address = ptr.addr().get() as u64;
    provider.drain();
    provider.gpu.memory().unregister(address).map_err(|error| {
        let code = Code::HOST_MEMORY_NOT_REGISTERED;
        Error::with_detail(code, "hipHostUnregister", error.to_string())
    })?;
    // Work that came in between found it registered and may still run.
    provider.drain();
    Ok(())
}

/// The pools of a device and the memory they have handed out.
pub(super) struct Pools {
    gpu: Arc<Gpu>,
    default: Arc<Pool>,
    pools: super::Slots<Arc<Pool>>,
    handed_out: Mutex<HashMap<u64, (Arc<Pool>, Block)>>,
}

/// Stream-ordered memory: what is freed stays reserved and is handed out
/// again, to the stream that freed it at once, to others when the free has
/// been passed.
pub(super) struct Pool(Mutex<PoolState>);

#[derive(Default)]
struct PoolState {
    free: Vec<FreeBlock>,
    release_threshold: u64,
    reserved: u64,
    reserved_high: u64,
    used: u64,
    used_high: u64,
    destroyed: bool,
}

#[derive(Clone, Copy)]
pub(super) struct Block {
    address: u64,
    bytes: u64,
}

struct FreeBlock {
    block: Block,
    /// When the block was freed.
    point: Arc<Point>,
}

/// Block sizes are multiples of this.
const GRANULE: u64 = 256;
/// A free block may be this much larger than what is asked for, or by a
/// quarter: closer fits would seldom be found, looser ones waste memory.
const SLACK: u64 = 4096;

impl Pools {
    pub(super) fn new(gpu: Arc<Gpu>) -> Self {
        Self {
            gpu,
            default: Arc::new(Pool(Mutex::default())),
            pools: super::Slots::new(9, "memory pool"),
            handed_out: Mutex::default(),
        }
    }

    pub(super) fn create(&self) -> MemPoolHandle {
        MemPoolHandle(self.pools.insert(Arc::new(Pool(Mutex::default()))))
    }

    pub(super) fn destroy(&self, pool: MemPoolHandle) -> Result<()> {
        let pool = self.pools.remove(pool.0, "hipMemPoolDestroy")?;
        let free = {
            let mut state = pool.state();
            state.destroyed = true;
            std::mem::take(&mut state.free)
        };
        for FreeBlock { block, point } in free {
            // A failure of the work before is that stream's to report.
            drop(point.wait());
            pool.release(&self.gpu, block);
        }
        Ok(())
    }

    /// The default pool for no handle.
    pub(super) fn get(&self, pool: Option<MemPoolHandle>, call: &'static str) -> Result<Arc<Pool>> {
        match pool {
            Some(pool) => self.pools.get(pool.0, call),
            None => Ok(self.default.clone()),
        }
    }

    fn take(&self, address: u64) -> Option<(Arc<Pool>, Block)> {
        self.handed_out().remove(&address)
    }

    fn put(&self, pool: Arc<Pool>, block: Block) {
        self.handed_out().insert(block.address, (pool, block));
    }

    /// Gives free memory back to the device down to each pool's threshold
    /// times `keep` (0 or 1).
    pub(super) fn release_free(&self, keep: u64) {
        for pool in self.pools.all().iter().chain([&self.default]) {
            let threshold = pool.state().release_threshold;
            pool.trim_to(&self.gpu, threshold * keep);
        }
    }

    fn handed_out(&self) -> MutexGuard<'_, HashMap<u64, (Arc<Pool>, Block)>> {
        self.handed_out
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn pool_alloc(
    provider: &Software,
    pool: Option<MemPoolHandle>,
    bytes: u64,
    stream: &Stream,
    call: &'static str,
) -> Result<DevicePtr> {
    let pool = provider.pools.get(pool, call)?;
    let wanted = bytes.checked_next_multiple_of(GRANULE).unwrap_or(bytes);
    let block = match pool.reuse(wanted, stream.number()) {
        Some(block) => block,
        None => {
            let ptr = alloc(provider, wanted, AllocationKind::Device, call)?;
            let mut state = pool.state();
            state.reserved += wanted;
            state.reserved_high = state.reserved_high.max(state.reserved);
            Block {
                address: ptr.0,
                bytes: wanted,
            }
        }
    };
    {
        let mut state = pool.state();
        state.used += block.bytes;
        state.used_high = state.used_high.max(state.used);
    }
    provider.pools.put(pool, block);
    Ok(DevicePtr(block.address))
}

impl Pool {
    fn state(&self) -> MutexGuard<'_, PoolState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The best fit among the blocks that the stream may have now.
    fn reuse(&self, wanted: u64, stream: u64) -> Option<Block> {
        let mut state = self.state();
        let most = wanted.saturating_add(SLACK.max(wanted / 4));
        let fits = |free: &FreeBlock| {
            (wanted..=most).contains(&free.block.bytes)
                && (free.point.stream() == stream || free.point.is_passed())
        };
        let (index, _) = state
            .free
            .iter()
            .enumerate()
            .filter(|(_, free)| fits(free))
            .min_by_key(|(_, free)| free.block.bytes)?;
        Some(state.free.swap_remove(index).block)
    }

    fn give_back(&self, gpu: &Gpu, block: Block, point: Arc<Point>) {
        let mut state = self.state();
        state.used -= block.bytes;
        if !state.destroyed {
            state.free.push(FreeBlock { block, point });
            return;
        }
        drop(state);
        // The last of a destroyed pool: nobody will come for it again.
        drop(point.wait());
        self.release(gpu, block);
    }

    fn release(&self, gpu: &Gpu, block: Block) {
        self.state().reserved -= block.bytes;
        let freed = gpu.memory().free(block.address);
        debug_assert!(freed.is_ok(), "a pool's own block: {freed:?}");
    }

    /// Returns free memory to the device until at most `bytes` are reserved.
    /// Memory whose free has not been passed stays.
    pub(super) fn trim_to(&self, gpu: &Gpu, bytes: u64) {
        loop {
            let mut state = self.state();
            if state.reserved <= bytes {
                return;
            }
            let passed = state.free.iter().position(|free| free.point.is_passed());
            let Some(index) = passed else { return };
            let block = state.free.swap_remove(index).block;
            drop(state);
            self.release(gpu, block);
        }
    }

    pub(super) fn attribute(&self, attribute: MemPoolAttribute) -> u64 {
        let state = self.state();
        match attribute {
            MemPoolAttribute::ReleaseThreshold => state.release_threshold,
            MemPoolAttribute::ReservedMemCurrent => state.reserved,
            MemPoolAttribute::ReservedMemHigh => state.reserved_high,
            MemPoolAttribute::UsedMemCurrent => state.used,
            MemPoolAttribute::UsedMemHigh => state.used_high,
        }
    }

    /// Sets the threshold, or resets a high-water mark to what it is now.
    pub(super) fn set_attribute(&self, attribute: MemPoolAttribute, value: u64) -> Result<()> {
        let mut state = self.state();
        match (attribute, value) {
            (MemPoolAttribute::ReleaseThreshold, _) => state.release_threshold = value,
            (MemPoolAttribute::ReservedMemHigh, 0) => state.reserved_high = state.reserved,
            (MemPoolAttribute::UsedMemHigh, 0) => state.used_high = state.used,
            _ => {
                let detail = format!("{attribute:?} cannot be set to {value}");
                let call = "hipMemPoolSetAttribute";
                return Err(Error::with_detail(Code::INVALID_VALUE, call, detail));
            }
        }
        Ok(())
    }
}
