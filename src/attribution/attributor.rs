//! The engine: takes messages in capture order, hands out attributions when they are settled.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::clock::{Clock, Reading};
use super::early::Early;
use super::held::{Held, HeldItem};
use super::host_context::HostContext;
use super::losses::Losses;
use super::relist::Leaving;
use super::sighting::{IndicatorHit, Matching, PendingHits, Sightings, ended_without_chain};
use super::summary::Summary;
use super::ticks::Ticks;
use super::unended::Unended;
use super::waiting::Waiting;
use super::{Attribution, Doubt, State, describe};
use crate::bounded::Sequence;
use crate::contact::EncryptedQuery;
use crate::flow::Mac;
use crate::frame::FrameId;
use crate::identity::{Hostname, Inventory};
use crate::indicator::{IndicatorId, Indicators};
use crate::message::{Message, Messages, is_conclusive};
use crate::packet::Aside;
use crate::resolution::{Causes, History, Leg, NoClientReason, Resolution, Role};
use crate::time::{Span, Timestamp};
use crate::transaction::{Counters, Event, Host, Transaction};

/// An upstream query is judged when all asks that were open with it are closed or given up.
const UPSTREAM_SETTLES: Span = Span::from_secs(76);
/// A client's question is judged when the upstream queries that it can have caused were.
const CLIENT_SETTLES: Span = Span::from_secs(156);
/// A question between hosts of which none is recognised waits so long for one to be: whoever serves others is asked
/// within that time.
const UNRECOGNISED_SETTLES: Span = Span::from_secs(600);
/// How many questions wait for their hosts to be recognised; beyond it they are judged at once.
const UNRECOGNISED_MAX: usize = 1 << 12;

/// So long after the last time that it was asked a question gets no answer any more.
const ANSWERED_WITHIN: Span = Span::from_secs(70);
/// Nor does one that is sent again and again, so long after the first: what asks for ever must not hold up the others.
const SENT_AGAIN_WITHIN: Span = Span::from_secs(140);
/// Who was asked encrypted so long before may be so still: such a connection stays open for a while.
const ENCRYPTED_FOR: Span = Span::from_secs(600);
/// What comes so soon after may have been on its way before.
const ENCRYPTED_SOON: Span = Span::from_secs(1);
/// What is shorter is no gap, and of more gaps the longest are kept.
const GAP_MIN: Span = Span::from_secs(60);
const GAPS_MAX: usize = 1 << 10;
/// One that is so many times as long as messages lie apart on the whole says that there were others.
const UNUSUAL: i64 = 100;
/// So many times are kept at which frames came again.
const RESUMED_MAX: usize = 64;
/// What belongs to forgotten transactions is let go when so many of them have come together.
const SWEEP_EVERY: u64 = 256;

/// The strongest part each ask had in judged upstream queries, by indicator.
pub(super) type Parts = BTreeMap<Sequence, Vec<(IndicatorId, Role)>>;

/// Takes messages, keeps their history, and judges what was flagged.
#[derive(Debug)]
pub struct Attributor {
    pub(super) resolution: Resolution,
    pub(super) indicators: Arc<Indicators>,
    matching: Matching,
    /// Flagged transactions by number, until they are judged.
    pub(super) flagged: Sightings,
    upstream: Waiting,
    client: Waiting,
    /// Questions between hosts of which none is known as a resolver, with their times: they wait for one to be.
    unrecognised: VecDeque<(Sequence, Timestamp)>,
    /// The strongest part each ask had in judged upstream queries, by indicator.
    pub(super) parts: Parts,
    /// What is not listed any more since lists were read anew, the earliest first.
    pub(super) leaving: VecDeque<Leaving>,
    /// The lists that held what is handed out just now, if it is that.
    pub(super) leaving_from: Option<Arc<Indicators>>,
    /// How much of it was.
    pub(super) settled_unlisted: u64,
    /// What is to be reported before it is settled.
    pub(super) early: Early,
    /// When frames were lost, or there was no room for them.
    losses: Losses,
    /// The oldest transaction kept when what belongs to older ones was last let go.
    swept: Sequence,
    /// Whether what is handed out just now is judged before its time.
    is_early: bool,
    /// Which transactions without an answer are still to be looked at when their time is over.
    unended: Unended,
    /// Time of the first message.
    began: Option<Timestamp>,
    /// When frames came again after nothing could be seen, the latest times.
    resumed: VecDeque<Timestamp>,
    /// When there was no message for long: the longest such times.
    gaps: Vec<(Timestamp, Timestamp)>,
    /// The latest time of any message.
    now: Timestamp,
    /// How far time has come.
    pub(super) clock: Clock,
    /// When it was last looked for what is due.
    pub(super) ticks: Ticks,
    /// What came in a frame of which it is not known yet when it came.
    held: Held,
    pub(super) summary: Summary,
    pub(super) surroundings: HostContext,
    pub(super) judged_early: u64,
    /// How many flagged queries were other hosts', sent on by a router.
    pub(super) sent_on: u64,
    /// How many sightings were left when it was ended.
    pub(super) unsettled: u64,
}

