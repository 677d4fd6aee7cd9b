//! What the interpreter takes for an instruction, a call, and a call of a native function.
//!
//! ```text
//! cargo bench -p vm --bench interpreter
//! ```
//!
//! Each figure is the best of several runs. Allocations are those of a whole run, in the steady state.

#[path = "../tests/vm/asm.rs"]
#[expect(dead_code, reason = "most of it is for tests")]
mod asm;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;
use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

use vm::op::Op;
use vm::{
    BytecodeModule, Call, Context, Flow, Function, Invocation, Limits, NativeExport, NativeModule,
    Poll, RefType, Result, Value,
};

use crate::asm::{A, Asm, Fun, i, import, list, m, r, remap, to};

/// Counts the allocations of each thread.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller keeps the contract of `GlobalAlloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `GlobalAlloc`.
        unsafe { System.dealloc(ptr, layout) }
    }
}

/// Runs of which the best counts.
const RUNS: usize = 200;
/// Rounds of the loop in a run.
const ROUNDS: i32 = 1_000;
/// Instructions in a row, in the body of a loop.
const ROW: usize = 100;

fn main() {
    say(&format!("\n{:<46}{:>9}{:>14}", "", "ns", "allocations"));
    let mut bench = Bench::new();
    let one = 1.0;
    let empty = bench.run(
        "a loop that counts: each round, 4 instructions",
        "empty",
        one,
    );
    let row = ROW as f64;
    for (name, export) in [
        ("add.i32, each", "i32"),
        ("add.i64, each", "i64"),
        ("mul.f32, each", "f32"),
        ("mixed integer arithmetic, each", "mixed"),
    ] {
        bench.run_above(name, export, row, empty);
    }
    for (name, export) in [
        ("call of a function, no arguments", "call"),
        ("call of a function, i, I and a reference", "call_args"),
        ("call of a native function, no arguments", "native"),
        (
            "call of a native function, r, I, i; a result",
            "native_args",
        ),
        ("call of a native function, group of 3", "native_group"),
    ] {
        bench.run_above(name, export, one, empty);
    }
    bench.invocation("a whole invocation of an empty function");
}

/// Writes a line.
fn say(line: &str) {
    writeln!(std::io::stdout(), "{line}").expect("standard output is open");
}

struct Bench {
    context: Context,
    module: vm::ModuleId,
}

impl Bench {
    fn new() -> Self {
        let body = |f: Fun| f;
        let row = |op: Op, registers: [u16; 3]| {
            move |mut f: Fun| {
                for _ in 0..ROW {
                    f = f.op(op, &registers.map(i));
                }
                f
            }
        };
        let mixed = |mut f: Fun| {
            for _ in 0..ROW / 5 {
                f = f
                    .op(Op::MulI64, &[i(4), i(6), i(8)])
                    .op(Op::AddI64, &[i(8), i(4), i(4)])
                    .op(Op::TruncI64I32, &[i(4), i(10)])
                    .op(Op::CmpLtI32S, &[i(10), i(11), i(12)])
                    .op(Op::SelectI64, &[i(12), i(4), i(6), i(4)]);
            }
            f
        };
        let call = |operands: Vec<A>| {
            move |f: Fun| match operands.len() {
                3 => f.op(Op::Call, &operands),
                _ => f.op(Op::CallVariadic, &operands),
            }
        };
        let none = || list(&[]);
        let callees = 9;
        let args = || list(&[i(0), i(4), r(0)]);
        let native = list(&[r(0), i(4), i(0)]);
        let group = list(&[r(0), r(0), i(4), i(6), r(0), i(4), i(6), r(0), i(4), i(6)]);
        let groups = A::List(vec![0xffff, 3]);
        let mut asm = Asm::new(17)
            .export("empty", looped(body))
            .export("i32", looped(row(Op::AddI32, [4, 5, 6])))
            .export("i64", looped(row(Op::AddI64, [4, 6, 8])))
            .export("f32", looped(row(Op::MulF32, [4, 5, 6])))
            .export("mixed", looped(mixed))
            .export(
                "call",
                looped(call(vec![A::Imm32(callees + 1), none(), none()])),
            )
            .export(
                "call_args",
                looped(call(vec![A::Imm32(callees + 2), args(), list(&[r(0)])])),
            )
            .export("native", looped(call(vec![import(0), none(), none()])))
            .export(
                "native_args",
                looped(call(vec![import(1), native, list(&[i(8)])])),
            )
            .export(
                "native_group",
                looped(call(vec![import(2), groups, group, none()])),
            )
            .function(with_registers(Fun::new("0v_v").block().ret(&[])))
            .function(with_registers(Fun::new("0iIr_r").block().ret(&[m(0)])));
        asm.exports.push(("nothing".to_owned(), callees as i32 + 1));
        asm.imports = vec![
            ("null.nothing", "0v_v", 1),
            ("null.some", "0rIi_i", 1),
            ("null.group", "0rCrIID_v", 1),
        ];
        asm.rodata = vec![b"data".to_vec()];
        let mut context = Context::new(Limits::default());
        context.register(Box::new(Null));
        let module = BytecodeModule::load(asm.file().into()).expect("it is well-formed");
        let module = context.link(Arc::new(module)).expect("it has its imports");
        Self { context, module }
    }

