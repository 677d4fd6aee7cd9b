//! `hipstream bench` and `--profile`, as a user types them.

use std::collections::BTreeSet;
use std::process::Output;

use serde_json::Value;

use super::{Scratch, assert_fails, hipstream, stderr, stdout};

const INPUTS: [&str; 2] = ["--input=1000xf32=1", "--input=1000xf32=2"];

/// `bench` of a fixture on the software GPU, a few calls of it.
fn bench(module: &str, args: &[&str]) -> Output {
    let module = format!("--module={}", fixtures::path(module).display());
    let mut all = vec!["bench", &module, "--device=software"];
    if !args.iter().any(|flag| flag.starts_with("--min_time")) {
        all.push("--min_time=0");
    }
    all.extend(args);
    hipstream(&all)
}

fn bench_add(args: &[&str]) -> Output {
    bench("gfx1100/add.vmfb", &[&INPUTS[..], args].concat())
}

#[track_caller]
fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{}", stderr(output));
    serde_json::from_str(stdout(output)).expect("JSON")
}

fn file(path: &str) -> Value {
    let text = std::fs::read_to_string(path).expect("written");
    serde_json::from_str(&text).expect("JSON")
}

fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn times_are_printed_and_split() {
    for target in ["gfx1100", "old_gfx1100"] {
        let args = [INPUTS[0], INPUTS[1], "--function=add", "--repetitions=7"];
        let output = bench(&format!("{target}/add.vmfb"), &args);
        assert!(output.status.success(), "{}", stderr(&output));
        let text = stdout(&output);
        let mut lines = text.lines();
        let head = lines.next().unwrap_or_default();
        for column in ["median", "min", "p5", "p95", "MAD", "calls/s", "device"] {
            assert!(head.contains(column), "{column}: {text}");
        }
        let row = lines.next().unwrap_or_default();
        assert!(row.starts_with("add "), "{text}");
        for part in [
            "VM ",
            "submission ",
            "driver ",
            "waiting ",
            "device ",
            "memory ",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let first = stderr(&output).lines().next().unwrap_or_default();
        assert!(first.contains("add.vmfb on software"), "{first}");
    }
}

#[test]
fn json_has_what_was_measured() {
    let report = json(&bench_add(&["--repetitions=30", "--warmup=1", "--json"]));
    assert_eq!(report["schema_version"], 1);
    assert_eq!(report["devices"][0], "Software AMD GPU, gfx1100");
    let benchmark = &report["benchmarks"][0];
    assert_eq!(benchmark["name"], "add");
    assert_eq!(benchmark["inputs"][1], "1000xf32=2");
    assert_eq!(
        (&benchmark["calls"], &benchmark["warmup_calls"]),
        (&30.into(), &1.into())
    );
    let host = &benchmark["host_ns"];
    let order = ["min", "p5", "median", "p95", "max"].map(|key| number(&host[key]));
    assert!(order.is_sorted() && order[0] > 0.0, "{host}");
    assert!(number(&host["mad"]) <= order[4] - order[0]);
    let seconds = number(&benchmark["total_ns"]) / 1e9;
    let rate = number(&benchmark["calls_per_second"]);
    assert!(
        (rate * seconds - 30.0).abs() < 0.01,
        "{rate} a second in {seconds}"
    );
    // The parts of a call add up to it; the device is one kernel.
    let split = &benchmark["split"];
    let host = split["host_ns"].as_object().expect("parts");
    let sum: f64 = host
        .iter()
        .filter(|(name, _)| *name != "profiling")
        .map(|(_, ns)| number(ns))
        .sum();
    let total = number(&split["total_ns"]);
    assert!((sum - total).abs() < 1.0 + total * 1e-6, "{sum} {total}");
    assert_eq!(split["device_commands"], 1.0);
    assert!(number(&split["device_ns"]) > 0.0);
    assert!(number(&benchmark["device_ns"]["median"]) > 0.0);
    assert_eq!(benchmark["memory"]["buffer_growth_bytes"], 0);
}

#[test]
fn time_goes_on_until_it_is_enough() {
    let args = [
        "--repetitions=1",
        "--min_time=0.2s",
        "--profile_calls=0",
        "--json",
    ];
    let report = json(&bench_add(&args));
    let benchmark = &report["benchmarks"][0];
    let total = number(&benchmark["total_ns"]);
    assert!(total > 0.1e9 && total < 5e9, "{total}");
    assert!(number(&benchmark["calls"]) > 1.0);
    assert!(benchmark["split"].is_null() && benchmark["device_ns"].is_null());
}

#[test]
fn functions_without_inputs_need_not_be_named() {
    let names = |output: &Output| -> Vec<String> {
        let report = json(output);
        let benchmarks = report["benchmarks"].as_array().expect("benchmarks").iter();
        benchmarks
            .map(|benchmark| benchmark["name"].as_str().expect("a name").to_owned())
            .collect()
    };
    let all = bench("gfx1100/constants.vmfb", &["--repetitions=2", "--json"]);
    assert_eq!(names(&all), ["ones", "answer"]);
    let args = [
        "--function=double",
        "--input=4xf32=2",
        "--function=answer",
        "--json",
    ];
    assert_eq!(
        names(&bench("gfx1100/constants.vmfb", &args)),
        ["double", "answer"]
    );
    let none = bench("gfx1100/ledger.vmfb", &["--repetitions=2"]);
    assert_fails(&none, 2, &["takes no inputs", "deposit, record"]);
    let late = ["--input=4xf32=2", "--function=double", "--function=answer"];
    let late = bench("gfx1100/constants.vmfb", &late);
    assert_fails(&late, 2, &["each --function comes before its --input"]);
}

#[test]
fn rivals_of_both_kinds_are_compared() {
    let scratch = Scratch::new("bench-rivals");
    let (own, stock) = (scratch.file("own.json"), scratch.file("stock.json"));
    let to_own = format!("--json={own}");
    let output = bench_add(&["--repetitions=3", &to_own]);
    // To a file it goes besides the text.
    assert!(stdout(&output).contains("median"), "{}", stderr(&output));
    let median = number(&file(&own)["benchmarks"][0]["host_ns"]["median"]);
    std::fs::write(
        &stock,
        r#"{"context": {}, "benchmarks": [{"name": "BM_add/process_time/real_time",
            "run_type": "iteration", "real_time": 3600.0, "time_unit": "s"}]}"#,
    )
    .expect("writable");

    let compare = |rival: &str| format!("--compare={rival}");
    let report = json(&bench_add(&["--repetitions=3", "--json", &compare(&own)]));
    let benchmark = &report["benchmarks"][0];
    assert_eq!(benchmark["rival"]["ns"], median);
    let ratio = median / number(&benchmark["host_ns"]["median"]);
    assert!((number(&benchmark["rival"]["ratio"]) - ratio).abs() < 1e-9);
    let output = bench_add(&["--repetitions=3", &compare(&stock)]);
    let text = stdout(&output);
    assert!(
        text.contains("3600.0 s") && text.contains("× faster"),
        "{text}"
    );
}

