//! Whole programs on the software GPU beside the stock CPU runtime: the same
//! sources, compiled by the stock compiler for gfx1100 and for this host's
//! processor, on the same inputs, on one thread and on two.
//!
//! ```text
//! HIPSTREAM_IREE_NEW=VENV cargo bench -p hipstream --bench programs [-- NAME …]
//! ```
//!
//! `VENV` is a Python virtual environment with `iree-base-compiler==3.13.0
//! iree-base-runtime==3.13.0`; without it nothing is measured. Times are of a
//! whole call, arrays on the device: the mean of some calls, and the least of
//! several such means, on both sides.
#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hal::{
    BufferParams, BufferView, Device, DeviceParams, Driver, DriverOptions, ElementType, Encoding,
    Timeout,
};
use half::f16;
use hipstream::array::Array;
use hipstream::{Argument, Session, Tensor};

#[path = "../common/stock.rs"]
mod stock;

/// A program: its name is that of the file and of the function.
struct Program {
    name: &'static str,
    inputs: &'static [(ElementType, &'static [u64])],
    /// The greatest ratio that is aimed at, on two threads.
    aim: Option<f64>,
}

const F32: ElementType = ElementType::FLOAT_32;
const F16: ElementType = ElementType::FLOAT_16;
const SQUARE: &[u64] = &[512, 512];
const HEADS: &[u64] = &[8, 256, 64];
const FLAT: &[u64] = &[1 << 20];

const PROGRAMS: &[Program] = &[
    Program {
        name: "matmul_f32",
        inputs: &[(F32, SQUARE), (F32, SQUARE)],
        aim: Some(4.0),
    },
    Program {
        name: "matmul_f16",
        inputs: &[(F16, SQUARE), (F16, SQUARE)],
        aim: None,
    },
    Program {
        name: "softmax",
        inputs: &[(F32, &[512, 1024])],
        aim: None,
    },
    Program {
        name: "layernorm",
        inputs: &[(F32, &[1024, 1024]), (F32, &[1024]), (F32, &[1024])],
        aim: None,
    },
    Program {
        name: "conv2d",
        inputs: &[(F32, &[1, 66, 66, 32]), (F32, &[3, 3, 32, 64])],
        aim: None,
    },
    Program {
        name: "elementwise",
        inputs: &[(F32, FLAT), (F32, FLAT)],
        aim: None,
    },
    Program {
        name: "attention",
        inputs: &[(F32, HEADS), (F32, HEADS), (F32, HEADS)],
        aim: None,
    },
    Program {
        name: "sort",
        inputs: &[(F32, &[64, 128])],
        aim: None,
    },
];

/// Batches of calls, of which the quickest counts, and how long one lasts.
const BATCHES: usize = 5;
const BATCH: Duration = Duration::from_millis(100);

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() {
    let tools = match stock::Tools::find() {
        Ok(tools) => tools,
        Err(reason) => return println!("skipped: {reason}"),
    };
    let folder = std::env::temp_dir().join(format!("hipstream-programs-{}", std::process::id()));
    let named: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    println!(
        "{:<14}{:>9}{:>15}{:>15}{:>9}{:>7}",
        "program", "threads", "software GPU", "stock runtime", "ratio", "aim"
    );
    for program in PROGRAMS {
        if !named.is_empty() && !named.iter().any(|name| name == program.name) {
            continue;
        }
        if let Err(error) = compare(program, &tools, &folder) {
            println!("{:<14} failed: {error}", program.name);
        }
    }
    // Left behind, it would do no harm.
    drop(fs::remove_dir_all(folder));
}

/// Compiles a program, times both sides and prints the ratios.
fn compare(program: &Program, tools: &stock::Tools, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    let name = program.name;
    let source = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("benches/programs")
        .join(format!("{name}.mlir"));
    let [ours, theirs] = ["gpu", "cpu"].map(|end| folder.join(format!("{name}_{end}.vmfb")));
    let gpu = ["--iree-hal-target-device=hip", "--iree-rocm-target=gfx1100"];
    tools.compile(&source, &gpu, &ours)?;
    tools.compile(&source, stock::HOST, &theirs)?;
    let mut arrays = Vec::new();
    let mut files = Vec::new();
    for (number, &(element, shape)) in program.inputs.iter().enumerate() {
        let array = noise(element, shape, number as u32)?;
        let file = folder.join(format!("{name}_{number}.npy"));
        array.save_npy(&file)?;
        files.push(format!("@{}", file.display()));
        arrays.push(array);
    }
    let module = Bytes::from(fs::read(&ours)?);
    for threads in [1, 2] {
        let mine = time(&module, name, &arrays, threads)?.as_secs_f64();
        let stock = tools.time(&theirs, name, &files, threads)?.as_secs_f64();
        let aim = program.aim.filter(|_| threads == 2);
        println!(
            "{name:<14}{threads:>9}{:>12.2} ms{:>12.2} ms{:>7.1} x{:>7}",
            mine * 1e3,
            stock * 1e3,
            mine / stock,
            aim.map_or(String::new(), |aim| format!("{aim} x")),
        );
    }
    Ok(())
}

/// Numbers between -1 and 1, the same for the same seed.
fn noise(element: ElementType, shape: &[u64], seed: u32) -> Result<Array> {
    let mut state = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9);
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    let count = shape.iter().product::<u64>();
    let mut bytes = Vec::new();
    for _ in 0..count {
        if element == F16 {
            bytes.extend(f16::from_f32(next()).to_le_bytes());
        } else {
            bytes.extend(next().to_le_bytes());
        }
    }
    Ok(Array::new(element, shape.to_vec(), bytes)?)
}

/// A copy of an array on the device.
fn upload(device: &Device, array: &Array) -> Result<Tensor> {
    let bytes = array.bytes();
    let params = BufferParams::device_local();
    let buffer = device.allocator().allocate(&params, bytes.len() as u64)?;
    let copied = device.write(&buffer, 0, bytes)?;
    copied.semaphore.wait(copied.value, Timeout::Infinite)?;
    let (element, encoding) = (array.element_type(), Encoding::DENSE_ROW_MAJOR);
    let view = BufferView::new(buffer, array.shape(), element, encoding)?;
    Ok(Tensor::new(device, view))
}

/// Time of a call on a software GPU with that many threads.
fn time(module: &Bytes, name: &str, arrays: &[Array], threads: usize) -> Result<Duration> {
    let options = hip::SoftwareOptions {
        workers: Some(threads),
        ..hip::SoftwareOptions::default()
    };
    let driver = Driver::with_api("software", hip::software(options), DriverOptions::default())?;
    let device = driver.create_device_by_ordinal(0, &DeviceParams::default())?;
    let mut session = Session::builder().device(&device).build()?;
    // SAFETY: the software GPU checks what device code does.
    unsafe { session.load(module.clone()) }?;
    let mut arguments: Vec<Argument<'_>> = Vec::new();
    for array in arrays {
        arguments.push(upload(&device, array)?.into());
    }
    let mut calls = |count: u32| -> Result<Duration> {
        let start = Instant::now();
        for _ in 0..count {
            session.call(name, &arguments)?;
        }
        Ok(start.elapsed() / count)
    };
    let once = calls(2)?;
    let count = (BATCH.as_secs_f64() / once.as_secs_f64()).ceil() as u32;
    let mut best = once;
    for _ in 0..BATCHES {
        best = best.min(calls(count.max(1))?);
    }
    Ok(best)
}
