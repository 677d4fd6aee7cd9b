//! Commands that depend on each other.

use hal::{Binding, BindingTable, BufferRef, Execution, Timepoint};

use crate::cases;
use crate::commands::{PATIENCE, device_params, to_bytes};
use crate::frame::{Case, Fixture, Outcome};

pub(crate) const CASES: &[Case] = cases![Bindings:
    update_then_dispatch,
    chained_dispatches,
    fill_dispatch_dispatch,
    transient_input,
    many_stages,
    more_than_32_independent_fills,
];

fn update_then_dispatch(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("scale_and_offset")?;
    let input = fixture.buffer_of(&[0_u32; 4])?;
    let output = fixture.buffer_of(&[0_u32; 4])?;
    fixture.run(|commands, names| {
        let input = names.whole(&input);
        commands.update(&to_bytes(&[1_u32, 2, 3, 4]), &input)?;
        commands.barrier()?;
        let bindings = [input, names.whole(&output)];
        commands.dispatch(&executable, 0, [1, 1, 1], &[2, 5], &bindings)
    })?;
    assert_eq!(fixture.read_of::<u32>(&output)?, [7, 9, 11, 13]);
    Ok(())
}

fn chained_dispatches(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("scale_and_offset")?;
    let input = fixture.buffer_of(&[1_u32, 2, 3, 4])?;
    let middle = fixture.buffer_of(&[0_u32; 4])?;
    let output = fixture.buffer_of(&[0_u32; 4])?;
    fixture.run(|commands, names| {
        let middle = names.whole(&middle);
        let first = [names.whole(&input), middle.clone()];
        commands.dispatch(&executable, 0, [1, 1, 1], &[2, 0], &first)?;
        commands.barrier()?;
        let second = [middle, names.whole(&output)];
        commands.dispatch(&executable, 0, [1, 1, 1], &[1, 10], &second)
    })?;
    assert_eq!(fixture.read_of::<u32>(&output)?, [12, 14, 16, 18]);
    Ok(())
}

fn fill_dispatch_dispatch(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("scale_and_offset")?;
    let input = fixture.buffer_of(&[0_u32; 4])?;
    let middle = fixture.buffer_of(&[0_u32; 4])?;
    let output = fixture.buffer_of(&[0_u32; 4])?;
    fixture.run(|commands, names| {
        let (input, middle) = (names.whole(&input), names.whole(&middle));
        commands.fill(&input, &3_u32.to_le_bytes())?;
        commands.barrier()?;
        let first = [input, middle.clone()];
        commands.dispatch(&executable, 0, [1, 1, 1], &[3, 1], &first)?;
        commands.barrier()?;
        let second = [middle, names.whole(&output)];
        commands.dispatch(&executable, 0, [1, 1, 1], &[10, 7], &second)
    })?;
    assert_eq!(fixture.read_of::<u32>(&output)?, [107; 4]);
    Ok(())
}

fn transient_input(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("scale_and_offset")?;
    let output = fixture.buffer_of(&[0_u32; 4])?;
    let timeline = fixture.semaphore()?;
    let at = |value| Timepoint::new(&timeline, value);
    let queue = fixture.queue();
    let input = queue.alloca(&[], &[at(1)], &device_params(), 16)?;
    let execution = fixture.record(|commands, names| {
        let input = names.whole(&input);
        commands.update(&to_bytes(&[1_u32, 2, 3, 4]), &input)?;
        commands.barrier()?;
        let bindings = [input, names.whole(&output)];
        commands.dispatch(&executable, 0, [1, 1, 1], &[20, 1], &bindings)
    })?;
    queue.execute(&[at(1)], &[at(2)], &[execution])?;
    queue.dealloca(&[at(2)], &[at(3)], &input)?;
    timeline.wait(3, PATIENCE)?;
    assert_eq!(fixture.read_of::<u32>(&output)?, [21, 41, 61, 81]);
    Ok(())
}

/// Each stage adds one to what the stage before left in the other buffer.
fn many_stages(fixture: &Fixture) -> Outcome {
    const STAGES: u32 = 100;
    let executable = fixture.executable("scale_and_offset")?;
    let buffers = [
        fixture.buffer_of(&[5_u32, 6, 7, 8])?,
        fixture.buffer_of(&[0_u32; 4])?,
    ];
    fixture.run(|commands, names| {
        let [a, b] = &buffers;
        let (a, b) = (names.whole(a), names.whole(b));
        let (there, back) = ([a.clone(), b.clone()], [b, a]);
        for stage in 0..STAGES {
            let bindings = if stage % 2 == 0 { &there } else { &back };
            commands.dispatch(&executable, 0, [1, 1, 1], &[1, 1], bindings)?;
            commands.barrier()?;
        }
        Ok(())
    })?;
    assert_eq!(fixture.read_of::<u32>(&buffers[0])?, [105, 106, 107, 108]);
    Ok(())
}

fn more_than_32_independent_fills(fixture: &Fixture) -> Outcome {
    const FILLS: u64 = 100;
    let buffer = fixture.buffer(&[0; 4 * FILLS as usize])?;
    let commands = fixture.command_buffer(hal::flags::CommandBufferFlags::empty())?;
    commands.begin()?;
    for index in 0..FILLS {
        let target = if fixture.indirect {
            BufferRef::slot(0, 4 * index, 4)
        } else {
            BufferRef::range(&buffer, 4 * index, 4)
        };
        commands.fill(&target, &(index as u32 + 1).to_le_bytes())?;
    }
    commands.end()?;
    let table = if fixture.indirect {
        BindingTable::new(vec![Binding::whole(&buffer)])
    } else {
        BindingTable::empty()
    };
    let execution = Execution::with_bindings(&commands, &table);
    for _ in 0..3 {
        fixture.execute(&execution)?;
        let expected: Vec<u32> = (1..=FILLS as u32).collect();
        assert_eq!(fixture.read_of::<u32>(&buffer)?, expected);
        fixture.run(|commands, names| commands.fill(&names.whole(&buffer), &[0]))?;
    }
    Ok(())
}
