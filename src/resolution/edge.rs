//! What responses taught a resolver: aliases, and which servers a zone is delegated to.

use super::Limits;
use super::deferred::{DeferredEdge, DeferredEdges};
use super::edge_store::{EdgeRecord, EdgeStore};
use super::redirection::{MadeName, Redirections, STEPS_ON_MAX};
use crate::bounded::{Ring, Sequence, Text, TextRing};
use crate::frame::FrameId;
use crate::message::{Fact, Message, Messages, NameRef};
use crate::name::{Name, NameHash, NameHasher};
use crate::time::{Span, Timestamp};
use crate::transaction::HostId;

/// Chain of [`Edges`] by resolver and owner.
const BY_OWNER: usize = 0;
/// Chain by resolver and target.
const BY_TARGET: usize = 1;
/// Chain by resolver and the target's domain.
const BY_TARGET_DOMAIN: usize = 2;
/// No TTL is believed for longer than this (RFC 8767 section 4 suggests a week; chains change sooner).
const TTL_MAX: Span = Span::from_secs(24 * 3600);
/// What was learned stays believable this much longer than its TTL, for resolvers round. One that serves
/// stale aliases shows it: its answers teach them anew.
const SLACK: Span = Span::from_secs(2);
/// How many earlier lives are remembered. What is judged was asked up to 160 s ago, and an alias of a few seconds has
/// had several since.
pub(super) const EARLIER_MAX: usize = 6;
/// In what it is measured when an earlier life began, how long it lasted, and how long if that was more than an hour.
const MILLISECOND: i64 = 1_000_000;
const EIGHTH: i64 = 125_000_000;
const EIGHT_SECONDS: i64 = 8_000_000_000;
/// How many steps of a chain are followed for one look-up that has no count of its own.
const STEPS_MAX: usize = 512;
/// How many name servers of a response are believed. Top-level domains have 13, and a resolver tries a few; more are
/// an attack on who would ask for all their addresses (CVE-2022-2795), or on what is kept of others.
const NAMESERVERS_MAX: usize = 32;
/// Of so many edges into a domain that is redirected it is looked whether they lead on by that.
const INTO_REDIRECTED_MAX: usize = 16;
/// How many names of an answer's chain of aliases are followed. Resolvers give up sooner: BIND after 16 aliases.
const COURSE_MAX: usize = 17;

/// What links two names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EdgeKind {
    /// The owner is an alias of the target (CNAME, or what a resolver makes of a DNAME).
    Alias,
    /// The owner is a zone that the target serves (NS).
    Delegation,
}

/// Where and when something was learned.
#[derive(Clone, Copy, Debug)]
pub struct Provenance {
    /// The frame of the response.
    pub frame: FrameId,
    /// Its time.
    pub time: Timestamp,
}

impl Provenance {
    /// The later of two. What a redirection implies may be older than what was said of the name itself.
    #[inline]
    pub(super) fn later(self, other: Provenance) -> Provenance {
        if other.time < self.time { self } else { other }
    }
}

/// From when to when something may be used: from when it was learned until its TTL has run out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Life {
    pub from: Timestamp,
    pub until: Timestamp,
}

impl Life {
    fn holds(self, from: Timestamp, until: Timestamp) -> bool {
        self.from <= until && from <= self.until + SLACK
    }

    /// It and another that begins before it is over, or just after, as one.
    #[inline]
    pub fn extended_by(self, next: Life) -> Option<Life> {
        let until = self.until.max(next.until);
        (next.from <= self.until + SLACK).then_some(Life { until, ..self })
    }
}

/// A life before the last: how long before that it began, in milliseconds, for whether it was known when a query was sent
/// hangs on that; and how long it lasted, rounded up to eighths of a second, or, with the highest bit set, to eight seconds.
/// None if it lasted no time. Packed, for edges of short lives have many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(Rust, packed(2))]
pub(super) struct Earlier {
    began: u32,
    lasted: u16,
}

impl Earlier {
    const IN_EIGHT_SECONDS: u16 = 1 << 15;

