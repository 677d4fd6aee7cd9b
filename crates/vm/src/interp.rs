//! The interpreter: runs decoded functions on a stack of its own.
//!
//! Here is what moves between instructions and functions: branches, calls, returns. Everything else is in the modules
//! below: a function for each group of instructions, and going on behind waits.

mod ahead;
mod call;
mod float;
mod integer;
mod memory;

pub(crate) use ahead::Ahead;
pub(crate) use call::write;

use std::time::Instant;

use crate::context::{Context, Target};
use crate::memory::Charge;
use crate::op::Op;
use crate::program::{Body, Callee, Inst, MOVE, Move, REF_MASK};
use crate::{Code, Error, Flow, Ref, Result, Value};

/// The state of an invocation.
pub(crate) struct Stack {
    pub(crate) frames: Vec<Frame>,
    /// The value banks of all frames, the newest last.
    pub(crate) values: Vec<u32>,
    /// The reference banks of all frames.
    pub(crate) refs: Vec<Option<Ref>>,
    /// What the banks may grow to.
    pub(crate) charge: Charge,
    /// Arguments of the call of a native function that is being made, or waits to be made again.
    pub(crate) args: Vec<Value>,
    pub(crate) results: Vec<Value>,
    /// If the native function said to call it again: the deadline it gave.
    pub(crate) waiting: Option<Option<Instant>>,
    /// The waits it has gone on behind.
    pub(crate) ahead: Ahead,
}

/// A call of a bytecode function.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    pub(crate) module: usize,
    pub(crate) function: u32,
    /// Index of the instruction that runs next; in a caller, of its call.
    pub(crate) ip: usize,
    /// Where its banks begin.
    pub(crate) values: usize,
    pub(crate) refs: usize,
}

/// Why the interpreter comes back.
pub(crate) enum Stop {
    Done(Vec<Value>),
    Waiting { on: Ref, deadline: Option<Instant> },
    Yielded,
}

/// What an instruction may touch.
pub(super) struct Machine<'a> {
    values: &'a mut [u32],
    refs: &'a mut [Option<Ref>],
    body: &'a Body,
    module: &'a crate::BytecodeModule,
    function: u32,
    globals: &'a mut [u8],
    global_refs: &'a mut [Option<Ref>],
    types: &'a [crate::Element],
    imports: &'a [Target],
    account: &'a std::sync::Arc<crate::memory::Account>,
    lists: &'a mut crate::list::Registry,
    /// What an instruction costs beyond itself.
    cost: &'a mut u64,
}

/// What happens after the instructions of one frame.
enum Leave {
    /// Call of a bytecode function.
    Call {
        module: usize,
        function: u32,
        site: u32,
    },
    /// Return of the values in this list.
    Return(u32),
    /// The next instruction lets something out, and waits are owed.
    Settle,
    /// A native function, called by instruction `ip`, lets the invocation go on behind a wait.
    Ahead {
        native: usize,
        on: Ref,
        ip: usize,
    },
    Stop(Stop),
    Fail(Error),
}

/// Runs until the invocation is done, waits, yields, or has spent its budget of instructions.
///
/// After an error the frames are those that were active.
pub(crate) fn run(stack: &mut Stack, context: &mut Context, budget: &mut u64) -> Result<Stop> {
    loop {
        if let Some(on) = stack.ahead.go_on(&mut context.natives, &mut stack.frames)? {
            let deadline = None;
            return Ok(Stop::Waiting { on, deadline });
        }
        match run_on(stack, context, budget) {
            Ok(Some(stop)) => return Ok(stop),
            Ok(None) => {}
            Err(error) if stack.ahead.is_owing() => stack.ahead.fail(error),
            Err(error) => return Err(error),
        }
    }
}

