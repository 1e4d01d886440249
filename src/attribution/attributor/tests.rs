//! A verdict near which something was lost says so, whatever it was.

use std::collections::BTreeSet;
use std::ops::Range;

use super::*;
use crate::attribution::{Doubt, Place, Step, Verdict};
use crate::flow::{Address, Endpoint, Flow, Transport};
use crate::message::simulated::{Draft, Simulated};
use crate::packet::{Asides, Elsewhere, Envelope, Ports};
use crate::resolution::{Limits, NoClientReason, Role, Roles};
use crate::transaction::Transactions;

const ANNA: &str = "10.0.0.1";
const DC: &str = "10.0.0.53";
const ISP: &str = "203.0.113.53";

/// An engine for `evil.com`, with room for so many transactions and hosts, and what it said.
struct Engine {
    simulated: Simulated,
    attributor: Attributor,
    said: Vec<Attribution>,
    ids: u16,
}

impl Engine {
    fn new(transactions: usize, hosts: usize) -> Engine {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list.txt");
        std::fs::write(&path, "evil.com\n").unwrap();
        let simulated = Simulated::new();
        let indicators = Arc::new(Indicators::load(&[path], simulated.hasher).unwrap().0);
        let mut limits = Limits::default();
        (limits.transactions.transactions, limits.transactions.hosts) = (transactions, hosts);
        limits.transactions.names = 1 << 16;
        let table = Transactions::new(limits.transactions, Ports::new(&[]));
        let dc = vec![vec![DC.parse::<Address>().unwrap()]];
        let resolution = Resolution::new(limits, table, Roles::new(dc), simulated.hasher);
        let attributor = Attributor::new(resolution, indicators);
        Engine { simulated, attributor, said: Vec::new(), ids: 0 }
    }

    fn take(&mut self, draft: &Draft<'_>) {
        self.simulated.add(draft);
        let messages = &self.simulated.messages;
        let mut message = *messages.get(messages.len() - 1).unwrap();
        let targets = draft.aliases.iter().chain(draft.services).map(|(_, target)| *target);
        let mut names = targets.chain([draft.name]);
        message.flagged = names.any(|name| name.ends_with("evil.com"));
        let said = &mut self.said;
        self.attributor.take(messages, &message, &mut |attribution| said.push(attribution));
    }

    fn exchange(&mut self, at_ms: f64, from: &str, to: &str, name: &str) {
        self.ids += 1;
        let (id, port) = (self.ids, 20_000 + self.ids);
        let ask = Draft { at_ms, from, to, name, id, port, ..Draft::default() };
        self.take(&ask);
        let (at_ms, from, to) = (at_ms + 2.0, to, from);
        self.take(&Draft { at_ms, from, to, response: true, address: true, ..ask });
    }

    /// A TCP connection carries something.
    fn connects(&mut self, from: &str, (to, port): (&str, u16), time: Timestamp) {
        let end = |text: &str, port| Endpoint { address: text.parse().unwrap(), port };
        let envelope = Envelope::of(
            FrameId::new(0, self.simulated.messages.len() as u64),
            time,
            Flow {
                source: end(from, 50_000),
                destination: end(to, port),
                transport: Transport::Tcp,
            },
        );
        let mut asides = Asides::default();
        asides.take(&envelope, &Elsewhere { payload: b"\x17\x03\x03", tcp_flags: 0x18 }, (0, 0), 0);
        for aside in asides.iter() {
            self.attributor.aside(aside, b"", &mut |_| {});
        }
    }

    fn finish(mut self) -> Vec<Attribution> {
        let said = &mut self.said;
        self.attributor.finish(&mut |attribution| said.push(attribution));
        self.said
    }
}

/// Anna asks the DC for something listed, 100 s after the beginning, and the DC asks upstream for it.
fn with_anna(engine: &mut Engine) {
    engine.exchange(1_000.0, "10.0.0.2", DC, "warm.example");
    engine.exchange(1_001.0, DC, ISP, "warm.example");
    let ask = Draft { at_ms: 100_000.0, name: "c2.evil.com", id: 900, ..Draft::default() };
    engine.take(&ask);
    engine.exchange(100_010.0, DC, ISP, "c2.evil.com");
    engine.take(&Draft {
        at_ms: 100_020.0,
        from: DC,
        to: ANNA,
        response: true,
        address: true,
        ..ask
    });
}

