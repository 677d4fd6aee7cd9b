//! Programs out of arbitrary bytes: each is one that the verifier accepts, and any instruction may be in it.

use vm::op::{OPS, Op, Operand};

use crate::asm::{A, Asm, Fun};

const VALUES: u16 = 16;
const REFS: u16 = 8;
const GLOBAL_BYTES: u32 = 64;
const GLOBAL_REFS: u32 = 4;
const TYPES: &[&str] = &[
    "i8",
    "i16",
    "i32",
    "i64",
    "f32",
    "f64",
    "!vm.opaque",
    "!vm.buffer",
    "!vm.list",
];
/// The first type that references are of.
const REF_TYPES: u32 = 6;
/// Internal functions are of these kinds, whoever calls them.
const CCONVS: &[&str] = &["0v_v", "0iIfFr_iIfFr", "0rr_r", "0i_I"];

/// What generated programs import: a module named `host` must offer it.
pub(crate) const IMPORTS: &[(&str, &str, u32)] = &[
    ("host.sum", "0iCiID_I", 1),
    ("host.keep", "0r_r", 1),
    ("host.wait", "0r_i", 1),
    ("host.fail", "0v_v", 1),
    ("host.absent", "0i_i", 2),
];

/// A program. Its functions are exported by number.
pub(crate) fn program(bytes: &[u8]) -> Asm {
    let mut source = Source(bytes);
    let version = if source.below(2) == 0 { 15 } else { 17 };
    let count = 1 + source.below(3);
    let cconvs: Vec<&str> = (0..count)
        .map(|_| CCONVS[source.below(CCONVS.len())])
        .collect();
    let mut asm = Asm::new(version);
    asm.types = TYPES.to_vec();
    asm.imports = IMPORTS.to_vec();
    asm.rodata = vec![(0..100).collect(), Vec::new()];
    asm.globals = (GLOBAL_BYTES as i32, GLOBAL_REFS as i32);
    for (number, cconv) in cconvs.iter().enumerate() {
        let generator = Generator {
            source: &mut source,
            version,
            cconvs: &cconvs,
            blocks: 0,
            results: results_of(cconv),
        };
        asm = asm.export(&number.to_string(), generator.function(cconv));
    }
    asm
}

/// Bytes as numbers; zeros when they are used up.
struct Source<'a>(&'a [u8]);

impl Source<'_> {
    fn byte(&mut self) -> u8 {
        match self.0.split_first() {
            Some((&byte, rest)) => {
                self.0 = rest;
                byte
            }
            None => 0,
        }
    }

    fn below(&mut self, limit: usize) -> usize {
        let number = match limit {
            ..=256 => usize::from(self.byte()),
            _ => (usize::from(self.byte()) << 8) | usize::from(self.byte()),
        };
        number % limit
    }
}

struct Generator<'a, 'b> {
    source: &'a mut Source<'b>,
    version: u16,
    cconvs: &'a [&'a str],
    blocks: usize,
    results: &'a str,
}

impl Generator<'_, '_> {
    fn function(mut self, cconv: &str) -> Fun {
        self.blocks = 1 + self.source.below(5);
        let mut f = Fun::new(cconv);
        f.registers = (VALUES as i16, REFS as i16);
        for _ in 0..self.blocks {
            f = f.block();
            for _ in 0..self.source.below(12) {
                f = self.instruction(f, false);
            }
            f = self.instruction(f, true);
        }
        f
    }

    /// An instruction that ends a block, or one that does not.
    fn instruction(&mut self, f: Fun, ends_block: bool) -> Fun {
        let start = self.source.below(OPS.len());
        let suits = |op: &Op| {
            *op != Op::Block && op.ends_block() == ends_block && op.row().since <= self.version
        };
        let op = OPS[start..].iter().chain(OPS).copied().find(suits);
        let op = op.expect("there are some of each");
        let operands = match op.row().operands.first() {
            Some(Operand::Callee) => self.call(op),
            _ => self.operands(op),
        };
        f.op(op, &operands)
    }

    fn operands(&mut self, op: Op) -> Vec<A> {
        let mut operands = Vec::new();
        for &operand in op.row().operands {
            if operand == Operand::Cases {
                let count = self.source.below(3);
                operands.push(A::Word(count as u16));
                for _ in 0..count {
                    operands.push(self.operand(op, Operand::Block));
                    operands.push(self.operand(op, Operand::Remap));
                }
            } else {
                operands.push(self.operand(op, operand));
            }
        }
        operands
    }

