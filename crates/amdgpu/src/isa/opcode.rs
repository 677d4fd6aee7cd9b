//! What the opcode table is made of: one row per operation, its columns the
//! encodings, everything else derived.
//!
//! The rows stand in [`table`](super::table).

use super::operand::Type;

bitflags::bitflags! {
    /// What an instruction does beside its explicit operands, and which
    /// modifiers it takes.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct Flags: u64 {
        /// Reads the scalar condition code.
        const READS_SCC = 1 << 0;
        /// Writes the scalar condition code.
        const WRITES_SCC = 1 << 1;
        /// Reads VCC although no operand says so.
        const READS_VCC = 1 << 2;
        /// Reads EXEC as data (not as the mask of a vector instruction).
        const READS_EXEC = 1 << 3;
        /// Writes EXEC although no operand says so.
        const WRITES_EXEC = 1 << 4;
        /// Reads M0 although no operand says so.
        const READS_M0 = 1 << 5;
        /// Reads its destination: accumulates, or writes a part of it.
        const READS_DST = 1 << 6;
        /// Writes its first source too (register swaps).
        const WRITES_SRC = 1 << 7;
        /// May continue elsewhere than at the next instruction.
        const BRANCH = 1 << 8;
        /// Ends the wave.
        const END = 1 << 9;
        /// Takes the clamp bit.
        const CLAMP = 1 << 10;
        /// Takes an output modifier.
        const OMOD = 1 << 11;
        /// Integer sources too have negate and absolute-value bits, without effect.
        const DEAD_MODS = 1 << 12;
        /// Has no VOP3 form.
        const NO_E64 = 1 << 13;
        /// Has no DPP form although others like it do.
        const NO_DPP = 1 << 14;
        /// Has no encoding suffix in its text even where it has several forms.
        const NO_SUFFIX = 1 << 15;
        /// Reads the destination's old value from memory and writes it back:
        /// an atomic. With `glc` (or always, when the name says `rtn`) the
        /// old value is returned.
        const ATOMIC = 1 << 16;
        /// Source modifiers are `neg_lo` and `neg_hi` on a matrix or dot
        /// product of integers, where they mean signedness.
        const SIGNED_MODS = 1 << 17;
        /// Takes no `op_sel` and `op_sel_hi` (integer dots and matrices).
        const NO_OP_SEL = 1 << 18;
        /// Takes `op_sel` bits although no operand is 16 bits wide
        /// (`v_permlane16_b32`: fetch inactive, bound control).
        const OP_SEL = 1 << 19;
        /// LDS access with two addresses and two element offsets.
        const TWO_ADDRESSES = 1 << 20;
        /// No register holds the address (the thread number does, or M0).
        const NO_ADDRESS = 1 << 21;
        /// LDS access without form for the global data share.
        const NO_GDS = 1 << 22;
        /// Negate and absolute-value bits apply to 16-bit sources that are
        /// not typed as floats.
        const FLOAT_MODS = 1 << 23;
        /// Access to the global data share only.
        const NEEDS_GDS = 1 << 24;
        /// Has no SDWA form although its width would allow one (gfx9).
        const NO_SDWA = 1 << 25;
        /// Its VOP3 form picks halves of 16-bit operands (gfx9, where most
        /// 16-bit instructions do not).
        const HALF_SEL = 1 << 26;
        /// Its SDWA form writes the whole destination.
        const WHOLE_DST = 1 << 27;
        /// Scalar memory access that moves no data, but has an immediate in
        /// the place of data.
        const PREFETCH = 1 << 28;
        /// Load that can go to LDS by a bit of its encoding (gfx9; of flat
        /// addresses gfx90a only).
        const LDS_FORM = 1 << 29;
        /// Returns no data to accumulation registers (gfx9).
        const NO_ACC_RETURN = 1 << 30;
        /// Returns data to accumulation registers only without the second
        /// coherence bit (gfx9).
        const NO_SC1_ACC_RETURN = 1 << 31;
        /// Takes no second coherence bit on gfx90a.
        const NO_SCC = 1 << 32;
        /// The bits of its modifiers are the table of a function of three bits.
        const TRUTH_TABLE = 1 << 33;
        /// Matrix product of which modifiers say what the elements are, and
        /// which another instruction in front of it may scale.
        const SCALED = 1 << 34;
    }
}