/// Anna and Ben ask the DC for the HTTPS record of `www.good.example`, Anna 100 s after the beginning and Ben later. It
/// leads to something listed.
fn with_a_service(engine: &mut Engine) {
    let up = [("www.good.example", "svc.evil.com")];
    let ask = |at_ms, from, id| {
        let (name, rtype) = ("www.good.example", 65);
        Draft { at_ms, from, id, port: 20_000 + id, name, rtype, ..Draft::default() }
    };
    let answer = |at_ms, ask: &Draft<'static>| {
        let (from, to) = (ask.to, ask.from);
        Draft { at_ms, from, to, response: true, ..ask.clone() }
    };
    engine.exchange(1_000.0, "10.0.0.2", DC, "warm.example");
    engine.exchange(1_001.0, DC, ISP, "warm.example");
    let (anna, ben) = (ask(100_000.0, ANNA, 900), ask(130_000.0, "10.0.0.2", 902));
    let upstream = Draft { to: ISP, ..ask(100_001.0, DC, 901) };
    engine.take(&anna);
    engine.take(&upstream);
    engine.take(&Draft { services: &up, ..answer(100_010.0, &upstream) });
    engine.take(&Draft { services: &up, ..answer(100_011.0, &anna) });
    engine.take(&ben);
    engine.take(&Draft { services: &up, ..answer(130_001.0, &ben) });
}

/// The server upstream does not speak the version of EDNS that it is asked by. That says nothing of the name: it is asked
/// once more without, for the same client.
#[test]
fn a_refusal_of_edns_is_no_answer() {
    let mut engine = Engine::new(1 << 12, 1 << 10);
    engine.exchange(1_000.0, "10.0.0.2", DC, "warm.example");
    engine.exchange(1_001.0, DC, ISP, "warm.example");
    let ask = Draft { at_ms: 100_000.0, name: "c2.evil.com", id: 900, ..Draft::default() };
    let first = Draft {
        at_ms: 100_001.0,
        from: DC,
        to: ISP,
        id: 901,
        port: 901,
        edns: true,
        ..ask.clone()
    };
    let back = |at_ms, draft: &Draft<'static>| {
        let (from, to) = (draft.to, draft.from);
        Draft { at_ms, from, to, response: true, ..draft.clone() }
    };
    let again = Draft { at_ms: 100_020.0, id: 902, port: 902, edns: false, ..first.clone() };
    engine.take(&ask);
    engine.take(&first);
    engine.take(&Draft { extended_rcode: 1, ..back(100_019.0, &first) });
    engine.take(&again);
    engine.take(&Draft { rcode: 2, ..back(103_000.0, &ask) });
    let said = engine.finish();
    let upstream: Vec<_> = said.iter().filter(|one| one.sighting.leg == Leg::Upstream).collect();
    let [refused, tried] = upstream[..] else { panic!("{said:?}") };
    assert_eq!((refused.sighting.rcode, tried.sighting.rcode), (Some("BADVERS"), None));
    for one in [refused, tried] {
        let [client] = &one.clients[..] else { panic!("{one:?}") };
        assert_eq!(client.address, ANNA.parse().unwrap());
        assert!(client.confidence_permille > 900, "{client:?}");
    }
}

#[test]
fn who_was_told_of_a_listed_service_is_named_with_the_way_there() {
    let mut engine = Engine::new(1 << 10, 1 << 10);
    with_a_service(&mut engine);
    let said = engine.finish();
    let told: Vec<_> = said
        .iter()
        .map(|attribution| {
            let [client] = &attribution.clients[..] else { panic!("{attribution:?}") };
            let chain = client.chain.iter().map(|step| (step.name.as_str(), step.step));
            let sighting = &attribution.sighting;
            let whose = (client.address.to_string(), client.role);
            (
                sighting.leg,
                sighting.place,
                whose,
                chain.collect::<Vec<_>>(),
                &attribution.doubts[..],
            )
        })
        .collect();
    let chain = vec![("www.good.example", Step::Asked), ("svc.evil.com", Step::Service)];
    let at = |leg, client: &str, role| {
        let whose = (client.to_owned(), role);
        (leg, Place::Target, whose, chain.clone(), &[Doubt::AliasTail][..])
    };
    let anna = at(Leg::Upstream, ANNA, Role::Initiator);
    assert_eq!(told, [anna, at(Leg::Client, "10.0.0.2", Role::Cached)]);
}

