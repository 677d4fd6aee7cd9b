//! Ranges and mappings.

use super::*;
use crate::StatusCode;
use crate::testing::null_device;

/// A buffer the host can map, holding 0, 1, 2, …
fn mapped(bytes: u64) -> Buffer {
    let device = null_device();
    let params = BufferParams {
        usage: BufferUsage::DEFAULT | BufferUsage::MAPPING | BufferUsage::MAPPING_PERSISTENT,
        ..BufferParams::host_visible()
    };
    let buffer = device.allocator().allocate(&params, bytes).unwrap();
    let contents: Vec<u8> = (0..bytes).map(|byte| byte as u8).collect();
    buffer.map_write(0, &contents).unwrap();
    buffer
}

fn contents(buffer: &Buffer) -> Vec<u8> {
    let mut bytes = vec![0; buffer.byte_length() as usize];
    buffer.map_read(0, &mut bytes).unwrap();
    bytes
}

fn code<T>(result: Result<T>) -> StatusCode {
    match result {
        Ok(_) => panic!("succeeded"),
        Err(status) => status.code(),
    }
}

#[test]
fn subspans_add_their_offsets() {
    let buffer = mapped(64);
    let inner = buffer.subspan(16, 32).unwrap().subspan(4, 8).unwrap();
    assert_eq!((inner.byte_offset(), inner.byte_length()), (20, 8));
    assert_eq!(contents(&inner), [20, 21, 22, 23, 24, 25, 26, 27]);
    assert_eq!(inner.device_ptr().unwrap(), buffer.device_ptr().unwrap());
    let rest = buffer.subspan(60, WHOLE_BUFFER).unwrap();
    assert_eq!(contents(&rest), [60, 61, 62, 63]);
    assert!(buffer.subspan(0, WHOLE_BUFFER).unwrap().ptr_eq(&buffer));
    assert!(!inner.ptr_eq(&buffer));
    assert_eq!(buffer.subspan(64, 0).unwrap().byte_length(), 0);
}

#[test]
fn ranges_that_do_not_fit_are_out_of_range() {
    let buffer = mapped(64).subspan(0, 32).unwrap();
    for (offset, length) in [
        (0, 33),
        (33, 0),
        (33, WHOLE_BUFFER),
        (16, 17),
        (1, u64::MAX - 1),
        (u64::MAX, 1),
        (u64::MAX, WHOLE_BUFFER),
    ] {
        assert_eq!(code(buffer.range(offset, length)), StatusCode::OutOfRange);
        assert_eq!(code(buffer.subspan(offset, length)), StatusCode::OutOfRange);
        assert_eq!(
            code(buffer.map_zero(offset, length)),
            StatusCode::OutOfRange
        );
    }
    assert_eq!(code(buffer.map_write(31, &[0; 2])), StatusCode::OutOfRange);
    assert_eq!(code(buffer.map_read(33, &mut [])), StatusCode::OutOfRange);
}

#[test]
fn overlap_is_by_bytes_of_the_same_memory() {
    let buffer = mapped(64);
    let low = buffer.subspan(0, 32).unwrap();
    let high = buffer.subspan(16, 48).unwrap();
    assert!(low.overlaps(0, WHOLE_BUFFER, &high, 0, WHOLE_BUFFER));
    assert!(low.overlaps(31, 1, &high, 15, 1));
    assert!(!low.overlaps(0, 16, &high, 0, 48));
    assert!(!low.overlaps(8, 0, &high, 0, 48));
    assert!(!low.overlaps(0, 33, &high, 0, 48), "does not fit");
    assert!(!low.overlaps(0, 32, &mapped(64), 0, 32), "other memory");
}

#[test]
fn fills_change_their_range_only() {
    let buffer = mapped(16);
    buffer.map_fill(4, 8, &[0xAA, 0xBB, 0xCC, 0xDD]).unwrap();
    let expected = [
        0, 1, 2, 3, 0xAA, 0xBB, 0xCC, 0xDD, 0xAA, 0xBB, 0xCC, 0xDD, 12, 13, 14, 15,
    ];
    assert_eq!(contents(&buffer), expected);
    buffer.map_zero(2, 0).unwrap();
    assert_eq!(contents(&buffer), expected);
    let tail = buffer.subspan(12, 4).unwrap();
    tail.map_zero(1, WHOLE_BUFFER).unwrap();
    assert_eq!(&contents(&buffer)[12..], [12, 0, 0, 0]);
    for pattern in [&[][..], &[0; 3], &[0; 8]] {
        assert_eq!(
            code(buffer.map_fill(0, 16, pattern)),
            StatusCode::InvalidArgument
        );
    }
    for (offset, length) in [(2, 4), (0, 6), (13, WHOLE_BUFFER)] {
        assert_eq!(
            code(buffer.map_fill(offset, length, &[0; 4])),
            StatusCode::InvalidArgument
        );
    }
}

#[test]
fn copies_need_separate_ranges() {
    let (a, b) = (mapped(16), mapped(16));
    b.map_fill(0, 16, &[7]).unwrap();
    a.map_copy(2, &b, 14, WHOLE_BUFFER).unwrap();
    assert_eq!(&contents(&a)[..5], [0, 1, 7, 7, 4]);
    a.map_copy(0, &a, 8, 8).unwrap();
    assert_eq!(&contents(&a)[..8], [8, 9, 10, 11, 12, 13, 14, 15]);
    assert_eq!(code(a.map_copy(0, &a, 4, 8)), StatusCode::InvalidArgument);
    assert_eq!(code(a.map_copy(12, &b, 0, 8)), StatusCode::OutOfRange);
}

