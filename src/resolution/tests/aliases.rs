//! By which aliases names lead to one another: those that responses say, and those that a resolver makes of a DNAME record.

use super::*;

#[test]
fn what_is_out_of_date_is_not_believed() {
    let mut office = Office::new();
    let first = office.ask(-59_000.0, BEN, DC, "www.good.com");
    let aliases = [("www.good.com", "tail.cdn.net")];
    let draft = Draft { at_ms: -58_990.0, aliases: &aliases, ttl: 5, ..Draft::default() };
    office.respond(first, Draft { address: true, ..draft });
    office.ask(0.0, ANNA, DC, "www.good.com");
    let query = office.ask(0.2, DC, ISP, "tail.cdn.net");
    assert_eq!(office.causes(query), (vec![], Some(NoClientReason::OthersWaiting(1))));
}

#[test]
fn what_was_learned_anew_is_not_believed_of_the_time_between() {
    let mut office = Office::new();
    let aliases = [("www.good.com", "tail.cdn.net")];
    let teach = |office: &mut Office, at: f64| {
        let open = office.ask(at, BEN, DC, "www.good.com");
        let draft = Draft { at_ms: at + 5.0, aliases: &aliases, ttl: 5, ..Draft::default() };
        office.respond(open, Draft { address: true, ..draft });
    };
    teach(&mut office, -59_000.0);
    office.ask(0.0, ANNA, DC, "www.good.com");
    let query = office.ask(0.2, DC, ISP, "tail.cdn.net");
    teach(&mut office, 20_000.0);
    let (named, why) = office.causes(query);
    assert_eq!(named, []);
    // Ben's question of a minute before is the last that led there.
    assert!(
        matches!(why, Some(NoClientReason::AskedServed(_, since)) if since > Span::from_secs(58))
    );
}

/// The DC asks for a name and learns what is redirected, for so many seconds.
fn learn_redirection(office: &mut Office, at_ms: f64, from: &str, to: &str, ttl: u32) {
    let (asked, made) = (format!("o1.{from}"), format!("o1.{to}"));
    let open = office.ask(at_ms, DC, ISP, &asked);
    let answer =
        Draft { aliases: &[(&asked, &made)], redirections: &[(from, to)], ttl, ..Draft::default() };
    office.respond(open, Draft { at_ms: at_ms + 0.5, address: true, ..answer });
}

/// An office whose DC has a DNAME record in its cache: `old.org` is `new.evil.cn`.
fn redirecting() -> Office {
    let mut office = Office::new();
    learn_redirection(&mut office, -20_000.0, "old.org", "new.evil.cn", 300);
    office
}

#[test]
fn who_asks_below_a_cached_dname_for_the_first_time_is_behind_its_target() {
    let mut office = redirecting();
    office.ask(0.0, BEN, DC, "www.good.com");
    office.ask(0.0, ANNA, DC, "O5.old.org");
    let query = office.ask(0.2, DC, ISP, "O5.new.evil.cn");
    assert_eq!(office.causes(query).0, [(ANNA.into(), Role::Initiator, Relation::Alias)]);
    let history = office.resolution.history();
    let sent = history.transactions().get(query.sequence).unwrap();
    let causes = history.causes(query.sequence, &sent, Timestamp(0));
    let chain = causes.clients[0].chain.iter();
    let chain: Vec<_> =
        chain.map(|s| (Name::from_wire(&s.name).to_string(), s.kind, s.frame.number())).collect();
    // The frame of the answer that held the record.
    let expected = [
        ("O5.old.org".to_owned(), StepKind::Asked, 12),
        ("O5.new.evil.cn".to_owned(), StepKind::Alias, 10),
    ];
    assert_eq!(chain, expected);
    // What it is known to lead to is known without any answer, too.
    let ask = history.transactions().before(query.sequence).next().unwrap().1;
    let known = history.walk_forward(&[ask.server], ask.name, (ask.asked, ask.asked));
    assert_eq!(known.edges.len(), 1);
    assert_eq!(history.edges().target_name(&known.edges[0]).to_string(), "O5.new.evil.cn");
}

#[test]
fn a_dname_redirects_what_is_below_it_alone_and_while_it_is_known() {
    let nobody = |mut office: Office, asked: &str, at_ms: f64, sent: &str| {
        office.ask(at_ms, ANNA, DC, asked);
        let query = office.ask(at_ms + 0.2, DC, ISP, sent);
        assert_eq!(office.named(query), [] as [&str; 0], "{asked} {sent}");
    };
    nobody(redirecting(), "old.org", 0.0, "new.evil.cn");
    nobody(redirecting(), "o5.told.org", 0.0, "o5.new.evil.cn");
    nobody(redirecting(), "o5.old.org", 0.0, "o6.new.evil.cn");
    nobody(redirecting(), "o5.old.org", 300_000.0, "o5.new.evil.cn");
    // Of another server nothing is known by it.
    let mut office = redirecting();
    office.ask(0.0, ANNA, DC2, "o5.old.org");
    let query = office.ask(0.2, DC2, ISP, "o5.new.evil.cn");
    assert_eq!(office.named(query), [] as [&str; 0]);
    // Nobody redirects all of a top-level domain.
    let mut office = Office::new();
    learn_redirection(&mut office, -20_000.0, "org", "evil.cn", 300);
    nobody(office, "o5.org", 0.0, "o5.evil.cn");
    // Nor does what redirects none of the names that were asked for: anybody could say so of others' names.
    let mut office = Office::new();
    let open = office.ask(-20_000.0, DC, ISP, "www.evil.com");
    let (aliases, redirections) =
        (&[("www.evil.com", "x.victim.org")], &[("victim.org", "evil.cn")]);
    let answer = Draft { at_ms: -19_990.0, aliases, redirections, ..Draft::default() };
    office.respond(open, Draft { aliases: &[("www.evil.com", "cdn.net")], ..answer });
    nobody(office, "o5.victim.org", 0.0, "o5.evil.cn");
}

