//! Speed of the engine: nanoseconds for each instruction of a wave32, a
//! launch, the lowering of a kernel, and a real matrix product.
//!
//! `cargo bench -p amdgpu --bench engine`; with `portable` or `avx2` as argument
//! no more than that of the host's instruction set is used.
#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

use std::time::{Duration, Instant};

use amdgpu::code_object::CodeObject;
use amdgpu::isa::{self, Generation, WaveSize};
use amdgpu::{AllocationKind, Config, Extensions, Gpu, Kernel, Launch};
use fixtures::Role;
use vmfb::executable::Executable;

/// Kernels of `data/micro.s`: name, what it is, aim in ns, if there is one.
const MICRO: &[(&str, &str, Option<f64>)] = &[
    ("salu", "s_add / s_lshl / s_and", None),
    ("add_f32", "v_add_f32", Some(5.0)),
    ("fmac_f32", "v_fmac_f32", Some(5.0)),
    ("fma_sgpr", "v_fma_f32 with a scalar", None),
    ("fma_partial", "v_fma_f32, some lanes off", None),
    ("mix", "mix of 8 vector instructions", Some(7.0)),
    ("dual_fmac", "v_dual_fmac_f32, each half", Some(5.0)),
    ("cndmask", "v_cndmask_b32", None),
    ("exp_f32", "v_exp_f32", None),
    ("rcp_f32", "v_rcp_f32", None),
    ("load_b32", "buffer_load_b32 contiguous", None),
    ("load_b128", "buffer_load_b128 contiguous", Some(20.0)),
    ("load_b128_strided", "buffer_load_b128 stride 2 KiB", None),
    ("load_b128_uniform", "buffer_load_b128 uniform", Some(11.0)),
    ("store_b128", "buffer_store_b128 contiguous", None),
    ("ds_load_b32", "ds_load_b32 contiguous", Some(20.0)),
    ("ds_load_b128", "ds_load_b128 contiguous", None),
    ("ds_store_b32", "ds_store_b32 contiguous", None),
    ("add_dpp", "v_add_f32_dpp (three ops, each)", None),
    ("wmma_f16", "v_wmma_f32_16x16x16_f16", Some(400.0)),
];

const ROUNDS: u32 = 400;

fn main() {
    let mut extensions = Extensions::Avx512;
    for argument in std::env::args() {
        match argument.as_str() {
            "portable" => extensions = Extensions::Portable,
            "avx2" => extensions = Extensions::Avx2,
            _ => {}
        }
    }
    let gpu = |workers| {
        Gpu::new(Config {
            workers: Some(workers),
            extensions,
            ..Config::default()
        })
    };
    println!("extensions: {:?}\n", gpu(1).extensions());
    println!(
        "{:<44} {:>12} {:>10} {:>8}",
        "what", "measured", "aim", "ratio"
    );
    launches(&gpu(2));
    instructions(&gpu(1));
    matmul(&gpu);
}

/// One line; where there is an aim, with the ratio of what was measured to it.
fn row(what: &str, value: f64, unit: &str, aim: Option<f64>) {
    let [aim, ratio] = aim.map_or([const { String::new() }; 2], |aim| {
        [format!("{aim} {unit}"), format!("{:.2}", value / aim)]
    });
    println!("{what:<44} {value:>9.2} {unit} {aim:>10} {ratio:>8}");
}

