//! From plans to x86-64 code with AVX2 and FMA.
//!
//! The code passes over a row strip by strip, eight lanes at a time, and keeps
//! values of the strip at hand in registers. It calls nothing and checks
//! nothing: loads were made before it runs.

use std::collections::{HashMap, HashSet};

use iced_x86::IcedError;
use iced_x86::code_asm::*;

use super::plan::{Function, Node, Origin, Plan, Value};
use crate::memory::Form;

/// Where temporary rows are used for what.
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// The row of each value that is computed early.
    pub(super) early: HashMap<Value, u16>,
    /// The first row of each load.
    pub(super) loads: Vec<u16>,
    /// How many there are.
    pub(super) rows: u16,
}

/// Bytes of a row, and of one strip of it.
const ROW: i32 = 128;
const STRIP: i32 = 32;

/// The registers that addresses are made of.
mod base {
    use iced_x86::code_asm::{AsmRegister64, r8, rcx, rdi, rdx, rsi};

    /// Rows of the wave, at the strip.
    pub(super) const ROWS: AsmRegister64 = rdi;
    /// Scalar slots.
    pub(super) const SCALARS: AsmRegister64 = rsi;
    /// Temporary rows.
    pub(super) const TEMPS: AsmRegister64 = rdx;
    /// Temporary rows at the strip.
    pub(super) const STRIP: AsmRegister64 = rcx;
    /// Temporary rows at the four dwords of the strip.
    pub(super) const UNIFORM: AsmRegister64 = r8;
}

/// Vector registers for values; the last one is for what is in between.
const REGISTERS: u8 = 15;
const SCRATCH: u8 = 15;
const YMM: [AsmRegisterYmm; 16] = [
    ymm0, ymm1, ymm2, ymm3, ymm4, ymm5, ymm6, ymm7, ymm8, ymm9, ymm10, ymm11, ymm12, ymm13, ymm14,
    ymm15,
];

/// A vector register by its number.
fn ymm(number: u8) -> AsmRegisterYmm {
    YMM[number as usize]
}

/// The steps of code making can fail; they do not, as they are written here.
type Made<T = ()> = Result<T, IcedError>;

/// A place in memory: register and distance; one dword of it for all lanes.
#[derive(Clone, Copy, Debug)]
struct Place {
    base: AsmRegister64,
    offset: i32,
    broadcast: bool,
}

#[derive(Clone, Debug, Default)]
struct State {
    register: Option<u8>,
    place: Option<Place>,
    /// The place is one for spilled values.
    spilled: bool,
    /// Numbers of the nodes that use it, the next one last.
    uses: Vec<usize>,
}

#[derive(Clone, Copy)]
enum Operand {
    Register(u8),
    Memory(Place),
}

struct Generator {
    code: CodeAssembler,
    states: Vec<State>,
    /// The value in each register.
    held: [Option<Value>; REGISTERS as usize],
    /// Places of strips that values were spilled to and that are free again.
    free_spills: Vec<i32>,
    next_spill: i32,
}

/// Code for what addresses are made of; `None` if there is nothing to compute.
pub(super) fn early(plan: &Plan, layout: &mut Layout) -> Made<Option<Vec<u8>>> {
    let mut seen: HashSet<Value> = plan.loads.iter().map(|load| load.address).collect();
    seen.extend(plan.finals.iter().map(|&(_, value)| value));
    for node in &plan.main {
        seen.extend(&node.sources[..node.function.arity()]);
    }
    for node in plan.early.iter().filter(|node| seen.contains(&node.result)) {
        layout.early.insert(node.result, layout.rows);
        layout.rows += 1;
    }
    if plan.early.is_empty() {
        return Ok(None);
    }
    let stores = layout
        .early
        .iter()
        .map(|(&value, &row)| (value, Place::strip(base::STRIP, row)))
        .collect();
    generate(plan, layout, &[], &plan.early, &stores, &[]).map(Some)
}

/// Code for the rest, when the loads have left their dwords in these forms.
pub(super) fn main(plan: &Plan, layout: &mut Layout, forms: &[Form]) -> Made<Vec<u8>> {
    // A row may get its value as soon as that is there, unless what it held
    // is still to be read.
    let mut last_read: HashMap<u16, usize> = HashMap::new();
    let mut made: HashMap<Value, usize> = HashMap::new();
    for (number, node) in plan.main.iter().enumerate() {
        made.insert(node.result, number);
        for &source in &node.sources[..node.function.arity()] {
            if let Origin::Row(row) = plan.values[source] {
                last_read.insert(row, number);
            }
        }
    }
    let mut stores = HashMap::new();
    let mut ends = Vec::new();
    for &(row, value) in &plan.finals {
        let place = Place::strip(base::ROWS, row);
        let free = |&made: &usize| last_read.get(&row).is_none_or(|&read| read <= made);
        if made.get(&value).is_some_and(free) {
            stores.insert(value, place);
        } else {
            ends.push((value, place));
        }
    }
    generate(plan, layout, forms, &plan.main, &stores, &ends)
}

