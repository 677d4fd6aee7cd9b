//! The stock compiler and runtime, to compare with.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Where the stock tools are.
pub(crate) struct Tools(PathBuf);

/// Compiler flags for this host's processor.
pub(crate) const HOST: &[&str] = &[
    "--iree-hal-target-device=local",
    "--iree-hal-local-target-device-backends=llvm-cpu",
    "--iree-llvmcpu-target-cpu=host",
];

impl Tools {
    /// Those of the virtual environment that `HIPSTREAM_IREE_NEW` names.
    ///
    /// # Errors
    ///
    /// It names none.
    pub(crate) fn find() -> Result<Self, String> {
        std::env::var_os("HIPSTREAM_IREE_NEW")
            .map(|folder| Self(PathBuf::from(folder).join("bin")))
            .ok_or("HIPSTREAM_IREE_NEW does not name a virtual environment that has it".to_owned())
    }

    /// Compiles `source` to `module`.
    ///
    /// # Errors
    ///
    /// What the compiler says.
    pub(crate) fn compile(
        &self,
        source: &Path,
        flags: &[&str],
        module: &Path,
    ) -> Result<(), String> {
        let mut compiler = Command::new(self.0.join("iree-compile"));
        compiler.args(flags).arg(source).arg("-o").arg(module);
        output(compiler).map(drop)
    }

    /// Time of a call in the stock runtime on `threads` threads of this host:
    /// the mean of many calls, of several such means the least.
    ///
    /// # Errors
    ///
    /// Why it could not be measured.
    pub(crate) fn time(
        &self,
        module: &Path,
        function: &str,
        inputs: &[String],
        threads: usize,
    ) -> Result<Duration, String> {
        let mut benchmark = Command::new(self.0.join("iree-benchmark-module"));
        if threads == 1 {
            benchmark.arg("--device=local-sync");
        } else {
            benchmark.arg("--device=local-task");
            benchmark.arg(format!("--task_topology_group_count={threads}"));
        }
        benchmark
            .arg(format!("--module={}", module.display()))
            .arg(format!("--function={function}"))
            .args(inputs.iter().map(|input| format!("--input={input}")))
            .args([
                "--benchmark_format=json",
                "--benchmark_min_time=0.1s",
                "--benchmark_repetitions=5",
            ]);
        let text = output(benchmark)?;
        let report: serde_json::Value =
            serde_json::from_str(&text).map_err(|error| error.to_string())?;
        let runs = report["benchmarks"].as_array().into_iter().flatten();
        let milliseconds = runs
            .filter(|run| run["run_type"] == "iteration" && run["time_unit"] == "ms")
            .filter_map(|run| run["real_time"].as_f64())
            .reduce(f64::min);
        milliseconds
            .map(|milliseconds| Duration::from_secs_f64(milliseconds / 1e3))
            .ok_or(format!("it reported {report}"))
    }
}

fn output(mut command: Command) -> Result<String, String> {
    let output = command
        .output()
        .map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    String::from_utf8(output.stdout).map_err(|error| error.to_string())
}
