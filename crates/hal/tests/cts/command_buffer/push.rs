//! The older form of dispatches: constants and bindings are pushed, and stay
//! from dispatch to dispatch.

use hal::flags::CommandBufferFlags;
use hal::{
    BufferRef, Command, DescriptorBinding, DescriptorSetLayout, Executable, ExecutableParams,
    Execution, PipelineLayout, StatusCode,
};

use crate::cases;
use crate::frame::{Case, Fixture, Outcome, Stop};
use crate::work::{Recorder, floats, patched, refused, words};

pub(crate) const CASES: &[Case] = cases![Kernels:
    abs,
    with_push_constants,
    with_push_constants_inline,
    constants_in_pieces,
    state_persists,
    constants_not_pushed_are_zero,
    two_descriptor_sets,
    without_layouts,
    zero_workgroups_run_nothing,
    as_many_constants_as_there_are,
    too_many_constants,
    sets_and_bindings_that_cannot_be,
    slots_that_cannot_be,
];

/// A layout of these many constants and bindings by set.
fn layout(constants: usize, sets: &[u32]) -> hal::Result<PipelineLayout> {
    let sets = sets
        .iter()
        .map(|&bindings| {
            let bindings: Vec<_> = (0..bindings)
                .map(|binding| DescriptorBinding {
                    binding,
                    descriptor_type: 7,
                    flags: 0,
                })
                .collect();
            DescriptorSetLayout::new(&bindings)
        })
        .collect::<hal::Result<Vec<_>>>()?;
    PipelineLayout::new(constants, &sets)
}

/// Loads kernels with the layout they were compiled for, one for each export.
fn executable(
    fixture: &Fixture,
    name: &str,
    layouts: &[PipelineLayout],
) -> Result<Executable, Stop> {
    let data = fixture.kernels(name)?;
    let params = ExecutableParams {
        pipeline_layouts: layouts,
        ..ExecutableParams::new(&data)
    };
    Ok(fixture.prepare(&params)?)
}

fn push_constants(
    commands: &Recorder,
    layout: &PipelineLayout,
    offset: u32,
    values: &[u32],
) -> hal::Result<()> {
    commands.record(&Command::PushConstants {
        layout,
        offset,
        values,
    })
}

fn push_set(
    commands: &Recorder,
    layout: &PipelineLayout,
    set: u32,
    bindings: &[(u32, BufferRef)],
) -> hal::Result<()> {
    commands.record(&Command::PushDescriptorSet {
        layout,
        set,
        bindings,
    })
}

fn dispatch(commands: &Recorder, executable: &Executable, workgroups: [u32; 3]) -> hal::Result<()> {
    commands.record(&Command::DispatchPushed {
        executable,
        export: 0,
        workgroups,
    })
}

fn abs(fixture: &Fixture) -> Outcome {
    let layout = layout(0, &[2])?;
    let executable = executable(fixture, "abs", std::slice::from_ref(&layout))?;
    let input = fixture.buffer_of(&floats(&[-2.5; 12]))?;
    let output = fixture.buffer_of(&floats(&[-9.0; 12]))?;
    fixture.execute(|commands| {
        let bindings = [
            (0, commands.view(&input, 16, 8)),
            (1, commands.range(&output, 32, 8)),
        ];
        push_set(commands, &layout, 0, &bindings)?;
        dispatch(commands, &executable, [1, 1, 1])?;
        commands.barrier()?;
        Ok(())
    })?;
    let expected = patched(floats(&[-9.0; 12]), 32, &floats(&[2.5, 2.5]));
    fixture.expect(&output, &expected)
}

fn with_push_constants(fixture: &Fixture) -> Outcome {
    let layout = layout(4, &[1])?;
    let executable = executable(fixture, "write_constants", std::slice::from_ref(&layout))?;
    let output = fixture.buffer(16, 0xFF)?;
    fixture.execute(|commands| {
        push_constants(commands, &layout, 0, &[11, 22, 33, 44])?;
        push_set(commands, &layout, 0, &[(0, commands.whole(&output))])?;
        dispatch(commands, &executable, [1, 1, 1])?;
        Ok(())
    })?;
    fixture.expect(&output, &words([11, 22, 33, 44]))
}

