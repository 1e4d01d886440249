//! Who is not behind a query, though much looks like it: what was made up, what is long over, what led elsewhere.

use super::*;
use crate::resolution::ForOthers;

const EVE: &str = "198.51.100.66";

/// What asks for the flagged name in these: somebody whose question is not in the capture.
fn hidden(office: &mut Office, at_ms: f64) -> Open<'static> {
    office.ask(at_ms, DC, ISP, "c2.evil.com")
}

#[test]
fn a_response_that_nobody_asked_for_teaches_nothing() {
    let mut office = Office::new();
    let aliases = [("www.good.com", "c2.evil.com")];
    let made_up = Draft { at_ms: -5000.0, from: ISP, to: DC, port: 999, id: 7, ..Draft::default() };
    office.take(&Draft { name: "www.good.com", response: true, aliases: &aliases, ..made_up });
    office.ask(0.0, ANNA, DC, "www.good.com");
    let query = hidden(&mut office, 0.2);
    assert_eq!(office.named(query), [] as [&str; 0]);
}

#[test]
fn what_an_answer_says_of_other_names_is_not_believed() {
    let mut office = Office::new();
    let open = office.ask(-5000.0, DC, EVE, "evil.com");
    let (aliases, delegations) = ([("www.good.com", "c2.evil.com")], [("good.com", "c2.evil.com")]);
    let draft =
        Draft { at_ms: -4990.0, aliases: &aliases, delegations: &delegations, ..Draft::default() };
    office.respond(open, draft);
    office.ask(0.0, ANNA, DC, "www.good.com");
    let query = hidden(&mut office, 0.2);
    assert_eq!(office.named(query), [] as [&str; 0]);
}

#[test]
fn the_aliases_of_an_answer_are_believed_in_whatever_order_they_stand() {
    let mut office = Office::new();
    let open = office.ask(-5000.0, DC, ISP, "www.good.com");
    let aliases =
        [("b.cdn.net", "c2.evil.com"), ("www.good.com", "a.cdn.net"), ("a.cdn.net", "b.cdn.net")];
    office.answer(-4990.0, open, &aliases);
    office.ask(0.0, ANNA, DC, "www.good.com");
    let query = hidden(&mut office, 0.2);
    assert_eq!(office.named(query), [ANNA]);
}

#[test]
fn an_alias_that_was_replaced_leads_nowhere() {
    let mut office = Office::new();
    office.learn(-9000.0, "www.good.com", "c2.evil.com");
    office.learn(-5000.0, "www.good.com", "good.cdn.net");
    office.ask(0.0, ANNA, DC, "www.good.com");
    let query = hidden(&mut office, 0.2);
    assert_eq!(office.named(query), [] as [&str; 0]);
    // Unless it was told once more while she waited.
    let mut office = Office::new();
    office.learn(-9000.0, "www.good.com", "good.cdn.net");
    office.ask(0.0, ANNA, DC, "www.good.com");
    office.learn(0.2, "www.good.com", "c2.evil.com");
    let query = hidden(&mut office, 1.0);
    assert_eq!(office.named(query), [ANNA]);
}

#[test]
fn who_may_have_been_led_elsewhere_is_less_sure() {
    let sure = |learned: &[&str]| {
        let mut office = Office::new();
        for (n, target) in learned.iter().enumerate() {
            office.learn(-9000.0 + n as f64 * 100.0, "www.good.com", target);
        }
        office.ask(0.0, ANNA, DC, "www.good.com");
        let query = hidden(&mut office, 0.2);
        sureness(&mut office, query).into_iter().map(|(_, sure)| sure).collect::<Vec<_>>()
    };
    assert_eq!(sure(&["c2.evil.com"]), [970]);
    assert_eq!(sure(&["good.cdn.net", "c2.evil.com"]), [800]);
}

#[test]
fn an_alias_holds_for_whom_the_resolver_was_told_it_however_soon_its_time_runs_out() {
    let mut office = Office::new();
    office.ask(0.0, ANNA, DC, "www.good.com");
    let open = office.ask(0.2, DC, ISP, "www.good.com");
    let aliases = [("www.good.com", "c2.evil.com")];
    office.respond(open, Draft { at_ms: 20.0, aliases: &aliases, ttl: 1, ..Draft::default() });
    let again = hidden(&mut office, 8_000.0);
    assert_eq!(office.named(again), [ANNA]);
}

