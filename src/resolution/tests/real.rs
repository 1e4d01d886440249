//! What resolvers were seen doing that the rules had not been made with: dnsdist before two of them, smartdns,
//! systemd-resolved, Knot Resolver with several workers and prediction.

use super::innocent::sureness;
use super::*;

const EVE: &str = "198.51.100.66";

#[test]
fn what_was_answered_meanwhile_is_no_retry_of_what_failed_before() {
    let mut office = Office::iterating();
    let query = |office: &mut Office, at_ms: f64| {
        office.ids += 1;
        let (id, port) = (office.ids, 10_000 + office.ids);
        let draft = Draft { at_ms, from: DC, to: EVE, name: "c2.evil.com", ..Draft::default() };
        let event = office.take(&Draft { id, port, recursion: false, ..draft });
        let Event::Asked(sequence) = event else { panic!("{event:?}") };
        Open { from: DC, to: EVE, name: "c2.evil.com", rtype: 1, id, sequence }
    };
    let anna = office.ask(0.0, ANNA, DC, "c2.evil.com");
    let refused = query(&mut office, 0.2);
    office.respond(refused, Draft { at_ms: 4.0, rcode: 1, ..Draft::default() });
    let again = query(&mut office, 4.2);
    office.answer(8.0, again, &[]);
    office.answer(8.1, anna, &[]);
    // Its questions are minimised: the first is of another type.
    office.ask_type(6000.0, BEN, DC, "c2.evil.com", 28);
    let minimised = query(&mut office, 6000.3);
    assert_eq!(office.named(again), [ANNA]);
    assert_eq!(office.named(minimised), [BEN]);
}

#[test]
fn an_alias_whose_time_runs_out_while_its_target_is_slow_still_led_there() {
    let named = |asked_ms: f64| {
        let mut office = Office::new();
        let aliases = [("www.good.com", "c2.evil.com")];
        let open = office.ask(-1000.0, DC, ISP, "www.good.com");
        let draft = Draft { at_ms: -999.0, aliases: &aliases, ttl: 2, ..Draft::default() };
        office.respond(open, draft);
        office.ask_type(asked_ms, ANNA, DC, "www.good.com", 65);
        office.ask(asked_ms + 0.2, DC, ISP, "c2.evil.com");
        let query = office.ask_type(8000.0, DC, ISP, "c2.evil.com", 65);
        office.named(query)
    };
    assert_eq!(named(0.0), [ANNA]);
    assert_eq!(named(4000.0), [] as [&str; 0]);
}

#[test]
fn who_was_told_of_an_alias_went_that_way_whatever_else_the_resolver_was_told() {
    let mut office = Office::new();
    let ask = office.ask_type(0.0, ANNA, DC, "www.good.com", 28);
    let (four, six) = (
        office.ask(0.2, DC, ISP, "www.good.com"),
        office.ask_type(0.3, DC, ISP, "www.good.com", 28),
    );
    office.answer(4.0, six, &[("www.good.com", "fine.good.com")]);
    office.answer(4.1, four, &[("www.good.com", "c2.evil.com")]);
    let query = office.ask_type(4.3, DC, ISP, "c2.evil.com", 28);
    office.answer(8.0, query, &[]);
    office.answer(8.1, ask, &[("www.good.com", "c2.evil.com")]);
    assert_eq!(office.named(query), [ANNA]);
}

#[test]
fn who_asked_for_one_family_made_a_resolver_compare_both() {
    let mut office = Office::new();
    office.ask(0.0, ANNA, DC, "c2.evil.com");
    office.ask_type(0.0, BEN, DC, "c2.evil.com", 65);
    let four = office.ask(0.2, DC, ISP, "c2.evil.com");
    let six = office.ask_type(0.3, DC, ISP, "c2.evil.com", 28);
    let later = office.ask_type(20.0, DC, ISP, "c2.evil.com", 28);
    assert_eq!(office.named(four), [ANNA]);
    assert_eq!(office.named(six), [ANNA]);
    assert_eq!(office.named(later), [ANNA], "it is a retry");
    let mut office = Office::new();
    office.ask(0.0, ANNA, DC, "c2.evil.com");
    let later = office.ask_type(20.0, DC, ISP, "c2.evil.com", 28);
    assert_eq!(office.named(later), [] as [&str; 0], "nothing was put beside her question");
}

/// Who caused a query at each time that it was sent, how, and how surely in thousandths.
fn tries(office: &mut Office, open: Open<'_>) -> Vec<Vec<(String, Role, u16)>> {
    let history = office.resolution.history();
    let transactions = history.transactions();
    let causes = transactions.tries(open.sequence).into_iter().map(|sent| {
        let causes = history.causes(open.sequence, &sent, Timestamp(-60_000_000_000));
        let named = causes.clients.iter().map(|cause| {
            let ask = transactions.get(cause.ask).unwrap();
            let client = transactions.hosts().get(ask.client).unwrap().address;
            (client.to_string(), cause.role, cause.confidence_permille)
        });
        named.collect()
    });
    causes.collect()
}

