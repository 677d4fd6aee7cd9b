//! Whether results are what was expected.

use std::io::Write;

use clap::{Args, ValueEnum};
use hal::ElementType;

use super::inputs::parse_expected;
use super::{Interface, Value, check_count};
use crate::array::{Array, Reader, Tolerance};
use crate::cli::report::Failure;

/// How far results may be from what is expected.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct Tolerances {
    /// How far an f16 may be off; f8 types too.
    #[arg(
        long = "expected_f16_threshold",
        value_name = "ABS",
        default_value_t = 1e-3
    )]
    f16: f64,
    /// How far a bf16 may be off.
    #[arg(
        long = "expected_bf16_threshold",
        value_name = "ABS",
        default_value_t = 1e-2
    )]
    bf16: f64,
    /// How far an f32 may be off.
    #[arg(
        long = "expected_f32_threshold",
        value_name = "ABS",
        default_value_t = 1e-4
    )]
    f32: f64,
    /// How far an f64 may be off.
    #[arg(
        long = "expected_f64_threshold",
        value_name = "ABS",
        default_value_t = 1e-4
    )]
    f64: f64,
    /// How far any float may be off besides, times the expected value.
    #[arg(long = "expected_rtol", value_name = "REL", default_value_t = 1e-5)]
    relative: f64,
    /// Whether floats may be off at all.
    #[arg(long = "equality_mode", value_enum, value_name = "MODE", default_value_t = Equality::Approximate)]
    equality: Equality,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Equality {
    /// |actual - expected| <= threshold + rtol × |expected|; NaN is NaN.
    Approximate,
    /// Every byte is the same.
    Exact,
}

impl Tolerances {
    fn of(&self, element_type: ElementType) -> Tolerance {
        Tolerance {
            absolute: match element_type {
                ElementType::FLOAT_32 => self.f32,
                ElementType::FLOAT_64 => self.f64,
                ElementType::BFLOAT_16 => self.bf16,
                _ => self.f16,
            },
            relative: self.relative,
        }
    }
}

/// What a call's results must be: read before the call, so that mistakes do
/// not cost a run.
pub(in crate::cli) struct Expected(Vec<Option<Value>>);

impl Expected {
    pub(in crate::cli) fn parse(
        function: &Interface,
        texts: &[String],
        reader: &mut Reader,
    ) -> Result<Option<Self>, Failure> {
        if texts.is_empty() {
            return Ok(None);
        }
        let values = parse_expected(function, texts, reader)?;
        check_count(
            function,
            "expected output",
            function.results.len(),
            values.len(),
        )?;
        Ok(Some(Self(values)))
    }

    /// Prints what differs in the words of the stock tools. Whether nothing did.
    pub(in crate::cli) fn compare(
        &self,
        values: &[Value],
        tolerances: &Tolerances,
        limit: usize,
        stdout: &mut dyn Write,
    ) -> std::io::Result<bool> {
        let mut is_equal = true;
        for (index, (value, expected)) in values.iter().zip(&self.0).enumerate() {
            let Some(expected) = expected else { continue };
            if let Some(difference) = difference(value, expected, tolerances, limit) {
                writeln!(stdout, "[FAILED] result[{index}]: {difference}")?;
                is_equal = false;
            }
        }
        Ok(is_equal)
    }
}

