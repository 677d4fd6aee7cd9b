//! Recorded commands, in the forms of both versions.

use vm::{Code, Ref, Value};

use super::fixture::{ANY, Fixture, NULL, data, i, l, r, text, words};
use crate::modules::hal::types;

/// Transfers and dispatches.
const BOTH: Value = Value::I32(3);
const BARRIER_V7: &str = "command_buffer.execution_barrier 0riiI_v";

fn create_v7(f: &mut Fixture, capacity: i32) -> Ref {
    let device = f.device();
    let args = [r(&device), i(0), BOTH, ANY, i(capacity)];
    f.one("command_buffer.create 0riiIi_r", &args)
}

fn create_v2(f: &mut Fixture, mode: i32) -> Ref {
    let device = f.device();
    let args = [r(&device), i(mode), BOTH, i(0)];
    f.one("command_buffer.create 0riii_r", &args)
}

fn barrier(f: &mut Fixture, commands: &Ref) {
    f.none(BARRIER_V7, &[r(commands), i(28), i(13), l(0)]);
}

fn finalize(f: &mut Fixture, commands: &Ref) {
    f.none("command_buffer.finalize 0r_v", &[r(commands)]);
}

fn code(file: &str) -> Value {
    data(&fixtures::read(file)).into()
}

fn executable_v7(f: &mut Fixture) -> Ref {
    let device = f.device();
    let format = text("rocm-hsaco-fb");
    let args = [
        r(&device),
        ANY,
        format,
        code("gfx1100/scale_and_offset.fb"),
        NULL,
    ];
    f.one("executable.create 0rIrrr_r", &args)
}

/// Outputs in `slot1` are inputs times 3 plus 10.
pub(super) fn dispatches_v7(f: &mut Fixture) {
    let device = f.device();
    let executable = executable_v7(f);
    let lookup = "executable.lookup.function 0rr_I";
    let function = f.number(lookup, &[r(&executable), text("scale_and_offset")]);
    let (status, why) = f.fail(lookup, &[r(&executable), text("nothing")]);
    assert_eq!(status, Code::NOT_FOUND, "{why}");
    let input = f.mapped(&words(&[1, 2, 3, 4]));
    let commands = create_v7(f, 2);
    let row = "command_buffer.dispatch 0rrIiiiICiDCiirIID_v";
    let dispatch = |function, x, flags| {
        let mut args = vec![r(&commands), r(&executable), l(function)];
        args.extend([i(x), i(1), i(1), l(flags), i(3), i(10)]);
        args.extend([i(0), i(0), r(&input), l(0), l(16)]);
        args.extend([i(0), i(1), NULL, l(16), l(-1)]);
        args
    };
    f.groups(&[2, 2]).none(row, &dispatch(function, 1, 0));
    f.groups(&[2, 2]).none(row, &dispatch(function, 0, 64));
    for (function, flags, expected) in [
        (function, 1, Code::UNIMPLEMENTED),
        (9, 0, Code::OUT_OF_RANGE),
        (1 << 40, 0, Code::OUT_OF_RANGE),
    ] {
        let (status, _) = f.groups(&[2, 2]).fail(row, &dispatch(function, 1, flags));
        assert_eq!(status, expected);
    }
    assert!(f.module.scratch.bindings.is_empty(), "buffers are let go");
    let mut indirect = vec![r(&commands), r(&executable), l(0), i(0), NULL, l(0), l(0)];
    indirect.extend([i(3), i(10)]);
    indirect.extend([i(0), i(0), r(&input), l(0), l(16)]);
    indirect.extend([i(0), i(1), NULL, l(16), l(-1)]);
    let (status, why) = f.groups(&[2, 2]).fail(
        "command_buffer.dispatch.indirect 0rrIirIICiDCiirIID_v",
        &indirect,
    );
    assert_eq!(status, Code::UNIMPLEMENTED, "{why}");
    finalize(f, &commands);
    // Again and again, on whatever is bound.
    let row = "device.queue.execute.indirect 0rIrrrICrIID_v";
    let outputs = [f.local(64), f.local(64)];
    // What no command uses may stay free.
    for (output, first) in outputs.iter().zip([r(&input), NULL]) {
        let fence = f.fence();
        let mut args = vec![r(&device), ANY, NULL, r(&fence), r(&commands), l(0)];
        args.extend([first, l(0), l(16), r(output), l(16), l(48)]);
        f.groups(&[2]).none(row, &args);
        let found = f.contents(output, Some(&fence));
        assert_eq!(found[32..48], words(&[13, 16, 19, 22]));
    }
    // What one does use faults, and the device goes on.
    let fence = f.fence();
    let mut args = vec![r(&device), ANY, NULL, r(&fence), r(&commands), l(0)];
    args.extend([NULL, l(0), l(16), NULL, l(0), l(16)]);
    f.groups(&[2]).none(row, &args);
    let (status, why) = f
        .groups(&[1])
        .fail("fence.await 0iCrD_i", &[i(-1), r(&fence)]);
    assert_eq!(status, Code::INTERNAL, "{why}");
    let args = [r(&device), ANY, NULL, NULL, r(&commands), l(0)];
    let (status, why) = f.fail("device.queue.execute 0rIrrrI_v", &args);
    assert_eq!(status, Code::INVALID_ARGUMENT, "it has slots: {why}");
}

