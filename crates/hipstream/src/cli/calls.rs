//! Which functions are called with what: flags in groups, each begun by
//! `--function`.

use clap::error::ErrorKind;
use clap::{ArgMatches, Args, Command, FromArgMatches};

use super::io::Sink;

/// Calls, made in order in one context.
#[derive(Clone, Debug)]
pub(super) struct Calls(pub(super) Vec<Call>);

/// Calls whose results nobody looks at.
#[derive(Clone, Debug)]
pub(super) struct PlainCalls(pub(super) Vec<Call>);

/// One call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Call {
    /// The function; without one, the only one that the main module has.
    pub(super) function: Option<String>,
    pub(super) inputs: Vec<String>,
    pub(super) outputs: Vec<Sink>,
    pub(super) expected: Vec<String>,
}

/// The flags of calls, for help and parsing; which belongs to which call their
/// order tells.
#[derive(Debug, Args)]
struct Flags {
    /// The function to call: its name, or MODULE.NAME. May be left out if the main module has only one. Repeated, each begins a call with the flags that follow it; the calls share one context, in which state is kept.
    #[arg(long, value_name = "NAME")]
    function: Vec<String>,
    /// An input, in the function's order: a number, SHAPExTYPE=VALUES, SHAPExTYPE=@FILE.bin, @FILE.npy … (repeatable).
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    input: Vec<String>,
}

/// What is done with the results of calls.
#[derive(Debug, Args)]
struct ResultFlags {
    /// Where a result goes, in the function's order: `-` prints it, nothing ignores it, @FILE.npy or @FILE.bin write it, with + for @ at the end of the file (repeatable; default: all are printed).
    #[arg(long, value_name = "PLACE", allow_hyphen_values = true)]
    output: Vec<Sink>,
    /// What a result must be, in the function's order, as --input; `(ignored)` is anything. Exit code 1 if one is not (repeatable).
    #[arg(
        long = "expected_output",
        value_name = "VALUE",
        allow_hyphen_values = true
    )]
    expected_output: Vec<String>,
}

impl Args for Calls {
    fn augment_args(command: Command) -> Command {
        ResultFlags::augment_args(Flags::augment_args(command))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl Args for PlainCalls {
    fn augment_args(command: Command) -> Command {
        Flags::augment_args(command).mut_arg("function", |arg| {
            arg.help("The function to call: its name, or MODULE.NAME. Without one, every function of the main module that takes no inputs is called, or with --input the only one there is. Repeated, each begins a call with the flags that follow it; the calls share one context, in which state is kept.")
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Calls {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut groups = Groups::new(matches, &["input", "output", "expected_output"])?;
        groups.take(matches, "input", |call, input| call.inputs.push(input));
        groups.take(matches, "output", |call, sink| call.outputs.push(sink));
        groups.take(matches, "expected_output", |call, value| {
            call.expected.push(value);
        });
        Ok(Self(groups.calls))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl FromArgMatches for PlainCalls {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut groups = Groups::new(matches, &["input"])?;
        groups.take(matches, "input", |call, input| call.inputs.push(input));
        Ok(Self(groups.calls))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The calls, and where on the command line each begins.
struct Groups {
    calls: Vec<Call>,
    starts: Vec<usize>,
}

impl Groups {
    /// A call for each function; `flags` belong to one of them each.
    fn new(matches: &ArgMatches, flags: &[&str]) -> Result<Self, clap::Error> {
        let starts = indices(matches, "function");
        let first = flags.iter().flat_map(|name| indices(matches, name)).min();
        if starts.len() > 1 && first.is_some_and(|first| first < starts[0]) {
            let flags: Vec<_> = flags.iter().map(|name| format!("--{name}")).collect();
            return Err(clap::Error::raw(
                ErrorKind::ArgumentConflict,
                format!(
                    "with several calls, each --function comes before its {}\n",
                    flags.join(", ")
                ),
            ));
        }
        let mut calls = vec![Call::default(); starts.len().max(1)];
        for (number, (name, _)) in values::<String>(matches, "function").enumerate() {
            calls[number].function = Some(name);
        }
        Ok(Self { calls, starts })
    }

    /// Gives the values of a flag to the calls that they belong to.
    fn take<T: Clone + Send + Sync + 'static>(
        &mut self,
        matches: &ArgMatches,
        flag: &str,
        give: impl Fn(&mut Call, T),
    ) {
        for (value, index) in values(matches, flag) {
            let begun = self.starts.iter().filter(|&&start| start < index).count();
            give(&mut self.calls[begun.saturating_sub(1)], value);
        }
    }
}

fn indices(matches: &ArgMatches, name: &str) -> Vec<usize> {
    matches
        .indices_of(name)
        .map(Iterator::collect)
        .unwrap_or_default()
}

/// The values of a flag, with their places on the command line.
fn values<T: Clone + Send + Sync + 'static>(
    matches: &ArgMatches,
    name: &str,
) -> impl Iterator<Item = (T, usize)> {
    let values: Vec<T> = matches
        .get_many(name)
        .map(|values| values.cloned().collect())
        .unwrap_or_default();
    values.into_iter().zip(indices(matches, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(args: &[&str]) -> Result<Vec<Call>, clap::Error> {
        let command = Calls::augment_args(Command::new("x"));
        let matches = command.try_get_matches_from(["x"].iter().chain(args))?;
        Ok(Calls::from_arg_matches(&matches)?.0)
    }

    fn call(function: Option<&str>, inputs: &[&str], outputs: &[Sink], expected: &[&str]) -> Call {
        let list = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
        Call {
            function: function.map(str::to_owned),
            inputs: list(inputs),
            outputs: outputs.to_vec(),
            expected: list(expected),
        }
    }

    #[test]
    fn one_call_takes_flags_in_any_order() {
        let args = [
            "--input=-1",
            "--function=f",
            "--input",
            "2xf32=1",
            "--output=",
        ];
        assert_eq!(
            calls(&args).expect("well formed"),
            [call(Some("f"), &["-1", "2xf32=1"], &[Sink::Ignore], &[])]
        );
        assert_eq!(calls(&[]).expect("well formed"), [Call::default()]);
    }

    #[test]
    fn functions_begin_calls() {
        let args = [
            "--function=f",
            "--input=1",
            "--output=-",
            "--function=g",
            "--function=f",
            "--input=2",
            "--input=3",
            "--expected_output=4",
        ];
        assert_eq!(
            calls(&args).expect("well formed"),
            [
                call(Some("f"), &["1"], &[Sink::Print], &[]),
                call(Some("g"), &[], &[], &[]),
                call(Some("f"), &["2", "3"], &[], &["4"]),
            ]
        );
        let early = ["--input=1", "--function=f", "--function=g"];
        let message = calls(&early).expect_err("whose input?").to_string();
        assert!(
            message.contains("each --function comes before"),
            "{message}"
        );
    }
}
