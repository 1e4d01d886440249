//! The progress bar, on stderr and only when that is a terminal.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::capture::Reader;

/// Where a bar stands on the screen, if one does: whoever writes there takes it off first.
#[derive(Clone, Debug, Default)]
pub struct Screen(Arc<OnceLock<ProgressBar>>);

impl Screen {
    /// Takes the bar off for good.
    pub fn clear(&self) {
        if let Some(bar) = self.0.get() {
            bar.finish_and_clear();
        }
    }
}

/// A bar that follows a reader until it is finished.
pub struct Bar {
    done: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Bar {
    /// Shows how far a reader has come, if anybody can see it.
    pub fn new(reader: &Reader, wanted: bool, screen: &Screen) -> Bar {
        let done = Arc::new(AtomicBool::new(false));
        if !wanted || !std::io::stderr().is_terminal() {
            return Bar { done, thread: None };
        }
        let progress = reader.progress();
        let stop = Arc::clone(&done);
        let bar = match progress.total() {
            Some(total) => ProgressBar::new(total).with_style(style(
                "{wide_bar} {percent:>3}%  {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left",
            )),
            None => ProgressBar::no_length()
                .with_style(style("{spinner} {bytes} read, {bytes_per_sec}")),
        };
        // One bar a run: a second one would stand beside the screen.
        let _ = screen.0.set(bar.clone());
        let follow = move || {
            while !stop.load(Ordering::Relaxed) {
                bar.set_position(progress.consumed());
                std::thread::park_timeout(Duration::from_millis(100));
            }
            bar.finish_and_clear();
        };
        let thread = std::thread::Builder::new().name("progress".to_owned()).spawn(follow).ok();
        Bar { done, thread }
    }

    /// Takes the bar off the screen.
    pub fn finish(mut self) {
        self.done.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
