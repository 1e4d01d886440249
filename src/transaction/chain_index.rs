//! Where in a long chain to look: chains cut into stretches, of which it is known when they were.
//!
//! What is flagged is judged a minute after it was asked, and of a popular domain thousands of questions came since,
//! as many went before, and next to none of them was open then. Each lies in memory last touched long ago, so that
//! walking past them is what judging would cost. So a long chain that is looked at is cut into stretches: of each, the
//! number its walk begins with, and what tells that nothing in it matters. That is a fiftieth of the memory, side by side.
//!
//! Nothing is done for it while traffic passes: a chain is cut when it is first looked at, and what came since is cut
//! when a later time is asked about than was covered. As judging is behind the traffic, that is seldom, and each
//! transaction is visited about once.
//!
//! What is found is what a walk along the whole chain would find, but for stretches that whoever looks has said to leave
//! out. Stretches hold numbers and bounds; the transactions are read where they are kept, as they are now.

use std::collections::VecDeque;
use std::collections::hash_map::Entry;

use foldhash::{HashMap, HashMapExt};

use super::HostId;
use super::history::{History, Records};
use super::record::{Record, kept_domain};
use super::table::{MIRROR_MAX, Transaction, domain_key};
use crate::bounded::Sequence;
use crate::name::NameHash;
use crate::time::{Span, Timestamp};

/// How many transactions make a stretch.
const STRETCH: usize = 16;
/// Chains of so many steps are walked along as they are.
const SHORT: usize = 32;
/// Transactions come in order of time but for this much; those that do not are noted.
pub const DISORDER_MAX: Span = Span::from_secs(1);
/// When a stretch is over in which an answer may be still to come.
const UNSETTLED: Timestamp = Timestamp(i64::MAX);

/// The transactions of one host, as the server or as the client, about one domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct About {
    /// On which chain they are: [`About::BY_SERVER`] or [`About::BY_CLIENT`].
    by: usize,
    host: HostId,
    domain: NameHash,
}

impl About {
    /// The chain by server and domain.
    pub const BY_SERVER: usize = 0;
    /// The chain by client and domain, of clients that are asked themselves.
    pub const BY_CLIENT: usize = 1;

    pub fn new(by: usize, host: HostId, domain: NameHash) -> About {
        About { by, host, domain: kept_domain(domain) }
    }

    fn holds(self, record: &Record) -> bool {
        let (client, server) = record.ends();
        let host = if self.by == About::BY_SERVER { server } else { client };
        host == self.host && record.domain() == self.domain
    }

    /// The chain that they are on, with others whose key falls on the same slot.
    fn chain(self, history: &History) -> Records<'_> {
        history.chain(self.by, domain_key(self.host, self.domain))
    }

    /// Whether their chain has no more steps than that.
    pub fn is_within(self, history: &History, steps: usize) -> bool {
        self.chain(history).nth(steps).is_none()
    }

    /// They, newest first.
    pub fn all(self, history: &History) -> impl Iterator<Item = (Sequence, Transaction)> {
        self.on(self.chain(history), history)
    }

    /// They on a part of their chain.
    fn on<'h>(
        self,
        chain: impl Iterator<Item = (Sequence, &'h Record)>,
        history: &'h History,
    ) -> impl Iterator<Item = (Sequence, Transaction)> {
        let own = chain.filter(move |(_, record)| self.holds(record));
        own.map(|(sequence, record)| (sequence, history.kept(record).whole()))
    }

    /// They from one of them on, newest first.
    fn from(
        self,
        history: &History,
        newest: Sequence,
    ) -> impl Iterator<Item = (Sequence, Transaction)> {
        self.on(history.chain_from(self.by, newest), history)
    }
}

/// How far time has come, by the transactions, and which did not keep to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Order {
    /// The latest time of any.
    latest: Timestamp,
    /// The last that came much too late to be in order.
    disordered: Sequence,
}

