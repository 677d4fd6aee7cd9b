//! Native code of random steps, of every width that the host has and with places
//! of loads in every form, against one step after the other.

use super::machine::{Code, Room};
use super::plan::{Function, Plan, Step, windows};
use crate::exec::lane::{self, Lane};
use crate::memory::{AllocationKind, Memory, View};
use crate::program::testing::backends;
use crate::simd::{Portable, Row, Simd};
use crate::wave::{Wave, temp};

/// Rows that steps write, and behind them rows of offsets.
const ROWS: u16 = 40;
const OFFSETS: u16 = 6;
/// Rows that are the same always.
const CONSTANTS: u16 = ROWS + OFFSETS + temp::COUNT;
const CONSTANT_VALUES: [u32; 5] = [0, 16, 0x1fff, 0x400, 0xffff_fff0];
/// Scalar slots for anything; a place; the resource, and what is added to places.
const SLOTS: u16 = 16;
const PLACE: u16 = 16;
const RESOURCE: u16 = 20;
const ADDED: u16 = 24;
/// Bytes of the buffer.
const BYTES: usize = 1 << 16;

const FLOATS: [Function; 6] = [
    Function::Move,
    Function::AddF32,
    Function::SubF32,
    Function::SubrevF32,
    Function::MulF32,
    Function::FmaF32,
];
const INTEGERS: [Function; 19] = [
    Function::AddU32,
    Function::SubU32,
    Function::SubrevU32,
    Function::Add3U32,
    Function::MulLoU32,
    Function::And,
    Function::Or,
    Function::Xor,
    Function::Or3,
    Function::AndOr,
    Function::LshlRev,
    Function::LshrRev,
    Function::AshrRev,
    Function::LshlAdd,
    Function::LshlOr,
    Function::MinU32,
    Function::MaxU32,
    Function::MinI32,
    Function::MaxI32,
];

/// Pseudo-random numbers.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 32) as u32
    }

    fn below(&mut self, end: u16) -> u16 {
        (self.next() % u32::from(end)) as u16
    }
}

/// What the ops of the interpreter compute.
fn expected(function: Function, [a, b, c]: [u32; 3]) -> u32 {
    fn of<F: Lane>(a: u32, b: u32, c: u32) -> u32 {
        let [a, b, c] = [a, b, c].map(Portable::splat);
        F::eval(a, b, c).to_array()[0]
    }
    let eval = match function {
        Function::Move => of::<lane::Move>,
        Function::AddF32 => of::<lane::AddF32>,
        Function::SubF32 => of::<lane::SubF32>,
        Function::SubrevF32 => of::<lane::SubrevF32>,
        Function::MulF32 => of::<lane::MulF32>,
        Function::FmaF32 => of::<lane::FmaF32>,
        Function::AddU32 => of::<lane::AddU32>,
        Function::SubU32 => of::<lane::SubU32>,
        Function::SubrevU32 => of::<lane::SubrevU32>,
        Function::Add3U32 => of::<lane::Add3U32>,
        Function::MulLoU32 => of::<lane::MulLoU32>,
        Function::And => of::<lane::And>,
        Function::Or => of::<lane::Or>,
        Function::Xor => of::<lane::Xor>,
        Function::Or3 => of::<lane::Or3>,
        Function::AndOr => of::<lane::AndOr>,
        Function::LshlRev => of::<lane::LshlRev>,
        Function::LshrRev => of::<lane::LshrRev>,
        Function::AshrRev => of::<lane::AshrRev>,
        Function::LshlAdd => of::<lane::LshlAddU32>,
        Function::LshlOr => of::<lane::LshlOrB32>,
        Function::MinU32 => of::<lane::MinU32>,
        Function::MaxU32 => of::<lane::MaxU32>,
        Function::MinI32 => of::<lane::MinI32>,
        Function::MaxI32 => of::<lane::MaxI32>,
    };
    eval(a, b, c)
}

