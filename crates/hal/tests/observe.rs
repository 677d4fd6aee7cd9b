//! What the software GPU's checks know of the memory that a dispatch is bound
//! to, whichever way it gets there.

use std::time::Duration;

use hal::flags::{CommandBufferFlags, CommandCategories};
use hal::{
    Binding, BindingTable, Buffer, BufferParams, BufferRef, Check, Checks, Command,
    CommandBufferMode, Device, DeviceParams, DispatchConfig, Driver, DriverOptions, Executable,
    ExecutableParams, Execution, Finding, Observer, Queue, QueueAffinity, Semaphore, Timepoint,
    WHOLE_BUFFER,
};

const LONG: Duration = Duration::from_secs(60);
const BYTES: u64 = 4096;
/// What the lanes of one wave load.
const WAVE: u64 = 256;
/// Often enough for both ways of `auto` mode.
const ROUNDS: u64 = 12;

const MODES: [CommandBufferMode; 3] = [
    CommandBufferMode::Stream,
    CommandBufferMode::Graph,
    CommandBufferMode::Auto,
];

struct Observed {
    device: Device,
    kernels: Executable,
    observer: Observer,
    source: Buffer,
    target: Buffer,
}

impl Observed {
    fn new(chip: &str, mode: CommandBufferMode) -> Observed {
        let observer = Observer::new(Checks::MEMORY);
        let options = DriverOptions {
            chip: Some(chip.to_owned()),
            observer: Some(observer.clone()),
            ..DriverOptions::default()
        };
        let driver = Driver::open("software", options).unwrap();
        let params = DeviceParams {
            command_buffer_mode: mode,
            ..DeviceParams::default()
        };
        let device = driver.create_device_by_ordinal(0, &params).unwrap();
        let data = fixtures::read(format!("{chip}/hazards.hsaco"));
        let cache = device.create_executable_cache();
        // SAFETY: what these kernels do wrong, the software GPU catches.
        let kernels = unsafe { cache.prepare(&ExecutableParams::new(&data)).unwrap() };
        let buffer = || {
            let params = BufferParams::device_local();
            let buffer = device.allocator().allocate(&params, BYTES).unwrap();
            wait(|signals| {
                let range = BufferRef::whole(&buffer);
                device.queues()[0].fill(&[], signals, &range, &[1])
            });
            buffer
        };
        let (source, target) = (buffer(), buffer());
        Observed {
            device,
            kernels,
            observer,
            source,
            target,
        }
    }

    fn queue(&self) -> &Queue {
        &self.device.queues()[0]
    }

