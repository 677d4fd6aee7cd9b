//! Operands: what an instruction reads and writes.

/// Lanes of a wave: the mode a kernel was compiled for. It decides the width
/// of lane masks (VCC, EXEC, compare results).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WaveSize {
    /// 32 lanes: masks are one register.
    Wave32,
    /// 64 lanes: masks are an aligned pair of registers.
    Wave64,
}

impl WaveSize {
    /// The number of lanes.
    pub const fn lanes(self) -> u32 {
        match self {
            WaveSize::Wave32 => 32,
            WaveSize::Wave64 => 64,
        }
    }

    /// Dwords of a lane mask.
    pub const fn mask_dwords(self) -> u8 {
        match self {
            WaveSize::Wave32 => 1,
            WaveSize::Wave64 => 2,
        }
    }
}

/// Type of an operand as the opcode table declares it: width, where it may
/// live, and how a constant is widened to it.
///
/// `F*` and `Pk*` sources of vector instructions take source modifiers.
/// Sixteen-bit types (`F16`, `Bf16`, `B16`) live in one half of a VGPR; which half is
/// bit *i* of [`Modifiers::op_sel`](super::Modifiers::op_sel).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// Half-precision float in half of a register.
    F16,
    /// Single-precision float.
    F32,
    /// Double-precision float.
    F64,
    /// Brain float in half of a register.
    Bf16,
    /// Sixteen bits or an integer in half of a register.
    B16,
    /// 32 bits or an integer.
    B32,
    /// 64 bits or an integer.
    B64,
    /// 128 bits.
    B128,
    /// Two half-precision floats.
    PkF16,
    /// Two half-precision floats; an inline constant stands in both halves.
    SplatF16,
    /// Two brain floats.
    PkBf16,
    /// Two 16-bit integers.
    PkB16,
    /// A whole register of small integers (dot products) read through the
    /// packed encoding.
    PkB32,
    /// 32-bit float or, where `op_sel_hi` says so, one half of a register
    /// (mixed-precision fused multiply-add).
    MixF32,
    /// Sixteen bits in half of a VGPR.
    V16,
    /// One dword in a VGPR.
    V32,
    /// Two dwords in VGPRs.
    V64,
    /// Three dwords in VGPRs.
    V96,
    /// Four dwords in VGPRs.
    V128,
    /// Six dwords in VGPRs.
    V192,
    /// Eight dwords in VGPRs.
    V256,
    /// Sixteen dwords in VGPRs.
    V512,
    /// Thirty-two dwords in VGPRs.
    V1024,
    /// A matrix accumulator of eight dwords (four with 64 lanes): VGPRs or an
    /// inline constant, a 32-bit float each.
    AccF32,
    /// The same of 32-bit integers.
    AccB32,
    /// A matrix accumulator of half floats in eight (four) dwords.
    AccF16,
    /// A matrix accumulator of brain floats in eight (four) dwords.
    AccBf16,
    /// A matrix accumulator of half floats, two in each of four (two) dwords.
    PkAccF16,
    /// A matrix accumulator of brain floats, two in each of four (two) dwords.
    PkAccBf16,
    /// A matrix factor of two dwords in VGPRs (one with 64 lanes).
    Mat64,
    /// The same of four (two) dwords.
    Mat128,
    /// The same of eight (four) dwords.
    Mat256,
    /// Two single-precision floats in a pair of registers.
    PkF32,
    /// Two dwords in a pair of registers.
    Pk2B32,
    /// One dword in an accumulation register.
    A32,
    /// One dword in a vector or accumulation register.
    Av32,
    /// Two dwords in vector or accumulation registers.
    Av64,
    /// Four dwords in vector or accumulation registers.
    Av128,
    /// Eight dwords in vector or accumulation registers; of elements that
    /// modifiers choose, as many as those take.
    Av256,
    /// A matrix accumulator of two dwords (double precision): vector or
    /// accumulation registers, or an inline constant.
    Acc64,
    /// The same of four dwords (not double precision).
    Acc128,
    /// The same of eight dwords (double precision).
    Acc256,
    /// The same of 16 dwords (not double precision).
    Acc512,
    /// The same of 32 dwords (not double precision).
    Acc1024,
    /// One dword of scalar registers.
    S32,
    /// Two dwords of scalar registers.
    S64,
    /// Three dwords of scalar registers.
    S96,
    /// Four dwords of scalar registers.
    S128,
    /// Eight dwords of scalar registers.
    S256,
    /// Sixteen dwords of scalar registers.
    S512,
    /// Scalar register or constant that a vector instruction reads once for
    /// all lanes (lane select, value to write).
    Uniform,
    /// The same, a half-precision float.
    UniformF16,
    /// The same, a single-precision float.
    UniformF32,
    /// Lane mask in scalar registers: one or two dwords by wave size.
    Mask,
    /// Sixteen-bit immediate, printed in hexadecimal.
    Imm16,
    /// Sixteen-bit immediate, printed in decimal.
    Dec16,
    /// Branch offset: signed dwords from the end of the instruction.
    Branch,
    /// Hardware register, bit offset and size.
    HwReg,
    /// Message of `s_sendmsg` and its like.
    Message,
    /// Counters of `s_waitcnt`.
    WaitCnt,
    /// Counters of `s_waitcnt_depctr`.
    DepCtr,
    /// Dependencies of `s_delay_alu`.
    DelayAlu,
    /// Operands that the index mode of gfx9 applies to, one bit each.
    GprIdx,
    /// The 32-bit value that `s_setreg_imm32_b32` writes.
    Imm32,
    /// The 32-bit constant that always follows this instruction.
    Literal32,
    /// The same, used as half-precision constant (its low half).
    Literal16,
}