/// Steps of a few random functions of random rows, and loads in between.
fn steps(noise: &mut Noise, functions: &[Function]) -> Vec<Step> {
    let mut steps = Vec::new();
    let count = 10 + noise.next() as usize % 80;
    while steps.len() < count {
        match noise.next() % 10 {
            0 => steps.push(Step::Splat {
                d: noise.below(ROWS),
                slot: noise.below(SLOTS),
            }),
            1 | 2 => loads(noise, &mut steps),
            3 => steps.push(Step::Wait),
            _ => steps.push(Step::Lane {
                function: functions[noise.next() as usize % functions.len()],
                d: noise.below(ROWS),
                sources: [(); 3].map(|()| noise.below(ROWS)),
            }),
        }
    }
    steps
}

/// Loads at some places, and what these are made of.
fn loads(noise: &mut Noise, steps: &mut Vec<Step>) {
    let offsets = ROWS + noise.below(OFFSETS);
    let d = noise.below(ROWS);
    let mut made = |function, a, b| {
        steps.push(Step::Lane {
            function,
            d,
            sources: [a, b, 0],
        });
        d
    };
    let address = match noise.next() % 6 {
        // Places that are constants apart.
        0 => made(Function::AddU32, offsets, CONSTANTS + 1),
        1 => {
            let behind = made(Function::AddU32, CONSTANTS + 3, offsets);
            made(Function::AddU32, behind, CONSTANTS + noise.below(2))
        }
        // Anywhere, and maybe what was loaded before.
        2 => {
            let row = noise.below(ROWS);
            made(Function::And, row, CONSTANTS + 2)
        }
        3 => {
            let slot = PLACE;
            steps.push(Step::Splat { d, slot });
            d
        }
        _ => offsets,
    };
    let mut constant = noise.next() % 0x400;
    let dwords = 1 + noise.below(4);
    for _ in 0..1 + noise.below(4) {
        // Not where the next one still needs the address.
        let mut to = noise.below(ROWS - 4);
        if (to..to + 4).contains(&address) {
            to = (to + 4) % (ROWS - 4);
        }
        steps.push(Step::Load {
            d: to,
            dwords: dwords.max(noise.below(5)),
            address,
            resource: RESOURCE,
            offset: ADDED,
            constant,
            aux: crate::exec::access::OFFEN,
        });
        if noise.next().is_multiple_of(4) {
            constant = noise.next() % 0x400;
        } else {
            constant += 16;
        }
    }
}

/// Rows of noise, then offsets in every form, then constants.
fn rows(noise: &mut Noise) -> Vec<Row> {
    let mut rows = vec![Row::ZERO; usize::from(CONSTANTS)];
    for value in rows.iter_mut().flat_map(|row| row.lanes_mut()) {
        let bits = noise.next();
        *value = if bits & 1 == 0 {
            bits
        } else {
            (bits as f32 / 1e9).to_bits()
        };
    }
    let places = [(); 32].map(|()| noise.next() % 0x3000);
    let forms: [fn(usize) -> usize; 3] = [|_| 0, |lane| lane / 8, |lane| lane % 8];
    for (row, of) in rows[usize::from(ROWS)..].iter_mut().zip(forms) {
        *row.lanes_mut() = std::array::from_fn(|lane| places[of(lane)]);
    }
    for (row, apart) in rows[usize::from(ROWS) + 3..].iter_mut().zip([4, 16]) {
        *row.lanes_mut() = std::array::from_fn(|lane| places[0] + apart * lane as u32);
    }
    *rows[usize::from(ROWS) + 5].lanes_mut() = places;
    rows.extend(CONSTANT_VALUES.map(Row::splat));
    rows
}

fn same(a: u32, b: u32) -> bool {
    a == b || f32::from_bits(a).is_nan() && f32::from_bits(b).is_nan()
}

/// Does steps one by one.
fn step_by_step(steps: &[Step], rows: &mut [Row], slots: &[u32], buffer: &[u8]) {
    for step in steps {
        match *step {
            Step::Lane {
                function,
                d,
                sources,
            } => {
                let sources = sources.map(|row| *rows[usize::from(row)].lanes());
                for (lane, value) in rows[usize::from(d)].lanes_mut().iter_mut().enumerate() {
                    *value = expected(function, sources.map(|lanes| lanes[lane]));
                }
            }
            Step::Splat { d, slot } => rows[usize::from(d)] = Row::splat(slots[usize::from(slot)]),
            Step::Load {
                d,
                dwords,
                address,
                constant,
                ..
            } => {
                let offsets = *rows[usize::from(address)].lanes();
                for dword in 0..dwords {
                    let behind = slots[usize::from(ADDED)] + constant + 4 * u32::from(dword);
                    *rows[usize::from(d + dword)].lanes_mut() = offsets.map(|offset| {
                        let bytes = &buffer[(offset + behind) as usize..][..4];
                        u32::from_le_bytes(bytes.try_into().expect("four"))
                    });
                }
            }
            Step::Wait | Step::Switch => {}
        }
    }
}

