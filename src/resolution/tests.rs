//! The rules of [`super::cause`], each on a few made-up messages.
//!
//! `anna`, `ben` and `carla` are clients, `DC` is the resolver, `ISP` what it asks.

mod addresses;
mod aliases;
mod apart;
mod asked_before;
mod dead;
mod forwarders;
mod full;
mod innocent;
mod lost;
mod nat;
mod real;
mod tries;

use super::{Limits, NoClientReason, Relation, Resolution, Role, Roles, StepKind};
use crate::bounded::Sequence;
use crate::message::simulated::{Draft, Simulated};
use crate::name::Name;
use crate::packet::Ports;
use crate::time::{Span, Timestamp};
use crate::transaction::{Event, Transactions};

const ANNA: &str = "10.0.0.1";
const BEN: &str = "10.0.0.2";
const CARLA: &str = "10.0.0.3";
const DC: &str = "10.0.0.53";
const DC2: &str = "10.0.0.54";
const ISP: &str = "203.0.113.53";

struct Office {
    simulated: Simulated,
    resolution: Resolution,
    ids: u16,
}

/// An open question: what its answer must repeat.
#[derive(Clone, Copy)]
struct Open<'a> {
    from: &'a str,
    to: &'a str,
    name: &'a str,
    rtype: u16,
    id: u16,
    sequence: Sequence,
}

impl Office {
    /// An office whose DC was seen at work a minute before.
    fn new() -> Office {
        let simulated = Simulated::new();
        let limits = Limits::default();
        let transactions = Transactions::new(limits.transactions, Ports::new(&[]));
        let resolution =
            Resolution::new(limits, transactions, Roles::new(Vec::new()), simulated.hasher);
        let mut office = Office { simulated, resolution, ids: 0 };
        for (client, server) in [(CARLA, DC), (DC, ISP), (CARLA, DC2), (DC2, DC)] {
            let open = office.ask(-60_000.0, client, server, "warm.example");
            office.answer(-59_990.0, open, &[]);
        }
        office.resolution.refresh_roles();
        office
    }

    /// An office whose DC asks on its own, from the root down: without wanting recursion.
    fn iterating() -> Office {
        let mut office = Office::new();
        let root = Draft { at_ms: -50_000.0, from: DC, to: "198.41.0.4", ..Draft::default() };
        office.take(&Draft { recursion: false, id: 900, name: "org", ..root });
        office
    }

    fn take(&mut self, draft: &Draft<'_>) -> Event {
        self.simulated.add(draft);
        let messages = &self.simulated.messages;
        let message = messages.get(messages.len() - 1).unwrap();
        self.resolution.take(messages, message)
    }

    fn ask<'a>(&mut self, at_ms: f64, from: &'a str, to: &'a str, name: &'a str) -> Open<'a> {
        self.ask_type(at_ms, from, to, name, 1)
    }

    fn ask_type<'a>(
        &mut self,
        at_ms: f64,
        from: &'a str,
        to: &'a str,
        name: &'a str,
        rtype: u16,
    ) -> Open<'a> {
        self.ids += 1;
        let id = self.ids;
        let port = 10_000 + id;
        let event =
            self.take(&Draft { at_ms, from, to, name, rtype, id, port, ..Draft::default() });
        let Event::Asked(sequence) = event else { panic!("{event:?}") };
        Open { from, to, name, rtype, id, sequence }
    }

    fn respond(&mut self, open: Open<'_>, draft: Draft<'_>) {
        let Open { from, to, name, rtype, id, .. } = open;
        let port = 10_000 + id;
        self.take(&Draft { from: to, to: from, name, rtype, id, port, response: true, ..draft });
    }

    fn answer(&mut self, at_ms: f64, open: Open<'_>, aliases: &[(&str, &str)]) {
        self.respond(open, Draft { at_ms, aliases, address: true, ..Draft::default() });
    }

    /// The DC asks for a name, and learns of what it is an alias.
    fn learn(&mut self, at_ms: f64, owner: &str, target: &str) {
        let open = self.ask(at_ms, DC, ISP, owner);
        self.answer(at_ms + 0.5, open, &[(owner, target)]);
    }

    /// Who caused a query: (address, role, relation), and why nobody if nobody did.
    fn causes(
        &mut self,
        open: Open<'_>,
    ) -> (Vec<(String, Role, Relation)>, Option<NoClientReason>) {
        let history = self.resolution.history();
        let transactions = history.transactions();
        let sent = transactions.get(open.sequence).unwrap();
        let causes = history.causes(open.sequence, &sent, Timestamp(-60_000_000_000));
        let named = causes.clients.iter().map(|cause| {
            let ask = transactions.get(cause.ask).unwrap();
            let client = transactions.hosts().get(ask.client).unwrap().address;
            (client.to_string(), cause.role, cause.relation)
        });
        (named.collect(), causes.unexplained)
    }

    fn named(&mut self, open: Open<'_>) -> Vec<String> {
        self.causes(open).0.into_iter().map(|(client, _, _)| client).collect()
    }
}

