//! Files of alerts: any octets can be loaded, and what is found in them can be looked for.
#![no_main]

use std::io::Write;

use libfuzzer_sys::fuzz_target;
use whoasked::alert::{Alerts, Zones};

fuzz_target!(|octets: &[u8]| {
    let Ok(mut file) = tempfile::NamedTempFile::new() else { return };
    if file.write_all(octets).is_err() {
        return;
    }
    match Alerts::load(file.path(), None, &Zones::default()) {
        Ok(alerts) => {
            for alert in alerts.alerts {
                assert!(!alert.destination.is_empty());
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
