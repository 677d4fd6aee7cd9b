//! Reads instructions as they stand in the stream, by the rows of the table. Says nothing about what operands mean.

use crate::op::{Op, Operand, Set};

const F32_PREFIX: u8 = 0xe0;
const F64_PREFIX: u8 = 0xe1;

/// Reads a function from its start.
pub(crate) struct Decoder<'a> {
    code: &'a [u8],
    version: u16,
    /// Offset of the next instruction in the function.
    pub(crate) pc: usize,
}

/// A piece of an instruction. A branch is two: `Word` and `List`; cases of a table are any number of those.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Field<'a> {
    /// A register operand.
    Register(u16),
    /// A constant, number or place.
    Word(u32),
    /// A constant.
    Long(u64),
    /// A list of registers, counts, or pairs of registers.
    List(List<'a>),
    /// A text, and where it begins in the function.
    Text(usize, &'a [u8]),
}

/// A list of 16-bit words in the stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct List<'a>(&'a [u8]);

impl<'a> List<'a> {
    pub(crate) fn len(self) -> usize {
        self.0.len() / 2
    }

    pub(crate) fn words(self) -> impl Iterator<Item = u16> + 'a {
        self.0
            .chunks_exact(2)
            .map(|word| u16::from_le_bytes([word[0], word[1]]))
    }

    /// The words as pairs.
    pub(crate) fn pairs(self) -> impl Iterator<Item = (u16, u16)> + 'a {
        self.0.chunks_exact(4).map(|pair| {
            (
                u16::from_le_bytes([pair[0], pair[1]]),
                u16::from_le_bytes([pair[2], pair[3]]),
            )
        })
    }
}

/// Why an instruction cannot be read, and which it is, if that is known.
#[derive(Debug)]
pub(crate) struct Unreadable {
    pub(crate) op: Option<Op>,
    pub(crate) problem: String,
}

impl<'a> Decoder<'a> {
    pub(crate) fn new(code: &'a [u8], version: u16) -> Self {
        Self {
            code,
            version,
            pc: 0,
        }
    }

    /// Whether all has been read.
    pub(crate) fn is_at_end(&self) -> bool {
        self.pc >= self.code.len()
    }

    /// Reads the next instruction; its operands replace what is in `fields`.
    pub(crate) fn next(&mut self, fields: &mut Vec<Field<'a>>) -> Result<Op, Unreadable> {
        fields.clear();
        let mut cursor = Cursor {
            code: self.code,
            at: self.pc,
        };
        let op = opcode(&mut cursor, self.version)
            .map_err(|problem| Unreadable { op: None, problem })?;
        for operand in op.row().operands {
            cursor
                .operand(*operand, fields)
                .map_err(|problem| Unreadable {
                    op: Some(op),
                    problem,
                })?;
        }
        self.pc = cursor.at;
        Ok(op)
    }
}

fn opcode(cursor: &mut Cursor<'_>, version: u16) -> Result<Op, String> {
    let (set, byte) = match cursor.byte()? {
        F32_PREFIX => (Set::F32, cursor.byte()?),
        F64_PREFIX => (Set::F64, cursor.byte()?),
        byte => (Set::Core, byte),
    };
    match Op::from_opcode(set, byte) {
        Some(op) if op.row().since <= version => Ok(op),
        known => {
            let prefix = set
                .prefix()
                .map_or(String::new(), |byte| format!("{byte:02X} "));
            Err(match known {
                Some(op) => format!(
                    "opcode {prefix}{byte:02X} ({}) is not in bytecode version {version}",
                    op.mnemonic()
                ),
                None => format!("there is no opcode {prefix}{byte:02X}"),
            })
        }
    }
}

struct Cursor<'a> {
    code: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn operand(&mut self, operand: Operand, fields: &mut Vec<Field<'a>>) -> Result<(), String> {
        let field = match operand {
            Operand::I32
            | Operand::I64
            | Operand::F32
            | Operand::F64
            | Operand::Ref
            | Operand::MovableRef
            | Operand::ToI32
            | Operand::ToI64
            | Operand::ToF32
            | Operand::ToF64
            | Operand::ToRef => Field::Register(self.u16()?),
            Operand::Imm32
            | Operand::Global32
            | Operand::Global64
            | Operand::GlobalRef
            | Operand::Type
            | Operand::Rodata
            | Operand::Callee
            | Operand::Import
            | Operand::Block => Field::Word(self.u32()?),
            Operand::Imm64 => Field::Long(u64::from_le_bytes(self.array()?)),
            Operand::Remap => Field::List(self.list(2)?),
            Operand::Segments
            | Operand::Args
            | Operand::Results
            | Operand::Returned
            | Operand::Payload
            | Operand::I32s
            | Operand::I64s
            | Operand::F32s
            | Operand::F64s
            | Operand::Refs
            | Operand::MovableRefs => Field::List(self.list(1)?),
            Operand::Text => {
                let length = usize::from(self.u16()?);
                Field::Text(self.at, self.bytes(length)?)
            }
            Operand::Cases => {
                for _ in 0..self.u16()? {
                    self.operand(Operand::Block, fields)?;
                    self.operand(Operand::Remap, fields)?;
                }
                return Ok(());
            }
        };
        fields.push(field);
        Ok(())
    }

    /// A count, aligned, and that many items of some words each.
    fn list(&mut self, words: usize) -> Result<List<'a>, String> {
        if !self.at.is_multiple_of(2) && self.byte()? != 0 {
            return Err(format!(
                "the padding byte at {:08X} is not zero",
                self.at - 1
            ));
        }
        let count = usize::from(self.u16()?);
        Ok(List(self.bytes(count * words * 2)?))
    }

    fn bytes(&mut self, length: usize) -> Result<&'a [u8], String> {
        let bytes = self
            .code
            .get(self.at..)
            .and_then(|rest| rest.get(..length))
            .ok_or("the function ends in the middle of an instruction")?;
        self.at += length;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let bytes = self.bytes(N)?;
        Ok(bytes.try_into().expect("that many were asked for"))
    }

    fn byte(&mut self) -> Result<u8, String> {
        Ok(self.array::<1>()?[0])
    }

    fn u16(&mut self) -> Result<u16, String> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    fn u32(&mut self) -> Result<u32, String> {
        Ok(u32::from_le_bytes(self.array()?))
    }
}