#[test]
fn who_asked_for_the_name_itself_and_not_who_stood_nearby() {
    let mut office = Office::new();
    office.ask(0.0, BEN, DC, "www.evil.com");
    office.ask(0.1, ANNA, DC, "c2.evil.com");
    let query = office.ask(0.3, DC, ISP, "c2.evil.com");
    office.ask(0.2, CARLA, DC, "evil.com");
    assert_eq!(office.causes(query).0, [(ANNA.into(), Role::Initiator, Relation::Itself)]);
}

#[test]
fn an_alias_tail_leads_to_who_asked_for_the_head() {
    let mut office = Office::new();
    let ask = office.ask(0.0, ANNA, DC, "www.good.com");
    let query = office.ask(0.2, DC, ISP, "tail.cdn.net");
    office.answer(4.0, query, &[]);
    office.answer(4.1, ask, &[("www.good.com", "mid.good.net"), ("mid.good.net", "tail.cdn.net")]);
    assert_eq!(office.causes(query).0, [(ANNA.into(), Role::Initiator, Relation::Alias)]);
    let history = office.resolution.history();
    let transactions = history.transactions();
    let sent = transactions.get(query.sequence).unwrap();
    let causes = history.causes(query.sequence, &sent, Timestamp(0));
    let chain: Vec<_> = causes.clients[0]
        .chain
        .iter()
        .map(|s| (Name::from_wire(&s.name).to_string(), s.kind))
        .collect();
    let expected = [
        ("www.good.com", StepKind::Asked),
        ("mid.good.net", StepKind::Alias),
        ("tail.cdn.net", StepKind::Alias),
    ];
    assert_eq!(chain, expected.map(|(name, kind)| (name.to_owned(), kind)));
}

#[test]
fn an_answer_without_the_tail_clears_who_once_could_have_led_there() {
    let mut office = Office::new();
    let first = office.ask(-5000.0, BEN, DC, "www.good.com");
    office.answer(-4990.0, first, &[("www.good.com", "tail.cdn.net")]);
    let ben = office.ask(0.0, BEN, DC, "www.good.com");
    let anna = office.ask(0.0, ANNA, DC, "other.good.com");
    let query = office.ask(0.2, DC, ISP, "tail.cdn.net");
    office.answer(4.0, query, &[]);
    office.answer(4.1, ben, &[("www.good.com", "elsewhere.net")]);
    office.answer(4.1, anna, &[("other.good.com", "tail.cdn.net")]);
    assert_eq!(office.named(query), [ANNA]);
}

#[test]
fn a_dropped_tail_leads_to_who_asked_by_what_was_learned_before() {
    let mut office = Office::new();
    let first = office.ask(-5000.0, BEN, DC, "www.good.com");
    office.answer(-4990.0, first, &[("www.good.com", "tail.cdn.net")]);
    office.ask(0.0, ANNA, DC, "www.good.com");
    let query = office.ask(0.2, DC, ISP, "tail.cdn.net");
    assert_eq!(office.named(query), [ANNA]);
}

#[test]
fn a_forwarding_server_does_not_ask_for_what_stands_above_a_question() {
    let mut office = Office::new();
    office.ask(0.0, ANNA, DC, "www.shared.com");
    let query = office.ask(0.2, DC, ISP, "shared.com");
    assert_eq!(office.named(query), [] as [&str; 0]);
    let key = office.ask_type(0.3, DC, ISP, "shared.com", 48);
    assert_eq!(office.named(key), [ANNA], "but it does for what checks the answer");
}

#[test]
fn who_asked_for_something_below_just_after_is_not_blamed() {
    let mut office = Office::iterating();
    let query = office.ask_type(0.0, DC, ISP, "shared.com", 2);
    office.ask(1.0, ANNA, DC, "www.shared.com");
    let just_after = NoClientReason::AskedJustAfter(Span::from_millis(1));
    assert_eq!(office.causes(query), (vec![], Some(just_after)));
}

