//! The verifier: turns the bytecode of a module into the [`Body`] of each function, or says what is wrong with it.
//!
//! Memory and time are proportional to the bytes that are read.

use vmfb::module::{Features, Module};

use crate::decode::{Decoder, Field, List};
use crate::op::{Op, Operand, Set};
use crate::program::{Body, CallSite, Callee, Edge, Inst, MOVE, Move, REF_MASK, Slot, Span, place};
use crate::{Code, Error, Item, Kind, Result, Signature};

/// In a register operand: it names a register of the reference bank.
const REF_BIT: u16 = 0x8000;

/// In a function operand: it names an import.
const IMPORT_BIT: u32 = 0x8000_0000;

/// In a list of segments: no group.
const NO_GROUP: u16 = 0xffff;

/// Why something is refused, in words.
type Checked<T> = Result<T, String>;

/// What functions refer to.
pub(crate) struct Environment<'a> {
    pub(crate) file: &'a [u8],
    pub(crate) module: &'a Module,
    /// Of the imports.
    pub(crate) imports: &'a [Signature],
    /// Of the types, whether they are types of values and not of references.
    pub(crate) value_types: &'a [bool],
}

/// Verifies every function.
pub(crate) fn verify(environment: &Environment<'_>) -> Result<Vec<Body>> {
    let module = environment.module;
    let refused = |number: usize, place: String, problem: String| {
        let name = match module
            .exports
            .iter()
            .find(|e| e.function as usize == number)
        {
            Some(export) => format!("function {number} ({})", export.name.escape_debug()),
            None => format!("function {number}"),
        };
        Error::new(
            Code::INVALID_ARGUMENT,
            format!(
                "module {}, {name}{place}: {problem}",
                module.name.escape_debug()
            ),
        )
    };
    let mut signatures = Vec::with_capacity(module.functions.len());
    for (number, function) in module.functions.iter().enumerate() {
        let signature = Signature::parse(&function.calling_convention)
            .map_err(|error| refused(number, String::new(), error.message().to_owned()))?;
        signatures.push(signature);
    }
    let mut bodies = Vec::with_capacity(module.functions.len());
    for number in 0..module.functions.len() {
        let body = Verifier::new(environment, &signatures, number)
            .and_then(Verifier::run)
            .map_err(|refusal| {
                let place = match (refusal.pc, refusal.op) {
                    (Some(pc), Some(op)) => format!(" at {pc:08X}, vm.{}", op.mnemonic()),
                    (Some(pc), None) => format!(" at {pc:08X}"),
                    (None, _) => String::new(),
                };
                refused(number, place, refusal.problem)
            })?;
        bodies.push(body);
    }
    Ok(bodies)
}

/// Why a function is refused.
struct Refusal {
    pc: Option<usize>,
    op: Option<Op>,
    problem: String,
}

impl From<String> for Refusal {
    fn from(problem: String) -> Self {
        Self {
            pc: None,
            op: None,
            problem,
        }
    }
}

/// Verifies one function.
struct Verifier<'a> {
    environment: &'a Environment<'a>,
    function: &'a vmfb::module::Function,
    signatures: &'a [Signature],
    body: Body,
    /// Where the blocks begin in the decoded code.
    block_starts: Vec<u32>,
}

impl<'a> Verifier<'a> {
    fn new(
        environment: &'a Environment<'a>,
        signatures: &'a [Signature],
        number: usize,
    ) -> Result<Self, Refusal> {
        let function = &environment.module.functions[number];
        let signature = &signatures[number];
        let kinds = signature.plain_args().ok_or_else(|| {
            format!("its calling convention {signature} repeats arguments; only imports may")
        })?;
        let (values, refs) = (
            usize::from(function.i32_registers),
            usize::from(function.ref_registers),
        );
        let params = match place(&kinds, environment.module.bytecode_version.0) {
            Some((params, v, r)) if v <= values && r <= refs => params,
            _ => {
                return Err(Refusal::from(format!(
                    "its arguments {signature} do not fit {values} value and {refs} reference registers"
                )));
            }
        };
        Ok(Self {
            environment,
            function,
            signatures,
            body: Body {
                code: Vec::new(),
                pcs: Vec::new(),
                blocks: Vec::new(),
                edges: Vec::new(),
                moves: Vec::new(),
                calls: Vec::new(),
                lists: Vec::new(),
                slots: Vec::new(),
                groups: Vec::new(),
                texts: Vec::new(),
                signature: signature.clone(),
                params,
                values,
                refs,
            },
            block_starts: Vec::new(),
        })
    }

