//! Owned memory: on the device, on the host, registered, from a pool.

use std::fmt;
use std::marker::PhantomData;
use std::ptr::NonNull;

use crate::stream::Issue;
use crate::{
    Code, Context, DevicePtr, Error, HostMallocFlags, MemPoolAttribute, MemPoolHandle, Result,
};

/// Host bytes that the device can write too. They are read and written by
/// copying, never borrowed as a slice: the device does not respect borrows.
#[derive(Clone, Copy)]
pub struct HostView<'a> {
    ptr: NonNull<u8>,
    bytes: u64,
    owner: PhantomData<&'a ()>,
}

impl HostView<'_> {
    /// Length in bytes.
    pub fn len(&self) -> u64 {
        self.bytes
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// The host address of the first byte.
    pub fn as_ptr(&self) -> NonNull<u8> {
        self.ptr
    }

    /// Copies out `dst.len()` bytes from `offset`.
    pub fn read(&self, offset: u64, dst: &mut [u8]) -> Result<()> {
        let src = self.range(offset, dst.len())?;
        // SAFETY: `range` checked the bounds; the owner keeps the memory
        // alive; `dst` is exclusive and so does not overlap it.
        unsafe { std::ptr::copy_nonoverlapping(src.as_ptr(), dst.as_mut_ptr(), dst.len()) };
        Ok(())
    }

    /// Copies in `src` at `offset`.
    pub fn write(&self, offset: u64, src: &[u8]) -> Result<()> {
        let dst = self.range(offset, src.len())?;
        // SAFETY: `range` checked the bounds; the owner keeps the memory
        // alive; a Rust slice never points into it.
        unsafe { std::ptr::copy_nonoverlapping(src.as_ptr(), dst.as_ptr(), src.len()) };
        Ok(())
    }

    /// Copies `bytes` from `source_offset` of `source` to `offset`; the ranges may overlap.
    pub fn copy_from(
        &self,
        offset: u64,
        source: &HostView<'_>,
        source_offset: u64,
        bytes: usize,
    ) -> Result<()> {
        let dst = self.range(offset, bytes)?;
        let src = source.range(source_offset, bytes)?;
        // SAFETY: both ranges are in bounds of live memory.
        unsafe { std::ptr::copy(src.as_ptr(), dst.as_ptr(), bytes) };
        Ok(())
    }

    /// Writes `pattern` over and over into `bytes` bytes from `offset`.
    pub fn fill(&self, offset: u64, bytes: usize, pattern: &[u8]) -> Result<()> {
        if pattern.is_empty() || !bytes.is_multiple_of(pattern.len()) {
            return Err(Error::new(Code::INVALID_VALUE, "host fill"));
        }
        let dst = self.range(offset, bytes)?.as_ptr();
        let mut filled = pattern.len().min(bytes);
        // SAFETY: `range` checked the bounds; a Rust slice never points there.
        unsafe { std::ptr::copy_nonoverlapping(pattern.as_ptr(), dst, filled) };
        // What is filled is the pattern for twice as much.
        while filled < bytes {
            let more = filled.min(bytes - filled);
            // SAFETY: as above; source and target touch but do not overlap.
            unsafe { std::ptr::copy_nonoverlapping(dst, dst.add(filled), more) };
            filled += more;
        }
        Ok(())
    }

    fn range(&self, offset: u64, bytes: usize) -> Result<NonNull<u8>> {
        match offset.checked_add(bytes as u64) {
            // SAFETY: in bounds of one allocation.
            Some(end) if end <= self.bytes => Ok(unsafe { self.ptr.add(offset as usize) }),
            _ => Err(Error::with_detail(
                Code::INVALID_VALUE,
                "host access",
                format!("{bytes} bytes at offset {offset} of {}", self.bytes),
            )),
        }
    }
}

/// Owned device memory.
pub struct DeviceMemory {
    context: Context,
    ptr: DevicePtr,
    bytes: u64,
    managed: bool,
}