/// When the history is short for the traffic, what is done with a transaction after how many eighths of it: one that is
/// flagged only now has not come in its turn; one without an answer is over; an upstream query is judged; and only
/// then a client's question, which came before the upstream queries that it caused.
const LATE: u64 = 2;
const ENDED: u64 = 4;
const UPSTREAM: u64 = 6;
const CLIENT: u64 = 7;

/// How near transactions are to being forgotten.
#[derive(Clone, Copy, Debug)]
struct HistoryPressure {
    next: u64,
    history: u64,
    /// Too many flagged ones wait.
    is_full: bool,
}

impl HistoryPressure {
    /// Whether a transaction has to be judged before its time: so many eighths of the history came after it.
    #[inline]
    fn presses(self, sequence: Sequence, eighths: u64) -> bool {
        self.is_full || self.is_old(sequence, eighths)
    }

    /// Whether so many eighths of the history came after it.
    #[inline]
    fn is_old(self, sequence: Sequence, eighths: u64) -> bool {
        let age = self.next.saturating_sub(sequence.0);
        age * 8 >= self.history * eighths
    }
}

impl Attributor {
    /// Judges by a list.
    pub fn new(resolution: Resolution, indicators: Arc<Indicators>) -> Attributor {
        let history = resolution.transactions().limit();
        Attributor {
            resolution,
            indicators,
            matching: Matching::default(),
            flagged: Sightings::default(),
            upstream: Waiting::default(),
            client: Waiting::default(),
            unrecognised: VecDeque::new(),
            parts: Parts::new(),
            leaving: VecDeque::new(),
            leaving_from: None,
            settled_unlisted: 0,
            early: Early::default(),
            losses: Losses::default(),
            swept: Sequence(0),
            is_early: false,
            unended: Unended::new(history),
            began: None,
            resumed: VecDeque::new(),
            gaps: Vec::new(),
            now: Timestamp(i64::MIN),
            clock: Clock::default(),
            ticks: Ticks::new(history),
            held: Held::default(),
            summary: Summary::default(),
            surroundings: HostContext::new(Inventory::default()),
            judged_early: 0,
            sent_on: 0,
            unsettled: 0,
        }
    }

    /// With host names from an inventory, for clients that do not say themselves what they are called.
    pub fn with_inventory(self, inventory: Inventory) -> Attributor {
        Attributor { surroundings: HostContext::new(inventory), ..self }
    }

    /// Reports what is flagged twice: provisionally, as soon as the question behind it is likely to have been
    /// seen, and when it is settled.
    pub fn with_provisional(mut self) -> Attributor {
        self.early.is_wanted = true;
        self
    }

    /// With the memory of the history taken at once.
    pub fn with_room(mut self) -> Attributor {
        self.resolution.take_room();
        self
    }

    /// With a summary of at most so many pairs of indicator and client.
    pub fn with_summary_limit(mut self, rows: usize) -> Attributor {
        self.summary.limit(rows);
        self
    }

    /// Takes what is not DNS, or not only that, between the messages: it tells of hosts' names, and of
    /// whom they turn to.
    pub fn aside(&mut self, aside: &Aside, payload: &[u8], out: &mut dyn FnMut(Attribution)) {
        match self.when(aside.frame, aside.time, out) {
            Some(time) => self.surroundings.aside(&aside.at(time), payload),
            None => self.held.aside(aside, payload),
        }
    }

    /// Moves the clock: all that was captured before `time` was taken. Hands out what that settles.
    pub fn advance(&mut self, time: Timestamp, out: &mut dyn FnMut(Attribution)) {
        if self.held.stamp().is_none() && self.clock.pass(time) {
            self.settle_when_due(out);
        }
    }

