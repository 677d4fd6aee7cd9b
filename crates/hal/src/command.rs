//! Commands: what a command buffer holds, as data.

use std::fmt;

use crate::channel::CollectiveOp;
use crate::flags::{AccessScope, ExecutionStage};
use crate::{
    BindingTable, Buffer, Channel, CommandBuffer, Event, Executable, PipelineLayout, WHOLE_BUFFER,
};

/// One command. [`CommandBuffer::record`] takes any of them; `{}` prints it
/// as one line.
#[derive(Clone, Copy, Debug)]
pub enum Command<'a> {
    /// What comes before `source` stages is done before `target` stages begin.
    ExecutionBarrier {
        /// Stages before.
        source: ExecutionStage,
        /// Stages after.
        target: ExecutionStage,
        /// None are defined.
        flags: u64,
        /// Memory made visible, by kind of access.
        memory: &'a [MemoryBarrier],
        /// Memory made visible, by buffer.
        buffers: &'a [BufferBarrier<'a>],
    },
    /// Signals an event once earlier commands have passed the stages.
    SignalEvent {
        /// The event.
        event: &'a Event,
        /// Stages before.
        source: ExecutionStage,
    },
    /// Unsignals an event once earlier commands have passed the stages.
    ResetEvent {
        /// The event.
        event: &'a Event,
        /// Stages before.
        source: ExecutionStage,
    },
    /// Waits for events.
    WaitEvents {
        /// The events.
        events: &'a [Event],
        /// Stages before.
        source: ExecutionStage,
        /// Stages after.
        target: ExecutionStage,
        /// Memory made visible, by kind of access.
        memory: &'a [MemoryBarrier],
        /// Memory made visible, by buffer.
        buffers: &'a [BufferBarrier<'a>],
    },
    /// The contents are not needed any more, or a hint how they will be used.
    Advise {
        /// The range.
        target: &'a BufferRef,
        /// What is advised.
        advice: Advice,
    },
    /// Repeats a pattern over a range.
    Fill {
        /// The range; offset and length are multiples of the pattern's size.
        target: &'a BufferRef,
        /// 1, 2 or 4 bytes.
        pattern: &'a [u8],
    },
    /// Writes bytes that the command carries along.
    Update {
        /// At most [`MAX_UPDATE_BYTES`]; taken when recorded.
        source: &'a [u8],
        /// As long as the source, or [`WHOLE_BUFFER`].
        target: &'a BufferRef,
    },
    /// Copies a range to another of the same length that does not overlap it.
    Copy {
        /// The range read.
        source: &'a BufferRef,
        /// The range written.
        target: &'a BufferRef,
    },
    /// Exchanges data with the other participants of a channel.
    Collective {
        /// The participants.
        channel: &'a Channel,
        /// What is done.
        op: CollectiveOp,
        /// Root or peer rank, as the operation says.
        param: u32,
        /// The range read, if the operation reads.
        send: Option<&'a BufferRef>,
        /// The range written, if the operation writes.
        receive: Option<&'a BufferRef>,
        /// Elements per participant.
        element_count: u64,
    },
    /// Sets constants of the pushed dispatches to come.
    PushConstants {
        /// The layout they are for.
        layout: &'a PipelineLayout,
        /// Where they begin, in bytes.
        offset: u32,
        /// 32-bit values.
        values: &'a [u32],
    },
    /// Sets bindings of the pushed dispatches to come.
    PushDescriptorSet {
        /// The layout they are for.
        layout: &'a PipelineLayout,
        /// Which descriptor set.
        set: u32,
        /// Binding in the set, and what it is bound to.
        bindings: &'a [(u32, BufferRef)],
    },
    /// Runs a kernel on the constants and bindings pushed before.
    DispatchPushed {
        /// Whose export.
        executable: &'a Executable,
        /// Which export.
        export: i32,
        /// Workgroups in x, y, z; nothing runs if one is 0.
        workgroups: [u32; 3],
    },
    /// As [`Command::DispatchPushed`], workgroup counts in memory.
    DispatchPushedIndirect {
        /// Whose export.
        executable: &'a Executable,
        /// Which export.
        export: i32,
        /// Three 32-bit counts.
        workgroups: &'a BufferRef,
    },
    /// Runs a kernel.
    Dispatch {
        /// Whose export.
        executable: &'a Executable,
        /// Which export.
        export: i32,
        /// How large.
        config: DispatchConfig,
        /// As many as the export takes.
        constants: &'a [u32],
        /// As many as the export takes; addresses are multiples of 16.
        bindings: &'a [BufferRef],
    },
    /// As [`Command::Dispatch`], workgroup counts in memory.
    DispatchIndirect {
        /// Whose export.
        executable: &'a Executable,
        /// Which export.
        export: i32,
        /// Three 32-bit counts; the offset is a multiple of 4.
        workgroups: &'a BufferRef,
        /// As many as the export takes.
        constants: &'a [u32],
        /// As many as the export takes.
        bindings: &'a [BufferRef],
    },
    /// Runs another command buffer.
    ExecuteCommands {
        /// A nested one.
        commands: &'a CommandBuffer,
        /// What its slots stand for.
        bindings: &'a BindingTable,
    },
    /// Names the commands up to the matching end.
    BeginDebugGroup {
        /// The name.
        label: &'a str,
    },
    /// Ends the innermost debug group.
    EndDebugGroup,
}