#[test]
fn many_questions_of_one_client_are_one_client() {
    let mut office = Office::new();
    for port in 0..80 {
        office.ask(f64::from(port) / 100.0, ANNA, DC, "www.good.com");
    }
    let query = office.ask(1.0, DC, ISP, "www.good.com");
    let named = office.named(query);
    assert!(!named.is_empty() && named.iter().all(|client| client == ANNA), "{named:?}");
}

#[test]
fn several_who_wait_for_one_answer_are_all_named() {
    let mut office = Office::new();
    office.ask(0.0, ANNA, DC, "c2.evil.com");
    let query = office.ask(0.2, DC, ISP, "c2.evil.com");
    office.ask(5.0, BEN, DC, "c2.evil.com");
    office.answer(30.0, query, &[]);
    office.ask(31.0, CARLA, DC, "c2.evil.com");
    let expected = [
        (ANNA.into(), Role::Initiator, Relation::Itself),
        (BEN.into(), Role::Joiner, Relation::Itself),
    ];
    assert_eq!(office.causes(query).0, expected);
}

#[test]
fn a_refresh_belongs_to_who_was_answered_last() {
    let mut office = Office::new();
    let ben = office.ask(-900.0, BEN, DC, "c2.evil.com");
    office.answer(-899.9, ben, &[]);
    let anna = office.ask(0.0, ANNA, DC, "c2.evil.com");
    office.answer(0.1, anna, &[]);
    let query = office.ask(0.25, DC, ISP, "c2.evil.com");
    assert_eq!(office.causes(query).0, [(ANNA.into(), Role::Refresh, Relation::Itself)]);
}

#[test]
fn a_minimised_question_belongs_to_who_asked_below_it() {
    let mut office = Office::iterating();
    office.ask(0.0, BEN, DC, "www.good.com");
    office.ask(0.0, ANNA, DC, "a.b.evil.com");
    for (name, rtype) in [("evil.com", 2), ("_.evil.com", 1), ("b.evil.com", 1), ("evil.com", 43)] {
        let query = office.ask_type(0.2, DC, ISP, name, rtype);
        assert_eq!(office.named(query), [ANNA], "{name}");
    }
    let txt = office.ask_type(0.2, DC, ISP, "evil.com", 16);
    assert_eq!(office.named(txt), [] as [&str; 0], "nobody minimises with TXT");
}

#[test]
fn a_servers_address_belongs_to_who_asked_in_its_zone() {
    let mut office = Office::iterating();
    office.ask(0.0, BEN, DC, "www.good.com");
    office.ask(0.0, ANNA, DC, "www.innocent.org");
    let walk = office.ask(0.2, DC, "192.0.2.30", "www.innocent.org");
    let delegations = [("innocent.org", "ns1.hoster.net")];
    office.respond(walk, Draft { at_ms: 9.0, delegations: &delegations, ..Draft::default() });
    let query = office.ask_type(9.2, DC, "192.0.2.31", "ns1.hoster.net", 28);
    assert_eq!(office.causes(query).0, [(ANNA.into(), Role::Initiator, Relation::Server)]);
}

#[test]
fn a_question_passed_on_by_another_resolver_leads_to_its_client() {
    let mut office = Office::new();
    office.ask(0.0, BEN, DC, "www.good.com");
    office.ask(0.0, ANNA, DC2, "c2.evil.com");
    office.ask(0.2, DC2, DC, "c2.evil.com");
    let query = office.ask(0.4, DC, ISP, "c2.evil.com");
    let history = office.resolution.history();
    let sent = history.transactions().get(query.sequence).unwrap();
    let causes = history.causes(query.sequence, &sent, Timestamp(0));
    assert_eq!(office.named(query), [ANNA]);
    assert_eq!(causes.clients[0].hops.len(), 1);
}

#[test]
fn resolvers_that_ask_in_a_circle_end_the_walk() {
    let mut office = Office::new();
    for n in 0..40 {
        office.ask(f64::from(n), DC, DC2, "loop.evil.com");
        office.ask(f64::from(n) + 0.2, DC2, DC, "loop.evil.com");
    }
    let query = office.ask(50.0, DC, ISP, "loop.evil.com");
    assert!(
        matches!(office.causes(query), (named, Some(NoClientReason::BehindResolver(_))) if named.is_empty())
    );
}

