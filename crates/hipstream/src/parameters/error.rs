//! What can be wrong with files of parameters.

use std::io;
use std::path::PathBuf;

use hal::{Status, StatusCode};

use super::Format;

/// Why parameters cannot be had. Names the file, what is wrong with it, and
/// where it helps what to do.
#[derive(Debug, thiserror::Error)]
pub enum ParameterError {
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The contents are of no format we know.
    #[error(
        "{} is no parameter archive; .irpa, .safetensors and .gguf files are, whatever their names",
        path.display()
    )]
    UnknownFormat {
        /// The file.
        path: PathBuf,
    },
    /// The file is damaged, or of a version we do not know.
    #[error("{} is a {format} archive that cannot be used: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What it is.
        format: Format,
        /// What is wrong with it.
        reason: String,
    },
    /// Two entries of one scope have the same key.
    #[error(
        "parameter `{key}` of {} is in {} and again in {}",
        super::set::ScopeName(scope), first.display(), second.display()
    )]
    Duplicate {
        /// The key.
        key: String,
        /// The scope; empty is the one without a name.
        scope: String,
        /// The file added first.
        first: PathBuf,
        /// The file added later; may be the same.
        second: PathBuf,
    },
}

impl From<ParameterError> for crate::Error {
    fn from(error: ParameterError) -> Self {
        let message = error.to_string();
        let status = match error {
            ParameterError::File { source, .. } => {
                let code = match source.kind() {
                    io::ErrorKind::NotFound => StatusCode::NotFound,
                    io::ErrorKind::PermissionDenied => StatusCode::PermissionDenied,
                    io::ErrorKind::InvalidInput => StatusCode::InvalidArgument,
                    _ => StatusCode::Unavailable,
                };
                Status::with_cause(code, message, source)
            }
            ParameterError::UnknownFormat { .. } | ParameterError::Malformed { .. } => {
                Status::invalid_argument(message)
            }
            ParameterError::Duplicate { .. } => Status::already_exists(message),
        };
        status.into()
    }
}

/// What is wrong with the bytes of a file, for [`ParameterError::Malformed`].
#[derive(Debug)]
pub(super) struct Malformed(pub(super) String);

impl Malformed {
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}
