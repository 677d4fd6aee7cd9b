//! From instructions to ops: what can be reached, operands, branches.

mod reach;
mod windows;

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use super::native::Step;
use super::{Op, Program, Target, Unsupported, describe, memory_ops, scalar_ops, vector_ops};
use crate::code_object::{CodeObject, ComputeResource1, DenormMode, RoundMode};
use crate::exec::aperture;
use crate::exec::families::{Nop, SMov32, Scalar, Splat, Stage, Switch, Unknown};
use crate::fault::{Fault, FaultKind, FaultRecord};
use crate::isa::{Cdna, Encoding, Generation, Instruction, Operand, Special, Type, WaveSize};
use crate::module::Kernel;
use crate::observe::{Show, Site};
use crate::simd::{Backend, Handler, Kernel as Meaning, Row};
use crate::wave::{Mode, slot, temp};

pub(super) use reach::branch_target;
use reach::{branch_targets, reachable};

/// Why an instruction cannot be lowered.
pub(super) type Refusal = String;

/// Lowers a kernel: see [`Program::compile`].
pub(super) fn compile(
    kernel: &Kernel,
    object: &CodeObject,
    (first, code): &(u64, Vec<u8>),
    backend: Backend,
    observed: bool,
) -> Result<Program, Fault> {
    debug_assert!(!object.segments().is_empty());
    let (lowerer, refused) = lower_all(kernel, *first, code, backend, observed);
    let Some(refused) = refused.iter().find(|refused| refused.own) else {
        return Ok(lowerer.finish(kernel.base(), code.clone()));
    };
    let (instruction, encoding) = describe(code, refused.at, lowerer.target);
    Err(Fault::new(FaultRecord {
        kind: FaultKind::UnknownInstruction,
        kernel: kernel.name().to_owned(),
        code_object_offset: Some(first + refused.at as u64),
        instruction,
        encoding,
        workgroup: [0; 3],
        wave: 0,
        lane: None,
        access: None,
        nearest: None,
        detail: refused.why.clone(),
    }))
}

/// What of a kernel cannot be executed: see [`Program::unsupported`].
pub(super) fn unsupported(kernel: &Kernel, (first, code): &(u64, Vec<u8>)) -> Vec<Unsupported> {
    let (lowerer, refused) = lower_all(kernel, *first, code, Backend::Portable, false);
    let report = |refused: Refused| {
        let (instruction, encoding) = describe(code, refused.at, lowerer.target);
        Unsupported {
            code_object_offset: first + refused.at as u64,
            instruction,
            encoding,
            reason: refused.why,
        }
    };
    refused.into_iter().map(report).collect()
}

/// An instruction that could not be decoded or lowered.
struct Refused {
    /// Byte offset in the code.
    at: usize,
    why: Refusal,
    /// The kernel reaches it without calls through registers.
    own: bool,
}

/// Lowers what a kernel can reach, with an op that fails for each instruction
/// that is refused.
fn lower_all(
    kernel: &Kernel,
    first: u64,
    code: &[u8],
    backend: Backend,
    observed: bool,
) -> (Lowerer, Vec<Refused>) {
    let descriptor = &kernel.code().descriptor;
    let target = Target {
        generation: kernel.generation(),
        size: if kernel.wave_size() == 64 {
            WaveSize::Wave64
        } else {
            WaveSize::Wave32
        },
    };
    let entry = (kernel.entry() - first) as usize;
    let mut reach = reachable(code, entry, target);
    let mut refused = std::mem::take(&mut reach.refused);
    let decoded = || reach.instructions.iter().map(|(at, i)| (*at, i));
    let modes = Modes::of(descriptor.rsrc1, decoded().map(|(_, i)| i));
    let vgprs = kernel.allocated_vgprs() as u16;
    let mut lowerer = Lowerer::new(backend, first as u32, vgprs, modes, target);
    lowerer.agprs = kernel.first_agpr() as u16;
    lowerer.observed = observed;
    lowerer.entry = (!reach.jumps_anywhere).then_some(entry as u32);
    lowerer.targets = branch_targets(decoded());
    for (at, instruction) in decoded() {
        lowerer.begin(instruction, at as u32);
        if let Err(why) = lowerer.lower(instruction, at as u32) {
            let (shown, _) = describe(code, at, target);
            lowerer.unknown(format!("{shown}: {why}"));
            refused.push(Refused {
                at,
                why,
                own: reach.is_own(at),
            });
        }
        lowerer.end();
    }
    (lowerer, refused)
}