#[test]
fn a_retry_after_everybody_left_shares_the_cause_of_the_first_try() {
    let mut office = Office::new();
    let ask = office.ask(0.0, ANNA, DC, "c2.evil.com");
    office.ask(0.2, DC, ISP, "c2.evil.com");
    office.respond(ask, Draft { at_ms: 2000.0, rcode: 2, ..Draft::default() });
    let query = office.ask(3200.0, DC, ISP, "c2.evil.com");
    assert_eq!(office.named(query), [ANNA]);
    let long_after = office.ask(9000.0, DC, ISP, "c2.evil.com");
    assert_eq!(office.named(long_after), [""; 0], "nobody waits, and it had not gone on trying");
}

#[test]
fn an_answer_missing_from_the_capture_does_not_make_a_client_wait_for_ever() {
    let mut office = Office::new();
    let ben = office.ask(-9000.0, BEN, DC, "c2.evil.com");
    let first = office.ask(-8999.8, DC, ISP, "c2.evil.com");
    office.answer(-8990.0, first, &[]);
    office.answer(-8989.9, ben, &[]);
    office.ask(-5000.0, CARLA, DC, "c2.evil.com");
    office.ask(0.0, ANNA, DC, "c2.evil.com");
    let query = office.ask(0.2, DC, ISP, "c2.evil.com");
    assert_eq!(office.named(query), [ANNA], "carla was answered from the cache");
}

#[test]
fn where_each_ask_has_its_own_query_each_query_has_its_own_ask() {
    let mut office = Office::new();
    office.ask(0.0, ANNA, DC, "c2.evil.com");
    let first = office.ask(0.15, DC, ISP, "c2.evil.com");
    office.ask(20.0, BEN, DC, "c2.evil.com");
    let second = office.ask(20.15, DC, ISP, "c2.evil.com");
    assert_eq!(office.named(first), [ANNA]);
    assert_eq!(office.named(second), [BEN]);
}

#[test]
fn priming_has_no_client_and_neither_has_what_nobody_waited_for() {
    let mut office = Office::new();
    office.ask(0.0, ANNA, DC, "www.good.com");
    let priming = office.ask_type(0.2, DC, "198.41.0.4", ".", 2);
    assert_eq!(office.causes(priming), (vec![], Some(NoClientReason::Priming)));
    let own = office.ask(-500.0, DC, ISP, "up.vendor.example");
    assert_eq!(office.causes(own), (vec![], Some(NoClientReason::NobodyWaiting)));
}

/// The DC asks for what nobody seen asked it for, beside what Anna asks: each for one domain or for one each.
fn asks_unasked(domain_of: impl Fn(u32) -> String) -> Option<NoClientReason> {
    let mut office = Office::new();
    let mut last = None;
    for n in 0..20 {
        let at = f64::from(n) * 4_000.0;
        let name = format!("www.good{n}.com");
        let ask = office.ask(at, ANNA, DC, &name);
        let query = office.ask(at + 0.3, DC, ISP, &name);
        office.answer(at + 20.0, query, &[]);
        office.answer(at + 20.1, ask, &[]);
        let name = domain_of(n);
        let own = office.ask(at + 2_000.0, DC, ISP, &name);
        office.answer(at + 2_020.0, own, &[]);
        last = Some(own.sequence);
    }
    let history = office.resolution.history();
    let sent = history.transactions().get(last?)?;
    history.causes(last?, &sent, Timestamp(-60_000_000_000)).unexplained
}

#[test]
fn where_clients_are_not_seen_a_server_does_not_ask_for_itself() {
    let own = asks_unasked(|n| format!("n{n}.vendor.example"));
    assert_eq!(own, Some(NoClientReason::NobodyWaiting));
    let before = asks_unasked(|n| format!("www.good{}.com", n.saturating_sub(1)));
    assert_eq!(before, Some(NoClientReason::NobodyWaiting));
    let unseen = asks_unasked(|n| format!("www.other{n}.com"));
    let counts = NoClientReason::ClientsUnseen { domains: 19, alone: 19, queries: 40 };
    assert_eq!(unseen, Some(counts));
}

/// What clients ask the DC for, once each, and what it asks for that, by a clock that is off. The DC's last query is flagged.
fn asked_by_two_clocks(office: &mut Office, off_ms: f64, names: &[String]) -> Sequence {
    let mut flagged = None;
    for (name, at) in names.iter().zip(0..) {
        let at = f64::from(at) * 3_000.0;
        let client = |office: &mut Office| {
            let ask = office.ask(at, ANNA, DC, name);
            office.answer(at + 22.0, ask, &[]);
        };
        if off_ms >= 0.0 {
            client(office);
        }
        let query = office.ask(at + off_ms + 1.0, DC, ISP, name);
        office.answer(at + off_ms + 21.0, query, &[]);
        if off_ms < 0.0 {
            client(office);
        }
        flagged = Some(query.sequence);
    }
    office.resolution.look_at_clocks();
    flagged.unwrap()
}

