//! Running kernels.

use hal::{DispatchConfig, StatusCode};

use crate::cases;
use crate::frame::{Case, Fixture, Outcome};

pub(crate) const CASES: &[Case] = cases![Bindings:
    dispatch_abs,
    dispatch_with_constants,
    scale_and_offset,
    negate_and_double,
    write_workgroup_ids,
    no_workgroups,
    workgroups_in_three_dimensions,
    wrong_counts,
    misaligned_binding,
    no_such_export,
    too_large,
];

fn dispatch_abs(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("abs")?;
    let input = fixture.buffer_of(&[-2.5_f32; 8])?;
    let output = fixture.buffer_of(&[-9.0_f32; 8])?;
    fixture.run(|commands, names| {
        let bindings = [names.range(&input, 16, 8), names.range(&output, 16, 8)];
        commands.dispatch(&executable, 0, [1, 1, 1], &[], &bindings)?;
        commands.barrier()
    })?;
    let expected = [-9.0, -9.0, -9.0, -9.0, 2.5, 2.5, -9.0, -9.0];
    assert_eq!(fixture.read_of::<f32>(&output)?, expected);
    assert_eq!(fixture.read_of::<f32>(&input)?, [-2.5; 8]);
    Ok(())
}

fn dispatch_with_constants(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("write_constants")?;
    let output = fixture.buffer_of(&[0_u32; 4])?;
    let constants = [11, 22, 0xFFFF_FFFF, 44];
    fixture.run(|commands, names| {
        let bindings = [names.whole(&output)];
        commands.dispatch(&executable, 0, [1, 1, 1], &constants, &bindings)
    })?;
    assert_eq!(fixture.read_of::<u32>(&output)?, constants);
    Ok(())
}

fn scale_and_offset(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("scale_and_offset")?;
    let input = fixture.buffer_of(&[1_u32, 2, 3, 4])?;
    let output = fixture.buffer_of(&[0_u32; 4])?;
    fixture.run(|commands, names| {
        let bindings = [names.whole(&input), names.whole(&output)];
        commands.dispatch(&executable, 0, [1, 1, 1], &[3, 10], &bindings)
    })?;
    assert_eq!(fixture.read_of::<u32>(&output)?, [13, 16, 19, 22]);
    Ok(())
}

fn negate_and_double(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("negate_and_double")?;
    let input = fixture.buffer_of(&[1.0_f32, -2.0, 3.5, 0.0])?;
    let negated = fixture.buffer_of(&[9.0_f32; 4])?;
    let doubled = fixture.buffer_of(&[9.0_f32; 4])?;
    fixture.run(|commands, names| {
        let input = names.whole(&input);
        let to_negated = [input.clone(), names.whole(&negated)];
        commands.dispatch(&executable, 0, [1, 1, 1], &[], &to_negated)?;
        let to_doubled = [input, names.whole(&doubled)];
        commands.dispatch(&executable, 1, [1, 1, 1], &[], &to_doubled)
    })?;
    assert_eq!(fixture.read_of::<f32>(&negated)?, [-1.0, 2.0, -3.5, -0.0]);
    assert_eq!(fixture.read_of::<f32>(&doubled)?, [2.0, -4.0, 7.0, 0.0]);
    Ok(())
}

fn write_workgroup_ids(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("write_workgroup_ids")?;
    let output = fixture.buffer_of(&[u32::MAX; 33])?;
    fixture.run(|commands, names| {
        let bindings = [names.whole(&output)];
        commands.dispatch(&executable, 0, [32, 1, 1], &[], &bindings)
    })?;
    let mut expected: Vec<u32> = (0..32).collect();
    expected.push(u32::MAX);
    assert_eq!(fixture.read_of::<u32>(&output)?, expected);
    Ok(())
}

