//! The rules that commands must keep. Each is checked once: when a command is
//! recorded, or, for what a slot is bound to, when the command buffer is submitted.

use super::deferred::{Op, Operand};
use crate::flags::{BufferUsage, CommandCategories, ExecutionStage, MemoryAccess, MemoryType};
use crate::{
    Binding, Buffer, BufferRef, BufferSource, Channel, CollectiveOp, CollectiveReduction,
    DeviceLimits, DispatchConfig, Export, Result, Status, WHOLE_BUFFER,
};

/// Addresses of bindings are multiples of this many bytes: kernels are
/// compiled to rely on it.
const BINDING_ALIGNMENT: u64 = 16;

/// Any usage by dispatches.
const DISPATCH_USAGES: BufferUsage = BufferUsage::DISPATCH_UNIFORM_READ
    .union(BufferUsage::DISPATCH_STORAGE)
    .union(BufferUsage::DISPATCH_IMAGE_READ)
    .union(BufferUsage::DISPATCH_IMAGE_WRITE);

/// What a command needs of a range that it uses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Needs {
    /// All of these.
    pub(super) usage: BufferUsage,
    /// One of these, if there are any.
    pub(super) any_usage: BufferUsage,
    /// All of these.
    pub(super) access: MemoryAccess,
    pub(super) memory_type: MemoryType,
    /// Of the address, in bytes.
    pub(super) alignment: u64,
}

impl Needs {
    pub(super) const SOURCE: Self = Self {
        usage: BufferUsage::TRANSFER_SOURCE,
        any_usage: BufferUsage::empty(),
        access: MemoryAccess::READ,
        memory_type: MemoryType::empty(),
        alignment: 1,
    };

    pub(super) const TARGET: Self = Self {
        usage: BufferUsage::TRANSFER_TARGET,
        access: MemoryAccess::WRITE,
        ..Self::SOURCE
    };

    pub(super) const DISCARD: Self = Self {
        usage: BufferUsage::empty(),
        access: MemoryAccess::ANY,
        memory_type: MemoryType::DEVICE_VISIBLE,
        ..Self::SOURCE
    };

    pub(super) const BINDING: Self = Self {
        any_usage: DISPATCH_USAGES,
        alignment: BINDING_ALIGNMENT,
        ..Self::DISCARD
    };

    pub(super) const INDIRECT_COUNTS: Self = Self {
        usage: BufferUsage::DISPATCH_INDIRECT_PARAMS,
        access: MemoryAccess::READ,
        memory_type: MemoryType::DEVICE_VISIBLE,
        ..Self::SOURCE
    };

    const COLLECTIVE: Self = Self {
        any_usage: DISPATCH_USAGES,
        ..Self::DISCARD
    };

    /// PERMISSION_DENIED if the buffer does not allow it.
    pub(super) fn check(&self, buffer: &Buffer) -> Result<()> {
        buffer.validate_memory_type(self.memory_type)?;
        buffer.validate_access(self.access)?;
        buffer.validate_usage(self.usage)?;
        if !self.any_usage.is_empty() && !buffer.allowed_usage().intersects(self.any_usage) {
            return Err(Status::permission_denied(format!(
                "the buffer's usage is {:?}, this needs one of {:?}",
                buffer.allowed_usage(),
                self.any_usage
            )));
        }
        Ok(())
    }
}

/// What all commands together need of what a slot is bound to.
#[derive(Clone, Debug)]
pub(super) struct SlotNeeds {
    is_used: bool,
    needs: Needs,
    needs_dispatch: bool,
    /// Highest byte used, plus one.
    end: u64,
}

impl Default for SlotNeeds {
    fn default() -> Self {
        Self {
            is_used: false,
            needs: Needs {
                usage: BufferUsage::empty(),
                access: MemoryAccess::empty(),
                ..Needs::SOURCE
            },
            needs_dispatch: false,
            end: 0,
        }
    }
}

impl SlotNeeds {
    pub(super) fn add(&mut self, needs: &Needs, end: u64) {
        self.is_used = true;
        self.needs.usage |= needs.usage;
        self.needs.access |= needs.access;
        self.needs.memory_type |= needs.memory_type;
        // All alignments are powers of two: the largest is a multiple of the others.
        self.needs.alignment = self.needs.alignment.max(needs.alignment);
        self.needs_dispatch |= !needs.any_usage.is_empty();
        self.end = self.end.max(end);
    }

