//! Whether the two sides of a resolver were stamped by two clocks, and how far these are apart.
//!
//! Whoever a resolver asks upstream for waits all the while: asks before it, and has its answer after it. So, with
//! the clock of the resolver's own queries ahead of that of its clients by an offset (RFC 5905 section 4), negative if behind,
//!
//! ```text
//! query answered - client answered  <=  offset  <=  query asked - client asked
//! ```
//!
//! and each client that waited as long as a query took bounds it from both sides. By one clock these bounds hold zero
//! between them. Where what clients asked for only once says with one voice that they do not, there are two.

use std::collections::{BTreeMap, BTreeSet};

use super::Resolution;
use super::candidate::OUT_OF_ORDER;
use super::role::Group;
use crate::bounded::Sequence;
use crate::frame::FrameId;
use crate::time::Span;
use crate::transaction::{HostId, Transaction};

/// What is asked for again after so long is another lookup.
const LATELY: Span = Span::from_secs(30);
/// How many transactions are gone through, the latest.
const LOOKED_AT_MAX: usize = 1 << 13;
/// For how many of a resolver's queries a question is looked for,
const LOOKED_UP_MAX: usize = 512;
/// and for how many of all of them,
const LOOKED_UP_IN_ALL_MAX: usize = 1 << 10;
/// if it is quickly found: what is asked for once is mostly of a domain that is seldom asked for.
const STEPS_MAX: usize = 64;
/// Fewer say nothing,
const PAIRS_MIN: usize = 8;
/// and so many at least must be there to say that two clocks do not even keep apart by the same.
const UNSTEADY_MIN: usize = 20;
/// What comes from a cache comes sooner.
const WAITED_MIN: Span = Span::from_millis(1);
/// By so much two clocks that are held to the same time sway.
const SWAY: Span = Span::from_millis(1);
/// It is looked for when so many transactions are there, and again whenever there are twice as many, later four times.
const FIRST_AT: u64 = 1 << 4;
const OFTEN_UNTIL: u64 = 1 << 12;

/// That a resolver's own queries were stamped by another clock than its clients' questions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClocksApart {
    /// How far the clock of its own queries is ahead; negative if it is behind. With [`ClocksApart::is_steady`] off, half of
    /// the time more.
    pub offset: Span,
    /// Whether it is so all the time.
    pub is_steady: bool,
    /// Whether only some of its clients' questions were, those of some files.
    pub is_of_some: bool,
    /// How many lookups say so,
    pub agreeing: usize,
    /// of so many.
    pub pairs: usize,
    /// By what which files are to be shifted to mend it, by their places among the inputs: those of its own queries or those of its
    /// clients' questions, if none holds both. None if it is not steady.
    pub shifts: BTreeMap<u16, Span>,
    /// The files that stay as they are.
    pub stays: BTreeSet<u16>,
}

/// What of a resolver's queries is stamped by one clock: those to servers of the site, or to others; or where that is not so,
/// those of them that are in one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Side {
    /// The first of the resolver's addresses.
    resolver: HostId,
    is_internal: bool,
    file: Option<u16>,
}

impl Side {
    /// Whether it is the same, or one file of it.
    fn is_of(self, whole: Side) -> bool {
        (self.resolver, self.is_internal) == (whole.resolver, whole.is_internal)
    }
}

/// What is known of clocks by now.
#[derive(Debug)]
pub(super) struct Offsets {
    of: BTreeMap<Side, ClocksApart>,
    /// How many transactions there must have been for it to be looked for again.
    due: u64,
}

impl Default for Offsets {
    fn default() -> Offsets {
        Offsets { of: BTreeMap::new(), due: FIRST_AT }
    }
}

/// A client's question and the query for it that the resolver asked, which say between what the offset lies.
#[derive(Clone, Copy, Debug)]
struct Pair {
    least: Span,
    most: Span,
    ask: FrameId,
    query: FrameId,
}

impl Pair {
    /// Of a question and a query for the same, if its client can have waited for that.
    fn of(ask: &Transaction, query: &Transaction) -> Option<Pair> {
        let (ask_ended, query_ended) = (ask.answered()?, query.answered()?);
        let is_once = |asked: &Transaction| asked.has_query() && asked.asked == asked.asked_last;
        let took = query_ended - query.asked;
        let waited = ask_ended - ask.asked;
        let can_be = is_once(ask) && is_once(query) && waited >= took && took >= WAITED_MIN;
        let (least, most) = (query_ended - ask_ended, query.asked - ask.asked);
        can_be.then_some(Pair { least, most, ask: ask.query, query: query.query })
    }

    fn allows(&self, offset: Span, sway: Span) -> bool {
        self.least - sway <= offset && offset <= self.most + sway
    }
}

