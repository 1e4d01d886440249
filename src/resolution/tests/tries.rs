//! What is asked again and again for want of an answer, as where a firewall drops it.

use super::*;

const NAME: &str = "c2.evil.com";
/// When Unbound tries again, in milliseconds.
const TRIES: [f64; 6] = [0.3, 400.0, 7_000.0, 21_000.0, 45_000.0, 73_000.0];

/// The DC asks again and again. Returns its queries.
fn tried(office: &mut Office, from_ms: f64) -> Vec<Open<'static>> {
    TRIES.map(|at_ms| office.ask(from_ms + at_ms, DC, ISP, NAME)).to_vec()
}

/// An office whose DC is known as a resolver.
fn office() -> Office {
    let mut office = Office::new();
    let ask = office.ask(-59_000.0, CARLA, DC, "warm.example");
    let query = office.ask(-58_999.0, DC, ISP, "warm.example");
    office.answer(-58_990.0, query, &[]);
    office.answer(-58_989.0, ask, &[]);
    office
}

#[test]
fn a_try_that_comes_when_nobody_waits_any_more_is_not_for_nobody() {
    let mut office = office();
    office.ask(0.0, ANNA, DC, NAME);
    let tries = tried(&mut office, 0.0);
    for query in &tries[..4] {
        assert_eq!(office.named(*query), [ANNA]);
    }
    let (named, why) = office.causes(tries[5]);
    assert_eq!(named, []);
    assert!(matches!(why, Some(NoClientReason::TriedBefore(_))), "{why:?}");
}

#[test]
fn a_servers_own_lookup_stays_its_own_however_often_it_is_tried() {
    let mut office = office();
    for query in tried(&mut office, 0.0) {
        assert_eq!(office.causes(query), (vec![], Some(NoClientReason::NobodyWaiting)));
    }
}

#[test]
fn what_began_with_the_capture_is_not_said_to_be_for_nobody_later() {
    let mut office = Office::new();
    let tries = tried(&mut office, -59_900.0);
    // Somebody is served meanwhile.
    let ask = office.ask(-40_000.0, CARLA, DC, "warm.example");
    office.answer(-39_990.0, ask, &[]);
    for query in &tries[..5] {
        let why = office.causes(*query).1;
        assert!(matches!(why, Some(NoClientReason::BeganMidWay(_))), "{why:?}");
    }
}

#[test]
fn whom_a_server_has_told_does_not_make_its_refresh_undecided() {
    let mut office = office();
    let ask = office.ask(0.0, ANNA, DC, NAME);
    office.ask(0.3, DC, ISP, NAME);
    office.answer(12.0, ask, &[]);
    let refresh = office.ask(20_000.0, DC, ISP, NAME);
    assert_eq!(office.causes(refresh), (vec![], Some(NoClientReason::NobodyWaiting)));
}

#[test]
fn what_was_answered_is_looked_up_once_for_all_who_wait() {
    let looked_up = |many: u32| {
        let mut office = office();
        let mut last = None;
        for n in 0..many {
            let at_ms = f64::from(n) * 100.0;
            let client = format!("10.0.1.{}", n % 200 + 1);
            office.ask(at_ms, &client, DC, NAME);
            last = Some(office.ask(at_ms + 0.3, DC, ISP, NAME));
        }
        let _ = office.causes(last.unwrap());
        office.resolution.told.borrow().len()
    };
    assert_eq!(looked_up(40), looked_up(400));
}

#[test]
fn who_passes_on_all_that_it_is_asked_is_no_client() {
    let branch = "10.0.0.77";
    let mut office = office();
    office.ask(0.0, ANNA, branch, NAME);
    let hop = office.ask(0.2, branch, DC, NAME);
    let query = office.ask(0.5, DC, ISP, NAME);
    office.resolution.refresh_roles();
    assert_eq!(office.named(hop), [ANNA]);
    assert_eq!(office.named(query), [ANNA]);
    // One that asks much else is one, though somebody asked it for the same.
    let mut office = self::office();
    for n in 0..4 {
        office.ask(-9_000.0 + f64::from(n), BEN, DC, "www.good.com");
    }
    office.ask(0.0, ANNA, BEN, NAME);
    office.ask(0.2, BEN, DC, NAME);
    let query = office.ask(0.5, DC, ISP, NAME);
    office.resolution.refresh_roles();
    assert_eq!(office.named(query), [BEN]);
}

#[test]
fn who_was_never_told_is_not_surely_behind_what_begins_anew_after_a_long_pause() {
    // BIND tries each 0.8 s for ten, and begins anew when Ben asks, of whose question the first packet is missing.
    let mut office = office();
    let run = |office: &mut Office, from: f64| -> Vec<Open<'static>> {
        (0..10).map(|n| office.ask(from + f64::from(n) * 800.0 + 0.3, DC, ISP, NAME)).collect()
    };
    office.ask(0.0, ANNA, DC, NAME);
    let first = run(&mut office, 0.0);
    let anew = run(&mut office, 24_000.0);
    office.ask(25_000.0, BEN, DC, NAME);
    let again = run(&mut office, 35_000.0);
    let sure = |office: &mut Office, query| innocent::sureness(office, query);
    assert_eq!(sure(&mut office, first[9]), [(ANNA.to_owned(), 995)]);
    assert_eq!(sure(&mut office, anew[0]), [(ANNA.to_owned(), 800)]);
    let both = [(BEN.to_owned(), 995), (ANNA.to_owned(), 800)];
    assert_eq!(sure(&mut office, anew[5]), both);
    // A resolver that backs off doubles its pauses.
    let mut office = self::office();
    office.ask(0.0, ANNA, DC, NAME);
    let tries = [0.3, 400.0, 1_200.0, 2_800.0, 6_000.0, 12_400.0, 25_200.0, 50_000.0];
    let tries = tries.map(|at| office.ask(at, DC, ISP, NAME));
    assert_eq!(sure(&mut office, tries[7]), [(ANNA.to_owned(), 995)]);
    drop(again);
}

#[test]
fn a_refresh_that_is_tried_again_and_again_is_not_for_nobody() {
    // Anna is served what has expired; the firewall drops the answers to what that sets off.
    let mut office = office();
    let ask = office.ask(0.0, ANNA, DC, NAME);
    office.answer(0.1, ask, &[]);
    let tries = tried(&mut office, 0.0);
    // Ben is served as well, which sets nothing off: it tries on.
    let ask = office.ask(6_000.0, BEN, DC, NAME);
    office.answer(6_000.1, ask, &[]);
    assert_eq!(office.named(tries[0]), [ANNA]);
    assert_eq!(office.named(tries[2]), [ANNA], "and not Ben");
    for query in &tries[3..] {
        let (named, why) = office.causes(*query);
        assert_eq!(named, []);
        assert!(matches!(why, Some(NoClientReason::TriedBefore(_))), "{why:?}");
    }
}
