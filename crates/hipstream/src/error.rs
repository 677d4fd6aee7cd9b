//! The error that everything in this crate returns to programs.

use std::fmt;

use hal::{Status, StatusCode};
use vm::Trap;

/// Result of anything here that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure: a code to branch on, what happened, what caused it, and what can
/// be done about it.
///
/// `{}` prints code and message; [`std::error::Error::source`] walks the
/// causes, down to the device's own words.
#[derive(Clone)]
pub struct Error {
    status: Status,
    help: Option<String>,
    stack: Vec<String>,
}

impl Error {
    /// A failure without a cause.
    pub(crate) fn new(code: StatusCode, message: impl Into<String>) -> Self {
        Status::new(code, message).into()
    }

    /// Adds what the caller can do about it.
    #[must_use]
    pub(crate) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same failure seen from further out.
    #[must_use]
    pub(crate) fn context(mut self, message: impl Into<String>) -> Self {
        self.status = self.status.context(message);
        self
    }

    /// What kind of failure. Branch on this.
    pub fn code(&self) -> StatusCode {
        self.status.code()
    }

    /// What happened, without code and causes.
    pub fn message(&self) -> &str {
        self.status.message()
    }

    /// Code, message and causes.
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// What the caller can do about it.
    pub fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// Where in the module's functions it happened, innermost first; empty if
    /// it happened elsewhere.
    pub fn stack(&self) -> &[String] {
        &self.stack
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.status.fmt(f)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.status)?;
        for frame in &self.stack {
            write!(f, "\n  at {frame}")?;
        }
        match &self.help {
            Some(help) => write!(f, "\n  help: {help}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&self.status)
    }
}

impl From<Status> for Error {
    fn from(status: Status) -> Self {
        Self {
            status,
            help: None,
            stack: Vec::new(),
        }
    }
}

impl From<vm::Error> for Error {
    fn from(error: vm::Error) -> Self {
        crate::modules::hal::to_status(&error).into()
    }
}

impl From<Trap> for Error {
    fn from(trap: Trap) -> Self {
        Self {
            stack: trap.frames().iter().map(ToString::to_string).collect(),
            ..Self::from(trap.into_error())
        }
    }
}

impl From<vmfb::Error> for Error {
    fn from(error: vmfb::Error) -> Self {
        let code = match error.kind() {
            vmfb::ErrorKind::Incompatible => StatusCode::Incompatible,
            vmfb::ErrorKind::LimitExceeded => StatusCode::OutOfRange,
            _ => StatusCode::InvalidArgument,
        };
        Self::new(code, error.to_string())
    }
}
