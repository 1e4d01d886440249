//! What a feed keeps.

use super::*;
use crate::attribution::{ChainStep, Client, Place as Where, Step, made};
use crate::contact::{Connection, Contact};
use crate::flow::{Address, Transport};
use crate::frame::FrameId;
use crate::name::{Name, NameHasher, push_from_text};
use crate::resolution::Role;

fn indicators() -> Indicators {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("list.txt");
    std::fs::write(&path, "evil.example\n").unwrap();
    Indicators::load(&[path], NameHasher::new([1, 2])).unwrap().0
}

/// What is said of a query at a time, of a client with a chain of so many long names.
fn said(indicators: &Indicators, id: &str, time: i64, steps: usize) -> Attribution {
    let (mut wire, mut found) = (Vec::new(), Vec::new());
    push_from_text("evil.example", &mut wire).unwrap();
    indicators.match_name(Name::from_wire(&wire), &mut found);
    let (frame, time) = (FrameId::NONE, Timestamp(time));
    let step = ChainStep { name: "x".repeat(250), step: Step::Alias, frame };
    let client = Client {
        chain: vec![step; steps],
        ..made::client("192.0.2.1", &["evil.example"], FrameId::new(0, time.0 as u64), time)
    };
    Attribution {
        id: id.to_owned(),
        resolution_id: id.to_owned(),
        state: State::Provisional,
        ..made::attribution(found[0], "evil.example", frame, time, vec![client])
    }
}

/// Of all that are kept, the newest first.
fn ids(feed: &Feed) -> Vec<String> {
    feed.lock().sights.values().rev().map(|sight| sight.attribution.id.clone()).collect()
}

#[test]
fn what_says_the_same_is_taken_together_by_client_question_and_what_was_flagged() {
    let (feed, indicators) = (Feed::default(), indicators());
    let mut connected = said(&indicators, "connected", 1, 1);
    connected.clients[0].contact = Contact::Yes(Connection {
        address: Address::v4([203, 0, 113, 67]),
        port: 443,
        transport: Transport::Tcp,
        frame: FrameId::NONE,
        time: Timestamp(2),
        answered: true,
        server_name: None,
    });
    let mut cased = said(&indicators, "cased", 4, 1);
    cased.clients[0].asked = "EVIL.example".to_owned();
    cased.clients[0].confidence_permille = 999;
    let mut other = said(&indicators, "other", 3, 1);
    other.clients[0].address = Address::v4([192, 0, 2, 2]);
    let mut below = said(&indicators, "below", 2, 1);
    below.clients[0].asked = "x.evil.example".to_owned();
    // What the resolver asked a second time for the same question.
    let again = said(&indicators, "again", 1, 1);
    for attribution in [again, connected, cased, other, below] {
        feed.take(attribution, &indicators);
    }
    let (groups, came) = feed.newest();
    let said: Vec<_> = groups
        .iter()
        .map(|group| (group.attribution.id.as_str(), group.times, group.first.0))
        .collect();
    assert_eq!(said, [("connected", 2, 1), ("other", 1, 3), ("below", 1, 2)]);
    assert!(groups[0].is_connected && !groups[1].is_connected);
    assert_eq!((groups[0].way, came), (Some(Way::Direct), 5));
}

#[test]
fn who_waited_for_a_lookup_and_what_more_was_looked_up_for_it_do_not_part_what_says_the_same() {
    let (feed, indicators) = (Feed::default(), indicators());
    let led = |id, time, place: Where, waiting: &[u8]| {
        let mut led = said(&indicators, id, time, 2);
        led.sighting.place = place;
        led.clients[0].asked = "harmless.example".to_owned();
        let waiting = waiting.iter().map(|host| Client {
            address: Address::v4([192, 0, 2, *host]),
            role: Role::Joiner,
            confidence_permille: 900,
            ..led.clients[0].clone()
        });
        let all = led.clients.iter().cloned().chain(waiting).collect();
        Attribution { clients: all, ..led }
    };
    feed.take(led("alias", 1, Where::Alias, &[2]), &indicators);
    feed.take(led("server", 2, Where::Nameserver, &[2, 3]), &indicators);
    feed.take(led("another", 3, Where::Nameserver, &[]), &indicators);
    let (groups, _) = feed.newest();
    assert_eq!(groups.len(), 1);
    let group = &groups[0];
    // What says most of how it was led there stands for all.
    assert_eq!((group.attribution.id.as_str(), group.way), ("alias", Some(Way::Alias)));
    assert_eq!((group.first.0, group.last.0), (1, 3));
    let others: Vec<String> = group.others.keys().map(Address::to_string).collect();
    assert_eq!(others, ["192.0.2.2", "192.0.2.3"]);
}

