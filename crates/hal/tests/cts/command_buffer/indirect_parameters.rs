//! Dispatches that read their workgroup counts from memory.

use hal::flags::{BufferUsage, CommandBufferFlags};
use hal::{Buffer, BufferParams, BufferRef, Command, Executable, StatusCode, WHOLE_BUFFER};

use crate::cases;
use crate::frame::{Case, Fixture, Outcome};
use crate::work::{Recorder, patched, refused, words};

pub(crate) const CASES: &[Case] = cases![Bindings:
    static_parameters_from_queue_update,
    whole_buffer_parameter_ref,
    dynamic_parameters_from_update,
    dynamic_parameters_from_fill,
    dynamic_parameters_from_dispatch,
    sub_allocated_parameter_buffer,
    refused_while_recording,
    rules,
];

/// Four workgroups in x.
const FOUR: [u32; 3] = [4, 1, 1];

/// A buffer for workgroup counts.
fn parameters(fixture: &Fixture, usage: BufferUsage) -> hal::Result<Buffer> {
    let params = BufferParams {
        usage: BufferUsage::DEFAULT | usage,
        ..BufferParams::device_local()
    };
    fixture.device.allocator().allocate(&params, 64)
}

/// Commands for the counts, a barrier, then an indirect dispatch of a kernel
/// that writes its workgroup's number: `workgroups` of them, and no more.
fn dispatch(
    fixture: &Fixture,
    (offset, length): (u64, u64),
    workgroups: u32,
    prepare: impl Fn(&Recorder, &Buffer) -> Outcome,
) -> Outcome {
    let executable = fixture.executable("write_workgroup_ids")?;
    let counts = parameters(fixture, BufferUsage::DISPATCH_INDIRECT_PARAMS)?;
    let output = fixture.buffer(128, 0xFF)?;
    fixture.upload(&counts, &words([9; 16]))?;
    fixture.execute(|commands| {
        prepare(commands, &counts)?;
        commands.barrier()?;
        let workgroups = commands.range(&counts, offset, length);
        let bindings = [commands.whole(&output)];
        commands.record(&indirect(&executable, &workgroups, &bindings))?;
        Ok(())
    })?;
    let expected = patched(vec![0xFF; 128], 0, &words(0..workgroups));
    fixture.expect(&output, &expected)
}

fn indirect<'a>(
    executable: &'a Executable,
    workgroups: &'a BufferRef,
    bindings: &'a [BufferRef],
) -> Command<'a> {
    Command::DispatchIndirect {
        executable,
        export: 0,
        workgroups,
        constants: &[],
        bindings,
    }
}

fn static_parameters_from_queue_update(fixture: &Fixture) -> Outcome {
    dispatch(fixture, (0, 12), 4, |_, counts| {
        fixture.upload(counts, &words(FOUR))
    })
}

fn whole_buffer_parameter_ref(fixture: &Fixture) -> Outcome {
    dispatch(fixture, (0, WHOLE_BUFFER), 4, |_, counts| {
        fixture.upload(counts, &words(FOUR))
    })
}

fn dynamic_parameters_from_update(fixture: &Fixture) -> Outcome {
    dispatch(fixture, (0, 12), 4, |commands, counts| {
        commands.update(&words(FOUR), &commands.range(counts, 0, 12))?;
        Ok(())
    })
}

fn dynamic_parameters_from_fill(fixture: &Fixture) -> Outcome {
    dispatch(fixture, (0, 12), 1, |commands, counts| {
        commands.fill(&commands.range(counts, 0, 12), &1_u32.to_le_bytes())?;
        Ok(())
    })
}

fn dynamic_parameters_from_dispatch(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("write_dispatch_params")?;
    dispatch(fixture, (0, 12), 4, |commands, counts| {
        let bindings = [commands.range(counts, 0, 16)];
        commands.dispatch(&executable, 0, [1, 1, 1], &[], &bindings)?;
        Ok(())
    })
}

fn sub_allocated_parameter_buffer(fixture: &Fixture) -> Outcome {
    dispatch(fixture, (16, 12), 4, |commands, counts| {
        commands.update(&words(FOUR), &commands.range(counts, 16, 12))?;
        Ok(())
    })
}

/// A reason is given at once, and the rest of the commands still works.
fn refused_while_recording(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("write_workgroup_ids")?;
    let counts = parameters(fixture, BufferUsage::DISPATCH_INDIRECT_PARAMS)?;
    let output = fixture.buffer(16, 0)?;
    fixture.execute(|commands| {
        let workgroups = commands.range(&counts, 0, 12);
        let bindings = [commands.whole(&output)];
        let pushed = Command::DispatchPushedIndirect {
            executable: &executable,
            export: 0,
            workgroups: &workgroups,
        };
        for command in [indirect(&executable, &workgroups, &bindings), pushed] {
            let status = commands.record(&command).expect_err("recorded");
            assert_eq!(status.code(), StatusCode::Unimplemented);
            assert!(!status.message().is_empty());
        }
        commands.fill(&bindings[0], &[1])?;
        Ok(())
    })?;
    fixture.expect(&output, &[1; 16])
}

/// What would never be right is said first.
fn rules(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("write_workgroup_ids")?;
    let counts = parameters(fixture, BufferUsage::DISPATCH_INDIRECT_PARAMS)?;
    let other = parameters(fixture, BufferUsage::empty())?;
    let output = fixture.buffer(16, 0)?;
    let commands = fixture.command_buffer(CommandBufferFlags::empty(), 2)?;
    commands.begin()?;
    let bindings = [BufferRef::whole(&output)];
    for (buffer, offset, length, code) in [
        (&other, 0, 12, StatusCode::PermissionDenied),
        (&counts, 56, 12, StatusCode::OutOfRange),
        (&counts, 64, 4, StatusCode::OutOfRange),
        (&counts, 2, 12, StatusCode::InvalidArgument),
    ] {
        let workgroups = BufferRef::range(buffer, offset, length);
        let command = indirect(&executable, &workgroups, &bindings);
        refused(commands.record(&command), code);
    }
    let export = Command::DispatchIndirect {
        executable: &executable,
        export: 3,
        workgroups: &BufferRef::range(&counts, 0, 12),
        constants: &[],
        bindings: &bindings,
    };
    refused(commands.record(&export), StatusCode::OutOfRange);
    Ok(())
}
