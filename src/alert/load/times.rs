//! The times of one file: how they are read, and what should be said of that.
//!
//! What a time leaves open is as the rest of the file, or the capture, has it; what stays open is not guessed at. A time
//! that is silently wrong names the wrong client with certainty.

use super::day_clock::joined;
use super::row::{said, shortened};
use crate::alert::Zones;
use crate::time::{DateOrder, NoTime, Span, Timestamp, Written};

/// How far from where the capture begins an alert of it is at most taken to be. The two dates that one can be lie four
/// weeks apart at least.
const BEFORE: Span = Span::from_secs(86_400);
const BEHIND: Span = Span::from_secs(13 * 86_400);

/// Reads times, and remembers what should be said of them.
#[derive(Debug)]
pub(super) struct Times<'z> {
    zones: &'z Zones,
    /// In which order day and month are read where they could be either.
    order: Option<DateOrder>,
    /// The first date that shows day first, and the first that shows month first.
    shown: [Option<Place>; 2],
    /// Of the dates that could be two: how many are the capture's with the day first, and with the month first.
    captured: [u64; 2],
    /// How many of those stand beside AM or PM.
    half_days: u64,
    /// The first that named no zone.
    pub first_local: Option<Timestamp>,
    /// The first of a summer that names the zone of a winter.
    pub first_winter: Option<Place>,
    /// The first that has its year from the capture.
    pub first_without_year: Option<(Place, Timestamp)>,
    /// One of these was taken for one of two dates by the capture's time.
    is_guessed: bool,
    /// Those that could not be read, by reason, in the order of their first ones.
    pub unread: Vec<Unread>,
}

/// A text, and the line it stands in.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub line: u32,
    pub text: String,
}

/// Times that could not be read for one reason.
#[derive(Clone, Debug)]
pub(super) struct Unread {
    pub why: NoTime,
    pub count: u64,
    pub first: Place,
}

/// What shows whether the day or the month comes first.
#[derive(Clone, Debug)]
pub(super) enum Shown {
    /// Another date of the file.
    Date(Place),
    /// When the capture was taken.
    Capture,
    /// AM and PM: who writes these mostly writes the month first.
    HalfDays,
}

/// What a time has from the capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    Nothing,
    /// Its year, and perhaps which of two dates it is.
    Year {
        is_of_two: bool,
    },
}

