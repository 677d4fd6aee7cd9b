//! How loading gets on.

use std::sync::Arc;

/// How much has been read of the contents of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes read so far.
    pub done: u64,
    /// Bytes asked for so far: grows when a program asks for more.
    pub total: u64,
}

/// Called with the progress, on the threads that load: it should be quick.
pub type ProgressObserver = Arc<dyn Fn(Progress) + Send + Sync>;
