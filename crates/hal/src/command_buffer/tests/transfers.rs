//! Fills, updates and copies.

use super::*;

#[test]
fn fills_keep_their_rules() {
    let device = null_device();
    let commands = recording(&device, 0);
    let target = buffer(&device, 64);
    let fill = |offset, length, pattern: &[u8]| {
        commands.fill(&BufferRef::range(&target, offset, length), pattern)
    };
    for pattern in [&[][..], &[1, 2, 3], &[0; 8]] {
        assert_eq!(code(fill(0, 8, pattern)), StatusCode::InvalidArgument);
    }
    assert_eq!(code(fill(2, 8, &[0; 4])), StatusCode::InvalidArgument);
    assert_eq!(code(fill(0, 6, &[0; 4])), StatusCode::InvalidArgument);
    assert_eq!(code(fill(1, 2, &[0; 2])), StatusCode::InvalidArgument);
    assert_eq!(code(fill(60, 8, &[0; 4])), StatusCode::OutOfRange);
    assert_eq!(code(fill(65, WHOLE_BUFFER, &[0])), StatusCode::OutOfRange);
    assert_eq!(code(fill(8, u64::MAX - 2, &[0])), StatusCode::OutOfRange);
    fill(0, 0, &[1, 2, 3]).unwrap();
    fill(4, WHOLE_BUFFER, &[1, 2, 3, 4]).unwrap();
    fill(3, 5, &[7]).unwrap();
    fill(2, 6, &[7, 8]).unwrap();
    commands.end().unwrap();
    let base = address(&target, 0);
    assert_eq!(
        applied(&commands, &[]),
        [
            format!("fill {:#x} Four(67305985) x 15", base + 4),
            format!("fill {:#x} One(7) x 5", base + 3),
            format!("fill {:#x} Two(2055) x 3", base + 2),
        ]
    );
}

#[test]
fn an_odd_view_cannot_be_filled_with_wide_patterns() {
    let device = null_device();
    let commands = recording(&device, 0);
    let odd = buffer(&device, 64).subspan(2, 32).unwrap();
    let target = BufferRef::whole(&odd);
    assert_eq!(
        code(commands.fill(&target, &[0; 4])),
        StatusCode::InvalidArgument
    );
    commands.fill(&target, &[0; 2]).unwrap();
}

#[test]
fn transfers_need_usage_and_access() {
    let device = null_device();
    let commands = recording(&device, 0);
    let plain = BufferRef::whole(&buffer(&device, 256));
    let storage = buffer_for(&device, BufferUsage::DISPATCH_STORAGE, MemoryAccess::ALL);
    let source_only = buffer_for(&device, BufferUsage::TRANSFER_SOURCE, MemoryAccess::ALL);
    let read_only = buffer_for(&device, BufferUsage::TRANSFER, MemoryAccess::READ);
    let denied = StatusCode::PermissionDenied;
    for wrong in [&storage, &source_only, &read_only] {
        let wrong = BufferRef::whole(wrong);
        assert_eq!(code(commands.fill(&wrong, &[0])), denied);
        assert_eq!(code(commands.update(&[0; 4], &wrong)), denied);
        assert_eq!(code(commands.copy(&plain, &wrong)), denied);
    }
    assert_eq!(
        code(commands.copy(&BufferRef::whole(&storage), &plain)),
        denied
    );
    commands
        .copy(&BufferRef::whole(&source_only), &plain)
        .unwrap();
    commands
        .copy(&BufferRef::whole(&read_only), &plain)
        .unwrap();
}

#[test]
fn an_unvalidated_command_buffer_skips_permissions_but_not_ranges() {
    let device = null_device();
    let commands = create(&device, CommandBufferFlags::UNVALIDATED, 0);
    commands.begin().unwrap();
    let read_only = buffer_for(&device, BufferUsage::TRANSFER, MemoryAccess::READ);
    commands.fill(&BufferRef::whole(&read_only), &[0]).unwrap();
    assert_eq!(
        code(commands.fill(&BufferRef::range(&read_only, 0, 257), &[0])),
        StatusCode::OutOfRange
    );
}

#[test]
fn updates_have_at_most_64_kib() {
    let device = null_device();
    let commands = recording(&device, 0);
    let target = buffer(&device, 1 << 17);
    let bytes = vec![7; MAX + 1];
    const MAX: usize = 64 * 1024;
    let whole = BufferRef::whole(&target);
    assert_eq!(
        code(commands.update(&bytes, &whole)),
        StatusCode::InvalidArgument
    );
    commands.update(&bytes[..MAX], &whole).unwrap();
    commands.update(&[], &whole).unwrap();
    let short = BufferRef::range(&target, 0, 8);
    assert_eq!(
        code(commands.update(&bytes[..9], &short)),
        StatusCode::InvalidArgument
    );
    commands
        .update(&[1, 2, 3, 4], &BufferRef::range(&target, 16, 4))
        .unwrap();
    commands.end().unwrap();
    let base = address(&target, 0);
    assert_eq!(
        applied(&commands, &[]),
        [
            format!("copy {base:#x} staging 65536"),
            format!("copy {:#x} staging 4", base + 16),
        ]
    );
}

#[test]
fn copies_must_match_and_not_overlap() {
    let device = null_device();
    let commands = recording(&device, 0);
    let one = buffer(&device, 64);
    let other = buffer(&device, 32);
    let copy = |from: &Buffer, at, length, to: &Buffer, to_at, to_length| {
        commands.copy(
            &BufferRef::range(from, at, length),
            &BufferRef::range(to, to_at, to_length),
        )
    };
    let invalid = StatusCode::InvalidArgument;
    assert_eq!(code(copy(&one, 0, 16, &one, 8, 16)), invalid);
    assert_eq!(code(copy(&one, 8, 16, &one, 0, 16)), invalid);
    let view = one.subspan(16, 48).unwrap();
    assert_eq!(code(copy(&one, 16, 16, &view, 0, 16)), invalid);
    assert_eq!(code(copy(&one, 0, 16, &other, 0, 8)), invalid);
    assert_eq!(
        code(copy(&one, 0, WHOLE_BUFFER, &other, 0, WHOLE_BUFFER)),
        invalid
    );
    assert_eq!(
        code(copy(&one, 0, 40, &other, 0, 40)),
        StatusCode::OutOfRange
    );
    copy(&one, 0, 16, &one, 16, 16).unwrap();
    copy(&one, 4, 8, &other, 8, WHOLE_BUFFER).unwrap();
    copy(&other, 0, WHOLE_BUFFER, &view, 0, 32).unwrap();
    copy(&one, 0, 0, &one, 0, 0).unwrap();
    commands.end().unwrap();
    let (a, b) = (address(&one, 0), address(&other, 0));
    assert_eq!(
        applied(&commands, &[]),
        [
            format!("copy {:#x} {a:#x} 16", a + 16),
            format!("copy {:#x} {:#x} 8", b + 8, a + 4),
            format!("copy {:#x} {b:#x} 32", a + 16),
        ]
    );
}