/// Runs up to the next stop, or to where something is to be settled.
fn run_on(stack: &mut Stack, context: &mut Context, budget: &mut u64) -> Result<Option<Stop>> {
    loop {
        let is_watched = context.trace.is_some() || stack.ahead.is_owing();
        let leave = match is_watched {
            true => run_frame::<true>(stack, context, budget)?,
            false => run_frame::<false>(stack, context, budget)?,
        };
        match leave {
            Leave::Call {
                module,
                function,
                site,
            } => call::enter(stack, context, module, function, site, budget)?,
            Leave::Return(list) => {
                if let Some(values) = call::leave(stack, context, list)? {
                    return Ok(Some(Stop::Done(values)));
                }
            }
            Leave::Settle => {
                stack.ahead.settle(0);
                return Ok(None);
            }
            Leave::Ahead { native, on, ip } => {
                stack.ahead.owe(native, on, ip, &stack.frames);
                return Ok((*budget == 0).then_some(Stop::Yielded));
            }
            Leave::Stop(stop) => return Ok(Some(stop)),
            Leave::Fail(error) => return Err(error),
        }
        if *budget == 0 {
            return Ok(Some(Stop::Yielded));
        }
    }
}

/// Runs instructions of the newest frame until it is left. Watched, each is told to who traces, and none lets anything
/// out while waits are owed.
fn run_frame<const WATCHED: bool>(
    stack: &mut Stack,
    context: &mut Context,
    budget: &mut u64,
) -> Result<Leave> {
    let Context {
        natives,
        modules,
        account,
        trace,
        lists,
        ..
    } = context;
    let is_outermost = stack.frames.len() == 1;
    let frame = stack.frames.last_mut().expect("an invocation has a frame");
    let linked = modules[frame.module].as_mut().ok_or_else(|| {
        Error::new(
            Code::FAILED_PRECONDITION,
            "the module was unlinked while its function ran",
        )
    })?;
    let body = &linked.module.bodies[frame.function as usize];
    let code = &body.code[..];
    let mut cost = 0;
    let mut machine = Machine {
        values: &mut stack.values[frame.values..],
        refs: &mut stack.refs[frame.refs..],
        body,
        module: &linked.module,
        function: frame.function,
        globals: &mut linked.globals,
        global_refs: &mut linked.global_refs,
        types: &linked.types,
        imports: &linked.imports,
        account,
        lists,
        cost: &mut cost,
    };
    let mut ip = frame.ip;
    // Where the instructions begin that the budget does not know of yet.
    let mut mark = ip;

    macro_rules! branch {
        ($edge:expr) => {{
            let target = machine.branch($edge);
            let spent = (ip - mark) as u64 + 1 + std::mem::take(machine.cost);
            *budget = budget.saturating_sub(spent);
            ip = target;
            mark = target;
            if *budget == 0 {
                break Leave::Stop(Stop::Yielded);
            }
        }};
    }

    let leave = loop {
        let Some(inst) = code.get(ip) else {
            break Leave::Fail(Error::new(
                Code::INTERNAL,
                "the function goes on behind its last instruction",
            ));
        };
        if WATCHED {
            let lets_out = is_outermost && inst.op == Op::Return || ahead::lets_out(inst.op);
            if lets_out && stack.ahead.is_owing() {
                break Leave::Settle;
            }
            if let Some(hook) = trace {
                crate::disasm::trace(machine.module, frame.function, body.pcs[ip], hook);
            }
        }
        match inst.op {
            Op::Br | Op::Break => branch!(inst.imm[0]),
            Op::CondBr => {
                let taken = machine.values[usize::from(inst.r[0])] != 0;
                branch!(inst.imm[0] + u32::from(!taken));
            }
            Op::CondBreak => branch!(inst.imm[0]),
            Op::BrTable => {
                let index = machine.values[usize::from(inst.r[0])];
                let case = match index < inst.imm[1] {
                    true => index + 1,
                    false => 0,
                };
                branch!(inst.imm[0] + case);
            }
            Op::Yield => {
                ip = machine.branch(inst.imm[0]);
                break Leave::Stop(Stop::Yielded);
            }
            Op::Return => break Leave::Return(inst.imm[0]),
            Op::Fail => match machine.values[usize::from(inst.r[0])] {
                0 => ip += 1,
                status => break Leave::Fail(machine.failure(status, inst.imm[0])),
            },
            Op::Call | Op::CallVariadic | Op::CallYieldable | Op::CallVariadicYieldable => {
                let site = &body.calls[inst.imm[0] as usize];
                let (module, export) = match machine.target(frame, site.callee) {
                    Target::Bytecode { module, function } => {
                        break Leave::Call {
                            module,
                            function,
                            site: inst.imm[0],
                        };
                    }
                    Target::Native { module, export } => (module, export),
                    Target::Missing => break Leave::Fail(machine.missing(site.callee)),
                };
                let native = &mut *natives[module];
                if WATCHED && stack.ahead.is_owing() && !native.runs_ahead(export) {
                    break Leave::Settle;
                }
                let mut native_call = call::NativeCall {
                    machine: &mut machine,
                    site,
                    args: &mut stack.args,
                    results: &mut stack.results,
                    waiting: &mut stack.waiting,
                    // Who traces sees each wait where it stands.
                    ahead: trace.is_none().then(|| stack.ahead.last()),
                };
                match native_call.make(native, export) {
                    Ok(flow @ (Flow::Return | Flow::Ahead { .. })) => {
                        let spent = (ip - mark) as u64 + 1 + std::mem::take(machine.cost);
                        *budget = budget.saturating_sub(spent);
                        let call = std::mem::replace(&mut ip, site.next as usize);
                        mark = ip;
                        if let Flow::Ahead { on } = flow {
                            break Leave::Ahead {
                                native: module,
                                on,
                                ip: call,
                            };
                        }
                        if *budget == 0 {
                            break Leave::Stop(Stop::Yielded);
                        }
                    }
                    Ok(Flow::Wait { on, deadline }) => {
                        break Leave::Stop(Stop::Waiting { on, deadline });
                    }
                    Err(error) => break Leave::Fail(error),
                }
            }
            _ => match machine.step(inst) {
                Ok(()) => ip += 1,
                Err(error) => break Leave::Fail(error),
            },
        }
    };
    frame.ip = ip;
    // A branch that is behind us was counted, and `ip` is where it led.
    *budget = budget.saturating_sub(ip.saturating_sub(mark) as u64 + 1 + cost);
    Ok(leave)
}