    fn run(mut self) -> Result<Body, Refusal> {
        let code = &self.environment.file[self.function.bytecode.clone()];
        let mut decoder = Decoder::new(code, self.version());
        let mut fields = Vec::new();
        let mut in_block = false;
        while !decoder.is_at_end() {
            let pc = decoder.pc;
            let refusal = |op, problem| Refusal {
                pc: Some(pc),
                op,
                problem,
            };
            let op = decoder
                .next(&mut fields)
                .map_err(|unreadable| refusal(unreadable.op, unreadable.problem))?;
            self.instruction(pc, op, &fields, &mut in_block)
                .map_err(|problem| refusal(Some(op), problem))?;
        }
        if in_block {
            return Err("the last block does not end with a branch or a return".to_owned())?;
        }
        let declared = usize::from(self.function.block_count);
        if self.body.blocks.len() != declared {
            return Err(format!(
                "it has {} blocks and declares {declared}",
                self.body.blocks.len()
            ))?;
        }
        self.resolve()?;
        Ok(self.body)
    }

    /// Branches were noted with places in the stream: makes them places in the code.
    fn resolve(&mut self) -> Result<(), Refusal> {
        for (&pc, inst) in self.body.pcs.iter().zip(&self.body.code) {
            let operands = inst.op.row().operands;
            let find = |target: u32| {
                self.body
                    .blocks
                    .binary_search(&target)
                    .map(|index| self.block_starts[index])
                    .map_err(|_| Refusal {
                        pc: Some(pc as usize),
                        op: Some(inst.op),
                        problem: format!("no block begins at {target:08X}"),
                    })
            };
            if matches!(operands.first(), Some(Operand::Callee)) {
                if operands.contains(&Operand::Block) {
                    let call = &mut self.body.calls[inst.imm[0] as usize];
                    call.next = find(call.next)?;
                }
                continue;
            }
            let branches = operands.iter().filter(|o| **o == Operand::Block).count();
            let cases = match operands.last() {
                Some(Operand::Cases) => inst.imm[1] as usize,
                _ => 0,
            };
            if branches > 0 {
                let first = inst.imm[0] as usize;
                for edge in &mut self.body.edges[first..first + branches + cases] {
                    edge.target = find(edge.target)?;
                }
            }
        }
        Ok(())
    }

