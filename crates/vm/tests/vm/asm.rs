//! An assembler: functions as bytes, and the module file around them.
//!
//! Operands are written as they are given, whatever the table of instructions says of them, so that it can also write
//! what must be refused.

use vm::op::Op;

/// An operand in the stream.
#[derive(Clone, Debug)]
pub(crate) enum A {
    Word(u16),
    Imm32(u32),
    Imm64(u64),
    List(Vec<u16>),
    Pairs(Vec<(u16, u16)>),
    /// The block with this number, counted from the start.
    To(usize),
    Text(Vec<u8>),
}

/// Value register.
pub(crate) fn i(register: u16) -> A {
    A::Word(register)
}

/// Reference register.
pub(crate) fn r(register: u16) -> A {
    A::Word(0x8000 | register)
}

/// Reference register that is emptied.
pub(crate) fn m(register: u16) -> A {
    A::Word(0xc000 | register)
}

pub(crate) fn list(registers: &[A]) -> A {
    A::List(registers.iter().map(word).collect())
}

pub(crate) fn remap(pairs: &[(A, A)]) -> A {
    A::Pairs(
        pairs
            .iter()
            .map(|(from, to)| (word(from), word(to)))
            .collect(),
    )
}

pub(crate) fn to(block: usize) -> A {
    A::To(block)
}

pub(crate) fn text(text: &str) -> A {
    A::Text(text.as_bytes().to_vec())
}

/// Import number, as a callee.
pub(crate) fn import(number: u32) -> A {
    A::Imm32(0x8000_0000 | number)
}

fn word(operand: &A) -> u16 {
    match operand {
        A::Word(word) => *word,
        other => panic!("{other:?} is no register"),
    }
}

/// A function under construction.
#[derive(Clone, Debug)]
pub(crate) struct Fun {
    pub(crate) cconv: String,
    pub(crate) code: Vec<u8>,
    pub(crate) blocks: Vec<usize>,
    pub(crate) block_count: Option<i16>,
    pub(crate) registers: (i16, i16),
    pub(crate) requirements: u32,
    pub(crate) used: Vec<Op>,
    fixups: Vec<(usize, usize)>,
}

impl Fun {
    /// An empty function with 16 registers of each bank.
    pub(crate) fn new(cconv: &str) -> Self {
        Self {
            cconv: cconv.to_owned(),
            code: Vec::new(),
            blocks: Vec::new(),
            block_count: None,
            registers: (16, 16),
            requirements: 0,
            used: Vec::new(),
            fixups: Vec::new(),
        }
    }

    /// Begins a block.
    pub(crate) fn block(mut self) -> Self {
        self.blocks.push(self.code.len());
        self.code.push(0x79);
        self
    }

    pub(crate) fn op(mut self, op: Op, operands: &[A]) -> Self {
        let row = op.row();
        self.used.push(op);
        self.code.extend(row.set.prefix());
        self.code.push(row.opcode);
        for operand in operands {
            self.operand(operand);
        }
        self
    }

    /// Bytes as they are.
    pub(crate) fn raw(mut self, bytes: &[u8]) -> Self {
        self.code.extend(bytes);
        self
    }

    pub(crate) fn ret(self, registers: &[A]) -> Self {
        self.op(Op::Return, &[list(registers)])
    }

    pub(crate) fn i32(self, register: u16, value: i32) -> Self {
        self.op(Op::ConstI32, &[A::Imm32(value as u32), i(register)])
    }

    pub(crate) fn i64(self, register: u16, value: i64) -> Self {
        self.op(Op::ConstI64, &[A::Imm64(value as u64), i(register)])
    }

    fn operand(&mut self, operand: &A) {
        let even = |code: &mut Vec<u8>| code.resize(code.len().next_multiple_of(2), 0);
        match operand {
            A::Word(word) => self.code.extend(word.to_le_bytes()),
            A::Imm32(word) => self.code.extend(word.to_le_bytes()),
            A::Imm64(word) => self.code.extend(word.to_le_bytes()),
            A::List(words) => {
                even(&mut self.code);
                self.code.extend((words.len() as u16).to_le_bytes());
                self.code
                    .extend(words.iter().flat_map(|word| word.to_le_bytes()));
            }
            A::Pairs(pairs) => {
                even(&mut self.code);
                self.code.extend((pairs.len() as u16).to_le_bytes());
                for (from, to) in pairs {
                    self.code.extend(from.to_le_bytes());
                    self.code.extend(to.to_le_bytes());
                }
            }
            A::To(block) => {
                self.fixups.push((self.code.len(), *block));
                self.code.extend([0xee; 4]);
            }
            A::Text(text) => {
                self.code.extend((text.len() as u16).to_le_bytes());
                self.code.extend(text);
            }
        }
    }

