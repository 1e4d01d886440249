//! What is said of a query that nobody can be named for, when somebody had asked for just that before.

use super::*;

const NAME: &str = "c2.evil.com";

/// Why nobody is named for what the DC asks.
fn why(office: &mut Office, at_ms: f64, name: &str) -> Option<NoClientReason> {
    // Somebody waits for something else.
    office.ask(at_ms - 100.0, CARLA, DC, "www.slow.example");
    let query = office.ask(at_ms, DC, ISP, name);
    let (named, why) = office.causes(query);
    assert_eq!(named, []);
    why
}

/// An office where Anna asked, was answered so or not at all, and so was what the DC asked for her.
fn office(asked: &str, answer: Option<u8>) -> Office {
    let mut office = Office::new();
    office.learn(-30_000.0, "www.good.com", NAME);
    for (client, server) in [(CARLA, DC), (DC, ISP)] {
        let open = office.ask(-1_000.0, client, server, "warm.example");
        office.answer(-990.0, open, &[]);
    }
    let ask = office.ask(0.0, ANNA, DC, asked);
    let query = office.ask(0.2, DC, ISP, NAME);
    office.respond(
        query,
        Draft { at_ms: 5.0, rcode: answer.unwrap_or(0), address: true, ..Draft::default() },
    );
    if let Some(rcode) = answer {
        office.respond(ask, Draft { at_ms: 5.1, rcode, address: rcode == 0, ..Draft::default() });
    }
    office
}

/// For how long before it was asked.
fn said(why: Option<NoClientReason>) -> (&'static str, i64) {
    match why {
        Some(NoClientReason::AskedUnanswered(_, since)) => ("unanswered", since.0 / 1_000_000_000),
        Some(NoClientReason::AskedFailed(_, since)) => ("failed", since.0 / 1_000_000_000),
        Some(NoClientReason::AskedServed(_, since)) => ("served", since.0 / 1_000_000_000),
        Some(NoClientReason::OthersWaiting(_)) => ("others", 0),
        Some(NoClientReason::NobodyWaiting) => ("nobody", 0),
        why => panic!("{why:?}"),
    }
}

#[test]
fn who_asked_before_and_what_became_of_it_is_said() {
    const SERVFAIL: u8 = 2;
    for (answer, expected) in
        [(None, "unanswered"), (Some(SERVFAIL), "failed"), (Some(0), "served")]
    {
        for asked in [NAME, "www.good.com"] {
            let why = why(&mut office(asked, answer), 40_000.0, NAME);
            // An answer that does not lead there says that it did not.
            let expected = match (answer, asked) {
                (Some(0), "www.good.com") => ("others", 0),
                _ => (expected, 40),
            };
            assert_eq!(said(why), expected, "{answer:?} {asked}");
            let is_open = why.is_some_and(NoClientReason::is_open);
            assert!(is_open, "it is undetermined");
        }
        // So long after it is not why.
        assert_eq!(said(why(&mut office(NAME, answer), 400_000.0, NAME)), ("others", 0));
        // Nor is it why something else is asked for.
        assert_eq!(said(why(&mut office(NAME, answer), 40_000.0, "x.evil.com")), ("others", 0));
    }
}

#[test]
fn a_query_that_comes_alone_is_not_for_nobody_if_somebody_got_no_answer_to_just_that() {
    let alone = |answer: Option<u8>| {
        let mut office = office(NAME, answer);
        let query = office.ask(100_000.0, DC, ISP, NAME);
        said(office.causes(query).1)
    };
    assert_eq!(alone(None), ("unanswered", 100));
    assert_eq!(alone(Some(2)), ("failed", 100));
    assert_eq!(alone(Some(0)), ("nobody", 0));
}
