//! One element: bytes to number and text, and back.

use hal::ElementType;
use half::{bf16, f16};

/// Bytes of one element; sub-byte types are stored one to a byte.
pub(super) fn size(element_type: ElementType) -> usize {
    (element_type.bit_count() as usize).div_ceil(8).max(1)
}

/// How the bytes of an element are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Signed,
    Unsigned,
    F16,
    Bf16,
    F32,
    F64,
    /// Shown and given as hexadecimal bytes.
    Opaque,
}

pub(super) fn kind(element_type: ElementType) -> Kind {
    match element_type {
        ElementType::INT_8
        | ElementType::INT_16
        | ElementType::INT_32
        | ElementType::INT_64
        | ElementType::SINT_8
        | ElementType::SINT_16
        | ElementType::SINT_32
        | ElementType::SINT_64 => Kind::Signed,
        ElementType::UINT_8
        | ElementType::UINT_16
        | ElementType::UINT_32
        | ElementType::UINT_64 => Kind::Unsigned,
        ElementType::FLOAT_16 => Kind::F16,
        ElementType::BFLOAT_16 => Kind::Bf16,
        ElementType::FLOAT_32 => Kind::F32,
        ElementType::FLOAT_64 => Kind::F64,
        _ => Kind::Opaque,
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
        Kind::Opaque => return None,
    })
}

/// The element as the stock tools print it inside a tensor.
pub(super) fn to_text(element_type: ElementType, bytes: &[u8]) -> String {
    match kind(element_type) {
        Kind::Signed => signed(bytes).to_string(),
        Kind::Unsigned => unsigned(bytes).to_string(),
        Kind::Opaque => bytes.iter().map(|byte| format!("{byte:02X}")).collect(),
        _ => match to_f64(element_type, bytes) {
            Some(value) => general(value),
            None => String::new(),
        },
    }
}

/// Appends the element that `text` names.
pub(super) fn parse(
    element_type: ElementType,
    text: &str,
    bytes: &mut Vec<u8>,
) -> Result<(), String> {
    let kind = kind(element_type);
    let size = size(element_type);
    let out_of_range = || format!("`{text}` does not fit {element_type}");
    let float = || {
        text.parse::<f64>()
            .map_err(|_| format!("`{text}` is not a number"))
    };
    match kind {
        Kind::Signed | Kind::Unsigned => {
            let value = integer(text).ok_or_else(|| format!("`{text}` is not an integer"))?;
            let bits = 8 * size as u32;
            let (low, high) = match kind {
                // Signless types take both readings of the same bits.
                Kind::Signed => (-(1i128 << (bits - 1)), (1i128 << bits) - 1),
                _ => (0, (1i128 << bits) - 1),
            };
            if !(low..=high).contains(&value) {
                return Err(out_of_range());
            }
            bytes.extend_from_slice(&value.to_le_bytes()[..size]);
        }
        Kind::F16 => bytes.extend_from_slice(&f16::from_f64(float()?).to_le_bytes()),
        Kind::Bf16 => bytes.extend_from_slice(&bf16::from_f64(float()?).to_le_bytes()),
        Kind::F32 => {
            let value: f32 = text
                .parse()
                .map_err(|_| format!("`{text}` is not a number"))?;
            bytes.extend_from_slice(&value.to_le_bytes());
        }
        Kind::F64 => bytes.extend_from_slice(&float()?.to_le_bytes()),
        Kind::Opaque => {
            if text.len() != 2 * size {
                return Err(format!(
                    "`{text}` is not {size} bytes in hexadecimal, as {element_type} wants"
                ));
            }
            for index in 0..size {
                let byte = text
                    .get(2 * index..2 * index + 2)
                    .and_then(|digits| u8::from_str_radix(digits, 16).ok())
                    .ok_or_else(|| format!("`{text}` is not hexadecimal"))?;
                bytes.push(byte);
            }
        }
    }
    Ok(())
}

fn integer(text: &str) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let value = match digits.strip_prefix("0x") {
        Some(hex) => i128::from_str_radix(hex, 16).ok()?,
        None => digits.parse().ok()?,
    };
    Some(if negative { -value } else { value })
}

pub(super) fn signed(bytes: &[u8]) -> i64 {
    let fill = match bytes.last() {
        Some(top) if top & 0x80 != 0 => 0xFF,
        _ => 0,
    };
    let mut wide = [fill; 8];
    wide[..bytes.len()].copy_from_slice(bytes);
    i64::from_le_bytes(wide)
}

pub(super) fn unsigned(bytes: &[u8]) -> u64 {
    let mut wide = [0; 8];
    wide[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(wide)
}

/// C's `%G`: six significant digits, no trailing zeros, an exponent when it
/// is below -4 or past the digits.
fn general(value: f64) -> String {
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
}
