//! Who is not sure to be behind what a resolver asks, for it may have begun anew for somebody else.

use super::innocent::sureness;
use super::*;
use crate::resolution::ForOthers;

#[test]
fn who_was_told_of_a_failure_is_not_sure_to_be_behind_what_is_asked_since() {
    for (again, expected) in [(5_500.0, 900), (8_000.0, 800)] {
        let mut office = Office::new();
        let ask = office.ask(0.0, ANNA, DC, "c2.evil.com");
        office.ask(0.2, DC, ISP, "c2.evil.com");
        office.respond(ask, Draft { at_ms: 5_000.0, rcode: 2, ..Draft::default() });
        let query = office.ask(again, DC, ISP, "c2.evil.com");
        assert_eq!(sureness(&mut office, query), [(ANNA.to_owned(), expected)], "{again}");
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
        chain.iter().map(|edge| history.edges().target_name(edge).to_string()).collect::<Vec<_>>()
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
