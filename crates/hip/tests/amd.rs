//! The `amd` provider on a library of our own making, which writes down what
//! it is asked. What a real one does on a real device is not tested here.
#![cfg(target_os = "linux")]

#[path = "fake/library.rs"]
mod library;

use std::ffi::{c_int, c_void};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use hip::{
    AmdOptions, Api, Code, Context, Device, DeviceMemory, Event, Graph, HostMallocFlags,
    HostMemory, LaunchConfig, MemPool, MemcpyKind, Module, Result, Stream,
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
        let built = Built::new("hip.c", "libamdhip64.so.6", flags)?;
        let options = AmdOptions {
            paths: vec![built.folder.display().to_string()],
        };
        let api = hip::amd(&options).expect("it has what is required");
        assert_eq!(api.provider().library.as_ref(), Some(&built.path));
        Some(Self { api, built })
    }

    fn log(&self) -> String {
        self.built.log()
    }

    fn since(&self, before: &str) -> String {
        self.built.since(before)
    }

    fn current_device(&self) -> i32 {
        // SAFETY: the function has this type.
        unsafe {
            let device = self
                .built
                .library
                .get::<unsafe extern "C" fn() -> c_int>(b"fake_device");
            device.expect("it is there")()
        }
    }

    /// The bytes that the library was given as an image, as they are now.
    fn image(&self, bytes: usize) -> Vec<u8> {
        // SAFETY: the function has this type, and modules keep their image.
        unsafe {
            let image = self
                .built
                .library
                .get::<unsafe extern "C" fn() -> *const c_void>(b"fake_image")
                .expect("it is there");
            std::slice::from_raw_parts(image().cast::<u8>(), bytes).to_vec()
        }
    }
}

fn shape(grid: u32, block: u32) -> LaunchConfig {
    LaunchConfig {
        grid: [grid, 1, 1].into(),
        block: [block, 1, 1].into(),
        shared_memory_bytes: 16,
    }
}

#[test]
fn properties_are_read_where_the_symbol_has_them() -> Result<()> {
    let Some(new) = Fake::build(&[]) else {
        return Ok(());
    };
    let devices = Device::enumerate(&new.api)?;
    assert_eq!(devices.len(), 2);
    assert_eq!(
        (devices[0].arch()?, devices[1].arch()?),
        ("gfx1100".into(), "gfx1101".into())
    );
    assert_eq!(devices[1].attribute(hip::DeviceAttribute::WarpSize)?, 1087);
    assert_eq!(devices[0].runtime_version()?, 60_140_093);
    let Some(old) = Fake::build(&["-DOLD"]) else {
        return Ok(());
    };
    assert_eq!(Device::enumerate(&old.api)?[1].arch()?, "gfx901");
    Ok(())
}

#[test]
fn the_callers_device_is_restored() -> Result<()> {
    let Some(fake) = Fake::build(&[]) else {
        return Ok(());
    };
    let devices = Device::enumerate(&fake.api)?;
    let context = Context::new(&devices[0])?;
    assert_eq!(fake.current_device(), 1);
    let before = fake.log();
    let stream = Stream::new(&context)?;
    assert_eq!(
        fake.since(&before),
        "device 0\nstream flags 1 on 0\ndevice 1\n"
    );
    assert_eq!(fake.current_device(), 1);
    let error = DeviceMemory::new(&context, 1 << 21).expect_err("too large for it");
    assert_eq!(error.code, Code::OUT_OF_MEMORY);
    assert_eq!(fake.current_device(), 1, "restored after an error too");
    {
        let _issue = stream.issue()?;
        assert_eq!(fake.current_device(), 0);
        let _nested = stream.issue()?;
        assert_eq!(fake.current_device(), 0);
    }
    assert_eq!(fake.current_device(), 1);

    // Where it is current already, nothing is switched.
    let second = Context::new(&devices[1])?;
    let before = fake.log();
    drop(Stream::new(&second)?);
    assert_eq!(
        fake.since(&before),
        "stream flags 1 on 1\ndestroy stream 5000\n"
    );
    Ok(())
}

#[test]
fn tolerated_errors_leave_no_trace() -> Result<()> {
    let Some(fake) = Fake::build(&[]) else {
        return Ok(());
    };
    let devices = Device::enumerate(&fake.api)?;
    let context = Context::new(&devices[0])?;
    let (stream, event) = (Stream::new(&context)?, Event::new(&context)?);
    assert!(!stream.query()?);
    assert!(!event.query()?);
    context.enable_peer_access(&devices[1])?;
    context.enable_peer_access(&devices[1])?;
    assert_eq!(fake.api.take_last_error(), Code::SUCCESS);
    let same = context.enable_peer_access(&devices[0]).expect_err("itself");
    assert_eq!(same.code, Code::PEER_ACCESS_UNSUPPORTED);

    // An error of somebody else's is not cleared along the way.
    DeviceMemory::new(&context, 1 << 21).expect_err("too large for it");
    let unlisted = event.synchronize().expect_err("a code of its own");
    assert_eq!(unlisted.code, Code::from_number(4711));
    assert_eq!(
        unlisted.detail.as_deref(),
        Some("hipErrorCologne: perfumed")
    );
    assert_eq!(fake.api.take_last_error(), Code::from_number(4711));
    Ok(())
}

#[test]
fn a_missing_function_fails_only_its_own_call() -> Result<()> {
    let Some(fake) = Fake::build(&[]) else {
        return Ok(());
    };
    let context = Context::new(&Device::enumerate(&fake.api)?[0])?;
    let error = DeviceMemory::managed(&context, 8).expect_err("it has no such function");
    assert_eq!(
        (error.code, error.call),
        (Code::NOT_SUPPORTED, "hipMallocManaged")
    );
    let detail = error.detail.expect("says why");
    assert!(
        detail.ends_with("libamdhip64.so.6 has no hipMallocManaged"),
        "{detail}"
    );
    DeviceMemory::new(&context, 8)?;
    Ok(())
}

