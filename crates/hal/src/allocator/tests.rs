//! Memory: where it comes from, where it goes, and what fails.

use std::sync::atomic::AtomicUsize;

use hip::{DeviceAttribute, Event, FaultPlan};

use std::sync::atomic::Ordering;

use super::*;
use crate::testing::{counted_device, device_over, fail_every_call, null_device, null_device_with};
use crate::{Device, DeviceParams, StatusCode};

const MANAGED: MemoryType = MemoryType::DEVICE_LOCAL.union(MemoryType::HOST_VISIBLE);
const HOST: MemoryType = MemoryType::HOST_LOCAL.union(MemoryType::DEVICE_VISIBLE);

fn params(memory_type: MemoryType, usage: BufferUsage) -> BufferParams {
    BufferParams {
        memory_type,
        usage,
        ..BufferParams::default()
    }
}

fn without_managed_access() -> Device {
    null_device_with(DeviceAttribute::ConcurrentManagedAccess, 0)
}

#[test]
fn heaps_are_three_or_four() {
    let types = |device: &Device| -> Vec<_> {
        let heaps = device.allocator().memory_heaps();
        assert!(heaps.iter().all(|heap| heap.min_alignment == 64));
        assert!(
            heaps
                .iter()
                .all(|heap| heap.max_allocation_size == u64::MAX)
        );
        heaps
            .iter()
            .map(|heap| {
                let mapped = heap.allowed_usage.contains(MAPPING_USAGES);
                (heap.memory_type, mapped)
            })
            .collect()
    };
    let device_local = (MemoryType::DEVICE_LOCAL, false);
    let managed = (MANAGED | MemoryType::HOST_COHERENT, true);
    let upload = (HOST, true);
    let download = (HOST | MemoryType::HOST_CACHED, true);
    assert_eq!(
        types(&null_device()),
        [device_local, managed, upload, download]
    );
    assert_eq!(
        types(&without_managed_access()),
        [device_local, upload, download]
    );
}

#[test]
fn compatibility_says_what_a_buffer_can_do() {
    use BufferCompatibility as C;
    let device = null_device();
    let query = |memory_type, usage| {
        let params = params(memory_type, usage);
        device.allocator().query_compatibility(&params, 16).0
    };
    let local = MemoryType::DEVICE_LOCAL;
    let both = C::ALLOCATABLE | C::IMPORTABLE | C::EXPORTABLE;
    assert_eq!(
        query(local, BufferUsage::empty()),
        both | C::QUEUE_TRANSFER | C::QUEUE_DISPATCH
    );
    assert_eq!(
        query(local, BufferUsage::TRANSFER_SOURCE),
        both | C::QUEUE_TRANSFER
    );
    for usage in [
        BufferUsage::DISPATCH_INDIRECT_PARAMS,
        BufferUsage::DISPATCH_UNIFORM_READ,
        BufferUsage::DISPATCH_STORAGE_WRITE,
        BufferUsage::DISPATCH_IMAGE_READ,
    ] {
        assert_eq!(query(local, usage), both | C::QUEUE_DISPATCH, "{usage:?}");
    }
    assert_eq!(
        query(MemoryType::HOST_LOCAL, BufferUsage::TRANSFER),
        C::ALLOCATABLE
    );
    let slow = query(MANAGED, BufferUsage::TRANSFER);
    assert!(slow.contains(C::LOW_PERFORMANCE | C::QUEUE_TRANSFER));
}

