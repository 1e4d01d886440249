//! Files of the firewall's alerts, as the command line names them.

use std::path::{Path, PathBuf};

use super::say;
use crate::alert::{Alert, AlertFormat, Alerts, Notice, Zones};

/// The alerts of all files.
#[derive(Debug)]
pub struct Loaded {
    /// In the order of the files and their lines.
    pub alerts: Vec<Alert>,
    /// What of them could not be read.
    pub unread: Vec<Notice>,
}

/// Reads files of alerts in the form `form`, or in the one that is found, and says on stderr what is doubtful
/// about them.
///
/// # Errors
/// When a file cannot be read, or holds no alert.
pub fn load(files: &[PathBuf], form: Option<AlertFormat>, zones: &Zones) -> anyhow::Result<Loaded> {
    let (mut alerts, mut unread) = (Vec::new(), Vec::new());
    let is_twice = |file: &Path| {
        files.iter().filter(|other| other.file_name() == file.file_name()).count() > 1
    };
    for file in files {
        let mut loaded = Alerts::load(file, form, zones)?;
        // In the answers a file goes by its name alone, unless another is called the same.
        if is_twice(file) {
            loaded.rename(&file.display().to_string());
        }
        unread.extend(told(&loaded));
        alerts.extend(loaded.alerts);
    }
    Ok(Loaded { alerts, unread })
}

/// Says what should be known of how alerts were read, and returns what is missing by it.
pub fn told(alerts: &Alerts) -> Vec<Notice> {
    for notice in &alerts.notices {
        say(&format!("whoasked: {notice}"));
    }
    alerts.notices.iter().filter(|notice| notice.unread.is_some()).cloned().collect()
}

/// What alerts are about, each with where it stands, as indicators are made of.
pub fn words<'a>(
    alerts: impl IntoIterator<Item = &'a Alert>,
) -> impl Iterator<Item = (&'a str, u32, &'a str)> {
    let word = |alert: &'a Alert| (alert.file.as_str(), alert.line, alert.destination.as_str());
    alerts.into_iter().map(word)
}
