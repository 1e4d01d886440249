//! The times of one file: how they are read, and what should be said of that.
//!
//! What a time leaves open is as the rest of the file, or the capture, has it; what stays open is not guessed at. A time
//! that is silently wrong names the wrong client with certainty.

use crate::alert::Zones;
use crate::alert::load::row::value::{present_value, shortened};
use crate::alert::load::when::day_and_clock::date_and_clock;
use crate::alert::load::when::spans;
use crate::time::{DateOrder, NoTime, Span, Timestamp, Written};

/// How far from where the capture begins an alert of it is at most taken to be. The two dates that one can be lie four
/// weeks apart at least.
const BEFORE: Span = Span::from_secs(86_400);
const BEHIND: Span = Span::from_secs(13 * 86_400);

/// What is longer is hardly the time of one alert.
const LONG: Span = Span::from_secs(31 * 86_400);
/// Likewise of a first and a last time beside a moment, which may be those of something else;
const LONG_BESIDE: Span = Span::from_secs(86_400);
/// and so long before the first, and behind the last, an alert is told of.
const TOLD_BEFORE: Span = Span::from_secs(60);
const TOLD_BEHIND: Span = Span::from_secs(3_600);
/// Less is not written.
const MINUTE: Span = Span::from_secs(60);

/// Reads times, and remembers what should be said of them.
#[derive(Debug)]
pub(crate) struct TimeReader<'z> {
    zones: &'z Zones,
    /// In which order day and month are read where they could be either.
    order: Option<DateOrder>,
    /// The first date that shows day first, and the first that shows month first.
    shown: [Option<SourceText>; 2],
    /// Of the dates that could be two: how many are the capture's with the day first, and with the month first.
    captured: [u64; 2],
    /// How many of those stand beside AM or PM.
    half_days: u64,
    /// The first that named no zone.
    pub first_local: Option<Timestamp>,
    /// The first of a summer that names the zone of a winter.
    pub first_winter: Option<SourceText>,
    /// The first that has its year from the capture.
    pub first_without_year: Option<(SourceText, Timestamp)>,
    /// How many have a last time before the first, and the first of them;
    pub backward: Option<(u64, SourceText)>,
    /// how many are of a longer time than alerts are;
    pub long: Option<(u64, SourceText)>,
    /// and beside how many a first and a last time stand that are not used.
    pub beside: Option<(u64, SourceText)>,
    /// One of these was taken for one of two dates by the capture's time.
    is_guessed: bool,
    /// Those that could not be read, by reason, in the order of their first ones.
    pub unread: Vec<UnreadableTimes>,
}

/// A text, and the line it stands in.
#[derive(Clone, Debug)]
pub(crate) struct SourceText {
    pub line: u32,
    pub text: String,
}

/// Times that could not be read for one reason.
#[derive(Clone, Debug)]
pub(crate) struct UnreadableTimes {
    pub why: NoTime,
    pub count: u64,
    pub first: SourceText,
}

/// What shows whether the day or the month comes first.
#[derive(Clone, Debug)]
pub(crate) enum DateOrderEvidence {
    /// Another date of the file.
    Date(SourceText),
    /// When the capture was taken.
    Capture,
    /// AM and PM: who writes these mostly writes the month first.
    HalfDays,
}

/// What a time has from the capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum YearSource {
    Nothing,
    /// Its year, and perhaps which of two dates it is.
    Year {
        is_of_two: bool,
    },
}