#[test]
fn memory_types_resolve_to_what_the_device_has() {
    let mapping = BufferUsage::DEFAULT | BufferUsage::MAPPING;
    let optional = mapping | BufferUsage::MAPPING_OPTIONAL;
    let none = BufferUsage::DEFAULT;
    let managed = MANAGED | MemoryType::HOST_COHERENT;
    let local = MemoryType::DEVICE_LOCAL;
    let optimal = MemoryType::OPTIMAL;
    let (with, without) = (null_device(), without_managed_access());
    // Asked for, usage, with concurrent managed access, without it.
    for (asked, usage, expected, expected_without) in [
        (local, none, local, local),
        (local | optimal, none, local, local),
        (optimal, none, local, local),
        (MemoryType::empty(), none, local, local),
        (optimal, mapping, HOST, HOST),
        (local, mapping, managed, HOST),
        (local, optional, local, local),
        (MANAGED, none, managed, HOST),
        (MANAGED, optional, managed, HOST),
        (HOST, mapping, HOST, HOST),
        (
            MemoryType::DEVICE_VISIBLE,
            none,
            MemoryType::DEVICE_VISIBLE,
            MemoryType::DEVICE_VISIBLE,
        ),
        (MemoryType::DEVICE_VISIBLE, mapping, HOST, HOST),
    ] {
        for (device, expected) in [(&with, expected), (&without, expected_without)] {
            let params = params(asked, usage);
            let (compatibility, resolved, _) = device.allocator().query_compatibility(&params, 16);
            assert_eq!(resolved.memory_type, expected, "{asked:?} {usage:?}");
            let managed = (asked | expected).contains(MANAGED);
            let slow = compatibility.contains(BufferCompatibility::LOW_PERFORMANCE);
            let degraded = expected == HOST && asked.contains(local);
            assert_eq!(slow, managed || degraded, "{asked:?} {usage:?}");
            let buffer = device.allocator().allocate(&params, 16).unwrap();
            assert!(buffer.memory_type().contains(expected));
            assert_eq!(buffer.allowed_usage(), resolved.usage);
        }
    }
}

#[test]
fn empty_fields_get_the_usual() {
    let device = null_device();
    let (_, resolved, size) = device
        .allocator()
        .query_compatibility(&BufferParams::default(), 0);
    assert_eq!(resolved.usage, BufferUsage::DEFAULT);
    assert_eq!(resolved.access, MemoryAccess::ALL);
    assert_eq!(resolved.queue_affinity, u64::MAX);
    assert_eq!(size, 4);
    let buffer = device
        .allocator()
        .allocate(&BufferParams::default(), 0)
        .unwrap();
    assert_eq!(buffer.byte_length(), 4);
    assert_eq!(buffer.allocation().byte_size(), 4);
    let local = BufferParams::device_local();
    let smallest = device.allocator().allocate(&local, 1).unwrap();
    assert_eq!(smallest.byte_length(), 1);
}

#[test]
fn each_memory_type_has_its_call_and_its_free() {
    let cached = HOST | MemoryType::HOST_CACHED;
    for (memory_type, kind, make, free) in [
        (
            MemoryType::DEVICE_LOCAL,
            BufferKind::Device,
            "hipMalloc",
            "hipFree",
        ),
        (MANAGED, BufferKind::Device, "hipMallocManaged", "hipFree"),
        (HOST, BufferKind::Host, "hipHostMalloc", "hipHostFree"),
        (cached, BufferKind::Host, "hipHostMalloc", "hipHostFree"),
    ] {
        let (device, plan) = counted_device();
        let params = params(memory_type, BufferUsage::DEFAULT);
        let buffer = device.allocator().allocate(&params, 1000).unwrap();
        assert_eq!(buffer.allocation().kind(), kind);
        assert_eq!(plan.calls_of(make), 1, "{memory_type:?}");
        let prefetched = plan.calls_of("hipMemPrefetchAsync");
        assert_eq!(prefetched, u64::from(memory_type == MANAGED));
        drop(buffer);
        assert_eq!(plan.calls_of(free), 1, "{memory_type:?}");
    }
}