/// The generations of the instruction set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Generation {
    /// GFX9 with accumulation registers and matrix instructions: waves of 64
    /// lanes, sub-dword addressing.
    Gfx9(Cdna),
    /// GFX11: RDNA 3.
    Gfx11,
    /// GFX12: RDNA 4.
    Gfx12,
}

/// The chips of GFX9 that compute: one set of encodings, of which each has
/// more than the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cdna {
    /// CDNA 2: gfx90a.
    Cdna2,
    /// CDNA 3: gfx942.
    Cdna3,
    /// CDNA 4: gfx950.
    Cdna4,
}

impl Generation {
    /// Every generation.
    pub const ALL: [Generation; 5] = [
        Generation::Gfx9(Cdna::Cdna2),
        Generation::Gfx9(Cdna::Cdna3),
        Generation::Gfx9(Cdna::Cdna4),
        Generation::Gfx11,
        Generation::Gfx12,
    ];

    /// True for every GFX9.
    pub const fn is_gfx9(self) -> bool {
        matches!(self, Generation::Gfx9(_))
    }

    /// Number of the generation in the arrays that have a place for each.
    pub(super) const fn index(self) -> usize {
        match self {
            Generation::Gfx9(Cdna::Cdna2) => 0,
            Generation::Gfx9(Cdna::Cdna3) => 1,
            Generation::Gfx9(Cdna::Cdna4) => 2,
            Generation::Gfx11 => 3,
            Generation::Gfx12 => 4,
        }
    }
}

/// A column of the opcode table: the generations that have an operation in
/// common, encoding and all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Column {
    /// Every GFX9 that has no column of its own.
    Gfx9,
    /// gfx90a alone.
    Gfx90a,
    /// gfx942 and gfx950.
    Gfx94,
    /// gfx942 alone.
    Gfx942,
    /// gfx950 alone.
    Gfx950,
    /// GFX11.
    Gfx11,
    /// GFX12.
    Gfx12,
}

impl Column {
    /// Is it about this generation?
    const fn serves(self, generation: Generation) -> bool {
        match generation {
            Generation::Gfx9(Cdna::Cdna2) => matches!(self, Column::Gfx9 | Column::Gfx90a),
            Generation::Gfx9(Cdna::Cdna3) => {
                matches!(self, Column::Gfx9 | Column::Gfx94 | Column::Gfx942)
            }
            Generation::Gfx9(Cdna::Cdna4) => {
                matches!(self, Column::Gfx9 | Column::Gfx94 | Column::Gfx950)
            }
            Generation::Gfx11 => matches!(self, Column::Gfx11),
            Generation::Gfx12 => matches!(self, Column::Gfx12),
        }
    }

    /// Is it of GFX9?
    pub const fn is_gfx9(self) -> bool {
        matches!(
            self,
            Column::Gfx9 | Column::Gfx90a | Column::Gfx94 | Column::Gfx942 | Column::Gfx950
        )
    }

    /// What is added to a VOP1 number to make it a VOP3 number.
    const fn vop1_in_vop3(self) -> u16 {
        if self.is_gfx9() { 0x140 } else { 0x180 }
    }
}

/// The encoding formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Encoding {
    /// Scalar, one source.
    Sop1,
    /// Scalar, two sources.
    Sop2,
    /// Scalar compare.
    Sopc,
    /// Scalar with 16-bit constant.
    Sopk,
    /// Program control.
    Sopp,
    /// Scalar memory.
    Smem,
    /// Vector, one source.
    Vop1,
    /// Vector, two sources.
    Vop2,
    /// Vector compare.
    Vopc,
    /// Vector, three sources or modifiers.
    Vop3,
    /// Packed and matrix.
    Vop3p,
    /// Two instructions at once.
    Vopd,
    /// Local data share.
    Ds,
    /// Untyped buffer.
    Mubuf,
    /// Typed buffer.
    Mtbuf,
    /// Flat address.
    Flat,
    /// Global address.
    Global,
    /// Private address.
    Scratch,
}