#[test]
fn mappings_read_and_write_as_they_were_asked_to() {
    let buffer = mapped(16);
    let map = |access| buffer.map_range(MappingMode::SCOPED, access, 4, 8);
    let mapping = map(MemoryAccess::READ).unwrap();
    assert_eq!(mapping.len(), 8);
    let mut bytes = [0; 2];
    mapping.invalidate_range(0, WHOLE_BUFFER).unwrap();
    mapping.read(6, &mut bytes).unwrap();
    assert_eq!(bytes, [10, 11]);
    assert_eq!(code(mapping.read(7, &mut bytes)), StatusCode::OutOfRange);
    assert_eq!(code(mapping.write(0, &[1])), StatusCode::PermissionDenied);
    let mapping = map(MemoryAccess::WRITE).unwrap();
    mapping.write(0, &[1, 2]).unwrap();
    mapping.flush_range(0, 2).unwrap();
    assert_eq!(code(mapping.flush_range(0, 9)), StatusCode::OutOfRange);
    assert_eq!(
        code(mapping.read(0, &mut bytes)),
        StatusCode::PermissionDenied
    );
    drop(mapping);
    assert_eq!(&contents(&buffer)[3..7], [3, 1, 2, 6]);
}

#[test]
fn discarded_contents_are_scribbled_over_in_debug_builds() {
    let buffer = mapped(8);
    let access = MemoryAccess::WRITE | MemoryAccess::DISCARD;
    let mapping = buffer
        .map_range(MappingMode::PERSISTENT, access, 2, 4)
        .unwrap();
    let expected = if cfg!(debug_assertions) {
        [0, 1, 0xCD, 0xCD, 0xCD, 0xCD, 6, 7]
    } else {
        [0, 1, 2, 3, 4, 5, 6, 7]
    };
    assert_eq!(contents(&buffer), expected);
    mapping.write(0, &[9; 4]).unwrap();
    assert_eq!(contents(&buffer), [0, 1, 9, 9, 9, 9, 6, 7]);
}

#[test]
fn mapping_needs_memory_usage_and_access_for_it() {
    let device = null_device();
    let allocate = |params: BufferParams| device.allocator().allocate(&params, 16).unwrap();
    let map = |buffer: &Buffer, mode, access| code(buffer.map_range(mode, access, 0, 16));
    let (scoped, persistent) = (MappingMode::SCOPED, MappingMode::PERSISTENT);

    let device_local = allocate(BufferParams::device_local());
    let denied = StatusCode::PermissionDenied;
    assert_eq!(map(&device_local, scoped, MemoryAccess::READ), denied);
    assert_eq!(code(device_local.map_read(0, &mut [0])), denied);

    let unmapped = allocate(BufferParams {
        usage: BufferUsage::TRANSFER,
        ..BufferParams::host_visible()
    });
    assert_eq!(map(&unmapped, scoped, MemoryAccess::READ), denied);

    let read_only = allocate(BufferParams {
        access: MemoryAccess::READ,
        ..BufferParams::host_visible()
    });
    assert_eq!(map(&read_only, scoped, MemoryAccess::WRITE), denied);
    assert_eq!(map(&read_only, persistent, MemoryAccess::READ), denied);
    assert_eq!(code(read_only.map_write(0, &[0])), denied);
    read_only.map_read(0, &mut [0]).unwrap();

    let buffer = mapped(16);
    let invalid = StatusCode::InvalidArgument;
    assert_eq!(map(&buffer, scoped, MemoryAccess::empty()), invalid);
    assert_eq!(map(&buffer, scoped, MemoryAccess::DISCARD), invalid);
    assert_eq!(
        map(&buffer, MappingMode::empty(), MemoryAccess::READ),
        invalid
    );
    assert_eq!(
        map(&buffer, scoped | persistent, MemoryAccess::READ),
        invalid
    );
}

#[test]
fn validation_names_what_is_missing() {
    let buffer = mapped(16);
    buffer.validate_access(MemoryAccess::ANY).unwrap();
    buffer.validate_usage(BufferUsage::TRANSFER).unwrap();
    let status = buffer
        .validate_memory_type(MemoryType::DEVICE_LOCAL)
        .unwrap_err();
    assert_eq!(status.code(), StatusCode::PermissionDenied);
    assert!(status.message().contains("DEVICE_LOCAL"), "{status}");
    let status = buffer
        .validate_usage(BufferUsage::SHARING_EXPORT)
        .unwrap_err();
    assert!(status.message().contains("SHARING_EXPORT"), "{status}");
}

#[test]
fn owners_of_the_memory_are_counted() {
    let device = crate::testing::null_device();
    let params = BufferParams::device_local();
    let buffer = device.allocator().allocate(&params, 64).unwrap();
    let part = buffer.subspan(16, 16).unwrap();
    assert!(buffer.allocation().has_one_owner());
    part.allocation().preserve();
    assert!(!buffer.allocation().has_one_owner());
    assert!(!buffer.allocation().discard());
    assert!(part.allocation().has_one_owner());
    assert!(part.allocation().discard());
    // There is nobody left to be the last.
    assert!(!part.allocation().discard());
    assert!(!part.allocation().has_one_owner());
}
