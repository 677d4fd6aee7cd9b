//! `cargo xtask fuzz`: feeds every reader of foreign bytes with what a coverage-guided fuzzer thinks of.
//!
//! Works on stable Rust: the instrumentation is LLVM's, asked for by compiler flags; libFuzzer is built from C++
//! source, so a C++ compiler is needed. There is no address sanitizer, and next to no unsafe code to sanitise.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use amdgpu::code_object::CodeObject;

const USAGE: &str = "usage: cargo xtask fuzz [--seconds N] [TARGET...]

Builds the fuzz targets and runs each for N seconds (default 10), starting from the fixtures.
A crash is kept in fuzz/artifacts/TARGET.";

const TARGETS: &[Target] = &[
    Target {
        name: "array_text",
        seeds: Seeds::Texts(&[
            "2x3xf32=[1 2 3][4 5 6]",
            "4xi1=01 00 1 true",
            "3xi4=-1",
            "2xf8E4M3FN=1e2,nan",
            "2x*16=0AFF 0001",
            "8xbf16=rand:1",
            "ui64=0xFF",
            "3x0xcf64",
        ]),
    },
    Target {
        name: "code_object",
        seeds: Seeds::Files("hsaco"),
    },
    Target {
        name: "executable_container",
        seeds: Seeds::Files("fb"),
    },
    Target {
        name: "gguf",
        seeds: Seeds::Files("gguf"),
    },
    Target {
        name: "instruction_decoder",
        seeds: Seeds::Code,
    },
    Target {
        name: "irpa",
        seeds: Seeds::Files("irpa"),
    },
    Target {
        name: "module",
        seeds: Seeds::Files("vmfb"),
    },
    Target {
        name: "npy",
        seeds: Seeds::Files("npy"),
    },
    Target {
        name: "safetensors",
        seeds: Seeds::Files("safetensors"),
    },
    Target {
        name: "verifier",
        seeds: Seeds::Files("vmfb"),
    },
    Target {
        name: "verify_run",
        // Any bytes are a program; these have some variety.
        seeds: Seeds::Code,
    },
];

/// Coverage of edges and comparisons, as libFuzzer reads it.
const FLAGS: &[&str] = &[
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
    "--cfg=fuzzing",
];

struct Target {
    name: &'static str,
    seeds: Seeds,
}

/// What a target starts from.
enum Seeds {
    /// The fixtures with this extension.
    Files(&'static str),
    /// The machine code of the kernels of the fixtures.
    Code,
    /// These texts.
    Texts(&'static [&'static str]),
}

/// Runs the command.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let mut seconds = 10;
    let mut chosen = Vec::new();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        if argument == "--seconds" {
            seconds = arguments
                .next()
                .and_then(|text| text.parse().ok())
                .ok_or(USAGE)?;
        } else {
            let target = TARGETS.iter().find(|target| target.name == argument);
            chosen.push(target.ok_or_else(|| {
                let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
                format!(
                    "no target {argument:?}; there are {}\n{USAGE}",
                    names.join(", ")
                )
            })?);
        }
    }
    if chosen.is_empty() {
        chosen.extend(TARGETS);
    }
    if let Err(reason) = has_cpp_compiler() {
        println!("skipped: {reason}");
        return Ok(());
    }
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let fuzz = workspace.join("fuzz");
    let host = host_triple()?;
    build(&fuzz, &host)?;
    let mut crashed = Vec::new();
    for target in chosen {
        let seeds = write_seeds(target, &workspace.join("fixtures"), &fuzz)?;
        if !fuzz_one(target, &fuzz, &host, &seeds, seconds)? {
            crashed.push(target.name);
        }
    }
    if crashed.is_empty() {
        Ok(())
    } else {
        Err(format!("crashed: {}", crashed.join(", ")))
    }
}

fn has_cpp_compiler() -> Result<(), String> {
    let compiler = std::env::var("CXX").unwrap_or_else(|_| "c++".to_owned());
    let status = Command::new(&compiler)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match status {
        Ok(status) if status.success() => Ok(()),
        _ => Err(format!(
            "libFuzzer needs a C++ compiler, and {compiler} does not run; set CXX"
        )),
    }
}

