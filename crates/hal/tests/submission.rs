//! Submissions on a device that takes its time: the software GPU. A kernel
//! that waits for the host keeps it busy for as long as a test wants.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use hal::flags::{CommandBufferFlags, CommandCategories};
use hal::{
    Buffer, BufferParams, BufferRef, Command, CommandBuffer, CommandBufferMode, Device,
    DeviceParams, Driver, DriverOptions, Executable, ExecutableParams, Execution, ExternalBuffer,
    HostRegion, Queue, QueueAffinity, Semaphore, StatusCode, Timeout, Timepoint, WaitMode,
    wait_timepoints,
};

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(20);

fn device(queue_count: usize, mode: CommandBufferMode) -> Device {
    let driver = Driver::open("software", DriverOptions::default()).unwrap();
    let params = DeviceParams {
        queue_count,
        command_buffer_mode: mode,
        ..DeviceParams::default()
    };
    driver.create_device_by_ordinal(0, &params).unwrap()
}

fn load(device: &Device, file: &str) -> Executable {
    let data = fixtures::read(format!("gfx1100/{file}"));
    let cache = device.create_executable_cache();
    // SAFETY: what these kernels do wrong, the software GPU catches.
    unsafe { cache.prepare(&ExecutableParams::new(&data)).unwrap() }
}

fn at(semaphore: &Semaphore, value: u64) -> [Timepoint; 1] {
    [Timepoint::new(semaphore, value)]
}

fn semaphores<const N: usize>() -> [Semaphore; N] {
    std::array::from_fn(|_| Semaphore::new(0).unwrap())
}

fn host_buffer(device: &Device, words: &[u32]) -> Buffer {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let allocator = device.allocator();
    let buffer = allocator
        .allocate(&BufferParams::host_visible(), bytes.len() as u64)
        .unwrap();
    buffer.map_write(0, &bytes).unwrap();
    buffer
}

fn words(buffer: &Buffer) -> Vec<u32> {
    let mut bytes = vec![0; buffer.byte_length() as usize];
    buffer.map_read(0, &mut bytes).unwrap();
    let (words, _) = bytes.as_chunks();
    words.iter().map(|&word| u32::from_le_bytes(word)).collect()
}

fn record(device: &Device, record: impl FnOnce(&CommandBuffer)) -> CommandBuffer {
    let flags = CommandBufferFlags::empty();
    let any = (CommandCategories::ANY, QueueAffinity::ANY);
    let commands = device
        .create_command_buffer(flags, any.0, any.1, 0)
        .unwrap();
    commands.begin().unwrap();
    record(&commands);
    commands.end().unwrap();
    commands
}

/// A kernel that holds a queue up until it is let go.
struct Gate {
    flag: Buffer,
    done: Buffer,
    faults: Executable,
    export: i32,
}

impl Gate {
    fn new(device: &Device) -> Self {
        let faults = load(device, "faults.hsaco");
        Self {
            flag: host_buffer(device, &[0; 4]),
            done: host_buffer(device, &[0; 4]),
            export: faults.lookup_export("wait_for_flag").unwrap(),
            faults,
        }
    }

    fn close(&self, queue: &Queue, waits: &[Timepoint], signals: &[Timepoint]) {
        let bindings = [BufferRef::whole(&self.flag), BufferRef::whole(&self.done)];
        let command = Command::Dispatch {
            executable: &self.faults,
            export: self.export,
            config: hal::DispatchConfig {
                workgroup_count: [1; 3],
                workgroup_size: [1; 3],
                dynamic_lds_bytes: 0,
            },
            constants: &[],
            bindings: &bindings,
        };
        queue.run(waits, signals, &command).unwrap();
    }

    fn open(&self) {
        self.flag.map_write(0, &1_u32.to_le_bytes()).unwrap();
    }
}

/// Stores far outside its buffer.
fn submit_fault(device: &Device, queue: &Queue, waits: &[Timepoint], signals: &[Timepoint]) {
    let faults = load(device, "faults.hsaco");
    let target = host_buffer(device, &[0; 4]);
    let bindings = [BufferRef::whole(&target)];
    let command = Command::Dispatch {
        executable: &faults,
        export: faults.lookup_export("store_at").unwrap(),
        config: hal::DispatchConfig {
            workgroup_count: [1; 3],
            workgroup_size: [1; 3],
            dynamic_lds_bytes: 0,
        },
        constants: &[0, 0x4000],
        bindings: &bindings,
    };
    queue.run(waits, signals, &command).unwrap();
}

