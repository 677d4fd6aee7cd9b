//! Who has how much memory: counted as it comes and goes, told when it runs out.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Where memory comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// Allocated on the device at once.
    Device,
    /// On the device, by the order of queues.
    DevicePool,
    /// The same for memory that is not device-local.
    OtherPool,
    /// Moves between device and host.
    Managed,
    /// Pinned memory of the host.
    Host,
}

impl Source {
    pub(crate) fn name(self) -> &'static str {
        SOURCES[self as usize].1
    }
}

const SOURCES: [(Source, &str); 5] = [
    (Source::Device, "device"),
    (Source::DevicePool, "device pool"),
    (Source::OtherPool, "other pool"),
    (Source::Managed, "managed"),
    (Source::Host, "pinned host"),
];

/// On whose behalf memory is allocated, for reports; see
/// [`Allocator::owner`](crate::Allocator::owner).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Owner(u32);

/// What those are called who did not say who they are.
const NOBODY: &str = "caller";

/// Most owners that are told apart.
const MOST_OWNERS: usize = 256;

/// Counts the memory of a device.
pub(crate) struct Ledger {
    sources: [Counter; SOURCES.len()],
    owners: Mutex<Vec<(String, Arc<Counter>)>>,
}

/// Bytes that come and go.
#[derive(Default)]
pub(crate) struct Counter {
    allocated: AtomicU64,
    live: AtomicU64,
    peak: AtomicU64,
    count: AtomicU64,
}

/// A moment of a [`Counter`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Figures {
    pub(crate) allocated: u64,
    pub(crate) live: u64,
    pub(crate) peak: u64,
    pub(crate) count: u64,
}

impl Counter {
    fn add(&self, bytes: u64) {
        self.allocated.fetch_add(bytes, Ordering::AcqRel);
        self.count.fetch_add(1, Ordering::AcqRel);
        let live = self.live.fetch_add(bytes, Ordering::AcqRel) + bytes;
        if live > self.peak.load(Ordering::Acquire) {
            self.peak.fetch_max(live, Ordering::AcqRel);
        }
    }

    fn remove(&self, bytes: u64) {
        self.live.fetch_sub(bytes, Ordering::AcqRel);
        self.count.fetch_sub(1, Ordering::AcqRel);
    }

    pub(crate) fn allocated(&self) -> u64 {
        self.allocated.load(Ordering::Acquire)
    }

    fn figures(&self) -> Figures {
        // Live first: what comes in between may not make it exceed the sum.
        let live = self.live.load(Ordering::Acquire);
        let allocated = self.allocated();
        Figures {
            allocated,
            live,
            peak: self.peak.load(Ordering::Acquire),
            count: self.count.load(Ordering::Acquire),
        }
    }
}

impl Ledger {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            sources: Default::default(),
            owners: Mutex::new(vec![(NOBODY.to_owned(), Arc::default())]),
        })
    }

    pub(crate) fn owner(&self, name: &str) -> Owner {
        let mut owners = self.owners();
        let known = owners.iter().position(|(other, _)| other == name);
        let number = match known {
            Some(known) => known,
            // There is no end of names that programs can have.
            None if owners.len() == MOST_OWNERS => 0,
            None => {
                owners.push((name.to_owned(), Arc::default()));
                owners.len() - 1
            }
        };
        Owner(number as u32)
    }

    pub(crate) fn source(&self, source: Source) -> &Counter {
        &self.sources[source as usize]
    }

    pub(crate) fn figures(&self, source: Source) -> Figures {
        self.source(source).figures()
    }

    /// Bytes allocated since it was made.
    pub(crate) fn allocated(&self) -> u64 {
        self.sources.iter().map(Counter::allocated).sum()
    }

    /// What is not in use is not in a report.
    pub(crate) fn report(&self) -> MemoryReport {
        let usage = |name: &str, figures: Figures| MemoryUsage {
            name: name.to_owned(),
            live_bytes: figures.live,
            peak_bytes: figures.peak,
            kept_bytes: 0,
            allocations: figures.count,
        };
        let pools = SOURCES
            .iter()
            .map(|&(source, name)| usage(name, self.figures(source)));
        let owners = self.owners();
        let mut owners: Vec<_> = owners
            .iter()
            .map(|(name, counter)| usage(name, counter.figures()))
            .filter(|owner| owner.peak_bytes > 0)
            .collect();
        owners.sort_by_key(|owner| std::cmp::Reverse(owner.live_bytes));
        MemoryReport {
            pools: pools.filter(|pool| pool.peak_bytes > 0).collect(),
            owners,
        }
    }

    fn owners(&self) -> MutexGuard<'_, Vec<(String, Arc<Counter>)>> {
        self.owners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts an allocation while it lives.
pub(crate) struct Entry {
    ledger: Arc<Ledger>,
    owner: Arc<Counter>,
    source: Source,
    bytes: u64,
}

