//! What each instruction does, in both bytecode versions.

use std::collections::HashSet;

use vm::op::{OPS, Op};
use vm::{Code, Kind, Signature, Value};

use crate::asm::{A, Asm, Fun, i, import, list, m, r};
use crate::pure;
use crate::support::{failure, run, show};

/// A function that gives one instruction its arguments and returns what it gives.
fn only(op: Op, args: &[Kind], result: Kind) -> Fun {
    let letters: String = args.iter().map(|kind| kind.letter()).collect();
    let mut next = 0;
    let mut operands = Vec::new();
    for kind in args.iter().chain([&result]) {
        let wide = matches!(kind, Kind::I64 | Kind::F64);
        if wide {
            next += next % 2;
        }
        operands.push(i(next));
        next += if wide { 2 } else { 1 };
    }
    let last = operands.last().unwrap().clone();
    Fun::new(&format!("0{letters}_{}", result.letter()))
        .block()
        .op(op, &operands)
        .ret(&[last])
}

fn versions_of(op: Op) -> impl Iterator<Item = u16> {
    [15, 17].into_iter().filter(move |v| *v >= op.row().since)
}

fn kinds(values: &[Value]) -> Vec<Kind> {
    values.iter().map(Value::kind).collect()
}

#[test]
fn instructions_without_state_give_these_results() {
    for (op, args, expected) in pure::integers().into_iter().chain(pure::floats()) {
        for version in versions_of(op) {
            let asm = Asm::main(version, only(op, &kinds(&args), expected.kind()));
            let values = run(&asm, args.clone()).unwrap();
            let given = show(&args);
            assert_eq!(
                show(&values),
                show(std::slice::from_ref(&expected)),
                "{op:?} {given}"
            );
        }
    }
}

#[test]
fn functions_of_both_widths_are_close_to_what_they_should_be() {
    for (narrow, wide, args, expected) in pure::functions() {
        let args32: Vec<_> = args.iter().map(|&arg| Value::F32(arg as f32)).collect();
        let args64: Vec<_> = args.iter().map(|&arg| Value::F64(arg)).collect();
        for version in [15, 17] {
            let asm = Asm::main(version, only(narrow, &kinds(&args32), Kind::F32));
            let [Value::F32(found)] = run(&asm, args32.clone()).unwrap()[..] else {
                panic!("{narrow:?}");
            };
            let error = (f64::from(found) - expected).abs() / expected.abs();
            assert!(error < 2e-7, "{narrow:?}: {found}, expected {expected}");
            let asm = Asm::main(version, only(wide, &kinds(&args64), Kind::F64));
            let [Value::F64(found)] = run(&asm, args64.clone()).unwrap()[..] else {
                panic!("{wide:?}");
            };
            let error = (found - expected).abs() / expected.abs();
            assert!(error < 4e-16, "{wide:?}: {found}, expected {expected}");
        }
    }
}

#[test]
fn division_by_zero_fails() {
    use Op::*;
    for op in [DivI32S, DivI32U, RemI32S, RemI32U] {
        let asm = Asm::main(17, only(op, &[Kind::I32; 2], Kind::I32));
        let error = failure(&asm, vec![Value::I32(1), Value::I32(0)]);
        assert_eq!(
            error.to_string(),
            "INVALID_ARGUMENT: division by zero",
            "{op:?}"
        );
    }
    for op in [DivI64S, DivI64U, RemI64S, RemI64U] {
        let asm = Asm::main(17, only(op, &[Kind::I64; 2], Kind::I64));
        let error = failure(&asm, vec![Value::I64(1), Value::I64(0)]);
        assert_eq!(
            error.to_string(),
            "INVALID_ARGUMENT: division by zero",
            "{op:?}"
        );
    }
}

/// A program, its arguments, and what it returns, or the code it fails with.
struct Program {
    name: &'static str,
    asm: Asm,
    args: Vec<Value>,
    expected: Result<&'static str, Code>,
    /// What it returns in version 15, where "move" is heard in lists and branches only.
    in_15: Option<&'static str>,
    since: u16,
}