impl Place {
    /// The strip at hand of a row.
    fn strip(base: AsmRegister64, row: u16) -> Place {
        Place {
            base,
            offset: i32::from(row) * ROW,
            broadcast: false,
        }
    }

    /// The strip there.
    fn memory(self) -> AsmMemoryOperand {
        ymmword_ptr(self.base + self.offset)
    }
}

/// Code that computes `nodes` for each strip, puts results where `stores` says
/// as soon as they are there, and at the end those of `ends`.
fn generate(
    plan: &Plan,
    layout: &mut Layout,
    forms: &[Form],
    nodes: &[Node],
    stores: &HashMap<Value, Place>,
    ends: &[(Value, Place)],
) -> Made<Vec<u8>> {
    let mut generator = Generator::new(plan, layout, forms, nodes, ends)?;
    let mut again = generator.code.create_label();
    generator.code.mov(base::STRIP, base::TEMPS)?;
    generator.code.mov(base::UNIFORM, base::TEMPS)?;
    generator.code.mov(eax, 4)?;
    generator.code.set_label(&mut again)?;
    for node in nodes {
        generator.node(node, stores.get(&node.result).copied())?;
    }
    for &(value, place) in ends {
        let register = generator.register(value, &[])?;
        store(&mut generator.code, register, place)?;
        generator.used(value);
    }
    let code = &mut generator.code;
    code.add(base::ROWS, STRIP)?;
    code.add(base::STRIP, STRIP)?;
    code.add(base::UNIFORM, 16)?;
    code.dec(eax)?;
    code.jne(again)?;
    code.vzeroupper()?;
    code.ret()?;
    layout.rows = generator.end_of_spills();
    generator.code.assemble(0)
}

impl Generator {
    fn new(
        plan: &Plan,
        layout: &Layout,
        forms: &[Form],
        nodes: &[Node],
        ends: &[(Value, Place)],
    ) -> Made<Generator> {
        let mut states = vec![State::default(); plan.values.len()];
        for (state, (value, origin)) in states.iter_mut().zip(plan.values.iter().enumerate()) {
            state.place = match *origin {
                Origin::Row(row) => Some(Place::strip(base::ROWS, row)),
                Origin::Splat(slot) => Some(Place {
                    base: base::SCALARS,
                    offset: 4 * i32::from(slot),
                    broadcast: true,
                }),
                Origin::Node => {
                    let row = layout
                        .early
                        .get(&value)
                        .filter(|_| !forms.is_empty() || plan.loads.is_empty());
                    row.map(|&row| Place::strip(base::STRIP, row))
                }
                Origin::Loaded { load, dword } => forms.get(load).map(|form| {
                    let first = i32::from(layout.loads[load]) * ROW;
                    let dword = i32::from(dword);
                    match form {
                        Form::Full => Place::strip(base::STRIP, layout.loads[load] + dword as u16),
                        Form::Uniform => Place {
                            base: base::UNIFORM,
                            offset: first + 4 * dword,
                            broadcast: true,
                        },
                        Form::Repeated => Place {
                            base: base::TEMPS,
                            offset: first + STRIP * dword,
                            broadcast: false,
                        },
                    }
                }),
            };
        }
        for &(value, _) in ends {
            states[value].uses.push(nodes.len());
        }
        for (number, node) in nodes.iter().enumerate().rev() {
            for &source in node.sources[..node.function.arity()].iter().rev() {
                states[source].uses.push(number);
            }
        }
        Ok(Generator {
            code: CodeAssembler::new(64)?,
            states,
            held: [None; REGISTERS as usize],
            free_spills: Vec::new(),
            next_spill: i32::from(layout.rows) * ROW,
        })
    }

    /// The row behind the last that holds spilled values.
    fn end_of_spills(&self) -> u16 {
        ((self.next_spill + ROW - 1) / ROW) as u16
    }

    /// When a value is used next; later than anything if never.
    fn next_use(&self, value: Value) -> usize {
        self.states[value]
            .uses
            .last()
            .copied()
            .unwrap_or(usize::MAX)
    }

    /// Notes one use of a value; frees its register behind the last one.
    fn used(&mut self, value: Value) {
        let state = &mut self.states[value];
        state.uses.pop();
        if state.uses.is_empty()
            && let Some(register) = state.register.take()
        {
            self.held[register as usize] = None;
        }
    }

