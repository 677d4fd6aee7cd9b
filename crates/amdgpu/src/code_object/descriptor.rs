//! The kernel descriptor: 64 bytes in `.rodata` that tell the hardware how to start a wave.

use super::Machine;

/// Bytes of a kernel descriptor.
pub const KERNEL_DESCRIPTOR_BYTES: u64 = 64;

/// A kernel descriptor, every field of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KernelDescriptor {
    /// Bytes of LDS a workgroup needs, without what a launch adds.
    pub group_segment_fixed_bytes: u32,
    /// Bytes of scratch a lane needs.
    pub private_segment_fixed_bytes: u32,
    /// Bytes of kernel arguments; 0 when the compiler did not say.
    pub kernarg_bytes: u32,
    /// Entry point relative to the descriptor.
    pub entry_offset: i64,
    /// Registers, float modes and execution modes.
    pub rsrc1: ComputeResource1,
    /// User and system registers a wave starts with, and exception enables.
    pub rsrc2: ComputeResource2,
    /// Fields that differ by chip family.
    pub rsrc3: ComputeResource3,
    /// Which user SGPRs are set up, and the width of a wave.
    pub properties: KernelProperties,
    /// Arguments the hardware loads into SGPRs before the wave starts.
    pub kernarg_preload: KernargPreload,
}

/// `COMPUTE_PGM_RSRC1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ComputeResource1(pub u32);

/// `COMPUTE_PGM_RSRC2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ComputeResource2(pub u32);

/// `COMPUTE_PGM_RSRC3`. Its fields depend on the chip family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ComputeResource3(pub u32);

/// `KERNEL_CODE_PROPERTIES`: 16 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KernelProperties(pub u16);

/// `KERNARG_PRELOAD`: 16 bits, zero on chips without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KernargPreload(pub u16);

/// How floating-point results are rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoundMode {
    /// To the nearest, ties to even.
    NearestEven,
    /// Towards plus infinity.
    PlusInfinity,
    /// Towards minus infinity.
    MinusInfinity,
    /// Towards zero.
    Zero,
}

/// What happens to subnormal numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DenormMode {
    /// Sources and results are flushed.
    FlushSourceAndResult,
    /// Results are flushed.
    FlushResult,
    /// Sources are flushed.
    FlushSource,
    /// Nothing is flushed.
    Keep,
}

impl KernelDescriptor {
    /// Reads the 64 bytes of a descriptor.
    pub fn from_bytes(bytes: &[u8; KERNEL_DESCRIPTOR_BYTES as usize]) -> KernelDescriptor {
        let u16_at = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
        let u32_at = |at: usize| u32::from(u16_at(at)) | u32::from(u16_at(at + 2)) << 16;
        let u64_at = |at: usize| u64::from(u32_at(at)) | u64::from(u32_at(at + 4)) << 32;
        KernelDescriptor {
            group_segment_fixed_bytes: u32_at(0x00),
            private_segment_fixed_bytes: u32_at(0x04),
            kernarg_bytes: u32_at(0x08),
            entry_offset: u64_at(0x10).cast_signed(),
            rsrc3: ComputeResource3(u32_at(0x2c)),
            rsrc1: ComputeResource1(u32_at(0x30)),
            rsrc2: ComputeResource2(u32_at(0x34)),
            properties: KernelProperties(u16_at(0x38)),
            kernarg_preload: KernargPreload(u16_at(0x3a)),
        }
    }

    /// Vector registers of a lane, rounded up as the hardware hands them out.
    pub fn allocated_vgprs(&self, machine: Machine) -> u32 {
        let block = match (machine.generation(), machine.name()) {
            (9, "gfx90a" | "gfx940" | "gfx941" | "gfx942" | "gfx950" | "gfx9-4-generic") => 8,
            (..=9, _) => 4,
            (_, "gfx1250" | "gfx1251") => 16,
            _ if self.properties.wave32() => 8,
            _ => 4,
        };
        block * (self.rsrc1.granulated_vgprs() + 1)
    }
}

impl ComputeResource1 {
    /// Blocks of vector registers, less one.
    pub fn granulated_vgprs(self) -> u32 {
        bits(self.0, 0, 6)
    }
    /// Blocks of scalar registers, less one; gfx9 and older, zero after.
    pub fn granulated_sgprs(self) -> u32 {
        bits(self.0, 6, 4)
    }
    /// Rounding of f32.
    pub fn round_32(self) -> RoundMode {
        RoundMode::from_bits(bits(self.0, 12, 2))
    }
    /// Rounding of f16 and f64.
    pub fn round_16_64(self) -> RoundMode {
        RoundMode::from_bits(bits(self.0, 14, 2))
    }
    /// Subnormal f32.
    pub fn denorm_32(self) -> DenormMode {
        DenormMode::from_bits(bits(self.0, 16, 2))
    }
    /// Subnormal f16 and f64.
    pub fn denorm_16_64(self) -> DenormMode {
        DenormMode::from_bits(bits(self.0, 18, 2))
    }
    /// A clamp turns NaN into zero. On gfx12 this bit asks for round-robin scheduling instead.
    pub fn dx10_clamp(self) -> bool {
        bits(self.0, 21, 1) != 0
    }
    /// IEEE rules for signalling NaN. Reserved on gfx12.
    pub fn ieee_mode(self) -> bool {
        bits(self.0, 23, 1) != 0
    }
    /// f16 overflow gives the largest finite number.
    pub fn fp16_overflow(self) -> bool {
        bits(self.0, 26, 1) != 0
    }
    /// A workgroup may use both compute units of a workgroup processor; gfx10 and later.
    pub fn workgroup_processor_mode(self) -> bool {
        bits(self.0, 29, 1) != 0
    }
    /// Memory results come back in order; gfx10 and later.
    pub fn memory_ordered(self) -> bool {
        bits(self.0, 30, 1) != 0
    }
    /// Waves are guaranteed to make progress; gfx10 and later.
    pub fn forward_progress(self) -> bool {
        bits(self.0, 31, 1) != 0
    }
}