impl Program {
    fn in_15(mut self, expected: &'static str) -> Self {
        self.in_15 = Some(expected);
        self
    }
}

fn program(name: &'static str, f: Fun, expected: Result<&'static str, Code>) -> Program {
    let mut asm = Asm::main(17, f);
    asm.types = vec![
        "i8",
        "i32",
        "i64",
        "f32",
        "f64",
        "!vm.buffer",
        "!vm.list",
        "!vm.opaque",
    ];
    asm.globals = (32, 4);
    asm.rodata = vec![(0..15).collect(), b"abc".to_vec()];
    Program {
        name,
        asm,
        args: Vec::new(),
        expected,
        in_15: None,
        since: 15,
    }
}

// Numbers of the types of `program`.
const I8: A = A::Imm32(0);
const BUFFER: A = A::Imm32(5);
const LIST: A = A::Imm32(6);
const ANY: A = A::Imm32(7);

fn f32(value: f32) -> A {
    A::Imm32(value.to_bits())
}

fn f64(value: f64) -> A {
    A::Imm64(value.to_bits())
}

fn constants_and_globals() -> Vec<Program> {
    use Op::*;
    let g = A::Imm32;
    vec![
        program(
            "constants",
            Fun::new("0v_iiIIffFFrr")
                .block()
                .i32(0, 7)
                .i64(2, 7)
                .op(ConstF32, &[f32(7.0), i(4)])
                .op(ConstF64, &[f64(7.0), i(6)])
                .op(ConstI32, &[A::Imm32(0x8000_0001), i(1)])
                .op(ConstI32Zero, &[i(0)])
                .op(ConstI64Zero, &[i(2)])
                .i64(8, -0x1234_5678_9abc)
                .op(ConstF32Zero, &[i(4)])
                .op(ConstF32, &[f32(0.1), i(5)])
                .op(ConstF64Zero, &[i(6)])
                .op(ConstF64, &[f64(-1e300), i(10)])
                .op(ConstRefRodata, &[A::Imm32(1), r(0)])
                .op(ConstRefRodata, &[A::Imm32(1), r(1)])
                .op(ConstRefZero, &[r(1)])
                .ret(&[i(0), i(1), i(2), i(8), i(4), i(5), i(6), i(10), r(0), r(1)]),
            Ok("0 -2147483647 0L -20015998343868L 0.0f 0.1f 0.0 -1e300 vm.buffer null"),
        ),
        program(
            "value globals",
            Fun::new("0v_iIfFiIfF")
                .block()
                .i32(0, -5)
                .i64(2, 1 << 40)
                .op(ConstF32, &[f32(0.5), i(4)])
                .op(ConstF64, &[f64(0.25), i(6)])
                .op(GlobalStoreI32, &[g(0), i(0)])
                // Wide globals need not be aligned.
                .op(GlobalStoreI64, &[g(4), i(2)])
                .op(GlobalStoreF32, &[g(12), i(4)])
                .op(GlobalStoreF64, &[g(20), i(6)])
                .op(GlobalLoadI32, &[g(0), i(1)])
                .op(GlobalLoadI64, &[g(4), i(8)])
                .op(GlobalLoadF32, &[g(12), i(5)])
                .op(GlobalLoadF64, &[g(20), i(10)])
                .i32(12, 28)
                .op(GlobalStoreIndirectI32, &[i(12), i(0)])
                .op(GlobalLoadIndirectI32, &[i(12), i(13)])
                .op(GlobalStoreIndirectF32, &[i(12), i(4)])
                .op(GlobalLoadIndirectF32, &[i(12), i(14)])
                .i32(12, 24)
                .op(GlobalStoreIndirectI64, &[i(12), i(2)])
                .op(GlobalLoadIndirectI64, &[i(12), i(2)])
                .op(GlobalStoreIndirectF64, &[i(12), i(6)])
                .op(GlobalLoadIndirectF64, &[i(12), i(6)])
                .ret(&[i(1), i(8), i(5), i(10), i(13), i(2), i(14), i(6)]),
            Ok("-5 1099511627776L 0.5f 0.25 -5 1099511627776L 0.5f 0.25"),
        ),
        program(
            "a global behind the last",
            Fun::new("0v_i")
                .block()
                .i32(0, 29)
                .op(GlobalLoadIndirectI32, &[i(0), i(1)])
                .ret(&[i(1)]),
            Err(Code::OUT_OF_RANGE),
        ),
        program(
            "storing a global before the first",
            Fun::new("0v_v")
                .block()
                .i32(0, -4)
                .op(GlobalStoreIndirectI64, &[i(0), i(2)])
                .ret(&[]),
            Err(Code::OUT_OF_RANGE),
        ),
        program(
            "reference globals",
            Fun::new("0v_rrir")
                .block()
                .op(ConstRefRodata, &[A::Imm32(0), r(0)])
                .op(GlobalStoreRef, &[g(1), BUFFER, m(0)])
                .op(CmpNzRef, &[r(0), i(0)])
                .op(GlobalLoadRef, &[g(1), BUFFER, r(1)])
                .i32(1, 3)
                .op(GlobalStoreIndirectRef, &[i(1), ANY, r(1)])
                .op(GlobalLoadIndirectRef, &[i(1), BUFFER, r(2)])
                .op(GlobalLoadRef, &[g(0), LIST, r(3)])
                .ret(&[r(1), r(2), i(0), r(3)]),
            Ok("vm.buffer vm.buffer 0 null"),
        )
        .in_15("vm.buffer vm.buffer 1 null"),
        program(
            "loading a global of another type",
            Fun::new("0v_v")
                .block()
                .op(ConstRefRodata, &[A::Imm32(0), r(0)])
                .op(GlobalStoreRef, &[g(1), BUFFER, m(0)])
                .op(GlobalLoadRef, &[g(1), LIST, r(1)])
                .ret(&[]),
            Err(Code::INVALID_ARGUMENT),
        ),
        program(
            "storing an object of another type",
            Fun::new("0v_v")
                .block()
                .op(ConstRefRodata, &[A::Imm32(0), r(0)])
                .op(GlobalStoreIndirectRef, &[i(0), LIST, m(0)])
                .ret(&[]),
            Err(Code::INVALID_ARGUMENT),
        ),
        program(
            "a reference global behind the last",
            Fun::new("0v_v")
                .block()
                .i32(0, 4)
                .op(GlobalLoadIndirectRef, &[i(0), BUFFER, r(1)])
                .ret(&[]),
            Err(Code::OUT_OF_RANGE),
        ),
    ]
}

