//! The `hipstream` program, as a user types it.

mod bench;
mod check;
mod dispatch;
mod forms;
mod inspect;
mod program;
mod run;

use std::path::PathBuf;
use std::process::{Command, Output};

/// The program, with no device chosen by the environment.
fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hipstream"));
    command.env_remove("HIPSTREAM_DEVICE");
    command
}

fn hipstream(args: &[&str]) -> Output {
    command().args(args).output().expect("the program starts")
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).expect("UTF-8")
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).expect("UTF-8")
}

#[track_caller]
fn assert_fails(output: &Output, code: i32, parts: &[&str]) {
    let text = stderr(output);
    assert_eq!(output.status.code(), Some(code), "{text}");
    for part in parts {
        assert!(text.contains(part), "no `{part}` in:\n{text}");
    }
}

struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("hipstream-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a temporary folder");
        Self(folder)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("UTF-8").to_owned()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Left behind, it would do no harm.
        drop(std::fs::remove_dir_all(&self.0));
    }
}
