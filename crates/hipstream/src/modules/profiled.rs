//! A module that tells a profiler how long the functions of another one take.

use profile::{Activity, Profiler};
use vm::{Call, Flow, NativeExport, NativeModule, Ref, RefType, Result};

/// Hands every call on to `inner`, as a span.
pub(crate) struct ProfiledModule {
    inner: Box<dyn NativeModule>,
    profiler: Profiler,
    /// What each export does, by its number.
    activities: Vec<Activity>,
}

/// What functions do whose names begin so; the first row that fits counts.
const ACTIVITIES: &[(&str, Activity)] = &[
    ("hal.command_buffer.", Activity::Recording),
    ("hal.device.queue.alloca", Activity::Memory),
    ("hal.device.queue.dealloca", Activity::Memory),
    ("hal.device.queue.", Activity::Submission),
    ("hal.allocator.", Activity::Memory),
    ("hal.executable.", Activity::Loading),
    ("hal.pipeline_layout.", Activity::Loading),
    ("hal.descriptor_set_layout.", Activity::Loading),
    ("io_parameters.", Activity::Loading),
];

impl ProfiledModule {
    /// Watches a module.
    pub(crate) fn new(inner: Box<dyn NativeModule>, profiler: &Profiler) -> Self {
        let module = inner.name();
        let activities = inner.exports().iter();
        let activities = activities.map(|export| activity(&format!("{module}.{}", export.name)));
        Self {
            activities: activities.collect(),
            profiler: profiler.clone(),
            inner,
        }
    }
}

fn activity(function: &str) -> Activity {
    ACTIVITIES
        .iter()
        .find(|(prefix, _)| function.starts_with(prefix))
        .map_or(Activity::Library, |(_, activity)| *activity)
}

impl NativeModule for ProfiledModule {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn version(&self) -> u32 {
        self.inner.version()
    }

    fn types(&self) -> &'static [&'static RefType] {
        self.inner.types()
    }

    fn exports(&self) -> &[NativeExport] {
        self.inner.exports()
    }

    fn call(&mut self, export: usize, call: &mut Call<'_>) -> Result<Flow> {
        let name = self.inner.exports().get(export).map_or("?", |it| it.name);
        let activity = self.activities.get(export).copied();
        let _span = self
            .profiler
            .span(activity.unwrap_or(Activity::Library), name);
        self.inner.call(export, call)
    }

    fn runs_ahead(&self, export: usize) -> bool {
        self.inner.runs_ahead(export)
    }

    fn catch_up(&mut self) {
        self.inner.catch_up();
    }

    fn is_settled(&mut self, on: &Ref, has_waited: bool) -> Result<bool> {
        self.inner.is_settled(on, has_waited)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::hal::HalModule;

    #[test]
    fn functions_are_told_apart_by_what_they_do() {
        for (function, wanted) in [
            ("hal.command_buffer.dispatch", Activity::Recording),
            ("hal.device.queue.alloca", Activity::Memory),
            ("hal.device.queue.execute.indirect", Activity::Submission),
            ("hal.fence.await", Activity::Library),
            ("io_parameters.load", Activity::Loading),
            ("mine.hal.allocator.", Activity::Library),
        ] {
            assert_eq!(activity(function), wanted, "{function}");
        }
        // A row that fits no function is a name that has changed.
        for (prefix, _) in ACTIVITIES {
            let exports = HalModule::EXPORTS
                .iter()
                .map(|it| format!("hal.{}", it.name));
            let others = crate::modules::io_parameters::EXPORTS.iter();
            let others = others.map(|it| format!("io_parameters.{}", it.name));
            let fits = exports.chain(others).any(|name| name.starts_with(prefix));
            assert!(fits, "{prefix}");
        }
    }
}
