//! Forwarders that send a question on under the id that its client chose: each of their queries says whose it is.
//!
//! RFC 5452 section 9.2 wants an unpredictable id for each query. Small proxies, older CoreDNS among them, send the client's
//! message on as it is, and ask upstream for each client apart.

use std::collections::BTreeSet;

use foldhash::{HashMap, HashMapExt};

use super::Roles;
use crate::bounded::Sequence;
use crate::message::RecordType;
use crate::name::NameHash;
use crate::time::{Span, Timestamp};
use crate::transaction::Transaction;

/// A query is compared with the only ask for the same thing that came so shortly before.
const COMPARED_WITHIN: Span = Span::from_millis(10);
/// So many have the id of that ask, and nine in ten of all that were compared. By chance one in 65,536 has.
const SAME_MIN: usize = 8;

/// The latest asks for one thing at one resolver: the last, and the one before.
type Latest = [Option<(Timestamp, u16)>; 2];

impl Roles {
    /// The places of the resolvers that send ids on.
    pub(super) fn sending_ids_on(&self, latest: &[(Sequence, Transaction)]) -> BTreeSet<usize> {
        let mut asks: HashMap<(usize, NameHash, RecordType), Latest> =
            HashMap::with_capacity(latest.len());
        let mut compared: HashMap<usize, (usize, usize)> = HashMap::new();
        // They come newest first.
        for (_, query) in latest.iter().rev().filter(|(_, query)| query.has_query()) {
            if let Some(place) = self.place_of(query.client) {
                let before = asks.get(&(place, query.name, query.qtype)).copied();
                let is_near = |ask: &(Timestamp, u16)| {
                    (Span(0)..=COMPARED_WITHIN).contains(&(query.asked - ask.0))
                };
                let [last, other] = before.unwrap_or_default().map(|ask| ask.filter(is_near));
                if let Some((_, id)) = last.filter(|_| other.is_none()) {
                    let (same, all) = compared.entry(place).or_default();
                    *same += usize::from(id == query.id);
                    *all += 1;
                }
            }
            if let Some(place) = self.place_of(query.server) {
                let kept = asks.entry((place, query.name, query.qtype)).or_default();
                *kept = [Some((query.asked, query.id)), kept[0]];
            }
        }
        let sends_on = |(same, all): (usize, usize)| same >= SAME_MIN && same * 10 >= all * 9;
        compared.into_iter().filter(|(_, count)| sends_on(*count)).map(|(place, _)| place).collect()
    }
}
