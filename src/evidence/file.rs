//! A case as a pcapng file: its frames as they were captured, each with a comment.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use pcap_file::pcapng::PcapNgWriter;
use pcap_file::pcapng::blocks::enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption};
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption,
};
use pcap_file::pcapng::blocks::section_header::{SectionHeaderBlock, SectionHeaderOption};
use pcap_file::{DataLink, Endianness, PcapError};

use super::case::Case;
use super::pick::Picked;
use crate::frame::{Frame, FrameId, LinkType};
use crate::report::Files;
use crate::text::printable;
use crate::time::Timestamp;

/// The longest comment, in octets; the format allows 65,535.
const COMMENT_OCTETS_MAX: usize = 4_000;
/// The exponent of the unit of time: nanoseconds.
const NANOSECONDS: u8 = 9;

/// Writes a case; returns how many frames it has, and how many of it were not found.
pub(super) fn write<W: Write>(
    out: &mut W,
    about: &str,
    case: &Case,
    picked: &Picked,
    files: &Files,
) -> io::Result<(u64, u64)> {
    let (frames, missing) = frames(case, picked, files);
    let section = SectionHeaderBlock {
        endianness: Endianness::Little,
        options: vec![
            SectionHeaderOption::Comment(Cow::Owned(comment(about))),
            SectionHeaderOption::UserApplication(Cow::Borrowed(concat!(
                "whoasked ",
                env!("CARGO_PKG_VERSION")
            ))),
        ],
        ..SectionHeaderBlock::default()
    };
    let mut out = PcapNgWriter::with_section_header(out, section).map_err(failed)?;
    let mut links: Vec<LinkType> = Vec::new();
    for (frame, remark) in &frames {
        let known = links.iter().position(|link| *link == frame.link);
        let interface = match known {
            Some(place) => place,
            None => {
                out.write_pcapng_block(interface(frame.link)).map_err(failed)?;
                links.push(frame.link);
                links.len() - 1
            }
        };
        let block = EnhancedPacketBlock {
            interface_id: interface as u32,
            timestamp: Duration::from_nanos(u64::try_from(frame.time.0).unwrap_or_default()),
            original_len: frame.original_len,
            data: Cow::Borrowed(frame.bytes),
            options: vec![EnhancedPacketOption::Comment(Cow::Borrowed(remark))],
        };
        out.write_pcapng_block(block).map_err(failed)?;
    }
    Ok((frames.len() as u64, missing))
}

/// The frames with their comments in the order of time; how many were not found.
fn frames<'p>(case: &Case, picked: &'p Picked, files: &Files) -> (Vec<(Frame<'p>, String)>, u64) {
    let mut remarks: BTreeMap<FrameId, Vec<String>> = BTreeMap::new();
    for (frame, known) in &case.frames {
        remarks.entry(*frame).or_default().extend(known.iter().cloned());
        let Some(companions) = picked.companions(*frame) else { continue };
        let number = frame.number();
        let part = match companions.are_fragments {
            true => format!("a fragment of the packet that frame {number} completes"),
            false => {
                format!("before frame {number} in its TCP connection, whose message may begin here")
            }
        };
        for companion in &companions.frames {
            remarks.entry(*companion).or_default().push(part.clone());
        }
    }
    let wanted = remarks.len() as u64;
    let mut frames: Vec<(Frame<'_>, String)> = remarks
        .into_iter()
        .filter_map(|(id, remarks)| {
            let place = match files.of(id) {
                Some(file) => format!("{file} frame {}", id.number()),
                None => format!("frame {}", id.number()),
            };
            Some((picked.get(id)?, comment(&format!("{place}: {}", remarks.join("; ")))))
        })
        .collect();
    let key = |frame: &Frame<'_>| -> (Timestamp, FrameId) { (frame.time, frame.id) };
    frames.sort_by_key(|(frame, _)| key(frame));
    let missing = wanted - frames.len() as u64;
    (frames, missing)
}

fn interface(link: LinkType) -> InterfaceDescriptionBlock<'static> {
    InterfaceDescriptionBlock {
        linktype: DataLink::from(u32::from(link.0)),
        snaplen: 0,
        options: vec![InterfaceDescriptionOption::IfTsResol(NANOSECONDS)],
    }
}

/// A comment in which all is seen, and which is not too long.
fn comment(text: &str) -> String {
    let shown = printable(text);
    let end = shown.floor_char_boundary(COMMENT_OCTETS_MAX);
    shown.get(..end).unwrap_or_default().to_owned()
}

fn failed(error: PcapError) -> io::Error {
    match error {
        PcapError::IoError(error) => error,
        other => io::Error::other(other),
    }
}