impl ComputeResource2 {
    /// Scratch is set up for the wave.
    pub fn private_segment(self) -> bool {
        bits(self.0, 0, 1) != 0
    }
    /// SGPRs that are set before the system SGPRs, padding included.
    pub fn user_sgprs(self) -> u32 {
        bits(self.0, 1, 5)
    }
    /// The x, y and z of the workgroup are given in SGPRs.
    pub fn workgroup_ids(self) -> [bool; 3] {
        [7, 8, 9].map(|bit| bits(self.0, bit, 1) != 0)
    }
    /// An SGPR describes the wave's place in the workgroup.
    pub fn workgroup_info(self) -> bool {
        bits(self.0, 10, 1) != 0
    }
    /// How many of x, y and z of the lane are given in v0 (or v0 to v2): 1 to 3.
    pub fn workitem_id_dimensions(self) -> u32 {
        bits(self.0, 11, 2).min(2) + 1
    }
    /// Exceptions that trap, from bit 0: invalid operation, denormal source, division by zero, overflow, underflow,
    /// inexact, integer division by zero.
    pub fn exceptions(self) -> u32 {
        bits(self.0, 24, 7)
    }
}

impl ComputeResource3 {
    /// First accumulation register: gfx90a and gfx942.
    pub fn gfx90a_accum_offset(self) -> u32 {
        4 * (bits(self.0, 0, 6) + 1)
    }
    /// Waves of a workgroup may run on different compute units: gfx90a and gfx942.
    pub fn gfx90a_threadgroup_split(self) -> bool {
        bits(self.0, 16, 1) != 0
    }
    /// Shared vector registers, in blocks of 8: gfx10 and gfx11.
    pub fn gfx11_shared_vgpr_blocks(self) -> u32 {
        bits(self.0, 0, 4)
    }
    /// Instruction cache lines to fetch ahead: gfx11.
    pub fn gfx11_instruction_prefetch(self) -> u32 {
        bits(self.0, 4, 6)
    }
    /// Instruction cache lines to fetch ahead: gfx12.
    pub fn gfx12_instruction_prefetch(self) -> u32 {
        bits(self.0, 4, 8)
    }
}

/// Each flag that is set takes SGPRs of its own, in this order, starting at s0.
impl KernelProperties {
    /// Buffer descriptor of the scratch: 4 SGPRs.
    pub fn private_segment_buffer(self) -> bool {
        self.bit(0)
    }
    /// Address of the dispatch packet: 2 SGPRs.
    pub fn dispatch_ptr(self) -> bool {
        self.bit(1)
    }
    /// Address of the queue: 2 SGPRs.
    pub fn queue_ptr(self) -> bool {
        self.bit(2)
    }
    /// Address of the kernel arguments: 2 SGPRs.
    pub fn kernarg_segment_ptr(self) -> bool {
        self.bit(3)
    }
    /// Number of the dispatch: 2 SGPRs.
    pub fn dispatch_id(self) -> bool {
        self.bit(4)
    }
    /// Base of flat scratch: 2 SGPRs.
    pub fn flat_scratch_init(self) -> bool {
        self.bit(5)
    }
    /// Scratch bytes of a lane: 1 SGPR.
    pub fn private_segment_size(self) -> bool {
        self.bit(6)
    }
    /// Waves have 32 lanes, otherwise 64; gfx10 and later.
    pub fn wave32(self) -> bool {
        self.bit(10)
    }
    /// The kernel calls functions whose stack the compiler could not bound.
    pub fn dynamic_stack(self) -> bool {
        self.bit(11)
    }

    fn bit(self, index: u32) -> bool {
        self.0 >> index & 1 != 0
    }
}

impl KernargPreload {
    /// SGPRs filled with kernel arguments.
    pub fn dwords(self) -> u32 {
        bits(u32::from(self.0), 0, 7)
    }
    /// Where in the kernel arguments they begin, in dwords.
    pub fn offset_dwords(self) -> u32 {
        bits(u32::from(self.0), 7, 9)
    }
}

impl RoundMode {
    fn from_bits(value: u32) -> RoundMode {
        match value & 3 {
            0 => RoundMode::NearestEven,
            1 => RoundMode::PlusInfinity,
            2 => RoundMode::MinusInfinity,
            _ => RoundMode::Zero,
        }
    }
}

impl DenormMode {
    fn from_bits(value: u32) -> DenormMode {
        match value & 3 {
            0 => DenormMode::FlushSourceAndResult,
            1 => DenormMode::FlushResult,
            2 => DenormMode::FlushSource,
            _ => DenormMode::Keep,
        }
    }
}

fn bits(word: u32, low: u32, count: u32) -> u32 {
    word >> low & ((1 << count) - 1)
}
