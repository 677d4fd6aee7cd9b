//! The `nvidia` provider on a library of our own making, which writes down what
//! it is asked. What a real one does on a real device is shown by the
//! conformance suite of `hal`.
#![cfg(target_os = "linux")]

#[path = "fake/library.rs"]
mod library;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use hip::{
    Api, Code, CodeCache, Context, Device, DeviceAttribute, DeviceFamily, DeviceMemory, Event,
    FunctionAttribute, Graph, HostMallocFlags, HostMemory, LaunchConfig, MemPool, MemcpyKind,
    Module, NvidiaOptions, Result, Stream,
};
use library::Built;

/// The provider on a library of its own.
struct Fake {
    api: Arc<dyn Api>,
    built: Built,
}

impl Fake {
    /// `None`, with the reason on standard error, where there is no C compiler.
    fn build(flags: &[&str]) -> Option<Self> {
        Self::keeping(CodeCache::Off, flags)
    }

    fn keeping(code_cache: CodeCache, flags: &[&str]) -> Option<Self> {
        let built = Built::new("cuda.c", "libcuda.so.1", flags)?;
        let options = NvidiaOptions {
            paths: vec![built.folder.display().to_string()],
            code_cache,
        };
        let api = hip::nvidia(&options).expect("it has what is required");
        let info = api.provider();
        assert_eq!(info.library.as_ref(), Some(&built.path));
        assert_eq!((info.name, info.family), ("nvidia", DeviceFamily::CUDA));
        Some(Self { api, built })
    }

    fn log(&self) -> String {
        self.built.log()
    }

    fn since(&self, before: &str) -> String {
        self.built.since(before)
    }

    fn context(&self) -> Result<Context> {
        Context::new(&Device::enumerate(&self.api)?[0])
    }

    fn current_context(&self) -> usize {
        // SAFETY: the function has this type.
        unsafe {
            let current = self
                .built
                .library
                .get::<unsafe extern "C" fn() -> usize>(b"fake_context");
            current.expect("it is there")()
        }
    }
}

fn load(context: &Context, image: &[u8]) -> Result<Module> {
    // SAFETY: the library runs nothing.
    unsafe { Module::load(context, image) }
}

fn shape(grid: u32, block: u32) -> LaunchConfig {
    LaunchConfig {
        grid: [grid, 2, 3].into(),
        block: [block, 4, 5].into(),
        shared_memory_bytes: 16,
    }
}

#[test]
fn devices_are_described_by_what_cuda_says() -> Result<()> {
    let Some(fake) = Fake::build(&[]) else {
        return Ok(());
    };
    let devices = Device::enumerate(&fake.api)?;
    assert_eq!(devices.len(), 2);
    assert_eq!(devices[0].arch()?, "sm_90");
    assert_eq!(devices[1].arch()?, "sm_91");
    assert_eq!(devices[1].name()?, "Fake 1");
    assert_eq!(devices[1].total_memory()?, 5_000_000_001);
    assert_eq!(
        devices[1].uuid()?.to_string(),
        "a1a1a1a1-a1a1-a1a1-a1a1-a1a1a1a1a1a1"
    );
    assert_eq!(devices[0].runtime_version()?, 12_040);
    // HIP's numbers are not CUDA's.
    for (attribute, number) in [
        (DeviceAttribute::WarpSize, 10),
        (DeviceAttribute::MaxSharedMemoryPerBlock, 97),
        (DeviceAttribute::MemoryPoolsSupported, 115),
    ] {
        assert_eq!(devices[1].attribute(attribute)?, 1000 + number);
    }
    let Some(old) = Fake::build(&["-DOLD"]) else {
        return Ok(());
    };
    let uuid = Device::enumerate(&old.api)?[0].uuid()?;
    assert_eq!(uuid.0, [0x10; 16], "by the older name");
    Ok(())
}

#[test]
fn a_driver_without_a_gpu_has_no_devices() -> Result<()> {
    let Some(fake) = Fake::build(&["-DNO_DEVICE"]) else {
        return Ok(());
    };
    assert!(Device::enumerate(&fake.api)?.is_empty());
    Ok(())
}

#[test]
fn the_callers_context_is_restored() -> Result<()> {
    let Some(fake) = Fake::build(&[]) else {
        return Ok(());
    };
    let context = fake.context()?;
    assert_eq!(fake.current_context(), 0);
    let before = fake.log();
    let stream = Stream::new(&context)?;
    assert_eq!(
        fake.since(&before),
        "context c0\nstream flags 1 in c0\ncontext 0\n"
    );
    {
        let _issue = stream.issue()?;
        assert_eq!(fake.current_context(), 0xc0);
    }
    assert_eq!(fake.current_context(), 0);
    Ok(())
}

