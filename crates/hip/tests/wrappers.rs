//! The providers for tests: `null`, `trace`, `faulty`, seen through the handles.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hip::{
    Api, Code, Context, Device, DeviceMemory, Event, FaultPlan, Function, Graph, HostMallocFlags,
    HostMemory, HostRegion, HostRegistration, LaunchConfig, MemPool, MemcpyKind, Module, Result,
    Stream, TraceSink,
};

fn context(api: &Arc<dyn Api>) -> Result<Context> {
    Context::new(&Device::enumerate(api)?[0])
}

fn config(grid: [u32; 3], block: [u32; 3]) -> LaunchConfig {
    LaunchConfig {
        grid: grid.into(),
        block: block.into(),
        shared_memory_bytes: 0,
    }
}

fn function(context: &Context, name: &str) -> Result<Function> {
    // SAFETY: the null provider runs nothing.
    unsafe { Module::load(context, b"code") }?.function(name)
}

/// Uses every handle there is, in a fixed order.
fn tour(api: &Arc<dyn Api>) -> Result<()> {
    let context = context(api)?;
    let stream = Stream::new(&context)?;
    let event = Event::new(&context)?;
    let add = function(&context, "add")?;
    let memory = DeviceMemory::new(&context, 256)?;
    let managed = DeviceMemory::managed(&context, 64)?;
    let staging = HostMemory::new(&context, 128, HostMallocFlags::DEFAULT)?;
    let lent = HostRegistration::new(&context, HostRegion::from_vec(vec![0; 32]))?;
    memory.write(0, &[1; 16])?;

    let mut kernarg = Vec::new();
    kernarg.extend((memory.device_ptr().0 + 0x40).to_le_bytes());
    kernarg.extend(staging.device_ptr().0.to_le_bytes());
    kernarg.extend(3u32.to_le_bytes());
    {
        let issue = stream.issue()?;
        issue.prefetch(managed.device_ptr(), 64)?;
        issue.copy(
            memory.device_ptr(),
            staging.device_ptr(),
            128,
            MemcpyKind::Default,
        )?;
        issue.fill_u8(memory.device_ptr().offset(1), 0xab, 3)?;
        issue.fill_u16(memory.device_ptr(), 0xabcd, 2)?;
        issue.fill_u32(memory.device_ptr(), 7, 4)?;
        issue.launch(&add, &config([4, 1, 1], [32, 1, 1]), &kernarg)?;
        issue.record(&event)?;
        issue.wait(&event)?;
        issue.host_function(Box::new(|| ()))?;
    }
    let pool = MemPool::new(&context, 1 << 20)?;
    {
        let issue = stream.issue()?;
        let block = pool.allocate(&issue, 512)?;
        issue.copy(
            block.device_ptr(),
            lent.device_ptr(),
            32,
            MemcpyKind::HostToDevice,
        )?;
        block.free(&issue).map_err(|(_, error)| error)?;
    }
    pool.trim_to(0)?;
    graph_tour(&context, &stream, &event, &add, &memory, &kernarg)?;
    event.synchronize()?;
    assert!(stream.query()?);
    stream.synchronize()?;
    memory.read(0, &mut [0; 16])
}

fn graph_tour(
    context: &Context,
    stream: &Stream,
    event: &Event,
    add: &Function,
    memory: &DeviceMemory,
    kernarg: &[u8],
) -> Result<()> {
    let shape = config([1, 2, 1], [32, 1, 1]);
    let ptr = memory.device_ptr();
    let mut graph = Graph::new(context)?;
    let root = graph.add_empty(&[])?;
    let fill = graph.add_memset(&[root], ptr, 0x0101_0101, 1, 64)?;
    let copy = graph.add_memcpy(&[root], ptr.offset(64), ptr, 64, MemcpyKind::DeviceToDevice)?;
    let launch = graph.add_kernel(&[fill, copy], add, &shape, kernarg)?;
    graph.add_event_record(&[launch], event)?;
    let mut exec = graph.instantiate()?;
    stream.issue()?.launch_graph(&exec)?;
    exec.set_kernel(launch, add, &shape, &kernarg[..16])?;
    stream.issue()?.launch_graph(&exec)
}

