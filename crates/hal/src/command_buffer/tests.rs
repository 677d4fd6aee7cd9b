//! Rules of recording and submitting, on a provider that does nothing.

mod auto;
mod dispatches;
mod slots;
mod transfers;

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
fn binding_slots_are_limited() {
    let device = null_device();
    let make = |slots| {
        let flags = CommandBufferFlags::empty();
        device.create_command_buffer(flags, ANY, QueueAffinity::ANY, slots)
    };
    let commands = make(MAX_BINDING_SLOTS).unwrap();
    commands.begin().unwrap();
    commands.end().unwrap();
    for slots in [MAX_BINDING_SLOTS + 1, usize::MAX] {
        assert_eq!(code(make(slots)), StatusCode::ResourceExhausted);
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
