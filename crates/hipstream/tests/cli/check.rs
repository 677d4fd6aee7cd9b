//! `hipstream check`, as a user types it.

use std::process::Output;

use super::{assert_fails, hipstream, stderr, stdout};

fn check(module: &str, args: &[&str]) -> Output {
    let module = format!("--module={}", fixtures::path(module).display());
    let mut all = vec!["check", &module, "--device=software"];
    all.extend(args);
    hipstream(&all)
}

/// The lines, without the times.
fn lines(output: &Output) -> Vec<String> {
    let untimed = |line: &str| match line.rsplit_once(" (") {
        Some((text, time)) if time.contains(" ms") => text.to_owned(),
        _ => line.to_owned(),
    };
    stdout(output).lines().map(untimed).collect()
}

#[test]
fn tests_pass_or_fail_each_for_itself() {
    for target in ["gfx1100", "old_gfx1100"] {
        let output = check(&format!("{target}/checks.vmfb"), &[]);
        assert_fails(&output, 1, &["checks.vmfb on software", "1 test failed"]);
        let lines = lines(&output);
        let frame: Vec<_> = lines.iter().filter(|line| line.starts_with('[')).collect();
        assert_eq!(
            frame,
            [
                "[==========] Running 2 tests from 1 test suite.",
                "[----------] 2 tests from module",
                "[ RUN      ] module.hold",
                "[       OK ] module.hold",
                "[ RUN      ] module.do_not_hold",
                "[  FAILED  ] module.do_not_hold",
                "[----------] 2 tests from module",
                "[==========] 2 tests from 1 test suite ran.",
                "[  PASSED  ] 1 test.",
                "[  FAILED  ] 1 test, listed below:",
                "[  FAILED  ] module.do_not_hold",
            ]
        );
        assert!(
            lines.iter().any(|line| line.starts_with("expect_eq: ")),
            "{lines:?}"
        );
        assert_eq!(lines.last().map(String::as_str), Some("1 FAILED TEST"));
    }
}

#[test]
fn failures_may_be_what_is_expected() {
    let module = "gfx1100/checks.vmfb";
    let failing = check(module, &["--expect_failure"]);
    assert!(failing.status.success(), "{}", stderr(&failing));
    let passing = check(module, &["--filter=module.hold"]);
    assert_fails(&passing, 2, &["no test with `module.hold`"]);
    let passing = check(module, &["--filter=hold", "--expect_failure=true"]);
    assert!(passing.status.success(), "both hold and do_not_hold ran");
    let error = check("gfx1100/add.vmfb", &[]);
    assert_fails(&error, 2, &["`add` is no test", "hipstream run"]);
}