#[test]
fn what_comes_a_minute_after_is_no_retry() {
    let mut office = Office::new();
    let ask = office.ask(0.0, ANNA, DC, "c2.evil.com");
    hidden(&mut office, 0.2);
    office.respond(ask, Draft { at_ms: 5000.0, rcode: 2, ..Draft::default() });
    let query = hidden(&mut office, 69_000.0);
    assert_eq!(office.named(query), [] as [&str; 0]);
}

#[test]
fn whoever_was_answered_for_the_same_question_since_was_not_the_only_one() {
    let mut office = Office::new();
    office.ask(0.0, ANNA, DC, "c2.evil.com");
    let ben = office.ask(100.0, BEN, DC, "c2.evil.com");
    office.answer(200.0, ben, &[]);
    // What keeps Anna from being taken for served by the cache.
    office.ask(0.2, DC, ISP, "other.evil.com");
    office.ask(8_000.0, CARLA, DC, "c2.evil.com");
    let query = hidden(&mut office, 8_000.2);
    assert_eq!(office.named(query), [CARLA]);
}

#[test]
fn who_asks_once_more_was_not_answered_out_of_sight() {
    let mut office = Office::new();
    let ask =
        Draft { from: ANNA, to: DC, name: "c2.evil.com", id: 700, port: 700, ..Draft::default() };
    office.take(&ask);
    let open = hidden(&mut office, 0.2);
    office.answer(10.0, open, &[]);
    office.take(&Draft { at_ms: 5_000.0, ..ask });
    let query = hidden(&mut office, 5_000.2);
    assert_eq!(office.named(query), [ANNA]);
}

#[test]
fn a_forwarding_server_that_asks_for_each_apart_is_known_by_any_of_its_servers() {
    let mut office = Office::new();
    office.ask(0.0, BEN, DC, "c2.evil.com");
    let first = office.ask(4.0, DC, ISP, "c2.evil.com");
    office.ask(10.0, ANNA, DC, "c2.evil.com");
    let second = office.ask(14.0, DC, "203.0.113.54", "c2.evil.com");
    assert_eq!(office.named(first), [BEN]);
    assert_eq!(office.named(second), [ANNA]);
}

#[test]
fn a_zone_is_not_asked_for_on_behalf_of_whom_the_resolver_is_further_for() {
    let mut office = Office::iterating();
    office.ask(0.0, BEN, DC, "www.evil.com");
    office.ask(0.2, DC, ISP, "www.evil.com");
    office.ask(40.0, ANNA, DC, "x.evil.com");
    let query = office.ask_type(40.2, DC, ISP, "evil.com", 2);
    assert_eq!(office.named(query), [ANNA]);
}

#[test]
fn what_stands_above_many_names_tells_of_none_of_them() {
    let mut office = Office::iterating();
    let names: Vec<String> = (0..5).map(|n| format!("{n}.co.uk")).collect();
    for (name, client) in
        names.iter().zip(["10.0.1.1", "10.0.1.2", "10.0.1.3", "10.0.1.4", "10.0.1.5"])
    {
        office.ask(0.0, client, DC, name);
    }
    let query = office.ask_type(0.5, DC, ISP, "co.uk", 2);
    assert_eq!(office.causes(query), (vec![], Some(NoClientReason::TooMany(5))));
}

#[test]
fn who_has_just_asked_for_another_type_comes_before_who_was_served() {
    let mut office = Office::new();
    office.learn(-5000.0, "www.good.com", "c2.evil.com");
    let served = office.ask(-50.0, BEN, DC, "www.good.com");
    office.answer(-49.9, served, &[("www.good.com", "c2.evil.com")]);
    office.ask_type(0.0, ANNA, DC, "c2.evil.com", 16);
    let query = hidden(&mut office, 0.2);
    assert_eq!(office.named(query), [ANNA]);
}

