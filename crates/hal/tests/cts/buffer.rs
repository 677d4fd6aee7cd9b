//! Memory: allocating, importing, mapping.

pub(crate) mod allocator;
pub(crate) mod mapping;
