//! A line on stderr now and then: how the run is doing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::super::say;
use crate::attribution::Complaint;
use crate::live::{Board, Status};
use crate::pipeline::Stop;
use crate::report::duration;
use crate::resolution::Leg;
use crate::time::Span;

/// How often the board is looked at.
const LOOK: Duration = Duration::from_millis(500);
/// How many looks until a line is said though nothing has changed: a minute.
const LOOKS_MAX: u32 = 120;

/// What something cannot do, and what is said when it can again.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Fault {
    words: String,
    mended: String,
}

/// What is said at once when it changes.
#[derive(Debug, Default, PartialEq, Eq)]
struct Worth {
    /// By what they are of.
    faults: BTreeMap<String, Fault>,
    /// The names of what is wrong with the mirror port: the words change with the figures.
    complaints: Vec<&'static str>,
    is_losing: bool,
}

/// Says how it is doing every minute, and when something is wrong or mended; where a screen shows the
/// figures, only the latter.
///
/// # Errors
/// When there can be no further thread.
pub fn keep(board: Board, stop: Arc<Stop>, has_screen: bool) -> std::io::Result<()> {
    let work = move || {
        let (mut worth, mut looks, mut lost) = (Worth::default(), 0, 0);
        let mut said: Vec<Complaint> = Vec::new();
        while !stop.is_set() {
            std::thread::sleep(LOOK);
            looks += 1;
            let status = board.latest();
            let now_lost = status.packets_lost() + status.lines_behind().1;
            let is_losing = now_lost > lost;
            lost = now_lost;
            let complaints = status.complaints.iter().map(|complaint| complaint.name).collect();
            let now = Worth { faults: faults(&status), complaints, is_losing };
            if now == worth && looks < LOOKS_MAX {
                continue;
            }
            for fault in changed(&now.faults, &worth.faults) {
                let reach = reach(&status).filter(|_| fault.words.contains("disk is full"));
                let reach = reach.map_or(String::new(), |reach| format!("; the ring {reach}"));
                say(&format!("whoasked: {}{reach}", fault.words));
            }
            let is_mended = |name: &String| !now.faults.contains_key(name);
            for (_, fault) in worth.faults.iter().filter(|(name, _)| is_mended(name)) {
                say(&format!("whoasked: {}", fault.mended));
            }
            for line in changes(&mut said, &status.complaints) {
                say(&line);
            }
            (worth, looks) = (now, 0);
            if !has_screen {
                say(&format!("whoasked: {}", line(&status)));
            }
        }
    };
    std::thread::Builder::new().name("status".to_owned()).spawn(work)?;
    Ok(())
}

/// What does not work now.
fn faults(status: &Status) -> BTreeMap<String, Fault> {
    let interfaces = status.interfaces.iter().filter_map(|interface| {
        let words = format!("{}; waiting for it", interface.fault.as_ref()?);
        let mended = format!("the interface {} is up again", interface.name);
        Some((format!("interface {}", interface.name), Fault { words, mended }))
    });
    let outputs = status.outputs.iter().filter_map(|output| {
        let words = format!("{}: {}; waiting for it", output.name, output.fault.as_ref()?);
        let mended = format!("{} takes answers again", output.name);
        Some((format!("output {}", output.name), Fault { words, mended }))
    });
    let ring = status.ring.iter().filter_map(|ring| {
        let words = format!("--ring {}: {}", ring.name, ring.fault.as_ref()?);
        let mended = format!("--ring {} has room again", ring.name);
        Some(("ring".to_owned(), Fault { words, mended }))
    });
    interfaces.chain(outputs).chain(ring).collect()
}

/// Those that were not there before, or otherwise.
fn changed<'a>(
    now: &'a BTreeMap<String, Fault>,
    before: &'a BTreeMap<String, Fault>,
) -> impl Iterator<Item = &'a Fault> {
    now.iter().filter(|(name, fault)| before.get(*name) != Some(fault)).map(|(_, fault)| fault)
}

/// How far back the ring of packets reaches: `reaches back 3 h 05 min`.
fn reach(status: &Status) -> Option<String> {
    let back = (status.at - status.ring_oldest?).max(Span(0));
    Some(format!("reaches back {}", duration(back)))
}