#[test]
fn an_address_that_only_answers_and_one_that_only_asks_are_one_server() {
    // Of a private network, and of sites with public addresses: one of a company, and one where a server asks from another
    // address of its own than it is asked at (RFC 8981).
    for (client, service, node, upstream) in [
        (ANNA, "10.0.9.1", "10.0.9.2", ISP),
        ("198.51.100.20", "198.51.100.53", "198.51.100.9", ISP),
        ("2001:db8:1::20", "2001:db8:1::53", "2001:db8:1::a:b:c:d", "2001:db8:9::1"),
    ] {
        let mut office = Office::new();
        let mut latest = None;
        for n in 0..20 {
            let at = f64::from(n) * 1000.0;
            let names = ["one.com", "two.com", "three.com", "four.com", "five.com"];
            let name: &'static str = names[n as usize % names.len()];
            let ask = office.ask(at, client, service, name);
            let query = office.ask(at + 0.2, node, upstream, name);
            office.answer(at + 10.0, query, &[]);
            office.answer(at + 10.2, ask, &[]);
            latest = Some(query);
        }
        office.resolution.refresh_roles();
        assert_eq!(office.named(latest.unwrap()), [client], "{service}");
    }
}

#[test]
fn who_answered_once_and_asks_much_may_ask_for_itself() {
    // Somebody scans Anna, or a program of hers asks another machine's: she is no server for that.
    let mut office = Office::new();
    let scan = office.ask(-30_000.0, BEN, ANNA, "www.example.com");
    office.answer(-29_999.0, scan, &[]);
    let mut last = None;
    let names = ["z0.evil.com", "z1.evil.com", "z2.evil.com", "z3.evil.com", "z4.evil.com"];
    for (n, name) in names.into_iter().enumerate() {
        let at = n as f64 * 2_000.0;
        let open = office.ask(at, ANNA, DC, name);
        office.answer(at + 10.0, open, &[]);
        last = Some(open);
    }
    office.resolution.refresh_roles();
    let (clients, why) = office.causes(last.unwrap());
    assert!(clients.is_empty(), "{clients:?}");
    assert!(matches!(why, Some(NoClientReason::ClientsUnseen { domains: 1, .. })), "{why:?}");
}

#[test]
fn what_a_few_unseen_clients_ask_is_no_look_up_of_the_server() {
    // One question in forty is of somebody out of sight, about a domain that nobody else asks about.
    for (unseen_domains, is_own) in [(5, true), (9, false)] {
        let mut office = Office::new();
        let names: Vec<String> = (0..360).map(|n| format!("www.site{n}.com")).collect();
        for (n, name) in names.iter().enumerate() {
            let at = n as f64 * 1_000.0 - 400_000.0;
            let is_unseen = n % 40 == 0 && n / 40 < unseen_domains;
            let ask = (!is_unseen).then(|| office.ask(at, ANNA, DC, name));
            let query = office.ask(at + 0.2, DC, ISP, name);
            office.answer(at + 10.0, query, &[]);
            if let Some(ask) = ask {
                office.answer(at + 10.2, ask, &[]);
            }
        }
        office.resolution.refresh_roles();
        let query = office.ask(0.0, DC, ISP, "c2.evil.com");
        let (clients, why) = office.causes(query);
        assert!(clients.is_empty(), "{clients:?}");
        let is_unseen = matches!(why, Some(NoClientReason::ClientsUnseen { domains: 9, .. }));
        assert!(
            if is_own { why == Some(NoClientReason::NobodyWaiting) } else { is_unseen },
            "{why:?}"
        );
    }
}

#[test]
fn a_client_that_asks_without_wanting_recursion_stays_one() {
    let mut office = Office::new();
    for n in 0..40u16 {
        let ask = Draft {
            at_ms: -9000.0 + f64::from(n),
            from: ANNA,
            to: DC,
            id: 800 + n,
            ..Draft::default()
        };
        office.take(&Draft { recursion: false, name: "c2.evil.com", port: 800 + n, ..ask });
    }
    office.resolution.refresh_roles();
    office.ask(0.0, ANNA, DC, "x.evil.com");
    let query = office.ask(0.2, DC, ISP, "x.evil.com");
    assert_eq!(office.named(query), [ANNA]);
}