/// What the MODE register may be while a kernel runs.
#[derive(Clone, Copy)]
pub(super) struct Modes {
    /// May f32 denormals have to be flushed?
    flush: bool,
    /// May results be rounded other than to nearest even, or f16 and f64
    /// denormals flushed?
    unusual: bool,
}

impl Modes {
    fn of<'a>(
        rsrc1: ComputeResource1,
        instructions: impl Iterator<Item = &'a Instruction>,
    ) -> Modes {
        let rounds = [rsrc1.round_32(), rsrc1.round_16_64()] != [RoundMode::NearestEven; 2];
        let mut modes = Modes {
            flush: rsrc1.denorm_32() != DenormMode::Keep,
            unusual: rounds || rsrc1.denorm_16_64() != DenormMode::Keep,
        };
        for instruction in instructions {
            let (mask, value) = scalar_ops::mode_change(instruction);
            let mode = Mode(Mode::DEFAULT.0 & !mask | value.unwrap_or(!Mode::DEFAULT.0) & mask);
            modes.flush |= mode.0 & Mode::DENORM_F32 != Mode::DENORM_F32;
            let usual = mode.0 & (Mode::ROUND | Mode::DENORM_F16_F64) == Mode::DENORM_F16_F64;
            modes.unusual |= !usual;
        }
        modes
    }
}

/// Why an instruction on its own cannot be lowered.
#[cfg(test)]
pub(super) fn refusal(instruction: &Instruction, target: impl Into<Target>) -> Option<Refusal> {
    let target = target.into();
    let mode = |unusual| Modes {
        flush: true,
        unusual,
    };
    // Far enough into the code for branches backwards.
    let at = 1 << 20;
    [false, true].into_iter().find_map(|unusual| {
        let mut lowerer = Lowerer::new(
            Backend::Portable,
            0,
            all_vgprs(target),
            mode(unusual),
            target,
        );
        lowerer.lower(instruction, at).err()
    })
}

/// Vector registers of a program that is put together for a test: all there
/// are. Accumulation registers begin in their middle.
#[cfg(test)]
fn all_vgprs(target: Target) -> u16 {
    match target.generation {
        Generation::Gfx9(_) => 512,
        Generation::Gfx11 | Generation::Gfx12 => 256,
    }
}

/// Lowers instructions that lie one behind the other, and an end.
#[cfg(test)]
pub(super) fn assemble(
    words: &[u32],
    target: Target,
    backend: Backend,
    observed: bool,
) -> Result<Program, Refusal> {
    let end = match target.generation {
        Generation::Gfx9(_) => 0xbf81_0000,
        Generation::Gfx11 | Generation::Gfx12 => 0xbfb0_0000,
    };
    let words = words.iter().chain(std::iter::once(&end));
    let code: Vec<u8> = words.flat_map(|word| word.to_le_bytes()).collect();
    let mut instructions = Vec::new();
    let mut at = 0;
    while at < code.len() {
        let instruction = target
            .decode(&code, at)
            .map_err(|error| error.to_string())?;
        let next = at + instruction.size_bytes as usize;
        instructions.push((at, instruction));
        at = next;
    }
    let usual = ComputeResource1(Mode::DEFAULT.0 << 12);
    let modes = Modes::of(
        usual,
        instructions.iter().map(|(_, instruction)| instruction),
    );
    let mut lowerer = Lowerer::new(backend, 0, all_vgprs(target), modes, target);
    lowerer.observed = observed;
    lowerer.entry = Some(0);
    lowerer.targets = branch_targets(instructions.iter().map(|(at, i)| (*at, i)));
    for (at, instruction) in &instructions {
        lowerer.begin(instruction, *at as u32);
        lowerer.lower(instruction, *at as u32)?;
        lowerer.end();
    }
    Ok(lowerer.finish(0, code))
}

