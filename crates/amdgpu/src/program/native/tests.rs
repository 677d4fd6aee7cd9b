//! Native code of random steps, in every form of loads, against one step after
//! the other.

use super::code::Layout;
use super::machine::Machine;
use super::plan::{Function, Origin, Plan, Step, windows};
use crate::exec::lane::{self, Lane};
use crate::memory::Form;
use crate::simd::{Backend, Portable, Row, Simd};

const ROWS: u16 = 40;
const SLOTS: u16 = 16;

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

fn steps(noise: &mut Noise, functions: &[Function]) -> Vec<Step> {
    let count = 10 + noise.next() % 80;
    let step = |_| match noise.next() % 10 {
        0 => Step::Splat {
            d: noise.below(ROWS),
            slot: noise.below(SLOTS),
        },
        1 | 2 => Step::Load {
            d: noise.below(ROWS - 4),
            dwords: 1 + noise.below(4),
            address: noise.below(ROWS),
            resource: 0,
            offset: 0,
            constant: 0,
            aux: 0,
        },
        3 => Step::Wait,
        _ => Step::Lane {
            function: functions[noise.next() as usize % functions.len()],
            d: noise.below(ROWS),
            sources: [(); 3].map(|()| noise.below(ROWS)),
        },
    };
    (0..count).map(step).collect()
}

/// A row as a load of this form can give.
fn loaded(noise: &mut Noise, form: Form) -> [u32; 32] {
    let lanes = [(); 32].map(|()| noise.next());
    std::array::from_fn(|lane| match form {
        Form::Full => lanes[lane],
        Form::Uniform => lanes[lane / 8],
        Form::Repeated => lanes[lane % 8],
    })
}

/// Puts it where native code looks for it.
fn place(temps: &mut [Row], first: u16, dword: u16, form: Form, lanes: &[u32; 32]) {
    let (first, dword) = (usize::from(first), usize::from(dword));
    match form {
        Form::Full => *temps[first + dword].lanes_mut() = *lanes,
        Form::Uniform => {
            for strip in 0..4 {
                temps[first].lanes_mut()[4 * strip + dword] = lanes[8 * strip];
            }
        }
        Form::Repeated => temps[first].0[dword].copy_from_slice(&lanes[..8]),
    }
}

fn same(a: u32, b: u32) -> bool {
    a == b || f32::from_bits(a).is_nan() && f32::from_bits(b).is_nan()
}

/// Runs a window both ways; gives the rows behind it.
fn compare(
    noise: &mut Noise,
    steps: &[Step],
    rest: &[Step],
    rows: &[Row],
    slots: &[u32],
) -> Vec<Row> {
    let plan = Plan::new(steps, rest);
    let mut layout = Layout::default();
    let early = Machine::early(&plan, &mut layout).expect("memory");
    let form = |_| [Form::Full, Form::Uniform, Form::Repeated][noise.next() as usize % 3];
    let forms: Vec<Form> = plan.loads.iter().map(form).collect();
    for (load, form) in plan.loads.iter().zip(&forms) {
        layout.loads.push(layout.rows);
        layout.rows += if *form == Form::Full { load.dwords } else { 1 };
    }
    let main = Machine::main(&plan, &mut layout, &forms).expect("memory");
    let mut temps = vec![Row::ZERO; main.temps()];
    let mut actual = rows.to_vec();
    if let Some(early) = &early {
        early.call(&mut actual, slots, &mut temps);
    }
    assert_eq!(actual, rows, "nothing is written before all loads are made");
    let mut wanted = rows.to_vec();
    let mut loads = plan.loads.iter().zip(&forms).enumerate();
    for step in steps {
        match *step {
            Step::Lane {
                function,
                d,
                sources,
            } => {
                let sources = sources.map(|row| *wanted[usize::from(row)].lanes());
                for (lane, value) in wanted[usize::from(d)].lanes_mut().iter_mut().enumerate() {
                    *value = expected(function, sources.map(|lanes| lanes[lane]));
                }
            }
            Step::Splat { d, slot } => {
                wanted[usize::from(d)] = Row::splat(slots[usize::from(slot)])
            }
            Step::Load {
                d, dwords, address, ..
            } => {
                let (number, (load, &form)) = loads.next().expect("a load");
                let offsets = match plan.values[load.address] {
                    Origin::Row(row) => actual[usize::from(row)],
                    Origin::Splat(slot) => Row::splat(slots[usize::from(slot)]),
                    _ => temps[usize::from(layout.early[&load.address])],
                };
                let pairs = offsets
                    .lanes()
                    .iter()
                    .zip(wanted[usize::from(address)].lanes());
                assert!(
                    pairs.into_iter().all(|(&a, &b)| same(a, b)),
                    "an address differs"
                );
                for dword in 0..dwords {
                    let lanes = loaded(noise, form);
                    place(&mut temps, layout.loads[number], dword, form, &lanes);
                    *wanted[usize::from(d + dword)].lanes_mut() = lanes;
                }
            }
            Step::Wait | Step::Switch => {}
        }
    }
    main.call(&mut actual, slots, &mut temps);
    for &(row, _) in &plan.finals {
        let [a, b] = [&actual, &wanted].map(|rows| rows[usize::from(row)].lanes());
        let equal = a.iter().zip(b).all(|(&a, &b)| same(a, b));
        assert!(equal, "row {row}: {a:x?}, not {b:x?}, of {steps:#?}");
    }
    wanted
}

#[test]
#[expect(clippy::print_stderr, reason = "says why it is skipped")]
fn random_steps_give_the_same_bits() {
    if Backend::detect() == Backend::Portable {
        eprintln!("skipped: native code needs AVX2 and FMA");
        return;
    }
    let mut noise = Noise(0x1234_5678_dead_beef);
    let mut compared = 0;
    for round in 0..1500 {
        // Integers and floats apart: which NaN an operation makes is the host's.
        let functions = match round % 3 {
            0 => &FLOATS[5..],
            1 => &FLOATS,
            _ => &INTEGERS[..],
        };
        let steps = steps(&mut noise, functions);
        let slots: Vec<u32> = (0..SLOTS).map(|_| noise.next()).collect();
        let mut rows = vec![Row::ZERO; usize::from(ROWS)];
        for value in rows.iter_mut().flat_map(|row| row.lanes_mut()) {
            let bits = noise.next();
            *value = if bits & 1 == 0 {
                bits
            } else {
                (bits as f32 / 1e9).to_bits()
            };
        }
        for window in windows(&steps) {
            let rest = &steps[window.end..];
            rows = compare(&mut noise, &steps[window], rest, &rows, &slots);
            compared += 1;
        }
    }
    assert!(compared > 1500, "only {compared} windows");
}