#[test]
fn an_answer_of_which_the_capture_holds_a_part_clears_nobody() {
    let mut office = Office::new();
    office.learn(-5000.0, "www.good.com", "c2.evil.com");
    let ask = office.ask(0.0, ANNA, DC, "www.good.com");
    let query = hidden(&mut office, 0.2);
    let aliases = [("www.good.com", "elsewhere.net")];
    let cut = Draft { at_ms: 4.0, aliases: &aliases, address: true, cut: 40, ..Draft::default() };
    office.respond(ask, cut);
    assert_eq!(office.named(query), [ANNA]);
}

#[test]
fn who_got_an_answer_without_the_aliases_was_led_by_what_the_resolver_was_told() {
    let causes = |is_told_then: bool| {
        let mut office = Office::new();
        if !is_told_then {
            office.learn(-5000.0, "www.good.com", "c2.evil.com");
        }
        let ask = office.ask(0.0, ANNA, DC, "www.good.com");
        if is_told_then {
            office.learn(0.2, "www.good.com", "c2.evil.com");
        }
        let query = hidden(&mut office, 0.8);
        office.answer(4.0, query, &[]);
        office.answer(4.1, ask, &[]);
        office.named(query)
    };
    assert_eq!(causes(true), [ANNA]);
    // What it had been told before may have been replaced since, out of sight.
    assert_eq!(causes(false), [] as [&str; 0]);
}

#[test]
fn a_client_that_somebody_scans_is_none_of_the_resolvers() {
    let is_resolver = |scan: Draft<'static>, rcode| {
        let mut office = Office::new();
        for n in 0..4 {
            let (port, id) = (2000 + n, n);
            let scan = Draft { from: "10.0.0.99", to: ANNA, port, id, ..scan };
            office.take(&scan);
            let (from, to) = (scan.to, scan.from);
            office.take(&Draft { from, to, response: true, rcode, ..scan });
        }
        office.ask(0.0, ANNA, DC, "www.good.com");
        office.resolution.refresh_roles();
        let hosts = office.resolution.transactions().hosts();
        let anna = hosts.find(ANNA.parse::<std::net::IpAddr>().unwrap().into()).unwrap();
        office.resolution.roles().group_of(anna).is_some()
    };
    let scan = Draft { at_ms: -1000.0, name: "scan.example", ..Draft::default() };
    let version = Draft { name: "version.bind", rtype: 16, class: 3, ..scan };
    assert!(is_resolver(scan.clone(), 0) && is_resolver(scan.clone(), 3));
    assert!(!is_resolver(version.clone(), 0) && !is_resolver(version, 5));
    assert!(!is_resolver(scan, 5));
}

/// What a site knows of somebody, where four others ask now and then: whether it is a resolver, and whether it may ask
/// for others.
fn known(of_it: impl Fn(usize) -> Draft<'static>, asks: usize) -> (bool, Option<ForOthers>) {
    const IT: &str = "10.0.0.60";
    let mut office = Office::new();
    for nth in 0..asks {
        let from = ["10.0.0.61", "10.0.0.62", "10.0.0.63", "10.0.0.64"][nth % 4];
        let (at_ms, id) = (-40_000.0 + nth as f64, nth as u16);
        office.take(&Draft { at_ms, from: IT, to: DC, id, ..of_it(nth) });
        if nth % 8 < 4 {
            office.take(&Draft { at_ms, from, to: DC, id, ..Draft::default() });
        }
    }
    office.resolution.refresh_roles();
    let (roles, hosts) = (office.resolution.roles(), office.resolution.transactions().hosts());
    let it = hosts.find(IT.parse::<std::net::IpAddr>().unwrap().into()).unwrap();
    (roles.group_of(it).is_some(), roles.may_ask_for_others(it))
}

#[test]
fn who_checks_answers_may_ask_for_somebody() {
    let checks = |nth: usize| Draft { rtype: [1, 48][nth % 2], edns: true, ..Draft::default() };
    assert_eq!(known(checks, 40), (false, Some(ForOthers::ChecksAnswers)));
    // Not because of two tries.
    let tries = |nth: usize| Draft { rtype: if nth < 2 { 48 } else { 1 }, ..checks(1) };
    assert_eq!(known(tries, 60), (false, Some(ForOthers::AsksAsServers)));
}

