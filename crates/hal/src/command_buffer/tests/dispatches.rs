//! Dispatches in both forms, and what is refused.

use super::*;

#[test]
fn a_dispatch_is_packed_as_addresses_then_constants() {
    let device = null_device();
    let commands = recording(&device, 0);
    let executable = scale_and_offset(&device);
    let data = buffer(&device, 256);
    let bindings = [
        BufferRef::range(&data, 16, 16),
        BufferRef::range(&data.subspan(64, 64).unwrap(), 32, 16),
    ];
    commands
        .dispatch(&executable, 0, [2, 3, 4], &[5, 6], &bindings)
        .unwrap();
    commands.end().unwrap();
    let packed = kernarg(&[address(&data, 16), address(&data, 96)], &[5, 6]);
    assert_eq!(
        applied(&commands, &[]),
        [format!("dispatch 2x3x4 {packed:?}")]
    );
}

#[test]
fn dispatches_keep_their_rules() {
    let device = null_device();
    let commands = recording(&device, 0);
    let executable = scale_and_offset(&device);
    let data = buffer(&device, 256);
    let good = [
        BufferRef::range(&data, 0, 16),
        BufferRef::range(&data, 16, 16),
    ];
    let dispatch = |export, grid: [u32; 3], constants: &[u32], bindings: &[BufferRef]| {
        commands.dispatch(&executable, export, grid, constants, bindings)
    };
    let invalid = StatusCode::InvalidArgument;
    assert_eq!(
        code(dispatch(-1, [1; 3], &[1, 2], &good)),
        StatusCode::OutOfRange
    );
    assert_eq!(
        code(dispatch(1, [1; 3], &[1, 2], &good)),
        StatusCode::OutOfRange
    );
    assert_eq!(code(dispatch(0, [1; 3], &[1], &good)), invalid);
    assert_eq!(code(dispatch(0, [1; 3], &[1, 2, 3], &good)), invalid);
    assert_eq!(code(dispatch(0, [1; 3], &[1, 2], &good[..1])), invalid);
    let unaligned = [BufferRef::range(&data, 4, 8), good[1].clone()];
    assert_eq!(code(dispatch(0, [1; 3], &[1, 2], &unaligned)), invalid);
    let beyond = [BufferRef::range(&data, 256, 16), good[1].clone()];
    assert_eq!(
        code(dispatch(0, [1; 3], &[1, 2], &beyond)),
        StatusCode::OutOfRange
    );
    let transfer = buffer_for(&device, BufferUsage::TRANSFER, MemoryAccess::ALL);
    let denied = [BufferRef::whole(&transfer), good[1].clone()];
    assert_eq!(
        code(dispatch(0, [1; 3], &[1, 2], &denied)),
        StatusCode::PermissionDenied
    );
    let slot = [BufferRef::slot(0, 0, 16), good[1].clone()];
    assert_eq!(
        code(dispatch(0, [1; 3], &[1, 2], &slot)),
        StatusCode::OutOfRange
    );
    dispatch(0, [1; 3], &[1, 2], &good).unwrap();
    commands.end().unwrap();
    assert_eq!(applied(&commands, &[]).len(), 1);
}

#[test]
fn any_zero_workgroup_count_skips_the_dispatch() {
    let device = null_device();
    let commands = recording(&device, 0);
    let executable = scale_and_offset(&device);
    for grid in [[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]] {
        commands.dispatch(&executable, 0, grid, &[], &[]).unwrap();
        commands
            .record(&Command::DispatchPushed {
                executable: &executable,
                export: 0,
                workgroups: grid,
            })
            .unwrap();
    }
    commands.end().unwrap();
    assert!(applied(&commands, &[]).is_empty());
}

#[test]
fn what_the_device_cannot_launch_is_refused_with_the_kernels_name() {
    let device = null_device();
    let executable = scale_and_offset(&device);
    let data = buffer(&device, 256);
    let bindings = [BufferRef::whole(&data), BufferRef::whole(&data)];
    let refuse = |device: &Device, config: DispatchConfig, what: &str| {
        let commands = recording(device, 0);
        let status = commands
            .dispatch(&executable, 0, config, &[0; 2], &bindings)
            .unwrap_err();
        assert_eq!(status.code(), StatusCode::InvalidArgument);
        assert!(status.message().contains("`scale_and_offset`"), "{status}");
        assert!(status.message().contains(what), "{status}");
    };
    let sized = |workgroup_count, workgroup_size| DispatchConfig {
        workgroup_count,
        workgroup_size,
        dynamic_lds_bytes: 0,
    };
    refuse(
        &device,
        sized([1 << 22, 1, 1], [1024, 0, 0]),
        "2^32 threads",
    );
    refuse(
        &device,
        sized([1, 70_000, 1], [0; 3]),
        "70000 workgroups in y",
    );
    refuse(&device, sized([1; 3], [1025, 1, 1]), "1025 threads in x");
    refuse(
        &device,
        sized([1; 3], [64, 32, 1]),
        "2048 threads a workgroup",
    );
    let lds = DispatchConfig {
        dynamic_lds_bytes: 65_537,
        ..[1; 3].into()
    };
    refuse(&device, lds, "65537 bytes of LDS");
    let small = null_device_with(DeviceAttribute::MaxGridDimX, 8);
    refuse(&small, sized([9, 1, 1], [0; 3]), "9 workgroups in x");
    recording(&device, 0)
        .dispatch(
            &executable,
            0,
            sized([(1 << 22) - 1, 1, 1], [1024, 1, 1]),
            &[0; 2],
            &bindings,
        )
        .unwrap();
}

