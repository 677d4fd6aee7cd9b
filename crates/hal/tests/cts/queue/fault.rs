//! Kernels that go wrong: who learns of it, and what goes on.

use std::thread;
use std::time::{Duration, Instant};

use hal::{
    BufferRef, Command, DispatchConfig, Executable, ExecutableParams, Queue, Status, StatusCode,
    Timepoint,
};

use crate::cases;
use crate::frame::{Case, Fixture, Outcome, Stop};
use crate::work::{LONG, at, patched};

pub(crate) const CASES: &[Case] = cases![Mode:
    store_out_of_bounds,
    use_after_free,
    unknown_instruction,
    trap,
    group_memory_out_of_bounds,
    failure_keeps_its_cause_along_the_way,
    other_queue_goes_on,
    memory_of_failed_work_is_freed,
];

/// The kernels, on a device that survives them.
fn faulty_kernels(fixture: &Fixture) -> Result<Executable, Stop> {
    if fixture.driver.name() != "software" {
        return Err(Stop::Skipped(
            "a fault ends what runs on a real device".to_owned(),
        ));
    }
    let image = fixture.code("faults")?;
    Ok(fixture.prepare(&ExecutableParams::new(&image))?)
}

/// Submits one kernel.
fn submit(
    queue: &Queue,
    (waits, signals): (&[Timepoint], &[Timepoint]),
    executable: &Executable,
    kernel: &str,
    constants: &[u32],
    bindings: &[BufferRef],
) -> hal::Result<()> {
    let command = Command::Dispatch {
        executable,
        export: executable.lookup_export(kernel)?,
        config: DispatchConfig {
            workgroup_count: [1, 1, 1],
            workgroup_size: [32, 1, 1],
            dynamic_lds_bytes: 0,
        },
        constants,
        bindings,
    };
    queue.run(waits, signals, &command)
}

/// Runs a kernel that must fail; what it says.
fn fault(
    fixture: &Fixture,
    kernel: &str,
    constants: &[u32],
    bindings: &[BufferRef],
) -> Result<Status, Stop> {
    let executable = faulty_kernels(fixture)?;
    let done = fixture.semaphore()?;
    let signals = [Timepoint::new(&done, 1)];
    let points = (&[][..], &signals[..]);
    submit(
        fixture.queue(),
        points,
        &executable,
        kernel,
        constants,
        bindings,
    )?;
    let status = done.wait(1, LONG).expect_err("the kernel went well");
    let text = format!("{status:#}");
    assert!(text.contains(kernel), "{kernel} is not in: {text}");
    goes_on(fixture)?;
    Ok(status)
}

/// The queue does right after a fault was reported.
fn goes_on(fixture: &Fixture) -> Outcome {
    let buffer = fixture.buffer(64, 3)?;
    fixture.execute(|commands| {
        commands.fill(&commands.range(&buffer, 0, 32), &[4])?;
        Ok(())
    })?;
    fixture.expect(&buffer, &patched(vec![3; 64], 0, &[4; 32]))
}

/// A 64-bit argument as the constants that carry it.
fn words(value: u64) -> [u32; 2] {
    [value as u32, (value >> 32) as u32]
}

fn store_out_of_bounds(fixture: &Fixture) -> Outcome {
    let buffer = fixture.buffer(64, 1)?;
    let bindings = [BufferRef::whole(&buffer)];
    for offset in [64, 1 << 40, u64::MAX - 63] {
        let status = fault(fixture, "store_at", &words(offset), &bindings)?;
        assert_eq!(status.code(), StatusCode::Internal, "{status:#}");
        fixture.expect(&buffer, &[1; 64])?;
    }
    // In bounds it does what it is asked to.
    let executable = faulty_kernels(fixture)?;
    let done = fixture.semaphore()?;
    let signals = at(&done, 1);
    let points = (&[][..], &signals[..]);
    let constants = words(60);
    let queue = fixture.queue();
    submit(
        queue,
        points,
        &executable,
        "store_at",
        &constants,
        &bindings,
    )?;
    fixture.wait(&done, 1)?;
    let expected = patched(vec![1; 64], 60, &42_u32.to_le_bytes());
    fixture.expect(&buffer, &expected)
}

