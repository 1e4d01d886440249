//! Who is not sure to be behind what a resolver asks, for it may have begun anew for somebody else.

use super::innocent::sureness;
use super::*;
use crate::resolution::ForOthers;

#[test]
fn who_was_told_of_a_failure_is_not_sure_to_be_behind_what_is_asked_since() {
    for (again, expected) in [(5_500.0, Some(800)), (8_000.0, None)] {
        let mut office = Office::new();
        let ask = office.ask(0.0, ANNA, DC, "c2.evil.com");
        office.ask(0.2, DC, ISP, "c2.evil.com");
        office.respond(ask, Draft { at_ms: 5_000.0, rcode: 2, ..Draft::default() });
        let query = office.ask(again, DC, ISP, "c2.evil.com");
        let expected: Vec<_> = expected.map(|sure| (ANNA.to_owned(), sure)).into_iter().collect();
        assert_eq!(sureness(&mut office, query), expected, "{again}");
    }
}

#[test]
fn who_was_led_there_just_now_comes_beside_who_asked_for_it_long_before() {
    let mut office = Office::new();
    office.learn(-5_000.0, "www.good.com", "c2.evil.com");
    office.ask(0.0, BEN, DC, "c2.evil.com");
    let first = office.ask(0.2, DC, ISP, "c2.evil.com");
    office.ask(900.0, ANNA, DC, "www.good.com");
    let query = office.ask(900.4, DC, ISP, "c2.evil.com");
    assert_eq!(sureness(&mut office, first), [(BEN.to_owned(), 995)]);
    let both = [(ANNA.to_owned(), 800), (BEN.to_owned(), 800)];
    assert_eq!(sureness(&mut office, query), both);
    // Who came long before it did not set it off.
    let later = office.ask(1_400.0, DC, ISP, "c2.evil.com");
    assert_eq!(sureness(&mut office, later), [(BEN.to_owned(), 995)]);
}

#[test]
fn what_was_known_when_it_was_asked_counts_and_not_what_was_told_since() {
    let target = |office: &mut Office| {
        let name = office.simulated.hasher.hash(Name::from_wire(b"\x03www\x04good\x03com\0"));
        let history = office.resolution.history();
        let hosts = history.transactions().hosts();
        let dc = hosts.find(DC.parse::<std::net::IpAddr>().unwrap().into()).unwrap();
        let while_open = (Timestamp(0), Timestamp(0) + Span::from_secs(10));
        let chain = history.walk_forward(&[dc], name, while_open);
        chain
            .edges
            .iter()
            .map(|edge| history.edges().target_name(edge).to_string())
            .collect::<Vec<_>>()
    };
    let mut office = Office::new();
    office.learn(6_000.0, "www.good.com", "us.cloud.net");
    assert_eq!(target(&mut office), ["us.cloud.net"]);
    let mut office = Office::new();
    office.learn(-500.0, "www.good.com", "eu.cloud.net");
    office.learn(6_000.0, "www.good.com", "us.cloud.net");
    assert_eq!(target(&mut office), ["eu.cloud.net"]);
    let mut office = Office::new();
    office.learn(50.0, "www.good.com", "eu.cloud.net");
    office.learn(6_000.0, "www.good.com", "us.cloud.net");
    assert_eq!(target(&mut office), ["eu.cloud.net"]);
    // What had just run out it asked for anew; if it did not, it may round, or serve it all the same.
    for (told, expected) in [(true, "eu.cloud.net"), (false, "us.cloud.net")] {
        let mut office = Office::new();
        let open = office.ask(-20_600.0, DC, ISP, "www.good.com");
        let aliases = [("www.good.com", "us.cloud.net")];
        let draft = Draft { at_ms: -20_500.0, aliases: &aliases, ttl: 20, ..Draft::default() };
        office.respond(open, Draft { address: true, ..draft });
        if told {
            office.learn(5.0, "www.good.com", "eu.cloud.net");
        }
        assert_eq!(target(&mut office), [expected], "{told}");
    }
}

#[test]
fn who_was_refused_unseen_is_not_behind_what_is_asked_for_the_next() {
    for rcode in [5, 2] {
        let mut office = Office::new();
        office.ask(0.0, ANNA, DC, "c2.evil.com");
        for (n, forwarder) in [ISP, "203.0.113.54"].into_iter().enumerate() {
            let at = 0.2 + n as f64 * 6.0;
            let query = office.ask(at, DC, forwarder, "c2.evil.com");
            office.respond(query, Draft { at_ms: at + 5.0, rcode, ..Draft::default() });
        }
        office.ask(960.0, BEN, DC, "c2.evil.com");
        let query = office.ask(960.3, DC, ISP, "c2.evil.com");
        assert_eq!(office.named(query), [BEN], "{rcode}");
    }
    // While one of them had not answered, she waited.
    let mut office = Office::new();
    office.ask(0.0, ANNA, DC, "c2.evil.com");
    let query = office.ask(0.2, DC, ISP, "c2.evil.com");
    office.respond(query, Draft { at_ms: 5.0, rcode: 5, ..Draft::default() });
    office.ask(5.2, DC, "203.0.113.54", "c2.evil.com");
    let query = office.ask(960.3, DC, ISP, "c2.evil.com");
    assert_eq!(sureness(&mut office, query), [(ANNA.to_owned(), 995)]);
}