    /// Notes that frames were lost in a stretch of time: what is said of it is said with less certainty.
    pub fn note_loss(&mut self, from: Timestamp, to: Timestamp) {
        self.losses.note(self.clock.time_of(from), self.clock.time_of(to));
    }

    /// Notes that nothing was seen until a time: what comes soon behind it may go back to what came before it.
    pub fn note_blind_until(&mut self, time: Timestamp) {
        if self.resumed.len() >= RESUMED_MAX {
            self.resumed.pop_front();
        }
        self.resumed.push_back(self.clock.time_of(time));
    }

    /// Since when all was seen until a time.
    pub(super) fn seen_since(&self, time: Timestamp) -> Timestamp {
        let resumed = self.resumed.iter().rev().find(|at| **at <= time).copied();
        resumed.or(self.began).unwrap_or(time)
    }

    /// Takes the next message of the capture, and hands out what was settled by the time it came: what is
    /// said is the same whether the clock moved in between or not.
    pub fn take(
        &mut self,
        messages: &Messages,
        message: &Message,
        out: &mut dyn FnMut(Attribution),
    ) {
        match self.when(message.frame, message.time, out) {
            Some(time) if time == message.time => self.take_settled(messages, message),
            Some(time) => self.take_settled(messages, &message.at(time)),
            None => self.held.message(messages, message),
        }
    }

    /// When a frame came. Hands out what was settled by then. `None` if the frame behind it is to tell.
    #[inline]
    fn when(
        &mut self,
        frame: FrameId,
        stamp: Timestamp,
        out: &mut dyn FnMut(Attribution),
    ) -> Option<Timestamp> {
        let is_late = self.clock.is_late(frame);
        if self.held.stamp().is_some() {
            if is_late || self.held.is_of(frame) {
                return None;
            }
            self.let_go(Some(stamp), out);
        }
        let reading = match is_late {
            true => Reading::At(self.clock.read_late(stamp)),
            false => self.clock.read(stamp),
        };
        let time = match reading {
            Reading::At(time) => time,
            Reading::SetBack(time) => {
                self.losses.note(time, time);
                time
            }
            Reading::FarAhead => return None,
        };
        self.settle_when_due(out);
        Some(time)
    }

    /// Takes what was held, for the next frame tells when it came; or the capture is at its end.
    fn let_go(&mut self, next: Option<Timestamp>, out: &mut dyn FnMut(Attribution)) {
        let Some(stamp) = self.held.stamp() else { return };
        let held = std::mem::take(&mut self.held);
        let time = self.clock.settle(stamp, next);
        self.settle_when_due(out);
        for part in held.parts() {
            let (frame, stamp) = part.frame();
            let time = if held.is_of(frame) { time } else { self.clock.read_late(stamp) };
            match part {
                HeldItem::Message(messages, message) => {
                    self.take_settled(messages, &message.at(time));
                }
                HeldItem::Aside(aside, payload) => {
                    self.surroundings.aside(&aside.at(time), payload);
                }
            }
        }
    }

    /// Notes that since the last message until a time there was none.
    #[cold]
    fn note_gap(&mut self, until: Timestamp) {
        let gap = (self.now, until);
        if self.gaps.len() < GAPS_MAX {
            self.gaps.push(gap);
            return;
        }
        let length = |(from, to): &(Timestamp, Timestamp)| *to - *from;
        let shortest = self.gaps.iter_mut().min_by_key(|gap| length(gap));
        if let Some(shortest) = shortest.filter(|shortest| length(shortest) < length(&gap)) {
            *shortest = gap;
        }
    }

    /// When there was no message for much longer than is usual, by the capture's stamps.
    pub(super) fn gaps(&self) -> Vec<(Timestamp, Timestamp)> {
        let Counters { queries, answered, .. } = *self.resolution.transactions().counters();
        let messages = i64::try_from(queries + answered).unwrap_or(i64::MAX).max(1);
        let lasted = self.span().map_or(0, |(first, last)| (last - first).0);
        let unusual = Span((lasted / messages).saturating_mul(UNUSUAL));
        let stamps = |(from, to): &(Timestamp, Timestamp)| {
            (self.clock.stamp_of(*from), self.clock.stamp_of(*to))
        };
        let long = self.gaps.iter().filter(|(from, to)| *to - *from >= unusual);
        let mut gaps: Vec<_> = long.map(stamps).collect();
        gaps.sort_unstable();
        gaps
    }

