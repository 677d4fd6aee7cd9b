//! Commands issued one by one on a HIP stream. Its order is the order of the
//! commands, so barriers need nothing.

use hip::{DevicePtr, Function, Issue, LaunchConfig, MemcpyKind};

use super::deferred::{Pattern, Sink};
use crate::Result;

/// Issues commands on a stream.
pub(crate) struct StreamSink<'a, 'b>(pub(crate) &'a Issue<'b>);

impl Sink for StreamSink<'_, '_> {
    const IS_IN_ORDER: bool = true;

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
}
