//! The text form of arrays, both ways.

use std::fmt;
use std::str::FromStr;

use hal::ElementType;

use super::{Array, ArrayError, Reader, byte_length, element, element_count, room};

/// Elements printed before the rest is left out, as the stock tools do.
pub(super) const PRINTED_ELEMENTS: usize = 1024;

impl FromStr for Array {
    type Err = ArrayError;

    /// Reads the text form, opening the file it names, which must hold
    /// nothing else.
    fn from_str(text: &str) -> Result<Self, ArrayError> {
        let mut reader = Reader::default();
        let array = reader.array(text, None)?;
        match reader.left()? {
            0 => Ok(array),
            left => Err(ArrayError::Syntax {
                text: text.to_owned(),
                reason: format!("the file has {left} bytes more than {}", array.type_text()),
            }),
        }
    }
}

impl fmt::Display for Array {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.display(PRINTED_ELEMENTS))
    }
}

impl Array {
    /// The text form with at most `limit` elements; `...` stands for the rest.
    pub fn display(&self, limit: usize) -> impl fmt::Display + '_ {
        fmt::from_fn(move |f| {
            write!(f, "{}=", self.type_text())?;
            let mut rows = Rows {
                array: self,
                next: 0,
                empty_rows: 0,
                limit,
            };
            rows.print(f, &self.shape, true)
        })
    }

    /// Shape and element type, such as `2x3xf32`.
    pub fn type_text(&self) -> String {
        type_text(self.element_type, &self.shape)
    }
}

/// `2x3xf32`.
pub(super) fn type_text(element_type: ElementType, shape: &[u64]) -> String {
    let mut text: String = shape.iter().map(|size| format!("{size}x")).collect();
    text.push_str(&element_text(element_type));
    text
}

/// The element type as it stands in a text form: opaque ones as `*64`, since
/// an `x` separates sizes.
pub(super) fn element_text(element_type: ElementType) -> String {
    match element_type.class() == ElementType::OPAQUE_8.class() {
        true => format!("*{}", element_type.bit_count()),
        false => element_type.to_string(),
    }
}

/// Reads `2x3xf32`; `text` is what errors quote.
pub(super) fn parse_type(
    text: &str,
    type_text: &str,
) -> Result<(ElementType, Vec<u64>), ArrayError> {
    let error = |reason: String| ArrayError::Syntax {
        text: text.to_owned(),
        reason,
    };
    let mut parts: Vec<&str> = type_text.trim().split('x').collect();
    let name = parts.pop().unwrap_or_default();
    // Types have one spelling each: `f032` is none, and `i01` would print as another.
    let element_type = name
        .parse()
        .ok()
        .filter(|&element_type| element_text(element_type) == name)
        .ok_or_else(|| {
            error(format!(
                "`{name}` is not an element type; write SHAPExTYPE=VALUES such as 2x3xf32=1,2,3,4,5,6, with one of i1, i8, i16, i32, i64, ui8 … ui64, f16, bf16, f32, f64, f8E4M3FN …"
            ))
        })?;
    let shape = parts
        .iter()
        .map(|size| {
            // `parse` would take a `+` before the digits.
            size.parse()
                .ok()
                .filter(|_| !size.starts_with('+'))
                .ok_or_else(|| error(format!("`{size}` is not a size of the shape")))
        })
        .collect::<Result<_, _>>()?;
    Ok((element_type, shape))
}

/// An array with the values of a text form.
pub(super) fn parse_values(
    text: &str,
    values: &str,
    element_type: ElementType,
    shape: Vec<u64>,
) -> Result<Array, ArrayError> {
    let error = |reason: String| ArrayError::Syntax {
        text: text.to_owned(),
        reason,
    };
    let values: Vec<&str> = values
        .split(|c: char| c.is_whitespace() || matches!(c, ',' | '[' | ']'))
        .filter(|value| !value.is_empty())
        .collect();
    if values.is_empty() {
        return Array::zeros(element_type, shape);
    }
    let stored = byte_length(element_type, &shape)?;
    let wanted = element_count(&shape);
    let are_bytes = is_hexadecimal(element_type, &values, wanted, stored);
    let per_byte = match are_bytes {
        true => 1,
        false => element::per_byte(element_type),
    };
    let mut bytes = Vec::new();
    for value in &values {
        match are_bytes {
            true => element::hexadecimal(ElementType::INT_8, value, &mut bytes),
            false => element::parse(element_type, value, &mut bytes),
        }
        .map_err(error)?;
    }
    if values.len() == 1 {
        if per_byte > 1 {
            bytes = element::pack(element_type, &bytes.repeat(per_byte));
        }
        let filled = fill(room(element_type, &shape)?, &bytes, stored as usize);
        return Array::new(element_type, shape, filled);
    }
    let count = if are_bytes { stored } else { wanted };
    if values.len() as u64 != count {
        return Err(error(format!(
            "{} has {wanted} elements, but {} values were given (one value fills them all)",
            type_text(element_type, &shape),
            values.len(),
        )));
    }
    if per_byte > 1 {
        bytes = element::pack(element_type, &bytes);
    }
    Array::new(element_type, shape, bytes)
}