#[test]
fn the_last_word_replaces_the_first_and_what_is_superseded_goes() {
    let (feed, indicators) = (Feed::default(), indicators());
    for (id, time) in [("a", 1), ("c", 3), ("b", 2)] {
        feed.take(said(&indicators, id, time, 1), &indicators);
    }
    assert_eq!(ids(&feed), ["c", "b", "a"]);
    let mut last = said(&indicators, "b", 2, 1);
    last.state = State::Final;
    feed.take(last, &indicators);
    let mut gone = said(&indicators, "c", 3, 1);
    gone.state = State::Superseded;
    feed.take(gone, &indicators);
    let (newest, came) = feed.newest();
    assert_eq!((ids(&feed), came), (vec!["b".to_owned(), "a".to_owned()], 3));
    assert_eq!((newest[0].attribution.state, newest[0].times), (State::Final, 2));
    assert_eq!((newest[0].indicator.as_str(), newest[0].line), ("evil.example", 1));
}

#[test]
fn the_oldest_go_when_there_are_many_or_they_are_long() {
    let (feed, indicators) = (Feed::default(), indicators());
    for number in 0..SIGHTS_MAX as i64 + 10 {
        feed.take(said(&indicators, &format!("n{number}"), number, 1), &indicators);
    }
    // One whose time has passed comes and goes.
    feed.take(said(&indicators, "late", 3, 1), &indicators);
    let kept = ids(&feed);
    assert_eq!((kept.len(), kept.last().unwrap().as_str()), (SIGHTS_MAX, "n10"));
    for number in 2_000..2_200 {
        feed.take(said(&indicators, &format!("n{number}"), number, 1_000), &indicators);
    }
    let kept = feed.lock();
    assert!(kept.octets <= OCTETS_MAX && kept.octets > OCTETS_MAX / 2, "{}", kept.octets);
    assert_eq!(kept.sights.len(), kept.places.len());
    let weights: usize = kept.sights.values().map(|sight| sight.weight()).sum();
    assert_eq!(kept.octets, weights);
}

#[test]
fn one_client_that_asks_for_thousands_of_names_hides_nobody() {
    let (feed, indicators) = (Feed::default(), indicators());
    let quiet = |id: &str, host: u8| {
        let mut quiet = said(&indicators, id, i64::from(host), 1);
        quiet.clients[0].address = Address::v4([192, 0, 2, host]);
        quiet
    };
    for (id, host) in [("first", 7), ("second", 8)] {
        feed.take(quiet(id, host), &indicators);
    }
    for number in 100..3_000 {
        let mut noisy = said(&indicators, &format!("n{number}"), number, 1);
        noisy.clients[0].asked = format!("{number}.evil.example");
        feed.take(noisy, &indicators);
    }
    let kept = ids(&feed);
    assert_eq!((kept.len(), feed.fell_out()), (SIGHTS_MAX, 2_902 - SIGHTS_MAX as u64));
    assert_eq!(kept[SIGHTS_MAX - 2..], ["second", "first"]);
    assert_eq!(kept[SIGHTS_MAX - 3], format!("n{}", 3_000 - (SIGHTS_MAX - 2)));
    assert_eq!(feed.lock().pairs.values().map(BTreeSet::len).sum::<usize>(), SIGHTS_MAX);
}