#[test]
fn random_steps_give_the_same_bits() {
    let backends = &backends()[1..];
    let mut noise = Noise(0x1234_5678_dead_beef);
    let memory = Memory::new(1 << 20);
    let buffer: Vec<u8> = (0..BYTES).map(|_| noise.next() as u8).collect();
    let address = memory
        .alloc(BYTES as u64, AllocationKind::Device)
        .expect("memory");
    memory.write(address, &buffer).expect("it is live");
    let mut view = View::new(memory.snapshot(), 64, |_, _| ()).expect("memory");
    let mut room = Room::default();
    let mut compared = 0;
    for round in 0..1500 {
        // Integers and floats apart: which NaN an operation makes is the host's.
        let functions = match round % 3 {
            0 => &FLOATS[5..],
            1 => &FLOATS,
            _ => &INTEGERS[..],
        };
        let steps = steps(&mut noise, functions);
        let mut wave = Wave::new();
        wave.temps = ROWS + OFFSETS;
        wave.rows = rows(&mut noise);
        wave.scalars = (0..=ADDED).map(|_| noise.next()).collect();
        wave.scalars[usize::from(PLACE)] = noise.next() % 0x1000;
        let resource = [
            address as u32,
            (address >> 32) as u32,
            BYTES as u32,
            3 << 28,
        ];
        wave.scalars[usize::from(RESOURCE)..][..4].copy_from_slice(&resource);
        wave.scalars[usize::from(ADDED)] = noise.next() % 64;
        let mut done = 0;
        for window in windows(&steps) {
            let between = &steps[done..window.start];
            step_by_step(between, &mut wave.rows, &wave.scalars, &buffer);
            done = window.end;
            let rest = &steps[window.end..];
            let steps = &steps[window];
            let mut wanted = wave.rows.clone();
            step_by_step(steps, &mut wanted, &wave.scalars, &buffer);
            for any in [false, true] {
                let constant = |row| wave.constant(row).filter(|_| !any);
                let plan = Plan::new(steps, rest, constant);
                let mut found: Vec<Vec<Row>> = Vec::new();
                for &backend in backends {
                    let mut own = wave.clone();
                    let code = Code::new(&plan, any, backend, &mut own, &mut room);
                    let code = code.expect("memory for code");
                    // In a buffer that ends early it does nothing.
                    let records = usize::from(RESOURCE) + 2;
                    let whole = std::mem::replace(&mut own.scalars[records], 3);
                    let ran = code.run::<Portable>(&mut own, &mut view, &mut room);
                    assert_eq!(ran, plan.loads.is_empty());
                    if !ran {
                        assert_eq!(own.rows, wave.rows, "nothing is written before");
                    }
                    own.rows.clone_from(&wave.rows);
                    own.scalars[records] = whole;
                    assert!(code.run::<Portable>(&mut own, &mut view, &mut room));
                    found.push(own.rows);
                }
                for (backend, rows) in backends.iter().zip(&found) {
                    for &(row, _) in &plan.finals {
                        let [a, b] = [rows, &wanted].map(|rows| rows[usize::from(row)].lanes());
                        let equal = a.iter().zip(b).all(|(&a, &b)| same(a, b));
                        let extensions = backend.extensions();
                        assert!(
                            equal,
                            "{extensions:?}: row {row}: {a:x?}, not {b:x?}, of {steps:#?}"
                        );
                    }
                    let first_constant = usize::from(ROWS);
                    assert_eq!(rows[first_constant..], wave.rows[first_constant..]);
                    assert_eq!(*rows, found[0], "the widths differ");
                }
            }
            wave.rows = wanted;
            compared += 1;
        }
    }
    assert!(compared > 1500, "only {compared} windows");
}
