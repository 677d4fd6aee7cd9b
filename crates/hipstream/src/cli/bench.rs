//! `hipstream bench`: how long functions of compiled modules take, and why.

mod measure;
mod memory;
mod report;
mod rival;
mod statistics;

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use hal::Device;
use profile::Profiler;

use super::calls::{Call, PlainCalls};
use super::io::{self, Interface};
use super::load::{LoadArgs, Program};
use super::profile::{ProfileArgs, create};
use super::report::{DIFFERS, Failure, USAGE};
use super::run::{interface, is_internal};
use super::select::DeviceArgs;
use crate::array::Reader;
use crate::{Argument, Session};
use measure::Plan;
use report::Report;
use rival::Rival;

pub(super) const EXAMPLES: &str = "\
Examples:
  hipstream bench --module=model.vmfb --function=main --input=@x.npy
  hipstream bench --module=model.vmfb --function=main --input=@x.npy --profile=main.html
  hipstream bench --module=model.vmfb --min_time=5 --json=after.json --compare=before.json
  iree-benchmark-module … --benchmark_format=json > stock.json
  hipstream bench --module=model.vmfb --function=main --input=@x.npy --compare=stock.json";

#[derive(Debug, Args)]
pub(super) struct BenchArgs {
    #[command(flatten)]
    load: LoadArgs,
    #[command(flatten)]
    calls: PlainCalls,
    /// Calls before the timed ones.
    #[arg(long, value_name = "COUNT", default_value_t = 3)]
    warmup: usize,
    /// Timed calls, at least.
    #[arg(long, value_name = "COUNT", default_value = "10", value_parser = at_least_one)]
    repetitions: usize,
    /// Go on timing until this much time has passed.
    #[arg(long = "min_time", value_name = "SECONDS", default_value = "0.5", value_parser = seconds)]
    min_time: Duration,
    /// Calls after the timed ones, in which the time of a call is split; 0 does without.
    #[arg(long = "profile_calls", value_name = "COUNT", default_value_t = 20)]
    profile_calls: usize,
    /// Print JSON instead of text, or write it to FILE besides.
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    json: Option<Option<PathBuf>>,
    /// Compare with an earlier `--json`, or with what `iree-benchmark-module --benchmark_format=json` printed.
    #[arg(long, value_name = "RIVAL.json")]
    compare: Option<PathBuf>,
    /// Fail with exit code 1 if the timed calls leave memory behind.
    #[arg(long = "flat_memory", value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true", action = clap::ArgAction::Set)]
    flat_memory: bool,
    #[command(flatten)]
    profile: ProfileArgs,
    #[command(flatten)]
    device: DeviceArgs,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("nothing is known of no calls".to_owned()),
        Ok(count) => Ok(count),
        Err(_) => Err("it is not a number of calls".to_owned()),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number = text.strip_suffix('s').unwrap_or(text).parse::<f64>();
    number
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| format!("`{text}` is not a number of seconds"))
}

pub(super) fn run(
    args: &BenchArgs,
    stdout: &mut dyn Write,
    stderr: &mut dyn Write,
) -> Result<(), Failure> {
    // What would spoil the end is found out before the beginning.
    let rival = args.compare.as_deref().map(Rival::read).transpose()?;
    let recorder = args.profile.recorder()?;
    if recorder.is_some() && args.profile_calls == 0 {
        return Err(Failure::new(
            USAGE,
            "a profile is made of calls, and --profile_calls=0 makes none",
        ));
    }
    let json = match &args.json {
        Some(Some(path)) => Some(create(path)?),
        _ => None,
    };
    let mut program = args.load.read()?;
    let plan = Plan {
        warmup: args.warmup,
        repetitions: args.repetitions,
        min_time: args.min_time,
        profiled: args.profile_calls,
    };
    let what = args.load.names();
    let mut report = args.device.with(&what, stderr, |devices, _| {
        let (mut session, functions) = prepare(args, &program, devices)?;
        let measured = functions
            .iter()
            .map(|function| measure::time(&mut session, function, &plan))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Report::new(&args.load.names(), devices, &plan, measured))
    })?;
    if plan.profiled > 0 {
        let profiler = match &recorder {
            Some(recorder) => recorder.profiler().clone(),
            None => Profiler::default(),
        };
        let result = split(args, &mut program, &profiler, &plan, &mut report);
        // Of calls that failed as well: that is where one would look.
        if let Some(recorder) = recorder {
            recorder.write(&what, stderr)?;
        }
        result?;
    }
    if let Some(rival) = &rival {
        report.compare(rival)?;
    }
    match (&args.json, json) {
        (Some(_), Some(mut file)) => {
            report.write_json(&mut file)?;
            report.print(stdout)?;
        }
        (Some(_), None) => report.write_json(stdout)?,
        (None, _) => report.print(stdout)?,
    }
    match args.flat_memory {
        true => report.check_memory(),
        false => Ok(()),
    }
}

