//! `hipstream dispatch` and `hipstream devices`, as a user types them.

use std::process::Output;

use super::{Scratch, assert_fails, hipstream, stderr, stdout};

const A: &str = "--binding=4x4xf32=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16";
const B: &str = "--binding=4x4xf32=16,15,14,13,12,11,10,9,8,7,6,5,4,3,2,1";
const PRODUCT: &str =
    "binding[2]: 4x4xf32=[80 70 60 50][240 214 188 162][400 358 316 274][560 502 444 386]\n";

/// `dispatch` of a fixture on the software GPU.
fn dispatch(file: &str, args: &[&str]) -> Output {
    let file = fixtures::path(file);
    let mut all = vec![
        "dispatch",
        file.to_str().expect("UTF-8"),
        "--device=software",
    ];
    all.extend(args);
    hipstream(&all)
}

#[test]
fn a_matmul_of_every_form_gives_the_product() {
    for file in [
        "gfx1100/matmul_4.vmfb",
        "gfx1100/matmul_4.fb",
        "gfx1100/matmul_4.hsaco",
        "old_gfx1100/matmul_4.vmfb",
        "old_gfx1100/matmul_4.fb",
    ] {
        for mode in ["--command_buffer_mode=stream", "--hip_use_streams=false"] {
            let output = dispatch(
                file,
                &["--workgroups=1,1,1", A, B, "--binding=4x4xf32", mode],
            );
            assert!(output.status.success(), "{file}: {}", stderr(&output));
            assert_eq!(stdout(&output), PRODUCT, "{file} {mode}");
            let first = stderr(&output).lines().next().unwrap_or_default();
            assert!(
                first.contains("software") && first.contains("gfx1100"),
                "{first}"
            );
        }
    }
}

#[test]
fn a_bare_code_object_takes_its_dynamic_lds_from_the_command_line() {
    let args = [
        "--workgroups=1",
        A,
        B,
        "--binding=4x4xf32",
        "--dynamic_lds=256",
        "--workgroup_size=4,4",
    ];
    let output = dispatch("old_gfx1100/matmul_4.hsaco", &args);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(stdout(&output), PRODUCT);
}

#[test]
fn constants_are_passed_in_order() {
    for target in ["gfx1100", "old_gfx1100"] {
        let output = dispatch(
            &format!("{target}/scale_and_offset.fb"),
            &[
                "--workgroups=1,1,1",
                "--constant=3",
                "--constant=10",
                "--binding=4xi32=1,2,3,4",
                "--binding=4xi32",
                "--expected_output=1=4xi32=13,16,19,22",
                "--output=1",
            ],
        );
        assert!(output.status.success(), "{}", stderr(&output));
        assert_eq!(stdout(&output), "binding[1]: 4xi32=13 16 19 22\n");
    }
}

#[test]
fn files_go_in_and_out() {
    let scratch = Scratch::new("files");
    let out = scratch.file("out.npy");
    let input = |name: &str| format!("--binding=@{}", fixtures::path(name).display());
    let expected = format!(
        "--expected_output=2=@{}",
        fixtures::path("data/matmul_64.out.npy").display()
    );
    let case = fixtures::case("matmul_64").run("gfx1100");
    let workgroups = case.dispatches[0]
        .workgroups
        .map(|size| size.to_string())
        .join(",");
    let output = dispatch(
        "gfx1100/matmul_64.fb",
        &[
            &format!("--workgroups={workgroups}"),
            &input("data/matmul_64.a.npy"),
            &input("data/matmul_64.b.npy"),
            "--binding=64x64xf32",
            &format!("--output=2=@{out}"),
            &expected,
        ],
    );
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(stdout(&output), "", "the result went to the file");
    let written = std::fs::read(&out).expect("written");
    let product = &written[written.len() - 64 * 64 * 4..];
    fixtures::case("matmul_64")
        .buffer("out")
        .check(product)
        .expect("the product");
}

#[test]
fn commands_and_calls_can_be_seen() {
    let args = [
        "--workgroups=1",
        A,
        B,
        "--binding=4x4xf32",
        "--print-commands",
        "--trace-hip",
    ];
    let output = dispatch("gfx1100/matmul_4.fb", &args);
    let text = stderr(&output);
    for part in [
        "command: copy",
        "command: barrier",
        "command: dispatch",
        "hip: hipModuleLoadData",
        "hip: hipModuleLaunchKernel",
        "hip: hipMemcpyAsync",
    ] {
        assert!(text.contains(part), "no `{part}` in:\n{text}");
    }
    assert_eq!(stdout(&output), PRODUCT, "data stays apart");
    let graph = dispatch(
        "gfx1100/matmul_4.fb",
        &[&args[..], &["--command_buffer_mode=graph"]].concat(),
    );
    assert!(
        stderr(&graph).contains("hip: hipGraphLaunch"),
        "{}",
        stderr(&graph)
    );
}

