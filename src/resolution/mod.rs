//! Asks, the upstream legs that served them, and how one led to the other.
//!
//! History is stored as seen and linked only on demand: a transaction is a
//! client leg or an upstream leg by the roles of its hosts at the time of asking, and [`History::causes`]
//! walks from an upstream query back to the asks that needed it. So nothing is spent on the many
//! queries nobody asks about, and a new list can be matched to the stored history.

mod around;
mod cached;
mod candidate;
mod cause;
mod choice;
mod deferred;
mod earlier_answers;
mod edge;
mod edge_store;
mod latency;
mod nat;
mod no_client_reason;
mod offset;
mod onward;
mod pending;
mod redirection;
mod retry;
mod role;
#[cfg(test)]
mod tests;
mod walk;

use std::cell::{Cell, RefCell};
use std::ops::Deref;

use offset::Offsets;

use crate::bounded::Sequence;
use crate::message::{Fact, Message, Messages, is_conclusive};
use crate::name::NameHasher;
use crate::transaction::{
    Event, Host, HostId, Limits as TransactionLimits, Transaction, Transactions,
};

pub use cause::{Cause, Causes, Role};
pub use edge::{Edge, EdgeKind, Edges, Provenance};
pub use latency::{BOUNDS_US, Buckets, Latencies, LatencyRow};
pub use nat::NatTable;
pub use no_client_reason::NoClientReason;
pub use offset::ClocksApart;
pub use role::{ForOthers, Group, Known, Roles};
pub use walk::{KnownChain, Relation, Step, StepKind};

/// How much history is kept.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Transactions, their names and hosts.
    pub transactions: TransactionLimits,
    /// Aliases and delegations; beyond it the oldest are forgotten.
    pub edges: usize,
    /// Octets of the names of aliases and delegations.
    pub edge_names: usize,
    /// Aliases in answers, remembered with their transaction.
    pub answer_aliases: usize,
}

impl Default for Limits {
    /// Half a million transactions: about 110 MB when full.
    fn default() -> Limits {
        Limits {
            transactions: TransactionLimits {
                transactions: 1 << 19,
                names: 1 << 24,
                hosts: 1 << 20,
            },
            edges: 1 << 18,
            edge_names: 1 << 24,
            answer_aliases: 1 << 19,
        }
    }
}

/// The side of a resolver that a transaction is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leg {
    /// Its server is a resolver, or nobody in it is one.
    Client,
    /// Its client is a resolver.
    Upstream,
}

impl Leg {
    /// `client` or `upstream`.
    pub fn as_str(self) -> &'static str {
        match self {
            Leg::Client => "client",
            Leg::Upstream => "upstream",
        }
    }
}

/// The history of a capture: transactions, roles, and what was learned of names.
#[derive(Debug)]
pub struct Resolution {
    transactions: Transactions,
    edges: Edges,
    roles: Roles,
    latencies: Latencies,
    offsets: Offsets,
    hasher: NameHasher,
    /// What was looked up since the history was taken last.
    told: RefCell<earlier_answers::Remembered>,
    /// The slow answers that were looked at last.
    lookups_seen: Cell<cached::SeenLately>,
}

impl Resolution {
    /// An empty history. `hasher` is the one by which the messages' names were hashed.
    pub fn new(
        limits: Limits,
        transactions: Transactions,
        roles: Roles,
        hasher: NameHasher,
    ) -> Resolution {
        Resolution {
            transactions,
            edges: Edges::new(limits, hasher),
            roles,
            latencies: Latencies::default(),
            offsets: Offsets::default(),
            hasher,
            told: RefCell::default(),
            lookups_seen: Cell::default(),
        }
    }

    /// Takes all the memory that transactions, aliases and their names can come to need, so that none has to be found
    /// for them when packets come fast.
    pub fn take_room(&mut self) {
        self.transactions.take_room();
        self.edges.take_room();
    }

    /// Takes the next message of the capture.
    pub fn take(&mut self, messages: &Messages, message: &Message) -> Event {
        let event = self.transactions.take(messages, message);
        if let Event::Asked(sequence) | Event::Answered(sequence) | Event::AnsweredUnasked(sequence) =
            event
            && self.roles.refresh_when_due(sequence, &self.transactions, &self.edges)
        {
            self.note_resolvers();
        }
        if let Event::Answered(sequence) | Event::AnsweredUnasked(sequence) = event
            && let Some(transaction) = self.transactions.kept(sequence)
        {
            self.latencies.record(transaction, &self.roles);
            let (ends, is_asked) = (transaction.ends(), transaction.has_query());
            self.learn((sequence, is_asked), ends, messages, message);
        }
        if self.edges.has_redirections() {
            self.redirect(event, messages, message);
        }
        event
    }