#[test]
fn where_clocks_differ_no_server_asks_by_itself() {
    let names: Vec<String> = (0..12).map(|n| format!("n{n}.example")).collect();
    for off_ms in [-5_000.0, -700.0, 700.0, 5_000.0, 3_600_000.0] {
        let mut office = Office::new();
        let query = asked_by_two_clocks(&mut office, off_ms, &names);
        let history = office.resolution.history();
        let sent = history.transactions().get(query).unwrap();
        let apart = history.clocks_apart(&sent).unwrap();
        let wrong = (apart.offset - Span((off_ms * 1e6) as i64)).abs();
        assert!(wrong <= Span::from_millis(2), "{apart:?}");
        assert_eq!((apart.agreeing, apart.pairs, apart.is_steady), (12, 12, true), "{off_ms}");
        let causes = history.causes(query, &sent, Timestamp(-60_000_000_000));
        if off_ms.abs() > 1_000.0 {
            assert_eq!(causes.unexplained, Some(NoClientReason::ClocksApart(apart.offset)));
        }
    }
}

#[test]
fn what_was_asked_more_than_once_says_nothing_of_clocks() {
    let names: Vec<String> = (0..12).map(|n| format!("n{}.example", n / 3)).collect();
    let mut office = Office::new();
    let query = asked_by_two_clocks(&mut office, 5_000.0, &names);
    let sent = office.resolution.transactions().get(query).unwrap();
    assert_eq!(office.resolution.clocks_apart(&sent), None);
}

#[test]
fn an_aaaa_question_does_not_cause_an_a_query_for_the_same_name_if_somebody_asked_for_that() {
    let mut office = Office::new();
    office.ask_type(0.0, BEN, DC, "c2.evil.com", 28);
    office.ask_type(0.0, ANNA, DC, "c2.evil.com", 1);
    let query = office.ask(0.2, DC, ISP, "c2.evil.com");
    assert_eq!(office.named(query), [ANNA]);
}

#[test]
fn two_asks_in_one_instant_share_the_one_query_behind_them() {
    let mut office = Office::new();
    office.ask(0.0, ANNA, DC, "c2.evil.com");
    office.ask(0.06, BEN, DC, "c2.evil.com");
    let query = office.ask(0.3, DC, ISP, "c2.evil.com");
    assert_eq!(office.named(query), [ANNA, BEN]);
}

#[test]
fn a_retry_belongs_to_who_asked_for_its_type_even_if_others_wait_for_another() {
    let mut office = Office::new();
    let anna = office.ask(0.0, ANNA, DC, "c2.evil.com");
    office.ask(0.2, DC, ISP, "c2.evil.com");
    office.ask_type(50.0, BEN, DC, "c2.evil.com", 65);
    office.ask(2000.0, DC, ISP, "c2.evil.com");
    office.respond(anna, Draft { at_ms: 3000.0, rcode: 2, ..Draft::default() });
    let query = office.ask(5000.0, DC, ISP, "c2.evil.com");
    assert_eq!(office.named(query), [ANNA]);
}

#[test]
fn a_dns_server_is_known_as_one_from_its_first_question_on() {
    let mut office = Office::new();
    let dc3 = "10.0.0.55";
    let ask = office.ask(0.0, ANNA, dc3, "c2.evil.com");
    let query = office.ask(0.2, dc3, ISP, "c2.evil.com");
    office.answer(4.0, query, &[]);
    office.answer(4.1, ask, &[]);
    assert_eq!(office.named(query), [ANNA]);
}

#[test]
fn who_was_served_unseen_is_not_blamed_for_what_the_next_one_asks() {
    let mut office = Office::new();
    office.ask(0.0, ANNA, DC, "c2.evil.com");
    let first = office.ask(0.2, DC, ISP, "c2.evil.com");
    office.answer(4.0, first, &[]);
    office.ask(4000.0, BEN, DC, "c2.evil.com");
    let query = office.ask(4000.2, DC, ISP, "c2.evil.com");
    assert_eq!(office.named(query), [BEN]);
}