/// In a command buffer that may be executed while it is recorded.
fn with_push_constants_inline(fixture: &Fixture) -> Outcome {
    let layout = layout(4, &[1])?;
    let executable = executable(fixture, "write_constants", std::slice::from_ref(&layout))?;
    let output = fixture.buffer(16, 0xFF)?;
    let flags = CommandBufferFlags::ONE_SHOT | CommandBufferFlags::ALLOW_INLINE_EXECUTION;
    let commands = fixture.command_buffer(flags, 0)?;
    commands.begin()?;
    commands.record(&Command::PushConstants {
        layout: &layout,
        offset: 0,
        values: &[11, 22, 33, 44],
    })?;
    commands.record(&Command::PushDescriptorSet {
        layout: &layout,
        set: 0,
        bindings: &[(0, BufferRef::whole(&output))],
    })?;
    commands.record(&Command::DispatchPushed {
        executable: &executable,
        export: 0,
        workgroups: [1, 1, 1],
    })?;
    commands.end()?;
    fixture.submit(&Execution::new(&commands))?;
    fixture.expect(&output, &words([11, 22, 33, 44]))
}

fn constants_in_pieces(fixture: &Fixture) -> Outcome {
    let layout = layout(4, &[1])?;
    let executable = executable(fixture, "write_constants", std::slice::from_ref(&layout))?;
    let output = fixture.buffer(16, 0xFF)?;
    fixture.execute(|commands| {
        push_constants(commands, &layout, 8, &[3, 4])?;
        push_constants(commands, &layout, 0, &[1])?;
        push_constants(commands, &layout, 4, &[9, 10])?;
        push_constants(commands, &layout, 12, &[])?;
        push_set(commands, &layout, 0, &[(0, commands.whole(&output))])?;
        dispatch(commands, &executable, [1, 1, 1])?;
        Ok(())
    })?;
    fixture.expect(&output, &words([1, 9, 10, 4]))
}

fn state_persists(fixture: &Fixture) -> Outcome {
    let layout = layout(2, &[2])?;
    let executable = executable(fixture, "scale_and_offset", std::slice::from_ref(&layout))?;
    let input = fixture.buffer_of(&words([1, 2, 3, 4]))?;
    let output = fixture.buffer(64, 0)?;
    let execution = fixture.record(|commands| {
        push_constants(commands, &layout, 0, &[3, 10])?;
        push_set(commands, &layout, 0, &[(0, commands.whole(&input))])?;
        let output = |index: u64| commands.range(&output, 16 * index, 16);
        push_set(commands, &layout, 0, &[(1, output(0))])?;
        dispatch(commands, &executable, [1, 1, 1])?;
        // Another output, nothing else.
        push_set(commands, &layout, 0, &[(1, output(1))])?;
        dispatch(commands, &executable, [1, 1, 1])?;
        // Another constant, and a barrier in between.
        commands.barrier()?;
        push_constants(commands, &layout, 4, &[100])?;
        push_set(commands, &layout, 0, &[(1, output(2))])?;
        dispatch(commands, &executable, [1, 1, 1])?;
        Ok(())
    })?;
    let mut expected = words([13, 16, 19, 22].repeat(2));
    expected.extend(words([103, 106, 109, 112, 0, 0, 0, 0]));
    for _ in 0..2 {
        fixture.submit(&execution)?;
        fixture.expect(&output, &expected)?;
    }
    Ok(())
}

fn constants_not_pushed_are_zero(fixture: &Fixture) -> Outcome {
    let layout = layout(4, &[1])?;
    let executable = executable(fixture, "write_constants", std::slice::from_ref(&layout))?;
    let output = fixture.buffer(16, 0xFF)?;
    fixture.execute(|commands| {
        push_constants(commands, &layout, 4, &[5])?;
        push_set(commands, &layout, 0, &[(0, commands.whole(&output))])?;
        dispatch(commands, &executable, [1, 1, 1])?;
        Ok(())
    })?;
    fixture.expect(&output, &words([0, 5, 0, 0]))
}

/// Bindings of all sets follow one another, by set and then by binding.
fn two_descriptor_sets(fixture: &Fixture) -> Outcome {
    let layout = layout(2, &[1, 1])?;
    let executable = executable(fixture, "scale_and_offset", std::slice::from_ref(&layout))?;
    let input = fixture.buffer_of(&words([1, 2, 3, 4]))?;
    let output = fixture.buffer(16, 0)?;
    fixture.execute(|commands| {
        push_set(commands, &layout, 1, &[(0, commands.whole(&output))])?;
        push_set(commands, &layout, 0, &[(0, commands.whole(&input))])?;
        push_constants(commands, &layout, 0, &[2, 5])?;
        dispatch(commands, &executable, [1, 1, 1])?;
        Ok(())
    })?;
    fixture.expect(&output, &words([7, 9, 11, 13]))
}