/// How an op is run together with those behind it.
pub(super) struct Joint {
    /// Only ops of one kind are.
    pub(super) kind: u8,
    pub(super) run: Handler,
}

/// The mask that a vector instruction writes, if the scalars that it reads for
/// both halves of a wave are among those of the mask of the lower half.
fn overwritten_mask(instruction: &Instruction) -> Option<Operand> {
    let types = instruction.info().dst;
    let place = types.iter().position(|&ty| ty == Type::Mask)?;
    let mask = instruction.dst[place];
    let first = |operand: Operand| match operand {
        Operand::Sgpr { index, dwords } => Some((u16::from(index), u16::from(dwords))),
        Operand::Special { reg, dwords } => match reg {
            Special::VccLo => Some((slot::VCC, u16::from(dwords))),
            Special::VccHi => Some((slot::VCC + 1, 1)),
            Special::Ttmp(number) => Some((slot::TTMP0 + u16::from(number), u16::from(dwords))),
            _ => None,
        },
        _ => None,
    };
    let (written, _) = first(mask)?;
    let read = instruction.src.iter().zip(instruction.info().src);
    read.filter(|(_, ty)| **ty != Type::Mask)
        .filter_map(|(&operand, _)| first(operand))
        .any(|(start, dwords)| (start..start + dwords).contains(&written))
        .then_some(mask)
}

/// A program in the making.
pub(super) struct Lowerer {
    backend: Backend,
    /// May f32 denormals have to be flushed?
    pub(super) flush: bool,
    /// May rounding or the denormals of f16 and f64 be out of the ordinary?
    pub(super) unusual: bool,
    pub(super) vgprs: u16,
    /// The vector register that is the first accumulation register (gfx9).
    agprs: u16,
    /// Whether waves wait for each other.
    pub(super) has_barriers: bool,
    /// Must each instruction be shown to a watcher?
    observed: bool,
    sites: Vec<Site>,
    target: Target,
    pub(super) size: WaveSize,
    /// Which half of a wave of 64 the ops are for.
    half: u16,
    /// The mask that is written goes to the slot for such masks instead.
    defers_mask: bool,
    /// The operands that index mode is for, where it is on.
    pub(super) index_mode: Option<u16>,
    /// Where branches go, by byte offset.
    pub(super) targets: BTreeSet<usize>,
    /// The first source is the result of a DPP permutation.
    dpp: bool,
    /// Results go to the temporary of dual instructions instead.
    dual: bool,
    ops: Vec<Op>,
    origins: Vec<u32>,
    at: u32,
    first: u32,
    /// Index of the first op of the instruction at each dword of the code.
    by_offset: Vec<u32>,
    /// Vector registers of a half that any instruction names.
    named: u16,
    branches: Vec<(usize, u32)>,
    /// Ops that may be joined with their neighbours.
    joints: Vec<(usize, Joint)>,
    /// Ops that native code can stand for.
    steps: Vec<(usize, Step)>,
    /// Ops that only compute scalars, and the slots that they write.
    scalar_ops: Vec<(usize, Range<u16>)>,
    /// Byte offset of the first instruction, if the code is entered only there
    /// and where branches go.
    entry: Option<u32>,
    shuffles: Vec<Row>,
    unknown: Vec<String>,
    rows: Vec<u32>,
    row_index: HashMap<[u32; 2], u16>,
    scalars: Vec<u32>,
    scalar_index: HashMap<[u32; 2], u16>,
}

impl Lowerer {
    fn new(backend: Backend, first: u32, vgprs: u16, modes: Modes, target: Target) -> Lowerer {
        Lowerer {
            backend,
            flush: modes.flush,
            unusual: modes.unusual,
            vgprs,
            agprs: vgprs / 2,
            has_barriers: false,
            observed: false,
            sites: Vec::new(),
            target,
            size: target.size,
            half: 0,
            defers_mask: false,
            index_mode: None,
            targets: BTreeSet::new(),
            dpp: false,
            dual: false,
            ops: Vec::new(),
            origins: Vec::new(),
            at: 0,
            first,
            by_offset: Vec::new(),
            named: 1,
            branches: Vec::new(),
            joints: Vec::new(),
            steps: Vec::new(),
            scalar_ops: Vec::new(),
            entry: None,
            shuffles: Vec::new(),
            unknown: Vec::new(),
            rows: Vec::new(),
            row_index: HashMap::new(),
            scalars: Vec::new(),
            scalar_index: HashMap::new(),
        }
    }

