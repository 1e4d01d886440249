//! Servers that are asked at several addresses and ask from another: a router with a network for guests, a server of both
//! families.

use super::*;
use crate::flow::Mac;

/// A router: its address for the office, for guests, and towards the provider.
const ROUTER: [&str; 3] = ["192.168.1.1", "192.168.20.1", "203.0.113.200"];
const GUEST: &str = "192.168.20.77";

/// The lookups of clients, each of a name of its own, with what they ask, and what that asks from `asker` meanwhile. `further` names
/// are asked for with each. Whom the last query for each client's name is laid at.
fn named(
    lookups: &[(&'static str, &'static str)],
    asker: &str,
    further: usize,
) -> Vec<Vec<String>> {
    let mut office = Office::new();
    let names: Vec<Vec<String>> = (0..lookups.len())
        .map(|n| (0..=further).rev().map(|k| format!("n{k}.name{n}.com")).collect())
        .collect();
    let mut queries = Vec::new();
    for ((&(client, service), names), n) in lookups.iter().zip(&names).zip(0u32..) {
        let at = f64::from(n) * 1_000.0;
        let Some(asked) = names.last() else { continue };
        let open = office.ask(at, client, service, asked);
        for (name, k) in names.iter().zip(0u32..) {
            let at = at + 0.2 + f64::from(k) * 2.0;
            let query = office.ask(at, asker, ISP, name);
            office.answer(at + 1.5, query, &[]);
            if name == asked {
                queries.push(query);
            }
        }
        office.answer(at + 50.0, open, &[]);
    }
    office.resolution.refresh_roles();
    queries.into_iter().map(|query| office.named(query)).collect()
}

/// Each client with the router's address that it asks, every `nth` a guest.
fn with_guests(all: usize, nth: usize) -> Vec<(&'static str, &'static str)> {
    let [office, guests, _] = ROUTER;
    (1..=all).map(|n| if n % nth == 0 { (GUEST, guests) } else { (ANNA, office) }).collect()
}

#[test]
fn a_router_is_one_server_by_its_addresses_in_all_of_its_networks() {
    // Guests ask nearly as much, some, or hardly anything; and the router asks from its own address of the office.
    for (all, nth, asker) in [(40, 2, 2), (60, 5, 2), (90, 30, 2), (40, 2, 0)] {
        let lookups = with_guests(all, nth);
        let named = named(&lookups, ROUTER[asker], 0);
        for ((client, service), named) in lookups.iter().zip(named) {
            assert_eq!(named, [*client], "at {service}, every {nth}th");
        }
    }
}

#[test]
fn a_server_that_asks_much_for_each_question_is_known_by_what_it_is_asked() {
    let lookups = [(ANNA, "10.0.9.1"); 20];
    for named in named(&lookups, "10.0.5.9", 8) {
        assert_eq!(named, [ANNA]);
    }
}

#[test]
fn two_servers_that_clients_ask_at_once_are_two() {
    let mut office = Office::new();
    let names: Vec<String> = (0..40).map(|n| format!("www.name{n}.com")).collect();
    let mut last = None;
    for (name, n) in names.iter().zip(0u32..) {
        let at = f64::from(n) * 1_000.0;
        let asks = ["10.0.9.1", "10.0.9.2"].map(|service| office.ask(at, ANNA, service, name));
        // Only what one of them asks is in the capture.
        let query = office.ask(at + 0.2, "10.0.5.9", ISP, name);
        office.answer(at + 10.0, query, &[]);
        asks.into_iter().for_each(|ask| office.answer(at + 10.2, ask, &[]));
        last = Some(query);
    }
    office.resolution.refresh_roles();
    assert!(office.resolution.roles().groups().iter().all(|group| group.hosts.len() < 3));
    let last = last.unwrap();
    assert!(office.named(last).is_empty(), "which of the two asked cannot be told");
    // But it asks for others, and nobody is named in their place.
    let transactions = office.resolution.transactions();
    let query = transactions.get(last.sequence).unwrap();
    assert!(office.resolution.roles().may_be_resolver(&query, transactions));
}

#[test]
fn of_servers_in_a_row_each_is_one_by_what_waits_innermost() {
    // The DC forwards to the router's address of the office, and that asks from the one towards the provider.
    let [office_side, _, outside] = ROUTER;
    let mut office = Office::new();
    let names: Vec<String> = (0..30).map(|n| format!("www.name{n}.com")).collect();
    let mut last = None;
    for (name, n) in names.iter().zip(0u32..) {
        let at = f64::from(n) * 1_000.0;
        let ask = office.ask(at, ANNA, DC, name);
        let forwarded = office.ask(at + 0.2, DC, office_side, name);
        let query = office.ask(at + 0.4, outside, ISP, name);
        office.answer(at + 10.0, query, &[]);
        office.answer(at + 10.2, forwarded, &[]);
        office.answer(at + 10.4, ask, &[]);
        last = Some(query);
    }
    office.resolution.refresh_roles();
    assert_eq!(office.named(last.unwrap()), [ANNA]);
}

