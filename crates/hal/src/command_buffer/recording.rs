//! From a command to its final form.

use std::any::Any;
use std::sync::Arc;

use hip::LaunchConfig;

use super::RecordingDevice;
use super::deferred::{
    Deferred, Dispatch, DispatchBinding, Kernel, MAX_KERNARG_BYTES, Op, Operand, Patch, Pattern,
};
use super::resources::Resources;
use super::state::PushState;
use super::validation::{
    self, Needs, SlotNeeds, check_alignment, check_barrier, check_category, check_collective,
    check_counts, check_launch, check_overlap, slot_end,
};
use crate::command::{BufferRef, BufferSource, Command, DispatchConfig, MAX_UPDATE_BYTES};
use crate::flags::{CommandBufferFlags, CommandCategories, ExecutionStage, MemoryType};
use crate::{Buffer, Executable, Export, Result, Status, WHOLE_BUFFER};

/// A command buffer between begin and end.
pub(super) struct Recording {
    device: Arc<RecordingDevice>,
    flags: CommandBufferFlags,
    categories: CommandCategories,
    commands: Deferred,
    slots: Vec<SlotNeeds>,
    /// Made when something is pushed: programs of the later form never do.
    pushed: Option<Box<PushState>>,
    /// What is recorded next waits for what was recorded before.
    is_after_barrier: bool,
    debug_depth: i64,
    listing: Option<Vec<String>>,
}

/// A range with its place found.
struct Place {
    operand: Operand,
    /// [`WHOLE_BUFFER`] if a slot decides.
    bytes: u64,
}

impl Recording {
    pub(super) fn new(
        device: &Arc<RecordingDevice>,
        flags: CommandBufferFlags,
        categories: CommandCategories,
        binding_capacity: usize,
        is_listed: bool,
    ) -> Self {
        Self {
            device: device.clone(),
            flags,
            categories,
            commands: Deferred::new(Resources::new(&device.block_pool, flags)),
            slots: vec![SlotNeeds::default(); binding_capacity],
            pushed: None,
            is_after_barrier: false,
            debug_depth: 0,
            listing: is_listed.then(Vec::new),
        }
    }

    /// FAILED_PRECONDITION unless every debug group was begun and ended.
    pub(super) fn check_end(&self) -> Result<()> {
        match self.debug_depth {
            0 => Ok(()),
            depth => Err(Status::failed_precondition(format!(
                "debug groups do not match: {depth} more begun than ended"
            ))),
        }
    }

    pub(super) fn finish(self) -> (Deferred, Vec<SlotNeeds>, Vec<String>) {
        let mut commands = self.commands;
        commands.freeze();
        (commands, self.slots, self.listing.unwrap_or_default())
    }

    pub(super) fn keep(&mut self, value: Box<dyn Any + Send + Sync>) {
        self.commands.resources.keep(value);
    }

    pub(super) fn record(&mut self, command: &Command<'_>) -> Result<()> {
        self.lower(command)?;
        if let Some(listing) = &mut self.listing {
            listing.push(command.to_string());
        }
        Ok(())
    }

    fn lower(&mut self, command: &Command<'_>) -> Result<()> {
        match *command {
            Command::ExecutionBarrier {
                source,
                target,
                flags,
                ..
            } => self.barrier(source, target, flags),
            Command::SignalEvent { .. }
            | Command::ResetEvent { .. }
            | Command::WaitEvents { .. } => {
                self.require(CommandCategories::DISPATCH)?;
                Err(Status::unimplemented(
                    "events between commands are not built; use barriers or semaphores",
                ))
            }
            Command::Advise { target, .. } => self.advise(target),
            Command::Fill { target, pattern } => self.fill(target, pattern),
            Command::Update { source, target } => self.update(source, target),
            Command::Copy { source, target } => self.copy(source, target),
            Command::Collective {
                channel,
                op,
                param,
                send,
                receive,
                ..
            } => {
                self.require(CommandCategories::DISPATCH)?;
                check_collective(channel, op, param, send, receive)?;
                Err(Status::unimplemented(
                    "collective commands need a communication library, and none is built in",
                ))
            }
            Command::PushConstants { offset, values, .. } => {
                self.require(CommandCategories::DISPATCH)?;
                let pushed = self.pushed.get_or_insert_default();
                pushed.push_constants(offset, values)
            }
            Command::PushDescriptorSet { set, bindings, .. } => {
                self.push_descriptor_set(set, bindings)
            }
            Command::DispatchPushed {
                executable,
                export,
                workgroups,
            } => self.dispatch_pushed(executable, export, workgroups),
            Command::Dispatch {
                executable,
                export,
                ref config,
                constants,
                bindings,
            } => self.dispatch(executable, export, config, constants, bindings),
            Command::DispatchPushedIndirect {
                executable,
                export,
                workgroups,
            }
            | Command::DispatchIndirect {
                executable,
                export,
                workgroups,
                ..
            } => self.dispatch_indirect(executable, export, workgroups),
            Command::ExecuteCommands { commands, .. } => self.execute_commands(commands.flags()),
            Command::BeginDebugGroup { .. } => {
                self.debug_depth += 1;
                Ok(())
            }
            Command::EndDebugGroup => {
                self.debug_depth -= 1;
                Ok(())
            }
        }
    }