#[test]
fn nothing_is_reached_or_freed_while_the_device_is_at_work() {
    let device = device(2, CommandBufferMode::Stream);
    let [first, second] = [0, 1].map(|queue| device.queues()[queue].clone());
    let gate = Gate::new(&device);
    let [held, after, elsewhere] = semaphores();
    gate.close(&first, &[], &at(&held, 1));
    let target = host_buffer(&device, &[0; 4]);
    let memory = std::sync::Arc::downgrade(target.allocation());
    let fill = record(&device, |commands| {
        commands
            .fill(&BufferRef::whole(&target), &[5, 0, 0, 0])
            .unwrap();
    });
    drop(target);
    let execution = [Execution::new(&fill)];
    first
        .execute(&at(&held, 1), &at(&after, 1), &execution)
        .unwrap();
    drop((fill, execution));
    // Looking, waiting for a while, waiting for any: none of it sees an end.
    assert_eq!(held.query().unwrap(), 0);
    let points = [Timepoint::new(&held, 1), Timepoint::new(&after, 1)];
    for mode in [WaitMode::Any, WaitMode::All] {
        for timeout in [Timeout::Immediate, SHORT.into()] {
            let status = wait_timepoints(&points, mode, timeout).unwrap_err();
            assert_eq!(status.code(), StatusCode::DeadlineExceeded);
        }
    }
    assert!(memory.upgrade().is_some());
    // Another queue is free.
    second.barrier(&[], &at(&elsewhere, 1)).unwrap();
    elsewhere.wait(1, LONG).unwrap();
    gate.open();
    wait_timepoints(&points, WaitMode::All, LONG).unwrap();
    assert_eq!(words(&gate.done)[0], 1);
    // Waiters are woken first, then what the work held is let go.
    let deadline = Instant::now() + LONG;
    while memory.upgrade().is_some() {
        assert!(Instant::now() < deadline, "the memory is still held");
        thread::yield_now();
    }
}

#[test]
fn a_queue_waits_for_another_that_is_at_work() {
    for mode in [CommandBufferMode::Stream, CommandBufferMode::Graph] {
        let device = device(2, mode);
        let gate = Gate::new(&device);
        let [held, copied] = semaphores();
        gate.close(&device.queues()[0], &[], &at(&held, 1));
        let result = host_buffer(&device, &[9; 4]);
        let copy = record(&device, |commands| {
            let (from, to) = (BufferRef::whole(&gate.done), BufferRef::whole(&result));
            commands.copy(&from, &to).unwrap();
        });
        device.queues()[1]
            .execute(&at(&held, 1), &at(&copied, 1), &[Execution::new(&copy)])
            .unwrap();
        assert!(copied.wait(1, SHORT).is_err());
        assert_eq!(words(&result)[0], 9);
        gate.open();
        copied.wait(1, LONG).unwrap();
        assert_eq!(words(&result)[0], 1);
    }
}

#[test]
fn waiting_sleeps() {
    let device = device(1, CommandBufferMode::Stream);
    let gate = Gate::new(&device);
    let [held] = semaphores();
    gate.close(&device.queues()[0], &[], &at(&held, 1));
    let used = thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            held.wait(1, Timeout::Infinite).unwrap();
            cpu_time_of_this_thread()
        });
        thread::sleep(Duration::from_millis(200));
        gate.open();
        waiter.join().unwrap()
    });
    let Some(used) = used else {
        // Only Linux tells.
        return;
    };
    assert!(
        used < Duration::from_millis(50),
        "the waiter was busy for {used:?}"
    );
}

/// From the scheduler's statistics: nanoseconds on a processor come first.
fn cpu_time_of_this_thread() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds = text.split(' ').next()?.parse().ok()?;
    Some(Duration::from_nanos(nanoseconds))
}

#[test]
fn a_fault_reaches_everybody_who_depended_on_the_work_with_its_report() {
    for mode in [CommandBufferMode::Stream, CommandBufferMode::Graph] {
        let device = device(2, mode);
        let [first, second] = [0, 1].map(|queue| device.queues()[queue].clone());
        let gate = Gate::new(&device);
        let [good, bad, same, other, parked, never] = semaphores();
        first.barrier(&[], &at(&good, 1)).unwrap();
        good.wait(1, LONG).unwrap();
        gate.close(&first, &[], &[]);
        submit_fault(&device, &first, &[], &at(&bad, 1));
        first.barrier(&at(&bad, 1), &at(&same, 1)).unwrap();
        second.barrier(&at(&bad, 1), &at(&other, 1)).unwrap();
        let both = [Timepoint::new(&other, 1), Timepoint::new(&never, 1)];
        second.barrier(&both, &at(&parked, 1)).unwrap();
        thread::scope(|scope| {
            let waiters = [&bad, &same, &other, &parked].map(|semaphore| {
                scope.spawn(move || {
                    (
                        semaphore.wait(1, LONG),
                        semaphore.wait(1, Timeout::Infinite),
                    )
                })
            });
            gate.open();
            for waiter in waiters {
                for ended in <[_; 2]>::from(waiter.join().unwrap()) {
                    let status = ended.unwrap_err();
                    assert_eq!(status.code(), StatusCode::Internal, "{status}");
                    assert!(status.message().contains("store_at"), "{status}");
                }
            }
        });
        assert_eq!(good.query().unwrap(), 1);
        // Both queues go on.
        for queue in [&first, &second] {
            let [again] = semaphores();
            queue.barrier(&[], &at(&again, 1)).unwrap();
            again.wait(1, LONG).unwrap();
            let status = queue.barrier(&at(&bad, 1), &at(&again, 2));
            status.unwrap();
            assert!(again.wait(2, LONG).is_err());
        }
    }
}