#[test]
fn host_memory_is_write_combined_unless_it_is_read() {
    let sink = hip::TraceSink::new();
    let api = hip::trace(hip::null(), sink.clone());
    let device = device_over(&api, DeviceParams::default()).unwrap();
    let line = |memory_type| {
        sink.take();
        let params = params(memory_type, BufferUsage::DEFAULT);
        device.allocator().allocate(&params, 64).unwrap();
        let lines = sink.take();
        lines
            .into_iter()
            .find(|line| line.starts_with("hipHostMalloc("))
            .unwrap()
    };
    let (upload, download) = (line(HOST), line(HOST | MemoryType::HOST_CACHED));
    assert!(upload.to_lowercase().contains("combined"), "{upload}");
    assert!(!download.to_lowercase().contains("combined"), "{download}");
}

#[test]
fn out_of_memory_says_how_much_of_what() {
    let device = null_device();
    let status = device
        .allocator()
        .allocate(&BufferParams::device_local(), 1 << 50)
        .unwrap_err();
    assert_eq!(status.code(), StatusCode::ResourceExhausted);
    let text = format!("{status:#}");
    assert!(text.contains("1125899906842624 bytes"), "{text}");
    assert!(text.contains("hipMalloc failed"), "{text}");
}

#[test]
fn allocation_survives_every_fault() {
    for memory_type in [MemoryType::DEVICE_LOCAL, MANAGED, HOST] {
        fail_every_call(|api| {
            let device = device_over(api, DeviceParams::default())?;
            let params = params(memory_type, BufferUsage::DEFAULT);
            let buffer = device.allocator().allocate(&params, 64)?;
            device.allocator().statistics()?;
            drop(buffer);
            device.allocator().allocate(&params, 64)?;
            device.trim()
        });
    }
}

/// A vector whose release is counted.
fn region(bytes: usize, releases: &Arc<AtomicUsize>) -> HostRegion {
    struct Counted(Arc<AtomicUsize>);
    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::AcqRel);
        }
    }
    let counted = Counted(releases.clone());
    HostRegion::from_vec(vec![0xAB; bytes]).on_release(move || drop(counted))
}

#[test]
fn imported_host_memory_is_unregistered_and_given_back_once() {
    let (device, plan) = counted_device();
    let releases = Arc::new(AtomicUsize::new(0));
    let params = BufferParams::host_visible();
    for round in 1..=2 {
        let external = ExternalBuffer::HostAllocation(region(4096, &releases));
        let buffer = device.allocator().import(&params, external).unwrap();
        assert_eq!(buffer.allocation().kind(), BufferKind::HostRegistered);
        assert_eq!(buffer.byte_length(), 4096);
        let mut byte = [0];
        buffer.map_read(4095, &mut byte).unwrap();
        assert_eq!(byte, [0xAB]);
        let view = buffer.subspan(1, 2).unwrap();
        drop(buffer);
        assert_eq!(releases.load(Ordering::Acquire), round - 1);
        drop(view);
        assert_eq!(releases.load(Ordering::Acquire), round);
        assert_eq!(plan.calls_of("hipHostUnregister"), round as u64);
    }
    // Without anybody to tell, it is unregistered all the same.
    let external = ExternalBuffer::HostAllocation(HostRegion::from_vec(vec![0; 64]));
    drop(device.allocator().import(&params, external).unwrap());
    assert_eq!(plan.calls_of("hipHostUnregister"), 3);
}