fn references() -> Vec<Program> {
    use Op::*;
    let rodata = |number| A::Imm32(number);
    let two = || {
        Fun::new("0v_iii")
            .block()
            .op(ConstRefRodata, &[rodata(0), r(0)])
            .op(ConstRefRodata, &[rodata(1), r(1)])
    };
    let three = |f: Fun, a, b, c| {
        f.op(CmpNzRef, &[a, i(0)])
            .op(CmpNzRef, &[b, i(1)])
            .op(CmpNzRef, &[c, i(2)])
            .ret(&[i(0), i(1), i(2)])
    };
    let mut programs = vec![
        program(
            "comparing references",
            Fun::new("0v_iiiiii")
                .block()
                .op(ConstRefRodata, &[rodata(0), r(0)])
                .op(ConstRefRodata, &[rodata(0), r(1)])
                .op(ConstRefRodata, &[rodata(1), r(2)])
                .op(CmpEqRef, &[r(0), r(1), i(0)])
                .op(CmpEqRef, &[r(0), r(2), i(1)])
                .op(CmpEqRef, &[r(5), r(6), i(2)])
                .op(CmpNeRef, &[r(0), r(1), i(3)])
                .op(CmpNeRef, &[r(0), r(5), i(4)])
                .op(CmpNzRef, &[r(5), i(5)])
                .ret(&[i(0), i(1), i(2), i(3), i(4), i(5)]),
            Ok("1 0 1 0 1 0"),
        ),
        program(
            "selecting empties the other operand too",
            three(
                two()
                    .i32(3, 1)
                    .op(SelectRef, &[i(3), BUFFER, r(0), m(1), r(2)]),
                r(0),
                r(1),
                r(2),
            ),
            Ok("1 0 1"),
        )
        .in_15("1 1 1"),
        program(
            "selecting what is null",
            three(
                two().op(SelectRef, &[i(3), LIST, m(0), r(5), r(2)]),
                r(0),
                r(1),
                r(2),
            ),
            Ok("0 1 0"),
        )
        .in_15("1 1 0"),
        program(
            "selecting another type",
            two()
                .op(SelectRef, &[i(3), LIST, r(0), r(1), r(2)])
                .ret(&[i(0), i(1), i(2)]),
            Err(Code::INVALID_ARGUMENT),
        ),
        program(
            "switching leaves what it does not select",
            three(
                two()
                    .op(ConstRefRodata, &[rodata(0), r(2)])
                    .i32(3, 1)
                    .op(SwitchRef, &[i(3), BUFFER, m(2), list(&[m(0), r(1)]), r(4)])
                    .op(CmpEqRef, &[r(4), r(1), i(4)])
                    .op(AndI32, &[i(4), i(4), i(4)])
                    .op(SelectRef, &[i(4), BUFFER, r(4), r(5), r(4)]),
                r(0),
                r(2),
                r(4),
            ),
            Ok("1 1 1"),
        ),
        program(
            "switching to what is moved",
            three(
                two().op(SwitchRef, &[i(3), BUFFER, r(1), list(&[m(0)]), r(4)]),
                r(0),
                r(1),
                r(4),
            ),
            Ok("0 1 1"),
        ),
        program(
            "switching to the default",
            three(
                two()
                    .i32(3, -1)
                    .op(SwitchRef, &[i(3), BUFFER, m(0), list(&[r(1)]), r(4)]),
                r(0),
                r(1),
                r(4),
            ),
            Ok("0 1 1"),
        )
        .in_15("1 1 1"),
        program(
            "casting from any type",
            three(
                two()
                    .op(CastAnyRef, &[m(0), BUFFER, r(2)])
                    .op(CastAnyRef, &[r(5), LIST, r(1)]),
                r(0),
                r(1),
                r(2),
            ),
            Ok("0 0 1"),
        )
        .in_15("1 0 1"),
        program(
            "casting to another type",
            two()
                .op(CastAnyRef, &[r(0), LIST, r(2)])
                .ret(&[i(0), i(1), i(2)]),
            Err(Code::INVALID_ARGUMENT),
        ),
    ];
    let mut since_17 = program(
        "assigning and discarding",
        three(
            two()
                .op(AssignRef, &[m(0), r(2)])
                .op(AssignRef, &[r(2), r(3)])
                .op(DiscardRefs, &[list(&[m(1), r(2)])]),
            r(0),
            r(1),
            r(3),
        ),
        Ok("0 0 1"),
    );
    since_17.since = 17;
    programs.push(since_17);
    let mut unresolved = program(
        "an import that nobody offers",
        Fun::new("0v_i")
            .block()
            .op(ImportResolved, &[import(0), i(0)])
            .ret(&[i(0)]),
        Ok("0"),
    );
    unresolved.asm.imports = vec![("other.function", "0v_v", 2)];
    programs.push(unresolved);
    programs
}

