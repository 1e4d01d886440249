//! Who owns a listed name, or asks for many below one, hides nobody else.

use super::*;
use crate::attribution::made;
use crate::frame::FrameId;
use crate::indicator::Indicators;
use crate::name::NameHasher;
use crate::time::Span;

/// What is flagged: three names.
fn flagged() -> [IndicatorId; 3] {
    let words = ["tunnel.example", "c2.example", "bad.example"];
    let words = words.iter().map(|word| ("alerts.txt", 1, *word));
    let (_, held) = Indicators::from_entries(words, NameHasher::new([1, 2]));
    let held: Vec<IndicatorId> = held.into_iter().map(Result::unwrap).collect();
    held.try_into().unwrap()
}

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

/// That a client's question for a name, the `number`th, made the DNS server ask for what is flagged.
fn lookup(number: u64, flagged: IndicatorId, client: &str, asked: &str) -> Attribution {
    let (time, frame) =
        (Timestamp(0) + Span::from_secs(number as i64), FrameId::new(0, number + 1));
    let client = made::client(client, &[asked], frame, time);
    made::attribution(flagged, asked, frame, time, vec![client])
}

#[test]
fn a_tunnel_hides_neither_what_others_asked_for_nor_who_else_used_it() {
    let [tunnel, c2, bad] = flagged();
    let mut store = SightingStore::default();
    let many = (SIGHTINGS_MAX + PATHS_MAX) as u64;
    for number in 0..many {
        let asked = format!("x{number}.tunnel.example");
        store.take(&lookup(number, tunnel, "10.0.0.1", &asked), Some("tunnel.example"), true);
    }
    // Another destination, at the time of its alert and at another; another client of the first one.
    store.take(&lookup(many, c2, "10.0.0.2", "c2.example"), Some("c2.example"), true);
    store.take(&lookup(many + 1, bad, "10.0.0.3", "bad.example"), Some("bad.example"), false);
    let late = lookup(many + 2, tunnel, "10.0.0.4", "y.tunnel.example");
    store.take(&late, Some("tunnel.example"), false);
    for (flagged, clients) in
        [(tunnel, ["10.0.0.1", "10.0.0.4"]), (c2, ["10.0.0.2"; 2]), (bad, ["10.0.0.3"; 2])]
    {
        let seen = store.of(flagged).unwrap();
        let named = seen.clients(seen.sightings.iter());
        assert_eq!(named, clients.map(address).into());
    }
    let tunnel = store.of(tunnel).unwrap();
    assert_eq!(tunnel.left_out + tunnel.sightings.len() as u64, many + 1);
    assert!(tunnel.lacks_near && tunnel.sightings.len() <= NEAR_OF_ONE_MAX + 1);
    assert!(tunnel.paths.len() <= PATHS_OF_ONE_MAX + 2, "{}", tunnel.paths.len());
    assert!(!store.of(c2).unwrap().lacks_near);
}

#[test]
fn what_a_client_asked_when_there_was_no_room_for_the_name_is_still_its() {
    let [tunnel, ..] = flagged();
    let mut store = SightingStore::default();
    for number in 0..PATHS_OF_ONE_MAX as u64 + 10 {
        let asked = format!("x{number}.tunnel.example");
        store.take(&lookup(number, tunnel, "10.0.0.1", &asked), Some("tunnel.example"), true);
    }
    let seen = store.of(tunnel).unwrap();
    let last: Vec<&SightingRecord> = seen.sightings.iter().rev().take(2).collect();
    let found = outcome(seen, &last, &Scope::All);
    assert_eq!((found.clients.len(), found.clients[0].asks), (1, 2));
    assert_eq!(found.clients[0].asked, [format!("x{PATHS_OF_ONE_MAX}.tunnel.example")]);
}