    /// The SIMD instructions to use.
    pub(super) fn backend(&self) -> Backend {
        self.backend
    }

    /// Is this code of gfx9?
    pub(super) fn is_gfx9(&self) -> bool {
        self.target.generation.is_gfx9()
    }

    /// Are floats of a byte those of the Open Compute Project?
    pub(super) fn has_ocp_floats(&self) -> bool {
        self.target.generation == Generation::Gfx9(Cdna::Cdna4)
    }

    /// Is this code of gfx12?
    pub(super) fn is_gfx12(&self) -> bool {
        self.target.generation == Generation::Gfx12
    }

    fn begin(&mut self, instruction: &Instruction, at: u32) {
        self.at = at;
        let dword = at as usize / 4;
        if self.by_offset.len() <= dword {
            self.by_offset.resize(dword + 1, u32::MAX);
        }
        self.by_offset[dword] = self.ops.len() as u32;
        let operands = |i: &Instruction| i.dst.into_iter().chain(i.src);
        let second = instruction.dual.iter().flat_map(|i| operands(i));
        for operand in operands(instruction).chain(second) {
            self.named = self.named.max(self.register(operand).1);
        }
        if self.observed {
            let op = Show::op(self.common_op::<Show>(), self.sites.len() as u32);
            self.push(op);
            let site = Site::new(self.code_object_offset(at), instruction);
            self.sites.push(site);
        }
    }

    /// The instruction has all its ops.
    fn end(&mut self) {
        if self.observed
            && let [.., last] = &mut self.ops[..]
            && Show::is(last)
        {
            last.aux = Show::ALONE;
        }
    }

    fn lower(&mut self, instruction: &Instruction, at: u32) -> Result<(), Refusal> {
        scalar_ops::leave_index_mode(self, instruction, at)?;
        if matches!(
            instruction.encoding,
            Encoding::Sop1 | Encoding::Sop2 | Encoding::Sopc | Encoding::Sopk | Encoding::Sopp
        ) {
            return scalar_ops::lower(self, instruction, at);
        }
        let whole_wave =
            instruction.encoding == Encoding::Smem || vector_ops::is_for_whole_wave(instruction);
        if self.size == WaveSize::Wave32 || whole_wave {
            return self.lower_half(instruction);
        }
        let before = self.ops.len();
        // The upper half still has to read what the mask of the lower overwrites.
        let mask = overwritten_mask(instruction);
        self.defers_mask = mask.is_some();
        let result = self.lower_half(instruction);
        self.defers_mask = false;
        result?;
        if self.ops.len() == before {
            return Ok(());
        }
        let switch = self.op::<Switch>();
        self.know(Step::Switch);
        self.push(switch);
        self.half = 1;
        let result = self.lower_half(instruction);
        self.half = 0;
        self.know(Step::Switch);
        self.push(switch);
        if let Some(mask) = mask {
            let mut op = self.common_op::<Scalar<SMov32>>();
            (op.d, op.a) = (self.result_slot(mask)?, slot::DEFERRED);
            self.push(op);
        }
        result
    }

    fn lower_half(&mut self, instruction: &Instruction) -> Result<(), Refusal> {
        match instruction.encoding {
            Encoding::Smem
            | Encoding::Ds
            | Encoding::Mubuf
            | Encoding::Mtbuf
            | Encoding::Flat
            | Encoding::Global
            | Encoding::Scratch => memory_ops::lower(self, instruction),
            _ => vector_ops::lower(self, instruction),
        }
    }

    fn unknown(&mut self, text: String) {
        let mut op = self.op::<Unknown>();
        op.imm = self.unknown.len() as u32;
        self.unknown.push(text);
        self.push(op);
    }

