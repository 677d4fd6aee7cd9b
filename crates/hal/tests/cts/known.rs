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
    waves_of_64("command_buffer::dispatch::abs"),
    waves_of_64("command_buffer::dispatch::with_constants"),
    waves_of_64("command_buffer::dispatch::scale_and_offset"),
    waves_of_64("command_buffer::dispatch::two_entry_points"),
    waves_of_64("command_buffer::dispatch::many_workgroups"),
    waves_of_64("command_buffer::dispatch::workgroups_in_three_dimensions"),
    waves_of_64("command_buffer::dispatch::many_dispatches_without_barriers"),
    waves_of_64("command_buffer::dispatch::through_views"),
    waves_of_64("command_buffer::pipeline::update_then_dispatch"),
    waves_of_64("command_buffer::pipeline::chained_dispatches"),
    waves_of_64("command_buffer::pipeline::fill_dispatch_dispatch"),
    waves_of_64("command_buffer::pipeline::transient_input"),
    waves_of_64("command_buffer::pipeline::reusable_with_different_inputs"),
    waves_of_64("command_buffer::push::abs"),
    waves_of_64("command_buffer::push::with_push_constants"),
    waves_of_64("command_buffer::push::with_push_constants_inline"),
    waves_of_64("command_buffer::push::constants_in_pieces"),
    waves_of_64("command_buffer::push::state_persists"),
    waves_of_64("command_buffer::push::constants_not_pushed_are_zero"),
    waves_of_64("command_buffer::push::two_descriptor_sets"),
    waves_of_64("command_buffer::push::without_layouts"),
    waves_of_64("programs::abs"),
    waves_of_64("programs::copy"),
    waves_of_64("programs::double_it"),
    waves_of_64("programs::executable_test"),
    waves_of_64("programs::negate"),
    waves_of_64("programs::scale_and_offset"),
    waves_of_64("programs::write_constants"),
    waves_of_64("programs::write_dispatch_params"),
    waves_of_64("programs::write_workgroup_ids"),
    KnownFailure {
        variant: &["software:", "/hip1"],
        case: "programs::matmul_f16",
        symptom: "v_wmma_f32_16x16x16_f16",
        reason: "the software GPU does not execute matrix instructions",
    },
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

/// A kernel of the older compiler, which chose waves of 64 lanes for it.
const fn waves_of_64(case: &'static str) -> KnownFailure {
    KnownFailure {
        variant: &["software:", "/rocm"],
        case,
        symptom: "waves of 64 lanes",
        reason: "the software GPU executes waves of 32 lanes only",
    }
}
