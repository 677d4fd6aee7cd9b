//! Branches, barriers, the end, and the registers of the hardware.

use std::time::Instant;

use super::{Env, Problem, STOP};
use crate::program::Op;
use crate::simd::{Kernel, Simd};
use crate::wave::{Mode, State, Wave};

/// Declares branches to op `imm`, taken if a condition of the wave holds.
macro_rules! branches {
    ($($name:ident($wave:ident) => $condition:expr;)+) => {$(
        pub(crate) struct $name;

        impl Kernel for $name {
            #[inline(always)]
            fn run<S: Simd>($wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
                if $condition { op.imm } else { next }
            }
        }
    )+};
}

branches! {
    Branch(_wave) => true;
    BranchScc0(wave) => !wave.scc;
    BranchScc1(wave) => wave.scc;
    BranchVccz(wave) => wave.vcc_is_zero();
    BranchVccnz(wave) => !wave.vcc_is_zero();
    BranchExecz(wave) => wave.exec_is_zero();
    BranchExecnz(wave) => !wave.exec_is_zero();
}

/// Does nothing.
pub(crate) struct Nop;

impl Kernel for Nop {
    #[inline(always)]
    fn run<S: Simd>(_: &mut Wave, _: &mut Env, _: &Op, next: u32) -> u32 {
        next
    }
}

/// The other half of a wave of 64 has its turn.
pub(crate) struct Switch;

impl Kernel for Switch {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, _: &Op, next: u32) -> u32 {
        wave.switch();
        next
    }
}

/// The wave has ended.
pub(crate) struct End;

impl Kernel for End {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, _: &Op, next: u32) -> u32 {
        wave.state = State::Done;
        wave.pc = next;
        env.barrier.leave();
        STOP
    }
}

/// A barrier where waves say that they have arrived and wait later, gfx12's.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Barrier {
    /// Waves that have not ended.
    waves: u32,
    /// Those of them that have arrived in this phase.
    arrived: u32,
    /// How often all have.
    phase: u32,
}

impl Barrier {
    /// The barrier of a workgroup that begins.
    pub(crate) fn of(waves: u32) -> Barrier {
        Barrier {
            waves,
            ..Barrier::default()
        }
    }

    /// A wave arrives. Gives the phase in which it does, and if it is the first.
    fn arrive(&mut self) -> (u32, bool) {
        let (phase, first) = (self.phase, self.arrived == 0);
        self.arrived += 1;
        self.turn();
        (phase, first)
    }

    /// A wave has ended: the others do not wait for it.
    fn leave(&mut self) {
        self.waves = self.waves.saturating_sub(1);
        self.turn();
    }

    fn turn(&mut self) {
        if self.arrived > 0 && self.arrived >= self.waves {
            self.arrived = 0;
            self.phase = self.phase.wrapping_add(1);
        }
    }

    /// Have all waves arrived that a wave waits for, which arrived in `phase`?
    pub(crate) fn has_passed(&self, phase: Option<u32>) -> bool {
        phase != Some(self.phase)
    }
}

/// The wave has arrived at the barrier; (`FIRST`) SCC says if as the first.
pub(crate) struct BarrierSignal<const FIRST: bool>;

impl<const FIRST: bool> Kernel for BarrierSignal<FIRST> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, _: &Op, next: u32) -> u32 {
        let (phase, first) = env.barrier.arrive();
        wave.arrived = Some(phase);
        if FIRST {
            wave.scc = first;
        }
        next
    }
}

/// The wave waits until all have arrived.
pub(crate) struct BarrierWait;

impl Kernel for BarrierWait {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, _: &Op, next: u32) -> u32 {
        if env.barrier.has_passed(wave.arrived) {
            return next;
        }
        wave.state = State::Barrier;
        wave.pc = next;
        STOP
    }
}

/// The wave waits for the others of its workgroup.
pub(crate) struct BarrierBoth;

impl Kernel for BarrierBoth {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, _: &Op, next: u32) -> u32 {
        wave.state = State::Barrier;
        wave.pc = next;
        STOP
    }
}