/// Bindings are then those of the first set.
fn without_layouts(fixture: &Fixture) -> Outcome {
    let layout = layout(2, &[2])?;
    let executable = executable(fixture, "scale_and_offset", &[])?;
    let input = fixture.buffer_of(&words([1, 2, 3, 4]))?;
    let output = fixture.buffer(16, 0)?;
    fixture.execute(|commands| {
        let bindings = [(1, commands.whole(&output)), (0, commands.whole(&input))];
        push_set(commands, &layout, 0, &bindings)?;
        push_constants(commands, &layout, 0, &[1, 1])?;
        dispatch(commands, &executable, [1, 1, 1])?;
        Ok(())
    })?;
    fixture.expect(&output, &words([2, 3, 4, 5]))
}

fn zero_workgroups_run_nothing(fixture: &Fixture) -> Outcome {
    let layout = layout(0, &[1])?;
    let name = "write_workgroup_ids";
    let executable = executable(fixture, name, std::slice::from_ref(&layout))?;
    let output = fixture.buffer(64, 0xFF)?;
    fixture.execute(|commands| {
        push_set(commands, &layout, 0, &[(0, commands.whole(&output))])?;
        for workgroups in [[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]] {
            dispatch(commands, &executable, workgroups)?;
        }
        Ok(())
    })?;
    fixture.expect(&output, &[0xFF; 64])
}

fn as_many_constants_as_there_are(fixture: &Fixture) -> Outcome {
    let layout = layout(64, &[1])?;
    fixture.execute(|commands| {
        push_constants(commands, &layout, 0, &[1; 64])?;
        push_constants(commands, &layout, 252, &[1])?;
        push_constants(commands, &layout, 256, &[])?;
        Ok(())
    })
}

fn too_many_constants(fixture: &Fixture) -> Outcome {
    let layout = layout(64, &[1])?;
    fixture.execute(|commands| {
        let refuse = |offset, values: &[u32], code| {
            refused(push_constants(commands, &layout, offset, values), code);
        };
        refuse(0, &[1; 65], StatusCode::OutOfRange);
        refuse(4, &[1; 64], StatusCode::OutOfRange);
        refuse(256, &[1], StatusCode::OutOfRange);
        refuse(u32::MAX - 3, &[1; 2], StatusCode::OutOfRange);
        refuse(2, &[1], StatusCode::InvalidArgument);
        Ok(())
    })
}

fn sets_and_bindings_that_cannot_be(fixture: &Fixture) -> Outcome {
    let layout = layout(0, &[2])?;
    let buffer = fixture.buffer(64, 0)?;
    fixture.execute(|commands| {
        let buffer = commands.whole(&buffer);
        let refuse = |set, bindings: &[u32], code| {
            let bindings: Vec<_> = bindings
                .iter()
                .map(|&binding| (binding, buffer.clone()))
                .collect();
            refused(push_set(commands, &layout, set, &bindings), code);
        };
        refuse(4, &[0], StatusCode::OutOfRange);
        refuse(u32::MAX, &[0], StatusCode::OutOfRange);
        refuse(0, &[16], StatusCode::OutOfRange);
        refuse(3, &[0, u32::MAX], StatusCode::OutOfRange);
        refuse(0, &[0; 17], StatusCode::ResourceExhausted);
        // The last that can be.
        push_set(commands, &layout, 3, &[(15, buffer.clone())])?;
        Ok(())
    })
}

fn slots_that_cannot_be(fixture: &Fixture) -> Outcome {
    let layout = layout(0, &[2])?;
    for (slots, slot, code) in [
        (0, 0, StatusCode::InvalidArgument),
        (3, 3, StatusCode::OutOfRange),
        (3, u32::MAX, StatusCode::OutOfRange),
    ] {
        let commands = fixture.command_buffer(CommandBufferFlags::empty(), slots)?;
        commands.begin()?;
        let recorded = commands.record(&Command::PushDescriptorSet {
            layout: &layout,
            set: 0,
            bindings: &[(0, BufferRef::slot(slot, 0, 16))],
        });
        refused(recorded, code);
    }
    Ok(())
}
