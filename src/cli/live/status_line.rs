//! A line on stderr now and then: how the run is doing.

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

/// What is said at once when it changes.
#[derive(Debug, Default, PartialEq, Eq)]
struct Worth {
    faults: Vec<String>,
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
            let faults = status.interfaces.iter().filter_map(|i| i.fault.clone());
            let outputs = status.outputs.iter().chain(&status.ring).filter_map(|output| {
                output.fault.as_ref().map(|fault| format!("{}: {fault}", output.name))
            });
            let now_lost = status.packets_lost() + status.lines_behind().1;
            let is_losing = now_lost > lost;
            lost = now_lost;
            let complaints = status.complaints.iter().map(|complaint| complaint.name).collect();
            let now = Worth { faults: faults.chain(outputs).collect(), complaints, is_losing };
            if now == worth && looks < LOOKS_MAX {
                continue;
            }
            for fault in now.faults.iter().filter(|fault| !worth.faults.contains(fault)) {
                say(&format!("whoasked: {fault}; waiting for it"));
            }
            for mended in worth.faults.iter().filter(|fault| !now.faults.contains(fault)) {
                say(&format!("whoasked: no more: {mended}"));
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
        status.losses.frames, status.losses.batches, status.losses.panics
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
        if coverage.resolvers_more > 0 {
            lines.push(format!("  and {} more resolvers", coverage.resolvers_more));
        }
        lines.push(format!(
            "  forgotten: {} transactions, {} aliases, {} host names, {} contacts; without room: {} messages; judged \
             early: {}; said late: {}; clock set back: {}",
            coverage.forgotten,
            coverage.edges_forgotten,
            coverage.names_forgotten,
            coverage.contacts_forgotten,
            coverage.transactions.no_room,
            coverage.judged_early,
            coverage.told_late,
            coverage.clock_set_back
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
