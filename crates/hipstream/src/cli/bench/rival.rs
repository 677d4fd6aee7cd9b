//! What somebody else needed, from a file.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::super::file;
use super::super::report::{BAD_FILE, Failure};
use super::statistics::Statistics;

/// Times of functions, by name.
#[derive(Debug)]
pub(super) struct Rival {
    pub(super) path: PathBuf,
    functions: Vec<(String, f64)>,
}

/// Our own files and those of google-benchmark: what of each counts.
#[derive(Deserialize)]
struct Contents {
    benchmarks: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    // Ours.
    host_ns: Option<Median>,
    // google-benchmark's.
    run_name: Option<String>,
    aggregate_name: Option<String>,
    real_time: Option<f64>,
    time_unit: Option<String>,
    #[serde(default)]
    error_occurred: bool,
}

#[derive(Deserialize)]
struct Median {
    median: f64,
}

/// What google-benchmark's files call a time unit, and its nanoseconds.
const UNITS: &[(&str, f64)] = &[("ns", 1.0), ("us", 1e3), ("ms", 1e6), ("s", 1e9)];

impl Rival {
    /// Reads a file that `hipstream bench` or `iree-benchmark-module` wrote.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let bytes = file::read(path)?;
        let functions = parse(&bytes).map_err(|reason| {
            Failure::new(BAD_FILE, format!("{}: {reason}", path.display())).help(
                "a rival is what `hipstream bench --json` or `iree-benchmark-module --benchmark_format=json` printed",
            )
        })?;
        Ok(Self {
            path: path.to_owned(),
            functions,
        })
    }

    /// Nanoseconds of a function.
    pub(super) fn ns(&self, function: &str) -> Option<f64> {
        let mut functions = self.functions.iter();
        functions
            .find(|(name, _)| name == function)
            .map(|row| row.1)
    }

    /// The functions it has times of.
    pub(super) fn names(&self) -> Vec<&str> {
        self.functions.iter().map(|row| row.0.as_str()).collect()
    }
}

fn parse(bytes: &[u8]) -> Result<Vec<(String, f64)>, String> {
    let contents: Contents = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let mut functions = Vec::new();
    // Every repetition of google-benchmark has an entry of its own.
    let mut repetitions: Vec<(String, Vec<u64>, Option<f64>)> = Vec::new();
    for entry in contents.benchmarks {
        if let Some(host) = entry.host_ns {
            functions.push((entry.name, positive(host.median)?));
            continue;
        }
        let (Some(time), false) = (entry.real_time, entry.error_occurred) else {
            continue;
        };
        let name = function_of(entry.run_name.as_deref().unwrap_or(&entry.name));
        let ns = positive(time)? * unit(entry.time_unit.as_deref())?;
        let known = repetitions.iter().position(|row| row.0 == name);
        let index = known.unwrap_or_else(|| {
            repetitions.push((name.to_owned(), Vec::new(), None));
            repetitions.len() - 1
        });
        match entry.aggregate_name.as_deref() {
            None => repetitions[index].1.push(ns.round() as u64),
            Some("median") => repetitions[index].2 = Some(ns),
            // Other aggregates are no times of a call, or are not the median.
            Some(_) => {}
        }
    }
    for (name, mut times, median) in repetitions {
        let ns = match (median, times.is_empty()) {
            (Some(median), _) => median,
            (None, false) => Statistics::of(&mut times).median,
            (None, true) => continue,
        };
        functions.push((name, ns));
    }
    match functions.is_empty() {
        true => Err("it has no times".to_owned()),
        false => Ok(functions),
    }
}

fn positive(time: f64) -> Result<f64, String> {
    match time.is_finite() && time > 0.0 {
        true => Ok(time),
        false => Err(format!("{time} is no time")),
    }
}

fn unit(name: Option<&str>) -> Result<f64, String> {
    let name = name.unwrap_or("ns");
    let known = UNITS.iter().find(|row| row.0 == name);
    known
        .map(|row| row.1)
        .ok_or_else(|| format!("there is no time unit `{name}`"))
}

/// `add` of `BM_add/process_time/real_time`.
fn function_of(name: &str) -> &str {
    let name = name.split('/').next().unwrap_or(name);
    name.strip_prefix("BM_").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(text: &str) -> Result<Vec<(String, f64)>, String> {
        parse(text.as_bytes())
    }

    fn row(name: &str, ns: f64) -> (String, f64) {
        (name.to_owned(), ns)
    }

    #[test]
    fn files_of_both_kinds_are_read() {
        let own = r#"{"schema_version": 1, "benchmarks": [
            {"name": "add", "host_ns": {"median": 1234.5, "mean": 1300.0}},
            {"name": "mul", "host_ns": {"median": 10.0}}]}"#;
        assert_eq!(times(own), Ok(vec![row("add", 1234.5), row("mul", 10.0)]));
        let stock = r#"{"context": {"num_cpus": 2}, "benchmarks": [
            {"name": "BM_add/process_time/real_time", "run_name": "BM_add/process_time/real_time",
             "run_type": "iteration", "real_time": 2e-3, "time_unit": "ms"},
            {"name": "BM_add/process_time/real_time", "run_name": "BM_add/process_time/real_time",
             "run_type": "iteration", "real_time": 4e-3, "time_unit": "ms"},
            {"name": "BM_sub", "run_type": "iteration", "real_time": 7.0, "time_unit": "us"},
            {"name": "BM_sub_mean", "run_name": "BM_sub", "run_type": "aggregate",
             "aggregate_name": "mean", "real_time": 9.0, "time_unit": "us"},
            {"name": "BM_sub_median", "run_name": "BM_sub", "run_type": "aggregate",
             "aggregate_name": "median", "real_time": 8.0, "time_unit": "us"},
            {"name": "BM_bad", "error_occurred": true, "real_time": 0.0}]}"#;
        assert_eq!(
            times(stock),
            Ok(vec![row("add", 3000.0), row("sub", 8000.0)])
        );
    }

    #[test]
    fn other_files_are_refused() {
        for (text, part) in [
            ("", "EOF"),
            ("[1]", "invalid"),
            ("{}", "benchmarks"),
            (r#"{"benchmarks": []}"#, "no times"),
            (r#"{"benchmarks": [{"name": "a"}]}"#, "no times"),
            (
                r#"{"benchmarks": [{"name": "a", "real_time": 1, "time_unit": "h"}]}"#,
                "`h`",
            ),
            (
                r#"{"benchmarks": [{"name": "a", "host_ns": {"median": 0}}]}"#,
                "no time",
            ),
        ] {
            let reason = times(text).expect_err(text);
            assert!(reason.contains(part), "{text}: {reason}");
        }
    }
}