impl Encoding {
    /// The name of the format.
    pub const fn name(self) -> &'static str {
        match self {
            Encoding::Sop1 => "SOP1",
            Encoding::Sop2 => "SOP2",
            Encoding::Sopc => "SOPC",
            Encoding::Sopk => "SOPK",
            Encoding::Sopp => "SOPP",
            Encoding::Smem => "SMEM",
            Encoding::Vop1 => "VOP1",
            Encoding::Vop2 => "VOP2",
            Encoding::Vopc => "VOPC",
            Encoding::Vop3 => "VOP3",
            Encoding::Vop3p => "VOP3P",
            Encoding::Vopd => "VOPD",
            Encoding::Ds => "DS",
            Encoding::Mubuf => "MUBUF",
            Encoding::Mtbuf => "MTBUF",
            Encoding::Flat => "FLAT",
            Encoding::Global => "GLOBAL",
            Encoding::Scratch => "SCRATCH",
        }
    }
}

/// One column of a row of the opcode table: an operation in some generations.
#[derive(Debug)]
pub struct OpcodeInfo {
    /// The column.
    pub column: Column,
    /// The mnemonic without encoding suffix.
    pub mnemonic: &'static str,
    /// Format and number of each encoding; a VOP1, VOP2 or VOPC number
    /// implies the VOP3 one.
    pub encodings: &'static [(Encoding, u16)],
    /// Explicit destinations: the result, then the carry-out or mask.
    pub dst: &'static [Type],
    /// Explicit sources; of memory instructions, the data only.
    pub src: &'static [Type],
    /// The rest.
    pub flags: Flags,
}

impl OpcodeInfo {
    /// The opcode number in `encoding`, if the instruction has that form.
    pub const fn number(&self, encoding: Encoding) -> Option<u16> {
        let mut i = 0;
        while i < self.encodings.len() {
            let (own, number) = self.encodings[i];
            if own as u8 == encoding as u8 {
                return Some(number);
            }
            if matches!(encoding, Encoding::Vop3) && !self.flags.contains(Flags::NO_E64) {
                match own {
                    Encoding::Vop1 => return Some(number + self.column.vop1_in_vop3()),
                    Encoding::Vop2 => return Some(number + 0x100),
                    Encoding::Vopc => return Some(number),
                    _ => {}
                }
            }
            i += 1;
        }
        None
    }

    /// True if the instruction has a form shorter than VOP3.
    pub(super) fn has_e32(&self) -> bool {
        is_short(self.encodings[0].0)
    }

    /// True if the instruction has a DPP form of `encoding`. On gfx11 no
    /// operand may be wider than 32 bits; gfx9 knows DPP in VOP1 and VOP2 only.
    pub fn has_dpp(&self, encoding: Encoding) -> bool {
        let form = if self.column.is_gfx9() {
            matches!(encoding, Encoding::Vop1 | Encoding::Vop2)
        } else {
            let long = matches!(encoding, Encoding::Vop3 | Encoding::Vop3p);
            (is_short(encoding) || long) && !self.has_wide_operand()
        };
        form && !self.flags.contains(Flags::NO_DPP)
    }

    /// True if the instruction has a sub-dword form (SDWA) of `encoding`.
    pub fn has_sdwa(&self, encoding: Encoding) -> bool {
        // A pair of results may be converted from bytes.
        let wide = self.has_wide_operand() && self.dst != [Type::PkF32];
        let without = self.flags.contains(Flags::NO_SDWA);
        self.column.is_gfx9() && is_short(encoding) && !wide && !without
    }

    /// True if a scalar memory access has a cache policy: if it moves data.
    pub(super) fn takes_cache_policy(&self) -> bool {
        !self.dst.is_empty() || self.src.len() > 1
    }

    /// True if an operand is a pair of registers or wider.
    pub(super) fn has_wide_operand(&self) -> bool {
        let wide = |ty: &Type| matches!(ty, Type::F64 | Type::B64 | Type::B128 | Type::PkF32);
        self.dst.iter().chain(self.src).any(wide)
    }
}

fn is_short(encoding: Encoding) -> bool {
    matches!(encoding, Encoding::Vop1 | Encoding::Vop2 | Encoding::Vopc)
}