    #[inline]
    fn take_settled(&mut self, messages: &Messages, message: &Message) {
        if message.time > self.now + GAP_MIN && self.began.is_some() {
            self.note_gap(message.time);
        }
        self.began.get_or_insert(message.time);
        self.surroundings.message(messages, message);
        self.now = self.now.max(message.time);
        let had_no_room = self.resolution.transactions().counters().no_room;
        let event = self.resolution.take(messages, message);
        if self.resolution.transactions().counters().no_room > had_no_room {
            self.losses.note(message.time, message.time);
        }
        self.unended.note(event);
        let sequence = match event {
            Event::Asked(s)
            | Event::AskedAgain(s)
            | Event::Answered(s)
            | Event::AnsweredUnasked(s) => s,
            Event::Nothing => return,
        };
        if message.flagged {
            self.flag(sequence, message.time, |matching, indicators, _, flagged| {
                matching.message(indicators, messages, message, flagged);
            });
        }
        // Nearly all say that there is such a name, or none.
        let flags = message.flags;
        if matches!(event, Event::Answered(_))
            && (flags.is_truncated() || !is_conclusive(message.rcode()))
            && let Some(ask) = self.resolution.transactions().get(sequence)
            && ended_without_chain(&ask)
        {
            self.look_at_known_chain(sequence, &ask, message.time);
        }
    }

