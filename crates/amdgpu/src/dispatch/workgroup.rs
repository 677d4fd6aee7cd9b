//! One workgroup at a time on one thread: its waves in turn, its barriers.

use std::sync::atomic::Ordering;

use super::pool::Help;
use super::{Job, kernarg};
use crate::exec::{self, Barrier, Env, Problem};
use crate::fault::{Access, Fault, FaultKind, FaultRecord};
use crate::isa::Generation;
use crate::memory::{AccessError, Lds, Reason};
use crate::module::Kernel;
use crate::observe::Watch;
use crate::program::native::Room;
use crate::simd::{LANES, Row};
use crate::wave::{Mode, State, Wave, slot};

/// Ops a wave may execute before the next one has its turn. Short, for there
/// are compiled kernels whose waves do the same work on the same memory with no
/// barrier between them: they are right as long as no wave is far ahead.
const SLICE: u64 = 1000;

/// How often a wave lets the others run when it waits for loads: at first, and
/// at least after each barrier. In hardware, where a load takes long, the others
/// have read what they read by then, before this one writes.
const PATIENCE: u32 = 64;
const PATIENCE_AT_BARRIERS: u32 = 8;

/// The patience of each of so many waves. Where no barrier orders them, nothing
/// but their side by side makes some kernels right, so that has no end.
fn patience(waves: usize, has_barriers: bool) -> u32 {
    match (waves, has_barriers) {
        (..=1, _) => 0,
        (_, true) => PATIENCE,
        (_, false) => u32::MAX,
    }
}

/// What a workgroup costs beside its ops, in ops.
const BEGINNING: u64 = 50;

/// The registers and LDS of one thread.
#[derive(Debug, Default)]
pub(crate) struct Worker {
    waves: Vec<Wave>,
    /// Of each wave, and of each half of it, the first register at the
    /// beginning.
    ids: Vec<Row>,
    lds: Lds,
    room: Room,
}

impl Worker {
    /// Runs workgroups of the job until there are none left.
    pub(super) fn run(&mut self, job: &Job, help: &mut Help<'_>) {
        let items: u32 = job.block.iter().product();
        let count = items.div_ceil(job.kernel.wave_size()) as usize;
        self.waves.resize_with(count, Wave::new);
        let mut env = Env {
            view: job.view.clone(),
            lds: std::mem::take(&mut self.lds),
            program: job.program.clone(),
            barrier: Barrier::default(),
            room: std::mem::take(&mut self.room),
            began: job.began,
            problem: None,
            watcher: job.watch.as_ref().map(Watch::watcher),
        };
        let scratch_rows = scratch_rows(job);
        let halves = usize::from(job.program.halves());
        self.ids.resize(count * halves, Row::ZERO);
        for (part, ids) in self.ids.iter_mut().enumerate() {
            set_ids(ids, job.block, (part * LANES) as u32);
        }
        for (number, wave) in self.waves.iter_mut().enumerate() {
            job.program.outfit(wave);
            wave.number = number as u32;
            wave.scratch.clear();
            wave.scratch.resize(scratch_rows, Row::ZERO);
        }
        let mut executed = 0;
        let mut first = true;
        while let Some(index) = job.take() {
            let position = job.position(index);
            env.lds.reset(job.lds_bytes);
            env.barrier = Barrier::of(count as u32);
            for (wave, ids) in self.waves.iter_mut().zip(self.ids.chunks_exact(halves)) {
                if !first {
                    job.program.clear(wave);
                    wave.scratch.fill(Row::ZERO);
                }
                begin(wave, job, position, items, ids);
                wave.patience = patience(count, job.program.has_barriers());
            }
            first = false;
            if let Some(watcher) = &mut env.watcher {
                watcher.begin(index, position);
            }
            let result = run_waves(&mut self.waves, &mut env, job, position, help);
            executed += self.waves.iter().map(|wave| wave.executed).sum::<u64>();
            help.note(BEGINNING * count as u64);
            if let Err(fault) = result {
                job.fail(fault);
                break;
            }
        }
        job.instructions.fetch_add(executed, Ordering::Relaxed);
        if let (Some(watch), Some(watcher)) = (&job.watch, env.watcher) {
            watch.merge(*watcher);
        }
        self.lds = env.lds;
        self.room = env.room;
    }
}

/// Rows of scratch of a wave. A kernel whose stack the compiler could not
/// bound gets more than it knows of.
fn scratch_rows(job: &Job) -> usize {
    (scratch_bytes(&job.kernel) / 4) as usize * job.program.halves() as usize
}

/// Bytes of scratch of a lane, whole dwords.
pub(super) fn scratch_bytes(kernel: &Kernel) -> u32 {
    const DYNAMIC_STACK_BYTES: u32 = 16 << 10;
    let code = kernel.code();
    let dynamic = code.metadata.uses_dynamic_stack || code.descriptor.properties.dynamic_stack();
    let extra = if dynamic { DYNAMIC_STACK_BYTES } else { 0 };
    (kernel.scratch_bytes() + extra).next_multiple_of(4)
}

