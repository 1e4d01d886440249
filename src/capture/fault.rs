//! What can be wrong with a capture file, where, and what was done about it.

use std::fmt;
use std::path::{Path, PathBuf};

use super::FRAME_OCTETS_MAX;
use crate::number::count;

/// Why no capture can be read at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CaptureError {
    /// Nothing to read was given.
    #[error("no capture file was given")]
    NoFile,
    /// A frame's id has 16 bits for its file.
    #[error("{0} capture files are too many: at most 65535 can be read as one capture")]
    TooManyFiles(usize),
    /// None of the files can be used; one entry each.
    #[error("{}", Unusable(.0))]
    Unusable(Vec<Damage>),
    /// The filter expression is wrong, in libpcap's words.
    #[error("filter `{expression}`: {message}")]
    Filter {
        /// The expression as it was given.
        expression: String,
        /// What libpcap says.
        message: String,
    },
}

/// One thing that is wrong with one file.
///
/// Shown as `office.pcap: frame 1781 (byte 193411): what was wrong; what was done`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The file, as it was given; `-` is standard input.
    pub file: PathBuf,
    /// Where in it; nowhere when the file as a whole is unusable.
    pub place: Option<Place>,
    /// What was wrong.
    pub fault: Fault,
    /// How often this fault was met in this file; `place` and `fault` are those of the first.
    pub times: u64,
    /// How many octets were passed over behind it, or them, until records went on or the file ended.
    pub passed_over: u64,
}

/// A place in a capture file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The frame that stands there or would stand there, counted from 1.
    pub frame: u64,
    /// The offset in octets, of the decompressed content when the file is compressed.
    pub offset: u64,
    /// Whether the file is compressed.
    pub decompressed: bool,
}

/// What was wrong. The first group leaves out the file, the second ends it, the third leaves out octets or
/// frames.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The system's words.
    #[error("cannot open it: {0}")]
    Open(String),
    /// It holds not one octet.
    #[error("it is empty")]
    Empty,
    /// Its first octets are those of no format we know: what it is instead, for people.
    #[error("not a packet capture{0}")]
    NotACapture(String),
    /// It ends before its first frame could begin.
    #[error("the file ends inside its header ({there} of {needed} bytes present)")]
    HeaderCut {
        /// Octets that are there.
        there: usize,
        /// Octets of a whole header.
        needed: usize,
    },

    /// Input or decompression failed, in the words of the system or the decompressor.
    #[error("cannot read further: {0}")]
    Input(String),
    /// The file ends inside a record or block.
    #[error(
        "the file ends inside this record ({there} of {needed} bytes present); it may still be being written, or \
         was not copied completely"
    )]
    Cut {
        /// Octets that are there.
        there: u64,
        /// Octets that are needed, as far as it can be known.
        needed: u64,
    },
    /// A section of a format version we don't know.
    #[error("section has pcapng version {0}.{1}, expected 1.x")]
    SectionVersion(u16, u16),

    /// A pcapng block that cannot have the length it claims.
    #[error("block of type {kind:#x} claims {len} bytes: {why}")]
    BlockLength {
        /// The block type.
        kind: u32,
        /// The total length it claims.
        len: u32,
        /// The rule it breaks.
        why: &'static str,
    },
    /// The length at the end of a pcapng block differs from the one at its start.
    #[error("block claims {leading} bytes at its start and {trailing} at its end")]
    BlockTrailer {
        /// The length in front.
        leading: u32,
        /// The length behind.
        trailing: u32,
    },
    /// A section header that says neither byte order.
    #[error("section header has the byte-order magic {0:08x}, expected 1a2b3c4d in either order")]
    SectionOrder(u32),
    /// What stands in place of a pcap record is none: it is longer than any frame, by the length it claims, or all zeros.
    #[error("{}", NoRecord(.0))]
    NoRecord(Option<u32>),
    /// A frame of an interface that its section does not describe.
    #[error("frame of interface {0}, which the section does not describe")]
    UnknownInterface(u32),
    /// A frame that does not fit into its block.
    #[error("frame claims {claimed} bytes in a block with room for {room}")]
    FrameLength {
        /// The captured length it claims.
        claimed: u32,
        /// The octets its block has for it.
        room: u32,
    },
    /// The filter makes no sense for this link type, in libpcap's words. Met in this file first.
    #[error(
        "the filter cannot be used with link type {link} ({message}), so none of its frames were used"
    )]
    FilterLink {
        /// The link type.
        link: u16,
        /// What libpcap says.
        message: String,
    },
}