#[test]
fn trace_shows_every_call_with_short_names() -> Result<()> {
    let sink = TraceSink::new();
    tour(&hip::trace(hip::null(), sink.clone()))?;
    let expected = r#"hipInit(0)
hipGetDeviceCount() = 1
hipDeviceGet(0) = d0
hipDevicePrimaryCtxRetain(d0) = c0
hipStreamCreateWithFlags(NonBlocking) = s0
hipEventCreateWithFlags(BlockingSync|DisableTiming) = e0
hipModuleLoadDataEx(4 bytes) = m0
hipModuleGetFunction(m0, "add") = f0 "add"
hipMalloc(256) = p0
hipMallocManaged(64, Global) = p1
hipHostMalloc(128, Mapped) = h0
hipHostGetDevicePointer(h0) = h0
hipHostRegister(32, Mapped) = h1
hipHostGetDevicePointer(h1) = h1
hipMemcpy(p0, host, 16, HostToDevice)
hipMemPrefetchAsync(p1, 64, d0, s0)
hipMemcpyAsync(p0, h0, 128, Default, s0)
hipMemsetD8Async(p0+0x1, 0xab, 3, s0)
hipMemsetD16Async(p0, 0xabcd, 2, s0)
hipMemsetD32Async(p0, 0x7, 4, s0)
hipModuleLaunchKernel(f0 "add", grid 4x1x1, block 32x1x1, lds 0, s0, [p0+0x40, h0, 0x3])
hipEventRecord(e0, s0)
hipStreamWaitEvent(s0, e0)
hipLaunchHostFunc(s0)
hipMemPoolCreate(d0) = q0
hipMemPoolSetAttribute(q0, ReleaseThreshold, 1048576)
hipMallocFromPoolAsync(512, q0, s0) = p2
hipMemcpyAsync(p2, h1, 32, HostToDevice, s0)
hipFreeAsync(p2, s0)
hipMemPoolTrimTo(q0, 0)
hipGraphCreate(0) = g0
hipGraphAddEmptyNode(g0, after []) = n0
hipGraphAddMemsetNode(g0, after [n0], p0, 0x1010101, 1 x 64) = n1
hipDrvGraphAddMemcpyNode(g0, after [n0], p0+0x40, p0, 64, DeviceToDevice, c0) = n2
hipGraphAddKernelNode(g0, after [n1, n2], f0 "add", grid 1x2x1, block 32x1x1, lds 0, [p0+0x40, h0, 0x3]) = n3
hipGraphAddEventRecordNode(g0, after [n3], e0) = n4
hipGraphInstantiate(g0) = x0
hipGraphLaunch(x0, s0)
hipGraphExecKernelNodeSetParams(x0, n3, f0 "add", grid 1x2x1, block 32x1x1, lds 0, [p0+0x40, h0])
hipGraphLaunch(x0, s0)
hipGraphExecDestroy(x0)
hipGraphDestroy(g0)
hipEventSynchronize(e0)
hipStreamQuery(s0) = true
hipStreamSynchronize(s0)
hipMemcpy(host, p0, 16, DeviceToHost)
hipMemPoolDestroy(q0)
hipHostUnregister(h1)
hipHostFree(h0)
hipFree(p1)
hipFree(p0)
hipModuleUnload(m0)
hipEventDestroy(e0)
hipStreamDestroy(s0)
hipDevicePrimaryCtxRelease(d0)
"#;
    assert_eq!(sink.text(), expected);
    assert_eq!(sink.take().len(), expected.lines().count());
    assert!(sink.lines().is_empty());
    Ok(())
}

#[test]
fn trace_numbers_are_not_reused_and_errors_are_shown() -> Result<()> {
    let sink = TraceSink::new();
    let plan = FaultPlan::counting();
    let api = hip::trace(hip::faulty(hip::null(), &plan), sink.clone());
    let context = context(&api)?;
    drop(DeviceMemory::new(&context, 8)?);
    plan.arm_named("hipMalloc", 0, Code::OUT_OF_MEMORY);
    sink.take();
    DeviceMemory::new(&context, 16).expect_err("armed");
    DeviceMemory::new(&context, 24)?;
    assert_eq!(
        sink.lines(),
        [
            "hipMalloc(16) = hipErrorOutOfMemory",
            "hipMalloc(24) = p1",
            "hipFree(p1)"
        ]
    );
    Ok(())
}

