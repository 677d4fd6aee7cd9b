//! Failures as users see them: what happened, why, what to do, and an exit
//! code by cause.

use std::fmt::{self, Write};

use hal::{Status, StatusCode};

use crate::Error;
use crate::array::ArrayError;

/// Why a command did not succeed.
#[derive(Debug)]
pub struct Failure {
    exit: u8,
    message: String,
    causes: Vec<String>,
    /// Where in a program it happened, innermost first.
    stack: Vec<String>,
    help: Option<String>,
    /// Whoever reads what we print has enough of it.
    is_closed_pipe: bool,
}

/// Outputs differ from what was expected.
pub(super) const DIFFERS: u8 = 1;
/// The command line is wrong.
pub(super) const USAGE: u8 = 2;
/// A file is missing or damaged.
pub(super) const BAD_FILE: u8 = 3;
/// No device, or no library.
pub(super) const NO_DEVICE: u8 = 4;
/// Made for another chip or by another version.
pub(super) const INCOMPATIBLE: u8 = 5;
/// The device failed.
pub(super) const DEVICE_ERROR: u8 = 6;
/// Out of memory.
pub(super) const OUT_OF_MEMORY: u8 = 7;

/// The exit code of a run.
pub fn exit_code(result: &Result<(), Failure>) -> u8 {
    match result {
        Ok(()) => 0,
        Err(failure) => failure.exit,
    }
}

impl Failure {
    pub(super) fn new(exit: u8, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            causes: Vec::new(),
            stack: Vec::new(),
            help: None,
            is_closed_pipe: false,
        }
    }

    /// Whether there is nothing to say, because whoever reads has gone.
    pub fn is_silent(&self) -> bool {
        self.is_closed_pipe
    }

    /// Adds what the user can do about it.
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// A device that could not be opened.
    pub(super) fn opening(error: &Error) -> Self {
        let exit = match error.code() {
            StatusCode::Unavailable | StatusCode::NotFound => NO_DEVICE,
            StatusCode::InvalidArgument | StatusCode::Unimplemented => USAGE,
            _ => DEVICE_ERROR,
        };
        Self::from_error(error, exit)
    }

    /// A module that could not be loaded, or whose initializer failed.
    pub(super) fn loading(path: &std::path::Path, error: &Error) -> Self {
        let is_running = !error.stack().is_empty();
        let exit = match (error.code(), is_running) {
            // What an initializer does not find is a parameter, what a
            // module does not is an import.
            (StatusCode::NotFound, true) => USAGE,
            (StatusCode::NotFound, false) => INCOMPATIBLE,
            (_, true) => DEVICE_ERROR,
            (_, false) => BAD_FILE,
        };
        let mut failure = Self::from_error(error, exit);
        failure.message = format!("{}: {}", path.display(), failure.message);
        failure
    }

    /// A call that failed. What the program says of its inputs is about how
    /// it was called.
    pub(super) fn calling(error: &Error) -> Self {
        let exit = match error.code() {
            StatusCode::InvalidArgument | StatusCode::NotFound => USAGE,
            _ => DEVICE_ERROR,
        };
        Self::from_error(error, exit)
    }

    /// A failure of the library. Codes that name a cause of their own decide
    /// the exit code; all others mean `otherwise`.
    pub(super) fn from_error(error: &Error, otherwise: u8) -> Self {
        let mut failure = Self::from_chain(error.to_string(), error, error.code(), otherwise);
        failure.stack = error.stack().to_vec();
        failure.help = error.help().map(str::to_owned);
        failure
    }

    /// A failure of the device layer, while doing `what`. Codes that name a
    /// cause of their own decide the exit code; all others mean `otherwise`.
    pub(super) fn from_status(what: &str, status: &Status, otherwise: u8) -> Self {
        Self::from_chain(
            format!("{what}: {status}"),
            status,
            status.code(),
            otherwise,
        )
    }

    fn from_chain(
        message: String,
        error: &dyn std::error::Error,
        code: StatusCode,
        otherwise: u8,
    ) -> Self {
        let exit = match code {
            StatusCode::ResourceExhausted => OUT_OF_MEMORY,
            StatusCode::Incompatible => INCOMPATIBLE,
            _ => otherwise,
        };
        let mut failure = Self::new(exit, message);
        let mut cause = error.source();
        while let Some(error) = cause {
            let text = error.to_string();
            // Layers that pass an error on say the same as the one below.
            if failure.causes.last().unwrap_or(&failure.message) != &text {
                failure.causes.push(text);
            }
            cause = error.source();
        }
        failure
    }
}

impl From<ArrayError> for Failure {
    fn from(error: ArrayError) -> Self {
        Self::new(BAD_FILE, error.to_string())
    }
}

impl From<std::io::Error> for Failure {
    /// Only the terminal or the pipe we print to fails this way.
    fn from(error: std::io::Error) -> Self {
        Self {
            is_closed_pipe: error.kind() == std::io::ErrorKind::BrokenPipe,
            ..Self::new(BAD_FILE, format!("cannot print: {error}"))
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", Plain(&self.message))?;
        for cause in &self.causes {
            write!(f, "\n  caused by: {}", Plain(cause))?;
        }
        for frame in &self.stack {
            write!(f, "\n  at {}", Plain(frame))?;
        }
        if let Some(help) = &self.help {
            write!(f, "\n  help: {}", Plain(help))?;
        }
        Ok(())
    }
}

/// Text that may hold words of a file: they may break lines, but neither move
/// the cursor nor colour the terminal.
pub(super) struct Plain<'a>(pub(super) &'a str);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '\n' | '\t' => f.write_char(c)?,
                c if c.is_control() => write!(f, "{}", c.escape_default())?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_files_do_not_move_the_cursor() {
        let failure = Failure::new(USAGE, "a\x1b[2Jb\nc").help("d\r");
        assert_eq!(failure.to_string(), "error: a\\u{1b}[2Jb\nc\n  help: d\\r");
    }

    #[test]
    fn what_a_layer_only_passes_on_is_said_once() {
        let inner = Status::new(StatusCode::NotFound, "no such key");
        let outer = inner.clone().context("no such key").context("loading");
        let failure = Failure::from_status("calling", &outer, DEVICE_ERROR);
        let text = failure.to_string();
        assert_eq!(text.matches("no such key").count(), 1, "{text}");
    }
}
