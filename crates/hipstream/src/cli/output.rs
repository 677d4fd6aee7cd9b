//! What is done with a binding after the run.

use std::path::PathBuf;

use crate::array::{Array, ArrayError, Tolerance};

/// `INDEX` or `INDEX=@FILE.npy`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Output {
    pub(super) index: usize,
    pub(super) file: Option<PathBuf>,
}

/// `INDEX=ARRAY`.
#[derive(Clone, Debug)]
pub(super) struct Expected {
    pub(super) index: usize,
    pub(super) array: Array,
}

pub(super) fn parse(text: &str) -> Result<Output, String> {
    let (index, file) = match text.split_once('=') {
        None => (text, None),
        Some((index, target)) => {
            let path = target
                .strip_prefix('@')
                .filter(|path| path.ends_with(".npy"))
                .ok_or_else(|| format!("`{target}` is not @FILE.npy"))?;
            (index, Some(PathBuf::from(path)))
        }
    };
    Ok(Output {
        index: parse_index(index)?,
        file,
    })
}

pub(super) fn parse_expected(text: &str) -> Result<Expected, String> {
    let (index, array) = text
        .split_once('=')
        .ok_or_else(|| "write INDEX=ARRAY, such as 2=4xf32=1,2,3,4 or 2=@file.npy".to_owned())?;
    Ok(Expected {
        index: parse_index(index)?,
        array: array
            .parse()
            .map_err(|error: ArrayError| error.to_string())?,
    })
}

pub(super) fn parse_tolerance(text: &str) -> Result<Tolerance, String> {
    let (absolute, relative) = text.split_once(',').unwrap_or((text, "0"));
    let number = |text: &str| match text.parse::<f64>() {
        Ok(value) if value >= 0.0 => Ok(value),
        _ => Err(format!("`{text}` is not a tolerance")),
    };
    Ok(Tolerance {
        absolute: number(absolute)?,
        relative: number(relative)?,
    })
}

fn parse_index(text: &str) -> Result<usize, String> {
    text.parse()
        .map_err(|_| format!("`{text}` is not the number of a binding"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_print_or_go_to_a_file() {
        assert_eq!(
            parse("2"),
            Ok(Output {
                index: 2,
                file: None
            })
        );
        assert_eq!(
            parse("0=@y.npy"),
            Ok(Output {
                index: 0,
                file: Some(PathBuf::from("y.npy"))
            })
        );
        assert!(parse("0=y.npy").is_err());
        assert!(parse("x").is_err());
    }

    #[test]
    fn expectations_hold_arrays() {
        let expected = parse_expected("1=2xi32=3,4").expect("well formed");
        assert_eq!(expected.index, 1);
        assert_eq!(expected.array.to_string(), "2xi32=3 4");
        assert!(parse_expected("2xi32=3,4").is_err());
        assert!(parse_tolerance("-1").is_err());
    }
}
