//! From plans to x86-64 code with AVX2 or AVX-512.
//!
//! The code passes over a row strip by strip, 8 or 16 lanes at a time, and keeps
//! values of the strip at hand in registers. It calls nothing and checks
//! nothing: what it loads was found live before it runs.
//!
//! Dwords that all lanes read at one place, or that lie behind each other, are
//! read where they are. Others go to temporary rows first, a vector each.

mod sources;
mod vectors;

use std::collections::{HashMap, HashSet};

use iced_x86::IcedError;
use iced_x86::code_asm::*;

use super::plan::{Function, Node, Origin, Plan, Value};
use crate::memory::Form;
use crate::simd::Extensions;
use sources::{Lane, Piece, Pointers};
use vectors::{Assembler, Operand, Spread, Width};

/// Where temporary rows are used for what.
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// The row of each value that is computed early.
    pub(super) early: HashMap<Value, u16>,
    /// How many there are.
    pub(super) rows: u16,
}

/// Bytes of a row, and of eight lanes of one.
const ROW: i32 = 128;
const EIGHT: i32 = 32;

/// The registers that addresses are made of.
mod base {
    use iced_x86::code_asm::{AsmRegister64, r8, rcx, rdi, rdx, rsi};

    /// Rows of the wave, at the strip.
    pub(super) const ROWS: AsmRegister64 = rdi;
    /// Scalar slots.
    pub(super) const SCALARS: AsmRegister64 = rsi;
    /// Temporary rows.
    pub(super) const TEMPS: AsmRegister64 = rdx;
    /// Addresses of the lanes' places, at the strip.
    pub(super) const PLACES: AsmRegister64 = rcx;
    /// Temporary rows at the strip.
    pub(super) const STRIP: AsmRegister64 = r8;
}

/// The steps of code making can fail; they do not, as they are written here.
type Made<T = ()> = Result<T, IcedError>;

/// What a place in memory is a distance from.
#[derive(Clone, Copy, Debug)]
enum Base {
    Register(AsmRegister64),
    Lane(Lane),
}

/// A place in memory that a vector is read from.
#[derive(Clone, Copy, Debug)]
struct Place {
    base: Base,
    offset: i32,
    spread: Spread,
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

struct Generator {
    asm: Assembler,
    pointers: Pointers,
    states: Vec<State>,
    /// The value in each register.
    held: Vec<Option<Value>>,
    /// Places of strips that values were spilled to and that are free again.
    free_spills: Vec<i32>,
    next_spill: i32,
    /// It reads buffers.
    reads: bool,
}

/// What is loaded into temporary rows, of a source whose places have that form.
struct Gathered {
    source: usize,
    form: Form,
    pieces: Vec<Piece>,
}

/// Code for what addresses are made of; `None` if there is nothing to compute.
pub(super) fn early(
    plan: &Plan,
    layout: &mut Layout,
    extensions: Extensions,
) -> Made<Option<Vec<u8>>> {
    let mut seen: HashSet<Value> = plan.sources.iter().map(|source| source.address).collect();
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
    let mut generator = Generator::new(plan, layout, extensions)?;
    generator.count_uses(&plan.early, &[]);
    generator
        .whole(layout, &[], &plan.early, &stores, &[])
        .map(Some)
}

/// Code for the rest, when the places of the sources have these forms.
pub(super) fn main(
    plan: &Plan,
    layout: &mut Layout,
    forms: &[Form],
    extensions: Extensions,
) -> Made<Vec<u8>> {
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
    let mut generator = Generator::new(plan, layout, extensions)?;
    let gathered = generator.place_loads(plan, layout, forms);
    generator.next_spill = i32::from(layout.rows) * ROW;
    generator.reads = !forms.is_empty();
    for (&value, &row) in &layout.early {
        generator.states[value].place = Some(Place::strip(base::STRIP, row));
    }
    generator.count_uses(&plan.main, &ends);
    generator.whole(layout, &gathered, &plan.main, &stores, &ends)
}

impl Place {
    fn at(base: AsmRegister64, offset: i32, spread: Spread) -> Place {
        Place {
            base: Base::Register(base),
            offset,
            spread,
        }
    }