#[test]
fn who_asks_for_few_names_all_the_time_is_no_server() {
    // A player asks a public resolver for its vendor's names again and again; for each, somebody waits at the site's own servers
    // sooner or later.
    const PLAYER: &str = "10.0.0.77";
    let mut office = Office::new();
    let names: Vec<String> = (0..6).map(|n| format!("n{n}.vendor.com")).collect();
    for round in 0..40u32 {
        for (name, n) in names.iter().zip(0u32..) {
            let at = f64::from(round * 6 + n) * 1_000.0;
            let service = if n % 2 == 0 { "10.0.9.1" } else { "10.0.9.2" };
            let ask = (round == 7).then(|| office.ask(at - 0.2, ANNA, service, name));
            let query = office.ask(at, PLAYER, "8.8.8.8", name);
            office.answer(at + 20.0, query, &[]);
            ask.into_iter().for_each(|ask| office.answer(at + 40.0, ask, &[]));
        }
    }
    office.resolution.refresh_roles();
    let roles = office.resolution.roles();
    let hosts = office.resolution.transactions().hosts();
    let player = hosts.find(PLAYER.parse::<std::net::IpAddr>().unwrap().into()).unwrap();
    assert!(roles.group_of(player).is_none());
}

/// Clients ask at one address for so many names, each of which another address asks for meanwhile; the latest of these.
fn passed_on<'a>(
    office: &mut Office,
    (from_s, names): (f64, &'a [String]),
    (service, node): (&'a str, &'a str),
) -> Option<Open<'a>> {
    let mut latest = None;
    for (n, name) in names.iter().enumerate() {
        let at = from_s * 1000.0 + n as f64 * 100.0;
        let ask = office.ask(at, ANNA, service, name);
        let query = office.ask(at + 0.2, node, ISP, name);
        office.answer(at + 10.0, query, &[]);
        office.answer(at + 10.2, ask, &[]);
        latest = Some(query);
    }
    latest
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("www.site{n}.com")).collect()
}

#[test]
fn what_a_server_asks_from_another_address_it_asked_before_all_the_same() {
    let names = names(30);
    let mut office = Office::new();
    passed_on(&mut office, (-60.0, &names), ("10.0.9.1", "10.0.9.2"));
    office.resolution.refresh_roles();
    // Nothing comes back, and it tries again and again.
    office.ask(0.0, ANNA, "10.0.9.1", "c2.evil.com");
    for at in [0.2, 400.0, 1_200.0, 2_800.0, 6_000.0] {
        let query = office.ask(at, "10.0.9.2", ISP, "c2.evil.com");
        assert_eq!(office.named(query), [ANNA], "{at}");
    }
}

#[test]
fn a_server_that_asks_from_a_new_address_is_known_by_it_soon() {
    let names = names(300);
    let mut office = Office::new();
    passed_on(&mut office, (-600.0, &names), ("10.0.9.1", "10.0.9.2"));
    let latest = passed_on(&mut office, (-300.0, &names[..70]), ("10.0.9.1", "10.0.9.3"));
    assert_eq!(office.named(latest.unwrap()), [ANNA]);
}

#[test]
fn who_asks_outside_for_what_was_asked_inside_about_then_may_be_the_server() {
    // By a clock that is some milliseconds ahead of the other sensor's, nobody waits for what it asks.
    let names = names(25);
    let mut office = Office::new();
    let mut queries = Vec::new();
    for (n, name) in names.iter().enumerate() {
        let at = n as f64 * 100.0;
        let ask = office.ask(at, ANNA, DC, name);
        office.answer(at + 4.0, ask, &[]);
        let query = office.ask(at + 20.0, "203.0.113.9", ISP, name);
        office.answer(at + 24.0, query, &[]);
        queries.push(query);
    }
    office.resolution.refresh_roles();
    let history = office.resolution.history();
    let transactions = history.transactions();
    let query = transactions.get(queries.pop().unwrap().sequence).unwrap();
    assert!(history.roles().may_be_resolver(&query, transactions));
}

