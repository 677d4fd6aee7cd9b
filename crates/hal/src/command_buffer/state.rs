//! Pushed constants and descriptor sets: what the next pushed dispatch runs
//! on. They stay from dispatch to dispatch; what was never pushed is zero.

use crate::layout::{MAX_BINDINGS_PER_SET, MAX_DESCRIPTOR_SETS, MAX_PUSH_CONSTANTS};
use crate::{BufferRef, Export, Result, Status};

pub(super) struct PushState {
    constants: [u32; MAX_PUSH_CONSTANTS],
    sets: [[Option<BufferRef>; MAX_BINDINGS_PER_SET]; MAX_DESCRIPTOR_SETS],
}

impl Default for PushState {
    fn default() -> Self {
        Self {
            constants: [0; MAX_PUSH_CONSTANTS],
            sets: Default::default(),
        }
    }
}

impl PushState {
    /// Sets constants from byte `offset` on: a multiple of 4 (INVALID_ARGUMENT),
    /// and all within the 256 bytes there are (OUT_OF_RANGE).
    pub(super) fn push_constants(&mut self, offset: u32, values: &[u32]) -> Result<()> {
        if !offset.is_multiple_of(4) {
            return Err(Status::invalid_argument(format!(
                "push constants begin at a multiple of 4 bytes, not at {offset}"
            )));
        }
        let first = offset as usize / 4;
        let target = first
            .checked_add(values.len())
            .and_then(|end| self.constants.get_mut(first..end));
        let Some(target) = target else {
            return Err(Status::out_of_range(format!(
                "{} push constants from byte {offset} on exceed the {MAX_PUSH_CONSTANTS} there are",
                values.len()
            )));
        };
        target.copy_from_slice(values);
        Ok(())
    }

    /// Sets bindings of descriptor set `set`. Too many at a time:
    /// RESOURCE_EXHAUSTED; a set or binding that cannot be: OUT_OF_RANGE.
    pub(super) fn push_descriptor_set(
        &mut self,
        set: u32,
        bindings: &[(u32, BufferRef)],
    ) -> Result<()> {
        if bindings.len() > MAX_BINDINGS_PER_SET {
            return Err(Status::resource_exhausted(format!(
                "{} bindings pushed at once; a set has at most {MAX_BINDINGS_PER_SET}",
                bindings.len()
            )));
        }
        let Some(slots) = self.sets.get_mut(set as usize) else {
            return Err(Status::out_of_range(format!(
                "descriptor set {set} is beyond the {MAX_DESCRIPTOR_SETS} there are"
            )));
        };
        if let Some((binding, _)) = bindings
            .iter()
            .find(|(binding, _)| *binding as usize >= MAX_BINDINGS_PER_SET)
        {
            return Err(Status::out_of_range(format!(
                "binding {binding} is beyond the {MAX_BINDINGS_PER_SET} of a descriptor set"
            )));
        }
        for (binding, buffer) in bindings {
            slots[*binding as usize] = Some(buffer.clone());
        }
        Ok(())
    }

    /// The constants that `export` takes.
    pub(super) fn constants(&self, export: &Export) -> &[u32] {
        let count = export.constant_count() as usize;
        &self.constants[..count.min(MAX_PUSH_CONSTANTS)]
    }

    /// The bindings that `export` takes: by set, then by binding, as its
    /// layout says; the first ones of set 0 if it has none.
    pub(super) fn bindings(&self, export: &Export) -> Vec<Option<&BufferRef>> {
        let mut bindings = Vec::with_capacity(export.binding_count() as usize);
        match export.layout() {
            Some(layout) => {
                for (set, slots) in layout.set_layouts().iter().zip(&self.sets) {
                    bindings.extend(slots[..set.binding_count()].iter().map(Option::as_ref));
                }
            }
            None => {
                let count = (export.binding_count() as usize).min(MAX_BINDINGS_PER_SET);
                bindings.extend(self.sets[0][..count].iter().map(Option::as_ref));
            }
        }
        bindings
    }
}