/// Puts a wave at the kernel's entry.
fn begin(wave: &mut Wave, job: &Job, position: [u32; 3], items: u32, ids: &[Row]) {
    let code = job.kernel.code();
    wave.pc = job.program.entry(job.kernel.entry());
    wave.state = State::Ready;
    wave.scc = false;
    wave.arrived = None;
    wave.executed = 0;
    let rsrc1 = code.descriptor.rsrc1;
    let modes = rsrc1.0 >> 12 & 0xff;
    // A clamp always turns NaN into zero on gfx12, and nothing asks for IEEE rules.
    let (clamps_nan, ieee) = match job.kernel.generation() {
        Generation::Gfx12 => (true, false),
        _ => (rsrc1.dx10_clamp(), rsrc1.ieee_mode()),
    };
    wave.mode = Mode(modes | u32::from(clamps_nan) << 8 | u32::from(ieee) << 9);
    set_scalars(wave, job, position);
    wave.half = 0;
    wave.other = (0, Row::ZERO);
    for half in (0..job.program.halves()).rev() {
        let base = (wave.number * u32::from(wave.halves) + u32::from(half)) * LANES as u32;
        wave.rows[(half * job.program.vgprs()) as usize] = ids[usize::from(half)];
        let live = items.saturating_sub(base).min(LANES as u32);
        let exec = if live == 0 {
            0
        } else {
            u32::MAX >> (LANES as u32 - live)
        };
        wave.scalars[(slot::EXEC + half) as usize] = exec;
        if half == 0 {
            (wave.exec, wave.mask) = (exec, Row::from_mask(exec));
        } else {
            wave.other = (exec, Row::from_mask(exec));
        }
    }
}

/// The place of each work-item in its workgroup, ten bits an axis.
fn set_ids(row: &mut Row, [width, height, _]: [u32; 3], base: u32) {
    let (mut x, mut y, mut z) = (base % width, base / width % height, base / (width * height));
    for id in row.lanes_mut() {
        *id = x | (y << 10) | (z << 20);
        x += 1;
        if x == width {
            (x, y) = (0, y + 1);
        }
        if y == height {
            (y, z) = (0, z + 1);
        }
    }
}

/// User registers in the descriptor's order, then the workgroup's position.
fn set_scalars(wave: &mut Wave, job: &Job, position: [u32; 3]) {
    let descriptor = &job.kernel.code().descriptor;
    let properties = descriptor.properties;
    let kernargs = job.view.kernarg_address();
    let packet = kernargs + kernarg::packet_offset(&job.kernel) as u64;
    let pairs = [
        (
            properties.private_segment_buffer(),
            2,
            exec::PRIVATE_RESOURCE,
        ),
        (properties.dispatch_ptr(), 1, [packet, 0]),
        (properties.queue_ptr(), 1, [0, 0]),
        (properties.kernarg_segment_ptr(), 1, [kernargs, 0]),
        (properties.dispatch_id(), 1, [0, 0]),
        (properties.flat_scratch_init(), 1, [0, 0]),
    ];
    let mut at = 0;
    for (present, count, values) in pairs {
        for value in values.iter().take(if present { count } else { 0 }) {
            wave.scalars[at] = *value as u32;
            wave.scalars[at + 1] = (value >> 32) as u32;
            at += 2;
        }
    }
    if properties.private_segment_size() {
        wave.scalars[at] = job.kernel.scratch_bytes();
        at += 1;
    }
    let end = descriptor.rsrc2.user_sgprs() as usize;
    for (place, &value) in (at..end).zip(&job.preloaded) {
        wave.scalars[place] = value;
    }
    if job.kernel.generation() == Generation::Gfx12 {
        set_trap_temporaries(wave, position);
        return;
    }
    let mut at = end;
    for (present, value) in descriptor.rsrc2.workgroup_ids().into_iter().zip(position) {
        if present {
            wave.scalars[at] = value;
            at += 1;
        }
    }
    if descriptor.rsrc2.workgroup_info() {
        wave.scalars[at] = wave.number;
        at += 1;
    }
    if properties.private_segment_buffer() && descriptor.rsrc2.private_segment() {
        // Private memory begins at the resource's base for every wave.
        wave.scalars[at] = 0;
    }
}

/// Where gfx12 gives the place of the wave: the workgroup's x, then y and z in
/// halves, and the number of the wave in it.
fn set_trap_temporaries(wave: &mut Wave, [x, y, z]: [u32; 3]) {
    const WAVE_NUMBER_SHIFT: u32 = 25;
    let temporary = |number: u16| usize::from(slot::TTMP0 + number);
    wave.scalars[temporary(9)] = x;
    wave.scalars[temporary(7)] = y & 0xffff | z << 16;
    wave.scalars[temporary(8)] = wave.number << WAVE_NUMBER_SHIFT;
}

