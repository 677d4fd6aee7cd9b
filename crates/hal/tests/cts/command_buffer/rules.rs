//! What commands are refused while they are recorded, or, for what a slot is
//! bound to, when they are submitted. A refused command leaves nothing behind.

use hal::flags::{BufferUsage, CommandBufferFlags, CommandCategories, MemoryAccess};
use hal::{
    Advice, Binding, BindingTable, Buffer, BufferParams, BufferRef, CollectiveElement,
    CollectiveKind, CollectiveOp, CollectiveReduction, Command, CommandBuffer, Execution,
    QueueAffinity, StatusCode,
};

use crate::cases;
use crate::frame::{Case, Fixture, Outcome, Stop};
use crate::work::{Recorder, refused, slot};

pub(crate) const CASES: &[Case] = cases![Bindings:
    fill_pattern_sizes,
    fill_alignment,
    ranges,
    lengths_that_overflow,
    usage,
    access,
    copy_lengths,
    copy_overlap,
    discard,
    refused_commands_leave_nothing,
    categories,
    unvalidated_and_unretained,
    slots_beyond_capacity,
    tables_that_do_not_fit,
    table_offset_out_of_range,
    collectives,
    nested,
];

/// Records one command, submits it if it was accepted, and returns what either said.
fn attempt(
    fixture: &Fixture,
    record: impl FnOnce(&Recorder) -> hal::Result<()>,
) -> Result<hal::Result<()>, Stop> {
    let mut recorded = Ok(());
    let execution = fixture.record_one_shot(|commands| {
        recorded = record(commands);
        Ok(())
    })?;
    if recorded.is_err() {
        return Ok(recorded);
    }
    let done = fixture.semaphore()?;
    let signals = crate::work::at(&done, 1);
    let submitted = fixture.queue().execute(&[], &signals, &[execution]);
    if submitted.is_ok() {
        fixture.wait(&done, 1)?;
    }
    Ok(submitted)
}

fn fill_pattern_sizes(fixture: &Fixture) -> Outcome {
    let buffer = fixture.buffer(48, 0)?;
    for size in [0, 3, 5, 8, 16] {
        let pattern = vec![1; size];
        let result = attempt(fixture, |commands| {
            commands.fill(&commands.whole(&buffer), &pattern)
        })?;
        refused(result, StatusCode::InvalidArgument);
    }
    fixture.expect(&buffer, &[0; 48])
}

fn fill_alignment(fixture: &Fixture) -> Outcome {
    let buffer = fixture.buffer(48, 0)?;
    for (size, offset, length) in [(2, 1, 2), (2, 0, 3), (4, 2, 4), (4, 0, 6), (4, 4, 2)] {
        let pattern = vec![1; size];
        let result = attempt(fixture, |commands| {
            commands.fill(&commands.range(&buffer, offset, length), &pattern)
        })?;
        refused(result, StatusCode::InvalidArgument);
    }
    fixture.expect(&buffer, &[0; 48])
}

fn ranges(fixture: &Fixture) -> Outcome {
    let (buffer, other) = (fixture.buffer(64, 0)?, fixture.buffer(256, 0)?);
    for (offset, length) in [(0, 65), (60, 8), (64, 1), (1000, 4)] {
        let fill = attempt(fixture, |commands| {
            commands.fill(&commands.range(&buffer, offset, length), &[1])
        })?;
        refused(fill, StatusCode::OutOfRange);
        let bytes = vec![1; length as usize];
        let update = attempt(fixture, |commands| {
            commands.update(&bytes, &commands.range(&buffer, offset, length))
        })?;
        refused(update, StatusCode::OutOfRange);
        let far = attempt(fixture, |commands| {
            let source = commands.range(&other, 0, length);
            commands.copy(&source, &commands.range(&buffer, offset, length))
        })?;
        refused(far, StatusCode::OutOfRange);
        let near = attempt(fixture, |commands| {
            let source = commands.range(&buffer, offset, length);
            commands.copy(&source, &commands.range(&other, 0, length))
        })?;
        refused(near, StatusCode::OutOfRange);
    }
    fixture.expect(&buffer, &[0; 64])
}