    fn finish(mut self, base: u64, code: Vec<u8>) -> Program {
        // A branch to a dropped instruction goes to what follows it; one to the
        // very end gets an op to go to.
        let end = self.op::<Nop>();
        self.push(end);
        // Observed ops run one by one.
        let windows = if self.observed {
            Vec::new()
        } else {
            self.gather_scalar_ops();
            let windows = self.windows();
            self.join();
            windows
        };
        for &(index, target) in &self.branches {
            self.ops[index].imm = self.op_of_target(target);
        }
        self.by_offset.resize(code.len().div_ceil(4), u32::MAX);
        Program {
            ops: self.ops,
            windows,
            origins: self.origins.iter().map(|&at| self.first + at).collect(),
            shuffles: self.shuffles,
            unknown: self.unknown,
            first: self.first,
            by_offset: self.by_offset,
            base,
            vgprs: self.vgprs,
            named: self.named.min(self.vgprs),
            target: self.target,
            row_constants: self.rows,
            scalar_constants: self.scalars,
            code,
            agprs: self.agprs,
            has_barriers: self.has_barriers,
            sites: self.sites,
        }
    }

    /// Index of the op that a branch to a byte offset goes to: the end, where
    /// no instruction begins.
    fn op_of_target(&self, target: u32) -> u32 {
        let index = self.by_offset.get(target as usize / 4).copied();
        let end = self.ops.len() as u32 - 1;
        index.filter(|&index| index != u32::MAX).unwrap_or(end)
    }

    /// The code of a meaning.
    pub(super) fn code<K: Meaning>(&self) -> Handler {
        self.backend.handler::<K>()
    }

    /// The code of a meaning that gains nothing from SIMD: made once, not for
    /// every back end.
    pub(super) fn common_code<K: Meaning>(&self) -> Handler {
        Backend::Portable.handler::<K>()
    }

    /// An op without operands.
    pub(super) fn op<K: Meaning>(&self) -> Op {
        self.op_of(self.code::<K>())
    }

    /// As `op`, of a meaning that gains nothing from SIMD.
    pub(super) fn common_op<K: Meaning>(&self) -> Op {
        self.op_of(self.common_code::<K>())
    }

    pub(super) fn op_of(&self, run: Handler) -> Op {
        Op {
            run,
            d: slot::SINK,
            a: 0,
            b: 0,
            c: 0,
            imm: 0,
            aux: 0,
            e: 0,
        }
    }

    pub(super) fn push(&mut self, op: Op) {
        self.ops.push(op);
        self.origins.push(self.at);
    }

    /// Adds an op that may be joined with its neighbours.
    pub(super) fn push_joined(&mut self, op: Op, joint: Option<Joint>) {
        self.joints
            .extend(joint.map(|joint| (self.ops.len(), joint)));
        self.push(op);
    }

    /// Adds an op whose `imm` becomes the op at a byte offset of the code.
    pub(super) fn push_branch(&mut self, op: Op, target: u32) {
        self.branches.push((self.ops.len(), target));
        self.push(op);
    }

    /// Code-object offset of a byte offset in the code.
    pub(super) fn code_object_offset(&self, at: u32) -> u32 {
        self.first + at
    }

    /// Runs `lower` with the first source replaced by the DPP row.
    pub(super) fn with_dpp(
        &mut self,
        lower: impl FnOnce(&mut Lowerer) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        self.dpp = true;
        let result = lower(self);
        self.dpp = false;
        result
    }

    /// Runs `lower` with the result in the temporary row.
    pub(super) fn with_temporary(
        &mut self,
        lower: impl FnOnce(&mut Lowerer) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        self.dual = true;
        let result = lower(self);
        self.dual = false;
        result
    }

    /// Are the ops for the upper half of a wave of 64?
    pub(super) fn is_upper_half(&self) -> bool {
        self.half == 1
    }

    /// An instruction may come to any vector register.
    pub(super) fn name_all(&mut self) {
        self.named = self.vgprs;
    }

    /// The first row of the half at hand, and how many it has.
    pub(super) fn rows_of_half(&self) -> (u16, u16) {
        (self.half * self.vgprs, self.vgprs)
    }