fn switches() -> Vec<Program> {
    use Op::*;
    let f = |index| {
        Fun::new("0v_iIfF")
            .block()
            .i32(0, index)
            .i32(1, 11)
            .i32(2, 22)
            .i64(4, 33 << 32)
            .i64(6, 44 << 32)
            .op(ConstF32, &[f32(0.5), i(8)])
            .op(ConstF32, &[f32(1.5), i(9)])
            .op(ConstF64, &[f64(2.5), i(10)])
            .op(ConstF64, &[f64(3.5), i(12)])
            .op(SwitchI32, &[i(0), i(1), list(&[i(0), i(2)]), i(3)])
            .op(SwitchI64, &[i(0), i(4), list(&[i(0), i(6)]), i(14)])
            .op(SwitchF32, &[i(0), i(8), list(&[i(8), i(9)]), i(8)])
            .op(SwitchF64, &[i(0), i(10), list(&[i(10), i(12)]), i(10)])
            .ret(&[i(3), i(14), i(8), i(10)])
    };
    vec![
        program("switching", f(1), Ok("22 188978561024L 1.5f 3.5")),
        program("switching too far", f(2), Ok("11 141733920768L 0.5f 2.5")),
        program("switching below", f(-1), Ok("11 141733920768L 0.5f 2.5")),
    ]
}