    fn barrier(
        &mut self,
        source: ExecutionStage,
        target: ExecutionStage,
        flags: u64,
    ) -> Result<()> {
        check_barrier(source, target, flags)?;
        self.is_after_barrier = true;
        Ok(())
    }

    fn advise(&mut self, target: &BufferRef) -> Result<()> {
        self.require(CommandCategories::TRANSFER)?;
        // Contents that are not needed may stay: nothing is to be done.
        self.place(target, target.length, &Needs::DISCARD)?;
        Ok(())
    }

    fn fill(&mut self, target: &BufferRef, pattern: &[u8]) -> Result<()> {
        self.require(CommandCategories::TRANSFER)?;
        if target.length == 0 {
            return Ok(());
        }
        let size = pattern.len() as u64;
        let needs = Needs {
            memory_type: MemoryType::DEVICE_VISIBLE,
            ..Needs::TARGET
        };
        let place = self.find(target, target.length, &needs)?;
        let Some(pattern) = Pattern::from_bytes(pattern) else {
            return Err(Status::invalid_argument(format!(
                "a fill pattern has 1, 2 or 4 bytes, not {size}"
            )));
        };
        let is_whole = place.bytes == WHOLE_BUFFER;
        if !target.offset.is_multiple_of(size) || !(is_whole || place.bytes.is_multiple_of(size)) {
            return Err(Status::invalid_argument(format!(
                "offset {} and length {} of a fill must be multiples of its pattern's {size} bytes",
                target.offset, place.bytes
            )));
        }
        let needs = Needs {
            alignment: size,
            ..needs
        };
        let Place { operand, bytes } = self.place(target, target.length, &needs)?;
        self.push(Op::Fill {
            target: operand,
            bytes,
            pattern,
        });
        Ok(())
    }

    fn update(&mut self, source: &[u8], target: &BufferRef) -> Result<()> {
        self.require(CommandCategories::TRANSFER)?;
        if source.is_empty() {
            return Ok(());
        }
        if source.len() > MAX_UPDATE_BYTES {
            return Err(Status::invalid_argument(format!(
                "an update has at most {MAX_UPDATE_BYTES} bytes, not {}",
                source.len()
            )));
        }
        let bytes = source.len() as u64;
        if target.length != WHOLE_BUFFER && target.length != bytes {
            return Err(Status::invalid_argument(format!(
                "an update of {bytes} bytes has a target of {}",
                target.length
            )));
        }
        let needs = Needs {
            memory_type: MemoryType::DEVICE_VISIBLE,
            ..Needs::TARGET
        };
        let place = self.place(target, bytes, &needs)?;
        let staged = self.commands.resources.stage(source)?;
        self.push(Op::Update {
            target: place.operand,
            staged,
            bytes,
        });
        Ok(())
    }

