//! A call of a function from outside: polled until it is done.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use vmfb::module::debug::DebugInfo;

use crate::interp::{self, Ahead, Stack, Stop};
use crate::memory::{Account, Charge};
use crate::program::Slot;
use crate::{Code, Context, Error, Function, Ref, Result, Value};

/// A call of a function, under way. It never blocks a thread. Dropping it drops every reference it holds.
pub struct Invocation {
    /// Of the context it belongs to.
    account: Arc<Account>,
    stack: Stack,
    is_over: bool,
}

/// How far an invocation is.
#[derive(Debug)]
pub enum Poll {
    /// It is done: its results.
    Done(Vec<Value>),
    /// A native function waits. Poll again when `on` may have happened, or at `deadline`; the function is then called
    /// again with the same arguments.
    Waiting {
        /// What it waits for, in a form that its module knows.
        on: Ref,
        /// When it wants to be polled again at the latest.
        deadline: Option<Instant>,
    },
    /// It gave way, or has spent its budget. Poll again.
    Yielded,
}

/// Why an invocation ended early. The context is as usable as before.
#[derive(Clone, Debug)]
pub struct Trap {
    error: Error,
    frames: Vec<TrapFrame>,
}

/// Where a [`Trap`] happened, or a call that led there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrapFrame {
    /// Name of the module.
    pub module: String,
    /// Number of the function in it.
    pub ordinal: u32,
    /// Name of the function, if it has one.
    pub function: Option<String>,
    /// Offset of the instruction in the function.
    pub pc: u32,
    /// Where it comes from in the program's source, if the compiler wrote that down: `file:line:column`.
    pub location: Option<String>,
}

impl Invocation {
    /// Prepares a call.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` if the arguments do not fit the signature, `NOT_FOUND` if the function's module is not linked,
    /// `RESOURCE_EXHAUSTED` if there is no room for its registers.
    pub fn new(context: &Context, function: Function, args: Vec<Value>) -> Result<Self> {
        let linked = context.linked(function.module)?;
        let body = linked
            .module
            .bodies
            .get(function.ordinal as usize)
            .ok_or_else(|| Error::new(Code::NOT_FOUND, "the module has no such function"))?;
        if args.len() != body.params.len() {
            return Err(Error::new(
                Code::INVALID_ARGUMENT,
                format!(
                    "{} arguments for a function of {} ({})",
                    args.len(),
                    body.params.len(),
                    body.signature
                ),
            ));
        }
        let mut stack = Stack {
            frames: Vec::new(),
            values: Vec::new(),
            refs: Vec::new(),
            charge: Charge::new(&context.account, 0)?,
            args: Vec::new(),
            results: Vec::new(),
            waiting: None,
            ahead: Ahead::default(),
        };
        let banks = (body.values, body.refs);
        stack.push(context, function.module.0, function.ordinal, banks)?;
        for (index, (slot, value)) in body.params.iter().zip(args).enumerate() {
            set_argument(&mut stack, *slot, value).map_err(|error| {
                Error::new(
                    error.code(),
                    format!("argument {index}: {}", error.message()),
                )
            })?;
        }
        Ok(Self {
            account: Arc::clone(&context.account),
            stack,
            is_over: false,
        })
    }

    /// Runs until it is done, waits, gives way, or has run about `budget` instructions.
    ///
    /// # Errors
    /// A [`Trap`] if an instruction or a native function failed; the invocation is then over.
    pub fn poll(&mut self, context: &mut Context, budget: Option<u64>) -> Result<Poll, Trap> {
        if self.is_over || !Arc::ptr_eq(&self.account, &context.account) {
            let what = match self.is_over {
                true => "the invocation is over",
                false => "the invocation belongs to another context",
            };
            return Err(Trap {
                error: Error::new(Code::FAILED_PRECONDITION, what),
                frames: Vec::new(),
            });
        }
        let mut budget = budget.unwrap_or(u64::MAX);
        let stop = interp::run(&mut self.stack, context, &mut budget);
        if self.stack.ahead.is_owing() {
            context.natives.iter_mut().for_each(|it| it.catch_up());
        }
        match stop {
            Ok(Stop::Done(results)) => {
                self.end();
                Ok(Poll::Done(results))
            }
            Ok(Stop::Waiting { on, deadline }) => Ok(Poll::Waiting { on, deadline }),
            Ok(Stop::Yielded) => Ok(Poll::Yielded),
            Err(error) => {
                let frames = trap_frames(&self.stack, context);
                self.end();
                Err(Trap { error, frames })
            }
        }
    }