/// What a [`Fault`] costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cost {
    File,
    Rest,
    Octets,
    Frames,
    Said,
}

impl Fault {
    fn cost(&self) -> Cost {
        match self {
            Fault::Open(_) | Fault::Empty | Fault::NotACapture(_) | Fault::HeaderCut { .. } => {
                Cost::File
            }
            Fault::Input(_) | Fault::Cut { .. } | Fault::SectionVersion(..) => Cost::Rest,
            Fault::BlockLength { .. }
            | Fault::BlockTrailer { .. }
            | Fault::SectionOrder(_)
            | Fault::NoRecord(_) => Cost::Octets,
            Fault::UnknownInterface(_) | Fault::FrameLength { .. } => Cost::Frames,
            Fault::FilterLink { .. } => Cost::Said,
        }
    }
}

impl Damage {
    /// A file that cannot be used at all.
    pub(super) fn of_file(file: &Path, fault: Fault) -> Damage {
        Damage { file: file.to_owned(), place: None, fault, times: 1, passed_over: 0 }
    }

    fn octets(&self) -> String {
        count(self.passed_over, "byte", "bytes")
    }

    /// The file and what is wrong with it, without what was done about it.
    fn fmt_fault(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.file.as_os_str() == "-" {
            true => f.write_str("standard input: ")?,
            false => write!(f, "{}: ", self.file.display())?,
        }
        if let Some(place) = &self.place {
            let what = if place.decompressed { "decompressed byte" } else { "byte" };
            write!(f, "frame {} ({what} {}): ", place.frame, place.offset)?;
        }
        write!(f, "{}", self.fault)
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_fault(f)?;
        match (self.fault.cost(), self.times) {
            (Cost::File, _) => f.write_str("; the file was skipped"),
            (Cost::Rest, _) => f.write_str("; everything before it was used"),
            (Cost::Said, _) => Ok(()),
            (Cost::Octets, 1) => {
                write!(f, "; skipped {} to find the next frame", self.octets())
            }
            (Cost::Octets, n) => write!(
                f,
                "; here and {} more times; skipped {} in all to find the next frames",
                n - 1,
                self.octets()
            ),
            (Cost::Frames, 1) => f.write_str("; the frame was skipped"),
            (Cost::Frames, n) => write!(f, "; skipped this frame and {} more like it", n - 1),
        }
    }
}

/// What stands in place of a record.
struct NoRecord<'a>(&'a Option<u32>);

impl fmt::Display for NoRecord<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("zero bytes where a record should be"),
            Some(claimed) => {
                write!(f, "record claims {claimed} bytes; the maximum is {FRAME_OCTETS_MAX}")
            }
        }
    }
}

/// The faults of files of which none is usable: all on one line when it is one, else a line each.
struct Unusable<'a>(&'a [Damage]);

impl fmt::Display for Unusable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.len() != 1 {
            write!(f, "none of the {} files can be used:", self.0.len())?;
        }
        for damage in self.0 {
            if self.0.len() != 1 {
                f.write_str("\n  ")?;
            }
            damage.fmt_fault(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_says_where_what_and_what_was_done() {
        let mut damage = Damage {
            file: "office.pcap".into(),
            place: Some(Place { frame: 1_781, offset: 193_411, decompressed: false }),
            fault: Fault::NoRecord(Some(3_000_000_000)),
            times: 1,
            passed_over: 1_096,
        };
        assert_eq!(
            damage.to_string(),
            "office.pcap: frame 1781 (byte 193411): record claims 3000000000 bytes; the maximum is 262144; skipped \
             1,096 bytes to find the next frame"
        );
        damage.fault = Fault::Cut { there: 3, needed: 16 };
        assert!(damage.to_string().ends_with("; everything before it was used"));
        damage.fault = Fault::UnknownInterface(7);
        damage.times = 3;
        assert!(damage.to_string().ends_with("; skipped this frame and 2 more like it"));
    }

    #[test]
    fn one_unusable_file_is_one_line_and_several_are_a_line_each() {
        let bad = |name| Damage::of_file(Path::new(name), Fault::Empty);
        assert_eq!(CaptureError::Unusable(vec![bad("a")]).to_string(), "a: it is empty");
        assert_eq!(
            CaptureError::Unusable(vec![bad("a"), bad("-")]).to_string(),
            "none of the 2 files can be used:\n  a: it is empty\n  standard input: it is empty"
        );
    }
}
