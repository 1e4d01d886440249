//! Addresses that behave as one server: clients wait at one of them, or at several, for what another asks.
//!
//! A router with a network for guests answers at an address in each, and asks by that of its uplink; a server of both
//! families answers at two and asks by a third (RFC 8981). Nothing but the times shows that they are one.

use std::collections::{BTreeMap, BTreeSet};

use super::{BEHAVIOUR_STEPS, Group, Known, Roles, is_loopback};
use crate::bounded::Sequence;
use crate::flow::{Address, Mac};
use crate::message::{RecordType, is_conclusive};
use crate::name::NameHash;
use crate::time::Span;
use crate::transaction::{Host, HostId, Hosts, Transaction};

/// How many addresses that only answer are looked at for one that asks for them.
const ONLY_ANSWER_MAX: usize = 32;
/// So many questions that clients of a resolver were waiting for make an address one of that resolver.
const BEHAVIOUR_MIN: usize = 5;
/// So many, nearly all that it asks, if it asks another resolver of this capture.
const FORWARDED_MIN: usize = 20;
/// So many questions at an address, and three in four of those that took long, make who asked for them while they were waited for
/// its server, however much else that asks (an iterating server asks several times for one question).
const COVERED_MIN: usize = 10;
/// Others wait for so many questions of a host, and three in four of its queries: it asks for them.
const WAITED_WITH_MIN: usize = 10;
/// What took a server so long it asked somebody else for.
const LONG: Span = Span::from_millis(2);
/// At a further address so many are enough, and half of those that took long.
const FURTHER_MIN: usize = 3;

/// Of so many questions others asked the same within this time, and they are nine in ten of all that it asked, or three in four
/// of those that took the others long: it asks for them.
const ECHOED_MIN: usize = 20;
const ECHO_WITHIN: Span = Span::from_secs(5);

/// A name and a type that were asked for, and several.
type Question = (NameHash, RecordType);
type Questions = BTreeSet<Question>;

/// What clients waited for at a place while a host asked for it.
#[derive(Debug, Default)]
struct Nested {
    all: Questions,
    /// What was not waited for at another place as well at the time.
    alone: Questions,
}

impl Nested {
    /// Whether nearly all was waited for here alone: two servers that clients ask at once are two.
    fn is_alone(&self) -> bool {
        self.alone.len() * 4 >= self.all.len() * 3
    }
}

/// What one host asked, and for which of that clients of others were waiting.
#[derive(Debug, Default)]
struct Waits {
    asked: Questions,
    /// How often it asked, and how often somebody was waiting for that: who asks for few names all the time is waited with for
    /// each of them sooner or later.
    asked_times: usize,
    waited_times: usize,
    /// By the places of those others.
    at: BTreeMap<usize, Nested>,
    /// Whether it asks a known resolver.
    asks_known: bool,
}

impl Waits {
    /// Takes a query, and the places at which somebody waited for that.
    fn add(&mut self, query: &Transaction, places: &[usize]) {
        // Each question once: many wait for one slow answer.
        let question = (query.name, query.qtype);
        self.asked.insert(question);
        self.asked_times += 1;
        self.waited_times += usize::from(!places.is_empty());
        for place in places {
            let nested = self.at.entry(*place).or_default();
            nested.all.insert(question);
            if places.len() == 1 {
                nested.alone.insert(question);
            }
        }
    }

    /// Whether others waited for nearly all that it asked.
    fn are_nearly_all(&self) -> bool {
        let of: Questions =
            self.at.values().flat_map(|nested| nested.all.iter().copied()).collect();
        of.len() >= WAITED_WITH_MIN && self.waited_times * 4 >= self.asked_times * 3
    }
}

