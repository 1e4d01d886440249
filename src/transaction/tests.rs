//! What becomes of queries and responses that come in order, twice, late, alone or under a false flag.

use super::{Event, Limits, Transactions};
use crate::bounded::Sequence;
use crate::frame::FrameId;
use crate::message::Message;
use crate::message::simulated::{Draft, Simulated};
use crate::packet::Ports;
use crate::time::Timestamp;

struct Table {
    simulated: Simulated,
    transactions: Transactions,
}

impl Table {
    fn new() -> Table {
        let limits = Limits { transactions: 64, names: 4096, hosts: 16 };
        Table {
            simulated: Simulated::new(),
            transactions: Transactions::new(limits, Ports::new(&[])),
        }
    }

    fn take(&mut self, draft: &Draft<'_>) -> Event {
        self.take_changed(draft, |_| ())
    }

    /// Takes a response that does not say what it answers.
    fn take_bare(&mut self, draft: &Draft<'_>) -> Event {
        self.take_changed(draft, |message| message.question = None)
    }

    fn take_changed(&mut self, draft: &Draft<'_>, change: impl Fn(&mut Message)) -> Event {
        self.simulated.add(draft);
        let messages = &self.simulated.messages;
        let mut message = *messages.get(messages.len() - 1).unwrap();
        change(&mut message);
        self.transactions.take(messages, &message)
    }
}

fn query(at_ms: f64) -> Draft<'static> {
    Draft { at_ms, ip_id: 7, ..Draft::default() }
}

fn response(at_ms: f64) -> Draft<'static> {
    let (from, to) = ("10.0.0.53", "10.0.0.1");
    Draft { at_ms, from, to, response: true, address: true, ..Draft::default() }
}

#[test]
fn that_there_is_nothing_of_a_type_is_told_from_a_referral() {
    let says_so = |draft: Draft<'_>| {
        let mut table = Table::new();
        table.take(&query(0.0));
        table.take(&Draft { address: false, ..draft });
        table.transactions.get(Sequence(0)).unwrap().is_nodata
    };
    assert!(says_so(Draft { authoritative: true, ..response(3.0) }));
    assert!(!says_so(response(3.0)), "of a server that neither knows nor asks");
    let delegations = [("example.com", "ns.example.com")];
    assert!(!says_so(Draft { delegations: &delegations, ..response(3.0) }));
    assert!(!says_so(Draft { authoritative: true, rcode: 3, ..response(3.0) }));
}

#[test]
fn a_transaction_is_seen_as_it_stood_before_its_query_was_sent_again() {
    let mut table = Table::new();
    for at_ms in [0.0, 1_000.0, 5_000.0] {
        table.take(&query(at_ms));
    }
    table.take(&response(5_003.0));
    let whole = table.transactions.get(Sequence(0)).unwrap();
    let at = |ms: i64| Timestamp(ms * 1_000_000);
    let stood = table.transactions.as_of(Sequence(0), &whole, at(3_000));
    assert_eq!((stood.asked_last, stood.answered()), (at(1_000), None));
    let now = table.transactions.as_of(Sequence(0), &whole, at(6_000));
    assert_eq!((now.asked_last, now.answered()), (at(5_000), Some(at(5_003))));
}

#[test]
fn of_a_query_that_was_sent_three_times_each_time_may_be_answered() {
    let mut table = Table::new();
    for (n, at_ms) in [0.0, 1_000.0, 2_000.0].into_iter().enumerate() {
        table.take(&Draft { ip_id: n as u16, ..query(at_ms) });
    }
    assert_eq!(table.take(&response(10_000.0)), Event::Answered(Sequence(0)));
    // A copy by the mirror, two more responses, and one for which it was not sent often enough.
    for at_ms in [10_003.0, 11_000.0, 12_000.0, 13_000.0] {
        assert_eq!(table.take(&response(at_ms)), Event::Nothing);
    }
    assert_eq!(table.transactions.counters().copies, 2);
    let whole = table.transactions.get(Sequence(0)).unwrap();
    let at = |ms: i64| Timestamp(ms * 1_000_000);
    let answered = |ms: i64| {
        table.transactions.as_answered_since(Sequence(0), whole, at(ms)).answered().unwrap()
    };
    let since = [5_000, 10_001, 11_500, 60_000].map(answered);
    assert_eq!(since, [10_000, 11_000, 12_000, 12_000].map(at));
    assert_eq!(table.transactions.tries(Sequence(0)).len(), 3);
}

