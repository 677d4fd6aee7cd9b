//! What the verifier refuses, and how it says so.

use vm::op::{OPS, Op, Set};
use vm::{Code, Kind};

use crate::asm::{A, Asm, Fun, i, import, list, m, r, remap, text, to};
use crate::support::load;

/// A module that has something of everything; its function is the one under test, two others and two imports can be
/// called.
fn around(version: u16, f: Fun) -> Asm {
    let other = |cconv: &str| Fun::new(cconv).block().ret(&[]);
    let mut asm = Asm::main(version, f)
        .function(other("0iIr_v"))
        .function(Fun::new("0v_I").block().ret(&[i(0)]));
    asm.types = vec!["i32", "!vm.buffer"];
    asm.imports = vec![("x.plain", "0iI_r", 1), ("x.groups", "0rCiID_v", 1)];
    asm.rodata = vec![b"data".to_vec()];
    asm.globals = (12, 2);
    asm
}

/// What is said about `f`, without module and function.
fn refusal(version: u16, f: Fun) -> String {
    let error = load(&around(version, f)).expect_err("it must be refused");
    assert_eq!(error.code(), Code::INVALID_ARGUMENT);
    let message = error.message();
    let place = "module module, function 0 (main)";
    let said = message
        .strip_prefix(place)
        .unwrap_or_else(|| panic!("{message}"));
    said.to_owned()
}

/// A function of one block, with 4 value and 2 reference registers.
fn small() -> Fun {
    let mut f = Fun::new("0v_v").block();
    f.registers = (4, 2);
    f
}

/// Checks what is said about one instruction in a small function, in both versions.
fn check(op: Op, operands: &[A], expected: &str) {
    for version in [15, 17] {
        if version >= op.row().since {
            let mut f = small().op(op, operands);
            if !op.ends_block() {
                f = f.ret(&[]);
            }
            let expected = format!(" at 00000001, vm.{}: {expected}", op.mnemonic());
            assert_eq!(refusal(version, f), expected);
        }
    }
}

#[test]
fn registers_must_exist_and_be_of_the_right_bank() {
    use Op::*;
    let refs = "r2 of 2 reference registers";
    check(AddI32, &[i(4), i(0), i(1)], "i4 of 4 value registers");
    check(
        AddI32,
        &[i(0), i(0), i(0x7fff)],
        "i32767 of 4 value registers",
    );
    check(
        AddI32,
        &[i(0), r(1), i(0)],
        "r1 where a value register is needed",
    );
    check(
        CmpNzRef,
        &[i(1), i(0)],
        "i1 where a reference register is needed",
    );
    check(CmpNzRef, &[r(2), i(0)], refs);
    check(ConstRefZero, &[r(2)], refs);
    check(
        ConstRefZero,
        &[i(0)],
        "i0 where a reference register is needed",
    );
    check(GlobalStoreRef, &[A::Imm32(0), A::Imm32(1), m(2)], refs);
    check(DiscardRefs, &[list(&[r(0), r(2)])], refs);
    check(Trace, &[text("x"), list(&[r(2)])], refs);
    check(
        Print,
        &[text("x"), list(&[i(4)])],
        "i4 of 4 value registers",
    );
    check(
        SwitchI32,
        &[i(0), i(0), list(&[i(0), i(4)]), i(0)],
        "i4 of 4 value registers",
    );
    check(
        SwitchRef,
        &[i(0), A::Imm32(1), r(0), list(&[i(0)]), r(0)],
        "i0 where a reference register is needed",
    );
}

#[test]
fn wide_values_need_an_even_pair() {
    use Op::*;
    let odd = "i1 where an even register and the next are needed";
    check(AddI64, &[i(1), i(0), i(2)], odd);
    check(AddI64, &[i(0), i(0), i(1)], odd);
    check(AddI64, &[i(0), i(0), i(4)], "i4 of 4 value registers");
    check(AddF64, &[i(0), i(1), i(2)], odd);
    check(SwitchI64, &[i(0), i(0), list(&[i(1)]), i(2)], odd);
    // Of five registers, the last has no partner.
    let mut f = small().op(ConstI64Zero, &[i(4)]).ret(&[]);
    f.registers.0 = 5;
    assert_eq!(
        refusal(17, f),
        " at 00000001, vm.const.i64.zero: i5 of 5 value registers"
    );
}

#[test]
fn only_some_operands_can_be_moved() {
    let f = small().op(Op::CmpNzRef, &[m(1), i(0)]).ret(&[]);
    assert_eq!(
        refusal(17, f.clone()),
        " at 00000001, vm.cmp.nz.ref: r1 cannot be moved here"
    );
    // The older compiler says so where it means nothing.
    load(&around(15, f)).unwrap();
    let f = small().op(Op::Br, &[to(0), remap(&[(r(0), m(1))])]);
    assert_eq!(
        refusal(17, f),
        " at 00000001, vm.br: r1 cannot be moved here"
    );
}