impl Order {
    pub fn new() -> Order {
        Order { latest: Timestamp(i64::MIN), disordered: Sequence(0) }
    }

    /// Notes the next transaction.
    #[inline]
    pub fn note(&mut self, sequence: Sequence, asked: Timestamp) {
        if asked >= self.latest {
            self.latest = asked;
        } else if asked + DISORDER_MAX < self.latest {
            self.disordered = sequence;
        }
    }
}

/// Some transactions that follow each other on a chain.
#[derive(Clone, Copy, Debug)]
pub struct Segment {
    /// The newest of them.
    newest: Sequence,
    count: usize,
    /// None in it, nor in any younger one, was asked before.
    asked_from: Timestamp,
    /// None in it was sent last before this.
    sent_from: Timestamp,
    /// When the last of them was answered; [`UNSETTLED`] while some were not.
    over: Timestamp,
    /// A bit for each name: see [`Segment::may_ask_for`].
    names: u64,
}

impl Segment {
    fn new(newest: Sequence) -> Segment {
        let (asked_from, sent_from) = (Timestamp(i64::MAX), Timestamp(i64::MAX));
        Segment { newest, count: 0, asked_from, sent_from, over: Timestamp(i64::MIN), names: 0 }
    }

    fn add(&mut self, transaction: &Transaction) {
        self.count += 1;
        self.asked_from = self.asked_from.min(transaction.asked);
        self.sent_from = self.sent_from.min(transaction.asked_last);
        self.over = self.over.max(transaction.answered().unwrap_or(UNSETTLED));
        self.names |= bit(transaction.name);
    }

    /// What may have changed since it was cut: some were answered meanwhile, or sent again.
    fn look_again(&mut self, about: About, history: &History) {
        let mut now = Segment::new(self.newest);
        for (_, transaction) in about.from(history, self.newest).take(self.count) {
            now.add(&transaction);
        }
        if now.count == self.count {
            (self.sent_from, self.over) = (now.sent_from, now.over);
        }
    }

    /// Whether all in it were answered before a time.
    pub fn is_over_before(&self, time: Timestamp) -> bool {
        self.over < time
    }

    /// Whether all in it were answered.
    pub fn is_over(&self) -> bool {
        self.over < UNSETTLED
    }

    /// Whether none in it was sent, or sent again, before a time. If not, there may be one.
    pub fn is_sent_since(&self, time: Timestamp) -> bool {
        self.sent_from >= time
    }

    /// Whether one in it may ask for a name. If not, none does.
    pub fn may_ask_for(&self, name: NameHash) -> bool {
        self.names & bit(name) != 0
    }

    /// What is to be done with it where only a name matters.
    pub fn look_for(&self, name: NameHash) -> Look {
        if self.may_ask_for(name) { Look::Through } else { Look::Past }
    }
}

/// The bit of a name.
fn bit(name: NameHash) -> u64 {
    1 << (name.0 >> 58)
}

/// What is to be done with a stretch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// One in it can matter: it is gone through.
    Through,
    /// The same, if some in it have no answer yet: it is asked about once more as it is by now.
    ThroughIfOpen,
    /// None in it matters: they are counted only.
    Past,
    /// None in it matters, nor does any older one.
    NoFurther,
}

/// A part of a chain to be gone through.
#[derive(Clone, Copy, Debug)]
struct Scan {
    from: Sequence,
    count: usize,
}

/// What was found on a chain.
#[derive(Debug, Default)]
struct ScanResult {
    parts: Vec<Scan>,
    /// How many transactions are gone through, and stretches of them left out.
    counted: usize,
    /// Whether there was more than the limit.
    is_cut: bool,
}

impl ScanResult {
    /// Adds a part, as much of it as the limit allows.
    fn add(&mut self, part: Scan, limit: usize) {
        let count = part.count.min(limit.saturating_sub(self.counted));
        self.is_cut |= count < part.count;
        self.counted += part.count;
        if count > 0 {
            self.parts.push(Scan { count, ..part });
        }
    }
}

