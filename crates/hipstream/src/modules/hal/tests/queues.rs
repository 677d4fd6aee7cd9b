//! Work that queues do without a command buffer of the program's.

use std::io::{Read, Seek, SeekFrom};

use hal::File;
use hal::flags::MemoryAccess;
use vm::{Code, Ref, Value};

use super::fixture::{ANY, Fixture, data, i, l, r, words};
use crate::modules::hal::types;

const DEVICE_LOCAL: i32 = 0x30;
const DEFAULT: i32 = 0xC03;

/// The arguments that work begins with.
fn at(device: &Ref, wait: Option<&Ref>, signal: &Ref) -> Vec<Value> {
    let wait = Value::Ref(wait.cloned());
    vec![r(device), ANY, wait, r(signal)]
}

fn with(mut common: Vec<Value>, rest: &[Value]) -> Vec<Value> {
    common.extend_from_slice(rest);
    common
}

pub(super) fn memory(f: &mut Fixture) {
    let device = f.device();
    let (v7, v2) = (
        "device.queue.alloca 0rIrrIiiII_r",
        "device.queue.alloca 0rIrriiiI_r",
    );
    for is_v7 in [true, false] {
        let (allocated, freed) = (f.fence(), f.fence());
        let row = if is_v7 { v7 } else { v2 };
        let args = |pool: i32, length, signal: &Ref| {
            let mut args = at(&device, None, signal);
            args.push(if is_v7 { l(pool.into()) } else { i(pool) });
            args.extend([i(DEVICE_LOCAL), i(DEFAULT), l(length)]);
            if is_v7 {
                args.push(l(0));
            }
            args
        };
        let never = f.fence();
        assert_eq!(f.fail(row, &args(1, 64, &never)).0, Code::UNIMPLEMENTED);
        f.failed(&never, Code::UNIMPLEMENTED);
        let buffer = f.one(row, &args(0, 64, &allocated));
        assert_eq!(f.number("buffer.length 0r_I", &[r(&buffer)]), 64);
        // There and usable: nobody has to wait for it.
        assert!(types::FENCE.of(&allocated).unwrap().peek().unwrap());
        let dealloca = with(at(&device, Some(&allocated), &freed), &[r(&buffer)]);
        match is_v7 {
            true => f.none("device.queue.dealloca 0rIrrrI_v", &with(dealloca, &[l(0)])),
            false => f.none("device.queue.dealloca 0rIrrr_v", &dealloca),
        }
        types::FENCE
            .of(&freed)
            .unwrap()
            .wait(super::fixture::LONG)
            .unwrap();
    }
    let fence = f.fence();
    let args = with(
        at(&device, None, &fence),
        &[l(0), i(DEVICE_LOCAL), i(DEFAULT), l(0), l(0)],
    );
    let empty = f.one(v7, &args);
    assert_eq!(f.number("buffer.length 0r_I", &[r(&empty)]), 0);
    // More than there is: whoever waits for it learns that.
    for length in [1 << 60, i64::MAX, -1] {
        let fence = f.fence();
        let rest = [l(0), i(DEVICE_LOCAL), i(DEFAULT), l(length), l(0)];
        f.one(v7, &with(at(&device, None, &fence), &rest));
        let args = [i(-1), r(&fence)];
        let (code, why) = f.groups(&[1]).fail("fence.await 0iCrD_i", &args);
        assert_eq!(code, Code::RESOURCE_EXHAUSTED, "{length}: {why}");
    }
}

pub(super) fn transfers(f: &mut Fixture) {
    let device = f.device();
    let (a, b, c) = (f.fence(), f.fence(), f.fence());
    let source = f.local(32);
    let target = f.local(32);
    let pattern = 0x0807_0605_0403_0201_i64;
    let fill = "device.queue.fill 0rIrrrIIIiI_v";
    let mut bytes = vec![0; 32];
    let mut last: Option<Ref> = None;
    for (offset, length) in [(0, 1), (8, 2), (16, 4), (24, 8)] {
        let fence = f.fence();
        let args = [r(&source), l(offset), l(8), l(pattern), i(length), l(0)];
        f.none(fill, &with(at(&device, last.as_ref(), &fence), &args));
        for at in 0..8 {
            bytes[offset as usize + at] = pattern.to_le_bytes()[at % length as usize];
        }
        last = Some(fence);
    }
    let args = [r(&source), l(0), l(8), l(0), i(3), l(0)];
    let never = f.fence();
    let (code, why) = f.fail(fill, &with(at(&device, None, &never), &args));
    assert_eq!(code, Code::INVALID_ARGUMENT, "{why}");
    f.failed(&never, code);
    let copy = [r(&source), l(0), r(&target), l(0), l(32), l(0)];
    f.none(
        "device.queue.copy 0rIrrrIrIII_v",
        &with(at(&device, last.as_ref(), &a), &copy),
    );
    let update = [
        r(&data(&[9, 10, 11, 12])),
        l(1),
        r(&target),
        l(4),
        l(3),
        l(0),
    ];
    f.none(
        "device.queue.update 0rIrrrIrIII_v",
        &with(at(&device, Some(&a), &b), &update),
    );
    bytes[4..7].copy_from_slice(&[10, 11, 12]);
    f.none(
        "device.queue.barrier 0rIrrI_v",
        &with(at(&device, Some(&b), &c), &[l(0)]),
    );
    f.none("device.queue.flush 0rI_v", &[r(&device), ANY]);
    assert_eq!(f.contents(&target, Some(&c)), bytes);
    let (code, _) = f.fail("device.queue.flush 0rI_v", &[r(&device), l(1 << 60)]);
    assert_eq!(code, Code::INVALID_ARGUMENT, "there is no such queue");
    // Nothing to do is done.
    let fence = f.fence();
    let nothing = [r(&source), l(0), r(&target), l(0), l(0), l(0)];
    f.none(
        "device.queue.copy 0rIrrrIrIII_v",
        &with(at(&device, None, &fence), &nothing),
    );
    let nothing = [r(&source), l(0), l(0), l(pattern), i(8), l(0)];
    let last = f.fence();
    f.none(fill, &with(at(&device, Some(&fence), &last), &nothing));
}

