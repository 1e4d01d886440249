//! Whether the pipe goes on: what stands still must not pass for a network on which nothing happens.

use std::time::{Duration, Instant};

use super::Health;
use crate::time::Span;

/// A clock that nobody sets.
#[allow(clippy::disallowed_methods, reason = "the pipeline is where the clock is seen")]
pub(super) fn clock() -> Instant {
    Instant::now()
}

/// How far the analysis has come, and since when not further.
#[derive(Debug)]
pub(super) struct Progress {
    analysed: u64,
    since: Instant,
}

impl Progress {
    pub(super) fn new(now: Instant) -> Progress {
        Progress { analysed: 0, since: now }
    }

    /// For how long frames have waited and none was analysed, or a source was not looked at. `turns`: when
    /// each of those that have not ended was looked at last.
    pub(super) fn still(
        &mut self,
        health: &Health,
        turns: impl Iterator<Item = Instant>,
        now: Instant,
    ) -> Span {
        let analysed = health.decoded.frames;
        let came: u64 = health.interfaces.iter().map(|heard| heard.frames).sum();
        if analysed != self.analysed || came <= analysed + health.frames_lost {
            (self.analysed, self.since) = (analysed, now);
        }
        let since = turns.chain([self.since]).min().unwrap_or(now);
        let still: Duration = now.saturating_duration_since(since);
        Span(i64::try_from(still.as_nanos()).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::live::InterfaceHealth;

    #[test]
    fn only_frames_that_wait_or_a_source_that_hangs_are_a_standstill() {
        let began = clock();
        let after = |seconds| began + Duration::from_secs(seconds);
        let mut progress = Progress::new(began);
        let mut health =
            Health { interfaces: vec![InterfaceHealth::default(); 2], ..Health::default() };
        let mut look = |frames, analysed, frames_lost, turned, now| {
            health.interfaces[0].frames = frames;
            health.interfaces[1].frames = 10;
            (health.decoded.frames, health.frames_lost) = (analysed, frames_lost);
            let turns = [after(turned), after(now)];
            progress.still(&health, turns.into_iter(), after(now)).0 / 1_000_000_000
        };
        assert_eq!(look(0, 10, 0, 100, 100), 0, "nothing comes");
        assert_eq!(look(50, 10, 0, 101, 101), 1, "it may be under way");
        assert_eq!(look(50, 10, 0, 112, 112), 12);
        assert_eq!(look(90, 10, 40, 113, 113), 13, "what is left out is no progress");
        assert_eq!(look(90, 10, 90, 114, 114), 0, "nothing waits");
        assert_eq!(look(95, 10, 90, 120, 120), 6);
        assert_eq!(look(99, 11, 90, 121, 121), 0);
        assert_eq!(look(99, 19, 90, 121, 133), 12, "a source hangs");
    }
}