fn lengths_that_overflow(fixture: &Fixture) -> Outcome {
    let buffer = fixture.buffer(64, 0)?;
    for (offset, length) in [(16, u64::MAX - 8), (u64::MAX - 8, 16), (u64::MAX, 4)] {
        let result = attempt(fixture, |commands| {
            commands.fill(&commands.range(&buffer, offset, length), &[1])
        })?;
        refused(result, StatusCode::OutOfRange);
    }
    fixture.expect(&buffer, &[0; 64])
}

/// A buffer that allows only some things.
fn restricted(fixture: &Fixture, usage: BufferUsage, access: MemoryAccess) -> hal::Result<Buffer> {
    let params = BufferParams {
        usage,
        access,
        ..BufferParams::device_local()
    };
    fixture.device.allocator().allocate(&params, 64)
}

/// Which transfers a buffer is refused for: as target of a fill, an update
/// and a copy, as source of a copy.
fn refusals(fixture: &Fixture, buffer: &Buffer) -> Result<[Option<StatusCode>; 4], Stop> {
    let other = fixture.buffer(64, 0)?;
    let results = [
        attempt(fixture, |commands| {
            commands.fill(&commands.range(buffer, 0, 16), &[1])
        })?,
        attempt(fixture, |commands| {
            commands.update(&[1; 16], &commands.range(buffer, 0, 16))
        })?,
        attempt(fixture, |commands| {
            let source = commands.range(&other, 0, 16);
            commands.copy(&source, &commands.range(buffer, 0, 16))
        })?,
        attempt(fixture, |commands| {
            let source = commands.range(buffer, 0, 16);
            commands.copy(&source, &commands.range(&other, 0, 16))
        })?,
    ];
    Ok(results.map(|result| result.err().map(|status| status.code())))
}

const DENIED: Option<StatusCode> = Some(StatusCode::PermissionDenied);

fn usage(fixture: &Fixture) -> Outcome {
    for (usage, expected) in [
        (BufferUsage::TRANSFER, [None; 4]),
        (BufferUsage::TRANSFER_SOURCE, [DENIED, DENIED, DENIED, None]),
        (BufferUsage::TRANSFER_TARGET, [None, None, None, DENIED]),
        (BufferUsage::DISPATCH_STORAGE, [DENIED; 4]),
    ] {
        let buffer = restricted(fixture, usage, MemoryAccess::ALL)?;
        assert_eq!(refusals(fixture, &buffer)?, expected, "{usage:?}");
    }
    // A dispatch needs a usage of its own.
    let executable = fixture.executable("write_workgroup_ids")?;
    let buffer = restricted(fixture, BufferUsage::TRANSFER, MemoryAccess::ALL)?;
    let result = attempt(fixture, |commands| {
        let bindings = [commands.whole(&buffer)];
        commands.dispatch(&executable, 0, [1, 1, 1], &[], &bindings)
    })?;
    refused(result, StatusCode::PermissionDenied);
    Ok(())
}

fn access(fixture: &Fixture) -> Outcome {
    for (access, expected) in [
        (MemoryAccess::READ, [DENIED, DENIED, DENIED, None]),
        (MemoryAccess::WRITE, [None, None, None, DENIED]),
        (MemoryAccess::READ | MemoryAccess::WRITE, [None; 4]),
    ] {
        let buffer = restricted(fixture, BufferUsage::DEFAULT, access)?;
        assert_eq!(refusals(fixture, &buffer)?, expected, "{access:?}");
    }
    Ok(())
}

fn copy_lengths(fixture: &Fixture) -> Outcome {
    let (source, target) = (fixture.buffer(64, 1)?, fixture.buffer(64, 0)?);
    for (from, to) in [(16, 32), (32, 16)] {
        let result = attempt(fixture, |commands| {
            let source = commands.range(&source, 0, from);
            commands.copy(&source, &commands.range(&target, 0, to))
        })?;
        refused(result, StatusCode::InvalidArgument);
    }
    let (short, long) = (fixture.buffer(32, 1)?, fixture.buffer(64, 0)?);
    let result = attempt(fixture, |commands| {
        commands.copy(&commands.whole(&short), &commands.whole(&long))
    })?;
    refused(result, StatusCode::InvalidArgument);
    fixture.expect(&target, &[0; 64])?;
    fixture.expect(&long, &[0; 64])
}