/// What differs between a result and what it should be.
fn difference(
    value: &Value,
    expected: &Value,
    tolerances: &Tolerances,
    limit: usize,
) -> Option<String> {
    if let (Value::Array(actual), Value::Array(wanted)) = (value, expected) {
        let difference = array_difference(actual, wanted, tolerances)?;
        return Some(format!(
            "{difference}; expected that the view is equal to contents of a view of {}\n  expected:\n{}\n  actual:\n{}",
            wanted.type_text(),
            wanted.display(limit),
            actual.display(limit)
        ));
    }
    if let (Value::Storage(actual), Value::Storage(wanted)) = (value, expected) {
        return (actual.bytes() != wanted.bytes())
            .then(|| "the bytes of the buffer differ from the expected ones".to_owned());
    }
    let is_same_kind = std::mem::discriminant(value) == std::mem::discriminant(expected);
    if !is_same_kind {
        return Some(format!(
            "variant types mismatch; expected {} but got {}",
            expected.kind_text(),
            value.kind_text()
        ));
    }
    let is_equal = match (value, expected) {
        (Value::F32(actual), Value::F32(wanted)) => {
            let tolerance = tolerances.of(ElementType::FLOAT_32);
            match tolerances.equality {
                Equality::Exact => actual.to_bits() == wanted.to_bits(),
                Equality::Approximate => tolerance.accepts((*actual).into(), (*wanted).into()),
            }
        }
        (Value::F64(actual), Value::F64(wanted)) => match tolerances.equality {
            Equality::Exact => actual.to_bits() == wanted.to_bits(),
            Equality::Approximate => tolerances
                .of(ElementType::FLOAT_64)
                .accepts(*actual, *wanted),
        },
        _ => value == expected,
    };
    (!is_equal).then(|| {
        format!(
            "{} does not match the expected {}",
            value.display(limit),
            expected.display(limit)
        )
    })
}

fn array_difference(actual: &Array, wanted: &Array, tolerances: &Tolerances) -> Option<String> {
    let tolerance = match tolerances.equality {
        Equality::Approximate => tolerances.of(actual.element_type()),
        Equality::Exact => Tolerance {
            absolute: 0.0,
            relative: 0.0,
        },
    };
    let difference = actual.difference(wanted, tolerance);
    match (&difference, tolerances.equality) {
        // Two zeros, or two NaNs, may be of other bytes.
        (None, Equality::Exact) if actual.bytes() != wanted.bytes() => {
            Some("the bytes of equal values differ".to_owned())
        }
        _ => difference,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        tolerances: Tolerances,
    }

    fn tolerances(flags: &[&str]) -> Tolerances {
        let args = ["x"].iter().chain(flags);
        Flags::try_parse_from(args).expect("well formed").tolerances
    }

    fn array(text: &str) -> Value {
        Value::Array(text.parse().expect("well formed"))
    }

    #[test]
    fn each_type_has_its_threshold() {
        let loose = tolerances(&["--expected_f32_threshold=0.2", "--expected_rtol=0"]);
        let differs = |a: &str, b: &str| difference(&array(a), &array(b), &loose, 8).is_some();
        assert!(!differs("2xf32=1 2", "2xf32=1.1 2"));
        assert!(differs("2xf64=1 2", "2xf64=1.1 2"));
        assert!(differs("2xf16=1 2", "2xf16=1.1 2"));
        assert!(!differs("1xbf16=1", "1xbf16=1.0078125"));
        assert!(differs("2xi32=1 2", "2xi32=1 3"));
        let exact = tolerances(&["--equality_mode=exact"]);
        assert!(difference(&array("f32=0"), &array("f32=-0"), &exact, 8).is_some());
        assert!(difference(&array("f32=nan"), &array("f32=nan"), &exact, 8).is_none());
    }

    #[test]
    fn scalars_are_compared_by_value() {
        let defaults = tolerances(&[]);
        let differs = |a: Value, b: Value| difference(&a, &b, &defaults, 8);
        assert_eq!(differs(Value::I32(1), Value::I32(1)), None);
        assert_eq!(differs(Value::F32(1.0), Value::F32(1.000_01)), None);
        assert_eq!(
            differs(Value::I32(1), Value::I32(2)).as_deref(),
            Some("i32=1 does not match the expected i32=2")
        );
        assert_eq!(
            differs(Value::Null, array("2xf32")).as_deref(),
            Some("variant types mismatch; expected hal.buffer_view but got empty")
        );
    }

    #[test]
    fn arrays_differ_in_the_words_of_the_stock_tools() {
        let message = difference(
            &array("2x2xf32=1"),
            &array("2x2xf32=1,2,3,4"),
            &tolerances(&[]),
            1024,
        );
        assert_eq!(
            message.as_deref(),
            Some(
                "element at index 1 (1) does not match the expected (2); expected that the view is equal to contents of a view of 2x2xf32\n  expected:\n2x2xf32=[1 2][3 4]\n  actual:\n2x2xf32=[1 1][1 1]"
            )
        );
    }
}