#[test]
fn null_has_real_host_memory_and_bounded_device_memory() -> Result<()> {
    let context = context(&hip::null())?;
    let host = HostMemory::new(&context, 8, HostMallocFlags::DEFAULT)?;
    let mut bytes = [0xff; 8];
    host.host().read(0, &mut bytes)?;
    assert_eq!(bytes, [0; 8]);
    host.host().write(4, &[1, 2, 3, 4])?;
    host.host().read(0, &mut bytes)?;
    assert_eq!(bytes, [0, 0, 0, 0, 1, 2, 3, 4]);

    let mut filled = [0; 8];
    for (bytes, pattern, expected) in [
        (7, &[5][..], [5, 5, 5, 5, 5, 5, 5, 4]),
        (6, &[1, 2, 3], [1, 2, 3, 1, 2, 3, 5, 4]),
        (8, &[1, 2, 3, 4], [1, 2, 3, 4, 1, 2, 3, 4]),
        (0, &[9, 9], [1, 2, 3, 4, 1, 2, 3, 4]),
    ] {
        host.host().fill(0, bytes, pattern)?;
        host.host().read(0, &mut filled)?;
        assert_eq!(filled, expected);
    }
    host.host().fill(0, 3, &[1, 2]).expect_err("not a multiple");
    host.host().fill(1, 8, &[1]).expect_err("past the end");

    let managed = DeviceMemory::managed(&context, 8)?;
    managed.write(2, &[9, 8])?;
    managed
        .host()
        .expect("managed memory is visible")
        .read(0, &mut bytes)?;
    assert_eq!(bytes, [0, 0, 9, 8, 0, 0, 0, 0]);

    let device = DeviceMemory::new(&context, 8)?;
    assert!(device.host().is_none());
    device.read(0, &mut bytes)?;
    assert_eq!(bytes, [0; 8]);
    let beyond = device.read(1, &mut bytes).expect_err("past the end");
    assert_eq!(beyond.code, Code::INVALID_VALUE);
    DeviceMemory::new(&context, u64::MAX).expect_err("more than there is");
    Ok(())
}

#[test]
fn null_calls_host_functions() -> Result<()> {
    let context = context(&hip::null())?;
    let stream = Stream::new(&context)?;
    let called = Arc::new(AtomicBool::new(false));
    let flag = called.clone();
    stream
        .issue()?
        .host_function(Box::new(move || flag.store(true, Ordering::Relaxed)))?;
    assert!(called.load(Ordering::Relaxed));
    Ok(())
}

#[test]
fn every_call_may_fail_and_nothing_is_lost() -> Result<()> {
    let counting = FaultPlan::counting();
    tour(&hip::faulty(hip::null(), &counting))?;
    assert_eq!(counting.live(), 0);
    assert!(counting.calls() > 40, "{counting:?}");
    for index in 0..counting.calls() {
        let plan = FaultPlan::fail_call(index, Code::UNKNOWN);
        let result = tour(&hip::faulty(hip::null(), &plan));
        let fired = plan.fired().expect("the call is reached again");
        assert_eq!(plan.live(), 0, "objects left after {fired} failed");
        // The release of the last handle may hold the failing call.
        if let Err(error) = result {
            assert_eq!(
                (error.code, error.call),
                (Code::UNKNOWN, fired),
                "call {index}"
            );
        } else {
            assert_eq!(fired, "hipCtxGetCurrent", "call {index} went unreported");
        }
    }
    Ok(())
}

