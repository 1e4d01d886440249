//! The zones of times: that in which the answer speaks, and those in which an alert's own time, if it names
//! none, would be that of a sighting.
//!
//! A firewall's log is in the firewall's zone, which the log seldom says. It is taken to be the reader's. If
//! nothing was asked for then, but something was in another zone that clocks are set to, that is said, and
//! left to the reader: a time that fits somehow is no proof that somebody asked.

use crate::time::{Span, Timestamp, UTC, Zone};

/// Those of no whole hours that clocks are set to somewhere, in minutes east: -09:30, -03:30 with -02:30, +03:30 to +06:30,
/// +05:45, +08:45, +09:30, +10:30, +12:45 with +13:45 (tz database, 2025b).
const ODD: [i64; 13] = [-570, -210, -150, 210, 270, 330, 345, 390, 525, 570, 630, 765, 825];

/// The whole hours that clocks are set to, east.
const WHOLE: std::ops::RangeInclusive<i64> = -12..=14;
/// A time that was logged to the minute is off by no more.
const OFF_MAX: Span = Span::from_secs(60);
/// One that was logged to the second is off by no more.
const OFF_LITTLE: Span = Span::from_secs(5);

/// The zones in which an answer speaks, and in which its alerts do.
#[derive(Clone, Debug)]
pub struct Zones {
    /// In which times are said.
    pub page: Zone,
    /// In which an alert's time is that names none.
    pub alerts: Zone,
    /// That was said, and not assumed.
    pub is_said: bool,
    /// When the capture begins, where that is known beforehand: what a time leaves open, such as its year, is as that
    /// has it.
    pub captured: Option<Timestamp>,
}

impl Default for Zones {
    fn default() -> Zones {
        Zones { page: UTC.clone(), alerts: UTC.clone(), is_said: false, captured: None }
    }
}

impl Zones {
    /// `2026-03-02 10:17:42 UTC+1`.
    pub(super) fn moment(&self, time: Timestamp) -> String {
        match self.page.civil(time) {
            Some(civil) => {
                format!("{} {} {}", civil.date, civil.clock, self.page.distance_at(time))
            }
            None => time.to_string(),
        }
    }

    /// Where else a time of an alert that names no zone would be that of a sighting: the likeliest first. The time
    /// stands for all that is within `lasts`, at most some minutes; the sightings are in order.
    pub(super) fn fitting(
        &self,
        (time, lasts): (Timestamp, Span),
        sightings: &[Timestamp],
    ) -> Vec<ZoneFit> {
        let Some(civil) = self.alerts.civil(time) else { return Vec::new() };
        let assumed = i64::from(civil.offset);
        let whole = WHOLE.map(|hours| (hours * 3_600, false));
        let odd = ODD.map(|minutes| (minutes * 60, true));
        let mut fits: Vec<(bool, bool, Span, ZoneFit)> = whole
            .chain(odd)
            .filter(|(east, _)| *east != assumed)
            .filter_map(|(east, is_odd)| {
                let then = time + Span::from_secs(assumed - east);
                // Of several, that nearest to the time as it was read.
                let is_first = assumed > east;
                let within = |off: Span| {
                    let within = between(sightings, then - off, then + lasts + off);
                    if is_first { within.first() } else { within.last() }.copied()
                };
                let closely = within(OFF_LITTLE);
                let sighting = closely.or_else(|| within(OFF_MAX))?;
                let is_close = closely.is_some() && !is_odd;
                let fit = ZoneFit { east: i32::try_from(east).ok()?, sighting, is_close };
                Some((closely.is_none(), is_odd, (sighting - time).abs(), fit))
            })
            .collect();
        fits.sort_unstable();
        fits.into_iter().map(|(.., fit)| fit).collect()
    }
}

/// Those of some times, which are in order, from one on until another.
fn between(times: &[Timestamp], from: Timestamp, until: Timestamp) -> &[Timestamp] {
    let start = times.partition_point(|time| *time < from);
    let end = times.partition_point(|time| *time <= until);
    times.get(start..end).unwrap_or_default()
}

