//! What one frame that the capture lacks must not do: lay the query that the DC sends for one client at another's door.

use super::innocent::sureness;
use super::*;
use crate::flow::Mac;

const HEAD: &str = "www.good.com";
const TAIL: &str = "c2.evil.com";

/// Ben asks for what leads to the tail, and the DC asks for that; both are answered with what it led through. Returns the
/// DC's query.
fn ben_is_led(office: &mut Office, at_ms: f64, rtype: u16) -> Open<'static> {
    let ask = office.ask_type(at_ms, BEN, DC, HEAD, rtype);
    let query = office.ask_type(at_ms + 0.3, DC, ISP, TAIL, rtype);
    office.answer(at_ms + 20.0, query, &[]);
    office.answer(at_ms + 20.2, ask, &[(HEAD, TAIL)]);
    query
}

/// An office whose DC knows where the head leads.
fn knowing() -> Office {
    let mut office = Office::new();
    office.learn(-5_000.0, HEAD, TAIL);
    office
}

#[test]
fn who_was_told_that_there_is_nothing_of_the_type_waits_no_more() {
    let mut office = knowing();
    office.ask_type(0.0, ANNA, DC, TAIL, 28);
    let query = office.ask_type(0.2, DC, ISP, TAIL, 28);
    office.respond(query, Draft { at_ms: 20.0, authoritative: true, ..Draft::default() });
    let query = ben_is_led(&mut office, 10_000.0, 28);
    assert_eq!(sureness(&mut office, query), [(BEN.to_owned(), 990)]);
}

#[test]
fn for_whom_nothing_was_asked_upstream_comes_behind_who_was_led_there_just_now() {
    let mut office = knowing();
    office.ask(0.0, ANNA, DC, TAIL);
    let query = ben_is_led(&mut office, 700.0, 1);
    assert_eq!(sureness(&mut office, query), [(BEN.to_owned(), 990)]);
    // But is who asked, where nobody else did.
    let mut office = knowing();
    office.ask(0.0, ANNA, DC, TAIL);
    let query = office.ask(700.0, DC, ISP, TAIL);
    assert_eq!(sureness(&mut office, query), [(ANNA.to_owned(), 800)]);
}

#[test]
fn what_a_name_is_asked_for_by_another_type_is_not_for_who_waits() {
    let mut office = knowing();
    office.ask(0.0, ANNA, DC, TAIL);
    let ask = office.ask_type(0.1, ANNA, DC, TAIL, 28);
    let query = office.ask_type(0.3, DC, ISP, TAIL, 28);
    office.answer(20.0, query, &[]);
    office.answer(20.2, ask, &[]);
    let query = ben_is_led(&mut office, 4_000.0, 1);
    assert_eq!(sureness(&mut office, query), [(BEN.to_owned(), 990)]);
}

#[test]
fn who_asks_again_later_and_is_answered_from_the_cache_did_not_wait_until_then() {
    let mut office = knowing();
    let ask = Draft { from: ANNA, to: DC, name: TAIL, id: 700, port: 700, ..Draft::default() };
    office.take(&ask);
    let query = ben_is_led(&mut office, 4_500.0, 1);
    office.take(&Draft { at_ms: 4_900.0, ..ask });
    let answer = Draft { from: DC, to: ANNA, response: true, address: true, ..ask };
    office.take(&Draft { at_ms: 4_900.3, ..answer });
    assert_eq!(sureness(&mut office, query), [(BEN.to_owned(), 990)]);
}

#[test]
fn whose_question_is_missing_is_known_by_the_answer_however_slow() {
    let mut office = Office::new();
    let query = office.ask(0.0, DC, ISP, TAIL);
    office.answer(900.0, query, &[]);
    let open = Open { from: ANNA, to: DC, id: 777, ..query };
    office.answer(900.4, open, &[]);
    assert_eq!(sureness(&mut office, query), [(ANNA.to_owned(), 900)]);
}