#[test]
fn numbers_of_other_things_must_be_in_range() {
    use Op::*;
    let n = A::Imm32;
    check(
        GlobalLoadI32,
        &[n(9), i(0)],
        "global at 9, 4 bytes, of 12 bytes",
    );
    check(
        GlobalLoadI64,
        &[n(5), i(0)],
        "global at 5, 8 bytes, of 12 bytes",
    );
    check(
        GlobalStoreF64,
        &[n(u32::MAX), i(0)],
        "global at 4294967295, 8 bytes, of 12 bytes",
    );
    check(
        GlobalLoadRef,
        &[n(2), n(1), r(0)],
        "reference global 2 of 2",
    );
    check(GlobalLoadRef, &[n(1), n(2), r(0)], "type 2 of 2");
    check(
        GlobalLoadRef,
        &[n(1), n(0), r(0)],
        "type 0 (i32) is not one of references",
    );
    check(ListAlloc, &[n(2), i(0), r(0)], "type 2 of 2");
    check(ConstRefRodata, &[n(1), r(0)], "data segment 1 of 1");
    check(ImportResolved, &[import(2), i(0)], "import 2 of 2");
    check(
        ImportResolved,
        &[n(0), i(0)],
        "function 0 where an import is needed",
    );
    check(Call, &[n(3), list(&[]), list(&[])], "function 3 of 3");
    check(Call, &[import(2), list(&[]), list(&[])], "import 2 of 2");
}

#[test]
fn calls_must_fit_the_signature_of_their_callee() {
    use Op::*;
    let f = |number| A::Imm32(number);
    check(
        Call,
        &[f(1), list(&[i(0), i(2)]), list(&[])],
        "2 arguments, expected 3",
    );
    check(
        Call,
        &[f(1), list(&[i(0), i(1), r(0)]), list(&[])],
        "arguments, number 1, of kind i64: i1 where an even register and the next are needed",
    );
    check(
        Call,
        &[f(1), list(&[i(0), i(2), i(0)]), list(&[])],
        "arguments, number 2, of kind ref: i0 where a reference register is needed",
    );
    check(Call, &[f(2), list(&[]), list(&[])], "0 results, expected 1");
    check(
        Call,
        &[f(2), list(&[]), list(&[i(3)])],
        "results, number 0, of kind i64: i3 where an even register and the next are needed",
    );
    check(
        Call,
        &[import(0), list(&[i(0), i(2)]), list(&[i(0)])],
        "results, number 0, of kind ref: i0 where a reference register is needed",
    );
    check(
        CallYieldable,
        &[f(2), list(&[]), to(0), list(&[])],
        "0 results, expected 1",
    );
    let mut f = Fun::new("0v_iF").block().ret(&[i(0)]);
    assert_eq!(
        refusal(15, f),
        " at 00000001, vm.return: 1 results, expected 2"
    );
    f = Fun::new("0v_iF").block().ret(&[i(0), i(1)]);
    assert_eq!(
        refusal(17, f),
        " at 00000001, vm.return: results, number 1, of kind f64: i1 where an even register and \
         the next are needed"
    );
}

#[test]
fn groups_must_fit_too() {
    use Op::*;
    let variadic = |segments: &[u16], args: &[A], expected| {
        let segments = A::List(segments.to_vec());
        let operands = [import(1), segments, list(args), list(&[])];
        check(CallVariadic, &operands, expected);
    };
    variadic(
        &[0xffff],
        &[r(0)],
        "1 segments, the calling convention 0rCiID_v has 2",
    );
    variadic(
        &[1, 1],
        &[r(0), i(0), i(2)],
        "segment 0x1 does not fit the calling convention 0rCiID_v",
    );
    variadic(
        &[0xffff, 0xffff],
        &[r(0)],
        "segment 0xffff does not fit the calling convention 0rCiID_v",
    );
    variadic(
        &[0xffff, 2],
        &[r(0), i(0), i(2)],
        "a group of 2 times 2 arguments, 3 are given in all",
    );
    variadic(&[0xffff, 0], &[r(0), i(0)], "2 arguments, expected 1");
    variadic(
        &[0xffff, 1],
        &[r(0), i(2), i(1)],
        "arguments, number 2, of kind i64: i1 where an even register and the next are needed",
    );
    check(
        Call,
        &[import(1), list(&[r(0)]), list(&[])],
        "the calling convention 0rCiID_v has groups and the call says no sizes",
    );
    check(
        CallVariadic,
        &[A::Imm32(2), A::List(vec![]), list(&[]), list(&[i(0)])],
        "function 2 where an import is needed",
    );
    check(
        CallVariadicYieldable,
        &[
            import(1),
            A::List(vec![0xffff]),
            list(&[]),
            to(0),
            list(&[]),
        ],
        "1 segments, the calling convention 0rCiID_v has 2",
    );
}

