//! What it means for an answer that frames were lost near it.

use std::collections::VecDeque;

use super::{Attribution, Doubt, Verdict};
use crate::resolution::NoClientReason;
use crate::time::{Span, Timestamp};

/// How many stretches are kept, the latest: more than fit into the ten minutes after which the last question is judged.
const KEPT_MAX: usize = 1024;
/// Stretches so near to each other are one.
const NEAR: Span = Span::from_secs(1);
/// What was lost so long before or after a sighting can have been a part of it.
const REACH: Span = Span::from_secs(10);
/// A client named where frames were lost is not one of those that are sure, in thousandths.
const SURE_MOST: u16 = 940;

/// When frames were lost.
#[derive(Debug, Default)]
pub(super) struct Losses(VecDeque<(Timestamp, Timestamp)>);

impl Losses {
    /// Notes a stretch of time in which some were.
    pub fn note(&mut self, from: Timestamp, to: Timestamp) {
        match self.0.back_mut() {
            Some((first, last)) if from <= *last + NEAR => {
                *first = (*first).min(from);
                *last = (*last).max(to);
            }
            _ => self.0.push_back((from, to)),
        }
        if self.0.len() > KEPT_MAX {
            self.0.pop_front();
        }
    }

    /// Says of an attribution that frames were lost near it, if so.
    pub fn weigh(&self, attribution: &mut Attribution) {
        let time = attribution.sighting.time;
        let asked = attribution.clients.iter().map(|client| client.asked_time).min();
        let (first, last) = (asked.map_or(time, |asked| asked.min(time)) - REACH, time + REACH);
        if !self.0.iter().any(|(from, to)| *from <= last && first <= *to) {
            return;
        }
        for client in &mut attribution.clients {
            client.confidence_permille = client.confidence_permille.min(SURE_MOST);
        }
        attribution.doubts.push(Doubt::PacketsLostNear);
        if attribution.unexplained == Some(NoClientReason::NobodyWaiting) {
            attribution.unexplained = Some(NoClientReason::PacketsLost);
            attribution.verdict = Verdict::Undetermined;
            attribution.reason = Some(
                "frames were lost around here, perhaps including the client's question".to_owned(),
            );
        }
    }
}
