//! What it costs to submit: `cargo bench -p hip`. Figures are nanoseconds a call.
#![expect(
    clippy::print_stdout,
    reason = "a benchmark reports on standard output"
)]

use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::Instant;

use hip::{
    Api, Context, Device, DeviceMemory, Event, Function, Issue, LaunchConfig, MemcpyKind, Module,
    Result, SoftwareOptions, Stream,
};

const CALLS: u32 = 100_000;

fn main() -> Result<()> {
    null()?;
    software()
}

fn context(api: &Arc<dyn Api>) -> Result<Context> {
    Context::new(&Device::enumerate(api)?[0])
}

/// Best of five rounds, in nanoseconds a call.
fn measure(name: &str, mut call: impl FnMut() -> Result<()>) -> Result<()> {
    let mut best = f64::MAX;
    for _ in 0..5 {
        let start = Instant::now();
        for _ in 0..CALLS {
            call()?;
        }
        best = best.min(start.elapsed().as_secs_f64() / f64::from(CALLS));
    }
    println!("{name:<40} {:>10.1} ns", best * 1e9);
    Ok(())
}

fn shape() -> LaunchConfig {
    LaunchConfig {
        grid: [1, 1, 1].into(),
        block: [1, 1, 1].into(),
        shared_memory_bytes: 0,
    }
}

fn abs(context: &Context) -> Result<Function> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/gfx1100/abs.hsaco");
    let image = std::fs::read(path).expect("the fixture is there");
    // SAFETY: our own fixture.
    unsafe { Module::load(context, &image) }?.function("abs")
}

fn kernarg(memory: &DeviceMemory) -> [u8; 16] {
    let mut kernarg = [0; 16];
    kernarg[..8].copy_from_slice(&memory.device_ptr().0.to_le_bytes());
    kernarg[8..].copy_from_slice(&memory.device_ptr().0.to_le_bytes());
    kernarg
}

fn submissions(
    provider: &str,
    issue: &Issue<'_>,
    function: &Function,
    memory: &DeviceMemory,
    event: &Event,
) -> Result<()> {
    let (ptr, shape, kernarg) = (memory.device_ptr(), shape(), kernarg(memory));
    measure(&format!("{provider}: launch"), || {
        issue.launch(function, &shape, &kernarg)
    })?;
    measure(&format!("{provider}: copy"), || {
        issue.copy(ptr, ptr.offset(64), 64, MemcpyKind::Default)
    })?;
    measure(&format!("{provider}: fill"), || issue.fill_u32(ptr, 0, 16))?;
    measure(&format!("{provider}: record event"), || issue.record(event))
}

fn null() -> Result<()> {
    let context = context(&hip::null())?;
    let stream = Stream::new(&context)?;
    let memory = DeviceMemory::new(&context, 128)?;
    let (function, event) = (abs(&context)?, Event::new(&context)?);
    submissions("null", &stream.issue()?, &function, &memory, &event)?;
    measure("null: open the stream", || stream.issue().map(drop))
}

fn software() -> Result<()> {
    let context = context(&hip::software(SoftwareOptions::default()))?;
    let stream = Stream::new(&context)?;
    let memory = DeviceMemory::new(&context, 128)?;
    let (function, event) = (abs(&context)?, Event::new(&context)?);
    // Held up, so that submitting is measured alone.
    let (gate, opened) = mpsc::channel::<()>();
    stream.issue()?.host_function(Box::new(move || {
        opened.recv().expect_err("nothing is ever sent");
    }))?;
    submissions(
        "software, held up",
        &stream.issue()?,
        &function,
        &memory,
        &event,
    )?;
    drop(gate);
    let (shape, kernarg) = (shape(), kernarg(&memory));
    let start = Instant::now();
    stream.synchronize()?;
    println!(
        "{:<40} {:>10.1} s",
        "software: work it all off",
        start.elapsed().as_secs_f64()
    );
    measure("software: launch, launches run beside", || {
        stream.issue()?.launch(&function, &shape, &kernarg)
    })?;
    stream.synchronize()?;
    measure("software: launch and synchronize", || {
        stream.issue()?.launch(&function, &shape, &kernarg)?;
        stream.synchronize()
    })
}