impl DeviceMemory {
    /// `hipMalloc`: memory of the device, `bytes` > 0, uninitialised.
    pub fn new(context: &Context, bytes: u64) -> Result<Self> {
        let ptr = context.enter()?.api().malloc(bytes)?;
        Ok(Self {
            context: context.clone(),
            ptr,
            bytes,
            managed: false,
        })
    }

    /// `hipMallocManaged`: memory that moves between device and host.
    pub fn managed(context: &Context, bytes: u64) -> Result<Self> {
        let ptr = context.enter()?.api().malloc_managed(bytes)?;
        Ok(Self {
            context: context.clone(),
            ptr,
            bytes,
            managed: true,
        })
    }

    /// Address of the first byte.
    pub fn device_ptr(&self) -> DevicePtr {
        self.ptr
    }

    /// Length in bytes.
    pub fn len(&self) -> u64 {
        self.bytes
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// The bytes as the host sees them, if it does (managed memory).
    pub fn host(&self) -> Option<HostView<'_>> {
        if !self.managed {
            return None;
        }
        Some(HostView {
            ptr: NonNull::new(self.ptr.0 as *mut u8)?,
            bytes: self.bytes,
            owner: PhantomData,
        })
    }

    /// Copies `src` to `offset`; returns when the bytes have been taken.
    pub fn write(&self, offset: u64, src: &[u8]) -> Result<()> {
        self.check(offset, src.len())?;
        self.context
            .enter()?
            .api()
            .memcpy_htod(self.ptr.offset(offset), src)
    }

    /// Copies out `dst.len()` bytes from `offset`.
    pub fn read(&self, offset: u64, dst: &mut [u8]) -> Result<()> {
        self.check(offset, dst.len())?;
        self.context
            .enter()?
            .api()
            .memcpy_dtoh(dst, self.ptr.offset(offset))
    }

    fn check(&self, offset: u64, bytes: usize) -> Result<()> {
        match offset.checked_add(bytes as u64) {
            Some(end) if end <= self.bytes => Ok(()),
            _ => Err(Error::with_detail(
                Code::INVALID_VALUE,
                "hipMemcpy",
                format!("{bytes} bytes at offset {offset} of {}", self.bytes),
            )),
        }
    }
}

impl fmt::Debug for DeviceMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceMemory({:?}, {} bytes)", self.ptr, self.bytes)
    }
}

impl Drop for DeviceMemory {
    fn drop(&mut self) {
        // SAFETY: owned, and freed only here.
        self.context.release(|api| unsafe { api.free(self.ptr) });
    }
}

/// Owned page-locked host memory that the device can access.
pub struct HostMemory {
    context: Context,
    ptr: NonNull<u8>,
    device_ptr: DevicePtr,
    bytes: u64,
}

// SAFETY: the memory is owned by the value, not tied to a thread, and reached
// only through copying accessors.
unsafe impl Send for HostMemory {}
// SAFETY: as above; shared access copies bytes, whose order against the device
// and other threads is the program's business as with any device memory.
unsafe impl Sync for HostMemory {}

impl HostMemory {
    /// `hipHostMalloc(Mapped | flags)`; `bytes` > 0, uninitialised by HIP.
    pub fn new(context: &Context, bytes: u64, flags: HostMallocFlags) -> Result<Self> {
        let scope = context.enter()?;
        let ptr = scope
            .api()
            .host_malloc(bytes, flags | HostMallocFlags::MAPPED)?;
        // SAFETY: just allocated, live.
        match unsafe { scope.api().host_device_pointer(ptr) } {
            Ok(device_ptr) => Ok(Self {
                context: context.clone(),
                ptr,
                device_ptr,
                bytes,
            }),
            Err(error) => {
                drop(scope);
                // SAFETY: just allocated, and not kept.
                context.release(|api| unsafe { api.host_free(ptr) });
                Err(error)
            }
        }
    }

    /// Address of the first byte as the device sees it.
    pub fn device_ptr(&self) -> DevicePtr {
        self.device_ptr
    }

    /// The bytes as the host sees them.
    pub fn host(&self) -> HostView<'_> {
        HostView {
            ptr: self.ptr,
            bytes: self.bytes,
            owner: PhantomData,
        }
    }
}

