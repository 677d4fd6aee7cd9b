//! Whole programs of both generations: what the stock compilers made of the
//! sources in `fixtures`, with outputs that the stock CPU runtime computed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use fixtures::{Case, Role};
use hal::{
    BufferParams, BufferView, CommandBufferMode, Device, DeviceParams, Driver, DriverOptions,
    ElementType, Encoding, Fence, Semaphore, Timeout,
};
use vm::{BytecodeModule, Code, Context, Invocation, Limits, ModuleId, Poll, Ref, Result, Value};

use crate::modules::hal::{HalModule, types};

const LONG: Duration = Duration::from_secs(60);

pub(super) fn software(params: &DeviceParams) -> Device {
    Driver::open("software", DriverOptions::default())
        .and_then(|driver| driver.create_device_by_id(0, params))
        .unwrap()
}

/// A program in a context of its own, initialised.
pub(super) struct Program {
    /// How long it waits at a time before the test fails; without an end, it
    /// waits on its own thread.
    pub(super) patience: Option<Duration>,
    context: Context,
    module: ModuleId,
}

impl Program {
    pub(super) fn load(file: &str, device: &Device) -> Result<Self> {
        let module = BytecodeModule::load(fixtures::read(file).into())?;
        let mut context = Context::new(Limits::default());
        let hal = HalModule::for_fixtures(vec![device.clone()]);
        context.register(Box::new(hal));
        let module = context.link(Arc::new(module))?;
        let mut program = Self {
            patience: Some(LONG),
            context,
            module,
        };
        if let Some(initializer) = program.context.initializer(module) {
            program.run(initializer, Vec::new())?;
        }
        Ok(program)
    }

    pub(super) fn call(&mut self, function: &str, args: Vec<Value>) -> Result<Vec<Value>> {
        let function = self
            .context
            .lookup(self.module, function)
            .unwrap_or_else(|| panic!("the program has no function `{function}`"));
        self.run(function, args)
    }

    fn run(&mut self, function: vm::Function, args: Vec<Value>) -> Result<Vec<Value>> {
        let mut invocation = Invocation::new(&self.context, function, args)?;
        loop {
            let poll = invocation.poll(&mut self.context, None);
            match poll.map_err(vm::Trap::into_error)? {
                Poll::Done(results) => return Ok(results),
                Poll::Yielded => {}
                Poll::Waiting { on, deadline } => wait(&on, deadline, self.patience),
            }
        }
    }
}

/// Sleeps until a program that waits can go on. How it ended, it sees itself.
fn wait(on: &Ref, deadline: Option<Instant>, patience: Option<Duration>) {
    let fence = types::FENCE.of(on).expect("programs wait for fences");
    let patience = patience.map_or(Timeout::Infinite, Timeout::after);
    let timeout = deadline.map_or(patience, Timeout::At);
    let waited = fence.wait(timeout);
    let is_late = deadline.is_none_or(|deadline| deadline > Instant::now());
    if let Err(status) = waited {
        let is_stuck = status.code() == hal::StatusCode::DeadlineExceeded && is_late;
        assert!(!is_stuck, "nobody reaches the fence");
    }
}

/// A view of device memory with these contents, as callers pass it.
fn try_view(device: &Device, dtype: &str, shape: &[u64], bytes: &[u8]) -> hal::Result<Ref> {
    let params = BufferParams::device_local();
    let buffer = device.allocator().allocate(&params, bytes.len() as u64)?;
    let written = device.write(&buffer, 0, bytes)?;
    written.semaphore.wait(written.value, Timeout::Infinite)?;
    let element_type: ElementType = dtype.parse()?;
    let buffer = buffer.subspan(0, bytes.len() as u64)?;
    let view = BufferView::new(buffer, shape, element_type, Encoding::DENSE_ROW_MAJOR)?;
    Ok(types::BUFFER_VIEW.wrap(view))
}

