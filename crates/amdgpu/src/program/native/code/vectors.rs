//! Instructions on vectors of either width: all that differs between them.

use iced_x86::code_asm::*;

use super::{Function, Made};

/// How wide the vectors of native code are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    /// 8 lanes, in 16 registers: AVX2 and FMA.
    Ymm,
    /// 16 lanes, in 32 registers: AVX-512.
    Zmm,
}

impl Width {
    pub(super) fn lanes(self) -> i32 {
        match self {
            Width::Ymm => 8,
            Width::Zmm => 16,
        }
    }

    /// Bytes of a vector.
    pub(super) fn bytes(self) -> i32 {
        4 * self.lanes()
    }

    /// Vector registers for values; the one behind them is [`Width::scratch`].
    pub(super) fn registers(self) -> u8 {
        match self {
            Width::Ymm => 15,
            Width::Zmm => 31,
        }
    }

    /// The vector register for what is in between.
    pub(super) fn scratch(self) -> u8 {
        self.registers()
    }
}

/// What of memory is in which lane of a vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spread {
    /// A dword for each lane.
    Each,
    /// One dword for all lanes.
    One,
    /// One dword for the lower eight lanes, another one for the upper.
    Two,
    /// Eight dwords, for each eight lanes.
    Eight,
}

/// Code of vectors of a width.
pub(super) struct Assembler {
    pub(super) code: CodeAssembler,
    pub(super) width: Width,
}

/// The source of an instruction.
#[derive(Clone, Copy)]
pub(super) enum Operand {
    Register(u8),
    /// As [`Assembler::operand`] gives it.
    Memory(AsmMemoryOperand),
}

pub(super) fn ymm(number: u8) -> AsmRegisterYmm {
    const YMM: [AsmRegisterYmm; 16] = [
        ymm0, ymm1, ymm2, ymm3, ymm4, ymm5, ymm6, ymm7, ymm8, ymm9, ymm10, ymm11, ymm12, ymm13,
        ymm14, ymm15,
    ];
    YMM[number as usize]
}

pub(super) fn zmm(number: u8) -> AsmRegisterZmm {
    const ZMM: [AsmRegisterZmm; 32] = [
        zmm0, zmm1, zmm2, zmm3, zmm4, zmm5, zmm6, zmm7, zmm8, zmm9, zmm10, zmm11, zmm12, zmm13,
        zmm14, zmm15, zmm16, zmm17, zmm18, zmm19, zmm20, zmm21, zmm22, zmm23, zmm24, zmm25, zmm26,
        zmm27, zmm28, zmm29, zmm30, zmm31,
    ];
    ZMM[number as usize]
}

/// An instruction of that name on registers of the width, with a last operand
/// behind them that is the same for both.
macro_rules! each_width {
    ($asm:expr, $name:ident, [$($register:expr),*] $(, $last:expr)?) => {
        match $asm.width {
            Width::Ymm => $asm.code.$name($(ymm($register)),* $(, $last)?),
            Width::Zmm => $asm.code.$name($(zmm($register)),* $(, $last)?),
        }
    };
}

/// An instruction of two sources, the second in a register or in memory.
macro_rules! binary {
    ($asm:expr, $name:ident, $d:expr, $a:expr, $b:expr) => {
        match $b {
            Operand::Register(b) => each_width!($asm, $name, [$d, $a, b]),
            Operand::Memory(b) => each_width!($asm, $name, [$d, $a], b),
        }
    };
}

impl Assembler {
    /// Can instructions read memory of this spread themselves?
    pub(super) fn is_operand(&self, spread: Spread) -> bool {
        match spread {
            Spread::Each => true,
            Spread::One => self.width == Width::Zmm,
            Spread::Two => false,
            Spread::Eight => self.width == Width::Ymm,
        }
    }

    /// Memory as an operand.
    pub(super) fn operand(&self, at: AsmMemoryOperand, spread: Spread) -> AsmMemoryOperand {
        match self.width {
            Width::Ymm => ymmword_ptr(at),
            Width::Zmm if spread == Spread::One => dword_bcst(at),
            Width::Zmm => zmmword_ptr(at),
        }
    }

