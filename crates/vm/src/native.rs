//! Native modules: functions written in Rust that bytecode may call.

use std::sync::Arc;
use std::time::Instant;

use crate::memory::{Account, Charge};
use crate::{Code, Error, Ref, RefType, Result, Type, Value};

/// A module written in Rust. One value of it is the state of one context.
pub trait NativeModule: Send {
    /// The name that imports begin with, such as `hal`.
    fn name(&self) -> &'static str;

    /// Its version: programs ask for a minimum.
    fn version(&self) -> u32;

    /// The object types it adds.
    fn types(&self) -> &'static [&'static RefType];

    /// Its functions. Several may share a name, with different calling
    /// conventions: imports are resolved by both.
    fn exports(&self) -> &[NativeExport];

    /// Calls function number `export` of [`NativeModule::exports`].
    ///
    /// The arguments fit the calling convention: kinds and groups were checked
    /// when the caller was verified. What is returned goes to `call` by
    /// [`Call::ret`], one value for each result. With [`Flow::Wait`] nothing
    /// may have been returned; the same call is made again later, so nothing
    /// that must happen once may have happened.
    fn call(&mut self, export: usize, call: &mut Call<'_>) -> Result<Flow>;

    /// Whether a function may be called while waits are owed
    /// ([`Flow::Ahead`]): nobody outside of the invocation can see what it
    /// does before they are over, nor at all if they come to nothing.
    fn runs_ahead(&self, _export: usize) -> bool {
        false
    }

    /// An invocation that went on behind waits stands still now, or waits for
    /// what it owes: what was put off while it would go on has to begin.
    fn catch_up(&mut self) {}

    /// Whether a wait that the module let an invocation go on behind is over;
    /// fails as it failed. `has_waited` says that it was waited for, so that
    /// a closer look is worth its cost.
    fn is_settled(&mut self, on: &Ref, _has_waited: bool) -> Result<bool> {
        Err(Error::new(
            Code::INTERNAL,
            format!("the module lets nobody go on behind a {}", on.kind().name()),
        ))
    }
}

/// A function of a native module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NativeExport {
    /// Its name without that of the module.
    pub name: &'static str,
    /// Its calling convention.
    pub signature: &'static str,
}

/// How a native function comes back.
#[derive(Debug)]
pub enum Flow {
    /// It is done.
    Return,
    /// It wants to be called again once something has happened.
    Wait {
        /// What it waits for, in a form that whoever drives the invocation
        /// understands.
        on: Ref,
        /// When it wants to be called again at the latest. The later call
        /// finds it in [`Call::deadline`].
        deadline: Option<Instant>,
    },
    /// It is done if the wait for `on` succeeds, and what it returned holds
    /// then. Going on before is invisible: the invocation waits for `on`
    /// before it lets anything out ([`NativeModule::is_settled`]), and fails
    /// if the wait does. Only where [`Call::may_run_ahead`] says so.
    Ahead {
        /// What it would have waited for.
        on: Ref,
    },
}

/// A call of a native function: its arguments, read one by one, and its results.
pub struct Call<'a> {
    args: std::slice::Iter<'a, Value>,
    groups: std::slice::Iter<'a, u16>,
    results: &'a mut Vec<Value>,
    deadline: Option<Option<Instant>>,
    caller: Option<Caller<'a>>,
}

/// What a call tells of the program that makes it.
pub(crate) struct Caller<'a> {
    pub(crate) module: &'a str,
    pub(crate) account: &'a Arc<Account>,
    /// If it may run ahead: what it owes, the newest.
    pub(crate) ahead: Option<Option<&'a Ref>>,
}

impl<'a> Call<'a> {
    /// A call with `args`, groups flattened; `groups` says how often each
    /// group is repeated; results are appended to `results`. `deadline` is
    /// what an earlier attempt at this call said when it waited.
    pub fn new(
        args: &'a [Value],
        groups: &'a [u16],
        results: &'a mut Vec<Value>,
        deadline: Option<Option<Instant>>,
    ) -> Self {
        Self {
            args: args.iter(),
            groups: groups.iter(),
            results,
            deadline,
            caller: None,
        }
    }

    /// The same, made by a program.
    pub(crate) fn by(mut self, caller: Caller<'a>) -> Self {
        self.caller = Some(caller);
        self
    }

    /// The next argument, an `i`.
    pub fn i32(&mut self) -> Result<i32> {
        match self.next()? {
            Value::I32(value) => Ok(*value),
            other => Err(mismatch("i32", other)),
        }
    }

    /// The next argument, an `i`, as the unsigned number it stands for.
    pub fn u32(&mut self) -> Result<u32> {
        Ok(self.i32()?.cast_unsigned())
    }

    /// The next argument, an `I`.
    pub fn i64(&mut self) -> Result<i64> {
        match self.next()? {
            Value::I64(value) => Ok(*value),
            other => Err(mismatch("i64", other)),
        }
    }

    /// The next argument, an `I`, as the unsigned number it stands for.
    pub fn u64(&mut self) -> Result<u64> {
        Ok(self.i64()?.cast_unsigned())
    }

    /// The next argument, an `f`.
    pub fn f32(&mut self) -> Result<f32> {
        match self.next()? {
            Value::F32(value) => Ok(*value),
            other => Err(mismatch("f32", other)),
        }
    }