fn no_workgroups(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("write_workgroup_ids")?;
    let output = fixture.buffer_of(&[99_u32; 4])?;
    fixture.run(|commands, names| {
        let bindings = [names.whole(&output)];
        for workgroups in [[0, 0, 0], [0, 1, 1], [1, 0, 1], [4, 4, 0]] {
            commands.dispatch(&executable, 0, workgroups, &[], &bindings)?;
        }
        Ok(())
    })?;
    assert_eq!(fixture.read_of::<u32>(&output)?, [99; 4]);
    Ok(())
}

fn workgroups_in_three_dimensions(fixture: &Fixture) -> Outcome {
    // Every workgroup with the same x writes the same value.
    let executable = fixture.executable("write_workgroup_ids")?;
    let output = fixture.buffer_of(&[99_u32; 4])?;
    fixture.run(|commands, names| {
        let bindings = [names.whole(&output)];
        commands.dispatch(&executable, 0, [3, 4, 5], &[], &bindings)
    })?;
    assert_eq!(fixture.read_of::<u32>(&output)?, [0, 1, 2, 99]);
    Ok(())
}

fn wrong_counts(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("scale_and_offset")?;
    let buffer = fixture.buffer_of(&[0_u32; 4])?;
    for (constants, bindings) in [(0, 2), (1, 2), (3, 2), (2, 0), (2, 1), (2, 3)] {
        let status = fixture
            .run(|commands, names| {
                let bindings = vec![names.whole(&buffer); bindings];
                commands.dispatch(&executable, 0, [1, 1, 1], &vec![0; constants], &bindings)
            })
            .expect_err("wrong counts");
        assert_eq!(status.code(), StatusCode::InvalidArgument, "{status:#}");
    }
    Ok(())
}

fn misaligned_binding(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("abs")?;
    let buffer = fixture.buffer_of(&[1.0_f32; 16])?;
    let status = fixture
        .run(|commands, names| {
            let bindings = [names.range(&buffer, 4, 8), names.range(&buffer, 32, 8)];
            commands.dispatch(&executable, 0, [1, 1, 1], &[], &bindings)
        })
        .expect_err("a binding at offset 4");
    assert_eq!(status.code(), StatusCode::InvalidArgument, "{status:#}");
    Ok(())
}

fn no_such_export(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("abs")?;
    let buffer = fixture.buffer_of(&[1.0_f32; 16])?;
    for export in [1, -1, i32::MAX] {
        let status = fixture
            .run(|commands, names| {
                let bindings = [names.range(&buffer, 0, 8), names.range(&buffer, 32, 8)];
                commands.dispatch(&executable, export, [1, 1, 1], &[], &bindings)
            })
            .expect_err("an export that is not there");
        assert_eq!(status.code(), StatusCode::OutOfRange, "{status:#}");
    }
    Ok(())
}

fn too_large(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("copy")?;
    let buffer = fixture.buffer_of(&[1.0_f32; 64])?;
    let limits = *fixture.device.limits();
    let large = |workgroup_count, workgroup_size, dynamic_lds_bytes| DispatchConfig {
        workgroup_count,
        workgroup_size,
        dynamic_lds_bytes,
    };
    for config in [
        large([1, limits.max_grid_dims[1].saturating_add(1), 1], [0; 3], 0),
        // Fits as workgroups, not as threads: 64 x 2^26 is 2^32.
        large([1 << 26, 1, 1], [0; 3], 0),
        large([1, 1, 1], [limits.max_block_dims[0] + 1, 1, 1], 0),
        large([1, 1, 1], [64, 64, 64], 0),
        large([1, 1, 1], [0; 3], limits.max_shared_memory_per_block + 1),
    ] {
        let status = fixture
            .run(|commands, names| {
                let bindings = [names.whole(&buffer), names.whole(&buffer)];
                commands.dispatch(&executable, 0, config, &[], &bindings)
            })
            .expect_err("a dispatch that no device can do");
        assert_eq!(status.code(), StatusCode::InvalidArgument, "{status:#}");
        assert!(status.to_string().contains("copy"), "{status:#}");
    }
    Ok(())
}