    /// Takes back the place of a spilled value that nobody uses any more.
    fn free_spill(&mut self, value: Value) {
        let state = &mut self.states[value];
        if state.uses.is_empty() && state.spilled {
            state.spilled = false;
            self.free_spills
                .extend(state.place.map(|place| place.offset));
        }
    }

    /// A register for a new value, none of `keep`.
    fn allocate(&mut self, value: Value, keep: &[u8]) -> Made<u8> {
        let free = self.held.iter().position(Option::is_none);
        let register = match free {
            Some(free) => free as u8,
            None => self.evict(keep)?,
        };
        self.held[register as usize] = Some(value);
        self.states[value].register = Some(register);
        Ok(register)
    }

    /// Frees the register whose value is used last.
    fn evict(&mut self, keep: &[u8]) -> Made<u8> {
        let candidates = (0..REGISTERS).filter(|register| !keep.contains(register));
        let distance = |&register: &u8| {
            self.held[register as usize].map_or(usize::MAX, |value| self.next_use(value))
        };
        let register = candidates.max_by_key(distance).expect("few are kept");
        if let Some(value) = self.held[register as usize].take() {
            self.states[value].register = None;
            if self.states[value].place.is_none() && !self.states[value].uses.is_empty() {
                let offset = self.free_spills.pop().unwrap_or(self.next_spill);
                self.next_spill = self.next_spill.max(offset + STRIP);
                let place = Place {
                    base: base::TEMPS,
                    offset,
                    broadcast: false,
                };
                store(&mut self.code, register, place)?;
                self.states[value].place = Some(place);
                self.states[value].spilled = true;
            }
        }
        Ok(register)
    }

    /// The register of a value, which is loaded if it is in none.
    fn register(&mut self, value: Value, keep: &[u8]) -> Made<u8> {
        if let Some(register) = self.states[value].register {
            return Ok(register);
        }
        let place = self.states[value].place.expect("a value is somewhere");
        let register = self.allocate(value, keep)?;
        load(&mut self.code, register, place)?;
        Ok(register)
    }

    /// A value as the last operand of an instruction: from memory, if it would
    /// not stay in a register anyway.
    fn operand(&mut self, value: Value, keep: &[u8]) -> Made<Operand> {
        let state = &self.states[value];
        Ok(match (state.register, state.place) {
            (None, Some(place)) if !place.broadcast => {
                let uses = &state.uses;
                let after = uses.len().checked_sub(2).map_or(usize::MAX, |at| uses[at]);
                let full = self.held.iter().all(Option::is_some);
                let furthest = self.held.iter().flatten().map(|&held| self.next_use(held));
                if after == usize::MAX || full && furthest.max().is_some_and(|far| far <= after) {
                    return Ok(Operand::Memory(place));
                }
                Operand::Register(self.register(value, keep)?)
            }
            _ => Operand::Register(self.register(value, keep)?),
        })
    }

    /// Computes a node, and stores its result.
    fn node(&mut self, node: &Node, place: Option<Place>) -> Made {
        let arity = node.function.arity();
        let sources = node.sources;
        // The one that is overwritten in a multiply-add comes first.
        let register = if node.function == Function::FmaF32 {
            let a = self.register(sources[0], &[])?;
            let b = self.operand(sources[1], &[a])?;
            let mut keep = vec![a];
            if let Operand::Register(register) = b {
                keep.push(register);
            }
            let last = self.states[sources[2]].uses.len() == 1
                && sources[2] != sources[0]
                && sources[2] != sources[1];
            let register = match self.states[sources[2]].register {
                Some(register) if last => {
                    self.held[register as usize] = Some(node.result);
                    self.states[sources[2]].register = None;
                    self.states[node.result].register = Some(register);
                    register
                }
                Some(register) => {
                    keep.push(register);
                    let own = self.allocate(node.result, &keep)?;
                    self.code.vmovaps(ymm(own), ymm(register))?;
                    own
                }
                None => {
                    let from = self.states[sources[2]].place.expect("a value is somewhere");
                    let own = self.allocate(node.result, &keep)?;
                    load(&mut self.code, own, from)?;
                    own
                }
            };
            match b {
                Operand::Register(b) => {
                    self.code.vfmadd231ps(ymm(register), ymm(a), ymm(b))?;
                }
                Operand::Memory(place) => {
                    self.code
                        .vfmadd231ps(ymm(register), ymm(a), place.memory())?;
                }
            }
            for &source in &sources {
                self.used(source);
            }
            register
        } else {
            let mut operands = [Operand::Register(SCRATCH); 3];
            let mut keep = Vec::new();
            let swapped = matches!(
                node.function,
                Function::LshlRev
                    | Function::LshrRev
                    | Function::AshrRev
                    | Function::SubrevF32
                    | Function::SubrevU32
            );
            for number in 0..arity {
                let source = if swapped {
                    sources[1 - number]
                } else {
                    sources[number]
                };
                let needs_register = number == 0;
                operands[number] = if needs_register {
                    Operand::Register(self.register(source, &keep)?)
                } else {
                    self.operand(source, &keep)?
                };
                if let Operand::Register(register) = operands[number] {
                    keep.push(register);
                }
            }
            for &source in &sources[..arity] {
                self.used(source);
            }
            // The last instruction may write a register that it reads; those
            // before it write the scratch register.
            let register = self.allocate(node.result, &keep)?;
            function(&mut self.code, node.function, register, operands)?;
            register
        };
        for &source in &sources[..arity] {
            self.free_spill(source);
        }
        if let Some(place) = place {
            store(&mut self.code, register, place)?;
            self.states[node.result].place = Some(place);
        }
        if self.states[node.result].uses.is_empty() {
            self.states[node.result].register = None;
            self.held[register as usize] = None;
        }
        Ok(())
    }
}

