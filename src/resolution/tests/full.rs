//! What is asked and told by others, by the thousand, changes no answer but one that says so.

use super::*;

#[test]
fn who_waits_is_found_though_thousands_have_asked_since() {
    let mut office = Office::new();
    office.ask(0.0, ANNA, DC, "a.evil.com");
    let query = office.ask(0.5, DC, ISP, "a.evil.com");
    for n in 0..3_000 {
        office.ask(3.0 + f64::from(n) / 10.0, BEN, DC, &format!("n{n}.evil.com"));
    }
    assert_eq!(office.causes(query).0, [(ANNA.into(), Role::Initiator, Relation::Itself)]);
}

#[test]
fn a_zone_with_thousands_of_servers_hides_no_alias() {
    let mut office = Office::new();
    office.learn(-20_000.0, "www.good.com", "tail.cdn.net");
    let servers: Vec<String> = (0..2_000)
        .map(|n| format!("{}.{}.{}.n{n}.evil.com", "a".repeat(63), "b".repeat(63), "c".repeat(63)))
        .collect();
    let delegations: Vec<(&str, &str)> =
        servers.iter().map(|server| ("evil.com", server.as_str())).collect();
    for n in 0..60 {
        let query = office.ask(-10_000.0 + f64::from(n), DC, ISP, "evil.com");
        let answer =
            Draft { at_ms: -9_999.5 + f64::from(n), delegations: &delegations, ..Draft::default() };
        office.respond(query, answer);
    }
    office.ask(0.0, ANNA, DC, "www.good.com");
    let query = office.ask(0.2, DC, ISP, "tail.cdn.net");
    assert_eq!(office.named(query), [ANNA]);
    assert_eq!(office.resolution.edges_forgotten(), 0);
}

#[test]
fn an_alias_whose_names_are_forgotten_is_counted_and_leads_to_nobodys_door() {
    let mut office = Office::new();
    office.learn(-60_000.0, "www.good.com", "tail.cdn.net");
    let long =
        |n: u32| format!("{}.{}.{}.n{n}.com", "a".repeat(63), "b".repeat(63), "c".repeat(63));
    for n in 0..50_000 {
        office.learn(-50_000.0 + f64::from(n), &long(2 * n), &long(2 * n + 1));
    }
    office.ask(0.0, ANNA, DC, "www.good.com");
    let query = office.ask(0.2, DC, ISP, "tail.cdn.net");
    assert_eq!(office.causes(query), (vec![], Some(NoClientReason::Crowded)));
    assert!(office.resolution.edges_forgotten() > 0);
    // What is in use stays.
    let mut office = Office::new();
    for n in 0..50_000 {
        if n % 1_000 == 0 {
            office.learn(-50_000.0 + f64::from(n), "www.good.com", "tail.cdn.net");
        }
        office.learn(-50_000.0 + f64::from(n), &long(2 * n), &long(2 * n + 1));
    }
    office.ask(0.0, ANNA, DC, "www.good.com");
    let query = office.ask(0.2, DC, ISP, "tail.cdn.net");
    assert_eq!(office.named(query), [ANNA]);
}