    /// Register `d` = memory; where that is two dwords, the lower one in all lanes.
    pub(super) fn load(&mut self, d: u8, at: AsmMemoryOperand, spread: Spread) -> Made {
        match (self.width, spread) {
            (_, Spread::One | Spread::Two) => {
                each_width!(self, vbroadcastss, [d], dword_ptr(at))
            }
            (Width::Ymm, _) => self.code.vmovups(ymm(d), ymmword_ptr(at)),
            (Width::Zmm, Spread::Each) => self.code.vmovups(zmm(d), zmmword_ptr(at)),
            (Width::Zmm, Spread::Eight) => self.code.vbroadcastf32x8(zmm(d), ymmword_ptr(at)),
        }
    }

    /// The upper eight lanes of register `d` = one dword.
    pub(super) fn load_upper(&mut self, d: u8, at: AsmMemoryOperand) -> Made {
        self.code.vbroadcastss(zmm(d).k1(), dword_ptr(at))
    }

    /// Makes the mask of the upper lanes.
    pub(super) fn prepare(&mut self) -> Made {
        if self.width == Width::Zmm {
            self.code.mov(r11d, 0xff00)?;
            self.code.kmovw(k1, r11d)?;
        }
        Ok(())
    }

    /// Memory, a dword for each lane, = register `from`.
    pub(super) fn store(&mut self, from: u8, at: AsmMemoryOperand) -> Made {
        match self.width {
            Width::Ymm => self.code.vmovups(ymmword_ptr(at), ymm(from)),
            Width::Zmm => self.code.vmovups(zmmword_ptr(at), zmm(from)),
        }
    }

    /// Register `d` = register `from`.
    pub(super) fn copy(&mut self, d: u8, from: u8) -> Made {
        each_width!(self, vmovaps, [d, from])
    }

    /// Register `d` += `a` · `b`.
    pub(super) fn add_product(&mut self, d: u8, a: u8, b: Operand) -> Made {
        binary!(self, vfmadd231ps, d, a, b)
    }

    /// The low five bits of a register, in the scratch register.
    fn count(&mut self, operand: Operand) -> Made {
        let Operand::Register(from) = operand else {
            unreachable!("counts are in registers");
        };
        let scratch = self.width.scratch();
        each_width!(self, vpslld, [scratch, from], 27)?;
        each_width!(self, vpsrld, [scratch, scratch], 27)
    }

    /// Register `d` = a function of operands, the first of which is a register.
    /// (Those whose name ends in `Rev` have their sources exchanged already.)
    pub(super) fn function(&mut self, function: Function, d: u8, [a, b, c]: [Operand; 3]) -> Made {
        use Function::*;
        let Operand::Register(a) = a else {
            unreachable!("the first operand is in a register");
        };
        let s = self.width.scratch();
        match function {
            Move => self.copy(d, a),
            AddF32 => binary!(self, vaddps, d, a, b),
            SubF32 | SubrevF32 => binary!(self, vsubps, d, a, b),
            MulF32 => binary!(self, vmulps, d, a, b),
            FmaF32 => unreachable!("it is not in this form"),
            AddU32 => binary!(self, vpaddd, d, a, b),
            SubU32 | SubrevU32 => binary!(self, vpsubd, d, a, b),
            MulLoU32 => binary!(self, vpmulld, d, a, b),
            And => binary!(self, vandps, d, a, b),
            Or => binary!(self, vorps, d, a, b),
            Xor => binary!(self, vxorps, d, a, b),
            MinU32 => binary!(self, vpminud, d, a, b),
            MaxU32 => binary!(self, vpmaxud, d, a, b),
            MinI32 => binary!(self, vpminsd, d, a, b),
            MaxI32 => binary!(self, vpmaxsd, d, a, b),
            Add3U32 => {
                binary!(self, vpaddd, s, a, b)?;
                binary!(self, vpaddd, d, s, c)
            }
            Or3 => {
                binary!(self, vorps, s, a, b)?;
                binary!(self, vorps, d, s, c)
            }
            AndOr => {
                binary!(self, vandps, s, a, b)?;
                binary!(self, vorps, d, s, c)
            }
            LshlRev => {
                self.count(b)?;
                each_width!(self, vpsllvd, [d, a, s])
            }
            LshrRev => {
                self.count(b)?;
                each_width!(self, vpsrlvd, [d, a, s])
            }
            AshrRev => {
                self.count(b)?;
                each_width!(self, vpsravd, [d, a, s])
            }
            LshlAdd => {
                self.count(b)?;
                each_width!(self, vpsllvd, [s, a, s])?;
                binary!(self, vpaddd, d, s, c)
            }
            LshlOr => {
                self.count(b)?;
                each_width!(self, vpsllvd, [s, a, s])?;
                binary!(self, vorps, d, s, c)
            }
        }
    }
}
