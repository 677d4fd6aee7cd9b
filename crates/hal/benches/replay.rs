//! What recording, replaying and submitting costs above HIP, on the provider
//! that does nothing.
//!
//! ```text
//! cargo bench -p hal --bench replay
//! ```
//!
//! Each figure is the best of several runs. The bare loop makes the same calls
//! of `hip::Api` from arguments packed beforehand. Instructions are counted by
//! running this program again under `perf stat`, or `valgrind`, if there is one.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::env;
use std::hint::black_box;
use std::process::Command as Process;
use std::sync::Arc;
use std::time::Instant;

use hal::flags::{CommandBufferFlags, CommandCategories};
use hal::{
    Binding, BindingTable, BufferParams, BufferRef, CommandBuffer, CommandBufferMode, Device,
    DeviceParams, Driver, DriverOptions, Executable, ExecutableParams, Execution, QueueAffinity,
    Semaphore, Timepoint,
};
use hip::{Api, FunctionHandle, LaunchConfig, StreamHandle};

/// Counts the allocations of each thread.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller keeps the contract of `GlobalAlloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `GlobalAlloc`.
        unsafe { System.dealloc(ptr, layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller keeps the contract of `GlobalAlloc`.
        unsafe { System.realloc(ptr, layout, bytes) }
    }
}

/// Dispatches of one command buffer.
const DISPATCHES: usize = 1000;
/// Runs of which the best counts.
const RUNS: usize = 25;

fn main() {
    let arguments: Vec<String> = env::args().collect();
    if let Some(at) = arguments.iter().position(|word| word == "--phase") {
        let rounds = arguments[at + 2].parse().expect("a number of rounds");
        Bench::new(CommandBufferMode::Stream).run_phase(&arguments[at + 1], rounds);
        return;
    }
    let mut bench = Bench::new(CommandBufferMode::Stream);
    say(&format!(
        "\n{DISPATCHES} dispatches (2 bindings, 2 constants) on the null provider, per dispatch:"
    ));
    say(&format!(
        "{:<34}{:>9}{:>9}{:>14}{:>13}",
        "", "ns", "x bare", "allocations*", "instructions"
    ));
    for (phase, name, rounds) in [
        ("bare", "bare loop of launch_kernel", 200),
        ("replay", "replay, buffers in the commands", 200),
        ("indirect", "replay, buffers in slots", 200),
        ("record", "record", 50),
    ] {
        let (ns, bare) = bench.time_with_bare(phase, rounds);
        let allocations = bench.allocations(phase);
        let instructions =
            instructions(phase).map_or_else(|| "-".to_owned(), |count| format!("{count:.1}"));
        say(&format!(
            "{name:<34}{ns:>9.2}{:>9.2}{allocations:>14}{instructions:>13}",
            ns / bare
        ));
    }
    say("* of a whole command buffer, with its submission, once warm");
    say(&format!(
        "\nsubmissions, each:\n{:<60}{:>9}{:>14}{:>13}",
        "", "ns", "allocations", "instructions"
    ));
    for (phase, mode, name) in [
        ("empty", CommandBufferMode::Stream, "empty command buffer"),
        (
            "single",
            CommandBufferMode::Stream,
            "one dispatch, new table, new semaphore, behind the last one",
        ),
        (
            "memory",
            CommandBufferMode::Stream,
            "memory of the queue, new semaphore, dropped",
        ),
        (
            "replay",
            CommandBufferMode::Graph,
            "graph of 1000 dispatches",
        ),
    ] {
        let mut bench = Bench::new(mode);
        let ns = bench.time(phase, 2000) * DISPATCHES as f64;
        let allocations = bench.allocations(phase);
        let instructions = match mode {
            CommandBufferMode::Stream => instructions(phase),
            _ => None,
        };
        let instructions = instructions.map_or_else(
            || "-".to_owned(),
            |count| format!("{:.0}", count * DISPATCHES as f64),
        );
        say(&format!(
            "{name:<60}{ns:>9.0}{allocations:>14}{instructions:>13}"
        ));
    }
    if instructions("bare").is_none() {
        say("no instructions counted: neither perf nor valgrind can be run here");
    }
}

#[expect(clippy::print_stdout, reason = "the result of a benchmark")]
fn say(line: &str) {
    println!("{line}");
}