#[test]
fn a_refresh_that_finds_an_alias_changed_goes_on_for_who_set_it_off() {
    let named = |gap_ms: f64| {
        let mut office = Office::new();
        let ask = office.ask(0.0, ANNA, DC, "www.good.com");
        office.ask(0.1, BEN, DC, "other.good.com");
        let refresh = office.ask(0.2, DC, ISP, "www.good.com");
        office.answer(0.3, ask, &[("www.good.com", "fine.cdn.net")]);
        office.answer(8.0, refresh, &[("www.good.com", "c2.evil.com")]);
        let query = office.ask(8.0 + gap_ms, DC, ISP, "c2.evil.com");
        tries(&mut office, query).remove(0)
    };
    assert_eq!(named(0.3), [(ANNA.to_owned(), Role::Refresh, 900)]);
    assert_eq!(named(200.0), []);
}

#[test]
fn who_was_served_while_an_alias_is_refreshed_did_not_wait_for_that() {
    let mut office = Office::new();
    office.learn(-9000.0, "www.good.com", "c2.evil.com");
    let ask = office.ask(0.0, ANNA, DC, "www.good.com");
    let alias = office.ask(0.25, DC, ISP, "www.good.com");
    let query = office.ask(0.3, DC, ISP, "c2.evil.com");
    office.answer(0.35, ask, &[("www.good.com", "c2.evil.com")]);
    office.answer(9.0, query, &[]);
    office.answer(9.1, alias, &[("www.good.com", "c2.evil.com")]);
    // That it is asked for once more says nothing of then.
    office.learn(5000.0, "www.good.com", "c2.evil.com");
    assert_eq!(office.named(query), [ANNA]);
}

#[test]
fn what_is_asked_for_who_just_came_is_no_retry_for_whom_it_failed_before() {
    let mut office = Office::new();
    let anna = office.ask_type(0.0, ANNA, DC, "c2.evil.com", 28);
    office.ask_type(0.2, DC, ISP, "c2.evil.com", 28);
    office.respond(anna, Draft { at_ms: 2000.0, rcode: 2, ..Draft::default() });
    office.ask(2600.0, BEN, DC, "c2.evil.com");
    office.ask(2600.1, DC, ISP, "c2.evil.com");
    let beside = office.ask_type(2600.2, DC, ISP, "c2.evil.com", 28);
    // It is sent again as it was.
    let id = beside.id;
    let again = Draft { id, port: 10_000 + id, from: DC, to: ISP, ..Draft::default() };
    office.take(&Draft { at_ms: 3100.0, name: "c2.evil.com", rtype: 28, ..again });
    let ben = vec![(BEN.to_owned(), Role::Initiator, 800)];
    assert_eq!(tries(&mut office, beside), [ben.clone(), ben]);
}

#[test]
fn whom_an_answer_served_is_hardly_behind_what_is_asked_again_after() {
    let mut office = Office::new();
    let anna = office.ask(0.0, ANNA, DC, "c2.evil.com");
    let query = office.ask(0.2, DC, ISP, "c2.evil.com");
    office.ask(200.0, DC, ISP, "c2.evil.com");
    office.answer(600.0, query, &[]);
    office.answer(600.1, anna, &[]);
    let later = office.ask(3800.0, DC, ISP, "c2.evil.com");
    assert_eq!(tries(&mut office, query), [[(ANNA.to_owned(), Role::Initiator, 995)]]);
    assert_eq!(tries(&mut office, later), [[(ANNA.to_owned(), Role::Refresh, 800)]]);
}

#[test]
fn an_answer_that_is_missing_may_have_come_from_the_cache() {
    let sent = |at_ms: f64, other: &str| {
        let mut office = Office::new();
        office.ask(0.0, ANNA, DC, "c2.evil.com");
        office.ask(100.0, DC, ISP, other);
        let query = office.ask(at_ms, DC, ISP, "c2.evil.com");
        tries(&mut office, query).remove(0)
    };
    let anna = |permille: u16| vec![(ANNA.to_owned(), Role::Initiator, permille)];
    assert_eq!(sent(500.0, "www.evil.com"), anna(800));
    assert_eq!(sent(500.0, "c2.evil.com"), anna(995));
    // What a server that forwards asks about the same domain is not for her.
    assert_eq!(sent(9000.0, "www.evil.com"), []);
    assert_eq!(sent(9000.0, "c2.evil.com"), anna(995));
}