#[test]
fn a_failed_import_gives_the_memory_back_once() {
    let (device, plan) = counted_device();
    let import = |params: &BufferParams, external| {
        device
            .allocator()
            .import(params, external)
            .unwrap_err()
            .code()
    };
    let releases = Arc::new(AtomicUsize::new(0));
    let host = |bytes| ExternalBuffer::HostAllocation(region(bytes, &releases));
    let visible = BufferParams::host_visible();
    let local = BufferParams::device_local();
    let host_only = params(MemoryType::HOST_LOCAL, BufferUsage::TRANSFER);
    assert_eq!(import(&local, host(64)), StatusCode::InvalidArgument);
    assert_eq!(import(&host_only, host(64)), StatusCode::InvalidArgument);
    assert_eq!(import(&visible, host(0)), StatusCode::InvalidArgument);
    assert_eq!(releases.load(Ordering::Acquire), 3);
    assert_eq!(plan.calls_of("hipHostRegister"), 0);
    for (call, given_back) in [("hipHostRegister", 4), ("hipHostGetDevicePointer", 5)] {
        plan.arm_named(call, 0, hip::Code::HOST_MEMORY_ALREADY_REGISTERED);
        assert_eq!(import(&visible, host(64)), StatusCode::AlreadyExists);
        assert_eq!(releases.load(Ordering::Acquire), given_back);
    }
    assert_eq!(plan.calls_of("hipHostUnregister"), 1);

    let released = releases.clone();
    let device_memory = |address| {
        let released = released.clone();
        let region = DeviceRegion::new(DevicePtr(address), 64).on_release(move || {
            released.fetch_add(1, Ordering::AcqRel);
        });
        ExternalBuffer::DeviceAllocation(region)
    };
    assert_eq!(
        import(&local, device_memory(0)),
        StatusCode::InvalidArgument
    );
    // Nobody can map memory whose host address is not known.
    assert_eq!(
        import(&visible, device_memory(64)),
        StatusCode::InvalidArgument
    );
    assert_eq!(
        import(&host_only, device_memory(64)),
        StatusCode::InvalidArgument
    );
    assert_eq!(releases.load(Ordering::Acquire), 8);
}

#[test]
fn import_survives_every_fault() {
    fail_every_call(|api| {
        let device = device_over(api, DeviceParams::default())?;
        let releases = Arc::new(AtomicUsize::new(0));
        let external = ExternalBuffer::HostAllocation(region(64, &releases));
        let result = device
            .allocator()
            .import(&BufferParams::host_visible(), external);
        let result = result.map(drop);
        assert_eq!(releases.load(Ordering::Acquire), 1);
        result
    });
}

#[test]
fn device_memory_of_others_is_wrapped_and_given_back() {
    let (device, plan) = counted_device();
    let local = BufferParams::device_local();
    let owner = device.allocator().allocate(&local, 256).unwrap();
    let ptr = owner.device_ptr().unwrap();
    let released = Arc::new(AtomicUsize::new(0));
    let notify = released.clone();
    let region = DeviceRegion::new(ptr.offset(64), 128).on_release(move || {
        notify.fetch_add(1, Ordering::AcqRel);
    });
    let external = ExternalBuffer::DeviceAllocation(region);
    let buffer = device.allocator().import(&local, external).unwrap();
    assert_eq!(buffer.allocation().kind(), BufferKind::External);
    assert_eq!(buffer.device_ptr().unwrap(), ptr.offset(64));
    assert!(buffer.overlaps(0, 1, &owner, 64, 1), "the same bytes");
    assert!(!buffer.overlaps(0, 1, &owner, 65, 1));
    let frees = plan.calls_of("hipFree");
    drop(buffer);
    assert_eq!(released.load(Ordering::Acquire), 1);
    assert_eq!(plan.calls_of("hipFree"), frees);
}

#[test]
fn handles_of_the_system_are_not_imported() {
    let device = null_device();
    for external in [
        ExternalBuffer::OpaqueFd {
            fd: 3,
            byte_size: 64,
        },
        ExternalBuffer::OpaqueWin32 {
            handle: 3,
            byte_size: 64,
        },
    ] {
        let result = device
            .allocator()
            .import(&BufferParams::device_local(), external);
        assert_eq!(result.unwrap_err().code(), StatusCode::Unimplemented);
    }
}