impl Resolution {
    /// Looks at the clocks again if much came since that was done.
    #[inline]
    pub(super) fn look_at_clocks_when_due(&mut self) {
        let count = self.transactions.next().0;
        if count >= self.offsets.due {
            self.look_at_clocks();
            let times = if count < OFTEN_UNTIL { 2 } else { 4 };
            self.offsets.due = count.saturating_mul(times);
        }
    }

    /// Compares the clocks of the two sides of each resolver, by the latest that was asked.
    #[inline(never)]
    pub fn look_at_clocks(&mut self) {
        let mut pairs: BTreeMap<Side, Pairs> = BTreeMap::new();
        let (oldest, next) = (self.transactions.oldest().0, self.transactions.next().0);
        let mut left = LOOKED_UP_IN_ALL_MAX;
        for sequence in (oldest..next).rev().take(LOOKED_AT_MAX).map(Sequence) {
            if left == 0 {
                break;
            }
            let Some(query) = self.transactions.kept(sequence) else { continue };
            let (client, server) = query.ends();
            let Some(group) = self.roles.group_of(client) else { continue };
            if group.hosts.contains(&server) || query.answered().is_none() {
                continue;
            }
            let query = query.whole();
            let Some(side) = self.side(&query) else { continue };
            let pairs = pairs.entry(side).or_default();
            pairs.looked_up += 1;
            if pairs.looked_up <= LOOKED_UP_MAX {
                left -= 1;
                let (once, lately) = self.only_asks_for(group, &query);
                pairs.once.extend(once.and_then(|ask| Pair::of(&ask, &query)));
                pairs.lately.extend(lately.and_then(|ask| Pair::of(&ask, &query)));
            }
        }
        for (side, pairs) in pairs {
            self.offsets.judge(side, &pairs.of_lookups());
        }
    }

    fn side(&self, query: &Transaction) -> Option<Side> {
        let resolver = *self.roles.group_of(query.client)?.hosts.first()?;
        let is_internal = self.transactions.hosts().get(query.server)?.address.is_internal();
        Some(Side { resolver, is_internal, file: None })
    }

    /// The only question of clients for what a resolver asked, if there is only one; and the only one about that time.
    fn only_asks_for(
        &self,
        group: &Group,
        query: &Transaction,
    ) -> (Option<Transaction>, Option<Transaction>) {
        let (mut all, mut lately) = (Only::None, Only::None);
        for resolver in &group.hosts {
            let few = self.transactions.if_few_with_server(*resolver, query.domain, STEPS_MAX);
            let Some(asks) = few else { return (None, None) };
            let asks = asks
                .map(|(_, ask)| ask)
                .filter(|ask| ask.same_question(query) && !group.hosts.contains(&ask.client));
            for ask in asks {
                all.add(ask);
                if (ask.asked - query.asked).abs() <= LATELY {
                    lately.add(ask);
                }
            }
        }
        (all.one(), lately.one())
    }

    /// That a resolver's query was stamped by another clock than its clients' questions, if so.
    pub fn clocks_apart(&self, query: &Transaction) -> Option<&ClocksApart> {
        if self.offsets.of.is_empty() {
            return None;
        }
        let side = self.side(query)?;
        let in_file = Side { file: Some(query.query.file()), ..side };
        self.offsets.of.get(&side).or_else(|| self.offsets.of.get(&in_file))
    }

    /// Whether any queries of a resolver were.
    pub fn has_clocks_apart(&self, resolver: HostId) -> bool {
        let first = || self.roles.group_of(resolver)?.hosts.first();
        !self.offsets.of.is_empty()
            && self.offsets.of.keys().any(|side| Some(&side.resolver) == first())
    }

    /// The resolvers of which that is so, in each file by itself: first what most lookups say.
    pub fn all_clocks_apart(&self) -> Vec<(HostId, &ClocksApart)> {
        let mut all: Vec<_> =
            self.offsets.of.iter().map(|(side, apart)| (side.resolver, apart)).collect();
        all.sort_by_key(|(_, apart)| std::cmp::Reverse((apart.is_steady, apart.agreeing)));
        all
    }
}

/// What is one, as long as there is no other.
enum Only {
    None,
    One(Transaction),
    Several,
}

impl Only {
    fn add(&mut self, ask: Transaction) {
        *self = if matches!(self, Only::None) { Only::One(ask) } else { Only::Several };
    }

    fn one(self) -> Option<Transaction> {
        if let Only::One(ask) = self { Some(ask) } else { None }
    }
}

/// The pairs of a side, the latest first.
#[derive(Debug, Default)]
struct Pairs {
    /// For how many queries a question was looked for.
    looked_up: usize,
    /// Of what was asked for once: whatever the offset, these belong together.
    once: Vec<Pair>,
    /// Of what was asked for once within half a minute.
    lately: Vec<Pair>,
}