/// Most bytes of one update.
pub const MAX_UPDATE_BYTES: usize = 64 * 1024;

/// What memory accesses a barrier orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryBarrier {
    /// Accesses before.
    pub source: AccessScope,
    /// Accesses after.
    pub target: AccessScope,
}

/// What accesses to a range a barrier orders.
#[derive(Clone, Copy, Debug)]
pub struct BufferBarrier<'a> {
    /// Accesses before.
    pub source: AccessScope,
    /// Accesses after.
    pub target: AccessScope,
    /// The range.
    pub buffer: &'a BufferRef,
}

/// What is advised about the contents of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advice {
    /// They are not needed any more.
    Discard,
}

/// How large a dispatch is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DispatchConfig {
    /// Workgroups in x, y, z; nothing runs if one is 0.
    pub workgroup_count: [u32; 3],
    /// Threads of a workgroup in x, y, z, each 0 for what the export says.
    pub workgroup_size: [u32; 3],
    /// Bytes of dynamic LDS on top of what the export says.
    pub dynamic_lds_bytes: u32,
}

impl From<[u32; 3]> for DispatchConfig {
    fn from(workgroup_count: [u32; 3]) -> Self {
        Self {
            workgroup_count,
            ..Self::default()
        }
    }
}

/// A range in a buffer, or in whatever the binding table has at a slot.
#[derive(Clone, Debug)]
pub struct BufferRef {
    /// The buffer or the slot.
    pub source: BufferSource,
    /// Where the range begins, in bytes.
    pub offset: u64,
    /// Its length in bytes; [`WHOLE_BUFFER`] for all there is from the offset on.
    pub length: u64,
}

/// Where the buffer of a [`BufferRef`] comes from.
#[derive(Clone, Debug)]
pub enum BufferSource {
    /// This one.
    Buffer(Buffer),
    /// The binding table of each execution has it.
    Slot(u32),
}

impl BufferRef {
    /// A range of a buffer.
    pub fn range(buffer: &Buffer, offset: u64, length: u64) -> Self {
        Self {
            source: BufferSource::Buffer(buffer.clone()),
            offset,
            length,
        }
    }

    /// All of a buffer.
    pub fn whole(buffer: &Buffer) -> Self {
        Self::range(buffer, 0, WHOLE_BUFFER)
    }

    /// A range of what a slot is bound to.
    pub fn slot(slot: u32, offset: u64, length: u64) -> Self {
        Self {
            source: BufferSource::Slot(slot),
            offset,
            length,
        }
    }
}

impl fmt::Display for BufferRef {
    /// Address of the buffer (or slot) and range, `0x7f00[16..80]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            BufferSource::Buffer(buffer) => match buffer.device_ptr() {
                Ok(base) => write!(f, "{:?}", base.offset(buffer.byte_offset()))?,
                Err(_) => write!(f, "unallocated")?,
            },
            BufferSource::Slot(slot) => write!(f, "slot{slot}")?,
        }
        match self.length {
            WHOLE_BUFFER => write!(f, "[{}..]", self.offset),
            length => write!(
                f,
                "[{}..{}]",
                self.offset,
                self.offset.saturating_add(length)
            ),
        }
    }
}