#[test]
fn a_server_that_asks_for_each_apart_shows_for_whom_by_whom_it_tells() {
    let mut office = knowing();
    let anna = office.ask(0.0, ANNA, DC, TAIL);
    let own = office.ask(0.3, DC, ISP, TAIL);
    let ben = office.ask(5.0, BEN, DC, HEAD);
    let query = office.ask(5.3, DC, ISP, TAIL);
    office.answer(30.0, query, &[]);
    office.answer(30.5, ben, &[(HEAD, TAIL)]);
    office.answer(60.0, own, &[]);
    office.answer(60.4, anna, &[]);
    assert_eq!(office.named(own), [ANNA]);
    assert_eq!(sureness(&mut office, query), [(BEN.to_owned(), 990)]);
}

#[test]
fn of_two_who_asked_the_same_in_one_instant_the_one_whose_question_is_missing_is_told() {
    let mut office = Office::new();
    let anna = office.ask(0.0, ANNA, DC, TAIL);
    let own = office.ask(0.3, DC, ISP, TAIL);
    let query = office.ask(0.5, DC, ISP, TAIL);
    office.answer(20.0, own, &[]);
    office.answer(20.3, anna, &[]);
    office.answer(40.0, query, &[]);
    let ben = Open { from: BEN, to: DC, id: 777, ..query };
    office.answer(40.3, ben, &[]);
    assert_eq!(sureness(&mut office, query), [(BEN.to_owned(), 900)]);
}

#[test]
fn what_a_query_makes_another_server_ask_back_did_not_set_it_off() {
    let mut office = knowing();
    office.ask(0.0, BEN, DC, HEAD);
    let query = office.ask(0.3, DC, DC2, TAIL);
    let back = office.ask(0.4, DC2, DC, TAIL);
    assert_eq!(office.named(query), [BEN]);
    assert_eq!(office.named(back), [BEN]);
}

#[test]
fn an_answer_without_any_record_does_not_say_where_its_name_leads() {
    let mut office = knowing();
    let ask = office.ask_type(0.0, ANNA, DC, HEAD, 28);
    let query = office.ask_type(0.3, DC, ISP, TAIL, 28);
    for (open, at_ms) in [(query, 20.0), (ask, 20.3)] {
        office.respond(open, Draft { at_ms, authoritative: true, ..Draft::default() });
    }
    assert_eq!(sureness(&mut office, query), [(ANNA.to_owned(), 800)]);
}

#[test]
fn who_was_led_there_does_not_displace_for_whom_the_dc_looked_up_a_server_first() {
    let mut office = knowing();
    let anna = office.ask(0.0, ANNA, DC, TAIL);
    // The address of the server of its zone.
    let other = office.ask(0.3, DC, ISP, "ns.far.org");
    office.answer(600.0, other, &[]);
    let ben = office.ask(550.0, BEN, DC, HEAD);
    let query = office.ask(600.3, DC, ISP, TAIL);
    office.answer(620.0, query, &[]);
    office.answer(620.2, ben, &[(HEAD, TAIL)]);
    assert_eq!(sureness(&mut office, query), [(ANNA.to_owned(), 800)]);
    office.answer(620.3, anna, &[]);
    assert_eq!(sureness(&mut office, query), [(ANNA.to_owned(), 995)]);
}

#[test]
fn of_responses_that_come_together_it_is_not_told_whom_each_was_for() {
    let mut office = knowing();
    let anna = office.ask(0.0, ANNA, DC, TAIL);
    let own = office.ask(0.3, DC, ISP, TAIL);
    let ben = office.ask(0.4, BEN, DC, HEAD);
    let other = office.ask(0.7, DC, ISP, TAIL);
    office.answer(20.0, own, &[]);
    office.answer(20.1, other, &[]);
    office.answer(20.15, anna, &[]);
    office.answer(20.25, ben, &[(HEAD, TAIL)]);
    assert_eq!(office.named(own), [ANNA]);
}