fn lists() -> Vec<Program> {
    use Op::*;
    let list_of = |element: A, cconv: &str| {
        Fun::new(cconv)
            .block()
            .i32(0, 3)
            .op(ListAlloc, &[element, i(0), r(0)])
            .op(ListReserve, &[r(0), i(0)])
            .op(ListResize, &[r(0), i(0)])
            .i32(1, 1)
    };
    vec![
        program(
            "lists of anything",
            list_of(ANY, "0v_iiIfFrr")
                .op(ListSize, &[r(0), i(2)])
                .i64(4, -2)
                .op(ListSetI64, &[r(0), i(1), i(4)])
                .op(ListGetI64, &[r(0), i(1), i(6)])
                .op(ListGetI32, &[r(0), i(1), i(3)])
                .op(ConstF32, &[f32(0.5), i(8)])
                .op(ListSetF32, &[r(0), i(1), i(8)])
                .op(ListGetF32, &[r(0), i(1), i(9)])
                .op(ConstF64, &[f64(0.25), i(10)])
                .op(ListSetF64, &[r(0), i(1), i(10)])
                .op(ListGetF64, &[r(0), i(1), i(12)])
                .op(ConstRefRodata, &[A::Imm32(0), r(1)])
                .op(ListSetRef, &[r(0), i(1), m(1)])
                .op(ListGetRef, &[r(0), i(1), BUFFER, r(2)])
                // A type mismatch is null here.
                .op(ListGetRef, &[r(0), i(1), LIST, r(3)])
                .ret(&[i(2), i(3), i(6), i(9), i(12), r(2), r(3)]),
            Ok("3 -2 -2L 0.5f 0.25 vm.buffer null"),
        ),
        program(
            "lists of bytes",
            list_of(I8, "0v_iiI")
                .op(ListGetI32, &[r(0), i(1), i(2)])
                .i32(3, 0x1ff)
                .op(ListSetI32, &[r(0), i(1), i(3)])
                .op(ListGetI32, &[r(0), i(1), i(3)])
                .op(ListGetI64, &[r(0), i(1), i(4)])
                .ret(&[i(2), i(3), i(4)]),
            Ok("0 -1 -1L"),
        ),
        program(
            "a value among references",
            list_of(BUFFER, "0v_v")
                .op(ListSetI32, &[r(0), i(1), i(1)])
                .ret(&[]),
            Err(Code::FAILED_PRECONDITION),
        ),
        program(
            "null as a number",
            list_of(ANY, "0v_v")
                .op(ListGetI32, &[r(0), i(1), i(1)])
                .ret(&[]),
            Err(Code::FAILED_PRECONDITION),
        ),
        program(
            "reading behind the end",
            list_of(ANY, "0v_v")
                .op(ListGetRef, &[r(0), i(0), ANY, r(1)])
                .ret(&[]),
            Err(Code::OUT_OF_RANGE),
        ),
        program(
            "writing before the start",
            list_of(ANY, "0v_v")
                .i32(1, -1)
                .op(ListSetI32, &[r(0), i(1), i(1)])
                .ret(&[]),
            Err(Code::OUT_OF_RANGE),
        ),
        program(
            "a list as large as memory",
            list_of(ANY, "0v_v")
                .i32(1, -1)
                .op(ListResize, &[r(0), i(1)])
                .ret(&[]),
            Err(Code::RESOURCE_EXHAUSTED),
        ),
        program(
            "no list",
            Fun::new("0v_v")
                .block()
                .op(ListSize, &[r(0), i(0)])
                .ret(&[]),
            Err(Code::INVALID_ARGUMENT),
        ),
        program(
            "a buffer for a list",
            Fun::new("0v_v")
                .block()
                .op(ConstRefRodata, &[A::Imm32(0), r(0)])
                .op(ListReserve, &[r(0), i(0)])
                .ret(&[]),
            Err(Code::INVALID_ARGUMENT),
        ),
    ]
}

