//! Why bytes are not what they should be.

/// The result of reading something.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why bytes are not what they should be: where, and what is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct Error {
    kind: ErrorKind,
    place: String,
    problem: String,
}

/// What sort of problem it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The bytes are something else, or contradict themselves.
    Malformed,
    /// Something reaches past the end.
    Truncated,
    /// The format is known, but in a version or with a feature that this library does not read.
    Incompatible,
    /// A count is larger than any device allows.
    LimitExceeded,
}

impl Error {
    pub(crate) fn new(
        kind: ErrorKind,
        place: impl Into<String>,
        problem: impl Into<String>,
    ) -> Error {
        Error {
            kind,
            place: place.into(),
            problem: problem.into(),
        }
    }

    pub(crate) fn malformed(place: impl Into<String>, problem: impl Into<String>) -> Error {
        Error::new(ErrorKind::Malformed, place, problem)
    }

    pub(crate) fn truncated(place: impl Into<String>, problem: impl Into<String>) -> Error {
        Error::new(ErrorKind::Truncated, place, problem)
    }

    pub(crate) fn incompatible(place: impl Into<String>, problem: impl Into<String>) -> Error {
        Error::new(ErrorKind::Incompatible, place, problem)
    }

    pub(crate) fn limit(place: impl Into<String>, problem: impl Into<String>) -> Error {
        Error::new(ErrorKind::LimitExceeded, place, problem)
    }

    /// Puts it into a larger place: `module.vmfb: executable 2: ...`.
    #[must_use]
    pub(crate) fn inside(mut self, place: &str) -> Error {
        self.place = format!("{place}: {}", self.place);
        self
    }

    /// What sort of problem it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Where it is.
    pub fn place(&self) -> &str {
        &self.place
    }
}