#[test]
fn codes_become_hips_and_say_what_hip_has_no_word_for() -> Result<()> {
    let Some(fake) = Fake::build(&[]) else {
        return Ok(());
    };
    let context = fake.context()?;
    let (stream, event) = (Stream::new(&context)?, Event::new(&context)?);
    assert!(!stream.query()?);
    assert!(!event.query()?);
    let memory = DeviceMemory::new(&context, 1 << 21).expect_err("too large for it");
    assert_eq!(
        (memory.code, memory.call, memory.detail),
        (Code::OUT_OF_MEMORY, "cuMemAlloc_v2", None)
    );
    let misaligned = stream.issue()?.record(&event).expect_err("it says so");
    assert_eq!(misaligned.code, Code::ILLEGAL_ADDRESS);
    let detail = misaligned.detail.expect("the driver's word for it");
    assert!(
        detail.starts_with("CUDA_ERROR_MISALIGNED_ADDRESS (716): "),
        "{detail}"
    );
    let unlisted = event.synchronize().expect_err("a code of its own");
    assert_eq!(unlisted.code, Code::from_number(4711));
    assert_eq!(
        unlisted.detail.as_deref(),
        Some("CUDA_ERROR_COLOGNE: perfumed")
    );
    assert_eq!(fake.api.take_last_error(), Code::SUCCESS);
    Ok(())
}

#[test]
fn a_missing_function_fails_only_its_own_call() -> Result<()> {
    let Some(fake) = Fake::build(&[]) else {
        return Ok(());
    };
    let context = fake.context()?;
    let error = DeviceMemory::managed(&context, 8).expect_err("it has no such function");
    assert_eq!(
        (error.code, error.call),
        (Code::NOT_SUPPORTED, "cuMemAllocManaged")
    );
    let detail = error.detail.expect("says why");
    assert!(
        detail.ends_with("libcuda.so.1 has no cuMemAllocManaged"),
        "{detail}"
    );
    DeviceMemory::new(&context, 8)?;
    Ok(())
}

#[test]
fn peers_are_held_as_long_as_they_can_be_reached() -> Result<()> {
    let Some(fake) = Fake::build(&[]) else {
        return Ok(());
    };
    let devices = Device::enumerate(&fake.api)?;
    let context = Context::new(&devices[0])?;
    let before = fake.log();
    context.enable_peer_access(&devices[1])?;
    context.enable_peer_access(&devices[1])?;
    assert_eq!(
        fake.since(&before),
        "context c0\nretain 1\npeer c1 from c0 flags 0\ncontext 0\n\
         context c0\nretain 1\npeer c1 from c0 flags 0\nrelease 1\ncontext 0\n"
    );
    let second = Context::new(&devices[0])?;
    drop(context);
    let before = fake.log();
    drop(second);
    assert_eq!(fake.since(&before), "release 0\nrelease 1\n");
    Ok(())
}

/// Launches, fills, copies, host functions and graphs.
fn tour(fake: &Fake) -> Result<String> {
    let context = Context::new(&Device::enumerate(&fake.api)?[1])?;
    let (stream, event) = (Stream::new(&context)?, Event::new(&context)?);
    let called = Arc::new(AtomicU32::new(0));
    let module = load(&context, b"\x7fELF, not a multiple of 8\0")?;
    let function = module.function("f")?;
    let missing = module.function("missing").expect_err("it says so");
    assert_eq!(
        (missing.code, missing.detail.as_deref()),
        (Code::NOT_FOUND, Some("\"missing\""))
    );
    assert_eq!(function.attribute(FunctionAttribute::SharedSizeBytes)?, 101);
    function.allow_dynamic_shared_memory(100_000)?;
    let issue = stream.issue()?;
    let before = fake.log();
    issue.launch(&function, &shape(4, 32), &[1, 2, 3, 4])?;
    let (dst, src) = (hip::DevicePtr(0x10), hip::DevicePtr(0x20));
    issue.fill_u8(dst, 200, 3)?;
    issue.fill_u16(dst, 60_000, 2)?;
    issue.fill_u32(dst, u32::MAX, 1)?;
    issue.copy(dst, src, 8, MemcpyKind::HostToDevice)?;
    issue.wait(&event)?;
    let counter = called.clone();
    issue.host_function(Box::new(move || {
        counter.fetch_add(1, Ordering::Relaxed);
    }))?;
    assert_eq!(
        (called.load(Ordering::Relaxed), Arc::strong_count(&called)),
        (1, 1)
    );
    let mut graph = Graph::new(&context)?;
    let kernel = graph.add_kernel(&[], &function, &shape(2, 64), &[5, 6])?;
    let fill = graph.add_memset(&[kernel], dst, 0xabab_abab, 1, 3)?;
    let copy = graph.add_memcpy(&[kernel, fill], dst, src, 8, MemcpyKind::HostToDevice)?;
    let mut exec = graph.instantiate()?;
    exec.set_kernel(kernel, &function, &shape(2, 64), &[7])?;
    exec.set_memset(fill, src, 0xcdcd_cdcd, 2, 5)?;
    exec.set_memcpy(copy, src, dst, 4, MemcpyKind::DeviceToDevice)?;
    issue.launch_graph(&exec)?;
    drop(exec);
    Ok(fake.since(&before))
}