/// A buffer of 16 zeros in `r0`; `i2:3` is 16, `i4:5` is 1, `i6:7` is 0.
fn buffer(cconv: &str) -> Fun {
    Fun::new(cconv)
        .block()
        .i64(2, 16)
        .i64(4, 1)
        .op(Op::BufferAlloc, &[i(2), i(0), r(0)])
}

/// Offsets of loads, stores and fills count elements.
fn buffer_elements() -> Vec<Program> {
    use Op::*;
    let load = |op, register| move |f: Fun| f.op(op, &[r(0), i(4), i(register)]);
    vec![
        program(
            "loads and stores of narrow integers",
            load(BufferLoadI8S, 12)(load(BufferLoadI8U, 11)(load(BufferLoadI16S, 10)(
                load(BufferLoadI16U, 9)(
                    buffer("0v_iiiii")
                        .i32(8, 0x0001_8081)
                        .op(BufferStoreI16, &[r(0), i(4), i(8)]),
                )
                .op(BufferStoreI8, &[r(0), i(4), i(8)])
                .op(BufferLoadI32, &[r(0), i(6), i(13)]),
            )))
            .ret(&[i(9), i(10), i(11), i(12), i(13)]),
            Ok("32897 -32639 129 -127 -2138996480"),
        ),
        program(
            "loads and stores of words",
            buffer("0v_iIfFI")
                .i32(8, -7)
                .op(BufferStoreI32, &[r(0), i(4), i(8)])
                .op(BufferLoadI32, &[r(0), i(4), i(9)])
                .op(ConstF32, &[f32(0.5), i(8)])
                .op(BufferStoreF32, &[r(0), i(4), i(8)])
                .op(BufferLoadF32, &[r(0), i(4), i(8)])
                .op(BufferLoadI64, &[r(0), i(6), i(14)])
                .i64(10, -9)
                .op(BufferStoreI64, &[r(0), i(4), i(10)])
                .op(BufferLoadI64, &[r(0), i(4), i(10)])
                .op(ConstF64, &[f64(0.25), i(12)])
                .op(BufferStoreF64, &[r(0), i(4), i(12)])
                .op(BufferLoadF64, &[r(0), i(4), i(12)])
                .ret(&[i(9), i(10), i(8), i(12), i(14)]),
            Ok("-7 -9L 0.5f 0.25 4539628424389459968L"),
        ),
        program(
            "fills",
            buffer("0v_IIIIII")
                .i32(8, 0x1234_abcd)
                .i64(10, 0x0102_0304_0506_0708)
                .op(BufferFillI64, &[r(0), i(6), i(4), i(10)])
                .op(BufferLoadI64, &[r(0), i(6), i(12)])
                .op(BufferFillI8, &[r(0), i(4), i(4), i(8)])
                .op(BufferLoadI64, &[r(0), i(6), i(14)])
                .op(BufferFillI16, &[r(0), i(4), i(4), i(8)])
                .op(BufferLoadI64, &[r(0), i(6), i(2)])
                .op(BufferFillI32, &[r(0), i(4), i(4), i(8)])
                .op(BufferLoadI64, &[r(0), i(6), i(10)])
                .op(ConstF32, &[f32(1.0), i(8)])
                .op(BufferFillF32, &[r(0), i(6), i(4), i(8)])
                .op(BufferLoadI64, &[r(0), i(6), i(6)])
                .op(ConstF64, &[f64(1.0), i(8)])
                .op(BufferFillF64, &[r(0), i(4), i(4), i(8)])
                .op(BufferLoadI64, &[r(0), i(4), i(4)])
                .ret(&[i(12), i(14), i(2), i(10), i(6), i(4)]),
            Ok("72623859790382856L 72623859790433544L 72623862588493064L \
                1311862291310693640L 1311862289493655552L 4607182418800017408L"),
        ),
        program(
            "an element behind the end",
            buffer("0v_v")
                .i64(4, 4)
                .op(BufferLoadF32, &[r(0), i(4), i(8)])
                .ret(&[]),
            Err(Code::OUT_OF_RANGE),
        ),
        program(
            "an element whose place is no number",
            buffer("0v_v")
                .i64(4, -1)
                .op(BufferStoreI64, &[r(0), i(4), i(8)])
                .ret(&[]),
            Err(Code::OUT_OF_RANGE),
        ),
        program(
            "a fill too long",
            buffer("0v_v")
                .i64(4, 1)
                .op(BufferFillI16, &[r(0), i(4), i(2), i(8)])
                .ret(&[]),
            Err(Code::OUT_OF_RANGE),
        ),
        program(
            "writing data of the module",
            buffer("0v_v")
                .op(ConstRefRodata, &[A::Imm32(0), r(1)])
                .op(BufferStoreI8, &[r(1), i(4), i(8)])
                .ret(&[]),
            Err(Code::PERMISSION_DENIED),
        ),
        program(
            "no buffer",
            buffer("0v_v")
                .op(BufferLoadI8U, &[r(1), i(4), i(8)])
                .ret(&[]),
            Err(Code::INVALID_ARGUMENT),
        ),
    ]
}