/// As many copies of `unit` as make `length` bytes.
fn fill(mut bytes: Vec<u8>, unit: &[u8], length: usize) -> Vec<u8> {
    bytes.extend_from_slice(&unit[..unit.len().min(length)]);
    while bytes.len() < length {
        let more = bytes.len().min(length - bytes.len());
        bytes.extend_from_within(..more);
    }
    bytes
}

/// Whether the values of a boolean or sub-byte array are its bytes in
/// hexadecimal, as the stock tools want them, rather than numbers: each has two
/// digits, and there are as many as bytes.
fn is_hexadecimal(element_type: ElementType, values: &[&str], wanted: u64, stored: u64) -> bool {
    let takes_both = element_type == ElementType::BOOL_8 || element::per_byte(element_type) > 1;
    let is_byte =
        |value: &&str| value.len() == 2 && value.bytes().all(|digit| digit.is_ascii_hexdigit());
    // The only element of a sub-byte array is a number if it can be.
    let is_number = || {
        element::per_byte(element_type) > 1
            && wanted == 1
            && element::parse(element_type, values[0], &mut Vec::new()).is_ok()
    };
    takes_both
        && values.iter().all(is_byte)
        && (values.len() as u64 == stored || values.len() == 1)
        && !is_number()
}

/// Prints rows as the stock tools do: the outermost bare, inner ones in
/// brackets, and `...` where elements were left out.
struct Rows<'a> {
    array: &'a Array,
    next: usize,
    empty_rows: usize,
    limit: usize,
}

