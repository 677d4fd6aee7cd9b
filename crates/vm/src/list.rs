//! `vm.list`: a growable list of values.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::{Code, Error, Ref, Result, Value};

/// A growable list. New places hold null.
#[derive(Default)]
pub struct List(Mutex<Vec<Value>>);

impl List {
    /// A list with these values.
    pub fn new(values: Vec<Value>) -> Self {
        Self(Mutex::new(values))
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value at `index`; `OUT_OF_RANGE` if there is none.
    pub fn value(&self, index: usize) -> Result<Value> {
        let values = self.lock();
        values
            .get(index)
            .cloned()
            .ok_or_else(|| out_of_range(index, values.len()))
    }

    /// Replaces the value at `index`; `OUT_OF_RANGE` if there is none: this never grows the list.
    pub fn set(&self, index: usize, value: Value) -> Result<()> {
        let mut values = self.lock();
        let len = values.len();
        let place = values
            .get_mut(index)
            .ok_or_else(|| out_of_range(index, len))?;
        let replaced = std::mem::replace(place, value);
        // What is dropped may be a list, or do work of its own: not under the lock.
        drop(values);
        drop(replaced);
        Ok(())
    }

    /// Appends a value.
    pub fn push(&self, value: Value) {
        self.lock().push(value);
    }

    /// Appends a reference.
    pub fn push_ref(&self, reference: Ref) {
        self.push(Value::Ref(Some(reference)));
    }

    /// Cuts the list, or fills it up with nulls; `RESOURCE_EXHAUSTED` if the host has not that much memory.
    pub fn resize(&self, len: usize) -> Result<()> {
        let mut values = self.lock();
        let kept = len.min(values.len());
        values.try_reserve_exact(len - kept).map_err(|_| {
            Error::new(
                Code::RESOURCE_EXHAUSTED,
                format!("a list of {len} values is more than the host has memory for"),
            )
        })?;
        let cut = values.split_off(kept);
        values.resize(len, Value::Ref(None));
        drop(values);
        drop(cut);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Value>> {
        // Every step leaves a whole list behind, also one that panics.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the values: a list may contain itself.
        write!(f, "List({} values)", self.len())
    }
}

fn out_of_range(index: usize, len: usize) -> Error {
    Error::new(
        Code::OUT_OF_RANGE,
        format!("there is no value {index} in a list of {len}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_grow_only_by_resize_and_push() {
        let list = List::default();
        let error = list.set(0, Value::I32(1)).unwrap_err();
        assert_eq!(error.code(), Code::OUT_OF_RANGE);
        list.resize(2).unwrap();
        list.set(1, Value::I64(5)).unwrap();
        list.push(Value::F32(0.5));
        assert!(matches!(list.value(0), Ok(Value::Ref(None))));
        assert!(matches!(list.value(1), Ok(Value::I64(5))));
        assert_eq!(list.len(), 3);
        list.resize(1).unwrap();
        assert_eq!(list.value(1).unwrap_err().code(), Code::OUT_OF_RANGE);
    }
}
