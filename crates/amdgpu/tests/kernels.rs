//! Kernels of both compiler generations, against results that the stock CPU
//! runtime computed, with all extensions that the host has.

use std::collections::HashMap;

use amdgpu::{AllocationKind, Checks, Config, Extensions, Gpu, Launch, Observer};
use fixtures::{Case, Role};
use vmfb::executable::Executable;

/// Runs one case as compiled for `target`; gives the bytes of its outputs, or
/// what is wrong with them.
fn run_case(gpu: &Gpu, case: &Case, target: &str) -> Result<Vec<Vec<u8>>, String> {
    let mut addresses = HashMap::new();
    for buffer in &case.buffers {
        let bytes = buffer.byte_length() as u64;
        let address = gpu
            .memory()
            .alloc(bytes, AllocationKind::Device)
            .map_err(|e| e.to_string())?;
        if buffer.role == Role::Input {
            gpu.memory()
                .write(address, &buffer.bytes())
                .map_err(|e| e.to_string())?;
        }
        addresses.insert(buffer.name.as_str(), address);
    }
    for dispatch in &case.run(target).dispatches {
        let file = fixtures::read(&dispatch.executable);
        let executable = Executable::parse(&file).map_err(|e| e.to_string())?;
        let export = executable
            .lookup(&dispatch.export)
            .ok_or("no such export")?;
        let image = executable.image_of(&executable.exports[export]);
        let module = gpu.load(image).map_err(|e| e.to_string())?;
        let kernel = module.kernel(&dispatch.export).ok_or("no such kernel")?;
        let mut kernarg = Vec::new();
        for name in &dispatch.bindings {
            kernarg.extend_from_slice(&addresses[name.as_str()].to_le_bytes());
        }
        for constant in &dispatch.constants {
            kernarg.extend_from_slice(&constant.to_le_bytes());
        }
        let launch = Launch {
            kernel: &kernel,
            grid: dispatch.workgroups,
            block: dispatch.workgroup_size,
            dynamic_lds_bytes: dispatch.dynamic_lds_bytes,
            kernarg: &kernarg,
            bindings: None,
        };
        gpu.run(&launch).map_err(|fault| fault.to_string())?;
    }
    let mut outputs = Vec::new();
    for buffer in case
        .buffers
        .iter()
        .filter(|buffer| buffer.role == Role::Output)
    {
        let mut actual = vec![0; buffer.byte_length()];
        gpu.memory()
            .read(addresses[buffer.name.as_str()], &mut actual)
            .map_err(|e| e.to_string())?;
        buffer
            .check(&actual)
            .map_err(|e| format!("output `{}`: {e}", buffer.name))?;
        outputs.push(actual);
    }
    for address in addresses.into_values() {
        gpu.memory().free(address).map_err(|e| e.to_string())?;
    }
    Ok(outputs)
}

/// A GPU that uses these extensions; none if the host lacks them.
#[expect(clippy::print_stderr, reason = "says why it is skipped")]
fn gpu(extensions: Extensions, workers: usize) -> Option<Gpu> {
    let gpu = Gpu::new(Config {
        workers: Some(workers),
        extensions,
        ..Config::default()
    });
    if gpu.extensions() != extensions {
        eprintln!("skipped: this host does not have {extensions:?}");
        return None;
    }
    Some(gpu)
}

fn run_all(target: &str, extensions: Extensions) {
    let Some(gpu) = gpu(extensions, 2) else {
        return;
    };
    let mut wrong = Vec::new();
    for case in fixtures::cases() {
        if let Err(text) = run_case(&gpu, case, target) {
            wrong.push(format!("{}: {text}", case.name));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    let left = gpu.memory().usage();
    assert_eq!(
        (left.live_bytes, left.allocations),
        (0, 0),
        "something leaked"
    );
}

#[test]
fn current_compiler() {
    run_all("gfx1100", Extensions::Portable);
}

#[test]
fn current_compiler_avx2() {
    run_all("gfx1100", Extensions::Avx2);
}

#[test]
fn current_compiler_avx512() {
    run_all("gfx1100", Extensions::Avx512);
}

#[test]
fn compiler_of_2024() {
    run_all("old_gfx1100", Extensions::Portable);
}

#[test]
fn compiler_of_2024_avx2() {
    run_all("old_gfx1100", Extensions::Avx2);
}

#[test]
fn compiler_of_2024_avx512() {
    run_all("old_gfx1100", Extensions::Avx512);
}

/// Observed, they compute the same, and checks find nothing in them.
#[test]
fn observed() {
    let plain = Gpu::new(Config::default());
    let observer = Observer::new(Checks::all());
    let watched = Gpu::new(Config {
        observer: Some(observer.clone()),
        ..Config::default()
    });
    // Without the largest, which would take most of the time.
    let is_small = |case: &&Case| {
        case.buffers
            .iter()
            .all(|buffer| buffer.byte_length() < 1 << 19)
    };
    for case in fixtures::cases().iter().filter(is_small) {
        for target in ["gfx1100", "old_gfx1100"] {
            let outputs = [&plain, &watched].map(|gpu| run_case(gpu, case, target));
            assert!(
                outputs[0] == outputs[1],
                "`{}` for {target} differs",
                case.name
            );
        }
    }
    let seen = observer.observed();
    assert!(seen.launches.len() >= 20 && seen.more_findings == 0);
    let found: Vec<_> = seen.findings.iter().map(ToString::to_string).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn all_extensions_give_the_same_bits() {
    let gpus = Extensions::ALL.map(|extensions| gpu(extensions, 1));
    let gpus: Vec<Gpu> = gpus.into_iter().flatten().collect();
    for case in fixtures::cases() {
        for target in ["gfx1100", "old_gfx1100"] {
            let plain = run_case(&gpus[0], case, target);
            for gpu in &gpus[1..] {
                let (name, extensions) = (&case.name, gpu.extensions());
                let same = run_case(gpu, case, target) == plain;
                assert!(same, "`{name}` for {target} differs with {extensions:?}");
            }
        }
    }
}
