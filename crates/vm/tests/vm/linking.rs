//! How modules find each other.

use std::sync::Arc;

use vm::op::Op;
use vm::{
    Call, Code, Context, Flow, Invocation, NativeExport, NativeModule, Poll, RefType, Result, Type,
    Value,
};

use crate::asm::{A, Asm, Fun, i, import, list, m, r};
use crate::support::{call, limits, load, show};

/// A native module with one function that gives a number.
struct Number {
    name: &'static str,
    version: u32,
    number: i32,
    exports: &'static [NativeExport],
}

static THING: Type<u8> = Type::new("numbers.thing");

impl NativeModule for Number {
    fn name(&self) -> &'static str {
        self.name
    }

    fn version(&self) -> u32 {
        self.version
    }

    fn types(&self) -> &'static [&'static RefType] {
        static TYPES: &[&RefType] = &[THING.erased()];
        TYPES
    }

    fn exports(&self) -> &[NativeExport] {
        self.exports
    }

    fn call(&mut self, export: usize, call: &mut Call<'_>) -> Result<Flow> {
        call.ret(Value::I32(self.number + export as i32));
        Ok(Flow::Return)
    }
}

const BOTH: &[NativeExport] = &[
    NativeExport {
        name: "f",
        signature: "0i_i",
    },
    NativeExport {
        name: "f",
        signature: "0v_i",
    },
];

fn numbers(version: u32, number: i32) -> Box<Number> {
    Box::new(Number {
        name: "numbers",
        version,
        number,
        exports: BOTH,
    })
}

fn caller(flags: u32) -> Asm {
    let f = Fun::new("0v_ii")
        .block()
        .op(Op::ImportResolved, &[import(0), i(1)])
        .op(Op::Call, &[import(0), list(&[]), list(&[i(0)])])
        .ret(&[i(0), i(1)]);
    let mut asm = Asm::main(17, f);
    asm.imports = vec![("numbers.f", "0v_i", flags)];
    asm
}

#[test]
fn imports_are_found_by_name_and_calling_convention_the_newest_first() {
    let mut context = Context::new(limits());
    context.register(numbers(1, 10));
    let old = context.link(Arc::new(load(&caller(1)).unwrap())).unwrap();
    context.register(numbers(1, 20));
    let new = context.link(Arc::new(load(&caller(1)).unwrap())).unwrap();
    let values = call(&mut context, old, "main", Vec::new()).unwrap();
    assert_eq!(show(&values), "11 1");
    let values = call(&mut context, new, "main", Vec::new()).unwrap();
    assert_eq!(show(&values), "21 1");
}

#[test]
fn missing_imports_say_what_is_there_instead() {
    let mut context = Context::new(limits());
    let error = context
        .link(Arc::new(load(&caller(1)).unwrap()))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "NOT_FOUND: module module calls numbers.f (0v_i), which no loaded module offers"
    );
    context.register(Box::new(Number {
        exports: &BOTH[..1],
        ..*numbers(1, 1)
    }));
    let error = context
        .link(Arc::new(load(&caller(1)).unwrap()))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "NOT_FOUND: module module calls numbers.f (0v_i), which is here only with the calling \
         convention 0i_i"
    );
}

#[test]
fn optional_imports_may_be_missing_until_they_are_called() {
    let mut asm = caller(2);
    let asked = Fun::new("0v_i")
        .block()
        .op(Op::ImportResolved, &[import(0), i(0)])
        .ret(&[i(0)]);
    asm = asm.export("asked", asked);
    let mut context = Context::new(limits());
    let id = context.link(Arc::new(load(&asm).unwrap())).unwrap();
    let values = call(&mut context, id, "asked", Vec::new()).unwrap();
    assert_eq!(show(&values), "0");
    let trap = call(&mut context, id, "main", Vec::new()).unwrap_err();
    assert_eq!(trap.error().code(), Code::NOT_FOUND);
    assert!(trap.to_string().contains("numbers.f"), "{trap}");
}

#[test]
fn dependencies_and_their_versions_are_checked() {
    let plain = Asm::main(17, Fun::new("0v_v").block().ret(&[]));
    let wants = |name, version, flags| {
        let mut asm = plain.clone();
        asm.dependencies = vec![(name, version, flags)];
        Arc::new(load(&asm).unwrap())
    };
    let mut context = Context::new(limits());
    context.register(numbers(4, 0));
    assert!(context.link(wants("numbers", 4, 1)).is_ok());
    assert!(context.link(wants("others", 1, 2)).is_ok());
    let error = context.link(wants("numbers", 5, 1)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "FAILED_PRECONDITION: module module needs module numbers in version 5 or newer, here is \
         version 4"
    );
    let error = context.link(wants("others", 1, 1)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "NOT_FOUND: module module needs module others, which is not loaded"
    );
    let error = context.link(wants("numbers", 5, 2)).unwrap_err();
    assert_eq!(error.code(), Code::FAILED_PRECONDITION);
}