/// Offsets and lengths of these count bytes.
fn buffer_bytes() -> Vec<Program> {
    use Op::*;
    vec![
        program(
            "cloning, copying, comparing",
            buffer("0v_IIiii")
                .op(ConstRefRodata, &[A::Imm32(0), r(1)])
                .i64(8, 3)
                // Bytes 1, 2, 3.
                .op(BufferClone, &[r(1), i(4), i(8), i(0), r(2)])
                .op(BufferLength, &[r(2), i(10)])
                .op(BufferCompare, &[r(2), i(6), r(1), i(4), i(8), i(0)])
                .op(BufferCompare, &[r(2), i(6), r(1), i(6), i(8), i(1)])
                .op(BufferCopy, &[r(2), i(6), r(0), i(8), i(8)])
                // Over itself, where the ranges overlap: 0 0 0 0 1 2 3.
                .op(BufferCopy, &[r(0), i(8), r(0), i(8), i(8)])
                .i64(12, 4)
                .op(BufferCopy, &[r(0), i(8), r(0), i(12), i(8)])
                .op(BufferLoadI64, &[r(0), i(6), i(14)])
                .op(BufferStoreI8, &[r(2), i(6), i(1)])
                .op(BufferLoadI8U, &[r(1), i(4), i(2)])
                .ret(&[i(10), i(14), i(0), i(1), i(2)]),
            Ok("3L 846628265132032L 1 0 1"),
        ),
        program(
            "hashing",
            // The published vector for the bytes 0 to 14.
            Fun::new("0v_I")
                .block()
                .i64(4, 15)
                .op(ConstRefRodata, &[A::Imm32(0), r(1)])
                .op(BufferHash, &[r(1), i(6), i(4), i(8)])
                .ret(&[i(8)]),
            Ok("-6833708440360172059L"),
        ),
        program(
            "hashing too much",
            Fun::new("0v_I")
                .block()
                .i64(4, 16)
                .op(ConstRefRodata, &[A::Imm32(0), r(1)])
                .op(BufferHash, &[r(1), i(6), i(4), i(8)])
                .ret(&[i(8)]),
            Err(Code::OUT_OF_RANGE),
        ),
        program(
            "copying behind the end",
            buffer("0v_v")
                .op(BufferCopy, &[r(0), i(6), r(0), i(4), i(2)])
                .ret(&[]),
            Err(Code::OUT_OF_RANGE),
        ),
        program(
            "copying over data of the module",
            buffer("0v_v")
                .op(ConstRefRodata, &[A::Imm32(0), r(1)])
                .op(BufferCopy, &[r(0), i(6), r(1), i(6), i(4)])
                .ret(&[]),
            Err(Code::PERMISSION_DENIED),
        ),
        program(
            "cloning behind the end",
            buffer("0v_v")
                .op(BufferClone, &[r(0), i(4), i(2), i(0), r(1)])
                .ret(&[]),
            Err(Code::OUT_OF_RANGE),
        ),
        program(
            "comparing behind the end",
            buffer("0v_v")
                .op(BufferCompare, &[r(0), i(4), r(0), i(6), i(2), i(0)])
                .ret(&[]),
            Err(Code::OUT_OF_RANGE),
        ),
        program(
            "a buffer as large as memory",
            buffer("0v_v")
                .i64(4, -1)
                .op(BufferAlloc, &[i(4), i(0), r(0)])
                .ret(&[]),
            Err(Code::RESOURCE_EXHAUSTED),
        ),
    ]
}