    /// Learns of what a name that is asked for is an alias by what its resolver knows to be redirected: that goes on with the
    /// target at once, whatever becomes of the question. Where it answers that the name itself has what was asked for, it does
    /// not hold the name to be redirected.
    #[inline(never)]
    fn redirect(&mut self, event: Event, messages: &Messages, message: &Message) {
        let (is_answer, is_new, sequence) = match event {
            Event::Asked(sequence) | Event::AskedAgain(sequence) => (false, true, sequence),
            Event::Answered(sequence) => (true, false, sequence),
            Event::AnsweredUnasked(sequence) => (true, true, sequence),
            _ => return,
        };
        let (Some(ask), Some(question)) = (self.transactions.kept(sequence), message.question)
        else {
            return;
        };
        let (_, server) = ask.ends();
        let is_refuted = is_answer
            && is_conclusive(message.rcode())
            && message.malformed.is_none()
            && message.counts[1] > 0
            && !messages.facts(message).iter().any(|fact| matches!(fact, Fact::Alias { .. }));
        for resolver in self.roles.addresses_of(&server) {
            let known = (*resolver, message.time);
            if is_refuted {
                self.edges.refute(known, question.name, messages);
            } else if is_new {
                self.edges.redirect(known, question.name, messages);
            }
        }
    }

    /// The history as of now: what was put off is learned, and the clocks are looked at.
    pub fn history(&mut self) -> History<'_> {
        self.edges.catch_up();
        self.look_at_clocks_when_due();
        self.told.get_mut().clear();
        History(self)
    }

    /// Keeps the aliases and delegations of a response, for each resolver that knows them by it. What a resolver was
    /// not seen asking for anybody can have sent it: it is not taken to know that.
    fn learn(
        &mut self,
        (sequence, is_asked): (Sequence, bool),
        (client, server): (HostId, HostId),
        messages: &Messages,
        message: &Message,
    ) {
        let facts = messages.facts(message);
        if facts.is_empty() {
            return;
        }
        let hosts = self.transactions.hosts();
        let client_resolves = self.roles.seems_resolver(client, hosts);
        let server_resolves = self.roles.seems_resolver(server, hosts);
        let asks_nobody = |host: &Host| host.asks == 0 && !host.address.is_internal();
        let (first, other) = match client_resolves && is_asked {
            true => (client, server_resolves.then_some(server)),
            // Who asks outside may turn out to be a resolver's other address.
            false if is_asked && !server_resolves && hosts.get(server).is_some_and(asks_nobody) => {
                (server, Some(client))
            }
            false => (server, None),
        };
        self.edges.learn(first, Some(sequence), messages, message);
        if let Some(other) = other {
            self.edges.learn(other, None, messages, message);
        }
    }

    /// On which side of a resolver a transaction lies.
    pub fn leg(&self, transaction: &Transaction) -> Leg {
        self.leg_between((transaction.client, transaction.server))
    }

    /// On which side of a resolver a transaction between a client and a server lies.
    #[inline]
    pub fn leg_between(&self, (client, server): (HostId, HostId)) -> Leg {
        match self.roles.group_of(client) {
            Some(_) if !self.roles.same(client, server) => Leg::Upstream,
            _ => Leg::Client,
        }
    }

    /// The transactions.
    pub fn transactions(&self) -> &Transactions {
        &self.transactions
    }

    /// How many aliases and delegations were forgotten for lack of room.
    pub fn edges_forgotten(&self) -> u64 {
        self.edges.forgotten()
    }

    /// Who is what.
    pub fn roles(&self) -> &Roles {
        &self.roles
    }

    /// Learns roles anew from all that was seen so far.
    pub fn refresh_roles(&mut self) {
        self.edges.catch_up();
        self.roles.refresh(&self.transactions, &self.edges);
        self.note_resolvers();
    }

    fn note_resolvers(&mut self) {
        let groups = self.roles.groups().iter();
        self.transactions.note_resolvers(groups.flat_map(|group| group.hosts.iter().copied()));
    }

    /// How long answers took.
    pub fn latencies(&self) -> &Latencies {
        &self.latencies
    }
}

/// A history in which all is learned that its messages taught: what links questions is looked up in this.
#[derive(Clone, Copy, Debug)]
pub struct History<'r>(&'r Resolution);

impl<'r> History<'r> {
    /// What was learned of names.
    pub fn edges(self) -> &'r Edges {
        &self.0.edges
    }
}

impl Deref for History<'_> {
    type Target = Resolution;

    fn deref(&self) -> &Resolution {
        self.0
    }
}