#[test]
fn a_query_and_its_response_are_one() {
    let mut table = Table::new();
    assert_eq!(table.take(&query(0.0)), Event::Asked(Sequence(0)));
    assert_eq!(table.take(&response(3.0)), Event::Answered(Sequence(0)));
    let transaction = table.transactions.get(Sequence(0)).unwrap();
    assert_eq!(transaction.query, FrameId::new(0, 1));
    assert_eq!(transaction.response, FrameId::new(0, 2));
    assert!(transaction.has_answers);
    assert_eq!(table.transactions.name(&transaction).to_string(), "example.com");
}

#[test]
fn the_case_of_a_name_may_differ_and_that_of_the_query_is_kept() {
    let mut table = Table::new();
    table.take(&Draft { name: "eXaMpLe.COM", ..query(0.0) });
    assert_eq!(table.take(&response(3.0)), Event::Answered(Sequence(0)));
    let transaction = table.transactions.get(Sequence(0)).unwrap();
    assert_eq!(table.transactions.name(&transaction).to_string(), "eXaMpLe.COM");
}

#[test]
fn a_beacon_without_an_answer_is_as_many_questions_though_its_id_is_always_the_same() {
    for (every_s, questions) in [(5, 2), (19, 5), (30, 20), (60, 20)] {
        let mut table = Table::new();
        for n in 0..20 {
            table.take(&Draft { ip_id: n, ..query(f64::from(n) * f64::from(every_s) * 1e3) });
        }
        let counters = table.transactions.counters();
        assert_eq!(counters.queries, questions, "each {every_s} s");
        assert_eq!(counters.queries + counters.retransmissions, 20);
    }
}

#[test]
fn a_retransmission_is_kept_with_its_own_frame_and_a_mirrored_copy_is_not() {
    let mut table = Table::new();
    table.take(&query(0.0));
    assert_eq!(table.take(&query(0.004)), Event::AskedAgain(Sequence(0)));
    assert_eq!(table.take(&Draft { ip_id: 8, ..query(1000.0) }), Event::AskedAgain(Sequence(0)));
    let counters = *table.transactions.counters();
    assert_eq!((counters.queries, counters.copies, counters.retransmissions), (1, 1, 1));
    let frames: Vec<u64> =
        table.transactions.tries(Sequence(0)).iter().map(|t| t.query.number()).collect();
    assert_eq!(frames, [1, 3]);
}

#[test]
fn a_packet_with_a_number_is_the_same_one_though_a_mirror_delivers_it_late() {
    let mut table = Table::new();
    table.take(&query(0.0));
    table.take(&response(20.0));
    assert_eq!(table.take(&query(150.0)), Event::AskedAgain(Sequence(0)));
    assert_eq!(table.transactions.counters().copies, 1);
    let unnumbered = |at_ms| Draft { ip_id: 0, id: 77, ..query(at_ms) };
    table.take(&unnumbered(200.0));
    assert_eq!(table.take(&unnumbered(350.0)), Event::AskedAgain(Sequence(1)));
    let counters = *table.transactions.counters();
    assert_eq!((counters.copies, counters.retransmissions), (1, 1));
}