impl Rows<'_> {
    fn print(
        &mut self,
        f: &mut fmt::Formatter<'_>,
        shape: &[u64],
        is_outermost: bool,
    ) -> fmt::Result {
        if !is_outermost {
            f.write_str("[")?;
        }
        match shape {
            [] | [_] => self.row(f, shape.first().copied().unwrap_or(1))?,
            [count, inner @ ..] => {
                for _ in 0..*count {
                    // Rows of nothing cost no memory: there may be any number.
                    if self.array.bytes.is_empty() && self.empty_rows >= self.limit.max(1) {
                        f.write_str("...")?;
                        break;
                    }
                    self.print(f, inner, false)?;
                }
            }
        }
        if !is_outermost {
            f.write_str("]")?;
        }
        Ok(())
    }

    fn row(&mut self, f: &mut fmt::Formatter<'_>, count: u64) -> fmt::Result {
        self.empty_rows += usize::from(count == 0);
        for index in 0..count {
            if self.next >= self.limit {
                return f.write_str("...");
            }
            if index > 0 {
                f.write_str(" ")?;
            }
            let bytes = self.array.element(self.next);
            f.write_str(&element::to_text(self.array.element_type, &bytes))?;
            self.next += 1;
        }
        Ok(())
    }
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
            "i64=-1",
            "2x2x2xi8=[[1 2][3 4]][[5 6][7 8]]",
            "1x1x1xf32=[[1]]",
            "2xf16=0.5 INF",
            "2xbf16=1.5 3.00406E+38",
            "1xi64=-9223372036854775808",
            "2xui8=0 255",
            "2xsi16=-1 1",
            "3xf32=NAN -NAN INF",
            "2xf64=0.1 1E+300",
            "4xi1=01 00 01 00",
            "2xf8E4M3FN=1 2.5",
            "2xf8E5M2=1 -INF",
            "2xf8E4M3FNUZ=NAN 0.3125",
            "2xcf64=0000803F00000040 0000000000000000",
            "2x*16=0AFF 0001",
            "3xi4=1 -2 7",
            "0x3xf32=",
            "0x2x3xf32=",
            "3x0xf32=[][][]",
            "2x3x0xf32=[[][][]][[][][]]",
        ] {
            assert_eq!(parse(text).expect("well formed").to_string(), text);
        }
    }

    #[test]
    fn short_forms_are_completed() {
        for (text, whole) in [
            ("3xf32", "3xf32=0 0 0"),
            ("3xf32=", "3xf32=0 0 0"),
            ("f32", "f32=0"),
            ("3xi16=7", "3xi16=7 7 7"),
            ("2x2xf32=1,2,3,4", "2x2xf32=[1 2][3 4]"),
            ("2x2xf32=[[1, 2] [3, 4]]", "2x2xf32=[1 2][3 4]"),
            ("2xi16=0x10,-0x10", "2xi16=16 -16"),
            ("2xf32=1.,.5", "2xf32=1 0.5"),
            ("4xi8=1,-2,3,255", "4xi8=1 -2 3 -1"),
        ] {
            assert_eq!(parse(text).expect("well formed").to_string(), whole);
        }
    }

    #[test]
    fn booleans_and_nibbles_are_bytes_or_numbers() {
        for (text, whole) in [
            ("4xi1=1 0 1 0", "4xi1=01 00 01 00"),
            ("4xi1=true,false,true,false", "4xi1=01 00 01 00"),
            ("2xi1=1", "2xi1=01 01"),
            ("2xi1=01", "2xi1=01 01"),
            ("4xi4=21 43", "4xi4=1 2 3 4"),
            ("4xi4=1 2 3 4", "4xi4=1 2 3 4"),
            ("4xi4=10 11 12 13", "4xi4=-6 -5 -4 -3"),
            ("4xi4=21", "4xi4=1 2 1 2"),
            ("3xi4=-1", "3xi4=-1 -1 -1"),
            ("1xui4=10", "1xui4=10"),
        ] {
            assert_eq!(parse(text).expect("well formed").to_string(), whole);
        }
        for text in ["4xi1=2 0 1 0", "4xi1=01 00 1", "4xi4=1 2 3", "2xi4=16 0"] {
            parse(text).expect_err(text);
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (text, part) in [
            ("64y128xf32=1", "`64y128` is not a size"),
            ("-1xf32", "`-1` is not a size"),
            ("2x+1xf32", "`+1` is not a size"),
            ("4xf31=1", "`f31` is not an element type"),
            ("4xi01=1", "`i01` is not an element type"),
            ("4xi7=1", "elements of 7 bits are not supported"),
            ("3xf32=1,2", "3 elements, but 2 values"),
            ("2xf32=1,2,3", "2 elements, but 3 values"),
            ("2xf32=1,zwei", "`zwei` is not a number"),
            ("2xi32=1.5", "`1.5` is not an integer"),
            ("2xi32=4294967296", "`4294967296` does not fit i32"),
            ("2xcf64=1,2", "`1` is not 8 bytes in hexadecimal"),
            ("99999999999999999999xf32", "not a size"),
            ("4294967296x4294967296x4294967296xf32", "too large"),
            ("4294967296x4294967296xi1=1", "is too large"),
            ("4294967296x8589934592xui1=1", "more than the host has"),
            ("4xf32=@/nonexistent.bin", "/nonexistent.bin"),
            ("@/nonexistent.npy", "/nonexistent.npy"),
            (&format!("{}f32", "1x".repeat(129)), "at most 128"),
        ] {
            let message = parse(text).expect_err(text);
            assert!(message.contains(part), "{text}: {message}");
        }
    }

    #[test]
    fn long_arrays_are_cut() {
        for (text, limit, cut) in [
            ("10xi32=1", 4, "10xi32=1 1 1 1..."),
            ("10xi32=1", 0, "10xi32=..."),
            ("3xi32=1", 3, "3xi32=1 1 1"),
            ("4x3xi32=1", 4, "4x3xi32=[1 1 1][1...][...][...]"),
            ("4x3xi32=1", 6, "4x3xi32=[1 1 1][1 1 1][...][...]"),
            (
                "3x2x2xi32=1",
                5,
                "3x2x2xi32=[[1 1][1 1]][[1...][...]][[...][...]]",
            ),
            ("4xi1=01", 2, "4xi1=01 01..."),
        ] {
            let array = parse(text).expect("well formed");
            assert_eq!(array.display(limit).to_string(), cut);
        }
        let long = parse("2000xi8=1").expect("splat").to_string();
        assert!(long.ends_with("1..."), "{}", &long[long.len() - 10..]);
        assert_eq!(long.matches('1').count(), PRINTED_ELEMENTS);
        let empty = parse("4294967296x0xf32").expect("empty").to_string();
        assert!(empty.ends_with("[]..."), "{}", empty.len());
    }

    #[test]
    fn random_values_come_from_the_seed() {
        let one = parse("100xf32=rand:1").expect("random");
        assert_eq!(one, parse("100xf32=rand:1").expect("random"));
        assert_ne!(one, parse("100xf32=rand:2").expect("random"));
        for (text, low, high) in [
            ("1000xf32=rand:1", -1.0, 1.0),
            ("1000xbf16=rand:1", -1.0, 1.0),
            ("1000xf8E4M3FN=rand:1", -1.0, 1.0),
            ("1000xi64=rand:1", -128.0, 127.0),
            ("1000xui8=rand:1", 0.0, 255.0),
            ("1000xi4=rand:1", -8.0, 7.0),
        ] {
            let array = parse(text).expect("random");
            let values: Vec<_> = (0..1000)
                .filter_map(|index| element::to_f64(array.element_type(), &array.element(index)))
                .collect();
            let (least, most) = values
                .iter()
                .fold((f64::MAX, f64::MIN), |(least, most), &value| {
                    (least.min(value), most.max(value))
                });
            let reach = 0.1 * (high - low);
            assert!(
                low <= least && least < low + reach,
                "{text}: at least {least}"
            );
            assert!(
                high - reach < most && most <= high,
                "{text}: at most {most}"
            );
        }
        for (text, part) in [
            ("4xf32=rand:", "seed"),
            ("4xf32=rand:x", "seed"),
            ("4xcf64=rand:1", "cf64"),
        ] {
            let message = parse(text).expect_err(text);
            assert!(message.contains(part), "{text}: {message}");
        }
    }
}