/// The DC asks for what two names lead to, Anna's and Ben's, while it still waits for what Ben's does.
fn while_one_is_held_up() -> (Office, Open<'static>) {
    let mut office = Office::new();
    let early = office.ask(-5000.0, BEN, DC, "www.good.com");
    office.answer(-4990.0, early, &[("www.good.com", "tail.cdn.net")]);
    office.ask(0.0, BEN, DC, "www.good.com");
    let head = office.ask(0.2, DC, ISP, "www.good.com");
    let anna = office.ask(1.0, ANNA, DC, "other.good.com");
    let query = office.ask(1.2, DC, ISP, "tail.cdn.net");
    office.answer(5.0, query, &[]);
    office.answer(5.1, anna, &[("other.good.com", "tail.cdn.net")]);
    office.answer(90.0, head, &[("www.good.com", "tail.cdn.net")]);
    (office, query)
}

#[test]
fn who_still_waits_for_an_alias_has_not_come_to_its_target() {
    let (mut office, query) = while_one_is_held_up();
    assert_eq!(office.named(query), [ANNA]);
}

#[test]
fn many_who_need_a_top_level_domain_are_not_all_blamed_for_it() {
    let mut office = Office::iterating();
    office.ask(0.0, ANNA, DC, "www.one.com");
    office.ask(0.1, BEN, DC, "www.two.com");
    let query = office.ask_type(0.3, DC, ISP, "com", 2);
    assert_eq!(office.causes(query), (vec![], Some(NoClientReason::TooMany(2))));
}

#[test]
fn on_a_forwarding_server_who_asked_in_a_hosted_zone_is_not_blamed_for_its_server() {
    let mut office = Office::new();
    let early = office.ask(-5000.0, BEN, DC, "www.innocent.org");
    let forwarded = office.ask(-4999.8, DC, ISP, "www.innocent.org");
    let delegations = [("innocent.org", "ns1.hoster.net")];
    office.respond(
        forwarded,
        Draft { at_ms: -4990.0, delegations: &delegations, ..Draft::default() },
    );
    office.answer(-4989.0, early, &[]);
    let again = office.ask(0.0, BEN, DC, "www.innocent.org");
    office.answer(0.1, again, &[]);
    let query = office.ask(60.0, DC, ISP, "ns1.hoster.net");
    assert_eq!(office.named(query), [] as [&str; 0]);
}

#[test]
fn a_second_server_whose_clients_are_out_of_sight_is_not_taken_for_a_client() {
    let mut office = Office::new();
    let second = "10.0.0.99";
    let query = office.ask(0.0, second, ISP, "c2.evil.com");
    let direct = office.ask(0.0, ANNA, "198.51.100.1", "c2.evil.com");
    let roles = office.resolution.roles();
    let may_be = |open: Open<'_>| {
        let transactions = office.resolution.transactions();
        roles.may_be_resolver(&transactions.get(open.sequence).unwrap(), transactions)
    };
    assert!(may_be(query), "it asks whom the other server asks");
    assert!(!may_be(direct), "a client that goes round the servers");
}

#[test]
fn many_names_of_one_label_that_lead_to_a_query_cost_no_more_than_one() {
    let names: Vec<String> = (0..100).map(|n| format!("name{n}")).collect();
    let gone_through = |many: usize| {
        let mut office = Office::new();
        let aliases: Vec<_> =
            names.iter().take(many).map(|name| (name.as_str(), "x.evil.com")).collect();
        let open = office.ask(-55_000.0, DC, ISP, "name0");
        office.answer(-54_990.0, open, &aliases);
        // Nobody asks the DC meanwhile.
        for n in 0..1_000 {
            let at_ms = -50_000.0 + f64::from(n);
            let (id, to) = (9_000 + n as u16, "203.0.113.9");
            office.take(&Draft { at_ms, from: BEN, to, id, ..Draft::default() });
        }
        let asked = office.ask(0.0, ANNA, DC, "name0");
        let query = office.ask(1.0, DC, ISP, "x.evil.com");
        office.answer(9.0, query, &[]);
        office.answer(10.0, asked, &[("name0", "x.evil.com")]);
        let visits = |office: &Office| office.resolution.transactions().gone_through.get();
        let before = visits(&office);
        assert_eq!(office.named(query), [ANNA]);
        visits(&office) - before
    };
    assert_eq!((gone_through(1), gone_through(100)), (0, 0));
}

#[test]
fn an_alias_is_found_among_thousands_that_lead_to_one_registered_domain() {
    let mut office = Office::new();
    office.learn(-50_000.0, "www.good.com", "e9.cdn.net");
    for n in 0..3_000 {
        let (owner, target) = (format!("www.shop{n}.example"), format!("f{n}.cdn.net"));
        office.learn(-40_000.0 + f64::from(n), &owner, &target);
    }
    office.ask(0.0, ANNA, DC, "www.good.com");
    let query = office.ask(0.2, DC, ISP, "e9.cdn.net");
    assert_eq!(office.causes(query).0, [(ANNA.into(), Role::Initiator, Relation::Alias)]);
}