    /// One that ended before the last began; none if it began weeks before.
    fn of(life: Life, last: Timestamp) -> Earlier {
        let in_units =
            |span: Span, unit: i64| span.0.max(0).div_euclid(unit) + i64::from(span.0 % unit != 0);
        let Ok(began) = u32::try_from(in_units(last - life.from, MILLISECOND)) else {
            return Earlier::default();
        };
        let from = last - Span(i64::from(began) * MILLISECOND);
        let lasted = life.until - from;
        let fine = u16::try_from(in_units(lasted, EIGHTH).max(1)).ok();
        let lasted = fine.filter(|fine| *fine < Earlier::IN_EIGHT_SECONDS).unwrap_or_else(|| {
            let rough =
                in_units(lasted, EIGHT_SECONDS).min(i64::from(Earlier::IN_EIGHT_SECONDS) - 1);
            rough as u16 | Earlier::IN_EIGHT_SECONDS
        });
        Earlier { began, lasted }
    }

    /// When it was, given when the last began.
    fn life(self, last: Timestamp) -> Option<Life> {
        let Earlier { began, lasted } = self;
        let unit = if lasted & Earlier::IN_EIGHT_SECONDS == 0 { EIGHTH } else { EIGHT_SECONDS };
        let from = last - Span(i64::from(began) * MILLISECOND);
        let until = from + Span(i64::from(lasted & !Earlier::IN_EIGHT_SECONDS) * unit);
        (lasted > 0).then_some(Life { from, until })
    }
}

/// One name leading to another, as one resolver knows it.
#[derive(Clone, Copy, Debug)]
pub struct Edge {
    /// Keyed hash of the owner.
    pub owner: NameHash,
    /// Keyed hash of the target.
    pub target: NameHash,
    /// The response that taught it last.
    pub last: Provenance,
    /// Until when it can be used, by what was learned last.
    pub(super) until: Timestamp,
    /// Whose knowledge it is.
    pub resolver: HostId,
    /// Alias or delegation.
    pub kind: EdgeKind,
    /// Since when it can.
    pub(super) from: Timestamp,
    /// The response that taught it first.
    pub first: Provenance,
    /// When it could be used before it had to be learned anew, the latest first.
    pub(super) earlier: [Earlier; EARLIER_MAX],
    pub(super) owner_text: Text,
    pub(super) target_text: Text,
}

impl Edge {
    /// One that a resolver learns now, for so many seconds. It has no texts yet.
    #[inline]
    fn new(
        (resolver, kind): (HostId, EdgeKind),
        [owner, target]: [NameRef; 2],
        ttl: u32,
        learned: Provenance,
    ) -> Edge {
        Edge {
            owner: owner.hash,
            target: target.hash,
            last: learned,
            until: learned.time + Span::from_secs(i64::from(ttl)).min(TTL_MAX),
            resolver,
            kind,
            from: learned.time,
            first: learned,
            earlier: [Earlier::default(); EARLIER_MAX],
            owner_text: Text::default(),
            target_text: Text::default(),
        }
    }

    /// Whether the resolver could use it at some time between two.
    pub fn is_known(&self, from: Timestamp, until: Timestamp) -> bool {
        let mut earlier = self.earlier.iter().filter_map(|earlier| earlier.life(self.from));
        self.life().holds(from, until) || earlier.any(|life| life.holds(from, until))
    }

    /// Whether it was learned, or learned anew, after a time.
    pub fn is_learned_after(&self, time: Timestamp) -> bool {
        self.from > time
    }

    fn life(&self) -> Life {
        Life { from: self.from, until: self.until }
    }

    /// Whether it was something before that what is there of it now does not tell.
    pub(super) fn has_past(&self) -> bool {
        self.first.time != self.from || self.earlier != [Earlier::default(); EARLIER_MAX]
    }

    pub(super) fn learn_again(&mut self, learned: Provenance, life: Life) {
        self.last = self.last.later(learned);
        match self.life().extended_by(life) {
            Some(Life { until, .. }) => self.until = until,
            None => self.begin_anew(life),
        }
    }

    #[cold]
    fn begin_anew(&mut self, life: Life) {
        let mut before = Some(self.life());
        for earlier in &mut self.earlier {
            let next = earlier.life(self.from);
            *earlier = before
                .map_or(Earlier::default(), |life_before| Earlier::of(life_before, life.from));
            before = next;
        }
        (self.from, self.until) = (life.from, life.until);
    }