fn load(code: &mut CodeAssembler, register: u8, place: Place) -> Made {
    if place.broadcast {
        let dword = dword_ptr(place.base + place.offset);
        code.vbroadcastss(ymm(register), dword)
    } else {
        code.vmovups(ymm(register), place.memory())
    }
}

fn store(code: &mut CodeAssembler, register: u8, place: Place) -> Made {
    code.vmovups(place.memory(), ymm(register))
}

/// An instruction of two sources, the second in a register or in memory.
macro_rules! binary {
    ($code:ident, $name:ident, $d:expr, $a:expr, $b:expr) => {
        match $b {
            Operand::Register(b) => $code.$name(ymm($d), ymm($a), ymm(b)),
            Operand::Memory(place) => $code.$name(ymm($d), ymm($a), place.memory()),
        }
    };
}

/// The low five bits of an operand, in the scratch register.
fn count(code: &mut CodeAssembler, operand: Operand) -> Made {
    let scratch = ymm(SCRATCH);
    match operand {
        Operand::Register(b) => code.vpslld(scratch, ymm(b), 27)?,
        Operand::Memory(place) => {
            load(code, SCRATCH, place)?;
            code.vpslld(scratch, scratch, 27)?;
        }
    }
    code.vpsrld(scratch, scratch, 27)
}

/// Register `d` = a function of operands, the first of which is a register.
/// (Those whose name ends in `Rev` have their sources exchanged already.)
fn function(code: &mut CodeAssembler, function: Function, d: u8, [a, b, c]: [Operand; 3]) -> Made {
    use Function::*;
    let Operand::Register(a) = a else {
        unreachable!("the first operand is in a register");
    };
    let s = SCRATCH;
    match function {
        Move => code.vmovaps(ymm(d), ymm(a)),
        AddF32 => binary!(code, vaddps, d, a, b),
        SubF32 | SubrevF32 => binary!(code, vsubps, d, a, b),
        MulF32 => binary!(code, vmulps, d, a, b),
        FmaF32 => unreachable!("it is not in this form"),
        AddU32 => binary!(code, vpaddd, d, a, b),
        SubU32 | SubrevU32 => binary!(code, vpsubd, d, a, b),
        MulLoU32 => binary!(code, vpmulld, d, a, b),
        And => binary!(code, vpand, d, a, b),
        Or => binary!(code, vpor, d, a, b),
        Xor => binary!(code, vpxor, d, a, b),
        MinU32 => binary!(code, vpminud, d, a, b),
        MaxU32 => binary!(code, vpmaxud, d, a, b),
        MinI32 => binary!(code, vpminsd, d, a, b),
        MaxI32 => binary!(code, vpmaxsd, d, a, b),
        Add3U32 => {
            binary!(code, vpaddd, s, a, b)?;
            binary!(code, vpaddd, d, s, c)
        }
        Or3 => {
            binary!(code, vpor, s, a, b)?;
            binary!(code, vpor, d, s, c)
        }
        AndOr => {
            binary!(code, vpand, s, a, b)?;
            binary!(code, vpor, d, s, c)
        }
        LshlRev => {
            count(code, b)?;
            code.vpsllvd(ymm(d), ymm(a), ymm(s))
        }
        LshrRev => {
            count(code, b)?;
            code.vpsrlvd(ymm(d), ymm(a), ymm(s))
        }
        AshrRev => {
            count(code, b)?;
            code.vpsravd(ymm(d), ymm(a), ymm(s))
        }
        LshlAdd => {
            count(code, b)?;
            code.vpsllvd(ymm(s), ymm(a), ymm(s))?;
            binary!(code, vpaddd, d, s, c)
        }
        LshlOr => {
            count(code, b)?;
            code.vpsllvd(ymm(s), ymm(a), ymm(s))?;
            binary!(code, vpor, d, s, c)
        }
    }
}