#[test]
fn several_addresses_that_only_answer_and_one_that_only_asks_are_one_server_if_one_machine_has_them()
 {
    let named = |macs: [u8; 3], asker: &'static str| {
        let mut office = Office::new();
        let [first, second, third] = macs.map(|last| Mac([2, 0, 0, 0, 9, last]));
        let mut latest = None;
        let names = ["a1.com", "a2.com", "a3.com", "a4.com", "a5.com", "a6.com"];
        for (n, name) in names.into_iter().enumerate() {
            for (service, mac) in [("10.0.9.1", first), ("10.0.9.2", second)] {
                let at = n as f64 * 1_000.0;
                let ask = office.ask(at, ANNA, service, name);
                let id = 5_000 + 2 * n as u16 + u16::from(service == "10.0.9.2");
                let query = Draft { from: asker, to: ISP, name, id, port: id, ..Draft::default() };
                let event = office.take(&Draft { at_ms: at + 0.2, mac: third, ..query });
                let Event::Asked(sequence) = event else { panic!("{event:?}") };
                let answer = Draft { from: ISP, to: asker, response: true, address: true, ..query };
                office.take(&Draft { at_ms: at + 10.0, ..answer });
                let told = Draft { at_ms: at + 10.2, address: true, mac, ..Draft::default() };
                office.respond(ask, told);
                latest = Some(Open { from: asker, to: ISP, name, rtype: 1, id, sequence });
            }
        }
        office.resolution.refresh_roles();
        office.named(latest.unwrap())
    };
    // By the question at either.
    assert_eq!(named([1, 1, 1], "10.0.9.3"), [ANNA, ANNA]);
    // Of another machine, or behind another address, two servers may ask alike.
    assert!(named([1, 2, 3], "10.0.9.3").is_empty());
    assert!(named([1, 1, 1], "192.168.7.9").is_empty());
}

#[test]
fn who_has_no_answer_though_others_got_it_may_have_had_one_before() {
    for (beside, long_ms, expected) in [
        (true, 600.0, vec![(ANNA, 995), (BEN, 800)]),
        (true, 200.0, vec![(BEN, 995), (ANNA, 995)]),
        (false, 700.0, vec![(BEN, 900)]),
        (false, 200.0, vec![(BEN, 995)]),
    ] {
        let mut office = Office::new();
        office.ask(0.0, BEN, DC, "c2.evil.com");
        // A while behind: it does not ask for each apart.
        office.ask(15.0, DC, ISP, "c2.evil.com");
        let anna = beside.then(|| office.ask(long_ms, ANNA, DC, "c2.evil.com"));
        let query = office.ask(long_ms + 0.2, DC, ISP, "c2.evil.com");
        office.answer(long_ms + 20.0, query, &[]);
        anna.into_iter().for_each(|anna| office.answer(long_ms + 20.2, anna, &[]));
        let expected: Vec<_> =
            expected.into_iter().map(|(client, sure)| (client.to_owned(), sure)).collect();
        assert_eq!(sureness(&mut office, query), expected, "{beside} {long_ms}");
    }
}

#[test]
fn what_answers_do_not_show_is_not_nobodys() {
    let why = |cut: usize, are_answered: bool| {
        let mut office = Office::new();
        for n in 0..20 {
            let at = -10_000.0 + f64::from(n) * 100.0;
            let name = format!("www{n}.good.com");
            let ask = office.ask(at, ANNA, DC, &name);
            let query = office.ask(at + 0.2, DC, ISP, &name);
            let answer = |at_ms| Draft { at_ms, cut, ..Draft::default() };
            if are_answered {
                office.respond(query, answer(at + 8.0));
            }
            office.respond(ask, answer(at + 8.2));
        }
        let query = office.ask(0.0, DC, ISP, "c2.evil.com");
        office.causes(query).1
    };
    assert_eq!(why(0, true), Some(NoClientReason::NobodyWaiting));
    assert_eq!(why(0, false), Some(NoClientReason::PacketsLost));
    assert_eq!(why(2, true), Some(NoClientReason::PacketsLost));
}
