//! One element: bytes to number and text, and back.
//!
//! An element shorter than a byte (`i4`) is handled as a byte of its own here;
//! [`pack`] and [`unpack`] put it among its neighbours.

use hal::ElementType;
use half::{bf16, f16};

use super::float8::Format;

/// Bytes of one element outside of an array; sub-byte types take one.
pub(super) fn size(element_type: ElementType) -> usize {
    (element_type.bit_count() as usize).div_ceil(8).max(1)
}

/// How the bytes of an element are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Shown as hexadecimal bytes; may be given as numbers too.
    Boolean,
    Signed,
    Unsigned,
    F16,
    Bf16,
    F32,
    F64,
    F8(Format),
    /// Shown and given as hexadecimal bytes.
    Opaque,
}

pub(super) fn kind(element_type: ElementType) -> Kind {
    let bits = element_type.bit_count();
    match element_type {
        ElementType::BOOL_8 => Kind::Boolean,
        ElementType::FLOAT_16 => Kind::F16,
        ElementType::BFLOAT_16 => Kind::Bf16,
        ElementType::FLOAT_32 => Kind::F32,
        ElementType::FLOAT_64 => Kind::F64,
        ElementType::UINT_8
        | ElementType::UINT_16
        | ElementType::UINT_32
        | ElementType::UINT_64 => Kind::Unsigned,
        _ if element_type.is_integer() && matches!(bits, 1 | 2 | 4 | 8 | 16 | 32 | 64) => {
            match element_type.class() == ElementType::UINT_8.class() {
                true => Kind::Unsigned,
                false => Kind::Signed,
            }
        }
        _ => match Format::of(element_type) {
            Some(format) => Kind::F8(format),
            None => Kind::Opaque,
        },
    }
}

/// Why arrays cannot have elements of this type, if they cannot: elements lie
/// in whole bytes, or several to a byte.
pub(super) fn unsupported(element_type: ElementType) -> Option<String> {
    let bits = element_type.bit_count();
    (!bits.is_multiple_of(8) && !matches!(bits, 1 | 2 | 4))
        .then(|| format!("elements of {bits} bits are not supported"))
}

/// How many elements share a byte: 1 but for sub-byte types.
pub(super) fn per_byte(element_type: ElementType) -> usize {
    match element_type.bit_count() {
        bits @ (1 | 2 | 4) => 8 / bits as usize,
        _ => 1,
    }
}

/// Sub-byte elements, each in a byte of its own, put together: the first in
/// the lowest bits.
pub(super) fn pack(element_type: ElementType, bytes: &[u8]) -> Vec<u8> {
    let bits = element_type.bit_count();
    let mask = (1u8 << bits) - 1;
    bytes
        .chunks(per_byte(element_type))
        .map(|group| {
            group
                .iter()
                .rev()
                .fold(0, |packed: u8, byte| (packed << bits) | (byte & mask))
        })
        .collect()
}

/// Element `index` of packed sub-byte elements, in a byte of its own.
pub(super) fn unpack(element_type: ElementType, bytes: &[u8], index: usize) -> u8 {
    let bits = element_type.bit_count();
    let per_byte = per_byte(element_type);
    let value = bytes[index / per_byte] >> ((index % per_byte) as u32 * bits);
    let above = 8 - bits;
    match kind(element_type) {
        Kind::Unsigned => (value << above) >> above,
        // An arithmetic shift brings the sign along.
        _ => (((value << above) as i8) >> above) as u8,
    }
}

/// The element as a float; exact for all but 64-bit integers past 2^53.
pub(super) fn to_f64(element_type: ElementType, bytes: &[u8]) -> Option<f64> {
    Some(match kind(element_type) {
        Kind::Signed => signed(bytes) as f64,
        Kind::Unsigned => unsigned(bytes) as f64,
        Kind::F16 => f16::from_le_bytes(bytes.try_into().ok()?).to_f64(),
        Kind::Bf16 => bf16::from_le_bytes(bytes.try_into().ok()?).to_f64(),
        Kind::F32 => f32::from_le_bytes(bytes.try_into().ok()?).into(),
        Kind::F64 => f64::from_le_bytes(bytes.try_into().ok()?),
        Kind::F8(format) => format.decode(*bytes.first()?),
        Kind::Boolean | Kind::Opaque => return None,
    })
}

/// The element as the stock tools print it inside a tensor.
pub(super) fn to_text(element_type: ElementType, bytes: &[u8]) -> String {
    match kind(element_type) {
        Kind::Signed => signed(bytes).to_string(),
        Kind::Unsigned => unsigned(bytes).to_string(),
        Kind::Boolean | Kind::Opaque => bytes.iter().map(|byte| format!("{byte:02X}")).collect(),
        _ => match to_f64(element_type, bytes) {
            Some(value) => general(value),
            None => String::new(),
        },
    }
}

