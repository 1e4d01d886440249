//! How much comes, second by second.

use std::collections::VecDeque;

use crate::live::Status;
use crate::time::{Span, Timestamp};

/// How many seconds are kept: as many as the widest terminal has columns for.
const SECONDS_MAX: usize = 240;
/// The shortest time over which a rate is taken.
const OVER: Span = Span::from_millis(1_000);

/// Packets and DNS messages a second, the newest first.
#[derive(Clone, Debug, Default)]
pub struct Pulse {
    /// When, and how many packets and messages there had been.
    last: Option<(Timestamp, u64, u64)>,
    packets: VecDeque<u64>,
    messages: VecDeque<u64>,
}

impl Pulse {
    /// Takes a status; one that is hardly newer than the last is passed over.
    pub fn note(&mut self, status: &Status) {
        let packets: u64 = status.interfaces.iter().map(|interface| interface.received).sum();
        let messages = status.decoded.messages + status.reassembled.messages;
        let now = (status.at, packets, messages);
        let Some((time, packets_before, messages_before)) = self.last else {
            self.last = (status.at != Timestamp::default()).then_some(now);
            return;
        };
        let over = status.at - time;
        if over < OVER && over >= Span(0) {
            return;
        }
        self.last = Some(now);
        // A clock that was set back tells nothing.
        if over < Span(0) {
            return;
        }
        for (rates, count, before) in [
            (&mut self.packets, packets, packets_before),
            (&mut self.messages, messages, messages_before),
        ] {
            let rate = count.saturating_sub(before) as f64 / over.as_secs_f64();
            rates.push_front(rate.round() as u64);
            rates.truncate(SECONDS_MAX);
        }
    }

    /// Packets a second, the newest first.
    pub fn packets(&self) -> impl Iterator<Item = u64> {
        self.packets.iter().copied()
    }

    /// DNS messages a second, the newest first.
    pub fn messages(&self) -> impl Iterator<Item = u64> {
        self.messages.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::Interface;

    fn status(millis: i64, received: u64, messages: u64) -> Status {
        let mut status = Status {
            at: Timestamp(1) + Span::from_millis(millis),
            interfaces: vec![Interface { received, ..Interface::default() }],
            ..Status::default()
        };
        status.decoded.messages = messages;
        status
    }

    #[test]
    fn rates_are_those_of_whole_seconds_whenever_one_looks() {
        let mut pulse = Pulse::default();
        pulse.note(&Status::default());
        for millis in (0..=3_000).step_by(250) {
            pulse.note(&status(millis, millis as u64 * 2, millis as u64));
        }
        assert_eq!(pulse.packets().collect::<Vec<_>>(), [2_000, 2_000, 2_000]);
        assert_eq!(pulse.messages().collect::<Vec<_>>(), [1_000, 1_000, 1_000]);
        // Nothing for two seconds, and then a clock that was set back.
        pulse.note(&status(5_000, 6_000, 3_000));
        pulse.note(&status(1_000, 6_000, 3_000));
        pulse.note(&status(2_000, 6_500, 3_000));
        assert_eq!(pulse.packets().take(2).collect::<Vec<_>>(), [500, 0]);
    }
}
