//! Running kernels.

use hal::{Buffer, BufferRef, DispatchConfig, Executable, StatusCode};

use crate::cases;
use crate::frame::{Case, Fixture, Outcome, Stop};
use crate::work::{floats, patched, refused, words};

pub(crate) const CASES: &[Case] = cases![Kernels:
    abs,
    with_constants,
    scale_and_offset,
    two_entry_points,
    many_workgroups,
    workgroups_in_three_dimensions,
    many_dispatches_without_barriers,
    through_views,
    unaligned_bindings_are_refused,
    zero_workgroups_run_nothing,
    export_that_is_not_there,
    wrong_counts,
    binding_out_of_range,
    grid_beyond_the_limits,
    workgroups_beyond_the_limits,
];

/// Input and output of a kernel, input first.
fn pair(fixture: &Fixture, input: &[u8], output: &[u8]) -> Result<[Buffer; 2], Stop> {
    Ok([fixture.buffer_of(input)?, fixture.buffer_of(output)?])
}

fn abs(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("abs")?;
    let [input, output] = pair(fixture, &floats(&[-2.5; 12]), &floats(&[-9.0; 12]))?;
    fixture.execute(|commands| {
        let bindings = [&input, &output].map(|buffer| commands.view(buffer, 16, 8));
        commands.dispatch(&executable, 0, [1, 1, 1], &[], &bindings)?;
        commands.barrier()?;
        Ok(())
    })?;
    let expected = patched(floats(&[-9.0; 12]), 16, &floats(&[2.5, 2.5]));
    fixture.expect(&output, &expected)?;
    fixture.expect(&input, &floats(&[-2.5; 12]))
}

fn with_constants(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("write_constants")?;
    let output = fixture.buffer(32, 0xFF)?;
    fixture.execute(|commands| {
        let constants = [0xA0, 0xB1, 0xFFFF_FFFF, 0x8000_0000];
        let bindings = [commands.range(&output, 0, 16)];
        commands.dispatch(&executable, 0, [1, 1, 1], &constants, &bindings)?;
        Ok(())
    })?;
    let expected = words([0xA0, 0xB1, 0xFFFF_FFFF, 0x8000_0000]);
    fixture.expect(&output, &patched(vec![0xFF; 32], 0, &expected))
}

fn scale_and_offset(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("scale_and_offset")?;
    let [input, output] = pair(fixture, &words([1, 2, 3, 4]), &[0; 16])?;
    fixture.execute(|commands| {
        let bindings = [commands.whole(&input), commands.whole(&output)];
        commands.dispatch(&executable, 0, [1, 1, 1], &[3, 10], &bindings)?;
        Ok(())
    })?;
    fixture.expect(&output, &words([13, 16, 19, 22]))
}

fn two_entry_points(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("negate_and_double")?;
    let input = fixture.buffer_of(&floats(&[1.0, -2.0, 0.5, 0.0]))?;
    let (negated, doubled) = (fixture.buffer(16, 1)?, fixture.buffer(16, 1)?);
    fixture.execute(|commands| {
        for (name, output) in [("negate", &negated), ("double_it", &doubled)] {
            let export = executable.lookup_export(name)?;
            let bindings = [commands.whole(&input), commands.whole(output)];
            commands.dispatch(&executable, export, [1, 1, 1], &[], &bindings)?;
        }
        Ok(())
    })?;
    fixture.expect(&negated, &floats(&[-1.0, 2.0, -0.5, -0.0]))?;
    fixture.expect(&doubled, &floats(&[2.0, -4.0, 1.0, 0.0]))
}

fn many_workgroups(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("write_workgroup_ids")?;
    let output = fixture.buffer(40 * 4, 0xFF)?;
    fixture.execute(|commands| {
        let bindings = [commands.whole(&output)];
        commands.dispatch(&executable, 0, [32, 1, 1], &[], &bindings)?;
        Ok(())
    })?;
    let expected = patched(vec![0xFF; 40 * 4], 0, &words(0..32));
    fixture.expect(&output, &expected)
}

