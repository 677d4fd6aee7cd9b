//! Recorded commands, and applying them to a sink, any number of times.
//!
//! Everything that can be decided while recording is: addresses of plain
//! buffers are final, updates are staged, kernel arguments are packed into one
//! block. What depends on the execution is a slot of the binding table or a
//! buffer whose memory a queue allocates; those addresses are patched into a
//! copy of a dispatch's arguments on the stack when it is issued.

use hip::{BoundRange, DevicePtr, Function, LaunchConfig, MemcpyKind};

use super::resources::Resources;
use crate::{Binding, Buffer, Executable, Result, Status, WHOLE_BUFFER};

/// Most bytes of kernel arguments: 4 sets of 16 bindings, and 64 constants.
pub(crate) const MAX_KERNARG_BYTES: usize = 4 * 16 * 8 + 64 * 4;

/// What recorded commands are applied to. One method, one HIP call.
pub(crate) trait Sink {
    /// Everything before is done before anything after begins.
    fn barrier(&mut self) -> Result<()>;
    /// Repeats a pattern `count` times.
    fn fill(&mut self, target: DevicePtr, pattern: Pattern, count: u64) -> Result<()>;
    /// Copies bytes.
    fn copy(
        &mut self,
        target: DevicePtr,
        source: DevicePtr,
        bytes: u64,
        kind: MemcpyKind,
    ) -> Result<()>;
    /// Runs a kernel.
    fn dispatch(
        &mut self,
        function: &Function,
        config: &LaunchConfig,
        kernarg: &[u8],
    ) -> hip::Result<()>;

    /// Runs kernels whose arguments are final, one after the other.
    fn dispatch_run(&mut self, run: &Run<'_>) -> Result<()> {
        let mut kernargs = run.kernargs;
        for dispatch in run.dispatches {
            if dispatch.is_after_barrier {
                self.barrier()?;
            }
            let (kernarg, rest) = kernargs.split_at(usize::from(dispatch.kernarg_bytes));
            kernargs = rest;
            let function = &run.functions[dispatch.kernel as usize];
            self.dispatch(function, &dispatch.config, kernarg)
                .map_err(|error| run.failed(dispatch, error))?;
        }
        Ok(())
    }
}

/// Dispatches recorded one after the other, whose arguments are final.
pub(crate) struct Run<'a> {
    pub(super) dispatches: &'a [Dispatch],
    /// All functions of the command buffer.
    pub(super) functions: &'a [Function],
    /// The arguments of the first dispatch, then those of the next ….
    pub(super) kernargs: &'a [u8],
    kernels: &'a [Kernel],
}

impl Run<'_> {
    /// A failure to issue one of the dispatches, with its kernel's name.
    #[cold]
    #[inline(never)]
    pub(super) fn failed(&self, dispatch: &Dispatch, error: hip::Error) -> Status {
        dispatch_failed(self.kernels, dispatch, error)
    }
}

/// What a fill repeats: 1, 2 or 4 bytes, as a little-endian number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pattern {
    One(u8),
    Two(u16),
    Four(u32),
}

impl Pattern {
    /// `None` unless there are 1, 2 or 4 bytes.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        match *bytes {
            [a] => Some(Self::One(a)),
            [a, b] => Some(Self::Two(u16::from_le_bytes([a, b]))),
            [a, b, c, d] => Some(Self::Four(u32::from_le_bytes([a, b, c, d]))),
            _ => None,
        }
    }

    /// Size in bytes.
    pub(crate) const fn size(self) -> u64 {
        match self {
            Self::One(_) => 1,
            Self::Two(_) => 2,
            Self::Four(_) => 4,
        }
    }

    /// Repeated to fill 32 bits.
    pub(crate) const fn splat(self) -> u32 {
        match self {
            Self::One(value) => value as u32 * 0x0101_0101,
            Self::Two(value) => value as u32 * 0x0001_0001,
            Self::Four(value) => value,
        }
    }
}

/// An address in a recorded command.
#[derive(Clone, Copy, Debug)]
pub(super) enum Operand {
    /// Final.
    Fixed(DevicePtr),
    /// So many bytes into what a slot is bound to.
    Slot { slot: u32, offset: u64 },
    /// So many bytes into an allocation of [`Deferred::late`].
    Late { index: u32, offset: u64 },
}

/// A recorded command. Lengths that are [`WHOLE_BUFFER`] depend on a slot.
#[derive(Clone, Debug)]
pub(super) enum Op {
    Barrier,
    Fill {
        target: Operand,
        bytes: u64,
        pattern: Pattern,
    },
    Update {
        target: Operand,
        staged: DevicePtr,
        bytes: u64,
    },
    Copy {
        target: Operand,
        source: Operand,
        bytes: u64,
    },
    /// So many of [`Deferred::dispatches`], in turn, whose arguments are final.
    Dispatches(u32),
    /// So many of them, whose arguments are to be patched.
    Patched(u32),
    /// One of them, which is told what it is bound to: how many of
    /// [`Deferred::bindings`], and where they begin.
    Bound {
        first: u32,
        count: u16,
    },
}

