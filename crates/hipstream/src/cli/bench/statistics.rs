//! What many times come to.

use serde::Serialize;

/// Of many times, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Statistics {
    pub(super) median: f64,
    pub(super) mean: f64,
    pub(super) min: f64,
    pub(super) max: f64,
    pub(super) p5: f64,
    pub(super) p95: f64,
    /// Median of the distances to the median: half of all are closer.
    pub(super) mad: f64,
}

impl Statistics {
    /// Of at least one time. The times end up sorted.
    pub(super) fn of(times: &mut [u64]) -> Self {
        times.sort_unstable();
        let sum: u128 = times.iter().map(|time| u128::from(*time)).sum();
        let median = quantile(times, 0.5);
        let mut distances: Vec<_> = times
            .iter()
            .map(|time| (*time as f64 - median).abs().round() as u64)
            .collect();
        distances.sort_unstable();
        Self {
            median,
            mean: sum as f64 / times.len() as f64,
            min: times[0] as f64,
            max: times[times.len() - 1] as f64,
            p5: quantile(times, 0.05),
            p95: quantile(times, 0.95),
            mad: quantile(&distances, 0.5),
        }
    }
}

/// A value that the share `at` of sorted times is below, between two of them
/// if need be.
fn quantile(sorted: &[u64], at: f64) -> f64 {
    let place = at * (sorted.len() - 1) as f64;
    let below = sorted[place.floor() as usize] as f64;
    let above = sorted[place.ceil() as usize] as f64;
    below + (above - below) * place.fract()
}

/// A time with a unit that suits it, to four digits.
pub(super) fn duration(ns: f64) -> String {
    let (value, unit) = match ns {
        ns if ns < 1e3 => return format!("{ns:.0} ns"),
        ns if ns < 1e6 => (ns / 1e3, "µs"),
        ns if ns < 1e9 => (ns / 1e6, "ms"),
        ns => (ns / 1e9, "s"),
    };
    let digits = match value {
        value if value < 10.0 => 3,
        value if value < 100.0 => 2,
        _ => 1,
    };
    format!("{value:.digits$} {unit}")
}

/// A number of bytes with a unit that suits it.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// A number with its thousands apart.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_known_times() {
        let mut times: Vec<u64> = (1..=101).rev().collect();
        times[0] = 1001;
        let statistics = Statistics::of(&mut times);
        assert_eq!(
            statistics,
            Statistics {
                median: 51.0,
                mean: (5050 + 1001) as f64 / 101.0,
                min: 1.0,
                max: 1001.0,
                p5: 6.0,
                p95: 96.0,
                mad: 25.0,
            }
        );
        let one = Statistics::of(&mut [7]);
        assert_eq!((one.median, one.p95, one.mad), (7.0, 7.0, 0.0));
        let two = Statistics::of(&mut [10, 20]);
        assert_eq!((two.median, two.mad, two.p5), (15.0, 5.0, 10.5));
    }

    #[test]
    fn numbers_have_units() {
        for (ns, text) in [
            (0.0, "0 ns"),
            (999.4, "999 ns"),
            (1234.5, "1.234 µs"),
            (45_678.0, "45.68 µs"),
            (1.5e8, "150.0 ms"),
            (2.5e9, "2.500 s"),
        ] {
            assert_eq!(duration(ns), text);
        }
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1536, "1.5 KiB"),
            (5 << 30, "5.0 GiB"),
        ] {
            assert_eq!(size(bytes), text);
        }
        for (number, text) in [(7, "7"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
    }
}
