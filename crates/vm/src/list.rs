//! `vm.list`: a growable list of values.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::memory::{Account, Charge};
use crate::object::WeakRef;
use crate::{Code, Error, Kind, Ref, RefType, Result, Value, types};

/// A growable list. New places hold zero, or null.
///
/// References are counted: a list that holds itself, directly or not, lives as long as the context it was made in.
pub struct List {
    element: Element,
    contents: Mutex<Contents>,
}

struct Contents {
    values: Vec<Value>,
    /// What a program's own list takes from the memory of its context.
    charge: Option<Charge>,
}

/// What a list holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    /// Values of all kinds.
    Any,
    /// Integers of 8 bits.
    I8,
    /// Integers of 16 bits.
    I16,
    /// Values of one kind. Of references: any.
    Kind(Kind),
    /// References to objects of one type, or null.
    Ref(&'static RefType),
}

impl Default for List {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl List {
    /// A list of anything, with these values.
    pub fn new(values: Vec<Value>) -> Self {
        Self {
            element: Element::Any,
            contents: Mutex::new(Contents {
                values,
                charge: None,
            }),
        }
    }

    /// An empty list, paid for by a context.
    pub(crate) fn charged(element: Element, account: &Arc<Account>) -> Result<Self> {
        Ok(Self {
            element,
            contents: Mutex::new(Contents {
                values: Vec::new(),
                charge: Some(Charge::new(account, size_of::<Self>() as u64)?),
            }),
        })
    }

