//! Allocating and importing buffers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hal::flags::{BufferCompatibility, BufferUsage, MemoryType};
use hal::{BufferParams, ExternalBuffer, ExternalBufferKind, HostRegion, StatusCode};

use crate::cases;
use crate::frame::{Case, Fixture, Outcome, Stop};

pub(crate) const CASES: &[Case] = cases![Device:
    baseline_buffer_compatibility,
    allocate_buffer,
    allocate_empty_buffer,
    allocate_too_much,
    memory_is_aligned,
    import_host_allocation_null_callback,
    import_host_allocation_with_callback,
    import_refused_gives_back_once,
    export_device_allocation,
    statistics_balance,
    trim,
    mapping_makes_device_memory_visible,
    device_memory_stays_what_it_is,
];

/// Size of a buffer whose size does not matter.
const BYTES: u64 = 1024;

fn host_visible() -> BufferParams {
    BufferParams::host_visible()
}

fn baseline_buffer_compatibility(fixture: &Fixture) -> Outcome {
    let needed = BufferCompatibility::ALLOCATABLE | BufferCompatibility::QUEUE_TRANSFER;
    let query = |memory_type| {
        let params = BufferParams {
            memory_type,
            usage: BufferUsage::TRANSFER,
            ..BufferParams::default()
        };
        let allocator = fixture.device.allocator();
        let (compatibility, resolved, _) = allocator.query_compatibility(&params, BYTES);
        (compatibility.contains(needed), resolved.memory_type)
    };
    let (ok, resolved) = query(MemoryType::DEVICE_LOCAL);
    assert!(ok && resolved.contains(MemoryType::DEVICE_LOCAL));
    let upload = query(MemoryType::HOST_LOCAL | MemoryType::DEVICE_VISIBLE);
    let shared = query(MemoryType::DEVICE_LOCAL | MemoryType::HOST_VISIBLE);
    assert!(upload.0 || shared.0, "the host can write to no memory");
    Ok(())
}

fn allocate_buffer(fixture: &Fixture) -> Outcome {
    for heap in fixture.device.allocator().memory_heaps() {
        let params = BufferParams {
            memory_type: heap.memory_type,
            usage: heap.allowed_usage,
            ..BufferParams::default()
        };
        let buffer = fixture.device.allocator().allocate(&params, BYTES)?;
        assert!(buffer.memory_type().contains(heap.memory_type), "{heap:?}");
        assert!(buffer.allowed_usage().contains(heap.allowed_usage));
        assert!(buffer.byte_length() >= BYTES);
        assert!(buffer.allocation().byte_size() >= BYTES);
    }
    Ok(())
}

fn allocate_empty_buffer(fixture: &Fixture) -> Outcome {
    for params in [host_visible(), BufferParams::device_local()] {
        let buffer = fixture.device.allocator().allocate(&params, 0)?;
        buffer.device_ptr()?;
    }
    Ok(())
}

fn allocate_too_much(fixture: &Fixture) -> Outcome {
    let allocator = fixture.device.allocator();
    let status = allocator
        .allocate(&BufferParams::device_local(), 1 << 46)
        .expect_err("64 TiB were allocated");
    assert_eq!(status.code(), StatusCode::ResourceExhausted, "{status:#}");
    allocator.allocate(&BufferParams::device_local(), BYTES)?;
    Ok(())
}

fn memory_is_aligned(fixture: &Fixture) -> Outcome {
    for heap in fixture.device.allocator().memory_heaps() {
        let params = BufferParams {
            memory_type: heap.memory_type,
            ..BufferParams::default()
        };
        let mut buffers = Vec::new();
        for bytes in [1, 3, 17, 100] {
            let buffer = fixture.device.allocator().allocate(&params, bytes)?;
            let address = buffer.device_ptr()?.0;
            assert!(address.is_multiple_of(heap.min_alignment), "{address:#x}");
            buffers.push(buffer);
        }
    }
    Ok(())
}

/// Page-aligned memory of this process: registration works on pages.
fn pages() -> HostRegion {
    HostRegion::from_vec(vec![0xA5; 64 << 10])
}

fn import_host_allocation_null_callback(fixture: &Fixture) -> Outcome {
    for _ in 0..2 {
        let external = ExternalBuffer::HostAllocation(pages());
        let buffer = fixture
            .device
            .allocator()
            .import(&host_visible(), external)?;
        let mut bytes = [0; 4];
        buffer.map_read(100, &mut bytes)?;
        assert_eq!(bytes, [0xA5; 4]);
        buffer.map_write(100, &[1, 2, 3, 4])?;
        buffer.map_read(100, &mut bytes)?;
        assert_eq!(bytes, [1, 2, 3, 4]);
    }
    Ok(())
}

