//! Modifiers: everything an encoding says besides opcode and operands.

/// Modifiers of an instruction; all zero where an encoding has none.
///
/// Masks have one bit per source (bit 0 is `src[0]`); bit 3 of `op_sel` is
/// the destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Modifiers {
    /// Sources to negate (packed: their low half).
    pub neg: u8,
    /// Packed: sources whose high half is negated.
    pub neg_hi: u8,
    /// Sources of which the absolute value is taken, before negation.
    pub abs: u8,
    /// 16-bit operands in the high half of their register; packed: sources
    /// whose high half feeds the low result.
    pub op_sel: u8,
    /// Packed: sources whose high half feeds the high result. Mixed
    /// precision: sources that are half floats.
    pub op_sel_hi: u8,
    /// Clamp the result: floats to 0..1, integers saturate.
    pub clamp: bool,
    /// Factor on the result.
    pub omod: OutputModifier,
    /// Cross-lane permutation of `src[0]`.
    pub dpp: Option<Dpp>,
    /// Parts of dwords that sources and result are.
    pub sdwa: Option<Sdwa>,
    /// Matrix: broadcast of blocks of the first source (`cbsz`), as a power of two.
    pub broadcast_size: u8,
    /// Matrix: which block is broadcast (`abid`); of sparse matrices, which
    /// set of indices is used.
    pub broadcast_block: u8,
    /// Matrix: lane pattern of the second source (`blgp`); of double
    /// precision, sources to negate.
    pub lane_pattern: u8,
    /// Results of a function of three bits, by its sources: the first is worth
    /// four, the last one.
    pub truth_table: u8,
    /// Byte offset of a memory access (`offset0` of two-address LDS
    /// accesses, in elements).
    pub offset: i32,
    /// `offset1` of two-address LDS accesses, in elements.
    pub offset1: u8,
    /// Globally coherent; on atomics: return the old value.
    pub glc: bool,
    /// System-level coherent.
    pub slc: bool,
    /// Device-level coherent.
    pub dlc: bool,
    /// Second coherence bit of gfx9 (`sc1`; there, `glc` is `sc0` and `slc`
    /// is `nt`).
    pub sc1: bool,
    /// How far an access is coherent on gfx12: 0 (the compute unit) to 3 (the
    /// system).
    pub scope: u8,
    /// How likely data is used again, on gfx12, where the field says of atomics
    /// whether they return the old value (then `glc` is set).
    pub hint: u8,
    /// Buffer: loads go to LDS.
    pub lds: bool,
    /// Typed buffer: data format, and number format in the bits from 4 on.
    pub format: u8,
    /// Buffer: the VGPR address holds a byte offset.
    pub offen: bool,
    /// Buffer: the VGPR address holds an index.
    pub idxen: bool,
    /// Buffer: one more dword reports residency.
    pub tfe: bool,
    /// Global data share instead of LDS.
    pub gds: bool,
}

/// Factor applied to a float result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum OutputModifier {
    /// None.
    #[default]
    None,
    /// Times two.
    Mul2,
    /// Times four.
    Mul4,
    /// Divided by two.
    Div2,
}

impl OutputModifier {
    /// The factor that a two-bit field stands for.
    pub(super) fn from_bits(bits: u32) -> OutputModifier {
        match bits & 3 {
            0 => OutputModifier::None,
            1 => OutputModifier::Mul2,
            2 => OutputModifier::Mul4,
            _ => OutputModifier::Div2,
        }
    }
}

/// Cross-lane permutation of the first source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dpp {
    /// Permutation within rows of 16 lanes.
    Row {
        /// Where each lane reads.
        control: DppControl,
        /// Rows that are written, one bit each.
        row_mask: u8,
        /// Banks of four lanes that are written, one bit each.
        bank_mask: u8,
        /// A lane without valid source reads zero instead of being disabled.
        bound_control: bool,
        /// Read disabled lanes too.
        fetch_inactive: bool,
    },
    /// Any permutation within groups of eight lanes.
    Lanes8 {
        /// Source lane of each lane, 0 to 7.
        lanes: [u8; 8],
        /// Read disabled lanes too.
        fetch_inactive: bool,
    },
}

/// Where each lane of a row reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DppControl {
    /// Source lane of each lane of a group of four.
    QuadPerm([u8; 4]),
    /// Shift towards lower lanes by 1 to 15.
    RowShl(u8),
    /// Shift towards higher lanes by 1 to 15.
    RowShr(u8),
    /// Rotate towards higher lanes by 1 to 15.
    RowRor(u8),
    /// Reverse the row.
    RowMirror,
    /// Reverse each half row.
    RowHalfMirror,
    /// Every lane reads lane 0 to 15 of its row.
    RowShare(u8),
    /// Every lane reads the lane with its number xor 0 to 15.
    RowXmask(u8),
    /// Shift of the wave by one towards lower lanes.
    WaveShl,
    /// The same, rotating.
    WaveRol,
    /// Shift of the wave by one towards higher lanes.
    WaveShr,
    /// The same, rotating.
    WaveRor,
    /// The last lane of each row goes to the whole next row.
    RowBcast15,
    /// Lane 31 goes to the upper half of the wave.
    RowBcast31,
}

/// Sub-dword addressing: the part of its dword that each operand is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sdwa {
    /// Part of the destination that is written; of compares, without meaning.
    pub dst: Selection,
    /// What becomes of the rest of the destination.
    pub unused: Unused,
    /// Part of each source.
    pub src: [Selection; 2],
    /// Sources that are sign-extended, one bit each.
    pub sext: u8,
}

/// Part of a dword.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Selection {
    /// Byte 0 to 3.
    Byte(u8),
    /// Half 0 or 1.
    Word(u8),
    /// All of it.
    Dword,
}

/// What becomes of the rest of a dword of which a part is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unused {
    /// Zero.
    Pad,
    /// Bits above are copies of the sign, bits below zero.
    Sext,
    /// Keeps its value.
    Preserve,
}
