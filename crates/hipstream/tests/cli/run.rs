//! `hipstream run`, as a user types it.

use std::io::Write;
use std::process::{Output, Stdio};

use super::{Scratch, assert_fails, command, hipstream, stderr, stdout};

const TARGETS: [&str; 2] = ["gfx1100", "old_gfx1100"];

/// `run` of a fixture on the software GPU.
fn run(module: &str, args: &[&str]) -> Output {
    let module = format!("--module={}", fixtures::path(module).display());
    let mut all = vec!["run", &module, "--device=software"];
    all.extend(args);
    hipstream(&all)
}

#[track_caller]
fn assert_prints(output: &Output, text: &str) {
    assert!(output.status.success(), "{}", stderr(output));
    assert_eq!(stdout(output), text);
}

const A: &str = "--input=4x4xf32=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16";
const B: &str = "--input=4x4xf32=[[16 15 14 13][12 11 10 9][8 7 6 5][4 3 2 1]]";
const PRODUCT: &str = "4x4xf32=[80 70 60 50][240 214 188 162][400 358 316 274][560 502 444 386]";

#[test]
fn results_are_printed_and_the_first_line_says_where_it_ran() {
    for target in TARGETS {
        let module = format!("{target}/matmul_4.vmfb");
        for mode in ["--command_buffer_mode=stream", "--hip-use-streams=false"] {
            let output = run(&module, &["--function=matmul_4", A, B, mode]);
            let wanted = format!("EXEC @matmul_4\nresult[0]: hal.buffer_view\n{PRODUCT}\n");
            assert_prints(&output, &wanted);
            let first = stderr(&output).lines().next().unwrap_or_default();
            let parts = ["matmul_4.vmfb on software", "gfx1100"];
            assert!(parts.iter().all(|part| first.contains(part)), "{first}");
        }
    }
}

#[test]
fn the_only_function_need_not_be_named() {
    assert_prints(
        &run("gfx1100/matmul_4.vmfb", &[A, B, "--output=-"]),
        &format!("EXEC @matmul_4\nhal.buffer_view\n{PRODUCT}\n"),
    );
    let several = run("gfx1100/ledger.vmfb", &["--input=1"]);
    assert_fails(
        &several,
        2,
        &[
            "--function= must be specified",
            "there are: deposit, record",
        ],
    );
    let unknown = run("gfx1100/ledger.vmfb", &["--function=withdraw"]);
    assert_fails(&unknown, 2, &["NOT_FOUND", "`withdraw`", "`deposit`"]);
}

#[test]
fn scalars_of_every_kind_go_in_and_come_out() {
    for target in TARGETS {
        let inputs = ["--input=-1", "--input=0x10", "--input=3.5", "--input=i32=4"];
        let output = run(&format!("{target}/scalars.vmfb"), &inputs);
        assert_prints(
            &output,
            "EXEC @mix\nresult[0]: i64=15\nresult[1]: f32=1.75\nresult[2]: i32=-5\n",
        );
    }
}