#[test]
fn a_device_can_be_released_after_a_fault_nobody_waited_for() {
    let [bad, gone] = semaphores();
    let device = device(1, CommandBufferMode::Stream);
    let queue = device.queues()[0].clone();
    submit_fault(&device, &queue, &[], &at(&bad, 1));
    queue.barrier(&at(&bad, 1), &at(&gone, 1)).unwrap();
    drop((queue, device));
    for semaphore in [&bad, &gone] {
        let status = semaphore.query().unwrap_err();
        assert!(status.message().contains("store_at"), "{status}");
    }
}

#[test]
fn a_released_device_finishes_its_work() {
    let device = device(1, CommandBufferMode::Stream);
    let gate = Gate::new(&device);
    let [held] = semaphores();
    gate.close(&device.queues()[0], &[], &at(&held, 1));
    thread::scope(|scope| {
        scope.spawn(move || drop(device));
        thread::sleep(SHORT);
        assert_eq!(held.query().unwrap(), 0);
        gate.open();
        held.wait(1, LONG).unwrap();
    });
    assert_eq!(held.query().unwrap(), 1);
}

/// Each thread's work adds one to the same words, in its turn round a ring of
/// threads and queues.
#[test]
fn many_threads_keep_the_order_of_their_semaphores() {
    const THREADS: usize = 4;
    const ROUNDS: u64 = 25;
    for mode in [CommandBufferMode::Stream, CommandBufferMode::Graph] {
        let device = device(3, mode);
        let executable = load(&device, "scale_and_offset.fb");
        let data = host_buffer(&device, &[0; 4]);
        let whole = BufferRef::whole(&data);
        let ring: [Semaphore; THREADS] = semaphores();
        let submitted = AtomicUsize::new(0);
        thread::scope(|scope| {
            for index in 0..THREADS {
                let (device, ring, submitted) = (&device, &ring, &submitted);
                // x * 1 + 1, in place.
                let step = record(device, |commands| {
                    let bindings = [whole.clone(), whole.clone()];
                    commands
                        .dispatch(&executable, 0, [1; 3], &[1, 1], &bindings)
                        .unwrap();
                });
                scope.spawn(move || {
                    for round in 1..=ROUNDS {
                        let before = &ring[(index + THREADS - 1) % THREADS];
                        let turn = if index == 0 { round - 1 } else { round };
                        let queue = &device.queues()[(index + round as usize) % 3];
                        let signals = at(&ring[index], round);
                        queue
                            .execute(&at(before, turn), &signals, &[Execution::new(&step)])
                            .unwrap();
                        submitted.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        let start = Instant::now();
        ring[THREADS - 1].wait(ROUNDS, LONG).unwrap();
        assert!(start.elapsed() < LONG);
        let steps = THREADS as u32 * ROUNDS as u32;
        assert_eq!(submitted.load(Ordering::Relaxed), steps as usize);
        assert_eq!(words(&data), [steps; 4]);
    }
}

/// A thread that retires work runs what callers hang on the end of a buffer,
/// for as long as that takes; what has completed meanwhile must be seen.
#[test]
fn completed_work_is_seen_while_another_thread_lets_go_of_resources() {
    let device = device(1, CommandBufferMode::Stream);
    let queue = device.queue(QueueAffinity::ANY).unwrap().clone();
    let (entered, has_entered) = mpsc::channel();
    let (let_go, may_go) = mpsc::channel::<()>();
    let region = HostRegion::from_vec(vec![0; 4096]).on_release(move || {
        entered.send(()).unwrap();
        may_go.recv_timeout(LONG).unwrap();
    });
    let external = ExternalBuffer::HostAllocation(region);
    let buffer = device
        .allocator()
        .import(&BufferParams::host_visible(), external)
        .unwrap();
    let [first, second] = semaphores();
    let target = BufferRef::whole(&buffer);
    queue.fill(&[], &at(&first, 1), &target, &[7]).unwrap();
    drop((target, buffer));
    let waiter = thread::spawn({
        let first = first.clone();
        move || first.wait(1, LONG)
    });
    has_entered.recv_timeout(LONG).unwrap();
    queue.barrier(&[], &at(&second, 1)).unwrap();
    queue.wait_idle();
    assert_eq!(second.query().unwrap(), 1, "while the other thread is busy");
    let_go.send(()).unwrap();
    waiter.join().unwrap().unwrap();
}
