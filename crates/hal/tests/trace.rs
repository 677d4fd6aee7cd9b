//! The HIP calls that programs become, call by call, in each command buffer
//! mode. `HIPSTREAM_BLESS=1 cargo test -p hal --test trace` writes the files
//! in `tests/trace/` anew; look at what changed before keeping it.

use std::path::Path;

use hal::flags::{CommandBufferFlags, CommandCategories};
use hal::{
    Binding, BindingTable, Buffer, BufferParams, BufferRef, CommandBuffer, CommandBufferMode,
    Device, DeviceParams, Driver, DriverOptions, Executable, ExecutableParams, Execution,
    QueueAffinity, Semaphore, Timeout, Timepoint, WHOLE_BUFFER,
};
use hip::TraceSink;

/// A device of the provider that does nothing, whose calls are written down.
struct Traced {
    device: Device,
    sink: TraceSink,
    mode: CommandBufferMode,
}

impl Traced {
    fn new(mode: CommandBufferMode) -> Self {
        let sink = TraceSink::new();
        let api = hip::trace(hip::null(), sink.clone());
        let driver = Driver::with_api("null", api, DriverOptions::default()).unwrap();
        let params = DeviceParams {
            queue_count: 2,
            command_buffer_mode: mode,
            ..DeviceParams::default()
        };
        let device = driver.create_device_by_ordinal(0, &params).unwrap();
        Self { device, sink, mode }
    }

    fn executable(&self, name: &str) -> Executable {
        let data = fixtures::read(format!("gfx1100/{name}.fb"));
        let cache = self.device.create_executable_cache();
        // SAFETY: the provider runs nothing.
        unsafe { cache.prepare(&ExecutableParams::new(&data)).unwrap() }
    }

    fn buffer(&self, bytes: u64) -> Buffer {
        self.device
            .allocator()
            .allocate(&BufferParams::device_local(), bytes)
            .unwrap()
    }

    fn begin(&self, slots: usize) -> CommandBuffer {
        let flags = CommandBufferFlags::empty();
        let any = (CommandCategories::ANY, QueueAffinity::ANY);
        let commands = self
            .device
            .create_command_buffer(flags, any.0, any.1, slots)
            .unwrap();
        commands.begin().unwrap();
        commands
    }

    /// Submits to the first queue and waits, on this thread.
    fn execute(&self, executions: &[Execution]) {
        let done = self.device.create_semaphore(0).unwrap();
        self.device.queues()[0]
            .execute(&[], &at(&done, 1), executions)
            .unwrap();
        done.wait(1, Timeout::Infinite).unwrap();
    }

    /// Compares the calls since the last time with `tests/trace/<name>.<mode>.txt`.
    fn check(&self, name: &str) {
        let lines = self.sink.take();
        let actual: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/trace")
            .join(format!("{name}.{}.txt", self.mode));
        if std::env::var_os("HIPSTREAM_BLESS").is_some() {
            std::fs::write(&path, actual).unwrap();
            return;
        }
        let expected = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(actual, expected, "the calls of `{name}` changed");
    }
}

fn at(semaphore: &Semaphore, value: u64) -> [Timepoint; 1] {
    [Timepoint::new(semaphore, value)]
}

fn in_each_mode(program: impl Fn(&Traced)) {
    for mode in [
        CommandBufferMode::Stream,
        CommandBufferMode::Graph,
        CommandBufferMode::Auto,
    ] {
        program(&Traced::new(mode));
    }
}

/// Every command that issues something, with barriers that join none, one and
/// several commands.
#[test]
fn all_commands() {
    in_each_mode(|traced| {
        let executable = traced.executable("scale_and_offset");
        let (a, b) = (traced.buffer(256), traced.buffer(256));
        traced.sink.take();
        let commands = traced.begin(0);
        commands.barrier().unwrap();
        commands
            .fill(&BufferRef::range(&a, 0, 64), &[0xAB])
            .unwrap();
        commands
            .fill(&BufferRef::range(&a, 64, 64), &[0xCD, 0xAB])
            .unwrap();
        commands
            .fill(&BufferRef::range(&b, 128, WHOLE_BUFFER), &[1, 2, 3, 4])
            .unwrap();
        commands.barrier().unwrap();
        commands
            .update(&[7; 24], &BufferRef::range(&a, 16, 24))
            .unwrap();
        commands.barrier().unwrap();
        commands.barrier().unwrap();
        let bindings = [BufferRef::range(&a, 16, 16), BufferRef::range(&b, 32, 16)];
        commands
            .dispatch(&executable, 0, [4, 2, 1], &[3, 10], &bindings)
            .unwrap();
        commands
            .dispatch(&executable, 0, [4, 0, 1], &[3, 10], &bindings)
            .unwrap();
        commands
            .copy(
                &BufferRef::range(&a, 64, 32),
                &BufferRef::range(&a, 128, 32),
            )
            .unwrap();
        commands.barrier().unwrap();
        commands
            .copy(&BufferRef::range(&b, 32, 16), &BufferRef::range(&a, 0, 16))
            .unwrap();
        commands.end().unwrap();
        traced.check("record_all_commands");
        // Recording cost calls once; executing is what is left.
        traced.execute(&[Execution::new(&commands)]);
        traced.check("execute_all_commands");
        traced.execute(&[Execution::new(&commands), Execution::new(&commands)]);
        traced.check("execute_again");
        drop(commands);
        traced.check("drop_all_commands");
    });
}

