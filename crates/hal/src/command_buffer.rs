//! Command buffers: commands recorded once, executed many times.
//!
//! Recording validates each command and lowers it to its final form: addresses
//! resolved, bytes of updates staged, kernel arguments packed. Executing is
//! then one HIP call a command, or the launch of one graph.
//!
//! | file | what |
//! |---|---|
//! | `validation.rs` | the rules commands must keep |
//! | `state.rs` | pushed constants and descriptor sets |
//! | `recording.rs` | from a command to its final form |
//! | `deferred.rs` | the final form, and applying it to a sink |
//! | `stream.rs` | sink: each command on a HIP stream |
//! | `graph.rs` | sink: each command a node of a HIP graph; the graphs kept |
//! | `replay.rs` | one execution: by stream or by graph |
//! | `trial.rs` | which of the two is faster |
//! | `resources.rs` | what must stay alive until the work has completed |

mod deferred;
mod graph;
mod recording;
mod replay;
mod resources;
mod state;
mod stream;
#[cfg(all(test, not(loom)))]
mod tests;
mod trial;
mod validation;

use std::any::Any;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use hip::{Context, Issue};

use crate::command::{BufferRef, Command, DispatchConfig, MAX_UPDATE_BYTES};
use crate::flags::{CommandBufferFlags, CommandCategories, ExecutionStage};
use crate::semaphore::{Mutex, lock};
use crate::{
    Binding, BindingTable, BlockPool, CommandBufferMode, DeviceLimits, Executable, QueueAffinity,
    Result, Status, WHOLE_BUFFER,
};
use deferred::Deferred;
use graph::{Built, GraphCache};
use recording::Recording;
pub(crate) use replay::Replay;
use stream::{LaterSink, StreamSink};
pub(crate) use trial::Experience;
use trial::Trial;
use validation::{SlotNeeds, check_table};

/// Most binding slots of a command buffer. Programs use a handful; each costs
/// memory from the beginning.
pub const MAX_BINDING_SLOTS: usize = 1 << 16;

/// Commands, recorded between [`CommandBuffer::begin`] and
/// [`CommandBuffer::end`], then submitted to queues of the device that made
/// it: any number of times, or once if it is one-shot.
///
/// Cloning gives another name for the same command buffer.
#[derive(Clone)]
pub struct CommandBuffer(Arc<Inner>);

struct Inner {
    device: Arc<RecordingDevice>,
    mode: CommandBufferMode,
    flags: CommandBufferFlags,
    categories: CommandCategories,
    affinity: QueueAffinity,
    binding_capacity: usize,
    phase: Mutex<Phase>,
    recorded: OnceLock<Recorded>,
    is_submitted: AtomicBool,
}

/// What recording needs of a device. It does not keep the device itself:
/// queues hold command buffers, and the device holds its queues.
pub(crate) struct RecordingDevice {
    pub(crate) context: Context,
    pub(crate) block_pool: BlockPool,
    pub(crate) limits: DeviceLimits,
    pub(crate) experience: Experience,
    /// Whether the provider is told what dispatches are bound to.
    pub(crate) checks_bindings: bool,
}

enum Phase {
    New,
    Recording(Box<Recording>),
    Ended,
}

/// A command buffer that can be executed.
struct Recorded {
    commands: Deferred,
    slots: Vec<SlotNeeds>,
    graphs: GraphCache,
    trial: Trial,
    listing: Vec<String>,
}

impl CommandBuffer {
    /// INVALID_ARGUMENT for flags that exclude each other: inline execution
    /// needs a one-shot command buffer, not nested, without binding slots.
    /// RESOURCE_EXHAUSTED for more than [`MAX_BINDING_SLOTS`].
    pub(crate) fn new(
        device: &Arc<RecordingDevice>,
        mode: CommandBufferMode,
        flags: CommandBufferFlags,
        categories: CommandCategories,
        affinity: QueueAffinity,
        binding_capacity: usize,
    ) -> Result<Self> {
        if flags.contains(CommandBufferFlags::ALLOW_INLINE_EXECUTION) {
            let why = if !flags.contains(CommandBufferFlags::ONE_SHOT) {
                Some("it is not one-shot")
            } else if flags.contains(CommandBufferFlags::NESTED) {
                Some("it is nested")
            } else if binding_capacity > 0 {
                Some("it has binding slots")
            } else {
                None
            };
            if let Some(why) = why {
                return Err(Status::invalid_argument(format!(
                    "a command buffer cannot be executed while it is recorded: {why}"
                )));
            }
        }
        if binding_capacity > MAX_BINDING_SLOTS {
            return Err(Status::resource_exhausted(format!(
                "a command buffer has at most {MAX_BINDING_SLOTS} binding slots, not {binding_capacity}"
            )));
        }
        Ok(Self(Arc::new(Inner {
            device: device.clone(),
            mode,
            flags,
            categories,
            affinity,
            binding_capacity,
            phase: Mutex::new(Phase::New),
            recorded: OnceLock::new(),
            is_submitted: AtomicBool::new(false),
        })))
    }

