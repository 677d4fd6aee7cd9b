//! Every vector and scalar instruction, in every encoding, on noise: all back
//! ends leave the same bits.

use super::golden;
use crate::isa::{Encoding, Flags, Instruction, Opcode};
use crate::program::Target;
use crate::program::lower::refusal;
use crate::program::testing::Bench;
use crate::simd::tests::EDGES;
use crate::simd::{Backend, Row};
use crate::wave::{Wave, slot};

/// Pseudo-random dwords, among them many edges; the same for the same seed.
struct Noise(u64);

impl Noise {
    fn dword(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let bits = (self.0 >> 32) as u32;
        match self.0 & 7 {
            0..=2 => EDGES[bits as usize % EDGES.len()],
            3 => bits & 0xff,
            // Two halves around one.
            4 => bits & 0x83ff_83ff | 0x3c00_3c00,
            _ => bits,
        }
    }
}

/// Does it only compute on registers, and the same each time?
fn computes(instruction: &Instruction) -> bool {
    let memory = matches!(
        instruction.encoding,
        Encoding::Smem
            | Encoding::Ds
            | Encoding::Mubuf
            | Encoding::Mtbuf
            | Encoding::Flat
            | Encoding::Global
            | Encoding::Scratch
    );
    let flags = instruction.info().flags;
    let stops = flags.intersects(Flags::BRANCH | Flags::END)
        || matches!(
            instruction.op,
            Opcode::STrap
                | Opcode::SSethalt
                | Opcode::SSendmsghalt
                | Opcode::SBarrier
                | Opcode::SSleep
                | Opcode::SSleepVar
        );
    // Clocks, and registers whose number is noise.
    let varies = flags.contains(Flags::READS_M0)
        || matches!(instruction.op, Opcode::SGetregB32 | Opcode::SGetpcB64);
    !memory && !stops && !varies
}

fn prepared(words: &[u32], target: Target, backend: Backend, seed: u64) -> Bench {
    let mut bench = Bench::new(words, target, backend).expect("it was lowered before");
    let mut noise = Noise(seed);
    let halves = bench.wave.halves as usize;
    let rows = bench.vgprs() * halves;
    for row in &mut bench.wave.rows[..rows] {
        row.lanes_mut().fill_with(|| noise.dword());
    }
    for register in &mut bench.wave.scalars[..slot::NULL as usize] {
        *register = noise.dword();
    }
    bench.wave.scc = seed & 1 != 0;
    let exec = u64::from(noise.dword()) | u64::from(noise.dword()) << 32;
    bench.set_exec(if seed.is_multiple_of(3) {
        u64::MAX
    } else {
        exec
    });
    bench
}

/// Equal, or NaNs of the same format: which one an operation makes is the host's.
fn same(a: u32, b: u32) -> bool {
    let nan_16 = |x: u32| x & 0x7fff > 0x7c00;
    let nan_32 = |x: u32| f32::from_bits(x).is_nan();
    let half = |shift: u32| {
        let [a, b] = [a, b].map(|x| x >> shift & 0xffff);
        a == b || nan_16(a) && nan_16(b)
    };
    a == b || nan_32(a) && nan_32(b) || half(0) && half(16)
}

/// Whether a row holds the low half of a double that is not a number on both sides. Which of two
/// payloads a fused multiply-add keeps differs between hosts, as it does for the single floats
/// that [`same`] excuses.
fn below_not_a_number(waves: [&Wave; 2], row: usize, lane: usize) -> bool {
    const EXPONENT: u32 = 0x7ff0_0000;
    waves.iter().all(|wave| {
        let high = wave.rows.get(row + 1).map(|row| row.lanes()[lane]);
        high.is_some_and(|high| high & EXPONENT == EXPONENT)
    })
}

fn differences(a: &Wave, b: &Wave) -> Vec<String> {
    let mut found = Vec::new();
    let rows = a.temps as usize;
    for (number, (x, y)) in a.rows[..rows].iter().zip(&b.rows[..rows]).enumerate() {
        let lanes = |row: &Row| *row.lanes();
        for (lane, (x, y)) in lanes(x).into_iter().zip(lanes(y)).enumerate() {
            if !same(x, y) && !below_not_a_number([a, b], number, lane) {
                found.push(format!("row {number}, lane {lane}: {x:#x} and {y:#x}"));
            }
        }
    }
    let scalars = 0..slot::SINK as usize;
    for number in scalars.filter(|&number| a.scalars[number] != b.scalars[number]) {
        let [x, y] = [a, b].map(|wave| wave.scalars[number]);
        found.push(format!("scalar {number}: {x:#x} and {y:#x}"));
    }
    if (a.scc, a.mode, a.exec, a.other.0) != (b.scc, b.mode, b.exec, b.other.0) {
        found.push("SCC, MODE or EXEC".to_owned());
    }
    found
}

#[test]
fn back_ends_agree_on_every_encoding() {
    let fast = Backend::detect();
    let mut wrong = Vec::new();
    let mut compared = 0;
    for (target, bytes, text) in golden() {
        let instruction = target.decode(&bytes, 0).expect(text);
        if !computes(&instruction) || refusal(&instruction, target).is_some() {
            continue;
        }
        let words: Vec<u32> = bytes
            .chunks_exact(4)
            .map(|word| u32::from_le_bytes(word.try_into().expect("4 bytes")))
            .collect();
        for seed in 1..=3 {
            let run = |backend| prepared(&words, target, backend, seed).run().expect(text);
            let (a, b) = (run(fast), run(Backend::Portable));
            if let Some(first) = differences(&a, &b).first() {
                wrong.push(format!("{text}: {first}"));
                break;
            }
            compared += 1;
        }
    }
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(compared > 13_000, "only {compared} were compared");
}
