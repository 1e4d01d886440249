//! The service manager is told how the run is doing, and that it lives as long as the analysis does.

use std::sync::Arc;
use std::time::Duration;

use super::status_line;
use crate::live::{Board, Notify, Status};
use crate::pipeline::Stop;
use crate::time::Timestamp;

/// How often it is told how the run is doing.
const STATUS_EVERY: Duration = Duration::from_secs(10);
/// How often the board is looked at, at the most: the analysis writes there four times a second.
const LOOK_MIN: Duration = Duration::from_millis(300);

/// Tells the service manager, on a thread of its own: a sign of life is given when the analysis wrote on its
/// board since the last one and does not hang, and not otherwise.
///
/// # Errors
/// When there can be no further thread.
pub fn keep(notify: Arc<Notify>, board: Board, stop: Arc<Stop>) -> std::io::Result<()> {
    // Twice in the time that is given, as sd_watchdog_enabled(3) advises.
    let look = notify.watchdog().map_or(STATUS_EVERY, |time| time / 2);
    let look = look.clamp(LOOK_MIN, STATUS_EVERY);
    let work = move || {
        let (mut seen, mut since) = (Timestamp::default(), STATUS_EVERY);
        while !stop.is_set() {
            std::thread::sleep(look);
            let status = board.latest();
            if lives(&status, seen) && notify.watchdog().is_some() {
                notify.lives();
            }
            seen = status.at;
            since += look;
            if since >= STATUS_EVERY {
                since = Duration::ZERO;
                notify.status(&status_line::line(&status));
            }
        }
    };
    std::thread::Builder::new().name("service".to_owned()).spawn(work)?;
    Ok(())
}

/// Whether the analysis wrote this after what was `seen`, and goes on.
fn lives(status: &Status, seen: Timestamp) -> bool {
    status.at != seen && status.hang(status.at).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Span;

    #[test]
    fn a_pipe_that_stands_still_does_not_live_though_it_is_written_of() {
        let at = Timestamp(1_000);
        let still = |still| Status { at, still, ..Status::default() };
        assert!(lives(&still(Span::from_secs(9)), Timestamp(0)));
        assert!(!lives(&still(Span::from_secs(11)), Timestamp(0)));
        assert!(!lives(&still(Span(0)), at), "it was not written of");
    }
}
