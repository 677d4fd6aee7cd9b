//! The software provider: order, asynchrony, errors, memory. No kernels here.

use std::ptr::NonNull;
use std::sync::mpsc;
use std::sync::{Arc, Barrier};
use std::time::Duration;

use hip::{
    Api, Code, Context, Device, DeviceMemory, DevicePtr, Event, EventFlags, Graph, HostMallocFlags,
    HostMemory, HostRegion, HostRegistration, MemPool, MemPoolAttribute, MemcpyKind, Result,
    SoftwareOptions, Stream, StreamFlags, StreamHandle,
};

fn software() -> Arc<dyn Api> {
    hip::software(SoftwareOptions {
        workers: Some(1),
        memory_bytes: 64 << 20,
        ..SoftwareOptions::default()
    })
}

fn context() -> Result<Context> {
    Context::new(&Device::enumerate(&software())?[0])
}

fn bytes_of<const N: usize>(memory: &DeviceMemory) -> Result<[u8; N]> {
    let mut bytes = [0; N];
    memory.read(0, &mut bytes)?;
    Ok(bytes)
}

/// Holds a stream up until it is dropped.
struct Gate(mpsc::Sender<()>);

impl Gate {
    fn close(stream: &Stream) -> Result<Self> {
        let (sender, receiver) = mpsc::channel();
        stream.issue()?.host_function(Box::new(move || {
            // Ends when the gate is dropped.
            receiver.recv().expect_err("nothing is ever sent");
        }))?;
        Ok(Self(sender))
    }

    fn open(self) {
        drop(self.0);
    }
}

#[test]
fn the_device_describes_itself() -> Result<()> {
    let devices = Device::enumerate(&software())?;
    assert_eq!(devices.len(), 1);
    let device = &devices[0];
    assert_eq!(device.arch()?, "gfx1100");
    assert_eq!(device.name()?, "Software AMD GPU");
    assert_eq!(
        device.uuid()?.to_string(),
        "736f6674-7761-7265-6766-783131303000"
    );
    assert_eq!(device.total_memory()?, 64 << 20);
    assert_eq!(device.attribute(hip::DeviceAttribute::WarpSize)?, 32);
    assert_eq!(device.provider().name, "software");
    Ok(())
}

#[test]
fn work_is_asynchronous_and_in_order() -> Result<()> {
    let context = context()?;
    let stream = Stream::new(&context)?;
    let memory = DeviceMemory::new(&context, 8)?;
    assert_eq!(bytes_of::<8>(&memory)?, [0; 8]);
    let event = Event::new(&context)?;
    let gate = Gate::close(&stream)?;
    {
        let issue = stream.issue()?;
        issue.fill_u8(memory.device_ptr(), 1, 8)?;
        issue.fill_u16(memory.device_ptr(), 0x0302, 2)?;
        issue.fill_u32(memory.device_ptr().offset(4), 0x0706_0504, 1)?;
        issue.copy(
            memory.device_ptr(),
            memory.device_ptr().offset(6),
            2,
            MemcpyKind::Default,
        )?;
        issue.record(&event)?;
    }
    std::thread::sleep(Duration::from_millis(5));
    assert!(!stream.query()?);
    assert!(!event.query()?);
    assert_eq!(
        bytes_of::<8>(&memory)?,
        [0; 8],
        "other streams are not waited for"
    );
    gate.open();
    event.synchronize()?;
    assert!(event.query()?);
    stream.synchronize()?;
    assert!(stream.query()?);
    assert_eq!(bytes_of::<8>(&memory)?, [6, 7, 2, 3, 4, 5, 6, 7]);
    Ok(())
}

#[test]
fn streams_wait_for_recorded_points_of_others() -> Result<()> {
    let context = context()?;
    let (first, second) = (Stream::new(&context)?, Stream::new(&context)?);
    let memory = DeviceMemory::new(&context, 8)?;
    let event = Event::new(&context)?;
    // Never recorded: nothing to wait for.
    second.issue()?.wait(&event)?;
    assert!(event.query()?);
    second.synchronize()?;

    let gate = Gate::close(&first)?;
    first.issue()?.fill_u8(memory.device_ptr(), 5, 4)?;
    first.issue()?.record(&event)?;
    second.issue()?.wait(&event)?;
    second.issue()?.copy(
        memory.device_ptr().offset(4),
        memory.device_ptr(),
        4,
        MemcpyKind::Default,
    )?;
    // A later record does not move the point that is waited for.
    first.issue()?.fill_u8(memory.device_ptr(), 6, 4)?;
    first.issue()?.record(&event)?;
    assert!(!second.query()?);
    gate.open();
    first.synchronize()?;
    second.synchronize()?;
    let bytes = bytes_of::<8>(&memory)?;
    assert_eq!(bytes[..4], [6; 4]);
    assert!(bytes[4..] == [5; 4] || bytes[4..] == [6; 4], "{bytes:?}");
    Ok(())
}