#[test]
fn mistakes_are_found_before_anything_runs() {
    let scratch = Scratch::new("bench-mistakes");
    let rival = |name: &str, text: &str| {
        let path = scratch.file(name);
        std::fs::write(&path, text).expect("writable");
        format!("--compare={path}")
    };
    let broken = rival("broken.json", "{\"benchmarks\": [");
    let other = rival("other.json", r#"{"benchmarks": [{"name": "x"}]}"#);
    let nowhere = format!("--compare={}", scratch.file("nowhere.json"));
    let folder = scratch.file("no/folder");
    let page = format!("--profile={folder}/x.html");
    let report = format!("--json={folder}/x.json");
    for (flag, code, part) in [
        ("--function=nope", 2, "there is no function `nope`"),
        ("--repetitions=0", 2, "nothing is known of no calls"),
        ("--repetitions=many", 2, "not a number of calls"),
        ("--min_time=-1", 2, "not a number of seconds"),
        ("--profile_calls=x", 2, "--profile_calls"),
        ("--profile=x.txt", 2, ".html or .json"),
        ("--expected_output=1", 2, "--expected_output"),
        (&broken, 3, "broken.json: EOF"),
        (&other, 3, "no times"),
        (&nowhere, 3, "nowhere.json"),
        (&page, 3, "x.html: No such file"),
        (&report, 3, "x.json: No such file"),
    ] {
        let output = bench_add(&[flag]);
        assert_fails(&output, code, &[part]);
        assert_eq!(stdout(&output), "", "{flag}");
    }
    let made = scratch.file("x.json");
    let profile = format!("--profile={made}");
    let none = bench_add(&["--profile_calls=0", &profile]);
    assert_fails(&none, 2, &["--profile_calls=0 makes none"]);
    let strange = rival(
        "strange.json",
        r#"{"benchmarks": [{"name": "b", "host_ns": {"median": 1}}]}"#,
    );
    let output = bench_add(&["--repetitions=1", &strange]);
    assert_fails(&output, 2, &["none of these functions", "it has: b"]);
}

#[test]
fn profiles_are_timelines_of_host_and_device() {
    let scratch = Scratch::new("profile");
    for (command, calls) in [("run", 1), ("bench", 4)] {
        let path = scratch.file(&format!("{command}.json"));
        let module = fixtures::path("old_gfx1100/add.vmfb");
        let (module, profile) = (
            format!("--module={}", module.display()),
            format!("--profile={path}"),
        );
        let mut args = vec![command, &module, "--device=software", &profile];
        args.extend(INPUTS);
        if command == "bench" {
            args.extend(["--min_time=0", "--warmup=1", "--profile_calls=3"]);
        }
        let output = hipstream(&args);
        assert!(output.status.success(), "{}", stderr(&output));
        assert!(stderr(&output).contains(&format!("events to {path}")));
        let trace = file(&path);
        let events = trace["traceEvents"].as_array().expect("events");
        let named = |cat: &str| -> Vec<&str> {
            let events = events.iter().filter(|event| event["cat"] == cat);
            events
                .map(|event| event["name"].as_str().expect("a name"))
                .collect()
        };
        assert_eq!(named("call"), vec!["add"; calls], "{command}");
        let dispatches = named("dispatch");
        assert_eq!(dispatches.len(), calls, "{command}");
        assert!(
            dispatches[0].starts_with("add_dispatch_0"),
            "{dispatches:?}"
        );
        for (cat, name) in [
            ("copy", "copy to device"),
            ("loading", "load"),
            ("recording", "command_buffer.dispatch"),
            ("submission", "device.queue.execute"),
            ("driver", "hipModuleLaunchKernel"),
            ("waiting", "wait"),
            ("program", "program"),
        ] {
            let names: BTreeSet<_> = named(cat).into_iter().collect();
            assert!(
                names.contains(name),
                "{command}: no {cat} {name} in {names:?}"
            );
        }
        let counts = |name: &str| events.iter().filter(|event| event["name"] == name).count();
        assert!(
            counts("device memory") > 1 && counts("submitted") > 1,
            "{command}"
        );
    }
}

#[test]
fn graphs_are_one_command_each() {
    let scratch = Scratch::new("profile-graph");
    let path = scratch.file("graph.json");
    let profile = format!("--profile={path}");
    let args = [
        "--profile_calls=2",
        "--warmup=0",
        "--command_buffer_mode=graph",
        &profile,
    ];
    let output = bench_add(&args);
    assert!(output.status.success(), "{}", stderr(&output));
    let trace = file(&path);
    let graphs = trace["traceEvents"].as_array().expect("events").iter();
    let graphs: Vec<_> = graphs.filter(|event| event["cat"] == "graph").collect();
    assert_eq!(graphs.len(), 2);
    let name = graphs[0]["name"].as_str().expect("a name");
    assert!(name.starts_with("graph: 1 × add_dispatch_0"), "{name}");
}

#[test]
fn pages_are_written_even_if_the_run_fails() {
    let scratch = Scratch::new("profile-page");
    let path = scratch.file("run.html");
    let module = format!("--module={}", fixtures::path("gfx1100/add.vmfb").display());
    let profile = format!("--profile={path}");
    let args = ["run", &module, "--device=software", &profile];
    let output = hipstream(&[&args[..], &INPUTS, &["--expected_output=1000xf32=4"]].concat());
    assert_eq!(output.status.code(), Some(1));
    let page = std::fs::read_to_string(&path).expect("written");
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("add_dispatch_0"));
    assert!(page.trim_end().ends_with("</html>"));
}

#[test]
fn calls_leave_no_memory_behind() {
    // Threads of the software GPU touch their memory when they first get work.
    let args = ["--warmup=300", "--repetitions=3000"];
    let output = bench_add(&[&args[..], &["--profile_calls=0", "--flat_memory"]].concat());
    assert!(
        output.status.success(),
        "{}\n{}",
        stdout(&output),
        stderr(&output)
    );
}

/// As many calls as a server makes in an hour; a minute or so on two cores.
/// `cargo test -p hipstream --test cli -- --ignored hundred_thousand`
#[test]
#[ignore = "takes about a minute; see above for how to run it"]
fn a_hundred_thousand_calls_leave_no_memory_behind() {
    for mode in ["stream", "graph"] {
        let mode = format!("--command_buffer_mode={mode}");
        let args = [
            "--warmup=1000",
            "--repetitions=100000",
            "--profile_calls=0",
            "--flat_memory",
            &mode,
        ];
        let output = bench_add(&args);
        assert!(
            output.status.success(),
            "{}\n{}",
            stdout(&output),
            stderr(&output)
        );
    }
}
