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
/// How many looks until a line is said though nothing is wrong: a minute.
const LOOKS_MAX: u32 = 120;
/// How many minutes until it is said again though not even a packet came.
const SILENT_MAX: u32 = 60;
/// How many faults of one interface or output are said without a minute between them.
const FAULTS_AT_ONCE: u32 = 4;

/// What was said, and when.
struct Watch {
    has_screen: bool,
    /// How many looks ago something was said.
    looks: u32,
    /// What was lost until the last look, and how many looks ago it was less.
    lost: (u64, u32),
    /// By the name of the interface or output.
    faults: BTreeMap<String, Fault>,
    complaints: Vec<Complaint>,
    /// The figures as they were said last, and how many minutes ago.
    figures: (String, u32),
}

/// What was said of an interface or output.
struct Fault {
    /// What is wrong, until it is mended.
    said: Option<String>,
    /// What a further word may cost, in looks: each costs a minute.
    room: u32,
}

/// Says how it is doing every minute, and when something is wrong or mended; where a screen shows the
/// figures, only the latter.
///
/// # Errors
/// When there can be no further thread.
pub fn keep(board: Board, stop: Arc<Stop>, has_screen: bool) -> std::io::Result<()> {
    let work = move || {
        let mut watch = Watch::new(has_screen);
        while !stop.is_set() {
            std::thread::sleep(LOOK);
            for line in watch.look(&board.latest()) {
                say(&format!("whoasked: {line}"));
            }
        }
    };
    std::thread::Builder::new().name("status".to_owned()).spawn(work)?;
    Ok(())
}

impl Watch {
    fn new(has_screen: bool) -> Watch {
        let (faults, complaints) = (BTreeMap::new(), Vec::new());
        let figures = (String::new(), 0);
        Watch { has_screen, looks: 0, lost: (0, LOOKS_MAX), faults, complaints, figures }
    }

    /// What is to be said. Of what comes and goes all the time, once a minute: a log is not to be filled by it.
    fn look(&mut self, status: &Status) -> Vec<String> {
        self.looks += 1;
        let mut lines = self.faults(status);
        lines.extend(changes(&mut self.complaints, &status.complaints));
        let is_losing = self.begins_to_lose(status);
        if lines.is_empty() && !is_losing && self.looks < LOOKS_MAX {
            return lines;
        }
        self.looks = 0;
        let (said, minutes) = &mut self.figures;
        let figures = line(status);
        *minutes += 1;
        if !self.has_screen && (*said != figures || *minutes >= SILENT_MAX) {
            (*said, *minutes) = (figures.clone(), 0);
            lines.push(figures);
        }
        lines
    }

    fn faults(&mut self, status: &Status) -> Vec<String> {
        let mut lines = Vec::new();
        for Condition { name, wrong, mended } in parts(status) {
            let room_max = FAULTS_AT_ONCE * LOOKS_MAX;
            let known = self.faults.entry(name).or_insert(Fault { said: None, room: room_max });
            known.room = room_max.min(known.room + 1);
            match wrong {
                Some(why) if known.room >= LOOKS_MAX && known.said.as_ref() != Some(&why) => {
                    let reach = reach(status).filter(|_| why.contains("disk is full"));
                    let reach = reach.map_or(String::new(), |reach| format!("; the ring {reach}"));
                    lines.push(format!("{why}{reach}"));
                    *known = Fault { said: Some(why), room: known.room - LOOKS_MAX };
                }
                Some(_) => {}
                None => lines.extend(known.said.take().map(|_| mended)),
            }
        }
        lines
    }

    /// Whether something was lost since the last look, and nothing for a minute before.
    fn begins_to_lose(&mut self, status: &Status) -> bool {
        let (before, looks) = self.lost;
        let now = status.packets_lost() + status.lines_behind().1;
        let is_more = now > before;
        self.lost = (now, if is_more { 0 } else { looks.saturating_add(1) });
        is_more && looks >= LOOKS_MAX
    }
}