/// Everything set up to run any phase.
struct Bench {
    api: Arc<dyn Api>,
    device: Device,
    executable: Executable,
    bindings: [BufferRef; 2],
    direct: CommandBuffer,
    indirect: CommandBuffer,
    empty: CommandBuffer,
    single: CommandBuffer,
    last: Timepoint,
    table: BindingTable,
    semaphore: Semaphore,
    value: u64,
    launches: Vec<(LaunchConfig, [u8; 24])>,
}

impl Bench {
    fn new(mode: CommandBufferMode) -> Self {
        let api = hip::null();
        let driver = Driver::with_api("null", api.clone(), DriverOptions::default()).unwrap();
        let params = DeviceParams {
            command_buffer_mode: mode,
            ..DeviceParams::default()
        };
        let device = driver.create_device_by_ordinal(0, &params).unwrap();
        let data = fixtures::read("gfx1100/scale_and_offset.fb");
        // SAFETY: the null provider runs nothing.
        let executable = unsafe {
            device
                .create_executable_cache()
                .prepare(&ExecutableParams::new(&data))
                .unwrap()
        };
        let buffers = [0, 1].map(|_| {
            let params = BufferParams::device_local();
            device.allocator().allocate(&params, 64).unwrap()
        });
        let bindings = [&buffers[0], &buffers[1]].map(BufferRef::whole);
        let slots = [0, 1].map(|slot| BufferRef::slot(slot, 0, 64));
        let empty = begin(&device, 0);
        empty.end().unwrap();
        let single = begin(&device, 2);
        single
            .dispatch(&executable, 0, [4, 1, 1], &[3, 10], &slots)
            .unwrap();
        single.end().unwrap();
        let launch = LaunchConfig {
            grid: [4, 1, 1].into(),
            block: [64, 1, 1].into(),
            shared_memory_bytes: 0,
        };
        Self {
            direct: record(&device, &executable, &bindings),
            indirect: record(&device, &executable, &slots),
            empty,
            single,
            last: Timepoint::new(&device.create_semaphore(0).unwrap(), 0),
            table: buffers.iter().map(Binding::whole).collect(),
            semaphore: device.create_semaphore(0).unwrap(),
            value: 0,
            launches: vec![(launch, [7; 24]); DISPATCHES],
            api,
            device,
            executable,
            bindings,
        }
    }

    fn run_phase(&mut self, phase: &str, rounds: usize) {
        match phase {
            "bare" => (0..rounds).for_each(|_| self.bare()),
            "replay" => {
                let execution = Execution::new(&self.direct);
                (0..rounds).for_each(|_| self.submit(&execution));
            }
            "indirect" => {
                let execution = Execution::with_bindings(&self.indirect, &self.table);
                (0..rounds).for_each(|_| self.submit(&execution));
            }
            "empty" => {
                let execution = Execution::new(&self.empty);
                (0..rounds).for_each(|_| self.submit(&execution));
            }
            "single" => (0..rounds).for_each(|_| self.submit_single()),
            "memory" => (0..rounds).for_each(|_| self.allocate()),
            "record" => (0..rounds).for_each(|_| {
                black_box(record(&self.device, &self.executable, &self.bindings));
            }),
            _ => panic!("there is no phase `{phase}`"),
        }
    }

    /// Best nanoseconds per dispatch.
    fn time(&mut self, phase: &str, rounds: usize) -> f64 {
        self.time_with_bare(phase, rounds).0
    }

    /// Best nanoseconds per dispatch, of the phase and of the bare loop. They
    /// take turns, so that a machine that is busy for a while slows down both.
    fn time_with_bare(&mut self, phase: &str, rounds: usize) -> (f64, f64) {
        let mut best = [f64::INFINITY; 2];
        for _ in 0..RUNS {
            for (best, phase) in best.iter_mut().zip([phase, "bare"]) {
                self.run_phase(phase, rounds / 4 + 1);
                let start = Instant::now();
                self.run_phase(phase, rounds);
                let ns = start.elapsed().as_nanos() as f64;
                *best = best.min(ns / (rounds * DISPATCHES) as f64);
            }
        }
        (best[0], best[1])
    }

