//! Whether an output is what was expected.

use super::{Array, element};

/// How far a float may be from what was expected:
/// `|actual - expected| <= absolute + relative * |expected|`, NaN equal to
/// NaN. Integers are compared exactly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerance {
    /// The same for every element.
    pub absolute: f64,
    /// In proportion to the expected element.
    pub relative: f64,
}

impl Array {
    /// The first difference from `expected` in words; `None` when there is none.
    pub fn difference(&self, expected: &Self, tolerance: Tolerance) -> Option<String> {
        if self.element_type != expected.element_type || self.shape != expected.shape {
            return Some(format!(
                "is {}, but {} was expected",
                super::text::type_text(self.element_type, &self.shape),
                super::text::type_text(expected.element_type, &expected.shape)
            ));
        }
        let is_float = !matches!(
            element::kind(self.element_type),
            element::Kind::Signed | element::Kind::Unsigned | element::Kind::Opaque
        );
        let mut pairs = self.elements().zip(expected.elements());
        let index = pairs.position(|(actual, wanted)| {
            if !is_float {
                return actual != wanted;
            }
            let number = |bytes| element::to_f64(self.element_type, bytes);
            match (number(actual), number(wanted)) {
                (Some(actual), Some(wanted)) => !close(actual, wanted, tolerance),
                _ => true,
            }
        })?;
        let text = |array: &Self| {
            array
                .elements()
                .nth(index)
                .map(|bytes| element::to_text(array.element_type, bytes))
                .unwrap_or_default()
        };
        Some(format!(
            "element at index {index} ({}) does not match the expected ({})",
            text(self),
            text(expected)
        ))
    }
}

fn close(actual: f64, expected: f64, tolerance: Tolerance) -> bool {
    if actual.is_nan() || expected.is_nan() {
        return actual.is_nan() && expected.is_nan();
    }
    // Infinities subtract to NaN; they match only themselves.
    actual == expected
        || (actual - expected).abs() <= tolerance.absolute + tolerance.relative * expected.abs()
            && expected.is_finite()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXACT: Tolerance = Tolerance {
        absolute: 0.0,
        relative: 0.0,
    };

    fn array(text: &str) -> Array {
        text.parse().expect("well formed")
    }

    #[test]
    fn floats_match_within_the_tolerance() {
        let tolerance = Tolerance {
            absolute: 0.01,
            relative: 0.1,
        };
        let expected = array("4xf32=1 100 inf nan");
        assert_eq!(
            array("4xf32=1.1 110 inf nan").difference(&expected, tolerance),
            None
        );
        let message = array("4xf32=1.2 100 inf nan")
            .difference(&expected, tolerance)
            .expect("too far");
        assert!(message.contains("index 0 (1.2)"), "{message}");
        assert!(
            array("4xf32=1 100 3e38 nan")
                .difference(&expected, tolerance)
                .is_some()
        );
        assert!(
            array("4xf32=1 100 inf 0")
                .difference(&expected, tolerance)
                .is_some()
        );
    }

    #[test]
    fn integers_and_shapes_match_exactly() {
        let tolerance = Tolerance {
            absolute: 10.0,
            relative: 1.0,
        };
        let expected = array("2xi32=1 2");
        assert!(
            array("2xi32=1 3")
                .difference(&expected, tolerance)
                .is_some()
        );
        let message = array("1x2xi32=1 2")
            .difference(&expected, EXACT)
            .expect("another shape");
        assert!(message.contains("is 1x2xi32, but 2xi32"), "{message}");
    }
}
