//! Binding slots and tables.

use super::*;

#[test]
fn slots_are_resolved_when_the_commands_are_applied() {
    let device = null_device();
    let commands = recording(&device, 2);
    let executable = scale_and_offset(&device);
    let fixed = buffer(&device, 64);
    commands
        .fill(&BufferRef::slot(1, 4, WHOLE_BUFFER), &[1, 0, 0, 0])
        .unwrap();
    commands
        .copy(
            &BufferRef::slot(0, 16, 16),
            &BufferRef::range(&fixed, 0, WHOLE_BUFFER),
        )
        .unwrap();
    commands
        .dispatch(
            &executable,
            0,
            [1; 3],
            &[1, 2],
            &[BufferRef::slot(1, 16, 16), BufferRef::whole(&fixed)],
        )
        .unwrap();
    commands.end().unwrap();
    for size in [128, 256] {
        let (a, b) = (buffer(&device, size), buffer(&device, size));
        let table = [
            Binding::range(&a, 32, WHOLE_BUFFER),
            Binding::range(&b.subspan(16, size - 16).unwrap(), 16, 64),
        ];
        submit(&device, &commands, table.to_vec()).unwrap();
        let (a, b, fixed) = (address(&a, 32), address(&b, 32), address(&fixed, 0));
        let packed = kernarg(&[b + 16, fixed], &[1, 2]);
        assert_eq!(
            applied(&commands, &table),
            [
                format!("fill {:#x} Four(1) x 15", b + 4),
                format!("copy {fixed:#x} {:#x} 16", a + 16),
                format!("dispatch 1x1x1 {packed:?}"),
            ]
        );
    }
}

#[test]
fn a_binding_table_must_be_what_the_commands_need() {
    let device = null_device();
    let commands = recording(&device, 3);
    let executable = scale_and_offset(&device);
    // Slot 0 is filled and dispatched on, slot 2 is copied from, slot 1 is not used.
    commands.fill(&BufferRef::slot(0, 0, 32), &[0; 4]).unwrap();
    commands
        .copy(&BufferRef::slot(2, 4, 8), &BufferRef::slot(0, 0, 8))
        .unwrap();
    let binding = BufferRef::slot(0, 32, 16);
    commands
        .dispatch(&executable, 0, [1; 3], &[0; 2], &[binding.clone(), binding])
        .unwrap();
    commands.end().unwrap();
    let good = buffer(&device, 64);
    let with = |binding: Binding| vec![binding, Binding::whole(&good), Binding::whole(&good)];
    let try_with = |binding| code(submit(&device, &commands, with(binding)));
    assert_eq!(
        code(submit(&device, &commands, vec![])),
        StatusCode::InvalidArgument
    );
    assert_eq!(
        code(submit(&device, &commands, vec![Binding::whole(&good)])),
        StatusCode::OutOfRange
    );
    let denied = StatusCode::PermissionDenied;
    let all = BufferUsage::TRANSFER | BufferUsage::DISPATCH_STORAGE;
    for (usage, access) in [
        (BufferUsage::TRANSFER, MemoryAccess::ALL),
        (BufferUsage::DISPATCH_STORAGE, MemoryAccess::ALL),
        (all, MemoryAccess::READ),
    ] {
        let wrong = buffer_for(&device, usage, access);
        assert_eq!(try_with(Binding::whole(&wrong)), denied);
    }
    let other = buffer(&device, 256);
    assert_eq!(
        try_with(Binding::range(&other, 0, 47)),
        StatusCode::OutOfRange
    );
    assert_eq!(
        try_with(Binding::range(&other, 240, 48)),
        StatusCode::OutOfRange
    );
    assert_eq!(
        try_with(Binding::range(&other, 8, 64)),
        StatusCode::InvalidArgument
    );
    // The two slots of the copy overlap.
    assert_eq!(try_with(Binding::whole(&good)), StatusCode::InvalidArgument);
    submit(&device, &commands, with(Binding::range(&other, 16, 48))).unwrap();
    let offset_in_slot = recording(&device, 1).dispatch(
        &executable,
        0,
        [1; 3],
        &[0; 2],
        &[BufferRef::slot(0, 8, 16), BufferRef::slot(0, 0, 16)],
    );
    assert_eq!(code(offset_in_slot), StatusCode::InvalidArgument);
}

#[test]
fn slots_without_a_buffer_are_null_to_kernels_and_nothing_else() {
    let device = null_device();
    let executable = scale_and_offset(&device);
    let fixed = buffer(&device, 64);
    let table = || vec![Binding::none(), Binding::whole(&fixed), Binding::none()];
    let bindings = [BufferRef::slot(2, 16, 16), BufferRef::slot(1, 0, 16)];
    let dispatched = recording(&device, 3);
    dispatched
        .dispatch(&executable, 0, [1; 3], &[1, 2], &bindings)
        .unwrap();
    dispatched.end().unwrap();
    submit(&device, &dispatched, table()).unwrap();
    let packed = kernarg(&[0, address(&fixed, 0)], &[1, 2]);
    assert_eq!(
        applied(&dispatched, &table()),
        [format!("dispatch 1x1x1 {packed:?}")]
    );
    for length in [16, WHOLE_BUFFER] {
        let filled = recording(&device, 3);
        filled
            .dispatch(&executable, 0, [1; 3], &[1, 2], &bindings)
            .unwrap();
        filled
            .fill(&BufferRef::slot(2, 0, length), &[0; 4])
            .unwrap();
        filled.end().unwrap();
        let status = submit(&device, &filled, table()).unwrap_err();
        assert_eq!(status.code(), StatusCode::InvalidArgument);
        assert!(format!("{status:#}").contains("slot 2"), "{status:#}");
    }
}

#[test]
fn what_is_bound_whole_must_fit_the_command() {
    let device = null_device();
    let commands = recording(&device, 2);
    commands
        .fill(&BufferRef::slot(0, 0, WHOLE_BUFFER), &[0; 4])
        .unwrap();
    commands
        .copy(
            &BufferRef::slot(0, 0, WHOLE_BUFFER),
            &BufferRef::slot(1, 0, WHOLE_BUFFER),
        )
        .unwrap();
    commands.end().unwrap();
    let (a, b) = (buffer(&device, 64), buffer(&device, 64));
    let submit = |a_length, b_length| {
        let table = vec![
            Binding::range(&a, 0, a_length),
            Binding::range(&b, 0, b_length),
        ];
        submit(&device, &commands, table)
    };
    submit(WHOLE_BUFFER, 64).unwrap();
    submit(8, 8).unwrap();
    assert_eq!(code(submit(10, 10)), StatusCode::InvalidArgument);
    assert_eq!(code(submit(16, 12)), StatusCode::InvalidArgument);
}