    fn end(&mut self) {
        self.is_over = true;
        self.stack.clear();
    }
}

impl fmt::Debug for Invocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Invocation({} frames)", self.stack.frames.len())
    }
}

fn set_argument(stack: &mut Stack, slot: Slot, value: Value) -> Result<()> {
    let found = value.kind();
    match interp::write(slot, value, &mut stack.values, &mut stack.refs) {
        true => Ok(()),
        false => Err(Error::new(
            Code::INVALID_ARGUMENT,
            format!("{found} where {} is needed", slot.kind),
        )),
    }
}

/// Each of them copies names, which may be long.
const MAX_TRAP_FRAMES: usize = 64;

fn trap_frames(stack: &Stack, context: &Context) -> Vec<TrapFrame> {
    let mut debug = HashMap::new();
    let mut frames = Vec::new();
    for frame in stack.frames.iter().rev().take(MAX_TRAP_FRAMES) {
        let Ok(linked) = context.linked(crate::ModuleId(frame.module)) else {
            frames.push(TrapFrame {
                module: "(unlinked)".to_owned(),
                ordinal: frame.function,
                function: None,
                pc: 0,
                location: None,
            });
            continue;
        };
        let module = &linked.module;
        // What cannot be read is as good as absent.
        let debug = debug.entry(frame.module).or_insert_with(|| {
            let info = DebugInfo::parse(module.file(), module.module());
            info.ok().flatten()
        });
        let body = &module.bodies[frame.function as usize];
        let pc = body.pcs.get(frame.ip).or(body.pcs.last());
        let pc = pc.copied().unwrap_or_default();
        let name = module.function_name(frame.function).or_else(|| {
            let debug = debug.as_ref()?;
            debug.function_name(frame.function)
        });
        let locations = debug
            .as_ref()
            .map(|debug| debug.locations(frame.function, pc));
        frames.push(TrapFrame {
            module: module.name().to_owned(),
            ordinal: frame.function,
            function: name.map(str::to_owned),
            pc,
            location: locations.and_then(|all| all.first().map(ToString::to_string)),
        });
    }
    frames
}

impl Trap {
    /// What failed.
    pub fn error(&self) -> &Error {
        &self.error
    }

    /// What failed, without where.
    pub fn into_error(self) -> Error {
        self.error
    }

    /// Where it failed, and the calls that led there, the newest first; no more than 64.
    pub fn frames(&self) -> &[TrapFrame] {
        &self.frames
    }

    /// The calls that led to it, a line each.
    pub fn stack(&self) -> impl fmt::Display {
        struct Lines<'a>(&'a [TrapFrame]);
        impl fmt::Display for Lines<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0
                    .iter()
                    .try_for_each(|frame| writeln!(f, "  at {frame}"))
            }
        }
        Lines(&self.frames)
    }
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.error)?;
        match self.frames.first() {
            Some(frame) => write!(f, " (in {frame})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Trap {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}

impl fmt::Display for TrapFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let module = self.module.escape_debug();
        match &self.function {
            Some(name) => write!(f, "{module}.{}+{:08X}", name.escape_debug(), self.pc)?,
            None => write!(f, "{module}@{}+{:08X}", self.ordinal, self.pc)?,
        }
        match &self.location {
            Some(location) => write!(f, ", {}", location.escape_debug()),
            None => Ok(()),
        }
    }
}