impl fmt::Debug for HostMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HostMemory({:?}, {} bytes)", self.ptr, self.bytes)
    }
}

impl Drop for HostMemory {
    fn drop(&mut self) {
        // SAFETY: owned, and freed only here.
        self.context
            .release(|api| unsafe { api.host_free(self.ptr) });
    }
}

/// Memory of the caller's, lent to us with a way to give it back.
pub struct HostRegion {
    ptr: NonNull<u8>,
    bytes: u64,
    release: Option<Box<dyn FnOnce() + Send>>,
}

// SAFETY: whoever made the region promised that it is not tied to a thread.
unsafe impl Send for HostRegion {}
// SAFETY: as for `HostMemory`: shared access copies bytes.
unsafe impl Sync for HostRegion {}

impl HostRegion {
    /// Takes `bytes` bytes at `ptr`; `release` is called exactly once, when we
    /// no longer touch them.
    ///
    /// # Safety
    ///
    /// The memory is readable and writable from any thread until `release` is
    /// called (or for ever, without one), and no reference to it exists.
    pub unsafe fn from_raw(
        ptr: NonNull<u8>,
        bytes: u64,
        release: Option<Box<dyn FnOnce() + Send>>,
    ) -> Self {
        Self {
            ptr,
            bytes,
            release,
        }
    }

    /// Takes a vector; it is dropped at the end.
    pub fn from_vec(mut vec: Vec<u8>) -> Self {
        let bytes = vec.len() as u64;
        let ptr = NonNull::new(vec.as_mut_ptr()).expect("a vector's pointer is never null");
        Self {
            ptr,
            bytes,
            release: Some(Box::new(move || drop(vec))),
        }
    }

    /// Calls `notify` too, once, after the memory was given back.
    #[must_use]
    pub fn on_release(mut self, notify: impl FnOnce() + Send + 'static) -> Self {
        let release = self.release.take();
        self.release = Some(Box::new(move || {
            if let Some(release) = release {
                release();
            }
            notify();
        }));
        self
    }

    /// Length in bytes.
    pub fn len(&self) -> u64 {
        self.bytes
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }
}

impl Drop for HostRegion {
    fn drop(&mut self) {
        if let Some(release) = self.release.take() {
            release();
        }
    }
}

/// Host memory of the caller's, registered with the device. Dropping it
/// unregisters the memory, then gives it back.
pub struct HostRegistration {
    context: Context,
    region: HostRegion,
    device_ptr: DevicePtr,
}

impl HostRegistration {
    /// `hipHostRegister(Mapped)`. A failure gives the region back to the caller's release.
    pub fn new(context: &Context, region: HostRegion) -> Result<Self> {
        let scope = context.enter()?;
        let api = scope.api();
        // SAFETY: the region is valid until its release, which we own.
        unsafe { api.host_register(region.ptr, region.bytes, HostMallocFlags::MAPPED)? };
        // SAFETY: just registered.
        match unsafe { api.host_device_pointer(region.ptr) } {
            Ok(device_ptr) => Ok(Self {
                context: context.clone(),
                region,
                device_ptr,
            }),
            Err(error) => {
                drop(scope);
                // SAFETY: registered above, and not kept.
                context.release(|api| unsafe { api.host_unregister(region.ptr) });
                Err(error)
            }
        }
    }

    /// Address of the first byte as the device sees it.
    pub fn device_ptr(&self) -> DevicePtr {
        self.device_ptr
    }

    /// The bytes as the host sees them.
    pub fn host(&self) -> HostView<'_> {
        HostView {
            ptr: self.region.ptr,
            bytes: self.region.bytes,
            owner: PhantomData,
        }
    }
}

impl fmt::Debug for HostRegistration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "HostRegistration({:?}, {} bytes)",
            self.region.ptr, self.region.bytes
        )
    }
}

impl Drop for HostRegistration {
    fn drop(&mut self) {
        // SAFETY: registered once in `new`; the region is released after this.
        self.context
            .release(|api| unsafe { api.host_unregister(self.region.ptr) });
    }
}