const TOUR: &str =
    "launch f000 grid 4 2 3 block 32 4 5 shared 16 stream 5000 params (nil): 01 02 03 04
memset d8 200 x 3 stream 5000
memset d16 60000 x 2 stream 5000
memset d32 4294967295 x 1 stream 5000
memcpy 0x10 0x20 8 stream 5000
wait 5000 e000 0
callback 5000 flags 0
graph 6000 after 0: kernel 0xf000 grid 2 2 3 block 64 4 5 shared 16 params (nil): 05 06
graph 6000 after 1: fill 0x10 1 x 3 x 1 pitch 0 value ab context c1
graph 6000 after 2: copy type 4 (nil) 0x10 <- type 4 (nil) 0x20: 8 x 1 x 1 context c1
exec 8000 node 7000: kernel 0xf000: 07
exec 8000 node 7001: fill 0x20 2 x 5 x 1 pitch 0 value cdcd context c1
exec 8000 node 7002: copy type 4 (nil) 0x20 <- type 4 (nil) 0x10: 4 x 1 x 1 context c1
launch graph 8000 stream 5000
destroy exec 8000
destroy graph 6000
";

#[test]
fn calls_and_their_arguments_are_the_drivers() -> Result<()> {
    let Some(fake) = Fake::build(&[]) else {
        return Ok(());
    };
    assert_eq!(tour(&fake)?, TOUR);
    let log = fake.log();
    assert!(
        log.contains("function f000 attribute 8 = 100000\n"),
        "{log}"
    );
    let tail: Vec<_> = log.lines().filter(|l| !l.starts_with("context")).collect();
    assert!(
        tail.ends_with(&["unload 3000", "destroy stream 5000", "release 1"]),
        "{log}"
    );
    Ok(())
}

#[test]
fn what_a_driver_lacks_is_done_another_way() -> Result<()> {
    let Some(old) = Fake::build(&["-DOLD"]) else {
        return Ok(());
    };
    assert_eq!(tour(&old)?, TOUR.replace("8000", "8001"));
    let Some(other) = Fake::build(&["-DNO_CALLBACK"]) else {
        return Ok(());
    };
    let expected = TOUR.replace("callback 5000 flags 0", "host function 5000");
    assert_eq!(tour(&other)?, expected);
    Ok(())
}

#[test]
fn a_kernel_is_given_what_it_takes_and_no_more() -> Result<()> {
    let Some(fake) = Fake::build(&[]) else {
        return Ok(());
    };
    let context = fake.context()?;
    let function = load(&context, b"\x7fELF\0")?.function("f")?;
    let kernarg: Vec<u8> = (1..=20).collect();
    let mut graph = Graph::new(&context)?;
    let before = fake.log();
    let stream = Stream::new(&context)?;
    stream.issue()?.launch(&function, &shape(1, 1), &kernarg)?;
    graph.add_kernel(&[], &function, &shape(1, 1), &kernarg)?;
    let log = fake.since(&before);
    let arguments = ": 01 02 03 04 05 06 07 08 09 0a 0b 0c\n";
    assert_eq!(log.matches(arguments).count(), 2, "{log}");
    Ok(())
}

const PTX: &[u8] = b"// by us\n.version 7.6\n.target sm_80\n.address_size 64\n";

#[test]
fn ptx_is_compiled_once_and_kept() -> Result<()> {
    let folder = std::env::temp_dir().join(format!("hip-kept-{}", std::process::id()));
    let keep = || CodeCache::Folder(folder.clone());
    let result = ptx_is_kept(&folder, &keep);
    drop(std::fs::remove_dir_all(&folder));
    result
}