/// Anna waits for a name; then Ben asks for so many others of the domain, each of which is answered at once; then the
/// DC asks for the domain's servers.
fn behind_many_answers(many: u16) -> (Office, Open<'static>) {
    let mut office = Office::iterating();
    office.ask(0.0, ANNA, DC, "a.evil.com");
    for n in 0..many {
        let name = format!("n{n}.evil.com");
        let open = office.ask(1.0 + f64::from(n) / 10.0, BEN, DC, &name);
        office.answer(1.05 + f64::from(n) / 10.0, open, &[]);
    }
    let query = office.ask_type(f64::from(many) / 10.0 + 2.0, DC, ISP, "evil.com", 2);
    (office, query)
}

#[test]
fn who_still_waits_is_named_though_hundreds_were_answered_since() {
    let (mut office, query) = behind_many_answers(600);
    assert_eq!(office.causes(query).0, [(ANNA.into(), Role::Initiator, Relation::Ancestor)]);
}

#[test]
fn nobody_is_blamed_where_too_much_was_asked_to_look_at_it_all() {
    let (mut office, query) = behind_many_answers(3_000);
    assert_eq!(office.causes(query), (vec![], Some(NoClientReason::Crowded)));
}

#[test]
fn nobody_is_blamed_where_too_many_names_lead_to_one() {
    let names: Vec<String> = (0..700).map(|n| format!("www.shop{n}.example")).collect();
    let mut office = Office::new();
    // Ben was answered just now for one that leads there; so was who knows who for the first that is not looked at.
    for (n, name) in names.iter().enumerate() {
        office.learn(-20_000.0 + n as f64, name, "tail.cdn.net");
    }
    let ben = office.ask(-1.0, BEN, DC, "www.shop699.example");
    office.answer(-0.9, ben, &[("www.shop699.example", "tail.cdn.net")]);
    let query = office.ask(0.0, DC, ISP, "tail.cdn.net");
    assert_eq!(office.causes(query), (vec![], Some(NoClientReason::Crowded)));
    // Who waits for it is another matter.
    office.ask(10_000.0, BEN, DC, "www.shop699.example");
    let query = office.ask(10_000.2, DC, ISP, "tail.cdn.net");
    assert_eq!(office.named(query), [BEN]);
}

#[test]
fn what_a_resolver_asked_long_after_does_not_hide_what_it_asked_then() {
    let (mut office, query) = while_one_is_held_up();
    for n in 0..2_000 {
        let name = format!("n{n}.good.com");
        office.ask(20_000.0 + f64::from(n), DC, ISP, &name);
    }
    assert_eq!(office.named(query), [ANNA]);
}

/// So many other asks of the DC by Carla in the minute before, each answered at once.
fn busy(office: &mut Office, many: u32, name: impl Fn(u32) -> String) {
    for n in 0..many {
        let name = name(n);
        let at = -60_000.0 + f64::from(n) * 59_000.0 / f64::from(many);
        let open = office.ask(at, CARLA, DC, &name);
        office.answer(at + 0.5, open, &[]);
    }
}

#[test]
fn priming_is_nobodys_on_a_busy_resolver_too() {
    let mut office = Office::iterating();
    busy(&mut office, 1_100, |n| format!("w.site{n}.example"));
    let query = office.ask_type(0.2, DC, "198.41.0.4", ".", 2);
    assert_eq!(office.causes(query), (vec![], Some(NoClientReason::Priming)));
}

#[test]
fn who_needs_a_top_level_domain_is_named_on_a_busy_resolver_too() {
    let mut office = Office::iterating();
    busy(&mut office, 1_100, |n| format!("w.site{n}.example"));
    office.ask(0.0, ANNA, DC, "www.evil.zip");
    let query = office.ask_type(0.2, DC, "198.41.0.4", "zip", 2);
    assert_eq!(office.causes(query).0, [(ANNA.into(), Role::Initiator, Relation::Ancestor)]);
}

#[test]
fn what_was_answered_long_ago_in_a_popular_domain_makes_nothing_uncertain() {
    let mut office = Office::new();
    busy(&mut office, 1_200, |n| format!("w{n}.popular.com"));
    let anna = office.ask(-1.0, ANNA, DC, "c2.popular.com");
    office.answer(-0.5, anna, &[]);
    let query = office.ask(0.0, DC, ISP, "c2.popular.com");
    assert_eq!(office.causes(query).0, [(ANNA.into(), Role::Refresh, Relation::Itself)]);
}

