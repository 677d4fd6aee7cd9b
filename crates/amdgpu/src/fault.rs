//! What went wrong in a kernel, as a value.

use std::fmt;
use std::ops::Deref;

use crate::memory::Nearest;

/// A launch that failed: a boxed [`FaultRecord`], read through `Deref`.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault(Box<FaultRecord>);

/// Everything known about a failed launch.
#[derive(Clone, Debug, PartialEq)]
pub struct FaultRecord {
    /// What happened.
    pub kind: FaultKind,
    /// Name of the kernel.
    pub kernel: String,
    /// Offset of the instruction in the code object's address space (what a
    /// disassembler prints); `None` if no instruction is to blame.
    pub code_object_offset: Option<u64>,
    /// Disassembled instruction, empty if none is to blame.
    pub instruction: String,
    /// The instruction's encoding, in dwords.
    pub encoding: Vec<u32>,
    /// Position of the workgroup in the grid.
    pub workgroup: [u32; 3],
    /// Number of the wave in its workgroup.
    pub wave: u32,
    /// First lane at fault.
    pub lane: Option<u32>,
    /// The memory access at fault.
    pub access: Option<Access>,
    /// The allocation closest to the access; `None` if there are none, or for LDS.
    pub nearest: Option<Nearest>,
    /// What else there is to say, such as the limit that was passed.
    pub detail: String,
}

/// Kinds of failed launches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FaultKind {
    /// The kernel holds an instruction that cannot be decoded or executed.
    UnknownInstruction,
    /// An access outside every live allocation.
    OutOfBounds,
    /// An access to memory that has been freed.
    UseAfterFree,
    /// A write to read-only memory, such as code.
    ReadOnly,
    /// An atomic access that is not naturally aligned.
    Misaligned,
    /// An LDS access outside the workgroup's LDS.
    LdsOutOfBounds,
    /// A scratch (private memory) access outside the work-item's scratch.
    ScratchOutOfBounds,
    /// The workgroup ran longer than the budget allows: an endless loop.
    InstructionBudget,
    /// The program counter left the code.
    WildBranch,
    /// The kernel executed `s_trap`.
    Trap,
    /// The launch does not fit the kernel or the chip; nothing was run.
    InvalidLaunch,
    /// There is no memory left for the launch's own needs.
    OutOfMemory,
}

/// One memory access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// First byte: a device address, or an offset in LDS or scratch.
    pub address: u64,
    /// Size in bytes.
    pub bytes: u32,
    /// Write or read?
    pub write: bool,
}

impl Fault {
    pub(crate) fn new(record: FaultRecord) -> Fault {
        Fault(Box::new(record))
    }

    /// A launch refused before anything ran.
    pub(crate) fn refused(kind: FaultKind, kernel: &str, detail: String) -> Fault {
        Fault::new(FaultRecord {
            kind,
            kernel: kernel.to_owned(),
            code_object_offset: None,
            instruction: String::new(),
            encoding: Vec::new(),
            workgroup: [0; 3],
            wave: 0,
            lane: None,
            access: None,
            nearest: None,
            detail,
        })
    }
}

impl Deref for Fault {
    type Target = FaultRecord;

    fn deref(&self) -> &FaultRecord {
        &self.0
    }
}

impl std::error::Error for Fault {}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "kernel `{}`: {}", self.kernel, self.kind)?;
        if let Some(access) = self.access {
            let verb = if access.write { "write" } else { "read" };
            write!(
                f,
                ": {verb} of {} bytes at {:#x}",
                access.bytes, access.address
            )?;
            if let Some(nearest) = &self.nearest {
                write!(f, ", {nearest}")?;
            }
        }
        if !self.detail.is_empty() {
            write!(f, ": {}", self.detail)?;
        }
        if let Some(offset) = self.code_object_offset {
            write!(f, "; at pc {offset:#x} `{}`", self.instruction)?;
            if !self.encoding.is_empty() {
                write!(f, " (encoding")?;
                for dword in &self.encoding {
                    write!(f, " {dword:08x}")?;
                }
                write!(f, ")")?;
            }
        }
        if !matches!(
            self.kind,
            FaultKind::InvalidLaunch | FaultKind::UnknownInstruction | FaultKind::OutOfMemory
        ) {
            let [x, y, z] = self.workgroup;
            write!(f, ", workgroup ({x}, {y}, {z}), wave {}", self.wave)?;
            if let Some(lane) = self.lane {
                write!(f, ", lane {lane}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FaultKind::UnknownInstruction => "instruction that the software GPU does not execute",
            FaultKind::OutOfBounds => "access outside every live allocation",
            FaultKind::UseAfterFree => "use of memory after it was freed",
            FaultKind::ReadOnly => "write to read-only memory",
            FaultKind::Misaligned => "misaligned atomic access",
            FaultKind::LdsOutOfBounds => "access outside the workgroup's LDS",
            FaultKind::ScratchOutOfBounds => "access outside the work-item's scratch memory",
            FaultKind::InstructionBudget => "instruction budget used up (an endless loop?)",
            FaultKind::WildBranch => "branch out of the kernel's code",
            FaultKind::Trap => "the kernel trapped",
            FaultKind::InvalidLaunch => "invalid launch",
            FaultKind::OutOfMemory => "out of memory for the launch",
        })
    }
}