#[test]
fn who_asks_otherwise_than_the_others_may_ask_for_somebody() {
    let plain = |_| Draft::default();
    assert_eq!(known(plain, 40), (false, None));
    assert_eq!(known(plain, 60), (false, None), "eight times as much as the others");
    let edns = |_| Draft { edns: true, ..Draft::default() };
    assert_eq!(known(edns, 40), (false, None), "too little to tell");
    assert_eq!(known(edns, 60), (false, Some(ForOthers::AsksAsServers)));
    let mut office = Office::new();
    for id in 0..201 {
        office.take(&Draft { at_ms: -40_000.0, from: ANNA, to: DC, id, ..Draft::default() });
    }
    office.resolution.refresh_roles();
    let (roles, hosts) = (office.resolution.roles(), office.resolution.transactions().hosts());
    let anna = hosts.find(ANNA.parse::<std::net::IpAddr>().unwrap().into()).unwrap();
    assert_eq!(roles.may_ask_for_others(anna), Some(ForOthers::AsksNearlyAll));
}

#[test]
fn who_asks_far_more_about_few_domains_asks_for_itself() {
    const IT: &str = "10.0.0.60";
    // A bot that asks its server for orders every second, and a proxy of a whole office; both also ask as the others do.
    for (domains, expected) in [(1, None), (3, None), (200, Some(ForOthers::AsksFarMore))] {
        let mut office = Office::new();
        let mut ask = |second: usize, from: &str, name: &str| {
            office.ask(second as f64 * 1_000.0, from, DC, name);
        };
        for second in 0..1_000 {
            ask(second, IT, &format!("x{second}.site{}.com", second % domains));
            if second % 50 == 0 {
                for from in [IT, "10.0.0.61", "10.0.0.62", "10.0.0.63", "10.0.0.64", "10.0.0.65"] {
                    ask(second, from, &format!("www.shop{}.com", second / 50));
                }
            }
        }
        office.resolution.refresh_roles();
        let (roles, hosts) = (office.resolution.roles(), office.resolution.transactions().hosts());
        let it = hosts.find(IT.parse::<std::net::IpAddr>().unwrap().into()).unwrap();
        assert_eq!(roles.may_ask_for_others(it), expected, "{domains} domains");
    }
}

#[test]
fn who_was_led_there_at_the_moment_is_named_beside_who_asked_for_it_long_before() {
    let mut office = Office::new();
    office.ask(0.0, ANNA, DC, "c2.evil.com");
    office.ask(0.3, DC, ISP, "c2.evil.com");
    office.ask(7_000.0, BEN, DC, "www.good.com");
    let head = office.ask(7_000.2, DC, ISP, "www.good.com");
    office.answer(7_050.0, head, &[("www.good.com", "c2.evil.com")]);
    let tail = office.ask(7_050.1, DC, ISP, "c2.evil.com");
    let named = sureness(&mut office, tail);
    assert!(named.iter().any(|(who, _)| who == BEN), "{named:?}");
    assert!(named.iter().all(|(_, sure)| *sure <= 800), "{named:?}");
}

#[test]
fn a_client_that_asks_a_public_server_as_well_is_no_server() {
    // The DC forwards to the same public server. Ben asks only that, as a second server of the site does.
    let mut office = Office::new();
    for n in 0..8 {
        let at = -30_000.0 + f64::from(n) * 1_000.0;
        let name = format!("n{n}.example");
        office.ask(at, ANNA, DC, &name);
        office.ask(at + 0.2, DC, ISP, &name);
        office.ask(at + 500.0, BEN, ISP, &name);
    }
    let asks = [ANNA, BEN].map(|client| office.ask(0.0, client, ISP, "c2.evil.com").sequence);
    office.resolution.refresh_roles();
    let transactions = office.resolution.transactions();
    let may_be = asks.map(|ask| {
        let ask = transactions.get(ask).unwrap();
        office.resolution.roles().may_be_resolver(&ask, transactions)
    });
    assert_eq!(may_be, [false, true]);
}