pub(super) fn code_that_does_not_load(f: &mut Fixture) {
    let device = f.device();
    let row = "executable.create 0rIrrr_r";
    let mut create = |format: &str, code: Value, constants: Value| {
        f.fail(row, &[r(&device), ANY, text(format), code, constants])
    };
    let good = || code("gfx1100/scale_and_offset.fb");
    assert_eq!(create("spirv", good(), NULL).0, Code::UNIMPLEMENTED);
    let constants = r(&data(&[1, 0, 0, 0]));
    assert_eq!(
        create("rocm-hsaco-fb", good(), constants).0,
        Code::UNIMPLEMENTED
    );
    assert_eq!(
        create("rocm-hsaco-fb", NULL, NULL).0,
        Code::INVALID_ARGUMENT
    );
    let (status, why) = create("rocm-hsaco-fb", code("gfx942/abs.fb"), NULL);
    assert_eq!(status, Code::INCOMPATIBLE);
    assert!(why.contains("gfx942") && why.contains("gfx1100"), "{why}");
    // No constants is as good as null.
    let args = [
        r(&device),
        ANY,
        text("rocm-hsaco-fb"),
        good(),
        r(&data(&[])),
    ];
    f.one(row, &args);
}

pub(super) fn transfers_v7(f: &mut Fixture) {
    let device = f.device();
    let commands = create_v7(f, 1);
    let target = f.local(64);
    let label = [r(&commands), text("a group")];
    f.none("command_buffer.begin_debug_group 0rr_v", &label);
    let advice = [r(&commands), r(&target), l(0), l(0), l(0), i(0)];
    f.none("command_buffer.advise_buffer 0rrIIIi_v", &advice);
    for row in [
        "command_buffer.flush_buffer 0rirII_v",
        "command_buffer.invalidate_buffer 0rirII_v",
    ] {
        f.none(row, &[r(&commands), i(0), NULL, l(0), l(16)]);
    }
    let fill = "command_buffer.fill_buffer 0rrIIiIiI_v";
    let pattern = 0x0807_0605_0403_0201_i64;
    for (offset, length) in [(0, 1), (8, 2), (16, 4), (24, 8)] {
        let args = [
            r(&commands),
            r(&target),
            l(offset),
            l(8),
            i(0),
            l(pattern),
            i(length),
            l(0),
        ];
        f.none(fill, &args);
    }
    // Both halves alike, on what a slot will be bound to, length unknown.
    let args = [
        r(&commands),
        NULL,
        l(0),
        l(-1),
        i(0),
        l(0x7_0000_0007),
        i(8),
        l(0),
    ];
    f.none(fill, &args);
    let args = [
        r(&commands),
        NULL,
        l(0),
        l(-1),
        i(0),
        l(pattern),
        i(8),
        l(0),
    ];
    assert_eq!(f.fail(fill, &args).0, Code::UNIMPLEMENTED);
    barrier(f, &commands);
    let update = "command_buffer.update_buffer 0rrIrIIiI_v";
    let source = data(&[1, 2, 3, 4, 5, 6, 7, 8]);
    let args = [
        r(&commands),
        r(&source),
        l(2),
        r(&target),
        l(32),
        l(5),
        i(0),
        l(0),
    ];
    f.none(update, &args);
    let args = [
        r(&commands),
        r(&source),
        l(4),
        r(&target),
        l(32),
        l(5),
        i(0),
        l(0),
    ];
    assert_eq!(f.fail(update, &args).0, Code::OUT_OF_RANGE);
    barrier(f, &commands);
    let copy = "command_buffer.copy_buffer 0riirIrIII_v";
    let args = [
        r(&commands),
        i(0),
        i(0),
        NULL,
        l(4),
        r(&target),
        l(40),
        l(4),
        l(0),
    ];
    f.none(copy, &args);
    // Within one buffer.
    let args = [
        r(&commands),
        i(0),
        i(0),
        r(&target),
        l(8),
        r(&target),
        l(48),
        l(8),
        l(0),
    ];
    f.none(copy, &args);
    let host = [r(&commands), i(32), i(13), l(0)];
    assert_eq!(f.fail(BARRIER_V7, &host).0, Code::UNIMPLEMENTED);
    f.none("command_buffer.end_debug_group 0r_v", &[r(&commands)]);
    finalize(f, &commands);
    let (status, _) = f.fail("command_buffer.finalize 0r_v", &[r(&commands)]);
    assert_eq!(status, Code::FAILED_PRECONDITION, "once");
    let execute = "device.queue.execute.indirect 0rIrrrICrIID_v";
    let never = f.fence();
    let mut args = vec![r(&device), ANY, NULL, r(&never), r(&commands), l(0)];
    args.extend([NULL, l(0), l(-1)]);
    let (status, why) = f.groups(&[1]).fail(execute, &args);
    assert_eq!(status, Code::INVALID_ARGUMENT, "{why}");
    f.failed(&never, status);
    let (slot, fence) = (f.local(16), f.fence());
    let mut args = vec![r(&device), ANY, NULL, r(&fence), r(&commands), l(0)];
    args.extend([r(&slot), l(0), l(-1)]);
    f.groups(&[1]).none(execute, &args);
    let found = f.contents(&target, Some(&fence));
    assert_eq!(found[..8], [1; 8]);
    assert_eq!(found[8..16], [1, 2, 1, 2, 1, 2, 1, 2]);
    assert_eq!(found[16..24], [1, 2, 3, 4, 1, 2, 3, 4]);
    assert_eq!(found[24..32], pattern.to_le_bytes());
    assert_eq!(found[32..37], [3, 4, 5, 6, 7]);
    assert_eq!(found[40..44], [7, 0, 0, 0]);
    assert_eq!(found[48..56], found[8..16]);
    assert_eq!(f.contents(&slot, None), words(&[7; 4]));
}

