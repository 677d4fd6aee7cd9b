//! Which bytes of device memory have been written.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// One bit for each byte of the allocations that are tracked. What is not
/// tracked counts as written.
#[derive(Debug, Default)]
pub(crate) struct Shadow(Mutex<BTreeMap<u64, Bits>>);

/// One bit a byte.
#[derive(Clone, Debug, Default)]
pub(super) struct Bits {
    words: Vec<u64>,
    bytes: u64,
}

impl Bits {
    /// So many bytes, none written.
    pub(super) fn new(bytes: u64) -> Bits {
        Bits {
            words: vec![0; bytes.div_ceil(64) as usize],
            bytes,
        }
    }

    /// Calls `each` with the words that cover a range, and the range's bits of
    /// each.
    fn words(&mut self, first: u64, bytes: u64, mut each: impl FnMut(&mut u64, u64)) {
        let end = first.saturating_add(bytes).min(self.bytes);
        let mut at = first;
        while at < end {
            let stop = (at / 64 + 1) * 64;
            let count = stop.min(end) - at;
            let mask = (u64::MAX >> (64 - count)) << (at % 64);
            each(&mut self.words[(at / 64) as usize], mask);
            at += count;
        }
    }

    /// Marks bytes as written or not.
    pub(super) fn set(&mut self, first: u64, bytes: u64, written: bool) {
        self.words(first, bytes, |word, mask| {
            if written {
                *word |= mask;
            } else {
                *word &= !mask;
            }
        });
    }

    /// Has none of these bytes been written? Not if there are none.
    pub(super) fn is_unwritten(&self, first: u64, bytes: u64) -> bool {
        let end = first.saturating_add(bytes).min(self.bytes);
        first < end && (first..end).all(|at| !self.get(at))
    }

    fn get(&self, at: u64) -> bool {
        self.words[(at / 64) as usize] >> (at % 64) & 1 != 0
    }
}

impl Shadow {
    /// An allocation of which nothing is written.
    pub(crate) fn track(&self, start: u64, bytes: u64) {
        self.lock().insert(start, Bits::new(bytes));
    }

    /// It is gone.
    pub(crate) fn untrack(&self, start: u64) {
        self.lock().remove(&start);
    }

    /// Bytes inside one allocation were written.
    pub(crate) fn wrote(&self, address: u64, bytes: u64) {
        self.set(address, bytes, true);
    }

    /// What is in these bytes means nothing any more.
    pub(crate) fn discarded(&self, address: u64, bytes: u64) {
        self.set(address, bytes, false);
    }

    /// Bytes were copied: what was not written before is not written there.
    pub(crate) fn copied(&self, dst: u64, src: u64, bytes: u64) {
        let mut all = self.lock();
        let source = all
            .range(..=src)
            .next_back()
            .filter(|(start, bits)| src < *start + bits.bytes)
            .map(|(start, bits)| (*start, bits.clone()));
        let Some((start, bits)) = find(&mut all, dst) else {
            return;
        };
        let offset = dst - start;
        match source {
            Some((start, source)) => {
                for at in 0..bytes.min(source.bytes - (src - start)) {
                    bits.set(offset + at, 1, source.get(src - start + at));
                }
            }
            None => bits.set(offset, bytes, true),
        }
    }

    /// Has none of these bytes been written?
    pub(super) fn is_unwritten(&self, address: u64, bytes: u64) -> bool {
        let mut all = self.lock();
        find(&mut all, address)
            .is_some_and(|(start, bits)| bits.is_unwritten(address - start, bytes))
    }

    fn set(&self, address: u64, bytes: u64, written: bool) {
        let mut all = self.lock();
        if let Some((start, bits)) = find(&mut all, address) {
            bits.set(address - start, bytes, written);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Bits>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The allocation that holds an address.
fn find(all: &mut BTreeMap<u64, Bits>, address: u64) -> Option<(u64, &mut Bits)> {
    all.range_mut(..=address)
        .next_back()
        .filter(|(start, bits)| address < **start + bits.bytes)
        .map(|(start, bits)| (*start, bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_over_words() {
        let mut bits = Bits::new(200);
        bits.set(60, 70, true);
        assert!(bits.is_unwritten(0, 60) && bits.is_unwritten(130, 70));
        assert!(!bits.is_unwritten(59, 2) && !bits.is_unwritten(129, 5));
        bits.set(64, 64, false);
        assert!(bits.is_unwritten(64, 64) && !bits.is_unwritten(63, 2));
        assert!(!bits.is_unwritten(200, 4), "there is nothing to read");
    }

    #[test]
    fn copies_carry_what_was_not_written() {
        let shadow = Shadow::default();
        shadow.track(1000, 64);
        shadow.track(2000, 64);
        shadow.wrote(1000, 8);
        shadow.copied(2010, 1004, 8);
        assert!(!shadow.is_unwritten(2010, 4) && shadow.is_unwritten(2014, 4));
        shadow.copied(2030, 500, 4);
        assert!(!shadow.is_unwritten(2030, 4), "who knows where it is from");
        shadow.discarded(2000, 64);
        assert!(shadow.is_unwritten(2010, 4));
        shadow.untrack(2000);
        assert!(!shadow.is_unwritten(2010, 4));
    }
}
