//! What the profiling provider tells, and that nobody else notices it.

use std::sync::Arc;

use hip::{
    Api, Code, Context, Device, DeviceMemory, Event, FaultPlan, Graph, HostMallocFlags, HostMemory,
    LaunchConfig, MemcpyKind, Module, Result, SoftwareOptions, Stream,
};
use profile::{Activity, Detail, Kind, Profile, Profiler, Work};

fn context(api: &Arc<dyn Api>) -> Result<Context> {
    Context::new(&Device::enumerate(api)?[0])
}

const BYTES: u64 = 1 << 20;

/// Copies, fills and waits on two streams; what the memory holds in the end.
fn work(api: &Arc<dyn Api>) -> Result<[u8; 4]> {
    let context = context(api)?;
    let (stream, other) = (Stream::new(&context)?, Stream::new(&context)?);
    let memory = DeviceMemory::new(&context, BYTES)?;
    let staging = HostMemory::new(&context, BYTES, HostMallocFlags::DEFAULT)?;
    let event = Event::new(&context)?;
    {
        let issue = stream.issue()?;
        issue.fill_u32(memory.device_ptr(), 0x0403_0201, BYTES / 4)?;
        let (from, to) = (memory.device_ptr(), staging.device_ptr());
        issue.copy(to, from, BYTES, MemcpyKind::Default)?;
        issue.record(&event)?;
    }
    {
        let issue = other.issue()?;
        issue.wait(&event)?;
        let (from, to) = (staging.device_ptr(), memory.device_ptr());
        issue.copy(to, from, BYTES, MemcpyKind::Default)?;
    }
    other.synchronize()?;
    let mut bytes = [0; 4];
    memory.read(BYTES - 4, &mut bytes)?;
    Ok(bytes)
}

/// Tracks, names and details of the work of devices, by queue and time.
fn device_work(profile: &Profile) -> Vec<(&str, &str, Detail)> {
    let mut work: Vec<_> = profile
        .events
        .iter()
        .filter(|event| matches!(event.kind, Kind::Device(..)))
        .collect();
    work.sort_by_key(|event| (event.track, event.start_ns));
    work.into_iter()
        .map(|event| {
            let track = &profile.tracks[event.track.index()];
            (track.name.as_str(), &*event.name, event.detail)
        })
        .collect()
}

#[test]
fn what_streams_do_is_told_in_order_with_names() -> Result<()> {
    let profiler = Profiler::default();
    let api = hip::profiled(hip::software(SoftwareOptions::default()), profiler.clone());
    assert_eq!(work(&api)?, [1, 2, 3, 4]);
    let profile = profiler.profile();
    let bytes = Detail::Bytes(BYTES);
    assert_eq!(
        device_work(&profile),
        [
            ("queue 0", "fill", bytes),
            ("queue 0", "copy to host", bytes),
            ("queue 1", "wait for another queue", Detail::None),
            ("queue 1", "copy to device", bytes),
        ]
    );
    // Nothing begins before it was submitted, ends after it was seen to have
    // ended, or runs while the queue is at something else.
    let now = profiler.now_ns();
    let mut ends = vec![0; profile.tracks.len()];
    for event in &profile.events {
        let Kind::Device(work, origin) = event.kind else {
            continue;
        };
        let end = event.start_ns + event.duration_ns;
        assert!(end <= now, "{event:?}");
        assert!(event.start_ns >= ends[event.track.index()], "{event:?}");
        ends[event.track.index()] = end;
        assert_eq!(profile.tracks[origin.track.index()].group, "host");
        assert!(event.start_ns >= origin.at_ns, "{event:?}");
        if work != Work::Wait {
            assert!(event.duration_ns > 0, "{event:?}");
        }
    }
    let group = &profile.tracks[profile.tracks.len() - 1].group;
    assert_eq!(group, "Software AMD GPU, device 0");
    // Memory rises and falls back to nothing.
    for track in ["device memory", "pinned host memory"] {
        let levels: Vec<_> = profile
            .events
            .iter()
            .filter(|event| profile.tracks[event.track.index()].name == track)
            .map(|event| event.detail)
            .collect();
        assert_eq!(levels, [bytes, Detail::Bytes(0)], "{track}");
    }
    Ok(())
}

#[test]
fn kernels_have_their_names_and_graphs_those_of_their_nodes() -> Result<()> {
    let profiler = Profiler::default();
    let api = hip::profiled(hip::null(), profiler.clone());
    let context = context(&api)?;
    let stream = Stream::new(&context)?;
    // SAFETY: the null provider runs nothing.
    let kernel = unsafe { Module::load(&context, b"code") }?.function("add")?;
    let config = LaunchConfig {
        grid: [4, 2, 1].into(),
        block: [32, 1, 1].into(),
        shared_memory_bytes: 0,
    };
    let mut graph = Graph::new(&context)?;
    let first = graph.add_kernel(&[], &kernel, &config, &[])?;
    let join = graph.add_empty(&[first])?;
    graph.add_kernel(&[join], &kernel, &config, &[])?;
    let graph = graph.instantiate()?;
    {
        let issue = stream.issue()?;
        issue.launch(&kernel, &config, &[])?;
        issue.launch_graph(&graph)?;
    }
    stream.synchronize()?;
    let launch = Detail::Launch {
        grid: [4, 2, 1],
        block: [32, 1, 1],
    };
    assert_eq!(
        device_work(&profiler.profile()),
        [
            ("queue 0", "add", launch),
            ("queue 0", "graph: 2 × add", Detail::Nodes(2)),
        ]
    );
    let calls: Vec<_> = profiler
        .profile()
        .events
        .iter()
        .filter(|event| event.kind == Kind::Host(Activity::Driver))
        .map(|event| event.name.to_string())
        .collect();
    assert_eq!(
        calls,
        [
            "hipGraphInstantiate",
            "hipModuleLaunchKernel",
            "hipGraphLaunch"
        ]
    );
    Ok(())
}

#[test]
fn a_provider_without_times_works_as_ever() -> Result<()> {
    let refused = [
        "hipEventCreateWithFlags",
        "hipEventRecord",
        "hipEventElapsedTime",
    ];
    for name in refused {
        for index in 0..24 {
            let plan = FaultPlan::fail_named(name, index, Code::NOT_SUPPORTED);
            let api = hip::faulty(hip::software(SoftwareOptions::default()), &plan);
            let profiler = Profiler::default();
            let profiled = hip::profiled(api, profiler.clone());
            match work(&profiled) {
                Ok(bytes) => assert_eq!(bytes, [1, 2, 3, 4], "{name} {index}"),
                // The program's own event; the others are nobody's concern.
                Err(error) => assert_eq!(error.call, name, "{index}"),
            }
            drop(profiled);
            assert_eq!(plan.live(), 0, "{name} {index}");
        }
    }
    Ok(())
}