/// Declares [`Opcode`](super::Opcode) and its rows.
macro_rules! opcodes {
    ($($variant:ident $name:literal $dst:tt $src:tt $flags:tt
       $($column:ident $($own:literal)? $(($($d:ident)*) ($($s:ident)*))?
         [$($numbers:tt)+])+;)+) => {
        /// An instruction, whatever its encoding and generation.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u16)]
        pub enum Opcode {
            $(#[doc = concat!("`", $name, "`")] $variant,)+
        }

        /// The names, in the order of the variants of [`Opcode`].
        pub(super) const NAMES: &[&str] = &[$($name),+];

        /// The rows, in the same order: their columns.
        pub(super) const ROWS: [&[OpcodeInfo]; NAMES.len()] = [$(
            &[$($crate::isa::opcode::column!(
                $column $name $dst $src $flags
                [$($own)? $(($($d)*) ($($s)*))?] [$($numbers)+]
            )),+]
        ),+];

        impl Opcode {
            /// Every opcode, in table order.
            pub const ALL: &'static [Opcode] = &[$(Opcode::$variant),+];
        }
    };
}
pub(super) use opcodes;

/// One column of one row, from its tokens.
macro_rules! column {
    ($column:ident $name:literal $dst:tt $src:tt $flags:tt [] $numbers:tt) => {
        $crate::isa::opcode::column!(@ $column $name $dst $src $flags $numbers)
    };
    ($column:ident $name:literal $dst:tt $src:tt $flags:tt [$own:literal] $numbers:tt) => {
        $crate::isa::opcode::column!(@ $column $own $dst $src $flags $numbers)
    };
    ($column:ident $name:literal $d:tt $s:tt $flags:tt [$dst:tt $src:tt] $numbers:tt) => {
        $crate::isa::opcode::column!(@ $column $name $dst $src $flags $numbers)
    };
    ($column:ident $name:literal $d:tt $s:tt $flags:tt [$own:literal $dst:tt $src:tt] $numbers:tt) => {
        $crate::isa::opcode::column!(@ $column $own $dst $src $flags $numbers)
    };
    (@ $column:ident $mnemonic:literal ($($dst:ident)*) ($($src:ident)*) {$($flag:ident)*}
       [$($encoding:ident $number:literal),+ $(; $($own:ident)+)?]) => {
        OpcodeInfo {
            column: $crate::isa::opcode::column!(@ $column),
            mnemonic: $mnemonic,
            encodings: &[$((Encoding::$encoding, $number)),+],
            dst: &[$(Type::$dst),*],
            src: &[$(Type::$src),*],
            flags: Flags::empty()$(.union(Flags::$flag))*$($(.union(Flags::$own))+)?,
        }
    };
    (@ gfx9) => { Column::Gfx9 };
    (@ gfx90a) => { Column::Gfx90a };
    (@ gfx94) => { Column::Gfx94 };
    (@ gfx942) => { Column::Gfx942 };
    (@ gfx950) => { Column::Gfx950 };
    (@ gfx11) => { Column::Gfx11 };
    (@ gfx12) => { Column::Gfx12 };
}
pub(super) use column;

/// The rows as a generation has them: of each the first column that is about
/// it.
pub(super) const fn rows_of<const N: usize>(
    rows: &[&'static [OpcodeInfo]; N],
    generation: Generation,
) -> [Option<&'static OpcodeInfo>; N] {
    let mut own = [None; N];
    let mut row = 0;
    while row < N {
        let columns = rows[row];
        let mut at = columns.len();
        while at > 0 {
            at -= 1;
            if columns[at].column.serves(generation) {
                own[row] = Some(&columns[at]);
            }
        }
        row += 1;
    }
    own
}

/// Marks a number without instruction in [`index`].
pub(super) const UNUSED: u16 = u16::MAX;

/// Maps the opcode numbers of `encoding` (below `N`) to rows of a column.
///
/// Evaluated at compile time: two rows with one number do not compile.
pub(super) const fn index<const N: usize>(
    column: &[Option<&OpcodeInfo>],
    encoding: Encoding,
) -> [u16; N] {
    let mut rows = [UNUSED; N];
    let mut row = 0;
    while row < column.len() {
        if let Some(info) = column[row]
            && let Some(number) = info.number(encoding)
        {
            assert!(rows[number as usize] == UNUSED, "opcode number used twice");
            rows[number as usize] = row as u16;
        }
        row += 1;
    }
    rows
}
