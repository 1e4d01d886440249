//! When captures begin, seen before they are read.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::block::Block;
use super::file::FileReader;
use super::source::{Progress, is_pipe};
use crate::time::{Span, Timestamp};

/// How much of each is read first: a file header and a frame. Where the first frame is longer, more is.
const HEAD_OCTETS: usize = 4 << 10;

/// When the first of some captures begins, with what is added to the times of some of them; none where that cannot be
/// seen beforehand, as of a pipe, or what is no capture: that is told when it is read.
pub fn begin_of(files: &[PathBuf], shifts: &BTreeMap<PathBuf, Span>) -> Option<Timestamp> {
    let mut block = Block::default();
    let begins = files.iter().filter(|file| !is_pipe(file)).filter_map(|file| {
        let reader = FileReader::open(file, Arc::new(Progress::default())).ok()?;
        reader.reading_first(HEAD_OCTETS).fill(&mut block);
        let shift = shifts.get(file).copied().unwrap_or_default();
        block.marks.first().map(|mark| mark.time + shift)
    });
    begins.min()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_earliest_first_frame_counts_with_its_shift_and_what_is_no_capture_does_not() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let office = root.join("captures/office.pcap");
        let begin = |files: &[PathBuf], shift: i64| {
            begin_of(files, &BTreeMap::from([(office.clone(), Span::from_secs(shift))]))
        };
        let first = begin(std::slice::from_ref(&office), 0).unwrap();
        assert!(first.to_string().starts_with("2026-03-02T"), "{first}");
        let other = root.join("Cargo.toml");
        let files = [other.clone(), root.join("none.pcap"), office.clone(), "-".into()];
        assert_eq!(begin(&files, 3_600), Some(first + Span::from_secs(3_600)));
        assert_eq!(begin(&[other], 0), None);
        assert_eq!(begin(&[], 0), None);
    }
}