/// Appends the element that `text` names, as a number.
pub(super) fn parse(
    element_type: ElementType,
    text: &str,
    bytes: &mut Vec<u8>,
) -> Result<(), String> {
    let kind = kind(element_type);
    let out_of_range = || format!("`{text}` does not fit {element_type}");
    match kind {
        Kind::Boolean => bytes.push(match text {
            "0" | "false" => 0,
            "1" | "true" => 1,
            _ => return Err(format!("`{text}` is not 0, 1, 00 or 01, as i1 wants")),
        }),
        Kind::Signed | Kind::Unsigned => {
            let value = integer(text)?;
            let bits = element_type.bit_count();
            let (low, high) = match kind {
                // Signless types take both readings of the same bits.
                Kind::Signed => (-(1i128 << (bits - 1)), (1i128 << bits) - 1),
                _ => (0, (1i128 << bits) - 1),
            };
            if !(low..=high).contains(&value) {
                return Err(out_of_range());
            }
            bytes.extend_from_slice(&value.to_le_bytes()[..size(element_type)]);
        }
        Kind::F32 => {
            let value = match text.parse::<f32>() {
                Ok(value) => value,
                Err(_) => float(text)? as f32,
            };
            bytes.extend_from_slice(&value.to_le_bytes());
        }
        Kind::F16 | Kind::Bf16 | Kind::F64 | Kind::F8(_) => {
            from_f64(element_type, float(text)?, bytes).ok_or_else(out_of_range)?;
        }
        Kind::Opaque => hexadecimal(element_type, text, bytes)?,
    }
    Ok(())
}

/// Appends the element nearest to `value`; integers are truncated. `None` for
/// what has none.
pub(super) fn from_f64(element_type: ElementType, value: f64, bytes: &mut Vec<u8>) -> Option<()> {
    match kind(element_type) {
        Kind::Boolean => bytes.push(u8::from(value != 0.0)),
        Kind::Signed | Kind::Unsigned => {
            bytes.extend_from_slice(&(value as i128).to_le_bytes()[..size(element_type)]);
        }
        Kind::F16 => bytes.extend_from_slice(&f16::from_f64(value).to_le_bytes()),
        Kind::Bf16 => bytes.extend_from_slice(&bf16::from_f64(value).to_le_bytes()),
        Kind::F32 => bytes.extend_from_slice(&(value as f32).to_le_bytes()),
        Kind::F64 => bytes.extend_from_slice(&value.to_le_bytes()),
        Kind::F8(format) => bytes.push(format.encode(value)?),
        Kind::Opaque => return None,
    }
    Some(())
}

/// Appends an element given as hexadecimal bytes, in the order of memory.
pub(super) fn hexadecimal(
    element_type: ElementType,
    text: &str,
    bytes: &mut Vec<u8>,
) -> Result<(), String> {
    let size = size(element_type);
    if text.len() != 2 * size {
        return Err(format!(
            "`{text}` is not {size} bytes in hexadecimal, as {element_type} wants"
        ));
    }
    for index in 0..size {
        let byte = text
            .get(2 * index..2 * index + 2)
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok())
            .ok_or_else(|| format!("`{text}` is not hexadecimal"))?;
        bytes.push(byte);
    }
    Ok(())
}

/// An element as a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    /// Of an integer type, or a boolean.
    Integer(i128),
    /// Of a floating point type.
    Float(f64),
}

impl Number {
    /// As near as a float can be.
    pub(crate) fn as_f64(self) -> f64 {
        match self {
            Self::Integer(value) => value as f64,
            Self::Float(value) => value,
        }
    }

    /// The integer, if it is one.
    pub(crate) fn as_integer(self) -> Option<i128> {
        match self {
            Self::Integer(value) => Some(value),
            Self::Float(_) => None,
        }
    }
}

/// The element as a number, if it is one.
pub(super) fn number(element_type: ElementType, bytes: &[u8]) -> Option<Number> {
    match kind(element_type) {
        Kind::Signed => Some(Number::Integer(signed(bytes).into())),
        Kind::Unsigned | Kind::Boolean => Some(Number::Integer(unsigned(bytes).into())),
        _ => to_f64(element_type, bytes).map(Number::Float),
    }
}

/// A number with a point or an exponent, or an integer in hexadecimal.
pub(crate) fn float(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(value) => Ok(value),
        Err(_) => match integer(text) {
            Ok(value) => Ok(value as f64),
            Err(_) => Err(format!("`{text}` is not a number")),
        },
    }
}