fn ptx_is_kept(folder: &PathBuf, keep: &dyn Fn() -> CodeCache) -> Result<()> {
    let Some(first) = Fake::keeping(keep(), &[]) else {
        return Ok(());
    };
    let loaded = |fake: &Fake| -> Result<String> {
        let context = fake.context()?;
        let before = fake.log();
        load(&context, PTX)?;
        let lines = fake.since(&before);
        let lines = lines.lines().filter(|line| !line.starts_with("context"));
        Ok(lines.collect::<Vec<_>>().join("\n"))
    };
    let size = PTX.len();
    let machine_code = format!("load \"code for\" of {}\nunload 3000", size + 9);
    let compiled = format!(
        "compile 1000 type 1: {} bytes\ncompiled 1000\n{machine_code}",
        size + 1
    );
    assert_eq!(loaded(&first)?, compiled);
    assert_eq!(loaded(&first)?, machine_code);
    // Another process finds it too, with or without a zero at the end.
    let Some(second) = Fake::keeping(keep(), &[]) else {
        return Ok(());
    };
    assert_eq!(loaded(&second)?, machine_code);
    let before = second.log();
    load(&second.context()?, &[PTX, &[0]].concat())?;
    assert!(!second.since(&before).contains("compile"), "the same code");

    // Another chip has code of its own.
    let other = Context::new(&Device::enumerate(&second.api)?[1])?;
    let before = second.log();
    load(&other, PTX)?;
    assert!(second.since(&before).contains("compile"));

    // Damaged files, and code that the driver refuses, are compiled anew.
    for entry in std::fs::read_dir(folder).expect("the cache") {
        let path = entry.expect("an entry").path();
        let mut bytes = std::fs::read(&path).expect("its bytes");
        *bytes.last_mut().expect("not empty") ^= 1;
        std::fs::write(&path, bytes).expect("damages it");
    }
    assert_eq!(loaded(&first)?, compiled);
    assert_eq!(loaded(&first)?, machine_code);

    // Nothing is kept when that is asked for, nor can be without a linker.
    let whole = format!("load \"// by us\" of {size}\nunload 3000");
    for (cache, flags) in [(CodeCache::Off, &[][..]), (keep(), &["-DNO_LINKER"])] {
        let Some(fake) = Fake::keeping(cache, flags) else {
            return Ok(());
        };
        assert_eq!(loaded(&fake)?, whole);
    }
    Ok(())
}

#[test]
fn a_refused_image_comes_with_the_compilers_log() -> Result<()> {
    let folder = std::env::temp_dir().join(format!("hip-refused-{}", std::process::id()));
    let bad = [PTX, b"bad"].concat();
    for (cache, call) in [
        (CodeCache::Off, "cuModuleLoadDataEx"),
        (CodeCache::Folder(folder.clone()), "cuLinkAddData_v2"),
    ] {
        let Some(fake) = Fake::keeping(cache, &[]) else {
            return Ok(());
        };
        let error = load(&fake.context()?, &bad).expect_err("it says so");
        assert_eq!((error.code, error.call), (Code::INVALID_KERNEL_FILE, call));
        assert_eq!(
            error.detail.as_deref(),
            Some("line 1: bad, log of 8191 bytes")
        );
        let newer = String::from_utf8_lossy(&bad).replace("sm_80", "sm_100");
        let error = load(&fake.context()?, newer.as_bytes()).expect_err("it says so");
        let detail = error.detail.expect("says why");
        assert!(
            detail.starts_with("the code is for sm_100, the device is sm_90; line 1: bad"),
            "{detail}"
        );
        let error = load(&fake.context()?, b"damaged\0").expect_err("it says so");
        assert_eq!(error.detail.as_deref(), Some("neither PTX nor an ELF file"));
    }
    drop(std::fs::remove_dir_all(&folder));
    Ok(())
}

#[test]
fn memory_and_pools_are_asked_for_with_the_right_numbers() -> Result<()> {
    let Some(fake) = Fake::build(&[]) else {
        return Ok(());
    };
    let context = Context::new(&Device::enumerate(&fake.api)?[1])?;
    let before = fake.log();
    let memory = DeviceMemory::new(&context, 8)?;
    memory.write(2, &[1, 2, 3])?;
    let mut bytes = [0; 4];
    memory.read(1, &mut bytes)?;
    assert_eq!(bytes, [0, 1, 2, 3]);
    drop(HostMemory::new(
        &context,
        16,
        HostMallocFlags::WRITE_COMBINED,
    )?);
    drop(MemPool::new(&context, 77)?);
    let lines = fake.since(&before);
    let lines: Vec<_> = lines
        .lines()
        .filter(|l| !l.starts_with("context"))
        .collect();
    assert_eq!(
        lines,
        [
            "to device 3",
            "to host 4",
            "host 16 flags 6",
            "pool type 1 handles 0 location 1 1 max 0 rest 0",
            "pool 9000 attribute 4 = 77",
            "destroy pool 9000",
        ]
    );
    Ok(())
}