/// Something that may not work.
struct Condition {
    name: String,
    /// What it cannot do, if so.
    wrong: Option<String>,
    /// What is said when it can again.
    mended: String,
}

/// The interfaces, the outputs and the ring.
fn parts(status: &Status) -> impl Iterator<Item = Condition> {
    let interfaces = status.interfaces.iter().map(|interface| Condition {
        name: format!("interface {}", interface.name),
        wrong: interface.fault.as_ref().map(|why| format!("{why}; waiting for it")),
        mended: format!("the interface {} is up again", interface.name),
    });
    let outputs = status.outputs.iter().map(|output| Condition {
        name: format!("output {}", output.name),
        wrong: output.fault.as_ref().map(|why| format!("{}: {why}; waiting for it", output.name)),
        mended: format!("{} takes answers again", output.name),
    });
    let ring = status.ring.iter().map(|ring| Condition {
        name: "ring".to_owned(),
        wrong: ring.fault.as_ref().map(|why| format!("--ring {}: {why}", ring.name)),
        mended: format!("--ring {} has room again", ring.name),
    });
    interfaces.chain(outputs).chain(ring)
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
    let new = new.map(|complaint| format!("{}: {}", complaint.name, complaint.words));
    let mended = said.iter().filter(|complaint| !is_in(now, complaint.name));
    let mended =
        mended.map(|complaint| format!("{}: fixed: {}", complaint.name, complaint.mended()));
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
        "{received} packets, {} DNS messages, {} lost; {} lookups reported at once; {} settled ({} with a client, \
         {} without one, {} undecided){answers}{ring}{wrong}",
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
            (interface.dropped_by_kernel, "dropped by the kernel"),
            (interface.dropped_by_interface, "dropped by the network card"),
        ]);
        let lost = lost.map_or(String::new(), |lost| format!(", {lost}"));
        let state = interface.fault.as_deref().unwrap_or("up");
        lines.push(format!("  {}: {state}, {} packets{lost}", interface.name, interface.received));
    }
    let decoded = &status.decoded;
    let reassembled = &status.reassembled;
    let rows = [
        (
            "lost because the analysis was too slow",
            counted(&[(status.losses.frames, "packets"), (status.defects(), "defects")]),
        ),
        (
            "unreadable",
            counted(&[
                (decoded.malformed, "DNS messages cut or malformed"),
                (decoded.broken, "broken packets"),
                (decoded.unknown_link, "packets of an unknown link type"),
                (reassembled.packets_given_up(), "fragmented packets with missing fragments"),
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
        if coverage.resolvers_more > 0 {
            lines.push(format!("  and {} more DNS servers", coverage.resolvers_more));
        }
        let forgotten = counted(&[
            (coverage.forgotten, "questions"),
            (coverage.edges_forgotten, "aliases"),
            (coverage.names_forgotten, "host names"),
            (coverage.contacts_forgotten, "connections"),
            (coverage.transactions.no_room, "messages"),
            (coverage.sightings_left_out, "flagged items of questions with very many"),
        ]);
        lines.extend(forgotten.map(|what| format!("  forgotten for lack of memory: {what}")));
        let told = counted(&[
            (coverage.judged_early, "settled early"),
            (coverage.settled_unlisted, "settled because their entry was removed from the lists"),
            (coverage.unsettled, "not settled at the end, for lack of time"),
            (coverage.told_late, "reported only once settled"),
            (coverage.summary_left_out, "left out of the summary for lack of memory"),
        ]);
        lines.extend(told.map(|what| format!("  lookups: {what}")));
        let set_back = counted(&[(coverage.clock_set_back, "times")]);
        lines.extend(set_back.map(|times| format!("  the clock was set back: {times}")));
        for row in &coverage.latencies {
            let who = match row.leg {
                Leg::Client => "answers its clients",
                Leg::Upstream => "is answered by upstream servers",
            };
            lines.push(format!(
                "  DNS server {} {who} within {} (median), {} (99th percentile)",
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
            "  from a flagged lookup to its report: {} (median), {} (99th percentile), {} (maximum)",
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

    /// How many lines a watch says in ten minutes of these, one after the other.
    fn lines_of(statuses: &[Status]) -> usize {
        let mut watch = Watch::new(false);
        let all = statuses.iter().cycle().take(10 * LOOKS_MAX as usize);
        all.map(|status| watch.look(status).len()).sum()
    }

    fn with_fault(fault: Option<&str>) -> Status {
        let fault = fault.map(str::to_owned);
        let output =
            OutputState { name: "jsonl=tcp://a:1".to_owned(), fault, ..Default::default() };
        Status { outputs: vec![output], ..Status::default() }
    }

    #[test]
    fn what_comes_and_goes_fills_no_log() {
        let losing: Vec<Status> = (0..10 * u64::from(LOOKS_MAX))
            .map(|look| {
                // Every other look something was lost since the one before.
                let lost = Interface { dropped_by_kernel: look / 2, ..Default::default() };
                Status { interfaces: vec![lost], ..Status::default() }
            })
            .collect();
        assert!((10..=11).contains(&lines_of(&losing)), "{}", lines_of(&losing));
        let words = ["refused", "timed out"].map(|why| with_fault(Some(why)));
        assert!(lines_of(&words) <= 40, "a few words, one a minute, and the figures");
        let flapping = [with_fault(Some("refused")), with_fault(None)];
        assert!(lines_of(&flapping) <= 60, "and that it is mended, and the figures again");
    }

    #[test]
    fn where_nothing_comes_the_figures_are_said_once_an_hour() {
        let quiet = [Status::default()];
        assert_eq!(lines_of(&quiet), 1, "of ten minutes");
        let mut watch = Watch::new(false);
        let said = (0..3 * 60 * LOOKS_MAX).map(|_| watch.look(&quiet[0]).len()).sum::<usize>();
        assert_eq!(said, 3);
    }

    #[test]
    fn what_is_wrong_and_mended_is_said_at_once() {
        let mut watch = Watch::new(true);
        assert_eq!(watch.look(&with_fault(None)), [""; 0]);
        let said = watch.look(&with_fault(Some("refused")));
        assert_eq!(said, ["jsonl=tcp://a:1: refused; waiting for it"]);
        assert_eq!(watch.look(&with_fault(Some("refused"))), [""; 0]);
        assert_eq!(watch.look(&with_fault(None)), ["jsonl=tcp://a:1 takes answers again"]);
        let said = watch.look(&with_fault(Some("timed out")));
        assert_eq!(said, ["jsonl=tcp://a:1: timed out; waiting for it"]);
    }

    #[test]
    fn a_frame_that_the_decoder_failed_on_is_a_defect_as_a_batch_is() {
        let mut status = Status::default();
        (status.losses.panics, status.decoded.failed) = (1, 2);
        assert!(coverage(&status).contains("3 defects"), "{}", coverage(&status));
    }

    #[test]
    fn what_is_mended_is_said_in_words_of_its_own() {
        let down = Interface {
            name: "eth1".to_owned(),
            fault: Some("the interface eth1 is down: `ip link set eth1 up`".to_owned()),
            ..Interface::default()
        };
        let mut status = Status { interfaces: vec![down], ..Status::default() };
        let mut watch = Watch::new(true);
        let words = "the interface eth1 is down: `ip link set eth1 up`; waiting for it";
        assert_eq!(watch.look(&status), [words]);
        assert_eq!(watch.look(&status), [""; 0]);
        status.interfaces[0].fault = None;
        assert_eq!(watch.look(&status), ["the interface eth1 is up again"]);
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
        let said = Watch::new(true).look(&status);
        let words = "--ring out/ring: the disk is full; the ring reaches back 1 h 02 min";
        assert_eq!(said, [words]);
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
