//! Where results go.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::Value;
use crate::cli::report::{BAD_FILE, Failure};

/// What is done with a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Sink {
    /// Nothing.
    Ignore,
    /// It is printed.
    Print,
    /// It is written to a file: `.npy`, or else its bytes as they are.
    File {
        path: PathBuf,
        /// After what the file has already.
        appends: bool,
    },
}

impl FromStr for Sink {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let file = |path: &str, appends| match path {
            "" => Err(format!("`{text}` names no file")),
            path => Ok(Self::File {
                path: path.into(),
                appends,
            }),
        };
        match text {
            "" => Ok(Self::Ignore),
            "-" => Ok(Self::Print),
            text => match (text.strip_prefix('@'), text.strip_prefix('+')) {
                (Some(path), _) => file(path, false),
                (_, Some(path)) => file(path, true),
                _ => Err(format!(
                    "`{text}` is no place for a result; there are: - (print), nothing (ignore), @FILE.npy, +FILE.npy, @FILE.bin, +FILE.bin"
                )),
            },
        }
    }
}

/// Prints every result, or does with each what its sink says.
pub(in crate::cli) fn write(
    values: &[Value],
    sinks: &[Sink],
    limit: usize,
    stdout: &mut dyn Write,
) -> Result<(), Failure> {
    if sinks.is_empty() {
        for (index, value) in values.iter().enumerate() {
            writeln!(stdout, "result[{index}]: {}", value.display(limit))?;
        }
        return Ok(());
    }
    for (index, (value, sink)) in values.iter().zip(sinks).enumerate() {
        match sink {
            Sink::Ignore => {}
            Sink::Print => writeln!(stdout, "{}", value.display(limit))?,
            Sink::File { path, appends } => write_file(index, value, path, *appends)?,
        }
    }
    Ok(())
}

fn write_file(index: usize, value: &Value, path: &Path, appends: bool) -> Result<(), Failure> {
    let wrong = |reason: String| {
        Failure::new(
            BAD_FILE,
            format!("result {index} to {}: {reason}", path.display()),
        )
    };
    let array = value
        .to_array()
        .ok_or_else(|| wrong(format!("{} has no form for files", value.kind_text())))?;
    let file = match appends {
        false => File::create(path),
        true => OpenOptions::new().append(true).create(true).open(path),
    };
    let mut writer = BufWriter::new(file.map_err(|io| wrong(io.to_string()))?);
    if path.extension().is_some_and(|extension| extension == "npy") {
        let name = path.display().to_string();
        return array
            .write_npy(writer, &name)
            .map_err(|error| Failure::new(BAD_FILE, format!("result {index} to {error}")));
    }
    writer
        .write_all(array.bytes())
        .and_then(|()| writer.flush())
        .map_err(|io| wrong(io.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_for_results_have_five_spellings() {
        let file = |path: &str, appends| Sink::File {
            path: path.into(),
            appends,
        };
        for (text, sink) in [
            ("", Sink::Ignore),
            ("-", Sink::Print),
            ("@y.npy", file("y.npy", false)),
            ("+y.bin", file("y.bin", true)),
        ] {
            assert_eq!(text.parse(), Ok(sink), "{text}");
        }
        for text in ["y.npy", "@", "+"] {
            assert!(text.parse::<Sink>().is_err(), "{text}");
        }
    }
}