/// The wave lets others run.
pub(crate) struct Sleep;

impl Kernel for Sleep {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, _: &Op, next: u32) -> u32 {
        wave.pc = next;
        STOP
    }
}

/// The wave waits for its loads. They are complete here, but the others of the
/// workgroup have their turn, as long as the wave is patient.
pub(crate) struct Wait;

impl Kernel for Wait {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, _: &Op, next: u32) -> u32 {
        if wave.patience == 0 {
            return next;
        }
        wave.patience -= 1;
        wave.pc = next;
        STOP
    }
}

/// `s_trap`; `imm` is its number.
pub(crate) struct Trap;

impl Kernel for Trap {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
        env.fail(wave, next, Problem::Trap(op.imm))
    }
}

/// An instruction outside the kernel's own code that cannot be executed.
pub(crate) struct Unknown;

impl Kernel for Unknown {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
        env.fail(wave, next, Problem::Unknown(op.imm))
    }
}

/// Slots `d` = address of the code-object offset `imm`.
pub(crate) struct GetPc;

impl Kernel for GetPc {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
        wave.set_scalar_64(op.d, env.program.address(op.imm));
        next
    }
}

/// Jumps to the address in slots `a`; with `LINK`, slots `d` get the address of
/// the code-object offset `imm`.
pub(crate) struct SetPc<const LINK: bool>;

impl<const LINK: bool> Kernel for SetPc<LINK> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
        let target = wave.scalar_64(op.a);
        if LINK {
            wave.set_scalar_64(op.d, env.program.address(op.imm));
        }
        match env.program.op_at(target) {
            Some(index) => index,
            None => env.fail(wave, next, Problem::WildBranch(target)),
        }
    }
}

/// Jumps to op `imm`; slots `d` get the address of code-object offset `aux`.
pub(crate) struct Call;

impl Kernel for Call {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, op: &Op, _: u32) -> u32 {
        wave.set_scalar_64(op.d, env.program.address(op.aux));
        op.imm
    }
}

/// Replaces `aux` (a mask) of MODE by `imm`, or by slot `a` shifted into place
/// (`REGISTER`; `imm` is then the shift).
pub(crate) struct SetMode<const REGISTER: bool>;

impl<const REGISTER: bool> Kernel for SetMode<REGISTER> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let value = if REGISTER {
            wave.scalar(op.a) << (op.imm & 31)
        } else {
            op.imm
        };
        wave.mode = Mode(wave.mode.0 & !op.aux | value & op.aux);
        next
    }
}

/// Slot `d` = `imm` bits from bit `aux` of MODE.
pub(crate) struct GetMode;

impl Kernel for GetMode {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, _: &mut Env, op: &Op, next: u32) -> u32 {
        let ones = if op.imm >= 32 {
            u32::MAX
        } else {
            (1 << op.imm) - 1
        };
        wave.set_scalar(op.d, wave.mode.0 >> (op.aux & 31) & ones);
        next
    }
}

/// Slot `d` = one dword of the clock, the upper if `HIGH`.
pub(crate) struct ClockWord<const HIGH: bool>;

impl<const HIGH: bool> Kernel for ClockWord<HIGH> {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
        let ticks = (Instant::now() - env.began).as_nanos() as u64 / 10;
        let shift = if HIGH { 32 } else { 0 };
        wave.set_scalar(op.d, (ticks >> shift) as u32);
        next
    }
}

/// Slots `d` = a clock that only moves forward, in ticks of 10 ns.
pub(crate) struct Clock;

impl Kernel for Clock {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, op: &Op, next: u32) -> u32 {
        let ticks = (Instant::now() - env.began).as_nanos() as u64 / 10;
        wave.set_scalar_64(op.d, ticks);
        next
    }
}

/// `s_sethalt`: the wave would wait for a debugger, for ever.
pub(crate) struct Halt;

impl Kernel for Halt {
    #[inline(always)]
    fn run<S: Simd>(wave: &mut Wave, env: &mut Env, _: &Op, next: u32) -> u32 {
        env.fail(wave, next, Problem::Halt)
    }
}