impl Roles {
    /// Joins addresses that only ask to the resolver whose clients wait for what they ask: to one that is known, or
    /// to an address of this network that only answers. Likewise such an address to a resolver that asks what the clients of
    /// that address wait for: it has several. What a router sent on says nothing of who asks from its address. Returns whether
    /// any was joined: that may tell of others, where one such server asks another.
    pub(super) fn join_by_behaviour(
        &mut self,
        latest: &[(Sequence, Transaction)],
        hosts: &Hosts,
        sent_on: &BTreeSet<Sequence>,
    ) -> bool {
        let mut scene = Scene::of(self, latest, hosts);
        let tells = |(number, query): &&(Sequence, Transaction)| {
            scene.tells(query) && !sent_on.contains(number)
        };
        let telling: Vec<&Transaction> =
            latest.iter().filter(tells).map(|(_, query)| query).collect();
        if telling.is_empty() {
            return false;
        }
        scene.asks = answered(latest);
        let waited = scene.waits(&telling);
        if waited.values().all(|waits| waits.at.is_empty()) {
            return false;
        }
        let long = scene.took_long();
        let found: Vec<_> = waited
            .into_iter()
            .map(|(host, waits)| {
                let is_same_machine = |place| scene.is_same_machine(host, place);
                let places = waiting_places(&waits, scene.known, is_same_machine, &long);
                let with_servers = |places: Vec<usize>| -> Vec<_> {
                    places.into_iter().map(|place| (place, scene.server_at(place))).collect()
                };
                (host, waits.are_nearly_all(), places.map(with_servers))
            })
            .collect();
        let mut has_joined = false;
        for (host, are_nearly_all, places) in found {
            match places {
                Some(places) => {
                    has_joined = true;
                    self.join_places(host, places);
                }
                // Which of several it belongs to cannot be told, but nobody asks so for himself.
                None if are_nearly_all && self.group_of(host).is_none() => {
                    self.waited_with.insert(host);
                }
                None => {}
            }
        }
        has_joined
    }

    /// Hosts of which nobody is known to be the server, but that ask outside for nearly all that others asked at one of the site's
    /// addresses about then: by another sensor's clock, or where no answers are seen, waits do not show it.
    pub(super) fn echoing(
        &self,
        latest: &[(Sequence, Transaction)],
        hosts: &Hosts,
    ) -> BTreeSet<HostId> {
        let only_answers = |(id, host): (HostId, &Host)| {
            let is_asked = host.asks == 0 && host.asked > 0 && host.address.is_internal();
            is_asked && self.group_of(id).is_none()
        };
        if !hosts.iter().any(only_answers) {
            return BTreeSet::new();
        }
        let is_silent = |id: HostId| hosts.get(id).is_some_and(|host| only_answers((id, host)));
        let mut asks: BTreeMap<Question, Vec<&Transaction>> = BTreeMap::new();
        let mut clients: BTreeSet<HostId> = BTreeSet::new();
        let all = || latest.iter().map(|(_, query)| query).filter(|query| query.has_query());
        for ask in all().filter(|ask| is_silent(ask.server)) {
            clients.insert(ask.client);
            let alike = asks.entry((ask.name, ask.qtype)).or_default();
            if alike.len() < BEHAVIOUR_STEPS {
                alike.push(ask);
            }
        }
        let mut echoed: BTreeMap<HostId, [Questions; 2]> = BTreeMap::new();
        // What clients ask a known resolver it asks the silent one, if that is its forwarder: these echo nothing.
        let is_elsewhere = |query: &&Transaction| {
            !is_silent(query.server) && self.group_of(query.server).is_none()
        };
        for query in all().filter(is_elsewhere) {
            let only_asks = hosts.get(query.client).is_some_and(Host::only_asks);
            if !only_asks
                || self.group_of(query.client).is_some()
                || clients.contains(&query.client)
            {
                continue;
            }
            let question = (query.name, query.qtype);
            let is_near = |ask: &&Transaction| (ask.asked - query.asked).abs() <= ECHO_WITHIN;
            let is_echo = asks.get(&question).is_some_and(|asks| asks.iter().any(is_near));
            let [asked, alike] = echoed.entry(query.client).or_default();
            asked.insert(question);
            if is_echo {
                alike.insert(question);
            }
        }
        // What took long somebody else was asked for; a server asks for more than it is asked for, as what aliases lead to.
        let took_long = |ask: &&Transaction| ask.answered().is_none_or(|at| at - ask.asked >= LONG);
        let long: Questions = asks
            .iter()
            .filter(|(_, asks)| asks.iter().any(took_long))
            .map(|(question, _)| *question)
            .collect();
        let are_echoes = |[asked, alike]: &[Questions; 2]| {
            let covered = alike.intersection(&long).count();
            alike.len() >= ECHOED_MIN && alike.len() * 10 >= asked.len() * 9
                || covered >= ECHOED_MIN && covered * 4 >= long.len() * 3
        };
        echoed.into_iter().filter(|(_, both)| are_echoes(both)).map(|(host, _)| host).collect()
    }