#[test]
fn who_asks_for_a_service_is_not_behind_the_question_for_its_target() {
    let mut engine = Engine::new(1 << 10, 1 << 10);
    with_a_service(&mut engine);
    // Somebody whose question is not in the capture, while Anna waits for the service again.
    let name = "www.good.example";
    engine.take(&Draft { at_ms: 140_000.0, name, rtype: 65, id: 950, ..Draft::default() });
    engine.exchange(140_001.0, DC, ISP, "svc.evil.com");
    let said = engine.finish();
    let asked = said.iter().filter(|attribution| attribution.sighting.place == Place::Qname);
    let asked: Vec<_> = asked.map(|asked| (asked.verdict, asked.clients.len())).collect();
    assert_eq!(asked, [(Verdict::Undetermined, 0)]);
}

fn at(seconds: i64) -> Timestamp {
    Timestamp(0) + Span::from_secs(seconds)
}

#[test]
fn frames_lost_near_it_are_said_and_nobody_is_named_for_sure() {
    for (lost, is_near) in [(None, false), (Some((95, 96)), true), (Some((105, 109)), true)]
        .into_iter()
        .chain([(Some((80, 85)), false), (Some((115, 120)), false), (Some((0, 200)), true)])
    {
        let mut engine = Engine::new(1 << 10, 1 << 10);
        with_anna(&mut engine);
        if let Some((from, to)) = lost {
            engine.attributor.note_loss(at(from), at(to));
        }
        let said = engine.finish();
        assert!(!said.is_empty());
        for attribution in said {
            assert_eq!(attribution.verdict, Verdict::Attributed);
            assert_eq!(attribution.doubts.contains(&Doubt::PacketsLostNear), is_near, "{lost:?}");
            let sure = attribution.clients[0].confidence_permille;
            assert_eq!(sure <= 940, is_near, "{lost:?}: {sure}");
        }
    }
}

#[test]
fn where_frames_were_lost_it_is_not_said_that_nobody_asked() {
    for lost in [false, true] {
        let mut engine = Engine::new(1 << 10, 1 << 10);
        engine.exchange(1_000.0, "10.0.0.2", DC, "warm.example");
        engine.exchange(100_010.0, DC, ISP, "c2.evil.com");
        engine.exchange(101_000.0, "10.0.0.2", DC, "other.example");
        if lost {
            engine.attributor.note_loss(at(99), at(100));
        }
        let said = engine.finish();
        let expected = match lost {
            true => (Verdict::Undetermined, Some(NoClientReason::PacketsLost)),
            false => (Verdict::NoClient, Some(NoClientReason::NobodyWaiting)),
        };
        assert_eq!((said[0].verdict, said[0].unexplained), expected);
    }
}

#[test]
fn soon_after_nothing_could_be_seen_it_is_not_said_that_nobody_asked() {
    for (back, is_soon) in [(99, true), (80, false), (101, false)] {
        let mut engine = Engine::new(1 << 10, 1 << 10);
        engine.exchange(1_000.0, "10.0.0.2", DC, "warm.example");
        engine.attributor.note_blind_until(at(back));
        engine.exchange(100_010.0, DC, ISP, "c2.evil.com");
        engine.exchange(101_000.0, "10.0.0.2", DC, "other.example");
        let said = engine.finish();
        let is_undecided = matches!(said[0].unexplained, Some(NoClientReason::BeganMidWay(_)));
        assert_eq!(is_undecided, is_soon, "{:?}", said[0]);
    }
}

#[test]
fn a_host_for_which_there_was_no_room_is_a_loss() {
    for (hosts, is_near) in [(64, false), (4, true)] {
        let mut engine = Engine::new(1 << 10, hosts);
        with_anna(&mut engine);
        for host in 100..110 {
            engine.exchange(101_000.0, &format!("10.0.1.{host}"), DC, "other.example");
        }
        let no_room = engine.attributor.resolution().transactions().counters().no_room;
        assert_eq!(no_room > 0, is_near);
        for attribution in engine.finish() {
            assert_eq!(attribution.doubts.contains(&Doubt::PacketsLostNear), is_near);
        }
    }
}

#[test]
fn what_is_judged_early_as_the_table_is_full_says_so() {
    for (room, is_early) in [(1 << 12, false), (1 << 6, true)] {
        let mut engine = Engine::new(room, 1 << 10);
        with_anna(&mut engine);
        for count in 0..200 {
            engine.exchange(100_100.0 + f64::from(count), "10.0.0.2", DC, "other.example");
        }
        let judged_early = engine.attributor.judged_early();
        assert_eq!(judged_early > 0, is_early);
        let said = engine.finish();
        // Anna's question is older than the upstream query that tells it, and yet settled behind it.
        assert_eq!(said.len(), 1, "{said:?}");
        for attribution in said {
            assert_eq!(attribution.sighting.leg, Leg::Upstream);
            assert_eq!(attribution.clients.len(), 1);
            assert_eq!(
                attribution.doubts.contains(&Doubt::JudgedEarly),
                is_early,
                "{attribution:?}"
            );
        }
    }
}