impl Entry {
    pub(crate) fn new(ledger: &Arc<Ledger>, source: Source, owner: Owner, bytes: u64) -> Self {
        let owner = {
            let owners = ledger.owners();
            // Another device's owner may be none here.
            let (_, counter) = owners.get(owner.0 as usize).unwrap_or(&owners[0]);
            counter.clone()
        };
        owner.add(bytes);
        ledger.source(source).add(bytes);
        Self {
            ledger: ledger.clone(),
            owner,
            source,
            bytes,
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.owner.remove(self.bytes);
        self.ledger.source(self.source).remove(self.bytes);
    }
}

/// Who has how much memory of a device. As text, one line; with `{:#}`, a
/// table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryReport {
    /// By where the memory comes from.
    pub pools: Vec<MemoryUsage>,
    /// By whom it was allocated for, the largest first. What devices need
    /// for themselves is not among them.
    pub owners: Vec<MemoryUsage>,
}

/// A row of a [`MemoryReport`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryUsage {
    /// Of the pool, or of the owner.
    pub name: String,
    /// In use now.
    pub live_bytes: u64,
    /// Most ever in use at one time.
    pub peak_bytes: u64,
    /// Free, but not given back to the driver.
    pub kept_bytes: u64,
    /// How many allocations are in use now.
    pub allocations: u64,
}

impl fmt::Display for MemoryReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            let title = ["memory", "live", "peak", "kept", "allocations"];
            let [name, live, peak, kept, count] = title;
            writeln!(f, "{name:<24}{live:>12}{peak:>12}{kept:>12}{count:>13}")?;
            let owners = self.owners.iter().map(|owner| ("by ", owner));
            for (by, usage) in self.pools.iter().map(|pool| ("", pool)).chain(owners) {
                let name = format!("{by}{}", usage.name.escape_debug());
                let [live, peak, kept] = [usage.live_bytes, usage.peak_bytes, usage.kept_bytes]
                    .map(|bytes| Bytes(bytes).to_string());
                let count = usage.allocations;
                writeln!(f, "{name:<24}{live:>12}{peak:>12}{kept:>12}{count:>13}")?;
            }
            return Ok(());
        }
        let mut separator = "in use: ";
        for pool in &self.pools {
            let (live, peak) = (Bytes(pool.live_bytes), Bytes(pool.peak_bytes));
            write!(f, "{separator}{} {live} (at most {peak}", pool.name)?;
            match pool.kept_bytes {
                0 => write!(f, ")")?,
                kept => write!(f, ", {} more kept)", Bytes(kept))?,
            }
            separator = ", ";
        }
        let mut separator = "; by ";
        for owner in self.owners.iter().filter(|owner| owner.live_bytes > 0) {
            let name = owner.name.escape_debug();
            write!(f, "{separator}{name} {}", Bytes(owner.live_bytes))?;
            separator = ", ";
        }
        Ok(())
    }
}

/// A number of bytes as people write it.
struct Bytes(u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
        match UNITS.iter().find(|(unit, _)| self.0 >= *unit) {
            Some((unit, name)) => write!(f, "{:.1} {name}", self.0 as f64 / *unit as f64),
            None => write!(f, "{} B", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_follow_what_comes_and_goes() {
        let ledger = Ledger::new();
        let [mine, yours] = ["mine", "yours"].map(|name| ledger.owner(name));
        assert_eq!(ledger.owner("mine"), mine);
        let first = Entry::new(&ledger, Source::Device, mine, 3 << 20);
        let second = Entry::new(&ledger, Source::DevicePool, yours, 1 << 10);
        let third = Entry::new(&ledger, Source::Device, Owner::default(), 5);
        drop((first, third));
        let figures = Figures {
            allocated: (3 << 20) + 5,
            live: 0,
            peak: (3 << 20) + 5,
            count: 0,
        };
        assert_eq!(ledger.figures(Source::Device), figures);
        assert_eq!(ledger.allocated(), (3 << 20) + (1 << 10) + 5);
        let report = ledger.report();
        assert_eq!(
            report.to_string(),
            "in use: device 0 B (at most 3.0 MiB), device pool 1.0 KiB (at most 1.0 KiB); by yours 1.0 KiB"
        );
        let names: Vec<_> = report.owners.iter().map(|owner| &*owner.name).collect();
        assert_eq!(names, ["yours", "caller", "mine"]);
        assert_eq!(
            format!("{report:#}").lines().nth(2),
            Some("device pool                  1.0 KiB     1.0 KiB         0 B            1")
        );
        drop(second);
        assert_eq!(ledger.report().owners[0].live_bytes, 0);
    }

    #[test]
    fn owners_are_not_without_end() {
        let ledger = Ledger::new();
        for number in 0..2 * MOST_OWNERS {
            ledger.owner(&number.to_string());
        }
        assert_eq!(ledger.owner("late"), Owner::default());
        // One of another device is nobody here.
        drop(Entry::new(&ledger, Source::Host, Owner(9999), 1));
    }
}