#[test]
fn who_asks_for_all_types_is_not_behind_a_query_of_one() {
    let mut office = Office::new();
    office.ask_type(-3_000.0, BEN, DC, "c2.evil.com", 255);
    office.ask_type(0.0, ANNA, DC, "c2.evil.com", 28);
    let query = office.ask_type(0.2, DC, ISP, "c2.evil.com", 28);
    assert_eq!(office.named(query), [ANNA]);
}

#[test]
fn who_asks_a_known_server_at_a_public_address_is_a_client() {
    // The one server forwards to the other, and both have public addresses.
    let servers @ [first, second] = ["192.0.2.53", "192.0.2.54"];
    let mut office = Office::new();
    for n in 0..5 {
        let at = f64::from(n) * 1_000.0;
        for (server, next) in [(first, ISP), (second, first)] {
            let ask = office.ask(at, CARLA, server, "www.good.com");
            let query = office.ask(at + 0.2, server, next, "www.good.com");
            office.answer(at + 9.0, query, &[]);
            office.answer(at + 9.2, ask, &[]);
        }
    }
    office.resolution.refresh_roles();
    for server in servers {
        let ask = office.ask(9_000.0, ANNA, server, "www.good.com");
        let transactions = office.resolution.transactions();
        let ask = transactions.get(ask.sequence).unwrap();
        assert!(!office.resolution.roles().may_be_resolver(&ask, transactions));
    }
}

#[test]
fn clients_of_a_server_that_forwards_within_the_network_are_clients() {
    // The DC asks the firewall for what its clients ask it, many of them the same within seconds, as when they all start work.
    let firewall = "10.0.9.1";
    let names: Vec<String> = (0..60).map(|n| format!("www.name{n}.com")).collect();
    let clients: Vec<String> = (1..10).map(|n| format!("10.0.5.{n}")).collect();
    let mut office = Office::new();
    for (name, n) in names.iter().zip(0u32..) {
        for (client, nth) in clients.iter().zip(0u32..) {
            let at = f64::from(n) * 50.0 + f64::from(nth);
            let ask = office.ask(at, client, DC, name);
            if nth == 0 {
                let query = office.ask(at + 0.2, DC, firewall, name);
                office.answer(at + 0.6, query, &[]);
            }
            office.answer(at + 0.8, ask, &[]);
        }
    }
    office.resolution.refresh_roles();
    let ask = office.ask(9_000.0, &clients[3], DC, "c2.evil.com");
    let transactions = office.resolution.transactions();
    let ask = transactions.get(ask.sequence).unwrap();
    assert!(!office.resolution.roles().may_be_resolver(&ask, transactions));
}

#[test]
fn a_server_may_answer_at_further_addresses_of_its_network() {
    const OWN: Mac = Mac([2, 0, 0, 0, 0, 53]);
    let is_one = |addresses: [&'static str; 3]| {
        let [asks, asks_too, answers] = addresses;
        let mut office = Office::new();
        let exchange = |office: &mut Office, at_ms: f64, from: &str, to: &str| {
            let mac = |who: &str| if addresses.contains(&who) { OWN } else { Mac::default() };
            let ask = Draft {
                at_ms,
                from,
                to,
                mac: mac(from),
                name: "www.good.com",
                id: 9,
                ..Draft::default()
            };
            office.take(&ask);
            let answer = Draft {
                at_ms: at_ms + 5.0,
                from: to,
                to: from,
                mac: mac(to),
                response: true,
                address: true,
                ..ask
            };
            office.take(&answer);
        };
        for n in 0..4 {
            let at = f64::from(n) * 1_000.0;
            exchange(&mut office, at, ANNA, asks);
            exchange(&mut office, at + 100.0, asks, ISP);
            exchange(&mut office, at + 200.0, asks_too, "2001:db8:ffff::1");
            exchange(&mut office, at + 300.0, "fd00::1", answers);
        }
        office.resolution.refresh_roles();
        let roles = office.resolution.roles();
        let hosts = office.resolution.transactions().hosts();
        let id = |text: &str| hosts.find(text.parse().unwrap()).unwrap();
        [asks_too, answers].map(|other| roles.same(id(asks), id(other)))
    };
    assert_eq!(is_one(["10.0.7.53", "2001:db8::53", "10.0.7.54"]), [true, true]);
    assert_eq!(is_one(["10.0.7.53", "2001:db8::53", "fd00:7::53"]), [true, true]);
    // Behind a router: another network, or somebody on the internet who answers.
    assert_eq!(is_one(["10.0.7.53", "2001:db8::53", "10.0.8.1"]), [false, false]);
    assert_eq!(is_one(["10.0.7.53", "2001:db8::53", "2001:4860:4860::8888"]), [false, false]);
}
