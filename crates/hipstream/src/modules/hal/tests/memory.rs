//! Allocators, buffers, views and devices.

use std::io::Write;
use std::sync::{Arc, Mutex};

use vm::{Code, Value};

use super::fixture::{ANY, Fixture, NULL, data, i, l, r, text, words};
use crate::modules::hal::{HalModule, types};

/// Memory of the host: local, visible, coherent; visible to the device.
const HOST: i32 = 0x56;
const DEVICE_LOCAL: i32 = 0x30;
/// Transfers and storage.
const DEFAULT: i32 = 0xC03;
const IMMUTABLE: i32 = 0x80C03;
const MAPPED: i32 = 0x900_0C03;

pub(super) fn allocators(f: &mut Fixture) {
    let device = f.device();
    let allocator = f.one("device.allocator 0r_r", &[r(&device)]);
    let mut allocate = |types, usage, length| {
        let args = [r(&allocator), ANY, i(types), i(usage), l(length)];
        f.call("allocator.allocate 0rIiiI_r", &args)
    };
    let Value::Ref(Some(buffer)) = &allocate(DEVICE_LOCAL, IMMUTABLE, 100).unwrap()[0] else {
        panic!("no buffer");
    };
    let found = types::BUFFER.of(buffer).unwrap();
    assert_eq!(found.byte_length(), 100);
    assert_eq!(found.allowed_usage().bits(), IMMUTABLE as u32);
    assert_eq!(found.memory_type().bits(), DEVICE_LOCAL as u32);
    let Value::Ref(Some(empty)) = &allocate(DEVICE_LOCAL, DEFAULT, 0).unwrap()[0] else {
        panic!("no buffer");
    };
    assert_eq!(types::BUFFER.of(empty).unwrap().byte_length(), 0);
    for length in [-1, 1 << 60] {
        let error = allocate(DEVICE_LOCAL, DEFAULT, length).unwrap_err();
        assert_eq!(error.code(), Code::RESOURCE_EXHAUSTED, "{error}");
    }
}

pub(super) fn imports(f: &mut Fixture) {
    let device = f.device();
    let allocator = f.one("device.allocator 0r_r", &[r(&device)]);
    let source = data(&[1, 2, 3, 4, 5, 6, 7, 8]);
    let mut import = |is_attempt, types, usage, source: &vm::Ref, offset, length| {
        let args = [
            r(&allocator),
            i(is_attempt),
            ANY,
            i(types),
            i(usage),
            r(source),
            l(offset),
            l(length),
        ];
        f.call("allocator.import 0riIiirII_r", &args)
            .map_err(|error| error.code())
    };
    // Who only tries gets null, and goes another way.
    let tried = import(1, DEVICE_LOCAL, IMMUTABLE, &source, 0, 8).unwrap();
    assert!(matches!(tried[..], [Value::Ref(None)]));
    for is_attempt in [0, 1] {
        let refused = import(is_attempt, DEVICE_LOCAL, DEFAULT, &source, 0, 8);
        assert_eq!(refused.unwrap_err(), Code::PERMISSION_DENIED);
        let beyond = import(is_attempt, HOST, IMMUTABLE, &source, 4, 5);
        assert_eq!(beyond.unwrap_err(), Code::OUT_OF_RANGE);
    }
    let refused = import(0, DEVICE_LOCAL, IMMUTABLE, &source, 0, 8);
    assert_eq!(refused.unwrap_err(), Code::UNAVAILABLE);
    let writable = vm::types::BUFFER.wrap(vm::Buffer::writable(vec![0; 8]));
    let refused = import(0, HOST, DEFAULT, &writable, 0, 8);
    assert_eq!(refused.unwrap_err(), Code::UNAVAILABLE);
    let imported = import(0, HOST, IMMUTABLE, &source, 2, -1).unwrap();
    let [Value::Ref(Some(imported))] = &imported[..] else {
        panic!("nothing was imported");
    };
    assert_eq!(f.contents(imported, None), [3, 4, 5, 6, 7, 8]);
}

pub(super) fn selection(f: &mut Fixture) {
    let device = f.device();
    let row = "allocator.select 0iiICrID_rI";
    let common = [i(DEVICE_LOCAL), i(DEFAULT), l(0)];
    let pairs = [r(&device), l(1), NULL, l(2)];
    let args = [&common[..], &pairs].concat();
    let results = f.groups(&[2]).call(row, &args).unwrap();
    let [Value::Ref(Some(selected)), Value::I64(1)] = &results[..] else {
        panic!("{results:?}");
    };
    assert!(selected.ptr_eq(&device));
    let (code, _) = f.groups(&[0]).fail(row, &common);
    assert_eq!(code, Code::INVALID_ARGUMENT);
}

