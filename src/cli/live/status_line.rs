//! A line on stderr now and then: how the run is doing.

use std::sync::Arc;
use std::time::Duration;

use super::super::say;
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
    is_losing: bool,
}

/// Says how it is doing every minute, and when something is wrong or mended.
///
/// # Errors
/// When there can be no further thread.
pub fn keep(board: Board, stop: Arc<Stop>) -> std::io::Result<()> {
    let work = move || {
        let (mut worth, mut looks, mut lost) = (Worth::default(), 0, 0);
        while !stop.is_set() {
            std::thread::sleep(LOOK);
            looks += 1;
            let status = board.latest();
            let faults = status.interfaces.iter().filter_map(|i| i.fault.clone());
            let outputs = status.outputs.iter().filter_map(|output| {
                output.fault.as_ref().map(|fault| format!("{}: {fault}", output.name))
            });
            let now_lost = lost_in_all(&status);
            let is_losing = now_lost > lost;
            lost = now_lost;
            let now = Worth { faults: faults.chain(outputs).collect(), is_losing };
            if now == worth && looks < LOOKS_MAX {
                continue;
            }
            for fault in now.faults.iter().filter(|fault| !worth.faults.contains(fault)) {
                say(&format!("whoasked: {fault}; waiting for it"));
            }
            for mended in worth.faults.iter().filter(|fault| !now.faults.contains(fault)) {
                say(&format!("whoasked: no more: {mended}"));
            }
            (worth, looks) = (now, 0);
            say(&format!("whoasked: {}", line(&status)));
        }
    };
    std::thread::Builder::new().name("status".to_owned()).spawn(work)?;
    Ok(())
}

fn lost_in_all(status: &Status) -> u64 {
    let before = status.interfaces.iter().map(|i| i.dropped_by_kernel + i.dropped_by_interface);
    before.sum::<u64>() + status.losses.frames
}

/// How it is doing, in a line.
pub fn line(status: &Status) -> String {
    let received: u64 = status.interfaces.iter().map(|interface| interface.received).sum();
    format!(
        "{received} packets, {} DNS messages, {} lost; {} reported, {} settled ({} attributed, {} of no \
         client, {} undetermined)",
        status.decoded.messages,
        lost_in_all(status),
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
            "  forgotten: {} transactions, {} aliases; judged early: {}",
            coverage.forgotten, coverage.edges_forgotten, coverage.judged_early
        ));
    }
    lines.push(format!("  indicators: {}", status.lists.indicators));
    lines.join("\n")
}