    /// How it may be used.
    pub fn flags(&self) -> CommandBufferFlags {
        self.0.flags
    }

    /// What kinds of command it takes.
    pub fn categories(&self) -> CommandCategories {
        self.0.categories
    }

    /// Which queues it is for.
    pub fn affinity(&self) -> QueueAffinity {
        self.0.affinity
    }

    /// How many binding slots its commands can use.
    pub fn binding_capacity(&self) -> usize {
        self.0.binding_capacity
    }

    /// Whether both are names of one command buffer.
    pub fn ptr_eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Begins recording. FAILED_PRECONDITION if that was done before.
    pub fn begin(&self) -> Result<()> {
        self.begin_recording(false)
    }

    /// As [`CommandBuffer::begin`], and keeps a line of text for each command
    /// recorded, for [`CommandBuffer::listing`].
    pub fn begin_listed(&self) -> Result<()> {
        self.begin_recording(true)
    }

    fn begin_recording(&self, is_listed: bool) -> Result<()> {
        let mut phase = lock(&self.0.phase);
        match *phase {
            Phase::New => {
                let recording = Recording::new(
                    &self.0.device,
                    self.0.flags,
                    self.0.categories,
                    self.0.binding_capacity,
                    is_listed,
                );
                *phase = Phase::Recording(Box::new(recording));
                Ok(())
            }
            Phase::Recording(_) => Err(Status::failed_precondition(
                "the command buffer is being recorded already",
            )),
            Phase::Ended => Err(Status::failed_precondition(
                "the command buffer was recorded before; record into a new one",
            )),
        }
    }

    /// Records a command. A command that breaks a rule is not recorded; see
    /// [`Command`] and its fields for the rules.
    pub fn record(&self, command: &Command<'_>) -> Result<()> {
        match &mut *lock(&self.0.phase) {
            Phase::Recording(recording) => recording.record(command),
            _ => Err(not_recording()),
        }
    }

    /// Ends recording; the command buffer can be submitted from now on.
    ///
    /// FAILED_PRECONDITION while a debug group is open. In graph mode a
    /// command buffer that does not depend on a binding table is built into
    /// its graph here; if that fails it cannot be submitted.
    pub fn end(&self) -> Result<()> {
        let mut phase = lock(&self.0.phase);
        let Phase::Recording(recording) = &*phase else {
            return Err(not_recording());
        };
        recording.check_end()?;
        let Phase::Recording(recording) = std::mem::replace(&mut *phase, Phase::Ended) else {
            unreachable!("it is being recorded: checked above, under the same lock");
        };
        drop(phase);
        let (commands, slots, listing) = recording.finish();
        let recorded = Recorded {
            trial: Trial::new(commands.node_count()),
            commands,
            slots,
            graphs: GraphCache::default(),
            listing,
        };
        let is_launched = self.0.mode == CommandBufferMode::Graph;
        if is_launched && recorded.commands.is_static() && !recorded.commands.is_empty() {
            self.graph(&recorded, &BindingTable::empty())?;
        }
        // Nobody else can have come here: the phase changed under its lock.
        let _ = self.0.recorded.set(recorded);
        Ok(())
    }

    /// A line for each command recorded since [`CommandBuffer::begin_listed`];
    /// empty until recording has ended.
    pub fn listing(&self) -> &[String] {
        match self.0.recorded.get() {
            Some(recorded) => &recorded.listing,
            None => &[],
        }
    }

    /// Everything recorded before is done before anything recorded after begins.
    pub fn barrier(&self) -> Result<()> {
        let stages = ExecutionStage::DISPATCH | ExecutionStage::TRANSFER;
        self.record(&Command::ExecutionBarrier {
            source: stages | ExecutionStage::COMMAND_RETIRE,
            target: stages | ExecutionStage::COMMAND_ISSUE,
            flags: 0,
            memory: &[],
            buffers: &[],
        })
    }

    /// Repeats a pattern of 1, 2 or 4 bytes over a range.
    pub fn fill(&self, target: &BufferRef, pattern: &[u8]) -> Result<()> {
        self.record(&Command::Fill { target, pattern })
    }

    /// Writes bytes, at most 64 KiB, which are taken now.
    pub fn update(&self, source: &[u8], target: &BufferRef) -> Result<()> {
        self.record(&Command::Update { source, target })
    }