    /// The strip at hand of a row.
    fn strip(base: AsmRegister64, row: u16) -> Place {
        Place::at(base, i32::from(row) * ROW, Spread::Each)
    }
}

impl Generator {
    fn new(plan: &Plan, layout: &Layout, extensions: Extensions) -> Made<Generator> {
        let width = match extensions {
            Extensions::Portable => unreachable!("native code needs AVX2"),
            Extensions::Avx2 => Width::Ymm,
            Extensions::Avx512 => Width::Zmm,
        };
        let mut states = vec![State::default(); plan.values.len()];
        for (state, origin) in states.iter_mut().zip(&plan.values) {
            state.place = match *origin {
                Origin::Row(row) => Some(Place::strip(base::ROWS, row)),
                Origin::Splat(slot) => {
                    Some(Place::at(base::SCALARS, 4 * i32::from(slot), Spread::One))
                }
                Origin::Node | Origin::Loaded { .. } => None,
            };
        }
        Ok(Generator {
            asm: Assembler {
                code: CodeAssembler::new(64)?,
                width,
            },
            pointers: Pointers::default(),
            states,
            held: vec![None; usize::from(width.registers())],
            free_spills: Vec::new(),
            next_spill: i32::from(layout.rows) * ROW,
            reads: false,
        })
    }

    /// Where the dwords of loads are read, and what is loaded into temporary
    /// rows before.
    fn place_loads(&mut self, plan: &Plan, layout: &mut Layout, forms: &[Form]) -> Vec<Gathered> {
        let mut gathered: Vec<Gathered> = Vec::new();
        for (source, &form) in forms.iter().enumerate() {
            let pieces = Vec::new();
            gathered.push(Gathered {
                source,
                form,
                pieces,
            });
        }
        let mut first_rows = Vec::new();
        for load in &plan.loads {
            let form = forms[load.source];
            let first = i32::from(layout.rows) * ROW;
            first_rows.push(first);
            let (to, apart, rows) = match form {
                Form::Full => (base::STRIP + first, ROW, load.dwords),
                Form::Repeated => (base::TEMPS + first, EIGHT, 1),
                Form::Same | Form::Uniform | Form::Contiguous => continue,
            };
            layout.rows += rows;
            gathered[load.source].pieces.push(Piece {
                constant: load.constant as i32,
                dwords: load.dwords,
                to,
                apart,
            });
        }
        gathered.retain(|gathered| !gathered.pieces.is_empty());
        for Gathered { pieces, .. } in &mut gathered {
            pieces.sort_by_key(|piece| piece.constant);
        }
        for (state, origin) in self.states.iter_mut().zip(&plan.values) {
            let &Origin::Loaded { load, dword } = origin else {
                continue;
            };
            let (first, dword) = (first_rows[load], i32::from(dword));
            let load = plan.loads[load];
            let there = |spread| Place {
                base: Base::Lane(Lane {
                    source: load.source,
                    lane: 0,
                }),
                offset: load.constant as i32 + 4 * dword,
                spread,
            };
            let wide = self.asm.width == Width::Zmm;
            state.place = Some(match forms[load.source] {
                Form::Full => Place::at(base::STRIP, first + ROW * dword, Spread::Each),
                Form::Repeated => Place::at(base::TEMPS, first + EIGHT * dword, Spread::Eight),
                Form::Uniform if wide => there(Spread::Two),
                Form::Same | Form::Uniform => there(Spread::One),
                Form::Contiguous => there(Spread::Each),
            });
        }
        gathered
    }

    /// Notes which nodes, and which stores at the end, use which values.
    fn count_uses(&mut self, nodes: &[Node], ends: &[(Value, Place)]) {
        for &(value, _) in ends {
            self.states[value].uses.push(nodes.len());
        }
        for (number, node) in nodes.iter().enumerate().rev() {
            for &source in node.sources[..node.function.arity()].iter().rev() {
                self.states[source].uses.push(number);
            }
        }
    }

    /// Code that computes `nodes` for each strip, puts results where `stores`
    /// says as soon as they are there, and at the end those of `ends`.
    fn whole(
        mut self,
        layout: &mut Layout,
        gathered: &[Gathered],
        nodes: &[Node],
        stores: &HashMap<Value, Place>,
        ends: &[(Value, Place)],
    ) -> Made<Vec<u8>> {
        let width = self.asm.width;
        // The others of the caller are not touched.
        let saved = if self.reads { &sources::SAVED[..] } else { &[] };
        for &register in saved {
            self.asm.code.push(register)?;
        }
        self.asm.prepare()?;
        self.gather(gathered, Form::Repeated, EIGHT / 4)?;
        self.asm.code.mov(base::STRIP, base::TEMPS)?;
        self.asm.code.mov(eax, ROW / width.bytes())?;
        let mut again = self.asm.code.create_label();
        self.asm.code.set_label(&mut again)?;
        self.pointers.forget();
        self.gather(gathered, Form::Full, width.lanes())?;
        for node in nodes {
            self.node(node, stores.get(&node.result).copied())?;
        }
        for &(value, place) in ends {
            let register = self.register(value, &[])?;
            self.store(register, place)?;
            self.used(value);
        }
        let end_of_spills = self.end_of_spills();
        let code = &mut self.asm.code;
        code.add(base::ROWS, width.bytes())?;
        code.add(base::STRIP, width.bytes())?;
        code.add(base::PLACES, 8 * width.lanes())?;
        code.dec(eax)?;
        code.jne(again)?;
        for &register in saved.iter().rev() {
            code.pop(register)?;
        }
        code.vzeroupper()?;
        code.ret()?;
        layout.rows = end_of_spills;
        code.assemble(0)
    }