#[test]
fn device_memory_is_exported_by_address() {
    let device = null_device();
    let allocator = device.allocator();
    let kind = ExternalBufferKind::DeviceAllocation;
    let local = allocator
        .allocate(&BufferParams::device_local(), 256)
        .unwrap();
    let exported = allocator
        .export(&local.subspan(64, 64).unwrap(), kind, 5)
        .unwrap();
    assert_eq!(exported.ptr, local.device_ptr().unwrap());
    assert_eq!((exported.byte_size, exported.flags), (256, 5));

    let region = DeviceRegion::new(exported.ptr, exported.byte_size);
    let external = ExternalBuffer::DeviceAllocation(region);
    let imported = allocator.import(&BufferParams::device_local(), external);
    let again = allocator.export(&imported.unwrap(), kind, 0).unwrap();
    assert_eq!(again.ptr, exported.ptr);

    let host = allocator
        .allocate(&BufferParams::host_visible(), 64)
        .unwrap();
    let code = |buffer, kind| allocator.export(buffer, kind, 0).unwrap_err().code();
    assert_eq!(code(&host, kind), StatusCode::Unavailable);
    for kind in [
        ExternalBufferKind::HostAllocation,
        ExternalBufferKind::OpaqueFd,
        ExternalBufferKind::OpaqueWin32,
    ] {
        assert_eq!(code(&local, kind), StatusCode::Unavailable);
    }
}

#[test]
fn statistics_count_live_memory_and_its_peak() {
    let device = null_device();
    let allocator = device.allocator();
    let local = BufferParams::device_local();
    let a = allocator.allocate(&local, 100).unwrap();
    let b = allocator.allocate(&local, 50).unwrap();
    let host = allocator
        .allocate(&BufferParams::host_visible(), 30)
        .unwrap();
    drop((a, host));
    let c = allocator.allocate(&local, 10).unwrap();
    let expected = AllocatorStatistics {
        host_bytes_allocated: 30,
        host_bytes_freed: 30,
        host_bytes_peak: 30,
        device_bytes_allocated: 160,
        device_bytes_freed: 100,
        device_bytes_peak: 150,
    };
    assert_eq!(allocator.statistics().unwrap(), expected);
    drop((b, c));
    assert_eq!(allocator.statistics().unwrap().device_bytes_freed, 160);
}

#[test]
fn statistics_of_pools_add_to_those_of_the_allocator() {
    let device = null_device();
    let allocator = device.allocator();
    let _unpooled = allocator
        .allocate(&BufferParams::device_local(), 1000)
        .unwrap();
    let pooled = allocator
        .reserve(&BufferParams::device_local(), 100)
        .unwrap();
    let other = allocator
        .reserve(
            &params(MemoryType::DEVICE_VISIBLE, BufferUsage::DEFAULT),
            10,
        )
        .unwrap();
    let stream = Stream::new(device.context()).unwrap();
    let issue = stream.issue().unwrap();
    for buffer in [&pooled, &other] {
        buffer.allocation().pool().unwrap().commit(&issue).unwrap();
    }
    pooled.allocation().pool().unwrap().free(&issue).unwrap();
    let statistics = allocator.statistics().unwrap();
    assert_eq!(statistics.device_bytes_allocated, 1110);
    assert_eq!(statistics.device_bytes_freed, 100);
    let [local, rest] = allocator.pool_statistics().unwrap().unwrap();
    assert_eq!((local.bytes_allocated, local.bytes_freed), (100, 100));
    assert_eq!((rest.bytes_allocated, rest.bytes_freed), (10, 0));
}

#[test]
fn reserved_memory_comes_and_goes_with_the_queue() {
    let (device, plan) = counted_device();
    let buffer = device
        .allocator()
        .reserve(&BufferParams::device_local(), 64)
        .unwrap();
    assert_eq!(buffer.allocation().kind(), BufferKind::Async);
    assert_eq!(plan.calls_of("hipMallocFromPoolAsync"), 0);
    let code = |result: Result<DevicePtr>| result.unwrap_err().code();
    assert_eq!(code(buffer.device_ptr()), StatusCode::FailedPrecondition);
    let view = buffer.subspan(16, 16).unwrap();
    let stream = Stream::new(device.context()).unwrap();
    let issue = stream.issue().unwrap();
    let pool = buffer.allocation().pool().unwrap();
    let early = pool.free(&issue).unwrap_err();
    assert_eq!(early.code(), StatusCode::FailedPrecondition);
    pool.commit(&issue).unwrap();
    assert_eq!(view.device_ptr().unwrap(), buffer.device_ptr().unwrap());
    let twice = pool.commit(&issue).unwrap_err();
    assert_eq!(twice.code(), StatusCode::FailedPrecondition);
    pool.free(&issue).unwrap();
    assert_eq!(code(view.device_ptr()), StatusCode::FailedPrecondition);
    let twice = pool.free(&issue).unwrap_err();
    assert_eq!(twice.code(), StatusCode::FailedPrecondition);
    let frees = plan.calls_of("hipFree");
    drop(issue);
    drop((buffer, view));
    assert_eq!(plan.calls_of("hipFreeAsync"), 1);
    assert_eq!(plan.calls_of("hipFree"), frees, "freed once");
}

