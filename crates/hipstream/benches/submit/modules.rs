//! The programs, their modules, and the stock runtime running them.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Outcome;

/// A program to measure.
pub(crate) struct Program {
    pub(crate) name: &'static str,
    pub(crate) function: &'static str,
    /// Of both arguments, and of the result.
    pub(crate) shape: &'static [u64],
    /// What each element of both arguments is.
    pub(crate) value: f32,
    /// What each element of the result is, if it is easy to say.
    pub(crate) result: Option<f32>,
    /// Workgroups of its kernel.
    pub(crate) grid: [u32; 3],
    pub(crate) dispatches: usize,
    source: fn() -> String,
}

pub(crate) const PROGRAMS: &[Program] = &[
    Program {
        name: "chain1",
        function: "chain",
        shape: &[1024],
        value: 1.0,
        result: Some(2.0),
        grid: [8, 1, 1],
        dispatches: 1,
        source: || chain(1),
    },
    Program {
        name: "chain1000",
        function: "chain",
        shape: &[1024],
        value: 1.0,
        result: Some(501.0),
        grid: [8, 1, 1],
        dispatches: 1000,
        source: || chain(1000),
    },
    Program {
        name: "mmchain1000",
        function: "mmchain",
        shape: &[16, 16],
        value: 0.0625,
        result: Some(0.0625),
        grid: [1, 1, 1],
        dispatches: 1000,
        source: || products(1000),
    },
    Program {
        name: "big",
        function: "big",
        shape: &[67_108_864],
        value: 1.0,
        result: Some(1.0),
        grid: [0, 1, 1],
        dispatches: 1,
        source: big,
    },
];

impl Program {
    pub(crate) fn title(&self) -> String {
        match self.dispatches {
            1 => format!("{}: a call", self.name),
            count => format!("{}: a call, {count} dispatches", self.name),
        }
    }

    /// Bytes that reading both arguments and writing the result moves.
    pub(crate) fn bytes_moved(&self) -> u64 {
        3 * self.bytes()
    }

    /// Bytes of an argument.
    pub(crate) fn bytes(&self) -> u64 {
        self.shape.iter().product::<u64>() * 4
    }

    /// Where its module for the target is; compiled if it is not there.
    pub(crate) fn module(&self, folder: &Path, target: &str) -> Outcome<PathBuf> {
        let path = folder.join(format!("{}_{target}.vmfb", self.name));
        if path.exists() {
            return Ok(path);
        }
        let source = folder.join(format!("{}.mlir", self.name));
        std::fs::write(&source, (self.source)())
            .map_err(|error| format!("{}: {error}", source.display()))?;
        let mut compiler = Command::new(tools()?.join("iree-compile"));
        match target.starts_with("sm_") {
            true => compiler
                .arg("--iree-hal-target-device=cuda")
                .arg(format!("--iree-cuda-target={target}")),
            false => compiler
                .arg("--iree-hal-target-device=hip")
                .arg(format!("--iree-rocm-target={target}")),
        };
        compiler.arg(&source).arg("-o").arg(&path);
        output(compiler)?;
        Ok(path)
    }
}

/// Dependent sums and products in turn; the barriers keep them apart.
fn chain(count: usize) -> String {
    let shape = "tensor<1024xf32>";
    let mut text = format!("func.func @chain(%x: {shape}, %b: {shape}) -> {shape} {{\n");
    let mut last = "%x".to_owned();
    for step in 0..count {
        let op = if step % 2 == 0 { "addf" } else { "mulf" };
        let line = writeln!(
            text,
            "  %m{step} = arith.{op} {last}, %b : {shape}\n  %x{step} = util.optimization_barrier %m{step} : {shape}"
        );
        line.expect("a string takes what is written");
        last = format!("%x{step}");
    }
    text + &format!("  return {last} : {shape}\n}}\n")
}

fn products(count: usize) -> String {
    let shape = "tensor<16x16xf32>";
    let mut text = format!(
        "func.func @mmchain(%m: {shape}, %b: {shape}) -> {shape} {{\n  %c = arith.constant 0.0 : f32\n  %e = tensor.empty() : {shape}\n  %f = linalg.fill ins(%c : f32) outs(%e : {shape}) -> {shape}\n"
    );
    let mut last = "%m".to_owned();
    for step in 0..count {
        let line = writeln!(
            text,
            "  %m{step} = linalg.matmul ins({last}, %b : {shape}, {shape}) outs(%f : {shape}) -> {shape}"
        );
        line.expect("a string takes what is written");
        last = format!("%m{step}");
    }
    text + &format!("  return {last} : {shape}\n}}\n")
}

fn big() -> String {
    let shape = "tensor<67108864xf32>";
    format!(
        "func.func @big(%a: {shape}, %b: {shape}) -> {shape} {{\n  %0 = arith.mulf %a, %b : {shape}\n  return %0 : {shape}\n}}\n"
    )
}

/// The folder with the modules.
pub(crate) fn folder() -> Outcome<PathBuf> {
    std::env::var_os("HIPSTREAM_BENCH_MODULES")
        .map(PathBuf::from)
        .ok_or_else(|| "HIPSTREAM_BENCH_MODULES does not name a folder for modules".to_owned())
}

fn tools() -> Outcome<PathBuf> {
    std::env::var_os("HIPSTREAM_IREE_NEW")
        .map(|folder| PathBuf::from(folder).join("bin"))
        .ok_or_else(|| {
            "HIPSTREAM_IREE_NEW does not name a virtual environment with the stock compiler"
                .to_owned()
        })
}

/// The stock runtime.
pub(crate) struct Stock {
    tool: PathBuf,
    device: String,
}

impl Stock {
    pub(crate) fn find(device: &str) -> Outcome<Self> {
        let tool = tools()?.join("iree-benchmark-module");
        match tool.exists() {
            true => Ok(Self {
                tool,
                device: device.to_owned(),
            }),
            false => Err(format!("{} is not there", tool.display())),
        }
    }

    /// Microseconds of a call: the median of what it reports.
    pub(crate) fn time(&self, program: &Program, module: &Path) -> Outcome<f64> {
        let shape: String = program
            .shape
            .iter()
            .map(|size| format!("{size}x"))
            .collect();
        let input = format!("--input={shape}f32={}", program.value);
        let mut command = Command::new(&self.tool);
        command
            .arg(format!("--device={}", self.device))
            .arg(format!("--module={}", module.display()))
            .arg(format!("--function={}", program.function))
            .args([&input, &input])
            .args(["--benchmark_min_time=0.5s", "--benchmark_repetitions=5"])
            .arg("--benchmark_format=json");
        let text = output(command)?;
        let report: serde_json::Value =
            serde_json::from_str(&text).map_err(|error| error.to_string())?;
        let runs = report["benchmarks"].as_array().into_iter().flatten();
        let mut medians = runs.filter(|run| run["aggregate_name"] == "median");
        let run = medians.next().ok_or("it reported no median")?;
        match (run["real_time"].as_f64(), run["time_unit"].as_str()) {
            (Some(time), Some("ms")) => Ok(time * 1e3),
            _ => Err(format!("it reported {run}")),
        }
    }
}

fn output(mut command: Command) -> Outcome<String> {
    let output = command
        .output()
        .map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    String::from_utf8(output.stdout).map_err(|error| error.to_string())
}