    /// The next argument, an `F`.
    pub fn f64(&mut self) -> Result<f64> {
        match self.next()? {
            Value::F64(value) => Ok(*value),
            other => Err(mismatch("f64", other)),
        }
    }

    /// The next argument, an `r`, which may be null.
    pub fn reference(&mut self) -> Result<Option<&'a Ref>> {
        match self.next()? {
            Value::Ref(reference) => Ok(reference.as_ref()),
            other => Err(mismatch("a reference", other)),
        }
    }

    /// The object that the next argument refers to: `INVALID_ARGUMENT` if it
    /// is null or of another type.
    pub fn object<T: std::any::Any + Send + Sync>(
        &mut self,
        of: &'static Type<T>,
    ) -> Result<&'a T> {
        self.optional(of)?.ok_or_else(|| {
            Error::new(
                Code::INVALID_ARGUMENT,
                format!("null where a {} is needed", of.erased().name()),
            )
        })
    }

    /// As [`Call::object`]; null is none.
    pub fn optional<T: std::any::Any + Send + Sync>(
        &mut self,
        of: &'static Type<T>,
    ) -> Result<Option<&'a T>> {
        let Some(reference) = self.reference()? else {
            return Ok(None);
        };
        of.of(reference).map(Some).ok_or_else(|| {
            Error::new(
                Code::INVALID_ARGUMENT,
                format!(
                    "a {} where a {} is needed",
                    reference.kind().name(),
                    of.erased().name()
                ),
            )
        })
    }

    /// How many tuples the next group has; their values come next, flattened.
    pub fn group(&mut self) -> Result<usize> {
        match self.groups.next() {
            Some(&count) => Ok(usize::from(count)),
            None => Err(Error::new(
                Code::INTERNAL,
                "the function reads more groups than its calling convention has",
            )),
        }
    }

    /// Adds the next result.
    pub fn ret(&mut self, value: Value) {
        self.results.push(value);
    }

    /// If this is another attempt at a call that waited: the deadline it gave.
    pub fn deadline(&self) -> Option<Option<Instant>> {
        self.deadline
    }

    /// Name of the module that calls, if a program does.
    pub fn caller(&self) -> Option<&'a str> {
        self.caller.as_ref().map(|caller| caller.module)
    }

    /// Counts `bytes` of host memory against what the program may use, until
    /// the charge is dropped. `RESOURCE_EXHAUSTED` if that is over its limit.
    pub fn charge(&self, bytes: u64) -> Result<Charge> {
        match &self.caller {
            Some(caller) => Charge::new(caller.account, bytes),
            None => Charge::new(&Account::new(u64::MAX), bytes),
        }
    }

    /// Whether the caller understands [`Flow::Ahead`].
    pub fn may_run_ahead(&self) -> bool {
        let caller = self.caller.as_ref();
        caller.is_some_and(|caller| caller.ahead.is_some())
    }

    /// What the caller has gone on behind, the newest of it: work that is
    /// submitted now must not be done if that fails.
    pub fn owed(&self) -> Option<&'a Ref> {
        self.caller.as_ref()?.ahead?
    }

    fn next(&mut self) -> Result<&'a Value> {
        self.args.next().ok_or_else(|| {
            Error::new(
                Code::INTERNAL,
                "the function reads more arguments than its calling convention has",
            )
        })
    }
}

fn mismatch(expected: &str, found: &Value) -> Error {
    Error::new(
        Code::INTERNAL,
        format!(
            "the function reads {expected} where its calling convention has {}",
            found.kind()
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Buffer, List, types};

    #[test]
    fn arguments_are_read_in_order() {
        let buffer = types::BUFFER.wrap(Buffer::zeroed(3).unwrap());
        let args = [
            Value::I32(-1),
            Value::I64(-1),
            Value::F32(0.5),
            Value::F64(0.25),
            buffer.into(),
            Value::Ref(None),
            Value::I32(7),
            Value::I32(8),
        ];
        let mut results = Vec::new();
        let mut call = Call::new(&args, &[2], &mut results, None);
        assert_eq!(call.u32().unwrap(), u32::MAX);
        assert_eq!(call.u64().unwrap(), u64::MAX);
        assert_eq!(call.f32().unwrap(), 0.5);
        assert_eq!(call.f64().unwrap(), 0.25);
        assert_eq!(call.object(&types::BUFFER).unwrap().len(), 3);
        assert!(call.optional(&types::LIST).unwrap().is_none());
        assert_eq!(call.group().unwrap(), 2);
        assert_eq!((call.i32().unwrap(), call.i32().unwrap()), (7, 8));
        assert_eq!(call.i32().unwrap_err().code(), Code::INTERNAL);
        assert_eq!(call.group().unwrap_err().code(), Code::INTERNAL);
        call.ret(Value::I32(1));
        assert_eq!(results.len(), 1);
    }

    #[test]
    fn objects_of_another_type_and_null_are_named() {
        let args = [types::LIST.wrap(List::default()).into(), Value::Ref(None)];
        let mut results = Vec::new();
        let mut call = Call::new(&args, &[], &mut results, None);
        let error = call.object(&types::BUFFER).unwrap_err();
        assert_eq!(
            error.to_string(),
            "INVALID_ARGUMENT: a vm.list where a vm.buffer is needed"
        );
        let error = call.object(&types::BUFFER).unwrap_err();
        assert_eq!(
            error.to_string(),
            "INVALID_ARGUMENT: null where a vm.buffer is needed"
        );
    }
}