impl Type {
    /// Width in dwords in registers (an immediate counts as one).
    pub const fn dwords(self, wave: WaveSize) -> u8 {
        match self {
            Type::F64 | Type::B64 | Type::V64 | Type::S64 => 2,
            Type::PkF32 | Type::Pk2B32 | Type::Av64 | Type::Acc64 => 2,
            Type::V96 | Type::S96 => 3,
            Type::B128 | Type::V128 | Type::S128 | Type::Av128 | Type::Acc128 => 4,
            Type::V192 => 6,
            Type::V256 | Type::S256 | Type::Acc256 | Type::Av256 => 8,
            Type::V512 | Type::S512 | Type::Acc512 => 16,
            Type::Acc1024 | Type::V1024 => 32,
            Type::Mask => wave.mask_dwords(),
            Type::AccF32 | Type::AccB32 | Type::AccF16 | Type::AccBf16 => match wave {
                WaveSize::Wave32 => 8,
                WaveSize::Wave64 => 4,
            },
            Type::Mat256 => 8 / wave.mask_dwords(),
            Type::Mat128 | Type::PkAccF16 | Type::PkAccBf16 => 4 / wave.mask_dwords(),
            Type::Mat64 => 2 / wave.mask_dwords(),
            _ => 1,
        }
    }

    /// True for the types that occupy half of a VGPR.
    pub const fn is_half(self) -> bool {
        matches!(self, Type::F16 | Type::Bf16 | Type::B16 | Type::V16)
    }

    /// True for sources whose negate and absolute-value bits mean something.
    pub const fn is_float(self) -> bool {
        matches!(
            self,
            Type::F16
                | Type::Bf16
                | Type::F32
                | Type::F64
                | Type::PkF16
                | Type::SplatF16
                | Type::PkBf16
                | Type::PkF32
                | Type::MixF32
                | Type::UniformF16
                | Type::UniformF32
        )
    }

