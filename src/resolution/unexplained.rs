//! What it means that nobody seen caused an upstream query.

use super::History;
use super::candidate::ASKS_MAX;
use super::cause::CLIENTS_MAX;
use super::role::Known;
use crate::bounded::Sequence;
use crate::message::RecordType;
use crate::name::Name;
use crate::time::{Span, Timestamp};
use crate::transaction::{HostId, Transaction};

/// How many transactions before a query are gone through for who was waiting.
const BEFORE_MAX: usize = 1 << 14;

/// Why no client is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unexplained {
    /// The resolver fetched the list of root servers, or their addresses.
    Priming,
    /// Nobody was waiting, nor had anybody just been answered.
    NobodyWaiting,
    /// So many clients were waiting, none for anything known to lead to this name.
    OthersWaiting(u32),
    /// No client leg of this resolver is in the capture.
    ClientLegMissing,
    /// The capture had begun too short a time before.
    BeganMidWay(Span),
    /// Packets are missing here.
    PacketsLost,
    /// So many clients can have caused it, none more likely than the other.
    TooMany(u32),
    /// So much was asked at the time, or so many names lead there, that not all of it can be gone through.
    Crowded,
    /// It was asked by another resolver, for a client that could not be told.
    BehindResolver(HostId),
    /// A client was waiting for just this at another server, and had its answer after it: that may be the same machine.
    AskedAt {
        /// The client.
        client: HostId,
        /// Where it asked.
        server: HostId,
    },
    /// Who asked may itself be a resolver, for nobody was recognised as one.
    AskerMayBeResolver,
    /// What led to it is no longer kept.
    Forgotten,
    /// The clock of its capture is so far ahead of the one by which clients' questions are stamped.
    ClocksApart(Span),
}

impl History<'_> {
    /// Whether a question is of the kind that only resolvers ask, to get going: for the root servers.
    pub fn is_priming(&self, question: &Transaction) -> bool {
        let name = self.transactions.name(question);
        name.is_root() && self.transactions.has_name(question) && is_priming(name, question.qtype)
    }

    /// What it means that nobody seen caused a query.
    pub(super) fn why_nobody(
        &self,
        query: Sequence,
        sent: &Transaction,
        known: Known,
        began: Timestamp,
    ) -> Unexplained {
        let name = self.transactions.name(sent);
        if is_priming(name, sent.qtype) {
            return Unexplained::Priming;
        }
        let resolvers = self.roles.addresses_of(&sent.client);
        let hosts = self.transactions.hosts();
        let asked = resolvers
            .iter()
            .filter_map(|r| hosts.get(*r))
            .any(|host| host.asked > 0 || host.answers > 0);
        if known == Known::OnlyIterates || !asked {
            return Unexplained::ClientLegMissing;
        }
        let mut waiting: Vec<HostId> = Vec::new();
        let mut elsewhere = None;
        let mut unasked = 0u32;
        let mut answered = 0u32;
        for (place, (_, other)) in self.transactions.before(query).take(BEFORE_MAX).enumerate() {
            if other.asked_last + Span::from_secs(30) < sent.asked {
                break;
            }
            let is_ask = resolvers.contains(&other.server);
            if place < ASKS_MAX {
                answered += u32::from(other.answered().is_some());
                unasked += u32::from(!other.has_query());
            }
            if !is_ask && elsewhere.is_none() && self.waits_for_it(&other, sent) {
                elsewhere = Some((other.client, other.server));
            }
            if is_ask
                && (other.asked..=other.closed()).contains(&sent.asked)
                && !waiting.contains(&other.client)
                && waiting.len() < CLIENTS_MAX
            {
                waiting.push(other.client);
            }
        }
        if let Some((client, server)) = elsewhere {
            return Unexplained::AskedAt { client, server };
        }
        if unasked * 200 > answered {
            return Unexplained::PacketsLost;
        }
        if sent.asked - began < Span::from_secs(10) {
            return Unexplained::BeganMidWay(sent.asked - began);
        }
        if let Some(apart) = self.clocks_apart(sent) {
            Unexplained::ClocksApart(apart.offset)
        } else if waiting.is_empty() {
            Unexplained::NobodyWaiting
        } else {
            Unexplained::OthersWaiting(waiting.len() as u32)
        }
    }
}

impl History<'_> {
    /// Whether somebody waited for just what a query is for, as long as that took, wherever it asked.
    fn waits_for_it(&self, ask: &Transaction, sent: &Transaction) -> bool {
        let waits = || {
            let (told, came) = (ask.answered()?, sent.answered()?);
            Some(ask.asked <= sent.asked && came <= told)
        };
        ask.same_question(sent)
            && !self.roles.same(ask.client, sent.client)
            && ask.client != sent.client
            && ask.server != sent.server
            && waits().unwrap_or(false)
    }
}

/// Whether a question is of the kind that a resolver asks to get going (RFC 9609).
pub(super) fn is_priming(name: Name<'_>, qtype: RecordType) -> bool {
    let below = |zone: &[u8]| name.is_at_or_below(Name::from_wire(zone));
    (name.is_root() && matches!(qtype, RecordType::NS | RecordType::DNSKEY))
        || below(b"\x0croot-servers\x03net\0")
        || below(b"\x0cgtld-servers\x03net\0")
}