#[test]
fn a_fault_skips_what_is_behind_it_until_it_is_reported() -> Result<()> {
    let context = context()?;
    let (stream, other) = (Stream::new(&context)?, Stream::new(&context)?);
    let memory = DeviceMemory::new(&context, 4)?;
    let event = Event::new(&context)?;
    let (called, calls) = mpsc::channel();
    {
        let issue = stream.issue()?;
        issue.fill_u8(memory.device_ptr(), 1, 4)?;
        issue.fill_u8(memory.device_ptr(), 2, 5)?;
        issue.fill_u8(memory.device_ptr(), 3, 4)?;
        issue.host_function(Box::new(move || called.send(()).expect("the test listens")))?;
        issue.record(&event)?;
    }
    let error = event
        .synchronize()
        .expect_err("the second fill is too long");
    assert_eq!(
        (error.code, error.call),
        (Code::ILLEGAL_ADDRESS, "hipMemsetAsync")
    );
    assert!(
        error
            .detail
            .as_deref()
            .is_some_and(|text| text.contains("5 bytes")),
        "{error}"
    );
    assert_eq!(
        event.query().map_err(|error| error.code),
        Err(Code::ILLEGAL_ADDRESS)
    );
    assert_eq!(
        stream.query().map_err(|error| error.code),
        Err(Code::ILLEGAL_ADDRESS)
    );
    calls.recv().expect_err("dropped uncalled");
    assert_eq!(bytes_of::<4>(&memory)?, [1; 4]);

    // Others live on, and what waits for the failed work fails with it.
    other.issue()?.fill_u8(memory.device_ptr(), 4, 4)?;
    other.synchronize()?;
    other.issue()?.wait(&event)?;
    other.issue()?.fill_u8(memory.device_ptr(), 5, 4)?;
    assert_eq!(other.synchronize(), Err(error.clone()));
    other.synchronize()?;

    assert_eq!(stream.synchronize(), Err(error));
    stream.synchronize()?;
    assert_eq!(bytes_of::<4>(&memory)?, [4; 4]);
    stream.issue()?.fill_u8(memory.device_ptr(), 6, 4)?;
    stream.synchronize()?;
    assert_eq!(bytes_of::<4>(&memory)?, [6; 4]);
    Ok(())
}

#[test]
fn a_panic_of_a_host_function_is_an_error_of_the_stream() -> Result<()> {
    let context = context()?;
    let stream = Stream::new(&context)?;
    stream
        .issue()?
        .host_function(Box::new(|| panic!("on purpose")))?;
    let error = stream.synchronize().expect_err("panicked");
    assert_eq!(error.code, Code::UNKNOWN);
    assert!(error.to_string().contains("on purpose"), "{error}");
    stream.synchronize()
}

#[test]
fn dropping_a_stream_finishes_its_work() -> Result<()> {
    let context = context()?;
    let memory = DeviceMemory::new(&context, 4)?;
    let stream = Stream::new(&context)?;
    for value in 0..100 {
        stream.issue()?.fill_u8(memory.device_ptr(), value, 4)?;
    }
    drop(stream);
    assert_eq!(bytes_of::<4>(&memory)?, [99; 4]);
    Ok(())
}

#[test]
fn a_host_function_may_drop_its_own_stream() -> Result<()> {
    let context = context()?;
    let stream = Arc::new(Stream::new(&context)?);
    let (done, finished) = mpsc::channel();
    let held = stream.clone();
    stream.issue()?.host_function(Box::new(move || {
        // The test drops its share meanwhile, so this is the last one.
        while Arc::strong_count(&held) > 1 {
            std::thread::yield_now();
        }
        drop(held);
        done.send(()).expect("the test listens");
    }))?;
    drop(stream);
    finished
        .recv_timeout(Duration::from_secs(10))
        .expect("the stream does not wait for itself");
    Ok(())
}