    /// Allocations of one round, once warm: the most of several, so that none
    /// hides between markers.
    fn allocations(&mut self, phase: &str) -> u64 {
        self.run_phase(phase, 64);
        let execution = match phase {
            "replay" => Some(Execution::new(&self.direct)),
            "indirect" => Some(Execution::with_bindings(&self.indirect, &self.table)),
            "empty" => Some(Execution::new(&self.empty)),
            _ => None,
        };
        let rounds = (0..32).map(|_| {
            let before = ALLOCATIONS.get();
            match &execution {
                Some(execution) => self.submit(execution),
                None => self.run_phase(phase, 1),
            }
            ALLOCATIONS.get() - before
        });
        rounds.max().expect("there are rounds")
    }

    fn bare(&self) {
        let api = black_box(&self.api);
        let (function, stream) = black_box((FunctionHandle(3), StreamHandle(4)));
        for (config, kernarg) in &self.launches {
            // SAFETY: the null provider uses no handle and no argument.
            unsafe { api.launch_kernel(function, config, stream, kernarg) }.unwrap();
        }
    }

    /// As programs do: everything is new but the commands.
    fn submit_single(&mut self) {
        let done = Timepoint::new(&self.device.create_semaphore(0).unwrap(), 1);
        let table: BindingTable = self.table.bindings().iter().cloned().collect();
        let execution = Execution::with_bindings(&self.single, &table);
        let waits = std::slice::from_ref(&self.last);
        let queue = self.device.queue(QueueAffinity::ANY).unwrap();
        queue
            .execute(waits, std::slice::from_ref(&done), &[execution])
            .unwrap();
        self.last = done;
    }

    fn allocate(&mut self) {
        let done = Timepoint::new(&self.device.create_semaphore(0).unwrap(), 1);
        let queue = self.device.queue(QueueAffinity::ANY).unwrap();
        let params = BufferParams::device_local();
        let signals = std::slice::from_ref(&done);
        let buffer = queue.alloca(&[], signals, &params, 4096).unwrap();
        drop(black_box(buffer));
    }

    fn submit(&mut self, execution: &Execution) {
        self.value += 1;
        let signals = [Timepoint::new(&self.semaphore, self.value)];
        let queue = self.device.queue(QueueAffinity::ANY).unwrap();
        queue
            .execute(&[], &signals, std::slice::from_ref(execution))
            .unwrap();
    }
}

fn begin(device: &Device, capacity: usize) -> CommandBuffer {
    let flags = CommandBufferFlags::empty();
    let any = (CommandCategories::ANY, QueueAffinity::ANY);
    let commands = device
        .create_command_buffer(flags, any.0, any.1, capacity)
        .unwrap();
    commands.begin().unwrap();
    commands
}

fn record(device: &Device, executable: &Executable, bindings: &[BufferRef; 2]) -> CommandBuffer {
    let commands = begin(device, 2);
    for _ in 0..DISPATCHES {
        commands
            .dispatch(executable, 0, [4, 1, 1], &[3, 10], bindings)
            .unwrap();
    }
    commands.end().unwrap();
    commands
}

/// Instructions per dispatch, from two runs of different length.
fn instructions(phase: &str) -> Option<f64> {
    let (few, many) = (20, 120);
    let count = |rounds| {
        counted(
            "perf",
            &["stat", "-x,", "-e", "instructions:u"],
            phase,
            rounds,
            |line| {
                line.contains("instructions")
                    .then(|| line.split(',').next())?
            },
        )
        .or_else(|| {
            let tool = ["--tool=callgrind", "--callgrind-out-file=/dev/null"];
            counted("valgrind", &tool, phase, rounds, |line| {
                line.contains("Collected").then(|| line.split(':').nth(1))?
            })
        })
    };
    let more = count(many)?.checked_sub(count(few)?)?;
    Some(more as f64 / ((many - few) * DISPATCHES) as f64)
}

/// The number that `find` finds in what a tool says about running a phase.
fn counted(
    tool: &str,
    arguments: &[&str],
    phase: &str,
    rounds: usize,
    find: impl Fn(&str) -> Option<&str>,
) -> Option<u64> {
    let output = Process::new(tool)
        .args(arguments)
        .arg(env::current_exe().ok()?)
        .args(["--phase", phase, &rounds.to_string()])
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    text.lines()
        .find_map(|line| find(line)?.trim().parse().ok())
}
