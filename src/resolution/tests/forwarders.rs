//! Forwarders that ask for each client apart: whose a query is shows in its id, or in how long it waited.

use super::innocent::sureness;
use super::*;

const OTHER_ISP: &str = "203.0.113.54";

#[test]
fn who_sends_ids_on_asks_for_the_client_of_that_id() {
    for (sends_on, expected) in [(true, vec![BEN]), (false, vec![ANNA, BEN])] {
        let mut office = Office::new();
        let mut ask = |at_ms: f64, (from, to): (&'static str, &'static str), name, id: u16| {
            let port = 20_000 + id;
            let event = office.take(&Draft { at_ms, from, to, name, id, port, ..Draft::default() });
            let Event::Asked(sequence) = event else { panic!("{event:?}") };
            Open { from, to, name, rtype: 1, id, sequence }
        };
        let on = |id: u16| if sends_on { id } else { id ^ 0x5555 };
        let names =
            ["a.org", "b.org", "c.org", "d.org", "e.org", "f.org", "g.org", "h.org", "i.org"];
        for (nth, name) in names.into_iter().enumerate() {
            let (at, id) = (-30_000.0 + nth as f64 * 1_000.0, 100 + nth as u16);
            ask(at, (CARLA, DC), name, id);
            ask(at + 0.2, (DC, ISP), name, on(id));
        }
        ask(0.0, (ANNA, DC), "c2.evil.com", 501);
        ask(0.2, (DC, ISP), "c2.evil.com", on(501));
        ask(700.0, (BEN, DC), "c2.evil.com", 502);
        ask(700.2, (DC, ISP), "c2.evil.com", on(502));
        // It tries again: two seconds after Ben's.
        let again =
            Draft { at_ms: 2_700.2, from: DC, to: ISP, name: "c2.evil.com", ..Draft::default() };
        let event = office.take(&Draft { id: on(502), port: 30_502, ..again });
        let Event::Asked(sequence) = event else { panic!("{event:?}") };
        office.resolution.refresh_roles();
        let id = on(502);
        let again = Open { from: DC, to: ISP, name: "c2.evil.com", rtype: 1, id, sequence };
        assert_eq!(office.named(again), expected, "{sends_on}");
    }
}

#[test]
fn a_forwarder_gives_a_server_up_for_each_after_as_long() {
    // Asked so far apart that the pauses tell, and so close that they do not.
    for (apart_ms, is_told) in [(90.0, true), (1.0, false)] {
        let mut office = Office::new();
        let clients = [ANNA, BEN, CARLA];
        let came = |nth: usize| apart_ms * (nth * (nth + 1)) as f64;
        for (nth, client) in clients.into_iter().enumerate() {
            office.ask(came(nth), client, DC, "c2.evil.com");
            office.ask(came(nth) + 0.2, DC, ISP, "c2.evil.com");
        }
        let mut queries = Vec::new();
        for nth in 0..clients.len() {
            queries.push(office.ask(10_000.3 + came(nth), DC, OTHER_ISP, "c2.evil.com"));
        }
        office.resolution.refresh_roles();
        for (query, client) in queries.into_iter().zip(clients) {
            let named = sureness(&mut office, query);
            match is_told {
                true => assert_eq!(named, [(client.to_owned(), 995)]),
                false => {
                    assert!(named.iter().any(|(who, _)| who == client), "{named:?}");
                    assert!(named.iter().all(|(_, sure)| *sure <= 800), "{named:?}");
                }
            }
        }
    }
}