/// Runs the waves of a workgroup to their ends.
fn run_waves(
    waves: &mut [Wave],
    env: &mut Env,
    job: &Job,
    position: [u32; 3],
    help: &mut Help<'_>,
) -> Result<(), Fault> {
    let mut executed = 0;
    loop {
        let mut ready = false;
        for wave in waves.iter_mut() {
            let waits = wave.state == State::Barrier && wave.arrived.is_some();
            if waits && env.barrier.has_passed(wave.arrived) {
                release(wave);
            }
            if wave.state != State::Ready {
                continue;
            }
            let count = exec::run(&job.program, wave, env, SLICE);
            wave.executed += count;
            executed += count;
            help.note(count);
            match wave.state {
                State::Failed => return Err(describe(wave, env, job, position)),
                State::Ready => ready = true,
                State::Barrier | State::Done => {}
            }
            if executed > job.budget {
                let text = format!("{executed} wave instructions in one workgroup");
                return Err(stopped(
                    wave,
                    job,
                    position,
                    FaultKind::InstructionBudget,
                    text,
                ));
            }
            if job.stopped.load(Ordering::Relaxed) {
                // Another workgroup has failed; this one's end matters to nobody.
                return Ok(());
            }
        }
        if ready {
            continue;
        }
        // Waves that have ended do not hold up the barrier.
        let mut waiting = false;
        for wave in waves.iter_mut().filter(|wave| wave.state == State::Barrier) {
            release(wave);
            waiting = true;
        }
        if !waiting {
            return Ok(());
        }
    }
}

/// Lets a wave go on behind a barrier.
fn release(wave: &mut Wave) {
    wave.state = State::Ready;
    wave.patience = wave.patience.max(PATIENCE_AT_BARRIERS);
}

/// A fault at the wave's current op.
fn stopped(wave: &Wave, job: &Job, position: [u32; 3], kind: FaultKind, detail: String) -> Fault {
    let offset = job.program.origin(wave.pc);
    let (instruction, encoding) = job.program.describe(offset);
    Fault::new(FaultRecord {
        kind,
        kernel: job.kernel.name().to_owned(),
        code_object_offset: Some(u64::from(offset)),
        instruction,
        encoding,
        workgroup: position,
        wave: wave.number,
        lane: None,
        access: None,
        nearest: None,
        detail,
    })
}

/// The fault of a wave that failed.
fn describe(wave: &Wave, env: &mut Env, job: &Job, position: [u32; 3]) -> Fault {
    let fault = |kind, detail| stopped(wave, job, position, kind, detail);
    match env.problem.take() {
        Some(Problem::Access(error)) => access_fault(wave, env, job, position, error),
        Some(Problem::Trap(number)) => fault(FaultKind::Trap, format!("trap {number}")),
        Some(Problem::Halt) => fault(FaultKind::Trap, "the wave halts for a debugger".to_owned()),
        Some(Problem::WildBranch(target)) => fault(
            FaultKind::WildBranch,
            format!("to {target:#x}, where no instruction begins"),
        ),
        Some(Problem::Unsupported(text)) => fault(FaultKind::UnknownInstruction, text),
        Some(Problem::Unknown(index)) => fault(
            FaultKind::UnknownInstruction,
            job.program.unknown(index).to_owned(),
        ),
        None => unreachable!("a failed wave leaves its problem"),
    }
}

fn access_fault(
    wave: &Wave,
    env: &Env,
    job: &Job,
    position: [u32; 3],
    error: AccessError,
) -> Fault {
    let AccessError {
        address,
        bytes,
        write,
        lane,
        reason,
    } = error;
    let nearest = match reason {
        Reason::Lds | Reason::Scratch => None,
        _ => env.view.nearest(address, bytes),
    };
    let (kind, detail) = match reason {
        Reason::OutOfBounds if nearest.is_some_and(|nearest| nearest.is_freed()) => {
            (FaultKind::UseAfterFree, String::new())
        }
        Reason::OutOfBounds => (FaultKind::OutOfBounds, String::new()),
        Reason::ReadOnly => (FaultKind::ReadOnly, String::new()),
        Reason::Misaligned => (
            FaultKind::Misaligned,
            format!("an atomic of {bytes} bytes must be aligned to them"),
        ),
        Reason::Lds => {
            let size = env.lds.bytes();
            (
                FaultKind::LdsOutOfBounds,
                format!("the workgroup has {size} bytes of LDS"),
            )
        }
        Reason::Scratch => {
            let size = exec::bytes_per_lane(wave);
            (
                FaultKind::ScratchOutOfBounds,
                format!("a work-item has {size} bytes of scratch"),
            )
        }
    };
    let mut record = FaultRecord::clone(&stopped(wave, job, position, kind, detail));
    record.lane = lane.map(|lane| lane + LANES as u32 * u32::from(wave.half));
    record.access = Some(Access {
        address,
        bytes,
        write,
    });
    record.nearest = nearest;
    Fault::new(record)
}