pub(super) fn buffers(f: &mut Fixture) {
    let device = f.device();
    let allocator = f.one("device.allocator 0r_r", &[r(&device)]);
    let local = f.local(64);
    let row = "buffer.assert 0rrrIii_v";
    let mut assert = |least, types, usage| {
        let args = [
            r(&local),
            text("input0"),
            r(&allocator),
            l(least),
            i(types),
            i(usage),
        ];
        f.call(row, &args)
            .map_err(|error| (error.code(), error.message().to_owned()))
    };
    assert(64, 16, DEFAULT).unwrap();
    let (code, message) = assert(65, 16, DEFAULT).unwrap_err();
    assert_eq!(code, Code::INVALID_ARGUMENT);
    assert_eq!(
        message,
        "input0 is too short; expected at least 65 bytes but have 64"
    );
    let (code, message) = assert(64, 2, DEFAULT).unwrap_err();
    assert_eq!(code, Code::PERMISSION_DENIED);
    assert!(message.contains("input0"), "{message}");
    assert_eq!(
        assert(64, 16, MAPPED).unwrap_err().0,
        Code::PERMISSION_DENIED
    );
    let null = [NULL, NULL, r(&allocator), l(0), i(0), i(0)];
    assert_eq!(f.fail(row, &null).1, "null where a hal.buffer is needed");

    let part = f.one("buffer.subspan 0rII_r", &[r(&local), l(16), l(32)]);
    assert_eq!(f.number("buffer.length 0r_I", &[r(&part)]), 32);
    let (code, _) = f.fail("buffer.subspan 0rII_r", &[r(&part), l(16), l(17)]);
    assert_eq!(code, Code::OUT_OF_RANGE);
}

pub(super) fn numbers_in_buffers(f: &mut Fixture) {
    let mapped = f.mapped(&[0xFF; 8]);
    let local = f.local(8);
    for buffer in [mapped, local] {
        let store = |value, offset, length| [i(value), r(&buffer), l(offset), i(length)];
        let load = |offset, length| [r(&buffer), l(offset), i(length)];
        let (store_row, load_row) = ("buffer.store 0irIi_v", "buffer.load 0rIi_i");
        f.none(store_row, &store(0x8182_8384_u32 as i32, 0, 4));
        f.none(store_row, &store(0x0102, 4, 1));
        assert_eq!(
            f.number(load_row, &load(0, 4)),
            i64::from(0x8182_8384_u32 as i32)
        );
        assert_eq!(f.number(load_row, &load(1, 2)), 0x8283);
        assert_eq!(f.number(load_row, &load(3, 1)), 0x81, "no sign");
        assert_eq!(f.number(load_row, &load(4, 1)), 2);
        for length in [0, 5, -1] {
            assert_eq!(f.fail(load_row, &load(0, length)).0, Code::INVALID_ARGUMENT);
            let args = store(0, 0, length);
            assert_eq!(f.fail(store_row, &args).0, Code::INVALID_ARGUMENT);
        }
        assert_eq!(f.fail(load_row, &load(6, 4)).0, Code::OUT_OF_RANGE);
        assert_eq!(f.fail(store_row, &store(0, -1, 4)).0, Code::OUT_OF_RANGE);
    }
}

pub(super) fn ownership(f: &mut Fixture) {
    let buffer = f.local(8);
    let part = f.one("buffer.subspan 0rII_r", &[r(&buffer), l(0), l(4)]);
    let is_terminal = "buffer.allocation.is_terminal 0r_i";
    assert_eq!(f.number(is_terminal, &[r(&buffer)]), 1);
    f.none("buffer.allocation.preserve 0r_v", &[r(&part)]);
    assert_eq!(f.number(is_terminal, &[r(&buffer)]), 0);
    let discard = "buffer.allocation.discard 0r_i";
    assert_eq!(f.number(discard, &[r(&buffer)]), 0);
    assert_eq!(f.number(discard, &[r(&part)]), 1);
    assert_eq!(f.number(discard, &[r(&part)]), 0);
}

const F32: i32 = 0x2100_0020;
const I32: i32 = 0x1000_0020;

