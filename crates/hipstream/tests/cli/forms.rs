//! Every form of inputs and results, through a program that gives back what it
//! takes: read, copied to the device and back, and printed or written.

use std::process::Output;

use super::{Scratch, assert_fails, hipstream, stderr, stdout};

const TARGETS: [&str; 2] = ["gfx1100", "old_gfx1100"];

fn echo(target: &str, function: &str, args: &[&str]) -> Output {
    let module = fixtures::path(format!("{target}/echo.vmfb"));
    let module = format!("--module={}", module.display());
    let function = format!("--function={function}");
    let mut all = vec!["run", "--device=software", &module, &function];
    all.extend(args);
    hipstream(&all)
}

/// What is printed behind the line that names the function.
#[track_caller]
fn printed(output: &Output) -> &str {
    assert!(output.status.success(), "{}", stderr(output));
    let (_, results) = stdout(output).split_once('\n').expect("a first line");
    results
}

#[test]
fn arrays_of_every_type_come_back_as_the_stock_tools_print_them() {
    for (input, text) in [
        ("4xi8=1,-2,3,255", "4xi8=1 -2 3 -1"),
        ("4xsi8=-1", "4xsi8=-1 -1 -1 -1"),
        ("4xui8=255", "4xui8=255 255 255 255"),
        ("2xi16=0x10,-0x10", "2xi16=16 -16"),
        ("2xi32=", "2xi32=0 0"),
        ("i64=-1", "i64=-1"),
        (
            "2xui64=18446744073709551615",
            "2xui64=18446744073709551615 18446744073709551615",
        ),
        ("4xi1=01 00 01 00", "4xi1=01 00 01 00"),
        ("4xi1=1 0 1 0", "4xi1=01 00 01 00"),
        ("3xi4=1 -2 7", "3xi4=1 -2 7"),
        ("2xf16=65504,1e-7", "2xf16=65504 1.19209E-07"),
        ("2xbf16=1.5,3e38", "2xbf16=1.5 3.00406E+38"),
        ("3xf32=nan,-nan,inf", "3xf32=NAN -NAN INF"),
        ("2xf64=0.1,1e300", "2xf64=0.1 1E+300"),
        ("2xf8E4M3FN=1,2.5", "2xf8E4M3FN=1 2.5"),
        ("2xf8E5M2=1,-inf", "2xf8E5M2=1 -INF"),
        ("2xf8E4M3FNUZ=nan,0.3", "2xf8E4M3FNUZ=NAN 0.3125"),
        ("2xf8E5M2FNUZ=1,2", "2xf8E5M2FNUZ=1 2"),
        ("2xf8E8M0FNU=1,2", "2xf8E8M0FNU=1 2"),
        ("1xcf64=0000803F00000040", "1xcf64=0000803F00000040"),
        (
            "1xcf128=00112233445566778899AABBCCDDEEFF",
            "1xcf128=00112233445566778899AABBCCDDEEFF",
        ),
        ("2x*8=0A FF", "2x*8=0A FF"),
        ("f32=3.5", "f32=3.5"),
        ("2x2xf32=[[1 2] [3 4]]", "2x2xf32=[1 2][3 4]"),
        (
            "2x2x2xi8=1 2 3 4 5 6 7 8",
            "2x2x2xi8=[[1 2][3 4]][[5 6][7 8]]",
        ),
        ("0x3xf32", "0x3xf32="),
        ("3x0xf32=", "3x0xf32=[][][]"),
        ("3xf32=rand:7", "3xf32=-0.222979 0.907792 -0.329528"),
    ] {
        for target in TARGETS {
            let input = format!("--input={input}");
            let output = echo(target, "array", &[&input]);
            let wanted = format!("result[0]: hal.buffer_view\n{text}\n");
            assert_eq!(printed(&output), wanted, "{target} {input}");
        }
    }
}