#[test]
fn the_same_ports_and_id_after_an_answer_are_a_new_question() {
    let mut table = Table::new();
    table.take(&query(0.0));
    table.take(&response(3.0));
    assert_eq!(table.take(&response(3.1)), Event::Nothing);
    assert_eq!(table.take(&Draft { ip_id: 9, ..query(900.0) }), Event::Asked(Sequence(1)));
    assert_eq!(table.take(&response(903.0)), Event::Answered(Sequence(1)));
}

#[test]
fn a_response_after_a_while_is_known_when_the_mirror_delivers_it_again() {
    let limits = Limits { transactions: 1 << 16, names: 1 << 20, hosts: 16 };
    let mut table = Table {
        simulated: Simulated::new(),
        transactions: Transactions::new(limits, Ports::new(&[])),
    };
    // Each is answered after 60 ms, and the answer comes again a millisecond later; 30 come in each millisecond.
    let of = |n: u32| (1_024 + (n % 60_000) as u16, (n / 7) as u16, f64::from(n) / 30.0);
    for n in 0..20_000 {
        let (port, id, at) = of(n);
        table.take(&Draft { port, id, ..query(at) });
        for later in [60.0, 61.0] {
            if let Some(old) = n.checked_sub((later * 30.0) as u32) {
                let (port, id, at) = of(old);
                table.take(&Draft { port, id, ..response(at + later) });
            }
        }
    }
    let counters = table.transactions.counters();
    assert_eq!((counters.unasked, counters.answered), (0, 18_200));
    assert_eq!(counters.copies, 18_170);
}

#[test]
fn a_response_without_its_question_counts_as_one_of_its_sender() {
    let mut table = Table::new();
    table.take(&query(0.0));
    assert_eq!(table.take_bare(&response(1.0)), Event::Answered(Sequence(0)));
    assert!(table.transactions.hosts().have_turned());
    let hosts = table.transactions.hosts();
    let server = table.transactions.get(Sequence(0)).unwrap().server;
    assert_eq!(hosts.totals(server).answers, 1);
    // The whole one is nothing new.
    assert_eq!(table.take(&response(1.1)), Event::Nothing);
}

#[test]
fn a_response_that_the_mirror_delivers_first_still_finds_its_query() {
    let mut table = Table::new();
    assert_eq!(table.take(&response(1.0)), Event::AnsweredUnasked(Sequence(0)));
    assert_eq!(table.take(&query(1.2)), Event::AskedAgain(Sequence(0)));
    let transaction = table.transactions.get(Sequence(0)).unwrap();
    assert!(transaction.has_query() && transaction.answered().is_some());
    assert_eq!(table.transactions.counters().unasked, 0);
}

#[test]
fn a_response_of_another_port_or_transport_is_none_of_this_query() {
    for other in [
        Draft { port: 4001, ..response(1.0) },
        Draft { port: 4001, id: 2, name: "example.net", ..response(1.0) },
        Draft { tcp: true, ..response(1.0) },
    ] {
        let mut table = Table::new();
        table.take(&query(0.0));
        assert_eq!(table.take(&other), Event::AnsweredUnasked(Sequence(1)), "{other:?}");
    }
}

#[test]
fn a_response_to_another_question_of_the_same_port_is_made_up() {
    for other in [
        Draft { id: 2, ..response(1.0) },
        Draft { id: 2, name: "www.example.com", ..response(1.0) },
        Draft { name: "example.net", ..response(1.0) },
        Draft { rtype: 28, ..response(1.0) },
    ] {
        let mut table = Table::new();
        table.take(&query(0.0));
        assert_eq!(table.take(&other), Event::Nothing, "{other:?}");
        assert_eq!(table.take(&response(2.0)), Event::Answered(Sequence(0)), "{other:?}");
        // As well when the true one came first.
        assert_eq!(table.take(&Draft { at_ms: 3.0, ..other }), Event::Nothing, "{other:?}");
        let counters = table.transactions.counters();
        assert_eq!((counters.mismatched, counters.unasked), (2, 0), "{other:?}");
        // A port is used again.
        let later = Draft { at_ms: 90_000.0, ..other };
        assert!(matches!(table.take(&later), Event::AnsweredUnasked(_)), "{other:?}");
    }
}