impl<'z> TimeReader<'z> {
    pub(crate) fn new(zones: &'z Zones, order: Option<DateOrder>) -> TimeReader<'z> {
        TimeReader {
            zones,
            order,
            shown: [None, None],
            captured: [0, 0],
            half_days: 0,
            first_local: None,
            first_winter: None,
            first_without_year: None,
            backward: None,
            long: None,
            beside: None,
            is_guessed: false,
            unread: Vec::new(),
        }
    }

    /// The zone of those that name none, as it is called at a time.
    pub(crate) fn zone_at(&self, time: Timestamp) -> String {
        self.zones.alerts.name_at(time)
    }

    /// The lines in which what is to be said of them stands.
    pub(crate) fn lines_mut(&mut self) -> impl Iterator<Item = &mut u32> {
        let shown = self.shown.iter_mut().flatten();
        let firsts = self.first_winter.iter_mut();
        let without = self.first_without_year.iter_mut();
        let firsts = firsts.chain(without.map(|(place, _)| place));
        let unread = self.unread.iter_mut().map(|unread| &mut unread.first);
        let lasting = [&mut self.backward, &mut self.long, &mut self.beside];
        let lasting = lasting.into_iter().flatten().map(|(_, place)| place);
        shown.chain(firsts).chain(lasting).chain(unread).map(|place| &mut place.line)
    }

    /// How many could not be read.
    pub(crate) fn unread_count(&self) -> u64 {
        self.unread.iter().map(|unread| unread.count).sum()
    }

    /// The order in which those that could be two dates are to be read, and what shows it; none if there are none, or
    /// nothing shows it. In this order: 1. another date, unless dates show both; 2. that only in one of the orders most
    /// are of the capture's time, and in the other none; 3. that all have AM or PM.
    pub(crate) fn order_shown(&self) -> Option<(DateOrder, DateOrderEvidence)> {
        let open = self.unread.iter().find(|unread| unread.why == NoTime::TwoDates);
        let open = match open {
            Some(unread) => unread.count,
            // What was taken by the capture's time gives way to what another date shows.
            None => {
                return match &self.shown {
                    [Some(day_first), None] if self.is_guessed => {
                        Some((DateOrder::DayFirst, DateOrderEvidence::Date(day_first.clone())))
                    }
                    [None, Some(month_first)] if self.is_guessed => {
                        Some((DateOrder::MonthFirst, DateOrderEvidence::Date(month_first.clone())))
                    }
                    _ => None,
                };
            }
        };
        let [day_first, month_first] = self.captured;
        let fits = (2 * day_first >= open, 2 * month_first >= open);
        let is_open = day_first == 0 && month_first == 0;
        match (&self.shown, fits) {
            ([Some(place), None], _) => {
                Some((DateOrder::DayFirst, DateOrderEvidence::Date(place.clone())))
            }
            ([None, Some(place)], _) => {
                Some((DateOrder::MonthFirst, DateOrderEvidence::Date(place.clone())))
            }
            ([Some(_), Some(_)], _) => None,
            (_, (true, false)) if month_first == 0 => {
                Some((DateOrder::DayFirst, DateOrderEvidence::Capture))
            }
            (_, (false, true)) if day_first == 0 => {
                Some((DateOrder::MonthFirst, DateOrderEvidence::Capture))
            }
            _ if is_open && self.half_days == open => {
                Some((DateOrder::MonthFirst, DateOrderEvidence::HalfDays))
            }
            _ => None,
        }
    }

    /// Reads one, if there is one.
    pub(crate) fn read(&mut self, text: Option<&str>, line: u32) -> Option<Written> {
        self.read_in(text, None, line)
    }

    /// Reads one that is written in two values, a day and a clock, or three with its zone. Where one says nothing the
    /// other may hold both.
    pub(crate) fn read_two(
        &mut self,
        day: Option<&str>,
        clock: Option<&str>,
        zone: Option<&str>,
        line: u32,
    ) -> Option<Written> {
        let (day, clock) = match (day.and_then(present_value), clock.and_then(present_value)) {
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
                date_and_clock(day, clock)
            }
            _ => None,
        };
        self.read_in(Some(text.as_deref().unwrap_or(&plain)), zone, line)
    }

    /// Reads one, if there is one, that is of a zone said elsewhere if it names none itself.
    pub(crate) fn read_in(
        &mut self,
        text: Option<&str>,
        zone: Option<&str>,
        line: u32,
    ) -> Option<Written> {
        let text = text.and_then(present_value)?;
        match (self.parse(text), zone.and_then(present_value)) {
            (Ok((written, ..)), Some(zone)) if written.is_local => {
                let text = format!("{text} {zone}");
                let read = self.parse(&text);
                self.take(read, &text, line)
            }
            (read, _) => self.take(read, text, line),
        }
    }

    /// Reads the hour of a day.
    pub(crate) fn read_hour(
        &mut self,
        day: Option<&str>,
        hour: Option<&str>,
        zone: Option<&str>,
        line: u32,
    ) -> Option<Written> {
        let (Some(day), Some(hour)) = (day.and_then(present_value), hour) else {
            return self.read_in(day, zone, line);
        };
        let ends = spans::of_hour(day, hour);
        let Some([first, last]) = ends else {
            return self.read_two(Some(day), Some(hour), zone, line);
        };
        let zone = zone.and_then(present_value).map_or(String::new(), |zone| format!(" {zone}"));
        let read = self.parse_both(&format!("{first}{zone}"), &format!("{last}{zone}"), self.order);
        self.take(read, &format!("{day} {hour}"), line)
    }

    /// Reads a first and a last time.
    pub(crate) fn read_between(
        &mut self,
        (first, first_zone): (&str, Option<&str>),
        (last, last_zone): (&str, Option<&str>),
        line: u32,
    ) -> Option<Written> {
        let from = self.read_in(Some(first), first_zone, line);
        let to = self.read_in(Some(last), last_zone, line);
        let (Some(from), Some(to)) = (from, to) else { return from.or(to) };
        let whole = until(&from, &to);
        if whole.is_some_and(is_long) {
            note(&mut self.long, line, &format!("{first} / {last}"));
        }
        if whole.is_none() {
            note(&mut self.backward, line, &format!("{first} / {last}"));
        }
        whole.or(Some(from))
    }

    /// Of a moment and of what a first and a last time say beside it, what counts: all from the first to the last, if that holds
    /// the moment, or was told of soon after, and is not long. Else these are of something else, as of an indicator.
    pub(crate) fn either(
        &mut self,
        moment: Option<Written>,
        between: Option<Written>,
        line: u32,
    ) -> Option<Written> {
        let (Some(moment), Some(between)) = (moment, between) else { return moment.or(between) };
        let Some(until) = between.until else { return Some(moment) };
        // Of a day, or the like, that is the closer word.
        let ends = moment.until.unwrap_or(moment.time);
        if moment.time <= between.time && until <= ends {
            return Some(between);
        }
        let is_held = ends >= between.time - TOLD_BEFORE && moment.time <= until + TOLD_BEHIND;
        if is_held && until - between.time <= LONG_BESIDE {
            return Some(between);
        }
        note(&mut self.beside, line, &format!("{} / {until}", between.time));
        Some(moment)
    }