#[test]
fn a_failed_stream_ordered_free_leaves_the_memory_owned() {
    let (device, plan) = counted_device();
    let stream = Stream::new(device.context()).unwrap();
    let live = plan.live();
    let buffer = device
        .allocator()
        .reserve(&BufferParams::device_local(), 2 << 20)
        .unwrap();
    let issue = stream.issue().unwrap();
    let pool = buffer.allocation().pool().unwrap();
    pool.commit(&issue).unwrap();
    plan.arm_named("hipFreeAsync", 0, hip::Code::INVALID_VALUE);
    let status = pool.free(&issue).unwrap_err();
    assert_eq!(status.code(), StatusCode::InvalidArgument);
    buffer.device_ptr().unwrap();
    drop(issue);
    assert_eq!(plan.live(), live + 1);
    drop(buffer);
    assert_eq!(plan.live(), live, "freed when the buffer went");
    let [local, _] = device.allocator().pool_statistics().unwrap().unwrap();
    assert_eq!(local.bytes_freed, 2 << 20);
}

#[test]
fn memory_that_could_not_be_had_keeps_saying_why() {
    let (device, plan) = counted_device();
    let reserve = || {
        device
            .allocator()
            .reserve(&BufferParams::device_local(), 64)
            .unwrap()
    };
    let buffer = reserve();
    let stream = Stream::new(device.context()).unwrap();
    let issue = stream.issue().unwrap();
    plan.arm_named("hipMallocFromPoolAsync", 0, hip::Code::OUT_OF_MEMORY);
    let pool = buffer.allocation().pool().unwrap();
    let status = pool.commit(&issue).unwrap_err();
    assert!(buffer.device_ptr().unwrap_err().ptr_eq(&status));
    assert_eq!(status.code(), StatusCode::ResourceExhausted);

    let buffer = reserve();
    let cause = Status::data_loss("the work before failed");
    buffer.allocation().pool().unwrap().fail(cause.clone());
    assert!(buffer.device_ptr().unwrap_err().ptr_eq(&cause));
}

#[test]
fn memory_for_the_host_is_not_pooled() {
    let device = null_device();
    let mapped = device
        .allocator()
        .reserve(&BufferParams::host_visible(), 64)
        .unwrap();
    assert_eq!(mapped.allocation().kind(), BufferKind::Host);
    mapped.device_ptr().unwrap();
    let params = DeviceParams {
        async_allocations: false,
        ..DeviceParams::default()
    };
    let device = device_over(&hip::null(), params).unwrap();
    let local = device
        .allocator()
        .reserve(&BufferParams::device_local(), 64)
        .unwrap();
    assert_eq!(local.allocation().kind(), BufferKind::Device);
    local.device_ptr().unwrap();
}

#[test]
fn stream_ordered_memory_survives_every_fault() {
    fail_every_call(|api| {
        let device = device_over(api, DeviceParams::default())?;
        let buffer = device
            .allocator()
            .reserve(&BufferParams::device_local(), 64)?;
        let kept = device
            .allocator()
            .reserve(&BufferParams::device_local(), 64)?;
        let stream = Stream::new(device.context())?;
        let issue = stream.issue()?;
        for buffer in [&buffer, &kept] {
            if let Some(pool) = buffer.allocation().pool() {
                pool.commit(&issue)?;
            }
        }
        if let Some(pool) = buffer.allocation().pool() {
            pool.free(&issue)?;
        }
        let event = Event::new(device.context())?;
        issue.record(&event)?;
        Ok(())
    });
}

