//! Command buffers that are submitted again, with the same buffers or others.

use hal::flags::CommandBufferFlags;
use hal::{Binding, BindingTable, Buffer, BufferParams, BufferRef, Execution, Timepoint};

use crate::cases;
use crate::frame::{Case, Fixture, Outcome, Stop};
use crate::work::{at, patched, slot, table, words};

pub(crate) const CASES: &[Case] = cases![Mode:
    resubmit_with_different_bindings,
    large_workgroup_count,
    mixed_direct_and_indirect_bindings,
    deferred_execute_retains_dispatch_binding_table,
    alloca_execute_dealloca_cycle,
    pipelined_alloca_execute_dealloca,
    multiple_dispatches_in_single_command_buffer,
    multi_dispatch_multi_resubmit,
    same_commands_many_times,
    more_tables_than_are_remembered,
    tables_for_dispatches_and_fills_in_turn,
    tables_in_flight_at_once,
    on_both_queues_at_once,
    recorded_buffers_are_retained,
    commands_are_retained,
    offsets_of_tables_change,
    several_in_one_submission,
];

/// As many numbers as workgroups.
fn ids(count: u32) -> Vec<u8> {
    words(0..count)
}

fn resubmit_with_different_bindings(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("write_workgroup_ids")?;
    let commands = fixture
        .record_slots(|commands| commands.dispatch(&executable, 0, [64, 1, 1], &[], &[slot(0)]))?;
    let outputs = (0..3)
        .map(|_| fixture.buffer(256, 0xFF))
        .collect::<Result<Vec<_>, _>>()?;
    for (done, output) in outputs.iter().enumerate() {
        fixture.submit_with(&commands, &[output])?;
        for (index, output) in outputs.iter().enumerate() {
            let expected = if index <= done {
                ids(64)
            } else {
                vec![0xFF; 256]
            };
            fixture.expect(output, &expected)?;
        }
    }
    Ok(())
}

fn large_workgroup_count(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("write_workgroup_ids")?;
    let commands = fixture.record_slots(|commands| {
        commands.dispatch(&executable, 0, [1024, 1, 1], &[], &[slot(0)])
    })?;
    let output = fixture.buffer(4096, 0xFF)?;
    fixture.submit_with(&commands, &[&output])?;
    fixture.expect(&output, &ids(1024))
}

fn mixed_direct_and_indirect_bindings(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("scale_and_offset")?;
    let input = fixture.buffer_of(&words([1, 2, 3, 4]))?;
    let commands = fixture.record_slots(|commands| {
        let bindings = [BufferRef::whole(&input), slot(5)];
        commands.dispatch(&executable, 0, [1, 1, 1], &[5, 0], &bindings)
    })?;
    for _ in 0..2 {
        let output = fixture.buffer(16, 0)?;
        let unused = &input;
        let buffers = [unused, unused, unused, unused, unused, &output];
        fixture.submit_with(&commands, &buffers)?;
        fixture.expect(&output, &words([5, 10, 15, 20]))?;
    }
    Ok(())
}

/// The table and its buffers are dropped while the submission still waits.
fn deferred_execute_retains_dispatch_binding_table(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("scale_and_offset")?;
    let commands = fixture.record_slots(|commands| {
        commands.dispatch(&executable, 0, [1, 1, 1], &[3, 10], &[slot(0), slot(1)])
    })?;
    let (gate, done) = (fixture.semaphore()?, fixture.semaphore()?);
    let input = fixture.buffer_of(&words([1, 2, 3, 4]))?;
    let output = fixture.buffer(64, 0)?;
    let view = output.subspan(16, 32)?;
    let execution = Execution::with_bindings(&commands, &table(&[&input, &view]));
    fixture
        .queue()
        .execute(&at(&gate, 1), &at(&done, 1), &[execution])?;
    drop((input, view, commands, executable));
    // What would be reused if it were free.
    let _others = fixture.buffer_of(&words([9; 4]))?;
    assert_eq!(done.query()?, 0);
    gate.signal(1)?;
    fixture.wait(&done, 1)?;
    let expected = patched(vec![0; 64], 16, &words([13, 16, 19, 22]));
    fixture.expect(&output, &expected)
}