    fn copy(&mut self, source: &BufferRef, target: &BufferRef) -> Result<()> {
        self.require(CommandCategories::TRANSFER)?;
        let bytes = validation::copy_length(source.length, target.length)?;
        if bytes == 0 {
            return Ok(());
        }
        let from = self.find(source, bytes, &Needs::SOURCE)?;
        let to = self.find(target, bytes, &Needs::TARGET)?;
        // Of two whole buffers, one that is in place decides the length.
        let bytes = validation::copy_length(from.bytes, to.bytes)?;
        if let (BufferSource::Buffer(source), BufferSource::Buffer(target)) =
            (&source.source, &target.source)
        {
            let visible = MemoryType::DEVICE_VISIBLE;
            if source.validate_memory_type(visible).is_err() {
                target.validate_memory_type(visible)?;
            }
        }
        check_overlap(source, target, bytes)?;
        let from = self.place(source, bytes, &Needs::SOURCE)?;
        let to = self.place(target, bytes, &Needs::TARGET)?;
        self.push(Op::Copy {
            target: to.operand,
            source: from.operand,
            bytes,
        });
        Ok(())
    }

    fn push_descriptor_set(&mut self, set: u32, bindings: &[(u32, BufferRef)]) -> Result<()> {
        self.require(CommandCategories::DISPATCH)?;
        for (_, binding) in bindings {
            if let BufferSource::Slot(slot) = binding.source {
                if self.slots.is_empty() {
                    return Err(Status::invalid_argument(format!(
                        "slot {slot} in a command buffer without binding slots"
                    )));
                }
                self.check_slot(slot)?;
            }
        }
        let pushed = self.pushed.get_or_insert_default();
        pushed.push_descriptor_set(set, bindings)
    }

    fn dispatch_pushed(
        &mut self,
        executable: &Executable,
        export: i32,
        workgroups: [u32; 3],
    ) -> Result<()> {
        self.require(CommandCategories::DISPATCH)?;
        let entry = executable.export(export)?;
        if workgroups.contains(&0) {
            return Ok(());
        }
        // The state is lent to the dispatch and comes back unchanged.
        let pushed = self.pushed.take().unwrap_or_default();
        let bindings = pushed.bindings(entry);
        let launch = Launch {
            executable,
            ordinal: export,
            export: entry,
            config: &workgroups.into(),
        };
        let result = self.launch(&launch, pushed.constants(entry), bindings.into_iter());
        self.pushed = Some(pushed);
        result
    }

    fn dispatch(
        &mut self,
        executable: &Executable,
        export: i32,
        config: &DispatchConfig,
        constants: &[u32],
        bindings: &[BufferRef],
    ) -> Result<()> {
        self.require(CommandCategories::DISPATCH)?;
        let entry = executable.export(export)?;
        if config.workgroup_count.contains(&0) {
            return Ok(());
        }
        let launch = Launch {
            executable,
            ordinal: export,
            export: entry,
            config,
        };
        self.launch(&launch, constants, bindings.iter().map(Some))
    }

    fn dispatch_indirect(
        &mut self,
        executable: &Executable,
        export: i32,
        workgroups: &BufferRef,
    ) -> Result<()> {
        self.require(CommandCategories::DISPATCH)?;
        executable.export(export)?;
        let bytes = 12;
        if let BufferSource::Buffer(buffer) = &workgroups.source {
            Needs::INDIRECT_COUNTS.check(buffer)?;
            let length = match workgroups.length {
                WHOLE_BUFFER => bytes,
                length => length.max(bytes),
            };
            buffer.range(workgroups.offset, length)?;
        }
        if !workgroups.offset.is_multiple_of(4) {
            return Err(Status::invalid_argument(format!(
                "workgroup counts stand at a multiple of 4 bytes, not at {}",
                workgroups.offset
            )));
        }
        Err(Status::unimplemented(
            "HIP reads workgroup counts when a kernel is launched, not from memory when it starts",
        ))
    }

    fn execute_commands(&self, child: CommandBufferFlags) -> Result<()> {
        if self.flags.contains(CommandBufferFlags::NESTED) {
            return Err(Status::failed_precondition(
                "a nested command buffer cannot execute another",
            ));
        }
        if !child.contains(CommandBufferFlags::NESTED) {
            return Err(Status::failed_precondition(
                "only a nested command buffer can be executed by another",
            ));
        }
        Err(Status::unimplemented(
            "command buffers inside command buffers are not built; use binding slots",
        ))
    }

