//! The programs of the fixtures: all dispatches of each in one command
//! buffer, and what they compute compared with what the stock runtime computed.

use std::collections::HashMap;

use fixtures::Role;
use hal::{
    Buffer, BufferRef, DescriptorBinding, DescriptorSetLayout, Executable, ExecutableParams,
    PipelineLayout,
};

use crate::frame::{Body, Case, Fixture, Generation, Outcome, Scope, Stop};

/// A case for each program.
pub(crate) fn cases() -> impl Iterator<Item = Case> {
    fixtures::cases().iter().map(|program| Case {
        name: (module_path!(), &program.name),
        scope: Scope::Kernels,
        body: Body::Program(program),
    })
}

/// Runs a program, in every form in which it was compiled for the device.
pub(crate) fn run(fixture: &Fixture, program: &fixtures::Case) -> Outcome {
    let target = fixture.target();
    let runs: Vec<_> = program
        .runs
        .iter()
        .filter(|run| run.target.trim_start_matches("amdgpu_") == target)
        .collect();
    if runs.is_empty() {
        return Err(Stop::Skipped(format!("it was not compiled for {target}")));
    }
    runs.into_iter()
        .try_for_each(|run| run_form(fixture, program, run))
}

fn run_form(fixture: &Fixture, program: &fixtures::Case, run: &fixtures::Run) -> Outcome {
    let mut buffers = HashMap::new();
    for buffer in &program.buffers {
        let contents = match buffer.role {
            Role::Input => buffer.bytes(),
            // What is not written must show.
            Role::Output | Role::Temporary => vec![0x5A; buffer.byte_length()],
        };
        buffers.insert(buffer.name.as_str(), fixture.buffer_of(&contents)?);
    }
    let executables = run
        .dispatches
        .iter()
        .map(|dispatch| executable(fixture, dispatch))
        .collect::<hal::Result<Vec<_>>>()?;
    fixture.execute(|commands| {
        for (dispatch, executable) in run.dispatches.iter().zip(&executables) {
            let export = executable.lookup_export(&dispatch.export)?;
            let bindings: Vec<BufferRef> = dispatch
                .bindings
                .iter()
                .map(|name| commands.whole(&buffers[name.as_str()]))
                .collect();
            let (grid, constants) = (dispatch.workgroups, &dispatch.constants);
            commands.barrier()?;
            commands.dispatch(executable, export, grid, constants, &bindings)?;
        }
        Ok(())
    })?;
    for expected in &program.buffers {
        let buffer: &Buffer = &buffers[expected.name.as_str()];
        let actual = fixture.contents(buffer)?;
        if expected.role == Role::Output && fixture.computes() {
            expected
                .check_within(&actual, run.atol)
                .map_err(Stop::Failed)?;
        }
    }
    Ok(())
}

/// Loads what a dispatch runs. The older containers do not say what their
/// exports take, and the code only what it uses: then a layout says it.
fn executable(fixture: &Fixture, dispatch: &fixtures::Dispatch) -> hal::Result<Executable> {
    let data = fixtures::read(&dispatch.executable);
    let params = ExecutableParams::new(&data);
    let executable = fixture.prepare(&params)?;
    let export = executable.export(executable.lookup_export(&dispatch.export)?)?;
    let (constants, bindings) = (dispatch.constants.len(), dispatch.bindings.len());
    let takes = (export.constant_count(), export.binding_count());
    if takes == (constants as u32, bindings as u32) || fixture.generation == Generation::Present {
        return Ok(executable);
    }
    let bindings: Vec<_> = (0..bindings as u32)
        .map(|binding| DescriptorBinding {
            binding,
            descriptor_type: 7,
            flags: 0,
        })
        .collect();
    let layout = PipelineLayout::new(constants, &[DescriptorSetLayout::new(&bindings)?])?;
    let pipeline_layouts = &vec![layout; executable.export_count()];
    fixture.prepare(&ExecutableParams {
        pipeline_layouts,
        ..params
    })
}