#[test]
fn an_output_that_differs_is_exit_code_1() {
    let output = dispatch(
        "gfx1100/matmul_4.fb",
        &[
            "--workgroups=1",
            A,
            B,
            "--binding=4x4xf32",
            "--expected_output=2=4x4xf32=80",
        ],
    );
    assert_fails(&output, 1, &["binding[2]", "index 1 (70)", "(80)"]);
    assert_eq!(stdout(&output), PRODUCT, "the result is still shown");
}

#[test]
fn wrong_usage_is_exit_code_2_and_names_what_is_wrong() {
    let file = "gfx1100/matmul_4.fb";
    let few = dispatch(file, &["--workgroups=1", A]);
    assert_fails(
        &few,
        2,
        &["takes 3 bindings and 0 constants", "1 and 0 were given"],
    );
    let shape = dispatch(file, &["--workgroups=1", "--binding=64y128xf32=1"]);
    assert_fails(&shape, 2, &["`64y128` is not a size"]);
    let none = dispatch("gfx1100/negate_and_double.fb", &["--workgroups=1"]);
    assert_fails(
        &none,
        2,
        &["2 kernels could be meant", "negate", "double_it"],
    );
    let missing = dispatch(file, &["--workgroups=1", "--export=nothing"]);
    assert_fails(&missing, 2, &["there is no kernel `nothing`", "matmul"]);
    let index = dispatch(
        file,
        &["--workgroups=1", A, B, "--binding=4x4xf32", "--output=3"],
    );
    assert_fails(&index, 2, &["no binding 3"]);
    let device = hipstream(&["dispatch", "x", "--workgroups=1", "--device=vulkan"]);
    assert_eq!(device.status.code(), Some(3), "the file is looked at first");
}

#[test]
fn one_of_several_kernels_is_chosen_by_name_or_ordinal() {
    for (export, result) in [
        ("negate", "-1 2 -3 4"),
        ("double_it", "2 -4 6 -8"),
        ("0", "-1 2 -3 4"),
    ] {
        let output = dispatch(
            "gfx1100/negate_and_double.fb",
            &[
                &format!("--export={export}"),
                "--workgroups=1",
                "--binding=4xf32=1,-2,3,-4",
                "--binding=4xf32",
            ],
        );
        assert_eq!(
            stdout(&output),
            format!("binding[1]: 4xf32={result}\n"),
            "{}",
            stderr(&output)
        );
    }
}

#[test]
fn a_damaged_file_is_exit_code_3() {
    let scratch = Scratch::new("damaged");
    let whole = fixtures::read("gfx1100/matmul_4.vmfb");
    for (name, bytes) in [
        ("empty.vmfb", &whole[..0]),
        ("cut.vmfb", &whole[..whole.len() / 2]),
        ("text.vmfb", b"not a module at all".as_slice()),
    ] {
        let path = scratch.file(name);
        std::fs::write(&path, bytes).expect("writable");
        let output = hipstream(&["dispatch", &path, "--workgroups=1", "--device=software"]);
        assert_fails(&output, 3, &[name]);
    }
    let missing = hipstream(&["dispatch", "/nonexistent.vmfb", "--workgroups=1"]);
    assert_fails(&missing, 3, &["/nonexistent.vmfb"]);
}

#[test]
fn a_missing_library_is_exit_code_4_and_lists_every_place() {
    let file = fixtures::path("gfx1100/matmul_4.fb");
    let args = [
        "dispatch",
        file.to_str().expect("UTF-8"),
        "--workgroups=1",
        A,
        B,
        "--binding=4x4xf32",
        "--hip_dylib_path=/nonexistent/lib",
        "--hip_dylib_path=file:/nonexistent/libamdhip64.so",
    ];
    let hip = hipstream(&[&args[..], &["--device=hip"]].concat());
    assert_fails(
        &hip,
        4,
        &["/nonexistent/lib", "/nonexistent/libamdhip64.so", "help:"],
    );
    assert_eq!(stdout(&hip), "", "nothing ran elsewhere instead");
    let cuda = ["--device=cuda", "--cuda_dylib_path=/nonexistent/cuda"];
    let cuda = hipstream(&[&args[..], &cuda].concat());
    assert_fails(
        &cuda,
        4,
        &["CUDA driver library", "/nonexistent/cuda", "help:"],
    );
    assert!(
        !stderr(&cuda).contains("/nonexistent/lib"),
        "that is for HIP"
    );
    // `auto` may take the software GPU, and says so.
    let auto = hipstream(&args);
    assert!(auto.status.success(), "{}", stderr(&auto));
    let first = stderr(&auto).lines().next().unwrap_or_default();
    assert!(
        first.contains("software") && first.contains("no HIP device"),
        "{first}"
    );
}

