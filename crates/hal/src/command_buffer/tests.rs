//! Rules of recording and submitting, on a provider that does nothing.

use super::*;
use crate::flags::{BufferUsage, MemoryAccess};
use crate::testing::{counted_device, null_device, null_device_with};
use crate::{
    Advice, Buffer, BufferParams, CollectiveOp, DescriptorBinding, DescriptorSetLayout, Device,
    ExecutableParams, Execution, PipelineLayout, StatusCode, WHOLE_BUFFER,
};
use hip::DeviceAttribute;

const ANY: CommandCategories = CommandCategories::ANY;

fn code<T>(result: Result<T>) -> StatusCode {
    match result {
        Ok(_) => panic!("it was allowed"),
        Err(status) => status.code(),
    }
}

fn create(device: &Device, flags: CommandBufferFlags, capacity: usize) -> CommandBuffer {
    device
        .create_command_buffer(flags, ANY, QueueAffinity::ANY, capacity)
        .unwrap()
}

/// A command buffer being recorded.
fn recording(device: &Device, capacity: usize) -> CommandBuffer {
    let commands = create(device, CommandBufferFlags::empty(), capacity);
    commands.begin().unwrap();
    commands
}

fn buffer(device: &Device, bytes: u64) -> Buffer {
    device
        .allocator()
        .allocate(&BufferParams::device_local(), bytes)
        .unwrap()
}

fn buffer_for(device: &Device, usage: BufferUsage, access: MemoryAccess) -> Buffer {
    let params = BufferParams {
        usage,
        access,
        ..BufferParams::device_local()
    };
    device.allocator().allocate(&params, 256).unwrap()
}

/// Takes two constants and two bindings.
fn scale_and_offset(device: &Device) -> Executable {
    let data = fixtures::read("gfx1100/scale_and_offset.fb");
    device
        .create_executable_cache()
        .prepare_fixture(&ExecutableParams::new(&data))
        .unwrap()
}

fn submit(device: &Device, commands: &CommandBuffer, bindings: Vec<Binding>) -> Result<()> {
    let execution = Execution::with_bindings(commands, &BindingTable::new(bindings));
    device
        .queue(QueueAffinity::ANY)?
        .execute(&[], &[], &[execution])
}

/// Applies commands to nothing and writes down what would be issued.
#[derive(Default)]
struct Log(Vec<String>);

impl deferred::Sink for Log {
    const IS_IN_ORDER: bool = false;

    fn barrier(&mut self) -> Result<()> {
        self.0.push("barrier".into());
        Ok(())
    }

    fn fill(&mut self, to: hip::DevicePtr, pattern: deferred::Pattern, count: u64) -> Result<()> {
        self.0.push(format!("fill {to:?} {pattern:?} x {count}"));
        Ok(())
    }

    fn copy(
        &mut self,
        to: hip::DevicePtr,
        from: hip::DevicePtr,
        bytes: u64,
        kind: hip::MemcpyKind,
    ) -> Result<()> {
        // Staging memory has another address each time.
        let from = match kind {
            hip::MemcpyKind::HostToDevice => "staging".into(),
            _ => format!("{from:?}"),
        };
        self.0.push(format!("copy {to:?} {from} {bytes}"));
        Ok(())
    }

    fn dispatch(
        &mut self,
        _: &hip::Function,
        config: &hip::LaunchConfig,
        kernarg: &[u8],
    ) -> hip::Result<()> {
        let grid = config.grid;
        self.0.push(format!(
            "dispatch {}x{}x{} {kernarg:?}",
            grid.x, grid.y, grid.z
        ));
        Ok(())
    }
}

fn applied(commands: &CommandBuffer, table: &[Binding]) -> Vec<String> {
    let mut log = Log::default();
    let recorded = commands.recorded().unwrap();
    recorded.commands.apply(&mut log, table).unwrap();
    log.0
}

fn kernarg(words: &[u64], constants: &[u32]) -> Vec<u8> {
    let words = words.iter().flat_map(|word| word.to_le_bytes());
    words
        .chain(constants.iter().flat_map(|value| value.to_le_bytes()))
        .collect()
}

fn address(buffer: &Buffer, offset: u64) -> u64 {
    buffer.device_ptr().unwrap().0 + buffer.byte_offset() + offset
}

#[test]
fn recording_begins_once_and_ends_once() {
    let device = null_device();
    let commands = create(&device, CommandBufferFlags::empty(), 0);
    assert_eq!(code(commands.barrier()), StatusCode::FailedPrecondition);
    assert_eq!(code(commands.end()), StatusCode::FailedPrecondition);
    commands.begin().unwrap();
    assert_eq!(code(commands.begin()), StatusCode::FailedPrecondition);
    assert_eq!(
        code(submit(&device, &commands, vec![])),
        StatusCode::FailedPrecondition
    );
    commands.end().unwrap();
    assert_eq!(code(commands.end()), StatusCode::FailedPrecondition);
    assert_eq!(code(commands.begin()), StatusCode::FailedPrecondition);
    assert_eq!(code(commands.barrier()), StatusCode::FailedPrecondition);
    submit(&device, &commands, vec![]).unwrap();
}

