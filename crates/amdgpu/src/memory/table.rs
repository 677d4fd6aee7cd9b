//! The sorted table of live ranges, and what is remembered of freed ones.

use std::collections::VecDeque;
use std::sync::Arc;

use super::block::Block;
use super::{AllocationInfo, AllocationKind, Nearest, Relation};

/// Freed ranges remembered for reports.
const FREED_CAPACITY: usize = 512;

/// One range of addresses that may be accessed.
#[derive(Clone, Debug)]
pub(crate) struct Range {
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) kind: AllocationKind,
    /// May kernels write here?
    pub(crate) writable: bool,
    /// Keeps the host memory alive.
    #[expect(dead_code, reason = "held for its `Drop`")]
    pub(crate) block: Arc<Block>,
}

impl Range {
    fn info(&self) -> AllocationInfo {
        AllocationInfo {
            base: self.start,
            bytes: self.end - self.start,
            kind: self.kind,
        }
    }
}

/// All live ranges, sorted by address and disjoint.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    ranges: Vec<Range>,
    freed: VecDeque<AllocationInfo>,
}

impl Table {
    pub(crate) fn ranges(&self) -> &[Range] {
        &self.ranges
    }

    /// Index of the range that holds `start..end` whole.
    pub(crate) fn find(&self, start: u64, end: u64) -> Option<usize> {
        let index = self.index_at_or_before(start)?;
        let range = &self.ranges[index];
        (start >= range.start && start <= end && end <= range.end).then_some(index)
    }

    /// The range that holds `address`.
    pub(crate) fn at(&self, address: u64) -> Option<AllocationInfo> {
        let range = &self.ranges[self.index_at_or_before(address)?];
        (address < range.end || address == range.start).then(|| range.info())
    }

    /// Index of the range that starts at `address`.
    pub(crate) fn starting_at(&self, address: u64) -> Option<usize> {
        self.ranges
            .binary_search_by_key(&address, |range| range.start)
            .ok()
    }

    /// Adds a range; false if it overlaps a live one.
    pub(crate) fn insert(&mut self, range: Range) -> bool {
        let index = self
            .ranges
            .partition_point(|other| other.start < range.start);
        let clear_before = index == 0 || self.ranges[index - 1].end <= range.start;
        let clear_after = self
            .ranges
            .get(index)
            .is_none_or(|next| range.end <= next.start && range.start != next.start);
        if !clear_before || !clear_after {
            return false;
        }
        self.freed
            .retain(|freed| freed.base + freed.bytes <= range.start || range.end <= freed.base);
        self.ranges.insert(index, range);
        true
    }

    /// Removes the range at `index` and remembers where it was.
    pub(crate) fn remove(&mut self, index: usize) -> Range {
        let range = self.ranges.remove(index);
        if self.freed.len() == FREED_CAPACITY {
            self.freed.pop_front();
        }
        self.freed.push_back(range.info());
        range
    }

    /// What lies closest to `start..end`: a freed range that held `start`
    /// comes first, then the nearest live one.
    pub(crate) fn nearest(&self, start: u64, end: u64) -> Option<Nearest> {
        let holds = |info: &&AllocationInfo| start >= info.base && start < info.base + info.bytes;
        if self.at(start).is_none()
            && let Some(freed) = self.freed.iter().rev().find(holds)
        {
            let relation = Relation::Freed {
                offset: start - freed.base,
            };
            return Some(Nearest {
                allocation: *freed,
                relation,
            });
        }
        let before = self
            .index_at_or_before(start)
            .map(|index| &self.ranges[index]);
        let after = self
            .ranges
            .get(self.ranges.partition_point(|range| range.start <= start));
        let relate = |range: &Range| Nearest {
            allocation: range.info(),
            relation: Relation::of(range.info(), start, end - start),
        };
        before
            .into_iter()
            .chain(after)
            .map(relate)
            .min_by_key(|nearest| nearest.relation.distance())
    }

    fn index_at_or_before(&self, address: u64) -> Option<usize> {
        self.ranges
            .partition_point(|range| range.start <= address)
            .checked_sub(1)
    }
}
