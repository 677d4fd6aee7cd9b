//! What holds for the whole program: help, spelling of flags, completions, pages.

use super::{Scratch, assert_fails, hipstream, stderr, stdout};

#[test]
fn completions_know_the_commands() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = hipstream(&["completions", shell]);
        assert!(output.status.success(), "{shell}: {}", stderr(&output));
        assert!(stdout(&output).contains("dispatch"), "{shell}");
    }
    assert_fails(&hipstream(&["completions", "dos"]), 2, &["bash"]);
}

#[test]
fn every_command_has_a_page() {
    let scratch = Scratch::new("man");
    let folder = scratch.file("pages");
    let output = hipstream(&["man", "--out", &folder]);
    assert!(output.status.success(), "{}", stderr(&output));
    let page = std::fs::read_to_string(format!("{folder}/hipstream-dispatch.1")).expect("written");
    assert!(page.contains(".TH hipstream-dispatch 1"), "{page}");
    let printed = hipstream(&["man", "dispatch"]);
    assert_eq!(stdout(&printed), page);
    assert!(stdout(&hipstream(&["man"])).contains(".TH hipstream 1"));
    assert_fails(&hipstream(&["man", "nope"]), 2, &["`nope`", "dispatch"]);
}

#[test]
fn flags_are_spelled_both_ways_and_come_from_files() {
    for flag in ["--hip_dylib_path=/nowhere", "--hip-dylib-path=/nowhere"] {
        let output = hipstream(&["devices", flag]);
        assert!(stdout(&output).contains("/nowhere"), "{flag}");
    }
    let scratch = Scratch::new("flagfile");
    let file = scratch.file("flags");
    std::fs::write(
        &file,
        "# where to look\n--hip_dylib_path=/nowhere\n--json\n",
    )
    .expect("writable");
    let flag = format!("--flagfile={file}");
    let output = hipstream(&["devices", &flag]);
    let text = stdout(&output);
    assert!(text.contains("/nowhere") && text.starts_with('{'), "{text}");
    let missing = hipstream(&["devices", "--flagfile=/nowhere/flags"]);
    assert_fails(&missing, 2, &["--flagfile=/nowhere/flags"]);
}

#[test]
fn mistakes_in_flags_are_pointed_at() {
    assert_fails(&hipstream(&["devices", "--jsn"]), 2, &["--jsn", "--json"]);
    assert_fails(&hipstream(&["dance"]), 2, &["dance"]);
}