    /// Halves of 32 lanes in a wave.
    fn halves(&self) -> u16 {
        (self.size.lanes() / 32) as u16
    }

    pub(super) fn temp(&self, number: u16) -> u16 {
        self.halves() * self.vgprs + number
    }

    /// Number of a lane permutation.
    pub(super) fn shuffle(&mut self, table: [u8; 32]) -> u32 {
        let mut row = Row::ZERO;
        for (lane, from) in row.lanes_mut().iter_mut().zip(table) {
            *lane = u32::from(from);
        }
        let known = self.shuffles.iter().position(|other| *other == row);
        known.unwrap_or_else(|| {
            self.shuffles.push(row);
            self.shuffles.len() - 1
        }) as u32
    }

    /// First register and the one behind the last of an operand, in the file
    /// that vector and accumulation registers share.
    fn register(&self, operand: Operand) -> (u16, u16) {
        let (first, dwords) = match operand {
            Operand::Vgpr { index, dwords } => (u16::from(index), dwords),
            Operand::Agpr { index, dwords } => (self.agprs + u16::from(index), dwords),
            _ => (0, 0),
        };
        (first, first + u16::from(dwords))
    }

    /// Row of a vector register operand.
    pub(super) fn vgpr(&self, operand: Operand) -> Result<u16, Refusal> {
        match operand {
            Operand::Vgpr { .. } | Operand::Agpr { .. } => {
                let (index, end) = self.register(operand);
                if end > self.vgprs {
                    let have = self.vgprs;
                    return Err(format!(
                        "v{} is beyond the kernel's {have} registers",
                        end - 1
                    ));
                }
                Ok(self.half * self.vgprs + index)
            }
            other => Err(format!(
                "operand {other:?} where a vector register is expected"
            )),
        }
    }

    /// Row of a result.
    pub(super) fn result(&self, operand: Operand) -> Result<u16, Refusal> {
        if self.dual {
            return Ok(self.temp(temp::DUAL));
        }
        self.vgpr(operand)
    }

    /// Row of a constant (the first of two).
    pub(super) fn constant_row(&mut self, value: u64) -> u16 {
        let pair = [value as u32, (value >> 32) as u32];
        let first = self.temp(temp::COUNT);
        let rows = &mut self.rows;
        *self.row_index.entry(pair).or_insert_with(|| {
            let index = rows.len() as u16;
            rows.extend(pair);
            first + index
        })
    }

    /// Slot of a constant (the first of two).
    pub(super) fn constant_slot(&mut self, value: u64) -> u16 {
        let pair = [value as u32, (value >> 32) as u32];
        let scalars = &mut self.scalars;
        *self.scalar_index.entry(pair).or_insert_with(|| {
            let index = scalars.len() as u16;
            scalars.extend(pair);
            slot::CONSTANTS + index
        })
    }

    /// Slot of a lane mask that is read, for the half at hand.
    pub(super) fn source_mask(&mut self, operand: Operand) -> Result<u16, Refusal> {
        let slot = self.source_slot(operand, Type::Mask)?;
        Ok(if slot < slot::NULL {
            slot + self.half
        } else {
            self.half_of_special(slot)
        })
    }

    /// Slot of a lane mask that is written, for the half at hand.
    pub(super) fn result_mask(&mut self, operand: Operand) -> Result<u16, Refusal> {
        let slot = self.result_slot(operand)?;
        Ok(if self.defers_mask && operand != Operand::None {
            slot::DEFERRED
        } else if slot < slot::NULL {
            slot + self.half
        } else {
            self.half_of_special(slot)
        })
    }

    /// EXEC has a slot for each half; `null` and constants serve both.
    fn half_of_special(&self, slot: u16) -> u16 {
        if slot == slot::EXEC {
            slot + self.half
        } else {
            slot
        }
    }

    /// Slot of a scalar source. May put an op in front that fills it.
    pub(super) fn source_slot(&mut self, operand: Operand, ty: Type) -> Result<u16, Refusal> {
        if let Some(value) = operand.constant(ty) {
            return Ok(self.constant_slot(value));
        }
        match operand {
            Operand::Sgpr { index, .. } => Ok(u16::from(index)),
            Operand::Special { reg, .. } => self.special_slot(reg),
            Operand::Imm(value) => Ok(self.constant_slot(u64::from(value))),
            Operand::None | Operand::Off => Ok(slot::NULL),
            Operand::Vgpr { .. } => Err("a vector register as scalar source".to_owned()),
            other => Err(format!("operand {other:?}")),
        }
    }

