//! Handles that know whether what they name is still there.

use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::{Code, Error, Result};

/// Live objects of one kind. A handle is (from the high end) 8 bits of kind,
/// 24 bits of generation, and 32 bits of slot number plus one: a handle that
/// is stale, of another kind, or made up is recognised as such.
pub(super) struct Slots<T> {
    kind: u8,
    what: &'static str,
    table: RwLock<Table<T>>,
}

struct Table<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
}

struct Slot<T> {
    generation: u32,
    value: Option<T>,
}

const GENERATION_MASK: u32 = 0xff_ffff;

impl<T: Clone> Slots<T> {
    /// An empty set; `kind` tells its handles from those of other sets.
    pub(super) fn new(kind: u8, what: &'static str) -> Self {
        Self {
            kind,
            what,
            table: RwLock::new(Table {
                slots: Vec::new(),
                free: Vec::new(),
            }),
        }
    }

    pub(super) fn insert(&self, value: T) -> usize {
        let mut table = self.write();
        let index = match table.free.pop() {
            Some(index) => index,
            None => {
                table.slots.push(Slot {
                    generation: 0,
                    value: None,
                });
                (table.slots.len() - 1) as u32
            }
        };
        let slot = &mut table.slots[index as usize];
        slot.value = Some(value);
        self.handle(index, slot.generation)
    }

    pub(super) fn get(&self, handle: usize, call: &'static str) -> Result<T> {
        let table = self.read();
        self.index(handle)
            .and_then(|(index, generation)| table.value(index, generation).cloned())
            .ok_or_else(|| self.stale(handle, call))
    }

    pub(super) fn remove(&self, handle: usize, call: &'static str) -> Result<T> {
        let mut table = self.write();
        let removed = self.index(handle).and_then(|(index, generation)| {
            let slot = table.slots.get_mut(index as usize)?;
            let value = slot.value.take_if(|_| slot.generation == generation)?;
            slot.generation = (slot.generation + 1) & GENERATION_MASK;
            table.free.push(index);
            Some(value)
        });
        removed.ok_or_else(|| self.stale(handle, call))
    }

    /// Everything that is live.
    pub(super) fn all(&self) -> Vec<T> {
        let table = self.read();
        let values = table.slots.iter().filter_map(|slot| slot.value.clone());
        values.collect()
    }

    fn handle(&self, index: u32, generation: u32) -> usize {
        let high = u64::from(self.kind) << 24 | u64::from(generation);
        (high << 32 | (u64::from(index) + 1)) as usize
    }

    fn index(&self, handle: usize) -> Option<(u32, u32)> {
        let (high, low) = ((handle as u64 >> 32) as u32, handle as u32);
        if high >> 24 != u32::from(self.kind) {
            return None;
        }
        Some((low.checked_sub(1)?, high & GENERATION_MASK))
    }

    #[cold]
    fn stale(&self, handle: usize, call: &'static str) -> Error {
        let detail = format!("{handle:#x} is not a live {}", self.what);
        Error::with_detail(Code::INVALID_HANDLE, call, detail)
    }

    fn read(&self) -> RwLockReadGuard<'_, Table<T>> {
        self.table.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Table<T>> {
        self.table.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Table<T> {
    fn value(&self, index: u32, generation: u32) -> Option<&T> {
        let slot = self.slots.get(index as usize)?;
        slot.value
            .as_ref()
            .filter(|_| slot.generation == generation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_handle_is_not_its_successor() {
        let slots = Slots::new(3, "thing");
        let first = slots.insert(10);
        assert_eq!(slots.get(first, "hipX"), Ok(10));
        assert_eq!(slots.remove(first, "hipX"), Ok(10));
        let second = slots.insert(20);
        assert_ne!(first, second);
        assert_eq!(slots.get(second, "hipX"), Ok(20));
        for bad in [first, 0, usize::MAX, second + 1, second ^ (1 << 56)] {
            let error = slots.get(bad, "hipX").expect_err("not live");
            assert_eq!((error.code, error.call), (Code::INVALID_HANDLE, "hipX"));
            assert_eq!(
                slots.remove(bad, "hipX").map_err(|error| error.code),
                Err(Code::INVALID_HANDLE)
            );
        }
        assert_eq!(slots.all(), [20]);
    }
}
