//! The software provider running real machine code.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hip::{
    Api, Code, Context, Device, DeviceMemory, DevicePtr, Error, Event, FaultPlan, Function,
    FunctionAttribute, Graph, HostMallocFlags, HostMemory, LaunchConfig, MemPool, MemcpyKind,
    Module, Result, SoftwareOptions, Stream, StreamFlags,
};

fn software() -> Arc<dyn Api> {
    hip::software(options())
}

fn options() -> SoftwareOptions {
    SoftwareOptions {
        workers: Some(2),
        memory_bytes: 64 << 20,
        ..SoftwareOptions::default()
    }
}

fn context() -> Result<Context> {
    context_with(options())
}

fn context_with(options: SoftwareOptions) -> Result<Context> {
    Context::new(&Device::enumerate(&hip::software(options))?[0])
}

fn fixture(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
    std::fs::read(path.join(name)).expect("the fixture is there")
}

fn load(context: &Context, name: &str) -> Result<Module> {
    // SAFETY: our own fixture, run by the software GPU, which checks every access.
    unsafe { Module::load(context, &fixture(name)) }
}

fn function(context: &Context, file: &str, name: &str) -> Result<Function> {
    load(context, file)?.function(name)
}

const ONE: LaunchConfig = config([1, 1, 1], [1, 1, 1]);

const fn config(grid: [u32; 3], block: [u32; 3]) -> LaunchConfig {
    let [x, y, z] = grid;
    let grid = hip::Dim3 { x, y, z };
    let [x, y, z] = block;
    let block = hip::Dim3 { x, y, z };
    LaunchConfig {
        grid,
        block,
        shared_memory_bytes: 0,
    }
}