    fn special_slot(&mut self, reg: Special) -> Result<u16, Refusal> {
        let aperture = |high: u32, low: u32| u64::from(high) << 32 | u64::from(low);
        Ok(match reg {
            Special::VccLo => slot::VCC,
            Special::VccHi => slot::VCC + 1,
            Special::Ttmp(number) => slot::TTMP0 + u16::from(number),
            Special::Null => slot::NULL,
            Special::M0 => slot::M0,
            Special::ExecLo => slot::EXEC,
            Special::ExecHi => slot::EXEC + 1,
            // On gfx9 these have the numbers of the last scalar registers; scratch
            // needs no base there.
            Special::FlatScratchLo => 102,
            Special::FlatScratchHi => 103,
            Special::XnackMaskLo => 104,
            Special::XnackMaskHi => 105,
            Special::SharedBase => self.constant_slot(aperture(aperture::SHARED, 0)),
            Special::SharedLimit => self.constant_slot(aperture(aperture::SHARED, u32::MAX)),
            Special::PrivateBase => self.constant_slot(aperture(aperture::PRIVATE, 0)),
            Special::PrivateLimit => self.constant_slot(aperture(aperture::PRIVATE, u32::MAX)),
            Special::LdsDirect => return Err("LDS as an operand is not implemented".to_owned()),
            // Of graphics, and of other generations.
            Special::PopsExitingWaveId
            | Special::FlatScratchBaseLo
            | Special::FlatScratchBaseHi => self.constant_slot(0),
            Special::Scc => self.stage(0),
            Special::Vccz => self.stage(1),
            Special::Execz => self.stage(2),
        })
    }

    fn stage(&mut self, which: u32) -> u16 {
        let mut op = self.op::<Stage>();
        op.imm = which;
        op.d = slot::STAGED;
        self.push(op);
        slot::STAGED
    }

    /// Slot of a scalar result.
    pub(super) fn result_slot(&mut self, operand: Operand) -> Result<u16, Refusal> {
        match operand {
            Operand::None => Ok(slot::SINK),
            Operand::Special {
                reg: Special::Null, ..
            } => Ok(slot::SINK),
            Operand::Sgpr { index, .. } => Ok(u16::from(index)),
            Operand::Special { reg, .. } => self.special_slot(reg),
            other => Err(format!("operand {other:?} as scalar result")),
        }
    }

    /// Row of source `number` of a vector op: a register's, a constant's, or a
    /// temporary that an op in front fills from scalar slots.
    pub(super) fn source(
        &mut self,
        number: usize,
        operand: Operand,
        ty: Type,
    ) -> Result<u16, Refusal> {
        if number == 0 && self.dpp {
            return Ok(self.temp(temp::DPP));
        }
        if let Some(value) = operand.constant(ty) {
            return Ok(self.constant_row(value));
        }
        if let Operand::Vgpr { .. } | Operand::Agpr { .. } = operand {
            return self.vgpr(operand);
        }
        if operand == Operand::None {
            return Ok(0);
        }
        let slot = self.source_slot(operand, ty)?;
        if slot == slot::NULL {
            return Ok(self.constant_row(0));
        }
        if slot >= slot::CONSTANTS {
            let at = (slot - slot::CONSTANTS) as usize;
            let value = u64::from(self.scalars[at]) | u64::from(self.scalars[at + 1]) << 32;
            return Ok(self.constant_row(value));
        }
        let row = self.temp(temp::SPLAT + 2 * number as u16);
        for dword in 0..u16::from(ty.dwords(WaveSize::Wave32)) {
            let mut op = self.op::<Splat>();
            (op.a, op.d) = (slot + dword, row + dword);
            self.know(Step::Splat {
                d: op.d,
                slot: op.a,
            });
            self.push(op);
        }
        Ok(row)
    }
}
