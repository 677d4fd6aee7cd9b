//! Runs one C program on the host and, compiled by clang for the GPU, on the
//! software GPU: every word must agree.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use amdgpu::{AllocationKind, Arch, Config, Extensions, Gpu, Launch};

use super::generate::Random;
use super::say;

const SOURCE: &str = include_str!("host/program.c");
/// Workgroups, and threads of each.
const GRID: u32 = 64;
const BLOCK: u32 = 64;
/// Words that a thread takes and makes.
const IN: usize = 4;
const OUT: usize = 64;

/// Where arithmetic changes its ways, as f32 and as the upper half of f64.
const EDGES: [u32; 20] = [
    0,
    1,
    2,
    7,
    0x7f_ffff,
    0x80_0000,
    0x10_0000,
    0x3c00_3c00,
    0x3f80_0000,
    0x4f00_0000,
    0x7bff_0400,
    0x7f7f_ffff,
    0x7f80_0000,
    0x7fc0_0000,
    0x3ff0_0000,
    0x7ff0_0000,
    0x7fff_ffff,
    0xffff_ffff,
    0x8000_0001,
    0xbf80_0000,
];

/// Compiles the program for the host and every simulated chip, and compares.
///
/// # Errors
///
/// The words that differ, or what kept the check from running.
pub(super) fn check() -> Result<(), String> {
    let Some(clang) = find_clang() else {
        return say("clang for AMD GPUs is not installed: nothing compared with the host");
    };
    let folder = std::env::temp_dir().join(format!("hipstream-isa-{}", std::process::id()));
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let result = compare(&clang, &folder);
    // What is left of a failed check is of no use.
    let _ = std::fs::remove_dir_all(&folder);
    result
}

/// The clang that `HIPSTREAM_CLANG` names, or the newest that knows AMD GPUs.
fn find_clang() -> Option<String> {
    if let Ok(clang) = std::env::var("HIPSTREAM_CLANG") {
        return Some(clang);
    }
    let names = (17..40).rev().map(|version| format!("clang-{version}"));
    names.chain(["clang".to_owned()]).find(|name| {
        let targets = Command::new(name).arg("--print-targets").output();
        targets.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("amdgcn"))
    })
}

fn compare(clang: &str, folder: &Path) -> Result<(), String> {
    let source = folder.join("program.c");
    std::fs::write(&source, SOURCE).map_err(|error| error.to_string())?;
    let input = input();
    let host = folder.join("host");
    compile(clang, &source, &host, &["-x", "c", "-O1"], &["-lm"])?;
    let expected = run_on_host(&host, &input)?;
    for &arch in Arch::ALL {
        for level in ["-O0", "-O1", "-O3"] {
            let image = folder.join(format!("{}{level}.hsaco", arch.name()));
            let target = format!("--offload-arch={}", arch.name());
            let options = [
                "-x",
                "hip",
                "--cuda-device-only",
                "--no-gpu-bundle-output",
                "-nogpuinc",
                "-nogpulib",
                &target,
                level,
            ];
            compile(clang, &source, &image, &options, &[])?;
            let image = std::fs::read(&image).map_err(|error| error.to_string())?;
            for extensions in Extensions::ALL {
                let actual = run_on_gpu(arch, extensions, &image, &input)?;
                difference(&expected, &actual, &input)
                    .map_err(|text| format!("{} {level}: {text}", arch.name()))?;
            }
        }
    }
    say(&format!(
        "{} words of {clang}'s program are the host's, at three levels of optimisation",
        expected.len()
    ))
}

fn compile(
    clang: &str,
    source: &Path,
    to: &Path,
    options: &[&str],
    libraries: &[&str],
) -> Result<(), String> {
    let output = Command::new(clang)
        .args(options)
        .arg("-ffp-contract=off")
        .arg(source)
        .arg("-o")
        .arg(to)
        .args(libraries)
        .output()
        .map_err(|error| format!("{clang}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!(
        "{clang} {}: {}",
        options.join(" "),
        String::from_utf8_lossy(&output.stderr)
    ))
}

fn input() -> Vec<u32> {
    let mut random = Random::new(1);
    let words = (GRID * BLOCK) as usize * IN;
    let word = |_| match random.below(8) {
        0 | 1 => EDGES[random.below(EDGES.len() as u32) as usize],
        2 => random.below(64),
        // Numbers around one.
        3 => 0x3f00_0000 | random.next() & 0x80ff_ffff,
        _ => random.next(),
    };
    (0..words).map(word).collect()
}

fn bytes(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn words(bytes: &[u8]) -> Vec<u32> {
    let (words, _) = bytes.as_chunks();
    words.iter().map(|&word| u32::from_le_bytes(word)).collect()
}

fn run_on_host(program: &Path, input: &[u32]) -> Result<Vec<u32>, String> {
    let mut child = Command::new(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    let mut stdin = child.stdin.take().ok_or("no pipe")?;
    let input = bytes(input);
    // Written aside: the program writes while it reads.
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child
        .wait_with_output()
        .map_err(|error| error.to_string())?;
    let written = writer.join().map_err(|_| "the writer panicked")?;
    written.map_err(|error| error.to_string())?;
    Ok(words(&output.stdout))
}

fn run_on_gpu(
    arch: Arch,
    extensions: Extensions,
    image: &[u8],
    input: &[u32],
) -> Result<Vec<u32>, String> {
    let gpu = Gpu::new(Config {
        arch,
        extensions,
        ..Config::default()
    });
    let module = gpu.load(image).map_err(|error| error.to_string())?;
    let kernel = module.kernel("program").ok_or("no kernel `program`")?;
    let make = |bytes: usize| gpu.memory().alloc(bytes as u64, AllocationKind::Device);
    let mut output = vec![0; (GRID * BLOCK) as usize * OUT * 4];
    let from = make(4 * input.len()).map_err(|error| error.to_string())?;
    let to = make(output.len()).map_err(|error| error.to_string())?;
    gpu.memory()
        .write(from, &bytes(input))
        .map_err(|error| error.to_string())?;
    let kernarg: Vec<u8> = [from, to].iter().flat_map(|a| a.to_le_bytes()).collect();
    let launch = Launch {
        kernel: &kernel,
        grid: [GRID, 1, 1],
        block: [BLOCK, 1, 1],
        dynamic_lds_bytes: 0,
        kernarg: &kernarg,
        bindings: None,
    };
    gpu.run(&launch).map_err(|fault| fault.to_string())?;
    gpu.memory()
        .read(to, &mut output)
        .map_err(|error| error.to_string())?;
    Ok(words(&output))
}

/// # Errors
///
/// The first words that differ, one of each kind.
fn difference(expected: &[u32], actual: &[u32], input: &[u32]) -> Result<(), String> {
    let mut wrong = [None; OUT];
    for (place, (expected, actual)) in expected.iter().zip(actual).enumerate() {
        if expected != actual {
            wrong[place % OUT].get_or_insert((place / OUT, *expected, *actual));
        }
    }
    if expected.len() != actual.len() {
        return Err(format!("{} words, not {}", actual.len(), expected.len()));
    }
    let lines: Vec<String> = wrong
        .iter()
        .enumerate()
        .filter_map(|(word, found)| {
            let (thread, expected, actual) = (*found)?;
            let sources = &input[IN * thread..IN * (thread + 1)];
            Some(format!(
                "word {word} of {sources:x?} is {actual:#x}, on the host {expected:#x}"
            ))
        })
        .collect();
    if lines.is_empty() {
        Ok(())
    } else {
        Err(lines.join("\n"))
    }
}