    /// The latest time up to another at which the resolver was told of it, as far as is remembered.
    pub fn told_by(&self, time: Timestamp) -> Timestamp {
        if self.last.time <= time {
            return self.last.time;
        }
        let earlier = self.earlier.iter().filter_map(|earlier| earlier.life(self.from));
        let begins = earlier.map(|life| life.from).chain([self.from]);
        begins.filter(|began| *began <= time).max().unwrap_or(self.first.time)
    }

    /// Whether it had more lives than are remembered.
    pub(super) fn is_partly_forgotten(&self) -> bool {
        self.earlier.last().is_some_and(|earlier| *earlier != Earlier::default())
    }

    /// Whether its time had not run out at a time.
    pub(super) fn is_fresh(&self, time: Timestamp) -> bool {
        let earlier = self.earlier.iter().filter_map(|earlier| earlier.life(self.from));
        earlier.chain([self.life()]).any(|life| life.from <= time && time <= life.until)
    }

    /// When the resolver was told of it first after a time, as far as is remembered.
    pub(super) fn told_after(&self, time: Timestamp) -> Option<Timestamp> {
        let earlier = self.earlier.iter().filter_map(|earlier| earlier.life(self.from));
        let begins = earlier.map(|life| life.from).chain([self.from]);
        begins.filter(|began| *began > time).min()
    }

    /// Where it was learned last before a time, as far as is remembered, or else first.
    pub fn learned_before(&self, time: Timestamp) -> Provenance {
        if self.last.time <= time { self.last } else { self.first }
    }
}

/// An alias in the answer of one transaction. Of both numbers, the lower 32 bits.
#[derive(Clone, Copy, Debug)]
struct AnswerAlias {
    transaction: u32,
    edge: u32,
}

/// All edges kept, by owner and by target. At the limit the oldest are forgotten.
#[derive(Debug)]
pub struct Edges {
    kept: EdgeStore,
    names: TextRing,
    answers: Ring<AnswerAlias, 1>,
    lessons: DeferredEdges,
    redirections: Redirections,
}

impl Edges {
    pub(super) fn new(limits: Limits, hasher: NameHasher) -> Edges {
        Edges {
            kept: EdgeStore::new(limits.edges),
            names: TextRing::new(limits.edge_names),
            answers: Ring::new(limits.answer_aliases),
            lessons: DeferredEdges::new(),
            redirections: Redirections::new(limits, hasher),
        }
    }

    /// Takes all the memory that it can come to need.
    pub(super) fn take_room(&mut self) {
        self.kept.take_room();
        self.names.take_room();
        self.answers.take_room();
        self.redirections.take_room();
    }

    /// Learns the facts of a response for one resolver. With `answer_of`, its aliases are also
    /// remembered as the answer of that transaction. They are there to be looked up after [`Edges::catch_up`].
    pub(super) fn learn(
        &mut self,
        resolver: HostId,
        answer_of: Option<Sequence>,
        messages: &Messages,
        message: &Message,
    ) {
        let learned = Provenance { frame: message.frame, time: message.time };
        let Some(question) = message.question else { return };
        let course = Course::of(question.name, messages.facts(message));
        let mut nameservers = 0;
        let mut redirects = false;
        for fact in messages.facts(message) {
            let (kind, owner, target, ttl) = match *fact {
                Fact::Alias { owner, target, ttl } if course.leads(owner, target) => {
                    (EdgeKind::Alias, owner, target, ttl)
                }
                Fact::Redirection { .. } => {
                    redirects = true;
                    continue;
                }
                // The servers of the root and of top-level domains serve everybody: they say nothing
                // about who needs what.
                Fact::Delegation { zone, server, ttl }
                    if zone.labels >= 2
                        && nameservers < NAMESERVERS_MAX
                        && course.is_within(zone, messages) =>
                {
                    nameservers += 1;
                    (EdgeKind::Delegation, zone, server, ttl)
                }
                _ => continue,
            };
            let edge = Edge::new((resolver, kind), [owner, target], ttl, learned);
            let names = [messages.name(owner), messages.name(target)];
            let keys = [owner.hash, target.hash, target.domain].map(|name| key(resolver, name));
            let answer_of = answer_of.filter(|_| kind == EdgeKind::Alias);
            self.put_off(DeferredEdge { edge, keys, answer_of }, names);
        }
        if redirects {
            self.learn_redirections(resolver, messages, message);
        }
        if self.has_redirections() {
            self.redirect((resolver, message.time), course.last(), messages);
        }
    }