#[test]
fn names_that_are_forgotten_first_make_the_history_as_short() {
    let mut engine = Engine::new(1 << 12, 1 << 10);
    with_anna(&mut engine);
    let long = |n| format!("{}.{}.{}.n{n}.example", "a".repeat(63), "b".repeat(63), "c".repeat(63));
    // All names together have room for some 330 of these.
    for count in 0..1_000 {
        engine.exchange(100_100.0 + f64::from(count), "10.0.0.2", DC, &long(count));
    }
    assert!(engine.attributor.judged_early() > 0);
    let said = engine.finish();
    let [upstream] = &said[..] else { panic!("{said:?}") };
    assert_eq!(
        (upstream.sighting.leg, &*upstream.clients[0].asked),
        (Leg::Upstream, "c2.evil.com")
    );
    assert!(upstream.doubts.contains(&Doubt::JudgedEarly));
}

#[test]
fn the_first_word_counts_from_the_message_in_which_it_was_seen() {
    for first in [State::Provisional, State::Final] {
        let mut engine = Engine::new(1 << 10, 1 << 10);
        if first == State::Provisional {
            engine.attributor = engine.attributor.with_provisional();
        }
        engine.exchange(1_000.0, "10.0.0.2", DC, "warm.example");
        engine.exchange(1_001.0, DC, ISP, "warm.example");
        let ask = Draft { at_ms: 100_000.0, name: "www.example.com", id: 900, ..Draft::default() };
        let upstream = Draft { at_ms: 100_010.0, from: DC, to: ISP, id: 901, ..ask };
        engine.take(&ask);
        engine.take(&upstream);
        let aliases = &[("www.example.com", "c2.evil.com")];
        for (question, from, to, at_ms) in
            [(&upstream, ISP, DC, 102_500.0), (&ask, DC, ANNA, 102_510.0)]
        {
            engine.take(&Draft { at_ms, from, to, response: true, aliases, ..*question });
        }
        engine.exchange(110_000.0, "10.0.0.2", DC, "other.example");
        let said = engine.finish();
        let untold = said.iter().filter_map(|a| a.untold_since.map(|since| (a.state, since)));
        assert_eq!(untold.collect::<Vec<_>>(), [(first, Timestamp(102_500_000_000))]);
        assert_eq!(said.last().map(|a| a.state), Some(State::Final));
    }
}

#[test]
fn an_end_that_may_not_take_long_counts_what_it_leaves() {
    for may_judge in [0, 1, usize::MAX] {
        let mut engine = Engine::new(1 << 10, 1 << 10);
        with_anna(&mut engine);
        let (said, asked) = (&mut engine.said, std::cell::Cell::new(0));
        let is_over = || asked.replace(asked.get() + 1) >= may_judge;
        engine.attributor.finish_until(&is_over, &mut |attribution| said.push(attribution));
        let unsettled = engine.attributor.coverage().unsettled;
        assert_eq!(unsettled == 0, may_judge == usize::MAX, "{may_judge}: {unsettled}");
        assert_eq!(said.is_empty(), may_judge < usize::MAX);
    }
}

#[test]
fn a_question_to_a_server_that_is_no_resolver_is_settled_while_the_run_goes_on() {
    let mut engine = Engine::new(1 << 10, 1 << 10);
    with_anna(&mut engine);
    engine.exchange(200_000.0, "10.0.0.9", "8.8.8.8", "c2.evil.com");
    let finals = |engine: &Engine| {
        let of_8 = |said: &&Attribution| said.sighting.server.to_string() == "8.8.8.8";
        engine.said.iter().filter(of_8).count()
    };
    for seconds in 21..80 {
        engine.exchange(f64::from(seconds) * 10_000.0, "10.0.0.2", DC, "other.example");
    }
    assert_eq!(finals(&engine), 0, "somebody may yet ask 10.0.0.9");
    engine.exchange(801_000.0, "10.0.0.2", DC, "other.example");
    assert_eq!(finals(&engine), 1);
}