impl Pairs {
    /// Those that belong together.
    fn of_lookups(self) -> Vec<Pair> {
        let pairs = of_one_lookup(self.once);
        if pairs.len() < PAIRS_MIN { of_one_lookup(self.lately) } else { pairs }
    }
}

impl Offsets {
    /// Notes what pairs say of a side: as a whole, or of each file of it. What is known stays where too few say otherwise.
    fn judge(&mut self, side: Side, pairs: &[Pair]) {
        if pairs.len() < PAIRS_MIN {
            return;
        }
        self.of.retain(|known, _| !known.is_of(side));
        if let Some(apart) = apart_of_late(pairs) {
            self.of.insert(side, apart);
            return;
        }
        let mut by_file: BTreeMap<u16, Vec<Pair>> = BTreeMap::new();
        for pair in pairs {
            by_file.entry(pair.query.file()).or_default().push(*pair);
        }
        for (file, pairs) in by_file.into_iter().filter(|(_, of_file)| of_file.len() < pairs.len())
        {
            let file = Some(file);
            self.of.extend(apart_of_late(&pairs).map(|apart| (Side { file, ..side }, apart)));
        }
        if !self.of.keys().any(|known| known.is_of(side)) {
            self.of.extend(apart_of_some_clients(pairs).map(|apart| (side, apart)));
        }
    }
}

/// How far two clocks are apart, if they are, of late or before: clocks are set.
fn apart_of_late(pairs: &[Pair]) -> Option<ClocksApart> {
    let (late, early) = pairs.split_at(pairs.len() / 2);
    apart(pairs).or_else(|| apart(late)).or_else(|| apart(early))
}

/// Those of questions for which the resolver asked at one time only. Where it asked again, for whom is not known.
fn of_one_lookup(pairs: Vec<Pair>) -> Vec<Pair> {
    let mut first_and_last: BTreeMap<FrameId, (Span, Span)> = BTreeMap::new();
    for pair in &pairs {
        let (first, last) = first_and_last.entry(pair.ask).or_insert((pair.most, pair.most));
        (*first, *last) = ((*first).min(pair.most), (*last).max(pair.most));
    }
    let is_of_one = |pair: &Pair| {
        first_and_last.get(&pair.ask).is_some_and(|(first, last)| *last - *first <= LATELY)
    };
    pairs.into_iter().filter(is_of_one).collect()
}

/// How far two clocks are apart, if they are.
fn apart(pairs: &[Pair]) -> Option<ClocksApart> {
    let count = pairs.len();
    let by_one_clock = pairs.iter().filter(|pair| pair.allows(Span(0), OUT_OF_ORDER)).count();
    if count < PAIRS_MIN || by_one_clock * 2 > count {
        return None;
    }
    let (offset, agreeing) = most_agreed(pairs);
    let is_steady = agreeing * 5 >= count * 4;
    if !is_steady && (count < UNSTEADY_MIN || by_one_clock * 5 > count) {
        return None;
    }
    let offset = if is_steady { offset } else { median(pairs) };
    let stays: BTreeSet<u16> = pairs.iter().map(|pair| pair.ask.file()).collect();
    let of_queries: BTreeSet<u16> = pairs.iter().map(|pair| pair.query.file()).collect();
    let moves = of_queries.difference(&stays).filter(|_| is_steady);
    let shifts = moves.map(|file| (*file, Span(-offset.0))).collect();
    Some(ClocksApart {
        offset,
        is_steady,
        is_of_some: false,
        agreeing,
        pairs: count,
        shifts,
        stays,
    })
}

/// How far the clock of some of a resolver's clients is apart, each in a file of its own, if that of its own queries and of its
/// other clients' is one.
fn apart_of_some_clients(pairs: &[Pair]) -> Option<ClocksApart> {
    let of_queries: BTreeSet<u16> = pairs.iter().map(|pair| pair.query.file()).collect();
    let mut of_asks: BTreeMap<u16, Vec<Pair>> = BTreeMap::new();
    for pair in pairs {
        of_asks.entry(pair.ask.file()).or_default().push(*pair);
    }
    of_asks.retain(|_, of_file| of_file.len() < pairs.len());
    let mut found: Option<ClocksApart> = None;
    for (file, apart) in of_asks.iter().filter_map(|(file, of)| Some((*file, apart_of_late(of)?))) {
        let shift =
            Some((file, apart.offset)).filter(|_| apart.is_steady && !of_queries.contains(&file));
        let found = found.get_or_insert(ClocksApart {
            shifts: BTreeMap::new(),
            stays: BTreeSet::new(),
            is_of_some: true,
            ..apart
        });
        found.shifts.extend(shift);
    }
    let all = pairs.iter().flat_map(|pair| [pair.ask.file(), pair.query.file()]);
    found.map(|found| {
        let stays = all.filter(|file| !found.shifts.contains_key(file)).collect();
        ClocksApart { stays, ..found }
    })
}