/// An integer, decimal or hexadecimal after `0x`.
pub(crate) fn integer(text: &str) -> Result<i128, String> {
    let not_an_integer = || format!("`{text}` is not an integer");
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let hex = digits
        .strip_prefix("0x")
        .or_else(|| digits.strip_prefix("0X"));
    let (digits, radix) = match hex {
        Some(hex) => (hex, 16),
        None => (digits, 10),
    };
    // No sign may follow the one that was taken off.
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return Err(not_an_integer());
    }
    if radix == 10 && digits.starts_with('0') && digits.trim_start_matches('0').len() > 1 {
        return Err(format!(
            "`{text}` begins with 0, which some tools take for octal; leave the 0 out, or write 0x for hexadecimal"
        ));
    }
    let value = i128::from_str_radix(digits, radix).map_err(|_| not_an_integer())?;
    Ok(if negative { -value } else { value })
}

fn signed(bytes: &[u8]) -> i64 {
    let fill = match bytes.last() {
        Some(top) if top & 0x80 != 0 => 0xFF,
        _ => 0,
    };
    let mut wide = [fill; 8];
    wide[..bytes.len()].copy_from_slice(bytes);
    i64::from_le_bytes(wide)
}

fn unsigned(bytes: &[u8]) -> u64 {
    let mut wide = [0; 8];
    wide[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(wide)
}

/// C's `%G`: six significant digits, no trailing zeros, an exponent when it
/// is below -4 or past the digits.
pub(crate) fn general(value: f64) -> String {
    if value.is_nan() {
        return if value.is_sign_negative() {
            "-NAN"
        } else {
            "NAN"
        }
        .to_owned();
    }
    if value.is_infinite() {
        return if value < 0.0 { "-INF" } else { "INF" }.to_owned();
    }
    let scientific = format!("{value:.5e}");
    let (mantissa, exponent) = scientific
        .split_once('e')
        .expect("Rust's exponent form has an e");
    let exponent: i32 = exponent.parse().expect("Rust prints integer exponents");
    let trim = |digits: &str| {
        if digits.contains('.') {
            digits
                .trim_end_matches('0')
                .trim_end_matches('.')
                .to_owned()
        } else {
            digits.to_owned()
        }
    };
    if (-4..6).contains(&exponent) {
        trim(&format!("{value:.*}", (5 - exponent) as usize))
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{}E{sign}{:02}", trim(mantissa), exponent.abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_print_as_c_prints_them() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (2.5, "2.5"),
            (1e10, "1E+10"),
            (123456.0, "123456"),
            (1234567.0, "1.23457E+06"),
            (0.0001, "0.0001"),
            (0.00001, "1E-05"),
            (99.99999999, "100"),
            (1e300, "1E+300"),
            (f64::INFINITY, "INF"),
            (f64::NEG_INFINITY, "-INF"),
            (f64::NAN, "NAN"),
        ] {
            assert_eq!(general(value), text, "{value}");
        }
    }

    #[test]
    fn integers_keep_their_bits() {
        let mut bytes = Vec::new();
        parse(ElementType::INT_8, "-128", &mut bytes).expect("fits");
        parse(ElementType::INT_8, "255", &mut bytes).expect("a signless type takes both readings");
        assert_eq!(bytes, [0x80, 0xFF]);
        assert!(parse(ElementType::INT_8, "256", &mut bytes).is_err());
        assert!(parse(ElementType::UINT_8, "-1", &mut bytes).is_err());
        assert_eq!(to_text(ElementType::INT_8, &[0x80]), "-128");
        assert_eq!(
            to_text(ElementType::UINT_64, &[0xFF; 8]),
            u64::MAX.to_string()
        );
    }

    #[test]
    fn integers_have_two_spellings_and_no_third() {
        for (text, value) in [
            ("0", 0),
            ("00", 0),
            ("007", 7),
            ("-0x1F", -31),
            ("0XfF", 255),
        ] {
            assert_eq!(integer(text), Ok(value), "{text}");
        }
        for text in ["", "-", "+1", "--1", "0x", "-0x-1", "1.0", "1e3", "1_0"] {
            assert!(integer(text).is_err(), "{text}");
        }
        let message = integer("017").expect_err("octal to some");
        assert!(message.contains("octal"), "{message}");
        assert_eq!(float("0x10"), Ok(16.0));
        assert!(float("one").is_err());
    }

    #[test]
    fn sub_byte_elements_share_bytes_from_the_lowest_bits_up() {
        let i4 = ElementType::INT_4;
        let values = [1u8, 0xFE, 7];
        let packed = pack(i4, &values);
        assert_eq!(packed, [0xE1, 0x07]);
        let texts: Vec<_> = (0..3)
            .map(|index| to_text(i4, &[unpack(i4, &packed, index)]))
            .collect();
        assert_eq!(texts, ["1", "-2", "7"]);
        let ui2: ElementType = "ui2".parse().expect("known");
        assert_eq!(pack(ui2, &[3, 2, 1, 0, 3]), [0b00_01_10_11, 3]);
        assert_eq!(unpack(ui2, &[0b00_01_10_11], 0), 3);
    }
}
