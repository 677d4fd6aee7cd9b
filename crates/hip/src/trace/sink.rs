//! Where a trace goes.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Where the lines of a trace go. Clones share one list.
#[derive(Clone, Default)]
pub struct TraceSink(Arc<Mutex<Output>>);

#[derive(Default)]
struct Output {
    lines: Vec<String>,
    writer: Option<Box<dyn io::Write + Send>>,
}

impl TraceSink {
    /// A sink that collects.
    pub fn new() -> Self {
        Self::default()
    }

    /// A sink that writes each line to `writer` and collects nothing. What
    /// cannot be written is lost.
    pub fn to_writer(writer: Box<dyn io::Write + Send>) -> Self {
        Self(Arc::new(Mutex::new(Output {
            lines: Vec::new(),
            writer: Some(writer),
        })))
    }

    /// The lines collected so far.
    pub fn lines(&self) -> Vec<String> {
        self.output().lines.clone()
    }

    /// The lines collected so far, which are forgotten.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.output().lines)
    }

    /// The lines collected so far as one text, each ended by a line feed.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for line in &self.output().lines {
            text.push_str(line);
            text.push('\n');
        }
        text
    }

    fn output(&self) -> MutexGuard<'_, Output> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, line: String) {
        let mut output = self.output();
        match &mut output.writer {
            // A trace must not change what the program does, so a full disk is no error.
            Some(writer) => drop(writeln!(writer, "{line}")),
            None => output.lines.push(line),
        }
    }
}

impl fmt::Debug for TraceSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TraceSink({} lines)", self.output().lines.len())
    }
}
