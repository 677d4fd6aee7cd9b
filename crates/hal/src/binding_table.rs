//! Binding tables: the buffers that the slots of a command buffer stand for.

use std::fmt;
use std::sync::Arc;

use hip::DevicePtr;

use crate::{Buffer, Result, WHOLE_BUFFER};

/// What a slot is bound to: a range of a buffer, in bytes, or nothing.
#[derive(Clone, Debug, Default)]
pub struct Binding {
    /// The buffer. Without one kernels get the null address, and no other
    /// command may use the slot.
    pub buffer: Option<Buffer>,
    /// Where the range begins.
    pub offset: u64,
    /// How long it is; [`WHOLE_BUFFER`] for all there is from the offset on.
    pub length: u64,
}

impl Binding {
    /// Nothing: the slot stays free.
    pub fn none() -> Self {
        Self::default()
    }

    /// All of a buffer.
    pub fn whole(buffer: &Buffer) -> Self {
        Self {
            buffer: Some(buffer.clone()),
            offset: 0,
            length: WHOLE_BUFFER,
        }
    }

    /// A range of a buffer.
    pub fn range(buffer: &Buffer, offset: u64, length: u64) -> Self {
        Self {
            buffer: Some(buffer.clone()),
            offset,
            length,
        }
    }

    /// The length in bytes, resolved; 0 without a buffer. OUT_OF_RANGE if the
    /// range does not fit.
    pub fn resolved_length(&self) -> Result<u64> {
        let Some(buffer) = &self.buffer else {
            return Ok(0);
        };
        let range = buffer.range(self.offset, self.length)?;
        Ok(range.end - range.start)
    }

    /// Where the range begins; null without a buffer. The error of
    /// [`Buffer::device_ptr`] for one without memory.
    pub(crate) fn address(&self) -> Result<DevicePtr> {
        let Some(buffer) = &self.buffer else {
            return Ok(DevicePtr::NULL);
        };
        let start = buffer.byte_offset() + self.offset;
        Ok(buffer.device_ptr()?.offset(start))
    }
}

/// What each slot of a command buffer is bound to for one execution. Cheap to
/// clone; submissions keep a clone, and with it the buffers, until they are complete.
#[derive(Clone, Default)]
pub struct BindingTable(Option<Arc<[Binding]>>);

impl BindingTable {
    /// A table with a binding for each slot from 0.
    pub fn new(bindings: Vec<Binding>) -> Self {
        match bindings.is_empty() {
            true => Self(None),
            false => Self(Some(bindings.into())),
        }
    }

    /// A table without slots.
    pub const fn empty() -> Self {
        Self(None)
    }

    /// The bindings, by slot.
    pub fn bindings(&self) -> &[Binding] {
        self.0.as_deref().unwrap_or_default()
    }
}

impl FromIterator<Binding> for BindingTable {
    fn from_iter<I: IntoIterator<Item = Binding>>(bindings: I) -> Self {
        let bindings: Arc<[Binding]> = bindings.into_iter().collect();
        match bindings.is_empty() {
            true => Self(None),
            false => Self(Some(bindings)),
        }
    }
}

impl fmt::Debug for BindingTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.bindings()).finish()
    }
}
