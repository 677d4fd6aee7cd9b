//! Reading and writing buffers from the host.

use hal::flags::{MappingMode, MemoryAccess};
use hal::{Buffer, BufferParams, StatusCode, WHOLE_BUFFER};

use crate::cases;
use crate::frame::{Case, Fixture, Outcome};

pub(crate) const CASES: &[Case] = cases![Device:
    allocator_supports_buffer_mapping,
    zero_whole_buffer,
    zero_with_offset,
    zero_subspan,
    fill_empty,
    fill_whole_buffer,
    fill_with_offset,
    fill_subspan,
    read_data,
    read_data_subspan,
    write_data_whole_buffer,
    write_data_with_offset,
    write_data_subspan,
    copy_data,
    copy_overlap,
    map_range_read,
    map_range_write,
    map_device_local,
];

/// A mappable buffer of `bytes` bytes, each `value`.
fn buffer(fixture: &Fixture, bytes: u64, value: u8) -> hal::Result<Buffer> {
    let params = BufferParams::host_visible();
    let buffer = fixture.device.allocator().allocate(&params, bytes)?;
    buffer.map_fill(0, WHOLE_BUFFER, &[value])?;
    Ok(buffer)
}

/// The contents of a buffer.
fn contents(buffer: &Buffer) -> hal::Result<Vec<u8>> {
    let mut bytes = vec![0; buffer.byte_length() as usize];
    buffer.map_read(0, &mut bytes)?;
    Ok(bytes)
}

/// `value` everywhere but for `other` in a range.
fn but(bytes: usize, value: u8, other: u8, range: std::ops::Range<usize>) -> Vec<u8> {
    let mut contents = vec![value; bytes];
    contents[range].fill(other);
    contents
}

fn allocator_supports_buffer_mapping(fixture: &Fixture) -> Outcome {
    let buffer = buffer(fixture, 1024, 0)?;
    assert_eq!(buffer.byte_length(), 1024);
    Ok(())
}

fn zero_whole_buffer(fixture: &Fixture) -> Outcome {
    let buffer = buffer(fixture, 1024, 0xFF)?;
    buffer.map_zero(0, WHOLE_BUFFER)?;
    assert_eq!(contents(&buffer)?, [0; 1024]);
    Ok(())
}

fn zero_with_offset(fixture: &Fixture) -> Outcome {
    let buffer = buffer(fixture, 16, 0xFF)?;
    buffer.map_zero(4, 8)?;
    assert_eq!(contents(&buffer)?, but(16, 0xFF, 0, 4..12));
    Ok(())
}

fn zero_subspan(fixture: &Fixture) -> Outcome {
    let buffer = buffer(fixture, 16, 0xFF)?;
    let view = buffer.subspan(4, 8)?;
    view.map_zero(0, WHOLE_BUFFER)?;
    assert_eq!(contents(&buffer)?, but(16, 0xFF, 0, 4..12));
    buffer.map_fill(0, WHOLE_BUFFER, &[0xFF])?;
    view.map_zero(2, 4)?;
    assert_eq!(contents(&buffer)?, but(16, 0xFF, 0, 6..10));
    Ok(())
}

fn fill_empty(fixture: &Fixture) -> Outcome {
    let buffer = buffer(fixture, 16, 0x55)?;
    buffer.map_fill(0, 0, &[0xFF])?;
    buffer.map_fill(16, 0, &[0xFF])?;
    assert_eq!(contents(&buffer)?, [0x55; 16]);
    Ok(())
}

fn fill_whole_buffer(fixture: &Fixture) -> Outcome {
    let buffer = buffer(fixture, 1024, 0)?;
    buffer.map_fill(0, WHOLE_BUFFER, &0xAB23_CD45_u32.to_le_bytes())?;
    assert_eq!(contents(&buffer)?, [0x45, 0xCD, 0x23, 0xAB].repeat(256));
    Ok(())
}

fn fill_with_offset(fixture: &Fixture) -> Outcome {
    let buffer = buffer(fixture, 16, 0)?;
    buffer.map_fill(4, 8, &0xAB23_u16.to_le_bytes())?;
    let mut expected = vec![0; 16];
    expected[4..12].copy_from_slice(&[0x23, 0xAB].repeat(4));
    assert_eq!(contents(&buffer)?, expected);
    Ok(())
}

