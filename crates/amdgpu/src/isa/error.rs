//! Why bytes are not an instruction.

use std::fmt;

/// Bytes that are not an instruction of the chip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// What is wrong.
    pub kind: DecodeErrorKind,
    /// Byte offset of the instruction in the code.
    pub offset: usize,
    /// Name of the encoding format, where it was recognised.
    pub format: Option<&'static str>,
    /// Opcode number within the format, where it was recognised.
    pub number: Option<u16>,
    /// The dwords at `offset`; those beyond the end of the code are absent.
    pub words: [Option<u32>; 3],
}

/// What is wrong with an encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The code ends within the instruction.
    Truncated,
    /// No format has these leading bits.
    UnknownFormat,
    /// A format this decoder leaves out (images, exports, typed buffers, interpolation).
    UnsupportedFormat,
    /// The format has no instruction with this number.
    UnknownOpcode,
    /// The named field must be zero here.
    ReservedField(&'static str),
    /// The named operand holds a number that it may not have.
    BadOperand(&'static str),
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            DecodeErrorKind::Truncated => f.write_str("the code ends within an instruction")?,
            DecodeErrorKind::UnknownFormat => {
                f.write_str("no instruction format has these leading bits")?
            }
            DecodeErrorKind::UnsupportedFormat => {
                f.write_str("instruction format not supported")?
            }
            DecodeErrorKind::UnknownOpcode => f.write_str("no such instruction")?,
            DecodeErrorKind::ReservedField(field) => {
                write!(f, "reserved field {field} is not zero")?
            }
            DecodeErrorKind::BadOperand(operand) => write!(f, "{operand} is not a valid operand")?,
        }
        if let Some(format) = self.format {
            write!(f, ": {format}")?;
        }
        if let Some(number) = self.number {
            write!(f, " opcode {number:#x}")?;
        }
        write!(f, " at offset {:#x}, words", self.offset)?;
        for word in self.words.iter().flatten() {
            write!(f, " {word:08x}")?;
        }
        Ok(())
    }
}

impl std::error::Error for DecodeError {}