/// A zone in which a time would be that of a sighting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ZoneFit {
    /// How far it is from UTC, in seconds, east positive.
    east: i32,
    /// The sighting.
    pub sighting: Timestamp,
    /// It fits to the second, in a zone of whole hours.
    pub is_close: bool,
}

impl ZoneFit {
    /// As the command line takes it: `--tz +05:30`, `--tz UTC`.
    pub fn flag(&self) -> String {
        let minutes = self.east.unsigned_abs() / 60;
        let sign = if self.east < 0 { '-' } else { '+' };
        match minutes {
            0 => "--tz UTC".to_owned(),
            _ => format!("--tz {sign}{:02}:{:02}", minutes / 60, minutes % 60),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_rfc3339(text).unwrap()
    }

    /// The flags for a time that was read in a zone.
    fn flags(zone: &str, time: &str, sightings: &[&str]) -> Vec<String> {
        let zones = Zones { alerts: Zone::parse(zone).unwrap(), ..Zones::default() };
        let mut sightings: Vec<Timestamp> = sightings.iter().map(|time| at(time)).collect();
        sightings.sort_unstable();
        let fits = zones.fitting((at(time), Span(0)), &sightings);
        fits.iter().map(ZoneFit::flag).collect()
    }

    #[test]
    fn the_zones_are_said_in_which_a_local_time_would_fit() {
        // 10:17:42 in Berlin, read as UTC.
        let found = flags("UTC", "2026-03-02T10:17:42Z", &["2026-03-02T09:17:42.4Z"]);
        assert_eq!(found, ["--tz +01:00"]);
        // 13:17:42 in UTC, read in New York.
        let found = flags("America/New_York", "2026-03-02T18:17:42Z", &["2026-03-02T13:17:43Z"]);
        assert_eq!(found, ["--tz UTC"]);
        // Logged to the minute, in India.
        let found = flags("Europe/Berlin", "2026-03-02T14:47:00Z", &["2026-03-02T10:17:42Z"]);
        assert_eq!(found, ["--tz +05:30"]);
        // The nearest whole hour first; each zone once.
        let sightings = ["2026-03-02T07:17:42Z", "2026-03-02T06:47:42Z", "2026-03-02T09:17:42Z"];
        let found = flags("UTC", "2026-03-02T10:17:42Z", &sightings);
        assert_eq!(found, ["--tz +01:00", "--tz +03:00", "--tz +03:30"]);
        // Nobody's clock is an hour and a half ahead.
        assert!(flags("UTC", "2026-03-02T10:17:42Z", &["2026-03-02T08:47:42Z"]).is_empty());
    }

    #[test]
    fn what_no_zone_makes_fit_is_not_suggested() {
        for sighting in [
            "2026-03-02T10:17:43Z",
            "2026-03-02T10:10:00Z",
            "2026-03-01T19:17:42Z",
            "2026-03-02T23:17:42Z",
        ] {
            let found = flags("UTC", "2026-03-02T10:17:42Z", &[sighting]);
            assert_eq!(found, [""; 0], "{sighting}");
        }
    }

    #[test]
    fn a_time_without_seconds_fits_what_is_within_its_minute() {
        let (time, minute) = (at("2026-03-02T10:17:00Z"), Span::from_secs(60));
        for (sighting, closely) in [
            ("2026-03-02T09:17:00.1Z", true),
            ("2026-03-02T09:17:42Z", true),
            ("2026-03-02T09:17:59Z", true),
            ("2026-03-02T09:18:20Z", false),
            ("2026-03-02T09:16:30Z", false),
        ] {
            let fits = Zones::default().fitting((time, minute), &[at(sighting)]);
            let found: Vec<_> = fits.iter().map(|fit| (fit.flag(), fit.is_close)).collect();
            assert_eq!(found, [("--tz +01:00".to_owned(), closely)], "{sighting}");
        }
    }

    proptest! {
        #[test]
        fn any_times_are_taken(time: i64, mut sightings: Vec<i64>) {
            sightings.sort_unstable();
            let sightings: Vec<Timestamp> = sightings.into_iter().map(Timestamp).collect();
            let fits = Zones::default().fitting((Timestamp(time), Span::from_secs(60)), &sightings);
            prop_assert!(fits.iter().all(|fit| sightings.contains(&fit.sighting)));
        }
    }
}