fn programs() -> Vec<Program> {
    [
        constants_and_globals(),
        references(),
        switches(),
        lists(),
        buffer_elements(),
        buffer_bytes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[test]
fn instructions_with_state_give_these_results() {
    for mut program in programs() {
        for version in [15, 17] {
            if version < program.since {
                continue;
            }
            program.asm.version = version;
            let outcome = run(&program.asm, program.args.clone());
            let outcome = outcome
                .map(|values| show(&values))
                .map_err(|trap| trap.error().code());
            let expected = match program.in_15 {
                Some(expected) if version == 15 => Ok(expected),
                _ => program.expected,
            };
            let expected = expected.map(str::to_owned);
            assert_eq!(outcome, expected, "{} in version {version}", program.name);
        }
    }
}

/// Those that `running.rs` and `linking.rs` are about.
const TESTED_ELSEWHERE: &[Op] = &[
    Op::Block,
    Op::Br,
    Op::CondBr,
    Op::BrTable,
    Op::Call,
    Op::CallVariadic,
    Op::CallYieldable,
    Op::CallVariadicYieldable,
    Op::Return,
    Op::Fail,
    Op::Yield,
    Op::Trace,
    Op::Print,
    Op::CondBreak,
    Op::Break,
];

#[test]
fn every_instruction_is_tested() {
    let mut tested: HashSet<Op> = TESTED_ELSEWHERE.iter().copied().collect();
    tested.extend(pure::integers().iter().map(|row| row.0));
    tested.extend(pure::floats().iter().map(|row| row.0));
    tested.extend(pure::functions().iter().flat_map(|row| [row.0, row.1]));
    for program in programs() {
        tested.extend(program.asm.functions.iter().flat_map(|f| &f.used));
    }
    let untested: Vec<_> = OPS.iter().filter(|op| !tested.contains(op)).collect();
    assert!(untested.is_empty(), "{untested:?}");
}

/// A program that allocates as much as it can cannot have more than the limit, and what it had is given back.
#[test]
fn memory_of_programs_is_limited_and_given_back() {
    let f = Fun::new("0v_v")
        .block()
        .i64(0, 1000)
        .i32(2, 1)
        .op(Op::ListAlloc, &[A::Imm32(0), i(2), r(0)])
        .op(Op::Br, &[A::To(1), A::Pairs(Vec::new())])
        .block()
        .op(Op::AddI32, &[i(3), i(2), i(3)])
        .op(Op::ListResize, &[r(0), i(3)])
        .op(Op::SubI32, &[i(3), i(2), i(4)])
        .op(Op::BufferAlloc, &[i(0), i(2), r(1)])
        .op(Op::ListSetRef, &[r(0), i(4), m(1)])
        .op(Op::Br, &[A::To(1), A::Pairs(Vec::new())]);
    let mut asm = Asm::main(17, f);
    asm.types = vec!["!vm.opaque"];
    let (mut context, id) = crate::support::linked(&asm);
    let trap = crate::support::call(&mut context, id, "main", Vec::new()).unwrap_err();
    assert_eq!(trap.error().code(), Code::RESOURCE_EXHAUSTED);
    assert_eq!(context.memory_used(), 0);
}

#[test]
fn signatures_can_be_read_off_a_module() {
    let module = crate::support::load(&Asm::main(
        17,
        Fun::new("0if_F").block().op(Op::Return, &[list(&[i(2)])]),
    ))
    .unwrap();
    let exports: Vec<_> = module.exports().collect();
    assert_eq!(exports, [("main", &Signature::parse("0if_F").unwrap())]);
}