/// An owned stream-ordered memory pool.
pub struct MemPool {
    context: Context,
    handle: MemPoolHandle,
}

impl MemPool {
    /// A pool of device memory that keeps at least `release_threshold` bytes.
    pub fn new(context: &Context, release_threshold: u64) -> Result<Self> {
        let scope = context.enter()?;
        let handle = scope.api().mem_pool_create(context.device().handle())?;
        let pool = Self {
            context: context.clone(),
            handle,
        };
        drop(scope);
        pool.set_attribute(MemPoolAttribute::ReleaseThreshold, release_threshold)?;
        Ok(pool)
    }

    /// Allocates in the order of the issuing stream: usable by its later work at once.
    pub fn allocate(&self, issue: &Issue<'_>, bytes: u64) -> Result<PoolMemory> {
        // SAFETY: pool and stream are live.
        let ptr = unsafe {
            issue
                .api()
                .malloc_from_pool_async(bytes, self.handle, issue.stream().handle())?
        };
        Ok(PoolMemory {
            context: self.context.clone(),
            ptr,
            bytes,
        })
    }

    /// Returns free memory to the system, keeping at least `bytes`.
    pub fn trim_to(&self, bytes: u64) -> Result<()> {
        // SAFETY: the pool is owned by `self`.
        unsafe {
            self.context
                .enter()?
                .api()
                .mem_pool_trim_to(self.handle, bytes)
        }
    }

    /// One attribute, in bytes.
    pub fn attribute(&self, attribute: MemPoolAttribute) -> Result<u64> {
        let scope = self.context.enter()?;
        // SAFETY: the pool is owned by `self`.
        unsafe { scope.api().mem_pool_attribute(self.handle, attribute) }
    }

    fn set_attribute(&self, attribute: MemPoolAttribute, value: u64) -> Result<()> {
        let scope = self.context.enter()?;
        // SAFETY: the pool is owned by `self`.
        unsafe {
            scope
                .api()
                .mem_pool_set_attribute(self.handle, attribute, value)
        }
    }
}

impl fmt::Debug for MemPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemPool({:#x})", self.handle.0)
    }
}

impl Drop for MemPool {
    fn drop(&mut self) {
        // SAFETY: owned, and destroyed only here.
        self.context
            .release(|api| unsafe { api.mem_pool_destroy(self.handle) });
    }
}

/// Memory of a [`MemPool`]. Dropping it frees it at once (`hipFree`, which
/// waits for the device); [`PoolMemory::free`] frees it in stream order.
pub struct PoolMemory {
    context: Context,
    ptr: DevicePtr,
    bytes: u64,
}

impl PoolMemory {
    /// Address of the first byte.
    pub fn device_ptr(&self) -> DevicePtr {
        self.ptr
    }

    /// Length in bytes.
    pub fn len(&self) -> u64 {
        self.bytes
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// Frees in the order of the issuing stream. On failure the memory is
    /// still owned by the value handed back with the error.
    pub fn free(self, issue: &Issue<'_>) -> std::result::Result<(), (Self, crate::Error)> {
        issue.flush();
        // SAFETY: the memory is owned by `self` and the stream is live.
        match unsafe { issue.api().free_async(self.ptr, issue.stream().handle()) } {
            Ok(()) => {
                // Only a free that took place may disarm the one in `Drop`.
                let mut freed = std::mem::ManuallyDrop::new(self);
                // SAFETY: `freed` is never used or dropped again.
                unsafe { std::ptr::drop_in_place(&raw mut freed.context) };
                Ok(())
            }
            Err(error) => Err((self, error)),
        }
    }
}

impl fmt::Debug for PoolMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PoolMemory({:?}, {} bytes)", self.ptr, self.bytes)
    }
}

impl Drop for PoolMemory {
    fn drop(&mut self) {
        // SAFETY: owned, and freed only here or in `free`.
        self.context.release(|api| unsafe { api.free(self.ptr) });
    }
}