    /// Adds sightings of this time to a transaction, and sees to it that they are judged.
    fn flag(
        &mut self,
        sequence: Sequence,
        time: Timestamp,
        look: impl FnOnce(&mut Matching, &Indicators, History<'_>, &mut PendingHits),
    ) {
        let known = self.flagged.remove(sequence);
        let is_new = known.is_none();
        let mut flagged = known.unwrap_or_else(|| self.flagged.room());
        flagged.latest = time;
        look(&mut self.matching, &self.indicators, self.resolution.history(), &mut flagged);
        if flagged.hits.is_empty() {
            return;
        }
        if flagged.has_untold() {
            self.early.put_down(sequence, time.max(self.ticks.time()));
        }
        self.flagged.insert(sequence, flagged);
        if is_new {
            let asked =
                self.resolution.transactions().get(sequence).map_or(self.now, |t| t.asked_last);
            let is_late = self.crowd().presses(sequence, LATE);
            self.upstream.push(sequence, asked, is_late);
        }
    }

    /// Sees whether a question that got no chain was known to lead to something listed.
    fn look_at_known_chain(&mut self, sequence: Sequence, ask: &Transaction, now: Timestamp) {
        self.flag(sequence, now, |matching, indicators, history, flagged| {
            matching.known_chain(indicators, history, ask, flagged);
        });
    }

    /// Hands out what is settled by now, if a tick has come. Asked with every message, so that neither what is handed
    /// out nor its order depends on how messages were batched.
    #[inline]
    fn settle_when_due(&mut self, out: &mut dyn FnMut(Attribution)) {
        let is_tick = self.ticks.pass(self.clock.now(), self.resolution.transactions().next());
        if is_tick || self.flagged.are_too_many() {
            self.settle(out);
        }
    }

    #[inline(never)]
    fn settle(&mut self, out: &mut dyn FnMut(Attribution)) {
        self.tell_due(out);
        self.look_at_ended(false);
        loop {
            let (clock, crowd) = (self.ticks.time(), self.crowd());
            let is_ready = |sequence, asked| {
                asked + UPSTREAM_SETTLES <= clock || crowd.presses(sequence, UPSTREAM)
            };
            let Some(sequence) = self.upstream.pop(is_ready) else { break };
            self.is_early = crowd.presses(sequence, UPSTREAM);
            self.judged_early += u64::from(self.is_early);
            self.judge(sequence, out);
        }
        self.is_early = false;
        self.settle_clients(out);
    }

    /// Hands out all that is left: the capture is at its end.
    pub fn finish(&mut self, out: &mut dyn FnMut(Attribution)) {
        self.finish_until(&|| false, out);
    }

    /// The same, the oldest first, until time is over: what is left then is counted as not settled.
    pub fn finish_until(&mut self, is_over: &dyn Fn() -> bool, out: &mut dyn FnMut(Attribution)) {
        self.let_go(None, out);
        self.resolution.refresh_roles();
        self.resolution.look_at_clocks();
        self.look_at_ended(true);
        while !is_over()
            && let Some(sequence) = self.upstream.pop(|_, _| true)
        {
            self.judge(sequence, out);
        }
        while !is_over()
            && let Some(sequence) =
                self.next_unrecognised(|_, _| true).or_else(|| self.client.pop(|_, _| true))
        {
            self.settle_client(sequence, out);
        }
        let leaving = self.leaving.iter().map(Leaving::count);
        self.unsettled = (self.flagged.count() + leaving.sum::<usize>()) as u64;
        self.summary.complete(&self.surroundings, &self.clock);
    }

    /// Hands out what was judged, with what is known by now of who the clients are.
    pub(super) fn hand_out(
        &mut self,
        mut attribution: Attribution,
        out: &mut dyn FnMut(Attribution),
    ) {
        let hosts = self.resolution.transactions().hosts();
        for client in &mut attribution.clients {
            self.surroundings.describe(client, attribution.sighting.place, hosts);
        }
        self.losses.weigh(&mut attribution);
        if self.is_early {
            attribution.doubts.push(Doubt::JudgedEarly);
        }
        if self.leaving_from.is_some() {
            attribution.doubts.push(Doubt::NoLongerListed);
        }
        match attribution.state {
            State::Final => match &self.leaving_from {
                Some(old) => {
                    self.settled_unlisted += 1;
                    self.summary.add_unlisted(&attribution, old);
                }
                None => self.summary.add(&attribution, &self.indicators),
            },
            State::Provisional | State::Superseded => {}
        }
        self.clock.stamp(&mut attribution);
        out(attribution);
    }

    /// How full it is just now.
    fn crowd(&self) -> HistoryPressure {
        let next = self.ticks.next().0;
        let history = self.resolution.transactions().reach();
        HistoryPressure { next, history, is_full: self.flagged.are_too_many() }
    }

    /// Looks at the transactions whose time for an answer is over.
    #[inline]
    fn look_at_ended(&mut self, at_end: bool) {
        while let Some(sequence) = self.next_ended(at_end) {
            self.unended.pass(sequence);
            // Nearly all have their answer, and are not put together for that.
            let ask = self.resolution.transactions().kept(sequence);
            if let Some(ask) = ask.filter(|ask| ask.answered().is_none()) {
                self.look_at_known_chain(sequence, &ask.whole(), self.ticks.time());
            }
        }
    }

    /// The first transaction without an answer, if the time for one is over.
    #[inline]
    fn next_ended(&mut self, at_end: bool) -> Option<Sequence> {
        let transactions = self.resolution.transactions();
        let sequence = self.unended.first(transactions.oldest(), transactions.next())?;
        let (ask, now) = (transactions.kept(sequence)?, self.ticks.time());
        let is_over =
            ask.asked_last() + ANSWERED_WITHIN < now || ask.asked() + SENT_AGAIN_WITHIN < now;
        // That too many wait makes none of them end: it would only add to them.
        (at_end || is_over || self.crowd().is_old(sequence, ENDED)).then_some(sequence)
    }

    /// Judges the upstream queries among what was flagged; client legs wait until the upstream
    /// queries they may have caused are judged.
    fn judge(&mut self, sequence: Sequence, out: &mut dyn FnMut(Attribution)) {
        let Some(transaction) = self.resolution.transactions().get(sequence) else {
            self.flagged.remove(sequence);
            return;
        };
        match self.resolution.leg(&transaction) {
            Leg::Client => {
                let is_late = self.crowd().presses(sequence, LATE);
                self.client.push(sequence, transaction.asked_last, is_late);
            }
            Leg::Upstream => self.judge_upstream(sequence, &transaction, out),
        }
    }

    pub(super) fn judge_upstream(
        &mut self,
        sequence: Sequence,
        transaction: &Transaction,
        out: &mut dyn FnMut(Attribution),
    ) {
        let Some(flagged) = self.flagged.remove(sequence) else { return };
        let began = self.seen_since(transaction.asked);
        let is_sent_on = self.is_sent_on(sequence, transaction);
        if is_sent_on && flagged.hits.iter().all(|hit| !hit.is_told) {
            return;
        }
        for sent in self.resolution.transactions().tries(sequence) {
            let causes = self.causes(sequence, &sent, began);
            for hit in &flagged.hits {
                let history = self.resolution.history();
                let borne_out = describe::borne_out(history, &causes, hit);
                let is_cleared =
                    is_sent_on || borne_out.is_none() || hit.is_cleared_by(transaction);
                if is_cleared && !hit.is_told {
                    continue;
                }
                let causes = borne_out.as_deref().unwrap_or(&causes);
                if !is_cleared {
                    self.note_parts((sequence, &sent), causes, hit);
                }
                let mut attribution =
                    describe::upstream(self.resolution.history(), (sequence, &sent), hit, causes);
                if is_cleared {
                    attribution.state = State::Superseded;
                }
                self.hand_out(attribution, out);
            }
        }
    }

    /// Who caused a query. "No client" is not said of a resolver that clients ask encrypted about that time.
    pub(super) fn causes(
        &mut self,
        query: Sequence,
        sent: &Transaction,
        began: Timestamp,
    ) -> Causes {
        let mut causes = self.resolution.history().causes(query, sent, began);
        if causes.unexplained == Some(NoClientReason::NobodyWaiting) {
            let (roles, hosts) = (self.resolution.roles(), self.resolution.transactions().hosts());
            let addresses = roles.addresses_of(&sent.client).iter();
            let mut asked =
                addresses.filter_map(|host| self.surroundings.asked(hosts.get(*host)?.address));
            let is_then = |asked: &EncryptedQuery| {
                asked.first <= sent.asked + ENCRYPTED_SOON
                    && asked.last + ENCRYPTED_FOR >= sent.asked
            };
            if let Some(asked) = asked.find(is_then) {
                causes.unexplained = Some(NoClientReason::AskedEncrypted(asked.by));
            }
        }
        causes
    }

    /// Whether a query is another host's, sent on by a router. That one is judged for itself.
    pub(super) fn is_sent_on(&mut self, sequence: Sequence, query: &Transaction) -> bool {
        let is_sent_on = self.resolution.history().is_sent_on(sequence, query);
        self.sent_on += u64::from(is_sent_on);
        is_sent_on
    }

    /// Remembers which asks had a part in a judged query. One that only waited with others leads to the
    /// indicator without an upstream leg of its own, so it is reported for itself too.
    fn note_parts(&mut self, query: (Sequence, &Transaction), causes: &Causes, hit: &IndicatorHit) {
        let crowd = self.crowd();
        for cause in &causes.clients {
            let parts = self.parts.entry(cause.ask).or_default();
            match parts.iter_mut().find(|(indicator, _)| *indicator == hit.indicator) {
                Some((_, role)) => *role = (*role).min(cause.role),
                None => parts.push((hit.indicator, cause.role)),
            }
            if cause.role != Role::Joiner || !cause.hops.is_empty() {
                continue;
            }
            let Some(ask) = self.resolution.transactions().get(cause.ask) else { continue };
            let known = self.flagged.remove(cause.ask);
            if known.is_none() {
                self.client.push(cause.ask, ask.asked_last, crowd.presses(cause.ask, LATE));
            }
            let mut flagged = known.unwrap_or_else(|| self.flagged.room());
            // What its own answer shows needs no further ground.
            if flagged.takes(hit.indicator) {
                let joined =
                    describe::joined(self.resolution.history(), query, hit, cause).map(Box::new);
                let (is_told, is_presumed) = (false, false);
                flagged.hits.push(IndicatorHit { joined, is_told, is_presumed, ..hit.clone() });
            }
            self.flagged.insert(cause.ask, flagged);
        }
    }

    fn settle_clients(&mut self, out: &mut dyn FnMut(Attribution)) {
        loop {
            let (clock, crowd) = (self.ticks.time(), self.crowd());
            let is_ready = |sequence, asked| {
                asked + UNRECOGNISED_SETTLES <= clock || crowd.presses(sequence, CLIENT)
            };
            let Some(sequence) = self.next_unrecognised(is_ready) else { break };
            self.settle_client(sequence, out);
        }
        loop {
            let (clock, crowd) = (self.ticks.time(), self.crowd());
            let is_ready = |sequence, asked| {
                asked + CLIENT_SETTLES <= clock || crowd.presses(sequence, CLIENT)
            };
            let Some(sequence) = self.client.pop(is_ready) else { break };
            let crowded = crowd.presses(sequence, CLIENT);
            let can_wait = !crowded && self.unrecognised.len() < UNRECOGNISED_MAX;
            if can_wait && let Some(asked) = self.asked_unrecognised(sequence) {
                self.unrecognised.push_back((sequence, asked));
            } else {
                self.is_early = crowded;
                self.settle_client(sequence, out);
                self.is_early = false;
            }
        }
        let oldest = self.resolution.transactions().oldest();
        if oldest.0 >= self.swept.0 + SWEEP_EVERY {
            self.swept = oldest;
            while self.parts.first_key_value().is_some_and(|(ask, _)| *ask < oldest) {
                self.parts.pop_first();
            }
            self.early.forget_before(oldest);
        }
    }

    /// The first of the questions that wait for a host to be recognised, if it is ready.
    fn next_unrecognised(
        &mut self,
        is_ready: impl Fn(Sequence, Timestamp) -> bool,
    ) -> Option<Sequence> {
        let next = self.unrecognised.pop_front_if(|(sequence, asked)| is_ready(*sequence, *asked));
        next.map(|(sequence, _)| sequence)
    }

    /// When a question was asked of which neither end is known as a resolver. Who asked may turn out to be one: a
    /// server that asks before anybody asks it.
    fn asked_unrecognised(&self, sequence: Sequence) -> Option<Timestamp> {
        let roles = self.resolution.roles();
        let ask = self.resolution.transactions().get(sequence)?;
        let is_known = |host| roles.group_of(host).is_some();
        (!is_known(ask.client) && !is_known(ask.server)).then_some(ask.asked_last)
    }

    pub(super) fn settle_client(&mut self, sequence: Sequence, out: &mut dyn FnMut(Attribution)) {
        let Some(ask) = self.resolution.transactions().get(sequence) else {
            self.flagged.remove(sequence);
            return;
        };
        if self.resolution.leg(&ask) == Leg::Upstream {
            // Its client has become known as a resolver meanwhile.
            return self.judge_upstream(sequence, &ask, out);
        }
        let Some(flagged) = self.flagged.remove(sequence) else { return };
        let parts = self.parts.remove(&sequence).unwrap_or_default();
        let is_sent_on = self.is_sent_on(sequence, &ask);
        for hit in &flagged.hits {
            let part = parts.iter().find(|(indicator, _)| *indicator == hit.indicator);
            let role = part.map(|(_, role)| *role);
            let history = self.resolution.history();
            let is_cleared = hit.is_cleared_by(&ask)
                || hit.is_presumed && describe::was_led_elsewhere(history, &ask);
            let is_taken_back = is_sent_on || role == Some(Role::Initiator) || is_cleared;
            if is_taken_back && !hit.is_told {
                continue;
            }
            let mut attribution =
                describe::client(self.resolution.history(), sequence, &ask, hit, role);
            if is_taken_back {
                attribution.state = State::Superseded;
            }
            self.hand_out(attribution, out);
        }
    }

    /// What was seen of each indicator and client so far.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// The history.
    pub fn resolution(&self) -> &Resolution {
        &self.resolution
    }

    /// How many addresses' names and how many flagged answers were let go for lack of room.
    pub fn surroundings_forgotten(&self) -> (u64, u64) {
        self.surroundings.forgotten()
    }

    /// The link-layer address of a host's own frames, as far as it is known not to be a router's.
    pub(super) fn own_mac(&self, host: &Host) -> Option<Mac> {
        let hosts = self.resolution.transactions().hosts();
        let [mac, _] = host.macs;
        Some(mac).filter(|mac| mac.is_some() && !hosts.is_router(*mac))
    }

    /// What a host was called when it was last seen.
    pub(super) fn hostname_of(&self, host: &Host) -> Option<Hostname> {
        self.surroundings.hostname(host.address, self.own_mac(host), host.seen)
    }

    /// How many sightings had to be judged before their time, for lack of room.
    pub fn judged_early(&self) -> u64 {
        self.judged_early
    }

    /// How often something listed was not flagged as an allow list has it.
    pub(super) fn allowed(&self) -> u64 {
        self.matching.allowed
    }

    /// Time of the first message and the latest time of any.
    pub fn span(&self) -> Option<(Timestamp, Timestamp)> {
        Some((self.began?, self.now))
    }

    /// The same as the capture's stamps have it.
    pub(super) fn stamps(&self) -> Option<(Timestamp, Timestamp)> {
        Some((self.clock.stamp_of(self.began?), self.clock.stamp_of(self.now)))
    }
}

#[cfg(test)]
mod tests;