/// More than a single command carries.
pub(super) fn long_updates(f: &mut Fixture) {
    let device = f.device();
    let bytes: Vec<u8> = (0..150_000).map(|i| (i / 7) as u8).collect();
    let target = f.local(150_000);
    let commands = create_v7(f, 0);
    let source = data(&bytes);
    let args = [
        r(&commands),
        r(&source),
        l(0),
        r(&target),
        l(0),
        l(150_000),
        i(0),
        l(0),
    ];
    f.none("command_buffer.update_buffer 0rrIrIIiI_v", &args);
    finalize(f, &commands);
    let (done, after) = (f.fence(), f.fence());
    let execute = "device.queue.execute 0rIrrrI_v";
    f.none(
        execute,
        &[r(&device), ANY, NULL, r(&done), r(&commands), l(0)],
    );
    // Without commands it is a barrier.
    f.none(execute, &[r(&device), ANY, r(&done), r(&after), NULL, l(0)]);
    assert!(f.contents(&target, Some(&after)) == bytes);
}

pub(super) fn dispatches_v2(f: &mut Fixture) {
    let device = f.device();
    let mut bindings = vec![r(&device), i(0)];
    bindings.extend([i(0), i(7), i(1), i(1), i(7), i(0)]);
    let set = f
        .groups(&[2])
        .one("descriptor_set_layout.create 0riCiiiD_r", &bindings);
    let layout = f.groups(&[1]).one(
        "pipeline_layout.create 0riCrD_r",
        &[r(&device), i(2), r(&set)],
    );
    let format = text("rocm-hsaco-fb");
    let container = code("old_gfx1100/scale_and_offset.fb");
    let create = "executable.create 0rrrrCrD_r";
    let args = [
        r(&device),
        format.clone(),
        container.clone(),
        NULL,
        r(&layout),
    ];
    let executable = f.groups(&[1]).one(create, &args);
    let args = [r(&device), format, container, NULL, r(&layout), r(&layout)];
    let (status, _) = f.groups(&[2]).fail(create, &args);
    assert_eq!(
        status,
        Code::INVALID_ARGUMENT,
        "a layout for each entry point"
    );
    let (input, output) = (f.mapped(&words(&[1, 2, 3, 4])), f.local(64));
    // One-shot, and might run while it is recorded.
    let first = create_v2(f, 17);
    let constants = "command_buffer.push_constants 0rriCiD_v";
    // What was pushed stays: the scale comes from the first push.
    f.groups(&[2])
        .none(constants, &[r(&first), r(&layout), i(0), i(3), i(9)]);
    f.groups(&[1])
        .none(constants, &[r(&first), r(&layout), i(1), i(10)]);
    for (at, count) in [(63, 2), (-1, 1)] {
        let mut args = vec![r(&first), r(&layout), i(at)];
        args.extend((0..count).map(i));
        let (status, _) = f.groups(&[count as u16]).fail(constants, &args);
        assert_eq!(status, Code::OUT_OF_RANGE);
    }
    let push = "command_buffer.push_descriptor_set 0rriCiirIID_v";
    let mut args = vec![r(&first), r(&layout), i(0)];
    args.extend([i(0), i(0), r(&input), l(0), l(16)]);
    f.groups(&[1]).none(push, &args);
    let mut args = vec![r(&first), r(&layout), i(0)];
    args.extend([i(1), i(0), r(&output), l(16), l(16)]);
    f.groups(&[1]).none(push, &args);
    let dispatch = "command_buffer.dispatch 0rriiii_v";
    f.none(
        dispatch,
        &[r(&first), r(&executable), i(0), i(1), i(1), i(1)],
    );
    f.none(
        dispatch,
        &[r(&first), r(&executable), i(0), i(1), i(0), i(1)],
    );
    let (status, _) = f.fail(
        dispatch,
        &[r(&first), r(&executable), i(1), i(1), i(1), i(1)],
    );
    assert_eq!(status, Code::OUT_OF_RANGE);
    let args = [r(&first), r(&executable), i(0), r(&input), l(0)];
    let (status, _) = f.fail("command_buffer.dispatch.indirect 0rrirI_v", &args);
    // The buffer is not for that, and HIP could not read it anyway.
    assert_eq!(status, Code::PERMISSION_DENIED);
    finalize(f, &first);
    let second = transfers_v2(f, &output);
    let fence = f.fence();
    let args = [r(&device), ANY, NULL, r(&fence), r(&first), r(&second)];
    f.groups(&[2])
        .none("device.queue.execute 0rIrrCrD_v", &args);
    assert!(f.module.scratch.executions.is_empty());
    let found = f.contents(&output, Some(&fence));
    assert_eq!(found[..4], [0xAB; 4]);
    assert_eq!(found[16..32], words(&[13, 16, 19, 22]));
    assert_eq!(found[32..48], words(&[13, 16, 19, 22]));
    // An argument that is wrong keeps none of those before it.
    let args = [r(&device), ANY, NULL, NULL, r(&second), NULL];
    let (status, _) = f
        .groups(&[2])
        .fail("device.queue.execute 0rIrrCrD_v", &args);
    assert_eq!(status, Code::INVALID_ARGUMENT);
    assert!(f.module.scratch.executions.is_empty());
    // One-shot is once.
    let args = [r(&device), ANY, NULL, NULL, r(&first)];
    let (status, _) = f
        .groups(&[1])
        .fail("device.queue.execute 0rIrrCrD_v", &args);
    assert_eq!(status, Code::FAILED_PRECONDITION);
}