fn use_after_free(fixture: &Fixture) -> Outcome {
    let buffer = fixture.buffer(64, 1)?;
    // So large that no later allocation of this test takes its place.
    let freed = fixture.buffer(8 << 20, 2)?;
    let distance = freed.device_ptr()?.0.wrapping_sub(buffer.device_ptr()?.0);
    drop(freed);
    let bindings = [BufferRef::whole(&buffer)];
    // The queue may hold the memory a little longer than we do: reading it is
    // good until it lets go.
    let executable = faulty_kernels(fixture)?;
    let deadline = Instant::now() + LONG;
    loop {
        let done = fixture.semaphore()?;
        let signals = [Timepoint::new(&done, 1)];
        let (points, constants) = ((&[][..], &signals[..]), words(distance));
        let queue = fixture.queue();
        submit(queue, points, &executable, "load_at", &constants, &bindings)?;
        if done.wait(1, LONG).is_err() {
            break;
        }
        assert!(Instant::now() < deadline, "the memory is never freed");
    }
    for kernel in ["load_at", "store_at", "atomic_at"] {
        fault(fixture, kernel, &words(distance), &bindings)?;
    }
    Ok(())
}

fn unknown_instruction(fixture: &Fixture) -> Outcome {
    let status = fault(fixture, "unknown_instruction", &[], &[])?;
    assert!(
        format!("{status:#}").to_lowercase().contains("cafef00d"),
        "{status:#}"
    );
    Ok(())
}

fn trap(fixture: &Fixture) -> Outcome {
    fault(fixture, "trap", &[], &[])?;
    Ok(())
}

fn group_memory_out_of_bounds(fixture: &Fixture) -> Outcome {
    fault(fixture, "lds_store_at", &[1 << 20], &[])?;
    Ok(())
}

fn failure_keeps_its_cause_along_the_way(fixture: &Fixture) -> Outcome {
    let executable = faulty_kernels(fixture)?;
    let buffer = fixture.buffer(64, 1)?;
    let (failed, second, third) = (
        fixture.semaphore()?,
        fixture.semaphore()?,
        fixture.semaphore()?,
    );
    let at = |semaphore| [Timepoint::new(semaphore, 1)];
    let [here, there] = fixture.device.queues() else {
        panic!("the fixture has two queues");
    };
    let target = BufferRef::whole(&buffer);
    // What depends on it is submitted before it fails, and after.
    there.fill(&at(&failed), &at(&second), &target, &[2])?;
    submit(here, (&[], &at(&failed)), &executable, "trap", &[], &[])?;
    failed.wait(1, LONG).expect_err("signalled");
    here.fill(&at(&second), &at(&third), &target, &[3])?;
    let cause = failed.query().expect_err("signalled");
    for semaphore in [&second, &third] {
        let status = semaphore.wait(1, LONG).expect_err("signalled");
        assert_eq!(status.code(), cause.code());
        let text = format!("{status:#}");
        assert!(text.contains("trap"), "no cause in: {text}");
    }
    // A stream may have run dependent work before the fault was known; what
    // counts is that nobody is told that it went well.
    goes_on(fixture)
}

fn other_queue_goes_on(fixture: &Fixture) -> Outcome {
    let executable = faulty_kernels(fixture)?;
    let buffer = fixture.buffer(64, 1)?;
    let (failed, done) = (fixture.semaphore()?, fixture.semaphore()?);
    let [here, there] = fixture.device.queues() else {
        panic!("the fixture has two queues");
    };
    let at = |semaphore, value| [Timepoint::new(semaphore, value)];
    submit(here, (&[], &at(&failed, 1)), &executable, "trap", &[], &[])?;
    for value in 1..=10 {
        let target = BufferRef::whole(&buffer);
        there.fill(
            &at(&done, value - 1),
            &at(&done, value),
            &target,
            &[value as u8],
        )?;
    }
    done.wait(10, LONG)?;
    // Until the fault is reported, what was submitted behind it fails with it.
    failed.wait(1, LONG).expect_err("signalled");
    fixture.expect(&buffer, &[10; 64])?;
    goes_on(fixture)
}

fn memory_of_failed_work_is_freed(fixture: &Fixture) -> Outcome {
    let executable = faulty_kernels(fixture)?;
    let live = || -> hal::Result<u64> {
        let statistics = fixture.device.allocator().statistics()?;
        Ok(statistics.device_bytes_allocated - statistics.device_bytes_freed)
    };
    let before = live()?;
    for _ in 0..4 {
        let buffer = fixture.buffer(4096, 1)?;
        let done = fixture.semaphore()?;
        let signals = [Timepoint::new(&done, 1)];
        let bindings = [BufferRef::whole(&buffer)];
        let points = (&[][..], &signals[..]);
        let constants = words(1 << 40);
        submit(
            fixture.queue(),
            points,
            &executable,
            "store_at",
            &constants,
            &bindings,
        )?;
        drop(bindings);
        drop(buffer);
        done.wait(1, LONG).expect_err("signalled");
    }
    fixture.queue().wait_idle();
    // Another thread may be about to let go of it.
    let begin = Instant::now();
    while live()? != before {
        assert!(begin.elapsed() < LONG, "the memory is still in use");
        thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}
