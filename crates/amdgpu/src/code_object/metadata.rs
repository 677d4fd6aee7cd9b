//! The metadata note: what the compiler says about each kernel and its arguments, as MessagePack.

use serde::{Deserialize, Deserializer};

/// Maps nest three deep; anything deeper is not metadata.
const MAX_DEPTH: usize = 16;

/// What the compiler recorded about a kernel.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct KernelMetadata {
    /// Name as written in the source.
    #[serde(rename = ".name")]
    pub name: String,
    /// Symbol of the kernel descriptor, `NAME.kd`.
    #[serde(rename = ".symbol")]
    pub symbol: String,
    /// Arguments, hidden ones included.
    #[serde(rename = ".args", default)]
    pub args: Vec<KernelArg>,
    /// Bytes of the argument block, hidden arguments included.
    #[serde(rename = ".kernarg_segment_size")]
    pub kernarg_bytes: u32,
    /// Alignment of the argument block in bytes, a power of two.
    #[serde(rename = ".kernarg_segment_align")]
    pub kernarg_align: u32,
    /// Bytes of LDS without what a launch adds.
    #[serde(rename = ".group_segment_fixed_size")]
    pub group_segment_fixed_bytes: u32,
    /// Bytes of scratch a lane needs.
    #[serde(rename = ".private_segment_fixed_size")]
    pub private_segment_fixed_bytes: u32,
    /// Lanes of a wave: 32 or 64.
    #[serde(rename = ".wavefront_size")]
    pub wave_size: u32,
    /// Scalar registers used.
    #[serde(rename = ".sgpr_count", default)]
    pub sgprs: u32,
    /// Vector registers used, those of the accumulators not counted.
    #[serde(rename = ".vgpr_count", default)]
    pub vgprs: u32,
    /// Accumulation vector registers used, where the chip has them.
    #[serde(rename = ".agpr_count", default)]
    pub agprs: u32,
    /// Scalar registers that were spilled.
    #[serde(rename = ".sgpr_spill_count", default)]
    pub sgpr_spills: u32,
    /// Vector registers that were spilled.
    #[serde(rename = ".vgpr_spill_count", default)]
    pub vgpr_spills: u32,
    /// The most lanes a workgroup may have.
    #[serde(rename = ".max_flat_workgroup_size")]
    pub max_flat_workgroup_size: u32,
    /// The only workgroup size the code was compiled for.
    #[serde(rename = ".reqd_workgroup_size", default)]
    pub reqd_workgroup_size: Option<[u32; 3]>,
    /// Workgroup size the source recommends.
    #[serde(rename = ".workgroup_size_hint", default)]
    pub workgroup_size_hint: Option<[u32; 3]>,
    /// The grid must be whole workgroups.
    #[serde(
        rename = ".uniform_work_group_size",
        default,
        deserialize_with = "flag"
    )]
    pub uniform_workgroup_size: bool,
    /// The stack a call needs was not bounded by the compiler.
    #[serde(rename = ".uses_dynamic_stack", default, deserialize_with = "flag")]
    pub uses_dynamic_stack: bool,
    /// Both compute units of a workgroup processor may be used.
    #[serde(
        rename = ".workgroup_processor_mode",
        default,
        deserialize_with = "flag"
    )]
    pub workgroup_processor_mode: bool,
    /// `normal`, `init` or `fini`.
    #[serde(rename = ".kind", default)]
    pub kind: KernelKind,
}

/// When a kernel is meant to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KernelKind {
    /// When launched.
    #[default]
    Normal,
    /// Once after loading.
    Init,
    /// Once before unloading.
    Fini,
}

/// One argument of a kernel.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct KernelArg {
    /// Name in the source, when recorded.
    #[serde(rename = ".name", default)]
    pub name: Option<String>,
    /// Type in the source, when recorded.
    #[serde(rename = ".type_name", default)]
    pub type_name: Option<String>,
    /// Place in the argument block, in bytes.
    #[serde(rename = ".offset")]
    pub offset: u32,
    /// Size in the argument block, in bytes.
    #[serde(rename = ".size")]
    pub bytes: u32,
    /// What goes there.
    #[serde(rename = ".value_kind")]
    pub value_kind: ValueKind,
    /// Alignment in bytes of what a `dynamic_shared_pointer` points to.
    #[serde(rename = ".pointee_align", default)]
    pub pointee_align: Option<u32>,
    /// Memory a pointer points to.
    #[serde(rename = ".address_space", default)]
    pub address_space: Option<AddressSpace>,
    /// Access the source declares.
    #[serde(rename = ".access", default)]
    pub access: Option<Access>,
    /// Access the compiler found.
    #[serde(rename = ".actual_access", default)]
    pub actual_access: Option<Access>,
}

