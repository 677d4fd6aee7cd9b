//! Cases that fail, and why that is known.

/// A case that fails on some devices.
pub(crate) struct KnownFailure {
    /// Where: variants whose names hold all of these.
    pub(crate) variant: &'static [&'static str],
    /// The case, as it is printed.
    pub(crate) case: &'static str,
    /// Part of the message it fails with: any other failure counts.
    pub(crate) symptom: &'static str,
    /// Why it fails.
    pub(crate) reason: &'static str,
}

impl KnownFailure {
    /// Whether it is known of the variant called `variant`.
    pub(crate) fn covers(&self, variant: &str) -> bool {
        self.variant.iter().all(|part| variant.contains(part))
    }
}

/// These cases run all the same: one that passes fails the suite until its
/// row goes, and so does one that fails in another way.
pub(crate) const KNOWN_FAILURES: &[KnownFailure] = &[
    unimplemented("event::signal_and_reset", NO_EVENTS),
    unimplemented("event::submit_with_chained_command_buffers", NO_EVENTS),
    unimplemented(
        "command_buffer::indirect_parameters::static_parameters_from_queue_update",
        NO_INDIRECT,
    ),
    unimplemented(
        "command_buffer::indirect_parameters::whole_buffer_parameter_ref",
        NO_INDIRECT,
    ),
    unimplemented(
        "command_buffer::indirect_parameters::dynamic_parameters_from_update",
        NO_INDIRECT,
    ),
    unimplemented(
        "command_buffer::indirect_parameters::dynamic_parameters_from_fill",
        NO_INDIRECT,
    ),
    unimplemented(
        "command_buffer::indirect_parameters::dynamic_parameters_from_dispatch",
        NO_INDIRECT,
    ),
    unimplemented(
        "command_buffer::indirect_parameters::sub_allocated_parameter_buffer",
        NO_INDIRECT,
    ),
    unimplemented("queue::dispatch::static_parameters", NO_INDIRECT),
    unimplemented("queue::dispatch::dynamic_parameters", NO_INDIRECT),
    unimplemented("queue::dispatch::whole_buffer_parameter_ref", NO_INDIRECT),
];

const NO_EVENTS: &str = "events between commands are not built";
const NO_INDIRECT: &str = "HIP has no launches that read their workgroup counts from memory";

/// Something that no device does.
const fn unimplemented(case: &'static str, reason: &'static str) -> KnownFailure {
    KnownFailure {
        variant: &[],
        case,
        symptom: "UNIMPLEMENTED",
        reason,
    }
}