fn layout(constants: usize, sets: &[usize]) -> PipelineLayout {
    let sets: Vec<_> = sets
        .iter()
        .map(|&count| {
            let bindings: Vec<_> = (0..count as u32)
                .map(|binding| DescriptorBinding {
                    binding,
                    descriptor_type: 7,
                    flags: 0,
                })
                .collect();
            DescriptorSetLayout::new(&bindings).unwrap()
        })
        .collect();
    PipelineLayout::new(constants, &sets).unwrap()
}

#[test]
fn the_pushed_form_becomes_the_carried_form() {
    let device = null_device();
    let executable = scale_and_offset(&device);
    let data = buffer(&device, 256);
    let layout = layout(2, &[2]);
    let commands = recording(&device, 1);
    let push = |values: &[u32], offset| {
        commands.record(&Command::PushConstants {
            layout: &layout,
            offset,
            values,
        })
    };
    let bind = |binding, buffer: BufferRef| {
        commands.record(&Command::PushDescriptorSet {
            layout: &layout,
            set: 0,
            bindings: &[(binding, buffer)],
        })
    };
    let dispatch = || {
        commands.record(&Command::DispatchPushed {
            executable: &executable,
            export: 0,
            workgroups: [1; 3],
        })
    };
    // Nothing pushed yet: zeros and null addresses.
    dispatch().unwrap();
    push(&[11, 22], 0).unwrap();
    bind(0, BufferRef::range(&data, 16, 16)).unwrap();
    bind(1, BufferRef::range(&data, 32, 16)).unwrap();
    dispatch().unwrap();
    // State stays from dispatch to dispatch, and is changed in part.
    push(&[33], 4).unwrap();
    bind(1, BufferRef::slot(0, 16, 16)).unwrap();
    dispatch().unwrap();
    commands.end().unwrap();
    let bound = buffer(&device, 64);
    let expected: Vec<_> = [
        kernarg(&[0, 0], &[0, 0]),
        kernarg(&[address(&data, 16), address(&data, 32)], &[11, 22]),
        kernarg(&[address(&data, 16), address(&bound, 16)], &[11, 33]),
    ]
    .iter()
    .map(|packed| format!("dispatch 1x1x1 {packed:?}"))
    .collect();
    assert_eq!(applied(&commands, &[Binding::whole(&bound)]), expected);
}

#[test]
fn pushing_beyond_what_there_is_is_refused() {
    let device = null_device();
    let data = BufferRef::whole(&buffer(&device, 16));
    let layout = layout(64, &[16, 16, 16, 16]);
    let commands = recording(&device, 0);
    let push = |offset, count: usize| {
        commands.record(&Command::PushConstants {
            layout: &layout,
            offset,
            values: &vec![1; count],
        })
    };
    push(0, 64).unwrap();
    push(252, 1).unwrap();
    push(0, 0).unwrap();
    assert_eq!(code(push(2, 1)), StatusCode::InvalidArgument);
    assert_eq!(code(push(252, 2)), StatusCode::OutOfRange);
    assert_eq!(code(push(0, 65)), StatusCode::OutOfRange);
    assert_eq!(code(push(256, 1)), StatusCode::OutOfRange);
    let bind = |set, bindings: &[(u32, BufferRef)]| {
        commands.record(&Command::PushDescriptorSet {
            layout: &layout,
            set,
            bindings,
        })
    };
    bind(3, &[(15, data.clone())]).unwrap();
    assert_eq!(code(bind(4, &[(0, data.clone())])), StatusCode::OutOfRange);
    assert_eq!(code(bind(0, &[(16, data.clone())])), StatusCode::OutOfRange);
    let many = vec![(0, data); 17];
    assert_eq!(code(bind(0, &many)), StatusCode::ResourceExhausted);
    let slot = [(0, BufferRef::slot(0, 0, 16))];
    assert_eq!(code(bind(0, &slot)), StatusCode::InvalidArgument);
    let with_slots = recording(&device, 1);
    let beyond = [(0, BufferRef::slot(1, 0, 16))];
    let bound = with_slots.record(&Command::PushDescriptorSet {
        layout: &layout,
        set: 0,
        bindings: &beyond,
    });
    assert_eq!(code(bound), StatusCode::OutOfRange);
}

