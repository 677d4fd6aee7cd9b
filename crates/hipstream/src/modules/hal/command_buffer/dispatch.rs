//! Dispatches: with all they need at once, or on what was pushed before.

use hal::{BufferRef, Command};
use vm::{Call, Code, Error, Flow, Result};

use super::{buffer_ref, record};
use crate::modules::hal::{HalModule, Scratch, types};

/// Workgroup counts, three 32-bit numbers, take this many bytes.
const COUNTS_BYTES: u64 = 12;

/// The caller keeps alive what the dispatch uses. We do too, so it says nothing.
const BORROW_RESOURCES: u64 = 64;

pub(in crate::modules::hal) fn dispatch(
    module: &mut HalModule,
    call: &mut Call<'_>,
) -> Result<Flow> {
    let commands = call.object(&types::COMMAND_BUFFER)?;
    let executable = call.object(&types::EXECUTABLE)?;
    let export = ordinal(call.i64()?)?;
    let workgroups = [call.u32()?, call.u32()?, call.u32()?];
    check_flags(call.u64()?)?;
    module.scratch.with_arguments(call, |constants, bindings| {
        record(
            commands,
            &Command::Dispatch {
                executable,
                export,
                config: workgroups.into(),
                constants,
                bindings,
            },
        )
    })
}

pub(in crate::modules::hal) fn dispatch_indirect(
    module: &mut HalModule,
    call: &mut Call<'_>,
) -> Result<Flow> {
    let commands = call.object(&types::COMMAND_BUFFER)?;
    let executable = call.object(&types::EXECUTABLE)?;
    let export = ordinal(call.i64()?)?;
    let slot = call.u32()?;
    let counts = call.optional(&types::BUFFER)?;
    let workgroups = buffer_ref(counts, slot, call.u64()?, COUNTS_BYTES);
    let _flags = call.u64()?;
    module.scratch.with_arguments(call, |constants, bindings| {
        record(
            commands,
            &Command::DispatchIndirect {
                executable,
                export,
                workgroups: &workgroups,
                constants,
                bindings,
            },
        )
    })
}

pub(in crate::modules::hal) fn dispatch_v2(_: &mut HalModule, call: &mut Call<'_>) -> Result<Flow> {
    let commands = call.object(&types::COMMAND_BUFFER)?;
    let executable = call.object(&types::EXECUTABLE)?;
    let export = call.i32()?;
    let workgroups = [call.u32()?, call.u32()?, call.u32()?];
    record(
        commands,
        &Command::DispatchPushed {
            executable,
            export,
            workgroups,
        },
    )
}

pub(in crate::modules::hal) fn dispatch_indirect_v2(
    _: &mut HalModule,
    call: &mut Call<'_>,
) -> Result<Flow> {
    let commands = call.object(&types::COMMAND_BUFFER)?;
    let executable = call.object(&types::EXECUTABLE)?;
    let export = call.i32()?;
    let counts = call.object(&types::BUFFER)?;
    let workgroups = BufferRef::range(counts, call.u64()?, COUNTS_BYTES);
    record(
        commands,
        &Command::DispatchPushedIndirect {
            executable,
            export,
            workgroups: &workgroups,
        },
    )
}

pub(in crate::modules::hal) fn push_constants(
    module: &mut HalModule,
    call: &mut Call<'_>,
) -> Result<Flow> {
    let commands = call.object(&types::COMMAND_BUFFER)?;
    let layout = call.object(&types::PIPELINE_LAYOUT)?;
    let first = call.u32()?;
    let offset = first.checked_mul(4).ok_or_else(|| {
        Error::new(
            Code::OUT_OF_RANGE,
            format!("there is no push constant {first}"),
        )
    })?;
    let values = module.scratch.read_constants(call)?;
    record(
        commands,
        &Command::PushConstants {
            layout,
            offset,
            values,
        },
    )
}

pub(in crate::modules::hal) fn push_descriptor_set(
    _: &mut HalModule,
    call: &mut Call<'_>,
) -> Result<Flow> {
    let commands = call.object(&types::COMMAND_BUFFER)?;
    let layout = call.object(&types::PIPELINE_LAYOUT)?;
    let set = call.u32()?;
    let bindings = (0..call.group()?)
        .map(|_| Ok((call.u32()?, binding(call)?)))
        .collect::<Result<Vec<_>>>()?;
    record(
        commands,
        &Command::PushDescriptorSet {
            layout,
            set,
            bindings: &bindings,
        },
    )
}

impl Scratch {
    /// Lends the constants and bindings that come next.
    fn with_arguments(
        &mut self,
        call: &mut Call<'_>,
        record: impl FnOnce(&[u32], &[BufferRef]) -> Result<Flow>,
    ) -> Result<Flow> {
        self.read_constants(call)?;
        let read = self.read_bindings(call);
        let result = read.and_then(|()| record(&self.constants, &self.bindings));
        // Only their room is kept: buffers must not stay alive here.
        self.bindings.clear();
        result
    }

    fn read_constants(&mut self, call: &mut Call<'_>) -> Result<&[u32]> {
        self.constants.clear();
        for _ in 0..call.group()? {
            self.constants.push(call.u32()?);
        }
        Ok(&self.constants)
    }

    fn read_bindings(&mut self, call: &mut Call<'_>) -> Result<()> {
        for _ in 0..call.group()? {
            let _reserved = call.i32()?;
            self.bindings.push(binding(call)?);
        }
        Ok(())
    }
}

/// The next four arguments: slot, buffer, offset and length.
fn binding(call: &mut Call<'_>) -> Result<BufferRef> {
    let slot = call.u32()?;
    let buffer = call.optional(&types::BUFFER)?;
    Ok(buffer_ref(buffer, slot, call.u64()?, call.u64()?))
}

/// The export that a program knows by this number.
fn ordinal(function: i64) -> Result<i32> {
    i32::try_from(function).map_err(|_| {
        Error::new(
            Code::OUT_OF_RANGE,
            format!("there is no function {function:#x} in an executable"),
        )
    })
}

fn check_flags(flags: u64) -> Result<()> {
    match flags & !BORROW_RESOURCES {
        0 => Ok(()),
        rest => Err(Error::new(
            Code::UNIMPLEMENTED,
            format!("dispatches with the flags {rest:#x} are not built"),
        )),
    }
}