/// Calls the functions again, on devices that are watched: nothing watches
/// those on which they are timed.
fn split(
    args: &BenchArgs,
    program: &mut Program,
    profiler: &Profiler,
    plan: &Plan,
    report: &mut Report,
) -> Result<(), Failure> {
    program.watch(Some(profiler));
    // Where it runs was said already.
    let mut silence = std::io::sink();
    let what = args.load.names();
    args.device
        .with_profiler(&what, Some(profiler), &mut silence, |devices, _| {
            let (mut session, functions) = prepare(args, program, devices)?;
            for (function, benchmark) in functions.iter().zip(report.benchmarks_mut()) {
                let split = measure::split(&mut session, function, plan, profiler)?;
                benchmark.set_split(split);
            }
            Ok(())
        })
}

/// A function to call, with its arguments on the device.
struct Function {
    name: String,
    /// The inputs as the user wrote them.
    inputs: Vec<String>,
    arguments: Vec<Argument<'static>>,
}

fn prepare(
    args: &BenchArgs,
    program: &Program,
    devices: &[Device],
) -> Result<(Session, Vec<Function>), Failure> {
    let session = program.session(devices, Vec::new())?;
    let functions = match args.calls.0.as_slice() {
        [call] if call.function.is_none() && call.inputs.is_empty() => without_inputs(&session)?,
        calls => calls
            .iter()
            .map(|call| with_inputs(&session, call, &devices[0]))
            .collect::<Result<_, _>>()?,
    };
    Ok((session, functions))
}

fn with_inputs(session: &Session, call: &Call, device: &Device) -> Result<Function, Failure> {
    let function = interface(session, call.function.as_deref())?;
    let arguments = arguments(&function, &call.inputs, device)?;
    Ok(Function {
        name: function.name,
        inputs: call.inputs.clone(),
        arguments,
    })
}

fn arguments(
    function: &Interface,
    inputs: &[String],
    device: &Device,
) -> Result<Vec<Argument<'static>>, Failure> {
    io::parse(function, inputs, &mut Reader::default())?
        .iter()
        .map(|input| io::resident(input, device))
        .collect::<crate::Result<_>>()
        .map_err(|error| Failure::calling(&error))
}

/// Every function of the main module that takes nothing.
fn without_inputs(session: &Session) -> Result<Vec<Function>, Failure> {
    let mut others = Vec::new();
    let mut functions = Vec::new();
    for function in session.main_functions() {
        if is_internal(function.name()) {
            continue;
        }
        match function.argument_kinds() {
            Ok(kinds) if kinds.is_empty() => functions.push(Function {
                name: function.name().to_owned(),
                inputs: Vec::new(),
                arguments: Vec::new(),
            }),
            _ => others.push(function.name().to_owned()),
        }
    }
    if functions.is_empty() {
        let failure = Failure::new(
            USAGE,
            "the main module has no function that takes no inputs; name one with --function= and its --input=",
        );
        return Err(match others.is_empty() {
            true => failure,
            false => failure.help(format!("there are: {}", others.join(", "))),
        });
    }
    Ok(functions)
}
