//! Preparing executables.

use hal::{DescriptorBinding, DescriptorSetLayout, ExecutableParams, PipelineLayout, StatusCode};

use crate::cases;
use crate::frame::{Case, Fixture, Generation, Outcome};

pub(crate) const CASES: &[Case] = cases![Device:
    create,
    cant_prepare_unknown_format,
    prepare_executable,
    prepare_older_container,
    prepare_code_object,
    prepare_for_another_chip,
    prepare_damaged_data,
    prepare_many_times,
];

fn create(fixture: &Fixture) -> Outcome {
    drop(fixture.device.create_executable_cache());
    Ok(())
}

fn cant_prepare_unknown_format(fixture: &Fixture) -> Outcome {
    let cache = fixture.device.create_executable_cache();
    assert!(!cache.can_prepare_format("FOO?"));
    let data = fixture.kernels("abs")?;
    let params = ExecutableParams {
        format: Some("FOO?"),
        ..ExecutableParams::new(&data)
    };
    let status = fixture.prepare(&params).expect_err("prepared");
    assert_eq!(status.code(), StatusCode::Unimplemented);
    Ok(())
}

fn prepare_executable(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("abs")?;
    assert_eq!(executable.export(0)?.binding_count(), 2);
    // All names of the format stand for the same data.
    let data = fixture.kernels("abs")?;
    for format in fixture.device.create_executable_cache().formats() {
        fixture.prepare(&ExecutableParams {
            format: Some(format),
            ..ExecutableParams::new(&data)
        })?;
    }
    Ok(())
}

fn prepare_older_container(fixture: &Fixture) -> Outcome {
    let data = fixture.file_of(Generation::Early2024, "abs.fb")?;
    let bindings: Vec<_> = (0..2)
        .map(|binding| DescriptorBinding {
            binding,
            descriptor_type: 7,
            flags: 0,
        })
        .collect();
    let layout = PipelineLayout::new(0, &[DescriptorSetLayout::new(&bindings)?])?;
    for layouts in [&[][..], &[layout]] {
        let params = ExecutableParams {
            pipeline_layouts: layouts,
            ..ExecutableParams::new(&data)
        };
        let executable = fixture.prepare(&params)?;
        assert_eq!(executable.export(0)?.binding_count(), 2);
        assert_eq!(
            executable.export(0)?.layout().is_some(),
            !layouts.is_empty()
        );
    }
    Ok(())
}

fn prepare_code_object(fixture: &Fixture) -> Outcome {
    let image = fixture.code("abs")?;
    let executable = fixture.prepare(&ExecutableParams::new(&image))?;
    assert_eq!(executable.lookup_export("abs")?, 0);
    assert_eq!(executable.export(0)?.binding_count(), 2);
    Ok(())
}

fn prepare_for_another_chip(fixture: &Fixture) -> Outcome {
    fixture.require_computing()?;
    let other = if fixture.device.arch().starts_with("gfx942") {
        "gfx1100"
    } else {
        "gfx942"
    };
    let data = fixtures::read(format!("{other}/abs.fb"));
    let status = fixture
        .prepare(&ExecutableParams::new(&data))
        .expect_err("code for another chip was loaded");
    assert_eq!(status.code(), StatusCode::Incompatible, "{status:#}");
    assert!(status.message().contains(other), "{status}");
    assert!(status.message().contains(fixture.device.arch()), "{status}");
    // Nothing is left in the way of the right code.
    fixture.executable("abs")?;
    Ok(())
}

fn prepare_damaged_data(fixture: &Fixture) -> Outcome {
    let data = fixture.kernels("abs")?;
    for length in [0, 1, 7, 63, 64, 100, data.len() / 2, data.len() - 1] {
        let status = fixture
            .prepare(&ExecutableParams::new(&data[..length]))
            .expect_err("data that was cut short was loaded");
        assert!(
            matches!(
                status.code(),
                StatusCode::InvalidArgument | StatusCode::OutOfRange
            ),
            "{length}: {status:#}"
        );
    }
    Ok(())
}

fn prepare_many_times(fixture: &Fixture) -> Outcome {
    let executables = (0..16)
        .map(|_| fixture.executable("abs"))
        .collect::<Result<Vec<_>, _>>()?;
    assert!(!executables[0].ptr_eq(&executables[1]));
    drop(executables);
    fixture.executable("abs")?;
    Ok(())
}
