//! Runs a few instructions on one wave, for tests.

use std::sync::Arc;
use std::time::Instant;

use super::native::Room;
use super::{Target, lower};
use crate::exec::{self, Barrier, Env, Problem};
use crate::isa::WaveSize;
use crate::memory::{Lds, Memory, View};
use crate::simd::{Backend, Extensions, Row};
use crate::wave::{State, Wave, slot};

/// Bytes of its LDS, and of its scratch.
pub(crate) const LDS_BYTES: u32 = 1 << 16;
const SCRATCH_BYTES: usize = 1 << 10;

/// A wave and its surroundings, with all lanes active and all registers zero.
pub(crate) struct Bench {
    pub(crate) wave: Wave,
    pub(crate) env: Env,
}

impl Bench {
    /// Lowers the instructions, an end behind them.
    pub(crate) fn new(
        words: &[u32],
        target: impl Into<Target>,
        backend: Backend,
    ) -> Result<Bench, String> {
        let program = Arc::new(lower::assemble(words, target.into(), backend, false)?);
        let mut wave = Wave::new();
        program.outfit(&mut wave);
        wave.state = State::Ready;
        wave.scratch = vec![Row::ZERO; SCRATCH_BYTES / 4 * wave.halves as usize];
        let mut lds = Lds::default();
        lds.reset(LDS_BYTES);
        let view = View::new(Memory::new(1 << 20).snapshot(), 64, |_, _| ());
        let env = Env {
            view: view.ok_or("no memory")?,
            lds,
            program,
            barrier: Barrier::of(1),
            room: Room::default(),
            began: Instant::now(),
            problem: None,
            watcher: None,
        };
        let mut bench = Bench { wave, env };
        bench.set_exec(u64::MAX);
        Ok(bench)
    }

    /// Vector registers of the wave, those for accumulation among them.
    pub(crate) fn vgprs(&self) -> usize {
        self.env.program.vgprs() as usize
    }

    /// Lets the wave see another memory.
    pub(crate) fn see(&mut self, memory: &Memory) {
        let view = View::new(memory.snapshot(), 64, |_, _| ());
        self.env.view = view.expect("memory for kernel arguments");
    }

    /// EXEC of all lanes.
    pub(crate) fn set_exec(&mut self, bits: u64) {
        let halves = [bits as u32, (bits >> 32) as u32];
        let wave = &mut self.wave;
        wave.scalars[slot::EXEC as usize] = halves[0];
        (wave.exec, wave.mask) = (halves[0], Row::from_mask(halves[0]));
        if wave.halves == 2 {
            wave.scalars[slot::EXEC as usize + 1] = halves[1];
            wave.other = (halves[1], Row::from_mask(halves[1]));
        }
    }

    /// Runs to the end.
    pub(crate) fn run(mut self) -> Result<Wave, Problem> {
        let program = self.env.program.clone();
        exec::run(&program, &mut self.wave, &mut self.env, 10_000);
        match self.env.problem {
            Some(problem) => Err(problem),
            None => {
                assert_eq!(self.wave.state, State::Done);
                Ok(self.wave)
            }
        }
    }
}

/// An instruction: LLVM's text and its encoding.
pub(super) type Line = (&'static str, &'static [u32]);

/// The encodings, once it is certain that they are what the texts say.
pub(super) fn words(lines: &[Line], target: impl Into<Target>) -> Vec<u32> {
    let target = target.into();
    for (text, words) in lines {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        assert_eq!(target.decode(&bytes, 0).expect(text).to_string(), *text);
    }
    lines
        .iter()
        .flat_map(|(_, words)| *words)
        .copied()
        .collect()
}

/// The back ends that this host has, the portable one first.
#[expect(clippy::print_stderr, reason = "says what is skipped")]
pub(super) fn backends() -> Vec<Backend> {
    let mut backends = Vec::new();
    for extensions in Extensions::ALL {
        let backend = Backend::at_most(extensions);
        if backend.extensions() == extensions {
            backends.push(backend);
        } else {
            eprintln!("skipped: {extensions:?}, which this host does not have");
        }
    }
    backends
}

/// Runs instructions on all back ends, which must agree on `look`.
pub(super) fn run<T: PartialEq + std::fmt::Debug>(
    target: impl Into<Target>,
    lines: &[Line],
    prepare: impl Fn(&mut Bench),
    look: impl Fn(&Wave) -> T,
) -> T {
    let target = target.into();
    let words = words(lines, target);
    let mut looks = backends().into_iter().map(|backend| {
        let mut bench = Bench::new(&words, target, backend).expect("it lowers");
        prepare(&mut bench);
        look(&bench.run().expect("no fault"))
    });
    let first = looks.next().expect("there is the portable one");
    for look in looks {
        assert_eq!(first, look, "the back ends differ");
    }
    first
}

/// The same for waves of 32.
pub(super) fn run_32<T: PartialEq + std::fmt::Debug>(
    lines: &[Line],
    prepare: impl Fn(&mut Bench),
    look: impl Fn(&Wave) -> T,
) -> T {
    run(WaveSize::Wave32, lines, prepare, look)
}

pub(super) fn lanes(wave: &Wave, row: usize) -> [u32; 32] {
    *wave.rows[row].lanes()
}

pub(super) fn fill(bench: &mut Bench, row: usize, f: impl Fn(u32) -> u32) {
    let lanes = bench.wave.rows[row].lanes_mut();
    for (lane, value) in lanes.iter_mut().enumerate() {
        *value = f(lane as u32);
    }
}

/// Registers with one value in all lanes, two registers for a double.
pub(super) fn set(bench: &mut Bench, row: usize, value: u32) {
    bench.wave.rows[row] = Row::splat(value);
}

pub(super) fn set_f64(bench: &mut Bench, row: usize, value: f64) {
    let bits = value.to_bits();
    set(bench, row, bits as u32);
    set(bench, row + 1, (bits >> 32) as u32);
}

pub(super) fn f64_at(wave: &Wave, row: usize) -> f64 {
    let [low, high] = [row, row + 1].map(|row| u64::from(lanes(wave, row)[0]));
    f64::from_bits(low | high << 32)
}