/// Slots bound to two tables in turn.
#[test]
fn binding_tables() {
    in_each_mode(|traced| {
        let executable = traced.executable("scale_and_offset");
        let (a, b, c) = (traced.buffer(64), traced.buffer(64), traced.buffer(64));
        let commands = traced.begin(2);
        commands
            .fill(&BufferRef::slot(1, 0, WHOLE_BUFFER), &[0; 4])
            .unwrap();
        commands.barrier().unwrap();
        let bindings = [BufferRef::whole(&a), BufferRef::slot(1, 16, 16)];
        commands
            .dispatch(&executable, 0, [1, 1, 1], &[3, 10], &bindings)
            .unwrap();
        commands.end().unwrap();
        let table = |second| BindingTable::new(vec![Binding::whole(&a), second]);
        let first = table(Binding::whole(&b));
        let second = table(Binding::range(&c, 32, 32));
        traced.sink.take();
        for table in [&first, &second, &first] {
            traced.execute(&[Execution::with_bindings(&commands, table)]);
        }
        traced.check("binding_tables");
    });
}

/// Work of two queues that waits for each other, and for the host.
#[test]
fn two_queues() {
    in_each_mode(|traced| {
        let (a, b) = (traced.buffer(64), traced.buffer(64));
        let fill = traced.begin(0);
        fill.fill(&BufferRef::whole(&a), &[1]).unwrap();
        fill.end().unwrap();
        let copy = traced.begin(0);
        copy.copy(&BufferRef::whole(&a), &BufferRef::whole(&b))
            .unwrap();
        copy.end().unwrap();
        let [gate, filled, copied, done] =
            [(); 4].map(|()| traced.device.create_semaphore(0).unwrap());
        traced.sink.take();
        let [first, second] = [0, 1].map(|queue| &traced.device.queues()[queue]);
        // Parked: nobody has promised `filled` or `copied`.
        second
            .execute(&at(&filled, 1), &at(&copied, 1), &[Execution::new(&copy)])
            .unwrap();
        first
            .execute(&at(&copied, 1), &at(&done, 1), &[Execution::new(&fill)])
            .unwrap();
        first
            .execute(&at(&gate, 1), &at(&filled, 1), &[Execution::new(&fill)])
            .unwrap();
        traced.check("two_queues_parked");
        gate.signal(1).unwrap();
        traced.check("two_queues_released");
        done.wait(1, Timeout::Infinite).unwrap();
        traced.check("two_queues_waited");
    });
}

/// Memory that comes and goes in the order of the queue.
#[test]
fn memory_of_queues() {
    in_each_mode(|traced| {
        let source = traced.buffer(64);
        let [ready, done] = [(); 2].map(|()| traced.device.create_semaphore(0).unwrap());
        traced.sink.take();
        let queue = &traced.device.queues()[0];
        let params = BufferParams::device_local();
        let scratch = queue.alloca(&[], &at(&ready, 1), &params, 64).unwrap();
        let commands = traced.begin(0);
        commands
            .copy(&BufferRef::whole(&source), &BufferRef::whole(&scratch))
            .unwrap();
        commands.end().unwrap();
        queue
            .execute(&at(&ready, 1), &at(&ready, 2), &[Execution::new(&commands)])
            .unwrap();
        queue
            .dealloca(&at(&ready, 2), &at(&done, 1), &scratch)
            .unwrap();
        done.wait(1, Timeout::Infinite).unwrap();
        traced.check("memory_of_queues");
    });
}
