//! Binding tables: the buffers that the slots of a command buffer stand for.

use std::fmt;
use std::sync::Arc;

use crate::{Buffer, Result, WHOLE_BUFFER};

/// A range of a buffer, in bytes.
#[derive(Clone, Debug)]
pub struct Binding {
    /// The buffer.
    pub buffer: Buffer,
    /// Where the range begins.
    pub offset: u64,
    /// How long it is; [`WHOLE_BUFFER`] for all there is from the offset on.
    pub length: u64,
}

impl Binding {
    /// All of a buffer.
    pub fn whole(buffer: &Buffer) -> Self {
        Self {
            buffer: buffer.clone(),
            offset: 0,
            length: WHOLE_BUFFER,
        }
    }

    /// A range of a buffer.
    pub fn range(buffer: &Buffer, offset: u64, length: u64) -> Self {
        Self {
            buffer: buffer.clone(),
            offset,
            length,
        }
    }

    /// The length in bytes, resolved. OUT_OF_RANGE if the range does not fit.
    pub fn resolved_length(&self) -> Result<u64> {
        let range = self.buffer.range(self.offset, self.length)?;
        Ok(range.end - range.start)
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
        Self::new(bindings.into_iter().collect())
    }
}

impl fmt::Debug for BindingTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.bindings()).finish()
    }
}