    /// Loads what comes from sources of a form into temporary rows.
    fn gather(&mut self, gathered: &[Gathered], form: Form, lanes: i32) -> Made {
        for from in gathered.iter().filter(|from| from.form == form) {
            let pointers = &mut self.pointers;
            sources::gather(&mut self.asm, pointers, from.source, lanes, &from.pieces)?;
        }
        Ok(())
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
        let all = 0..self.asm.width.registers();
        let candidates = all.filter(|register| !keep.contains(register));
        let distance = |&register: &u8| {
            self.held[register as usize].map_or(usize::MAX, |value| self.next_use(value))
        };
        let register = candidates.max_by_key(distance).expect("few are kept");
        if let Some(value) = self.held[register as usize].take() {
            self.states[value].register = None;
            if self.states[value].place.is_none() && !self.states[value].uses.is_empty() {
                let offset = self.free_spills.pop().unwrap_or(self.next_spill);
                let end = offset + self.asm.width.bytes();
                self.next_spill = self.next_spill.max(end);
                let place = Place::at(base::TEMPS, offset, Spread::Each);
                self.store(register, place)?;
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
        self.load(register, place)?;
        Ok(register)
    }

    /// A value as the last operand of an instruction: from memory, if it would
    /// not stay in a register anyway.
    fn operand(&mut self, value: Value, keep: &[u8]) -> Made<Operand> {
        let state = &self.states[value];
        if let (None, Some(place)) = (state.register, state.place) {
            let uses = &state.uses;
            let after = uses.len().checked_sub(2).map_or(usize::MAX, |at| uses[at]);
            let full = self.held.iter().all(Option::is_some);
            let furthest = self.held.iter().flatten().map(|&held| self.next_use(held));
            let leaves =
                after == usize::MAX || full && furthest.max().is_some_and(|far| far <= after);
            if leaves && self.asm.is_operand(place.spread) {
                let at = self.address(place)?;
                return Ok(Operand::Memory(self.asm.operand(at, place.spread)));
            }
        }
        Ok(Operand::Register(self.register(value, keep)?))
    }

    /// The address of a place.
    fn address(&mut self, place: Place) -> Made<AsmMemoryOperand> {
        let base = match place.base {
            Base::Register(register) => register,
            Base::Lane(lane) => self.pointers.get(&mut self.asm.code, lane)?,
        };
        Ok(base + place.offset)
    }

    fn load(&mut self, register: u8, place: Place) -> Made {
        let at = self.address(place)?;
        self.asm.load(register, at, place.spread)?;
        if let (Spread::Two, Base::Lane(Lane { source, lane })) = (place.spread, place.base) {
            let base = Base::Lane(Lane {
                source,
                lane: lane + 8,
            });
            let at = self.address(Place { base, ..place })?;
            self.asm.load_upper(register, at)?;
        }
        Ok(())
    }

    fn store(&mut self, register: u8, place: Place) -> Made {
        let at = self.address(place)?;
        self.asm.store(register, at)
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
                    self.asm.copy(own, register)?;
                    own
                }
                None => {
                    let from = self.states[sources[2]].place.expect("a value is somewhere");
                    let own = self.allocate(node.result, &keep)?;
                    self.load(own, from)?;
                    own
                }
            };
            self.asm.add_product(register, a, b)?;
            for &source in &sources {
                self.used(source);
            }
            register
        } else {
            let mut operands = [Operand::Register(0); 3];
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
                let needs_register = number == 0 || number == 1 && node.function.counts();
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
            self.asm.function(node.function, register, operands)?;
            register
        };
        for &source in &sources[..arity] {
            self.free_spill(source);
        }
        if let Some(place) = place {
            self.store(register, place)?;
            self.states[node.result].place = Some(place);
        }
        if self.states[node.result].uses.is_empty() {
            self.states[node.result].register = None;
            self.held[register as usize] = None;
        }
        Ok(())
    }
}