#[test]
fn one_client_that_tries_often_while_nothing_is_answered_is_named() {
    let mut office = Office::new();
    for n in 0..300 {
        let at = -60_000.0 + f64::from(n) * 200.0;
        office.ask(at, ANNA, DC, "c2.evil.com");
        if n % 5 == 0 {
            office.ask(at + 0.2, DC, ISP, "c2.evil.com");
        }
    }
    office.ask(0.0, ANNA, DC, "c2.evil.com");
    let query = office.ask(0.2, DC, ISP, "c2.evil.com");
    assert_eq!(office.causes(query).1, None);
}

#[test]
fn nobody_is_blamed_where_there_is_too_much_to_look_at_name_by_name() {
    let many = 505;
    let names: Vec<String> = (0..many).map(|n| format!("www.shop{n}.example")).collect();
    let mut office = Office::new();
    for (n, name) in names.iter().enumerate() {
        office.learn(-20_000.0 + n as f64, name, "tail.cdn.net");
    }
    busy(&mut office, 900, |n| format!("w{n}.cdn.net"));
    // Anna waits for the first that was learned; Carla asked for something else of that shop.
    office.ask(-2.0, ANNA, DC, "www.shop0.example");
    let carla = office.ask(-1.8, CARLA, DC, "img.shop0.example");
    office.answer(-1.7, carla, &[]);
    let ben = office.ask(-1.0, BEN, DC, "www.shop504.example");
    office.answer(-0.9, ben, &[("www.shop504.example", "tail.cdn.net")]);
    let query = office.ask(0.0, DC, ISP, "tail.cdn.net");
    let causes = office.causes(query);
    assert!(!causes.0.iter().any(|(client, ..)| client == BEN), "{causes:?}");
}

#[test]
fn aliases_to_a_name_are_all_followed_before_those_below_it() {
    let mut office = Office::iterating();
    office.learn(-50_000.0, "www.good.com", "x.edge.net");
    office.learn(-49_999.0, "x.edge.net", "e9.cdn.net");
    for n in 0..9_000 {
        let (owner, target) = (format!("www.shop{n}.example"), format!("f{n}.cdn.net"));
        office.learn(-40_000.0 + f64::from(n), &owner, &target);
    }
    office.ask(0.0, ANNA, DC, "www.good.com");
    let query = office.ask(0.2, DC, ISP, "e9.cdn.net");
    assert_eq!(office.causes(query).0, [(ANNA.into(), Role::Initiator, Relation::Alias)]);
}

#[test]
fn what_was_asked_right_after_does_not_hide_that_an_ask_was_served() {
    let build = |many: u32| {
        let mut office = Office::new();
        // Ben's answer was not captured; what he asked for came from upstream 500 ms before.
        office.ask(-900.0, BEN, DC, "c2.popular.com");
        let up = office.ask(-890.0, DC, ISP, "c2.popular.com");
        office.answer(-600.0, up, &[]);
        office.ask(0.0, ANNA, DC, "c2.popular.com");
        let query = office.ask(0.2, DC, ISP, "c2.popular.com");
        for n in 0..many {
            let name = format!("n{n}.popular.com");
            let at = 100.0 + f64::from(n) * 8.0;
            let up = office.ask(at, DC, ISP, &name);
            office.answer(at + 1.0, up, &[]);
        }
        office.named(query)
    };
    assert_eq!(build(10), [ANNA]);
    assert_eq!(build(1_200), [ANNA]);
}

#[test]
fn where_no_answers_are_seen_who_asks_another_address_of_the_server_is_no_part_of_it() {
    let ask_together = |office: &mut Office, is_answered: bool| {
        let names: Vec<String> = (0..30).map(|n| format!("n{n}.shared.example")).collect();
        for (n, name) in (0..).zip(&names) {
            let at = f64::from(n) * 50.0;
            let open = office.ask(at, ANNA, DC, name);
            office.ask(at + 1.0, "fd10::1", "fd20::10", name);
            if is_answered {
                office.answer(at + 20.0, open, &[]);
            }
        }
        office.resolution.refresh_roles();
        let history = office.resolution.history();
        let asker = "fd10::1".parse::<std::net::IpAddr>().unwrap().into();
        let asker = history.transactions().hosts().find(asker).unwrap();
        office.resolution.roles().group_of(asker).is_some()
    };
    assert!(!ask_together(&mut Office::new(), false));
    // Where Anna is answered only after it was asked, it asks for her.
    assert!(ask_together(&mut Office::new(), true));
}