    fn instruction(
        &mut self,
        pc: usize,
        op: Op,
        fields: &[Field<'_>],
        in_block: &mut bool,
    ) -> Checked<()> {
        if op == Op::Block {
            if *in_block {
                return Err("the block before does not end with a branch or a return".to_owned());
            }
            *in_block = true;
            self.body.blocks.push(pc as u32);
            self.block_starts.push(self.body.code.len() as u32);
            return Ok(());
        }
        if !*in_block {
            return Err("it stands outside of a block".to_owned());
        }
        *in_block = !op.ends_block();
        self.check_features(op)?;
        let mut inst = Building::new(op);
        if op.row().operands.first() == Some(&Operand::Callee) {
            inst.immediate(self.call(op, fields)?);
        } else {
            self.operands(fields, &mut inst)?;
        }
        self.body.code.push(inst.inst);
        self.body.pcs.push(pc as u32);
        Ok(())
    }

    fn check_features(&self, op: Op) -> Checked<()> {
        let needed = match op.row().set {
            Set::Core => return Ok(()),
            Set::F32 => Features::EXT_F32,
            Set::F64 => Features::EXT_F64,
        };
        let declared = self.function.requirements | self.environment.module.requirements;
        match declared.contains(needed) {
            true => Ok(()),
            false => Err(format!(
                "it needs {needed:?}, which neither the function nor the module declares"
            )),
        }
    }

    /// Checks the operands of anything but a call.
    fn operands(&mut self, fields: &[Field<'_>], inst: &mut Building) -> Checked<()> {
        let mut fields = fields.iter().copied();
        let mut target = None;
        for &operand in inst.inst.op.row().operands {
            if operand == Operand::Cases {
                let mut cases = 0;
                while let (Some(Field::Word(pc)), Some(Field::List(moves))) =
                    (fields.next(), fields.next())
                {
                    self.edge(pc, moves)?;
                    cases += 1;
                }
                inst.immediate(cases);
                continue;
            }
            let field = fields.next().expect("the decoder read every operand");
            match field {
                Field::Register(word) => inst.register(self.register(operand, word)?),
                Field::Word(pc) if operand == Operand::Block => target = Some(pc),
                Field::Word(word) => inst.immediate(self.word(inst.inst.op, operand, word)?),
                Field::Long(long) => {
                    inst.immediate(long as u32);
                    inst.immediate((long >> 32) as u32);
                }
                Field::List(moves) if operand == Operand::Remap => {
                    let pc = target.take().expect("a place comes before what is copied");
                    let index = self.edge(pc, moves)?;
                    // The first edge is enough: those of one instruction are neighbours.
                    if inst.immediates == 0 {
                        inst.immediate(index);
                    }
                }
                Field::List(list) => inst.immediate(self.list(operand, list)?),
                Field::Text(start, bytes) => {
                    inst.immediate(self.body.texts.len() as u32);
                    self.body.texts.push(Span::new(start, start + bytes.len()));
                }
            }
        }
        Ok(())
    }

    fn register(&self, operand: Operand, word: u16) -> Checked<u16> {
        match operand {
            Operand::I32 | Operand::F32 | Operand::ToI32 | Operand::ToF32 => self.value(word),
            Operand::I64 | Operand::F64 | Operand::ToI64 | Operand::ToF64 => self.pair(word),
            // The interpreter that 15 was made for moves between registers and lists only, and its compiler says
            // "move" more often than it means it.
            Operand::MovableRef => self.reference(word, self.version() > 15),
            _ => self.reference(word, false),
        }
    }

    fn value(&self, word: u16) -> Checked<u16> {
        if word & REF_BIT != 0 {
            return Err(format!(
                "r{} where a value register is needed",
                word & REF_MASK
            ));
        }
        if usize::from(word) >= self.body.values {
            return Err(format!("i{word} of {} value registers", self.body.values));
        }
        Ok(word)
    }

    fn pair(&self, word: u16) -> Checked<u16> {
        let low = self.value(word)?;
        if low % 2 != 0 {
            return Err(format!(
                "i{low} where an even register and the next are needed"
            ));
        }
        self.value(low + 1)?;
        Ok(low)
    }

    /// Bytecode 15 may say that a register is emptied where that is not heard; later versions may not.
    fn reference(&self, word: u16, may_move: bool) -> Checked<u16> {
        if word & REF_BIT == 0 {
            return Err(format!("i{word} where a reference register is needed"));
        }
        let register = word & REF_MASK;
        if usize::from(register) >= self.body.refs {
            return Err(format!(
                "r{register} of {} reference registers",
                self.body.refs
            ));
        }
        match (word & MOVE != 0, may_move) {
            (false, _) => Ok(register),
            (true, true) => Ok(register | MOVE),
            (true, false) if self.version() == 15 => Ok(register),
            (true, false) => Err(format!("r{register} cannot be moved here")),
        }
    }

    fn word(&self, op: Op, operand: Operand, word: u32) -> Checked<u32> {
        let module = self.environment.module;
        let below = |what: &str, count: usize| match (word as usize) < count {
            true => Ok(word),
            false => Err(format!("{what} {word} of {count}")),
        };
        let inside = |bytes: u32| match word.checked_add(bytes) {
            Some(end) if end <= module.global_bytes => Ok(word),
            _ => Err(format!(
                "global at {word}, {bytes} bytes, of {} bytes",
                module.global_bytes
            )),
        };
        match operand {
            Operand::Global32 => inside(4),
            Operand::Global64 => inside(8),
            Operand::GlobalRef => below("reference global", module.global_refs as usize),
            Operand::Rodata => below("data segment", module.rodata.len()),
            Operand::Type => {
                below("type", module.types.len())?;
                if op != Op::ListAlloc && self.environment.value_types[word as usize] {
                    return Err(format!(
                        "type {word} ({}) is not one of references",
                        module.types[word as usize].escape_debug()
                    ));
                }
                Ok(word)
            }
            Operand::Import => match word & IMPORT_BIT {
                0 => Err(format!("function {word} where an import is needed")),
                _ => self.import(word).map(|(number, _)| number),
            },
            _ => Ok(word),
        }
    }

    fn import(&self, word: u32) -> Checked<(u32, &'a Signature)> {
        let imports = self.environment.imports;
        let number = word & !IMPORT_BIT;
        match imports.get(number as usize) {
            Some(signature) => Ok((number, signature)),
            None => Err(format!("import {number} of {}", imports.len())),
        }
    }

    /// Notes a branch; its place is still one in the stream.
    fn edge(&mut self, pc: u32, moves: List<'_>) -> Checked<u32> {
        let start = self.body.moves.len();
        for (from, to) in moves.pairs() {
            let copy = match (from & REF_BIT != 0, to & REF_BIT != 0) {
                (false, false) => Move::Value {
                    from: self.value(from)?,
                    to: self.value(to)?,
                },
                (true, true) => Move::Ref {
                    from: self.reference(from, true)?,
                    to: self.reference(to, false)?,
                },
                _ => return Err("a branch copies between the two banks of registers".to_owned()),
            };
            self.body.moves.push(copy);
        }
        let index = self.body.edges.len() as u32;
        self.body.edges.push(Edge {
            target: pc,
            moves: Span::new(start, self.body.moves.len()),
        });
        Ok(index)
    }

    fn list(&mut self, operand: Operand, list: List<'_>) -> Checked<u32> {
        let span = match operand {
            Operand::Returned => {
                let kinds = self.body.signature.results().to_vec();
                self.slots(&kinds, list, "results", true)?
            }
            _ => {
                let start = self.body.slots.len();
                for word in list.words() {
                    let slot = self.loose_slot(operand, word)?;
                    self.body.slots.push(slot);
                }
                Span::new(start, self.body.slots.len())
            }
        };
        self.body.lists.push(span);
        Ok(self.body.lists.len() as u32 - 1)
    }

    /// A member of a list that any number may be in.
    fn loose_slot(&self, operand: Operand, word: u16) -> Checked<Slot> {
        let kind = match operand {
            Operand::I32s => Kind::I32,
            Operand::I64s => Kind::I64,
            Operand::F32s => Kind::F32,
            Operand::F64s => Kind::F64,
            Operand::Payload if word & REF_BIT == 0 => Kind::I32,
            _ => Kind::Ref,
        };
        self.slot(kind, word, true)
    }

    fn slot(&self, kind: Kind, word: u16, may_move: bool) -> Checked<Slot> {
        let register = match kind {
            Kind::I32 | Kind::F32 => self.value(word)?,
            Kind::I64 | Kind::F64 => self.pair(word)?,
            Kind::Ref => self.reference(word, may_move)?,
        };
        Ok(Slot { kind, register })
    }

    /// A list that has one register for each kind.
    fn slots(
        &mut self,
        kinds: &[Kind],
        list: List<'_>,
        what: &str,
        may_move: bool,
    ) -> Checked<Span> {
        if kinds.len() != list.len() {
            return Err(format!("{} {what}, expected {}", list.len(), kinds.len()));
        }
        let start = self.body.slots.len();
        for (index, (&kind, word)) in kinds.iter().zip(list.words()).enumerate() {
            let slot = self
                .slot(kind, word, may_move)
                .map_err(|problem| format!("{what}, number {index}, of kind {kind}: {problem}"))?;
            self.body.slots.push(slot);
        }
        Ok(Span::new(start, self.body.slots.len()))
    }

    /// Checks a call against the signature of its callee; returns its number among the calls.
    fn call(&mut self, op: Op, fields: &[Field<'_>]) -> Checked<u32> {
        let (callee, segments, args, then, results) = match *fields {
            [Field::Word(f), Field::List(a), Field::List(r)] => (f, None, a, None, r),
            [
                Field::Word(f),
                Field::List(a),
                Field::Word(pc),
                Field::List(r),
            ] => (f, None, a, Some(pc), r),
            [
                Field::Word(f),
                Field::List(s),
                Field::List(a),
                Field::List(r),
            ] => (f, Some(s), a, None, r),
            [
                Field::Word(f),
                Field::List(s),
                Field::List(a),
                Field::Word(pc),
                Field::List(r),
            ] => (f, Some(s), a, Some(pc), r),
            _ => unreachable!("vm.{} is no call", op.mnemonic()),
        };
        let (callee, signature) = if callee & IMPORT_BIT != 0 {
            let (number, signature) = self.import(callee)?;
            (Callee::Import(number), signature)
        } else {
            let signature = self.signatures.get(callee as usize).ok_or_else(|| {
                format!(
                    "function {callee} of {}",
                    self.environment.module.functions.len()
                )
            })?;
            if segments.is_some() {
                return Err(format!("function {callee} where an import is needed"));
            }
            (Callee::Function(callee), signature)
        };
        let first_group = self.body.groups.len();
        let kinds = self.argument_kinds(signature, segments, args.len())?;
        let args = self.slots(&kinds, args, "arguments", true)?;
        let results = self.slots(signature.results(), results, "results", false)?;
        self.body.calls.push(CallSite {
            callee,
            args,
            groups: Span::new(first_group, self.body.groups.len()),
            results,
            next: then.unwrap_or(self.body.code.len() as u32 + 1),
        });
        Ok(self.body.calls.len() as u32 - 1)
    }

    /// The kinds of the arguments of a call, groups flattened; notes how often groups are repeated.
    fn argument_kinds(
        &mut self,
        signature: &Signature,
        segments: Option<List<'_>>,
        given: usize,
    ) -> Checked<Vec<Kind>> {
        let Some(segments) = segments else {
            return signature.plain_args().ok_or_else(|| {
                format!("the calling convention {signature} has groups and the call says no sizes")
            });
        };
        if segments.len() != signature.args().len() {
            return Err(format!(
                "{} segments, the calling convention {signature} has {}",
                segments.len(),
                signature.args().len()
            ));
        }
        let mut kinds = Vec::with_capacity(given);
        for (item, count) in signature.args().iter().zip(segments.words()) {
            match item {
                Item::One(kind) if count == NO_GROUP => kinds.push(*kind),
                Item::Group(group) if count != NO_GROUP => {
                    if kinds.len() + group.len() * usize::from(count) > given {
                        return Err(format!(
                            "a group of {count} times {} arguments, {given} are given in all",
                            group.len()
                        ));
                    }
                    self.body.groups.push(count);
                    kinds.extend((0..count).flat_map(|_| group));
                }
                _ => {
                    return Err(format!(
                        "segment {count:#x} does not fit the calling convention {signature}"
                    ));
                }
            }
        }
        Ok(kinds)
    }

    fn version(&self) -> u16 {
        self.environment.module.bytecode_version.0
    }
}

/// An instruction as far as it is read.
struct Building {
    inst: Inst,
    registers: usize,
    immediates: usize,
}

impl Building {
    fn new(op: Op) -> Self {
        Self {
            inst: Inst {
                op,
                r: [0; 6],
                imm: [0; 2],
            },
            registers: 0,
            immediates: 0,
        }
    }

    fn register(&mut self, register: u16) {
        self.inst.r[self.registers] = register;
        self.registers += 1;
    }

    fn immediate(&mut self, immediate: u32) {
        self.inst.imm[self.immediates] = immediate;
        self.immediates += 1;
    }
}