#[test]
fn branches_lead_to_blocks_and_copy_within_a_bank() {
    use Op::*;
    let nowhere = A::Imm32(2);
    check(
        Br,
        &[nowhere.clone(), remap(&[])],
        "no block begins at 00000002",
    );
    check(
        CondBr,
        &[i(0), to(0), remap(&[]), nowhere.clone(), remap(&[])],
        "no block begins at 00000002",
    );
    let cases = [
        i(0),
        to(0),
        remap(&[]),
        A::Word(1),
        nowhere.clone(),
        remap(&[]),
    ];
    check(BrTable, &cases, "no block begins at 00000002");
    check(
        Yield,
        &[nowhere.clone(), remap(&[])],
        "no block begins at 00000002",
    );
    check(
        CallYieldable,
        &[A::Imm32(2), list(&[]), nowhere, list(&[i(0)])],
        "no block begins at 00000002",
    );
    check(
        Br,
        &[to(0), remap(&[(i(0), r(0))])],
        "a branch copies between the two banks of registers",
    );
    check(
        Br,
        &[to(0), remap(&[(i(0), i(4))])],
        "i4 of 4 value registers",
    );
    check(
        Break,
        &[to(0), remap(&[(r(2), r(0))])],
        "r2 of 2 reference registers",
    );
}

/// A branch is followed by a block, so these functions are written whole.
#[test]
fn blocks_are_whole() {
    let whole = |f: Fun| refusal(17, f);
    let zero = |f: Fun| f.op(Op::ConstI32Zero, &[i(0)]);
    let mut f = zero(Fun::new("0v_v"));
    f.block_count = Some(1);
    assert_eq!(
        whole(f),
        " at 00000000, vm.const.i32.zero: it stands outside of a block"
    );
    assert_eq!(
        whole(zero(small().ret(&[]))),
        " at 00000004, vm.const.i32.zero: it stands outside of a block"
    );
    assert_eq!(
        whole(zero(small())),
        ": the last block does not end with a branch or a return"
    );
    assert_eq!(
        whole(small().block().ret(&[])),
        " at 00000001, vm.block: the block before does not end with a branch or a return"
    );
    let mut f = small().ret(&[]);
    f.block_count = Some(2);
    assert_eq!(whole(f), ": it has 1 blocks and declares 2");
}

#[test]
fn bytes_that_are_no_instruction() {
    let raw = |version, bytes: &[u8]| refusal(version, small().raw(bytes));
    let cut = "the function ends in the middle of an instruction";
    assert_eq!(raw(15, &[0xff]), " at 00000001: there is no opcode FF");
    assert_eq!(
        raw(17, &[0xe0, 0x3f]),
        " at 00000001: there is no opcode E0 3F"
    );
    assert_eq!(raw(17, &[0xe1]), format!(" at 00000001: {cut}"));
    assert_eq!(
        raw(17, &[0x22, 0, 0]),
        format!(" at 00000001, vm.add.i32: {cut}")
    );
    assert_eq!(raw(17, &[0x5a]), format!(" at 00000001, vm.return: {cut}"));
    assert_eq!(
        raw(17, &[0x5a, 2, 0, 0, 0]),
        format!(" at 00000001, vm.return: {cut}")
    );
    assert_eq!(
        raw(17, &[0x5b, 0, 0, 4, 0, b'a']),
        format!(" at 00000001, vm.fail: {cut}")
    );
    // The list of `print` begins at an even place.
    assert_eq!(
        raw(17, &[0x5f, 1, 0, b'a', 7, 0, 0]),
        " at 00000001, vm.print: the padding byte at 00000005 is not zero"
    );
}

#[test]
fn later_instructions_are_not_in_earlier_bytecode() {
    for op in OPS.iter().filter(|op| op.row().since == 17) {
        let row = op.row();
        let mut bytes: Vec<u8> = row.set.prefix().into_iter().collect();
        bytes.push(row.opcode);
        let prefix = row
            .set
            .prefix()
            .map_or(String::new(), |byte| format!("{byte:02X} "));
        assert_eq!(
            refusal(15, small().raw(&bytes)),
            format!(
                " at 00000001: opcode {prefix}{:02X} ({}) is not in bytecode version 15",
                row.opcode, row.mnemonic
            )
        );
    }
}

