//! Commands issued one by one on a HIP stream. Its order is the order of the
//! commands, so barriers need nothing.

use hip::{DevicePtr, Function, Issue, LaunchConfig, MemcpyKind};

use super::deferred::{Pattern, Run, Sink};
use crate::Result;

/// Issues commands on a stream.
pub(crate) struct StreamSink<'a, 'b>(pub(crate) &'a Issue<'b>);

impl Sink for StreamSink<'_, '_> {
    #[inline]
    fn barrier(&mut self) -> Result<()> {
        Ok(())
    }

    fn fill(&mut self, target: DevicePtr, pattern: Pattern, count: u64) -> Result<()> {
        match pattern {
            Pattern::One(value) => self.0.fill_u8(target, value, count)?,
            Pattern::Two(value) => self.0.fill_u16(target, value, count)?,
            Pattern::Four(value) => self.0.fill_u32(target, value, count)?,
        }
        Ok(())
    }

    fn copy(
        &mut self,
        target: DevicePtr,
        source: DevicePtr,
        bytes: u64,
        kind: MemcpyKind,
    ) -> Result<()> {
        Ok(self.0.copy(target, source, bytes, kind)?)
    }

    #[inline]
    fn dispatch(
        &mut self,
        function: &Function,
        config: &LaunchConfig,
        kernarg: &[u8],
    ) -> hip::Result<()> {
        self.0.launch(function, config, kernarg)
    }
    fn dispatch_run(&mut self, run: &Run<'_>) -> Result<()> {
        launch(self.0, run)
    }
}

/// The inner loop of replay: as little as possible beside the call itself.
/// The stream stands in a parameter of its own so that what is needed of it is
/// known not to change from call to call, and is loaded once.
#[inline(never)]
fn launch(issue: &Issue<'_>, run: &Run<'_>) -> Result<()> {
    let mut kernargs = run.kernargs;
    let functions = run.functions;
    for dispatch in run.dispatches {
        let (kernarg, rest) = kernargs.split_at(usize::from(dispatch.kernarg_bytes));
        kernargs = rest;
        let function = &functions[dispatch.kernel as usize];
        if let Err(error) = issue.launch(function, &dispatch.config, kernarg) {
            return Err(run.failed(dispatch, error));
        }
    }
    Ok(())
}

/// Gives dispatches to a stream that may put them off, and issues all else.
pub(crate) struct LaterSink<'a, 'b> {
    pub(crate) issue: &'a Issue<'b>,
    pub(crate) tag: u64,
}

impl Sink for LaterSink<'_, '_> {
    fn barrier(&mut self) -> Result<()> {
        Ok(())
    }

    fn fill(&mut self, target: DevicePtr, pattern: Pattern, count: u64) -> Result<()> {
        StreamSink(self.issue).fill(target, pattern, count)
    }

    fn copy(
        &mut self,
        target: DevicePtr,
        source: DevicePtr,
        bytes: u64,
        kind: MemcpyKind,
    ) -> Result<()> {
        StreamSink(self.issue).copy(target, source, bytes, kind)
    }

    fn dispatch(
        &mut self,
        function: &Function,
        config: &LaunchConfig,
        kernarg: &[u8],
    ) -> hip::Result<()> {
        self.issue.launch_later(function, config, kernarg, self.tag)
    }
}
