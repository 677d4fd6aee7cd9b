//! Commands: what each does, in either mode, however it names buffers.

pub(crate) mod barrier;
pub(crate) mod basic;
pub(crate) mod copy;
pub(crate) mod dispatch;
pub(crate) mod fill;
pub(crate) mod indirect_parameters;
pub(crate) mod pipeline;
pub(crate) mod push;
pub(crate) mod reuse;
pub(crate) mod rules;
pub(crate) mod stress;
pub(crate) mod transient;
pub(crate) mod update;