    fn operand(&mut self, op: Op, operand: Operand) -> A {
        use Operand::*;
        match operand {
            I32 | F32 | ToI32 | ToF32 => A::Word(self.register('i')),
            I64 | F64 | ToI64 | ToF64 => A::Word(self.register('I')),
            Ref | ToRef => A::Word(self.register('r') & !0x4000),
            MovableRef => A::Word(self.register('r')),
            Imm32 => A::Imm32(self.number() as u32),
            Imm64 => A::Imm64(self.number()),
            Global32 => A::Imm32(self.source.below(GLOBAL_BYTES as usize - 3) as u32),
            Global64 => A::Imm32(self.source.below(GLOBAL_BYTES as usize - 7) as u32),
            GlobalRef => A::Imm32(self.source.below(GLOBAL_REFS as usize) as u32),
            Type => {
                let first = if op == Op::ListAlloc { 0 } else { REF_TYPES };
                let count = TYPES.len() - first as usize;
                A::Imm32(first + self.source.below(count) as u32)
            }
            Rodata => A::Imm32(self.source.below(2) as u32),
            Import => A::Imm32(0x8000_0000 | self.source.below(IMPORTS.len()) as u32),
            Block => A::To(self.source.below(self.blocks)),
            Remap => A::Pairs((0..self.source.below(4)).map(|_| self.pair()).collect()),
            Returned => A::List(
                self.results
                    .chars()
                    .map(|kind| self.register(kind))
                    .collect(),
            ),
            Payload => self.list("ir"),
            I32s | F32s => self.list("i"),
            I64s | F64s => self.list("I"),
            Refs | MovableRefs => self.list("r"),
            Text => A::Text(vec![b'x'; self.source.below(3)]),
            Callee | Segments | Args | Results | Cases => unreachable!("not by itself"),
        }
    }

    fn register(&mut self, kind: char) -> u16 {
        match kind {
            'i' | 'f' => self.source.below(VALUES.into()) as u16,
            'I' | 'F' => self.source.below(usize::from(VALUES) / 2) as u16 * 2,
            _ => {
                let number = self.source.below(usize::from(REFS) * 2) as u16;
                0x8000 | (number % REFS) | if number < REFS { 0 } else { 0x4000 }
            }
        }
    }

    fn pair(&mut self) -> (u16, u16) {
        match self.source.below(2) {
            0 => (self.register('i'), self.register('i')),
            _ => (self.register('r'), self.register('r') & !0x4000),
        }
    }

    fn list(&mut self, kinds: &str) -> A {
        let count = self.source.below(4);
        let kinds: Vec<char> = kinds.chars().collect();
        A::List(
            (0..count)
                .map(|n| self.register(kinds[n % kinds.len()]))
                .collect(),
        )
    }

    /// Small numbers are offsets and lengths that fit something.
    fn number(&mut self) -> u64 {
        match self.source.below(8) {
            0..=4 => self.source.below(20) as u64,
            5 => (-(self.source.below(4) as i64)) as u64,
            6 => 1_u64 << self.source.below(64),
            _ => u64::from_le_bytes([0; 8].map(|_| self.source.byte())),
        }
    }

    fn call(&mut self, op: Op) -> Vec<A> {
        let variadic = op.row().operands.contains(&Operand::Segments);
        let internal = self.cconvs.len();
        let (callee, cconv) = loop {
            let number = match variadic {
                true => internal,
                // Not the first import: it has a group.
                false => self.source.below(internal + IMPORTS.len()),
            };
            match number.checked_sub(internal) {
                None => break (number as u32, self.cconvs[number]),
                Some(0) if !variadic => continue,
                Some(import) => break (0x8000_0000 | import as u32, IMPORTS[import].1),
            }
        };
        let mut operands = vec![A::Imm32(callee)];
        let (args, _) = cconv[1..].split_once('_').expect("args and results");
        let mut kinds = args.replace('v', "");
        if variadic {
            let count = self.source.below(3);
            operands.push(A::List(vec![0xffff, count as u16]));
            kinds = format!("i{}", "iI".repeat(count));
        }
        operands.push(A::List(
            kinds.chars().map(|kind| self.register(kind)).collect(),
        ));
        if op.row().operands.contains(&Operand::Block) {
            operands.push(A::To(self.source.below(self.blocks)));
        }
        let results = results_of(cconv).chars();
        operands.push(A::List(
            results
                .map(|kind| match kind {
                    'r' => self.register(kind) & !0x4000,
                    kind => self.register(kind),
                })
                .collect(),
        ));
        operands
    }
}

/// The letters of the results.
fn results_of(cconv: &str) -> &str {
    let (_, results) = cconv.split_once('_').expect("args and results");
    results.trim_matches('v')
}
