//! Rounding against exact values in double precision, and against the host's.

use super::{F16, F32, F64, Format, Rules};
use crate::simd::tests::EDGES;
use crate::wave::{Mode, Round};

const KEEP: Rules = Rules {
    round: Round::Nearest,
    flush_sources: false,
    flush_results: false,
};

fn rules(round: Round) -> Rules {
    Rules { round, ..KEEP }
}

/// Pseudo-random bits, the same every time.
fn noise() -> impl Iterator<Item = u64> {
    let mut state = 0x1234_5678_9abc_def1_u64;
    std::iter::from_fn(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        Some(state)
    })
}

fn half(bits: u64) -> f64 {
    half::f16::from_bits(bits as u16).to_f64()
}

/// All finite f16 in order, by their values.
fn finite_halves() -> Vec<(f64, u64)> {
    let mut all: Vec<(f64, u64)> = (0..0x1_0000).map(|bits| (half(bits), bits)).collect();
    all.retain(|(value, _)| value.is_finite());
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    all
}

/// What an exact value must become, found by looking at all f16.
fn rounded_half(all: &[(f64, u64)], exact: f64, round: Round) -> f64 {
    let above = all.partition_point(|(value, _)| *value < exact);
    let up = all.get(above).map_or(f64::INFINITY, |(value, _)| *value);
    if up == exact {
        return exact;
    }
    let down = match above.checked_sub(1) {
        Some(below) => all[below].0,
        None => f64::NEG_INFINITY,
    };
    // Overflow happens half a step beyond the largest number.
    let step = |x: f64| {
        if x.is_infinite() {
            65536.0_f64.copysign(x)
        } else {
            x
        }
    };
    match round {
        Round::Up => up,
        Round::Down => down,
        Round::Zero if exact > 0.0 => down,
        Round::Zero => up,
        Round::Nearest => {
            let (to_up, to_down) = (step(up) - exact, exact - step(down));
            let even = |value: f64| half::f16::from_f64(value).to_bits() & 1 == 0;
            if to_up < to_down || to_up == to_down && (up.is_infinite() || even(up)) {
                up
            } else {
                down
            }
        }
    }
}

#[test]
fn every_half_is_rounded_every_way() {
    let all = finite_halves();
    let partners = [
        0x0000, 0x8000, 0x0001, 0x83ff, 0x0400, 0x3c00, 0x3c01, 0xbbff, 0x4248, 0x7bff, 0xfbff,
        0x5640, 0x1234,
    ];
    for round in [Round::Nearest, Round::Up, Round::Down, Round::Zero] {
        for a in (0..0x1_0000_u64).step_by(7) {
            for b in partners {
                if !half(a).is_finite() {
                    continue;
                }
                for (got, exact) in [
                    (F16.add(a, b, rules(round)), half(a) + half(b)),
                    (F16.mul(a, b, rules(round)), half(a) * half(b)),
                ] {
                    let expected = rounded_half(&all, exact, round);
                    assert_eq!(half(got), expected, "{a:#x} and {b:#x} {round:?}: {exact}");
                }
            }
        }
    }
}

#[test]
fn signs_of_zeros() {
    let (plus, minus, one) = (0, 0x8000, 0x3c00);
    let minus_one = F16.negate(one);
    for (round, cancelled) in [
        (Round::Nearest, plus),
        (Round::Up, plus),
        (Round::Down, minus),
        (Round::Zero, plus),
    ] {
        assert_eq!(F16.add(one, minus_one, rules(round)), cancelled);
        assert_eq!(F16.add(plus, minus, rules(round)), cancelled);
        assert_eq!(F16.add(minus, minus, rules(round)), minus);
        assert_eq!(F16.mul(minus, one, rules(round)), minus);
        assert_eq!(F16.mul(plus, one, rules(round)), plus);
    }
}

#[test]
fn to_nearest_it_is_what_the_host_does() {
    let same_32 = |a: f32, b: f32| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan();
    let random = noise().take(200_000).map(|n| n as u32);
    let sources: Vec<u32> = EDGES.into_iter().chain(random).collect();
    for (i, &a) in sources.iter().enumerate() {
        let b = sources[(i * 7 + 3) % sources.len()];
        let c = sources[(i * 13 + 5) % sources.len()];
        let [x, y, z] = [a, b, c].map(f32::from_bits);
        let got = F32.fma(u64::from(a), u64::from(b), u64::from(c), KEEP) as u32;
        assert!(
            same_32(f32::from_bits(got), x.mul_add(y, z)),
            "{x:e} * {y:e} + {z:e}"
        );
        let got = F32.add(u64::from(a), u64::from(b), KEEP) as u32;
        assert!(same_32(f32::from_bits(got), x + y), "{x:e} + {y:e}");
        let got = F32.mul(u64::from(a), u64::from(b), KEEP) as u32;
        assert!(same_32(f32::from_bits(got), x * y), "{x:e} * {y:e}");
    }
    for a in EDGES {
        for b in EDGES {
            for c in EDGES {
                let [x, y, z] = [a, b, c].map(f32::from_bits);
                let got = F32.fma(u64::from(a), u64::from(b), u64::from(c), KEEP) as u32;
                assert!(
                    same_32(f32::from_bits(got), x.mul_add(y, z)),
                    "{x:e} * {y:e} + {z:e}"
                );
            }
        }
    }
}