impl<'z> Times<'z> {
    pub(super) fn new(zones: &'z Zones, order: Option<DateOrder>) -> Times<'z> {
        Times {
            zones,
            order,
            shown: [None, None],
            captured: [0, 0],
            half_days: 0,
            first_local: None,
            first_winter: None,
            first_without_year: None,
            is_guessed: false,
            unread: Vec::new(),
        }
    }

    /// The zone of those that name none, as it is called at a time.
    pub(super) fn zone_at(&self, time: Timestamp) -> String {
        self.zones.alerts.name_at(time)
    }

    /// The lines in which what is to be said of them stands.
    pub(super) fn lines_mut(&mut self) -> impl Iterator<Item = &mut u32> {
        let shown = self.shown.iter_mut().flatten();
        let firsts = self.first_winter.iter_mut();
        let without = self.first_without_year.iter_mut();
        let firsts = firsts.chain(without.map(|(place, _)| place));
        let unread = self.unread.iter_mut().map(|unread| &mut unread.first);
        shown.chain(firsts).chain(unread).map(|place| &mut place.line)
    }

    /// How many could not be read.
    pub(super) fn unread_count(&self) -> u64 {
        self.unread.iter().map(|unread| unread.count).sum()
    }

    /// The order in which those that could be two dates are to be read, and what shows it; none if there are none, or
    /// nothing shows it. In this order: 1. another date, unless dates show both; 2. that only in one of the orders most
    /// are of the capture's time, and in the other none; 3. that all have AM or PM.
    pub(super) fn order_shown(&self) -> Option<(DateOrder, Shown)> {
        let open = self.unread.iter().find(|unread| unread.why == NoTime::TwoDates);
        let open = match open {
            Some(unread) => unread.count,
            // What was taken by the capture's time gives way to what another date shows.
            None => {
                return match &self.shown {
                    [Some(day_first), None] if self.is_guessed => {
                        Some((DateOrder::DayFirst, Shown::Date(day_first.clone())))
                    }
                    [None, Some(month_first)] if self.is_guessed => {
                        Some((DateOrder::MonthFirst, Shown::Date(month_first.clone())))
                    }
                    _ => None,
                };
            }
        };
        let [day_first, month_first] = self.captured;
        let fits = (2 * day_first >= open, 2 * month_first >= open);
        let is_open = day_first == 0 && month_first == 0;
        match (&self.shown, fits) {
            ([Some(place), None], _) => Some((DateOrder::DayFirst, Shown::Date(place.clone()))),
            ([None, Some(place)], _) => Some((DateOrder::MonthFirst, Shown::Date(place.clone()))),
            ([Some(_), Some(_)], _) => None,
            (_, (true, false)) if month_first == 0 => Some((DateOrder::DayFirst, Shown::Capture)),
            (_, (false, true)) if day_first == 0 => Some((DateOrder::MonthFirst, Shown::Capture)),
            _ if is_open && self.half_days == open => {
                Some((DateOrder::MonthFirst, Shown::HalfDays))
            }
            _ => None,
        }
    }

    /// Reads one, if there is one.
    pub(super) fn read(&mut self, text: Option<&str>, line: u32) -> Option<Written> {
        self.read_in(text, None, line)
    }

    /// Reads one that is written in two values, a day and a clock, or three with its zone. Where one says nothing the
    /// other may hold both.
    pub(super) fn read_two(
        &mut self,
        day: Option<&str>,
        clock: Option<&str>,
        zone: Option<&str>,
        line: u32,
    ) -> Option<Written> {
        let (day, clock) = match (day.and_then(said), clock.and_then(said)) {
            (Some(day), Some(clock)) => (day, clock),
            (one, other) => {
                let text = one.or(other)?;
                // Other rows say their day.
                return match Written::parse(text, &self.zones.alerts, self.order) {
                    Err(NoTime::NoDay) => self.take(Err(NoTime::NoDay), text, line),
                    _ => self.read_in(Some(text), zone, line),
                };
            }
        };
        let plain = format!("{day} {clock}");
        let text = match self.parse(&plain) {
            // In whatever order it is: their date says so as well as any.
            Err(NoTime::Unknown | NoTime::NoZone | NoTime::NoYear | NoTime::NoDay) => {
                joined(day, clock)
            }
            _ => None,
        };
        self.read_in(Some(text.as_deref().unwrap_or(&plain)), zone, line)
    }

    /// Reads one, if there is one, that is of a zone said elsewhere if it names none itself.
    pub(super) fn read_in(
        &mut self,
        text: Option<&str>,
        zone: Option<&str>,
        line: u32,
    ) -> Option<Written> {
        let text = text.and_then(said)?;
        match (self.parse(text), zone.and_then(said)) {
            (Ok((written, ..)), Some(zone)) if written.is_local => {
                let text = format!("{text} {zone}");
                let read = self.parse(&text);
                self.take(read, &text, line)
            }
            (read, _) => self.take(read, text, line),
        }
    }

    /// Reads a text; and what of it is the capture's.
    fn parse(&self, text: &str) -> Result<(Written, Taken), NoTime> {
        let zone = &self.zones.alerts;
        match (Written::parse(text, zone, self.order), self.zones.captured) {
            (Err(NoTime::NoYear), Some(captured)) => {
                let read = |order| Written::parse_near(text, zone, captured, order);
                read(self.order).map(|written| {
                    let is_of_two = self.order.is_none()
                        && [DateOrder::DayFirst, DateOrder::MonthFirst].into_iter().any(|order| {
                            read(Some(order)).is_ok_and(|other| other.time != written.time)
                        });
                    (written, Taken::Year { is_of_two })
                })
            }
            (read, _) => read.map(|read| (read, Taken::Nothing)),
        }
    }

    /// Remembers what was read.
    fn take(
        &mut self,
        read: Result<(Written, Taken), NoTime>,
        text: &str,
        line: u32,
    ) -> Option<Written> {
        let place = || Place { line, text: shortened(text, 64) };
        match read {
            Ok((written, taken)) => {
                if written.is_local {
                    self.first_local.get_or_insert(written.time);
                }
                if written.is_winter_in_summer {
                    self.first_winter.get_or_insert_with(place);
                }
                match taken {
                    Taken::Nothing => {}
                    Taken::Year { is_of_two } => {
                        self.is_guessed |= is_of_two;
                        self.first_without_year.get_or_insert_with(|| (place(), written.time));
                    }
                }
                let [day_first, month_first] = &mut self.shown;
                let shown = written.shows.map(|order| match order {
                    DateOrder::DayFirst => day_first,
                    DateOrder::MonthFirst => month_first,
                });
                if let Some(shown) = shown {
                    shown.get_or_insert_with(place);
                }
                Some(written)
            }
            Err(why) => {
                if why == NoTime::TwoDates {
                    self.weigh(text);
                }
                match self.unread.iter_mut().find(|unread| unread.why == why) {
                    Some(unread) => unread.count += 1,
                    None => self.unread.push(Unread { why, count: 1, first: place() }),
                }
                None
            }
        }
    }

    /// Sees what there is to tell the two dates apart that a text can be.
    fn weigh(&mut self, text: &str) {
        let upper = text.to_ascii_uppercase();
        let upper = upper.replace(". M.", "M").replace(".M.", "M");
        let mut words = upper.split(|c: char| !c.is_ascii_alphabetic());
        self.half_days += u64::from(words.any(|word| ["AM", "PM"].contains(&word)));
        let Some(begin) = self.zones.captured else { return };
        let orders = [DateOrder::DayFirst, DateOrder::MonthFirst];
        for (count, order) in self.captured.iter_mut().zip(orders) {
            let read = Written::parse(text, &self.zones.alerts, Some(order));
            let is_then =
                |written: Written| (begin - BEFORE..=begin + BEHIND).contains(&written.time);
            *count += u64::from(read.is_ok_and(is_then));
        }
    }
}