#[test]
fn a_dname_by_which_the_resolver_does_not_go_is_not_believed_again() {
    let mut office = Office::new();
    // Who serves one name says so of all about it.
    learn_redirection(&mut office, -20_000.0, "co.uk", "evil.cn", 300);
    let open = office.ask(-15_000.0, BEN, DC, "www.bank.co.uk");
    office.answer(-14_999.0, open, &[]);
    learn_redirection(&mut office, -10_000.0, "co.uk", "evil.cn", 300);
    office.ask(0.0, ANNA, DC, "www.shop.co.uk");
    let query = office.ask(0.2, DC, ISP, "www.shop.evil.cn");
    assert_eq!(office.named(query), [] as [&str; 0]);
    // What the answer says to be an alias does not speak against it, nor does a failure.
    let mut office = redirecting();
    for (asked, rcode, aliases) in
        [("o7.old.org", 0, &[("o7.old.org", "o7.new.evil.cn")][..]), ("o8.old.org", 2, &[])]
    {
        let open = office.ask(-15_000.0, BEN, DC, asked);
        let answer =
            Draft { at_ms: -14_999.0, rcode, aliases, address: rcode == 0, ..Draft::default() };
        office.respond(open, answer);
    }
    office.ask(0.0, ANNA, DC, "o5.old.org");
    let query = office.ask(0.2, DC, ISP, "o5.new.evil.cn");
    assert_eq!(office.named(query), [ANNA]);
}

#[test]
fn what_is_learned_again_redirects_again_and_to_where_it_was_told_last() {
    let mut office = redirecting();
    office.ask(0.0, ANNA, DC, "o5.old.org");
    // Its time runs out, and another name teaches it anew.
    learn_redirection(&mut office, 400_000.0, "old.org", "new.evil.cn", 300);
    office.ask(410_000.0, BEN, DC, "o5.old.org");
    let query = office.ask(410_000.2, DC, ISP, "o5.new.evil.cn");
    assert_eq!(office.named(query), [BEN]);
    // It leads elsewhere since.
    learn_redirection(&mut office, 420_000.0, "old.org", "good.net", 300);
    office.ask(500_000.0, CARLA, DC, "o5.old.org");
    let moved = office.ask(500_000.2, DC, ISP, "o5.good.net");
    assert_eq!(office.named(moved), [CARLA]);
    let query = office.ask(500_000.4, DC, ISP, "o5.new.evil.cn");
    assert_eq!(office.named(query), [] as [&str; 0]);
}

#[test]
fn an_alias_that_leads_below_a_dname_goes_on_by_it_whichever_was_learned_first() {
    for is_alias_first in [true, false] {
        let mut office = Office::new();
        if is_alias_first {
            office.learn(-30_000.0, "www.shop.com", "a.old.org");
        }
        learn_redirection(&mut office, -20_000.0, "old.org", "mid.net", 300);
        learn_redirection(&mut office, -15_000.0, "mid.net", "new.evil.cn", 300);
        if !is_alias_first {
            office.learn(-10_000.0, "www.shop.com", "a.old.org");
        }
        office.ask(0.0, ANNA, DC, "www.shop.com");
        office.ask(0.0, BEN, DC, "www.good.com");
        let query = office.ask(0.2, DC, ISP, "a.new.evil.cn");
        let expected = [(ANNA.into(), Role::Initiator, Relation::Alias)];
        assert_eq!(office.causes(query).0, expected, "{is_alias_first}");
    }
}

#[test]
fn thousands_of_dnames_are_not_kept_and_what_is_forgotten_is_counted() {
    let mut office = redirecting();
    for n in 0..3_000 {
        let (from, to) = (format!("d{n}.bad.org"), format!("{}.cn", "x".repeat(60)));
        learn_redirection(&mut office, -10_000.0 + f64::from(n), &from, &to, 300);
    }
    assert!(office.resolution.edges_forgotten() > 0);
    // One that leads below itself ends.
    learn_redirection(&mut office, -5_000.0, "loop.org", "x.loop.org", 300);
    let before = office.resolution.history().edges().len();
    office.ask(0.0, ANNA, DC, "a.loop.org");
    assert!(office.resolution.history().edges().len() <= before + 18);
}