/// A recorded dispatch.
#[derive(Clone, Debug)]
pub(super) struct Dispatch {
    pub(super) config: LaunchConfig,
    /// Of [`Deferred::kernels`] and [`Deferred::functions`].
    pub(super) kernel: u32,
    /// Where its part of [`Deferred::kernargs`] begins, and how long it is.
    pub(super) kernarg: u32,
    pub(super) kernarg_bytes: u16,
    /// How much of [`Deferred::patches`] is its own, and where that begins.
    pub(super) patch_count: u16,
    pub(super) patch: u32,
    /// Commands before it are done before it begins.
    pub(super) is_after_barrier: bool,
}

/// An address to write into a dispatch's arguments.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patch {
    /// Offset in the dispatch's arguments, in bytes.
    pub(super) at: u16,
    pub(super) operand: Operand,
}

/// A binding of a dispatch, for providers that check what it accesses.
#[derive(Clone, Copy, Debug)]
pub(super) struct DispatchBinding {
    pub(super) operand: Operand,
    /// [`WHOLE_BUFFER`] if a slot decides.
    pub(super) bytes: u64,
    pub(super) is_read_only: bool,
}

/// A kernel that is dispatched, and what to call it when that fails.
pub(super) struct Kernel {
    pub(super) executable: Executable,
    pub(super) export: i32,
}

/// Recorded commands with everything they need.
pub(crate) struct Deferred {
    pub(super) ops: Vec<Op>,
    pub(super) dispatches: Vec<Dispatch>,
    /// The arguments of all dispatches, one after the other.
    pub(super) kernargs: Vec<u8>,
    pub(super) patches: Vec<Patch>,
    /// Those of all dispatches, if the provider checks them.
    pub(super) bindings: Vec<DispatchBinding>,
    /// Side by side with `functions`, away from what replay reads.
    pub(super) kernels: Vec<Kernel>,
    pub(super) functions: Vec<Function>,
    /// Buffers whose memory comes and goes in the order of queues.
    pub(super) late: Vec<Buffer>,
    /// Ops that depend on the table by more than addresses.
    pub(super) dynamic: Vec<u32>,
    pub(super) resources: Resources,
    is_empty: bool,
    is_static: bool,
}

impl Deferred {
    pub(super) fn new(resources: Resources) -> Self {
        Self {
            ops: Vec::new(),
            dispatches: Vec::new(),
            kernargs: Vec::new(),
            patches: Vec::new(),
            bindings: Vec::new(),
            kernels: Vec::new(),
            functions: Vec::new(),
            late: Vec::new(),
            dynamic: Vec::new(),
            resources,
            is_empty: true,
            is_static: true,
        }
    }

    /// Applies every command in the order of recording; stops at the first
    /// error. Allocates nothing, locks nothing.
    pub(crate) fn apply<S: Sink>(&self, sink: &mut S, table: &[Binding]) -> Result<()> {
        let mut slots = Slots::new(table);
        let mut dispatches = self.dispatches.as_slice();
        for op in &self.ops {
            match op {
                Op::Dispatches(count) => {
                    let (run, rest) = dispatches.split_at(*count as usize);
                    dispatches = rest;
                    sink.dispatch_run(&Run {
                        dispatches: run,
                        functions: &self.functions,
                        kernargs: &self.kernargs[run[0].kernarg as usize..],
                        kernels: &self.kernels,
                    })?;
                }
                Op::Patched(count) => {
                    let (run, rest) = dispatches.split_at(*count as usize);
                    dispatches = rest;
                    self.dispatch_patched(run, sink, &mut slots)?;
                }
                Op::Bound { first, count } => {
                    let (run, rest) = dispatches.split_at(1);
                    dispatches = rest;
                    let first = *first as usize;
                    let bindings = &self.bindings[first..first + usize::from(*count)];
                    self.dispatch_bound(&run[0], bindings, sink, &mut slots)?;
                }
                Op::Barrier => sink.barrier()?,
                other => self.transfer(other, sink, table)?,
            }
        }
        Ok(())
    }

    #[inline(never)]
    fn dispatch_patched<S: Sink>(
        &self,
        run: &[Dispatch],
        sink: &mut S,
        slots: &mut Slots<'_>,
    ) -> Result<()> {
        for dispatch in run {
            if dispatch.is_after_barrier {
                sink.barrier()?;
            }
            let kernarg = self.patch(dispatch, slots)?;
            let function = &self.functions[dispatch.kernel as usize];
            if let Err(error) = sink.dispatch(function, &dispatch.config, kernarg) {
                return Err(dispatch_failed(&self.kernels, dispatch, error));
            }
        }
        Ok(())
    }