fn copy_overlap(fixture: &Fixture) -> Outcome {
    let buffer = fixture.buffer(64, 1)?;
    let views = [buffer.subspan(0, 32)?, buffer.subspan(16, 32)?];
    for (from, to, length) in [(0, 8, 16), (8, 0, 16), (4, 4, 4), (0, 15, 16)] {
        let result = attempt(fixture, |commands| {
            let source = commands.range(&buffer, from, length);
            commands.copy(&source, &commands.range(&buffer, to, length))
        })?;
        refused(result, StatusCode::InvalidArgument);
    }
    // Other views of the same memory are no other memory.
    let result = attempt(fixture, |commands| {
        commands.copy(&commands.whole(&views[0]), &commands.whole(&views[1]))
    })?;
    refused(result, StatusCode::InvalidArgument);
    fixture.expect(&buffer, &[1; 64])
}

fn discard(fixture: &Fixture) -> Outcome {
    let buffer = fixture.buffer(64, 1)?;
    let advise = |offset, length| {
        attempt(fixture, |commands| {
            commands.record(&Command::Advise {
                target: &commands.range(&buffer, offset, length),
                advice: Advice::Discard,
            })
        })
    };
    advise(0, 64)??;
    refused(advise(32, 64)?, StatusCode::OutOfRange);
    Ok(())
}

fn refused_commands_leave_nothing(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("scale_and_offset")?;
    let (buffer, output) = (fixture.buffer(64, 1)?, fixture.buffer(64, 0)?);
    let commands = fixture.command_buffer(CommandBufferFlags::empty(), 0)?;
    commands.begin()?;
    let wrong = BufferRef::range(&buffer, 60, 8);
    let aside = BufferRef::range(&buffer, 4, 16);
    for _ in 0..3 {
        refused(commands.fill(&wrong, &[9]), StatusCode::OutOfRange);
        let bindings = [BufferRef::whole(&output), aside.clone()];
        let dispatch = commands.dispatch(&executable, 0, [1, 1, 1], &[7, 7], &bindings);
        refused(dispatch, StatusCode::InvalidArgument);
        let copy = commands.copy(&BufferRef::whole(&output), &wrong);
        refused(copy, StatusCode::OutOfRange);
    }
    let bindings = [
        BufferRef::range(&buffer, 0, 16),
        BufferRef::range(&output, 16, 16),
    ];
    commands.dispatch(&executable, 0, [1, 1, 1], &[0, 5], &bindings)?;
    commands.end()?;
    fixture.submit(&Execution::new(&commands))?;
    let expected = crate::work::words([0, 0, 0, 0, 5, 5, 5, 5, 0, 0, 0, 0, 0, 0, 0, 0]);
    fixture.expect(&output, &expected)?;
    fixture.expect(&buffer, &[1; 64])
}

/// A command buffer for only some categories of commands.
fn only(fixture: &Fixture, categories: CommandCategories) -> Result<CommandBuffer, Stop> {
    let (flags, affinity) = (CommandBufferFlags::empty(), QueueAffinity::ANY);
    let slots = if fixture.indirect { 2 } else { 0 };
    let device = &fixture.device;
    let commands = device.create_command_buffer(flags, categories, affinity, slots)?;
    commands.begin()?;
    Ok(commands)
}