    /// What it holds.
    pub fn element(&self) -> Element {
        self.element
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.lock().values.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value at `index`; `OUT_OF_RANGE` if there is none.
    pub fn value(&self, index: usize) -> Result<Value> {
        let values = &self.lock().values;
        values
            .get(index)
            .cloned()
            .ok_or_else(|| out_of_range(index, values.len()))
    }

    /// Replaces the value at `index`, as the kind of value the list holds: `OUT_OF_RANGE` if there is none, as this
    /// never grows the list; `FAILED_PRECONDITION` for a reference among other values or a value among references,
    /// `INVALID_ARGUMENT` for a reference of another type.
    pub fn set(&self, index: usize, value: Value) -> Result<()> {
        let value = self.element.admit(value)?;
        let mut contents = self.lock();
        let len = contents.values.len();
        let place = contents
            .values
            .get_mut(index)
            .ok_or_else(|| out_of_range(index, len))?;
        let replaced = std::mem::replace(place, value);
        // What is dropped may be a list, or do work of its own: not under the lock.
        drop(contents);
        drop(replaced);
        Ok(())
    }

    /// Appends a value.
    pub fn push(&self, value: Value) {
        self.lock().values.push(value);
    }

    /// Appends a reference.
    pub fn push_ref(&self, reference: Ref) {
        self.push(Value::Ref(Some(reference)));
    }

    /// Cuts the list, or fills it up with zeros or nulls; `RESOURCE_EXHAUSTED` if the host, or the program, has not
    /// that much memory.
    pub fn resize(&self, len: usize) -> Result<()> {
        self.resize_for(len, None)
    }

    /// As [`List::resize`], for a program: a list that nobody pays for yet, the program pays for from now on.
    pub(crate) fn resize_for(&self, len: usize, account: Option<&Arc<Account>>) -> Result<()> {
        let mut guard = self.lock();
        let contents = &mut *guard;
        if let (None, Some(account)) = (&contents.charge, account) {
            let bytes = Self::bytes(contents.values.len());
            contents.charge = Some(Charge::new(account, bytes)?);
        }
        let before = contents.values.len();
        let mut cut = Vec::new();
        if len > before {
            if let Some(charge) = &mut contents.charge {
                charge.resize(Self::bytes(len))?;
            }
            if contents.values.try_reserve_exact(len - before).is_err() {
                if let Some(charge) = &mut contents.charge {
                    charge.resize(Self::bytes(before))?;
                }
                return Err(Error::new(
                    Code::RESOURCE_EXHAUSTED,
                    format!("a list of {len} values is more than the host has memory for"),
                ));
            }
            contents.values.resize(len, self.element.empty());
        } else {
            cut = contents.values.split_off(len);
            // What is given back must be free.
            contents.values.shrink_to(len);
            if let Some(charge) = &mut contents.charge {
                charge.resize(Self::bytes(len))?;
            }
        }
        // What is dropped may be a list, or do work of its own: not under the lock.
        drop(guard);
        drop(cut);
        Ok(())
    }

    /// What a list of this length takes.
    fn bytes(len: usize) -> u64 {
        let values = len.saturating_mul(size_of::<Value>());
        values.saturating_add(size_of::<Self>()) as u64
    }

    /// The lists in it, by number.
    fn held(&self, numbers: &HashMap<usize, usize>) -> Vec<usize> {
        let contents = self.lock();
        let refs = contents.values.iter().filter_map(|value| match value {
            Value::Ref(reference) => reference.as_ref(),
            _ => None,
        });
        refs.filter_map(|reference| numbers.get(&reference.address()).copied())
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, Contents> {
        // Every step leaves a whole list behind, also one that panics.
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Element {
    /// What a new place holds.
    fn empty(self) -> Value {
        match self {
            Self::I8 | Self::I16 => Value::I32(0),
            Self::Kind(kind) => kind.zero(),
            Self::Any | Self::Ref(_) => Value::Ref(None),
        }
    }

    /// The value as the list holds it.
    fn admit(self, value: Value) -> Result<Value> {
        match (self, value) {
            (Self::Any, value) => Ok(value),
            (Self::I8, value) => match value.convert(Kind::I32)? {
                Value::I32(value) => Ok(Value::I32((value as i8).into())),
                other => Ok(other),
            },
            (Self::I16, value) => match value.convert(Kind::I32)? {
                Value::I32(value) => Ok(Value::I32((value as i16).into())),
                other => Ok(other),
            },
            (Self::Kind(kind), value) => value.convert(kind),
            (Self::Ref(wanted), Value::Ref(Some(found))) if found.kind() != wanted => {
                Err(Error::new(
                    Code::INVALID_ARGUMENT,
                    format!(
                        "a {} does not go into a list of {}",
                        found.kind().name(),
                        wanted.name()
                    ),
                ))
            }
            (Self::Ref(_), value) => value.convert(Kind::Ref),
        }
    }
}

impl Drop for List {
    /// Lists may hold lists that hold lists: those nobody else refers to are taken apart one by one, so that no depth
    /// of them is too much for the host's stack.
    fn drop(&mut self) {
        let mut dropped = take_values(self);
        while let Some(value) = dropped.pop() {
            if let Value::Ref(Some(reference)) = value
                && reference.kind() == types::LIST.erased()
                && let Some(mut list) = types::LIST.take(reference)
            {
                dropped.append(&mut take_values(&mut list));
            }
        }
    }
}

fn take_values(list: &mut List) -> Vec<Value> {
    let contents = list.contents.get_mut();
    std::mem::take(&mut contents.unwrap_or_else(PoisonError::into_inner).values)
}

/// The lists that programs of a context made. At its end it takes apart those that only keep each other.
#[derive(Default)]
pub(crate) struct Registry {
    lists: Vec<WeakRef>,
    /// How many there are when those that are gone are looked for.
    full: usize,
}

impl Registry {
    pub(crate) fn add(&mut self, list: &Ref) {
        if self.lists.len() >= self.full {
            self.lists.retain(|list| list.upgrade().is_some());
            self.full = 64.max(self.lists.len() * 2);
        }
        self.lists.push(list.downgrade());
    }

    /// Empties the lists that nobody but lists of the same sort refers to.
    fn collect(&mut self) {
        let lists: Vec<Ref> = self.lists.drain(..).filter_map(|l| l.upgrade()).collect();
        let numbers: HashMap<usize, usize> = lists.iter().map(Ref::address).zip(0..).collect();
        let held: Vec<Vec<usize>> = lists
            .iter()
            .map(|list| {
                let list = types::LIST.of(list).expect("only lists are added");
                list.held(&numbers)
            })
            .collect();
        let mut inner = vec![0; lists.len()];
        held.iter().flatten().for_each(|&list| inner[list] += 1);
        // One reference to each is in `lists`.
        let mut pending: Vec<usize> = (0..lists.len())
            .filter(|&list| lists[list].owners() - 1 > inner[list])
            .collect();
        let mut is_used = vec![false; lists.len()];
        while let Some(list) = pending.pop() {
            if !std::mem::replace(&mut is_used[list], true) {
                pending.extend(&held[list]);
            }
        }
        for (list, is_used) in lists.iter().zip(is_used) {
            if !is_used && let Some(list) = types::LIST.of(list) {
                // What was in it is dropped when the lock is open again.
                let values = std::mem::take(&mut list.lock().values);
                drop(values);
            }
        }
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.collect();
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
    use crate::Buffer;

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

    #[test]
    fn typed_lists_convert_what_they_hold() {
        let account = Account::new(10_000);
        let stored = |element, value: Value| {
            let list = List::charged(element, &account).unwrap();
            list.resize(1).unwrap();
            list.set(0, value).map(|()| list.value(0).unwrap())
        };
        assert!(matches!(
            stored(Element::I8, Value::I32(0x1ff)),
            Ok(Value::I32(-1))
        ));
        assert!(matches!(
            stored(Element::I16, Value::I64(0x18000)),
            Ok(Value::I32(-32768))
        ));
        assert!(matches!(
            stored(Element::Kind(Kind::F64), Value::F32(0.5)),
            Ok(Value::F64(0.5))
        ));
        let buffer = types::BUFFER.wrap(Buffer::zeroed(1).unwrap());
        let lists = Element::Ref(types::LIST.erased());
        let error = stored(lists, buffer.clone().into()).unwrap_err();
        assert_eq!(error.code(), Code::INVALID_ARGUMENT);
        let error = stored(Element::Kind(Kind::I32), buffer.clone().into()).unwrap_err();
        assert_eq!(error.code(), Code::FAILED_PRECONDITION);
        let error = stored(lists, Value::I32(1)).unwrap_err();
        assert_eq!(error.code(), Code::FAILED_PRECONDITION);
        assert!(stored(Element::Ref(types::BUFFER.erased()), buffer.into()).is_ok());
    }

    #[test]
    fn a_program_pays_for_lists_that_it_was_given() {
        let account = Account::new(1000);
        let list = List::new(vec![Value::I32(1)]);
        let error = list.resize_for(100, Some(&account)).unwrap_err();
        assert_eq!(error.code(), Code::RESOURCE_EXHAUSTED);
        assert_eq!(list.len(), 1);
        list.resize_for(10, Some(&account)).unwrap();
        assert_eq!(account.used(), List::bytes(10));
        drop(list);
        assert_eq!(account.used(), 0);
    }

    #[test]
    fn lists_of_programs_are_paid_for() {
        let account = Account::new(1000);
        let list = List::charged(Element::Any, &account).unwrap();
        list.resize(10).unwrap();
        let used = account.used();
        assert!(used >= 10 * size_of::<Value>() as u64);
        let error = list.resize(100).unwrap_err();
        assert_eq!(error.code(), Code::RESOURCE_EXHAUSTED);
        assert_eq!((list.len(), account.used()), (10, used));
        // What is given back must be free.
        list.resize(1).unwrap();
        assert!(account.used() < used);
        assert!(list.lock().values.capacity() < 10);
        drop(list);
        assert_eq!(account.used(), 0);
    }

    #[test]
    fn lists_that_only_keep_each_other_end_with_their_context() {
        let account = Account::new(10_000);
        let list = || types::LIST.wrap(List::charged(Element::Any, &account).unwrap());
        let hold = |holder: &Ref, held: &Ref| {
            types::LIST.of(holder).unwrap().push_ref(held.clone());
        };
        let mut registry = Registry::default();
        let lists: Vec<Ref> = (0..100).map(|_| list()).collect();
        lists.iter().for_each(|list| registry.add(list));
        // A ring, one that holds itself, and a ring that is held from outside.
        hold(&lists[0], &lists[1]);
        hold(&lists[1], &lists[0]);
        hold(&lists[2], &lists[2]);
        hold(&lists[3], &lists[4]);
        hold(&lists[4], &lists[3]);
        hold(&lists[4], &lists[5]);
        let kept = lists[3].clone();
        let all = account.used();
        drop(lists);
        assert_eq!(account.used(), all / 100 * 6);
        drop(registry);
        assert_eq!(account.used(), all / 100 * 3);
        let kept_holds = types::LIST.of(&kept).unwrap().value(0).unwrap();
        assert!(matches!(kept_holds, Value::Ref(Some(_))));
    }

    #[test]
    fn any_depth_of_lists_can_be_dropped() {
        let mut list = List::default();
        for _ in 0..200_000 {
            list = List::new(vec![types::LIST.wrap(list).into()]);
        }
        drop(list);
    }
}