    /// Learns the DNAME records of a response.
    #[cold]
    #[inline(never)]
    fn learn_redirections(&mut self, resolver: HostId, messages: &Messages, message: &Message) {
        let learned = Provenance { frame: message.frame, time: message.time };
        for fact in messages.facts(message) {
            // Nobody redirects a top-level domain: who says so wants to say it of everybody below.
            if let Fact::Redirection { owner, target, ttl } = *fact
                && owner.labels >= 2
            {
                let edge = Edge::new((resolver, EdgeKind::Alias), [owner, target], ttl, learned);
                let names = [messages.name(owner), messages.name(target)];
                self.redirections.learn(edge, owner.domain, names);
                self.redirect_what_leads_into((resolver, message.time), owner.domain);
            }
        }
    }

    /// Whether there are names below which all leads elsewhere: only then [`Edges::redirect`] does anything.
    #[inline]
    pub(super) fn has_redirections(&self) -> bool {
        !self.redirections.are_none()
    }

    /// Learns of what a name is an alias by the redirections that a resolver knows at a time. It makes these aliases itself,
    /// when it is asked for the name or led to it.
    #[inline(never)]
    pub(super) fn redirect(
        &mut self,
        known: (HostId, Timestamp),
        name: NameRef,
        messages: &Messages,
    ) {
        self.redirect_name(known, (messages.name(name), name.hash, name.domain));
    }

    /// Takes back what redirects a name, for its resolver does not believe it.
    #[cold]
    #[inline(never)]
    pub(super) fn refute(
        &mut self,
        known: (HostId, Timestamp),
        name: NameRef,
        messages: &Messages,
    ) {
        self.redirections.refute(known, messages.name(name), name.domain);
    }