/// Launches, fills, copies, host functions and graphs, on either library.
fn tour(fake: &Fake) -> Result<String> {
    let context = Context::new(&Device::enumerate(&fake.api)?[1])?;
    let (stream, event) = (Stream::new(&context)?, Event::new(&context)?);
    let before = fake.log();
    let called = Arc::new(AtomicU32::new(0));
    // SAFETY: the library runs nothing.
    let module = unsafe { Module::load(&context, b"code, not a multiple of 8\0") }?;
    assert_eq!(fake.image(26), b"code, not a multiple of 8\0");
    let function = module.function("f")?;
    let missing = module.function("missing").expect_err("it says so");
    assert_eq!(
        (missing.code, missing.detail.as_deref()),
        (Code::NOT_FOUND, Some("\"missing\""))
    );
    {
        let issue = stream.issue()?;
        issue.launch(&function, &shape(4, 32), &[1, 2, 3, 4])?;
        let memory = DeviceMemory::new(&context, 64)?;
        issue.fill_u8(memory.device_ptr(), 200, 3)?;
        issue.fill_u16(memory.device_ptr(), 60_000, 2)?;
        issue.fill_u32(memory.device_ptr(), u32::MAX, 1)?;
        issue.wait(&event)?;
        let counter = called.clone();
        issue.host_function(Box::new(move || {
            counter.fetch_add(1, Ordering::Relaxed);
        }))?;
    }
    assert_eq!(
        (called.load(Ordering::Relaxed), Arc::strong_count(&called)),
        (1, 1)
    );
    let mut graph = Graph::new(&context)?;
    let kernel = graph.add_kernel(&[], &function, &shape(2, 64), &[5, 6])?;
    let (dst, src) = (hip::DevicePtr(0x10), hip::DevicePtr(0x20));
    graph.add_memset(&[kernel], dst, 0xabab_abab, 1, 3)?;
    let copy = graph.add_memcpy(&[kernel], dst, src, 8, MemcpyKind::HostToDevice)?;
    let mut exec = graph.instantiate()?;
    exec.set_kernel(kernel, &function, &shape(2, 64), &[7])?;
    exec.set_memcpy(copy, src, dst, 4, MemcpyKind::DeviceToDevice)?;
    stream.issue()?.launch_graph(&exec)?;
    drop(exec);
    Ok(fake.since(&before))
}

#[test]
fn a_new_library_is_called_by_its_newest_functions() -> Result<()> {
    let Some(fake) = Fake::build(&[]) else {
        return Ok(());
    };
    let expected = "function f of 3000\n\
        function missing of 3000\n\
        launch f000 grid 4 1 1 block 32 1 1 lds 16 stream 5000 params (nil): 01 02 03 04\n\
        memset d8 200 x 3 stream 5000\n\
        memset d16 60000 x 2 stream 5000\n\
        memset d32 -1 x 1 stream 5000\n\
        wait 5000 e000 0\n\
        host function 5000\n\
        graph 6000 after 0: kernel 0xf000 grid 2 block 64 lds 16: 05 06\n\
        graph 6000 after 1: fill 0x10 1 x 3 x 1 pitch 0 value ab\n\
        graph 6000 after 1: copy type 2 (nil) 0x10 <- type 1 0x20 (nil): 8 x 1 x 1 context c1\n\
        exec 8000 node 7000: kernel 0xf000: 07\n\
        exec 8000 node 7002: copy type 2 (nil) 0x20 <- type 2 (nil) 0x10: 4 x 1 x 1 context c1\n\
        launch graph 8000 stream 5000\n\
        destroy exec 8000\n\
        destroy graph 6000\n";
    assert_eq!(tour(&fake)?, expected);
    let log = fake.log();
    assert!(
        log.ends_with("unload 3000\ndestroy stream 5000\nrelease 1\n"),
        "{log}"
    );
    Ok(())
}

#[test]
fn an_old_library_is_called_by_its_fallbacks() -> Result<()> {
    let Some(fake) = Fake::build(&["-DOLD"]) else {
        return Ok(());
    };
    let log = tour(&fake)?;
    for line in [
        "memset 200 x 3 stream 5000\n",
        "callback 5000 flags 0\n",
        "graph 6000 after 1: copy 0x10 0x20 8 kind 1\n",
        "exec 8000 node 7002: copy 0x20 0x10 4 kind 3\n",
    ] {
        assert!(log.contains(line), "{line}{log}");
    }
    assert!(fake.log().contains("\nevent\n"), "made without flags");
    Ok(())
}

#[test]
fn a_refused_image_comes_with_the_librarys_log() -> Result<()> {
    let Some(fake) = Fake::build(&[]) else {
        return Ok(());
    };
    let context = Context::new(&Device::enumerate(&fake.api)?[0])?;
    // SAFETY: the library runs nothing.
    let error = unsafe { Module::load(&context, b"bad\0") }.expect_err("it says so");
    assert_eq!(
        (error.code, error.call),
        (Code::INVALID_IMAGE, "hipModuleLoadDataEx")
    );
    let detail = error.detail.expect("says why");
    assert!(detail.starts_with("not an ELF file"), "{detail}");
    assert!(detail.ends_with("; log of 4095 bytes"), "{detail}");
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
    assert_eq!(
        fake.since(&before),
        "memcpy 3 kind 1\n\
         memcpy 4 kind 2\n\
         host 16 flags 6\n\
         pool type 1 handles 0 location 1 1 rest 0\n\
         pool 9000 attribute 4 = 77\n\
         destroy pool 9000\n"
    );
    Ok(())
}
