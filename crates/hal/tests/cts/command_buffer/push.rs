//! The older form of a dispatch: constants and descriptor sets are pushed.

use hal::flags::CommandBufferFlags;
use hal::{
    Command, DescriptorBinding, DescriptorSetLayout, Executable, ExecutableParams, Execution,
    PipelineLayout, StatusCode,
};

use crate::cases;
use crate::frame::{Case, Fixture, Outcome, Stop};

pub(crate) const CASES: &[Case] = cases![Bindings:
    dispatch_abs,
    dispatch_abs_of_the_older_compiler,
    push_constants,
    pushed_state_carries_over,
    out_of_bounds,
];

fn layout(constants: usize, bindings: u32) -> hal::Result<PipelineLayout> {
    let bindings: Vec<_> = (0..bindings)
        .map(|binding| DescriptorBinding {
            binding,
            descriptor_type: 7,
            flags: 0,
        })
        .collect();
    PipelineLayout::new(constants, &[DescriptorSetLayout::new(&bindings)?])
}

/// Test kernels prepared with a layout, as programs of the older generation do.
fn with_layout(fixture: &Fixture, name: &str, layout: &PipelineLayout) -> Result<Executable, Stop> {
    let data = fixture.kernels(name)?;
    Ok(fixture.prepare(&ExecutableParams {
        pipeline_layouts: std::slice::from_ref(layout),
        ..ExecutableParams::new(&data)
    })?)
}

/// The older generation's own build of them.
fn older(fixture: &Fixture, name: &str, layout: &PipelineLayout) -> Result<Executable, Stop> {
    if !fixture.device.arch().starts_with("gfx1100") {
        return Err(Stop::Skipped(
            "the older kernels are for gfx1100".to_owned(),
        ));
    }
    let data = fixtures::read(format!("old_gfx1100/{name}.fb"));
    Ok(fixture.prepare(&ExecutableParams {
        pipeline_layouts: std::slice::from_ref(layout),
        ..ExecutableParams::new(&data)
    })?)
}

fn dispatch_abs(fixture: &Fixture) -> Outcome {
    let layout = layout(0, 2)?;
    let executable = with_layout(fixture, "abs", &layout)?;
    check_abs(fixture, &layout, &executable)
}

fn dispatch_abs_of_the_older_compiler(fixture: &Fixture) -> Outcome {
    let layout = layout(0, 2)?;
    let executable = older(fixture, "abs", &layout)?;
    check_abs(fixture, &layout, &executable)
}

fn check_abs(fixture: &Fixture, layout: &PipelineLayout, executable: &Executable) -> Outcome {
    let input = fixture.buffer_of(&[-2.5_f32, 7.0])?;
    let output = fixture.buffer_of(&[0.0_f32; 2])?;
    fixture.run(|commands, names| {
        commands.record(&Command::PushDescriptorSet {
            layout,
            set: 0,
            bindings: &[(0, names.whole(&input)), (1, names.whole(&output))],
        })?;
        commands.record(&Command::DispatchPushed {
            executable,
            export: 0,
            workgroups: [1, 1, 1],
        })
    })?;
    assert_eq!(fixture.read_of::<f32>(&output)?, [2.5, 7.0]);
    Ok(())
}

fn push_constants(fixture: &Fixture) -> Outcome {
    let layout = layout(4, 1)?;
    let executable = with_layout(fixture, "write_constants", &layout)?;
    let output = fixture.buffer_of(&[0_u32; 4])?;
    let mut flags = CommandBufferFlags::ONE_SHOT;
    if !fixture.indirect {
        flags |= CommandBufferFlags::ALLOW_INLINE_EXECUTION;
    }
    let commands = fixture.command_buffer(flags)?;
    commands.begin()?;
    // In two steps, not in order.
    commands.record(&Command::PushConstants {
        layout: &layout,
        offset: 8,
        values: &[33, 44],
    })?;
    commands.record(&Command::PushConstants {
        layout: &layout,
        offset: 0,
        values: &[11, 22],
    })?;
    commands.record(&Command::PushDescriptorSet {
        layout: &layout,
        set: 0,
        bindings: &[(0, hal::BufferRef::whole(&output))],
    })?;
    commands.record(&Command::DispatchPushed {
        executable: &executable,
        export: 0,
        workgroups: [1, 1, 1],
    })?;
    commands.end()?;
    fixture.execute(&Execution::new(&commands))?;
    assert_eq!(fixture.read_of::<u32>(&output)?, [11, 22, 33, 44]);
    Ok(())
}

fn pushed_state_carries_over(fixture: &Fixture) -> Outcome {
    let layout = layout(2, 2)?;
    let executable = with_layout(fixture, "scale_and_offset", &layout)?;
    let input = fixture.buffer_of(&[1_u32, 2, 3, 4])?;
    let outputs = [
        fixture.buffer_of(&[0_u32; 4])?,
        fixture.buffer_of(&[0_u32; 4])?,
    ];
    fixture.run(|commands, names| {
        let dispatch = Command::DispatchPushed {
            executable: &executable,
            export: 0,
            workgroups: [1, 1, 1],
        };
        commands.record(&Command::PushConstants {
            layout: &layout,
            offset: 0,
            values: &[3, 10],
        })?;
        commands.record(&Command::PushDescriptorSet {
            layout: &layout,
            set: 0,
            bindings: &[(0, names.whole(&input)), (1, names.whole(&outputs[0]))],
        })?;
        commands.record(&dispatch)?;
        // Only what changes is pushed again.
        commands.record(&Command::PushConstants {
            layout: &layout,
            offset: 4,
            values: &[100],
        })?;
        commands.record(&Command::PushDescriptorSet {
            layout: &layout,
            set: 0,
            bindings: &[(1, names.whole(&outputs[1]))],
        })?;
        commands.record(&dispatch)
    })?;
    assert_eq!(fixture.read_of::<u32>(&outputs[0])?, [13, 16, 19, 22]);
    assert_eq!(fixture.read_of::<u32>(&outputs[1])?, [103, 106, 109, 112]);
    Ok(())
}

fn out_of_bounds(fixture: &Fixture) -> Outcome {
    let layout = layout(4, 2)?;
    let buffer = fixture.buffer_of(&[0_u32; 4])?;
    let refused = |command: &Command<'_>| {
        let result = fixture.run(|commands, _| commands.record(command));
        let status = result.expect_err("out of bounds");
        let codes = [StatusCode::InvalidArgument, StatusCode::OutOfRange];
        assert!(codes.contains(&status.code()), "{status:#}");
    };
    for (offset, count) in [(2, 1), (252, 2), (256, 1), (u32::MAX - 3, 1)] {
        refused(&Command::PushConstants {
            layout: &layout,
            offset,
            values: &vec![0; count],
        });
    }
    for (set, binding) in [(4, 0), (u32::MAX, 0), (0, 16), (0, u32::MAX)] {
        refused(&Command::PushDescriptorSet {
            layout: &layout,
            set,
            bindings: &[(binding, hal::BufferRef::whole(&buffer))],
        });
    }
    Ok(())
}