#[test]
fn what_stands_above_many_names_is_for_who_alone_asked_for_them() {
    let names = ["0.co.uk", "1.co.uk", "2.co.uk", "3.co.uk", "4.co.uk"];
    let mut office = Office::iterating();
    for name in names {
        office.ask(0.0, ANNA, DC, name);
    }
    let query = office.ask_type(0.5, DC, ISP, "co.uk", 2);
    let named = office.named(query);
    assert!(!named.is_empty() && named.iter().all(|client| client == ANNA), "{named:?}");
    // A resolver asks for others.
    let mut office = Office::iterating();
    for (place, name) in names.into_iter().enumerate() {
        office.ask(0.0, &format!("10.0.1.{place}"), DC2, name);
        office.ask(0.1, DC2, DC, name);
    }
    let query = office.ask_type(0.5, DC, ISP, "co.uk", 2);
    assert_eq!(office.causes(query), (vec![], Some(NoClientReason::TooMany(5))));
}

#[test]
fn who_asks_again_later_still_set_off_the_query_behind_its_first_question() {
    let mut office = Office::new();
    let ask = |office: &mut Office, at_ms: f64, from: &str, id: u16| {
        let draft = Draft { at_ms, from, to: DC, name: "c2.evil.com", id, ..Draft::default() };
        office.take(&Draft { port: 20_000 + id, ..draft });
    };
    ask(&mut office, 0.0, ANNA, 1);
    office.ask(0.1, DC, ISP, "c2.evil.com");
    ask(&mut office, 1000.0, ANNA, 1);
    let annas = office.ask(1000.1, DC, ISP, "c2.evil.com");
    ask(&mut office, 1006.0, BEN, 2);
    let bens = office.ask(1006.1, DC, ISP, "c2.evil.com");
    ask(&mut office, 2006.0, BEN, 2);
    let again = office.ask(2006.1, DC, ISP, "c2.evil.com");
    assert_eq!(office.named(annas), [ANNA]);
    assert_eq!(office.named(bens), [BEN]);
    assert_eq!(office.named(again), [BEN]);
}

#[test]
fn who_waited_for_anothers_query_has_none_of_its_own_when_it_asks_again() {
    let mut office = Office::new();
    office.ask(0.0, ANNA, DC, "c2.evil.com");
    office.ask(0.2, DC, ISP, "c2.evil.com");
    let ben = Draft { from: BEN, to: DC, name: "c2.evil.com", port: 9, ..Draft::default() };
    office.take(&Draft { at_ms: 80.0, ..ben });
    // Unbound tries again when it is time to.
    office.ask(160.0, DC, ISP, "c2.evil.com");
    office.take(&Draft { at_ms: 1080.0, ..ben });
    let by_chance = office.ask(1081.0, DC, ISP, "c2.evil.com");
    assert_eq!(office.named(by_chance), [ANNA, BEN]);
}

#[test]
fn of_those_who_ask_together_any_may_have_set_off_each_query() {
    let mut office = Office::new();
    office.ask(0.0, ANNA, DC, "c2.evil.com");
    office.ask(0.01, BEN, DC, "c2.evil.com");
    let queries = [0.1, 0.11].map(|at_ms| office.ask(at_ms, DC, ISP, "c2.evil.com"));
    office.ask(0.2, CARLA, DC, "c2.evil.com");
    let carlas = office.ask(0.3, DC, ISP, "c2.evil.com");
    for query in queries {
        assert_eq!(office.named(query), [ANNA, BEN]);
    }
    assert_eq!(office.named(carlas), [CARLA]);
}

#[test]
fn who_alone_asks_a_server_of_its_network_without_end_may_ask_for_others() {
    // dnsdist before BIND, or the DC of a branch before that of the head office, and its clients out of sight.
    let may_be = |others: u16, questions: u16, every_ms: f64| {
        let simulated = Simulated::new();
        let limits = Limits::default();
        let transactions = Transactions::new(limits.transactions, Ports::new(&[]));
        let roles = Roles::new(Vec::new());
        let resolution = Resolution::new(limits, transactions, roles, simulated.hasher);
        let mut office = Office { simulated, resolution, ids: 0 };
        for _ in 0..others {
            let open = office.ask(-1_000.0, CARLA, DC, "www.good.com");
            office.answer(-999.0, open, &[]);
        }
        let mut last = None;
        for n in 0..questions {
            let name = format!("www.good{n}.com");
            let open = office.ask(f64::from(n) * every_ms, DC2, DC, &name);
            office.answer(f64::from(n) * every_ms + 1.0, open, &[]);
            last = Some(open.sequence);
        }
        office.resolution.refresh_roles();
        let transactions = office.resolution.transactions();
        let last = transactions.get(last.unwrap()).unwrap();
        office.resolution.roles().may_be_resolver(&last, transactions)
    };
    assert!(may_be(1, 2_000, 50.0));
    assert!(!may_be(1, 500, 50.0), "a page that opens");
    assert!(!may_be(1, 2_000, 10_000.0), "a machine of somebody who works");
    // Where nobody else asks at all, nothing tells a DNS server from a client.
    assert!(may_be(0, 3, 10_000.0));
}