/// How sure it is of whoever is named for a query.
pub(super) fn sureness(office: &mut Office, query: Open<'_>) -> Vec<(String, u16)> {
    let history = office.resolution.history();
    let transactions = history.transactions();
    let sent = transactions.get(query.sequence).unwrap();
    let causes = history.causes(query.sequence, &sent, Timestamp(-60_000_000_000));
    let named = causes.clients.iter().map(|cause| {
        let ask = transactions.get(cause.ask).unwrap();
        let client = transactions.hosts().get(ask.client).unwrap().address;
        (client.to_string(), cause.confidence_permille)
    });
    named.collect()
}

#[test]
fn of_several_who_were_served_lately_none_is_behind_a_refresh() {
    // Who was served last, and how long before the query Ben was.
    for (anna_ms, ben_ms, named) in [
        (-0.5, -2_000.0, vec![(ANNA.to_owned(), 960)]),
        (-0.5, -300.0, vec![(ANNA.to_owned(), 900)]),
        (-0.5, -2.0, vec![]),
        (-60.0, -300.0, vec![]),
        (-60.0, -2_000.0, vec![(ANNA.to_owned(), 960)]),
    ] {
        let mut office = Office::new();
        office.learn(-9_000.0, "c2.evil.com", "a.cdn.net");
        for (client, at) in [(BEN, ben_ms), (ANNA, anna_ms)] {
            let ask = office.ask(at - 0.2, client, DC, "c2.evil.com");
            office.answer(at, ask, &[]);
        }
        let query = hidden(&mut office, 0.0);
        assert_eq!(sureness(&mut office, query), named, "{anna_ms} {ben_ms}");
    }
}

#[test]
fn whom_the_resolver_was_not_told_the_alias_yet_asks_for_no_tail() {
    let mut office = Office::new();
    let ben = office.ask(-40.0, BEN, DC, "www.brand.com");
    let query = hidden(&mut office, 0.0);
    office.answer(20.0, query, &[]);
    let own = office.ask(30.0, DC, ISP, "www.brand.com");
    office.answer(50.0, own, &[("www.brand.com", "c2.evil.com")]);
    office.answer(50.3, ben, &[("www.brand.com", "c2.evil.com")]);
    assert_eq!(office.named(query), [] as [&str; 0]);
}

#[test]
fn whose_tail_has_come_since_waits_no_more_though_its_answer_is_missing() {
    let asked_for = |tail_came: bool| {
        let mut office = Office::new();
        office.learn(-9_000.0, "www.good.com", "c2.evil.com");
        office.ask(0.0, BEN, DC, "www.good.com");
        let first = hidden(&mut office, 0.2);
        if tail_came {
            office.answer(20.0, first, &[]);
        }
        let again = hidden(&mut office, 5_000.0);
        office.named(again)
    };
    assert_eq!(asked_for(false), [BEN]);
    assert_eq!(asked_for(true), [] as [&str; 0]);
}

#[test]
fn who_was_answered_before_it_came_did_not_wait_for_it() {
    let mut office = Office::new();
    let anna = office.ask(0.0, ANNA, DC, "c2.evil.com");
    let query = hidden(&mut office, 0.2);
    let ben = office.ask(10.0, BEN, DC, "c2.evil.com");
    office.answer(11.5, ben, &[]);
    let carla = office.ask(11.0, CARLA, DC, "c2.evil.com");
    office.answer(40.0, query, &[]);
    office.answer(40.2, anna, &[]);
    office.answer(40.3, carla, &[]);
    assert_eq!(office.named(query), [ANNA, CARLA]);
}

#[test]
fn an_answer_long_after_the_query_was_answered_is_hardly_for_it() {
    for (answered_ms, sure) in [(21.0, 900), (280.0, 800)] {
        let mut office = Office::new();
        let query = hidden(&mut office, 0.0);
        office.answer(20.0, query, &[]);
        // His question is not in the capture.
        let name = "c2.evil.com";
        let told =
            Draft { at_ms: answered_ms, from: DC, to: BEN, port: 7, id: 7, ..Draft::default() };
        office.take(&Draft { name, response: true, address: true, ..told });
        assert_eq!(sureness(&mut office, query), [(BEN.to_owned(), sure)]);
    }
}

