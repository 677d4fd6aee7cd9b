//! The text form of arrays, both ways.

use std::fmt;
use std::str::FromStr;

use hal::ElementType;

use super::{Array, ArrayError, element, npy};

/// Elements printed before the rest is left out, as the stock tools do.
const PRINTED_ELEMENTS: usize = 1024;

impl FromStr for Array {
    type Err = ArrayError;

    /// Reads the text form, opening the files it names.
    fn from_str(text: &str) -> Result<Self, ArrayError> {
        if let Some(path) = text.strip_prefix('@') {
            return npy::read(path);
        }
        let (type_text, values) = match text.split_once('=') {
            Some((type_text, values)) => (type_text, Some(values)),
            None => (text, None),
        };
        let (element_type, shape) = parse_type(text, type_text)?;
        let zeros = Array::zeros(element_type, shape)?;
        match values {
            None => Ok(zeros),
            Some(values) => match values.strip_prefix('@') {
                Some(path) => read_raw(path, &zeros),
                None => parse_values(text, values, &zeros),
            },
        }
    }
}

impl fmt::Display for Array {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=", type_text(self.element_type, &self.shape))?;
        // However many rows an empty array has, there is nothing to show of them.
        if self.bytes.is_empty() {
            return Ok(());
        }
        let mut elements = self.elements();
        let mut printed = 0;
        rows(
            f,
            self.element_type,
            &self.shape,
            &mut elements,
            &mut printed,
            true,
        )
    }
}

/// `2x3xf32`.
pub(super) fn type_text(element_type: ElementType, shape: &[u64]) -> String {
    let mut text: String = shape.iter().map(|size| format!("{size}x")).collect();
    text.push_str(&element_type.to_string());
    text
}

fn parse_type(text: &str, type_text: &str) -> Result<(ElementType, Vec<u64>), ArrayError> {
    let error = |reason: String| ArrayError::Syntax {
        text: text.to_owned(),
        reason,
    };
    let mut parts: Vec<&str> = type_text.trim().split('x').collect();
    let name = parts.pop().unwrap_or_default();
    let element_type = name.parse().map_err(|_| {
        error(format!(
            "`{name}` is not an element type; write SHAPExTYPE=VALUES such as 2x3xf32=1,2,3,4,5,6, with one of i1, i8, i16, i32, i64, ui8 … ui64, f16, bf16, f32, f64"
        ))
    })?;
    let shape = parts
        .iter()
        .map(|size| {
            size.parse()
                .map_err(|_| error(format!("`{size}` is not a size of the shape")))
        })
        .collect::<Result<_, _>>()?;
    Ok((element_type, shape))
}

fn parse_values(text: &str, values: &str, zeros: &Array) -> Result<Array, ArrayError> {
    let error = |reason: String| ArrayError::Syntax {
        text: text.to_owned(),
        reason,
    };
    let mut bytes = Vec::new();
    let mut given = 0;
    for value in values
        .split(|c: char| c.is_whitespace() || matches!(c, ',' | '[' | ']'))
        .filter(|value| !value.is_empty())
    {
        element::parse(zeros.element_type, value, &mut bytes).map_err(error)?;
        given += 1;
    }
    let wanted = zeros.elements().len();
    if given == 1 && wanted != 1 {
        bytes = bytes.repeat(wanted);
        given = wanted;
    }
    if given != wanted {
        return Err(error(format!(
            "{} has {wanted} elements, but {given} values were given (one value fills them all)",
            type_text(zeros.element_type, &zeros.shape)
        )));
    }
    zeros.with_bytes(bytes)
}

fn read_raw(path: &str, zeros: &Array) -> Result<Array, ArrayError> {
    let error = |reason: String| ArrayError::File {
        path: path.to_owned(),
        reason,
    };
    let bytes = std::fs::read(path).map_err(|io| error(io.to_string()))?;
    if bytes.len() != zeros.bytes.len() {
        return Err(error(format!(
            "has {} bytes, but {} has {}",
            bytes.len(),
            type_text(zeros.element_type, &zeros.shape),
            zeros.bytes.len()
        )));
    }
    zeros.with_bytes(bytes)
}

/// Prints rows as the stock tools do: the outermost bare, inner ones in
/// brackets, and `...` where elements were left out.
fn rows<'a>(
    f: &mut fmt::Formatter<'_>,
    element_type: ElementType,
    shape: &[u64],
    elements: &mut impl Iterator<Item = &'a [u8]>,
    printed: &mut usize,
    outermost: bool,
) -> fmt::Result {
    if !outermost {
        f.write_str("[")?;
    }
    match shape {
        [] | [_] => {
            let count = shape.first().copied().unwrap_or(1);
            for index in 0..count {
                if *printed >= PRINTED_ELEMENTS {
                    f.write_str("...")?;
                    break;
                }
                let Some(bytes) = elements.next() else { break };
                if index > 0 {
                    f.write_str(" ")?;
                }
                f.write_str(&element::to_text(element_type, bytes))?;
                *printed += 1;
            }
        }
        [count, inner @ ..] => {
            for _ in 0..*count {
                if *printed >= PRINTED_ELEMENTS {
                    f.write_str("[...]")?;
                    break;
                }
                rows(f, element_type, inner, elements, printed, false)?;
            }
        }
    }
    if !outermost {
        f.write_str("]")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Array, String> {
        text.parse().map_err(|error: ArrayError| error.to_string())
    }

    #[test]
    fn text_comes_back_as_it_was() {
        for text in [
            "2x3xf32=[1 2 3][4 5 6]",
            "4xi32=1 -2 3 4",
            "f32=2.5",
            "2x2x2xi8=[[1 2][3 4]][[5 6][7 8]]",
            "2xf16=0.5 INF",
            "2xbf16=1.5 -2",
            "1xi64=-9223372036854775808",
            "2xui8=0 255",
        ] {
            assert_eq!(parse(text).expect("well formed").to_string(), text);
        }
    }

    #[test]
    fn short_forms_are_completed() {
        assert_eq!(parse("3xf32").expect("zeros").to_string(), "3xf32=0 0 0");
        assert_eq!(parse("3xi16=7").expect("splat").to_string(), "3xi16=7 7 7");
        for empty in ["0x3xf32=", "4294967296x0xf32="] {
            assert_eq!(parse(empty).expect("empty").to_string(), empty);
        }
        assert_eq!(
            parse("2x2xf32=1,2,3,4").expect("commas").to_string(),
            "2x2xf32=[1 2][3 4]"
        );
    }

    #[test]
    fn mistakes_are_named() {
        for (text, part) in [
            ("64y128xf32=1", "`64y128` is not a size"),
            ("4xf31=1", "`f31` is not an element type"),
            ("3xf32=1,2", "3 elements, but 2 values"),
            ("2xf32=1,zwei", "`zwei` is not a number"),
            ("99999999999999999999xf32", "not a size"),
            ("4294967296x4294967296x4294967296xf32", "too large"),
            ("4xf32=@/nonexistent.bin", "/nonexistent.bin"),
            ("@/nonexistent.npy", "/nonexistent.npy"),
        ] {
            let message = parse(text).expect_err(text);
            assert!(message.contains(part), "{text}: {message}");
        }
    }

    #[test]
    fn long_arrays_are_cut() {
        let long = parse("2000xi8=1").expect("splat").to_string();
        assert!(long.ends_with("1..."), "{}", &long[long.len() - 10..]);
        assert_eq!(long.matches('1').count(), PRINTED_ELEMENTS);
    }
}
