//! A line on stderr now and then: how the run is doing.

use std::collections::BTreeMap;
use std::iter::repeat;
use std::sync::Arc;
use std::time::Duration;

use super::super::say;
use crate::attribution::Complaint;
use crate::live::{Board, Status};
use crate::pipeline::Stop;

/// How often the board is looked at.
const LOOK: Duration = Duration::from_millis(500);
/// How many looks until a line is said though nothing has changed: a minute.
const LOOKS_MAX: u32 = 120;
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
        Watch { has_screen, looks: 0, lost: (0, LOOKS_MAX), faults, complaints }
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
        if !self.has_screen {
            lines.push(line(status));
        }
        lines
    }

    fn faults(&mut self, status: &Status) -> Vec<String> {
        let mut lines = Vec::new();
        let interfaces = status.interfaces.iter().map(|i| (&i.name, i.fault.clone()));
        let outputs = status.outputs.iter().chain(&status.ring).map(|output| {
            let fault = output.fault.as_ref();
            (&output.name, fault.map(|fault| format!("{}: {fault}", output.name)))
        });
        for (name, fault) in interfaces.chain(outputs) {
            let room_max = FAULTS_AT_ONCE * LOOKS_MAX;
            let unsaid = Fault { said: None, room: room_max };
            let known = self.faults.entry(name.clone()).or_insert(unsaid);
            known.room = room_max.min(known.room + 1);
            match fault {
                Some(why) if known.room >= LOOKS_MAX && known.said.as_ref() != Some(&why) => {
                    lines.push(format!("{why}; waiting for it"));
                    *known = Fault { said: Some(why), room: known.room - LOOKS_MAX };
                }
                Some(_) => {}
                None => lines.extend(known.said.take().map(|why| format!("no more: {why}"))),
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

/// What is to be said of the mirror port: what is wrong and was not, and what is mended.
fn changes(said: &mut Vec<Complaint>, now: &[Complaint]) -> Vec<String> {
    let is_in = |list: &[Complaint], name| list.iter().any(|complaint| complaint.name == name);
    let new = now.iter().filter(|complaint| !is_in(said, complaint.name));
    let new = new.map(|complaint| format!("{}: {}", complaint.name, complaint.words));
    let mended = said.iter().filter(|complaint| !is_in(now, complaint.name));
    let mended = mended.map(|complaint| format!("{}: mended", complaint.name));
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
    format!(
        "{received} packets, {} DNS messages, {} lost; {} reported, {} settled ({} attributed, {} of no \
         client, {} undetermined){answers}{wrong}",
        status.decoded.messages,
        status.packets_lost(),
        status.provisional.total(),
        status.settled.total(),
        status.settled.attributed,
        status.settled.no_client,
        status.settled.undetermined
    )
}

/// What was seen and lost so far, in some lines.
pub fn coverage(status: &Status) -> String {
    let mut lines = vec![format!("whoasked: {}", line(status))];
    let wrong = status.complaints.iter();
    lines.extend(wrong.map(|Complaint { name, words }| format!("  wrong: {name}: {words}")));
    for interface in &status.interfaces {
        lines.push(format!(
            "  {}: {}, {} packets, dropped by the kernel {}, by the interface {}",
            interface.name,
            interface.fault.as_deref().unwrap_or("up"),
            interface.received,
            interface.dropped_by_kernel,
            interface.dropped_by_interface
        ));
    }
    lines.push(format!(
        "  left out since the analysis was behind: {} packets in {} batches; defects: {}",
        status.losses.frames,
        status.losses.batches,
        status.defects()
    ));
    lines.push(format!(
        "  not read: {} messages cut or malformed, {} broken frames, {} of unknown link types; not put together: {} \
         packets in fragments and {} gaps in streams",
        status.decoded.malformed,
        status.decoded.broken,
        status.decoded.unknown_link,
        status.reassembled.packets_given_up(),
        status.reassembled.stream_gaps()
    ));
    if let Some(coverage) = &status.coverage {
        for resolver in &coverage.resolvers {
            let addresses: Vec<String> =
                resolver.addresses.iter().map(ToString::to_string).collect();
            lines.push(format!(
                "  resolver {}: asked {}, answered {}, asks upstream {}",
                addresses.join(", "),
                resolver.asked,
                resolver.answers,
                resolver.asks
            ));
        }
        lines.push(format!(
            "  forgotten: {} transactions, {} aliases, {} host names, {} contacts; without room: {} messages; judged \
             early: {}; said late: {}",
            coverage.forgotten,
            coverage.edges_forgotten,
            coverage.names_forgotten,
            coverage.contacts_forgotten,
            coverage.transactions.no_room,
            coverage.judged_early,
            coverage.told_late
        ));
        for row in &coverage.latencies {
            lines.push(format!(
                "  {} leg of {}: {} answers, half within {} µs, 99 in 100 within {} µs",
                row.leg.as_str(),
                row.resolver,
                row.count,
                row.p50_us,
                row.p99_us
            ));
        }
    }
    for (output, what) in
        status.outputs.iter().zip(repeat("lines")).chain(status.ring.iter().zip(repeat("packets")))
    {
        lines.push(format!(
            "  {}: {} {what} written, {} waiting, {} lost{}",
            output.name,
            output.written,
            output.queued,
            output.lost,
            output.fault.as_ref().map_or(String::new(), |fault| format!("; {fault}"))
        ));
    }
    if let Some(to_report) = status.to_report.as_ref().filter(|to_report| !to_report.is_empty()) {
        lines.push(format!(
            "  from a flagged message to its report: half within {} ms, 99 in 100 within {} ms, at most {} ms",
            to_report.value_at_quantile(0.5) / 1_000,
            to_report.value_at_quantile(0.99) / 1_000,
            to_report.max() / 1_000
        ));
    }
    if let Some(waited) = status.to_report.as_ref().filter(|waited| !waited.is_empty()) {
        let within = |share| waited.value_at_quantile(share) as f64 / 1e3;
        lines.push(format!(
            "  sighting to report: half within {:.1} ms, 99 % within {:.1} ms, all within {:.1} ms",
            within(0.5),
            within(0.99),
            waited.max() as f64 / 1e3
        ));
    }
    lines.push(format!("  indicators: {}", status.lists.indicators));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::{Interface, OutputState};

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
    fn what_is_wrong_and_mended_is_said_at_once() {
        let mut watch = Watch::new(true);
        assert_eq!(watch.look(&with_fault(None)), [""; 0]);
        let said = watch.look(&with_fault(Some("refused")));
        assert_eq!(said, ["jsonl=tcp://a:1: refused; waiting for it"]);
        assert_eq!(watch.look(&with_fault(Some("refused"))), [""; 0]);
        assert_eq!(watch.look(&with_fault(None)), ["no more: jsonl=tcp://a:1: refused"]);
        let said = watch.look(&with_fault(Some("timed out")));
        assert_eq!(said, ["jsonl=tcp://a:1: timed out; waiting for it"]);
    }

    #[test]
    fn a_frame_that_the_decoder_failed_on_is_a_defect_as_a_batch_is() {
        let mut status = Status::default();
        (status.losses.panics, status.decoded.failed) = (1, 2);
        assert!(coverage(&status).contains("defects: 3"), "{}", coverage(&status));
    }
}