/// The transactions of some parts of a chain, newest first.
#[derive(Debug)]
pub struct Scans<'t> {
    history: &'t History,
    about: About,
    parts: std::vec::IntoIter<Scan>,
    chain: Option<Records<'t>>,
    /// How many of the part at hand are to come.
    left: usize,
    counted: usize,
    is_cut: bool,
}

impl<'t> Scans<'t> {
    fn new(
        history: &'t History,
        about: About,
        ScanResult { parts, counted, is_cut }: ScanResult,
    ) -> Scans<'t> {
        Scans { history, about, parts: parts.into_iter(), chain: None, left: 0, counted, is_cut }
    }

    /// How much it is to go through: each transaction, and each stretch that was left out.
    pub fn counted(&self) -> usize {
        self.counted
    }

    /// Whether there are more than were wanted, so that older ones are missing.
    pub fn are_cut(&self) -> bool {
        self.is_cut
    }

    /// At most `limit` from the newest that was asked by a time, along the chain as it is.
    pub(super) fn plain(
        history: &'t History,
        about: About,
        latest: Timestamp,
        limit: usize,
    ) -> Scans<'t> {
        let mut found = ScanResult::default();
        let mut asked = about.all(history).skip_while(|(_, other)| other.asked > latest).peekable();
        if let Some(&(from, _)) = asked.peek() {
            let count = asked.take(limit.saturating_add(1)).count();
            found.add(Scan { from, count }, limit);
        }
        Scans::new(history, about, found)
    }
}

impl<'t> Iterator for Scans<'t> {
    type Item = (Sequence, Transaction);

    fn next(&mut self) -> Option<(Sequence, Transaction)> {
        if self.left == 0 {
            let part = self.parts.next()?;
            self.chain = Some(self.history.chain_from(self.about.by, part.from));
            self.left = part.count;
        }
        // Where a part ends before its time, all that is older is forgotten.
        let about = self.about;
        let found = self.chain.as_mut()?.find(|(_, record)| about.holds(record));
        self.left = if found.is_some() { self.left.saturating_sub(1) } else { usize::MAX };
        found.map(|(sequence, record)| (sequence, self.history.kept(record).whole()))
    }
}

/// One chain, cut into stretches.
#[derive(Debug)]
struct SegmentedChain {
    /// The oldest first.
    stretches: VecDeque<Segment>,
    /// The number the next transaction had when it was cut.
    next: Sequence,
    /// How far time had come.
    until: Timestamp,
}

impl SegmentedChain {
    /// Whether all that can have been asked by a time is on it.
    fn covers(&self, latest: Timestamp, next: Sequence, order: Order) -> bool {
        let is_in_time = latest + MIRROR_MAX + DISORDER_MAX < self.until;
        self.next == next || is_in_time && order.disordered < self.next
    }

    /// Cuts what came since, and lets go what is forgotten.
    fn extend(&mut self, about: About, history: &History, order: Order) {
        let oldest = history.oldest();
        while self.stretches.pop_front_if(|stretch| stretch.newest < oldest).is_some() {}
        // If the newest had not become a whole one, it is cut anew. One that is not whole and older stays so.
        while self.stretches.pop_back_if(|stretch| stretch.count < STRETCH).is_some() {}
        let known = self.stretches.back().map(|stretch| stretch.newest);
        let mut new: Vec<Segment> = Vec::new();
        let since = about.chain(history).take_while(|(sequence, _)| Some(*sequence) > known);
        for (sequence, transaction) in about.on(since, history) {
            if new.last().is_none_or(|stretch| stretch.count == STRETCH) {
                new.push(Segment::new(sequence));
            }
            if let Some(stretch) = new.last_mut() {
                stretch.add(&transaction);
            }
        }
        for stretch in new.into_iter().rev() {
            // As time goes on, this seldom goes further than the first.
            let older = self.stretches.iter_mut().rev();
            older
                .take_while(|older| older.asked_from > stretch.asked_from)
                .for_each(|older| older.asked_from = stretch.asked_from);
            self.stretches.push_back(stretch);
        }
        (self.next, self.until) = (history.next(), order.latest);
    }

