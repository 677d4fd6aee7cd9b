//! Calls and returns: between bytecode functions, and of native ones.

use std::time::Instant;

use crate::context::Context;
use crate::native::Caller;
use crate::program::{CallSite, MOVE, REF_MASK, Slot};
use crate::{Call, Code, Error, Flow, Kind, NativeModule, Ref, Result, Value};

use super::{Ahead, Frame, Machine, Stack};

/// Registers of a new frame are cleared: so many of them cost an instruction.
const REGISTERS_PER_COST: usize = 16;

impl Stack {
    /// Makes room for a frame and puts it on top, registers cleared.
    pub(crate) fn push(
        &mut self,
        context: &Context,
        module: usize,
        function: u32,
        (values, refs): (usize, usize),
    ) -> Result<()> {
        if self.frames.len() >= context.limits.frames as usize {
            return Err(Error::new(
                Code::RESOURCE_EXHAUSTED,
                format!("more than {} calls are nested", context.limits.frames),
            ));
        }
        let frame = Frame {
            module,
            function,
            ip: 0,
            values: self.values.len(),
            refs: self.refs.len(),
        };
        let needed = ((frame.values + values) * size_of::<u32>()
            + (frame.refs + refs) * size_of::<Option<Ref>>()) as u64;
        if needed > self.charge.bytes() {
            let ahead = needed.max(self.charge.bytes() * 2);
            self.charge
                .resize(ahead)
                .or_else(|_| self.charge.resize(needed))?;
        }
        self.values.resize(frame.values + values, 0);
        self.refs.resize_with(frame.refs + refs, || None);
        self.frames.push(frame);
        Ok(())
    }
}

/// Calls a bytecode function from the newest frame.
pub(super) fn enter(
    stack: &mut Stack,
    context: &Context,
    module: usize,
    function: u32,
    site: u32,
    budget: &mut u64,
) -> Result<()> {
    let caller = *stack.frames.last().expect("a caller has a frame");
    // Both are linked: the caller runs, and what it imports from cannot be unlinked before it.
    let body_of = |module: usize, function: u32| {
        let linked = context.modules[module].as_ref().expect("a linked module");
        &linked.module.bodies[function as usize]
    };
    let callee = body_of(module, function);
    stack.push(context, module, function, (callee.values, callee.refs))?;
    *budget = budget.saturating_sub(((callee.values + callee.refs) / REGISTERS_PER_COST) as u64);
    let body = body_of(caller.module, caller.function);
    let args = body.calls[site as usize].args.of(&body.slots);
    let frame = *stack.frames.last().expect("it was just pushed");
    let (below, values) = stack.values.split_at_mut(frame.values);
    let (refs_below, refs) = stack.refs.split_at_mut(frame.refs);
    copy(
        (
            args,
            &below[caller.values..],
            &mut refs_below[caller.refs..],
        ),
        (&callee.params, values, refs),
    );
    Ok(())
}

/// Returns from the newest frame: to its caller, or with the values that the invocation gives.
pub(super) fn leave(stack: &mut Stack, context: &Context, list: u32) -> Result<Option<Vec<Value>>> {
    let frame = *stack
        .frames
        .last()
        .expect("a function that returns has a frame");
    let linked = context.linked(crate::ModuleId(frame.module))?;
    let body = &linked.module.bodies[frame.function as usize];
    let returned = body.list(list);
    let Some(&caller) = stack
        .frames
        .len()
        .checked_sub(2)
        .map(|at| &stack.frames[at])
    else {
        let (values, refs) = (&stack.values[frame.values..], &mut stack.refs[frame.refs..]);
        let results = returned
            .iter()
            .map(|slot| read(*slot, values, refs))
            .collect();
        stack.pop();
        return Ok(Some(results));
    };
    let linked = context.linked(crate::ModuleId(caller.module))?;
    let body = &linked.module.bodies[caller.function as usize];
    let site = &body.calls[body.code[caller.ip].imm[0] as usize];
    let (below, values) = stack.values.split_at_mut(frame.values);
    let (refs_below, refs) = stack.refs.split_at_mut(frame.refs);
    copy(
        (returned, values, refs),
        (
            site.results.of(&body.slots),
            &mut below[caller.values..],
            &mut refs_below[caller.refs..],
        ),
    );
    let next = site.next as usize;
    stack.pop();
    stack.frames.last_mut().expect("the caller").ip = next;
    Ok(None)
}

impl Stack {
    /// Lets go of everything, and of the memory it took.
    pub(crate) fn clear(&mut self) {
        self.frames = Vec::new();
        self.values = Vec::new();
        self.refs = Vec::new();
        self.args = Vec::new();
        self.results = Vec::new();
        self.waiting = None;
        self.ahead = Ahead::default();
        self.charge.clear();
    }

    fn pop(&mut self) {
        if let Some(frame) = self.frames.pop() {
            self.values.truncate(frame.values);
            self.refs.truncate(frame.refs);
        }
    }
}