#[test]
fn other_objects_and_scalars_are_printed_too() {
    for target in TARGETS {
        let null = echo(target, "array", &["--input=(null)"]);
        assert_eq!(printed(&null), "result[0]: (null)\n");
        let storage = echo(target, "storage", &["--input=&4xf32=1"]);
        assert_eq!(printed(&storage), "result[0]: hal.buffer\n(no printer)\n");
        let swapped = ["--input=-7", "--input=2xf32=1"];
        let both = echo(target, "swap", &swapped);
        assert_eq!(
            printed(&both),
            "result[0]: hal.buffer_view\n2xf32=1 1\nresult[1]: i32=-7\n"
        );
        let bare = echo(
            target,
            "swap",
            &[&swapped[..], &["--output=", "--output=-"]].concat(),
        );
        assert_eq!(printed(&bare), "i32=-7\n");
        let narrow = echo(
            target,
            "narrow",
            &["--input=-5", "--input=true", "--input=1e10"],
        );
        assert_eq!(
            printed(&narrow),
            "result[0]: i32=-5\nresult[1]: i32=1\nresult[2]: f32=1e+10\n"
        );
    }
    let wide = echo(
        "gfx1100",
        "narrow",
        &["--input=256", "--input=1", "--input=0"],
    );
    assert_fails(
        &wide,
        2,
        &["input 0", "`256`", "does not fit, the function wants i8"],
    );
    let flag = echo(
        "gfx1100",
        "narrow",
        &["--input=1", "--input=2", "--input=0"],
    );
    assert_fails(
        &flag,
        2,
        &["input 1", "`2`", "does not fit, the function wants i1"],
    );
}

#[test]
fn arrays_that_programs_trace_go_to_stderr() {
    for target in TARGETS {
        let output = echo(target, "traced", &["--input=2xf32=1,2"]);
        assert_eq!(printed(&output), "result[0]: hal.buffer_view\n2xf32=1 2\n");
        let trace = stderr(&output);
        assert!(trace.contains("=== a ===\n2xf32=1 2\n"), "{trace}");
    }
}

#[test]
fn every_form_of_file_is_read_and_written() {
    let scratch = Scratch::new("forms");
    for (input, descriptor) in [
        ("4xi1=1 0 1 0", "|b1"),
        ("2xsi16=-1 2", "<i2"),
        ("2xui32=1 2", "<u4"),
        ("2xf16=1 2", "<f2"),
        ("3xf64=1 2 3", "<f8"),
        ("1xcf64=0000803F00000040", "<c8"),
        ("2x2xbf16=1 2 3 4", "<V2"),
        ("2xf8E5M2=1 2", "|V1"),
    ] {
        let (npy, bin) = (scratch.file("a.npy"), scratch.file("a.bin"));
        let value = format!("--input={input}");
        for place in [format!("--output=@{npy}"), format!("--output=@{bin}")] {
            assert_eq!(printed(&echo("gfx1100", "array", &[&value, &place])), "");
        }
        let header = format!("{{'descr': '{descriptor}', ");
        let written = std::fs::read(&npy).expect("written");
        assert!(written[10..].starts_with(header.as_bytes()), "{input}");
        assert_eq!(
            written[128..],
            std::fs::read(&bin).expect("written"),
            "{input}"
        );
        let (sizes, _) = input.split_once('=').expect("a value");
        let from_bin = format!("--input={sizes}=@{bin}");
        let again = format!("--expected_output={input}");
        let output = echo("gfx1100", "array", &[&from_bin, &again]);
        assert!(
            printed(&output).starts_with("[SUCCESS]"),
            "{input}: {}",
            stdout(&output)
        );
    }
    // A buffer is written as its bytes; nothing cannot be.
    let place = format!("--output=@{}", scratch.file("s.npy"));
    let storage = echo("gfx1100", "storage", &["--input=&2xi16=1", &place]);
    assert_eq!(printed(&storage), "");
    let bytes = std::fs::read(scratch.file("s.npy")).expect("written");
    assert!(bytes[10..].starts_with(b"{'descr': '|i1', 'fortran_order': False, 'shape': (4,), }"));
    let nothing = echo("gfx1100", "array", &["--input=(null)", &place]);
    assert_fails(&nothing, 3, &["result 0", "empty has no form for files"]);
    let nibbles = echo("gfx1100", "array", &["--input=2xi4=1", &place]);
    assert_fails(&nibbles, 3, &["NumPy has no element type i4", ".bin"]);
    let folder = format!("--output=@{}", scratch.file("no/folder.bin"));
    let unwritable = echo("gfx1100", "array", &["--input=2xi8=1", &folder]);
    assert_fails(&unwritable, 3, &["result 0", "no/folder.bin"]);
}