#[test]
fn doubles_to_nearest_are_the_hosts() {
    let same = |a: f64, b: f64| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan();
    let mut random = noise();
    let mut next = || random.next().expect("endless");
    for i in 0..200_000 {
        let [a, mut b, mut c] = [next(), next(), next()];
        if i % 2 == 0 {
            // Exponents close to each other: cancellation and ties.
            let exponent = (a >> 52 & 0x7ff) + (b & 63);
            b = b & !(0x7ff << 52) | 0x3ff << 52;
            c = c & !(0x7ff << 52) | exponent.min(0x7fe) << 52;
        }
        let [x, y, z] = [a, b, c].map(f64::from_bits);
        let got = f64::from_bits(F64.fma(a, b, c, KEEP));
        assert!(same(got, x.mul_add(y, z)), "{x:e} * {y:e} + {z:e}");
        assert!(
            same(f64::from_bits(F64.add(a, c, KEEP)), x + z),
            "{x:e} + {z:e}"
        );
        let narrow = f32::from_bits(F32.convert(F64, a, KEEP, false) as u32);
        assert!(
            narrow.to_bits() == (x as f32).to_bits() || x.is_nan(),
            "{x:e}"
        );
    }
}

#[test]
fn other_roundings_enclose_the_exact_value() {
    let mut random = noise();
    let mut next = || random.next().expect("endless") as u32;
    for _ in 0..100_000 {
        let [a, b] = [next(), next()];
        let exact = f64::from(f32::from_bits(a)) * f64::from(f32::from_bits(b));
        if !exact.is_finite() {
            continue;
        }
        let product = |round| {
            let bits = F32.mul(u64::from(a), u64::from(b), rules(round));
            f64::from(f32::from_bits(bits as u32))
        };
        let [down, up] = [Round::Down, Round::Up].map(product);
        assert!(down <= exact && exact <= up, "{down:e} {exact:e} {up:e}");
        let next_up = f64::from((down as f32).next_up());
        assert!(
            up == next_up || up == exact && down == exact,
            "{down:e} {up:e}"
        );
        let zero = product(Round::Zero);
        assert_eq!(zero, if exact > 0.0 { down } else { up });
    }
}

#[test]
fn whole_numbers() {
    for x in EDGES.map(|x| i64::from(x as i32)) {
        assert_eq!(F32.of_integer(x, KEEP) as u32, (x as f32).to_bits(), "{x}");
        assert_eq!(F64.of_integer(x, KEEP), (x as f64).to_bits(), "{x}");
    }
    let zero = rules(Round::Zero);
    assert_eq!(F32.of_integer(0x7fff_ffff, zero) as u32, 0x4eff_ffff);
    assert_eq!(F16.of_integer(70_000, zero), 0x7bff);
    assert_eq!(F16.of_integer(70_000, KEEP), 0x7c00);
}

#[test]
fn denormals_are_flushed_where_the_mode_says() {
    let mode = |denormals: u32| Mode(denormals << 4);
    let least = 1;
    let normal = 0x0400;
    let tiny = |format: Format, mode, a, b| format.mul(a, b, format.rules(mode));
    // Bits 2 and 3 are f16's: sources, results.
    assert_eq!(tiny(F16, mode(0b1111), least, 0x3c00), least);
    assert_eq!(tiny(F16, mode(0b1011), least, 0x4c00), 0, "the source");
    assert_eq!(
        tiny(F16, mode(0b1011), normal, 0x3800),
        0x200,
        "the result stays"
    );
    assert_eq!(
        tiny(F16, mode(0b0111), normal, 0xb800),
        0x8000,
        "the result"
    );
    assert_eq!(
        tiny(F16, mode(0b0111), least, 0x6400),
        0x0400,
        "the source stays"
    );
    // Bits 0 and 1 are f32's.
    assert_eq!(tiny(F32, mode(0b1110), 1, 0x7f00_0000), 0);
    assert_eq!(tiny(F32, mode(0b0011), 1, 0x3f80_0000), 1);
}
