//! What was answered to one question, looked up once for all asks that are weighed.
//!
//! A firewall that drops what is flagged leaves hundreds of asks for one name open, and of each it matters whether anything
//! was answered since. Nothing changes while a query is judged, so that the answers are looked for once.

use std::sync::Arc;

use foldhash::HashMap;

use super::History;
use super::candidate::ASKS_MAX;
use crate::bounded::Sequence;
use crate::message::RecordType;
use crate::name::NameHash;
use crate::time::Timestamp;
use crate::transaction::{HostId, Segment, Transaction};

/// A question, by its name, the domain of that, and its type.
pub(super) type Question = (NameHash, NameHash, RecordType);

/// Whose transactions are meant: what a resolver asked, or what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Side {
    Asks,
    Asked,
}

/// The transactions about one question by a time that were answered.
#[derive(Debug, Default)]
pub(super) struct EarlierAnswers {
    /// They, newest first.
    pub answered: Vec<(Sequence, Transaction)>,
    /// When the last of all was asked, answered or not, and the last of those without an answer.
    pub newest: Option<Timestamp>,
    pub newest_open: Option<Timestamp>,
    /// When they were answered, in order, and when all were asked.
    times: Vec<Timestamp>,
    asked: Vec<Timestamp>,
}

impl EarlierAnswers {
    fn of(transactions: impl Iterator<Item = (Sequence, Transaction)>) -> EarlierAnswers {
        let mut told = EarlierAnswers::default();
        for (sequence, transaction) in transactions {
            told.newest = told.newest.max(Some(transaction.asked));
            told.asked.push(transaction.asked);
            match transaction.answered() {
                Some(at) => {
                    told.times.push(at);
                    told.answered.push((sequence, transaction));
                }
                None => told.newest_open = told.newest_open.max(Some(transaction.asked)),
            }
        }
        told.times.sort_unstable();
        told.asked.sort_unstable();
        // Each address has its own, newest first.
        told.answered.sort_unstable_by_key(|(sequence, _)| std::cmp::Reverse(*sequence));
        told
    }

    /// Whether one was answered from a time on, and by another.
    pub fn is_answered_within(&self, from: Timestamp, until: Timestamp) -> bool {
        let first = self.times.partition_point(|at| *at < from);
        self.times.get(first).is_some_and(|at| *at <= until)
    }

    /// When the last was asked, from a time on and before another.
    pub fn last_asked_within(&self, from: Timestamp, before: Timestamp) -> Option<Timestamp> {
        let behind = self.asked.partition_point(|at| *at < before);
        let last = self.asked.get(behind.checked_sub(1)?).copied();
        last.filter(|at| *at >= from)
    }
}

/// All that was looked up while nothing changed.
pub(super) type Remembered = HashMap<(Side, HostId, Question, Timestamp), Arc<EarlierAnswers>>;

impl History<'_> {
    /// What was answered to a question by a time, of what a resolver asked or was asked.
    pub(super) fn told(
        &self,
        side: Side,
        resolver: &HostId,
        question: Question,
        latest: Timestamp,
    ) -> Arc<EarlierAnswers> {
        let key = (side, *resolver, question, latest);
        if let Some(known) = self.told.borrow().get(&key) {
            return Arc::clone(known);
        }
        let told = Arc::new(EarlierAnswers::of(self.about(side, resolver, question, latest)));
        self.told.borrow_mut().insert(key, Arc::clone(&told));
        told
    }

    /// What a resolver asked or was asked about one name and type by a time, at each of its addresses the newest first.
    pub(super) fn about<'a>(
        &'a self,
        side: Side,
        resolver: &'a HostId,
        (name, domain, qtype): Question,
        latest: Timestamp,
    ) -> impl Iterator<Item = (Sequence, Transaction)> {
        let look = move |stretch: &Segment| stretch.look_for(name);
        let within = (latest, ASKS_MAX);
        let addresses = self.roles.addresses_of(resolver).iter();
        let about = addresses.flat_map(move |address| match side {
            Side::Asks => self.transactions.of_client_by(*address, domain, within, look),
            Side::Asked => self.transactions.with_server_by(*address, domain, within, look),
        });
        about.filter(move |(_, other)| other.name == name && other.qtype == qtype)
    }
}

impl Transaction {
    /// What it asks.
    pub(super) fn question(&self) -> Question {
        (self.name, self.domain, self.qtype)
    }
}
