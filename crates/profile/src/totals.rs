//! What calls spend their time on.

use std::ops::Sub;

use crate::Activity;

/// Sums over all calls so far.
///
/// The times of the host are those of spans without the spans within them, of
/// calls only: they add up to the time that calls took. Those of devices are
/// of all work of all queues, and run beside them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub(crate) host_ns: [u64; Activity::ALL.len()],
    /// Nanoseconds that queues were busy.
    pub device_ns: u64,
    /// Pieces of work that devices did.
    pub device_work: u64,
}

impl Totals {
    /// Nanoseconds that calls spent on one thing.
    pub fn host_ns(&self, activity: Activity) -> u64 {
        self.host_ns[activity as usize]
    }

    /// Nanoseconds that calls took, without what recording them cost.
    pub fn call_ns(&self) -> u64 {
        let profiling = self.host_ns(Activity::Profiling);
        self.host_ns.iter().sum::<u64>() - profiling
    }
}

impl Sub for Totals {
    type Output = Self;

    /// What came since `earlier`.
    fn sub(mut self, earlier: Self) -> Self {
        for (ns, before) in self.host_ns.iter_mut().zip(earlier.host_ns) {
            *ns -= before;
        }
        self.device_ns -= earlier.device_ns;
        self.device_work -= earlier.device_work;
        self
    }
}