    /// The parts that [`ChainIndex::asked_by`] is about.
    fn parts(
        &mut self,
        about: About,
        history: &History,
        (latest, limit): (Timestamp, usize),
        mut look: impl FnMut(&Segment) -> Look,
    ) -> ScanResult {
        let mut found = ScanResult::default();
        // A copy of a query can have put its time back by so much since.
        let latest_then = latest + MIRROR_MAX;
        let younger = self.stretches.partition_point(|cut| cut.asked_from <= latest_then);
        let mut is_first = true;
        for stretch in self.stretches.range_mut(..younger).rev() {
            if stretch.newest < history.oldest() {
                break;
            }
            if is_first {
                let mut entries =
                    about.from(history, stretch.newest).take(stretch.count).enumerate();
                let first = entries.find(|(_, (_, transaction))| transaction.asked <= latest);
                let Some((passed, (from, _))) = first else { continue };
                found.add(Scan { from, count: stretch.count - passed }, limit);
                is_first = false;
                continue;
            }
            let mut verdict = look(stretch);
            if verdict == Look::ThroughIfOpen {
                stretch.look_again(about, history);
                verdict = look(stretch);
            }
            match verdict {
                Look::Through | Look::ThroughIfOpen => {
                    found.add(Scan { from: stretch.newest, count: stretch.count }, limit);
                }
                Look::Past => found.counted += 1,
                Look::NoFurther => break,
            }
            if found.counted > limit {
                found.is_cut = true;
                break;
            }
        }
        found
    }
}

/// The chains that were looked at, cut into stretches.
#[derive(Debug)]
pub(super) struct ChainIndex {
    chains: HashMap<About, SegmentedChain>,
    /// How many stretches they are in all. With the chains themselves, they are as many as this at most before all
    /// are let go.
    stretches: usize,
    stretches_max: usize,
}

impl ChainIndex {
    /// For a history of so many transactions.
    pub fn new(transactions: usize) -> ChainIndex {
        // Each is on two chains, and a stretch holds eight of them on average at least, so that only what is forgotten,
        // and chains that hold next to nothing, make it more than half of this.
        let stretches_max = transactions / 2;
        ChainIndex { chains: HashMap::new(), stretches: 0, stretches_max }
    }