#[test]
fn every_command_needs_recording_to_have_begun() {
    let device = null_device();
    let commands = create(&device, CommandBufferFlags::UNVALIDATED, 0);
    let target = &BufferRef::whole(&buffer(&device, 16));
    let executable = &scale_and_offset(&device);
    let layout = &PipelineLayout::new(0, &[]).unwrap();
    let nothing = &BufferRef::range(&buffer(&device, 16), 0, 0);
    let all: [Command<'_>; 12] = [
        Command::ExecutionBarrier {
            source: ExecutionStage::empty(),
            target: ExecutionStage::empty(),
            flags: 0,
            memory: &[],
            buffers: &[],
        },
        Command::SignalEvent {
            event: &device.create_event().unwrap(),
            source: ExecutionStage::empty(),
        },
        Command::Advise {
            target,
            advice: Advice::Discard,
        },
        Command::Fill {
            target: nothing,
            pattern: &[0],
        },
        Command::Update {
            source: &[],
            target: nothing,
        },
        Command::Copy {
            source: nothing,
            target: nothing,
        },
        Command::PushConstants {
            layout,
            offset: 0,
            values: &[],
        },
        Command::PushDescriptorSet {
            layout,
            set: 0,
            bindings: &[],
        },
        Command::DispatchPushed {
            executable,
            export: 0,
            workgroups: [0; 3],
        },
        Command::Dispatch {
            executable,
            export: 0,
            config: [0; 3].into(),
            constants: &[],
            bindings: &[],
        },
        Command::BeginDebugGroup { label: "group" },
        Command::EndDebugGroup,
    ];
    for command in &all {
        assert_eq!(
            code(commands.record(command)),
            StatusCode::FailedPrecondition,
            "{command}"
        );
    }
}

#[test]
fn inline_execution_excludes_reuse_nesting_and_slots() {
    let device = null_device();
    let inline = CommandBufferFlags::ALLOW_INLINE_EXECUTION;
    let once = CommandBufferFlags::ONE_SHOT;
    let make =
        |flags, capacity| device.create_command_buffer(flags, ANY, QueueAffinity::ANY, capacity);
    make(inline | once, 0).unwrap();
    for (flags, capacity) in [
        (inline, 0),
        (inline | once | CommandBufferFlags::NESTED, 0),
        (inline | once, 1),
    ] {
        assert_eq!(code(make(flags, capacity)), StatusCode::InvalidArgument);
    }
}

#[test]
fn debug_groups_must_match() {
    let device = null_device();
    let commands = recording(&device, 0);
    let begin = Command::BeginDebugGroup { label: "outer" };
    commands.record(&begin).unwrap();
    assert_eq!(code(commands.end()), StatusCode::FailedPrecondition);
    // Too many ends are found at the end as well.
    commands.record(&Command::EndDebugGroup).unwrap();
    commands.record(&Command::EndDebugGroup).unwrap();
    assert_eq!(code(commands.end()), StatusCode::FailedPrecondition);
    commands.record(&begin).unwrap();
    commands.end().unwrap();
}

#[test]
fn categories_are_kept() {
    let device = null_device();
    let executable = scale_and_offset(&device);
    let target = BufferRef::whole(&buffer(&device, 16));
    let of = |categories| {
        let commands = device
            .create_command_buffer(
                CommandBufferFlags::empty(),
                categories,
                QueueAffinity::ANY,
                0,
            )
            .unwrap();
        commands.begin().unwrap();
        commands
    };
    let dispatches = of(CommandCategories::DISPATCH);
    assert_eq!(
        code(dispatches.fill(&target, &[0])),
        StatusCode::FailedPrecondition
    );
    let transfers = of(CommandCategories::TRANSFER);
    assert_eq!(
        code(transfers.dispatch(&executable, 0, [0; 3], &[], &[])),
        StatusCode::FailedPrecondition
    );
    transfers.fill(&target, &[0]).unwrap();
    transfers.barrier().unwrap();
    dispatches.barrier().unwrap();
}

#[test]
fn a_host_stage_or_a_flag_in_a_barrier_is_refused_when_recorded() {
    let device = null_device();
    let commands = recording(&device, 0);
    let barrier = |source, target, flags| {
        commands.record(&Command::ExecutionBarrier {
            source,
            target,
            flags,
            memory: &[],
            buffers: &[],
        })
    };
    let (host, transfer) = (ExecutionStage::HOST, ExecutionStage::TRANSFER);
    assert_eq!(code(barrier(host, transfer, 0)), StatusCode::Unimplemented);
    assert_eq!(code(barrier(transfer, host, 0)), StatusCode::Unimplemented);
    assert_eq!(
        code(barrier(transfer, transfer, 1)),
        StatusCode::Unimplemented
    );
    barrier(transfer, transfer, 0).unwrap();
}

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

