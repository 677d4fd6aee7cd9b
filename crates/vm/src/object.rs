//! References: shared objects whose type is known at run time.

use std::any::{Any, TypeId};
use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, Weak};

/// A kind of object, by the name that programs know it by.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RefType {
    name: &'static str,
    id: TypeId,
}

impl RefType {
    /// Such as `hal.buffer`.
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

impl fmt::Debug for RefType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "!{}", self.name)
    }
}

/// The kind of object that holds a `T`: makes references to such objects and
/// looks into them. One `static` for each kind.
pub struct Type<T> {
    erased: RefType,
    holds: PhantomData<fn() -> T>,
}

impl<T: Any + Send + Sync> Type<T> {
    /// A kind of object with this name. Each Rust type stands for one kind.
    pub const fn new(name: &'static str) -> Self {
        Self {
            erased: RefType {
                name,
                id: TypeId::of::<T>(),
            },
            holds: PhantomData,
        }
    }

    /// The same without `T`.
    pub const fn erased(&'static self) -> &'static RefType {
        &self.erased
    }

    /// A reference to a new object.
    pub fn wrap(&'static self, value: T) -> Ref {
        Ref {
            kind: &self.erased,
            object: Arc::new(value),
        }
    }

    /// The object behind a reference, if it is of this kind.
    pub fn of<'a>(&self, reference: &'a Ref) -> Option<&'a T> {
        reference.object.downcast_ref()
    }

    /// Takes the object out, if it is of this kind and nobody else refers to it.
    pub(crate) fn take(&self, reference: Ref) -> Option<T> {
        Arc::into_inner(reference.object.downcast().ok()?)
    }
}

/// A reference to an object. Cloning shares it; the last one drops it.
#[derive(Clone)]
pub struct Ref {
    kind: &'static RefType,
    object: Arc<dyn Any + Send + Sync>,
}

impl Ref {
    /// What kind of object it refers to.
    pub fn kind(&self) -> &'static RefType {
        self.kind
    }

    /// Whether both refer to the same object.
    pub fn ptr_eq(&self, other: &Self) -> bool {
        // Addresses only: the same object may have several vtables.
        std::ptr::addr_eq(Arc::as_ptr(&self.object), Arc::as_ptr(&other.object))
            && self.kind == other.kind
    }
}

/// A [`Ref`] that does not keep its object.
pub(crate) struct WeakRef {
    kind: &'static RefType,
    object: Weak<dyn Any + Send + Sync>,
}

impl Ref {
    pub(crate) fn downgrade(&self) -> WeakRef {
        WeakRef {
            kind: self.kind,
            object: Arc::downgrade(&self.object),
        }
    }

    /// How many references to the object there are.
    pub(crate) fn owners(&self) -> usize {
        Arc::strong_count(&self.object)
    }

    /// What tells the object from every other that lives now.
    pub(crate) fn address(&self) -> usize {
        Arc::as_ptr(&self.object).addr()
    }
}

impl WeakRef {
    /// The object, if it still lives.
    pub(crate) fn upgrade(&self) -> Option<Ref> {
        Some(Ref {
            kind: self.kind,
            object: self.object.upgrade()?,
        })
    }
}

impl fmt::Debug for Ref {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}@{:p}", self.kind, Arc::as_ptr(&self.object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static NUMBER: Type<u8> = Type::new("test.number");
    static TEXT: Type<String> = Type::new("test.text");

    #[test]
    fn objects_are_shared_and_know_their_kind() {
        let a = NUMBER.wrap(7);
        let b = a.clone();
        assert_eq!(NUMBER.of(&b), Some(&7));
        assert_eq!(TEXT.of(&b), None);
        assert_eq!(a.kind().name(), "test.number");
        assert!(a.ptr_eq(&b));
        assert!(!a.ptr_eq(&NUMBER.wrap(7)));
        assert_ne!(NUMBER.erased(), TEXT.erased());
    }
}
