//! `cargo xtask check`: everything a change must pass, in the order in which
//! it fails fastest.

use std::process::Command;

/// Runs every step, or the one named by the first argument.
pub(crate) fn run(args: &[String]) -> Result<(), String> {
    let only = args.first().map(String::as_str);
    if let Some(name) = only
        && !STEPS.iter().any(|step| step.name == name)
    {
        let names: Vec<_> = STEPS.iter().map(|step| step.name).collect();
        return Err(format!("no step `{name}`; there are {}", names.join(", ")));
    }
    for step in STEPS {
        if only.is_none_or(|name| name == step.name) {
            step.run()?;
        }
    }
    Ok(())
}

struct Step {
    name: &'static str,
    cargo: &'static [&'static str],
    env: &'static [(&'static str, &'static str)],
    /// A cargo subcommand that a machine may lack: its absence skips the step.
    optional: bool,
}

const STEPS: &[Step] = &[
    Step {
        name: "fmt",
        cargo: &["fmt", "--all", "--check"],
        env: &[],
        optional: false,
    },
    Step {
        name: "clippy",
        cargo: &[
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ],
        env: &[],
        optional: false,
    },
    Step {
        name: "test",
        cargo: &["test", "--workspace"],
        env: &[],
        optional: false,
    },
    Step {
        name: "doc",
        cargo: &["doc", "--workspace", "--no-deps"],
        env: &[("RUSTDOCFLAGS", "-D warnings")],
        optional: false,
    },
    Step {
        name: "deny",
        cargo: &["deny", "--workspace", "check", "licenses", "bans"],
        env: &[],
        optional: true,
    },
];

impl Step {
    fn run(&self) -> Result<(), String> {
        eprintln!("== {}: cargo {}", self.name, self.cargo.join(" "));
        if self.optional && !has_subcommand(self.cargo[0]) {
            eprintln!(
                "skipped: cargo-{0} is not installed (cargo install cargo-{0})",
                self.cargo[0]
            );
            return Ok(());
        }
        let status = Command::new("cargo")
            .args(self.cargo)
            .envs(self.env.iter().copied())
            .status()
            .map_err(|error| format!("cannot start cargo: {error}"))?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("step `{}` failed", self.name))
        }
    }
}

fn has_subcommand(name: &str) -> bool {
    Command::new(format!("cargo-{name}"))
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success())
}
