//! How much memory is in use.

use hal::Device;
use serde::Serialize;

use super::super::report::{DEVICE_ERROR, Failure};
use crate::Session;

/// At one time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Memory {
    /// Bytes of buffers of all devices, in whatever memory.
    buffers: u64,
    /// Bytes of this process in the host's memory, where the system tells.
    process: Option<u64>,
}

/// Before and after calls.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Growth {
    /// Bytes of buffers in use before.
    pub(super) buffer_bytes: u64,
    /// How many more there were after.
    pub(super) buffer_growth_bytes: i64,
    /// How many more bytes of host memory the process had after.
    pub(super) process_growth_bytes: Option<i64>,
}

/// What a process may grow by and still be called flat: allocators keep some,
/// and each call's time is kept.
const SLACK_BYTES: i64 = 1 << 20;
const SLACK_BYTES_A_CALL: i64 = 16;

impl Memory {
    /// Now, with nothing under way.
    pub(super) fn now(session: &Session) -> Result<Self, Failure> {
        let mut buffers = 0;
        for device in session.devices() {
            device.queues().iter().for_each(hal::Queue::wait_idle);
            buffers += in_use(device)?;
        }
        Ok(Self {
            buffers,
            process: resident_bytes(),
        })
    }

    pub(super) fn growth_to(self, later: Self) -> Growth {
        let difference = |before: u64, after: u64| after.cast_signed() - before.cast_signed();
        Growth {
            buffer_bytes: self.buffers,
            buffer_growth_bytes: difference(self.buffers, later.buffers),
            process_growth_bytes: self
                .process
                .zip(later.process)
                .map(|(before, after)| difference(before, after)),
        }
    }
}

impl Growth {
    /// Whether `calls` calls have left nothing behind.
    pub(super) fn is_flat(&self, calls: u64) -> bool {
        let calls = i64::try_from(calls).unwrap_or(i64::MAX);
        let slack = SLACK_BYTES.saturating_add(calls.saturating_mul(SLACK_BYTES_A_CALL));
        self.buffer_growth_bytes <= 0
            && self
                .process_growth_bytes
                .is_none_or(|growth| growth <= slack)
    }
}

fn in_use(device: &Device) -> Result<u64, Failure> {
    let statistics = device
        .allocator()
        .statistics()
        .map_err(|status| Failure::from_status("statistics", &status, DEVICE_ERROR))?;
    let allocated = statistics.host_bytes_allocated + statistics.device_bytes_allocated;
    let freed = statistics.host_bytes_freed + statistics.device_bytes_freed;
    Ok(allocated.saturating_sub(freed))
}

/// What Linux says of this process.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes = line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_behind_is_growth() {
        let memory = |buffers, process| Memory { buffers, process };
        let growth = memory(100, Some(5000)).growth_to(memory(100, Some(4000)));
        assert_eq!(growth.process_growth_bytes, Some(-1000));
        assert!(growth.is_flat(1));
        let growth = memory(100, None).growth_to(memory(101, None));
        assert_eq!(growth.buffer_growth_bytes, 1);
        assert!(!growth.is_flat(100_000));
        // 32 bytes a call are a leak.
        let calls = 100_000;
        let growth = memory(0, Some(0)).growth_to(memory(0, Some(calls * 32)));
        assert!(!growth.is_flat(calls));
        let growth = memory(0, Some(0)).growth_to(memory(0, Some(calls * 8)));
        assert!(growth.is_flat(calls));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn linux_tells_what_a_process_has() {
        let before = resident_bytes().expect("it tells");
        let more = vec![1u8; 64 << 20];
        let after = resident_bytes().expect("it tells");
        assert!(after >= before + (32 << 20), "{before} {after}");
        drop(more);
    }
}