#[test]
fn every_teardown_may_fail_and_the_next_call_says_so() -> Result<()> {
    let counting = FaultPlan::counting();
    tour(&hip::faulty(hip::null(), &counting))?;
    assert!(counting.teardown_calls() >= 10, "{counting:?}");
    for index in 0..counting.teardown_calls() {
        let plan = FaultPlan::fail_teardown(index, Code::LAUNCH_FAILURE);
        // Most are released at the very end, where nobody is left to ask.
        drop(tour(&hip::faulty(hip::null(), &plan)));
        plan.fired().expect("the call is reached again");
        assert_eq!(plan.live(), 0);
    }

    let plan = FaultPlan::fail_named("hipFree", 0, Code::ILLEGAL_ADDRESS);
    let context = context(&hip::faulty(hip::null(), &plan))?;
    let stream = Stream::new(&context)?;
    drop(DeviceMemory::new(&context, 8)?);
    let error = stream.synchronize().expect_err("kept from the release");
    assert_eq!((error.code, error.call), (Code::ILLEGAL_ADDRESS, "hipFree"));
    stream.synchronize()?;

    plan.arm_named("hipFree", 0, Code::ILLEGAL_ADDRESS);
    drop(DeviceMemory::new(&context, 8)?);
    let error = context.take_deferred_error().expect("asked for directly");
    assert_eq!(error.call, "hipFree");
    assert_eq!(context.take_deferred_error(), None);
    Ok(())
}

#[test]
fn a_failed_pool_free_leaves_the_memory_owned() -> Result<()> {
    let plan = FaultPlan::fail_named("hipFreeAsync", 0, Code::UNKNOWN);
    let context = context(&hip::faulty(hip::null(), &plan))?;
    let stream = Stream::new(&context)?;
    let pool = MemPool::new(&context, 0)?;
    let before = plan.live();
    let issue = stream.issue()?;
    let memory = pool.allocate(&issue, 64)?;
    let (memory, error) = memory.free(&issue).expect_err("armed");
    assert_eq!(error.code, Code::UNKNOWN);
    assert_eq!(plan.live(), before + 1);
    memory.free(&issue).map_err(|(_, error)| error)?;
    assert_eq!(plan.live(), before);
    drop(pool.allocate(&issue, 64)?);
    assert_eq!(plan.live(), before);
    assert_eq!(plan.calls_of("hipFree"), 1);
    Ok(())
}

#[test]
fn a_lent_region_comes_back_exactly_once() -> Result<()> {
    for name in [
        "none",
        "hipHostRegister",
        "hipHostGetDevicePointer",
        "hipHostUnregister",
    ] {
        let plan = FaultPlan::fail_named(name, 0, Code::UNKNOWN);
        let context = context(&hip::faulty(hip::null(), &plan))?;
        let returned = Arc::new(std::sync::atomic::AtomicU32::new(0));
        let counter = returned.clone();
        let bytes: &'static mut [u8] = vec![0; 16].leak();
        let ptr = std::ptr::NonNull::from(&mut bytes[0]);
        // SAFETY: leaked, so valid for ever, and the only reference is given up here.
        let region = unsafe {
            HostRegion::from_raw(
                ptr,
                16,
                Some(Box::new(move || {
                    counter.fetch_add(1, Ordering::Relaxed);
                })),
            )
        };
        drop(HostRegistration::new(&context, region));
        assert_eq!(returned.load(Ordering::Relaxed), 1, "{name}");
    }
    Ok(())
}

#[test]
fn nodes_of_another_graph_are_refused() -> Result<()> {
    let context = context(&hip::null())?;
    let mut first = Graph::new(&context)?;
    let foreign = first.add_empty(&[])?;
    drop(first);
    let mut second = Graph::new(&context)?;
    let error = second.add_empty(&[foreign]).expect_err("foreign node");
    assert_eq!(error.code, Code::INVALID_VALUE);
    Ok(())
}

/// What the stream does, one call after the other, without handles.
fn stream_calls(sink: &TraceSink) -> Vec<String> {
    let calls = sink.take();
    let name = |call: &String| call.split(['(', ' ']).next().unwrap_or_default().to_owned();
    let names = calls.iter().map(name);
    let is_of_stream = |name: &String| {
        ["Launch", "SetParams", "EventRecord", "Instantiate"]
            .iter()
            .any(|part| name.contains(part))
    };
    names.filter(is_of_stream).collect()
}