fn transfers_v2(f: &mut Fixture, target: &Ref) -> Ref {
    let commands = create_v2(f, 1);
    let args = [r(&commands), r(target), l(0), l(16), i(0xAB), i(1)];
    f.none("command_buffer.fill_buffer 0rrIIii_v", &args);
    let args = [r(&commands), r(target), l(16), r(target), l(32), l(16)];
    f.none("command_buffer.copy_buffer 0rrIrII_v", &args);
    let args = [r(&commands), i(28), i(13), i(0)];
    f.none("command_buffer.execution_barrier 0riii_v", &args);
    finalize(f, &commands);
    commands
}

/// A program cannot ask for commands that are not checked, or whose memory is
/// freed before they run.
pub(super) fn all_is_checked_and_kept(f: &mut Fixture) {
    let device = f.device();
    let freed = |f: &Fixture| {
        let statistics = f.device.allocator().statistics().unwrap();
        statistics.device_bytes_freed
    };
    for mode in [32, 64, 96, !19] {
        let args = [r(&device), i(mode), BOTH, ANY, i(0)];
        let commands = f.one("command_buffer.create 0riiIi_r", &args);
        let target = f.local(64);
        let fill = |commands: &Ref| [r(commands), r(&target), l(0), l(64), i(0), l(7), i(1), l(0)];
        let row = "command_buffer.fill_buffer 0rrIIiIiI_v";
        f.none(row, &fill(&commands));
        // Dispatches only: it is for checks to say so.
        let args = [r(&device), i(mode), i(2), ANY, i(0)];
        let dispatches = f.one("command_buffer.create 0riiIi_r", &args);
        let (status, why) = f.fail(row, &fill(&dispatches));
        assert_eq!(status, Code::FAILED_PRECONDITION, "{mode}: {why}");
        let before = freed(f);
        drop(target);
        assert_eq!(freed(f), before, "{mode}");
        drop(commands);
        assert_eq!(freed(f), before + 64, "{mode}: by then nobody needs it");
    }
}

