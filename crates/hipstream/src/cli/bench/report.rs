//! What was measured, as text and as JSON.

use std::io::Write;

use hal::Device;
use profile::Activity;
use serde::Serialize;

use super::measure::{Measured, Plan, Split};
use super::memory::Growth;
use super::rival::Rival;
use super::statistics::{Statistics, duration, grouped, size};
use super::{DIFFERS, Failure, USAGE};
use crate::cli::report::Plain;

/// Fields are added, never changed, within a schema version.
#[derive(Serialize)]
pub(super) struct Report {
    schema_version: u32,
    generator: &'static str,
    version: &'static str,
    modules: String,
    devices: Vec<String>,
    command_buffer_mode: Option<String>,
    processors: Option<usize>,
    benchmarks: Vec<Benchmark>,
    #[serde(skip)]
    rival: Option<String>,
}

/// One function.
#[derive(Serialize)]
pub(super) struct Benchmark {
    name: String,
    inputs: Vec<String>,
    warmup_calls: usize,
    calls: u64,
    total_ns: u64,
    calls_per_second: f64,
    host_ns: Statistics,
    device_ns: Option<Statistics>,
    split: Option<Split>,
    memory: Growth,
    rival: Option<Compared>,
}

/// A function beside the rival's.
#[derive(Serialize)]
struct Compared {
    file: String,
    ns: f64,
    /// The rival's time for one of ours: above 1, we are faster.
    ratio: f64,
}

impl Report {
    pub(super) fn new(
        modules: &str,
        devices: &[Device],
        plan: &Plan,
        measured: Vec<Measured>,
    ) -> Self {
        let describe = |device: &Device| format!("{}, {}", device.name(), device.arch());
        Self {
            schema_version: 1,
            generator: "hipstream",
            version: env!("CARGO_PKG_VERSION"),
            modules: modules.to_owned(),
            devices: devices.iter().map(describe).collect(),
            command_buffer_mode: devices
                .first()
                .map(|device| device.params().command_buffer_mode.to_string()),
            processors: std::thread::available_parallelism().ok().map(Into::into),
            benchmarks: measured
                .into_iter()
                .map(|measured| Benchmark::new(measured, plan))
                .collect(),
            rival: None,
        }
    }

    pub(super) fn benchmarks_mut(&mut self) -> impl Iterator<Item = &mut Benchmark> {
        self.benchmarks.iter_mut()
    }

    /// Notes what a rival needed. That it has none of the functions is an error.
    pub(super) fn compare(&mut self, rival: &Rival) -> Result<(), Failure> {
        let file = rival.path.display().to_string();
        let mut is_known = false;
        for benchmark in &mut self.benchmarks {
            benchmark.rival = rival.ns(&benchmark.name).map(|ns| Compared {
                file: file.clone(),
                ns,
                ratio: ns / benchmark.host_ns.median,
            });
            is_known |= benchmark.rival.is_some();
        }
        if !is_known {
            return Err(
                Failure::new(USAGE, format!("{file} has none of these functions"))
                    .help(format!("it has: {}", rival.names().join(", "))),
            );
        }
        self.rival = Some(file);
        Ok(())
    }

    pub(super) fn write_json(&self, out: &mut dyn Write) -> Result<(), Failure> {
        serde_json::to_writer_pretty(&mut *out, self).map_err(std::io::Error::from)?;
        writeln!(out)?;
        Ok(())
    }

    pub(super) fn print(&self, out: &mut dyn Write) -> Result<(), Failure> {
        self.print_times(out)?;
        for benchmark in &self.benchmarks {
            writeln!(out)?;
            benchmark.print(out)?;
        }
        if let Some(rival) = &self.rival {
            writeln!(out)?;
            self.print_comparison(rival, out)?;
        }
        Ok(())
    }