/// What is to be said of the mirror port: what is wrong and was not, and what is mended.
fn changes(said: &mut Vec<Complaint>, now: &[Complaint]) -> Vec<String> {
    let is_in = |list: &[Complaint], name| list.iter().any(|complaint| complaint.name == name);
    let new = now.iter().filter(|complaint| !is_in(said, complaint.name));
    let new = new.map(|complaint| format!("whoasked: {}: {}", complaint.name, complaint.words));
    let mended = said.iter().filter(|complaint| !is_in(now, complaint.name));
    let mended = mended.map(|complaint| format!("whoasked: {}: mended", complaint.name));
    let lines = new.chain(mended).collect();
    *said = now.to_vec();
    lines
}

/// How it is doing, in a line.
pub fn line(status: &Status) -> String {
    let received: u64 = status.interfaces.iter().map(|interface| interface.received).sum();
    let answers = match status.lines_behind() {
        (0, 0) => String::new(),
        (queued, lost) => format!("; answers: {queued} waiting, {lost} lost"),
    };
    let wrong = match status.complaints.as_slice() {
        [] => String::new(),
        wrong => {
            let names: Vec<&str> = wrong.iter().map(|complaint| complaint.name).collect();
            format!("; wrong: {}", names.join(", "))
        }
    };
    let ring = reach(status).map_or(String::new(), |reach| format!("; the ring {reach}"));
    format!(
        "{received} packets, {} DNS messages, {} lost; {} lookups reported, {} settled ({} with a client, {} of no \
         client, {} that cannot be told){answers}{ring}{wrong}",
        status.decoded.messages,
        status.packets_lost(),
        status.provisional.total(),
        status.settled.total(),
        status.settled.attributed,
        status.settled.no_client,
        status.settled.undetermined
    )
}

/// What was seen and lost so far, in some lines. What did not happen has none.
pub fn coverage(status: &Status) -> String {
    let mut lines = vec![format!("whoasked: {}", line(status))];
    let wrong = status.complaints.iter();
    lines.extend(wrong.map(|Complaint { name, words }| format!("  wrong: {name}: {words}")));
    for interface in &status.interfaces {
        let lost = counted(&[
            (interface.dropped_by_kernel, "lost by the kernel"),
            (interface.dropped_by_interface, "lost by the network card"),
        ]);
        let lost = lost.map_or(String::new(), |lost| format!(", {lost}"));
        let state = interface.fault.as_deref().unwrap_or("up");
        lines.push(format!("  {}: {state}, {} packets{lost}", interface.name, interface.received));
    }
    let decoded = &status.decoded;
    let reassembled = &status.reassembled;
    let rows = [
        (
            "lost, since the analysis was too slow",
            counted(&[(status.losses.frames, "packets"), (status.losses.panics, "defects")]),
        ),
        (
            "unreadable",
            counted(&[
                (decoded.malformed, "DNS messages cut or malformed"),
                (decoded.broken, "broken packets"),
                (decoded.unknown_link, "packets of an unknown kind"),
                (reassembled.packets_given_up(), "packets in fragments that did not all come"),
                (reassembled.stream_gaps(), "gaps in TCP connections"),
            ]),
        ),
    ];
    lines.extend(rows.into_iter().filter_map(|(what, row)| Some(format!("  {what}: {}", row?))));
    if let Some(coverage) = &status.coverage {
        for resolver in &coverage.resolvers {
            let addresses: Vec<String> =
                resolver.addresses.iter().map(ToString::to_string).collect();
            lines.push(format!(
                "  DNS server {}: asked {}, answers {}, asks others {}",
                addresses.join(", "),
                resolver.asked,
                resolver.answers,
                resolver.asks
            ));
        }
        let forgotten = counted(&[
            (coverage.forgotten, "questions"),
            (coverage.edges_forgotten, "aliases"),
            (coverage.names_forgotten, "host names"),
            (coverage.contacts_forgotten, "connections"),
            (coverage.transactions.no_room, "messages"),
        ]);
        lines.extend(forgotten.map(|what| format!("  forgotten for lack of room: {what}")));
        let told = counted(&[
            (coverage.judged_early, "settled before all was known"),
            (coverage.told_late, "said only in the end"),
        ]);
        lines.extend(told.map(|what| format!("  lookups: {what}")));
        for row in &coverage.latencies {
            let who = match row.leg {
                Leg::Client => "answers its clients",
                Leg::Upstream => "is answered by others",
            };
            lines.push(format!(
                "  DNS server {} {who} within {} (half), {} (99 in 100)",
                row.resolver,
                millis(row.p50_us),
                millis(row.p99_us)
            ));
        }
    }
    for output in &status.outputs {
        let more = counted(&[(output.queued, "waiting"), (output.lost, "lost")]);
        let more = more.into_iter().chain(output.fault.clone());
        let more: String = more.map(|more| format!(", {more}")).collect();
        lines.push(format!("  {}: {} lines written{more}", output.name, output.written));
    }
    if let Some(ring) = &status.ring {
        let more = counted(&[(ring.queued, "waiting"), (ring.lost, "lost")]);
        let more = reach(status).into_iter().chain(more).chain(ring.fault.clone());
        let more: String = more.map(|more| format!(", {more}")).collect();
        lines.push(format!("  --ring {}: {} packets written{more}", ring.name, ring.written));
    }
    if let Some(waited) = status.to_report.as_ref().filter(|waited| !waited.is_empty()) {
        let within = |share| millis(waited.value_at_quantile(share));
        lines.push(format!(
            "  from a flagged lookup to its report: within {} (half), {} (99 in 100), {} (all)",
            within(0.5),
            within(0.99),
            millis(waited.max())
        ));
    }
    lines.push(format!("  flagged names and addresses looked for: {}", status.lists.indicators));
    lines.join("\n")
}