#[test]
fn nested_command_buffers_keep_their_places() {
    let device = null_device();
    let nested = create(&device, CommandBufferFlags::NESTED, 1);
    let plain = create(&device, CommandBufferFlags::empty(), 0);
    let execute = |parent: &CommandBuffer, child: &CommandBuffer| {
        parent.record(&Command::ExecuteCommands {
            commands: child,
            bindings: &BindingTable::empty(),
        })
    };
    let failed = StatusCode::FailedPrecondition;
    nested.begin().unwrap();
    assert_eq!(code(execute(&nested, &plain)), failed);
    assert_eq!(code(execute(&recording(&device, 0), &plain)), failed);
    nested.end().unwrap();
    assert_eq!(
        code(submit(&device, &nested, vec![])),
        StatusCode::InvalidArgument
    );
}

#[test]
fn a_one_shot_command_buffer_is_submitted_once() {
    let device = null_device();
    let commands = create(&device, CommandBufferFlags::ONE_SHOT, 0);
    commands.begin().unwrap();
    commands.end().unwrap();
    submit(&device, &commands, vec![]).unwrap();
    assert_eq!(
        code(submit(&device, &commands, vec![])),
        StatusCode::FailedPrecondition
    );
    let reusable = recording(&device, 0);
    reusable.end().unwrap();
    for _ in 0..3 {
        submit(&device, &reusable, vec![]).unwrap();
    }
}

#[test]
fn a_command_buffer_of_another_device_is_refused() {
    let (device, other) = (null_device(), null_device());
    let commands = recording(&other, 0);
    commands.end().unwrap();
    assert_eq!(
        code(submit(&device, &commands, vec![])),
        StatusCode::InvalidArgument
    );
}

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

#[test]
fn commands_keep_their_buffers_and_code_unless_told_not_to() {
    for (flags, is_kept) in [
        (CommandBufferFlags::empty(), true),
        (CommandBufferFlags::UNRETAINED, false),
    ] {
        let device = null_device();
        let commands = create(&device, flags, 0);
        commands.begin().unwrap();
        let (a, b) = (buffer(&device, 64), buffer(&device, 64));
        let used = [&a, &b].map(|buffer| Arc::downgrade(buffer.allocation()));
        commands.fill(&BufferRef::whole(&a), &[0]).unwrap();
        commands
            .copy(&BufferRef::whole(&a), &BufferRef::whole(&b))
            .unwrap();
        drop((a, b));
        commands.end().unwrap();
        for weak in &used {
            assert_eq!(weak.upgrade().is_some(), is_kept);
        }
        drop(commands);
        for weak in used {
            assert!(weak.upgrade().is_none());
        }
    }
}

#[test]
fn a_dropped_command_buffer_gives_everything_back() {
    let (device, plan) = counted_device();
    let before = plan.live();
    let used_before = device.block_pool().usage().used;
    let commands = recording(&device, 0);
    let target = buffer(&device, 64);
    commands
        .update(&[1; 64], &BufferRef::whole(&target))
        .unwrap();
    commands.end().unwrap();
    submit(&device, &commands, vec![]).unwrap();
    drop((commands, target));
    let queue = device.queue(QueueAffinity::ANY).unwrap();
    queue.wait_idle();
    assert_eq!(device.block_pool().usage().used, used_before);
    device.trim().unwrap();
    // One event for the queue's markers is kept for the next.
    assert_eq!(plan.live(), before + 1);
    drop(device);
    assert_eq!(plan.live(), 0);
}

#[test]
fn commands_print_as_one_line_each() {
    let device = null_device();
    let commands = create(&device, CommandBufferFlags::empty(), 2);
    commands.begin_listed().unwrap();
    let executable = scale_and_offset(&device);
    let data = buffer(&device, 64);
    let at = address(&data, 0);
    commands
        .fill(&BufferRef::range(&data, 0, 32), &[0xCD, 0xAB])
        .unwrap();
    commands
        .update(&[0; 8], &BufferRef::range(&data, 8, 8))
        .unwrap();
    commands
        .copy(
            &BufferRef::slot(0, 0, 16),
            &BufferRef::slot(1, 16, WHOLE_BUFFER),
        )
        .unwrap();
    commands.barrier().unwrap();
    commands
        .record(&Command::BeginDebugGroup { label: "layer 1" })
        .unwrap();
    let bindings = [BufferRef::whole(&data), BufferRef::slot(1, 0, 16)];
    commands
        .dispatch(&executable, 0, [4, 2, 1], &[3, 10], &bindings)
        .unwrap();
    commands.record(&Command::EndDebugGroup).unwrap();
    assert!(commands.fill(&BufferRef::whole(&data), &[]).is_err());
    commands.end().unwrap();
    let [x, y, z] = executable.export(0).unwrap().workgroup_size();
    assert_eq!(
        commands.listing(),
        [
            format!("fill {at:#x}[0..32] with 0xabcd"),
            format!("update {at:#x}[8..16] with 8 bytes"),
            "copy slot0[0..16] to slot1[16..]".into(),
            "barrier dispatch|transfer|command_retire -> command_issue|dispatch|transfer".into(),
            "begin_debug_group layer 1".into(),
            format!(
                "dispatch scale_and_offset grid=4x2x1 block={x}x{y}x{z} constants=[3, 10] \
                 bindings=[{at:#x}[0..], slot1[0..16]]"
            ),
            "end_debug_group".into(),
        ]
    );
}