#[test]
fn free_waits_for_the_device() -> Result<()> {
    let context = context()?;
    let stream = Stream::new(&context)?;
    let memory = DeviceMemory::new(&context, 4)?;
    let gate = Gate::close(&stream)?;
    stream.issue()?.fill_u8(memory.device_ptr(), 1, 4)?;
    let opener = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(20));
        gate.open();
    });
    drop(memory);
    assert!(
        stream.query()?,
        "the fill was waited for, and so found its memory"
    );
    opener.join().expect("opens");
    Ok(())
}

#[test]
fn pool_memory_is_reused_in_stream_order() -> Result<()> {
    let context = context()?;
    let (stream, other) = (Stream::new(&context)?, Stream::new(&context)?);
    let pool = MemPool::new(&context, 1 << 20)?;
    let used = || pool.attribute(MemPoolAttribute::UsedMemCurrent);
    let reserved = || pool.attribute(MemPoolAttribute::ReservedMemCurrent);

    let gate = Gate::close(&stream)?;
    let issue = stream.issue()?;
    let first = pool.allocate(&issue, 1000)?;
    let address = first.device_ptr();
    assert_eq!((used()?, reserved()?), (1024, 1024));
    first.free(&issue).map_err(|(_, error)| error)?;
    assert_eq!((used()?, reserved()?), (0, 1024));
    // The stream's own later work may have it at once, others may not yet.
    let elsewhere = pool.allocate(&other.issue()?, 1000)?;
    assert_ne!(elsewhere.device_ptr(), address);
    let again = pool.allocate(&issue, 900)?;
    assert_eq!(again.device_ptr(), address);
    again.free(&issue).map_err(|(_, error)| error)?;
    drop(issue);
    gate.open();
    stream.synchronize()?;
    // Passed: now anybody may.
    let third = pool.allocate(&other.issue()?, 1024)?;
    assert_eq!(third.device_ptr(), address);
    assert_eq!(pool.attribute(MemPoolAttribute::UsedMemHigh)?, 2048);
    drop(third);
    drop(elsewhere);
    assert_eq!((used()?, reserved()?), (0, 2048));
    pool.trim_to(1024)?;
    assert_eq!(reserved()?, 1024);
    pool.trim_to(0)?;
    assert_eq!(
        (
            reserved()?,
            pool.attribute(MemPoolAttribute::ReservedMemHigh)?
        ),
        (0, 2048)
    );
    Ok(())
}

#[test]
fn a_pool_gives_back_what_its_threshold_does_not_keep() -> Result<()> {
    let context = context()?;
    let stream = Stream::new(&context)?;
    let pool = MemPool::new(&context, 1024)?;
    let reserved = || pool.attribute(MemPoolAttribute::ReservedMemCurrent);
    {
        let issue = stream.issue()?;
        let blocks = (0..4).map(|_| pool.allocate(&issue, 1024));
        for block in blocks.collect::<Result<Vec<_>>>()? {
            block.free(&issue).map_err(|(_, error)| error)?;
        }
    }
    assert_eq!(reserved()?, 4096);
    stream.synchronize()?;
    assert_eq!(reserved()?, 1024);
    Ok(())
}

#[test]
fn memory_outlives_its_pool_and_freed_blocks_are_found_when_memory_is_short() -> Result<()> {
    let context = context()?;
    let stream = Stream::new(&context)?;
    let pool = MemPool::new(&context, u64::MAX)?;
    let kept = pool.allocate(&stream.issue()?, 16 << 20)?;
    let freed = pool.allocate(&stream.issue()?, 40 << 20)?;
    freed.free(&stream.issue()?).map_err(|(_, error)| error)?;
    // 56 of 64 MiB are reserved: this needs what the pool holds free.
    let large = DeviceMemory::new(&context, 32 << 20)?;
    let error = DeviceMemory::new(&context, 32 << 20).expect_err("out of memory");
    assert_eq!(error.code, Code::OUT_OF_MEMORY);
    assert!(error.detail.is_some());
    drop(pool);
    stream.issue()?.fill_u32(kept.device_ptr(), 7, 4 << 20)?;
    stream.synchronize()?;
    drop(large);
    drop(kept);
    DeviceMemory::new(&context, 60 << 20)?;
    Ok(())
}