fn view(device: &Device, dtype: &str, shape: &[u64], bytes: &[u8]) -> Ref {
    try_view(device, dtype, shape, bytes).unwrap()
}

pub(super) fn try_floats(device: &Device, values: &[f32]) -> hal::Result<Value> {
    let bytes: Vec<u8> = values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    Ok(try_view(device, "f32", &[values.len() as u64], &bytes)?.into())
}

fn floats(device: &Device, values: &[f32]) -> Value {
    try_floats(device, values).unwrap()
}

/// What a result, a view, holds.
fn contents(device: &Device, result: &Value) -> (BufferView, Vec<u8>) {
    let Value::Ref(Some(result)) = result else {
        panic!("{result:?} is no view");
    };
    let view = types::BUFFER_VIEW.of(result).expect("a view").clone();
    let length = view.element_type().dense_byte_length(view.shape()).unwrap();
    let mut bytes = vec![0; length as usize];
    device.read(view.buffer(), 0, &mut bytes).unwrap();
    (view, bytes)
}

fn numbers(device: &Device, result: &Value) -> Vec<f32> {
    let (_, bytes) = contents(device, result);
    let (words, _) = bytes.as_chunks();
    words.iter().map(|&word| f32::from_le_bytes(word)).collect()
}

/// Runs a case twice in one context, and holds its outputs against the manifest.
fn check(case: &Case, file: &str, device: &Device) {
    let name = format!("{} ({file})", case.name);
    let mut program = Program::load(file, device).unwrap_or_else(|error| panic!("{name}: {error}"));
    for _ in 0..2 {
        let of_role = |role| {
            case.buffers
                .iter()
                .filter(move |buffer| buffer.role == role)
        };
        let args = of_role(Role::Input)
            .map(|buffer| view(device, &buffer.dtype, &buffer.shape, &buffer.bytes()).into())
            .collect();
        let results = program
            .call(&case.name, args)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let outputs: Vec<_> = of_role(Role::Output).collect();
        assert_eq!(results.len(), outputs.len(), "{name}");
        for (result, output) in results.iter().zip(outputs) {
            let (view, bytes) = contents(device, result);
            assert_eq!(view.shape(), output.shape, "{name}");
            assert_eq!(view.element_type().to_string(), output.dtype, "{name}");
            output
                .check(&bytes)
                .unwrap_or_else(|why| panic!("{name}: {why}"));
        }
    }
}

#[test]
fn every_program_gives_what_the_stock_runtime_computed() {
    check_all(&DeviceParams::default());
}

#[test]
fn so_it_does_on_two_queues_and_in_graphs() {
    check_all(&DeviceParams {
        queue_count: 2,
        command_buffer_mode: CommandBufferMode::Graph,
        ..DeviceParams::default()
    });
}

fn check_all(params: &DeviceParams) {
    let device = software(params);
    let mut count = 0;
    for case in fixtures::cases() {
        for run in case.runs.iter().filter(|run| run.is_for_amd()) {
            if let Some(module) = &run.module {
                check(case, module.to_str().unwrap(), &device);
                count += 1;
            }
        }
    }
    assert!(count >= 36, "{count} runs");
}

const BOTH: [&str; 2] = ["gfx1100", "old_gfx1100"];

#[test]
fn state_lives_from_call_to_call_and_survives_a_failure() {
    for target in BOTH {
        let device = software(&DeviceParams::default());
        let mut program = Program::load(&format!("{target}/ledger.vmfb"), &device).unwrap();
        let mut deposit = |amount| program.call("deposit", vec![Value::I32(amount)]);
        assert!(matches!(deposit(5).unwrap()[..], [Value::I32(15)]));
        let error = deposit(-1).unwrap_err();
        assert_eq!(error.code(), Code::FAILED_PRECONDITION);
        assert!(error.message().contains("must not be negative"), "{error}");
        assert!(matches!(deposit(1).unwrap()[..], [Value::I32(16)]));
        for round in 1..=3 {
            let x = floats(&device, &[1.0, 2.0, 3.0, 4.0]);
            let results = program.call("record", vec![x]).unwrap();
            let expected = [1.0, 2.0, 3.0, 4.0].map(|x| x * round as f32 + x - 0.5);
            // 0.5, 1.5, 2.5, 3.5 to begin with.
            assert_eq!(numbers(&device, &results[0]), expected, "{target}");
        }
    }
}