impl fmt::Display for Command<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ExecutionBarrier { source, target, .. } => {
                write!(f, "barrier {} -> {}", Names(source), Names(target))
            }
            Self::SignalEvent { source, .. } => write!(f, "signal_event after {}", Names(source)),
            Self::ResetEvent { source, .. } => write!(f, "reset_event after {}", Names(source)),
            Self::WaitEvents {
                events,
                source,
                target,
                ..
            } => {
                let count = events.len();
                write!(
                    f,
                    "wait_events {count} {} -> {}",
                    Names(source),
                    Names(target)
                )
            }
            Self::Advise { target, advice } => match advice {
                Advice::Discard => write!(f, "discard {target}"),
            },
            Self::Fill { target, pattern } => {
                write!(f, "fill {target} with 0x")?;
                // Little-endian, as the number it is.
                pattern
                    .iter()
                    .rev()
                    .try_for_each(|byte| write!(f, "{byte:02x}"))
            }
            Self::Update { source, target } => {
                write!(f, "update {target} with {} bytes", source.len())
            }
            Self::Copy { source, target } => write!(f, "copy {source} to {target}"),
            Self::Collective {
                op, element_count, ..
            } => write!(f, "collective {op} x {element_count}"),
            Self::PushConstants { offset, values, .. } => {
                write!(f, "push_constants at {offset}: {}", List(values))
            }
            Self::PushDescriptorSet { set, bindings, .. } => {
                write!(f, "push_descriptor_set {set}:")?;
                bindings
                    .iter()
                    .try_for_each(|(binding, buffer)| write!(f, " {binding}={buffer}"))
            }
            Self::DispatchPushed {
                executable,
                export,
                workgroups: [x, y, z],
            } => {
                let kernel = Kernel(executable, *export);
                write!(f, "dispatch {kernel} grid={x}x{y}x{z}")
            }
            Self::DispatchPushedIndirect {
                executable,
                export,
                workgroups,
            } => write!(
                f,
                "dispatch {} grid={workgroups}",
                Kernel(executable, *export)
            ),
            Self::Dispatch {
                executable,
                export,
                config,
                constants,
                bindings,
            } => fmt_dispatch(f, Kernel(executable, *export), config, constants, bindings),
            Self::DispatchIndirect {
                executable,
                export,
                workgroups,
                constants,
                bindings,
            } => {
                write!(
                    f,
                    "dispatch {} grid={workgroups}",
                    Kernel(executable, *export)
                )?;
                write!(
                    f,
                    " constants={} bindings={}",
                    List(constants),
                    List(bindings)
                )
            }
            Self::ExecuteCommands { bindings, .. } => {
                write!(
                    f,
                    "execute_commands with {} bindings",
                    bindings.bindings().len()
                )
            }
            Self::BeginDebugGroup { label } => write!(f, "begin_debug_group {label}"),
            Self::EndDebugGroup => write!(f, "end_debug_group"),
        }
    }
}

fn fmt_dispatch(
    f: &mut fmt::Formatter<'_>,
    kernel: Kernel<'_>,
    config: &DispatchConfig,
    constants: &[u32],
    bindings: &[BufferRef],
) -> fmt::Result {
    let [x, y, z] = config.workgroup_count;
    write!(f, "dispatch {kernel} grid={x}x{y}x{z}")?;
    if let Some(export) = kernel.export() {
        let mut block = export.workgroup_size();
        for (size, own) in block.iter_mut().zip(config.workgroup_size) {
            *size = if own == 0 { *size } else { own };
        }
        let [x, y, z] = block;
        write!(f, " block={x}x{y}x{z}")?;
        let lds = export
            .dynamic_lds_bytes()
            .saturating_add(config.dynamic_lds_bytes);
        if lds != 0 {
            write!(f, " lds={lds}")?;
        }
    }
    write!(
        f,
        " constants={} bindings={}",
        List(constants),
        List(bindings)
    )
}

/// A kernel by its name, or by its ordinal if there is no such export.
struct Kernel<'a>(&'a Executable, i32);

impl<'a> Kernel<'a> {
    fn export(&self) -> Option<&'a crate::Export> {
        self.0.export(self.1).ok()
    }
}

impl fmt::Display for Kernel<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.export() {
            Some(export) => f.write_str(export.name()),
            None => write!(f, "#{}", self.1),
        }
    }
}

/// `[a, b, c]`.
struct List<'a, T>(&'a [T]);

impl<T: fmt::Display> fmt::Display for List<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (index, item) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{item}")?;
        }
        f.write_str("]")
    }
}

/// The names of stages, `dispatch|transfer`.
struct Names<'a>(&'a ExecutionStage);

impl fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("none");
        }
        for (index, (name, _)) in self.0.iter_names().enumerate() {
            let separator = if index == 0 { "" } else { "|" };
            write!(f, "{separator}{}", name.to_lowercase())?;
        }
        Ok(())
    }
}