#[test]
fn a_server_that_asks_before_anybody_asks_it_is_not_blamed() {
    let mut engine = Engine::new(1 << 10, 1 << 10);
    with_anna(&mut engine);
    engine.exchange(200_000.0, "10.0.0.9", "8.8.8.8", "c2.evil.com");
    for seconds in 21..75 {
        engine.exchange(f64::from(seconds) * 10_000.0, "10.0.0.2", DC, "other.example");
    }
    for seconds in 75..99 {
        engine.exchange(f64::from(seconds) * 10_000.0, "10.0.0.2", "10.0.0.9", "other.example");
        engine.exchange(
            f64::from(seconds) * 10_000.0 + 5.0,
            "10.0.0.9",
            "8.8.8.8",
            "other.example",
        );
    }
    let said = engine.finish();
    let blamed = said.iter().flat_map(|said| &said.clients);
    assert!(blamed.clone().all(|client| client.address.to_string() == ANNA), "{said:?}");
    assert!(said.iter().any(|said| said.sighting.server.to_string() == "8.8.8.8"));
}

/// Indicators of a list with these lines.
fn listed(lines: &str, engine: &Engine) -> Arc<Indicators> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("list.txt");
    std::fs::write(&path, lines).unwrap();
    Arc::new(Indicators::load(&[path], engine.simulated.hasher).unwrap().0)
}

#[test]
fn of_what_two_entries_flag_only_the_one_that_is_taken_away_is_settled() {
    let mut engine = Engine::new(1 << 10, 1 << 10);
    engine.attributor.indicators = listed("evil.com\n192.0.2.1\n", &engine);
    with_anna(&mut engine);
    let left = listed("other.example\n192.0.2.1\n", &engine);
    engine.attributor.relist(left);
    assert!(engine.said.is_empty(), "it is settled bit by bit");
    let mut slices = 0;
    while engine.attributor.leaving().is_some() {
        let said = &mut engine.said;
        engine.attributor.settle_leaving(1, &mut |attribution| said.push(attribution));
        slices += 1;
    }
    // The upstream query first, which tells Anna's question.
    assert_eq!((slices, engine.said.len()), (2, 1));
    assert_eq!(engine.said[0].sighting.leg.as_str(), "upstream");
    assert!(engine.said[0].doubts.contains(&Doubt::NoLongerListed));
    let coverage = engine.attributor.coverage();
    assert_eq!((coverage.settled_unlisted, coverage.judged_early), (1, 0));
    let rest = engine.finish();
    assert_eq!(rest.len(), 2, "{rest:?}");
    assert!(!rest[1].doubts.contains(&Doubt::NoLongerListed));
    assert_eq!(rest[1].clients[0].address.to_string(), ANNA);
}

#[test]
fn who_asked_for_what_is_not_listed_any_more_stays_in_the_summary() {
    let mut engine = Engine::new(1 << 10, 1 << 10);
    let with = listed("evil.com\n", &engine);
    engine.attributor.indicators = Arc::clone(&with);
    with_anna(&mut engine);
    engine.exchange(600_000.0, "10.0.0.2", DC, "other.example");
    let counts = |engine: &Engine| {
        let summary = engine.attributor.summary();
        (summary.rows().count(), summary.unlisted().count())
    };
    assert_eq!(counts(&engine), (1, 0));
    let without = listed("bad.example\n", &engine);
    engine.attributor.relist(Arc::clone(&without));
    assert_eq!(counts(&engine), (0, 1));
    let (entry, client, row) = engine.attributor.summary().unlisted().next().unwrap();
    let said = (entry.value.as_str(), entry.list.as_str(), entry.line, client.to_string());
    assert_eq!(said, ("evil.com", "list.txt", 1, ANNA.to_owned()));
    assert!(row.asks > 0);
    engine.attributor.relist(with);
    assert_eq!(counts(&engine), (1, 0));
    // What waited when its entry went is counted, too.
    let mut engine = Engine::new(1 << 10, 1 << 10);
    engine.attributor.indicators = listed("evil.com\n", &engine);
    with_anna(&mut engine);
    engine.attributor.relist(without);
    while engine.attributor.leaving().is_some() {
        engine.attributor.settle_leaving(1, &mut |_| {});
    }
    assert_eq!(counts(&engine), (0, 1));
}