    fn function(&self, export: &str) -> Function {
        let function = self.context.lookup(self.module, export);
        function.expect("it is exported")
    }

    /// Nanoseconds of a round, and allocations of all rounds.
    fn measure(&mut self, export: &str) -> (f64, u64) {
        let function = self.function(export);
        let (mut best, mut allocations) = (f64::MAX, 0);
        for _ in 0..RUNS {
            let args = vec![Value::I32(ROUNDS)];
            let mut invocation = Invocation::new(&self.context, function, args).expect("it fits");
            let before = ALLOCATIONS.get();
            let start = Instant::now();
            let poll = invocation.poll(&mut self.context, None).expect("it runs");
            best = best.min(start.elapsed().as_secs_f64());
            allocations = ALLOCATIONS.get() - before;
            assert!(matches!(black_box(poll), Poll::Done(_)));
        }
        (best * 1e9 / f64::from(ROUNDS), allocations)
    }

    /// Prints and gives the nanoseconds of one of `count` things in a round.
    fn run(&mut self, name: &str, export: &str, count: f64) -> f64 {
        self.run_above(name, export, count, 0.0)
    }

    /// The same, less what the loop itself takes.
    fn run_above(&mut self, name: &str, export: &str, count: f64, empty: f64) -> f64 {
        let (ns, allocations) = self.measure(export);
        let ns = (ns - empty) / count;
        say(&format!("{name:<46}{ns:>9.2}{allocations:>14}"));
        ns
    }

    fn invocation(&mut self, name: &str) {
        let function = self.function("nothing");
        let rounds = ROUNDS;
        let (mut best, mut allocations) = (f64::MAX, 0);
        for _ in 0..RUNS {
            let before = ALLOCATIONS.get();
            let start = Instant::now();
            for _ in 0..rounds {
                let mut invocation =
                    Invocation::new(&self.context, function, Vec::new()).expect("it fits");
                black_box(invocation.poll(&mut self.context, None).expect("it runs"));
            }
            best = best.min(start.elapsed().as_secs_f64());
            allocations = (ALLOCATIONS.get() - before) / rounds as u64;
        }
        let ns = best * 1e9 / f64::from(rounds);
        say(&format!("{name:<46}{ns:>9.2}{allocations:>14}"));
    }
}

/// A few registers, as small functions have.
fn with_registers(mut f: Fun) -> Fun {
    f.registers = (8, 2);
    f
}

/// A function that does something as often as its argument says.
fn looped(body: impl Fn(Fun) -> Fun) -> Fun {
    let f = Fun::new("0i_i")
        .block()
        .i32(1, 1)
        .i64(4, 3)
        .i64(6, 5)
        .op(Op::ConstRefRodata, &[A::Imm32(0), r(0)])
        .op(Op::Br, &[to(1), remap(&[])])
        .block();
    body(f)
        .op(Op::AddI32, &[i(2), i(1), i(2)])
        .op(Op::CmpLtI32S, &[i(2), i(0), i(3)])
        .op(Op::CmpNzI32, &[i(3), i(3)])
        .op(Op::CondBr, &[i(3), to(1), remap(&[]), to(2), remap(&[])])
        .block()
        .ret(&[i(2)])
}

/// Functions that do nothing but read their arguments.
struct Null;

impl NativeModule for Null {
    fn name(&self) -> &'static str {
        "null"
    }

    fn version(&self) -> u32 {
        0
    }

    fn types(&self) -> &'static [&'static RefType] {
        &[]
    }

    fn exports(&self) -> &[NativeExport] {
        const EXPORTS: &[NativeExport] = &[
            NativeExport {
                name: "nothing",
                signature: "0v_v",
            },
            NativeExport {
                name: "some",
                signature: "0rIi_i",
            },
            NativeExport {
                name: "group",
                signature: "0rCrIID_v",
            },
        ];
        EXPORTS
    }

    fn call(&mut self, export: usize, call: &mut Call<'_>) -> Result<Flow> {
        match export {
            0 => {}
            1 => {
                black_box((call.reference()?, call.i64()?));
                let value = call.i32()?;
                call.ret(Value::I32(value));
            }
            _ => {
                black_box(call.reference()?);
                for _ in 0..call.group()? {
                    black_box((call.reference()?, call.i64()?, call.i64()?));
                }
            }
        }
        Ok(Flow::Return)
    }
}
