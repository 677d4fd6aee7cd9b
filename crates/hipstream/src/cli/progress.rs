//! A progress bar on stderr, for parameters that take a while to load.

use std::sync::{Arc, Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::parameters::{Progress, ProgressObserver};

/// Less than this many bytes is loaded before anybody would look.
const LEAST_BYTES: u64 = 256 << 20;

const TEMPLATE: &str =
    "loading parameters {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta} left";

/// Shows how loading gets on, if stderr is a terminal and there is more than
/// 256 MiB to load. The bar goes away when all is loaded.
pub fn parameter_bar() -> ProgressObserver {
    observer(ProgressDrawTarget::stderr)
}

fn observer(target: impl Fn() -> ProgressDrawTarget + Send + Sync + 'static) -> ProgressObserver {
    let shown: Mutex<Option<ProgressBar>> = Mutex::default();
    Arc::new(move |progress: Progress| {
        // A bar is only drawn: whatever a panic left of it will do.
        let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
        let is_done = progress.done >= progress.total;
        if shown.is_none() && (is_done || progress.total <= LEAST_BYTES) {
            return;
        }
        let bar = shown.get_or_insert_with(|| {
            let style = ProgressStyle::with_template(TEMPLATE).expect("a sound template");
            ProgressBar::with_draw_target(Some(progress.total), target()).with_style(style)
        });
        bar.set_length(progress.total);
        bar.set_position(progress.done);
        if is_done {
            bar.finish_and_clear();
            *shown = None;
        }
    })
}

#[cfg(test)]
mod tests {
    use std::io;

    use indicatif::TermLike;

    use super::*;

    /// A terminal of 100 columns that keeps all that is written to it.
    #[derive(Clone, Debug, Default)]
    struct Terminal(Arc<Mutex<String>>);

    impl Terminal {
        fn text(&self) -> String {
            self.0.lock().expect("no panic").clone()
        }
    }

    impl TermLike for Terminal {
        fn width(&self) -> u16 {
            100
        }

        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write_str(text)
        }

        fn write_str(&self, text: &str) -> io::Result<()> {
            self.0.lock().expect("no panic").push_str(text);
            Ok(())
        }

        fn clear_line(&self) -> io::Result<()> {
            self.write_str("<clear>")
        }

        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn large_loads_have_a_bar_that_goes_away() {
        let terminal = Terminal::default();
        let observer = {
            let terminal = terminal.clone();
            observer(move || ProgressDrawTarget::term_like(Box::new(terminal.clone())))
        };
        let tell = |done: u64, total: u64| observer(Progress { done, total });
        tell(1 << 20, LEAST_BYTES);
        tell(LEAST_BYTES, LEAST_BYTES);
        assert_eq!(terminal.text(), "", "nothing for what is quick");
        let total = 4 << 30;
        tell(1 << 30, total);
        let text = terminal.text();
        assert!(text.contains("loading parameters"), "{text}");
        assert!(text.contains("1.00 GiB/4.00 GiB"), "{text}");
        tell(total, total);
        assert!(terminal.text().ends_with("<clear>"), "{}", terminal.text());
        // A program that asks for more has a bar again.
        tell(total + 1, 2 * total);
        let text = terminal.text();
        assert!(text.contains("4.00 GiB/8.00 GiB"), "{text}");
    }
}