fn fill_subspan(fixture: &Fixture) -> Outcome {
    let buffer = buffer(fixture, 16, 0)?;
    buffer.subspan(8, 6)?.map_fill(1, 4, &[0x42])?;
    assert_eq!(contents(&buffer)?, but(16, 0, 0x42, 9..13));
    Ok(())
}

fn read_data(fixture: &Fixture) -> Outcome {
    let buffer = buffer(fixture, 16, 0)?;
    let data: Vec<u8> = (0..16).collect();
    buffer.map_write(0, &data)?;
    let mut part = [0; 5];
    buffer.map_read(7, &mut part)?;
    assert_eq!(part, [7, 8, 9, 10, 11]);
    assert_eq!(contents(&buffer)?, data);
    Ok(())
}

fn read_data_subspan(fixture: &Fixture) -> Outcome {
    let buffer = buffer(fixture, 16, 0)?;
    let data: Vec<u8> = (0..16).collect();
    buffer.map_write(0, &data)?;
    assert_eq!(contents(&buffer.subspan(4, 8)?)?, data[4..12]);
    Ok(())
}

fn write_data_whole_buffer(fixture: &Fixture) -> Outcome {
    let buffer = buffer(fixture, 16, 0)?;
    buffer.map_write(0, &[0x88; 16])?;
    assert_eq!(contents(&buffer)?, [0x88; 16]);
    Ok(())
}

fn write_data_with_offset(fixture: &Fixture) -> Outcome {
    let buffer = buffer(fixture, 16, 0xFF)?;
    buffer.map_write(3, &[0x88; 10])?;
    assert_eq!(contents(&buffer)?, but(16, 0xFF, 0x88, 3..13));
    Ok(())
}

fn write_data_subspan(fixture: &Fixture) -> Outcome {
    let buffer = buffer(fixture, 16, 0xFF)?;
    buffer.subspan(4, 8)?.map_write(1, &[0x88; 6])?;
    assert_eq!(contents(&buffer)?, but(16, 0xFF, 0x88, 5..11));
    Ok(())
}

fn copy_data(fixture: &Fixture) -> Outcome {
    let source = buffer(fixture, 16, 0x07)?;
    let target = buffer(fixture, 16, 0xFF)?;
    target.map_copy(0, &source, 0, WHOLE_BUFFER)?;
    assert_eq!(contents(&target)?, [0x07; 16]);
    target.map_fill(0, WHOLE_BUFFER, &[0xFF])?;
    target.map_copy(2, &source, 5, 4)?;
    assert_eq!(contents(&target)?, but(16, 0xFF, 0x07, 2..6));
    Ok(())
}

fn copy_overlap(fixture: &Fixture) -> Outcome {
    let buffer = buffer(fixture, 16, 0x07)?;
    let status = buffer
        .map_copy(4, &buffer, 0, 8)
        .expect_err("overlapping ranges were copied");
    assert_eq!(status.code(), StatusCode::InvalidArgument);
    Ok(())
}

fn map_range_read(fixture: &Fixture) -> Outcome {
    let buffer = buffer(fixture, 16, 0xEF)?;
    let mapping = buffer.map_range(MappingMode::SCOPED, MemoryAccess::READ, 0, WHOLE_BUFFER)?;
    mapping.invalidate_range(0, WHOLE_BUFFER)?;
    let mut bytes = [0; 16];
    mapping.read(0, &mut bytes)?;
    assert_eq!(bytes, [0xEF; 16]);
    Ok(())
}

fn map_range_write(fixture: &Fixture) -> Outcome {
    let buffer = buffer(fixture, 16, 0xFF)?;
    let access = MemoryAccess::WRITE | MemoryAccess::DISCARD;
    let mapping = buffer.map_range(MappingMode::SCOPED, access, 4, 8)?;
    mapping.write(0, &[0x12; 8])?;
    mapping.flush_range(0, WHOLE_BUFFER)?;
    drop(mapping);
    assert_eq!(contents(&buffer)?, but(16, 0xFF, 0x12, 4..12));
    Ok(())
}

fn map_device_local(fixture: &Fixture) -> Outcome {
    let params = BufferParams::device_local();
    let buffer = fixture.device.allocator().allocate(&params, 16)?;
    let status = buffer
        .map_range(MappingMode::SCOPED, MemoryAccess::READ, 0, WHOLE_BUFFER)
        .expect_err("memory that only the device sees was mapped");
    assert_eq!(status.code(), StatusCode::PermissionDenied);
    Ok(())
}