#[test]
fn who_was_not_told_is_not_presumed_to_be_led_where_the_dns_server_was_not() {
    let named = |aliases: &[(&str, &str)]| {
        let mut engine = Engine::new(1 << 10, 1 << 10);
        let old = [("www.other.com", "c2.evil.com")];
        for at_ms in [1_000.0, 90_000.0] {
            let aliases = if at_ms < 2_000.0 { &old[..] } else { aliases };
            let who = if at_ms < 2_000.0 { "10.0.0.2" } else { ANNA };
            let id = (at_ms / 1_000.0) as u16;
            let ask = Draft { at_ms, from: who, name: "www.other.com", id, ..Draft::default() };
            engine.take(&ask);
            let query = Draft { at_ms: at_ms + 1.0, from: DC, to: ISP, id: id + 1, ..ask };
            engine.take(&query);
            let (from, to) = (query.to, query.from);
            let at_ms = at_ms + 9.0;
            engine.take(&Draft {
                at_ms,
                from,
                to,
                response: true,
                address: true,
                aliases,
                ..query
            });
            // The answer to Anna is not in the capture.
            if who != ANNA {
                let at_ms = at_ms + 0.2;
                engine.take(&Draft {
                    at_ms,
                    from: DC,
                    to: who,
                    response: true,
                    address: true,
                    aliases,
                    ..ask
                });
            }
        }
        let said = engine.finish();
        let clients = said.iter().flat_map(|said| &said.clients);
        clients.map(|client| client.address.to_string()).any(|client| client == ANNA)
    };
    assert!(named(&[("www.other.com", "c2.evil.com")]));
    assert!(!named(&[]), "it was told of an address");
    assert!(!named(&[("www.other.com", "fine.cdn.net")]));
}

/// Somebody asks for `www.shop.com`, and is told of its chain; later its last alias has run out, something happens to be
/// answered, and Anna asks and is told that it failed, or nothing. What is said of Anna.
fn after_the_last_alias_ran_out(
    asked_ms: f64,
    rcode: Option<u8>,
    between: &[(&str, &[(&str, &str)])],
) -> Vec<(u16, Vec<Doubt>)> {
    let mut engine = Engine::new(1 << 10, 1 << 10);
    let answer = |engine: &mut Engine, ask: Draft<'_>, draft: Draft<'_>| {
        let at_ms = ask.at_ms + 9.0;
        let Draft { from, to, name, id, .. } = ask;
        engine.take(&Draft { at_ms, from: to, to: from, name, id, response: true, ..draft });
    };
    let chain = [("www.shop.com", "lb.shop.net"), ("lb.shop.net", "c2.evil.com")];
    let mut id = 0;
    let first = [("www.shop.com", &chain[..])];
    for (name, aliases) in first.iter().chain(between) {
        id += 1;
        let at_ms = f64::from(id) * 1_000.0;
        let ask = Draft { at_ms, from: "10.0.0.2", name, id, ..Draft::default() };
        let query = Draft { at_ms: at_ms + 1.0, from: DC, to: ISP, ..ask };
        engine.take(&ask);
        engine.take(&query);
        let told = || Draft { aliases, address: true, ttl: 5, ..Draft::default() };
        answer(&mut engine, query, told());
        answer(&mut engine, ask, told());
    }
    let ask =
        Draft { at_ms: asked_ms, from: ANNA, name: "www.shop.com", id: 99, ..Draft::default() };
    engine.take(&ask);
    if let Some(rcode) = rcode {
        answer(&mut engine, ask, Draft { rcode, ..Draft::default() });
    }
    let said = engine.finish().into_iter().filter(|said| said.state == State::Final);
    let annas = said.filter(|said| said.clients.iter().any(|c| c.address.to_string() == ANNA));
    annas.map(|said| (said.clients[0].confidence_permille, said.doubts)).collect()
}

#[test]
fn who_got_no_answer_is_presumed_to_be_led_by_an_alias_that_ran_out_if_nothing_speaks_against_it() {
    const SERVFAIL: u8 = 2;
    let likely = [(800, vec![Doubt::AliasTail, Doubt::OutdatedAlias])];
    for rcode in [None, Some(SERVFAIL)] {
        assert_eq!(after_the_last_alias_ran_out(60_000.0, rcode, &[]), likely, "{rcode:?}");
        assert_eq!(after_the_last_alias_ran_out(600_000.0, rcode, &[]), likely, "{rcode:?}");
        // It ran out more than ten minutes before.
        assert_eq!(after_the_last_alias_ran_out(620_000.0, rcode, &[]), []);
    }
    let fresh = after_the_last_alias_ran_out(3_000.0, Some(SERVFAIL), &[]);
    // It took as long as a lookup, of which none is seen.
    assert_eq!(fresh, [(900, vec![Doubt::AliasTail])]);
    // Who got an answer is judged by that.
    assert_eq!(after_the_last_alias_ran_out(60_000.0, Some(0), &[]), []);
    // Others were led elsewhere since, or nowhere.
    let elsewhere = [("www.shop.com", "lb.shop.net"), ("lb.shop.net", "fine.net")];
    for since in [("www.shop.com", &elsewhere[..]), ("lb.shop.net", &elsewhere[1..])] {
        assert_eq!(after_the_last_alias_ran_out(60_000.0, None, &[since]), [], "{since:?}");
    }
    for since in [("www.shop.com", &elsewhere[..1]), ("lb.shop.net", &[]), ("www.shop.com", &[])] {
        assert_eq!(after_the_last_alias_ran_out(60_000.0, None, &[since]), [], "{since:?}");
    }
    // What is answered of others does not speak against it.
    let others = after_the_last_alias_ran_out(60_000.0, None, &[("img.shop.com", &elsewhere[..1])]);
    assert_eq!(others, likely);
}