pub(super) fn large_patterns(f: &mut Fixture) {
    let device = f.device();
    let length = 3 * 64 * 1024 + 8;
    let target = f.local(length + 16);
    let fence = f.fence();
    let pattern = 0x1122_3344_5566_7788_i64;
    let args = [r(&target), l(8), l(length as i64), l(pattern), i(8), l(0)];
    f.none(
        "device.queue.fill 0rIrrrIIIiI_v",
        &with(at(&device, None, &fence), &args),
    );
    let found = f.contents(&target, Some(&fence));
    let expected = pattern.to_le_bytes().repeat(length as usize / 8);
    assert!(found[8..][..length as usize] == expected);
    assert_ne!(found[length as usize + 8..], pattern.to_le_bytes());
    let args = [r(&target), l(4), l(16), l(pattern), i(8), l(0)];
    let never = f.fence();
    let (code, _) = f.fail(
        "device.queue.fill 0rIrrrIIIiI_v",
        &with(at(&device, None, &never), &args),
    );
    assert_eq!(code, Code::INVALID_ARGUMENT);
    f.failed(&never, code);
}

pub(super) fn files(f: &mut Fixture) {
    let device = f.device();
    let contents: Vec<u8> = (0..200_000).map(|i| (i / 3) as u8).collect();
    let open = "ex.file.from_memory 0rIirIIi_r";
    let source = data(&contents);
    let args = |access, offset, length| {
        [
            r(&device),
            ANY,
            i(access),
            r(&source),
            l(offset),
            l(length),
            i(0),
        ]
    };
    assert_eq!(f.fail(open, &args(3, 0, -1)).0, Code::PERMISSION_DENIED);
    assert_eq!(f.fail(open, &args(1, 199_999, 2)).0, Code::OUT_OF_RANGE);
    let file = f.one(open, &args(1, 16, -1));
    assert_eq!(types::FILE.of(&file).unwrap().len(), 199_984);
    for (row, flags) in [
        ("device.queue.read 0rIrrrIrIII_v", l(0)),
        ("device.queue.read 0rIrrrIrIIi_v", i(0)),
    ] {
        for length in [4, 150_000] {
            let target = f.local(length + 4);
            let fence = f.fence();
            let args = [
                r(&file),
                l(4),
                r(&target),
                l(4),
                l(length as i64),
                flags.clone(),
            ];
            f.none(row, &with(at(&device, None, &fence), &args));
            let read = f.contents(&target, Some(&fence));
            assert!(read[4..] == contents[20..][..length as usize]);
        }
    }
    // Data that the program goes on writing would have to be copied.
    let own = vm::Buffer::writable(vec![1, 2, 3, 4]);
    let own = vm::types::BUFFER.wrap(own);
    let args = [r(&device), ANY, i(1), r(&own), l(0), l(4), i(0)];
    let (code, why) = f.fail(open, &args);
    assert_eq!(code, Code::PERMISSION_DENIED, "{why}");

    let from = f.mapped(&words(&[5, 6]));
    let disk = temporary();
    disk.set_len(12).unwrap();
    let mut reader = disk.try_clone().unwrap();
    let access = MemoryAccess::READ | MemoryAccess::WRITE;
    let on_disk = types::FILE.wrap(File::from_disk(disk, access).unwrap());
    for (row, flags) in [
        ("device.queue.write 0rIrrrIrIII_v", l(0)),
        ("device.queue.write 0rIrrrIrIIi_v", i(0)),
    ] {
        let args = |file: &Ref| [r(&from), l(4), r(file), l(8), l(4), flags.clone()];
        let (never, fence) = (f.fence(), f.fence());
        let (code, _) = f.fail(row, &with(at(&device, None, &never), &args(&file)));
        assert_eq!(code, Code::PERMISSION_DENIED);
        f.failed(&never, code);
        f.none(row, &with(at(&device, None, &fence), &args(&on_disk)));
        types::FENCE
            .of(&fence)
            .unwrap()
            .wait(super::fixture::LONG)
            .unwrap();
        let mut found = Vec::new();
        reader.seek(SeekFrom::Start(0)).unwrap();
        reader.read_to_end(&mut found).unwrap();
        assert_eq!(found, words(&[0, 0, 6]));
    }
}

fn temporary() -> std::fs::File {
    let path = std::env::temp_dir().join(format!("hipstream-hal-{}", std::process::id()));
    let mut options = std::fs::OpenOptions::new();
    let file = options
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(&path);
    // Whoever else made it has it open already.
    let _ = std::fs::remove_file(&path);
    file.unwrap()
}
