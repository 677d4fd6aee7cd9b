//! What the software GPU can tell of the kernels it runs: `--stats`,
//! `--fidelity` and `--check`.

mod json;

use std::fmt;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use hal::{Checks, Class, Counts, Fidelity, Observed, Observer, Traffic};

use super::report::{BAD_FILE, DEVICE_ERROR, Failure};

/// What is to be told.
#[derive(Clone, Debug, Args)]
pub(super) struct ObserveArgs {
    /// Count what kernels execute and move, on the software GPU: to stderr as text (`-`, or no file), or to a file as JSON.
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = "-")]
    stats: Option<PathBuf>,
    /// Say of every instruction executed how close its result is to hardware's, on the software GPU.
    #[arg(long)]
    fidelity: bool,
    /// Look for mistakes that happen to work, on the software GPU: `memory` (reads of what was never written, accesses outside bindings), `races` (between waves), `waits` (missing ones), or `all`.
    #[arg(long, value_name = "CHECKS", env = "HIPSTREAM_CHECK")]
    check: Option<Checks>,
}

impl ObserveArgs {
    /// Who has to watch, if anybody.
    pub(super) fn observer(&self) -> Option<Observer> {
        let wanted = self.stats.is_some() || self.fidelity || self.check.is_some();
        wanted.then(|| Observer::new(self.check.unwrap_or_default()))
    }

    /// Tells what was seen. Fails if a check found something.
    pub(super) fn tell(&self, observer: &Observer, stderr: &mut dyn Write) -> Result<(), Failure> {
        let seen = observer.observed();
        match &self.stats {
            Some(path) if path.as_os_str() == "-" => stats(&seen, stderr)?,
            Some(path) => json::write(&seen, observer.checks(), path).map_err(|error| {
                Failure::new(
                    BAD_FILE,
                    format!("cannot write {}: {error}", path.display()),
                )
            })?,
            None => {}
        }
        if self.fidelity {
            fidelity(&seen, stderr)?;
        }
        for finding in &seen.findings {
            writeln!(stderr, "check: {finding}")?;
        }
        if seen.more_findings > 0 {
            writeln!(stderr, "check: and {} more", seen.more_findings)?;
        }
        match seen.findings.len() as u64 + seen.more_findings {
            0 if self.check.is_some() => {
                let launches = counted(seen.launches.len() as u64, "launch", "launches");
                writeln!(stderr, "check: nothing found in {launches}")?;
                Ok(())
            }
            0 => Ok(()),
            found => Err(Failure::new(
                DEVICE_ERROR,
                format!(
                    "checks of kernels found {}",
                    counted(found, "problem", "problems")
                ),
            )
            .help("they are listed above; docs/command-line.md says what each means")),
        }
    }
}

fn counted(count: u64, one: &str, several: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        _ => format!("{count} {several}"),
    }
}

/// Launches of one kernel, summed.
struct Kernel<'a> {
    name: &'a str,
    launches: u64,
    elapsed: Duration,
    counts: Counts,
}

/// The kernels in the order of their first launches.
fn by_kernel(seen: &Observed) -> Vec<Kernel<'_>> {
    let mut kernels: Vec<Kernel<'_>> = Vec::new();
    for launch in &seen.launches {
        let place = kernels
            .iter()
            .position(|kernel| kernel.name == launch.kernel)
            .unwrap_or_else(|| {
                kernels.push(Kernel {
                    name: &launch.kernel,
                    launches: 0,
                    elapsed: Duration::ZERO,
                    counts: Counts::default(),
                });
                kernels.len() - 1
            });
        let kernel = &mut kernels[place];
        kernel.launches += 1;
        kernel.elapsed += launch.elapsed;
        kernel.counts.add(&launch.counts);
    }
    kernels
}

fn stats(seen: &Observed, stderr: &mut dyn Write) -> std::io::Result<()> {
    let kernels = by_kernel(seen);
    for kernel in &kernels {
        writeln!(stderr, "stats: kernel {}", kernel.name)?;
        block(kernel, stderr)?;
    }
    let mut all = Kernel {
        name: "",
        launches: 0,
        elapsed: Duration::ZERO,
        counts: Counts::default(),
    };
    for kernel in &kernels {
        all.launches += kernel.launches;
        all.elapsed += kernel.elapsed;
        all.counts.add(&kernel.counts);
    }
    if kernels.len() != 1 {
        writeln!(stderr, "stats: all {} kernels", kernels.len())?;
        block(&all, stderr)?;
    }
    Ok(())
}

fn block(kernel: &Kernel<'_>, stderr: &mut dyn Write) -> std::io::Result<()> {
    let counts = &kernel.counts;
    writeln!(
        stderr,
        "stats:   launches {}, workgroups {}, waves {}, time {:.3} ms (while observed)",
        kernel.launches,
        counts.workgroups,
        counts.waves,
        kernel.elapsed.as_secs_f64() * 1e3
    )?;
    write!(
        stderr,
        "stats:   instructions {}:",
        counts.all_instructions()
    )?;
    for class in Class::ALL {
        let count = counts.instructions[class as usize];
        if count > 0 {
            write!(stderr, " {class} {count}")?;
        }
    }
    writeln!(stderr)?;
    if let Some(share) = counts.share_of_lanes() {
        let percent = 100.0 * share;
        writeln!(
            stderr,
            "stats:   active lanes {percent:.1} % of vector instructions'"
        )?;
    }
    for (name, traffic) in spaces(counts) {
        if traffic != Traffic::default() {
            writeln!(stderr, "stats:   {name} {}", Bytes(traffic))?;
        }
    }
    Ok(())
}

/// Kinds of memory, by name.
fn spaces(counts: &Counts) -> [(&'static str, Traffic); 3] {
    [
        ("global", counts.global),
        ("lds", counts.lds),
        ("scratch", counts.scratch),
    ]
}

struct Bytes(Traffic);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Traffic {
            loaded,
            stored,
            atomic,
        } = self.0;
        write!(f, "bytes: loaded {loaded}, stored {stored}")?;
        if atomic > 0 {
            write!(f, ", atomic {atomic}")?;
        }
        Ok(())
    }
}

fn fidelity(seen: &Observed, stderr: &mut dyn Write) -> std::io::Result<()> {
    let mut sums = [0_u64; 4];
    for count in &seen.instructions {
        sums[kind(count.fidelity)] += count.executed;
        writeln!(
            stderr,
            "fidelity: {:<7} {:<28} {:>12}  {}",
            count.class, count.mnemonic, count.executed, count.fidelity
        )?;
    }
    let [exact, rounded, matrix, machine] = sums;
    writeln!(
        stderr,
        "fidelity: of {} instructions {exact} exact, {rounded} rounded, {matrix} matrix, {machine} of this machine",
        exact + rounded + matrix + machine
    )
}

fn kind(fidelity: Fidelity) -> usize {
    match fidelity {
        Fidelity::Exact => 0,
        Fidelity::Rounded { .. } => 1,
        Fidelity::Matrix => 2,
        Fidelity::Machine => 3,
    }
}