#[test]
fn extensions_must_be_declared_by_module_or_function() {
    for (op, bit, name) in [(Op::AddF32, 1, "EXT_F32"), (Op::AddF64, 2, "EXT_F64")] {
        let mut f = small().op(op, &[i(0), i(0), i(2)]).ret(&[]);
        let mut asm = around(17, f.clone());
        asm.requirements = 3 - bit;
        let error = load(&asm).unwrap_err();
        assert!(
            error.message().ends_with(&format!(
                "vm.{}: it needs Features({name}), which neither the function nor the module \
                 declares",
                op.mnemonic()
            )),
            "{error}"
        );
        f.requirements = bit;
        let mut asm = around(17, f);
        asm.requirements = 0;
        load(&asm).unwrap();
        assert_ne!(op.row().set, Set::Core);
    }
}

#[test]
fn signatures_must_be_readable_and_fit_the_registers() {
    let mut f = Fun::new("0iI_v").block().ret(&[]);
    f.registers = (3, 0);
    assert_eq!(
        refusal(17, f.clone()),
        ": its arguments 0iI_v do not fit 3 value and 0 reference registers"
    );
    f.registers = (4, 0);
    load(&around(17, f)).unwrap();
    let f = Fun::new("0CiD_v").block().ret(&[]);
    assert_eq!(
        refusal(17, f),
        ": its calling convention 0CiD_v repeats arguments; only imports may"
    );
    let f = Fun::new("0x_v").block().ret(&[]);
    assert_eq!(
        refusal(17, f),
        ": calling convention `0x_v`: there are only the letters iIfFr"
    );
    let mut asm = around(17, small().ret(&[]));
    asm.imports[0].1 = "1v_v";
    assert_eq!(
        load(&asm).unwrap_err().to_string(),
        "INVALID_ARGUMENT: module module, import x.plain: calling convention `1v_v`: it must \
         begin with its version, 0"
    );
}

/// The file says it once and all functions share it; read, it would be there as often as there are functions.
#[test]
fn long_signatures_cannot_be_had_for_nothing() {
    let long = format!("0{}_v", "i".repeat(30_000));
    let mut f = Fun::new(&long).block().ret(&[]);
    f.registers = (30_000, 0);
    let mut asm = Asm::new(17);
    asm.functions = vec![f; 8];
    asm.shares_signatures = true;
    let error = load(&asm).unwrap_err();
    assert!(
        error.message().contains("letters of calling conventions"),
        "{error}"
    );
    asm.shares_signatures = false;
    load(&asm).unwrap();
}

/// Every register operand of every instruction, one beyond the last: none is forgotten.
#[test]
fn no_instruction_takes_a_register_that_does_not_exist() {
    use vm::op::Operand;
    let mut checked = 0;
    for &op in OPS {
        let row = op.row();
        for (at, operand) in row.operands.iter().enumerate() {
            let kind = match operand {
                Operand::I32 | Operand::ToI32 | Operand::F32 | Operand::ToF32 => Kind::I32,
                Operand::I64 | Operand::ToI64 | Operand::F64 | Operand::ToF64 => Kind::I64,
                Operand::Ref | Operand::MovableRef | Operand::ToRef => Kind::Ref,
                _ => continue,
            };
            let operands: Vec<A> = (0..row.operands.len())
                .map(|index| match (index == at, kind) {
                    (true, Kind::Ref) => r(2),
                    (true, _) => i(4),
                    (false, _) => fitting(row.operands[index]),
                })
                .collect();
            let said = refusal(17, small().op(op, &operands).ret(&[]));
            let expected = match kind {
                Kind::Ref => "r2 of 2 reference registers",
                _ => "i4 of 4 value registers",
            };
            assert!(said.ends_with(expected), "{op:?} {at}: {said}");
            checked += 1;
        }
    }
    assert!(checked > 600, "{checked}");
}

/// An operand that would be accepted.
fn fitting(operand: vm::op::Operand) -> A {
    use vm::op::Operand::*;
    match operand {
        Ref | MovableRef | ToRef => r(0),
        Imm32 | Global32 | Global64 | GlobalRef | Rodata => A::Imm32(0),
        Type => A::Imm32(1),
        Import => import(0),
        Imm64 => A::Imm64(0),
        Block => to(0),
        Remap => remap(&[]),
        Text => text(""),
        Cases => A::Word(0),
        Segments | Args | Results | Returned | Payload | I32s | I64s | F32s | F64s | Refs
        | MovableRefs => list(&[]),
        Callee => A::Imm32(0),
        I32 | I64 | F32 | F64 | ToI32 | ToI64 | ToF32 | ToF64 => i(0),
    }
}