#[test]
fn a_response_to_a_port_of_several_questions_is_that_of_a_missing_query() {
    // Both families are asked for from one port.
    let mut table = Table::new();
    table.take(&query(0.0));
    let other = Draft { id: 2, rtype: 28, ..response(1.0) };
    assert_eq!(table.take(&other), Event::AnsweredUnasked(Sequence(1)));
    // dnsdist asks for everything from one port.
    let mut table = Table::new();
    table.take(&query(0.0));
    table.take(&Draft { id: 2, name: "example.org", ..query(1.0) });
    let other = Draft { id: 3, name: "www.example.com", ..response(2.0) };
    assert_eq!(table.take(&other), Event::AnsweredUnasked(Sequence(2)));
    let again = |at_ms: f64, id: u16| Draft { id, ..response(at_ms) };
    assert_eq!(table.take(&again(3.0, 4)), Event::Nothing, "it races the true answer");
    assert_eq!(table.take(&response(4.0)), Event::Answered(Sequence(0)));
    assert_eq!(table.take(&again(5.0, 5)), Event::Nothing, "it comes with the true answer");
    assert_eq!(table.take(&again(9_000.0, 6)), Event::AnsweredUnasked(Sequence(3)));
    assert_eq!(table.transactions.counters().mismatched, 2);
}

#[test]
fn at_the_limit_the_oldest_are_forgotten_and_counted() {
    let mut table = Table::new();
    for n in 0..100u16 {
        table.take(&Draft { id: n, port: 5000 + n, ..query(f64::from(n)) });
    }
    assert_eq!(table.transactions.get(Sequence(10)).map(|t| t.id), None);
    assert_eq!(table.transactions.get(Sequence(99)).map(|t| t.id), Some(99));
    assert_eq!(table.transactions.forgotten(), 36);
}

/// A table with room for four hosts and four transactions, after two clients have asked nothing for long.
fn with_idle_clients() -> Table {
    let limits = Limits { transactions: 4, names: 4096, hosts: 4 };
    let transactions = Transactions::new(limits, Ports::new(&[]));
    let mut table = Table { simulated: Simulated::new(), transactions };
    table.take(&query(0.0));
    table.take(&Draft { from: "10.0.0.3", ..query(0.0) });
    for n in 1..=9 {
        let at_ms = 1_000.0 * f64::from(n);
        table.take(&Draft { from: "10.0.0.2", port: 5_000 + n, ..query(at_ms) });
    }
    table
}

fn address_of(table: &Table, host: super::HostId) -> String {
    table.transactions.hosts().get(host).unwrap().address.to_string()
}

#[test]
fn who_asks_again_after_long_does_not_make_room_for_others() {
    let mut table = with_idle_clients();
    let event = table.take(&Draft { to: "10.0.0.54", ..query(99_000.0) });
    let Event::Asked(sequence) = event else { panic!("{event:?}") };
    table.take(&Draft { from: "10.0.0.66", port: 7_000, ..query(99_500.0) });
    let transaction = table.transactions.get(sequence).unwrap();
    assert_eq!(address_of(&table, transaction.client), "10.0.0.1");
    assert_eq!(address_of(&table, transaction.server), "10.0.0.54");
}

#[test]
fn who_is_named_by_a_transaction_that_came_late_keeps_its_number() {
    let mut table = with_idle_clients();
    // Stamped before all that is kept.
    let event = table.take(&Draft { name: "late.example", ..query(4_000.0) });
    let Event::Asked(sequence) = event else { panic!("{event:?}") };
    for host in 66..68 {
        table.take(&Draft { from: &format!("10.0.0.{host}"), port: 7_000, ..query(9_100.0) });
        let transaction = table.transactions.get(sequence).unwrap();
        assert_eq!(address_of(&table, transaction.client), "10.0.0.1");
    }
}