/// What an argument holds. Hidden ones are filled in by the launch, not by the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueKind {
    /// The bytes of a value.
    ByValue,
    /// A pointer to global memory.
    GlobalBuffer,
    /// An offset into LDS that the launch adds.
    DynamicSharedPointer,
    /// A sampler descriptor.
    Sampler,
    /// An image descriptor.
    Image,
    /// An OpenCL pipe.
    Pipe,
    /// An OpenCL queue.
    Queue,
    /// First work item of the grid, x.
    HiddenGlobalOffsetX,
    /// First work item of the grid, y.
    HiddenGlobalOffsetY,
    /// First work item of the grid, z.
    HiddenGlobalOffsetZ,
    /// Space that is not used.
    HiddenNone,
    /// Buffer of the device-side `printf`.
    HiddenPrintfBuffer,
    /// Buffer for calls to the host.
    HiddenHostcallBuffer,
    /// Default queue for launches from the device.
    HiddenDefaultQueue,
    /// Completion of launches from the device.
    HiddenCompletionAction,
    /// Synchronisation of a multi-device grid.
    HiddenMultigridSyncArg,
    /// Whole workgroups in the grid, x.
    HiddenBlockCountX,
    /// Whole workgroups in the grid, y.
    HiddenBlockCountY,
    /// Whole workgroups in the grid, z.
    HiddenBlockCountZ,
    /// Lanes of a workgroup, x.
    HiddenGroupSizeX,
    /// Lanes of a workgroup, y.
    HiddenGroupSizeY,
    /// Lanes of a workgroup, z.
    HiddenGroupSizeZ,
    /// Lanes of the last, partial workgroup, x.
    HiddenRemainderX,
    /// Lanes of the last, partial workgroup, y.
    HiddenRemainderY,
    /// Lanes of the last, partial workgroup, z.
    HiddenRemainderZ,
    /// Dimensions of the grid: 1 to 3.
    HiddenGridDims,
    /// Heap of the device-side `malloc`.
    HiddenHeapV1,
    /// Bytes of LDS that the launch adds.
    HiddenDynamicLdsSize,
    /// High half of private addresses.
    HiddenPrivateBase,
    /// High half of LDS addresses.
    HiddenSharedBase,
    /// The queue of the launch.
    HiddenQueuePtr,
}

impl ValueKind {
    /// Whether the launch fills it in.
    pub fn is_hidden(self) -> bool {
        !matches!(
            self,
            ValueKind::ByValue
                | ValueKind::GlobalBuffer
                | ValueKind::DynamicSharedPointer
                | ValueKind::Sampler
                | ValueKind::Image
                | ValueKind::Pipe
                | ValueKind::Queue
        )
    }
}

/// The memory a pointer argument points to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AddressSpace {
    /// Scratch of a lane.
    Private,
    /// Device memory.
    Global,
    /// Device memory that nobody writes.
    Constant,
    /// LDS.
    Local,
    /// Any of them.
    Generic,
    /// Memory of the whole device outside of the address map.
    Region,
}

/// What a kernel does to the memory of an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Reads only.
    ReadOnly,
    /// Writes only.
    WriteOnly,
    /// Reads and writes.
    ReadWrite,
}

/// The whole note.
#[derive(Debug, Deserialize)]
pub(super) struct Metadata {
    #[serde(rename = "amdhsa.version")]
    pub(super) version: (u32, u32),
    #[serde(rename = "amdhsa.target", default)]
    pub(super) target: Option<String>,
    #[serde(rename = "amdhsa.kernels", default)]
    pub(super) kernels: Vec<KernelMetadata>,
}

impl Metadata {
    pub(super) fn parse(note: &[u8]) -> Result<Metadata, rmp_serde::decode::Error> {
        let mut deserializer = rmp_serde::Deserializer::from_read_ref(note);
        deserializer.set_max_depth(MAX_DEPTH);
        Metadata::deserialize(&mut deserializer)
    }
}

impl KernelMetadata {
    /// The arguments a caller passes, in order.
    pub fn explicit_args(&self) -> impl Iterator<Item = &KernelArg> {
        self.args.iter().filter(|arg| !arg.value_kind.is_hidden())
    }

    /// The arguments a launch fills in.
    pub fn hidden_args(&self) -> impl Iterator<Item = &KernelArg> {
        self.args.iter().filter(|arg| arg.value_kind.is_hidden())
    }

    /// Bytes up to the end of the last argument that a caller passes.
    pub fn explicit_kernarg_bytes(&self) -> u32 {
        self.explicit_args()
            .map(|arg| arg.offset.saturating_add(arg.bytes))
            .max()
            .unwrap_or(0)
    }

    /// What is wrong with it, if anything.
    pub(super) fn check(&self) -> Result<(), String> {
        if !matches!(self.wave_size, 32 | 64) {
            return Err(format!(
                "wavefront_size is {}, expected 32 or 64",
                self.wave_size
            ));
        }
        if !(1..=1024).contains(&self.max_flat_workgroup_size) {
            return Err(format!(
                "max_flat_workgroup_size is {}, expected 1 to 1024",
                self.max_flat_workgroup_size
            ));
        }
        if !self.kernarg_align.is_power_of_two() {
            return Err(format!(
                "kernarg_segment_align is {}, expected a power of two",
                self.kernarg_align
            ));
        }
        if let Some(size) = self.reqd_workgroup_size {
            let lanes: u128 = size.iter().map(|&x| u128::from(x)).product();
            if lanes == 0 || lanes > u128::from(self.max_flat_workgroup_size) {
                return Err(format!(
                    "reqd_workgroup_size {size:?} does not fit max_flat_workgroup_size {}",
                    self.max_flat_workgroup_size
                ));
            }
        }
        for (index, arg) in self.args.iter().enumerate() {
            let end = u64::from(arg.offset) + u64::from(arg.bytes);
            if end > u64::from(self.kernarg_bytes) {
                return Err(format!(
                    "argument {index} ({:?}) ends at byte {end} of a kernarg segment of {} bytes",
                    arg.value_kind, self.kernarg_bytes
                ));
            }
        }
        Ok(())
    }
}

/// Compilers write flags as `true`, as `1`, or leave them out.
fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Flag {
        Bool(bool),
        Number(u64),
    }
    Ok(match Flag::deserialize(deserializer)? {
        Flag::Bool(value) => value,
        Flag::Number(value) => value != 0,
    })
}