fn import_host_allocation_with_callback(fixture: &Fixture) -> Outcome {
    let calls = Arc::new(AtomicUsize::new(0));
    for round in 0..2 {
        let region = pages().on_release({
            let calls = calls.clone();
            move || {
                calls.fetch_add(1, Ordering::AcqRel);
            }
        });
        let buffer = fixture
            .device
            .allocator()
            .import(&host_visible(), ExternalBuffer::HostAllocation(region))?;
        let view = buffer.subspan(16, 16)?;
        drop(buffer);
        assert_eq!(calls.load(Ordering::Acquire), round, "released in use");
        drop(view);
        assert_eq!(calls.load(Ordering::Acquire), round + 1);
    }
    Ok(())
}

fn import_refused_gives_back_once(fixture: &Fixture) -> Outcome {
    let calls = Arc::new(AtomicUsize::new(0));
    let region = pages().on_release({
        let calls = calls.clone();
        move || {
            calls.fetch_add(1, Ordering::AcqRel);
        }
    });
    let status = fixture
        .device
        .allocator()
        .import(
            &BufferParams::device_local(),
            ExternalBuffer::HostAllocation(region),
        )
        .expect_err("memory of the host became device-local");
    assert_eq!(status.code(), StatusCode::InvalidArgument);
    assert_eq!(calls.load(Ordering::Acquire), 1);
    Ok(())
}

fn export_device_allocation(fixture: &Fixture) -> Outcome {
    let allocator = fixture.device.allocator();
    let buffer = allocator.allocate(&BufferParams::device_local(), BYTES)?;
    let exported = allocator.export(
        &buffer.subspan(64, 64)?,
        ExternalBufferKind::DeviceAllocation,
        0,
    )?;
    assert_eq!(exported.ptr, buffer.device_ptr()?);
    assert!(exported.byte_size >= BYTES);
    let region = hal::DeviceRegion::new(exported.ptr, exported.byte_size);
    let imported = allocator.import(
        &BufferParams::device_local(),
        ExternalBuffer::DeviceAllocation(region),
    )?;
    assert!(imported.overlaps(0, 1, &buffer, 0, 1));
    Ok(())
}

fn statistics_balance(fixture: &Fixture) -> Outcome {
    let allocator = fixture.device.allocator();
    let before = allocator.statistics()?;
    let local = allocator.allocate(&BufferParams::device_local(), BYTES)?;
    let host = allocator.allocate(&host_visible(), 2 * BYTES)?;
    let during = allocator.statistics()?;
    assert_eq!(
        during.device_bytes_allocated - before.device_bytes_allocated,
        BYTES
    );
    assert_eq!(
        during.host_bytes_allocated - before.host_bytes_allocated,
        2 * BYTES
    );
    drop((local, host));
    let after = allocator.statistics()?;
    assert_eq!(after.device_bytes_freed - before.device_bytes_freed, BYTES);
    assert_eq!(after.host_bytes_freed - before.host_bytes_freed, 2 * BYTES);
    assert!(after.host_bytes_peak >= 2 * BYTES);
    Ok(())
}

fn trim(fixture: &Fixture) -> Outcome {
    let allocator = fixture.device.allocator();
    let kept = allocator.allocate(&host_visible(), BYTES)?;
    kept.map_write(0, &[7; 16])?;
    drop(allocator.allocate(&BufferParams::device_local(), BYTES)?);
    fixture.device.trim()?;
    let mut bytes = [0; 16];
    kept.map_read(0, &mut bytes)?;
    if bytes != [7; 16] {
        return Err(Stop::Failed("trimming touched memory in use".to_owned()));
    }
    Ok(())
}

/// Asked to be mapped, device-local memory is, whatever the device then gives.
fn mapping_makes_device_memory_visible(fixture: &Fixture) -> Outcome {
    let params = BufferParams {
        usage: BufferUsage::DEFAULT | BufferUsage::MAPPING,
        ..BufferParams::device_local()
    };
    let buffer = fixture.device.allocator().allocate(&params, BYTES)?;
    assert!(buffer.memory_type().contains(MemoryType::HOST_VISIBLE));
    buffer.map_write(4, &[1, 2, 3])?;
    let mut bytes = [0; 3];
    buffer.map_read(4, &mut bytes)?;
    assert_eq!(bytes, [1, 2, 3]);
    Ok(())
}

fn device_memory_stays_what_it_is(fixture: &Fixture) -> Outcome {
    let params = BufferParams::device_local();
    let buffer = fixture.device.allocator().allocate(&params, BYTES)?;
    assert!(buffer.memory_type().contains(MemoryType::DEVICE_LOCAL));
    assert!(!buffer.memory_type().contains(MemoryType::HOST_VISIBLE));
    assert!(!buffer.allowed_usage().contains(BufferUsage::MAPPING_SCOPED));
    Ok(())
}
