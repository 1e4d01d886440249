//! Capture files: any octets can be opened, and are read to an end.
#![no_main]

use std::io::Write;

use libfuzzer_sys::fuzz_target;
use whoasked::capture::Reader;
use whoasked::frame::Batch;

fuzz_target!(|octets: &[u8]| {
    let Ok(mut file) = tempfile::NamedTempFile::new() else { return };
    if file.write_all(octets).is_err() {
        return;
    }
    let Ok(mut reader) = Reader::open(&[file.path().to_owned()]) else { return };
    let mut batch = Batch::new();
    while reader.fill(&mut batch) {
        assert!(!batch.is_empty());
    }
    for damage in reader.damage() {
        assert!(!damage.to_string().is_empty());
    }
});
