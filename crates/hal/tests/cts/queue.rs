//! Queues: memory, transfers, dispatches and host functions in order.

pub(crate) mod ahead;
pub(crate) mod alloca;
pub(crate) mod dispatch;
pub(crate) mod fault;
pub(crate) mod host_call;
pub(crate) mod in_flight;
pub(crate) mod submission;
pub(crate) mod transfer;