#[test]
fn graphs_run_by_dependency_and_can_be_changed() -> Result<()> {
    let context = context()?;
    let stream = Stream::new(&context)?;
    let memory = DeviceMemory::new(&context, 12)?;
    let ptr = memory.device_ptr();
    let event = Event::new(&context)?;
    let mut graph = Graph::new(&context)?;
    let fill = graph.add_memset(&[], ptr, 0x0101_0101, 1, 4)?;
    let join = graph.add_empty(&[fill])?;
    let copy = graph.add_memcpy(&[join], ptr.offset(4), ptr, 4, MemcpyKind::DeviceToDevice)?;
    graph.add_event_record(&[copy], &event)?;
    let mut exec = graph.instantiate()?;

    let gate = Gate::close(&stream)?;
    stream.issue()?.launch_graph(&exec)?;
    assert!(!event.query()?, "recorded by the launch");
    // The launch under way keeps what it was launched with.
    exec.set_memset(fill, ptr, 0x0202_0202, 1, 4)?;
    exec.set_memcpy(copy, ptr.offset(8), ptr, 4, MemcpyKind::DeviceToDevice)?;
    let mismatched = exec
        .set_memset(copy, ptr, 0, 1, 4)
        .expect_err("a copy node");
    assert_eq!(mismatched.code, Code::INVALID_VALUE);
    let unaligned = exec
        .set_memset(fill, ptr.offset(1), 0, 2, 1)
        .expect_err("unaligned");
    assert_eq!(unaligned.code, Code::INVALID_VALUE);
    gate.open();
    event.synchronize()?;
    assert_eq!(
        bytes_of::<12>(&memory)?,
        [1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0]
    );
    stream.issue()?.launch_graph(&exec)?;
    stream.synchronize()?;
    assert_eq!(
        bytes_of::<12>(&memory)?,
        [2, 2, 2, 2, 1, 1, 1, 1, 2, 2, 2, 2]
    );
    Ok(())
}

#[test]
fn launches_of_one_exec_do_not_overlap() -> Result<()> {
    let context = context()?;
    let (first, second) = (Stream::new(&context)?, Stream::new(&context)?);
    let memory = DeviceMemory::new(&context, 4)?;
    let mut graph = Graph::new(&context)?;
    graph.add_memset(&[], memory.device_ptr(), 0x0909_0909, 1, 4)?;
    let exec = graph.instantiate()?;
    let gate = Gate::close(&first)?;
    first.issue()?.launch_graph(&exec)?;
    second.issue()?.launch_graph(&exec)?;
    std::thread::sleep(Duration::from_millis(5));
    assert!(!second.query()?, "it waits for the launch before it");
    gate.open();
    second.synchronize()?;
    first.synchronize()?;
    assert_eq!(bytes_of::<4>(&memory)?, [9; 4]);
    Ok(())
}

#[test]
fn a_fault_in_a_graph_fails_its_events() -> Result<()> {
    let context = context()?;
    let stream = Stream::new(&context)?;
    let event = Event::new(&context)?;
    let mut graph = Graph::new(&context)?;
    let bad = graph.add_memset(&[], DevicePtr(64), 0, 4, 1)?;
    graph.add_event_record(&[bad], &event)?;
    let exec = graph.instantiate()?;
    stream.issue()?.launch_graph(&exec)?;
    let error = event.synchronize().expect_err("no memory there");
    assert_eq!(error.code, Code::ILLEGAL_ADDRESS);
    assert_eq!(stream.synchronize(), Err(error));

    // The exec is as good as before, on other streams too.
    let memory = DeviceMemory::new(&context, 4)?;
    let mut exec = exec;
    exec.set_memset(bad, memory.device_ptr(), 7, 4, 1)?;
    let other = Stream::new(&context)?;
    other.issue()?.launch_graph(&exec)?;
    other.synchronize()?;
    event.synchronize()?;
    assert_eq!(bytes_of::<4>(&memory)?, [7, 0, 0, 0]);
    Ok(())
}