    fn print_times(&self, out: &mut dyn Write) -> Result<(), Failure> {
        let mut table = Table::new(&[
            "function", "median", "min", "p5", "p95", "MAD", "calls/s", "calls", "device",
        ]);
        for benchmark in &self.benchmarks {
            let host = &benchmark.host_ns;
            table.row([
                Plain(&benchmark.name).to_string(),
                duration(host.median),
                duration(host.min),
                duration(host.p5),
                duration(host.p95),
                duration(host.mad),
                grouped(benchmark.calls_per_second.round() as u64),
                grouped(benchmark.calls),
                match &benchmark.device_ns {
                    Some(device) => duration(device.median),
                    None => "-".to_owned(),
                },
            ]);
        }
        table.print(out)
    }

    fn print_comparison(&self, rival: &str, out: &mut dyn Write) -> Result<(), Failure> {
        let mut table = Table::new(&["function", "here", rival, "ratio"]);
        for benchmark in &self.benchmarks {
            let (theirs, verdict) = match &benchmark.rival {
                Some(rival) => (duration(rival.ns), verdict(rival.ratio)),
                None => ("-".to_owned(), "-".to_owned()),
            };
            table.row([
                Plain(&benchmark.name).to_string(),
                duration(benchmark.host_ns.median),
                theirs,
                verdict,
            ]);
        }
        table.print(out)
    }

    /// Fails if timed calls have left memory behind.
    pub(super) fn check_memory(&self) -> Result<(), Failure> {
        let grown = self
            .benchmarks
            .iter()
            .find(|benchmark| !benchmark.memory.is_flat(benchmark.calls));
        match grown {
            None => Ok(()),
            Some(benchmark) => Err(Failure::new(
                DIFFERS,
                format!(
                    "calls of `{}` leave memory behind: {}",
                    benchmark.name,
                    benchmark.memory_text()
                ),
            )),
        }
    }
}

/// A rival's time for one of ours, in words.
fn verdict(ratio: f64) -> String {
    match ratio {
        ratio if ratio >= 1.0 => format!("{ratio:.2} × faster"),
        ratio => format!("{:.2} × slower", 1.0 / ratio),
    }
}

impl Benchmark {
    fn new(measured: Measured, plan: &Plan) -> Self {
        let seconds = measured.total.as_secs_f64();
        Self {
            name: measured.name,
            inputs: measured.inputs,
            warmup_calls: plan.warmup,
            calls: measured.calls,
            total_ns: measured.total.as_nanos() as u64,
            calls_per_second: match seconds > 0.0 {
                true => measured.calls as f64 / seconds,
                false => 0.0,
            },
            host_ns: measured.host,
            device_ns: None,
            split: None,
            memory: measured.memory,
            rival: None,
        }
    }

    pub(super) fn set_split(&mut self, split: Split) {
        self.device_ns = split.device_statistics;
        self.split = Some(split);
    }

    fn print(&self, out: &mut dyn Write) -> Result<(), Failure> {
        match &self.split {
            Some(split) => {
                writeln!(
                    out,
                    "{}: where {} of a call go, while watched ({} calls)",
                    Plain(&self.name),
                    duration(split.total_ns),
                    split.calls
                )?;
                self.print_split(split, out)?;
            }
            None => writeln!(out, "{}:", Plain(&self.name))?,
        }
        writeln!(out, "  {:<12}{}", "memory", self.memory_text())?;
        Ok(())
    }

    fn print_split(&self, split: &Split, out: &mut dyn Write) -> Result<(), Failure> {
        for (activity, ns) in &split.host_ns {
            let (label, meaning) = explain(*activity);
            if *activity == Activity::Profiling || *ns == 0.0 {
                continue;
            }
            let share = 100.0 * ns / split.total_ns.max(1.0);
            let time = duration(*ns);
            writeln!(out, "  {label:<12}{time:>10}{share:>7.1} %  {meaning}")?;
        }
        let (time, commands) = (duration(split.device_ns), split.device_commands);
        let s = if commands == 1.0 { "" } else { "s" };
        writeln!(
            out,
            "  {:<12}{time:>10}           busy with {commands:.0} command{s}, beside the host",
            "device"
        )?;
        Ok(())
    }

