//! Loading alerts: from a file, in whatever format a firewall writes it, to [`Alerts`].
//!
//! Each folder is a step, and data flows one way:
//!
//! ```text
//! file ─▶ text ─▶ format ─▶ csv, json, pairs, snort, sophos, names ─▶ columns ─▶ row, when ─▶ collector
//!         plain   which     a reader for each format                  which      values,      alerts and
//!         lines   format                                              field is   times        notices
//!                                                                     which
//! ```
//!
//! The format is recognised by what the file holds, not by its name. A row that cannot be read gives a [`Notice`] that says
//! why, and the rest is used. A file of which nothing can be used is a [`LoadError`]: no answer is better than "nobody asked"
//! from a file that was misunderstood.

mod collector;
mod columns;
mod csv;
mod error;
mod format;
mod json;
mod names;
mod notice;
mod pairs;
mod row;
mod snort;
mod sophos;
mod text;
mod when;

use std::path::Path;

use self::collector::{AlertCollector, order_words};
pub use self::error::LoadError;
pub use self::format::AlertFormat;
pub use self::names::name_asked;
pub use self::notice::{Notice, UnreadPart};
use self::text::{PlainText, file_text};
use super::{Alert, Zones};
use crate::text::{NoText, Text};

/// How many lines are looked at to see which form a file has.
const TOP_LINES: usize = 200;

/// What a file of alerts held.
#[derive(Clone, Debug)]
pub struct Alerts {
    /// The form it was read in.
    pub format: AlertFormat,
    /// Its alerts, in their order.
    pub alerts: Vec<Alert>,
    /// What should be known of how it was read.
    pub notices: Vec<Notice>,
}

impl Alerts {
    /// Reads a file, `-` being standard input, in a form or that which it is found to have. Times that
    /// name no zone are of that of `zones`; if it was assumed, a notice says so.
    ///
    /// # Errors
    /// When it cannot be read, or holds no alert.
    pub fn load(
        path: &Path,
        format: Option<AlertFormat>,
        zones: &Zones,
    ) -> Result<Alerts, LoadError> {
        let file = match path.as_os_str() == "-" {
            true => "standard input".to_owned(),
            false => path.display().to_string(),
        };
        // In the answers a file goes by its name alone.
        let name = match path.file_name() {
            Some(name) if path.as_os_str() != "-" => name.to_string_lossy().into_owned(),
            _ => file.clone(),
        };
        match Text::open(path).and_then(file_text::whole) {
            Ok(Some(text)) => Alerts::read(&name, &text, format, zones),
            Err(NoText::Io(source)) => Err(LoadError::Read { file, source }),
            Err(NoText::Capture) => Err(LoadError::Capture(file)),
            Err(NoText::Binary) => Err(LoadError::Binary(file)),
            Ok(None) => Err(LoadError::TooLong(file)),
        }
    }

    /// Calls the file otherwise.
    pub fn rename(&mut self, file: &str) {
        let alerts = self.alerts.iter_mut().map(|alert| &mut alert.file);
        for name in alerts.chain(self.notices.iter_mut().map(|notice| &mut notice.file)) {
            file.clone_into(name);
        }
    }

    /// Reads a text, as [`Alerts::load`] does from a file of that name.
    ///
    /// # Errors
    /// As there.
    pub fn read(
        file: &str,
        text: &str,
        format: Option<AlertFormat>,
        zones: &Zones,
    ) -> Result<Alerts, LoadError> {
        if text.trim().is_empty() {
            return Err(LoadError::Empty(file.to_owned()));
        }
        let plain = PlainText::of(text);
        if format.is_none_or(|format| format == AlertFormat::Csv)
            && csv::header::is_list(&plain.text)
        {
            return Err(LoadError::Feed(file.to_owned()));
        }
        // A table of Microsoft's is read by the objects that were made of it.
        let format =
            format.filter(|format| *format != AlertFormat::Csv || !plain.is_from_entity_table);
        let Some(format) = format.or_else(|| AlertFormat::of(&plain.text)) else {
            return Err(LoadError::unknown(file, &plain.text));
        };
        let mut collector = AlertCollector::read(file, &plain, format, (zones, None));
        // One firewall writes all dates alike, and the one that shows their order may be the last.
        if let Some((order, shown)) = collector.times.order_shown() {
            collector = AlertCollector::read(file, &plain, format, (zones, Some(order)));
            collector.notices.push(Notice::file(file, &order_words(order, &shown)));
        }
        collector.finish(format, zones.is_said)
    }
}

#[cfg(test)]
mod tests;