#[test]
fn an_alias_that_was_told_anew_more_often_than_is_remembered_was_known_when_it_was_told() {
    let mut office = Office::new();
    let mut queries = Vec::new();
    for n in 0..10 {
        let (at, client) = (f64::from(n) * 8_000.0, if n % 2 == 0 { ANNA } else { BEN });
        let ask = office.ask(at, client, DC, "www.good.com");
        let own = office.ask(at + 0.2, DC, ISP, "www.good.com");
        let aliases = [("www.good.com", "c2.evil.com")];
        office
            .respond(own, Draft { at_ms: at + 6.0, aliases: &aliases, ttl: 5, ..Draft::default() });
        queries.push((office.ask(at + 6.3, DC, ISP, "c2.evil.com"), client));
        office.respond(ask, Draft { at_ms: at + 2_000.0, rcode: 2, ..Draft::default() });
    }
    for (query, client) in queries {
        assert_eq!(office.named(query), [client]);
    }
}

#[test]
fn a_desktop_that_follows_aliases_is_no_server() {
    let (desktop, names) = ("10.0.9.9", ["a", "b", "c", "d", "e", "f"]);
    let others = [ANNA, BEN, CARLA];
    for (others, expected) in [(&others[..0], Some(ForOthers::FollowsAliases)), (&others, None)] {
        let mut office = Office::new();
        for (n, name) in names.iter().enumerate() {
            let at = n as f64 * 1_000.0;
            let (owner, target) = (format!("www.{name}.com"), format!("{name}.cdn.net"));
            for (from, asked) in [(desktop, &owner), (desktop, &target)] {
                let ask = office.ask(at, from, DC, asked);
                let aliases = [(owner.as_str(), target.as_str())];
                let led = if *asked == owner { &aliases[..] } else { &[] };
                office.answer(at + 5.0, ask, led);
            }
            for client in others {
                let ask = office.ask(at + 500.0, client, DC, &owner);
                office.answer(at + 505.0, ask, &[]);
            }
        }
        office.resolution.refresh_roles();
        let history = office.resolution.history();
        let hosts = history.transactions().hosts();
        let desktop = hosts.find(desktop.parse::<std::net::IpAddr>().unwrap().into()).unwrap();
        assert_eq!(history.roles().may_ask_for_others(desktop), expected);
    }
}

#[test]
fn a_forwarder_that_asks_a_known_resolver_by_another_address_is_one_with_it() {
    let (shown, asks_by) = ("10.0.0.100", "10.0.0.9");
    for (passed_on, expected) in [(24, ANNA), (12, asks_by)] {
        let mut office = Office::new();
        for n in 0..24 {
            let at = f64::from(n) * 100.0;
            let name = format!("n{n}.example");
            let ask = office.ask(at, [ANNA, BEN, CARLA][n as usize % 3], shown, &name);
            let other = format!("own{n}.example");
            let on = office.ask(at + 0.1, asks_by, DC, if n < passed_on { &name } else { &other });
            office.answer(at + 5.0, on, &[]);
            office.answer(at + 5.1, ask, &[]);
        }
        office.resolution.refresh_roles();
        let ask = office.ask(5_000.0, ANNA, shown, "c2.evil.com");
        let on = office.ask(5_000.1, asks_by, DC, "c2.evil.com");
        let query = office.ask(5_000.2, DC, ISP, "c2.evil.com");
        for (open, at) in [(query, 5_020.0), (on, 5_020.1), (ask, 5_020.2)] {
            office.answer(at, open, &[]);
        }
        assert_eq!(office.named(query), [expected], "{passed_on}");
    }
}

#[test]
fn who_asks_for_what_aliases_lead_to_may_ask_for_others() {
    // A resolver of this site that forwards to the one that is seen, and its clients are not.
    let (branch, names) = ("10.0.9.9", ["a", "b", "c", "d", "e"]);
    for (other_owner, expected) in [(true, Some(ForOthers::FollowsAliases)), (false, None)] {
        let mut office = Office::new();
        for (n, name) in names.iter().enumerate() {
            let at = n as f64 * 1_000.0;
            let owner = format!("www.{name}.com");
            let target =
                if other_owner { format!("{name}.cdn.net") } else { format!("{name}.com") };
            let ask = office.ask(at, branch, DC, &owner);
            office.answer(at + 5.0, ask, &[(&owner, &target)]);
            let ask = office.ask(at + 500.0, branch, DC, &target);
            office.answer(at + 505.0, ask, &[]);
        }
        office.resolution.refresh_roles();
        let history = office.resolution.history();
        let hosts = history.transactions().hosts();
        let branch = hosts.find(branch.parse::<std::net::IpAddr>().unwrap().into()).unwrap();
        assert_eq!(history.roles().may_ask_for_others(branch), expected);
    }
}