#[test]
fn asynchronous_functions_wait_for_their_caller_and_signal_it() {
    for target in BOTH {
        let device = software(&DeviceParams::default());
        let mut program = Program::load(&format!("{target}/ledger_async.vmfb"), &device).unwrap();
        let (wait, signal) = (Semaphore::new(0).unwrap(), Semaphore::new(0).unwrap());
        let fence = |semaphore: &Semaphore| types::FENCE.wrap(Fence::at(semaphore, 1)).into();
        let is_late = target == "gfx1100";
        if !is_late {
            // The older generation waits for its caller on the host.
            wait.signal(1).unwrap();
        }
        let x = floats(&device, &[1.0; 4]);
        let results = program
            .call("record", vec![x, fence(&wait), fence(&signal)])
            .unwrap();
        if is_late {
            assert_eq!(signal.query().unwrap(), 0, "it must wait");
            wait.signal(1).unwrap();
        }
        signal.wait(1, LONG).unwrap();
        assert_eq!(numbers(&device, &results[0]), [1.5, 2.5, 3.5, 4.5]);
        // A caller that has nothing to wait for passes null.
        let (signal, x) = (Semaphore::new(0).unwrap(), floats(&device, &[1.0; 4]));
        let results = program
            .call("record", vec![x, Value::Ref(None), fence(&signal)])
            .unwrap();
        signal.wait(1, LONG).unwrap();
        assert_eq!(numbers(&device, &results[0]), [2.5, 3.5, 4.5, 5.5]);
    }
}

#[test]
fn a_call_that_fails_leaves_the_program_and_the_device_usable() {
    for target in BOTH {
        let device = software(&DeviceParams::default());
        let mut program = Program::load(&format!("{target}/mishaps.vmfb"), &device).unwrap();
        let table = floats(&device, &std::array::from_fn::<f32, 16, _>(|i| i as f32));
        let mut take = |indices: [i32; 4]| {
            let bytes: Vec<u8> = indices.iter().flat_map(|i| i.to_le_bytes()).collect();
            let indices = view(&device, "i32", &[4], &bytes).into();
            program.call("take", vec![table.clone(), indices])
        };
        let taken = take([3, 1, 15, 0]).unwrap();
        assert_eq!(numbers(&device, &taken[0]), [3.0, 1.0, 15.0, 0.0]);
        let error = take([3, 1 << 26, 15, 0]).unwrap_err();
        assert_eq!(error.code(), Code::INTERNAL);
        assert!(error.message().contains("take_dispatch"), "{error}");
        let taken = take([2, 2, 2, 2]).unwrap();
        assert_eq!(numbers(&device, &taken[0]), [2.0; 4]);
        let mut ones = |count| program.call("ones", vec![Value::I64(count)]);
        let error = ones(1 << 50).unwrap_err();
        assert_eq!(error.code(), Code::RESOURCE_EXHAUSTED, "{error}");
        let made = ones(5).unwrap();
        assert_eq!(numbers(&device, &made[0]), [1.0; 5]);
        let made = ones(0).unwrap();
        assert_eq!(numbers(&device, &made[0]), [0.0; 0]);
        // Wrong inputs are refused before anything runs.
        let indices = view(&device, "i32", &[3], &[0; 12]).into();
        let error = program.call("take", vec![table, indices]).unwrap_err();
        assert_eq!(error.code(), Code::INVALID_ARGUMENT);
        assert_eq!(
            error.message(),
            "input1 shape dimension 0 mismatch; expected 4 but have 3; expected shape `4`, actual shape `3`"
        );
    }
}