impl Machine<'_> {
    /// An instruction that goes on to the next.
    #[inline(always)]
    fn step(&mut self, inst: &Inst) -> Result<()> {
        self.integer(inst)
    }

    /// Takes a branch; returns where it leads.
    #[inline(always)]
    fn branch(&mut self, edge: u32) -> usize {
        let edge = &self.body.edges[edge as usize];
        for copy in edge.moves.of(&self.body.moves) {
            match *copy {
                Move::Value { from, to } => {
                    self.values[usize::from(to)] = self.values[usize::from(from)];
                }
                Move::Ref { from, to } => {
                    let value = self.read_ref(from);
                    self.set_ref(to, value);
                }
            }
        }
        edge.target as usize
    }

    /// What a movable operand holds; empties the register if the operand says so.
    fn read_ref(&mut self, operand: u16) -> Option<Ref> {
        let register = &mut self.refs[usize::from(operand & REF_MASK)];
        match operand & MOVE {
            0 => register.clone(),
            _ => register.take(),
        }
    }

    fn set_ref(&mut self, register: u16, value: Option<Ref>) {
        self.refs[usize::from(register)] = value;
    }

    fn target(&self, frame: &Frame, callee: Callee) -> Target {
        match callee {
            Callee::Function(function) => Target::Bytecode {
                module: frame.module,
                function,
            },
            Callee::Import(import) => self.imports[import as usize],
        }
    }

    #[cold]
    fn missing(&self, callee: Callee) -> Error {
        let name = match callee {
            Callee::Import(import) => &self.module.module().imports[import as usize].name,
            Callee::Function(_) => "",
        };
        Error::new(
            Code::NOT_FOUND,
            format!(
                "{} is optional and no loaded module offers it",
                name.escape_debug()
            ),
        )
    }

    #[cold]
    fn failure(&self, status: u32, text: u32) -> Error {
        let bytecode = self.module.bytecode(self.function);
        let message = self.body.texts[text as usize].of(bytecode);
        Error::new(Code(status), String::from_utf8_lossy(message))
    }
}
