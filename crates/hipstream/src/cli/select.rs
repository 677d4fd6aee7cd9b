//! Which device runs the work, by command line.

use hal::{DeviceParams, TraceSink};

use super::LibraryArgs;
use super::report::Failure;
use crate::device::{self, Opened, Options};

/// Opens what `spec` names; see [`device::open`].
pub(super) fn open(
    spec: &str,
    library: &LibraryArgs,
    params: &DeviceParams,
    trace: Option<&TraceSink>,
) -> Result<Opened, Failure> {
    let options = Options {
        params: params.clone(),
        trace: trace.cloned(),
        ..options(library)
    };
    device::open(spec, &options).map_err(|error| Failure::opening(&error))
}

/// How devices are looked for.
pub(super) fn options(library: &LibraryArgs) -> Options {
    Options {
        library_paths: library.hip_dylib_path.clone(),
        ..Options::default()
    }
}
