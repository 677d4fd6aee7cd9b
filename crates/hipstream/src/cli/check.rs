//! `hipstream check`: modules that test themselves.

use std::io::Write;
use std::time::Instant;

use clap::Args;
use hal::Device;

use super::load::{LoadArgs, Program};
use super::report::{DIFFERS, Failure, USAGE};
use super::run::is_internal;
use super::select::DeviceArgs;
use crate::modules::check::{CheckModule, Failures};

pub(super) const EXAMPLES: &str = "\
Examples:
  hipstream check --module=tests.vmfb --device=software
  hipstream check --module=tests.vmfb --filter=softmax";

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    load: LoadArgs,
    /// Only tests with this in their name.
    #[arg(long, value_name = "TEXT", default_value = "")]
    filter: String,
    /// Succeed if any test fails, and fail if none does.
    #[arg(long = "expect_failure", value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true", action = clap::ArgAction::Set)]
    expect_failure: bool,
    #[command(flatten)]
    device: DeviceArgs,
}

pub(super) fn run(
    args: &CheckArgs,
    stdout: &mut dyn Write,
    stderr: &mut dyn Write,
) -> Result<(), Failure> {
    let program = args.load.read()?;
    let what = args.load.names();
    let failed = args.device.with(&what, stderr, |devices, _| {
        let tests = Tests::find(&program, devices, &args.filter)?;
        tests.run(&program, devices, stdout)
    })?;
    match (failed, args.expect_failure) {
        (0, false) => Ok(()),
        (failed, false) => Err(Failure::new(DIFFERS, format!("{} failed", plural(failed)))),
        (0, true) => Err(Failure::new(
            DIFFERS,
            "every test passed, but a failure was expected",
        )),
        (_, true) => Ok(()),
    }
}

/// The tests of the main module.
struct Tests {
    module: String,
    names: Vec<String>,
}

impl Tests {
    /// Every export that takes nothing and is not for the machinery around it.
    fn find(program: &Program, devices: &[Device], filter: &str) -> Result<Self, Failure> {
        let session =
            program.session(devices, vec![Box::new(CheckModule::new(&Failures::new()))])?;
        let mut module = None;
        let mut names = Vec::new();
        for function in session.main_functions() {
            let name = function.name();
            module = Some(function.module().to_owned());
            if is_internal(name) {
                continue;
            }
            let takes_nothing = function
                .argument_kinds()
                .is_ok_and(|kinds| kinds.is_empty());
            if !takes_nothing || !function.signature().results().is_empty() {
                return Err(Failure::new(
                    USAGE,
                    format!(
                        "`{name}` is no test: a test takes nothing and gives nothing, its calling convention is `{}`",
                        function.signature()
                    ),
                )
                .help("`hipstream run` calls functions with inputs and results"));
            }
            if name.contains(filter) {
                names.push(name.to_owned());
            }
        }
        let module =
            module.ok_or_else(|| Failure::new(USAGE, "the main module has no functions"))?;
        match names.is_empty() {
            true => Err(Failure::new(
                USAGE,
                match filter {
                    "" => format!("module `{module}` has no tests"),
                    filter => format!("module `{module}` has no test with `{filter}` in its name"),
                },
            )),
            false => Ok(Self { module, names }),
        }
    }

    /// Runs each test in a context of its own. How many failed.
    fn run(
        &self,
        program: &Program,
        devices: &[Device],
        stdout: &mut dyn Write,
    ) -> Result<usize, Failure> {
        let count = plural(self.names.len());
        let module = &self.module;
        writeln!(stdout, "[==========] Running {count} from 1 test suite.")?;
        writeln!(stdout, "[----------] {count} from {module}")?;
        let begun = Instant::now();
        let mut failed = Vec::new();
        for name in &self.names {
            writeln!(stdout, "[ RUN      ] {module}.{name}")?;
            stdout.flush()?;
            let started = Instant::now();
            let failures = test(program, devices, name)?;
            for failure in &failures {
                writeln!(stdout, "{failure}")?;
            }
            let milliseconds = started.elapsed().as_millis();
            let verdict = match failures.is_empty() {
                true => "[       OK ]",
                false => "[  FAILED  ]",
            };
            writeln!(stdout, "{verdict} {module}.{name} ({milliseconds} ms)")?;
            if !failures.is_empty() {
                failed.push(name);
            }
        }
        let total = begun.elapsed().as_millis();
        writeln!(
            stdout,
            "[----------] {count} from {module} ({total} ms total)\n"
        )?;
        writeln!(
            stdout,
            "[==========] {count} from 1 test suite ran. ({total} ms total)"
        )?;
        writeln!(
            stdout,
            "[  PASSED  ] {}.",
            plural(self.names.len() - failed.len())
        )?;
        if !failed.is_empty() {
            writeln!(
                stdout,
                "[  FAILED  ] {}, listed below:",
                plural(failed.len())
            )?;
            for name in &failed {
                writeln!(stdout, "[  FAILED  ] {module}.{name}")?;
            }
            writeln!(
                stdout,
                "\n{} FAILED TEST{}",
                failed.len(),
                if failed.len() == 1 { "" } else { "S" }
            )?;
        }
        Ok(failed.len())
    }
}

/// What one test found wrong; a call that fails is one thing more.
fn test(program: &Program, devices: &[Device], name: &str) -> Result<Vec<String>, Failure> {
    let failures = Failures::new();
    let mut session = program.session(devices, vec![Box::new(CheckModule::new(&failures))])?;
    let result = session.call(name, &[]);
    let mut found = failures.take();
    if let Err(error) = result {
        found.push(Failure::calling(&error).to_string());
    }
    Ok(found)
}

fn plural(count: usize) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} test{s}")
}