#[test]
fn host_memory_is_the_devices_too() -> Result<()> {
    let context = context()?;
    let stream = Stream::new(&context)?;
    let host = HostMemory::new(&context, 8, HostMallocFlags::WRITE_COMBINED)?;
    let managed = DeviceMemory::managed(&context, 8)?;
    let lent = HostRegistration::new(&context, HostRegion::from_vec((10..18).collect()))?;
    {
        let issue = stream.issue()?;
        issue.prefetch(managed.device_ptr(), 8)?;
        issue.copy(
            host.device_ptr(),
            lent.device_ptr(),
            8,
            MemcpyKind::HostToHost,
        )?;
        issue.copy(
            managed.device_ptr(),
            host.device_ptr(),
            8,
            MemcpyKind::HostToDevice,
        )?;
    }
    stream.synchronize()?;
    let mut bytes = [0; 8];
    managed.host().expect("managed").read(0, &mut bytes)?;
    assert_eq!(bytes, [10, 11, 12, 13, 14, 15, 16, 17]);
    Ok(())
}

#[test]
fn registering_twice_or_unregistering_nothing_is_an_error() -> Result<()> {
    let api = software();
    let mut bytes = vec![0u8; 64];
    let ptr = NonNull::new(bytes.as_mut_ptr()).expect("not null");
    // SAFETY: the vector lives to the end of the test, untouched.
    unsafe {
        api.host_register(ptr, 64, HostMallocFlags::MAPPED)?;
        let again = api.host_register(ptr.add(8), 8, HostMallocFlags::MAPPED);
        assert_eq!(
            again.map_err(|error| error.code),
            Err(Code::HOST_MEMORY_ALREADY_REGISTERED)
        );
        assert_eq!(
            api.host_device_pointer(ptr.add(3))?.0,
            ptr.addr().get() as u64 + 3
        );
        api.host_unregister(ptr)?;
        let gone = api.host_unregister(ptr);
        assert_eq!(
            gone.map_err(|error| error.code),
            Err(Code::HOST_MEMORY_NOT_REGISTERED)
        );
        assert_eq!(
            api.host_device_pointer(ptr).map_err(|error| error.code),
            Err(Code::INVALID_VALUE)
        );
    }
    Ok(())
}

#[test]
fn stale_handles_are_recognised() -> Result<()> {
    let api = software();
    let stream = api.stream_create(StreamFlags::NON_BLOCKING)?;
    let event = api.event_create(EventFlags::DEFAULT)?;
    let graph = api.graph_create()?;
    // SAFETY: this provider checks every handle it is given.
    unsafe {
        let node = api.graph_add_empty(graph, &[])?;
        let exec = api.graph_instantiate(graph)?;
        api.graph_destroy(graph)?;
        api.graph_launch(exec, stream)?;
        api.stream_synchronize(stream)?;
        api.graph_exec_destroy(exec)?;
        api.event_destroy(event)?;
        api.stream_destroy(stream)?;
        let ptr = DevicePtr(4096);
        let stale = [
            api.stream_destroy(stream),
            api.stream_synchronize(stream),
            api.stream_query(stream).map(drop),
            api.event_record(event, StreamHandle(0)),
            api.stream_wait_event(stream, event),
            api.stream_wait_event(StreamHandle(event.0), event),
            api.event_synchronize(event),
            api.event_destroy(hip::EventHandle(stream.0)),
            api.memset_d8_async(ptr, 0, 1, stream),
            api.graph_launch(exec, StreamHandle(0)),
            api.graph_add_empty(graph, &[]).map(drop),
            api.graph_destroy(graph),
            api.graph_exec_destroy(exec),
            api.module_unload(hip::ModuleHandle(17)),
            api.mem_pool_trim_to(hip::MemPoolHandle(usize::MAX), 0),
        ];
        for (index, result) in stale.into_iter().enumerate() {
            let code = result.map_err(|error| error.code);
            assert_eq!(code, Err(Code::INVALID_HANDLE), "case {index}");
        }
        let second = api.graph_create()?;
        let foreign = api
            .graph_add_empty(second, &[node])
            .map_err(|error| error.code);
        assert_eq!(foreign, Err(Code::INVALID_HANDLE));
        assert_eq!(
            api.free(ptr).map_err(|error| error.code),
            Err(Code::INVALID_VALUE)
        );
        let freed = api
            .free_async(ptr, StreamHandle(0))
            .map_err(|error| error.code);
        assert_eq!(freed, Err(Code::INVALID_VALUE));
    }
    Ok(())
}