#[test]
fn who_waits_for_it_at_an_unknown_address_may_be_behind_it() {
    let mut office = Office::new();
    let anna = office.ask(0.0, ANNA, "10.1.0.53", "c2.evil.com");
    let query = hidden(&mut office, 0.2);
    office.answer(20.0, query, &[]);
    office.answer(20.3, anna, &[]);
    let (named, why) = office.causes(query);
    assert!(named.is_empty() && matches!(why, Some(NoClientReason::AskedAt { .. })), "{why:?}");
}

#[test]
fn an_address_whose_clients_wait_for_what_a_resolver_asks_is_one_of_its_own() {
    let mut office = Office::new();
    for n in 0..30 {
        let (at, name) = (f64::from(n) * 100.0, format!("n{n}.example"));
        let anna = office.ask(at, ANNA, "10.1.0.53", &name);
        let query = office.ask(at + 0.2, DC, ISP, &name);
        office.answer(at + 20.0, query, &[]);
        office.answer(at + 20.3, anna, &[]);
    }
    office.resolution.refresh_roles();
    let anna = office.ask(5_000.0, ANNA, "10.1.0.53", "c2.evil.com");
    let query = hidden(&mut office, 5_000.2);
    office.answer(5_020.0, query, &[]);
    office.answer(5_020.3, anna, &[]);
    assert_eq!(office.named(query), [ANNA]);
}

#[test]
fn what_a_resolver_forwards_to_is_no_address_of_its_own() {
    const UPLINK: &str = "10.1.0.1";
    let mut office = Office::new();
    for n in 0..40 {
        let (at, name) = (f64::from(n) * 100.0, format!("n{n}.example"));
        // Both servers forward it, each for a client; what the first one's asked is mostly missing.
        let anna = (n % 4 == 0).then(|| office.ask(at, ANNA, DC, &name));
        let ben = office.ask(at, BEN, DC2, &name);
        let second = office.ask(at + 0.2, DC2, UPLINK, &name);
        let first = office.ask(at + 0.3, DC, UPLINK, &name);
        office.answer(at + 20.0, first, &[]);
        office.answer(at + 20.1, second, &[]);
        anna.into_iter().for_each(|anna| office.answer(at + 20.3, anna, &[]));
        office.answer(at + 20.4, ben, &[]);
    }
    office.resolution.refresh_roles();
    let hosts = office.resolution.transactions().hosts();
    let find = |address: &str| {
        let address: std::net::IpAddr = address.parse().unwrap();
        hosts.find(address.into()).unwrap()
    };
    assert!(!office.resolution.roles().same(find(DC), find(UPLINK)));
}

#[test]
fn clients_of_one_server_that_wait_for_the_same_are_no_addresses_of_it() {
    let mut office = Office::new();
    let names = ["a.one.com", "a.two.com", "a.three.com", "a.four.com", "a.five.com", "a.six.com"];
    for (n, name) in names.into_iter().enumerate() {
        // Each is slow, and all wait for it at a server that only answers.
        let at = n as f64 * 10_000.0;
        for (place, client) in [ANNA, BEN, CARLA].into_iter().enumerate() {
            let ask = office.ask(at + place as f64, client, "10.0.9.1", name);
            office.answer(at + 5_000.0 + place as f64, ask, &[]);
        }
    }
    office.resolution.refresh_roles();
    let history = office.resolution.history();
    let hosts = history.transactions().hosts();
    let is_one = |client: &&str| {
        let address = crate::flow::Address::from(client.parse::<std::net::IpAddr>().unwrap());
        hosts.find(address).is_some_and(|host| history.roles().group_of(host).is_some())
    };
    assert_eq!([ANNA, BEN, CARLA].iter().filter(|client| is_one(client)).count(), 0);
}

#[test]
fn of_more_than_can_be_named_those_are_who_asked_first() {
    let mut office = Office::new();
    let clients: Vec<String> = (0..100).map(|n| format!("10.0.7.{n}")).collect();
    let mut query = None;
    for (client, n) in clients.iter().zip(0u32..) {
        office.ask(f64::from(n) * 0.5, client, DC, "c2.evil.com");
        if n == 0 {
            query = Some(office.ask(0.3, DC, ISP, "c2.evil.com"));
        }
    }
    office.answer(2_000.0, query.unwrap(), &[]);
    let named = office.named(query.unwrap());
    assert_eq!(named.len(), 64);
    assert_eq!(named, clients[..64]);
}
