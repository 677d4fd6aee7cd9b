//! `--profile`: what was done when, as a file.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use profile::Profiler;

use super::report::{BAD_FILE, Failure, USAGE};
use crate::timeline;

#[derive(Clone, Debug, Args)]
pub(super) struct ProfileArgs {
    /// Write what host and device did when: a page for a browser if FILE ends in `.html`, Chrome's and Perfetto's trace events if it ends in `.json`. Recording them takes time, and keeps commands of a device from overlapping.
    #[arg(long, value_name = "FILE")]
    profile: Option<PathBuf>,
}

impl ProfileArgs {
    /// What records, if a profile is wanted. Its file is opened now: a path
    /// that cannot be written to is found out before anything runs.
    pub(super) fn recorder(&self) -> Result<Option<Recorder>, Failure> {
        self.profile.as_deref().map(Recorder::open).transpose()
    }
}

/// A profile in the making.
pub(super) struct Recorder {
    path: PathBuf,
    file: File,
    is_page: bool,
    profiler: Profiler,
}

impl Recorder {
    fn open(path: &Path) -> Result<Self, Failure> {
        let is_page = match path.extension().and_then(|extension| extension.to_str()) {
            Some("html") => true,
            Some("json") => false,
            _ => {
                return Err(Failure::new(
                    USAGE,
                    format!(
                        "a profile is an .html or .json file, not `{}`",
                        path.display()
                    ),
                ));
            }
        };
        Ok(Self {
            file: create(path)?,
            path: path.to_owned(),
            is_page,
            profiler: Profiler::default(),
        })
    }

    /// Who has to be told what happens.
    pub(super) fn profiler(&self) -> &Profiler {
        &self.profiler
    }

    /// Writes what was recorded of running `what`, and says so.
    pub(super) fn write(self, what: &str, stderr: &mut dyn Write) -> Result<(), Failure> {
        let profile = self.profiler.profile();
        let mut file = BufWriter::new(self.file);
        let written = match self.is_page {
            true => timeline::write_page(&profile, what, &mut file),
            false => timeline::write_trace_events(&profile, what, &mut file),
        };
        let path = self.path.display();
        written
            .and_then(|()| file.flush())
            .map_err(|io| Failure::new(BAD_FILE, format!("{path}: {io}")))?;
        write!(stderr, "wrote {} events to {path}", profile.events.len())?;
        if profile.dropped > 0 {
            write!(stderr, "; the first {} had no room", profile.dropped)?;
        }
        writeln!(stderr)?;
        Ok(())
    }
}

/// A file to write to.
pub(super) fn create(path: &Path) -> Result<File, Failure> {
    File::create(path).map_err(|io| Failure::new(BAD_FILE, format!("{}: {io}", path.display())))
}
