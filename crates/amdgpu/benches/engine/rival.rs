//! The stock compiler and runtime on this host's processor, to compare with.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// A program compiled for this host.
pub(crate) struct Rival {
    tools: PathBuf,
    module: PathBuf,
    function: &'static str,
    input: &'static str,
}

/// Compiles `source` with the stock compiler for this processor; the function
/// takes `input` twice.
///
/// # Errors
///
/// Why that cannot be.
pub(crate) fn build(
    source: PathBuf,
    function: &'static str,
    input: &'static str,
) -> Result<Rival, String> {
    let tools = std::env::var_os("HIPSTREAM_IREE_NEW")
        .map(|folder| PathBuf::from(folder).join("bin"))
        .ok_or("HIPSTREAM_IREE_NEW does not name a virtual environment that has it")?;
    let module = std::env::temp_dir().join(format!("hipstream-rival-{}.vmfb", std::process::id()));
    let mut compiler = Command::new(tools.join("iree-compile"));
    compiler
        .arg("--iree-hal-target-device=local")
        .arg("--iree-hal-local-target-device-backends=llvm-cpu")
        .arg("--iree-llvmcpu-target-cpu=host")
        .arg(&source)
        .arg("-o")
        .arg(&module);
    output(compiler)?;
    Ok(Rival {
        tools,
        module,
        function,
        input,
    })
}

impl Rival {
    /// Mean time of a call on one thread, or on a thread a processor.
    ///
    /// # Errors
    ///
    /// Why it could not be measured.
    pub(crate) fn time(&self, workers: usize) -> Result<Duration, String> {
        let device = if workers == 1 {
            "local-sync"
        } else {
            "local-task"
        };
        let mut benchmark = Command::new(self.tools.join("iree-benchmark-module"));
        benchmark
            .arg(format!("--device={device}"))
            .arg(format!("--module={}", self.module.display()))
            .arg(format!("--function={}", self.function))
            .args([
                format!("--input={}", self.input),
                format!("--input={}", self.input),
            ])
            .arg("--benchmark_format=json");
        let text = output(benchmark)?;
        let report: serde_json::Value =
            serde_json::from_str(&text).map_err(|error| error.to_string())?;
        let run = &report["benchmarks"][0];
        match (run["real_time"].as_f64(), run["time_unit"].as_str()) {
            (Some(time), Some("ms")) => Ok(Duration::from_secs_f64(time / 1e3)),
            _ => Err(format!("it reported {run}")),
        }
    }
}

impl Drop for Rival {
    fn drop(&mut self) {
        // Left behind, it would do no harm.
        drop(std::fs::remove_file(&self.module));
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