#[test]
fn blocking_streams_are_ordered_with_the_default_stream() -> Result<()> {
    let api = software();
    let blocking = api.stream_create(StreamFlags::DEFAULT)?;
    let memory = api.malloc(8)?;
    let null = StreamHandle::default();
    // SAFETY: all handles are live.
    unsafe {
        for value in 0..50 {
            let delay = || std::thread::sleep(Duration::from_micros(100));
            api.launch_host_function(blocking, Box::new(delay))?;
            api.memset_d8_async(memory, value, 4, blocking)?;
            api.memcpy_async(memory.offset(4), memory, 4, MemcpyKind::Default, null)?;
            api.memset_d8_async(memory, 0xff, 4, blocking)?;
            let mut bytes = [0; 8];
            api.memcpy_dtoh(&mut bytes, memory)?;
            assert_eq!(bytes[..4], [0xff; 4]);
            assert_eq!(bytes[4..], [value; 4]);
        }
        api.free(memory)?;
        api.stream_destroy(blocking)?;
    }
    Ok(())
}

#[test]
fn timed_events_measure_and_others_refuse() -> Result<()> {
    let context = context()?;
    let stream = Stream::new(&context)?;
    let (start, stop) = (Event::with_timing(&context)?, Event::with_timing(&context)?);
    assert_eq!(
        stop.elapsed_ms_since(&start).map_err(|error| error.code),
        Err(Code::INVALID_HANDLE)
    );
    stream.issue()?.record(&start)?;
    let gate = Gate::close(&stream)?;
    stream.issue()?.record(&stop)?;
    start.synchronize()?;
    assert_eq!(
        stop.elapsed_ms_since(&start).map_err(|error| error.code),
        Err(Code::NOT_READY)
    );
    std::thread::sleep(Duration::from_millis(3));
    gate.open();
    stop.synchronize()?;
    assert!(stop.elapsed_ms_since(&start)? >= 3.0);
    assert!(start.elapsed_ms_since(&stop)? <= -3.0);
    let untimed = Event::new(&context)?;
    stream.issue()?.record(&untimed)?;
    stream.synchronize()?;
    assert_eq!(
        untimed.elapsed_ms_since(&start).map_err(|error| error.code),
        Err(Code::INVALID_HANDLE)
    );
    Ok(())
}

#[test]
fn threads_and_streams_run_side_by_side() -> Result<()> {
    const THREADS: usize = 4;
    const ROUNDS: u32 = 200;
    let context = context()?;
    let start = Arc::new(Barrier::new(THREADS));
    let threads: Vec<_> = (0..THREADS)
        .map(|thread| {
            let (context, start) = (context.clone(), start.clone());
            std::thread::spawn(move || -> Result<()> {
                let streams = [Stream::new(&context)?, Stream::new(&context)?];
                let pool = MemPool::new(&context, 1 << 20)?;
                let event = Event::new(&context)?;
                let result = DeviceMemory::new(&context, 4 * u64::from(ROUNDS))?;
                start.wait();
                for round in 0..ROUNDS {
                    let (filler, copier) = (round as usize % 2, (round as usize + 1) % 2);
                    let block = pool.allocate(&streams[filler].issue()?, 4096)?;
                    let value = round * THREADS as u32 + thread as u32;
                    streams[filler]
                        .issue()?
                        .fill_u32(block.device_ptr(), value, 1024)?;
                    streams[filler].issue()?.record(&event)?;
                    let issue = streams[copier].issue()?;
                    issue.wait(&event)?;
                    let target = result.device_ptr().offset(4 * u64::from(round));
                    issue.copy(
                        target,
                        block.device_ptr().offset(2048),
                        4,
                        MemcpyKind::Default,
                    )?;
                    block.free(&issue).map_err(|(_, error)| error)?;
                }
                for stream in &streams {
                    stream.synchronize()?;
                }
                for round in 0..ROUNDS {
                    let mut word = [0; 4];
                    result.read(4 * u64::from(round), &mut word)?;
                    let expected = round * THREADS as u32 + thread as u32;
                    assert_eq!(u32::from_le_bytes(word), expected);
                }
                Ok(())
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("no panic")?;
    }
    Ok(())
}

#[test]
fn an_image_that_is_none_is_refused() -> Result<()> {
    let api = software();
    for image in [
        &b""[..],
        b"\x7fELF",
        b"not code at all, whatever its length may be",
    ] {
        // SAFETY: nothing that loads here can run.
        let error = unsafe { api.module_load(image) }.expect_err("no code object");
        assert_eq!(error.code, Code::INVALID_IMAGE);
        assert!(error.detail.is_some());
    }
    Ok(())
}