fn categories(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("write_workgroup_ids")?;
    let buffers = [fixture.buffer(64, 0)?, fixture.buffer(64, 0)?];
    let [first, second] = match fixture.indirect {
        true => [0, 1].map(|slot| BufferRef::slot(slot, 0, 64)),
        false => [0, 1].map(|index: usize| BufferRef::whole(&buffers[index])),
    };
    let transfer = only(fixture, CommandCategories::TRANSFER)?;
    transfer.fill(&first, &[1])?;
    transfer.update(&[1; 64], &first)?;
    transfer.copy(&first, &second)?;
    transfer.barrier()?;
    let bindings = [first.clone()];
    let recorded = transfer.dispatch(&executable, 0, [1, 1, 1], &[], &bindings);
    refused(recorded, StatusCode::FailedPrecondition);
    let dispatch = only(fixture, CommandCategories::DISPATCH)?;
    dispatch.dispatch(&executable, 0, [1, 1, 1], &[], &bindings)?;
    dispatch.barrier()?;
    for refusal in [
        dispatch.fill(&first, &[1]),
        dispatch.update(&[1; 64], &first),
        dispatch.copy(&first, &second),
    ] {
        refused(refusal, StatusCode::FailedPrecondition);
    }
    Ok(())
}

/// Correct commands do the same without the checks.
fn unvalidated_and_unretained(fixture: &Fixture) -> Outcome {
    let flags = CommandBufferFlags::UNVALIDATED | CommandBufferFlags::UNRETAINED;
    let buffers = [fixture.buffer(64, 0)?, fixture.buffer(64, 0)?];
    let [first, second] = match fixture.indirect {
        true => [0, 1].map(|slot| BufferRef::slot(slot, 0, 64)),
        false => [0, 1].map(|index: usize| BufferRef::whole(&buffers[index])),
    };
    let commands = fixture.command_buffer(flags, if fixture.indirect { 2 } else { 0 })?;
    commands.begin()?;
    commands.fill(&first, &[3])?;
    commands.barrier()?;
    commands.copy(&first, &second)?;
    commands.end()?;
    for _ in 0..2 {
        fixture.submit_with(&commands, &[&buffers[0], &buffers[1]])?;
        fixture.expect(&buffers[1], &[3; 64])?;
        fixture.upload(&buffers[1], &[0; 64])?;
    }
    Ok(())
}

fn slots_beyond_capacity(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("write_workgroup_ids")?;
    let buffer = fixture.buffer(64, 0)?;
    for (slots, slot) in [(2, 2), (2, 1000), (1, u32::MAX), (0, 0)] {
        let commands = fixture.command_buffer(CommandBufferFlags::empty(), slots)?;
        commands.begin()?;
        let range = BufferRef::slot(slot, 0, 16);
        let other = BufferRef::range(&buffer, 0, 16);
        let bindings = [range.clone()];
        for refusal in [
            commands.fill(&range, &[1]),
            commands.update(&[1; 16], &range),
            commands.copy(&range, &other),
            commands.copy(&other, &range),
            commands.dispatch(&executable, 0, [1, 1, 1], &[], &bindings),
        ] {
            refused(refusal, StatusCode::OutOfRange);
        }
    }
    Ok(())
}

fn tables_that_do_not_fit(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("write_workgroup_ids")?;
    let commands = fixture.record_slots(|commands| {
        commands.fill(&BufferRef::slot(1, 16, 32), &[1])?;
        commands.barrier()?;
        commands.dispatch(&executable, 0, [1, 1, 1], &[], &[slot(2)])
    })?;
    let allocate = |usage| restricted(fixture, usage, MemoryAccess::ALL);
    let buffer = allocate(BufferUsage::DEFAULT)?;
    let short = buffer.subspan(0, 32)?;
    let askew = buffer.subspan(8, 48)?;
    let source = allocate(BufferUsage::TRANSFER_SOURCE)?;
    let tables: [(&[&Buffer], StatusCode); 6] = [
        (&[], StatusCode::InvalidArgument),
        (&[&buffer], StatusCode::OutOfRange),
        (&[&buffer, &buffer], StatusCode::OutOfRange),
        (&[&buffer, &short, &buffer], StatusCode::OutOfRange),
        (&[&buffer, &source, &buffer], StatusCode::PermissionDenied),
        (&[&buffer, &buffer, &askew], StatusCode::InvalidArgument),
    ];
    let done = fixture.semaphore()?;
    for (buffers, code) in tables {
        let execution = Execution::with_bindings(&commands, &crate::work::table(buffers));
        let signals = crate::work::at(&done, 1);
        let submitted = fixture.queue().execute(&[], &signals, &[execution]);
        refused(submitted, code);
    }
    assert_eq!(done.query()?, 0, "something was submitted");
    // What is bound to a slot that is not used does not matter.
    fixture.submit_with(&commands, &[&source, &buffer, &buffer])
}