#[test]
fn what_stands_in_two_lists_stays_in_both_when_they_are_read_anew() {
    let folder = tempfile::tempdir().unwrap();
    let paths = ["a.txt", "b.txt"].map(|name| folder.path().join(name));
    paths.iter().for_each(|path| std::fs::write(path, "evil.com\n").unwrap());
    let mut engine = Engine::new(1 << 10, 1 << 10);
    let load = |paths: &[std::path::PathBuf], engine: &Engine| {
        Arc::new(Indicators::load(paths, engine.simulated.hasher).unwrap().0)
    };
    engine.attributor.indicators = load(&paths, &engine);
    with_anna(&mut engine);
    let again = load(&paths, &engine);
    engine.attributor.relist(again);
    engine.exchange(600_000.0, "10.0.0.2", DC, "other.example");
    let lists = |engine: &Engine| -> Vec<(String, u64)> {
        let indicators = &engine.attributor.indicators;
        let rows = engine.attributor.summary().rows();
        let list = |id| indicators.list_name(indicators.get(id).unwrap().list).to_owned();
        rows.map(|(id, _, row)| (list(id), row.asks)).collect()
    };
    let before = lists(&engine);
    assert_eq!(before.len(), 2);
    let again = load(&paths, &engine);
    engine.attributor.relist(again);
    assert_eq!(lists(&engine), before);
    // Where one of the lists goes, it is told once.
    let only = load(&paths[1..], &engine);
    engine.attributor.relist(only);
    assert_eq!(lists(&engine), before[1..]);
    assert_eq!(engine.attributor.summary().unlisted().count(), 0);
}

#[test]
fn of_one_question_that_leads_to_many_so_many_are_kept_as_there_is_room_for() {
    let mut engine = Engine::new(1 << 10, 1 << 10);
    let networks: String = (9..=32).map(|prefix| format!("192.0.2.1/{prefix}\n")).collect();
    engine.attributor.indicators = listed(&format!("evil.com\n{networks}"), &engine);
    with_anna(&mut engine);
    assert_eq!(engine.attributor.coverage().sightings_left_out, 2 * (25 - 16));
    assert_eq!(engine.finish().len(), 16);
}

#[test]
fn lookups_of_clients_without_room_in_the_summary_are_counted() {
    let mut engine = Engine::new(1 << 10, 1 << 10);
    engine.attributor.summary.limit(1);
    with_anna(&mut engine);
    for (at_ms, from) in [(200_000.0, "10.0.0.2"), (201_000.0, ANNA), (202_000.0, "10.0.0.3")] {
        engine.exchange(at_ms, from, DC, "c2.evil.com");
    }
    engine.exchange(900_000.0, "10.0.0.2", DC, "other.example");
    let clients = engine.said.iter().flat_map(|said| &said.clients);
    let others = clients.filter(|client| client.address.to_string() != ANNA).count();
    let kept = engine.attributor.summary().rows();
    let kept: Vec<_> = kept.map(|(_, client, row)| (client.to_string(), row.asks)).collect();
    assert_eq!((others, kept), (2, vec![(ANNA.to_owned(), 2)]));
    assert_eq!(engine.attributor.coverage().summary_left_out, 2);
}

/// Takes a question of Ben's for what led to something listed when it was last answered, and what the DC got then.
fn with_ben(engine: &mut Engine, at_ms: f64) -> Draft<'static> {
    let ask = Draft { name: "www.example.com", from: "10.0.0.2", id: 950, ..Draft::default() };
    let learned = Draft { at_ms: at_ms - 9_000.0, from: DC, to: ISP, id: 951, ..ask };
    let aliases = &[("www.example.com", "c2.evil.com")];
    engine.take(&learned);
    let at_ms = at_ms - 8_990.0;
    engine.take(&Draft { at_ms, from: ISP, to: DC, response: true, aliases, ..learned });
    let ask = Draft { at_ms: at_ms + 8_990.0, ..ask };
    engine.take(&ask);
    ask
}

