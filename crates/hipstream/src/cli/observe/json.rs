//! Observations as JSON. Fields are added, never changed, within a `version`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::time::Duration;

use hal::{Checks, Class, Counts, Fidelity, Finding, Observed, Party, Traffic};
use serde::Serialize;

use super::by_kernel;

#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    launches: Vec<Launch<'a>>,
    kernels: Vec<Kernel<'a>>,
    instructions: Vec<Instruction>,
    checks: Vec<&'static str>,
    findings: Vec<Problem<'a>>,
    more_findings: u64,
}

#[derive(Serialize)]
struct Launch<'a> {
    kernel: &'a str,
    grid: [u32; 3],
    block: [u32; 3],
    #[serde(flatten)]
    figures: Figures,
}

#[derive(Serialize)]
struct Kernel<'a> {
    kernel: &'a str,
    launches: u64,
    #[serde(flatten)]
    figures: Figures,
}

#[derive(Serialize)]
struct Figures {
    milliseconds_observed: f64,
    workgroups: u64,
    waves: u64,
    instructions: BTreeMap<&'static str, u64>,
    active_lanes_share: Option<f64>,
    global_bytes: Moved,
    lds_bytes: Moved,
    scratch_bytes: Moved,
}

#[derive(Serialize)]
struct Moved {
    loaded: u64,
    stored: u64,
    atomic: u64,
}

#[derive(Serialize)]
struct Instruction {
    mnemonic: &'static str,
    class: &'static str,
    executed: u64,
    fidelity: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ulps: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hardware_ulps: Option<u32>,
}

#[derive(Serialize)]
struct Problem<'a> {
    problem: String,
    kernel: &'a str,
    subject: &'a str,
    address: Option<u64>,
    count: u64,
    by: Who<'a>,
    other: Option<Who<'a>>,
}

#[derive(Serialize)]
struct Who<'a> {
    code_object_offset: u64,
    instruction: &'a str,
    workgroup: [u32; 3],
    wave: u32,
    lanes: u64,
}

/// Writes all that was seen.
pub(super) fn write(seen: &Observed, checks: Checks, path: &Path) -> std::io::Result<()> {
    let made = |name: &&(&'static str, Checks)| name.0 != "all" && checks.contains(name.1);
    let report = Report {
        version: 1,
        launches: seen
            .launches
            .iter()
            .map(|launch| Launch {
                kernel: &launch.kernel,
                grid: launch.grid,
                block: launch.block,
                figures: Figures::new(&launch.counts, launch.elapsed),
            })
            .collect(),
        kernels: by_kernel(seen)
            .into_iter()
            .map(|kernel| Kernel {
                kernel: kernel.name,
                launches: kernel.launches,
                figures: Figures::new(&kernel.counts, kernel.elapsed),
            })
            .collect(),
        instructions: seen
            .instructions
            .iter()
            .map(|count| {
                let (fidelity, ulps, hardware_ulps) = fidelity(count.fidelity);
                Instruction {
                    mnemonic: count.mnemonic,
                    class: count.class.name(),
                    executed: count.executed,
                    fidelity,
                    ulps,
                    hardware_ulps,
                }
            })
            .collect(),
        checks: Checks::NAMES.iter().filter(made).map(|row| row.0).collect(),
        findings: seen.findings.iter().map(problem).collect(),
        more_findings: seen.more_findings,
    };
    serde_json::to_writer_pretty(BufWriter::new(File::create(path)?), &report)
        .map_err(std::io::Error::from)
}

impl Figures {
    fn new(counts: &Counts, elapsed: Duration) -> Self {
        let moved = |traffic: Traffic| Moved {
            loaded: traffic.loaded,
            stored: traffic.stored,
            atomic: traffic.atomic,
        };
        Self {
            milliseconds_observed: elapsed.as_secs_f64() * 1e3,
            workgroups: counts.workgroups,
            waves: counts.waves,
            instructions: Class::ALL
                .into_iter()
                .map(|class| (class.name(), counts.instructions[class as usize]))
                .collect(),
            active_lanes_share: counts.share_of_lanes(),
            global_bytes: moved(counts.global),
            lds_bytes: moved(counts.lds),
            scratch_bytes: moved(counts.scratch),
        }
    }
}

fn fidelity(fidelity: Fidelity) -> (&'static str, Option<u32>, Option<u32>) {
    match fidelity {
        Fidelity::Exact => ("exact", None, None),
        Fidelity::Rounded {
            ulps,
            hardware_ulps,
        } => ("rounded", Some(ulps), hardware_ulps),
        Fidelity::Matrix => ("matrix", None, None),
        Fidelity::Machine => ("machine", None, None),
    }
}

fn problem(finding: &Finding) -> Problem<'_> {
    Problem {
        problem: finding.check.to_string(),
        kernel: &finding.kernel,
        subject: &finding.subject,
        address: finding.address,
        count: finding.count,
        by: who(&finding.party),
        other: finding.other.as_ref().map(who),
    }
}

fn who(party: &Party) -> Who<'_> {
    Who {
        code_object_offset: party.code_object_offset,
        instruction: &party.instruction,
        workgroup: party.workgroup,
        wave: party.wave,
        lanes: party.lanes,
    }
}