    /// Reads a text; and what of it is the capture's.
    fn parse(&self, text: &str) -> Result<(Written, YearSource), NoTime> {
        self.parse_in(text, self.order)
    }

    /// Likewise, with day and month in an order: a moment, or else a day, or a first and a last time.
    fn parse_in(
        &self,
        text: &str,
        order: Option<DateOrder>,
    ) -> Result<(Written, YearSource), NoTime> {
        let read = self.parse_moment(text, order);
        let Err(why) = read else { return read };
        let mut first_why = None;
        for [first, last] in spans::of_day(text).chain(spans::first_and_last(text)) {
            match self.parse_both(&first, &last, order) {
                Ok(read) => return Ok(read),
                Err(why @ (NoTime::TwoDates | NoTime::NoYear)) => {
                    first_why = first_why.or(Some(why))
                }
                Err(_) => {}
            }
        }
        Err(if why == NoTime::Unknown { first_why.unwrap_or(why) } else { why })
    }

    /// Reads a first time and a last, each a moment or a day.
    fn parse_both(
        &self,
        first: &str,
        last: &str,
        order: Option<DateOrder>,
    ) -> Result<(Written, YearSource), NoTime> {
        let read = |text: &str| {
            let moment = self.parse_moment(text, order);
            let mut days = spans::of_day(text).filter(|_| moment.is_err());
            let of_day = days.find_map(|[first, last]| {
                let (first, taken) = self.parse_moment(&first, order).ok()?;
                let (last, _) = self.parse_moment(&last, order).ok()?;
                Some((until(&first, &last)?, taken))
            });
            of_day.map_or(moment, Ok)
        };
        let (from, taken) = read(first)?;
        let (to, _) = read(last)?;
        until(&from, &to).map(|whole| (whole, taken)).ok_or(NoTime::Unknown)
    }

    /// Reads a moment.
    fn parse_moment(
        &self,
        text: &str,
        order: Option<DateOrder>,
    ) -> Result<(Written, YearSource), NoTime> {
        let zone = &self.zones.alerts;
        match (Written::parse(text, zone, order), self.zones.captured) {
            (Err(NoTime::NoYear), Some(captured)) => {
                let read = |order| Written::parse_near(text, zone, captured, order);
                read(order).map(|written| {
                    let is_of_two = order.is_none()
                        && [DateOrder::DayFirst, DateOrder::MonthFirst].into_iter().any(|order| {
                            read(Some(order)).is_ok_and(|other| other.time != written.time)
                        });
                    (written, YearSource::Year { is_of_two })
                })
            }
            (read, _) => read.map(|read| (read, YearSource::Nothing)),
        }
    }

    /// Remembers what was read.
    fn take(
        &mut self,
        read: Result<(Written, YearSource), NoTime>,
        text: &str,
        line: u32,
    ) -> Option<Written> {
        let place = || SourceText { line, text: shortened(text, 64) };
        match read {
            Ok((written, taken)) => {
                if is_long(written) {
                    note(&mut self.long, line, text);
                }
                if written.is_local {
                    self.first_local.get_or_insert(written.time);
                }
                if written.is_winter_in_summer {
                    self.first_winter.get_or_insert_with(place);
                }
                match taken {
                    YearSource::Nothing => {}
                    YearSource::Year { is_of_two } => {
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
                    None => self.unread.push(UnreadableTimes { why, count: 1, first: place() }),
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
        let mut captured = self.captured;
        for (count, order) in captured.iter_mut().zip(orders) {
            let read = self.parse_in(text, Some(order));
            let is_then = |(written, _): (Written, YearSource)| {
                (begin - BEFORE..=begin + BEHIND).contains(&written.time)
            };
            *count += u64::from(read.is_ok_and(is_then));
        }
        self.captured = captured;
    }
}

fn is_long(written: Written) -> bool {
    written.until.is_some_and(|until| until - written.time > LONG)
}

/// From a first time until a last; none if that comes before it.
fn until(first: &Written, last: &Written) -> Option<Written> {
    let minute = if last.is_of_minute { MINUTE - Span(1) } else { Span(0) };
    let end = last.until.or(last.again).unwrap_or(last.time + minute);
    if first.time == last.time && last.until.is_none() {
        return Some(*first);
    }
    let is_local = first.is_local || last.is_local;
    (end > first.time).then_some(Written { again: None, until: Some(end), is_local, ..*first })
}

/// Counts one more, and remembers the first.
fn note(known: &mut Option<(u64, SourceText)>, line: u32, text: &str) {
    let place = || SourceText { line, text: shortened(text, 64) };
    known.get_or_insert_with(|| (0, place())).0 += 1;
}
