//! Whose question a query is no longer for: given up, answered unseen, or served before.

use super::innocent::sureness;
use super::*;

/// Anna asks and hears nothing, the DC tries for a while; later Ben asks, and the DC at once. Who is behind the query that it
/// sends then, and behind its next try.
fn given_up(lull_ms: f64) -> [Vec<(String, u16)>; 2] {
    let mut office = Office::new();
    office.ask(0.0, ANNA, DC, "c2.evil.com");
    for tried in [0.2, 400.0, 1_200.0] {
        office.ask(tried, DC, ISP, "c2.evil.com");
    }
    let later = 1_200.0 + lull_ms;
    office.ask(later, BEN, DC, "c2.evil.com");
    let first = office.ask(later + 0.2, DC, ISP, "c2.evil.com");
    let next = office.ask(later + 400.0, DC, ISP, "c2.evil.com");
    [first, next].map(|query| sureness(&mut office, query))
}

#[test]
fn whom_the_resolver_may_have_given_up_is_hardly_behind_what_it_asks_for_somebody_else() {
    let with_anna = |sure| vec![(ANNA.to_owned(), sure), (BEN.to_owned(), 995)];
    // The query right behind Ben's question is his own.
    for (lull_ms, anna) in [(16_000.0, 800), (3_000.0, 800), (800.0, 995)] {
        assert_eq!(given_up(lull_ms), [vec![(BEN.to_owned(), 995)], with_anna(anna)], "{lull_ms}");
    }
}

#[test]
fn who_is_told_of_a_failure_at_one_address_waits_at_none() {
    let mut office = Office::new();
    // Another address of the DC, by what both ask.
    for n in 0..6 {
        let at = -30_000.0 + f64::from(n) * 1_000.0;
        let names =
            ["a.one.com", "a.two.com", "a.three.com", "a.four.com", "a.five.com", "a.six.com"];
        let name: &'static str = names[n as usize];
        let ask = office.ask(at, CARLA, "10.0.9.1", name);
        let query = office.ask(at + 0.2, DC, ISP, name);
        office.answer(at + 10.0, query, &[]);
        office.answer(at + 10.2, ask, &[]);
    }
    office.resolution.refresh_roles();
    office.ask(0.0, ANNA, DC, "c2.evil.com");
    office.ask(0.2, DC, ISP, "c2.evil.com");
    let again = office.ask(1_000.0, ANNA, "10.0.9.1", "c2.evil.com");
    office.respond(again, Draft { at_ms: 2_000.0, rcode: 2, ..Draft::default() });
    office.ask(6_000.0, BEN, DC, "c2.evil.com");
    let query = office.ask(6_000.2, DC, ISP, "c2.evil.com");
    assert_eq!(office.named(query), [BEN]);
}

#[test]
fn what_an_answer_led_on_to_is_for_whom_that_was_and_not_for_who_was_served() {
    let mut office = Office::new();
    office.learn(-20_000.0, "www.shop.com", "edge.cdn.net");
    let ben = office.ask(0.0, BEN, DC, "www.shop.com");
    office.answer(0.1, ben, &[("www.shop.com", "edge.cdn.net")]);
    let refresh = office.ask(0.3, DC, ISP, "www.shop.com");
    let carla = office.ask(20.0, CARLA, DC, "edge.cdn.net");
    office.answer(20.1, carla, &[]);
    office.answer(40.0, refresh, &[("www.shop.com", "edge.cdn.net")]);
    let step = office.ask(40.1, DC, ISP, "edge.cdn.net");
    assert_eq!(office.named(step), [BEN]);
}

#[test]
fn that_there_is_nothing_ends_a_run_of_tries() {
    let mut office = Office::new();
    for n in 0..60 {
        let root = Draft { at_ms: -50_000.0, from: DC, to: "198.41.0.4", ..Draft::default() };
        office.take(&Draft { recursion: false, id: 900 + n, name: "org", ..root });
    }
    let v6 = 28;
    // Anna's first try is lost, the second one is told that there is none.
    let anna = office.ask_type(0.0, ANNA, DC, "c2.evil.com", v6);
    office.ask_type(0.2, DC, "192.0.2.1", "c2.evil.com", v6);
    let second = office.ask_type(400.0, DC, "192.0.2.2", "c2.evil.com", v6);
    office.respond(second, Draft { at_ms: 420.0, ..Draft::default() });
    office.respond(anna, Draft { at_ms: 420.2, ..Draft::default() });
    let own = office.ask_type(7_000.0, DC, "192.0.2.1", "c2.evil.com", v6);
    assert_eq!(office.named(own), [] as [&str; 0]);
}

#[test]
fn who_was_just_served_the_very_thing_comes_before_who_asked_for_another_type() {
    let mut office = Office::new();
    let served = office.ask(0.0, ANNA, DC, "c2.evil.com");
    office.answer(0.1, served, &[]);
    office.ask_type(0.12, BEN, DC, "c2.evil.com", 28);
    let query = office.ask(0.15, DC, ISP, "c2.evil.com");
    assert_eq!(office.named(query), [ANNA]);
}

#[test]
fn who_asks_after_the_next_try_by_the_same_port_did_not_join_the_first() {
    let mut office = Office::new();
    office.ask(0.0, ANNA, DC, "c2.evil.com");
    let query = office.ask(0.2, DC, ISP, "c2.evil.com");
    let again = |at_ms| Draft {
        at_ms,
        from: DC,
        to: ISP,
        name: "c2.evil.com",
        id: query.id,
        port: 10_000 + query.id,
        ip_id: query.id,
        ..Draft::default()
    };
    office.take(&again(3_000.0));
    office.ask(7_000.0, BEN, DC, "c2.evil.com");
    office.answer(7_500.0, query, &[]);
    assert_eq!(office.named(query), [ANNA]);
}

#[test]
fn where_no_answers_are_seen_who_asked_long_before_may_have_had_one() {
    let after = |waits_ms: f64, are_seen: bool| {
        let mut office = Office::new();
        for n in 0..400 {
            let ask = office.ask(-20_000.0 + f64::from(n), CARLA, DC, "other.example");
            if are_seen {
                office.answer(-19_000.0 + f64::from(n), ask, &[]);
            }
        }
        office.ask(0.0, ANNA, DC, "c2.evil.com");
        if waits_ms > 1.0 {
            office.ask(0.3, DC, ISP, "c2.evil.com");
        }
        let query = office.ask(waits_ms, DC, ISP, "c2.evil.com");
        sureness(&mut office, query)
    };
    let anna = |sure| vec![(ANNA.to_owned(), sure)];
    for (waits_ms, are_seen, named) in [
        (0.5, false, anna(995)),
        (5_000.0, false, anna(900)),
        (5_000.0, true, anna(995)),
        (15_000.0, false, anna(500)),
        (15_000.0, true, anna(995)),
    ] {
        assert_eq!(after(waits_ms, are_seen), named, "{waits_ms} {are_seen}");
    }
}