#[test]
fn what_no_sink_does_is_refused_when_recorded_and_says_why() {
    let device = null_device();
    let commands = recording(&device, 0);
    let event = device.create_event().unwrap();
    let channel = device.create_channel(QueueAffinity::ANY, 0, 2).unwrap();
    let executable = scale_and_offset(&device);
    let storage = BufferRef::whole(&buffer(&device, 64));
    let counts = buffer_for(
        &device,
        BufferUsage::DISPATCH_INDIRECT_PARAMS,
        MemoryAccess::ALL,
    );
    let counts = BufferRef::range(&counts, 16, 12);
    let nested = create(&device, CommandBufferFlags::NESTED, 1);
    let stages = ExecutionStage::DISPATCH;
    let refused = [
        Command::SignalEvent {
            event: &event,
            source: stages,
        },
        Command::ResetEvent {
            event: &event,
            source: stages,
        },
        Command::WaitEvents {
            events: std::slice::from_ref(&event),
            source: stages,
            target: stages,
            memory: &[],
            buffers: &[],
        },
        Command::Collective {
            channel: &channel,
            op: CollectiveOp::from_packed(0x0009_0101).unwrap(),
            param: 0,
            send: Some(&storage),
            receive: Some(&storage),
            element_count: 4,
        },
        Command::DispatchPushedIndirect {
            executable: &executable,
            export: 0,
            workgroups: &counts,
        },
        Command::DispatchIndirect {
            executable: &executable,
            export: 0,
            workgroups: &counts,
            constants: &[0; 2],
            bindings: &[storage.clone(), storage.clone()],
        },
        Command::ExecuteCommands {
            commands: &nested,
            bindings: &BindingTable::empty(),
        },
    ];
    for command in &refused {
        let status = commands.record(command).unwrap_err();
        assert_eq!(status.code(), StatusCode::Unimplemented, "{command}");
        assert!(status.message().len() > 20, "{status} gives no reason");
    }
}

#[test]
fn indirect_counts_are_validated_before_they_are_refused() {
    let device = null_device();
    let commands = recording(&device, 0);
    let executable = scale_and_offset(&device);
    let params = BufferUsage::DISPATCH_INDIRECT_PARAMS;
    let counts = buffer_for(&device, params, MemoryAccess::ALL);
    let indirect = |export, workgroups: &BufferRef| {
        commands.record(&Command::DispatchPushedIndirect {
            executable: &executable,
            export,
            workgroups,
        })
    };
    let plain = buffer(&device, 64);
    assert_eq!(
        code(indirect(0, &BufferRef::whole(&plain))),
        StatusCode::PermissionDenied
    );
    assert_eq!(
        code(indirect(0, &BufferRef::range(&counts, 248, 12))),
        StatusCode::OutOfRange
    );
    assert_eq!(
        code(indirect(0, &BufferRef::range(&counts, 2, 12))),
        StatusCode::InvalidArgument
    );
    assert_eq!(
        code(indirect(7, &BufferRef::range(&counts, 0, 12))),
        StatusCode::OutOfRange
    );
}

#[test]
fn a_collective_needs_the_sides_of_its_kind_and_no_others() {
    let device = null_device();
    let commands = recording(&device, 0);
    let channel = device.create_channel(QueueAffinity::ANY, 0, 2).unwrap();
    let storage = BufferRef::whole(&buffer(&device, 64));
    let transfer = buffer_for(&device, BufferUsage::TRANSFER, MemoryAccess::ALL);
    let transfer = BufferRef::whole(&transfer);
    let collective = |packed, param, send, receive| {
        code(commands.record(&Command::Collective {
            channel: &channel,
            op: CollectiveOp::from_packed(packed).unwrap(),
            param,
            send,
            receive,
            element_count: 1,
        }))
    };
    let (some, none) = (Some(&storage), None);
    // Those that pass validation are UNIMPLEMENTED.
    let (send, receive, gather) = (0x9_0006, 0x9_0007, 0x9_0000);
    assert_eq!(collective(send, 1, some, none), StatusCode::Unimplemented);
    assert_eq!(
        collective(receive, 1, none, some),
        StatusCode::Unimplemented
    );
    assert_eq!(collective(gather, 0, some, some), StatusCode::Unimplemented);
    let invalid = StatusCode::InvalidArgument;
    assert_eq!(collective(send, 1, none, some), invalid);
    assert_eq!(collective(receive, 1, some, none), invalid);
    assert_eq!(collective(gather, 0, some, none), invalid);
    assert_eq!(collective(send, 2, some, none), invalid);
    // A reduction on a kind that does not reduce.
    assert_eq!(collective(gather | 0x100, 0, some, some), invalid);
    assert_eq!(
        collective(gather, 0, Some(&transfer), some),
        StatusCode::PermissionDenied
    );
}