fn host_triple() -> Result<String, String> {
    let output = Command::new("rustc")
        .arg("-vV")
        .output()
        .map_err(|error| format!("cannot run rustc: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned)
        .ok_or_else(|| "rustc does not name its host".to_owned())
}

/// With `--target`, the flags are for the targets alone and not for build scripts.
fn build(fuzz: &Path, host: &str) -> Result<(), String> {
    let status = Command::new("cargo")
        .args(["build", "--release", "--quiet", "--target", host])
        .current_dir(fuzz)
        .env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\x1f"))
        .env_remove("CARGO_TARGET_DIR")
        .status()
        .map_err(|error| format!("cannot run cargo: {error}"))?;
    if status.success() {
        Ok(())
    } else {
        Err("the fuzz targets do not build".to_owned())
    }
}

/// A folder with the files a target starts from.
fn write_seeds(target: &Target, fixtures: &Path, fuzz: &Path) -> Result<PathBuf, String> {
    let folder = fuzz.join("target/seeds").join(target.name);
    let told = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    std::fs::create_dir_all(&folder).map_err(|error| told(&folder, error))?;
    if let Seeds::Texts(texts) = target.seeds {
        for (index, text) in texts.iter().enumerate() {
            let path = folder.join(format!("text-{index}"));
            std::fs::write(&path, text).map_err(|error| told(&path, error))?;
        }
    }
    for chip in ["gfx1100", "old_gfx1100", "gfx942", "data", "parameters"] {
        let source = fixtures.join(chip);
        for entry in std::fs::read_dir(&source).map_err(|error| told(&source, error))? {
            let path = entry.map_err(|error| told(&source, error))?.path();
            let extension = path
                .extension()
                .and_then(|extension| extension.to_str())
                .unwrap_or_default();
            let stem = path
                .file_stem()
                .and_then(|stem| stem.to_str())
                .unwrap_or_default();
            let file = std::fs::read(&path).map_err(|error| told(&path, error))?;
            let seeds = match target.seeds {
                Seeds::Files(wanted) if wanted == extension => vec![file],
                Seeds::Code if extension == "hsaco" => kernel_code(&file)?,
                _ => continue,
            };
            for (index, seed) in seeds.iter().enumerate() {
                let seed_path = folder.join(format!("{chip}-{stem}-{index}"));
                std::fs::write(&seed_path, seed).map_err(|error| told(&seed_path, error))?;
            }
        }
    }
    Ok(folder)
}

fn kernel_code(file: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let object = CodeObject::parse(file).map_err(|error| error.to_string())?;
    let mut memory = vec![0; object.image_bytes() as usize];
    object
        .place(file, 0, &mut memory)
        .map_err(|error| error.to_string())?;
    Ok(object
        .kernels()
        .iter()
        .map(|kernel| memory[kernel.code.start as usize..kernel.code.end as usize].to_vec())
        .collect())
}

/// Whether a target got through its time without a crash.
fn fuzz_one(
    target: &Target,
    fuzz: &Path,
    host: &str,
    seeds: &Path,
    seconds: u64,
) -> Result<bool, String> {
    let corpus = fuzz.join("target/corpus").join(target.name);
    let artifacts = fuzz.join("artifacts").join(target.name);
    for folder in [&corpus, &artifacts] {
        std::fs::create_dir_all(folder)
            .map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let program = fuzz
        .join("target")
        .join(host)
        .join("release")
        .join(target.name);
    let output = Command::new(&program)
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .args([
            "-timeout=5",
            "-rss_limit_mb=1024",
            "-max_len=16384",
            "-print_final_stats=1",
        ])
        .args([corpus.as_path(), seeds])
        .output()
        .map_err(|error| format!("cannot run {}: {error}", program.display()))?;
    let log = String::from_utf8_lossy(&output.stderr);
    let runs = log
        .lines()
        .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    println!("{:<24} {} runs", target.name, runs.map_or("?", str::trim));
    if !output.status.success() {
        let lines: Vec<&str> = log.lines().collect();
        println!("{}", lines[lines.len().saturating_sub(40)..].join("\n"));
    }
    Ok(output.status.success())
}