    /// Whether a binding is what the commands need.
    fn check(&self, binding: &Binding) -> Result<()> {
        let Some(buffer) = &binding.buffer else {
            // A kernel may look whether it was given something; transfers do not.
            return match self.needs.usage.is_empty() && self.needs_dispatch {
                true => Ok(()),
                false => Err(Status::invalid_argument("nothing is bound to it")),
            };
        };
        // ANY asks nothing; what other commands ask for remains.
        let access = self.needs.access.difference(MemoryAccess::ANY);
        let needs = Needs {
            access: match access.is_empty() {
                true => MemoryAccess::ANY,
                false => access,
            },
            any_usage: match self.needs_dispatch {
                true => DISPATCH_USAGES,
                false => BufferUsage::empty(),
            },
            ..self.needs
        };
        needs.check(buffer)?;
        let length = binding.resolved_length()?;
        if length < self.end {
            return Err(Status::out_of_range(format!(
                "{length} bytes are bound, the commands use {}",
                self.end
            )));
        }
        let offset = buffer.byte_offset() + binding.offset;
        check_alignment(buffer, offset, needs.alignment)
    }
}

/// INVALID_ARGUMENT if the address `offset` bytes into the buffer's allocation
/// is not a multiple of `alignment`.
pub(super) fn check_alignment(buffer: &Buffer, offset: u64, alignment: u64) -> Result<()> {
    // Memory that is not there yet will be aligned far better than this.
    let base = buffer.device_ptr().map_or(0, |address| address.0);
    if (base.wrapping_add(offset)).is_multiple_of(alignment) {
        return Ok(());
    }
    Err(Status::invalid_argument(format!(
        "an address {offset} bytes into its allocation is no multiple of {alignment}"
    )))
}

/// Checks a binding table against what the slots need. No table where one is
/// needed: INVALID_ARGUMENT; too short: OUT_OF_RANGE.
pub(super) fn check_table(slots: &[SlotNeeds], table: &[Binding]) -> Result<()> {
    for (slot, needs) in slots.iter().enumerate().filter(|(_, slot)| slot.is_used) {
        let Some(binding) = table.get(slot) else {
            return Err(match table.is_empty() {
                true => Status::invalid_argument(format!(
                    "the commands use slot {slot}, and there is no binding table"
                )),
                false => Status::out_of_range(format!(
                    "the commands use slot {slot}, and the binding table has {} bindings",
                    table.len()
                )),
            });
        };
        needs.check(binding).map_err(|status| {
            status.context(format!("what is bound to slot {slot} does not fit"))
        })?;
    }
    Ok(())
}

/// The length of a range that a slot has, as far as it is known, and its end.
pub(super) fn slot_end(range: &BufferRef) -> Result<u64> {
    match range.length {
        WHOLE_BUFFER => Ok(range.offset),
        length => range.offset.checked_add(length).ok_or_else(|| {
            Status::out_of_range(format!(
                "offset {} and length {length} overflow",
                range.offset
            ))
        }),
    }
}

/// FAILED_PRECONDITION if the command buffer does not hold such commands.
pub(super) fn check_category(
    allowed: CommandCategories,
    required: CommandCategories,
) -> Result<()> {
    if allowed.contains(required) {
        return Ok(());
    }
    Err(Status::failed_precondition(format!(
        "a command buffer for {allowed:?} takes no {required:?} commands"
    )))
}

/// UNIMPLEMENTED for what no sink does: barriers with the host, and flags.
pub(super) fn check_barrier(
    source: ExecutionStage,
    target: ExecutionStage,
    flags: u64,
) -> Result<()> {
    if (source | target).contains(ExecutionStage::HOST) {
        return Err(Status::unimplemented(
            "a barrier inside a command buffer cannot wait for the host; use semaphores",
        ));
    }
    if flags != 0 {
        return Err(Status::unimplemented(format!(
            "no barrier flags are defined, these are {flags:#x}"
        )));
    }
    Ok(())
}

/// The length of a copy whose sides are both in place: INVALID_ARGUMENT if
/// they do not match. [`WHOLE_BUFFER`] is the length of the other side.
pub(super) fn copy_length(source: u64, target: u64) -> Result<u64> {
    match (source, target) {
        (WHOLE_BUFFER, length) | (length, WHOLE_BUFFER) => Ok(length),
        (source, target) if source == target => Ok(source),
        (source, target) => Err(Status::invalid_argument(format!(
            "a copy reads {source} bytes and writes {target}"
        ))),
    }
}

/// INVALID_ARGUMENT if two ranges of one copy are known to overlap.
pub(super) fn check_overlap(source: &BufferRef, target: &BufferRef, bytes: u64) -> Result<()> {
    let overlap = match (&source.source, &target.source) {
        (BufferSource::Buffer(from), BufferSource::Buffer(to)) => {
            from.overlaps(source.offset, bytes, to, target.offset, bytes)
        }
        (BufferSource::Slot(from), BufferSource::Slot(to)) => {
            from == to
                && source.offset < target.offset.saturating_add(bytes)
                && target.offset < source.offset.saturating_add(bytes)
        }
        _ => false,
    };
    match overlap {
        true => Err(Status::invalid_argument(format!(
            "a copy of {bytes} bytes from {source} to {target} overlaps itself"
        ))),
        false => Ok(()),
    }
}

