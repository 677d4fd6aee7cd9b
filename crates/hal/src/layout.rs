//! Layouts: how many bindings and constants an executable of the older
//! generation takes, and where each descriptor set's bindings begin.

use std::sync::Arc;

use crate::{Result, Status};

/// Most 32-bit push constants of a pipeline layout.
pub const MAX_PUSH_CONSTANTS: usize = 64;
/// Most descriptor sets of a pipeline layout.
pub const MAX_DESCRIPTOR_SETS: usize = 4;
/// Most bindings of a descriptor set.
pub const MAX_BINDINGS_PER_SET: usize = 16;

/// One binding of a descriptor set. Every binding is a device address, whatever
/// its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DescriptorBinding {
    /// Slot in the set.
    pub binding: u32,
    /// What the program calls it: uniform (6) or storage (7) buffer.
    pub descriptor_type: u32,
    /// Flags of the program: 1 read-only.
    pub flags: u32,
}

/// The bindings of a descriptor set: the flags of each, by slot.
#[derive(Clone, Debug)]
pub struct DescriptorSetLayout(Arc<[u32]>);

impl DescriptorSetLayout {
    /// A layout for these bindings. `INVALID_ARGUMENT` for more than
    /// [`MAX_BINDINGS_PER_SET`].
    pub fn new(bindings: &[DescriptorBinding]) -> Result<Self> {
        if bindings.len() > MAX_BINDINGS_PER_SET {
            return Err(Status::invalid_argument(format!(
                "a descriptor set has at most {MAX_BINDINGS_PER_SET} bindings, not {}",
                bindings.len()
            )));
        }
        let flags_of = |slot| {
            let mut bindings = bindings.iter();
            let binding = bindings.find(|binding| binding.binding as usize == slot);
            binding.map_or(0, |binding| binding.flags)
        };
        Ok(Self((0..bindings.len()).map(flags_of).collect()))
    }

    /// How many bindings.
    pub fn binding_count(&self) -> usize {
        self.0.len()
    }

    /// The program's flags of each binding: 1 read-only.
    pub fn binding_flags(&self) -> &[u32] {
        &self.0
    }
}

/// The constants and descriptor sets that a dispatch takes.
#[derive(Clone, Debug)]
pub struct PipelineLayout(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    push_constant_count: usize,
    set_layouts: Vec<DescriptorSetLayout>,
    base_indices: Vec<usize>,
    total_binding_count: usize,
}

impl PipelineLayout {
    /// A layout. `INVALID_ARGUMENT` for more than [`MAX_PUSH_CONSTANTS`]
    /// constants or [`MAX_DESCRIPTOR_SETS`] sets.
    pub fn new(push_constant_count: usize, set_layouts: &[DescriptorSetLayout]) -> Result<Self> {
        if push_constant_count > MAX_PUSH_CONSTANTS {
            return Err(Status::invalid_argument(format!(
                "a pipeline layout has at most {MAX_PUSH_CONSTANTS} push constants, not {push_constant_count}"
            )));
        }
        if set_layouts.len() > MAX_DESCRIPTOR_SETS {
            return Err(Status::invalid_argument(format!(
                "a pipeline layout has at most {MAX_DESCRIPTOR_SETS} descriptor sets, not {}",
                set_layouts.len()
            )));
        }
        let mut total_binding_count = 0;
        let base_indices = set_layouts
            .iter()
            .map(|set| {
                let base = total_binding_count;
                total_binding_count += set.binding_count();
                base
            })
            .collect();
        Ok(Self(Arc::new(Inner {
            push_constant_count,
            set_layouts: set_layouts.to_vec(),
            base_indices,
            total_binding_count,
        })))
    }

    /// 32-bit push constants.
    pub fn push_constant_count(&self) -> usize {
        self.0.push_constant_count
    }

    /// The descriptor sets, in order.
    pub fn set_layouts(&self) -> &[DescriptorSetLayout] {
        &self.0.set_layouts
    }

    /// Bindings of all sets together; the constants follow them.
    pub fn total_binding_count(&self) -> usize {
        self.0.total_binding_count
    }

    /// The program's flags of each of them: 1 read-only.
    pub fn binding_flags(&self) -> impl Iterator<Item = u32> {
        let sets = self.0.set_layouts.iter();
        sets.flat_map(|set| set.binding_flags().iter().copied())
    }

    /// Index of the first binding of `set` among all bindings. `None` for a
    /// set that is not there.
    pub fn base_index(&self, set: usize) -> Option<usize> {
        self.0.base_indices.get(set).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StatusCode;

    fn set(count: usize) -> Result<DescriptorSetLayout> {
        let bindings: Vec<_> = (0..count as u32)
            .map(|binding| DescriptorBinding {
                binding,
                descriptor_type: 7,
                flags: 0,
            })
            .collect();
        DescriptorSetLayout::new(&bindings)
    }

    #[test]
    fn base_indices_are_sums_of_the_sets_before() {
        let layout = PipelineLayout::new(5, &[set(2).unwrap(), set(0).unwrap(), set(3).unwrap()]);
        let layout = layout.unwrap();
        assert_eq!(layout.push_constant_count(), 5);
        assert_eq!(layout.total_binding_count(), 5);
        let bases: Vec<_> = (0..4).map(|set| layout.base_index(set)).collect();
        assert_eq!(bases, [Some(0), Some(2), Some(2), None]);
        assert_eq!(layout.set_layouts()[2].binding_count(), 3);
    }

    #[test]
    fn flags_are_those_of_the_slots() {
        let binding = |binding, flags| DescriptorBinding {
            binding,
            descriptor_type: 7,
            flags,
        };
        let first = DescriptorSetLayout::new(&[binding(1, 1), binding(0, 0)]).unwrap();
        let second = DescriptorSetLayout::new(&[binding(0, 1)]).unwrap();
        let layout = PipelineLayout::new(0, &[first, second]).unwrap();
        assert_eq!(layout.binding_flags().collect::<Vec<_>>(), [0, 1, 1]);
    }

    #[test]
    fn limits_are_refused_at_creation() {
        assert_eq!(set(16).unwrap().binding_count(), 16);
        let code = |result: Result<PipelineLayout>| result.unwrap_err().code();
        assert_eq!(set(17).unwrap_err().code(), StatusCode::InvalidArgument);
        let sets = vec![set(16).unwrap(); 5];
        let full = PipelineLayout::new(64, &sets[..4]).unwrap();
        assert_eq!(full.total_binding_count(), 64);
        assert_eq!(
            code(PipelineLayout::new(0, &sets)),
            StatusCode::InvalidArgument
        );
        assert_eq!(
            code(PipelineLayout::new(65, &[])),
            StatusCode::InvalidArgument
        );
    }
}
