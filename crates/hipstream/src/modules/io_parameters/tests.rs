//! The functions, called as a program would, on the software GPU.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hal::flags::MemoryType;
use hal::{
    BufferParams, Device, DeviceParams, Driver, DriverOptions, Fence, Semaphore, Status, StatusCode,
};
use proptest::prelude::*;
use vm::{Buffer, Call, Code, Flow, NativeModule, Ref, Signature, Value};

use super::{EXPORTS, IoParametersModule, types};
use crate::parameters::testing::{Folder, IrpaWriter};
use crate::parameters::{Archive, Mode, Pattern, Progress, Set};

const LONG: Duration = Duration::from_secs(60);
const LOAD: usize = 0;
const GATHER: usize = 1;
const SCATTER: usize = 2;

/// What programs ask for: device-local memory for transfers and dispatches,
/// never written again.
const MEMORY_TYPE: i32 = 48;
const USAGE: i32 = 0x80C03;

fn software() -> Device {
    Driver::open("software", DriverOptions::default())
        .and_then(|driver| driver.create_device_by_id(0, &DeviceParams::default()))
        .expect("it is built in")
}

fn set(scope: &str, path: &Path) -> Arc<Set> {
    let mut set = Set::new();
    let archive = Archive::open(path, Mode::File).expect("a sound file");
    set.add(scope, archive).expect("keys that are new");
    Arc::new(set)
}

/// A span: key, offset in the parameter, offset in the buffer, length.
type Span<'a> = (&'a str, u64, u64, u64);

fn vm_buffer(bytes: impl Into<Vec<u8>>) -> Value {
    let bytes: Vec<u8> = bytes.into();
    vm::types::BUFFER
        .wrap(Buffer::read_only(bytes.into()))
        .into()
}