    /// Packs a dispatch: all binding addresses, 8 bytes each, then the constants.
    fn launch<'a>(
        &mut self,
        launch: &Launch<'_>,
        constants: &[u32],
        bindings: impl ExactSizeIterator<Item = Option<&'a BufferRef>>,
    ) -> Result<()> {
        let kernarg_bytes = bindings.len() * 8 + constants.len() * 4;
        if self.is_validated() {
            check_counts(launch.export, constants.len(), bindings.len())?;
        }
        if kernarg_bytes > MAX_KERNARG_BYTES {
            return Err(Status::resource_exhausted(format!(
                "{kernarg_bytes} bytes of kernel arguments; the most is {MAX_KERNARG_BYTES}"
            )));
        }
        let (size, lds) = check_launch(&self.device.limits, launch.export, launch.config)?;
        let start = self.commands.kernargs.len();
        let first_patch = self.commands.patches.len();
        let first_binding = self.commands.bindings.len();
        let binding_count = bindings.len();
        // Patches are fewer than bytes: if these can be counted, those can.
        let kernarg = index(start)?;
        if let Err(status) = self.pack(launch.export, bindings) {
            // A refused command leaves nothing behind.
            self.commands.kernargs.truncate(start);
            self.commands.patches.truncate(first_patch);
            self.commands.bindings.truncate(first_binding);
            return Err(status);
        }
        for constant in constants {
            self.commands.kernargs.extend(constant.to_le_bytes());
        }
        let dispatch = Dispatch {
            config: LaunchConfig {
                grid: launch.config.workgroup_count.into(),
                block: size.into(),
                shared_memory_bytes: lds,
            },
            kernel: self.kernel(launch),
            kernarg,
            kernarg_bytes: kernarg_bytes as u16,
            patch_count: (self.commands.patches.len() - first_patch) as u16,
            patch: first_patch as u32,
            is_after_barrier: std::mem::take(&mut self.is_after_barrier),
        };
        let is_patched = dispatch.patch_count != 0;
        self.commands.dispatches.push(dispatch);
        if self.device.checks_bindings {
            self.commands.ops.push(Op::Bound {
                first: first_binding as u32,
                count: binding_count as u16,
            });
            return Ok(());
        }
        match (self.commands.ops.last_mut(), is_patched) {
            (Some(Op::Dispatches(count)), false) | (Some(Op::Patched(count)), true) => *count += 1,
            (_, false) => self.commands.ops.push(Op::Dispatches(1)),
            (_, true) => self.commands.ops.push(Op::Patched(1)),
        }
        Ok(())
    }

    fn pack<'a>(
        &mut self,
        export: &Export,
        bindings: impl ExactSizeIterator<Item = Option<&'a BufferRef>>,
    ) -> Result<()> {
        for (index, binding) in bindings.enumerate() {
            let Place { operand, bytes } = match binding {
                Some(binding) => self.place_binding(index, binding)?,
                // Never pushed: the null address.
                None => Place {
                    operand: Operand::Fixed(hip::DevicePtr::NULL),
                    bytes: 0,
                },
            };
            if self.device.checks_bindings {
                self.commands.bindings.push(DispatchBinding {
                    operand,
                    bytes,
                    is_read_only: export.is_read_only(index),
                });
            }
            let address = match operand {
                Operand::Fixed(address) => address,
                Operand::Slot { .. } | Operand::Late { .. } => {
                    let at = (index * 8) as u16;
                    self.commands.patches.push(Patch { at, operand });
                    hip::DevicePtr::NULL
                }
            };
            self.commands.kernargs.extend(address.0.to_le_bytes());
        }
        Ok(())
    }

    fn place_binding(&mut self, index: usize, binding: &BufferRef) -> Result<Place> {
        // Offset within a slot and address of the binding are each checked alone.
        let is_slot = matches!(binding.source, BufferSource::Slot(_));
        if is_slot && !binding.offset.is_multiple_of(Needs::BINDING.alignment) {
            return Err(Status::invalid_argument(format!(
                "binding {index} begins {} bytes into its slot, no multiple of {}",
                binding.offset,
                Needs::BINDING.alignment
            )));
        }
        let place = self.place(binding, binding.length, &Needs::BINDING);
        place.map_err(|status| status.context(format!("binding {index} of a dispatch")))
    }

    /// The kernel's index among those dispatched, recently or not.
    fn kernel(&mut self, launch: &Launch<'_>) -> u32 {
        const RECENT: usize = 8;
        let kernels = &mut self.commands.kernels;
        let oldest = kernels.len().saturating_sub(RECENT);
        let known = kernels[oldest..].iter().rposition(|kernel| {
            kernel.export == launch.ordinal && kernel.executable.ptr_eq(launch.executable)
        });
        if let Some(known) = known {
            return (oldest + known) as u32;
        }
        kernels.push(Kernel {
            executable: launch.executable.clone(),
            export: launch.ordinal,
        });
        self.commands
            .functions
            .push(launch.export.function().clone());
        self.commands.resources.keep_executable(launch.executable);
        (self.commands.functions.len() - 1) as u32
    }

    fn push(&mut self, op: Op) {
        if std::mem::take(&mut self.is_after_barrier) {
            self.commands.ops.push(Op::Barrier);
        }
        if validation::is_dynamic(&op) {
            self.commands.dynamic.push(self.commands.ops.len() as u32);
        }
        self.commands.ops.push(op);
    }

    /// Checks a range and finds its place, without keeping anything.
    fn find(&mut self, range: &BufferRef, length: u64, needs: &Needs) -> Result<Place> {
        match &range.source {
            BufferSource::Buffer(buffer) => {
                if self.is_validated() {
                    needs.check(buffer)?;
                }
                let bytes = buffer.range(range.offset, length)?;
                let offset = buffer.byte_offset() + range.offset;
                check_alignment(buffer, offset, needs.alignment)?;
                // Memory of queues comes and goes: its address is looked up
                // each time. The index is the next one's until it is kept.
                let operand = match buffer.allocation().pool() {
                    None => Operand::Fixed(buffer.device_ptr()?.offset(offset)),
                    Some(_) => Operand::Late {
                        index: index(self.commands.late.len())?,
                        offset,
                    },
                };
                Ok(Place {
                    operand,
                    bytes: bytes.end - bytes.start,
                })
            }
            BufferSource::Slot(slot) => {
                self.check_slot(*slot)?;
                slot_end(&BufferRef::slot(*slot, range.offset, length))?;
                Ok(Place {
                    operand: Operand::Slot {
                        slot: *slot,
                        offset: range.offset,
                    },
                    bytes: length,
                })
            }
        }
    }

    /// Checks a range, finds its place, and keeps what is there alive.
    fn place(&mut self, range: &BufferRef, length: u64, needs: &Needs) -> Result<Place> {
        let mut place = self.find(range, length, needs)?;
        match &range.source {
            BufferSource::Buffer(buffer) => {
                self.commands.resources.keep_buffer(buffer);
                if let Operand::Late { index, .. } = &mut place.operand {
                    *index = self.keep_late(buffer)?;
                }
            }
            BufferSource::Slot(slot) => {
                let end = slot_end(&BufferRef::slot(*slot, range.offset, length))?;
                self.slots[*slot as usize].add(needs, end);
            }
        }
        Ok(place)
    }

    fn keep_late(&mut self, buffer: &Buffer) -> Result<u32> {
        let late = &mut self.commands.late;
        let known = late
            .iter()
            .rposition(|other| Arc::ptr_eq(other.allocation(), buffer.allocation()));
        match known {
            Some(known) => index(known),
            None => {
                late.push(buffer.clone());
                index(late.len() - 1)
            }
        }
    }

    fn check_slot(&self, slot: u32) -> Result<()> {
        if (slot as usize) < self.slots.len() {
            return Ok(());
        }
        Err(Status::out_of_range(format!(
            "slot {slot} in a command buffer with {} binding slots",
            self.slots.len()
        )))
    }

    fn require(&self, category: CommandCategories) -> Result<()> {
        match self.is_validated() {
            true => check_category(self.categories, category),
            false => Ok(()),
        }
    }

    fn is_validated(&self) -> bool {
        !self.flags.contains(CommandBufferFlags::UNVALIDATED)
    }
}

/// A dispatch whose export has been found.
struct Launch<'a> {
    executable: &'a Executable,
    ordinal: i32,
    export: &'a Export,
    config: &'a DispatchConfig,
}

/// An index in the compact form of recorded commands.
fn index(index: usize) -> Result<u32> {
    u32::try_from(index)
        .map_err(|_| Status::resource_exhausted("a command buffer cannot hold that much"))
}