#[test]
fn an_answer_that_leads_elsewhere_clears_who_was_taken_to_get_none() {
    for (room, is_early) in [(1 << 12, false), (1 << 6, true)] {
        let mut engine = Engine::new(room, 1 << 10);
        engine.exchange(1_000.0, "10.0.0.3", DC, "warm.example");
        let ask = with_ben(&mut engine, 100_000.0);
        for count in 0..36 {
            engine.exchange(100_001.0 + f64::from(count), "10.0.0.3", DC, "other.example");
        }
        let (at_ms, from, to) = (100_100.0, DC, "10.0.0.2");
        engine.take(&Draft { at_ms, from, to, response: true, address: true, ..ask });
        for count in 0..200 {
            engine.exchange(100_200.0 + f64::from(count), "10.0.0.3", DC, "other.example");
        }
        assert_eq!(engine.attributor.judged_early() > 0, is_early);
        let said = engine.finish();
        let blamed = said.iter().flat_map(|said| &said.clients);
        assert_eq!(blamed.filter(|client| client.address.to_string() == "10.0.0.2").count(), 0);
    }
}

#[test]
fn who_joined_and_was_led_elsewhere_is_not_named_with_who_was_told_nothing() {
    let mut engine = Engine::new(1 << 12, 1 << 10);
    engine.exchange(1_000.0, "10.0.0.3", DC, "warm.example");
    let ben = with_ben(&mut engine, 100_000.0);
    engine.take(&Draft { at_ms: 100_001.0, from: DC, to: ISP, id: 960, port: 4_960, ..ben });
    let carla = Draft { at_ms: 100_050.0, from: "10.0.0.3", id: 961, port: 4_961, ..ben };
    engine.take(&carla);
    let aliases = &[("www.example.com", "good.example.org")];
    let (at_ms, from, to) = (100_250.0, DC, "10.0.0.3");
    engine.take(&Draft { at_ms, from, to, response: true, address: true, aliases, ..carla });
    let said = engine.finish();
    let is_last = |said: &&Attribution| said.state == State::Final;
    let named: BTreeSet<String> = said
        .iter()
        .filter(is_last)
        .flat_map(|said| said.clients.iter().map(|client| client.address.to_string()))
        .collect();
    assert_eq!(named.into_iter().collect::<Vec<_>>(), ["10.0.0.2"]);
}

#[test]
fn one_that_is_sent_again_and_again_does_not_hold_up_the_others() {
    let mut engine = Engine::new(1 << 12, 1 << 10);
    engine.exchange(1_000.0, "10.0.0.3", DC, "warm.example");
    for count in 0..60 {
        let at_ms = 90_000.0 + f64::from(count) * 10_000.0;
        engine.take(&Draft {
            at_ms,
            from: "10.0.0.9",
            to: DC,
            name: "probe.example",
            ..Draft::default()
        });
        if count == 2 {
            with_ben(&mut engine, at_ms + 1.0);
        }
    }
    let blamed = engine.said.iter().flat_map(|said| &said.clients);
    let blamed: Vec<String> = blamed.map(|client| client.address.to_string()).collect();
    assert_eq!(blamed, ["10.0.0.2"], "{:?}", engine.said);
}

#[test]
fn of_a_server_that_is_asked_encrypted_it_is_not_said_that_no_client_asked() {
    let why = |encrypted_at_ms: Option<i64>| {
        let mut engine = Engine::new(1 << 10, 1 << 8);
        engine.exchange(1_000.0, ANNA, DC, "warm.example");
        engine.exchange(1_001.0, DC, ISP, "warm.example");
        let connects = |engine: &mut Engine, within: Range<i64>| {
            if let Some(at) = encrypted_at_ms.filter(|at| within.contains(at)) {
                engine.connects("10.0.0.9", (DC, 853), Timestamp(0) + Span::from_millis(at));
            }
        };
        connects(&mut engine, 0..100_000);
        engine.exchange(100_000.0, DC, ISP, "c2.evil.com");
        connects(&mut engine, 100_000..200_000);
        let said = engine.finish();
        said.iter().find_map(|attribution| attribution.unexplained)
    };
    assert_eq!(why(None), Some(NoClientReason::NobodyWaiting));
    let client = Address::v4([10, 0, 0, 9]);
    assert_eq!(why(Some(90_000)), Some(NoClientReason::AskedEncrypted(client)));
    assert_eq!(why(Some(100_900)), Some(NoClientReason::AskedEncrypted(client)));
    assert_eq!(why(Some(102_000)), Some(NoClientReason::NobodyWaiting), "it came only then");
}