    /// Writes any number of bytes, which are taken now, by as many updates as
    /// that takes.
    pub fn write(&self, source: &[u8], target: &BufferRef) -> Result<()> {
        let length = source.len() as u64;
        if target.length != WHOLE_BUFFER && target.length != length {
            return Err(Status::invalid_argument(format!(
                "an update of {length} bytes has a target of {}",
                target.length
            )));
        }
        // As much at a time as an update takes and a staging block holds.
        let most = (self.0.device.block_pool.block_bytes() as usize).clamp(1, MAX_UPDATE_BYTES);
        let mut offset = target.offset;
        for part in source.chunks(most) {
            let length = part.len() as u64;
            let target = BufferRef {
                source: target.source.clone(),
                offset,
                length,
            };
            self.update(part, &target)?;
            offset = offset.saturating_add(length);
        }
        Ok(())
    }

    /// Keeps a value for as long as the recorded commands are kept: until
    /// nobody has the command buffer and what was submitted is complete.
    pub fn keep(&self, value: impl Any + Send + Sync) -> Result<()> {
        match &mut *lock(&self.0.phase) {
            Phase::Recording(recording) => {
                recording.keep(Box::new(value));
                Ok(())
            }
            _ => Err(not_recording()),
        }
    }

    /// Copies a range to another.
    pub fn copy(&self, source: &BufferRef, target: &BufferRef) -> Result<()> {
        self.record(&Command::Copy { source, target })
    }

    /// Runs an export of an executable.
    pub fn dispatch(
        &self,
        executable: &Executable,
        export: i32,
        config: impl Into<DispatchConfig>,
        constants: &[u32],
        bindings: &[BufferRef],
    ) -> Result<()> {
        self.record(&Command::Dispatch {
            executable,
            export,
            config: config.into(),
            constants,
            bindings,
        })
    }

    /// Checks that it can be submitted to a queue of `context` with `table`,
    /// and notes that it was.
    ///
    /// Of another device: INVALID_ARGUMENT. Not recorded to the end, or
    /// one-shot and submitted before: FAILED_PRECONDITION.
    pub(crate) fn check_submission(&self, context: &Context, table: &[Binding]) -> Result<()> {
        if self.0.device.context != *context {
            return Err(Status::invalid_argument(
                "the command buffer was made by another device",
            ));
        }
        if self.0.flags.contains(CommandBufferFlags::NESTED) {
            return Err(Status::invalid_argument(
                "a nested command buffer is executed by another one, not by a queue",
            ));
        }
        let recorded = self.recorded()?;
        check_table(&recorded.slots, table)?;
        recorded.commands.check_dynamic(table)?;
        let is_one_shot = self.0.flags.contains(CommandBufferFlags::ONE_SHOT);
        if is_one_shot && self.0.is_submitted.swap(true, Ordering::Relaxed) {
            return Err(Status::failed_precondition(
                "a one-shot command buffer can be submitted once, and was",
            ));
        }
        Ok(())
    }

    /// The graph to launch for `table`.
    fn graph(&self, recorded: &Recorded, table: &BindingTable) -> Result<Arc<Built>> {
        recorded
            .graphs
            .get(&self.0.device.context, &recorded.commands, table.bindings())
            .map_err(|status| status.context("building the graph of a command buffer"))
    }

    /// Issues every command on a stream.
    fn replay(&self, issue: &Issue<'_>, table: &BindingTable) -> Result<()> {
        self.recorded()?
            .commands
            .apply(&mut StreamSink(issue), table.bindings())
    }

    /// Issues the only command, a dispatch, for the stream to put off if it
    /// likes.
    pub(crate) fn replay_later(
        &self,
        issue: &Issue<'_>,
        table: &BindingTable,
        tag: u64,
    ) -> Result<()> {
        self.recorded()?
            .commands
            .apply(&mut LaterSink { issue, tag }, table.bindings())
    }

    /// Whether there is one command, a dispatch.
    pub(crate) fn is_single_dispatch(&self) -> bool {
        let recorded = self.0.recorded.get();
        recorded.is_some_and(|recorded| recorded.commands.is_single_dispatch())
    }

    /// What it means that the only dispatch failed.
    pub(crate) fn failed_dispatch(&self, error: hip::Error) -> Status {
        match self.recorded() {
            Ok(recorded) => recorded.commands.failed_dispatch(error),
            Err(_) => error.into(),
        }
    }

    fn recorded(&self) -> Result<&Recorded> {
        self.0.recorded.get().ok_or_else(|| {
            Status::failed_precondition("the command buffer was not recorded to its end")
        })
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(recorded) = self.recorded.get() {
            recorded.trial.abandon(&self.device.experience);
        }
    }
}

impl fmt::Debug for CommandBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "CommandBuffer({:?}, {:?}, {} slots)",
            self.0.flags, self.0.categories, self.0.binding_capacity
        )
    }
}

fn not_recording() -> Status {
    Status::failed_precondition("the command buffer is not being recorded")
}