    /// The arguments of a dispatch, patched.
    #[inline(always)]
    fn patch<'a>(&self, dispatch: &Dispatch, slots: &'a mut Slots<'_>) -> Result<&'a [u8]> {
        let Slots {
            table,
            addresses,
            scratch,
        } = slots;
        let start = dispatch.kernarg as usize;
        let kernarg = &self.kernargs[start..start + usize::from(dispatch.kernarg_bytes)];
        let patched = &mut scratch[..kernarg.len()];
        patched.copy_from_slice(kernarg);
        let first = dispatch.patch as usize;
        for patch in &self.patches[first..first + usize::from(dispatch.patch_count)] {
            let address = match patch.operand {
                Operand::Slot { slot, offset } if (slot as usize) < addresses.len() => {
                    match addresses[slot as usize] {
                        // Nothing is bound, or it is without memory: says which.
                        0 => self.address(patch.operand, table)?,
                        address => DevicePtr(address).offset(offset),
                    }
                }
                operand => self.address(operand, table)?,
            };
            let at = usize::from(patch.at);
            patched[at..at + 8].copy_from_slice(&address.0.to_le_bytes());
        }
        Ok(patched)
    }

    /// Dispatches and tells the provider what that is bound to.
    #[cold]
    #[inline(never)]
    fn dispatch_bound<S: Sink>(
        &self,
        dispatch: &Dispatch,
        bindings: &[DispatchBinding],
        sink: &mut S,
        slots: &mut Slots<'_>,
    ) -> Result<()> {
        if dispatch.is_after_barrier {
            sink.barrier()?;
        }
        let bound = bindings
            .iter()
            .map(|binding| self.bound_range(binding, slots.table));
        let bound = bound.collect::<Result<Vec<_>>>()?;
        let kernarg = self.patch(dispatch, slots)?;
        let function = &self.functions[dispatch.kernel as usize];
        let function = function.bind(&bound)?;
        sink.dispatch(&function, &dispatch.config, kernarg)
            .map_err(|error| dispatch_failed(&self.kernels, dispatch, error))
    }

    fn bound_range(&self, binding: &DispatchBinding, table: &[Binding]) -> Result<BoundRange> {
        let address = self.address(binding.operand, table)?;
        let bytes = match address {
            DevicePtr::NULL => 0,
            _ => length(binding.bytes, binding.operand, table)?,
        };
        Ok(BoundRange {
            address: address.0,
            bytes,
            is_read_only: binding.is_read_only,
        })
    }

    fn transfer<S: Sink>(&self, op: &Op, sink: &mut S, table: &[Binding]) -> Result<()> {
        match *op {
            Op::Barrier | Op::Dispatches(_) | Op::Patched(_) | Op::Bound { .. } => Ok(()),
            Op::Fill {
                target,
                bytes,
                pattern,
            } => {
                let count = length(bytes, target, table)? / pattern.size();
                sink.fill(self.address(target, table)?, pattern, count)
            }
            Op::Update {
                target,
                staged,
                bytes,
            } => {
                let target = self.address(target, table)?;
                sink.copy(target, staged, bytes, MemcpyKind::HostToDevice)
            }
            Op::Copy {
                target,
                source,
                bytes,
            } => {
                let bytes = length(bytes, source, table)?;
                let target = self.address(target, table)?;
                let source = self.address(source, table)?;
                sink.copy(target, source, bytes, MemcpyKind::DeviceToDevice)
            }
        }
    }

    /// Whether applying the commands does nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// How many nodes of a graph the commands are.
    pub(super) fn node_count(&self) -> usize {
        let transfers = self.ops.iter().filter(|op| match op {
            Op::Fill { .. } | Op::Update { .. } | Op::Copy { .. } => true,
            Op::Barrier | Op::Dispatches(_) | Op::Patched(_) | Op::Bound { .. } => false,
        });
        self.dispatches.len() + transfers.count()
    }

    /// Whether there is one command, a dispatch.
    pub(super) fn is_single_dispatch(&self) -> bool {
        self.dispatches.len() == 1 && self.node_count() == 1
    }

    /// What it means that the first dispatch failed.
    pub(super) fn failed_dispatch(&self, error: hip::Error) -> Status {
        match self.dispatches.first() {
            Some(dispatch) => dispatch_failed(&self.kernels, dispatch, error),
            None => error.into(),
        }
    }

    /// Whether every application is the same, whatever the table.
    pub(crate) fn is_static(&self) -> bool {
        self.is_static
    }