/// The kernel writes its number in x: in each row of y and z again.
fn workgroups_in_three_dimensions(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("write_workgroup_ids")?;
    let output = fixture.buffer(64, 0xFF)?;
    fixture.execute(|commands| {
        let bindings = [commands.whole(&output)];
        commands.dispatch(&executable, 0, [4, 3, 2], &[], &bindings)?;
        Ok(())
    })?;
    fixture.expect(&output, &patched(vec![0xFF; 64], 0, &words(0..4)))
}

/// Each has arguments of its own, however many follow without a barrier.
fn many_dispatches_without_barriers(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("scale_and_offset")?;
    let input = fixture.buffer_of(&words([1, 2, 3, 4]))?;
    let output = fixture.buffer(16 * 100, 0)?;
    let execution = fixture.record(|commands| {
        for index in 0..100_u32 {
            let target = commands.range(&output, 16 * u64::from(index), 16);
            let bindings = [commands.whole(&input), target];
            commands.dispatch(&executable, 0, [1, 1, 1], &[index, 7], &bindings)?;
        }
        Ok(())
    })?;
    let expected: Vec<u8> = (0..100)
        .flat_map(|index| words((1..=4).map(|x| x * index + 7)))
        .collect();
    for _ in 0..2 {
        fixture.submit(&execution)?;
        fixture.expect(&output, &expected)?;
        fixture.upload(&output, &[0; 1600])?;
    }
    Ok(())
}

fn through_views(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("scale_and_offset")?;
    let input = fixture.buffer_of(&words(0..64))?;
    let output = fixture.buffer(256, 0)?;
    let (from, to) = (input.subspan(32, 96)?, output.subspan(64, 64)?);
    fixture.execute(|commands| {
        let bindings = [commands.range(&from, 16, 16), commands.view(&to, 32, 16)];
        commands.dispatch(&executable, 0, [1, 1, 1], &[2, 1], &bindings)?;
        Ok(())
    })?;
    let expected = patched(vec![0; 256], 96, &words([25, 27, 29, 31]));
    fixture.expect(&output, &expected)
}

/// Kernels are compiled to rely on addresses that are multiples of 16.
fn unaligned_bindings_are_refused(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("abs")?;
    let [input, output] = pair(fixture, &[0; 64], &[1; 64])?;
    fixture.execute(|commands| {
        for offset in [1, 4, 8, 12] {
            let bindings = [commands.whole(&input), commands.range(&output, offset, 8)];
            let recorded = commands.dispatch(&executable, 0, [1, 1, 1], &[], &bindings);
            refused(recorded, StatusCode::InvalidArgument);
        }
        Ok(())
    })?;
    // Where the table has the offset it shows when the table comes.
    let execution = fixture.record(|commands| {
        let bindings = [commands.whole(&input), commands.view(&output, 8, 8)];
        let recorded = commands.dispatch(&executable, 0, [1, 1, 1], &[], &bindings);
        if !fixture.indirect {
            refused(recorded, StatusCode::InvalidArgument);
        }
        Ok(())
    })?;
    if fixture.indirect {
        let submitted = fixture.queue().execute(&[], &[], &[execution]);
        refused(submitted, StatusCode::InvalidArgument);
    }
    fixture.expect(&output, &[1; 64])
}

fn zero_workgroups_run_nothing(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("write_workgroup_ids")?;
    let output = fixture.buffer(128, 0xFF)?;
    fixture.execute(|commands| {
        let bindings = [commands.whole(&output)];
        for grid in [[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0], [0, 0, 1]] {
            commands.dispatch(&executable, 0, grid, &[], &bindings)?;
        }
        Ok(())
    })?;
    fixture.expect(&output, &[0xFF; 128])
}

fn export_that_is_not_there(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("abs")?;
    let [input, output] = pair(fixture, &[0; 16], &[0; 16])?;
    fixture.execute(|commands| {
        let bindings = [commands.whole(&input), commands.whole(&output)];
        for export in [1, 100, i32::MAX, -1, i32::MIN] {
            let recorded = commands.dispatch(&executable, export, [1, 1, 1], &[], &bindings);
            refused(recorded, StatusCode::OutOfRange);
        }
        Ok(())
    })
}