pub(super) fn views(f: &mut Fixture) {
    let buffer = f.local(1024);
    let create = "buffer_view.create 0rIIiiCID_r";
    let args = [r(&buffer), l(64), l(24), i(F32), i(1), l(2), l(3)];
    let view = f.groups(&[2]).one(create, &args);
    assert_eq!(f.number("buffer_view.rank 0r_i", &[r(&view)]), 2);
    for (index, dim) in [(0, 2), (1, 3), (2, 0), (-1, 0)] {
        let found = f.number("buffer_view.dim 0ri_I", &[r(&view), i(index)]);
        assert_eq!(found, dim, "{index}");
    }
    let element_type = f.number("buffer_view.element_type 0r_i", &[r(&view)]);
    assert_eq!(element_type, i64::from(F32));
    assert_eq!(f.number("buffer_view.encoding_type 0r_i", &[r(&view)]), 1);
    let back = f.one("buffer_view.buffer 0r_r", &[r(&view)]);
    assert_eq!(f.number("buffer.length 0r_I", &[r(&back)]), 24);
    assert_eq!(types::BUFFER.of(&back).unwrap().byte_offset(), 64);
    // It must fit, whatever is asked for.
    for (offset, length, dim) in [(64, 24, 7), (1020, 24, 6), (0, 24, -1), (-8, 8, 1)] {
        let args = [r(&buffer), l(offset), l(length), i(F32), i(1), l(dim)];
        let (code, _) = f.groups(&[1]).fail(create, &args);
        assert_eq!(code, Code::OUT_OF_RANGE, "{offset} {length} {dim}");
    }
}

/// The texts are those that users of the stock tools know.
pub(super) fn assertions_about_views(f: &mut Fixture) {
    let buffer = f.local(8192);
    let create = "buffer_view.create 0rIIiiCID_r";
    let mut view = |element_type, encoding, dim| {
        let args = [
            r(&buffer),
            l(0),
            l(8192),
            i(element_type),
            i(encoding),
            l(dim),
        ];
        f.groups(&[1]).one(create, &args)
    };
    let given = [
        view(F32, 1, 1000),
        view(I32, 1, 1024),
        view(0x20, 1, 1024),
        view(F32, 0, 1024),
        view(F32, 7, 1024),
        view(0x1200_0020, 1, 1024),
    ];
    let mut assert = |given: &vm::Ref, element_type, dims: &[i64]| {
        let mut args = vec![r(given), text("input0"), i(element_type), i(1)];
        args.extend(dims.iter().map(|&dim| l(dim)));
        let result = f
            .groups(&[dims.len() as u16])
            .call("buffer_view.assert 0rriiCID_v", &args);
        result.map_err(|error| {
            assert_eq!(error.code(), Code::INVALID_ARGUMENT);
            error.message().to_owned()
        })
    };
    assert(&given[0], F32, &[1000]).unwrap();
    assert_eq!(
        assert(&given[0], F32, &[1024]).unwrap_err(),
        "input0 shape dimension 0 mismatch; expected 1024 but have 1000; expected shape `1024`, actual shape `1000`"
    );
    assert_eq!(
        assert(&given[0], F32, &[10, 100]).unwrap_err(),
        "input0 shape rank mismatch; expected 2 but have 1; expected shape `10x100`, actual shape `1000`"
    );
    assert_eq!(
        assert(&given[1], F32, &[1024]).unwrap_err(),
        "input0 element type mismatch; expected f32 (21000020) but have i32 (10000020)"
    );
    assert_eq!(
        assert(&given[4], F32, &[1024]).unwrap_err(),
        "input0 encoding mismatch; expected 00000001 but have 00000007"
    );
    // Opaque data and encodings pass, and integers of the same size.
    assert(&given[2], F32, &[1024]).unwrap();
    assert(&given[3], F32, &[1024]).unwrap();
    assert(&given[5], I32, &[1024]).unwrap();
}

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

pub(super) fn traces(f: &mut Fixture) {
    let row = "buffer_view.trace 0rCrD_v";
    let mapped = f.mapped(&words(&[1, 2, 3, 4]));
    let create = "buffer_view.create 0rIIiiCID_r";
    let args = [r(&mapped), l(0), l(16), i(I32), i(1), l(2), l(2)];
    let view = f.groups(&[2]).one(create, &args);
    // How the elements lie in an opaque encoding nobody here knows.
    let args = [r(&mapped), l(0), l(16), i(F32), i(0), l(100)];
    let opaque = f.groups(&[1]).one(create, &args);
    let args = [text("dispatch 0"), r(&view), NULL, r(&opaque)];
    // Without a sink nothing is done.
    f.groups(&[3]).none(row, &args);
    let sink = Sink::default();
    f.module = HalModule::for_fixtures(vec![f.device.clone()]).with_trace(Box::new(sink.clone()));
    f.groups(&[3]).none(row, &args);
    let written = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
    let (shown, rest) = written.split_at(written.find("BufferView").unwrap());
    assert_eq!(shown, "=== dispatch 0 ===\n2x2xi32=[1 2][3 4]\n(null)\n");
    assert!(rest.contains("100xf32"), "{rest}");
    assert!(rest.contains("do not fit a buffer of 16 bytes"), "{rest}");
}