/// Table of keys, keys, table of spans.
fn tables(spans: &[Span<'_>]) -> [Value; 3] {
    let (mut table, mut keys, mut rows) = (Vec::new(), Vec::new(), Vec::new());
    for (key, offset, buffer_offset, length) in spans {
        table.extend((keys.len() as u32).to_le_bytes());
        table.extend((key.len() as u32).to_le_bytes());
        keys.extend(key.bytes());
        for number in [offset, buffer_offset, length] {
            rows.extend(number.to_le_bytes());
        }
    }
    [table, keys, rows].map(vm_buffer)
}

/// A program with one device and the fences of its next call.
struct Program {
    device: Device,
    module: IoParametersModule,
    wait: Option<Fence>,
    signal: Semaphore,
}

impl Program {
    fn new(parameters: Arc<Set>) -> Self {
        Self {
            device: software(),
            module: IoParametersModule::new(parameters),
            wait: None,
            signal: Semaphore::new(0).expect("from 0"),
        }
    }

    fn call(&mut self, export: usize, rest: Vec<Value>) -> vm::Result<Vec<Value>> {
        // Each call has a semaphore of its own: one may fail.
        self.signal = Semaphore::new(0).expect("from 0");
        let fence = |fence: Fence| Value::from(types::FENCE.wrap(fence));
        let mut args = vec![
            types::DEVICE.wrap(self.device.clone()).into(),
            Value::I64(0),
            self.wait.clone().map_or(Value::Ref(None), fence),
            fence(Fence::at(&self.signal, 1)),
        ];
        args.extend(rest);
        let kinds = Signature::parse(EXPORTS[export].signature)
            .expect("a calling convention")
            .plain_args();
        assert_eq!(
            kinds,
            Some(args.iter().map(Value::kind).collect()),
            "as the verifier would have checked"
        );
        let mut results = Vec::new();
        let flow = self
            .module
            .call(export, &mut Call::new(&args, &[], &mut results, None))?;
        assert!(matches!(flow, Flow::Return), "{flow:?}");
        Ok(results)
    }

    fn load(&mut self, scope: &str, spans: &[Span<'_>]) -> vm::Result<Vec<hal::Buffer>> {
        let mut args = vec![
            vm_buffer(scope),
            Value::I64(0),
            Value::I32(MEMORY_TYPE),
            Value::I32(USAGE),
        ];
        args.extend(tables(spans));
        let results = self.call(LOAD, args)?;
        let [Value::Ref(Some(list))] = &results[..] else {
            panic!("{results:?}");
        };
        let list = vm::types::LIST.of(list).expect("a list");
        Ok((0..list.len())
            .map(|index| match list.value(index) {
                Ok(Value::Ref(Some(buffer))) => {
                    types::BUFFER.of(&buffer).expect("a buffer").clone()
                }
                other => panic!("{other:?}"),
            })
            .collect())
    }

    fn gather(&mut self, target: &hal::Buffer, spans: &[Span<'_>]) -> vm::Result<()> {
        let mut args = vec![Value::Ref(None), buffer_ref(target).into()];
        args.extend(tables(spans));
        self.call(GATHER, args).map(drop)
    }

    fn done(&self) {
        self.signal.wait(1, LONG).expect("the signal comes");
    }

    fn bytes(&self, buffer: &hal::Buffer) -> Vec<u8> {
        let mut bytes = vec![0; buffer.byte_length() as usize];
        self.device.read(buffer, 0, &mut bytes).expect("readable");
        bytes
    }

    /// The failure that a call gave must have gone to its signal too.
    fn failed(&self, error: &vm::Error) {
        let status = self.signal.query().expect_err("failed as well");
        assert_eq!(status.code().number(), error.code().0, "{status}");
        assert_eq!(status.message(), error.message());
    }
}

fn buffer_ref(buffer: &hal::Buffer) -> Ref {
    types::BUFFER.wrap(buffer.clone())
}

fn pattern(bytes: &[u8]) -> Pattern {
    Pattern::new(bytes).expect("a length that there is")
}

/// Parameters of every kind.
fn sample(folder: &Folder) -> std::path::PathBuf {
    folder.file("other.bin", b"..external..");
    let file = IrpaWriter::new()
        .data("w", b"0123456789ab")
        .data("none", b"")
        .external("x", "other.bin", 2, 8)
        .splat("f32", 40, pattern(&1.5_f32.to_le_bytes()))
        .splat("i64", 200_000, pattern(b"abcdefgh"))
        .splat("zeros", 64, pattern(&[0; 16]))
        .splat("vast", 1 << 60, pattern(&[1]))
        .finish();
    folder.file("sample.irpa", &file)
}

#[test]
fn each_span_becomes_a_buffer() {
    let folder = Folder::new("load");
    let mut program = Program::new(set("model", &sample(&folder)));
    let buffers = program
        .load(
            "model",
            &[
                ("w", 0, 0, 12),
                ("w", 4, 0, 5),
                ("none", 0, 0, 0),
                ("x", 1, 0, 4),
                ("f32", 4, 0, 8),
                ("i64", 3, 0, 199_990),
                ("zeros", 0, 0, 64),
                ("vast", 1 << 59, 0, 3),
            ],
        )
        .expect("all are there");
    program.done();
    let found: Vec<_> = buffers.iter().map(|buffer| program.bytes(buffer)).collect();
    assert_eq!(found[0], b"0123456789ab");
    assert_eq!(found[1], b"45678");
    assert_eq!(found[2], b"");
    assert_eq!(found[3], b"xter");
    assert_eq!(found[4], 1.5_f32.to_le_bytes().repeat(2));
    let expected: Vec<u8> = b"defghabc".iter().copied().cycle().take(199_990).collect();
    assert!(found[5] == expected);
    assert_eq!(found[6], [0; 64]);
    assert_eq!(found[7], [1; 3]);
    for buffer in &buffers {
        assert!(buffer.memory_type().contains(MemoryType::DEVICE_LOCAL));
        assert!(buffer.allowed_usage().bits() & USAGE as u32 == USAGE as u32);
    }
    assert_eq!(program.load("model", &[]).expect("nothing").len(), 0);
    program.done();
}

#[test]
fn buffers_are_private() {
    let folder = Folder::new("private");
    let mut program = Program::new(set("model", &sample(&folder)));
    let span = [("w", 0, 0, 12)];
    let first = program.load("model", &span).expect("it is there");
    program.done();
    let written = program.device.write(&first[0], 0, b"changed");
    let point = written.expect("writable");
    point.semaphore.wait(point.value, LONG).expect("written");
    let second = program.load("model", &span).expect("it is there");
    program.done();
    assert_eq!(program.bytes(&first[0]), b"changed789ab");
    assert_eq!(program.bytes(&second[0]), b"0123456789ab");
}

#[test]
fn nothing_moves_before_the_wait_and_failures_pass_through() {
    let folder = Folder::new("waits");
    let mut program = Program::new(set("model", &sample(&folder)));
    let spans = [("w", 0, 0, 12), ("i64", 0, 0, 16)];
    let gate = Semaphore::new(0).expect("from 0");
    program.wait = Some(Fence::at(&gate, 1));
    let buffers = program.load("model", &spans).expect("they are there");
    std::thread::sleep(Duration::from_millis(20));
    assert_eq!(program.signal.query().expect("no failure"), 0);
    gate.signal(1).expect("from 0 to 1");
    program.done();
    assert_eq!(program.bytes(&buffers[0]), b"0123456789ab");
    for spans in [&spans[..], &[]] {
        let gate = Semaphore::new(0).expect("from 0");
        program.wait = Some(Fence::at(&gate, 1));
        program.load("model", spans).expect("it is submitted");
        gate.fail(Status::data_loss("the input is gone"));
        let status = program.signal.wait(1, LONG).expect_err("as the wait");
        assert_eq!(status.code(), StatusCode::DataLoss);
    }
}

#[test]
fn large_files_stream_through_little_memory_and_are_reported() {
    let folder = Folder::new("large");
    let contents: Vec<u8> = (0..40_000_003_u32).map(|i| ((i * 7) >> 5) as u8).collect();
    let file = IrpaWriter::new()
        .data("a", b"first")
        .data("w", &contents)
        .finish();
    let mut program = Program::new(set("", &folder.file("large.irpa", &file)));
    let told = Arc::new(Mutex::new(Vec::new()));
    let observer = {
        let told = told.clone();
        Arc::new(move |progress| told.lock().expect("no panic").push(progress))
    };
    program.module = program.module.with_progress(observer);
    let length = contents.len() as u64;
    let buffers = program
        .load("", &[("a", 0, 0, 5), ("w", 0, 0, length)])
        .expect("they are there");
    program.done();
    let statistics = program.device.allocator().statistics().expect("figures");
    assert!(statistics.host_bytes_peak <= 17 << 20, "{statistics:?}");
    assert!(program.bytes(&buffers[1]) == contents);
    let told = told.lock().expect("no panic");
    let total = length + 5;
    assert!(told.is_sorted_by_key(|progress: &Progress| progress.done));
    assert!(told.iter().all(|progress| progress.total == total));
    assert_eq!(told.last().map(|progress| progress.done), Some(total));
    assert!(told.len() > 3, "{told:?}");
}

#[test]
fn many_spans_are_loaded_and_fail_together() {
    // Longer than what travels inside of a command, and more than are joined at once.
    const LENGTH: u64 = 70_000;
    const COUNT: u64 = 1100;
    let folder = Folder::new("many");
    let contents: Vec<u8> = (0..LENGTH + COUNT).map(|i| ((i * 7) >> 5) as u8).collect();
    let file = IrpaWriter::new().data("w", &contents).finish();
    let mut program = Program::new(set("", &folder.file("many.irpa", &file)));
    let spans: Vec<Span<'_>> = (0..COUNT).map(|i| ("w", i, 0, LENGTH)).collect();
    let gate = Semaphore::new(0).expect("from 0");
    program.wait = Some(Fence::at(&gate, 1));
    let buffers = program.load("", &spans).expect("they are there");
    assert_eq!(program.signal.query().expect("no failure"), 0);
    gate.signal(1).expect("from 0 to 1");
    program.done();
    for (i, buffer) in buffers.iter().enumerate().step_by(137) {
        assert!(
            program.bytes(buffer) == contents[i..][..LENGTH as usize],
            "{i}"
        );
    }
    let gate = Semaphore::new(0).expect("from 0");
    program.wait = Some(Fence::at(&gate, 1));
    program.load("", &spans).expect("they are there");
    gate.fail(Status::data_loss("the input is gone"));
    let status = program.signal.wait(1, LONG).expect_err("as the wait");
    assert_eq!(status.code(), StatusCode::DataLoss);
}

#[test]
fn spans_are_gathered_into_one_buffer() {
    let folder = Folder::new("gather");
    let mut program = Program::new(set("", &sample(&folder)));
    let params = BufferParams::device_local();
    let target = program
        .device
        .allocator()
        .allocate(&params, 64)
        .expect("room");
    let point = program.device.write(&target, 0, &[b'.'; 64]).expect("room");
    program.wait = Some(Fence::at(&point.semaphore, point.value));
    let spans = [
        ("w", 2, 3, 4),
        ("i64", 1, 9, 11),
        ("f32", 0, 22, 4),
        ("f32", 0, 28, 8),
        ("none", 0, 64, 0),
    ];
    program.gather(&target, &spans).expect("they fit");
    program.done();
    let mut expected = b"...2345..bcdefghabcd............................................".to_vec();
    expected[22..26].copy_from_slice(&1.5_f32.to_le_bytes());
    expected[28..36].copy_from_slice(&1.5_f32.to_le_bytes().repeat(2));
    assert_eq!(program.bytes(&target), expected);
    for span in [("w", 0, 60, 12), ("w", 0, u64::MAX, 1)] {
        let error = program
            .gather(&target, &[span])
            .expect_err("beyond the end");
        assert_eq!(error.code(), Code::OUT_OF_RANGE, "{error}");
        assert!(error.message().contains("parameter `w`"), "{error}");
        program.failed(&error);
    }
    assert_eq!(program.bytes(&target), expected, "nothing was written");
}

#[test]
fn splats_go_anywhere_in_part_of_a_buffer() {
    let folder = Folder::new("part");
    let mut program = Program::new(set("", &sample(&folder)));
    let params = BufferParams::device_local();
    let allocator = program.device.allocator();
    let target = allocator.allocate(&params, 16).expect("room");
    let point = program.device.write(&target, 0, &[0; 16]).expect("room");
    program.wait = Some(Fence::at(&point.semaphore, point.value));
    // The offset in the part is a multiple of the pattern, its address is not.
    let part = target.subspan(2, 12).expect("it is inside");
    let gathered = program.gather(&part, &[("f32", 0, 4, 8)]);
    gathered.expect("at any address");
    program.done();
    let value = 1.5_f32.to_le_bytes();
    let expected = [&[0; 6][..], &value, &value, &[0; 2]].concat();
    assert_eq!(program.bytes(&target), expected);
}

#[test]
fn what_is_wrong_is_named_and_fails_the_signal() {
    let folder = Folder::new("wrong");
    let path = sample(&folder);
    let mut program = Program::new(set("model", &path));
    for (scope, span, code, message) in [
        (
            "modell",
            ("w", 0, 0, 12),
            Code::NOT_FOUND,
            "no provider registered that handles scopes like 'modell'",
        ),
        (
            "model",
            ("zero", 0, 0, 4),
            Code::NOT_FOUND,
            "there is no parameter `zero` in scope `model`, which has 7; did you mean `zeros`?",
        ),
        (
            "model",
            ("w", 4, 0, 9),
            Code::OUT_OF_RANGE,
            "the program wants 9 bytes at 4 of parameter `w`, which has 12",
        ),
        (
            "model",
            ("w", u64::MAX, 0, 9),
            Code::OUT_OF_RANGE,
            "the program wants 9 bytes at 18446744073709551615",
        ),
        (
            "model",
            ("vast", 0, 0, 1 << 60),
            Code::RESOURCE_EXHAUSTED,
            "loading parameter `vast`",
        ),
    ] {
        let good = ("w", 0, 0, 12);
        let error = program.load(scope, &[good, span]).expect_err(message);
        assert_eq!(error.code(), code, "{error}");
        assert!(error.message().starts_with(message), "{error}");
        program.failed(&error);
    }
    let good = program
        .load("model", &[("w", 0, 0, 12)])
        .expect("as before");
    program.done();
    assert_eq!(program.bytes(&good[0]), b"0123456789ab");
}

#[test]
fn tables_must_fit_each_other() {
    let folder = Folder::new("tables");
    let mut program = Program::new(set("", &sample(&folder)));
    let span = [0_u64, 0, 1].map(u64::to_le_bytes).concat();
    let key = |offset: u32, length: u32| [offset.to_le_bytes(), length.to_le_bytes()].concat();
    let rows = [
        (
            "whole",
            key(0, 1),
            &b"w"[..],
            span[..23].to_vec(),
            Code::INVALID_ARGUMENT,
        ),
        (
            "few keys",
            key(0, 1),
            &b"w"[..],
            span.repeat(2),
            Code::INVALID_ARGUMENT,
        ),
        (
            "key end",
            key(0, 2),
            &b"w"[..],
            span.clone(),
            Code::OUT_OF_RANGE,
        ),
        (
            "key start",
            key(2, 0),
            &b"w"[..],
            span.clone(),
            Code::OUT_OF_RANGE,
        ),
        (
            "wrapping",
            key(u32::MAX, u32::MAX),
            &b"w"[..],
            span.clone(),
            Code::OUT_OF_RANGE,
        ),
        (
            "UTF-8",
            key(0, 1),
            b"\xff",
            span.clone(),
            Code::INVALID_ARGUMENT,
        ),
    ];
    for (name, table, keys, spans, code) in rows {
        let mut args = vec![
            Value::Ref(None),
            Value::I64(0),
            Value::I32(48),
            Value::I32(3),
        ];
        args.extend([table, keys.to_vec(), spans].map(vm_buffer));
        let error = program.call(LOAD, args).expect_err(name);
        assert_eq!(error.code(), code, "{name}: {error}");
        program.failed(&error);
    }
    let mut args = vec![
        Value::Ref(None),
        Value::I64(0),
        Value::I32(48),
        Value::I32(3),
    ];
    args.extend([Value::Ref(None), vm_buffer(*b""), vm_buffer(*b"")]);
    let error = program.call(LOAD, args).expect_err("null is no table");
    assert_eq!(error.code(), Code::INVALID_ARGUMENT);
    program.failed(&error);
    // One buffer that a program writes may be all three.
    let all = vm::types::BUFFER.wrap(Buffer::writable(vec![0; 24]));
    let mut args = vec![
        Value::Ref(None),
        Value::I64(0),
        Value::I32(48),
        Value::I32(3),
    ];
    args.extend([all.clone(), all.clone(), all].map(Value::from));
    let error = program.call(LOAD, args).expect_err("there is no such key");
    assert_eq!(error.code(), Code::NOT_FOUND);
}

#[test]
fn files_are_not_written() {
    let folder = Folder::new("scatter");
    let path = sample(&folder);
    let mut program = Program::new(set("", &path));
    let params = BufferParams::device_local();
    let source = program
        .device
        .allocator()
        .allocate(&params, 64)
        .expect("room");
    let mut scatter = |span: Span<'_>| {
        let mut args = vec![buffer_ref(&source).into(), Value::Ref(None)];
        args.extend(tables(&[span]));
        let error = program
            .call(SCATTER, args)
            .expect_err("files are only read");
        program.failed(&error);
        error
    };
    let error = scatter(("w", 0, 0, 12));
    assert_eq!(error.code(), Code::PERMISSION_DENIED);
    assert_eq!(
        error.message(),
        format!(
            "parameter `w` cannot be written: {} is opened for reading only",
            path.display()
        )
    );
    assert_eq!(scatter(("v", 0, 0, 12)).code(), Code::NOT_FOUND);
    assert_eq!(scatter(("w", 0, 0, 13)).code(), Code::OUT_OF_RANGE);
    let mut args = vec![buffer_ref(&source).into(), Value::Ref(None)];
    args.extend(tables(&[]));
    program.call(SCATTER, args).expect("nothing to write");
    program.done();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Whatever the tables are, there is an answer, and the signal is settled.
    #[test]
    fn any_tables_are_answered(
        table in prop::collection::vec(prop_oneof![0_u8..4, any::<u8>()], 0..40),
        spans in prop::collection::vec(prop_oneof![Just(0_u8), Just(0), 0_u8..9, any::<u8>()], 0..75),
        export in 0_usize..3,
    ) {
        let folder = Folder::new(&format!("any-{export}"));
        let mut program = Program::new(set("", &sample(&folder)));
        let params = BufferParams::device_local();
        let buffer = program.device.allocator().allocate(&params, 16).expect("room");
        let mut args = match export {
            LOAD => vec![Value::Ref(None), Value::I64(0), Value::I32(48), Value::I32(3)],
            GATHER => vec![Value::Ref(None), buffer_ref(&buffer).into()],
            _ => vec![buffer_ref(&buffer).into(), Value::Ref(None)],
        };
        args.extend([table, b"wwww".to_vec(), spans].map(vm_buffer));
        match program.call(export, args) {
            Ok(_) => program.done(),
            Err(error) => program.failed(&error),
        }
    }
}