/// The offset that most pairs allow, and how many do: the middle of where that is so.
fn most_agreed(pairs: &[Pair]) -> (Span, usize) {
    let mut bounds: Vec<(Span, i8)> =
        pairs.iter().flat_map(|pair| [(pair.least - SWAY, -1), (pair.most + SWAY, 1)]).collect();
    // Where one begins and another ends, both hold.
    bounds.sort_unstable();
    let (mut open, mut best, mut from) = (0_usize, (Span(0), 0_usize), None::<Span>);
    for (at, kind) in bounds {
        if kind < 0 {
            open += 1;
            if open > best.1 {
                (best, from) = ((at, open), Some(at));
            }
        } else {
            open -= 1;
            if let Some(began) = from.take() {
                best.0 = began + Span((at - began).0 / 2);
            }
        }
    }
    best
}

/// The middle one of the pairs' middles.
fn median(pairs: &[Pair]) -> Span {
    let middle = |pair: &Pair| pair.least + Span((pair.most - pair.least).0 / 2);
    let mut middles: Vec<Span> = pairs.iter().map(middle).collect();
    middles.sort_unstable();
    middles.get(middles.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(least: i64, most: i64) -> Pair {
        let (least, most) = (Span::from_millis(least), Span::from_millis(most));
        Pair { least, most, ask: FrameId::new(0, 1), query: FrameId::new(1, 1) }
    }

    #[test]
    fn what_all_pairs_allow_is_the_offset() {
        let pairs: Vec<Pair> = (0..20).map(|n| pair(700 - n, 705 + n)).collect();
        let found = apart(&pairs).unwrap();
        assert_eq!((found.offset, found.agreeing, found.pairs), (Span(702_500_000), 20, 20));
        assert!(found.is_steady);
        assert_eq!(found.shifts, BTreeMap::from([(1, Span(-702_500_000))]));
        assert_eq!(found.stays, BTreeSet::from([0]));
        let behind: Vec<Pair> = (0..20).map(|n| pair(-705 - n, -700 + n)).collect();
        assert_eq!(apart(&behind).unwrap().offset, Span(-702_500_000));
    }

    #[test]
    fn by_one_clock_nothing_is_said() {
        let mut pairs: Vec<Pair> = (0..20).map(|n| pair(-n, 1 + n)).collect();
        assert_eq!(apart(&pairs), None);
        // What a mirror port puts out of order,
        pairs.extend((0..10).map(|_| pair(1, 2)));
        assert_eq!(apart(&pairs), None);
        // and what a few are that were answered otherwise.
        pairs.extend((0..20).map(|n| pair(100 * n, 100 * n + 5)));
        assert_eq!(apart(&pairs), None);
    }

    #[test]
    fn few_say_nothing_and_many_of_which_no_two_agree_say_that_it_changes() {
        let swaying = |count: i64| (0..count).map(|n| pair(100 * n + 50, 100 * n + 55)).collect();
        let (few, some, many): (Vec<_>, Vec<_>, Vec<_>) = (swaying(7), swaying(19), swaying(21));
        assert_eq!(apart(&few), None);
        assert_eq!(apart(&some), None);
        let found = apart(&many).unwrap();
        assert_eq!((found.is_steady, found.offset), (false, Span(1_052_500_000)));
    }

    #[test]
    fn a_file_with_both_sides_is_not_to_be_moved() {
        let mut pairs: Vec<Pair> = (0..20).map(|_| pair(700, 705)).collect();
        pairs[3].ask = FrameId::new(1, 7);
        assert!(apart(&pairs).unwrap().shifts.is_empty());
    }

    #[test]
    fn a_file_of_some_clients_is_moved_to_the_others() {
        let mut pairs: Vec<Pair> =
            (0..40).map(|n| pair(if n % 2 == 0 { 0 } else { 400 }, 402)).collect();
        pairs.iter_mut().step_by(2).for_each(|pair| pair.most = Span::from_millis(2));
        assert_eq!(apart_of_some_clients(&pairs), None);
        for (n, pair) in pairs.iter_mut().enumerate() {
            pair.ask = FrameId::new(2 * (n as u16 % 2), 1);
        }
        let found = apart_of_some_clients(&pairs).unwrap();
        assert_eq!(found.shifts, BTreeMap::from([(2, Span::from_millis(401))]));
        assert_eq!(found.stays, BTreeSet::from([0, 1]));
    }
}