/// Text is copied, so a program cannot make it as long as a buffer can be.
pub(super) fn long_texts(f: &mut Fixture) {
    let device = f.device();
    let row = "device.query.i64 0rrr_iI";
    let longest = "n".repeat(64 << 10);
    f.call(row, &[r(&device), text(&longest), text("x")])
        .unwrap();
    let longer = longest.clone() + "n";
    for args in [["x", &longer], [&longer, "x"]] {
        let [category, key] = args.map(text);
        let (code, why) = f.fail(row, &[r(&device), category, key]);
        assert_eq!(code, Code::INVALID_ARGUMENT, "{why}");
    }
    // Names in messages are cut.
    let buffer = f.local(16);
    let create = "buffer_view.create 0rIIiiCID_r";
    let args = [r(&buffer), l(0), l(16), i(F32), i(1), l(4)];
    let view = f.groups(&[1]).one(create, &args);
    let assert = "buffer_view.assert 0rriiCID_v";
    let args = [r(&view), text(&longer.repeat(3)), i(F32), i(1), l(5)];
    let (code, why) = f.groups(&[1]).fail(assert, &args);
    assert_eq!(code, Code::INVALID_ARGUMENT);
    assert!(why.starts_with(&longest) && !why.starts_with(&longer));
    // A key that nobody reads may be anything.
    let trace = "buffer_view.trace 0rCrD_v";
    let args = [text(&longer), r(&view)];
    f.groups(&[1]).none(trace, &args);
    let sink = Box::new(Sink::default());
    f.module = HalModule::for_fixtures(vec![f.device.clone()]).with_trace(sink);
    let (code, _) = f.groups(&[1]).fail(trace, &args);
    assert_eq!(code, Code::INVALID_ARGUMENT);
}

pub(super) fn devices(f: &mut Fixture) {
    assert_eq!(f.number("devices.count 0v_i", &[]), 1);
    let device = f.device();
    assert!(device.ptr_eq(&f.device()), "one object a device");
    for index in [1, -1] {
        let results = f.call("devices.get 0i_r", &[i(index)]).unwrap();
        assert!(matches!(results[..], [Value::Ref(None)]));
    }
    for (category, key, known, value) in [
        ("hal.device.id", "hip", 1, 1),
        ("hal.device.id", "cuda*", 1, 0),
        ("hal.executable.format", "rocm-hsaco-fb", 1, 1),
        ("hal.executable.format", "vmvx-bytecode-fb", 1, 0),
        ("hal.device", "concurrency", 1, 1),
        ("hal.device", "colour", 0, 0),
    ] {
        let args = [r(&device), text(category), text(key)];
        let results = f.call("device.query.i64 0rrr_iI", &args).unwrap();
        let [Value::I32(is_known), Value::I64(answer)] = results[..] else {
            panic!("{results:?}");
        };
        assert_eq!((is_known, answer), (known, value), "{category} {key}");
    }
    // Without devices programs can still load.
    f.module = HalModule::for_fixtures(Vec::new());
    assert_eq!(f.number("devices.count 0v_i", &[]), 0);
    let buffer = f.mapped(&[0; 4]);
    let (code, _) = f.fail("buffer.load 0rIi_i", &[r(&buffer), l(0), i(4)]);
    assert_eq!(code, Code::UNAVAILABLE);
    f.module = HalModule::for_fixtures(vec![f.device.clone()]);
}

pub(super) fn channels(f: &mut Fixture) {
    let device = f.device();
    let (v7, v2) = ("channel.create 0rIIrrii_r", "channel.create 0rIirrii_r");
    let args = |flags| [r(&device), ANY, flags, NULL, NULL, i(1), i(3)];
    let channel = f.one(v7, &args(l(0)));
    f.one(v2, &args(i(0)));
    let results = f
        .call("channel.rank_and_count 0r_ii", &[r(&channel)])
        .unwrap();
    assert!(matches!(results[..], [Value::I32(1), Value::I32(3)]));
    let args = [r(&device), ANY, l(0), NULL, NULL, i(-1), i(-1)];
    assert_eq!(f.fail(v7, &args).0, Code::UNAVAILABLE);
    let args = |flags| [r(&channel), i(0), i(0), flags];
    for (row, flags) in [
        ("channel.split 0riiI_r", l(0)),
        ("channel.split 0riii_r", i(0)),
    ] {
        let (code, why) = f.fail(row, &args(flags));
        assert_eq!(code, Code::UNIMPLEMENTED);
        assert!(why.contains("communication library"), "{why}");
    }
}