    /// True for matrix accumulators of gfx9.
    pub const fn is_accumulator(self) -> bool {
        matches!(
            self,
            Type::Acc64 | Type::Acc128 | Type::Acc256 | Type::Acc512 | Type::Acc1024
        )
    }
}

/// Registers outside the two register files, by their number as an operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Special {
    /// Low half of the vector condition code, or all of it as a pair.
    VccLo,
    /// High half of the vector condition code.
    VccHi,
    /// Trap temporary 0 to 15.
    Ttmp(u8),
    /// Reads zero, ignores writes.
    Null,
    /// The memory register.
    M0,
    /// Low half of the execution mask, or all of it as a pair.
    ExecLo,
    /// High half of the execution mask.
    ExecHi,
    /// Low half of the scratch base of the wave, or all of it as a pair.
    FlatScratchBaseLo,
    /// High half of the scratch base of the wave.
    FlatScratchBaseHi,
    /// Low half of the register that holds the scratch base on gfx9, or all
    /// of it as a pair.
    FlatScratchLo,
    /// High half of it.
    FlatScratchHi,
    /// Low half of the mask of replayed accesses (gfx9), or all of it as a pair.
    XnackMaskLo,
    /// High half of it.
    XnackMaskHi,
    /// The dword of LDS that M0 points to.
    LdsDirect,
    /// Base of the shared (LDS) aperture.
    SharedBase,
    /// Limit of the shared aperture.
    SharedLimit,
    /// Base of the private (scratch) aperture.
    PrivateBase,
    /// Limit of the private aperture.
    PrivateLimit,
    /// Identifier of the exiting pops wave.
    PopsExitingWaveId,
    /// One when VCC is zero.
    Vccz,
    /// One when EXEC is zero.
    Execz,
    /// The scalar condition code.
    Scc,
}

/// The floating-point constants that need no literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InlineFloat {
    /// 0.5
    Half,
    /// -0.5
    MinusHalf,
    /// 1.0
    One,
    /// -1.0
    MinusOne,
    /// 2.0
    Two,
    /// -2.0
    MinusTwo,
    /// 4.0
    Four,
    /// -4.0
    MinusFour,
    /// 1 / (2 π)
    InvTwoPi,
}

impl InlineFloat {
    /// The constant in IEEE half precision.
    pub const fn f16_bits(self) -> u16 {
        match self {
            InlineFloat::Half => 0x3800,
            InlineFloat::MinusHalf => 0xb800,
            InlineFloat::One => 0x3c00,
            InlineFloat::MinusOne => 0xbc00,
            InlineFloat::Two => 0x4000,
            InlineFloat::MinusTwo => 0xc000,
            InlineFloat::Four => 0x4400,
            InlineFloat::MinusFour => 0xc400,
            InlineFloat::InvTwoPi => 0x3118,
        }
    }

    /// The constant in IEEE single precision.
    pub const fn f32_bits(self) -> u32 {
        match self {
            InlineFloat::Half => 0x3f00_0000,
            InlineFloat::MinusHalf => 0xbf00_0000,
            InlineFloat::One => 0x3f80_0000,
            InlineFloat::MinusOne => 0xbf80_0000,
            InlineFloat::Two => 0x4000_0000,
            InlineFloat::MinusTwo => 0xc000_0000,
            InlineFloat::Four => 0x4080_0000,
            InlineFloat::MinusFour => 0xc080_0000,
            InlineFloat::InvTwoPi => 0x3e22_f983,
        }
    }

    /// The constant in IEEE double precision.
    pub const fn f64_bits(self) -> u64 {
        match self {
            InlineFloat::Half => 0x3fe0_0000_0000_0000,
            InlineFloat::MinusHalf => 0xbfe0_0000_0000_0000,
            InlineFloat::One => 0x3ff0_0000_0000_0000,
            InlineFloat::MinusOne => 0xbff0_0000_0000_0000,
            InlineFloat::Two => 0x4000_0000_0000_0000,
            InlineFloat::MinusTwo => 0xc000_0000_0000_0000,
            InlineFloat::Four => 0x4010_0000_0000_0000,
            InlineFloat::MinusFour => 0xc010_0000_0000_0000,
            InlineFloat::InvTwoPi => 0x3fc4_5f30_6dc9_c882,
        }
    }
}