#[test]
fn a_failed_release_is_reported_by_the_next_call() {
    let plan = FaultPlan::counting();
    let api = hip::faulty(hip::null(), &plan);
    let device = device_over(&api, DeviceParams::default()).unwrap();
    let local = BufferParams::device_local();
    let buffer = device.allocator().allocate(&local, 64).unwrap();
    plan.arm_named("hipFree", 0, hip::Code::ILLEGAL_ADDRESS);
    drop(buffer);
    let status = device.allocator().allocate(&local, 64).unwrap_err();
    assert_eq!(status.code(), StatusCode::Internal);
    assert!(
        format!("{status:#}").contains("hipFree failed"),
        "{status:#}"
    );
    device.allocator().allocate(&local, 64).unwrap();
}

#[test]
fn pools_make_room_when_memory_runs_out() {
    let (device, plan) = counted_device();
    let params = BufferParams::device_local();
    let allocate = |bytes| device.allocator().allocate(&params, bytes);
    plan.arm_named("hipMalloc", 0, hip::Code::OUT_OF_MEMORY);
    allocate(64).unwrap();
    assert_eq!(plan.calls_of("hipMalloc"), 2);
    assert_eq!(plan.calls_of("hipMemPoolTrimTo"), 2);
    // Anything else is no matter of room.
    plan.arm_named("hipMalloc", 0, hip::Code::INVALID_VALUE);
    let status = allocate(64).unwrap_err();
    assert_eq!(status.code(), StatusCode::InvalidArgument);
    assert_eq!(plan.calls_of("hipMemPoolTrimTo"), 2);
}

#[test]
fn who_has_the_memory_is_said_when_it_runs_out() {
    let (device, plan) = counted_device();
    let allocator = device.allocator();
    let params = BufferParams {
        owner: allocator.owner("model"),
        ..BufferParams::device_local()
    };
    let held = allocator.allocate(&params, 3 << 20).unwrap();
    let shown = device.memory_report();
    assert_eq!(shown.pools[0].live_bytes, 3 << 20);
    assert_eq!((&*shown.owners[0].name, shown.owners.len()), ("model", 1));
    let status = not_allocated(
        hip::Error::new(hip::Code::OUT_OF_MEMORY, "hipMalloc"),
        "allocating 64 bytes".to_owned(),
        &allocator.0.ledger,
    );
    assert_eq!(status.code(), StatusCode::ResourceExhausted);
    let told = "in use: device 3.0 MiB (at most 3.0 MiB); by model 3.0 MiB";
    assert!(format!("{status:#}").contains(told), "{status:#}");
    drop(held);
    assert_eq!(device.memory_report().owners[0].live_bytes, 0);
    // Memory of queues is told too, with what is kept of it.
    let stream = Stream::new(device.context()).unwrap();
    let buffer = allocator.reserve(&params, 64).unwrap();
    let pool = buffer.allocation().pool().unwrap();
    plan.arm_named("hipMallocFromPoolAsync", 0, hip::Code::OUT_OF_MEMORY);
    let status = pool.commit(&stream.issue().unwrap()).unwrap_err();
    assert!(format!("{status:#}").contains("(in use: "), "{status:#}");
    let buffer = allocator.reserve(&params, 64).unwrap();
    let pool = buffer.allocation().pool().unwrap();
    pool.commit(&stream.issue().unwrap()).unwrap();
    drop(buffer);
    let report = device.memory_report();
    let row = report.pools.iter().find(|pool| pool.name == "device pool");
    assert_eq!(row.unwrap().kept_bytes, 64);
    device.trim().unwrap();
    let report = device.memory_report();
    assert!(report.pools.iter().all(|pool| pool.kept_bytes == 0));
}