    fn memory_text(&self) -> String {
        let memory = &self.memory;
        let change = |bytes: i64| match bytes {
            0 => "no more".to_owned(),
            bytes if bytes < 0 => format!("{} less", size(bytes.unsigned_abs())),
            bytes => format!("{} more", size(bytes.unsigned_abs())),
        };
        let mut text = format!(
            "{} of buffers, {} after {} calls",
            size(memory.buffer_bytes),
            change(memory.buffer_growth_bytes),
            grouped(self.calls)
        );
        if let Some(growth) = memory.process_growth_bytes {
            text += &format!("; host memory of the process: {}", change(growth));
        }
        text
    }
}

/// What an activity is called in a table, and what it means.
fn explain(activity: Activity) -> (&'static str, &'static str) {
    match activity {
        Activity::Call => ("session", "what surrounds a call"),
        Activity::Arguments => ("arguments", "checked, copied to the device"),
        Activity::Program => ("VM", "interpreting the program"),
        Activity::Recording => ("recording", "commands into command buffers"),
        Activity::Submission => ("submission", "to queues, without the driver"),
        Activity::Driver => ("driver", "taking what is submitted"),
        Activity::Memory => ("memory", "allocated and freed"),
        Activity::Waiting => ("waiting", "for the device"),
        Activity::Loading => ("loading", "parameters, device code"),
        Activity::Library => ("library", "other functions that the program calls"),
        Activity::Profiling => ("profiling", "what watching costs"),
    }
}

/// Columns as wide as what is in them; the first to the left, the rest to the right.
struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    fn new(head: &[&str]) -> Self {
        Self {
            rows: vec![head.iter().map(ToString::to_string).collect()],
        }
    }

    fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    fn print(&self, out: &mut dyn Write) -> Result<(), Failure> {
        let width = |column: usize| {
            let cells = self.rows.iter().map(|row| row[column].chars().count());
            cells.max().unwrap_or(0)
        };
        let widths: Vec<_> = (0..self.rows[0].len()).map(width).collect();
        for row in &self.rows {
            let mut line = format!("{:<1$}", row[0], widths[0]);
            for (cell, width) in row.iter().zip(&widths).skip(1) {
                line += &format!("  {cell:>width$}");
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn report(buffer_growth_bytes: i64) -> Report {
        let plan = Plan {
            warmup: 1,
            repetitions: 2,
            min_time: Duration::ZERO,
            profiled: 0,
        };
        let measured = Measured {
            name: "main".to_owned(),
            inputs: Vec::new(),
            calls: 2,
            total: Duration::from_micros(30),
            host: Statistics::of(&mut [10_000, 20_000]),
            memory: Growth {
                buffer_bytes: 2048,
                buffer_growth_bytes,
                process_growth_bytes: Some(-4096),
            },
        };
        Report::new("a.vmfb", &[], &plan, vec![measured])
    }

    #[test]
    fn memory_left_behind_is_a_failure_that_says_how_much() {
        assert!(report(0).check_memory().is_ok());
        let failure = report(64).check_memory().expect_err("it grew");
        let text = failure.to_string();
        assert!(text.contains("`main` leave memory behind"), "{text}");
        assert!(
            text.contains("2.0 KiB of buffers, 64 B more after 2 calls"),
            "{text}"
        );
        assert!(text.contains("process: 4.0 KiB less"), "{text}");
        assert_eq!(crate::cli::exit_code(&Err(failure)), DIFFERS);
    }

    #[test]
    fn columns_are_as_wide_as_what_is_in_them() {
        let mut out = Vec::new();
        report(0).print(&mut out).expect("memory takes it");
        let text = String::from_utf8(out).expect("UTF-8");
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(
            lines[..2],
            [
                "function    median       min        p5       p95       MAD  calls/s  calls  device",
                "main      15.00 µs  10.00 µs  10.50 µs  19.50 µs  5.000 µs   66,667      2       -",
            ]
        );
        assert_eq!(lines[3], "main:");
    }

    #[test]
    fn ratios_have_words() {
        assert_eq!(verdict(2.5), "2.50 × faster");
        assert_eq!(verdict(0.5), "2.00 × slower");
    }
}
