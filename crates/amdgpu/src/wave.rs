//! The state of one wave.

use crate::simd::{Portable, Row, Simd, chunks};

/// Scalar slots: the numbers of scalar operands, then a slot that swallows
/// writes to `null`, then the program's constants.
pub(crate) mod slot {
    pub(crate) const VCC: u16 = 106;
    pub(crate) const TTMP0: u16 = 108;
    pub(crate) const NULL: u16 = 124;
    pub(crate) const M0: u16 = 125;
    pub(crate) const EXEC: u16 = 126;
    /// Writes to `null` go here (two slots: 64-bit results).
    pub(crate) const SINK: u16 = 128;
    /// Filled from SCC and its like just before an instruction reads them.
    pub(crate) const STAGED: u16 = 130;
    /// The mask that the lower half of a wave has written while the upper half
    /// still reads the registers for it (two slots).
    pub(crate) const DEFERRED: u16 = 132;
    /// First constant.
    pub(crate) const CONSTANTS: u16 = 134;
}

/// Rows behind the vector registers, before the program's constants.
pub(crate) mod temp {
    /// Splatted scalar operands, two rows for each of three sources.
    pub(crate) const SPLAT: u16 = 0;
    /// The permuted first source of a DPP instruction.
    pub(crate) const DPP: u16 = 6;
    /// The first result of a dual instruction whose halves depend on each other.
    pub(crate) const DUAL: u16 = 7;
    /// Three sources taken out of half a register, or with modifiers.
    pub(crate) const TAKEN: u16 = 8;
    /// A result (two, of packed halves) before it is finished.
    pub(crate) const RESULT: u16 = 11;
    /// The lower half of a DPP source, for the upper half to read.
    pub(crate) const ACROSS: u16 = 13;
    /// How many there are.
    pub(crate) const COUNT: u16 = 14;
}

/// Why a wave is not running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It can run, from [`Wave::pc`].
    Ready,
    /// It waits at a barrier; [`Wave::pc`] is behind it.
    Barrier,
    /// It has ended.
    Done,
    /// It has failed; the worker holds the fault.
    Failed,
}

/// One wave: registers and what else an instruction may change.
///
/// A wave of 64 lanes is two halves of 32 that take turns: vector and memory
/// instructions are lowered once for each half, with a `Switch` in between.
#[derive(Clone, Debug)]
pub(crate) struct Wave {
    /// Vector registers, then temporaries, then constants.
    pub(crate) rows: Vec<Row>,
    /// Scalar registers by operand number, then constants.
    pub(crate) scalars: Vec<u32>,
    /// EXEC of the half that has its turn; `scalars[slot::EXEC + half]` and
    /// `mask` always agree with it.
    pub(crate) exec: u32,
    /// EXEC as a row of lane masks.
    pub(crate) mask: Row,
    /// Which half has its turn, 0 or 1.
    pub(crate) half: u16,
    /// Halves: 1 or 2.
    pub(crate) halves: u16,
    /// EXEC of the other half, and its lane masks.
    pub(crate) other: (u32, Row),
    /// The scalar condition code.
    pub(crate) scc: bool,
    /// Index of the next op in the program.
    pub(crate) pc: u32,
    pub(crate) state: State,
    /// The MODE register.
    pub(crate) mode: Mode,
    /// Private memory: row *i* is dword *i* of every lane.
    pub(crate) scratch: Vec<Row>,
    /// EXEC as it was before a DPP instruction narrowed it.
    pub(crate) saved_exec: u32,
    /// Lanes of a DPP instruction that have no source and keep what they had.
    pub(crate) kept_lanes: u32,
    /// Number of the first temporary row.
    pub(crate) temps: u16,
    /// Number of the wave in its workgroup.
    pub(crate) number: u32,
    /// The phase of the workgroup's barrier in which it has arrived there.
    pub(crate) arrived: Option<u32>,
    /// How often it still lets the others run while it waits for loads.
    pub(crate) patience: u32,
    /// Ops executed together with another one and not counted yet.
    pub(crate) joined: u64,
    /// Ops executed since the workgroup began.
    pub(crate) executed: u64,
}

/// The MODE register, as the hardware lays it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mode(pub(crate) u32);

/// Where a result goes that lies between two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Round {
    /// To the nearest, ties to even.
    Nearest,
    /// Towards positive infinity.
    Up,
    /// Towards negative infinity.
    Down,
    /// Towards zero.
    Zero,
}

impl Round {
    fn of(bits: u32) -> Round {
        [Round::Nearest, Round::Up, Round::Down, Round::Zero][(bits & 3) as usize]
    }
}

impl Mode {
    /// Bits of the rounding mode of f32, then that of f16 and f64.
    pub(crate) const ROUND: u32 = 0xf;
    /// Bits that say which f32 denormals are kept.
    pub(crate) const DENORM_F32: u32 = 0x30;
    /// The same for f16 and f64.
    pub(crate) const DENORM_F16_F64: u32 = 0xc0;
    /// Round to nearest even everywhere, keep all denormals.
    pub(crate) const DEFAULT: Mode = Mode(0xf0);

    /// How f32 results are rounded.
    pub(crate) fn round_f32(self) -> Round {
        Round::of(self.0)
    }

    /// How f16 and f64 results are rounded.
    pub(crate) fn round_f16_f64(self) -> Round {
        Round::of(self.0 >> 2)
    }

    /// Must f32 sources that are denormal be taken as zero?
    pub(crate) fn flush_f32_sources(self) -> bool {
        self.0 >> 4 & 1 == 0
    }