/// Copies registers from one frame to another; moved references leave theirs.
fn copy(
    (from, from_values, from_refs): (&[Slot], &[u32], &mut [Option<Ref>]),
    (to, to_values, to_refs): (&[Slot], &mut [u32], &mut [Option<Ref>]),
) {
    for (from, to) in from.iter().zip(to) {
        let (source, target) = (usize::from(from.register), usize::from(to.register));
        match from.kind {
            Kind::I32 | Kind::F32 => to_values[target] = from_values[source],
            Kind::I64 | Kind::F64 => {
                to_values[target + 1] = from_values[source + 1];
                to_values[target] = from_values[source];
            }
            Kind::Ref => to_refs[target] = take(from.register, from_refs),
        }
    }
}

fn take(operand: u16, refs: &mut [Option<Ref>]) -> Option<Ref> {
    let register = &mut refs[usize::from(operand & REF_MASK)];
    match operand & MOVE {
        0 => register.clone(),
        _ => register.take(),
    }
}

fn pair(values: &[u32], register: usize) -> u64 {
    let high = u64::from(values[register + 1]);
    high << 32 | u64::from(values[register])
}

// Inlined, so that a value is made where it stays: written in parts and moved as
// a whole, it would be waited for.
#[inline(always)]
fn read(slot: Slot, values: &[u32], refs: &mut [Option<Ref>]) -> Value {
    let register = usize::from(slot.register);
    match slot.kind {
        Kind::I32 => Value::I32(values[register].cast_signed()),
        Kind::F32 => Value::F32(f32::from_bits(values[register])),
        Kind::I64 => Value::I64(pair(values, register).cast_signed()),
        Kind::F64 => Value::F64(f64::from_bits(pair(values, register))),
        Kind::Ref => Value::Ref(take(slot.register, refs)),
    }
}

/// Puts a value into a register; says whether it is of the kind that is meant.
#[inline(always)]
pub(crate) fn write(
    slot: Slot,
    value: Value,
    values: &mut [u32],
    refs: &mut [Option<Ref>],
) -> bool {
    let register = usize::from(slot.register);
    let mut set_pair = |bits: u64| {
        values[register + 1] = (bits >> 32) as u32;
        values[register] = bits as u32;
    };
    match (slot.kind, value) {
        (Kind::I32, Value::I32(value)) => values[register] = value.cast_unsigned(),
        (Kind::F32, Value::F32(value)) => values[register] = value.to_bits(),
        (Kind::I64, Value::I64(value)) => set_pair(value.cast_unsigned()),
        (Kind::F64, Value::F64(value)) => set_pair(value.to_bits()),
        (Kind::Ref, Value::Ref(value)) => refs[register] = value,
        _ => return false,
    }
    true
}

/// A call of a native function.
pub(super) struct NativeCall<'a, 'm> {
    pub(super) machine: &'a mut Machine<'m>,
    pub(super) site: &'a CallSite,
    pub(super) args: &'a mut Vec<Value>,
    pub(super) results: &'a mut Vec<Value>,
    pub(super) waiting: &'a mut Option<Option<Instant>>,
    /// If the invocation may run ahead: what it owes, the newest.
    pub(super) ahead: Option<Option<&'a Ref>>,
}

impl NativeCall<'_, '_> {
    /// Makes the call, or makes it again if it waited. If it wants to wait, its arguments are kept for the next time;
    /// otherwise they are dropped, whatever came of it.
    pub(super) fn make(&mut self, native: &mut dyn NativeModule, export: usize) -> Result<Flow> {
        let body = self.machine.body;
        let again = self.waiting.take();
        if again.is_none() {
            let (values, refs) = (&*self.machine.values, &mut *self.machine.refs);
            let args = self.site.args.of(&body.slots).iter();
            self.args.extend(args.map(|slot| read(*slot, values, refs)));
        }
        self.results.clear();
        let groups = self.site.groups.of(&body.groups);
        let mut call = Call::new(self.args, groups, self.results, again).by(Caller {
            module: self.machine.module.name(),
            account: self.machine.account,
            ahead: self.ahead,
        });
        let flow = native.call(export, &mut call);
        if let Ok(Flow::Wait { deadline, .. }) = &flow {
            *self.waiting = Some(*deadline);
            return flow;
        }
        self.args.clear();
        self.finish(native, export, flow?)
    }

    fn finish(&mut self, native: &mut dyn NativeModule, export: usize, flow: Flow) -> Result<Flow> {
        let slots = self.site.results.of(&self.machine.body.slots);
        let mut fits = slots.len() == self.results.len();
        for (slot, value) in slots.iter().zip(self.results.drain(..)) {
            fits &= write(*slot, value, self.machine.values, self.machine.refs);
        }
        if fits {
            return Ok(flow);
        }
        let name = native.exports()[export];
        Err(Error::new(
            Code::INTERNAL,
            format!(
                "{}.{} returned other values than its calling convention {} has",
                native.name(),
                name.name,
                name.signature
            ),
        ))
    }
}
