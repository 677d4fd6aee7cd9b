//! A module with a device, and calls of its functions by row.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use hal::{Buffer, BufferParams, Device, DeviceParams, Fence, Semaphore, Timeout};
use vm::{Call, Code, Flow, Item, Ref, Result, Signature, Value};

use crate::modules::hal::table::{EXPORTS, FUNCTIONS};
use crate::modules::hal::{HalModule, types};

pub(super) const LONG: Duration = Duration::from_secs(60);

pub(super) struct Fixture {
    pub(super) device: Device,
    pub(super) module: HalModule,
    /// Numbers of the rows called so far.
    pub(super) called: BTreeSet<usize>,
    groups: Vec<u16>,
}

pub(super) fn i(value: i32) -> Value {
    Value::I32(value)
}

pub(super) fn l(value: i64) -> Value {
    Value::I64(value)
}

pub(super) fn r(reference: &Ref) -> Value {
    Value::Ref(Some(reference.clone()))
}

pub(super) const NULL: Value = Value::Ref(None);

/// Any queue.
pub(super) const ANY: Value = Value::I64(-1);

/// Bytes that a program cannot write, as its data segments are.
pub(super) fn data(bytes: &[u8]) -> Ref {
    vm::types::BUFFER.wrap(vm::Buffer::read_only(bytes.to_vec().into()))
}

pub(super) fn text(text: &str) -> Value {
    data(text.as_bytes()).into()
}

impl Fixture {
    pub(super) fn new() -> Self {
        Self::over(&DeviceParams::default())
    }

    pub(super) fn over(params: &DeviceParams) -> Self {
        let device = super::programs::software(params);
        Self {
            module: HalModule::for_fixtures(vec![device.clone()]),
            device,
            called: BTreeSet::new(),
            groups: Vec::new(),
        }
    }

    pub(super) fn device(&mut self) -> Ref {
        self.one("devices.get 0i_r", &[i(0)])
    }

    /// The groups of the next call are repeated this often.
    pub(super) fn groups(&mut self, groups: &[u16]) -> &mut Self {
        self.groups = groups.to_vec();
        self
    }

    /// One attempt at a call, with results. Arguments and results must be what
    /// the calling convention says.
    pub(super) fn attempt(
        &mut self,
        row: &str,
        args: &[Value],
        deadline: Option<Option<Instant>>,
    ) -> Result<(Flow, Vec<Value>)> {
        let (name, signature) = row.split_once(' ').unwrap();
        let index = EXPORTS
            .iter()
            .position(|export| (export.name, export.signature) == (name, signature))
            .unwrap_or_else(|| panic!("there is no row {row}"));
        self.called.insert(index);
        let signature = Signature::parse(signature).unwrap();
        let groups = std::mem::take(&mut self.groups);
        let mut repeats = groups.iter();
        let kinds: Vec<_> = signature
            .args()
            .iter()
            .flat_map(|item| match item {
                Item::One(kind) => vec![*kind],
                Item::Group(tuple) => tuple.repeat(usize::from(*repeats.next().unwrap())),
            })
            .collect();
        assert!(repeats.next().is_none(), "{row}: too many groups");
        let given: Vec<_> = args.iter().map(Value::kind).collect();
        assert_eq!(given, kinds, "{row}");
        let mut results = Vec::new();
        let mut call = Call::new(args, &groups, &mut results, deadline);
        let flow = FUNCTIONS[index](&mut self.module, &mut call)?;
        match flow {
            Flow::Return => {
                let kinds: Vec<_> = results.iter().map(Value::kind).collect();
                assert_eq!(kinds, signature.results(), "{row}");
            }
            Flow::Wait { .. } => assert!(results.is_empty(), "{row}"),
            Flow::Ahead { .. } => panic!("{row}: nobody here can run ahead"),
        }
        Ok((flow, results))
    }

    /// A call, made again for as long as it waits.
    pub(super) fn call(&mut self, row: &str, args: &[Value]) -> Result<Vec<Value>> {
        let groups = self.groups.clone();
        let mut deadline = None;
        loop {
            self.groups.clone_from(&groups);
            match self.attempt(row, args, deadline)? {
                (Flow::Return | Flow::Ahead { .. }, results) => return Ok(results),
                (
                    Flow::Wait {
                        on,
                        deadline: until,
                    },
                    _,
                ) => {
                    let fence = types::FENCE.of(&on).unwrap();
                    let _ = fence.wait(until.map_or(LONG.into(), Timeout::At));
                    deadline = Some(until);
                }
            }
        }
    }

    /// A call that fails.
    pub(super) fn fail(&mut self, row: &str, args: &[Value]) -> (Code, String) {
        let error = self.call(row, args).expect_err(row);
        (error.code(), error.message().to_owned())
    }

    /// A call that returns one object.
    pub(super) fn one(&mut self, row: &str, args: &[Value]) -> Ref {
        match &self.call(row, args).unwrap()[..] {
            [Value::Ref(Some(reference))] => reference.clone(),
            other => panic!("{row} returned {other:?}"),
        }
    }

    /// A call that returns one number.
    pub(super) fn number(&mut self, row: &str, args: &[Value]) -> i64 {
        match self.call(row, args).unwrap()[..] {
            [Value::I32(value)] => value.into(),
            [Value::I64(value)] => value,
            ref other => panic!("{row} returned {other:?}"),
        }
    }

    /// A call that returns nothing.
    pub(super) fn none(&mut self, row: &str, args: &[Value]) {
        let results = self
            .call(row, args)
            .unwrap_or_else(|error| panic!("{row}: {error}"));
        assert!(results.is_empty());
    }

    /// Memory of the host with these contents, for any use.
    pub(super) fn mapped(&self, bytes: &[u8]) -> Ref {
        let params = BufferParams::host_visible();
        let length = bytes.len() as u64;
        let buffer = self.device.allocator().allocate(&params, length).unwrap();
        buffer.map_write(0, bytes).unwrap();
        types::BUFFER.wrap(buffer)
    }

    /// Memory of the device.
    pub(super) fn local(&self, length: u64) -> Ref {
        let params = BufferParams::device_local();
        types::BUFFER.wrap(self.device.allocator().allocate(&params, length).unwrap())
    }

    /// What a buffer holds once `fence` is reached.
    pub(super) fn contents(&self, buffer: &Ref, fence: Option<&Ref>) -> Vec<u8> {
        if let Some(fence) = fence {
            types::FENCE.of(fence).unwrap().wait(LONG).unwrap();
        }
        let buffer: &Buffer = types::BUFFER.of(buffer).unwrap();
        let mut bytes = vec![0; buffer.byte_length() as usize];
        self.device.read(buffer, 0, &mut bytes).unwrap();
        bytes
    }

    /// What a call failed with must have gone to the fence that it would have signalled.
    pub(super) fn failed(&self, fence: &Ref, code: Code) {
        let status = types::FENCE.of(fence).unwrap().query().unwrap_err();
        assert_eq!(status.code().number(), code.0, "{status}");
    }

    pub(super) fn fence(&mut self) -> Ref {
        let device = self.device();
        self.one("fence.create 0rI_r", &[r(&device), l(0)])
    }
}

/// A fence at 1 of a semaphore that the caller signals.
pub(super) fn fence_of(semaphore: &Semaphore) -> Ref {
    types::FENCE.wrap(Fence::at(semaphore, 1))
}

pub(super) fn words(values: &[u32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}
