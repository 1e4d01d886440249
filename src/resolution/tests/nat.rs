//! What a router sent on from an address of its own, which the capture shows as well.

use super::*;
use crate::resolution::ForOthers;

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
    asks_apart(office, (at_ms, 0.06), (inside, outside), to, name)
}

/// The same, the copy stamped so much later, or earlier.
fn asks_apart<'a>(
    office: &mut Office,
    (at_ms, later): (f64, f64),
    (inside, outside): (&'a str, &'a str),
    to: &'a str,
    name: &'a str,
) -> [Open<'a>; 2] {
    let open = office.ask(at_ms, inside, to, name);
    let sent_on = Draft { from: outside, to, name, id: open.id, port: 40_000, ..Draft::default() };
    let event = office.take(&Draft { at_ms: at_ms + later, ..sent_on });
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

/// An office in which the router sent so much on to a server from one address.
fn office_with(sent_on: u32, (inside, outside): (&str, &str), to: &str) -> Office {
    let mut office = Office::new();
    for n in 0..sent_on {
        let at = -9_000.0 + f64::from(n) * 100.0;
        asks_through(&mut office, at, (inside, outside), to, &format!("n{n}.example"));
    }
    office
}

#[test]
fn what_a_router_sent_on_is_whose_it_was_before() {
    for (before, expected) in [(1, false), (2, true)] {
        let mut office = office_with(before, (ANNA, ROUTER), ISP);
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
    let mut office = office_with(9, (ANNA, BEN), ISP);
    let [_, other] = asks_through(&mut office, 0.0, (ANNA, BEN), ISP, "c2.evil.com");
    assert!(!is_sent_on(&mut office, other));
    // The same name at the same time, by another id: the router asks it, too.
    let mut office = office_with(9, (ANNA, ROUTER), ISP);
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
    let mut office = office_with(5, (ANNA, ROUTER), ISP);
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
    let mut office = office_with(3, (container, machine), DC);
    office.resolution.refresh_roles();
    asks_through(&mut office, 0.0, (container, machine), DC, "c2.evil.com");
    let query = office.ask(0.3, DC, ISP, "c2.evil.com");
    assert_eq!(office.named(query), [container]);
}

/// Whether the original and the copy pass for sent on, after so many such pairs, some of them stamped the other way round.
fn which_is_sent_on(
    office: &mut Office,
    (inside, outside): (&str, &str),
    to: &str,
    stamps: &[f64],
) -> [bool; 2] {
    for (n, later) in stamps.iter().enumerate() {
        let at = -9_000.0 + n as f64 * 100.0;
        asks_apart(office, (at, *later), (inside, outside), to, &format!("n{n}.example"));
    }
    // The flagged one is stamped as the first was.
    let later = stamps.first().copied().unwrap_or_default();
    let both = asks_apart(office, (0.0, later), (inside, outside), to, "c2.evil.com");
    both.map(|open| is_sent_on(office, open))
}

#[test]
fn two_clocks_and_packets_out_of_order_do_not_make_the_host_the_router() {
    let (container, machine) = ("172.17.0.2", "10.0.0.9");
    // The server is in the network of the address that is translated to.
    for stamps in [[-1.0; 3], [0.06; 3]] {
        let mut office = Office::new();
        let sent_on = which_is_sent_on(&mut office, (container, machine), DC, &stamps);
        assert_eq!(sent_on, [false, true], "{stamps:?}");
    }
    // Where it is not, most pairs tell.
    let (host, gateway) = ("172.17.0.2", "192.168.7.1");
    for (stamps, expected) in [
        ([-0.06, 0.06, 0.06, 0.06, 0.06, 0.06], [false, true]),
        ([-0.06, -0.06, 0.06, 0.06, -0.06, 0.06], [false, false]),
    ] {
        let mut office = Office::new();
        let sent_on = which_is_sent_on(&mut office, (host, gateway), ISP, &stamps);
        assert_eq!(sent_on, expected, "{stamps:?}");
        let history = office.resolution.history();
        let hosts = history.transactions().hosts();
        let id = hosts.find(host.parse::<std::net::IpAddr>().unwrap().into()).unwrap();
        let is_undecided = history.roles().may_ask_for_others(id) == Some(ForOthers::MayTranslate);
        assert_eq!(is_undecided, expected == [false, false]);
    }
    // The DNS server itself is asked, and so no router's address.
    let mut office = Office::new();
    let sent_on = which_is_sent_on(&mut office, (DC, "192.168.178.2"), ISP, &[-1.0; 3]);
    assert_eq!(sent_on, [false, true]);
}

#[test]
fn what_was_sent_on_is_known_by_the_answers_where_a_question_is_missing() {
    for missing in [0, 1] {
        let mut office = office_with(3, (ANNA, ROUTER), ISP);
        office.ids += 1;
        let id = office.ids;
        let common = Draft { name: "c2.evil.com", id, ..Draft::default() };
        let ends = [(ANNA, 10_000 + id), (ROUTER, 40_000)];
        let mut sequences = Vec::new();
        for (n, (from, port)) in ends.into_iter().enumerate().filter(|(n, _)| *n != missing) {
            let at_ms = n as f64 * 0.06;
            let event = office.take(&Draft { at_ms, from, to: ISP, port, ..common });
            let Event::Asked(sequence) = event else { panic!("{event:?}") };
            sequences.push((n, sequence));
        }
        for (n, (to, port)) in ends.into_iter().enumerate() {
            let at_ms = 30.0 + n as f64 * 0.06;
            let draft = Draft { at_ms, from: ISP, to, port, response: true, ..common };
            if let Event::AnsweredUnasked(sequence) = office.take(&draft) {
                sequences.push((n, sequence));
            }
        }
        for (n, sequence) in sequences {
            let open = Open { from: ANNA, to: ISP, name: "c2.evil.com", rtype: 1, id, sequence };
            assert_eq!(is_sent_on(&mut office, open), n == 1, "{missing} {n}");
        }
    }
}

#[test]
fn what_a_router_sent_on_without_its_question_is_nobodys_here() {
    let (container, machine) = ("172.17.0.2", "10.0.0.9");
    let mut office = office_with(3, (container, machine), DC);
    office.resolution.refresh_roles();
    let ask = office.ask(0.0, machine, DC, "c2.evil.com");
    let query = office.ask(0.3, DC, ISP, "c2.evil.com");
    let (named, why) = office.causes(query);
    assert!(
        named.is_empty() && matches!(why, Some(NoClientReason::SentOn(_))),
        "{named:?} {why:?}"
    );
    assert!(!is_sent_on(&mut office, ask));
}

#[test]
fn devices_of_one_make_in_two_networks_are_two() {
    // Their messages all have one id, and they ask on one beat; each numbers its packets by itself.
    let twins = ["10.1.1.150", "10.2.1.150"];
    let mut office = Office::new();
    let mut last = Vec::new();
    for n in 0..9u16 {
        let at_ms = f64::from(n) * 10_000.0;
        let drafts = [0, 1].map(|twin: u16| {
            let from = twins[usize::from(twin)];
            let (port, ip_id) = (30_000 + n, 100 + 400 * twin + n);
            let at_ms = at_ms + 0.7 * f64::from(twin);
            Draft { at_ms, from, name: "c2.evil.com", id: 1, port, ip_id, ..Draft::default() }
        });
        let asked = drafts.clone().map(|draft| office.take(&draft));
        for (draft, told_ms) in drafts.into_iter().zip([2.0, 2.8]) {
            let (from, to, at_ms) = (draft.to, draft.from, at_ms + told_ms);
            office.take(&Draft { at_ms, from, to, response: true, address: true, ..draft });
        }
        last = asked.to_vec();
    }
    for (event, from) in last.into_iter().zip(twins) {
        let Event::Asked(sequence) = event else { panic!("{event:?}") };
        let open = Open { from, to: DC, name: "c2.evil.com", rtype: 1, id: 1, sequence };
        assert!(!is_sent_on(&mut office, open), "{from}");
    }
}

#[test]
fn where_two_clocks_stamp_both_sides_nobody_is_sure_who_sent_on_what() {
    for apart_ms in [50.0, -50.0, 2_000.0] {
        let mut office = Office::new();
        for n in 0..4 {
            let at = -9_000.0 + f64::from(n) * 100.0;
            let name: &'static str =
                ["a.example", "b.example", "c.example", "d.example"][n as usize];
            let both = asks_apart(&mut office, (at, apart_ms), (ANNA, ROUTER), DC, name);
            let [open, _] = both;
            office.answer(at + 30.0, open, &[]);
            let answer =
                Draft { from: DC, to: ROUTER, name, id: open.id, port: 40_000, ..Draft::default() };
            office.take(&Draft { at_ms: at + 30.0 + apart_ms, response: true, ..answer });
        }
        office.resolution.refresh_roles();
        let history = office.resolution.history();
        let hosts = history.transactions().hosts();
        for address in [ANNA, ROUTER] {
            let host = hosts.find(address.parse::<std::net::IpAddr>().unwrap().into()).unwrap();
            let may = history.roles().may_ask_for_others(host);
            assert_eq!(may, Some(ForOthers::MayTranslate), "{address} {apart_ms}");
        }
    }
}