/// `12 packets, 1 defects`: of what there were any.
fn counted(counts: &[(u64, &str)]) -> Option<String> {
    let some = counts.iter().filter(|(count, _)| *count > 0);
    let some: Vec<String> = some.map(|(count, what)| format!("{count} {what}")).collect();
    (!some.is_empty()).then(|| some.join(", "))
}

/// Microseconds as milliseconds: `0.2 ms`.
fn millis(micros: u64) -> String {
    format!("{:.1} ms", micros as f64 / 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::{Interface, OutputState};
    use crate::time::Timestamp;

    #[test]
    fn what_is_mended_is_said_in_words_of_its_own() {
        let down = Interface {
            name: "eth1".to_owned(),
            fault: Some("the interface eth1 is down: `ip link set eth1 up`".to_owned()),
            ..Interface::default()
        };
        let mut status = Status { interfaces: vec![down], ..Status::default() };
        let (before, none) = (faults(&status), BTreeMap::new());
        let said: Vec<&str> = changed(&before, &none).map(|fault| fault.words.as_str()).collect();
        let words = "the interface eth1 is down: `ip link set eth1 up`; waiting for it";
        assert_eq!(said, [words]);
        assert_eq!(before["interface eth1"].mended, "the interface eth1 is up again");
        assert_eq!(changed(&before, &before).count(), 0);
        status.interfaces[0].fault = None;
        assert!(faults(&status).is_empty());
    }

    #[test]
    fn a_full_ring_is_said_with_how_far_back_it_reaches() {
        let fault = Some("the disk is full".to_owned());
        let ring = OutputState { name: "out/ring".to_owned(), fault, ..OutputState::default() };
        let status = Status {
            at: Timestamp(0) + Span::from_secs(3_720),
            ring: Some(ring),
            ring_oldest: Some(Timestamp(0)),
            ..Status::default()
        };
        assert_eq!(faults(&status)["ring"].words, "--ring out/ring: the disk is full");
        assert!(line(&status).ends_with("; the ring reaches back 1 h 02 min"), "{}", line(&status));
    }

    #[test]
    fn what_did_not_happen_has_no_line() {
        let text = coverage(&Status::default());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert_eq!(lines[1], "  flagged names and addresses looked for: 0");
    }
}