    fn finished(&self) -> Vec<u8> {
        let mut code = self.code.clone();
        for &(at, block) in &self.fixups {
            code[at..at + 4].copy_from_slice(&(self.blocks[block] as u32).to_le_bytes());
        }
        code
    }
}

/// A module under construction.
#[derive(Clone, Debug)]
pub(crate) struct Asm {
    pub(crate) name: String,
    pub(crate) version: u16,
    pub(crate) module_version: u32,
    pub(crate) requirements: u32,
    pub(crate) types: Vec<&'static str>,
    /// Name, minimum version, flags.
    pub(crate) dependencies: Vec<(&'static str, u32, u32)>,
    /// Name, calling convention, flags.
    pub(crate) imports: Vec<(&'static str, &'static str, u32)>,
    pub(crate) exports: Vec<(String, i32)>,
    pub(crate) functions: Vec<Fun>,
    pub(crate) rodata: Vec<Vec<u8>>,
    /// Bytes, references.
    pub(crate) globals: (i32, i32),
    /// Whether all functions have the signature of the first, written once.
    pub(crate) shares_signatures: bool,
}

impl Asm {
    pub(crate) fn new(version: u16) -> Self {
        Self {
            name: "module".to_owned(),
            version,
            module_version: 0,
            requirements: 3,
            types: Vec::new(),
            dependencies: Vec::new(),
            imports: Vec::new(),
            exports: Vec::new(),
            functions: Vec::new(),
            rodata: Vec::new(),
            globals: (0, 0),
            shares_signatures: false,
        }
    }

    /// A module with `function` alone, exported as `main`.
    pub(crate) fn main(version: u16, function: Fun) -> Self {
        Self::new(version).export("main", function)
    }

    pub(crate) fn export(mut self, name: &str, function: Fun) -> Self {
        let number = self.functions.len();
        self.exports.push((name.to_owned(), number as i32));
        self.function(function)
    }

    pub(crate) fn function(mut self, function: Fun) -> Self {
        self.functions.push(function);
        self
    }

