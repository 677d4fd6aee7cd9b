//! How a thread waits before it sleeps in the driver, which takes longer to wake
//! it than many a kernel runs.

use std::thread;
use std::time::{Duration, Instant};

use hip::Event;

/// How long a thread looks at an event without a break: at first, and when the
/// last wait says that it is about to pass.
const LOOK: Duration = Duration::from_micros(50);

/// How long a nap is. Timers add about as much again as a thread looks.
const NAP: Duration = Duration::from_micros(10);

/// Waits that took longer are left to the driver: what it takes to wake a thread
/// does not matter there.
const MOST: Duration = Duration::from_millis(1);

/// Looks at an event until it has passed or there is nothing more to gain by it:
/// whether it passed.
///
/// If the last wait took a while, so will this one, most likely. Then the thread
/// naps, with a look after each nap, until shortly before.
pub(super) fn look_for(event: &Event, last_wait: Duration) -> hip::Result<bool> {
    let start = Instant::now();
    if look_until(event, start + LOOK)? {
        return Ok(true);
    }
    if last_wait <= LOOK || last_wait > MOST {
        return Ok(false);
    }
    let expected = start + last_wait;
    while Instant::now() + 2 * LOOK < expected {
        thread::sleep(NAP);
        if event.query()? {
            return Ok(true);
        }
    }
    look_until(event, expected + LOOK)
}

/// Looks again and again.
fn look_until(event: &Event, end: Instant) -> hip::Result<bool> {
    loop {
        let has_passed = event.query()?;
        if has_passed || Instant::now() >= end {
            return Ok(has_passed);
        }
        std::hint::spin_loop();
    }
}