    fn dispatch(&self, kernel: &str, bindings: &[BufferRef], take: &mut dyn FnMut(&Command<'_>)) {
        take(&Command::Dispatch {
            executable: &self.kernels,
            export: self.kernels.lookup_export(kernel).unwrap(),
            config: DispatchConfig {
                workgroup_count: [1; 3],
                workgroup_size: [64, 1, 1],
                dynamic_lds_bytes: 0,
            },
            constants: &[],
            bindings,
        });
    }

    /// Executes a kernel from a command buffer with as many slots as a table
    /// has, once with each of the tables.
    fn execute(&self, kernel: &str, bindings: &[BufferRef], tables: &[BindingTable]) {
        let slots = tables[0].bindings().len();
        let once = CommandBufferFlags::ONE_SHOT | CommandBufferFlags::ALLOW_INLINE_EXECUTION;
        let flags = match (tables.len(), slots) {
            (1, 0) => once,
            _ => CommandBufferFlags::empty(),
        };
        let (any, all) = (CommandCategories::ANY, QueueAffinity::ANY);
        let commands = self.device.create_command_buffer(flags, any, all, slots);
        let commands = commands.unwrap();
        commands.begin().unwrap();
        self.dispatch(kernel, bindings, &mut |command| {
            commands.record(command).unwrap();
        });
        commands.end().unwrap();
        for table in tables {
            let execution = [Execution {
                commands: commands.clone(),
                bindings: table.clone(),
            }];
            wait(|signals| self.queue().execute(&[], signals, &execution));
        }
    }

    fn findings(&self) -> Vec<Finding> {
        self.observer.observed().findings
    }

    /// The one finding there is, as text.
    fn only(&self, check: Check, count: u64) -> String {
        let findings = self.findings();
        let [finding] = &findings[..] else {
            panic!("{findings:#?}");
        };
        assert_eq!((finding.check, finding.count), (check, count), "{finding}");
        finding.to_string()
    }
}

/// Submits work and waits until it is done.
fn wait(submit: impl FnOnce(&[Timepoint]) -> hal::Result<()>) {
    let done = Semaphore::new(0).unwrap();
    submit(&[Timepoint::new(&done, 1)]).unwrap();
    done.wait(1, LONG).unwrap();
}

fn both(source: &Buffer, bytes: u64, target: &Buffer) -> [BufferRef; 2] {
    [
        BufferRef::range(source, 512, bytes),
        BufferRef::range(target, 1024, WAVE),
    ]
}

fn none(rounds: u64) -> Vec<BindingTable> {
    (0..rounds).map(|_| BindingTable::empty()).collect()
}

fn past(device: &Observed, count: u64) {
    let text = device.only(Check::OutsideBindings, count);
    for part in [
        "kernel `copy_next`: access outside the bindings of the launch",
        "0 bytes past the end of binding 0 (256 bytes at 0x",
        "global_load_",
        "wave 0, lane 63",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn bindings_of_buffers() {
    for chip in ["gfx1100", "gfx942"] {
        for mode in MODES {
            // More than once, and for one time only.
            for rounds in [ROUNDS, 1] {
                let device = Observed::new(chip, mode);
                let (source, target) = (&device.source, &device.target);
                let exact = both(source, WAVE, target);
                let tables = none(rounds);
                device.execute("copy_own", &exact, &tables);
                device.execute("copy_next", &both(source, WAVE + 4, target), &tables);
                assert_eq!(device.findings(), []);
                device.execute("copy_next", &exact, &tables);
                past(&device, rounds);
            }
        }
    }
}

#[test]
fn bindings_of_parts_of_buffers() {
    let device = Observed::new("gfx1100", CommandBufferMode::Stream);
    let part = device.source.subspan(512, WAVE).unwrap();
    let bindings = [BufferRef::whole(&part), BufferRef::whole(&device.target)];
    device.execute("copy_own", &bindings, &none(1));
    assert_eq!(device.findings(), []);
    device.execute("copy_next", &bindings, &none(1));
    past(&device, 1);
}

#[test]
fn bindings_of_slots() {
    for mode in MODES {
        let device = Observed::new("gfx1100", mode);
        let table = |offset, bytes| {
            BindingTable::new(vec![
                Binding::range(&device.source, offset, bytes),
                Binding::range(&device.target, 0, 1024),
            ])
        };
        let bindings = |bytes| {
            [
                BufferRef::slot(0, 128, bytes),
                BufferRef::slot(1, 256, WAVE),
            ]
        };
        // More sets of addresses than graphs are kept for.
        let offsets = (0..6).flat_map(|place| [place * 256; 4]);
        let right: Vec<_> = offsets
            .map(|offset| table(offset, 128 + WAVE + 4))
            .collect();
        device.execute("copy_next", &bindings(WHOLE_BUFFER), &right);
        assert_eq!(device.findings(), []);
        // What is bound to the slot decides, or the command itself.
        let mut short = right.clone();
        short.push(table(0, 128 + WAVE));
        device.execute("copy_next", &bindings(WHOLE_BUFFER), &short);
        past(&device, 1);
        device.execute("copy_next", &bindings(WAVE), &right);
        past(&device, 1 + right.len() as u64);
    }
}

#[test]
fn bindings_of_single_commands() {
    let device = Observed::new("gfx1100", CommandBufferMode::Auto);
    let exact = both(&device.source, WAVE, &device.target);
    for kernel in ["copy_own", "copy_next"] {
        assert_eq!(device.findings(), []);
        wait(|signals| {
            let mut result = Ok(());
            device.dispatch(kernel, &exact, &mut |command| {
                result = device.queue().run(&[], signals, command);
            });
            result
        });
    }
    past(&device, 1);
}

#[test]
fn what_is_declared_to_be_read() {
    for chip in ["gfx1100", "gfx942"] {
        let device = Observed::new(chip, CommandBufferMode::Graph);
        let exact = both(&device.source, WAVE, &device.target);
        device.execute("store_to_source", &exact, &none(2));
        let text = device.only(Check::ReadOnlyBinding, 2);
        for part in [
            "write to a binding that is declared read-only",
            "at offset 0 of binding 0 (256 bytes at 0x",
            "lanes 0 to 63",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}

/// A queue's memory, which gets its address when it is there.
fn transient(device: &Observed) -> Buffer {
    let params = BufferParams::device_local();
    let mut buffer = None;
    wait(|signals| {
        buffer = Some(device.queue().alloca(&[], signals, &params, BYTES)?);
        Ok(())
    });
    buffer.expect("just made")
}

fn fill(device: &Observed, buffer: &Buffer) {
    let range = BufferRef::range(buffer, 0, BYTES);
    wait(|signals| device.queue().fill(&[], signals, &range, &[1]));
}

#[test]
fn bindings_of_memory_of_queues() {
    for mode in MODES {
        let device = Observed::new("gfx1100", mode);
        let source = transient(&device);
        fill(&device, &source);
        let exact = both(&source, WAVE, &device.target);
        device.execute("copy_own", &exact, &none(ROUNDS));
        assert_eq!(device.findings(), []);
        device.execute("copy_next", &exact, &none(ROUNDS));
        past(&device, ROUNDS);
    }
}

#[test]
fn memory_that_is_handed_out_again_is_not_written() {
    let device = Observed::new("gfx1100", CommandBufferMode::Stream);
    let first = transient(&device);
    fill(&device, &first);
    let address = first.device_ptr().unwrap();
    let read = |buffer: &Buffer| {
        let bindings = both(buffer, WAVE, &device.target);
        device.execute("copy_own", &bindings, &none(1));
    };
    read(&first);
    wait(|signals| device.queue().dealloca(&[], signals, &first));
    let second = transient(&device);
    assert_eq!(second.device_ptr().unwrap(), address, "it is used again");
    assert_eq!(device.findings(), []);
    read(&second);
    device.only(Check::NeverWritten, 1);
    fill(&device, &second);
    read(&second);
    device.only(Check::NeverWritten, 1);
}