#[test]
fn files_without_a_type_take_the_declared_one() {
    let scratch = Scratch::new("declared");
    let npy = scratch.file("a.npy");
    let place = format!("--output=@{npy}");
    let input = "--input=3x2xbf16=1 2 3 4 5 6";
    assert_eq!(printed(&echo("gfx1100", "declared", &[input, &place])), "");
    let (back, again) = (
        format!("--input=@{npy}"),
        format!("--expected_output=@{npy}"),
    );
    for target in TARGETS {
        let output = echo(target, "declared", &[&back]);
        let text = "result[0]: hal.buffer_view\n3x2xbf16=[1 2][3 4][5 6]\n";
        assert_eq!(printed(&output), text, "{target}");
        let output = echo(target, "declared", &[&back, &again]);
        assert!(printed(&output).starts_with("[SUCCESS]"), "{target}");
    }
    let wrong = echo("gfx1100", "declared", &["--input=3x2xf16=1"]);
    assert_fails(
        &wrong,
        2,
        &["expected bf16 but have f16", "tensor<?x2xbf16>"],
    );
}

#[test]
fn inputs_that_leave_some_of_a_file_are_noted() {
    let scratch = Scratch::new("left");
    let bin = scratch.file("a.bin");
    std::fs::write(&bin, [1, 2, 3, 4, 5]).expect("writable");
    let (first, next) = (
        format!("--input=1xi8=@{bin}"),
        format!("--input=2xi8=+{bin}"),
    );
    let output = echo("gfx1100", "array", &[&first]);
    assert_eq!(printed(&output), "result[0]: hal.buffer_view\n1xi8=1\n");
    let note = "note: 4 bytes of the last input file were not used";
    assert!(stderr(&output).contains(note), "{}", stderr(&output));
    let number = format!("--input=i32=@{bin}");
    let output = echo("gfx1100", "swap", &[&number, &next]);
    assert_fails(
        &output,
        3,
        &["input 1", "ends too early: 2xi8 has 2 bytes, 1 were left"],
    );
}

#[test]
fn results_that_are_nothing_or_no_arrays_can_be_expected() {
    for (function, input, expected, is_equal) in [
        ("array", "(null)", "(null)", true),
        ("array", "(null)", "4xf32=1", false),
        ("array", "4xf32=1", "(null)", false),
        ("array", "4xf32=1", "(ignored)", true),
        ("array", "2xsi32=1 2", "2xi32=1 2", true),
        ("array", "2xf32=nan 1", "2xf32=nan 1", true),
        ("storage", "&2xi16=1", "&4xi8=1 0 1 0", true),
        ("storage", "&2xi16=1", "&4xi8=1 0 1 1", false),
    ] {
        let (input, expected) = (
            format!("--input={input}"),
            format!("--expected_output={expected}"),
        );
        let output = echo("gfx1100", function, &[&input, &expected]);
        let code = if is_equal { 0 } else { 1 };
        let text = stdout(&output);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{input} {expected}: {text}"
        );
        let verdict = if is_equal {
            "[SUCCESS]"
        } else {
            "[FAILED] result[0]: "
        };
        assert!(text.contains(verdict), "{text}");
    }
    let few = ["--input=1", "--input=2xf32", "--expected_output=2xf32"];
    let output = echo("gfx1100", "swap", &few);
    assert_fails(
        &output,
        2,
        &["gives 2 results, but 1 was named by --expected_output"],
    );
}
