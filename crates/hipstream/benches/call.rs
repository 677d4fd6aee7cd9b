//! What a call of a module with one tiny dispatch costs above HIP, on the
//! provider that does nothing.
//!
//! ```text
//! HIPSTREAM_IREE_NEW=VENV cargo bench -p hipstream --bench call
//! ```
//!
//! Each figure is the best of several runs. `VENV` is a Python virtual
//! environment with `iree-base-compiler==3.13.0 iree-base-runtime==3.13.0`;
//! with it the stock CPU runtime is timed in the same run, on the same program
//! compiled for this processor, and ratios are printed. Its figure contains
//! the work of 1,000 additions; ours contains none.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::Instant;

use bytes::Bytes;
use hal::{Device, DeviceParams, Driver, DriverOptions};
use hipstream::{Argument, Session};

#[path = "common/stock.rs"]
mod stock;

/// Counts the allocations of each thread.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller keeps the contract of `GlobalAlloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `GlobalAlloc`.
        unsafe { System.dealloc(ptr, layout) }
    }
}

/// Runs of which the best counts.
const RUNS: usize = 15;
/// Calls of a run.
const CALLS: u32 = 2000;

fn main() {
    let rival = stock_ns();
    say("\none call of a sum of two vectors, 1,000 floats each, on the null provider:");
    say(&format!(
        "{:<44}{:>10}{:>13}{:>12}",
        "", "ns", "allocations", "x stock*"
    ));
    for (file, name) in [
        ("gfx1100/add.vmfb", "release 3.13"),
        ("old_gfx1100/add.vmfb", "early 2024"),
    ] {
        let mut bench = Bench::new(file);
        for (is_host, what) in [
            (false, "arrays on the device"),
            (true, "arrays on the host"),
        ] {
            let (ns, allocations) = bench.time(is_host);
            let ratio = match &rival {
                Ok(stock) => format!("{:.3}", ns / stock),
                Err(_) => "-".to_owned(),
            };
            say(&format!(
                "{:<44}{ns:>10.0}{allocations:>13}{ratio:>12}",
                format!("{name}, {what}")
            ));
        }
    }
    match rival {
        Ok(stock) => say(&format!(
            "* stock runtime 3.13, local-sync on this processor, same program: {stock:.0} ns"
        )),
        Err(reason) => say(&format!("* not measured: {reason}")),
    }
}

#[expect(clippy::print_stdout, reason = "the result of a benchmark")]
fn say(line: &str) {
    println!("{line}");
}

struct Bench {
    session: Session,
    on_device: [Argument<'static>; 2],
    on_host: [Argument<'static>; 2],
}

impl Bench {
    fn new(file: &str) -> Self {
        let mut session = Session::builder().device(&null_device()).build().unwrap();
        // SAFETY: the null provider runs nothing.
        unsafe { session.load(Bytes::from(fixtures::read(file))) }.unwrap();
        let ones: &'static [f32] = vec![1.0; 1000].leak();
        let on_host = [ones.into(), ones.into()];
        let outputs = session.call("add", &on_host).unwrap();
        let tensor = outputs[0].tensor().unwrap();
        Self {
            on_device: [tensor.into(), tensor.into()],
            on_host,
            session,
        }
    }

    /// Best nanoseconds, and allocations of a call once warm.
    fn time(&mut self, is_host: bool) -> (f64, u64) {
        let arguments = match is_host {
            true => &self.on_host,
            false => &self.on_device,
        };
        let mut best = f64::INFINITY;
        for _ in 0..RUNS {
            let start = Instant::now();
            for _ in 0..CALLS {
                self.session.call("add", arguments).unwrap();
            }
            best = best.min(start.elapsed().as_nanos() as f64 / f64::from(CALLS));
        }
        let before = ALLOCATIONS.get();
        self.session.call("add", arguments).unwrap();
        (best, ALLOCATIONS.get() - before)
    }
}

fn null_device() -> Device {
    Driver::with_api("null", hip::null(), DriverOptions::default())
        .and_then(|driver| driver.create_device_by_ordinal(0, &DeviceParams::default()))
        .unwrap()
}

/// Nanoseconds of a call of the same program in the stock runtime, or why not.
fn stock_ns() -> Result<f64, String> {
    let tools = stock::Tools::find()?;
    let module = std::env::temp_dir().join(format!("hipstream-call-{}.vmfb", std::process::id()));
    tools.compile(&fixtures::path("src/add.mlir"), stock::HOST, &module)?;
    let inputs = ["1000xf32=1".to_owned(), "1000xf32=1".to_owned()];
    let time = tools.time(&module, "add", &inputs, 1);
    // Left behind, it would do no harm.
    drop(std::fs::remove_file(&module));
    Ok(time?.as_secs_f64() * 1e9)
}