/// A program cannot ask for more than it will ever use.
pub(super) fn too_many_slots(f: &mut Fixture) {
    let device = f.device();
    for capacity in [-1, 1 << 20] {
        let args = [r(&device), i(0), BOTH, ANY, i(capacity)];
        let (status, _) = f.fail("command_buffer.create 0riiIi_r", &args);
        assert_eq!(status, Code::RESOURCE_EXHAUSTED);
    }
}

/// What is not built says so when it is called, and nothing is recorded.
pub(super) fn refusals(f: &mut Fixture) {
    let device = f.device();
    let args = [r(&device), ANY, l(0), NULL, NULL, i(0), i(2)];
    let channel = f.one("channel.create 0rIIrrii_r", &args);
    let (send, receive) = (f.local(16), f.local(16));
    let commands = create_v7(f, 0);
    // The sum of all, in f32.
    let all_reduce = i(0x0009_0101);
    let mut args = vec![r(&commands), r(&channel), all_reduce.clone(), i(0)];
    args.extend([i(0), i(0), r(&send), r(&receive)]);
    args.extend([l(0), l(16), l(0), l(16), l(4)]);
    let row = "command_buffer.collective 0rriiiirrIIIII_v";
    let (status, why) = f.fail(row, &args);
    assert_eq!(status, Code::UNIMPLEMENTED, "{why}");
    args[2] = i(0x7F);
    assert_eq!(f.fail(row, &args).0, Code::INVALID_ARGUMENT);
    let mut args = vec![r(&commands), r(&channel), all_reduce, i(0)];
    args.extend([r(&send), l(0), l(16), r(&receive), l(0), l(16), l(4)]);
    let row = "command_buffer.collective 0rriirIIrIII_v";
    assert_eq!(f.fail(row, &args).0, Code::UNIMPLEMENTED);
    args[7] = NULL;
    assert_eq!(
        f.fail(row, &args).0,
        Code::INVALID_ARGUMENT,
        "nowhere to put it"
    );

    let nested = create_v2(f, 2);
    finalize(f, &nested);
    let row = "command_buffer.execute.commands 0rrCrIID_v";
    let args = [r(&commands), r(&nested), r(&send), l(0), l(16)];
    let (status, _) = f.groups(&[1]).fail(row, &args);
    assert_eq!(status, Code::UNIMPLEMENTED);
    finalize(f, &commands);
    let done = f.fence();
    let args = [r(&device), ANY, NULL, r(&done), r(&commands), l(0)];
    f.none("device.queue.execute 0rIrrrI_v", &args);
    types::FENCE
        .of(&done)
        .unwrap()
        .wait(super::fixture::LONG)
        .unwrap();
}