#[test]
fn a_program_for_another_chip_is_exit_code_5_and_names_both() {
    let output = dispatch(
        "gfx942/abs.fb",
        &["--workgroups=1", "--binding=2xf32=-1", "--binding=2xf32"],
    );
    assert_fails(&output, 5, &["gfx942", "gfx1100"]);
    for file in ["sm_80/abs.fb", "old_sm_80/abs.fb", "sm_80/abs.ptx"] {
        let group = "--workgroup_size=1";
        let output = dispatch(
            file,
            &[
                "--workgroups=1",
                group,
                "--binding=2xf32=-1",
                "--binding=2xf32",
            ],
        );
        assert_fails(&output, 5, &["sm_80", "gfx1100"]);
    }
}

#[test]
fn a_fault_is_exit_code_6_and_is_explained() {
    let store = dispatch(
        "gfx1100/faults.hsaco",
        &[
            "--export=store_at",
            "--workgroups=1",
            "--workgroup_size=32",
            "--binding=16xf32",
            "--constant=i64=64",
        ],
    );
    assert_fails(&store, 6, &["store_at", "global_store", "64 bytes"]);
    let unknown = dispatch(
        "gfx1100/faults.hsaco",
        &[
            "--export=unknown_instruction",
            "--workgroups=1",
            "--workgroup_size=32",
        ],
    );
    assert_fails(&unknown, 6, &["unknown_instruction"]);
}

#[test]
fn devices_are_listed() {
    let text = hipstream(&["devices", "--hip_dylib_path=/nonexistent"]);
    assert!(text.status.success(), "{}", stderr(&text));
    assert!(stdout(&text).contains("software://0"), "{}", stdout(&text));
    assert!(stdout(&text).contains("/nonexistent"), "{}", stdout(&text));
    let json = hipstream(&["devices", "--json", "--hip_dylib_path=/nonexistent"]);
    let report: serde_json::Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert_eq!(report["schema_version"], 1);
    let drivers = report["drivers"].as_array().expect("a list");
    let driver = |name: &str| {
        drivers
            .iter()
            .find(|driver| driver["name"] == name)
            .expect("a known driver")
    };
    assert_eq!(driver("software")["devices"][0]["arch"], "gfx1100");
    assert_eq!(driver("hip")["devices"].as_array().map(Vec::len), Some(0));
    assert!(
        driver("hip")["error"]
            .as_str()
            .is_some_and(|error| error.contains("/nonexistent"))
    );
}

#[test]
fn what_checks_find_fails_the_command() {
    for chip in ["gfx1100", "gfx942"] {
        let device = format!("--device=software://{chip}");
        let run = |kernel: &str, size: &str, check: &str| {
            let file = fixtures::path(format!("{chip}/hazards.hsaco"));
            hipstream(&[
                "dispatch",
                &file.display().to_string(),
                &format!("--export={kernel}"),
                "--workgroups=1,1,1",
                &format!("--workgroup_size={size},1,1"),
                &device,
                check,
            ])
        };
        let race = run("lds_race", "128", "--check=all");
        assert_fails(
            &race,
            6,
            &[
                "check: kernel `lds_race`: data race: a read and a write that nothing orders",
                "LDS offset 0x",
                "wave 1",
                "checks of kernels found 1 problem",
            ],
        );
        let unwaited = run("lds_unwaited", "64", "--check=waits");
        assert_fails(&unwaited, 6, &["use of a register", "v2", "loaded by"]);
        for right in [
            run("lds_race", "128", "--check=waits"),
            run("lds_race", "128", "--stats"),
            run("lds_barrier", "128", "--check=all"),
        ] {
            assert!(right.status.success(), "{}", stderr(&right));
        }
    }
}

/// The command gives each binding memory of its own.
#[test]
fn writes_to_what_is_only_read_fail_the_command() {
    for chip in ["gfx1100", "gfx942"] {
        let device = format!("--device=software://{chip}");
        let run = |kernel: &str, check: &str| {
            let file = fixtures::path(format!("{chip}/hazards.hsaco"));
            hipstream(&[
                "dispatch",
                &file.display().to_string(),
                &format!("--export={kernel}"),
                "--workgroups=1,1,1",
                "--workgroup_size=64,1,1",
                "--binding=64xi32",
                "--binding=64xi32",
                &device,
                check,
            ])
        };
        assert_fails(
            &run("store_to_source", "--check=all"),
            6,
            &[
                "check: kernel `store_to_source`: write to a binding that is declared read-only",
                "at offset 0 of binding 0 (256 bytes at 0x",
                "workgroup (0, 0, 0), wave 0, lanes 0 to 63",
                "checks of kernels found 1 problem",
            ],
        );
        for right in [
            run("copy_own", "--check=all"),
            run("store_to_source", "--check=races,waits"),
        ] {
            assert!(right.status.success(), "{}", stderr(&right));
        }
    }
}
