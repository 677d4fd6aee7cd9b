//! Streams.

use std::ffi::{c_int, c_void};

use super::{Nvidia, call};
use crate::{Result, StreamHandle};

type BoxedFunction = Box<dyn FnOnce() + Send>;

pub(super) fn launch_host_function(
    nv: &Nvidia,
    stream: StreamHandle,
    function: BoxedFunction,
) -> Result<()> {
    // A boxed closure is two words; C carries one.
    let user_data = Box::into_raw(Box::new(function)).cast::<c_void>();
    let result = submit(nv, stream, user_data);
    if result.is_err() {
        // SAFETY: made above; a refused function is never called.
        drop(unsafe { Box::from_raw(user_data.cast::<BoxedFunction>()) });
    }
    result
}

fn submit(nv: &Nvidia, stream: StreamHandle, user_data: *mut c_void) -> Result<()> {
    if nv.symbols.stream_add_callback.is_present() {
        call!(nv.stream_add_callback(stream, stream_callback, user_data, 0))
    } else {
        call!(nv.launch_host_function(stream, host_function, user_data))
    }
}

/// Runs a boxed closure that was given to `cuStreamAddCallback`, or drops it
/// if earlier work failed.
///
/// # Safety
///
/// `user_data` is a `Box<BoxedFunction>` made raw, and passed once.
unsafe extern "C" fn stream_callback(_: StreamHandle, status: c_int, user_data: *mut c_void) {
    // SAFETY: as promised.
    let function = unsafe { Box::from_raw(user_data.cast::<BoxedFunction>()) };
    if status == 0 {
        function();
    }
}

/// Runs a boxed closure that was given to `cuLaunchHostFunc`.
///
/// # Safety
///
/// As for [`stream_callback`].
unsafe extern "C" fn host_function(user_data: *mut c_void) {
    // SAFETY: as promised.
    let function = unsafe { Box::from_raw(user_data.cast::<BoxedFunction>()) };
    function();
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn a_callback_runs_once_or_is_dropped_after_a_failure() {
        let calls = Arc::new(AtomicU32::new(0));
        let make = || {
            let calls = calls.clone();
            let function: BoxedFunction = Box::new(move || {
                calls.fetch_add(1, Ordering::Relaxed);
            });
            Box::into_raw(Box::new(function)).cast::<c_void>()
        };
        // SAFETY: made raw and passed once.
        unsafe { stream_callback(StreamHandle(0), 0, make()) };
        assert_eq!(calls.load(Ordering::Relaxed), 1);
        // SAFETY: as above.
        unsafe { stream_callback(StreamHandle(0), 719, make()) };
        assert_eq!(calls.load(Ordering::Relaxed), 1);
        // SAFETY: as above.
        unsafe { host_function(make()) };
        assert_eq!(calls.load(Ordering::Relaxed), 2);
        assert_eq!(Arc::strong_count(&calls), 1);
    }
}
