//! What every vector instruction costs, beside a plain pass over rows.
//!
//! Each instruction that the opcode table has (those that access global memory
//! apart) runs in a loop of its own, with all lanes active and with some off,
//! on the best back end and on the portable one. A handler that has silently
//! lost its vectors costs several times what it did; so each has to stay below
//! a multiple of that, measured in the same run, or is listed in [`SLOW`]
//! with the reason. If one does not, the benchmark names it and fails.
//!
//! `cargo bench -p amdgpu --bench handlers [-- CHIP … NAME …]` measures some
//! chips, or the instructions whose names contain one of the texts.
#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

mod encode;
mod limits;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use amdgpu::isa::{Cdna, Generation, WaveSize};
use amdgpu::{AllocationKind, Arch, Config, Extensions, Gpu, Launch};
use encode::{Case, cases, registers};

/// A chip: its code object with an empty loop, and how its code is decoded.
struct Chip {
    name: &'static str,
    arch: Arch,
    image: &'static [u8],
    generation: Generation,
    size: WaveSize,
}

const CHIPS: [Chip; 4] = [
    Chip {
        name: "gfx1100",
        arch: Arch::Gfx1100,
        image: include_bytes!("../data/handlers_gfx1100.hsaco"),
        generation: Generation::Gfx11,
        size: WaveSize::Wave32,
    },
    Chip {
        name: "gfx942",
        arch: Arch::Gfx942,
        image: include_bytes!("../data/handlers_gfx942.hsaco"),
        generation: Generation::Gfx9(Cdna::Cdna3),
        size: WaveSize::Wave64,
    },
    Chip {
        name: "gfx1201",
        arch: Arch::Gfx1201,
        image: include_bytes!("../data/handlers_gfx1201.hsaco"),
        generation: Generation::Gfx12,
        size: WaveSize::Wave32,
    },
    Chip {
        name: "gfx950",
        arch: Arch::Gfx950,
        image: include_bytes!("../data/handlers_gfx950.hsaco"),
        generation: Generation::Gfx9(Cdna::Cdna4),
        size: WaveSize::Wave64,
    },
];

/// Copies of an instruction in the loop: groups with a scalar instruction behind
/// each. While all lanes are active native code may stand for those that it
/// knows; with some off the handlers run.
const GROUPS: usize = 8;
const COPIES: usize = 3;
/// `s_mov_b32 s40, s40`.
const BREAK: u32 = 0xbea8_0028;
const NOP: u32 = 0xbf80_0000;

const ROUNDS: u64 = 200;
/// Runs of a loop: no more when they have taken so long.
const RUNS: usize = 8;
const LONG: Duration = Duration::from_millis(3);

/// What the others are compared with: a plain pass over three rows.
const REFERENCE: &str = "v_bfi_b32";

/// EXEC with every lane, and with some.
const FULL: u64 = u64::MAX;
const PARTIAL: u64 = 0xfff7_ffff_0fff_ff7f;

fn main() -> ExitCode {
    // Cargo adds a flag of its own.
    let asked: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    let (chips, names): (Vec<String>, Vec<String>) = asked
        .into_iter()
        .partition(|argument| CHIPS.iter().any(|chip| chip.name == argument));
    let mut failures = Vec::new();
    for chip in &CHIPS {
        if chips.is_empty() || chips.iter().any(|name| name == chip.name) {
            failures.extend(measure(chip, &names));
        }
    }
    if failures.is_empty() {
        println!("\nevery handler is within its limit");
        return ExitCode::SUCCESS;
    }
    println!("\nbeyond their limits:");
    for failure in &failures {
        println!("  {failure}");
    }
    ExitCode::FAILURE
}

/// A software GPU with the empty loop of a chip.
struct Bench {
    gpu: Gpu,
    buffer: u64,
    /// The code object, and where its room for instructions begins.
    image: Vec<u8>,
    room: usize,
    /// What the loop costs without instructions, all lanes active.
    empty: Duration,
}

impl Bench {
    fn new(chip: &Chip, extensions: Extensions) -> Bench {
        let gpu = Gpu::new(Config {
            arch: chip.arch,
            workers: Some(1),
            extensions,
            ..Config::default()
        });
        let buffer = gpu
            .memory()
            .alloc((encode::ROWS * 256) as u64, AllocationKind::Device)
            .expect("there is memory");
        let room = chip
            .image
            .chunks_exact(4)
            .position(|word| word == NOP.to_le_bytes())
            .expect("a loop with room");
        let mut bench = Bench {
            gpu,
            buffer,
            image: chip.image.to_vec(),
            room: 4 * room,
            empty: Duration::ZERO,
        };
        let empty = || bench.time(&[], FULL).expect("an empty loop runs");
        bench.empty = (0..5).map(|_| empty()).min().unwrap_or_default();
        bench
    }