/// The least time of several runs.
fn best(runs: usize, mut run: impl FnMut()) -> Duration {
    let timed = |_| {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    (0..runs).map(timed).min().unwrap_or_default()
}

fn launches(gpu: &Gpu) {
    let module = gpu
        .load(include_bytes!("../data/micro.hsaco"))
        .expect("it loads");
    let kernel = module.kernel("empty").expect("it is there");
    for (what, groups) in [
        ("empty launch, 1 workgroup", 1),
        ("empty launch, 64 workgroups", 64),
    ] {
        let launch = Launch {
            kernel: &kernel,
            grid: [groups, 1, 1],
            block: [32, 1, 1],
            dynamic_lds_bytes: 0,
            kernarg: &[0; 16],
            bindings: None,
        };
        let time = best(200, || {
            gpu.run(&launch).expect("no fault");
        });
        row(what, time.as_secs_f64() * 1e6, "us", Some(10.0));
    }
}

fn instructions(gpu: &Gpu) {
    let module = gpu
        .load(include_bytes!("../data/micro.hsaco"))
        .expect("it loads");
    let buffer = gpu
        .memory()
        .alloc(1 << 20, AllocationKind::Device)
        .expect("there is memory");
    for &(name, what, aim) in MICRO {
        let kernel = module.kernel(name).expect("it is there");
        let rounds = if name == "wmma_f16" {
            ROUNDS / 10
        } else {
            ROUNDS
        };
        let kernarg = [buffer.to_le_bytes(), u64::from(rounds).to_le_bytes()].concat();
        let launch = Launch {
            kernel: &kernel,
            grid: [1; 3],
            block: [32, 1, 1],
            dynamic_lds_bytes: 0,
            kernarg: &kernarg,
            bindings: None,
        };
        let mut count = 0;
        let time = best(5, || {
            count = gpu.run(&launch).expect("no fault").instructions
        });
        row(what, time.as_nanos() as f64 / count as f64, "ns", aim);
    }
}

/// The matrix product of two 512×512 matrices as the stock compiler makes it.
fn matmul(gpu: &dyn Fn(usize) -> Gpu) {
    let case = fixtures::case("matmul_512");
    let dispatch = &case.run("gfx1100").dispatches[0];
    let file = fixtures::read(&dispatch.executable);
    let executable = Executable::parse(&file).expect("a container");
    let export = executable.lookup(&dispatch.export).expect("it is there");
    let image = executable.image_of(&executable.exports[export]);
    for (workers, aim) in [(1, 60.0), (2, 31.0)] {
        let gpu = gpu(workers);
        let module = gpu.load(image).expect("it loads");
        let kernel: Kernel = module.kernel(&dispatch.export).expect("it is there");
        let mut kernarg = Vec::new();
        let mut outputs = Vec::new();
        for name in &dispatch.bindings {
            let buffer = case.buffer(name);
            let bytes = buffer.byte_length() as u64;
            let address = gpu
                .memory()
                .alloc(bytes, AllocationKind::Device)
                .expect("memory");
            match buffer.role {
                Role::Input => gpu
                    .memory()
                    .write(address, &buffer.bytes())
                    .expect("it is live"),
                _ => outputs.push((buffer, address)),
            }
            kernarg.extend_from_slice(&address.to_le_bytes());
        }
        let launch = Launch {
            kernel: &kernel,
            grid: dispatch.workgroups,
            block: dispatch.workgroup_size,
            dynamic_lds_bytes: dispatch.dynamic_lds_bytes,
            kernarg: &kernarg,
            bindings: None,
        };
        let mut count = 0;
        let time = best(10, || {
            count = gpu.run(&launch).expect("no fault").instructions
        });
        let what = format!("matmul 512x512x512 f32, {workers} thread(s)");
        row(&what, time.as_secs_f64() * 1e3, "ms", Some(aim));
        row(
            "  an instruction",
            time.as_nanos() as f64 * workers as f64 / count as f64,
            "ns",
            None,
        );
        if workers == 1 {
            lowering(image, &dispatch.export);
        }
        for (buffer, address) in outputs {
            let mut actual = vec![0; buffer.byte_length()];
            gpu.memory().read(address, &mut actual).expect("it is live");
            buffer.check(&actual).expect("the product is right");
        }
    }
}

/// What decoding and lowering a kernel takes, alone: by how much the first of
/// two launches takes longer that fault at their first access.
fn lowering(image: &[u8], name: &str) {
    let gpu = Gpu::new(Config {
        workers: Some(1),
        ..Config::default()
    });
    let mut least = [Duration::MAX; 2];
    for _ in 0..20 {
        let start = Instant::now();
        let module = gpu.load(image).expect("it loads");
        let kernel = module.kernel(name).expect("it is there");
        let block = kernel.required_workgroup_size().unwrap_or([32, 1, 1]);
        let launch = Launch {
            kernel: &kernel,
            grid: [1; 3],
            block,
            dynamic_lds_bytes: 0,
            kernarg: &[0; 24],
            bindings: None,
        };
        let loaded = Instant::now();
        drop(gpu.run(&launch));
        let (whole, first) = (start.elapsed(), loaded.elapsed());
        let second = best(3, || drop(gpu.run(&launch)));
        least[0] = least[0].min(whole);
        least[1] = least[1].min(first.saturating_sub(second));
    }
    let [whole, lowering] = least.map(|time| time.as_secs_f64() * 1e3);
    let count = instructions_of(image, name);
    row(
        "  loading and first launch up to a fault",
        whole,
        "ms",
        Some(1.0),
    );
    row(
        &format!("  decoding and lowering {count} instructions"),
        lowering,
        "ms",
        None,
    );
    row(
        "  the same, for each 1,000 instructions",
        lowering * 1e3 / count as f64,
        "ms",
        Some(0.2),
    );
}

/// How many instructions a kernel has.
fn instructions_of(image: &[u8], name: &str) -> usize {
    let object = CodeObject::parse(image).expect("a code object");
    let kernel = object.kernels().iter().find(|kernel| kernel.name == name);
    let code = kernel.expect("it is there").code.clone();
    let segment = object
        .segments()
        .iter()
        .find(|segment| (segment.address..segment.address + segment.bytes).contains(&code.start))
        .expect("its code lies in a segment");
    let place = |address: u64| segment.file.start + (address - segment.address) as usize;
    let code = &image[place(code.start)..place(code.end)];
    let mut at = 0;
    let mut count = 0;
    while at < code.len() {
        let decoded = isa::decode(Generation::Gfx11, WaveSize::Wave32, code, at);
        at += usize::from(decoded.expect("code").size_bytes);
        count += 1;
    }
    count
}