fn table_offset_out_of_range(fixture: &Fixture) -> Outcome {
    let commands = fixture.record_slots(|commands| commands.fill(&slot(0), &[1]))?;
    let buffer = fixture.buffer(64, 0)?;
    for (offset, length) in [(65, 0), (32, 64), (u64::MAX - 3, 8)] {
        let bindings = BindingTable::new(vec![Binding::range(&buffer, offset, length)]);
        let execution = Execution::with_bindings(&commands, &bindings);
        let submitted = fixture.queue().execute(&[], &[], &[execution]);
        refused(submitted, StatusCode::OutOfRange);
    }
    fixture.expect(&buffer, &[0; 64])
}

/// Wrong ones are told what is wrong; right ones, that there are none.
fn collectives(fixture: &Fixture) -> Outcome {
    let channel = fixture.device.create_channel(QueueAffinity::ANY, 0, 2)?;
    let buffer = fixture.buffer(64, 0)?;
    let collective = |kind, reduction, has_send: bool, has_receive: bool, param| {
        attempt(fixture, |commands| {
            let range = commands.range(&buffer, 0, 32);
            commands.record(&Command::Collective {
                channel: &channel,
                op: CollectiveOp {
                    kind,
                    reduction,
                    element: CollectiveElement::F32,
                },
                param,
                send: has_send.then_some(&range),
                receive: has_receive.then_some(&range),
                element_count: 8,
            })
        })
    };
    let (none, sum) = (CollectiveReduction::None, CollectiveReduction::Sum);
    for (kind, reduction, send, receive) in [
        (CollectiveKind::AllReduce, sum, false, true),
        (CollectiveKind::AllReduce, sum, true, false),
        (CollectiveKind::Broadcast, sum, true, true),
        (CollectiveKind::Send, none, false, true),
        (CollectiveKind::Recv, none, true, false),
    ] {
        let result = collective(kind, reduction, send, receive, 0)?;
        refused(result, StatusCode::InvalidArgument);
    }
    for (kind, reduction, send, receive) in [
        (CollectiveKind::AllReduce, sum, true, true),
        (CollectiveKind::Send, none, true, false),
        (CollectiveKind::Recv, none, false, true),
    ] {
        let result = collective(kind, reduction, send, receive, 1)?;
        refused(result, StatusCode::Unimplemented);
    }
    let peer = collective(CollectiveKind::Send, none, true, false, 2)?;
    refused(peer, StatusCode::InvalidArgument);
    Ok(())
}

fn nested(fixture: &Fixture) -> Outcome {
    let nested = fixture.command_buffer(CommandBufferFlags::NESTED, 1)?;
    nested.begin()?;
    nested.end()?;
    let plain = fixture.command_buffer(CommandBufferFlags::empty(), 0)?;
    let bindings = BindingTable::empty();
    let execute = |commands| Command::ExecuteCommands {
        commands,
        bindings: &bindings,
    };
    let result = attempt(fixture, |commands| commands.record(&execute(&plain)))?;
    refused(result, StatusCode::FailedPrecondition);
    let result = attempt(fixture, |commands| commands.record(&execute(&nested)))?;
    refused(result, StatusCode::Unimplemented);
    let inner = fixture.command_buffer(CommandBufferFlags::NESTED, 0)?;
    inner.begin()?;
    let result = inner.record(&execute(&nested));
    refused(result, StatusCode::FailedPrecondition);
    let executions = [Execution::new(&nested)];
    let submitted = fixture.queue().execute(&[], &[], &executions);
    refused(submitted, StatusCode::InvalidArgument);
    Ok(())
}