fn wrong_counts(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("scale_and_offset")?;
    let [input, output] = pair(fixture, &[0; 16], &[5; 16])?;
    fixture.execute(|commands| {
        let all = [&input, &output, &input].map(|buffer| commands.whole(buffer));
        let constants = [1, 2, 3];
        for (constant_count, binding_count) in [(1, 2), (3, 2), (0, 2), (2, 1), (2, 3), (2, 0)] {
            let (constants, bindings) = (&constants[..constant_count], &all[..binding_count]);
            let recorded = commands.dispatch(&executable, 0, [1, 1, 1], constants, bindings);
            refused(recorded, StatusCode::InvalidArgument);
        }
        Ok(())
    })?;
    fixture.expect(&output, &[5; 16])
}

fn binding_out_of_range(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("abs")?;
    let [input, output] = pair(fixture, &[0; 64], &[1; 64])?;
    let mut last = None;
    let execution = fixture.record(|commands| {
        let bindings = [commands.whole(&input), commands.range(&output, 48, 32)];
        last = Some(commands.dispatch(&executable, 0, [1, 1, 1], &[], &bindings));
        Ok(())
    })?;
    let recorded = last.expect("it was recorded");
    if fixture.indirect {
        recorded?;
        let submitted = fixture.queue().execute(&[], &[], &[execution]);
        refused(submitted, StatusCode::OutOfRange);
    } else {
        refused(recorded, StatusCode::OutOfRange);
    }
    fixture.expect(&output, &[1; 64])
}

/// Records a dispatch that cannot be: INVALID_ARGUMENT, and the kernel is named.
fn refuse_launch(
    fixture: &Fixture,
    executable: &Executable,
    bindings: &[&Buffer],
    config: DispatchConfig,
) -> Outcome {
    fixture.execute(|commands| {
        let bindings: Vec<BufferRef> = bindings
            .iter()
            .map(|buffer| commands.whole(buffer))
            .collect();
        let recorded = commands.dispatch(executable, 0, config, &[], &bindings);
        let status = recorded.expect_err("a launch beyond the limits");
        assert_eq!(status.code(), StatusCode::InvalidArgument, "{status:#}");
        let name = executable.export(0)?.name();
        assert!(status.message().contains(name), "{status}");
        Ok(())
    })
}

fn grid_beyond_the_limits(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("copy")?;
    let [input, output] = pair(fixture, &[0; 1024], &[1; 1024])?;
    let limits = *fixture.device.limits();
    let [width, ..] = executable.export(0)?.workgroup_size();
    assert!(width > 1, "one thread would not exceed anything");
    let mut grids = vec![[u32::MAX, 1, 1], [(1 << 31) / width * 2, 1, 1]];
    for axis in 0..3 {
        if let Some(count) = limits.max_grid_dims[axis].checked_add(1) {
            let mut grid = [1; 3];
            grid[axis] = count;
            grids.push(grid);
        }
    }
    for grid in grids {
        refuse_launch(fixture, &executable, &[&input, &output], grid.into())?;
    }
    fixture.expect(&output, &[1; 1024])
}

fn workgroups_beyond_the_limits(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("write_workgroup_ids")?;
    let output = fixture.buffer(64, 1)?;
    let limits = *fixture.device.limits();
    let sizes = [
        [limits.max_threads_per_block + 1, 1, 1],
        [1, 1, limits.max_block_dims[2] + 1],
        [limits.max_threads_per_block, 2, 1],
    ];
    for workgroup_size in sizes {
        let config = DispatchConfig {
            workgroup_size,
            ..[1, 1, 1].into()
        };
        refuse_launch(fixture, &executable, &[&output], config)?;
    }
    let config = DispatchConfig {
        dynamic_lds_bytes: limits.max_shared_memory_per_block + 1,
        ..[1, 1, 1].into()
    };
    refuse_launch(fixture, &executable, &[&output], config)?;
    fixture.expect(&output, &[1; 64])
}