#[test]
fn launches_that_are_put_off_go_together_and_before_all_else() -> Result<()> {
    let sink = TraceSink::new();
    let context = context(&hip::trace(hip::null(), sink.clone()))?;
    let (stream, event) = (Stream::new(&context)?, Event::new(&context)?);
    let add = function(&context, "add")?;
    let shape = config([1, 1, 1], [32, 1, 1]);
    let issue = stream.issue()?;
    let put_off =
        |count: u64| (0..count).try_for_each(|tag| issue.launch_later(&add, &shape, &[0; 8], tag));
    assert!(stream.puts_off());
    sink.take();

    // Too few: they are launched when something else comes.
    put_off(3)?;
    assert!(stream.is_holding());
    assert_eq!(stream_calls(&sink), [""; 0]);
    issue.record(&event)?;
    let launch = "hipModuleLaunchKernel";
    assert_eq!(
        stream_calls(&sink),
        [launch, launch, launch, "hipEventRecord"]
    );
    assert!(!stream.is_holding());
    put_off(1)?;
    issue.launch(&add, &shape, &[0; 8])?;
    assert_eq!(stream_calls(&sink), [launch; 2]);
    put_off(1)?;
    stream.synchronize()?;
    assert_eq!(stream_calls(&sink), [launch]);

    // Enough: the first few times one by one, then as a graph that is built
    // once and changed from then on.
    put_off(3 * 16)?;
    assert_eq!(stream_calls(&sink), [launch; 3 * 16]);
    put_off(16)?;
    let built = stream_calls(&sink);
    assert_eq!(built, ["hipGraphInstantiate", "hipGraphLaunch"]);
    put_off(17)?;
    let mut changed = vec!["hipGraphExecKernelNodeSetParams"; 16];
    changed.push("hipGraphLaunch");
    assert_eq!(stream_calls(&sink), changed);
    assert!(stream.is_holding());
    stream.discard_held();
    assert!(stream.query()?);
    assert_eq!(stream_calls(&sink), [""; 0]);
    assert!(stream.take_failed().is_empty());
    Ok(())
}

#[test]
fn a_launch_that_was_put_off_and_fails_is_known_by_its_tag() -> Result<()> {
    let plan = FaultPlan::counting();
    let context = context(&hip::faulty(hip::null(), &plan))?;
    let stream = Stream::new(&context)?;
    let add = function(&context, "add")?;
    let shape = config([1, 1, 1], [32, 1, 1]);
    let put_off = |count: u64| {
        let issue = stream.issue()?;
        (0..count).try_for_each(|tag| issue.launch_later(&add, &shape, &[0; 8], tag))
    };
    plan.arm_named("hipModuleLaunchKernel", 1, Code::LAUNCH_OUT_OF_RESOURCES);
    put_off(3)?;
    stream.synchronize()?;
    let failed = stream.take_failed();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0].tag, 1);
    assert_eq!(failed[0].error.code, Code::LAUNCH_OUT_OF_RESOURCES);
    assert_eq!(
        plan.calls_of("hipModuleLaunchKernel"),
        3,
        "the others are made"
    );
    assert!(stream.take_failed().is_empty(), "it is told once");

    // Where graphs fail in any way, launches are made one by one.
    for call in [
        "hipGraphCreate",
        "hipGraphAddKernelNode",
        "hipGraphInstantiate",
        "hipGraphLaunch",
        "hipGraphExecKernelNodeSetParams",
    ] {
        let plan = FaultPlan::counting();
        let context = self::context(&hip::faulty(hip::null(), &plan))?;
        let stream = Stream::new(&context)?;
        let add = function(&context, "add")?;
        plan.arm_named(call, 0, Code::OUT_OF_MEMORY);
        let issue = stream.issue()?;
        for tag in 0..6 * 16 {
            issue.launch_later(&add, &shape, &[0; 8], tag)?;
        }
        drop(issue);
        assert_eq!(plan.fired(), Some(call));
        let made = plan.calls_of("hipModuleLaunchKernel") + 16 * plan.calls_of("hipGraphLaunch");
        // The launch that failed was counted too.
        let made = made - if call == "hipGraphLaunch" { 16 } else { 0 };
        assert_eq!(made, 6 * 16, "{call}");
        assert!(stream.take_failed().is_empty());
        drop((add, stream, context));
        assert_eq!(plan.live(), 0, "{call}");
    }
    Ok(())
}
