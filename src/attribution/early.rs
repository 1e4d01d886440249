//! What is reported before it is settled, while the client may still be waiting.
//!
//! An upstream query is told a moment after it was flagged, when its client's question and mostly the answers
//! have been seen; a client's question a little later, when it is clear whether an upstream query tells it
//! already. Telling changes nothing of what is said in the end.

use std::collections::{BTreeSet, VecDeque};

use super::{Attribution, Attributor, State, describe};
use crate::bounded::Sequence;
use crate::indicator::IndicatorId;
use crate::resolution::{Leg, Role};
use crate::time::{Span, Timestamp};

/// How long after it was seen an upstream query is told.
const UPSTREAM_AFTER: Span = Span::from_millis(250);
/// How much later a client's own question is.
const CLIENT_AFTER: Span = Span::from_millis(350);
/// How many wait to be told; of further ones only the settled word is given.
const WAITING_MAX: usize = 1 << 16;

/// What is still to be told.
#[derive(Debug, Default)]
pub(super) struct Early {
    /// Whether anything is.
    pub is_wanted: bool,
    /// How many were not put down, as too many waited.
    pub passed_over: u64,
    waiting: VecDeque<(Sequence, Timestamp)>,
    clients: VecDeque<(Sequence, Timestamp)>,
    /// The asks of which an upstream query told, by indicator.
    told: BTreeSet<(Sequence, IndicatorId)>,
}

impl Early {
    /// Puts a flagged transaction down to be told in a moment.
    pub fn put_down(&mut self, sequence: Sequence, now: Timestamp) {
        if self.is_wanted && self.waiting.len() < WAITING_MAX {
            self.waiting.push_back((sequence, now + UPSTREAM_AFTER));
        } else if self.is_wanted {
            self.passed_over += 1;
        }
    }

    /// Forgets what was told of transactions that are not kept any more.
    pub fn forget_before(&mut self, oldest: Sequence) {
        while self.told.first().is_some_and(|(ask, _)| *ask < oldest)
            || self.told.len() > WAITING_MAX
        {
            self.told.pop_first();
        }
    }

    /// Forgets what was told by ids that are valid no more.
    pub fn relist(&mut self, mut anew: impl FnMut(IndicatorId) -> Option<IndicatorId>) {
        let told = std::mem::take(&mut self.told).into_iter();
        self.told = told.filter_map(|(ask, id)| Some((ask, anew(id)?))).collect();
    }
}

fn due(
    waiting: &mut VecDeque<(Sequence, Timestamp)>,
    now: Timestamp,
) -> Option<(Sequence, Timestamp)> {
    waiting.pop_front_if(|(_, due)| *due <= now)
}

impl Attributor {
    /// Tells what is due to be told.
    pub(super) fn tell_due(&mut self, out: &mut dyn FnMut(Attribution)) {
        while let Some((sequence, at)) = due(&mut self.early.waiting, self.ticks.time()) {
            let Some(transaction) = self.resolution.transactions().get(sequence) else { continue };
            match self.resolution.leg(&transaction) {
                Leg::Upstream => self.tell_upstream(sequence, out),
                Leg::Client => self.early.clients.push_back((sequence, at + CLIENT_AFTER)),
            }
        }
        while let Some((sequence, _)) = due(&mut self.early.clients, self.ticks.time()) {
            self.tell_client(sequence, out);
        }
    }

    fn tell_upstream(&mut self, sequence: Sequence, out: &mut dyn FnMut(Attribution)) {
        let Some(query) = self.resolution.transactions().get(sequence) else { return };
        if self.resolution.history().is_sent_on(sequence, &query) {
            return;
        }
        let Some(flagged) = self.flagged.get_mut(sequence) else { return };
        let untold = flagged.take_untold(|hit| !hit.is_cleared_by(&query));
        if untold.is_empty() {
            return;
        }
        for sent in self.resolution.transactions().tries(sequence) {
            let began = self.seen_since(sent.asked);
            let causes = self.causes(sequence, &sent, began);
            for hit in &untold {
                let history = self.resolution.history();
                let Some(causes) = describe::borne_out(history, &causes, hit) else { continue };
                let initiators = causes.clients.iter().filter(|c| c.role == Role::Initiator);
                self.early.told.extend(initiators.map(|cause| (cause.ask, hit.indicator)));
                let attribution =
                    describe::upstream(self.resolution.history(), (sequence, &sent), hit, &causes);
                self.hand_out(Attribution { state: State::Provisional, ..attribution }, out);
            }
        }
    }

    fn tell_client(&mut self, sequence: Sequence, out: &mut dyn FnMut(Attribution)) {
        let Some(ask) = self.resolution.transactions().get(sequence) else { return };
        if self.resolution.leg(&ask) == Leg::Upstream {
            return self.tell_upstream(sequence, out);
        }
        if self.resolution.history().is_sent_on(sequence, &ask) {
            return;
        }
        let Some(flagged) = self.flagged.get_mut(sequence) else { return };
        let told = &self.early.told;
        let untold = flagged.take_untold(|hit| {
            !told.contains(&(sequence, hit.indicator)) && !hit.is_cleared_by(&ask)
        });
        for hit in &untold {
            let attribution =
                describe::client(self.resolution.history(), sequence, &ask, hit, None);
            self.hand_out(Attribution { state: State::Provisional, ..attribution }, out);
        }
    }
}