    /// The least time of a launch of the loop with the instruction in it, or
    /// why it does not run.
    fn time(&self, words: &[u32], exec: u64) -> Result<Duration, String> {
        let mut image = self.image.clone();
        let mut body = Vec::new();
        for _ in 0..GROUPS {
            for _ in 0..COPIES {
                body.extend_from_slice(words);
            }
            body.push(BREAK);
        }
        for (place, word) in body.into_iter().enumerate() {
            let at = self.room + 4 * place;
            image[at..at + 4].copy_from_slice(&word.to_le_bytes());
        }
        let module = self.gpu.load(&image).map_err(|error| error.to_string())?;
        let kernel = module.kernel("handler").expect("it is there");
        let kernarg = [self.buffer, ROUNDS, exec].map(u64::to_le_bytes).concat();
        let launch = Launch {
            kernel: &kernel,
            grid: [1; 3],
            block: [kernel.wave_size(), 1, 1],
            dynamic_lds_bytes: 0,
            kernarg: &kernarg,
            bindings: None,
        };
        // Ops are lowered at the first launch.
        self.gpu.run(&launch).map_err(|fault| fault.to_string())?;
        let began = Instant::now();
        let mut best = Duration::MAX;
        for _ in 0..RUNS {
            let start = Instant::now();
            self.gpu.run(&launch).map_err(|fault| fault.to_string())?;
            best = best.min(start.elapsed());
            if began.elapsed() > LONG {
                break;
            }
        }
        Ok(best)
    }

    /// Nanoseconds of one instruction.
    fn cost(&self, words: &[u32], exec: u64) -> Result<f64, String> {
        let time = self.time(words, exec)?.saturating_sub(self.empty);
        Ok(time.as_nanos() as f64 / (ROUNDS as usize * GROUPS * COPIES) as f64)
    }

    /// The same beside the plain pass, at the same time: a machine with other
    /// things to do is slower now and faster then.
    fn beside(&self, plain: &Case, case: &Case, exec: u64) -> Result<Cost, String> {
        let [plain, ns] = [
            self.cost(&plain.words, exec)?,
            self.cost(&case.words, exec)?,
        ];
        Ok(Cost {
            ns,
            ratio: ns / plain,
        })
    }

    fn fill(&self, case: &Case) {
        self.gpu
            .memory()
            .write(self.buffer, &registers(case))
            .expect("it is live");
    }
}

/// What an instruction takes, and how many times as long as a plain pass.
#[derive(Clone, Copy)]
struct Cost {
    ns: f64,
    ratio: f64,
}

impl Cost {
    fn least(self, other: Cost) -> Cost {
        if other.ratio < self.ratio {
            other
        } else {
            self
        }
    }
}

/// Prints the table of a chip; gives what is beyond its limit.
fn measure(chip: &Chip, names: &[String]) -> Vec<String> {
    let (all, without) = cases(chip.generation, chip.size);
    let best = Bench::new(chip, Extensions::Avx512);
    let portable = Bench::new(chip, Extensions::Portable);
    let plain = all.iter().find(|case| case.op.name() == REFERENCE);
    let plain = plain.expect("every chip has it");
    println!("\n{}, beside {REFERENCE}:", chip.name);
    println!(
        "{:<44} {:>8} {:>6} {:>8} {:>6} {:>9} {:>6}",
        "instruction", "ns", "ratio", "some off", "ratio", "portable", "/best"
    );
    let mut failures = Vec::new();
    let mut refused = Vec::new();
    for case in &all {
        let name = case.info.mnemonic;
        if !names.is_empty() && !names.iter().any(|part| name.contains(part.as_str())) {
            continue;
        }
        best.fill(case);
        portable.fill(case);
        let Ok(mut full) = best.beside(plain, case, FULL) else {
            refused.push(name);
            continue;
        };
        let again = |exec| best.beside(plain, case, exec).expect("it runs");
        let mut partial = again(PARTIAL);
        let slow = portable.cost(&case.words, FULL).expect("it runs");
        let (limit, why) = limits::of(case.op, name);
        for _ in 0..5 {
            if full.ratio.max(partial.ratio) <= limit {
                break;
            }
            full = full.least(again(FULL));
            partial = partial.least(again(PARTIAL));
        }
        println!(
            "{:<44} {:>8.1} {:>6.1} {:>8.1} {:>6.1} {slow:>9.1} {:>6.1}",
            case.text.chars().take(44).collect::<String>(),
            full.ns,
            full.ratio,
            partial.ns,
            partial.ratio,
            slow / full.ns
        );
        if full.ratio.max(partial.ratio) > limit {
            let reason = why.map_or(String::new(), |why| format!(" ({why})"));
            failures.push(format!(
                "{} {name}: {:.1} ns, {:.1} times a plain one; with some lanes off {:.1} ns, \
                 {:.1} times; the limit is {limit}{reason}",
                chip.name, full.ns, full.ratio, partial.ns, partial.ratio
            ));
        }
    }
    if names.is_empty() {
        println!("not executed: {}", refused.join(" "));
        println!("not encoded here: {}", without.join(" "));
    }
    failures
}