fn cycle(fixture: &Fixture, is_waited_for: bool) -> Outcome {
    let executable = fixture.executable("write_workgroup_ids")?;
    let commands = fixture.record_slots(|commands| {
        commands.dispatch(&executable, 0, [128, 1, 1], &[], &[slot(0)])?;
        commands.barrier()?;
        commands.copy(&BufferRef::slot(0, 0, 512), &BufferRef::slot(1, 0, 512))
    })?;
    let (steps, queue) = (fixture.semaphore()?, fixture.queue());
    let mut outputs = Vec::new();
    for round in 0..3 {
        let step = 3 * round;
        let output = fixture.buffer(512, 0xFF)?;
        let waits = if round == 0 {
            vec![]
        } else {
            at(&steps, step).to_vec()
        };
        let params = BufferParams::device_local();
        let transient = queue.alloca(&waits, &at(&steps, step + 1), &params, 512)?;
        let execution = Execution::with_bindings(&commands, &table(&[&transient, &output]));
        queue.execute(&at(&steps, step + 1), &at(&steps, step + 2), &[execution])?;
        queue.dealloca(&at(&steps, step + 2), &at(&steps, step + 3), &transient)?;
        if is_waited_for {
            fixture.wait(&steps, step + 3)?;
        }
        outputs.push(output);
    }
    fixture.wait(&steps, 9)?;
    for output in &outputs {
        fixture.expect(output, &ids(128))?;
    }
    Ok(())
}

fn alloca_execute_dealloca_cycle(fixture: &Fixture) -> Outcome {
    cycle(fixture, true)
}

fn pipelined_alloca_execute_dealloca(fixture: &Fixture) -> Outcome {
    cycle(fixture, false)
}

/// Two kernels on three slots: doubled and negated.
fn multi_dispatch(fixture: &Fixture) -> Result<hal::CommandBuffer, Stop> {
    let executable = fixture.executable("scale_and_offset")?;
    let ids = fixture.executable("write_workgroup_ids")?;
    fixture.record_slots(|commands| {
        commands.dispatch(&ids, 0, [4, 1, 1], &[], &[slot(0)])?;
        commands.barrier()?;
        let first = [slot(0), slot(1)];
        commands.dispatch(&executable, 0, [1, 1, 1], &[2, 1], &first)?;
        let second = [slot(0), slot(2)];
        commands.dispatch(&executable, 0, [1, 1, 1], &[7, 0], &second)
    })
}

fn expect_multi_dispatch(fixture: &Fixture, buffers: &[Buffer]) -> Outcome {
    fixture.expect(&buffers[0], &words([0, 1, 2, 3]))?;
    fixture.expect(&buffers[1], &words([1, 3, 5, 7]))?;
    fixture.expect(&buffers[2], &words([0, 7, 14, 21]))
}

fn three_buffers(fixture: &Fixture) -> Result<Vec<Buffer>, Stop> {
    (0..3).map(|_| fixture.buffer(16, 0xFF)).collect()
}

fn multiple_dispatches_in_single_command_buffer(fixture: &Fixture) -> Outcome {
    let commands = multi_dispatch(fixture)?;
    let buffers = three_buffers(fixture)?;
    fixture.submit_with(&commands, &buffers.iter().collect::<Vec<_>>())?;
    expect_multi_dispatch(fixture, &buffers)
}

fn multi_dispatch_multi_resubmit(fixture: &Fixture) -> Outcome {
    let commands = multi_dispatch(fixture)?;
    for _ in 0..5 {
        let buffers = three_buffers(fixture)?;
        fixture.submit_with(&commands, &buffers.iter().collect::<Vec<_>>())?;
        expect_multi_dispatch(fixture, &buffers)?;
    }
    Ok(())
}

