//! What resolvers were seen doing that the rules had not been made with: dnsdist before Unbound, systemd-resolved.

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
