//! What submissions cost on a real GPU, beside the driver's own cost of the
//! same kernels and beside the stock runtime, all in one run.
//!
//! ```text
//! HIPSTREAM_IREE_NEW=VENV HIPSTREAM_BENCH_MODULES=DIR cargo bench -p hipstream --bench submit
//! ```
//!
//! `DIR` is a folder for the compiled modules. Those that are not there are
//! compiled into it by the compiler of `VENV`, a Python virtual environment
//! with `iree-base-compiler==3.13.0 iree-base-runtime==3.13.0[cuda]`; with
//! the modules at hand neither is needed, and the stock runtime is left out.
//! `HIPSTREAM_BENCH_DEVICE` names another driver than `cuda`.
//!
//! | program | what |
//! |---|---|
//! | `chain1`, `chain1000` | 1 or 1,000 dependent submissions, each one dispatch over 1,024 floats |
//! | `mmchain1000` | one command buffer of 1,000 dependent products of 16×16 matrices |
//! | `big` | the product of two vectors of 64 Mi floats: 805 MB moved |
//!
//! Figures are medians. All sides take turns, so that a device that changes
//! its clock does so for all. The first table is of the provider that does
//! nothing, and needs no device.

#[path = "submit/bare.rs"]
mod bare;
#[path = "submit/host.rs"]
mod host;
#[path = "submit/modules.rs"]
mod modules;
#[path = "submit/ours.rs"]
mod ours;

use std::time::{Duration, Instant};

use hal::CommandBufferMode;

use bare::Bare;
use modules::{Program, Stock};
use ours::Ours;

/// Calls of each side, of which the median counts, after a few to warm up.
const ROUNDS: usize = 60;
const WARM_UP: usize = 20;

const MODES: [CommandBufferMode; 3] = [
    CommandBufferMode::Stream,
    CommandBufferMode::Graph,
    CommandBufferMode::Auto,
];

fn main() {
    let driver = std::env::var("HIPSTREAM_BENCH_DEVICE").unwrap_or_else(|_| "cuda".to_owned());
    host::report();
    if let Err(reason) = device(&driver) {
        say(&format!("\nnot measured on a device: {reason}"));
    }
}

#[expect(clippy::print_stdout, reason = "the result of a benchmark")]
fn say(line: &str) {
    println!("{line}");
}

type Outcome<T> = Result<T, String>;

/// Does once what is measured, and says how long that took.
type Run = Box<dyn FnMut() -> Outcome<Duration>>;

fn device(driver: &str) -> Outcome<()> {
    let bare = Bare::open(driver)?;
    let folder = modules::folder()?;
    let stock = Stock::find(driver);
    say(&format!("\n{}", bare.description()));
    bare.report_calls()?;
    for program in modules::PROGRAMS {
        compare(driver, &bare, program, &folder, &stock)?;
    }
    if let Err(reason) = stock {
        say(&format!("\nthe stock runtime was not measured: {reason}"));
    }
    Ok(())
}

/// One program by every side, and ratios.
fn compare(
    driver: &str,
    bare: &Bare,
    program: &'static Program,
    folder: &std::path::Path,
    stock: &Outcome<Stock>,
) -> Outcome<()> {
    let path = program.module(folder, bare.chip_target())?;
    let file = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut sides: Vec<(String, Vec<Duration>, Run)> = Vec::new();
    for (name, run) in bare.sides(program, &file)? {
        sides.push((name.to_owned(), Vec::new(), run));
    }
    let bare_count = sides.len();
    for mode in MODES {
        let mut ours = Ours::open(driver, program, file.clone(), mode)?;
        let run = move || ours.run();
        sides.push((format!("hipstream, {mode}"), Vec::new(), Box::new(run)));
    }
    for round in 0..WARM_UP + ROUNDS {
        for (_, times, run) in &mut sides {
            let time = run()?;
            if round >= WARM_UP {
                times.push(time);
            }
        }
    }
    say(&format!(
        "\n{:<34}{:>12}{}",
        program.title(),
        "us",
        (0..bare_count)
            .map(|side| format!("{:>18}", format!("x {}", sides[side].0)))
            .collect::<String>()
    ));
    let medians: Vec<f64> = sides.iter_mut().map(|side| median(&mut side.1)).collect();
    let stock = match stock {
        Ok(stock) => Some(stock.time(program, &path)?),
        Err(_) => None,
    };
    let names = sides.iter().map(|side| side.0.as_str());
    let names = names.chain(stock.map(|_| "stock runtime 3.13"));
    let all = medians.iter().copied().chain(stock);
    for (name, us) in names.zip(all) {
        let ratios: String = medians[..bare_count]
            .iter()
            .map(|bare| format!("{:>18.2}", us / bare))
            .collect();
        say(&format!("{name:<34}{us:>12.1}{ratios}"));
    }
    Ok(())
}

/// In microseconds.
fn median(times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e6
}

fn timed(run: impl FnOnce() -> Outcome<()>) -> Outcome<Duration> {
    let start = Instant::now();
    run()?;
    Ok(start.elapsed())
}