#[test]
fn types_must_be_known() {
    let mut asm = Asm::main(17, Fun::new("0v_v").block().ret(&[]));
    asm.types = vec!["i32", "!vm.list<i8>", "!vm.buffer", "!numbers.thing"];
    let mut context = Context::new(limits());
    let error = context.link(Arc::new(load(&asm).unwrap())).unwrap_err();
    assert_eq!(
        error.to_string(),
        "NOT_FOUND: module module uses objects of type numbers.thing, which no loaded module has"
    );
    context.register(numbers(1, 0));
    assert!(context.link(Arc::new(load(&asm).unwrap())).is_ok());
}

/// Calls between modules of different bytecode versions.
#[test]
fn modules_of_bytecode_call_each_other() {
    let mut library = Asm::new(15).export(
        "scale",
        Fun::new("0IrI_Ir")
            .block()
            .op(Op::GlobalLoadI64, &[A::Imm32(0), i(4)])
            .op(Op::MulI64, &[i(0), i(4), i(0)])
            .op(Op::AddI64, &[i(0), i(2), i(0)])
            .ret(&[i(0), m(0)]),
    );
    library = library.export(
        "__init",
        Fun::new("0v_v")
            .block()
            .i64(0, 1000)
            .op(Op::GlobalStoreI64, &[A::Imm32(0), i(0)])
            .ret(&[]),
    );
    library.name = "library".to_owned();
    library.globals = (8, 0);
    let main = Fun::new("0iI_I")
        .block()
        .op(Op::ConstRefRodata, &[A::Imm32(0), r(0)])
        .op(
            Op::Call,
            &[import(0), list(&[i(2), m(0), i(2)]), list(&[i(4), r(1)])],
        )
        .op(Op::BufferLength, &[r(1), i(6)])
        .op(Op::AddI64, &[i(4), i(6), i(4)])
        .ret(&[i(4)]);
    let mut main = Asm::main(17, main);
    main.imports = vec![("library.scale", "0IrI_Ir", 1)];
    main.rodata = vec![b"seven b".to_vec()];
    let mut context = Context::new(limits());
    let library = context.link(Arc::new(load(&library).unwrap())).unwrap();
    let id = context.link(Arc::new(load(&main).unwrap())).unwrap();
    let init = context.initializer(library).unwrap();
    let mut invocation = Invocation::new(&context, init, Vec::new()).unwrap();
    assert!(matches!(
        invocation.poll(&mut context, None),
        Ok(Poll::Done(_))
    ));
    assert!(context.initializer(id).is_none());
    let args = vec![Value::I32(0), Value::I64(5)];
    let values = call(&mut context, id, "main", args.clone()).unwrap();
    assert_eq!(show(&values), "5012L");

    assert_eq!(context.find("library"), Some(library));
    let error = context.unlink(library).unwrap_err();
    assert_eq!(error.code(), Code::FAILED_PRECONDITION);
    let function = context.lookup(id, "main").unwrap();
    let mut running = Invocation::new(&context, function, args).unwrap();
    context.unlink(id).unwrap();
    let trap = running.poll(&mut context, None).unwrap_err();
    assert_eq!(trap.error().code(), Code::FAILED_PRECONDITION);
    assert!(Invocation::new(&context, function, Vec::new()).is_err());
    // Those that are over hold nothing.
    context.unlink(library).unwrap();
    assert_eq!(context.memory_used(), 0);
    assert_eq!(context.find("library"), None);
    assert_eq!(context.unlink(library).unwrap_err().code(), Code::NOT_FOUND);
}

#[test]
fn each_context_has_its_own_globals_and_they_count() {
    let f = Fun::new("0i_i")
        .block()
        .op(Op::GlobalLoadI32, &[A::Imm32(4), i(1)])
        .op(Op::GlobalStoreI32, &[A::Imm32(4), i(0)])
        .ret(&[i(1)]);
    let mut asm = Asm::main(17, f);
    asm.globals = (8, 100);
    let module = Arc::new(load(&asm).unwrap());
    let mut results = Vec::new();
    for _ in 0..2 {
        let mut context = Context::new(limits());
        let id = context.link(Arc::clone(&module)).unwrap();
        assert!(context.memory_used() >= 8 + 100 * 8);
        for value in [5, 6] {
            let values = call(&mut context, id, "main", vec![Value::I32(value)]).unwrap();
            results.push(show(&values));
        }
    }
    assert_eq!(results, ["0", "5", "0", "5"]);
    let mut context = Context::new(vm::Limits {
        memory_bytes: 100,
        ..limits()
    });
    let error = context.link(module).unwrap_err();
    assert_eq!(error.code(), Code::RESOURCE_EXHAUSTED);
}