    /// Must f32 results that are denormal become zero?
    pub(crate) fn flush_f32_results(self) -> bool {
        self.0 >> 5 & 1 == 0
    }

    /// Must f16 and f64 sources that are denormal be taken as zero?
    pub(crate) fn flush_f16_f64_sources(self) -> bool {
        self.0 >> 6 & 1 == 0
    }

    /// Must f16 and f64 results that are denormal become zero?
    pub(crate) fn flush_f16_f64_results(self) -> bool {
        self.0 >> 7 & 1 == 0
    }

    /// Are f16 results rounded to nearest even, and their denormals kept?
    pub(crate) fn halves_are_plain(self) -> bool {
        self.0 & 0x8c == 0x80
    }

    /// Does clamping turn NaN into zero?
    pub(crate) fn dx10_clamp(self) -> bool {
        self.0 >> 8 & 1 == 1
    }

    /// Are output modifiers obeyed? Not while results follow IEEE or keep
    /// denormals (of f32, or of f16 and f64).
    pub(crate) fn obeys_omod(self, f32: bool) -> bool {
        let flush = if f32 {
            self.flush_f32_results()
        } else {
            self.flush_f16_f64_results()
        };
        flush && self.0 >> 9 & 1 == 0
    }
}

impl Wave {
    /// A wave without registers.
    pub(crate) fn new() -> Wave {
        Wave {
            rows: Vec::new(),
            scalars: Vec::new(),
            exec: 0,
            mask: Row::ZERO,
            half: 0,
            halves: 1,
            other: (0, Row::ZERO),
            scc: false,
            pc: 0,
            state: State::Done,
            mode: Mode::DEFAULT,
            scratch: Vec::new(),
            saved_exec: 0,
            kept_lanes: 0,
            temps: 0,
            number: 0,
            arrived: None,
            patience: 0,
            joined: 0,
            executed: 0,
        }
    }

    /// Changes EXEC and all that follows from it.
    #[inline(always)]
    pub(crate) fn set_exec<S: Simd>(&mut self, bits: u32) {
        self.exec = bits;
        self.scalars[(slot::EXEC + self.half) as usize] = bits;
        self.mask.set(expand::<S>(bits));
    }

    /// Gives the other half its turn.
    #[inline(always)]
    pub(crate) fn switch(&mut self) {
        self.half ^= 1;
        std::mem::swap(&mut self.exec, &mut self.other.0);
        std::mem::swap(&mut self.mask, &mut self.other.1);
    }

    /// Is EXEC zero in all halves?
    #[inline(always)]
    pub(crate) fn exec_is_zero(&self) -> bool {
        self.exec | self.other.0 == 0
    }

    /// Is VCC zero in all halves?
    #[inline(always)]
    pub(crate) fn vcc_is_zero(&self) -> bool {
        let high = if self.halves == 2 {
            self.scalar(slot::VCC + 1)
        } else {
            0
        };
        self.scalar(slot::VCC) | high == 0
    }

    /// Takes over what was written to the scalar slots of EXEC.
    #[cold]
    #[inline(never)]
    fn exec_written(&mut self) {
        let [low, high] = [0, 1].map(|half| self.scalar(slot::EXEC + half));
        let (own, other) = if self.half == 0 {
            (low, high)
        } else {
            (high, low)
        };
        if own != self.exec {
            self.exec = own;
            self.mask.set(expand::<Portable>(own));
        }
        if self.halves == 2 && other != self.other.0 {
            self.other = (other, Row::ZERO);
            self.other.1.set(expand::<Portable>(other));
        }
    }

    /// Reads a scalar slot.
    #[inline(always)]
    pub(crate) fn scalar(&self, slot: u16) -> u32 {
        self.scalars[slot as usize]
    }

    /// The value of a row, if it is one of the program's constants.
    pub(crate) fn constant(&self, row: u16) -> Option<u32> {
        (row >= self.temps + temp::COUNT).then(|| self.rows[row as usize].0[0][0])
    }

    /// Reads a pair of scalar slots.
    #[inline(always)]
    pub(crate) fn scalar_64(&self, slot: u16) -> u64 {
        u64::from(self.scalar(slot)) | u64::from(self.scalar(slot + 1)) << 32
    }

    /// Writes a scalar slot; EXEC is kept in step.
    #[inline(always)]
    pub(crate) fn set_scalar(&mut self, slot: u16, value: u32) {
        self.scalars[slot as usize] = value;
        if slot & !1 == slot::EXEC {
            self.exec_written();
        }
    }

    /// Writes a pair of scalar slots.
    #[inline(always)]
    pub(crate) fn set_scalar_64(&mut self, slot: u16, value: u64) {
        self.scalars[slot as usize + 1] = (value >> 32) as u32;
        self.set_scalar(slot, value as u32);
    }
}

/// In each lane, the bit that stands for it in a mask.
pub(crate) const LANE_BITS: Row = {
    let mut chunks = [[0; 8]; 4];
    let mut lane = 0;
    while lane < 32 {
        chunks[lane / 8][lane % 8] = 1 << lane;
        lane += 1;
    }
    Row(chunks)
};

/// A row of lane masks from one bit a lane.
#[inline(always)]
pub(crate) fn expand<S: Simd>(bits: u32) -> [S; 4] {
    let bits = S::splat(bits);
    let lanes = LANE_BITS.get::<S>();
    chunks!(c => bits.and(lanes[c]).eq_u32(lanes[c]))
}