    fn redirect_name(
        &mut self,
        known: (HostId, Timestamp),
        (name, hash, domain): (Name<'_>, NameHash, NameHash),
    ) {
        let Some((mut lesson, mut made)) = self.redirections.alias(known, (name, hash, domain))
        else {
            return;
        };
        let mut from = MadeName::of(name);
        for _ in 0..STEPS_ON_MAX {
            self.put_off(lesson, [from.name(), made.name()]);
            let [hash, domain] = self.redirections.hashes(made.name());
            let next = self.redirections.alias(known, (made.name(), hash, domain));
            from = made;
            let Some(next) = next else { return };
            (lesson, made) = next;
        }
    }

    /// The same of the names in a domain to which aliases lead: what redirects there may have been learned after them.
    #[cold]
    #[inline(never)]
    fn redirect_what_leads_into(
        &mut self,
        (resolver, time): (HostId, Timestamp),
        domain: NameHash,
    ) {
        self.catch_up();
        let mut steps = INTO_REDIRECTED_MAX;
        let aliases = self.to_domain(resolver, domain, &mut steps).map(|(_, edge)| edge);
        let known = aliases
            .filter(|edge| edge.kind == EdgeKind::Alias && edge.is_known(time, time))
            .filter(|edge| self.has_names(edge));
        let lessons: Vec<_> = known
            .filter_map(|edge| {
                let name = self.target_name(&edge);
                let about = (name, edge.target, domain);
                let (lesson, made) = self.redirections.alias((resolver, time), about)?;
                Some((lesson, MadeName::of(name), made))
            })
            .collect();
        for (lesson, name, made) in lessons {
            self.put_off(lesson, [name.name(), made.name()]);
        }
    }

    /// Asks for what an edge is looked up in, and learns what was asked for a while ago.
    fn put_off(&mut self, lesson: DeferredEdge, names: [Name<'_>; 2]) {
        for (chain, key) in lesson.keys.into_iter().enumerate() {
            self.kept.ask_for_chain(chain, key);
        }
        self.lessons.add(lesson, names);
        if let Some(DeferredEdge { keys: [by_owner, ..], .. }) = self.lessons.halfway() {
            self.kept.ask_for_newest(BY_OWNER, *by_owner);
        }
        if self.lessons.are_many() {
            self.learn_next();
        }
    }

    /// Learns all that was put off.
    pub(super) fn catch_up(&mut self) {
        while self.learn_next() {}
    }

    fn learn_next(&mut self) -> bool {
        let Some((lesson, names)) = self.lessons.next() else { return false };
        let sequence = learn_one(&mut self.kept, &mut self.names, lesson, names);
        if let Some(transaction) = lesson.answer_of {
            let alias = AnswerAlias { transaction: transaction.low(), edge: sequence.low() };
            self.answers.push(alias, [Some(transaction.0)]);
        }
        true
    }

    /// What a resolver knows an owner to lead to, newest first.
    pub fn of_owner(
        &self,
        resolver: HostId,
        owner: NameHash,
    ) -> impl Iterator<Item = (Sequence, Edge)> {
        let chain = self.kept.chain(BY_OWNER, key(resolver, owner)).take(STEPS_MAX);
        self.those(chain, move |edge| edge.resolver() == resolver && edge.owner() == owner)
    }

    /// What a resolver knows to lead to a name, newest first. Of the steps that are left for it, those that it takes
    /// are taken; it ends when there are none.
    pub fn to_name(
        &self,
        resolver: HostId,
        target: NameHash,
        steps: &mut usize,
    ) -> impl Iterator<Item = (Sequence, Edge)> {
        let chain = self.led_to(BY_TARGET, key(resolver, target), steps);
        self.those(chain, move |edge| edge.resolver() == resolver && edge.target() == target)
    }

    /// What a resolver knows to lead to names of one domain, and maybe of others: the same way.
    pub fn to_domain(
        &self,
        resolver: HostId,
        domain: NameHash,
        steps: &mut usize,
    ) -> impl Iterator<Item = (Sequence, Edge)> {
        let chain = self.led_to(BY_TARGET_DOMAIN, key(resolver, domain), steps);
        self.those(chain, move |edge| edge.resolver() == resolver)
    }

    /// The edges of a chain of which the records are as wanted.
    fn those<'e>(
        &'e self,
        chain: impl Iterator<Item = (Sequence, &'e EdgeRecord)>,
        is_wanted: impl Fn(&EdgeRecord) -> bool,
    ) -> impl Iterator<Item = (Sequence, Edge)> {
        let wanted = chain.filter(move |(_, record)| is_wanted(record));
        wanted.filter_map(|(sequence, record)| Some((sequence, self.kept.edge(sequence, record)?)))
    }

    fn led_to(
        &self,
        chain: usize,
        key: u64,
        steps: &mut usize,
    ) -> impl Iterator<Item = (Sequence, &EdgeRecord)> {
        self.kept.chain(chain, key).take_while(move |_| {
            let is_left = *steps > 0;
            *steps = steps.saturating_sub(1);
            is_left
        })
    }

    /// The aliases in a transaction's own answer, in the order they stood there.
    pub fn of_answer(&self, transaction: Sequence) -> Vec<Edge> {
        let mut aliases: Vec<Edge> = self.of_answer_reversed(transaction).collect();
        aliases.reverse();
        aliases
    }

    /// The same, the last one first.
    pub(super) fn of_answer_reversed(
        &self,
        transaction: Sequence,
    ) -> impl Iterator<Item = Edge> + '_ {
        let chain = self.answers.chain(0, transaction.0);
        let own = chain.filter(move |(_, alias)| alias.transaction == transaction.low());
        let edge = |low| self.kept.get(Sequence::latest(low, self.kept.next()));
        own.take(STEPS_MAX).filter_map(move |(_, alias)| edge(alias.edge))
    }

    /// The name that leads on; the root once it is forgotten.
    pub fn owner_name(&self, edge: &Edge) -> Name<'_> {
        self.names.get(edge.owner_text).map_or(Name::ROOT, Name::from_wire)
    }