    /// Joins a host and the addresses at some places, each with the address if that only answers.
    fn join_places(&mut self, host: HostId, places: Vec<(usize, Option<HostId>)>) {
        let mut place = self.place_of(host);
        for (at, server) in places {
            match (place, server) {
                // Known, or found to be of another meanwhile.
                (None, None) => place = Some(at),
                (None, Some(server)) if self.group_of(server).is_some() => {
                    place = self.place_of(server);
                }
                (None, Some(server)) => {
                    let hosts = vec![server];
                    self.add(Group { hosts, known: Known::AsksAndAnswers, shared_mac: None });
                    place = self.place_of(server);
                }
                (Some(place), Some(server)) if self.group_of(server).is_none() => {
                    self.join(server, place);
                }
                (Some(_), _) => {}
            }
        }
        if self.group_of(host).is_none() {
            place.into_iter().for_each(|place| self.join(host, place));
        }
    }

    /// The addresses of the site that only answer, so many as are looked at. Sites have public addresses, too, of IPv6 above all:
    /// whoever has one in a network from which somebody asks is there. Of those there may be many, so they come last.
    fn only_answering(&self, hosts: &Hosts) -> Vec<HostId> {
        let askers = hosts.iter().filter(|(_, host)| host.asks > 0);
        let mut networks: Vec<Address> = askers.map(|(_, host)| host.address.network()).collect();
        networks.sort_unstable();
        let is_near = |host: &Host| networks.binary_search(&host.address.network()).is_ok();
        let only_answer = hosts.iter().filter(|(id, host)| {
            host.answers > 0 && host.asks == 0 && !is_loopback(host) && self.group_of(*id).is_none()
        });
        let (inside, public): (Vec<_>, Vec<_>) =
            only_answer.partition(|(_, host)| host.address.is_internal());
        let public = public.into_iter().filter(|(_, host)| is_near(host));
        inside.into_iter().chain(public).map(|(id, _)| id).take(ONLY_ANSWER_MAX).collect()
    }
}

/// What is known while the latest transactions are looked at.
struct Scene<'r> {
    roles: &'r Roles,
    hosts: &'r Hosts,
    /// How many resolvers are known: their places come first, behind them those of the addresses that only answer.
    known: usize,
    only_answer: Vec<HostId>,
    /// Whom known resolvers ask: what these forward to is no address of theirs.
    asked_by_known: BTreeSet<HostId>,
    /// See [`answered`].
    asks: Vec<(Question, &'r Transaction)>,
}

