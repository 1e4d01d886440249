//! What a router sent on from an address of its own, which the capture shows as well.

use super::*;

/// The router's outer address.
const ROUTER: &str = "198.51.100.200";

/// Somebody asks, and the router sends it on a moment later: both questions.
fn asks_through<'a>(
    office: &mut Office,
    at_ms: f64,
    (inside, outside): (&'a str, &'a str),
    to: &'a str,
    name: &'a str,
) -> [Open<'a>; 2] {
    let open = office.ask(at_ms, inside, to, name);
    let sent_on = Draft { from: outside, to, name, id: open.id, port: 40_000, ..Draft::default() };
    let event = office.take(&Draft { at_ms: at_ms + 0.06, ..sent_on });
    let Event::Asked(sequence) = event else { panic!("{event:?}") };
    [open, Open { from: outside, sequence, ..open }]
}

/// Whether a question passes for one sent on.
fn is_sent_on(office: &mut Office, open: Open<'_>) -> bool {
    office.resolution.refresh_roles();
    let history = office.resolution.history();
    let query = history.transactions().get(open.sequence).unwrap();
    history.is_sent_on(open.sequence, &query)
}

/// An office in which the router sent so much on from one address.
fn office_with(sent_on: u32, (inside, outside): (&str, &str)) -> Office {
    let mut office = Office::new();
    for n in 0..sent_on {
        let at = -9_000.0 + f64::from(n) * 100.0;
        asks_through(&mut office, at, (inside, outside), ISP, &format!("n{n}.example"));
    }
    office
}

#[test]
fn what_a_router_sent_on_is_whose_it_was_before() {
    for (before, expected) in [(1, false), (2, true)] {
        let mut office = office_with(before, (ANNA, ROUTER));
        let [ask, copy] = asks_through(&mut office, 0.0, (ANNA, ROUTER), ISP, "c2.evil.com");
        assert_eq!(is_sent_on(&mut office, copy), expected, "{before} before");
        assert!(!is_sent_on(&mut office, ask));
        let history = office.resolution.history();
        let hosts = history.transactions().hosts();
        let router = hosts.find(ROUTER.parse::<std::net::IpAddr>().unwrap().into()).unwrap();
        let host = hosts.get(router).unwrap();
        assert_eq!(history.roles().is_client(router, host), !expected);
    }
}

#[test]
fn two_who_ask_alike_are_two() {
    // Machines of one kind that were switched on together, in one network.
    let mut office = office_with(9, (ANNA, BEN));
    let [_, other] = asks_through(&mut office, 0.0, (ANNA, BEN), ISP, "c2.evil.com");
    assert!(!is_sent_on(&mut office, other));
    // The same name at the same time, by another id: the router asks it, too.
    let mut office = office_with(9, (ANNA, ROUTER));
    office.ask(0.0, ANNA, ISP, "c2.evil.com");
    let own = office.ask(0.06, ROUTER, ISP, "c2.evil.com");
    assert!(!is_sent_on(&mut office, own));
    // Long after.
    office.ids -= 2;
    let again = office.ask(8_000.0, ROUTER, ISP, "c2.evil.com");
    assert!(!is_sent_on(&mut office, again));
}

#[test]
fn a_router_that_asks_for_itself_too_stays_who_asks() {
    let mut office = office_with(5, (ANNA, ROUTER));
    for n in 0..5 {
        office.ask(-500.0 + f64::from(n), ROUTER, ISP, "ntp.example");
    }
    let own = office.ask(0.0, ROUTER, ISP, "c2.evil.com");
    assert!(!is_sent_on(&mut office, own));
    let history = office.resolution.history();
    let hosts = history.transactions().hosts();
    let router = hosts.find(ROUTER.parse::<std::net::IpAddr>().unwrap().into()).unwrap();
    assert!(history.roles().is_client(router, hosts.get(router).unwrap()));
    assert!(history.roles().may_ask_for_others(router).is_some());
}

#[test]
fn whose_question_was_sent_on_to_the_resolver_is_named_alone() {
    let (container, machine) = ("172.17.0.2", "10.0.0.9");
    let mut office = Office::new();
    for n in 0..3 {
        let at = -9_000.0 + f64::from(n) * 100.0;
        asks_through(&mut office, at, (container, machine), DC, &format!("n{n}.example"));
    }
    office.resolution.refresh_roles();
    asks_through(&mut office, 0.0, (container, machine), DC, "c2.evil.com");
    let query = office.ask(0.3, DC, ISP, "c2.evil.com");
    assert_eq!(office.named(query), [container]);
}