    /// The name that is led to; the root once it is forgotten.
    pub fn target_name(&self, edge: &Edge) -> Name<'_> {
        self.names.get(edge.target_text).map_or(Name::ROOT, Name::from_wire)
    }

    /// Whether both names of an edge are still kept. Without them it cannot be told what leads here.
    pub fn has_names(&self, edge: &Edge) -> bool {
        self.names.get(edge.owner_text).is_some() && self.names.get(edge.target_text).is_some()
    }

    /// How many edges were forgotten for lack of room: for them, or for their names.
    pub fn forgotten(&self) -> u64 {
        self.kept.forgotten().max(self.names.whole_since().0) + self.redirections.forgotten()
    }

    /// How many are kept.
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Whether nothing was learned yet.
    pub fn is_empty(&self) -> bool {
        self.kept.len() == 0
    }
}

/// The names that a question leads to by the aliases of its answer, in whatever order they stand there. What else an
/// answer holds no resolver believes (RFC 5452 section 6): whoever serves one name could else say what he likes of
/// others.
struct Course {
    names: [NameRef; COURSE_MAX],
    len: usize,
}

impl Course {
    #[inline]
    fn of(asked: NameRef, facts: &[Fact]) -> Course {
        let mut course = Course { names: [asked; COURSE_MAX], len: 1 };
        let mut last = asked;
        while let Some(slot) = course.names.get_mut(course.len) {
            let next = facts.iter().find_map(|fact| match fact {
                Fact::Alias { owner, target, .. } if owner.hash == last.hash => Some(*target),
                _ => None,
            });
            let Some(next) = next else { break };
            *slot = next;
            course.len += 1;
            last = next;
        }
        course
    }

    /// The name that the others lead to.
    fn last(&self) -> NameRef {
        let [asked, ..] = self.names;
        self.names().last().copied().unwrap_or(asked)
    }

    fn names(&self) -> &[NameRef] {
        self.names.get(..self.len).unwrap_or_default()
    }

    /// Whether one name is an alias on it, and the other what that leads to.
    #[inline]
    fn leads(&self, owner: NameRef, target: NameRef) -> bool {
        let mut steps = self.names().windows(2);
        steps.any(|step| matches!(step, [one, next] if (one.hash, next.hash) == (owner.hash, target.hash)))
    }

    /// Whether one of its names is in a zone of at least two labels.
    fn is_within(&self, zone: NameRef, messages: &Messages) -> bool {
        let mut near = self.names().iter().filter(|name| name.domain == zone.domain);
        near.any(|name| messages.name(*name).is_at_or_below(messages.name(zone)))
    }
}