/// The workgroup size and dynamic LDS of a dispatch, within the limits of the
/// device (INVALID_ARGUMENT, naming the kernel).
pub(super) fn check_launch(
    limits: &DeviceLimits,
    export: &Export,
    config: &DispatchConfig,
) -> Result<([u32; 3], u32)> {
    let refuse = |why: String| {
        Err(Status::invalid_argument(format!(
            "kernel `{}` cannot be dispatched: {why}",
            export.name()
        )))
    };
    let mut size = export.workgroup_size();
    for (own, override_size) in size.iter_mut().zip(config.workgroup_size) {
        *own = if override_size == 0 {
            *own
        } else {
            override_size
        };
    }
    for (axis, name) in ["x", "y", "z"].iter().enumerate() {
        let (count, size) = (config.workgroup_count[axis], size[axis]);
        if size == 0 || size > limits.max_block_dims[axis] {
            let most = limits.max_block_dims[axis];
            return refuse(format!(
                "{size} threads in {name}; the device takes 1 to {most}"
            ));
        }
        if count > limits.max_grid_dims[axis] {
            let most = limits.max_grid_dims[axis];
            return refuse(format!(
                "{count} workgroups in {name}; the device takes {most}"
            ));
        }
        if u64::from(count) * u64::from(size) >= 1 << 32 {
            return refuse(format!(
                "{count} workgroups of {size} threads in {name} are 2^32 threads or more"
            ));
        }
    }
    let threads: u64 = size.iter().map(|&size| u64::from(size)).product();
    if threads > u64::from(limits.max_threads_per_block) {
        let most = limits.max_threads_per_block;
        return refuse(format!(
            "{threads} threads a workgroup; the device takes {most}"
        ));
    }
    let lds = u64::from(export.dynamic_lds_bytes()) + u64::from(config.dynamic_lds_bytes);
    match u32::try_from(lds) {
        Ok(lds) if lds <= limits.max_shared_memory_per_block => Ok((size, lds)),
        _ => refuse(format!(
            "{lds} bytes of LDS a workgroup; the device has {}",
            limits.max_shared_memory_per_block
        )),
    }
}

/// INVALID_ARGUMENT unless there are as many constants and bindings as the
/// export takes.
pub(super) fn check_counts(export: &Export, constants: usize, bindings: usize) -> Result<()> {
    for (what, given, taken) in [
        ("constants", constants, export.constant_count()),
        ("bindings", bindings, export.binding_count()),
    ] {
        if given != taken as usize {
            return Err(Status::invalid_argument(format!(
                "kernel `{}` takes {taken} {what}, not {given}",
                export.name()
            )));
        }
    }
    Ok(())
}

/// What a collective command needs: INVALID_ARGUMENT for what does not fit
/// the operation, PERMISSION_DENIED for buffers that cannot be used.
pub(super) fn check_collective(
    channel: &Channel,
    op: CollectiveOp,
    param: u32,
    send: Option<&BufferRef>,
    receive: Option<&BufferRef>,
) -> Result<()> {
    if op.reduction != CollectiveReduction::None && !op.kind.reduces() {
        return Err(Status::invalid_argument(format!("`{op}` does not reduce")));
    }
    let is_peer = !op.kind.sends() || !op.kind.receives();
    if is_peer && param >= channel.count() {
        return Err(Status::invalid_argument(format!(
            "rank {param} is not among the {} participants",
            channel.count()
        )));
    }
    for (is_needed, side, range) in [
        (op.kind.sends(), "send", send),
        (op.kind.receives(), "receive", receive),
    ] {
        match (is_needed, range) {
            (true, None) => {
                return Err(Status::invalid_argument(format!(
                    "`{op}` needs a buffer to {side}"
                )));
            }
            (true, Some(range)) => {
                if let BufferSource::Buffer(buffer) = &range.source {
                    Needs::COLLECTIVE.check(buffer)?;
                    buffer.range(range.offset, range.length)?;
                }
            }
            (false, _) => {}
        }
    }
    Ok(())
}

/// Whether an op has to be checked again with a binding table.
pub(super) fn is_dynamic(op: &Op) -> bool {
    let is_slot = |operand: &Operand| matches!(operand, Operand::Slot { .. });
    match op {
        Op::Fill { target, bytes, .. } => is_slot(target) && *bytes == WHOLE_BUFFER,
        Op::Copy { target, source, .. } => is_slot(target) || is_slot(source),
        _ => false,
    }
}
