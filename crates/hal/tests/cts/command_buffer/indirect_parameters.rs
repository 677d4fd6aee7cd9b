//! Workgroup counts in memory. They are refused when they are recorded: a
//! later version will run them, and these cases with it.

use hal::flags::BufferUsage;
use hal::{BufferParams, BufferRef, Command, StatusCode};

use crate::cases;
use crate::frame::{Case, Fixture, Outcome};

pub(crate) const CASES: &[Case] = cases![Bindings:
    refused_when_recorded,
    parameters_are_checked,
];

fn refused_when_recorded(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("write_workgroup_ids")?;
    let output = fixture.buffer_of(&[99_u32; 32])?;
    let parameters = fixture.buffer_of(&[4_u32, 1, 1])?;
    let status = fixture
        .run(|commands, names| {
            commands.record(&Command::DispatchIndirect {
                executable: &executable,
                export: 0,
                workgroups: &names.range(&parameters, 0, 12),
                constants: &[],
                bindings: &[names.whole(&output)],
            })
        })
        .expect_err("an indirect dispatch was recorded");
    assert_eq!(status.code(), StatusCode::Unimplemented, "{status:#}");
    assert_eq!(fixture.read_of::<u32>(&output)?, [99; 32]);
    Ok(())
}

fn parameters_are_checked(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("write_workgroup_ids")?;
    let output = fixture.buffer_of(&[99_u32; 32])?;
    let parameters = fixture.buffer_of(&[1_u32; 4])?;
    let params = BufferParams {
        usage: BufferUsage::TRANSFER,
        ..BufferParams::device_local()
    };
    let wrong_usage = fixture.device.allocator().allocate(&params, 16)?;
    for (workgroups, code) in [
        (
            BufferRef::range(&parameters, 2, 12),
            StatusCode::InvalidArgument,
        ),
        (BufferRef::range(&parameters, 8, 12), StatusCode::OutOfRange),
        (
            BufferRef::range(&wrong_usage, 0, 12),
            StatusCode::PermissionDenied,
        ),
    ] {
        let status = fixture
            .run(|commands, names| {
                commands.record(&Command::DispatchIndirect {
                    executable: &executable,
                    export: 0,
                    workgroups: &workgroups,
                    constants: &[],
                    bindings: &[names.whole(&output)],
                })
            })
            .expect_err("wrong parameters");
        assert_eq!(status.code(), code, "{status:#}");
    }
    Ok(())
}