/// Learns an edge, and returns its number.
pub(super) fn learn_one(
    kept: &mut EdgeStore,
    texts: &mut TextRing,
    &DeferredEdge { edge: new, keys, .. }: &DeferredEdge,
    [owner, target]: [Name<'_>; 2],
) -> Sequence {
    let [by_owner, ..] = keys;
    let mut edge = new;
    if let Some(sequence) = kept.find(&new, (BY_OWNER, by_owner), STEPS_MAX) {
        // An edge that is about to be overwritten, or whose names are, is added anew instead, so that what is in use stays.
        let oldest = kept.oldest().max(texts.whole_since());
        let half = kept.next().0.saturating_sub(oldest.0) / 2;
        if sequence.0 >= oldest.0 + half || oldest.0 == 0 {
            kept.learn_again(sequence, new.last, new.life());
            return sequence;
        }
        if let Some(old) = kept.get(sequence) {
            edge = old;
            edge.learn_again(new.last, new.life());
        }
    }
    edge.owner_text = texts.push(edge.owner.0, owner.wire());
    edge.target_text = texts.push(edge.target.0, target.wire());
    let sequence = kept.push(&edge, keys);
    texts.note(sequence);
    sequence
}

pub(super) fn key(resolver: HostId, name: NameHash) -> u64 {
    name.0 ^ u64::from(resolver.0).wrapping_mul(0xc2b2_ae3d_27d4_eb4f)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::simulated::{Draft, Simulated};
    use proptest::prelude::*;

    const HASHER: NameHasher = NameHasher::new([3, 5]);

    #[test]
    fn an_alias_of_a_few_seconds_was_known_when_it_was_and_not_between() {
        let at = |seconds: i64| Timestamp(0) + Span::from_secs(seconds);
        let life = |began: i64| Life { from: at(began), until: at(began + 5) };
        let learned = |began: i64| Provenance { frame: FrameId::NONE, time: at(began) };
        let mut edge = Edge {
            owner: NameHash(1),
            target: NameHash(2),
            last: learned(0),
            until: at(5),
            resolver: HostId(0),
            kind: EdgeKind::Alias,
            from: at(0),
            first: learned(0),
            earlier: [Earlier::default(); EARLIER_MAX],
            owner_text: Text::default(),
            target_text: Text::default(),
        };
        let begins: Vec<i64> = (0..7).map(|n| n * 30).collect();
        begins.iter().skip(1).for_each(|&began| edge.learn_again(learned(began), life(began)));
        for began in begins {
            assert!(edge.is_known(at(began + 3), at(began + 3)), "{began}");
            assert!(!edge.is_known(at(began + 20), at(began + 20)), "{began}");
        }
        // When one began is not rounded off, whatever came since.
        let mut exact = Edge { from: at(0) + Span::from_millis(7), until: at(5), ..edge };
        exact.earlier = [Earlier::default(); EARLIER_MAX];
        for began in [40_031, 100_016, 170_999] {
            let from = Timestamp(0) + Span::from_millis(began);
            exact.learn_again(learned(0), Life { from, until: from + Span::from_secs(5) });
            let (before, after) =
                (Timestamp(0) + Span::from_millis(3), Timestamp(0) + Span::from_millis(8));
            assert!(exact.is_known(after, after) && !exact.is_known(before, before), "{began}");
        }
        // One of a day ends when it ended.
        edge.learn_again(learned(1_000), Life { from: at(1_000), until: at(100_000) });
        edge.learn_again(learned(103_600), life(103_600));
        assert!(edge.is_known(at(99_000), at(99_000)) && !edge.is_known(at(101_000), at(101_000)));
    }

    proptest! {
        #[test]
        fn what_is_put_off_is_learned_as_if_it_were_learned_at_once(
            taught in prop::collection::vec((0u32..2, 0usize..6, 0usize..6, 0u32..900, any::<bool>()), 1..150),
        ) {
            let limits = Limits { edges: 16, edge_names: 1 << 10, answer_aliases: 16, ..Limits::default() };
            let (mut at_once, mut put_off) = (Edges::new(limits, HASHER), Edges::new(limits, HASHER));
            let names = ["a.example", "b.example", "x.b.example", "c.test", "y.c.test", "z.c.test"];
            let mut simulated = Simulated::new();
            for (nth, (resolver, owner, target, ttl, catches_up)) in taught.into_iter().enumerate() {
                let aliases = [(names[owner], names[target]), (names[target], names[owner])];
                let at_ms = nth as f64 * 9e3;
                simulated.add(&Draft { at_ms, response: true, aliases: &aliases, ttl, ..Draft::default() });
                let message = simulated.messages.get(nth).unwrap();
                let resolver = HostId(resolver);
                for edges in [&mut at_once, &mut put_off] {
                    edges.learn(resolver, Some(Sequence(nth as u64)), &simulated.messages, message);
                }
                at_once.catch_up();
                if catches_up {
                    put_off.catch_up();
                    prop_assert_eq!(said(&at_once), said(&put_off));
                }
            }
            put_off.catch_up();
            prop_assert_eq!(said(&at_once), said(&put_off));
        }
    }

    /// All that edges have kept, with their names, and what they are found by.
    fn said(edges: &Edges) -> String {
        let Edges { kept, names: _, answers, .. } = edges;
        let kept = (kept.oldest().0..kept.next().0).filter_map(|n| kept.get(Sequence(n)));
        let kept = kept.map(|edge| {
            let names = edges.has_names(&edge).then(|| {
                (edges.owner_name(&edge).to_string(), edges.target_name(&edge).to_string())
            });
            let owners: Vec<u64> =
                edges.of_owner(edge.resolver, edge.owner).map(|(sequence, _)| sequence.0).collect();
            let mut steps = 1_000;
            let targets = edges.to_name(edge.resolver, edge.target, &mut steps);
            let targets: Vec<u64> = targets.map(|(sequence, _)| sequence.0).collect();
            format!("{edge:?} {names:?} {owners:?} {targets:?}")
        });
        let answers = (answers.oldest().0..answers.next().0).map(|n| answers.get(Sequence(n)));
        format!("{:?} {:?}", kept.collect::<Vec<_>>(), answers.collect::<Vec<_>>())
    }
}
