//! `hipstream inspect` and `hipstream disasm`, as a user types them.

use std::process::Output;

use super::{Scratch, assert_fails, hipstream, stderr, stdout};

fn command(name: &str, file: &str, args: &[&str]) -> Output {
    let file = fixtures::path(file);
    let mut all = vec![name, file.to_str().expect("UTF-8")];
    all.extend(args);
    hipstream(&all)
}

#[track_caller]
fn assert_prints(output: &Output, parts: &[&str]) {
    assert!(output.status.success(), "{}", stderr(output));
    let text = stdout(output);
    for part in parts {
        assert!(text.contains(part), "no `{part}` in:\n{text}");
    }
}

#[test]
fn a_module_shows_what_it_has_and_needs() {
    for (target, bytecode, container, workgroup) in [
        (
            "gfx1100",
            "bytecode 17.0",
            "HIP1 container",
            "workgroup 4x4x1, 0",
        ),
        (
            "old_gfx1100",
            "bytecode 15.0",
            "ROCM container",
            "workgroup 4x4x1, LDS 256 bytes (dynamic), 0",
        ),
    ] {
        let output = command("inspect", &format!("{target}/matmul_4.vmfb"), &[]);
        assert_prints(
            &output,
            &[
                bytecode,
                container,
                "for gfx1100",
                workgroup,
                "sync func @matmul_4(%input0: tensor<4x4xf32>, %input1: tensor<4x4xf32>) -> (%output0: tensor<4x4xf32>) [0rr_r]",
                "hal.buffer_view.assert",
                "0 constants, bindings read read write",
            ],
        );
        assert!(!stdout(&output).contains("NOT PROVIDED"));
        assert!(
            !stdout(&output).contains("__init"),
            "that is not for users to call"
        );
    }
    let output = command("inspect", "gfx1100/checks.vmfb", &[]);
    assert_prints(&output, &["check.expect_eq ", "0rrr_v  optional\n"]);
    let output = command("inspect", "gfx1100/matmul_f16.vmfb", &[]);
    assert_prints(&output, &["LDS 17408 bytes, "]);
}

#[test]
fn parameters_that_a_module_wants_are_named() {
    for target in ["gfx1100", "old_gfx1100"] {
        let output = command("inspect", &format!("{target}/parameters.vmfb"), &[]);
        assert_prints(&output, &["parameters wanted: model::m, model::w, shift\n"]);
        assert!(!stdout(&output).contains("NOT PROVIDED"));
    }
    let output = command("inspect", "gfx1100/add.vmfb", &[]);
    assert!(!stdout(&output).contains("parameters wanted"));
}

#[test]
fn other_files_are_told_apart() {
    for (file, part) in [
        ("gfx1100/abs.hsaco", "bare code object for gfx1100"),
        ("gfx942/abs.fb", "HIP1 container for gfx942"),
        ("amdgpu_gfx1100/add.fb", "AMD1 container for gfx1100"),
        ("parameters/model.gguf", "gguf, 3 entries"),
        ("parameters/model.safetensors", "safetensors, 3 entries"),
    ] {
        assert_prints(&command("inspect", file, &[]), &[part]);
    }
    let readme = command("inspect", "README.md", &[]);
    assert_fails(&readme, 3, &["README.md", "no file that hipstream reads"]);
    let missing = command("inspect", "no/such.vmfb", &[]);
    assert_fails(&missing, 3, &["no/such.vmfb"]);
}

#[test]
fn json_has_the_same_facts() {
    let output = command("inspect", "gfx1100/matmul_4.vmfb", &["--json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(json["schema_version"], 1);
    let module = &json["module"];
    assert_eq!(module["functions"][0]["name"], "matmul_4");
    assert_eq!(module["functions"][0]["is_async"], false);
    assert_eq!(module["imports"][0]["provided"], true);
    let executable = &module["executables"][0];
    assert_eq!(executable["target"], "gfx1100");
    assert_eq!(executable["exports"][0]["bindings"][2]["read_only"], false);
    let output = command("inspect", "parameters/model.gguf", &["--json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(json["parameters"]["entries"][0]["name"], "w");
    let output = command("inspect", "gfx1100/ledger_async.vmfb", &["--json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(json["module"]["functions"][0]["is_async"], true);
}

#[test]
fn programs_are_printed_whole_or_by_function() {
    let whole = command("disasm", "gfx1100/scalars.vmfb", &[]);
    assert_prints(
        &whole,
        &["vm.export @mix", "vm.func 0 \"0iIfi_Ifi\"", "vm.return"],
    );
    for name in ["mix", "0"] {
        let flag = format!("--function={name}");
        let one = command("disasm", "gfx1100/scalars.vmfb", &[&flag]);
        assert_prints(&one, &["vm.add.i64", "vm.return"]);
        assert!(!stdout(&one).contains("vm.export"));
    }
    let missing = command("disasm", "gfx1100/scalars.vmfb", &["--function=max"]);
    assert_fails(&missing, 2, &["`max`", "exported are: mix"]);
    assert_fails(&command("disasm", "gfx1100/abs.fb", &[]), 3, &["abs.fb"]);
}

#[test]
fn damaged_modules_are_refused_with_a_reason() {
    let bytes = std::fs::read(fixtures::path("gfx1100/scalars.vmfb")).expect("a fixture");
    let scratch = Scratch::new("damaged");
    let file = scratch.file("cut.vmfb");
    std::fs::write(&file, &bytes[..bytes.len() / 2]).expect("writable");
    assert_fails(&hipstream(&["inspect", &file]), 3, &["cut.vmfb"]);
    assert_fails(&hipstream(&["disasm", &file]), 3, &["cut.vmfb"]);
}
