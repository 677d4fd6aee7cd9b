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
    /// The first difference from `expected` in the words of the stock tools;
    /// `None` when there is none. Signed and unsigned integers of one size
    /// are compared as the signless ones that programs give.
    pub fn difference(&self, expected: &Self, tolerance: Tolerance) -> Option<String> {
        let is_comparable = self.element_type == expected.element_type
            || (self.element_type.is_integer() && self.element_type.accepts(expected.element_type));
        if !is_comparable || self.shape != expected.shape {
            return Some(format!(
                "metadata is {}; expected that the view matches {}",
                self.type_text(),
                expected.type_text()
            ));
        }
        if self.bytes == expected.bytes {
            return None;
        }
        let index = (0..self.element_count())
            .find(|&index| !self.element_is_close(expected, index, tolerance))?;
        let text = |array: &Self| element::to_text(array.element_type, &array.element(index));
        Some(format!(
            "element at index {index} ({}) does not match the expected ({})",
            text(self),
            text(expected)
        ))
    }

    fn element_is_close(&self, expected: &Self, index: usize, tolerance: Tolerance) -> bool {
        let (actual, wanted) = (self.element(index), expected.element(index));
        if !self.element_type.is_float() {
            return actual == wanted;
        }
        let number = |bytes: &[u8]| element::to_f64(self.element_type, bytes);
        match (number(&actual), number(&wanted)) {
            (Some(actual), Some(wanted)) => tolerance.accepts(actual, wanted),
            _ => actual == wanted,
        }
    }
}

impl Tolerance {
    /// Whether `actual` is near enough.
    pub fn accepts(self, actual: f64, expected: f64) -> bool {
        if actual.is_nan() || expected.is_nan() {
            return actual.is_nan() && expected.is_nan();
        }
        // Infinities subtract to NaN; they match only themselves.
        actual == expected
            || (actual - expected).abs() <= self.absolute + self.relative * expected.abs()
                && expected.is_finite()
    }
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
        assert!(
            message.contains("metadata is 1x2xi32; expected that the view matches 2xi32"),
            "{message}"
        );
    }

    #[test]
    fn integers_of_a_size_are_compared_by_their_bits() {
        let signless = array("2xi32=-1 2");
        assert_eq!(signless.difference(&array("2xsi32=-1 2"), EXACT), None);
        assert_eq!(
            signless.difference(&array("2xui32=4294967295 2"), EXACT),
            None
        );
        assert!(signless.difference(&array("2xi64=-1 2"), EXACT).is_some());
        assert!(signless.difference(&array("2xf32=-1 2"), EXACT).is_some());
        let bits = array("3xi4=1 2 3");
        let message = bits
            .difference(&array("3xi4=1 2 -3"), EXACT)
            .expect("differs");
        assert_eq!(
            message,
            "element at index 2 (3) does not match the expected (-3)"
        );
    }
}
