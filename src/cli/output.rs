//! What the subcommands' outputs have in common.

use std::io;
use std::sync::Arc;

use super::progress::Screen;
use super::say;
use crate::pipeline::{Stop, StopRequest};

/// Whether whoever read the output has gone away, as `head` does: no error to speak of.
pub fn is_closed_pipe(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::BrokenPipe
}

/// The first Ctrl-C (or SIGTERM) ends the run and shows what is known so far; the second ends at once.
/// What is on the `screen` is taken off before anything is said.
pub fn stop_on_interrupt(screen: &Screen) -> Arc<Stop> {
    let stop = Arc::new(Stop::default());
    let (told, screen) = (Arc::clone(&stop), screen.clone());
    let handler = ctrlc::set_handler(move || {
        let asked = told.signal();
        if asked == StopRequest::TheSame {
            return;
        }
        screen.clear();
        if asked == StopRequest::AtOnce {
            std::process::exit(130);
        }
        say(
            "whoasked: ending early; what is known so far follows (press Ctrl-C again to quit at once)",
        );
    });
    if let Err(error) = handler {
        say(&format!("whoasked: Ctrl-C will end the run at once, without results: {error}"));
    }
    stop
}