#[test]
fn a_module_comes_from_standard_input() {
    let bytes = std::fs::read(fixtures::path("gfx1100/scalars.vmfb")).expect("a fixture");
    let mut child = command()
        .args(["run", "--module=-", "--device=software"])
        .args(["--input=1", "--input=2", "--input=3", "--input=4"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(&bytes).expect("it reads");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stdout(&output).starts_with("EXEC @mix\nresult[0]: i64=3\n"));
}

#[test]
fn results_go_to_files_and_come_back() {
    let scratch = Scratch::new("run-files");
    let (npy, bin) = (scratch.file("y.npy"), scratch.file("y.bin"));
    let (to_npy, to_bin) = (format!("--output=@{npy}"), format!("--output=@{bin}"));
    let module = "gfx1100/matmul_4.vmfb";
    assert_prints(&run(module, &[A, B, &to_npy]), "EXEC @matmul_4\n");
    assert_prints(&run(module, &[A, B, &to_bin]), "EXEC @matmul_4\n");
    let written = std::fs::read(&npy).expect("written");
    let raw = std::fs::read(&bin).expect("written");
    assert_eq!(raw.len(), 64);
    assert_eq!(written[128..], raw);
    assert!(written.starts_with(b"\x93NUMPY\x01\x00v\x00{'descr': '<f4', "));

    // Everywhere an array may come from, as an expectation.
    for expected in [
        format!("@{npy}"),
        format!("*{npy}"),
        format!("4x4xf32=@{bin}"),
        PRODUCT.to_owned(),
        "(ignored)".to_owned(),
    ] {
        let flag = format!("--expected_output={expected}");
        assert_prints(
            &run(module, &[A, B, &flag]),
            "EXEC @matmul_4\n[SUCCESS] all function outputs matched their expected values.\n",
        );
    }

    // Two arrays of one file, and scalars behind each other in another.
    let append = format!("--output=+{npy}");
    assert_prints(&run(module, &[A, B, &append]), "EXEC @matmul_4\n");
    let (first, next) = (format!("--input=@{npy}"), format!("--input=+{npy}"));
    let twice = run(module, &[&first, &next, "--output="]);
    assert_prints(&twice, "EXEC @matmul_4\n");
    let scalars = scratch.file("s.bin");
    let (start, go_on) = (
        format!("--output=@{scalars}"),
        format!("--output=+{scalars}"),
    );
    let inputs = ["--input=1", "--input=2", "--input=3", "--input=4"];
    let sinks = [start.as_str(), &go_on, &go_on];
    let output = run("gfx1100/scalars.vmfb", &[&inputs[..], &sinks].concat());
    assert_prints(&output, "EXEC @mix\n");
    let mut wanted = 3i64.to_le_bytes().to_vec();
    wanted.extend(1.5f32.to_le_bytes());
    wanted.extend((-3i32).to_le_bytes());
    assert_eq!(std::fs::read(&scalars).expect("written"), wanted);
}

#[test]
fn other_results_than_expected_are_shown() {
    let expected = "--expected_output=4x4xf32=1";
    let output = run("gfx1100/matmul_4.vmfb", &[A, B, expected]);
    assert_fails(&output, 1, &["outputs are not what was expected"]);
    let text = stdout(&output);
    let ones = "4x4xf32=[1 1 1 1][1 1 1 1][1 1 1 1][1 1 1 1]";
    assert_eq!(
        text,
        format!(
            "EXEC @matmul_4\n[FAILED] result[0]: element at index 0 (80) does not match the expected (1); expected that the view is equal to contents of a view of 4x4xf32\n  expected:\n{ones}\n  actual:\n{PRODUCT}\n"
        )
    );
    let loose = ["--expected-f32-threshold=600"];
    let output = run(
        "gfx1100/matmul_4.vmfb",
        &[&[A, B, expected], &loose[..]].concat(),
    );
    assert!(output.status.success(), "{}", stdout(&output));
    let inputs = ["--input=1", "--input=2", "--input=3", "--input=4"];
    let results = ["3", "1.5", "7"].map(|value| format!("--expected_output={value}"));
    let mut args = inputs.to_vec();
    args.extend(results.iter().map(String::as_str));
    let output = run("gfx1100/scalars.vmfb", &args);
    assert_fails(&output, 1, &[]);
    assert!(
        stdout(&output).contains("[FAILED] result[2]: i32=-3 does not match the expected i32=7")
    );
}

#[test]
fn calls_are_made_in_order_in_one_context() {
    for target in TARGETS {
        let output = run(
            &format!("{target}/ledger.vmfb"),
            &[
                "--function=deposit",
                "--input=5",
                "--function=deposit",
                "--input=7",
                "--output=-",
                "--function=record",
                "--input=4xf32=1",
                "--expected_output=4xf32=1.5,2.5,3.5,4.5",
                "--function=deposit",
                "--input=0",
            ],
        );
        assert_prints(
            &output,
            "EXEC @deposit\nresult[0]: i32=15\nEXEC @deposit\ni32=22\nEXEC @record\n[SUCCESS] all function outputs matched their expected values.\nEXEC @deposit\nresult[0]: i32=22\n",
        );
        let late = ["--input=1", "--function=deposit", "--function=deposit"];
        let output = run(&format!("{target}/ledger.vmfb"), &late);
        assert_fails(&output, 2, &["each --function comes before"]);
    }
}

#[test]
fn functions_that_return_early_are_waited_for() {
    for target in TARGETS {
        let output = run(
            &format!("{target}/ledger_async.vmfb"),
            &["--function=record", "--input=4xf32=1"],
        );
        assert_prints(
            &output,
            "EXEC @record\nresult[0]: hal.buffer_view\n4xf32=1.5 2.5 3.5 4.5\n",
        );
    }
}

#[test]
fn wrong_inputs_are_named_before_anything_runs() {
    let module = "gfx1100/add_dynamic.vmfb";
    for (inputs, parts) in [
        (
            &["--input=4xf32=1"][..],
            &["takes 2 inputs, but 1 was named by --input"][..],
        ),
        (
            &["--input=4xf32=1", "--input=4xi32=1"],
            &[
                "INVALID_ARGUMENT: input 1 of `add_dynamic`",
                "element type mismatch; expected f32 but have i32",
                "4xi32 was given, the function wants tensor<?xf32>",
                "help: it is declared `sync func @add_dynamic(",
            ],
        ),
        (
            &["--input=4xf32=1", "--input=2x2xf32=1"],
            &["input 1", "shape rank mismatch; expected 1 but have 2"],
        ),
        (
            &["--input=7", "--input=4xf32=1"],
            &["input 0", "write Nxf32=7"],
        ),
        (
            &["--input=4xf32=1,2", "--input=4xf32=1"],
            &["input 0", "4 elements, but 2 values"],
        ),
        (
            &["--input=4xf32=x", "--input=4xf32=1"],
            &["input 0", "`x` is not a number"],
        ),
    ] {
        let output = run(module, inputs);
        assert_fails(&output, 2, parts);
        assert_eq!(stdout(&output), "", "nothing was called");
    }
    let missing = run(module, &["--input=@/nowhere/x.npy", "--input=4xf32"]);
    assert_fails(&missing, 3, &["input 0", "/nowhere/x.npy"]);
    let sinks = run("gfx1100/matmul_4.vmfb", &[A, B, "--output=-", "--output=-"]);
    assert_fails(&sinks, 2, &["gives 1 result, but 2 were named by --output"]);
    let place = run("gfx1100/matmul_4.vmfb", &[A, B, "--output=y.npy"]);
    assert_fails(
        &place,
        2,
        &["`y.npy` is no place for a result", "@FILE.npy"],
    );
}

#[test]
fn what_a_program_says_is_passed_on() {
    for target in TARGETS {
        let ledger = format!("{target}/ledger.vmfb");
        let output = run(&ledger, &["--function=deposit", "--input=-1"]);
        assert_fails(
            &output,
            6,
            &[
                "FAILED_PRECONDITION: ",
                "a deposit must not be negative",
                "deposit+",
            ],
        );
    }
    // Only the program knows that both lengths must be the same.
    let output = run("gfx1100/add.vmfb", &["--input=1024xf32", "--input=(null)"]);
    assert_fails(&output, 2, &["INVALID_ARGUMENT"]);
}

#[test]
fn faults_of_kernels_are_explained() {
    let output = run(
        "gfx1100/mishaps.vmfb",
        &[
            "--function=take",
            "--input=16xf32",
            "--input=4xi32=99999999",
        ],
    );
    assert_fails(&output, 6, &["take_dispatch_0"]);
}

#[test]
fn more_memory_than_there_is_has_an_exit_code_of_its_own() {
    let huge = ["--function=ones", "--input=100000000000000"];
    let output = run("gfx1100/mishaps.vmfb", &huge);
    assert_fails(&output, 7, &["RESOURCE_EXHAUSTED", "400000000000000 bytes"]);
    let calls = [
        "--function=ones",
        "--input=2",
        "--function=ones",
        "--input=1",
    ];
    let output = run(
        "gfx1100/mishaps.vmfb",
        &[&calls[..], &["--max_memory=0"]].concat(),
    );
    assert_fails(&output, 7, &["RESOURCE_EXHAUSTED"]);
}

#[test]
fn the_last_of_several_modules_is_the_main_one() {
    let module = |file: &str| format!("--module={}", fixtures::path(file).display());
    let (scalars, product) = (
        module("gfx1100/scalars.vmfb"),
        module("gfx1100/matmul_4.vmfb"),
    );
    let run = |args: &[&str]| hipstream(&[&["run", "--device=software"], args].concat());
    let output = run(&[&scalars, &product, A, B, "--output="]);
    assert_prints(&output, "EXEC @matmul_4\n");
    // The others can be called by name.
    let inputs = ["--input=1", "--input=2", "--input=3", "--input=4"];
    let call = [&[&*scalars, &product, "--function=mix"], &inputs[..]].concat();
    assert!(stdout(&run(&call)).starts_with("EXEC @mix\nresult[0]: i64=3\n"));
}

#[test]
fn modules_of_another_chip_or_file_are_refused() {
    let output = run(
        "amdgpu_gfx942/add.vmfb",
        &["--input=1024xf32", "--input=1024xf32"],
    );
    assert_fails(
        &output,
        5,
        &["gfx942", "gfx1100", "--iree-rocm-target=gfx1100"],
    );
    let module = format!(
        "--module={}",
        fixtures::path("amdgpu_gfx942/add.vmfb").display()
    );
    let chip = "--device=software://gfx942";
    let output = hipstream(&[
        "run",
        &module,
        chip,
        "--input=1000xf32=2",
        "--input=1000xf32=3",
    ]);
    assert!(stdout(&output).contains("1000xf32=5 5 5"), "{output:?}");
    let chip = "--device=software://gfx90";
    assert_fails(&hipstream(&["run", &module, chip]), 4, &["gfx90", "gfx942"]);
    assert_fails(&run("gfx1100/no.vmfb", &[]), 3, &["no.vmfb"]);
    assert_fails(&run("gfx1100/abs.hsaco", &[]), 3, &["abs.hsaco"]);
    assert_fails(&hipstream(&["run"]), 2, &["--module"]);
    let module = format!("--module={}", fixtures::path("gfx1100/add.vmfb").display());
    let device = hipstream(&["run", &module, "--device=abacus"]);
    assert_fails(&device, 2, &["`abacus`", "software"]);
}

#[test]
fn parameters_are_found_in_their_scopes() {
    let file = |name: &str| {
        fixtures::path(format!("parameters/{name}"))
            .display()
            .to_string()
    };
    let splats = format!("--parameters={}", file("splats.irpa"));
    for target in TARGETS {
        let module = format!("{target}/parameters.vmfb");
        let missing = run(&module, &["--input=4xf32=1", &splats]);
        assert_fails(&missing, 2, &["NOT_FOUND", "model"]);
    }
    let nowhere = run("gfx1100/parameters.vmfb", &["--parameters=/nowhere.irpa"]);
    assert_fails(&nowhere, 3, &["/nowhere.irpa"]);
}

#[test]
fn long_results_are_cut_and_statistics_are_told() {
    let output = run(
        "gfx1100/matmul_4.vmfb",
        &[A, B, "--output_max_element_count=5", "--print_statistics"],
    );
    assert_prints(
        &output,
        "EXEC @matmul_4\nresult[0]: hal.buffer_view\n4x4xf32=[80 70 60 50][240...][...][...]\n",
    );
    let text = stderr(&output);
    assert!(text.contains("statistics: device memory: "), "{text}");
    let quiet = run("gfx1100/matmul_4.vmfb", &[A, B, "--print_statistics=false"]);
    assert!(!stderr(&quiet).contains("statistics"));
}

#[test]
fn kernels_are_counted_and_told_how_faithful_they_are() {
    let output = run("gfx1100/matmul_4.vmfb", &[A, B, "--stats", "--fidelity"]);
    let text = stderr(&output);
    for part in [
        "stats: kernel matmul_4_dispatch_0_matmul_4x4x4_f32",
        "launches 1, workgroups 1, waves 1",
        "stats:   global bytes: loaded 536, stored 64",
        "stats:   active lanes 50.0 %",
        "fidelity: valu    v_mul_f32",
    ] {
        assert!(text.contains(part), "no `{part}` in:\n{text}");
    }
    let softmax = run(
        "gfx1100/softmax.vmfb",
        &["--input=8x64xf32=rand:1", "--output=", "--fidelity"],
    );
    let text = stderr(&softmax);
    assert!(text.contains("within 1 ulp (hardware within 1)"), "{text}");
}

#[test]
fn counts_are_written_as_json() {
    let scratch = Scratch::new("stats");
    let file = scratch.0.join("stats.json");
    let stats = format!("--stats={}", file.display());
    let output = run("gfx1100/matmul_4.vmfb", &[A, B, &stats, "--check=waits"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(!stderr(&output).contains("stats:"), "it is in the file");
    let text = std::fs::read_to_string(&file).expect("it was written");
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    for kind in ["launches", "kernels"] {
        let one = &json[kind][0];
        assert_eq!(one["kernel"], "matmul_4_dispatch_0_matmul_4x4x4_f32");
        assert_eq!(one["global_bytes"]["stored"], 64);
        assert_eq!(one["instructions"]["store"], 1);
    }
    assert_eq!(json["launches"][0]["grid"], serde_json::json!([1, 1, 1]));
    assert_eq!(json["checks"], serde_json::json!(["waits"]));
    assert_eq!(json["findings"], serde_json::json!([]));
    let mnemonics = json["instructions"].as_array().expect("a list");
    assert!(mnemonics.iter().any(|row| row["fidelity"] == "exact"));
}

#[test]
fn checks_of_a_program_that_is_right_find_nothing() {
    let output = run("gfx1100/matmul_4.vmfb", &[A, B, "--check=all"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let text = stderr(&output);
    assert!(text.contains("check: nothing found in 1 launch"), "{text}");
    let unknown = run("gfx1100/matmul_4.vmfb", &[A, B, "--check=luck"]);
    assert_fails(
        &unknown,
        2,
        &["no check `luck`", "memory, races, waits, all"],
    );
}

#[test]
fn programs_and_drivers_can_be_watched() {
    let inputs = ["--input=1", "--input=2", "--input=3", "--input=4"];
    let output = run(
        "gfx1100/scalars.vmfb",
        &[&inputs[..], &["--trace_execution"]].concat(),
    );
    assert!(
        stderr(&output).contains("vm.add.i64"),
        "{}",
        stderr(&output)
    );
    let output = run("gfx1100/matmul_4.vmfb", &[A, B, "--trace-hip"]);
    assert!(
        stderr(&output).contains("hip: hipModuleLaunchKernel"),
        "{}",
        stderr(&output)
    );
}