/// More commands between barriers than any fixed table would hold, submitted
/// again and again without waiting.
fn same_commands_many_times(fixture: &Fixture) -> Outcome {
    let buffer = fixture.buffer(40 * 16, 0)?;
    let execution = fixture.record(|commands| {
        for index in 0..40_u64 {
            let target = commands.range(&buffer, 16 * index, 16);
            commands.fill(&target, &(index as u32).to_le_bytes())?;
        }
        Ok(())
    })?;
    let done = fixture.semaphore()?;
    for round in 1..=10 {
        let executions = std::slice::from_ref(&execution);
        fixture
            .queue()
            .execute(&[], &at(&done, round), executions)?;
    }
    fixture.wait(&done, 10)?;
    fixture.expect(&buffer, &words((0..40).flat_map(|index| [index; 4])))
}

fn more_tables_than_are_remembered(fixture: &Fixture) -> Outcome {
    let commands = fixture.record_slots(|commands| {
        commands.copy(&BufferRef::slot(0, 0, 16), &BufferRef::slot(1, 0, 16))
    })?;
    let sources = (0..20)
        .map(|seed| fixture.buffer(16, seed + 1))
        .collect::<Result<Vec<_>, _>>()?;
    let target = fixture.buffer(16, 0)?;
    for _ in 0..2 {
        for (seed, source) in sources.iter().enumerate() {
            fixture.submit_with(&commands, &[source, &target])?;
            fixture.expect(&target, &[seed as u8 + 1; 16])?;
        }
    }
    Ok(())
}

/// Every address changes from one time to the next, often enough for graphs to
/// be built and changed.
fn tables_for_dispatches_and_fills_in_turn(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("scale_and_offset")?;
    let commands = fixture.record_slots(|commands| {
        commands.fill(&BufferRef::slot(2, 4, 8), &[0xAB, 0xCD])?;
        commands.dispatch(&executable, 0, [1, 1, 1], &[3, 10], &[slot(0), slot(1)])?;
        commands.barrier()?;
        commands.copy(&BufferRef::slot(1, 0, 4), &BufferRef::slot(2, 12, 4))
    })?;
    let sets = (0..6_u32)
        .map(|seed| {
            let input = fixture.buffer_of(&words([seed, 2, 3, 4]))?;
            Ok((input, fixture.buffer(16, 0)?, fixture.buffer(16, 0)?))
        })
        .collect::<Result<Vec<_>, Stop>>()?;
    for _ in 0..8 {
        for (seed, (input, output, filled)) in (0..).zip(&sets) {
            fixture.submit_with(&commands, &[input, output, filled])?;
            fixture.expect(output, &words([3 * seed + 10, 16, 19, 22]))?;
            let expected = words([0, 0xCDAB_CDAB, 0xCDAB_CDAB, 3 * seed + 10]);
            fixture.expect(filled, &expected)?;
            // What is left of this time must not pass for the next one.
            fixture.submit(&fixture.record(|commands| -> Outcome {
                commands.fill(&commands.whole(output), &[0])?;
                Ok(commands.fill(&commands.whole(filled), &[0])?)
            })?)?;
        }
    }
    Ok(())
}

/// Nothing is waited for: one table's addresses must not reach another's run.
fn tables_in_flight_at_once(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("scale_and_offset")?;
    let commands = fixture.record_slots(|commands| {
        commands.dispatch(&executable, 0, [1, 1, 1], &[1, 1], &[slot(0), slot(1)])
    })?;
    let mut chain = vec![fixture.buffer_of(&words([0; 4]))?];
    let done = fixture.semaphore()?;
    for round in 1..=50 {
        let output = fixture.buffer(16, 0)?;
        let buffers = table(&[&chain[chain.len() - 1], &output]);
        let execution = Execution::with_bindings(&commands, &buffers);
        fixture
            .queue()
            .execute(&[], &at(&done, round), &[execution])?;
        chain.push(output);
    }
    fixture.wait(&done, 50)?;
    for (index, buffer) in chain.iter().enumerate() {
        fixture.expect(buffer, &words([index as u32; 4]))?;
    }
    Ok(())
}