impl<'r> Scene<'r> {
    fn of(roles: &'r Roles, latest: &'r [(Sequence, Transaction)], hosts: &'r Hosts) -> Scene<'r> {
        let latest = || latest.iter().map(|(_, query)| query);
        let by_known = latest().filter(|query| roles.group_of(query.client).is_some());
        Scene {
            roles,
            hosts,
            known: roles.groups.len(),
            only_answer: roles.only_answering(hosts),
            asked_by_known: by_known.map(|query| query.server).collect(),
            asks: Vec::new(),
        }
    }

    fn place_at(&self, server: HostId) -> Option<usize> {
        let answering = || self.only_answer.iter().position(|id| *id == server);
        self.roles.place_of(server).or_else(|| Some(self.known + answering()?))
    }

    /// The address at a place, if it only answers.
    fn server_at(&self, place: usize) -> Option<HostId> {
        self.only_answer.get(place.checked_sub(self.known)?).copied()
    }

    /// Whether it tells anything who waits for what a query is for. What clients ask a known resolver may be asked by a forwarder,
    /// too, that is asked by another address; else it tells nothing, nor does what known resolvers ask, unless there is an
    /// address that only answers.
    fn tells(&self, query: &Transaction) -> bool {
        let is_known = self.roles.group_of(query.client).is_some();
        let asks_known = self.roles.group_of(query.server).is_some();
        let only_asks = || self.hosts.get(query.client).is_some_and(Host::only_asks);
        !(is_known && asks_known)
            && (!(is_known || asks_known) || !self.only_answer.is_empty())
            && (is_known || only_asks())
    }

    /// At which places somebody waits for what a query is for.
    fn places(&self, query: &Transaction) -> BTreeSet<usize> {
        let is_known = self.roles.group_of(query.client).is_some();
        let came = query.answered().unwrap_or(query.asked);
        let waits = |ask: &Transaction| {
            // In an outage all questions wait for all answers.
            let is_told = query.answered().is_some() || is_conclusive(ask.rcode);
            is_told
                && ask.client != query.client
                && !(is_known && self.roles.group_of(ask.client).is_some())
                && ask.asked <= query.asked
                && ask.answered().is_some_and(|at| query.asked <= at && came <= at)
        };
        let question = (query.name, query.qtype);
        let first = self.asks.partition_point(|(other, _)| *other < question);
        let same = self.asks.get(first..).unwrap_or_default().iter();
        let same = same.take_while(|(other, _)| *other == question).take(BEHAVIOUR_STEPS);
        let waiting: Vec<&Transaction> =
            same.map(|(_, ask)| *ask).filter(|ask| waits(ask)).collect();
        let mut places: BTreeSet<usize> =
            waiting.iter().filter_map(|ask| self.place_at(ask.server)).collect();
        // What one resolver waits for at another its own clients wait for, too: it is for that one's.
        for outer in waiting.iter().filter_map(|ask| self.roles.place_of(ask.client)) {
            places.remove(&outer);
        }
        places
    }

    /// Whether who sent a query can be the server at a place: who asks a server is not that server, and what one resolver asks
    /// for the clients of another it asks for that one.
    fn can_be_at(&self, place: usize, query: &Transaction) -> bool {
        let is_known = self.roles.group_of(query.client).is_some();
        let asks_known = self.roles.group_of(query.server).is_some();
        let server = self.server_at(place);
        let is_forwarder = server.is_some_and(|server| self.asked_by_known.contains(&server));
        self.place_at(query.server) != Some(place)
            && (!(is_known || asks_known) || server.is_some() && !is_forwarder)
    }

    /// What was waited for of that which each host asked; of a known resolver under its first address, and without what its own
    /// clients waited for.
    fn waits(&self, queries: &[&Transaction]) -> BTreeMap<HostId, Waits> {
        let mut waited: BTreeMap<HostId, Waits> = BTreeMap::new();
        for query in queries {
            let places = self.places(query);
            let own = self.roles.place_of(query.client);
            if own.is_some_and(|own| places.contains(&own)) {
                continue;
            }
            let of_own = own.and_then(|own| self.roles.groups.get(own));
            let asker = of_own.and_then(|group| group.hosts.first()).copied();
            let waits = waited.entry(asker.unwrap_or(query.client)).or_default();
            let places = places.into_iter().filter(|place| self.can_be_at(*place, query));
            waits.add(query, &places.collect::<Vec<_>>());
            waits.asks_known |= self.roles.group_of(query.server).is_some();
        }
        waited
    }

    /// What took long at the addresses that only answer, by their places.
    fn took_long(&self) -> BTreeMap<usize, Questions> {
        let mut long: BTreeMap<usize, Questions> = BTreeMap::new();
        for (question, ask) in &self.asks {
            let took_long = ask.answered().is_some_and(|at| at - ask.asked >= LONG);
            let place = self.only_answer.iter().position(|id| *id == ask.server);
            if let Some(place) = place.filter(|_| took_long) {
                long.entry(self.known + place).or_default().insert(*question);
            }
        }
        long
    }

    /// Whether the address at a place, that only answers, and a host are one machine: one link-layer address for all, in one
    /// network, and nobody else behind it, as there would be behind a router.
    fn is_same_machine(&self, host: HostId, place: usize) -> bool {
        let (Some(server), Some(asker)) =
            (self.server_at(place).and_then(|id| self.hosts.get(id)), self.hosts.get(host))
        else {
            return false;
        };
        let is_own = |mac: &Mac| {
            let mut behind = self.hosts.iter().filter(|(_, other)| other.macs.contains(mac));
            asker.macs.contains(mac)
                && behind.all(|(id, _)| id == host || self.only_answer.contains(&id))
        };
        server.address.is_in_network_of(asker.address)
            && server.macs.iter().any(|mac| mac.is_some() && is_own(mac))
    }
}

/// What was answered, by the question, of each the latest first. Where no answers are seen, all that was ever asked would wait.
fn answered(latest: &[(Sequence, Transaction)]) -> Vec<(Question, &Transaction)> {
    let asks = latest.iter().map(|(_, ask)| ask).filter(|ask| ask.answered().is_some());
    let mut asks: Vec<(Question, &Transaction)> =
        asks.map(|ask| ((ask.name, ask.qtype), ask)).collect();
    asks.sort_by_key(|(question, _)| *question);
    asks
}

/// At which places what one host asked is waited for, the most at the first; `None` if that cannot be told. Places from `known` on
/// are those that only answer; of these `long` has what took long there.
///
/// 1. That with the most. Others with a good part of as much, too, if they are all one machine with the host; else those where
///    nearly all was waited for there alone.
/// 2. That must be enough: a good part of what the host asks, nearly all if it asks a known resolver, whose clients ask for the
///    same as others now and then; or most of what took long there.
/// 3. Further places with less, where most of what took long was what this host asked for.
fn waiting_places(
    waits: &Waits,
    known: usize,
    is_same_machine: impl Fn(usize) -> bool,
    long: &BTreeMap<usize, Questions>,
) -> Option<Vec<usize>> {
    let mut places: Vec<(usize, &Nested)> =
        waits.at.iter().map(|(place, nested)| (*place, nested)).collect();
    places.sort_by_key(|(place, nested)| std::cmp::Reverse((nested.all.len(), *place)));
    let most = places.first()?.1.all.len();
    let (mut main, others): (Vec<_>, Vec<_>) =
        places.into_iter().partition(|(_, nested)| nested.all.len() * 4 > most);
    let is_one =
        main.len() == 1 || main.iter().all(|(place, _)| *place >= known && is_same_machine(*place));
    if !is_one {
        main.retain(|(_, nested)| nested.is_alone());
        // Of two resolvers that are known apart it is neither.
        if main.iter().filter(|(place, _)| *place < known).count() > 1 {
            return None;
        }
    }
    let all: Questions = main.iter().flat_map(|(_, nested)| nested.all.iter().copied()).collect();
    // How much of what took long at a place the host asked for, and how much that was.
    let covered = |place: usize, nested: &Nested| {
        let long = long.get(&place);
        let covered = long.map_or(0, |long| long.intersection(&nested.all).count());
        (covered, long.map_or(0, BTreeSet::len))
    };
    let is_covered = |(place, nested): &(usize, &Nested)| {
        let (covered, long) = covered(*place, nested);
        covered >= COVERED_MIN && covered * 4 >= long * 3
    };
    let asked = waits.asked.len();
    let is_it = match waits.asks_known {
        true => all.len() >= FORWARDED_MIN && all.len() * 10 >= asked * 9,
        false => {
            all.len() >= BEHAVIOUR_MIN
                && all.len() * 4 >= asked
                && waits.waited_times * 4 >= waits.asked_times
                || !main.is_empty() && main.iter().all(is_covered)
        }
    };
    if !is_it {
        return None;
    }
    let further = others.iter().filter(|(place, nested)| {
        let (covered, long) = covered(*place, nested);
        nested.is_alone() && covered >= FURTHER_MIN && covered * 2 >= long
    });
    Some(main.iter().chain(further).map(|(place, _)| *place).collect())
}