    /// At most `limit` transactions from the newest that was asked by a time, but for those in stretches
    /// that `look` says to leave out, each of which counts as one. It is not asked about the first, nor where
    /// the chain is short.
    pub fn asked_by<'t>(
        &mut self,
        about: About,
        (history, order): (&'t History, Order),
        (latest, limit): (Timestamp, usize),
        look: impl FnMut(&Segment) -> Look,
    ) -> Scans<'t> {
        let Some(cut) = self.covering(about, history, order, latest) else {
            return Scans::plain(history, about, latest, limit);
        };
        Scans::new(history, about, cut.parts(about, history, (latest, limit), look))
    }

    /// The number that the next transaction had when one was cut last.
    #[cfg(test)]
    pub fn latest(&self) -> Option<Sequence> {
        self.chains.values().map(|cut| cut.next).max()
    }

    /// How many are remembered.
    #[cfg(test)]
    pub fn chains(&self) -> usize {
        self.chains.len()
    }

    /// A chain as it is cut, up to a time at least; `None` if it is short.
    fn covering(
        &mut self,
        about: About,
        history: &History,
        order: Order,
        latest: Timestamp,
    ) -> Option<&mut SegmentedChain> {
        // One without a stretch takes as much room.
        if self.stretches + self.chains.len() > self.stretches_max {
            // Most of it is forgotten meanwhile; what is not is cut anew when it is looked at.
            self.chains.clear();
            self.stretches = 0;
        }
        let cut = match self.chains.entry(about) {
            Entry::Occupied(cut) => cut.into_mut(),
            Entry::Vacant(place) => {
                about.chain(history).nth(SHORT)?;
                let (next, until) = (Sequence(0), Timestamp(i64::MIN));
                place.insert(SegmentedChain { stretches: VecDeque::new(), next, until })
            }
        };
        if !cut.covers(latest, history.next(), order) {
            let before = cut.stretches.len();
            cut.extend(about, history, order);
            self.stretches = self.stretches - before + cut.stretches.len();
        }
        Some(cut)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::message::simulated::{Draft, Simulated};
    use crate::packet::Ports;
    use crate::transaction::{Event, Limits, Transactions};

    const NAMES: [&str; 4] = ["example.com", "a.example.com", "b.example.com", "example.net"];
    const CLIENTS: [&str; 3] = ["10.0.0.1", "10.0.0.2", "10.0.0.3"];
    const SERVERS: [&str; 2] = ["10.0.0.53", "10.0.0.54"];
    /// A table that much of what is made up does not fit in.
    const LIMITS: Limits = Limits { transactions: 256, names: 1 << 16, hosts: 64 };

    /// What happens next; numbers are taken modulo what there is.
    #[derive(Clone, Debug)]
    enum Step {
        /// Time goes on, or back, by so many milliseconds.
        Time(i32),
        /// Some questions.
        Ask { client: usize, server: usize, name: usize, times: usize },
        /// The answer to one that had none.
        Answer(usize),
        /// One that had none is sent again, after so long; or its copy comes, or came before.
        Again { which: usize, copy: bool, ms: i32 },
        /// A look back by so much, at so many, without what matters as little as the third says.
        Look { ms: i32, limit: usize, over: i32 },
    }

    fn step() -> impl Strategy<Value = Step> {
        let ask = (0..3usize, 0..2usize, 0..4usize, 1..12usize);
        prop_oneof![
            4 => (0..900i32).prop_map(Step::Time),
            1 => (-30..30i32).prop_map(Step::Time),
            1 => prop_oneof![Just(-5_000i32), Just(20_000), Just(80_000)].prop_map(Step::Time),
            9 => ask.prop_map(|(client, server, name, times)| Step::Ask { client, server, name, times }),
            14 => any::<usize>().prop_map(Step::Answer),
            2 => (any::<usize>(), any::<bool>(), -19..19i32)
                .prop_map(|(which, copy, ms)| Step::Again { which, copy, ms }),
            5 => (-3_000..30_000i32, 1..150usize, -500..3_000i32)
                .prop_map(|(ms, limit, over)| Step::Look { ms, limit, over }),
        ]
    }

    struct Made {
        simulated: Simulated,
        transactions: Transactions,
        now: f64,
        asked: usize,
        open: Vec<Draft<'static>>,
    }

    impl Made {
        fn take(&mut self, draft: &Draft<'_>) -> Event {
            self.simulated.add(draft);
            let messages = &self.simulated.messages;
            let message = messages.get(messages.len() - 1).unwrap();
            self.transactions.take(messages, message)
        }

        fn take_step(&mut self, step: &Step) {
            match *step {
                Step::Time(ms) => self.now += f64::from(ms),
                Step::Ask { client, server, name, times } => {
                    for _ in 0..times {
                        self.asked += 1;
                        let draft = Draft {
                            at_ms: self.now,
                            from: CLIENTS[client],
                            to: SERVERS[server],
                            name: NAMES[name],
                            id: self.asked as u16,
                            port: 1024 + (self.asked % 60_000) as u16,
                            ..Draft::default()
                        };
                        self.take(&draft);
                        self.open.push(draft);
                        self.now += 0.4;
                    }
                }
                Step::Answer(which) if !self.open.is_empty() => {
                    // Mostly a late one, so that few stay open.
                    let place = self.open.len() - 1 - which % self.open.len().min(40);
                    let Draft { from, to, .. } = self.open[place];
                    let draft = self.open.swap_remove(place);
                    let at_ms = self.now;
                    self.take(&Draft { at_ms, from: to, to: from, response: true, ..draft });
                }
                Step::Again { which, copy, ms } if !self.open.is_empty() => {
                    let draft = self.open[which % self.open.len()].clone();
                    let again = match copy {
                        true => Draft { at_ms: draft.at_ms + f64::from(ms), ..draft },
                        false => Draft { at_ms: self.now, ip_id: 9, ..draft },
                    };
                    self.take(&again);
                }
                _ => {}
            }
        }

        /// Looks at all there is in each way, and compares with a walk along the whole chain.
        fn look(&self, ms: i32, limit: usize, over: i32) -> Result<(), TestCaseError> {
            let at = |ms: f64| Timestamp((ms * 1e6) as i64);
            let latest = at(self.now - f64::from(ms));
            let over = latest - Span::from_millis(i64::from(over));
            let began = latest - Span::from_secs(15);
            let hosts = self.transactions.hosts();
            let host = |address: &str| {
                let address = address.parse().unwrap();
                hosts.find(address)
            };
            let numbers = |found: Vec<(Sequence, Transaction)>| {
                found.iter().map(|(sequence, _)| sequence.0).collect::<Vec<u64>>()
            };
            for (server, name) in SERVERS.iter().flat_map(|s| NAMES.iter().map(move |n| (s, n))) {
                let Some(server) = host(server) else { continue };
                let wire = {
                    let mut wire = Vec::new();
                    crate::name::push_from_text(name, &mut wire).unwrap();
                    wire
                };
                let name = crate::name::Name::from_wire(&wire);
                let hasher = self.simulated.hasher;
                let (name, domain) = (hasher.hash(name), hasher.hash(name.last_two_labels()));
                let plain = || {
                    let all = self.transactions.with_server(server, domain);
                    all.skip_while(|(_, t)| t.asked > latest)
                };
                let by = |look: &dyn Fn(&Segment) -> Look| {
                    self.transactions.with_server_by(server, domain, (latest, limit), look)
                };

                let all = by(&|_| Look::Through);
                prop_assert!(all.are_cut() || plain().count() <= limit);
                prop_assert_eq!(numbers(all.collect()), numbers(plain().take(limit).collect()));
                // What was left out did not matter; and unless that is said, nothing else was.
                let is_right = |found: Vec<u64>, whole: Vec<u64>, is_cut| match is_cut {
                    true => found.len() <= limit && whole.starts_with(&found),
                    false => found == whole,
                };

                let matters = |found: &mut dyn Iterator<Item = (Sequence, Transaction)>| {
                    let since = found.take_while(|(_, t)| t.asked_last >= began);
                    let open = since.filter(|(_, t)| t.answered().is_none_or(|at| at >= over));
                    open.map(|(sequence, _)| sequence.0).collect::<Vec<u64>>()
                };
                let mut open = by(&|stretch| match (
                    stretch.is_over_before(over),
                    stretch.is_sent_since(began),
                ) {
                    (true, true) => Look::Past,
                    (true, false) => Look::NoFurther,
                    (false, _) if stretch.is_over() => Look::Through,
                    (false, _) => Look::ThroughIfOpen,
                });
                let is_cut = open.are_cut();
                prop_assert!(is_right(matters(&mut open), matters(&mut plain()), is_cut));

                let same = |found: &mut dyn Iterator<Item = (Sequence, Transaction)>| {
                    let since = found.take_while(|(_, t)| t.asked_last >= began);
                    let same = since.filter(|(_, t)| t.name == name);
                    same.map(|(sequence, _)| sequence.0).collect::<Vec<u64>>()
                };
                let mut alike = by(&|stretch| match stretch.is_sent_since(began)
                    && !stretch.may_ask_for(name)
                {
                    true => Look::Past,
                    false => Look::Through,
                });
                let is_cut = alike.are_cut();
                prop_assert!(is_right(same(&mut alike), same(&mut plain()), is_cut));
            }
            Ok(())
        }
    }

    proptest! {
        #[test]
        fn a_cut_chain_gives_what_the_whole_chain_would(
            steps in prop::collection::vec(step(), 1..400),
        ) {
            let mut made = Made {
                simulated: Simulated::new(),
                transactions: Transactions::new(LIMITS, Ports::new(&[])),
                now: 0.0,
                asked: 0,
                open: Vec::new(),
            };
            for step in &steps {
                made.take_step(step);
                if let Step::Look { ms, limit, over } = *step {
                    made.look(ms, limit, over)?;
                }
            }
        }
    }

    /// A table full of answered questions about one domain, ten a second.
    fn full() -> Made {
        let limits = Limits { transactions: 1 << 12, names: 1 << 18, hosts: 64 };
        let transactions = Transactions::new(limits, Ports::new(&[]));
        let simulated = Simulated::new();
        let mut made = Made { simulated, transactions, now: 0.0, asked: 0, open: Vec::new() };
        for _ in 0..1 << 12 {
            made.take_step(&Step::Ask { client: 0, server: 0, name: 1, times: 1 });
            made.now += 50.0;
            made.take_step(&Step::Answer(0));
            made.now += 50.0;
        }
        made
    }

    #[test]
    fn what_is_long_over_is_not_gone_through() {
        let made = full();
        let (_, oldest) = made.transactions.before(made.transactions.next()).last().unwrap();
        let latest = Timestamp(200_000_000_000);
        let over = latest - Span::from_secs(1);
        let look = |stretch: &Segment| match stretch.is_over_before(over) {
            true => Look::Past,
            false => Look::Through,
        };
        let within = (latest, 1024);
        let found = made.transactions.with_server_by(oldest.server, oldest.domain, within, look);
        let found = found.count();
        assert!((10..=10 + 2 * STRETCH).contains(&found), "{found} of the last second's ten");
    }

    #[test]
    fn a_chain_is_not_cut_anew_while_the_past_is_looked_at() {
        let mut made = full();
        let (_, oldest) = made.transactions.before(made.transactions.next()).last().unwrap();
        let (server, domain) = (oldest.server, oldest.domain);
        let look = |made: &Made, seconds: i64| {
            let latest = Timestamp(seconds * 1_000_000_000);
            let within = (latest, 64);
            made.transactions.with_server_by(server, domain, within, |_| Look::Through).next();
            made.transactions.cut_until()
        };
        let first = look(&made, 300);
        for _ in 0..100 {
            made.take_step(&Step::Ask { client: 1, server: 0, name: 0, times: 1 });
            made.now += 100.0;
        }
        assert_eq!(look(&made, 310), first);
        assert!(look(&made, 1_000) > first);
    }

    #[test]
    fn chains_that_hold_nothing_of_what_was_looked_for_are_not_remembered_for_ever() {
        let made = full();
        let (_, oldest) = made.transactions.before(made.transactions.next()).last().unwrap();
        let within = (Timestamp(200_000_000_000), 64);
        for n in 1..5_000 {
            // Another domain on the same slot, as one of so many thousand is.
            let domain = NameHash(oldest.domain.0 ^ n << 32);
            let mut found =
                made.transactions.with_server_by(oldest.server, domain, within, |_| Look::Through);
            assert!(found.next().is_none());
        }
        let remembered = made.transactions.cut_chains();
        assert!(remembered <= (1 << 12) / 2, "{remembered}");
    }
}
