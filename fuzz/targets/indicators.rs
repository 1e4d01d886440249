//! Lists of indicators: any octets can be loaded, and each line is used or complained about.
#![no_main]

use std::io::Write;

use libfuzzer_sys::fuzz_target;
use whoasked::indicator::Indicators;
use whoasked::name::NameHasher;

fuzz_target!(|octets: &[u8]| {
    let Ok(mut file) = tempfile::NamedTempFile::new() else { return };
    if file.write_all(octets).is_err() {
        return;
    }
    match Indicators::load(&[file.path().to_owned()], NameHasher::new([3, 5])) {
        Ok((_, warnings)) => {
            for warning in warnings {
                assert!(!warning.to_string().is_empty());
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