    /// The module as a file.
    pub(crate) fn file(&self) -> Vec<u8> {
        use F::{Bytes, I32, Shared, Structs, Table, Tables, Text, U32};
        let signature = |cconv: &str| vec![(0, Text(cconv.into()))];
        let mut bytecode = Vec::new();
        let mut descriptors = Vec::new();
        for function in &self.functions {
            let code = function.finished();
            let blocks = function.block_count.unwrap_or(function.blocks.len() as i16);
            descriptors.extend((bytecode.len() as i32).to_le_bytes());
            descriptors.extend((code.len() as i32).to_le_bytes());
            descriptors.extend(function.requirements.to_le_bytes());
            descriptors.extend([0; 2]);
            descriptors.extend(blocks.to_le_bytes());
            descriptors.extend(function.registers.0.to_le_bytes());
            descriptors.extend(function.registers.1.to_le_bytes());
            bytecode.extend(code);
            bytecode.resize(bytecode.len().next_multiple_of(8), 0);
        }
        let signatures = match self.functions.first() {
            Some(first) if self.shares_signatures => {
                Shared(self.functions.len(), signature(&first.cconv))
            }
            _ => Tables(self.functions.iter().map(|f| signature(&f.cconv)).collect()),
        };
        let mut fields = vec![
            (0, Text(self.name.clone())),
            (1, U32(self.module_version)),
            (2, U32(self.requirements)),
            (
                4,
                Tables(
                    self.types
                        .iter()
                        .map(|name| vec![(0, Text((*name).into()))])
                        .collect(),
                ),
            ),
            (
                5,
                Tables(
                    self.dependencies
                        .iter()
                        .map(|&(name, version, flags)| {
                            vec![(0, Text(name.into())), (1, U32(version)), (2, U32(flags))]
                        })
                        .collect(),
                ),
            ),
            (
                6,
                Tables(
                    self.imports
                        .iter()
                        .map(|&(name, cconv, flags)| {
                            vec![
                                (0, Text(name.into())),
                                (1, Table(signature(cconv))),
                                (2, U32(flags)),
                            ]
                        })
                        .collect(),
                ),
            ),
            (
                7,
                Tables(
                    self.exports
                        .iter()
                        .map(|(name, number)| vec![(0, Text(name.clone())), (1, I32(*number))])
                        .collect(),
                ),
            ),
            (8, signatures),
            (
                9,
                Tables(
                    self.rodata
                        .iter()
                        .map(|bytes| vec![(2, Bytes(bytes.clone()))])
                        .collect(),
                ),
            ),
            (12, Structs(self.functions.len(), descriptors)),
            (13, U32(u32::from(self.version) << 16)),
            (14, Bytes(bytecode)),
        ];
        if self.globals != (0, 0) {
            let (bytes, refs) = self.globals;
            fields.push((11, Table(vec![(0, I32(bytes)), (1, I32(refs))])));
        }
        let mut out = vec![0; 8];
        out.extend(*b"IREE");
        let root = write_table(&mut out, &fields);
        out[4..8].copy_from_slice(&(root as u32 - 4).to_le_bytes());
        out.resize(out.len().next_multiple_of(64), 0);
        let length = out.len() as u32 - 4;
        out[..4].copy_from_slice(&length.to_le_bytes());
        out
    }
}

/// A field of a flatbuffer.
enum F {
    U32(u32),
    I32(i32),
    Text(String),
    Bytes(Vec<u8>),
    /// So many structs.
    Structs(usize, Vec<u8>),
    Table(Vec<(usize, F)>),
    Tables(Vec<Vec<(usize, F)>>),
    /// One table so many times.
    Shared(usize, Vec<(usize, F)>),
}

fn write_table(out: &mut Vec<u8>, fields: &[(usize, F)]) -> usize {
    let slots = fields.iter().map(|(id, _)| id + 1).max().unwrap_or(0);
    align(out);
    let vtable = out.len();
    out.extend((4 + 2 * slots as u16).to_le_bytes());
    out.extend((4 + 4 * fields.len() as u16).to_le_bytes());
    out.resize(out.len() + 2 * slots, 0);
    for (index, (id, _)) in fields.iter().enumerate() {
        let offset = 4 + 4 * index as u16;
        out[vtable + 4 + 2 * id..][..2].copy_from_slice(&offset.to_le_bytes());
    }
    align(out);
    let table = out.len();
    out.extend(((table - vtable) as i32).to_le_bytes());
    out.resize(out.len() + 4 * fields.len(), 0);
    for (index, (_, field)) in fields.iter().enumerate() {
        let at = table + 4 + 4 * index;
        let word = match field {
            F::U32(word) => *word,
            F::I32(word) => *word as u32,
            F::Text(text) => (write_vector(out, text.len(), text.as_bytes()) - at) as u32,
            F::Bytes(bytes) => (write_vector(out, bytes.len(), bytes) - at) as u32,
            F::Structs(count, bytes) => (write_vector(out, *count, bytes) - at) as u32,
            F::Table(fields) => (write_table(out, fields) - at) as u32,
            F::Tables(tables) => {
                let vector = write_vector(out, tables.len(), &vec![0; 4 * tables.len()]);
                for (index, fields) in tables.iter().enumerate() {
                    let element = vector + 4 + 4 * index;
                    let offset = (write_table(out, fields) - element) as u32;
                    out[element..element + 4].copy_from_slice(&offset.to_le_bytes());
                }
                (vector - at) as u32
            }
            F::Shared(count, fields) => {
                let vector = write_vector(out, *count, &vec![0; 4 * count]);
                let shared = write_table(out, fields);
                for index in 0..*count {
                    let element = vector + 4 + 4 * index;
                    let offset = (shared - element) as u32;
                    out[element..element + 4].copy_from_slice(&offset.to_le_bytes());
                }
                (vector - at) as u32
            }
        };
        out[at..at + 4].copy_from_slice(&word.to_le_bytes());
    }
    table
}

fn write_vector(out: &mut Vec<u8>, count: usize, bytes: &[u8]) -> usize {
    align(out);
    let at = out.len();
    out.extend((count as u32).to_le_bytes());
    out.extend(bytes);
    // Strings end with a zero.
    out.push(0);
    align(out);
    at
}

fn align(out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(8), 0);
}