/// One operand. Widths are in dwords: consecutive registers from `index`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Operand {
    /// The instruction has no operand in this place.
    #[default]
    None,
    /// A memory instruction without this part of its address.
    Off,
    /// Vector registers `v[index..index + dwords]`.
    Vgpr {
        /// First register, 0 to 255.
        index: u8,
        /// Registers.
        dwords: u8,
    },
    /// Accumulation registers `a[index..index + dwords]`.
    Agpr {
        /// First register, 0 to 255.
        index: u8,
        /// Registers.
        dwords: u8,
    },
    /// Scalar registers `s[index..index + dwords]`.
    Sgpr {
        /// First register, 0 to 105.
        index: u8,
        /// Registers.
        dwords: u8,
    },
    /// A register outside the two files; `dwords` 2 names the pair that
    /// starts here.
    Special {
        /// Which one.
        reg: Special,
        /// Registers.
        dwords: u8,
    },
    /// Inline integer, -16 to 64.
    Int(i8),
    /// Inline float.
    Float(InlineFloat),
    /// The 32-bit literal that follows the instruction.
    Literal(u32),
    /// Immediate field (`simm16`), raw.
    Imm(u16),
}

impl Operand {
    /// Registers that the operand covers; 0 for constants and absent ones.
    pub const fn dwords(self) -> u8 {
        match self {
            Operand::Vgpr { dwords, .. }
            | Operand::Agpr { dwords, .. }
            | Operand::Sgpr { dwords, .. }
            | Operand::Special { dwords, .. } => dwords,
            _ => 0,
        }
    }

    /// The value of a constant operand when read as `ty`, in the low bits
    /// (16, 32 or 64 of them); `None` for registers and immediates.
    ///
    /// A literal is the high half of a double, the zero-extended value of a
    /// 64-bit integer, and the low half of it serves 16-bit types. Inline
    /// floats take the precision of the type; packed types carry the constant
    /// in the low half, where `op_sel_hi` picks it up (brain floats: the high
    /// half of the single-precision pattern).
    pub const fn constant(self, ty: Type) -> Option<u64> {
        Some(match self {
            Operand::Int(value) => match ty {
                Type::F64 | Type::B64 | Type::Acc64 | Type::Acc256 => value as i64 as u64,
                Type::F16 | Type::Bf16 | Type::B16 | Type::UniformF16 => value as i16 as u16 as u64,
                Type::PkAccF16 | Type::PkAccBf16 => value as i16 as u16 as u64 * 0x1_0001,
                _ => value as i32 as u32 as u64,
            },
            Operand::Float(float) => match ty {
                Type::F64 | Type::B64 | Type::Acc64 | Type::Acc256 => float.f64_bits(),
                Type::F16 | Type::B16 | Type::PkF16 | Type::AccF16 | Type::UniformF16 => {
                    float.f16_bits() as u64
                }
                Type::SplatF16 | Type::PkAccF16 => float.f16_bits() as u64 * 0x1_0001,
                Type::PkAccBf16 => (float.f32_bits() >> 16) as u64 * 0x1_0001,
                Type::Bf16 | Type::PkBf16 | Type::AccBf16 => (float.f32_bits() >> 16) as u64,
                _ => float.f32_bits() as u64,
            },
            Operand::Literal(bits) => match ty {
                Type::F64 => (bits as u64) << 32,
                Type::F16 | Type::Bf16 | Type::B16 | Type::UniformF16 | Type::Literal16 => {
                    bits as u16 as u64
                }
                _ => bits as u64,
            },
            _ => return None,
        })
    }
}