#[test]
fn a_server_that_answers_each_time_a_query_was_sent_works_for_each_time() {
    // Samba, of whose two forwarders one is dead: ten seconds after each packet it asks the other.
    let mut office = Office::new();
    let anna = Draft { name: "c2.evil.com", id: 900, port: 9_000, ..Draft::default() };
    let tries = [0.0, 2_000.0, 4_000.0];
    for (n, at_ms) in tries.into_iter().enumerate() {
        office.take(&Draft { at_ms, ip_id: 7 + n as u16, ..anna });
        office.ask(at_ms + 0.2, DC, ISP, "c2.evil.com");
    }
    let ben = office.ask(6_000.0, BEN, DC, "c2.evil.com");
    office.ask(6_000.2, DC, ISP, "c2.evil.com");
    let to_anna = Draft { from: DC, to: ANNA, response: true, address: true, ..anna };
    let again = tries.map(|at_ms| {
        let query = office.ask(at_ms + 10_000.0, DC, "203.0.113.54", "c2.evil.com");
        office.answer(at_ms + 10_005.0, query, &[]);
        office.take(&Draft { at_ms: at_ms + 10_005.2, ..to_anna });
        query
    });
    let bens = office.ask(16_000.0, DC, "203.0.113.54", "c2.evil.com");
    office.answer(16_005.0, bens, &[]);
    office.answer(16_005.2, ben, &[]);
    for query in again {
        assert_eq!(office.named(query), [ANNA]);
    }
    assert_eq!(office.named(bens), [BEN]);
}

#[test]
fn what_is_put_beside_a_refresh_is_for_whom_that_is() {
    // smartdns serves what has run out, and asks for both families anew.
    let mut office = Office::new();
    let ask = office.ask(0.0, ANNA, DC, "c2.evil.com");
    office.answer(0.05, ask, &[]);
    office.ask_type(0.07, DC, ISP, "c2.evil.com", 1);
    let beside = office.ask_type(0.08, DC, ISP, "c2.evil.com", 28);
    assert_eq!(sureness(&mut office, beside), [(ANNA.to_owned(), 800)]);
    let mut office = Office::new();
    let ask = office.ask(0.0, ANNA, DC, "c2.evil.com");
    office.answer(0.05, ask, &[]);
    let later = office.ask_type(1_000.0, DC, ISP, "c2.evil.com", 28);
    assert_eq!(office.named(later), [""; 0]);
}

#[test]
fn what_may_belong_to_a_refresh_is_not_nobodys() {
    // Unbound serves an alias that has run out, is told of another, and goes down to that step by step.
    let why = |serves: bool| {
        let mut office = Office::new();
        if serves {
            let ask = office.ask(0.0, ANNA, DC, "www.good.com");
            office.answer(0.1, ask, &[("www.good.com", "fine.cdn.net")]);
        }
        let refresh = office.ask(0.2, DC, ISP, "www.good.com");
        office.answer(8.0, refresh, &[("www.good.com", "c2.evil.com")]);
        let query = office.ask(168.0, DC, ISP, "c2.evil.com");
        office.causes(query).1
    };
    assert_eq!(why(true), Some(NoClientReason::ServedOtherwise(1)));
    assert_eq!(why(false), Some(NoClientReason::NobodyWaiting));
}

#[test]
fn a_slow_answer_is_the_caches_where_lookups_are_seen_for_all_others() {
    let may_be_looked_up = |lookups_seen: u32| {
        let mut office = Office::new();
        for n in 0..40 {
            let at = f64::from(n) * 100.0 - 5000.0;
            let name = format!("www{n}.good.com");
            let ask = office.ask(at, BEN, DC, &name);
            if n < lookups_seen {
                let lookup = office.ask(at + 0.2, DC, ISP, &name);
                office.answer(at + 14.0, lookup, &[]);
            }
            office.answer(at + 14.2, ask, &[]);
        }
        let [busy, quick] = [12.0, 0.3].map(|took| {
            let ask = office.ask(took, ANNA, DC, "c2.evil.com");
            office.answer(2.0 * took, ask, &[]);
            ask.sequence
        });
        let history = office.resolution.history();
        let ask = |sequence| history.transactions().get(sequence).unwrap();
        [busy, quick].map(|asked| history.may_be_looked_up_unseen(asked, &ask(asked)))
    };
    assert_eq!(may_be_looked_up(40), [false, false]);
    assert_eq!(may_be_looked_up(36), [true, false], "one in ten is out of sight");
}