    /// Recording is over.
    pub(super) fn freeze(&mut self) {
        let is_fixed = |operand: &Operand| matches!(operand, Operand::Fixed(_));
        self.is_empty = self.ops.iter().all(|op| matches!(op, Op::Barrier));
        self.is_static = self.patches.is_empty()
            && self.ops.iter().all(|op| match op {
                Op::Barrier | Op::Dispatches(_) | Op::Patched(_) | Op::Bound { .. } => true,
                Op::Fill { target, .. } | Op::Update { target, .. } => is_fixed(target),
                Op::Copy { target, source, .. } => is_fixed(target) && is_fixed(source),
            });
    }

    /// Checks the ops that depend on the table by more than addresses.
    pub(super) fn check_dynamic(&self, table: &[Binding]) -> Result<()> {
        for &index in &self.dynamic {
            match &self.ops[index as usize] {
                Op::Fill {
                    target,
                    bytes,
                    pattern,
                } => {
                    let bytes = length(*bytes, *target, table)?;
                    if !bytes.is_multiple_of(pattern.size()) {
                        return Err(Status::invalid_argument(format!(
                            "the {bytes} bytes bound to a fill are no multiple of its pattern's {}",
                            pattern.size()
                        )));
                    }
                }
                Op::Copy {
                    target,
                    source,
                    bytes,
                } => self.check_copy(*target, *source, *bytes, table)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn check_copy(
        &self,
        target: Operand,
        source: Operand,
        bytes: u64,
        table: &[Binding],
    ) -> Result<()> {
        let read = length(bytes, source, table)?;
        let written = length(bytes, target, table)?;
        if read != written {
            return Err(Status::invalid_argument(format!(
                "a copy reads {read} bytes and writes {written}"
            )));
        }
        // Addresses that are not known yet cannot be compared.
        if let (Ok(target), Ok(source)) = (self.address(target, table), self.address(source, table))
            && target.0 < source.0.saturating_add(read)
            && source.0 < target.0.saturating_add(read)
        {
            return Err(Status::invalid_argument(format!(
                "the bindings of a copy overlap: {read} bytes from {source:?} to {target:?}"
            )));
        }
        Ok(())
    }

    fn address(&self, operand: Operand, table: &[Binding]) -> Result<DevicePtr> {
        match operand {
            Operand::Fixed(address) => Ok(address),
            Operand::Slot { slot, offset } => {
                let binding = bound(slot, table)?;
                match binding.buffer {
                    Some(_) => Ok(binding.address()?.offset(offset)),
                    // Wherever in the range: there is none.
                    None => Ok(DevicePtr::NULL),
                }
            }
            Operand::Late { index, offset } => {
                Ok(self.late[index as usize].device_ptr()?.offset(offset))
            }
        }
    }
}

#[cold]
#[inline(never)]
fn dispatch_failed(kernels: &[Kernel], dispatch: &Dispatch, error: hip::Error) -> Status {
    let Kernel { executable, export } = &kernels[dispatch.kernel as usize];
    let config = &dispatch.config;
    let name = executable
        .export(*export)
        .map_or("?", |export| export.name());
    let (grid, block) = (config.grid, config.block);
    Status::from(error).context(format!(
        "dispatching `{name}` with grid {}x{}x{}, block {}x{}x{}, {} bytes of dynamic LDS",
        grid.x, grid.y, grid.z, block.x, block.y, block.z, config.shared_memory_bytes
    ))
}

/// What an application of commands needs of its binding table.
struct Slots<'a> {
    table: &'a [Binding],
    /// The addresses that the first slots are bound to, looked up once for all
    /// commands; 0 for none.
    addresses: [u64; 32],
    /// Where arguments are patched.
    scratch: [u8; MAX_KERNARG_BYTES],
}

impl<'a> Slots<'a> {
    fn new(table: &'a [Binding]) -> Self {
        let mut addresses = [0; 32];
        for (address, binding) in addresses.iter_mut().zip(table) {
            if let Ok(bound) = binding.address() {
                *address = bound.0;
            }
        }
        Self {
            table,
            addresses,
            scratch: [0; MAX_KERNARG_BYTES],
        }
    }
}

/// The length of a range, resolved if it is all that is bound to a slot.
fn length(bytes: u64, operand: Operand, table: &[Binding]) -> Result<u64> {
    match operand {
        Operand::Slot { slot, offset } if bytes == WHOLE_BUFFER => {
            let length = bound(slot, table)?.resolved_length()?;
            length.checked_sub(offset).ok_or_else(|| {
                Status::out_of_range(format!(
                    "offset {offset} is beyond the {length} bytes bound to slot {slot}"
                ))
            })
        }
        _ => Ok(bytes),
    }
}

fn bound(slot: u32, table: &[Binding]) -> Result<&Binding> {
    table.get(slot as usize).ok_or_else(|| {
        Status::out_of_range(format!(
            "slot {slot} is not among the {} bindings of the table",
            table.len()
        ))
    })
}