fn on_both_queues_at_once(fixture: &Fixture) -> Outcome {
    let executable = fixture.executable("write_workgroup_ids")?;
    let commands = fixture
        .record_slots(|commands| commands.dispatch(&executable, 0, [64, 1, 1], &[], &[slot(0)]))?;
    let mut signals = Vec::new();
    let mut outputs = Vec::new();
    for _ in 0..8 {
        for queue in fixture.device.queues() {
            let (output, done) = (fixture.buffer(256, 0xFF)?, fixture.semaphore()?);
            let execution = Execution::with_bindings(&commands, &table(&[&output]));
            queue.execute(&[], &at(&done, 1), &[execution])?;
            outputs.push(output);
            signals.push(Timepoint::new(&done, 1));
        }
    }
    hal::wait_timepoints(&signals, hal::WaitMode::All, crate::work::LONG)?;
    for output in &outputs {
        fixture.expect(output, &ids(64))?;
    }
    Ok(())
}

/// Commands keep the buffers that they name.
fn recorded_buffers_are_retained(fixture: &Fixture) -> Outcome {
    let (source, middle) = (fixture.buffer(4096, 0x11)?, fixture.buffer(4096, 0)?);
    let output = fixture.buffer(4096, 0)?;
    let execution = fixture.record(|commands| {
        commands.fill(&commands.range(&source, 0, 16), &[0x22])?;
        commands.barrier()?;
        commands.copy(&commands.whole(&source), &commands.whole(&middle))?;
        commands.barrier()?;
        commands.copy(&commands.whole(&middle), &commands.whole(&output))?;
        Ok(())
    })?;
    drop((source, middle));
    let _others = [fixture.buffer(4096, 0x77)?, fixture.buffer(4096, 0x77)?];
    fixture.submit(&execution)?;
    fixture.expect(&output, &patched(vec![0x11; 4096], 0, &[0x22; 16]))
}

/// A submission keeps its command buffer.
fn commands_are_retained(fixture: &Fixture) -> Outcome {
    let output = fixture.buffer(64, 0)?;
    let (gate, done) = (fixture.semaphore()?, fixture.semaphore()?);
    let execution = fixture.record_one_shot(|commands| {
        commands.update(&[0x42; 64], &commands.whole(&output))?;
        Ok(())
    })?;
    fixture
        .queue()
        .execute(&at(&gate, 1), &at(&done, 1), &[execution])?;
    gate.signal(1)?;
    fixture.wait(&done, 1)?;
    fixture.expect(&output, &[0x42; 64])
}

fn offsets_of_tables_change(fixture: &Fixture) -> Outcome {
    let commands = fixture.command_buffer(CommandBufferFlags::empty(), 1)?;
    commands.begin()?;
    commands.fill(&BufferRef::slot(0, 4, 8), &[0xAB])?;
    commands.end()?;
    let buffer = fixture.buffer(128, 0)?;
    let mut expected = vec![0; 128];
    for offset in [0, 32, 100] {
        let bindings = BindingTable::new(vec![Binding::range(&buffer, offset, 16)]);
        fixture.submit(&Execution::with_bindings(&commands, &bindings))?;
        expected = patched(expected, offset as usize + 4, &[0xAB; 8]);
        fixture.expect(&buffer, &expected)?;
    }
    Ok(())
}

/// One after the other, each as if submitted alone.
fn several_in_one_submission(fixture: &Fixture) -> Outcome {
    let [first, second] = [fixture.buffer(64, 1)?, fixture.buffer(64, 2)?];
    let fill = fixture.record_slots(|commands| commands.fill(&slot(0), &[9]))?;
    let copy = fixture.record_slots(|commands| {
        commands.copy(&BufferRef::slot(0, 0, 64), &BufferRef::slot(1, 0, 64))
    })?;
    let refill = fixture.record_slots(|commands| commands.fill(&slot(0), &[5]))?;
    let done = fixture.semaphore()?;
    let executions = [
        Execution::with_bindings(&fill, &table(&[&first])),
        Execution::with_bindings(&copy, &table(&[&first, &second])),
        Execution::with_bindings(&refill, &table(&[&first.subspan(0, 32)?])),
    ];
    fixture.queue().execute(&[], &at(&done, 1), &executions)?;
    fixture.wait(&done, 1)?;
    fixture.expect(&first, &patched(vec![9; 64], 0, &[5; 32]))?;
    fixture.expect(&second, &[9; 64])
}
