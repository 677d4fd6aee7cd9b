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
}