fn words(values: &[u64]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

fn floats(memory: &DeviceMemory, count: usize) -> Result<Vec<f32>> {
    let mut bytes = vec![0; 4 * count];
    memory.read(0, &mut bytes)?;
    let words = bytes.chunks_exact(4);
    Ok(words
        .map(|word| f32::from_le_bytes(word.try_into().expect("four bytes")))
        .collect())
}

fn upload(context: &Context, values: &[f32]) -> Result<DeviceMemory> {
    let bytes: Vec<u8> = values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    let memory = DeviceMemory::new(context, bytes.len() as u64)?;
    memory.write(0, &bytes)?;
    Ok(memory)
}

#[test]
fn a_kernel_computes() -> Result<()> {
    let context = context()?;
    let abs = function(&context, "gfx1100/abs.hsaco", "abs")?;
    let input = upload(&context, &[-2.5, 1.25])?;
    let output = DeviceMemory::new(&context, 8)?;
    let stream = Stream::new(&context)?;
    let kernarg = words(&[input.device_ptr().0, output.device_ptr().0]);
    stream.issue()?.launch(&abs, &ONE, &kernarg)?;
    stream.synchronize()?;
    assert_eq!(floats(&output, 2)?, [2.5, 1.25]);
    Ok(())
}

#[test]
fn a_graph_launches_kernels_and_takes_new_arguments() -> Result<()> {
    let context = context()?;
    let abs = function(&context, "gfx1100/abs.hsaco", "abs")?;
    let input = upload(&context, &[-2.5, 1.25])?;
    let (first, second) = (upload(&context, &[0.0; 2])?, upload(&context, &[0.0; 2])?);
    let kernarg = |output: &DeviceMemory| words(&[input.device_ptr().0, output.device_ptr().0]);
    let stream = Stream::new(&context)?;
    let mut graph = Graph::new(&context)?;
    let node = graph.add_kernel(&[], &abs, &ONE, &kernarg(&first))?;
    drop(abs);
    let mut exec = graph.instantiate()?;
    stream.issue()?.launch_graph(&exec)?;
    stream.synchronize()?;
    assert_eq!(
        (floats(&first, 2)?, floats(&second, 2)?),
        (vec![2.5, 1.25], vec![0.0; 2])
    );

    let abs = function(&context, "gfx1100/abs.hsaco", "abs")?;
    exec.set_kernel(node, &abs, &ONE, &kernarg(&second))?;
    stream.issue()?.launch_graph(&exec)?;
    stream.synchronize()?;
    assert_eq!(floats(&second, 2)?, [2.5, 1.25]);
    Ok(())
}

#[test]
fn unloading_a_module_leaves_submitted_launches_alone() -> Result<()> {
    let context = context()?;
    let input = upload(&context, &[-2.5, 1.25])?;
    let output = DeviceMemory::new(&context, 8)?;
    let stream = Stream::new(&context)?;
    stream
        .issue()?
        .host_function(Box::new(|| std::thread::sleep(Duration::from_millis(20))))?;
    let abs = function(&context, "gfx1100/abs.hsaco", "abs")?;
    let kernarg = words(&[input.device_ptr().0, output.device_ptr().0]);
    stream.issue()?.launch(&abs, &ONE, &kernarg)?;
    drop(abs);
    stream.synchronize()?;
    assert_eq!(floats(&output, 2)?, [2.5, 1.25]);
    Ok(())
}

/// Launches a kernel that goes wrong and returns what its stream reports.
fn fault(name: &str, kernarg: impl FnOnce(DevicePtr) -> Vec<u8>) -> Result<Error> {
    let context = context_with(SoftwareOptions {
        // The endless loop ends sooner.
        instruction_budget: 1 << 20,
        ..options()
    })?;
    let function = function(&context, "gfx1100/faults.hsaco", name)?;
    let memory = DeviceMemory::new(&context, 64)?;
    let stream = Stream::new(&context)?;
    let event = Event::new(&context)?;
    let issue = stream.issue()?;
    issue.launch(&function, &ONE, &kernarg(memory.device_ptr()))?;
    issue.record(&event)?;
    drop(issue);
    let error = stream.synchronize().expect_err("the kernel goes wrong");
    assert_eq!(event.synchronize(), Err(error.clone()));
    let detail = error.detail.as_deref().unwrap_or_default();
    assert!(detail.contains(name), "{error}");
    // Reported: the stream is as good as new.
    stream.issue()?.fill_u8(memory.device_ptr(), 7, 64)?;
    stream.synchronize()?;
    let mut bytes = [0; 64];
    memory.read(0, &mut bytes)?;
    assert_eq!(bytes, [7; 64]);
    Ok(error)
}

#[test]
fn faults_become_errors_that_explain_themselves() -> Result<()> {
    let beyond = fault("store_at", |ptr| words(&[ptr.0, 64]))?;
    assert_eq!(beyond.code, Code::ILLEGAL_ADDRESS);
    assert!(beyond.to_string().contains("64 bytes"), "{beyond}");
    let read = fault("load_at", |ptr| words(&[ptr.0, 1 << 40]))?;
    assert_eq!(read.code, Code::ILLEGAL_ADDRESS);
    let endless = fault("endless_loop", |_| Vec::new())?;
    assert_eq!(endless.code, Code::LAUNCH_TIME_OUT);
    let unknown = fault("unknown_instruction", |_| Vec::new())?;
    assert_eq!(unknown.code, Code::LAUNCH_FAILURE);
    assert!(unknown.to_string().contains("cafef00d"), "{unknown}");
    assert_eq!(fault("trap", |_| Vec::new())?.code, Code::LAUNCH_FAILURE);
    Ok(())
}

#[test]
fn freed_memory_is_out_of_bounds_for_later_work() -> Result<()> {
    let context = context()?;
    let store = function(&context, "gfx1100/faults.hsaco", "store_at")?;
    let stream = Stream::new(&context)?;
    let memory = DeviceMemory::new(&context, 64)?;
    let ptr = memory.device_ptr();
    drop(memory);
    stream.issue()?.launch(&store, &ONE, &words(&[ptr.0, 0]))?;
    let error = stream.synchronize().expect_err("freed");
    assert_eq!(error.code, Code::ILLEGAL_ADDRESS);
    Ok(())
}

#[test]
fn streams_run_side_by_side() -> Result<()> {
    let context = context()?;
    let wait = function(&context, "gfx1100/faults.hsaco", "wait_for_flag")?;
    let host = HostMemory::new(&context, 8, HostMallocFlags::DEFAULT)?;
    host.host().fill(0, 8, &[0])?;
    let (waiting, other) = (Stream::new(&context)?, Stream::new(&context)?);
    let memory = DeviceMemory::new(&context, 4)?;
    let kernarg = words(&[host.device_ptr().0, host.device_ptr().0 + 4]);
    waiting.issue()?.launch(&wait, &ONE, &kernarg)?;
    other.issue()?.fill_u8(memory.device_ptr(), 1, 4)?;
    other.synchronize()?;
    host.host().write(0, &1u32.to_le_bytes())?;
    waiting.synchronize()?;
    let mut done = [0; 4];
    host.host().read(4, &mut done)?;
    assert_ne!(done, [0; 4]);
    Ok(())
}

#[test]
fn arguments_that_a_kernel_does_not_take_are_ignored() -> Result<()> {
    let context = context()?;
    let abs = function(&context, "gfx1100/abs.hsaco", "abs")?;
    let stream = Stream::new(&context)?;
    let input = DeviceMemory::new(&context, 16)?;
    input.write(0, &[0xBF; 16])?;
    let output = DeviceMemory::new(&context, 16)?;
    let kernarg = words(&[input.device_ptr().0, output.device_ptr().0, !0, !0]);
    stream.issue()?.launch(&abs, &ONE, &kernarg)?;
    stream.synchronize()?;
    let mut bytes = [0; 4];
    output.read(0, &mut bytes)?;
    assert_eq!(bytes, [0xBF, 0xBF, 0xBF, 0x3F]);
    Ok(())
}

#[test]
fn launches_that_cannot_work_are_refused_at_once() -> Result<()> {
    let context = context()?;
    let abs = function(&context, "gfx1100/abs.hsaco", "abs")?;
    let stream = Stream::new(&context)?;
    let issue = stream.issue()?;
    let kernarg = words(&[0, 0]);
    let most = abs.attribute(FunctionAttribute::MaxThreadsPerBlock)? as u32;
    let cases = [
        (
            config([0, 1, 1], [1, 1, 1]),
            Code::INVALID_CONFIGURATION,
            "zero",
        ),
        (
            config([1, 1, 1], [1, 0, 1]),
            Code::INVALID_CONFIGURATION,
            "zero",
        ),
        (
            config([1, 1, 1], [most + 1, 1, 1]),
            Code::INVALID_CONFIGURATION,
            "at most",
        ),
        (
            config([u32::MAX, 1, 1], [2, 1, 1]),
            Code::INVALID_CONFIGURATION,
            "",
        ),
        (
            LaunchConfig {
                shared_memory_bytes: 65_537,
                ..ONE
            },
            Code::INVALID_VALUE,
            "LDS",
        ),
    ];
    for (config, code, text) in cases {
        let error = issue.launch(&abs, &config, &kernarg).expect_err(text);
        assert_eq!(
            (error.code, error.call),
            (code, "hipModuleLaunchKernel"),
            "{error}"
        );
        let detail = error.detail.as_deref().unwrap_or_default();
        assert!(detail.contains("`abs`") && detail.contains(text), "{error}");
    }
    for bytes in [0, 8, 15] {
        let error = issue
            .launch(&abs, &ONE, &vec![0; bytes])
            .expect_err("arguments");
        assert_eq!(error.code, Code::INVALID_VALUE, "{error}");
    }
    let mut graph = Graph::new(&context)?;
    let error = graph
        .add_kernel(&[], &abs, &ONE, &[])
        .expect_err("arguments");
    assert_eq!(
        (error.code, error.call),
        (Code::INVALID_VALUE, "hipGraphAddKernelNode")
    );
    drop(issue);
    stream.synchronize()
}

#[test]
fn modules_know_their_kernels_and_variables() -> Result<()> {
    let context = context()?;
    let module = load(&context, "gfx1100/variables.hsaco")?;
    let error = module.function("nothing").expect_err("no such kernel");
    assert_eq!(error.code, Code::NOT_FOUND);
    assert!(error.to_string().contains("`sum_table`"), "{error}");
    let error = module.global("nothing").expect_err("no such variable");
    assert_eq!(error.code, Code::NOT_FOUND);

    let (address, bytes) = module.global("first")?;
    assert_eq!(bytes, 4);
    let stream = Stream::new(&context)?;
    let output = DeviceMemory::new(&context, 4)?;
    let sum = module.function("sum_table")?;
    let run = || -> Result<u32> {
        let issue = stream.issue()?;
        issue.launch(&sum, &ONE, &words(&[output.device_ptr().0]))?;
        drop(issue);
        stream.synchronize()?;
        let mut word = [0; 4];
        output.read(0, &mut word)?;
        Ok(u32::from_le_bytes(word))
    };
    assert_eq!(run()?, 42);
    stream.issue()?.fill_u32(address, 100, 1)?;
    assert_eq!(run()?, 102);
    assert_eq!(sum.attribute(FunctionAttribute::SharedSizeBytes)?, 0);
    Ok(())
}

#[test]
fn functions_go_with_their_module() -> Result<()> {
    let api = software();
    let stream = api.stream_create(StreamFlags::NON_BLOCKING)?;
    // SAFETY: this provider checks every handle it is given.
    unsafe {
        let module = api.module_load(&fixture("gfx1100/abs.hsaco"))?;
        let abs = api.module_function(module, "abs")?;
        assert_eq!(api.module_function(module, "abs")?, abs);
        api.module_unload(module)?;
        let launched = api.launch_kernel(abs, &ONE, stream, &words(&[0, 0]));
        assert_eq!(
            launched.map_err(|error| error.code),
            Err(Code::INVALID_HANDLE)
        );
        let again = api.module_unload(module);
        assert_eq!(again.map_err(|error| error.code), Err(Code::INVALID_HANDLE));
    }
    Ok(())
}

#[test]
fn images_for_other_chips_or_cut_short_are_refused() -> Result<()> {
    let context = context()?;
    let container = fixture("gfx942/abs.fb");
    let start = container
        .windows(4)
        .position(|window| window == b"\x7fELF")
        .expect("a code object inside");
    // SAFETY: nothing that is refused can run.
    let error = unsafe { Module::load(&context, &container[start..]) }.expect_err("another chip");
    assert_eq!(error.code, Code::NO_BINARY_FOR_GPU);
    let text = error.to_string();
    assert!(
        text.contains("gfx942") && text.contains("gfx1100"),
        "{text}"
    );

    let whole = fixture("gfx1100/abs.hsaco");
    for length in [0, 3, 63, 64, 512, whole.len() / 2] {
        // SAFETY: as above.
        let error = unsafe { Module::load(&context, &whole[..length]) }.expect_err("cut short");
        assert_eq!(error.code, Code::INVALID_IMAGE, "{length} bytes");
    }
    Ok(())
}

/// One of everything that can fail, on a provider that may.
fn mixed_program(api: &Arc<dyn Api>) -> Result<()> {
    let context = Context::new(&Device::enumerate(api)?[0])?;
    let abs = function(&context, "gfx1100/abs.hsaco", "abs")?;
    let (stream, other) = (Stream::new(&context)?, Stream::new(&context)?);
    let input = upload(&context, &[-2.5, 1.25])?;
    let output = HostMemory::new(&context, 8, HostMallocFlags::DEFAULT)?;
    let event = Event::new(&context)?;
    let pool = MemPool::new(&context, 0)?;
    let temporary = pool.allocate(&stream.issue()?, 8)?;
    let kernarg = words(&[input.device_ptr().0, temporary.device_ptr().0]);
    let mut graph = Graph::new(&context)?;
    let launch = graph.add_kernel(&[], &abs, &ONE, &kernarg)?;
    graph.add_event_record(&[launch], &event)?;
    let mut exec = graph.instantiate()?;
    exec.set_kernel(launch, &abs, &ONE, &kernarg)?;
    stream.issue()?.launch_graph(&exec)?;
    {
        let issue = other.issue()?;
        issue.wait(&event)?;
        let (dst, src) = (output.device_ptr(), temporary.device_ptr());
        issue.copy(dst, src, 8, MemcpyKind::DeviceToHost)?;
        issue.record(&event)?;
    }
    stream.issue()?.wait(&event)?;
    temporary
        .free(&stream.issue()?)
        .map_err(|(_, error)| error)?;
    event.synchronize()?;
    stream.synchronize()?;
    let mut bytes = [0; 8];
    output.host().read(0, &mut bytes)?;
    assert_eq!(bytes[..4], 2.5f32.to_le_bytes());
    assert_eq!(bytes[4..], 1.25f32.to_le_bytes());
    Ok(())
}

#[test]
fn whichever_call_fails_nothing_hangs_or_is_lost() -> Result<()> {
    let software = software();
    let counting = FaultPlan::counting();
    mixed_program(&hip::faulty(software.clone(), &counting))?;
    assert!(counting.calls() > 40, "{counting:?}");
    for index in 0..counting.calls() {
        let plan = FaultPlan::fail_call(index, Code::UNKNOWN);
        let result = mixed_program(&hip::faulty(software.clone(), &plan));
        let fired = plan.fired().expect("the call is reached again");
        assert_eq!(plan.live(), 0, "objects left after {fired} failed");
        match result {
            Err(error) => assert_eq!((error.code, error.call), (Code::UNKNOWN, fired)),
            // Releases ask which context is current, and nobody asks them.
            Ok(()) => assert_eq!(fired, "hipCtxGetCurrent", "call {index} went unreported"),
        }
    }
    for index in 0..counting.teardown_calls() {
        let plan = FaultPlan::fail_teardown(index, Code::UNKNOWN);
        drop(mixed_program(&hip::faulty(software.clone(), &plan)));
        assert_eq!(plan.live(), 0);
    }
    // The provider that was underneath all along is as good as new.
    mixed_program(&software)
}

/// What a launch is bound to is said as it is made: none is put off then.
#[test]
fn bindings_are_taken_by_who_checks_memory_alone() -> Result<()> {
    for checks in [None, Some(hip::Checks::RACES), Some(hip::Checks::MEMORY)] {
        let context = context_with(SoftwareOptions {
            observer: checks.map(hip::Observer::new),
            ..options()
        })?;
        let is_told = checks == Some(hip::Checks::MEMORY);
        let provider = context.device().provider();
        assert_eq!(provider.checks_bindings, is_told);
        assert_eq!(Stream::new(&context)?.puts_off(), !is_told);
    }
    Ok(())
}
